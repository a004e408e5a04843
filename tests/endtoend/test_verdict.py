"""Verdicts: what a gradient is at a kink, by functions whose pieces are known."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest

import adcore
from adcore import NonDifferentiableError, NonDifferentiableWarning, grad, jit, kinks, straight_through, value_and_grad
from adcore import verdict as verdict_of
from adcore.proximal import prox_lasso
from adcore.verdicts import Verdict

Array = np.ndarray


def relu(x):
    return np.where(x > 0.0, x, 0.0)


def relu_pair(w):  # w itself (Lee, Park and Aiken 2023)
    return relu(w) - relu(-w)


def hard_sigmoid(w):
    return np.where(w <= -3.0, 0.0, np.where(w >= 3.0, 1.0, w / 6.0 + 0.5))


def sigmoid_pair(w):
    return hard_sigmoid(w + 3.0) + hard_sigmoid(w - 3.0)


def smooth_pair(w):
    return np.maximum(w, 0.0) - np.maximum(-w, 0.0)


def softplus(x):
    if x > 0.0:
        return x + math.log1p(math.exp(-x))
    return math.log1p(math.exp(x))


def log_add_exp(x):
    a, b = x[0], x[1]
    if a > b:
        return a + math.log1p(math.exp(b - a))
    return b + math.log1p(math.exp(a - b))


def sinc(x):
    if x == 0.0:
        return 1.0
    return math.sin(x) / x


def relative_exponential(x):  # 1/2 is its slope at 0, where the branch says 0
    if x == 0.0:
        return 1.0
    return math.expm1(x) / x


def quadratic_at_one_point(x):
    if x == 0.5:
        return 0.25
    return x * x


def step(x):
    return 1.0 if x >= 0.5 else 0.0


def halvings(x):
    n = 0
    while x > 1.0:
        x = x / 2.0
        n += 1
    return x * n


def smooth_halvings(x):
    while x > 1.0:
        x = x / 2.0
    return x * x * 0.0 + 3.0 * x - 3.0 * x


def table_lookup(x):
    table = np.array([0.0, 1.0, 4.0, 9.0])
    k = int(x)
    return table[k] + (x - k) * (table[k + 1] - table[k])


def largest(x):
    return np.max(x)


def at_largest(x):
    return x[np.argmax(x)]


def weighted_sort(x):
    s = np.sort(x)
    return s[0] + 2.0 * s[1]


def sum_of_sorted(x):
    s = np.sort(x)
    return s[0] + s[1]


def norm(x):
    return math.hypot(x[0], x[1])


def root(x):
    return math.sqrt(x)


def nested(x):
    return abs(abs(x[0]) - x[1]) + np.maximum(x[0], 0.0)


def product_of_kinks(x):
    return abs(x[0]) * abs(x[1])


def stable_log_sum(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def dead(x):
    return np.sum(np.maximum(x, 0.0)) * 0.0 + x[0] ** 2


def difference_of_norms(x):
    return np.sum(np.abs(x)) - np.sum(np.maximum(x, -x))


def smooth_power(x):
    return abs(x) ** 1.5


def many(x):
    return np.sum(np.abs(x))


def many_by_branches(x):
    total = 0.0
    for k in range(len(x)):
        if x[k] > 0.0:
            total += x[k]
    return total


def floored(x):
    return math.floor(x) + x


def wrapped(x):
    return np.mod(x, 1.0)


def cut(x):
    return np.arctan2(x[0], x[1])


def length(x):
    return np.linalg.norm(x)


def median(x):
    return np.median(x)


def interpolated(x):
    return np.interp(x, np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 4.0]))


def larger_eigenvalue(x):
    return np.linalg.eigvalsh(np.array([[x[0], x[1]], [x[1], -x[0]]]))[1]


def trace_by_eigenvalues(x):
    return np.sum(np.linalg.eigvalsh(np.array([[x[0], x[1]], [x[1], -x[0]]])))


def missing_as_zero(x):
    return 0.0 if x != x else x * x


def cubic_switch(x):  # the distance to the kink does not change to first order
    return abs(x) if x**3 > 0.0 else 2.0 * x


def folded(x):
    for _ in range(200):
        x = abs(x - 0.5)
    return x


CASES = [
    # function, point, status, evidence, gradients of the pieces
    (relu_pair, 0.0, "incorrect", "pieces", [[1.0]]),
    (smooth_pair, 0.0, "differentiable", "pieces", [[1.0]]),
    (sigmoid_pair, 0.0, "incorrect", "pieces", [[1.0 / 6.0]]),
    (relu, 0.0, "clarke", "pieces", [[0.0], [1.0]]),
    (relu, 0.3, "differentiable", "untouched", None),
    (abs, 0.0, "clarke", "pieces", [[-1.0], [1.0]]),
    (softplus, 0.0, "differentiable", "pieces", [[0.5]]),
    (log_add_exp, np.array([1.0, 1.0]), "differentiable", "pieces", [[0.5, 0.5]]),
    (sinc, 0.0, "differentiable", "test", None),
    (relative_exponential, 0.0, "incorrect", "test", None),
    (quadratic_at_one_point, 0.5, "incorrect", "pieces", [[1.0]]),
    (step, 0.5, "incorrect", "pieces", None),
    (step, 0.7, "differentiable", "untouched", None),
    (halvings, 4.0, "incorrect", "pieces", None),
    (halvings, 3.0, "differentiable", "untouched", None),
    (smooth_halvings, 4.0, "differentiable", "pieces", [[0.0]]),
    (table_lookup, 1.0, "clarke", "pieces", [[1.0], [3.0]]),
    (table_lookup, 1.5, "differentiable", "untouched", None),
    (largest, np.ones(3), "clarke", "pieces", np.eye(3)[::-1]),
    (largest, np.array([1.0, 2.0]), "differentiable", "untouched", None),
    (at_largest, np.array([1.0, 2.0]), "differentiable", "untouched", None),
    (at_largest, np.array([2.0, 2.0]), "clarke", "test", [[0.0, 1.0], [1.0, 0.0]]),
    (weighted_sort, np.ones(2), "clarke", "test", [[1.0, 2.0], [2.0, 1.0]]),
    (sum_of_sorted, np.ones(2), "differentiable", "test", None),
    (norm, np.zeros(2), "clarke", "test", None),
    (root, 0.0, "incorrect", "gradient", None),
    (nested, np.zeros(2), "clarke", "pieces", None),
    (product_of_kinks, np.zeros(2), "differentiable", "adjoints", None),
    (stable_log_sum, np.ones(3), "differentiable", "adjoints", None),
    (dead, np.zeros(3), "differentiable", "adjoints", None),
    (difference_of_norms, np.zeros(2), "differentiable", "pieces", [[0.0, 0.0]]),
    (smooth_power, 0.0, "differentiable", "test", None),
    (many, np.zeros(40), "clarke", "directions", None),
    (many_by_branches, np.zeros(40), "clarke", "free", None),
    (floored, 2.0, "incorrect", "pieces", [[1.0]]),
    (wrapped, 2.0, "incorrect", "pieces", [[1.0]]),
    (cut, np.array([0.0, -1.0]), "incorrect", "pieces", None),
    (length, np.zeros(3), "clarke", "test", None),
    (median, np.array([1.0, 1.0, 2.0]), "clarke", "test", [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    (interpolated, 1.0, "clarke", "pieces", [[1.0], [3.0]]),
    (interpolated, 0.5, "differentiable", "untouched", None),
    (larger_eigenvalue, np.zeros(2), "clarke", "test", None),
    (trace_by_eigenvalues, np.zeros(2), "differentiable", "test", None),
    (missing_as_zero, 2.0, "differentiable", "untouched", None),
    (cubic_switch, 0.0, "clarke", "test", None),
    (folded, 0.5, "clarke", "pieces", [[-1.0], [1.0]]),
]


@pytest.mark.parametrize(
    ("f", "x", "status", "evidence", "elements"), CASES, ids=[f"{c[0].__name__}-{c[1]}" for c in CASES]
)
def test_status_at_a_point(f, x, status, evidence, elements):
    found = verdict_of(lambda x: f(x))(x)
    assert (found.status, found.evidence) == (status, evidence), str(found)
    assert bool(found) is (status == "differentiable")
    assert found.value == f(x)
    np.testing.assert_array_equal(found.gradient, grad(lambda x: f(x))(x))
    if elements is not None:
        np.testing.assert_allclose(
            found.elements, np.array(elements)[np.lexsort(np.array(elements).T[::-1])], atol=1e-7
        )
    assert bool(found.kinks) is (evidence not in ("untouched",))
    assert all(k.line > 0 and k.source for k in found.kinks)
    assert str(found).startswith(status)


def test_verdicts_agree_with_differences_on_random_piecewise_linear_functions():
    """A function is differentiable where its one-sided slopes agree in all directions, and then has that gradient."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(20):
        a, b = rng.integers(-1, 2, (3, 2)).astype(float), rng.integers(-1, 2, 3).astype(float)
        signs = rng.choice([-1.0, 0.0, 1.0], 3)

        def f(x, a=a, b=b, signs=signs):
            inner = np.abs(a @ x)
            return signs[0] * np.maximum(inner[0] - inner[1], b @ inner) + signs[1] * inner[2]

        found = verdict_of(f)(np.zeros(2))
        slopes = [(d, f(1e-3 * np.array(d)) / 1e-3) for d in rng.standard_normal((60, 2))]
        for d, slope in slopes[:6]:
            assert found.directional(np.array(d)) == pytest.approx(slope, abs=1e-9)
            model = found.abs_linear()
            assert model(np.array(d)) == pytest.approx(f(np.array(d)), abs=1e-12)
        linear = bool(max(abs(slope - np.asarray(found.gradient) @ d) for d, slope in slopes) < 1e-9)
        assert (found.status == "differentiable") is linear
        for element in found.elements:  # each is the gradient of the function somewhere around the point
            assert any(abs(slope - element @ d) < 1e-9 for d, slope in slopes)
        seen.add(found.status)
    assert seen >= {"differentiable", "clarke"}


def test_one_sided_and_directional_derivatives():
    found = verdict_of(lambda x: abs(x) + 2.0 * x)(0.0)
    assert found.one_sided == (1.0, 3.0)
    assert (found.directional(2.0), found.directional(-2.0)) == (6.0, -2.0)
    with pytest.raises(ValueError, match="the value jumps from 1 to 0"):
        verdict_of(lambda x: step(x))(0.5).directional(-1.0)
    away = verdict_of(lambda x: abs(x))(-2.0)
    assert away.one_sided == (-1.0, -1.0)


def test_lexicographic_elements():
    found = verdict_of(lambda x: nested(x))(np.zeros(2))
    rows = {tuple(e) for e in found.elements}
    for directions in (np.eye(2), -np.eye(2), np.eye(2)[::-1], np.array([[1.0, 1.0], [0.0, -1.0]])):
        assert tuple(found.lexicographic(directions)) in rows


def test_kinks_touched_tell_everything():
    def f(w):
        hidden = np.maximum(w, 1.0)
        return 3.0 * hidden

    (kink,) = verdict_of(f)(1.0).kinks
    assert (kink.source, kink.primitive, kink.effect, kink.side) == ("np.maximum(w, 1.0)", "maximum", "bend", "mean")
    assert (kink.operands, kink.adjoint, kink.distance, kink.ulps) == ((1.0, 1.0), 3.0, 0.0, 0.0)
    assert kink.file == __file__
    assert kink.line == f.__code__.co_firstlineno + 1


def test_distances_to_kinks_that_are_not_touched():
    def f(x):
        if x < 1.0:
            return x
        return x * x

    (near,) = verdict_of(f)(1.0 + 3 * 2.0**-52).nearest
    assert near.distance == 3 * 2.0**-52
    assert near.ulps == pytest.approx(3.0)
    assert near.place.expression == "x < 1.0"


def test_places_are_found_without_running():
    def f(x, n):
        table = np.array([1.0, 2.0])
        if x == 0.5:
            return x
        while x < 10.0:
            x = x * 2.0
        for _ in range(n):
            x = abs(x - 1.0)
        return x + table[int(x) % 2] + straight_through(lambda y: y // 1.0)(x)

    found = [(k.expression, k.effect) for k in kinks(f, 1.0, 3)]
    assert found[:4] == [("x == 0.5", "jump"), ("x < 10.0", "jump"), ("abs(x - 1.0)", "bend"), ("int(x)", "jump")]
    assert found[-1][1] == "surrogate"
    assert kinks(lambda x, y: abs(y) * x, 1.0, 2.0) == ()
    assert [k.effect for k in kinks(lambda x, y: abs(y) * x, 1.0, 2.0, argnums=1)] == ["bend"]


def test_a_surrogate_is_no_derivative():
    found = verdict_of(lambda x: straight_through(lambda y: y // 1.0)(x) * 2.0)(2.5)
    assert (found.status, found.evidence, found.gradient) == ("incorrect", "stated", 2.0)


def test_what_soft_has_put_in_the_place_of_kinks_is_told():
    found = verdict_of(adcore.soft(lambda x: abs(x), 0.1))(0.0)
    assert (found.status, found.gradient) == ("differentiable", 0.0)
    assert [p.expression for p in found.softened] == ["abs(x)"]
    assert "a surrogate: not the function itself" in str(found)
    assert verdict_of(lambda x: abs(x))(1.0).softened == ()
    cut = verdict_of(adcore.truncate(lambda x, n: halved(x, n), every=2))(0.3, 8)
    assert (cut.status, cut.evidence) == ("incorrect", "stated")


def halved(x, n):
    for _ in range(n):
        x = 0.5 * x * (1.0 - x)
    return x


def test_a_stated_derivative_is_taken_as_stated():
    @adcore.custom_jvp
    def smooth_abs(x):
        return abs(x)

    smooth_abs.defjvp(lambda primals, tangents: (abs(primals[0]), 0.0 * tangents[0]))
    assert verdict_of(lambda x: smooth_abs(x))(0.0).status == "differentiable"


def test_kinks_of_the_condition_of_a_solution_count():
    def solved(x):
        total = 0.0
        for k in range(2):
            total += adcore.root(lambda y, at: y + 0.5 * abs(y) - at, 0.3, x + k)
        return total

    assert verdict_of(solved)(0.0).status == "clarke"
    assert verdict_of(solved)(0.5).status == "differentiable"

    def penalized(penalty):
        target = np.array([3.0, 1.0])
        prox = lambda w, t: prox_lasso(w, penalty, t)  # noqa: E731
        return np.sum(adcore.minimize(lambda w: 0.5 * np.sum((w - target) ** 2), np.zeros(2), prox=prox))

    found = [verdict_of(penalized)(penalty) for penalty in (0.5, 1.0, 2.0)]
    assert [f.status for f in found] == ["differentiable", "clarke", "differentiable"]
    assert [f.gradient for f in found] == pytest.approx([-2.0, -1.5, -1.0])


def test_structures_and_options():
    def f(p, n, *rest, scale=2.0):
        total = 0.0
        for i in range(n):
            total += np.maximum(p["w"][i], p["b"]) * scale
        for r in rest:
            total += abs(r)
        return total, p["w"] * 2.0

    point = {"w": np.array([1.0, 2.0]), "b": 1.0}
    found = verdict_of(f, argnums=(0, 2), has_aux=True)(point, 2, 0.0, 3.0, scale=3.0)
    assert found.value == 12.0
    np.testing.assert_array_equal(found.aux, [2.0, 4.0])
    np.testing.assert_array_equal(found.gradient[0]["w"], [1.5, 3.0])
    assert found.status == "clarke"
    assert len(found.elements) == 4
    assert found.directional(({"w": np.array([1.0, 0.0]), "b": 0.0}, 1.0)) == 4.0
    static = verdict_of(lambda x, n: x * abs(x) ** n, static_argnums=1)
    assert static(2.0, 3).gradient == grad(lambda x, n: x * abs(x) ** n, static_argnums=1)(2.0, 3)
    assert verdict_of(jit(lambda x: abs(x)))(0.0).status == "clarke"
    assert verdict_of(grad(lambda x: abs(x) * x * x))(0.0).status == "differentiable"


def test_single_precision():
    found = verdict_of(lambda x: np.sum(np.abs(x)))(np.zeros(2, np.float32))
    assert found.status == "clarke"
    assert found.gradient.dtype == np.float32
    near = verdict_of(lambda x: np.maximum(x, np.float32(1.0)))(np.nextafter(np.float32(1.0), np.float32(2.0)))
    assert near.nearest[0].ulps == pytest.approx(1.0)


def test_complex_arguments():
    found = verdict_of(lambda z: abs(z) ** 2 + abs(z.real))(1j)
    assert found.status == "clarke"
    assert found.directional(1.0 + 0j) == pytest.approx(1.0)
    assert verdict_of(lambda z: abs(z))(0j).status == "clarke"


def test_functions_without_a_real_number_are_refused():
    with pytest.raises(TypeError, match="verdict: the function must return one real number"):
        verdict_of(lambda x: x)(np.ones(2))
    with pytest.raises(adcore.DtypeError, match="verdict: argument 0"):
        verdict_of(lambda x: x * 1.0)(3)


# What a gradient does at kinks


def test_on_kink():
    def f(x):
        return np.sum(np.abs(x)) + x[0]

    at, away = np.zeros(2), np.array([1.0, -2.0])
    for choice, wanted in (("left", [0.0, -1.0]), ("right", [2.0, 1.0]), ("central", [1.0, 0.0])):
        np.testing.assert_array_equal(grad(f, on_kink=choice)(at), wanted)
        np.testing.assert_array_equal(grad(f, on_kink=choice)(away), [2.0, -1.0])
        value, gradient = value_and_grad(f, on_kink=choice)(at)
        assert value == 0.0
        np.testing.assert_array_equal(gradient, wanted)
    with pytest.raises(NonDifferentiableError, match=r"clarke: .*\n(.*\n)*.*np.abs\(x\)"):
        grad(f, on_kink="raise")(at)
    with pytest.warns(NonDifferentiableWarning, match="np.abs") as caught:
        np.testing.assert_array_equal(grad(f, on_kink="warn")(at), [1.0, 0.0])
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(grad(f, on_kink="warn")(away), [2.0, -1.0])
    result, found = grad(f, on_kink="report")(at)
    np.testing.assert_array_equal(result, [1.0, 0.0])
    assert isinstance(found, Verdict)
    np.testing.assert_array_equal(grad(f, on_kink=lambda v: v.lexicographic())(at), [2.0, 1.0])
    assert grad(relu_pair, on_kink="central")(0.0) == 1.0


def test_on_kink_inside_of_compiled_functions():
    assert jit(lambda x: grad(relu, on_kink="right")(x))(0.0) == 1.0
    assert jit(lambda x: grad(relu, on_kink="left")(x))(0.0) == 0.0
    raising = grad(relu, on_kink="raise")
    with pytest.raises(adcore.UnsupportedFunctionError, match="verdict"):
        jit(lambda x: raising(x))(0.0)
    with pytest.raises(ValueError, match="on_kink='off'"):
        grad(relu, on_kink="off")


# The theorems (Lee, Park and Aiken 2023; Park, Chun and Lee 2024)

MINIFLOATS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


def network(w, x):
    """Two neurons with biases and a linear output: w = (w1, w2, b1, b2, v1, v2)."""
    hidden = np.maximum(w[:2] * x + w[2:4], 0.0)
    return hidden @ w[4:6]


def test_density_of_points_without_a_derivative():
    """All 5⁶ parameters: the non-differentiable share is 0.2944, less than 2 neurons / 5 numbers, and none is wrong."""
    judge = verdict_of(network)
    statuses = {}
    for w in itertools.product(MINIFLOATS, repeat=6):
        touched = [w[k] + w[2 + k] == 0.0 and w[4 + k] != 0.0 for k in range(2)]
        statuses[w] = any(touched)
    density = sum(statuses.values()) / len(statuses)
    assert density == 0.2944
    assert density <= 2 / 5
    rng = np.random.default_rng(1)
    everything = list(statuses)
    for k in rng.choice(len(everything), 150, replace=False):
        w = everything[k]
        found = judge(np.array(w), 1.0)
        assert found.status == ("clarke" if statuses[w] else "differentiable"), (w, str(found))


def test_no_gradient_of_a_network_with_biases_is_wrong():
    """Random networks over a small format, all their kinks written as branches that take one side (theorem 3.2)."""

    def branching(w, b, v, x):
        hidden = relu(w @ x + b)
        return np.sum(v * relu(np.array([hidden[0] + b[0], hidden[1] - hidden[0] + b[1]])))

    judge = verdict_of(branching, argnums=(0, 1, 2))
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(60):
        w, b, v = rng.choice(MINIFLOATS, (2, 2)), rng.choice(MINIFLOATS, 2), rng.choice(MINIFLOATS, 2)
        shared = judge(w, b, v, np.array([0.5, 1.0]))
        seen.add(shared.status)
    assert "clarke" in seen

    def with_biases(w, b, c, v, x):
        hidden = relu(w @ x + b)
        return np.sum(v * relu(np.array([hidden[0], hidden[1] - hidden[0]]) + c))

    judge = verdict_of(with_biases, argnums=(0, 1, 2, 3))
    for _ in range(60):
        w, v = rng.choice(MINIFLOATS, (2, 2)), rng.choice(MINIFLOATS, 2)
        b, c = rng.choice(MINIFLOATS, 2), rng.choice(MINIFLOATS, 2)
        found = judge(w, b, c, v, np.array([0.5, 1.0]))
        assert found.status in ("differentiable", "clarke"), str(found)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_one_side_for_all_kinks_gives_clarke_elements_for_every_batch(share):
    """Theorem 4 of Park, Chun and Lee 2024, by a random search over batches with common kinks."""

    def loss(w, b, v, batch):
        total = 0.0
        for k in range(len(batch)):
            hidden = w * batch[k] + b
            total += v @ (share * np.maximum(hidden, 0.0) + (1.0 - share) * relu(hidden))
        return total

    judge = verdict_of(loss, argnums=(0, 1, 2))
    rng = np.random.default_rng(4)
    statuses = set()
    for _ in range(25):
        w, b, v = (rng.choice(MINIFLOATS, 2) for _ in range(3))
        found = judge(w, b, v, rng.choice(MINIFLOATS, 3))
        statuses.add(found.status)
        assert found.status in ("differentiable", "clarke"), str(found)
    assert "clarke" in statuses


# Conventions that other tools have got wrong


@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [
        (abs, 0.0, 0.0),  # as sign(0)
        (abs, 5e-324, 1.0),  # subnormals are not flushed to zero
        (abs, -5e-324, -1.0),
        (lambda x: np.maximum(x, 0.0), 5e-324, 1.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.maximum(0.0, x), 0.0, 0.5),
        (lambda x: np.minimum(x, 0.0), 0.0, 0.5),
        (lambda x: np.clip(x, 0.0, 1.0), 0.0, 0.5),
        (lambda x: np.logaddexp(x, 0.0), 0.0, 0.5),  # softplus
        (lambda x: np.logaddexp(0.0, x), 0.0, 0.5),
        (lambda x: math.log1p(math.exp(-abs(x))) + np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.max(np.array([x, -x])), 0.0, 0.0),
        (lambda x: np.sinc(x), 0.0, 0.0),
        (lambda x: x**2.0, 0.0, 0.0),
        (lambda x: x**1.0, 0.0, 1.0),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: math.expm1(x), 0.0, 1.0),
        (lambda x: np.tanh(x), 0.0, 1.0),
        (lambda x: np.sqrt(x * x + 5e-324), 0.0, 0.0),
    ],
)
def test_conventions(f, x, wanted):
    function = lambda x: f(x)  # noqa: E731
    assert grad(function)(x) == wanted
    found = verdict_of(function)(x)
    assert found.status in ("differentiable", "clarke"), str(found)

"""Certificates: what is proven of functions on boxes is so at the points of these."""

from __future__ import annotations

import doctest
import math
from pathlib import Path

import numpy as np
import pytest

from adcore import DtypeError, MissingRuleError, certify, grad, hessian, jacobian


def smooth(x):
    return math.sin(x) * math.exp(-x * x) + math.log(x + 3.0)


def kinked(x):
    return abs(x - 1.0) * x


def branching(x):
    if x[0] > 0.0:
        return np.sum(np.sqrt(x[0]) * x)
    return np.sum(x * x)


def recurrence(x):
    y = np.zeros(5)
    y[0] = x[0]
    for k in range(1, 5):
        y[k] = np.tanh(y[k - 1] * x[1]) + x[0]
    return np.sum(y * y)


def network(x):
    weights = np.array([[0.3, -0.7], [1.1, 0.4], [-0.2, 0.9]])
    return np.sum(np.maximum(weights @ x + 0.1, 0.0) ** 2)


def parted(x):
    if x[0] + x[1] > 0.25:
        return x[0] * x[1]
    return x[0] - x[1]


def ramps(x):
    return np.sum(np.maximum(x * np.array([1.0, 2.0]), 0.7)) * x[0]


def stepping(x):
    height, velocity = x, 0.0
    for _ in range(6):
        velocity = velocity - 1.3
        height = height + 0.11 * velocity
        if height < 0.0:
            height, velocity = -0.7 * height, -0.7 * velocity
    return height


def newton(a):
    x = a
    for _ in range(6):
        x = 0.5 * (x + a / x)
    return x


def converging(a):
    x = a
    while abs(x - 0.5) > 1e-3:
        x = 0.5 * (x + 0.5)
    return x


def bell(x):
    return math.erf(x) + np.max(np.array([x, 3.0]))


SMOOTH = [
    (smooth, 0.1, 0.3),
    (kinked, 1.1, 1.2),
    (branching, np.array([0.5, -1.0]), np.array([0.6, 1.0])),
    (branching, np.array([-0.6, -1.0]), np.array([-0.5, 1.0])),
    (recurrence, np.array([0.1, 0.2]), np.array([0.3, 0.5])),
    (network, np.array([0.5, 0.1]), np.array([0.6, 0.2])),
    (newton, 2.0, 2.1),
    (bell, -0.2, 0.3),
]


@pytest.mark.parametrize("domain", ["interval", "zonotope"])
@pytest.mark.parametrize(("f", "lower", "upper"), SMOOTH)
def test_enclosures_hold_values_and_derivatives(f, lower, upper, domain):
    found = certify(f, lower, upper, hessian=True, domain=domain)
    assert found.status == "differentiable"
    assert found.undecided == ()
    assert found.share == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    first, second = grad(f), hessian(f)
    for _ in range(30):
        x = lower + (upper - lower) * rng.uniform(size=np.shape(lower))
        x = float(x) if isinstance(lower, float) else x
        assert f(x) in found.value
        assert first(x) in found.gradient
        assert second(x) in found.hessian


@pytest.mark.parametrize(
    ("f", "lower", "upper", "word", "status"),
    [
        (kinked, 0.0, 3.0, "abs", "not differentiable"),
        (branching, np.array([-1.0, 0.0]), np.array([1.0, 1.0]), "gt", "undecided"),
        (network, -np.ones(2), np.ones(2), "maximum", "undecided"),  # a square of the ramp, which is differentiable
        (parted, -np.ones(2), np.ones(2), "gt", "not differentiable"),
        (ramps, np.zeros(2), np.ones(2), "maximum", "not differentiable"),
        (lambda x: np.floor(x) + x, 0.5, 1.5, "floor", "not differentiable"),
        (lambda x: np.max(np.array([x, 1.0 - x])), 0.0, 1.0, "reduce_max", "undecided"),
        (lambda x: abs(x - 1.0) ** 2, 0.0, 3.0, "abs", "undecided"),
        (lambda x: x * 2.0 if x > 0.5 else x + x, 0.0, 1.0, "gt", "undecided"),
        (stepping, 0.2, 0.9, "lt", "not differentiable"),
        (lambda x: abs(abs(x - 1.0) - 0.5), 1.2, 1.7, "abs", "not differentiable"),
        (lambda x: x - np.fmod(x, 1.0), 0.5, 1.5, "fmod", "not differentiable"),
    ],
)
def test_where_a_kink_lies(f, lower, upper, word, status):
    found = certify(f, lower, upper, budget=100)
    assert found.status == status
    assert bool(found.refutation) is (status == "not differentiable")
    assert word in found.refutation or status == "undecided"
    assert word in {r.primitive for r in found.reasons}
    assert found.examined <= 100
    assert 0.5 < found.share < 1.0
    assert word in str(found)
    assert "test_certify.py" in str(found)


def test_the_undecided_part_is_a_sliver_around_the_kink():
    found = certify(kinked, 0.0, 3.0, budget=90)
    assert all(box.lower <= 1.0 + 1e-6 and box.upper >= 1.0 - 1e-6 for box in found.undecided)
    assert sum(box.upper - box.lower for box in found.undecided) < 1e-6
    assert found.share > 0.999999


def dependent(x):
    return x[0] * (1.0 - x[0]) + (x[0] + x[1]) - x[0] + np.exp(x[1]) - x[1]


def crossing(x):
    return abs(x[0] - x[1] * x[0] - 0.4)


def test_zonotopes_know_what_depends_on_what():
    low, high = np.array([0.4, 0.1]), np.array([0.5, 0.2])
    widths = [certify(dependent, low, high, domain=d).value.width for d in ("interval", "zonotope")]
    assert widths[1] < 0.4 * widths[0]
    shares = [
        certify(lambda x: abs(x[0] - x[1] * x[0] - 0.5), low, high, 30, domain=d).share
        for d in ("interval", "zonotope")
    ]
    assert shares[1] >= shares[0]


def test_zonotopes_of_single_precision():
    low, high = np.float32([0.1, 0.2]), np.float32([0.15, 0.3])
    found = certify(recurrence_of_any, low, high, domain="zonotope")
    slope = grad(recurrence_of_any)
    for share in np.linspace(0.0, 1.0, 11, dtype=np.float32):
        x = low + share * (high - low)
        assert recurrence_of_any(x) in found.value
        assert slope(x) in found.gradient


def test_whole_numbers_are_told_exactly():
    def f(x):
        return np.floor(x) * x + np.rint(x) + x % 1.0

    assert certify(f, 0.2, 0.4).status == "differentiable"
    assert certify(lambda x: np.floor(x) * x, 0.4, 0.6).status == "differentiable"
    assert certify(lambda x: np.rint(x) * x, 0.9, 1.1).status == "differentiable"


def test_constants_have_no_kinks():
    zero = np.zeros(3)
    assert certify(lambda x: x * np.sum(np.abs(zero)) + x, -1.0, 1.0).status == "differentiable"

    def padded(x):
        a = np.zeros(4)
        a[1] = x
        return np.sum(np.maximum(a, 0.0))

    assert certify(padded, 1.0, 2.0).status == "differentiable"


def test_where_it_is_not_defined():
    found = certify(lambda x: math.log(x - 2.0), 0.0, 1.0)
    assert found.status == "not differentiable"
    assert found.refutation
    assert certify(lambda x: np.log(x), -1.0, 1.0).status == "not differentiable"
    guarded = certify(lambda x: np.where(x > 0.0, np.log(np.maximum(x, 0.1)), x), -2.0, -1.0)
    assert guarded.status == "differentiable"


def drifting(x):
    """A loop of which the states between others, when it may end, go on to where no state has been."""
    y, n = x, 0
    while y < 1.0 and n < 40:
        y = y * 2.0 if y > 0.5 else 3.0 * y - y * y
        n += 1
    return y + n


def indexed(x):
    a = np.array([0.5, 2.0, 3.0])
    return a[int(x)] * x


def asserting(x):
    if x > 0.5:
        raise ValueError("too large")
    return x * x


@pytest.mark.parametrize(("f", "lower", "upper"), [(drifting, 0.05, 0.9), (indexed, 0.2, 2.8), (converging, 0.51, 4.0)])
@pytest.mark.parametrize("budget", [1, 30])
def test_values_on_undecided_boxes(f, lower, upper, budget):
    found = certify(f, lower, upper, budget)
    assert found.status != "differentiable"
    if found.value is not None:
        assert all(f(float(x)) in found.value for x in np.linspace(lower, upper, 200))


def test_errors_that_are_raised():
    found = certify(asserting, 0.6, 0.9)
    assert found.status == "not differentiable"
    assert "ValueError is raised" in found.refutation
    assert certify(asserting, 0.1, 0.4).status == "differentiable"
    assert certify(asserting, 0.1, 0.9, budget=20).status == "not differentiable"
    assert certify(indexed, 3.5, 3.9).status == "not differentiable"
    assert certify(indexed, 1.2, 1.9).status == "differentiable"


def test_loops_whose_end_is_not_known():
    found = certify(converging, 0.6, 0.9, budget=40)
    assert found.status == "undecided"
    for x in np.linspace(0.6, 0.9, 20):
        assert converging(float(x)) in found.value


def test_structures_and_several_arguments():
    def f(parts, n):
        return parts["a"] * np.sum(parts["b"]) ** n

    low, high = {"a": 1.0, "b": np.ones(2)}, {"a": 1.1, "b": 1.2 * np.ones(2)}
    found = certify(f, (low, 2), (high, 2))
    assert found.status == "differentiable"
    assert set(found.gradient.lower[0]) == {"a", "b"}
    assert grad(f)(low, 2) in type(found.gradient)(found.gradient.lower[0], found.gradient.upper[0])


def test_functions_with_several_results():
    def f(x):
        return np.array([x[0] * x[1], np.exp(x[0])])

    low, high = np.array([0.0, 1.0]), np.array([0.1, 1.1])
    found = certify(f, low, high)
    assert jacobian(f)(low) in found.gradient
    assert f(high) in found.value


def test_single_precision():
    low, high = np.float32([0.1, 0.2]), np.float32([0.15, 0.3])
    found = certify(recurrence_of_any, low, high)
    assert found.status == "differentiable"
    assert grad(recurrence_of_any)(low) in found.gradient
    assert found.gradient.lower.dtype == np.float32


def recurrence_of_any(x):
    y = x[0]
    for _ in range(4):
        y = np.tanh(y * x[1]) + x[0]
    return y


def test_a_finer_budget_narrows():
    widths = [certify(kinked, 0.0, 3.0, budget=n).gradient.width for n in (1, 10, 60)]
    assert widths == sorted(widths, reverse=True)


def test_refusals():
    with pytest.raises(MissingRuleError, match="enclosure of"):
        certify(lambda a: np.linalg.det(a), np.eye(2), 2.0 * np.eye(2))
    with pytest.raises(DtypeError, match="same number at both corners"):
        certify(kinked, 0, 1)
    with pytest.raises(DtypeError, match="complex"):
        certify(lambda z: abs(z), 1j, 2j)
    with pytest.raises(ValueError, match="above the upper"):
        certify(kinked, 1.0, 0.0)
    with pytest.raises(ValueError, match="not finite"):
        certify(kinked, 1.0, math.inf)
    with pytest.raises(ValueError, match="zonotope"):
        certify(kinked, 0.0, 1.0, domain="polyhedron")
    with pytest.raises(ValueError, match="budget"):
        certify(kinked, 0.0, 1.0, budget=0)
    with pytest.raises(TypeError, match="structures"):
        certify(network, (np.ones(2), 1.0), (np.ones(2),))


def test_progress(capsys):
    pytest.importorskip("rich")
    certify(kinked, 0.0, 3.0, budget=10, progress=True)
    assert "decided" in capsys.readouterr().out


def test_documentation():
    path = Path(__file__).parents[2] / "docs" / "certify.md"
    results = doctest.testfile(str(path), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0

"""`soft`: limits over the table, exact derivatives, probabilities through logic and control flow, nesting, refusals."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from functions import EXAMPLES
from numpy.testing import assert_allclose
from test_derivatives import active

import adcore
from adcore import (
    UnsupportedFunctionError,
    check_grads,
    custom_jvp,
    grad,
    hessian,
    jit,
    jvp,
    soft,
    stop_gradient,
    straight_through,
    surrogate_report,
    vmap,
)
from adcore.builder import Builder
from adcore.plugins import backend
from adcore.primitives import TABLE
from adcore.primitives.base import Primitive
from adcore.primitives.kinks import Effect, Kink, pointwise_kinks
from adcore.program import Program
from adcore.relaxations import KERNELS
from adcore.softening import softened
from adcore.softening.rows import KEPT_KINKS, RULES, SMOOTH
from adcore.softening.values import Options
from adcore.trees import leaves
from adcore.types import Var, f64
from adcore.verify import verify

X = np.array([1.0, 2.5, 3.1, -0.3])

# The table


def kinky():
    return [r for r in TABLE if any(k.effect is not Effect.EDGE for k in r.kinks)]


@pytest.mark.parametrize("row", kinky(), ids=lambda r: r.name)
def test_every_row_with_a_kink_is_smoothed_or_says_that_it_is_not(row):
    assert (row.name in RULES) != (row.name in KEPT_KINKS)


def of_row(row, count, options, length=6):
    params = tuple(Var(f64(length), f"x{k}") for k in range(count))
    b = Builder()
    program = Program(params, b.equations, (b.emit(row, params, {}),), row.name)
    made = softened(program, params, options)
    verify(made)
    return made


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", SMOOTH)
def test_rows_tend_to_themselves(name, kernel):
    row = TABLE[name]
    intervals = row.sampler.intervals
    rng = np.random.default_rng(len(name))
    operands = [rng.uniform(*interval, size=6) for interval in intervals]
    exact = row.meaning(*operands)
    errors = []
    for tau in (1e-3, 1e-6):
        (found,) = backend("numpy").compile(of_row(row, len(operands), Options(tau, kernel, "cauchy")))(*operands)
        errors.append(np.max(np.abs(found - exact)))
    assert errors[0] < 0.05
    assert errors[1] < 5e-5


def test_a_row_with_pieces_alone_is_what_they_are_by_probability():
    kink = Kink("x = 0", Effect.BEND, lambda b, x, z: x, lambda b, x, z: b.neg(x), lambda b, x, z: b.mul(2.0, x))
    known = TABLE["abs"]
    row = Primitive(
        "tilted", known.kind, known.typing, lambda x: np.where(x < 0, -x, 2 * x), known.maps, pointwise_kinks(kink)
    )
    x = np.linspace(-2.0, 2.0, 6)
    (found,) = backend("numpy").compile(of_row_without_itself(row))(x)
    p = 1.0 / (1.0 + np.exp(-x / 0.5))
    assert_allclose(found, p * 2.0 * x - (1.0 - p) * x, rtol=1e-14)


def of_row_without_itself(row):
    from adcore.passes.dce import eliminate_dead

    return eliminate_dead(of_row(row, 1, Options(0.5, "logistic", "cauchy")))


# Programs


def branch(x):
    y = x * x
    if x > 0.7:
        y = x * 2
    return y


def nested(x):
    if x > 0.0 and x < 2.0:
        if x > 1.0:
            return x * x
        return math.sin(x)
    if not x > -1.0:
        return math.exp(x)
    return 0.5


def counted(x):
    count = 0
    for i in range(len(x)):
        if x[i] > 0:
            count += 1
    return count


def best(x):
    largest, place = x[0], 0
    for i in range(1, len(x)):
        if x[i] > largest:
            largest, place = x[i], i
    return largest + 0.1 * place


def seen(x):
    found = False
    for i in range(len(x)):
        if x[i] > 3.0:
            found = True
    return 2.0 if found else 1.0


def recurrent(x):
    y = x
    for _ in range(5):
        y = y * 0.5 if y > 1.0 else 1.7 * y
    return y


def written(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > 0.0:
            out[i] = x[i] ** 2
        else:
            out[len(x) - 1 - i] += x[i]
    return out


def written_in_one(x):
    out = np.full(len(x), math.inf)
    for i in range(len(x)):
        out[i] = -1.0
        if x[i] > 0.4:
            out[i] = math.log(1.5 + x[i])
    return out


def written_in_both(x):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > 0.4:
            out[i] = x[i] ** 2
        else:
            out[i] = -math.exp(x[i])
    return out


def rows_written(x):
    out = np.ones((len(x), 2))
    for i in range(len(x)):
        if x[i] > 0.4:
            out[i] = x[:2] * x[i]
        if x[i] > 1.2:
            out[-1, 0] = x[i]
    return out


def histogram(x):
    counts = np.zeros(3, int)
    flags = np.zeros(3, bool)
    for i in range(len(x)):
        if x[i] > 2.0:
            counts[2] += 1
            flags[-1] = True
        elif x[i] > 0.3:
            counts[1] += 1
        else:
            counts[0] += 1
    return counts + 0.5 * flags


def key_values(x):
    return np.cumsum(X)[np.argsort(x)]


def row_of_matrix(x):
    return x.reshape(2, 2)[0, np.argmin(x.reshape(2, 2)[1])]


def inverse(x):
    ranks = np.zeros(len(x))
    ranks[np.argsort(x)] = np.arange(len(x))
    return ranks


NUMBERS = {
    "branch": branch,
    "nested": nested,
    "recurrent": recurrent,
    "floor": lambda x: math.floor(x),
    "int": lambda x: int(x),
    "round": lambda x: round(x) + x,
    "max": lambda x: max(x, 2.0),
    "min": lambda x: min(x * x, 2.0, x + 1.0),
    "abs": lambda x: abs(x - 1.0),
    "complex": lambda x: abs(x * 1j + 1),
    "and": lambda x: x > 0 and x < 1,
    "not": lambda x: -x if not (x > 2 or x < -5) else x,
    "mod": lambda x: x % 1.0 + x // 0.7,
    "angle": lambda x: math.atan2(x, -1.0),
    "whole": lambda x: int(np.floor(x)) * 2 - round(x),
    "copysign": lambda x: math.copysign(2.0, x),
    "bool": lambda x: bool(x > 1.0) == (x < 2.0),
    "count": lambda x: (1 if x > 0.5 else 0) + (1 if x > 1.0 else 0) >= 2,
}
ARRAYS = {
    "counted": counted,
    "best": best,
    "seen": seen,
    "written": written,
    "written in one": written_in_one,
    "written in both": written_in_both,
    "rows written": rows_written,
    "histogram": histogram,
    "key_values": key_values,
    "row_of_matrix": row_of_matrix,
    "inverse": inverse,
    "sort": lambda x: np.sort(x),
    "sort axis": lambda x: np.sort(x.reshape(2, 2), axis=0),
    "argmax": lambda x: np.argmax(x),
    "argmax axis": lambda x: np.argmax(x.reshape(2, 2), axis=1),
    "argmin": lambda x: np.argmin(x) * 1.5,
    "at argmax": lambda x: x[np.argmax(x)] + x[-1 - np.argmax(x)],
    "argmax is": lambda x: np.argmax(x) == 2,
    "rank": lambda x: np.argsort(np.argsort(x)),
    "sum": lambda x: np.sum(x > 0),
    "count": lambda x: np.count_nonzero(x > 0) > 2,
    "any": lambda x: np.any(x > 2.7),
    "all": lambda x: np.all(x > -1.0),
    "where": lambda x: np.where((x > 0) & ~(x > 2), x, 0.0),
    "where xor": lambda x: np.where((x > 0) ^ (x > 2), x * x, np.cos(x)),
    "heaviside": lambda x: np.heaviside(x - 0.6, 0.5),
    "max": lambda x: np.max(x) - np.min(x.reshape(2, 2), axis=1),
    "clip": lambda x: np.clip(x, 0, 2),
    "median": lambda x: np.median(x),
    "percentile": lambda x: np.percentile(x, 30),
    "partition": lambda x: np.partition(x, 2)[2],
    "round": lambda x: np.round(x - 0.13, 1),
    "sign": lambda x: np.sign(x - 0.4),
    "hypot": lambda x: np.hypot(x, 1.0),
    "relu": lambda x: np.maximum(x - 0.2, 0.0) @ np.arange(4.0),
    "top": lambda x: np.sort(x)[-2:],
    "prod": lambda x: np.prod(np.abs(x)),
}
SORTING = {"key_values", "inverse", "sort", "sort axis", "rank", "median", "percentile", "partition", "top"}
ORDERS = [(f, (1.3,), 2) for f in NUMBERS.values()]
ORDERS += [(f, (X,), 1 if name in SORTING else 2) for name, f in ARRAYS.items()]
EVERY = [pytest.param(f, (1.3,), id=name) for name, f in NUMBERS.items()]
EVERY += [pytest.param(f, (X,), id=name) for name, f in ARRAYS.items()]


@pytest.mark.parametrize(("f", "arguments"), EVERY)
def test_functions_tend_to_themselves(f, arguments):
    exact = np.asarray(jit(f)(*arguments), float)
    errors = [np.max(np.abs(soft(f, tau)(*arguments) - exact)) for tau in (1e-3, 1e-5)]
    assert errors[0] < 0.1
    assert errors[1] < 1e-3


@pytest.mark.parametrize(("f", "arguments", "order"), ORDERS, ids=[*NUMBERS, *ARRAYS])
def test_derivatives_are_those_of_the_smooth_function(f, arguments, order):
    g = soft(f, 0.3)
    verify(adcore.program(g, *arguments))
    check_grads(g, arguments, order=order, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["branch", "nested", "recurrent", "max", "mod", "not"])
def test_vmap_inside_and_outside(name):
    f, x = NUMBERS[name], np.linspace(-2.2, 2.7, 9)
    one = [soft(f, 0.2)(v) for v in x]
    assert_allclose(vmap(soft(f, 0.2))(x), one, rtol=1e-12)
    assert_allclose(soft(vmap(f), 0.2)(x), one, rtol=1e-12)
    slopes = [grad(soft(f, 0.2))(v) for v in x]
    assert_allclose(vmap(grad(soft(f, 0.2)))(x), slopes, rtol=1e-10)


def test_inside_of_compiled_functions():
    def loss(x, threshold):
        return soft(lambda y: np.sum(y > threshold), 0.5)(x * x)

    x = np.array([0.3, -1.2])
    check_grads(loss, (x, 0.4), order=2, rtol=1e-4)
    p = 1.0 / (1.0 + np.exp(-(x * x - 0.4) / 0.5))
    assert_allclose(jit(loss)(x, 0.4), np.sum(p), rtol=1e-13)
    assert_allclose(grad(loss, 1)(x, 0.4), -np.sum(p * (1.0 - p)) / 0.5, rtol=1e-12)


def test_a_softened_gradient():
    slope = soft(grad(lambda x: abs(x) + max(x, 1.0)), 0.1)
    assert_allclose(slope(0.0), 1.0 / (1.0 + math.exp(10.0)), atol=1e-12)
    check_grads(slope, (0.93,), rtol=1e-4)
    assert_allclose(hessian(soft(lambda x: abs(x), 0.1, "algebraic"))(0.0), 10.0)


def test_float32_stays_float32():
    x = X.astype(np.float32)
    for f in (lambda x: np.sort(x), lambda x: np.where(x > 1, x, 0 * x), lambda x: np.max(np.abs(x)), lambda x: x > 1):
        found = soft(f, 0.2)(x)
        assert found.dtype == np.float32
        assert_allclose(found, soft(f, 0.2)(X), rtol=1e-4, atol=1e-5)


def test_structures_and_defaults():
    @soft(tau=0.2)
    def f(x, *, scale=2.0):
        return {"hit": x["a"] > 0.0, "n": len(x["b"]), "name": "f", "max": max(x["a"] * scale, 0.0)}

    found = f({"a": 0.0, "b": X}, scale=3.0)
    assert (found["hit"], found["n"], found["name"]) == (0.5, 4, "f")
    assert_allclose(found["max"], 0.2 * math.log(2.0))


def test_what_is_closed_over_and_integers_stay_as_they_are():
    limit, table = 0.5, np.array([3.0, 1.0, 2.0])

    def f(x, n):
        y = np.sort(table)[n] if n > 1 else -1.0
        return x * y if limit > 0.2 else x

    assert soft(f, 1.0)(2.0, 2) == 6.0
    assert not surrogate_report(soft(f, 1.0), 2.0, 2)


def test_arguments_are_left_alone():
    def f(x):
        x[0] = 1.0 if x[1] > 0.0 else 2.0
        return x[0]

    x = X.copy()
    assert 1.0 <= soft(f, 0.1)(x) < 1.01
    assert_allclose(x, X)


# Branches that cannot be run


def logarithm(x):
    if x > 0.0:
        return math.log(x)
    return 0.0


def item(x, i):
    if x > 0.0:
        return X[i] * x
    return 0.0


def test_a_branch_without_a_value():
    g = soft(logarithm, 0.01)
    assert_allclose(g(1.0), 0.0, atol=1e-12)
    assert g(-10.0) == 0.0
    assert grad(g)(-10.0) == 0.0
    with pytest.raises(ValueError, match=r"domain error \(soft runs both branches of the condition in line") as error:
        g(-0.05)
    assert error.traceback[-1].name == "logarithm"


def test_an_index_in_a_branch():
    g = soft(item, 0.01)
    assert_allclose(g(2.0, 1), 5.0)
    assert g(-10.0, 7) == 0.0
    with pytest.raises(IndexError, match="soft runs both branches"):
        g(-0.01, 7)


def test_what_is_not_selected_need_not_have_a_value():
    x = np.array([-1000.0, 1.0, 4.0])
    with np.errstate(invalid="ignore"):
        assert_allclose(soft(lambda x: np.where(x > 0, np.sqrt(x), 0.0), 0.01)(x), [0.0, 1.0, 2.0])


@pytest.mark.parametrize("kernel", KERNELS)
def test_infinities(kernel):
    x = np.array([math.inf, -math.inf, math.inf, 1.0, -math.inf])
    y = np.array([math.inf, -math.inf, 2.0, math.inf, 3.0])
    for f in (np.maximum, np.minimum):
        g = soft(lambda x, y, f=f: f(x, y), 0.1, kernel)
        assert_allclose(g(x, y), f(x, y))
        slopes = grad(lambda x, y, g=g, f=f: np.sum(np.where(np.isfinite(f(x, y)), g(x, y), 0.0)), (0, 1))(x, y)
        assert np.all(np.isfinite(slopes))
    assert_allclose(soft(lambda x, y: x > y, 0.1, kernel)(x, y), [0.5, 0.5, 1.0, 0.0, 0.0])


SOME = [e for k, e in enumerate(EXAMPLES) if k % 4 == 0 or e.name in ("dynamic_time_warping", "heapsort")]


@pytest.mark.parametrize("example", SOME, ids=lambda e: e.name)
def test_examples_at_a_low_temperature(example):
    """What is not refused, with its line, tends to itself, and its gradient too, away from kinks."""
    g, wrt = soft(example.function, 1e-7), active(example)
    try:
        found = g(*copy.deepcopy(example.arguments))
    except UnsupportedFunctionError as refused:
        found, message = None, str(refused)
        assert example.function.__code__.co_filename in message
    if found is None:
        return
    exact = jit(example.function)(*copy.deepcopy(example.arguments))
    assert_allclose(found, exact, rtol=1e-4, atol=1e-4)
    slopes = grad(g, argnums=wrt)(*copy.deepcopy(example.arguments)) if wrt else ()
    expected = grad(example.function, argnums=wrt)(*copy.deepcopy(example.arguments)) if wrt else ()
    for one, other in zip(leaves(slopes), leaves(expected), strict=True):
        if other is not None:
            assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_writes_in_branches_keep_elements_not_arrays():
    for f in (written_in_one, written_in_both):
        g = grad(soft(lambda x, f=f: np.sum(f(x)), 0.1))
        small, large = (adcore.memory(g, np.linspace(0.0, 1.0, n)).total for n in (100, 1000))
        assert large < 15 * small


# Refusals


def newton(x):
    y = 1.0
    while abs(y * y - x) > 1e-3:
        y = 0.5 * (y + x / y)
    return y


def patient(x):
    y = 1.0
    while stop_gradient(abs(y * y - x)) > 1e-3:
        y = 0.5 * (y + x / y)
    return y


@custom_jvp
def powered(x, n):
    return x**n


@powered.defjvp
def powered_jvp(primals, tangents):
    (x, n), (t, _) = primals, tangents
    return x**n, n * x ** (n - 1) * t


def drawn(x, rng):
    if x > 0.0:
        return rng.normal()
    return 0.0


def chosen(x):
    found = []
    for value in (x, x + 1.0):
        if value > 3.0:
            found.append(value)
    return found


REFUSED = {
    "how often a loop runs": [newton, lambda x: sum(x for _ in range(int(x)))],
    "an index": [lambda x: X[int(x)], lambda x: np.interp(x, np.arange(4.0), X)],
    "length|how often|index": [lambda x: np.sum(X[x < X]), lambda x: np.zeros(int(x))],
    "stated derivative": [lambda x: powered(x, int(x))],
    "no smooth form": [lambda x: int(x) << 1],
}


@pytest.mark.parametrize(("message", "f"), [(m, f) for m, fs in REFUSED.items() for f in fs])
def test_refusals_name_the_line(message, f):
    with pytest.raises(UnsupportedFunctionError, match=message) as error:
        soft(f, 0.1)(2.5)
    assert "test_soft.py" in str(error.value)


def test_what_is_drawn_does_not_depend_on_the_arguments():
    with pytest.raises(UnsupportedFunctionError, match="what is drawn from a random generator depends"):
        soft(drawn, 0.1)(0.3, np.random.default_rng(0))
    found = soft(lambda x, rng: x > rng.normal(), 0.1)(0.3, np.random.default_rng(0))
    assert_allclose(found, 1.0 / (1.0 + np.exp((np.random.default_rng(0).normal() - 0.3) / 0.1)), rtol=1e-12)
    with pytest.raises(UnsupportedFunctionError, match="length"):
        soft(chosen, 0.1)(2.5)


def test_stop_gradient_keeps_decisions():
    assert_allclose(soft(patient, 0.1)(4.0), 2.0, atol=1e-3)
    assert_allclose(grad(soft(patient, 0.1))(4.0), 0.25, atol=1e-2)
    kept = soft(lambda x: x if stop_gradient(x) > 0.0 else -x, 0.1)
    assert kept(0.01) == 0.01
    assert_allclose(soft(lambda x: X[int(stop_gradient(x))] * x, 0.1)(1.5), 3.75)


@pytest.mark.parametrize("wrong", [{"tau": 0.0}, {"tau": -1.0}, {"tau": math.nan}, {"kernel": "box"}, {"swap": "best"}])
def test_wrong_options(wrong):
    with pytest.raises(ValueError, match=f"soft: {next(iter(wrong))}"):
        soft(lambda x: x, **wrong)


# The report


def labelled(x):
    y = np.floor(x)
    if y > 1.0:
        y = abs(y)
    return y + straight_through(np.floor)(x) + stop_gradient(x) * (1.0 if x == 2.0 else 3.0)


def test_the_report_has_every_line():
    found = surrogate_report(soft(labelled, 0.1), 1.3)
    first = labelled.__code__.co_firstlineno
    lines = {(each.name, each.source.line - first, each.exact) for each in found}
    assert {("floor", 1, False), ("gt", 2, False), ("abs", 3, False), ("eq", 4, False)} <= lines
    assert {("floor", 4, True), ("stop_gradient", 4, True)} <= lines
    text = str(found)
    assert text.startswith("surrogate: not the derivative\n")
    assert "value exact, derivative of the identity" in text
    assert "⌊x + noise⌋ with a Cauchy noise as steep as the logistic one of width 0.1" in text


@pytest.mark.parametrize("transform", [grad, jit, vmap, hessian])
def test_the_report_goes_through_transforms(transform):
    x = np.array([1.3, 0.2]) if transform is vmap else 1.3
    found = surrogate_report(transform(soft(lambda x: abs(x) if x > 1.0 else x * x, 0.1)), x)
    assert "gt" in {each.name for each in found}


def test_no_surrogates():
    found = surrogate_report(grad(lambda x: abs(x)), 1.0)
    assert (bool(found), len(found)) == (False, 0)
    assert "no surrogates" in str(found)


def test_forward_mode():
    x, v = X, np.array([1.0, -1.0, 0.5, 2.0])
    f = soft(lambda x: np.sort(x) * np.arange(4.0), 0.3)
    value, tangent = jvp(f, (x,), (v,))
    ends = (f(x + 1e-6 * v) - f(x - 1e-6 * v)) / 2e-6
    assert_allclose(value, f(x))
    assert_allclose(tangent, ends, rtol=1e-6, atol=1e-8)


# Other surrogates


def test_straight_through_with_a_surrogate():
    f = straight_through(np.sign, np.tanh)
    assert_allclose(f(X), np.sign(X))
    assert_allclose(grad(lambda x: np.sum(f(x) * X))(X), X / np.cosh(X) ** 2, rtol=1e-12)
    assert_allclose(hessian(lambda x: f(x))(0.5), -2.0 * math.tanh(0.5) / math.cosh(0.5) ** 2, rtol=1e-12)
    (found,) = surrogate_report(lambda x: f(x) * 2.0, X)
    assert (found.name, found.instead, found.exact) == ("sign", "tanh", True)

    def quantized(x, step):
        return np.floor(x / step) * step

    g = straight_through(quantized, lambda x, step: x - step / 2.0)
    assert g(1.3, 0.5) == 1.0
    assert grad(g, (0, 1))(1.3, 0.5) == (1.0, -0.5)
    assert_allclose(vmap(grad(g), (0, None))(X, 0.5), np.ones(4))


def test_stated_derivatives_say_that_they_are_surrogates():
    @custom_jvp(surrogate="a triangular window")
    def spike(x):
        return np.where(x > 0.0, 1.0, 0.0)

    @spike.defjvp
    def spike_jvp(primals, tangents):
        (x,), (t,) = primals, tangents
        return spike(x), np.maximum(0.0, 1.0 - np.abs(x)) * t

    @adcore.custom_vjp(surrogate="a clipped one")
    def clipped(x):
        return x

    clipped.defvjp(lambda x: (x, ()), lambda _, g: (min(g, 1.0),))

    @adcore.custom_rule(surrogate="a scaled one")
    def scaled(x):
        return x, lambda t: 0.5 * t

    assert grad(spike)(0.25) == 0.75
    found = surrogate_report(lambda x: spike(x) + clipped(x) + scaled(x), 0.25)
    assert {(each.name, each.instead) for each in found} == {
        ("spike", "a triangular window"),
        ("clipped", "a clipped one"),
        ("scaled", "a scaled one"),
    }
    assert all(each.exact and each.source is not None for each in found)
    assert not surrogate_report(lambda x: powered(x, 2), 0.25)

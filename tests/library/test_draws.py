"""Draws from `numpy.random.Generator`: NumPy's numbers, NumPy's state after the call, derivatives to the parameters."""

from __future__ import annotations

import copy
import linecache
import math
import threading
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import special

from adcore import (
    AliasError,
    DtypeError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
    checkpoint,
    dispatch,
    grad,
    jit,
    jvp,
    loop_policy,
    plugins,
    value_and_grad,
    vjp,
)

SINGLE = "dtype=np.float32"
EXACT = [
    *(
        "random()",
        "random(7)",
        "random((2, 3))",
        "random([2, 3])",
        "random(size=())",
        "normal(0.0, 1.0, ())",
        "integers(9, size=())",
        "poisson(3.0, ())",
        "random(0)",
        "random(None)",
    ),
    *(f"random({SINGLE})", f"random(5, {SINGLE})", f"random((2, 3), {SINGLE})"),
    *("standard_normal()", "standard_normal(3000)", f"standard_normal({SINGLE})", f"standard_normal(4000, {SINGLE})"),
    *("standard_exponential()", "standard_exponential(3000)", f"standard_exponential({SINGLE})"),
    *(f"standard_exponential(4000, {SINGLE})", "standard_exponential(9, method='inv')", "standard_cauchy(9)"),
    *("uniform()", "uniform(-1, 2.5)", "uniform(-1, 2.5, 4)", "uniform(np.zeros(3), np.ones((2, 3)))"),
    *("uniform(high=[1.0, 2.0], size=(3, 2))", "normal()", "normal(1.5, 2)", "normal(1.5, 2.0, (2, 2))"),
    *("normal(np.arange(3.0), [[1.0], [2.0]])", "normal(np.zeros(3), 1.0, (2, 3))", "normal(scale=0.0, size=3)"),
    *("normal(np.float32(0.1), np.ones(2, np.float32))", "normal(size=(2, 0))", "exponential(2.0, 6)"),
    *("exponential([1.0, 2.0])", "laplace(0.5, 2.0, 50)", "logistic(size=50)", "gumbel(1.0, 2.0, 50)", "gumbel()"),
    *("triangular(0.0, 1.0, 3.0, 60)", "triangular(0.0, 0.0, 1.0, 9)", "triangular([0.0, 1.0], 1.0, 2.0)"),
    *("weibull([0.0, 1.0], (3, 2))", "weibull(0.0)", "standard_gamma(2.5)", "standard_gamma(2.5, 300)"),
    *("standard_gamma([1.0, 0.0, 4.0])", "gamma(2.0, 3.0, 20)", "gamma([2.0, 4.5], [[3.0], [2.0]])"),
    *("chisquare(3.0, 50)", "beta(2.0, 3.0, 50)", "f(3.0, 4.0, 20)", "standard_t(5.0, 20)", "standard_t(5.0)"),
    *("integers(10)", "integers(0, 10, 20)", "integers(-5, 2**40, 20)", "integers(0, 2**32, 20)"),
    *("integers(0, 2**62 + 12345, 20)", "integers(-(2**62), 2**62, 20)", "integers(7, 8, 5)"),
    *("integers(1, 6, size=5, endpoint=True)", "integers(0, [3, 10, 300])", "integers([0, 5], [[7], [2**35]])"),
    "integers(np.iinfo(np.int64).min, np.iinfo(np.int64).max, 9, endpoint=True)",
    *("integers(2, size=40, dtype=bool)", "integers(1, size=3, dtype=bool)", "integers(0, 256, 21, dtype=np.uint8)"),
    *(f"integers(0, 100, 21, dtype=np.{kind})" for kind in ("int8", "uint8", "int16", "uint16", "int32", "uint32")),
    *("integers(-7, 90, 9, dtype=np.int16)", "integers(0, 2**32, 9, dtype=np.uint32)", "integers(3, dtype=np.int8)"),
    *("integers(0, 2**16, 9, dtype=np.uint16)", "integers(9, size=9, dtype=np.uint64)", "integers(0, 3, (2, 2), int)"),
    *("permutation(10)", "permutation(np.arange(9.0))", "permutation(np.arange(12.0).reshape(4, 3))"),
    *("permutation(np.arange(12.0).reshape(4, 3), 1)", "permuted(np.arange(12.0).reshape(4, 3))", "permutation(0)"),
    *(f"permuted(np.arange(12.0).reshape(4, 3), axis={axis})" for axis in (0, 1, -1)),
    *("choice(5)", "choice(5, 7)", "choice(np.array([1.5, 2.0, 7.0]), (2, 3))", "choice(np.array([1.5, 2.0]))"),
    *("choice(np.arange(6.0).reshape(2, 3), 4)", "choice(np.arange(6.0).reshape(2, 3), 4, axis=1)"),
    *("choice(4, 6, p=np.array([0.1, 0.2, 0.3, 0.4]))", "choice(4, p=[0.1, 0.2, 0.3, 0.4])"),
    *("choice(20, 5, replace=False)", "choice(20, (2, 10), replace=False)", "choice(9, replace=False)"),
    *("choice(20, 5, replace=False, shuffle=False)", "choice(20000, 1000, replace=False)"),
    *("choice(20000, 50, replace=False)", "choice(np.arange(9.0), 4, False)"),
    *("poisson(3.0, 100)", "poisson(20.0, 400)", "poisson([0.0, 1e6])", "poisson()"),
    *("geometric(0.5, 100)", "geometric(0.1, 100)", "geometric(1.0)", "geometric([0.3, 0.4])"),
]
# What is computed from the noise by exp and pow is rounded as those of the compiled code are.
NEAR = [
    *("lognormal()", "lognormal(0.0, 0.5, 60)", "lognormal([0.0, 1.0], [[0.5], [1.0]])", "rayleigh(2.0, 60)"),
    *("weibull(2.0, 60)", "weibull([0.0, 1.5], (2, 2))", "pareto(3.0, 60)", "power(3.0, 60)", "power(0.5)"),
    *("standard_gamma(0.3, 300)", "beta(0.5, 0.5, 50)", "beta(0.7, 0.2)", "gamma(0.5, size=5)"),
]


def function_of(parameters, expression):
    """A function of this expression, whose source can be read."""
    text = f"def f({parameters}):\n    return {expression}\n"
    file = f"<{parameters} {expression}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    found = {"np": np, "math": math}
    exec(compile(text, file, "exec"), found)
    return found["f"]


def made(seed, bits=np.random.PCG64):
    return np.random.Generator(bits(seed))


def state(rng):
    return rng.bit_generator.state


def agree(call, seeds, bits=np.random.PCG64, ulps=0):
    f = function_of("rng", f"rng.{call}")
    compiled = jit(f)
    for seed in seeds:
        ours, theirs = made(seed, bits), made(seed, bits)
        for _ in range(2):  # the second time with what is left of the first
            got, wanted = compiled(ours), f(theirs)
            assert np.shape(got) == np.shape(wanted)
            assert np.asarray(got).dtype == np.asarray(wanted).dtype
            if ulps:
                np.testing.assert_allclose(got, wanted, rtol=ulps * np.finfo(float).eps, atol=0.0)
            else:
                np.testing.assert_array_equal(got, wanted)
            assert state(ours) == state(theirs)


@pytest.mark.parametrize("call", EXACT)
def test_numbers_and_state_are_numpys(call):
    agree(call, range(3))


@pytest.mark.parametrize("call", NEAR)
def test_numbers_are_numpys_but_for_rounding(call):
    agree(call, range(3), ulps=4)


@pytest.mark.parametrize(
    "call", ["random(3)", "normal(size=9)", "integers(0, 100, 9, dtype=np.int8)", "gumbel(size=3)"]
)
def test_the_other_pcg64(call):
    agree(call, range(3), np.random.PCG64DXSM)


@pytest.mark.parametrize("call", [c for c in EXACT if not any(n in c for n in ("000", "300", "400", "50)"))])
def test_the_reference_backend_draws_the_same(call, monkeypatch):
    monkeypatch.setattr(dispatch, "backend", lambda: plugins.backend("numpy"))
    f = function_of("rng", f"rng.{call}")
    ours, theirs = made(4), made(4)
    np.testing.assert_allclose(jit(f)(ours), f(theirs), rtol=1e-15, atol=0.0)
    assert state(ours) == state(theirs)


@pytest.mark.parametrize("method", ["standard_normal", "standard_exponential", "random"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_million_draws(method, dtype):
    """All layers of the ziggurats, their edges and tails."""
    f = function_of("rng, dtype", f"rng.{method}(10**6, dtype=dtype)")
    ours, theirs = made(0), made(0)
    np.testing.assert_array_equal(jit(f)(ours, dtype), f(theirs, dtype))
    assert state(ours) == state(theirs)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("method", ["random", "standard_normal", "standard_exponential"])
def test_out(method, dtype):
    f = function_of("rng, x, dtype", f"rng.{method}(out=x, dtype=dtype)")
    x, y = np.empty((2, 3), dtype), np.empty((2, 3), dtype)
    found = jit(f)(made(1), x, dtype)
    f(made(1), y, dtype)
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(found, y)


def test_shuffle():
    def f(rng, x, y):
        rng.shuffle(x)
        rng.shuffle(y, axis=1)
        return np.sum(x * np.arange(5.0)) + y[0, 0]

    x, y, u, v = np.arange(5.0), np.arange(6.0).reshape(2, 3), np.arange(5.0), np.arange(6.0).reshape(2, 3)
    ours, theirs = made(1), made(1)
    assert jit(f)(ours, x, y) == f(theirs, u, v)
    np.testing.assert_array_equal(x, u)
    np.testing.assert_array_equal(y, v)
    assert state(ours) == state(theirs)


def test_the_derivative_of_what_was_shuffled_goes_back_to_its_place():
    def f(rng, x):
        y = rng.permutation(x)
        rng.shuffle(y)
        return y @ np.arange(5.0)

    order = made(1)
    places = order.permutation(5)
    order.shuffle(places)
    np.testing.assert_array_equal(grad(f, argnums=1)(made(1), np.ones(5)), np.argsort(places))


# Where a generator comes from

OUTSIDE = made(5)


def test_a_global_is_read_anew(monkeypatch):
    def f(x):
        return x * OUTSIDE.normal() + OUTSIDE.random()

    compiled = jit(f)
    for seed in (1, 1, 2):
        monkeypatch.setitem(globals(), "OUTSIDE", made(seed))
        theirs = made(seed)
        for x in (2.0, 3.0):
            assert compiled(x) == x * theirs.normal() + theirs.random()
        assert state(OUTSIDE) == state(theirs)
    monkeypatch.setitem(globals(), "OUTSIDE", made(1, np.random.PCG64DXSM))
    theirs = made(1, np.random.PCG64DXSM)
    assert compiled(2.0) == 2.0 * theirs.normal() + theirs.random()


def test_two_names_of_one_generator():
    one = made(3)
    other, third = one, (one,)

    def f(x):
        inner = other
        return x * one.normal() + other.normal() * inner.random() + third[0].random()

    theirs = made(3)
    assert jit(f)(2.0) == 2.0 * theirs.normal() + theirs.normal() * theirs.random() + theirs.random()
    assert state(one) == state(theirs)


def test_names_that_are_of_one_generator_for_a_time():
    one, other = made(3), made(4)

    def f(x):
        return x * one.normal() + other.normal()

    compiled = jit(f)
    assert compiled(2.0) == 2.0 * made(3).normal() + made(4).normal()
    kept, other = other, one
    with pytest.raises(AliasError, match="draws from 'one' and 'other', which are one generator"):
        compiled(2.0)
    other = kept
    compiled(2.0)


@pytest.mark.parametrize("outside", [False, True])
def test_one_generator_twice_in_a_call_is_refused(outside):
    rng = made(1)

    def by_arguments(one, other):
        return one.random() + other.random()

    def by_variable(one, _):
        return one.random() + rng.random()

    compiled = jit(by_variable if outside else by_arguments)
    for k in range(3):
        with pytest.raises(AliasError, match=r"one generator(.|\n)*one name for it"):
            compiled(rng, rng)
        compiled(made(k), made(3))
    assert outside or state(rng) == state(made(1))


class Sampler:
    def __init__(self, seed):
        self.rng = made(seed)

    def draw(self, x):
        return x * self.rng.normal()


@dataclass
class Walk:
    rng: np.random.Generator
    width: float


def test_attributes():
    sampler, walk = Sampler(2), Walk(made(2), 3.0)
    assert jit(sampler.draw)(3.0) == 3.0 * made(2).normal()
    assert state(sampler.rng) != state(made(2))
    gradient = grad(lambda walk: walk.width * walk.rng.normal())(walk)
    assert gradient == Walk(None, made(2).normal())
    assert state(walk.rng) == state(sampler.rng)


def test_containers():
    ours, theirs = made(2), made(2)
    gradient = grad(lambda d: d["x"] * d["draws"][0].normal())({"x": 2.0, "draws": (ours, 1)})
    assert gradient == {"x": theirs.normal(), "draws": (None, None)}
    assert state(ours) == state(theirs)


def test_defaults_of_helpers():
    def helper(x, rng=made(3)):  # noqa: B008
        return x * rng.normal()

    theirs = made(3)
    assert jit(lambda x: helper(x))(2.0) == 2.0 * theirs.normal()
    assert jit(helper)(2.0) == 2.0 * theirs.normal()


def test_a_default_that_is_a_global_for_a_time(monkeypatch):
    def helper(x, rng=OUTSIDE):
        return x * rng.normal() + OUTSIDE.normal()

    compiled, theirs, other = jit(lambda x: helper(x)), copy.deepcopy(OUTSIDE), made(9)
    assert compiled(2.0) == 2.0 * theirs.normal() + theirs.normal()
    monkeypatch.setitem(globals(), "OUTSIDE", other)
    assert compiled(2.0) == 2.0 * theirs.normal() + made(9).normal()


def test_copies_draw_by_themselves():
    def f(rng):
        other = copy.deepcopy(rng)
        return rng.random() - other.random() + rng.random()

    theirs = made(1)
    theirs.random()
    assert jit(f)(made(1)) == theirs.random()


def test_what_it_is():
    f = function_of("rng", "1.0 if isinstance(rng, np.random.Generator) else 2.0")
    assert jit(f)(made(1)) == 1.0


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31, 2**32, 2**40 + 3, 2**63 - 1])
def test_seeded_inside(seed):
    f = function_of("seed", "np.random.default_rng(seed).standard_normal(9)")
    np.testing.assert_array_equal(jit(f)(seed), f(seed))
    fixed = function_of("x", f"x * np.random.default_rng({seed}).integers(0, 9, 5, dtype=np.int16)")
    np.testing.assert_array_equal(jit(fixed)(2.0), fixed(2.0))


def test_a_generator_is_its_own_default():
    f = function_of("rng", "np.random.default_rng(rng).random() + rng.random()")
    theirs = made(1)
    assert jit(f)(made(1)) == theirs.random() + theirs.random()


def test_threads_take_turns():
    rng = made(1)
    compiled, n = jit(lambda rng: rng.random()), 300
    found = []

    def draw():
        for k in range(n):
            found.append(compiled(rng) if k % 2 else rng.random())

    compiled(made(2))
    threads = [threading.Thread(target=draw) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(found) == sorted(made(1).random(4 * n))


# Control


def wandering(rng, x, n):
    y = x
    for _ in range(n):
        y = math.sin(y) + x * rng.normal(0.1, 0.5)
        if rng.random() < 0.3:
            y = y * rng.uniform(0.5, x + 1.0)
        while rng.random() < 0.5:
            y = y + 0.1 * rng.exponential(x)
        y = y + stepped(rng, x)
    return y


def stepped(rng, x):
    found = 0.0
    for step in rng.gumbel(x, 0.2, 3):
        if step > x:
            found += step * x
    return found


def waiting(rng, x):
    """A number of draws that the draws decide."""
    total = 0.0
    while total < 3.0 or rng.random() < 0.2:
        total += rng.exponential(x)
    return total * x


def pulled(f, *arguments):
    value, pull = vjp(f, *arguments)
    return value, pull(1.0)[1]


@pytest.mark.parametrize(("f", "rest"), [(wandering, (30,)), (waiting, ())])
@pytest.mark.parametrize("seed", range(4))
def test_control(f, rest, seed):
    """Primal and derivatives draw what the plain call does, and advance the generator as it does."""
    x, h = 0.7, 1e-6
    theirs = made(seed)
    wanted = f(theirs, x, *rest)
    slope = (f(made(seed), x + h, *rest) - f(made(seed), x - h, *rest)) / (2 * h)
    for call in (
        lambda rng: (jit(f)(rng, x, *rest), slope),
        lambda rng: value_and_grad(f, argnums=1)(rng, x, *rest),
        lambda rng: jvp(f, (rng, x, *rest), (None, 1.0, *(None for _ in rest))),
        lambda rng: pulled(f, rng, x, *rest),
        lambda rng: (wanted, grad(f, argnums=1)(rng, x, *rest)),
    ):
        ours = made(seed)
        value, derivative = call(ours)
        np.testing.assert_allclose(value, wanted, rtol=1e-13)
        np.testing.assert_allclose(derivative, slope, rtol=1e-6)
        assert state(ours) == state(theirs)


@pytest.mark.parametrize("policy", [{"policy": "all"}, {"policy": "sqrt"}, {"policy": 4}, {"policy": 1}])
@pytest.mark.parametrize("f", [wandering, waiting])
def test_checkpoints_draw_again_what_was_drawn(f, policy):
    rest = (50,) if f is wandering else ()
    ours, theirs = made(8), made(8)
    plain = grad(f, argnums=1)(theirs, 0.7, *rest)
    found = grad(checkpoint(f, **policy), argnums=1)(ours, 0.7, *rest)
    assert found == pytest.approx(plain, rel=1e-14)  # a loop that is kept apart from its dual is gone through backwards
    assert state(ours) == state(theirs)


def test_binomial_checkpoints():
    ours, theirs = made(8), made(8)
    plain = grad(wandering, argnums=1)
    with loop_policy("revolve", snapshots=4):
        found = plain(ours, 0.7, 50)
    assert found == plain(theirs, 0.7, 50)
    assert state(ours) == state(theirs)
    with loop_policy("sqrt"):
        assert plain(ours, 0.7, 50) == plain(theirs, 0.7, 50)


inner = checkpoint(lambda rng, x: math.sin(x * rng.normal()))


def test_a_region_that_is_run_again():
    def f(rng, x):
        return inner(rng, x) * rng.normal() + inner(rng, x)

    theirs = made(2)
    z, w, v = theirs.normal(), theirs.normal(), theirs.normal()
    ours = made(2)
    found = grad(f, argnums=1)(ours, 0.4)
    np.testing.assert_allclose(found, z * w * math.cos(0.4 * z) + v * math.cos(0.4 * v), rtol=1e-14)
    assert state(ours) == state(theirs)


def test_second_derivatives():
    x, h = 0.7, 1e-5
    first = grad(wandering, argnums=1)
    ours, theirs = made(3), made(3)
    wandering(theirs, x, 20)
    slope = (first(made(3), x + h, 20) - first(made(3), x - h, 20)) / (2 * h)
    np.testing.assert_allclose(grad(first, argnums=1)(ours, x, 20), slope, rtol=1e-6)
    assert state(ours) == state(theirs)
    _, along = jvp(first, (made(3), x, 20), (None, 1.0, None))
    np.testing.assert_allclose(along, slope, rtol=1e-6)


def test_transforms_inside():
    def squared(rng, y):
        return y * y * rng.normal()

    def f(rng, x):
        def closed(y):
            return y * y * rng.normal()

        return grad(closed)(x) + grad(squared, argnums=1)(rng, x) * x + rng.normal()

    theirs = made(1)
    z, w = theirs.normal(), theirs.normal()
    theirs.normal()
    ours = made(1)
    np.testing.assert_allclose(grad(f, argnums=1)(ours, 3.0), 2 * z + 4 * w * 3.0, rtol=1e-14)
    assert state(ours) == state(theirs)


def test_pullbacks_draw_nothing():
    ours = made(1)
    _, pull = vjp(lambda rng, x: x * rng.normal(size=3), ours, 2.0)
    after = state(ours)
    z = made(1).normal(size=3)
    for w in (np.ones(3), np.arange(3.0)):
        none, slope = pull(w)
        assert none is None
        np.testing.assert_allclose(slope, w @ z, rtol=1e-15)
    assert state(ours) == after


def test_an_exception_leaves_the_generator_as_it_was():
    def f(rng, x):
        y = x * rng.normal()
        if y < 100.0:
            raise ValueError("too small")
        return y

    rng = made(1)
    for call in (jit(f), grad(f, argnums=1)):
        with pytest.raises(ValueError, match="too small"):
            call(rng, 1.0)
        assert state(rng) == state(made(1))


# Derivatives to the parameters: the noise is the same for the same seed

PARAMETERS = {
    "rng.normal(x, y, 5)": (0.3, 1.2),
    "rng.normal(x, y)": (0.3, 1.2),
    "rng.normal([x, y], [[y], [x * x]], (2, 2))": (0.3, 1.2),
    "rng.uniform(x, y, 5)": (0.3, 1.2),
    "rng.exponential(x, 5) * y": (0.3, 1.2),
    "rng.gumbel(x, y, 5)": (0.3, 1.2),
    "rng.laplace(x, y, 5)": (0.3, 1.2),
    "rng.logistic(x, y, 5)": (0.3, 1.2),
    "rng.rayleigh(x, 5) * y": (0.3, 1.2),
    "rng.lognormal(x, y, 5)": (0.3, 1.2),
    "rng.weibull(x, 5) * y": (0.7, 1.2),
    "rng.weibull([x, y])": (0.7, 1.2),
    "rng.pareto(x, 5) * y": (0.7, 1.2),
    "rng.power(x, 5) * y": (0.7, 1.2),
    "rng.triangular(x, y, x + 2.0 * y, 9)": (0.3, 1.2),
    "rng.gamma(2.0, x, 5) * y": (0.7, 1.2),
    "rng.choice(np.stack([x, y, x * y]), 5)": (0.7, 1.2),
    "rng.permutation(np.stack([x, y, x * y]))": (0.7, 1.2),
    "x * rng.poisson(3.0, 5) + y * rng.integers(0, 9, 5)": (0.7, 1.2),
    "x * rng.poisson(y, 5)": (0.7, 1.2),
    "x * rng.standard_t(4.0, 3) * y": (0.7, 1.2),
}


@pytest.mark.parametrize("expression", PARAMETERS)
def test_parameters(expression):
    f = function_of("rng, x, y", f"np.sum(np.sin({expression}))")
    x, y = PARAMETERS[expression]
    h = 1e-6
    ours, theirs = made(6), made(6)
    found = grad(f, argnums=(1, 2))(ours, x, y)
    f(theirs, x, y)
    wanted = [(f(made(6), x + a, y + b) - f(made(6), x - a, y - b)) / (2 * h) for a, b in ((h, 0.0), (0.0, h))]
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)
    assert state(ours) == state(theirs)
    _, along = jvp(f, (made(6), x, y), (None, 1.0, 2.0))
    np.testing.assert_allclose(along, wanted[0] + 2 * wanted[1], rtol=1e-7, atol=1e-8)
    slopes = grad(lambda rng, x, y: grad(f, argnums=1)(rng, x, y), argnums=2)
    first = grad(f, argnums=1)
    crossed = (first(made(6), x, y + h) - first(made(6), x, y - h)) / (2 * h)
    np.testing.assert_allclose(slopes(made(6), x, y), crossed, rtol=1e-6, atol=1e-7)


def test_parameters_in_single_precision():
    f = function_of("rng, x", "np.sum(rng.normal(x, 2.0, 3))")
    slope = grad(f, argnums=1)(made(1), np.zeros(3, np.float32))
    assert slope.dtype == np.float32
    np.testing.assert_array_equal(slope, np.ones(3))


# A draw that is accepted or rejected moves with its parameters along its quantile.

STEP = 1e-6


def along_quantile(cumulated, density, z, parameters):
    """The derivatives of a draw in its parameters, by differences of the cumulated distribution."""
    for k, p in enumerate(parameters):
        before, after = ([*parameters[:k], p + h, *parameters[k + 1 :]] for h in (-STEP, STEP))
        yield -(cumulated(*after, z) - cumulated(*before, z)) / (2 * STEP) / density(*parameters, z)


def gamma_density(a, z):
    return np.exp((a - 1) * np.log(z) - z - special.gammaln(a))


def beta_density(a, b, z):
    return np.exp((a - 1) * np.log(z) + (b - 1) * np.log1p(-z) - special.betaln(a, b))


@pytest.mark.parametrize("shape", [0.3, 1.0, 1.7, 8.0, 60.0])
def test_shapes_of_gamma(shape):
    f = function_of("rng, a", "rng.standard_gamma(a, 40)")
    z, slope = jvp(f, (made(1), shape), (None, 1.0))
    (wanted,) = along_quantile(special.gammainc, gamma_density, z, [shape])
    np.testing.assert_allclose(slope, wanted, rtol=2e-5)
    back = grad(function_of("rng, a", "np.sum(rng.standard_gamma(a, 40))"), argnums=1)(made(1), shape)
    np.testing.assert_allclose(back, np.sum(slope), rtol=1e-12)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.7), (2.0, 3.0), (0.4, 5.0)])
def test_shapes_of_beta(a, b):
    f = function_of("rng, a, b", "rng.beta(a, b, 30)")
    z, by_a = jvp(f, (made(1), a, b), (None, 1.0, 0.0))
    _, by_b = jvp(f, (made(1), a, b), (None, 0.0, 1.0))
    wanted = along_quantile(special.betainc, beta_density, z, [a, b])
    for found, slope in zip((by_a, by_b), wanted, strict=True):
        np.testing.assert_allclose(found, slope, rtol=5e-5)


def test_second_derivatives_by_shapes():
    """Of gammaincinv at the draw's quantile, which is what a draw is."""
    f = function_of("rng, a", "rng.standard_gamma(a) ** 2")
    moved = function_of("a, u", "special.gammaincinv(a, u) ** 2")
    moved.__globals__["special"] = special
    a = 1.7
    u = special.gammainc(a, made(5).standard_gamma(a))
    np.testing.assert_allclose(grad(f, argnums=1)(made(5), a), grad(moved)(a, u), rtol=1e-9)
    second = grad(grad(f, argnums=1), argnums=1)(made(5), a)
    np.testing.assert_allclose(second, grad(grad(moved))(a, u), rtol=1e-9)


@pytest.mark.parametrize(
    ("expression", "mean_slope"),
    [("rng.chisquare(a, n)", 1.0), ("rng.gamma(a, 2.0, n)", 2.0), ("rng.gamma(2.0, a, n)", 2.0)],
)
def test_the_derivative_of_a_mean(expression, mean_slope):
    """The mean of the derivatives is the derivative of the mean."""
    f = function_of("rng, a, n", f"np.mean({expression})")
    assert abs(grad(f, argnums=1)(made(1), 3.0, 20000) - mean_slope) < 0.03


# What NumPy refuses, and what is refused here

WRONG = [
    *("normal(0.0, -1.0)", "normal([0.0, 1.0], [1.0, -1.0])", "exponential(-1.0)", "uniform(2.0, 1.0)"),
    *("uniform(0.0, np.inf)", "uniform([1.0, 2.0], [3.0, 1.0])", "weibull(-1.0)", "pareto(0.0)", "power([0.0, 1.0])"),
    *("lognormal(0.0, -1.0)", "rayleigh(-1.0)", "triangular(2.0, 1.0, 3.0)", "triangular(1.0, 5.0, 3.0)"),
    *("triangular(1.0, 1.0, 1.0)", "integers(5, 5)", "integers(6, 5, endpoint=True)", "integers([1, 2], [2, 2])"),
    *("integers(0, 300, dtype=np.uint8)", "integers(-1, 3, dtype=np.uint16)", "normal(np.zeros(3), 1.0, 2)"),
    *("normal(np.zeros((2, 3)), 1.0, 3)", "random(-1)", "choice(3, 5, replace=False)", "choice(0)"),
    *("choice([1.0, 2.0], 3, p=[0.5, 0.6])", "choice([1.0, 2.0], 3, p=[-0.5, 1.5])", "choice([1.0], 3, p=[0.5, 0.5])"),
    *("standard_gamma(-1.0)", "gamma(2.0, -1.0)", "beta(0.0, 1.0)", "chisquare(0.0)", "standard_t(0.0)", "f(1.0, 0.0)"),
    *("poisson(-1.0)", "poisson(np.nan)", "geometric(0.0)", "geometric(1.5)"),
]


@pytest.mark.parametrize("call", WRONG)
def test_errors_are_numpys(call):
    f = function_of("rng", f"rng.{call}")
    rng = made(1)
    with pytest.raises((ValueError, OverflowError)) as theirs:
        f(made(1))
    with pytest.raises(type(theirs.value)) as ours:
        jit(f)(rng)
    if "size" not in str(theirs.value) and "shape" not in str(theirs.value).replace("shape < 0", ""):
        assert str(ours.value) == str(theirs.value)
    assert state(rng) == state(made(1))


OTHER = {bits.__name__: made(1, bits) for bits in (np.random.MT19937, np.random.Philox, np.random.SFC64)}
LEGACY = np.random.RandomState(1)
HELD = (np.random.PCG64(1),)


@pytest.mark.parametrize("bits", OTHER)
@pytest.mark.parametrize("outside", [False, True])
def test_other_bits_are_refused(bits, outside):
    rng = OTHER[bits]
    f, arguments = (lambda: rng.normal(), ()) if outside else (lambda rng: rng.normal(), (rng,))
    with pytest.raises(UnsupportedFunctionError, match=rf"over {bits}(.|\n)*rng\.normal(.|\n)*default_rng\(seed\)"):
        jit(f)(*arguments)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("LEGACY.normal()", "drawing from a RandomState"),
        ("np.random.normal(0.0, x)", "RandomState.normal"),
        ("np.random.rand(3)", "RandomState.rand"),
        ("np.random.seed(3)", "numpy.random.seed"),
        ("HELD[0].random_raw()", "drawing from a PCG64"),
        ("rng.multinomial(3, [0.5, 0.5])", "numpy.random.Generator.multinomial is not supported"),
        ("rng.spawn(2)", "numpy.random.Generator.spawn is not supported"),
        ("rng.bit_generator.state", "numpy.random.Generator.bit_generator is not supported"),
        ("rng.standard_gamma(x, dtype=np.float32)", "with dtype= or out="),
        ("rng.random(dtype=np.int64)", "real numbers of another dtype"),
        ("rng.shuffle([1, 2, 3])", "of something else than an array"),
        ("rng.choice(3, 2, replace=False, p=[0.2, 0.3, 0.5])", "without replacement and with probabilities"),
        ("np.random.default_rng()", "of something else than an integer"),
        ("np.random.default_rng([1, 2])", "of something else than an integer"),
        ("rng", "a random generator that leaves the function"),
        ("[rng]", "a random generator that leaves the function"),
        ("np.random.default_rng(3)", "a random generator that leaves the function"),
    ],
)
def test_refused(expression, problem):
    f = function_of("rng, x", expression)
    f.__globals__.update(LEGACY=LEGACY, HELD=HELD)
    with pytest.raises(UnsupportedFunctionError, match=problem) as caught:
        jit(f)(made(1), 1.0)
    assert expression.split("(")[0].split(".state")[0] in str(caught.value)
    assert "Write instead" in str(caught.value)


def test_the_state_is_not_an_attribute():
    for name in ("words", "bits"):
        with pytest.raises(UnsupportedSyntaxError, match=f"'Generator' object has no attribute '{name}'"):
            jit(function_of("rng", f"rng.{name}"))(made(1))


def test_a_generator_that_would_be_left_with_the_caller_is_refused():
    def f(d, x):
        d["rng"] = np.random.default_rng(3)
        return x

    with pytest.raises(UnsupportedFunctionError, match="a random generator that leaves the function"):
        jit(f)({"rng": 1.0}, 1.0)


def test_a_generator_has_no_derivative():
    def f(rng, x):
        return x * rng.normal()

    with pytest.raises(DtypeError, match="argument 0 of f is a random generator, which has no derivative"):
        grad(f)(made(1), 1.0)
    with pytest.raises(TypeError, match="the tangent of a random generator is None"):
        jvp(f, (made(1), 1.0), (1.0, 1.0))


def test_which_of_two_generators_depends_on_the_run():
    def f(one, other, x):
        rng = one if x > 0.0 else other
        found = rng.random()
        return found + one.random()

    with pytest.raises(AliasError, match="may or may not"):
        jit(f)(made(1), made(2), 1.0)

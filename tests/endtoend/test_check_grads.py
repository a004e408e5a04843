"""`check_grads`: right derivatives pass, planted wrong ones are found, and messages say which."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
from functions import EXAMPLES

from adcore import check_grads, custom_jvp, custom_vjp, jit, stop_gradient, straight_through

A = np.random.default_rng(2).normal(size=(3, 3)) + 3.0 * np.eye(3)
X = np.array([0.4, -0.7, 1.1])

RIGHT = {
    "scalars": (lambda x, y: math.sin(x) * y**3, (0.3, 2.0)),
    "arrays": (lambda x: np.exp(x) * np.sum(x), (X,)),
    "zeros": (lambda x: np.sin(x), (np.zeros(3),)),
    "trees": (
        lambda t: {"a": np.linalg.solve(t["m"], t["v"][0]), "n": 3, "s": t["k"]},
        ({"m": A, "v": (X, 2), "k": 4},),
    ),
    "integers": (lambda x, n: x**n, (1.5, 3)),
    "scales": (lambda x: np.log(x), (np.array([1e-9, 1e9]),)),
    "lists": (lambda xs: [xs[0] * xs[1], xs[1] ** 2], ([1.5, 2.5],)),
    "special": (lambda x: scipy.special.gammaln(x), (2.3,)),
    "oscillation": (lambda x: math.sin(200.0 * x), (1.0,)),
    "complex": (lambda z: z * z * 1j + np.exp(z), (np.array([0.5 + 1.0j, -1.0]),)),
    "of real to complex": (lambda x: np.exp(1j * x), (X,)),
    "of complex to real": (lambda z: np.abs(z) ** 2, (np.array([0.5 + 1.0j, -1.0 + 0.1j]),)),
    "writes": (lambda x: _squared_in_place(x), (X,)),
}


def _squared_in_place(x):
    for i in range(len(x)):
        x[i] = x[i] * x[i]
    return x


@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives_pass(name):
    f, args = RIGHT[name]
    before = [np.copy(a) for a in args if isinstance(a, np.ndarray)]
    check_grads(f, args, order=2)
    check_grads(jit(f), args, order=1)
    for a, b in zip([a for a in args if isinstance(a, np.ndarray)], before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_third_order():
    check_grads(lambda x, y: math.exp(x * y) * x, (0.3, -0.5), order=3)
    check_grads(lambda x: np.sum(np.tanh(x)), (X,), order=4, modes="fwd")


def test_single_precision():
    check_grads(lambda x: np.exp(x) * x, (np.array([0.5, 2.0], np.float32),), order=2)
    check_grads(lambda x: (x * x).astype(np.float32), (X,))


SMOOTH = [e for e in EXAMPLES if e.second_order and all(isinstance(a, int | float | np.ndarray) for a in e.arguments)]


@pytest.mark.parametrize("example", SMOOTH[::6], ids=lambda e: e.name)
def test_examples(example):
    check_grads(example.function, example.arguments, rtol=1e-5, atol=1e-5)


def wrong(factor):
    @custom_jvp
    def f(x, y):
        return np.sin(x) * y

    f.defjvps(lambda t, ans, x, y: np.cos(x) * y * t, lambda t, ans, x, y: factor * np.sin(x) * t)
    return f


def test_a_wrong_rule_is_found():
    check_grads(wrong(1.0), (X, X + 2.0), order=2)
    for modes in ("fwd", "rev", ("rev", "fwd")):
        with pytest.raises(
            AssertionError, match=r"order 1 \((fwd|rev)\) of f: along a random direction of argument 1 \(y\)"
        ):
            check_grads(wrong(1.0 + 1e-4), (X, X + 2.0), modes=modes)
    check_grads(wrong(1.0 + 1e-4), (X, X + 2.0), rtol=1e-3)
    with pytest.raises(AssertionError):
        check_grads(wrong(1.0 + 1e-4), (X, X + 2.0), rtol=1e-5, atol=0.0)


def test_a_wrong_pullback_is_found():
    @custom_vjp
    def f(x, y):
        return np.sin(x) * y

    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda kept, g: (np.cos(kept[0]) * kept[1] * g, np.cos(kept[0]) * g))
    for modes in ("fwd", "rev"):
        with pytest.raises(AssertionError, match=rf"order 1 \({modes}\) of f: .* argument 1 \(y\)"):
            check_grads(f, (X, X + 2.0), modes=modes)


@pytest.mark.parametrize(
    ("modes", "path"), [("fwd", "fwd of fwd"), ("rev", "rev of rev"), (("rev", "fwd"), "rev of rev")]
)
def test_a_wrong_second_derivative_is_found(modes, path):
    @custom_jvp
    def cube(x):
        return x * x * x

    @cube.defjvp
    def cube_jvp(primals, tangents):
        return cube(primals[0]), 3.0 * stop_gradient(primals[0] ** 2) * tangents[0]

    check_grads(cube, (1.5,), modes=modes)
    with pytest.raises(
        AssertionError, match=rf"order 2 \({path}\) of cube: along a random direction of argument 0 the"
    ):
        check_grads(cube, (1.5,), order=2, modes=modes)


def test_messages_have_both_numbers():
    @custom_jvp
    def f(x):
        return 2.0 * x

    f.defjvps(lambda t, y, x: 3.0 * t)
    with pytest.raises(AssertionError) as found:
        check_grads(f, (1.0,), modes="fwd")
    numbers = [
        float(w.strip(",;"))
        for w in str(found.value).split()
        if w.strip(",;").replace(".", "", 1).lstrip("-").isdigit()
    ]
    ours, theirs = [n for n in numbers if not n.is_integer()][:2]
    assert ours / theirs == pytest.approx(1.5)


def test_surrogates_and_jumps_fail():
    with pytest.raises(AssertionError, match="is 0, and"):
        check_grads(lambda x: stop_gradient(x) * 2.0, (1.5,))
    with pytest.raises(AssertionError):
        check_grads(straight_through(np.round), (1.2,))
    with pytest.raises(AssertionError):
        check_grads(lambda x: np.where(x > 1.0, x, 0.0), (1.0,))


def test_what_is_asked_for():
    with pytest.raises(ValueError, match="modes are 'fwd' and 'rev', not 'up'"):
        check_grads(math.sin, (1.0,), modes="up")
    with pytest.raises(ValueError, match="order 0; the least is 1"):
        check_grads(math.sin, (1.0,), order=0)

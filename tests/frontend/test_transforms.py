"""adcore's transforms called inside compiled functions."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

import adcore
from adcore import grad, jit, jvp, value_and_grad
from adcore.errors import DtypeError, UnsupportedFunctionError, UnsupportedSyntaxError

X = np.array([1.0, -2.0, 0.5])


def outside(x, n=2):
    return math.sin(x) * x**n


def no_confusion(x):
    return x * grad(lambda y: x + y)(1.0)


def closed_over_number(x):
    return x * grad(lambda y: x * y * y)(3.0)


def of_a_global(x):
    return grad(outside)(x) + grad(outside)(x, n=3) + jvp(outside, (x, 2), (1.0, 0))[1]


def root(a):
    def f(z):
        return z**3 - a

    z = 1.5
    for _ in range(20):
        value, slope = value_and_grad(f)(z)
        z = z - value / slope
    return z


def decorators(x):
    @grad
    def of_y(y):
        return y * y * x

    @grad(argnums=1)
    def of_b(a, b):
        return a * b**2

    return of_y(3.0) + of_b(x, 2.0)


def twice(x):
    return grad(grad(lambda z: z**3 * x))(x)


def nested(x):
    def f(y):
        return grad(lambda z: z * z * y * x)(y)

    return grad(f)(x)


def in_a_loop(x):
    s = 0.0
    for i in range(4):
        s += grad(lambda y: y * y * x * i)(x)  # noqa: B023
    return s


def in_a_branch(x):
    return grad(lambda y: y * x)(x) if x > 1 else grad(lambda y: y**2)(x)


def with_aux(x):
    slope, aux = grad(lambda y: (y * y * x, y + x), has_aux=True)(2.0)
    return slope * aux


def compiled_inside(x):
    return adcore.jit(lambda y: y * x)(x)


NUMBERS = [
    (no_confusion, lambda x: x),
    (closed_over_number, lambda x: 6 * x * x),
    (
        of_a_global,
        lambda x: 2 * (math.cos(x) * x**2 + 2 * math.sin(x) * x) + math.cos(x) * x**3 + 3 * math.sin(x) * x**2,
    ),
    (root, lambda x: x ** (1 / 3)),
    (decorators, lambda x: 6 * x + 4 * x),
    (twice, lambda x: 6 * x * x),
    (nested, lambda x: 4 * x * x),
    (in_a_loop, lambda x: 12 * x * x),
    (in_a_branch, lambda x: x if x > 1 else 2 * x),
    (with_aux, lambda x: 4 * x * (2 + x)),
    (compiled_inside, lambda x: x * x),
]


@pytest.mark.parametrize(("function", "meaning"), NUMBERS, ids=[f.__name__ for f, _ in NUMBERS])
@pytest.mark.parametrize("x", [0.75, 2.0])
def test_numbers(function, meaning, x):
    h = 1e-5
    assert adcore.jit(function)(x) == pytest.approx(meaning(x), rel=1e-12)
    assert grad(function)(x) == pytest.approx((meaning(x + h) - meaning(x - h)) / (2 * h), rel=1e-8)


def test_arrays():
    def hessian_times(x):
        A = np.outer(x, x)
        return jvp(grad(lambda v: v @ A @ v), (x,), (np.ones(3),))[1].sum()

    def meaning(x):
        return 2 * x.sum() ** 2

    def of_an_array(x):
        return grad(lambda v: v @ np.outer(x, x) @ v)(x).sum()

    assert adcore.jit(hessian_times)(X) == pytest.approx(meaning(X))
    np.testing.assert_allclose(grad(hessian_times)(X), np.full(3, 4 * X.sum()))
    assert adcore.jit(of_an_array)(X) == pytest.approx(2 * X @ X * X.sum())
    np.testing.assert_allclose(grad(of_an_array)(X), 4 * X * X.sum() + 2 * X @ X)


def writes_outside(x):
    y = np.zeros(3)

    def f(z):
        y[0] = z
        return z

    return grad(f)(x) + y[0]


REFUSED = [
    (lambda x: grad(lambda k: k * 2)(3) + x, DtypeError, "argument 0 of <lambda> is an integer"),
    (lambda x: grad(lambda y: (y, y))(x), DtypeError, "returns a tuple"),
    (lambda x: adcore.vjp(math.sin, x)[0], UnsupportedFunctionError, "a transform of sin, which is not a Python"),
    (lambda x: grad(np.sin)(x), UnsupportedFunctionError, "a transform of sin"),
    (lambda x: grad(lambda y, z: y)(x), UnsupportedFunctionError, "missing a required argument"),
    (writes_outside, UnsupportedSyntaxError, "writing into 'y'"),
]


@pytest.mark.parametrize(("function", "kind", "cause"), REFUSED, ids=range(len(REFUSED)))
def test_refused(function, kind, cause):
    with pytest.raises(kind) as caught:
        adcore.jit(function)(2.0)
    assert cause in str(caught.value)
    assert caught.value.source is not None
    assert caught.value.write


def test_numba():
    numba = pytest.importorskip("numba")

    @numba.njit
    def inner(x, n):
        s = 0.0
        for i in range(n):
            s += math.sin(x * i)
        return s

    @numba.njit
    def outer(x):
        return inner(x, 3) * x

    def calling(x):
        return outer(x) + inner(x, 2)

    def slope(x):
        s = math.sin(x) + math.sin(2 * x)
        return s + x * (math.cos(x) + 2 * math.cos(2 * x))

    assert grad(outer)(0.5) == pytest.approx(slope(0.5))
    assert grad(calling)(0.5) == pytest.approx(slope(0.5) + math.cos(0.5))


def test_options_of_complex_derivatives():
    z = 0.5 - 1.5j
    for inside in (
        lambda z: adcore.grad(lambda w: w**3, holomorphic=True)(z),
        lambda z: adcore.value_and_grad(lambda w: w**3, holomorphic=True)(z),
        lambda z: adcore.grad(lambda w: abs(w) ** 2, conj=True)(z),
        lambda z: adcore.jacfwd(lambda w: np.array([w, w**2]), holomorphic=True)(z),
        lambda z: adcore.jacrev(lambda w: np.array([w, w**2]), 0, False, True)(z),
        lambda z: adcore.jacobian(lambda w: np.array([w, w**2]), holomorphic=True)(z),
        lambda z: adcore.hessian(lambda w: w**4, holomorphic=True)(z),
    ):
        found, expected = adcore.jit(inside)(z), inside(z)
        np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-14)


class Power:
    def __init__(self, exponent):
        self.exponent = exponent

    def value(self, x, factor):
        return factor * x**self.exponent


def test_methods_and_partials():
    """Transforms of methods of objects that are made inside, and of partials of numbers that vary."""

    def slopes(a):
        power = Power(3.0 * a)
        bound = functools.partial(power.value, factor=a)
        before = functools.partial(lambda k, x: k * x**3, a)
        return (
            grad(power.value)(2.0, a)
            + grad(bound)(2.0)
            + grad(grad(before))(2.0)
            + np.sum(adcore.vmap(before)(np.arange(3.0)))
            + adcore.jvp(before, (2.0,), (1.0,))[1]
        )

    def known(a):
        return 6.0 * a * a * 2.0 ** (3.0 * a - 1.0) + 12.0 * a + 9.0 * a + 12.0 * a

    for f, g in ((jit(slopes), known), (grad(slopes), grad(known))):
        np.testing.assert_allclose(f(1.1), g(1.1), rtol=1e-12)

"""Solvers that are called in functions compiled by Numba give what they give to Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import TypingError

import adcore
from adcore import clip_gradient, fixed_point, grad, jet, jit, least_squares, linear_solve, minimize, odeint, root
from adcore.arguments import any_lengths

from .test_inside_njit import equal


@njit
def cube(x, a):
    return x**3 - a


@njit
def shifted(x):
    return x**3 - 2.0


@njit
def halving(x, a):
    return 0.5 * (x + a / x)


@njit
def decay(y, t, rate):
    return -rate * y


@njit
def pendulum(y, t, g, damping):
    return np.array([y[1], -g * np.sin(y[0]) - damping * y[1]])


@njit
def cost(x, a, b):
    return np.sum((x - a) ** 2 * b)


@njit
def residuals(x, a):
    return x**2 - a


@njit
def doubled(v):
    return 2.0 * v


@njit
def growth(x):
    return np.exp(x) * x


T = np.array([0.0, 0.5, 1.0])
Y = np.array([1.0, 0.0])
A = np.array([0.7, 2.0])


def rooted(a):
    return root(cube, 1.0, a), root(cube, 1.0, a, method="newton", maxiter=40)


def rooted_arrays(a):
    return root(cube, np.array([1.0, 2.0]), a), root(F=shifted, x0=a)


def pointed(a):
    return fixed_point(halving, 1.0, a), fixed_point(halving, 1.0, a, method="iteration")


def integrated(rate):
    return odeint(decay, 1.0, T, rate), odeint(pendulum, Y, T, 9.81, rate)


def integrated_with_options(rate):
    tolerance = 1e-5 * rate
    return odeint(decay, 1.0, T, rate, rtol=tolerance, atol=1e-6), odeint(decay, 1.0, T, rate, adjoint="discrete")


def minimized(a):
    return minimize(cost, np.zeros(2), a, 2.0), minimize(cost, np.zeros(2), a, 2.0, method="lbfgs")


def squares(a):
    return least_squares(residuals, np.ones(2), a)


def solved(a):
    return linear_solve(doubled, a), linear_solve(doubled, a, "cg"), linear_solve(matvec=doubled, b=a)


def clipped(a):
    return clip_gradient(a, 1.0), clip_gradient(a, 1.0, norm=True)


def expanded(x):
    return jet(growth, x, (1.0, 0.5)), jet(growth, x, (1.0,), scaling="derivatives")


CALLS = [
    (rooted, 0.7),
    (rooted_arrays, 0.7),
    (pointed, 0.7),
    (integrated, 0.7),
    (integrated_with_options, 0.7),
    (minimized, A),
    (squares, A),
    (solved, A),
    (clipped, A),
    (expanded, 0.7),
]


@pytest.mark.parametrize(("function", "argument"), CALLS, ids=lambda f: getattr(f, "__name__", ""))
def test_calls(function, argument):
    with any_lengths():
        equal(njit(function)(argument), function(argument))


def test_functions_that_call_them_are_differentiated():
    compiled = njit(integrated)

    @njit
    def last(rate):
        return compiled(rate)[0][-1]

    @njit
    def slope(rate):
        return grad(last)(rate)

    assert last(0.7) == pytest.approx(np.exp(-0.7))
    assert grad(last)(0.7) == pytest.approx(-np.exp(-0.7))
    assert slope(0.7) == pytest.approx(grad(last)(0.7), rel=1e-13)


def test_parallel_loops():
    @njit(parallel=True)
    def caller(a):
        found = np.empty_like(a)
        for i in prange(len(a)):
            found[i] = root(cube, 1.0, a[i])
        return found

    np.testing.assert_allclose(caller(np.array([1.0, 8.0, 27.0])), [1.0, 2.0, 3.0], rtol=1e-12)


def test_constants_among_any_number_of_arguments():
    power = jit(lambda x, *rest: x ** rest[0] * rest[1], static_argnums=1)

    @njit
    def caller(x, y):
        return power(x, 3, y)

    assert caller(2.0, 5.0) == 40.0


def with_tolerance(a):
    return root(cube, 1.0, a, tol=1e-3)


wrong: Any = root  # of which a type checker knows nothing


def with_an_unknown_option(a):
    return wrong(cube, 1.0, a, steps=3)


def without_a_start(a):
    return wrong(cube)


def of_a_number(a):
    return root(a, 1.0)


REFUSED = [
    (with_tolerance, "root with an option 'tol' that is a float64, inside @njit"),
    (with_an_unknown_option, r"root\(\): got an unexpected keyword argument 'steps'"),
    (without_a_start, r"root\(\): missing a required argument: 'x0'"),
    (of_a_number, "root of a float64 inside @njit; it takes functions compiled by Numba"),
]


@pytest.mark.parametrize(("function", "cause"), REFUSED, ids=lambda f: getattr(f, "__name__", ""))
def test_refusals(function, cause):
    with pytest.raises(TypingError, match=cause) as caught:
        njit(function)(2.0)
    assert "test_solvers_inside_njit.py" in str(caught.value)


@pytest.mark.parametrize("name", ["taylor", "kinks", "straight_through", "set_num_threads", "custom_jvp", "worst_case"])
def test_others_are_called_outside(name):
    function = getattr(adcore, name)

    def caller(x):
        return function(x)

    compiled: Any = njit(caller)
    with pytest.raises(TypingError, match=f"adcore.{name} inside @njit"):
        compiled(2.0)

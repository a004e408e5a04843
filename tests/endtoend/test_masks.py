"""`np.where` keeps out what was not taken, infinite as its derivative may be, wherever the two are multiplied."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import check_grads, checkpoint, custom_root, custom_vjp, grad, jit, jvp, value_and_grad

X = np.array([[0.0, 2.0], [3.0, 0.0]])
S = np.array([0.0, 2.0])
T = np.array([1.5, -0.5, 1.0])

FUNCTIONS = {
    "at once": (lambda x: np.sum(np.where(x > 0.0, np.log(x), 0.0)), X),
    "negative": (lambda x: np.sum(-np.where(x > 0.0, -np.log(x), 0.0)), X),
    "nested": (lambda x: np.sum(np.where(x > 0.0, np.where(x < 2.5, np.log(x), 1.0), 0.0)), X),
    "transposed": (lambda x: np.sum(np.where(x.T > 0.0, np.log(x).T, 0.0)), X),
    "of another shape": (lambda x: np.sum(np.where(x.ravel() > 0.0, np.log(x).ravel(), 0.0)), X),
    "of a part": (lambda x: np.sum(np.where(x[:, 1] > 0.0, np.log(x)[:, 1], 0.0)), X),
    "of an element": (lambda x: np.where(x[0, 0] > 0.0, np.log(x)[0, 0], 0.0) + x[0, 1], X),
    "of a repeated number": (lambda x: np.sum(np.where(x[:, None] > 0.0, np.log(x)[:, None] * T, 0.0)), S),
    "of repeated rows": (lambda x: np.sum(np.where(x > 0.0, 1.0 / x * np.ones((3, 2)), 0.0)), S),
    "divided by": (lambda x: np.sum(np.where(x[:, None] > 0.0, T / x[:, None], 0.0)), S),
    "power": (lambda x: np.sum(np.where(x > 0.0, (x**-0.5).reshape(2, 2), 0.0)), X),
    "transposed and joined": (lambda x: np.sum(np.where(x.T.ravel() > 0.0, np.log(x).T.ravel(), 0.0)), X),
}


@pytest.mark.parametrize(("f", "x"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_derivative_is_finite(f, x):
    with np.errstate(all="ignore"):
        wanted = f(x)
        basis = 1e-6 * np.eye(x.size).reshape(-1, *x.shape)
        steps = [f(x + e) - f(x - np.where(x > 0.0, e, 0.0)) for e in basis]
    value, slope = value_and_grad(f)(x)
    np.testing.assert_allclose(value, wanted, rtol=1e-14)
    slopes = np.reshape(steps, x.shape) / 2e-6
    np.testing.assert_allclose(slope[x > 0.0], slopes[x > 0.0], rtol=1e-6)
    assert np.all(slope[x == 0.0] == 0.0)
    u = np.where(x > 0.0, 1.0, 0.5)
    np.testing.assert_allclose(jvp(f, (x,), (u,))[1], np.sum(slope * u), rtol=1e-12)


DATA = np.array([[np.nan, 2.0], [3.0, -1.0]])
FACTORS = {
    "at once": lambda x, y: np.where(x > 0.0, x * y, 0.0),
    "of another shape": lambda x, y: np.where(x.ravel() > 0.0, (x * y).ravel(), 0.0).reshape(2, 2),
    "transposed": lambda x, y: np.where(x.T > 0.0, (x * y).T, 0.0).T,
    "of a part": lambda x, y: np.where(x[:, :1] > 0.0, (x * y)[:, :1], 0.0) + y[:, 1:],
    "summed": lambda x, y: np.where(np.sum(x, 1) > 0.0, np.sum(x * y, 1), 0.0) + y,
    "a root": lambda x, y: np.where(x.ravel() > 0.0, (np.sqrt(x) * y).ravel(), 0.0),
    "through a sine": lambda x, y: np.where(x.ravel() > 0.0, (np.sin(x * 2.0) * y).ravel(), 0.0),
}


@pytest.mark.parametrize("f", FACTORS.values(), ids=FACTORS)
def test_factors_that_are_no_numbers_where_nothing_is_taken(f):
    """What is linear in y: missing data, and roots of negative ones, beside which it is not taken."""
    y, u = np.array([[0.5, 1.0], [2.0, -1.5]]), np.array([[1.0, -2.0], [0.5, 3.0]])
    with np.errstate(all="ignore"):
        wanted = np.array([[np.sum(f(DATA, y + e.reshape(2, 2)) - f(DATA, y))] for e in np.eye(4)]).reshape(2, 2)
        slope = grad(lambda y: np.sum(f(DATA, y)))(y)
        tangent = jvp(lambda y: np.sum(f(DATA, y)), (y,), (u,))[1]
    np.testing.assert_allclose(slope, wanted, rtol=1e-12)
    np.testing.assert_allclose(tangent, np.sum(wanted * u), rtol=1e-12)


@pytest.mark.parametrize(("f", "x"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_second_derivative_is_finite(f, x):
    def squared(x):
        g = grad(f)(x)
        return np.sum(g * g)

    assert np.all(np.isfinite(jit(grad(squared))(x)))


@custom_vjp
def stated(x):
    return np.sin(x)


stated.defvjp(lambda x: (np.sin(x), x), lambda x, ct: (ct * np.cos(x),))


def by_branches(x):
    if x[0] > 0.0:  # noqa: SIM108
        y = np.sin(x)
    else:
        y = 2.0 * x
    return y


def by_steps(x):
    y = x.copy()
    for k in range(3):
        y = np.sin(y) + 0.1 * k
    return y


WHOLE = {
    "branches": by_branches,
    "a checkpoint": checkpoint(np.sin),
    "a stated derivative": stated,
    "a condition": lambda x: custom_root(lambda y, x: y * y - x)(lambda _, x: np.sqrt(x))(None, x),
    "steps": by_steps,
}


@pytest.mark.parametrize("inner", WHOLE.values(), ids=WHOLE)
def test_a_mask_around_all_that_something_else_gives(inner):
    """What hands on a cotangent is not left out where all that it is handed comes from a mask."""

    def chosen(x):
        y = inner(x)
        return max(np.sum(y * y * y), -1.0)

    def where(x):
        y = inner(x)
        return np.where(x[0] > 0.0, np.sum(y * y * y), 1.0)

    for f in (chosen, where):
        check_grads(f, (np.array([0.3, 0.4]),), order=2)

"""Functions with stated derivatives mapped over batches, and patterns through them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from custom_functions import MADE

from adcore import (
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    host_call,
    jacfwd,
    jacobian,
    jet,
    jit,
    jvp,
    stop_gradient,
    vmap,
)

X = np.linspace(-0.9, 1.7, 37)


@custom_jvp
def checked(t):
    return math.exp(t)  # which is checked not to overflow


@checked.defjvp
def _checked_jvp(primals, tangents):
    (t,), (dt,) = primals, tangents
    return math.exp(t), 3.0 * math.exp(t) * dt


@custom_vjp
def squared(t):
    return t * t


squared.defvjp(lambda t: (t * t, t), lambda t, ct: (2.0 * t * ct,))


@pytest.mark.parametrize("function", [checked, squared], ids=["checked", "squared"])
def test_each_element_by_its_rule(function):
    def mapped(x):
        return np.sum(vmap(lambda t: t * function(t))(x))

    np.testing.assert_allclose(jit(mapped)(X), sum(t * function(t) for t in X))
    expected = np.array([grad(lambda t: t * function(t))(t) for t in X])
    np.testing.assert_allclose(grad(mapped)(X), expected)
    np.testing.assert_allclose(vmap(grad(lambda t: t * function(t)))(X), expected)
    assert jvp(mapped, (X,), (np.ones(37),))[1] == pytest.approx(np.sum(expected))


@pytest.mark.parametrize("made", MADE, ids=lambda m: m.name)
def test_batches_of_points(made):
    f = made.make(np, custom_jvp, custom_vjp, stop_gradient)
    (x,) = made.arguments
    points = np.stack([x * s for s in np.linspace(0.4, 1.1, 19)])
    expected = np.stack([grad(f)(p) for p in points])
    np.testing.assert_allclose(vmap(grad(f))(points), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grad(lambda q: np.sum(vmap(f)(q)))(points), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("made", [m for m in MADE if m.forward], ids=lambda m: m.name)
def test_patterns_hold_what_is_not_zero(made):
    f = made.make(np, custom_jvp, custom_vjp, stop_gradient)
    (x,) = made.arguments
    found = hessian(f, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), jacfwd(grad(f))(x), rtol=1e-9, atol=1e-9)


def test_patterns_of_elements():
    def f(x):
        out = np.zeros(len(x) - 1)
        for k in range(len(x) - 1):
            out[k] = checked(x[k]) * squared(x[k + 1]) * stop_gradient(x[0])
        return out

    found = jacobian(f, sparse=True)(X)
    assert found.nnz == 2 * 36
    np.testing.assert_allclose(found.toarray(), jacfwd(f)(X), rtol=1e-12)


def test_patterns_of_host_functions():
    def f(x):
        return host_call(np.cumsum, x, x, derivative="complex") + x

    found = jacobian(f, sparse=True)(X)
    np.testing.assert_allclose(found.toarray(), np.tri(37) + np.eye(37), atol=1e-12)


def test_jets_of_batches():
    found = vmap(lambda t: jet(lambda s: np.sin(s) * s, t, (1.0, 0.0))[1][1])(X)
    np.testing.assert_allclose(found, 0.5 * (2.0 * np.cos(X) - X * np.sin(X)))


@pytest.mark.parametrize("made", [m for m in MADE if m.forward], ids=lambda m: m.name)
def test_jets_of_mapped_functions(made):
    """Coefficients through a batch are those of its elements."""
    f = made.make(np, custom_jvp, custom_vjp, stop_gradient)
    (x,) = made.arguments
    v, zero = np.cos(x), 0.0 * x
    points = np.stack([x * s for s in np.linspace(0.4, 1.1, 19)])
    along = np.stack([v] * 19)
    value, found = jet(lambda q: vmap(f)(q), points, (along, 0.0 * along))
    each = [jet(f, p, (v, zero)) for p in points]
    np.testing.assert_allclose(value, [e[0] for e in each], rtol=1e-12)
    np.testing.assert_allclose(np.stack(found, axis=1), [e[1] for e in each], rtol=1e-11, atol=1e-12)

"""Taylor coefficients of functions with stated derivatives: by the rule, in loops, branches and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from custom_functions import MADE

from adcore import (
    RuleError,
    check_grads,
    custom_jvp,
    custom_rule,
    custom_vjp,
    grad,
    jet,
    jit,
    jvp,
    linearize,
    stop_gradient,
    straight_through,
    vmap,
)

OTHER = ("clipped", "clipped_by_constants", "by_argument")  # whose rules are not the derivatives
CONSISTENT = [m for m in MADE if m.forward and m.name not in OTHER]


def nested(f, x, v, order):
    """The derivatives of f(x + t v) by t at 0, by nested forward mode."""
    found = []
    for _ in range(order):
        f = (lambda g: lambda x: jvp(g, (x,), (v,))[1])(f)
        found.append(f(x))
    return found


@pytest.mark.parametrize("made", CONSISTENT, ids=lambda m: m.name)
def test_coefficients_are_nested_derivatives(made):
    f = made.make(np, custom_jvp, custom_vjp, stop_gradient)
    (x,) = made.arguments
    v = np.cos(x)
    value, found = jet(f, x, (v, 0.0 * v, 0.0 * v), scaling="derivatives")
    np.testing.assert_allclose(value, jit(f)(x), rtol=1e-14)
    np.testing.assert_allclose(found, nested(f, x, v, 3), rtol=1e-9, atol=1e-9)


@custom_jvp
def doubled(x):
    return math.exp(x)


@doubled.defjvp
def _doubled_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return math.exp(x), 2.0 * math.exp(x) * dx


@custom_vjp
def tenfold(x):
    return x * x


tenfold.defvjp(lambda x: (x * x, x), lambda x, ct: (10.0 * x * ct,))


@custom_rule
def root(x):
    y = math.sqrt(x)

    def pushforward(t):
        return 0.5 * t / y

    return y, pushforward


def test_the_rule_decides():
    """θz = L(x) θx: with z' = 2 exp(x) x', and with z' = 10 x x'."""
    e = math.exp(0.5)
    assert jet(doubled, 0.5, (1.0, 0.0))[1] == pytest.approx((2.0 * e, e))
    assert jet(tenfold, 0.5, (1.0, 0.0))[1] == pytest.approx((5.0, 5.0))
    assert jet(stop_gradient, 0.5, (1.0, 0.0))[1] == (0.0, 0.0)
    assert jet(lambda x: stop_gradient(x) * x, 0.5, (1.0, 2.0))[1] == (0.5, 1.0)
    assert jet(straight_through(np.round), 0.4, (1.0, 3.0))[1] == (1.0, 3.0)


def test_rules_inside_of_rules():
    """What a rule takes as a constant is one in all coefficients."""

    @custom_jvp
    def f(x):
        return x**3

    @f.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        return x**3, stop_gradient(3.0 * x * x) * dx + doubled(x) * dx

    e = math.exp(0.5)
    # θz = (0.75 + d(x)) θx, where d = exp(0.5) + 2 exp(0.5) t + … by the rule of `doubled`
    assert jet(f, 0.5, (1.0, 0.0))[1] == pytest.approx((0.75 + e, e))


def test_functions_that_rules_call_in_loops_and_batches():
    """θz = Σ d(x_k) cos(x_k) θx_k, where `doubled` has coefficients by its own rule."""

    @custom_jvp
    def f(x):
        return np.sum(x)

    @f.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        total = 0.0
        for k in range(len(x)):
            total += tenfold(x[k]) * dx[k]
        return np.sum(x), total

    @custom_jvp
    def g(x):
        return np.sum(x)

    @g.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        return np.sum(x), np.sum(vmap(tenfold)(x) * dx)

    x = np.linspace(0.1, 1.0, 40)
    # tenfold(x + t) = x² + 10 x t + …, so θz = Σ (x² + 10 x t) t
    expected = (np.sum(x * x), np.sum(10.0 * x) / 2.0)
    for h in (f, g):
        assert jet(h, x, (np.ones(40), np.zeros(40)))[1] == pytest.approx(expected)


def test_in_loops_and_branches():
    def f(x):
        for k in range(3):
            if x > 1.0 + k:
                x = root(x) + tenfold(x)
            while x > 50.0:
                x = root(x)
        return x * root(x)

    def plain(x):
        for k in range(3):
            if x > 1.0 + k:
                x = math.sqrt(x) + 5.0 * x * x - 4.0 * stop_gradient(x * x)
            while x > 50.0:
                x = math.sqrt(x)
        return x * math.sqrt(x)

    check_grads(root, (2.0,), order=3)
    for x in (1.3, 2.7, 5.0):
        assert jet(f, x, (1.0,))[1][0] == pytest.approx(grad(plain)(x), rel=1e-12)
        assert jet(f, x, (1.0,))[1][0] == pytest.approx(grad(f)(x), rel=1e-12)


def test_of_roots():
    series = jet(lambda x: root(x) * root(x), 2.0, (1.0, 0.5, -0.25, 2.0))
    assert series[0] == pytest.approx(2.0)
    assert series[1] == pytest.approx((1.0, 0.5, -0.25, 2.0), rel=1e-14)


def test_where_a_coefficient_is_infinite():
    """The tangent has no constant term: nothing is multiplied by a zero in its place."""

    @custom_jvp
    def cube_root(x):
        return np.cbrt(x)

    @cube_root.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        return np.cbrt(x), dx / (3.0 * np.cbrt(x) ** 2)

    assert jet(cube_root, 0.0, (1.0,))[1] == (math.inf,)


def test_other_transforms_around():
    def f(x):
        return jet(doubled, x, (1.0, 0.0))[1][1]  # exp(x), by the rule

    assert grad(f)(0.5) == pytest.approx(math.exp(0.5))
    assert linearize(f, 0.5)[1](1.0) == pytest.approx(math.exp(0.5))
    x = np.linspace(0.0, 1.0, 40)
    np.testing.assert_allclose(vmap(f)(x), np.exp(x))
    np.testing.assert_allclose(vmap(lambda t: jet(tenfold, t, (1.0,))[1][0])(x), 10.0 * x)


def test_pullbacks_that_are_not_linear():
    clipped = custom_vjp(lambda x: x)
    clipped.defvjp(lambda x: (x, None), lambda _, ct: (np.clip(ct, -1.0, 1.0),))
    with pytest.raises(RuleError, match="no forward mode"):
        jet(clipped, 0.5, (1.0,))

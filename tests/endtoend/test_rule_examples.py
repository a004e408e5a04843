"""Stated derivatives in the examples of JAX's documentation, and where perturbations may be confused."""

from __future__ import annotations

import functools
import math
from functools import partial

import numpy as np
import pytest

import adcore
from adcore import (
    check_grads,
    checkpoint,
    custom_jvp,
    custom_rule,
    custom_vjp,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    jvp,
    stop_gradient,
    straight_through,
    value_and_grad,
    vjp,
)
from adcore.rules import surrogates


def close(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


# JAX's documentation


@custom_jvp
def log1pexp(x):
    return math.log(1.0 + math.exp(x))


@log1pexp.defjvp
def log1pexp_jvp(primals, tangents):
    (x,) = primals
    (x_dot,) = tangents
    ans = log1pexp(x)
    return ans, (1.0 - 1.0 / (1.0 + math.exp(x))) * x_dot


def test_log1pexp():
    assert log1pexp(3.0) == math.log(1.0 + math.exp(3.0))
    assert grad(log1pexp)(100.0) == 1.0
    assert jit(grad(log1pexp))(100.0) == 1.0
    assert jvp(log1pexp, (100.0,), (2.0,)) == (100.0, 2.0)
    s = 1.0 / (1.0 + math.exp(-0.7))
    close(grad(grad(log1pexp))(0.7), s * (1.0 - s))
    close(grad(grad(grad(log1pexp)))(0.7), s * (1.0 - s) * (1.0 - 2.0 * s))
    check_grads(log1pexp, (0.7,), order=3)


@custom_jvp
def one_sided(x):
    return x / (1.0 + np.sqrt(x))


@one_sided.defjvp
def one_sided_jvp(primals, tangents):
    (x,) = primals
    (x_dot,) = tangents
    ans = one_sided(x)
    ans_dot = ((np.sqrt(x) + 2.0) / (2.0 * (np.sqrt(x) + 1.0) ** 2)) * x_dot
    return ans, ans_dot


def test_a_removable_singularity():
    assert math.isnan(grad(lambda x: x / (1.0 + np.sqrt(x)))(0.0))
    assert grad(one_sided)(0.0) == 1.0
    assert jvp(one_sided, (0.0,), (3.0,)) == (0.0, 3.0)
    check_grads(one_sided, (2.0,), order=3)


@partial(custom_vjp, nondiff_argnums=(0,))
def fixed_point(f, a, x_guess):
    x_prev, x = x_guess, f(a, x_guess)
    while abs(x_prev - x) > 1e-13:
        x_prev, x = x, f(a, x)
    return x


def fixed_point_fwd(f, a, x_init):
    x_star = fixed_point(f, a, x_init)
    return x_star, (a, x_star)


def fixed_point_rev(f, kept, x_star_bar):
    a, x_star = kept
    u = fixed_point(partial(rev_iter, f), (a, x_star, x_star_bar), x_star_bar)
    return grad(lambda a: f(a, x_star) * u)(a), 0.0 * x_star


def rev_iter(f, packed, u):
    a, x_star, x_star_bar = packed
    return x_star_bar + grad(lambda x: f(a, x))(x_star) * u


fixed_point.defvjp(fixed_point_fwd, fixed_point_rev)


def newton_sqrt(a):
    return fixed_point(lambda a, x: 0.5 * (x + a / x), a, a / 2.0)


def test_a_fixed_point():
    close(newton_sqrt(2.0), math.sqrt(2.0))
    close(grad(newton_sqrt)(2.0), 0.5 / math.sqrt(2.0))
    close(grad(grad(newton_sqrt))(2.0), -0.25 * 2.0**-1.5, 1e-10)
    close(grad(lambda a: newton_sqrt(a * a))(3.0), 1.0)


def average(a, x):
    return 0.5 * (x + a / x)


def test_functions_are_constants_from_outside_too():
    found = grad(fixed_point, argnums=1)(average, 2.0, 1.0)
    close(found, 0.5 / math.sqrt(2.0))


def test_functions_that_close_over_variables_are_refused():
    def f(a, b):
        return fixed_point(lambda a, x: 0.5 * (x + a * b / x), a, a / 2.0)

    with pytest.raises(adcore.UnsupportedFunctionError, match="closes over 'b'"):
        grad(f)(2.0, 1.0)


@custom_vjp
def clip_gradient(lo, hi, x):
    return x


clip_gradient.defvjp(
    lambda lo, hi, x: (x, (lo, hi)),
    lambda kept, g: (None, None, np.clip(g, kept[0], kept[1])),
)


def test_clipping():
    t = np.linspace(0.0, 10.0, 1000)
    close(grad(lambda t: np.sum(np.sin(clip_gradient(-0.75, 0.75, t))))(t), np.clip(np.cos(t), -0.75, 0.75))
    bound = 0.3
    close(grad(lambda t, b: np.sum(np.sin(clip_gradient(-b, b, t))))(t, bound), np.clip(np.cos(t), -0.3, 0.3))
    close(grad(lambda t, b: np.sum(np.sin(clip_gradient(-b, b, t))), 1)(t, bound), 0.0)


def clip_by_norm_backward(kept, g):
    norm = math.sqrt(np.sum(g * g))
    if norm > 1.0:
        g = g / norm
    return (g,)


@custom_vjp
def clip_by_norm(x):
    return x


clip_by_norm.defvjp(lambda x: (x, ()), clip_by_norm_backward)


def test_clipping_by_a_branch():
    x = np.array([3.0, 4.0])
    close(grad(lambda x: np.sum(clip_by_norm(x) ** 2))(x), [0.6, 0.8])
    close(grad(lambda x: np.sum(clip_by_norm(x) ** 2))(0.01 * x), 0.02 * x)


# Perturbations of nested derivatives


@custom_jvp
def plus(x, y):
    return x + y


plus.defjvps(lambda t, ans, x, y: t, lambda t, ans, x, y: t)


@custom_vjp
def times(x, y):
    return x * y


times.defvjp(lambda x, y: (times(x, y), (x, y)), lambda kept, g: (times(kept[1], g), times(kept[0], g)))


@custom_rule
def exponential(x):
    y = math.exp(x)

    def pushforward(t):
        return y * t

    return y, pushforward


@custom_jvp
def exponential_again(x):
    return math.exp(x)


@exponential_again.defjvp
def exponential_again_jvp(primals, tangents):
    y = exponential_again(primals[0])
    return y, y * tangents[0]


def forward(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


MODES = pytest.mark.parametrize("outer", [grad, forward, jacfwd, jacrev])
INNER = pytest.mark.parametrize("inner", [grad, forward])


@MODES
@INNER
def test_siskind_and_pearlmutter(outer, inner):
    """d/dx (x · d/dy (x + y) at y = 1) at x = 1 is 1, and 2 where the two perturbations are confused."""
    assert outer(lambda x: x * inner(lambda y: plus(x, y))(1.0))(1.0) == 1.0
    assert outer(lambda x: times(x, inner(lambda y: plus(x, y))(1.0)))(1.0) == 1.0
    assert outer(lambda x: times(x, inner(lambda y: times(x, y))(1.0)))(3.0) == 6.0


@MODES
@INNER
@pytest.mark.parametrize("h", [exponential, exponential_again], ids=["custom_rule", "custom_jvp"])
def test_manzyuk(outer, inner, h):
    """The derivative of a shift, twice: D (D exp) (1) = e, where D f x = d/du f(x + u) at u = 0."""

    def twice(x):
        return inner(lambda u: inner(lambda v: h(plus(plus(x, u), v)))(0.0))(0.0)

    close(twice(1.0), math.e)
    close(outer(twice)(1.0), math.e)


@MODES
@INNER
def test_derivatives_inside_of_rules(outer, inner):
    """A rule that differentiates, with the variable of the derivative around it."""

    @custom_jvp
    def cube(x):
        return x * x * x

    @cube.defjvp
    def cube_jvp(primals, tangents):
        (x,) = primals
        return cube(x), inner(lambda y: times(x, times(y, y)))(x) * 1.5 * tangents[0]

    assert outer(cube)(2.0) == 12.0
    assert outer(lambda x: inner(cube)(x))(2.0) == 12.0
    assert outer(lambda x: inner(lambda y: cube(y) * x)(x))(2.0) == 36.0


def test_both_arguments_of_rules_by_argument():
    assert grad(lambda x: plus(x, times(x, x)))(3.0) == 7.0
    assert jvp(lambda x: plus(x, times(x, x)), (3.0,), (1.0,)) == (12.0, 7.0)
    assert grad(grad(lambda x: times(plus(x, x), plus(x, x))))(3.0) == 8.0


def test_carries_that_the_derivative_reaches_late():
    """The argument of the first call depends on x from the third iteration on."""

    def f(x, n):
        s, v, w = 0.0, 0.5, 0.25
        for _ in range(n):
            s = plus(s, exponential_again(w))
            w = exponential_again(v)
            v = times(x, v)
        return s

    def by_hand(x):
        total, v = math.exp(0.25), 0.5
        for k in range(4):
            total += math.exp(math.exp(v * x**k))
        return total

    h = 1e-6
    expected = (by_hand(0.4 + h) - by_hand(0.4 - h)) / (2.0 * h)
    close(f(0.4, 5), by_hand(0.4))
    close(grad(f)(0.4, 5), expected, 1e-8)
    close(jvp(lambda x: f(x, 5), (0.4,), (1.0,))[1], expected, 1e-8)


def test_three_levels():
    def f(x):
        return grad(lambda y: times(y, grad(lambda z: times(times(x, y), times(z, z)))(y)))(x)

    # z-derivative at y: 2xy², so y·2xy² has the derivative 6xy² = 6x³, whose own is 18x²
    close(grad(f)(2.0), 72.0)
    close(jvp(f, (2.0,), (1.0,)), (48.0, 72.0))


# stop_gradient, straight_through


def test_stopped_in_loops():
    def f(x, n):
        s = 0.0
        for i in range(n):
            s = s * stop_gradient(s) + x * (i + 1.0)
        return s

    def by_hand(x, n):
        s, t = 0.0, 0.0
        for i in range(n):
            s, t = s * s + x * (i + 1.0), t * s + (i + 1.0)
        return t

    close(grad(f)(0.3, 4), by_hand(0.3, 4))
    close(jvp(lambda x: f(x, 4), (0.3,), (1.0,))[1], by_hand(0.3, 4))
    close(vjp(lambda x: f(x, 4), 0.3)[1](1.0)[0], by_hand(0.3, 4))


def test_stopped_trees():
    tree = {"a": np.array([1.0, 2.0]), "b": (3.0, 4, "name", None), "c": [np.float32(0.5)]}
    found = stop_gradient(tree)
    assert found["b"] == (3.0, 4, "name", None)
    close(found["a"], tree["a"])

    def f(tree):
        kept = stop_gradient(tree)
        return np.sum(tree["a"] * kept["a"]) + kept["b"][0] * tree["b"][0] * kept["b"][1]

    g = grad(f)(tree)
    close(g["a"], tree["a"])
    assert g["b"][0] == 12.0
    assert g["c"][0] == 0.0


def test_stopped_stays_stopped():
    for second in (grad(grad(lambda x: x * x * stop_gradient(x * x))), hessian(lambda x: x * x * stop_gradient(x * x))):
        close(second(3.0), 18.0)


def test_in_place_of_what_was_stopped():
    def f(x):
        y = stop_gradient(x)
        y[0] = x[1] * 2.0
        return np.sum(y * x)

    close(grad(f)(np.array([1.0, 2.0, 3.0])), [4.0, 4.0, 3.0])


@pytest.mark.parametrize("function", [np.round, np.floor, lambda y: float(int(y)), lambda y: 1.0 if y > 0.0 else -1.0])
def test_straight_through(function):
    f = straight_through(function)
    for x in (-1.7, 0.4, 2.6):
        assert f(x) == function(x)
        assert grad(lambda x: f(x) ** 2 + x)(x) == 2.0 * function(x) + 1.0
        assert jvp(f, (x,), (3.0,)) == (function(x), 3.0)
    assert grad(grad(lambda x: f(x) ** 2))(2.6) == 2.0


def test_straight_through_inside():
    def f(x):
        y = straight_through(np.round)(x) + straight_through(lambda z: np.floor(z / 0.5) * 0.5)(x)
        return np.sum(y * y)

    x = np.array([0.3, 1.8])
    y = np.round(x) + np.floor(x / 0.5) * 0.5
    close(grad(f)(x), 4.0 * y)
    assert [name for name, place in surrogates(adcore.program(f, x))] == ["round", "<lambda>"]
    assert all("straight_through" in place.text for _, place in surrogates(adcore.program(f, x)))


# Other things in rules


def test_writes_in_rules():
    @custom_jvp
    def running(x):
        y = np.empty(len(x))
        s = 0.0
        for i in range(len(x)):
            s += x[i] * x[i]
            y[i] = s
        return y

    @running.defjvp
    def running_jvp(primals, tangents):
        x, t = primals[0], tangents[0]
        y, dy = np.empty(len(x)), np.empty(len(x))
        s = ds = 0.0
        for i in range(len(x)):
            t[i] *= 2.0
            s += x[i] * x[i]
            ds += x[i] * t[i]
            y[i] = s
            dy[i] = ds
        return y, dy

    check_grads(running, (np.array([0.5, -1.0, 2.0]),), order=2)
    x = np.array([0.5, -1.0, 2.0])
    v = np.ones(3)
    jvp(running, (x,), (v,))
    assert np.all(v == 1.0)


def test_integers_have_no_tangent():
    seen = []

    @custom_jvp
    def power(x, n):
        y = 1.0
        for _ in range(n):
            y = y * x
        return y, n + 1

    @power.defjvp
    def power_jvp(primals, tangents):
        (x, n), (t, none) = primals, tangents
        if none is not None:
            raise ValueError
        return power(x, n), (n * power(x, n - 1)[0] * t, None)

    @custom_vjp
    def scaled(x, n):
        return x * n

    scaled.defvjp(lambda x, n: (x * n, n), lambda n, g: (n * g, None))
    assert seen == []
    assert jvp(lambda x: power(x, 3), (2.0,), (1.0,)) == ((8.0, 4), (12.0, None))
    assert grad(lambda x, n: power(x, n)[0] * power(x, n)[1])(2.0, 3) == 48.0
    assert grad(grad(lambda x, n: power(x, n)[0]))(2.0, 3) == 12.0
    assert grad(scaled)(2.0, 3) == 3.0


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_dtypes(dtype):
    @custom_jvp
    def f(x):
        return x * x

    f.defjvps(lambda t, y, x: 2 * x * t)

    @custom_vjp
    def g(x):
        return x * x

    g.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
    x = np.array([1.5, 0.5], dtype)
    if dtype is np.complex128:
        x = x * (1.0 + 2.0j)
    for h in (f, g):
        out, tangent = jvp(h, (x,), (x,))
        assert out.dtype == tangent.dtype == dtype
        close(tangent, 2 * x * x)
        cotangent = vjp(h, x)[1](x)[0]
        assert cotangent.dtype == dtype
        close(cotangent, 2 * x * x)


def test_one_of_several_results():
    @custom_vjp
    def f(x, y):
        return x * y, (x + y, 3)

    def backward(kept, ct):
        x, y = kept
        first, (second, none) = ct
        assert none is None
        return y * first + second, x * first + second

    f.defvjp(lambda x, y: (f(x, y), (x, y)), backward)
    assert grad(lambda x, y: f(x, y)[0], (0, 1))(2.0, 3.0) == (3.0, 2.0)
    assert grad(lambda x, y: f(x, y)[1][0], (0, 1))(2.0, 3.0) == (1.0, 1.0)
    assert jvp(f, (2.0, 3.0), (1.0, 0.0)) == ((6.0, (5.0, 3)), (3.0, (1.0, None)))
    assert value_and_grad(lambda x: f(x, x)[0] * f(x, 1.0)[1][0])(2.0) == (12.0, 16.0)


def test_defaults_keywords_and_variable_arguments():
    @custom_jvp
    def f(x, y=2.0):
        return x * y

    f.defjvps(lambda t, ans, x, y: 10.0 * y * t, lambda t, ans, x, y: x * t)

    @custom_jvp
    def total(*xs):
        return sum(xs)

    @total.defjvp
    def total_jvp(primals, tangents):
        return total(*primals), 3.0 * sum(tangents)

    assert f(3.0) == 6.0
    assert grad(f)(3.0) == 20.0
    assert grad(lambda x: f(y=x, x=1.0))(3.0) == 1.0
    assert grad(lambda x: total(x, x, 1.0))(2.0) == 6.0


class Model:
    def __init__(self):
        self.scale = 2.0


def test_rules_read_what_is_outside_at_every_call():
    weights = np.array([1.0, 2.0])

    @custom_vjp
    def f(x):
        return np.sum(x)

    f.defvjp(lambda x: (np.sum(x), ()), lambda _, g: (weights * g,))
    x = np.array([5.0, 6.0])
    h = grad(lambda x: f(x) * 2.0)
    close(h(x), [2.0, 4.0])
    weights[1] = 7.0
    close(h(x), [2.0, 14.0])
    weights = np.array([3.0, 3.0])
    close(h(x), [6.0, 6.0])
    close(vjp(f, x)[1](1.0)[0], [3.0, 3.0])
    assert adcore.memory(grad(f), x).total == 0


def test_rules_read_several_things_from_outside():
    first, second = 2.0, 5.0

    @custom_jvp
    def f(x):
        return x

    @f.defjvp
    def f_jvp(primals, tangents):
        return primals[0], (first - 3.0 * second) * tangents[0]

    h = grad(lambda x: f(x) * 1.0)
    assert h(1.0) == -13.0
    first = 4.0
    assert h(1.0) == -11.0
    assert grad(lambda x: grad(lambda y: f(x * y))(2.0))(1.0) == -11.0


def test_rules_notice_other_helpers():
    def double(x):
        return 2.0 * x

    def triple(x):
        return 3.0 * x

    helper = double

    @custom_jvp
    def f(x):
        return x

    @f.defjvp
    def f_jvp(primals, tangents):
        return primals[0], helper(tangents[0])

    h = grad(lambda x: f(x) * 1.0)
    assert h(1.0) == 2.0
    helper = triple
    assert h(1.0) == 3.0


def test_transforms_of_functions_with_rules():
    assert "def " in adcore.source(grad(log1pexp), 1.0)
    assert "custom" not in adcore.source(log1pexp, 1.0)
    close(grad(checkpoint(log1pexp))(1.0), 1.0 / (1.0 + math.exp(-1.0)))
    assert log1pexp.__name__ == "log1pexp"
    assert adcore.memory(grad(log1pexp), 1.0).total >= 0
    x = np.array([1.0, 2.0])
    close(grad(lambda x: np.sum(one_sided(x)))(x), [grad(one_sided)(v) for v in x])


def test_rules_of_methods_and_partials():
    @functools.partial(custom_jvp, nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    @power.defjvp
    def power_jvp(n, primals, tangents):
        return power(primals[0], n), n * primals[0] ** (n - 1) * tangents[0]

    assert grad(power)(2.0, 3) == 12.0
    assert grad(lambda x: power(x, 3))(2.0) == 12.0
    assert grad(grad(lambda x: power(x, 3)))(2.0) == 12.0

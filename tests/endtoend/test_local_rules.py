"""Stated derivatives of functions defined inside of what is compiled: beside JAX on the same text; refusals."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from custom_functions import MADE

import adcore
from adcore import (
    RuleError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
    custom_jvp,
    custom_rule,
    custom_vjp,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jet,
    jit,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from adcore import program as program_of
from adcore.sparse import sparse_jacobian
from adcore.verify import verify

# Each rule has a factor that is not the function's, so that it shows whether it is used.  All are of a number and a
# constant that local functions close over.


def statement(np, custom_jvp, custom_vjp):
    def f(x, k):
        @custom_jvp
        def g(u):
            return np.sin(u) * k

        def g_jvp(primals, tangents):
            (u,), (t,) = primals, tangents
            return g(u), 3.0 * np.cos(u) * k * t

        g.defjvp(g_jvp)
        return g(x) * x

    return f


def decorator(np, custom_jvp, custom_vjp):
    def f(x, k):
        scaled = k * k

        @custom_jvp
        def g(u, v):
            return np.sin(u) * scaled * v

        @g.defjvp
        def g_jvp(primals, tangents):
            u, v = primals
            t, s = tangents
            return g(u, v), 3.0 * np.cos(u) * scaled * t * v + np.sin(u) * scaled * s

        return g(x, x * x) + g(2.0, x)

    return f


def by_argument(np, custom_jvp, custom_vjp):
    def f(x, k):
        @custom_jvp
        def g(u, v):
            return np.exp(u * 0.3) * v

        g.defjvps(lambda t, y, u, v: k * y * t, None)
        return g(x, x * x)

    return f


def of_a_lambda(np, custom_jvp, custom_vjp):
    def f(x, k):
        g = custom_jvp(lambda u: u * u * k)
        g.defjvp(lambda p, t: (g(*p), 3.0 * k * p[0] * t[0]))
        return g(x) + np.sum(g(x * np.ones(3)))

    return f


def with_constants(np, custom_jvp, custom_vjp):
    def f(x, k):
        @functools.partial(custom_jvp, nondiff_argnums=(1,))
        def power(u, n):
            return u**n * k

        @power.defjvp
        def rule(n, primals, tangents):
            return power(primals[0], n), 3.0 * n * primals[0] ** (n - 1) * tangents[0] * k

        return power(x, 3) + power(x, 2)

    return f


def reverse(np, custom_jvp, custom_vjp):
    def f(x, k):
        @custom_vjp
        def g(u, v):
            return np.sin(u) * k * v

        def forward(u, v):
            return g(u, v), (u, v)

        def backward(kept, c):
            u, v = kept
            return 3.0 * np.cos(u) * k * v * c, np.sin(u) * k * c

        g.defvjp(forward, backward)
        return g(x, x) * x

    return f


def reverse_lambdas(np, custom_jvp, custom_vjp):
    def f(x, k):
        g = custom_vjp(lambda u: u * u)
        g.defvjp(lambda u: (g(u), u), lambda u, c: (k * u * c,))
        return g(g(x))

    return f


def through_helpers(np, custom_jvp, custom_vjp):
    def f(x, k):
        def slope(u):
            return wave(u) * k

        def wave(u):
            return np.cos(u)

        @custom_jvp
        def g(u):
            return np.sin(u) * 2.0

        def call(u):
            return g(u) + 1.0

        @g.defjvp
        def g_jvp(primals, tangents):
            return g(primals[0]), slope(primals[0]) * tangents[0]

        def twice(u):
            return call(call(u))

        return twice(x)

    return f


def in_a_loop(np, custom_jvp, custom_vjp):
    def f(x, k):
        y = x
        for i in range(3):
            scale = k + i

            @custom_jvp
            def g(u):
                return np.sin(u) * scale  # noqa: B023 - the rule's value is that of this iteration

            @g.defjvp
            def g_jvp(primals, tangents):
                return g(primals[0]), 3.0 * np.cos(primals[0]) * scale * tangents[0]  # noqa: B023

            y = y + g(y)
        return y

    return f


def called_in_a_loop(np, custom_jvp, custom_vjp):
    def f(x, k):
        @custom_vjp
        def g(u, w):
            return np.sin(u) * w

        def forward(u, w):
            return g(u, w), (u, w)

        def backward(kept, c):
            return k * np.cos(kept[0]) * kept[1] * c, None

        g.defvjp(forward, backward)
        y = x
        for i in range(4):
            y = y + g(y, 1.0 + i)
        return y

    return f


def rebound_afterwards(np, custom_jvp, custom_vjp):
    def f(x, k):
        @custom_jvp
        def g(u):
            return np.sin(u)

        @g.defjvp
        def g_jvp(primals, tangents):
            return g(primals[0]), factor * np.cos(primals[0]) * tangents[0]

        factor = 3.0 * k
        y = g(x)
        factor = 5.0 * k
        return y * g(x)

    return f


def in_containers(np, custom_jvp, custom_vjp):
    def f(x, k):
        table = {"a": k, "b": (k * k, np.ones(3) * k)}

        @custom_jvp
        def g(p):
            return {"s": p[0] * np.sum(table["b"][1]), "t": p[1] * table["a"]}

        @g.defjvp
        def g_jvp(primals, tangents):
            (t,) = tangents
            return g(*primals), {"s": 3.0 * t[0] * table["a"], "t": t[1] * table["b"][0]}

        found = g((x, x * x))
        return found["s"] * found["t"]

    return f


def of_one_another(np, custom_jvp, custom_vjp):
    def f(x, k):
        @custom_jvp
        def inner(u):
            return u * u

        inner.defjvp(lambda p, t: (inner(*p), k * p[0] * t[0]))

        @custom_jvp
        def outer(u):
            return inner(u) * u

        @outer.defjvp
        def rule(primals, tangents):
            return outer(*primals), 5.0 * inner(primals[0]) * tangents[0]

        return outer(x) + inner(x)

    return f


EXAMPLES = (
    statement,
    decorator,
    by_argument,
    of_a_lambda,
    with_constants,
    reverse,
    reverse_lambdas,
    through_helpers,
    in_a_loop,
    called_in_a_loop,
    rebound_afterwards,
    in_containers,
    of_one_another,
)
every = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.__name__)
X, K = 0.7, 1.3


def ours(example):
    return example(np, custom_jvp, custom_vjp)


def pair(example, jax):
    return ours(example), example(jax.numpy, jax.custom_jvp, jax.custom_vjp)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@every
def test_values_and_derivatives(example, jax):
    f, theirs = pair(example, jax)
    value, expected = value_and_grad(f)(X, K), jax.value_and_grad(theirs)(X, K)
    close(jit(f)(X, K), theirs(X, K))
    close(value, expected)
    close(vjp(lambda x: f(x, K), X)[1](1.0)[0], expected[1])
    close(jvp(lambda x: f(x, K), (X,), (2.0,))[1], 2.0 * expected[1])


@every
def test_second_derivatives(example, jax):
    f, theirs = pair(example, jax)
    expected = jax.grad(jax.grad(theirs))(X, K)
    for second in (grad(grad(f)), hessian(f), jacrev(grad(f)), jacfwd(grad(f)), jacfwd(jacfwd(f))):
        close(second(X, K), expected)


@every
def test_third_derivatives(example, jax):
    f, theirs = pair(example, jax)
    close(grad(grad(grad(f)))(X, K), jax.grad(jax.grad(jax.grad(theirs)))(X, K))


@every
def test_many_at_once(example, jax):
    f, theirs = pair(example, jax)
    xs, ks = np.array([0.3, 0.7, 1.1]), np.array([1.3, 0.2, 0.9])
    for axes in ((0, None), (0, 0)):
        k = ks if axes[1] == 0 else K
        close(vmap(f, axes)(xs, k), jax.vmap(theirs, axes)(xs, k))
        close(vmap(grad(f), axes)(xs, k), jax.vmap(jax.grad(theirs), axes)(xs, k))
        expected = jax.vmap(jax.grad(jax.grad(theirs)), axes)(xs, k)
        close(vmap(grad(grad(f)), axes)(xs, k), expected)
        mapped = vmap(grad(f), axes)
        close(grad(lambda x, mapped=mapped, k=k: np.sum(mapped(x, k)))(xs), expected)


@every
def test_jets_are_the_derivatives(example):
    f = ours(example)
    first, second = grad(f)(X, K), grad(grad(f))(X, K)
    close(jet(lambda x: f(x, K), X, (1.0, 0.0))[1], (first, second / 2.0))


@every
def test_programs_are_well_formed(example):
    f = ours(example)
    for function in (f, grad(f), grad(grad(f))):
        verify(program_of(function, X, K))
        verify(program_of(vmap(function), np.ones(3), np.ones(3)))


@every
def test_inside_of_a_compiled_function(example, jax):
    f, theirs = pair(example, jax)

    def whole(x, k):
        return grad(f)(x, k) * x

    close(jit(whole)(X, K), X * jax.grad(theirs)(X, K))
    close(grad(whole)(X, K), jax.grad(lambda x: jax.grad(theirs)(x, K) * x)(X))


@pytest.mark.parametrize("made", MADE, ids=lambda m: m.name)
def test_the_same_as_outside(made):
    """Functions that are stated outside, made by each call instead."""
    make, x = made.make, made.arguments[0]
    outside = make(np, custom_jvp, custom_vjp, stop_gradient)

    def inside(x):
        return make(np, custom_jvp, custom_vjp, stop_gradient)(x)

    close(jit(inside)(x), jit(outside)(x))
    close(grad(inside)(x), grad(outside)(x))
    close(jacrev(grad(inside))(x), jacrev(grad(outside))(x))
    close(vmap(grad(inside))(np.stack([x, 0.5 * x])), vmap(grad(outside))(np.stack([x, 0.5 * x])))
    if made.forward:
        close(jvp(inside, (x,), (np.cos(x),))[1], jvp(outside, (x,), (np.cos(x),))[1])
        path = (np.cos(x), np.sin(x))
        for ours, theirs in zip(jet(inside, x, path)[1], jet(outside, x, path)[1], strict=True):
            close(ours, theirs)


# What JAX has not: linearizations, branches and loops of any length, transforms of such functions


def linearization(x, k):
    @custom_rule
    def root(u):
        y = np.sqrt(u) + 0.0 * len("k")

        def pushforward(t):
            return 0.5 * k * t / y

        return y, pushforward

    return root(x) * x


def linearization_plain(x, k):
    return np.sqrt(x) * x


def test_linearizations():
    slope = K * 0.5 / np.sqrt(X) * X + np.sqrt(X)
    close(jit(linearization)(X, K), np.sqrt(X) * X)
    close(grad(linearization)(X, K), slope)
    close(jvp(lambda x: linearization(x, K), (X,), (2.0,))[1], 2.0 * slope)
    exact = lambda x: linearization(x, 1.0)  # noqa: E731
    plain = lambda x: linearization_plain(x, 1.0)  # noqa: E731
    close(grad(grad(exact))(X), grad(grad(plain))(X))
    close(vmap(grad(grad(exact)))(np.array([0.3, 2.0])), vmap(grad(grad(plain)))(np.array([0.3, 2.0])))
    close(jet(exact, X, (1.0, 0.0, 0.0))[1], jet(plain, X, (1.0, 0.0, 0.0))[1])


def newton(a, n):
    @custom_rule
    def root(a):
        x = 1.0
        while abs(x * x - a) > 1e-13:
            x = 0.5 * (x + a / x)

        def pushforward(t):
            return 0.5 * t / x

        return x, pushforward

    total = 0.0
    for i in range(n):
        if i % 2 == 0:
            total += root(a + i)
        else:
            total -= root(a) * root(a * i)
    return total


def test_loops_and_branches_of_run_time():
    def plain(a, n):
        return sum(np.sqrt(a + i) if i % 2 == 0 else -np.sqrt(a) * np.sqrt(a * i) for i in range(n))

    assert newton(2.0, 5) == pytest.approx(plain(2.0, 5))
    for n in (0, 1, 5):
        exact = sum(0.5 / np.sqrt(2.0 + i) if i % 2 == 0 else -np.sqrt(i) for i in range(n))
        close(jit(newton)(2.0, n), plain(2.0, n))
        close(grad(newton)(2.0, n), exact)
        close(jvp(lambda a, n=n: newton(a, n), (2.0,), (1.0,))[1], exact)
        curvature = sum(-0.25 / (2.0 + i) ** 1.5 for i in range(0, n, 2))
        close(grad(grad(newton))(2.0, n), curvature)


def test_transforms_of_local_functions():
    def f(x, k):
        @custom_jvp
        def g(u):
            return np.sin(u) * k

        g.defjvp(lambda p, t: (g(*p), 3.0 * np.cos(p[0]) * k * t[0]))
        value, slope = jvp(g, (x,), (1.0,))
        many = vmap(g)(x * np.ones(2))
        return value + 10.0 * slope + 100.0 * grad(g)(x) + 1000.0 * np.sum(many) + grad(grad(g))(x)

    s, c = np.sin(X) * K, np.cos(X) * K
    close(jit(f)(X, K), s + 330.0 * c + 2000.0 * s - 3.0 * s)
    close(grad(lambda k: jit(lambda k: grad_of_scaled(k))(k))(K), 3.0 * np.cos(X))


def grad_of_scaled(k):
    """The derivative of a local function, which goes through what that closes over."""

    @custom_jvp
    def g(u):
        return np.sin(u) * k

    g.defjvp(lambda p, t: (g(*p), 3.0 * np.cos(p[0]) * k * t[0]))
    return grad(g)(0.7)


def chosen(x, n):
    @custom_jvp
    def g(u):
        return np.sin(u)

    k = 5.0
    if n > 2:
        k = 3.0 * n

    @g.defjvp
    def rule(primals, tangents):
        return g(*primals), k * np.cos(primals[0]) * tangents[0]

    if x > 0.0:
        return g(x)
    return -g(x)


def test_values_of_branches_in_rules():
    for n, k in ((1, 5.0), (4, 12.0)):
        close(grad(chosen)(X, n), k * np.cos(X))
        close(grad(chosen)(-X, n), -k * np.cos(X))


def test_only_rules_read_it():
    """The value does not depend on what only a rule reads; the derivative does."""

    def f(x, k):
        @custom_vjp
        def clipped(u):
            return u * 2.0

        clipped.defvjp(lambda u: (u * 2.0, None), lambda _, c: (k * c,))
        return clipped(x)

    assert grad(f, (0, 1))(X, K) == (K, 0.0)
    assert grad(lambda k: grad(f)(X, k))(K) == 1.0


@pytest.mark.parametrize("kind", ["jvp", "jvps", "vjp", "rule"])
def test_only_rules_read_what_moves(kind):
    """The argument does not move, and what the rule reads does."""

    def f(x, k):
        if kind == "rule":
            g = custom_rule(lambda u: (u * u, lambda t: k * t))
        elif kind == "vjp":
            g = custom_vjp(lambda u: u * u)
            g.defvjp(lambda u: (u * u + 0.0 * k, k), lambda kept, c: (k * kept * c,))
        else:
            g = custom_jvp(lambda u: u * u)
            if kind == "jvp":
                g.defjvp(lambda p, t: (g(*p), k * t[0]))
            else:
                g.defjvps(lambda t, y, u: k * t)
        return g(2.0) * x + g(x)

    slope = K * K if kind == "vjp" else K
    close(grad(f, (0, 1))(X, K), (4.0 + slope, 0.0))
    close(jacfwd(f, (0, 1))(X, K), (4.0 + slope, 0.0))
    close(jvp(f, (X, K), (1.0, 1.0))[1], 4.0 + slope)
    close(jacrev(grad(f), 1)(X, K), 2.0 * K if kind == "vjp" else 1.0)
    close(jacfwd(grad(f), 1)(X, K), 2.0 * K if kind == "vjp" else 1.0)
    close(vmap(grad(f), (None, 0))(X, np.array([K, K])), [4.0 + slope] * 2)


def test_integers_complex_numbers_and_trees():
    def f(z, n, p):
        weights = {"a": np.array([1.0, 2.0]), "n": n}

        @custom_jvp
        def g(z, n, p):
            return {"z": z * z * weights["n"], "m": n + 1}, p[0] * weights["a"]

        @g.defjvp
        def rule(primals, tangents):
            (z, n, p), (t, none, s) = primals, tangents
            assert none is None
            return g(z, n, p), ({"z": 3.0 * z * t * weights["n"], "m": None}, 5.0 * s[0] * weights["a"])

        found, other = g(z, n, p)
        return np.real(found["z"]) * found["m"] + np.sum(other) + p[1]

    z = 0.3 + 0.4j
    close(grad(f)(z, 2, (1.0, 2.0)), 9.0 * grad(lambda z: np.real(z * z))(z))
    close(grad(f, 2)(z, 2, (1.0, 2.0)), (15.0, 1.0))


def test_whoever_wants_values_does_not_run_the_rule():
    def f(x):
        g = custom_jvp(lambda u: u * u)
        g.defjvp(lambda p, t: nothing_of_that_name)  # noqa: F821
        return g(x)

    assert jit(f)(3.0) == 9.0
    with pytest.raises(UnsupportedSyntaxError, match="nothing_of_that_name"):
        grad(f)(3.0)


def test_functions_from_outside():
    def square(u):
        return u * u

    def rule(primals, tangents):
        return square(*primals), 3.0 * tangents[0]

    def f(x):
        g = custom_jvp(square)
        g.defjvp(rule)
        return g(x)

    assert grad(f)(2.0) == 3.0

    def linearized(u):
        return u * u, lambda t: 3.0 * t

    assert grad(lambda x: custom_rule(linearized)(x))(2.0) == 3.0


def test_arrays_that_are_written_afterwards():
    def f(x):
        a = np.zeros(3)
        a[1] = 2.0

        @custom_jvp
        def g(u):
            return np.sum(u * a)

        g.defjvp(lambda p, t: (g(*p), np.sum(t[0] * (a + 1.0))))
        y = g(x)
        a[1] = 7.0
        return y * 10.0 + g(x)

    close(jit(f)(np.ones(3)), 27.0)
    close(grad(f)(np.ones(3)), [11.0, 38.0, 11.0])


def helpers(x, k):
    def make(c, slope):
        @custom_jvp
        def g(u):
            return np.sin(u) * c

        @g.defjvp
        def rule(primals, tangents):
            return g(*primals), k * slope(primals[0]) * tangents[0]

        return g

    def apply(function, u):
        return function(u)

    one = make(2.0, lambda u: 2.0 * np.cos(u))
    other = make(3.0, lambda u: one(u))
    kept = {"one": one}
    return apply(one, x) + other(x) + kept["one"](x) + sum([g(x) for g in (one, other)])


def test_functions_as_values():
    s, c = np.sin(X), np.cos(X)
    close(jit(helpers)(X, K), 12.0 * s)
    close(grad(helpers)(X, K), 3.0 * K * 2.0 * c + 2.0 * K * 2.0 * s)
    second = -3.0 * K * 2.0 * s + 2.0 * K * K * 2.0 * c
    close(grad(grad(helpers))(X, K), second)
    close(jet(lambda x: helpers(x, K), X, (1.0, 0.0))[1][1], second / 2.0)


def defaults(x, k):
    @custom_jvp
    def g(u, w=k):
        return u * w

    @g.defjvp
    def rule(primals, tangents):
        return g(*primals), 3.0 * (tangents[0] * primals[1] + primals[0] * tangents[1])

    return g(x)


def test_defaults_are_arguments():
    assert grad(defaults, (0, 1))(3.0, 4.0) == (12.0, 9.0)


def counted(x):
    n = 1.0

    def more():
        nonlocal n
        n = n + 1.0

    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: (g(*p), n * t[0]))
    more()
    y = g(x)
    more()
    return y * 10.0 + g(x)


def test_rules_see_what_holds_at_the_call():
    assert grad(counted)(1.0) == 23.0


def test_partials_and_static_functions():
    def f(x, k):
        def scaled(c, primals, tangents):
            return g(*primals), c * tangents[0]

        g = custom_jvp(grad(lambda u: u**3))
        g.defjvp(functools.partial(scaled, k))

        @functools.partial(custom_vjp, nondiff_argnums=(0,))
        def apply(function, u):
            return function(u)

        apply.defvjp(lambda function, u: (function(u), u), lambda function, u, c: (7.0 * c,))
        return g(x) + apply(np.sin, x) + apply(lambda v: v * 2.0, x)

    close(jit(f)(X, K), 3.0 * X * X + np.sin(X) + 2.0 * X)
    assert grad(f)(X, 5.0) == 19.0


def test_checkpoints_and_sparse_jacobians():
    def f(x):
        weights = np.arange(3.0)

        @adcore.checkpoint
        def inner(u):
            g = custom_jvp(lambda v: np.sin(v) * weights)
            g.defjvp(lambda p, t: (g(*p), 3.0 * np.cos(p[0]) * weights * t[0]))
            return g(u) * u

        return inner(x)

    x, w = np.array([0.3, 0.7, 1.1]), np.arange(3.0)
    expected = np.diag(w * (np.sin(x) + 3.0 * np.cos(x) * x))
    close(jacrev(f)(x), expected)
    close(sparse_jacobian(f)(x).toarray(), expected)


# Wrong use


def says(function, *arguments, error, parts):
    with pytest.raises(error) as found:
        function(*arguments)
    message = str(found.value)
    for part in ("test_local_rules.py", *parts):
        assert part in message, message


def active_closure(x):
    y = x * 2.0
    g = custom_jvp(lambda u: u * y)
    g.defjvp(lambda p, t: (g(*p), y * t[0]))
    return g(x)


def active_closure_reverse(x):
    y = x * 2.0

    @custom_vjp
    def g(u):
        return u * y

    g.defvjp(lambda u: (u * y, u), lambda u, c: (y * c,))
    return g(3.0)


def active_closure_rule(x):
    @custom_rule
    def g(u):
        return u * x, lambda t: t * x

    return g(x)


def active_in_a_list(x):
    kept = [x, 2.0]
    g = custom_jvp(lambda u: u * kept[0])
    g.defjvp(lambda p, t: (g(*p), t[0]))
    return g(x)


def missing(x):
    @custom_jvp
    def g(u):
        return u * u

    return g(x)


def too_late(x):
    @custom_jvp
    def g(u):
        return u * u

    y = g(x)
    g.defjvp(lambda p, t: (g(*p), t[0]))
    return y


def twice(x):
    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: (g(*p), t[0]))
    g.defjvp(lambda p, t: (g(*p), t[0]))
    return g(x)


def twice_reverse(x):
    g = custom_vjp(lambda u: u * u)
    for _ in (1, 2):
        g.defvjp(lambda u: (u * u, u), lambda u, c: (u * c,))
    return g(x)


def stated_in_a_loop(x):
    g = custom_jvp(lambda u: u * u)
    for _ in range(1):
        g.defjvp(lambda p, t: (g(*p), t[0]))
    return g(x)


def other_rules(x):
    g = custom_jvp(lambda u: u * u)
    if x > 0.0:
        g.defjvp(lambda p, t: (g(*p), t[0]))
    else:
        g.defjvp(lambda p, t: (g(*p), 2.0 * t[0]))
    return g(x)


def on_one_path(x):
    g = custom_jvp(lambda u: u * u)
    if x > 0.0:
        g.defjvp(lambda p, t: (g(*p), t[0]))
    return g(x)


def one_of_two(x):
    if x > 0.0:
        g = custom_jvp(lambda u: u * u)
        g.defjvp(lambda p, t: (g(*p), t[0]))
    else:
        g = custom_jvp(lambda u: u * u)
        g.defjvp(lambda p, t: (g(*p), 2.0 * t[0]))
    return g(x)


def after_the_loop(x):
    for i in range(3):
        g = custom_jvp(lambda u, i=i: u * i)
        g.defjvp(lambda p, t, i=i: (p[0] * i, t[0]))
    return g(x)


RNG = np.random.default_rng(3)


def drawing(x):
    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: (g(*p), RNG.random() * t[0]))
    return g(x)


def recursive(x):
    @custom_jvp
    def g(u):
        return g(u)

    g.defjvp(lambda p, t: (p[0], t[0]))
    return g(x)


def bound_on_one_path(x):
    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: (g(*p), c * t[0]))
    if x > 5.0:
        c = 1.0
    return g(x)


def rebinding(x):
    n = 0.0

    @custom_jvp
    def g(u):
        nonlocal n
        n = n + 1.0
        return u * u

    g.defjvp(lambda p, t: (g(*p), t[0]))
    return g(x) + n


def rebinding_in_the_rule(x):
    n = 0.0
    g = custom_jvp(lambda u: u * u)

    @g.defjvp
    def rule(primals, tangents):
        nonlocal n
        n = n + 1.0
        return g(*primals), tangents[0]

    return g(x) + n


def writing(x):
    a = np.zeros(2)

    @custom_jvp
    def g(u):
        a[0] = 1.0
        return u * u

    g.defjvp(lambda p, t: (g(*p), t[0]))
    return g(x) + a[0]


def wrong_shape(x):
    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: (g(*p), np.ones(2) * t[0]))
    return g(x)


def no_pair(x):
    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: t[0])
    return g(x)


def other_arguments(x):
    g = custom_jvp(lambda u: u * u)

    @g.defjvp
    def rule(primals):
        return primals[0], primals[0]

    return g(x)


def not_linear(x):
    g = custom_jvp(lambda u: u * u)
    g.defjvp(lambda p, t: (g(*p), t[0] * t[0]))
    return g(x)


def few_cotangents(x):
    g = custom_vjp(lambda u, v: u * v)
    g.defvjp(lambda u, v: (u * v, (u, v)), lambda kept, c: (c,))
    return g(x, x)


def no_pushforward(x):
    @custom_rule
    def g(u):
        return u * u

    return g(x)


def bad_positions(x):
    @functools.partial(custom_jvp, nondiff_argnums=(3,))
    def g(u):
        return u

    return g(x)


def no_function(x):
    return custom_jvp(x)(x)


def no_rule(x):
    g = custom_jvp(lambda u: u)
    g.defjvp(3.0)
    return g(x)


def no_method(x):
    g = custom_jvp(lambda u: u)
    g.defvjp(lambda u: (u, u), lambda u, c: (c,))
    return g(x)


def leaves(x):
    return custom_jvp(lambda u: u * x)


outside = custom_jvp(lambda u: u * u)


def stated_inside(x):
    outside.defjvp(lambda p, t: (outside(*p), t[0]))
    return outside(x)


WRONG = [
    (active_closure, UnsupportedFunctionError, ("closes over 'y'", "return g(x)", "as a further argument")),
    (active_closure_reverse, UnsupportedFunctionError, ("'g' closes over 'y'", "return g(3.0)")),
    (active_closure_rule, UnsupportedFunctionError, ("'g' closes over 'x'", "return g(x)")),
    (active_in_a_list, UnsupportedFunctionError, ("closes over", "kept", "return g(x)")),
    (missing, RuleError, ("g has no derivative rule yet", "return g(x)", "@g.defjvp")),
    (too_late, RuleError, ("g has no derivative rule yet", "y = g(x)")),
    (twice, RuleError, ("has a derivative rule already", "g.defjvp(")),
    (stated_in_a_loop, UnsupportedFunctionError, ("defjvp in a loop, of <lambda>, which is made before it",)),
    (other_rules, RuleError, ("another derivative rule on one path", "return g(x)")),
    (twice_reverse, RuleError, ("has a derivative rule already", "g.defvjp(")),
    (on_one_path, RuleError, ("another derivative rule on one path", "return g(x)")),
    (one_of_two, UnsupportedSyntaxError, ("'g' is a function on one path", "return g(x)")),
    (after_the_loop, UnsupportedSyntaxError, ("'g' may not be bound here", "return g(x)")),
    (drawing, RuleError, ("draws from a random generator",)),
    (recursive, UnsupportedFunctionError, ("nested too deeply",)),
    (bound_on_one_path, UnsupportedSyntaxError, ("'c', which a rule reads, has a value on some paths only",)),
    (rebinding, UnsupportedSyntaxError, ("changing 'n'", "n = n + 1.0")),
    (rebinding_in_the_rule, UnsupportedSyntaxError, ("changing 'n'", "n = n + 1.0")),
    (writing, UnsupportedSyntaxError, ("writing into 'a'", "a[0] = 1.0")),
    (wrong_shape, RuleError, ("gives the tangent as an array of rank 1", "a number (float64) is needed")),
    (no_pair, RuleError, ("a pair (value, tangent) is needed",)),
    (other_arguments, RuleError, ("takes other arguments than (primals, tangents)", "def rule(primals)")),
    (not_linear, RuleError, ("'mul' is not linear", "t[0] * t[0]")),
    (few_cotangents, RuleError, ("a tuple of 2, one cotangent an argument,",)),
    (no_pushforward, RuleError, ("does not fit", "return value, pushforward", "def g(u)")),
    (bad_positions, UnsupportedSyntaxError, ("custom_jvp: nondiff_argnums 3",)),
    (no_function, UnsupportedFunctionError, ("custom_jvp of a number",)),
    (no_rule, UnsupportedFunctionError, ("defjvp of a number",)),
    (no_method, UnsupportedSyntaxError, ("no attribute 'defvjp'",)),
    (leaves, UnsupportedFunctionError, ("returns a CustomJvp",)),
    (stated_inside, UnsupportedFunctionError, ("defined outside of what is compiled", "outside.defjvp")),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w[0].__name__)
def test_wrong_use(wrong):
    function, error, parts = wrong
    says(grad(function), 2.0, error=error, parts=parts)
    if function is not leaves:
        says(lambda x: jvp(function, (x,), (1.0,)), 2.0, error=error, parts=parts)


def test_passed_to_a_transformed_function():
    def twice_of(f, x):
        return f(f(x))

    applied = jit(twice_of, static_argnums=0)

    def g(x):
        local = custom_jvp(lambda u: u * u)
        local.defjvp(lambda p, t: (local(*p), t[0]))
        return applied(local, x)

    says(jit(g), 2.0, error=adcore.AdcoreError, parts=("CustomJvp", "applied(local, x)"))


def test_rebinding_in_a_function_that_is_differentiated():
    def f(x):
        n = 0.0

        def g(u):
            nonlocal n
            n = n + 1.0
            return u * u

        return grad(g)(x) + n

    says(jit(f), 2.0, error=UnsupportedSyntaxError, parts=("changing 'n'", "n = n + 1.0"))

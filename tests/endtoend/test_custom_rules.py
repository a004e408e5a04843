"""Stated derivatives: beside JAX on the same text, in both modes, to the third order, in loops and trees; refusals."""

from __future__ import annotations

import numpy as np
import pytest
from custom_functions import MADE, Made
from functions import EXAMPLES
from test_derivatives import active

import adcore
from adcore import custom_jvp, custom_rule, custom_vjp, grad, hessian, jacfwd, jacrev, jit, jvp, stop_gradient, vjp
from adcore.trees import leaves
from adcore.verify import verify


def ours(made: Made):
    return made.make(np, custom_jvp, custom_vjp, stop_gradient)


def theirs(made: Made, jax):
    return made.make(jax.numpy, jax.custom_jvp, jax.custom_vjp, jax.lax.stop_gradient)


every = pytest.mark.parametrize("made", MADE, ids=lambda m: m.name)


def close(found, expected, tolerance=1e-9):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@every
def test_values_and_gradients(made, jax):
    f, g = ours(made), theirs(made, jax)
    close(jit(f)(*made.arguments), g(*made.arguments))
    close(grad(f)(*made.arguments), jax.grad(g)(*made.arguments))
    close(vjp(f, *made.arguments)[1](1.0)[0], jax.grad(g)(*made.arguments))


@every
def test_second_derivatives(made, jax):
    f, g = ours(made), theirs(made, jax)
    expected = jax.jacrev(jax.grad(g))(*made.arguments)
    for second in (jacrev(grad(f)), hessian(f), jacfwd(grad(f)), jacrev(jacrev(f))):
        close(second(*made.arguments), expected)


@pytest.mark.parametrize("made", [m for m in MADE if m.forward], ids=lambda m: m.name)
def test_forward_mode(made, jax):
    f, g = ours(made), theirs(made, jax)
    (x,) = made.arguments
    v, w = np.cos(x), x * x - 1.0
    for found, expected in zip(jvp(f, (x,), (v,)), jax.jvp(g, (x,), (v,)), strict=True):
        close(found, expected)

    def along(lib, h, d):
        return lambda x: lib.jvp(h, (x,), (d,))[1]

    close(jvp(along(adcore, f, v), (x,), (w,))[1], jax.jvp(along(jax, g, v), (x,), (w,))[1])
    third = jvp(along(adcore, along(adcore, f, v), w), (x,), (v,))[1]
    close(third, jax.jvp(along(jax, along(jax, g, v), w), (x,), (v,))[1])


@every
def test_third_derivatives(made, jax):
    f, g = ours(made), theirs(made, jax)
    (x,) = made.arguments
    weights = np.arange(9.0).reshape(3, 3) - 2.0
    expected = jax.grad(lambda x: jax.numpy.sum(jax.jacrev(jax.grad(g))(x) * weights))(x)
    close(grad(lambda x: np.sum(jacrev(grad(f))(x) * weights))(x), expected)
    close(grad(lambda x: np.sum(hessian(f)(x) * weights))(x), expected)


LINEAR = [m for m in MADE if not m.name.startswith("clipped")]


@pytest.mark.parametrize("made", LINEAR, ids=lambda m: m.name)
def test_forward_mode_is_the_dual_of_linear_pullbacks(made, jax):
    f = ours(made)
    (x,) = made.arguments
    v = np.cos(x)
    gradient = theirs(made, jax)
    close(jvp(f, (x,), (v,))[1], np.sum(jax.grad(gradient)(x) * v))
    close(jacfwd(f)(x), jax.grad(gradient)(x))


# Inside of other things: the same as where the derivative is found


def plain(x, y):
    return np.sin(x) * y + y * y


@custom_jvp
def by_jvp(x, y):
    return np.sin(x) * y + y * y


@by_jvp.defjvp
def by_jvp_rule(primals, tangents):
    x, y = primals
    dx, dy = tangents
    along = np.cos(x) * y * dx
    return by_jvp(x, y), along + np.sin(x) * dy + 2.0 * y * dy


@custom_jvp
def by_jvps(x, y):
    return np.sin(x) * y + y * y


by_jvps.defjvps(
    lambda t, ans, x, y: np.cos(x) * y * t,
    lambda t, ans, x, y: (np.sin(x) + 2.0 * y) * t + (ans - ans) * t,
)


@custom_vjp
def by_vjp(x, y):
    return np.sin(x) * y + y * y


def by_vjp_forward(x, y):
    s = np.sin(x)
    return s * y + y * y, {"c": np.cos(x), "rest": (y, s)}


def by_vjp_backward(kept, ct):
    y, s = kept["rest"]
    return kept["c"] * y * ct, (s + 2.0 * y) * ct


by_vjp.defvjp(by_vjp_forward, by_vjp_backward)


@custom_rule
def by_rule(x, y):
    s = np.sin(x)

    def pushforward(dx, dy):
        return np.cos(x) * y * dx + (s + 2.0 * y) * dy

    return s * y + y * y, pushforward


KINDS = {"jvp": by_jvp, "jvps": by_jvps, "vjp": by_vjp, "rule": by_rule}


def in_a_loop(f):
    def g(x, n):
        s = 0.0
        for i in range(n):
            x = f(x, x + 0.1 * i) * 0.5
            s += np.sum(x)
        return s

    return g


def of_elements(f):
    def g(x, n):
        y = x.copy()
        for k in range(n):
            for i in range(1, len(y)):
                y[i] = f(y[i - 1], y[i]) + 0.1 * k
        return np.sum(y * y)

    return g


def of_slices(f):
    def g(x, n):
        y = np.zeros(len(x) + 1)
        y[: len(x)] = x
        for _ in range(n):
            y[1:] = f(y[:-1], y[1:] + 1.0)
        return np.sum(y * x[0])

    return g


def in_a_while(f):
    def g(x, n):
        k, s = 0, x[0]
        while k < n and s < 50.0:
            s = f(s, x[1] + s) * 0.3
            x = f(x, x) * 0.5
            k += 1
        return s + np.sum(x)

    return g


def in_branches(f):
    def g(x, n):
        s = 0.0
        for i in range(len(x)):
            if x[i] > 0.0:
                s += f(x[i], 2.0)
            elif n > 2:
                s += f(x[0], x[i]) ** 2
            else:
                s -= x[i]
        return s

    return g


def in_a_sum(f):
    def g(x, n):
        s = 0.0
        for k in range(n):
            for i in range(len(x)):
                s += f(x[i], x[0] * k)
        return s

    return g


def in_a_checkpoint(f):
    @adcore.checkpoint
    def step(x, n):
        for _ in range(n):
            x = f(x, x * 0.5)
        return x

    return lambda x, n: np.sum(step(step(x, n), 2))


def in_a_helper(f):
    def helper(pair):
        return {"r": f(pair[0], pair[1]), "n": 2}

    def g(x, n):
        found = helper((x, np.cos(x)))
        return np.sum(found["r"]) * found["n"] * n

    return g


def in_a_derivative(f):
    def g(x, n):
        inner = grad(lambda y: np.sum(f(y * x, y)))(np.cos(x))
        return np.sum(inner * f(x, inner)) + jvp(lambda t: np.sum(f(t * x, x)), (float(n),), (1.0,))[1]

    return g


def delayed(f):
    def g(x, n):
        s, v, w = 0.0, 0.5, 0.25
        for _ in range(n):
            s = s + f(w, 1.0)
            w = f(v, x[1])
            v = f(x[0], v)
        return s

    return g


def in_comprehensions(f):
    def g(x, n):
        parts = [f(v, 0.5 * k) for k, v in enumerate((x[0], x[1], x[2]))]
        return sum(parts) * n

    return g


def with_a_matrix(f):
    def g(x, n):
        a = np.outer(x, np.cos(x)) + 2.0 * np.eye(len(x))
        for _ in range(n):
            a = f(a @ a, a) * 0.2
        return np.sum(np.linalg.solve(a + 3.0 * np.eye(len(x)), x))

    return g


PLACES = [
    in_a_loop,
    of_elements,
    of_slices,
    in_a_while,
    in_branches,
    in_a_sum,
    in_a_checkpoint,
    in_a_helper,
    in_a_derivative,
    delayed,
    in_comprehensions,
    with_a_matrix,
]
X = np.array([0.4, -0.7, 1.1])
V = np.array([0.3, 1.0, -0.6])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.__name__)
def test_inside(place, kind):
    f, g = place(KINDS[kind]), place(plain)
    close(jit(f)(X, 3), g(X, 3))
    expected = grad(g)(X, 3)
    close(grad(f)(X, 3), expected)
    close(vjp(f, X, 3)[1](1.0)[0], expected)
    close(jvp(lambda x: f(x, 3), (X,), (V,)), jvp(lambda x: g(x, 3), (X,), (V,)))
    verify(adcore.program(grad(f), X, 3))


@pytest.mark.parametrize(
    ("place", "kind"),
    [(p, ("jvp", "vjp")[k % 2]) for k, p in enumerate(PLACES)],
    ids=lambda p: getattr(p, "__name__", p),
)
def test_second_order_inside(place, kind):
    f, g = place(KINDS[kind]), place(plain)
    expected = jacrev(grad(g))(X, 3)
    close(hessian(f)(X, 3), expected)
    close(jacrev(jacrev(f))(X, 3), expected)
    close(jvp(lambda x: grad(f)(x, 3), (X,), (V,))[1], expected @ V)


@pytest.mark.parametrize("kind", ["rule", "vjp"])
@pytest.mark.parametrize("place", [in_a_loop, of_elements, of_slices, in_a_while, in_a_checkpoint])
@pytest.mark.parametrize("policy", [{"policy": "sqrt"}, {"policy": "revolve", "snapshots": 3}])
def test_under_a_policy(place, kind, policy):
    if place is in_a_while and policy["policy"] == "revolve":
        policy = {"policy": 4}
    expected = grad(place(plain))(X, 20)
    with adcore.loop_policy(**policy):
        close(grad(place(KINDS[kind]))(X, 20), expected)


def test_constants_of_a_region_are_closed_over():
    """What stop_gradient gives in a loop or branch is constant there, as it is outside of them."""

    def product(x):
        y = stop_gradient(x)

        @custom_rule
        def times(z):
            def pushforward(t):
                return t * y

            return z * y, pushforward

        return times(x)

    def in_a_loop(x):
        for _ in range(2):
            x = product(x)
        return x

    assert grad(lambda x: product(x) if x > 1.0 else x)(3.0) == 3.0
    assert grad(in_a_loop)(3.0) == 3.0 * 9.0


# Every example with its own pushforward as its rule


def with_its_own_rule(h):
    @custom_jvp
    def f(*args):
        return h(*args)

    @f.defjvp
    def f_jvp(primals, tangents):
        return jvp(h, primals, tangents)

    return f


OWN = [e for e in EXAMPLES if e.name != "into_arrays" and active(e)][::5]  # it writes into its arguments


@pytest.mark.parametrize("example", OWN, ids=lambda e: e.name)
def test_pushforwards_as_rules(example):
    wrt = active(example)
    f = with_its_own_rule(example.function)
    expected = grad(example.function, argnums=wrt)(*example.arguments)
    found = grad(f, argnums=wrt)(*example.arguments)
    for ours, theirs in zip(leaves(found), leaves(expected), strict=True):
        if theirs is not None:
            close(ours, theirs)

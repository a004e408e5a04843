"""The linear maps of a function at a point: run many times, outside and inside of compiled code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from functions import EXAMPLES
from test_derivatives import active, close, direction, every, inner

import adcore
from adcore import grad, jacfwd, jit, jvp, linearize, vjp
from adcore.trees import leaves
from adcore.verify import verify

X = np.array([0.5, -0.25, 0.75, 2.0, 1.5])


@every
def test_pushforwards_are_tangents(example):
    wrt = active(example)
    value, pushforward = linearize(example.function, *example.arguments)
    for salt in range(2):
        along = {k: direction(example, k, salt) for k in wrt}
        tangents = tuple(along.get(k, a) for k, a in enumerate(example.arguments))
        expected = jvp(example.function, example.arguments, tangents)
        close(value, expected[0], 1e-13)
        close(pushforward(*tangents), expected[1], 1e-10)
    lowered = pushforward._lowered
    verify(lowered.program)
    verify(lowered.linear)


@every
def test_maps_inside_compiled_code(example):
    """⟨Jᵀ1, u⟩ = Ju, both from maps made and called in one compiled function."""
    wrt = active(example)
    along = {k: direction(example, k) for k in wrt}
    tangents = tuple(along.get(k, a) for k, a in enumerate(example.arguments))

    def maps(primals, tangents):
        value, pushforward = linearize(example.function, *primals)
        again, pullback = vjp(example.function, *primals)
        return value, pushforward(*tangents), again, pullback(1.0)

    value, tangent, again, cotangents = jit(maps)(example.arguments, tangents)
    expected = jvp(example.function, example.arguments, tangents)
    close(value, expected[0], 1e-13)
    close(again, expected[0], 1e-13)
    close(tangent, expected[1], 1e-10)
    close(sum(inner(cotangents[k], along[k]) for k in wrt), expected[1], 1e-10)


def iterated(x, n):
    y = x.copy()
    for k in range(n):
        y[1:] = np.sin(y[1:]) * y[:-1] + k
        if y[0] > 0.2:
            y[0] *= 0.5
    total = 0.0
    while total * total < 9.0:
        total += abs(y[0]) + 1.0
    return {"y": y, "total": total, "n": n}


def test_structures():
    value, pushforward = linearize(iterated, X, 4)
    assert value["n"] == 4
    columns = [pushforward(u, 4) for u in np.eye(5)]
    assert all(c["n"] is None for c in columns)
    expected = jacfwd(iterated)(X, 4)
    np.testing.assert_allclose(np.stack([c["y"] for c in columns], axis=-1), expected["y"], rtol=1e-12)
    np.testing.assert_allclose([c["total"] for c in columns], expected["total"], rtol=1e-12)


def test_the_function_is_not_run_again():
    """The linear program has no elementary function: what it needs of them is kept."""
    _, pushforward = linearize(lambda x: np.sin(x) * np.exp(x), X)
    names = {e.primitive.name for e in pushforward._lowered.linear.equations}
    assert names.isdisjoint({"sin", "cos", "exp"})


def test_what_it_keeps_is_of_the_point():
    x = X.copy()
    _, pushforward = linearize(lambda x: x * x, x)
    x[:] = 0.0
    np.testing.assert_array_equal(pushforward(np.ones(5)), 2.0 * X)


def test_aux_and_partial_application():
    value, pushforward, aux = linearize(lambda x: (x * x, {"twice": 2.0 * x}), 3.0, has_aux=True)
    assert (value, pushforward(1.0), aux) == (9.0, 6.0, {"twice": 6.0})
    assert linearize(has_aux=True)(lambda x: (x, 1))(2.0)[1](5.0) == 5.0
    assert jvp(lambda x: (x * x, 2.0 * x), (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, 6.0)


def test_lists_of_run_time_length():
    def positive(x):
        found = []
        for k in range(len(x)):
            if x[k] > 0.0:
                found.append((x[k] * x[k], k))
        return found

    value, pushforward = linearize(positive, X)
    assert [k for _, k in value] == [0, 2, 3, 4]
    assert pushforward(np.ones(5)) == [(2.0 * X[k], None) for k in (0, 2, 3, 4)]


def test_complex_numbers():
    _, pushforward = linearize(lambda z: z * z, X + 1j)
    np.testing.assert_allclose(pushforward(np.full(5, 1j)), 2j * (X + 1j))


def test_wrong_tangents():
    _, pushforward = linearize(lambda x, y: np.sum(x) * y["a"], X, {"a": 1.0})
    with pytest.raises(TypeError, match="1 tangents for 2 primals"):
        pushforward(X)
    with pytest.raises(TypeError, match="another structure than the primal"):
        pushforward(X, {"b": 1.0})
    with pytest.raises(ValueError, match=r"a tangent of shape \(4,\) for a primal of shape \(5,\)"):
        pushforward(X[1:], {"a": 1.0})
    with pytest.raises(TypeError, match="a complex tangent for a real primal"):
        pushforward(X * 1j, {"a": 1.0})


class TestInside:
    """Maps made in compiled code; a function closes over what is differentiated around it."""

    def test_of_what_closes_over_a_value(self):
        def f(x):
            _, pullback = vjp(lambda y: (np.sum(y * y * x), y[0] * x[1]), x)
            (first,) = pullback((1.0, 2.0))
            _, pushforward = linearize(lambda y: y * y * x, x)
            return np.sum(first) + np.sum(pushforward(np.ones(5)))

        # the pullback gives 2 x², with 2 x₁ for the first; the pushforward 2 x²
        assert jit(f)(X) == pytest.approx(4.0 * np.sum(X * X) + 2.0 * X[1])
        expected = 8.0 * X
        expected[1] += 2.0
        np.testing.assert_allclose(grad(f)(X), expected)

    def test_called_in_a_loop(self):
        def newton(x):
            for _ in range(6):
                value, pushforward = linearize(lambda y: y * y - 2.0, x)
                x = x - value / pushforward(1.0)
            return x

        assert jit(newton)(1.0) == pytest.approx(math.sqrt(2.0), rel=1e-15)

    def test_aux(self):
        def f(x):
            value, pullback, aux = vjp(lambda y: (y * y, 3.0 * y), x, has_aux=True)
            return value + pullback(1.0)[0] + aux

        assert jit(f)(2.0) == 14.0

    def test_wrong_cotangents(self):
        def f(x):
            _, pullback = vjp(lambda y: (y, y * y), x)
            return pullback(1.0)[0]

        with pytest.raises(adcore.UnsupportedFunctionError, match="another structure than the value"):
            jit(f)(2.0)

    def test_results_twice(self):
        def f(x):
            _, pullback = vjp(lambda y: (y * x, y * x), x)
            return pullback((1.0, 10.0))[0]

        assert jit(f)(3.0) == 33.0


def test_results_twice():
    def f(x):
        y = x * x
        return y, y, x

    _, pullback = vjp(f, 3.0)
    assert pullback((1.0, 10.0, 100.0)) == (166.0,)
    _, pushforward = linearize(f, 3.0)
    assert pushforward(1.0) == (6.0, 6.0, 1.0)


def test_examples_are_all_here():
    assert len(EXAMPLES) > 100
    assert all(leaves(list(e.arguments)) for e in EXAMPLES)

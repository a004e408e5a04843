"""What `adcore selftest` found, made short: each was an error or a wrong number once."""

from __future__ import annotations

import cmath
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from adcore_numpy import interpret
from test_derivatives import close, inner, richardson

import adcore
from adcore.arguments import abstract
from adcore.derive import gradient, pull, push
from adcore.splitting import PullbackSplit
from adcore.transforms import lower, without_writes
from adcore.verify import verify

RNG = np.random.default_rng(3)
X, Y = RNG.uniform(-1.0, 1.0, (2, 5))
M = RNG.uniform(-1.0, 1.0, (4, 5))
CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []


def at(*arguments: Any):
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES.append((function, arguments))
        return function

    return enter


@at(X, Y, 3)
def two_residuals_whose_length_the_body_computes(x, y, n):
    for _ in range(4):
        for i in range(4, -1, -1):
            y[i] = np.tanh(x[: n % 4] @ y[: n % 4])
            x, y = y, x.copy()
    return np.sum(x)


@at(X, M)
def ragged_residual_with_one_length_that_the_body_computes(x, m):
    s = 0.0
    for i in range(4, -1, -1):
        for j in range(4, i - 1, -1):
            m[(i + 1) % 4, j] -= 0.5
            s += np.dot(x[:4], m[:4, 2])
    return s


@at(RNG.uniform(-1.0, 1.0, (2, 3, 4)))
def cyclic_permutations_of_axes(x):
    y = x.transpose(1, 2, 0).transpose(1, 0, 2).transpose(2, 0, 1)
    y[1, 2, 0] *= 3.0
    weights = np.arange(24.0).reshape(2, 4, 3)
    return np.sum(weights * y * y) + x[1, 0, 2]


@at(X)
def lengths_that_an_iteration_gives_the_next(x):
    w = x[:0]
    for i in range(4):
        w = x[:i]
    return np.sum(w * w)


@at(X[:4], M[:, :4])
def a_trip_count_that_is_known_in_front_of_the_loop(x, m):
    for _ in range(2):
        for i in range(4):
            s = 0.0
            for j in range(4):
                s += x[i] * m[j, i]
                break
            x[i - 2] = s
    return x[1]


@at(0.9, X, M, 2)
def a_length_that_a_branch_gives(a, x, m, n):
    for _ in range(2):
        if a > x[0]:
            for _ in m:
                for i in range(n, -1, -1):
                    x[i - 1] -= np.sin(x[i])
    return np.sum(x) * a


@at(X[:4], M[:, :4])
def lengths_of_rows_that_are_carried(x, m):
    y = x
    for _ in range(2):
        for i in range(3):
            for r, u in zip(m, y):  # noqa: B905
                x = m[max(i - 1, 0)]
                y = r[::-1] * np.tanh(u)
            m = np.outer(y[:4], y)
    return np.sum(x)


@at(X, M[0], 1)
def an_array_under_the_lengths_of_two_others(x, y, n):
    y = y.copy()
    y[n] = 2.0
    x = x * y
    return np.dot(x, y)


def moved(arguments: tuple[Any, ...], along: dict[int, Any], step: float) -> tuple[Any, ...]:
    return tuple(a + step * along[k] if k in along else a for k, a in enumerate(arguments))


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_gradient(function, arguments):
    wrt = tuple(k for k, a in enumerate(arguments) if not isinstance(a, int))
    along = {k: RNG.normal(size=np.shape(arguments[k])) if np.ndim(arguments[k]) else RNG.normal() for k in wrt}
    value, gradient = adcore.value_and_grad(function, argnums=wrt)(*arguments)
    slope = richardson(lambda s: float(function(*map(np.copy, moved(arguments, along, s)))))
    close(value, float(function(*map(np.copy, arguments))), 1e-12)
    close(inner(gradient, tuple(along.values())), slope, 1e-8)
    tangents = tuple(along.get(k, a) for k, a in enumerate(arguments))
    close(adcore.jvp(function, arguments, tangents)[1], slope, 1e-8)


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_second_order(function, arguments):
    """Forward over reverse, and reverse over reverse, are well formed and give the same product."""
    wrt = tuple(k for k, a in enumerate(arguments) if not isinstance(a, int))
    program = without_writes(lower(function, tuple(abstract(a) for a in arguments))).program
    first = gradient(program, wrt)
    count = len(first.results)
    along = tuple(RNG.normal(size=np.shape(arguments[k])) if np.ndim(arguments[k]) else RNG.normal() for k in wrt)
    pushed, pulled = push(first, wrt), pull(first, wrt)
    for second in (pushed, pulled):
        verify(second)
    forward = interpret(pushed, (*arguments, *along))[count + 1 :]
    back = interpret(pulled, (*arguments, 0.0, *along))[count:]
    for one, other in zip(forward, back, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def rebound_in_a_branch(a, x):
    y = np.zeros(4)
    if a > 0.3:
        x = y.copy()
    return a + 0.25 * np.sum(x) + np.sum(y * x)


def row_raised_to_powers_in_place(x):
    made = np.zeros((4, 3))
    for j in range(2):
        made[j] = x[:, j]
        for k in range(j, 4):
            made[j] = made[j] ** x[:, k]
    return np.sum(made)


def test_coefficients_share_no_constants_with_the_linear_part():
    """The zeros that clear a row in the dual, and those in the coefficient of a power, which are moved in front."""
    x = np.arange(1.0, 13.0).reshape(3, 4) / 7
    u = np.cos(np.arange(12.0)).reshape(3, 4)
    h = 1e-6
    f = row_raised_to_powers_in_place
    difference = (f(x + h * u) - f(x - h * u)) / (2 * h)
    np.testing.assert_allclose(np.sum(adcore.grad(f)(x) * u), difference, rtol=1e-7)


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda x: np.where(x > 0.0, -np.log(x), 0.0), [0.0, -0.5]),
        (lambda x: np.where(x < 1.0, 3.0, np.where(x > 4.0, 5.0, 1.0 / (x * 0.0 + (x > 1.0)) * x)), [0.0, 1.0]),
        (lambda x: np.where(x > 0.0, np.where(x > 1.0, np.log(x), x), 0.0), [0.0, 0.5]),
    ],
)
def test_nothing_infinite_comes_through_several_masks(f, wanted):
    def total(x):
        return np.sum(f(x))

    np.testing.assert_array_equal(adcore.grad(total)(np.array([0.0, 2.0])), wanted)


def rebound_to_another_length(a, x):
    y = x * a
    if a > 0.3:
        y = np.concatenate((x, y * y))
    return np.sum(y * y)


def reshaped_in_a_branch(a, x):
    y = np.ones((2, 2))
    if a > 0.3:
        y = (x * a).reshape(2, 2).T
        x = y.reshape(-1)
    return np.sum(y @ y) * np.sum(x * x)


def made_in_a_loop_that_may_not_run(a, x):
    y = x
    for _ in range(int(a)):
        y = np.concatenate((y, x * a))
    return np.sum(y * y)


@pytest.mark.parametrize("a", [0.1, 0.5, 2.5])
@pytest.mark.parametrize(
    "function",
    [rebound_in_a_branch, rebound_to_another_length, reshaped_in_a_branch, made_in_a_loop_that_may_not_run],
)
def test_arrays_that_a_path_does_not_have(function, a):
    """Nothing that belongs to one path is touched on the other, in the second order either: the interpreter checks."""
    x = X[:4]
    gradient = adcore.grad(function, argnums=(0, 1))
    split = PullbackSplit(gradient).lower((abstract(a), abstract(x)))
    value, slope, *kept = interpret(split.program, (a, x))
    along = (1.0, np.ones(4))
    found = interpret(split.linear, (*kept, *along))
    values, pullback = adcore.vjp(gradient, a, x)
    for one, other in zip((*found, value, slope), (*pullback(along), *values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def signed(x, flag):
    """True and False are one object each; a truth of NumPy's is neither of them."""
    if (x > 0.0) is True:
        x = 3.0 * x
    return x if flag is not False else -x


@pytest.mark.parametrize("x", [1.5, -1.5, np.float64(1.5)])
@pytest.mark.parametrize("flag", [True, False])
def test_identity_of_true_and_false(x, flag):
    assert adcore.jit(signed)(x, flag) == signed(x, flag)


@pytest.mark.parametrize(("f", "pole"), [(cmath.atanh, 1.0), (cmath.atanh, -1.0), (cmath.atan, 1j), (cmath.atan, -1j)])
def test_poles_of_complex_functions(f, pole):
    def g(z):
        return f(z)

    with pytest.raises(ValueError, match="math domain error"):
        adcore.jit(g)(complex(pole))
    assert adcore.jit(g)(pole + 0.5) == pytest.approx(f(pole + 0.5), rel=1e-14)


def test_a_short_row_that_a_loop_reads_too_starts_a_carry_of_any_length():
    """Its copy was in the stack frame, and the loop gave it back as if it had been allocated."""

    @adcore.custom_vjp
    def states(y, p):
        return y * np.ones((3, 1))

    def backward(p, g):
        n = g.shape[1]
        a, q = g[2], np.zeros_like(p)
        for i in range(2, 0, -1):
            s = np.concatenate((g[i], a, q))
            s = s + 0.1 * np.concatenate((s[:n] * p, s[n : 2 * n] * p, p * 1.0))
            a = s[n : 2 * n] + g[i - 1]
            q = s[2 * n :]
        return a, q

    states.defvjp(lambda y, p: (states(y, p), p), backward)
    gradient = adcore.grad(lambda y, p: np.sum(states(y, p) ** 2), (0, 1))
    y, p = np.array([1.0, 2.0]), np.ones(1)
    for _ in range(200):
        found = gradient(y, p)
    expected = backward(p, 2.0 * y * np.ones((3, 1)))
    np.testing.assert_allclose(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1])


def test_a_ufunc_whose_signature_somebody_has_asked_for():
    """NumPy keeps the signature then among the function's attributes, which `functools.wraps` copies."""
    inspect.signature(np.ceil)
    straight = adcore.straight_through(np.ceil)
    assert (straight(0.5), adcore.grad(straight)(0.5)) == (1.0, 1.0)

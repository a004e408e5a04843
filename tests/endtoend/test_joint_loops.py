"""Loops that are run together with their duals, once, and loops for which that would be wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_derivatives import richardson

import adcore
from adcore import grad, hessian, jacfwd, jacrev, jit, jvp, memory, source, value_and_grad, vjp
from adcore.arguments import any_lengths

RNG = np.random.default_rng(11)
X = RNG.normal(size=7)
A = RNG.normal(size=(5, 5))


def loops(f, *arguments):
    """The number of `for` loops in the printed gradient."""
    return sum(line.lstrip().startswith("for ") for line in source(grad(f), *arguments).splitlines())


# Functions; with the number of loops of the gradient, and of value and gradient


def potential(x):
    total = 0.0
    for i in range(len(x)):
        total += math.exp(-x[i] * x[i])
    return total


def pairs(x):
    """A loop in a loop."""
    energy = 0.0
    for i in range(len(x)):
        for j in range(i):
            energy += 1.0 / (1.0 + (x[i] - x[j]) ** 2)
    return energy


def product_of_sums(x):
    """What the inner loop gives is a factor, by which its cotangent does not depend on it."""
    total = 0.0
    for i in range(len(x)):
        inner = 0.0
        for j in range(len(x)):
            inner += math.sin(x[j] + i)
        total += x[i] * inner
    return total


def by_a_walk(x):
    """A state of integers is carried along."""
    total, k, sign = 0.0, 3, 1.0
    for _ in range(len(x)):
        total += sign * x[k] ** 3
        k = (5 * k + 1) % len(x)
        sign = -sign
    return total


def by_a_list_that_changes(x):
    """The state is an array of integers, of which each iteration changes an element."""
    order = np.arange(len(x))
    total = 0.0
    for i in range(len(x)):
        j = (3 * i + 2) % len(x)
        order[i], order[j] = order[j], order[i]
        total += x[order[i]] ** 2 * (i + 1.0)
    return total


def scaled_sum(x):
    """The cotangent of the loop's result comes from what follows, but not from the result."""
    total = 0.0
    for i in range(len(x)):
        total += x[i] ** 3
    return 2.0 * total + np.sum(x)


def two_sums(x):
    first, second = 0.0, 0.0
    for i in range(len(x)):
        first += x[i] ** 2
        second += math.sin(x[i])
    return first + 3.0 * second


def sum_of_arrays(x):
    total = np.zeros(3)
    for i in range(len(x)):
        total += np.array([x[i], x[i] ** 2, math.cos(x[i])])
    return total @ np.array([1.0, 2.0, 3.0])


def kept_branch(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] ** 2 if x[i] > 0.0 else math.exp(x[i])
    return total


def filtered(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            total += x[i] ** 2
        else:
            total -= math.exp(x[i])
    return total


JOINT = {
    filtered: 1,
    potential: 1,
    pairs: 2,
    product_of_sums: 2,
    by_a_walk: 1,
    by_a_list_that_changes: 1,
    scaled_sum: 1,
    two_sums: 1,
    sum_of_arrays: 1,
    kept_branch: 1,
}


# Functions for which it is not done


def logarithm_of_sum(x):
    """The cotangent of the loop's result is computed from the result."""
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i])
    return math.log(total)


def recurrence(x):
    state = 1.0
    for i in range(len(x)):
        state = math.sin(state) * x[i]
    return state


def running_mean(x):
    """The partial sums are read."""
    total, sum_ = 0.0, 0.0
    for i in range(len(x)):
        sum_ += x[i] ** 2
        total += math.sqrt(sum_)
    return total


def chained(x):
    """The inner loop's result is squared: its cotangent is twice the result."""
    total = 0.0
    for i in range(len(x)):
        inner = 0.0
        for j in range(len(x)):
            inner += x[i] * x[j] ** 2
        total += inner * inner
    return total


def written(x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        y[i] = math.sin(x[i])
    return np.sum(y * y)


def overwritten(x):
    """Elements are written twice: what is added to a cotangent is taken away again."""
    y = np.zeros(3)
    total = 0.0
    for i in range(len(x)):
        y[i % 3] = x[i] ** 2
        total += y[(i + 1) % 3]
    return total


def doubled(x):
    """The sum is not only added to."""
    total = 0.0
    for i in range(len(x)):
        total += x[i] ** 2 + 0.5 * total
    return total


def built_in_a_nest(x):
    """What the inner loop carries is an array that is large beside its work."""
    n = len(x)
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            K[i, j] = math.exp(-((x[i] - x[j]) ** 2))
    return np.sum(K @ x) + K[0, 1]


def read_in_a_branch(x):
    """The sum so far is read in one branch."""
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            total += x[i] ** 2
        else:
            total += math.sin(total) * x[i]
    return total


def by_turns(x):
    """Positions and velocities: in the gradient, one loop reads a sum that another one adds to."""
    n = len(x)
    place, speed = x.copy(), np.zeros(n)
    for _ in range(3):
        for i in range(n):
            for j in range(n):
                speed[i] += 0.1 * (place[j] - place[i]) ** 3
        for i in range(n):
            place[i] += 0.1 * speed[i]
    return np.sum(place**3)


def by_turns_in_branches(x):
    n = len(x)
    place, speed = x.copy(), np.zeros(n)
    for k in range(4):
        for i in range(n):
            if place[i] > 0.0:
                speed[i] += 0.3 * place[i] ** 2 * x[k]
            else:
                speed[i] -= place[i] ** 3
        for i in range(n):
            if k % 2 == 0:
                place[i] += 0.1 * speed[i] * x[i]
    return np.sum(place**3)


SEPARATE = (
    by_turns,
    by_turns_in_branches,
    built_in_a_nest,
    read_in_a_branch,
    logarithm_of_sum,
    recurrence,
    running_mean,
    chained,
    written,
    overwritten,
    doubled,
)


@pytest.mark.parametrize("f", [*JOINT, *SEPARATE], ids=lambda f: f.__name__)
def test_gradients(f):
    value, gradient = value_and_grad(f)(X)
    assert value == jit(f)(X)
    assert value == pytest.approx(f(X), rel=1e-14)
    np.testing.assert_array_equal(gradient, grad(f)(X))
    _, pullback = vjp(f, X)
    np.testing.assert_allclose(pullback(1.0)[0], gradient, rtol=1e-13, atol=1e-14)
    along = RNG.normal(size=X.shape)
    slope = richardson(lambda s: float(f(X + s * along)))
    assert gradient @ along == pytest.approx(slope, rel=1e-7, abs=1e-9)
    _, tangent = jvp(f, (X,), (along,))
    assert gradient @ along == pytest.approx(tangent, rel=1e-12)


@pytest.mark.parametrize("f", [*JOINT, *SEPARATE], ids=lambda f: f.__name__)
def test_second_order(f):
    H = hessian(f)(X)
    np.testing.assert_allclose(H, H.T, rtol=1e-10, atol=1e-12)
    u, v = RNG.normal(size=X.shape), RNG.normal(size=X.shape)
    slope = richardson(lambda s: float(grad(f)(X + s * u) @ v))
    assert v @ H @ u == pytest.approx(slope, rel=1e-6, abs=1e-8)
    twice = grad(lambda x: grad(f)(x) @ v)(X)  # reverse over reverse, whose loops are joined too
    assert twice @ u == pytest.approx(v @ H @ u, rel=1e-11, abs=1e-12)
    thrice = grad(lambda x: grad(lambda y: grad(f)(y) @ v)(x) @ u)(X)
    _, along = jvp(lambda x: hessian(f)(x), (X,), (v,))
    np.testing.assert_allclose(thrice, along @ u, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("f", JOINT, ids=lambda f: f.__name__)
def test_one_loop(f):
    assert loops(f, X) == JOINT[f]
    assert memory(grad(f), X).total == 0


def test_no_loop_is_run_twice():
    """A loop that is needed before its dual keeps what the dual needs of the loops inside."""

    def f(x):
        total = 0.0
        for i in range(len(x)):
            inner = 0.0
            for j in range(len(x)):
                inner += x[i] * x[j] ** 2
            total += math.sin(inner)
        return math.log(total * total)

    assert loops(f, X) == 2 + 2
    slope = richardson(lambda s: f(X + s))
    assert np.sum(grad(f)(X)) == pytest.approx(slope, rel=1e-8)


@pytest.mark.parametrize("f", JOINT, ids=lambda f: f.__name__)
def test_no_iteration(f):
    np.testing.assert_array_equal(grad(f)(np.zeros(0)), np.zeros(0))


def expansion(A, rows, columns):
    """Laplace's expansion of the determinant of some rows and columns, which are constants."""
    if len(rows) == 1:
        return A[rows[0], columns[0]]
    value = 0.0
    for k in range(len(columns)):
        sign = 1.0 - 2.0 * (k % 2)
        value += sign * A[rows[0], columns[k]] * expansion(A, rows[1:], np.delete(columns, k))
    return value


def determinant(A):
    return expansion(A, np.arange(4), np.arange(4))


def test_trees_of_loops():
    M = A[:4, :4]
    np.testing.assert_allclose(grad(determinant)(M), np.linalg.det(M) * np.linalg.inv(M).T, rtol=1e-11)
    assert loops(determinant, M) <= 4 * 2  # those that leave out a column too


# Errors


def test_the_first_error_is_raised():
    """What the loop checks comes before what is checked after it, though its dual is done there."""

    def f(x, k, n):
        total = 0.0
        for i in range(n):
            total += x[k + i] ** 2
        return 2.0 * total + np.sum(x[:3] * x[:n])

    assert value_and_grad(f)(X, 1, 3)[0] == jit(f)(X, 1, 3)
    for g in (jit(f), grad(f), value_and_grad(f)):
        with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 7"):
            g(X, 3, 5)
        with pytest.raises(ValueError, match="broadcast"):
            g(X, 1, 5)


def test_checks_are_kept():
    def f(x, places):
        total = 0.0
        for k in range(len(places)):
            total += x[places[k]] ** 2
        return total

    places = np.array([0, 2, 9])
    for g in (grad(f), value_and_grad(f)):
        with pytest.raises(IndexError, match="index 9 is out of bounds") as error:
            g(X, places)
        assert "total += x[places[k]] ** 2" in str(error.traceback[-1].statement)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("outer", [grad, jvp, jacfwd, jacrev], ids=lambda t: t.__name__)
def test_checks_are_kept_at_every_order(outer, order):
    """A joint loop is the primal's loop of the next derivative, which may be joined again."""

    def f(x, places):
        total = 0.0
        for k in range(len(places)):
            total += x[places[k]] ** 5
        return total

    def derived(f):
        return lambda x, places: np.sum(grad(f)(x, places) ** 2)

    for _ in range(order):
        f = derived(f)

    def at(places):
        if outer is jvp:
            return jvp(lambda x: f(x, places), (X,), (np.ones_like(X),))
        return outer(f)(X, places)

    at(np.array([0, 2, 6]))
    with pytest.raises(IndexError, match="index 9 is out of bounds"):
        at(np.array([0, 2, 9]))


def test_shapes_are_checked_in_front():
    """Shapes that do not change from iteration to iteration are not checked in the loop that computes."""

    def distances(centroids, points):
        total = 0.0
        for i in range(len(points)):
            for j in range(len(centroids)):
                total += np.sum((points[i] - centroids[j]) ** 2)
        return total

    centroids, points = A[:2], A[2:]
    np.testing.assert_allclose(grad(distances)(centroids, points), 2.0 * (3 * centroids - points.sum(0)), rtol=1e-12)
    with any_lengths():
        assert loops(distances, centroids, points) == 2 + 2
    for g in (grad(distances), value_and_grad(distances)):
        with pytest.raises(ValueError, match=r"shapes \(5,\) \(4,\)"):
            g(centroids[:, :4], points)
        g(centroids[:, :4], points[:0])


def test_values_that_are_written_are_those_of_the_function():
    def f(x, log):
        total = 0.0
        for i in range(len(x)):
            log[i] = i
            total += x[i] ** 2
        return total

    log = np.zeros(7)
    gradient = grad(f, donate_argnums=1)(X, log)
    np.testing.assert_array_equal(log, np.arange(7.0))
    np.testing.assert_allclose(gradient, 2.0 * X)


def test_policies_are_heard():
    """A loop with a policy of its own is kept apart from its dual, as the policy is about what is kept."""
    with adcore.loop_policy("sqrt"):
        np.testing.assert_allclose(grad(potential)(X), -2.0 * X * np.exp(-X * X), rtol=1e-14)

"""What the reverse sweep does not do twice, or at all; seen in the printed derivative, and right all the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_derivatives import richardson

from adcore import grad, jit, memory, source, value_and_grad

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=6), RNG.normal(size=6)
POINTS, CENTROIDS = RNG.normal(size=(7, 3)), RNG.normal(size=(4, 3))


def checked(f, x, *rest):
    """The gradient, after it has been compared with differences along a direction."""
    along = RNG.normal(size=np.shape(x))
    gradient = grad(f)(x, *rest)
    slope = richardson(lambda s: float(f(x + s * along, *rest)))
    assert np.sum(gradient * along) == pytest.approx(slope, rel=1e-7, abs=1e-9)
    return gradient


# Chains of factors


def gates(x, n):
    total = 0.0
    for _ in range(n):
        total += np.sum(1.0 / (1.0 + np.exp(-np.tanh(x))))
        x = np.sin(x)
    return total


def test_a_chain_keeps_one_factor():
    """Of the quotient, the exponential and the hyperbolic tangent together one number an element."""
    checked(gates, X, 3)

    def layer(x):
        return np.sum(np.exp(np.sin(np.cos(x))))

    assert memory(grad(layer), X).total == X.nbytes  # one product of three factors
    checked(layer, X)


def test_factors_of_different_dtypes_and_masks():
    def mixed(x):
        low = np.where(x > 0.0, np.log(np.where(x > 0.0, x, 1.0)), x * x).astype(np.float32)
        return np.sum(np.exp(low.astype(np.float64)))

    gradient = grad(mixed)(X)
    expected = np.where(X > 0.0, 1.0, 2.0 * X * np.exp(X * X))
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


# What was not chosen


def nearest(centroids, points):
    total = 0.0
    for i in range(points.shape[0]):
        closest = np.inf
        for j in range(centroids.shape[0]):
            closest = min(closest, np.sum((points[i] - centroids[j]) ** 2))
        total += closest
    return total


def nearest_by_elements(centroids, points):
    total = 0.0
    for i in range(points.shape[0]):
        closest = np.inf
        for j in range(centroids.shape[0]):
            distance = 0.0
            for a in range(points.shape[1]):
                distance += (points[i, a] - centroids[j, a]) ** 2
            if distance < closest:
                closest = distance
        total += closest
    return total


def largest_product(centroids, points):
    """What comes from the choice goes on outside of it, too."""
    best, scale = 0.0, 0.0
    for i in range(points.shape[0]):
        value = points[i] @ centroids[i % centroids.shape[0]]
        best = max(best, value * value)
        scale = scale + value
    return best * scale


@pytest.mark.parametrize("f", [nearest, nearest_by_elements, largest_product])
def test_what_was_not_chosen(f):
    checked(f, CENTROIDS, POINTS)
    checked(lambda points: f(CENTROIDS, points), POINTS)
    if f is not largest_product:
        expected = np.zeros_like(CENTROIDS)
        for point in POINTS:
            k = np.argmin(np.sum((point - CENTROIDS) ** 2, axis=1))
            expected[k] += 2.0 * (CENTROIDS[k] - point)
        np.testing.assert_allclose(grad(f)(CENTROIDS, POINTS), expected, rtol=1e-12)


def test_it_costs_a_test():
    derivative = source(grad(nearest), CENTROIDS, POINTS)
    update = next(line for line in derivative.splitlines() if "dcentroids[" in line)
    branch = derivative[: derivative.index(update)].splitlines()
    inner = [line for line in branch if line.strip().startswith("if t")][-1]
    assert len(update) - len(update.lstrip()) > len(inner) - len(inner.lstrip())


def test_second_derivatives_of_choices():
    def squared(c):
        return np.sum(grad(nearest)(c, POINTS) ** 2)

    checked(squared, CENTROIDS)


# Single elements, and parts


def shifted(x, n):
    y = np.zeros_like(x)
    for _ in range(n):
        z = np.empty_like(x)
        z[0] = x[0]
        z[1:] = x[1:] * y[:-1]
        y = y + 0.1 * z
    return y[-1]


def test_one_element_of_a_cotangent():
    checked(shifted, X, 9)
    reverse = source(grad(shifted), X, 9)
    assert reverse[reverse.index("dx = ") :].count(".copy()") == 0


def test_elements_of_what_is_made_here():
    def f(x, n):
        total = 0.0
        for k in range(n):
            y = np.exp(x * x)
            y[1:3] = 0.0
            total += y[k] * y[0] + y[n - 1]
        return total

    checked(f, X, 4)
    assert grad(f)(X, 0) == pytest.approx(np.zeros(6))


def test_sums_of_the_rows_of_products():
    w = RNG.normal(size=(6, 6))

    def f(m):
        return np.sum(np.sin((w[:4] - m) @ w))

    gradient = checked(f, X)
    np.testing.assert_allclose(gradient, -np.sum(np.cos((w[:4] - X) @ w) @ w.T, axis=0), rtol=1e-12)


# Memory


def test_results_come_from_memory_that_was_given_back():
    large = np.ones(1 << 18)
    square = grad(lambda x: np.sum(x * x))
    first = square(large)
    place = first.ctypes.data
    del first
    assert square(large).ctypes.data == place


def test_results_can_be_resized_and_outlive_all():
    small = grad(lambda x: np.sum(x * x))(np.ones(3))
    small.resize(1 << 18, refcheck=False)
    assert list(small[:4]) == [2.0, 2.0, 2.0, 0.0]
    small.resize(2, refcheck=False)
    assert list(small) == [2.0, 2.0]
    kept = [jit(lambda x: x + 1.0)(np.full(k, float(k))) for k in range(200)]
    for k, array in enumerate(kept):
        np.testing.assert_array_equal(array, np.full(k, k + 1.0))


def test_arrays_that_grow_and_shrink():
    def f(x, n):
        found = []
        for k in range(n):
            if math.sin(7.0 * k) > -0.5:
                found.append(x * k)
        total = 0.0
        for value in found:
            total += value * value
        return total

    value, slope = value_and_grad(f)(0.3, 5000)
    assert value == pytest.approx(f(0.3, 5000), rel=1e-12)
    assert slope == pytest.approx(2.0 * value / 0.3, rel=1e-12)

"""Slices of one element broadcast as axes of length 1 do, though a slice may also be empty."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import grad, jit, jvp

X = np.random.default_rng(0).normal(size=(4, 5))


def in_loop(x):
    total = np.zeros_like(x)
    for i in range(x.shape[0]):
        total += x[i : i + 1] * x
        total[i : i + 1] += x[:1] * 2.0
    return total


def written(x):
    y = np.zeros_like(x)
    y[:] = x[:1]
    y[:, :] += x[:, 1:2]
    return y


FUNCTIONS = {
    "constant": lambda x: x * x[:, 1:2],
    "first": lambda x: x[:1] * x,
    "last": lambda x: x[-1:] + x,
    "from the end": lambda x: x * x[-2:-1],
    "product": lambda x: x[:, 2:3] @ x[:1],
    "joined": lambda x: np.concatenate((x[:1], x)),
    "several": lambda x: x[:, 1:2] * x[:, 2:3] * x[1:2],
    "in a loop": in_loop,
    "written": written,
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_slices_of_one_element(f):
    np.testing.assert_allclose(jit(f)(X), f(X), rtol=1e-14)

    def g(x):
        return np.sum(f(x) * f(x))

    u, h = np.random.default_rng(1).normal(size=X.shape), 1e-6
    slope = (g(X + h * u) - g(X - h * u)) / (2 * h)
    np.testing.assert_allclose(jvp(g, (X,), (u,))[1], slope, rtol=1e-7)
    np.testing.assert_allclose(np.sum(grad(g)(X) * u), slope, rtol=1e-7)


def test_what_is_empty_does_not_broadcast():
    with pytest.raises(ValueError, match="could not be broadcast"):
        jit(lambda x: x * x[:, 3:4])(X[:, :2])
    assert jit(lambda x: np.concatenate((x[:1], x)))(X[:0]).shape == (0, 5)


@pytest.mark.parametrize("n", range(4))
def test_slices_of_one_element_of_short_arrays(n):
    x = X[0, :n]
    for f in (lambda x: x[:1], lambda x: x[-1:], lambda x: x[-2:-1], lambda x: x[-3:-2], lambda x: x[1:2]):
        np.testing.assert_array_equal(jit(f)(x), f(x))

    def written(x):
        y = x * 1.0
        y[-2:-1] = 7.0
        y[-3:-2] -= y[-3:-2] * y[-3:-2]
        return y

    np.testing.assert_array_equal(jit(written)(x), written(x))

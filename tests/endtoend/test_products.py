"""Products of matrices and vectors of all small lengths, and of parts of arrays whose lines lie anyhow in memory."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import grad, jit

RNG = np.random.default_rng(17)
LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33]
PARTS = {
    "whole": lambda a: a,
    "transposed": lambda a: a.T,
    "backwards": lambda a: a[::-1, ::-1],
    "every second": lambda a: a[::2, ::2],
    "columns": lambda a: a[:, ::2],
    "rows from the end": lambda a: a[::-1],
}


def product(a, b):
    return a @ b


def weighted(a, b, w):
    return np.sum(np.sin(a @ b) * w)


def operand(n, m, part, dtype):
    """An array that is n by m and is that part of another one."""
    room = RNG.normal(size=(2 * max(n, m) + 1, 2 * max(n, m) + 1))
    room = room.astype(dtype) if dtype is not np.int64 else (1e3 * room).astype(dtype)
    return PARTS[part](room)[:n, :m]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("right", PARTS)
@pytest.mark.parametrize("left", PARTS)
def test_products(left, right, dtype):
    compiled = jit(product)
    for n in LENGTHS:
        for k in LENGTHS:
            for m in (1, 2, 4, 5, 17):
                a, b = operand(n, k, left, dtype), operand(k, m, right, dtype)
                for x, y in ((a, b), (a[0], b) if n else (a, b), (a, b[:, 0])):
                    found, wanted = compiled(x, y), x @ y
                    assert found.shape == wanted.shape
                    assert found.dtype == dtype
                    scale = np.abs(x).astype(float) @ np.abs(y).astype(float)
                    unit = 0.0 if dtype is np.int64 else np.finfo(dtype).eps
                    assert np.all(np.abs(found - wanted) <= 2 * (k + 1) * unit * scale), (n, k, m)


@pytest.mark.parametrize("right", PARTS)
@pytest.mark.parametrize("left", PARTS)
def test_gradients(left, right):
    derivative = grad(weighted, argnums=(0, 1))
    for n, k, m in [(1, 5, 9), (9, 5, 1), (3, 4, 5), (17, 16, 15), (4, 1, 4), (0, 3, 2), (2, 0, 3), (33, 34, 35)]:
        a, b, w = operand(n, k, left, np.float64), operand(k, m, right, np.float64), RNG.normal(size=(n, m))
        da, db = derivative(a, b, w)
        cotangent = np.cos(a @ b) * w
        np.testing.assert_allclose(da, cotangent @ b.T, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(db, a.T @ cotangent, rtol=1e-11, atol=1e-11)

"""One nest reads arrays of every kind side by side: whole, reversed, stepped, repeated, counting, picked, ...."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adcore import grad, jit

VECTORS = {
    "whole": lambda x: x[0, :3],
    "reversed": lambda x: x[0, 2::-1],
    "stepped": lambda x: x[1, ::2],
    "column": lambda x: x[:3, 1],
    "computed": lambda x: x[0, :3] * 2.0,
    "repeated": lambda x: np.broadcast_to(x[1, 1], 3),
    "constant": lambda x: np.ones(3),
    "counting": lambda x: np.arange(x.shape[0] - 1),
    "picked": lambda x: x[0][np.array([2, 0, 2])],
    "masked": lambda x: x[0][x[0] > x[0, 2]],
    "written": lambda x: written(x[0, :3]),
    "empty": lambda x: np.zeros_like(x[2, :3]),
}
MATRICES = {
    "whole": lambda x: x[:3, :3],
    "transposed": lambda x: x[:3, :3].T,
    "turned": lambda x: x[2::-1, 2::-1],
    "stepped": lambda x: x[:3, ::2],
    "computed": lambda x: x[:3, :3] * x[:3, :3],
    "rows": lambda x: np.broadcast_to(x[0, ::2], (3, 3)),
    "columns": lambda x: x[2::-1, 1][:, np.newaxis],
    "counting": lambda x: np.arange(3)[:, np.newaxis],
    "picked": lambda x: x[:, :3][np.array([2, 0, 3])],
    "product": lambda x: x[:3, :4] @ x[:, :3],
    "sums": lambda x: np.sum(x[:3], axis=1, keepdims=True),
}


def written(x):
    y = x.copy()
    y[1] = y[0] * y[2]
    return y


X = np.random.default_rng(3).uniform(0.5, 1.5, (4, 5))
X[0, 2] = X[0].min() - 0.1
X[0, 4] = X[0, 2] - 0.1  # so that three are greater than X[0, 2]
PAIRS = [
    pytest.param(f, g, id=f"{one}-{other}-{rank}")
    for rank, kinds in ((1, VECTORS), (2, MATRICES))
    for (one, f), (other, g) in itertools.product(kinds.items(), repeat=2)
]


@pytest.mark.parametrize(("f", "g"), PAIRS)
def test_pairs(f, g):
    def product(x):
        return f(x) * g(x) + f(x)

    def weighted(x):
        weights = np.array([1.0, -2.0, 3.0])
        return np.sum(product(x) * weights)

    np.testing.assert_allclose(jit(product)(X), product(X), rtol=1e-14)
    direction = np.random.default_rng(4).normal(size=X.shape)
    h = 1e-6
    slope = (weighted(X + h * direction) - weighted(X - h * direction)) / (2 * h)
    np.testing.assert_allclose(np.sum(grad(weighted)(X) * direction), slope, rtol=1e-6, atol=1e-9)

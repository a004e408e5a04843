"""Draws from generators that are seeded inside, so that the noise is the same in every call."""

from __future__ import annotations

import numpy as np

X = np.array([0.7, 1.2, 0.3])

CALLS = {
    "numpy.random.default_rng": [
        (lambda x: x * np.random.default_rng(3).normal(size=3), X),
        (lambda x: np.random.default_rng(3).normal(x, 2.0, (2, 3)), X),
        (lambda x: np.random.default_rng(3).gumbel(x, x * x), X),
        (lambda x: np.random.default_rng(3).exponential(x, (3, 3)), X),
        (lambda x: np.random.default_rng(3).triangular(0.0, x, 2.0), X),
        (lambda x: np.random.default_rng(3).permuted(x, axis=1), np.arange(6.0).reshape(2, 3)),
        (lambda x: x * np.random.default_rng(3).standard_t(4.0, 3), X),
    ],
}

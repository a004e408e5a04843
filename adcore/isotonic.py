"""Isotonic regression: the monotone sequence nearest to a given one, with its derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from .custom import stop_gradient

__all__ = ["isotonic_l2_pav", "isotonic_regression"]


def isotonic_regression(y: Any, weights: Any = None, increasing: bool = True) -> Any:
    """The x with x₀ ≤ x₁ ≤ … that minimizes Σ weights (x - y)².

    Pooling adjacent violators finds the blocks on which x is constant, in O(n) steps; there it is the weighted mean of
    y, and so are its derivatives (Best and Chakravarti 1990; Blondel et al., arXiv:2002.08871, section 5).

    Args:
        y: (n,).
        weights: (n,), positive; without them all are 1.
        increasing: whether x increases; else it decreases.

    Returns:
        x, (n,).

    >>> isotonic_regression(np.array([1.0, 3.0, 2.0, 4.0]))
    array([1. , 2.5, 2.5, 4. ])
    >>> isotonic_regression(np.array([1.0, 3.0, 2.0, 4.0]), np.array([1.0, 1.0, 3.0, 1.0]))
    array([1.  , 2.25, 2.25, 4.  ])
    """
    if not increasing:
        return -isotonic_regression(-y, weights)
    weight = np.ones_like(y) if weights is None else weights
    block = _blocks(stop_gradient(y), stop_gradient(weight))
    return (np.bincount(block, weight * y) / np.bincount(block, weight))[block].astype((weight * y).dtype)


def isotonic_l2_pav(y: Any, y_min: Any = -np.inf, y_max: Any = np.inf, increasing: bool = True) -> Any:
    """`isotonic_regression` between two bounds, by the name and arguments of jaxopt.

    >>> isotonic_l2_pav(np.array([1.0, 3.0, 2.0, 4.0]), y_min=2.0)
    array([2. , 2.5, 2.5, 4. ])
    """
    return np.minimum(np.maximum(isotonic_regression(y, None, increasing), y_min), y_max)


def _blocks(y: Any, weights: Any) -> Any:
    """The number of the block that each element is in."""
    n = len(y)
    means = np.zeros(n)
    masses = np.zeros(n)
    sizes = np.zeros(n, np.int64)
    count = 0
    for i in range(n):
        mean = y[i]
        mass = weights[i]
        size = 1
        while count > 0 and means[count - 1] >= mean:
            count -= 1
            total = mass + masses[count]
            mean += (means[count] - mean) * (masses[count] / total)
            mass = total
            size += sizes[count]
        means[count] = mean
        masses[count] = mass
        sizes[count] = size
        count += 1
    return np.repeat(np.arange(count), sizes[:count])

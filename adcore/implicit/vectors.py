"""Trees of real numbers and arrays as vectors, for solvers that are written for one vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..trees import flatten

__all__ = ["as_tree", "vector_of"]


def vector_of(tree: Any) -> Any:
    """The elements of all numbers and arrays in a tree, one after the other.

    >>> vector_of((1.0, np.array([[2.0, 3.0]])))
    array([1., 2., 3.])
    """
    return np.concatenate([np.ravel(leaf) for leaf in flatten(tree)[0]])


def as_tree(vector: Any, like: Any) -> Any:
    """A tree like another one, with the elements of a vector.

    >>> as_tree(np.array([1.0, 2.0, 3.0]), (0.0, np.zeros((1, 2))))
    (1.0, array([[2., 3.]]))
    """
    leaves, tree = flatten(like)
    found: list[Any] = []
    start = 0
    for leaf in leaves:
        size = np.size(leaf)
        part = vector[start : start + size]
        found.append(part.reshape(np.shape(leaf)) if np.ndim(leaf) else part[0].item())
        start += size
    return tree.unflatten(found)

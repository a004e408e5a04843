"""Trees of numbers and arrays as vectors, for functions that are written for one vector, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DtypeError
from .trees import flatten

__all__ = ["as_rows", "as_tree", "reals_of", "rows", "vector_of", "with_reals"]


def vector_of(tree: Any) -> Any:
    """The elements of all numbers and arrays in a tree, one after the other.

    Raises:
        DtypeError: something in it is no real number or array of them.

    >>> vector_of((1.0, np.array([[2.0, 3.0]])))
    array([1., 2., 3.])
    """
    leaves = flatten(tree)[0]
    if not leaves or not all(map(_is_real, leaves)):
        raise DtypeError("real numbers and arrays of them are needed here", write="float64 numbers and arrays")
    return np.concatenate([np.ravel(leaf) for leaf in leaves])


def as_tree(vector: Any, like: Any) -> Any:
    """A tree like another one, with the elements of a vector.

    >>> as_tree(np.array([1.0, 2.0, 3.0]), (0.0, np.zeros((1, 2))))
    (1.0, array([[2., 3.]]))
    """
    return _filled(vector, like, lambda leaf: True)


def as_rows(matrix: Any, like: Any) -> Any:
    """A tree like a state, with a first axis more: the states in the rows of a matrix.

    >>> as_rows(np.array([[1.0, 2.0], [3.0, 4.0]]), (0.0, np.zeros(1)))
    (array([1., 3.]), array([[2.],
           [4.]]))
    """
    leaves, tree = flatten(like)
    found: list[Any] = []
    start = 0
    for leaf in leaves:
        part, start = rows(matrix, start, leaf)
        found.append(part)
    return tree.unflatten(found)


def rows(matrix: Any, start: Any, like: Any) -> Any:
    """What belongs to one number or array of a state, and where the next one begins."""
    end = start + np.size(like)
    part = matrix[:, start:end].reshape((matrix.shape[0], *np.shape(like)))
    return part.astype(np.asarray(like).dtype), end


def reals_of(tree: Any) -> Any:
    """The elements of all real numbers and arrays of them, in double precision; whatever else there is, is left out.

    >>> reals_of((2, 1.0, "name", np.ones(2)))
    array([1., 1., 1.])
    """
    found = [np.ravel(leaf) for leaf in flatten(tree)[0] if _is_real(leaf)]
    return np.concatenate([np.zeros(0), *found])


def with_reals(vector: Any, like: Any) -> Any:
    """A tree like another one, with the elements of a vector for its real numbers.

    >>> with_reals(np.array([5.0, 6.0]), (2, 1.0, "name", np.ones(1)))
    (2, 5.0, 'name', array([6.]))
    """
    return _filled(vector, like, _is_real)


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, float | np.floating) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")


def _filled(vector: Any, like: Any, is_taken: Any) -> Any:
    leaves, tree = flatten(like)
    found: list[Any] = []
    start = 0
    for leaf in leaves:
        if not is_taken(leaf):
            found.append(leaf)
            continue
        end = start + np.size(leaf)
        part = vector[start:end]
        kept = part.reshape(np.shape(leaf)).astype(leaf.dtype) if np.ndim(leaf) else part[0].item()
        found.append(kept)
        start = end
    return tree.unflatten(found)

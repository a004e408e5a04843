"""Trees of numbers and arrays as vectors, for functions that are written for one vector, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DtypeError
from .trees import flatten, matched, structure

__all__ = [
    "as_rows",
    "as_tree",
    "has_complex",
    "minus",
    "real_vector_of",
    "reals_of",
    "rows",
    "vector_of",
    "with_reals",
]


def vector_of(tree: Any, like: Any = None) -> Any:
    """The elements of all numbers and arrays in a tree, one after the other, all of them real.

    Of a complex array they are first the real parts of all elements, then the imaginary parts.

    Args:
        tree: the tree.
        like: a tree of the same structure, in whose order they are, where keys of dicts are in another one.

    Raises:
        DtypeError: something in it is no real or complex number or array of them; it is not like the other tree.

    >>> vector_of((1.0, np.array([[2.0, 3.0 + 4.0j]])))
    array([1., 2., 3., 0., 4.])
    """
    leaves = flatten(tree)[0] if like is None else fitting(tree, like)
    if not leaves or not all(map(_is_inexact, leaves)):
        raise DtypeError(
            "real or complex numbers and arrays of them are needed here", write="float64 numbers and arrays"
        )
    return np.concatenate([part for leaf in leaves for part in _parts_of(leaf)])


def real_vector_of(tree: Any) -> Any:
    """The elements of all numbers and arrays in a tree, in which there are no complex ones.

    Raises:
        DtypeError: something in it is no real number or array of them.

    >>> real_vector_of((1.0, np.array([[2.0, 3.0]])))
    array([1., 2., 3.])
    """
    leaves = flatten(tree)[0]
    if not leaves or not all(map(_is_real, leaves)):
        raise DtypeError("real numbers and arrays of them are needed here", write="float64 numbers and arrays")
    return vector_of(tree)


def as_tree(vector: Any, like: Any) -> Any:
    """A tree like another one, with the elements of a vector, as `vector_of` has them.

    >>> as_tree(np.array([1.0, 2.0, 3.0, 4.0]), (0.0, np.zeros((1, 1)), 0j))
    (1.0, array([[2.]]), (3+4j))
    """
    return _filled(vector, like, lambda leaf: True)


def minus(tree: Any, other: Any) -> Any:
    """The differences of the numbers and arrays in two trees of one structure.

    Raises:
        DtypeError: they differ in structure, in dtypes or in the number of axes.

    >>> minus((1.0, np.ones(2)), (2.0, np.ones(2)))
    (-1.0, array([0., 0.]))
    """
    leaves, others = fitting(tree, other), flatten(other)[0]
    return structure(other).unflatten([x - y for x, y in zip(leaves, others, strict=True)])


def fitting(tree: Any, like: Any) -> list[Any]:
    """The leaves of a tree, in the order of those of another one, whatever the order of the keys of dicts is.

    Raises:
        DtypeError: they differ in structure, in dtypes or in the number of axes.
    """
    wanted = flatten(like)[0]
    try:
        found = matched(structure(like), tree)
    except ValueError:
        found = []
    if len(found) != len(wanted) or any(_kind(x) != _kind(y) for x, y in zip(found, wanted, strict=True)):
        raise DtypeError("a tree has another structure, or other numbers and arrays, than it has to have")
    return found


def _kind(leaf: Any) -> tuple[Any, int]:
    return np.result_type(leaf), np.ndim(leaf)


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


def has_complex(tree: Any) -> bool:
    """Whether there is a complex number or an array of them in a tree.

    >>> has_complex((1.0, np.ones(2) + 0j))
    True
    """
    return any(map(_is_complex, flatten(tree)[0]))


def reals_of(tree: Any) -> Any:
    """The elements of all real and complex numbers and arrays, in double precision, and of nothing else.

    >>> reals_of((2, 1.0, "name", np.ones(2)))
    array([1., 1., 1.])
    """
    found = [part for leaf in flatten(tree)[0] if _is_inexact(leaf) for part in _parts_of(leaf)]
    return np.concatenate([np.zeros(0), *found])


def with_reals(vector: Any, like: Any) -> Any:
    """A tree like another one, with the elements of a vector, as `reals_of` has them, for its numbers.

    >>> with_reals(np.array([5.0, 6.0]), (2, 1.0, "name", np.ones(1)))
    (2, 5.0, 'name', array([6.]))
    """
    return _filled(vector, like, _is_inexact)


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, float | np.floating) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")


def _is_complex(leaf: Any) -> bool:
    return isinstance(leaf, complex | np.complexfloating) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "c")


def _is_inexact(leaf: Any) -> bool:
    return _is_real(leaf) or _is_complex(leaf)


def _parts_of(leaf: Any) -> list[Any]:
    flat: Any = np.ravel(leaf)
    return [flat.real, flat.imag] if _is_complex(leaf) else [flat]


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
        if _is_complex(leaf):
            start, end = end, end + np.size(leaf)
            part = part + 1j * vector[start:end]
        kept = part.reshape(np.shape(leaf)).astype(leaf.dtype) if np.ndim(leaf) else part[0].item()
        found.append(kept)
        start = end
    return tree.unflatten(found)

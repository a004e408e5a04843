"""States of differential equations as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DtypeError
from ..trees import flatten, map_leaves
from ..vectors import real_vector_of

__all__ = ["derivative_of", "fitting", "in_floats", "state_of"]


def in_floats(tree: Any) -> Any:
    """A state with its integers in double precision.

    >>> in_floats((1, np.array([2, 3])))
    (1.0, array([2., 3.]))
    """
    return map_leaves(lambda x: x * 1.0 if np.result_type(x).kind in "iu" else x, tree)


def state_of(tree: Any) -> Any:
    """The elements of all numbers and arrays of a state, one after the other, in double precision.

    >>> state_of((1.0, np.array([[2.0, 3.0]])))
    array([1., 2., 3.])
    """
    return real_vector_of(tree).astype(np.float64)


def derivative_of(found: Any, like: Any, vector: Any) -> Any:
    """The vector, as long as that of the state, of what the equation's right side gives for a state.

    Where the state is one array, a list or tuple of numbers is an array too, as for SciPy.

    Raises:
        DtypeError: it has another structure.
        ValueError: it has another shape.
    """
    if isinstance(like, np.ndarray) and isinstance(found, list | tuple) and not any(map(np.ndim, found)):
        found = np.array(found)
    (leaves, tree), (wanted, structure) = flatten(found), flatten(like)
    if tree != structure:
        raise DtypeError("odeint: f gives another structure than that of the state", write="one value for each of it")
    return np.concatenate([fitting(leaf, want) for leaf, want in zip(leaves, wanted, strict=True)])


def fitting(found: Any, like: Any) -> Any:
    """The vector of one number or array of a derivative.

    Raises:
        ValueError: it has another shape.
    """
    if np.shape(found) != np.shape(like):
        raise ValueError(
            f"odeint: f gives another shape than that of the state: {np.size(found)} numbers for {np.size(like)}"
        )
    return np.ravel(found).astype(np.float64)

"""Functions that sort.  A sorted array is a gather by the permutation that sorts, and has its derivative.

Equal elements keep their order, whatever `kind` is asked for; where elements are equal the derivative is that of one
order of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adcore.errors import UnsupportedFunctionError

from ..array_functions import array_like
from ..reductions import axis_of, product
from ..values import LAST, NONE, Scalar, Static, Value
from .registry import defines, lowers, method

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["argpartition", "argsort", "lexsort", "partition", "sort", "unique"]


@lowers("numpy.argsort")
def argsort(
    low: Lowering, a: Value, axis: Value = LAST, kind: Value = NONE, order: Value = NONE, *, stable: Value = NONE
) -> Value:
    """`np.argsort`: always the stable order."""
    x = array_like(low, a)
    if not (isinstance(order, Static) and order.value is None):
        low.refuse(UnsupportedFunctionError, "sorting by fields", "np.lexsort")
    if isinstance(x, Scalar):
        return low.refuse(UnsupportedFunctionError, "sorting a number", "an array")
    atom = low.atom(x)
    if isinstance(axis, Static):
        return low.array(low.b.argsort(low.b.reshape(atom, product(low, x.shape))))
    along = axis_of(low, axis, x.rank)
    swapped = list(range(x.rank))
    swapped[along], swapped[-1] = swapped[-1], swapped[along]
    found = low.b.argsort(low.b.permute(atom, order=tuple(swapped)))
    return low.array(low.b.permute(found, order=tuple(swapped)))


@defines("numpy.sort")
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    x = np.asarray(a)
    if axis is None:
        flat = x.ravel()
        return flat[np.argsort(flat, 0, kind, order, stable=stable)]
    return np.take_along_axis(x, np.argsort(x, axis, kind, order, stable=stable), axis)


@method("sort")
def sort_in_place(a, axis=-1, kind=None, order=None, *, stable=None):
    a[...] = sort(a, axis, kind, order, stable=stable)


@method("argsort")
def argsort_of(a, axis=-1, kind=None, order=None, *, stable=None):
    return np.argsort(a, axis, kind, order, stable=stable)


@defines("numpy.partition")
def partition(a, kth, axis=-1, kind="introselect", order=None):
    """All of the array sorted, which is one of the orders that NumPy may give."""
    return sort(a, axis, None, order)


@method("partition")
def partition_in_place(a, kth, axis=-1, kind="introselect", order=None):
    a[...] = sort(a, axis, None, order)


@defines("numpy.argpartition")
@method("argpartition")
def argpartition(a, kth, axis=-1, kind="introselect", order=None):
    return np.argsort(a, axis, None, order)


@defines("numpy.lexsort")
def lexsort(keys, axis=-1):
    rows = [np.asarray(key) for key in keys]
    order = np.argsort(rows[0], axis)
    for row in rows[1:]:
        order = np.take_along_axis(order, np.argsort(np.take_along_axis(row, order, axis), axis), axis)
    return order


@defines("numpy.unique")
def unique(
    ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, sorted=True
):
    if axis is not None:
        raise NotImplementedError("np.unique along an axis")
    x = np.asarray(ar)
    flat = x.ravel()
    order = np.argsort(flat)
    ascending = flat[order]
    n = flat.shape[0]
    first = np.ones(n, bool)
    if equal_nan and x.dtype.kind == "f":
        first[1:] = (ascending[1:] != ascending[:-1]) & ~(np.isnan(ascending[1:]) & np.isnan(ascending[:-1]))
    else:
        first[1:] = ascending[1:] != ascending[:-1]
    starts = np.flatnonzero(first)
    found = [ascending[starts]]
    if return_index:
        found.append(order[starts])
    if return_inverse:
        inverse = np.zeros(n, np.int64)
        inverse[order] = np.cumsum(first.astype(np.int64)) - 1
        found.append(inverse.reshape(x.shape))
    if return_counts:
        found.append(np.diff(starts, append=n))
    return found[0] if len(found) == 1 else tuple(found)


@defines("numpy.unique_values")
def unique_values(x):
    return unique(x, equal_nan=False)

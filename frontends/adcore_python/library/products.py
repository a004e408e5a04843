"""Products of all kinds: traces, cross products, Kronecker products, products of vectors in arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..array_functions import array_like
from ..linear_algebra import conjugated
from ..values import LAST, Static, Value
from .einsum import einsum
from .registry import defines, lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["cross", "kron", "trace", "vecdot"]


@defines("numpy.trace")
def trace(a, offset=0, axis1=0, axis2=1, dtype=None):
    elements = np.diagonal(a, offset, axis1, axis2)
    return np.sum(elements if dtype is None else elements.astype(dtype), -1)


@defines("numpy.linalg.trace")
def linalg_trace(x, /, *, offset=0, dtype=None):
    return trace(x, offset, -2, -1, dtype)


@defines("numpy.linalg.outer")
def linalg_outer(x1, x2, /):
    x, y = np.asarray(x1), np.asarray(x2)
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"Input arrays must be one-dimensional, but they are {x.ndim}-d and {y.ndim}-d")
    return np.outer(x, y)


@defines("numpy.linalg.matmul")
def linalg_matmul(x1, x2, /):
    return np.matmul(x1, x2)


@defines("numpy.linalg.tensordot")
def linalg_tensordot(x1, x2, /, *, axes=2):
    return np.tensordot(x1, x2, axes)


@lowers("numpy.vecdot", "numpy.linalg.vecdot")
def vecdot(low: Lowering, x1: Value, x2: Value, axis: Value = LAST) -> Value:
    """`np.vecdot`: the first is conjugated, as in all products where a vector stands on the left."""
    x, y = (low.call(Static(np.moveaxis), [array_like(low, v), axis, LAST], {}) for v in (x1, x2))
    return einsum(low, Static("...i,...i->..."), conjugated(low, x), y)


@lowers("numpy.matvec")
def matvec(low: Lowering, x1: Value, x2: Value) -> Value:
    """`np.matvec`."""
    return einsum(low, Static("...ij,...j->...i"), x1, x2)


@lowers("numpy.vecmat")
def vecmat(low: Lowering, x1: Value, x2: Value) -> Value:
    """`np.vecmat`."""
    return einsum(low, Static("...i,...ij->...j"), conjugated(low, x1), x2)


@defines("numpy.kron")
def kron(a, b):
    x, y = np.asarray(a), np.asarray(b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    rank = max(x.ndim, y.ndim)
    x = np.reshape(x, (1,) * (rank - x.ndim) + x.shape)
    y = np.reshape(y, (1,) * (rank - y.ndim) + y.shape)
    products = np.reshape(x, x.shape + (1,) * rank) * y
    order = [axis for k in range(rank) for axis in (k, rank + k)]
    shape = [x.shape[k] * y.shape[k] for k in range(rank)]
    return np.reshape(np.transpose(products, tuple(order)), tuple(shape))


@defines("numpy.cross")
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa, axisb, axisc = axis, axis, axis
    x, y = np.moveaxis(np.asarray(a), axisa, -1), np.moveaxis(np.asarray(b), axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ValueError("both input arrays must be (arrays of) 3-dimensional vectors")
    return np.stack(
        (
            x[..., 1] * y[..., 2] - x[..., 2] * y[..., 1],
            x[..., 2] * y[..., 0] - x[..., 0] * y[..., 2],
            x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0],
        ),
        axisc,
    )


@defines("numpy.linalg.cross")
def linalg_cross(x1, x2, /, *, axis=-1):
    return cross(x1, x2, axis=axis)

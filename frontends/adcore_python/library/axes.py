"""Axes moved and added, arrays brought to one shape, windows on an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adcore.errors import UnsupportedFunctionError
from adcore.types import Atom

from ..array_functions import array_like, shape_of
from ..containers import items as items_in
from ..operators import broadcast, describe
from ..reductions import axes_of
from ..values import FALSE, NONE, Array, List, Scalar, Static, Tuple, Value
from .registry import defines, lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["broadcast_arrays", "broadcast_shapes", "matrix_transpose", "resize", "rollaxis", "sliding_window_view"]


@defines("numpy.rollaxis")
def rollaxis(a, axis, start=0):
    x = np.asarray(a)
    place = axis % x.ndim
    end = start + x.ndim if start < 0 else start
    order = [k for k in range(x.ndim) if k != place]
    order.insert(end - 1 if place < end else end, place)
    return np.transpose(x, tuple(order))


@defines("numpy.matrix_transpose", "numpy.linalg.matrix_transpose")
def matrix_transpose(x, /):
    matrices = np.asarray(x)
    if matrices.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {matrices.ndim}")
    return np.swapaxes(matrices, -1, -2)


@defines("numpy.linalg.diagonal")
def linalg_diagonal(x, /, *, offset=0):
    return np.diagonal(x, offset, -2, -1)


@defines("numpy.broadcast_shapes")
def broadcast_shapes(*args):
    shapes = [shape if isinstance(shape, tuple) else (shape,) for shape in args]
    rank = max([len(shape) for shape in shapes]) if len(shapes) > 0 else 0
    return tuple([_length([s[k - rank] for s in shapes if len(s) >= rank - k]) for k in range(rank)])


def _length(lengths):
    found = 1
    for n in lengths:
        if found != n and found != 1 and n != 1:
            raise ValueError("shape mismatch: objects cannot be broadcast to a single shape")
        found = n if found == 1 else found
    return found


@lowers("numpy.broadcast_arrays")
def broadcast_arrays(low: Lowering, *args: Value) -> Value:
    """`np.broadcast_arrays`: the results are not to be written to while their sources change."""
    arrays = [array_like(low, a) for a in args]
    atoms = [low.atom(x) for x in arrays]
    shape = next((a.type.shape for a in broadcast(low, atoms) if a.type.shape), ())
    return Tuple(tuple(_seen(low, x, a, shape) for x, a in zip(arrays, broadcast(low, atoms), strict=True)))


def _seen(low: Lowering, x: Scalar | Array, atom: Atom, shape: tuple[Atom, ...]) -> Scalar | Array:
    """The array itself where it has the shape already."""
    if isinstance(x, Scalar):
        return low.value(low.b.expand(atom, *shape, axes=tuple(range(len(shape)))))
    if x.shape == shape:
        return x
    made = low.array(atom)
    low.memory.relate([(made.buffer, (x.buffer,))])
    return made


@defines("numpy.resize")
def resize(a, new_shape):
    x = np.asarray(a).ravel()
    shape = tuple(new_shape) if isinstance(new_shape, tuple | list) else (new_shape,)
    count = 1
    for n in shape:
        if n < 0:
            raise ValueError("all elements of `new_shape` must be non-negative")
        count = count * n
    if x.shape[0] == 0:
        return np.zeros(shape, x.dtype)
    return np.reshape(x[np.arange(count) % x.shape[0]], shape)


@lowers("numpy.lib.stride_tricks.sliding_window_view")
def sliding_window_view(
    low: Lowering,
    x: Value,
    window_shape: Value,
    axis: Value = NONE,
    *,
    subok: Value = FALSE,
    writeable: Value = FALSE,
) -> Value:
    """`np.lib.stride_tricks.sliding_window_view`: not to be written to, nor its source while it is in use."""
    array = array_like(low, x)
    if not isinstance(array, Array):
        low.refuse(UnsupportedFunctionError, f"windows of {describe(array)}", "an array")
    lengths = shape_of(low, window_shape)
    if isinstance(axis, Static):
        places = tuple(range(array.rank))
    else:
        given = items_in(low, axis) if isinstance(axis, Tuple | List) else [axis]
        places = tuple(axes_of(low, each, array.rank)[0] for each in given)
    if len(places) != len(lengths):
        low.refuse(
            UnsupportedFunctionError,
            f"{len(lengths)} lengths of windows for {len(places)} axes",
            "as many lengths as there are axes in axis=",
        )
    atom = low.atom(array)
    for place, length in zip(places, lengths, strict=True):
        atom = _windows(low, atom, place, length)
    made = low.array(atom)
    low.memory.relate([(made.buffer, (array.buffer,))])
    return made


def _windows(low: Lowering, atom: Atom, axis: int, length: Atom) -> Atom:
    """The windows along one axis, which becomes their number; their elements are a new last axis."""
    b, rank = low.b, atom.type.rank
    gaps = b.sub(atom.type.shape[axis], length)
    low.check(b.ge(gaps, 0), "ValueError", "window shape cannot be larger than input array shape")
    count = b.add(gaps, 1)
    index = b.add(b.expand(b.iota(count), length, axes=(1,)), b.expand(b.iota(length), count, axes=(0,)))
    found = b.gather(atom, index, codes=":" * axis + "a" + ":" * (rank - axis - 1))
    order = [*range(2, rank + 1), 1]
    order.insert(axis, 0)
    return b.permute(found, order=tuple(order))

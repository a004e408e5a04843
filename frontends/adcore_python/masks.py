"""Masks: the places where an array of booleans holds, as index arrays, whose length is known at run time only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.builder import Builder
from adcore.errors import UnsupportedFunctionError
from adcore.types import I64, Atom, DType, Var, literal

from .operators import describe, truth
from .values import Array, Scalar, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["argwhere", "check_mask", "flatnonzero", "holding", "nonzero", "places_of", "truths"]


def places_of(low: Lowering, mask: Atom) -> tuple[Atom, ...]:
    """For each axis the indices of the elements that hold, in row-major order."""
    known = low.memory.scope.places_of(mask)
    if known is not None:
        return known
    b, shape = low.b, mask.type.shape
    room = b.empty(b.size(shape), dtype=DType.I64)
    count, *filled = _filled(b, mask, [], (literal(0), *[room] * len(shape)))
    low.facts.length(count)
    found = tuple(b.view(array, 0, count, 1, codes="s") for array in filled)
    low.memory.scope.places[mask] = found
    return found


def _filled(b: Builder, mask: Atom, indices: list[Atom], carries: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """How many elements hold, and their indices: loops over the axes left, around one step of counting.

    The step writes the indices behind those found already, whether the element holds or not.
    """
    axis = len(indices)
    if axis == mask.type.rank:
        count, arrays = carries[0], carries[1:]
        holds = b.view(mask, *indices, codes="i" * axis)
        written = (b.update(a, i, count, codes="i") for a, i in zip(arrays, indices, strict=True))
        return (b.add(count, b.cast(holds, dtype=DType.I64)), *written)
    counter = Var(I64, "k")
    params = tuple(Var(c.type, name) for c, name in zip(carries, ("count", *["places"] * len(carries)), strict=False))
    inner = b.region()
    results = _filled(inner, mask, [*indices, counter], params)
    return b.loop(mask.type.shape[axis], carries, inner.program((counter, *params), results))


def check_mask(low: Lowering, mask: Array, array: Array, first: int) -> None:
    """Raise at run time, as NumPy does, where the mask has not the shape of the axes from `first` on."""
    for k, length in enumerate(mask.shape):
        axis = first + k
        words = f"boolean index did not match indexed array along axis {axis}; size of axis is {{0}}"
        message = f"{words} but size of corresponding boolean axis is {{1}}"
        if length != array.shape[axis]:
            low.check(low.b.eq(length, array.shape[axis]), "IndexError", message, array.shape[axis], length)


# Functions of NumPy


def truths(low: Lowering, value: Value) -> Array:
    """Where the elements are not zero."""
    from .array_functions import array_like

    x = array_like(low, value)
    if isinstance(x, Scalar):
        low.refuse(UnsupportedFunctionError, f"the places of {describe(x)}", "an array")
    if x.dtype is DType.BOOL:
        return x
    return low.array(low.b.ne(low.atom(x), x.dtype.zero))


def holding(low: Lowering, value: Value) -> Atom:
    """Where a number, or the elements of an array, are not zero."""
    from .array_functions import array_like

    x = array_like(low, value)
    return truth(low, x).atom if isinstance(x, Scalar) else low.atom(truths(low, x))


def nonzero(low: Lowering, a: Value) -> Value:
    """`np.nonzero`: an index array for each axis."""
    mask = truths(low, a)
    return Tuple(tuple(low.array(place) for place in places_of(low, low.atom(mask))))


def flatnonzero(low: Lowering, a: Value) -> Value:
    """`np.flatnonzero`."""
    mask = low.atom(truths(low, a))
    (place,) = places_of(low, low.b.reshape(mask, low.b.size(mask.type.shape)))
    return low.array(place)


def argwhere(low: Lowering, a: Value) -> Value:
    """`np.argwhere`: a row of indices for each element."""
    places = places_of(low, low.atom(truths(low, a)))
    rows = low.b.empty(places[0].type.shape[0], literal(len(places)), dtype=DType.I64)
    for axis, place in enumerate(places):
        rows = low.b.update(rows, place, literal(axis), codes=":i")
    return low.array(rows)

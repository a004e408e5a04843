"""Masks: the places where an array of booleans holds, as index arrays, whose length is known at run time only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.builder import Builder
from adcore.errors import UnsupportedFunctionError
from adcore.types import I64, Atom, DType, Type, Var, literal

from .operators import describe, numeric
from .values import Array, Scalar, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["argwhere", "check_mask", "flatnonzero", "nonzero", "places_of"]


def places_of(low: Lowering, mask: Atom) -> tuple[Atom, ...]:
    """For each axis the indices of the elements that hold, in row-major order."""
    scope = low.memory.scope
    while scope is not None:
        if mask in scope.places:
            return scope.places[mask]
        scope = scope.parent
    b, shape = low.b, mask.type.shape
    size: Atom = literal(1)
    for length in shape:
        size = b.mul(size, length)
    room = b.empty(size, dtype=DType.I64)
    count, *filled = _filled(b, mask, [], (literal(0), *[room] * len(shape)))
    low.facts.length(count)
    found = tuple(b.view(array, 0, count, 1, codes="s") for array in filled)
    low.memory.scope.places[mask] = found
    return found


def _filled(b: Builder, mask: Atom, indices: list[Atom], carries: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """Loops over the axes left, and inside them: the indices written behind those found, and counted if they hold."""
    count, arrays = carries[0], carries[1:]
    axis = len(indices)
    if axis == mask.type.rank:
        holds = b.view(mask, *indices, codes="i" * axis)
        written = (b.update(a, i, count, codes="i") for a, i in zip(arrays, indices, strict=True))
        return (*written, b.add(count, b.cast(holds, dtype=DType.I64)))[::-1][:1] + ()
    return carries


def check_mask(low: Lowering, mask: Array, array: Array, first: int) -> None:
    """Raise at run time, as NumPy does, where the mask has not the shape of the axes from `first` on."""
    for k, length in enumerate(mask.shape):
        axis = first + k
        words = f"boolean index did not match indexed array along axis {axis}; size of axis is {{0}}"
        message = f"{words} but size of corresponding boolean axis is {{1}}"
        if length != array.shape[axis]:
            low.check(low.b.eq(length, array.shape[axis]), "IndexError", message, array.shape[axis], length)

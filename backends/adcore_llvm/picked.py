"""Elements of an array at the places that index arrays name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adcore.primitives import array_axes, index_arrays, without_arrays
from adcore.types import Atom, Var

from .code import Code
from .values import Array, Root, Strided, load
from .views import region_of

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["Picked", "picked", "picked_of"]


@dataclass(frozen=True)
class Picked:
    """Elements of a region: the axes of the index arrays first, then those of the region that have none.

    Attributes:
        region: the array's part in which the indexed axes are whole.
        axes: the axes of the region that are indexed.
        places: the index arrays of these axes.
        arrays: the index arrays in memory; None for one that the loop nest computes.
        rank: the number of their axes.
    """

    region: Strided
    axes: tuple[int, ...]
    places: tuple[Var, ...]
    arrays: tuple[Array | None, ...]
    rank: int

    @property
    def trailing(self) -> bool:
        """Whether the region has further axes."""
        return len(self.axes) < len(self.region.lengths)

    def position(self, code: Code, indices: list[str], places: list[str] | None = None) -> list[str]:
        """The element's index in the region; `places` are the elements of the index arrays, if they are known."""
        if places is None:
            places = [load(code, array, indices[: self.rank]) for array in self.arrays if array is not None]
        found = dict(zip(self.axes, places, strict=True))
        rest = iter(indices[self.rank :])
        return [
            _wrapped(code, found[axis], length) if axis in found else next(rest)
            for axis, length in enumerate(self.region.lengths)
        ]


def _wrapped(code: Code, index: str, length: str) -> str:
    """An index counted from the end where it is negative."""
    from_end = code.op(f"add nsw i64 {index}, {length}")
    negative = code.op(f"icmp slt i64 {index}, 0")
    return code.op(f"select i1 {negative}, i64 {from_end}, i64 {index}")


def picked(block: Block, x: Atom, codes: str, operands: tuple[Atom, ...]) -> Picked:
    """The elements that axis codes and their operands name, to read."""
    return picked_of(block, block.materialized(block.array(x)), codes, operands)


def picked_of(
    block: Block, array: Strided, codes: str, operands: tuple[Atom, ...], apart: Root | None = None
) -> Picked:
    """The elements of an array in memory; index arrays in the memory `apart` are copied first."""
    places = index_arrays(codes, operands)
    region = region_of(block, array, *without_arrays(codes, operands))
    arrays = tuple(_place(block, place, apart) for place in places)
    return Picked(region, array_axes(codes), places, arrays, places[0].type.rank)


def _place(block: Block, place: Var, apart: Root | None) -> Array | None:
    if not block.is_bound(place):
        return None
    array = block.array(place)
    shared = isinstance(array, Strided) and apart is not None and array.root is apart
    return block.copied(array) if shared else array

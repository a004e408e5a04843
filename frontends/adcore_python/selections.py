"""Subscripts with index arrays and masks: which elements they name, and how NumPy arranges them.

The axes of the index arrays, broadcast together, stand where the first of them stood if all arrays and integers of the
subscript are neighbours, and in front of all other axes if not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adcore.builder import Builder
from adcore.errors import DtypeError
from adcore.program import Program
from adcore.types import I64, Atom, DType, Var, literal

from .array_functions import array_of
from .containers import length as length_of
from .masks import check_mask, places_of
from .operators import common_shape, describe, is_one, stretch
from .subscripts import Slice
from .values import Array, List, Scalar, Static, Tuple
from .views import indexed, permuted, picked, reshaped

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["array_item", "axes_taken", "has_arrays", "is_new_axis", "select"]


@dataclass(frozen=True, slots=True)
class Places:
    """An index array for an axis; one that comes from a mask is in range, and names no element twice."""

    atom: Atom
    axis: int
    length: Atom
    of_mask: bool = False


def is_new_axis(item: Any) -> bool:
    return isinstance(item, Static) and item.value is None


def has_arrays(items: Sequence[Any]) -> bool:
    return any(isinstance(i, Array | List | Tuple) for i in items)


def axes_taken(item: Any) -> int:
    """How many axes an item of a subscript stands for; an ellipsis counts for one."""
    if is_new_axis(item):
        return 0
    return item.rank if isinstance(item, Array) and item.dtype is DType.BOOL else 1


def array_item(low: Lowering, item: Any) -> Any:
    """The item, sequences of numbers made into index arrays."""
    if isinstance(item, List | Tuple):
        item = array_of(low, item, DType.I64 if length_of(low, item).known == 0 else None)
    if isinstance(item, Array) and item.dtype.differentiable:
        low.refuse(
            DtypeError,
            f"an index is {describe(item)}: arrays used as indices must be of integer (or boolean) type",
            "an array of integers, e.g. i.astype(int)",
        )
    return item


def select(low: Lowering, array: Array, items: Sequence[Any]) -> Array:
    """The elements that a subscript with index arrays names, one item for each axis of the array or several."""
    parts = _expanded(low, array, items)
    part = _basic(low, array, parts)
    kept = [p for p in parts if not isinstance(p, Scalar) and not is_new_axis(p)]
    arrays = {axis: p for axis, p in enumerate(kept) if isinstance(p, Places)}
    atoms = _together(low, _spread(low, list(arrays.values())))
    for place in arrays.values():
        _check_range(low, place)
    unique = all(p.of_mask for p in arrays.values())
    found = picked(low.b, part, dict(zip(arrays, atoms, strict=True)), unique)
    return _arranged(found, parts, atoms[0].type.rank)


def _expanded(low: Lowering, array: Array, items: Sequence[Any]) -> list[Any]:
    """Masks replaced by the index arrays of their places, index arrays by their contents."""
    parts: list[Any] = []
    axis = 0
    for item in items:
        if isinstance(item, Array) and item.dtype is DType.BOOL:
            check_mask(low, item, array, axis)
            found = places_of(low, low.atom(item))
            parts.extend(Places(p, axis + k, array.shape[axis + k], True) for k, p in enumerate(found))
        elif isinstance(item, Array):
            parts.append(Places(low.cast(low.atom(item), DType.I64), axis, array.shape[axis]))
        else:
            parts.append(item)
        axis += axes_taken(item)
    return parts


def _basic(low: Lowering, array: Array, parts: list[Any]) -> Array:
    """The array seen through the integers and slices of the subscript, axes with index arrays whole."""
    from .indexing import axis_part

    codes, scalars, axis = "", [], 0
    for part in parts:
        if is_new_axis(part):
            continue
        code, operands = (":", ()) if isinstance(part, Places) else axis_part(low, part, array.shape[axis], axis)
        codes += code
        scalars.extend(operands)
        axis += 1
    return indexed(low.b, array, codes, tuple(scalars))


def _arranged(found: Array, parts: list[Any], rank: int) -> Array:
    """The elements with the axes of the index arrays moved to their place, and new axes put in."""
    advanced = [k for k, p in enumerate(parts) if isinstance(p, Places | Scalar)]
    together = advanced[-1] - advanced[0] + 1 == len(advanced)
    before = [p for p in parts[: advanced[0]] if together]
    after = [p for p in parts[len(before) :] if not isinstance(p, Places | Scalar)]
    front = len([p for p in before if isinstance(p, Slice)])
    order = (*range(rank, rank + front), *range(rank), *range(rank + front, found.rank))
    moved = permuted(found, order)
    if not any(is_new_axis(p) for p in parts):
        return moved
    lengths = iter(moved.shape)
    shape = [literal(1) if is_new_axis(p) else next(lengths) for p in before]
    shape += [next(lengths) for _ in range(rank)]
    shape += [literal(1) if is_new_axis(p) else next(lengths) for p in after]
    return reshaped(moved, tuple(shape))


# Index arrays


def _spread(low: Lowering, places: list[Places]) -> list[Atom]:
    """The index arrays; the places of masks are repeated to the length of the others, if there is only one of them."""
    b = low.b
    others = [p.atom.type.shape for p in places if not p.of_mask]
    length = common_shape(others)[-1] if others else literal(1)
    atoms: list[Atom] = []
    for place in places:
        (*_, count) = place.atom.type.shape
        if not place.of_mask or is_one(length):
            atoms.append(place.atom)
            continue
        fits = b.lor(b.eq(count, length), b.eq(count, 1))
        low.check(fits, "IndexError", *_shapes_message([p.atom for p in places]))
        step = b.cast(b.ne(count, 1), dtype=DType.I64)
        atoms.append(b.gather(place.atom, b.mul(b.iota(length), step), codes="a"))
    return atoms


def _together(low: Lowering, places: list[Atom]) -> list[Atom]:
    """Index arrays broadcast to one shape; IndexError at run time where they do not fit."""
    b = low.b
    target = common_shape([p.type.shape for p in places])
    fitted: list[Atom] = []
    for place in places:
        lead = len(target) - place.type.rank
        wanted = [n if is_one(n) else target[lead + k] for k, n in enumerate(place.type.shape)]
        for got, length in zip(place.type.shape, wanted, strict=True):
            if got != length:
                low.check(b.eq(got, length), "IndexError", *_shapes_message(places))
        fitted.append(stretch(low, b.conform(place, *wanted, checked=False), target))
    return fitted


def _shapes_message(places: list[Atom]) -> tuple[Any, ...]:
    lengths = iter(range(sum(p.type.rank for p in places)))
    shapes = [[f"{{{next(lengths)}}}" for _ in p.type.shape] for p in places]
    text = " ".join(f"({s[0]},)" if len(s) == 1 else f"({','.join(s)})" for s in shapes)
    message = f"shape mismatch: indexing arrays could not be broadcast together with shapes {text}"
    return message, *(n for p in places for n in p.type.shape)


def _check_range(low: Lowering, places: Places) -> None:
    """Raise IndexError at run time for the first index that is out of range."""
    place, length = places.atom, places.length
    if places.of_mask or low.memory.scope.has_checked(place, length) or _counts_within(low.b, place, length):
        return
    low.memory.scope.checked.add((place, length))
    b = low.b
    holds = b.reduce_and(_inside(b, place, length), axes=tuple(range(place.type.rank)))
    search = b.region()
    (index,) = b.cond(
        holds, Program((), [], (literal(0),)), search.program((), (_first_outside(search, place, length),))
    )
    message = f"index {{0}} is out of bounds for axis {places.axis} with size {{1}}"
    low.check(holds, "IndexError", message, index, length)


def _counts_within(b: Builder, place: Atom, length: Atom) -> bool:
    """Whether the array is 0, 1, 2, … or a permutation of them, of this length, however it is seen."""
    while (equation := b.defining(place)) is not None:
        first = equation.operands[0]
        if equation.primitive.name in ("iota", "argsort"):
            return length == (first if equation.primitive.name == "iota" else first.type.shape[-1])
        if equation.primitive.name not in ("reshape", "permute", "expand", "conform", "view"):
            return False
        place = first
    return False


def _inside(b: Builder, index: Atom, length: Atom) -> Atom:
    return b.land(b.ge(index, b.neg(length)), b.lt(index, length))


def _first_outside(b: Builder, place: Atom, length: Atom) -> Atom:
    """The first index that is out of range; there is one."""
    flat = b.reshape(place, b.size(place.type.shape))
    looking, passed = Var(I64, "k"), Var(I64, "k")
    test, step = b.region(), b.region()
    holds = _inside(test, test.view(flat, looking, codes="i"), length)
    body = step.program((passed,), (step.add(passed, 1),))
    (found,) = b.while_((literal(0),), test.program((looking,), (holds,), "test"), body)
    return b.view(flat, found, codes="i")

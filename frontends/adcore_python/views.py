"""Views: how a NumPy array that is a window on a buffer is read from it and written back into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adcore.builder import Builder
from adcore.primitives import region_lengths
from adcore.types import Atom, literal

from .values import Array

__all__ = [
    "Index",
    "Permute",
    "Pick",
    "Reshape",
    "contiguous",
    "indexed",
    "permuted",
    "picked",
    "reshaped",
    "view_read",
    "view_write",
]


@dataclass(frozen=True, slots=True)
class Index:
    """Basic indexing, by axis codes as in the `view` primitive; all operands are in range."""

    codes: str
    scalars: tuple[Atom, ...]

    def read(self, b: Builder, base: Atom) -> Atom:
        return b.view(base, *self.scalars, codes=self.codes)

    def put(self, b: Builder, base: Atom, value: Atom) -> Atom:
        return b.update(base, value, *self.scalars, codes=self.codes)


@dataclass(frozen=True, slots=True)
class Permute:
    order: tuple[int, ...]

    def read(self, b: Builder, base: Atom) -> Atom:
        return b.permute(base, order=self.order)

    def put(self, b: Builder, base: Atom, value: Atom) -> Atom:
        inverse = tuple(sorted(range(len(self.order)), key=self.order.__getitem__))
        return b.permute(value, order=inverse)


@dataclass(frozen=True, slots=True)
class Reshape:
    """The same elements in row-major order with another shape; `source` is the shape before."""

    shape: tuple[Atom, ...]
    source: tuple[Atom, ...]

    def read(self, b: Builder, base: Atom) -> Atom:
        return b.reshape(base, *self.shape)

    def put(self, b: Builder, base: Atom, value: Atom) -> Atom:
        return b.reshape(value, *self.source)


@dataclass(frozen=True, slots=True)
class Pick:
    """Elements at the places that index arrays name, by axis codes as in the `gather` primitive.

    Not a view in NumPy: a read is a copy.  Only permutations and reshapes come after it.
    """

    codes: str
    operands: tuple[Atom, ...]
    unique: bool

    def read(self, b: Builder, base: Atom) -> Atom:
        return b.gather(base, *self.operands, codes=self.codes)

    def put(self, b: Builder, base: Atom, value: Atom) -> Atom:
        return b.scatter(base, value, *self.operands, codes=self.codes, unique=self.unique)

    def add(self, b: Builder, base: Atom, value: Atom) -> Atom:
        return b.scatter_add(base, value, *self.operands, codes=self.codes)


def view_read(b: Builder, base: Atom, views: tuple[Any, ...]) -> Atom:
    """The elements that the views show of the buffer's contents."""
    for view in views:
        base = view.read(b, base)
    return base


def view_write(b: Builder, base: Atom, views: tuple[Any, ...], value: Atom, add: bool) -> Atom:
    """The buffer's contents after writing (or adding) the value through the views."""
    if not views:
        return b.add(base, value) if add else value
    first, rest = views[0], views[1:]
    if isinstance(first, Pick):
        for view in reversed(rest):
            value = view.put(b, base, value)
        return first.add(b, base, value) if add else first.put(b, base, value)
    if not rest and isinstance(first, Index):
        write = b.add_at if add else b.update
        return write(base, value, *first.scalars, codes=first.codes)
    if not rest and not add:
        return first.put(b, base, value)
    return first.put(b, base, view_write(b, first.read(b, base), rest, value, add))


def indexed(b: Builder, array: Array, codes: str, scalars: tuple[Atom, ...]) -> Array:
    """The array seen through basic indexing, composed with the views before it where possible."""
    shape = region_lengths(codes, scalars, array.shape)
    if set(codes) <= {":"}:
        return array
    views, order = array.views, None
    if views and isinstance(views[-1], Permute):
        order = views[-1].order
        codes, scalars, order = _before_permutation(codes, scalars, order)
        views = views[:-1]
    if views and isinstance(views[-1], Index):
        codes, scalars = _composed(b, views[-1], codes, scalars)
        views = views[:-1]
    views = (*views, Index(codes, scalars))
    if order is not None and order != tuple(range(len(order))):
        views = (*views, Permute(order))
    return Array(array.buffer, array.dtype, shape, views)


def _parts(codes: str, scalars: tuple[Atom, ...]) -> list[tuple[str, tuple[Atom, ...]]]:
    """Each axis's code with its own operands."""
    rest, parts = list(scalars), []
    for code in codes:
        count = {"i": 1, "s": 3, ":": 0}[code]
        parts.append((code, tuple(rest[:count])))
        del rest[:count]
    return parts


def _joined(parts: list[tuple[str, tuple[Atom, ...]]]) -> tuple[str, tuple[Atom, ...]]:
    return "".join(code for code, _ in parts), tuple(a for _, operands in parts for a in operands)


def _before_permutation(
    codes: str, scalars: tuple[Atom, ...], order: tuple[int, ...]
) -> tuple[str, tuple[Atom, ...], tuple[int, ...]]:
    """The same index for the array before the permutation, and the order of the axes that are left."""
    parts = _parts(codes, scalars)
    before: list[Any] = [None] * len(order)
    for part, axis in zip(parts, order, strict=True):
        before[axis] = part
    kept = [axis for part, axis in zip(parts, order, strict=True) if part[0] != "i"]
    ranks = {axis: k for k, axis in enumerate(sorted(kept))}
    codes, scalars = _joined(before)
    return codes, scalars, tuple(ranks[axis] for axis in kept)


def _composed(b: Builder, first: Index, codes: str, scalars: tuple[Atom, ...]) -> tuple[str, tuple[Atom, ...]]:
    """One index that does what the two do in turn."""
    second = iter(_parts(codes, scalars))
    parts: list[tuple[str, tuple[Atom, ...]]] = []
    for code, operands in _parts(first.codes, first.scalars):
        if code == "i":
            parts.append((code, operands))
            continue
        after, inner = next(second)
        if code == ":" or after == ":":
            parts.append((after, inner) if code == ":" else (code, operands))
            continue
        start, _, step = operands
        place = b.add(start, b.mul(inner[0], step))
        parts.append(("i", (place,)) if after == "i" else ("s", (place, inner[1], b.mul(inner[2], step))))
    return _joined(parts)


def picked(b: Builder, array: Array, places: dict[int, Atom], unique: bool) -> Array:
    """The elements at places given by index arrays of one shape for some of the axes.

    The axes of the index arrays come first, then the array's others.  Indices are in range, from either end; those of
    `unique` places, which come from masks, are not negative.
    """
    arrays = dict(places)
    views, order = array.views, tuple(range(array.rank))
    if views and isinstance(views[-1], Permute):
        order, views = views[-1].order, views[:-1]
        arrays = {order[axis]: place for axis, place in places.items()}
    inner = Index(":" * array.rank, ())
    if views and isinstance(views[-1], Index):
        inner, views = views[-1], views[:-1]
    lengths = {base: array.shape[axis] for axis, base in enumerate(order)}
    if not unique:
        arrays = {axis: _from_start(b, inner, axis, place, lengths[axis]) for axis, place in arrays.items()}
    parts = _with_places(b, inner, arrays)
    first = next(iter(places.values())).type.shape
    kept = [axis for axis in range(array.rank) if axis not in places]
    ranks = {base: k for k, base in enumerate(sorted(order[axis] for axis in kept))}
    found = Array(
        array.buffer,
        array.dtype,
        (*first, *(lengths[base] for base in ranks)),
        (*views, Pick(*_joined(parts), unique)),
    )
    return permuted(found, (*range(len(first)), *(len(first) + ranks[order[axis]] for axis in kept)))


def _from_start(b: Builder, inner: Index, axis: int, place: Atom, length: Atom) -> Atom:
    """An index array of an axis; where that is a part of another axis, negative indices are counted from the start."""
    if inner.codes.replace("i", "")[axis] == ":":
        return place
    return b.select(b.lt(place, 0), b.add(place, length), place)


def _with_places(b: Builder, inner: Index, arrays: dict[int, Atom]) -> list[tuple[str, tuple[Atom, ...]]]:
    """The parts of a basic index, index arrays put on axes that it leaves."""
    parts: list[tuple[str, tuple[Atom, ...]]] = []
    axis = 0
    for code, operands in _parts(inner.codes, inner.scalars):
        if code == "i":
            parts.append((code, operands))
            continue
        place = arrays.get(axis)
        if place is not None and code == "s":
            start, _, step = operands
            place = b.add(b.mul(place, step), start)
        parts.append((code, operands) if place is None else ("a", (place,)))
        axis += 1
    return parts


def permuted(array: Array, order: tuple[int, ...]) -> Array:
    """The array with its axes in another order."""
    if order == tuple(range(len(order))):
        return array
    shape = tuple(array.shape[a] for a in order)
    views = array.views
    if views and isinstance(views[-1], Permute):
        order = tuple(views[-1].order[a] for a in order)
        views = views[:-1]
        if order == tuple(range(len(order))):
            return Array(array.buffer, array.dtype, shape, views)
    return Array(array.buffer, array.dtype, shape, (*views, Permute(order)))


def reshaped(array: Array, shape: tuple[Atom, ...]) -> Array:
    """The array with another shape; the caller knows that NumPy makes a view here."""
    if shape == array.shape:
        return array
    views, source = array.views, array.shape
    if views and isinstance(views[-1], Reshape):
        source = views[-1].source
        views = views[:-1]
        if shape == source:
            return Array(array.buffer, array.dtype, shape, views)
    return Array(array.buffer, array.dtype, shape, (*views, Reshape(shape, source)))


def contiguous(array: Array) -> bool:
    """Whether the elements certainly lie in row-major order without gaps: then reshaping makes a view."""
    for view in array.views:
        if isinstance(view, Permute):
            return False
        if isinstance(view, Index) and not _without_gaps(view):
            return False
    return True


def _without_gaps(view: Index) -> bool:
    """Integers for the first axes, then at most one slice, of step 1, and the rest whole."""
    rest = view.codes.lstrip("i").rstrip(":")
    return rest == "" or (rest == "s" and view.scalars[-1] == literal(1))

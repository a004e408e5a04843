"""Subscripts of arrays: reading and writing elements, slices and selections."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError
from adcore.types import Atom, DType, literal

from .array_functions import array_of
from .item_access import augment_item, load_item, store_item
from .masks import check_mask
from .operators import is_one, numeric, operate, stretch
from .promotion import converted, promoted
from .selections import array_item, axes_taken, has_arrays, is_new_axis, select
from .slices import sliced
from .subscripts import Slice, bounds_of, in_range, integer, out_of_bounds
from .values import Array, List, Scalar, Static, Tuple, Value
from .views import indexed, reshaped, view_read

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "augment",
    "augment_at",
    "axis_part",
    "check_in_place",
    "element",
    "fitted",
    "in_place",
    "items_between",
    "load",
    "loaded",
    "located",
    "store",
    "store_at",
]


def load(low: Lowering, container: Value, node: ast.expr) -> Value:
    """`container[node]`: a view, or with index arrays a copy."""
    if not isinstance(container, Array):
        return load_item(low, container, node)
    return loaded(low, container, items_between(low, node))


def loaded(low: Lowering, array: Array, items: list[Any]) -> Value:
    """What a subscript with these items shows."""
    part = located(low, array, items)
    return low.array(low.atom(part)) if has_arrays(items) else _shown(low, part)


def _shown(low: Lowering, array: Array) -> Value:
    return array if array.rank else Scalar(low.atom(array))


def element(low: Lowering, array: Array, index: Atom) -> Value:
    """The element or row at an index that is in range."""
    return _shown(low, indexed(low.b, array, "i" + ":" * (array.rank - 1), (index,)))


def store(low: Lowering, container: Value, node: ast.expr, value: Value) -> None:
    """`container[node] = value`."""
    if not isinstance(container, Array):
        store_item(low, container, node, value)
        return
    store_at(low, container, items_between(low, node), value)


def store_at(low: Lowering, container: Array, items: list[Any], value: Value) -> None:
    """Write a value where a subscript with these items shows."""
    operand = _stored(low, container, value)
    mask = _whole_mask(container, items)
    if mask is not None and isinstance(operand, Scalar):
        _write_masked(low, container, mask, operand.atom)
        return
    place = located(low, container, items)
    atom = converted(low, operand, place.dtype)
    if mask is not None and atom.type.rank == 1:
        atom = _as_many(low, atom, place)
    low.write(place, fitted(low, atom, place))


def _as_many(low: Lowering, values: Atom, place: Array) -> Atom:
    """The values for the elements that a mask shows, one for each, or one for all."""
    (given,), (count,) = values.type.shape, place.shape
    if given == count or is_one(given):
        return values
    words = "NumPy boolean array indexing assignment cannot assign {0} input values"
    message = f"{words} to the {{1}} output values where the mask is true"
    low.check(low.b.eq(given, count), "ValueError", message, given, count)
    return low.b.conform(values, count, checked=False)


def _stored(low: Lowering, container: Array, value: Value) -> Scalar | Array:
    if isinstance(value, Tuple | List):
        value = array_of(low, value)
    return numeric(low, value, "the value written into an array")


def augment(low: Lowering, container: Value, node: ast.expr, op: str, value_of: Callable[[], Value]) -> None:
    """`container[node] op= value`; the index is evaluated once, before the value."""
    if not isinstance(container, Array):
        augment_item(low, container, node, op, value_of)
        return
    augment_at(low, container, items_between(low, node), op, value_of)


def augment_at(low: Lowering, container: Array, items: list[Any], op: str, value_of: Callable[[], Value]) -> None:
    """`op=` where a subscript with these items shows."""
    if has_arrays(items):
        _augment_selected(low, container, items, op, value_of)
        return
    place = located(low, container, items)
    before = low.memory.read(place.buffer)
    value = value_of()
    if place.rank:
        in_place(low, op, place, value)
        return
    operand = numeric(low, value)
    fits = promoted((operand, place)) is place.dtype and place.dtype is not DType.BOOL
    if op in ("+", "-") and fits and low.memory.read(place.buffer) is before and isinstance(operand, Scalar):
        atom = converted(low, operand, place.dtype)
        low.write(place, low.b.neg(atom) if op == "-" else atom, add=True)
        return
    old = Scalar(view_read(low.b, before, place.views))
    result = numeric(low, operate(low, op, old, operand))
    low.write(place, fitted(low, low.cast(low.atom(result), place.dtype), place))


def _augment_selected(low: Lowering, array: Array, items: list[Any], op: str, value_of: Callable[[], Value]) -> None:
    """Elements read first, written when the value is known: of several for one element the last one stays.

    The value may change the array and its index arrays.  A number and a mask of the whole array need no places.
    """
    before, mask = low.memory.read(array.buffer), _whole_mask(array, items)
    seen = items if mask is None else [low.array(low.atom(mask))]
    read = located(low, array, seen) if mask is None else array
    value = numeric(low, value_of())
    check_in_place(low, op, array.dtype, value)
    simple = mask is not None and isinstance(value, Scalar) and low.atom(mask) == low.atom(seen[0])
    if mask is not None and not simple:
        read = located(low, array, seen)
    old = low.array(view_read(low.b, before, read.views))
    result = low.cast(low.atom(numeric(low, operate(low, op, old, value))), array.dtype)
    if mask is not None and simple:
        _write_masked(low, array, mask, result)
        return
    place = located(low, array, items)
    low.write(place, fitted(low, result, place))


def check_in_place(low: Lowering, op: str, dtype: DType, value: Scalar | Array) -> None:
    """Refuse `x op= value` where the result does not go into an array of the dtype (NumPy's rule "same_kind")."""
    array = Scalar(dtype.zero)
    result = promoted((array, value))
    if op == "/" and not result.differentiable:
        result = DType.F64
    if not np.can_cast(result.numpy, dtype.numpy, "same_kind"):
        low.refuse(
            DtypeError,
            f"a result of dtype {result.value} does not fit in place into an array of {dtype.value}",
            f"x = x {op} y, which makes a new array",
        )


def in_place(low: Lowering, op: str, array: Array, value: Value) -> None:
    """`x op= value` on an array: every name for the memory sees it."""
    operand = numeric(low, value)
    check_in_place(low, op, array.dtype, operand)
    if op in ("+", "-") and promoted((array, operand)) is array.dtype and array.dtype is not DType.BOOL:
        atom = converted(low, operand, array.dtype)
        low.write(array, fitted(low, low.b.neg(atom) if op == "-" else atom, array), add=True)
        return
    result = numeric(low, operate(low, op, array, operand))
    low.write(array, fitted(low, low.cast(low.atom(result), array.dtype), array))


def fitted(low: Lowering, atom: Atom, place: Array) -> Atom:
    """A value expanded to the shape of the place it is written to."""
    if atom.type.shape == place.shape:
        return atom
    if not atom.type.shape:
        return low.b.expand(atom, *place.shape, axes=tuple(range(place.rank)))
    if atom.type.rank > place.rank:
        low.refuse_syntax(
            f"an array of rank {atom.type.rank} does not fit into a place of rank {place.rank}", "a value of that rank"
        )
    return stretch(low, atom, place.shape)


# What is between the brackets


def items_between(low: Lowering, node: ast.expr, key: Value | None = None) -> list[Any]:
    """The items of a subscript; `key` is its value where that is known."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    items: list[Any] = []
    for each in nodes:
        if isinstance(each, ast.Slice):
            items.append(Slice(*bounds_of(low, each)))
            continue
        value = low.evaluate(each) if key is None else key
        items.extend(value.items if isinstance(value, Tuple) and len(nodes) == 1 else [value])
    return [array_item(low, i) for i in items]


def _whole_mask(array: Array, items: list[Any]) -> Array | None:
    """The mask, if the subscript is one of the whole array."""
    mask = items[0] if len(items) == 1 else None
    whole = isinstance(mask, Array) and mask.dtype is DType.BOOL and mask.rank == array.rank
    return mask if whole else None


def _write_masked(low: Lowering, array: Array, mask: Array, value: Atom) -> None:
    """Write a number, or the elements of an array of the whole shape, where the mask holds."""
    check_mask(low, mask, array, 0)
    holds = low.b.conform(low.atom(mask), *array.shape, checked=False)
    atom = fitted(low, low.cast(value, array.dtype), array)
    low.write(array, low.b.select(holds, atom, low.atom(array)))


def located(low: Lowering, array: Array, items: list[Any]) -> Array:
    """The part of the array that the index shows."""
    items = _filled(low, array, items)
    if has_arrays(items):
        return select(low, array, items)
    codes, scalars, axis = "", [], 0
    for item in items:
        if is_new_axis(item):
            continue
        code, operands = axis_part(low, item, array.shape[axis], axis)
        codes += code
        scalars.extend(operands)
        axis += 1
    part = indexed(low.b, array, codes, tuple(scalars))
    if not any(is_new_axis(i) for i in items):
        return part
    lengths = iter(part.shape)
    kept = [i for i in items if is_new_axis(i) or isinstance(i, Slice)]
    return reshaped(part, tuple(literal(1) if is_new_axis(i) else next(lengths) for i in kept))


def axis_part(low: Lowering, item: Any, length: Atom, axis: int) -> tuple[str, tuple[Atom, ...]]:
    """The axis code and its operands for a slice or an integer."""
    if isinstance(item, Slice):
        return sliced(low, item.start, item.stop, item.step, length)
    return "i", (in_range(low, integer(low, item), length, out_of_bounds(axis)),)


def _filled(low: Lowering, array: Array, items: list[Any]) -> list[Any]:
    """One item an axis: the ellipsis and the axes left out become whole slices."""
    whole = Slice(None, None, None)
    dots = [k for k, i in enumerate(items) if isinstance(i, Static) and i.value is Ellipsis]
    consumed = sum(map(axes_taken, items)) - len(dots)
    if consumed > array.rank or len(dots) > 1:
        low.refuse_syntax(
            f"too many indices for array: array is {array.rank}-dimensional, but {consumed} were indexed",
            "as many indices as the array has axes",
        )
    rest = [whole] * (array.rank - consumed)
    at = dots[0] if dots else len(items)
    return [*items[:at], *rest, *items[at + 1 :]]

"""Reading and writing parts of structured arrays: by names, by positions, and both."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classes import is_structured
from ..containers import held, maybe_items
from ..growing import rows
from ..indexing import augment_at, items_between, store_at
from ..operators import describe
from ..selections import axes_taken, has_arrays
from ..strings import plain
from ..subscripts import Slice
from ..values import Array, Growing, List, Record, Scalar, Static, Tuple, Value, number
from .fields import (
    by_attribute,
    check_count,
    chosen,
    column_of,
    columns_of,
    copied,
    field,
    held_of,
    layout_of,
    part_of,
    refuse_field,
    shape_of,
)

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["assign", "augment", "load", "set_attribute", "store"]


def _key(low: Lowering, owner: Record, node: ast.expr) -> str | list[Any] | Tuple:
    """What stands between the brackets: a name, a list of names, the position of a record's field, or an index."""
    if isinstance(node, ast.Slice | ast.Tuple):
        items = items_between(low, node)
    else:
        key = low.evaluate(node)
        if isinstance(key, Static) and isinstance(key.value, str):
            return key.value
        if isinstance(key, List | Tuple):
            names = [plain(v) for v in maybe_items(low, key) or ()]
            if names and all(n is not None and isinstance(n[0], str) for n in names):
                return [n[0] for n in names if n is not None]
        items = items_between(low, node, key)
    layout = layout_of(owner)
    if layout.whole:
        return Tuple(_placed(low, owner, items))
    dots = [i for i in items if not (isinstance(i, Static) and i.value is Ellipsis)]
    if not dots:
        return Tuple(())
    position = plain(items[0]) if len(items) == 1 and issubclass(layout.kind, np.void) else None
    if position is None or not isinstance(position[0], int):
        low.refuse_syntax(f"IndexError: {describe(owner)} is indexed by other things than names", "x['name']")
    names = layout.dtype.names or ()
    if not -len(names) <= position[0] < len(names):
        low.refuse_syntax(f"IndexError: invalid index ({position[0]})", "x['name']")
    return names[position[0]]


def _placed(low: Lowering, owner: Record, items: list[Any]) -> tuple[Any, ...]:
    """An index of the whole array, one item an axis where there is an ellipsis."""
    rank = len(shape_of(low, owner))
    dots = [k for k, i in enumerate(items) if isinstance(i, Static) and i.value is Ellipsis]
    if not dots:
        return tuple(items)
    if len(dots) > 1:
        low.refuse_syntax("an index can only have a single ellipsis ('...')", "one ellipsis")
    rest = [Slice(None, None, None)] * (rank + 1 - sum(map(axes_taken, items)))
    return (*items[: dots[0]], *rest, *items[dots[0] + 1 :])


def load(low: Lowering, owner: Record, node: ast.expr) -> Value:
    """`owner[node]`."""
    key = _key(low, owner, node)
    if isinstance(key, str):
        return field(low, owner, key)
    if isinstance(key, list):
        return chosen(low, owner, key)
    assert isinstance(key, Tuple)
    return part_of(low, owner, list(key.items)) if key.items else owner


def store(low: Lowering, owner: Record, node: ast.expr, value: Value) -> None:
    """`owner[node] = value`."""
    key = _key(low, owner, node)
    if isinstance(key, str):
        _put(low, column_of(low, owner, key), list(held_of(low, owner)[1]), value)
    elif isinstance(key, list):
        some = chosen(low, owner, key)
        assign(low, some, list(held_of(low, some)[1]), value)
    else:
        assert isinstance(key, Tuple)
        assign(low, owner, [*held_of(low, owner)[1], *key.items], value)


def augment(low: Lowering, owner: Record, node: ast.expr, op: str, value_of: Callable[[], Value]) -> None:
    """`owner[node] op= value`."""
    key = _key(low, owner, node)
    column = column_of(low, owner, key) if isinstance(key, str) else None
    if not isinstance(column, Array):
        low.refuse_syntax(f"{op}= on {describe(owner)}", "x['name'] += …, a field at a time")
    augment_at(low, column, list(held_of(low, owner)[1]) or [Static(Ellipsis)], op, value_of)


def _put(low: Lowering, column: Value, items: list[Any], value: Value) -> None:
    """Write into a field, where the index shows."""
    if isinstance(column, Record):
        assign(low, column, items, value)
    elif is_structured(value):
        low.refuse_syntax(f"{describe(value)} is written into a field that is a number", "one of its fields")
    else:
        assert isinstance(column, Array)
        store_at(low, column, items or [Static(Ellipsis)], value)


def assign(low: Lowering, owner: Record, items: list[Any], value: Value) -> None:
    """Write into all fields: those of another structured array, the items of a tuple, or a number into each."""
    check_count(low, len(shape_of(low, owner)), items)
    columns = list(columns_of(low, owner))
    for name, dtype, column in columns:
        if isinstance(column, Static):
            refuse_field(low, name, dtype)
    known = maybe_items(low, value) if isinstance(value, List) else None
    if known is not None:
        if has_arrays(items):
            low.refuse_syntax("a list of rows is written at index arrays or a mask", "a structured array")
        _assign_rows(low, part_of(low, owner, items), known)
        return
    values = _values_for(low, value, len(columns))
    if not (len(items) == len(shape_of(low, owner)) and all(isinstance(i, Scalar) for i in items)):
        # One record is written field by field, even from its own memory; for several ones NumPy makes a copy first.
        values = [_constantly(_frozen(low, each())) for each in values]
        items = [_frozen(low, i) if isinstance(i, Array) else i for i in items]
    for (_, _, column), each in zip(columns, values, strict=True):
        _put(low, column, items, each())


def _values_for(low: Lowering, value: Value, count: int) -> list[Callable[[], Value]]:
    """What reads a value for each field."""
    found: list[Callable[[], Value]] = []
    if isinstance(value, Record) and is_structured(value):
        found = [partial(field, low, value, name) for name in layout_of(value).dtype.names or ()]
    elif isinstance(value, Tuple):
        found = [_constantly(v) for v in value.items]
    elif isinstance(value, List) and isinstance(contents := held(low, value), Growing):
        found = [_constantly(v) for v in rows(low, contents)] if isinstance(contents.item, Tuple) else []
    elif isinstance(value, Scalar):
        found = [_constantly(value)] * count
    if len(found) != count:
        low.refuse_syntax(
            f"{describe(value)} is written into {count} fields", f"a structured array or a tuple with {count} items"
        )
    return found


def _constantly(value: Value) -> Callable[[], Value]:
    return lambda: value


def _frozen(low: Lowering, value: Value) -> Value:
    """The value as it is now, whatever is written later."""
    if isinstance(value, Array):
        return low.array(low.atom(value))
    if isinstance(value, Tuple):
        return Tuple(tuple(_frozen(low, v) for v in value.items), value.kind)
    return copied(low, value) if is_structured(value) else value


def _assign_rows(low: Lowering, part: Record, values: list[Value]) -> None:
    """Write a list of tuples into an array."""
    if not layout_of(part).whole:
        low.refuse_syntax("a list is written into a record", "a tuple")
    length = shape_of(low, part)[0]
    low.check(low.b.eq(length, len(values)), "ValueError", f"{len(values)} rows for an array of {{0}}", length)
    for k, value in enumerate(values):
        assign(low, part, [number(k)], value)


def set_attribute(low: Lowering, owner: Record, name: str, value: Value) -> None:
    """`owner.name = value`."""
    if not by_attribute(owner, name):
        low.refuse_syntax(f"assigning to attribute {name!r} of {describe(owner)}", "x['name'] = value")
    _put(low, column_of(low, owner, name), list(held_of(low, owner)[1]), value)

"""What stands for a structured array or record: an object that holds one array a field.

A record of an array is the array's fields together with its index, so that what is written through it reaches the
array, as with NumPy.  An array of rank 0 is a record of an array of one element.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError
from adcore.once import once
from adcore.structured import Layout
from adcore.types import Atom, literal

from ..classes import StructuredValue, is_structured
from ..indexing import loaded
from ..operators import describe
from ..reductions import product
from ..selections import axes_taken
from ..subscripts import Slice, in_range, integer, out_of_bounds
from ..values import Array, Fields, Iteration, Partial, Record, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = [
    "attribute",
    "by_attribute",
    "check_count",
    "chosen",
    "column_of",
    "columns_of",
    "copied",
    "field",
    "held_of",
    "iteration",
    "layout_of",
    "made_of",
    "opened",
    "part_of",
    "refuse_field",
    "shape_of",
]

INDEX = None  # the key of a record's index among the names of its fields


@once
def class_of(layout: Layout) -> type:
    """The class of the objects that stand for structured arrays or records of a layout."""
    name = "structured array" if issubclass(layout.kind, np.ndarray) else "record"
    return type(name, (StructuredValue,), {"layout": layout})


def layout_of(value: Record) -> Layout:
    assert issubclass(value.kind, StructuredValue)
    return value.kind.layout


def made_of(
    low: Lowering, layout: Layout, columns: tuple[Value, ...], index: tuple[Value, ...] = (), name: str = ""
) -> Record:
    """A structured array of these fields, or the record at an index of it."""
    fields: dict[Any, Value] = dict(zip(layout.dtype.names or (), columns, strict=True))
    fields[INDEX] = Tuple(index)
    return low.memory.new_record(class_of(layout), fields, name)


def held_of(low: Lowering, value: Record) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """The fields of a structured array, and the index of a record."""
    contents = low.memory.contents(value.identity)
    if not isinstance(contents, Fields):
        low.refuse_syntax(contents.cause, contents.write)  # type: ignore[union-attr]
    *columns, index = contents.items.values()
    assert isinstance(index, Tuple)
    return tuple(columns), index.items


def columns_of(low: Lowering, value: Record) -> Iterator[tuple[str, np.dtype, Value]]:
    """The name, dtype and array of each field; the dtype itself where that is neither a number nor a boolean."""
    dtype = layout_of(value).dtype
    for name, column in zip(dtype.names or (), held_of(low, value)[0], strict=True):
        yield name, dtype[name], column


def shape_of(low: Lowering, value: Record) -> tuple[Atom, ...]:
    """The shape of a structured array; of a record that of the array it belongs to."""
    for _, dtype, column in columns_of(low, value):
        if isinstance(column, Static):
            continue
        shape = column.shape if isinstance(column, Array) else shape_of(low, column)  # type: ignore[arg-type]
        return shape[: len(shape) - len(dtype.shape)]
    raise AssertionError("a structured array has a field that is a number")


# Fields


def field(low: Lowering, owner: Record, name: Any) -> Value:
    """`owner[name]`."""
    column = column_of(low, owner, name)
    index = held_of(low, owner)[1]
    if is_structured(column):
        return part_of(low, column, list(index)) if index else column
    return loaded(low, column, list(index)) if index else column  # type: ignore[arg-type]


def column_of(low: Lowering, owner: Record, name: Any) -> Value:
    layout = layout_of(owner)
    names = layout.dtype.names or ()
    if name not in names:
        low.refuse_syntax(f"ValueError: no field of name {name}", f"one of {', '.join(map(repr, names))}")
    column = held_of(low, owner)[0][names.index(name)]
    if isinstance(column, Static):
        refuse_field(low, name, column.value)
    return column


def refuse_field(low: Lowering, name: str, dtype: Any) -> Any:
    low.refuse(
        DtypeError,
        f"field {name!r} has dtype {dtype}, which is neither a number nor a boolean",
        "numbers, or fields without it, x[['name', …]]",
    )


def chosen(low: Lowering, owner: Record, names: list[Any]) -> Record:
    """`owner[[name, …]]`: those fields only."""
    layout, (columns, index) = layout_of(owner), held_of(low, owner)
    for name in names:
        column_of(low, owner, name)
    with low.foreign("choosing these fields"):
        dtype = np.empty(0, layout.dtype)[names].dtype
    known = layout.dtype.names or ()
    kept = tuple(columns[known.index(name)] for name in names)
    return made_of(low, Layout(dtype, layout.kind, layout.scalar, layout.whole), kept, index)


def part_of(low: Lowering, owner: Record, items: list[Any]) -> Record:
    """The record at an index of a structured array, or the part that a slice, an index array or a mask shows."""
    layout = layout_of(owner)
    shape = shape_of(low, owner)
    rank = len(shape)
    check_count(low, rank, items)
    if len(items) == rank and all(isinstance(i, Scalar) for i in items):
        lengths = enumerate(zip(items, shape, strict=True))
        index = [in_range(low, integer(low, i), n, out_of_bounds(axis)) for axis, (i, n) in lengths]
        record = Layout(layout.dtype, layout.scalar, layout.scalar, False)
        return made_of(low, record, held_of(low, owner)[0], tuple(Scalar(i, True) for i in index))
    columns = tuple(_part(low, column, items) for _, _, column in columns_of(low, owner))
    return made_of(low, layout, columns)


def _part(low: Lowering, column: Value, items: list[Any]) -> Value:
    if isinstance(column, Array):
        return loaded(low, column, items)
    return part_of(low, column, items) if isinstance(column, Record) else column


def check_count(low: Lowering, rank: int, items: list[Any]) -> None:
    """Refuse more indices than axes, which would reach into the axes of a field."""
    taken = sum(map(axes_taken, items))
    if taken > rank:
        low.refuse_syntax(
            f"too many indices for array: array is {rank}-dimensional, but {taken} were indexed",
            "as many indices as the array has axes",
        )


def opened(low: Lowering, value: Record) -> tuple[Value, ...]:
    """The fields; those of a record as views with an axis of length 1 for it."""
    columns, index = held_of(low, value)
    if not index:
        return columns
    last = index[-1]
    assert isinstance(last, Scalar)
    items = [*index[:-1], Slice(last, Scalar(low.b.add(last.atom, 1), True), None)]
    return tuple(_part(low, column, items) for column in columns)


def copied(low: Lowering, value: Record) -> Record:
    """A structured array or record with memory of its own."""
    layout = layout_of(value)
    columns = tuple(_copied(low, column) for column in opened(low, value))
    return made_of(low, layout, columns, () if layout.whole else (number(0),))


def _copied(low: Lowering, column: Value) -> Value:
    if isinstance(column, Record):
        return copied(low, column)
    return low.array(low.atom(column)) if isinstance(column, Array) else column


# Iteration


def iteration(low: Lowering, owner: Record) -> Iteration:
    """The records of an array, or the fields of a record."""
    layout = layout_of(owner)
    if layout.whole:
        over = tuple(_buffers(low, owner))
        return Iteration(shape_of(low, owner)[0], lambda k: part_of(low, owner, [Scalar(k)]), over)
    if issubclass(layout.kind, np.ndarray):
        low.refuse_syntax("TypeError: iteration over a 0-d array", "x['name']")
    names = layout.dtype.names or ()
    return Iteration(literal(len(names)), lambda k: field(low, owner, names[k.value]), static=True)  # type: ignore[union-attr]


def _buffers(low: Lowering, owner: Record) -> Iterator[Any]:
    for _, _, column in columns_of(low, owner):
        if isinstance(column, Array):
            yield column.buffer
        elif isinstance(column, Record):
            yield from _buffers(low, column)


# Attributes


def attribute(low: Lowering, owner: Record, name: str) -> Value:
    """`owner.name`."""
    layout = layout_of(owner)
    shape = shape_of(low, owner) if layout.whole else ()
    if name == "shape":
        return Tuple(tuple(Scalar(n, True) for n in shape))
    if name == "ndim":
        return Scalar(literal(len(shape)), True)
    if name == "size":
        return Scalar(product(low, shape), True)
    if name == "dtype":
        return Static(layout.dtype)
    if name == "copy":
        return Partial(Static(np.copy), (owner,), {})
    if by_attribute(owner, name):
        return field(low, owner, name)
    return low.refuse_syntax(
        f"{describe(owner)} has no supported attribute {name!r}",
        "shape, ndim, size, dtype, copy, or a field, x['name']",
    )


def by_attribute(owner: Record, name: str) -> bool:
    """Whether a field is an attribute: of NumPy's `recarray` and `record`, where they have no other of that name."""
    layout = layout_of(owner)
    by_name = issubclass(layout.kind, np.recarray | np.record)
    return by_name and name in (layout.dtype.names or ()) and not hasattr(layout.kind, name)

"""Structured arrays and records on their way into a function and out of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.structured import Layout, Structured, is_number, taken_apart
from adcore.structured import is_structured as can_be_taken_apart
from adcore.types import Atom, literal

from ..values import Array, Record, Scalar, Static, Tuple, Value, number
from .fields import layout_of, made_of, opened, refuse_field

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["apart", "captured_part", "given_back", "of_parts"]


def of_parts(low: Lowering, node: Structured, name: str, part: Callable[[str, Any], Value]) -> Record:
    """The value of a structured array or record whose fields `part` gives."""
    columns = [part(field, child) for field, child in zip(node.layout.dtype.names or (), node.fields, strict=True)]
    return made_of(low, node.layout, tuple(columns), () if node.layout.whole else (number(0),), name)


def apart(low: Lowering, value: Record, leaf: Callable[[Any], Any], only_numbers: bool = False) -> Structured:
    """The structure of a structured array or record; `leaf` makes that of a field.

    With `only_numbers` other fields are refused.
    """
    layout = layout_of(value)
    fields: list[Any] = []
    for name, column in zip(layout.dtype.names or (), opened(low, value), strict=True):
        if isinstance(column, Static) and only_numbers:
            refuse_field(low, name, column.value)
        fields.append(apart(low, column, leaf, only_numbers) if isinstance(column, Record) else leaf(column))
    return Structured(layout, tuple(fields))


def given_back(low: Lowering, node: Structured, value_of: Callable[[Any], Value]) -> Record:
    """What a function of its own gives back as such a structure, whose leaves are these values.

    As in what Python's callers get, a field without a derivative holds zeros in a gradient.
    """
    return _with_zeros(low, node, _columns_in(node, value_of), None)


def _columns_in(node: Structured, value_of: Callable[[Any], Value]) -> list[Any]:
    return [_columns_in(f, value_of) if isinstance(f, Structured) else value_of(f) for f in node.fields]


def _shape_in(dtype: np.dtype, columns: list[Any]) -> tuple[Atom, ...] | None:
    for name, column in zip(dtype.names or (), columns, strict=True):
        found = _shape_in(dtype[name].base, column) if isinstance(column, list) else getattr(column, "shape", None)
        if found is not None:
            return found[: len(found) - len(dtype[name].shape)]
    return None


def _with_zeros(low: Lowering, node: Structured, columns: list[Any], outer: tuple[Atom, ...] | None) -> Record:
    dtype, made = node.layout.dtype, list[Value]()
    shape = outer or _shape_in(dtype, columns) or ()
    for name, child, column in zip(dtype.names or (), node.fields, columns, strict=True):
        each = dtype[name]
        lengths = (*shape, *map(literal, each.shape))
        if isinstance(column, list):
            made.append(_with_zeros(low, child, column, lengths))
        elif isinstance(column, Array):
            made.append(column)
        elif is_number(each.base):
            made.append(_zeros(low, each, lengths))
        else:
            made.append(Static(each))
    return made_of(low, node.layout, tuple(made), () if node.layout.whole else (number(0),))


def _zeros(low: Lowering, dtype: np.dtype, lengths: tuple[Atom, ...]) -> Value:
    shape = Tuple(tuple(Scalar(n, True) for n in lengths))
    return low.call(Static(np.zeros), [shape], {"dtype": Static(dtype.base.newbyteorder("="))})


@cache
def captured_part(layout: Layout, place: tuple[int, ...]) -> Callable[[Any], Any]:
    """What computes a field of a structured array from outside the function."""
    return partial(_captured, layout, place)


def _captured(layout: Layout, place: tuple[int, ...], value: Any) -> Any:
    """The field at a place.

    Raises:
        ValueError: the value has another layout.
    """
    found: Any = taken_apart(value) if can_be_taken_apart(value) else None
    if found is None or found.layout != layout:
        raise ValueError(f"an array of dtype {layout.dtype} is expected")
    for step in place:
        found = found.fields[step]
    return found

"""NumPy's structured arrays and records in trees: taken apart into one array a field, and put together again.

An array of rank 0 and a record (`numpy.void`) are taken apart as an array of one element would be, so that every field
is an array whose memory is that of the field.  A field that is neither a number nor a boolean is a constant, its dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from .types import DType

__all__ = ["Layout", "Structured", "assembled", "is_structured", "problem_of", "taken_apart"]

_ARRAYS = {np.ndarray: np.ndarray, np.memmap: np.ndarray, np.recarray: np.recarray}
_STRUCTURED = (np.ndarray, np.void)
_NUMBERS = {d.numpy for d in DType}


@dataclass(frozen=True, slots=True)
class Layout:
    """What kind of structured value something is.

    Attributes:
        dtype: its dtype.
        kind: the class of NumPy's: `ndarray`, `recarray`, or for a record `void` or `record`.
        scalar: what elements are, `void` or `record`; dtypes that differ in nothing else compare equal.
        whole: an array; else a record or an array of rank 0, whose fields have a leading axis of length 1.
    """

    dtype: np.dtype
    kind: type
    scalar: type
    whole: bool = True


class Structured:
    """A structured array or record in a tree: its children are its fields, in the order of `dtype.names`."""

    __slots__ = ("fields", "layout")

    def __init__(self, layout: Layout, fields: tuple[Any, ...]) -> None:
        self.layout = layout
        self.fields = fields


def is_structured(value: Any) -> bool:
    """Whether something is a structured array or record that can be taken apart."""
    if not isinstance(value, _STRUCTURED) or value.dtype.names is None:
        return False
    return (type(value) in _ARRAYS or isinstance(value, np.void)) and problem_of(value.dtype) is None


def is_number(dtype: np.dtype) -> bool:
    """Whether a field of this dtype is a number or boolean that programs know."""
    return dtype.newbyteorder("=") in _NUMBERS


@cache
def problem_of(dtype: np.dtype) -> str | None:
    """Why arrays of a structured dtype cannot be taken apart."""
    if dtype.hasobject:
        return "holds Python objects"
    if not _has_number(dtype):
        return "has no field that is a number or boolean"
    fields: Any = dtype.fields
    places = [(fields[name][1], fields[name][0].itemsize, name) for name in dtype.names or ()]
    for (start, size, one), (following, _, other) in pairwise(sorted(p for p in places if p[1])):
        if following < start + size:
            return f"has fields {one!r} and {other!r} in the same memory"
    nested = (problem_of(dtype[name].base) for name in dtype.names or () if dtype[name].base.names is not None)
    return next((problem for problem in nested if problem), None)


def _has_number(dtype: np.dtype) -> bool:
    bases = [dtype[name].base for name in dtype.names or ()]
    return any(_has_number(each) if each.names is not None else is_number(each) for each in bases)


def taken_apart(value: Any) -> Structured:
    """A structured array or record by its fields, which are views of it."""
    dtype, kind = value.dtype, type(value)
    layout = Layout(dtype, _ARRAYS.get(kind, kind), dtype.type, kind in _ARRAYS and value.ndim > 0)
    rows: Any
    if isinstance(value, np.void):  # its bytes are an array on its memory, where it is itself a view as well
        rows = value.getfield(np.dtype((np.uint8, (dtype.itemsize,)))).view(dtype)
    else:
        rows = value.view(layout.kind)
        rows = rows if layout.whole else rows.reshape(1)
    return Structured(layout, tuple(_field(rows, name) for name in dtype.names))


def _field(rows: Any, name: str) -> Any:
    field = rows[name]
    if field.dtype.names is not None:
        return taken_apart(field)
    return field if is_number(field.dtype) else field.dtype


def assembled(node: Structured, filled: Callable[[Any], Any]) -> Any:
    """The structured array or record whose numbers are what `filled` gives of the node's leaves.

    A field for which that is None holds zeros, as what cannot be a number does; None where all are.
    """
    fields = _filled(node, filled)
    shape = _shape(node.layout.dtype, fields)
    if shape is None:
        return None
    layout = node.layout
    made = np.zeros(shape, layout.dtype)
    _fill(made, fields)
    if issubclass(layout.kind, np.void):
        return made[0]
    return made.reshape(shape if layout.whole else ()).view(layout.kind)


def _filled(node: Structured, filled: Callable[[Any], Any]) -> list[Any]:
    return [_filled(f, filled) if isinstance(f, Structured) else filled(f) for f in node.fields]


def _shape(dtype: np.dtype, fields: list[Any]) -> tuple[int, ...] | None:
    """The shape of the array that has these fields."""
    for name, field in zip(dtype.names or (), fields, strict=True):
        each = dtype[name]
        found = _shape(each.base, field) if isinstance(field, list) else None if field is None else np.shape(field)
        if found is not None:
            return found[: len(found) - len(each.shape)]
    return None


def _fill(made: np.ndarray, fields: list[Any]) -> None:
    for name, field in zip(made.dtype.names or (), fields, strict=True):
        if isinstance(field, list):
            _fill(made[name], field)
        elif field is not None:
            made[name] = field

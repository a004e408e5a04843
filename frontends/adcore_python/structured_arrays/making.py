"""Functions that make structured arrays or take them."""

from __future__ import annotations

import copy
import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError
from adcore.structured import Layout, is_number, problem_of

from ..classes import is_structured
from ..containers import entries, held, maybe_items
from ..containers import items as items_in
from ..operators import describe
from ..strings import plain
from ..subscripts import Slice
from ..values import EMPTY, FALSE, NONE, ZERO, Dict, List, Record, Scalar, Static, Tuple, Value, number
from .access import assign
from .fields import attribute, copied, held_of, layout_of, made_of, shape_of

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["call_on"]


def _made(low: Lowering, function: Any, dtype: np.dtype, shape: tuple[Value, ...], whole: bool = True) -> Record:
    """What `np.zeros` or `np.empty` makes."""
    problem = problem_of(dtype)
    if problem:
        low.refuse(DtypeError, f"the structured dtype {dtype} {problem}", "an array for each field")
    columns: list[Value] = []
    for name in dtype.names or ():
        each = dtype[name]
        lengths = (*shape, *(number(n) for n in each.shape))
        if each.base.names is not None:
            columns.append(_made(low, function, each.base, lengths))
        elif is_number(each.base):
            native = Static(each.base.newbyteorder("="))
            columns.append(low.call(Static(function), [Tuple(lengths)], {"dtype": native}))
        else:
            columns.append(Static(each))
    return made_of(low, Layout(dtype, np.ndarray, dtype.type, whole), tuple(columns), () if whole else (number(0),))


def _new(low: Lowering, function: Any, shape: Value, dtype: np.dtype) -> Record:
    lengths = tuple(items_in(low, shape)) if isinstance(shape, Tuple | List) else (shape,)
    return _made(low, function, dtype, lengths or (number(1),), bool(lengths))


def _like(low: Lowering, function: Any, a: Value, dtype: Value) -> Record:
    """An array like another one, of its dtype or of the one that is given."""
    given = structured_dtype(low, dtype)
    shape = low.call(Static(np.shape), [a], {})
    made = _new(low, function, shape, given or layout_of(_structured(low, a)).dtype)
    layout, theirs = layout_of(made), layout_of(a).kind if isinstance(a, Record) else None
    if theirs is not np.recarray:
        return made
    return made_of(low, Layout(layout.dtype, np.recarray, layout.scalar), *held_of(low, made))


def _structured(low: Lowering, value: Value) -> Record:
    if not is_structured(value):
        low.refuse_syntax(f"{describe(value)} where a structured array is expected", "a structured array")
    return value  # type: ignore[return-value]


def _set(low: Lowering, made: Record, value: Value) -> Record:
    """The array with this value in all places."""
    index = held_of(low, made)[1]
    whole = [Slice(None, None, None)] * len(shape_of(low, made))
    assign(low, made, list(index) or whole, value)
    return made


def structured_dtype(low: Lowering, value: Value) -> np.dtype | None:
    """The structured dtype that an argument names, None of others."""
    known = value.value if isinstance(value, Static) else _python_of(low, value)
    if not isinstance(known, np.dtype | list | dict):
        return None
    try:
        found = np.dtype(known)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return None
    return found if found.names else None


def _python_of(low: Lowering, value: Value) -> Any:
    """The description of a dtype that is written in the function."""
    if isinstance(value, List):
        return [_python_of(low, v) for v in maybe_items(low, value) or ()]
    if isinstance(value, Tuple):
        return tuple(_python_of(low, v) for v in value.items)
    if isinstance(value, Dict):
        return {key: _python_of(low, v) for key, v in entries(low, value).items()}
    constant = plain(value)
    return None if constant is None else constant[0]


# Functions


def call_on(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value | None:
    """A call that takes structured arrays or makes one; None of all others."""
    try:
        lower = FUNCTIONS.get(function)
        bound = None if lower is None else _signature(lower).bind(low, *arguments, **keywords)
    except TypeError:  # a function that cannot be hashed, or arguments that are not for structured arrays
        return None
    if lower is None or bound is None:
        return None
    given = [v for name, v in bound.arguments.items() if name != "low"]
    if function in OF_SEQUENCES:
        given += _parts_of(low, given[0])
    of_structured = any(map(is_structured, given))
    dtype = bound.arguments.get("dtype")
    if not of_structured and (dtype is None or structured_dtype(low, dtype) is None):
        return None
    return lower(low, *arguments, **keywords)


_signature = cache(inspect.signature)


def _parts_of(low: Lowering, value: Value) -> list[Value]:
    contents = held(low, value) if isinstance(value, Tuple | List) else None
    return list(contents.items) if isinstance(contents, Tuple) else []


def _dtype(low: Lowering, dtype: Value) -> np.dtype:
    found = structured_dtype(low, dtype)
    if found is None:
        low.refuse(DtypeError, "a structured array is made an array of another dtype", "its fields, x['name']")
    return found


def _filled(function: Any, value: Any) -> Any:
    """`np.zeros`, `np.ones`, `np.empty`."""

    def lower(low: Lowering, shape: Value, dtype: Value) -> Value:
        made = _new(low, function, shape, _dtype(low, dtype))
        return made if value is None else _set(low, made, number(value))

    return lower


def _filled_like(function: Any, value: Any) -> Any:
    """`np.zeros_like`, `np.ones_like`, `np.empty_like`."""

    def lower(low: Lowering, a: Value, dtype: Value = NONE) -> Value:
        made = _like(low, function, a, dtype)
        return made if value is None else _set(low, made, number(value))

    return lower


def _full(low: Lowering, shape: Value, fill_value: Value, dtype: Value) -> Value:
    return _set(low, _new(low, np.empty, shape, _dtype(low, dtype)), fill_value)


def _full_like(low: Lowering, a: Value, fill_value: Value, dtype: Value = NONE) -> Value:
    return _set(low, _like(low, np.empty, a, dtype), fill_value)


def _copy(low: Lowering, a: Value) -> Value:
    return copied(low, _structured(low, a))


def _array(low: Lowering, object: Value, dtype: Value = NONE) -> Value:
    """`np.array` of a structured array, of a tuple, or of a list of tuples or records."""
    if is_structured(object) and dtype is NONE:
        layout = layout_of(object)  # type: ignore[arg-type]
        made = copied(low, object)  # type: ignore[arg-type]
        return made_of(low, Layout(layout.dtype, np.ndarray, layout.scalar, layout.whole), *held_of(low, made))
    parts = _parts_of(low, object)
    of_records = bool(parts) and all(map(is_structured, parts))
    wanted = layout_of(_structured(low, parts[0])).dtype if of_records and dtype is NONE else _dtype(low, dtype)
    if of_records:
        object = low.memory.new_list(parts)
    if is_structured(object):
        shape = low.call(Static(np.shape), [object], {})
    else:
        shape = EMPTY if isinstance(object, Tuple) else Tuple((low.call(Static(len), [object], {}),))
    return _set(low, _new(low, np.zeros, shape, wanted), object)


def _asarray(low: Lowering, a: Value, dtype: Value = NONE) -> Value:
    own = layout_of(a) if isinstance(a, Record) and is_structured(a) else None
    if own is not None and own.kind is np.ndarray and (dtype is NONE or structured_dtype(low, dtype) == own.dtype):
        return a
    return _array(low, a, dtype)


def _concatenate(low: Lowering, arrays: Value, axis: Value = ZERO) -> Value:
    parts = [_structured(low, v) for v in items_in(low, arrays)]  # type: ignore[arg-type]
    layout = layout_of(parts[0])
    if any(layout_of(p) != layout or not layout.whole for p in parts):
        low.refuse(DtypeError, "structured arrays of different dtypes are joined", "arrays of one dtype")
    if not isinstance(axis, Scalar) or axis.known is None or axis.known < 0:
        low.refuse_syntax("structured arrays are joined along an axis that is counted from the end", "axis=0")
    columns = zip(*(held_of(low, p)[0] for p in parts), strict=True)
    return made_of(low, layout, tuple(_joined(low, Tuple(each), axis) for each in columns))


def _joined(low: Lowering, columns: Tuple, axis: Value) -> Value:
    first = columns.items[0]
    return first if isinstance(first, Static) else low.call(Static(np.concatenate), [columns], {"axis": axis})


def _of_attribute(name: str) -> Any:
    return lambda low, a: attribute(low, _structured(low, a), name)


def _len(low: Lowering, x: Value) -> Value:
    owner = _structured(low, x)
    layout = layout_of(owner)
    if layout.whole:
        return Scalar(shape_of(low, owner)[0], True)
    if issubclass(layout.kind, np.ndarray):
        low.refuse_syntax("TypeError: len() of unsized object", "len() of an array of records")
    return number(len(layout.dtype.names or ()))


def _isinstance(low: Lowering, x: Value, kind: Value) -> Value:
    asked = plain(kind)
    if asked is None:
        low.refuse_syntax(f"isinstance() of {describe(kind)}", "a class, or a tuple of classes")
    return number(issubclass(layout_of(_structured(low, x)).kind, asked[0]))  # type: ignore[arg-type]


def _type(low: Lowering, x: Value) -> Value:
    return Static(layout_of(_structured(low, x)).kind)


def _new_dtype(low: Lowering, dtype: Value, align: Value = FALSE) -> Value:
    aligned = plain(align)
    return Static(
        np.dtype(
            _python_of(low, dtype) if not isinstance(dtype, Static) else dtype.value, align=bool(aligned and aligned[0])
        )
    )


FUNCTIONS: dict[Any, Any] = {
    np.array: _array,
    np.asarray: _asarray,
    np.concatenate: _concatenate,
    np.copy: _copy,
    np.dtype: _new_dtype,
    np.empty: _filled(np.empty, None),
    np.empty_like: _filled_like(np.empty, None),
    np.full: _full,
    np.full_like: _full_like,
    np.ndim: _of_attribute("ndim"),
    np.ones: _filled(np.empty, 1),
    np.ones_like: _filled_like(np.empty, 1),
    np.shape: _of_attribute("shape"),
    np.size: _of_attribute("size"),
    np.zeros: _filled(np.zeros, None),
    np.zeros_like: _filled_like(np.zeros, None),
    copy.copy: _copy,
    copy.deepcopy: _copy,
    isinstance: _isinstance,
    len: _len,
    type: _type,
}


OF_SEQUENCES = (np.array, np.asarray, np.concatenate)

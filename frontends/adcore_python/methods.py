"""Attributes and methods of arrays, numbers, lists and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError
from adcore.types import DType, literal

from . import array_functions as make
from . import library, shapes
from . import linear_algebra as products
from . import reductions as fold
from .array_methods import ARRAY_METHODS, element_of, list_of
from .classes import is_named_tuple
from .complexes import conjugate, imaginary, real
from .containers import append, entries, held, needs_constant, pop_item, resizing, set_items
from .containers import items as items_in
from .growing import common_item, extended, grown, item_of
from .indexing import fitted
from .masks import nonzero
from .numpy_names import astype, clip
from .operators import compare, describe, numeric, operate, truth
from .outside import constant
from .picking import take
from .promotion import python_dtype
from .sorting import sort
from .statements import items_of
from .strings import plain
from .values import LAST, NONE, Array, Dict, Growing, List, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["ATTRIBUTES", "LIST_METHODS", "METHODS"]


def _shape(low: Lowering, x: Scalar | Array) -> Value:
    return Tuple(tuple(Scalar(n, True) for n in x.shape)) if isinstance(x, Array) else Tuple(())


def _size(low: Lowering, x: Scalar | Array) -> Value:
    return Scalar(fold.product(low, x.shape), True) if isinstance(x, Array) else number(1)


def _rank(low: Lowering, x: Scalar | Array) -> Value:
    return number(x.rank if isinstance(x, Array) else 0)


def _transposed(low: Lowering, x: Scalar | Array) -> Value:
    return shapes.transpose(low, x)


def _dtype(low: Lowering, x: Scalar | Array) -> Value:
    return Static(x.dtype.numpy)


ATTRIBUTES: dict[str, Any] = {
    "shape": _shape,
    "size": _size,
    "ndim": _rank,
    "T": _transposed,
    "dtype": _dtype,
    "flat": lambda low, x: shapes.flat(low, x),
    "itemsize": lambda low, x: number(x.dtype.numpy.itemsize),
    "mT": lambda low, x: low.call(Static(np.matrix_transpose), [x], {}),
    "nbytes": lambda low, x: operate(low, "*", _size(low, x), number(x.dtype.numpy.itemsize)),
    "real": real,
    "imag": imaginary,
}


# Containers


def _append(low: Lowering, owner: Value, item: Value) -> Value:
    append(low, _list(low, owner, "append"), item)
    return NONE


def _extend(low: Lowering, owner: Value, items: Value) -> Value:
    container = _list(low, owner, "extend")
    ours = held(low, container)
    theirs = held(low, items) if isinstance(items, List | Tuple) else None
    if isinstance(theirs, Growing):
        resizing(low, container)
        if isinstance(ours, Tuple):
            common = common_item(low, [*ours.items, item_of(theirs)])
            if common is None:
                low.refuse_syntax("a list is extended by items of another kind", "items of one kind")
            ours = grown(low, ours, common)
        low.change(container.identity, extended(low, ours, theirs))
        return NONE
    new = items_of(low, items)
    if isinstance(ours, Tuple):
        set_items(low, container, [*ours.items, *new])
        return NONE
    for value in new:
        append(low, container, value)
    return NONE


def _pop(low: Lowering, owner: Value, key: Value = LAST, *default: Value) -> Value:
    if isinstance(owner, List):
        return pop_item(low, owner, key)
    known, constant = _of_dict(low, owner, "pop"), plain(key)
    assert isinstance(owner, Dict)
    if constant is None:
        needs_constant(low, "pop at a key that is not constant", "a constant key")
    if constant[0] in known:
        set_items(low, owner, {k: v for k, v in known.items() if k != constant[0]})
        return known[constant[0]]
    return default[0] if default else low.refuse_syntax(f"KeyError: {constant[0]!r}", "a key that exists")


def _insert(low: Lowering, owner: Value, index: Value, item: Value) -> Value:
    container, constant = _list(low, owner, "insert"), plain(index)
    if constant is None or not isinstance(constant[0], int):
        needs_constant(low, "insert at an index that is not constant", "x.append(item)")
    new = items_in(low, container)
    new.insert(constant[0], item)
    set_items(low, container, new)
    return NONE


def _reverse(low: Lowering, owner: Value) -> Value:
    container = _list(low, owner, "reverse")
    set_items(low, container, items_in(low, container)[::-1])
    return NONE


def _clear(low: Lowering, owner: Value) -> Value:
    if not isinstance(owner, List | Dict):
        low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method 'clear'", "a list or dict")
    set_items(low, owner, {} if isinstance(owner, Dict) else ())
    return NONE


def _index(low: Lowering, owner: Value, item: Value) -> Value:
    return number(_place(low, owner, item, "index"))


def _count(low: Lowering, owner: Value, item: Value) -> Value:
    found = literal(0)
    for same in _equal(low, owner, item, "count"):
        found = low.b.add(found, low.cast(same.atom, DType.I64))
    return Scalar(found, True)


def _equal(low: Lowering, owner: Value, item: Value, name: str) -> list[Scalar]:
    """Which items are equal to this one."""
    if not isinstance(owner, List | Tuple):
        low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method {name!r}", "a list or tuple")
    return [truth(low, compare(low, "==", each, item)) for each in items_in(low, owner)]


def _place(low: Lowering, owner: Value, item: Value, name: str) -> int:
    """Where the first item is that is equal to this one, which has to be known at compile time."""
    for place, same in enumerate(_equal(low, owner, item, name)):
        if same.known is None:
            low.refuse_syntax(f"{name} of numbers that are known at run time only", "a loop that compares")
        if same.known:
            return place
    return low.refuse_syntax("ValueError: the item is not in the list", "an item that is")


def _remove(low: Lowering, owner: Value, item: Value) -> Value:
    container = _list(low, owner, "remove")
    place = _place(low, owner, item, "remove")
    new = items_in(low, container)
    del new[place]
    set_items(low, container, new)
    return NONE


def _list(low: Lowering, owner: Value, name: str) -> List:
    if not isinstance(owner, List):
        low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method {name!r}", "a list")
    return owner


def _of_dict(low: Lowering, owner: Value, name: str) -> dict[Any, Value]:
    if isinstance(owner, Dict):
        return entries(low, owner)
    return low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method {name!r}", "a dict")


def _keys(low: Lowering, owner: Value) -> Value:
    return Tuple(tuple(constant(k) for k in _of_dict(low, owner, "keys")))


def _values(low: Lowering, owner: Value) -> Value:
    return Tuple(tuple(_of_dict(low, owner, "values").values()))


def _items(low: Lowering, owner: Value) -> Value:
    return Tuple(tuple(Tuple((constant(k), v)) for k, v in _of_dict(low, owner, "items").items()))


def _get(low: Lowering, owner: Value, key: Value, default: Value = NONE) -> Value:
    known, place = _of_dict(low, owner, "get"), plain(key)
    if place is None:
        needs_constant(low, "get of a key that is not constant", "a constant key")
    return known.get(place[0], default)


def _setdefault(low: Lowering, owner: Value, key: Value, default: Value = NONE) -> Value:
    known, place = _of_dict(low, owner, "setdefault"), plain(key)
    assert isinstance(owner, Dict)
    if place is None:
        needs_constant(low, "setdefault of a key that is not constant", "a constant key")
    if place[0] not in known:
        set_items(low, owner, {**known, place[0]: default})
    return known.get(place[0], default)


def _update(low: Lowering, owner: Value, other: Value = NONE, **keywords: Value) -> Value:
    known = _of_dict(low, owner, "update")
    assert isinstance(owner, Dict)
    new = entries(low, other) if isinstance(other, Dict) else {}
    if not isinstance(other, Dict) and other is not NONE:
        for pair in items_of(low, other):
            both = items_of(low, pair)
            place = plain(both[0]) if len(both) == 2 else None
            if place is None:
                low.refuse_syntax("a dict is made of something else than constant keys and values", "{'name': value}")
            new[place[0]] = both[1]
    set_items(low, owner, {**known, **new, **keywords})
    return NONE


def _copy(low: Lowering, owner: Value, order: Value = NONE) -> Value:
    if isinstance(owner, List):
        return List(low.memory.identity(held(low, owner)))
    if isinstance(owner, Dict):
        return low.memory.new_dict(dict(entries(low, owner)))
    return make.copy(low, owner, order)


# NamedTuples


def _named(low: Lowering, owner: Value, name: str) -> Tuple:
    if not isinstance(owner, Tuple) or not is_named_tuple(owner.kind):
        low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method {name!r}", "a NamedTuple")
    return owner


def _replaced(low: Lowering, owner: Value, **changes: Value) -> Value:
    owner = _named(low, owner, "_replace")
    names = getattr(owner.kind, "_fields", ())
    unknown = [n for n in changes if n not in names]
    if unknown:
        low.refuse_syntax(f"ValueError: got unexpected field names: {unknown}", f"one of {', '.join(names)}")
    return Tuple(tuple(changes.get(n, v) for n, v in zip(names, owner.items, strict=True)), owner.kind)


def _as_dict(low: Lowering, owner: Value) -> Value:
    owner = _named(low, owner, "_asdict")
    return low.memory.new_dict(dict(zip(getattr(owner.kind, "_fields", ()), owner.items, strict=True)))


# Arrays


def _fill(low: Lowering, owner: Value, value: Value) -> Value:
    array = numeric(low, owner)
    if not isinstance(array, Array):
        low.refuse(UnsupportedFunctionError, "fill of a number", "an array")
    low.write(array, fitted(low, low.cast(low.atom(numeric(low, value)), array.dtype), array))
    return Static(None)


def _item(low: Lowering, owner: Value, *index: Value) -> Value:
    value = numeric(low, owner)
    if isinstance(value, Array):
        value = numeric(low, low.call(Static(element_of), [value, *index], {}))
    if not isinstance(value, Scalar):
        low.refuse(UnsupportedFunctionError, "item() at fewer indices than axes", "one index an axis, or one of all")
    return Scalar(low.cast(value.atom, python_dtype(value.dtype)), True)


LIST_METHODS: dict[str, Any] = {"sort": sort}  # of names that arrays have methods of, too
METHODS: dict[str, Any] = {
    **library.METHODS,
    "sum": fold.total,
    "max": fold.MAXIMUM,
    "min": fold.MINIMUM,
    "any": fold.any_of,
    "all": fold.all_of,
    "dot": products.dot,
    "clip": clip,
    "conj": conjugate,
    "conjugate": conjugate,
    "reshape": shapes.reshape,
    "ravel": shapes.flat,
    "flatten": shapes.flatten,
    "transpose": shapes.transpose,
    "swapaxes": shapes.swapaxes,
    "squeeze": shapes.squeeze,
    "astype": astype,
    "take": take,
    "nonzero": nonzero,
    "copy": _copy,
    "fill": _fill,
    "item": _item,
    "tolist": lambda low, owner: low.call(Static(list_of), [owner], {}),
    "append": _append,
    "clear": _clear,
    "count": _count,
    "extend": _extend,
    "index": _index,
    "insert": _insert,
    "pop": _pop,
    "remove": _remove,
    "reverse": _reverse,
    "keys": _keys,
    "values": _values,
    "items": _items,
    "get": _get,
    "setdefault": _setdefault,
    "update": _update,
    "_asdict": _as_dict,
    "_replace": _replaced,
    **ARRAY_METHODS,
}

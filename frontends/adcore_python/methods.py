"""Attributes and methods of arrays, numbers, lists and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import UnsupportedFunctionError

from . import array_functions as make
from . import linear_algebra as products
from . import reductions as fold
from . import shapes
from .containers import changing
from .indexing import fitted
from .masks import nonzero
from .numpy_names import astype, clip
from .operators import describe, numeric
from .picking import take
from .statements import items_of
from .strings import plain
from .values import LAST, NONE, Array, Dict, List, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["ATTRIBUTES", "METHODS"]


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
    "real": lambda low, x: x,
}


# Containers


def _append(low: Lowering, owner: Value, item: Value) -> Value:
    container = _changing(low, owner, List, "append")
    container.items.append(item)
    return Static(None)


def _extend(low: Lowering, owner: Value, items: Value) -> Value:
    container = _changing(low, owner, List, "extend")
    container.items.extend(items_of(low, items))
    return Static(None)


def _pop(low: Lowering, owner: Value, key: Value = LAST) -> Value:
    container = _changing(low, owner, (List, Dict), "pop")
    constant = plain(key)
    try:
        return container.items.pop(*(constant or (None,)))
    except (LookupError, TypeError) as error:
        low.refuse_syntax(f"{type(error).__name__}: {error}", "an item that exists")


def _changing(low: Lowering, owner: Any, kind: Any, name: str) -> Any:
    if not isinstance(owner, kind):
        low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method {name!r}", "a list")
    changing(low, owner)
    return owner


def _of_dict(low: Lowering, owner: Value, name: str) -> dict[Any, Value]:
    if isinstance(owner, Dict):
        return owner.items
    return low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method {name!r}", "a dict")


def _keys(low: Lowering, owner: Value) -> Value:
    return Tuple(tuple(Static(k) for k in _of_dict(low, owner, "keys")))


def _values(low: Lowering, owner: Value) -> Value:
    return Tuple(tuple(_of_dict(low, owner, "values").values()))


def _items(low: Lowering, owner: Value) -> Value:
    return Tuple(tuple(Tuple((Static(k), v)) for k, v in _of_dict(low, owner, "items").items()))


def _get(low: Lowering, owner: Value, key: Value, default: Value = NONE) -> Value:
    return _of_dict(low, owner, "get").get(getattr(key, "value", None), default)


def _copy(low: Lowering, owner: Value) -> Value:
    if isinstance(owner, List):
        return List(list(owner.items), low.memory.scope)
    if isinstance(owner, Dict):
        return Dict(dict(owner.items), low.memory.scope)
    return make.copied(low, owner)


# Arrays


def _fill(low: Lowering, owner: Value, value: Value) -> Value:
    array = numeric(low, owner)
    if not isinstance(array, Array):
        low.refuse(UnsupportedFunctionError, "fill of a number", "an array")
    low.write(array, fitted(low, low.cast(low.atom(numeric(low, value)), array.dtype), array))
    return Static(None)


def _item(low: Lowering, owner: Value) -> Value:
    value = numeric(low, owner)
    if isinstance(value, Array):
        low.refuse(UnsupportedFunctionError, "item() of an array", "an element, x[0]")
    return Scalar(value.atom, True)


METHODS: dict[str, Any] = {
    "sum": fold.total,
    "mean": fold.mean,
    "prod": fold.prod,
    "max": fold.MAXIMUM,
    "min": fold.extremum("reduce_min", "minimum", "reduce_and"),
    "any": fold.any_of,
    "all": fold.all_of,
    "var": fold.var,
    "std": fold.std,
    "cumsum": fold.cumulative("add"),
    "dot": products.dot,
    "trace": products.trace,
    "clip": clip,
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
    "append": _append,
    "extend": _extend,
    "pop": _pop,
    "keys": _keys,
    "values": _values,
    "items": _items,
    "get": _get,
}

"""Python's builtin functions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import DType, literal

from .iteration import enumerated, range_length, range_of, reversed_of, zipped
from .math_functions import to_integer
from .operators import describe, is_python, join, mapped, numeric, operate, truth
from .reductions import all_of, any_of, extremum, total
from .statements import items_of
from .values import (
    EMPTY,
    FALSE,
    NONE,
    ZERO,
    Array,
    Dict,
    Iteration,
    List,
    Partial,
    Range,
    Scalar,
    Static,
    Tuple,
    Value,
    number,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["BUILTINS"]


def _abs(low: Lowering, x: Value) -> Value:
    value = numeric(low, x)
    if value.dtype is DType.BOOL:
        return low.array(low.atom(value)) if isinstance(value, Array) else _int(low, value)
    return mapped(low, "abs", (value,), None, is_python(value))


def _int(low: Lowering, x: Value = ZERO) -> Value:
    return to_integer("trunc")(low, x)


def _float(low: Lowering, x: Value = ZERO) -> Value:
    if isinstance(x, Static) and x.value in ("inf", "-inf", "nan"):
        return number(float(x.value))
    value = numeric(low, x)
    if isinstance(value, Array):
        low.refuse(DtypeError, "float() of an array", "an element, x[0]")
    return Scalar(low.cast(value.atom, DType.F64), True)


def _bool(low: Lowering, x: Value = FALSE) -> Value:
    return truth(low, x)


def _round(low: Lowering, x: Value, ndigits: Value = NONE) -> Value:
    if not (isinstance(ndigits, Static) and ndigits.value is None):
        low.refuse(UnsupportedFunctionError, "round to a number of digits", "round(x * 100) / 100")
    return to_integer("rint")(low, x)


def _len(low: Lowering, x: Value) -> Value:
    if isinstance(x, Array):
        return Scalar(x.shape[0], True)
    if isinstance(x, Tuple | List | Dict):
        return number(len(x.items))
    if isinstance(x, Range):
        return Scalar(range_length(low, x), True)
    if isinstance(x, Iteration):
        low.refuse_syntax("len of an iterator", "len of the array")
    if isinstance(x, Static) and isinstance(x.value, str):
        return number(len(x.value))
    return low.refuse(DtypeError, f"len of {describe(x)}", "the length of an array, tuple or list")


def _least(op: str, primitive: str, reduce: Any, word: str) -> Any:
    """`min` or `max`: Python keeps the first of equal operands, and compares with nan as Python does."""

    def lower(low: Lowering, *values: Value) -> Value:
        if len(values) == 1:
            if isinstance(values[0], Array):
                low.check(low.b.gt(values[0].shape[0], 0), "ValueError", f"{word}() arg is an empty sequence")
                return reduce(low, values[0])
            values = tuple(items_of(low, values[0]))
        if not values:
            low.refuse_syntax(f"{word}() of nothing", f"{word}(x, y)")
        best = _scalar(low, values[0], word)
        for value in values[1:]:
            best = two(low, best, _scalar(low, value, word))
        return best

    def two(low: Lowering, x: Scalar, y: Scalar) -> Scalar:
        b, dtype, python = low.b, join((x.dtype, y.dtype)), x.python and y.python
        p, q = low.cast(x.atom, dtype), low.cast(y.atom, dtype)
        if dtype is DType.I64:
            return Scalar(getattr(b, primitive)(p, q), python)
        return Scalar(b.select(getattr(b, op)(q, p), q, p), python)

    return lower


def _scalar(low: Lowering, value: Value, word: str) -> Scalar:
    if isinstance(value, Scalar):
        return value
    return low.refuse(
        DtypeError, f"{word}() of {describe(value)}", f"np.{word}imum(x, y) for arrays, np.{word}(x) for one"
    )


def _sum(low: Lowering, iterable: Value, start: Value = ZERO) -> Value:
    if isinstance(iterable, Array):
        if iterable.rank != 1:
            low.refuse(UnsupportedFunctionError, "sum() of a matrix", "np.sum(x, axis=0)")
        return operate(low, "+", start, total(low, iterable))
    if isinstance(iterable, Range):
        index = low.b.iota(range_length(low, iterable))
        numbers = low.b.add(iterable.start.atom, low.b.mul(index, iterable.step.atom))
        return operate(low, "+", start, Scalar(low.b.total(numbers, axes=(0,)), True))
    result = start
    for item in items_of(low, iterable):
        result = operate(low, "+", result, item)
    return result


def _divmod(low: Lowering, x: Value, y: Value) -> Value:
    a, c = numeric(low, x), numeric(low, y)
    if is_python(a) and is_python(c) and DType.F64 in (a.dtype, c.dtype):
        divisor = low.cast(low.atom(c), DType.F64)
        low.check(low.b.ne(divisor, 0.0), "ZeroDivisionError", "float divmod()")
    return Tuple((operate(low, "//", x, y), operate(low, "%", x, y)))


def _pow(low: Lowering, base: Value, exp: Value) -> Value:
    return operate(low, "**", base, exp)


def _quantifier(of_arrays: Any, decided: bool) -> Any:
    """`any` or `all`: of an array's elements, or of the items of a sequence."""

    def lower(low: Lowering, iterable: Value) -> Value:
        if isinstance(iterable, Array):
            return of_arrays(low, iterable)
        found = literal(not decided)
        for item in items_of(low, iterable):
            atom = truth(low, item).atom
            found = low.b.lor(found, atom) if decided else low.b.land(found, atom)
        return Scalar(found, True)

    return lower


def _tuple(low: Lowering, iterable: Value = EMPTY) -> Value:
    return Tuple(tuple(items_of(low, iterable)))


def _list(low: Lowering, iterable: Value = EMPTY) -> Value:
    return List(items_of(low, iterable), low.memory.scope)


def _dict(low: Lowering, **items: Value) -> Value:
    return Dict(dict(items), low.memory.scope)


def _map(low: Lowering, function: Value, *iterables: Value) -> Value:
    columns = [items_of(low, i) for i in iterables]
    return Tuple(tuple(low.call(function, list(row), {}) for row in zip(*columns, strict=False)))


def _isinstance(low: Lowering, x: Value, kind: Value) -> Value:
    kinds = kind.items if isinstance(kind, Tuple) else (kind,)
    wanted = tuple(k.value for k in kinds if isinstance(k, Static) and isinstance(k.value, type))
    if isinstance(x, Scalar):
        python = {DType.F64: float, DType.I64: int, DType.BOOL: bool}[x.dtype]
        own = python if x.python else x.dtype.numpy.type
    elif isinstance(x, Static):
        own = type(x.value)
    else:
        own = {Array: np.ndarray, List: list, Dict: dict}.get(type(x)) or getattr(x, "kind", object)
    return number(issubclass(own, wanted))


def _print(low: Lowering, *values: Value, **keywords: Value) -> Value:
    cause = "print() has an effect outside the function"
    low.refuse(UnsupportedFunctionError, cause, "a returned value, printed outside")


def _partial(low: Lowering, function: Value, *arguments: Value, **keywords: Value) -> Value:
    return Partial(function, arguments, keywords)


def _enumerate(low: Lowering, iterable: Value, start: Value = ZERO) -> Value:
    return enumerated(low, iterable, start)


def _reduce(low: Lowering, function: Value, iterable: Value, *initial: Value) -> Value:
    items = [*initial, *items_of(low, iterable)]
    if not items:
        low.refuse_syntax("reduce() of an empty sequence with no initial value", "reduce(f, items, initial)")
    result = items[0]
    for item in items[1:]:
        result = low.call(function, [result, item], {})
    return result


def _unchanged(function: Any) -> Any:
    """What `functools.wraps(f)` does to a function, as far as compiled code sees."""
    return function


BUILTINS: dict[Any, Any] = {
    abs: _abs,
    all: _quantifier(all_of, False),
    any: _quantifier(any_of, True),
    bool: _bool,
    dict: _dict,
    divmod: _divmod,
    enumerate: _enumerate,
    float: _float,
    functools.partial: _partial,
    functools.reduce: _reduce,
    functools.wraps: lambda low, wrapped: Static(_unchanged),
    _unchanged: lambda low, function: function,
    int: _int,
    isinstance: _isinstance,
    len: _len,
    list: _list,
    map: _map,
    max: _least("gt", "maximum", extremum("reduce_max", "maximum", "reduce_or"), "max"),
    min: _least("lt", "minimum", extremum("reduce_min", "minimum", "reduce_and"), "min"),
    pow: _pow,
    print: _print,
    range: lambda low, *bounds: range_of(low, list(bounds)),
    reversed: lambda low, sequence: reversed_of(low, sequence),
    round: _round,
    sum: _sum,
    tuple: _tuple,
    zip: lambda low, *iterables: zipped(low, list(iterables)),
}

"""Python's builtin functions."""

from __future__ import annotations

import functools
from types import UnionType
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.plugins import Stateful
from adcore.types import DType, Lit, literal

from .array_functions import array_of
from .classes import special
from .complexes import make_complex
from .comprehensions import listed
from .containers import held, length
from .iteration import enumerated, iterate, range_length, range_of, reversed_of, zipped
from .joins import arm, meet_values
from .math_functions import to_integer
from .operators import compare, describe, mapped, numeric, operate, truth
from .promotion import is_python, promoted
from .records import FUNCTIONS
from .reductions import all_of, any_of, extremum, total
from .sorting import sorted_items
from .statements import items_of
from .values import (
    EMPTY,
    FALSE,
    NONE,
    ZERO,
    Array,
    Callee,
    Dict,
    Growing,
    Iteration,
    List,
    Method,
    Partial,
    Range,
    Scalar,
    Static,
    Super,
    Tuple,
    Value,
    number,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["BUILTINS"]


def _abs(low: Lowering, x: Value) -> Value:
    own = special(x, "__abs__")
    if own is not None:
        return low.call(own, [], {})
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
    if value.dtype.complex:
        low.refuse(DtypeError, "float() of a complex number", "z.real, or abs(z)")
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
    own = special(x, "__len__")
    if own is not None:
        return low.call(own, [], {})
    if isinstance(x, Tuple | List | Dict):
        return length(low, x)
    if isinstance(x, Range):
        return Scalar(range_length(low, x), True)
    if isinstance(x, Iteration):
        low.refuse_syntax("len of an iterator", "len of the array")
    if isinstance(x, Static) and isinstance(x.value, str):
        return number(len(x.value))
    return low.refuse(DtypeError, f"len of {describe(x)}", "the length of an array, tuple or list")


def _least(op: str, primitive: str, reduce: Any, word: str) -> Any:
    """`min` or `max`: Python keeps the first of equal operands, and compares with nan as Python does."""

    def lower(low: Lowering, *values: Value, key: Value = NONE, default: Value = NONE) -> Value:
        if key is not NONE:
            return by_key(low, values, key)
        if len(values) == 1 and (rows := _numbers(low, values[0])) is not None:
            low.check(low.b.gt(rows.shape[0], 0), "ValueError", f"{word}() arg is an empty sequence")
            return _item_like(low, values[0], reduce(low, rows))
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

    def by_key(low: Lowering, values: tuple[Value, ...], key: Value) -> Value:
        items = items_of(low, values[0]) if len(values) == 1 else list(values)
        if not items:
            low.refuse_syntax(f"{word}() of nothing", f"{word}(x, y)")
        best = items[0]
        rank = low.call(key, [best], {})
        for item in items[1:]:
            other = low.call(key, [item], {})
            better = truth(low, compare(low, ">" if op == "gt" else "<", other, rank))
            pair, kept = Tuple((item, other)), Tuple((best, rank))
            best, rank = choose(low, better, pair, kept).items  # type: ignore[union-attr]
        return best

    def two(low: Lowering, x: Scalar, y: Scalar) -> Scalar:
        b, dtype, python = low.b, promoted((x, y)), x.python and y.python
        p, q = low.cast(x.atom, dtype), low.cast(y.atom, dtype)
        if dtype.integer:
            return Scalar(getattr(b, primitive)(p, q), python)
        return Scalar(b.select(getattr(b, op)(q, p), q, p), python)

    return lower


def _scalar(low: Lowering, value: Value, word: str) -> Scalar:
    if isinstance(value, Scalar):
        return value
    return low.refuse(
        DtypeError, f"{word}() of {describe(value)}", f"np.{word}imum(x, y) for arrays, np.{word}(x) for one"
    )


def choose(low: Lowering, condition: Scalar, then: Value, other: Value) -> Value:
    """`then if condition else other`, both known already."""
    if condition.known is not None:
        return then if condition.known else other
    return meet_values(low, condition.atom, arm(low, lambda: then), arm(low, lambda: other))


def _numbers(low: Lowering, value: Value) -> Array | None:
    """The array of the items of a list whose length is known at run time only."""
    if not isinstance(value, List) or not isinstance(held(low, value), Growing):
        return None
    return array_of(low, value)


def _item_like(low: Lowering, sequence: Value, result: Value) -> Value:
    """A number made of a list's items, which is Python's where they are."""
    assert isinstance(sequence, List)
    contents = held(low, sequence)
    python = isinstance(contents, Growing) and isinstance(contents.item, Scalar) and contents.item.python
    return Scalar(result.atom, True) if python and isinstance(result, Scalar) else result


def _sum(low: Lowering, iterable: Value, start: Value = ZERO) -> Value:
    rows = _numbers(low, iterable)
    if rows is not None:
        return operate(low, "+", start, _item_like(low, iterable, total(low, rows, ZERO)))
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
        iterable = _numbers(low, iterable) or iterable
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
    if isinstance(iterable, List):
        return low.call(Method(iterable, "copy"), [], {})
    if isinstance(iterable, Iteration | Array | Range) and not isinstance(iterate(low, iterable).length, Lit):
        return listed(low, iterable)
    return low.memory.new_list(items_of(low, iterable))


def _dict(low: Lowering, iterable: Value = EMPTY, **items: Value) -> Value:
    made = low.memory.new_dict({})
    low.call(Method(made, "update"), [iterable], dict(items))
    return made


def _set(low: Lowering, *_: Value) -> Value:
    return low.refuse(UnsupportedFunctionError, "sets are not supported", "a tuple or list")


def _type(low: Lowering, x: Value) -> Value:
    kind = _class(x)
    if kind is None:
        low.refuse_syntax(f"the type of {describe(x)}", "a test, isinstance(x, C)")
    return Static(kind)


def _map(low: Lowering, function: Value, *iterables: Value) -> Value:
    columns = [items_of(low, i) for i in iterables]
    return Tuple(tuple(low.call(function, list(row), {}) for row in zip(*columns, strict=False)))


def _isinstance(low: Lowering, x: Value, kind: Value) -> Value:
    return number(issubclass(_class(x) or object, _kinds(low, kind)))


def _callable(low: Lowering, obj: Value) -> Value:
    if isinstance(obj, Static):
        return number(callable(obj.value))
    return number(isinstance(obj, Callee) or special(obj, "__call__") is not None)


def _kinds(low: Lowering, kind: Value) -> tuple[Any, ...]:
    """The classes that `isinstance` asks for."""
    if isinstance(kind, Tuple):
        return tuple(k for item in kind.items for k in _kinds(low, item))
    if isinstance(kind, Static) and isinstance(kind.value, type | UnionType):
        return (kind.value,)
    return low.refuse_syntax(f"isinstance() of {describe(kind)}", "a class, or a tuple of classes")


def _class(x: Value) -> type | None:
    if isinstance(x, Scalar):
        python = {DType.F64: float, DType.I64: int, DType.BOOL: bool, DType.C128: complex}
        return python[x.dtype] if x.python else x.dtype.numpy.type
    if isinstance(x, Static):
        return type(x.value)
    kind = {Array: np.ndarray, List: list, Dict: dict, Range: range}.get(type(x)) or getattr(x, "kind", None)
    return kind.stands_for if kind is not None and issubclass(kind, Stateful) else kind


def _super(low: Lowering, *_: Value) -> Value:
    """`super()` in a method of the user's."""
    frame = low.frame
    names = frame.python.__code__.co_freevars
    if "__class__" not in names or frame.first is None:
        low.refuse_syntax("super() outside of a method", "the class by name")
    kind = (frame.python.__closure__ or ())[names.index("__class__")].cell_contents
    return Super(kind, frame.first)


def _print(low: Lowering, *values: Value, **keywords: Value) -> Value:
    cause = "print() has an effect outside the function"
    low.refuse(UnsupportedFunctionError, cause, "a returned value, printed outside")


def _partial(low: Lowering, function: Value, *arguments: Value, **keywords: Value) -> Value:
    return Partial(function, arguments, keywords)


def _enumerate(low: Lowering, iterable: Value, start: Value = ZERO) -> Value:
    return enumerated(low, iterable, start)


def _zip(low: Lowering, *iterables: Value, strict: Value = FALSE) -> Value:
    known = truth(low, strict).known
    if known is None:
        low.refuse_syntax("zip(strict=...) with what is known at run time only", "strict=True")
    return zipped(low, list(iterables), known)


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
    callable: _callable,
    dict: _dict,
    divmod: _divmod,
    enumerate: _enumerate,
    complex: make_complex,
    float: _float,
    functools.partial: _partial,
    functools.reduce: _reduce,
    functools.wraps: lambda low, wrapped: Static(_unchanged),
    _unchanged: lambda low, function: function,
    **FUNCTIONS,
    int: _int,
    isinstance: _isinstance,
    len: _len,
    list: _list,
    map: _map,
    max: _least("gt", "maximum", extremum("reduce_max", "maximum", "reduce_or"), "max"),
    min: _least("lt", "minimum", extremum("reduce_min", "minimum", "reduce_and"), "min"),
    pow: _pow,
    print: _print,
    set: _set,
    sorted: sorted_items,
    super: _super,
    type: _type,
    range: lambda low, *bounds: range_of(low, list(bounds)),
    reversed: lambda low, sequence: reversed_of(low, sequence),
    round: _round,
    sum: _sum,
    tuple: _tuple,
    zip: _zip,
}

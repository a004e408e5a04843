"""Sums, means, extrema, norms: functions that fold axes away, and running sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import UnsupportedFunctionError
from adcore.types import Atom, DType, Type, Var, literal

from .containers import needs_constant
from .operators import mapped, operate
from .values import FALSE, NONE, ZERO, Array, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "all_of",
    "any_of",
    "axes_of",
    "cumulative",
    "extremum",
    "mean",
    "norm",
    "prod",
    "product",
    "std",
    "total",
    "var",
]


def axes_of(low: Lowering, axis: Value, rank: int) -> tuple[int, ...]:
    """The axes an `axis=` argument names, counted from 0, in order."""
    if isinstance(axis, Static) and axis.value is None:
        return tuple(range(rank))
    given = axis.items if isinstance(axis, Tuple) else (axis,)
    found: list[int] = []
    for each in given:
        known = each.known if isinstance(each, Scalar) else None
        if known is None and isinstance(each, Scalar):
            needs_constant(low, "an axis that is not constant", "axis=0")
        if not isinstance(known, int) or not -rank <= known < rank:
            low.refuse(UnsupportedFunctionError, f"axis is not a constant within rank {rank}", "axis=0")
        found.append(known % rank)
    if not found:
        low.refuse(UnsupportedFunctionError, "axis=() names no axis", "the array itself")
    if len(set(found)) != len(found):
        low.refuse(UnsupportedFunctionError, "duplicate value in 'axis'", "each axis once")
    return tuple(sorted(found))


def product(low: Lowering, lengths: tuple[Atom, ...]) -> Atom:
    """The number of elements."""
    size: Atom = literal(1)
    for length in lengths:
        size = low.b.mul(size, length)
    return size


def _kept(low: Lowering, x: Array, axes: tuple[int, ...], keepdims: Value, folded: Atom) -> Value:
    if isinstance(keepdims, Scalar) and keepdims.known is True:
        folded = low.b.expand(folded, *[literal(1)] * len(axes), axes=axes)
    return low.value(folded)


def _lengths(x: Array, axes: tuple[int, ...]) -> tuple[Atom, ...]:
    return tuple(x.shape[a] for a in axes)


def _as_array(low: Lowering, x: Value) -> Scalar | Array:
    from .array_functions import array_like

    return array_like(low, x)


def total(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
    """`np.sum`."""
    x = _as_array(low, x)
    dtype = DType.I64 if x.dtype is DType.BOOL else x.dtype
    if isinstance(x, Scalar):
        return Scalar(low.cast(x.atom, dtype))
    axes = axes_of(low, axis, x.rank)
    return _kept(low, x, axes, keepdims, low.b.total(low.cast(low.atom(x), dtype), axes=axes))


def mean(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
    """`np.mean`."""
    x = _as_array(low, x)
    if isinstance(x, Scalar):
        return Scalar(low.cast(x.atom, DType.F64))
    axes = axes_of(low, axis, x.rank)
    return _kept(low, x, axes, keepdims, _mean(low, x, axes))


def _mean(low: Lowering, x: Array, axes: tuple[int, ...]) -> Atom:
    b = low.b
    count = b.cast(product(low, _lengths(x, axes)), dtype=DType.F64)
    return b.div(b.total(low.cast(low.atom(x), DType.F64), axes=axes), count)


def var(low: Lowering, x: Value, axis: Value = NONE, ddof: Value = ZERO, keepdims: Value = FALSE) -> Value:
    """`np.var`."""
    x = _as_array(low, x)
    if isinstance(x, Scalar):
        return Scalar(literal(0.0))
    b, axes = low.b, axes_of(low, axis, x.rank)
    lengths = _lengths(x, axes)
    center = b.expand(_mean(low, x, axes), *lengths, axes=axes)
    away = b.sub(low.cast(low.atom(x), DType.F64), center)
    count = operate(low, "-", Scalar(product(low, lengths)), ddof)
    assert isinstance(count, Scalar)
    folded = b.div(b.total(b.mul(away, away), axes=axes), low.cast(count.atom, DType.F64))
    return _kept(low, x, axes, keepdims, folded)


def std(low: Lowering, x: Value, axis: Value = NONE, ddof: Value = ZERO, keepdims: Value = FALSE) -> Value:
    """`np.std`."""
    found = var(low, x, axis, ddof, keepdims)
    assert isinstance(found, Scalar | Array)
    return mapped(low, "sqrt", (found,), None, False)


def extremum(name: str, word: str, of_booleans: str) -> Any:
    """`np.max` or `np.min`."""

    def lower(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
        x = _as_array(low, x)
        if isinstance(x, Scalar):
            return Scalar(x.atom)
        axes = axes_of(low, axis, x.rank)
        for length in _lengths(x, axes):
            message = f"zero-size array to reduction operation {word} which has no identity"
            low.check(low.b.gt(length, 0), "ValueError", message)
        reduce = of_booleans if x.dtype is DType.BOOL else name
        return _kept(low, x, axes, keepdims, getattr(low.b, reduce)(low.atom(x), axes=axes))

    return lower


def _truths(low: Lowering, x: Scalar | Array) -> Atom:
    atom = low.atom(x)
    if x.dtype is DType.BOOL:
        return atom
    return low.b.ne(atom, 0 if x.dtype is DType.I64 else 0.0)


def _logical(name: str) -> Any:
    def lower(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
        x = _as_array(low, x)
        if isinstance(x, Scalar):
            return Scalar(_truths(low, x))
        axes = axes_of(low, axis, x.rank)
        return _kept(low, x, axes, keepdims, getattr(low.b, name)(_truths(low, x), axes=axes))

    return lower


any_of = _logical("reduce_or")
all_of = _logical("reduce_and")


def norm(low: Lowering, x: Value, ord: Value = NONE, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
    """`np.linalg.norm` of vectors (orders 1, 2, inf) and of whole matrices (Frobenius)."""
    x = _as_array(low, x)
    order = ord.known if isinstance(ord, Scalar) else getattr(ord, "value", None)
    if isinstance(x, Scalar):
        return mapped(low, "abs", (x,), DType.F64, False)
    vector = x.rank == 1 or isinstance(axis, Scalar)
    if order is None or (order == 2 and vector) or (order == "fro" and x.rank == 2):
        squares = operate(low, "*", x, x)
        found = total(low, squares, axis, keepdims)
        assert isinstance(found, Scalar | Array)
        return mapped(low, "sqrt", (found,), DType.F64, False)
    if vector and order in (1, float("inf")):
        sizes = mapped(low, "abs", (x,), DType.F64, False)
        return total(low, sizes, axis, keepdims) if order == 1 else MAXIMUM(low, sizes, axis, keepdims)
    return low.refuse(
        UnsupportedFunctionError, f"norm of order {order!r} of rank {x.rank}", "the 2-norm or Frobenius norm"
    )


MAXIMUM = extremum("reduce_max", "maximum", "reduce_or")


def prod(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
    """`np.prod`: a loop that multiplies along the axes."""
    x = _as_array(low, x)
    dtype = DType.I64 if x.dtype is DType.BOOL else x.dtype
    if isinstance(x, Scalar):
        return Scalar(low.cast(x.atom, dtype))
    b, axes = low.b, axes_of(low, axis, x.rank)
    rest = tuple(a for a in range(x.rank) if a not in axes)
    lengths, kept = _lengths(x, axes), _lengths(x, rest)
    rows = b.reshape(b.permute(low.cast(low.atom(x), dtype), order=axes + rest), product(low, lengths), *kept)
    one: Atom = literal(1) if dtype is DType.I64 else literal(1.0)
    if kept:
        one = b.expand(one, *kept, axes=tuple(range(len(kept))))
    k, so_far = Var(Type(DType.I64), "k"), Var(one.type, "product")
    with low.region() as scope:
        row = scope.builder.view(rows, k, codes="i" + ":" * len(kept))
        body = scope.builder.program((k, so_far), (scope.builder.mul(so_far, row),))
    (out,) = b.loop(rows.type.shape[0], (one,), body)
    return _kept(low, x, axes, keepdims, out)


def cumulative(name: str) -> Any:
    """`np.cumsum` or `np.cumprod` of a vector: a loop that fills the result."""

    def lower(low: Lowering, x: Value, axis: Value = NONE) -> Value:
        x = _as_array(low, x)
        if isinstance(x, Scalar) or x.rank != 1:
            low.refuse(UnsupportedFunctionError, "a running sum of a matrix", "one of each row, in a loop")
        b = low.b
        dtype = DType.I64 if x.dtype is DType.BOOL else x.dtype
        values, (length,) = low.cast(low.atom(x), dtype), x.shape
        start = literal({"add": 0, "mul": 1}[name] if dtype is DType.I64 else {"add": 0.0, "mul": 1.0}[name])
        empty = b.empty(length, dtype=dtype)
        k, so_far, filled = Var(Type(DType.I64), "k"), Var(start.type, "so_far"), Var(empty.type, "filled")
        with low.region() as scope:
            inner = scope.builder
            next_one = getattr(inner, name)(so_far, inner.view(values, k, codes="i"))
            body = inner.program((k, so_far, filled), (next_one, inner.update(filled, next_one, k, codes="i")))
        _, out = b.loop(length, (start, empty), body)
        return low.array(out)

    return lower

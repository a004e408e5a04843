"""Sums, means, extrema, norms: functions that fold axes away, and running sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom, DType, Type, Var, literal

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
    dtype = summed(x.dtype)
    if isinstance(x, Scalar):
        return Scalar(low.cast(x.atom, dtype))
    axes = axes_of(low, axis, x.rank)
    return _kept(low, x, axes, keepdims, low.b.total(low.cast(low.atom(x), dtype), axes=axes))


def summed(dtype: DType) -> DType:
    """The dtype of a sum or product: integers of fewer bits, and booleans, are added up in 64."""
    if dtype.differentiable:
        return dtype
    return DType.U64 if dtype.kind == "u" else DType.I64


def mean(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
    """`np.mean`."""
    x = _as_array(low, x)
    if isinstance(x, Scalar):
        return Scalar(low.cast(x.atom, averaged(x.dtype)))
    axes = axes_of(low, axis, x.rank)
    return _kept(low, x, axes, keepdims, _mean(low, x, axes))


def averaged(dtype: DType) -> DType:
    """The dtype of a mean: integers are averaged in float64."""
    return dtype if dtype.differentiable else DType.F64


def _mean(low: Lowering, x: Array, axes: tuple[int, ...]) -> Atom:
    b, dtype = low.b, averaged(x.dtype)
    count = b.cast(product(low, _lengths(x, axes)), dtype=dtype)
    return b.div(b.total(low.cast(low.atom(x), dtype), axes=axes), count)


def var(low: Lowering, x: Value, axis: Value = NONE, ddof: Value = ZERO, keepdims: Value = FALSE) -> Value:
    """`np.var`."""
    x = _as_array(low, x)
    if isinstance(x, Scalar):
        return Scalar(averaged(x.dtype).real.zero)
    b, axes, dtype = low.b, axes_of(low, axis, x.rank), averaged(x.dtype)
    lengths = _lengths(x, axes)
    center = b.expand(_mean(low, x, axes), *lengths, axes=axes)
    away = b.sub(low.cast(low.atom(x), dtype), center)
    count = operate(low, "-", Scalar(product(low, lengths)), ddof)
    assert isinstance(count, Scalar)
    squares = b.real(b.mul(away, b.conj(away))) if dtype.complex else b.mul(away, away)
    folded = b.div(b.total(squares, axes=axes), low.cast(count.atom, dtype.real))
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
        if x.dtype.complex:
            low.refuse(DtypeError, "the order of complex numbers", "np.max(np.abs(x)), or of x.real")
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
    return low.b.ne(atom, x.dtype.zero)


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


MAXIMUM = extremum("reduce_max", "maximum", "reduce_or")


def prod(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE) -> Value:
    """`np.prod`: a loop that multiplies along the axes."""
    x = _as_array(low, x)
    dtype = summed(x.dtype)
    if isinstance(x, Scalar):
        return Scalar(low.cast(x.atom, dtype))
    b, axes = low.b, axes_of(low, axis, x.rank)
    rest = tuple(a for a in range(x.rank) if a not in axes)
    lengths, kept = _lengths(x, axes), _lengths(x, rest)
    rows = b.reshape(b.permute(low.cast(low.atom(x), dtype), order=axes + rest), product(low, lengths), *kept)
    one: Atom = dtype.constant(1)
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
        dtype = summed(x.dtype)
        values, (length,) = low.cast(low.atom(x), dtype), x.shape
        start = dtype.constant({"add": 0, "mul": 1}[name])
        empty = b.empty(length, dtype=dtype)
        k, so_far, filled = Var(Type(DType.I64), "k"), Var(start.type, "so_far"), Var(empty.type, "filled")
        with low.region() as scope:
            inner = scope.builder
            next_one = getattr(inner, name)(so_far, inner.view(values, k, codes="i"))
            body = inner.program((k, so_far, filled), (next_one, inner.update(filled, next_one, k, codes="i")))
        _, out = b.loop(length, (start, empty), body)
        return low.array(out)

    return lower

"""Interval meanings of what arranges, selects, compares and folds arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitives import TABLE, index_arrays, without_arrays
from ..primitives.structure import numpy_index
from ..types import DType
from .arithmetic import product_ends
from .intervals import UNDEFINED, Interval, above, below, is_float, point
from .table import ROWS, Ends, UndecidedError, elementwise, entered

__all__ = ["known"]

CHOICES = 1024  # of an index, of which each is tried


def known(*operands: Interval) -> list[Any]:
    """The numbers that intervals are.

    Raises:
        UndecidedError: one of them is not known.
    """
    if not all(x.is_point for x in operands):
        raise UndecidedError("a length, or the place of a write, that is not known")
    return [x.lower for x in operands]


# Rows that move elements: their meaning for each end


def _arranged(name: str, arrays: int) -> Callable[..., Interval]:
    meaning = TABLE[name].meaning

    def row(*operands: Interval, **params: Any) -> Interval:
        moved, rest = operands[:arrays], known(*operands[arrays:])
        ends = [meaning(*parts, *rest, **params) for parts in zip(*map(_parts, moved), strict=True)]
        return Interval(*ends)

    return row


def _parts(x: Interval) -> tuple[Any, Any, Any]:
    return x.lower, x.upper, x.marks


for _name, _arrays in {"expand": 1, "reshape": 1, "permute": 1, "conform": 1, "grow": 1, "scatter": 2}.items():
    ROWS[_name] = _arranged(_name, _arrays)


@entered("iota")
def _iota(n: Interval) -> Interval:
    return point(np.arange(*known(n)))


@entered("empty")
def _empty(*shape: Interval, dtype: DType) -> Interval:
    return point(np.zeros(tuple(int(n) for n in known(*shape)), dtype.numpy))


# Reading and writing at places that need not be known


def _tried(indices: list[Interval]) -> list[list[Any]]:
    """The numbers that indices may be: a list of all of them, for each choice."""
    found: list[list[Any]] = [[]]
    for x in indices:
        steps = int(np.max(x.upper - x.lower, initial=0)) + 1
        if len(found) * steps > CHOICES:
            raise UndecidedError("an index that is not known")
        found = [[*before, np.minimum(x.lower + k, x.upper)] for before in found for k in range(steps)]
    return found


def _hull_of(parts: list[Interval], indices: list[Interval]) -> Interval:
    lower, upper, marks = parts[0].lower, parts[0].upper, parts[0].marks
    for part in parts[1:]:
        lower, upper, marks = np.fmin(lower, part.lower), np.fmax(upper, part.upper), marks | part.marks
    for x in indices:
        marks = marks | np.bitwise_or.reduce(np.ravel(x.marks), initial=0)
    return Interval(lower, upper, marks)


@entered("view", "gather")
def _read(x: Interval, *places: Interval, codes: str) -> Interval:
    meaning = TABLE["gather" if "a" in codes else "view"].meaning
    parts = [x.map(lambda v, at=at: meaning(v, *at, codes=codes)) for at in _tried(list(places))]
    return _hull_of(parts, list(places))


@entered("update")
def _update(x: Interval, value: Interval, *places: Interval, codes: str) -> Interval:
    meaning = TABLE["update"].meaning
    parts = [
        Interval(*(meaning(v, w, *at, codes=codes) for v, w in zip(_parts(x), _parts(value), strict=True)))
        for at in _tried(list(places))
    ]
    return _hull_of(parts, list(places))


@entered("add_at")
def _add_at(x: Interval, value: Interval, *places: Interval, codes: str) -> Interval:
    at = numpy_index(codes, tuple(known(*places)))
    there = x.map(lambda v: v[at])
    found = ROWS["add"](there, value)
    lower, upper, marks = (np.array(v) for v in _parts(x))
    lower[at], upper[at], marks[at] = found.lower, found.upper, found.marks
    return Interval(lower, upper, marks)


@entered("scatter_add")
def _scatter_add(x: Interval, value: Interval, *places: Interval, codes: str) -> Interval:
    """Several summands for one element are added in any order."""
    places_known = known(*places)
    meaning = TABLE["scatter_add"].meaning
    lower, upper = (
        meaning(v, w, *places_known, codes=codes) for v, w in ((x.lower, value.lower), (x.upper, value.upper))
    )
    counts = meaning(np.zeros(x.shape, np.int64), np.ones(value.shape, np.int64), *places_known, codes=codes)
    sizes = meaning(_size(x), _size(value), *places_known, codes=codes)
    exact = (counts == 0) | ((counts == 1) & (x.lower == 0.0) & (x.upper == 0.0))
    lower, upper = _rounded(lower, upper, sizes, np.where(exact, 0, counts + 1))
    marks = np.array(x.marks)
    plain, scalars = without_arrays(codes, tuple(places_known))
    region = marks[numpy_index(plain, scalars)]
    axes = tuple(axis for axis, code in enumerate(codes.replace("i", "")) if code == "a")
    turned = region.transpose(axes + tuple(a for a in range(region.ndim) if a not in axes))
    np.bitwise_or.at(turned, index_arrays(codes, tuple(places_known)), value.marks)
    return Interval(lower, upper, marks)


# Sums, of any order


def _size(x: Interval) -> Any:
    return np.maximum(np.abs(x.lower), np.abs(x.upper))


def _rounded(lower: Any, upper: Any, sizes: Any, terms: Any) -> tuple[Any, Any]:
    """Sums of so many terms, of which `sizes` is the sum of absolute values, with the errors of any order of adding."""
    if not is_float(lower.dtype):
        if np.any(np.abs(np.asarray(sizes, float)) > 2.0**62):
            raise UndecidedError("an integer that may be beyond 64 bits")
        return lower, upper
    error = (2.0 * terms * np.finfo(lower.dtype).eps * sizes).astype(lower.dtype)
    finite = np.isfinite(error)
    low = np.where(error > 0.0, below(lower - error), lower)
    high = np.where(error > 0.0, above(upper + error), upper)
    low, high = np.where(finite | (error == 0.0), low, -np.inf), np.where(finite | (error == 0.0), high, np.inf)
    return low.astype(lower.dtype)[()], high.astype(upper.dtype)[()]


@entered("total")
def _total(x: Interval, axes: tuple[int, ...]) -> Interval:
    with np.errstate(all="ignore"):
        lower, upper, sizes = (np.sum(v, axis=axes, dtype=x.dtype) for v in (x.lower, x.upper, _size(x)))
        nonzero = np.count_nonzero(_size(x), axis=axes)
        lower, upper = _rounded(lower, upper, sizes, np.where(nonzero <= 1, 0, nonzero))
    return Interval(lower, upper, np.bitwise_or.reduce(x.marks, axis=axes) | _overflow(sizes))


def _overflow(sizes: Any) -> Any:
    """The mark of sums that may have infinite terms, of which some cancel."""
    return np.where(np.isinf(sizes), UNDEFINED, 0)[()] if is_float(np.asarray(sizes).dtype) else 0


@entered("matmul")
def _matmul(x: Interval, y: Interval) -> Interval:
    """Products along the common axis, each rounded outwards, summed up in any order, with or without fused steps."""
    count = x.shape[-1]
    shape = (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
    lower, upper, sizes = (np.zeros(shape, x.dtype) for _ in range(3))
    marks = np.zeros(shape, np.int64)
    nonzero = np.zeros(shape, np.int64)
    with np.errstate(all="ignore"):
        for k in range(count):
            a, c = x.map(lambda v, k=k: v[..., :, k, None]), y.map(lambda v, k=k: v[..., k, None, :])
            low, high = product_ends(a, c)
            size = np.maximum(np.abs(low), np.abs(high))
            lower, upper, sizes = lower + low, upper + high, sizes + size
            nonzero += size != 0
            marks |= a.marks | c.marks
        lower, upper = _rounded(lower, upper, sizes, np.where(nonzero <= 1, 0, nonzero + 1))
    return Interval(lower, upper, marks | _overflow(sizes))


# Order


def _folded(function: Callable[..., Any]) -> Callable[..., Interval]:
    def row(x: Interval, axes: tuple[int, ...]) -> Interval:
        marks = np.bitwise_or.reduce(x.marks, axis=axes)
        return Interval(function(x.lower, axis=axes), function(x.upper, axis=axes), marks)

    return row


for _name, _function in {"reduce_max": np.max, "reduce_min": np.min, "reduce_and": np.all}.items():
    ROWS[_name] = _folded(_function)


@entered("reduce_or")
def _reduce_or(x: Interval, axes: tuple[int, ...]) -> Interval:
    if x.dtype == bool:
        return _folded(np.any)(x, axes)
    return point(TABLE["reduce_or"].meaning(*known(x), axes=axes))


@entered("argsort")
def _argsort(x: Interval) -> Interval:
    """For each place of the order the first and the last of the elements that may stand there."""
    n = x.shape[-1]
    later = np.arange(n)[:, None] > np.arange(n)[None, :]  # equal elements keep their order
    low, high = x.lower[..., :, None], x.upper[..., :, None]
    others_low, others_high = x.lower[..., None, :], x.upper[..., None, :]
    before = (others_high < low) | ((others_high == low) & later)
    maybe = (others_low < high) | ((others_low == high) & later)
    np.einsum("...ii->...i", maybe)[...] = False
    least, most = np.sum(before, axis=-1), np.sum(maybe, axis=-1)
    places = np.arange(n)
    fits = (least[..., None, :] <= places[:, None]) & (places[:, None] <= most[..., None, :])
    marks = np.bitwise_or.reduce(x.marks, axis=-1, keepdims=True) * np.ones(n, np.int64)
    return Interval(np.argmax(fits, axis=-1), n - 1 - np.argmax(fits[..., ::-1], axis=-1), marks)


# Comparisons, logic, selection


def _unordered(x: Interval, y: Interval) -> Any:
    return ((x.marks | y.marks) & UNDEFINED) != 0


def _truth(surely: Any, never: Any, x: Interval, y: Interval) -> Ends:
    doubt = _unordered(x, y)
    return np.asarray(surely & ~doubt, bool)[()], np.asarray(~never | doubt, bool)[()]


@entered("lt")
@elementwise
def _lt(x: Interval, y: Interval) -> Ends:
    return _truth(x.upper < y.lower, x.lower >= y.upper, x, y)


@entered("le")
@elementwise
def _le(x: Interval, y: Interval) -> Ends:
    return _truth(x.upper <= y.lower, x.lower > y.upper, x, y)


@entered("gt")
@elementwise
def _gt(x: Interval, y: Interval) -> Ends:
    return _truth(x.lower > y.upper, x.upper <= y.lower, x, y)


@entered("ge")
@elementwise
def _ge(x: Interval, y: Interval) -> Ends:
    return _truth(x.lower >= y.upper, x.upper < y.lower, x, y)


def _apart(x: Interval, y: Interval) -> Any:
    return (x.upper < y.lower) | (x.lower > y.upper)


def _same(x: Interval, y: Interval) -> Any:
    return (x.lower == x.upper) & (y.lower == y.upper) & (x.lower == y.lower)


@entered("eq")
@elementwise
def _eq(x: Interval, y: Interval) -> Ends:
    return _truth(_same(x, y), _apart(x, y), x, y)


@entered("ne")
@elementwise
def _ne(x: Interval, y: Interval) -> Ends:
    return _truth(_apart(x, y), _same(x, y), x, y)


def _logical(name: str) -> Callable[..., Ends]:
    meaning = TABLE[name].meaning

    def ends(*operands: Interval) -> Ends:
        if operands[0].dtype != bool:
            value = meaning(*known(*operands))
            return value, value
        corners = [meaning(a, c) for a in _ends(operands[0]) for c in _ends(operands[1])]
        return np.logical_and.reduce(corners)[()], np.logical_or.reduce(corners)[()]

    return ends


def _ends(x: Interval) -> tuple[Any, Any]:
    return x.lower, x.upper


for _name in ("and", "or", "xor"):
    ROWS[_name] = elementwise(_logical(_name))


@entered("not")
@elementwise
def _not(x: Interval) -> Ends:
    return ~x.upper, ~x.lower


@entered("select")
def _select(condition: Interval, yes: Interval, no: Interval) -> Interval:
    may, may_not = condition.upper, ~condition.lower
    lower = np.where(may, np.where(may_not, np.fmin(yes.lower, no.lower), yes.lower), no.lower)
    upper = np.where(may, np.where(may_not, np.fmax(yes.upper, no.upper), yes.upper), no.upper)
    marks = np.where(may, yes.marks, 0) | np.where(may_not, no.marks, 0)
    return Interval(lower[()], upper[()], np.asarray(marks | np.where(may & may_not, condition.marks, 0))[()])


@entered("isnan")
@elementwise
def _isnan(x: Interval) -> Ends:
    return np.isnan(x.lower), (x.marks & UNDEFINED) != 0


@entered("isfinite")
@elementwise
def _isfinite(x: Interval) -> Ends:
    finite = np.isfinite(x.lower) & np.isfinite(x.upper) & ((x.marks & UNDEFINED) == 0)
    never = np.isnan(x.lower) | ((x.lower == x.upper) & np.isinf(x.lower))
    return np.asarray(finite)[()], np.asarray(~never)[()]


@entered("side")
@elementwise
def _side(x: Interval, y: Interval) -> Ends:
    lower = np.where(x.lower < y.upper, -1, np.where(x.lower > y.upper, 1, 0))
    upper = np.where(x.upper > y.lower, 1, np.where(x.upper < y.lower, -1, 0))
    return lower.astype(np.int8)[()], np.where(_unordered(x, y), 2, upper).astype(np.int8)[()]


@entered("portion")
@elementwise
def _portion(side: Interval, of: int, dtype: DType) -> Ends:
    lower, upper = np.full(side.shape, np.inf), np.full(side.shape, -np.inf)
    for candidate, share in ((-1, float(of == -1)), (0, 0.5), (1, float(of == 1)), (2, 0.0)):
        within = (side.lower <= candidate) & (candidate <= side.upper)
        lower, upper = (
            np.where(within, np.minimum(lower, share), lower),
            np.where(within, np.maximum(upper, share), upper),
        )
    return lower.astype(dtype.numpy)[()], upper.astype(dtype.numpy)[()]


@entered("cast")
@elementwise
def _cast(x: Interval, dtype: DType) -> Ends:
    if dtype is DType.BOOL:
        zero = (x.lower <= 0) & (x.upper >= 0)
        return np.asarray(~zero)[()], np.asarray(~((x.lower == 0) & (x.upper == 0)))[()]
    if dtype.integer:
        info = np.iinfo(dtype.numpy)
        if is_float(x.dtype) and np.any(~((x.lower > float(info.min)) & (x.upper < float(info.max)))):
            raise UndecidedError(f"a number that may be too large for {dtype.value}")
        if np.any((x.lower < info.min) | (x.upper > info.max)):
            raise UndecidedError(f"an integer that may be too large for {dtype.value}")
        return np.asarray(x.lower).astype(dtype.numpy)[()], np.asarray(x.upper).astype(dtype.numpy)[()]
    return _converted(x.lower, dtype, True), _converted(x.upper, dtype, False)


def _converted(v: Any, dtype: DType, lower: bool) -> Any:
    """An end in another precision; where it is another number, the next one outwards."""
    new = np.asarray(v).astype(dtype.numpy)
    back = new.astype(np.longdouble) - np.asarray(v).astype(np.longdouble)
    if lower:
        return np.where((back > 0) & np.isfinite(np.asarray(v, float)), below(new), new)[()]
    return np.where((back < 0) & np.isfinite(np.asarray(v, float)), above(new), new)[()]

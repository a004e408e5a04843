"""Sums, extrema, norms: functions that fold axes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom, DType, literal

from .containers import needs_constant
from .operators import broadcast, mapped, numeric
from .promotion import converted
from .values import FALSE, NONE, TRUE, Array, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["MAXIMUM", "MINIMUM", "all_of", "any_of", "axes_of", "axis_of", "extremum", "product", "summed", "total"]


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
    if len(set(found)) != len(found):
        low.refuse(UnsupportedFunctionError, "duplicate value in 'axis'", "each axis once")
    return tuple(sorted(found))


def axis_of(low: Lowering, axis: Value, rank: int) -> int:
    """The one axis an `axis=` argument names, counted from 0."""
    found = axes_of(low, axis, rank)
    if len(found) != 1:
        low.refuse(UnsupportedFunctionError, f"axis names {len(found)} axes, not one", "axis=0")
    return found[0]


def product(low: Lowering, lengths: tuple[Atom, ...]) -> Atom:
    """The number of elements."""
    return low.b.size(lengths)


def _kept(low: Lowering, axes: tuple[int, ...], keepdims: Value, folded: Atom) -> Value:
    if axes and isinstance(keepdims, Scalar) and keepdims.known is True:
        folded = low.b.expand(folded, *[literal(1)] * len(axes), axes=axes)
    return low.value(folded)


def _as_array(low: Lowering, x: Value) -> Scalar | Array:
    from .array_functions import array_like

    return array_like(low, x)


def total(
    low: Lowering,
    x: Value,
    axis: Value = NONE,
    dtype: Value = NONE,
    keepdims: Value = FALSE,
    initial: Value = NONE,
    where: Value = TRUE,
) -> Value:
    """`np.sum`."""
    from .array_functions import dtype_of

    x = _as_array(low, x)
    wanted = dtype_of(low, dtype, summed(x.dtype))
    atom = _chosen(low, low.cast(low.atom(x), wanted), where, number(0))
    axes = axes_of(low, axis, atom.type.rank)
    return _started(low, _kept(low, axes, keepdims, low.b.total(atom, axes=axes)), initial, "add")


def summed(dtype: DType) -> DType:
    """The dtype of a sum or product: integers of fewer bits, and booleans, are added up in 64."""
    if dtype.differentiable:
        return dtype
    return DType.U64 if dtype.kind == "u" else DType.I64


def _chosen(low: Lowering, atom: Atom, where: Value, instead: Value) -> Atom:
    """The elements where the condition holds, something else elsewhere."""
    from .masks import holding

    if isinstance(where, Scalar) and where.known is True:
        return atom
    other = converted(low, numeric(low, instead), atom.type.dtype)
    return low.b.select(*broadcast(low, [holding(low, where), atom, other]))


def _started(low: Lowering, found: Value, initial: Value, name: str) -> Value:
    """The result and what it starts from, in the result's dtype."""
    if isinstance(initial, Static):
        return found
    value = numeric(low, found)
    return mapped(low, name, [value, numeric(low, initial)], value.dtype, False)


def extremum(name: str, word: str, of_booleans: str) -> Any:
    """`np.max` or `np.min`."""

    def lower(
        low: Lowering,
        x: Value,
        axis: Value = NONE,
        keepdims: Value = FALSE,
        initial: Value = NONE,
        where: Value = TRUE,
    ) -> Value:
        x = _as_array(low, x)
        no_start = isinstance(initial, Static)
        if no_start and not (isinstance(where, Scalar) and where.known is True):
            cause = f"reduction operation {word!r} does not have an identity, so where= needs initial="
            low.refuse(UnsupportedFunctionError, cause, "initial=0.0 beside where=")
        if x.dtype.complex:
            low.refuse(DtypeError, "the order of complex numbers", "np.max(np.abs(x)), or of x.real")
        atom = _chosen(low, low.atom(x), where, initial)
        axes = axes_of(low, axis, atom.type.rank)
        for length in [atom.type.shape[a] for a in axes] if no_start else []:
            message = f"zero-size array to reduction operation {word} which has no identity"
            low.check(low.b.gt(length, 0), "ValueError", message)
        boolean = x.dtype is DType.BOOL
        found = getattr(low.b, of_booleans if boolean else name)(atom, axes=axes) if axes else atom
        combine = {"reduce_or": "or", "reduce_and": "and"}[of_booleans] if boolean else word
        return _started(low, _kept(low, axes, keepdims, found), initial, combine)

    return lower


def _truths(low: Lowering, x: Scalar | Array) -> Atom:
    atom = low.atom(x)
    if x.dtype is DType.BOOL:
        return atom
    return low.b.ne(atom, x.dtype.zero)


def _logical(name: str, neutral: bool) -> Any:
    def lower(low: Lowering, x: Value, axis: Value = NONE, keepdims: Value = FALSE, *, where: Value = TRUE) -> Value:
        atom = _chosen(low, _truths(low, _as_array(low, x)), where, number(neutral))
        axes = axes_of(low, axis, atom.type.rank)
        return _kept(low, axes, keepdims, getattr(low.b, name)(atom, axes=axes) if axes else atom)

    return lower


any_of = _logical("reduce_or", False)
all_of = _logical("reduce_and", True)


MAXIMUM = extremum("reduce_max", "maximum", "reduce_or")
MINIMUM = extremum("reduce_min", "minimum", "reduce_and")

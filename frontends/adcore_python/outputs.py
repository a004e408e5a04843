"""`out=` and `where=`: results written into an array that is given, which is then the result itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom

from .array_functions import array_like, copied
from .indexing import fitted
from .masks import truths
from .operators import describe, numeric, truth
from .values import Array, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["OUTPUTS", "call_into"]


@dataclass(frozen=True, slots=True)
class Output:
    """What NumPy takes as a function's `out`.

    Attributes:
        broadcasts: whether the result is repeated to the shape of `out`, and `where` says which elements are written.
        casts: whether the result is cast to its dtype where that keeps the kind (bool, int, float, complex).
        position: where among the positional arguments `out` stands; 0 where it has to be named.
    """

    broadcasts: bool = False
    casts: bool = True
    position: int = 0


def _at(position: int, **rest: Any) -> Output:
    return Output(position=position, **rest)


OUTPUTS: dict[Any, Output] = {
    **dict.fromkeys((np.sum, np.prod, np.mean, np.var, np.std, np.cumsum, np.cumprod), _at(3)),
    **dict.fromkeys((np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nancumsum, np.nancumprod), _at(3)),
    **dict.fromkeys((np.quantile, np.percentile, np.nanquantile, np.nanpercentile, np.compress), _at(3)),
    **dict.fromkeys((np.max, np.min, np.amax, np.amin, np.any, np.all, np.ptp, np.median), _at(2)),
    **dict.fromkeys((np.nanmax, np.nanmin, np.nanmedian, np.argmax, np.argmin, np.nanargmax, np.nanargmin), _at(2)),
    **dict.fromkeys((np.outer, np.concatenate, np.stack, np.round, np.around, np.choose), _at(2)),
    **dict.fromkeys((np.trace, np.fix, np.matmul, np.einsum, np.cumulative_sum, np.cumulative_prod), Output()),
    np.dot: _at(2, casts=False),
    np.take: _at(3, casts=False),
    np.clip: _at(3, broadcasts=True),
    # methods
    **dict.fromkeys(("sum", "prod", "mean", "var", "std", "cumsum", "cumprod", "compress"), _at(3)),
    **dict.fromkeys(("max", "min", "any", "all", "argmax", "argmin", "round", "choose"), _at(2)),
    "trace": Output(),
    "dot": _at(2, casts=False),
    "take": _at(3, casts=False),
    "clip": _at(3, broadcasts=True),
}
OF_UFUNCS = {"reduce": _at(3), "accumulate": _at(3), "reduceat": _at(4), "outer": Output()}


def output_of(function: Any) -> Output | None:
    """What a function takes as `out`: every universal function with one result takes one."""
    found = OUTPUTS.get(function)
    if found is None and isinstance(function, np.ufunc) and function.nout == 1:
        return Output(broadcasts=True, position=function.nin)
    if found is None and isinstance(getattr(function, "__self__", None), np.ufunc):
        return OF_UFUNCS.get(function.__name__)
    return found


def call_into(
    low: Lowering,
    function: Any,
    call: Callable[[list[Value], dict[str, Value]], Value],
    arguments: list[Value],
    keywords: dict[str, Value],
) -> Value:
    """The value of a call, written into `out` where that is given."""
    taken = output_of(function)
    if taken is None:
        return call(arguments, keywords)
    keywords = dict(keywords)
    if isinstance(function, np.ufunc) and "dtype" in keywords:
        dtype = keywords.pop("dtype")
        arguments = [copied(low, a, dtype) for a in arguments[: function.nin]] + arguments[function.nin :]
    out = keywords.pop("out", Static(None))
    if 0 < taken.position < len(arguments):
        arguments = [*arguments]
        out = arguments.pop(taken.position)
    where = keywords.pop("where", Static(None)) if taken.broadcasts else Static(None)
    if isinstance(out, Tuple) and len(out.items) == 1:
        (out,) = out.items
    if isinstance(out, Static) and out.value is None:
        if not (isinstance(where, Static) or (isinstance(where, Scalar) and where.known is True)):
            low.refuse(
                UnsupportedFunctionError,
                "where= without out= leaves elements that nobody has written",
                "out=np.zeros(n), or np.where(condition, result, 0.0)",
            )
        return call(arguments, keywords)
    if not isinstance(out, Array):
        low.refuse(UnsupportedFunctionError, f"out= is {describe(out)}", "an array")
    result = numeric(low, call(arguments, keywords))
    low.write(out, _kept(low, where, _placed(low, taken, result, out), out))
    return out


def _placed(low: Lowering, taken: Output, result: Scalar | Array, out: Array) -> Atom:
    """The result in the dtype and shape of `out`."""
    fits = np.can_cast(result.dtype.numpy, out.dtype.numpy, "same_kind") if taken.casts else result.dtype is out.dtype
    if not fits:
        rule = "same_kind" if taken.casts else "no"
        low.refuse(
            DtypeError,
            f"a result of dtype {result.dtype.value} is not cast to an output of dtype {out.dtype.value} "
            f"with casting rule {rule!r}",
            f"an array of {result.dtype.value}",
        )
    atom = low.cast(low.atom(result), out.dtype)
    if taken.broadcasts:
        return fitted(low, atom, out)
    if atom.type.rank != out.rank:
        low.refuse(
            UnsupportedFunctionError,
            f"out= is {describe(out)}, the result has rank {atom.type.rank}",
            "one of that rank",
        )
    return low.b.conform(atom, *out.shape, checked=True) if atom.type.shape != out.shape else atom


def _kept(low: Lowering, where: Value, atom: Atom, out: Array) -> Atom:
    """The new elements where the condition holds, the old ones of `out` elsewhere."""
    if isinstance(where, Static):
        return atom
    condition = array_like(low, where)
    if isinstance(condition, Scalar):
        return low.b.select(truth(low, condition).atom, atom, low.atom(out))
    holds = fitted(low, low.atom(truths(low, condition)), out)
    return low.b.select(holds, atom, low.atom(out))

"""`out=` and `where=`: results written into an array that is given, which is then the result itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom

from .array_functions import array_like
from .indexing import fitted
from .masks import truths
from .operators import describe, join, numeric, truth
from .values import Array, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["OUTPUTS", "call_into"]


@dataclass(frozen=True, slots=True)
class Output:
    """What NumPy takes as a function's `out`.

    Attributes:
        broadcasts: whether the result is repeated to the shape of `out`, and `where` says which elements are written.
        casts: whether the result is cast to its dtype where that keeps the kind (bool to int to float).
        position: where among the positional arguments `out` may stand; 0 where it has to be named.
    """

    broadcasts: bool = False
    casts: bool = True
    position: int = 0


FOLD, EXACT = Output(), Output(casts=False)
OUTPUTS: dict[Any, Output] = {
    **dict.fromkeys((np.sum, np.prod, np.mean, np.max, np.min, np.amax, np.amin, np.any, np.all, np.var, np.std), FOLD),
    **dict.fromkeys((np.cumsum, np.cumprod, np.trace, np.outer, np.concatenate, np.stack, np.fix), FOLD),
    **dict.fromkeys((np.round, np.around, np.matmul, np.einsum), FOLD),
    **dict.fromkeys((np.dot, np.take), EXACT),
    np.clip: Output(broadcasts=True),
    # methods
    **dict.fromkeys(("sum", "prod", "mean", "max", "min", "any", "all", "var", "std", "cumsum", "trace"), FOLD),
    **dict.fromkeys(("dot", "take"), EXACT),
    "clip": Output(broadcasts=True),
}


def output_of(function: Any) -> Output | None:
    """What a function takes as `out`: every universal function with one result takes one."""
    found = OUTPUTS.get(function)
    if found is None and isinstance(function, np.ufunc) and function.nout == 1:
        return Output(broadcasts=True, position=function.nin)
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
    out = keywords.pop("out", Static(None))
    if taken.position and len(arguments) == taken.position + 1:
        *arguments, out = arguments
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
    fits = join((result.dtype, out.dtype)) is out.dtype if taken.casts else result.dtype is out.dtype
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

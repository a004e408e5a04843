"""What kernels report where they fail, as exceptions in functions that Numba has compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.core.ir import Loc

from adcore.primitives import CHECKED_ERRORS
from adcore.types import DType

__all__ = ["Reported", "refused", "return_failure", "return_mismatch"]

WORD = ir.IntType(64)
_UNKNOWN = "?" * 8  # in place of the words of a report


class Reported(Exception):  # noqa: N818 - never raised itself
    """Makes the exception of a failure: `Reported("IndexError", "index {0} is out of bounds", 5)` is an IndexError."""

    def __new__(cls, error: str, message: str, *values: Any) -> Any:
        return _kind(error)(message.format(*values))


def _kind(error: str) -> type[BaseException]:
    return {**CHECKED_ERRORS, "MemoryError": MemoryError}[error]


def return_failure(context: Any, builder: Any, status: Any, reported: Any, failures: Sequence[Any]) -> None:
    """Leave the function with the exception of one of the failures, at the user's line; `reported` has its words."""
    chosen: dict[Any, Any] = {}
    switch = builder.switch(status, builder.append_basic_block("unknown"))
    for number, failure in enumerate(failures, 1):
        if failure not in chosen:
            chosen[failure] = builder.append_basic_block("failed")
            with builder.goto_block(chosen[failure]):
                _return_one(context, builder, reported, failure)
        switch.add_case(ir.Constant(WORD, number), chosen[failure])
    builder.position_at_end(switch.default)
    builder.unreachable()


def _return_one(context: Any, builder: Any, reported: Any, failure: Any) -> None:
    source = failure.source
    if _is_shared(builder):
        _tell(context, builder, failure.error, failure.message.format(*_UNKNOWN), source)
    where = {"loc": Loc(source.file, source.line), "func_name": source.function or "<module>"} if source else {}
    if not failure.dtypes or _is_tried(builder):
        context.call_conv.return_user_exc(builder, _kind(failure.error), (failure.message.format(*_UNKNOWN),), **where)
        return
    values, kinds = [], []
    for k, dtype in enumerate(failure.dtypes):
        kind = {DType.F64: types.float64, DType.BOOL: types.boolean}.get(dtype, types.int64)
        word = builder.load(builder.gep(reported, [ir.Constant(WORD, k)], source_etype=WORD), typ=WORD)
        values.append(_decoded(builder, word, kind))
        kinds.append(kind)
    said = (failure.error, failure.message, *values)
    context.call_conv.return_dynamic_user_exc(builder, Reported, said, tuple(kinds), **where)


def return_mismatch(context: Any, builder: Any, message: str, shapes: Sequence[Sequence[Any]], loc: Any) -> None:
    """Leave the function with a ValueError whose message has these shapes, at the line of the call."""
    unknown = message.format(*["(?)"] * len(shapes))
    if _is_shared(builder):
        _tell(context, builder, "ValueError", unknown, loc and f"{loc.filename}:{loc.line}")
    if _is_tried(builder):
        context.call_conv.return_user_exc(builder, ValueError, (unknown,), loc=loc)
        return
    said = message.format(*("({},)" if len(s) == 1 else f"({', '.join(['{}'] * len(s))})" for s in shapes))
    lengths = [n for shape in shapes for n in shape]
    kinds = (types.int64,) * len(lengths)
    context.call_conv.return_dynamic_user_exc(builder, Reported, ("ValueError", said, *lengths), kinds, loc=loc)


def _is_shared(builder: Any) -> bool:
    """Whether the function is the body of a parallel loop, whose exceptions Numba drops."""
    return "__numba_parfor_gufunc" in builder.function.name


def _is_tried(builder: Any) -> bool:
    """Whether nobody sees the message of an exception."""
    return bool(getattr(builder, "_in_try_block", False))


def _tell(context: Any, builder: Any, error: str, said: str, place: Any) -> None:
    """Report a failure to `sys.unraisablehook`: Numba drops exceptions in the bodies of its parallel loops."""
    python = context.get_python_api(builder)
    lock = python.gil_ensure()
    where = f" ({place})" if place else ""
    python.err_set_string("PyExc_RuntimeError", f"{error} in an iteration of prange: {said}{where}")
    python.err_write_unraisable(python.make_none())
    python.gil_release(lock)


def _decoded(builder: Any, word: Any, kind: Any) -> Any:
    if kind is types.float64:
        return builder.bitcast(word, ir.DoubleType())
    return builder.icmp_unsigned("!=", word, ir.Constant(WORD, 0)) if kind is types.boolean else word


def refused(error: Exception) -> TypingError:
    """What adcore says of a call, as the error that Numba's type inference expects; Numba adds the caller's line."""
    return TypingError(str(error))

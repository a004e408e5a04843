"""What kernels report where they fail, as exceptions in functions that Numba has compiled."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from string import Formatter
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.core.ir import Loc

from adcore.primitives import CHECKED_ERRORS
from adcore.types import DType

__all__ = ["Reported", "refused", "return_failure", "return_mismatch"]

WORD = ir.IntType(64)
_UNKNOWN = "?" * 64  # in place of the values of a message


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
    source, values = failure.source, []
    for k, dtype in enumerate(failure.dtypes):
        kind = {DType.F64: types.float64, DType.BOOL: types.boolean}.get(dtype, types.int64)
        word = builder.load(builder.gep(reported, [ir.Constant(WORD, k)], source_etype=WORD), typ=WORD)
        values.append((kind, _decoded(builder, word, kind)))
    where = {"loc": Loc(source.file, source.line), "func_name": source.function or "<module>"} if source else {}
    _leave(context, builder, failure.error, failure.message, values, where)


def return_mismatch(context: Any, builder: Any, message: str, shapes: Sequence[Sequence[Any]], loc: Any) -> None:
    """Leave the function with a ValueError whose message has these shapes, at the line of the call."""
    count = itertools.count()
    fields = [", ".join(f"{{{next(count)}}}" for _ in shape) for shape in shapes]
    said = message.format(*(f"({f}{',' if len(s) == 1 else ''})" for f, s in zip(fields, shapes, strict=True)))
    values = [(types.int64, n) for shape in shapes for n in shape]
    _leave(context, builder, "ValueError", said, values, {"loc": loc} if loc else {})


def _leave(context: Any, builder: Any, error: str, message: str, values: list[tuple[Any, Any]], where: Any) -> None:
    """Leave the function with an exception; its message has these values, of Numba's types, and `where` its line."""
    tried = bool(getattr(builder, "_in_try_block", False))  # where nobody sees the message
    if "__numba_parfor_gufunc" in builder.function.name and not tried:
        _tell(context, builder, f"{error} in an iteration of prange: {message}", values, where.get("loc"))
    if not values or tried:
        context.call_conv.return_user_exc(builder, _kind(error), (message.format(*_UNKNOWN),), **where)
        return
    said = (error, message, *(value for _, value in values))
    kinds = tuple(kind for kind, _ in values)
    context.call_conv.return_dynamic_user_exc(builder, Reported, said, kinds, **where)


def _tell(context: Any, builder: Any, message: str, values: list[tuple[Any, Any]], loc: Any) -> None:
    """Report a failure to `sys.unraisablehook`: Numba drops exceptions in the bodies of its parallel loops."""
    python = context.get_python_api(builder)
    lock = python.gil_ensure()
    text, numbers = "", []
    for literal, name, _, _ in Formatter().parse(message):
        text += literal.replace("%", "%%")
        if name is not None:
            kind, value = values[int(name)]
            text += "%lld" if kind is types.int64 else "?"  # integers are all that this function of Python's writes
            numbers += [value] if kind is types.int64 else []
    if loc:
        text += f" ({loc.filename}:{loc.line})".replace("%", "%%")
    python.err_format("PyExc_RuntimeError", text, *numbers)
    python.err_write_unraisable(python.make_none())
    python.gil_release(lock)


def _decoded(builder: Any, word: Any, kind: Any) -> Any:
    if kind is types.float64:
        return builder.bitcast(word, ir.DoubleType())
    return builder.icmp_unsigned("!=", word, ir.Constant(WORD, 0)) if kind is types.boolean else word


def refused(error: Exception) -> TypingError:
    """What adcore says of a call, as the error that Numba's type inference expects; Numba adds the caller's line."""
    return TypingError(str(error))

"""Elementwise primitives as LLVM instructions on scalars: tables by the kind of number, and what joins kinds."""

from __future__ import annotations

from typing import Any

from adcore.types import DType

from .code import LLVM_TYPE, Code, constant
from .complexes import COMPLEX, pair, parts, precision
from .floats import FLOAT, comparison, select
from .integers import BOOLEAN, INTEGER
from .special import lower_special

__all__ = ["cast", "lower_scalar"]

TABLES = {"b": BOOLEAN, "i": INTEGER, "u": INTEGER, "f": FLOAT, "c": COMPLEX}


def lower_scalar(code: Code, name: str, dtypes: tuple[DType, ...], operands: tuple[str, ...], params: Any) -> str:
    """Emit a primitive on scalar operands of these dtypes."""
    if name == "cast":
        return cast(code, dtypes[0], params["dtype"], operands[0])
    if name == "select":
        return select(code, dtypes[1], *operands)
    if name == "portion":
        return _portion(code, params["dtype"], operands[0], params["of"])
    if name == "complex":
        return pair(code, dtypes[0].as_complex, *operands)
    table = TABLES[dtypes[0].kind]
    if name not in table:
        return lower_special(code, name, operands)
    return table[name](code, dtypes[0], *operands)


def cast(c: Code, source: DType, target: DType, x: str) -> str:
    """A number in another dtype, as C converts it; integers beyond the range wrap."""
    if source is target:
        return x
    if source.complex:
        if target.complex:
            return precision(c, source, target, x)
        real, imag = parts(c, source, x)
        return c.op(f"or i1 {cast(c, source.real, target, real)}, {cast(c, source.real, target, imag)}")
    if target.complex:
        return pair(c, target, cast(c, source, target.real, x), constant(target.real.zero))
    if target is DType.BOOL:
        test, zero = ("fcmp une", "0.0") if source.kind == "f" else ("icmp ne", "0")
        return comparison(test)(c, source, x, zero)
    return _converted(c, source, target, x)


def _converted(c: Code, source: DType, target: DType, x: str) -> str:
    """Between real numbers, and from booleans."""
    if target.kind == "f":
        text = "uitofp" if source.kind in "bu" else "sitofp"
        if source.kind == "f":
            text = "fpext" if target is DType.F64 else "fptrunc"
        return c.op(f"{text} {LLVM_TYPE[source]} {x} to {LLVM_TYPE[target]}")
    if source.kind == "f":
        return _truncated(c, source, target, x)
    if source is not DType.BOOL and source.bits >= target.bits:
        return x if source.bits == target.bits else c.op(f"trunc {LLVM_TYPE[source]} {x} to {LLVM_TYPE[target]}")
    text = "sext" if source.kind == "i" else "zext"
    return c.op(f"{text} {LLVM_TYPE[source]} {x} to {LLVM_TYPE[target]}")


def _truncated(c: Code, source: DType, target: DType, x: str) -> str:
    """A float without its fraction."""
    suffix = "f64" if source is DType.F64 else "f32"
    wide = c.call("i64", f"llvm.fptosi.sat.i64.{suffix}", (LLVM_TYPE[source], x))
    if target is DType.U64:
        positive = c.call("i64", f"llvm.fptoui.sat.i64.{suffix}", (LLVM_TYPE[source], x))
        wide = select(c, target, comparison("fcmp olt")(c, source, x, "0.0"), wide, positive)
    return wide if target.bits == 64 else c.op(f"trunc i64 {wide} to {LLVM_TYPE[target]}")


def _portion(c: Code, d: DType, side: str, of: int) -> str:
    same = comparison("icmp eq")
    shared = select(c, d, same(c, DType.I8, side, "0"), "5.0e-1", "0.0")
    return select(c, d, same(c, DType.I8, side, str(of)), "1.0", shared)

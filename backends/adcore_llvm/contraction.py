"""Matrix products.  Products with a vector are loops in the order of memory; the others are three loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import DType

from .code import LLVM_TYPE, Code
from .values import Strided, load, store, zero

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_matmul"]


def lower_matmul(block: Block, equation: Equation) -> None:
    code, out = block.code, equation.outs[0]
    left, right = (block.materialized(block.array(a)) for a in equation.operands)
    lengths = block.lengths(out.type)
    inner = left.lengths[1]
    by_rows = right.lengths[1] == "1" and left.strides[1] == "1"
    by_dots = by_rows or (left.lengths[0] == "1" and right.strides[0] == "1")
    result = block.lowering.new(block, out.type.dtype, lengths, zeroed=not by_dots and inner != "1")
    if inner == "1":
        code.nest(
            list(lengths),
            lambda ix: store(code, result, ix, times(code, left, right, ix[0], "0", ix[1])),
        )
    elif by_dots:
        code.nest(list(lengths), lambda ix: store(code, result, ix, dot(code, left, right, ix, inner)))
    else:
        accumulate(code, left, right, result, inner)
    block.bind(out, result)


def times(code: Code, left: Strided, right: Strided, i: str, k: str, j: str) -> str:
    operation = "fmul double" if left.dtype is DType.F64 else "mul i64"
    return code.op(f"{operation} {load(code, left, [i, k])}, {load(code, right, [k, j])}")


def plus(code: Code, dtype: DType, x: str, y: str) -> str:
    return code.op(f"fadd reassoc double {x}, {y}" if dtype is DType.F64 else f"add i64 {x}, {y}")


def dot(code: Code, left: Strided, right: Strided, indices: list[str], inner: str) -> str:
    """Row times column, summed in a register."""
    type = LLVM_TYPE[left.dtype]
    slot = code.slot(type, zero(left.dtype))
    i, j = indices
    with code.counting(inner) as k:
        before = code.op(f"load {type}, ptr {slot}")
        code.do(f"store {type} {plus(code, left.dtype, before, times(code, left, right, i, k, j))}, ptr {slot}")
    return code.op(f"load {type}, ptr {slot}")


def accumulate(code: Code, left: Strided, right: Strided, result: Strided, inner: str) -> None:
    """Sums in memory, the axis that is contiguous in memory innermost."""

    def element(i: str, k: str, j: str) -> None:
        before = load(code, result, [i, j])
        store(code, result, [i, j], plus(code, left.dtype, before, times(code, left, right, i, k, j)))

    rows, columns = result.lengths
    if columns == "1" and left.strides[0] == "1":
        code.nest([inner, rows], lambda ix: element(ix[1], ix[0], "0"))
    else:
        code.nest([rows, inner, columns], lambda ix: element(*ix))

"""Matrix products: BLAS; loops in the order of memory where one operand is a vector, or for integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import DType

from .code import LLVM_TYPE, Code, constant
from .routines import call_routine
from .scalar import lower_scalar
from .values import Strided, load, store, zero

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_matmul"]


def lower_matmul(block: Block, equation: Equation) -> None:
    code, out = block.code, equation.outs[0]
    left, right = (block.materialized(block.array(a)) for a in equation.operands)
    lengths = block.lengths(out.type)
    inner = left.lengths[1]
    if out.type.dtype.differentiable and "1" not in (*lengths, inner):
        block.bind(out, gemm(block, left, right, lengths))
        return
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


def gemm(block: Block, left: Strided, right: Strided, lengths: tuple[str, ...]) -> Strided:
    """The product by BLAS, which reads memory by columns (C' = B' A'); small ones by loops, which start at once."""
    code = block.code
    type = LLVM_TYPE[left.dtype]
    rows, columns = lengths
    work = code.product([rows, columns, left.lengths[1]])
    (left, flip_left), (right, flip_right) = by_columns(block, left), by_columns(block, right)
    result = block.lowering.new(block, left.dtype, lengths, zeroed=True)
    arguments = [
        in_frame(code, "i8", flip_right),
        in_frame(code, "i8", flip_left),
        *(in_frame(code, "i32", code.op(f"trunc i64 {n} to i32")) for n in (columns, rows, left.lengths[1])),
        in_frame(code, type, constant(left.dtype.constant(1))),
        right.pointer,
        in_frame(code, "i32", leading(code, right, flip_right)),
        left.pointer,
        in_frame(code, "i32", leading(code, left, flip_left)),
        in_frame(code, type, zero(left.dtype)),
        result.pointer,
        in_frame(code, "i32", leading(code, result, NOT_FLIPPED)),
    ]
    large, small, done = code.label(), code.label(), code.label()
    code.branch(code.op(f"icmp sgt i64 {work}, {SMALL}"), large, small)
    code.start(large)
    call_routine(code, "gemm", left.dtype, *arguments)
    code.jump(done)
    code.start(small)
    accumulate(code, left, right, result, left.lengths[1])
    code.jump(done)
    code.start(done)
    return result


SMALL = 1 << 15  # multiplications
NOT_FLIPPED, FLIPPED = str(ord("N")), str(ord("T"))


def by_columns(block: Block, matrix: Strided) -> tuple[Strided, str]:
    """The matrix as BLAS can read it: rows contiguous, or columns contiguous (flipped)."""
    if matrix.strides[1] == "1":
        return matrix, NOT_FLIPPED
    if matrix.strides[0] == "1":
        return matrix, FLIPPED
    return block.copied(matrix), NOT_FLIPPED


def leading(code: Code, matrix: Strided, flip: str) -> str:
    stride = matrix.strides[0] if flip == NOT_FLIPPED else matrix.strides[1]
    return code.op(f"trunc i64 {code.intrinsic('smax', 'i64', stride, '1')} to i32")


def in_frame(code: Code, type: str, value: str) -> str:
    return code.slot(type, value)


def times(code: Code, left: Strided, right: Strided, i: str, k: str, j: str) -> str:
    operands = load(code, left, [i, k]), load(code, right, [k, j])
    return lower_scalar(code, "mul", (left.dtype, left.dtype), operands, {})


def plus(code: Code, dtype: DType, x: str, y: str) -> str:
    return lower_scalar(code, "plus" if dtype.differentiable else "add", (dtype, dtype), (x, y), {})


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

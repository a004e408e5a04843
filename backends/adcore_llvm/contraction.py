"""Matrix products: BLAS; loops in the order of memory where one operand is a vector, or for integers.

Arrays of matrices are multiplied one pair after the other.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import DType

from .code import LLVM_TYPE, Code
from .values import Strided, address, load, store, zero

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_matmul"]


def lower_matmul(block: Block, equation: Equation) -> None:
    code, out = block.code, equation.outs[0]
    left, right = (block.materialized(block.array(a)) for a in equation.operands)
    lengths, inner = block.lengths(out.type), left.lengths[-1]
    by_blas = out.type.dtype is DType.F64 and "1" not in (*lengths[-2:], inner)
    by_rows = right.lengths[-1] == "1" and left.strides[-1] == "1"
    by_dots = not by_blas and (by_rows or (left.lengths[-2] == "1" and right.strides[-2] == "1"))
    if by_blas:
        left, right = readable(block, left), readable(block, right)
    result = block.lowering.new(block, out.type.dtype, lengths, zeroed=not by_dots and inner != "1")

    def one(indices: list[str]) -> None:
        a, c, product = (matrix_at(code, each, indices) for each in (left, right, result))
        if by_blas:
            gemm(code, a, c, product)
        elif inner == "1":
            code.nest(
                list(product.lengths),
                lambda ix: store(code, product, ix, times(code, a, c, ix[0], "0", ix[1])),
            )
        elif by_dots:
            code.nest(list(product.lengths), lambda ix: store(code, product, ix, dot(code, a, c, ix, inner)))
        else:
            accumulate(code, a, c, product, inner)

    code.nest(list(lengths[:-2]), one)
    block.bind(out, result)


def matrix_at(code: Code, array: Strided, indices: list[str]) -> Strided:
    """One matrix of an array of matrices."""
    if not indices:
        return array
    pointer = address(code, array, [*indices, "0", "0"])
    return Strided(array.dtype, pointer, array.lengths[-2:], array.strides[-2:], array.root)


@cache
def gemm_address() -> int:
    """The address of SciPy's BLAS `dgemm`."""
    capsule = import_module("scipy.linalg.cython_blas").__pyx_capi__["dgemm"]
    name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return pointer(capsule, name(capsule))


def gemm(code: Code, left: Strided, right: Strided, result: Strided) -> None:
    """The product by BLAS, which reads memory by columns (C' = B' A'); small ones by loops, which start at once."""
    (rows, columns), inner = result.lengths, left.lengths[1]
    work = code.product([rows, columns, inner])
    arguments = [
        in_frame(code, "i8", NOT_FLIPPED if right.strides[1] == "1" else FLIPPED),
        in_frame(code, "i8", NOT_FLIPPED if left.strides[1] == "1" else FLIPPED),
        *(in_frame(code, "i32", code.op(f"trunc i64 {n} to i32")) for n in (columns, rows, inner)),
        in_frame(code, "double", "1.0"),
        right.pointer,
        in_frame(code, "i32", leading(code, right)),
        left.pointer,
        in_frame(code, "i32", leading(code, left)),
        in_frame(code, "double", "0.0"),
        result.pointer,
        in_frame(code, "i32", leading(code, result)),
    ]
    call = ", ".join(f"ptr {a}" for a in arguments)
    large, small, done = code.label(), code.label(), code.label()
    code.branch(code.op(f"icmp sgt i64 {work}, {SMALL}"), large, small)
    code.start(large)
    code.do(f"call void inttoptr (i64 {gemm_address()} to ptr)({call})")
    code.jump(done)
    code.start(small)
    accumulate(code, left, right, result, inner)
    code.jump(done)
    code.start(done)


SMALL = 1 << 15  # multiplications
NOT_FLIPPED, FLIPPED = str(ord("N")), str(ord("T"))


def readable(block: Block, matrix: Strided) -> Strided:
    """Matrices as BLAS can read them: rows contiguous, or columns (flipped), the lines forwards and side by side.

    Where it is known at run time only whether lines run backwards or lie on each other, those that do are copied then.
    """
    if matrix.strides[-1] == "1":
        return readable_rows(block, matrix)
    if matrix.strides[-2] == "1":
        return swapped(readable_rows(block, swapped(matrix)))
    return block.copied(matrix)


def readable_rows(block: Block, matrix: Strided) -> Strided:
    code, step, length = block.code, matrix.strides[-2], matrix.lengths[-1]
    if step == length:
        return matrix
    if step == "0":
        return block.copied(matrix)
    fine = code.op(f"icmp sge i64 {step}, {code.intrinsic('smax', 'i64', length, '1')}")
    count = code.op(f"select i1 {fine}, i64 0, i64 {matrix.lengths[0]}")
    copy = block.copied(replace(matrix, lengths=(count, *matrix.lengths[1:]), whole=False))
    strides = [
        code.op(f"select i1 {fine}, i64 {ours}, i64 {theirs}")
        for ours, theirs in zip(matrix.strides[:-1], copy.strides[:-1], strict=True)
    ]
    pointer = code.op(f"select i1 {fine}, ptr {matrix.pointer}, ptr {copy.pointer}")
    return replace(matrix, pointer=pointer, strides=(*strides, "1"), whole=False, region=None)


def swapped(matrix: Strided) -> Strided:
    """Matrices transposed."""
    lengths, strides = matrix.lengths, matrix.strides
    return replace(
        matrix,
        lengths=(*lengths[:-2], lengths[-1], lengths[-2]),
        strides=(*strides[:-2], strides[-1], strides[-2]),
        whole=False,
        region=None,
    )


def leading(code: Code, matrix: Strided) -> str:
    """The distance of neighbouring lines, as BLAS is told it."""
    stride = matrix.strides[0] if matrix.strides[1] == "1" else matrix.strides[1]
    return code.op(f"trunc i64 {code.intrinsic('smax', 'i64', stride, '1')} to i32")


def in_frame(code: Code, type: str, value: str) -> str:
    return code.slot(type, value)


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

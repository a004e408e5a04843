"""Matrices by columns, as LAPACK has them, and the memory that its routines work in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.types import Atom, DType, Var

from .code import Code
from .routines import integer
from .scalar import lower_scalar
from .values import Strided, load, store

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["as_columns", "at_least_one", "bind_info", "conjugate", "in_columns", "new_columns", "workspace"]


def new_columns(block: Block, dtype: DType, rows: str, columns: str) -> Strided:
    """Fresh memory of a matrix by columns."""
    memory = block.lowering.new(block, dtype, (columns, rows))
    return Strided(dtype, memory.pointer, (rows, columns), ("1", rows), memory.root)


def in_columns(block: Block, atom: Atom) -> Strided:
    """A copy of a matrix by columns."""
    array, code = block.array(atom), block.code
    rows, columns = array.lengths
    copy = new_columns(block, array.dtype, rows, columns)
    code.nest([columns, rows], lambda ix: store(code, copy, ix[::-1], load(code, array, ix[::-1])))
    return copy


def as_columns(block: Block, atom: Atom) -> Strided:
    """A matrix by columns that are one after the other: itself where it is one, else a copy."""
    array = block.array(atom)
    if isinstance(array, Strided) and array.strides == ("1", array.lengths[0]):
        return array
    return in_columns(block, atom)


def workspace(block: Block, dtype: DType, *terms: str) -> tuple[str, str]:
    """Memory that is freed after the step, of as many elements as the terms add up to; and the address of that number.

    An element of integers has room for two of LAPACK's.
    """
    length = terms[0]
    for term in terms[1:]:
        length = block.code.add(length, term)
    return block.lowering.new(block, dtype, (length,)).pointer, integer(block.code, length)


def at_least_one(code: Code, n: str) -> str:
    return code.intrinsic("smax", "i64", n, "1")


def bind_info(block: Block, out: Var, slot: str) -> None:
    block.bind(out, block.code.op(f"sext i32 {block.code.op(f'load i32, ptr {slot}')} to i64"))


def conjugate(block: Block, x: Strided) -> None:
    """Conjugate all elements in place."""
    code, dtype = block.code, x.dtype
    if dtype.complex:
        code.nest(
            list(x.lengths),
            lambda ix: store(code, x, ix, lower_scalar(code, "conj", (dtype,), (load(code, x, ix),), {})),
        )

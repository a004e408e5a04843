"""Schur forms, and Sylvester's equation solved by them, by LAPACK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.program import Equation

from .code import LLVM_TYPE
from .columns import as_columns, at_least_one, bind_info, conjugate, in_columns, new_columns, workspace
from .complexes import pair, times_real
from .contraction import multiplied, readable, swapped
from .routines import call_routine, integer, letter
from .values import Strided, load, store, zero

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_found", "lower_schur", "lower_sylvester"]

BLOCK = "64"  # columns that LAPACK works on at once, at most


def lower_schur(block: Block, e: Equation) -> None:
    code = block.code
    t = in_columns(block, e.operands[0])
    n, dtype = t.lengths[0], e.outs[2].type.dtype
    z, w = new_columns(block, t.dtype, n, n), block.lowering.new(block, dtype, (n,))
    values = [w] if t.dtype.complex else [block.lowering.new(block, t.dtype, (n,)) for _ in range(2)]
    info, sorted_first = code.slot("i32", "0"), code.slot("i32", "0")
    rows = integer(code, at_least_one(code, n))
    work = workspace(block, t.dtype, "3", code.mul(n, BLOCK))
    if t.dtype.complex:
        work += workspace(block, t.dtype.real, n, "1")[:1]
    how = [letter(code, "V"), letter(code, "N"), "null", integer(code, n)]  # not sorted, so that none are selected
    found = [*(x.pointer for x in values), z.pointer, rows]
    call_routine(code, "gees", t.dtype, *how, t.pointer, rows, sorted_first, *found, *work, "null", info)
    if not t.dtype.complex:
        code.nest([n], lambda ix: store(code, w, ix, pair(code, dtype, *(load(code, x, ix) for x in values))))
    for out, value in zip(e.outs[:3], (t, z, w), strict=True):
        block.bind(out, value)
    bind_info(block, e.outs[3], info)


def lower_sylvester(block: Block, e: Equation) -> None:
    # In the bases Z of both: T x' + x' T' = F with F = Zᴴ q Z', and x = Z x' Z'ᴴ.  The transposed equation is that of
    # Tᴴ and T'ᴴ for the conjugates of q and x.
    first, u, second, v = (as_columns(block, factor) for factor in e.operands[3:])
    adjoint, transposed = e.params["adjoint"], e.params["transposed"]
    given = block.copied(block.array(e.operands[2]))
    if not transposed:
        conjugate(block, given)
    half = _product(block, swapped(u), given)
    conjugate(block, half)
    x = _in_triangles(block, first, second, _product(block, half, v), transposed, transposed != adjoint)
    half = _product(block, u, x)
    conjugate(block, half)
    found = _product(block, half, swapped(v))
    if not transposed:
        conjugate(block, found)
    block.bind(e.outs[0], found)


def lower_found(block: Block, e: Equation) -> None:
    """The root, or the solution, that has been found before."""
    block.bind(e.outs[0], block.copied(block.array(e.operands[-1])))


def _product(block: Block, left: Strided, right: Strided) -> Strided:
    return multiplied(block, readable(block, left), readable(block, right), (left.lengths[0], right.lengths[1]))


def _in_triangles(
    block: Block, first: Strided, second: Strided, given: Strided, first_turned: bool, second_turned: bool
) -> Strided:
    """The x with T x + x T' = given, or of the adjoint of T or of T'."""
    code, dtype = block.code, given.dtype
    (m, n), type = given.lengths, LLVM_TYPE[dtype.real]
    x = new_columns(block, dtype, m, n)
    code.nest([n, m], lambda ix: store(code, x, ix[::-1], load(code, given, ix[::-1])))
    turned = "C" if dtype.complex else "T"
    how = [letter(code, turned if is_turned else "N") for is_turned in (first_turned, second_turned)]
    sides = integer(code, at_least_one(code, m)), integer(code, at_least_one(code, n))
    scale, info = code.slot(type, zero(dtype.real)), code.slot("i32", "0")
    sizes = [integer(code, "1"), integer(code, m), integer(code, n)]
    triangles = [first.pointer, sides[0], second.pointer, sides[1]]
    call_routine(code, "trsyl", dtype, *how, *sizes, *triangles, x.pointer, sides[0], scale, info)
    inverse = code.op(f"fdiv {type} 1.0, {code.op(f'load {type}, ptr {scale}')}")
    code.nest([n, m], lambda ix: store(code, x, ix[::-1], times_real(code, dtype, load(code, x, ix[::-1]), inverse)))
    return x

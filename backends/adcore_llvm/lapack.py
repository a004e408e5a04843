"""Matrices taken apart and solved with, by LAPACK and BLAS.

LAPACK has matrices by columns.  What is read as the memory of a matrix by columns, where it is one by rows, is the
transposed matrix: a lower triangle is an upper one, and `t x = b` is `xᵀ tᵀ = bᵀ`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import Atom, DType

from .array_routines import lower_array_routine
from .code import LLVM_TYPE, constant
from .columns import at_least_one, bind_info, conjugate, in_columns, new_columns, workspace
from .complexes import pair, times_real
from .contraction import leading, multiplied, readable
from .routines import call_routine, integer, letter
from .scalar import lower_scalar
from .sylvester import lower_found, lower_schur, lower_sylvester
from .values import Strided, load, store, zero

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_factorization", "lower_solve"]

BLOCK = "64"  # columns that LAPACK works on at once, at most


def lower_factorization(block: Block, equation: Equation) -> None:
    _FACTORIZATIONS[equation.primitive.name](block, equation)


def lower_solve(block: Block, equation: Equation) -> None:
    _SOLVES[equation.primitive.name](block, equation)


# Memory


def _overwritten(block: Block, atom: Atom, *read: Strided) -> Strided:
    """The array by rows in memory that may be written, which none of those read is in."""
    array = block.array(atom)
    shared = isinstance(array, Strided) and any(array.root is r.root for r in read)
    return block.copied(array) if shared else block.writable(array)


# Factorizations


def _lu(block: Block, e: Equation) -> None:
    code = block.code
    packed = in_columns(block, e.operands[0])
    m, n = packed.lengths
    k = block.scalar(e.operands[1])
    pivots, _ = workspace(block, DType.I64, k, "1")
    rows = integer(code, at_least_one(code, m))
    info = code.slot("i32", "0")
    call_routine(code, "getrf", packed.dtype, integer(code, m), integer(code, n), packed.pointer, rows, pivots, info)
    swaps, order = (block.lowering.new(block, DType.I64, (length,)) for length in (k, m))
    code.nest([m], lambda ix: store(code, order, ix, ix[0]))
    with code.counting(k) as i:
        pivot = code.op(f"load i32, ptr {code.op(f'getelementptr i32, ptr {pivots}, i64 {i}')}")
        j = code.op(f"sub i64 {code.op(f'sext i32 {pivot} to i64')}, 1")
        store(code, swaps, [i], j)
        one, other = load(code, order, [i]), load(code, order, [j])
        store(code, order, [i], other)
        store(code, order, [j], one)
    for out, value in zip(e.outs[:3], (packed, order, swaps), strict=True):
        block.bind(out, value)
    bind_info(block, e.outs[3], info)


def _cholesky(block: Block, e: Equation) -> None:
    code = block.code
    lower = _overwritten(block, e.operands[0])
    n = lower.lengths[0]
    info = code.slot("i32", "0")
    rows = integer(code, at_least_one(code, n))
    call_routine(code, "potrf", lower.dtype, letter(code, "U"), integer(code, n), lower.pointer, rows, info)
    with code.counting(n) as i:
        following = code.add(i, "1")
        with code.counting(code.op(f"sub i64 {n}, {following}")) as j:
            store(code, lower, [i, code.add(following, j)], zero(lower.dtype))
    block.bind(e.outs[0], lower)
    bind_info(block, e.outs[1], info)


def _qr(block: Block, e: Equation) -> None:
    code = block.code
    q = in_columns(block, e.operands[0])
    m, n = q.lengths
    info = code.slot("i32", "0")
    sizes = [integer(code, m), integer(code, n)]
    rows = integer(code, at_least_one(code, m))
    scales, _ = workspace(block, q.dtype, n, "1")
    work, length = workspace(block, q.dtype, code.mul(n, BLOCK), "1")
    call_routine(code, "geqrf", q.dtype, *sizes, q.pointer, rows, scales, work, length, info)
    r = block.lowering.new(block, q.dtype, (n, n), zeroed=True)
    with code.counting(n) as i, code.counting(code.op(f"sub i64 {n}, {i}")) as j:
        place = [i, code.add(i, j)]
        store(code, r, place, load(code, q, place))
    made = "ungqr" if q.dtype.complex else "orgqr"
    call_routine(code, made, q.dtype, *sizes, sizes[1], q.pointer, rows, scales, work, length, info)
    block.bind(e.outs[0], q)
    block.bind(e.outs[1], r)


def _eigh(block: Block, e: Equation) -> None:
    code = block.code
    v = in_columns(block, e.operands[0])
    n = v.lengths[0]
    w = block.lowering.new(block, v.dtype.real, (n,))
    info = code.slot("i32", "0")
    rows = integer(code, at_least_one(code, n))
    wanted = e.outs[1] in block.last_use
    further = code.mul("2", code.mul(n, n)) if wanted else "0"
    work = workspace(block, v.dtype, "1", code.mul(n, "70"), further)
    if v.dtype.complex:
        work += workspace(block, v.dtype.real, "1", code.mul(n, "5"), further)
    counts, _ = workspace(block, DType.I64, "3", code.mul(n, "5"))
    count = integer(code, code.add("3", code.mul(n, "5")))
    how = [letter(code, "V" if wanted else "N"), letter(code, "L"), integer(code, n)]
    name = "heevd" if v.dtype.complex else "syevd"
    call_routine(code, name, v.dtype, *how, v.pointer, rows, w.pointer, *work, counts, count, info)
    block.bind(e.outs[0], w)
    block.bind(e.outs[1], v)
    bind_info(block, e.outs[2], info)


def _eig(block: Block, e: Equation) -> None:
    code = block.code
    a = in_columns(block, e.operands[0])
    n, dtype = a.lengths[0], e.outs[1].type.dtype
    w = block.lowering.new(block, dtype, (n,))
    wanted = e.outs[1] in block.last_use
    found = new_columns(block, a.dtype, n, n)
    values = [w] if a.dtype.complex else [block.lowering.new(block, a.dtype, (n,)) for _ in range(2)]
    info = code.slot("i32", "0")
    rows = integer(code, at_least_one(code, n))
    work = workspace(block, a.dtype, "1", code.mul(n, BLOCK))
    if a.dtype.complex:
        work += workspace(block, a.dtype.real, "1", code.mul(n, "2"))[:1]
    how = [letter(code, "N"), letter(code, "V" if wanted else "N"), integer(code, n)]
    sides = [found.pointer, rows] * 2  # the vectors of the left are not written
    call_routine(code, "geev", a.dtype, *how, a.pointer, rows, *(x.pointer for x in values), *sides, *work, info)
    vectors = found
    if not a.dtype.complex:
        code.nest([n], lambda ix: store(code, w, ix, pair(code, dtype, *(load(code, x, ix) for x in values))))
        vectors = _of_pairs(block, found, values[1], dtype) if wanted else new_columns(block, dtype, n, n)
    block.bind(e.outs[0], w)
    block.bind(e.outs[1], vectors)
    bind_info(block, e.outs[2], info)


def _of_pairs(block: Block, found: Strided, imaginary: Strided, dtype: DType) -> Strided:
    """The vectors of a real matrix: a conjugate pair has its real parts in one column, the imaginary in the next."""
    code, type = block.code, LLVM_TYPE[found.dtype]
    n = found.lengths[0]
    vectors = new_columns(block, dtype, n, n)
    with code.counting(n) as j:
        part = load(code, imaginary, [j])
        first, second = (code.op(f"fcmp {test} {type} {part}, 0.0") for test in ("ogt", "olt"))
        of_real = code.op(f"sub i64 {j}, {code.op(f'zext i1 {second} to i64')}")
        of_imaginary = code.add(j, code.op(f"zext i1 {first} to i64"))
        sign = code.op(
            f"select i1 {first}, {type} 1.0, {type} {code.op(f'select i1 {second}, {type} -1.0, {type} 0.0')}"
        )
        with code.counting(n) as i:
            turned = code.op(f"fmul {type} {sign}, {load(code, found, [i, of_imaginary])}")
            store(code, vectors, [i, j], pair(code, dtype, load(code, found, [i, of_real]), turned))
    return vectors


def _svd(block: Block, e: Equation) -> None:
    code = block.code
    a = in_columns(block, e.operands[0])
    m, n = a.lengths
    k = block.scalar(e.operands[1])
    u, vt = new_columns(block, a.dtype, m, k), new_columns(block, a.dtype, k, n)
    s = block.lowering.new(block, a.dtype.real, (k,))
    info = code.slot("i32", "0")
    wanted = any(out in block.last_use for out in (e.outs[0], e.outs[2]))
    squares = code.mul("5", code.mul(k, k)) if wanted else "0"
    work = workspace(block, a.dtype, "1", squares, code.mul(k, "10"), code.mul(BLOCK, code.add(m, n)))
    if a.dtype.complex:
        further = code.mul("2", code.mul(k, code.add(m, n))) if wanted else "0"
        work += workspace(block, a.dtype.real, "1", squares, code.mul(k, "10"), further)[:1]
    counts, _ = workspace(block, DType.I64, code.mul(k, "8"), "1")
    rows, columns = (integer(code, at_least_one(code, x)) for x in (m, k))
    call_routine(
        code,
        "gesdd",
        a.dtype,
        *(letter(code, "S" if wanted else "N"), integer(code, m), integer(code, n), a.pointer, rows, s.pointer),
        *(u.pointer, rows, vt.pointer, columns, *work, counts, info),
    )
    for out, value in zip(e.outs[:3], (u, s, vt), strict=True):
        block.bind(out, value)
    bind_info(block, e.outs[3], info)


_FACTORIZATIONS: dict[str, Callable[[Block, Equation], None]] = {
    "lu": _lu,
    "cholesky": _cholesky,
    "qr": _qr,
    "eig": _eig,
    "eigh": _eigh,
    "svd": _svd,
    "schur": lower_schur,
    "sparse_order": lower_array_routine,
    "sparse_lu": lower_array_routine,
}

# Solving


def _substitute(block: Block, matrix: Strided, x: Strided, lower: bool, unit: bool, transposed: bool) -> None:
    """x = triangle⁻¹ x in place, for x by rows and a matrix that has rows or columns one after the other."""
    code = block.code
    (n, columns), by_rows = x.lengths, matrix.strides[1] == "1"
    stride = leading(code, matrix)
    triangle = letter(code, "L" if lower != by_rows else "U")
    ones = letter(code, "U" if unit else "N")
    size, rows = integer(code, n), code.slot("i32", stride)
    if columns == "1":
        turned = letter(code, "T" if transposed != by_rows else "N")
        step = integer(code, "1")
        call_routine(code, "trsv", x.dtype, triangle, turned, ones, size, matrix.pointer, rows, x.pointer, step)
        return
    turned = letter(code, "N" if transposed != by_rows else "T")
    one = code.slot(LLVM_TYPE[x.dtype], constant(x.dtype.constant(1)))
    width = integer(code, columns)
    beside = integer(code, at_least_one(code, columns))
    sides = [letter(code, "R"), triangle, turned, ones, width, size]
    call_routine(code, "trsm", x.dtype, *sides, one, matrix.pointer, rows, x.pointer, beside)


def _solve_triangular(block: Block, e: Equation) -> None:
    matrix = readable(block, block.materialized(block.array(e.operands[0])))
    x = _overwritten(block, e.operands[1], matrix)
    _substitute(block, matrix, x, e.params["lower"], e.params["unit"], e.params["transposed"])
    block.bind(e.outs[0], x)


def _solve(block: Block, e: Equation) -> None:
    if e.params["by"] == "cholesky":
        _solve_by_cholesky(block, e)
    elif e.params["transposed"]:
        _solve_transposed(block, e)
    else:
        _solve_by_lu(block, e)


def _solve_by_cholesky(block: Block, e: Equation) -> None:
    factor = readable(block, block.materialized(block.array(e.operands[2])))
    x = _overwritten(block, e.operands[1], factor)
    # a = L Lᴴ, where L⁻ᴴ y is the conjugate of L⁻ᵀ ȳ; the transposed matrix is the conjugate one
    turned = [e.params["transposed"], not e.params["transposed"]]
    for transposed in (False, True):
        if turned[transposed]:
            conjugate(block, x)
        _substitute(block, factor, x, True, False, transposed)
        if turned[transposed]:
            conjugate(block, x)
    block.bind(e.outs[0], x)


def _solve_by_lu(block: Block, e: Equation) -> None:
    code = block.code
    packed, order, given = _factors(block, e)
    x = block.lowering.new(block, given.dtype, given.lengths)
    code.nest(list(x.lengths), lambda ix: store(code, x, ix, load(code, given, [load(code, order, ix[:1]), ix[1]])))
    _substitute(block, packed, x, True, True, False)
    _substitute(block, packed, x, False, False, False)
    block.bind(e.outs[0], x)


def _solve_transposed(block: Block, e: Equation) -> None:
    code = block.code
    packed, order, given = _factors(block, e)
    turned = block.copied(given)
    _substitute(block, packed, turned, False, False, True)
    _substitute(block, packed, turned, True, True, True)
    x = block.lowering.new(block, turned.dtype, turned.lengths)
    code.nest(list(x.lengths), lambda ix: store(code, x, [load(code, order, ix[:1]), ix[1]], load(code, turned, ix)))
    block.bind(e.outs[0], x)


def _factors(block: Block, e: Equation) -> tuple[Strided, Strided, Strided]:
    """The matrix with L and U, the order of its rows, and the right-hand side."""
    packed = readable(block, block.materialized(block.array(e.operands[2])))
    order, given = (block.materialized(block.array(e.operands[k])) for k in (3, 1))
    return packed, order, given


def _determinant(block: Block, e: Equation) -> None:
    code = block.code
    packed, swaps = (block.materialized(block.array(e.operands[k])) for k in (1, 3))
    dtype, type = packed.dtype, LLVM_TYPE[packed.dtype]
    so_far = code.slot(type, constant(dtype.constant(1)))
    with code.counting(packed.lengths[0]) as i:
        value = load(code, packed, [i, i])
        moved = code.op(f"icmp ne i64 {load(code, swaps, [i])}, {i}")
        negated = lower_scalar(code, "neg", (dtype,), (value,), {})
        signed = code.op(f"select i1 {moved}, {type} {negated}, {type} {value}")
        before = code.op(f"load {type}, ptr {so_far}")
        code.do(f"store {type} {lower_scalar(code, 'mul', (dtype, dtype), (before, signed), {})}, ptr {so_far}")
    block.bind(e.outs[0], code.op(f"load {type}, ptr {so_far}"))


def _pseudo_inverse(block: Block, e: Equation) -> None:
    # P = V S⁺ Uᴴ is the conjugate of V̄ S⁺ Uᵀ, where S⁺ has the singular values that are large enough
    code = block.code
    u, s, vt = (block.materialized(block.array(a)) for a in e.operands[1:4])
    (k, n), type, nothing = vt.lengths, LLVM_TYPE[s.dtype], zero(s.dtype)
    first = code.slot(type, nothing)
    with code.counting(code.intrinsic("smin", "i64", k, "1")) as i:
        code.do(f"store {type} {load(code, s, [i])}, ptr {first}")
    largest = code.op(f"load {type}, ptr {first}")
    least = code.op(f"fmul {type} {block.scalar(e.operands[4])}, {largest}")
    scaled = new_columns(block, u.dtype, n, k)
    with code.counting(k) as i:
        value = load(code, s, [i])
        inverse, kept = code.op(f"fdiv {type} 1.0, {value}"), code.op(f"fcmp ogt {type} {value}, {least}")
        factor = code.op(f"select i1 {kept}, {type} {inverse}, {type} {nothing}")
        with code.counting(n) as j:
            store(code, scaled, [j, i], times_real(code, u.dtype, load(code, vt, [i, j]), factor))
    turned = Strided(u.dtype, u.pointer, u.lengths[::-1], u.strides[::-1], u.root)
    inverted = multiplied(block, scaled, turned, block.lengths(e.outs[0].type))
    conjugate(block, inverted)
    block.bind(e.outs[0], inverted)


_SOLVES: dict[str, Callable[[Block, Equation], None]] = {
    "solve_triangular": _solve_triangular,
    "solve": _solve,
    "pseudo_inverse": _pseudo_inverse,
    "determinant": _determinant,
    "sylvester": lower_sylvester,
    "square_root": lower_found,
    "riccati": lower_found,
    "sparse_solve": lower_array_routine,
}

"""Matrix products: BLAS; loops in the order of memory where one operand is a vector, or for integers.

Arrays of matrices are multiplied one pair after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import DType

from .code import LLVM_TYPE, NO_COPIES, Code, constant
from .effort import product as operations
from .outlined import Chunks, Part, chunks_of
from .routines import call_routine
from .scalar import lower_scalar
from .values import Root, Strided, address, load, store, zero

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["leading", "lower_matmul", "multiplied", "readable"]


def lower_matmul(block: Block, equation: Equation) -> None:
    code, out = block.code, equation.outs[0]
    left, right = (block.materialized(block.array(a)) for a in equation.operands)
    lengths, inner = block.lengths(out.type), left.lengths[-1]
    by_blas = block.lowering.has_blas and out.type.dtype.differentiable and "1" not in (*lengths[-2:], inner)
    by_rows = right.lengths[-1] == "1" and left.strides[-1] == "1"
    by_dots = not by_blas and (by_rows or (left.lengths[-2] == "1" and right.strides[-2] == "1"))
    if by_blas:
        left, right = readable(block, left), readable(block, right)
    result = block.lowering.new(block, out.type.dtype, lengths, zeroed=not by_blas and not by_dots and inner != "1")

    def one(indices: list[str]) -> None:
        a, c, product = (matrix_at(code, each, indices) for each in (left, right, result))
        if by_blas:
            large_product(block, a, c, product)
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


def multiplied(block: Block, left: Strided, right: Strided, lengths: tuple[str, ...]) -> Strided:
    """The product of two matrices by BLAS."""
    result = block.lowering.new(block, left.dtype, lengths)
    gemm(block.code, readable(block, left), readable(block, right), result)
    return result


def matrix_at(code: Code, array: Strided, indices: list[str]) -> Strided:
    """One matrix of an array of matrices."""
    if not indices:
        return array
    pointer = address(code, array, [*indices, "0", "0"])
    return Strided(array.dtype, pointer, array.lengths[-2:], array.strides[-2:], array.root)


def gemm(code: Code, left: Strided, right: Strided, result: Strided) -> None:
    """The product; where its lengths are not known, by a function that the module has once."""
    known = all(n.isdigit() for n in (*result.lengths, left.lengths[1]))
    if known:
        large_or_small(code, left, right, result)
        return
    order = "".join("N" if matrix.strides[1] == "1" else "T" for matrix in (left, right))
    symbol = f"product.{left.dtype.name.lower()}.{order}"
    if symbol not in code.declarations:
        define_product(code, symbol, left.dtype, order)
    pointers = ", ".join(f"ptr {m.pointer}, i64 {line(m)}" for m in (left, right, result))
    code.do(f"call void @{symbol}({pointers}, {', '.join(f'i64 {n}' for n in (*result.lengths, left.lengths[1]))})")


def large_product(block: Block, left: Strided, right: Strided, result: Strided) -> None:
    """The product: by several threads where the program is for these.

    Each computes some of its rows, or of its columns where there are more of those.
    """
    code, lengths = block.code, (*result.lengths, left.lengths[1])
    if block.lowering.sharing.least is None or all(n.isdigit() for n in lengths):
        gemm(code, left, right, result)
        return
    rows, columns, inner = lengths
    by_rows = code.op(f"icmp sge i64 {rows}, {columns}")
    trips = code.op(f"select i1 {by_rows}, i64 {rows}, i64 {columns}")
    part = Part(block)
    a, b, product = (part.memory(matrix) for matrix in (left, right, result))
    along_rows, all_rows, all_columns = part.register(by_rows, "i1"), *part.numbers((rows, columns))

    def one_of(yes: str, no: str) -> str:
        return part.code.op(f"select i1 {along_rows}, i64 {yes}, i64 {no}")

    count = part.code.op(f"sub i64 {part.last}, {part.first}")
    i, j = (one_of(part.first, "0"), one_of(count, all_rows)), (one_of("0", part.first), one_of(all_columns, count))
    k = ("0", part.numbers((inner,))[0])
    gemm(part.code, block_of(part.code, a, i, k), block_of(part.code, b, k, j), block_of(part.code, product, i, j))
    part.finish(writes=True)
    chunks = chunks_of(block, trips, operations(code, BLAS_SHARE, lengths), most_blocks(code, trips))
    Chunks(part, trips, (), chunks).run()


BLAS_SHARE = 0.125  # of the time that the operations of a loop would take


def most_blocks(code: Code, lines: str) -> str:
    """How many blocks of its lines a product is divided into at most, as a double: BLAS reads all of the other matrix
    again for each block, which is little beside the work on lines enough."""
    most = "4.0"
    for least, count in ((1024, 8.0), (4096, 16.0)):
        many = code.op(f"icmp sge i64 {lines}, {least}")
        most = code.op(f"select i1 {many}, double {count!r}, double {most}")
    return most


def block_of(code: Code, matrix: Strided, rows: tuple[str, str], columns: tuple[str, str]) -> Strided:
    """The part of a matrix from a row and a column on, each given with how many."""
    (i, height), (j, width) = rows, columns
    return Strided(matrix.dtype, address(code, matrix, [i, j]), (height, width), matrix.strides, matrix.root)


def line(matrix: Strided) -> str:
    """The distance of neighbouring rows, or of neighbouring columns where those are contiguous."""
    return matrix.strides[0] if matrix.strides[1] == "1" else matrix.strides[1]


def define_product(code: Code, symbol: str, dtype: DType, order: str) -> None:
    inner = Code(code.declarations)

    def matrix(name: str, flipped: bool, lengths: tuple[str, str]) -> Strided:
        strides = ("1", f"%{name}_line") if flipped else (f"%{name}_line", "1")
        return Strided(dtype, f"%{name}", lengths, strides, Root(f"%{name}"))

    left = matrix("left", order[0] == "T", ("%rows", "%inner"))
    right = matrix("right", order[1] == "T", ("%inner", "%columns"))
    large_or_small(inner, left, right, matrix("result", False, ("%rows", "%columns")))
    parameters = [
        "ptr noalias readonly %left, i64 %left_line",
        "ptr noalias readonly %right, i64 %right_line",
        "ptr noalias %result, i64 %result_line",
        "i64 %rows, i64 %columns, i64 %inner",
    ]
    head = f"define internal void @{symbol}({', '.join(parameters)}) nounwind noinline {{"
    code.declare(symbol, "\n".join([head, "entry:", *inner.entry, *inner.lines, "  ret void", "}"]))


def large_or_small(code: Code, left: Strided, right: Strided, result: Strided) -> None:
    """The product by BLAS, which reads memory by columns (C' = B' A'); small ones by loops, which start at once."""
    (rows, columns), inner, type = result.lengths, left.lengths[1], LLVM_TYPE[left.dtype]
    work = code.product([rows, columns, inner])
    arguments = [
        in_frame(code, "i8", NOT_FLIPPED if right.strides[1] == "1" else FLIPPED),
        in_frame(code, "i8", NOT_FLIPPED if left.strides[1] == "1" else FLIPPED),
        *(in_frame(code, "i32", code.op(f"trunc i64 {n} to i32")) for n in (columns, rows, inner)),
        in_frame(code, type, constant(left.dtype.constant(1))),
        right.pointer,
        in_frame(code, "i32", leading(code, right)),
        left.pointer,
        in_frame(code, "i32", leading(code, left)),
        in_frame(code, type, zero(left.dtype)),
        result.pointer,
        in_frame(code, "i32", leading(code, result)),
    ]
    large, small, done = code.label(), code.label(), code.label()
    code.branch(code.op(f"icmp sgt i64 {work}, {SMALL}"), large, small)
    code.start(large)
    call_routine(code, "gemm", left.dtype, *arguments)
    code.jump(done)
    code.start(small)
    if left.strides[1] == right.strides[0] == "1":
        code.nest([rows, columns], lambda ix: store(code, result, ix, dot(code, left, right, ix, inner)))
    else:
        code.nest([rows, columns], lambda ix: store(code, result, ix, zero(result.dtype)))
        accumulate(code, left, right, result, inner)
    code.jump(done)
    code.start(done)


SMALL = 1 << 12  # multiplications
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
    return code.op(f"trunc i64 {code.intrinsic('smax', 'i64', line(matrix), '1')} to i32")


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
    """Sums in memory, which holds zeros: lines that are contiguous in memory are added up, several at a time."""
    rows, columns = result.lengths
    if columns == "1":
        left, right, result = swapped(right), swapped(left), swapped(result)  # y = A x as y' = x' A'
        rows, columns = columns, rows
    if right.strides[1] != "1" or result.strides[1] != "1":
        with code.apart([result.root]):
            code.nest([rows, inner, columns], lambda ix: add_product(code, left, right, result, ix[0], [ix[1]], ix[2]))
        return
    symbol = f"lines.{left.dtype.name.lower()}"
    if symbol not in code.declarations:
        define_lines(code, symbol, left.dtype)

    def one(indices: list[str]) -> None:
        factors, sums = address(code, left, [*indices, "0"]), address(code, result, [*indices, "0"])
        values = ", ".join(f"i64 {v}" for v in (left.strides[1], line(right), columns, inner))
        code.do(f"call void @{symbol}(ptr {factors}, ptr {right.pointer}, ptr {sums}, {values})")

    code.nest([rows], one)


TOGETHER = 4  # lines: each sum is read and written once for all of them


def define_lines(code: Code, symbol: str, dtype: DType) -> None:
    """The function that adds up lines of memory, each times a factor."""
    inner = Code(code.declarations)
    factors = Strided(dtype, "%factors", ("1", "%count"), ("0", "%step"), Root("%factors"))
    lines = Strided(dtype, "%lines", ("%count", "%length"), ("%line", "1"), Root("%lines"))
    sums = Strided(dtype, "%sums", ("1", "%length"), ("0", "1"), Root("%sums"))
    several = inner.op(f"sdiv i64 %count, {TOGETHER}")
    with inner.counting(several, lambda: (NO_COPIES,)) as k:
        first = inner.mul(k, str(TOGETHER))
        places = [inner.add(first, str(n)) for n in range(TOGETHER)]
        inner.nest(["%length"], lambda ix: add_product(inner, factors, lines, sums, "0", places, ix[0]))
    done = inner.mul(several, str(TOGETHER))
    with inner.counting(inner.op(f"sub i64 %count, {done}"), lambda: (NO_COPIES,)) as k:
        place = inner.add(done, k)
        inner.nest(["%length"], lambda ix: add_product(inner, factors, lines, sums, "0", [place], ix[0]))
    parameters = [
        "ptr noalias readonly %factors, ptr noalias readonly %lines, ptr noalias %sums",
        "i64 %step, i64 %line, i64 %length, i64 %count",
    ]
    head = f"define internal void @{symbol}({', '.join(parameters)}) nounwind noinline {{"
    code.declare(symbol, "\n".join([head, "entry:", *inner.entry, *inner.lines, "  ret void", "}"]))


def add_product(
    code: Code, left: Strided, right: Strided, result: Strided, i: str, inner: Sequence[str], j: str
) -> None:
    """Add the products at some places of the inner axis to an element of the result."""
    products = [times(code, left, right, i, k, j) for k in inner]
    total = reduce(lambda x, y: plus(code, left.dtype, x, y), products)
    store(code, result, [i, j], plus(code, left.dtype, load(code, result, [i, j]), total))

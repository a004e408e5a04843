"""The permutation that sorts: pairs of a key and a place, by insertion where they are few, else digit by digit.

A key is an unsigned integer whose order is that of the element: a double's bits, the sign turned over, nan the largest
and the two zeros the same.  Sorting by digits of 8 bits, the least one first, is stable and linear in the number of
elements; digits in which all keys agree are passed over, and so is an array that is sorted already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import DType

from .code import Code
from .scalar import cast
from .values import load, store

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_order"]

FEW = 48
DIGITS, BITS = 8, 8  # of a key; of a digit
BUCKETS = 1 << BITS
SIGN = -(2**63)


def lower_order(block: Block, equation: Equation) -> None:
    """`argsort`: each row's pairs are sorted in memory that is used for all rows."""
    code, out = block.code, equation.outs[0]
    array, lengths = block.array(equation.operands[0]), block.lengths(out.type)
    *rows, n = lengths
    result = block.lowering.new(block, DType.I64, lengths)
    pairs, others = (block.lowering.new(block, DType.I64, (n, "2")) for _ in range(2))
    if "sort_pairs" not in code.declarations:
        _define(code)

    def row(ix: list[str]) -> None:
        with code.counting(n) as k:
            store(code, pairs, [k, "0"], key(code, array.dtype, load(code, array, [*ix, k])))
            store(code, pairs, [k, "1"], k)
        ordered = code.op(f"call ptr @sort_pairs(ptr {pairs.pointer}, ptr {others.pointer}, i64 {n})")
        with code.counting(n) as k:
            place = code.op(f"load i64, ptr {_half(code, ordered, k, 1)}")
            store(code, result, [*ix, k], place)

    code.nest(list(rows), row)
    block.bind(out, result)


def key(code: Code, dtype: DType, value: str) -> str:
    """An unsigned integer in the order of the elements."""
    if dtype.kind in "bu":
        return cast(code, dtype, DType.U64, value)
    if dtype.kind == "i":
        return code.op(f"xor i64 {cast(code, dtype, DType.I64, value)}, {SIGN}")
    value = cast(code, dtype, DType.F64, value)
    unsigned_zero = code.op(f"fadd double {value}, 0.0")  # -0.0 + 0.0 is 0.0
    bits = code.op(f"bitcast double {unsigned_zero} to i64")
    flips = code.op(f"or i64 {code.op(f'ashr i64 {bits}, 63')}, {SIGN}")
    ordered = code.op(f"xor i64 {bits}, {flips}")
    return code.op(f"select i1 {code.op(f'fcmp uno double {value}, {value}')}, i64 -1, i64 {ordered}")


def _define(code: Code) -> None:
    """Have the module define the function that sorts pairs."""
    inner = Code(code.declarations)
    _sort_pairs(inner)
    head = "define internal ptr @sort_pairs(ptr %a, ptr %b, i64 %n) nounwind noinline {\nentry:"
    code.declare("sort_pairs", "\n".join((head, *inner.entry, *inner.lines, "}")))


def _pair(code: Code, pairs: str, k: str) -> str:
    return code.op(f"getelementptr {{i64, i64}}, ptr {pairs}, i64 {k}")


def _half(code: Code, pairs: str, k: str, which: int) -> str:
    return code.op(f"getelementptr {{i64, i64}}, ptr {pairs}, i64 {k}, i32 {which}")


def _key_at(code: Code, pairs: str, k: str) -> str:
    return code.op(f"load i64, ptr {_half(code, pairs, k, 0)}")


def _move(code: Code, source: str, k: str, target: str, j: str) -> None:
    both = code.op(f"load <2 x i64>, ptr {_pair(code, source, k)}, align 8")
    code.do(f"store <2 x i64> {both}, ptr {_pair(code, target, j)}, align 8")


def _sort_pairs(code: Code) -> None:
    """The pairs of %a in order, there or in %b; gives where."""
    unsorted, done, few, many = (code.label() for _ in range(4))
    code.branch(_is_sorted(code), done, unsorted)
    code.start(done)
    code.do("ret ptr %a")
    code.start(unsorted)
    code.branch(code.op(f"icmp sle i64 %n, {FEW}"), few, many)
    code.start(few)
    with code.counting(code.op("sub i64 %n, 1")) as before:
        _insert(code, code.op(f"add i64 {before}, 1"))
    code.do("ret ptr %a")
    code.start(many)
    source, target = code.slot("ptr", "%a"), code.slot("ptr", "%b")
    counts = code.name()
    code.entry.append(f"  {counts} = alloca [{BUCKETS} x i64]")
    with code.counting(str(DIGITS)) as digit:
        _by_digit(code, source, target, counts, code.op(f"mul i64 {digit}, {BITS}"))
    code.do(f"ret ptr {code.op(f'load ptr, ptr {source}')}")


def _is_sorted(code: Code) -> str:
    wrong = code.slot("i1", "false")
    with code.counting(code.op("sub i64 %n, 1")) as k:
        above = _key_at(code, "%a", code.op(f"add i64 {k}, 1"))
        falls = code.op(f"icmp ugt i64 {_key_at(code, '%a', k)}, {above}")
        so_far = code.op(f"load i1, ptr {wrong}")
        code.do(f"store i1 {code.op(f'or i1 {so_far}, {falls}')}, ptr {wrong}")
    any_wrong = code.op(f"load i1, ptr {wrong}")
    return code.op(f"xor i1 {any_wrong}, true")


def _insert(code: Code, k: str) -> None:
    """Move the pair at k down to its place among those before it, which are in order."""
    pair = code.op(f"load <2 x i64>, ptr {_pair(code, '%a', k)}, align 8")
    own = _key_at(code, "%a", k)
    place = code.slot("i64", k)
    head, look, shift, done = (code.label() for _ in range(4))
    code.jump(head)
    code.start(head)
    at = code.op(f"load i64, ptr {place}")
    code.branch(code.op(f"icmp sgt i64 {at}, 0"), look, done)
    code.start(look)
    below = code.op(f"sub i64 {at}, 1")
    code.branch(code.op(f"icmp ugt i64 {_key_at(code, '%a', below)}, {own}"), shift, done)
    code.start(shift)
    _move(code, "%a", below, "%a", at)
    code.do(f"store i64 {below}, ptr {place}")
    code.jump(head)
    code.start(done)
    target = _pair(code, "%a", code.op(f"load i64, ptr {place}"))
    code.do(f"store <2 x i64> {pair}, ptr {target}, align 8")


def _by_digit(code: Code, source: str, target: str, counts: str, shift: str) -> None:
    """Distribute the pairs by one digit of their keys, and exchange source and target; nothing where all agree."""
    here, there = (code.op(f"load ptr, ptr {slot}") for slot in (source, target))
    code.declare("llvm.memset.p0.i64", "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    code.do(f"call void @llvm.memset.p0.i64(ptr {counts}, i8 0, i64 {8 * BUCKETS}, i1 false)")
    with code.counting("%n") as k:
        _counted(code, counts, here, k, shift)
    first = code.op(f"load i64, ptr {_bucket(code, counts, here, '0', shift)}")
    differ, done = code.label(), code.label()
    code.branch(code.op(f"icmp eq i64 {first}, %n"), done, differ)
    code.start(differ)
    start = code.slot("i64", "0")
    with code.counting(str(BUCKETS)) as bucket:
        slot = code.op(f"getelementptr i64, ptr {counts}, i64 {bucket}")
        count, begins = code.op(f"load i64, ptr {slot}"), code.op(f"load i64, ptr {start}")
        code.do(f"store i64 {begins}, ptr {slot}")
        code.do(f"store i64 {code.op(f'add i64 {begins}, {count}')}, ptr {start}")
    with code.counting("%n") as k:
        _move(code, here, k, there, _counted(code, counts, here, k, shift))
    code.do(f"store ptr {there}, ptr {source}")
    code.do(f"store ptr {here}, ptr {target}")
    code.jump(done)
    code.start(done)


def _bucket(code: Code, counts: str, pairs: str, k: str, shift: str) -> str:
    """The counter of the digit of a pair's key."""
    shifted = code.op(f"lshr i64 {_key_at(code, pairs, k)}, {shift}")
    return code.op(f"getelementptr i64, ptr {counts}, i64 {code.op(f'and i64 {shifted}, {BUCKETS - 1}')}")


def _counted(code: Code, counts: str, pairs: str, k: str, shift: str) -> str:
    """Count a pair in its bucket; gives how many there were."""
    slot = _bucket(code, counts, pairs, k, shift)
    before = code.op(f"load i64, ptr {slot}")
    code.do(f"store i64 {code.op(f'add i64 {before}, 1')}, ptr {slot}")
    return before

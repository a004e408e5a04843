"""Elementwise groups, reductions and copies as kernels, an element a thread, or as many as a partial result has.

A reduction has P partial results for each element of its result: the p-th folds elements p, p + P, p + 2P, … of those
that are folded.  P depends on their numbers alone, and partial results are folded in the same way until there is one.
So the order is the same on all devices, and neighbouring threads read neighbouring elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress

from adcore.passes.schedule import Group, read_elsewhere
from adcore.primitives import Kind
from adcore.program import Equation, uses
from adcore.types import I64, DType, Type, Var

from ..code import LLVM_TYPE, Code
from ..fused import Nest, combine, is_fold, start_of
from ..picked import picked
from ..values import load, store
from .kernel import Argument, Body, Kernel, Layout
from .module import Module

__all__ = ["copy_kernel", "fold_kernel", "group_kernel", "parted", "partials_of", "places", "rows_type"]

EACH = 64  # elements that a partial result folds at least
MOST = 1 << 18  # partial results at once


def places(folded: int, results: int) -> int:
    """How many partial results each of so many results has, for so many elements that are folded."""
    return max(1, min(MOST // max(results, 1), -(-folded // EACH)))


def partials_of(out: Var) -> Var:
    """The array of the partial results of a reduction, along its first axis."""
    return Var(Type(out.type.dtype, (Var(I64, "places"), *out.type.shape)), f"{out.name}_partials")


def rows_type(dtype: DType) -> Type:
    """The type of arrays that are folded along their first axis."""
    return Type(dtype, (Var(I64, "rows"), Var(I64, "columns")))


def indices_of(code: Code, k: str, lengths: Sequence[str]) -> list[str]:
    """The index of the k-th element, in C order."""
    found: list[str] = []
    for axis in range(len(lengths) - 1, -1, -1):
        if lengths[axis] == "1":
            found.append("0")
        elif axis == 0 or all(n == "1" for n in lengths[:axis]):
            found.append(k)
        else:
            found.append(code.op(f"urem i64 {k}, {lengths[axis]}"))
            k = code.op(f"udiv i64 {k}, {lengths[axis]}")
    return found[::-1]


@contextmanager
def every(code: Code, first: str, step: str, end: str) -> Iterator[str]:
    """A loop over first, first + step, … below the end."""
    before, head, body, done = code.block, code.label(), code.label(), code.label()
    code.jump(head)
    code.start(head)
    i, following = code.name(), code.name()
    phi = len(code.lines)
    code.lines.append("")
    code.branch(code.op(f"icmp slt i64 {i}, {end}"), body, done)
    code.start(body)
    yield i
    code.do(f"{following} = add nuw nsw i64 {i}, {step}")
    code.lines[phi] = f"  {i} = phi i64 [ {first}, %{before} ], [ {following}, %{code.block} ]"
    code.jump(head)
    code.start(done)


def copy_kernel(
    name: str, before: list[Equation], source: Var, target: Var, arguments: Sequence[Argument], module: Module
) -> Kernel:
    """A kernel that puts an array into memory, in C order."""
    body = Body(name, arguments, module)
    body.define(before, [out for e in before for out in e.outs if out is source])
    array, memory = body.block.array(source), body.target(target)
    indices = indices_of(body.code, body.number, memory.lengths)
    store(body.code, memory, indices, load(body.code, array, indices))
    return body.finish()


def fold_kernel(name: str, primitive: str, dtype: DType, module: Module) -> Kernel:
    """A kernel that folds the rows of an array, each place some of them, to fewer rows."""
    rows, target = Var(rows_type(dtype), "rows"), Var(rows_type(dtype), "folded")
    body = Body(name, (Argument(rows, Layout.WHOLE),), module)
    body.define([], ())
    code, array = body.code, body.block.array(rows)
    memory, type = body.target(target), LLVM_TYPE[dtype]
    place, column = indices_of(code, body.number, memory.lengths)
    slot = code.slot(type, start_of(primitive, dtype))
    with every(code, place, memory.lengths[0], array.lengths[0]) as row:
        both = code.op(f"load {type}, ptr {slot}"), load(code, array, [row, column])
        code.do(f"store {type} {combine(code, primitive, dtype, *both)}, ptr {slot}")
    store(code, memory, [place, column], code.op(f"load {type}, ptr {slot}"))
    return body.finish()


# Groups


def parted(group: Group) -> list[Group]:
    """The group as groups whose reductions fold the same axes each."""
    sets = list(dict.fromkeys(m.params["axes"] for m in group.members if is_fold(m)))
    if len(sets) < 2:
        return [group]
    found: list[Group] = []
    for k, axes in enumerate(sets):
        wanted = {m.outs[0] for m in group.members if is_fold(m) and m.params["axes"] == axes}
        wanted |= {v for v in group.kept if k == 0 and not any(v in m.outs for m in group.members if is_fold(m))}
        kept = [v for v in group.kept if v in wanted]
        members: list[Equation] = []
        for member in reversed(group.members):
            if member.outs[0] in wanted:
                members.insert(0, member)
                wanted.update(uses(member))
        found.append(Group(group.space, members, {m.outs[0] for m in members}, group.copies, kept=kept))
    return found


class _Elements(Nest):
    """The group of a kernel, element by element."""

    def __init__(self, body: Body, group: Group) -> None:
        super().__init__(body.block, group)
        for var in group.uses():
            if var not in self.sources:
                self.sources[var] = self.block.lookup(var)
        for member in group.members:
            elsewhere = read_elsewhere(member)
            self.read_here.update(a for a in member.operands if a in self.sources and a not in elsewhere)
            if member.primitive.kind is Kind.GATHER:
                x, *operands = member.operands
                self.gathers[member.outs[0]] = picked(self.block, x, member.params["codes"], tuple(operands))
        for member in group.members:
            out, dtype = member.outs[0], member.outs[0].type.dtype
            if is_fold(member):
                self.slots[out] = self.code.slot(LLVM_TYPE[dtype], start_of(member.primitive.name, dtype))
            elif out in group.kept:
                self.kept[out] = body.target(out)

    def fold(self, member: Equation, value: str, indices: list[str]) -> None:
        code, out = self.code, member.outs[0]
        type, slot = LLVM_TYPE[out.type.dtype], self.slots[out]
        before = code.op(f"load {type}, ptr {slot}")
        code.do(f"store {type} {combine(code, member.primitive.name, out.type.dtype, before, value)}, ptr {slot}")


def group_kernel(
    name: str,
    group: Group,
    before: list[Equation],
    arguments: Sequence[Argument],
    partials: dict[Var, Var],
    module: Module,
) -> Kernel:
    """The kernel of a group without writes, whose reductions fold the same axes.

    It is run for each element, or for each partial result.
    """
    body = Body(name, arguments, module)
    wanted = set(group.uses())
    body.define(before, [out for e in before for out in e.outs if out in wanted])
    nest, code = _Elements(body, group), body.code
    lengths = list(nest.lengths)
    folds = [m for m in group.members if is_fold(m)]
    if not folds:
        nest.element(indices_of(code, body.number, lengths), flat=False)
        return body.finish()
    targets = {m.outs[0]: body.target(partials[m.outs[0]]) for m in folds}
    is_folded = [axis in folds[0].params["axes"] for axis in range(len(lengths))]
    inner = list(compress(lengths, is_folded))
    outer = [n for n, folded in zip(lengths, is_folded, strict=True) if not folded]
    count = next(iter(targets.values())).lengths[0]
    if is_folded[-1]:
        *at, place = indices_of(code, body.number, [*outer, count])
    else:
        place, *at = indices_of(code, body.number, [count, *outer])
    with every(code, place, count, code.product(inner)) as i:
        folded, kept = iter(indices_of(code, i, inner)), iter(at)
        nest.element([next(folded) if here else next(kept) for here in is_folded], flat=False)
    for out, target in targets.items():
        value = code.op(f"load {LLVM_TYPE[out.type.dtype]}, ptr {nest.slots[out]}")
        store(code, target, [place, *at], value)
    return body.finish()

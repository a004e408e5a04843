"""One loop nest for a group of elementwise equations, reductions and writes over one index space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adcore.passes.schedule import Group, read_elsewhere
from adcore.primitives import Kind
from adcore.program import Equation
from adcore.types import Atom, DType, Var

from .code import LLVM_TYPE, MASKED, SUMS, Code
from .picked import Picked, picked
from .scalar import lower_scalar
from .values import Array, Counting, Root, Strided, load, store, zero
from .vector_math import has_masks
from .writes import is_indexed, prepare, put

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["Nest", "combine", "is_fold", "start_of"]


class Nest:
    """The loops of a group.

    Attributes:
        begin: an axis, and where its loop begins, where that is not at 0.
    """

    begin: tuple[int, str] | None = None

    def __init__(self, block: Block, group: Group) -> None:
        self.block = block
        self.code = block.code
        self.group = group
        self.lengths = (
            block.lengths(group.members[0].operands[0].type)
            if is_fold(group.members[0])
            else (block.lengths(group.members[0].outs[0].type))
        )
        self.sources: dict[Var, str | Array] = {}
        self.kept: dict[Var, Strided] = {}
        self.slots: dict[Var, str] = {}
        self.regions: dict[Var, Strided | Picked] = {}
        self.gathers: dict[Var, Picked] = {}
        self.read_here: set[Var] = set()  # at the index of the element
        self.read_elsewhere: set[Var] = set()
        self.pending: dict[Var, Equation] = {}
        self.reused: set[Root] = set()  # memory that a result takes over from operands

    def emit(self) -> None:
        group, block, code = self.group, self.block, self.code
        for var in group.uses():
            if var not in self.sources:
                self.sources[var] = block.lookup(var)
        for member in group.members:
            elsewhere = read_elsewhere(member)
            self.read_elsewhere |= elsewhere
            self.read_here.update(a for a in member.operands if a in self.sources and a not in elsewhere)
            if member.primitive.kind is Kind.GATHER:
                x, *operands = member.operands
                self.gathers[member.outs[0]] = picked(block, x, member.params["codes"], tuple(operands))
        for var, write in group.writes.items():
            self.prepare_write(var, write)
        for member in group.members:
            if is_fold(member):
                self.prepare_fold(member)
            elif member.outs[0] in group.kept:
                self.keep(member.outs[0])
        flat = self.is_flat()
        lengths = [code.product(list(self.lengths))] if flat else list(self.lengths)
        with code.apart(self.written()):
            self.loops(lengths, flat)
        for var, memory in self.kept.items():
            block.bind(var, memory)
        for var, slot in self.slots.items():
            block.bind(var, code.op(f"load {LLVM_TYPE[var.type.dtype]}, ptr {slot}"))
        for var, write in self.pending.items():
            self.store_afterwards(var, write)

    def written(self) -> list[Root]:
        """The memory that the loops write."""
        regions = [p.region if isinstance(p, Picked) else p for p in self.regions.values()]
        return list(dict.fromkeys(array.root for array in (*self.kept.values(), *regions)))

    def loops(self, lengths: list[str], flat: bool) -> None:
        """The loop nest; of sums along short lines another one, since the usual one adds up several vectors at once."""
        code, inner = self.code, lengths[-1] if lengths else "1"
        masked = (MASKED,) * has_masks()
        if inner.isdigit() or not any(is_fold(m) and self.is_along(m, flat) for m in self.group.members):
            calls = code.vector_calls  # of functions of the C library, of which few are wanted
            code.nest(lengths, lambda ix: self.element(ix, flat), lambda: masked * (code.vector_calls > calls))
            return
        short, long, done = code.label(), code.label(), code.label()
        code.branch(code.op(f"icmp sle i64 {inner}, {SHORT}"), short, long)
        code.start(short)
        code.nest(lengths, lambda ix: self.element(ix, flat), lambda: masked)
        code.jump(done)
        code.start(long)
        code.nest(lengths, lambda ix: self.element(ix, flat), lambda: (SUMS,))
        code.jump(done)
        code.start(done)

    def is_along(self, member: Equation, flat: bool) -> bool:
        """Whether a reduction folds the last axis."""
        return flat or len(self.lengths) - 1 in member.params["axes"]

    # Before the loops

    def keep(self, var: Var) -> None:
        """Memory for a result: that of an operand that nothing else reads, or new."""
        for array in self.sources.values():
            if isinstance(array, Strided) and array.dtype is var.type.dtype and self.may_reuse(array):
                self.reused.add(array.root)
                self.kept[var] = array
                return
        self.kept[var] = self.block.lowering.new(self.block, var.type.dtype, self.lengths)

    def may_reuse(self, array: Strided) -> bool:
        """Whether each element may be overwritten once the group has read it: it is read at its own index only."""
        free = array.root not in self.reused and self.block.is_last_use(array.root)
        later = self.read_elsewhere.union(*(w.operands for w in self.group.writes.values()))
        return free and all(s.whole and v not in later for v, s in self.sharing(array.root))

    def sharing(self, root: Root) -> list[tuple[Var, Strided]]:
        """The group's sources in this memory."""
        return [(v, s) for v, s in self.sources.items() if isinstance(s, Strided) and s.root is root]

    def prepare_write(self, var: Var, write: Equation) -> None:
        """Write straight into the target, unless the group reads other elements of the same memory."""
        target = self.block.array(write.operands[0])
        if isinstance(target, Strided) and self.reads_others(write, target):
            self.keep(var)
            self.pending[var] = write
            return
        self.regions[var] = prepare(self.block, write)

    def reads_others(self, write: Equation, target: Strided) -> bool:
        """Whether a member reads elements of the target's memory that other iterations write, or a write its places."""
        region = None if is_indexed(write) else (write.params["codes"], write.operands[2:], target.lengths)
        for var, source in self.sharing(target.root):
            at_own = var in self.read_here and source.region == region and region is not None
            is_read = var in self.read_here or var in self.read_elsewhere or var in write.operands[1:]
            if is_read and (not at_own or var in self.read_elsewhere):
                return True
        return False

    def store_afterwards(self, var: Var, write: Equation) -> None:
        computed = self.kept[var]
        place = prepare(self.block, write)
        code = self.code
        code.nest(list(self.lengths), lambda ix: put(self.block, write, place, ix, load(code, computed, ix)))
        if computed.root.owner is self.block:
            self.block.lowering.free(computed.root)
            self.block.take(computed.root)
            del self.block.values[var]

    def prepare_fold(self, member: Equation) -> None:
        out = member.outs[0]
        name = member.primitive.name
        start, zeroed = start_of(name, out.type.dtype), name in ("total", "reduce_or")
        if not out.type.shape:
            self.slots[out] = self.code.slot(LLVM_TYPE[out.type.dtype], start)
            return
        lengths = self.block.lengths(out.type)
        memory = self.block.lowering.new(self.block, out.type.dtype, lengths, zeroed=zeroed)
        if not zeroed:
            self.code.nest(list(lengths), lambda ix: store(self.code, memory, ix, start))
        self.kept[out] = memory

    def is_flat(self) -> bool:
        """Whether one loop over all elements will do: everything is whole, and folds are to scalars."""
        if self.regions or any(g.trailing for g in self.gathers.values()):
            return False
        arrays = [self.sources[v] for v in self.read_here]
        if len(self.lengths) > 1 and any(isinstance(a, Counting) for a in arrays):
            return False
        plain = all(a.whole for a in arrays if isinstance(a, Strided))
        folds = all(not m.outs[0].type.shape for m in self.group.members if is_fold(m))
        return plain and folds

    # One element

    def element(self, indices: list[str], flat: bool) -> None:
        code = self.code
        here: dict[Var, str] = {}
        if self.begin is not None:
            axis, first = self.begin
            indices = [*indices[:axis], code.add(first, indices[axis]), *indices[axis + 1 :]]

        def value(atom: Atom) -> str:
            if not isinstance(atom, Var):
                return self.block.scalar(atom)
            if atom not in here:
                source = self.sources[atom]
                here[atom] = source if isinstance(source, str) else element_of(code, source, indices, flat)
            return here[atom]

        for root in self.reused:  # read, under all its names, before a result is written there
            for source, _ in self.sharing(root):
                value(source)
        for member in self.group.members:
            if is_fold(member):
                self.fold(member, value(member.operands[0]), indices)
                continue
            out = member.outs[0]
            if out in self.gathers:
                gather = self.gathers[out]
                places = None if gather.trailing else [value(a) for a in gather.places]
                here[out] = load(code, gather.region, gather.position(code, indices, places))
            else:
                dtypes = tuple(a.type.dtype for a in member.operands)
                operands = tuple(value(a) for a in member.operands)
                here[out] = lower_scalar(code, member.primitive.name, dtypes, operands, member.params)
            if out in self.kept:
                put_element(code, self.kept[out], indices, flat, here[out])
        for out, place in self.regions.items():  # after all reads of this element
            put(self.block, self.group.writes[out], place, indices, here[out])

    def fold(self, member: Equation, value: str, indices: list[str]) -> None:
        code, out = self.code, member.outs[0]
        name, dtype = member.primitive.name, out.type.dtype
        if not out.type.shape:
            slot = self.slots[out]
            before = code.op(f"load {LLVM_TYPE[dtype]}, ptr {slot}")
            code.do(f"store {LLVM_TYPE[dtype]} {combine(code, name, dtype, before, value)}, ptr {slot}")
            return
        memory = self.kept[out]
        where = [i for axis, i in enumerate(indices) if axis not in member.params["axes"]]
        store(code, memory, where, combine(code, name, dtype, load(code, memory, where), value))


def is_fold(equation: Equation) -> bool:
    return equation.primitive.kind is Kind.REDUCTION


def element_of(code: Code, array: Array, indices: list[str], flat: bool) -> str:
    return load(code, flattened(array) if flat and isinstance(array, Strided) else array, indices)


def put_element(code: Code, array: Strided, indices: list[str], flat: bool, value: str) -> None:
    store(code, flattened(array) if flat else array, indices, value)


def flattened(array: Strided) -> Strided:
    """A whole array as one axis."""
    return Strided(array.dtype, array.pointer, ("",), ("1",), array.root, whole=True)


SHORT = 32  # elements

_INFINITY, _MINUS_INFINITY = "0x7FF0000000000000", "0xFFF0000000000000"
_ELEMENTWISE = {
    "total": "plus",
    "reduce_max": "maximum",
    "reduce_min": "minimum",
    "reduce_and": "and",
    "reduce_or": "or",
}


def start_of(name: str, dtype: DType) -> str:
    """What a reduction begins with."""
    if name in ("total", "reduce_or"):
        return zero(dtype)
    if name == "reduce_and":
        return "true"
    if dtype.kind == "f":
        return _MINUS_INFINITY if name == "reduce_max" else _INFINITY
    limits = np.iinfo(dtype.numpy)
    return str(limits.min if name == "reduce_max" else limits.max)


def combine(code: Code, name: str, dtype: DType, before: str, value: str) -> str:
    """One step of a reduction.  Sums may be reassociated, as NumPy's pairwise sums are."""
    if name in ("reduce_max", "reduce_min") and dtype.kind == "f":  # propagates nan, as NumPy does, and is vectorized
        return code.intrinsic({"reduce_max": "maximum", "reduce_min": "minimum"}[name], LLVM_TYPE[dtype], before, value)
    elementwise = "add" if name == "total" and dtype.integer else _ELEMENTWISE[name]
    return lower_scalar(code, elementwise, (dtype, dtype), (before, value), {})

"""Loop nests of groups: by one thread, or along one of their axes by several threads."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from adcore.passes.schedule import Group
from adcore.program import Equation
from adcore.types import Var

from .code import LLVM_TYPE
from .effort import product, weight
from .fused import Nest, combine, is_fold, start_of
from .outlined import Chunks, Part, chunks_of
from .picked import Picked
from .values import Strided, load, store

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["copy_elements", "lower_group"]

SHORTEST = 64  # elements along the axis that is divided, where that is known


def lower_group(block: Block, group: Group) -> None:
    (Nest if block.lowering.sharing.least is None else _Divided)(block, group).emit()


class _Divided(Nest):
    """A nest of which several threads do parts of one axis."""

    def loops(self, lengths: list[str], flat: bool) -> None:
        axis = self.axis(lengths, flat)
        if axis is None:
            super().loops(lengths, flat)
            return
        part = Part(self.block)
        places = self.emit_part(part, axis, lengths, flat)
        chunks = run(part, lengths, axis, sum(map(weight, self.group.members)))
        code = self.code
        for var, slot in self.slots.items():
            dtype = var.type.dtype
            type = LLVM_TYPE[dtype]
            (name,) = (m.primitive.name for m in self.group.members if m.outs[0] is var)
            with code.counting(chunks.count) as c:
                before, more = code.op(f"load {type}, ptr {slot}"), chunks.given(type, places[var], c)
                code.do(f"store {type} {combine(code, name, dtype, before, more)}, ptr {slot}")

    def axis(self, lengths: list[str], flat: bool) -> int | None:
        """The first axis whose elements are written by nobody else, and are many as far as is known."""
        if any(isinstance(place, Picked) for place in self.regions.values()):
            return None
        folded = set() if flat else {a for m in self.group.members if m.outs[0].type.shape for a in self.along(m)}
        return next((a for a, n in enumerate(lengths) if a not in folded and not is_short(n)), None)

    def emit_part(self, part: Part, axis: int, lengths: list[str], flat: bool) -> dict[Var, int]:
        """The function; gives the places of the results of reductions in the rows of the chunks."""
        inside = copy(self)
        inside.block, inside.code = part.top, part.code
        inside.sources = {
            v: part.register(s, LLVM_TYPE[v.type.dtype]) if isinstance(s, str) else part.array(s)
            for v, s in self.sources.items()
        }
        inside.kept = {v: part.memory(s) for v, s in self.kept.items()}
        inside.regions = {v: part.memory(s) for v, s in self.regions.items() if not isinstance(s, Picked)}
        inside.gathers = {v: self.picked_inside(part, s) for v, s in self.gathers.items()}
        inside.reused = {part.roots[root] for root in self.reused}
        inside.slots = {}
        for member in self.group.members:
            if member.outs[0] in self.slots:
                dtype = member.outs[0].type.dtype
                inside.slots[member.outs[0]] = part.code.slot(LLVM_TYPE[dtype], start_of(member.primitive.name, dtype))
        inside.begin = axis, part.first
        with part.code.apart(inside.written()):
            Nest.loops(inside, lengths_inside(part, lengths, axis), flat)
        places = {}
        for var, slot in inside.slots.items():
            type = LLVM_TYPE[var.type.dtype]
            places[var] = part.give(type, part.code.op(f"load {type}, ptr {slot}"))
        part.finish(writes=True)
        return places

    def picked_inside(self, part: Part, place: Picked) -> Picked:
        arrays = tuple(None if a is None else part.array(a) for a in place.arrays)
        return replace(place, region=part.memory(place.region), arrays=arrays)

    def along(self, member: Equation) -> tuple[int, ...]:
        return member.params["axes"] if is_fold(member) else ()


def copy_elements(block: Block, source: Strided, target: Strided) -> None:
    """Copy an array, element by element."""
    lengths = list(source.lengths)
    axis = next((a for a, n in enumerate(lengths) if not is_short(n)), None)
    if axis is None or block.lowering.sharing.least is None:
        block.code.nest(lengths, lambda ix: store(block.code, target, ix, load(block.code, source, ix)))
        return
    part = Part(block)
    code, read, written = part.code, part.memory(source), part.memory(target)

    def element(indices: list[str]) -> None:
        at = [code.add(part.first, i) if a == axis else i for a, i in enumerate(indices)]
        store(code, written, at, load(code, read, at))

    with code.apart([written.root]):
        code.nest(lengths_inside(part, lengths, axis), element)
    part.finish(writes=True)
    run(part, lengths, axis, 1)


def lengths_inside(part: Part, lengths: list[str], axis: int) -> list[str]:
    """The lengths of a nest of which one axis is a part's range."""
    count = part.code.op(f"sub i64 {part.last}, {part.first}")
    return [count if a == axis else part.register(n, "i64") for a, n in enumerate(lengths)]


def run(part: Part, lengths: list[str], axis: int, operations: int) -> Chunks:
    """Run the part for all of an axis of a nest, which takes so many operations an element."""
    total = product(part.outside.code, operations, lengths)
    chunks = Chunks(part, lengths[axis], (), chunks_of(part.outside, lengths[axis], total))
    chunks.run()
    return chunks


def is_short(length: str) -> bool:
    return length.isdigit() and int(length) < SHORTEST

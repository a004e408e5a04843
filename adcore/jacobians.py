"""Jacobians: all directions at once, as one more axis of the tangents (forward) or of the cotangents (reverse).

The program of `jvp` or `vjp` is derived once, and `adcore.batching` gives what depends on the (co)tangents a further
last axis, on which the unit vectors of all arguments (or results) lie side by side.  The primal runs once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .batching import Batch
from .builder import Builder
from .derive import push, sweep, sweep_each
from .passes.dce import eliminate_dead
from .passes.inline import inline_whole
from .plugins import Leaf, Lowered, Rows, Spec, Static
from .program import Program, regions
from .signatures import Place, name_of
from .transforms import Derivative, cotangents, decided, differentiable, numbered, present, pruned, replaced
from .trees import leaves, map_leaves, map_nodes
from .types import Atom, Type, Var, literal

__all__ = ["ForwardJacobian", "ReverseJacobian"]


@dataclass(frozen=True)
class _Jacobian(Derivative):
    """What both modes share: the result has the structure of the value, and in each leaf that of the arguments."""

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        targets = self.required(arguments)
        lowered = differentiable(self.function, arguments)
        value, aux = self.parted(lowered.result)
        outs = self.differentiated(lowered, value)
        wanted = numbered(arguments, only_real=True)
        wrt = [k for place in targets for k in present(place.of(wanted))]
        primal = inline_whole(lowered.program)
        program, blocks = self.blocks(primal, wrt, outs)
        count = len(lowered.program.results)
        where = {pair: Leaf(count + k) for k, pair in enumerate(blocks)}

        def rows(leaf: Any) -> Any:
            if not isinstance(leaf, Leaf) or leaf.index not in outs:
                return Static(None)
            row = tuple(
                cotangents(lambda k: Static(None) if k is None else where[leaf.index, k], place.of(wanted))
                for place in targets
            )
            return row[0] if isinstance(self.argnums, int) else row

        jacobian = map_leaves(rows, value)
        decided(lowered, [])
        return pruned(replaced(lowered, program, (jacobian, aux) if self.has_aux else jacobian))

    def differentiated(self, lowered: Lowered, value: Any) -> list[int]:
        """The results of the program that are differentiated."""
        found: list[int] = []
        lists: list[Rows] = []

        def note(node: Any) -> Any:
            if isinstance(node, Rows):
                lists.append(node)
            elif isinstance(node, Leaf) and lowered.program.results[node.index].type.dtype.differentiable:
                found.append(node.index)
            return node

        map_nodes(note, value, Rows)
        if lists:
            raise self.wrong(f"{name_of(self.function)} returns a list whose length is known at run time", "an array")
        if not found:
            raise self.wrong(f"{name_of(self.function)} returns no real number or array")
        for k in found:
            self.require_result(lowered.program.results[k].type)
        return list(dict.fromkeys(found))

    def require_result(self, type: Type) -> None:
        """Refuse results that this mode does not differentiate."""
        if self.holomorphic and not type.dtype.complex:
            raise self.wrong(f"with holomorphic=True {name_of(self.function)} returns a real number")

    def blocks(self, program: Program, wrt: list[int], outs: list[int]) -> tuple[Program, Blocks]:
        """A program that gives the results and then the blocks of the Jacobian, and which block stands where."""
        raise NotImplementedError


Blocks = list[tuple[int, int]]  # pairs of a result and an argument of the program


@dataclass(frozen=True)
class ForwardJacobian(_Jacobian):
    """Jacobians by forward mode, a column for each element of the arguments."""

    @property
    def title(self) -> str:
        return "jacfwd"

    def require_real(self, argument: Any, place: Place) -> None:
        super().require_real(argument, place)
        if not self.holomorphic and any(isinstance(leaf, Spec) and leaf.dtype.complex for leaf in leaves(argument)):
            where = f"argument {place.position} of {name_of(self.function)} is complex"
            raise self.wrong(f"{where}, which forward mode takes with holomorphic=True", "holomorphic=True, or jacrev")

    def blocks(self, program: Program, wrt: list[int], outs: list[int]) -> tuple[Program, Blocks]:
        pushed = push(program, wrt, alike=True)
        count = len(pushed.params) - len(wrt)
        params, tangents = pushed.params[:count], pushed.params[count:]
        b = Builder()
        seeds = Seeds(b, tangents)
        batch = Batch(b, seeds.length, seeds.units)
        batch.emit(pushed.equations)
        values = pushed.results[: len(program.results)]
        moving = [k for k, r in enumerate(values) if r.type.dtype.differentiable]
        moved = dict(zip(moving, pushed.results[len(values) :], strict=True))
        pairs: Blocks = []
        blocks: list[Atom] = []
        for out in outs:
            columns = batch.value(moved[out])
            for k, tangent in zip(wrt, tangents, strict=True):
                pairs.append((out, k))
                blocks.append(seeds.part(columns, tangent))
        return eliminate_dead(Program(params, b.equations, (*values, *blocks), f"jacfwd_{program.name}")), pairs


@dataclass(frozen=True)
class ReverseJacobian(_Jacobian):
    """Jacobians by reverse mode, a row for each element of the results."""

    @property
    def title(self) -> str:
        return "jacrev"

    def require_result(self, type: Type) -> None:
        super().require_result(type)
        if type.dtype.complex and not self.holomorphic:
            what = f"{name_of(self.function)} returns complex numbers"
            raise self.wrong(f"{what}, which reverse mode takes with holomorphic=True", "holomorphic=True, or jacfwd")

    def blocks(self, program: Program, wrt: list[int], outs: list[int]) -> tuple[Program, Blocks]:
        if len(outs) <= FEW and not any(program.results[k].type.shape for k in outs) and not has_loops(program):
            swept = sweep_each(program, wrt, outs)
            pairs = [(out, k) for out in outs for k in wrt]
            return renamed(swept.joined(), f"jacrev_{program.name}"), pairs
        swept = sweep(program, wrt, differentiated=outs, alike=True)
        b = Builder()
        b.adopt(swept.primal)
        seeds = Seeds(b, swept.late)
        batch = Batch(b, seeds.length, seeds.units)
        batch.emit(swept.reverse)
        pairs: Blocks = []
        blocks: list[Atom] = []
        for out, cotangent in zip(swept.seeded, swept.late, strict=True):
            for k, gradient in zip(wrt, swept.gradients, strict=True):
                pairs.append((out, k))
                rank = gradient.type.rank
                rows = b.permute(batch.value(gradient), order=(rank, *range(rank)))
                blocks.append(seeds.rows(rows, cotangent))
        results = (*swept.values, *blocks)
        return eliminate_dead(Program(swept.params, b.equations, results, f"jacrev_{program.name}")), pairs


FEW = 8  # scalar results, whose cotangents are rather single numbers, in registers, than arrays of so many


def has_loops(program: Program) -> bool:
    return any(
        e.primitive.name in ("loop", "while") or any(has_loops(region) for _, region in regions(e))
        for e in program.equations
    )


def renamed(program: Program, name: str) -> Program:
    return Program(program.params, program.equations, program.results, name)


class Seeds:
    """The unit vectors of several arrays taken together, side by side along a further axis.

    Attributes:
        length: how many there are.
        units: for each array its part of all of them.
    """

    def __init__(self, b: Builder, arrays: Sequence[Var]) -> None:
        self.b = b
        self.offsets: dict[Var, tuple[Atom, Atom]] = {}
        self.length: Atom = literal(0)
        for array in arrays:
            size: Atom = literal(1)
            for length in array.type.shape:
                size = b.mul(size, length)
            self.offsets[array] = (self.length, size)
            self.length = b.add(self.length, size)
        self.units = {array: self.unit(array) for array in arrays}

    def unit(self, array: Var) -> Atom:
        """1 where the element's number is that of the vector, else 0."""
        b, type = self.b, array.type
        offset, size = self.offsets[array]
        numbers = b.iota(self.length)
        if not type.shape:
            return b.cast(b.eq(numbers, offset), dtype=type.dtype)
        elements = b.expand(b.add(b.iota(size), offset), self.length, axes=(1,))
        ones = b.cast(b.eq(elements, b.expand(numbers, size, axes=(0,))), dtype=type.dtype)
        return b.reshape(ones, *type.shape, self.length)

    def part(self, columns: Atom, array: Var) -> Atom:
        """Of what has the further axis last, the array's part, with the array's own axes."""
        offset, size = self.offsets[array]
        part = self.b.view(columns, offset, size, 1, codes=":" * (columns.type.rank - 1) + "s")
        return self.b.reshape(part, *columns.type.shape[:-1], *array.type.shape)

    def rows(self, rows: Atom, array: Var) -> Atom:
        """Of what has the further axis first, the array's part, with the array's own axes."""
        offset, size = self.offsets[array]
        part = self.b.view(rows, offset, size, 1, codes="s" + ":" * (rows.type.rank - 1))
        return self.b.reshape(part, *array.type.shape, *rows.type.shape[1:])

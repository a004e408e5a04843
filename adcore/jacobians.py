"""Jacobians: all directions at once, as one more axis of the tangents (forward) or of the cotangents (reverse).

The program of `jvp` or `vjp` is derived once, and `adcore.batching` gives what depends on the (co)tangents a further
last axis, on which the unit vectors of all arguments (or results) lie side by side.  The primal runs once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .batching import Batch
from .builder import Builder
from .derive import push, sweep, sweep_each
from .passes.dce import eliminate_dead
from .passes.inline import inline_whole
from .plugins import Leaf, Lowered, Rows, Spec, Static
from .program import Program, clone, regions
from .signatures import Place, name_of
from .transforms import Derivative, cotangents, decided, differentiable, numbered, present, pruned, replaced
from .trees import leaves, map_leaves, map_nodes
from .types import Atom, Lit, Type, Var, literal

__all__ = ["ForwardJacobian", "Jacobian", "ReverseJacobian", "Seeds"]


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


@dataclass(frozen=True)
class Jacobian(_Jacobian):
    """Jacobians by the mode with fewer directions.

    Where that depends on lengths that are known at the call only, the program has both modes, of which it runs one.
    """

    @property
    def title(self) -> str:
        return "jacobian"

    def blocks(self, program: Program, wrt: list[int], outs: list[int]) -> tuple[Program, Blocks]:
        modes = self.modes(program, wrt, outs)
        if len(modes) == 1:
            return self.by(modes[0]).blocks(program, wrt, outs)
        copy, b = clone(program), Builder()
        b.adopt(copy.equations)
        columns = _total_size(b, [copy.params[k] for k in wrt])
        rows = _total_size(b, [copy.results[k] for k in outs])
        made = [self.by(mode).blocks(program, wrt, outs) for mode in modes]
        regions = [self.region(b, copy, *each) for each in made]
        blocks = b.cond(b.le(columns, rows), *regions)
        name = f"jacobian_{program.name}"
        return eliminate_dead(Program(copy.params, b.equations, (*copy.results, *blocks), name)), made[0][1]

    def by(self, mode: type[_Jacobian]) -> _Jacobian:
        return mode(self.function, self.argnums, self.has_aux, self.holomorphic, declared=self.declared)

    def modes(self, program: Program, wrt: list[int], outs: list[int]) -> list[type[_Jacobian]]:
        """The mode to take, or both where the lengths decide."""
        arguments, values = [program.params[k].type for k in wrt], [program.results[k].type for k in outs]
        if not self.holomorphic:
            if any(t.dtype.complex for t in arguments):
                for t in values:
                    self.by(ReverseJacobian).require_result(t)
                return [ReverseJacobian]
            if any(t.dtype.complex for t in values):
                return [ForwardJacobian]
        columns, rows = _known_size(arguments), _known_size(values)
        if columns is not None and (columns <= FEW if rows is None else columns <= rows):
            return [ForwardJacobian]
        if rows is not None and (columns is not None or rows <= FEW):
            return [ReverseJacobian]
        return [ForwardJacobian, ReverseJacobian]

    def region(self, b: Builder, primal: Program, made: Program, pairs: Blocks) -> Program:
        """The blocks that a mode's program gives, as a region beside the primal."""
        env: dict[Var, Atom] = {}
        for ours, theirs in zip(made.params, primal.params, strict=True):
            env[ours] = theirs
            lengths = zip(ours.type.shape, theirs.type.shape, strict=True)
            env.update((inner, outer) for inner, outer in lengths if isinstance(inner, Var))
        blocks = clone(Program((), made.equations, made.results[len(primal.results) :]), env)
        inner = b.region()
        inner.adopt(blocks.equations)
        results: list[Atom] = []
        for (out, k), block in zip(pairs, blocks.results, strict=True):
            shape = (*primal.results[out].type.shape, *primal.params[k].type.shape)
            results.append(inner.conform(block, *shape, checked=False) if shape else block)
        return Program((), inner.equations, tuple(results), made.name)


def _known_size(types: Sequence[Type]) -> int | None:
    """How many elements arrays of these types have together, where their types say."""
    lengths = [[a.value if isinstance(a, Lit) else None for a in t.shape] for t in types]
    if any(n is None for shape in lengths for n in shape):
        return None
    return sum(math.prod(int(n) for n in shape if n is not None) for shape in lengths)


def _total_size(b: Builder, arrays: Sequence[Atom]) -> Atom:
    total: Atom = literal(0)
    for array in arrays:
        total = b.add(total, b.size(array.type.shape))
    return total


def has_loops(program: Program) -> bool:
    return any(
        e.primitive.name in ("loop", "while") or any(has_loops(region) for _, region in regions(e))
        for e in program.equations
    )


def renamed(program: Program, name: str) -> Program:
    return Program(program.params, program.equations, program.results, name)


class Seeds:
    """The unit vectors of several arrays taken together, side by side along a further axis.

    Args:
        b: where they are emitted.
        arrays: the arrays.

    Attributes:
        length: how many there are.
        units: for each array its part of all of them.
    """

    def __init__(self, b: Builder, arrays: Sequence[Var]) -> None:
        self.b = b
        self.offsets: dict[Var, tuple[Atom, Atom]] = {}
        self.length: Atom = literal(0)
        for array in arrays:
            size = b.size(array.type.shape)
            self.offsets[array] = (self.length, size)
            self.length = b.add(self.length, size)
        numbers = b.iota(self.length)
        self.units = {a: b.cast(self.chosen(b, a, numbers, self.length), dtype=a.type.dtype) for a in arrays}

    def chosen(self, b: Builder, array: Var, numbers: Atom, count: Atom) -> Atom:
        """Whether an element is that of a number, for each of so many numbers along the further axis."""
        offset, size = self.offsets[array]
        if not array.type.shape:
            return b.eq(numbers, offset)
        elements = b.expand(b.add(b.iota(size), offset), count, axes=(1,))
        equal = b.eq(elements, b.expand(numbers, size, axes=(0,)))
        return b.reshape(equal, *array.type.shape, count)

    def element(self, numbers: Atom, array: Var) -> Atom:
        """Of what has one number for each vector, the array's part, in its shape."""
        offset, size = self.offsets[array]
        if not array.type.shape:
            return self.b.view(numbers, offset, codes="i")
        return self.b.reshape(self.b.view(numbers, offset, size, 1, codes="s"), *array.type.shape)

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

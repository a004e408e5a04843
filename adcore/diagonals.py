"""The diagonal of a Hessian and its trace, without the Hessian: a few unit vectors at a time.

The gradient runs once.  Its linear program is run for one group of unit vectors after the other, which lie along a
further axis (`adcore.batching`), and of what it gives only the elements on the diagonal are kept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .batching import Batch
from .boundary import Sweep
from .builder import Builder
from .derive import push_split
from .jacobians import Seeds
from .passes.inline import inline_whole
from .plugins import Leaf, Lowered, Spec, Static
from .program import Program
from .signatures import Place, name_of
from .transforms import Derivative, Gradient, as_tuple, cotangents, numbered, present, pruned, replaced
from .trees import leaves
from .types import I64, Atom, DType, Lit, Var, literal

__all__ = ["HessianDiagonal", "Laplacian"]

GROUP = 16  # unit vectors at a time, two vector registers of eight numbers


@dataclass(frozen=True)
class _Diagonal(Derivative):
    """Second derivatives of a function that returns one real number, each by one element twice."""

    def require_real(self, argument: Any, place: Place) -> None:
        super().require_real(argument, place)
        if any(isinstance(leaf, Spec) and leaf.dtype.complex for leaf in leaves(argument)):
            raise self.wrong(f"argument {place.position} of {name_of(self.function)} is complex")

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        targets = self.required(arguments)
        gradient = Gradient(self.function, as_tuple(self.argnums), declared=self.declared).lower(arguments)
        wanted = numbered(arguments, only_real=True)
        wrt = [k for place in targets for k in present(place.of(wanted))]
        outs = [leaf.index for leaf in leaves(gradient.result) if isinstance(leaf, Leaf)]
        swept = push_split(inline_whole(gradient.program), wrt, outs, alike=True)
        b = Builder()
        b.adopt(swept.primal)
        columns = _Columns(b, swept)
        results = self.results(columns)
        name = f"{self.title}_{gradient.program.name}"
        program = Program(swept.params, b.equations, (*swept.values, *results), name)
        first = iter(range(len(swept.values), len(program.results)))
        outcome = self.outcome([place.of(wanted) for place in targets], lambda: Leaf(next(first)))
        return pruned(replaced(gradient, program, outcome))

    def results(self, columns: _Columns) -> list[Atom]:
        """What is given back."""
        raise NotImplementedError

    def outcome(self, targets: list[Any], place: Callable[[], Leaf]) -> Any:
        """The structure that the results, in order, are given back in."""
        raise NotImplementedError


@dataclass(frozen=True)
class HessianDiagonal(_Diagonal):
    """The diagonal of the Hessian, with the structure of the arguments."""

    @property
    def title(self) -> str:
        return "hessian_diagonal"

    def results(self, columns: _Columns) -> list[Atom]:
        return columns.diagonals()

    def outcome(self, targets: list[Any], place: Callable[[], Leaf]) -> Any:
        parts = [cotangents(lambda k: Static(None) if k is None else place(), target) for target in targets]
        return parts[0] if isinstance(self.argnums, int) else tuple(parts)


@dataclass(frozen=True)
class Laplacian(_Diagonal):
    """The trace of the Hessian."""

    @property
    def title(self) -> str:
        return "laplacian"

    def results(self, columns: _Columns) -> list[Atom]:
        return [columns.trace()]

    def outcome(self, targets: list[Any], place: Callable[[], Leaf]) -> Any:
        return place()


class _Columns:
    """The columns of a Hessian, in groups, of which the elements on the diagonal are taken."""

    def __init__(self, b: Builder, swept: Sweep) -> None:
        self.b = b
        self.swept = swept
        self.seeds = Seeds(b, swept.late)
        length = self.seeds.length
        self.single = isinstance(length, Lit) and int(length.value) <= GROUP
        self.group = length if self.single else literal(GROUP)
        self.dtypes = list(dict.fromkeys(v.type.dtype for v in swept.late))

    def trace(self) -> Atom:
        """The sum of the elements on the diagonal."""
        wide = max(self.dtypes, key=lambda dtype: dtype.bits)

        def added(b: Builder, _: Atom, sums: list[Atom], found: dict[DType, Atom]) -> list[Atom]:
            parts = [b.cast(b.total(v, axes=(0,)), dtype=wide) for v in found.values()]
            return [functools.reduce(b.plus, parts, sums[0])]

        return self.over_groups([wide.zero], added)[0]

    def diagonals(self) -> list[Atom]:
        """The elements on the diagonal, for each array one of its shape."""
        b = self.b
        length = self.seeds.length if self.single else b.mul(self.count(), GROUP)
        starts = [b.expand(dtype.zero, length, axes=(0,)) for dtype in self.dtypes]

        def kept(b: Builder, start: Atom, arrays: list[Atom], found: dict[DType, Atom]) -> list[Atom]:
            pairs = zip(arrays, found.values(), strict=True)
            return [b.update(array, v, start, self.group, 1, codes="s") for array, v in pairs]

        ends = dict(zip(self.dtypes, self.over_groups(starts, kept), strict=True))
        return [self.seeds.element(ends[v.type.dtype], v) for v in self.swept.late]

    def count(self) -> Atom:
        return self.b.floordiv(self.b.add(self.seeds.length, GROUP - 1), GROUP)

    def over_groups(self, inits: list[Atom], step: Step) -> list[Atom]:
        """What is left of some values after a step for every group."""
        if self.single:
            return step(self.b, literal(0), inits, self.found(self.b, literal(0)))
        inner = self.b.region()
        counter = Var(I64, "k")
        carried = [Var(a.type, "diagonal") for a in inits]
        start = inner.mul(counter, GROUP)
        results = step(inner, start, list(carried), self.found(inner, start))
        body = Program((counter, *carried), inner.equations, tuple(results))
        return list(self.b.loop(self.count(), tuple(inits), body))

    def found(self, b: Builder, start: Atom) -> dict[DType, Atom]:
        """The elements on the diagonal in the columns of a group, by dtype; 0 where an array has another one."""
        numbers = b.add(b.iota(self.group), start)
        chosen = {v: self.seeds.chosen(b, v, numbers, self.group) for v in self.swept.late}
        batch = Batch(b, self.group, {v: b.cast(c, dtype=v.type.dtype) for v, c in chosen.items()})
        batch.emit(self.swept.reverse)
        found: dict[DType, Atom] = {}
        for v, column in zip(self.swept.late, self.swept.gradients, strict=True):
            taken = b.select(chosen[v], batch.value(column), v.type.dtype.zero)
            part = b.total(taken, axes=tuple(range(v.type.rank))) if v.type.rank else taken
            before = found.get(v.type.dtype)
            found[v.type.dtype] = part if before is None else b.plus(before, part)
        return {dtype: found[dtype] for dtype in self.dtypes}


Step = Callable[[Builder, Atom, list[Atom], dict[DType, Atom]], list[Atom]]

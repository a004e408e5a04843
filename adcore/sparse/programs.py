"""The compiled parts of a sparse Jacobian: its pattern's columns, and its elements from few directions.

All take the arguments of the function as one tuple, and see the function as one from the elements of all arguments that
are differentiated, one after the other, to the elements of all its results.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..batching import Batch
from ..builder import Builder
from ..columns import concatenated, flattened, parts
from ..derive import push, sweep
from ..passes.dce import eliminate_dead
from ..passes.inline import inline_whole
from ..plugins import Leaf, Lowered, Rows, Spec
from ..program import Program
from ..signatures import Place, name_of
from ..statics import NOTHING, Statics
from ..transforms import Derivative, decided, differentiable, numbered, present, replaced, without_writes
from ..trees import leaves, map_nodes
from ..types import Atom, Type, Var, literal
from .dataflow import depend
from .decisions import bare

__all__ = ["ColumnSums", "Dependences", "OfElements", "Products", "RowSums"]


@dataclass(frozen=True)
class OfElements(Derivative):
    """What they share: one array of results, and further parameters after the arguments."""

    further: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return "sparse Jacobian"

    def constants(self) -> Statics:
        return NOTHING

    def signature(self) -> inspect.Signature:
        names = ("arguments", *self.further)
        return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])

    def require_real(self, argument: Any, place: Place) -> None:
        super().require_real(argument, place)
        if any(isinstance(leaf, Spec) and leaf.dtype.complex for leaf in leaves(argument)):
            where = f"argument {place.position} of {name_of(self.function)}"
            raise self.wrong(f"{where} is complex; sparse Jacobians are of real numbers", "jacfwd(f, holomorphic=True)")

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        given, *extra = arguments
        targets = self.required(given)
        lowered = differentiable(self.function, given)
        wanted = numbered(given, only_real=True)
        wrt = [k for place in targets for k in present(place.of(wanted))]
        if any(write.state for write in lowered.writes):
            where = f"{name_of(self.function)} draws from a random generator"
            raise self.wrong(f"{where}, which every run of it would advance", "the random numbers as an argument")
        decided(lowered, [])
        lowered = without_writes(lowered)
        flat = self.flattened(lowered)
        count = len(lowered.program.params) - len(lowered.captures)
        later = [Var(Type(e.dtype, e.lengths(n)), n) for e, n in zip(extra, self.further, strict=True)]
        program = self.made(flat, wrt, *later)
        params = (*program.params[:count], *later, *program.params[count:])
        program = Program(params, program.equations, program.results, f"{type(self).__name__.lower()}_{flat.name}")
        moved = frozenset(range(count, count + len(later)))
        lowered.writes = tuple(
            replace(w, param=w.param if w.param < count else w.param + len(later), unseen=w.unseen | moved)
            for w in lowered.writes
        )
        return replaced(lowered, program, Leaf(0))

    def flattened(self, lowered: Lowered) -> Program:
        """The program with one result, the elements of all its real results."""
        program = inline_whole(lowered.program)
        if self.has_lists(lowered.result):
            raise self.wrong(f"{name_of(self.function)} returns a list whose length is known at run time", "an array")
        found = [leaf for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]
        results = [r for r in (program.results[leaf.index] for leaf in found) if r.type.dtype.differentiable]
        if not results:
            raise self.wrong(f"{name_of(self.function)} returns no real number or array")
        if any(r.type.dtype.complex for r in results):
            what = f"{name_of(self.function)} returns complex numbers; sparse Jacobians are of real numbers"
            raise self.wrong(what, "its real and imaginary parts")
        b = Builder()
        b.adopt(program.equations)
        return Program(program.params, b.equations, (concatenated(b, results),), program.name)

    def has_lists(self, result: Any) -> bool:
        lists: list[Rows] = []
        map_nodes(lambda node: lists.append(node) if isinstance(node, Rows) else node, result, Rows)
        return bool(lists)

    def made(self, program: Program, wrt: list[int], *later: Atom) -> Program:
        """A program of the parameters of this one and of these further ones."""
        raise NotImplementedError


@dataclass(frozen=True)
class Dependences(OfElements):
    """The set of columns that each result depends on, of the sets that the elements of the arguments are in."""

    further: tuple[str, ...] = ("words",)

    def made(self, program: Program, wrt: list[int], *later: Atom) -> Program:
        return bare(depend(program, wrt, *later))


@dataclass(frozen=True)
class _Compressed(OfElements):
    """Elements of a Jacobian from sums of its columns or rows, `count` of them at once, beside one run of the function.

    The colours say which sum a column or row is in, of those numbered from `first` on.  Element k is in place k of the
    sums, an array of the elements' rows (or columns) by sums.  The other side of the Jacobian has `length` elements.
    """

    count: Atom | int = 0
    further: tuple[str, ...] = ("colours", "first", "length", "places")

    @property
    def number(self) -> Atom:
        return literal(self.count) if isinstance(self.count, int) else self.count

    def seeds(self, b: Builder, colours: Atom, first: Atom, arrays: Sequence[Var]) -> dict[Var, Atom]:
        """For each array 1 where the element's colour is that of the sum, else 0."""
        count = self.number
        numbers = b.add(b.iota(count), b.expand(first, count, axes=(0,)))
        found: dict[Var, Atom] = {}
        for array, own in parts(b, colours, arrays).items():
            shape = array.type.shape
            every = b.expand(numbers, *shape, axes=tuple(range(len(shape))))
            found[array] = b.cast(b.eq(b.expand(own, count, axes=(len(shape),)), every), dtype=array.type.dtype)
        return found

    def elements(self, b: Builder, sums: Atom, length: Atom, places: Atom) -> Atom:
        """The elements in these places of the sums."""
        message = "the pattern is for {} elements, there are {}"
        b.check(b.eq(length, sums.type.shape[0]), length, sums.type.shape[0], error="ValueError", message=message)
        return b.gather(flattened(b, sums), places, codes="a")


@dataclass(frozen=True)
class ColumnSums(_Compressed):
    """Elements from sums of columns, by forward mode."""

    def made(self, program: Program, wrt: list[int], *later: Atom) -> Program:
        colours, first, length, places = later
        pushed = push(program, wrt, alike=True)
        count = len(pushed.params) - len(wrt)
        b = Builder()
        batch = Batch(b, self.number, self.seeds(b, colours, first, pushed.params[count:]))
        batch.emit(pushed.equations)
        found = self.elements(b, batch.value(pushed.results[-1]), length, places)
        return eliminate_dead(Program(pushed.params[:count], b.equations, (found,)))


@dataclass(frozen=True)
class RowSums(_Compressed):
    """Elements from sums of rows, by reverse mode."""

    def made(self, program: Program, wrt: list[int], *later: Atom) -> Program:
        colours, first, length, places = later
        swept = sweep(program, wrt, alike=True)
        b = Builder()
        b.adopt(swept.primal)
        batch = Batch(b, self.number, self.seeds(b, colours, first, swept.late))
        batch.emit(swept.reverse)
        sums = concatenated(b, [batch.value(g) for g in swept.gradients], (self.number,))
        found = self.elements(b, sums, length, places)
        return eliminate_dead(Program(swept.params, b.equations, (found,)))


@dataclass(frozen=True)
class Products(OfElements):
    """The product of the Jacobian with a direction, in the order of the arguments' elements."""

    further: tuple[str, ...] = ("direction",)

    def made(self, program: Program, wrt: list[int], *later: Atom) -> Program:
        (direction,) = later
        pushed = push(program, wrt, alike=True)
        count = len(pushed.params) - len(wrt)
        b = Builder()
        along = parts(b, direction, pushed.params[count:])
        one = {t: b.expand(b.cast(p, dtype=t.type.dtype), 1, axes=(t.type.rank,)) for t, p in along.items()}
        batch = Batch(b, literal(1), dict(one))
        batch.emit(pushed.equations)
        found = flattened(b, batch.value(pushed.results[-1]))
        return eliminate_dead(Program(pushed.params[:count], b.equations, (found,)))

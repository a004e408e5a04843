"""Steps of control flow: branches and loops of the host, around steps that launch kernels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from adcore.types import Atom, Lit, Var

from .kernel import Layout
from .run import Placed, Run
from .steps import Step, atoms

__all__ = ["Branch", "Region", "Repeat"]


@dataclass(frozen=True)
class Region:
    """Steps, and the values that they give: numbers of the host's, or what is on the device."""

    steps: tuple[Step, ...]
    results: tuple[Atom, ...]
    reads: tuple[Var, ...]

    def do(self, run: Run, layouts: Sequence[Layout]) -> list[Any]:
        """Run the steps; gives the values in these layouts."""
        values, numbers = dict(run.values), dict(run.numbers)
        for step in self.steps:
            step.do(run)
        found = [value_of(run, atom, layout) for atom, layout in zip(self.results, layouts, strict=True)]
        run.values, run.numbers = values, numbers
        return found


def value_of(run: Run, atom: Atom, layout: Layout) -> Any:
    """A number of the host's, or what is on the device; a number goes there where that is wanted."""
    if layout is Layout.NUMBER:
        return run.number(atom)
    if isinstance(atom, Lit) or atom not in run.values:
        return run.cell(atom.type.dtype, run.number(atom))
    return run.values[atom]


def bind(run: Run, variables: Iterable[Var], values: Iterable[Any]) -> None:
    for var, value in zip(variables, values, strict=True):
        (run.values if isinstance(value, Placed) else run.numbers)[var] = value


@dataclass(frozen=True)
class Branch(Step):
    """A branch on a number of the host's."""

    condition: Atom
    then: Region
    otherwise: Region
    outs: tuple[Var, ...]
    layouts: tuple[Layout, ...]

    def reads(self) -> Iterable[Var]:
        return [*atoms([self.condition]), *self.then.reads, *self.otherwise.reads]

    def do(self, run: Run) -> None:
        taken = self.then if run.number(self.condition) else self.otherwise
        bind(run, self.outs, taken.do(run, self.layouts))


@dataclass(frozen=True)
class Repeat(Step):
    """A loop of the host's: so many times, or as long as a region gives true.

    Attributes:
        counter: the number of an iteration, of a loop that runs so many times.
        layouts: of what is carried.
    """

    trips: Atom | None
    test: Region | None
    counter: Var | None
    inits: tuple[Atom, ...]
    params: tuple[Var, ...]
    test_params: tuple[Var, ...]
    body: Region
    outs: tuple[Var, ...]
    layouts: tuple[Layout, ...]

    def reads(self) -> Iterable[Var]:
        known = atoms([*self.inits, *([self.trips] if self.trips is not None else [])])
        return [*known, *self.body.reads, *(self.test.reads if self.test else ())]

    def do(self, run: Run) -> None:
        carried = [value_of(run, init, layout) for init, layout in zip(self.inits, self.layouts, strict=True)]
        k = 0
        while self.goes_on(run, k, carried):
            bind(run, self.params, carried)
            if self.counter is not None:
                run.numbers[self.counter] = self.counter.type.dtype.numpy.type(k)
            carried = self.body.do(run, self.layouts)
            k += 1
        bind(run, self.outs, carried)

    def goes_on(self, run: Run, k: int, carried: Sequence[Any]) -> bool:
        if self.test is None:
            assert self.trips is not None
            return k < int(run.number(self.trips))
        bind(run, self.test_params, carried)
        (answer,) = self.test.do(run, (Layout.NUMBER,))
        return bool(answer)

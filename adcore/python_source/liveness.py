"""Which values are still needed at a place of a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..program import Equation, Program, regions
from ..types import Atom, Var

__all__ = ["Frame", "Position", "reads"]


def reads(equation: Equation) -> Iterator[Var]:
    """Every value that the equation's Python reads, its regions included, once for each place that reads it."""
    for atom in equation.operands:
        if isinstance(atom, Var):
            yield atom
    if equation.primitive.name == "expand" and equation.operands[0].type.shape:
        kept = (a for i, a in enumerate(equation.outs[0].type.shape) if i not in equation.params["axes"])
        yield from (a for a in kept if isinstance(a, Var))
    for _, region in regions(equation):
        yield from _outside_reads(region)


def _outside_reads(region: Program) -> Iterator[Var]:
    own = set(region.params)
    for equation in region.equations:
        yield from (v for v in reads(equation) if v not in own)
        own.update(equation.outs)
    yield from (a for a in region.results if isinstance(a, Var) and a not in own)


@dataclass(slots=True)
class Frame:
    """A region being walked: the index of the equation reached, and the regions that repeat if it is in a loop."""

    region: Program
    index: int
    repeated: tuple[Program, ...]


class Position:
    """A place in a program: the frames around it, outermost first."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._last: dict[Program, dict[Var, int]] = {}
        self._own: dict[Program, set[Var]] = {}

    def enter(self, region: Program, repeated: tuple[Program, ...] = ()) -> Frame:
        frame = Frame(region, -1, repeated)
        self.frames.append(frame)
        return frame

    def leave(self) -> None:
        self.frames.pop()

    def used_in(self, region: Program, var: Atom) -> bool:
        return isinstance(var, Var) and var in self.last_uses(region)

    def live(self, var: Var) -> bool:
        """Whether a value defined already is read after the equation reached, in any later iteration too."""
        for frame in reversed(self.frames):
            if self.last_uses(frame.region).get(var, -1) > frame.index:
                return True
            if var in self._own[frame.region]:
                return False
            if any(self.used_in(region, var) for region in frame.repeated):
                return True
        return False

    def last_uses(self, region: Program) -> dict[Var, int]:
        """For each value that the region reads, the index of the last equation that does; results come last."""
        if region not in self._last:
            last: dict[Var, int] = {}
            for index, equation in enumerate(region.equations):
                last.update(dict.fromkeys(reads(equation), index))
            last.update({a: len(region.equations) for a in region.results if isinstance(a, Var)})
            self._last[region] = last
            self._own[region] = {*region.params, *(v for e in region.equations for v in e.outs)}
        return self._last[region]

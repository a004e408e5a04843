"""Counting in a program what its loops do: iterations of the primal's loops, and bytes that they store.

The count and the bytes are carried through every region beside what the program computes, so that they are those of
this very program at the arguments it is run with.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import Builder
from ..program import Equation, Program, regions
from ..storage import extend_test
from ..types import I64, Atom, Type, Var, literal

__all__ = ["Census", "bytes_of", "kept_by"]


def bytes_of(b: Builder, type: Type) -> Atom:
    """The bytes of a value."""
    size: Atom = literal(type.dtype.numpy.itemsize)
    for length in type.shape:
        size = b.mul(size, length)
    return size


def kept_by(equation: Equation, out: Var) -> tuple[Equation, Var] | None:
    """The value that an out of a loop keeps of its iterations, with the loop that computes it."""
    if equation.primitive.name not in ("loop", "while"):
        return None
    body: Program = equation.params["body"]
    result = body.results[equation.outs.index(out)]
    producer = next((e for e in body.equations if result in e.outs), None)
    if producer is None or producer.keeps is None:
        return None
    inner = next((e for e in body.equations if producer.keeps in e.outs), None)
    deeper = kept_by(inner, producer.keeps) if inner is not None else None
    return deeper or (equation, producer.keeps)


@dataclass
class Census:
    """Extends equations, in place.

    Attributes:
        loops: iterations of loops with numbers up to this one are counted.
    """

    loops: int

    def extend(self, equations: list[Equation], count: Atom, depth: int = 0) -> tuple[Atom, Atom]:
        """Gives the count after the equations, and the most bytes that loops inside of them store at one time."""
        b = Builder()
        stored: Atom = literal(0)
        deepest: Atom = literal(0)
        for equation in equations:
            outs = equation.outs
            if any(True for _ in regions(equation)):
                count, inside = self.enter(equation, count, depth)
                b.enter(equation)
                deepest = b.maximum(deepest, inside)
            else:
                b.enter(equation)
            if depth:
                for out in outs:
                    if kept_by(equation, out):
                        stored = b.add(stored, bytes_of(b, out.type))
        equations[:] = b.equations
        b.equations = equations
        return count, b.add(stored, deepest)

    def enter(self, equation: Equation, count: Atom, depth: int) -> tuple[Var, Var]:
        outs = (Var(I64, "iterations"), Var(I64, "stored"))
        if equation.primitive.name in ("loop", "while"):
            self.extend_loop(equation, count, depth)
        else:
            for _, region in regions(equation):
                region.results = (*region.results, *self.extend(region.equations, count, depth + 1))
        equation.outs = (*equation.outs, *outs)
        return outs

    def extend_loop(self, equation: Equation, count: Atom, depth: int) -> None:
        body: Program = equation.params["body"]
        params = (Var(I64, "iterations"), Var(I64, "stored"))
        after, stored = self.extend(body.equations, params[0], depth + 1)
        ending = Builder()
        if 0 < equation.number <= self.loops:
            after = ending.add(after, 1)
        stored = ending.maximum(params[1], stored)
        body.equations.extend(ending.equations)
        if "test" in equation.params:
            extend_test(equation.params["test"], body.params, params)
        body.params = (*body.params, *params)
        body.results = (*body.results, after, stored)
        equation.operands = (*equation.operands, count, literal(0))

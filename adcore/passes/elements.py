"""Elements of arrays that all iterations of a loop read, read in front of the loop.

In

    for i in range(len(x)):
        for j in range(n):
            s += f(x[i] - x[j])

x[i] is the same in all iterations of the inner loop.  Read in front of it, its cotangent is summed in a register
instead of in memory; and where the loop writes the array,

    for j in range(k + 1, n):
        a[i, j] -= a[i, k] * a[k, j]

it need not be read again after each write.  Such an element has to be one that no iteration writes, and since a loop
may run no iteration, it has to be there without what the loop checks: what the counters of the loops around run to
shows it, or it has been read or written before.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..program import Equation, Program, defined, regions, uses
from ..types import Atom, DType, Type, Var
from .bounds import Bounds
from .stability import note_stable_reads

__all__ = ["hoist_elements"]

I64 = Type(DType.I64)
Place = tuple[tuple[Atom, ...], tuple[Atom, ...]]  # the shape of an array, and indices


def hoist_elements(program: Program) -> None:
    """Move, in place, the elements that all iterations of a loop read in front of the loop, and note stable reads."""
    note_stable_reads(program)
    if _Hoisting({}, {}).hoist(program, frozenset()):
        note_stable_reads(program)


@dataclass
class _Hoisting:
    """What is known so far: where variables are from, and the trip counts of the loops around by their counters."""

    definitions: dict[Var, Equation]
    trips: dict[Var, Atom]

    def hoist(self, region: Program, touched: frozenset[Place]) -> bool:
        """Move what can be moved in a region; gives whether there was any.

        The places in `touched` are there.
        """
        found: list[Equation] = []
        any_moved = False
        for equation in region.equations:
            self.definitions.update(dict.fromkeys(equation.outs, equation))
            for _, inner in regions(equation):
                if equation.primitive.name == "loop":
                    self.trips[inner.params[0]] = equation.operands[0]
                any_moved |= self.hoist(inner, touched)
                if equation.primitive.name == "loop":
                    del self.trips[inner.params[0]]
            if equation.primitive.name in ("loop", "while"):
                bounds = Bounds(self.definitions, frozenset(), dict(self.trips), {*self.trips})
                loop = _Loop(equation, bounds, touched)
                moved = loop.take(loop.body, defined(loop.body))
                found += moved
                any_moved |= bool(moved)
            touched |= _touched(equation)
            found.append(equation)
        region.equations[:] = found
        return any_moved


def _touched(equation: Equation) -> frozenset[Place]:
    """The place of an array that an equation reads or writes, of one element."""
    name, operands = equation.primitive.name, equation.operands
    if name not in ("view", "update", "add_at") or equation.params["codes"].strip("i"):
        return frozenset()
    return frozenset({(operands[0].type.shape, operands[1 if name == "view" else 2 :])})


class _Loop:
    """A loop, the bounds of integers in front of it, and the places that are there when it begins."""

    def __init__(self, equation: Equation, bounds: Bounds, touched: frozenset[Place]) -> None:
        self.number, self.body = equation.number, equation.params["body"]
        self.bounds, self.touched = bounds, touched
        carries = len(self.body.results)
        pairs = zip(self.body.params[-carries:], equation.operands[-carries:], strict=True) if carries else ()
        self.initial = dict(pairs)

    def take(self, region: Program, inside: set[Var]) -> list[Equation]:
        """The reads that are the same in all iterations, with their indices, removed from a region of the body."""
        moved: list[Equation] = []
        indices: dict[Var, Equation] = {}  # which may be moved
        for equation in region.equations:
            if _is_arithmetic(equation) and inside.isdisjoint(v for v in uses(equation) if v not in indices):
                indices[equation.outs[0]] = equation
            elif self.is_common(equation, inside - indices.keys()):
                moved += [*_needed(equation, indices), equation]
                equation.operands = (self.before(equation), *equation.operands[1:])
            elif equation.primitive.name == "cond":
                for _, branch in regions(equation):
                    moved += self.take(branch, inside | defined(branch))
        moved = [*{id(e): e for e in moved}.values()]
        region.equations[:] = [e for e in region.equations if not any(e is m for m in moved)]
        return moved

    def before(self, read: Equation) -> Atom:
        """The array that is read, as it is in front of the loop."""
        array = read.operands[0]
        return self.initial.get(array, array) if self.number in read.stable else array

    def is_common(self, equation: Equation, inside: set[Var]) -> bool:
        if equation.primitive.name != "view" or equation.params["codes"].strip("i"):
            return False
        array, *indices = equation.operands
        if not inside.isdisjoint(v for v in (self.before(equation), *indices) if isinstance(v, Var)):
            return False
        if (array.type.shape, tuple(indices)) in self.touched:
            return True
        return all(self.bounds.is_index(i, n) for i, n in zip(indices, array.type.shape, strict=True))


def _is_arithmetic(equation: Equation) -> bool:
    """Whether an equation computes an integer as indices are computed, wherever it stands."""
    return equation.primitive.name in ("add", "sub", "mul", "neg") and equation.outs[0].type == I64


def _needed(equation: Equation, indices: dict[Var, Equation]) -> list[Equation]:
    """The equations that give an equation's operands, in order."""
    return [e for v in uses(equation) if v in indices for e in (*_needed(indices[v], indices), indices[v])]

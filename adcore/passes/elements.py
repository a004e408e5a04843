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
may run no iteration, it has to be there without what the loop checks: the counters of the loops around show it, or it
has been read or written before.
"""

from __future__ import annotations

from ..program import Equation, Program, defined, regions
from ..types import Atom, Var
from .stability import note_stable_reads

__all__ = ["hoist_elements"]

Place = tuple[tuple[Atom, ...], tuple[Atom, ...]]  # the shape of an array, and indices


def hoist_elements(program: Program) -> None:
    """Move, in place, the elements that all iterations of a loop read in front of the loop, and note stable reads."""
    note_stable_reads(program)
    if _hoist(program, {}, frozenset()):
        note_stable_reads(program)


def _hoist(region: Program, bounds: dict[Var, Atom], touched: frozenset[Place]) -> bool:
    """Do so in a region; gives whether there were any.

    `bounds` has what the counters around are below, `touched` the places that are there.
    """
    found: list[Equation] = []
    any_moved = False
    for equation in region.equations:
        counter = {}
        for _, inner in regions(equation):
            if equation.primitive.name == "loop":
                counter = {inner.params[0]: equation.operands[0]}
            any_moved |= _hoist(inner, {**bounds, **counter}, touched)
        if equation.primitive.name in ("loop", "while"):
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
    """A loop, what the counters around it are below, and which places are there when it begins."""

    def __init__(self, equation: Equation, bounds: dict[Var, Atom], touched: frozenset[Place]) -> None:
        self.number, self.body = equation.number, equation.params["body"]
        self.bounds, self.touched = bounds, touched
        carries = len(self.body.results)
        pairs = zip(self.body.params[-carries:], equation.operands[-carries:], strict=True) if carries else ()
        self.initial = dict(pairs)

    def take(self, region: Program, inside: set[Var]) -> list[Equation]:
        """The reads that are the same in all iterations, removed from a region of the body."""
        moved: list[Equation] = []
        kept: list[Equation] = []
        for equation in region.equations:
            if self.is_common(equation, inside):
                equation.operands = (self.before(equation), *equation.operands[1:])
                moved.append(equation)
                continue
            if equation.primitive.name == "cond":
                for _, branch in regions(equation):
                    moved += self.take(branch, inside | defined(branch))
            kept.append(equation)
        region.equations[:] = kept
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
        lengths = zip(indices, array.type.shape, strict=True)
        counted = all(isinstance(i, Var) and self.bounds.get(i) == n for i, n in lengths)
        return counted or (array.type.shape, tuple(indices)) in self.touched

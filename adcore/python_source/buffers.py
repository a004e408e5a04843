"""Arrays that a loop's iterations need one after the other, and that are therefore made once, in front of the loop.

    for i in range(n):                   t = np.empty(m)
        t = np.empty(m)                  for i in range(n):
        for j in range(m):                   for j in range(m):
            t[j] = x[i, j] - y[j]                t[j] = x[i, j] - y[j]

No iteration may hand its array on, and the array's lengths have to be those of arrays that are there in front of the
loop: another may be negative where the loop runs no iteration.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from ..program import Equation, Program, regions
from ..types import Atom, Lit, Var
from .memory import WRITES, carried
from .storage import Storage

__all__ = ["buffers_of", "stays_in_place"]


def buffers_of(program: Program, storage: Storage) -> dict[Equation, list[Equation]]:
    """The arrays to be made in front of each loop."""
    found = _Buffers(storage)
    found.visit(program, {n for v in program.params for n in v.type.shape}, ())
    return found.before


@dataclass
class _Buffers:
    storage: Storage
    before: dict[Equation, list[Equation]] = field(default_factory=lambda: defaultdict(list))

    def visit(self, region: Program, lengths: set[Atom], loops: tuple[tuple[Equation, set[Atom]], ...]) -> None:
        """Look through a region inside of loops, with the lengths of arrays that are there in front of each."""
        for equation in region.equations:
            if equation.primitive.name == "empty":
                loop = self.outermost(equation, loops)
                if loop is not None:
                    self.before[loop].append(equation)
            repeats = equation.primitive.name in ("loop", "while")
            for _, inner in regions(equation):
                around = (*loops, (equation, set(lengths))) if repeats else loops
                self.visit(inner, set(lengths), around)
            lengths |= {n for v in equation.outs for n in v.type.shape}

    def outermost(self, array: Equation, loops: tuple[tuple[Equation, set[Atom]], ...]) -> Equation | None:
        """The outermost of the loops in front of which an array may be made."""
        found = None
        root = self.storage.root(array.outs[0])
        for loop, lengths in reversed(loops):
            handed_on = {self.storage.root(v) for v in loop.outs}
            if root in handed_on or not all(isinstance(n, Lit) or n in lengths for n in array.operands):
                break
            found = loop
        return found


def stays_in_place(storage: Storage, region: Program, result: Atom, param: Atom) -> bool:
    """Whether a result of a region is the array of a parameter, written in place."""
    defining = {v: (e, j) for e in region.equations for j, v in enumerate(e.outs)}
    while result is not param:
        if not isinstance(result, Var) or result not in defining:
            return False
        equation, j = defining[result]
        if storage.copies(equation, j):
            return False
        if equation.primitive.name in WRITES:
            result = equation.operands[0]
        elif equation.primitive.name in ("loop", "while"):
            inits, params = carried(equation)
            body = equation.params["body"]
            if not stays_in_place(storage, body, body.results[j], params[j]):
                return False
            result = inits[j]
        else:
            return False
    return True

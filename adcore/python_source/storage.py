"""Which values share memory when updates write in place.

Values fall into classes that may share memory: a view with its array, an updated array with the one before, what a
loop carries with its initial value and result.  Where a copy is taken (`cuts_of`) the edge is cut.  Classes ignore the
order of equations: they err towards sharing.
"""

from __future__ import annotations

from ..program import Equation, Program, regions
from ..types import Atom, Var
from .memory import VIEWS, WRITES, carried, cuts_of
from .separate import is_fresh_constant

__all__ = ["Storage"]


class Storage:
    """The classes of a program's arrays, and the edges cut: `(equation, 0)` for an update, `(loop, j)` for a carry."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cuts = cuts_of(program)
        self._classify()

    def root(self, var: Var) -> Var:
        """The representative of a value's class."""
        while (up := self._up.get(var, var)) is not var:
            var = up
        return var

    def copies(self, equation: Equation, carry: int = 0) -> bool:
        return (equation, carry) in self.cuts

    def is_own(self, var: Var) -> bool:
        """Whether the value's memory belongs to the function and may be written."""
        return self.root(var) not in self._foreign

    # Classes

    def _classify(self) -> None:
        self._up: dict[Var, Var] = {}
        foreign = list(self.program.params)
        self._link_region(self.program, foreign)
        self._foreign = {self.root(v) for v in foreign}

    def _link(self, one: Atom, other: Atom) -> None:
        if isinstance(one, Var) and isinstance(other, Var) and one.type.shape:
            self._up.setdefault(one, one)
            self._up.setdefault(other, other)
            self._up[self.root(other)] = self.root(one)

    def _link_region(self, region: Program, foreign: list[Var]) -> None:
        for equation in region.equations:
            name, operands, outs = equation.primitive.name, equation.operands, equation.outs
            if name in WRITES and isinstance(operands[0], Var):
                self._link(outs[0], outs[0] if (equation, 0) in self.cuts else operands[0])
            elif name in VIEWS and not is_fresh_constant(equation):
                self._link(outs[0], operands[0])
                foreign += outs if name == "expand" else ()
            elif name == "cond":
                for branch in ("then", "otherwise"):
                    for out, result in zip(outs, equation.params[branch].results, strict=True):
                        self._link(out, result)
            elif name in ("loop", "while"):
                self._link_loop(equation)
            for _, inner in regions(equation):
                self._link_region(inner, foreign)

    def _link_loop(self, equation: Equation) -> None:
        body = equation.params["body"]
        for j, (init, param) in enumerate(zip(*carried(equation), strict=True)):
            self._link(param, equation.outs[j])
            self._link(param, body.results[j])
            if "test" in equation.params:
                self._link(param, equation.params["test"].params[j])
            if (equation, j) not in self.cuts:
                self._link(param, init)

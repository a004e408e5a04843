"""Which values share memory when updates write in place, and where a copy must be taken instead.

Values fall into classes that may share memory: a view with its array, an updated array with the one before, what a
loop carries with its initial value and result.  A write in place is right if no other value of the class is read
after it and the memory is the function's own.  Where that fails the edge is cut: the update copies first, or the loop
starts from a copy.  Classes ignore the order of equations, so they err towards copying.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..program import Equation, Program, regions
from ..types import Atom, Var
from .liveness import Position
from .separate import is_fresh_constant

__all__ = ["Storage"]

_WRITES = ("update", "add_at", "scatter", "scatter_add")
_VIEWS = ("view", "permute", "reshape", "conform", "expand")

Cut = tuple[Equation, int]


class Storage:
    """The classes of a program's arrays, and the edges cut: `(equation, 0)` for an update, `(loop, j)` for a carry."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cuts: set[Cut] = set()
        self._classify()
        self._bound: set[Var] = set(program.params)
        self._decide(program, Position(), ())

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
        self._writes: list[tuple[Equation, Var]] = []
        foreign = list(self.program.params)
        self._link_region(self.program, foreign)
        self._foreign = {self.root(v) for v in foreign}
        self._members: dict[Var, list[Var]] = defaultdict(list)
        for var in self._up:
            self._members[self.root(var)].append(var)

    def _link(self, one: Atom, other: Atom) -> None:
        if isinstance(one, Var) and isinstance(other, Var) and one.type.shape:
            self._up.setdefault(one, one)
            self._up.setdefault(other, other)
            self._up[self.root(other)] = self.root(one)

    def _link_region(self, region: Program, foreign: list[Var]) -> None:
        for equation in region.equations:
            name, operands, outs = equation.primitive.name, equation.operands, equation.outs
            if name in _WRITES and isinstance(operands[0], Var):
                self._link(outs[0], outs[0] if (equation, 0) in self.cuts else operands[0])
            elif name in _VIEWS and not is_fresh_constant(equation):
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

    # Cuts

    def _decide(self, region: Program, position: Position, repeated: tuple[Program, ...]) -> None:
        frame = position.enter(region, repeated)
        self._bound.update(region.params)
        for frame.index, equation in enumerate(region.equations):
            inner = tuple(r for _, r in regions(equation))
            if equation.primitive.name in _WRITES:
                self._decide_write(equation, position)
            elif equation.primitive.name in ("loop", "while"):
                self._decide_entry(equation, position, inner)
            for nested in inner:
                self._decide(nested, position, inner if equation.primitive.name != "cond" else ())
            self._bound.update(equation.outs)
        position.leave()

    def _cut(self, cut: Cut) -> None:
        self.cuts.add(cut)
        self._classify()

    def _mates(self, var: Var) -> list[Var]:
        return [m for m in self._members[self.root(var)] if m in self._bound]

    def _decide_write(self, equation: Equation, position: Position) -> None:
        x = equation.operands[0]
        if isinstance(x, Var) and (not self.is_own(x) or any(position.live(m) for m in self._mates(x))):
            self._cut((equation, 0))

    def _decide_entry(self, equation: Equation, position: Position, inner: tuple[Program, ...]) -> None:
        """A carry that the loop writes starts from a copy unless its initial value is not needed otherwise."""
        inits, params = carried(equation)
        for j, (init, param) in enumerate(zip(inits, params, strict=True)):
            if not param.type.shape or not isinstance(init, Var) or not self._written(param, inner):
                continue
            shared = [m for m in self._mates(init) if position.live(m) or any(position.used_in(r, m) for r in inner)]
            others = [p for p in params if p is not param and p.type.shape and self.root(p) is self.root(param)]
            if shared or others or not self.is_own(init):
                self._cut((equation, j))

    def _written(self, param: Var, inner: tuple[Program, ...]) -> bool:
        return any(
            self._written(param, tuple(r for _, r in regions(e)))
            or (e.primitive.name in _WRITES and self._shares(e.operands[0], param))
            for region in inner
            for e in region.equations
        )

    def _shares(self, one: Any, other: Var) -> bool:
        return isinstance(one, Var) and self.root(one) is self.root(other)


def carried(equation: Equation) -> tuple[tuple[Atom, ...], tuple[Var, ...]]:
    """Initial values and body parameters of a loop's carries."""
    if equation.primitive.name == "loop":
        return equation.operands[1:], equation.params["body"].params[1:]
    return equation.operands, equation.params["body"].params

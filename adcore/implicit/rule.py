"""The derivative of a solution by the condition that it solves (the implicit function theorem).

With F(x, p) = 0 along all solutions x(p): ∂₁F dx + ∂₂F dp = 0.  So the tangent is the solution dx of A dx = -B dp with
A = ∂₁F and B = ∂₂F at the solution, and the cotangent of p is -Bᵀ u with Aᵀ u the cotangent of x.  A and B are never
stated by anybody: they are the linear program of F and its dual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..builder import Builder
from ..derive import pull, push
from ..marks import RULED, attached
from ..program import Equation, Program, clone_equation
from ..rules import Rule, conformed, spliced
from ..stated import still
from ..types import Atom, Var
from .systems import Solver, solved

__all__ = ["Implicit"]


@dataclass(frozen=True, eq=False)
class Implicit(Rule):
    """The rule of a call that solves a condition.

    Attributes:
        name, function: of what solves it.
        arguments: how many operands the call has; none of them is closed over.
        condition: its parameters are the unknowns, then what it depends on; its results are of the unknowns' types.
        unknowns: how many these are: the last results of the call but for `further` ones.
        places: for each other parameter of the condition the operand of the call that it is.
        solver: of the linear systems.
        further: how many more results the call has, which have no derivative.
        around: the operands that are what the solver may read of the functions around it.
    """

    name: str
    function: object
    arguments: int
    condition: Program
    unknowns: int
    places: tuple[int, ...]
    solver: Solver
    further: int = 0
    around: tuple[int, ...] = ()
    closed: tuple[str, ...] = field(default=())
    surrogate: bool = False
    instead: str = ""

    @property
    def moving(self) -> list[int]:
        """The parameters of the condition after the unknowns that have a derivative, by their positions there."""
        rest = self.condition.params[self.unknowns :]
        return [k for k, param in enumerate(rest) if param.type.dtype.differentiable]

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        operands = [still(b, a, k in moving) for k, a in enumerate(equation.operands)]
        pairs = zip(equation.operands, operands, strict=True)
        again = clone_equation(equation, {a: s for a, s in pairs if isinstance(a, Var)})
        b.enter(again)
        end = len(equation.outs) - self.further
        start = end - self.unknowns
        known: dict[Var, Atom] = {}
        values: list[Atom] = []
        ruled: list[Var] = []
        for k, (out, value) in enumerate(zip(equation.outs, again.outs, strict=True)):
            if not start <= k < end:
                known[out] = value
                attached(b, value, None, out)
        for out, value in zip(equation.outs[start:end], again.outs[start:end], strict=True):
            values.append(conformed(b, value, out.type, f"the solution of {self.name}", b.source, known))
            ruled.append(out)
        arguments = [equation.operands[self.places[k]] for k in self.moving]
        kept = [*values, *(operands[k] for k in (*self.places, *self.around))]
        params = {"values": len(values), "arguments": len(arguments)}
        b.enter(Equation(RULED, (*values, *arguments, *kept), params, tuple(ruled), b.source, rule=self))

    def pushforward(
        self, b: Builder, kept: Sequence[Atom], tangents: Sequence[Atom | None], arguments: Sequence[Atom]
    ) -> list[Atom]:
        """Emit the tangents of the solution; None is the tangent of an argument that does not move."""
        pairs = [(self.unknowns + k, t) for k, t in zip(self.moving, tangents, strict=True) if t is not None]
        along = push(self.condition, [k for k, _ in pairs])
        found = spliced(b, along, [*self.point(kept), *(t for _, t in pairs)])[len(self.condition.results) :]
        return self.solution(b, kept, [b.neg(x) for x in found], transposed=False)

    def pullback(
        self, b: Builder, kept: tuple[Atom, ...], cotangents: list[Atom], arguments: tuple[Atom, ...], linear: bool
    ) -> list[Atom | None]:
        """As in `adcore.ruling.Pullback`."""
        weights = self.solution(b, kept, [b.neg(x) for x in cotangents], transposed=True)
        back = pull(self.condition, [self.unknowns + k for k in self.moving])
        return list(spliced(b, back, [*self.point(kept), *weights])[len(self.condition.results) :])

    def point(self, kept: Sequence[Atom]) -> Sequence[Atom]:
        """The values of the condition's parameters, of all that is kept."""
        return kept[: self.unknowns + len(self.places)]

    def solution(self, b: Builder, kept: Sequence[Atom], right: Sequence[Atom], transposed: bool) -> list[Atom]:
        point, around = self.point(kept), kept[self.unknowns + len(self.places) :]
        return solved(b, self.condition, self.unknowns, point, right, self.solver, transposed, self.name, around)

"""Which values of a program depend on the arguments: the real ones that move, and what is decided by them."""

from __future__ import annotations

from collections.abc import Iterable

from ..forward_rules import ByArgument
from ..passes.dce import has_effect
from ..primitives import Kind
from ..program import Equation, Program, regions, uses
from ..types import Atom, DType, Var

__all__ = ["Marks", "is_kept", "is_real", "places_of_extremum"]

_KEPT = {"isnan", "isfinite", "add_wraps", "sub_wraps", "mul_wraps"}
_DECIDED = {"lt", "le", "gt", "ge", "cast", "argsort", "side"}  # rows that make decisions of real numbers
_SEEN_THROUGH = {"expand", "view", "reshape", "conform"}


def is_real(atom: Atom) -> bool:
    """Whether a value is a real or complex number, or an array of them."""
    return atom.type.dtype.differentiable


def is_kept(equation: Equation) -> bool:
    """Whether what an equation decides stays as it is: equality of real numbers, which holds next to nowhere.

    So is what asks for nan, and what asks whether integers wrap around.
    """
    name = equation.primitive.name
    if name in ("eq", "ne"):
        return is_real(equation.operands[0])
    if name == "cast":
        return is_real(equation.operands[0]) and equation.params["dtype"] is DType.BOOL
    return name in _KEPT


def is_constant(equation: Equation) -> bool:
    """Whether a stated derivative says that a function depends on nothing, as `stop_gradient` does."""
    rule = equation.rule
    return isinstance(rule, ByArgument) and rule.surrogate and all(r is None for r in rule.rules)


class Marks:
    """The values that depend on some, and the equation that defines each value, at any depth.

    Attributes:
        marked: the values.
        defining: the equations.
        compared: for two real values, the equations that compare them.
        reported: what equations give that only checks need, which stay as they are.
    """

    def __init__(self, program: Program, moving: Iterable[Var]) -> None:
        self.marked: set[Var] = set(moving)
        self.defining: dict[Var, Equation] = {}
        self.compared: dict[tuple[Atom, ...], list[Equation]] = {}
        self.reported: set[Var] = set()
        self._define(program)
        self.spread(program.equations)

    def __contains__(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in self.marked

    def is_reported(self, equation: Equation) -> bool:
        """Whether an equation is there for checks only."""
        return bool(equation.outs) and equation.outs[0] in self.reported

    def _define(self, region: Program) -> None:
        self._report(region)
        for equation in region.equations:
            self.defining.update(dict.fromkeys(equation.outs, equation))
            if equation.primitive.name in ("lt", "le", "gt", "ge") and is_real(equation.operands[0]):
                self.compared.setdefault(equation.operands, []).append(equation)
            for _, inner in regions(equation):
                self._define(inner)

    def _report(self, region: Program) -> None:
        needed: set[Atom] = set(region.results)
        for equation in reversed(region.equations):
            if equation.primitive.kind is Kind.CHECK:
                continue
            if has_effect(equation) or not needed.isdisjoint(equation.outs):
                needed.update(uses(equation))
            else:
                self.reported.update(equation.outs)

    def spread(self, equations: Iterable[Equation]) -> None:
        for equation in equations:
            name = equation.primitive.name
            if self.is_reported(equation):
                continue
            if name in ("loop", "while"):
                self._loop(equation)
            elif name == "custom":
                if not is_constant(equation) and self._any(equation.operands):
                    self.marked.update(filter(is_real, equation.outs))
            elif equation.primitive.has_regions:
                for _, region in regions(equation):
                    self.spread(region.equations)
                    self._ends(zip(region.results, equation.outs, strict=True))
                if self._any(equation.operands):
                    self.marked.update(equation.outs)
            else:
                self.marked.update(self._reached(equation))

    def _reached(self, equation: Equation) -> tuple[Var, ...]:
        if is_kept(equation):
            return ()
        if places_of_extremum(equation, self) is not None:
            return equation.outs
        touching = [a for a in equation.operands if a in self]
        if not touching:
            return ()
        if equation.primitive.name in _DECIDED or not all(map(is_real, touching)):
            return equation.outs
        return tuple(filter(is_real, equation.outs))

    def _any(self, atoms: Iterable[Atom]) -> bool:
        return any(a in self for a in atoms)

    def _ends(self, pairs: Iterable[tuple[Atom, Var]]) -> None:
        self.marked.update(to for source, to in pairs if source in self)

    def _loop(self, equation: Equation) -> None:
        body: Program = equation.params["body"]
        count = len(body.results)
        inits, params = equation.operands[len(equation.operands) - count :], body.params[len(body.params) - count :]
        self._ends(zip(inits, params, strict=True))
        before = -1
        while before != len(self.marked):
            before = len(self.marked)
            self.spread(body.equations)
            self._ends(zip(body.results, params, strict=True))
        self._ends(zip(params, equation.outs, strict=True))
        if "test" in equation.params:
            test: Program = equation.params["test"]
            self._ends(zip(params, test.params, strict=True))
            self.spread(test.equations)


def places_of_extremum(equation: Equation, marks: Marks) -> tuple[Var, bool, Atom] | None:
    """What `np.argmax` or `np.argmin` comes to: the array, whether its largest is meant, and the places.

    The library takes the first of the places where the array is equal to its extremum: the least of
    `select(x == extremum | isnan(x), places, n)`.
    """
    if equation.primitive.name != "reduce_min" or is_real(equation.operands[0]) or len(equation.params["axes"]) != 1:
        return None
    chosen = _made(equation.operands[0], marks)
    if chosen is None or chosen.primitive.name != "select":
        return None
    hit = _made(chosen.operands[0], marks)
    if hit is not None and hit.primitive.name == "or":
        hit = _made(hit.operands[0], marks)
    if hit is None or hit.primitive.name != "eq":
        return None
    x, extremum = hit.operands[0], _made(hit.operands[1], marks)
    while extremum is not None and extremum.primitive.name in _SEEN_THROUGH:
        extremum = _made(extremum.operands[0], marks)
    if extremum is None or extremum.primitive.name not in ("reduce_max", "reduce_min"):
        return None
    if not isinstance(x, Var) or x not in marks or not is_real(x):
        return None
    if extremum.operands[0] is not x or extremum.params["axes"] != equation.params["axes"]:
        return None
    return x, extremum.primitive.name == "reduce_max", chosen.operands[1]


def _made(atom: Atom, marks: Marks) -> Equation | None:
    return marks.defining.get(atom) if isinstance(atom, Var) else None

"""Before printing: drop what nothing uses, and give every use of a cheap array constant its own copy.

Equal equations are shared in a Program, so two accumulators that both start as zeros are one value.  In Python each
writes `np.zeros(n)` for itself, and may then be written in place.
"""

from __future__ import annotations

from ..passes.inline import inline_regions
from ..primitives import Kind
from ..program import Equation, Program, clone, clone_equation
from ..types import Atom, Var
from .liveness import reads

__all__ = ["is_fresh_constant", "separated"]


def separated(program: Program) -> Program:
    """A program of the same meaning in which each array constant is used once and every other value is used."""
    program = inline_regions(clone(program))
    constants = {e.outs[0]: e for e in _all_equations(program) if is_fresh_constant(e)}
    _separate(program, constants)
    _drop_unused(program)
    return program


def is_fresh_constant(equation: Equation) -> bool:
    """Whether the equation makes an array out of scalars."""
    name = equation.primitive.name
    return name in ("iota", "empty") or (name == "expand" and not equation.operands[0].type.shape)


def _all_equations(region: Program) -> list[Equation]:
    found = []
    for equation in region.equations:
        found.append(equation)
        for value in equation.params.values():
            if isinstance(value, Program):
                found += _all_equations(value)
    return found


def _separate(region: Program, constants: dict[Var, Equation]) -> None:
    before, region.equations = region.equations, []

    def own(atom: Atom) -> Atom:
        if not isinstance(atom, Var) or atom not in constants:
            return atom
        copy = clone_equation(constants[atom], {})
        region.equations.append(copy)
        return copy.outs[0]

    for equation in before:
        if is_fresh_constant(equation):
            continue
        operands = tuple(own(a) for a in equation.operands)
        for value in equation.params.values():
            if isinstance(value, Program):
                _separate(value, constants)
        region.equations.append(Equation(equation.primitive, operands, equation.params, equation.outs, equation.source))
    region.results = tuple(own(a) for a in region.results)


def _drop_unused(region: Program) -> None:
    """Drop pure equations without uses, last first, since dropping one may leave its operands unused."""
    kept: list[Equation] = []
    used = {a for a in region.results if isinstance(a, Var)}
    for equation in reversed(region.equations):
        for value in equation.params.values():
            if isinstance(value, Program):
                _drop_unused(value)
        if may_raise(equation) or any(out in used for out in equation.outs):
            used.update(reads(equation))
            kept.append(equation)
    region.equations = kept[::-1]


def may_raise(equation: Equation) -> bool:
    """Whether running the equation shows even if its results are not used."""
    if equation.primitive.has_regions:
        inner = [e for v in equation.params.values() if isinstance(v, Program) for e in v.equations]
        return equation.primitive.name == "while" or any(may_raise(e) for e in inner)
    if equation.primitive.name == "conform":
        return equation.params["checked"]
    return equation.primitive.kind is Kind.CHECK

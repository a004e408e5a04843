"""Counts: integers that a loop changes by small constants only, which cannot get out of 64 bits in a program's life.

A program takes no more than 2^52 steps (a year and more), each of which adds no more than 2^9 to a count; a count that
starts at no more than 2^61 stays below 2^62, whatever loops it runs through.
"""

from __future__ import annotations

from collections.abc import Callable

from adcore.program import Equation, Program
from adcore.types import Atom, Lit, Var

__all__ = ["COUNTED", "DRIFTED", "START", "STEP", "origins"]

COUNTED = 2**52
STEP = 2**9
START = 2**61
DRIFTED = 2**62

Defining = Callable[[Atom], Equation | None]


def origins(atom: Atom, params: set[Var], defining: Defining) -> set[Var] | None:
    """The parameters from which an integer counts: on each path it is one of them, or a constant, with small constants
    added.  None where it is something else.
    """
    if isinstance(atom, Lit):
        return set() if abs(atom.value) <= START else None
    if atom in params:
        return {atom}
    equation = defining(atom)
    if equation is None:
        return None
    name, operands = equation.primitive.name, equation.operands
    if name in ("add", "sub"):
        x, y = operands
        if name == "add" and isinstance(x, Lit):
            x, y = y, x
        small = isinstance(y, Lit) and abs(y.value) <= STEP
        return origins(x, params, defining) if small else None
    if name == "select":
        return _joined(origins(o, params, defining) for o in operands[1:])
    if name == "cond":
        position = equation.outs.index(atom)  # type: ignore[arg-type]
        arms = (equation.params["then"], equation.params["otherwise"])
        return _joined(origins(a.results[position], params, _inside(a, defining)) for a in arms)
    if name in ("checkpoint", "custom"):
        body = equation.params["body"]
        return origins(body.results[equation.outs.index(atom)], params, _inside(body, defining))  # type: ignore[arg-type]
    if equation.primitive.has_regions:
        body: Program = equation.params["body"]
        position = equation.outs.index(atom) - len(equation.outs)  # type: ignore[arg-type]
        own = body.params[position]
        if origins(body.results[position], {own}, _inside(body, defining)) is None:
            return None
        return origins(operands[position], params, defining)
    return None


def _joined(found: object) -> set[Var] | None:
    parts = list(found)  # type: ignore[call-overload]
    return None if None in parts else set().union(*parts)


def _inside(region: Program, outer: Defining) -> Defining:
    own = {out: e for e in region.equations for out in e.outs}
    return lambda atom: own.get(atom) or outer(atom)  # type: ignore[arg-type]

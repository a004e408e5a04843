"""What a program computes from some of its parameters, and what from the others alone.

The equations are parted in two: those that are run once, in front of a loop over the values of the parameters that
vary, and those that each iteration runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .passes.dce import has_effect
from .primitives import Kind
from .program import Equation, uses
from .types import Atom, Var

__all__ = ["Parts", "is_total", "parted"]

_MAKERS = {"empty", "expand", "iota"}  # of arrays that are written into, or are not in memory at all
_TOTAL_KINDS = {Kind.REDUCTION, Kind.CONTRACTION, Kind.FACTORIZATION, Kind.SOLVE, Kind.FOURIER}
_TOTAL = {"add", "sub", "mul", "neg", "minimum", "maximum", "select", "cast", "permute", "conform"}


@dataclass
class Parts:
    """The equations of a program in two parts, each in order.

    Attributes:
        outside: what does not vary, to be run once.
        inside: what each iteration runs; equations that make arrays without contents may be in both.
        varying: what only iterations know.
    """

    outside: list[Equation]
    inside: list[Equation]
    varying: set[Var]

    def varies(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in self.varying


def parted(equations: Iterable[Equation], varying: Iterable[Var]) -> Parts:
    """The parts of equations in which some values vary.

    What an iteration checks may be what makes a later equation possible, so that from there on only what cannot fail
    is run ahead.
    """
    parts = Parts([], [], set(varying))
    checked = False
    for equation in equations:
        if any(v in parts.varying for v in uses(equation)) or (checked and not is_total(equation)):
            parts.inside.append(equation)
            parts.varying.update(equation.outs)
            checked |= has_effect(equation)
            continue
        parts.outside.append(equation)
        if equation.primitive.name in _MAKERS:
            parts.inside.append(equation)
    return parts


def is_total(equation: Equation) -> bool:
    """Whether an equation can be run whatever the values are."""
    if has_effect(equation):
        return False
    primitive = equation.primitive
    if primitive.name in _TOTAL or primitive.kind in _TOTAL_KINDS:
        return True
    real = not any(atom.type.dtype.integer for atom in (*equation.operands, *equation.outs))
    return primitive.kind is Kind.ELEMENTWISE and real

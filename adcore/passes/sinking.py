"""Writes moved behind the reads of what they overwrite.

    row = view(a, i)              row = view(a, i)
    b = update(a, zero, i)   ->   z = f(row)
    z = f(row)                    b = update(a, zero, i)
    c = add_at(b, z, j)           c = add_at(b, z, j)

A write is in place where nothing reads the old value later, and on a copy otherwise; behind the last reader it is in
place.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..primitives import Kind
from ..program import Equation, uses
from ..types import Atom, Var

__all__ = ["sunk"]


def sunk(equations: Sequence[Equation]) -> list[Equation]:
    """The equations, each write that would overwrite what is read later directly in front of its first reader."""
    order = list(equations)
    if not any(e.primitive.kind is Kind.WRITE for e in order):
        return order
    memory = _memory(order)
    for position in range(len(order) - 1, -1, -1):
        write = order[position]
        if write.primitive.kind is not Kind.WRITE:
            continue
        target = memory.get(write.operands[0])
        reads = False
        first = position + 1
        while first < len(order) and not _reads(order[first], write.outs[0]):
            reads = reads or any(memory.get(v) is target and v is not write.outs[0] for v in uses(order[first]))
            first += 1
        if reads and target is not None:
            order.insert(first, write)
            del order[position]
    return order


def _reads(equation: Equation, var: Var) -> bool:
    return any(v is var for v in uses(equation))


def _memory(equations: Sequence[Equation]) -> dict[Atom, Var]:
    """For each view the array that it is a part of, and that array for itself."""
    found: dict[Atom, Var] = {}
    for equation in equations:
        source = equation.operands[0] if equation.operands else None
        if equation.primitive.kind is Kind.VIEW and isinstance(source, Var) and source.type.shape:
            found[equation.outs[0]] = found.setdefault(source, source)
        elif equation.primitive.kind is Kind.WRITE and isinstance(source, Var):
            found.setdefault(source, source)
    return found

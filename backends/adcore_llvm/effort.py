"""How many operations a loop takes, about: enough to tell whether it is worth starting several threads for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from adcore.choice import is_slow
from adcore.primitives import Kind
from adcore.program import Equation, Program, regions
from adcore.types import Atom, Lit, Var, literal

from .code import Code

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["effort", "product", "weight"]

UNKNOWN = 8  # a length that only an iteration knows, or the trips of a `while`
SLOW = 8  # of an elementary function
FREE = {Kind.VIEW, Kind.CHECK}
CUBIC = {Kind.FACTORIZATION, Kind.SOLVE}

Polynomial = Counter[tuple[Var, ...]]  # coefficients of products of lengths


def effort(block: Block, body: Program, trips: str) -> str:
    """The operations of so many iterations, as a double."""
    total = "0.0"
    for lengths, count in sorted(_of(block, body).items(), key=lambda item: len(item[0])):
        term = product(block.code, count, [*map(block.scalar, lengths), trips])
        total = block.code.op(f"fadd double {total}, {term}")
    return total


def product(code: Code, count: float, lengths: Sequence[str]) -> str:
    """So many operations for each element of a space of these lengths, as a double."""
    total = repr(float(count))
    for length in lengths:
        total = code.op(f"fmul double {total}, {code.op(f'sitofp i64 {length} to double')}")
    return total


def weight(equation: Equation) -> int:
    """How many operations an equation takes an element."""
    return SLOW if is_slow(equation) else 1


def _of(block: Block, program: Program) -> Polynomial:
    total: Polynomial = Counter()
    for equation in program.equations:
        total.update(_of_one(block, equation))
    return total


def _of_one(block: Block, equation: Equation) -> Polynomial:
    inside: Polynomial = Counter()
    for _, region in regions(equation):
        inside.update(_of(block, region))
    if equation.primitive.kind is Kind.CONTROL:
        trips = {"loop": equation.operands[:1], "while": (literal(UNKNOWN),)}
        return _times(block, inside, trips.get(equation.primitive.name, ()))
    if equation.primitive.kind in FREE:
        return inside
    return _times(block, Counter({(): weight(equation)}), _lengths(equation))


def _lengths(equation: Equation) -> tuple[Atom, ...]:
    """The lengths of the loops that the equation is, about."""
    kind = equation.primitive.kind
    operands = (equation.operands[1],) if kind is Kind.WRITE else (*equation.operands, *equation.outs)
    widest = max((a.type.shape for a in operands), key=len, default=())
    if kind is Kind.CONTRACTION:
        return (*widest, equation.operands[1].type.shape[-1])
    return (*widest, widest[-1]) if kind in CUBIC and widest else widest


def _times(block: Block, polynomial: Polynomial, lengths: tuple[Atom, ...]) -> Polynomial:
    known: tuple[Var, ...] = ()
    factor = 1
    for length in lengths:
        if isinstance(length, Lit):
            factor *= int(length.value)
        elif block.is_bound(length):
            known += (length,)
        else:
            factor *= UNKNOWN
    result: Polynomial = Counter()
    for names, count in polynomial.items():
        result[tuple(sorted((*names, *known), key=block.scalar))] += factor * count
    return result

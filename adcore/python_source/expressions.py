"""Python expressions under construction: text, how tightly it binds, and what it reads."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace

from ..types import ORDER, Lit, Var

__all__ = ["Expression", "Level", "call", "constant", "indexed", "infix", "negated", "read", "union"]


class Level(enum.IntEnum):
    """Python's operator precedences, loosest first."""

    CONDITIONAL = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARISON = 4
    BIT_OR = 5
    BIT_XOR = 6
    BIT_AND = 7
    SHIFT = 8
    SUM = 9
    PRODUCT = 10
    UNARY = 11
    POWER = 12
    ATOM = 13


@dataclass(frozen=True, slots=True)
class Expression:
    """A Python expression.

    Attributes:
        text: the source.
        level: how tightly its outermost operator binds.
        names: the Python variables it reads.
        storage: the classes of arrays whose elements it reads.
        numpy: a scalar that is surely a NumPy one, whose arithmetic does not raise.
        loose: for a repeated value, the value and the axes it lacks, for where NumPy repeats it by itself.
        opposite: the negation, where there is better than `not (...)`.
    """

    text: str
    level: Level = Level.ATOM
    names: frozenset[str] = frozenset()
    storage: frozenset[Var] = frozenset()
    numpy: bool = False
    loose: tuple[Expression, tuple[int, ...]] | None = None
    opposite: str = ""

    def within(self, level: Level) -> str:
        """The text, in parentheses where its operator binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


def read(name: str, storage: frozenset[Var] = frozenset(), numpy: bool = False) -> Expression:
    return Expression(name, names=frozenset((name,)), storage=storage, numpy=numpy)


def constant(lit: Lit) -> Expression:
    """A literal: Python's own numbers as they are, others as NumPy's scalars."""
    value = lit.value
    text = _complex(value) if isinstance(value, complex) else _number(value)
    if lit.dtype not in ORDER:
        return Expression(f"np.{lit.dtype.value}({text})", numpy=True)
    return Expression(text, Level.UNARY if text.startswith("-") else Level.ATOM)


def _complex(value: complex) -> str:
    if math.copysign(1.0, value.real) == 1.0 and value.real == 0.0 and math.isfinite(value.imag):
        return f"{value.imag!r}j"
    return f"complex({_number(value.real)}, {_number(value.imag)})"


def _number(value: bool | int | float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}[str(value)]
    return repr(value)


def union(text: str, *parts: Expression, level: Level = Level.ATOM, numpy: bool = False) -> Expression:
    """An expression with this text that reads what its parts read."""
    names = frozenset().union(*(p.names for p in parts))
    storage = frozenset().union(*(p.storage for p in parts))
    return Expression(text, level, names, storage, numpy)


def call(function: str, *arguments: Expression, numpy: bool = False) -> Expression:
    return union(f"{function}({', '.join(a.text for a in arguments)})", *arguments, numpy=numpy)


def infix(operator: str, level: Level, x: Expression, y: Expression, numpy: bool = False) -> Expression:
    """`x operator y`, left-associative; comparisons do not chain."""
    left = x.within(Level(level + 1) if level is Level.COMPARISON else level)
    return union(f"{left} {operator} {y.within(Level(level + 1))}", x, y, level=level, numpy=numpy)


def indexed(x: Expression, index: str, *parts: Expression) -> Expression:
    return union(f"{x.within(Level.ATOM)}[{index}]", x, *parts)


def negated(x: Expression) -> Expression:
    if x.opposite:
        return replace(x, text=x.opposite, level=Level.COMPARISON, opposite="")
    if x.text.startswith("not ") and x.level is Level.NOT:
        return replace(x, text=x.text.removeprefix("not "), level=Level.NOT)
    return union(f"not {x.within(Level.NOT)}", x, level=Level.NOT)

"""Small facts about integers, enough to leave out bounds checks that cannot fail.

An integer is put in the form `variable + offset`, or for the index of a stencil into a sum of variables.  Known are a
literal lower bound of a variable, and upper bounds of the form `variable <= other + offset`.  Everything else is found
from the equation that defines a value.  A magnitude is a bound of the absolute value, enough to leave out tests for
overflow.
"""

from __future__ import annotations

from collections.abc import Callable

from adcore.builder import Builder
from adcore.types import Atom, DType, Lit, Var, literal

from .counts import COUNTED, DRIFTED, START, origins

__all__ = ["Facts", "linear"]

Linear = tuple[Var | None, int]
Sum = dict[Var, int]  # how often each variable is added
DEPTH = 6
LONGEST = 2**47  # an axis: what can be addressed, in bytes


def linear(b: Builder, atom: Atom) -> Linear:
    """The integer as `variable + offset`, the variable None for a literal."""
    offset = 0
    while isinstance(atom, Var):
        equation = b.defining(atom)
        if equation is None or equation.primitive.name not in ("add", "sub"):
            return atom, offset
        x, y = equation.operands
        if equation.primitive.name == "add" and isinstance(x, Lit):
            x, y = y, x
        if not isinstance(y, Lit):
            return atom, offset
        offset += int(y.value) if equation.primitive.name == "add" else -int(y.value)
        atom = x
    return None, offset + int(atom.value)


def summed(b: Builder, atom: Atom, times: int, into: Sum, depth: int = DEPTH) -> int:
    """Add the integer, so many times, to the terms of a sum; gives its literal part."""
    if isinstance(atom, Lit):
        return times * int(atom.value)
    equation = b.defining(atom) if depth else None
    name = equation.primitive.name if equation is not None else ""
    if equation is not None and name in ("add", "sub"):
        x, y = equation.operands
        return summed(b, x, times, into, depth - 1) + summed(b, y, times if name == "add" else -times, into, depth - 1)
    into[atom] = into.get(atom, 0) + times
    return 0


MAGNITUDES: dict[str, Callable[..., int]] = {
    "neg": lambda x: x,
    "abs": lambda x: x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "floordiv": lambda x, y: x,
    "shift_right": lambda x, y: x,
    "maximum": max,
    "minimum": max,
    "select": max,
}


class Facts:
    """What is known of integers.

    Attributes:
        lower, upper: their bounds.
        bound: bounds of their absolute values.
        drifting: those that a loop carries and that, as far as is known, are counts.
        drifted: those for which something was concluded from it.
    """

    def __init__(self) -> None:
        self.lower: dict[Var, int] = {}
        self.upper: dict[Var, list[Linear]] = {}
        self.bound: dict[Var, int] = {}
        self.drifting: set[Var] = set()
        self.drifted: set[Var] = set()

    def length(self, atom: Atom) -> None:
        """An axis length is not negative."""
        if isinstance(atom, Var):
            self.lower.setdefault(atom, 0)
            self.bound.setdefault(atom, LONGEST)

    def counted(self, atom: Var) -> None:
        """A number of steps taken so far."""
        self.bound[atom] = COUNTED

    def carried(self, b: Builder, init: Atom, param: Var) -> None:
        """An integer that a loop carries: taken for a count, if it starts as one or is not too large."""
        counts = origins(init, self.drifting, b.defining)
        magnitude = self.magnitude(b, init)
        if counts is not None:
            self.drifted |= counts
        if counts is not None or (magnitude is not None and magnitude <= START):
            self.drifting.add(param)

    def drifts(self, atom: Atom | None) -> bool:
        """Whether an integer is taken for a count; from here on something depends on it."""
        if not isinstance(atom, Var) or atom not in self.drifting:
            return False
        self.drifted.add(atom)
        return True

    def magnitude(self, b: Builder, atom: Atom, depth: int = DEPTH) -> int | None:
        """A bound of the integer's absolute value."""
        if isinstance(atom, Lit):
            return abs(int(atom.value))
        if self.drifts(atom):
            return DRIFTED
        if atom in self.bound:
            return self.bound[atom]
        equation = b.defining(atom)
        if equation is None or depth == 0:
            return None
        name, operands = equation.primitive.name, equation.operands
        if name == "cast" and operands[0].type.dtype is DType.BOOL:
            return 1
        if name == "mod" and operands[0].type.dtype is DType.I64:
            return self.magnitude(b, operands[1], depth - 1)
        rule = MAGNITUDES.get(name)
        if rule is None or atom.type.dtype is not DType.I64:
            return None
        parts = [self.magnitude(b, o, depth - 1) for o in operands if o.type.dtype is DType.I64]
        known = [p for p in parts if p is not None]
        return rule(*known) if len(known) == len(parts) else None

    def counter(self, b: Builder, atom: Atom, least: int | None, below: Atom | None) -> None:
        """A loop's counter: at least a literal, and less than an atom."""
        var, offset = linear(b, atom)
        if var is None:
            return
        if least is not None:
            self.lower[var] = max(self.lower.get(var, least - offset), least - offset)
        if below is None:
            return
        base, shift = linear(b, below)
        self.upper.setdefault(var, []).append((base, shift - 1 - offset))
        equation = b.defining(below)
        if least is not None and least >= 0 and equation is not None and equation.primitive.name == "maximum":
            # 0 <= counter < maximum(e, 0), so counter < e
            self.counter(b, atom, least, equation.operands[0])

    def room(self, b: Builder, atom: Atom, limit: Atom, more: int) -> None:
        """An integer plus `more` is at most the limit."""
        var, offset = linear(b, atom)
        base, shift = linear(b, limit)
        if var is not None:
            self.upper.setdefault(var, []).append((base, shift - more - offset))

    def least(self, b: Builder, atom: Atom, depth: int = DEPTH) -> int | None:
        """A literal that the integer is certainly not less than."""
        if isinstance(atom, Lit):
            return int(atom.value)
        if atom in self.lower:
            return self.lower[atom]
        base, offset = linear(b, atom)
        if offset and base in self.lower:
            return self.lower[base] + offset
        equation = b.defining(atom)
        if equation is None or depth == 0 or atom.type.dtype is not DType.I64:
            return None
        name = equation.primitive.name
        if name not in ("add", "sub", "mul", "maximum", "minimum", "floordiv", "mod"):
            return None
        x, y = equation.operands
        one, other = self.least(b, x, depth - 1), self.least(b, y, depth - 1)
        if name == "maximum":
            return max((v for v in (one, other) if v is not None), default=None)
        if name == "sub":
            return one - int(y.value) if one is not None and isinstance(y, Lit) else None
        if name == "mod":
            return 0 if other is not None and other > 0 else None
        if one is None or other is None:
            return None
        if name == "add":
            return one + other
        if name == "minimum":
            return min(one, other)
        positive = one >= 0 and (other >= 0 if name == "mul" else other > 0)
        return 0 if positive else None

    def single(self, b: Builder, length: Atom) -> bool:
        """Whether a length is that of a slice of one element: 1, or 0 where there is none (see `slices`)."""
        equation = b.defining(length)
        return equation is not None and equation.primitive.name == "minimum" and literal(1) in equation.operands

    def nonnegative(self, b: Builder, atom: Atom) -> bool:
        least = self.least(b, atom)
        if least is not None:
            return least >= 0
        terms: Sum = {}
        return self._positive(b, terms, summed(b, atom, 1, terms) + 1, DEPTH)

    def less(self, b: Builder, atom: Atom, bound: Atom) -> bool:
        """Whether one integer is certainly less than another."""
        var, offset = linear(b, atom)
        other, shift = linear(b, bound)
        if var is None:
            least = self.least(b, bound)
            return least is not None and offset < least
        if self._below(b, var, offset, (other, shift), DEPTH):
            return True
        apart: Sum = {}
        return self._positive(b, apart, summed(b, bound, 1, apart) + summed(b, atom, -1, apart), DEPTH)

    def _positive(self, b: Builder, terms: Sum, offset: int, depth: int) -> bool:
        """Whether a sum is certainly more than 0, by upper bounds of what it subtracts and lower bounds of the rest."""
        subtracted = [v for v, times in terms.items() if times < 0]
        if not subtracted:
            least = {v: self.least(b, v) for v, times in terms.items() if times}
            return (
                all(low is not None for low in least.values())
                and offset + sum(terms[v] * low for v, low in least.items() if low is not None) > 0
            )
        if depth == 0:
            return False
        for var in subtracted:
            for base, shift in self.upper.get(var, ()):
                times, rest = terms[var], {v: t for v, t in terms.items() if v is not var}
                further = times * shift + (summed(b, base, times, rest) if base is not None else 0)
                if self._positive(b, rest, offset + further, depth - 1):
                    return True
        return False

    def _below(self, b: Builder, var: Var, offset: int, bound: Linear, depth: int) -> bool:
        """Whether `var + offset` is less than the bound, by the upper bounds known of the variable."""
        if var is bound[0]:
            return offset < bound[1]
        if depth == 0:
            return False
        for base, shift in self.upper.get(var, ()):
            # var <= base + shift
            if base is None:
                if bound[0] is None and shift + offset < bound[1]:
                    return True
            elif self._below(b, base, offset + shift, bound, depth - 1):
                return True
        return False

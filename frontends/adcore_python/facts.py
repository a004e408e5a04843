"""Small facts about integers, enough to leave out bounds checks that cannot fail.

An integer is put in the form `variable + offset`.  Known are a literal lower bound of a variable, and upper bounds of
the form `variable <= other + offset`.  Everything else is found from the equation that defines a value.
"""

from __future__ import annotations

from adcore.builder import Builder
from adcore.types import Atom, DType, Lit, Var

__all__ = ["Facts", "linear"]

Linear = tuple[Var | None, int]
DEPTH = 6


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


class Facts:
    def __init__(self) -> None:
        self.lower: dict[Var, int] = {}
        self.upper: dict[Var, list[Linear]] = {}

    def length(self, atom: Atom) -> None:
        """An axis length is not negative."""
        if isinstance(atom, Var):
            self.lower.setdefault(atom, 0)

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

    def nonnegative(self, b: Builder, atom: Atom) -> bool:
        least = self.least(b, atom)
        return least is not None and least >= 0

    def less(self, b: Builder, atom: Atom, bound: Atom) -> bool:
        """Whether one integer is certainly less than another."""
        var, offset = linear(b, atom)
        other, shift = linear(b, bound)
        if var is None:
            least = self.least(b, bound)
            return least is not None and offset < least
        return self._below(b, var, offset, (other, shift), DEPTH)

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

"""Bounds of integers: indices as sums of counters and lengths, and counters replaced by what they run to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from ..program import Equation
from ..types import Atom, Lit, Var, literal

__all__ = ["Affine", "Bounds"]


@dataclass(frozen=True)
class Affine:
    """`sum of coefficient * variable + constant`."""

    terms: tuple[tuple[Var, int], ...] = ()
    constant: int = 0

    def plus(self, other: Affine, factor: int = 1) -> Affine:
        terms = dict(self.terms)
        for var, coefficient in other.terms:
            terms[var] = terms.get(var, 0) + factor * coefficient
        kept = tuple(sorted(((v, c) for v, c in terms.items() if c), key=lambda t: id(t[0])))
        return Affine(kept, self.constant + factor * other.constant)

    def times(self, factor: int) -> Affine:
        return Affine().plus(self, factor)

    def coefficient(self, var: Var) -> int:
        return dict(self.terms).get(var, 0)

    def without(self, var: Var) -> Affine:
        return Affine(tuple(t for t in self.terms if t[0] is not var), self.constant)


@dataclass
class Bounds:
    """What is known of integers in the body of loops.

    Attributes:
        definitions: the equation that a variable is from.
        around: counters that stay what they are.
        trips: counters that are replaced by their bounds, with the trip counts of their loops.
        inside: what has no name outside: a bound is not given by it.
    """

    definitions: Mapping[Var, Equation]
    around: frozenset[Var]
    trips: dict[Var, Atom]
    inside: set[Var]

    @property
    def counter(self) -> Var | None:
        """A counter that stays what it is where that is of use."""
        return None

    def bounds(self, atom: Atom, upper: bool) -> list[Affine]:
        """Bounds of an integer where it is used; several where one of them may serve, none where none is known."""
        return [b for a in self.forms(atom, upper) for b in self.settled(a, upper, len(self.trips))]

    def settled(self, form: Affine, upper: bool, depth: int) -> list[Affine]:
        """Inner counters replaced by their bounds, until only the loop's counter and outside values are left.

        The bound over all iterations of the loop, without its counter, is given too.
        """
        inner = [v for v, _ in form.terms if v in self.inside and v is not self.counter]
        if inner:
            return self.replaced(inner[0], form, upper, depth)
        if self.counter is not None and form.coefficient(self.counter):
            return [form, *self.replaced(self.counter, form, upper, depth)]
        return [form]

    def replaced(self, var: Var, form: Affine, upper: bool, depth: int) -> list[Affine]:
        """A counter replaced by its bounds."""
        if var not in self.trips or depth < 0:
            return []
        coefficient = form.coefficient(var)
        rest = form.without(var)
        if (coefficient > 0) != upper:  # the counter's least value is 0
            return self.settled(rest, upper, depth - 1)
        sign = 1 if coefficient > 0 else -1
        return [
            b
            for most in self.reached(self.running(self.trips[var]), abs(coefficient))
            for b in self.settled(rest.plus(most, sign), upper, depth - 1)
        ]

    def reached(self, trips: Atom, factor: int) -> list[Affine]:
        """Upper bounds of a counter times a factor, in a loop of so many trips; `n // factor` of them reach n."""
        equation = self.definitions.get(trips) if isinstance(trips, Var) else None
        if equation is not None and equation.primitive.name == "floordiv" and equation.operands[1] == literal(factor):
            return [f.plus(Affine((), -factor)) for f in self.forms(equation.operands[0], True)]
        return [f.plus(Affine((), -1)).times(factor) for f in self.forms(trips, True)]

    def running(self, trips: Atom) -> Atom:
        """A trip count inside its loop, where it is positive: `maximum(n, 0)` is n."""
        equation = self.definitions.get(trips) if isinstance(trips, Var) else None
        if equation is not None and equation.primitive.name == "maximum" and literal(0) in equation.operands:
            x, y = equation.operands
            return y if x == literal(0) else x
        return trips

    def forms(self, atom: Atom, upper: bool) -> list[Affine]:
        """Affine expressions that bound the integer from above or below; itself where it is one."""
        if isinstance(atom, Lit):
            return [Affine((), int(atom.value))]
        equation = self.definitions.get(atom)
        name = equation.primitive.name if equation is not None else ""
        if equation is None or name not in ("add", "sub", "mul", "neg", "minimum", "maximum", "select"):
            return [Affine(((atom, 1),))]
        operands = equation.operands
        if name == "neg":
            return [f.times(-1) for f in self.forms(operands[0], not upper)]
        if name in ("add", "sub"):
            sign = 1 if name == "add" else -1
            seconds = self.forms(operands[1], upper if sign > 0 else not upper)
            return [x.plus(y, sign) for x, y in product(self.forms(operands[0], upper), seconds)]
        if name == "mul":
            return self.multiplied(atom, operands, upper)
        if name == ("minimum" if upper else "maximum"):
            return [f for operand in operands for f in self.forms(operand, upper)]
        if name == "select":
            return self.wrapped(atom, operands, upper)
        return [Affine(((atom, 1),))]

    def multiplied(self, atom: Var, operands: tuple[Atom, ...], upper: bool) -> list[Affine]:
        x, y = operands if isinstance(operands[1], Lit) else reversed(operands)
        if not isinstance(y, Lit):
            return [Affine(((atom, 1),))]
        factor = int(y.value)
        return [f.times(factor) for f in self.forms(x, upper == (factor >= 0))]

    def wrapped(self, atom: Var, operands: tuple[Atom, ...], upper: bool) -> list[Affine]:
        """`i + n if i < 0 else i`, an index as Python takes it, where i is known not to be negative."""
        condition, _, plain = operands
        test = self.definitions.get(condition) if isinstance(condition, Var) else None
        if test is not None and test.primitive.name == "lt" and test.operands == (plain, literal(0)):
            least = [b for f in self.forms(plain, False) for b in self.grounded(f)]
            if any(b >= 0 for b in least):
                return self.forms(plain, upper)
        return [Affine(((atom, 1),))]

    def grounded(self, form: Affine) -> list[int]:
        """Constant lower bounds, all counters at least 0."""
        counters = {*self.trips, *self.around}
        return [form.constant] if all(v in counters and c > 0 for v, c in form.terms) else []

    def is_index(self, atom: Atom, length: Atom) -> bool:
        """Whether an integer is at least 0 and less than a length."""
        beyond = [n.plus(b, -1) for n, b in product(self.forms(length, False), self.bounds(atom, True))]
        least = self.bounds(atom, False)
        return any(_at_least(b, 1) for b in beyond) and any(_at_least(b, 0) for b in least)


def _at_least(form: Affine, number: int) -> bool:
    return not form.terms and form.constant >= number

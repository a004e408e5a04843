"""Elements of an array in blocks: at places such as `i * n + j`, each iteration of a loop has those of its own block.

A place is a polynomial of the loop's counter i, of counters j of loops inside, and of integers that are the same in all
iterations.  Where the places of all accesses are

    i * s + offset + rest,  0 <= rest < s

with one s and one offset that is not negative, no two iterations have an element in common.  The bounds of the rest are
those of the counters: inside of a loop of n iterations there is one, so that n >= 1, and its counter is at most n - 1.

Arithmetic is modulo 2**64.  As blocks are as long as loops inside run, or arrays are, but for factors that are known to
be small, no loop runs for so long that a block comes round to the place of another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .polynomials import Polynomial
from .program import Equation, Program, free_variables, regions
from .types import I64, Atom, Lit, Var, literal

__all__ = ["LARGEST", "Blocks"]

LARGEST = 1 << 16  # of factors of the counter: no loop runs for so long that an index comes round to the same again


@dataclass
class Blocks:
    """The integers of a loop's body as polynomials.

    Attributes:
        varying: values inside the loop that are not the same in all iterations.
        steps: carries that grow by the same in each iteration: what they begin with, and what is added to them.
        definitions: equations at any depth, by what they define.
        trips: of the loops, by their counters.
        least: lower bounds of integers: lengths of arrays from outside are not negative.
    """

    varying: set[Atom]
    counter: Var
    steps: Mapping[Atom, tuple[Atom, tuple[Atom, ...]]]
    definitions: dict[Atom, Equation] = field(default_factory=dict)
    trips: dict[Atom, Atom] = field(default_factory=dict)
    least: dict[Atom, int] = field(default_factory=dict)
    mirrored: dict[Atom, Var] = field(default_factory=dict)

    @classmethod
    def of(cls, loop: Equation, varying: set[Atom], steps: Mapping[Atom, tuple[Atom, tuple[Atom, ...]]]) -> Blocks:
        body: Program = loop.params["body"]
        blocks = cls(varying, body.params[0], steps)
        blocks.enter(loop)
        for atom in (*loop.operands, *free_variables(body)):
            blocks.least.update(dict.fromkeys(atom.type.shape, 0))
        return blocks

    def enter(self, equation: Equation) -> None:
        """Note what an equation defines, and the counters of the loops in it."""
        self.definitions.update(dict.fromkeys(equation.outs, equation))
        for _, region in regions(equation):
            if equation.primitive.name == "loop":
                self.trips[region.params[0]] = equation.operands[0]
            for inner in region.equations:
                self.enter(inner)

    # Places

    def apart(self, places: Iterable[Atom]) -> bool:
        """Whether no two iterations have one of these places in common."""
        found = [self.place(atom) for atom in places]
        known = [place for place in found if place is not None]
        if not known or len(known) < len(found):
            return False
        first = known[0]
        alike = all(p.counter is first.counter and p.size == first.size and p.offset == first.offset for p in known)
        lowest = min(p.constant for p in known)
        small = all(abs(factor) < LARGEST for _, factor in first.size.terms)
        return alike and small and all(self.is_inside(p, lowest) for p in known)

    def place(self, atom: Atom) -> _Place | None:
        """A place in a block, if it is one."""
        form = self.form(atom)
        if form is None:
            return None
        counters = [c for c in form.atoms() if c in self.trips]
        for counter in counters:
            form = form.replaced(self.trips[counter], self.runs(counter))
        for counter in counters:
            if form.coefficient(counter).is_negative():  # counted backwards
                mirror = self.mirrored.setdefault(counter, Var(I64, "mirror"))
                self.trips[mirror] = self.trips[counter]
                last = self.runs(counter).minus(Polynomial.of(1))
                form = form.replaced(counter, last.minus(Polynomial.of(mirror)))
        counters = [c for c in form.atoms() if c in self.trips]
        outer = [c for c in counters if c in (self.counter, self.mirrored.get(self.counter))]
        parts = {c: form.coefficient(c) for c in counters}
        if len(outer) != 1 or any(a in self.trips for part in parts.values() for a in part.atoms()):
            return None
        inner = {c: part for c, part in parts.items() if c is not outer[0]}
        return _Place(outer[0], parts[outer[0]], form.without(counters), form.constant, inner)

    def runs(self, counter: Atom) -> Polynomial:
        """How many iterations a loop has, where it has one."""
        trips = self.trips[counter]
        made = self.definitions.get(trips)
        if made is not None and made.primitive.name == "maximum" and made.operands[1] == literal(0):
            trips = made.operands[0]
        form = self.form(trips)
        return Polynomial.of(trips) if form is None else form

    def is_inside(self, place: _Place, lowest: int) -> bool:
        """Whether a place is in its block, of which the offset is not negative."""
        least = dict(self.least)
        highest = Polynomial.of(place.constant - lowest)
        for counter, factor in place.inner.items():
            runs = self.runs(counter)
            highest = highest.plus(factor.times(runs.minus(Polynomial.of(1))))
            atom = runs.only()
            if atom is not None:
                least[atom] = max(1 - runs.constant, least.get(atom, 0))
        room = place.size.minus(highest).minus(Polynomial.of(1))
        offset = place.offset.plus(Polynomial.of(lowest))
        return all(p.is_at_least_zero(least) for p in (room, offset, *place.inner.values()))

    # Polynomials

    def form(self, atom: Atom) -> Polynomial | None:
        """An integer as a polynomial; None if it varies otherwise."""
        if isinstance(atom, Lit):
            return Polynomial.of(int(atom.value))
        if atom in self.trips:
            return Polynomial.of(atom)
        if atom in self.steps:
            return self.stepped(*self.steps[atom])
        made = self.definitions.get(atom)
        found = None if made is None or atom.type != I64 else self.computed(made)
        if found is None and atom not in self.varying:
            return Polynomial.of(atom)
        return found

    def stepped(self, begin: Atom, by: tuple[Atom, ...]) -> Polynomial | None:
        """Where a number is that grows by the same in each iteration."""
        total = self.form(begin)
        for amount in by:
            step = self.form(amount)
            if total is None or step is None:
                return None
            total = total.plus(step.times(Polynomial.of(self.counter)))
        return total

    def computed(self, equation: Equation) -> Polynomial | None:
        name, operands = equation.primitive.name, equation.operands
        if name == "select":
            return self.form(operands[2]) if self.is_wrapped(*operands) else None
        if name not in ("add", "sub", "mul"):
            return None
        x, y = (self.form(atom) for atom in operands)
        if x is None or y is None:
            return None
        return {"add": x.plus, "sub": x.minus, "mul": x.times}[name](y)

    def is_wrapped(self, test: Atom, other: Atom, place: Atom) -> bool:
        """Whether a choice is that of an index which counts from the end where it is negative."""
        tested, moved = self.definitions.get(test), self.definitions.get(other)
        if tested is None or moved is None:
            return False
        negative = tested.primitive.name == "lt" and tested.operands == (place, literal(0))
        return negative and moved.primitive.name == "add" and moved.operands[0] is place


@dataclass(frozen=True)
class _Place:
    """`counter * size + offset + constant`, and counters of loops inside times factors."""

    counter: Atom
    size: Polynomial
    offset: Polynomial
    constant: int
    inner: Mapping[Atom, Polynomial]

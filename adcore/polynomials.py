"""Polynomials of integers that a program names, with integer coefficients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .types import Atom

__all__ = ["Polynomial"]

Monomial = tuple[Atom, ...]  # a product, in the order of `id`


@dataclass(frozen=True)
class Polynomial:
    """A sum of products of integers, each with a coefficient that is not zero.

    >>> from adcore.types import I64, Var
    >>> n, k = Var(I64, "n"), Var(I64, "k")
    >>> place = Polynomial.of(k).plus(Polynomial.of(1)).times(Polynomial.of(n))
    >>> place == Polynomial.of(n).times(Polynomial.of(k)).plus(Polynomial.of(n))
    True
    >>> place.coefficient(k) == Polynomial.of(n)
    True
    """

    terms: frozenset[tuple[Monomial, int]] = frozenset()

    @staticmethod
    def of(value: Atom | int) -> Polynomial:
        """An integer, known or named."""
        return _summed([((), value)] if isinstance(value, int) else [((value,), 1)])

    def plus(self, other: Polynomial) -> Polynomial:
        return _summed([*self.terms, *other.terms])

    def minus(self, other: Polynomial) -> Polynomial:
        return _summed([*self.terms, *((atoms, -c) for atoms, c in other.terms)])

    def times(self, other: Polynomial) -> Polynomial:
        return _summed((_sorted((*a, *b)), x * y) for a, x in self.terms for b, y in other.terms)

    def replaced(self, atom: Atom, value: Polynomial) -> Polynomial:
        """The polynomial with another one in the place of an integer."""
        total = Polynomial()
        for atoms, c in self.terms:
            product = _summed([(tuple(a for a in atoms if a is not atom), c)])
            for _ in range(sum(a is atom for a in atoms)):
                product = product.times(value)
            total = total.plus(product)
        return total

    # Parts

    def atoms(self) -> set[Atom]:
        return {atom for atoms, _ in self.terms for atom in atoms}

    def coefficient(self, atom: Atom) -> Polynomial:
        """What an integer is multiplied by; further powers of it stay in there."""
        return _summed((_less(atoms, atom), c) for atoms, c in self.terms if atom in atoms)

    def without(self, excluded: Collection[Atom]) -> Polynomial:
        """The sum of the products that have none of some integers in them, but for a constant."""
        return _summed((atoms, c) for atoms, c in self.terms if atoms and not any(a in excluded for a in atoms))

    @property
    def constant(self) -> int:
        return dict(self.terms).get((), 0)

    def only(self) -> Atom | None:
        """The integer of a polynomial that is this and a constant."""
        found = [(atoms, c) for atoms, c in self.terms if atoms]
        return found[0][0][0] if len(found) == 1 and len(found[0][0]) == 1 and found[0][1] == 1 else None

    # Signs

    def is_negative(self) -> bool:
        """Whether all coefficients are negative."""
        return bool(self.terms) and all(c < 0 for _, c in self.terms)

    def is_at_least_zero(self, least: Mapping[Atom, int]) -> bool:
        """Whether it can be told from lower bounds of the integers, none of them negative, that it is not negative."""
        above = self
        for atom in self.atoms():
            if atom not in least:
                return False
            above = above.replaced(atom, Polynomial.of(atom).plus(Polynomial.of(least[atom])))
        return all(c > 0 for _, c in above.terms)


def _summed(terms: Iterable[tuple[Monomial, int]]) -> Polynomial:
    total: Counter[Monomial] = Counter()
    for atoms, c in terms:
        total[atoms] += c
    return Polynomial(frozenset((atoms, c) for atoms, c in total.items() if c))


def _sorted(atoms: Iterable[Atom]) -> Monomial:
    return tuple(sorted(atoms, key=id))


def _less(atoms: Monomial, atom: Atom) -> Monomial:
    """A product without a factor."""
    place = atoms.index(atom)
    return (*atoms[:place], *atoms[place + 1 :])

"""The monomials of truncated power series in some variables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["Index", "Orders"]

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Orders:
    """The monomials t₁^α₁ … of some variables up to a total degree, by their exponents.

    >>> Orders(2, 2).indices
    ((0, 1), (1, 0), (0, 2), (1, 1), (2, 0))
    >>> Orders(1, 2).splits((2,))
    (((0,), (2,)), ((1,), (1,)), ((2,), (0,)))
    """

    variables: int
    degree: int

    @property
    def zero(self) -> Index:
        """The exponents of the constant term."""
        return (0,) * self.variables

    @property
    def indices(self) -> tuple[Index, ...]:
        """The exponents of all other terms, by ascending degree."""
        return _indices(self.variables, self.degree)

    def splits(self, index: Index) -> tuple[tuple[Index, Index], ...]:
        """All pairs of exponents with this sum, by the first of the pair."""
        return _splits(index)


@cache
def _indices(variables: int, degree: int) -> tuple[Index, ...]:
    return tuple(index for total in range(1, degree + 1) for index in _of_degree(variables, total))


def _of_degree(variables: int, degree: int) -> list[Index]:
    if variables == 1:
        return [(degree,)]
    return [(first, *rest) for first in range(degree + 1) for rest in _of_degree(variables - 1, degree - first)]


@cache
def _splits(index: Index) -> tuple[tuple[Index, Index], ...]:
    if not index:
        return (((), ()),)
    rest = _splits(index[1:])
    return tuple(((first, *one), (index[0] - first, *other)) for first in range(index[0] + 1) for one, other in rest)

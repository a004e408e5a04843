"""Linear maps of series: a generator whose residuals are series, applied to a series.

Generators without a moving residual map coefficient by coefficient; products become Cauchy's; and what divides by a
number or a matrix is solved for the highest coefficient, with the constant term of the divisor alone.  A coefficient
that is 0 by its making is absent (None): nothing is emitted for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..builder import Builder
from ..errors import MissingRuleError
from ..linear import Generator, left, right, scale, transposed, zeros
from ..masking import mask_of, negated, scaled
from ..types import Atom, Lit, Var
from .orders import Index, Orders

__all__ = ["Each", "Euler", "Quotient", "Scope", "Series", "Term", "added", "applied", "divided", "is_constant"]


class Scope(Protocol):
    """Where coefficients are emitted."""

    b: Builder
    orders: Orders

    def coefficient(self, series: Series, index: Index) -> Atom | None: ...

    def is_active(self, atom: Atom) -> bool: ...

    def quotient(self, atom: Atom) -> tuple[Atom, Atom] | None: ...


class Term(ABC):
    """A series that is computed from others.  Two of them are never equal."""

    @abstractmethod
    def at(self, scope: Scope, index: Index) -> Atom | None:
        """Emit a coefficient; None where it is absent."""


Series = Atom | Term

# Sums and quotients that keep what masks have put to 0


def added(b: Builder, total: Atom | None, t: Atom) -> Atom:
    return t if total is None else _joined(b, b.plus, total, t)


def subtracted(b: Builder, total: Atom | None, t: Atom) -> Atom:
    return negated(b, t) if total is None else _joined(b, b.sub, total, t)


def _joined(b: Builder, join: Callable[[Atom, Atom], Atom], one: Atom, other: Atom) -> Atom:
    masks = mask_of(b, one), mask_of(b, other)
    if masks[0] is None or masks[1] is None or masks[0][0] != masks[1][0]:
        return join(one, other)
    return b.select(masks[0][0], join(masks[0][1], masks[1][1]), 0.0)


def times(b: Builder, number: int, t: Atom) -> Atom:
    axes = tuple(range(t.type.rank))
    return t if number == 1 else scaled(b, b.expand(t.type.dtype.constant(number), *t.type.shape, axes=axes), t)


def divided(b: Builder, t: Atom, divisor: Atom) -> Atom:
    mask = mask_of(b, t)
    return b.div(t, divisor) if mask is None else b.select(mask[0], b.div(mask[1], divisor), 0.0)


# Terms


@dataclass(frozen=True, slots=True, eq=False)
class Euler(Term):
    """θx: the coefficients times their degrees."""

    source: Series

    def at(self, scope: Scope, index: Index) -> Atom | None:
        degree = sum(index)
        t = scope.coefficient(self.source, index) if degree else None
        return t if t is None else times(scope.b, degree, t)


@dataclass(frozen=True, slots=True, eq=False)
class Each(Term):
    """A map without moving residuals, coefficient by coefficient."""

    generator: Generator
    source: Series

    def at(self, scope: Scope, index: Index) -> Atom | None:
        return self.onto(scope, None, index)

    def onto(self, scope: Scope, total: Atom | None, index: Index) -> Atom | None:
        """The coefficient added to a total, in place of the elements that it touches."""
        t = scope.coefficient(self.source, index)
        return total if t is None else _valued(scope, self.generator).accumulate(scope.b, total, t)


@dataclass(frozen=True, slots=True, eq=False)
class Sum(Term):
    """Maps of one series, added up."""

    parts: tuple[Term, ...]

    def at(self, scope: Scope, index: Index) -> Atom | None:
        total: Atom | None = None
        for part in self.parts:
            t = scope.coefficient(part, index)
            total = total if t is None else added(scope.b, total, t)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Product(Term):
    """Cauchy's product of a moving factor, the generator's residual, and a series."""

    generator: Generator
    source: Series

    def at(self, scope: Scope, index: Index) -> Atom | None:
        b, (factor,) = scope.b, self.generator.residuals
        square = factor is self.source and self.generator.name == "scale"
        pairs = [(j, k) for j, k in scope.orders.splits(index) if not square or j < k]
        total: Atom | None = None
        for j, k in pairs:
            t = scope.coefficient(self.source, k)
            by = None if t is None else scope.coefficient(factor, j)
            if t is not None and by is not None:
                total = added(b, total, replace(self.generator, residuals=(by,)).apply(b, t))
        if not square:
            return total
        total = None if total is None else times(b, 2, total)
        middle = None if any(n % 2 for n in index) else scope.coefficient(factor, tuple(n // 2 for n in index))
        return total if middle is None else added(b, total, scale(middle).apply(b, middle))


@dataclass(frozen=True, slots=True, eq=False)
class Quotient(Term):
    """The series u with divisor u = source."""

    source: Series
    divisor: Series

    def at(self, scope: Scope, index: Index) -> Atom | None:
        rest = scope.coefficient(self.source, index)
        for by, u in _lower(scope, self, self.divisor, index):
            rest = subtracted(scope.b, rest, scale(by).apply(scope.b, u))
        if rest is None:
            return None
        first = scope.coefficient(self.divisor, scope.orders.zero)
        assert first is not None
        return divided(scope.b, rest, first)


@dataclass(frozen=True, slots=True, eq=False)
class Solution(Term):
    """The series u with matrix u = source, solved with what the constant term of the matrix has come apart into.

    There may be several matrices, whose products with u are added up.
    """

    generator: Generator
    source: Series

    def at(self, scope: Scope, index: Index) -> Atom | None:
        generator = _valued(scope, self.generator)
        rest = scope.coefficient(self.source, index)
        for moving, product in zip(_moving(self.generator), MATRIX[generator.name], strict=True):
            for by, u in _lower(scope, self, moving, index):
                rest = subtracted(scope.b, rest, product(scope.b, generator, by, u))
        return None if rest is None else generator.apply(scope.b, rest)


def _lower(scope: Scope, of: Term, divisor: Series, index: Index) -> Iterator[tuple[Atom, Atom]]:
    """Pairs of a coefficient of the divisor, not its constant term, and one of the quotient."""
    for j, k in scope.orders.splits(index):
        if j != scope.orders.zero:
            u = scope.coefficient(of, k)
            by = None if u is None else scope.coefficient(divisor, j)
            if u is not None and by is not None:
                yield by, u


# What is solved, as a product: of a coefficient of the matrix and a right-hand side


def _dense(b: Builder, g: Generator, by: Atom, u: Atom) -> Atom:
    return left(transposed(b, by) if g.params[1] else by).apply(b, u)


def _dense_right(b: Builder, g: Generator, by: Atom, u: Atom) -> Atom:
    return right(transposed(b, by) if g.params[1] else by).apply(b, u)


def _triangular(b: Builder, g: Generator, by: Atom, u: Atom) -> Atom:
    from ..primitives.matrix_parts import grid  # the table imports this module's neighbours

    lower, unit, is_transposed = g.params
    rows, columns = grid(b, *by.type.shape)
    kept = (b.gt if unit else b.ge)(*((rows, columns) if lower else (columns, rows)))
    part = b.select(kept, by, 0.0)
    return left(transposed(b, part) if is_transposed else part).apply(b, u)


def _sparse(b: Builder, g: Generator, by: Atom, u: Atom) -> Atom:
    (_, rows, columns), _ = g.residuals
    if g.params[0]:
        rows, columns = columns, rows
    met = b.gather(u, columns, codes="a:")
    each = b.mul(b.expand(by, met.type.shape[1], axes=(1,)), met)
    return b.scatter_add(zeros(b, u.type), each, rows, codes="a:")


# for each of the leading residuals, which are the matrices
MATRIX: dict[str, tuple[Callable[[Builder, Generator, Atom, Atom], Atom], ...]] = {
    "solution": (_dense,),
    "substitution": (_triangular,),
    "sparse_solution": (_sparse,),
    "balance": (_dense, _dense_right),
}
PRODUCTS = {"scale", "left", "right", "left_transposed", "right_transposed"}

# Generators of series


def applied(scope: Scope, generator: Generator, source: Series) -> Term:
    """The map of a series as a series.

    A factor that is a quotient of the rule's own making divides.

    Raises:
        MissingRuleError: a residual of the generator moves that cannot.
    """
    name = generator.name
    if name == "compose":
        for part in reversed(generator.residuals):
            source = applied(scope, part, source)
        assert isinstance(source, Term)
        return source
    if name == "scale":
        parts = scope.quotient(generator.residuals[0]) if scope.is_active(generator.residuals[0]) else None
        if parts is not None:
            above, below = parts
            is_one = isinstance(above, Lit) and above == above.dtype.constant(1)
            return Quotient(source if is_one else applied(scope, scale(above), source), below)
    if is_constant(scope, generator):
        return Each(generator, source)
    if name == "sum":
        return Sum(tuple(applied(scope, part, source) for part in generator.residuals))
    if name in PRODUCTS:
        return Product(generator, source)
    if name in MATRIX:
        return Solution(generator, source)
    cause = f"Taylor coefficients through a map {name!r} that itself depends on what is expanded"
    raise MissingRuleError(cause, scope.b.source, "nested jvp")


def _moving(generator: Generator) -> list[Atom]:
    """The residuals by which a generator of `MATRIX` may move."""
    matrices = generator.residuals[: len(MATRIX[generator.name])]
    return [each[0] if isinstance(each, tuple) else each for each in matrices]


def is_constant(scope: Scope, generator: Generator) -> bool:
    """Whether nothing that the map is made of depends on what is expanded; factors of a matrix go with the matrix."""
    if generator.name in MATRIX:
        return not any(map(scope.is_active, _moving(generator)))
    return not any(_moves(scope, r) for r in generator.residuals)


def _moves(scope: Scope, residual: Any) -> bool:
    if isinstance(residual, Generator):
        return not is_constant(scope, residual)
    if isinstance(residual, tuple):
        return any(_moves(scope, r) for r in residual)
    return scope.is_active(residual)


def _valued(scope: Scope, generator: Generator) -> Generator:
    """The generator at the point: with the constant terms of its residuals."""
    return replace(generator, residuals=tuple(_value(scope, r) for r in generator.residuals))


def _value(scope: Scope, residual: Any) -> Any:
    if isinstance(residual, Generator):
        return _valued(scope, residual)
    if isinstance(residual, tuple):
        return tuple(_value(scope, r) for r in residual)
    return scope.coefficient(residual, scope.orders.zero) if isinstance(residual, Var) else residual

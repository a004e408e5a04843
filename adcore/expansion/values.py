"""Coefficients of the values of a Program, emitted where they are needed first, each once.

A rule of the table is run with a builder of its own, the recorder.  What it computes from the point is not emitted but
noted there: a value whose equation is known, and whose coefficients are computed when something asks for them.  Equal
equations are one value, and those of the Program are known to the recorder, so that a rule that speaks of `exp(x)` in
the derivative of `exp(x)` finds the value itself.
"""

from __future__ import annotations

from collections import ChainMap

from ..builder import Builder
from ..errors import MissingRuleError
from ..linear import Generator
from ..primitives import Kind
from ..program import Equation, uses
from ..types import Atom, Lit, Var
from .orders import Index, Orders
from .terms import Each, Euler, Quotient, Series, Term, added, applied, divided, is_constant

__all__ = ["Values"]

# Rows that are linear in this operand: their value is its map, so that the operand's coefficients give theirs.
LINEAR = {"mul": 0, "div": 0, "matmul": 0, "solve": 1, "solve_triangular": 1, "sparse_solve": 3, "sylvester": 2}
DEEPEST = 3  # derivatives of a routine, each of which is a longer Program
# Rows whose maps are differences of nearly equal terms, or polynomials of some degree in a part of the domain: the
# orders up to which their coefficients have 8 digits everywhere.
EXACT = {
    **dict.fromkeys(("ive", "kve", "i0e", "i1e", "k0e", "k1e"), 3),
    **dict.fromkeys(("erfcx", "dawsn"), 4),
    **dict.fromkeys(("inv_boxcox", "inv_boxcox1p", "spence"), 6),
    **dict.fromkeys(("exprel", "boxcox", "boxcox1p"), 8),
}


class Values:
    """The coefficients of all values in a scope.

    Args:
        b: where they are emitted.
        orders: the monomials of the series.
        around: the scope around this one.

    Attributes:
        known: coefficients of series by monomial, None where they are absent.
        active: values of the Program that have other coefficients than their own value.
        vanishing: those of them that have no constant term, though their equations compute one, which is 0.
        within: the functions whose stated derivatives are being expanded, one inside of the other.
    """

    def __init__(self, b: Builder, orders: Orders, around: Values | None = None) -> None:
        self.b = b
        self.orders = orders
        self.recorder = Builder(around.recorder if around else None)
        self.known: ChainMap[tuple[Series, Index], Atom | None] = around.known.new_child() if around else ChainMap()
        self.active: set[Var] = set(around.active) if around else set()
        self.vanishing: set[Var] = set(around.vanishing) if around else set()
        self.within: list[object] = around.within if around else []
        self._is_active: dict[Var, bool] = {}
        self._maps: ChainMap[tuple[Equation, int, int], tuple[Term, bool]] = (
            around._maps.new_child() if around else ChainMap()
        )

    def inside(self) -> Values:
        """The values of a region in this scope."""
        return Values(self.b.region(), self.orders, self)

    def enter(self, equation: Equation) -> None:
        """Add an equation of the Program, and all coefficients of its results."""
        self.b.adopt([equation])
        self.recorder.adopt([equation])
        vanishes = not self.vanishing.isdisjoint(uses(equation))
        for number, out in enumerate(equation.outs):
            self.known[out, self.orders.zero] = out
            if vanishes and self.is_active(out):
                self.vanish(out)
            if number not in equation.unread and self.is_active(out):
                self.active.add(out)
                for index in self.orders.indices:
                    self.coefficient(out, index)

    def define(self, var: Var, coefficients: dict[Index, Atom]) -> None:
        """Say what a parameter's or a region's coefficients are."""
        self.active.add(var)
        self.known[var, self.orders.zero] = var
        for index in self.orders.indices:
            self.known[var, index] = coefficients.get(index)

    def vanish(self, var: Var) -> None:
        """Say that a value has no constant term."""
        self.vanishing.add(var)
        self.known[var, self.orders.zero] = None

    def coefficient(self, series: Series, index: Index) -> Atom | None:
        """A coefficient of a series; None where it is absent."""
        if isinstance(series, Lit):
            return None if any(index) else series
        key = series, index
        if key not in self.known:
            self.known[key] = series.at(self, index) if isinstance(series, Term) else self._of_value(series, index)
        return self.known[key]

    # Values of the Program and of the recorder

    def is_active(self, atom: Atom) -> bool:
        """Whether a value depends smoothly on what is expanded."""
        if isinstance(atom, Lit) or not atom.type.dtype.differentiable:
            return False
        if atom in self.active:
            return True
        if atom not in self._is_active:
            self._is_active[atom] = self._depends(atom)
        return self._is_active[atom]

    def _depends(self, var: Var) -> bool:
        equation = self.recorder.defining(var)
        if equation is None:
            return False
        number = equation.outs.index(var)
        row = equation.primitive
        return any(self.is_active(a) and row.map_for(k, number) is not None for k, a in enumerate(equation.operands))

    def quotient(self, atom: Atom) -> tuple[Atom, Atom] | None:
        """Dividend and divisor of a value that a rule has computed, and the Program has not."""
        equation = self.recorder.defining(atom)
        if equation is None or equation.primitive.name != "div" or self.known.get((atom, self.orders.zero)) is atom:
            return None
        return equation.operands[0], equation.operands[1]

    def _of_value(self, var: Var, index: Index) -> Atom | None:
        equation = self.recorder.defining(var)
        if equation is None:
            return None if any(index) else var
        if any(index):
            return self._computed(equation, equation.outs.index(var), index) if self.is_active(var) else None
        values = self._emitted(equation)
        for out, value in zip(equation.outs, values, strict=True):
            self.known[out, index] = value
        return self.known[var, index]

    def _emitted(self, equation: Equation) -> tuple[Atom, ...]:
        """Emit an equation of the recorder."""
        operands = tuple(self.coefficient(a, self.orders.zero) for a in equation.operands)
        values = self.b.emit(equation.primitive, operands, equation.params)
        return values if isinstance(values, tuple) else (values,)

    def _computed(self, equation: Equation, number: int, index: Index) -> Atom | None:
        """A coefficient by the linear maps of an equation."""
        name = equation.primitive.name
        if sum(index) > EXACT.get(name, self.orders.degree):
            cause = f"Taylor coefficients of {name!r} beyond order {EXACT[name]}, which would have few digits"
            raise MissingRuleError(cause, self.b.source, "fewer coefficients")
        linear = LINEAR.get(name)
        if linear is not None:
            return self.coefficient(self._value_of(equation, linear), index)
        total: Atom | None = None
        change: Atom | None = None  # θz
        for k, operand in enumerate(equation.operands):
            if self.is_active(operand) and equation.primitive.map_for(k, number) is not None:
                term, moves = self._map(equation, k, number)
                if isinstance(term, Each) and not moves:
                    total = term.onto(self, total, index)
                else:
                    part = self.coefficient(term, index)
                    change = change if part is None else added(self.b, change, part)
        if change is None:
            return total
        degree = sum(index)
        change = change if degree == 1 else divided(self.b, change, change.type.dtype.constant(degree))
        return added(self.b, total, change)

    def _value_of(self, equation: Equation, k: int) -> Term:
        """The value of an equation that is linear in an operand."""
        key = equation, k, 0
        if key not in self._maps:
            x = equation.operands[k]
            divides = equation.primitive.name == "div"
            term = Quotient(x, equation.operands[1]) if divides else applied(self, self._generator(*key), x)
            self._maps[key] = term, False
        return self._maps[key][0]

    def _map(self, equation: Equation, k: int, number: int) -> tuple[Term, bool]:
        """The map of an operand where the map does not move; else the map of its θ, and True."""
        key = equation, k, number
        if key not in self._maps:
            operand, generator = equation.operands[k], self._generator(equation, k, number)
            moves = not is_constant(self, generator)
            self._maps[key] = applied(self, generator, Euler(operand)) if moves else Each(generator, operand), moves
        return self._maps[key]

    def _generator(self, equation: Equation, k: int, number: int) -> Generator:
        routine = equation.primitive.name.partition("@")[0]
        if equation.primitive.name.count("@") >= DEEPEST:
            cause = f"Taylor coefficients that need more than {DEEPEST} derivatives of the routine {routine!r}"
            raise MissingRuleError(cause, self.b.source, "fewer coefficients")
        rule = equation.primitive.map_for(k, number)
        assert rule is not None
        before = len(self.recorder.equations)
        generator = rule(self.recorder, equation)
        for made in self.recorder.equations[before:]:
            if made.primitive.kind is Kind.CHECK:
                self._emitted(made)
        return generator

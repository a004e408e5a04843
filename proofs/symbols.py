"""Emitted equations read as SymPy expressions, and a row's certificate.

A scalar row states its meaning as a symbol and its linear map as code.  The code is run on symbols: the equations that
it emits are read with each row's own symbol.  The certificate is `d symbol / d operand - coefficient = 0`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import sympy

from adcore.builder import Builder
from adcore.laws import on_mpmath
from adcore.primitives import TABLE, Primitive
from adcore.program import Equation
from adcore.types import F64, Atom, DType, Lit, Var

__all__ = ["Certificate", "certificate", "certified_rows"]

# Literals in rules that stand for irrational or non-dyadic numbers.
_EXACT: dict[float, sympy.Expr] = {
    math.log(2.0): sympy.log(2),
    1.0 / math.log(2.0): 1 / sympy.log(2),
    1.0 / math.log(10.0): 1 / sympy.log(10),
    1.0 / 3.0: sympy.Rational(1, 3),
    2.0 / math.sqrt(math.pi): 2 / sympy.sqrt(sympy.pi),
    -2.0 / math.sqrt(math.pi): -2 / sympy.sqrt(sympy.pi),
    -1.0 / math.sqrt(math.pi): -1 / sympy.sqrt(sympy.pi),
    math.sqrt(math.pi) / 2.0: sympy.sqrt(sympy.pi) / 2,
    -math.sqrt(math.pi) / 2.0: -sympy.sqrt(sympy.pi) / 2,
    math.sqrt(2.0 * math.pi): sympy.sqrt(2 * sympy.pi),
    1.0 / math.sqrt(2.0 * math.pi): 1 / sympy.sqrt(2 * sympy.pi),
    math.sqrt(2.0 / math.pi): sympy.sqrt(2 / sympy.pi),
    math.sqrt(0.5): 1 / sympy.sqrt(2),
    -math.sqrt(0.5): -1 / sympy.sqrt(2),
    math.pi: sympy.pi,
    math.pi / 2.0: sympy.pi / 2,
    math.pi**2: sympy.pi**2,
    math.pi / 180.0: sympy.pi / 180,
    -math.pi / 180.0: -sympy.pi / 180,
    math.log(10.0): sympy.log(10),
    2.0 * math.log(2.0**540): 1080 * sympy.log(2),
    -2.0 * math.log(2.0**540): -1080 * sympy.log(2),
    1.0 / 6.0: sympy.Rational(1, 6),
    -1.0 / 6.0: -sympy.Rational(1, 6),
}

# Meanings of rows that rules use and that have no symbol.
_MEANINGS: dict[str, Callable[..., Any]] = {
    "sign": sympy.sign,
    "side": lambda x, y: sympy.sign(x - y),
    "portion": lambda s, of, dtype: sympy.Piecewise(
        (1, sympy.Eq(s, of)), (sympy.Rational(1, 2), sympy.Eq(s, 0)), (0, True)
    ),
    "copysign": lambda x, y: sympy.Abs(x) * sympy.sign(y),
    "eq": sympy.Eq,
    "ne": sympy.Ne,
    "isfinite": lambda x: sympy.true,  # symbols stand for numbers
    "ge": sympy.Ge,
    "gt": sympy.Gt,
    "lt": sympy.Lt,
    "and": sympy.And,
    "floor": sympy.floor,
    "trunc": lambda x: sympy.sign(x) * sympy.floor(sympy.Abs(x)),
    "rint": lambda x: sympy.floor(x + sympy.Rational(1, 2)),
    "mod": lambda x, y: x - y * sympy.floor(x / y),  # SymPy prints its own without parentheses
    "le": sympy.Le,
    "not": sympy.Not,
    "select": lambda c, x, y: sympy.Piecewise((x, c), (y, True)),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The derivative of the symbol, the coefficient of the map, and the interval of each symbol."""

    derivative: Any  # SymPy expressions, whose stubs know no exact types
    coefficient: Any
    intervals: dict[sympy.Symbol, tuple[float, float]]

    @property
    def difference(self) -> Any:
        """What has to be zero."""
        difference = self.derivative - self.coefficient
        return difference.doit() if difference.has(sympy.Subs) else difference

    def simplified(self) -> Any:
        return sympy.simplify(self.difference)

    def largest(self, points: int = 6, digits: int = 60) -> float:
        """The largest absolute value at random points, computed with this many digits."""
        if self.difference == 0:
            return 0.0
        choices = random.Random(0)
        f = on_mpmath(list(self.intervals), self.difference)
        with mpmath.workdps(digits):
            intervals = self.intervals.values()
            drawn = [[mpmath.mpf(choices.uniform(*bounds)) for bounds in intervals] for _ in range(points)]
            return float(max(abs(f(*at)) for at in drawn))


def certified_rows() -> list[Primitive]:
    return [p for p in TABLE if p.symbol]


def certificate(primitive: Primitive, index: int) -> Certificate:
    """The certificate of a row's linear map in one operand."""
    assert primitive.sampler is not None
    b = Builder()
    intervals = primitive.sampler.intervals
    operands = tuple(Var(F64, name) for name in "xyzw"[: len(intervals)])
    symbols = {v: _symbol(v.name, low) for v, (low, _) in zip(operands, intervals, strict=True)}
    (z,) = b.append(primitive, operands, {})
    rule = primitive.map_for(index)
    assert rule is not None
    one = Var(F64, "one")
    mapped = rule(b, b.equations[0]).apply(b, one)
    env: dict[Var, Any] = {**symbols, one: sympy.Integer(1)}
    for equation in b.equations:
        env[equation.outs[0]] = _meaning(equation, [_read(a, env) for a in equation.operands])
    derivative = sympy.diff(env[z], symbols[operands[index]])
    return Certificate(derivative, _read(mapped, env), dict(zip(symbols.values(), intervals, strict=True)))


def _symbol(name: str, low: float) -> sympy.Symbol:
    return sympy.Symbol(name, positive=True) if low > 0 else sympy.Symbol(name, real=True)


def _read(atom: Atom, env: dict[Var, Any]) -> Any:
    if isinstance(atom, Lit):
        exact = sympy.Rational(atom.value) if atom.dtype is DType.F64 else sympy.sympify(atom.value)
        return _EXACT.get(atom.value, exact)
    return env[atom]


def _meaning(equation: Equation, operands: list[Any]) -> Any:
    primitive = equation.primitive
    if primitive.name in _MEANINGS:
        return _MEANINGS[primitive.name](*operands, **equation.params)
    names = sympy.symbols("x y z w")[: len(operands)]
    symbol = _symbol_of(primitive.name, names)
    return symbol.subs(dict(zip(names, operands, strict=True)), simultaneous=True)


def _symbol_of(name: str, names: Any) -> Any:
    """A row's symbol; `zeta@0`, the derivative of a routine's Program, has that of the routine differentiated."""
    inner, at, index = name.rpartition("@")
    if at:
        return sympy.diff(_symbol_of(inner, names), names[int(index)])
    return sympy.sympify(TABLE[name].symbol)

"""Dual numbers over exact fractions or over 50 digits, with a running bound of what binary64 may have lost.

A forward mode of its own: it knows nothing of adcore's rules.  Beside the value and the tangent each number carries a
first-order bound of the rounding errors that a computation in binary64 makes up to there, in value and in tangent
(running error analysis, Higham 2002, section 3.3).  The bounds say how far a right answer may be off, and which
comparisons are too close for binary64 to decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import decimals

__all__ = ["CloseCallError", "Dual", "TooLongError"]

UNIT = 2.0**-53
MARGIN = 64.0  # bounds are of first order and leave out small constants
BITS = 3000  # of a fraction, beyond which fractions are no way to compute

Number = Any  # Decimal or Fraction, the same throughout a computation


class CloseCallError(Exception):
    """A comparison whose outcome depends on rounding."""


class TooLongError(Exception):
    """A number that a fraction does not hold, or not in so many bits."""


class Dual:
    """`value + tangent ε`; `lost` and `blurred` bound the rounding errors of the two in binary64."""

    __slots__ = ("blurred", "lost", "tangent", "value")

    def __init__(self, value: Number, tangent: Number, lost: float = 0.0, blurred: float = 0.0) -> None:
        self.value = value
        self.tangent = tangent
        self.lost = lost
        self.blurred = blurred

    def _lifted(self, other: Any) -> Dual | None:
        """The other operand as a number of the same kind; None where it is an array."""
        if isinstance(other, Dual):
            return other
        if isinstance(other, int | float):
            kind = type(self.value)
            return Dual(kind(other), kind(0))
        return None

    # Arithmetic

    def __add__(self, other: Any) -> Any:
        o = self._lifted(other)
        if o is None:
            return NotImplemented
        value, tangent = self.value + o.value, self.tangent + o.tangent
        lost = self.lost + o.lost + UNIT * _size(value)
        return _checked(Dual(value, tangent, lost, self.blurred + o.blurred + UNIT * _size(tangent)))

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.tangent, self.lost, self.blurred)

    def __pos__(self) -> Dual:
        return self

    def __sub__(self, other: Any) -> Any:
        o = self._lifted(other)
        return NotImplemented if o is None else self + -o

    def __rsub__(self, other: Any) -> Any:
        o = self._lifted(other)
        return NotImplemented if o is None else o + -self

    def __mul__(self, other: Any) -> Any:
        o = self._lifted(other)
        if o is None:
            return NotImplemented
        value = self.value * o.value
        one, two = self.tangent * o.value, self.value * o.tangent
        a, b = _size(self.value), _size(o.value)
        lost = a * o.lost + b * self.lost + UNIT * _size(value)
        blurred = a * o.blurred + b * self.blurred + _size(self.tangent) * o.lost + _size(o.tangent) * self.lost
        return _checked(Dual(value, one + two, lost, blurred + UNIT * 2.0 * (_size(one) + _size(two))))

    __rmul__ = __mul__

    def reciprocal(self) -> Dual:
        inverse = 1 / self.value
        size = _size(inverse)
        return self._mapped(inverse, -inverse * inverse, 2.0 * size**3)

    def __truediv__(self, other: Any) -> Any:
        o = self._lifted(other)
        return NotImplemented if o is None else self * o.reciprocal()

    def __rtruediv__(self, other: Any) -> Any:
        o = self._lifted(other)
        return NotImplemented if o is None else o * self.reciprocal()

    def __pow__(self, exponent: Any) -> Any:
        if not isinstance(exponent, int | float) or exponent != int(exponent):
            return NotImplemented
        n = int(exponent)
        if n < 0:
            return (self**-n).reciprocal()
        result = self._lifted(1)
        for _ in range(n):
            result = result * self
        return result

    def __abs__(self) -> Dual:
        return -self if self < 0 else self

    # Functions: NumPy's look these up in the elements of an array of objects

    def _mapped(self, value: Number, slope: Number, bend: float, rough: float = 0.0) -> Dual:
        """The image under a function with this value and slope, second derivative of this size, and a slope that
        binary64 knows up to so many units."""
        g, t = _size(slope), _size(self.tangent)
        lost = g * self.lost + UNIT * 2.0 * _size(value)
        blurred = g * self.blurred + bend * t * self.lost + UNIT * t * (4.0 * g + rough)
        return Dual(value, slope * self.tangent, lost, blurred)

    def _decimal(self) -> Decimal:
        if isinstance(self.value, Decimal):
            return self.value
        raise TooLongError

    def sin(self) -> Dual:
        s, c = decimals.sincos(self._decimal())
        return self._mapped(s, c, 1.0)

    def cos(self) -> Dual:
        s, c = decimals.sincos(self._decimal())
        return self._mapped(c, -s, 1.0)

    def tanh(self) -> Dual:
        t = decimals.tanh(self._decimal())
        return self._mapped(t, 1 - t * t, 1.0, 4.0)

    def exp(self) -> Dual:
        e = self._decimal().exp()
        return self._mapped(e, e, _size(e))

    def log(self) -> Dual:
        x = self._decimal()
        return self._mapped(x.ln(), 1 / x, _size(1 / x) ** 2)

    def sqrt(self) -> Dual:
        root = self._decimal().sqrt()
        half = 1 / (2 * root)
        return self._mapped(root, half, _size(half) / (2.0 * _size(self.value)))

    def arctan(self) -> Dual:
        x = self._decimal()
        return self._mapped(decimals.atan(x), 1 / (1 + x * x), 1.0)

    def conjugate(self) -> Dual:
        return self

    # Decisions

    def _decided(self, other: Any, holds: Callable[[Number, Number], bool]) -> Any:
        o = self._lifted(other)
        if o is None:
            return NotImplemented
        unsure = self.lost + o.lost
        if unsure and _size(self.value - o.value) <= MARGIN * unsure:
            raise CloseCallError
        return holds(self.value, o.value)

    def __lt__(self, other: Any) -> Any:
        return self._decided(other, lambda a, b: a < b)

    def __le__(self, other: Any) -> Any:
        return self._decided(other, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> Any:
        return self._decided(other, lambda a, b: a > b)

    def __ge__(self, other: Any) -> Any:
        return self._decided(other, lambda a, b: a >= b)

    def __eq__(self, other: Any) -> Any:
        return self._decided(other, lambda a, b: a == b)

    def __ne__(self, other: Any) -> Any:
        return self._decided(other, lambda a, b: a != b)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __repr__(self) -> str:
        return f"Dual({float(self.value)!r}, {float(self.tangent)!r})"


def _size(number: Number) -> float:
    try:
        return abs(float(number))
    except OverflowError:
        return math.inf


def _checked(number: Dual) -> Dual:
    parts = (number.value, number.tangent)
    if any(isinstance(part, Fraction) and part.denominator.bit_length() > BITS for part in parts):
        raise TooLongError
    return number

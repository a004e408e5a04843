"""Elementary functions of `decimal` numbers, to the 50 digits of `CONTEXT`.

They share nothing with adcore's rules and nothing with the machine's mathematical library.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal, Inexact, Rounded, localcontext

__all__ = ["CONTEXT", "atan", "sincos", "tanh"]

DIGITS = 50
CONTEXT = Context(prec=DIGITS, Emin=-999999, Emax=999999)
for _signal in (Inexact, Rounded):
    CONTEXT.traps[_signal] = False

_QUARTER = Decimal("1.5707963267948966192313216916397514420985846996875529104874722961539082031431044993140174")  # π/2
_TERMS = 21  # (π/4)^43 / 43! < 1e-55


def _sine_coefficients() -> list[Decimal]:
    with localcontext(prec=DIGITS + 10):
        return [Decimal((-1) ** k) / math.factorial(2 * k + 1) for k in range(_TERMS, -1, -1)]


_SINE = _sine_coefficients()


def sincos(x: Decimal) -> tuple[Decimal, Decimal]:
    """Sine and cosine: the Taylor series of the sine on [-π/4, π/4], after turning by quarters.

    >>> [f"{v:.12f}" for v in sincos(Decimal(1))]
    ['0.841470984808', '0.540302305868']
    """
    turns = int((x / _QUARTER).to_integral_value())
    r = x - turns * _QUARTER
    square, s = r * r, Decimal(0)
    for coefficient in _SINE:
        s = s * square + coefficient
    s *= r
    c = (1 - s * s).sqrt()
    return ((s, c), (c, -s), (-s, -c), (-c, s))[turns % 4]


def tanh(x: Decimal) -> Decimal:
    """
    >>> f"{tanh(Decimal('0.5')):.12f}"
    '0.462117157260'
    """
    if abs(x) > 80:
        return Decimal(1).copy_sign(x)
    twice = (2 * x).exp()
    return (twice - 1) / (twice + 1)


def atan(x: Decimal) -> Decimal:
    """One step of high order from the machine's value: atan x = y + atan((x - tan y) / (1 + x tan y)).

    >>> f"{4 * atan(Decimal(1)):.12f}"
    '3.141592653590'
    """
    y = Decimal(math.atan(float(x)))
    s, c = sincos(y)
    rest = (x * c - s) / (c + x * s)
    return y + rest - rest**3 / 3

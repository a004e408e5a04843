"""Interval meanings of elementary functions, by where they rise and fall, and by how exact they are.

The error of every implementation that may run is bounded in units in the last place: glibc's manual ("Known Maximum
Errors in Math Functions") has at most 5 for those below, and libmvec, whose vector variants compiled loops call, at
most 4, as NumPy's own vector functions have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..primitives import TABLE
from .intervals import Interval, spread
from .table import ROWS, Ends, elementwise, entered

__all__ = ["MONOTONE", "Monotone"]


@dataclass(frozen=True, slots=True)
class Monotone:
    """A function that rises everywhere, or falls.

    Attributes:
        ulps: the error of an implementation, in units in the last place.
        domain: where there is a value.
        range: what values are within, whatever the error.
        exact: an argument, and its value, that every implementation gets right, and on whose right side it stays.
        falls: whether it falls.
        open: whether the ends of the domain, where the value is infinite, are outside of it.
    """

    ulps: float
    domain: tuple[float, float] = (-math.inf, math.inf)
    range: tuple[float, float] = (-math.inf, math.inf)
    exact: tuple[float, float] | None = None
    falls: bool = False
    open: bool = False


ORIGIN = (0.0, 0.0)
POSITIVE = (0.0, math.inf)

MONOTONE: dict[str, Monotone] = {
    "exp": Monotone(4, range=POSITIVE, exact=(0.0, 1.0)),
    "exp2": Monotone(4, range=POSITIVE, exact=(0.0, 1.0)),
    "expm1": Monotone(4, range=(-1.0, math.inf), exact=ORIGIN),
    "log": Monotone(4, POSITIVE, exact=(1.0, 0.0), open=True),
    "log2": Monotone(4, POSITIVE, exact=(1.0, 0.0), open=True),
    "log10": Monotone(4, POSITIVE, exact=(1.0, 0.0), open=True),
    "log1p": Monotone(4, (-1.0, math.inf), exact=ORIGIN, open=True),
    "cbrt": Monotone(4, exact=ORIGIN),
    "expit": Monotone(12, range=(0.0, 1.0)),  # an exponential, a sum and a quotient
    "sinh": Monotone(4, exact=ORIGIN),
    "tanh": Monotone(4, range=(-1.0, 1.0), exact=ORIGIN),
    "arcsin": Monotone(4, (-1.0, 1.0), (-1.5707963267948968, 1.5707963267948968), exact=ORIGIN),
    "arccos": Monotone(4, (-1.0, 1.0), (0.0, 3.1415926535897936), exact=(1.0, 0.0), falls=True),
    "arctan": Monotone(4, range=(-1.5707963267948968, 1.5707963267948968), exact=ORIGIN),
    "arcsinh": Monotone(4, exact=ORIGIN),
    "arccosh": Monotone(4, (1.0, math.inf), POSITIVE, exact=(1.0, 0.0)),
    "arctanh": Monotone(4, (-1.0, 1.0), exact=ORIGIN, open=True),
    "erf": Monotone(5, range=(-1.0, 1.0), exact=ORIGIN),
    "erfc": Monotone(5, range=(0.0, 2.0), exact=(0.0, 1.0), falls=True),
}


def _monotone(name: str, stated: Monotone) -> Callable[[Interval], Ends]:
    function = TABLE[name].meaning
    first, last = stated.domain

    def ends(x: Interval) -> Ends:
        kind = x.dtype.type
        bad = (x.lower < first) | (x.upper > last)
        if stated.open:
            bad = (x.lower <= first) | ((x.upper >= last) & np.isfinite(last))
        arguments = (np.clip(x.lower, kind(first), kind(last)), np.clip(x.upper, kind(first), kind(last)))
        low, high = reversed(arguments) if stated.falls else arguments
        lower, upper = (np.asarray(function(v)) for v in (low, high))
        wide = spread(lower, upper, stated.ulps)
        lower = np.where(_is_exact(stated, low), lower, np.maximum(wide[0], _least(stated, low)))
        upper = np.where(_is_exact(stated, high), upper, np.minimum(wide[1], _most(stated, high)))
        outside = (x.upper < first) | (x.lower > last)
        return _emptied(lower, outside, x), _emptied(upper, outside, x), bad

    return ends


def _least(stated: Monotone, v: Any) -> Any:
    """What no implementation is below at an argument, or beyond it on the side where the function rises."""
    first = v.dtype.type(stated.range[0])
    if stated.exact is None:
        return first
    beyond = v <= stated.exact[0] if stated.falls else v >= stated.exact[0]
    return np.where(beyond, np.maximum(first, v.dtype.type(stated.exact[1])), first)


def _most(stated: Monotone, v: Any) -> Any:
    last = v.dtype.type(stated.range[1])
    if stated.exact is None:
        return last
    beyond = v >= stated.exact[0] if stated.falls else v <= stated.exact[0]
    return np.where(beyond, np.minimum(last, v.dtype.type(stated.exact[1])), last)


def _is_exact(stated: Monotone, v: Any) -> Any:
    return False if stated.exact is None else v == stated.exact[0]


def _emptied(end: Any, outside: Any, x: Interval) -> Any:
    return np.where(outside, np.nan, end).astype(x.dtype)[()]


for _name, _stated in MONOTONE.items():
    ROWS[_name] = elementwise(_monotone(_name, _stated))


# Even functions, and functions of two numbers


@entered("cosh")
@elementwise
def _cosh(x: Interval) -> Ends:
    size = np.maximum(np.abs(x.lower), np.abs(x.upper))
    zero = (x.lower <= 0.0) & (x.upper >= 0.0)
    least = np.where(zero, x.dtype.type(0.0), np.minimum(np.abs(x.lower), np.abs(x.upper)))
    lower, upper = spread(np.cosh(least), np.cosh(size), 4)
    one = x.dtype.type(1.0)
    return np.maximum(lower, one), np.where(size == 0.0, one, upper)[()]


@entered("hypot")
@elementwise
def _hypot(x: Interval, y: Interval) -> Ends:
    parts = [ROWS["abs"](v) for v in (x, y)]
    upper = np.hypot(parts[0].upper, parts[1].upper)
    low, high = spread(np.hypot(parts[0].lower, parts[1].lower), upper, 4)
    return np.maximum(low, x.dtype.type(0.0)), np.where(upper == 0.0, upper, high)[()]


@entered("logaddexp")
@elementwise
def _logaddexp(x: Interval, y: Interval) -> Ends:
    """Rises in both; near 0 the terms cancel, which are less than 1 there and have errors of a few eps."""
    low, high = spread(np.logaddexp(x.lower, y.lower), np.logaddexp(x.upper, y.upper), 6)
    slack = x.dtype.type(8.0 * np.finfo(x.dtype).eps)
    return low - slack, high + slack


@entered("arctan2")
@elementwise
def _arctan2(x: Interval, y: Interval) -> Ends:
    """The angle of the point (y, x): at the corners, but where the box meets the cut along y ≤ 0 all angles."""
    corners = [np.arctan2(a, c) for a in (x.lower, x.upper) for c in (y.lower, y.upper)]
    lower, upper = corners[0], corners[0]
    for v in corners[1:]:
        lower, upper = np.minimum(lower, v), np.maximum(upper, v)
    lower, upper = spread(lower, upper, 4)
    cut = (x.lower <= 0.0) & (x.upper >= 0.0) & (y.lower <= 0.0)
    half = x.dtype.type(np.nextafter(np.pi, 4.0))
    zero = (x.lower == 0.0) & (x.upper == 0.0) & (y.lower > 0.0)
    lower, upper = np.where(cut, -half, np.maximum(lower, -half)), np.where(cut, half, np.minimum(upper, half))
    return np.where(zero, 0.0, lower).astype(x.dtype)[()], np.where(zero, 0.0, upper).astype(x.dtype)[()]


# Periodic functions

FAR = 2.0**30  # beyond which the phase is not looked at


def _meets(x: Interval, phase: float, period: float) -> Any:
    """Whether an interval may hold a number phase + k period; phase and period are rounded multiples of pi."""
    low, high = np.asarray(x.lower, float), np.asarray(x.upper, float)
    first, last = (low - phase) / period, (high - phase) / period
    doubt = 8.0 * np.finfo(float).eps * (1.0 + np.maximum(np.abs(first), np.abs(last)))
    far = ~((np.abs(low) <= FAR) & (np.abs(high) <= FAR))
    return far | (np.ceil(first - doubt) <= np.floor(last + doubt))


def _wave(function: Callable[[Any], Any], top: float) -> Callable[[Interval], Ends]:
    """Sine or cosine, whose largest value is at `top`."""

    def ends(x: Interval) -> Ends:
        one = x.dtype.type(1.0)
        values = function(x.lower), function(x.upper)
        lower, upper = spread(np.minimum(*values), np.maximum(*values), 4)
        exact = (x.lower == 0.0) & (x.upper == 0.0)
        lower = np.where(_meets(x, top - math.pi, 2.0 * math.pi), -one, np.maximum(lower, -one))
        upper = np.where(_meets(x, top, 2.0 * math.pi), one, np.minimum(upper, one))
        lower, upper = np.where(exact, values[0], lower), np.where(exact, values[0], upper)
        infinite = np.isinf(x.lower) | np.isinf(x.upper)
        return lower.astype(x.dtype)[()], upper.astype(x.dtype)[()], infinite

    return ends


ROWS["sin"] = elementwise(_wave(np.sin, 0.5 * math.pi))
ROWS["cos"] = elementwise(_wave(np.cos, 0.0))


@entered("tan")
@elementwise
def _tan(x: Interval) -> Ends:
    pole = _meets(x, 0.5 * math.pi, math.pi)
    lower, upper = spread(np.tan(x.lower), np.tan(x.upper), 4)
    zero = (x.lower == 0.0), (x.upper == 0.0)
    lower, upper = np.where(zero[0], 0.0, lower), np.where(zero[1], 0.0, upper)
    return np.where(pole, -np.inf, lower).astype(x.dtype)[()], np.where(pole, np.inf, upper).astype(x.dtype)[()], pole

"""Intervals of numbers, and arrays of them, whose ends are rounded outwards.

An interval holds two things at once: what the operation gives on real numbers from its operands, and what it gives on
floating-point numbers from them, rounded as the dtype rounds.  So by induction the interval of a program's result
holds the value of the function, and the number that is computed for it, operation by operation in the program's order
(sums and matrix products in any order, products and sums fused or not).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "COORDINATES",
    "UNDEFINED",
    "Interval",
    "above",
    "below",
    "bit_of",
    "hull",
    "is_float",
    "meet",
    "point",
    "spread",
]

UNDEFINED = 1  # the mark of what may be no number, as the root of -1 is none
COORDINATES = 62  # how many of the arguments' elements have a mark of their own


def bit_of(coordinate: int) -> int:
    """The mark of what depends on an element of the arguments."""
    return 1 << (1 + coordinate % COORDINATES)


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """An array of intervals, closed ones, of a shape like a number's or an array's.

    Attributes:
        lower, upper: the ends, of the dtype of the value; both nan where there is certainly no number.
        marks: int64, what is known of each element: `UNDEFINED`, and the marks of the elements of the arguments that
            it depends on.
        form: what is known of the elements as functions of the arguments, where zonotopes are computed.
    """

    lower: Any
    upper: Any
    marks: Any
    form: Any = None

    @property
    def dtype(self) -> np.dtype:
        return self.lower.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.lower)

    @property
    def is_point(self) -> bool:
        """Whether every element is one number, which is known."""
        return bool(np.all(self.lower == self.upper))

    @property
    def is_fixed(self) -> bool:
        """Whether no element depends on the arguments, or may be undefined."""
        return not np.any(self.marks)

    def map(self, f: Callable[[Any], Any]) -> Interval:
        """The same elements, arranged otherwise."""
        return Interval(f(self.lower), f(self.upper), f(self.marks))

    def marked(self, marks: Any) -> Interval:
        """The same interval with further marks."""
        return Interval(self.lower, self.upper, self.marks | marks)


def is_float(dtype: Any) -> bool:
    return np.dtype(dtype).kind == "f"


def point(value: Any, dtype: Any = None) -> Interval:
    """The interval of one number, or an array of such."""
    array = np.asarray(value, dtype)[()]
    return Interval(array, array, np.zeros(np.shape(array), np.int64)[()])


def hull(parts: Sequence[Interval]) -> Interval:
    """The least intervals that hold some of the same shape."""
    first, *rest = parts
    lower, upper, marks = first.lower, first.upper, first.marks
    for part in rest:
        lower, upper = np.fmin(lower, part.lower), np.fmax(upper, part.upper)
        marks = marks | part.marks
    return Interval(lower, upper, marks)


def meet(x: Interval, lower: Any, upper: Any) -> Interval:
    """What is known to lie between these ends as well; where that is nothing, x as it is."""
    low, high = np.maximum(x.lower, lower), np.minimum(x.upper, upper)
    empty = ~(low <= high)
    return Interval(np.where(empty, x.lower, low)[()], np.where(empty, x.upper, high)[()], x.marks, x.form)


def below(x: Any) -> Any:
    """The next smaller number of the dtype."""
    return np.nextafter(x, x.dtype.type(-np.inf))


def above(x: Any) -> Any:
    """The next larger number of the dtype."""
    return np.nextafter(x, x.dtype.type(np.inf))


def spread(lower: Any, upper: Any, ulps: float) -> tuple[Any, Any]:
    """Ends computed by a function that is within so many units in the last place, as every other one that computes it.

    A unit is at most eps |v|.  One such error lies between the computed end and the real one, and one between a real
    value and what is computed for it; two more cover the rounding here, and sixteen of the least numbers what is lost
    near 0.
    """
    info = np.finfo(lower.dtype)
    rate, least = lower.dtype.type((2.0 * ulps + 2.0) * info.eps), lower.dtype.type(16.0) * info.smallest_subnormal
    low = np.where(lower == np.inf, info.max, lower - (rate * np.abs(lower) + least))
    high = np.where(upper == -np.inf, info.min, upper + (rate * np.abs(upper) + least))
    # ∞ - ∞ above
    low = np.where(lower == -np.inf, lower, low)
    high = np.where(upper == np.inf, upper, high)
    return low.astype(lower.dtype)[()], high.astype(upper.dtype)[()]

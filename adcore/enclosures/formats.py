"""Formats of floating-point numbers, small ones among them, and their numbers on which a verdict can change."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .boxes import Search
from .subject import Box, Subject

__all__ = ["BFLOAT16", "FLOAT16", "Format", "Grid", "count_floats"]


@dataclass(frozen=True)
class Format:
    """Binary numbers with so many bits of exponent and of fraction, as IEEE 754 lays them out.

    Attributes:
        exponent, fraction: the bits; `Format(5, 10)` is float16, `Format(8, 7)` bfloat16, `Format(4, 3)` a minifloat.

    >>> Format(2, 1).numbers(0.0, 1.0)
    array([0. , 0.5, 1. ])
    >>> Format(5, 10).largest
    65504.0
    """

    exponent: int
    fraction: int

    def __post_init__(self) -> None:
        if not (2 <= self.exponent <= 11 and 0 <= self.fraction <= 52):
            raise ValueError(f"a format of {self.exponent} and {self.fraction} bits is no part of float64")

    @property
    def bias(self) -> int:
        return 2 ** (self.exponent - 1) - 1

    @property
    def largest(self) -> float:
        return float(np.ldexp(2.0 - 2.0**-self.fraction, self.bias))

    @property
    def least(self) -> float:
        """The least number above 0."""
        return float(np.ldexp(1.0, 1 - self.bias - self.fraction))

    def place(self, x: float, up: bool) -> int:
        """The place, from 0 on, of the least number that is not below x, or of the largest that is not above."""
        size = min(abs(x), self.largest)
        outwards = up == (x > 0.0)
        if abs(x) > self.largest:
            return int(np.sign(x)) * (self.place(self.largest, False) + (1 if outwards else 0))
        exponent = max(int(np.frexp(size)[1]) - 1, 1 - self.bias) if size else 1 - self.bias
        steps = np.ldexp(size, self.fraction - exponent)
        whole = int(np.ceil(steps) if outwards else np.floor(steps))
        found = (exponent + self.bias - 1) * 2**self.fraction + whole
        return found if x >= 0.0 else -found

    def number(self, place: int) -> float:
        """The number at a place."""
        size = abs(place)
        exponent = max(size // 2**self.fraction - 1, 0)
        steps = size - exponent * 2**self.fraction
        value = float(np.ldexp(float(steps), exponent + 1 - self.bias - self.fraction))
        return value if place >= 0 else -value

    def places(self, low: float, high: float) -> range:
        """The places of the numbers between two others, both included; 0 and -0 are one number."""
        return range(self.place(low, True), self.place(high, False) + 1)

    def numbers(self, low: float, high: float) -> np.ndarray:
        """The numbers between two others, both included."""
        return np.array([self.number(k) for k in self.places(low, high)])


FLOAT16, BFLOAT16 = Format(5, 10), Format(8, 7)
_NAMED = {"float16": FLOAT16, "bfloat16": BFLOAT16, "float32": Format(8, 23), "float64": Format(11, 52)}


@dataclass(frozen=True)
class Grid:
    """The points of a box whose coordinates are numbers of a format.

    Attributes:
        points: how many there are.
        open: how many of them are in boxes that are left undecided: on these the verdict can change.
        kinks: where all of these were looked at one by one, those at which a kink cannot be excluded, of the structure
            of the arguments; else None.
    """

    points: int
    open: int
    kinks: tuple[Any, ...] | None

    @property
    def density(self) -> float:
        """The share of the points at which a kink cannot be excluded, or, where these are not known, that are open."""
        found = self.open if self.kinks is None else len(self.kinks)
        return found / self.points if self.points else 0.0

    def __str__(self) -> str:
        text = f"{self.open} of {self.points} points are undecided"
        return text if self.kinks is None else f"{text}, a kink cannot be excluded at {len(self.kinks)}"


def count_floats(
    f: Callable[..., Any],
    lower: Any,
    upper: Any,
    format: str | Format = "float16",
    budget: int = 1000,
    most: int = 20_000,
) -> Grid:
    """How many numbers of a format lie where a kink may be, and at how many of these one may be.

    The box is split as by `certify`.  The points of the format in what is left are counted, and where they are at most
    `most`, each is looked at by itself, exactly as its value is: a small format is enumerated.

    Args:
        f, lower, upper, budget: as of `certify`.
        format: "float16", "bfloat16", "float32", "float64", or a `Format`.
        most: the most points that are looked at one by one.

    Source: Lee, Park and Aiken, On the Correctness of Automatic Differentiation for Neural Networks with
    Machine-Representable Parameters (ICML 2023), whose densities these are.

    >>> found = count_floats(lambda x: abs(x - 0.5), 0.0, 1.0, Format(4, 3))
    >>> found.points, len(found.kinks), found.kinks[0]
    (57, 1, 0.5)
    """
    chosen = _NAMED[format] if isinstance(format, str) else format
    subject = Subject(f, lower, upper)
    search = Search(subject)
    search.run(budget, lambda _: None)
    total = 1
    for low, high in zip(subject.whole.lower, subject.whole.upper, strict=True):
        total *= len(_places(chosen, low, high))
    left = _Left(chosen, subject, [box for box, _ in search.undecided()])
    return Grid(total, left.count, left.kinks() if left.count <= most else None)


def _places(format: Format, low: float, high: float) -> range:
    """Places of the numbers of an axis; where both ends are one number, that one, of whatever format it is."""
    return range(1) if low == high else format.places(low, high)


@dataclass(frozen=True)
class _Left:
    """The points of a format in some boxes, which share no more than sides."""

    format: Format
    subject: Subject
    boxes: list[Box]

    @cached_property
    def owned(self) -> list[list[range]]:
        """For each box the places on its axes; a number on a side belongs to each box that has the side."""
        fixed = self.subject.whole.lower == self.subject.whole.upper
        return [
            [
                range(1) if is_fixed else self.format.places(low, high)
                for low, high, is_fixed in zip(box.lower, box.upper, fixed, strict=True)
            ]
            for box in self.boxes
        ]

    @cached_property
    def count(self) -> int:
        """The points of all, each once: those of a box, without those on sides that it shares with boxes before it."""
        cells: set[tuple[int, ...]] = set()
        total = 0
        for axes in self.owned:
            size = int(np.prod([len(a) for a in axes], dtype=object))
            if size > _EXACT or total + size > _EXACT:
                return sum(int(np.prod([len(a) for a in axes], dtype=object)) for axes in self.owned)
            before = len(cells)
            cells.update(itertools.product(*axes))
            total += len(cells) - before
        return total

    def points(self) -> Iterator[tuple[int, ...]]:
        seen: dict[tuple[int, ...], None] = {}
        for axes in self.owned:
            seen.update(dict.fromkeys(itertools.product(*axes)))
        return iter(seen)

    def kinks(self) -> tuple[Any, ...]:
        """The points at which a kink cannot be excluded."""
        whole = self.subject.whole
        fixed = whole.lower == whole.upper
        found: list[Any] = []
        for places in self.points():
            at = np.where(fixed, whole.lower, [self.format.number(k) for k in places])
            if self.subject.trial(Box(at, at)).reasons:
                found.append(self.subject.arguments(at))
        return tuple(found)


_EXACT = 200_000  # of points, of which those on common sides are counted once

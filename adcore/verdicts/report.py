"""What is told of a gradient: the verdict, the kinks and how near the others are."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..trees import leaves
from .elements import directional, in_hull, lexicographic
from .forms import AbsLinear, abs_linear
from .judgement import Judgement
from .points import Instruments, Met, Point, Run, Touched
from .sites import SOFTENED, Place, from_text

__all__ = ["Kink", "Near", "Verdict"]

SAID = {
    "differentiable": "the gradient is the derivative",
    "clarke": "not differentiable; the gradient is an element of Clarke's subdifferential",
    "incorrect": "the gradient is not the derivative",
    "unknown": "it is not known whether the gradient is the derivative",
}
SIDES = {-1: "below", 1: "above"}
EVIDENCE = {
    "gradient": "as it says itself",
    "stated": "as stated",
    "untouched": "no distance to a kink is 0",
    "adjoints": "by the adjoints",
    "pieces": "by all pieces of the function",
    "directions": "by pieces in random directions",
    "free": "by the independence of the kinks",
    "test": "by test: gradients nearby, extrapolated",
}
INTEGERS = ("lt", "le", "gt", "ge", "eq", "ne", "cast", "argsort")  # rows whose results have no adjoint
SHOWN = 8  # kinks in a readable report


@dataclass(frozen=True)
class Kink:
    """A kink that the point touches.

    Attributes:
        file, line, source: where the expression is, and its text.
        primitive: the row of the table.
        where: at which operands the kink is, in words of the operands x and y.
        effect: "bend", "cone", "jump" or "edge".
        operands: their values.
        distance: of the operands from the kink; 0.0.
        ulps: the same in units of the last place of the operands; 0.0.
        side: which of its sides the gradient was taken from: "below", "above", "mean" of a bend, "neither" of a jump
            that has another value at the kink itself, as `==` has; "" where the sides are not known.
        adjoint: the derivative of the function's value by that of the expression; None of an integer or a boolean.
            A bend with adjoint 0 does not matter.
    """

    file: str
    line: int
    source: str
    primitive: str
    where: str
    effect: str
    operands: tuple[float, ...]
    distance: float
    ulps: float
    side: str
    adjoint: float | None

    def __str__(self) -> str:
        operands = ", ".join(f"{name} = {value:.6g}" for name, value in zip("xy", self.operands, strict=False))
        adjoint = "" if self.adjoint is None else f", adjoint {self.adjoint:.6g}"
        at = f"{Path(self.file).name}:{self.line}: " if self.file else ""
        side = self.side and f", {self.side}"
        return f"{at}{self.source}  [{self.primitive}: {self.effect} at {self.where}]  {operands}{side}{adjoint}"


@dataclass(frozen=True)
class Near:
    """How near the point comes to a kink that it does not touch: |margin|, and in units of the operands' last place."""

    place: Place
    distance: float
    ulps: float

    def __str__(self) -> str:
        ulps = f", {self.ulps:.3g} ulps" if np.isfinite(self.ulps) else ""
        return f"{self.place}: {self.distance:.3g} away{ulps}"


class Verdict:
    """What a gradient is.

    Attributes:
        value: of the function.
        gradient: with the structure of the argument, as `grad` gives it.
        status: "differentiable": the gradient is the derivative; "clarke": there is none, the gradient is an element of
            Clarke's subdifferential; "incorrect": neither, or the value jumps; "unknown".
        evidence: how that is known: "untouched", "gradient", "adjoints", "pieces", "directions", "free", "stated", or
            "test" where it is no proof.
        reason: the same as a sentence.
        aux: what the function returns beside its value, with `has_aux`.
    """

    def __init__(
        self,
        met: Met,
        judgement: Judgement,
        instruments: Instruments,
        point: Point | None = None,
        middle: Run | None = None,
    ) -> None:
        self.value = met.value
        self.gradient = met.gradient
        self.aux = met.aux
        self.status, self.evidence, self.reason = judgement.status, judgement.evidence, judgement.reason
        self._met = met
        self._judgement = judgement
        self._instruments = instruments
        self._opened = None if point is None or middle is None else (point, middle)

    def __repr__(self) -> str:
        return f"<{self.status} at value {self.value!r}, {len(self.kinks)} kinks touched>"

    @functools.cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """The kinks that the point touches, in the order in which they are met."""
        return tuple(map(_kink, self._opened[1].touched)) if self._opened else ()

    @functools.cached_property
    def nearest(self) -> tuple[Near, ...]:
        """Of the places that were reached and not touched how near the point comes to each, the nearest first."""
        sizes = [np.asarray(x).dtype.itemsize for x in leaves(self.gradient) if x is not None]
        real = np.float32 if max(sizes, default=8) == 4 else np.float64
        found = zip(from_text(self._met.places), self._met.distances, self._met.relative, strict=False)
        near = [Near(place, float(far), _ulps(far, part, real)) for place, far, part in found if 0.0 < far < np.inf]
        return tuple(sorted(near, key=lambda n: n.distance))

    def __bool__(self) -> bool:
        """Whether the gradient is the derivative."""
        return self.status == "differentiable"

    @functools.cached_property
    def softened(self) -> tuple[Place, ...]:
        """The expressions for which others stand, as in `soft(f, tau)`: value and gradient are those of the others."""
        return tuple(p for p in from_text(self._met.places) if p.effect == SOFTENED)

    @property
    def elements(self) -> np.ndarray:
        """The gradients of the pieces that were found to meet at the point, one row each, without repetition.

        With the evidence "pieces" these are all elements of the Bouligand subdifferential, and their convex hull is
        Clarke's.
        """
        found = [e.gradient for e in self._judgement.elements]
        return np.unique(np.array(found), axis=0) if found else np.array([self._gradient])

    @property
    def stationary(self) -> bool:
        """Whether 0 is in the convex hull of the elements that were found, as it is at every local minimum."""
        zero = np.zeros_like(self._gradient)
        return in_hull(zero, list(self.elements), 1e-9 * max(np.abs(self.elements).max(initial=0.0), 1e-300))

    @functools.cached_property
    def _gradient(self) -> np.ndarray:
        return self._instruments.flat(self.gradient)

    def directional(self, direction: Any) -> float:
        """The derivative in one direction, also where the function has a kink: lim (f(x + t d) - f(x)) / t for t > 0.

        Args:
            direction: of the structure of the gradient.

        Raises:
            ValueError: the value jumps there, or the pieces of the function are not known.

        >>> from adcore import verdict
        >>> found = verdict(lambda x: abs(x) + x)(0.0)
        >>> found.directional(1.0), found.directional(-1.0)
        (2.0, 0.0)
        """
        vector = self._instruments.flat(direction)
        if self._opened is None:
            return float(self._gradient @ vector)
        point, middle = self._opened
        return directional(point, vector, middle.count)

    @functools.cached_property
    def one_sided(self) -> tuple[float, float]:
        """Of a function of one number the derivatives from the left and from the right."""
        if self._gradient.shape != (1,):
            raise ValueError(f"one_sided is for functions of one number, not of {len(self._gradient)}; see directional")
        if self._opened is None:
            return float(self._gradient[0]), float(self._gradient[0])
        point, middle = self._opened
        left, right = (directional(point, np.array([sign]), middle.count) for sign in (-1.0, 1.0))
        return 0.0 - left, right

    def lexicographic(self, directions: Any = None) -> np.ndarray:
        """An element of the lexicographic subdifferential along the rows of a matrix (the unit vectors by default).

        Each touched kink goes to the side of the first direction along which its margin moves; what results is the
        gradient of one of the pieces that meet at the point.

        Source: Nesterov, Lexicographic differentiation of nonsmooth functions, Mathematical Programming 104 (2005);
        Khan and Barton, A vector forward mode of automatic differentiation for generalized derivative evaluation,
        Optimization Methods and Software 30 (2015).
        """
        if self._opened is None:
            return self._gradient
        point, middle = self._opened
        rows = np.eye(len(self._gradient)) if directions is None else np.asarray(directions, float)
        return lexicographic(point, rows, middle.count)

    def abs_linear(self) -> AbsLinear:
        """The function's piecewise linear model at the point (Griewank's abs-linear form).

        Raises:
            ValueError: a kink there is no bend with two known sides.
        """
        return abs_linear(self._opened, self._gradient, self.value)

    def __str__(self) -> str:
        lines = [f"{self.status}: {SAID[self.status]}"]
        if self.evidence != "untouched" or self.status != "differentiable":
            lines.append(f"  {self.reason} ({EVIDENCE[self.evidence]})")
        if self.softened:
            lines.append("  a surrogate: not the function itself, but in the place of")
            lines += _some([f"{p.expression or p.primitive} (line {p.line}): {p.where}" for p in self.softened])
        if self.kinks:
            lines.append("  touched:")
            lines += _some(self.kinks)
        if self.nearest:
            lines.append("  nearest:")
            lines += _some(self.nearest[:3])
        return "\n".join(lines)


def _ulps(distance: float, relative: float, real: type) -> float:
    """A distance in units of the last place of the operands, to whose size it has this relation."""
    if not 0.0 < relative < np.inf:
        return np.inf
    return float(distance / np.spacing(real(distance / relative)))


def _kink(touched: Touched) -> Kink:
    place = touched.place
    adjoint = None if place.primitive in INTEGERS or not place.sided else touched.adjoint
    middle = "mean" if place.effect == "bend" else "neither"
    side = SIDES.get(touched.side, middle) if place.sided else ""
    at = (place.file, place.line, place.expression, place.primitive, place.where, place.effect)
    return Kink(*at, touched.operands, 0.0, 0.0, side, adjoint)


def _some(items: Sequence[Any]) -> list[str]:
    shown = [f"    {item}" for item in items[:SHOWN]]
    return shown if len(items) <= SHOWN else [*shown, f"    and {len(items) - SHOWN} more"]

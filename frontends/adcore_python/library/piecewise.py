"""Polynomials on intervals, which SciPy's splines are: evaluated, differentiated, integrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .registry import defines, refuse
from .searching import searchsorted

__all__ = ["PERIODIC", "Pieces", "moved", "places_of"]

PERIODIC = "periodic"


@dataclass
class Pieces:
    """What `scipy.interpolate.PPoly` and the splines made of it are in compiled functions.

    Attributes:
        c: for each interval the coefficients, of the highest power first; further axes are those of the values.
        x: the ends of the intervals, increasing.
        extrapolate: whether the first and the last polynomial go on beyond the ends, or "periodic".
        axis: where the axes of the places are among those of the values.
        order: how many coefficients there are for an interval; a constant wherever that is known.
    """

    c: Any
    x: Any
    extrapolate: Any
    axis: Any
    order: Any

    def __call__(self, x, nu=0, extrapolate=None):
        beyond = self.extrapolate if extrapolate is None else extrapolate
        at = places_of(x)
        if isinstance(beyond, str):
            found = self._values(self.x[0] + (at - self.x[0]) % (self.x[-1] - self.x[0]), nu, False)
        else:
            found = self._values(at, nu, beyond)
        return moved(found, at, self.axis)

    def _values(self, at, nu, everywhere):
        if nu < 0:
            raise ValueError("Order of derivative cannot be negative")
        k = _intervals(self.x, at)
        if np.ndim(at) == 0:
            return self._value(k, at - self.x[k], nu) if self._known(at, everywhere) else self._unknown()
        flat, places = at.ravel(), k.ravel()
        made = np.empty((flat.shape[0], *self.c.shape[2:]), self.c.dtype)
        for i in range(flat.shape[0]):
            if self._known(flat[i], everywhere):
                made[i] = self._value(places[i], flat[i] - self.x[places[i]], nu)
            else:
                made[i] = np.nan
        return made.reshape((*at.shape, *self.c.shape[2:]))

    def _known(self, at, everywhere):
        return at == at if everywhere else (at >= self.x[0]) & (at <= self.x[-1])

    def _unknown(self):
        return self.c[0, 0] * 0.0 + np.nan

    def _value(self, k, away, nu):
        """The derivative of one polynomial, by Horner's scheme."""
        value = self.c[0, k] * 0.0
        for j in range(self.order - nu):
            value = value * away + self.c[j, k] * _falling(self.order - 1 - j, nu)
        return value

    def derivative(self, nu=1):
        if nu < 0:
            return self.antiderivative(-nu)
        if self.order <= nu:
            return Pieces(np.zeros_like(self.c[:1]), self.x, self.extrapolate, self.axis, 1)
        factors = _falling(np.arange(self.order - 1, nu - 1, -1) * 1.0, nu)
        c = self.c[: self.order - nu] * _along(factors, self.c.ndim)
        return Pieces(c, self.x, self.extrapolate, self.axis, self.order - nu)

    def antiderivative(self, nu=1):
        if nu <= 0:
            return self.derivative(-nu)
        return self._integral().antiderivative(nu - 1)

    def _integral(self):
        c = np.zeros((self.order + 1, *self.c.shape[1:]), self.c.dtype)
        c[:-1] = self.c / _along(np.arange(self.order, 0, -1) * 1.0, c.ndim)
        lengths = _along(np.diff(self.x), c.ndim - 1)
        areas = c[0] * 0.0
        for j in range(self.order + 1):
            areas = areas * lengths + c[j]
        c[-1, 1:] = np.cumsum(areas[:-1], 0)
        beyond = False if isinstance(self.extrapolate, str) else self.extrapolate
        return Pieces(c, self.x, beyond, self.axis, self.order + 1)

    def integrate(self, a, b, extrapolate=None):
        beyond = self.extrapolate if extrapolate is None else extrapolate
        low, high = min(a, b) * 1.0, max(a, b) * 1.0
        sign = -1.0 if b < a else 1.0
        if not isinstance(beyond, str):
            inside = beyond or (low >= self.x[0] and high <= self.x[-1])
            return sign * self._area(low, high) if inside else self._unknown()
        start, end = self.x[0], self.x[-1]
        period = end - start
        times = np.floor((high - low) / period)
        first = start + (low - start) % period
        last = first + (high - low) - times * period
        rest = self._area(first, min(last, end)) + self._area(start, start + max(last - end, 0.0))
        return sign * (times * self._area(start, end) + rest)

    def _area(self, low, high):
        """The integral between two places in their order."""
        first, last = _intervals(self.x, low), _intervals(self.x, high)
        total = self.c[0, 0] * 0.0
        for k in range(first, last + 1):
            left = low if k == first else self.x[k]
            right = high if k == last else self.x[k + 1]
            total = total + self._primitive(k, right - self.x[k]) - self._primitive(k, left - self.x[k])
        return total

    def _primitive(self, k, away):
        value = self.c[0, k] * 0.0
        for j in range(self.order):
            value = value * away + self.c[j, k] / (self.order - j)
        return value * away

    def solve(self, y=0.0, discontinuity=True, extrapolate=None):
        refuse("roots of a spline, of which there are as many as its values say", "adcore.root, from a place near one")

    def roots(self, discontinuity=True, extrapolate=None):
        return self.solve()


def places_of(x):
    """Places in double precision: a number, or an array."""
    return float(x) if np.ndim(x) == 0 else np.asarray(x).astype(float)


def moved(found, at, axis):
    """Values with the axes of the places in front, moved to where they belong."""
    if np.ndim(at) == 0 or axis == 0:
        return found
    return np.moveaxis(found, tuple(range(np.ndim(at))), tuple(range(axis, axis + np.ndim(at))))


def _intervals(x, at):
    """The interval that each place is in: the first and last for what is beyond the ends."""
    return np.clip(searchsorted(x, at, "right") - 1, 0, x.shape[0] - 2)


def _falling(power, nu):
    """What the derivative of a power is multiplied by."""
    factor = power * 0.0 + 1.0
    for i in range(nu):
        factor = factor * (power - i)
    return factor


def _along(values, rank):
    """A vector along the first of so many axes."""
    return np.reshape(values, (-1,) + (1,) * (rank - 1))


@defines("scipy.interpolate.PPoly")
def piecewise_polynomial(c, x, extrapolate=None, axis=0):
    coefficients, ends = np.asarray(c), np.asarray(x).astype(float)
    if coefficients.ndim < 2:
        raise ValueError("Coefficients array must be at least 2-dimensional.")
    if not 0 <= axis < coefficients.ndim - 1:
        raise ValueError(f"axis={axis} must be between 0 and {coefficients.ndim - 1}")
    if axis != 0:
        coefficients = np.moveaxis(coefficients, (axis, axis + 1), (0, 1))
    if ends.ndim != 1:
        raise ValueError("x must be 1-dimensional")
    if ends.shape[0] < 2:
        raise ValueError("at least 2 breakpoints are needed")
    if coefficients.shape[0] == 0:
        raise ValueError("polynomial must be at least of order 0")
    if coefficients.shape[1] != ends.shape[0] - 1:
        raise ValueError("number of coefficients != len(x)-1")
    if np.any(np.diff(ends) < 0):
        raise NotImplementedError("scipy.interpolate.PPoly whose x does not increase; write instead: x[::-1], and c so")
    coefficients = coefficients.astype(np.result_type(coefficients, float))
    beyond = True if extrapolate is None else extrapolate
    return Pieces(coefficients, ends, beyond, axis, coefficients.shape[0])

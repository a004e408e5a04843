"""SciPy's splines as sums of B-splines: evaluated by de Boor's algorithm, and made of the values at given places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .piecewise import moved, places_of
from .registry import defines, refuse
from .searching import searchsorted
from .structured import solve_banded

__all__ = ["Spline", "interpolating_spline"]

SMOOTHING = "splrep(x, y, k=k), or a tuple (t, c, k) made outside"
AS_PIECES = "pieces = PPoly.from_spline(spline), made outside, and pieces"


@dataclass
class Spline:
    """What `scipy.interpolate.BSpline` is in compiled functions.

    Attributes:
        t: the knots, not decreasing.
        c: the coefficients; further axes are those of the values.
        k: the degree.
        extrapolate: whether the first and the last polynomial go on beyond the ends, or "periodic".
        axis: where the axes of the places are among those of the values.
    """

    t: Any
    c: Any
    k: Any
    extrapolate: Any
    axis: Any

    def __call__(self, x, nu=0, extrapolate=None):
        beyond = self.extrapolate if extrapolate is None else extrapolate
        at = places_of(x)
        if nu < 0:
            raise ValueError("Order of derivative cannot be negative")
        start, end = self.t[self.k], self.t[self.t.shape[0] - self.k - 1]
        if isinstance(beyond, str):
            return moved(self._values(start + (at - start) % (end - start), nu, start, end, False), at, self.axis)
        return moved(self._values(at, nu, start, end, beyond), at, self.axis)

    def _values(self, at, nu, start, end, everywhere):
        last = self.t.shape[0] - self.k - 2
        places = np.clip(searchsorted(self.t, at, "right") - 1, self.k, last)
        if np.ndim(at) == 0:
            known = at == at if everywhere else (at >= start) & (at <= end)
            return self._value(places, at, nu) if known else self.c[0] * 0.0 + np.nan
        flat, intervals = at.ravel(), places.ravel()
        made = np.empty((flat.shape[0], *self.c.shape[1:]), self.c.dtype)
        for i in range(flat.shape[0]):
            known = flat[i] == flat[i] if everywhere else (flat[i] >= start) & (flat[i] <= end)
            if known:
                made[i] = self._value(intervals[i], flat[i], nu)
            else:
                made[i] = np.nan
        return made.reshape((*at.shape, *self.c.shape[1:]))

    def _value(self, place, at, nu):
        """The coefficients of a derivative, one order after the other, and de Boor's averages of these."""
        k, t = self.k, self.t
        if nu > k:
            return self.c[0] * 0.0
        d = self.c[place - k : place + 1].copy()
        for r in range(nu):
            for j in range(k - r):
                width = t[place + 1 + j] - t[place + 1 + j - (k - r)]
                d[j] = (d[j + 1] - d[j]) * ((k - r) / width)
        degree = k - nu
        for r in range(1, degree + 1):
            for j in range(degree, r - 1, -1):
                low, high = t[place - degree + j], t[place + 1 + j - r]
                share = (at - low) / (high - low)
                d[j] = (1.0 - share) * d[j - 1] + share * d[j]
        return d[degree]

    def derivative(self, nu=1):
        if nu < 0:
            return self.antiderivative(-nu)
        return self if nu == 0 else self._slope().derivative(nu - 1)

    def _slope(self):
        n = self.t.shape[0] - self.k - 1
        if self.k == 0:
            return Spline(self.t, self.c * 0.0, 0, self.extrapolate, self.axis)
        widths = self.t[self.k + 1 : self.k + n] - self.t[1:n]
        factors = np.where(widths == 0.0, 0.0, self.k / np.where(widths == 0.0, 1.0, widths))
        c = np.diff(self.c[:n], axis=0) * np.reshape(factors, (-1,) + (1,) * (self.c.ndim - 1))
        return Spline(self.t[1:-1], c, self.k - 1, self.extrapolate, self.axis)

    def antiderivative(self, nu=1):
        refuse("scipy.interpolate.BSpline.antiderivative", f"{AS_PIECES}.antiderivative()")

    def integrate(self, a, b, extrapolate=None):
        refuse("scipy.interpolate.BSpline.integrate", f"{AS_PIECES}.integrate(a, b)")


@defines("scipy.interpolate.BSpline")
def b_spline(t, c, k, extrapolate=True, axis=0):
    knots, coefficients = np.asarray(t).astype(float), np.asarray(c)
    coefficients = coefficients.astype(np.result_type(coefficients, float))
    if axis != 0:
        coefficients = np.moveaxis(coefficients, axis, 0)
    n = knots.shape[0] - k - 1
    if k < 0:
        raise ValueError("Spline order cannot be negative.")
    if knots.ndim != 1:
        raise ValueError("Knot vector must be one-dimensional.")
    if n < k + 1:
        raise ValueError(f"Need at least {2 * k + 2} knots for degree {k}")
    if np.any(np.diff(knots) < 0):
        raise ValueError("Knots must be in a non-decreasing order.")
    if knots[k] == knots[n]:
        raise ValueError("Need at least two internal knots.")
    if not np.all(np.isfinite(knots)):
        raise ValueError("Knots should not have nans or infs.")
    if coefficients.shape[0] < n:
        raise ValueError("Knots, coefficients and degree are inconsistent.")
    return Spline(knots, coefficients, k, extrapolate, axis % coefficients.ndim)


# Made of values


@defines("scipy.interpolate.make_interp_spline")
def interpolating_spline(x, y, k=3, t=None, bc_type=None, axis=0, check_finite=True):
    if t is not None or bc_type is not None:
        refuse("scipy.interpolate.make_interp_spline with t= or bc_type=", "CubicSpline(x, y, bc_type=…)")
    at, values = np.asarray(x).astype(float), np.moveaxis(np.asarray(y), axis, 0)
    values = values.astype(np.result_type(values, float))
    n = at.shape[0]
    if at.ndim != 1:
        raise ValueError("Expect x to be a 1D strictly increasing sequence.")
    if n != values.shape[0]:
        raise ValueError(f"Shapes of x ({n},) and y, of {values.shape[0]} rows, are incompatible")
    if np.any(at[1:] == at[:-1]):
        raise ValueError("Expect x to not have duplicates")
    if np.any(at[1:] < at[:-1]):
        raise ValueError("Expect x to be a 1D strictly increasing sequence.")
    if n < k + 1:
        raise ValueError(f"x and y arrays must have at least {k + 1} entries")
    place = axis % values.ndim
    if k == 0:
        return Spline(np.concatenate((at, at[-1:])), values, k, True, place)
    knots = np.concatenate((np.full(k + 1, at[0]), _inner_knots(at, k), np.full(k + 1, at[-1])))
    if k == 1:
        return Spline(knots, values, k, True, place)
    band = _collocation(knots, at, k)
    if values.ndim == 1:
        return Spline(knots, solve_banded((k, k), band, values), k, True, place)
    found = solve_banded((k, k), band, np.reshape(values, (n, -1)))
    return Spline(knots, np.reshape(found, values.shape), k, True, place)


def _inner_knots(x, k):
    """Of odd degrees the places themselves but for the first and last ones, of even degrees the middles."""
    half, n = (k + 1) // 2, x.shape[0]
    if k % 2 == 1:
        return x[half : n - half]
    return 0.5 * (x[half + 1 : n - half] + x[half : n - half - 1])


def _collocation(t, x, k):
    """The B-splines at each place, in the rows of a band matrix."""
    n = x.shape[0]
    band, basis = np.zeros((2 * k + 1, n)), np.zeros(k + 1)
    for i in range(n):
        place = min(max(searchsorted(t, x[i], "right") - 1, k), n - 1)
        basis[0] = 1.0
        for r in range(1, k + 1):
            saved = 0.0
            for j in range(r):
                low, high = t[place + 1 + j - r], t[place + 1 + j]
                part = basis[j] / (high - low)
                basis[j] = saved + (high - x[i]) * part
                saved = (x[i] - low) * part
            basis[r] = saved
        for j in range(k + 1):
            column = place - k + j
            if abs(i - column) <= k:
                band[k + i - column, column] = basis[j]
    return band


# FITPACK's, by tuples of knots, coefficients and degree


@defines("scipy.interpolate.splrep")
def splrep(x, y, w=None, xb=None, xe=None, k=3, task=0, s=None, t=None, full_output=0, per=0, quiet=1):
    if s is None and w is not None:
        refuse("scipy.interpolate.splrep with w=, which smooths", SMOOTHING)
    if xb is not None or xe is not None or t is not None or task != 0 or full_output or per or s:
        refuse("scipy.interpolate.splrep with other arguments than x, y, k and s=0", SMOOTHING)
    spline = interpolating_spline(x, y, k)
    return spline.t, np.concatenate((spline.c, np.zeros(k + 1))), k


@defines("scipy.interpolate.splev")
def splev(x, tck, der=0, ext=0):
    if ext != 0:
        refuse("scipy.interpolate.splev with ext=", "splev(x, tck, der), and np.where for places beyond")
    if not isinstance(tck, tuple | list):
        return tck(x, der, True)
    t, c, k = tck
    if not 0 <= der <= k:
        raise ValueError(f"0<=der={der}<=k={k} must hold")
    return Spline(np.asarray(t), np.asarray(c), k, True, 0)(x, der)

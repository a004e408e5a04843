"""Calls of SciPy's interpolation, of splines made in the function of values that have derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate

si: Any = scipy.interpolate
RNG = np.random.default_rng(11)
X = np.cumsum(RNG.uniform(0.5, 1.5, 7))
Y = RNG.uniform(0.5, 1.5, 7)
T = RNG.uniform(0.5, 1.5, (2, 7, 3))
AT = np.concatenate(([X[0] - 0.7], 0.3 * X[:-1] + 0.7 * X[1:], [X[-1] + 0.4]))
INSIDE = AT[1:-1]
PAIRS = np.stack((RNG.uniform(X[0], X[1], 5), RNG.uniform(X[0], X[-1], 5)), -1)
KNOTS = np.concatenate(([X[0]] * 4, X[2:5], [X[-1]] * 4)) + 0.01 * np.arange(11)
TCK = si.splrep(X, Y)


def ring(y):
    return np.concatenate((y[:6], y[:1]))


def knots(y):
    return np.cumsum(0.3 + y)


CALLS = {
    "scipy.interpolate.CubicSpline": [
        (lambda y: si.CubicSpline(X, y)(AT), Y),
        (lambda x: si.CubicSpline(x, Y)(AT), X),
        (lambda at: si.CubicSpline(X, Y)(at), AT),
        (lambda at: si.CubicSpline(X, Y)(at), 3.3),
        (lambda at: si.CubicSpline(X, Y)(at, 1), AT),
        (lambda y: si.CubicSpline(X, y)(AT, nu=2), Y),
        (lambda y: si.CubicSpline(X, y)(AT, 3), Y),
        (lambda y: si.CubicSpline(X, y, extrapolate=False)(INSIDE, 4), Y),
        (lambda y: si.CubicSpline(X, y, bc_type="natural")(AT), Y),
        (lambda y: si.CubicSpline(X, y, bc_type="clamped")(AT), Y),
        (lambda y: si.CubicSpline(X, ring(y), bc_type="periodic")(AT), Y),
        (lambda y: si.CubicSpline(X, y, bc_type=((1, y[0]), (2, 0.3)))(AT), Y),
        (lambda y: si.CubicSpline(X, y, bc_type=((2, y[1]), "not-a-knot"))(AT), Y),
        (lambda y: si.CubicSpline(knots(y), y)(AT), Y),
        (lambda y: si.CubicSpline(X[:2], y[:2])(AT), Y),
        (lambda y: si.CubicSpline(X[:3], y[:3])(AT), Y),
        (lambda y: si.CubicSpline(X[:4], y[:4])(AT), Y),
        (lambda y: si.CubicSpline(X[:2], y[:2], bc_type=("not-a-knot", "natural"))(AT), Y),
        (lambda y: si.CubicSpline(X[:3], y[:3], bc_type=("clamped", "not-a-knot"))(AT), Y),
        (lambda y: si.CubicSpline(X[:3], ring(y)[[0, 1, 6]], bc_type="periodic")(AT), Y),
        (lambda y: si.CubicSpline(X[:2], ring(y)[[0, 6]], bc_type="periodic")(AT), Y),
        (lambda y: si.CubicSpline(X[:4], ring(y)[[0, 1, 2, 6]], bc_type="periodic")(AT), Y),
        (lambda t: si.CubicSpline(X, t, axis=1)(AT), T),
        (lambda t: si.CubicSpline(X, t, axis=1)(AT.reshape(2, 4), 1), T),
        (lambda t: si.CubicSpline(X, t, -2, "natural")(3.3), T),
        (lambda t: si.CubicSpline(X, t[0])(AT), T),
        (lambda t: si.CubicSpline(X, t[0], bc_type=((1, t[1, 0]), (2, t[1, 1])))(AT), T),
        (lambda t: si.CubicSpline(X[:4], t[0, [0, 1, 2, 0]], bc_type="periodic")(AT), T),
        (lambda y: si.CubicSpline(X, y + 1j * y * y)(AT), Y),
        (lambda y: si.CubicSpline(X, y).derivative()(AT), Y),
        (lambda y: si.CubicSpline(X, y).derivative(2)(3.3), Y),
        (lambda y: si.CubicSpline(X, y).derivative(4)(AT), Y),
        (lambda y: si.CubicSpline(X, y).antiderivative()(AT), Y),
        (lambda y: si.CubicSpline(X, y).antiderivative(2)(AT), Y),
        (lambda y: si.CubicSpline(X, y).antiderivative().derivative()(AT), Y),
        (lambda y: si.CubicSpline(X, y).integrate(2.0 + y[0], X[-1] + y[1]), Y),
        (lambda y: si.CubicSpline(X, y).integrate(X[-1] + y[1], 2.0 + y[0]), Y),
        (lambda y: si.CubicSpline(X, ring(y), bc_type="periodic").integrate(-2.0, 17.0 + y[1]), Y),
        (lambda t: si.CubicSpline(X, t, axis=1).integrate(2.0, 5.0), T),
        (lambda y: si.CubicSpline(X, y).c * si.CubicSpline(X, y).x[0], Y),
    ],
    "scipy.interpolate.CubicHermiteSpline": [
        (lambda y: si.CubicHermiteSpline(X, y, y * y)(AT), Y),
        (lambda t: si.CubicHermiteSpline(X, t, t * t, 1)(AT), T),
    ],
    "scipy.interpolate.PchipInterpolator": [
        (lambda y: si.PchipInterpolator(X, y)(AT), Y),
        (lambda x: si.PchipInterpolator(x, Y)(AT), X),
        (lambda y: si.PchipInterpolator(X, np.cumsum(y), extrapolate=True)(AT), Y),
        (lambda y: si.PchipInterpolator(X[:2], y[:2])(AT, 1), Y),
        (lambda y: si.PchipInterpolator(X[:3], y[:3])(AT), Y),
        (lambda t: si.PchipInterpolator(X, t, axis=1).derivative()(AT), T),
    ],
    "scipy.interpolate.Akima1DInterpolator": [
        (lambda y: si.Akima1DInterpolator(X, y)(INSIDE), Y),
        (lambda x: si.Akima1DInterpolator(x, Y)(INSIDE), X),
        (lambda y: si.Akima1DInterpolator(X, y, method="makima", extrapolate=True)(AT), Y),
        (lambda y: si.Akima1DInterpolator(X[:2], y[:2])(1.5), Y),
        (lambda t: si.Akima1DInterpolator(X, t, axis=1)(INSIDE), T),
    ],
    "scipy.interpolate.PPoly": [
        (lambda y: si.PPoly(np.reshape(y[:6], (3, 2)), X[:3])(AT), Y),
        (lambda y: si.PPoly(np.reshape(y[:6], (3, 2)), X[:3])(AT, 1), Y),
        (lambda y: si.PPoly(np.reshape(y[:6], (1, 6)), X, extrapolate="periodic")(AT), Y),
        (lambda t: si.PPoly(t, X[:4], axis=1)(AT), T),
        (lambda y: si.PPoly(np.reshape(y[:6], (3, 2)), X[:3]).antiderivative()(AT), Y),
        (lambda y: si.PPoly(np.reshape(y[:6], (3, 2)), X[:3]).derivative()(AT), Y),
        (lambda y: si.PPoly(np.reshape(y[:6], (1, 6)), X).derivative()(AT) + y[0], Y),
    ],
    "scipy.interpolate.interp1d": [
        (lambda y: si.interp1d(X, y)(INSIDE), Y),
        (lambda x: si.interp1d(x, Y)(INSIDE), X),
        (lambda at: si.interp1d(X, Y)(at), INSIDE),
        (lambda at: si.interp1d(X, Y)(at), 3.3),
        (lambda y: si.interp1d(X[::-1], y, fill_value="extrapolate")(AT), Y),
        (lambda y: si.interp1d(X, y, bounds_error=False)(INSIDE), Y),
        (lambda y: si.interp1d(X, y, bounds_error=False, fill_value=2.0)(AT), Y),
        (lambda y: si.interp1d(X, y, bounds_error=False, fill_value=(y[0], y[1]))(AT), Y),
        (lambda y: si.interp1d(X, y, kind="nearest", fill_value="extrapolate")(AT), Y),
        (lambda y: si.interp1d(X, y, kind="nearest-up", fill_value="extrapolate")(AT), Y),
        (lambda y: si.interp1d(X, y, kind="nearest")(0.5 * (X[1:] + X[:-1])), Y),
        (lambda y: si.interp1d(X, y, kind="previous", fill_value="extrapolate")(np.append(AT[1:], X)), Y),
        (lambda y: si.interp1d(X, y, kind="next", fill_value="extrapolate")(np.append(AT[:-1], X)), Y),
        (lambda y: si.interp1d(X, y, kind="cubic", fill_value="extrapolate")(AT), Y),
        (lambda y: si.interp1d(X, y, kind="quadratic", assume_sorted=True)(INSIDE), Y),
        (lambda y: si.interp1d(X, y, kind="slinear")(INSIDE.reshape(2, 3)), Y),
        (lambda y: si.interp1d(X, y, kind="zero")(INSIDE), Y),
        (lambda t: si.interp1d(X, t, axis=1, bounds_error=False, fill_value=3.0)(AT), T),
        (lambda t: si.interp1d(X, t, "cubic", 1)(INSIDE), T),
        (lambda t: si.interp1d(X[:3], t)(1.5), T),
        (lambda t: si.interp1d(X[:1], t[0, 0, :1], fill_value=2.0, bounds_error=False)(X), T),
    ],
    "scipy.interpolate.RegularGridInterpolator": [
        (lambda t: si.RegularGridInterpolator((X[:2], X), t)(PAIRS), T),
        (lambda t: si.RegularGridInterpolator((X[:2], X, X[:3]), t)((1.2, 3.0, INSIDE[:2])), T),
        (lambda p: si.RegularGridInterpolator((X[:2], X), T)(p), PAIRS),
        (lambda p: si.RegularGridInterpolator((X[:2], X), T[..., 0], "nearest")(p) * p[:, 0], PAIRS),
        (lambda x: si.RegularGridInterpolator((X[:2], x), T, bounds_error=False, fill_value=None)(PAIRS), X),
        (lambda t: si.RegularGridInterpolator((X[:2], X), t, bounds_error=False, fill_value=2.0)(PAIRS * 2), T),
        (lambda y: si.RegularGridInterpolator((X,), y)(INSIDE), Y),
        (lambda y: si.RegularGridInterpolator([X, X[:3]], np.outer(y, y[:3]))([X[2], 1.2]), Y),
        (lambda y: si.RegularGridInterpolator((X[:1], X), y[np.newaxis])(np.array([[X[0], 3.0]])), Y),
    ],
    "scipy.interpolate.BSpline": [
        (lambda c: si.BSpline(KNOTS, c, 3)(AT), Y),
        (lambda t: si.BSpline(t, Y, 3)(INSIDE), KNOTS),
        (lambda c: si.BSpline(KNOTS, c, 3, extrapolate="periodic")(AT, 1), Y),
        (lambda c: si.BSpline(KNOTS, c, 3).derivative(2)(AT), Y),
        (lambda t: si.BSpline(KNOTS, t, 3, axis=1)(INSIDE), T),
        (lambda at: si.BSpline(KNOTS, Y, 3)(at, 4) + at, 3.0),
    ],
    "scipy.interpolate.make_interp_spline": [
        (lambda y: si.make_interp_spline(X, y)(AT), Y),
        (lambda x: si.make_interp_spline(x, Y, k=3)(AT), X),
        (lambda y: si.make_interp_spline(X, y, k=5)(AT, 2), Y),
        (lambda y: si.make_interp_spline(X, y, k=2)(AT), Y),
        (lambda y: si.make_interp_spline(X, y, k=1).derivative()(AT), Y),
        (lambda y: si.make_interp_spline(X, y, k=0)(AT), Y),
        (lambda t: si.make_interp_spline(X, t, axis=1)(AT), T),
    ],
    "scipy.interpolate.splrep": [
        (lambda y: si.splev(AT, si.splrep(X, y)), Y),
        (lambda y: si.splrep(X, y, k=2, s=0)[1], Y),
    ],
    "scipy.interpolate.splev": [
        (lambda at: si.splev(at, TCK), AT),
        (lambda at: si.splev(at, TCK, der=1), 3.0),
        (lambda y: si.splev(AT, si.make_interp_spline(X, y), 2), Y),
    ],
}

"""SciPy's cubic splines through given values: each is made of its derivatives at the knots."""

from __future__ import annotations

import numpy as np

from .piecewise import PERIODIC, Pieces
from .registry import defines
from .structured import tridiagonal_solution

NOT_A_KNOT = "not-a-knot"


def _prepared(x, y, axis):
    """The knots, their distances in the rank of the values, and the values with the axis in front."""
    knots, values = np.asarray(x), np.asarray(y)
    if np.iscomplexobj(knots):
        raise ValueError("`x` must contain real values.")
    knots = knots.astype(float)
    values = values.astype(np.result_type(values, float))
    if knots.ndim != 1:
        raise ValueError("`x` must be 1-dimensional.")
    if knots.shape[0] < 2:
        raise ValueError("`x` must contain at least 2 elements.")
    if knots.shape[0] != values.shape[axis]:
        at = axis % values.ndim
        raise ValueError(f"The length of `y` along `axis`={at} doesn't match the length of `x`")
    if not np.all(np.isfinite(knots)):
        raise ValueError("`x` must contain only finite values.")
    if not np.all(np.isfinite(values)):
        raise ValueError("`y` must contain only finite values.")
    steps = np.diff(knots)
    if np.any(steps <= 0):
        raise ValueError("`x` must be strictly increasing sequence.")
    steps = np.reshape(steps, (-1,) + (1,) * (values.ndim - 1))
    return knots, steps, np.moveaxis(values, axis, 0)


def _hermite(x, h, y, slope, dydx, axis, extrapolate):
    t = (dydx[:-1] + dydx[1:] - 2.0 * slope) / h
    c = np.stack((t / h, (slope - dydx[:-1]) / h - t, dydx[:-1], y[:-1]))
    return Pieces(c, x, extrapolate, axis % y.ndim, 4)


@defines("scipy.interpolate.CubicHermiteSpline")
def cubic_hermite_spline(x, y, dydx, axis=0, extrapolate=None):
    if np.shape(y) != np.shape(dydx):
        raise ValueError("The shapes of `y` and `dydx` must be identical.")
    knots, h, values = _prepared(x, y, axis)
    slopes = np.moveaxis(np.asarray(dydx), axis, 0)
    if not np.all(np.isfinite(slopes)):
        raise ValueError("`dydx` must contain only finite values.")
    beyond = True if extrapolate is None else extrapolate
    return _hermite(knots, h, values, np.diff(values, axis=0) / h, slopes, axis, beyond)


# Shape-preserving, and Akima's


def _real(y, name):
    if np.iscomplexobj(y):
        raise ValueError(
            f"`{name}` only works with real values for `y`. If you are trying to use the real components of the passed "
            f"array, use `np.real` on the array before passing to `{name}`."
        )


@defines("scipy.interpolate.PchipInterpolator")
def pchip(x, y, axis=0, extrapolate=None):
    """Fritsch and Butland's weighted harmonic means of the slopes beside each knot (1984)."""
    _real(y, "PchipInterpolator")
    knots, h, values = _prepared(x, y, axis)
    m = np.diff(values, axis=0) / h
    before, after = m[:-1], m[1:]
    turns = (np.sign(before) != np.sign(after)) | (before == 0.0) | (after == 0.0)
    w1, w2 = 2.0 * h[1:] + h[:-1], h[1:] + 2.0 * h[:-1]
    mean = (w1 / np.where(turns, 1.0, before) + w2 / np.where(turns, 1.0, after)) / (w1 + w2)
    inner = np.where(turns, 0.0, 1.0 / np.where(turns, 1.0, mean))
    first, last = _one_sided(h, m), _one_sided(h[::-1], m[::-1])
    beyond = True if extrapolate is None else extrapolate
    return _hermite(knots, h, values, m, np.concatenate((first, inner, last)), axis, beyond)


def _one_sided(h, m):
    """The derivative at the first knot by three points, or by two where there are no more, with its shape kept."""
    second = min(1, m.shape[0] - 1)
    h0, h1, m0, m1 = h[:1], h[second : second + 1], m[:1], m[second : second + 1]
    d = ((2.0 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3.0 * np.abs(m0))
    return np.where(np.sign(d) != np.sign(m0), 0.0, np.where(steep, 3.0 * m0, d))


@defines("scipy.interpolate.Akima1DInterpolator")
def akima(x, y, axis=0, *, method="akima", extrapolate=None):
    if method not in ("akima", "makima"):
        raise NotImplementedError(f"`method`={method} is unsupported.")
    _real(y, "Akima1DInterpolator")
    knots, h, values = _prepared(x, y, axis)
    slope = np.diff(values, axis=0) / h
    left, right = _continued(slope), _continued(slope[::-1])
    m = np.concatenate((left[::-1], slope, right))
    change = np.abs(np.diff(m, axis=0))
    if method == "makima":
        size = np.abs(m[1:] + m[:-1])
        f1, f2 = change[2:] + 0.5 * size[2:], change[:-2] + 0.5 * size[:-2]
    else:
        f1, f2 = change[2:], change[:-2]
    both = f1 + f2
    defined = both > 1e-9 * np.max(both)
    weighted = m[1:-2] + f2 / np.where(defined, both, 1.0) * (m[2:-1] - m[1:-2])
    dydx = np.where(defined, weighted, 0.5 * (m[3:] + m[:-3]))
    beyond = False if extrapolate is None else extrapolate
    return _hermite(knots, h, values, slope, dydx, axis, beyond)


def _continued(slope):
    """Two slopes before the first, going away from it."""
    second = min(1, slope.shape[0] - 1)
    one = 2.0 * slope[0] - slope[second]
    return np.stack((one, 2.0 * one - slope[0]))


# With a continuous second derivative


@defines("scipy.interpolate.CubicSpline")
def cubic_spline(x, y, axis=0, bc_type: object = NOT_A_KNOT, extrapolate=None):
    """The derivatives at the knots solve a tridiagonal system, whose first and last row are the ends' conditions."""
    knots, h, values = _prepared(x, y, axis)
    start, end = _conditions(bc_type, values.shape[1:])
    slope = np.diff(values, axis=0) / h
    if isinstance(start, str) and start == PERIODIC:
        if not np.allclose(values[0], values[-1], 1e-15, 1e-15):
            raise ValueError(
                f"The first and last `y` point along axis {axis % values.ndim} must be identical (within machine "
                "precision) when bc_type='periodic'."
            )
        dydx = _closed(h, slope)
    else:
        dydx = _open(h, slope, start, end)
    otherwise = PERIODIC if isinstance(start, str) and start == PERIODIC else True
    return _hermite(knots, h, values, slope, dydx, axis, otherwise if extrapolate is None else extrapolate)


def _conditions(bc_type, shape):
    """The conditions at both ends: a name, or the order of a derivative and its value."""
    if isinstance(bc_type, str):
        return _condition(bc_type, shape), _condition(bc_type, shape)
    if len(bc_type) != 2:
        raise ValueError("`bc_type` must contain 2 elements to specify start and end conditions.")
    for each in bc_type:
        if isinstance(each, str) and each == PERIODIC:
            raise ValueError(
                "'periodic' `bc_type` is defined for both curve ends and cannot be used with other boundary conditions."
            )
    return _condition(bc_type[0], shape), _condition(bc_type[1], shape)


def _condition(given, shape):
    if isinstance(given, str):
        if given == "clamped":
            return 1, 0.0
        if given == "natural":
            return 2, 0.0
        if given not in (NOT_A_KNOT, PERIODIC):
            raise ValueError(f"bc_type={given} is not allowed.")
        return given
    order, value = given
    if order not in (1, 2):
        raise ValueError("The specified derivative order must be 1 or 2.")
    if np.shape(value) != shape:
        raise ValueError("`deriv_value` shape is not the expected one, of `y` without its axis.")
    return order, np.asarray(value)


def _open(h, slope, start, end):
    n = h.shape[0] + 1
    both = isinstance(start, str) and isinstance(end, str)
    dtype = np.result_type(slope, 0.0 if isinstance(start, str) else start[1], 0.0 if isinstance(end, str) else end[1])
    steps = h.ravel()
    below, middle, above = np.empty(n), np.empty(n), np.empty(n)
    right = np.empty((n, *slope.shape[1:]), dtype)
    below[1:-1] = steps[1:]
    middle[1:-1] = 2.0 * (steps[:-1] + steps[1:])
    above[1:-1] = steps[:-1]
    right[1:-1] = 3.0 * (h[1:] * slope[:-1] + h[:-1] * slope[1:])
    middle[0], above[0], right[0] = _end(steps, slope, start, -0.5, both)
    middle[-1], below[-1], right[-1] = _end(steps[::-1], slope[::-1], end, 0.5, both)
    return tridiagonal_solution(below, middle, above, right)


def _end(h, slope, condition, half, both):
    """The first row: its elements on and beside the diagonal, and its right-hand side."""
    if isinstance(condition, str):
        return _without_knot(h, slope, both)
    order, value = condition
    if order == 1:
        return 1.0, 0.0, value
    return 2.0 * h[0], h[0], half * value * h[0] ** 2 + 3.0 * h[0] * slope[0]


def _without_knot(h, slope, both):
    """One polynomial on the first two intervals; on two intervals in all a parabola, on one a line."""
    if h.shape[0] == 1:
        return 1.0, 0.0, slope[0]
    if h.shape[0] == 2 and both:
        return 1.0, 1.0, 2.0 * slope[0]
    d = h[0] + h[1]
    return h[1], d, ((h[0] + 2.0 * d) * h[1] * slope[0] + h[0] ** 2 * slope[1]) / d


def _closed(h, slope):
    """The last of the unknowns is found from how the others depend on it."""
    if h.shape[0] == 1:
        return np.concatenate((slope, slope))
    n = h.shape[0] - 1
    steps, rows = h.ravel(), np.reshape(slope, (n + 1, -1))
    before, across = np.roll(steps, 1), np.roll(rows, 1, 0)
    middle = 2.0 * (before + steps)
    given = 3.0 * (np.reshape(steps, (-1, 1)) * across + np.reshape(before, (-1, 1)) * rows)
    right = np.zeros((n, rows.shape[1] + 1), rows.dtype)
    right[:, :-1] = given[:n]
    right[0, -1] -= steps[0]
    right[n - 1, -1] -= before[n - 1]
    found = tridiagonal_solution(steps[:n], middle[:n], before[:n], right)
    ours, by_last = found[:, :-1], found[:, -1]
    top = given[n] - before[n] * ours[0] - steps[n] * ours[n - 1]
    last = top / (middle[n] + before[n] * by_last[0] + steps[n] * by_last[n - 1])
    others = ours + last * np.reshape(by_last, (-1, 1))
    whole = np.concatenate((others, np.reshape(last, (1, -1)), others[:1]))
    return np.reshape(whole, (n + 2, *slope.shape[1:]))

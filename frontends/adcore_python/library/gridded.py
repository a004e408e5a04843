"""SciPy's interpolation between values on a line and on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .factors import inexact
from .piecewise import moved
from .registry import defines, refuse
from .searching import searchsorted
from .splines import interpolating_spline

__all__ = ["Gridded", "Interpolated"]

EXTRAPOLATE = "extrapolate"
SPLINE = "spline"
ORDERS = ("zero", "slinear", "quadratic", "cubic")
BETWEEN = ("linear", "nearest", "nearest-up", "previous", "next")


@dataclass
class Interpolated:
    """What `scipy.interpolate.interp1d` gives.

    Attributes:
        x: the places, increasing.
        y: the values, with their axes as they were given.
        axis: the axis of the values along which they belong to the places.
        kind: one of BETWEEN, or SPLINE.
        extrapolate: whether what is between the last places goes on beyond them.
        bounds_error: whether a place beyond is an error.
        below, above: values beyond, one for each of a row's, or for all.
        spline: the spline through the values of each row as a vector, of the kind that is one.
    """

    x: Any
    y: Any
    axis: Any
    kind: Any
    extrapolate: Any
    bounds_error: Any
    below: Any
    above: Any
    spline: Any

    def __call__(self, x):
        at = inexact(x)
        flat, rows = at.ravel(), np.moveaxis(self.y, self.axis, 0)
        if self.bounds_error:
            self._require_inside(flat)
        made = np.empty((flat.shape[0], *rows.shape[1:]), self._dtype(flat))
        for i in range(flat.shape[0]):
            made[i] = self._between(rows, flat[i])
        if not self.extrapolate and not self.bounds_error:
            below, above = np.reshape(self.below, rows.shape[1:]), np.reshape(self.above, rows.shape[1:])
            made[flat < self.x[0]] = below
            made[flat > self.x[-1]] = above
        return made[0] if at.ndim == 0 else moved(made.reshape((*at.shape, *rows.shape[1:])), at, self.axis)

    def _dtype(self, at):
        if self.kind == SPLINE:
            return self.spline.c.dtype
        return np.result_type(self.y, self.x, at) if self.kind == "linear" else self.y.dtype

    def _require_inside(self, at):
        for i in range(at.shape[0]):
            if at[i] < self.x[0]:
                raise ValueError(
                    f"A value ({at[i]}) in x_new is below the interpolation range's minimum value ({self.x[0]})."
                )
        for i in range(at.shape[0]):
            if at[i] > self.x[-1]:
                raise ValueError(
                    f"A value ({at[i]}) in x_new is above the interpolation range's maximum value ({self.x[-1]})."
                )

    def _between(self, rows, at):
        if self.kind == SPLINE:
            found = self.spline(at)
            return found[0] if rows.ndim == 1 else np.reshape(found, rows.shape[1:])
        n = self.x.shape[0]
        if self.kind == "previous":
            return rows[min(max(searchsorted(self.x, at, "right"), 1), n) - 1]
        if self.kind == "next":
            return rows[min(searchsorted(self.x, at), n - 1)]
        high = min(max(searchsorted(self.x, at), 1), n - 1)
        low = max(high - 1, 0)
        if self.kind == "linear":
            width = self.x[high] - self.x[low] if n > 1 else 1.0
            return (rows[high] - rows[low]) / width * (at - self.x[low]) + rows[low]
        middle = self.x[low] / 2.0 + self.x[high] / 2.0
        return rows[low if (at < middle or (at == middle and self.kind == "nearest")) else high]


@defines("scipy.interpolate.interp1d")
def interp1d(
    x, y, kind: Any = "linear", axis=-1, copy=True, bounds_error=None, fill_value: Any = np.nan, assume_sorted=False
):
    places, values = np.asarray(x), inexact(y)
    if places.ndim != 1:
        raise ValueError("the x array must have exactly one dimension.")
    if values.shape[axis] != places.shape[0]:
        raise ValueError("x and y arrays must be equal in length along interpolation axis.")
    if isinstance(kind, str) and kind not in (*BETWEEN, *ORDERS):
        raise NotImplementedError(f"{kind} is unsupported: Use fitpack routines for other types.")
    if places.shape[0] == 0:
        raise ValueError("x and y arrays must have at least 1 entries")
    if not assume_sorted:
        order = np.argsort(places, kind="stable")
        places, values = places[order], np.take(values, order, axis)
    rows = np.moveaxis(values, axis, 0)
    below, above, everywhere, raises = _beyond(rows, kind, fill_value, bounds_error)
    at = axis % values.ndim
    if kind in BETWEEN:
        return Interpolated(places, values, at, kind, everywhere, raises, below, above, None)
    lines = np.reshape(rows, (places.shape[0], -1))
    spline = interpolating_spline(places, lines, ORDERS.index(kind) if isinstance(kind, str) else kind)
    return Interpolated(places, values, at, SPLINE, everywhere, raises, below, above, spline)


def _beyond(rows, kind, fill_value, bounds_error):
    """The values below and above, whether there are none for it goes on, and whether a place there is an error."""
    if isinstance(fill_value, str):
        if fill_value != EXTRAPOLATE:
            raise ValueError("fill_value must be numbers, or 'extrapolate'")
        if bounds_error:
            raise ValueError("Cannot extrapolate and raise at the same time.")
        if kind == "previous":
            return _filled(np.nan, rows), _filled(rows[-1], rows), False, False
        if kind == "next":
            return _filled(rows[0], rows), _filled(np.nan, rows), False, False
        return None, None, True, False
    raises = True if bounds_error is None else bounds_error
    if isinstance(fill_value, tuple) and len(fill_value) == 2:
        return _filled(fill_value[0], rows), _filled(fill_value[1], rows), False, raises
    return _filled(fill_value, rows), _filled(fill_value, rows), False, raises


def _filled(value, rows):
    return np.broadcast_to(value, rows.shape[1:]).ravel()


# On a grid


@dataclass
class Gridded:
    """What `scipy.interpolate.RegularGridInterpolator` gives.

    Attributes:
        grid: the places along each axis, increasing.
        values: the values on the grid; further axes are those of the results.
        method: "linear" or "nearest".
        bounds_error: whether a place outside of the grid is an error.
        fill_value: what it has where it is none; None, what is next to it goes on.
    """

    grid: Any
    values: Any
    method: Any
    bounds_error: Any
    fill_value: Any

    def __call__(self, xi, method=None, *, nu=None):
        way = self.method if method is None else method
        if nu is not None:
            refuse("scipy.interpolate.RegularGridInterpolator with nu=", "adcore.jvp, or grad, of the interpolator")
        _require_known(way)
        places = _coordinates(xi, len(self.grid))
        flat = [np.ravel(p) for p in places]
        if self.bounds_error:
            for d, (p, line) in enumerate(zip(flat, self.grid)):  # noqa: B905
                if not np.all((p >= line[0]) & (p <= line[-1])):
                    raise ValueError(f"One of the requested xi is out of bounds in dimension {d}")
        dtype = self.values.dtype if way == "nearest" else np.result_type(self.values, np.float64)
        made = np.empty((flat[0].shape[0], *self.values.shape[len(flat) :]), dtype)
        for i in range(made.shape[0]):
            made[i] = self._value([p[i] for p in flat], way)
        if not self.bounds_error and self.fill_value is not None:
            for p, line in zip(flat, self.grid):  # noqa: B905
                made[(p < line[0]) | (p > line[-1])] = self.fill_value
        for p in flat:
            made[np.isnan(p)] = np.nan
        if places[0].ndim == 0:
            return made[0]
        return made.reshape((*places[0].shape, *made.shape[1:]))

    def _value(self, at, way):
        low = [_cell(p, line) for p, line in zip(at, self.grid)]  # noqa: B905
        high = [min(k + 1, line.shape[0] - 1) for k, line in zip(low, self.grid)]  # noqa: B905
        shares = [_share(p, line, k) for p, line, k in zip(at, self.grid, low)]  # noqa: B905
        if way == "nearest":
            return self.values[tuple([k if s <= 0.5 else m for k, m, s in zip(low, high, shares)])]  # noqa: B905
        return self._blended((), low, high, shares)

    def _blended(self, chosen, low, high, shares):
        """The values at the corners of a cell by their shares, one axis after the other."""
        d = len(chosen)
        if d == len(low):
            return self.values[chosen]
        before = self._blended((*chosen, low[d]), low, high, shares)
        after = self._blended((*chosen, high[d]), low, high, shares)
        return before * (1.0 - shares[d]) + after * shares[d]


def _cell(at, line):
    return min(max(searchsorted(line, at, "right") - 1, 0), max(line.shape[0] - 2, 0))


def _share(at, line, k):
    return (at - line[k]) / (line[k + 1] - line[k]) if line.shape[0] > 1 else 0.0


def _coordinates(xi: Any, dimensions):
    """The places along each axis, all in one shape."""
    if isinstance(xi, tuple) and len(xi) > 1:
        if len(xi) != dimensions:
            raise ValueError(
                f"The requested sample points xi have dimension {len(xi)} but this RegularGridInterpolator has "
                f"dimension {dimensions}"
            )
        return [np.asarray(p).astype(float) for p in np.broadcast_arrays(*xi)]
    points = np.asarray(xi[0] if isinstance(xi, tuple) and len(xi) == 1 else xi).astype(float)
    if points.ndim == 1:
        points = np.reshape(points, (-1, dimensions))
    if points.shape[-1] != dimensions:
        raise ValueError(
            f"The requested sample points xi have dimension {points.shape[-1]} but this RegularGridInterpolator has "
            f"dimension {dimensions}"
        )
    return [points[..., d] for d in range(dimensions)]


def _require_known(method):
    if method not in ("linear", "nearest"):
        refuse(f"scipy.interpolate.RegularGridInterpolator with method={method!r}", 'method="linear", or "nearest"')


@defines("scipy.interpolate.RegularGridInterpolator")
def regular_grid_interpolator(
    points, values, method="linear", bounds_error=True, fill_value: Any = np.nan, *, solver=None, solver_args=None
):
    _require_known(method)
    held = inexact(values)
    grid = tuple([np.asarray(p).astype(float) for p in points])
    if len(grid) > held.ndim:
        raise ValueError(f"There are {len(grid)} point arrays, but values has {held.ndim} dimensions")
    for d, line in enumerate(grid):
        if np.any(line[1:] <= line[:-1]):
            if np.all(line[1:] < line[:-1]):
                raise NotImplementedError(f"points in dimension {d} that descend; write instead: np.flip(values, {d})")
            raise ValueError(f"The points in dimension {d} must be strictly ascending or descending")
        if held.shape[d] != line.shape[0]:
            raise ValueError(f"There are {line.shape[0]} points and {held.shape[d]} values in dimension {d}")
    return Gridded(grid, held, method, bounds_error, fill_value)

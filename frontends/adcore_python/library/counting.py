"""Counts and interpolation: elements by value, by interval, and between the points of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import defines
from .searching import searchsorted

__all__ = ["bincount", "histogram", "histogram2d", "histogram_bin_edges", "interp"]


@defines("numpy.bincount")
def bincount(x, weights=None, minlength=0):
    values = np.asarray(x) * 1  # booleans are 0 and 1
    n = minlength
    if values.shape[0] > 0:
        if np.min(values) < 0:
            raise ValueError("'list' argument must have no negative elements")
        n = max(np.max(values) + 1, minlength)
    if weights is None:
        counts = np.zeros(n, np.int64)
        np.add.at(counts, values, 1)
        return counts
    given = np.asarray(weights)
    if given.shape[0] != values.shape[0]:
        raise ValueError("The weights and list don't have the same length.")
    sums = np.zeros(n)
    np.add.at(sums, values, given)
    return sums


@defines("numpy.histogram_bin_edges")
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    if isinstance(bins, str):
        raise NotImplementedError("np.histogram with a rule for the number of bins")
    if not isinstance(bins, int):
        return np.asarray(bins)
    x = np.asarray(a)
    if range is not None:
        low, high = range[0] * 1.0, range[1] * 1.0
        if low > high:
            raise ValueError("max must be larger than min in range parameter.")
    elif x.size == 0:
        low, high = 0.0, 1.0
    else:
        low, high = np.min(x) * 1.0, np.max(x) * 1.0
    if not np.isfinite(high - low):
        raise ValueError(f"{'autodetected' if range is None else 'supplied'} range of [{low}, {high}] is not finite")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


@defines("numpy.histogram")
def histogram(a, bins=10, range=None, density=None, weights=None):
    """Counts, or sums of weights.  They are constant in what is counted: only weights and edges have a derivative."""
    flat = np.asarray(a).ravel()
    edges = histogram_bin_edges(flat, bins, range)
    n = edges.shape[0] - 1
    if np.any(edges[1:] < edges[:-1]):
        raise ValueError("`bins` must increase monotonically, when an array")
    places = _intervals(flat, edges)
    inside = np.flatnonzero((places >= 0) & (places < n))
    if weights is None:
        counts = np.bincount(places[inside], minlength=n)
    else:
        counts = np.bincount(places[inside], np.asarray(weights).ravel()[inside], n)
    if density:
        return counts / (np.diff(edges) * np.sum(counts)), edges
    return counts, edges


@defines("numpy.histogram2d")
def histogram2d(x, y, bins: Any = 10, range=None, density=None, weights=None):
    """As `histogram`, of pairs."""
    if isinstance(bins, list | tuple):
        if len(bins) == 1:
            raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
        both = bins if len(bins) == 2 else (bins, bins)
    else:
        if np.ndim(bins) > 0 and len(bins) < 3:
            raise ValueError("bins is an array of fewer than 3 edges, which NumPy takes for two numbers: write a tuple")
        both = (bins, bins)
    ranges = (None, None) if range is None else range
    given = np.asarray(x), np.asarray(y)
    if given[0].shape[0] != given[1].shape[0]:
        raise ValueError("x and y must have the same length.")
    edges = [histogram_bin_edges(v, b, r) * 1.0 for v, b, r in zip(given, both, ranges)]  # noqa: B905
    for e in edges:
        if np.any(e[1:] < e[:-1]):
            raise ValueError("bins must be monotonically increasing, when an array")
    rows, columns = [_intervals(v, e) for v, e in zip(given, edges)]  # noqa: B905
    n, m = edges[0].shape[0] - 1, edges[1].shape[0] - 1
    inside = np.flatnonzero((rows >= 0) & (rows < n) & (columns >= 0) & (columns < m))
    places = rows[inside] * m + columns[inside]
    of_each = np.ones(given[0].shape[0]) if weights is None else np.asarray(weights)
    counts = np.reshape(np.bincount(places, of_each[inside], n * m), (n, m))
    if density:
        counts = counts / (np.outer(np.diff(edges[0]), np.diff(edges[1])) * np.sum(counts))
    return counts, edges[0], edges[1]


def _intervals(x, edges):
    """The interval between edges that each number is in; outside of all for nan."""
    n = edges.shape[0] - 1
    places = np.where(x == edges[n], n - 1, searchsorted(edges, x, "right") - 1)
    return np.where(x == x, places, -1)


@defines("numpy.interp")
def interp(x, xp, fp, left=None, right=None, period=None):
    points, values = np.asarray(xp), np.asarray(fp) + np.zeros(())  # in double precision, as NumPy's
    if points.shape[0] != values.shape[0]:
        raise ValueError("fp and xp are not of the same length.")
    if points.shape[0] == 0:
        raise ValueError("array of sample points is empty")
    if period is None:
        first = values[0] if left is None else left
        last = values[-1] if right is None else right
        return _between(np.asarray(x), points, values, first, last)
    if period == 0:
        raise ValueError("period must be a non-zero value")
    length = abs(period)
    points = points % length
    order = np.argsort(points)
    points, values = points[order], values[order]
    points = np.concatenate((points[-1:] - length, points, points[:1] + length))
    values = np.concatenate((values[-1:], values, values[:1]))
    return _between(np.asarray(x) % length, points, values, values[0], values[-1])


def _between(x, points, values, first, last):
    n = points.shape[0]
    below = np.clip(searchsorted(points, x, "right") - 1, 0, max(n - 2, 0))
    above = np.minimum(below + 1, n - 1)
    start, gap = points[below], points[above] - points[below]
    slope = (values[above] - values[below]) / np.where(gap == 0, 1.0, gap)
    end = points[above]
    inside = np.where(x == end, slope * (x - end) + values[above], slope * (x - start) + values[below])
    return np.where(x < points[0], first, np.where(x > points[n - 1], last, inside))

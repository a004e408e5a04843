"""`np.pad` in all its modes, one axis after the other."""

from __future__ import annotations

import numpy as np

from .registry import defines

__all__ = ["pad"]

STATISTICS = ("maximum", "mean", "median", "minimum")
REPEATED = ("reflect", "symmetric", "wrap")
MODES = ("constant", "empty", "edge", "linear_ramp", *STATISTICS, *REPEATED)


@defines("numpy.pad")
def pad(array, pad_width, mode="constant", **kwargs):
    x = np.asarray(array)
    widths = _widths(pad_width, x.ndim)
    for before, after in widths:
        if before < 0 or after < 0:
            raise ValueError("index can't contain negative values")
    if not isinstance(mode, str):
        return _by_function(x, widths, mode, kwargs)
    if mode not in MODES:
        raise ValueError(f"mode '{mode}' is not supported")
    for name in kwargs:
        if name != _option(mode):
            raise ValueError(f"unsupported keyword arguments for mode '{mode}': {name}")
    ends = _pairs(kwargs.get("constant_values", kwargs.get("end_values", 0)), x.ndim)
    lengths = _pairs(kwargs.get("stat_length"), x.ndim)
    is_odd = kwargs.get("reflect_type", "even") == "odd"
    for axis in range(x.ndim):
        before, after = widths[axis]
        along = np.moveaxis(x, axis, 0)
        if mode not in ("constant", "empty") and along.shape[0] == 0 and before + after > 0:
            raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
        if mode == "constant":
            along = _framed(along, before, after, ends[axis][0], ends[axis][1])
        elif mode == "empty":
            along = _framed(along, before, after, 0, 0)
        elif mode == "edge":
            along = along[np.clip(np.arange(-before, along.shape[0] + after), 0, max(along.shape[0] - 1, 0))]
        elif mode == "linear_ramp":
            along = _ramped(along, before, after, ends[axis])
        elif mode in REPEATED:
            along = _repeated(along, before, after, mode, is_odd)
        elif before + after > 0:
            along = _with_statistics(along, before, after, mode, lengths[axis])
        x = np.moveaxis(along, 0, axis)
    return x.copy()


def _option(mode):
    """The name of the one option that a mode has."""
    if mode == "constant":
        return "constant_values"
    if mode == "linear_ramp":
        return "end_values"
    if mode in STATISTICS:
        return "stat_length"
    return "reflect_type" if mode in ("reflect", "symmetric") else None


def _widths(given, rank):
    """The widths before and after each axis, of all forms that NumPy takes."""
    if isinstance(given, dict):
        return [_of_axis(given, axis, rank) for axis in range(rank)]
    return _pairs(given, rank)


def _of_axis(given, axis, rank):
    width = given.get(axis, given.get(axis - rank, 0))
    return width if isinstance(width, tuple) else (width, width)


def _pairs(given, rank):
    if not isinstance(given, tuple | list):
        return [(given, given)] * rank
    rows = [tuple(row) if isinstance(row, tuple | list) else (row,) for row in given]
    if not isinstance(given[0], tuple | list):
        rows = [tuple(given)]
    if len(rows) not in (1, rank) or len(rows[0]) > 2:
        raise ValueError("operands could not be broadcast together with remapped shapes")
    return [(rows[k % len(rows)][0], rows[k % len(rows)][-1]) for k in range(rank)]


def _framed(x, before, after, start, end):
    n = x.shape[0]
    made = np.empty((before + n + after, *x.shape[1:]), x.dtype)
    made[:before] = start
    made[before : before + n] = x
    made[before + n :] = end
    return made


def _ramped(x, before, after, ends):
    made = _framed(x, before, after, 0, 0)
    if x.shape[0] > 0:
        made[:before] = np.linspace(ends[0], x[0], before, endpoint=False, dtype=x.dtype)
        made[before + x.shape[0] :] = np.linspace(ends[1], x[-1], after, endpoint=False, dtype=x.dtype)[::-1]
    return made


def _repeated(x, before, after, mode, is_odd):
    """The axis continued periodically, every other time backwards; if odd, turned about its ends."""
    n = x.shape[0]
    place = np.arange(-before, n + after)
    if mode == "wrap":
        return x[place % max(n, 1)]
    gap = 0 if mode == "symmetric" else 1
    period = max(2 * (n - gap), 1)
    within = place % period
    is_back = within >= n
    found = x[np.where(is_back, period - 1 + gap - within, within)]
    if not is_odd or n == 0:
        return found
    column = (len(place),) + (1,) * (x.ndim - 1)
    turned = np.reshape(np.where(is_back, -1, 1), column) * found
    ends = 2 * np.reshape(place // period, column) * (x[-1] - x[0])
    return (turned + ends + 2 * np.reshape(np.where(is_back, 1, 0), column) * x[-1]).astype(x.dtype)


def _with_statistics(x, before, after, mode, lengths):
    n = x.shape[0]
    first, last = [n if length is None else min(length, n) for length in lengths]
    if mode in ("maximum", "minimum") and min(first, last) == 0:
        raise ValueError("stat_length of 0 yields no value for padding")
    start, end = _statistic(x[:first], mode), _statistic(x[n - last :], mode)
    if x.dtype.kind == "i":
        start, end = np.round(start), np.round(end)
    return _framed(x, before, after, start, end)


def _statistic(x, mode):
    if mode == "maximum":
        return np.max(x, 0)
    if mode == "minimum":
        return np.min(x, 0)
    return np.mean(x, 0) if mode == "mean" else np.median(x, 0)


def _by_function(x, widths, function, options):
    """The array with zeros around it, given to the user's function vector by vector."""
    for axis in range(x.ndim):
        x = np.moveaxis(_framed(np.moveaxis(x, axis, 0), widths[axis][0], widths[axis][1], 0, 0), 0, axis)
    for axis in range(x.ndim):
        along = np.moveaxis(x, axis, -1)
        vectors = np.reshape(along.copy(), (-1, along.shape[-1]))
        for k in range(vectors.shape[0]):
            function(vectors[k], widths[axis], axis, options)
        x = np.moveaxis(np.reshape(vectors, along.shape), -1, axis)
    return x.copy()

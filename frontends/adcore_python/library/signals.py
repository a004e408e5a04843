"""Convolutions, filters, windows: sums of shifted copies, and recurrences along an axis."""

from __future__ import annotations

import math

import numpy as np

from .registry import defines
from .scans import product_of

__all__ = ["convolve", "correlate", "detrend", "gaussian_filter1d", "lfilter", "sosfilt", "unwrap"]


@defines("numpy.convolve")
def convolve(a, v, mode="full"):
    x, y = np.atleast_1d(a), np.atleast_1d(v)
    if x.shape[0] == 0:
        raise ValueError("a cannot be empty")
    if y.shape[0] == 0:
        raise ValueError("v cannot be empty")
    return _middle(_convolved(x, y), x.shape[0], y.shape[0], mode)


def _convolved(x, y):
    """All of the convolution: as many shifted copies of the longer one as the shorter one has elements."""
    if x.shape[0] >= y.shape[0]:
        return _copies(x, y)
    return _copies(y, x)


PIECE = 4096  # elements, which stay in the cache


def _copies(long, short):
    n = long.shape[0]
    total = np.zeros(n + short.shape[0] - 1, (long[:0] * short[:0]).dtype)
    for start in range(0, n, PIECE):
        stop = min(start + PIECE, n)
        for k in range(short.shape[0]):
            total[start + k : stop + k] += short[k] * long[start:stop]
    return total


def _middle(whole, n, m, mode):
    longer, shorter = max(n, m), min(n, m)
    if mode == "full":
        return whole
    if mode == "same":
        start = (shorter - 1) // 2
        return whole[start : start + longer]
    if mode == "valid":
        return whole[shorter - 1 : longer]
    raise ValueError("mode must be one of 'valid', 'same', or 'full' (got '" + mode + "')")


@defines("numpy.correlate")
def correlate(a, v, mode="valid"):
    x, y = np.atleast_1d(a), np.atleast_1d(v)
    if x.shape[0] == 0 or y.shape[0] == 0:
        raise ValueError("second argument cannot be empty")
    n, m = x.shape[0], y.shape[0]
    whole = _convolved(x, np.conj(y[::-1]))
    if mode == "same":
        start = (min(n, m) - 1) // 2 if n >= m else min(n, m) // 2
        return whole[start : start + max(n, m)]
    return _middle(whole, n, m, mode)


@defines("scipy.signal.convolve")
def signal_convolve(in1, in2, mode="full", method="auto"):
    x, y = np.asarray(in1), np.asarray(in2)
    if x.ndim != 1 or y.ndim != 1:
        raise NotImplementedError("scipy.signal.convolve of other than vectors")
    whole = _convolved(x, y)
    if mode == "same":
        start = (y.shape[0] - 1) // 2
        return whole[start : start + x.shape[0]]
    return _middle(whole, x.shape[0], y.shape[0], mode)


# Filters


@defines("scipy.signal.lfilter")
def lfilter(b, a, x, axis=-1, zi=None):
    """The direct form II transposed, as in SciPy: one state for each coefficient after the first."""
    numerator, denominator = np.atleast_1d(b) * 1.0, np.atleast_1d(a) * 1.0
    order = max(numerator.shape[0], denominator.shape[0])
    signal = np.moveaxis(np.asarray(x) * 1.0, axis, -1)
    dtype = np.result_type(numerator, denominator, signal)
    p, q = np.zeros(order, dtype), np.zeros(order, dtype)
    p[: numerator.shape[0]] = numerator / denominator[0]
    q[: denominator.shape[0]] = denominator / denominator[0]
    rows = signal.reshape(product_of(signal.shape[:-1]), signal.shape[-1]).astype(dtype)
    states = np.zeros((rows.shape[0], order - 1), dtype)
    if zi is not None:
        states[...] = np.reshape(np.moveaxis(np.asarray(zi), axis, -1), (rows.shape[0], order - 1))
    made = np.empty_like(rows)
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            value = p[0] * rows[i, k] + (states[i, 0] if order > 1 else 0.0)
            for j in range(order - 2):
                states[i, j] = states[i, j + 1] + p[j + 1] * rows[i, k] - q[j + 1] * value
            if order > 1:
                states[i, order - 2] = p[order - 1] * rows[i, k] - q[order - 1] * value
            made[i, k] = value
    filtered = np.moveaxis(made.reshape(signal.shape), -1, axis)
    if zi is None:
        return filtered
    return filtered, np.moveaxis(states.reshape((*signal.shape[:-1], order - 1)), -1, axis)


@defines("scipy.signal.sosfilt")
def sosfilt(sos, x, axis=-1):
    sections = np.asarray(sos) * 1.0
    signal = np.moveaxis(np.asarray(x) * 1.0, axis, -1)
    dtype = np.result_type(sections, signal)
    rows = signal.reshape(product_of(signal.shape[:-1]), signal.shape[-1]).astype(dtype)
    for s in range(sections.shape[0]):
        if sections[s, 3] != 1.0:
            raise ValueError("sos[:, 3] should be all ones")
        b0, b1, b2 = sections[s, 0], sections[s, 1], sections[s, 2]
        a1, a2 = sections[s, 4], sections[s, 5]
        for i in range(rows.shape[0]):
            first, second = 0.0, 0.0
            for k in range(rows.shape[1]):
                value = rows[i, k]
                new = b0 * value + first
                first = b1 * value - a1 * new + second
                second = b2 * value - a2 * new
                rows[i, k] = new
    return np.moveaxis(rows.reshape(signal.shape), -1, axis)


@defines("scipy.signal.detrend")
def detrend(data, axis=-1, type="linear"):
    x = np.moveaxis(np.asarray(data) * 1.0, axis, -1)
    if type == "constant" or type == "c":
        return np.moveaxis(x - np.mean(x, axis=-1, keepdims=True), -1, axis)
    if type != "linear" and type != "l":
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    n = x.shape[-1]
    time = (np.arange(n) - 0.5 * (n - 1)).astype(np.real(x).dtype)
    slope = np.sum(x * time, axis=-1, keepdims=True) / max(np.sum(time * time), 1e-300)
    rest = x - np.mean(x, axis=-1, keepdims=True) - slope * time
    return np.moveaxis(rest.astype(x.dtype), -1, axis)


@defines("scipy.ndimage.correlate1d")
def correlate1d(input, weights, axis=-1, mode="reflect", cval=0.0, origin=0):
    return _filtered(np.asarray(input), np.asarray(weights), axis, mode, cval, origin)


@defines("scipy.ndimage.convolve1d")
def convolve1d(input, weights, axis=-1, mode="reflect", cval=0.0, origin=0):
    w = np.asarray(weights)
    shift = -origin - (1 if w.shape[0] % 2 == 0 else 0)
    return _filtered(np.asarray(input), w[::-1], axis, mode, cval, shift)


def _filtered(x, weights, axis, mode, cval, origin):
    """Computed in floats, whose fractions are cut off where the input has none."""
    if x.dtype.kind in "bu":
        raise NotImplementedError("scipy.ndimage of booleans or unsigned integers, in whose dtype the result is")
    moved = np.moveaxis(x * 1.0, axis, 0)
    n, m = moved.shape[0], weights.shape[0]
    made = np.zeros_like(moved)
    for k in range(m):
        places = np.arange(n) + (k - m // 2 - origin)
        if mode == "constant":
            inside = np.reshape((places >= 0) & (places < n), (n,) + (1,) * (moved.ndim - 1))
            made += weights[k] * np.where(inside, moved[np.clip(places, 0, n - 1)], cval)
        else:
            made += weights[k] * moved[_folded(places, n, mode)]
    return np.moveaxis(made.astype(x.dtype), 0, axis)


def _folded(places, n, mode):
    """Places beyond the ends brought back, as SciPy's `mode` says."""
    if mode == "nearest":
        return np.clip(places, 0, n - 1)
    if mode == "wrap" or mode == "grid-wrap":
        return places % n
    if mode == "reflect" or mode == "grid-mirror":
        around = places % (2 * n)
        return np.minimum(around, 2 * n - 1 - around)
    if mode == "mirror":
        around = places % max(2 * n - 2, 1)
        return np.minimum(around, max(2 * n - 2, 1) - around)
    raise RuntimeError("boundary mode not supported")


@defines("scipy.ndimage.gaussian_filter1d")
def gaussian_filter1d(input, sigma, axis=-1, order=0, mode="reflect", cval=0.0, truncate=4.0, *, radius=None):
    if order != 0:
        raise NotImplementedError("gaussian_filter1d of a derivative")
    reach = int(truncate * sigma + 0.5) if radius is None else radius
    away = np.arange(-reach, reach + 1) * 1.0
    weights = np.exp(-0.5 / (sigma * sigma) * away * away)
    return _filtered(np.asarray(input), weights / np.sum(weights), axis, mode, cval, 0)


# Windows


def _cosines(M, first, second, third):
    if M < 1:
        return np.zeros(0)
    n = np.arange(1 - M, M, 2) * 1.0
    turns = np.pi * n / max(M - 1, 1)
    return first + second * np.cos(turns) + third * np.cos(2.0 * turns) if M > 1 else np.ones(1)


@defines("numpy.hanning")
def hanning(M):
    return _cosines(M, 0.5, 0.5, 0.0)


@defines("numpy.hamming")
def hamming(M):
    return _cosines(M, 0.54, 0.46, 0.0)


@defines("numpy.blackman")
def blackman(M):
    return _cosines(M, 0.42, 0.5, 0.08)


@defines("numpy.bartlett")
def bartlett(M):
    if M < 1:
        return np.zeros(0)
    n = np.arange(1 - M, M, 2) * 1.0
    return np.where(n <= 0, 1.0 + n / max(M - 1, 1), 1.0 - n / max(M - 1, 1)) if M > 1 else np.ones(1)


@defines("numpy.kaiser")
def kaiser(M, beta):
    if M < 1:
        return np.zeros(0)
    n = np.arange(0, M)
    alpha = (M - 1) / 2.0
    ends = (n - alpha) / max(alpha, 0.5)
    return np.i0(beta * np.sqrt(np.maximum(1.0 - ends * ends, 0.0))) / np.i0(beta) if M > 1 else np.ones(1)


# Phases and integrals


@defines("numpy.unwrap")
def unwrap(p, discont=None, axis=-1, *, period=2.0 * math.pi):
    x = np.moveaxis(np.asarray(p) * 1.0, axis, -1)
    step = np.diff(x, axis=-1)
    half = period / 2.0
    least = half if discont is None else discont
    wrapped = (step + half) % period - half
    wrapped = np.where((wrapped == -half) & (step > 0.0), half, wrapped)
    turns = np.where(np.abs(step) < least, 0.0, np.rint((wrapped - step) / period))
    made = x.copy()
    made[..., 1:] += np.cumsum(turns, -1) * period
    return np.moveaxis(made, -1, axis)


@defines("scipy.integrate.cumulative_trapezoid")
def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1, initial=None):
    f = np.moveaxis(np.asarray(y) * 1.0, axis, -1)
    if initial is not None and initial != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    areas = (f[..., 1:] + f[..., :-1]) * 0.5 * (dx if x is None else _gaps(x, axis))
    sums = np.cumsum(areas, -1)
    if initial is None:
        return np.moveaxis(sums, -1, axis)
    made = np.zeros_like(f)
    made[..., 1:] = sums
    return np.moveaxis(made, -1, axis)


def _gaps(x, axis):
    at = np.asarray(x)
    if at.ndim > 1:
        at = np.moveaxis(at, axis, -1)
    return at[..., 1:] - at[..., :-1]


@defines("scipy.integrate.simpson")
def simpson(y, x=None, *, dx=1.0, axis=-1):
    """Simpson's rule on pairs of intervals; an interval left over at the end by Cartwright's correction, as SciPy."""
    f = np.moveaxis(np.asarray(y) * 1.0, axis, -1)
    n = f.shape[-1]
    h = np.full(max(n - 1, 0), dx, np.real(f).dtype) if x is None else _gaps(x, axis)
    if n < 3:
        return np.sum((f[..., 1:] + f[..., :-1]) * h * 0.5, -1)
    pairs = (n - 1) // 2 * 2
    h0, h1 = h[..., 0:pairs:2], h[..., 1:pairs:2]
    left, middle, right = f[..., 0:pairs:2], f[..., 1:pairs:2], f[..., 2 : pairs + 1 : 2]
    ratio, both = h0 / h1, h0 + h1
    parts = both / 6.0 * (left * (2.0 - 1.0 / ratio) + middle * (both * both / (h0 * h1)) + right * (2.0 - ratio))
    total = np.sum(parts, -1)
    if pairs == n - 1:
        return total
    before, last = h[..., n - 3], h[..., n - 2]
    alpha = (2.0 * last * last + 3.0 * before * last) / (6.0 * (before + last))
    beta = (last * last + 3.0 * before * last) / (6.0 * before)
    eta = last * last * last / (6.0 * before * (before + last))
    return total + alpha * f[..., n - 1] + beta * f[..., n - 2] - eta * f[..., n - 3]

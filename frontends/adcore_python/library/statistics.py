"""Medians, quantiles, averages, and folds that leave out nan."""

from __future__ import annotations

import numpy as np

from .elementwise import squares_of
from .registry import defines, method
from .scans import added_up, product_of

__all__ = ["average", "mean", "median", "percentile", "prod", "ptp", "quantile", "std", "var"]


@defines("numpy.prod")
@method("prod")
def prod(a, axis=None, dtype=None, keepdims=False, initial=1, where=True):
    """Factors one after the other, so that the derivative is right where some of them are zero."""
    x = added_up(a, dtype)
    if where is not True:
        x = np.where(where, x, np.ones_like(x))
    found = _multiplied(_rows(x, axis)) * initial
    return _kept(found, x, axis) if keepdims else found


def _multiplied(x):
    """The products along the last axis."""
    if x.ndim == 1:
        so_far = np.ones((), x.dtype)
        for k in range(x.shape[0]):
            so_far = so_far * x[k]
        return so_far
    rows = np.reshape(x, (product_of(x.shape[:-1]), x.shape[-1]))
    made = np.empty(rows.shape[0], x.dtype)
    for i in range(rows.shape[0]):
        so_far = np.ones((), x.dtype)
        for k in range(rows.shape[1]):
            so_far = so_far * rows[i, k]
        made[i] = so_far
    return np.reshape(made, x.shape[:-1])


def _folded(x, axis):
    """How many elements are folded into one."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return product_of([x.shape[k] for k in axes])


@defines("numpy.mean")
@method("mean")
def mean(a, axis=None, dtype=None, keepdims=False, *, where=True):
    x = np.asarray(a) if dtype is None else np.asarray(a).astype(dtype)
    total = np.sum(x if x.dtype.kind in "fc" else x.astype(float), axis=axis, keepdims=keepdims, where=where)
    return _shared(total, _number_of(x, axis, keepdims, where))


def _shared(total, number):
    """A sum divided by a number of elements, in the sum's dtype."""
    return np.true_divide(total, number).astype(total.dtype)


def _number_of(x, axis, keepdims, where):
    """How many elements a mean is taken over."""
    if where is True:
        return _folded(x, axis)
    return np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=keepdims)


@defines("numpy.var")
@method("var")
def var(a, axis=None, dtype=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=None):
    x = np.asarray(a) if dtype is None else np.asarray(a).astype(dtype)
    center = _centers(x, axis, where) if mean is None else mean
    squares = np.sum(squares_of(x - center), axis=axis, keepdims=keepdims, where=where)
    less = ddof if correction is None else correction
    return _shared(squares, np.maximum(_number_of(x, axis, keepdims, where) - less, 0))


def _centers(x, axis, where):
    return mean(x, axis, None, True, where=where)


@defines("numpy.std")
@method("std")
def std(a, axis=None, dtype=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=None):
    return np.sqrt(var(a, axis, dtype, ddof, keepdims, where=where, mean=mean, correction=correction))


@defines("numpy.ptp")
def ptp(a, axis=None, keepdims=False):
    x = np.asarray(a)
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)


@defines("numpy.average")
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    x = np.asarray(a)
    if weights is None:
        mean = np.mean(x, axis=axis, keepdims=keepdims)
        if returned:
            return mean, np.zeros_like(mean) + np.sum(np.ones_like(x * 1.0), axis=axis, keepdims=keepdims)
        return mean
    w = np.asarray(weights)
    if w.ndim != x.ndim:
        if axis is None:
            raise TypeError("Axis must be specified when shapes of a and weights differ.")
        if w.ndim != 1 or isinstance(axis, tuple):
            raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
        w = np.reshape(w, tuple([-1 if k == axis % x.ndim else 1 for k in range(x.ndim)]))
    weight = np.sum(np.broadcast_to(w, x.shape) * 1.0, axis=axis, keepdims=keepdims)
    if np.any(weight == 0.0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    mean = np.sum(x * w, axis=axis, keepdims=keepdims) / weight
    return (mean, weight) if returned else mean


# Medians and quantiles

PERCENTS = "Percentiles must be in the range [0, 100]"
SHARES = "Quantiles must be in the range [0, 1]"


def _rows(x, axis):
    """The array with the axes that are folded as one, the last."""
    if axis is None:
        return x.ravel()
    if not isinstance(axis, tuple):
        return np.moveaxis(x, axis, -1)
    kept = [k for k in range(x.ndim) if k not in [a % x.ndim for a in axis]]
    moved = np.transpose(x, tuple(kept + [a % x.ndim for a in axis]))
    folded = product_of(moved.shape[len(kept) :])
    return np.reshape(moved, (*moved.shape[: len(kept)], folded))


def _kept(found, x, axis, leading=0):
    """The result with the folded axes again, of length 1; `leading` axes stand before them."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    folded = [a % x.ndim for a in axes]
    shape = [1 if k in folded else x.shape[k] for k in range(x.ndim)]
    return np.reshape(np.asarray(found), (*found.shape[:leading], *shape)) if found.ndim > 0 else np.full(shape, found)


@defines("numpy.median")
def median(a, axis=None, overwrite_input=False, keepdims=False):
    x = np.asarray(a)
    ordered = np.sort(_rows(x, axis), -1)
    n = ordered.shape[-1]
    low, high = ordered[..., (n - 1) // 2], ordered[..., n // 2]
    last = ordered[..., n - 1]
    middle = np.where(n % 2 == 1, low * 1.0, (low + high) * 0.5)
    found = np.where(last != last, last, middle)
    return _kept(found, x, axis) if keepdims else found


@defines("numpy.percentile")
def percentile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _quantiles(np.asarray(a), _shares(q, a) / 100.0, axis, method, keepdims, False, PERCENTS)


@defines("numpy.quantile")
def quantile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _quantiles(np.asarray(a), _shares(q, a), axis, method, keepdims, False, SHARES)


@defines("numpy.nanpercentile")
def nanpercentile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _quantiles(np.asarray(a), _shares(q, a) / 100.0, axis, method, keepdims, True, PERCENTS)


@defines("numpy.nanquantile")
def nanquantile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _quantiles(np.asarray(a), _shares(q, a), axis, method, keepdims, True, SHARES)


@defines("numpy.nanmedian")
def nanmedian(a, axis=None, overwrite_input=False, keepdims=False):
    return nanquantile(a, 0.5, axis, keepdims=keepdims)


def _shares(q, a):
    """The array of shares; one of Python's numbers takes the dtype of the floats."""
    x = np.asarray(a)
    return np.asarray(q, x.dtype) if isinstance(q, int | float) and x.dtype.kind == "f" else np.asarray(q)


def _quantiles(x, q, axis, method, keepdims, without_nan, message):
    if np.any((q < 0.0) | (q > 1.0)):
        raise ValueError(message)
    ordered = np.sort(_rows(x * 1.0, axis), -1)
    n = ordered.shape[-1]
    if without_nan:
        numbers = np.sum((ordered == ordered).astype((q * 1.0).dtype), axis=-1, keepdims=True)
    else:
        numbers = np.full((1,) * ordered.ndim, n, (q * 1.0).dtype)
    flat = np.atleast_1d(q).ravel()
    place, share = _place_and_share(numbers, flat, method)
    last = np.maximum(numbers - 1.0, 0.0)
    below = np.broadcast_to(np.clip(place, 0.0, last), (*ordered.shape[:-1], flat.shape[0])).astype(np.int64)
    above = np.broadcast_to(np.clip(place + 1.0, 0.0, last), (*ordered.shape[:-1], flat.shape[0])).astype(np.int64)
    low, high = np.take_along_axis(ordered, below, -1), np.take_along_axis(ordered, above, -1)
    gap = high - low
    between = np.where(share >= 0.5, high - gap * (1.0 - share), low + gap * share)
    found = np.where(low == high, low + 0.0 * share, between)
    if not without_nan:
        end = np.expand_dims(ordered[..., n - 1], -1)
        found = np.where(end != end, end, found)
    found = np.moveaxis(found, -1, 0)
    found = np.reshape(found, q.shape + ordered.shape[:-1])
    return _kept(found, x, axis, q.ndim) if keepdims else found


def _place_and_share(n, q, method):
    """The place, counted from 0, of the element below the quantile of n elements, and the share of the next one.

    The definitions are those of Hyndman and Fan (1996), by NumPy's names.
    """
    if method == "linear":
        return _parted((n - 1.0) * q)
    if method == "lower":
        return np.floor((n - 1.0) * q), 0.0 * (n * q)
    if method == "higher":
        return np.ceil((n - 1.0) * q), 0.0 * (n * q)
    if method == "nearest":
        return np.rint((n - 1.0) * q), 0.0 * (n * q)
    if method == "midpoint":
        place, share = _parted((n - 1.0) * q)
        return place, np.where(share == 0.0, 0.0 * share, 0.5)
    if method == "inverted_cdf":
        return np.maximum(np.ceil(n * q) - 1.0, 0.0), 0.0 * (n * q)
    if method == "averaged_inverted_cdf":
        place, share = _parted(n * q - 1.0)
        return place, np.where(share == 0.0, 0.5, np.ones_like(share))
    if method == "closest_observation":
        return np.maximum(np.rint(n * q - 1.0), 0.0), 0.0 * (n * q)
    if method == "interpolated_inverted_cdf":
        return _virtual(n, q, 0.0, 1.0)
    if method == "hazen":
        return _virtual(n, q, 0.5, 0.5)
    if method == "weibull":
        return _virtual(n, q, 0.0, 0.0)
    if method == "median_unbiased":
        return _virtual(n, q, 1.0 / 3.0, 1.0 / 3.0)
    if method == "normal_unbiased":
        return _virtual(n, q, 3.0 / 8.0, 3.0 / 8.0)
    raise ValueError("'" + method + "' is not a valid method. Use one of NumPy's")


def _virtual(n, q, alpha, beta):
    return _parted(n * q + (alpha + q * (1.0 - alpha - beta)) - 1.0)


def _parted(place):
    whole = np.floor(place)
    return whole, place - whole


# Folds that leave out nan


def _filled(a, value):
    x = np.asarray(a)
    return np.where(np.isnan(x), np.full_like(x, value), x) if x.dtype.kind in "fc" else x


def _count(x, axis, keepdims):
    return np.sum(~np.isnan(x), axis=axis, keepdims=keepdims)


@defines("numpy.nansum")
def nansum(a, axis=None, dtype=None, keepdims=False, initial=0, where=True):
    return np.sum(_filled(a, 0), axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


@defines("numpy.nanprod")
def nanprod(a, axis=None, dtype=None, keepdims=False, initial=1, where=True):
    return np.prod(_filled(a, 1), axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)


@defines("numpy.nanmax")
def nanmax(a, axis=None, keepdims=False):
    x = np.asarray(a)
    if x.dtype.kind not in "fc":
        return np.max(x, axis=axis, keepdims=keepdims)
    found = np.max(_filled(x, -np.inf), axis=axis, keepdims=keepdims)
    return np.where(_count(x, axis, keepdims) == 0, np.nan, found)


@defines("numpy.nanmin")
def nanmin(a, axis=None, keepdims=False):
    x = np.asarray(a)
    if x.dtype.kind not in "fc":
        return np.min(x, axis=axis, keepdims=keepdims)
    found = np.min(_filled(x, np.inf), axis=axis, keepdims=keepdims)
    return np.where(_count(x, axis, keepdims) == 0, np.nan, found)


@defines("numpy.nanmean")
def nanmean(a, axis=None, dtype=None, keepdims=False):
    x = np.asarray(a)
    total = np.sum(_filled(x, 0), axis=axis, dtype=dtype, keepdims=keepdims) * 1.0
    return _shared(total, _count(x, axis, keepdims))


@defines("numpy.nanvar")
def nanvar(a, axis=None, dtype=None, ddof=0, keepdims=False):
    x = np.asarray(a)
    center = nanmean(x, axis, dtype, True)
    away = np.where(np.isnan(x), 0.0, _filled(x, 0) - center)
    count = _count(x, axis, keepdims)
    squares = np.sum(squares_of(away), axis=axis, keepdims=keepdims)
    return _shared(squares, np.where(count > ddof, count - ddof, np.nan))


@defines("numpy.nanstd")
def nanstd(a, axis=None, dtype=None, ddof=0, keepdims=False):
    return np.sqrt(nanvar(a, axis, dtype, ddof, keepdims))


# Covariance


@defines("numpy.cov")
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None):
    x = _variables(m, rowvar)
    if y is not None:
        x = np.concatenate((x, _variables(y, rowvar)), 0)
    count = x.shape[1] * 1.0
    less = (0 if bias else 1) if ddof is None else ddof
    if fweights is None and aweights is None:
        away = x - np.mean(x, axis=1, keepdims=True)
        found = (away @ np.conj(away.T)) * np.true_divide(1.0, np.maximum(count - less, 0.0))
    else:
        w = np.ones(x.shape[1])
        if fweights is not None:
            w = w * np.asarray(fweights)
        if aweights is not None:
            w = w * np.asarray(aweights)
        weight = np.sum(w)
        away = x - np.sum(x * w, axis=1, keepdims=True) / weight
        fact = weight - less
        if ddof is None and less == 0:
            fact = weight
        elif aweights is not None:
            fact = weight - less * np.sum(w * np.asarray(aweights)) / weight
        found = (away @ np.conj((away * w).T)) * np.true_divide(1.0, np.maximum(fact, 0.0))
    return _squeezed(found, m, y)


def _variables(m, rowvar):
    given = np.asarray(m)
    x = given.astype(np.result_type(given, float))
    if x.ndim == 1:
        return x[np.newaxis, :]
    return x if rowvar else x.T


def _squeezed(found, m, y):
    return found[0, 0] if y is None and np.ndim(m) == 1 else found


@defines("numpy.corrcoef")
def corrcoef(x, y=None, rowvar=True):
    c = cov(x, y, rowvar)
    if np.ndim(c) == 0:
        return c / c
    width = np.sqrt(np.real(np.diagonal(c)))
    found = c / width[:, np.newaxis] / width[np.newaxis, :]
    if found.dtype.kind == "c":
        return np.clip(np.real(found), -1.0, 1.0) + 1j * np.clip(np.imag(found), -1.0, 1.0)
    return np.clip(found, -1.0, 1.0)

"""Arrays as sets, whose results are sorted and as long as the values make them; zeros at the ends."""

from __future__ import annotations

import numpy as np

from .ordering import unique
from .registry import defines, refuse
from .searching import isin

__all__ = ["intersect1d", "setdiff1d", "setxor1d", "trim_zeros", "union1d"]

FRONT, BACK = ("f", "F", "fb", "bf", "FB", "BF"), ("b", "B", "fb", "bf", "FB", "BF")


@defines("numpy.union1d")
def union1d(ar1, ar2):
    return unique(np.concatenate((np.asarray(ar1), np.asarray(ar2)), axis=None))


@defines("numpy.intersect1d")
def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    if return_indices:
        refuse("numpy.intersect1d with return_indices=True", "np.searchsorted(x, np.intersect1d(x, y)) of a sorted x")
    x, y = _alike(_members(ar1, assume_unique), _members(ar2, assume_unique))
    return np.sort(x[isin(x, y)])


@defines("numpy.setdiff1d")
def setdiff1d(ar1, ar2, assume_unique=False):
    x = _members(ar1, assume_unique)
    return x[~isin(x, ar2)]


@defines("numpy.setxor1d")
def setxor1d(ar1, ar2, assume_unique=False):
    x, y = _alike(_members(ar1, assume_unique), _members(ar2, assume_unique))
    return np.sort(np.concatenate((x[~isin(x, y)], y[~isin(y, x)])))


def _members(x, are_unique):
    return np.asarray(x).ravel() if are_unique else unique(x)


def _alike(x, y):
    dtype = np.result_type(x, y)
    return x.astype(dtype), y.astype(dtype)


@defines("numpy.trim_zeros")
def trim_zeros(filt, trim="fb", axis=None):
    x = np.asarray(filt)
    if x.ndim != 1 or axis is not None:
        refuse("numpy.trim_zeros of an array with several axes", "a slice, x[first:last]")
    if trim not in FRONT + BACK:
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    first, last = 0, x.shape[0]
    if trim in FRONT:
        while first < last and x[first] == 0:
            first += 1
    if trim in BACK:
        while last > first and x[last - 1] == 0:
            last -= 1
    return x[first:last]

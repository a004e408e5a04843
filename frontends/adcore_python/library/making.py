"""Arrays made of numbers: sequences of equal steps or ratios, grids of indices, values of functions."""

from __future__ import annotations

import numpy as np

from .elementwise import floats
from .registry import defines

__all__ = ["fromfunction", "geomspace", "indices", "linspace", "logspace"]


@defines("numpy.linspace")
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    first, last = floats(start, stop)
    gaps = num - 1 if endpoint else num
    step = (last - first) / max(gaps, 1)
    index = np.reshape(np.arange(num, dtype=first.dtype), (-1,) + (1,) * np.ndim(step))
    values = index * step + first
    if endpoint:
        values = np.where((index == num - 1) & (num > 1), last, values)
    if dtype is not None:
        values = np.floor(values).astype(dtype) if np.dtype(dtype).kind == "i" else values.astype(dtype)
    values = np.moveaxis(values, 0, axis)
    return (values, step if gaps > 0 else np.nan * step) if retstep else values


@defines("numpy.logspace")
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    if np.ndim(base) > 0:
        b = np.asarray(base)
        rank = max(b.ndim, np.ndim(start), np.ndim(stop))
        exponents = linspace(start + np.zeros(b.shape), stop, num, endpoint)
        powers = np.moveaxis(np.power(np.reshape(b, (1,) * (rank + 1 - b.ndim) + b.shape), exponents), 0, axis)
    else:
        powers = np.power(base * 1.0, linspace(start, stop, num, endpoint, axis=axis))
    return powers if dtype is None else powers.astype(dtype)


@defines("numpy.geomspace")
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    first, last = np.asarray(start) + np.zeros(()), np.asarray(stop) + np.zeros(())  # in double precision, as NumPy's
    if np.any(first == 0.0) or np.any(last == 0.0):
        raise ValueError("Geometric sequence cannot include zero")
    sign = np.sign(first)
    powers = logspace(np.log10(first * sign), np.log10(last * sign), num, endpoint) * sign
    index = np.reshape(np.arange(num), (-1,) + (1,) * (powers.ndim - 1))
    powers = np.where(index == 0, first, powers)
    if endpoint:
        powers = np.where((index == num - 1) & (num > 1), last, powers)
    powers = np.moveaxis(powers, 0, axis)
    return powers if dtype is None else powers.astype(dtype)


@defines("numpy.indices")
def indices(dimensions, dtype=int, sparse=False):
    shape = tuple(dimensions)
    rank = len(shape)
    lines = [np.arange(shape[k], dtype=dtype) for k in range(rank)]
    lines = [np.reshape(lines[k], (1,) * k + (-1,) + (1,) * (rank - k - 1)) for k in range(rank)]
    if sparse:
        return tuple(lines)
    return np.stack([np.broadcast_to(line, shape) for line in lines])


@defines("numpy.fromfunction")
def fromfunction(function, shape, dtype=float, **kwargs):
    places = indices(shape, dtype)
    return function(*[places[k] for k in range(len(shape))], **kwargs)


@defines("numpy.fromiter")
def fromiter(iter, dtype, count=-1):
    values = list(iter)
    if len(values) < count:
        raise ValueError(f"iterator too short: Expected {count} but iterator had only {len(values)} items.")
    made = np.array(values).astype(dtype)
    return made if count < 0 else made[:count]


@defines("numpy.copyto")
def copyto(dst, src, casting="same_kind", where=True):
    dst[...] = src if where is True else np.where(where, src, dst)


@defines("numpy.asarray_chkfinite")
def asarray_chkfinite(a, dtype=None):
    x = np.asarray(a, dtype)
    if not np.all(np.isfinite(x)):
        raise ValueError("array must not contain infs or NaNs")
    return x

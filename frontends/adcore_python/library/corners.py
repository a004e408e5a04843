"""Indices of triangles and diagonals, and diagonals written in place."""

from __future__ import annotations

import numpy as np

from .registry import defines

__all__ = ["diag_indices", "fill_diagonal", "mask_indices", "tril_indices", "triu_indices"]


@defines("numpy.tril_indices")
def tril_indices(n, k=0, m=None):
    return np.nonzero(np.tri(n, m, k, bool))


@defines("numpy.triu_indices")
def triu_indices(n, k=0, m=None):
    return np.nonzero(~np.tri(n, m, k - 1, bool))


@defines("numpy.tril_indices_from")
def tril_indices_from(arr, k=0):
    if arr.ndim != 2:
        raise ValueError("input array must be 2-d")
    return tril_indices(arr.shape[0], k, arr.shape[1])


@defines("numpy.triu_indices_from")
def triu_indices_from(arr, k=0):
    if arr.ndim != 2:
        raise ValueError("input array must be 2-d")
    return triu_indices(arr.shape[0], k, arr.shape[1])


@defines("numpy.mask_indices")
def mask_indices(n, mask_func, k=0):
    return np.nonzero(mask_func(np.ones((n, n), int), k) != 0)


@defines("numpy.diag_indices")
def diag_indices(n, ndim=2):
    return (np.arange(n),) * ndim


@defines("numpy.diag_indices_from")
def diag_indices_from(arr):
    if arr.ndim < 2:
        raise ValueError("input array must be at least 2-d")
    for k in range(1, arr.ndim):
        if arr.shape[k] != arr.shape[0]:
            raise ValueError("All dimensions of input must be of equal length")
    return diag_indices(arr.shape[0], arr.ndim)


@defines("numpy.fill_diagonal")
def fill_diagonal(a, val, wrap=False):
    if a.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if a.ndim == 2:
        columns = a.shape[1]
        last = a.size if wrap else min(columns * columns, a.size)
        place = np.arange(0, last, columns + 1)
        index = (place // columns, place % columns)
    else:
        index = diag_indices_from(a)
    if np.ndim(val) == 0:
        a[index] = val
    else:
        values = np.asarray(val).ravel()
        a[index] = values[np.arange(len(index[0])) % len(values)]

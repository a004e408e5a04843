"""Arrays made of arrays: triangles, diagonals, grids, columns put together."""

from __future__ import annotations

import numpy as np

from .registry import defines

__all__ = ["append", "diag", "diagonal", "meshgrid", "tril", "triu"]


@defines("numpy.tril")
def tril(m, k=0):
    x = np.asarray(m)
    keep = np.arange(x.shape[-2])[:, np.newaxis] + k >= np.arange(x.shape[-1])
    return np.where(keep, x, np.zeros_like(x))


@defines("numpy.triu")
def triu(m, k=0):
    x = np.asarray(m)
    keep = np.arange(x.shape[-2])[:, np.newaxis] + k <= np.arange(x.shape[-1])
    return np.where(keep, x, np.zeros_like(x))


@defines("numpy.tri")
def tri(N, M=None, k=0, dtype=float):
    keep = np.arange(N)[:, np.newaxis] + k >= np.arange(N if M is None else M)
    return keep.astype(dtype)


@defines("numpy.diagonal")
def diagonal(a, offset=0, axis1=0, axis2=1):
    x = np.moveaxis(np.asarray(a), (axis1, axis2), (0, 1))
    rows, columns = x.shape[:2]
    down, right = max(-offset, 0), max(offset, 0)
    length = max(min(rows - down, columns - right), 0)
    start, step = down * columns + right, columns + 1
    flat = np.reshape(x, (rows * columns, *x.shape[2:]))  # so that it is a view of what is written to later
    return np.moveaxis(flat[start : start + length * step : step], 0, -1)


@defines("numpy.diag")
def diag(v, k=0):
    x = np.asarray(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = x.shape[0] + abs(k)
    made = np.zeros((n, n), x.dtype)
    index = np.arange(x.shape[0])
    made[index + max(-k, 0), index + max(k, 0)] = x
    return made


@defines("numpy.diagflat")
def diagflat(v, k=0):
    return diag(np.asarray(v).ravel(), k)


@defines("numpy.meshgrid")
def meshgrid(*xi, indexing="xy", sparse=False):
    rank = len(xi)
    place = [k if indexing == "ij" or k > 1 or rank < 2 else 1 - k for k in range(rank)]
    vectors = [np.asarray(x).ravel() for x in xi]
    grids = [np.reshape(vectors[k], tuple([-1 if a == place[k] else 1 for a in range(rank)])) for k in range(rank)]
    if sparse:
        return tuple([g.copy() for g in grids])
    shape = tuple([vectors[place.index(a)].shape[0] for a in range(rank)])
    return tuple([np.broadcast_to(g, shape).copy() for g in grids])


@defines("numpy.append")
def append(arr, values, axis=None):
    if axis is None:
        return np.concatenate((np.atleast_1d(arr).ravel(), np.atleast_1d(values).ravel()))
    return np.concatenate((np.asarray(arr), np.asarray(values)), axis)


@defines("numpy.dstack")
def dstack(tup):
    return np.concatenate([np.atleast_3d(x) for x in tup], 2)


@defines("numpy.column_stack")
def column_stack(tup):
    arrays = [np.asarray(x) for x in tup]
    return np.concatenate([x[:, np.newaxis] if x.ndim == 1 else x for x in arrays], 1)


@defines("numpy.vander")
def vander(x, N=None, increasing=False):
    v = np.asarray(x)
    v = v.astype(np.result_type(v, int))
    columns = v.shape[0] if N is None else N
    made = np.ones((v.shape[0], columns), v.dtype)
    for k in range(1, columns):
        made[:, k] = made[:, k - 1] * v
    return made if increasing else made[:, ::-1]


@defines("numpy.trapezoid", "scipy.integrate.trapezoid")
def trapezoid(y, x=None, dx=1.0, axis=-1):
    f = np.moveaxis(np.asarray(y), axis, -1)
    if x is None:
        return np.sum(f[..., 1:] + f[..., :-1], -1) * (0.5 * dx)
    at = np.asarray(x)
    if at.ndim > 1:
        at = np.moveaxis(at, axis, -1)
    gaps = np.diff(at, axis=-1)
    return np.sum((f[..., 1:] + f[..., :-1]) * gaps, -1) * 0.5

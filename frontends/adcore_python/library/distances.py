"""SciPy's distances between points, and the functions that it has to try minimizers on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .factors import inexact
from .registry import defines, refuse

METRICS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "cosine", "minkowski")


@defines("scipy.spatial.distance.cdist")
def cdist(XA, XB, metric: Any = "euclidean", *, out=None, **kwargs):
    x, y = np.asarray(XA).astype(float), np.asarray(XB).astype(float)
    if x.ndim != 2:
        raise ValueError("XA must be a 2-dimensional array.")
    if y.ndim != 2:
        raise ValueError("XB must be a 2-dimensional array.")
    if x.shape[1] != y.shape[1]:
        raise ValueError("XA and XB must have the same number of columns (i.e. feature dimension.)")
    if out is not None:
        refuse("scipy.spatial.distance.cdist with out=", "out[...] = cdist(x, y)")
    made = np.empty((x.shape[0], y.shape[0]))
    for i in range(x.shape[0]):
        for j in range(y.shape[0]):
            made[i, j] = _distance(x[i], y[j], metric, kwargs)
    return made


@defines("scipy.spatial.distance.pdist")
def pdist(X, metric: Any = "euclidean", *, out=None, **kwargs):
    x = np.asarray(X).astype(float)
    if x.ndim != 2:
        raise ValueError("A 2-dimensional array must be passed.")
    if out is not None:
        refuse("scipy.spatial.distance.pdist with out=", "out[...] = pdist(x)")
    n = x.shape[0]
    made = np.empty(n * (n - 1) // 2)
    for i in range(n):
        before = i * n - i * (i + 1) // 2 - i - 1
        for j in range(i + 1, n):
            made[before + j] = _distance(x[i], x[j], metric, kwargs)
    return made


def _distance(u, v, metric, options):
    if not isinstance(metric, str):
        return metric(u, v, **options)
    if metric not in METRICS:
        refuse(
            f"scipy.spatial.distance with metric={metric!r}", f"one of {', '.join(METRICS)}, or a function of two rows"
        )
    for name in options:
        if name != "p" or metric != "minkowski":
            refuse(f"scipy.spatial.distance with metric={metric!r} and {name}=", "a function of two rows as the metric")
    if metric == "cosine":
        return 1.0 - np.sum(u * v) / (np.sqrt(np.sum(u * u)) * np.sqrt(np.sum(v * v)))
    d = u - v
    if metric == "sqeuclidean":
        return np.sum(d * d)
    if metric == "cityblock":
        return np.sum(np.abs(d))
    if metric == "chebyshev":
        return np.max(np.abs(d)) if d.shape[0] > 0 else 0.0
    if metric == "euclidean":
        return _rooted(np.sum(d * d), 0.5)
    p = options.get("p", 2.0)
    if p <= 0:
        raise ValueError("p must be greater than 0")
    return np.max(np.abs(d)) if p == np.inf else _rooted(np.sum(np.abs(d) ** p), 1.0 / p)


def _rooted(total, power):
    """A root, whose derivative is 0 where a point is compared with itself."""
    return (total**power if power != 0.5 else np.sqrt(total)) if total > 0.0 else total


@defines("scipy.spatial.distance.squareform")
def squareform(X, force="no", checks=True):
    x = np.asarray(X)
    if x.ndim not in (1, 2):
        raise ValueError("The first argument must be one or two dimensional array.")
    if force not in ("no", "tomatrix", "tovector"):
        refuse(f"scipy.spatial.distance.squareform with force={force!r}", '"no", "tomatrix", or "tovector"')
    if force == "tomatrix" and x.ndim != 1:
        raise ValueError("Forcing 'tomatrix' but input X is not a distance vector.")
    if force == "tovector" and x.ndim != 2:
        raise ValueError("Forcing 'tovector' but input X is not a distance matrix.")
    return _whole(x) if x.ndim == 1 else _upper(x, checks)


def _whole(x):
    n = int(np.ceil(np.sqrt(x.shape[0] * 2))) if x.shape[0] > 0 else 1
    if n * (n - 1) != x.shape[0] * 2:
        raise ValueError(
            "Incompatible vector size. It must be a binomial coefficient n choose 2 for some integer n >= 2."
        )
    made = np.zeros((n, n), x.dtype)
    for i in range(n):
        before = i * n - i * (i + 1) // 2 - i - 1
        for j in range(i + 1, n):
            made[i, j] = x[before + j]
            made[j, i] = x[before + j]
    return made


def _upper(x, checks):
    n = x.shape[0]
    if n != x.shape[1]:
        raise ValueError("The matrix argument must be square.")
    if checks and np.any(x != x.T):
        raise ValueError("Distance matrix 'X' must be symmetric.")
    if checks and np.any(np.diagonal(x) != 0):
        raise ValueError("Distance matrix 'X' diagonal must be zero.")
    made = np.zeros(n * (n - 1) // 2, x.dtype)
    for i in range(n):
        before = i * n - i * (i + 1) // 2 - i - 1
        for j in range(i + 1, n):
            made[before + j] = x[i, j]
    return made


# Rosenbrock's function


@defines("scipy.optimize.rosen")
def rosen(x):
    at = inexact(x)
    return np.sum(100.0 * (at[1:] - at[:-1] ** 2.0) ** 2.0 + (1 - at[:-1]) ** 2.0, axis=0)


@defines("scipy.optimize.rosen_der")
def rosen_der(x):
    at = inexact(x)
    made = np.zeros_like(at)
    made[1:-1] = 200 * (at[1:-1] - at[:-2] ** 2) - 400 * (at[2:] - at[1:-1] ** 2) * at[1:-1] - 2 * (1 - at[1:-1])
    made[0] = -400 * at[0] * (at[1] - at[0] ** 2) - 2 * (1 - at[0])
    made[-1] = 200 * (at[-1] - at[-2] ** 2)
    return made

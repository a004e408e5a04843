"""Calls of SciPy's distances, and of Rosenbrock's function."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize
import scipy.spatial

sd: Any = scipy.spatial.distance
RNG = np.random.default_rng(4)
A, B, V = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3)), RNG.uniform(0.5, 1.5, 6)

CALLS = {
    "scipy.spatial.distance.cdist": [
        *((lambda a, metric=metric: sd.cdist(a, B, metric), A) for metric in ("euclidean", "sqeuclidean", "cosine")),
        *((lambda b, metric=metric: sd.cdist(A, b, metric=metric), B) for metric in ("cityblock", "chebyshev")),
        (lambda a: sd.cdist(a, B), A),
        (lambda a: sd.cdist(a, B, "minkowski", p=3), A),
        (lambda a: sd.cdist(a, B, "minkowski"), A),
        (lambda a: sd.cdist(a, B, lambda u, v: np.sum(u * u * v)), A),
    ],
    "scipy.spatial.distance.pdist": [
        *((lambda a, metric=metric: sd.pdist(a, metric), A) for metric in ("euclidean", "cosine", "cityblock")),
        (lambda a: sd.pdist(a, "minkowski", p=1.5), A),
        (lambda a: sd.pdist(a[:1]) + a[0, 0], A),
    ],
    "scipy.spatial.distance.squareform": [
        (lambda v: sd.squareform(v), V),
        (lambda v: sd.squareform(sd.squareform(v) * 2.0), V),
        (lambda a: sd.squareform(a, checks=False), A[:3]),
        (lambda a: np.exp(-sd.squareform(sd.pdist(a))), A),
    ],
    "scipy.optimize.rosen": [(lambda v: scipy.optimize.rosen(v), V), (lambda a: scipy.optimize.rosen(a), A)],
    "scipy.optimize.rosen_der": [(lambda v: scipy.optimize.rosen_der(v), V)],
}

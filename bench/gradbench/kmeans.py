"""k-means: the cost of centroids, and the step of Newton's method, whose Hessian is diagonal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adcore import grad, jit, jvp
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "cost", "direction", "inputs"]

CLUSTERS = (10, 100, 1000)
POINTS = (1000, 10_000)
DIMENSIONS = (8, 16)


def cost(centroids: Array, points: Array) -> float:
    """The sum of the squared distances of the points, (n, d), from their nearest centroid, (k, d)."""
    total = 0.0
    for i in range(points.shape[0]):
        closest = np.inf
        for j in range(centroids.shape[0]):
            distance = 0.0
            for a in range(points.shape[1]):
                distance += (points[i, a] - centroids[j, a]) ** 2
            closest = min(closest, distance)
        total += closest
    return total


@jit
def direction(centroids: Array, points: Array) -> Array:
    """The gradient over the diagonal of the Hessian, both from one pass of forward over reverse mode."""
    gradient, diagonal = jvp(grad(cost), (centroids, points), (np.ones_like(centroids), np.zeros_like(points)))
    return gradient / diagonal


def inputs(k: int, n: int, d: int) -> tuple[Array, Array]:
    """Uniform points, of which the last k are the centroids, so that none is without points."""
    points = np.random.default_rng(31337).random((n, d))
    return points[-k:].copy(), points


def cases(tiny: bool = False) -> Iterator[Case]:
    """Every number of clusters with every number of points and dimension."""
    sizes = [(2, 6, 3)] if tiny else [(k, n, d) for k in CLUSTERS for n in POINTS for d in DIMENSIONS]
    for k, n, d in sizes:
        yield Case(f"kmeans k{k} n{n} d{d}", contenders(inputs(k, n, d), direction, cost, jax_ports.kmeans))


def _arguments(message: Any) -> tuple[Array, Array]:
    return np.array(message["centroids"], dtype=float), np.array(message["points"], dtype=float)


EVALUATIONS = {
    "cost": Evaluation(_arguments, jit(cost), float),
    "dir": Evaluation(_arguments, direction, np.ndarray.tolist),
}

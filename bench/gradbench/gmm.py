"""GMM: the log-posterior of a mixture of Gaussians, and its gradient by all parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from adcore import grad, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "gradient", "inputs", "objective"]

DIMENSIONS = (2, 10, 20, 32, 64)
COMPONENTS = (5, 10, 25, 50, 100)


def log_sum_exp(x: Array) -> float:
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def log_wishart(p: int, a: float) -> float:
    """The logarithm of the multivariate gamma function."""
    value = 0.25 * p * (p - 1) * math.log(math.pi)
    for j in range(1, p + 1):
        value += math.lgamma(a + 0.5 * (1 - j))
    return value


def objective(alpha: Array, mu: Array, q: Array, l: Array, x: Array, gamma: float, m: int) -> float:  # noqa: E741
    """The log-posterior.

    Args:
        alpha: weights of the components, (K,).
        mu: their means, (K, D).
        q: logarithms of the diagonals of the square roots of their precisions, (K, D).
        l: what is strictly below the diagonals, column by column, (K, D(D-1)/2).
        x: the points, (N, D).
        gamma: scale of the Wishart prior.
        m: its additional degrees of freedom.
    """
    components, dimension = mu.shape
    points = x.shape[0]
    beta = np.empty((points, components))
    squares = 0.0
    for k in range(components):
        Q = np.diag(np.exp(q[k]))
        start = 0
        for j in range(dimension - 1):
            end = start + dimension - 1 - j
            Q[j + 1 :, j] = l[k, start:end]
            start = end
        y = (x - mu[k]) @ Q.T
        beta[:, k] = alpha[k] + np.sum(q[k]) - 0.5 * np.sum(y * y, axis=1)
        squares += np.sum(Q * Q)
    likelihood = -points * (0.5 * dimension * math.log(2.0 * math.pi) + log_sum_exp(alpha))
    for i in range(points):
        likelihood += log_sum_exp(beta[i])
    n = dimension + m + 1
    constant = n * dimension * math.log(gamma / math.sqrt(2.0)) - log_wishart(dimension, 0.5 * n)
    return likelihood + components * constant - 0.5 * gamma * gamma * squares + m * np.sum(q)


gradient = grad(objective, argnums=(0, 1, 2, 3))


def inputs(d: int, k: int, n: int) -> tuple[Any, ...]:
    """The benchmark's arguments of `objective`."""
    rng = np.random.default_rng(31337)
    x = rng.normal(size=(n, d))
    mu = rng.uniform(size=(k, d))
    q = rng.normal(size=(k, d))
    l = rng.normal(size=(k, d * (d - 1) // 2))  # noqa: E741
    alpha = rng.normal(size=k)
    return alpha, mu, q, l, x, 1.0, 0


def cases(tiny: bool = False) -> Iterator[Case]:
    """Every dimension with every number of components."""
    sizes = [(2, 3, 8)] if tiny else [(d, k, 1000) for d in DIMENSIONS for k in COMPONENTS]
    for d, k, n in sizes:
        yield Case(f"gmm d{d} k{k}", contenders(inputs(d, k, n), gradient, objective, jax_ports.gmm))


def _arguments(message: Any) -> tuple[Any, ...]:
    arrays = [np.array(message[name], dtype=float) for name in ("alpha", "mu", "q", "l", "x")]
    return *arrays, float(message["gamma"]), message["m"]


def _output(gradient: tuple[Array, ...]) -> dict[str, Any]:
    return {name: part.tolist() for name, part in zip(("alpha", "mu", "q", "l"), gradient, strict=True)}


EVALUATIONS = {
    "objective": Evaluation(_arguments, jit(objective), float),
    "jacobian": Evaluation(_arguments, gradient, _output),
}

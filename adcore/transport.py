"""Optimal transport with an entropy, by the iteration of Sinkhorn, differentiated as its fixed point."""

from __future__ import annotations

from typing import Any

import numpy as np

from .custom import stop_gradient
from .implicit import custom_fixed_point

__all__ = ["sinkhorn", "sinkhorn_potentials"]


def sinkhorn(cost: Any, a: Any, b: Any, epsilon: Any, tol: Any = 1e-12, maxiter: int = 100_000) -> Any:
    """The plan P ≥ 0 with P 1 = a and Pᵀ 1 = b that minimizes Σ P · cost + epsilon · Σ P (log P - 1).

    It is exp((f + g - cost) / epsilon) for potentials f and g, which are the fixed point of an iteration in logarithms
    (Cuturi 2013; Peyré and Cuturi 2019, section 4.4).  Derivatives by all of cost, a, b and epsilon are those of the
    fixed point, whatever the number of steps (Luise et al. 2018).  Where the sums of a and b become different, they are
    those of a scaled to the sum of b.

    Args:
        cost: (n, m).
        a, b: (n,) and (m,), positive and of the same sum.
        epsilon: the weight of the entropy, a positive number; the number of steps grows as it falls.
        tol: what a step still changes in the logarithms of the plan, at most.
        maxiter: steps after which it gives up.

    Returns:
        P, (n, m).

    Raises:
        ValueError: the sums of a and b differ.
        RuntimeError: it has not converged.

    >>> plan = sinkhorn(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.5, 0.5]), np.array([0.25, 0.75]), 0.5)
    >>> plan.sum(axis=0), plan.sum(axis=1).round(9)
    (array([0.25, 0.75]), array([0.5, 0.5]))
    """
    f, g = sinkhorn_potentials(cost, a, b, epsilon, tol, maxiter)
    return np.exp((f[:, None] + g[None, :] - cost) / epsilon)


def sinkhorn_potentials(cost: Any, a: Any, b: Any, epsilon: Any, tol: Any = 1e-12, maxiter: int = 100_000) -> Any:
    """The potentials (f, g), (n,) and (m,), of the plan of `sinkhorn`, with Σ f = 0.

    A constant that is added to f and taken from g makes no difference to the plan: it is the mean of f that is fixed.
    Arguments and errors are those of `sinkhorn`.

    >>> f, g = sinkhorn_potentials(np.array([[0.0, 2.0], [2.0, 0.0]]), np.ones(2), np.ones(2), 1.0)
    >>> f, g.round(6)
    (array([0., 0.]), array([-0.126928, -0.126928]))
    """
    if abs(np.sum(a) - np.sum(b)) > 1e-6 * np.sum(b):
        raise ValueError("a and b of optimal transport do not have the same sum")
    f = _converged(np.zeros_like(a), cost, a, b, epsilon, tol, maxiter)
    return f, _balanced(f, cost.T, b, epsilon)


def _balanced(f: Any, cost: Any, b: Any, epsilon: Any) -> Any:
    """The potential of the columns with which these have their sums, cost being given with columns first."""
    scores = (f[None, :] - cost) / epsilon
    top = stop_gradient(np.max(scores, axis=1))
    return epsilon * (np.log(b) - top - np.log(np.sum(np.exp(scores - top[:, None]), axis=1)))


def _step(f: Any, cost: Any, a: Any, b: Any, epsilon: Any, tol: Any, maxiter: Any) -> Any:
    following = _balanced(_balanced(f, cost.T, b, epsilon), cost, a, epsilon)
    return following - np.mean(following)


@custom_fixed_point(_step)
def _converged(f: Any, cost: Any, a: Any, b: Any, epsilon: Any, tol: Any, maxiter: Any) -> Any:
    limit = tol * epsilon + 1e-15 * np.max(np.abs(cost))
    for _ in range(maxiter):
        before = f
        f = _step(f, cost, a, b, epsilon, tol, maxiter)
        if np.max(np.abs(f - before)) <= limit:
            return f
    raise RuntimeError("sinkhorn has not converged: a larger epsilon, tol or maxiter is needed")

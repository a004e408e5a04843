"""Euclidean projections: the point of a set that is nearest to x, with the derivatives by x and by what the set is of.

Names and order of arguments are those of `jaxopt.projection`.  A projection is piecewise smooth.  Which piece x is on
(signs, the support of a sorted vector, active constraints) is found by comparisons, and on the piece the projection is
a formula, so that both modes and every order of derivative are those of the formula.  Between pieces the derivative is
that of one of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .layers import quadratic_program, sinkhorn

__all__ = [
    "kl_projection_transport",
    "projection_affine_set",
    "projection_box",
    "projection_box_section",
    "projection_halfspace",
    "projection_hypercube",
    "projection_hyperplane",
    "projection_l1_ball",
    "projection_l1_sphere",
    "projection_l2_ball",
    "projection_l2_sphere",
    "projection_linf_ball",
    "projection_non_negative",
    "projection_polyhedron",
    "projection_second_order_cone",
    "projection_simplex",
    "projection_transport",
]


def projection_non_negative(x: Any, hyperparams: Any = None) -> Any:
    """Onto {p : p ≥ 0}.

    Args:
        x: a number or array.
        hyperparams: not used.

    >>> projection_non_negative(np.array([1.0, -2.0]))
    array([1., 0.])
    """
    return np.maximum(x, 0.0)


def projection_box(x: Any, hyperparams: Any) -> Any:
    """Onto {p : lower ≤ p ≤ upper}.

    Args:
        x: a number or array.
        hyperparams: (lower, upper), each a number or an array that broadcasts to x.

    >>> projection_box(np.array([3.0, -2.0]), (0.0, np.array([1.0, 2.0])))
    array([1., 0.])
    """
    lower, upper = hyperparams
    return np.minimum(np.maximum(x, lower), upper)


def projection_hypercube(x: Any, unit: Any = 1.0) -> Any:
    """Onto {p : 0 ≤ p ≤ unit}.

    >>> projection_hypercube(np.array([3.0, -2.0]))
    array([1., 0.])
    """
    return projection_box(x, (0.0, unit))


def projection_simplex(x: Any, value: Any = 1.0) -> Any:
    """Onto {p : p ≥ 0, Σ p = value}, by sorting.

    It is max(x - θ, 0), where θ makes the sum of the largest k elements right, and k is the largest for which these are
    above θ (Held, Wolfe and Crowder 1974; Duchi et al. 2008, figure 1).

    Args:
        x: (n,).
        value: of the sum, not negative.

    Raises:
        ValueError: the value is negative.

    >>> projection_simplex(np.array([0.75, 1.25, -1.0]))
    array([0.25, 0.75, 0.  ])
    """
    if value is None:
        value = 1.0
    if value < 0.0:
        raise ValueError("the elements of a simplex do not have a negative sum")
    descending = np.sort(x)[::-1]
    sums = np.cumsum(descending)
    count = max(int(np.count_nonzero(descending * np.arange(1, len(x) + 1) > sums - value)), 1)
    return np.maximum(x - (sums[count - 1] - value) / count, 0.0)


def projection_l1_sphere(x: Any, value: Any = 1.0) -> Any:
    """Onto {p : Σ |p| = value}.

    Args:
        x: (n,).
        value: the radius.

    >>> projection_l1_sphere(np.array([0.75, -1.25, 0.0]))
    array([ 0.25, -0.75,  0.  ])
    """
    return np.where(x < 0.0, -1.0, 1.0) * projection_simplex(np.abs(x), value)


def projection_l1_ball(x: Any, max_value: Any = 1.0) -> Any:
    """Onto {p : Σ |p| ≤ max_value}.

    Args:
        x: (n,).
        max_value: the radius.

    >>> projection_l1_ball(np.array([0.25, -0.25])), projection_l1_ball(np.array([-2.0, 0.5]))
    (array([ 0.25, -0.25]), array([-1.,  0.]))
    """
    if np.sum(np.abs(x)) <= max_value:
        return x
    return projection_l1_sphere(x, max_value)


def projection_l2_sphere(x: Any, value: Any = 1.0) -> Any:
    """Onto {p : ‖p‖₂ = value}.

    Args:
        x: an array that is not 0, where no point of the sphere is nearest.
        value: the radius.

    >>> projection_l2_sphere(np.array([3.0, 4.0]), 10.0)
    array([6., 8.])
    """
    return x * (value / np.sqrt(np.sum(x * x)))


def projection_l2_ball(x: Any, max_value: Any = 1.0) -> Any:
    """Onto {p : ‖p‖₂ ≤ max_value}.

    Args:
        x: an array.
        max_value: the radius.

    >>> projection_l2_ball(np.array([3.0, 4.0]), 2.5)
    array([1.5, 2. ])
    """
    if np.sum(x * x) <= max_value * max_value:
        return x
    return projection_l2_sphere(x, max_value)


def projection_linf_ball(x: Any, max_value: Any = 1.0) -> Any:
    """Onto {p : max |p| ≤ max_value}.

    Args:
        x: a number or array.
        max_value: the radius.

    >>> projection_linf_ball(np.array([3.0, -4.0, 0.5]))
    array([ 1. , -1. ,  0.5])
    """
    return projection_box(x, (-max_value, max_value))


def projection_hyperplane(x: Any, hyperparams: Any) -> Any:
    """Onto {p : aᵀ p = b}.

    Args:
        x: (n,).
        hyperparams: (a, b), a of the shape of x and not 0, b a number.

    >>> projection_hyperplane(np.array([1.0, 1.0]), (np.array([1.0, 1.0]), 4.0))
    array([2., 2.])
    """
    a, b = hyperparams
    return x - ((a @ x - b) / (a @ a)) * a


def projection_halfspace(x: Any, hyperparams: Any) -> Any:
    """Onto {p : aᵀ p ≤ b}.

    Args:
        x: (n,).
        hyperparams: (a, b), a of the shape of x and not 0, b a number.

    >>> projection_halfspace(np.array([1.0, 1.0]), (np.array([1.0, 1.0]), 1.0))
    array([0.5, 0.5])
    """
    a, b = hyperparams
    return x - (max(a @ x - b, 0.0) / (a @ a)) * a


def projection_affine_set(x: Any, hyperparams: Any) -> Any:
    """Onto {p : A p = b}.

    Args:
        x: (n,).
        hyperparams: (A, b), (m, n) and (m,), the rows of A independent.

    Raises:
        LinAlgError: the rows of A are dependent.

    >>> projection_affine_set(np.array([1.0, 1.0]), (np.array([[1.0, 1.0]]), np.array([4.0])))
    array([2., 2.])
    """
    A, b = hyperparams
    return x - A.T @ np.linalg.solve(A @ A.T, A @ x - b)


def projection_polyhedron(x: Any, hyperparams: Any, check_feasible: bool = True) -> Any:
    """Onto {p : A p = b, G p ≤ h}, a quadratic program.

    Args:
        x: (n,).
        hyperparams: (A, b, G, h), (m, n), (m,), (k, n) and (k,); None for A and b, or for G and h.
        check_feasible: not used: that the polyhedron is empty is always an error.

    Raises:
        ValueError: the polyhedron is empty.
        LinAlgError: the rows of A are dependent; for derivatives, those of A and of the active part of G.

    >>> projection_polyhedron(np.array([3.0, 0.5]), (None, None, np.eye(2), np.ones(2))).round(6)
    array([1. , 0.5])
    """
    A, b, G, h = hyperparams
    return quadratic_program(np.eye(len(x)), -x, A, b, G, h)[0]


def projection_box_section(x: Any, hyperparams: Any, check_feasible: bool = False) -> Any:
    """Onto {p : alpha ≤ p ≤ beta, wᵀ p = c}.

    It is clip(x + τ w, alpha, beta) for a number τ.  Between which breakpoints τ lies is found by bisection; there its
    equation is linear.

    Args:
        x: (n,).
        hyperparams: (alpha, beta, w, c): three arrays like x, w positive, and a number.
        check_feasible: not used: that the set is empty is always an error.

    Raises:
        ValueError: the set is empty.

    >>> ones = np.ones(3)
    >>> projection_box_section(np.array([0.5, 0.75, 2.0]), (0.0 * ones, ones, ones, 2.0))
    array([0.375, 0.625, 1.   ])
    """
    alpha, beta, w, c = hyperparams
    if w @ alpha > c or w @ beta < c:
        raise ValueError("no point of the box is on the hyperplane: wᵀ alpha ≤ c ≤ wᵀ beta does not hold")
    breakpoints = np.sort(np.concatenate((alpha - x, beta - x)) / np.concatenate((w, w)))
    low = 0
    high = len(breakpoints) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if w @ np.minimum(np.maximum(x + breakpoints[middle] * w, alpha), beta) <= c:
            low = middle
        else:
            high = middle
    inside = x + 0.5 * (breakpoints[low] + breakpoints[high]) * w
    free = (inside > alpha) & (inside < beta)
    if not np.any(free):
        return np.minimum(np.maximum(inside, alpha), beta)
    held = np.where(free, 0.0, np.minimum(np.maximum(inside, alpha), beta))
    tau = (c - w @ held - np.sum(np.where(free, w * x, 0.0))) / np.sum(np.where(free, w * w, 0.0))
    return np.where(free, x + tau * w, held)


def projection_second_order_cone(x: Any) -> Any:
    """Onto {(t, v) : ‖v‖₂ ≤ t}, with t = p[0] and v = p[1:] (Parikh and Boyd 2014, section 6.3.2).

    Args:
        x: (n,), n ≥ 1.

    >>> projection_second_order_cone(np.array([0.0, 3.0, 4.0]))
    array([2.5, 1.5, 2. ])
    """
    t = x[0]
    squared = x[1:] @ x[1:]
    if t >= 0.0 and squared <= t * t:
        return x
    if t <= 0.0 and squared <= t * t:
        return np.zeros_like(x)
    length = np.sqrt(squared)
    half = 0.5 * (t + length)
    return np.concatenate((np.array([half]), (half / length) * x[1:]))


def projection_transport(sim_matrix: Any, marginals_a: Any, marginals_b: Any) -> Any:
    """Onto the transport plans {P : P ≥ 0, P 1 = a, Pᵀ 1 = b}, a quadratic program of n m unknowns.

    Args:
        sim_matrix: (n, m): what is projected, the negative cost.
        marginals_a, marginals_b: (n,) and (m,), of the same sum; the last element of b is not read.

    Raises:
        ValueError: there is no such plan.
        LinAlgError: for derivatives: the plan is degenerate.

    >>> projection_transport(np.eye(2), np.array([0.5, 0.5]), np.array([0.5, 0.5])).round(6)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    n, m = sim_matrix.shape
    rows = np.kron(np.eye(n), np.ones((1, m)))
    columns = np.kron(np.ones((1, n)), np.eye(m))[: m - 1]
    plan = projection_polyhedron(
        sim_matrix.reshape(n * m),
        (
            np.concatenate((rows, columns)),
            np.concatenate((marginals_a, marginals_b[: m - 1])),
            -np.eye(n * m),
            np.zeros(n * m),
        ),
    )
    return plan.reshape(n, m)


def kl_projection_transport(sim_matrix: Any, marginals_a: Any, marginals_b: Any) -> Any:
    """The transport plan P nearest to exp(sim_matrix) by the Kullback-Leibler divergence: `sinkhorn` with ε = 1.

    Args:
        sim_matrix: (n, m), the negative cost.
        marginals_a, marginals_b: (n,) and (m,), positive and of the same sum.

    >>> kl_projection_transport(np.zeros((2, 2)), np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    array([[0.125, 0.375],
           [0.125, 0.375]])
    """
    return sinkhorn(-sim_matrix, marginals_a, marginals_b, 1.0)

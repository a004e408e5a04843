"""Proximal operators: the y that minimizes ½ ‖y - x‖² + scaling · g(y), with the derivatives by x and the parameters.

Names and order of arguments are those of `jaxopt.prox`.  What is said of derivatives in `adcore.projections` holds
here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .custom import custom_jvp
from .vectors import as_tree, real_vector_of

__all__ = [
    "make_prox_from_projection",
    "over_tree",
    "prox_elastic_net",
    "prox_group_lasso",
    "prox_lasso",
    "prox_non_negative_lasso",
    "prox_non_negative_ridge",
    "prox_none",
    "prox_nuclear_norm",
    "prox_ridge",
]


def prox_none(x: Any, hyperparams: Any = None, scaling: Any = 1.0) -> Any:
    """Of g = 0: the identity.

    >>> prox_none(2.0)
    2.0
    """
    return x


def prox_lasso(x: Any, hyperparams: Any = 1.0, scaling: Any = 1.0) -> Any:
    """Of g(y) = Σ hyperparams · |y|: soft thresholding.

    Args:
        x: a number or array.
        hyperparams: the weight, a number or an array that broadcasts to x.
        scaling: a factor of g.

    >>> prox_lasso(np.array([3.0, -0.5, -2.0]), 1.0)
    array([ 2.,  0., -1.])
    """
    weight = hyperparams * scaling
    return np.maximum(x - weight, 0.0) - np.maximum(-x - weight, 0.0)


def prox_non_negative_lasso(x: Any, hyperparams: Any = 1.0, scaling: Any = 1.0) -> Any:
    """Of g(y) = Σ hyperparams · y for y ≥ 0, and infinity elsewhere.

    Args:
        x, hyperparams, scaling: as of `prox_lasso`.

    >>> prox_non_negative_lasso(np.array([3.0, -2.0]), 1.0)
    array([2., 0.])
    """
    return np.maximum(x - hyperparams * scaling, 0.0)


def prox_elastic_net(x: Any, hyperparams: Any = (1.0, 1.0), scaling: Any = 1.0) -> Any:
    """Of g(y) = Σ λ (|y| + ½ γ y²).

    Args:
        x, scaling: as of `prox_lasso`.
        hyperparams: (λ, γ), numbers or arrays that broadcast to x.

    >>> prox_elastic_net(np.array([3.0, -0.5]), (1.0, 1.0))
    array([1., 0.])
    """
    weight, ratio = hyperparams
    return prox_lasso(x, weight, scaling) / (1.0 + scaling * weight * ratio)


def prox_group_lasso(x: Any, hyperparams: Any = 1.0, scaling: Any = 1.0) -> Any:
    """Of g(y) = hyperparams · ‖y‖₂, all elements of x being one group; `vmap` makes several.

    Args:
        x: an array.
        hyperparams: the weight, a number.
        scaling: a factor of g.

    >>> prox_group_lasso(np.array([3.0, 4.0]), 2.5), prox_group_lasso(np.array([3.0, 4.0]), 6.0)
    (array([1.5, 2. ]), array([0., 0.]))
    """
    weight = hyperparams * scaling
    squared = np.sum(x * x)
    if squared <= weight * weight:
        return np.zeros_like(x)
    return x * (1.0 - weight / np.sqrt(squared))


def prox_ridge(x: Any, hyperparams: Any = 1.0, scaling: Any = 1.0) -> Any:
    """Of g(y) = ½ Σ hyperparams · y².

    Args:
        x, hyperparams, scaling: as of `prox_lasso`.

    >>> prox_ridge(3.0, 2.0)
    1.0
    """
    return x / (1.0 + scaling * hyperparams)


def prox_non_negative_ridge(x: Any, hyperparams: Any = 1.0, scaling: Any = 1.0) -> Any:
    """Of g(y) = ½ Σ hyperparams · y² for y ≥ 0, and infinity elsewhere.

    Args:
        x, hyperparams, scaling: as of `prox_lasso`.

    >>> prox_non_negative_ridge(np.array([3.0, -3.0]), 2.0)
    array([1., 0.])
    """
    return np.maximum(prox_ridge(x, hyperparams, scaling), 0.0)


def prox_nuclear_norm(x: Any, hyperparams: Any = 1.0, scaling: Any = 1.0) -> Any:
    """Of g(Y) = hyperparams · Σ σ(Y), the sum of the singular values: soft thresholding of these.

    Its derivative is right where singular values are equal, or 0, too.

    Args:
        x: (m, n).
        hyperparams: the weight, a number, positive.
        scaling: a factor of g.

    >>> prox_nuclear_norm(np.diag([3.0, 0.5]), 1.0) + 0.0
    array([[2., 0.],
           [0., 0.]])
    """
    return _shrunk(x, 1.0 * hyperparams * scaling)


@custom_jvp
def _shrunk(x: Any, weight: Any) -> Any:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return (u * np.maximum(s - weight, 0.0)) @ vt


@_shrunk.defjvp
def _shrunk_jvp(primals: Any, tangents: Any) -> Any:
    # With x = u s vᵀ, f odd and k = uᵀ dx v, the derivative of u f(s) vᵀ is, i and j running over the singular values,
    #     u (P ∘ (k + kᵀ)/2 + Q ∘ (k - kᵀ)/2) vᵀ + (1 - u uᵀ) dx v (f/s) vᵀ + u (f/s) uᵀ dx (1 - v vᵀ)
    # with the divided differences P = (fᵢ - fⱼ)/(sᵢ - sⱼ) and Q = (fᵢ + fⱼ)/(sᵢ + sⱼ), of which the first is f′ where
    # sᵢ = sⱼ (Noferini 2017, theorem 3.8).  Neither exceeds 1 here, however near the singular values are.
    x, weight = primals
    dx, dweight = tangents
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    above = s > weight
    f = np.maximum(s - weight, 0.0)
    across = s[:, None] - s[None, :]
    apart = np.abs(across) > 1e-9 * np.max(s)
    slope = 1.0 * (above[:, None] & above[None, :])
    first = np.where(apart, (f[:, None] - f[None, :]) / np.where(apart, across, 1.0), slope)
    total = s[:, None] + s[None, :]
    second = (f[:, None] + f[None, :]) / np.where(total > 0.0, total, 1.0)
    ratio = f / np.where(s > 0.0, s, 1.0)
    left, right = u.T @ dx, dx @ vt.T
    k = left @ vt.T
    inner = 0.5 * (first * (k + k.T) + second * (k - k.T)) - ratio * k - ratio[:, None] * k
    moved = u @ inner @ vt + (right * ratio) @ vt + (u * ratio) @ left
    return (u * f) @ vt, moved - dweight * ((u * above) @ vt)


def make_prox_from_projection(projection: Callable[..., Any]) -> Callable[..., Any]:
    """The proximal operator of the indicator function of a set: the projection onto it, whatever the scaling.

    >>> from adcore.projections import projection_box
    >>> make_prox_from_projection(projection_box)(np.array([3.0, -1.0]), (0.0, 1.0), 0.5)
    array([1., 0.])
    """

    def prox(x: Any, hyperparams: Any = None, scaling: Any = 1.0) -> Any:
        return projection(x, hyperparams)

    return prox


def over_tree(operator: Callable[..., Any]) -> Callable[..., Any]:
    """A proximal operator or projection of a vector as one of a tree, of all its numbers together.

    Norms, balls and simplices are of all leaves; operators that act on each number by itself, as those of the lasso and
    of a box, are so leaf by leaf.

    Args:
        operator: `operator(x, …)` of this module or of `adcore.projections`, x a vector.

    Returns:
        The same function of a tree (tuples, dicts, …) of real numbers and arrays, whose elements, one leaf after the
        other, are the vector; further arguments are the operator's own, so that arrays among them are as long as it.

    >>> over_tree(prox_lasso)({"w": np.array([3.0, -0.5]), "b": -2.0}, 1.0)
    {'w': array([2., 0.]), 'b': -1.0}
    >>> from adcore.projections import projection_l2_ball
    >>> over_tree(projection_l2_ball)((3.0, np.array([4.0])), 2.5)
    (1.5, array([2.]))
    """

    def of_tree(x: Any, *arguments: Any) -> Any:
        return as_tree(operator(real_vector_of(x), *arguments), x)

    return of_tree

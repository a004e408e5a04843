"""Conditions that solutions fulfil, for `custom_root` and `custom_fixed_point` (Blondel et al., arXiv:2105.15183).

Each function here makes the condition of one kind of problem from the functions that it is about.  What makes a fixed
point, T(x, parameters) = x, is for `custom_fixed_point`; what makes equations, F(x, *arguments) = 0, for `custom_root`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .api import grad, jacfwd
from .mapping import vmap

__all__ = [
    "block_coordinate",
    "conic_residual",
    "kkt",
    "mirror_descent",
    "newton",
    "projected_gradient",
    "proximal_gradient",
    "stationary",
]


def stationary(f: Callable[..., Any]) -> Callable[..., Any]:
    """F(x, *arguments) = ∇₁f: where a function is stationary in its first argument.

    Args:
        f: `f(x, *arguments)`, a number; x is a number, an array or a tree of them.

    >>> from adcore import custom_root, jacfwd
    >>> @custom_root(stationary(lambda x, a: 0.5 * np.sum((x - a) ** 2) + 0.5 * np.sum(x**2)))
    ... def halfway(init, a):
    ...     return 0.5 * a
    >>> jacfwd(halfway, argnums=1)(None, np.array([1.0, 2.0]))
    array([[0.5, 0. ],
           [0. , 0.5]])
    """

    def condition(x: Any, *arguments: Any) -> Any:
        return grad(f)(x, *arguments)

    return condition


def kkt(
    f: Callable[..., Any], equality: Callable[..., Any] | None = None, inequality: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """F((x, nu, lam), *arguments): the conditions of Karush, Kuhn and Tucker for a constrained minimum.

    They are ∇f + nuᵀ ∂equality + lamᵀ ∂inequality = 0, equality = 0 and lam · inequality = 0.  The derivative is
    defined where the gradients of the active constraints are independent and no active one has a multiplier of 0.

    Args:
        f: `f(x, *arguments)`, a number, to be minimized.
        equality: `equality(x, *arguments)`, an array that is to be 0.
        inequality: `inequality(x, *arguments)`, an array that is not to be positive.

    Returns:
        F, of the primal solution and the multipliers of both; None is the place of one that there is no function of.

    >>> F = kkt(lambda x, a: np.sum((x - a) ** 2), inequality=lambda x, a: x - 1.0)
    >>> F((np.array([1.0, 0.5]), None, np.array([2.0, 0.0])), np.array([2.0, 0.5]))
    (array([0., 0.]), None, array([ 0., -0.]))
    """

    def lagrangian(x: Any, nu: Any, lam: Any, *arguments: Any) -> Any:
        total = f(x, *arguments)
        if equality is not None:
            total = total + np.sum(nu * equality(x, *arguments))
        if inequality is not None:
            total = total + np.sum(lam * inequality(x, *arguments))
        return total

    def condition(solution: Any, *arguments: Any) -> Any:
        x, nu, lam = solution
        equal = None if equality is None else equality(x, *arguments)
        slack = None if inequality is None else lam * inequality(x, *arguments)
        return grad(lagrangian)(x, nu, lam, *arguments), equal, slack

    return condition


def projected_gradient(f: Callable[..., Any], projection: Callable[..., Any], step: Any = 1.0) -> Callable[..., Any]:
    """T(x, (hyperparams_f, hyperparams_proj)) = projection(x - step ∇₁f(x, hyperparams_f), hyperparams_proj).

    Args:
        f: `f(x, hyperparams_f)`, a number; x is an array.
        projection: `projection(x, hyperparams_proj)`, as those of `adcore.projections`.
        step: a positive number: it changes neither the fixed point nor its derivative.

    >>> from adcore.projections import projection_box
    >>> T = projected_gradient(lambda x, a: 0.5 * np.sum((x - a) ** 2), projection_box)
    >>> T(np.array([0.0, 0.0]), (np.array([2.0, 0.5]), (0.0, 1.0)))
    array([1. , 0.5])
    """

    def iterate(x: Any, hyperparams: Any) -> Any:
        hyperparams_f, hyperparams_proj = hyperparams
        return projection(x - step * grad(f)(x, hyperparams_f), hyperparams_proj)

    return iterate


def proximal_gradient(f: Callable[..., Any], prox: Callable[..., Any], step: Any = 1.0) -> Callable[..., Any]:
    """T(x, (hyperparams_f, hyperparams_prox)) = prox(x - step ∇₁f(x, hyperparams_f), hyperparams_prox, step).

    Args:
        f: `f(x, hyperparams_f)`, a number; x is an array.
        prox: `prox(x, hyperparams_prox, scaling)`, as those of `adcore.proximal`.
        step: a positive number: it changes neither the fixed point nor its derivative.

    >>> from adcore.proximal import prox_lasso
    >>> T = proximal_gradient(lambda x, a: 0.5 * np.sum((x - a) ** 2), prox_lasso)
    >>> T(np.array([0.0, 0.0]), (np.array([2.0, 0.5]), 1.0))
    array([1., 0.])
    """

    def iterate(x: Any, hyperparams: Any) -> Any:
        hyperparams_f, hyperparams_prox = hyperparams
        return prox(x - step * grad(f)(x, hyperparams_f), hyperparams_prox, step)

    return iterate


def mirror_descent(
    f: Callable[..., Any], projection: Callable[..., Any], mirror: Callable[..., Any], step: Any = 1.0
) -> Callable[..., Any]:
    """T(x, (hyperparams_f, hyperparams_proj)) = projection(mirror(x) - step ∇₁f(x, hyperparams_f), hyperparams_proj).

    Args:
        f: `f(x, hyperparams_f)`, a number; x is an array.
        projection: `projection(y, hyperparams_proj)`: the point x of the set with the least Bregman divergence from
            the point of which y is the mirror image, as the softmax of y is for the simplex and the entropy.
        mirror: the mirror map, the gradient of what generates the divergence, as 1 + log x for the entropy.
        step: a positive number: it changes neither the fixed point nor its derivative.

    >>> from scipy.special import softmax
    >>> T = mirror_descent(lambda x, a: a @ x, lambda y, _: softmax(y), lambda x: 1.0 + np.log(x))
    >>> T(np.array([0.5, 0.5]), (np.array([0.0, np.log(3.0)]), None))
    array([0.75, 0.25])
    """

    def iterate(x: Any, hyperparams: Any) -> Any:
        hyperparams_f, hyperparams_proj = hyperparams
        return projection(mirror(x) - step * grad(f)(x, hyperparams_f), hyperparams_proj)

    return iterate


def newton(F: Callable[..., Any], step: Any = 1.0) -> Callable[..., Any]:
    """T(x, *arguments) = x - step (∂₁F)⁻¹ F: what a step of Newton's method makes of x.

    Args:
        F: `F(x, *arguments)`, of the shape of x, a number or a vector; `stationary(f)` for a minimum.
        step: a positive number: it changes neither the fixed point nor its derivative.

    Raises:
        LinAlgError: at the call: the derivative is singular.

    >>> newton(lambda x, a: x * x - a)(1.0, 2.0)
    1.5
    """

    def iterate(x: Any, *arguments: Any) -> Any:
        value, slope = F(x, *arguments), jacfwd(F)(x, *arguments)
        return x - step * (value / slope if np.ndim(x) == 0 else np.linalg.solve(slope, value))

    return iterate


def block_coordinate(f: Callable[..., Any], block_prox: Callable[..., Any], step: Any = 1.0) -> Callable[..., Any]:
    """T(x, (hyperparams_f, hyperparams_prox)): a proximal gradient step in each block, which are the rows of x.

    Args:
        f: `f(x, hyperparams_f)`, a number; x is an array of two axes or more.
        block_prox: `block_prox(row, hyperparams_prox, scaling)`, as those of `adcore.proximal`.
        step: a positive number, or an array of one for each block: it changes neither the fixed point nor its
            derivative.

    >>> from adcore.proximal import prox_group_lasso
    >>> T = block_coordinate(lambda x, a: 0.5 * np.sum((x - a) ** 2), prox_group_lasso)
    >>> T(np.zeros((2, 2)), (np.array([[3.0, 4.0], [0.5, 0.0]]), 2.5))
    array([[1.5, 2. ],
           [0. , 0. ]])
    """

    def iterate(x: Any, hyperparams: Any) -> Any:
        hyperparams_f, hyperparams_prox = hyperparams
        slope = grad(f)(x, hyperparams_f)
        steps = step * np.ones(len(x))

        def block(row: Any, slope: Any, step: Any) -> Any:
            return block_prox(row - step * slope, hyperparams_prox, step)

        return vmap(block)(x, slope, steps)

    return iterate


def conic_residual(projection: Callable[..., Any]) -> Callable[..., Any]:
    """F(z, c, A, b): the residual of the cone program min cᵀ x for A x + s = b, s in a cone K.

    Of a vector z = (x, v) it is (Aᵀ y + c, b - A x - s) with y = projection(v) and s = y - v: where it is 0, x and y
    are the primal and dual solutions.  It is the residual ((Q - 1) Π + 1) z of the homogeneous embedding at scale 1,
    without the last row, which follows (Busseti, Moursi and Boyd 2019; Agrawal et al., arXiv:1904.09043).

    Args:
        projection: onto the dual cone of K; the nonnegative and second-order cones are their own duals.

    >>> from adcore.projections import projection_non_negative
    >>> F = conic_residual(projection_non_negative)  # the smallest x with x ≥ 2
    >>> F(np.array([2.0, 1.0]), np.array([1.0]), np.array([[-1.0]]), np.array([-2.0]))
    array([0., 0.])
    """

    def condition(z: Any, c: Any, A: Any, b: Any) -> Any:
        x, v = z[: len(c)], z[len(c) :]
        y = projection(v)
        return np.concatenate((A.T @ y + c, b - A @ x + v - y))

    return condition

"""Linear programs by SciPy's HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np

from .hosting import host_call

__all__ = ["by_highs", "require_method"]

METHODS = ("scipy", "scipy:highs", "scipy:highs-ds", "scipy:highs-ipm")


def require_method(method: Any, kappa: Any) -> None:
    """Refuse a method that there is not, or that finds no point of a central path.

    Raises:
        ValueError: it is such a one.
    """
    if method not in METHODS:
        raise ValueError('linear_program: method is "interior_point", "scipy", "scipy:highs-ds" or "scipy:highs-ipm"')
    if kappa != 0.0:
        raise ValueError(
            'linear_program: a point of the central path, of a kappa that is not 0, is by "interior_point"'
        )


def by_highs(c: Any, A: Any, b: Any, G: Any, h: Any, method: Any) -> Any:
    """The solution and the multipliers of a linear program, as of `adcore.layers.linear_program`, without derivatives.

    >>> one = np.ones((1, 2)), np.ones(1)
    >>> by_highs(np.array([1.0, 2.0]), *one, -np.eye(2), np.zeros(2), "scipy")
    (array([1., 0.]), array([-1.]), array([0., 1.]))
    """
    none = np.zeros(0)
    like = (c, none if A is None else b, none if G is None else h)
    x, nu, lam = host_call(_highs, like, c, A, b, G, h, method)
    return x, None if A is None else nu, None if G is None else lam


def _highs(c: Any, A: Any, b: Any, G: Any, h: Any, method: str) -> Any:
    from scipy import optimize

    name = method.partition(":")[2] or "highs"
    found = optimize.linprog(c, G, h, A, b, (None, None), name)
    if not found.success:
        raise ValueError(f"no minimum found: {found.message}")
    return found.x + 0.0, -found.eqlin.marginals, -found.ineqlin.marginals

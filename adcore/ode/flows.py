"""Densities of continuous normalizing flows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jacfwd
from .calls import odeint

__all__ = ["log_density"]


def log_density(f: Any, x: Any, t0: Any, t1: Any, base: Any, *args: Any, **options: Any) -> Any:
    """The logarithm of the density, at x, of what a flow makes of random numbers.

    z is drawn from a base density at t0 and moves by dz/dt = f(z, t, *args) up to t1.  Along its way the logarithm of
    its density changes by -tr ∂f/∂z, which is integrated beside it; the trace is exact, by n derivatives of f.

    Args:
        f: the field, a function of a vector (n,), a time and the further arguments.
        x: where the density is asked for, (n,).
        t0, t1: the times.
        base: the logarithm of the base density, a function of a vector (n,).
        *args: further arguments of `f`.
        **options: those of `odeint`.

    Returns:
        A number.  The derivative by x, the times and the further arguments is that of `odeint`, by its `adjoint`.

    It is a function of the language, to be called in one that is compiled: inside `jit`, `grad`, `vmap`.

    Source: Chen, Rubanova, Bettencourt and Duvenaud, Neural Ordinary Differential Equations (2018), section 4.

    >>> import math
    >>> from adcore import jit
    >>> def normal(z):
    ...     return -0.5 * np.sum(z * z) - 0.5 * len(z) * math.log(2.0 * math.pi)
    >>> growth = jit(lambda x, a: log_density(lambda z, t, a: a * z, x, 0.0, 1.0, normal, a))
    >>> x, a = np.array([0.5, -1.0]), 0.3
    >>> exact = normal(math.exp(-a) * x) - 2.0 * a
    >>> math.isclose(growth(x, a), exact, rel_tol=1e-7)
    True
    """

    def extended(state: Any, t: Any, *args: Any) -> Any:
        z, _ = state
        return f(z, t, *args), np.trace(jacfwd(lambda z: f(z, t, *args))(z))

    zs, change = odeint(extended, (x, 0.0), np.array([t1, t0]), *args, **options)
    return base(zs[1]) + change[1]

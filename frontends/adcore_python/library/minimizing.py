"""The functions of `scipy.optimize` that look for minima: by adcore's methods, differentiated by the condition.

Where SciPy's method stops at a tolerance, these go on to rounding.  What says how a method of SciPy's goes about it
(tolerances, numbers of steps, derivatives) is taken, and changes nothing; a method that has not converged raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore.api import grad
from adcore.implicit import problems

from .registry import defines, refuse
from .root_finding import arguments, doubled

__all__ = ["Bounds", "Minimum", "ScalarMinimum"]

OF_MANY = ("L-BFGS-B", "CG", "TNC")  # methods that keep no matrix
GOLDEN = 0.5 * (5.0**0.5 - 1.0)


@dataclass
class Minimum:
    """What `minimize` gives."""

    x: Any
    fun: Any
    jac: Any
    success: bool = True
    status: int = 0
    message: str = "Optimization terminated successfully."


@dataclass
class ScalarMinimum:
    """What `minimize_scalar` gives."""

    x: Any
    fun: Any
    success: bool = True
    status: int = 0
    message: str = "Optimization terminated successfully."


@dataclass
class Bounds:
    """Numbers, or arrays, between which unknowns lie."""

    lb: Any
    ub: Any


@defines("scipy.optimize.Bounds")
def bounds_of(lb=-np.inf, ub=np.inf, keep_feasible=False):
    return Bounds(lb, ub)


def limits(bounds, like):
    """The lower and the upper bounds as arrays, of pairs or of what `Bounds` makes."""
    if not isinstance(bounds, list | tuple | np.ndarray):
        return np.broadcast_to(bounds.lb, like.shape), np.broadcast_to(bounds.ub, like.shape)
    lower = np.array([-np.inf if low is None else 1.0 * low for low, _ in bounds])
    upper = np.array([np.inf if high is None else 1.0 * high for _, high in bounds])
    if lower.shape != like.shape:
        raise ValueError("The number of bounds is not compatible with the length of `x0`.")
    return lower, upper


@defines("scipy.optimize.minimize")
def minimize(
    fun,
    x0,
    args=(),
    method=None,
    jac=None,
    hess=None,
    hessp=None,
    bounds=None,
    constraints=(),
    tol=None,
    callback=None,
    options=None,
):
    if not isinstance(constraints, tuple | list) or len(constraints) > 0:
        refuse(
            "minimize with constraints=",
            "adcore.layers.quadratic_program, or adcore.custom_root with adcore.conditions.kkt",
        )
    if callback is not None:
        refuse("minimize with callback=", "minimize without it")
    given = arguments(args)
    with_slope = isinstance(jac, bool) and jac

    def value(x):
        found = fun(x, *given)[0] if with_slope else fun(x, *given)
        return np.reshape(doubled(np.asarray(found)), ())

    start = np.atleast_1d(doubled(np.asarray(x0)))
    if bounds is not None:
        lower, upper = limits(bounds, start)
        x = problems.minimize(value, np.clip(start, lower, upper), prox=lambda v, _: np.clip(v, lower, upper))
    elif method in OF_MANY:
        x = problems.minimize(value, start, method="lbfgs")
    else:
        x = problems.minimize(value, start)
    return Minimum(x, value(x), grad(value)(x))


@defines("scipy.optimize.minimize_scalar")
def minimize_scalar(fun, bracket=None, bounds=None, args=(), method=None, tol=None, options=None):
    given = arguments(args)

    def value(x):
        return doubled(fun(doubled(x), *given))

    if bounds is not None:
        low, high = doubled(bounds[0]), doubled(bounds[1])
        middle = low + (1.0 - GOLDEN) * (high - low)
        x = problems.minimize(value, middle, prox=lambda v, _: min(max(v, low), high))
    elif method == "bounded":
        raise ValueError("The `bounds` parameter is mandatory for method `bounded`.")
    else:
        ends = (0.0, 1.0) if bracket is None else bracket
        x = problems.minimize(value, _downhill(value, doubled(ends[0]), doubled(ends[1])))
    return ScalarMinimum(x, value(x))


def _downhill(f, a, b):
    """A place near a minimum: downhill from two numbers until it goes up, and by the golden section in between."""
    fa, fb = f(a), f(b)
    if fa < fb:
        a, b = b, a
        fa, fb = fb, fa
    c = b + (b - a) / GOLDEN
    fc = f(c)
    step = 0
    while fc < fb and step < 1000:
        a, b, c = b, c, c + (c - b) / GOLDEN
        fb, fc = fc, f(c)
        step += 1
    if not fc >= fb:
        raise RuntimeError("no bracket of a minimum was found: the function falls without end, or is NaN")
    first, last = a, c
    left, right = last - GOLDEN * (last - first), first + GOLDEN * (last - first)
    at_left, at_right = f(left), f(right)
    for _ in range(30):
        if at_left < at_right:
            last, right, at_right = right, left, at_left
            left = last - GOLDEN * (last - first)
            at_left = f(left)
        else:
            first, left, at_left = left, right, at_right
            right = first + GOLDEN * (last - first)
            at_right = f(right)
    return 0.5 * (first + last)

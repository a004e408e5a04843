"""The functions of `scipy.optimize` for sums of squares: by adcore's methods, differentiated by the condition.

What says how a method of SciPy's goes about it (tolerances, numbers of steps, derivatives) is taken, and changes
nothing; a method that has not converged raises.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.api import jacfwd
from adcore.errors import UnsupportedFunctionError
from adcore.implicit import problems

from ..operators import describe
from ..values import LocalFunction, Static, Value, number
from .registry import defines, lowers, refuse
from .root_finding import arguments, doubled

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["LeastSquares"]


@dataclass
class LeastSquares:
    """What `least_squares` gives."""

    x: Any
    cost: Any
    fun: Any
    jac: Any
    success: bool = True
    status: int = 1
    message: str = "`gtol` termination condition is satisfied."


def _losses(loss, z):
    """A loss of the squares of residuals, as SciPy's: z, 2 (√(1 + z) - 1), …"""
    if loss == "soft_l1":
        return 2.0 * (np.sqrt(1.0 + z) - 1.0)
    if loss == "huber":
        return np.where(z <= 1.0, z, 2.0 * np.sqrt(np.maximum(z, 1.0)) - 1.0)
    if loss == "cauchy":
        return np.log1p(z)
    if loss == "arctan":
        return np.arctan(z)
    if loss != "linear":
        raise ValueError("`loss` must be one of 'linear', 'huber', 'soft_l1', 'cauchy', 'arctan' or a callable.")
    return z


def _least(residuals, start, bounds, loss, f_scale):
    """Where the sum of losses is least."""
    low, high = bounds if isinstance(bounds, tuple | list) else (bounds.lb, bounds.ub)
    free = isinstance(low, float) and isinstance(high, float) and low == -np.inf and high == np.inf
    if loss == "linear" and free:
        return problems.least_squares(residuals, start)

    def cost(x):
        return 0.5 * f_scale**2 * np.sum(_losses(loss, (residuals(x) / f_scale) ** 2))

    if free:
        return problems.minimize(cost, start)
    lower, upper = (np.broadcast_to(np.asarray(each), start.shape) for each in (low, high))
    return problems.minimize(cost, np.clip(start, lower, upper), prox=lambda v, _: np.clip(v, lower, upper))


@defines("scipy.optimize.least_squares")
def least_squares(
    fun,
    x0,
    jac="2-point",
    bounds=(-np.inf, np.inf),
    method="trf",
    ftol=1e-8,
    xtol=1e-8,
    gtol=1e-8,
    x_scale=None,
    loss="linear",
    f_scale=1.0,
    diff_step=None,
    tr_solver=None,
    tr_options=None,
    jac_sparsity=None,
    max_nfev=None,
    verbose=0,
    args=(),
    kwargs=None,
    callback=None,
    workers=None,
):
    if callback is not None:
        refuse("least_squares with callback=", "least_squares without it")
    if not isinstance(loss, str):
        refuse("least_squares with a function as loss=", "loss='soft_l1', or adcore.minimize of the sum of losses")
    given, named = arguments(args), {} if kwargs is None else kwargs

    def residuals(x):
        return np.atleast_1d(doubled(np.asarray(fun(x, *given, **named))))

    x = _least(residuals, np.atleast_1d(doubled(np.asarray(x0))), bounds, loss, f_scale)
    rest = residuals(x)
    cost = 0.5 * f_scale**2 * np.sum(_losses(loss, (rest / f_scale) ** 2))
    return LeastSquares(x, cost, rest, jacfwd(residuals)(x))


@defines("scipy.optimize.leastsq")
def leastsq(
    func,
    x0,
    args=(),
    Dfun=None,
    full_output=False,
    col_deriv=False,
    ftol=1.49e-8,
    xtol=1.49e-8,
    gtol=0.0,
    maxfev=0,
    epsfcn=None,
    factor=100,
    diag=None,
):
    if full_output:
        refuse("leastsq with full_output=", "least_squares")
    given = arguments(args)
    start = np.atleast_1d(doubled(np.asarray(x0)))
    x = problems.least_squares(lambda x: doubled(np.asarray(func(x, *given))), start)
    return x, 1


def count_of_parameters(f):
    """How many parameters a function has after the first one; a constant in compiled code.

    Raises:
        ValueError: it takes any number of them.
    """
    kinds = [p.kind for p in inspect.signature(f).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        raise ValueError("Unable to determine number of fit parameters.")
    return sum(k in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for k in kinds) - 1


@lowers(f"{__name__}.count_of_parameters")
def _count_of_parameters(low: Lowering, f: Value) -> Value:
    if isinstance(f, LocalFunction):
        places = f.node.args
        if not places.vararg:
            return number(len(places.posonlyargs) + len(places.args) - 1)
    elif isinstance(f, Static) and callable(f.value):
        with low.foreign("this function's signature"):
            return number(count_of_parameters(f.value))
    write = "p0= as a tuple, which says how many parameters there are"
    return low.refuse(UnsupportedFunctionError, f"curve_fit of {describe(f)} without such a p0", write)


def _first_guess(count, bounds):
    """Ones, or numbers inside of bounds, as SciPy has them."""
    low, high = bounds if isinstance(bounds, tuple | list) else (bounds.lb, bounds.ub)
    low, high = np.broadcast_to(np.asarray(low), count), np.broadcast_to(np.asarray(high), count)
    guess = np.ones(count)
    for k in range(count):
        if np.isfinite(low[k]):
            guess[k] = 0.5 * (low[k] + high[k]) if np.isfinite(high[k]) else low[k] + 1.0
        elif np.isfinite(high[k]):
            guess[k] = high[k] - 1.0
    return guess


@defines("scipy.optimize.curve_fit")
def curve_fit(
    f,
    xdata,
    ydata,
    p0=None,
    sigma=None,
    absolute_sigma=False,
    check_finite=None,
    bounds=(-np.inf, np.inf),
    method=None,
    jac=None,
    *,
    full_output=False,
    nan_policy=None,
    maxfev=None,
    ftol=None,
    xtol=None,
    gtol=None,
):
    if full_output or nan_policy is not None:
        refuse("curve_fit with full_output= or nan_policy=", "curve_fit without them")
    count = len(p0) if isinstance(p0, tuple | list) else count_of_parameters(f)
    y = doubled(np.asarray(ydata))
    start = _first_guess(count, bounds) if p0 is None else doubled(np.asarray(p0))
    if start.size != count:
        raise ValueError(f"p0 has {start.size} numbers, and the function {count} parameters")

    def residuals(p):
        rest = np.asarray(f(xdata, *[p[k] for k in range(count)])) - y
        if sigma is None:
            return rest
        s = np.asarray(sigma)
        return np.linalg.solve(np.linalg.cholesky(s), rest) if s.ndim == 2 else rest / s

    popt = _least(residuals, start, bounds, "linear", 1.0)
    slopes = jacfwd(residuals)(popt)
    pcov = np.linalg.inv(slopes.T @ slopes)
    if absolute_sigma:
        return popt, pcov
    rest = residuals(popt)
    return popt, pcov * (np.sum(rest**2) / (rest.size - count))

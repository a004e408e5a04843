"""The functions of `scipy.optimize` that solve equations: by adcore's methods, differentiated by the equation.

Where SciPy's method stops at a tolerance, these go on to rounding.  What says how a method of SciPy's goes about it
(tolerances, numbers of steps, derivatives) is taken, and changes nothing; a method that has not converged raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore.implicit import problems

from .registry import defines, refuse

__all__ = ["RootResults", "Solution"]

CONVERGED = "The solution converged."


@dataclass
class RootResults:
    """What `root_scalar` gives."""

    root: Any
    converged: bool = True
    flag: str = "converged"


@dataclass
class Solution:
    """What `root` gives."""

    x: Any
    fun: Any
    success: bool = True
    status: int = 1
    message: str = CONVERGED


def arguments(args):
    return args if isinstance(args, tuple) else (args,)


def _between(f, a, b, args, full_output):
    given = arguments(args)
    x = problems.root(lambda x: float(f(x, *given)), (float(a), float(b)), method="brent")
    return (x, RootResults(x)) if full_output else x


@defines("scipy.optimize.brentq", "scipy.optimize.brenth", "scipy.optimize.ridder", "scipy.optimize.bisect")
def between(f, a, b, args=(), xtol=2e-12, rtol=8.9e-16, maxiter=100, full_output=False, disp=True):
    return _between(f, a, b, args, full_output)


@defines("scipy.optimize.toms748")
def toms748(f, a, b, args=(), k=1, xtol=2e-12, rtol=8.9e-16, maxiter=100, full_output=False, disp=True):
    return _between(f, a, b, args, full_output)


def doubled(x):
    """Numbers in double precision, in which SciPy's methods compute."""
    return x * np.float64(1.0)


def _near(f, x0, args):
    given = arguments(args)
    start = doubled(np.asarray(x0))
    if start.ndim == 0:
        return problems.root(lambda x: doubled(f(x, *given)), doubled(x0))
    return problems.root(lambda x: np.reshape(doubled(np.asarray(f(x, *given))), x.shape), start)


@defines("scipy.optimize.newton")
def newton(
    func,
    x0,
    fprime=None,
    args=(),
    tol=1.48e-8,
    maxiter=50,
    fprime2=None,
    x1=None,
    rtol=0.0,
    full_output=False,
    disp=True,
):
    x = _near(func, x0, args)
    return (x, RootResults(x)) if full_output else x


@defines("scipy.optimize.root_scalar")
def root_scalar(
    f,
    args=(),
    method=None,
    bracket=None,
    fprime=None,
    fprime2=None,
    x0=None,
    x1=None,
    xtol=None,
    rtol=None,
    maxiter=None,
    options=None,
):
    given = arguments(args)
    with_slope = isinstance(fprime, bool) and fprime

    def value(x):
        return f(x, *given)[0] if with_slope else f(x, *given)

    if bracket is not None:
        return RootResults(_between(value, bracket[0], bracket[1], (), False))
    if x0 is None:
        raise ValueError("Unable to select a solver as neither bracket nor starting point provided.")
    return RootResults(_near(value, x0, ()))


def _system(fun, x0, args, with_slope):
    """The residuals of a system by a vector, and where it begins."""
    given = arguments(args)

    def residuals(x):
        return doubled(np.asarray(fun(x, *given)[0] if with_slope else fun(x, *given)))

    def system(x):
        r = residuals(x)
        if r.size != x.size:
            raise ValueError(f"as many equations as unknowns are needed: {r.size} and {x.size}")
        return np.reshape(r, x.shape)

    return residuals, system, np.atleast_1d(doubled(np.asarray(x0)))


@defines("scipy.optimize.fsolve")
def fsolve(
    func,
    x0,
    args=(),
    fprime=None,
    full_output=0,
    col_deriv=0,
    xtol=1.49e-8,
    maxfev=0,
    band=None,
    epsfcn=None,
    factor=100,
    diag=None,
):
    residuals, system, start = _system(func, x0, args, False)
    x = problems.root(system, start)
    return (x, {"fvec": residuals(x)}, 1, CONVERGED) if full_output else x


@defines("scipy.optimize.root")
def root(fun, x0, args=(), method="hybr", jac=None, tol=None, callback=None, options=None):
    if callback is not None:
        refuse("root with callback=", "root without it")
    residuals, system, start = _system(fun, x0, args, isinstance(jac, bool) and jac)
    x = problems.root(system, start)
    return Solution(x, residuals(x))


@defines("scipy.optimize.fixed_point")
def fixed_point(func, x0, args=(), xtol=1e-8, maxiter=500, method="del2"):
    return _near(lambda x, *given: func(x, *given) - x, x0, args)

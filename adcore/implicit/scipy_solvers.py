"""SciPy's solvers, called as they stand, with the derivative of the condition that their solution fulfils.

The function is compiled by itself, with its derivative, which SciPy is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..api import jacfwd, jit, value_and_grad
from ..dispatch import Transformed
from ..errors import UnsupportedFunctionError
from ..hosting import host_call
from ..signatures import definition, name_of
from ..vectors import as_tree, vector_of

__all__ = ["by_scipy"]

Solve = Callable[..., Any]
CLOSE = 1e-6


def by_scipy(kind: str, function: Callable[..., Any], method: str, tol: float | None, maxiter: int | None) -> Solve:
    """A solver `solver(init, *args)` of SciPy's for a function.

    Args:
        kind: "root", "minimize" or "least_squares", a function of `scipy.optimize`.
        function: F, f or the residuals.
        method: SciPy's; the usual one if it is empty.
        tol, maxiter: SciPy's `tol` (`xtol`, `ftol` and `gtol` of `least_squares`) and `maxiter` (`max_nfev`).

    Raises:
        UnsupportedFunctionError: the function is defined inside of a compiled one.
        RuntimeError: at the call: SciPy says that it has failed.
    """
    if hasattr(type(function), "__adcore_lower__") and not isinstance(function, Transformed):
        cause = f"{name_of(function)} is defined inside of a compiled function, which SciPy cannot call"
        raise UnsupportedFunctionError(cause, definition(function), "a function from outside, or a method of adcore's")
    run = _RUN[kind](cast("Solve", function), method, tol, maxiter)

    def solver(init, *args):
        return host_call(run, init, init, *args)

    return solver


def _vectorized(function: Callable[..., Any]) -> Callable[..., Any]:
    def value(v, like, *args):
        return vector_of(function(as_tree(v, like), *args))

    return value


def _root(function: Callable[..., Any], method: str, tol: float | None, maxiter: int | None) -> Solve:
    residual = _vectorized(function)
    value, slope = jit(residual), jacfwd(residual)

    def run(init: Any, *args: Any) -> Any:
        from scipy import optimize

        gradient = {} if method in WITHOUT_JACOBIAN else {"jac": slope}
        options = {} if maxiter is None else {"maxfev" if method in ("", "hybr") else "maxiter": maxiter}
        found = optimize.root(
            value, vector_of(init), (init, *args), method or "hybr", tol=tol, options=options, **gradient
        )
        r = value(found.x, init, *args)
        step, _, rank, _ = np.linalg.lstsq(slope(found.x, init, *args), r)
        left = step if rank == len(r) else r
        return _checked("root", found, init, np.max(np.abs(left)) / (1.0 + np.max(np.abs(found.x))))

    return run


def _minimize(function: Callable[..., Any], method: str, tol: float | None, maxiter: int | None) -> Solve:
    def objective(v, like, *args):
        return function(as_tree(v, like), *args)

    both = value_and_grad(objective)

    def run(init: Any, *args: Any) -> Any:
        from scipy import optimize

        options = {} if maxiter is None else {"maxiter": maxiter}
        found = optimize.minimize(
            both, vector_of(init), (init, *args), method or None, jac=True, tol=tol, options=options
        )
        y, slope = both(found.x, init, *args)
        return _checked("minimize", found, init, np.max(np.abs(slope)) / (1.0 + abs(y)))

    return run


def _least_squares(function: Callable[..., Any], method: str, tol: float | None, maxiter: int | None) -> Solve:
    residual = _vectorized(function)
    value, slope = jit(residual), jacfwd(residual)

    def run(init: Any, *args: Any) -> Any:
        from scipy import optimize

        limit = 1e-15 if tol is None else tol
        found = optimize.least_squares(
            value,
            vector_of(init),
            slope,
            method=method or "trf",
            xtol=limit,
            ftol=limit,
            gtol=limit,
            max_nfev=maxiter,
            args=(init, *args),
        )
        return _checked("least_squares", found, init, np.inf)

    return run


WITHOUT_JACOBIAN = (
    "broyden1",
    "broyden2",
    "anderson",
    "linearmixing",
    "diagbroyden",
    "excitingmixing",
    "krylov",
    "df-sane",
)
_RUN = {"root": _root, "minimize": _minimize, "least_squares": _least_squares}


def _checked(kind: str, found: Any, init: Any, rest: float) -> Any:
    """The solution; a solver that only says that rounding has stopped it has succeeded if so little is left.

    Args:
        kind: the function of SciPy's.
        found: its result.
        init: what the solution is like.
        rest: what is left to go, by the size of the solution.
    """
    if not found.success and not rest <= CLOSE:
        raise RuntimeError(f"scipy.optimize.{kind} has failed: {found.message}")
    return as_tree(np.asarray(found.x, float), init)

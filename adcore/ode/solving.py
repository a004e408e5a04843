"""Initial value problems solved for states that are trees, and their derivatives: functions of the language."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jacfwd
from ..closures import closed_over
from ..custom import custom_rule, stop_gradient
from ..vectors import as_rows, as_tree, reals_of, with_reals
from . import adjoints, scipy_methods
from .methods import by_method
from .vectors import derivative_of, in_floats, state_of

__all__ = ["require_options", "require_order", "require_tolerances", "solved", "states_by"]


def solved(
    f: Any, y0: Any, ts: Any, rtol: Any, atol: Any, args: Any, adjoint: Any, method: Any, steps: Any, mxstep: Any
) -> Any:
    """What `odeint` computes, with its arguments."""
    if method in scipy_methods.METHODS:
        if adjoint != "continuous":
            raise ValueError('odeint: the steps of SciPy have no derivative: adjoint is "continuous"')
    else:
        require_options(adjoint, method)
    if mxstep != 0 and method not in ("dopri5", "radau"):
        raise ValueError('odeint: mxstep goes with the methods "dopri5" and "radau"')
    if mxstep < 0:
        raise ValueError("odeint: mxstep is negative")
    times = np.asarray(ts).astype(np.float64)
    require_order(times)
    require_tolerances(rtol, atol)
    begin = in_floats(y0)
    like = stop_gradient(begin)
    limit = steps if method == "rk4" else mxstep
    return as_rows(states_by(f, like, state_of(begin), times, args, rtol, atol, adjoint, method, limit), like)


def states_by(
    f: Any, like: Any, y0: Any, ts: Any, args: Any, rtol: Any, atol: Any, adjoint: Any, method: Any, steps: Any
) -> Any:
    """The states as vectors, beginning with one, where `f` is given states like `like`."""
    if adjoint == "discrete":

        def rhs(y: Any, t: Any) -> Any:
            return derivative_of(f(as_tree(y, like), t, *args), like, y)

        return by_method(rhs, y0, ts, rtol, atol, method, steps)
    g, values = closed_over(f, as_tree(y0, like), ts[0], *args)
    others = stop_gradient((values, args))

    def slope(y: Any, t: Any, p: Any) -> Any:
        values, args = with_reals(p, others)
        return derivative_of(g(values, as_tree(y, like), t, *args), like, y)

    own = adjoints.states if adjoint == "continuous" else by_sensitivities
    return own(slope, y0, ts, reals_of((values, args)), rtol, atol, method, steps)


def require_options(adjoint: Any, method: Any) -> None:
    """Refuse options that are not known.

    Raises:
        ValueError: they are not.
    """
    if adjoint not in ("continuous", "discrete", "forward"):
        raise ValueError('odeint: adjoint is "continuous", "discrete" or "forward"')
    if method not in ("dopri5", "radau", "rk4"):
        raise ValueError('odeint: method is "dopri5", "radau" or "rk4", and of odeint "scipy:RK45", "scipy:LSODA", …')


def require_tolerances(rtol: Any, atol: Any) -> None:
    """Refuse tolerances that are negative or NaN, or allow no error at all.

    Raises:
        ValueError: they are.
    """
    if not (np.all(rtol >= 0.0) and np.all(atol >= 0.0) and np.all(rtol + atol > 0.0)):
        raise ValueError("odeint: rtol and atol are not positive")


def require_order(ts: Any) -> None:
    """Refuse times that are neither increasing nor decreasing, or not finite.

    Raises:
        ValueError: they are not.
    """
    if ts.ndim != 1 or len(ts) == 0:
        raise ValueError("odeint: ts is not a vector of one time or more")
    if not np.all(np.isfinite(ts)):
        raise ValueError("odeint: ts has a time that is not finite")
    gaps = ts[1:] - ts[:-1]
    if not (np.all(gaps > 0.0) or np.all(gaps < 0.0)):
        raise ValueError("odeint: ts is neither strictly increasing nor strictly decreasing")


def by_sensitivities(slope: Any, y0: Any, ts: Any, p: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The states, with derivatives that are integrated beside them, by all that they depend on."""

    @custom_rule
    def states(y0: Any, ts: Any, p: Any) -> Any:
        def along(y0: Any, ts: Any, p: Any) -> Any:
            ys = by_method(lambda y, t: slope(y, t, p), y0, ts, rtol, atol, method, steps)
            return ys, ys

        (by_y0, by_ts, by_p), ys = jacfwd(along, argnums=(0, 1, 2), has_aux=True)(y0, ts, p)

        def pushforward(dy0: Any, dts: Any, dp: Any) -> Any:
            return by_y0 @ dy0 + by_ts @ dts + by_p @ dp

        return ys, pushforward

    return states(y0, ts, p)

"""Initial value problems by SciPy's names, solved by `adcore.odeint`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore import stop_gradient
from adcore.ode import odeint
from adcore.ode.calls import ATOL, RTOL
from adcore.ode.events import refined
from adcore.ode.steps import times_of_steps
from adcore.ode.watching import watched

from .registry import defines, refuse
from .root_finding import doubled

__all__ = ["Trajectory", "scipy_odeint", "solve_ivp"]

METHODS = {
    "RK45": ("dopri5", "continuous"),
    "RK23": ("scipy:RK23", "continuous"),
    "DOP853": ("scipy:DOP853", "continuous"),
    "Radau": ("radau", "discrete"),  # an equation that is stiff has no adjoint one that is stable back in time
    "BDF": ("radau", "discrete"),
    "LSODA": ("scipy:LSODA", "continuous"),
}


@dataclass
class Trajectory:
    """What `solve_ivp` gives.

    Attributes:
        t: the times, (m,).
        y: the states at the times, (n, m).
        t_events, y_events: times and states of events; None where none were asked for.
        status: 0 at the end of the span.
        message: the same in words.
        success: whether all times were reached; a solver that fails raises.
    """

    t: Any
    y: Any
    t_events: Any
    y_events: Any
    status: Any
    message: Any
    success: Any


@defines("scipy.integrate.solve_ivp")
def solve_ivp(
    fun,
    t_span,
    y0,
    method="RK45",
    t_eval=None,
    dense_output=False,
    events=None,
    vectorized=False,
    args=None,
    *,
    rtol=None,
    atol=None,
    first_step=None,
    min_step=0.0,
    max_step=np.inf,
    jac=None,
    jac_sparsity=None,
    lband=None,
    uband=None,
):
    """`adcore.odeint` at the times asked for; what says how to find a Jacobian is not needed."""
    if method not in ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"):
        raise ValueError("`method` must be one of RK23, RK45, DOP853, Radau, BDF, LSODA")
    if dense_output:
        refuse("scipy.integrate.solve_ivp with dense_output=True", "t_eval= with the times that are needed")
    solver, adjoint = METHODS[method]
    if t_eval is None and solver not in ("dopri5", "radau"):
        refuse(f"scipy.integrate.solve_ivp by {method} without t_eval", "t_eval=np.array([t0, t1]), or method RK45")
    if events is not None and solver not in ("dopri5", "radau"):
        refuse(f"scipy.integrate.solve_ivp by {method} with events=", "method RK45, Radau or BDF")
    if first_step is not None or max_step != np.inf or min_step != 0.0:
        refuse("scipy.integrate.solve_ivp with first_step=, min_step= or max_step=", "rtol= and atol=")
    begin, t0, t1 = doubled(np.asarray(y0)), float(t_span[0]), float(t_span[1])
    if begin.ndim != 1:
        raise ValueError("`y0` must be 1-dimensional.")
    given = () if args is None else tuple(args)

    def slope(y, t):
        return _vector(fun(t, y[:, np.newaxis], *given) if vectorized else fun(t, y, *given))

    relative, absolute = RTOL if rtol is None else rtol, ATOL if atol is None else atol
    options = {"rtol": relative, "atol": absolute, "method": solver, "adjoint": adjoint}
    end, t_events, y_events, status = t1, None, None, 0
    message = "The solver successfully reached the end of the integration interval."
    if events is not None:
        listed = tuple(events) if isinstance(events, list | tuple) else (events,)
        end, t_events, y_events, status = _watched(slope, listed, given, begin, t0, t1, options)
        message = "A termination event occurred, or the end of the integration interval is reached."
    if t_eval is None:
        wanted = 1e-3 if rtol is None else rtol, 1e-6 if atol is None else atol
        times, ys = _steps(slope, begin, t0, t1, end, *wanted, options)
    else:
        times = doubled(np.asarray(t_eval))
        if times.ndim != 1:
            raise ValueError("`t_eval` must be 1-dimensional.")
        if np.any(times < min(t0, t1)) or np.any(times > max(t0, t1)):
            raise ValueError("Values in `t_eval` are not within `t_span`.")
        if events is not None:
            times = times[np.abs(times - t0) <= abs(end - t0)]
        ys = _states(slope, begin, t0, times, **options)
    return Trajectory(times, ys.T, t_events, y_events, status, message, True)


def _steps(slope, y0, t0, t1, end, rtol, atol, options):
    """The times at which the steps of SciPy's solver end with these tolerances, and the states there."""
    if t0 == end:
        return np.array([t0, end]), np.stack((y0, y0))
    within = times_of_steps(slope, y0, t0, t1, rtol, atol, options["method"])
    before = within[np.abs(within - t0) < abs(stop_gradient(end) - t0)]
    times = np.concatenate((np.array([t0]), before, np.array([end])))
    return times, odeint(slope, y0, times, **options)


def _watched(slope, events, given, y0, t0, t1, options):
    """Where the solution ends, the times and the states of events, and whether one of them has ended it."""
    heights = [_height(event, given) for event in events]
    directions = [getattr(event, "direction", 0.0) for event in events]
    limits = [int(getattr(event, "terminal", None) or 0) for event in events]
    rtol, atol, method = options["rtol"], options["atol"], options["method"]
    near, is_over = watched(slope, heights, directions, limits, y0, t0, t1, rtol, atol, method)
    end = t1
    t_events, y_events = [], []
    for k, height in enumerate(heights):
        about = np.array(near[k])
        ys = _states(slope, y0, t0, about, **options)
        times, states = [], []
        for i in range(len(about)):
            time, state = refined(slope, height, ys[i], about[i])
            times.append(time)
            states.append(state)
        t_events.append(np.array(times))
        y_events.append(np.reshape(np.array(states), (len(about), len(y0))))
        if 0 < limits[k] <= len(about):
            end = times[limits[k] - 1]
    return end, t_events, y_events, int(is_over)


def _height(event, given):
    def height(y, t):
        return event(t, y, *given)

    return height


def _vector(found):
    return np.ravel(doubled(np.asarray(found)))


def _states(slope, y0, t0, times, **options):
    """The states at times of which the first may be the one of `y0`, (m, n)."""
    if len(times) > 0 and times[0] == t0:
        return odeint(slope, y0, times, **options)
    return odeint(slope, y0, np.concatenate((np.array([t0]), times)), **options)[1:]


@defines("scipy.integrate.odeint")
def scipy_odeint(
    func,
    y0,
    t,
    args=(),
    Dfun=None,
    col_deriv=0,
    full_output=0,
    ml=None,
    mu=None,
    rtol=None,
    atol=None,
    tcrit=None,
    h0=0.0,
    hmax=0.0,
    hmin=0.0,
    ixpr=0,
    mxstep=0,
    mxhnil=0,
    mxordn=12,
    mxords=5,
    printmessg=0,
    tfirst=False,
):
    """`adcore.odeint`, without what is said of a Jacobian, of the orders and of messages of LSODA."""
    if full_output:
        refuse("scipy.integrate.odeint with full_output=True", "the states without it")
    if tcrit is not None:
        refuse("scipy.integrate.odeint with tcrit=", "one call for each part between two critical times")
    if h0 != 0.0 or hmax != 0.0 or hmin != 0.0:
        refuse("scipy.integrate.odeint with h0=, hmax= or hmin=", "rtol= and atol=")
    if not isinstance(args, tuple):
        raise ValueError("Extra arguments must be in a tuple.")
    begin = np.atleast_1d(doubled(np.asarray(y0)))
    if begin.ndim != 1:
        raise ValueError("Initial condition y0 must be one-dimensional.")

    def slope(y, t):
        return _vector(func(t, y, *args) if tfirst else func(y, t, *args))

    relative, absolute = RTOL if rtol is None else rtol, ATOL if atol is None else atol
    return odeint(slope, begin, doubled(np.asarray(t)), rtol=relative, atol=absolute, mxstep=mxstep)

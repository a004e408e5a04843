"""Initial value problems solved for states that are trees, and their derivatives: functions of the language."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jacfwd, jvp, vjp
from ..custom import custom_jvp, custom_rule, custom_vjp, stop_gradient
from ..vectors import as_rows, as_tree, reals_of, with_reals
from . import dormand_prince, radau, runge_kutta
from .vectors import derivative_of, state_of

__all__ = ["require_options", "require_order", "solved", "states_by"]


def solved(f: Any, y0: Any, ts: Any, rtol: Any, atol: Any, args: Any, adjoint: Any, method: Any, steps: Any) -> Any:
    """What `odeint` computes, with its arguments."""
    require_options(adjoint, method)
    times = np.asarray(ts).astype(np.float64)
    require_order(times)
    like = stop_gradient(y0)
    return as_rows(states_by(f, like, state_of(y0), times, args, rtol, atol, adjoint, method, steps), like)


def states_by(
    f: Any, like: Any, y0: Any, ts: Any, args: Any, rtol: Any, atol: Any, adjoint: Any, method: Any, steps: Any
) -> Any:
    """The states as vectors, beginning with one, where `f` is given states like `like`."""
    if adjoint == "discrete":

        def rhs(y: Any, t: Any) -> Any:
            return derivative_of(f(as_tree(y, like), t, *args), like, y)

        return by_method(rhs, y0, ts, rtol, atol, method, steps)
    others = stop_gradient(args)

    def slope(y: Any, t: Any, p: Any) -> Any:
        return derivative_of(f(as_tree(y, like), t, *with_reals(p, others)), like, y)

    own = by_adjoint if adjoint == "continuous" else by_sensitivities
    return own(slope, y0, ts, reals_of(args), rtol, atol, method, steps)


def require_options(adjoint: Any, method: Any) -> None:
    """Refuse options that are not known.

    Raises:
        ValueError: they are not.
    """
    if adjoint not in ("continuous", "discrete", "forward"):
        raise ValueError('odeint: adjoint is "continuous", "discrete" or "forward"')
    if method not in ("dopri5", "radau", "rk4"):
        raise ValueError('odeint: method is "dopri5", "radau" or "rk4"')


def require_order(ts: Any) -> None:
    """Refuse times that are neither increasing nor decreasing.

    Raises:
        ValueError: they are not.
    """
    if ts.ndim != 1 or len(ts) == 0:
        raise ValueError("odeint: ts is not a vector of one time or more")
    gaps = ts[1:] - ts[:-1]
    if not (np.all(gaps > 0.0) or np.all(gaps < 0.0)):
        raise ValueError("odeint: ts is neither strictly increasing nor strictly decreasing")


def by_method(rhs: Any, y0: Any, ts: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The states, differentiated as they are computed."""
    if method == "rk4":
        return runge_kutta.integrated(rhs, y0, ts, steps)
    if method == "radau":
        return radau.integrated(rhs, y0, ts, rtol, atol)
    return dormand_prince.integrated(rhs, y0, ts, rtol, atol)


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


def by_adjoint(slope: Any, y0: Any, ts: Any, p: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The states, with the adjoint equation solved back in time for the derivative.

    For a function L of the states, a = dL/dy fulfils a' = -aᵀ ∂f/∂y between two times, and is larger by the cotangent
    of a state before its time than after it; dL/dp = ∫ aᵀ ∂f/∂p; by a time after the first, dL/dt = gᵀ f with the
    cotangent g of its state, and by the first one -aᵀ f.  The state is integrated back beside them, from its value at
    each time, so that nothing of the steps is kept.

    Source: Chen, Rubanova, Bettencourt and Duvenaud, Neural Ordinary Differential Equations (2018), appendix B.
    """

    def forward(y0: Any, ts: Any, p: Any) -> Any:
        return by_method(lambda y, t: slope(y, t, p), y0, ts, rtol, atol, method, steps)

    @custom_vjp
    def states(y0: Any, ts: Any, p: Any) -> Any:
        return forward(y0, ts, p)

    def forward_rule(y0: Any, ts: Any, p: Any) -> Any:
        ys = forward(y0, ts, p)
        return ys, (ys, ts, p)

    def swept(ys: Any, ts: Any, p: Any, g: Any) -> Any:
        n = ys.shape[1]
        relative, absolute = np.min(rtol), np.min(atol)

        def back(state: Any, t: Any) -> Any:
            dy, pullback = vjp(lambda y, p: slope(y, t, p), state[:n], p)
            da, dp = pullback(state[n : 2 * n])
            return np.concatenate((dy, -da, -dp))

        last = len(ts) - 1
        by_ts = np.zeros_like(ts)
        state = np.zeros(2 * n + len(p))
        h = 0.0
        for i in range(last, 0, -1):
            by_ts[i] = g[i] @ slope(ys[i], ts[i], p)
            state[:n] = ys[i]
            state[n : 2 * n] += g[i]
            found, h = by_method_back(back, state.copy(), ts[i], ts[i - 1], h, relative, absolute, method, steps)
            state[:] = found
        by_ts[0] = -state[n : 2 * n] @ slope(ys[0], ts[0], p)
        by_y, by_p = np.empty_like(ys[0]), np.empty_like(p)  # of lengths that are known before
        by_y[:] = state[n : 2 * n] + g[0]
        by_p[:] = state[2 * n :]
        return by_y, by_ts, by_p

    @custom_jvp  # one whole, so that rows of a Jacobian, whose steps differ, are computed one after the other
    def alone(ys: Any, ts: Any, p: Any, g: Any) -> Any:
        return swept(ys, ts, p, g)

    @alone.defjvp
    def alone_jvp(primals: Any, tangents: Any) -> Any:
        return jvp(swept, primals, tangents)

    def backward_rule(kept: Any, g: Any) -> Any:
        ys, ts, p = kept
        return alone(ys, ts, p, g)

    states.defvjp(forward_rule, backward_rule)
    return states(y0, ts, p)


def by_method_back(rhs: Any, y: Any, t: Any, end: Any, h: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The state at another time, and a size for the step after it; 0 is no size."""
    if method == "rk4":
        return runge_kutta.advanced(rhs, y, t, end, steps), h
    order = 4.0 if method == "radau" else 5.0
    if h == 0.0:
        h = stop_gradient(dormand_prince.first_step(rhs, y, t, rhs(y, t), rtol, atol, end - t, order))
    if method == "radau":
        return radau.advanced(rhs, y, t, end, h, rtol, atol)
    return dormand_prince.advanced(rhs, y, t, end, h, rtol, atol)

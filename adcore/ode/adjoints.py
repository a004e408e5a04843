"""The linear map of a solution, by equations beside it: sensitivities forwards, the adjoint equation backwards.

For dy/dt = f(y, t, p) the derivative δ of the solution along given directions fulfils δ' = ∂f/∂y δ + ∂f/∂p dp, from
δ = dy0 - f dt0 on; at a time that moves it is δ + f dt.  The dual of this map: a = dL/dy fulfils a' = -aᵀ ∂f/∂y between
two times, and is larger by the cotangent of a state before its time than after it; dL/dp = ∫ aᵀ ∂f/∂p; by a time after
the first, dL/dt = gᵀ f with the cotangent g of its state, and by the first one -aᵀ f.  The state is integrated along
in either direction, so that nothing of the steps is kept.

These equations are solved as the first one is, so that derivatives of any order are continuous ones.  Directions and
cotangents that are smaller than 1 are scaled to that size, so that the absolute tolerance is never large beside them.

Source: Chen, Rubanova, Bettencourt and Duvenaud, Neural Ordinary Differential Equations (2018), appendix B; Hairer,
Nørsett and Wanner, Solving Ordinary Differential Equations I (1993), I.14 for the sensitivities.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jvp, vjp
from ..custom import custom_vjp, stop_gradient
from .methods import by_method, moved_by_method
from .scipy_methods import METHODS

__all__ = ["states"]


def states(slope: Any, y0: Any, ts: Any, p: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The states at given times.

    Args:
        slope: the right side, of a state (n,), a time and parameters (k,).
        y0: the state at the first time, (n,).
        ts: times, (m,).
        p: the parameters, (k,).
        rtol, atol, method, steps: as of `odeint`.

    Returns:
        The states, (m, n), with derivatives by y0, ts and p.
    """

    @custom_vjp
    def found(y0: Any, ts: Any, p: Any) -> Any:
        return by_method(lambda y, t: slope(y, t, p), y0, ts, rtol, atol, method, steps)

    def forward(y0: Any, ts: Any, p: Any) -> Any:
        if method in METHODS:  # whose steps have no derivative for second ones to go through
            ys = states(slope, y0, ts, p, rtol, atol, method, steps)
        else:
            ys = by_method(lambda y, t: slope(y, t, p), y0, ts, rtol, atol, method, steps)
        return ys, (ys, ts, p)

    def backward(kept: Any, g: Any) -> Any:
        ys, ts, p = kept
        return pulled(slope, ys, ts, p, g, np.min(rtol), np.min(atol), method, steps)

    def along(kept: Any, tangents: Any) -> Any:
        ys, ts, p = kept
        dy0, dts, dp = tangents
        return pushed(slope, ys, ts, p, dy0, dts, dp, np.min(rtol), np.min(atol), method, steps)

    found.defvjp(forward, backward, along)
    return found(y0, ts, p)


def moved(slope: Any, y: Any, t: Any, end: Any, p: Any, h: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The state at another time, and a size for the step after it, which has no derivative; as `states`."""

    @custom_vjp
    def found(y: Any, t: Any, end: Any, p: Any, h: Any) -> Any:
        return moved_by_method(lambda y, t: slope(y, t, p), y, t, end, h, rtol, atol, method, steps)

    def forward(y: Any, t: Any, end: Any, p: Any, h: Any) -> Any:
        if method in METHODS:
            last, further = moved(slope, y, t, end, p, h, rtol, atol, method, steps)
        else:
            last, further = moved_by_method(lambda y, t: slope(y, t, p), y, t, end, h, rtol, atol, method, steps)
        return (last, further), (y, t, last, end, p)

    def backward(kept: Any, cotangent: Any) -> Any:
        y, t, last, end, p = kept
        g = np.zeros((2, len(y)))
        g[1] = cotangent[0]
        ys, ts = np.stack((y, last)), np.array([t, end])
        by_y, by_ts, by_p = pulled(slope, ys, ts, p, g, np.min(rtol), np.min(atol), method, steps)
        return by_y, by_ts[0], by_ts[1], by_p, 0.0

    def along(kept: Any, tangents: Any) -> Any:
        y, t, last, end, p = kept
        dy, dt, dend, dp, _ = tangents
        ys, ts, dts = np.stack((y, last)), np.array([t, end]), np.array([dt, dend])
        return pushed(slope, ys, ts, p, dy, dts, dp, np.min(rtol), np.min(atol), method, steps)[1], 0.0

    found.defvjp(forward, backward, along)
    return found(y, t, end, p, h)


def size_of(*vectors: Any) -> Any:
    """The largest absolute value in some arrays, but 1 where it is larger than that, 0 or NaN."""
    size = 0.0
    for vector in vectors:
        size = max(size, np.max(np.abs(vector), initial=0.0))
    return size if 0.0 < size < 1.0 else 1.0


def pushed(
    slope: Any, ys: Any, ts: Any, p: Any, dy0: Any, dts: Any, dp: Any, rtol: Any, atol: Any, method: Any, steps: Any
) -> Any:
    """The tangent of the states along a direction, (m, n)."""
    n, k = len(dy0), len(p)

    def both(state: Any, t: Any, p: Any) -> Any:
        dy, change = jvp(lambda y, p: slope(y, t, p), (state[:n], p[:k]), (state[n:], p[k:]))
        return np.concatenate((dy, change))

    size = stop_gradient(size_of(dy0, dts, dp))
    begin = dy0 / size - slope(ys[0], ts[0], p) * (dts[0] / size)
    start = np.concatenate((ys[0], begin))
    found = states(both, start, ts, np.concatenate((p, dp / size)), rtol, atol, method, steps)
    tangent = np.empty_like(ys)
    for i in range(len(ts)):
        tangent[i] = found[i, n:] * size + slope(ys[i], ts[i], p) * dts[i]
    return tangent


def pulled(slope: Any, ys: Any, ts: Any, p: Any, g: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The cotangents of the first state, (n,), the times, (m,), and the parameters, (k,)."""
    n = ys.shape[1]

    def back(state: Any, t: Any, p: Any) -> Any:
        dy, pullback = vjp(lambda y, p: slope(y, t, p), state[:n], p)
        da, dp = pullback(state[n : 2 * n])
        return np.concatenate((dy, -da, -dp))

    size = stop_gradient(size_of(g))
    by_ts = np.zeros_like(ts)
    state = np.zeros(2 * n + len(p))
    h = 0.0
    for i in range(len(ts) - 1, 0, -1):
        by_ts[i] = g[i] @ slope(ys[i], ts[i], p)
        state[:n] = ys[i]
        state[n : 2 * n] += g[i] / size
        found, h = moved(back, state.copy(), ts[i], ts[i - 1], p, h, rtol, atol, method, steps)
        state[:] = found
    a = state[n : 2 * n] * size
    by_ts[0] = -a @ slope(ys[0], ts[0], p)
    by_y, by_p = np.empty_like(ys[0]), np.empty_like(p)  # of lengths that are known before
    by_y[:] = a + g[0]
    by_p[:] = state[2 * n :] * size
    return by_y, by_ts, by_p

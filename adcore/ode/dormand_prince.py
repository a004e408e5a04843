"""The method of Dormand and Prince of order 5, with steps of the size that a tolerance asks for, and dense output.

States are vectors, and `rhs(y, t)` gives the derivative of one; all functions are of the language.  The sizes of the
steps are taken as constants by every derivative: what is differentiated is the map of the steps that were made.

Source: Dormand and Prince, J. Comp. Appl. Math. 6 (1980); Hairer, Nørsett and Wanner, Solving Ordinary Differential
Equations I (1993), II.4 for the choice of steps and II.6 for the dense output.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..custom import stop_gradient

__all__ = ["advanced", "counted", "dense", "first_step", "integrated", "next_factor", "ratio", "step"]


def step(rhs: Any, y: Any, t: Any, h: Any, k1: Any) -> Any:
    """One step.

    Args:
        rhs: gives the derivative of a state.
        y, t: the state and the time at the beginning, (n,) and a number.
        h: the size of the step, of either sign.
        k1: rhs(y, t).

    Returns:
        The state and its derivative at the end, the estimate of the error, and the last coefficient of the dense output
        (the others follow from the first two).
    """
    k2 = rhs(y + h * (k1 * (1 / 5)), t + h * (1 / 5))
    k3 = rhs(y + h * (k1 * (3 / 40) + k2 * (9 / 40)), t + h * (3 / 10))
    k4 = rhs(y + h * (k1 * (44 / 45) - k2 * (56 / 15) + k3 * (32 / 9)), t + h * (4 / 5))
    k5 = rhs(
        y + h * (k1 * (19372 / 6561) - k2 * (25360 / 2187) + k3 * (64448 / 6561) - k4 * (212 / 729)), t + h * (8 / 9)
    )
    k6 = rhs(
        y + h * (k1 * (9017 / 3168) - k2 * (355 / 33) + k3 * (46732 / 5247) + k4 * (49 / 176) - k5 * (5103 / 18656)),
        t + h,
    )
    y1 = y + h * (k1 * (35 / 384) + k3 * (500 / 1113) + k4 * (125 / 192) - k5 * (2187 / 6784) + k6 * (11 / 84))
    k7 = rhs(y1, t + h)
    error = h * (
        k1 * (71 / 57600)
        - k3 * (71 / 16695)
        + k4 * (71 / 1920)
        - k5 * (17253 / 339200)
        + k6 * (22 / 525)
        - k7 * (1 / 40)
    )
    last = h * (
        k1 * (-12715105075 / 11282082432)
        + k3 * (87487479700 / 32700410799)
        - k4 * (10690763975 / 1880347072)
        + k5 * (701980252875 / 199316789632)
        - k6 * (1453857185 / 822651844)
        + k7 * (69997945 / 29380423)
    )
    return y1, k7, error, last


def dense(theta: Any, h: Any, y0: Any, k0: Any, y1: Any, k1: Any, last: Any) -> Any:
    """The state at the part `theta` of a step, of order 4."""
    rise = y1 - y0
    bend = h * k0 - rise
    twist = rise - h * k1 - bend
    rest = 1.0 - theta
    return y0 + theta * (rise + rest * (bend + theta * (twist + rest * last)))


def ratio(error: Any, y0: Any, y1: Any, rtol: Any, atol: Any) -> Any:
    """The root of the mean square of the error by what is tolerated."""
    scale = atol + rtol * np.maximum(np.abs(y0), np.abs(y1))
    return math.sqrt(np.mean((error / scale) ** 2))


def next_factor(found: Any, order: Any) -> Any:
    """By what the size of the step is multiplied, for a ratio of the error."""
    if not found < math.inf:
        return 0.1
    if found == 0.0:
        return 10.0
    return min(10.0, max(0.2, 0.9 * found ** (-1.0 / order)))


def first_step(rhs: Any, y: Any, t: Any, k: Any, rtol: Any, atol: Any, span: Any, order: Any) -> Any:
    """A size for the first step (Hairer, Nørsett and Wanner, II.4), at most the span, which has its sign."""
    scale = atol + rtol * np.abs(y)
    size = math.sqrt(np.mean((y / scale) ** 2))
    slope = math.sqrt(np.mean((k / scale) ** 2))
    if not slope < math.inf:
        raise RuntimeError(f"odeint: the derivative of the state is not finite at t = {t}")
    h = 1e-6 if size < 1e-5 or slope < 1e-5 else 0.01 * size / slope
    h = min(h, abs(span))
    direction = 1.0 if span > 0.0 else -1.0
    bend = math.sqrt(np.mean(((rhs(y + direction * h * k, t + direction * h) - k) / scale) ** 2)) / h
    most = max(slope, bend)
    second = max(1e-6, h * 1e-3) if not 1e-15 < most < math.inf else (0.01 / most) ** (1.0 / order)
    return direction * min(100.0 * h, second, abs(span))


def underflow(h: Any, t: Any) -> None:
    """Refuse a step that does not move the time.

    Raises:
        RuntimeError: it is too small.
    """
    if not abs(h) > 3.6e-15 * abs(t):  # sixteen times the spacing of doubles
        raise RuntimeError(
            f"odeint: the step size underflows at t = {t}: the state becomes infinite or NaN there, or the equation is "
            f'stiff (method="radau"), or unstable backwards (adjoint="discrete")'
        )


def counted(tries: Any, most: Any, t: Any) -> Any:
    """One more try, if there may be so many; `most` is 0 where there may be any number.

    Raises:
        RuntimeError: there may not.
    """
    if most == 0:
        return 0
    if tries >= most:
        raise RuntimeError(f"odeint: more than mxstep = {most} steps between two times, at t = {t}")
    return tries + 1


def integrated(rhs: Any, y0: Any, ts: Any, rtol: Any, atol: Any, most: Any) -> Any:
    """The states at given times.

    Args:
        rhs: gives the derivative of a state.
        y0: the state at the first time, (n,).
        ts: times, strictly increasing or decreasing, (m,).
        rtol, atol: tolerated errors, by the state and absolute.
        most: how many steps may be tried between two times; 0 for any number.

    Returns:
        The states, (m, n).

    Raises:
        RuntimeError: no step is small enough, there are too many, or the derivative is not finite at the beginning.
    """
    count = len(ts)
    ys = np.empty((count, len(y0)), y0.dtype)
    ys[0] = y0
    if count == 1:
        return ys
    end = stop_gradient(ts[count - 1])
    y, t = y0, ts[0]
    k = rhs(y, t)
    h = stop_gradient(first_step(rhs, y, t, k, rtol, atol, end - t, 5.0))
    direction = 1.0 if h > 0.0 else -1.0
    done = 1
    tries = 0
    while done < count:
        tries = counted(tries, most, t)
        left = stop_gradient(end - t)
        is_last = abs(h) >= abs(left)
        if is_last:
            h = left
        y1, k1, error, last = step(rhs, y, t, h, k)
        found = stop_gradient(ratio(error, y, y1, rtol, atol))
        if found <= 1.0:
            until = count
            if not is_last:
                reached = direction * (t + h)
                until = done
                while until < count - 1 and direction * ts[until] <= reached:
                    until += 1
            for i in range(done, until):
                tries = 0
                ys[i] = dense((ts[i] - t) / h, h, y, k, y1, k1, last)
            done = until
            y, k, t = y1, k1, t + h
        else:
            underflow(h, t)
        h = h * next_factor(found, 5.0)
    return ys


def advanced(rhs: Any, y: Any, t: Any, end: Any, h: Any, rtol: Any, atol: Any, most: Any) -> Any:
    """The state at another time, and a size for the step after it.

    Args:
        rhs, rtol, atol, most: as of `integrated`.
        y, t: the state, (n,), and its time.
        end: the other time.
        h: the size of the first step to try, of the sign of `end - t`.

    Returns:
        The state, (n,), and a size.

    Raises:
        RuntimeError: no step is small enough, or there are too many.
    """
    k = rhs(y, t)
    is_done = False
    tries = 0
    while not is_done:
        tries = counted(tries, most, t)
        left = end - t
        is_last = abs(h) >= abs(left)
        size = left if is_last else h
        y1, k1, error, _ = step(rhs, y, t, size, k)
        found = stop_gradient(ratio(error, y, y1, rtol, atol))
        if found <= 1.0:
            y, k, t = y1, k1, t + size
            is_done = is_last
        else:
            underflow(size, t)
        if not (is_last and found <= 1.0) or abs(size) >= abs(h):
            h = stop_gradient(size) * next_factor(found, 5.0)
    return y, h

"""All times at which events happen to a solution, as `scipy.integrate.solve_ivp` has them."""

from __future__ import annotations

from typing import Any

from ..custom import stop_gradient
from . import dormand_prince
from .events import between, crossing, tried

__all__ = ["watched"]

NEVER = 2.0  # a part of a step that there is not


def watched(
    rhs: Any, heights: Any, directions: Any, limits: Any, y: Any, t: Any, end: Any, rtol: Any, atol: Any, method: Any
) -> Any:
    """Where events change their signs, to the accuracy of the dense output; constants to derivatives.

    Args:
        rhs: gives the derivative of a state.
        heights: the events, functions of a state and a time.
        directions: for each, 1.0 where it has to rise, -1.0 where it has to fall, 0.0 for either.
        limits: for each, after how many times the solution ends; 0 for never.
        y, t, end: the state at the first time, (n,), that time, and the last one.
        rtol, atol, method: as of `odeint`; "dopri5" or "radau".

    Returns:
        For each event a list of times, and whether one has ended the solution.

    Raises:
        RuntimeError: no step is small enough, or the derivative is not finite at the beginning.
    """
    y, t, end = stop_gradient(y), stop_gradient(t), stop_gradient(end)
    found: Any = [[] for _ in heights]
    before = [1.0 * height(y, t) for height in heights]
    parts_of_events = [NEVER for _ in heights]
    is_known = [False for _ in heights]  # whether the event at the place that has been looked at last has been found
    k = rhs(y, t)
    h = dormand_prince.first_step(rhs, y, t, k, rtol, atol, end - t, 5.0)
    is_again, is_done, is_over = True, False, False
    while not is_done:
        left = end - t
        is_last = abs(h) >= abs(left)
        if is_last:
            h = left
        parts, y1, k1, ratio, factor = tried(rhs, y, t, h, k, rtol, atol, is_again, method)
        is_again = not ratio <= 1.0
        if is_again:
            dormand_prince.underflow(h, t)
        else:
            for quarter in range(4):
                if not is_over:
                    low, high = 0.25 * quarter, 0.25 * (quarter + 1)
                    stop = NEVER
                    for e, height in enumerate(heights):
                        after = 1.0 * height(between(high, h, y, y1, parts, method), t + high * h)
                        rises = before[e] <= 0.0 <= after and directions[e] >= 0.0
                        falls = before[e] >= 0.0 >= after and directions[e] <= 0.0
                        part = NEVER
                        happens = (rises or falls) and not is_known[e]
                        if happens:
                            part = crossing(height, before[e], low, high, h, y, y1, t, parts, method)
                            if 0 < limits[e] <= len(found[e]) + 1:
                                stop = min(stop, part)
                        parts_of_events[e] = part
                        is_known[e] = (happens or is_known[e]) and after == 0.0
                        before[e] = after
                    for e in range(len(heights)):
                        if parts_of_events[e] < NEVER and parts_of_events[e] <= stop:
                            found[e].append(t + parts_of_events[e] * h)
                    is_over = stop < NEVER
            is_done = is_last or is_over
            y, k, t = y1, k1, t + h
        h = h * factor
    return found, is_over

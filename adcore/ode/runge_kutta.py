"""The classical method of Runge and Kutta of order 4, with steps of equal size between two times."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["advanced", "integrated"]


def integrated(rhs: Any, y0: Any, ts: Any, steps: Any) -> Any:
    """The states at given times, with so many steps between two of them.

    Args:
        rhs: gives the derivative of a state.
        y0: the state at the first time, (n,).
        ts: times, (m,).
        steps: the number of steps.

    Returns:
        The states, (m, n).
    """
    ys = np.empty((len(ts), len(y0)), y0.dtype)
    ys[0] = y0
    for i in range(1, len(ts)):
        ys[i] = advanced(rhs, ys[i - 1], ts[i - 1], ts[i], steps)
    return ys


def advanced(rhs: Any, y: Any, t: Any, end: Any, steps: Any) -> Any:
    """The state at another time, in so many steps."""
    h = (end - t) / steps
    for k in range(steps):
        at = t + k * h
        k1 = rhs(y, at)
        k2 = rhs(y + 0.5 * h * k1, at + 0.5 * h)
        k3 = rhs(y + 0.5 * h * k2, at + 0.5 * h)
        k4 = rhs(y + h * k3, at + h)
        y = y + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)
    return y

"""The times at which the steps of a method end, by the choice of steps of `scipy.integrate.solve_ivp`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..custom import stop_gradient
from . import dormand_prince
from .events import tried

__all__ = ["times_of_steps"]


def times_of_steps(rhs: Any, y0: Any, t0: Any, t1: Any, rtol: Any, atol: Any, method: Any) -> Any:
    """The times that a method goes through, between two others; derivatives take them as constants.

    Args:
        rhs: gives the derivative of a state.
        y0: the state at the first time, (n,).
        t0, t1: the first time and the last one.
        rtol, atol: tolerated errors, by the state and absolute.
        method: "dopri5", whose steps are those of SciPy's RK45, or "radau".

    Returns:
        The times, without the first and the last one, (m,).

    Raises:
        RuntimeError: no step is small enough, or the derivative is not finite at the beginning.
    """
    y, t, end = stop_gradient(y0), stop_gradient(t0), stop_gradient(t1)
    times = []
    k = rhs(y, t)
    h = dormand_prince.first_step(rhs, y, t, k, rtol, atol, end - t, 4.0 if method == "radau" else 5.0)
    is_again = method == "radau"
    is_done = False
    while not is_done:
        left = end - t
        is_last = abs(h) >= abs(left)
        if is_last:
            h = left
        _, y1, k1, ratio, factor = tried(rhs, y, t, h, k, rtol, atol, is_again, method)
        if is_again and method == "dopri5":
            factor = min(factor, 1.0)
        is_again = not ratio <= 1.0
        if is_again:
            dormand_prince.underflow(h, t)
        else:
            is_done = is_last
            y, k, t = y1, k1, t + h
            if not is_done:
                times.append(t)
        h = h * factor
    return stop_gradient(np.array(times))

"""The methods by their names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..custom import stop_gradient
from . import dormand_prince, radau, runge_kutta, scipy_methods

__all__ = ["by_method", "moved_by_method"]


def by_method(rhs: Any, y0: Any, ts: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The states, differentiated as they are computed.

    `steps` is how many steps there are between two times, of rk4; of the others, how many there may be; 0 for any.
    """
    if method == "rk4":
        return runge_kutta.integrated(rhs, y0, ts, steps)
    if method in scipy_methods.METHODS:
        return scipy_methods.integrated(rhs, y0, ts, rtol, atol, method)
    if method == "radau":
        return radau.integrated(rhs, y0, ts, rtol, atol, steps)
    return dormand_prince.integrated(rhs, y0, ts, rtol, atol, steps)


def moved_by_method(rhs: Any, y: Any, t: Any, end: Any, h: Any, rtol: Any, atol: Any, method: Any, steps: Any) -> Any:
    """The state at another time, and a size for the step after it; 0 is no size.  `steps` as of `by_method`."""
    if method == "rk4":
        return runge_kutta.advanced(rhs, y, t, end, steps), h
    if method in scipy_methods.METHODS:
        return scipy_methods.integrated(rhs, y, np.array([t, end]), rtol, atol, method)[1], h
    order = 4.0 if method == "radau" else 5.0
    if h == 0.0:
        h = stop_gradient(dormand_prince.first_step(rhs, y, t, rhs(y, t), rtol, atol, end - t, order))
    if method == "radau":
        return radau.advanced(rhs, y, t, end, h, rtol, atol, steps)
    return dormand_prince.advanced(rhs, y, t, end, h, rtol, atol, steps)

"""The time at which something happens to a solution: found by dense output, differentiated by its condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jacfwd
from ..custom import stop_gradient
from ..implicit import custom_root
from ..vectors import as_tree
from . import dormand_prince, radau
from .solving import require_options, states_by
from .vectors import derivative_of, state_of

__all__ = ["between", "crossing", "happened", "refined", "tried"]


def happened(
    f: Any, event: Any, y0: Any, t0: Any, t_max: Any, rtol: Any, atol: Any, args: Any, adjoint: Any, method: Any
) -> Any:
    """What `odeint_event` computes, with its arguments.

    The time t of the event fulfils g(y(t), t) = 0 for the solution y, whose derivative at a fixed time is known.  Near
    t the solution is what a step from y(t) gives, to order 5: that step, as a function of its end, is what the
    implicit function theorem is applied to.  So dt = -(∂g dy + ∂g/∂p dp) / (∂g f + ∂g/∂t), and derivatives of higher
    order are right as well.
    """
    require_options(adjoint, method)
    like = stop_gradient(y0)

    def rhs(y: Any, t: Any) -> Any:
        return derivative_of(f(as_tree(y, like), t, *args), like, y)

    def height(y: Any, t: Any) -> Any:
        return event(as_tree(y, like), t, *args)

    begin = float(t0)
    near = stop_gradient(located(rhs, height, state_of(y0), begin, t_max, rtol, atol, method))
    if near == begin:
        raise RuntimeError(f"odeint_event: the event happens at the beginning, at t = {begin}")
    y = states_by(f, like, state_of(y0), np.array([begin, near]), args, rtol, atol, adjoint, method, 0)[1]

    found, state = refined(rhs, height, y, near)
    return found, as_tree(state, like)


def refined(rhs: Any, height: Any, y: Any, near: Any) -> Any:
    """The time at which `height(y, t)` is 0 and the state there, for the state at a time that is near."""

    def state_at(t: Any) -> Any:
        return dormand_prince.step(rhs, y, near, t - near, rhs(y, near))[0]

    def condition(t: Any) -> Any:
        return height(state_at(t), t)

    @custom_root(condition)
    def time(t: Any) -> Any:
        for _ in range(2):
            slope = jacfwd(condition)(t)
            if slope != 0.0:
                t = t - condition(t) / slope
        return t

    found = time(near)
    return found, state_at(found)


def located(rhs: Any, height: Any, y: Any, t: Any, t_max: Any, rtol: Any, atol: Any, method: Any) -> Any:
    """The first time at which `height(y, t)` changes its sign, to the accuracy of the dense output.

    Raises:
        RuntimeError: it does not up to `t_max`, or no step is small enough.
    """
    span = t_max - t
    k = rhs(y, t)
    h = dormand_prince.first_step(rhs, y, t, k, rtol, atol, span, 5.0)
    before = height(y, t)
    is_again = True
    count = 0
    while True:
        count += 1
        left = t_max - t
        is_last = abs(h) >= abs(left)
        if is_last:
            h = left
        parts, y1, k1, ratio, factor = tried(rhs, y, t, h, k, rtol, atol, is_again, method)
        is_again = not ratio <= 1.0
        if is_again:
            dormand_prince.underflow(h, t)
        else:
            if before == 0.0:
                before = height(between(1e-3, h, y, y1, parts, method), t + 1e-3 * h)
            low = 0.0
            for quarter in range(1, 5):
                high = 0.25 * quarter
                after = height(between(high, h, y, y1, parts, method), t + high * h)
                if after == 0.0 or (before > 0.0) != (after > 0.0):
                    return t + crossing(height, before, low, high, h, y, y1, t, parts, method) * h
                low = high
            if is_last or count > 100_000:
                raise RuntimeError(f"odeint_event: the event does not happen up to t = {t + h}")
            y, k, t = y1, k1, t + h
        h = h * factor


def crossing(
    height: Any, before: Any, low: Any, high: Any, h: Any, y: Any, y1: Any, t: Any, parts: Any, method: Any
) -> Any:
    """The part of a step, between two others, at which an event changes its sign."""
    if before == 0.0:
        return low
    for _ in range(52):
        middle = 0.5 * (low + high)
        value = height(between(middle, h, y, y1, parts, method), t + middle * h)
        if (value > 0.0) == (before > 0.0) and value != 0.0:
            low = middle
        else:
            high = middle
    return high


def tried(rhs: Any, y: Any, t: Any, h: Any, k: Any, rtol: Any, atol: Any, is_again: Any, method: Any) -> Any:
    """A step: what its dense output needs, the state and its derivative after it, the ratio of the error, a factor."""
    if method == "radau":
        z1, z2, z3, ratio, factor = radau.tried(rhs, y, t, h, rtol, atol, is_again)
        return (z1, z2, z3), y + z3, k, ratio, factor
    y1, k1, error, last = dormand_prince.step(rhs, y, t, h, k)
    ratio = dormand_prince.ratio(error, y, y1, rtol, atol)
    return (k, k1, last), y1, k1, ratio, dormand_prince.next_factor(ratio, 5.0)


def between(part: Any, h: Any, y: Any, y1: Any, parts: Any, method: Any) -> Any:
    """The state at a part of a step."""
    one, two, three = parts
    if method == "radau":
        return radau.dense(part, y, one, two, three)
    return dormand_prince.dense(part, h, y, one, y1, two, three)

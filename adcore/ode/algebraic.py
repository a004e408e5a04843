"""Differential-algebraic equations of index 1: y' = f(y, z, t), 0 = g(y, z, t), with ∂g/∂z regular."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jacfwd, jvp
from ..custom import stop_gradient
from ..implicit import custom_root
from ..vectors import as_rows, as_tree
from .solving import require_options, require_order, states_by
from .vectors import derivative_of, state_of

__all__ = ["solved_with_roots"]


def solved_with_roots(
    f: Any, g: Any, y0: Any, z0: Any, ts: Any, rtol: Any, atol: Any, args: Any, adjoint: Any, method: Any
) -> Any:
    """What `daeint` computes, with its arguments.

    z is the root of g at (y, t), found by Newton's iteration and differentiated by the implicit function theorem.
    Beside y a guess of z is integrated, along dz/dt of that root, from which the iteration begins.
    """
    require_options(adjoint, method)
    times = np.asarray(ts).astype(np.float64)
    require_order(times)
    like_y, like_z = stop_gradient(y0), stop_gradient(z0)
    n = len(state_of(y0))

    def root(guess: Any, y: Any, t: Any, args: Any) -> Any:
        def condition(z: Any) -> Any:
            return derivative_of(g(as_tree(y, like_y), as_tree(z, like_z), t, *args), like_z, z)

        @custom_root(condition, solve="lu")
        def found(z: Any) -> Any:
            count = 0
            size = 1.0
            while size > 1e-13 and count < 20:
                change = np.linalg.solve(jacfwd(condition)(z), condition(z))
                z = z - change
                size = np.max(np.abs(change)) / (1.0 + np.max(np.abs(z)))
                count += 1
            if not size < 1e-6:
                raise RuntimeError(f"daeint: the algebraic equation is not solved at t = {t}")
            return z

        return found(stop_gradient(guess))

    def extended(state: Any, t: Any, *args: Any) -> Any:
        y, guess = state

        def along(y: Any, t: Any) -> Any:
            return root(guess, y, t, args)

        z = along(y, t)
        dy = derivative_of(f(as_tree(y, like_y), as_tree(z, like_z), t, *args), like_y, y)
        return dy, jvp(along, (y, t), (dy, 1.0))[1]

    y, z = state_of(y0), state_of(z0)
    start = root(z, y, times[0], args)
    whole = states_by(extended, (y, z), np.concatenate((y, start)), times, args, rtol, atol, adjoint, method, 0)
    zs = np.empty((len(times), len(z)))
    for i in range(len(times)):
        zs[i] = root(whole[i, n:], whole[i, :n], times[i], args)
    return as_rows(whole[:, :n], like_y), as_rows(zs, like_z)

"""Minimization of one number after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..api import hessian, value_and_grad
from ..vectors import as_tree, vector_of
from .solvers import CLOSE, Solve

__all__ = ["coordinate_descent"]

SWEEPS = 1000  # at most, with one gradient
ENOUGH = 1e-3  # sweeps end where they move by so much less than the first one
APART = 1e3  # and where by so much more, as where the model has no minimum
STRAIGHT = 1e-2  # a Hessian is used again where it foretold the change of the gradient so well


def coordinate_descent(
    objective: Callable[..., Any], prox: Callable[..., Any] | None = None, tol: float = 1e-13, maxiter: int = 10_000
) -> Solve:
    """Sweeps over the coordinates of a quadratic model of f, each of which is minimized exactly, with what is added.

    A sweep costs n products for each number that moves and no run of f, whatever f costs (Friedman, Hastie and
    Tibshirani 2010, section 2, for the lasso).  The model is made again where f is not quadratic (Lee, Sun and Saunders
    2014), and its curvature grows where it is below f: with it m, and G what the proximal operator is of, a step δ of
    one coordinate takes at least ½ h δ² from m + G, of which half has to be left for f + G.

    Args:
        objective: f.
        prox: of a sum of functions of one number each; without it G = 0.
        tol: of the last step, by the size of x.
        maxiter: sweeps after which it is an error.
    """

    def solver(init, *args):
        def value(v):
            return objective(as_tree(v, init), *args)

        x = vector_of(init)
        n = len(x)
        y, slope = value_and_grad(value)(x)
        bends = hessian(value)(x)
        curved = np.abs(np.diagonal(bends))
        most = np.max(curved)
        damping, fresh = 0.0, True
        last, sweeps = np.inf, 0
        while last > tol and sweeps < maxiter:
            most = most if most > 0.0 else 1.0
            h = np.maximum(curved + damping, 1e-10 * most)
            at = x.copy()
            bent = np.zeros(n)
            size = 1.0 + np.max(np.abs(x))
            gained, first, whole, swept = 0.0, 0.0, True, 0
            alive = np.ones(n, bool)
            moving = True
            while moving and swept < SWEEPS and sweeps < maxiter:
                moved = 0.0
                for i in range(n):
                    if not (whole or alive[i]):
                        continue
                    before = at[i]
                    following = before - (slope[i] + bent[i] + damping * (before - x[i])) / h[i]
                    if prox is not None:
                        at[i] = following
                        following = vector_of(prox(as_tree(at, init), 1.0 / h[i]))[i]
                    at[i] = following
                    step = following - before
                    alive[i] = step != 0.0
                    if step != 0.0:
                        bent += step * bends[i]
                        gained += 0.5 * h[i] * step * step
                        moved = max(moved, abs(step))
                first = moved if swept == 0 else first
                rests = moved <= max(tol * size, ENOUGH * first)
                moving = not (rests and whole) and moved <= APART * first
                whole = rests  # those that did not move are looked at again where the others have come to rest
                swept += 1
                sweeps += 1
            move = at - x
            last = np.max(np.abs(move)) / size
            last = last if np.isfinite(last) else np.inf
            found, steeper = value_and_grad(value)(at)
            model = y + move @ (slope + 0.5 * (bent + damping * move))
            if found <= model + 0.5 * gained + 1e-14 * abs(y):
                astray = np.max(np.abs(steeper - slope - bent))
                straight = damping == 0.0 and astray <= STRAIGHT * np.max(np.abs(bent))
                x, y, slope = at, found, steeper
                damping = 0.1 * damping if damping > 1e-5 * most else 0.0
                fresh = False
            else:
                straight = False
                damping = max(10.0 * damping, 1e-3 * most) if fresh else damping
            if not straight and not fresh and last > tol:
                bends = hessian(value)(x)
                curved = np.abs(np.diagonal(bends))
                most = np.max(curved)
                fresh = True
        length = 1.0 / most if most > 0.0 else 1.0
        left = length * slope
        if prox is not None:
            left = x - vector_of(prox(as_tree(x - left, init), length))
        rest = np.max(np.abs(left)) / (1.0 + np.max(np.abs(x)))
        if not (last <= max(tol, CLOSE) and rest <= max(tol, CLOSE)):
            if last <= tol and prox is not None:
                raise RuntimeError(f"no number can be moved alone, and yet all by {rest}: prox is not separable")
            raise RuntimeError(f"coordinate descent has not converged: the last step is {last} after {sweeps} sweeps")
        return as_tree(x, init)

    return solver

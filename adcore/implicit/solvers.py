"""Solvers in the language: of equations, of fixed points, of minima.

Each is made for a function and gives `solver(init, *args)`.  They work on the vector of all elements of the unknown,
which is a number, an array or a tree of them, and stop where rounding ends, since a derivative by the condition is as
good as the solution is.  One that has not converged is an error, and says how far it has come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..api import hessian, jacfwd, value_and_grad
from ..vectors import as_tree, vector_of

__all__ = [
    "anderson",
    "brent",
    "broyden",
    "fista",
    "gradient_descent",
    "iteration",
    "lbfgs",
    "levenberg_marquardt",
    "newton",
    "newton_minimum",
]

Solve = Callable[..., Any]
HALVINGS = 50  # of a step
CLOSE = 1e-6  # a step so small, by the size of the unknown, is the last one where the residual cannot become smaller


def newton(condition: Callable[..., Any], tol: float = 1e-13, maxiter: int = 100) -> Solve:
    """Newton's method, by the dense Jacobian, its steps halved until the residual becomes smaller."""

    def solver(init, *args):
        def residual(v):
            return vector_of(condition(as_tree(v, init), *args))

        x = vector_of(init)
        r = residual(x)
        size = np.max(np.abs(r))
        step, last = 0, np.inf
        moving = size > 0.0
        while moving and step < maxiter:
            slope = jacfwd(residual)(x)
            move = r / slope[0] if len(x) == 1 else np.linalg.solve(slope, r)
            last = np.max(np.abs(move)) / (1.0 + np.max(np.abs(x)))
            trial = x - move
            found = residual(trial)
            smaller = np.max(np.abs(found))
            halved = 0
            while not smaller < size and halved < HALVINGS:
                move = 0.5 * move
                trial = x - move
                found = residual(trial)
                smaller = np.max(np.abs(found))
                halved += 1
            moving = smaller < size
            if moving:
                x, r, size = trial, found, smaller
                moving = last > tol and size > 0.0
            step += 1
        if not (last <= max(tol, CLOSE) or size == 0.0):
            raise RuntimeError(f"Newton's method has not converged: the residual is {size} after {step} steps")
        return as_tree(x, init)

    return solver


def broyden(condition: Callable[..., Any], tol: float = 1e-13, maxiter: int = 1000) -> Solve:
    """Broyden's method, which makes the Jacobian once and corrects its inverse along each step (Broyden 1965)."""

    def solver(init, *args):
        def residual(v):
            return vector_of(condition(as_tree(v, init), *args))

        x = vector_of(init)
        r = residual(x)
        inverse = np.linalg.inv(jacfwd(residual)(x))
        size = np.max(np.abs(r))
        step, last, fresh = 0, np.inf, True
        moving = size > 0.0
        while moving and step < maxiter:
            move = -(inverse @ r)
            found = residual(x + move)
            smaller = np.max(np.abs(found))
            last = np.max(np.abs(move)) / (1.0 + np.max(np.abs(x)))
            if smaller < size:
                change = inverse @ (found - r)
                weight = move @ change
                inverse = inverse + np.outer((move - change) / weight, move @ inverse)
                x, r, size, fresh = x + move, found, smaller, False
                moving = last > tol and size > 0.0
            elif fresh:
                moving = False
            else:
                inverse = np.linalg.inv(jacfwd(residual)(x))
                fresh = True
            step += 1
        if not (last <= max(tol, CLOSE) or size == 0.0):
            raise RuntimeError(f"Broyden's method has not converged: the residual is {size} after {step} steps")
        return as_tree(x, init)

    return solver


def brent(condition: Callable[..., Any], tol: float = 4e-16, maxiter: int = 200) -> Solve:
    """Brent's method for one number, between two where the function has different signs (Brent 1973)."""

    def solver(init, *args):
        a, b = init
        fa, fb = condition(a, *args), condition(b, *args)
        if not ((fa <= 0.0 and fb >= 0.0) or (fa >= 0.0 and fb <= 0.0)):  # nor where one is NaN
            raise ValueError(f"the function has one sign at both ends: {fa} at {a}, {fb} at {b}")
        c, fc = a, fa
        width = b - a
        before = width
        step = 0
        while fb != 0.0 and step < maxiter:
            if (fb > 0.0) == (fc > 0.0):
                c, fc = a, fa
                width = b - a
                before = width
            if abs(fc) < abs(fb):
                a, b, c = b, c, b
                fa, fb, fc = fb, fc, fb
            near = 2.0 * tol * abs(b) + 1e-300
            half = 0.5 * (c - b)
            if abs(half) <= near:
                break
            if abs(before) >= near and abs(fa) > abs(fb):
                s = fb / fa
                if a == c:
                    p, q = 2.0 * half * s, 1.0 - s
                else:
                    u, v = fa / fc, fb / fc
                    p = s * (2.0 * half * u * (u - v) - (b - a) * (v - 1.0))
                    q = (u - 1.0) * (v - 1.0) * (s - 1.0)
                if p > 0.0:
                    q = -q
                p = abs(p)
                if 2.0 * p < min(3.0 * half * q - abs(near * q), abs(before * q)):
                    before, width = width, p / q
                else:
                    before, width = half, half
            else:
                before, width = half, half
            a, fa = b, fb
            b = b + (width if abs(width) > near else near if half > 0.0 else -near)
            fb = condition(b, *args)
            step += 1
        if step == maxiter:
            raise RuntimeError(f"Brent's method has not converged: the function is {fb} at {b}")
        return b

    return solver


def iteration(condition: Callable[..., Any], tol: float = 1e-14, maxiter: int = 100_000) -> Solve:
    """x ← T(x), until it does not change."""

    def solver(init, *args):
        x = vector_of(init)
        last = 1.0
        step = 0
        while last > tol and step < maxiter:
            found = vector_of(condition(as_tree(x, init), *args), init)
            last = np.max(np.abs(found - x)) / (1.0 + np.max(np.abs(x)))
            x = found
            step += 1
        if not last <= tol:
            raise RuntimeError(f"the iteration has not converged: the last change is {last} after {step} steps")
        return as_tree(x, init)

    return solver


def anderson(condition: Callable[..., Any], tol: float = 1e-13, maxiter: int = 10_000, history: int = 5) -> Solve:
    """Anderson's acceleration of x ← T(x), by the last few changes (Anderson 1965; Walker and Ni 2011)."""

    def solver(init, *args):
        x = vector_of(init)
        n = len(x)
        moves, changes = np.zeros((history, n)), np.zeros((history, n))
        image = vector_of(condition(as_tree(x, init), *args), init)
        r = image - x
        size = np.max(np.abs(r))
        best = size
        step, used = 0, 0
        while size > tol * (1.0 + np.max(np.abs(x))) and step < maxiter:
            following = image.copy()
            if used > 0:  # least squares by QR of changes of one size, with a little damping below them
                scale = 1.0 / (np.sqrt(np.sum(changes[:used] ** 2, axis=1)) + 1e-300)
                scaled = (changes[:used] * scale[:, None]).T
                q, upper = np.linalg.qr(np.concatenate((scaled, 1e-12 * np.eye(used))))
                weights = np.linalg.solve(upper, np.concatenate((r, np.zeros(used))) @ q)
                following = image - (weights * scale) @ moves[:used]
            found = vector_of(condition(as_tree(following, init), *args), init)
            further = found - following
            place = step % history
            moves[place] = found - image
            changes[place] = further - r
            used = min(used + 1, history)
            x, image, r = following, found, further
            size = np.max(np.abs(r))
            if not size <= 1e4 * best:  # begin again from plain steps
                used = 0
            best = min(best, size)
            step += 1
        if not size <= tol * (1.0 + np.max(np.abs(x))):
            raise RuntimeError(f"Anderson's method has not converged: the last change is {size} after {step} steps")
        return as_tree(image, init)

    return solver


# Minima


def newton_minimum(objective: Callable[..., Any], tol: float = 1e-13, maxiter: int = 200) -> Solve:
    """Newton's method with the Hessian's eigenvalues taken positive, its steps halved until the value is smaller."""

    def solver(init, *args):
        def value(v):
            return objective(as_tree(v, init), *args)

        x = vector_of(init)
        y, slope = value_and_grad(value)(x)
        size = np.max(np.abs(slope))
        step, last = 0, np.inf
        moving = size > 0.0
        while moving and step < maxiter:
            eigenvalues, axes = np.linalg.eigh(hessian(value)(x))
            sizes = np.abs(eigenvalues)
            floor = 1e-12 * np.max(sizes) + 1e-300
            move = axes @ ((slope @ axes) / np.maximum(sizes, floor))
            last = np.max(np.abs(move)) / (1.0 + np.max(np.abs(x)))
            along = slope @ move
            found, steeper = value_and_grad(value)(x - move)
            small = np.max(np.abs(steeper))
            halved = 0
            while not (found <= y - 1e-4 * along or (small < size and found <= y + 1e-13 * abs(y))) and (
                halved < HALVINGS
            ):
                move, along = 0.5 * move, 0.5 * along
                found, steeper = value_and_grad(value)(x - move)
                small = np.max(np.abs(steeper))
                halved += 1
            moving = found < y or small < size
            if moving:
                x, y, slope, size = x - move, found, steeper, small
                moving = last > tol and size > 0.0
            step += 1
        if not (last <= max(tol, CLOSE) or size == 0.0):
            raise RuntimeError(f"Newton's method has not found a minimum: the gradient is {size} after {step} steps")
        return as_tree(x, init)

    return solver


def lbfgs(objective: Callable[..., Any], tol: float = 1e-10, maxiter: int = 5000, history: int = 10) -> Solve:
    """The method of Broyden, Fletcher, Goldfarb and Shanno with a memory of a few steps (Liu and Nocedal 1989).

    The line search brackets a step by Armijo's and Wolfe's conditions.
    """

    def solver(init, *args):
        def value(v):
            return objective(as_tree(v, init), *args)

        x = vector_of(init)
        n = len(x)
        moves, changes, weights = np.zeros((history, n)), np.zeros((history, n)), np.zeros(history)
        y, slope = value_and_grad(value)(x)
        size = np.max(np.abs(slope))
        limit = tol * max(1.0, size)
        step, used, stuck = 0, 0, False
        while size > limit and step < maxiter and not stuck:
            direction = slope.copy()
            parts = np.zeros(history)
            for k in range(used):
                i = (step - 1 - k) % history
                parts[i] = weights[i] * (moves[i] @ direction)
                direction = direction - parts[i] * changes[i]
            if used > 0:
                i = (step - 1) % history
                direction = direction / (weights[i] * (changes[i] @ changes[i]))
            else:
                direction = direction / max(1.0, np.sqrt(slope @ slope))
            for k in range(used):
                i = (step - used + k) % history
                direction = direction + (parts[i] - weights[i] * (changes[i] @ direction)) * moves[i]
            descent = slope @ direction
            low, high, length = 0.0, np.inf, 1.0
            found, steeper = value_and_grad(value)(x - direction)
            tries = 0
            searching = True
            while searching and tries < 60:
                if not found <= y - 1e-4 * length * descent + 1e-15 * abs(y):
                    high = length
                elif steeper @ direction > 0.9 * descent:
                    low = length
                else:
                    searching = False
                if searching:
                    length = 0.5 * (low + high) if high < np.inf else 2.0 * low
                    found, steeper = value_and_grad(value)(x - length * direction)
                    tries += 1
            move = -length * direction
            change = steeper - slope
            product = move @ change
            stuck = searching and not np.max(np.abs(steeper)) < size
            if not stuck:
                x, y, slope = x + move, found, steeper
                size = np.max(np.abs(slope))
                if product > 1e-300:
                    i = step % history
                    moves[i], changes[i], weights[i] = move, change, 1.0 / product
                    used = min(used + 1, history)
                else:
                    used = 0
            step += 1
        if not size <= max(1e3 * limit, 1e-7):
            raise RuntimeError(f"L-BFGS has not found a minimum: the gradient is {size} after {step} steps")
        return as_tree(x, init)

    return solver


def gradient_descent(objective: Callable[..., Any], tol: float = 1e-9, maxiter: int = 100_000) -> Solve:
    """Steepest descent, with steps that double where they succeed and are halved where they do not (Armijo 1966)."""

    def solver(init, *args):
        def value(v):
            return objective(as_tree(v, init), *args)

        x = vector_of(init)
        y, slope = value_and_grad(value)(x)
        size = np.max(np.abs(slope))
        limit = tol * max(1.0, size)
        length = 1.0 / max(1.0, size)
        step, stuck = 0, False
        while size > limit and step < maxiter and not stuck:
            descent = slope @ slope
            trial = x - length * slope
            found = value(trial)
            while not found <= y - 0.5 * length * descent + 1e-15 * abs(y) and length > 1e-18:
                length = 0.5 * length
                trial = x - length * slope
                found = value(trial)
            stuck = length <= 1e-18
            x = trial
            y, slope = value_and_grad(value)(x)
            size = np.max(np.abs(slope))
            length = 2.0 * length
            step += 1
        if not size <= max(limit, 1e-7):
            raise RuntimeError(f"gradient descent has not found a minimum: the gradient is {size} after {step} steps")
        return as_tree(x, init)

    return solver


def fista(objective: Callable[..., Any], prox: Callable[..., Any], tol: float = 1e-12, maxiter: int = 100_000) -> Solve:
    """Accelerated proximal gradient steps (Beck and Teboulle 2009), begun again where they turn back.

    The step is halved where the objective is not below its quadratic model, and grows slowly elsewhere (O'Donoghue and
    Candès 2015 for the restarts).
    """

    def solver(init, *args):
        def value(v):
            return objective(as_tree(v, init), *args)

        x = vector_of(init)
        y = x.copy()
        weight, length = 1.0, 1.0
        last, step = np.inf, 0
        while last > tol and step < maxiter:
            at, slope = value_and_grad(value)(y)
            following = vector_of(prox(as_tree(y - length * slope, init), length), init)
            move = following - y
            halved = 0
            while halved < HALVINGS and not value(following) <= (
                at + slope @ move + 0.5 / length * (move @ move) + 1e-14 * abs(at)
            ):
                length = 0.5 * length
                following = vector_of(prox(as_tree(y - length * slope, init), length), init)
                move = following - y
                halved += 1
            last = np.max(np.abs(move)) / (min(length, 1.0) * (1.0 + np.max(np.abs(x))))
            if move @ (following - x) < 0.0:  # momentum has gone too far
                weight = 1.0
            heavier = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * weight * weight))
            y = following + ((weight - 1.0) / heavier) * (following - x)
            x, weight = following, heavier
            length = 1.02 * length
            step += 1
        if not last <= max(1e3 * tol, CLOSE * CLOSE):
            raise RuntimeError(f"FISTA has not converged: the last change is {last} after {step} steps")
        return as_tree(x, init)

    return solver


def levenberg_marquardt(residuals: Callable[..., Any], tol: float = 1e-13, maxiter: int = 500) -> Solve:
    """The method of Levenberg and Marquardt for ½ Σ r², by QR of the Jacobian with the damping below it."""

    def solver(init, *args):
        def residual(v):
            return vector_of(residuals(as_tree(v, init), *args))

        x = vector_of(init)
        n = len(x)
        r = residual(x)
        y = r @ r
        slopes = jacfwd(residual)(x)
        size = np.max(np.abs(slopes.T @ r))
        scale = np.sqrt(np.max(np.sum(slopes**2, axis=0)))
        damping = 1e-3
        step, last, tries = 0, np.inf, 0
        moving = size > 0.0
        while moving and step < maxiter:
            below = damping * (scale + 1e-300) * np.eye(n)
            q, upper = np.linalg.qr(np.concatenate((slopes, below)))
            move = np.linalg.solve(upper, np.concatenate((r, np.zeros(n))) @ q)
            trial = x - move
            found = residual(trial)
            smaller = found @ found
            further = jacfwd(residual)(trial)
            flat = np.max(np.abs(further.T @ found))
            if smaller < y or (flat < size and smaller <= y * (1.0 + 1e-14)):
                last = np.max(np.abs(move)) / (1.0 + np.max(np.abs(x)))
                x, r, y, slopes, size = trial, found, smaller, further, flat
                damping = max(0.1 * damping, 1e-12)
                tries = 0
                moving = last > tol and size > 0.0
            else:
                damping = 10.0 * damping
                tries += 1
                moving = tries < 20
            step += 1
        if not (last <= max(tol, CLOSE) or size <= CLOSE * scale * np.sqrt(y)):
            raise RuntimeError(f"least_squares has not converged: the gradient is {size} after {step} steps")
        return as_tree(x, init)

    return solver

"""How good is a derivative at a solution that is not quite one?  As good as the solution, and better than unrolling.

The weights of a logistic regression with a ridge penalty are found by gradient descent that is stopped too early, and
are differentiated by the penalty: by the condition that the slope is 0, as if it were, and by differentiating the steps
themselves.  The implicit derivative is a smooth function of the weights, so that its error is at most a constant times
theirs (Blondel et al., arXiv:2105.15183, theorem 1): a line of slope 1 over all of the digits of float64.  The
derivative of the steps lags behind the weights, by about as many times as steps were taken.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from adcore import grad, jacfwd, minimize, root_jvp

Array = NDArray[np.float64]

RNG = np.random.default_rng(0)
ROWS, COLUMNS = 50, 5
DATA = RNG.normal(size=(ROWS, COLUMNS))
LABELS = np.sign(DATA @ RNG.normal(size=COLUMNS) + 0.5 * RNG.normal(size=ROWS))
PENALTY = 3.0
COUNTS = (4, 10, 20, 30, 40, 50, 60, 70, 80)


def loss(weights: Array, penalty: float) -> float:
    margins = LABELS * (DATA @ weights)
    return np.sum(np.log1p(np.exp(-margins))) + 0.5 * penalty * (weights @ weights)


slope = grad(loss)


def descent(penalty: float, steps: int) -> Array:
    """The weights after some steps of gradient descent from 0."""
    size = 1.0 / (0.25 * np.linalg.norm(DATA, 2) ** 2 + PENALTY)
    weights = np.zeros(COLUMNS)
    for _ in range(steps):
        weights = weights - size * slope(weights, penalty)
    return weights


def best(penalty: float) -> Array:
    return minimize(loss, np.zeros(COLUMNS), penalty)


unrolled = jacfwd(descent)


def implicit(weights: Array) -> Array:
    """The derivative of the minimum by the penalty, as if the weights were it."""
    return root_jvp(slope, weights, (PENALTY,), (1.0,))


def errors(counts: tuple[int, ...] = COUNTS) -> Array:
    """A row for each number of steps: the errors of the weights, of the implicit derivative, and of the steps' one."""
    weights, exact = best(PENALTY), jacfwd(best)(PENALTY)
    rows = []
    for steps in counts:
        found = descent(PENALTY, steps)
        away = (found - weights, implicit(found) - exact, unrolled(PENALTY, steps) - exact)
        rows.append([float(np.linalg.norm(a)) for a in away])
    return np.array(rows)


def draw(picture: str, found: Array) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.loglog(found[:, 0], found[:, 1], "o-", label="by the condition")
    axes.loglog(found[:, 0], found[:, 2], "s-", label="of the steps")
    axes.loglog(found[:, 0], found[:, 0], ":", color="gray", label="slope 1")
    axes.set(xlabel="error of the weights", ylabel="error of their derivative by the penalty")
    axes.set_title("Gradient descent, stopped early")
    axes.legend(frameon=False)
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    found = errors()
    print("steps   weights are off by   implicit derivative    ratio   derivative of the steps")
    for steps, (weights, condition, steps_own) in zip(COUNTS, found, strict=True):
        print(f"{steps:5d}   {weights:18.1e}   {condition:19.1e}   {condition / weights:6.3f}   {steps_own:23.1e}")
    if picture:
        draw(picture, found)


if __name__ == "__main__":
    main(*sys.argv[1:2])

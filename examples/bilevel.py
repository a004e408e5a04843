"""By the condition or by the steps?  The regularization of a multiclass support vector machine, differentiated twice.

The dual variables of the machine are a point of a simplex for each row of the data.  Projected gradient descent finds
them, and its map is also their optimality condition: a fixed point.  The loss on other data is differentiated by the
logarithm of the regularization through that condition, and through the steps of the descent, which takes the time and
the memory of all of them again (Blondel et al., arXiv:2105.15183, section 4.1).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import custom_fixed_point, grad

Array = NDArray[np.float64]

ROWS, FEATURES, CLASSES = 40, 60, 3
COUNTS = (25, 50, 100, 200, 400, 800, 1600)
REGULARIZATION = 4.0  # its logarithm
START = np.full((ROWS, CLASSES), 1.0 / CLASSES)


def data() -> tuple[Array, Array, Array, Array]:
    """Rows to fit and their classes, one of CLASSES columns being 1; and others to judge by."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2 * ROWS, FEATURES))
    scores = rows @ rng.normal(size=(FEATURES, CLASSES)) + 2.0 * rng.normal(size=(2 * ROWS, CLASSES))
    classes = np.eye(CLASSES)[np.argmax(scores, axis=1)]
    return rows[:ROWS], classes[:ROWS], rows[ROWS:], classes[ROWS:]


KNOWN, SHOWN, OTHERS, ANSWERS = data()
LARGEST = float(np.linalg.norm(KNOWN, 2)) ** 2


def weights(dual: Array, logarithm: float) -> Array:
    """The primal solution that belongs to a dual one."""
    return KNOWN.T @ (SHOWN - dual) / math.exp(logarithm)


def dual_loss(dual: Array, logarithm: float) -> float:
    return 0.5 * math.exp(logarithm) * np.sum(weights(dual, logarithm) ** 2) + np.sum(dual * SHOWN)


def projected(points: Array) -> Array:
    """The nearest point of the simplex for each row (Held, Wolfe and Crowder 1974)."""
    found = np.zeros_like(points)
    for i in range(points.shape[0]):
        falling = -np.sort(-points[i])
        total, shift = 0.0, 0.0
        for k in range(points.shape[1]):
            total += falling[k]
            if falling[k] * (k + 1.0) > total - 1.0:
                shift = (total - 1.0) / (k + 1.0)
        found[i] = np.maximum(points[i] - shift, 0.0)
    return found


slope = grad(dual_loss)


def step(dual: Array, logarithm: float) -> Array:
    """A step of projected gradient descent, whose size is the inverse of the largest curvature."""
    return projected(dual - (math.exp(logarithm) / LARGEST) * slope(dual, logarithm))


def descent(dual: Array, logarithm: float, steps: int) -> Array:
    for _ in range(steps):
        dual = step(dual, logarithm)
    return dual


def condition(dual: Array, logarithm: float, steps: int) -> Array:
    return step(dual, logarithm)


fit = custom_fixed_point(condition, solve="lu")(descent)


def judged(solver: Callable[..., Array]) -> Callable[[float, Array, int], float]:
    """The loss on other data of what a solver finds in some steps."""

    def loss(logarithm: float, start: Array, steps: int) -> float:
        dual = solver(start, logarithm, steps)
        return 0.5 * np.sum((OTHERS @ weights(dual, logarithm) - ANSWERS) ** 2) / ROWS

    return loss


implicit, unrolled = grad(judged(fit)), grad(judged(descent))


def timed(f: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """The result, and the least seconds of three calls."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        result = f(*arguments)
        times.append(time.perf_counter() - began)
    return result, min(times)


def compared(counts: tuple[int, ...] = COUNTS, exact_after: int = 20_000) -> Array:
    """A row for each number of steps: the errors and the seconds of both ways."""
    exact = implicit(REGULARIZATION, START, exact_after)
    rows = []
    for steps in counts:
        by_condition, fast = timed(implicit, REGULARIZATION, START, steps)
        by_steps, slow = timed(unrolled, REGULARIZATION, START, steps)
        rows.append([abs(by_condition / exact - 1.0), abs(by_steps / exact - 1.0), fast, slow])
    return np.array(rows)


def draw(picture: str, found: Array) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.6), dpi=150, layout="constrained")
    by_steps, by_time = figure.subplots(1, 2, sharey=True)
    for k, label in enumerate(("by the condition", "through the steps")):
        by_steps.loglog(COUNTS, found[:, k] + 1e-16, "o-", label=label)
        by_time.loglog(1e3 * found[:, 2 + k], found[:, k] + 1e-16, "o-", label=label)
    by_steps.set(xlabel="steps of the fit", ylabel="error of the derivative")
    by_time.set(xlabel="milliseconds")
    by_steps.legend(frameon=False)
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    found = compared()
    print("steps   by the condition              through the steps")
    for steps, (near, far, fast, slow) in zip(COUNTS, found, strict=True):
        print(f"{steps:5d}   {near:7.1e} in {1e3 * fast:6.2f} ms          {far:7.1e} in {1e3 * slow:6.2f} ms")
    if picture:
        draw(picture, found)


if __name__ == "__main__":
    main(*sys.argv[1:2])

"""Where is a model not differentiable?  Maps of the distance to the nearest kink, from the verdicts of its gradient.

Left, two weights of a small network of rectifiers: a kink is a line on which the input of a neuron is 0 for one of the
data.  Right, an epidemic in which contacts are cut on the first day on which more than a threshold is infected: over
transmission and threshold the day jumps from one to the next, and with it what the model says; between the jumps the
derivative by the threshold is 0, and tells nothing about what a stricter rule would do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from adcore import verdict

Array = np.ndarray
INPUTS = np.array([-1.0, -0.4, 0.3, 0.9])
TARGETS = np.array([0.8, 0.1, 0.2, 1.1])
DAYS, RECOVERY, CUT = 60, 0.2, 0.4


def loss(w: Array) -> float:
    """Of three neurons, of which two weights vary.

    Args:
        w: shape (2,), the weight of the first neuron and the bias of the second.
    """
    total = 0.0
    for k in range(len(INPUTS)):
        first = np.maximum(w[0] * INPUTS[k] + 0.2, 0.0)
        second = np.maximum(0.7 * INPUTS[k] + w[1], 0.0)
        third = np.maximum(first - second + 0.1, 0.0)
        total += (first + second - third - TARGETS[k]) ** 2
    return total


def epidemic(p: Array) -> float:
    """The share that has been infected after sixty days.

    Args:
        p: shape (2,), infections a day by one infected, and the share of infected at which contacts are cut.
    """
    susceptible, infected, rate = 0.999, 0.001, p[0]
    for _ in range(DAYS):
        if infected > p[1]:
            rate = CUT * p[0]
        new = rate * susceptible * infected
        susceptible, infected = susceptible - new, infected + new - RECOVERY * infected
    return 1.0 - susceptible


def distances(f: Callable[[Array], float], xs: Array, ys: Array) -> tuple[Array, Array]:
    """On a grid the distance to the nearest kink, in units of what is compared there, and the value."""
    judge = verdict(f)
    found = [[judge(np.array([x, y])) for x in xs.tolist()] for y in ys.tolist()]
    far = [[v.nearest[0].distance if not v.kinks else 0.0 for v in row] for row in found]
    return np.array(far), np.array([[v.value for v in row] for row in found])


def statuses(f: Callable[[Array], float], points: Array) -> dict[str, int]:
    """How many points have which status."""
    judge = verdict(f)
    found = [judge(p).status for p in points]
    return {s: found.count(s) for s in ("differentiable", "clarke", "incorrect", "unknown")}


def draw(picture: str, size: int = 160) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.0), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    shown: list[tuple[Any, Any, Array, Array, str, str]] = [
        (left, loss, np.linspace(-1.5, 1.5, size), np.linspace(-1.0, 1.0, size), "weight", "bias"),
        (
            right,
            epidemic,
            np.linspace(0.40, 0.46, size),
            np.linspace(0.09, 0.13, size),
            "infections a day",
            "threshold",
        ),
    ]
    for axes, f, xs, ys, xlabel, ylabel in shown:
        far, values = distances(f, xs, ys)
        norm = LogNorm(1e-4, float(far.max()))
        image = axes.pcolormesh(xs, ys, np.maximum(far, 1e-4), norm=norm, cmap="magma", rasterized=True)
        axes.contour(xs, ys, values, 8, colors="w", linewidths=0.4)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        figure.colorbar(image, ax=axes, label="distance to the nearest kink")
    left.set_title("a network")
    right.set_title("an epidemic with a rule")
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    grid = np.array([[x, y] for x in np.linspace(-1.5, 1.5, 31) for y in np.linspace(-1.0, 1.0, 21)])
    print("a network, on a grid of 651 points:", statuses(loss, np.round(grid, 3)))
    print(verdict(loss)(np.array([0.5, 0.28])))
    print("an epidemic, at the day before the rule acts:")
    print(verdict(epidemic)(np.array([0.45, 0.06])))
    if picture:
        draw(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])

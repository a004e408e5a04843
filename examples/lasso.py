"""Why subgradient descent misleads on a lasso, and what the verdict of its gradient says about it.

The penalty λ‖w‖₁ has its kink where a weight is 0, which is where its minimum is.  Descent with a fixed step does not
come to rest there: each weight hops over 0 by a step times λ, so that a larger penalty leaves larger weights (Kumar and
others, GD doesn't make the cut).  Every point that it visits is differentiable and its gradient right; nothing is wrong
with the derivative, but the kink is nearer than the step.  At 0 itself the gradient is an element of Clarke's
subdifferential that is not 0, though 0 is another one: the point is the minimum.  A proximal step finds it.
"""

from __future__ import annotations

import sys

import numpy as np

from adcore import Verdict, grad, minimize, verdict
from adcore.proximal import prox_lasso

Array = np.ndarray
STEP, STEPS, WEIGHTS = 0.01, 1001, 10
PENALTIES = (2.0, 5.0, 10.0, 50.0)


def data() -> tuple[Array, Array]:
    """Twenty rows of ten columns, and targets whose largest correlation with a column is 4."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, WEIGHTS)), rng.standard_normal(20)
    return x / np.sqrt(20.0), y * (4.0 / np.max(np.abs(x.T @ y / np.sqrt(20.0))))


X, Y = data()


def misfit(w: Array) -> float:
    away = X @ w - Y
    return 0.5 * (away @ away)


def lasso(w: Array, penalty: float) -> float:
    return misfit(w) + penalty * np.sum(np.abs(w))


slope = grad(lasso)


def descent(penalty: float) -> Array:
    """The weights after steps of subgradient descent from 0."""
    w = np.zeros(WEIGHTS)
    for _ in range(STEPS):
        w = w - STEP * slope(w, penalty)
    return w


def proximal(penalty: float) -> Array:
    """The weights at the minimum, by proximal steps."""
    return minimize(misfit, np.zeros(WEIGHTS), prox=lambda w, t: prox_lasso(w, penalty, t))


def explained(penalty: float) -> tuple[Verdict, Verdict]:
    """The verdicts where descent has come to, and at the minimum."""
    judge = verdict(lasso, budget=10_000)
    return judge(descent(penalty), penalty), judge(proximal(penalty), penalty)


def draw(picture: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 3.6), dpi=150, layout="constrained")
    axes = figure.subplots()
    penalties = np.geomspace(0.5, 50.0, 40)
    axes.loglog(penalties, [np.sum(np.abs(descent(p))) for p in penalties.tolist()], label="subgradient descent")
    found = np.array([np.sum(np.abs(proximal(p))) for p in penalties.tolist()])
    axes.loglog(penalties[found > 0.0], found[found > 0.0], label="proximal steps (0 beyond)")
    axes.set(xlabel="penalty λ", ylabel="‖w‖₁", title="a larger penalty, larger weights")
    axes.legend(frameon=False)
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    print("    λ   ‖w‖₁ by descent   by proximal steps   nearest kink / step   0 is a subgradient at the minimum")
    for penalty in PENALTIES:
        found, best = explained(penalty)
        near = found.nearest[0].distance / (STEP * penalty)
        sizes = np.sum(np.abs(descent(penalty))), np.sum(np.abs(proximal(penalty)))
        print(f"{penalty:5g}   {sizes[0]:15.3f}   {sizes[1]:17.3f}   {near:19.2f}   {best.stationary} ({best.status})")
    print("\nat the minimum for λ = 10:")
    print(explained(10.0)[1])
    if picture:
        draw(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])

"""Where is a simulation with contact differentiable?  A proof on a box of initial states, but for a sliver.

A ball is thrown, falls and bounces off the floor; time goes on in steps.  The height at the end is a smooth function of
the height and the velocity at the beginning, but where the step in which a bounce falls changes: there it jumps.  Its
derivative, which any tool computes, says nothing of these jumps.  `certify` runs the same loop over intervals, proves
of most boxes that no jump lies in them, and leaves a thin part undecided in which all jumps are.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from adcore import Certificate, certify, grad

GRAVITY, STEP, STEPS, RESTITUTION = 9.81, 0.05, 16, 0.7
LOW, HIGH = np.array([0.4, 0.0]), np.array([0.9, 1.5])  # height, upward velocity


def final_height(start: Any) -> float:
    """The height after the last step, of a ball that starts with this height and velocity."""
    height, velocity = start[0], start[1]
    for _ in range(STEPS):
        velocity = velocity - GRAVITY * STEP
        height = height + velocity * STEP
        if height < 0.0:
            height, velocity = -RESTITUTION * height, -RESTITUTION * velocity
    return height


def bounces(start: np.ndarray) -> list[int]:
    """The steps in which the ball bounces."""
    height, velocity = start
    found: list[int] = []
    for k in range(STEPS):
        velocity = velocity - GRAVITY * STEP
        height = height + velocity * STEP
        if height < 0.0:
            height, velocity = -RESTITUTION * height, -RESTITUTION * velocity
            found.append(k)
    return found


def certified(budget: int) -> Certificate:
    return certify(final_height, LOW, HIGH, budget)


def draw(found: Certificate, picture: str) -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(8.0, 3.8), dpi=150, layout="constrained")
    heights, boxes = figure.subplots(1, 2, sharey=True)
    grid = [np.linspace(low, high, 200) for low, high in zip(LOW, HIGH, strict=True)]
    values = [[final_height(np.array([h, v])) for h in grid[0].tolist()] for v in grid[1].tolist()]
    shown = heights.pcolormesh(*grid, np.array(values), cmap="viridis", rasterized=True)
    figure.colorbar(shown, ax=heights, label="height at the end")
    heights.set(xlabel="height at the beginning", ylabel="velocity at the beginning", title="the simulation")
    boxes.set_facecolor("#d9ecd9")
    for box in found.undecided:
        width, height = box.upper - box.lower
        boxes.add_patch(Rectangle((box.lower[0], box.lower[1]), width, height, color="#b03030", linewidth=0.0))
    boxes.set(xlim=(LOW[0], HIGH[0]), ylim=(LOW[1], HIGH[1]), xlabel="height at the beginning")
    boxes.set_title(f"proven differentiable: {100.0 * found.share:.1f} %, green")
    figure.savefig(picture)


def main(picture: str | None = None, budget: str = "200") -> None:
    found = certified(int(budget))
    print(
        f"{found.status}: {100.0 * found.share:.2f} % of the box are proven to be free of kinks, {found.examined} boxes"
    )
    if found.refutation:
        print(f"  somewhere in the rest {found.refutation}")
    for reason in found.reasons:
        print(f"  {reason}")
    start = 0.5 * (LOW + HIGH)
    part = certify(final_height, start - 0.01, start + 0.01)
    print(f"around the middle, where it bounces in the steps {bounces(start)}: {part.status}")
    print(f"  the gradient is in {part.gradient}, in the middle {grad(final_height)(start)}")
    if picture:
        draw(found, picture)


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""How does a block answer to a push that does not move it?  Contact on a central path, with its parameter as a dial.

A block at rest is pushed with a force F for a time h, and dry friction holds it with up to 5.  Friction is the force
that takes the most energy: b with |b| ≤ 5 for which v·b is largest, which is the complementarity λ₊ (5 - b) = 0,
λ₋ (5 + b) = 0 with the velocity v = λ₊ - λ₋ and λ± ≥ 0.  Below the threshold the true derivative dv/dF is 0, and tells
an optimizer nothing.  Interior point methods solve λ₊ (5 - b) = κ and λ₋ (5 + b) = κ instead, with κ → 0, and the
derivative of these conditions at any κ is that of a smoothed contact (Howell et al., Dojo, arXiv:2203.00806).
"""

from __future__ import annotations

import sys

import numpy as np

from adcore import grad
from adcore.layers import quadratic_program

THRESHOLD, STEP, MASS = 5.0, 0.1, 1.0
BOTH, LIMITS = np.array([[1.0], [-1.0]]), np.full(2, THRESHOLD)
RELAXED = (1e-1, 1e-2, 1e-4, 1e-6)


def velocity(force: float, kappa: float) -> float:
    """The velocity after a step.

    With m v = h (F - b) the conditions are those of Karush, Kuhn and Tucker for the minimum of ½ h/m (b - F)² over
    the forces of friction b, with λ₊ and λ₋ as the multipliers of b ≤ 5 and -b ≤ 5.

    Args:
        force: F, which pushes.
        kappa: κ, the products of the complementary pairs.
    """
    softness = STEP / MASS * np.eye(1)
    _, _, held = quadratic_program(softness, -softness[0] * force, G=BOTH, h=LIMITS, kappa=kappa)
    return held[0] - held[1]


slope = grad(velocity)


def draw(picture: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.6), dpi=150, layout="constrained")
    values, slopes = figure.subplots(1, 2)
    forces = np.linspace(4.0, 6.0, 81)
    for kappa in RELAXED:
        values.plot(forces, [velocity(f, kappa) for f in forces.tolist()], label=f"κ = {kappa:g}")
        slopes.plot(forces, [slope(f, kappa) for f in forces.tolist()])
    values.set(xlabel="force", ylabel="velocity", title="a push near the threshold of friction")
    slopes.set(xlabel="force", ylabel="dv/dF", title="its derivative by the implicit function")
    values.legend(frameon=False)
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    print("     κ   velocity at F = 4.9    dv/dF    dv/dκ")
    for kappa in RELAXED:
        by_force, by_kappa = grad(velocity, argnums=(0, 1))(4.9, kappa)
        print(f"{kappa:6.0e}   {velocity(4.9, kappa):19.3e}   {by_force:6.4f}   {by_kappa:6.3f}")
    print(f"above the threshold, at F = 6: dv/dF = {slope(6.0, 1e-8):.6f}, and h / m = {STEP / MASS}")
    if picture:
        draw(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])

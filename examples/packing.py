"""Where do the particles go if half of them grow?  The sensitivity of a packing of soft spheres to their diameters.

Particles of two diameters lie in a periodic box and push each other apart where they overlap.  FIRE, a method of
molecular dynamics with friction, finds an equilibrium.  How it moves with the diameter of one half follows from its
condition, that all forces are 0.  Its derivative is singular, as nothing holds the packing as a whole in its place:
of all answers `solve="lstsq"` gives the one that moves the least.  The derivative of FIRE's steps is no answer: the
way there is chaotic (Blondel et al., arXiv:2105.15183, section 4.4; Metz et al., arXiv:2111.05803).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from adcore import custom_root, grad, jit, jvp

Array = NDArray[np.float64]

PARTICLES = 64
DIAMETER = 0.6  # of the first half; the others have 1
BOX = 6.1
MOST = 100_000  # steps
COUNTS = (100, 200, 400, 800, 1600, 3200)


def energy(places: Array, diameter: float) -> float:
    """The sum over all pairs of ½ (1 - r / σ)² where they overlap."""
    total = 0.0
    for i in range(len(places)):
        for j in range(i):
            x, y = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1]
            x, y = x - BOX * np.round(x / BOX), y - BOX * np.round(y / BOX)
            contact = 0.5 * ((diameter if 2 * i < len(places) else 1.0) + (diameter if 2 * j < len(places) else 1.0))
            square = x * x + y * y
            if square < contact * contact:
                total += 0.5 * (1.0 - np.sqrt(square) / contact) ** 2
    return total


slope = grad(energy)


def fire(places: Array, diameter: float, steps: int) -> Array:
    """Some steps of FIRE (Bitzek et al., Phys. Rev. Lett. 97, 170201, 2006), until there is no force."""
    velocity, time, mixing, good = np.zeros_like(places), 0.1, 0.1, 0
    force = -slope(places, diameter)
    size = np.sqrt(np.sum(force**2))
    step = 0
    while step < steps and size > 1e-14:
        velocity = velocity + time * force
        if np.sum(force * velocity) > 0.0:
            velocity = (1.0 - mixing) * velocity + mixing * np.sqrt(np.sum(velocity**2)) / size * force
            good += 1
            if good > 5:
                time, mixing = min(1.1 * time, 0.3), 0.99 * mixing
        else:
            velocity = np.zeros_like(places)
            time, mixing, good = 0.5 * time, 0.1, 0
        places = places + time * velocity
        force = -slope(places, diameter)
        size = np.sqrt(np.sum(force**2))
        step += 1
    return places


def forces(places: Array, diameter: float, steps: int) -> Array:
    return slope(places, diameter)


def moving(solver: Callable[..., Array]) -> Callable[[Array, int], tuple[Array, Array]]:
    """What a solver finds from some places in so many steps, and how it moves with the diameter."""

    def found(places: Array, steps: int) -> tuple[Array, Array]:
        return jvp(lambda diameter: solver(places, diameter, steps), (DIAMETER,), (1.0,))

    return jit(found)


settled = jit(fire)
by_condition = moving(custom_root(forces, solve="lstsq")(fire))
by_steps = moving(fire)


def start(seed: int = 1) -> Array:
    return np.random.default_rng(seed).uniform(0.0, BOX, (PARTICLES, 2))


def difference(places: Array, step: float = 1e-5) -> Array:
    """The same by central differences, from an equilibrium."""
    ends = [settled(places, DIAMETER + sign * step, MOST) for sign in (1.0, -1.0)]
    return (ends[0] - ends[1]) / (2.0 * step)


def draw(picture: str, places: Array, motion: Array) -> None:
    from matplotlib.collections import EllipseCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.6), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    inside = places % BOX
    widths = np.where(2 * np.arange(PARTICLES) < PARTICLES, DIAMETER, 1.0)
    colours = np.where(widths < 1.0, "tab:orange", "tab:blue").tolist()
    axes.add_collection(
        EllipseCollection(
            widths,
            widths,
            np.zeros(PARTICLES),
            units="x",
            offsets=inside,
            offset_transform=axes.transData,
            facecolors=colours,
            alpha=0.4,
        )
    )
    axes.quiver(*inside.T, *motion.T, angles="xy", scale_units="xy", scale=5.0, width=0.004)
    axes.set(xlim=(0.0, BOX), ylim=(0.0, BOX), aspect="equal", xticks=[], yticks=[])
    axes.set_title("How the packing moves if the small ones grow")
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    places, motion = by_condition(start(), MOST)
    expected = difference(places)
    away = np.linalg.norm(motion - expected) / np.linalg.norm(expected)
    print(f"{PARTICLES} particles, energy {energy(places, DIAMETER):.4f}")
    print(f"by the condition: |dx/dσ| = {np.linalg.norm(motion):.4f}, {away:.0e} from central differences")
    print("through the steps of FIRE:")
    for steps in COUNTS:
        reached, motion_of_steps = by_steps(start(), steps)
        force = np.max(np.abs(slope(reached, DIAMETER)))
        away = np.linalg.norm(motion_of_steps - expected) / np.linalg.norm(expected)
        print(f"  {steps:5d} steps: the largest force is {force:.0e}, dx/dσ is off by {away:.0e} times itself")
    if picture:
        draw(picture, places, motion)


if __name__ == "__main__":
    main(*sys.argv[1:2])

"""How fast does a moon have to be to pass a given point?  The gradient of a simulation with a list of objects.

A planet and two moons attract each other.  Each step changes the velocity and position of every body in place, and the
distance of the first moon from its target is differentiated with respect to the moon itself: the gradient is a `Body`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from adcore import value_and_grad

STEPS, STEP = 400, 0.01
TARGET = np.array([-0.9, 0.8])


@dataclass
class Body:
    """A point mass, and how far it has been from the origin."""

    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    mass: float
    distances: list[float] = field(default_factory=list)

    def pulled_by(self, other: Body) -> None:
        between = other.position - self.position
        self.velocity += STEP * other.mass * between / (between @ between + 1e-4) ** 1.5

    def move(self) -> None:
        self.position += STEP * self.velocity
        self.distances.append(float(np.sqrt(self.position @ self.position)))


def miss(moon: Body, others: tuple[Body, ...]) -> float:
    """The squared distance of the moon from the target, and a little for coming close to the planet."""
    moon, others = deepcopy(moon), deepcopy(others)
    bodies = [moon, *others]
    for _ in range(STEPS):
        for body in bodies:
            for other in bodies:
                if other is not body:
                    body.pulled_by(other)
        for body in bodies:
            body.move()
    away = moon.position - TARGET
    return away @ away + 1e-4 * sum(1.0 / d for d in moon.distances)


def main() -> None:
    planet = Body(np.zeros(2), np.zeros(2), 1.0)
    small = Body(np.array([0.0, 2.0]), np.array([-0.7, 0.0]), 1e-3)
    moon = Body(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 1e-3)
    improve = value_and_grad(miss)
    for attempt in range(60):
        value, gradient = improve(moon, (planet, small))
        if attempt % 20 == 0:
            print(f"attempt {attempt}: {value:.5f}, velocity {moon.velocity}")
        moon.velocity -= 0.005 * gradient.velocity
    print(f"in the end: {miss(moon, (planet, small)):.5f}, velocity {moon.velocity}")


if __name__ == "__main__":
    main()

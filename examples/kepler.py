"""A planet on an eccentric orbit, by Taylor's method: a solver of order 20 for which nobody has derived anything.

The state x solves x' = f(x).  If its Taylor coefficients up to order n are known, `jet` gives those of f(x(t)), and
that of tⁿ, divided by n + 1, is the next one of x.  A step evaluates the polynomial, as far as its last terms say that
it is exact.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from adcore import jet

ORDER = 20
ACCURACY = 1e-15
ECCENTRICITY = 0.6
State = NDArray[np.float64]


def falling(state: State) -> State:
    """Newton's law of gravitation: the derivative of position and velocity, side by side in one array."""
    x, y = state[0], state[1]
    square = x * x + y * y
    pull = 1.0 / (square * math.sqrt(square))
    return np.array([state[2], state[3], -pull * x, -pull * y])


coefficients = jet(falling)


def series(state: State) -> list[State]:
    """The Taylor coefficients of the solution that starts at a state."""
    known = [np.zeros_like(state) for _ in range(ORDER)]
    known[0] = falling(state)
    for n in range(1, ORDER):
        _, found = coefficients(state, tuple(known))
        known[n] = found[n - 1] / (n + 1)
    return known


def step_size(known: list[State]) -> float:
    """As far as the last two terms are below the accuracy (À. Jorba and M. Zou, Exp. Math. 14, 2005)."""
    sizes = [(n, float(np.max(np.abs(known[n - 1])))) for n in (ORDER - 1, ORDER)]
    return min((ACCURACY / size) ** (1.0 / n) for n, size in sizes)


def polynomial(state: State, known: list[State], time: float) -> State:
    """The state after some time, by Horner's scheme."""
    total = np.zeros_like(state)
    for c in reversed(known):
        total = (total + c) * time
    return state + total


def solution(state: State, end: float) -> tuple[State, int]:
    """The state at the end, and how many steps it took."""
    time, steps = 0.0, 0
    while time < end:
        known = series(state)
        step = min(step_size(known), end - time)
        state = polynomial(state, known, step)
        time, steps = time + step, steps + 1
    return state, steps


def energy(state: State) -> float:
    return 0.5 * float(state[2:] @ state[2:]) - 1.0 / math.hypot(state[0], state[1])


def main() -> None:
    start = np.array([1.0 - ECCENTRICITY, 0.0, 0.0, math.sqrt((1.0 + ECCENTRICITY) / (1.0 - ECCENTRICITY))])
    print("orbits   steps   distance from the start   change of energy")
    for orbits in (1, 5, 25):
        end, steps = solution(start, 2.0 * math.pi * orbits)
        away = float(np.max(np.abs(end - start)))
        print(f"{orbits:6d}   {steps:5d}   {away:23.1e}   {energy(end) - energy(start):16.1e}")


if __name__ == "__main__":
    main()

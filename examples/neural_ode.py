"""A neural differential equation learns a spiral; its gradient by the continuous adjoint is as exact as one asks.

The state's velocity is a network of one hidden layer, and the path is fitted to points of a spiral by Adam.  The
adjoint equation runs back in time and keeps nothing of the way: the error of the gradient falls with the tolerance of
the solver (Chen, Rubanova, Bettencourt and Duvenaud, arXiv:1806.07366).
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from adcore import grad, odeint, value_and_grad

Array = NDArray[np.float64]
HIDDEN = 24
TIMES = np.linspace(0.0, 3.0, 16)
START = np.array([2.0, 0.0])
STEPS = 500
TOLERANCES = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
SPIRAL = np.array([[-0.1, 2.0], [-2.0, -0.1]])


def network(state: Array, time: float, first: Array, second: Array) -> Array:
    """The velocity: the state through a hidden layer."""
    return second @ np.tanh(first @ state)


def spiral() -> Array:
    """Points of dx/dt = A x."""
    return odeint(lambda state, time: SPIRAL @ state, START, TIMES, rtol=1e-10, atol=1e-10)


def loss(first: Array, second: Array, points: Array, tolerance: float) -> float:
    path = odeint(network, START, TIMES, first, second, rtol=tolerance, atol=tolerance)
    return np.mean((path - points) ** 2)


def drawn() -> list[Array]:
    """The weights in the beginning."""
    rng = np.random.default_rng(0)
    return [0.3 * rng.normal(size=(HIDDEN, 2)), 0.3 * rng.normal(size=(2, HIDDEN))]


def fitted(steps: int = STEPS) -> tuple[Array, Array, list[float]]:
    """Weights after some steps of Adam, and the losses on the way."""
    weights = drawn()
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    slope, points = value_and_grad(loss, argnums=(0, 1)), spiral()
    losses: list[float] = []
    for step in range(1, steps + 1):
        value, slopes = slope(*weights, points, 1e-6)
        losses.append(float(value))
        for k, g in enumerate(slopes):
            m, v = moments[k]
            moments[k] = m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
            weights[k] = weights[k] - 0.02 * (m / (1.0 - 0.9**step)) / (np.sqrt(v / (1.0 - 0.99**step)) + 1e-8)
    return weights[0], weights[1], losses


def errors(first: Array, second: Array) -> list[float]:
    """Of the gradient by the adjoint equation, by the size of that of a tight solution."""
    slope, points = grad(loss, argnums=(0, 1)), spiral()
    exact = np.concatenate([np.ravel(g) for g in slope(first, second, points, 1e-13)])
    found: list[float] = []
    for tolerance in TOLERANCES:
        one = np.concatenate([np.ravel(g) for g in slope(first, second, points, tolerance)])
        found.append(float(np.linalg.norm(one - exact) / np.linalg.norm(exact)))
    return found


def draw(picture: str, first: Array, second: Array, losses: list[float], found: list[float]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.4), dpi=150, layout="constrained")
    one, two, three = figure.subplots(1, 3)
    points, path = spiral(), odeint(network, START, TIMES, first, second)
    one.plot(points[:, 0], points[:, 1], "o", label="spiral")
    one.plot(path[:, 0], path[:, 1], "-", label="learnt")
    one.legend(frameon=False)
    two.semilogy(losses)
    two.set(xlabel="step", ylabel="loss")
    three.loglog(TOLERANCES, found, "o-")
    three.set(xlabel="tolerance", ylabel="error of the gradient")
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    first, second, losses = fitted()
    print(f"loss {losses[0]:.3f} before, {losses[-1]:.1e} after {len(losses)} steps")
    found = errors(*drawn())
    print("tolerance   error of the gradient by the continuous adjoint")
    for tolerance, error in zip(TOLERANCES, found, strict=True):
        print(f"{tolerance:9.0e}   {error:.1e}")
    if picture:
        draw(picture, first, second, losses, found)


if __name__ == "__main__":
    main(*sys.argv[1:2])

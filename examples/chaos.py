"""How far do gradients reach through a loop?  The logistic map and the Lorenz system, their exponents and remedies.

Products of Jacobians grow like exp(λ T) (Metz et al., Gradients are not all you need, arXiv:2111.05803), and the
gradient of what comes out after T iterations with them.  Cut every so many iterations it stays as large as the horizon
says that it means anything.
"""

from __future__ import annotations

import math
import sys

import numpy as np
from numpy.typing import NDArray

from adcore import grad, stability, truncate

Array = NDArray[np.float64]

LENGTHS = (10, 20, 40)
STARTS = np.linspace(0.1, 0.9, 401)
RATES = (2.8, 3.7, 4.0)


def logistic(x: float, r: float, n: int) -> float:
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def lorenz_rate(state: Array) -> Array:
    x, y, z = state[0], state[1], state[2]
    return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])


def lorenz(state: Array, steps: int, dt: float) -> float:
    for _ in range(steps):
        k1 = lorenz_rate(state)
        k2 = lorenz_rate(state + 0.5 * dt * k1)
        k3 = lorenz_rate(state + 0.5 * dt * k2)
        k4 = lorenz_rate(state + dt * k3)
        state = state + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return state[0]


def median_gradient(r: float, n: int, every: int | None = None) -> float:
    """The median over starts of the size of the derivative by r, cut every so many iterations if asked for."""
    slope = grad(logistic if every is None else truncate(logistic, every), argnums=1)
    return float(np.median([abs(slope(x, r, n)) for x in STARTS]))


def draw(picture: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.8), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for r in RATES:
        loop = stability(logistic)(0.3, r, 60).worst
        assert loop is not None
        axes.plot(loop.at, np.array(loop.log_norms) / math.log(2.0), label=f"r = {r}: {loop.verdict}")
    lengths = np.arange(1, 61)
    axes.plot(lengths, [math.log2(median_gradient(4.0, n)) for n in lengths], "k:", label="r = 4: median |dx/dr|")
    cut = [math.log2(median_gradient(4.0, n, every=9)) for n in lengths]
    axes.plot(lengths, cut, "k--", label="the same, truncate(f, every=9)")
    axes.set(xlabel="iterations T", ylabel="log₂ of the norm of the product", title="The logistic map")
    axes.legend(fontsize=8)
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    print(stability(logistic, transient=100)(0.3, 4.0, 10_000))
    print(stability(lorenz, transient=2000, dt=0.01)(np.ones(3), 20_000, 0.01))
    print("logistic map, log₂ of the median derivative by r:")
    for n in LENGTHS:
        chaotic, cut, tame = (
            math.log2(median_gradient(r, n, every)) for r, every in ((4.0, None), (4.0, 9), (2.8, None))
        )
        print(f"  {n:3d} iterations: {chaotic:6.2f} at r = 4, {cut:5.2f} cut every 9, {tame:5.2f} at r = 2.8")
    if picture:
        draw(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])

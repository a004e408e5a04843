"""Which part of a rod has to conduct well, so that its far end warms up?  The gradient of an in-place simulation.

A rod of 21 cells starts cold; its left end is held at 1 degree.  Each step moves heat between neighbours, written into
the array in place, and the gradient of the far end's temperature with respect to every conductance comes back at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adcore import value_and_grad

STEPS = 2_000


def far_end(conductance: NDArray[np.float64]) -> float:
    """The temperature of the last cell after `STEPS` steps.

    Args:
        conductance: between each cell and the next, as the part of the difference that flows in one step; below 0.5.
    """
    cells = conductance.shape[0] + 1
    temperature = np.zeros(cells)
    temperature[0] = 1.0
    flow = np.zeros(cells - 1)
    for _ in range(STEPS):
        for k in range(cells - 1):
            flow[k] = conductance[k] * (temperature[k] - temperature[k + 1])
        for k in range(1, cells - 1):
            temperature[k] += flow[k - 1] - flow[k]
        temperature[cells - 1] += flow[cells - 2]
    return temperature[-1]


def main() -> None:
    conductance = np.full(20, 0.3)
    temperature, gradient = value_and_grad(far_end)(conductance)
    print(f"The far end reaches {temperature:.4f} degrees.  What more conductance would add, along the rod:")
    for k, slope in enumerate(gradient):
        print(f"  between cells {k:2d} and {k + 1:2d}  {slope:.4f}  {'#' * round(400 * slope)}")


if __name__ == "__main__":
    main()

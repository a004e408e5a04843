"""Linear least squares: a polynomial against the sign function, and the gradient by its coefficients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adcore import grad, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "gradient", "inputs", "objective"]

POINTS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8196, 16392)
COEFFICIENTS = 128


def objective(x: Array, n: int) -> float:
    """Half the sum of squares of sign(t) - Σ x_j t^j at n points t from -1 to 1."""
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        residual = np.sign(t)
        power = 1.0
        for j in range(x.shape[0]):
            residual -= x[j] * power
            power *= t
        total += residual * residual
    return 0.5 * total


gradient = grad(objective)


def inputs(n: int, m: int) -> tuple[Array, int]:
    """Uniform random coefficients."""
    return np.random.default_rng(31337).random(m), n


def cases(tiny: bool = False) -> Iterator[Case]:
    """Every number of points."""
    for n, m in [(5, 3)] if tiny else [(n, COEFFICIENTS) for n in POINTS]:
        yield Case(f"llsq n{n} m{m}", contenders(inputs(n, m), gradient, objective, jax_ports.llsq))


def _arguments(message: Any) -> tuple[Array, int]:
    return np.array(message["x"], dtype=float), message["n"]


EVALUATIONS = {
    "primal": Evaluation(_arguments, jit(objective), float),
    "gradient": Evaluation(_arguments, gradient, np.ndarray.tolist),
}

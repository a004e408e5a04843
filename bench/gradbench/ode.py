"""ODE: a chain of equations by the classical Runge-Kutta method, and the gradient of the last one's solution."""

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

__all__ = ["EVALUATIONS", "cases", "gradient", "inputs", "last", "solution"]

EQUATIONS = (1000, 10_000, 100_000)
STEPS = (1, 10, 100)


def slope(x: Array, y: Array) -> Array:
    z = np.empty_like(x)
    z[0] = x[0]
    z[1:] = x[1:] * y[:-1]
    return z


def solution(x: Array, s: int) -> Array:
    """y at time 2, by s steps from y(0) = 0, where y_0' = x_0 and y_i' = x_i y_{i-1}."""
    h = 2.0 / s
    y = np.zeros_like(x)
    for _ in range(s):
        k1 = slope(x, y)
        k2 = slope(x, y + 0.5 * h * k1)
        k3 = slope(x, y + 0.5 * h * k2)
        k4 = slope(x, y + h * k3)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return y


def last(x: Array, s: int) -> float:
    """The solution of the last equation."""
    return solution(x, s)[-1]


gradient = grad(last)


def inputs(n: int, s: int) -> tuple[Array, int]:
    """Uniform random coefficients."""
    return np.random.default_rng(31337).random(n), s


def cases(tiny: bool = False) -> Iterator[Case]:
    """Every number of equations with every number of steps, and one whose gradient is not zero.

    What an element of x does reaches four more equations a step, so that the last one of many does not see the first.
    """
    for n, s in [(6, 3)] if tiny else [(8, 50)] + [(n, s) for n in EQUATIONS for s in STEPS]:
        yield Case(f"ode n{n} s{s}", contenders(inputs(n, s), gradient, last, jax_ports.ode))


def _arguments(message: Any) -> tuple[Array, int]:
    return np.array(message["x"], dtype=float), message["s"]


EVALUATIONS = {
    "primal": Evaluation(_arguments, jit(solution), np.ndarray.tolist),
    "gradient": Evaluation(_arguments, gradient, np.ndarray.tolist),
}

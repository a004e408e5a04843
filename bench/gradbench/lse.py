"""Log-sum-exp, the smooth maximum, and its gradient, the softmax."""

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

SIZES = tuple(2500 * 2**k for k in range(10))


def objective(x: Array) -> float:
    """log Σ exp(x), shifted by the largest element."""
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


gradient = grad(objective)


def inputs(n: int) -> tuple[Array]:
    """Uniform random numbers."""
    return (np.random.default_rng(31337).random(n),)


def cases(tiny: bool = False) -> Iterator[Case]:
    """Every size."""
    for n in (5,) if tiny else SIZES:
        yield Case(f"lse n{n}", contenders(inputs(n), gradient, objective, jax_ports.lse))


def _arguments(message: Any) -> tuple[Array]:
    return (np.array(message["x"], dtype=float),)


EVALUATIONS = {
    "primal": Evaluation(_arguments, jit(objective), float),
    "gradient": Evaluation(_arguments, gradient, np.ndarray.tolist),
}

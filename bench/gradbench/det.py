"""Determinants by expansion along the first row, with linked lists of rows and columns; and their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import grad, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "determinant", "gradient", "inputs", "primal"]

Links = NDArray[np.int64]


def minor(A: Array, n: int, m: int, r: Links, c: Links) -> float:
    """The determinant of the m rows and columns of A, n by n, that are in the lists.

    Row r[i] follows row i, and r[n] is the first one; the same for columns.
    """
    row = r[n]
    column = c[n]
    if m == 1:
        return A[row, column]
    value = 0.0
    sign = 1.0
    r[n] = r[row]
    before = n
    for _ in range(m):
        c[before] = c[column]
        value += sign * A[row, column] * minor(A, n, m - 1, r, c)
        c[before] = column
        before = column
        column = c[column]
        sign = -sign
    r[n] = row
    return value


def determinant(A: Array, n: int) -> float:
    """The determinant of A, n by n."""
    r = (np.arange(n + 1) + 1) % (n + 1)
    c = (np.arange(n + 1) + 1) % (n + 1)
    return minor(A, n, n, r, c)


# A recursion is followed to its end while it is compiled, so its depth has to be a constant then.
primal = jit(determinant, static_argnums=1)
gradient = grad(determinant, static_argnums=1)


def inputs(n: int) -> tuple[Array, int]:
    """A uniform random matrix, n by n."""
    return np.random.default_rng(31337).random((n, n)), n


def cases(tiny: bool = False) -> Iterator[Case]:
    """The sizes from 5 to 11; in JAX, which holds all minors at once, up to 10."""
    for n in (4,) if tiny else range(5, 12):
        everyone = contenders(inputs(n), gradient, determinant, jax_ports.det, static=(1,))
        yield Case(f"det {n}", {name: make for name, make in everyone.items() if n <= 10 or "jax" not in name})


def _arguments(message: Any) -> tuple[Array, int]:
    n = message["ell"]
    return np.array(message["A"], dtype=float).reshape(n, n), n


def _output(gradient: Array) -> list[float]:
    return gradient.ravel().tolist()


EVALUATIONS = {
    "primal": Evaluation(_arguments, primal, float),
    "gradient": Evaluation(_arguments, gradient, _output),
}

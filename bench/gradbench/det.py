"""Determinants by expansion along the first row, with linked lists of rows and columns; and their gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import grad, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["DETERMINANTS", "EVALUATIONS", "cases", "determinant", "inputs"]

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


# A recursion is followed to its end while it is compiled, so its depth has to be a constant in the source.
DETERMINANTS: dict[int, Callable[[Array], float]] = {
    1: lambda A: determinant(A, 1),
    2: lambda A: determinant(A, 2),
    3: lambda A: determinant(A, 3),
    4: lambda A: determinant(A, 4),
    5: lambda A: determinant(A, 5),
    6: lambda A: determinant(A, 6),
    7: lambda A: determinant(A, 7),
    8: lambda A: determinant(A, 8),
    9: lambda A: determinant(A, 9),
    10: lambda A: determinant(A, 10),
    11: lambda A: determinant(A, 11),
}
PRIMALS = {n: jit(f) for n, f in DETERMINANTS.items()}
GRADIENTS = {n: grad(f) for n, f in DETERMINANTS.items()}


def inputs(n: int) -> tuple[Array]:
    """A uniform random matrix."""
    return (np.random.default_rng(31337).random((n, n)),)


def cases(tiny: bool = False) -> Iterator[Case]:
    """The sizes from 5 to 11; in JAX, which holds all minors at once, up to 10."""
    for n in (4,) if tiny else range(5, 12):
        everyone = contenders(inputs(n), GRADIENTS[n], DETERMINANTS[n], jax_ports.det)
        yield Case(f"det {n}", {name: make for name, make in everyone.items() if n <= 10 or "jax" not in name})


def _arguments(message: Any) -> tuple[Array]:
    n = message["ell"]
    return (np.array(message["A"], dtype=float).reshape(n, n),)


def _output(gradient: Array) -> list[float]:
    return gradient.ravel().tolist()


EVALUATIONS = {
    "primal": Evaluation(_arguments, lambda A: PRIMALS[len(A)](A), float),
    "gradient": Evaluation(_arguments, lambda A: GRADIENTS[len(A)](A), _output),
}

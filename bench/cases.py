"""A case of a benchmark: one piece of work, and the contenders that do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.workloads import Contender

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """One line of a table: the same work on the same data, by several contenders.

    Attributes:
        name: what is computed, with its size: "gmm d64 k100".
        contenders: how each one is made ready, by name: "adcore" (the derivative), "primal" (the function itself,
            compiled by adcore), "numba" (the function under `numba.njit`), "jax", "jax primal", "autograd", "c++".  One
            that is not chosen is not compiled.
        agree: the largest relative error, by norm, between the results of contenders that compute the same.
    """

    name: str
    contenders: Mapping[str, Callable[[], Contender]]
    agree: float = 1e-9

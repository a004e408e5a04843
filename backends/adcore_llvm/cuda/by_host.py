"""What stands in for a library on the simulated device: LAPACK, by SciPy."""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from adcore import factorizations

from .run import Placed

__all__ = ["Library"]


class Library:
    """The operations of a library, of arrays in the host's memory."""

    name = "scipy"

    def on(self, stream: int) -> AbstractContextManager[None]:
        return nullcontext()

    def array(self, placed: Placed, dtype: np.dtype) -> Any:
        size = max(int(np.prod(placed.lengths)), 1) * dtype.itemsize
        held = (ctypes.c_uint8 * size).from_address(placed.pointer)
        memory = np.frombuffer(memoryview(held), dtype)
        return np.lib.stride_tricks.as_strided(memory, placed.lengths, [dtype.itemsize * s for s in placed.strides])

    def numbers(self, n: int) -> Any:
        return np.arange(n)

    def product(self, left: Any, right: Any, out: Any) -> None:
        np.matmul(left, right, out=out)

    def lu(self, a: Any) -> tuple[Any, Any, Any, Any]:
        return factorizations.lu(a)

    def cholesky(self, a: Any) -> tuple[Any, Any]:
        return factorizations.cholesky(a)

    def qr(self, a: Any) -> tuple[Any, Any]:
        return factorizations.qr(a)

    def eigh(self, a: Any) -> tuple[Any, Any, Any]:
        return factorizations.eigh(a)

    def svd(self, a: Any) -> tuple[Any, Any, Any, Any]:
        return factorizations.svd(a)

    def substitution(self, t: Any, x: Any, lower: bool, unit: bool, transposed: bool) -> Any:
        return factorizations.solve_triangular(t, x, lower, unit, transposed)

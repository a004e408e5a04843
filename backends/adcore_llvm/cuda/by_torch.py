"""What PyTorch offers for rows of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .run import Placed

__all__ = ["Library"]


class Library:
    """PyTorch's operations, of tensors on the current device."""

    name = "torch"
    device = "cuda"  # the current one

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def is_usable(self) -> bool:
        """Whether it has been built for CUDA, and finds a device."""
        return self.torch.cuda.is_available()

    @contextmanager
    def on(self, stream: int) -> Iterator[None]:
        torch = self.torch
        with torch.no_grad(), torch.cuda.stream(torch.cuda.ExternalStream(stream)):
            yield

    def array(self, placed: Placed, dtype: np.dtype) -> Any:
        return self.torch.as_tensor(_Memory(placed, dtype), device=self.device)

    def numbers(self, n: int) -> Any:
        return self.torch.arange(n, device=self.device)

    def product(self, left: Any, right: Any, out: Any) -> None:
        self.torch.matmul(left, right, out=out)

    def lu(self, a: Any) -> tuple[Any, Any, Any, Any]:
        packed, swaps, info = self.torch.linalg.lu_factor_ex(a)
        permutation, _, _ = self.torch.lu_unpack(packed, swaps, unpack_data=False)  # of a = P L U
        order = permutation.abs().argmax(dim=0)
        return packed, order, swaps - 1, info

    def cholesky(self, a: Any) -> tuple[Any, Any]:
        lower, info = self.torch.linalg.cholesky_ex(a)
        return lower.tril(), info

    def qr(self, a: Any) -> tuple[Any, Any]:
        return self.torch.linalg.qr(a)

    def eigh(self, a: Any) -> tuple[Any, Any, Any]:
        try:
            values, vectors = self.torch.linalg.eigh(a, UPLO="L")
        except self.torch.linalg.LinAlgError:
            return float("nan"), float("nan"), 1
        return values, vectors, 0

    def svd(self, a: Any) -> tuple[Any, Any, Any, Any]:
        try:
            u, s, vt = self.torch.linalg.svd(a, full_matrices=False)
        except self.torch.linalg.LinAlgError:
            return float("nan"), float("nan"), float("nan"), 1
        return u, s, vt, 0

    def substitution(self, t: Any, x: Any, lower: bool, unit: bool, transposed: bool) -> Any:
        given, upper = (t.T, lower) if transposed else (t, not lower)
        return self.torch.linalg.solve_triangular(given, x, upper=upper, unitriangular=unit)


class _Memory:
    """An array in memory that is there, for `torch.as_tensor`."""

    def __init__(self, placed: Placed, dtype: np.dtype) -> None:
        self.placed = placed
        self.dtype = dtype

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        size = self.dtype.itemsize
        return {
            "version": 3,
            "shape": self.placed.lengths,
            "typestr": self.dtype.str,
            "data": (self.placed.pointer, False),
            "strides": tuple(size * s for s in self.placed.strides),
        }

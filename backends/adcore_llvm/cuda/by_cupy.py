"""What CuPy offers for rows of matrices: cuBLAS and cuSOLVER.

LU and Cholesky factorizations are called as CuPy itself calls them, since its functions do not give `info`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from .run import Placed

__all__ = ["Library"]

LETTERS = {"f": "s", "d": "d", "F": "c", "D": "z"}

ORDER = """
for (long long j = 0; j < rows; ++j) order[j] = j;
for (long long j = 0; j < count; ++j) {
  const long long other = swaps[j], row = order[j];
  order[j] = order[other];
  order[other] = row;
}"""


class Library:
    """CuPy's operations, of arrays on the current device."""

    name = "cupy"

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.cusolver = import_module("cupy_backends.cuda.libs.cusolver")
        self.cublas = import_module("cupy_backends.cuda.libs.cublas")
        self.cupyx = import_module("cupyx")
        self.substituted = import_module("cupyx.scipy.linalg").solve_triangular
        given = "int64 rows, int64 count, raw int64 swaps"
        self.ordered = cupy.ElementwiseKernel(given, "raw int64 order", ORDER, "adcore_order_of_swaps")

    def is_usable(self) -> bool:
        """Whether it finds a device."""
        return self.cupy.cuda.is_available()

    @contextmanager
    def on(self, stream: int) -> Iterator[None]:
        cuda = self.cupy.cuda
        with cuda.ExternalStream(stream) if stream else cuda.Stream.null:
            yield

    def array(self, placed: Placed, dtype: np.dtype) -> Any:
        cuda, size = self.cupy.cuda, dtype.itemsize
        memory = cuda.UnownedMemory(placed.pointer, max(int(np.prod(placed.lengths)), 1) * size, placed.owner)
        strides = tuple(size * s for s in placed.strides)
        return self.cupy.ndarray(placed.lengths, dtype, cuda.MemoryPointer(memory, 0), strides)

    def numbers(self, n: int) -> Any:
        return self.cupy.arange(n)

    def product(self, left: Any, right: Any, out: Any) -> None:
        self.cupy.matmul(left, right, out=out)

    def lu(self, a: Any) -> tuple[Any, Any, Any, Any]:
        (m, n), letter = a.shape, LETTERS[a.dtype.char]
        packed = self.cupy.array(a, order="F", copy=True)
        pivots, info = (self.cupy.empty(shape, np.int32) for shape in (min(m, n), ()))
        handle = self.cupy.cuda.device.get_cusolver_handle()
        size = getattr(self.cusolver, f"{letter}getrf_bufferSize")(handle, m, n, packed.data.ptr, m)
        space = self.cupy.empty(size, a.dtype)
        factorize = getattr(self.cusolver, f"{letter}getrf")
        factorize(handle, m, n, packed.data.ptr, m, space.data.ptr, pivots.data.ptr, info.data.ptr)
        swaps, order = pivots.astype(np.int64) - 1, self.cupy.empty(m, np.int64)
        self.ordered(m, min(m, n), swaps, order, size=1)
        return packed, order, swaps, info

    def cholesky(self, a: Any) -> tuple[Any, Any]:
        n, letter = len(a), LETTERS[a.dtype.char]
        lower = self.cupy.array(a, order="C", copy=True)  # whose lower triangle is the upper one by columns
        info, handle = self.cupy.empty((), np.int32), self.cupy.cuda.device.get_cusolver_handle()
        of = handle, self.cublas.CUBLAS_FILL_MODE_UPPER, n, lower.data.ptr, n
        size = getattr(self.cusolver, f"{letter}potrf_bufferSize")(*of)
        space = self.cupy.empty(size, a.dtype)
        getattr(self.cusolver, f"{letter}potrf")(*of, space.data.ptr, size, info.data.ptr)
        return self.cupy.tril(lower), info

    def qr(self, a: Any) -> tuple[Any, Any]:
        with self.cupyx.errstate(linalg="ignore"):
            return self.cupy.linalg.qr(a)

    def eigh(self, a: Any) -> tuple[Any, Any, Any]:
        try:
            with self.cupyx.errstate(linalg="raise"):
                values, vectors = self.cupy.linalg.eigh(a, UPLO="L")
        except np.linalg.LinAlgError:
            return np.nan, np.nan, 1
        return values, vectors, 0

    def svd(self, a: Any) -> tuple[Any, Any, Any, Any]:
        try:
            with self.cupyx.errstate(linalg="raise"):
                u, s, vt = self.cupy.linalg.svd(a, full_matrices=False)
        except np.linalg.LinAlgError:
            return np.nan, np.nan, np.nan, 1
        return u, s, vt, 0

    def substitution(self, t: Any, x: Any, lower: bool, unit: bool, transposed: bool) -> Any:
        return self.substituted(t, x, trans=int(transposed), lower=lower, unit_diagonal=unit)

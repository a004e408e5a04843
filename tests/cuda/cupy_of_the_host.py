"""What the adapter of CuPy calls, over the host's memory: its arrays are NumPy's, and cuSOLVER's routines LAPACK's.

The signatures are those of CuPy 14: addresses of matrices by columns, of pivots from 1 on, and of `info`.
"""

from __future__ import annotations

import contextlib
import ctypes
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from scipy.linalg import lapack
from scipy.linalg import solve_triangular as solved

HANDLE = 17


class Addressed(np.ndarray):
    """An array whose `data` knows its address."""

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.__array_interface__["data"][0])


def array(a: Any, order: str = "C", copy: bool = True) -> Any:
    return np.array(a, order=order, copy=copy).view(Addressed)


def empty(shape: Any, dtype: Any) -> Any:
    return np.full(shape, 77, dtype).view(Addressed)


def arange(n: int) -> Any:
    return np.arange(n)


def tril(a: Any) -> Any:
    return np.tril(a)


def matmul(left: Any, right: Any, out: Any) -> None:
    np.matmul(left, right, out=out)


def kernel(given: str, taken: str, code: str, name: str) -> Any:
    """The one kernel that there is, the order that swaps give."""
    assert (given, taken) == ("int64 rows, int64 count, raw int64 swaps", "raw int64 order")

    def run(rows: int, count: int, swaps: Any, order: Any, size: int) -> None:
        assert size == 1
        order[:] = np.arange(rows)
        for j in range(count):
            order[[j, swaps[j]]] = order[[swaps[j], j]]

    return run


linalg, ElementwiseKernel = np.linalg, kernel
cuda = SimpleNamespace(device=SimpleNamespace(get_cusolver_handle=lambda: HANDLE))


def at(address: int, dtype: Any, *shape: int) -> Any:
    """An array by columns at an address."""
    count = max(int(np.prod(shape)), 1)
    memory = (ctypes.c_uint8 * (count * np.dtype(dtype).itemsize)).from_address(address)
    return np.frombuffer(memory, dtype)[: int(np.prod(shape))].reshape(shape, order="F")


def getrf(letter: str, dtype: Any) -> Any:
    def run(handle: int, m: int, n: int, a: int, lda: int, space: int, pivots: int, info: int) -> None:
        assert (handle, lda) == (HANDLE, m)
        packed, swaps, found = getattr(lapack, f"{letter}getrf")(at(a, dtype, m, n))
        at(a, dtype, m, n)[...] = packed
        at(pivots, np.int32, min(m, n))[...] = swaps + 1
        at(info, np.int32, 1)[...] = found

    return run


def potrf(letter: str, dtype: Any) -> Any:
    def run(handle: int, part: str, n: int, a: int, lda: int, space: int, size: int, info: int) -> None:
        assert (handle, part, lda, size) == (HANDLE, "upper", n, 8)
        factor, found = getattr(lapack, f"{letter}potrf")(at(a, dtype, n, n), lower=0, clean=0)
        at(a, dtype, n, n)[...] = factor
        at(info, np.int32, 1)[...] = found

    return run


def size_of(handle: int, *matrix: Any) -> int:
    assert (handle, len(matrix)) == (HANDLE, 4)
    return 8


def solve_triangular(t: Any, x: Any, trans: int, lower: bool, unit_diagonal: bool) -> Any:
    return solved(t, x, trans=trans, lower=lower, unit_diagonal=unit_diagonal, check_finite=False)


cusolver, cublas = ModuleType("cusolver"), ModuleType("cublas")
cublas.CUBLAS_FILL_MODE_UPPER = "upper"  # type: ignore[attr-defined]
for _letter, _dtype in {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}.items():
    for _routine in (getrf, potrf):
        setattr(cusolver, f"{_letter}{_routine.__name__}", _routine(_letter, _dtype))
        setattr(cusolver, f"{_letter}{_routine.__name__}_bufferSize", size_of)
cupyx = ModuleType("cupyx")
cupyx.errstate = lambda linalg: contextlib.nullcontext()  # type: ignore[attr-defined]
_scipy = ModuleType("cupyx.scipy.linalg")
_scipy.solve_triangular = solve_triangular  # type: ignore[attr-defined]

MODULES = {
    "cupy_backends.cuda.libs.cusolver": cusolver,
    "cupy_backends.cuda.libs.cublas": cublas,
    "cupyx": cupyx,
    "cupyx.scipy.linalg": _scipy,
}

"""Numba's types and those of programs."""

from __future__ import annotations

from numba import types

from adcore.types import DType

__all__ = ["array_of", "dtype_of", "rank_of", "scalar_of"]

_SCALARS = {
    DType.BOOL: types.boolean,
    DType.F32: types.float32,
    DType.F64: types.float64,
    DType.C64: types.complex64,
    DType.C128: types.complex128,
    **{d: getattr(types, d.value) for d in DType if d.integer},
}
_DTYPES = {scalar: dtype for dtype, scalar in _SCALARS.items()}


def scalar_of(dtype: DType) -> types.Type:
    """Numba's type of a number."""
    return _SCALARS[dtype]


def array_of(dtype: DType, rank: int) -> types.Array:
    """Numba's type of an array in C order."""
    return types.Array(_SCALARS[dtype], rank, "C")


def dtype_of(given: types.Type) -> DType | None:
    """The dtype of a number or an array, if programs have it."""
    return _DTYPES.get(given.dtype if isinstance(given, types.Array) else types.unliteral(given))


def rank_of(given: types.Type) -> int:
    return given.ndim if isinstance(given, types.Array) else 0

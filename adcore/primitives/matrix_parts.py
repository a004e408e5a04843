"""What the linear maps of matrices taken apart are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..linear import Generator, cast, compose, conjugate, mask, permute, substitution, sums
from ..types import Atom, DType, Type
from .base import require

if TYPE_CHECKING:
    from ..builder import Builder

__all__ = [
    "TURN",
    "adjoining",
    "adjoint",
    "below",
    "columns_of",
    "conjugated",
    "eye",
    "grid",
    "hermitian",
    "matrix",
    "ones",
    "real_part",
    "rest",
    "right_substitution",
    "rounding",
    "rows_of",
    "turned",
]

TURN = (1, 0)


def matrix(name: str, type: Type, square: bool = False) -> None:
    """Raise unless this is the type of a matrix of floats or complex numbers."""
    require(type.rank == 2 and type.dtype.differentiable, "{} takes matrices of floats, not {}", name, type)
    require(not square or type.shape[0] == type.shape[1], "{} takes square matrices, not {}", name, type)


def grid(b: Builder, rows: Atom, columns: Atom) -> tuple[Atom, Atom]:
    """The row and the column of each element."""
    return b.expand(b.iota(rows), columns, axes=(1,)), b.expand(b.iota(columns), rows, axes=(0,))


def below(b: Builder, rows: Atom, columns: Atom) -> Atom:
    return b.gt(*grid(b, rows, columns))


def rest(b: Builder, rows: Atom, columns: Atom) -> Atom:
    """On the diagonal and above."""
    return b.le(*grid(b, rows, columns))


def eye(b: Builder, n: Atom, dtype: DType) -> Atom:
    return b.cast(b.eq(*grid(b, n, n)), dtype=dtype)


def ones(b: Builder, like: Atom) -> Atom:
    one = b.cast(1, dtype=like.type.dtype)
    return b.expand(one, *like.type.shape, axes=tuple(range(like.type.rank)))


def rows_of(b: Builder, x: Atom, n: Atom) -> Atom:
    """The vector as n equal rows."""
    return b.expand(x, n, axes=(0,))


def columns_of(b: Builder, x: Atom, n: Atom) -> Atom:
    return b.expand(x, n, axes=(1,))


def conjugated(b: Builder, a: Atom) -> Atom:
    """The conjugate; of real numbers they themselves."""
    return b.conj(a) if a.type.dtype.complex else a


def turned(b: Builder, a: Atom) -> Atom:
    return b.permute(a, order=TURN)


def adjoint(b: Builder, a: Atom) -> Atom:
    """The conjugate of the transposed matrix."""
    return conjugated(b, turned(b, a))


def adjoining(dtype: DType) -> Generator:
    """The adjoint of t."""
    return compose(conjugate(), permute(TURN)) if dtype.complex else permute(TURN)


def right_substitution(triangle: Atom, lower: bool, transposed: bool = False) -> Generator:
    """t @ triangle⁻¹, or that of the transposed triangle."""
    turn = permute(TURN)
    return compose(turn, substitution(triangle, lower, transposed=not transposed), turn)


def real_part(dtype: DType) -> Generator:
    """Re t, in the dtype of t."""
    return compose(cast(dtype.real, dtype), cast(dtype, dtype.real))


def hermitian(b: Builder, n: Atom, dtype: DType, lower: bool) -> Generator:
    """One triangle of t, the real part of its diagonal, and in the upper triangle the adjoint of its lower one.

    With `lower` this is the Hermitian matrix whose lower triangle is that of t.  Without, it is what is left of t
    without the anti-Hermitian matrix that has its lower triangle and the imaginary part of its diagonal.
    """
    i, j = grid(b, n, n)
    other = compose(permute(TURN), mask(b.gt(i, j)))
    if not dtype.complex:
        return sums(mask(b.ge(i, j) if lower else b.le(i, j)), other)
    strict = b.gt(i, j) if lower else b.lt(i, j)
    return sums(mask(strict), compose(real_part(dtype), mask(b.eq(i, j))), compose(conjugate(), other))


def rounding(b: Builder, values: Atom, largest: Atom) -> Atom:
    """How far values that are equal may come out apart."""
    dtype = values.type.dtype
    unit = 16.0 * float(np.finfo(dtype.numpy).eps)
    return b.mul(b.mul(b.cast(values.type.shape[0], dtype=dtype), unit), largest)

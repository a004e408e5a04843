"""The row of eigenvalues and eigenvectors of square matrices.

    eig(a)    w, V, info    a V = V diag(w); complex numbers, also where those of a real matrix are real

LAPACK gives each vector the norm 1 and turns it so that its largest component is real.  The derivative is that of these
vectors.  A matrix near one without a basis of eigenvectors has eigenvalues that are not differentiable, and values that
coincide have vectors that are not determined.  There a check raises.  With distinct vectors a function of the spectrum
has the derivative that the map of the values gives, also where values coincide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import factorizations
from ..linear import Generator, cast, compose, expand, identity, left, mask, right, scale, sums, total
from ..types import I64, Atom, Type
from .base import Kind, row
from .kinks import edge
from .matrix_parts import columns_of, conjugated, eye, grid, matrix, ones, real_part, rows_of, turned

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__: list[str] = []


def _eig_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a = operands[0].type
    matrix("eig", a, square=True)
    dtype = a.dtype.as_complex
    return (Type(dtype, a.shape[:1]), Type(dtype, a.shape), I64)


def _inverse(b: Builder, e: Equation) -> tuple[Atom, Atom]:
    """V⁻¹, and the squares of the eigenvalues' condition numbers: how much more than the matrix they move.

    Those of a matrix without a basis of eigenvectors are infinite, and with rounding about 1 / eps.
    """
    v = e.outs[1]
    n, dtype = v.type.shape[0], v.type.dtype
    packed, order = b.lu(v, n)[:2]
    inverse = b.solve(v, eye(b, n, dtype), packed, order, by="lu", transposed=False)
    squares = b.total(b.real(b.mul(inverse, b.conj(inverse))), axes=(1,))
    unit = 16.0 * float(np.finfo(dtype.real.numpy).eps)
    largest = b.div(b.cast(1.0, dtype=dtype.real), b.mul(b.maximum(b.cast(n, dtype=dtype.real), 1.0), unit))
    sound = b.lt(squares, b.expand(largest, n, axes=(0,)))
    message = "the matrix has no basis of eigenvectors: its eigenvalues and vectors have no derivative here"
    b.check(b.reduce_and(sound, axes=(0,)), error="LinAlgError", message=message)
    return inverse, squares


def _widened(e: Equation) -> tuple[Generator, ...]:
    before, after = e.operands[0].type.dtype, e.outs[1].type.dtype
    return () if before is after else (cast(before, after),)


def _eigenvalues(b: Builder, e: Equation) -> Generator:
    # dw_j = (V⁻¹ da V)_jj
    v = e.outs[1]
    inverse = _inverse(b, e)[0]
    return compose(total((0,), v.type.shape[:1]), scale(turned(b, inverse)), right(v), *_widened(e))


def _apart(b: Builder, e: Equation, distances: Atom, squares: Atom) -> None:
    """Raise where two values coincide but for how far rounding moves them."""
    a = e.operands[0]
    n, dtype = distances.type.shape[0], distances.type.dtype
    unit = 16.0 * float(np.finfo(dtype.numpy).eps)
    sizes = b.abs(a)
    length = b.mul(b.total(b.mul(sizes, sizes), axes=(0, 1)), unit * unit)
    moved = b.mul(rows_of(b, squares, n), b.expand(length, n, n, axes=(0, 1)))
    apart = b.lor(b.gt(b.mul(distances, distances), moved), b.eq(*grid(b, n, n)))
    message = "eigenvalues coincide: their vectors, and second derivatives of functions of them, do not exist here"
    b.check(b.reduce_and(apart, axes=(0, 1)), error="LinAlgError", message=message)


def _real_components(b: Builder, v: Atom) -> Atom:
    """Where the component is that LAPACK has made real: the largest one, the first of those that are as large."""
    n = v.type.shape[0]
    sizes = b.real(b.mul(v, b.conj(v)))
    sizes = b.select(b.eq(b.imag(v), b.mul(ones(b, sizes), 0.0)), sizes, b.mul(ones(b, sizes), -1.0))
    is_largest = b.eq(sizes, rows_of(b, b.reduce_max(sizes, axes=(0,)), n))
    rows = grid(b, n, n)[0]
    place = b.select(is_largest, rows, b.expand(n, n, n, axes=(0, 1)))
    return b.eq(rows, rows_of(b, b.reduce_min(place, axes=(0,)), n))


def _eigenvectors(b: Builder, e: Equation) -> Generator:
    # dv_j = m_j + d_j v_j with M = V (F * V⁻¹ da V), F_ij = 1 / (w_j - w_i), where d_j keeps the norm and the component
    # v_kj real: d_j = -Re(v_jᴴ m_j) - i Im(m_kj) / v_kj
    w, v = e.outs[:2]
    n, dtype = v.type.shape[0], v.type.dtype
    inverse, squares = _inverse(b, e)
    differences = b.sub(rows_of(b, w, n), columns_of(b, w, n))
    _apart(b, e, b.abs(differences), squares)
    same, one = b.eq(*grid(b, n, n)), ones(b, v)
    quotients = b.select(same, b.mul(one, 0.0), b.div(one, b.select(same, one, differences)))
    chosen = _real_components(b, v)
    components = b.total(b.select(chosen, v, b.mul(one, 0.0)), axes=(0,))
    turning = b.div(b.mul(ones(b, w), dtype.constant(-1j)), components)
    imaginary = compose(real_part(dtype), scale(dtype.constant(-1j)))
    summed = total((0,), (n,))
    growth = compose(real_part(dtype), summed, scale(b.neg(conjugated(b, v))))
    turn = compose(scale(turning), imaginary, summed, mask(chosen))
    along = compose(scale(v), expand((0,), (n,)), sums(growth, turn))
    return compose(sums(identity(), along), left(v), scale(quotients), left(inverse), right(v), *_widened(e))


row(
    "eig",
    Kind.FACTORIZATION,
    _eig_typing,
    factorizations.eig,
    maps=((_eigenvalues, _eigenvectors),),
    kinks=(
        edge(
            "matrices without a basis of eigenvectors: raised; eigenvalues that coincide: single ones among them, and "
            "vectors raise there; components of a vector that are both the largest"
        ),
    ),
)

"""Rows of Hermitian matrices and singular values.

    eigh(a)       w, V, info        of the lower triangle of a; a = V diag(w) Vᴴ
    svd(a, k)     U, s, Vᴴ, info    k = min(m, n); a = U diag(s) Vᴴ

A function of the values alone has the derivative that their maps give, also where values coincide.  The vectors of
values that coincide are an arbitrary basis, and have no derivative; nor does the map of the values, which names them.
There a check raises: masking the quotients 1 / (wj - wi) would be right for some functions and wrong for others, like
V g(w) Vᴴ.

A complex vector has a phase that the matrix does not determine.  The maps leave it alone: the derivative of a vector is
orthogonal to it, and where both left and right vectors share a phase, that of the right ones is.  So what does not
depend on phases has its derivative, also where a component is 0 by which one might have fixed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import factorizations
from ..linear import Generator, cast, compose, identity, left, mask, negate, right, scale, sums, total
from ..types import I64, Atom, Type
from .base import Kind, row
from .kinks import differences, edge
from .matrix_parts import (
    adjoining,
    adjoint,
    columns_of,
    conjugated,
    grid,
    hermitian,
    matrix,
    ones,
    real_part,
    rounding,
    rows_of,
)

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__ = ["svd_typing"]


def _eigh_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a = operands[0].type
    matrix("eigh", a, square=True)
    return (Type(a.dtype.real, a.shape[:1]), a, I64)


def svd_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, k = operands[0].type, operands[1]
    matrix("svd", a)
    return (a.with_shape(a.shape[0], k), Type(a.dtype.real, (k,)), a.with_shape(k, a.shape[1]), I64)


def _apart(b: Builder, values: Atom, largest: Atom, what: str) -> None:
    """Raise where neighbours in an ordered vector coincide but for rounding."""
    n = values.type.shape[0]
    gaps = b.maximum(b.sub(n, 1), 0)
    start = b.sub(n, gaps)
    above, below = (b.view(values, s, gaps, 1, codes="s") for s in (start, 0))
    apart = b.gt(b.abs(b.sub(above, below)), b.expand(rounding(b, values, largest), gaps, axes=(0,)))
    message = f"{what} coincide: their vectors, and second derivatives of functions of them, have no derivative here"
    b.check(b.reduce_and(apart, axes=(0,)), error="LinAlgError", message=message)


def _largest(b: Builder, values: Atom) -> Atom:
    return b.reduce_max(b.abs(values), axes=(0,))


def _quotients(b: Builder, values: Atom, differences: Atom) -> Atom:
    """One over the differences of the values of each column and row, and 0 on the diagonal."""
    n = values.type.shape[0]
    same = b.eq(*grid(b, n, n))
    return b.select(same, 0.0, b.div(ones(b, differences), b.select(same, ones(b, differences), differences)))


# Hermitian matrices


def _eigenvalues(b: Builder, e: Equation) -> Generator:
    # dw_i = Re(v_iᴴ da v_i)
    w, v = e.outs[:2]
    n, dtype = w.type.shape[0], v.type.dtype
    real = cast(dtype, dtype.real)
    return compose(real, total((0,), (n,)), scale(conjugated(b, v)), right(v), hermitian(b, n, dtype, lower=True))


def _eigenvectors(b: Builder, e: Equation) -> Generator:
    # dV = V (F * Vᴴ da V), F_ij = 1 / (w_j - w_i)
    w, v = e.outs[:2]
    n, dtype = w.type.shape[0], v.type.dtype
    _apart(b, w, _largest(b, w), "eigenvalues")
    quotients = b.cast(_quotients(b, w, b.sub(rows_of(b, w, n), columns_of(b, w, n))), dtype=dtype)
    return compose(left(v), scale(quotients), left(adjoint(b, v)), right(v), hermitian(b, n, dtype, lower=True))


row(
    "eigh",
    Kind.FACTORIZATION,
    _eigh_typing,
    factorizations.eigh,
    maps=((_eigenvalues, _eigenvectors),),
    kinks=(
        edge(
            "eigenvalues that coincide: single ones among them; vectors and second derivatives raise there",
            lambda b, e: differences(b, e.outs[0]),
        ),
    ),
)

# Singular values


def _is_positive(b: Builder, s: Atom) -> Atom:
    return b.gt(s, b.expand(rounding(b, s, _largest(b, s)), s.type.shape[0], axes=(0,)))


def _singular_values(b: Builder, e: Equation) -> Generator:
    # ds_i = Re(u_iᴴ da v_i); where s_i = 0 it is |σ| with σ through 0, whose one-sided derivatives have the mean 0
    u, s, vt = e.outs[:3]
    real, summed = cast(u.type.dtype, s.type.dtype), total((0,), (u.type.shape[0],))
    return compose(mask(_is_positive(b, s)), real, summed, scale(conjugated(b, u)), right(adjoint(b, vt)))


def _between(b: Builder, e: Equation) -> tuple[Atom, Atom, Atom]:
    """F_ij = 1 / (s_j² - s_i²), and the singular values s_j and s_i; raises where they are not apart."""
    s, dtype = e.outs[1], e.outs[0].type.dtype
    k = s.type.shape[0]
    largest = _largest(b, s)
    _apart(b, s, largest, "singular values")
    message = "a singular value is zero: its vectors have no derivative here"
    b.check(b.reduce_and(_is_positive(b, s), axes=(0,)), error="LinAlgError", message=message)
    along, down = rows_of(b, s, k), columns_of(b, s, k)
    quotients = _quotients(b, s, b.mul(b.sub(along, down), b.add(along, down)))
    return b.cast(quotients, dtype=dtype), b.cast(along, dtype=dtype), b.cast(down, dtype=dtype)


def _left_vectors(b: Builder, e: Equation) -> Generator:
    # dU = U (F * (P S + S Pᴴ) + i Im diag(P) S⁻¹) + (1 - U Uᴴ) da V S⁻¹, with P = Uᴴ da V
    u, s, vt = e.outs[:3]
    m, dtype = u.type.shape[0], u.type.dtype
    quotients, along, down = _between(b, e)
    inside = compose(scale(quotients), sums(scale(along), compose(scale(down), adjoining(dtype))))
    if dtype.complex:
        inside = sums(inside, _turning(b, along))
    inside = compose(left(u), inside, left(adjoint(b, u)), right(adjoint(b, vt)))
    if e.operands[0].type.shape[0] == e.operands[1]:
        return inside
    inverse = b.div(ones(b, u), b.cast(rows_of(b, s, m), dtype=dtype))
    beside = sums(identity(), compose(negate(), left(u), left(adjoint(b, u))))
    return sums(inside, compose(beside, scale(inverse), right(adjoint(b, vt))))


def _turning(b: Builder, along: Atom) -> Generator:
    """i Im diag(P) S⁻¹: by how much the phases of the left vectors move."""
    k, dtype = along.type.shape[0], along.type.dtype
    imaginary = compose(scale(dtype.constant(1j)), real_part(dtype))
    return compose(
        scale(b.div(ones(b, along), along)), imaginary, scale(dtype.constant(-1j)), mask(b.eq(*grid(b, k, k)))
    )


def _right_vectors(b: Builder, e: Equation) -> Generator:
    # dVᴴ = -(F * (S P + Pᴴ S)) Vᴴ + S⁻¹ Uᴴ da (1 - V Vᴴ)
    u, s, vt = e.outs[:3]
    n, dtype = vt.type.shape[1], vt.type.dtype
    quotients, along, down = _between(b, e)
    part = sums(scale(down), compose(scale(along), adjoining(dtype)))
    inside = compose(negate(), right(vt), scale(quotients), part, left(adjoint(b, u)), right(adjoint(b, vt)))
    if e.operands[0].type.shape[1] == e.operands[1]:
        return inside
    inverse = b.div(ones(b, vt), b.cast(columns_of(b, s, n), dtype=dtype))
    beside = sums(identity(), compose(negate(), right(vt), right(adjoint(b, vt))))
    return sums(inside, compose(beside, scale(inverse), left(adjoint(b, u))))


row(
    "svd",
    Kind.FACTORIZATION,
    svd_typing,
    lambda a, k: factorizations.svd(a),
    maps=((_left_vectors, _singular_values, _right_vectors), None),
    kinks=(
        edge(
            "singular values that coincide: single ones among them; vectors and second derivatives raise there",
            lambda b, e: differences(b, e.outs[1]),
        ),
        edge("singular values of 0; vectors and second derivatives raise there", lambda b, e: e.outs[1]),
    ),
)

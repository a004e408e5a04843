"""Rows that take matrices apart, and that solve with what they come apart into.

    lu(a)                             packed, order, swaps, info     a[order] = L U
    cholesky(a)                       L, info                        of the lower triangle of a; a = L Lᵀ
    qr(a)                             Q, R                           of at least as many rows as columns
    eigh(a)                           w, V, info                     of the lower triangle of a; a = V diag(w) Vᵀ
    svd(a, k)                         U, s, Vᵀ, info                 k = min(m, n); a = U diag(s) Vᵀ
    solve_triangular(t, x)            t⁻¹ x                          of one triangle of t
    solve(a, x, *factors)             a⁻¹ x
    pseudo_inverse(a, U, s, Vᵀ, c)    a⁺, singular values up to c times the largest taken as 0

The rows are LAPACK's routines: none raises, `info` is LAPACK's, not 0 where there is no such factorization.
    determinant(a, *factors)          of a regular matrix

The last three are functions of the matrix a (and x) alone.  What it has come apart into before is given
beside it, so that it need not be done again: nothing depends on that but the time.  So the derivative too is solved
with what the primal has computed: the tangent is -a⁻¹ da x.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import factorizations
from ..linear import (
    Generator,
    compose,
    gather,
    identity,
    left,
    mask,
    negate,
    permute,
    right,
    scale,
    solution,
    substitution,
    sums,
    total,
)
from ..types import I64, Atom, DType, Type
from .base import Kind, operand_types, require, row

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__: list[str] = []

_TURN = (1, 0)

# Types


def _matrix(name: str, type: Type, square: bool = False) -> None:
    require(type.rank == 2 and type.dtype.differentiable, "{} takes matrices of floats, not {}", name, type)
    real = name not in ("lu", "solve", "determinant")
    require(not (real and type.dtype.complex), "{} of complex matrices, {}", name, type)
    require(not square or type.shape[0] == type.shape[1], "{} takes square matrices, not {}", name, type)


def _lu_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, k = operands[0].type, operands[1]
    _matrix("lu", a)
    return (a, Type(DType.I64, a.shape[:1]), Type(DType.I64, (k,)), I64)


def _cholesky_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    _matrix("cholesky", operands[0].type, square=True)
    return (operands[0].type, I64)


def _qr_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a = operands[0].type
    _matrix("qr", a)
    return (a, a.with_shape(a.shape[1], a.shape[1]))


def _eigh_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a = operands[0].type
    _matrix("eigh", a, square=True)
    return (a.with_shape(a.shape[0]), a, I64)


def _svd_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, k = operands[0].type, operands[1]
    _matrix("svd", a)
    return (a.with_shape(a.shape[0], k), a.with_shape(k), a.with_shape(k, a.shape[1]), I64)


def _solve_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, x = operand_types(operands[:2])
    _matrix("solve", a, square=True)
    _matrix("solve", x)
    require(a.dtype is x.dtype, "solving {} with {}", x.dtype, a.dtype)
    require(a.shape[0] == x.shape[0], "solve: a right-hand side of another length")
    factors = operand_types(operands[2:])
    if params.get("by") == "lu":
        wanted: tuple[Type, ...] = (a, Type(DType.I64, a.shape[:1]))
        require(factors == wanted, "solve: {} are no factors of {}", factors, a)
    elif params.get("by") == "cholesky":
        require(factors == (a,), "solve: {} are no factors of {}", factors, a)
    return (x,)


def _determinant_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, packed, order, swaps = operand_types(operands)
    _matrix("determinant", a, square=True)
    wanted = (a, Type(DType.I64, a.shape[:1]), Type(DType.I64, swaps.shape))
    require((packed, order, swaps) == wanted, "determinant: {} {} {} of {}", packed, order, swaps, a)
    return (a.with_shape(),)


def _pseudo_inverse_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, u, s, vt, cutoff = operand_types(operands)
    _matrix("pseudo_inverse", a)
    require((u, s, vt) == _svd_typing((operands[0], s.shape[0]), {})[:3], "pseudo_inverse: {} {} {} of {}", u, s, vt, a)
    require(cutoff == a.with_shape(), "pseudo_inverse: the cutoff is {}", cutoff)
    return (a.with_shape(*reversed(a.shape)),)


# Parts of linear maps


def _grid(b: Builder, rows: Atom, columns: Atom) -> tuple[Atom, Atom]:
    """The row and the column of each element."""
    return b.expand(b.iota(rows), columns, axes=(1,)), b.expand(b.iota(columns), rows, axes=(0,))


def _below(b: Builder, rows: Atom, columns: Atom) -> Atom:
    return b.gt(*_grid(b, rows, columns))


def _rest(b: Builder, rows: Atom, columns: Atom) -> Atom:
    """On the diagonal and above."""
    return b.le(*_grid(b, rows, columns))


def _eye(b: Builder, n: Atom, like: Type) -> Atom:
    return b.cast(b.eq(*_grid(b, n, n)), dtype=like.dtype)


def _turned(b: Builder, a: Atom) -> Atom:
    return b.permute(a, order=_TURN)


def _right_substitution(matrix: Atom, lower: bool, transposed: bool = False) -> Generator:
    """t @ triangle⁻¹, or that of the transposed triangle."""
    turn = permute(_TURN)
    return compose(turn, substitution(matrix, lower, transposed=not transposed), turn)


def _mirrored(b: Builder, n: Atom) -> Generator:
    """The symmetric matrix whose lower triangle is that of t."""
    below = _below(b, n, n)
    return sums(mask(b.lor(below, b.eq(*_grid(b, n, n)))), compose(permute(_TURN), mask(below)))


def _rows_of(b: Builder, x: Atom, n: Atom) -> Atom:
    """The vector as n equal rows."""
    return b.expand(x, n, axes=(0,))


def _columns_of(b: Builder, x: Atom, n: Atom) -> Atom:
    return b.expand(x, n, axes=(1,))


# LU


def _lu(b: Builder, e: Equation) -> Generator:
    # a[order] = L U.  With C = L⁻¹ da[order] U⁻¹: dL = L below(C), dU = rest(C) U; L and U are filled up to squares.
    packed, order = e.outs[:2]
    m, n = packed.type.shape
    lower, upper = _lower_factor(b, packed, e.operands[1]), _upper_factor(b, packed, e.operands[1])
    return compose(
        sums(compose(left(lower), mask(_below(b, m, n))), compose(right(upper), mask(_rest(b, m, n)))),
        _right_substitution(upper, lower=False),
        substitution(lower, lower=True, unit=True),
        gather("a:", (order,), packed.type.shape),
    )


def _lower_factor(b: Builder, packed: Atom, k: Atom) -> Atom:
    m, n = packed.type.shape
    part = packed if m == n else b.view(packed, 0, k, 1, codes=":s")
    part = b.select(_below(b, *part.type.shape), part, 0.0)
    one = _eye(b, m, packed.type)
    return b.add(one, part) if m == n else b.add_at(one, part, 0, k, 1, codes=":s")


def _upper_factor(b: Builder, packed: Atom, k: Atom) -> Atom:
    m, n = packed.type.shape
    part = packed if m == n else b.view(packed, 0, k, 1, codes="s:")
    part = b.select(_rest(b, *part.type.shape), part, 0.0)
    if m == n:
        return part
    i, j = _grid(b, n, n)
    further = b.land(b.eq(i, j), b.ge(i, b.expand(k, n, n, axes=(0, 1))))
    return b.add_at(b.cast(further, dtype=packed.type.dtype), part, 0, k, 1, codes="s:")


row(
    "lu",
    Kind.FACTORIZATION,
    _lu_typing,
    lambda a, k: factorizations.lu(a),
    maps=(_lu, None),
    kinks="ties of pivots; singular matrices",
)

# Cholesky


def _cholesky(b: Builder, e: Equation) -> Generator:
    # dL = L Φ(L⁻¹ da L⁻ᵀ), Φ the lower triangle with half the diagonal (Murray 2016, equation 8)
    lower = e.outs[0]
    n = lower.type.shape[0]
    i, j = _grid(b, n, n)
    half = b.select(b.gt(i, j), 1.0, b.select(b.eq(i, j), b.mul(_eye(b, n, lower.type), 0.5), 0.0))
    return compose(
        left(lower),
        scale(half),
        _right_substitution(lower, lower=True, transposed=True),
        substitution(lower, lower=True),
        _mirrored(b, n),
    )


row("cholesky", Kind.FACTORIZATION, _cholesky_typing, factorizations.cholesky, maps=(_cholesky,))

# QR.  With C = Qᵀ da R⁻¹: dR = (rest(C) + below(C)ᵀ) R, and da = dQ R + Q dR.


def _symmetric_part(b: Builder, n: Atom) -> Generator:
    """rest(C) + below(C)ᵀ: what is left of C without the antisymmetric matrix that has its lower triangle."""
    return sums(mask(_rest(b, n, n)), compose(permute(_TURN), mask(_below(b, n, n))))


def _qr_q(b: Builder, e: Equation) -> Generator:
    q, r = e.outs
    moved = compose(negate(), left(q), _symmetric_part(b, r.type.shape[0]), left(q).dual())
    return compose(sums(identity(), moved), _right_substitution(r, lower=False))


def _qr_r(b: Builder, e: Equation) -> Generator:
    q, r = e.outs
    part = _symmetric_part(b, r.type.shape[0])
    return compose(right(r), part, left(q).dual(), _right_substitution(r, lower=False))


row(
    "qr",
    Kind.FACTORIZATION,
    _qr_typing,
    factorizations.qr,
    maps=((_qr_q, _qr_r),),
    kinks="columns that depend on each other",
)

# Eigenvalues and singular values.  A function of the values alone has the derivative that their maps give, also where
# values coincide.  The vectors of values that coincide are an arbitrary basis, and have no derivative; nor does the
# map of the values, which names them.  There a check raises: masking the quotients 1 / (wj - wi) would be right for
# some functions and wrong for others, like V g(w) Vᵀ.


def _apart(b: Builder, values: Atom, largest: Atom, what: str) -> None:
    """Raise where neighbours in an ordered vector coincide but for rounding."""
    n = values.type.shape[0]
    gaps = b.maximum(b.sub(n, 1), 0)
    start = b.sub(n, gaps)
    above, below = (b.view(values, s, gaps, 1, codes="s") for s in (start, 0))
    apart = b.gt(b.abs(b.sub(above, below)), b.expand(_rounding(b, values, largest), gaps, axes=(0,)))
    message = f"{what} coincide: their vectors, and second derivatives of functions of them, have no derivative here"
    b.check(b.reduce_and(apart, axes=(0,)), error="LinAlgError", message=message)


def _rounding(b: Builder, values: Atom, largest: Atom) -> Atom:
    """How far values that are equal may come out apart."""
    dtype = values.type.dtype
    unit = 16.0 * float(np.finfo(dtype.numpy).eps)
    return b.mul(b.mul(b.cast(values.type.shape[0], dtype=dtype), unit), largest)


def _largest(b: Builder, values: Atom) -> Atom:
    return b.reduce_max(b.abs(values), axes=(0,))


def _quotients(b: Builder, values: Atom, differences: Atom) -> Atom:
    """One over the differences of the values of each column and row, and 0 on the diagonal."""
    n = values.type.shape[0]
    same = b.eq(*_grid(b, n, n))
    return b.select(same, 0.0, b.div(_ones(b, differences), b.select(same, _ones(b, differences), differences)))


def _ones(b: Builder, like: Atom) -> Atom:
    one = b.cast(1, dtype=like.type.dtype)
    return b.expand(one, *like.type.shape, axes=tuple(range(like.type.rank)))


def _eigenvalues(b: Builder, e: Equation) -> Generator:
    # dw_i = v_i . da v_i
    w, v = e.outs[:2]
    n = w.type.shape[0]
    return compose(total((0,), (n,)), scale(v), right(v), _mirrored(b, n))


def _eigenvectors(b: Builder, e: Equation) -> Generator:
    # dV = V (F * Vᵀ da V), F_ij = 1 / (w_j - w_i)
    w, v = e.outs[:2]
    n = w.type.shape[0]
    _apart(b, w, _largest(b, w), "eigenvalues")
    quotients = _quotients(b, w, b.sub(_rows_of(b, w, n), _columns_of(b, w, n)))
    return compose(left(v), scale(quotients), left(v).dual(), right(v), _mirrored(b, n))


row(
    "eigh",
    Kind.FACTORIZATION,
    _eigh_typing,
    factorizations.eigh,
    maps=((_eigenvalues, _eigenvectors),),
    kinks="eigenvalues that coincide: single ones among them; vectors and second derivatives raise there",
)


def _is_positive(b: Builder, s: Atom) -> Atom:
    return b.gt(s, b.expand(_rounding(b, s, _largest(b, s)), s.type.shape[0], axes=(0,)))


def _singular_values(b: Builder, e: Equation) -> Generator:
    # ds_i = u_i . da v_i; where s_i = 0 it is |σ| with σ through 0, whose one-sided derivatives have the mean 0
    u, s, vt = e.outs[:3]
    m = u.type.shape[0]
    total_ = total((0,), (m,))
    return compose(mask(_is_positive(b, s)), total_, scale(u), right(_turned(b, vt)))


def _between(b: Builder, e: Equation) -> tuple[Atom, Atom, Atom]:
    """F_ij = 1 / (s_j² - s_i²), and the singular values s_j and s_i; raises where they are not apart."""
    s = e.outs[1]
    k = s.type.shape[0]
    largest = _largest(b, s)
    _apart(b, s, largest, "singular values")
    message = "a singular value is zero: its vectors have no derivative here"
    b.check(b.reduce_and(_is_positive(b, s), axes=(0,)), error="LinAlgError", message=message)
    along, down = _rows_of(b, s, k), _columns_of(b, s, k)
    return _quotients(b, s, b.mul(b.sub(along, down), b.add(along, down))), along, down


def _left_vectors(b: Builder, e: Equation) -> Generator:
    # dU = U (F * (P S + S Pᵀ)) + (1 - U Uᵀ) da V S⁻¹, with P = Uᵀ da V
    u, s, vt = e.outs[:3]
    m = u.type.shape[0]
    quotients, along, down = _between(b, e)
    part = sums(scale(along), compose(scale(down), permute(_TURN)))
    inside = compose(left(u), scale(quotients), part, left(u).dual(), right(_turned(b, vt)))
    if e.operands[0].type.shape[0] == e.operands[1]:
        return inside
    inverse = b.div(_ones(b, u), _rows_of(b, s, m))
    beside = sums(identity(), compose(negate(), left(u), left(u).dual()))
    return sums(inside, compose(beside, scale(inverse), right(_turned(b, vt))))


def _right_vectors(b: Builder, e: Equation) -> Generator:
    # dVᵀ = -(F * (S P + Pᵀ S)) Vᵀ + S⁻¹ Uᵀ da (1 - V Vᵀ)
    u, s, vt = e.outs[:3]
    n = vt.type.shape[1]
    quotients, along, down = _between(b, e)
    part = sums(scale(down), compose(scale(along), permute(_TURN)))
    inside = compose(negate(), right(vt), scale(quotients), part, left(u).dual(), right(_turned(b, vt)))
    if e.operands[0].type.shape[1] == e.operands[1]:
        return inside
    inverse = b.div(_ones(b, vt), _columns_of(b, s, n))
    beside = sums(identity(), compose(negate(), right(vt), right(vt).dual()))
    return sums(inside, compose(beside, scale(inverse), left(u).dual()))


row(
    "svd",
    Kind.FACTORIZATION,
    _svd_typing,
    lambda a, k: factorizations.svd(a),
    maps=((_left_vectors, _singular_values, _right_vectors), None),
    kinks="singular values that coincide or are 0: single ones among them; vectors and second derivatives raise there",
)

# Solving


def _of_triangle(b: Builder, e: Equation) -> Generator:
    # x = t⁻¹ y: dx = -t⁻¹ dt x
    (lower, unit, transposed), x = (e.params[k] for k in ("lower", "unit", "transposed")), e.outs[0]
    n = x.type.shape[0]
    i, j = _grid(b, n, n)
    part = (b.gt if unit else b.ge)(*((i, j) if lower else (j, i)))
    turned = (permute(_TURN),) if transposed else ()
    solving = substitution(e.operands[0], lower, unit, transposed)
    return compose(negate(), solving, right(x), *turned, mask(part))


row(
    "solve_triangular",
    Kind.SOLVE,
    _solve_typing,
    factorizations.solve_triangular,
    maps=(
        _of_triangle,
        lambda b, e: substitution(e.operands[0], e.params["lower"], e.params["unit"], e.params["transposed"]),
    ),
)


def _solving(e: Equation) -> Generator:
    return solution(e.operands[0], *e.operands[2:], by=e.params["by"], transposed=e.params["transposed"])


def _of_matrix(b: Builder, e: Equation) -> Generator:
    turned = (permute(_TURN),) if e.params["transposed"] else ()
    return compose(negate(), _solving(e), right(e.outs[0]), *turned)


row(
    "solve",
    Kind.SOLVE,
    _solve_typing,
    factorizations.solve,
    maps=(_of_matrix, lambda b, e: _solving(e), None),
)


def _of_determinant(b: Builder, e: Equation) -> Generator:
    # d det a = det a sum(a⁻ᵀ * da)
    a, packed, order = e.operands[:3]
    n = a.type.shape[0]
    inverse = b.solve(a, _eye(b, n, a.type), packed, order, by="lu", transposed=True)
    return compose(total((0, 1), (n, n)), scale(b.mul(inverse, e.outs[0])))


row(
    "determinant",
    Kind.SOLVE,
    _determinant_typing,
    factorizations.determinant,
    maps=(_of_determinant, None),
    kinks="singular matrices",
)


def _of_pseudo_inverse(b: Builder, e: Equation) -> Generator:
    # dP = -P da P + P Pᵀ daᵀ (1 - a P) + (1 - P a) daᵀ Pᵀ P, where the rank does not change (Golub and Pereyra 1973)
    a, p = e.operands[0], e.outs[0]
    turn = permute(_TURN)
    outside = sums(identity(), compose(negate(), right(p), right(a)))
    inside = sums(identity(), compose(negate(), left(p), left(a)))
    return sums(
        compose(negate(), left(p), right(p)),
        compose(left(b.matmul(p, _turned(b, p))), outside, turn),
        compose(inside, right(p), right(p).dual(), turn),
    )


row(
    "pseudo_inverse",
    Kind.SOLVE,
    _pseudo_inverse_typing,
    factorizations.pseudo_inverse,
    maps=(_of_pseudo_inverse, None),
    kinks="where the rank changes",
)

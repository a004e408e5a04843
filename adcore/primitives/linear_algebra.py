"""Rows that take matrices apart, and that solve with what they come apart into.

    lu(a)                             packed, order, swaps, info     a[order] = L U
    cholesky(a)                       L, info                        of the lower triangle of a; a = L Lᴴ
    qr(a)                             Q, R                           of at least as many rows as columns
    solve_triangular(t, x)            t⁻¹ x                          of one triangle of t
    solve(a, x, *factors)             a⁻¹ x
    determinant(a, *factors)          of a regular matrix
    pseudo_inverse(a, U, s, Vᴴ, c)    a⁺, singular values up to c times the largest taken as 0

The rows are LAPACK's routines: none raises, `info` is LAPACK's, not 0 where there is no such factorization.  What goes
by eigenvalues and singular values is in `adcore.primitives.spectra`.  Where a matrix is transposed below and a complex
one has to be conjugated as well, the maps conjugate the tangent by a generator of its own: they are linear over reals.

The last three are functions of the matrix a (and x) alone.  What it has come apart into before is given
beside it, so that it need not be done again: nothing depends on that but the time.  So the derivative too is solved
with what the primal has computed: the tangent is -a⁻¹ da x.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
from .kinks import edge
from .matrix_parts import (
    TURN,
    adjoining,
    adjoint,
    below,
    conjugated,
    eye,
    grid,
    hermitian,
    matrix,
    rest,
    right_substitution,
)
from .spectra import svd_typing

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__: list[str] = []

# Types


def _lu_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, k = operands[0].type, operands[1]
    matrix("lu", a)
    return (a, Type(DType.I64, a.shape[:1]), Type(DType.I64, (k,)), I64)


def _cholesky_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    matrix("cholesky", operands[0].type, square=True)
    return (operands[0].type, I64)


def _qr_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a = operands[0].type
    matrix("qr", a)
    return (a, a.with_shape(a.shape[1], a.shape[1]))


def _solve_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, x = operand_types(operands[:2])
    matrix("solve", a, square=True)
    matrix("solve", x)
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
    matrix("determinant", a, square=True)
    wanted = (a, Type(DType.I64, a.shape[:1]), Type(DType.I64, swaps.shape))
    require((packed, order, swaps) == wanted, "determinant: {} {} {} of {}", packed, order, swaps, a)
    return (a.with_shape(),)


def _pseudo_inverse_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, u, s, vt, cutoff = operand_types(operands)
    matrix("pseudo_inverse", a)
    require((u, s, vt) == svd_typing((operands[0], s.shape[0]), {})[:3], "pseudo_inverse: {} {} {} of {}", u, s, vt, a)
    require(cutoff == s.with_shape(), "pseudo_inverse: the cutoff is {}", cutoff)
    return (a.with_shape(*reversed(a.shape)),)


# LU


def _lu(b: Builder, e: Equation) -> Generator:
    # a[order] = L U.  With C = L⁻¹ da[order] U⁻¹: dL = L below(C), dU = rest(C) U; L and U are filled up to squares.
    packed, order = e.outs[:2]
    m, n = packed.type.shape
    lower, upper = _lower_factor(b, packed, e.operands[1]), _upper_factor(b, packed, e.operands[1])
    return compose(
        sums(compose(left(lower), mask(below(b, m, n))), compose(right(upper), mask(rest(b, m, n)))),
        right_substitution(upper, lower=False),
        substitution(lower, lower=True, unit=True),
        gather("a:", (order,), packed.type.shape),
    )


def _lower_factor(b: Builder, packed: Atom, k: Atom) -> Atom:
    m, n = packed.type.shape
    part = packed if m == n else b.view(packed, 0, k, 1, codes=":s")
    part = b.select(below(b, *part.type.shape), part, 0.0)
    one = eye(b, m, packed.type.dtype)
    return b.add(one, part) if m == n else b.add_at(one, part, 0, k, 1, codes=":s")


def _upper_factor(b: Builder, packed: Atom, k: Atom) -> Atom:
    m, n = packed.type.shape
    part = packed if m == n else b.view(packed, 0, k, 1, codes="s:")
    part = b.select(rest(b, *part.type.shape), part, 0.0)
    if m == n:
        return part
    i, j = grid(b, n, n)
    further = b.land(b.eq(i, j), b.ge(i, b.expand(k, n, n, axes=(0, 1))))
    return b.add_at(b.cast(further, dtype=packed.type.dtype), part, 0, k, 1, codes="s:")


row(
    "lu",
    Kind.FACTORIZATION,
    _lu_typing,
    lambda a, k: factorizations.lu(a),
    maps=(_lu, None),
    kinks=(edge("ties of pivots; singular matrices"),),
)

# Cholesky


def _cholesky(b: Builder, e: Equation) -> Generator:
    # dL = L Φ(L⁻¹ da L⁻ᴴ), Φ the lower triangle with half the diagonal (Murray 2016, equation 8)
    lower = e.outs[0]
    n = lower.type.shape[0]
    i, j = grid(b, n, n)
    half = b.select(b.gt(i, j), 1.0, b.select(b.eq(i, j), b.mul(eye(b, n, lower.type.dtype), 0.5), 0.0))
    return compose(
        left(lower),
        scale(half),
        right_substitution(conjugated(b, lower), lower=True, transposed=True),
        substitution(lower, lower=True),
        hermitian(b, n, lower.type.dtype, lower=True),
    )


row("cholesky", Kind.FACTORIZATION, _cholesky_typing, factorizations.cholesky, maps=(_cholesky,))

# QR.  With C = Qᴴ da R⁻¹, and S(C) what is left of C without the anti-Hermitian matrix that has its lower triangle and
# the imaginary part of its diagonal: dR = S(C) R, and da = dQ R + Q dR.


def _qr_q(b: Builder, e: Equation) -> Generator:
    q, r = e.outs
    kept = hermitian(b, r.type.shape[0], r.type.dtype, lower=False)
    moved = compose(negate(), left(q), kept, left(adjoint(b, q)))
    return compose(sums(identity(), moved), right_substitution(r, lower=False))


def _qr_r(b: Builder, e: Equation) -> Generator:
    q, r = e.outs
    kept = hermitian(b, r.type.shape[0], r.type.dtype, lower=False)
    return compose(right(r), kept, left(adjoint(b, q)), right_substitution(r, lower=False))


row(
    "qr",
    Kind.FACTORIZATION,
    _qr_typing,
    factorizations.qr,
    maps=((_qr_q, _qr_r),),
    kinks=(edge("columns that depend on each other"),),
)

# Solving


def _of_triangle(b: Builder, e: Equation) -> Generator:
    # x = t⁻¹ y: dx = -t⁻¹ dt x
    (lower, unit, transposed), x = (e.params[k] for k in ("lower", "unit", "transposed")), e.outs[0]
    n = x.type.shape[0]
    i, j = grid(b, n, n)
    part = (b.gt if unit else b.ge)(*((i, j) if lower else (j, i)))
    turned = (permute(TURN),) if transposed else ()
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
    turned = (permute(TURN),) if e.params["transposed"] else ()
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
    inverse = b.solve(a, eye(b, n, a.type.dtype), packed, order, by="lu", transposed=True)
    return compose(total((0, 1), (n, n)), scale(b.mul(inverse, e.outs[0])))


row(
    "determinant",
    Kind.SOLVE,
    _determinant_typing,
    factorizations.determinant,
    maps=(_of_determinant, None),
    kinks=(edge("singular matrices"),),
)


def _of_pseudo_inverse(b: Builder, e: Equation) -> Generator:
    # dP = -P da P + P Pᴴ daᴴ (1 - a P) + (1 - P a) daᴴ Pᴴ P, where the rank does not change (Golub and Pereyra 1973)
    a, p = e.operands[0], e.outs[0]
    turn, turned = adjoining(p.type.dtype), adjoint(b, p)
    outside = sums(identity(), compose(negate(), right(p), right(a)))
    inside = sums(identity(), compose(negate(), left(p), left(a)))
    return sums(
        compose(negate(), left(p), right(p)),
        compose(left(b.matmul(p, turned)), outside, turn),
        compose(inside, right(p), right(turned), turn),
    )


row(
    "pseudo_inverse",
    Kind.SOLVE,
    _pseudo_inverse_typing,
    factorizations.pseudo_inverse,
    maps=(_of_pseudo_inverse, None),
    kinks=(edge("where the rank changes"),),
)

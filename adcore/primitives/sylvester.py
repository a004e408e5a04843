"""Rows of Sylvester's equation, solved by Schur forms (Bartels and Stewart 1972).

    schur(a)                          T, Z, w, info    a = Z T Zᴴ, with a's eigenvalues w in the order of T's diagonal
    sylvester(a, b, q, *factors)      x                a x + x b = q
    square_root(a, x)                 x                x x = a, without eigenvalues on the closed negative axis
    riccati(a, b, c, d, x)            x                x a + x b x = c + d x, of the solutions the one near x

A real matrix has a real T, which has a block of two by two on its diagonal for each pair of complex eigenvalues.  With
`transposed` the equation is aᵀ x + x bᵀ = q, the dual.  The factors are T and Z of a, then those of b; with `adjoint`
those of bᴴ: where b is aᴴ, as in Lyapunov's equation, one Schur form serves for both.

As in `adcore.primitives.linear_algebra`, the solution is a function of a, b and q alone.  The Schur form is not unique,
and nothing else reads it, so that it is a constant to derivatives.  So is the square root that has been found before
and is given beside its square: the row states that it is one, and its derivative solves Sylvester's equation.  So is
the solution of Riccati's equation, which says that (1, x) spans what the matrix ((a, b), (c, d)) maps into itself:
((a, b), (c, d)) (1, x) = (1, x) (a + b x).  Neither conjugates anything, nor has to be symmetric.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import factorizations
from ..linear import Generator, balance, compose, left, negate, permute, right
from ..types import I64, Atom, Type
from .base import Kind, operand_types, require, row
from .kinks import edge
from .matrix_parts import TURN, matrix

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__: list[str] = []


def _schur_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a = operands[0].type
    matrix("schur", a, square=True)
    return (a, a, Type(a.dtype.as_complex, a.shape[:1]), I64)


def _sylvester_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, b, q, *factors = operand_types(operands)
    matrix("sylvester", a, square=True)
    matrix("sylvester", b, square=True)
    require(a.dtype is b.dtype, "sylvester: {} and {}", a.dtype, b.dtype)
    require(q == a.with_shape(a.shape[0], b.shape[0]), "sylvester: {} beside {} and {}", q, a, b)
    require(factors == [a, a, b, b], "sylvester: {} are no Schur forms of {} and {}", factors, a, b)
    return (q,)


def _root_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, x = operand_types(operands)
    matrix("square_root", a, square=True)
    require(x == a, "square_root: {} is no root of {}", x, a)
    return (a,)


def _riccati_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, b, c, d, x = operand_types(operands)
    matrix("riccati", a, square=True)
    matrix("riccati", d, square=True)
    n, m = a.shape[0], d.shape[0]
    require(a.dtype is d.dtype, "riccati: {} and {}", a.dtype, d.dtype)
    require((b, c) == (a.with_shape(n, m), a.with_shape(m, n)), "riccati: {} and {} beside {} and {}", b, c, a, d)
    require(x == c, "riccati: {} is no solution beside {}", x, c)
    return (c,)


def _solving(e: Equation) -> Generator:
    a, b, _, *factors = e.operands
    return balance(a, b, *factors, **e.params)


# x = S q: dx = S (dq - da x - x db); S comes last, so that the three have one dual solution between them


def _of_left(b: Builder, e: Equation) -> Generator:
    turned = (permute(TURN),) if e.params["transposed"] else ()
    return compose(_solving(e), negate(), right(e.outs[0]), *turned)


def _of_right(b: Builder, e: Equation) -> Generator:
    turned = (permute(TURN),) if e.params["transposed"] else ()
    return compose(_solving(e), negate(), left(e.outs[0]), *turned)


def _of_square(b: Builder, e: Equation) -> Generator:
    # x dx + dx x = da
    x = e.outs[0]
    t, z = b.schur(x)[:2]
    return balance(x, x, t, z, t, z, adjoint=False)


# (d - x b) dx - dx (a + b x) = x da + x db x - dc - dd x; as above what solves comes last


def _closing(b: Builder, e: Equation) -> Generator:
    a, beside, _, d, _ = e.operands
    x = e.outs[0]
    kept, other = b.neg(b.add(a, b.matmul(beside, x))), b.sub(d, b.matmul(x, beside))
    return balance(other, kept, *b.schur(other)[:2], *b.schur(kept)[:2], adjoint=False)


row("schur", Kind.FACTORIZATION, _schur_typing, factorizations.schur, constant=(0,))
row(
    "sylvester",
    Kind.SOLVE,
    _sylvester_typing,
    factorizations.sylvester,
    maps=(_of_left, _of_right, lambda b, e: _solving(e), None),
    kinks=(edge("where a and -b have an eigenvalue in common"),),
)
row(
    "square_root",
    Kind.SOLVE,
    _root_typing,
    factorizations.square_root,
    maps=(_of_square, None),
    kinks=(edge("matrices with an eigenvalue on the closed negative axis"),),
)
row(
    "riccati",
    Kind.SOLVE,
    _riccati_typing,
    factorizations.riccati,
    maps=(
        lambda b, e: compose(_closing(b, e), left(e.outs[0])),
        lambda b, e: compose(_closing(b, e), left(e.outs[0]), right(e.outs[0])),
        lambda b, e: compose(_closing(b, e), negate()),
        lambda b, e: compose(_closing(b, e), negate(), right(e.outs[0])),
        None,
    ),
    kinks=(edge("where a + b x and d - x b have an eigenvalue in common"),),
)

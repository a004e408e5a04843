"""The functions of `adcore.factorizations`, lowered to the rows of their names, and what they take.

The library's own modules call them.  Plain Python runs them as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError
from adcore.types import Atom, DType, Lit

from ..operators import numeric
from ..promotion import converted, promoted
from ..values import Array, Scalar, Static, Tuple, Value, number
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["adjoint", "alike", "doubled", "floating", "inexact", "is_one", "precision"]


def inexact(a):
    """The array itself, floats or complex numbers, with floats in the place of integers."""
    x = np.asarray(a)
    return x if x.dtype.kind in "fc" else x.astype(float)


def floating(a):
    """The array of floats itself, with floats in the place of integers.  Complex numbers are refused."""
    x = inexact(a)
    if x.dtype.kind == "c":
        raise NotImplementedError("complex matrices")
    return x


def doubled(a):
    """The array in double precision."""
    x = inexact(a)
    return x.astype(complex) if np.iscomplexobj(x) else x.astype(float)


def adjoint(x):
    """The matrices transposed, and conjugated where they are complex."""
    return np.conj(np.swapaxes(x, -1, -2))


@lowers(f"{__name__}.inexact")
def _inexact(low: Lowering, a: Value) -> Value:
    from ..array_functions import array_like

    x = array_like(low, a)
    return x if x.dtype.differentiable else low.value(low.cast(low.atom(x), DType.F64))


@lowers(f"{__name__}.floating")
def _floating(low: Lowering, a: Value) -> Value:
    x = _inexact(low, a)
    if low.atom(x).type.dtype.kind == "c":
        taken = "np.linalg.solve of the whole matrix"
        low.refuse(UnsupportedFunctionError, "this function of complex matrices", taken)
    return x


def alike(*arrays):
    """The arrays, all of the dtype that holds the elements of each."""
    dtype = np.result_type(*arrays)
    return tuple(x.astype(dtype) for x in arrays)


@lowers(f"{__name__}.alike")
def _alike(low: Lowering, *arrays: Value) -> Value:
    from ..array_functions import array_like

    found = [array_like(low, a) for a in arrays]
    dtype = promoted(found)
    return Tuple(tuple(low.value(converted(low, x, dtype)) for x in found))


def is_one(n):
    """Whether a length is 1; in compiled code, whether it is known to be, as it is of arguments."""
    return n == 1


@lowers(f"{__name__}.is_one")
def _is_one(low: Lowering, n: Value) -> Value:
    return number(isinstance(n, Scalar) and n.known == 1)


def precision(x):
    """The distance from 1 to the next number of the array's dtype."""
    return float(np.finfo(x.dtype).eps)


# Rows


def _matrix(low: Lowering, value: Value) -> Atom:
    from ..array_functions import array_like

    atom = low.atom(array_like(low, value))
    if atom.type.rank != 2:
        low.refuse(UnsupportedFunctionError, f"a matrix is wanted, not an array of rank {atom.type.rank}", "a matrix")
    return atom


def _square(low: Lowering, value: Value) -> Atom:
    """A matrix that is known to be square, its two lengths under one name."""
    atom = _matrix(low, value)
    return _of_lengths(low, atom, *[next((n for n in atom.type.shape if isinstance(n, Lit)), atom.type.shape[0])] * 2)


def _of_lengths(low: Lowering, atom: Atom, *lengths: Atom) -> Atom:
    return low.b.conform(atom, *lengths, checked=False)


def _smaller(low: Lowering, atom: Atom) -> Atom:
    m, n = atom.type.shape
    smaller = m if m == n else low.b.minimum(m, n)
    low.facts.length(smaller)
    return smaller


def _values(low: Lowering, atoms: tuple[Atom, ...]) -> Tuple:
    return Tuple(tuple(low.value(a) for a in atoms))


def _flag(low: Lowering, value: Value) -> bool:
    known = value.known if isinstance(value, Scalar) else None
    if not isinstance(known, bool):
        cause = "which triangle, or whether it is transposed, is not constant"
        low.refuse(UnsupportedFunctionError, cause, "lower=True")
    return known


@lowers("adcore.factorizations.lu")
def _lu(low: Lowering, a: Value) -> Value:
    x = _matrix(low, a)
    return _values(low, low.b.lu(x, _smaller(low, x)))


@lowers("adcore.factorizations.svd")
def _svd(low: Lowering, a: Value) -> Value:
    x = _matrix(low, a)
    return _values(low, low.b.svd(x, _smaller(low, x)))


@lowers("adcore.factorizations.qr")
def _qr(low: Lowering, a: Value) -> Value:
    return _values(low, low.b.qr(_matrix(low, a)))


@lowers("adcore.factorizations.cholesky")
def _cholesky(low: Lowering, a: Value) -> Value:
    return _values(low, low.b.cholesky(_square(low, a)))


@lowers("adcore.factorizations.eig")
def _eig(low: Lowering, a: Value) -> Value:
    return _values(low, low.b.eig(_square(low, a)))


@lowers("adcore.factorizations.eigh")
def _eigh(low: Lowering, a: Value) -> Value:
    return _values(low, low.b.eigh(_square(low, a)))


@lowers("adcore.factorizations.schur")
def _schur(low: Lowering, a: Value) -> Value:
    return _values(low, low.b.schur(_square(low, a)))


@lowers("adcore.factorizations.sylvester")
def _sylvester(
    low: Lowering, a: Value, b: Value, q: Value, *factors: Value, adjoint: Value, transposed: Value
) -> Value:
    matrices = [_square(low, a), _square(low, b)]
    m, n = (each.type.shape[0] for each in matrices)
    given = _of_lengths(low, _matrix(low, q), m, n)
    parts = [_of_lengths(low, _matrix(low, f), k, k) for f, k in zip(factors, (m, m, n, n), strict=True)]
    flags = {"adjoint": _flag(low, adjoint), "transposed": _flag(low, transposed)}
    return low.value(low.b.sylvester(*matrices, given, *parts, **flags))


@lowers("adcore.factorizations.square_root")
def _square_root(low: Lowering, a: Value, found: Value) -> Value:
    matrix = _square(low, a)
    return low.value(low.b.square_root(matrix, _of_lengths(low, _matrix(low, found), *matrix.type.shape)))


@lowers("adcore.factorizations.riccati")
def _riccati(low: Lowering, a: Value, b: Value, c: Value, d: Value, found: Value) -> Value:
    first, last = _square(low, a), _square(low, d)
    n, m = first.type.shape[0], last.type.shape[0]
    beside, given, x = (_matrix(low, each) for each in (b, c, found))
    given, x = (_of_lengths(low, each, m, n) for each in (given, x))
    return low.value(low.b.riccati(first, _of_lengths(low, beside, n, m), given, last, x))


@lowers("adcore.factorizations.solve_triangular")
def _solve_triangular(low: Lowering, t: Value, x: Value, lower: Value, unit: Value, transposed: Value) -> Value:
    matrix = _square(low, t)
    given = _matrix(low, x)
    given = _of_lengths(low, given, matrix.type.shape[0], given.type.shape[1])
    flags = {"lower": _flag(low, lower), "unit": _flag(low, unit), "transposed": _flag(low, transposed)}
    return low.value(low.b.solve_triangular(matrix, given, **flags))


@lowers("adcore.factorizations.solve")
def _solve(low: Lowering, a: Value, x: Value, *factors: Value, by: Value, transposed: Value) -> Value:
    matrix, given = _square(low, a), _matrix(low, x)
    n = matrix.type.shape[0]
    given = _of_lengths(low, given, n, given.type.shape[1])
    parts: list[Any] = [_of_lengths(low, _matrix(low, factors[0]), n, n)]
    if len(factors) > 1:
        order: Any = factors[1]
        parts.append(_of_lengths(low, low.atom(order), n))
    assert isinstance(by, Static)
    return low.value(low.b.solve(matrix, given, *parts, by=by.value, transposed=_flag(low, transposed)))


@lowers("adcore.factorizations.sparse_order")
def _sparse_order(low: Lowering, row: Value, col: Value, n: Value) -> Value:
    rows, columns = _alike_in_length(low, row, col)
    assert isinstance(n, Scalar)
    return low.value(low.b.sparse_order(rows, columns, n.atom))


@lowers("adcore.factorizations.sparse_lu")
def _sparse_lu(low: Lowering, values: Value, row: Value, col: Value, columns: Value) -> Value:
    order: Any = columns
    found = low.b.sparse_lu(*_alike_in_length(low, values, row, col), low.atom(order))
    low.facts.length(found[0])
    return _values(low, found)


@lowers("adcore.factorizations.sparse_solve")
def _sparse_solve(
    low: Lowering, values: Value, row: Value, col: Value, x: Value, *factors: Value, transposed: Value
) -> Value:
    matrix, given = _alike_in_length(low, values, row, col), _matrix(low, x)
    parts: list[Any] = list(factors)
    columns, packed, places, *rest = (low.atom(p) for p in parts)
    n = columns.type.shape[0]
    given = _of_lengths(low, given, n, given.type.shape[1])
    places = _of_lengths(low, places, *packed.type.shape)
    each = [_of_lengths(low, atom, n) for atom in rest]
    found = low.b.sparse_solve(*matrix, given, columns, packed, places, *each, transposed=_flag(low, transposed))
    return low.value(found)


def _alike_in_length(low: Lowering, *arrays: Value) -> list[Atom]:
    """Arrays of one axis that are known to be as long as the first."""
    given: list[Any] = list(arrays)
    first, *rest = (low.atom(a) for a in given)
    return [first, *(_of_lengths(low, atom, *first.type.shape) for atom in rest)]


@lowers("adcore.factorizations.determinant")
def _determinant(low: Lowering, a: Value, *factors: Value) -> Value:
    parts: list[Any] = list(factors)
    matrix = _square(low, a)
    n = matrix.type.shape[0]
    packed, order, swaps = (low.atom(p) for p in parts)
    return low.value(low.b.determinant(matrix, _of_lengths(low, packed, n, n), _of_lengths(low, order, n), swaps))


@lowers("adcore.factorizations.pseudo_inverse")
def _pseudo_inverse(low: Lowering, a: Value, u: Value, s: Value, vt: Value, cutoff: Value) -> Value:
    parts: list[Any] = [a, u, s, vt]
    atoms = [low.atom(p) for p in parts]
    least = numeric(low, cutoff)
    if isinstance(least, Array):
        low.refuse(UnsupportedFunctionError, "a cutoff for each of several matrices", "one number")
    atoms.append(converted(low, least, atoms[2].type.dtype))
    return low.value(low.b.pseudo_inverse(*atoms))

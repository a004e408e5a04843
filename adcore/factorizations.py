"""Matrices taken apart and solved with, by LAPACK through SciPy; sparse ones by our own routines, solved with by SciPy.

This is what the rows of `adcore.primitives.linear_algebra`, `spectra`, `sylvester` and `sparse` mean.

None of these raises where a matrix has no such factorization: `info` is LAPACK's, 0 where all is well.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from . import elimination, elimination_order

__all__ = [
    "cholesky",
    "determinant",
    "eig",
    "eigh",
    "lu",
    "pseudo_inverse",
    "qr",
    "riccati",
    "schur",
    "solve",
    "solve_triangular",
    "sparse_lu",
    "sparse_order",
    "sparse_solve",
    "square_root",
    "svd",
    "sylvester",
]


def _lapack(name: str, *arrays: Any) -> Any:
    from scipy.linalg.lapack import get_lapack_funcs  # takes as long to import as all of adcore

    return get_lapack_funcs(name, arrays)


def lu(a: Any) -> tuple[Any, Any, Any, int]:
    """`a[order] = L @ U`: L below the diagonal and U on and above it in one matrix, the order, the swaps, info.

    Row k was exchanged with row `swaps[k]`.
    """
    order = np.arange(a.shape[0])
    if not a.size:
        return np.array(a), order, np.zeros(min(a.shape), np.int64), 0
    packed, swaps, info = _lapack("getrf", a)(a)
    for i, j in enumerate(swaps):
        order[[i, j]] = order[[j, i]]
    return packed, order, swaps.astype(np.int64), info


def cholesky(a: Any) -> tuple[Any, int]:
    """The lower triangular L with `L @ L.conj().T` the Hermitian matrix whose lower triangle is that of `a`; info."""
    return _lapack("potrf", a)(a, lower=1, clean=1) if a.size else (np.array(a), 0)


def qr(a: Any) -> tuple[Any, Any]:
    """Q with orthonormal columns and the upper triangular R, of a matrix with at least as many rows as columns.

    The diagonal of R is real.
    """
    if not a.size:
        return np.array(a), np.zeros((a.shape[1],) * 2, a.dtype)
    reflections, scales, _, _ = _lapack("geqrf", a)(a)
    q = _lapack("ungqr" if np.iscomplexobj(a) else "orgqr", a)(reflections, scales)[0]
    return q, np.triu(reflections[: a.shape[1]])


def eigh(a: Any) -> tuple[Any, Any, int]:
    """Eigenvalues, ascending, and eigenvectors of the Hermitian matrix whose lower triangle is that of `a`; info."""
    if not a.size:
        return np.zeros(0, a.real.dtype), np.array(a), 0
    return _lapack("heevd" if np.iscomplexobj(a) else "syevd", a)(a, lower=1)


def eig(a: Any) -> tuple[Any, Any, int]:
    """Eigenvalues and eigenvectors of a square matrix, complex numbers; info."""
    dtype = np.result_type(a, np.complex64)
    if not a.size:
        return np.zeros(0, dtype), np.zeros(a.shape, dtype), 0
    if np.iscomplexobj(a):
        w, _, v, info = _lapack("geev", a)(a, compute_vl=0)
        return w, v, info
    real, imaginary, _, v, info = _lapack("geev", a)(a, compute_vl=0)
    vectors = v.astype(dtype)
    for j in np.flatnonzero(imaginary > 0.0):  # LAPACK has the real parts of a pair's vectors, then the imaginary ones
        vectors[:, j] += dtype.type(1j) * v[:, j + 1]
        vectors[:, j + 1] = np.conj(vectors[:, j])
    return real + dtype.type(1j) * imaginary, vectors, info


def schur(a: Any) -> tuple[Any, Any, Any, int]:
    """T and Z with `a = Z @ T @ Z.conj().T`, the eigenvalues of `a`, complex numbers, and info.

    T is upper triangular; that of a real matrix is real, and has blocks of two by two on its diagonal.
    """
    dtype = np.result_type(a, np.complex64)
    if not a.size:
        return np.array(a), np.array(a), np.zeros(0, dtype), 0
    if not np.all(np.isfinite(a)):  # with which LAPACK goes on for a tenth of a second
        return np.full_like(a, np.nan), np.full_like(a, np.nan), np.full(len(a), np.nan, dtype), len(a)
    found = _lapack("gees", a)(lambda *_: False, a, sort_t=0)
    if np.iscomplexobj(a):
        t, _, w, z, _, info = found
        return t, z, w, info
    t, _, real, imaginary, z, _, info = found
    return t, z, real + dtype.type(1j) * imaginary, info


def svd(a: Any) -> tuple[Any, Any, Any, int]:
    """U, the singular values, descending, and Vᴴ, as many as the smaller side has; info."""
    (m, n), k = a.shape, min(a.shape)
    if not a.size:
        return np.zeros((m, k), a.dtype), np.zeros(k, a.real.dtype), np.zeros((k, n), a.dtype), 0
    return _lapack("gesdd", a)(a, full_matrices=0)


def solve_triangular(t: Any, x: Any, lower: bool, unit: bool, transposed: bool) -> Any:
    """t⁻¹ x for one triangle of t, or that of its transpose; `unit` takes the diagonal as ones."""
    triangle = np.tril(t) if lower else np.triu(t)
    if unit:
        np.fill_diagonal(triangle, 1.0)
    if not x.size:
        return np.array(x)
    return _lapack("trtrs", triangle, x)(triangle, x, lower=lower, trans=int(transposed))[0]


def solve(a: Any, x: Any, *factors: Any, by: str = "", transposed: bool = False) -> Any:
    """a⁻¹ x, or that of the transposed matrix; the factors of `a` are not needed here."""
    return _lapack("gesv", a, x)(a.T if transposed else a, x)[2] if x.size else np.array(x)


def sylvester(a: Any, b: Any, q: Any, *factors: Any, adjoint: bool = False, transposed: bool = False) -> Any:
    """The x with a x + x b = q, or aᵀ x + x bᵀ = q; the Schur forms of `a` and `b` are not needed here."""
    if not q.size:
        return np.array(q)
    dtype = np.result_type(a, b, q)
    a, b = ((each.T if transposed else each).astype(dtype) for each in (a, b))
    (first, u, *_), (second, v, *_) = schur(a), schur(b)
    given = np.conj(u).T @ q @ v
    x, scale, _ = _lapack("trsyl", first, second, given)(first, second, given)
    return u @ (x / scale) @ np.conj(v).T


def square_root(a: Any, *found: Any) -> Any:
    """The principal square root, which is real where `a` is; what is given beside it is not needed here."""
    if not a.size:
        return np.array(a)
    t, z, _, _ = schur(a.astype(np.result_type(a, np.complex64)))
    root = np.zeros_like(t)
    for j in range(len(t)):  # Björck and Hammarling (1983)
        root[j, j] = np.sqrt(t[j, j])
        for i in range(j - 1, -1, -1):
            between = slice(i + 1, j)
            root[i, j] = (t[i, j] - root[i, between] @ root[between, j]) / (root[i, i] + root[j, j])
    found = z @ root @ np.conj(z).T
    return found if np.iscomplexobj(a) else np.real(found).astype(a.dtype)


def riccati(a: Any, b: Any, c: Any, d: Any, found: Any) -> Any:
    """The x with x a + x b x = c + d x to which Newton's iteration goes from the one given."""
    x = np.array(found)
    for _ in range(6):
        x = x - sylvester(d - x @ b, -(a + b @ x), c + d @ x - x @ a - x @ b @ x)
    return x


def determinant(a: Any, *factors: Any) -> Any:
    """The determinant; the factors of `a` are not needed here."""
    packed, _, swaps, _ = lu(a)
    odd = np.sum(swaps != np.arange(len(swaps))) % 2
    return np.prod(np.diagonal(packed)) * (-1.0 if odd else 1.0)


def pseudo_inverse(a: Any, u: Any, s: Any, vt: Any, cutoff: float) -> Any:
    """a⁺, singular values up to `cutoff` times the largest taken as 0; `u`, `s` and `vt` are not needed here."""
    u, s, vt, _ = svd(a)
    large = s > cutoff * np.max(s, initial=0.0)
    return (np.conj(vt).T * np.divide(1.0, s, out=np.zeros_like(s), where=large)) @ np.conj(u).T


def sparse_order(row: Any, col: Any, n: int) -> Any:
    """The columns of an n by n matrix with elements in these places, in an order that keeps its factors sparse."""
    return elimination_order.sparse_order(row, col, int(n))


def sparse_lu(values: Any, row: Any, col: Any, columns: Any) -> tuple[Any, ...]:
    """How many elements L and U have, these, their places, ends, diagonals, the order of the rows, info.

    `adcore.elimination` says what these are; the columns are taken in the order given.
    """
    with np.errstate(all="ignore"):
        return elimination.sparse_lu(values, row, col, columns)


def sparse_solve(values: Any, row: Any, col: Any, x: Any, *factors: Any, transposed: bool = False) -> Any:
    """a⁻¹ x for the matrix with these elements, or that of the transposed matrix; the factors are not needed here."""
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import MatrixRankWarning, spsolve

    if not x.size:
        return np.array(x)
    n = x.shape[0]
    matrix = csc_array((values, (col, row) if transposed else (row, col)), shape=(n, n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatrixRankWarning)
        return np.reshape(np.asarray(spsolve(matrix, x)), x.shape)

"""Matrices taken apart, as NumPy and SciPy name it: Cholesky, QR, LU, eigenvalues and singular values.

Arrays of matrices are taken apart one after the other.
"""

from __future__ import annotations

import numpy as np

from adcore import factorizations
from adcore.custom import stop_gradient

from .elementwise import squares_of
from .factors import adjoint, alike, inexact, precision
from .registry import defines, refuse

__all__ = [
    "eigen",
    "householder",
    "mirrored",
    "part_of_eigen",
    "singular_values",
    "square",
    "stacked",
    "triangle_of",
]

EigResult = type(np.linalg.eig(np.eye(1)))
EighResult = type(np.linalg.eigh(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))


# What all of them need


def square(x):
    """Raise, as NumPy does, unless these are square matrices."""
    if x.ndim < 2:
        raise np.linalg.LinAlgError(f"{x.ndim}-dimensional array given. Array must be at least two-dimensional")
    if x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")


def stacked(x):
    """All matrices of the array along one axis."""
    count = 1
    for n in x.shape[:-2]:
        count = count * n
    return np.reshape(x, (count, *x.shape[-2:]))


# Cholesky


def lower_factor(x, message):
    lower, info = factorizations.cholesky(x)
    if info > 0:
        raise np.linalg.LinAlgError(message)
    return lower


@defines("numpy.linalg.cholesky")
def cholesky(a, /, *, upper=False):
    x = inexact(a)
    square(x)
    if upper:
        return adjoint(_lower_factors(adjoint(x)))
    return _lower_factors(x)


def _lower_factors(x):
    message = "Matrix is not positive definite"
    if x.ndim == 2:
        return lower_factor(x, message)
    flat = stacked(x)
    made = np.empty_like(flat)
    for k in range(flat.shape[0]):
        made[k] = lower_factor(flat[k], message)
    return np.reshape(made, x.shape)


@defines("scipy.linalg.cholesky")
def scipy_cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    x = inexact(a)
    square_for_scipy(x)
    message = "The matrix is not positive definite"
    return lower_factor(x, message) if lower else adjoint(lower_factor(adjoint(x), message))


def square_for_scipy(x):
    if x.ndim != 2:
        raise ValueError(f"a matrix is wanted, not an array of {x.ndim} dimensions")
    if x.shape[0] != x.shape[1]:
        raise ValueError(f"Input array is expected to be square but has the shape: ({x.shape[0]}, {x.shape[1]}).")


# QR


def _thin(x):
    """Q and R of a matrix of any shape: what columns there are beyond the rows only go into R."""
    m, n = x.shape
    k = min(m, n)
    q, square_part = factorizations.qr(x[:, :k])
    r = np.empty((k, n), x.dtype)
    r[:, :k] = square_part
    r[:, k:] = adjoint(q) @ x[:, k:]
    return q, r


def householder(x):
    """Q with all its columns, and R: reflections one after the other, as LAPACK makes them."""
    m, n = x.shape
    q, r = np.eye(m, dtype=x.dtype), x.copy()
    for k in range(min(m, n)):
        if np.sum(squares_of(r[k + 1 :, k])) + np.imag(r[k, k]) ** 2 > 0.0:
            length = np.sqrt(np.sum(squares_of(r[k:, k])))
            end = -length if np.real(r[k, k]) >= 0.0 else length
            v = r[k:, k] / (r[k, k] - end)
            v[0] = 1.0
            scale = (end - r[k, k]) / end
            r[k:, k:] -= np.outer(np.conj(scale) * v, np.conj(v) @ r[k:, k:])
            r[k, k] = end
            q[:, k:] -= np.outer(scale * (q[:, k:] @ v), np.conj(v))
    return q, np.triu(r)


@defines("numpy.linalg.qr")
def qr(a, mode="reduced"):
    x = inexact(a)
    if x.ndim < 2:
        raise np.linalg.LinAlgError(f"{x.ndim}-dimensional array given. Array must be at least two-dimensional")
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"np.linalg.qr: mode={mode!r} is not supported: 'reduced', 'complete' and 'r' are")
    if x.ndim > 2:
        return _stack_of_qr(x, mode)
    if mode == "complete":
        q, r = householder(x)
        return QRResult(q, r)
    q, r = _thin(x)
    return r if mode == "r" else QRResult(q, r)


def _stack_of_qr(x, mode):
    flat = stacked(x)
    m, n = x.shape[-2:]
    k = m if mode == "complete" else min(m, n)
    q, r = np.empty((flat.shape[0], m, k), x.dtype), np.empty((flat.shape[0], k, n), x.dtype)
    for i in range(flat.shape[0]):
        one = householder(flat[i]) if mode == "complete" else _thin(flat[i])
        q[i] = one[0]
        r[i] = one[1]
    batch = x.shape[:-2]
    r = np.reshape(r, (*batch, k, n))
    return r if mode == "r" else QRResult(np.reshape(q, (*batch, m, k)), r)


@defines("scipy.linalg.qr")
def scipy_qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    x = inexact(a)
    if pivoting:
        raise NotImplementedError("scipy.linalg.qr with pivoting")
    if mode == "economic":
        return _thin(x)
    if mode == "r":
        return (np.concatenate((_thin(x)[1], np.zeros((max(x.shape[0] - x.shape[1], 0), x.shape[1]), x.dtype))),)
    if mode != "full":
        raise ValueError("Mode argument should be one of ['full', 'r', 'economic']; 'raw' is not supported")
    return householder(x)


# LU


def upper_part(packed, k):
    return np.triu(packed[:k])


def lower_part(packed, k):
    return np.tril(packed[:, :k], -1) + np.eye(packed.shape[0], k, dtype=packed.dtype)


@defines("scipy.linalg.lu")
def lu(a, permute_l=False, overwrite_a=False, check_finite=True, p_indices=False):
    x = inexact(a)
    packed, order, _, _ = factorizations.lu(x)
    k = min(x.shape[0], x.shape[1])
    lower, upper = lower_part(packed, k), upper_part(packed, k)
    back = np.empty_like(order)  # where each row went
    back[order] = np.arange(order.shape[0])
    if permute_l:
        return lower[back], upper
    if p_indices:
        return back, lower, upper
    return np.eye(x.shape[0], dtype=np.real(x).dtype)[back], lower, upper


# Eigenvalues and eigenvectors of square matrices: complex numbers, also where those of a real matrix are real


def _eigen_of_square(x):
    w, v, info = factorizations.eig(x)
    if info > 0:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")
    return w, v


@defines("numpy.linalg.eig")
def eig(a):
    x = inexact(a)
    square(x)
    _finite(x)
    return EigResult(*_of_each(x, _eigen_of_square, np.result_type(x, np.complex64), np.result_type(x, np.complex64)))


@defines("numpy.linalg.eigvals")
def eigvals(a):
    x = inexact(a)
    square(x)
    _finite(x)
    return _values_of_each(x, _eigen_of_square, np.result_type(x, np.complex64))


def _finite(x):
    if not np.all(np.isfinite(x)):
        raise np.linalg.LinAlgError("Array must not contain infs or NaNs")


def _of_each(x, eigen_of, values_dtype, vectors_dtype):
    """The eigenvalues and eigenvectors of a matrix, or of each of several."""
    if x.ndim == 2:
        return eigen_of(x)
    flat = stacked(x)
    values, vectors = np.empty(flat.shape[:2], values_dtype), np.empty(flat.shape, vectors_dtype)
    for k in range(flat.shape[0]):
        w, v = eigen_of(flat[k])
        values[k] = w
        vectors[k] = v
    return np.reshape(values, x.shape[:-1]), np.reshape(vectors, x.shape)


def _values_of_each(x, eigen_of, dtype):
    """The eigenvalues alone."""
    if x.ndim == 2:
        return eigen_of(x)[0]
    flat = stacked(x)
    values = np.empty(flat.shape[:2], dtype)
    for k in range(flat.shape[0]):
        values[k] = eigen_of(flat[k])[0]
    return np.reshape(values, x.shape[:-1])


@defines("scipy.linalg.eig")
def scipy_eig(
    a,
    b=None,
    left=False,
    right=True,
    overwrite_a=False,
    overwrite_b=False,
    check_finite=True,
    homogeneous_eigvals=False,
):
    if b is not None:
        refuse("scipy.linalg.eig of two matrices is not supported", "scipy.linalg.eig(np.linalg.solve(b, a))")
    if left:
        refuse("scipy.linalg.eig with left=True is not supported", "scipy.linalg.eig(a.conj().T) for the left vectors")
    if homogeneous_eigvals:
        refuse("scipy.linalg.eig with homogeneous_eigvals=True is not supported", "homogeneous_eigvals=False")
    x = inexact(a)
    square_for_scipy(x)
    if not np.all(np.isfinite(x)):
        raise ValueError("array must not contain infs or NaNs")
    w, v = _eigen_of_square(x)
    return (w, v) if right else w


@defines("scipy.linalg.eigvals")
def scipy_eigvals(a, b=None, overwrite_a=False, check_finite=True, homogeneous_eigvals=False):
    return scipy_eig(a, b, right=False, homogeneous_eigvals=homogeneous_eigvals)


# Eigenvalues and eigenvectors of Hermitian matrices


def triangle_of(x, UPLO):
    """The array of matrices whose lower triangles are the ones named."""
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return x if UPLO in ("L", "l") else adjoint(x)


def mirrored(x):
    """The Hermitian matrices that have these lower triangles."""
    below = np.tril(x, -1)
    if np.iscomplexobj(x):
        whole = np.tril(x)
        return 0.5 * (whole + adjoint(whole)) + 0.5 * (below + adjoint(below))  # the diagonal is real
    return np.tril(x) + np.swapaxes(below, -1, -2)


def eigen(x):
    w, v, info = factorizations.eigh(x)
    if info > 0:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")
    return w, v


@defines("numpy.linalg.eigh")
def eigh(a, UPLO="L"):
    x = inexact(a)
    square(x)
    return EighResult(*_of_each(triangle_of(x, UPLO), eigen, np.real(x).dtype, x.dtype))


@defines("numpy.linalg.eigvalsh")
def eigvalsh(a, UPLO="L"):
    x = inexact(a)
    square(x)
    return _values_of_each(triangle_of(x, UPLO), eigen, np.real(x).dtype)


def _symmetric_for_scipy(a, b, lower, type):
    """The matrix of the ordinary problem: a, or with b = L Lᴴ one of L⁻¹ a L⁻ᴴ and Lᴴ a L; and L."""
    x = inexact(a)
    square_for_scipy(x)
    x = mirrored(x if lower else adjoint(x))
    if b is None:
        return x, None
    x, y = alike(x, inexact(b))
    factor = lower_factor(y if lower else adjoint(y), "The leading minor of B is not positive definite")
    if type == 1:
        half = factorizations.solve_triangular(factor, x, lower=True, unit=False, transposed=False)
        return factorizations.solve_triangular(factor, adjoint(half), lower=True, unit=False, transposed=False), factor
    return adjoint(factor) @ x @ factor, factor


def _chosen(x, subset_by_index):
    """The eigenvalues and eigenvectors of which the subset names the first and the last."""
    return eigen(x) if subset_by_index is None else part_of_eigen(x, subset_by_index[0], subset_by_index[1])


def part_of_eigen(x, first, last):
    """Those from the first to the last, ascending, with derivatives that the others may coincide for.

    With y = 0 at the point, the columns of kept + others y span what x maps into itself, whatever basis the others are.
    Where one of the others coincides with one of them, but for rounding, these are a part of all.
    """
    n = x.shape[0]
    if first < 0 or first > last or last >= n:
        raise ValueError("Requested eigenvalue indices are not valid: 0 <= start <= end < n is wanted")
    w, v = eigen(stop_gradient(x))
    least = 16.0 * precision(x) * float(n) * np.max(np.abs(w))
    below = first == 0 or w[max(first, 1)] - w[max(first, 1) - 1] > least
    above = last == n - 1 or w[min(last + 1, n - 1)] - w[min(last, n - 2)] > least
    if last - first + 1 == n or not (below and above):
        values, vectors = eigen(x)
        return values[first : last + 1], vectors[:, first : last + 1]
    kept, others = v[:, first : last + 1], np.concatenate((v[:, :first], v[:, last + 1 :]), axis=1)
    start = np.zeros((n - (last - first + 1), last - first + 1), x.dtype)
    along, beside = x @ kept, x @ others
    y = factorizations.riccati(
        adjoint(kept) @ along, adjoint(kept) @ beside, adjoint(others) @ along, adjoint(others) @ beside, start
    )
    lower = lower_factor(np.eye(last - first + 1, dtype=x.dtype) + adjoint(y) @ y, "no basis of the subspace")
    half = adjoint(kept + others @ y)
    basis = adjoint(factorizations.solve_triangular(lower, half, lower=True, unit=False, transposed=False))
    values, turned = eigen(adjoint(basis) @ x @ basis)
    return values, basis @ turned


@defines("scipy.linalg.eigh")
def scipy_eigh(
    a,
    b=None,
    *,
    lower=True,
    eigvals_only=False,
    overwrite_a=False,
    overwrite_b=False,
    type=1,
    check_finite=True,
    subset_by_index=None,
):
    x, factor = _symmetric_for_scipy(a, b, lower, type)
    w, v = _chosen(x, subset_by_index)
    if eigvals_only:
        return w
    if factor is not None:
        if type == 3:
            v = factor @ v
        else:
            v = factorizations.solve_triangular(np.conj(factor), v, lower=True, unit=False, transposed=True)
    return w, v


@defines("scipy.linalg.eigvalsh")
def scipy_eigvalsh(
    a, b=None, *, lower=True, overwrite_a=False, overwrite_b=False, type=1, check_finite=True, subset_by_index=None
):
    x, _ = _symmetric_for_scipy(a, b, lower, type)
    return _chosen(x, subset_by_index)[0]


# Singular values


def singular_values(x):
    u, s, vt, info = factorizations.svd(x)
    if info != 0:  # -4 where there is nan
        raise np.linalg.LinAlgError("SVD did not converge")
    return u, s, vt


@defines("numpy.linalg.svd")
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    x = inexact(a)
    if x.ndim < 2:
        raise np.linalg.LinAlgError(f"{x.ndim}-dimensional array given. Array must be at least two-dimensional")
    if hermitian:
        raise NotImplementedError("np.linalg.svd with hermitian=True; np.linalg.eigh")
    if not compute_uv:
        return svdvals(x)
    if full_matrices:
        _thin_is_full(x.shape[-2], x.shape[-1])
    if x.ndim == 2:
        u, s, vt = singular_values(x)
        return SVDResult(u, s, vt)
    flat = stacked(x)
    count, m, n = flat.shape[0], x.shape[-2], x.shape[-1]
    k = min(m, n)
    us, vts = np.empty((count, m, k), x.dtype), np.empty((count, k, n), x.dtype)
    ss = np.empty((count, k), np.real(x).dtype)
    for i in range(count):
        u, s, vt = singular_values(flat[i])
        us[i] = u
        ss[i] = s
        vts[i] = vt
    batch = x.shape[:-2]
    return SVDResult(np.reshape(us, (*batch, m, k)), np.reshape(ss, (*batch, k)), np.reshape(vts, (*batch, k, n)))


def _thin_is_full(m, n):
    if m != n:
        raise NotImplementedError("svd with full_matrices=True of a matrix that is not square; full_matrices=False is")


@defines("numpy.linalg.svdvals")
def svdvals(x, /):
    a = inexact(x)
    if a.ndim == 2:
        return singular_values(a)[1]
    flat = stacked(a)
    k = min(a.shape[-2], a.shape[-1])
    values = np.empty((flat.shape[0], k), np.real(a).dtype)
    for i in range(flat.shape[0]):
        values[i] = singular_values(flat[i])[1]
    return np.reshape(values, (*a.shape[:-2], k))


@defines("scipy.linalg.svd")
def scipy_svd(a, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True, lapack_driver="gesdd"):
    x = inexact(a)
    if not compute_uv:
        return singular_values(x)[1]
    if full_matrices:
        _thin_is_full(x.shape[0], x.shape[1])
    return singular_values(x)


@defines("scipy.linalg.svdvals")
def scipy_svdvals(a, overwrite_a=False, check_finite=True):
    return singular_values(inexact(a))[1]


@defines("scipy.linalg.polar")
def polar(a, side="right"):
    x = inexact(a)
    u, s, vt = singular_values(x)
    if side == "right":
        return u @ vt, (adjoint(vt) * s) @ vt
    return u @ vt, (u * s) @ adjoint(u)

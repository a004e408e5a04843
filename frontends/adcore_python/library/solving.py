"""Systems of linear equations: solved, inverted, in the least-squares sense; determinants."""

from __future__ import annotations

import numpy as np

from adcore import factorizations

from .decompositions import lower_factor, mirrored, singular_values, square, square_for_scipy, stacked
from .elementwise import squares_of
from .factors import adjoint, alike, inexact, precision
from .registry import defines

__all__ = ["inverse", "solution"]

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


# Solving


def solution(x, y, message="Singular matrix"):
    """x⁻¹ y for a matrix y."""
    packed, order, _, info = factorizations.lu(x)
    if info > 0:
        raise np.linalg.LinAlgError(message)
    return factorizations.solve(x, y, packed, order, by="lu", transposed=False)


def inverse(x, message="Singular matrix"):
    return solution(x, np.eye(x.shape[0], dtype=x.dtype), message)


def _broadcast(x, y):
    """Arrays of matrices, for each of one there is one of the other."""
    batch = (np.zeros(x.shape[:-2]) + np.zeros(y.shape[:-2])).shape
    return np.broadcast_to(x, (*batch, *x.shape[-2:])), np.broadcast_to(y, (*batch, *y.shape[-2:]))


@defines("numpy.linalg.solve")
def solve(a, b):
    x, y = alike(inexact(a), inexact(b))
    square(x)
    given = y[:, np.newaxis] if y.ndim == 1 else y
    core = "solve1: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (m,m),(m)->(m)"
    if y.ndim > 1:
        core = "solve: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (m,m),(m,n)->(m,n)"
    if given.shape[-2] != x.shape[-1]:
        raise ValueError(f"{core} (size {given.shape[-2]} is different from {x.shape[-1]})")
    found = solution(x, given) if x.ndim == 2 and given.ndim == 2 else _solutions(x, given)
    return found[..., 0] if y.ndim == 1 else found


def _solutions(x, y):
    x, y = _broadcast(x, y)
    matrices, given = stacked(x), stacked(y)
    made = np.empty_like(given)
    for k in range(matrices.shape[0]):
        made[k] = solution(matrices[k], given[k])
    return np.reshape(made, y.shape)


@defines("numpy.linalg.inv")
def inv(a):
    x = inexact(a)
    square(x)
    if x.ndim == 2:
        return inverse(x)
    flat = stacked(x)
    made = np.empty_like(flat)
    for k in range(flat.shape[0]):
        made[k] = inverse(flat[k])
    return np.reshape(made, x.shape)


@defines("numpy.linalg.tensorinv")
def tensorinv(a, ind=2):
    x = np.asarray(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    size = 1
    for n in x.shape[ind:]:
        size = size * n
    found = inv(np.reshape(x, (-1, size)))
    return np.reshape(found, (*x.shape[ind:], *x.shape[:ind]))


@defines("numpy.linalg.tensorsolve")
def tensorsolve(a, b, axes=None):
    x, y = np.asarray(a), np.asarray(b)
    if axes is not None:
        order = [k for k in range(x.ndim) if k not in axes]
        x = np.transpose(x, (*order, *axes))
    shape = x.shape[y.ndim :]
    size = 1
    for n in shape:
        size = size * n
    return np.reshape(solve(np.reshape(x, (-1, size)), y.ravel()), shape)


@defines("numpy.linalg.matrix_power")
def matrix_power(a, n):
    x = np.asarray(a)
    square(x)
    if n == 1:
        return x
    base = inv(x) if n < 0 else x
    if x.ndim == 2:
        return _power(base, abs(n))
    flat = stacked(base)
    made = np.empty_like(flat)
    for k in range(flat.shape[0]):
        made[k] = _power(flat[k], abs(n))
    return np.reshape(made, x.shape)


def _power(x, n):
    made = np.eye(x.shape[0], dtype=x.dtype)
    while n > 0:
        if n % 2 == 1:
            made = made @ x
        n = n // 2
        if n > 0:
            x = x @ x
    return made


# Least squares


def pseudo_inverse(x, cutoff):
    u, s, vt = singular_values(x)
    return factorizations.pseudo_inverse(x, u, s, vt, cutoff), s


def _rounding(x):
    return float(max(x.shape[-2], x.shape[-1])) * precision(x)


@defines("numpy.linalg.pinv")
def pinv(a, rcond=None, hermitian=False, *, rtol=None):
    x = mirrored(inexact(a)) if hermitian else inexact(a)
    cutoff = rcond if rcond is not None else rtol if rtol is not None else _rounding(x)
    if x.ndim == 2:
        return pseudo_inverse(x, cutoff)[0]
    flat = stacked(x)
    made = np.empty((flat.shape[0], x.shape[-1], x.shape[-2]), x.dtype)
    for k in range(flat.shape[0]):
        made[k] = pseudo_inverse(flat[k], cutoff)[0]
    return np.reshape(made, (*x.shape[:-2], x.shape[-1], x.shape[-2]))


@defines("numpy.linalg.lstsq")
def lstsq(a, b, rcond=None):
    x, y = alike(inexact(a), inexact(b))
    if x.shape[0] != y.shape[0]:
        raise np.linalg.LinAlgError("Incompatible dimensions")
    m, n = x.shape
    cutoff = _rounding(x) if rcond is None else rcond
    inverted, s = pseudo_inverse(x, cutoff)
    found = inverted @ y
    rank = np.count_nonzero(s > cutoff * np.max(s)) if s.shape[0] > 0 else 0
    left = y - x @ found
    residuals = np.sum(squares_of(left), axis=0, keepdims=y.ndim == 1)
    return found, residuals[: residuals.shape[0] if rank == n and m > n else 0], rank, s


# Determinants


def _parity(swaps):
    odd = np.sum(swaps != np.arange(swaps.shape[0])) % 2 == 1
    return -1.0 if odd else 1.0


def _determinant(x):
    """The product of the pivots; where one is small, of pivots chosen among all that is left."""
    packed, order, swaps, _ = factorizations.lu(x)
    sizes = np.abs(np.diagonal(packed))
    if sizes.shape[0] > 0 and np.min(sizes) <= 1e-6 * np.max(sizes):
        return _eliminated(x)
    return factorizations.determinant(x, packed, order, swaps)


def _eliminated(x):
    """The determinant as what elimination with the largest pivots computes.

    It divides by no pivot but those before the last, so that derivatives at singular matrices are right: the first
    ones of a matrix of rank n - 1 are its cofactors.  What is left of a matrix of lower rank is 0, and has a
    determinant in which nothing is divided.
    """
    u, n = x.copy(), x.shape[0]
    value = 1.0
    for k in range(n):
        p, q = _largest(u, k)
        if u[p, q] == 0.0:
            return value * _without_division(u[k:, k:])
        row = u[k].copy()
        u[k] = u[p]
        u[p] = row
        column = u[:, k].copy()
        u[:, k] = u[:, q]
        u[:, q] = column
        value = value * (u[k, k] if (p == k) == (q == k) else -u[k, k])
        u[k + 1 :, k + 1 :] -= np.outer(u[k + 1 :, k] / u[k, k], u[k, k + 1 :])
    return value


def _largest(u, start):
    """The place of the largest element in the rows and columns from `start` on."""
    left = u.shape[0] - start
    place = np.argmax(np.abs(u[start:, start:]))
    return start + place // left, start + place % left


def _without_division(x):
    """Bird's algorithm (2011): n - 1 products of matrices."""
    made, n = x.copy(), x.shape[0]
    for _ in range(n - 1):
        after = np.zeros(n, x.dtype)
        for i in range(n - 1):
            after[n - 2 - i] = after[n - 1 - i] - made[n - 1 - i, n - 1 - i]
        made = (np.triu(made, 1) + np.diag(after)) @ x
    return made[0, 0] if n % 2 == 1 else -made[0, 0]


@defines("scipy.linalg.det")
def scipy_det(a, overwrite_a=False, check_finite=True):
    found = det(a)
    return found.astype(np.result_type(found, float))


@defines("numpy.linalg.det")
def det(a):
    x = inexact(a)
    square(x)
    if x.ndim == 2:
        return _determinant(x)
    flat = stacked(x)
    made = np.empty(flat.shape[0], x.dtype)
    for k in range(flat.shape[0]):
        made[k] = _determinant(flat[k])
    return np.reshape(made, x.shape[:-2])


@defines("numpy.linalg.slogdet")
def slogdet(a):
    x = inexact(a)
    square(x)
    if x.ndim == 2:
        sign, size = _sign_and_size(x)
        return SlogdetResult(sign, size)
    flat = stacked(x)
    signs, sizes = np.empty(flat.shape[0], x.dtype), np.empty(flat.shape[0], np.real(x).dtype)
    for k in range(flat.shape[0]):
        sign, size = _sign_and_size(flat[k])
        signs[k] = sign
        sizes[k] = size
    return SlogdetResult(np.reshape(signs, x.shape[:-2]), np.reshape(sizes, x.shape[:-2]))


def _sign_and_size(x):
    packed, _, swaps, _ = factorizations.lu(x)
    pivots = np.diagonal(packed)
    sizes = np.abs(pivots)
    directions = pivots / np.where(sizes == 0.0, 1.0, sizes) if np.iscomplexobj(x) else np.sign(pivots)
    return _parity(swaps) * np.prod(directions), np.sum(np.log(sizes))


# SciPy's


def _columns(y):
    return y[:, np.newaxis] if y.ndim == 1 else y


def _like(found, y):
    return found[:, 0] if y.ndim == 1 else found


@defines("scipy.linalg.solve")
def scipy_solve(
    a, b, lower=False, overwrite_a=False, overwrite_b=False, check_finite=True, assume_a=None, transposed=False
):
    x, y = alike(inexact(a), inexact(b))
    square_for_scipy(x)
    if x.shape[1] != y.shape[0]:
        raise ValueError("incompatible shapes between a and b")
    if assume_a in ("pos", "positive definite"):
        x = mirrored(x if lower else adjoint(x))
        factor = lower_factor(x, "Matrix is singular.")
        return _like(factorizations.solve(x, _columns(y), factor, by="cholesky", transposed=False), y)
    if assume_a in ("lower triangular", "upper triangular"):
        return solve_triangular(x, y, 1 if transposed else 0, assume_a == "lower triangular")
    if assume_a in ("her", "hermitian"):
        x = mirrored(x if lower else adjoint(x))
    if assume_a in ("sym", "symmetric"):
        x = x if lower else x.T
        x = np.tril(x) + np.tril(x, -1).T
    return _like(solution(x.T if transposed else x, _columns(y), "A singular matrix detected."), y)


@defines("scipy.linalg.inv")
def scipy_inv(a, overwrite_a=False, check_finite=True):
    x = inexact(a)
    square_for_scipy(x)
    return inverse(x, "A singular matrix detected.")


@defines("scipy.linalg.pinv")
def scipy_pinv(a, *, atol=None, rtol=None, return_rank=False, check_finite=True):
    x = inexact(a)
    cutoff = _rounding(x) if rtol is None else rtol
    if atol is not None:
        raise NotImplementedError("scipy.linalg.pinv with atol; rtol is supported")
    inverted, s = pseudo_inverse(x, cutoff)
    return (inverted, np.count_nonzero(s > cutoff * np.max(s))) if return_rank else inverted


@defines("scipy.linalg.lstsq")
def scipy_lstsq(a, b, cond=None, overwrite_a=False, overwrite_b=False, check_finite=True, lapack_driver=None):
    x, y = alike(inexact(a), inexact(b))
    if x.shape[0] != y.shape[0]:
        raise ValueError(f"Shape mismatch: a and b should have the same number of rows ({x.shape[0]} != {y.shape[0]}).")
    cutoff = precision(x) if cond is None else cond
    inverted, s = pseudo_inverse(x, cutoff)
    found = inverted @ y
    left = y - x @ found
    rank = np.count_nonzero(s > cutoff * np.max(s))
    return found, np.sum(squares_of(left), axis=0), rank, s


@defines("scipy.linalg.solve_triangular")
def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True):
    x, y = alike(inexact(a), inexact(b))
    if x.shape[0] != x.shape[1]:
        raise ValueError("expected square matrix")
    if x.shape[0] != y.shape[0]:
        raise ValueError(f"shapes of a ({x.shape[0]}, {x.shape[1]}) and b are incompatible")
    if not unit_diagonal:
        _no_zero(np.diagonal(x))
    turned = trans in (1, 2, "T", "C")
    if trans in (2, "C"):
        x = np.conj(x)
    given = _columns(y)
    return _like(factorizations.solve_triangular(x, given, lower=lower, unit=unit_diagonal, transposed=turned), y)


def _no_zero(diagonal):
    for k in range(diagonal.shape[0]):
        if diagonal[k] == 0.0:
            raise np.linalg.LinAlgError(f"singular matrix: resolution failed at diagonal {k}")


@defines("scipy.linalg.cho_factor")
def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    x = inexact(a)
    square_for_scipy(x)
    message = "The matrix is not positive definite"
    factor = lower_factor(x, message) if lower else adjoint(lower_factor(adjoint(x), message))
    rest = np.triu(x, 1) if lower else np.tril(x, -1)  # which SciPy leaves as it was
    return factor + rest, lower


@defines("scipy.linalg.cho_solve")
def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    c, lower = c_and_lower
    factor, y = alike(inexact(c), inexact(b))
    if factor.shape[0] != factor.shape[1]:
        raise ValueError("The factored matrix c is not square.")
    if factor.shape[1] != y.shape[0]:
        raise ValueError("incompatible dimensions")
    factor = factor if lower else adjoint(factor)
    half = factorizations.solve_triangular(factor, _columns(y), lower=True, unit=False, transposed=False)
    found = factorizations.solve_triangular(np.conj(factor), half, lower=True, unit=False, transposed=True)
    return _like(found, y)


@defines("scipy.linalg.lu_factor")
def lu_factor(a, overwrite_a=False, check_finite=True):
    packed, _, swaps, _ = factorizations.lu(inexact(a))
    return packed, swaps


@defines("scipy.linalg.lu_solve")
def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    packed, swaps = lu_and_piv
    packed, y = alike(inexact(packed), inexact(b))
    if packed.shape[0] != y.shape[0]:
        raise ValueError(f"Shapes of lu and b are incompatible: {packed.shape[0]} and {y.shape[0]} rows")
    order = np.arange(packed.shape[0])
    for k in range(swaps.shape[0]):
        one, other = order[k], order[swaps[k]]
        order[k] = other
        order[swaps[k]] = one
    given = _columns(y)
    if trans == 0:
        half = factorizations.solve_triangular(packed, given[order], lower=True, unit=True, transposed=False)
        return _like(factorizations.solve_triangular(packed, half, lower=False, unit=False, transposed=False), y)
    if trans == 2:
        packed = np.conj(packed)
    half = factorizations.solve_triangular(packed, given, lower=False, unit=False, transposed=True)
    found = np.empty_like(half)
    found[order] = factorizations.solve_triangular(packed, half, lower=True, unit=True, transposed=True)
    return _like(found, y)

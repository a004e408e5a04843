"""Matrices with a structure: made, and solved with in less than cubic time."""

from __future__ import annotations

import numpy as np

from .factors import alike, floating, inexact
from .registry import defines

__all__ = ["block_diag", "circulant", "hankel", "hilbert", "khatri_rao", "toeplitz", "tridiagonal_solution"]


# Making


def _places(rows, columns):
    return np.arange(rows)[:, np.newaxis], np.arange(columns)[np.newaxis, :]


@defines("scipy.linalg.toeplitz")
def toeplitz(c, r=None):
    first = np.asarray(c).ravel()
    across = np.conj(first) if r is None else np.asarray(r).ravel()
    i, j = _places(first.shape[0], across.shape[0])
    return np.concatenate((first[::-1], across[1:]))[first.shape[0] - 1 - i + j]


@defines("scipy.linalg.hankel")
def hankel(c, r=None):
    first = np.asarray(c).ravel()
    last = np.zeros_like(first) if r is None else np.asarray(r).ravel()
    i, j = _places(first.shape[0], last.shape[0])
    return np.concatenate((first, last[1:]))[i + j]


@defines("scipy.linalg.circulant")
def circulant(c):
    first = np.asarray(c)
    n = first.shape[-1]
    i, j = _places(n, n)
    return first[..., (i - j) % n]


@defines("scipy.linalg.hilbert")
def hilbert(n):
    i, j = _places(n, n)
    return 1.0 / (1.0 + i + j)


@defines("scipy.linalg.companion")
def companion(a):
    x = inexact(a)
    n = x.shape[0]
    if n < 2:
        raise ValueError("The length of `a` along the last axis must be at least 2.")
    made = np.eye(n - 1, n - 1, -1, dtype=x.dtype)
    made[0] = -x[1:] / x[0]
    return made


@defines("scipy.linalg.leslie")
def leslie(f, s):
    rates, survival = np.asarray(f), np.asarray(s)
    n = rates.shape[0]
    made = np.zeros((n, n), np.result_type(rates, survival))
    made[0] = rates
    made[np.arange(1, n), np.arange(n - 1)] = survival
    return made


@defines("scipy.linalg.block_diag")
def block_diag(*arrs):
    blocks = [np.atleast_2d(a) for a in arrs]
    rows, columns = 0, 0
    for block in blocks:
        rows = rows + block.shape[0]
        columns = columns + block.shape[1]
    made = np.zeros((rows, columns), np.concatenate([block.ravel() for block in blocks]).dtype)
    i, j = 0, 0
    for block in blocks:
        made[i : i + block.shape[0], j : j + block.shape[1]] = block
        i = i + block.shape[0]
        j = j + block.shape[1]
    return made


@defines("scipy.linalg.khatri_rao")
def khatri_rao(a, b):
    x, y = np.asarray(a), np.asarray(b)
    if x.shape[1] != y.shape[1]:
        raise ValueError("The number of columns for both arrays should be equal.")
    return np.reshape(x[:, np.newaxis, :] * y[np.newaxis, :, :], (x.shape[0] * y.shape[0], x.shape[1]))


# Solving


@defines("scipy.linalg.solve_banded")
def solve_banded(l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True):
    """Elimination with the largest pivots of each column, in an array with room for what rows exchange."""
    below, above = l_and_u
    band, given = alike(inexact(ab), inexact(b))
    if band.shape[-1] != given.shape[0]:
        raise ValueError("shapes of ab and b are not compatible.")
    if below + above + 1 != band.shape[0]:
        raise ValueError(
            f"invalid values for the number of lower and upper diagonals: l+u+1 ({below + above + 1}) "
            f"does not equal ab.shape[0] ({band.shape[0]})"
        )
    n, wide = band.shape[1], below + above
    w = np.zeros((below + wide + 1, n), band.dtype)  # the element in row i and column j is w[wide + i - j, j]
    w[below:] = band
    x = given.copy() if given.ndim == 2 else given[:, np.newaxis].copy()
    for k in range(n):
        last, end, p = min(k + below, n - 1), min(k + wide, n - 1), k
        for i in range(k + 1, last + 1):
            if abs(w[wide + i - k, k]) > abs(w[wide + p - k, k]):
                p = i
        if w[wide + p - k, k] == 0.0:
            raise np.linalg.LinAlgError("singular matrix")
        if p != k:
            for j in range(k, end + 1):
                one, other = w[wide + k - j, j], w[wide + p - j, j]
                w[wide + k - j, j] = other
                w[wide + p - j, j] = one
            row = x[k].copy()
            x[k] = x[p]
            x[p] = row
        for i in range(k + 1, last + 1):
            factor = w[wide + i - k, k] / w[wide, k]
            for j in range(k + 1, end + 1):
                w[wide + i - j, j] -= factor * w[wide + k - j, j]
            x[i] -= factor * x[k]
    for back in range(n):
        k = n - 1 - back
        for j in range(k + 1, min(k + wide, n - 1) + 1):
            x[k] -= w[wide + k - j, j] * x[j]
        x[k] = x[k] / w[wide, k]
    return x[:, 0] if given.ndim == 1 else x


def tridiagonal_solution(below, middle, above, right):
    """Elimination without pivots, for rows whose element on the diagonal is larger than those beside it together.

    Row k is below[k] s[k - 1] + middle[k] s[k] + above[k] s[k + 1] = right[k].
    """
    n = middle.shape[0]
    pivots, s = middle.copy(), right.copy()
    for k in range(1, n):
        factor = below[k] / pivots[k - 1]
        pivots[k] -= factor * above[k - 1]
        s[k] -= factor * s[k - 1]
    s[n - 1] = s[n - 1] / pivots[n - 1]
    for back in range(1, n):
        k = n - 1 - back
        s[k] = (s[k] - above[k] * s[k + 1]) / pivots[k]
    return s


@defines("scipy.linalg.solveh_banded")
def solveh_banded(ab, b, overwrite_ab=False, overwrite_b=False, lower=False, check_finite=True):
    """Cholesky's factorization inside the band."""
    band, given = floating(ab), floating(b)
    if band.shape[-1] != given.shape[0]:
        raise ValueError("shapes of ab and b are not compatible.")
    wide, n = band.shape[0] - 1, band.shape[1]
    w = np.zeros_like(band)  # the element in row j + d and column j is w[d, j]
    for d in range(wide + 1):
        w[d, : n - d] = band[d, : n - d] if lower else band[wide - d, d:]
    x = given.copy() if given.ndim == 2 else given[:, np.newaxis].copy()
    for j in range(n):
        if w[0, j] <= 0.0:
            raise np.linalg.LinAlgError(f"{j + 1}th leading minor not positive definite")
        w[0, j] = np.sqrt(w[0, j])
        last = min(wide, n - 1 - j)
        x[j] = x[j] / w[0, j]
        for d in range(1, last + 1):
            w[d, j] = w[d, j] / w[0, j]
            x[j + d] -= w[d, j] * x[j]
        for c in range(1, last + 1):
            for d in range(c, last + 1):
                w[d - c, j + c] -= w[d, j] * w[c, j]
    for back in range(n):
        j = n - 1 - back
        for d in range(1, min(wide, n - 1 - j) + 1):
            x[j] -= w[d, j] * x[j + d]
        x[j] = x[j] / w[0, j]
    return x[:, 0] if given.ndim == 1 else x


@defines("scipy.linalg.solve_toeplitz")
def solve_toeplitz(c_or_cr, b, check_finite=True):
    """Levinson's recursion, in quadratic time."""
    if isinstance(c_or_cr, tuple):
        column, row = floating(c_or_cr[0]).astype(float).ravel(), floating(c_or_cr[1]).astype(float).ravel()
    else:
        column = floating(c_or_cr).astype(float).ravel()
        row = column
    given = floating(b).astype(float)
    n = column.shape[0]
    if n != given.shape[0]:
        raise ValueError("incompatible dimensions")
    y = given if given.ndim == 2 else given[:, np.newaxis]
    forward, backward, x = np.zeros(n, column.dtype), np.zeros(n, column.dtype), np.zeros_like(y)
    for m in range(n):
        if m == 0:
            if column[0] == 0.0:
                raise np.linalg.LinAlgError("Singular principal minor")
            forward[0] = 1.0 / column[0]
            backward[0] = 1.0 / column[0]
            x[0] = y[0] / column[0]
        else:
            down = column[m:0:-1]
            ahead, behind = np.sum(down * forward[:m]), np.sum(row[1 : m + 1] * backward[:m])
            rest = 1.0 - ahead * behind
            if rest == 0.0:
                raise np.linalg.LinAlgError("Singular principal minor")
            before, after = forward[: m + 1].copy(), np.zeros(m + 1, column.dtype)
            after[1:] = backward[:m]
            forward[: m + 1] = (before - ahead * after) / rest
            backward[: m + 1] = (after - behind * before) / rest
            missing = y[m] - down @ x[:m]
            x[: m + 1] += np.outer(backward[: m + 1], missing)
    return x[:, 0] if given.ndim == 1 else x

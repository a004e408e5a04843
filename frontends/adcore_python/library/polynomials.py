"""Polynomials by their coefficients, and sums of orthogonal polynomials by Clenshaw's recurrence."""

from __future__ import annotations

import numpy as np

from .factors import inexact, precision
from .registry import defines

__all__ = ["poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval", "roots"]


@defines("numpy.polyval")
def polyval(p, x):
    coefficients = np.asarray(p)
    at = np.asarray(x)
    value = np.zeros_like(at)
    for c in coefficients:
        value = value * at + c
    return value


@defines("numpy.polyadd")
def polyadd(a1, a2):
    p, q = _of_one_length(np.atleast_1d(a1), np.atleast_1d(a2))
    return p + q


@defines("numpy.polysub")
def polysub(a1, a2):
    p, q = _of_one_length(np.atleast_1d(a1), np.atleast_1d(a2))
    return p - q


def _of_one_length(*polynomials):
    n = max([p.shape[0] for p in polynomials])
    return [np.concatenate((np.zeros(n - p.shape[0], p.dtype), p)) for p in polynomials]


@defines("numpy.polymul")
def polymul(a1, a2):
    return np.convolve(_trimmed(np.atleast_1d(a1)), _trimmed(np.atleast_1d(a2)))


@defines("numpy.polydiv")
def polydiv(u, v):
    dividend, divisor = np.atleast_1d(u) + 0.0, np.atleast_1d(v) + 0.0
    dtype = np.result_type(dividend, divisor)
    m, n = dividend.shape[0] - 1, divisor.shape[0] - 1
    quotient, rest = np.zeros(max(m - n + 1, 1), dtype), dividend.astype(dtype)
    for k in range(m - n + 1):
        d = rest[k] / divisor[0]
        quotient[k] = d
        rest[k : k + n + 1] -= d * divisor
    start = 0
    while start < m and np.abs(rest[start]) <= 1e-8:  # what np.allclose takes for 0
        start += 1
    return quotient, rest[start:]


def _trimmed(p):
    """Without leading zeros."""
    start = 0
    while start < p.shape[0] - 1 and p[start] == 0:
        start += 1
    return p[start:]


@defines("numpy.polyder")
def polyder(p, m=1):
    c = np.asarray(p)
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    if m == 0:
        return c
    n = c.shape[0] - 1
    return polyder(c[: max(n, 0)] * np.arange(max(n, 0), 0, -1), m - 1)


@defines("numpy.polyint")
def polyint(p, m=1, k=None):
    c = np.asarray(p)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    if m == 0:
        return c
    n = c.shape[0]
    constants = [0.0] * m if k is None else list(k) if isinstance(k, list | tuple) else [k] * m
    once = np.concatenate((c / np.arange(n, 0, -1), np.full(1, constants[0] * 1.0)))
    return once if m == 1 else polyint(once, m - 1, constants[1:])


@defines("numpy.poly")
def poly(seq_of_zeros):
    given = np.atleast_1d(seq_of_zeros)
    if given.ndim == 2 and given.shape[0] == given.shape[1] and given.shape[0] != 0:
        product = _with_roots(np.linalg.eigvals(given))
        return product if np.iscomplexobj(given) else np.real(product)
    if given.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    return _with_roots(inexact(given))


def _with_roots(roots):
    n = roots.shape[0]
    if n == 0:
        raise ValueError("np.poly of no roots, which is a number and no array, is not supported: write 1.0")
    product = np.zeros(n + 1, roots.dtype)
    product[0] = 1.0
    for k in range(n):
        product[1:] = product[1:] - roots[k] * product[:-1]
    return product


@defines("numpy.roots")
def roots(p):
    """Eigenvalues of the companion matrix; roots that are 0 come last.  A multiple root has no derivative."""
    c = inexact(np.atleast_1d(p))
    if c.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    c = _trimmed(c)
    n = c.shape[0] - 1
    # in the variable x / unit, whose powers are of like size; a power of 2 rounds nothing
    size = np.abs(c[n] / np.where(c[0] == 0.0, 1.0, c[0]))
    unit = 2.0 ** np.round(np.log2(np.where(size > 0.0, size, 1.0)) / max(n, 1))
    unit = unit.astype(np.real(c).dtype)
    companion = np.eye(n, k=-1, dtype=c.dtype)
    for k in range(n):
        companion[0, k] = -c[k + 1] / c[0] / unit ** (k + 1)
    found = np.linalg.eigvals(companion) * unit
    return found[np.argsort(found == 0.0, kind="stable")]


@defines("numpy.polyfit")
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    if deg < 0:
        raise ValueError("expected deg >= 0")
    at, values = inexact(x), inexact(y)
    if at.ndim != 1:
        raise TypeError("expected 1D vector for x")
    if at.shape[0] == 0:
        raise TypeError("expected non-empty vector for x")
    if values.ndim < 1 or values.ndim > 2:
        raise TypeError("expected 1D or 2D array for y")
    if at.shape[0] != values.shape[0]:
        raise TypeError("expected x and y to have same length")
    cutoff = at.shape[0] * precision(np.real(at)) if rcond is None else rcond
    powers = np.vander(at, deg + 1)
    if w is not None:
        weights = inexact(w)
        if weights.ndim != 1:
            raise TypeError("expected a 1-d array for weights")
        if weights.shape[0] != values.shape[0]:
            raise TypeError("expected w and y to have the same length")
        powers = powers * weights[:, np.newaxis]
        values = (values.T * weights).T
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    powers = powers / scale
    c, residuals, rank, s = np.linalg.lstsq(powers, values, cutoff)
    c = (c.T / scale).T
    if full:
        return c, residuals, rank, s, cutoff
    if cov is False:
        return c
    spread = np.linalg.inv(powers.T @ powers) / np.outer(scale, scale)
    if cov != "unscaled":
        if at.shape[0] <= deg + 1:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        spread = spread[:, :, np.newaxis] * (residuals / (at.shape[0] - deg - 1))
        return c, spread[:, :, 0] if values.ndim == 1 else spread
    return c, spread if values.ndim == 1 else spread[:, :, np.newaxis]


# Sums of orthogonal polynomials: b[k] = c[k] + alpha(k, x) b[k + 1] + beta(k + 1) b[k + 2]  (Clenshaw 1955)


def _clenshaw(x, c, tensor, alpha, beta):
    """b[0] and, for the sum of a family whose second polynomial is not alpha(0, x), b[1] and b[2]."""
    at = np.asarray(x) * 1.0
    coefficients = np.asarray(c) * 1.0
    if tensor and coefficients.ndim > 1:
        coefficients = np.reshape(coefficients, (*coefficients.shape, *(1,) * at.ndim))
    n = coefficients.shape[0]
    two = one = np.zeros_like(coefficients[0] + at)
    for j in range(n - 1):
        k = n - 1 - j
        now = coefficients[k] + alpha(k, at) * one + beta(k + 1.0) * two
        two = one
        one = now
    return coefficients[0] + alpha(0, at) * one + beta(1.0) * two, one, two, at


@defines("numpy.polynomial.polynomial.polyval")
def power_series(x, c, tensor=True):
    return _clenshaw(x, c, tensor, lambda k, x: x, lambda k: 0.0)[0]


@defines("numpy.polynomial.chebyshev.chebval")
def chebval(x, c, tensor=True):
    total, one, _, at = _clenshaw(x, c, tensor, lambda k, x: 2.0 * x, lambda k: -1.0)
    return total - at * one


@defines("numpy.polynomial.legendre.legval")
def legval(x, c, tensor=True):
    return _clenshaw(x, c, tensor, lambda k, x: (2.0 * k + 1.0) / (k + 1.0) * x, lambda k: -k / (k + 1.0))[0]


@defines("numpy.polynomial.hermite.hermval")
def hermval(x, c, tensor=True):
    return _clenshaw(x, c, tensor, lambda k, x: 2.0 * x, lambda k: -2.0 * k)[0]


@defines("numpy.polynomial.hermite_e.hermeval")
def hermeval(x, c, tensor=True):
    return _clenshaw(x, c, tensor, lambda k, x: x, lambda k: -k)[0]


@defines("numpy.polynomial.laguerre.lagval")
def lagval(x, c, tensor=True):
    return _clenshaw(x, c, tensor, lambda k, x: (2.0 * k + 1.0 - x) / (k + 1.0), lambda k: -k / (k + 1.0))[0]

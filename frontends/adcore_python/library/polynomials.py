"""Polynomials by their coefficients, and sums of orthogonal polynomials by Clenshaw's recurrence."""

from __future__ import annotations

import numpy as np

from .registry import defines

__all__ = ["polyadd", "polyder", "polyint", "polymul", "polysub", "polyval"]


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

"""`scipy.stats`: the multivariate normal and the Dirichlet distribution."""

from __future__ import annotations

import math

import numpy as np

from adcore.primitives import TABLE

from .factors import is_one
from .location_scale import enter
from .registry import refuse

__all__: list[str] = []

GAMMALN, XLOGY = TABLE["gammaln"], TABLE["xlogy"]
LOG_TWO_PI = (math.log(2.0 * math.pi),)


def _normal_parameters(mean, cov):
    """The mean as a vector and the covariance as a matrix, as SciPy takes them."""
    spread = np.asarray(cov, float)
    if mean is None:
        centre = np.zeros(spread.shape[0] if spread.ndim > 1 else 1)
    else:
        centre = np.atleast_1d(np.asarray(mean, float))
    d = spread.shape[0] if spread.ndim > 0 else centre.shape[0]
    if spread.ndim == 0:
        spread = spread * np.eye(d)
    elif spread.ndim == 1:
        spread = np.diag(spread)
    elif spread.ndim > 2:
        raise ValueError("Array 'cov' must be at most two-dimensional")
    if spread.shape[0] != spread.shape[1]:
        raise ValueError("Array 'cov' must be square if it is two-dimensional")
    if centre.ndim != 1 or centre.shape[0] != spread.shape[0]:
        raise ValueError("Arrays 'mean' and 'cov' must have the same length")
    return centre, spread


def _normal_logarithm(x, mean, cov):
    centre, spread = _normal_parameters(mean, cov)
    d = centre.shape[0]
    points = np.asarray(x, float)
    if points.ndim == 0:
        points = np.atleast_2d(points)
    elif points.ndim == 1 and is_one(d):
        points = points[:, np.newaxis]
    elif points.ndim == 1:
        points = points[np.newaxis, :]
    lead = points.shape[:-1]
    left = np.reshape(points - centre, (-1, d)).T.copy()
    root = _cholesky(0.5 * (spread + spread.T))
    logarithm = 0.0
    for j in range(d):
        logarithm = logarithm + np.log(root[j, j])
        for i in range(j):
            left[j] = left[j] - root[j, i] * left[i]
        left[j] = left[j] / root[j, j]
    value = -0.5 * (d * LOG_TWO_PI[0] + np.sum(left * left, 0)) - logarithm
    return np.reshape(value, lead)


def _cholesky(a):
    """The lower triangular factor of a symmetric matrix."""
    n = a.shape[0]
    root = np.zeros_like(a)
    for j in range(n):
        rest = a[j, j]
        for k in range(j):
            rest = rest - root[j, k] * root[j, k]
        if not rest > 0.0:
            raise ValueError("The input matrix must be symmetric positive definite.")
        root[j, j] = np.sqrt(rest)
        for i in range(j + 1, n):
            entry = a[i, j]
            for k in range(j):
                entry = entry - root[i, k] * root[j, k]
            root[i, j] = entry / root[j, j]
    return root


def _normal_logpdf(x, mean=None, cov=1, allow_singular=False):
    if allow_singular:
        refuse("multivariate_normal with allow_singular=True is not supported", "a covariance of full rank")
    return np.squeeze(_normal_logarithm(x, mean, cov))


def _normal_pdf(x, mean=None, cov=1, allow_singular=False):
    return np.exp(_normal_logpdf(x, mean, cov, allow_singular))


def _normal_entropy(mean=None, cov=1):
    _, spread = _normal_parameters(mean, cov)
    d = spread.shape[0]
    root = _cholesky(0.5 * (spread + spread.T))
    logarithm = 0.0
    for j in range(d):
        logarithm = logarithm + np.log(root[j, j])
    return 0.5 * d * (LOG_TWO_PI[0] + 1.0) + logarithm


enter("multivariate_normal", {"logpdf": _normal_logpdf, "pdf": _normal_pdf, "entropy": _normal_entropy})


def _dirichlet_logpdf(x, alpha):
    shapes = np.asarray(alpha, float)
    point = np.asarray(x, float)
    if shapes.ndim != 1:
        raise ValueError("Parameter vector 'a' must be one dimensional")
    if np.any(shapes <= 0.0):
        raise ValueError("All parameters must be greater than 0")
    if point.shape[0] + 1 == shapes.shape[0]:
        point = np.concatenate((point, 1.0 - np.sum(point, axis=0, keepdims=True)))
    if point.shape[0] != shapes.shape[0]:
        raise ValueError("Vector 'x' must have either the same number of entries as, or one entry fewer than, 'a'")
    if np.any(point < 0.0):
        raise ValueError("Each entry in 'x' must be greater than or equal to zero.")
    if np.any(np.abs(np.sum(point, axis=0) - 1.0) > 1e-9):
        raise ValueError("The input vector 'x' must lie within the normal simplex.")
    powers = shapes - 1.0 if point.ndim == 1 else (shapes - 1.0)[:, np.newaxis]
    constant = GAMMALN(np.sum(shapes)) - np.sum(GAMMALN(shapes))
    return constant + np.sum(XLOGY(powers, point), axis=0)


def _dirichlet_pdf(x, alpha):
    return np.exp(_dirichlet_logpdf(x, alpha))


enter("dirichlet", {"logpdf": _dirichlet_logpdf, "pdf": _dirichlet_pdf})

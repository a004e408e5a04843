"""The two-parameter Mittag-Leffler function of real arguments, as a routine that can be differentiated in all three."""

from __future__ import annotations

import numpy as np

from .base import TABLE

__all__ = ["mittag_leffler"]

GAMMALN, RGAMMA = TABLE["gammaln"], TABLE["rgamma"]
MOST = (100000.0,)


def mittag_leffler(alpha, beta, z):
    """E(z), the sum of z**k / gamma(alpha k + beta) over k >= 0, for alpha > 0, and alpha <= 2 where z < -1.

    The power series for z >= -1, where nothing cancels; else the inverse Laplace transform of
    s**(alpha - beta) / (s**alpha - z) at 1, by the trapezoidal rule on a parabola (Garrappa 2015; Weideman and
    Trefethen 2007), with the residues of the two poles where the parabola passes to the left of them.
    """
    if not alpha > 0.0 or np.isnan(beta) or np.isnan(z):
        return np.nan * (alpha + beta + z)
    if z >= -1.0:
        return _series(alpha, beta, z)
    if alpha > 2.0:
        return np.nan * (alpha + beta + z)
    return _transform(alpha, beta, -z)


def _series(alpha, beta, z):
    total = RGAMMA(beta)
    power = z
    k = 1.0
    last = MOST[0]
    logarithm = np.log(np.where(z > 0.0, z, 1.0))
    while k < last:
        at = alpha * k + beta
        near = at < 100.0
        small = np.where(near, power, 0.0) * RGAMMA(np.where(near, at, 1.0))
        large = np.exp(k * logarithm - GAMMALN(np.where(near, 1.0, at)))
        term = np.where(near, small, np.where(z > 0.0, large, 0.0))
        total = total + term
        if last == MOST[0] and at > 2.0 and np.abs(term) <= 1e-18 * np.abs(total):
            last = 1.25 * k + 6.0
        power = power * z
        k += 1.0
    return total


def _transform(alpha, beta, x):
    """With sqrt(s) = c (1 + i u): the cut is at real part 0, the poles, for alpha > 1, at real part p."""
    radius = x ** (1.0 / alpha)
    p = np.sqrt(radius) * np.cos(0.5 * np.pi / alpha)
    residues = 0.0 * x
    c = 1.5 + 0.0 * x
    h = 0.165 + 0.0 * x
    if alpha > 1.0 and p >= 0.7:
        c = np.minimum(1.5, np.floor(4.0 * p) / 8.0)
        angle = np.pi / alpha
        phase = radius * np.sin(angle) + (1.0 - beta) * angle
        residues = 2.0 / alpha * radius ** (1.0 - beta) * np.exp(radius * np.cos(angle)) * np.cos(phase)
    elif alpha > 1.0:
        c = 2.0 + 0.0 * x
        h = 0.1 + 0.0 * x
    mu = c * c
    end = np.sqrt(1.0 + 39.0 / mu)
    total = 0.0 * x
    u = 0.5 * h
    while u < end:
        size = c * np.sqrt(1.0 + u * u)
        turn = np.arctan(u)
        grown = size ** (2.0 * alpha)
        real = grown * np.cos(2.0 * alpha * turn) + x
        imaginary = grown * np.sin(2.0 * alpha * turn)
        phase = 2.0 * mu * u + (2.0 * (alpha - beta) + 1.0) * turn - np.arctan2(imaginary, real)
        height = size ** (2.0 * (alpha - beta) + 1.0) * np.exp(mu * (1.0 - u * u)) / np.hypot(real, imaginary)
        total = total + height * np.cos(phase)
        u = u + h
    return residues + 2.0 * c * h / np.pi * total

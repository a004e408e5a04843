"""Routines: Carlson's integral of the second kind, and Lambert's function on its two real branches."""

from __future__ import annotations

import numpy as np

__all__ = ["carlson_rd", "lambertw0", "lambertw1"]

E = ((2.718281828459045, 0.36787944117144233, -1.2428753672788363e-17),)  # e, and 1/e in two parts
LARGE = (2.0**600,)


def carlson_rd(x, y, z):
    """Carlson's integral R_D(x, y, z), by duplication (Carlson 1995), which can be differentiated step by step."""
    if not (x >= 0.0 and y >= 0.0 and z >= 0.0):
        return np.nan * (x + y + z)
    if x + y == 0.0 or z == 0.0:
        return (x + y) ** -0.5 * z**-0.5
    factor = 1.0 + 0.0 * z
    if z > LARGE[0] and x + y > 1.0 / LARGE[0]:  # so that z**1.5 does not overflow
        x = x / LARGE[0]
        y = y / LARGE[0]
        z = z / LARGE[0]
        factor = factor * LARGE[0] ** -1.5
    total = 0.0 * z
    power = 1.0 + 0.0 * z
    mean = 0.2 * (x + y + 3.0 * z)
    k = 0.0
    spread = np.maximum(np.maximum(np.abs(mean - x), np.abs(mean - y)), np.abs(mean - z))
    while power * spread > 2e-3 * mean and k < 600.0:
        p, q, r = _root(x), _root(y), np.sqrt(z)
        step = p * q + p * r + q * r
        total = total + power / (r * (z + step))
        power = 0.25 * power
        x = 0.25 * (x + step)
        y = 0.25 * (y + step)
        z = 0.25 * (z + step)
        mean = 0.2 * (x + y + 3.0 * z)
        k += 1.0
    u = (mean - x) / mean
    v = (mean - y) / mean
    w = -(u + v) / 3.0
    e2 = u * v - 6.0 * w * w
    e3 = (3.0 * u * v - 8.0 * w * w) * w
    e4 = 3.0 * (u * v - w * w) * w * w
    e5 = u * v * w * w * w
    series = (
        1.0
        - 3.0 * e2 / 14.0
        + e3 / 6.0
        + 9.0 * e2 * e2 / 88.0
        - 3.0 * e4 / 22.0
        - 9.0 * e2 * e3 / 52.0
        + 3.0 * e5 / 26.0
        - e2 * e2 * e2 / 16.0
        + 3.0 * e3 * e3 / 40.0
        + 3.0 * e2 * e4 / 20.0
        + 45.0 * e2 * e2 * e3 / 272.0
        - 9.0 * (e3 * e4 + e2 * e5) / 68.0
    )
    return factor * (3.0 * total + power * series / (mean * np.sqrt(mean)))


def _root(x):
    """The square root; of an argument that is the constant 0, also after differentiation."""
    positive = x > 0.0
    return np.where(positive, np.sqrt(np.where(positive, x, 1.0)), 0.0)


def lambertw0(x):
    """The solution w >= -1 of w exp(w) = x, for x >= -1/e: Halley's iteration from a series or a logarithm."""
    e, above, below = E[0]
    gap = e * ((x + above) + below)
    if not gap >= 0.0:
        return np.nan + x
    if x == np.inf or x == 0.0:
        return x * 1.0
    root = np.sqrt(2.0 * gap)
    if root < 1e-3:
        return _branch_point(root)
    if x < 1.0:
        w = root * (1.0 + root * (-1.0 / 3.0 + root * 11.0 / 72.0)) - 1.0 if x < -0.2 else x / (1.0 + x)
    else:
        w = np.log(x)
        w = w - np.log(1.0 + w) if w < 3.0 else w - np.log(w)
    return _halley(x, w)


def lambertw1(x):
    """The solution w <= -1 of w exp(w) = x, for -1/e <= x < 0."""
    e, above, below = E[0]
    gap = e * ((x + above) + below)
    if not (gap >= 0.0 and x <= 0.0):
        return np.nan + x
    if x == 0.0:
        return -np.inf + x
    root = np.sqrt(2.0 * gap)
    if root < 1e-3:
        return _branch_point(-root)
    if x < -0.2:
        w = -root * (1.0 - root * (-1.0 / 3.0 - root * 11.0 / 72.0)) - 1.0
    else:
        w = np.log(-x)
        w = w - np.log(-w)
    return _halley(x, w)


def _branch_point(p):
    """The power series at -1/e in p = sqrt(2 (e x + 1)) (DLMF 4.13.6)."""
    return -1.0 + p * (1.0 + p * (-1.0 / 3.0 + p * (11.0 / 72.0 + p * (-43.0 / 540.0 + p * 769.0 / 17280.0))))


def _halley(x, w):
    k = 0.0
    change = 1.0 + 0.0 * x
    while np.abs(change) > 1e-10 * np.abs(w) and k < 50.0:
        # in terms of w + log(w / x), whose zero is the solution and whose value is small without cancellation
        value = w * np.exp(w) - x
        slope = np.exp(w) * (w + 1.0)
        change = value / (slope - 0.5 * (w + 2.0) * value / (w + 1.0))
        w = w - change
        k += 1.0
    return w

"""Draws from the gamma and beta distributions, by rejection as NumPy has it.

What is accepted depends on the parameters, so the derivative is not that of the code: a draw moves with its parameters
along its quantile, which the rows `gamma_draw` and `beta_draw` say.
"""

from __future__ import annotations

import numpy as np

from adcore.primitives import TABLE

from .random_bits import real
from .random_noise import exponential, normal

__all__ = ["beta_drawn", "gamma_drawn"]

GAMMA_DRAW, BETA_DRAW = TABLE["gamma_draw"], TABLE["beta_draw"]


def gamma_drawn(rng, shape):
    """A draw from the gamma distribution of scale 1."""
    return GAMMA_DRAW(shape, shape, _gamma(rng, shape))


def beta_drawn(rng, a, b):
    """A draw from the beta distribution."""
    return BETA_DRAW(a, b, a, b, _beta(rng, a, b))


def _gamma(rng, shape):
    if shape == 1.0:
        return exponential(rng)
    if shape == 0.0:
        return 0.0
    return _gamma_below_one(rng, shape) if shape < 1.0 else _gamma_above_one(rng, shape)


def _gamma_below_one(rng, shape):
    """J. H. Ahrens and U. Dieter, Computing 12, 1974, with an exponential number in the place of a logarithm."""
    found = 0.0
    rejected = True
    while rejected:
        u = real(rng)
        v = exponential(rng)
        if u <= 1.0 - shape:
            found = u ** (1.0 / shape)
            rejected = found > v
        else:
            y = -np.log((1.0 - u) / shape)
            found = (1.0 - shape + shape * y) ** (1.0 / shape)
            rejected = found > v + y
    return found


def _gamma_above_one(rng, shape):
    """G. Marsaglia and W. W. Tsang, ACM Trans. Math. Softw. 26(3), 2000."""
    b = shape - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * b)
    v = 0.0
    rejected = True
    while rejected:
        x, v = 0.0, 0.0
        while v <= 0.0:
            x = normal(rng)
            v = 1.0 + c * x
        v = v * v * v
        u = real(rng)
        rejected = u >= 1.0 - 0.0331 * (x * x) * (x * x)
        if rejected:
            rejected = np.log(u) >= 0.5 * x * x + b * (1.0 - v + np.log(v))
    return b * v


def _beta(rng, a, b):
    if a <= 1.0 and b <= 1.0:
        return _beta_below_one(rng, a, b)
    parts = np.array([a, b])
    for k in range(2):
        parts[k] = _gamma(rng, parts[k])
    return parts[0] / (parts[0] + parts[1])


def _beta_below_one(rng, a, b):
    """M. D. Jöhnk, Metrika 8, 1964; by logarithms where the powers are too small."""
    x, y = 0.0, 0.0
    rejected = True
    found = 0.0
    while rejected:
        u = real(rng)
        v = real(rng)
        x, y = u ** (1.0 / a), v ** (1.0 / b)
        if x + y <= 1.0 and u + v > 0.0:
            rejected = False
            if x + y > 0.0:
                found = x / (x + y)
            else:
                log_x, log_y = np.log(u) / a, np.log(v) / b
                largest = np.maximum(log_x, log_y)
                log_x, log_y = log_x - largest, log_y - largest
                found = np.exp(log_x - np.log(np.exp(log_x) + np.exp(log_y)))
    return found

"""Draws of counts: the Poisson and the geometric distribution, as NumPy has them."""

from __future__ import annotations

import math

import numpy as np

from .random_bits import real
from .random_noise import exponential

__all__ = ["geometric_drawn", "poisson_drawn"]

LARGEST = 9223372036854775807


def poisson_drawn(rng, rate):
    if rate >= 10.0:
        return _poisson_rejected(rng, rate)
    return 0 if rate == 0.0 else _poisson_counted(rng, rate)


def _poisson_counted(rng, rate):
    """How many numbers can be multiplied until the product is below exp(-rate)."""
    bound = np.exp(-rate)
    count = 0
    product = real(rng)
    while product > bound:
        product = product * real(rng)
        count += 1
    return count


def _poisson_rejected(rng, rate):
    """W. Hörmann, Insurance: Mathematics and Economics 12(1), 1993: transformed rejection with a squeeze."""
    logarithm = np.log(rate)
    b = 0.931 + 2.53 * np.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    ratio = 0.9277 - 3.6224 / (b - 2.0)
    found = 0
    rejected = True
    while rejected:
        u = real(rng) - 0.5
        v = real(rng)
        us = 0.5 - abs(u)
        found = int(np.floor((2.0 * a / us + b) * u + rate + 0.43))
        if us >= 0.07 and v <= ratio:
            rejected = False
        elif found >= 0 and (us >= 0.013 or v <= us):
            rejected = np.log(v) + np.log(inverse) - np.log(a / (us * us) + b) > (
                -rate + found * logarithm - math.lgamma(found + 1.0)
            )
    return found


def geometric_drawn(rng, p):
    """How many trials until the first success."""
    if p >= 0.333333333333333333333333:
        return _geometric_searched(rng, p)
    found = np.ceil(-exponential(rng) / np.log1p(-p))
    return LARGEST if found >= 9.223372036854776e18 else int(found)


def _geometric_searched(rng, p):
    found = 1
    total, product = p, p
    u = real(rng)
    while u > total:
        product = product * (1.0 - p)
        total = total + product
        found += 1
    return found

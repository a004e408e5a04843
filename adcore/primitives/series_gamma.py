"""Routines around the gamma function: series and continued fractions whose derivatives have no closed form."""

from __future__ import annotations

import numpy as np

from .base import TABLE

__all__ = [
    "digamma_increment",
    "gammainc_order_slope",
    "gammainc_slope",
    "poisson_density",
    "regularized_beta",
    "zeta",
]

DIGAMMA, GAMMA, BETALN = (TABLE[name] for name in ("digamma", "gamma", "betaln"))

# B_2k / (2k)!, k = 1, …, 12: the coefficients of the Euler-Maclaurin formula.
EULER_MACLAURIN = (
    8.333333333333333e-02,
    -1.388888888888889e-03,
    3.306878306878307e-05,
    -8.267195767195768e-07,
    2.08767569878681e-08,
    -5.284190138687493e-10,
    1.3382536530684679e-11,
    -3.3896802963225827e-13,
    8.586062056277845e-15,
    -2.174868698558062e-16,
    5.50900282836023e-18,
    -1.3954464685812522e-19,
)
# B_2k / 2k, k = 1, …, 9: the asymptotic series of digamma.
DIGAMMA_SERIES = (
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
    43867.0 / 14364.0,
)
# B_2k / (2k (2k - 1)), k = 1, …, 8: Stirling's series of the logarithm of the gamma function.
STIRLING = (
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360360.0,
    1.0 / 156.0,
    -3617.0 / 122400.0,
)
MOST = (100000.0,)


def zeta(s, q):
    """Hurwitz's zeta function, the sum of (q + k)**-s over k >= 0, for s > 1.

    Euler-Maclaurin summation from q + k >= 12 + s/2 on (DLMF 25.11.5, differentiated termwise without loss).
    A negative q, not below -1000, is taken for integer s alone, as SciPy takes it.
    """
    if np.isnan(s) or np.isnan(q) or s < 1.0:
        return np.nan * (s + q)
    if s == 1.0:
        return np.inf * s
    if q <= 0.0:
        if q == np.floor(q):
            return np.inf * s
        if s != np.floor(s) or q < -1000.0:
            return np.nan * (s + q)
    total = 0.0 * s
    a = q
    power = a**-s
    while a < 12.0 + 0.5 * s and power != 0.0 and np.abs(power) < np.inf:
        total = total + power
        a = a + 1.0
        power = a**-s
    if power == 0.0:
        return total
    if np.abs(power) == np.inf:
        return power
    total = total + power * a / (s - 1.0) + 0.5 * power
    term = power * s / a
    order = s
    for c in EULER_MACLAURIN:
        total = total + c * term
        term = term * (order + 1.0) / a * (order + 2.0) / a
        order = order + 2.0
    return total


def digamma_increment(x, y):
    """digamma(x + y) - digamma(x), without cancellation where x and x + y are positive."""
    if not (x > 0.0 and x + y > 0.0):
        return DIGAMMA(x + y) - DIGAMMA(x)
    total = 0.0 * x
    a = x
    c = x + y
    while a < 12.0 or c < 12.0:
        total = total + y / a / c
        a = a + 1.0
        c = c + 1.0
    v = 1.0 / a
    u = 1.0 / c
    first = y * u * v  # v - u
    square = -first * (u + v)  # u**2 - v**2
    power = square
    largest = u * u
    total = total + np.log1p(y / a) + 0.5 * first
    for c2 in DIGAMMA_SERIES:
        total = total - c2 * power
        power = power * v * v + largest * square
        largest = largest * u * u
    return total


def poisson_density(k, x):
    """x**k exp(-x) / gamma(k + 1), by its saddle point for large k (Loader 2000), so that nothing large cancels."""
    if x == 0.0 and k < 10.0:
        return 1.0 + 0.0 * x if k == 0.0 else (0.0 * x if k > 0.0 else np.inf + x)
    if k < 100.0 and x < 700.0:  # nothing that is large is exponentiated, and nothing overflows
        return x**k * np.exp(-x) / GAMMA(k + 1.0)
    if k < 10.0:
        return np.exp(k * np.log(x) - x) / GAMMA(k + 1.0)
    u = (x - k) / k
    if np.abs(u) < 0.3:
        w = u / (2.0 + u)
        square = w * w
        power = w * square
        deviance = u * w
        n = 3.0
        while n < 31.0:
            deviance = deviance - 2.0 * power / n
            power = power * square
            n += 2.0
    else:
        deviance = u - np.log(x / k)
    correction = 0.0 * k
    inverse = 1.0 / k
    for c in STIRLING:
        correction = correction + c * inverse
        inverse = inverse / (k * k)
    return np.exp(-k * deviance - correction) / np.sqrt(2.0 * np.pi * k)


def gammainc_slope(a, x):
    """x**(a - 1) exp(-x) / gamma(a), the derivative of gammainc(a, x) in x."""
    if x == np.inf:
        return 0.0 * a
    if x == 0.0:
        return np.inf + x if a < 1.0 else (1.0 + x if a == 1.0 else x * 1.0)
    if a >= 1.0 and a < 100.0:
        return poisson_density(a - 1.0, x)
    return poisson_density(a, x) * (a / x)


def gammainc_order_slope(a, x):
    """The derivative of gammainc(a, x) in a: of the power series where x <= a + 1, else of the continued fraction.

    The terms of either derivative have one sign, so that none cancels (DLMF 8.7.1, 8.9.2; Lentz's algorithm).
    """
    if not (a > 0.0 and x >= 0.0):
        return np.nan * (a + x)
    if x == 0.0 or x == np.inf:
        return 0.0 * a
    if x <= a + 1.0:
        term = poisson_density(a, x)
        factor = np.log(x) - DIGAMMA(a + 1.0)
        total = term * factor
        n = a
        k = 0.0
        last = MOST[0]
        while k < last:
            n = n + 1.0
            term = term * x / n
            factor = factor - 1.0 / n
            total = total + term * factor
            if last == MOST[0] and np.abs(term * factor) < 1e-17 * np.abs(total):
                last = 1.25 * k + 6.0
            k += 1.0
        return total
    b = x + 1.0 - a
    c = 1e300 + 0.0 * a
    dc = 0.0 * a
    d = 1.0 / b
    dd = d * d
    h = d
    dh = dd
    k = 1.0
    last = MOST[0]
    while k < last:
        numerator = -k * (k - a)
        b = b + 2.0
        before = d
        d = 1.0 / (numerator * before + b)
        dd = -d * d * (k * before + numerator * dd - 1.0)
        dc = -1.0 + k / c - numerator / c * dc / c
        c = b + numerator / c
        change = c * d
        moved = dh * (change - 1.0) + h * (dc * d + c * dd)  # for a whole a the fraction ends before its derivative
        dh = dh + moved
        h = h * change
        if last == MOST[0] and np.abs(change - 1.0) < 1e-15 and np.abs(moved) < 1e-15 * (np.abs(dh) + np.abs(h)):
            last = 1.25 * k + 6.0
        k += 1.0
    return -a * poisson_density(a, x) * ((np.log(x) - DIGAMMA(a)) * h + dh)


def regularized_beta(a, b, x):
    """The regularized incomplete beta function by its continued fraction (DLMF 8.17.22), to be differentiated."""
    if not (a > 0.0 and b > 0.0 and x >= 0.0 and x <= 1.0):
        return np.nan * (a + b + x)
    if x == 0.0 or x == 1.0:
        return x + 0.0 * (a + b)
    # divided by a B(a, b) = (a + b) B(a + 1, b), which has no pole at a = 0, or by b B(a, b)
    powers = a * np.log(x) + b * np.log1p(-x)
    if x < (a + 1.0) / (a + b + 2.0):
        return np.exp(powers - BETALN(a + 1.0, b)) * _beta_fraction(a, b, x) / (a + b)
    return 1.0 - np.exp(powers - BETALN(a, b + 1.0)) * _beta_fraction(b, a, 1.0 - x) / (a + b)


def _beta_fraction(a, b, x):
    """By Lentz's algorithm, until what is left of the fraction is nothing.

    At k = b, which ends it, b - k is taken for 1 in that: the derivative in b does not end there.
    """
    c = 1.0 + 0.0 * x
    d = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    h = d
    k = 1.0
    last = MOST[0]
    left = 1.0 + 0.0 * x
    while k < last:
        before = d
        even = k * (b - k) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k))
        generic = k * np.maximum(np.abs(b - k), 1.0) * x / ((a + 2.0 * k - 1.0) * (a + 2.0 * k))
        d = 1.0 / (1.0 + even * d)
        left = left * generic * d * before
        c = 1.0 + even / c
        h = h * d * c
        before = d
        odd = -(a + k) * (a + b + k) * x / ((a + 2.0 * k) * (a + 2.0 * k + 1.0))
        d = 1.0 / (1.0 + odd * d)
        left = left * np.abs(odd) * d * before
        c = 1.0 + odd / c
        h = h * (d * c)
        if last == MOST[0] and np.abs(left) < 1e-16:
            last = 1.25 * k + 6.0
        k += 1.0
    return h

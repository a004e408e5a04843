"""`scipy.special`: functions made of others, written in the language.

A row of the table is called by its own name here, so that SciPy need not be imported.
"""

from __future__ import annotations

import math

import numpy as np

from adcore.primitives import TABLE

from .elementwise import floats
from .registry import defines, refuse

__all__ = ["comb", "factorial", "log_softmax", "logsumexp", "polygamma", "softmax", "zeta"]

BETAINC, BETAINCC, BINOM, DIGAMMA, GAMMA, GAMMAINC, GAMMAINCC, GAMMALN, HURWITZ, POCH = (
    TABLE[name]
    for name in (
        *("betainc", "betaincc", "binom", "digamma", "gamma", "gammainc", "gammaincc", "gammaln", "zeta", "poch"),
    )
)
JN, YN, IN, KN = (TABLE[f"spherical_{name}"] for name in ("jn", "yn", "in", "kn"))
LAMBERT = (TABLE["lambertw0"], TABLE["lambertw1"])


# Sums of exponentials: the largest is taken out first


def _finite(x):
    return np.where(np.isfinite(x), x, np.zeros_like(x))


@defines("scipy.special.softmax")
def softmax(x, axis=None):
    a = np.asarray(x)
    grown = np.exp(a - np.max(a, axis=axis, keepdims=True))
    return grown / np.sum(grown, axis=axis, keepdims=True)


@defines("scipy.special.log_softmax")
def log_softmax(x, axis=None):
    a = np.asarray(x)
    shifted = a - _finite(np.max(a, axis=axis, keepdims=True))
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@defines("scipy.special.logsumexp")
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    x = np.atleast_1d(a) * 1.0
    weight = 1.0 if b is None else np.atleast_1d(b)
    if b is not None:
        x = np.where(weight == 0, -np.inf, x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    largest = _finite(np.max(x, axis=axes, keepdims=True))
    grown = np.exp(x - largest) if b is None else weight * np.exp(x - largest)
    total = np.sum(grown, axis=axes, keepdims=True)
    sign = np.sign(total)
    value = (np.log(np.abs(total)) if return_sign else np.log(total)) + largest
    if not keepdims:
        value = np.squeeze(value, axes)
        sign = np.squeeze(sign, axes)
    return (value, sign) if return_sign else value


# Gamma functions


@defines("scipy.special.polygamma")
def polygamma(n, x):
    if isinstance(n, int):
        at = np.asarray(x, float)
        if n == 0:
            return DIGAMMA(at)
        return (-1.0) ** (n + 1) * GAMMA(n + 1.0) * HURWITZ(n + 1.0, at)
    order, at = np.asarray(n, float), np.asarray(x, float)
    sign = 2.0 * np.mod(order, 2.0) - 1.0
    later = sign * GAMMA(order + 1.0) * HURWITZ(np.maximum(order, 1.0) + 1.0, at)
    return np.where(order == 0.0, DIGAMMA(at), later)


@defines("scipy.special.zeta")
def zeta(x, q=None):
    return _riemann(np.asarray(x) * 1.0) if q is None else HURWITZ(*floats(x, q))


def _riemann(s):
    """Riemann's zeta function: Hurwitz's at 1, its sum with alternating signs, and the functional equation."""
    large = HURWITZ(np.where(s > 1.0, s, 2.0), 1.0)
    middle = _between(np.where((s >= EVEN) & (s <= 1.0), s, 0.5))
    t = np.where(s < EVEN, s, -1.5)
    # 2 (2 pi)**(t - 1) gamma(1 - t) by halves of gamma's argument, which do not overflow sooner than the result
    halves = np.pi ** (t - 1.5) * (1.0 + (t - 1.5) * PI_MORE) * GAMMA(0.5 - 0.5 * t) * GAMMA(1.0 - 0.5 * t)
    reflected = halves * np.sin(0.5 * np.pi * np.mod(t, 4.0)) * HURWITZ(1.0 - t, 1.0)
    found = np.where(s > 1.0, large, np.where(s < EVEN, reflected, middle))
    return np.where(np.isnan(s), s, found)


def _between(s):
    """The Euler-Maclaurin sum from 12 on, for s <= 1 that is not far below 0 (DLMF 25.2.9)."""
    total = np.zeros_like(s)
    for n in range(1, 12):
        total = total + (1.0 * n) ** -s
    power = 12.0**-s
    total = total + power * 12.0 / (s - 1.0) + 0.5 * power
    term = power * s / 12.0
    order = s
    for c in EULER_MACLAURIN:
        total = total + c * term
        term = term * (order + 1.0) * (order + 2.0) / 144.0
        order = order + 2.0
    return total


PI_MORE = 1.2246467991473532e-16 / np.pi  # by which share pi is more than its rounded value
EVEN = -0.1  # where rounding 1 - s costs as many digits as the sum does
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
)


@defines("scipy.special.zetac")
def zetac(x):
    s = np.asarray(x) * 1.0
    return np.where(s > 1.0, HURWITZ(*floats(np.where(s > 1.0, s, 2.0), 2.0)), _riemann(s) - 1.0)


@defines("scipy.special.gammasgn")
def gammasgn(x):
    (z,) = floats(x)
    below = np.floor(z)
    left = np.where(below == z, np.nan, np.where(below % 2.0 == 0.0, 1.0, -1.0))
    at_zero = np.where(np.signbit(z), -1.0, 1.0)
    return np.where(z > 0.0, 1.0, np.where(z == 0.0, at_zero, left)).astype(z.dtype)


@defines("scipy.special.multigammaln")
def multigammaln(a, d):
    x = np.asarray(a, float)
    total = d * (d - 1) * 0.25 * math.log(math.pi) + np.zeros_like(x)
    for j in range(d):
        total = total + GAMMALN(x - 0.5 * j)
    return total


@defines("scipy.special.comb")
def comb(N, k, exact=False, repetition=False):
    if exact:
        refuse("comb with exact=True is not supported: its results are integers of any size", "exact=False")
    n, m = floats(np.asarray(N), np.asarray(k))
    if repetition:
        return np.where((m == 0.0) & (n >= 0.0), 1.0, comb(n + m - 1.0, m))
    return np.where((m <= n) & (n >= 0.0) & (m >= 0.0), BINOM(n, m), 0.0)


@defines("scipy.special.perm")
def perm(N, k, exact=False):
    if exact:
        refuse("perm with exact=True is not supported: its results are integers of any size", "exact=False")
    n, m = floats(np.asarray(N), np.asarray(k))
    return np.where((m <= n) & (n >= 0.0) & (m >= 0.0), POCH(n - m + 1.0, m), 0.0)


@defines("scipy.special.factorial")
def factorial(n, exact=False, extend="zero"):
    if exact or extend != "zero":
        refuse("factorial with exact=True or extend='complex' is not supported", "exact=False")
    x = np.asarray(n, float)
    return np.where(x < 0.0, 0.0, GAMMA(np.where(x < 0.0, 0.0, x) + 1.0))


# Distribution functions


@defines("scipy.special.gdtr")
def gdtr(a, b, x):
    rate, shape, at = floats(a, b, x)
    return GAMMAINC(shape, rate * at)


@defines("scipy.special.gdtrc")
def gdtrc(a, b, x):
    rate, shape, at = floats(a, b, x)
    return GAMMAINCC(shape, rate * at)


@defines("scipy.special.chdtr")
def chdtr(v, x):
    degrees, at = floats(v, x)
    return GAMMAINC(degrees * 0.5, at * 0.5)


@defines("scipy.special.chdtrc")
def chdtrc(v, x):
    degrees, at = floats(v, x)
    return GAMMAINCC(degrees * 0.5, at * 0.5)


@defines("scipy.special.pdtr")
def pdtr(k, m):
    count, rate = floats(k, m)
    return GAMMAINCC(np.floor(count) + 1.0, rate)


@defines("scipy.special.pdtrc")
def pdtrc(k, m):
    count, rate = floats(k, m)
    return GAMMAINC(np.floor(count) + 1.0, rate)


@defines("scipy.special.fdtr")
def fdtr(dfn, dfd, x):
    n, m, at = floats(dfn, dfd, x)
    return np.where((n > 0) & (m > 0), BETAINC(n * 0.5, m * 0.5, n * at / (m + n * at)), np.nan * (n + m))


@defines("scipy.special.fdtrc")
def fdtrc(dfn, dfd, x):
    n, m, at = floats(dfn, dfd, x)
    return np.where((n > 0) & (m > 0), BETAINC(m * 0.5, n * 0.5, m / (m + n * at)), np.nan * (n + m))


@defines("scipy.special.stdtr")
def stdtr(df, t):
    v, x = floats(df, t)
    return np.where(v > 0.0, student_below(v, x), np.nan * v)


def student_below(v, x):
    """The distribution function of Student's t: by the tail that does not cancel."""
    square = x * x
    near = square < v
    share = BETAINC(0.5, 0.5 * v, np.where(near, square / (v + square), 0.5))
    tail = BETAINC(0.5 * v, 0.5, np.where(near, 0.5, v / (v + square)))
    centre = 0.5 + 0.5 * np.sign(x) * share
    return np.where(near, centre, np.where(x < 0.0, 0.5 * tail, 1.0 - 0.5 * tail))


# Spherical Bessel functions, and their derivatives


@defines("scipy.special.spherical_jn")
def spherical_jn(n, z, derivative=False):
    return _spherical(JN, 1.0, -1.0, n, z, derivative)


@defines("scipy.special.spherical_yn")
def spherical_yn(n, z, derivative=False):
    return _spherical(YN, 1.0, -1.0, n, z, derivative)


@defines("scipy.special.spherical_in")
def spherical_in(n, z, derivative=False):
    return _spherical(IN, 1.0, 1.0, n, z, derivative)


@defines("scipy.special.spherical_kn")
def spherical_kn(n, z, derivative=False):
    return _spherical(KN, -1.0, -1.0, n, z, derivative)


def _spherical(f, before, after, n, z, derivative):
    order, x = np.asarray(n, float), np.asarray(z, float)
    if not derivative:
        return f(order, x)
    lower = before * order * f(np.maximum(order - 1.0, 0.0), x)
    return (lower + after * (order + 1.0) * f(order + 1.0, x)) / (2.0 * order + 1.0)


@defines("scipy.special.lambertw")
def lambertw(z, k=0, tol=1e-8):
    """The real branches 0 and -1; nan where the value is not real."""
    if k != 0 and k != -1:
        refuse("lambertw on a branch other than 0 and -1 is not real", "k=0 or k=-1")
    return LAMBERT[-k](np.asarray(z, float))

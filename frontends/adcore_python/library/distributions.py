"""`scipy.stats`: formulas of distributions at their standardized argument, the shapes after it."""

from __future__ import annotations

import math

import numpy as np

from adcore.primitives import TABLE

from .location_scale import continuous, discrete
from .special_functions import student_below

__all__: list[str] = []

BETAINC, BETAINCC, BETAINCINV, BETALN, GAMMAINC, GAMMAINCC, GAMMAINCINV, GAMMAINCCINV, GAMMALN = (
    TABLE[name]
    for name in (
        *("betainc", "betaincc", "betaincinv", "betaln"),
        *("gammainc", "gammaincc", "gammaincinv", "gammainccinv", "gammaln"),
    )
)
ERF, ERFC, EXPIT, LOG_EXPIT, LOGIT, LOG_NDTR, NDTR, NDTRI, XLOG1PY, XLOGY = (
    TABLE[name]
    for name in ("erf", "erfc", "expit", "log_expit", "logit", "log_ndtr", "ndtr", "ndtri", "xlog1py", "xlogy")
)
HALF_LINE = (0.0, np.inf, 0.5)
LOG_ROOT_TWO_PI = (0.5 * math.log(2.0 * math.pi),)
LOG_HALF_PI = (math.log(0.5 * math.pi),)
LOG_PI = (math.log(math.pi),)
LOG_TWO = (math.log(2.0),)
ROOT_HALF = (math.sqrt(0.5),)


def log_of_complement(x):
    """log(1 - exp(-x)) for x > 0 (Mächler 2012)."""
    small = x < LOG_TWO[0]
    near = np.log(-np.expm1(-np.where(small, x, 0.5)))
    return np.where(small, near, np.log1p(-np.exp(-np.where(small, 1.0, x))))


continuous(
    "norm",
    (),
    logpdf=lambda y: -0.5 * y * y - LOG_ROOT_TWO_PI[0],
    cdf=lambda y: NDTR(y),
    sf=lambda y: NDTR(-y),
    logcdf=lambda y: LOG_NDTR(y),
    logsf=lambda y: LOG_NDTR(-y),
    ppf=lambda q: NDTRI(q),
    isf=lambda q: -NDTRI(q),
)
continuous(
    "halfnorm",
    (),
    logpdf=lambda y: -0.5 * (y * y + LOG_HALF_PI[0]),
    cdf=lambda y: ERF(ROOT_HALF[0] * y),
    sf=lambda y: ERFC(ROOT_HALF[0] * y),
    logsf=lambda y: LOG_TWO[0] + LOG_NDTR(-y),
    ppf=lambda q: NDTRI(0.5 * (1.0 + q)),
    isf=lambda q: -NDTRI(0.5 * q),
    support=HALF_LINE,
)
TINY = 5e-324


def _log_normal(y, s):
    u = np.log(y) / s
    return -0.5 * u * u - np.log(s * y) - LOG_ROOT_TWO_PI[0]


continuous(
    "lognorm",
    ("s",),
    logpdf=_log_normal,
    cdf=lambda y, s: NDTR(np.log(y) / s),
    sf=lambda y, s: NDTR(-np.log(y) / s),
    logcdf=lambda y, s: LOG_NDTR(np.log(y) / s),
    logsf=lambda y, s: LOG_NDTR(-np.log(y) / s),
    ppf=lambda q, s: np.exp(s * NDTRI(q)),
    isf=lambda q, s: np.exp(-s * NDTRI(q)),
    support=(TINY, np.inf, 0.5),
)
continuous(
    "t",
    ("df",),
    logpdf=lambda y, df: -BETALN(0.5 * df, 0.5) - 0.5 * np.log(df) - 0.5 * (df + 1.0) * np.log1p(y * y / df),
    cdf=lambda y, df: student_below(df, y),
    sf=lambda y, df: student_below(df, -y),
)
continuous(
    "cauchy",
    (),
    logpdf=lambda y: -LOG_PI[0] - np.log1p(y * y),
    cdf=lambda y: np.arctan2(1.0, -y) / np.pi,
    sf=lambda y: np.arctan2(1.0, y) / np.pi,
    ppf=lambda q: -1.0 / np.tan(np.pi * q),
    isf=lambda q: 1.0 / np.tan(np.pi * q),
)
continuous(
    "logistic",
    (),
    logpdf=lambda y: LOG_EXPIT(y) + LOG_EXPIT(-y),
    cdf=lambda y: EXPIT(y),
    sf=lambda y: EXPIT(-y),
    logcdf=lambda y: LOG_EXPIT(y),
    logsf=lambda y: LOG_EXPIT(-y),
    ppf=lambda q: LOGIT(q),
    isf=lambda q: -LOGIT(q),
)


def _laplace_below(y):
    decayed = 0.5 * np.exp(-np.abs(y))
    return np.where(y > 0.0, 1.0 - decayed, decayed)


def _log_laplace_below(y):
    return np.where(y > 0.0, np.log1p(-0.5 * np.exp(-np.abs(y))), np.minimum(y, 0.0) - LOG_TWO[0])


def _laplace_quantile(q):
    return np.where(q > 0.5, -np.log(2.0 * (1.0 - q)), np.log(2.0 * q))


continuous(
    "laplace",
    (),
    logpdf=lambda y: -np.abs(y) - LOG_TWO[0],
    cdf=_laplace_below,
    sf=lambda y: _laplace_below(-y),
    logcdf=_log_laplace_below,
    logsf=lambda y: _log_laplace_below(-y),
    ppf=_laplace_quantile,
    isf=lambda q: -_laplace_quantile(q),
)
continuous(
    "gumbel_r",
    (),
    logpdf=lambda y: -y - np.exp(-y),
    cdf=lambda y: np.exp(-np.exp(-y)),
    sf=lambda y: -np.expm1(-np.exp(-y)),
    logcdf=lambda y: -np.exp(-y),
    ppf=lambda q: -np.log(-np.log(q)),
    isf=lambda q: -np.log(-np.log1p(-q)),
)
continuous(
    "gumbel_l",
    (),
    logpdf=lambda y: y - np.exp(y),
    cdf=lambda y: -np.expm1(-np.exp(y)),
    sf=lambda y: np.exp(-np.exp(y)),
    logsf=lambda y: -np.exp(y),
    ppf=lambda q: np.log(-np.log1p(-q)),
    isf=lambda q: np.log(-np.log(q)),
)
continuous(
    "uniform",
    (),
    logpdf=lambda y: 0.0 * y,
    cdf=lambda y: y,
    sf=lambda y: 1.0 - y,
    ppf=lambda q: q,
    isf=lambda q: 1.0 - q,
    support=(0.0, 1.0, 0.5),
)
continuous(
    "expon",
    (),
    logpdf=lambda y: -y,
    cdf=lambda y: -np.expm1(-y),
    sf=lambda y: np.exp(-y),
    logcdf=log_of_complement,
    logsf=lambda y: -y,
    ppf=lambda q: -np.log1p(-q),
    isf=lambda q: -np.log(q),
    support=HALF_LINE,
)
continuous(
    "rayleigh",
    (),
    logpdf=lambda y: np.log(y) - 0.5 * y * y,
    cdf=lambda y: -np.expm1(-0.5 * y * y),
    sf=lambda y: np.exp(-0.5 * y * y),
    logcdf=lambda y: log_of_complement(0.5 * y * y),
    logsf=lambda y: -0.5 * y * y,
    ppf=lambda q: np.sqrt(-2.0 * np.log1p(-q)),
    isf=lambda q: np.sqrt(-2.0 * np.log(q)),
    support=HALF_LINE,
)
continuous(
    "weibull_min",
    ("c",),
    logpdf=lambda y, c: np.log(c) + XLOGY(c - 1.0, y) - y**c,
    cdf=lambda y, c: -np.expm1(-(y**c)),
    sf=lambda y, c: np.exp(-(y**c)),
    logcdf=lambda y, c: log_of_complement(y**c),
    logsf=lambda y, c: -(y**c),
    ppf=lambda q, c: (-np.log1p(-q)) ** (1.0 / c),
    isf=lambda q, c: (-np.log(q)) ** (1.0 / c),
    support=HALF_LINE,
)
continuous(
    "pareto",
    ("b",),
    logpdf=lambda y, b: np.log(b) - (b + 1.0) * np.log(y),
    cdf=lambda y, b: -np.expm1(-b * np.log(y)),
    sf=lambda y, b: y**-b,
    logcdf=lambda y, b: log_of_complement(b * np.log(y)),
    logsf=lambda y, b: -b * np.log(y),
    ppf=lambda q, b: (1.0 - q) ** (-1.0 / b),
    isf=lambda q, b: q ** (-1.0 / b),
    support=(1.0, np.inf, 2.0),
)
continuous(
    "gamma",
    ("a",),
    logpdf=lambda y, a: XLOGY(a - 1.0, y) - y - GAMMALN(a),
    cdf=lambda y, a: GAMMAINC(a, y),
    sf=lambda y, a: GAMMAINCC(a, y),
    ppf=lambda q, a: GAMMAINCINV(a, q),
    isf=lambda q, a: GAMMAINCCINV(a, q),
    support=HALF_LINE,
)
continuous(
    "chi2",
    ("df",),
    logpdf=lambda y, df: XLOGY(0.5 * df - 1.0, y) - 0.5 * y - GAMMALN(0.5 * df) - LOG_TWO[0] * 0.5 * df,
    cdf=lambda y, df: GAMMAINC(0.5 * df, 0.5 * y),
    sf=lambda y, df: GAMMAINCC(0.5 * df, 0.5 * y),
    ppf=lambda q, df: 2.0 * GAMMAINCINV(0.5 * df, q),
    isf=lambda q, df: 2.0 * GAMMAINCCINV(0.5 * df, q),
    support=HALF_LINE,
)
continuous(
    "invgamma",
    ("a",),
    logpdf=lambda y, a: -(a + 1.0) * np.log(y) - GAMMALN(a) - 1.0 / y,
    cdf=lambda y, a: GAMMAINCC(a, 1.0 / y),
    sf=lambda y, a: GAMMAINC(a, 1.0 / y),
    ppf=lambda q, a: 1.0 / GAMMAINCCINV(a, q),
    isf=lambda q, a: 1.0 / GAMMAINCINV(a, q),
    support=(TINY, np.inf, 0.5),
)
continuous(
    "beta",
    ("a", "b"),
    logpdf=lambda y, a, b: XLOG1PY(b - 1.0, -y) + XLOGY(a - 1.0, y) - BETALN(a, b),
    cdf=lambda y, a, b: BETAINC(a, b, y),
    sf=lambda y, a, b: BETAINCC(a, b, y),
    ppf=lambda q, a, b: BETAINCINV(a, b, q),
    isf=lambda q, a, b: 1.0 - BETAINCINV(b, a, q),
    support=(0.0, 1.0, 0.5),
)


def _log_f(y, n, m):
    powers = 0.5 * n * np.log(n / m) + XLOGY(0.5 * n - 1.0, y)
    return powers - 0.5 * (n + m) * np.log1p(n * y / m) - BETALN(0.5 * n, 0.5 * m)


continuous(
    "f",
    ("dfn", "dfd"),
    logpdf=_log_f,
    cdf=lambda y, n, m: BETAINC(0.5 * n, 0.5 * m, n * y / (m + n * y)),
    sf=lambda y, n, m: BETAINC(0.5 * m, 0.5 * n, m / (m + n * y)),
    support=HALF_LINE,
)

# Discrete


def _probability(p):
    return (p >= 0.0) & (p <= 1.0)


discrete(
    "poisson",
    ("mu",),
    logpmf=lambda k, mu: XLOGY(k, mu) - GAMMALN(k + 1.0) - mu,
    cdf=lambda k, mu: GAMMAINCC(k + 1.0, mu),
    sf=lambda k, mu: GAMMAINC(k + 1.0, mu),
    valid=lambda mu: mu >= 0.0,
)
discrete(
    "binom",
    ("n", "p"),
    logpmf=lambda k, n, p: XLOGY(k, p) + XLOG1PY(n - k, -p) - BETALN(n - k + 1.0, k + 1.0) - np.log(n + 1.0),
    cdf=lambda k, n, p: BETAINCC(k + 1.0, n - k, p),
    sf=lambda k, n, p: BETAINC(k + 1.0, n - k, p),
    upper=lambda n, p: n,
    valid=lambda n, p: (n >= 0.0) & (n == np.floor(n)) & _probability(p),
)
discrete(
    "bernoulli",
    ("p",),
    logpmf=lambda k, p: XLOGY(k, p) + XLOG1PY(1.0 - k, -p),
    cdf=lambda k, p: 1.0 - p + 0.0 * k,
    sf=lambda k, p: p + 0.0 * k,
    upper=lambda p: 1.0,
    valid=_probability,
)
discrete(
    "geom",
    ("p",),
    logpmf=lambda k, p: XLOG1PY(k - 1.0, -p) + np.log(p),
    cdf=lambda k, p: -np.expm1(k * np.log1p(-p)),
    sf=lambda k, p: np.exp(k * np.log1p(-p)),
    logsf=lambda k, p: k * np.log1p(-p),
    lower=1.0,
    valid=lambda p: (p > 0.0) & (p <= 1.0),
)
discrete(
    "nbinom",
    ("n", "p"),
    logpmf=lambda k, n, p: n * np.log(p) + XLOG1PY(k, -p) - BETALN(n, k + 1.0) - np.log(n + k),
    cdf=lambda k, n, p: BETAINC(n, k + 1.0, p),
    sf=lambda k, n, p: BETAINCC(n, k + 1.0, p),
    valid=lambda n, p: (n > 0.0) & (p > 0.0) & (p <= 1.0),
)

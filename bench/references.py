"""What is swept: calls of functions of real numbers, their definitions in mpmath, and where they are defined.

A call is a line of Python in x, y, z, which NumPy, adcore, JAX and autograd all read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
from mpmath import mpf

__all__ = ["ACCEPTED", "LEFT_OUT", "REFERENCES", "Interval", "Reference"]

INF = math.inf
Interval = tuple[float, float]
ALL: Interval = (-INF, INF)
POSITIVE: Interval = (0.0, INF)
UNIT: Interval = (0.0, 1.0)
SYMMETRIC: Interval = (-1.0, 1.0)

# The values of an argument while another one is swept.
BESIDE = {
    ALL: (-1e200, -33.0, -0.7, 1e-200, 1.0, 2.5, 1e4),
    POSITIVE: (1e-200, 1e-5, 0.3, 1.0, 2.5, 33.0, 1e4, 1e200),
    UNIT: (1e-200, 1e-5, 0.3, 0.9, 1.0 - 1e-9),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A function's definition and domain.

    Attributes:
        of: the function in mpmath.
        domains: an interval for each argument.
        arguments: the places of the arguments that are swept.
        reach: the largest magnitude in the sweeps; what is larger takes mpmath too long.
        least: the smallest magnitude in the sweeps.
        beside: the values of each argument while another one is swept; empty: as its interval has them.
        points: how many magnitudes a sweep has.
        limits: whether there are limits at 0 and at infinity.
        single: whether it is swept in float32 too; the other functions are computed in float64 and rounded.
    """

    of: Callable[..., Any]
    domains: tuple[Interval, ...]
    arguments: tuple[int, ...]
    reach: float = 1.7e308
    least: float = 5e-324
    beside: tuple[tuple[float, ...], ...] = ()
    points: int = 60
    single: bool = False
    limits: bool = True

    def companions(self, index: int) -> tuple[float, ...]:
        return self.beside[index] if self.beside else BESIDE[self.domains[index]]


def numpy(of: Callable[..., Any], *domains: Interval, **rest: Any) -> Reference:
    domains = domains or (ALL,)
    if len(domains) > 1:
        rest.setdefault("points", 20)
    return Reference(of, domains, tuple(range(len(domains))), single=True, **rest)


def special(of: Callable[..., Any], *domains: Interval, **rest: Any) -> Reference:
    domains = domains or (ALL,)
    rest.setdefault("arguments", tuple(range(len(domains))))
    if len(domains) > 1:
        rest.setdefault("points", 12)
    return Reference(of, domains, **rest)


# Definitions of what mpmath lacks, without cancellation where that is easy


def root(x: Any, n: int) -> Any:
    return mp.sign(x) * mp.root(abs(x), n)


def softplus(x: Any) -> Any:
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


def logistic(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def xlogx(x: Any) -> Any:
    return x * mp.log(x) if x else mpf(0)


def remainder(x: Any, y: Any) -> Any:
    return x - y * mp.floor(x / y)


def truncated_remainder(x: Any, y: Any) -> Any:
    q = x / y
    return x - y * (mp.floor(q) if q > 0 else mp.ceil(q))


def degrees(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: f(x * mp.pi / 180)


def normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def lower(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True) if x < a + 30 else 1 - mp.gammainc(a, x, regularized=True)


def upper(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, regularized=True) if x > 1 else 1 - mp.gammainc(a, 0, x, regularized=True)


def beta_below(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


def beta_above(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(b, a, 0, 1 - x, regularized=True)


def inverse(f: Callable[[Any], Any], slope: Callable[[Any], Any], start: Any, wanted: Any) -> Any:
    """By Newton's method from a start that has about the digits of a float."""
    x = mpf(start)
    for _ in range(60):
        step = (f(x) - wanted) / slope(x)
        x -= step
        if abs(step) <= abs(x) * mpf(10) ** (-mp.mp.dps // 2 - 4):
            return x
    raise ValueError("Newton's method did not converge")


def normal_quantile(p: Any) -> Any:
    return -log_quantile(mp.log(1 - p)) if p > 0.5 else log_quantile(mp.log(p))


def log_quantile(y: Any) -> Any:
    """x where log(normal(x)) = y."""
    from scipy.special import ndtri_exp

    if y > -0.6:  # the upper half, from the other side
        return -log_quantile(mp.log(-mp.expm1(y)))
    return inverse(lambda x: mp.log(normal(x)), lambda x: mp.npdf(x) / normal(x), ndtri_exp(float(y)), y)


def gamma_quantile(a: Any, p: Any) -> Any:
    from scipy.special import gammaincinv

    start = gammaincinv(float(a), float(p))
    return inverse(lambda x: lower(a, x), lambda x: x ** (a - 1) * mp.exp(-x) / mp.gamma(a), start, p)


def beta_quantile(a: Any, b: Any, p: Any) -> Any:
    from scipy.special import betaincinv

    start = betaincinv(float(a), float(b), float(p))
    return inverse(lambda x: beta_below(a, b, x), lambda x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b), start, p)


def boxcox(x: Any, r: Any) -> Any:
    return mp.expm1(r * mp.log(x)) / r if r else mp.log(x)


def permutations(n: Any, k: Any) -> Any:
    if k > n:
        raise ValueError("0 by another formula")
    return mp.gamma(n + 1) / mp.gamma(n - k + 1)


def log_of_excess(x: Any) -> Any:
    if x <= -1:
        raise ValueError("outside of the domain")
    return mp.log1p(x)


def huber(d: Any, r: Any) -> Any:
    return r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2)


def spherical(f: Callable[[Any, Any], Any], n: int) -> Callable[[Any], Any]:
    return lambda x: mp.sqrt(mp.pi / (2 * x)) * f(n + mpf(1) / 2, x)


def owens_t(h: Any, a: Any) -> Any:
    return mp.quad(lambda t: mp.exp(-h * h * (1 + t * t) / 2) / (1 + t * t), [0, a]) / (2 * mp.pi)


def student(v: Any, t: Any) -> Any:
    tail = mp.betainc(v / 2, mpf(1) / 2, 0, v / (v + t * t), regularized=True) / 2
    return tail if t < 0 else 1 - tail


def zeta_less_one(x: Any) -> Any:
    return mp.zeta(x, 2) if x > 1 else mp.zeta(x) - 1


def log_sum(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


_ORDERS = {"arguments": (1,), "beside": ((0.3, 2.5, 20.0), ()), "reach": 1e4, "least": 1e-30, "points": 12}
_NEAR = {"reach": 1e4, "least": 1e-30, "points": 24}
_DEGREES = {"reach": 1e5, "least": 1e-300}
_POLYNOMIAL = {"reach": 1e60, "least": 1e-300, "points": 24}
_SHAPES = (0.3, 1.0, 2.5, 40.0)
_PAIRS = {"beside": (_SHAPES, _SHAPES), "reach": 300.0, "least": 1e-6, "points": 10, "limits": False}
_TRIPLES = {
    "beside": ((0.3, 1.0, 2.5, 40.0), (0.3, 1.0, 2.5, 40.0), (1e-5, 0.3, 0.9)),
    "reach": 300.0,
    "least": 1e-6,
    "points": 10,
    "limits": False,
}
_QUANTILES = {
    "beside": ((0.3, 1.0, 2.5, 40.0), (1e-5, 0.3, 0.9)),
    "reach": 100.0,
    "least": 1e-3,
    "points": 10,
    "limits": False,
}
_MODERATE = (-1e5, -33.0, -0.7, 1e-5, 1.0, 2.5, 33.0)
_MODERATES = {"beside": (_MODERATE, _MODERATE), "reach": 1e5, "points": 16}
_POWERS = {"beside": (BESIDE[POSITIVE], _MODERATE), "reach": 1e300, "points": 20}

REFERENCES: dict[str, Reference] = {
    # NumPy
    "numpy.absolute(x)": numpy(abs),
    "numpy.arccos(x)": numpy(mp.acos, SYMMETRIC),
    "numpy.arccosh(x)": numpy(mp.acosh, (1.0, INF)),
    "numpy.arcsin(x)": numpy(mp.asin, SYMMETRIC),
    "numpy.arcsinh(x)": numpy(mp.asinh),
    "numpy.arctan(x)": numpy(mp.atan),
    "numpy.arctan2(x, y)": numpy(mp.atan2, ALL, ALL),
    "numpy.arctanh(x)": numpy(mp.atanh, SYMMETRIC),
    "numpy.cbrt(x)": numpy(lambda x: root(x, 3)),
    "numpy.cos(x)": numpy(mp.cos),
    "numpy.cosh(x)": numpy(mp.cosh, reach=1e4),
    "numpy.deg2rad(x)": numpy(lambda x: x * mp.pi / 180),
    "numpy.divide(x, y)": numpy(lambda x, y: x / y, ALL, ALL),
    "numpy.exp(x)": numpy(mp.exp, reach=1e4),
    "numpy.exp2(x)": numpy(lambda x: mpf(2) ** x, reach=1e4),
    "numpy.expm1(x)": numpy(mp.expm1, reach=1e4),
    "numpy.fmod(x, y)": numpy(truncated_remainder, ALL, ALL, limits=False),
    "numpy.hypot(x, y)": numpy(mp.hypot, ALL, ALL),
    "numpy.log(x)": numpy(mp.log, POSITIVE),
    "numpy.log10(x)": numpy(mp.log10, POSITIVE),
    "numpy.log1p(x)": numpy(mp.log1p, (-1.0, INF)),
    "numpy.log2(x)": numpy(lambda x: mp.log(x, 2), POSITIVE),
    "numpy.logaddexp(x, y)": numpy(log_sum, ALL, ALL, **_MODERATES),
    "numpy.logaddexp2(x, y)": numpy(
        lambda x, y: log_sum(x * mp.log(2), y * mp.log(2)) / mp.log(2), ALL, ALL, **_MODERATES
    ),
    "numpy.multiply(x, y)": numpy(lambda x, y: x * y, ALL, ALL),
    "numpy.power(x, 0.5)": numpy(mp.sqrt, POSITIVE),
    "numpy.power(x, 1.5)": numpy(lambda x: x * mp.sqrt(x), POSITIVE),
    "numpy.power(x, 3.0)": numpy(lambda x: x**3),
    "numpy.power(x, -2.0)": numpy(lambda x: x**-2),
    "numpy.power(x, y)": numpy(lambda x, y: x**y, POSITIVE, ALL, **_POWERS),
    "numpy.rad2deg(x)": numpy(lambda x: x * 180 / mp.pi),
    "numpy.reciprocal(x)": numpy(lambda x: 1 / x),
    "numpy.remainder(x, y)": numpy(remainder, ALL, ALL, limits=False),
    "numpy.sin(x)": numpy(mp.sin),
    "numpy.sinc(x)": numpy(lambda x: mp.sinpi(x) / (mp.pi * x) if x else mpf(1)),
    "numpy.sinh(x)": numpy(mp.sinh, reach=1e4),
    "numpy.sqrt(x)": numpy(mp.sqrt, POSITIVE),
    "numpy.square(x)": numpy(lambda x: x * x),
    "numpy.tan(x)": numpy(mp.tan),
    "numpy.tanh(x)": numpy(mp.tanh),
    "x ** 2": numpy(lambda x: x * x),
    "x ** 3": numpy(lambda x: x**3),
    "x ** -1": numpy(lambda x: 1 / x),
    "x ** y": numpy(lambda x, y: x**y, POSITIVE, ALL, **_POWERS),
    "numpy.i0(x)": special(lambda x: mp.besseli(0, x), **_NEAR),
    # Logistic functions, entropies, exponentials and logarithms
    "scipy.special.boxcox(x, y)": special(
        boxcox, POSITIVE, ALL, beside=((1e-5, 0.3, 1.0, 2.5, 1e4), (-7.0, -0.5, 1e-9, 1.0, 3.0)), reach=1e6, least=1e-12
    ),
    "scipy.special.boxcox1p(x, y)": special(
        lambda x, r: boxcox(1 + x, r),
        (-1.0, INF),
        ALL,
        beside=((-0.9, 1e-5, 0.3, 2.5, 1e4), (-7.0, -0.5, 1e-9, 1.0, 3.0)),
        reach=1e6,
        least=1e-12,
    ),
    "scipy.special.cosdg(x)": special(degrees(mp.cos), **_DEGREES),
    "scipy.special.cosm1(x)": special(lambda x: -2 * mp.sin(x / 2) ** 2),
    "scipy.special.cotdg(x)": special(degrees(mp.cot), **_DEGREES),
    "scipy.special.entr(x)": special(lambda x: -xlogx(x), POSITIVE),
    "scipy.special.exp10(x)": special(lambda x: mpf(10) ** x, reach=1e4),
    "scipy.special.expit(x)": special(logistic),
    "scipy.special.exprel(x)": special(lambda x: mp.expm1(x) / x if x else mpf(1), reach=1e4),
    "scipy.special.huber(x, y)": special(huber, POSITIVE, ALL),
    "scipy.special.inv_boxcox(x, y)": special(
        lambda x, r: mp.exp(log_of_excess(r * x) / r),
        ALL,
        ALL,
        beside=((1e-5, 0.3, 1.0, 2.5), (1e-9, 0.3, 1.0, 3.0)),
        reach=1e6,
        least=1e-12,
    ),
    "scipy.special.inv_boxcox1p(x, y)": special(
        lambda x, r: mp.expm1(log_of_excess(r * x) / r),
        ALL,
        ALL,
        beside=((1e-5, 0.3, 1.0, 2.5), (1e-9, 0.3, 1.0, 3.0)),
        reach=1e6,
        least=1e-12,
    ),
    "scipy.special.kl_div(x, y)": special(lambda x, y: xlogx(x) - x * mp.log(y) - x + y, POSITIVE, POSITIVE),
    "scipy.special.log_expit(x)": special(lambda x: -softplus(-x)),
    "scipy.special.logit(x)": special(lambda x: mp.log(x) - mp.log1p(-x), UNIT),
    "scipy.special.logsumexp(numpy.array([x, y]), axis=0)": special(log_sum, ALL, ALL, **_MODERATES),
    "scipy.special.softmax(numpy.array([x, y]), axis=0)[0]": special(
        lambda x, y: logistic(x - y), ALL, ALL, **_MODERATES
    ),
    "scipy.special.log_softmax(numpy.array([x, y]), axis=0)[0]": special(
        lambda x, y: -softplus(y - x), ALL, ALL, **_MODERATES
    ),
    "scipy.special.powm1(x, y)": special(lambda x, y: mp.expm1(y * mp.log(x)), POSITIVE, ALL, **_POWERS),
    "scipy.special.pseudo_huber(x, y)": special(
        lambda d, r: r * r / (mp.sqrt(1 + (r / d) ** 2) + 1), POSITIVE, ALL, beside=(BESIDE[POSITIVE], BESIDE[ALL])
    ),
    "scipy.special.rel_entr(x, y)": special(lambda x, y: xlogx(x) - x * mp.log(y), POSITIVE, POSITIVE),
    "scipy.special.sindg(x)": special(degrees(mp.sin), **_DEGREES),
    "scipy.special.tandg(x)": special(degrees(mp.tan), **_DEGREES),
    "scipy.special.xlog1py(x, y)": special(
        lambda x, y: x * mp.log1p(y), ALL, (-1.0, INF), beside=(BESIDE[ALL], (-0.9, 1e-200, 0.3, 1e200))
    ),
    "scipy.special.xlogy(x, y)": special(lambda x, y: x * mp.log(y), ALL, POSITIVE),
    # Error functions and the normal distribution
    "scipy.special.dawsn(x)": special(lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), **_NEAR),
    "scipy.special.erf(x)": special(mp.erf, reach=1e3, single=True),
    "scipy.special.erfc(x)": special(mp.erfc, reach=1e3, single=True),
    "scipy.special.erfcinv(x)": special(
        lambda p: -normal_quantile(p / 2) / mp.sqrt(2), (0.0, 2.0), least=1e-300, points=24
    ),
    "scipy.special.erfcx(x)": special(lambda x: mp.exp(x * x) * mp.erfc(x), **_NEAR),
    "scipy.special.erfi(x)": special(mp.erfi, reach=1e3),
    "scipy.special.erfinv(x)": special(mp.erfinv, SYMMETRIC, points=24),
    "scipy.special.log_ndtr(x)": special(lambda x: mp.log(normal(x)) if x < 0 else mp.log1p(-normal(-x)), **_NEAR),
    "scipy.special.ndtr(x)": special(normal, reach=1e3),
    "scipy.special.ndtri(x)": special(normal_quantile, UNIT, points=24, least=1e-300),
    "scipy.special.ndtri_exp(x)": special(log_quantile, (-INF, 0.0), reach=1e5, points=24, least=1e-15),
    "scipy.special.owens_t(x, y)": special(
        owens_t, ALL, ALL, beside=((-2.0, 0.5, 3.0), (-1.5, 0.3, 4.0)), reach=8.0, least=1e-4, points=8, limits=False
    ),
    # Gamma functions
    "scipy.special.beta(x, y)": special(mp.beta, POSITIVE, POSITIVE, **_PAIRS),
    "scipy.special.betainc(x, y, z)": special(beta_below, POSITIVE, POSITIVE, UNIT, **_TRIPLES),
    "scipy.special.betainc(2.5, 1.3, x)": special(lambda x: beta_below(mpf(2.5), mpf(1.3), x), UNIT, least=1e-100),
    "scipy.special.betaincc(x, y, z)": special(beta_above, POSITIVE, POSITIVE, UNIT, **_TRIPLES),
    "scipy.special.betaincinv(x, 2.5, y)": special(
        lambda a, p: beta_quantile(a, mpf(2.5), p), POSITIVE, UNIT, **_QUANTILES
    ),
    "scipy.special.betaln(x, y)": special(
        lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), POSITIVE, POSITIVE, **_PAIRS
    ),
    "scipy.special.binom(x, y)": special(
        lambda n, k: mp.gamma(n + 1) * mp.rgamma(k + 1) * mp.rgamma(n - k + 1),
        POSITIVE,
        POSITIVE,
        beside=((0.7, 3.3, 20.5, 300.25), (0.3, 2.6, 7.2)),
        limits=False,
        reach=100.0,
        least=1e-6,
    ),
    "scipy.special.chdtr(x, y)": special(lambda v, x: lower(v / 2, x / 2), POSITIVE, POSITIVE, **_PAIRS),
    "scipy.special.chdtrc(x, y)": special(lambda v, x: upper(v / 2, x / 2), POSITIVE, POSITIVE, **_PAIRS),
    "scipy.special.digamma(x)": special(mp.digamma, reach=1e15, least=1e-300),
    "scipy.special.fdtr(x, 7.5, y)": special(
        lambda n, x: beta_below(n / 2, mpf(3.75), n * x / (mpf(7.5) + n * x)),
        POSITIVE,
        POSITIVE,
        beside=((1.0, 2.5, 40.0), (0.3, 1.0, 5.0)),
        limits=False,
        reach=100.0,
        least=1e-3,
        points=12,
    ),
    "scipy.special.gamma(x)": special(mp.gamma, reach=1e3),
    "scipy.special.gammainc(x, y)": special(lower, POSITIVE, POSITIVE, **_PAIRS),
    "scipy.special.gammainc(2.5, x)": special(lambda x: lower(mpf(2.5), x), POSITIVE, reach=1e4, least=1e-100),
    "scipy.special.gammaincc(2.5, x)": special(lambda x: upper(mpf(2.5), x), POSITIVE, reach=1e4, least=1e-100),
    "scipy.special.gammaincc(x, y)": special(upper, POSITIVE, POSITIVE, **_PAIRS),
    "scipy.special.gammaincinv(x, y)": special(gamma_quantile, POSITIVE, UNIT, **_QUANTILES),
    "scipy.special.gammaln(x)": special(lambda x: mp.log(abs(mp.gamma(x))), POSITIVE, reach=1e15, least=1e-300),
    "scipy.special.gdtr(0.7, x, y)": special(lambda b, x: lower(b, mpf(0.7) * x), POSITIVE, POSITIVE, **_PAIRS),
    "scipy.special.multigammaln(x, 2)": special(
        lambda a: mp.log(mp.pi) / 2 + mp.loggamma(a) + mp.loggamma(a - mpf(1) / 2), (0.5, INF), reach=1e15
    ),
    "scipy.special.pdtr(3, x)": special(lambda m: upper(mpf(4), m), POSITIVE, **_NEAR),
    "scipy.special.perm(x, y)": special(
        permutations,
        POSITIVE,
        POSITIVE,
        beside=((20.5, 100.25), (0.3, 2.6)),
        limits=False,
        reach=100.0,
        least=1e-6,
    ),
    "scipy.special.poch(x, y)": special(
        lambda x, m: mp.gamma(x + m) * mp.rgamma(x),
        POSITIVE,
        POSITIVE,
        beside=((0.3, 2.5, 40.0), (0.3, 1.0, 7.2)),
        limits=False,
        reach=100.0,
        least=1e-6,
    ),
    "scipy.special.polygamma(1, x)": special(lambda x: mp.polygamma(1, x), POSITIVE, reach=1e15, least=1e-100),
    "scipy.special.polygamma(4, x)": special(lambda x: mp.polygamma(4, x), POSITIVE, reach=1e15, least=1e-50),
    "scipy.special.rgamma(x)": special(mp.rgamma, reach=1e3),
    "scipy.special.stdtr(x, y)": special(
        student,
        POSITIVE,
        ALL,
        beside=((0.7, 2.5, 40.0), (-30.0, -1.0, 0.5, 4.0)),
        limits=False,
        reach=300.0,
        least=1e-3,
        points=12,
    ),
    "scipy.special.zeta(x)": special(mp.zeta, reach=1e3, least=1e-10),
    "scipy.special.zeta(x, y)": special(
        mp.zeta, (1.0, INF), POSITIVE, beside=((1.001, 2.0, 7.5), (0.3, 1.0, 40.0)), reach=300.0, least=1e-6
    ),
    "scipy.special.zetac(x)": special(zeta_less_one, reach=1e3, least=1e-10),
    # Integrals
    "scipy.special.ellipe(x)": special(mp.ellipe, (-INF, 1.0)),
    "scipy.special.ellipeinc(x, y)": special(
        mp.ellipe, ALL, (-INF, 1.0), beside=((-0.3, 1.2, 4.0), (-5.0, 0.3, 0.99)), reach=1e3, least=1e-12
    ),
    "scipy.special.ellipk(x)": special(mp.ellipk, (-INF, 1.0)),
    "scipy.special.ellipkinc(x, y)": special(
        mp.ellipf, ALL, (-INF, 1.0), beside=((-0.3, 1.2, 4.0), (-5.0, 0.3, 0.99)), reach=1e3, least=1e-12
    ),
    "scipy.special.ellipkm1(x)": special(lambda p: mp.ellipk(1 - p), POSITIVE, reach=1e100, least=1e-30),
    "scipy.special.elliprd(x, y, z)": special(
        mp.elliprd, *(POSITIVE,) * 3, beside=((1e-3, 1.0, 30.0),) * 3, reach=1e6, least=1e-6, points=12
    ),
    "scipy.special.elliprf(x, y, z)": special(
        mp.elliprf, *(POSITIVE,) * 3, beside=((1e-3, 1.0, 30.0),) * 3, reach=1e6, least=1e-6, points=12
    ),
    "scipy.special.exp1(x)": special(mp.e1, POSITIVE, reach=1e3, least=1e-30, points=24),
    "scipy.special.expi(x)": special(mp.ei, reach=1e3, least=1e-30, points=24),
    "scipy.special.expn(2, x)": special(
        lambda x: mp.exp(-x) - x * mp.e1(x), POSITIVE, reach=1e3, least=1e-30, points=24
    ),
    "scipy.special.fresnel(x)[0]": special(mp.fresnels, reach=1e3, least=1e-30, points=24),
    "scipy.special.fresnel(x)[1]": special(mp.fresnelc, reach=1e3, least=1e-30, points=24),
    "scipy.special.lambertw(x).real": special(lambda x: mp.lambertw(x), (-0.36787944117144233, INF)),
    "scipy.special.lambertw(x, -1).real": special(
        lambda x: mp.lambertw(x, -1), (-0.36787944117144233, 0.0), least=1e-300
    ),
    "scipy.special.shichi(x)[0]": special(mp.shi, reach=1e3, least=1e-30, points=24),
    "scipy.special.shichi(x)[1]": special(mp.chi, POSITIVE, reach=1e3, least=1e-30, points=24),
    "scipy.special.sici(x)[0]": special(mp.si, reach=1e5, least=1e-30, points=24),
    "scipy.special.sici(x)[1]": special(mp.ci, POSITIVE, reach=1e5, least=1e-30, points=24),
    "scipy.special.spence(x)": special(lambda x: mp.polylog(2, 1 - x), POSITIVE, reach=1e100),
    "scipy.special.wrightomega(x)": special(lambda x: mp.lambertw(mp.exp(x))),
    # Bessel, Airy and Struve functions
    "scipy.special.airy(x)[0]": special(mp.airyai, reach=1e3, least=1e-30, points=24),
    "scipy.special.airy(x)[1]": special(lambda x: mp.airyai(x, derivative=1), reach=1e3, least=1e-30, points=24),
    "scipy.special.airy(x)[2]": special(mp.airybi, reach=1e3, least=1e-30, points=24),
    "scipy.special.airy(x)[3]": special(lambda x: mp.airybi(x, derivative=1), reach=1e3, least=1e-30, points=24),
    "scipy.special.iv(x, y)": special(mp.besseli, POSITIVE, ALL, **_ORDERS),
    "scipy.special.ive(x, y)": special(lambda v, x: mp.exp(-abs(x)) * mp.besseli(v, x), POSITIVE, POSITIVE, **_ORDERS),
    "scipy.special.jv(x, y)": special(mp.besselj, POSITIVE, POSITIVE, **_ORDERS),
    "scipy.special.kv(x, y)": special(mp.besselk, POSITIVE, POSITIVE, **_ORDERS),
    "scipy.special.kve(x, y)": special(lambda v, x: mp.exp(x) * mp.besselk(v, x), POSITIVE, POSITIVE, **_ORDERS),
    "scipy.special.yv(x, y)": special(mp.bessely, POSITIVE, POSITIVE, **_ORDERS),
    "scipy.special.i0(x)": special(lambda x: mp.besseli(0, x), **_NEAR),
    "scipy.special.i1(x)": special(lambda x: mp.besseli(1, x), **_NEAR),
    "scipy.special.j0(x)": special(lambda x: mp.besselj(0, x), **_NEAR),
    "scipy.special.j1(x)": special(lambda x: mp.besselj(1, x), **_NEAR),
    "scipy.special.k0(x)": special(lambda x: mp.besselk(0, x), POSITIVE, **_NEAR),
    "scipy.special.k1(x)": special(lambda x: mp.besselk(1, x), POSITIVE, **_NEAR),
    "scipy.special.y0(x)": special(lambda x: mp.bessely(0, x), POSITIVE, **_NEAR),
    "scipy.special.y1(x)": special(lambda x: mp.bessely(1, x), POSITIVE, **_NEAR),
    "scipy.special.i0e(x)": special(lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), **_NEAR),
    "scipy.special.i1e(x)": special(lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), **_NEAR),
    "scipy.special.k0e(x)": special(lambda x: mp.exp(x) * mp.besselk(0, x), POSITIVE, **_NEAR),
    "scipy.special.k1e(x)": special(lambda x: mp.exp(x) * mp.besselk(1, x), POSITIVE, **_NEAR),
    "scipy.special.jn(2, x)": special(lambda x: mp.besselj(2, x), **_NEAR),
    "scipy.special.kn(2, x)": special(lambda x: mp.besselk(2, x), POSITIVE, **_NEAR),
    "scipy.special.yn(2, x)": special(lambda x: mp.bessely(2, x), POSITIVE, **_NEAR),
    "scipy.special.spherical_in(2, x)": special(spherical(mp.besseli, 2), POSITIVE, reach=1e4, least=1e-30, points=24),
    "scipy.special.spherical_jn(2, x)": special(spherical(mp.besselj, 2), POSITIVE, reach=1e4, least=1e-30, points=24),
    "scipy.special.spherical_kn(2, x)": special(spherical(mp.besselk, 2), POSITIVE, reach=1e4, least=1e-30, points=24),
    "scipy.special.spherical_yn(2, x)": special(spherical(mp.bessely, 2), POSITIVE, reach=1e4, least=1e-30, points=24),
    "scipy.special.struve(x, y)": special(
        mp.struveh, POSITIVE, POSITIVE, arguments=(1,), beside=((0.0, 0.3, 2.5), ()), reach=100.0, least=1e-10
    ),
    "scipy.special.modstruve(x, y)": special(
        mp.struvel, POSITIVE, POSITIVE, arguments=(1,), beside=((0.0, 0.3, 2.5), ()), reach=100.0, least=1e-10
    ),
    # Polynomials and hypergeometric functions
    "scipy.special.eval_chebyt(5, x)": special(lambda x: mp.chebyt(5, x), **_POLYNOMIAL),
    "scipy.special.eval_chebyu(5, x)": special(lambda x: mp.chebyu(5, x), **_POLYNOMIAL),
    "scipy.special.eval_gegenbauer(5, 0.7, x)": special(lambda x: mp.gegenbauer(5, mpf(0.7), x), **_POLYNOMIAL),
    "scipy.special.eval_genlaguerre(5, 0.7, x)": special(lambda x: mp.laguerre(5, mpf(0.7), x), **_POLYNOMIAL),
    "scipy.special.eval_hermite(5, x)": special(lambda x: mp.hermite(5, x), **_POLYNOMIAL),
    "scipy.special.eval_hermitenorm(5, x)": special(
        lambda x: mp.hermite(5, x / mp.sqrt(2)) * mpf(2) ** (-mpf(5) / 2), **_POLYNOMIAL
    ),
    "scipy.special.eval_jacobi(5, 0.7, 1.3, x)": special(lambda x: mp.jacobi(5, mpf(0.7), mpf(1.3), x), **_POLYNOMIAL),
    "scipy.special.eval_laguerre(5, x)": special(lambda x: mp.laguerre(5, 0, x), **_POLYNOMIAL),
    "scipy.special.eval_legendre(5, x)": special(lambda x: mp.legendre(5, x), **_POLYNOMIAL),
    "scipy.special.hyp0f1(1.3, x)": special(lambda x: mp.hyp0f1(mpf(1.3), x), reach=1e4, least=1e-30),
    "scipy.special.hyp1f1(1.3, 2.1, x)": special(  # SciPy's does not end at infinity
        lambda x: mp.hyp1f1(mpf(1.3), mpf(2.1), x), reach=500.0, least=1e-30, limits=False
    ),
    "scipy.special.hyp2f1(1.3, 0.6, 2.1, x)": special(
        lambda x: mp.hyp2f1(mpf(1.3), mpf(0.6), mpf(2.1), x), (-INF, 1.0), reach=1e4, least=1e-30
    ),
    "scipy.special.hyperu(1.3, 2.1, x)": special(
        lambda x: mp.hyperu(mpf(1.3), mpf(2.1), x), POSITIVE, reach=1e4, least=1e-6
    ),
}

# What has a derivative and is not swept, with the reason: by name, or all whose names begin so.
LEFT_OUT: dict[str, str] = {
    "math.": "the functions of `math` are the same primitives as those of NumPy and SciPy",
    **dict.fromkeys(
        ("numpy.add", "numpy.subtract", "numpy.negative", "numpy.positive", "numpy.conjugate", "numpy.ldexp"),
        "linear: the derivative is a constant",
    ),
    **dict.fromkeys(("numpy.frexp", "numpy.modf", "numpy.nextafter", "numpy.spacing"), "linear between its steps"),
    **dict.fromkeys(
        ("numpy.maximum", "numpy.minimum", "numpy.fmax", "numpy.fmin", "numpy.copysign", "numpy.heaviside"),
        "one of its arguments, up to the sign",
    ),
    **dict.fromkeys(
        ("numpy.matmul", "numpy.matvec", "numpy.vecdot", "numpy.vecmat"), "sums of products, not elementwise"
    ),
    **{
        f"numpy.{name}": f"another name of {of}"
        for name, of in {
            "fabs": "numpy.absolute",
            "degrees": "numpy.rad2deg",
            "radians": "numpy.deg2rad",
            "float_power": "numpy.power",
            "divmod": "numpy.remainder",
        }.items()
    },
    **{f"scipy.special.{name}": f"the same primitive as numpy.{name}" for name in ("cbrt", "exp2", "expm1", "log1p")},
    "scipy.special.psi": "another name of scipy.special.digamma",
    "scipy.special.loggamma": "of real numbers the same as scipy.special.gammaln",
    "scipy.special.comb": "scipy.special.binom where the result is not 0",
    "scipy.special.factorial": "scipy.special.gamma of x + 1",
    "scipy.special.betainccinv": "scipy.special.betaincinv of the complement",
    "scipy.special.gammainccinv": "scipy.special.gammaincinv of the complement",
    "scipy.special.fdtrc": "scipy.special.fdtr with the sign changed",
    "scipy.special.gdtrc": "scipy.special.gdtr with the sign changed",
    "scipy.special.pdtrc": "scipy.special.pdtr with the sign changed",
    "adcore.special.mittag_leffler": "tests/library/test_mittag_leffler.py has its bounds",
}

# Why a derivative is accepted that is infinite or nan, or finite, and should not be: at infinity, or by call.
_RECURRENCE = "both terms of the recurrence are infinite there, with opposite signs"
_OVERFLOW = "the function itself overflows there"
ACCEPTED: dict[str, str] = {
    "infinity": "at infinity a rule is not a limit",
    "numpy.sinc(x)": "NumPy's own value is nan there: pi x overflows",
    **dict.fromkeys(("scipy.special.airy(x)[2]", "scipy.special.airy(x)[3]"), "SciPy's own value is nan there"),
    **dict.fromkeys(("scipy.special.zeta(x)", "scipy.special.zetac(x)"), _OVERFLOW),
    "scipy.special.lambertw(x, -1).real": "a quotient of infinite numbers: the value is -inf there",
    **{
        f"scipy.special.{name}": _RECURRENCE
        for name in (
            *("ive(x, y)", "kve(x, y)", "yv(x, y)", "k0e(x)", "k1e(x)", "y1(x)", "yn(2, x)", "spherical_yn(2, x)"),
        )
    },
}

"""Error functions and the normal distribution, logistic functions, entropies, losses, the Box-Cox transformation."""

from __future__ import annotations

import math
from typing import Any

from ..linear import Generator, scale
from ..types import Atom
from .elementwise import gaussian, pow_of_base, pow_of_exponent
from .kinks import edge
from .scipy_rows import horner, special

__all__: list[str] = []

ROOT_PI = math.sqrt(math.pi)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
FAR = 10.0  # from where on asymptotic series of 16 terms are exact


def _far_series(b: Any, x: Atom, sign: float) -> Atom:
    """The sum of sign**k (2k + 1)!! / (2 x**2)**k: asymptotic slopes of dawsn (1) and erfcx (-1), times their scale."""
    coefficients, value = [], 1.0
    for k in range(16):
        value *= (2 * k + 1) * (sign if k else 1.0)
        coefficients.append(value)
    inverse = b.div(0.5, b.mul(x, x))
    return horner(b, inverse, tuple(coefficients))


def _scaled_erfc(b: Any, x: Atom, z: Atom) -> Generator:
    # 2 x z - 2/sqrt(pi), whose terms cancel for large x: there -1/(sqrt(pi) x**2) (1 - 3/(2 x**2) + …)
    near = b.sub(b.mul(b.mul(2.0, x), z), 2.0 / ROOT_PI)
    beyond = b.gt(x, FAR)
    y = b.select(beyond, x, FAR)
    far = b.mul(b.div(-1.0 / ROOT_PI, b.mul(y, y)), _far_series(b, y, -1.0))
    return scale(b.select(beyond, far, near))


def _dawson(b: Any, x: Atom, z: Atom) -> Generator:
    # 1 - 2 x z, whose terms cancel for large x: there -1/(2 x**2) (1 + 3/(2 x**2) + …)
    near = b.sub(1.0, b.mul(b.mul(2.0, x), z))
    beyond = b.gt(b.abs(x), FAR)
    y = b.select(beyond, x, FAR)
    far = b.mul(b.div(-0.5, b.mul(y, y)), _far_series(b, y, 1.0))
    return scale(b.select(beyond, far, near))


def _mills(b: Any, x: Atom, log: Atom) -> Atom:
    """The density of the normal distribution divided by its distribution function, of which the logarithm is given."""
    below = b.lt(x, 0.0)
    tail = b.erfcx(b.mul(b.select(below, x, 0.0), -math.sqrt(0.5)))
    return b.select(
        below, b.div(math.sqrt(2.0 / math.pi), tail), b.div(gaussian(b, x, -0.5, 1.0 / ROOT_TWO_PI), b.exp(log))
    )


def _quantile(b: Any, x: Atom, tail: Atom, factor: float) -> Generator:
    """The derivative `factor` exp(x**2) of an inverse of erf, tail = erfc(|x|): exp(x**2) = erfcx(|x|) / tail.

    That is better for small tails, as exp(x**2) makes a large error of x's rounding.
    """
    small = b.land(b.lt(tail, 0.5), b.gt(tail, 0.0))
    by_tail = b.div(b.mul(factor, b.erfcx(b.abs(x))), b.select(small, tail, 1.0))
    return scale(b.select(small, by_tail, b.mul(factor, b.exp(b.mul(x, x)))))


def _nearer(b: Any, p: Atom, largest: float) -> Atom:
    """The distance from the nearer of 0 and the largest."""
    return b.select(b.lt(p, 0.5 * largest), p, b.sub(largest, p))


special("erfcx", _scaled_erfc, at=((-1.0, 4.0),), symbol="exp(x**2)*erfc(x)")
special("erfi", lambda b, x, z: scale(gaussian(b, x, 1.0, 2.0 / ROOT_PI)), at=((-2.0, 2.0),), symbol="erfi(x)")
special("dawsn", _dawson, at=((-2.0, 2.0),), symbol="sqrt(pi)/2*exp(-x**2)*erfi(x)")
special(
    "erfinv",
    lambda b, x, z: _quantile(b, z, b.sub(1.0, b.abs(x)), ROOT_PI / 2.0),
    at=((-0.9, 0.9),),
    symbol="erfinv(x)",
)
special(
    "erfcinv",
    lambda b, x, z: _quantile(b, z, _nearer(b, x, 2.0), -ROOT_PI / 2.0),
    at=((0.1, 1.9),),
    symbol="erfinv(1 - x)",
)
special(
    "ndtr",
    lambda b, x, z: scale(gaussian(b, x, -0.5, 1.0 / ROOT_TWO_PI)),
    at=((-2.0, 2.0),),
    symbol="erfc(-x/sqrt(2))/2",
)
special(
    "ndtri",
    lambda b, x, z: _quantile(b, b.mul(math.sqrt(0.5), z), b.mul(2.0, _nearer(b, x, 1.0)), ROOT_TWO_PI),
    at=((0.1, 0.9),),
    symbol="sqrt(2)*erfinv(2*x - 1)",
)
special(
    "log_ndtr",
    lambda b, x, z: scale(_mills(b, x, z)),
    at=((-3.0, 2.0),),
    symbol="log(erfc(-x/sqrt(2))/2)",
)
special(
    "ndtri_exp",
    lambda b, x, z: scale(b.div(1.0, _mills(b, z, x))),
    at=((-3.0, -0.1),),
    symbol="sqrt(2)*erfinv(2*exp(x) - 1)",
)

# Logistic functions

special("log_expit", lambda b, x, z: scale(b.expit(b.neg(x))), at=((-3.0, 3.0),), symbol="-log(1 + exp(-x))")
special(
    "logit",
    lambda b, x, z: scale(b.div(1.0, b.mul(x, b.sub(1.0, x)))),
    at=((0.1, 0.9),),
    symbol="log(x/(1 - x))",
)

# Logarithms times what they are the logarithm of


def _share_of(b: Any, x: Atom, y: Atom) -> Atom:
    """x/y, and 0 where both are."""
    return b.select(b.land(b.eq(x, 0.0), b.eq(y, 0.0)), 0.0, b.div(x, y))


special(
    "xlogy",
    lambda b, x, y, z: scale(b.log(y)),
    lambda b, x, y, z: scale(_share_of(b, x, y)),
    symbol="x*log(y)",
    kinks=(edge("x = y = 0", lambda b, x, y, z: b.hypot(x, y)),),
)
special(
    "xlog1py",
    lambda b, x, y, z: scale(b.log1p(y)),
    lambda b, x, y, z: scale(_share_of(b, x, b.add(y, 1.0))),
    symbol="x*log(1 + y)",
    kinks=(edge("x = 0, y = -1", lambda b, x, y, z: b.hypot(x, b.add(y, 1.0))),),
)
special(
    "entr", lambda b, x, z: scale(b.sub(-1.0, b.log(x))), symbol="-x*log(x)", kinks=(edge("x = 0", lambda b, x, z: x),)
)
_EXTREME = 2.0**1000
_SCALE = 2.0**540  # squared it takes the quotient of any two positive floats into the range of normal ones


def _log_quotient(b: Any, x: Atom, y: Atom) -> Atom:
    """log(x/y), also where x/y overflows or underflows."""
    quotient = b.div(x, y)
    small = b.land(b.lt(quotient, 1.0 / _EXTREME), b.gt(x, 0.0))
    large = b.land(b.gt(quotient, _EXTREME), b.isfinite(x))
    factor = b.select(small, _SCALE, b.select(large, 1.0 / _SCALE, 1.0))
    shift = b.select(small, -2.0 * math.log(_SCALE), b.select(large, 2.0 * math.log(_SCALE), 0.0))
    return b.add(b.log(b.div(b.mul(x, factor), b.div(y, factor))), shift)


def _log_quotient_near_one(b: Any, x: Atom, y: Atom) -> Atom:
    """log(x/y), to its last digits where x/y is about 1 and the logarithm 0."""
    near = b.land(b.gt(x, b.mul(0.5, y)), b.lt(x, b.mul(2.0, y)))
    excess = b.select(near, b.div(b.sub(x, y), y), 0.0)
    return b.select(near, b.log1p(excess), _log_quotient(b, x, y))


special(
    "rel_entr",
    lambda b, x, y, z: scale(b.add(_log_quotient(b, x, y), 1.0)),
    lambda b, x, y, z: scale(b.neg(_share_of(b, x, y))),
    symbol="x*log(x/y)",
    kinks=(edge("x = 0", lambda b, x, y, z: x),),
)
special(
    "kl_div",
    lambda b, x, y, z: scale(_log_quotient_near_one(b, x, y)),
    lambda b, x, y, z: scale(b.div(b.sub(y, x), y)),
    symbol="x*log(x/y) - x + y",
    kinks=(edge("x = 0", lambda b, x, y, z: x),),
)

# Losses


def _excess(b: Any, d: Atom, r: Atom) -> Atom:
    return b.maximum(b.sub(b.abs(r), d), 0.0)


special(
    "huber",
    lambda b, d, r, z: scale(_excess(b, d, r)),
    lambda b, d, r, z: scale(b.minimum(b.maximum(r, b.neg(d)), d)),
    at=((0.5, 0.9), (1.0, 2.0)),
    symbol="x*(Abs(y) - x/2)",
)


def _pseudo_huber_scale(b: Any, d: Atom, r: Atom, z: Atom) -> Generator:
    # with h = sqrt(d**2 + r**2): z = d (h - d), dz/dd = (h - d)**2 / h, and h - d = r (r/h) / (1 + d/h)
    h = b.hypot(d, r)
    share = b.select(b.isfinite(h), b.div(d, h), 1.0)
    excess = b.mul(r, b.div(b.div(r, h), b.add(share, 1.0)))
    return scale(b.mul(excess, b.div(excess, h)))


def _pseudo_huber_residual(b: Any, d: Atom, r: Atom, z: Atom) -> Generator:
    # d r / h, where the larger of d and r is divided by h
    h = b.hypot(d, r)
    return scale(b.select(b.gt(b.abs(r), d), b.mul(d, b.div(r, h)), b.mul(r, b.div(d, h))))


special(
    "pseudo_huber",
    _pseudo_huber_scale,
    _pseudo_huber_residual,
    at=((0.5, 2.0), (-2.0, 2.0)),
    symbol="x**2*(sqrt(1 + (y/x)**2) - 1)",
)

# Powers and their logarithms without cancellation

LOG_TEN = math.log(10.0)
special("exp10", lambda b, x, z: scale(b.mul(z, LOG_TEN)), at=((-2.0, 2.0),), symbol="10**x")
special("cosm1", lambda b, x, z: scale(b.neg(b.sin(x))), at=((-2.0, 2.0),), symbol="cos(x) - 1")
special(
    "powm1",
    lambda b, x, y, z: pow_of_base(b, x, y, b.pow(x, y)),
    lambda b, x, y, z: pow_of_exponent(b, x, y, b.pow(x, y)),
    symbol="x**y - 1",
)

_SMALL = 1.0
_SLOPES = tuple(1.0 / (math.factorial(n) * (n + 2)) for n in range(19))


def _exprel_slope(b: Any, t: Atom) -> Atom:
    """((t - 1) exp(t) + 1) / t**2, the derivative of (exp(t) - 1)/t: by its power series for |t| < 1."""
    small = b.lt(b.abs(t), _SMALL)
    series = horner(b, b.select(small, t, 0.0), _SLOPES)
    away = b.select(small, _SMALL, t)
    inverse = b.div(1.0, away)
    closed = b.add(b.mul(b.sub(1.0, inverse), b.mul(b.exp(away), inverse)), b.mul(inverse, inverse))
    return b.select(small, series, closed)


special("exprel", lambda b, x, z: scale(_exprel_slope(b, x)), at=((1.2, 3.0),), symbol="(exp(x) - 1)/x")


def _box_cox_rate(b: Any, rate: Atom, log: Atom, power: Atom) -> Generator:
    # log**2 times the slope of exprel at t = rate * log; away from 0 (power (t - 1) + 1)/rate**2, also at infinite t
    t = b.mul(rate, log)
    small = b.lt(b.abs(t), _SMALL)
    series = b.mul(b.mul(log, log), horner(b, b.select(small, t, 0.0), _SLOPES))
    gone = b.eq(power, 0.0)
    grown = b.select(gone, 0.0, b.mul(power, b.sub(b.select(gone, 0.0, t), 1.0)))
    divisor = b.select(small, 1.0, rate)
    closed = b.div(b.div(b.add(grown, 1.0), divisor), divisor)
    return scale(b.select(small, series, closed))


special(
    "boxcox",
    lambda b, x, r, z: scale(b.pow(x, b.sub(r, 1.0))),
    lambda b, x, r, z: _box_cox_rate(b, r, b.log(x), b.pow(x, r)),
    at=((4.0, 6.0), (1.0, 2.0)),
    symbol="(x**y - 1)/y",
)


def _power_of_excess(b: Any, x: Atom, y: Atom) -> Atom:
    """(1 + x)**y, without rounding 1 + x."""
    return b.exp(b.xlog1py(y, x))


special(
    "boxcox1p",
    lambda b, x, r, z: scale(_power_of_excess(b, x, b.sub(r, 1.0))),
    lambda b, x, r, z: _box_cox_rate(b, r, b.log1p(x), _power_of_excess(b, x, r)),
    at=((3.0, 5.0), (1.0, 2.0)),
    symbol="((1 + x)**y - 1)/y",
)

_LOG_SLOPES = tuple((-1.0) ** (n - 1) * (1.0 - 1.0 / n) for n in range(2, 20))


def _inverse_rate(b: Any, y: Atom, rate: Atom, power: Atom) -> Generator:
    # power y**2 h(rate y), h(t) = (t/(1 + t) - log(1 + t)) / t**2, by its power series for |t| < 0.1
    t = b.mul(rate, y)
    small = b.lt(b.abs(t), 0.1)
    series = horner(b, b.select(small, t, 0.0), _LOG_SLOPES)
    away = b.select(small, 0.1, t)
    closed = b.div(b.sub(b.div(away, b.add(away, 1.0)), b.log1p(away)), b.mul(away, away))
    return scale(b.mul(b.mul(power, b.mul(y, y)), b.select(small, series, closed)))


special(
    "inv_boxcox",
    lambda b, y, r, z: scale(b.div(z, b.add(b.mul(r, y), 1.0))),
    lambda b, y, r, z: _inverse_rate(b, y, r, z),
    symbol="(1 + x*y)**(1/y)",
)
special(
    "inv_boxcox1p",
    lambda b, y, r, z: scale(b.div(b.inv_boxcox(y, r), b.add(b.mul(r, y), 1.0))),
    lambda b, y, r, z: _inverse_rate(b, y, r, b.inv_boxcox(y, r)),
    symbol="(1 + x*y)**(1/y) - 1",
)

# Degrees

DEGREE = math.pi / 180.0
special("sindg", lambda b, x, z: scale(b.mul(DEGREE, b.cosdg(x))), at=((-90.0, 90.0),), symbol="sin(pi*x/180)")
special("cosdg", lambda b, x, z: scale(b.mul(-DEGREE, b.sindg(x))), at=((-90.0, 90.0),), symbol="cos(pi*x/180)")
special(
    "tandg", lambda b, x, z: scale(b.mul(DEGREE, b.add(b.mul(z, z), 1.0))), at=((-60.0, 60.0),), symbol="tan(pi*x/180)"
)


def _cotangent_of_degrees(b: Any, x: Atom, z: Atom) -> Generator:
    # -1/sin(x)**2, as SciPy's cotangent is infinite from 1e-10 on
    cosecant = b.div(1.0, b.sindg(x))
    return scale(b.mul(-DEGREE, b.mul(cosecant, cosecant)))


special("cotdg", _cotangent_of_degrees, at=((30.0, 120.0),), symbol="cot(pi*x/180)")

# Owen's function


def _owen_height(b: Any, h: Atom, a: Atom, z: Atom) -> Generator:
    return scale(b.mul(gaussian(b, h, -0.5, -0.5 / ROOT_TWO_PI), b.erf(b.mul(b.mul(a, h), math.sqrt(0.5)))))


def _owen_slope(b: Any, h: Atom, a: Atom, z: Atom) -> Generator:
    spread = b.add(b.mul(a, a), 1.0)
    return scale(b.div(b.exp(b.mul(-0.5, b.mul(b.mul(h, h), spread))), b.mul(2.0 * math.pi, spread)))


special("owens_t", _owen_height, _owen_slope, at=((0.2, 2.0),))

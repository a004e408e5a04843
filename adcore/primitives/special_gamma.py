"""The gamma function and its relatives: logarithms and logarithmic derivatives, beta, incomplete gamma and beta."""

from __future__ import annotations

import math
from typing import Any

from ..linear import Generator, scale
from ..types import Atom
from .kinks import edge
from .routines import partial
from .scipy_rows import routine, special

__all__: list[str] = []

POSITIVE = ((0.5, 4.0),)


def _gamma(b: Any, x: Atom, z: Atom) -> Generator:
    return scale(b.mul(z, b.digamma(x)))


def _reciprocal_gamma(b: Any, x: Atom, z: Atom) -> Generator:
    # -digamma(x) / gamma(x); around x = 0, -1, …, where that is 0 * inf, the derivative of sin(pi x) gamma(1 - x) / pi
    whole = b.rint(x)
    near = b.land(b.le(whole, 0.0), b.lt(b.abs(b.sub(x, whole)), 0.25))
    y = b.select(near, x, 0.0)
    angle = b.mul(math.pi, b.sub(y, b.select(near, whole, 0.0)))
    sign = b.sub(1.0, b.mul(2.0, b.mod(whole, 2.0)))
    turned = b.sub(b.cos(angle), b.mul(b.div(b.sin(angle), math.pi), b.digamma(b.sub(1.0, y))))
    reflected = b.mul(b.mul(sign, b.gamma(b.sub(1.0, y))), turned)
    return scale(b.select(near, reflected, b.neg(b.mul(z, b.digamma(x)))))


def _trigamma(b: Any, x: Atom, z: Atom) -> Generator:
    # the sum of (x + k)**-2; for x <= 0 by reflection (DLMF 5.15.6)
    positive = b.gt(x, 0.0)
    there = b.zeta(2.0, b.select(positive, x, b.sub(1.0, x)))
    sine = b.sin(b.mul(math.pi, b.sub(x, b.rint(x))))
    reflected = b.sub(b.div(math.pi**2, b.mul(sine, sine)), there)
    return scale(b.select(positive, there, reflected))


special("digamma", _trigamma, of="psi", at=POSITIVE, symbol="digamma(x)", kinks=(edge("poles: x = 0, -1, …"),))
special("gamma", _gamma, at=POSITIVE, symbol="gamma(x)", kinks=(edge("poles: x = 0, -1, …"),))
special(
    "gammaln",
    lambda b, x, z: scale(b.digamma(x)),
    at=POSITIVE,
    symbol="loggamma(x)",
    kinks=(edge("poles: x = 0, -1, …"),),
)
special("loggamma", lambda b, x, z: scale(b.digamma(x)), at=POSITIVE, symbol="loggamma(x)")
special("rgamma", _reciprocal_gamma, at=POSITIVE, symbol="1/gamma(x)")


def _beta(b: Any, x: Atom, y: Atom, z: Atom) -> Generator:
    return scale(b.neg(b.mul(z, b.digamma_increment(x, y))))


special(
    "beta",
    _beta,
    lambda b, x, y, z: _beta(b, y, x, z),
    at=POSITIVE,
    symbol="gamma(x)*gamma(y)/gamma(x + y)",
)
special(
    "betaln",
    lambda b, x, y, z: scale(b.neg(b.digamma_increment(x, y))),
    lambda b, x, y, z: scale(b.neg(b.digamma_increment(y, x))),
    at=POSITIVE,
    symbol="loggamma(x) + loggamma(y) - loggamma(x + y)",
)
special(
    "binom",
    lambda b, n, k, z: scale(b.mul(z, b.digamma_increment(b.add(b.sub(n, k), 1.0), k))),
    lambda b, n, k, z: scale(b.mul(z, b.digamma_increment(b.add(k, 1.0), b.sub(b.sub(n, k), k)))),
    at=((3.2, 4.8), (0.3, 2.8)),
    symbol="gamma(x + 1)/(gamma(y + 1)*gamma(x - y + 1))",
)
special(
    "poch",
    lambda b, x, m, z: scale(b.mul(z, b.digamma_increment(x, m))),
    lambda b, x, m, z: scale(b.mul(z, b.digamma(b.add(x, m)))),
    at=POSITIVE,
    symbol="gamma(x + y)/gamma(x)",
)


# The routines call rows that are in the table by now.
from . import series_gamma as series  # noqa: E402

routine(
    series.zeta,
    partial("zeta", 0),
    lambda b, s, q, z: scale(b.neg(b.mul(s, b.zeta(b.add(s, 1.0), q)))),
    at=((1.5, 5.0), (0.5, 4.0)),
    symbol="zeta(x, y)",
    kinks=(edge("the pole s = 1"),),
)
routine(
    series.digamma_increment,
    partial("digamma_increment", 0),
    lambda b, x, y, z: scale(b.zeta(2.0, b.add(x, y))),
    at=POSITIVE,
    symbol="digamma(x + y) - digamma(x)",
)
routine(
    series.gammainc_slope,
    lambda b, a, x, z: scale(b.mul(z, b.sub(b.log(x), b.digamma(a)))),
    lambda b, a, x, z: scale(b.mul(z, b.sub(b.div(b.sub(a, 1.0), x), 1.0))),
    at=POSITIVE,
    symbol="y**(x - 1)*exp(-y)/gamma(x)",
)


def _order_slope_of_x(b: Any, a: Atom, x: Atom, z: Atom) -> Generator:
    return scale(b.mul(b.gammainc_slope(a, x), b.sub(b.log(x), b.digamma(a))))


_LOWER = "lowergamma(x, y)/gamma(x)"
routine(
    series.gammainc_order_slope,
    partial("gammainc_order_slope", 0),
    _order_slope_of_x,
    at=POSITIVE,
    symbol=f"diff({_LOWER}, x)",
)

# Incomplete gamma

special(
    "gammainc",
    lambda b, a, x, z: scale(b.gammainc_order_slope(a, x)),
    lambda b, a, x, z: scale(b.gammainc_slope(a, x)),
    at=POSITIVE,
    symbol=_LOWER,
)
special(
    "gammaincc",
    lambda b, a, x, z: scale(b.neg(b.gammainc_order_slope(a, x))),
    lambda b, a, x, z: scale(b.neg(b.gammainc_slope(a, x))),
    at=POSITIVE,
    symbol=f"1 - {_LOWER}",
)


def _of_order(b: Any, a: Atom, *others: Atom) -> Generator:
    # gammainc(a, z) = y, so that dz/da is -(d gammainc/da) / (d gammainc/dz)
    z = others[-1]
    return scale(b.neg(b.div(b.gammainc_order_slope(a, z), b.gammainc_slope(a, z))))


special(
    "gammaincinv",
    _of_order,
    lambda b, a, y, z: scale(b.div(1.0, b.gammainc_slope(a, z))),
    at=((0.5, 4.0), (0.1, 0.9)),
)
special(
    "gammainccinv",
    _of_order,
    lambda b, a, y, z: scale(b.div(-1.0, b.gammainc_slope(a, z))),
    at=((0.5, 4.0), (0.1, 0.9)),
)

# Incomplete beta


def _beta_density(b: Any, p: Atom, q: Atom, x: Atom) -> Atom:
    """x**(p - 1) (1 - x)**(q - 1) / B(p, q); by logarithms, which cost digits, only where a factor is extreme."""
    first = b.xlogy(b.sub(p, 1.0), x)
    second = b.xlog1py(b.sub(q, 1.0), b.neg(x))
    beta = b.betaln(p, q)
    largest = b.maximum(b.maximum(b.abs(first), b.abs(second)), b.maximum(b.abs(b.add(first, second)), b.abs(beta)))
    moderate = b.lt(largest, _EXTREME)
    base = b.select(moderate, x, 0.5)
    powers = b.mul(b.pow(base, b.sub(p, 1.0)), b.pow(b.sub(1.0, base), b.sub(q, 1.0)))
    by_powers = b.div(powers, b.beta(b.select(moderate, p, 1.0), b.select(moderate, q, 1.0)))
    return b.select(moderate, by_powers, b.exp(b.sub(b.add(first, second), beta)))


_EXTREME = 700.0  # the logarithm of what nearly overflows


routine(
    series.regularized_beta,
    partial("regularized_beta", 0),
    partial("regularized_beta", 1),
    lambda b, p, q, x, z: scale(_beta_density(b, p, q, x)),
    at=((0.5, 4.0), (0.5, 4.0), (0.1, 0.9)),
)


def _parameter(index: int, sign: float) -> Any:
    return lambda b, p, q, x, z: scale(b.mul(sign, b.emit(_slope(index), (p, q, x), {})))


def _slope(index: int) -> Any:
    from .base import TABLE

    return TABLE[f"regularized_beta@{index}"]


def _inverse(index: int) -> Any:
    # betainc(p, q, z) = y, so that dz/dp is -(d betainc/dp) / (d betainc/dz)
    def rule(b: Any, p: Atom, q: Atom, *others: Atom) -> Generator:
        z = others[-1]
        return scale(b.neg(b.div(b.emit(_slope(index), (p, q, z), {}), _beta_density(b, p, q, z))))

    return rule


for _name, _sign in {"betainc": 1.0, "betaincc": -1.0}.items():
    special(
        _name,
        _parameter(0, _sign),
        _parameter(1, _sign),
        lambda b, p, q, x, z, sign=_sign: scale(b.mul(sign, _beta_density(b, p, q, x))),
        at=((0.5, 4.0), (0.5, 4.0), (0.1, 0.9)),
    )
for _name, _sign in {"betaincinv": 1.0, "betainccinv": -1.0}.items():
    special(
        _name,
        _inverse(0),
        _inverse(1),
        lambda b, p, q, y, z, sign=_sign: scale(b.div(sign, _beta_density(b, p, q, z))),
        at=((0.8, 4.0), (0.8, 4.0), (0.2, 0.8)),
    )

# Draws.  How one was drawn is no function of the parameters, but its quantile is: F(a, z) = u, so that dz/da is
# -(dF/da) / (dF/dz) at the draw z (M. Figurnov, S. Mohamed and A. Mnih, NeurIPS 2018).
from . import series_draws as draws  # noqa: E402

routine(draws.gamma_draw, _of_order, None, None, at=POSITIVE, constant=(1, 2))
routine(
    draws.beta_draw,
    _inverse(0),
    _inverse(1),
    None,
    None,
    None,
    at=((0.8, 4.0), (0.8, 4.0), (0.8, 4.0), (0.8, 4.0), (0.2, 0.8)),
    constant=(2, 3, 4),
)

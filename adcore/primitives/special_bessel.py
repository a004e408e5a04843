"""Bessel, Airy and Struve functions, in their argument: the derivative is a combination of neighbouring orders."""

from __future__ import annotations

import math
from typing import Any

from ..linear import Generator, scale
from ..types import Atom
from .kinks import Kink
from .scipy_rows import MISSING, special

__all__: list[str] = []

FAR = 300.0  # from where on asymptotic series of 7 terms are exact, for orders whose square is smaller
TERMS = 7


def _mean(b: Any, x: Atom, y: Atom) -> Atom:
    return b.mul(0.5, b.add(x, y))


def _orders(name: str, before: float, after: float) -> Any:
    """The rule in x of a family f(v, x): half of `before` f(v - 1, x) + `after` f(v + 1, x)."""

    def rule(b: Any, v: Atom, x: Atom, z: Atom) -> Generator:
        f = getattr(b, name)
        lower = b.mul(before, f(b.sub(v, 1.0), x))
        return scale(b.mul(0.5, b.add(lower, b.mul(after, f(b.add(v, 1.0), x)))))

    return rule


ORDERS = ((0.3, 2.5), (0.5, 6.0))

for _name, _before, _after, _symbol in (
    ("jv", 1.0, -1.0, "besselj(x, y)"),
    ("yv", 1.0, -1.0, "bessely(x, y)"),
    ("iv", 1.0, 1.0, "besseli(x, y)"),
    ("kv", -1.0, -1.0, "besselk(x, y)"),
):
    special(_name, MISSING, _orders(_name, _before, _after), at=ORDERS, symbol=_symbol)

for _name, _next, _second, _symbol in (
    ("j0", -1.0, "", "besselj(0, x)"),
    ("y0", -1.0, "", "bessely(0, x)"),
    ("i0", 1.0, "", "besseli(0, x)"),
    ("k0", -1.0, "", "besselk(0, x)"),
):
    special(
        _name,
        lambda b, x, z, following=_name[0] + "1", sign=_next: scale(b.mul(sign, getattr(b, following)(x))),
        at=((0.5, 6.0),),
        symbol=_symbol,
    )

for _name, _before, _after, _symbol in (
    ("j1", 1.0, -1.0, "besselj(1, x)"),
    ("y1", 1.0, -1.0, "bessely(1, x)"),
    ("i1", 1.0, 1.0, "besseli(1, x)"),
    ("k1", -1.0, -1.0, "besselk(1, x)"),
):

    def _of_first(b: Any, x: Atom, z: Atom, letter: str = _name[0], before: float = _before, after: float = _after):
        zeroth = b.mul(before, getattr(b, f"{letter}0")(x))
        return scale(b.mul(0.5, b.add(zeroth, b.mul(after, getattr(b, f"{letter}v")(2.0, x)))))

    special(_name, _of_first, at=((0.5, 6.0),), symbol=_symbol)

for _name, _family, _symbol in (("kn", "kv", "besselk(floor(x), y)"), ("yn", "yv", "bessely(floor(x), y)")):
    _before, _after = {"kv": (-1.0, -1.0), "yv": (1.0, -1.0)}[_family]
    _of_real_order = _orders(_family, _before, _after)
    special(
        _name,
        None,
        lambda b, n, x, z, rule=_of_real_order: rule(b, b.trunc(n), x, z),
        integers=1,
        at=((2.2, 2.8), (0.5, 6.0)),
        symbol=_symbol,
    )

# Exponentially scaled: exp(-|x|) iv(v, x) and exp(x) kv(v, x)


def _scaled(b: Any, v: Any, x: Atom, z: Atom, difference: Atom, sign: float) -> Generator:
    """The difference of neighbours and z, whose terms cancel for large x: there the asymptotic series' derivative.

    f = c |x|**(-1/2) s(x), s = sum of sign**k a_k(v) / |x|**k (DLMF 10.40.1, 10.40.2): f' = -f/(2x) + c |x|**(-1/2) s'.
    """
    size = b.abs(x)
    beyond = b.gt(size, FAR)
    if not isinstance(v, float):
        beyond = b.land(beyond, b.lt(b.mul(v, v), size))
    inverse = b.div(1.0, b.select(beyond, size, FAR))
    terms = _asymptotic(b, v, sign)
    total = _polynomial(b, inverse, terms)
    slope = _polynomial(b, inverse, [b.mul(-float(k), a) for k, a in enumerate(terms)])
    relative = b.mul(inverse, b.add(-0.5, b.div(slope, total)))
    return scale(b.select(beyond, b.mul(b.mul(b.sign(x), relative), z), difference))


def _asymptotic(b: Any, v: Any, sign: float) -> list[Any]:
    """sign**k a_k(v) for k = 0, …, 7: numbers, where the order is one."""
    terms: list[Any] = [1.0]
    for k in range(1, TERMS + 1):
        factor = b.mul(b.sub(b.mul(4.0, b.mul(v, v)), float((2 * k - 1) ** 2)), sign / (8.0 * k))
        terms.append(b.mul(terms[-1], factor))
    return terms


def _polynomial(b: Any, x: Atom, coefficients: list[Any]) -> Any:
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = b.add(b.mul(total, x), c)
    return total


def _scaled_first(b: Any, v: Any, x: Atom, z: Atom, lower: Atom, upper: Atom) -> Generator:
    return _scaled(b, v, x, z, b.sub(_mean(b, lower, upper), b.mul(b.sign(x), z)), -1.0)


def _scaled_second(b: Any, v: Any, x: Atom, z: Atom, lower: Atom, upper: Atom) -> Generator:
    return _scaled(b, v, x, z, b.sub(z, _mean(b, lower, upper)), 1.0)


def _neighbours(b: Any, name: str, v: Atom, x: Atom) -> tuple[Atom, Atom]:
    f = getattr(b, name)
    return f(b.sub(v, 1.0), x), f(b.add(v, 1.0), x)


special(
    "ive",
    MISSING,
    lambda b, v, x, z: _scaled_first(b, v, x, z, *_neighbours(b, "ive", v, x)),
    at=ORDERS,
    symbol="exp(-y)*besseli(x, y)",
    kinks=(Kink("y = 0", margin=lambda b, x, y, z: y),),
)
special(
    "kve",
    MISSING,
    lambda b, v, x, z: _scaled_second(b, v, x, z, *_neighbours(b, "kve", v, x)),
    at=ORDERS,
    symbol="exp(y)*besselk(x, y)",
)
_ONE = ((0.5, 6.0),)
special(
    "i0e",
    lambda b, x, z: _scaled_first(b, 0.0, x, z, b.i1e(x), b.i1e(x)),
    at=_ONE,
    symbol="exp(-x)*besseli(0, x)",
    kinks=(Kink("x = 0", margin=lambda b, x, z: x),),
)
special(
    "i1e",
    lambda b, x, z: _scaled_first(b, 1.0, x, z, b.i0e(x), b.ive(2.0, x)),
    at=_ONE,
    symbol="exp(-x)*besseli(1, x)",
)
special("k0e", lambda b, x, z: _scaled_second(b, 0.0, x, z, b.k1e(x), b.k1e(x)), at=_ONE, symbol="exp(x)*besselk(0, x)")
special(
    "k1e",
    lambda b, x, z: _scaled_second(b, 1.0, x, z, b.k0e(x), b.kve(2.0, x)),
    at=_ONE,
    symbol="exp(x)*besselk(1, x)",
)

# Spherical


def _spherical(name: str, before: float, after: float) -> Any:
    """(`before` n f(n - 1, x) + `after` (n + 1) f(n + 1, x)) / (2n + 1) (DLMF 10.51.2, 10.51.5)."""

    def rule(b: Any, n: Atom, x: Atom, z: Atom) -> Generator:
        f = getattr(b, name)
        n = b.trunc(n)
        lower = b.mul(b.mul(before, n), f(b.maximum(b.sub(n, 1.0), 0.0), x))
        upper = b.mul(b.mul(after, b.add(n, 1.0)), f(b.add(n, 1.0), x))
        return scale(b.div(b.add(lower, upper), b.add(b.mul(2.0, n), 1.0)))

    return rule


for _name, _before, _after, _symbol in (
    ("spherical_jn", 1.0, -1.0, "sqrt(pi/(2*y))*besselj(floor(x) + 1/2, y)"),
    ("spherical_yn", 1.0, -1.0, "sqrt(pi/(2*y))*bessely(floor(x) + 1/2, y)"),
    ("spherical_in", 1.0, 1.0, "sqrt(pi/(2*y))*besseli(floor(x) + 1/2, y)"),
    ("spherical_kn", -1.0, -1.0, "sqrt(pi/(2*y))*besselk(floor(x) + 1/2, y)"),
):
    special(
        _name,
        None,
        _spherical(_name, _before, _after),
        integers=1,
        of_numbers=True,
        at=((2.2, 2.8), (0.5, 6.0)),
        symbol=_symbol,
    )

# Airy


special(
    "airy_ai", lambda b, x, z: scale(b.airy_ai_slope(x)), of="airy", result=0, at=((-2.0, 2.0),), symbol="airyai(x)"
)
special(
    "airy_ai_slope",
    lambda b, x, z: scale(b.mul(x, b.airy_ai(x))),
    of="airy",
    result=1,
    at=((-2.0, 2.0),),
    symbol="airyaiprime(x)",
)
special(
    "airy_bi", lambda b, x, z: scale(b.airy_bi_slope(x)), of="airy", result=2, at=((-2.0, 2.0),), symbol="airybi(x)"
)
special(
    "airy_bi_slope",
    lambda b, x, z: scale(b.mul(x, b.airy_bi(x))),
    of="airy",
    result=3,
    at=((-2.0, 2.0),),
    symbol="airybiprime(x)",
)

# Struve


def _struve(name: str, sign: float) -> Any:
    """(f(v - 1, x) + sign f(v + 1, x) + (x/2)**v / (sqrt(pi) gamma(v + 3/2))) / 2 (DLMF 11.4.24, 11.4.26)."""

    def rule(b: Any, v: Atom, x: Atom, z: Atom) -> Generator:
        f = getattr(b, name)
        inhomogeneous = b.mul(b.pow(b.mul(0.5, x), v), b.mul(1.0 / math.sqrt(math.pi), b.rgamma(b.add(v, 1.5))))
        neighbours = b.add(f(b.sub(v, 1.0), x), b.mul(sign, f(b.add(v, 1.0), x)))
        return scale(b.mul(0.5, b.add(neighbours, inhomogeneous)))

    return rule


special("struve", MISSING, _struve("struve", -1.0), at=ORDERS)
special("modstruve", MISSING, _struve("modstruve", 1.0), at=ORDERS)

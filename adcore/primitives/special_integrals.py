"""Integrals, elliptic functions, hypergeometric functions, orthogonal polynomials, Lambert's function."""

from __future__ import annotations

import math
from typing import Any

from ..linear import Generator, scale
from ..types import Atom
from . import series_elliptic as series
from . import series_mittag_leffler
from .base import TABLE
from .elementwise import lost_in_square
from .kinks import edge
from .routines import partial
from .scipy_rows import MISSING, horner, routine, special

__all__: list[str] = []

REAL = ((-2.0, 2.0),)

# Exponential, trigonometric and logarithmic integrals

special("expi", lambda b, x, z: scale(b.div(b.exp(x), x)), symbol="Ei(x)")
special("exp1", lambda b, x, z: scale(b.neg(b.div(b.exp(b.neg(x)), x))), symbol="expint(1, x)")


def _expn(b: Any, n: Atom, x: Atom, z: Atom) -> Generator:
    # -expn(n - 1, x); expn(0, x) = exp(-x)/x
    n = b.trunc(n)
    lowest = b.neg(b.mul(b.expn(0.0, x), b.add(b.div(1.0, x), 1.0)))
    return scale(b.select(b.lt(n, 1.0), lowest, b.neg(b.expn(b.maximum(b.sub(n, 1.0), 0.0), x))))


special("expn", None, _expn, integers=1, at=((2.2, 2.8), (0.5, 3.0)), symbol="expint(floor(x), y)")
# sin(x)/x and sinh(x)/x, by SciPy's functions of positive numbers, whose even derivatives are not 0 at x = 0


def _positive(b: Any, x: Atom) -> Atom:
    return b.select(b.lt(x, 0.0), b.neg(x), x)


special("sici_si", lambda b, x, z: scale(b.spherical_jn(0.0, _positive(b, x))), of="sici", result=0, symbol="Si(x)")
special("sici_ci", lambda b, x, z: scale(b.div(b.cos(x), x)), of="sici", result=1, symbol="Ci(x)")
special(
    "shichi_shi", lambda b, x, z: scale(b.spherical_in(0.0, _positive(b, x))), of="shichi", result=0, symbol="Shi(x)"
)
special("shichi_chi", lambda b, x, z: scale(b.div(b.cosh(x), x)), of="shichi", result=1, symbol="Chi(x)")

_LOG_SERIES = tuple((-1.0) ** n / (n + 1) for n in range(17))


def _spence(b: Any, x: Atom, z: Atom) -> Generator:
    # log(x)/(1 - x), by its power series for |x - 1| < 0.1
    u = b.sub(x, 1.0)
    near = b.lt(b.abs(u), 0.1)
    series_ = b.neg(horner(b, b.select(near, u, 0.0), _LOG_SERIES))
    away = b.select(near, 2.0, x)
    return scale(b.select(near, series_, b.div(b.log(away), b.sub(1.0, away))))


special("spence", _spence, at=((1.5, 3.0),), symbol="polylog(2, 1 - x)")
_QUARTER_TURN = math.pi / 2.0


def _half_turns(b: Any, x: Atom, offset: float) -> tuple[Atom, Atom]:
    """x**2/2 - offset/2 in half turns: the sign for their whole number, and the rest of them in radians."""
    square = b.mul(x, x)
    whole = b.rint(b.mul(0.5, b.sub(square, offset)))
    rest = b.add(b.sub(b.sub(square, b.mul(2.0, whole)), offset), lost_in_square(b, x))
    return b.sub(1.0, b.mul(2.0, b.mod(whole, 2.0))), b.mul(_QUARTER_TURN, rest)


def _sine_of_square(b: Any, x: Atom, z: Atom) -> Generator:
    # sin(pi x**2/2), with the digits that are lost in rounding the square
    sign, angle = _half_turns(b, x, 0.0)
    return scale(b.mul(sign, b.sin(angle)))


def _cosine_of_square(b: Any, x: Atom, z: Atom) -> Generator:
    # cos(pi x**2/2) = -sin(pi (x**2 - 1)/2)
    sign, angle = _half_turns(b, x, 1.0)
    return scale(b.neg(b.mul(sign, b.sin(angle))))


special("fresnel_s", _sine_of_square, of="fresnel", result=0, at=REAL, symbol="fresnels(x)")
special("fresnel_c", _cosine_of_square, of="fresnel", result=1, at=REAL, symbol="fresnelc(x)")

# Elliptic integrals

_AMPLITUDE = "acos(sqrt(x/z)), (z - y)/(z - x)"


def _carlson(index: int) -> Any:
    """The rule of R_D(x, y, z) in x or y, which is singular at 0: there the routine takes 0 as a constant."""

    def rule(b: Any, x: Atom, y: Atom, z: Atom, r: Atom) -> Generator:
        slope = b.emit(TABLE[f"carlson_rd@{index}"], (x, y, z), {})
        return scale(b.select(b.eq((x, y)[index], 0.0), -math.inf, slope))

    return rule


routine(
    series.carlson_rd,
    _carlson(0),
    _carlson(1),
    partial("carlson_rd", 2),
    at=((0.5, 1.0), (0.5, 3.0), (1.2, 3.0)),
    symbol=f"3*(elliptic_f({_AMPLITUDE}) - elliptic_e({_AMPLITUDE}))/((z - y)*sqrt(z - x))",
)


def _rd(b: Any, x: Any, y: Any, z: Any) -> Atom:
    return b.carlson_rd(x, y, z)


special(
    "elliprf",
    lambda b, x, y, z, r: scale(b.mul(-1.0 / 6.0, _rd(b, y, z, x))),
    lambda b, x, y, z, r: scale(b.mul(-1.0 / 6.0, _rd(b, x, z, y))),
    lambda b, x, y, z, r: scale(b.mul(-1.0 / 6.0, _rd(b, x, y, z))),
)
special(
    "elliprd",
    _carlson(0),
    _carlson(1),
    partial("carlson_rd", 2),
)


def _first_slope(b: Any, rest: Atom) -> Atom:
    """The derivative of the complete integral of the first kind in m, of 1 - m."""
    return b.mul(1.0 / 6.0, _rd(b, 0.0, 1.0, rest))


def _second_slope(b: Any, rest: Atom) -> Atom:
    return b.mul(-1.0 / 6.0, _rd(b, 0.0, rest, 1.0))


special("ellipk", lambda b, m, z: scale(_first_slope(b, b.sub(1.0, m))), at=((-2.0, 0.9),), symbol="elliptic_k(x)")
special("ellipkm1", lambda b, p, z: scale(b.neg(_first_slope(b, p))), at=((0.1, 3.0),), symbol="elliptic_k(1 - x)")
special("ellipe", lambda b, m, z: scale(_second_slope(b, b.sub(1.0, m))), at=((-2.0, 0.9),), symbol="elliptic_e(x)")


def _incomplete(b: Any, phi: Atom, m: Atom) -> tuple[Atom, Atom, Atom, Atom]:
    """The number of half turns taken from the amplitude, sine and squared cosine of what is left, 1 - m sin**2."""
    turns = b.rint(b.div(phi, math.pi))
    rest = b.sub(phi, b.mul(math.pi, turns))
    s, c = b.sin(rest), b.cos(rest)
    return turns, s, b.mul(c, c), b.sub(1.0, b.mul(m, b.mul(s, s)))


def _root(b: Any, phi: Atom, m: Atom) -> Atom:
    s = b.sin(phi)
    return b.sqrt(b.sub(1.0, b.mul(m, b.mul(s, s))))


def _first_incomplete(b: Any, phi: Atom, m: Atom, z: Atom) -> Generator:
    turns, s, c, d = _incomplete(b, phi, m)
    part = b.mul(1.0 / 6.0, b.mul(b.mul(s, b.mul(s, s)), _rd(b, c, 1.0, d)))
    # without a half turn the complete integral does not count, infinite though it may be
    whole = b.mul(b.mul(2.0, turns), _first_slope(b, b.select(b.eq(turns, 0.0), 2.0, b.sub(1.0, m))))
    return scale(b.add(whole, part))


def _second_incomplete(b: Any, phi: Atom, m: Atom, z: Atom) -> Generator:
    turns, s, c, d = _incomplete(b, phi, m)
    part = b.mul(-1.0 / 6.0, b.mul(b.mul(s, b.mul(s, s)), _rd(b, c, d, 1.0)))
    whole = b.mul(b.mul(2.0, turns), _second_slope(b, b.select(b.eq(turns, 0.0), 2.0, b.sub(1.0, m))))
    return scale(b.add(whole, part))


special(
    "ellipkinc",
    lambda b, phi, m, z: scale(b.div(1.0, _root(b, phi, m))),
    _first_incomplete,
    at=((0.2, 1.4), (-1.0, 0.9)),
    symbol="elliptic_f(x, y)",
)
special(
    "ellipeinc",
    lambda b, phi, m, z: scale(_root(b, phi, m)),
    _second_incomplete,
    at=((0.2, 1.4), (-1.0, 0.9)),
    symbol="elliptic_e(x, y)",
)

# Hypergeometric functions, in their argument


def _hyp2f1(b: Any, p: Atom, q: Atom, r: Atom, x: Atom, z: Atom) -> Generator:
    # p q/r times the function of p + 1, q + 1, r + 1; near 1, where SciPy's is infinite, by Euler's transformation
    near = b.land(b.gt(x, 0.9), b.lt(x, 1.0))
    above = b.hyp2f1(
        b.select(near, b.sub(r, p), b.add(p, 1.0)), b.select(near, b.sub(r, q), b.add(q, 1.0)), b.add(r, 1.0), x
    )
    power = b.pow(b.select(near, b.sub(1.0, x), 1.0), b.sub(b.sub(b.sub(r, p), q), 1.0))
    return scale(b.mul(b.div(b.mul(p, q), r), b.mul(above, power)))


special(
    "hyp2f1",
    MISSING,
    MISSING,
    MISSING,
    _hyp2f1,
    at=((0.5, 2.0), (0.5, 2.0), (1.0, 3.0), (-0.6, 0.6)),
    symbol="hyper([x, y], [z], w)",
)
special(
    "hyp1f1",
    MISSING,
    MISSING,
    lambda b, p, q, x, z: scale(b.mul(b.div(p, q), b.hyp1f1(b.add(p, 1.0), b.add(q, 1.0), x))),
    at=((0.5, 2.0), (0.5, 2.0), (-2.0, 2.0)),
    symbol="hyper([x], [y], z)",
)
special(
    "hyp0f1",
    MISSING,
    lambda b, p, x, z: scale(b.div(b.hyp0f1(b.add(p, 1.0), x), p)),
    at=((0.5, 2.0), (-2.0, 2.0)),
    symbol="hyper([], [x], y)",
)
special(
    "hyperu",
    MISSING,
    MISSING,
    lambda b, p, q, x, z: scale(b.neg(b.mul(p, b.hyperu(b.add(p, 1.0), b.add(q, 1.0), x)))),
    at=((0.5, 2.0), (0.5, 2.0), (0.5, 3.0)),
)

# Lambert's function and the omega function


def _lambert(b: Any, x: Atom, w: Atom) -> Generator:
    # w exp(w) = x
    return scale(b.div(b.exp(b.neg(w)), b.add(w, 1.0)))


routine(series.lambertw0, _lambert, at=((-0.3, 3.0),), symbol="LambertW(x)", kinks=(edge("x = -1/e"),))
routine(series.lambertw1, _lambert, at=((-0.35, -0.02),), symbol="LambertW(x, -1)", kinks=(edge("x = -1/e"),))
special("wrightomega", lambda b, x, z: scale(b.div(z, b.add(z, 1.0))), at=REAL, symbol="LambertW(exp(x))")

routine(
    series_mittag_leffler.mittag_leffler,
    partial("mittag_leffler", 0),
    partial("mittag_leffler", 1),
    partial("mittag_leffler", 2),
    at=((0.4, 1.6), (0.5, 2.0), (-4.0, 2.0)),
    kinks=(edge("z = -1, where one formula takes over from another"),),
)

# Orthogonal polynomials of integer degree, in their argument


def _below(b: Any, n: Atom) -> Atom:
    """The degree below, not less than 0: its polynomial is multiplied by n."""
    return b.maximum(b.sub(b.trunc(n), 1.0), 0.0)


_DEGREE = (2.2, 2.8)
special(
    "eval_jacobi",
    None,
    MISSING,
    MISSING,
    lambda b, n, p, q, x, z: scale(
        b.select(
            b.lt(n, 1.0),
            0.0,
            b.mul(
                b.mul(0.5, b.add(b.add(b.trunc(n), b.add(p, q)), 1.0)),
                b.eval_jacobi(_below(b, n), b.add(p, 1.0), b.add(q, 1.0), x),
            ),
        )
    ),
    integers=1,
    at=(_DEGREE, (0.2, 1.0), (0.2, 1.0), (-0.9, 0.9)),
    symbol="jacobi(floor(x), y, z, w)",
)
special(
    "eval_gegenbauer",
    None,
    MISSING,
    lambda b, n, p, x, z: scale(
        b.select(b.lt(n, 1.0), 0.0, b.mul(b.mul(2.0, p), b.eval_gegenbauer(_below(b, n), b.add(p, 1.0), x)))
    ),
    integers=1,
    at=(_DEGREE, (0.2, 1.0), (-0.9, 0.9)),
    symbol="gegenbauer(floor(x), y, z)",
)
special(
    "eval_genlaguerre",
    None,
    MISSING,
    lambda b, n, p, x, z: scale(b.select(b.lt(n, 1.0), 0.0, b.neg(b.eval_genlaguerre(_below(b, n), b.add(p, 1.0), x)))),
    integers=1,
    at=(_DEGREE, (0.2, 1.0), (0.1, 2.0)),
    symbol="assoc_laguerre(floor(x), y, z)",
)
for _name, _symbol, _rule in (
    ("eval_laguerre", "laguerre(floor(x), y)", lambda b, n, x: b.neg(b.eval_genlaguerre(_below(b, n), 1.0, x))),
    (
        "eval_legendre",
        "legendre(floor(x), y)",
        lambda b, n, x: b.mul(b.mul(0.5, b.add(b.trunc(n), 1.0)), b.eval_jacobi(_below(b, n), 1.0, 1.0, x)),
    ),
    ("eval_chebyt", "chebyshevt(floor(x), y)", lambda b, n, x: b.mul(b.trunc(n), b.eval_chebyu(_below(b, n), x))),
    ("eval_chebyu", "chebyshevu(floor(x), y)", lambda b, n, x: b.mul(2.0, b.eval_gegenbauer(_below(b, n), 2.0, x))),
    (
        "eval_hermite",
        "hermite(floor(x), y)",
        lambda b, n, x: b.mul(b.mul(2.0, b.trunc(n)), b.eval_hermite(_below(b, n), x)),
    ),
    (
        "eval_hermitenorm",
        "hermite_prob(floor(x), y)",
        lambda b, n, x: b.mul(b.trunc(n), b.eval_hermitenorm(_below(b, n), x)),
    ),
):
    special(
        _name,
        None,
        lambda b, n, x, z, slope=_rule: scale(b.select(b.lt(n, 1.0), 0.0, slope(b, n, x))),
        integers=1,
        at=(_DEGREE, (-0.9, 0.9)),
        symbol=_symbol,
    )

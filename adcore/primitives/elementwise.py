"""Elementwise rows: scalar functions applied element by element to operands of one shape.

The rules are written for x, y (operands) and z (the result).  At a kink the side taken is the mean of the two
one-sided derivatives, everywhere: abs'(0) = 0, ties of maximum and minimum share equally.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..linear import Generator, cast, compose, conjugate, identity, mask, negate, scale
from ..types import Atom, DType, Lit, Type
from .base import Kind, Primitive, Rule, Sampler, operand_types, require, row
from .kinks import Effect, Kink, constant, pointwise_kinks

__all__ = ["gaussian", "is_short_power", "lost_in_square", "pow_of_base", "pow_of_exponent"]

ANY = tuple(DType)
INTEGER = tuple(d for d in ANY if d.integer)
FLOAT = (DType.F64, DType.F32)
COMPLEX = (DType.C128, DType.C64)
REAL = INTEGER + FLOAT
INEXACT = FLOAT + COMPLEX
NUMBER = INTEGER + INEXACT


def same_shape(name: str, types: tuple[Type, ...]) -> None:
    require(all(t.shape == types[0].shape for t in types), "{}: operands of different shapes {}", name, types)


def arithmetic(name: str, arity: int, domain: tuple[DType, ...]):
    def typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
        types = operand_types(operands)
        require(len(types) == arity, "{} takes {} operands", name, arity)
        require(all(t.dtype is types[0].dtype for t in types), "{}: operands of different dtypes {}", name, types)
        require(types[0].dtype in domain, "{} is not defined on {}", name, types[0].dtype)
        same_shape(name, types)
        return (types[0],)

    return typing


def pointwise(rule: Callable[..., Generator]) -> Rule:
    """A rule in terms of the builder, the operands and the result: `lambda b, x, z: scale(b.cos(x))`."""
    return lambda b, e: rule(b, *e.operands, e.outs[0])


def elementwise(
    name: str,
    meaning: Callable[..., Any],
    *rules: Callable[..., Generator] | None,
    domain: tuple[DType, ...] = FLOAT,
    at: tuple[tuple[float, float], ...] = ((-2.0, 2.0),),
    kinks: tuple[Kink, ...] = (),
    symbol: str = "",
    arity: int | None = None,
) -> Primitive:
    """A row for a function of as many operands as it has rules."""
    arity = arity or len(rules)
    maps = tuple(None if r is None else pointwise(r) for r in rules) or (None,)
    return row(
        name,
        Kind.ELEMENTWISE,
        arithmetic(name, arity, domain),
        meaning,
        maps=maps,
        kinks=pointwise_kinks(*kinks),
        sampler=Sampler(at * (arity if len(at) == 1 else 1)),
        symbol=symbol,
    )


# For the margins and pieces of kinks


def _from_whole(b: Any, x: Atom) -> Atom:
    """How far a number is above the nearest integer."""
    return b.sub(x, b.rint(x))


def _whole(b: Any, x: Atom, y: Atom) -> Atom:
    return b.rint(b.div(x, y))


def _truncated(b: Any, x: Atom, side: float) -> Atom:
    """What truncation gives beside an integer: below it (side 0) or above (side 1)."""
    whole, number = b.rint(x), x.type.dtype.constant
    shift = b.select(b.gt(whole, 0.0), number(side - 1.0), b.select(b.lt(whole, 0.0), number(side), number(0.0)))
    return b.add(whole, shift)


def _margin_of_power(b: Any, x: Atom, y: Atom, z: Atom) -> Atom | None:
    if isinstance(y, Lit) and is_short_power(abs(y.value)) and y.value % 1.0 == 0.0 and y.value > 0.0:
        return None
    size = b.abs(x)
    if y.type.dtype.complex:
        return size
    return b.select(b.land(b.ge(y, 0.0), b.eq(y, b.rint(y))), math.inf, size)


# Arithmetic

elementwise("neg", np.negative, lambda b, x, z: negate(), domain=NUMBER, symbol="-x")
elementwise("add", np.add, lambda b, x, y, z: identity(), lambda b, x, y, z: identity(), domain=NUMBER, symbol="x + y")
# The sum of (co)tangents: x + y, where the order in which a longer sum is taken is left to the backend.
elementwise(
    "plus", np.add, lambda b, x, y, z: identity(), lambda b, x, y, z: identity(), domain=INEXACT, symbol="x + y"
)
elementwise(
    "sub", np.subtract, lambda b, x, y, z: identity(), lambda b, x, y, z: negate(), domain=NUMBER, symbol="x - y"
)
elementwise("mul", np.multiply, lambda b, x, y, z: scale(y), lambda b, x, y, z: scale(x), domain=NUMBER, symbol="x*y")
elementwise(
    "div",
    np.divide,
    lambda b, x, y, z: scale(b.div(1.0, y)),
    lambda b, x, y, z: scale(b.neg(b.div(z, y))),
    domain=INEXACT,
    at=((-2.0, 2.0), (0.5, 2.0)),
    symbol="x/y",
)


LARGEST_SHORT_POWER = 16.0


def is_short_power(exponent: float) -> bool:
    """Whether a power to this number is a few products, and a square root for half of an odd number.

    Each product rounds once: x**n has an error of at most n/2 units in the last place instead of one.
    """
    size = abs(exponent)
    return size in (0.5, 1.5, 2.5) or (0.0 < size <= LARGEST_SHORT_POWER and size % 1.0 == 0.0)


def _is_negative(b: Any, exponent: Atom) -> bool:
    """Whether an exponent is known to be below 0."""
    made = b.defining(exponent)
    if made is not None and made.primitive.name == "expand":
        exponent = made.operands[0]
    return isinstance(exponent, Lit) and not exponent.dtype.complex and exponent.value < 0.0


def pow_of_base(b: Any, x: Atom, y: Atom, z: Atom) -> Generator:
    # d/dx x**y = y x**(y - 1); x**0 is the constant 1, also at x = 0 where the formula would be 0 * inf
    if _is_negative(b, y):  # y x**y / x, which at 0 and infinity is its limit
        return scale(b.div(b.mul(y, z), x))
    constant = b.land(b.eq(x, 0.0), b.eq(y, 0.0))
    slope = b.mul(y, b.pow(x, b.select(constant, 1.0, b.sub(y, 1.0))))
    if x.type.dtype.complex:
        return scale(slope)
    # y - 1 is exact for y >= 1/2 only: for smaller exponents y x**y / x
    below = b.land(b.lt(y, 0.5), b.land(b.ne(x, 0.0), b.isfinite(x)))
    return scale(b.select(below, b.div(b.mul(y, z), b.select(below, x, 1.0)), slope))


def pow_of_exponent(b: Any, x: Atom, y: Atom, z: Atom) -> Generator:
    # d/dy x**y = x**y log x, with the limit 0 at x = 0 (for y > 0)
    return scale(b.select(b.eq(x, 0.0), 0.0, b.mul(z, b.log(x))))


elementwise(
    "pow",
    np.power,
    pow_of_base,
    pow_of_exponent,
    domain=INEXACT,
    at=((0.3, 2.0), (-2.0, 2.0)),
    kinks=(Kink("x = 0, y no whole number", Effect.EDGE, _margin_of_power),),
    symbol="x**y",
)
elementwise("integer_pow", np.power, domain=INTEGER, arity=2)
elementwise(
    "floordiv",
    np.floor_divide,
    None,
    None,
    domain=REAL,
    kinks=(
        Kink(
            "x/y an integer",
            Effect.JUMP,
            lambda b, x, y, z: _from_whole(b, b.div(x, y)),
            lambda b, x, y, z: b.sub(_whole(b, x, y), 1.0),
            lambda b, x, y, z: _whole(b, x, y),
        ),
    ),
    at=((0.1, 0.9), (1.0, 2.0)),
)
elementwise(
    "mod",
    np.mod,
    lambda b, x, y, z: identity(),
    lambda b, x, y, z: scale(b.neg(b.floordiv(x, y))),
    domain=REAL,
    kinks=(
        Kink(
            "x/y an integer",
            Effect.JUMP,
            lambda b, x, y, z: _from_whole(b, b.div(x, y)),
            lambda b, x, y, z: b.sub(x, b.mul(b.sub(_whole(b, x, y), 1.0), y)),
            lambda b, x, y, z: b.sub(x, b.mul(_whole(b, x, y), y)),
        ),
    ),
    at=((3.2, 3.8), (1.2, 1.4)),
)

# C's remainder: the quotient is rounded to zero, and is a whole number again when it is computed from the remainder
elementwise(
    "fmod",
    np.fmod,
    lambda b, x, y, z: identity(),
    lambda b, x, y, z: scale(b.neg(b.rint(b.div(b.sub(x, z), y)))),
    kinks=(
        Kink(
            "x/y an integer other than 0",
            Effect.JUMP,
            lambda b, x, y, z: _from_whole(b, b.div(x, y)),
            lambda b, x, y, z: b.sub(x, b.mul(_truncated(b, b.div(x, y), 0.0), y)),
            lambda b, x, y, z: b.sub(x, b.mul(_truncated(b, b.div(x, y), 1.0), y)),
        ),
    ),
    at=((3.2, 3.8), (1.2, 1.4)),
)


def _taken(of: int) -> Callable[..., Generator]:
    # the tangent of the operand that is taken; half of each at a tie
    # what both need of x and y is one byte: which is the larger, or neither
    def rule(b: Any, x: Atom, y: Atom, z: Atom) -> Generator:
        part = b.portion(b.side(x, y), of=of, dtype=z.type.dtype)
        return compose(mask(b.gt(part, 0.0)), scale(part))

    return rule


elementwise(
    "maximum",
    np.maximum,
    _taken(of=1),
    _taken(of=-1),
    domain=REAL,
    kinks=(
        Kink(
            "x = y",
            margin=lambda b, x, y, z: b.sub(x, y),
            below=lambda b, x, y, z: y,
            above=lambda b, x, y, z: x,
        ),
    ),
    symbol="Max(x, y)",
)
elementwise(
    "minimum",
    np.minimum,
    _taken(of=-1),
    _taken(of=1),
    domain=REAL,
    kinks=(
        Kink(
            "x = y",
            margin=lambda b, x, y, z: b.sub(x, y),
            below=lambda b, x, y, z: x,
            above=lambda b, x, y, z: y,
        ),
    ),
    symbol="Min(x, y)",
)


def _over_square(b: Any, z: Atom, x: Atom, y: Atom) -> Atom:
    # z / (x^2 + y^2), which neither overflows nor underflows before its value does
    radius = b.hypot(x, y)
    return b.div(b.div(z, radius), radius)


elementwise(
    "arctan2",
    np.arctan2,
    lambda b, x, y, z: scale(_over_square(b, y, x, y)),
    lambda b, x, y, z: scale(b.neg(_over_square(b, x, x, y))),
    kinks=(
        Kink(
            "x = 0, y < 0",
            Effect.JUMP,
            lambda b, x, y, z: b.select(b.lt(y, 0.0), x, math.inf),
            lambda b, x, y, z: b.sub(b.arctan(b.div(x, y)), math.pi),
            lambda b, x, y, z: b.add(b.arctan(b.div(x, y)), math.pi),
        ),
        Kink("x = y = 0", Effect.EDGE, lambda b, x, y, z: b.hypot(x, y)),
    ),
    at=((-2.0, 2.0), (0.5, 2.0)),
    symbol="atan(x/y)",
)


def _part_of(b: Any, x: Atom, z: Atom) -> Generator:
    # at the origin the mean of both sides
    origin = b.eq(z, 0.0)
    return scale(b.select(origin, 0.0, b.div(x, b.select(origin, 1.0, z))))


elementwise(
    "hypot",
    np.hypot,
    lambda b, x, y, z: _part_of(b, x, z),
    lambda b, x, y, z: _part_of(b, y, z),
    kinks=(Kink("x = y = 0", Effect.CONE, lambda b, x, y, z: z),),
    at=((0.5, 2.0),),
    symbol="sqrt(x**2 + y**2)",
)
elementwise(
    "copysign",
    np.copysign,
    lambda b, x, y, z: scale(b.mul(b.sign(x), b.copysign(1.0, y))),
    None,
    kinks=(
        Kink(
            "x = 0",
            margin=lambda b, x, y, z: x,
            below=lambda b, x, y, z: b.mul(b.copysign(1.0, y), b.neg(x)),
            above=lambda b, x, y, z: b.mul(b.copysign(1.0, y), x),
        ),
        Kink(
            "y = 0",
            Effect.JUMP,
            margin=lambda b, x, y, z: y,
            below=lambda b, x, y, z: b.neg(b.abs(x)),
            above=lambda b, x, y, z: b.abs(x),
        ),
    ),
)

# Exponentials and logarithms

elementwise("exp", np.exp, lambda b, x, z: scale(z), domain=INEXACT, symbol="exp(x)")
elementwise("expm1", np.expm1, lambda b, x, z: scale(b.exp(x)), domain=INEXACT, symbol="exp(x) - 1")
elementwise("exp2", np.exp2, lambda b, x, z: scale(b.mul(z, math.log(2.0))), domain=INEXACT, symbol="2**x")
elementwise("log", np.log, lambda b, x, z: scale(b.div(1.0, x)), domain=INEXACT, at=((0.3, 3.0),), symbol="log(x)")
elementwise(
    "log1p",
    np.log1p,
    lambda b, x, z: scale(b.div(1.0, b.add(x, 1.0))),
    domain=INEXACT,
    at=((-0.6, 2.0),),
    symbol="log(1 + x)",
)
elementwise(
    "log2",
    np.log2,
    lambda b, x, z: scale(b.div(1.0 / math.log(2.0), x)),
    domain=INEXACT,
    at=((0.3, 3.0),),
    symbol="log(x)/log(2)",
)
elementwise(
    "log10",
    np.log10,
    lambda b, x, z: scale(b.div(1.0 / math.log(10.0), x)),
    domain=INEXACT,
    at=((0.3, 3.0),),
    symbol="log(x)/log(10)",
)
elementwise(
    "sqrt",
    np.sqrt,
    lambda b, x, z: scale(b.div(0.5, z)),
    domain=INEXACT,
    at=((0.3, 3.0),),
    kinks=(Kink("x = 0", Effect.EDGE, lambda b, x, z: b.abs(x)),),
    symbol="sqrt(x)",
)
elementwise(
    "cbrt",
    np.cbrt,
    lambda b, x, z: scale(b.div(1.0 / 3.0, b.mul(z, z))),
    at=((0.3, 3.0),),
    kinks=(Kink("x = 0", Effect.EDGE, lambda b, x, z: x),),
    symbol="x**Rational(1, 3)",
)


def _expit_meaning(x: Any) -> Any:
    # 1 / (1 + exp(-x)), which for x < 0 would overflow before its value underflows
    negative = np.real(x) < 0.0
    decayed = np.exp(np.where(negative, x, -x))
    return (np.where(negative, decayed, 1.0) / (1.0 + decayed)).astype(np.asarray(x).dtype)[()]


elementwise(
    "expit",
    _expit_meaning,
    lambda b, x, z: scale(b.mul(z, b.expit(b.neg(x)))),
    at=((-3.0, 3.0),),
    symbol="1/(1 + exp(-x))",
)


def _finite(b: Any, x: Atom) -> Atom:
    # of two equal infinities the distance is 0
    end = 0.5 * float(np.finfo(x.type.dtype.numpy).max)
    return b.maximum(b.minimum(x, end), -end)


elementwise(
    "logaddexp",
    np.logaddexp,
    lambda b, x, y, z: scale(b.expit(b.sub(_finite(b, x), _finite(b, y)))),
    lambda b, x, y, z: scale(b.expit(b.sub(_finite(b, y), _finite(b, x)))),
    symbol="log(exp(x) + exp(y))",
)

# Trigonometric and hyperbolic

elementwise("sin", np.sin, lambda b, x, z: scale(b.cos(x)), domain=INEXACT, symbol="sin(x)")
elementwise("cos", np.cos, lambda b, x, z: scale(b.neg(b.sin(x))), domain=INEXACT, symbol="cos(x)")
elementwise(
    "tan",
    np.tan,
    lambda b, x, z: scale(b.add(b.mul(z, z), 1.0)),
    domain=INEXACT,
    at=((-1.2, 1.2),),
    symbol="tan(x)",
)


def _one_minus_square(b: Any, x: Atom) -> Atom:
    # 1 - x**2; near 1 by factors, which do not cancel, and near 0 as it stands, since there their derivatives do
    factored = b.mul(b.sub(1.0, x), b.add(x, 1.0))
    if x.type.dtype.complex:
        return factored
    return b.select(b.lt(b.abs(x), 0.5), b.sub(1.0, b.mul(x, x)), factored)


elementwise(
    "arcsin",
    np.arcsin,
    lambda b, x, z: scale(b.div(1.0, b.sqrt(_one_minus_square(b, x)))),
    domain=INEXACT,
    at=((-0.8, 0.8),),
    kinks=(Kink("x = -1, x = 1", Effect.EDGE, lambda b, x, z: b.sub(1.0, b.abs(x))),),
    symbol="asin(x)",
)
elementwise(
    "arccos",
    np.arccos,
    lambda b, x, z: scale(b.div(-1.0, b.sqrt(_one_minus_square(b, x)))),
    domain=INEXACT,
    at=((-0.8, 0.8),),
    kinks=(Kink("x = -1, x = 1", Effect.EDGE, lambda b, x, z: b.sub(1.0, b.abs(x))),),
    symbol="acos(x)",
)


def _arctan(b: Any, x: Atom, z: Atom) -> Generator:
    # 1 / (1 + x**2); where the 1 is nothing, (1/x)**2, which does not overflow
    denominator = b.add(b.mul(x, x), 1.0)
    if x.type.dtype.complex:
        return scale(b.div(1.0, denominator))
    far = b.gt(b.abs(x), _ONE_IS_NOTHING)
    inverse = b.div(1.0, b.select(far, x, denominator))
    return scale(b.select(far, b.mul(inverse, inverse), inverse))


_ONE_IS_NOTHING = 2.0**30  # beside its square
elementwise("arctan", np.arctan, _arctan, domain=INEXACT, symbol="atan(x)")
elementwise("sinh", np.sinh, lambda b, x, z: scale(b.cosh(x)), domain=INEXACT, symbol="sinh(x)")
elementwise("cosh", np.cosh, lambda b, x, z: scale(b.sinh(x)), domain=INEXACT, symbol="cosh(x)")


def _tanh(b: Any, x: Atom, z: Atom) -> Generator:
    # 1 - z**2, whose terms cancel away from 0: there 1/cosh(x)**2 = 4 e / (1 + e)**2, e = exp(-2 |x|)
    if x.type.dtype.complex:
        return scale(_one_minus_square(b, z))
    size = b.abs(x)
    decayed = b.exp(b.mul(-2.0, size))
    root = b.add(decayed, 1.0)
    away = b.div(b.mul(4.0, decayed), b.mul(root, root))
    return scale(b.select(b.lt(size, 0.5), b.sub(1.0, b.mul(z, z)), away))


elementwise("tanh", np.tanh, _tanh, domain=INEXACT, symbol="tanh(x)")


def _root_of_one_plus_square(b: Any, x: Atom) -> Atom:
    return b.sqrt(b.add(b.mul(x, x), 1.0)) if x.type.dtype.complex else b.hypot(x, 1.0)


elementwise(
    "arcsinh",
    np.arcsinh,
    lambda b, x, z: scale(b.div(1.0, _root_of_one_plus_square(b, x))),
    domain=INEXACT,
    symbol="asinh(x)",
)
elementwise(
    "arccosh",
    np.arccosh,
    lambda b, x, z: scale(b.div(1.0, b.mul(b.sqrt(b.sub(x, 1.0)), b.sqrt(b.add(x, 1.0))))),
    domain=INEXACT,
    at=((1.2, 3.0),),
    kinks=(Kink("x = 1", Effect.EDGE, lambda b, x, z: b.abs(b.sub(x, 1.0))),),
    symbol="acosh(x)",
)
elementwise(
    "arctanh",
    np.arctanh,
    lambda b, x, z: scale(b.div(1.0, _one_minus_square(b, x))),
    domain=INEXACT,
    at=((-0.8, 0.8),),
    symbol="atanh(x)",
)


def _vectorized(f: Callable[[float], float]) -> Callable[..., Any]:
    applied = np.vectorize(f, otypes=[np.float64])
    return lambda x: applied(x).astype(np.float32 if np.asarray(x).dtype == np.float32 else np.float64)[()]


def gaussian(b: Any, x: Atom, rate: float, factor: float) -> Atom:
    """factor exp(rate x**2), where what is lost in rounding x**2, hundreds of ulps of the result, is made good."""
    square = b.mul(x, x)
    lost = b.mul(rate, lost_in_square(b, b.select(b.lt(b.abs(x), _GAUSSIAN_IS_NOTHING), x, 0.0)))
    return b.mul(b.mul(factor, b.exp(b.mul(rate, square))), b.add(lost, 1.0))


def lost_in_square(b: Any, x: Atom) -> Atom:
    """x**2 less its rounded value, exactly: of x split into halves whose products are exact (Dekker 1971)."""
    halves = 1 + (np.finfo(x.type.dtype.numpy).nmant + 2) // 2
    stretched = b.mul(x, 2.0 ** (halves - 1) + 1.0)
    high = b.sub(stretched, b.sub(stretched, x))
    low = b.sub(x, high)
    return b.add(b.add(b.sub(b.mul(high, high), b.mul(x, x)), b.mul(2.0, b.mul(high, low))), b.mul(low, low))


_GAUSSIAN_IS_NOTHING = 64.0  # or infinite, from here on
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
elementwise(
    "erf", _vectorized(math.erf), lambda b, x, z: scale(gaussian(b, x, -1.0, _TWO_OVER_SQRT_PI)), symbol="erf(x)"
)
elementwise(
    "erfc", _vectorized(math.erfc), lambda b, x, z: scale(gaussian(b, x, -1.0, -_TWO_OVER_SQRT_PI)), symbol="erfc(x)"
)

# Piecewise constant or linear


def _abs_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    (type,) = arithmetic("abs", 1, NUMBER)(operands, params)
    return (type.with_dtype(type.dtype.real),)


def _abs_map(b: Any, x: Atom, z: Atom) -> Generator:
    if not x.type.dtype.complex:
        return scale(b.sign(x))
    # |x + t| = |x| + Re(conj(x) t) / |x|
    unit = b.select(b.eq(z, 0.0), 0.0, b.div(b.conj(x), b.cast(z, dtype=x.type.dtype)))
    return compose(cast(x.type.dtype, z.type.dtype), scale(unit))


row(
    "abs",
    Kind.ELEMENTWISE,
    _abs_typing,
    np.abs,
    maps=(pointwise(_abs_map),),
    kinks=pointwise_kinks(
        Kink(
            "x = 0",
            margin=lambda b, x, z: z if x.type.dtype.complex else x,
            below=lambda b, x, z: b.neg(x),
            above=lambda b, x, z: x,
        )
    ),
    sampler=Sampler(((-2.0, 2.0),)),
    symbol="Abs(x)",
)


def _step(
    name: str,
    meaning: Callable[..., Any],
    where: str,
    margin: Callable[..., Atom],
    below: Callable[..., Any],
    above: Callable[..., Any],
    **rest: Any,
) -> None:
    """A row that is constant between its kinks."""
    jump = Kink(
        where, Effect.JUMP, lambda b, x, z: margin(b, x), lambda b, x, z: below(b, x), lambda b, x, z: above(b, x)
    )
    elementwise(name, meaning, None, arity=1, kinks=(jump,), **rest)


_step(
    "sign",
    np.sign,
    "x = 0",
    lambda b, x: x,
    lambda b, x: constant(b, -1.0, x),
    lambda b, x: constant(b, 1.0, x),
    domain=REAL,
)
_step(
    "floor",
    np.floor,
    "x an integer",
    lambda b, x: _from_whole(b, x),
    lambda b, x: b.sub(b.rint(x), 1.0),
    lambda b, x: b.rint(x),
    at=((0.1, 0.9),),
)
_step(
    "ceil",
    np.ceil,
    "x an integer",
    lambda b, x: _from_whole(b, x),
    lambda b, x: b.rint(x),
    lambda b, x: b.add(b.rint(x), 1.0),
    at=((0.1, 0.9),),
)
_step(
    "trunc",
    np.trunc,
    "x an integer other than 0",
    lambda b, x: _from_whole(b, x),
    lambda b, x: _truncated(b, x, 0.0),
    lambda b, x: _truncated(b, x, 1.0),
    at=((0.1, 0.9),),
)
_step(
    "rint",
    np.rint,
    "x half an odd integer",
    lambda b, x: b.sub(b.sub(x, b.floor(x)), 0.5),
    lambda b, x: b.floor(x),
    lambda b, x: b.add(b.floor(x), 1.0),
    at=((0.6, 0.9),),
)

# The next number in the direction of y, which is x but for rounding.
elementwise("nextafter", np.nextafter, lambda b, x, y, z: identity(), None)

# Comparisons, logic, selection, casts


def _comparison(name: str, meaning: Callable[..., Any]) -> None:
    same = arithmetic(name, 2, ANY if name in ("eq", "ne") else tuple(d for d in ANY if not d.complex))

    def typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
        return (same(operands, params)[0].with_dtype(DType.BOOL),)

    kink = Kink(
        "x = y",
        Effect.JUMP,
        lambda b, x, y, z: b.sub(x, y),
        lambda b, x, y, z: constant(b, name in ("lt", "le", "ne"), z),
        lambda b, x, y, z: constant(b, name in ("gt", "ge", "ne"), z),
    )
    row(name, Kind.ELEMENTWISE, typing, meaning, kinks=pointwise_kinks(kink))


for _name, _meaning in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    _comparison(_name, _meaning)


def _wrapping(name: str, exact: Callable[..., Any]) -> None:
    same = arithmetic(name, 2, (DType.I64,))

    def typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
        return (same(operands, params)[0].with_dtype(DType.BOOL),)

    def meaning(x: Any, y: Any) -> Any:
        result = exact(*(np.asarray(v).astype(object) for v in (x, y)))
        return np.asarray((result < -(2**63)) | (result >= 2**63), bool)[()]

    row(name, Kind.ELEMENTWISE, typing, meaning)


# Whether the sum, difference or product of two integers is beyond 64 bits.
for _name, _exact in {"add_wraps": operator.add, "sub_wraps": operator.sub, "mul_wraps": operator.mul}.items():
    _wrapping(_name, _exact)

_BITS = (DType.BOOL, *INTEGER)
elementwise("and", np.bitwise_and, domain=_BITS, arity=2)
elementwise("or", np.bitwise_or, domain=_BITS, arity=2)
elementwise("xor", np.bitwise_xor, domain=_BITS, arity=2)
elementwise("not", np.invert, domain=_BITS, arity=1)
elementwise("shift_left", np.left_shift, domain=INTEGER, arity=2)
elementwise("shift_right", np.right_shift, domain=INTEGER, arity=2)


_ordered = arithmetic("side", 2, FLOAT)


def _side_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    return (_ordered(operands, params)[0].with_dtype(DType.I8),)


def _side_meaning(x: Any, y: Any) -> Any:
    return np.select([x > y, x < y, x == y], [1, -1, 0], 2).astype(np.int8)[()]


# Which operand is the larger: 1 the first, -1 the second, 0 neither, 2 where they have no order.
row("side", Kind.ELEMENTWISE, _side_typing, _side_meaning)


def _portion_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(len(operands) == 1 and operands[0].type.dtype is DType.I8, "portion takes a side")
    require(params["of"] in (1, -1), "portion of {}", params["of"])
    return (operands[0].type.with_dtype(params["dtype"]),)


# The share of one side: 1 where it is this one, half where it is neither, else 0.
row(
    "portion",
    Kind.ELEMENTWISE,
    _portion_typing,
    lambda side, of, dtype: np.where(side == of, 1.0, np.where(side == 0, 0.5, 0.0)).astype(dtype.numpy)[()],
)


def _predicate(name: str, meaning: Callable[..., Any]) -> None:
    same = arithmetic(name, 1, INEXACT)

    def typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
        return (same(operands, params)[0].with_dtype(DType.BOOL),)

    row(name, Kind.ELEMENTWISE, typing, meaning)


_predicate("isnan", np.isnan)
_predicate("isfinite", np.isfinite)


def _select_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(len(operands) == 3, "select takes a condition and two values")
    condition, yes, no = operand_types(operands)
    require(condition.dtype is DType.BOOL, "select: the condition is {}", condition.dtype)
    require(yes.dtype is no.dtype, "select: values of different dtypes {}, {}", yes, no)
    same_shape("select", (condition, yes, no))
    return (yes,)


row(
    "select",
    Kind.ELEMENTWISE,
    _select_typing,
    np.where,
    maps=(None, lambda b, e: mask(e.operands[0]), lambda b, e: mask(b.lnot(e.operands[0]))),
)


def _cast_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(len(operands) == 1, "cast takes one operand")
    known = not operands[0].type.dtype.complex or params["dtype"].complex
    require(known, "cast of {} to {}: real or abs says which part", operands[0].type, params["dtype"])
    return (operands[0].type.with_dtype(params["dtype"]),)


def _cast_meaning(x: Any, dtype: DType) -> Any:
    return np.asarray(x).astype(dtype.numpy)[()]


def _cast_margin(b: Any, e: Any) -> Atom | None:
    x, dtype = e.operands[0], e.params["dtype"]
    if x.type.dtype not in FLOAT or dtype in INEXACT:
        return None
    return x if dtype is DType.BOOL else _from_whole(b, x)


def _cast_piece(b: Any, e: Any, side: float) -> Atom:
    x, dtype = e.operands[0], e.params["dtype"]
    return constant(b, True, e.outs[0]) if dtype is DType.BOOL else b.cast(_truncated(b, x, side), dtype=dtype)


row(
    "cast",
    Kind.ELEMENTWISE,
    _cast_typing,
    _cast_meaning,
    maps=(lambda b, e: cast(e.operands[0].type.dtype, e.params["dtype"]),),
    kinks=(
        Kink(
            "to integers: x an integer other than 0; to booleans: x = 0",
            Effect.JUMP,
            _cast_margin,
            lambda b, e: _cast_piece(b, e, 0.0),
            lambda b, e: _cast_piece(b, e, 1.0),
        ),
    ),
)

# Complex numbers.  Tangents pair with cotangents as Re(sum(w t)), as JAX has it, so that a complex-linear map's dual
# is its plain transpose: nothing is conjugated but by `conj` itself.


def _of_parts(name: str) -> Callable[..., tuple[Type, ...]]:
    same = arithmetic(name, 1, COMPLEX)

    def typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
        (type,) = same(operands, params)
        return (type.with_dtype(type.dtype.real),)

    return typing


def _complex_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    (type,) = arithmetic("complex", 2, FLOAT)(operands, params)
    return (type.with_dtype(type.dtype.as_complex),)


def _complex_meaning(x: Any, y: Any) -> Any:
    made = np.empty(np.shape(x), np.result_type(x, np.complex64))
    made.real, made.imag = x, y
    return made[()]


def _real_part(x: Atom) -> Generator:
    return cast(x.type.dtype, x.type.dtype.real)


row("real", Kind.ELEMENTWISE, _of_parts("real"), np.real, maps=(pointwise(lambda b, x, z: _real_part(x)),))
row(
    "imag",
    Kind.ELEMENTWISE,
    _of_parts("imag"),
    np.imag,
    maps=(pointwise(lambda b, x, z: compose(_real_part(x), scale(x.type.dtype.constant(-1j)))),),  # Im t = Re(-it)
)
elementwise("conj", np.conj, lambda b, x, z: conjugate(), domain=COMPLEX)
row(
    "complex",
    Kind.ELEMENTWISE,
    _complex_typing,
    _complex_meaning,
    maps=(
        pointwise(lambda b, x, y, z: cast(x.type.dtype, z.type.dtype)),
        pointwise(lambda b, x, y, z: compose(scale(z.type.dtype.constant(1j)), cast(x.type.dtype, z.type.dtype))),
    ),
)

"""Elementwise primitives on real numbers: one entry a primitive, for float and double alike."""

from __future__ import annotations

import math

from adcore.primitives.elementwise import is_short_power
from adcore.types import DType, Lit

from .code import LLVM_TYPE, Code, constant, known_float
from .vector_math import call_site

__all__ = ["FLOAT"]


def instruction(text: str):
    """An instruction on operands of one type."""
    return lambda c, d, *xs: c.op(f"{text} {LLVM_TYPE[d]} {', '.join(xs)}")


def intrinsic(name: str):
    return lambda c, d, *xs: c.intrinsic(name, LLVM_TYPE[d], *xs)


def libm(name: str):
    """A function of the C library: `exp` of doubles, `expf` of floats."""

    def emit(c: Code, d: DType, *xs: str) -> str:
        type, function = LLVM_TYPE[d], name if d is DType.F64 else f"{name}f"
        return c.call(type, function, *((type, x) for x in xs), attributes=call_site(c, function, len(xs), type))

    return emit


def select(c: Code, d: DType, condition: str, yes: str, no: str) -> str:
    type = LLVM_TYPE[d]
    return c.op(f"select i1 {condition}, {type} {yes}, {type} {no}")


def comparison(text: str):
    return lambda c, d, x, y: c.op(f"{text} {LLVM_TYPE[d]} {x}, {y}")


def _extremum(compare: str):
    # NumPy: x if x >= y or isnan(x) else y
    def emit(c: Code, d: DType, x: str, y: str) -> str:
        ordered, nan = comparison(f"fcmp {compare}")(c, d, x, y), _isnan(c, d, x)
        return select(c, d, c.op(f"or i1 {ordered}, {nan}"), x, y)

    return emit


def _isnan(c: Code, d: DType, x: str) -> str:
    return comparison("fcmp uno")(c, d, x, x)


def _sign(c: Code, d: DType, x: str) -> str:
    positive = comparison("fcmp ogt")(c, d, x, "0.0")
    negative = comparison("fcmp olt")(c, d, x, "0.0")
    signed = select(c, d, positive, "1.0", select(c, d, negative, "-1.0", "0.0"))
    return select(c, d, _isnan(c, d, x), x, signed)


def _remainder(c: Code, d: DType, x: str, y: str) -> tuple[str, str]:
    """C's remainder, and whether its sign is not the divisor's."""
    remainder = instruction("frem")(c, d, x, y)
    below = comparison("fcmp olt")
    differs = c.op(f"xor i1 {below(c, d, y, '0.0')}, {below(c, d, remainder, '0.0')}")
    return remainder, c.op(f"and i1 {differs}, {comparison('fcmp one')(c, d, remainder, '0.0')}")


def _mod(c: Code, d: DType, x: str, y: str) -> str:
    # the remainder with the sign of the divisor; a zero remainder has it too
    remainder, wrong = _remainder(c, d, x, y)
    moved = select(c, d, wrong, instruction("fadd")(c, d, remainder, y), remainder)
    is_zero = comparison("fcmp oeq")(c, d, remainder, "0.0")
    return select(c, d, is_zero, intrinsic("copysign")(c, d, "0.0", y), moved)


def _floordiv(c: Code, d: DType, x: str, y: str) -> str:
    # (x - remainder) / y, one less where the signs differ, rounded to the integer it is; x / y where y is 0
    add, sub, div = (instruction(name) for name in ("fadd", "fsub", "fdiv"))
    is_zero = comparison("fcmp oeq")
    quotient = div(c, d, x, y)
    remainder, wrong = _remainder(c, d, x, y)
    exact = div(c, d, sub(c, d, x, remainder), y)
    exact = select(c, d, wrong, sub(c, d, exact, "1.0"), exact)
    floor = intrinsic("floor")(c, d, exact)
    above = comparison("fcmp ogt")(c, d, sub(c, d, exact, floor), "5.0e-01")
    rounded = select(c, d, above, add(c, d, floor, "1.0"), floor)
    signed = select(c, d, is_zero(c, d, exact, "0.0"), intrinsic("copysign")(c, d, "0.0", quotient), rounded)
    return select(c, d, is_zero(c, d, y, "0.0"), quotient, signed)


def _side(c: Code, d: DType, x: str, y: str) -> str:
    equal = select(c, DType.I8, comparison("fcmp oeq")(c, d, x, y), "0", "2")
    less = select(c, DType.I8, comparison("fcmp olt")(c, d, x, y), "-1", equal)
    return select(c, DType.I8, comparison("fcmp ogt")(c, d, x, y), "1", less)


def _pow(c: Code, d: DType, x: str, y: str) -> str:
    """A power; to a known whole number or half of one by products and a square root, where those are few."""
    exponent = known_float(y)
    if exponent is None or not is_short_power(exponent):
        return libm("pow")(c, d, x, y)
    add, mul, size = instruction("fadd"), instruction("fmul"), abs(exponent)

    def whole(n: int) -> str:
        if n == 1:
            return x
        half = whole(n - n % 2) if n % 2 else whole(n // 2)
        return mul(c, d, half, x if n % 2 else half)

    if size % 1.0:
        # as C has it: +0 of -0, infinity of -infinity
        infinite = comparison("fcmp oeq")(c, d, x, constant(d.constant(-math.inf)))
        x = add(c, d, select(c, d, infinite, constant(d.constant(math.inf)), x), "0.0")
        power = intrinsic("sqrt")(c, d, x)
        power = mul(c, d, whole(int(size)), power) if size > 1.0 else power
    else:
        power = whole(int(size))
    return power if exponent > 0.0 else instruction("fdiv")(c, d, "1.0", power)


def _logistic(c: Code, d: DType, x: str) -> str:
    # 1 / (1 + exp(-x)), for x < 0 exp(x) / (1 + exp(x)), which underflows no sooner than it has to
    decayed = libm("exp")(c, d, instruction("fneg")(c, d, intrinsic("fabs")(c, d, x)))
    top = select(c, d, comparison("fcmp olt")(c, d, x, "0.0"), decayed, "1.0")
    return instruction("fdiv")(c, d, top, instruction("fadd")(c, d, decayed, "1.0"))


def _tanh(c: Code, d: DType, x: str) -> str:
    # (1 - e) / (1 + e), e = exp(-2 |x|), which its derivative has too; near 0, where that cancels, x + x s P(s)/Q(s),
    # s = x**2 (Cephes, tanh.c)
    add, mul = instruction("fadd"), instruction("fmul")
    size = intrinsic("fabs")(c, d, x)
    near = comparison("fcmp olt")(c, d, size, "6.25e-01")
    decayed = libm("exp")(c, d, mul(c, d, size, "-2.0"))
    square = mul(c, d, x, x)
    top, bottom = (_polynomial(c, d, square, coefficients) for coefficients in (_TANH_TOP, _TANH_BOTTOM))
    top = select(c, d, near, mul(c, d, mul(c, d, x, square), top), instruction("fsub")(c, d, "1.0", decayed))
    ratio = instruction("fdiv")(c, d, top, select(c, d, near, bottom, add(c, d, decayed, "1.0")))
    return select(c, d, near, add(c, d, x, ratio), intrinsic("copysign")(c, d, ratio, x))


def _polynomial(c: Code, d: DType, x: str, coefficients: tuple[float, ...]) -> str:
    """By Horner's rule, of coefficients of falling powers."""
    first, *rest = (constant(Lit(a, d)) for a in coefficients)
    for a in rest:
        first = instruction("fadd")(c, d, instruction("fmul")(c, d, first, x), a)
    return first


_TANH_TOP = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
_TANH_BOTTOM = (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3)


def _log_logistic(c: Code, d: DType, x: str) -> str:
    # min(x, 0) - log1p(exp(-|x|))
    below = select(c, d, comparison("fcmp ogt")(c, d, x, "0.0"), "0.0", x)
    decayed = libm("exp")(c, d, instruction("fneg")(c, d, intrinsic("fabs")(c, d, x)))
    return instruction("fsub")(c, d, below, libm("log1p")(c, d, decayed))


def _logaddexp(c: Code, d: DType, x: str, y: str) -> str:
    # the larger plus log(1 + exp(-distance)); equal operands (two infinities, say) have distance 0
    apart = intrinsic("fabs")(c, d, instruction("fsub")(c, d, x, y))
    distance = select(c, d, comparison("fcmp oeq")(c, d, x, y), "0.0", apart)
    rest = libm("log1p")(c, d, libm("exp")(c, d, instruction("fneg")(c, d, distance)))
    return instruction("fadd")(c, d, _extremum("oge")(c, d, x, y), rest)


def is_finite(c: Code, d: DType, x: str) -> str:
    return comparison("fcmp olt")(c, d, intrinsic("fabs")(c, d, x), "0x7FF0000000000000")


FLOAT = {
    "neg": instruction("fneg"),
    "add": instruction("fadd"),
    "plus": instruction("fadd reassoc"),
    "sub": instruction("fsub"),
    "mul": instruction("fmul"),
    "div": instruction("fdiv"),
    "floordiv": _floordiv,
    "mod": _mod,
    "fmod": instruction("frem"),
    "logaddexp": _logaddexp,
    "nextafter": libm("nextafter"),
    "maximum": _extremum("oge"),
    "minimum": _extremum("ole"),
    "abs": intrinsic("fabs"),
    "sqrt": intrinsic("sqrt"),
    "floor": intrinsic("floor"),
    "ceil": intrinsic("ceil"),
    "trunc": intrinsic("trunc"),
    "rint": intrinsic("rint"),
    "copysign": intrinsic("copysign"),
    "sign": _sign,
    "expit": _logistic,
    "log_expit": _log_logistic,
    "isnan": _isnan,
    "isfinite": is_finite,
    "side": _side,
    "lt": comparison("fcmp olt"),
    "le": comparison("fcmp ole"),
    "gt": comparison("fcmp ogt"),
    "ge": comparison("fcmp oge"),
    "eq": comparison("fcmp oeq"),
    "ne": comparison("fcmp une"),
    **{name: libm(name) for name in ("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "cbrt")},
    **{name: libm(name) for name in ("sin", "cos", "tan", "sinh", "cosh", "hypot", "erf", "erfc")},
    "pow": _pow,
    "tanh": _tanh,
    **{f"arc{name}": libm(f"a{name}") for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
}

"""Elementwise primitives on complex numbers, pairs of a real and an imaginary part: one entry a primitive."""

from __future__ import annotations

import math

from adcore.types import DType

from .code import LLVM_TYPE, Code, constant
from .floats import FLOAT, comparison, instruction, intrinsic, is_finite, libm, select
from .vector_math import PURE

__all__ = ["COMPLEX", "pair", "parts", "precision", "times_real"]


def parts(c: Code, d: DType, z: str) -> tuple[str, str]:
    return c.op(f"extractvalue {LLVM_TYPE[d]} {z}, 0"), c.op(f"extractvalue {LLVM_TYPE[d]} {z}, 1")


def pair(c: Code, d: DType, real: str, imag: str) -> str:
    type, part = LLVM_TYPE[d], LLVM_TYPE[d.real]
    half = c.op(f"insertvalue {type} poison, {part} {real}, 0")
    return c.op(f"insertvalue {type} {half}, {part} {imag}, 1")


def _by_parts(name: str):
    """An operation on the real parts and on the imaginary parts."""

    def emit(c: Code, d: DType, *zs: str) -> str:
        real, imag = zip(*(parts(c, d, z) for z in zs), strict=True)
        return pair(c, d, FLOAT[name](c, d.real, *real), FLOAT[name](c, d.real, *imag))

    return emit


def _mul(c: Code, d: DType, x: str, y: str) -> str:
    mul, r = instruction("fmul"), d.real
    (a, b), (p, q) = parts(c, d, x), parts(c, d, y)
    real = instruction("fsub")(c, r, mul(c, r, a, p), mul(c, r, b, q))
    return pair(c, d, real, instruction("fadd")(c, r, mul(c, r, a, q), mul(c, r, b, p)))


def _div(c: Code, d: DType, x: str, y: str) -> str:
    # Smith's algorithm (1962), as NumPy has it: with p the larger part of y, q the smaller, ratio = q / p
    r = d.real
    mul, add, sub, div = (instruction(name) for name in ("fmul", "fadd", "fsub", "fdiv"))
    (a, b), (p, q) = parts(c, d, x), parts(c, d, y)
    sizes = intrinsic("fabs")(c, r, p), intrinsic("fabs")(c, r, q)
    wide = comparison("fcmp oge")(c, r, *sizes)
    larger, smaller = select(c, r, wide, p, q), select(c, r, wide, q, p)
    none = c.op(f"and i1 {', '.join(comparison('fcmp oeq')(c, r, size, '0.0') for size in sizes)}")
    ratio = div(c, r, smaller, larger)
    scale = div(c, r, "1.0", add(c, r, larger, mul(c, r, smaller, ratio)))
    top, low = select(c, r, wide, a, b), select(c, r, wide, b, a)
    real = mul(c, r, add(c, r, top, mul(c, r, low, ratio)), scale)
    # (b - a q/p) where p is the larger part, (b p/q - a) where q is
    upright = sub(c, r, b, mul(c, r, a, ratio))
    turned = sub(c, r, mul(c, r, b, ratio), a)
    imag = mul(c, r, select(c, r, wide, upright, turned), scale)
    by_zero = div(c, r, a, sizes[0]), div(c, r, b, sizes[0])
    return pair(c, d, select(c, r, none, by_zero[0], real), select(c, r, none, by_zero[1], imag))


def precision(c: Code, source: DType, target: DType, z: str) -> str:
    """A complex number with parts of another size."""
    if source is target:
        return z
    text = "fpext" if target is DType.C128 else "fptrunc"
    from_, to = LLVM_TYPE[source.real], LLVM_TYPE[target.real]
    return pair(c, target, *(c.op(f"{text} {from_} {part} to {to}") for part in parts(c, source, z)))


def _libm(name: str):
    """A function of the C library on complex doubles, passed and returned as two doubles each."""

    def emit(c: Code, d: DType, *zs: str) -> str:
        wide = DType.C128
        flat = [part for z in zs for part in parts(c, wide, precision(c, d, wide, z))]
        found = c.call(LLVM_TYPE[wide], name, *(("double", x) for x in flat), attributes=PURE)
        return precision(c, wide, d, found)

    return emit


def times_real(c: Code, d: DType, z: str, factor: str) -> str:
    """A number times a real one."""
    mul = instruction("fmul")
    return pair(c, d, *(mul(c, d.real, part, factor) for part in parts(c, d, z))) if d.complex else mul(c, d, z, factor)


def _times(c: Code, d: DType, z: str, factor: float) -> str:
    return times_real(c, d, z, constant(d.real.constant(factor)))


def _scaled_log(factor: float):
    return lambda c, d, z: _times(c, d, _libm("clog")(c, d, z), factor)


def _exp2(c: Code, d: DType, z: str) -> str:
    return _libm("cexp")(c, d, _times(c, d, z, math.log(2.0)))


def _expm1(c: Code, d: DType, z: str) -> str:
    # expm1(x) cos(y) - 2 sin(y/2)^2 and exp(x) sin(y), as NumPy has it
    r, mul = d.real, instruction("fmul")
    x, y = parts(c, d, z)
    half = libm("sin")(c, r, mul(c, r, y, "5.0e-01"))
    away = mul(c, r, "2.0", mul(c, r, half, half))
    real = instruction("fsub")(c, r, mul(c, r, libm("expm1")(c, r, x), libm("cos")(c, r, y)), away)
    return pair(c, d, real, mul(c, r, libm("exp")(c, r, x), libm("sin")(c, r, y)))


def _log1p(c: Code, d: DType, z: str) -> str:
    r = d.real
    x, y = parts(c, d, z)
    moved = instruction("fadd")(c, r, x, "1.0")
    real = libm("log")(c, r, libm("hypot")(c, r, moved, y))
    return pair(c, d, real, libm("atan2")(c, r, y, moved))


def _abs(c: Code, d: DType, z: str) -> str:
    return libm("hypot")(c, d.real, *parts(c, d, z))


def _conj(c: Code, d: DType, z: str) -> str:
    real, imag = parts(c, d, z)
    return pair(c, d, real, instruction("fneg")(c, d.real, imag))


def _both(test, joined: str):
    """Whether a test of real numbers holds of both parts (`and`), or of one (`or`)."""

    def emit(c: Code, d: DType, *zs: str) -> str:
        real, imag = zip(*(parts(c, d, z) for z in zs), strict=True)
        return c.op(f"{joined} i1 {test(c, d.real, *real)}, {test(c, d.real, *imag)}")

    return emit


COMPLEX = {
    **{name: _by_parts(name) for name in ("neg", "add", "plus", "sub")},
    "mul": _mul,
    "div": _div,
    "abs": _abs,
    "conj": _conj,
    "real": lambda c, d, z: parts(c, d, z)[0],
    "imag": lambda c, d, z: parts(c, d, z)[1],
    "isnan": _both(FLOAT["isnan"], "or"),
    "isfinite": _both(is_finite, "and"),
    "eq": _both(comparison("fcmp oeq"), "and"),
    "ne": _both(comparison("fcmp une"), "or"),
    **{name: _libm(f"c{name}") for name in ("pow", "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "exp2": _exp2,
    "expm1": _expm1,
    "log1p": _log1p,
    "log2": _scaled_log(1.0 / math.log(2.0)),
    "log10": _scaled_log(1.0 / math.log(10.0)),
    **{f"arc{name}": _libm(f"ca{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}

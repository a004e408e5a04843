"""Elementwise functions composed of others, each right where a plain formula overflows, or has no derivative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from adcore.primitives import TABLE

from ..array_functions import array_like
from ..operators import mapped, operate
from ..promotion import promoted
from ..values import Value
from .registry import defines, lowers, method, refuse

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["floats", "fmax", "fmin", "heaviside", "isclose", "nan_to_num", "round_to", "sinc", "squares_of"]

I0 = TABLE["i0"]


@defines("numpy.heaviside")
def heaviside(x1, x2):
    """0, x2 at zero, 1: a step, constant in x1 on both sides."""
    x = np.asarray(x1) * 1.0
    rest = np.where(x == 0.0, x2, np.full_like(x, np.nan))
    return np.where(x < 0.0, np.zeros_like(x), np.where(x > 0.0, np.ones_like(x), rest))


@defines("numpy.nan_to_num")
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """What is replaced is constant."""
    if not copy:
        raise NotImplementedError("np.nan_to_num in place")
    v = np.asarray(x)
    if v.dtype.kind == "c":
        parts = [nan_to_num(part, copy, nan, posinf, neginf) for part in (np.real(v), np.imag(v))]
        return parts[0] + 1j * parts[1]
    if v.dtype.kind != "f":
        return v
    largest = np.finfo(v.dtype).max
    above = largest if posinf is None else posinf
    below = -largest if neginf is None else neginf
    return np.where(np.isnan(v), nan, np.where(v == np.inf, above, np.where(v == -np.inf, below, v)))


@defines("numpy.real_if_close")
def real_if_close(a, tol=100):
    x = np.asarray(a)
    if np.iscomplexobj(x):
        cause = "numpy.real_if_close of complex numbers, whose result is real or complex as the values decide"
        refuse(cause, "np.real(x), where the imaginary part is rounding")
    return x


@defines("numpy.bitwise_count")
def bitwise_count(x, /):
    """How many bits are 1 in the absolute value: sums of neighbouring bits, pairs, fours and so on."""
    v = np.asarray(x)
    if v.dtype.kind not in "biu":
        raise TypeError("ufunc 'bitwise_count' not supported for the input types")
    n = v.astype(np.uint64) if v.dtype.kind == "u" else np.abs(v.astype(np.int64)).astype(np.uint64)
    n = n - ((n >> 1) & 0x5555555555555555)
    n = (n & 0x3333333333333333) + ((n >> 2) & 0x3333333333333333)
    n = (n + (n >> 4)) & 0x0F0F0F0F0F0F0F0F
    n = n + (n >> 8)
    n = n + (n >> 16)
    return ((n + (n >> 32)) & 0x7F).astype(np.uint8)


SINC = tuple([(-1.0) ** k / math.factorial(2 * k + 1) for k in range(13)])


@defines("numpy.sinc")
def sinc(x):
    """sin(pi x) / (pi x); near 0 by its series, whose derivatives of all orders have no cancellation."""
    y = np.pi * np.asarray(x)
    near = np.abs(y) < 1.0
    square = np.where(near, y * y, 0.0)
    series = 0.0 * square
    for c in SINC[::-1]:
        series = series * square + c
    far = np.where(near, 1.0, y)
    return np.where(near, series, np.sin(far) / far)


@defines("numpy.fmax")
def fmax(x1, x2):
    return np.where(np.isnan(x1), x2, np.where(np.isnan(x2), x1, np.maximum(x1, x2)))


@defines("numpy.fmin")
def fmin(x1, x2):
    return np.where(np.isnan(x1), x2, np.where(np.isnan(x2), x1, np.minimum(x1, x2)))


@lowers("numpy.fmod")
def fmod(low: Lowering, x1: Value, x2: Value) -> Value:
    """C's remainder, which has the sign of the first operand."""
    values = (array_like(low, x1), array_like(low, x2))
    dtype = promoted(values)
    if dtype.differentiable:
        return mapped(low, "fmod", values, dtype, False)
    sizes = [mapped(low, "abs", (v,), dtype, False) for v in values]
    sign = mapped(low, "sign", values[:1], dtype, False)
    return operate(low, "*", sign, operate(low, "%", *sizes))


@defines("numpy.divmod")
def divmod_of(x1, x2):
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@defines("numpy.modf")
def modf(x):
    """The fraction and the whole part; infinity has the fraction 0."""
    v = np.asarray(x) * 1.0
    whole = np.trunc(v)
    finite = np.isfinite(v)
    fraction = np.where(finite, v - whole, np.where(np.isnan(v), v, 0.0))
    return np.copysign(fraction, v), whole


@defines("numpy.signbit")
def signbit(x):
    return np.copysign(1.0, np.asarray(x)) < 0.0


@defines("numpy.isposinf")
def isposinf(x):
    return _infinite(np.asarray(x), np.inf)


@defines("numpy.isneginf")
def isneginf(x):
    return _infinite(np.asarray(x), -np.inf)


def _infinite(x, which):
    if x.dtype.kind == "c":
        raise TypeError("This operation is not supported for complex values because it would be ambiguous.")
    return x == which


@defines("numpy.gcd")
def gcd(x1, x2):
    """Euclid's algorithm, all elements together."""
    if np.asarray(x1).dtype.kind not in "iu" or np.asarray(x2).dtype.kind not in "iu":
        raise TypeError("ufunc 'gcd' did not contain a loop with signature matching types: it takes integers")
    x, y = np.abs(x1), np.abs(x2)
    x, y = x + 0 * y, y + 0 * x
    while np.any(y != 0):
        rest = np.where(y == 0, 0, x % np.where(y == 0, 1, y))
        x = np.where(y == 0, x, y)
        y = rest
    return x


@defines("numpy.lcm")
def lcm(x1, x2):
    common = gcd(x1, x2)
    return np.abs(x1) // np.where(common == 0, 1, common) * np.abs(x2)


@defines("numpy.round", "numpy.around")
@method("round")
def round_to(a, decimals=0):
    x = np.asarray(a)
    if x.dtype.kind == "c":
        return round_to(np.real(x), decimals) + 1j * round_to(np.imag(x), decimals)
    if x.dtype.kind == "b":
        raise NotImplementedError("np.round of booleans, whose result is float16")
    if decimals == 0:
        return np.rint(x) if x.dtype.kind == "f" else x
    if x.dtype.kind != "f":
        if decimals > 0:
            return x
        step = 10 ** (-decimals)
        return (np.rint(x / step) * step).astype(x.dtype)
    if decimals > 0:
        return np.rint(x * 10.0**decimals) / 10.0**decimals
    return np.rint(x / 10.0 ** (-decimals)) * 10.0 ** (-decimals)


# Comparisons of whole arrays


@defines("numpy.isclose")
def isclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    x, y = np.asarray(a), np.asarray(b)
    finite = np.isfinite(x) & np.isfinite(y)
    p, q = np.where(finite, x, 0), np.where(finite, y, 0)
    near = (finite & (np.abs(p - q) <= atol + rtol * np.abs(q))) | (x == y)
    return near | (np.isnan(x) & np.isnan(y)) if equal_nan else near


@defines("numpy.allclose")
def allclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    return np.all(isclose(a, b, rtol, atol, equal_nan))


@defines("numpy.array_equal")
def array_equal(a1, a2, equal_nan=False):
    x, y = np.asarray(a1), np.asarray(a2)
    if x.ndim != y.ndim:
        return False
    for k in range(x.ndim):
        if x.shape[k] != y.shape[k]:
            return False
    same = x == y
    return np.all(same | ((x != x) & (y != y))) if equal_nan else np.all(same)


@defines("numpy.array_equiv")
def array_equiv(a1, a2):
    return np.all(np.asarray(a1) == np.asarray(a2))


# Powers of two


@defines("numpy.ldexp")
def ldexp(x1, x2):
    """x1 times a power of two, in two steps, so that neither overflows before the result does."""
    v, power = np.asarray(x1) * 1.0, np.asarray(x2)
    if v.dtype.kind == "c":
        raise TypeError("ufunc 'ldexp' not supported for the input types: it takes real numbers")
    half = power // 2
    return v * np.exp2(half.astype(v.dtype)) * np.exp2((power - half).astype(v.dtype))


@defines("numpy.frexp")
def frexp(x):
    """The mantissa, whose absolute value is from 0.5 up to 1, and the exponent of 2."""
    v = np.asarray(x) * 1.0
    if v.dtype.kind == "c":
        raise TypeError("ufunc 'frexp' not supported for the input types: it takes real numbers")
    regular = np.isfinite(v) & (v != 0.0)
    size = np.where(regular, np.abs(v), 1.0)
    exponent = np.floor(np.log2(size)).astype(np.int64) + 1
    mantissa = ldexp(size, -exponent)  # the logarithm may be rounded up or down to a whole number
    exponent = exponent + np.where(mantissa >= 1.0, 1, 0) - np.where(mantissa < 0.5, 1, 0)
    exponent = np.where(regular, exponent, 0)
    return ldexp(v, -exponent), exponent.astype(np.int32)


@defines("numpy.logaddexp2")
def logaddexp2(x1, x2):
    two = math.log(2.0)
    return np.logaddexp(np.asarray(x1) * two, np.asarray(x2) * two) / two


@defines("numpy.spacing")
def spacing(x):
    """The distance to the next number: constant."""
    v = np.asarray(x) * 1.0
    return np.copysign(np.nextafter(np.abs(v), np.inf) - np.abs(v), v)


@defines("numpy.i0")
def i0(x):
    v = np.asarray(x) * 1.0
    return I0(v).astype(v.dtype)


def squares_of(x):
    """Of the absolute values, real numbers."""
    return np.real(x) * np.real(x) + np.imag(x) * np.imag(x) if x.dtype.kind == "c" else x * x


def floats(*values):
    """Arrays of one inexact dtype, in which Python's numbers are weak."""
    dtype = np.result_type(1.0, *[np.asarray(v) if isinstance(v, list | tuple) else v for v in values])
    return [np.asarray(v, dtype) for v in values]

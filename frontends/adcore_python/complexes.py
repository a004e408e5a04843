"""Complex numbers: their parts, their making, and the `cmath` module."""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError
from adcore.types import DType

from .array_functions import array_like
from .math_functions import domain
from .operators import broadcast, describe, mapped, numeric, operate
from .promotion import converted, inexact, is_python
from .values import FALSE, ZERO, Array, Scalar, Tuple, Value, number

if TYPE_CHECKING:
    from adcore.types import Atom

    from .lowering import Lowering

__all__ = ["CMATH", "COMPLEX", "conjugate", "imaginary", "make_complex", "real"]


def _part(name: str) -> Any:
    """The real or the imaginary part: an array of its own, which may not be written to, nor what it is a part of."""

    def lower(low: Lowering, val: Value) -> Value:
        x = array_like(low, val)
        if not x.dtype.complex:
            return x if name == "real" else _zeros(low, x)
        found = low.value(getattr(low.b, name)(low.atom(x)), is_python(x))
        if isinstance(found, Array) and isinstance(x, Array):
            low.memory.relate([(found.buffer, (x.buffer,))])
        return found

    return lower


real = _part("real")
imaginary = _part("imag")


def _zeros(low: Lowering, x: Scalar | Array) -> Value:
    zero = x.dtype.zero
    if isinstance(x, Scalar):
        return Scalar(zero, x.python)
    return low.array(low.b.expand(zero, *x.shape, axes=tuple(range(x.rank))))


def conjugate(low: Lowering, x: Value) -> Value:
    """`np.conj`: the number itself where it is real."""
    value = array_like(low, x)
    if not value.dtype.complex:
        return low.value(low.atom(value), is_python(value))
    return mapped(low, "conj", (value,), None, is_python(value))


def make_complex(low: Lowering, real: Value = ZERO, imag: Value = ZERO) -> Value:
    """`complex(x, y)`."""
    parts = [numeric(low, real), numeric(low, imag)]
    if any(isinstance(p, Array) for p in parts):
        low.refuse(DtypeError, "complex() of an array", "x + 1j * y")
    if any(p.dtype.complex for p in parts):
        rotated = operate(low, "*", number(1j), _plain(parts[1]))
        return operate(low, "+", Scalar(converted(low, _plain(parts[0]), DType.C128), True), rotated)
    x, y = (low.cast(p.atom, DType.F64) for p in parts if isinstance(p, Scalar))
    return Scalar(low.b.complex(x, y), True)


def _plain(value: Scalar | Array) -> Scalar:
    assert isinstance(value, Scalar)
    return Scalar(value.atom, True)


def angle(low: Lowering, z: Value, deg: Value = FALSE) -> Value:
    """`np.angle`."""
    value = array_like(low, z)
    dtype = inexact(value.dtype)
    atom = converted(low, value, dtype)
    b = low.b
    x, y = broadcast(low, [b.real(atom), b.imag(atom)] if dtype.complex else [atom, dtype.zero])
    found = low.value(b.arctan2(y, x))
    if isinstance(deg, Scalar) and deg.known is True:
        return operate(low, "*", found, number(180.0 / math.pi))
    return found


def is_real(low: Lowering, x: Value) -> Value:
    """`np.isreal`."""
    value = array_like(low, x)
    return mapped(low, "eq", (numeric(low, imaginary(low, value)), number(0)), value.dtype.real, False)


def is_complex(low: Lowering, x: Value) -> Value:
    """`np.iscomplex`: whether the imaginary part is not 0."""
    value = array_like(low, x)
    return mapped(low, "ne", (numeric(low, imaginary(low, value)), number(0)), value.dtype.real, False)


COMPLEX: dict[Any, Any] = {
    np.real: real,
    np.imag: imaginary,
    np.conjugate: conjugate,
    np.angle: angle,
    np.isreal: is_real,
    np.iscomplex: is_complex,
    np.iscomplexobj: lambda low, x: number(array_like(low, x).dtype.complex),
    np.isrealobj: lambda low, x: number(not array_like(low, x).dtype.complex),
}


# The `cmath` module


def _number(low: Lowering, value: Value) -> Atom:
    if not isinstance(value, Scalar):
        low.refuse(DtypeError, f"a function of `cmath` takes a number, not {describe(value)}", "the function of NumPy")
    return low.cast(value.atom, DType.C128)


def _unary(name: str, *poles: complex) -> Any:
    """A function of one complex number, which has no value at its poles."""

    def lower(low: Lowering, z: Value) -> Value:
        atom = _number(low, z)
        for pole in poles:
            domain(low, low.b.ne(atom, pole))
        return Scalar(getattr(low.b, name)(atom), True)

    return lower


def _log(low: Lowering, z: Value, base: Value | None = None) -> Value:
    top = _unary("log", 0.0)(low, z)
    return top if base is None else operate(low, "/", top, _unary("log", 0.0)(low, base))


def _phase(low: Lowering, z: Value) -> Value:
    atom = _number(low, z)
    return Scalar(low.b.arctan2(low.b.imag(atom), low.b.real(atom)), True)


def _polar(low: Lowering, z: Value) -> Value:
    return Tuple((Scalar(low.b.abs(_number(low, z)), True), _phase(low, z)))


def _rect(low: Lowering, r: Value, phi: Value) -> Value:
    b = low.b
    size, angle = (converted(low, numeric(low, v), DType.F64) for v in (r, phi))
    return Scalar(b.complex(b.mul(size, b.cos(angle)), b.mul(size, b.sin(angle))), True)


def _isinf(low: Lowering, z: Value) -> Value:
    atom = _number(low, z)
    b = low.b
    parts = [b.lnot(b.lor(b.isfinite(p), b.isnan(p))) for p in (b.real(atom), b.imag(atom))]
    return Scalar(b.lor(*parts), True)


CMATH: dict[Any, Any] = {
    **{getattr(cmath, name): _unary(name) for name in ("exp", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    cmath.log: _log,
    cmath.log10: _unary("log10", 0.0),
    cmath.asin: _unary("arcsin"),
    cmath.acos: _unary("arccos"),
    cmath.atan: _unary("arctan", 1j, -1j),
    cmath.asinh: _unary("arcsinh"),
    cmath.acosh: _unary("arccosh"),
    cmath.atanh: _unary("arctanh", 1.0, -1.0),
    cmath.phase: _phase,
    cmath.polar: _polar,
    cmath.rect: _rect,
    cmath.isnan: lambda low, z: Scalar(low.b.isnan(_number(low, z)), True),
    cmath.isfinite: lambda low, z: Scalar(low.b.isfinite(_number(low, z)), True),
    cmath.isinf: _isinf,
}

"""The `math` module: functions of one number that raise what Python raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom, DType, Lit

from .operators import describe
from .values import Scalar, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["MATH", "domain", "to_integer"]

Check = Callable[["Lowering", Atom, Atom], None]


def _float(low: Lowering, value: Value) -> Atom:
    if not isinstance(value, Scalar):
        low.refuse(DtypeError, f"a function of `math` takes a number, not {describe(value)}", "the function of NumPy")
    if value.dtype.complex:
        low.refuse(DtypeError, "a function of `math` takes a real number, not a complex one", "the function of cmath")
    return low.cast(value.atom, DType.F64)


def domain(low: Lowering, holds: Atom) -> None:
    low.check(holds, "ValueError", "math domain error")


def _outside(compare: str, bound: float) -> Check:
    """A domain error where `x compare bound`; nan passes."""
    return lambda low, x, z: domain(low, low.b.lnot(getattr(low.b, compare)(x, bound)))


def _outside_interval(compare: str) -> Check:
    return lambda low, x, z: domain(low, low.b.lnot(getattr(low.b, compare)(low.b.abs(x), 1.0)))


def _finite_argument(low: Lowering, x: Atom, z: Atom) -> None:
    domain(low, low.b.lor(low.b.isfinite(x), low.b.isnan(x)))


def _overflow(low: Lowering, x: Atom, z: Atom) -> None:
    low.check(low.b.lor(low.b.isfinite(z), low.b.lnot(low.b.isfinite(x))), "OverflowError", "math range error")


def _unary(name: str, check: Check | None = None) -> Any:
    def lower(low: Lowering, x: Value) -> Value:
        atom = _float(low, x)
        result = getattr(low.b, name)(atom)
        if check is not None:
            check(low, atom, result)
        return Scalar(result, True)

    return lower


def _binary(name: str) -> Any:
    def lower(low: Lowering, x: Value, y: Value) -> Value:
        return Scalar(getattr(low.b, name)(_float(low, x), _float(low, y)), True)

    return lower


def _log(low: Lowering, x: Value, base: Value | None = None) -> Value:
    of = _unary("log", _outside("le", 0.0))
    if base is None:
        return of(low, x)
    top, bottom = of(low, x), of(low, base)
    low.check(low.b.ne(bottom.atom, 0.0), "ZeroDivisionError", "float division by zero")
    return Scalar(low.b.div(top.atom, bottom.atom), True)


def _pow(low: Lowering, x: Value, y: Value) -> Value:
    b, p, q = low.b, _float(low, x), _float(low, y)
    z = b.pow(p, q)
    whole = b.eq(b.floor(q), q)
    domain(low, b.lor(b.lor(whole, b.ge(p, 0.0)), b.isnan(p)))
    domain(low, b.lor(b.ne(p, 0.0), b.ge(q, 0.0)))
    fine = b.lor(b.isfinite(z), b.lnot(b.land(b.isfinite(p), b.isfinite(q))))
    low.check(fine, "OverflowError", "math range error")
    return Scalar(z, True)


def _scaled(factor: float) -> Any:
    return lambda low, x: Scalar(low.b.mul(_float(low, x), factor), True)


def to_integer(name: str) -> Any:
    """`int`, `math.floor`, `math.ceil`, `math.trunc`, `round` of a number."""

    def lower(low: Lowering, x: Value) -> Value:
        if isinstance(x, Scalar) and not x.dtype.differentiable:
            return Scalar(low.cast(x.atom, DType.I64), True)
        b, atom = low.b, _float(low, x)
        if isinstance(atom, Lit) and math.isfinite(atom.value):
            return number(int(getattr(b, name)(atom).value))
        low.check(b.lnot(b.isnan(atom)), "ValueError", "cannot convert float NaN to integer")
        small = b.lt(b.abs(atom), 2.0**63)
        low.check(small, "OverflowError", "cannot convert float infinity to integer")
        return Scalar(b.cast(getattr(b, name)(atom), dtype=DType.I64), True)

    return lower


def _isinf(low: Lowering, x: Value) -> Value:
    atom = _float(low, x)
    return Scalar(low.b.lnot(low.b.lor(low.b.isfinite(atom), low.b.isnan(atom))), True)


def _gamma_domain(low: Lowering, x: Atom, z: Atom) -> None:
    """Poles at 0, -1, … and -infinity are outside the domain; a result that is infinite is an overflow."""
    b = low.b
    pole = b.land(b.le(x, 0.0), b.eq(x, b.floor(x)))
    domain(low, b.lnot(pole))
    _overflow(low, x, z)


def _log_gamma(low: Lowering, x: Value) -> Value:
    b, p = low.b, _float(low, x)
    domain(low, b.lnot(b.land(b.land(b.le(p, 0.0), b.isfinite(p)), b.eq(p, b.floor(p)))))
    z = b.gammaln(b.select(b.eq(p, -math.inf), math.inf, p))
    _overflow(low, p, z)
    return Scalar(z, True)


def _hypot(low: Lowering, *coordinates: Value) -> Value:
    if len(coordinates) != 2:
        low.refuse(UnsupportedFunctionError, "math.hypot of other than two numbers", "math.sqrt(x*x + y*y + z*z)")
    return _binary("hypot")(low, *coordinates)


MATH: dict[Any, Any] = {
    math.sqrt: _unary("sqrt", _outside("lt", 0.0)),
    math.cbrt: _unary("cbrt"),
    math.exp: _unary("exp", _overflow),
    math.exp2: _unary("exp2", _overflow),
    math.expm1: _unary("expm1", _overflow),
    math.log: _log,
    math.log2: _unary("log2", _outside("le", 0.0)),
    math.log10: _unary("log10", _outside("le", 0.0)),
    math.log1p: _unary("log1p", _outside("le", -1.0)),
    math.sin: _unary("sin", _finite_argument),
    math.cos: _unary("cos", _finite_argument),
    math.tan: _unary("tan", _finite_argument),
    math.asin: _unary("arcsin", _outside_interval("gt")),
    math.acos: _unary("arccos", _outside_interval("gt")),
    math.atan: _unary("arctan"),
    math.atan2: _binary("arctan2"),
    math.sinh: _unary("sinh", _overflow),
    math.cosh: _unary("cosh", _overflow),
    math.tanh: _unary("tanh"),
    math.asinh: _unary("arcsinh"),
    math.acosh: _unary("arccosh", _outside("lt", 1.0)),
    math.atanh: _unary("arctanh", _outside_interval("ge")),
    math.erf: _unary("erf"),
    math.erfc: _unary("erfc"),
    math.gamma: _unary("gamma", _gamma_domain),
    math.lgamma: _log_gamma,
    math.fabs: _unary("abs"),
    math.hypot: _hypot,
    math.copysign: _binary("copysign"),
    math.pow: _pow,
    math.degrees: _scaled(180.0 / math.pi),
    math.radians: _scaled(math.pi / 180.0),
    math.floor: to_integer("floor"),
    math.ceil: to_integer("ceil"),
    math.trunc: to_integer("trunc"),
    math.isnan: lambda low, x: Scalar(low.b.isnan(_float(low, x)), True),
    math.isfinite: lambda low, x: Scalar(low.b.isfinite(_float(low, x)), True),
    math.isinf: _isinf,
}

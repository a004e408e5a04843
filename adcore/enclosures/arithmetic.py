"""Interval meanings of arithmetic: operations that are rounded correctly, whose ends are exact where they can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .intervals import Interval, above, below, is_float, spread
from .table import ROWS, Ends, UndecidedError, elementwise, entered

__all__ = ["product_ends", "quotient", "square_ends", "sum_ends"]

LEAST_NORMAL = 2.0**-1022
LARGEST = 2.0**62  # of integers whose sums and products are computed


# Sums


def sum_ends(a: Any, c: Any, lower: bool) -> Any:
    """The sum of two ends, rounded outwards where it is rounded at all: its error is known exactly (Knuth 1969)."""
    if type(a) is np.float64 and type(c) is np.float64:
        return np.float64(_sum_of_numbers(float(a), float(c), lower))
    s = a + c
    if not is_float(s.dtype):
        return _whole(s, a, c, np.add)
    part = s - a
    error = (a - (s - part)) + (c - part)
    overflow = np.isinf(s) & np.isfinite(a) & np.isfinite(c)
    unknown = np.isnan(s) & ~np.isnan(a) & ~np.isnan(c)  # ∞ - ∞
    if lower:
        rounded = np.where((error < 0.0) | (overflow & (s > 0.0)), below(s), s)
        return np.where(unknown, -np.inf, rounded).astype(s.dtype)[()]
    rounded = np.where((error > 0.0) | (overflow & (s < 0.0)), above(s), s)
    return np.where(unknown, np.inf, rounded).astype(s.dtype)[()]


def _sum_of_numbers(a: float, c: float, lower: bool) -> float:
    """The same of two numbers, without NumPy's cost of a call."""
    s = a + c
    if math.isinf(s) and not (math.isinf(a) or math.isinf(c)):
        return _next(s, lower) if (s > 0.0) == lower else s
    if s != s:
        return s if a != a or c != c else -math.inf if lower else math.inf
    part = s - a
    error = (a - (s - part)) + (c - part)
    return _next(s, lower) if (error < 0.0 if lower else error > 0.0) else s


def _next(x: float, lower: bool) -> float:
    return math.nextafter(x, -math.inf if lower else math.inf)


def _product_of_numbers(a: float, c: float, lower: bool) -> float:
    if a == 0.0 or c == 0.0:
        return 0.0 if a == a and c == c else math.nan
    product = a * c
    if product != product or (math.isinf(product) and (math.isinf(a) or math.isinf(c))):
        return product
    if product == 0.0:
        return product if (math.copysign(1.0, product) < 0.0) != lower else _next(product, lower)
    size = abs(product)
    if a.is_integer() and c.is_integer() and size <= 2.0**52:
        return product
    if LEAST_NORMAL <= size < math.inf and (abs(math.frexp(a)[0]) == 0.5 or abs(math.frexp(c)[0]) == 0.5):
        return product
    return _next(product, lower)


def _whole(result: Any, a: Any, c: Any, operation: Callable[[Any, Any], Any]) -> Any:
    if np.any(np.abs(operation(np.asarray(a, float), np.asarray(c, float))) >= LARGEST):
        raise UndecidedError("an integer that may be beyond 64 bits")
    return result


@entered("add", "plus")
@elementwise
def _add(x: Interval, y: Interval) -> Ends:
    return _sums(x.lower, x.upper, y.lower, y.upper)


@entered("sub")
@elementwise
def _sub(x: Interval, y: Interval) -> Ends:
    return _sums(x.lower, x.upper, -y.upper, -y.lower)


def _sums(a: Any, c: Any, other_a: Any, other_c: Any) -> Ends:
    lower, upper = sum_ends(a, other_a, True), sum_ends(c, other_c, False)
    if not is_float(lower.dtype):
        return lower, upper
    cancels = (np.isposinf(c) & np.isneginf(other_a)) | (np.isneginf(a) & np.isposinf(other_c))
    return lower, upper, cancels  # ∞ - ∞, of numbers that are too large, is none


@entered("neg")
@elementwise
def _neg(x: Interval) -> Ends:
    return -x.upper, -x.lower


# Products


def exact_products(a: Any, c: Any, product: Any) -> Any:
    """Where a product is certainly not rounded: by 0, a power of two, or of integers."""
    small = np.abs(product) <= 2.0 ** np.finfo(product.dtype).nmant
    integers = small & (a == np.rint(a)) & (c == np.rint(c))
    simple = _is_power_of_two(a) | _is_power_of_two(c)
    normal = (np.abs(product) >= np.finfo(product.dtype).tiny) & np.isfinite(product)
    return (a == 0.0) | (c == 0.0) | integers | (simple & normal)


def _is_power_of_two(a: Any) -> Any:
    return np.abs(np.frexp(a)[0]) == 0.5


def times(a: Any, c: Any, lower: bool) -> Any:
    """The product of two ends, rounded outwards; 0 times infinity is 0, since infinite ends are not attained."""
    if type(a) is np.float64 and type(c) is np.float64:
        return np.float64(_product_of_numbers(float(a), float(c), lower))
    product = a * c
    if not is_float(product.dtype):
        return _whole(product, a, c, np.multiply)
    product = np.where(np.isnan(product) & ~np.isnan(a) & ~np.isnan(c), product.dtype.type(0.0), product)
    exact = exact_products(a, c, product) | (np.isinf(product) & (np.isinf(a) | np.isinf(c)))
    return np.where(exact, product, _outwards(product, lower))[()]


def _outwards(value: Any, lower: bool) -> Any:
    """The next number in a direction; of what is so small that it is 0, the sign is known."""
    signed = np.signbit(value) != lower
    return np.where((value == 0.0) & signed, value, below(value) if lower else above(value))


def _least(values: list[Any]) -> Any:
    found = values[0]
    for v in values[1:]:
        found = np.minimum(found, v)
    return found


def _largest(values: list[Any]) -> Any:
    found = values[0]
    for v in values[1:]:
        found = np.maximum(found, v)
    return found


def product_ends(x: Interval, y: Interval) -> tuple[Any, Any]:
    corners = [(a, c) for a in (x.lower, x.upper) for c in (y.lower, y.upper)]
    return _least([times(a, c, True) for a, c in corners]), _largest([times(a, c, False) for a, c in corners])


@entered("mul")
@elementwise
def _mul(x: Interval, y: Interval) -> Ends:
    if x is y:
        return square_ends(x)
    lower, upper = product_ends(x, y)
    if not is_float(x.dtype):
        return lower, upper
    bad = (_may_be_infinite(x) & _has_zero(y)) | (_may_be_infinite(y) & _has_zero(x))
    return lower, upper, bad


def square_ends(x: Interval) -> tuple[Any, Any]:
    """Of the product of a value with itself."""
    size = np.maximum(np.abs(x.lower), np.abs(x.upper))
    least = np.where(_has_zero(x), x.dtype.type(0), np.minimum(np.abs(x.lower), np.abs(x.upper)))
    return times(least, least, True), times(size, size, False)


def _may_be_infinite(x: Interval) -> Any:
    return np.isinf(x.lower) | np.isinf(x.upper)


def _has_zero(x: Interval) -> Any:
    return (x.lower <= 0) & (x.upper >= 0)


# Quotients


def quotient(x: Interval, y: Interval) -> Ends:
    """The ends of x / y: all numbers where y may be 0, but where its sign is known half of them."""
    bad = _has_zero(y)
    none = bad | (_may_be_infinite(x) & _may_be_infinite(y))
    corners = [(a, c) for a in (x.lower, x.upper) for c in (y.lower, y.upper)]
    lower = _least([_divided(a, c, True) for a, c in corners])
    upper = _largest([_divided(a, c, False) for a, c in corners])
    return (
        np.where(bad, -np.inf, lower).astype(lower.dtype)[()],
        np.where(bad, np.inf, upper).astype(lower.dtype)[()],
        none,
    )


def _divided(a: Any, c: Any, lower: bool) -> Any:
    q = a / c
    q = np.where(np.isinf(a) & np.isinf(c), q.dtype.type(0.0), q)
    normal = (np.abs(q) >= np.finfo(q.dtype).tiny) & np.isfinite(q)
    exact = (a == 0.0) | (_is_power_of_two(c) & normal) | (a == c) | (np.isinf(q) & np.isinf(a))
    return np.where(exact, q, _outwards(q, lower))[()]


ROWS["div"] = elementwise(quotient)


@entered("sqrt")
@elementwise
def _sqrt(x: Interval) -> Ends:
    least = np.maximum(x.lower, x.dtype.type(0.0))
    lower, upper = (_root(v, is_lower) for v, is_lower in ((least, True), (x.upper, False)))
    lower = np.where(np.isnan(upper), np.nan, lower).astype(x.dtype)[()]
    return lower, upper, x.lower < 0.0


def _root(v: Any, lower: bool) -> Any:
    root = np.sqrt(v)
    exact = np.isinf(root) | ((root == np.rint(root)) & (root <= 2.0**11) & (root * root == v))
    return np.where(exact, root, np.maximum(below(root), 0.0) if lower else above(root)).astype(v.dtype)[()]


# Powers


@entered("pow")
@elementwise
def _pow(x: Interval, y: Interval) -> Ends:
    whole = y.is_point and bool(np.all(y.lower == np.rint(y.lower)))
    return _integer_power(x, y) if whole else _real_power(x, y)


def _integer_power(x: Interval, y: Interval) -> Ends:
    n = y.lower
    even, negative, zero = n % 2.0 == 0.0, n < 0.0, _has_zero(x)
    far = np.maximum(np.abs(x.lower), np.abs(x.upper))
    near = np.where(zero, x.dtype.type(0.0), np.minimum(np.abs(x.lower), np.abs(x.upper)))
    first, last = np.where(even, near, x.lower), np.where(even, far, x.upper)  # in whose order positive powers are
    first, last = np.where(negative, last, first).astype(x.dtype), np.where(negative, first, last).astype(x.dtype)
    low, high = _raised(first, n, True), _raised(last, n, False)
    bad = negative & zero
    low, high = np.where(bad & ~even, -np.inf, low), np.where(bad, np.inf, high)
    return low.astype(x.dtype)[()], high.astype(x.dtype)[()], bad


def _raised(v: Any, n: Any, lower: bool) -> Any:
    """The power of an end to a whole number, as a library computes it or as products and a quotient do."""
    value = np.power(v, n)
    most = float(np.max(np.abs(n), initial=0.0))
    low, high = spread(value, value, max(4.0, most + 2.0 if most <= 16.0 else 4.0))
    integers = (n >= 0.0) & (np.abs(value) <= 2.0 ** np.finfo(value.dtype).nmant) & (v == np.rint(v))
    exact = integers | (n == 0.0) | (n == 1.0) | np.isinf(v) | (np.abs(v) == 1.0)
    if lower:
        bound = np.where((value >= 0.0) & ~np.signbit(value), np.maximum(low, 0.0), low)
    else:
        bound = np.where((value <= 0.0) & np.signbit(value), np.minimum(high, 0.0), high)
    return np.where(exact, value, bound).astype(v.dtype)[()]


def _real_power(x: Interval, y: Interval) -> Ends:
    """x ** y for x > 0, which for either operand alone goes one way: the extremes are at the corners.

    Of x < 0 there are powers to whole numbers only, which have either sign.
    """
    zero = x.dtype.type(0.0)
    base, top = np.maximum(x.lower, zero), np.maximum(x.upper, zero)
    corners = [np.power(b, e) for b in (base, top) for e in (y.lower, y.upper)]
    lower, upper = spread(_least(corners), _largest(corners), 4.0)
    pole = (base == 0.0) & (y.lower <= 0.0)
    negative = x.lower < 0.0
    any_sign = negative & (np.ceil(y.lower) <= np.floor(y.upper))
    none = (x.upper < 0.0) & ~any_sign
    lower = np.where(any_sign, -np.inf, np.maximum(lower, zero))
    upper = np.where(any_sign | pole, np.inf, upper)
    lower, upper = (np.where(none, np.nan, end).astype(x.dtype)[()] for end in (lower, upper))
    return lower, upper, negative | pole


# Order


@entered("maximum")
@elementwise
def _maximum(x: Interval, y: Interval) -> Ends:
    return np.maximum(x.lower, y.lower), np.maximum(x.upper, y.upper)


@entered("minimum")
@elementwise
def _minimum(x: Interval, y: Interval) -> Ends:
    return np.minimum(x.lower, y.lower), np.minimum(x.upper, y.upper)


@entered("abs")
@elementwise
def _abs(x: Interval) -> Ends:
    ends = np.abs(x.lower), np.abs(x.upper)
    return np.where(_has_zero(x), x.dtype.type(0), np.minimum(*ends))[()], np.maximum(*ends)


@entered("copysign")
@elementwise
def _copysign(x: Interval, y: Interval) -> Ends:
    low, high = _abs(Interval(x.lower, x.upper, 0)).lower, _abs(Interval(x.lower, x.upper, 0)).upper
    negative = np.signbit(y.upper) & (y.upper < 0.0)
    positive = y.lower > 0.0
    return np.where(positive, low, -high)[()], np.where(negative, -low, high)[()]


@entered("nextafter")
@elementwise
def _nextafter(x: Interval, y: Interval) -> Ends:
    return below(x.lower), above(x.upper)


# Quotients that are whole numbers


def _stepped(step: Callable[[Any], Any]) -> Callable[[Interval], Ends]:
    return lambda x: (step(x.lower), step(x.upper))


for _name, _step in {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint, "sign": np.sign}.items():
    ROWS[_name] = elementwise(_stepped(_step))


@entered("floordiv")
@elementwise
def _floordiv(x: Interval, y: Interval) -> Ends:
    _require_real("floordiv", x)
    lower, upper, bad = quotient(x, y)  # type: ignore[misc]
    return np.floor(lower), np.floor(upper), bad


@entered("mod")
@elementwise
def _mod(x: Interval, y: Interval) -> Ends:
    """x - y ⌊x/y⌋, between 0 and y."""
    _require_real("mod", x)
    lower, upper, bad = quotient(x, y)  # type: ignore[misc]
    low, high = _remainder(x, y, np.floor(lower), np.floor(upper))
    zero = x.dtype.type(0.0)
    low, high = np.maximum(low, np.minimum(y.lower, zero)), np.minimum(high, np.maximum(y.upper, zero))
    return low, high, bad | _may_be_infinite(x)


@entered("fmod")
@elementwise
def _fmod(x: Interval, y: Interval) -> Ends:
    """x - y trunc(x/y), between 0 and x, and not as large as y."""
    lower, upper, bad = quotient(x, y)  # type: ignore[misc]
    low, high = _remainder(x, y, np.trunc(lower), np.trunc(upper))
    zero, size = x.dtype.type(0.0), np.maximum(np.abs(y.lower), np.abs(y.upper))
    low = np.maximum(low, np.maximum(-size, np.minimum(x.lower, zero)))
    return low, np.minimum(high, np.minimum(size, np.maximum(x.upper, zero))), bad | _may_be_infinite(x)


def _remainder(x: Interval, y: Interval, first: Any, last: Any) -> tuple[Any, Any]:
    low, high = product_ends(y, Interval(first, last, 0))
    return sum_ends(x.lower, -high, True), sum_ends(x.upper, -low, False)


def _require_real(name: str, x: Interval) -> None:
    if not is_float(x.dtype):
        raise UndecidedError(f"{name} of integers that are not known")

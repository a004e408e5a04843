"""Integrals by SciPy's names: sums of Kronrod's rule over intervals that are halved until they are good enough.

A range is passed through by a fraction u of it that goes from 0 to 1, and 1 - u is as exact as u is:

    from a to b     x = a (1 - u) + b u          from a to ∞     x = a + u / (1 - u)
    from -∞ to b    x = b - (1 - u) / u          from -∞ to ∞    x = 1 / (1 - u) - 1 / u

With u = 3 s² - 2 s³ an integrand like a square root or its inverse at an end of the range is smooth in s.

The derivative by what the integrand depends on is the integral of the integrand's, with intervals of its own: those
that are good for a value need not be for its derivative, which has a jump where the value has a bend, and log x where
the value has a power.  By an end it is the integrand's limit there (Leibniz).  So are derivatives of any order.

Sources: Piessens, de Doncker-Kapenga, Überhuber and Kahaner, QUADPACK (1983), for the rule and the estimate of its
error; Davis and Rabinowitz, Methods of Numerical Integration, 2.12, for the change of variables.
"""

from __future__ import annotations

import math

import numpy as np

from adcore import custom_rule, jacfwd, stop_gradient, value_and_grad
from adcore.closures import closed_over
from adcore.vectors import reals_of, with_reals

from .registry import defines, refuse

__all__ = ["dblquad", "quad"]

_OUTER = np.array(
    [
        *(0.995657163025808080735527280689003, 0.973906528517171720077964012084452),
        *(0.930157491355708226001207180059508, 0.865063366688984510732096688423493),
        *(0.780817726586416897063717578345042, 0.679409568299024406234327365114874),
        *(0.562757134668604683339000099272694, 0.433395394129247190799265943165784),
        *(0.294392862701460198131126603103866, 0.148874338981631210884826001129720),
    ]
)
_KRONROD = np.array(
    [
        *(0.011694638867371874278064396062192, 0.032558162307964727478818972459390),
        *(0.054755896574351996031381300244580, 0.075039674810919952767043140916190),
        *(0.093125454583697605535065465083366, 0.109387158802297641899210590325805),
        *(0.123491976262065851077958109831074, 0.134709217311473325928054001771707),
        *(0.142775938577060080797094273138717, 0.147739104901338491374841515972068),
    ]
)
_GAUSS = np.array(
    [
        *(0.0, 0.066671344308688137593568809893332, 0.0, 0.149451349150580593145776339657697),
        *(0.0, 0.219086362515982043995534934228163, 0.0, 0.269266719309996355091226921569469),
        *(0.0, 0.295524224714752870173892994651338),
    ]
)

# Of the interval from 0 to 1: the 21 points, Kronrod's weights, and what they are more than those of Gauss's ten.
_MIDDLE = 0.149445554002916905664936468389821
POINTS = tuple(0.5 * np.concatenate((1.0 - _OUTER, [1.0], 1.0 + _OUTER[::-1])))
WEIGHTS = tuple(0.5 * np.concatenate((_KRONROD, [_MIDDLE], _KRONROD[::-1])))
EXCESS = tuple(0.5 * np.concatenate((_KRONROD - _GAUSS, [_MIDDLE], (_KRONROD - _GAUSS)[::-1])))
ROUNDING = 50.0 * 2.0**-52
SMALLER = 1e-3  # than the error asked for, where this is reached
MORE = 10  # times as many intervals as QUADPACK, which extrapolates
NARROW = 2.0**-200  # of an interval, so that squares and inverses are finite
NEXT_TO, FURTHER = 2.0**-50, 2.0**-40  # the end of a range of length 1


@defines("scipy.integrate.quad")
def quad(
    func,
    a,
    b,
    args=(),
    full_output=0,
    epsabs=1.49e-8,
    epsrel=1.49e-8,
    limit=50,
    points=None,
    weight=None,
    wvar=None,
    wopts=None,
    maxp1=50,
    limlst=50,
    complex_func=False,
):
    """The integral, and an estimate of its error, which is at most the one asked for.

    Raises:
        RuntimeError: that error is not reached, or the integrand is not finite.
    """
    if weight is not None:
        refuse("scipy.integrate.quad with weight=", "the weight as a factor of the integrand")
    if complex_func:
        refuse("scipy.integrate.quad with complex_func=True", "an integral of the real and one of the imaginary part")
    if full_output:
        refuse("scipy.integrate.quad with full_output=", "the integral and its error without it")
    given = args if isinstance(args, tuple) else (args,)

    def integrand(x):
        return float(func(x, *given))

    if points is None:
        return _integral(integrand, float(a), float(b), epsabs, epsrel, limit)
    begin, end = float(a), float(b)
    if math.isinf(begin) or math.isinf(end):
        raise ValueError("Infinite inputs cannot be used with break points.")
    inner = np.sort(np.clip(np.asarray(points) * 1.0, min(begin, end), max(begin, end)))
    edges = np.concatenate((np.array([begin]), inner if begin <= end else inner[::-1], np.array([end])))
    value = error = 0.0
    for k in range(len(edges) - 1):
        if edges[k] != edges[k + 1]:
            part = _integral(integrand, edges[k], edges[k + 1], epsabs / (len(edges) - 1), epsrel, limit)
            value, error = value + part[0], error + part[1]
    return value, error


@defines("scipy.integrate.dblquad")
def dblquad(func, a, b, gfun, hfun, args=(), epsabs=1.49e-8, epsrel=1.49e-8):
    """An integral of integrals, over y from gfun(x) to hfun(x), or between numbers."""

    def over_y(x):
        low, high = gfun(x) if callable(gfun) else gfun, hfun(x) if callable(hfun) else hfun
        return quad(lambda y: func(y, x, *args), low, high, epsabs=epsabs, epsrel=epsrel)[0]

    return quad(over_y, a, b, epsabs=epsabs, epsrel=epsrel)


def _integral(f, a, b, epsabs, epsrel, limit):
    """The integral of a function of one number, and the estimate of its error."""
    is_turned = a == np.inf or b == -np.inf
    if is_turned:
        a, b = b, a
    from_infinity, to_infinity = a == -np.inf, b == np.inf
    begin, end = 0.0 if from_infinity else a, 0.0 if to_infinity else b
    g, values = closed_over(f, begin)
    held = stop_gradient(values)

    def integrand(p, x):
        return g(with_reals(p, held), x)

    ends, asked = (begin, end, from_infinity, to_infinity), (epsabs, epsrel, limit)
    value, error = _over(ends, integrand, reals_of(values), (), "quad", asked)
    return -value if is_turned else value, error


def _over(ends, f, p, shape, name, asked):
    """The integral of f(p, x), a number or a vector, and the estimate of its error."""
    begin, end, from_infinity, to_infinity = ends
    fixed = (*stop_gradient((begin, end)), from_infinity, to_infinity)

    def slopes(p, x):
        """The derivatives of all numbers of f by all of p, as one vector."""
        if len(shape) > 0:
            return np.ravel(jacfwd(f)(p, x))
        height, slope = value_and_grad(f)(p, x)
        if (from_infinity or to_infinity) and height == 0.0:  # as that of x³ / (exp(x) - 1) where exp(x) is infinite
            slope = np.where(np.isnan(slope), 0.0, slope)
        return slope

    @custom_rule
    def integral(p):
        def density(side, s):
            x, speed = _place(fixed, side, s)
            return f(p, x) * speed

        def pushforward(along):
            of_slopes = (len(along) * (shape[0] if len(shape) > 0 else 1),)
            rates, _ = _over(ends, slopes, p, of_slopes, "quad, of the derivative", asked)
            return np.reshape(rates, (*shape, len(along))) @ along, 0.0

        return _halved(density, shape, name, *asked), pushforward

    value, error = integral(p)
    if not to_infinity and _is_variable(end):
        value = value + _moved(f, end, 1.0 if from_infinity else fixed[1] - fixed[0], p, shape)
    if not from_infinity and _is_variable(begin):
        value = value - _moved(f, begin, -1.0 if to_infinity else fixed[0] - fixed[1], p, shape)
    return value, stop_gradient(error)


def _place(ends, side, s):
    """Where the distance s from one of the ends is, and how fast it moves with s."""
    begin, end, from_infinity, to_infinity = ends
    near, far = s * s * (3.0 - 2.0 * s), (1.0 - s) * (1.0 - s) * (1.0 + 2.0 * s)
    u, v = (near, far) if side == 0 else (far, near)
    rate = 6.0 * s * (1.0 - s)
    if from_infinity and to_infinity:
        return 1.0 / v - 1.0 / u, rate / (u * u) + rate / (v * v)
    if to_infinity:
        return begin + u / v, rate / (v * v)
    if from_infinity:
        return end - v / u, rate / (u * u)
    return begin * v + end * u, rate * (end - begin)


def _is_variable(end):
    """Whether an end is anything but a constant."""
    return len(closed_over(lambda x: x + end, 0.0)[1]) > 0


def _moved(f, end, outwards, p, shape):
    """0, whose derivative by an end is what the integrand is next to it."""

    @custom_rule
    def moved(end):
        def pushforward(along):
            next_to, further = f(p, end - NEXT_TO * outwards), f(p, end - FURTHER * outwards)
            is_finite = np.abs(next_to) <= 1.1 * np.abs(further) + np.finfo(float).tiny
            return np.where(is_finite, next_to, np.copysign(np.inf, next_to)) * along

        return np.zeros(shape) if len(shape) > 0 else 0.0, pushforward

    return moved(end)


def _halved(f, shape, name, epsabs, epsrel, limit):
    """The integral of f(side, s) by s from 0 to 1, and the estimate of its error, the largest of a vector's.

    Two halves of the whole are told apart by their sides, and s is the distance from the end that is theirs.
    """
    most = MORE * limit
    sides, starts, widths = np.zeros(most, int), np.zeros(most), np.ones(most)
    parts, errors, sizes = np.zeros((most, *shape)), np.zeros(most), np.zeros(most)
    worst, count, idle = 0, 1, 0
    whole, error_before = np.zeros(shape), np.inf
    rule = np.array(POINTS), np.array(WEIGHTS), np.array(EXCESS)
    while True:
        for k in range(min(count, 2)):
            at = worst if k == 0 else count - 1
            parts[at], errors[at], sizes[at] = _by_kronrod(f, rule, shape, sides[at], starts[at], widths[at])
        value, error, size = np.sum(parts[:count], 0), np.sum(errors[:count]), np.sum(sizes[:count])
        if not np.isfinite(error):
            raise RuntimeError(
                name + ": what is integrated is not finite somewhere; write points= with where it is not"
            )
        wanted = max(epsabs, epsrel * np.max(np.abs(value), initial=0.0))
        if count > 1:
            both, left = parts[worst] + parts[count - 1], errors[worst] + errors[count - 1]
            is_same = np.max(np.abs(whole - both), initial=0.0) <= 1e-5 * np.max(np.abs(both), initial=0.0)
            idle += is_same and left >= 0.99 * error_before
        if error <= max(SMALLER * wanted, 2.0 * ROUNDING * size) or (error <= wanted and idle >= 6):
            break
        worst = int(np.argmax(errors[:count]))
        if count == most or widths[worst] <= max(16.0 * np.finfo(float).eps * starts[worst], NARROW):
            break
        whole, error_before = parts[worst] + 0.0, errors[worst]
        half = 0.5 * widths[worst]
        widths[worst] = widths[count] = half
        sides[count] = 1 if count == 1 else sides[worst]
        starts[count] = 0.0 if count == 1 else starts[worst] + half
        count += 1
    if error > wanted:
        raise RuntimeError(
            f"{name}: the error is about {error} with {count} intervals, more than {wanted} as asked for by epsabs= and"
            " epsrel=; write points= where the integrand is singular or jumps, or a larger limit="
        )
    return value, error


def _by_kronrod(f, rule, shape, side, start, width):
    """The integral over an interval, an estimate of its error, and the integral of the absolute value."""
    points, weights, excess = rule
    values = np.empty((len(points), *shape))
    for j in range(len(points)):
        values[j] = f(side, start + width * points[j])
    mean = weights @ values
    size = width * (weights @ np.abs(values))
    spread = width * (weights @ np.abs(values - mean))
    excess = width * np.abs(excess @ values)
    part = np.minimum(1.0, (200.0 * excess / np.where(spread == 0.0, 1.0, spread)) ** 1.5)
    errors = np.maximum(np.where(spread == 0.0, excess, spread * part), ROUNDING * size)
    return width * mean, np.max(errors, initial=0.0), np.max(size, initial=0.0)

"""Relative errors of values and first derivatives of special functions, against mpmath, over log-spaced sweeps.

The bounds are what is promised.  Where the value's bound is the larger one, it is SciPy's own function that is used.
Near a zero of a function or its derivative no bound on the relative error can hold; the sweeps leave those out.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf
from scipy import special

import adcore
from adcore import grad, jvp


def logs(low, high, n=40):
    return np.logspace(np.log10(low), np.log10(high), n)


def both(x):
    return np.concatenate([-x[::-1], x])


def joined(*parts):
    return np.concatenate(parts)


def normal_log(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def lower(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def upper(a, x):
    return mp.gammainc(a, x, regularized=True)


def beta_below(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


# Name: function, mpmath's, points, bound of the value's error, bound of the derivative's.
SWEEPS = {
    "gamma": (
        lambda x: special.gamma(x),
        mp.gamma,
        joined(logs(1e-8, 170), -logs(0.01, 20, 20) - 0.0037),
        2e-15,
        2e-14,
    ),
    "gammaln": (lambda x: special.gammaln(x), mp.loggamma, logs(1e-8, 1e15), 2e-14, 1e-14),
    "rgamma": (lambda x: special.rgamma(x), mp.rgamma, logs(1e-8, 160), 2e-15, 4e-15),
    "digamma": (lambda x: special.digamma(x), mp.digamma, joined(logs(1e-8, 1e9), -logs(0.3, 9) - 0.004), 1e-13, 1e-13),
    "betaln, b = 1e-6": (
        lambda a: special.betaln(a, 1e-6),
        lambda a: mp.log(mp.beta(a, mpf(1e-6))),
        logs(1e-3, 1e6),
        1e-9,
        4e-15,
    ),
    "betaln, a = 1e6": (
        lambda b: special.betaln(1e6, b),
        lambda b: mp.log(mp.beta(1e6, b)),
        logs(1e-3, 1e6),
        1e-7,
        4e-15,
    ),
    "zeta": (lambda s: special.zeta(s), mp.zeta, joined(1 + logs(1e-3, 50), logs(1e-3, 0.99, 10)), 2e-14, 1e-13),
    "zeta, q = 2.5": (
        lambda s: special.zeta(s, 2.5),
        lambda s: mp.zeta(s, mpf(2.5)),
        1 + logs(1e-3, 100, 20),
        2e-15,
        2e-15,
    ),
    "erfcx": (
        lambda x: special.erfcx(x),
        lambda x: mp.exp(x * x) * mp.erfc(x),
        joined(logs(1e-8, 30), -logs(1e-3, 20)),
        1e-13,
        1e-13,
    ),
    "dawsn": (
        lambda x: special.dawsn(x),
        lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        joined(logs(1e-8, 0.9), logs(0.95, 20)),
        1e-14,
        1e-13,
    ),
    "ndtr": (lambda x: special.ndtr(x), mp.ncdf, both(logs(1e-5, 30)), 2e-13, 2e-13),
    "log_ndtr": (lambda x: special.log_ndtr(x), normal_log, joined(-logs(1e-5, 200), logs(1e-5, 30)), 2e-13, 2e-13),
    "ndtri": (lambda p: special.ndtri(p), lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), logs(1e-12, 0.4), 2e-15, 4e-14),
    "erfinv": (lambda x: special.erfinv(x), mp.erfinv, both(logs(1e-12, 0.999)), 2e-15, 1e-14),
    "expit": (lambda x: special.expit(x), lambda x: 1 / (1 + mp.exp(-x)), both(logs(1e-8, 700)), 2e-15, 2e-15),
    "log_expit": (lambda x: special.log_expit(x), lambda x: -mp.log1p(mp.exp(-x)), both(logs(1e-8, 700)), 2e-15, 2e-15),
    "logit": (
        lambda x: special.logit(x),
        lambda x: mp.log(x / (1 - x)),
        joined(logs(1e-300, 0.4), 1 - logs(1e-15, 0.4)),
        2e-15,
        2e-15,
    ),
    "exprel": (lambda x: special.exprel(x), lambda x: mp.expm1(x) / x, both(logs(1e-8, 600)), 2e-15, 4e-15),
    "boxcox, x = 2.5": (
        lambda r: special.boxcox(2.5, r),
        lambda r: (mpf(2.5) ** r - 1) / r,
        both(logs(1e-8, 100)),
        2e-14,
        1e-14,
    ),
    "inv_boxcox, x = 1.5": (
        lambda r: special.inv_boxcox(1.5, r),
        lambda r: (1 + mpf(1.5) * r) ** (1 / r),
        logs(1e-8, 100),
        2e-15,
        1e-14,
    ),
    "pseudo_huber, r = 1": (
        lambda d: special.pseudo_huber(d, 1.0),
        lambda d: d**2 * (mp.sqrt(1 + 1 / d**2) - 1),
        logs(1e-6, 1e6),
        4e-15,
        4e-15,
    ),
    "j0": (lambda x: special.j0(x), lambda x: mp.besselj(0, x), logs(1e-6, 100), 2e-13, 2e-13),
    "i0e": (lambda x: special.i0e(x), lambda x: mp.exp(-x) * mp.besseli(0, x), logs(1e-6, 1e8), 4e-15, 1e-13),
    "i1e": (
        lambda x: special.i1e(x),
        lambda x: mp.exp(-x) * mp.besseli(1, x),
        joined(logs(1e-6, 1.4), logs(1.7, 1e8)),
        4e-15,
        1e-13,
    ),
    "k0e": (lambda x: special.k0e(x), lambda x: mp.exp(x) * mp.besselk(0, x), logs(1e-6, 1e8), 4e-15, 1e-13),
    "k1e": (lambda x: special.k1e(x), lambda x: mp.exp(x) * mp.besselk(1, x), logs(1e-6, 1e8), 4e-15, 1e-13),
    "spence": (lambda x: special.spence(x), lambda x: mp.polylog(2, 1 - x).real, logs(1e-8, 1e6), 1e-14, 2e-15),
    "ellipk": (lambda m: special.ellipk(m), mp.ellipk, joined(logs(1e-8, 0.999999), -logs(1e-8, 1e6)), 2e-15, 4e-15),
    "ellipe": (lambda m: special.ellipe(m), mp.ellipe, joined(logs(1e-8, 0.999999), -logs(1e-8, 1e6)), 2e-15, 4e-15),
    "ellipkinc, phi = 1.2": (
        lambda m: special.ellipkinc(1.2, m),
        lambda m: mp.ellipf(mpf(1.2), m),
        joined(logs(1e-8, 0.99), -logs(1e-6, 1e4)),
        2e-15,
        4e-15,
    ),
    "ellipeinc, phi = 4": (
        lambda m: special.ellipeinc(4.0, m),
        lambda m: mp.ellipe(mpf(4), m),
        joined(logs(1e-8, 0.99), -logs(1e-6, 1e4)),
        2e-15,
        4e-15,
    ),
    "lambertw": (
        lambda x: special.lambertw(x),
        lambda x: mp.lambertw(x).real,
        joined(logs(1e-12, 1e12), -logs(1e-8, 0.3678)),
        1e-14,
        1e-12,
    ),
    "lambertw, k = -1": (
        lambda x: special.lambertw(x, -1),
        lambda x: mp.lambertw(x, -1).real,
        -logs(1e-30, 0.3678),
        1e-14,
        1e-12,
    ),
    "gammainc, x = 3": (
        lambda a: special.gammainc(a, 3.0),
        lambda a: lower(a, mpf(3)),
        logs(1e-3, 50, 20),
        1e-13,
        1e-13,
    ),
    "gammaincc, x = 30": (
        lambda a: special.gammaincc(a, 30.0),
        lambda a: upper(a, mpf(30)),
        logs(1e-3, 200, 20),
        4e-14,
        1e-13,
    ),
    "gammainc, x = 1000": (
        lambda a: special.gammainc(a, 1000.0),
        lambda a: lower(a, mpf(1000)),
        np.linspace(800, 1200, 12),
        4e-14,
        1e-13,
    ),
    "gammainc, a = 0.7": (
        lambda x: special.gammainc(0.7, x),
        lambda x: lower(mpf(0.7), x),
        logs(1e-6, 100, 20),
        1e-14,
        1e-13,
    ),
    "gammainc, a = 500": (
        lambda x: special.gammainc(500.0, x),
        lambda x: lower(mpf(500), x),
        np.linspace(350, 700, 12),
        4e-14,
        2e-13,
    ),
    "betainc, b = 2": (
        lambda a: special.betainc(a, 2.0, 0.3),
        lambda a: beta_below(a, mpf(2), mpf(0.3)),
        logs(1e-3, 100, 20),
        4e-14,
        1e-13,
    ),
    "betainc, a = 2": (
        lambda b: special.betainc(2.0, b, 0.3),
        lambda b: beta_below(mpf(2), b, mpf(0.3)),
        logs(1e-3, 100, 20),
        1e-14,
        1e-13,
    ),
    "betainc, b = 200": (
        lambda a: special.betainc(a, 200.0, 0.4),
        lambda a: beta_below(a, mpf(200), mpf(0.4)),
        np.linspace(50, 300, 10),
        2e-13,
        2e-12,
    ),
    "betainc, x": (
        lambda x: special.betainc(1.7, 2.4, x),
        lambda x: beta_below(mpf(1.7), mpf(2.4), x),
        logs(1e-9, 0.99, 20),
        1e-14,
        1e-14,
    ),
    "stdtr, t = -3": (
        lambda v: special.stdtr(v, -3.0),
        lambda v: beta_below(v / 2, mpf(0.5), v / (v + 9)) / 2,
        logs(0.1, 300, 20),
        4e-13,
        1e-11,
    ),
}
DIGITS = {"expit": 700, "log_expit": 700, "logit": 400}


def slope(f, x, digits):
    """The derivative of mpmath's function by a central difference, exact to a third of the digits."""
    with mp.workdps(digits):
        h = abs(x) * mpf(10) ** -(digits // 3)
        return (f(x + h) - f(x - h)) / (2 * h)


def error(got, wanted):
    return float(abs(mpf(float(got)) - wanted) / abs(wanted)) if wanted else float(abs(got))


@pytest.mark.parametrize("name", SWEEPS)
def test_accuracy(name):
    f, reference, points, value_bound, slope_bound = SWEEPS[name]
    values, slopes = jvp(f, (points,), (np.ones_like(points),))
    assert not np.any(np.isnan(values) | np.isnan(slopes))
    for x, value, tangent in zip(points, values, slopes, strict=True):
        at = mpf(float(x))
        with mp.workdps(60):
            assert error(value, mp.re(reference(at))) <= value_bound, x
        assert error(tangent, mp.re(slope(reference, at, DIGITS.get(name, 110)))) <= slope_bound, x


INF, NAN = np.inf, np.nan
# Function, points, derivatives there: limits, ends of the domain, nan.
EDGES = {
    "expit": (lambda x: special.expit(x), [800.0, -800.0, INF, -INF, NAN], [0.0, 0.0, 0.0, 0.0, NAN]),
    "log_expit": (lambda x: special.log_expit(x), [800.0, -800.0, INF, -INF, NAN], [0.0, 1.0, 0.0, 1.0, NAN]),
    "logit": (lambda x: special.logit(x), [0.0, 1.0, NAN], [INF, INF, NAN]),
    "ndtr": (lambda x: special.ndtr(x), [40.0, -40.0, INF, -INF, NAN], [0.0, 0.0, 0.0, 0.0, NAN]),
    "log_ndtr": (lambda x: special.log_ndtr(x), [40.0, -40.0, INF, NAN], [0.0, 40.02496884720727, 0.0, NAN]),
    "erfcx": (lambda x: special.erfcx(x), [1e10, 1e200, INF], [-1 / np.sqrt(np.pi) * 1e-20, 0.0, 0.0]),
    "dawsn": (lambda x: special.dawsn(x), [1e10, INF, -INF], [-0.5e-20, 0.0, 0.0]),
    "xlogy in x": (lambda x: special.xlogy(x, 0.0 * x + 2.0), [0.0, 1.0], [np.log(2.0)] * 2),
    "xlogy in x, y = 0": (lambda x: special.xlogy(x, 0.0), [0.0], [-INF]),
    "xlogy in y": (lambda y: special.xlogy(0.0, y), [0.0, 1.0, INF], [0.0, 0.0, 0.0]),
    "xlog1py in y": (lambda y: special.xlog1py(0.0, y), [-1.0, 1.0], [0.0, 0.0]),
    "entr": (lambda x: special.entr(x), [0.0, 1.0], [INF, -1.0]),
    "rgamma": (lambda x: special.rgamma(x), [0.0, -1.0, -2.0, -5.0], [1.0, -1.0, 2.0, -120.0]),
    "j1": (lambda x: special.j1(x), [0.0, NAN], [0.5, NAN]),
    "sici": (lambda x: special.sici(x)[0], [0.0, 1e-300], [1.0, 1.0]),
    "spence": (lambda x: special.spence(x), [1.0], [-1.0]),
    "ellipk": (lambda m: special.ellipk(m), [0.0], [np.pi / 8]),
    "lambertw": (lambda x: special.lambertw(x), [0.0, INF], [1.0, 0.0]),
    "gammainc in x": (lambda x: special.gammainc(2.0, x), [0.0, INF], [0.0, 0.0]),
    "gammainc in a": (lambda a: special.gammainc(a, 0.0), [0.5, 2.0], [0.0, 0.0]),
    "betainc in x": (lambda x: special.betainc(1.0, 3.0, x), [0.0, 1.0], [3.0, 0.0]),
    "boxcox": (lambda r: special.boxcox(0.0, r), [2.0], [0.25]),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    f, points, wanted = EDGES[name]
    _, slopes = jvp(f, (np.array(points),), (np.ones(len(points)),))
    np.testing.assert_allclose(slopes, wanted, rtol=1e-13)


HIGHER = {
    "gammaln": (lambda x: special.gammaln(x), mp.loggamma, 1.3),
    "digamma": (lambda x: special.digamma(x), mp.digamma, -1.3),
    "zeta in s": (lambda s: special.zeta(s, 1.5), lambda s: mp.zeta(s, mpf(1.5)), 2.7),
    "gammainc in a": (lambda a: special.gammainc(a, 1.8), lambda a: lower(a, mpf(1.8)), 2.3),
    "gammainc in a, fraction": (lambda a: special.gammainc(a, 5.8), lambda a: lower(a, mpf(5.8)), 2.3),
    "betainc in b": (lambda b: special.betainc(1.4, b, 0.3), lambda b: beta_below(mpf(1.4), b, mpf(0.3)), 2.3),
    "erfcx": (lambda x: special.erfcx(x), lambda x: mp.exp(x * x) * mp.erfc(x), 12.0),
    "log_ndtr": (lambda x: special.log_ndtr(x), normal_log, -5.0),
    "expit": (lambda x: special.expit(x), lambda x: 1 / (1 + mp.exp(-x)), 1.3),
    "jv": (lambda x: special.jv(0.7, x), lambda x: mp.besselj(mpf(0.7), x), 2.3),
    "i0e": (lambda x: special.i0e(x), lambda x: mp.exp(-x) * mp.besseli(0, x), 400.0),
    "spherical_jn": (lambda x: special.spherical_jn(0, x), lambda x: mp.sin(x) / x, 0.01),
    "ellipk": (lambda m: special.ellipk(m), mp.ellipk, 0.3),
    "ellipkinc in m": (lambda m: special.ellipkinc(1.1, m), lambda m: mp.ellipf(mpf(1.1), m), 0.3),
    "spence": (lambda x: special.spence(x), lambda x: mp.polylog(2, 1 - x).real, 1.02),
    "lambertw": (lambda x: special.lambertw(x), lambda x: mp.lambertw(x).real, 1.3),
    "exprel": (lambda x: special.exprel(x), lambda x: mp.expm1(x) / x, 0.2),
    "logsumexp": (
        lambda x: special.logsumexp(np.array([0.2, 0.7]) * x),
        lambda x: mp.log(mp.exp(mpf(0.2) * x) + mp.exp(mpf(0.7) * x)),
        1.1,
    ),
}


@pytest.mark.parametrize("name", HIGHER)
def test_orders_two_and_three(name):
    f, reference, x = HIGHER[name]
    second = grad(grad(f))
    with mp.workdps(60):
        wanted = [float(mp.re(mp.diff(reference, mpf(x), k))) for k in (2, 3)]
    np.testing.assert_allclose([second(x), grad(second)(x)], wanted, rtol=1e-9)


def test_a_derivative_that_is_missing_is_refused_by_name():
    with pytest.raises(adcore.MissingRuleError, match=r"jv in argument 1 is not written yet"):
        grad(lambda v: special.jv(v, 2.0))(1.5)
    assert np.isfinite(grad(lambda x: special.jv(1.5, x))(2.0))


def test_an_order_that_is_not_an_integer_is_refused():
    with pytest.raises(adcore.AdcoreError, match="order that is not an integer"):
        grad(lambda x: special.kn(x, 2.0))(1.5)

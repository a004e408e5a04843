"""The Mittag-Leffler function against its power series in mpmath, with derivatives in the argument and both orders."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from mpmath import mpf
from scipy import special

from adcore import grad, jit, vjp
from adcore.special import mittag_leffler

PROMISED = 1e-11


def series(z, alpha, beta):
    """The sum with enough digits for what cancels."""
    total, k = mpf(0), 0
    while True:
        term = z**k * mp.rgamma(alpha * k + beta)
        total += term
        k += 1
        if abs(term) < mpf(10) ** (5 - mp.mp.dps) and alpha * k + beta > abs(z) ** (1 / alpha) + 5:
            return total


def error(got, wanted, z):
    return float(abs(mpf(float(got)) - wanted) / max(abs(wanted), 1 / (1 + abs(mpf(z)))))


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.95, 1.0, 1.05, 1.5, 2.0])
@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_values_and_derivatives(alpha, beta):
    value = jit(lambda z, a, b: mittag_leffler(z, a, b))
    slopes = grad(lambda z, a, b: mittag_leffler(z, a, b), argnums=(0, 1, 2))
    for z in (-50.0, -8.0, -1.5, -1.0, -0.3, 0.0, 0.4, 6.0):
        size = abs(z) ** (1 / alpha)
        if size > 100:
            continue
        with mp.workdps(int(40 + size)):
            point = (mpf(z), mpf(alpha), mpf(beta))
            assert error(value(z, alpha, beta), series(*point), z) < PROMISED, z
            for k, slope in enumerate(slopes(z, alpha, beta)):
                h = mpf(10) ** -12
                above, below = ([x + s * (i == k) for i, x in enumerate(point)] for s in (h, -h))
                assert error(slope, (series(*above) - series(*below)) / (2 * h), z) < PROMISED, (z, k)


def test_known_functions():
    x = np.array([0.1, 0.9, 3.0, 20.0])
    f = jit(lambda x: (mittag_leffler(-x, 0.5), mittag_leffler(-x * x, 2.0), mittag_leffler(x, 1.0)))
    wanted = special.erfcx(x), np.cos(x), np.exp(x)
    for ours, theirs in zip(f(x), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(mittag_leffler(-x, 0.5), special.erfcx(x), rtol=1e-11)  # in plain Python


def test_arrays_broadcast():
    def f(z, alpha):
        return mittag_leffler(z, alpha)

    z, alpha = np.array([-3.0, -0.5, 1.0]), np.array([[0.5], [0.8]])
    np.testing.assert_allclose(jit(f)(z, alpha), mittag_leffler(z, alpha), rtol=1e-12)
    back = vjp(f, z, alpha)[1](np.ones((2, 3)))
    assert [b.shape for b in back] == [(3,), (2, 1)]


def test_second_derivative():
    """Of E(-x) with alpha = 1/2, which is erfcx(x)."""
    second = grad(grad(lambda x: mittag_leffler(-x, 0.5)))(2.0)
    np.testing.assert_allclose(second, grad(grad(lambda x: special.erfcx(x)))(2.0), rtol=1e-9)


def test_outside_of_what_is_supported():
    assert np.isnan(mittag_leffler(-3.0, 2.5))
    assert np.isnan(mittag_leffler(0.5, -0.5))

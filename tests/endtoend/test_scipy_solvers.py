"""Solvers of `scipy.optimize`, called by their names in functions as their users write them."""

from __future__ import annotations

import math
import traceback

import numpy as np
import pytest
from scipy import optimize
from scipy.optimize import brentq

from adcore import grad, hessian, jacfwd, jit, value_and_grad, vmap
from adcore.errors import UnsupportedFunctionError


def implied_volatility(price, spot, strike, time):
    """The root of a price by its volatility, in the model of Black and Scholes."""

    def excess(sigma):
        d1 = (math.log(spot / strike) + 0.5 * sigma**2 * time) / (sigma * math.sqrt(time))
        d2 = d1 - sigma * math.sqrt(time)
        return spot * _normal(d1) - strike * _normal(d2) - price

    return brentq(excess, 1e-4, 5.0)


def _normal(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def vega(sigma, spot, strike, time):
    d1 = (math.log(spot / strike) + 0.5 * sigma**2 * time) / (sigma * math.sqrt(time))
    return spot * math.exp(-0.5 * d1**2) / math.sqrt(2.0 * math.pi) * math.sqrt(time)


def test_the_derivative_of_an_implied_volatility_is_one_over_vega():
    sigma, slope = value_and_grad(implied_volatility)(8.0, 100.0, 105.0, 0.5)
    assert math.isclose(sigma, implied_volatility(8.0, 100.0, 105.0, 0.5), rel_tol=1e-9)
    assert math.isclose(slope, 1.0 / vega(sigma, 100.0, 105.0, 0.5), rel_tol=1e-9)


def test_batches_loops_and_second_derivatives():
    prices = np.array([5.0, 8.0, 11.0])
    slopes = vmap(grad(implied_volatility), in_axes=(0, None, None, None))(prices, 100.0, 105.0, 0.5)
    each = [grad(implied_volatility)(p, 100.0, 105.0, 0.5) for p in prices]
    np.testing.assert_allclose(slopes, each, rtol=1e-10)

    def total(prices):
        found = 0.0
        for price in prices:
            found += implied_volatility(price, 100.0, 105.0, 0.5)
        return found

    np.testing.assert_allclose(grad(total)(prices), each, rtol=1e-10)
    h = 1e-4
    second = (grad(total)(prices + h) - grad(total)(prices - h)) / (2.0 * h)
    np.testing.assert_allclose(np.diag(hessian(total)(prices)), second, rtol=1e-6)


def test_a_root_inside_of_a_minimum():
    def best(a):
        def cost(x):
            y = brentq(lambda y: y**3 + y - x[0] * a, -10.0, 10.0)
            return (y - 1.0) ** 2 + 0.1 * x[0] ** 2

        return optimize.minimize(cost, np.array([1.0])).x[0]

    def quotient(a, h=1e-4):
        return (jit(best)(a + h) - jit(best)(a - h)) / (2.0 * h)

    assert math.isclose(grad(best)(1.5), quotient(1.5), rel_tol=1e-6)


def test_a_fit_inside_of_a_loss():
    t = np.linspace(0.0, 3.0, 20)

    def extrapolated(y):
        popt, pcov = optimize.curve_fit(lambda t, a, b: a * np.exp(-b * t), t, y, p0=(1.0, 1.0))
        return popt[0] * np.exp(-popt[1] * 5.0) + np.sqrt(pcov[0, 0])

    y = 2.0 * np.exp(-0.7 * t) + 0.01 * np.cos(7.0 * t)
    gradient = grad(extrapolated)(y)
    for k in (0, 7):
        step = np.zeros(20)
        step[k] = 1e-5
        quotient = (jit(extrapolated)(y + step) - jit(extrapolated)(y - step)) / 2e-5
        assert math.isclose(gradient[k], quotient, rel_tol=1e-3)
    assert jacfwd(extrapolated)(y) == pytest.approx(gradient)


def power_law(t, a, b=1.5):
    return a * t**b


def polynomial(t, *coefficients):
    return coefficients[0] + coefficients[1] * t + coefficients[2] * t**2


T = np.linspace(0.2, 2.0, 12)
Y = 2.0 * T**1.3 + 0.02 * np.sin(9.0 * T)


@pytest.mark.parametrize(
    "fit",
    [
        lambda y: optimize.curve_fit(power_law, T, y, p0=(1.0,))[0],
        lambda y: optimize.curve_fit(power_law, T, y)[0],
        lambda y: optimize.curve_fit(polynomial, T, y, p0=(1.0, 1.0, 1.0))[0],
        lambda y: optimize.curve_fit(power_law, T, y, bounds=([1.5, -np.inf], [np.inf, 5.0]))[0],
        lambda y: optimize.curve_fit(power_law, T, y, p0=np.array([1.0, 1.0]))[0],
    ],
)
def test_how_many_parameters_a_fit_has(fit):
    np.testing.assert_allclose(jit(fit)(Y), fit(Y), rtol=1e-5)


def two_for_one(a):
    return optimize.curve_fit(lambda t, b: b * t, T, Y * a, p0=np.ones(2))[0][0]


def bounded_by_nothing(a):
    return optimize.minimize_scalar(lambda x: (x - a) ** 2, method="bounded").x


def no_change_of_sign(a):
    return brentq(lambda x: x * x + a, 0.0, 1.0)


def without_end(a):
    return optimize.minimize_scalar(lambda x: -a * x).x


def two_of_three(a):
    return optimize.root(lambda x: x[:2] * a, np.ones(3)).x[0]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (no_change_of_sign, ValueError, "one sign at both ends"),
        (without_end, RuntimeError, "falls without end"),
        (two_of_three, ValueError, "as many equations as unknowns are needed: 2 and 3"),
    ],
)
def test_failures(function, error, message):
    with pytest.raises(error, match=message) as caught:
        grad(function)(1.0)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.name) == (__file__, function.__name__)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (two_for_one, "p0 has 2 numbers, and the function 1 parameters"),
        (bounded_by_nothing, "mandatory for method `bounded`"),
    ],
)
def test_what_fails_at_every_call(function, message):
    with pytest.raises(ValueError, match=message) as caught:
        jit(function)(1.0)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.name) == (__file__, function.__name__)


def constrained(a):
    ring = {"type": "eq", "fun": lambda x: x @ x - 1.0}
    return optimize.minimize(lambda x: x[0] * a, np.ones(2), constraints=ring).x[0]


def watched(a):
    return optimize.minimize(lambda x: (x[0] - a) ** 2, np.ones(1), callback=print).x[0]


def own_loss(a):
    return optimize.least_squares(lambda x: x - a, np.ones(1), loss=lambda z: z).x[0]


@pytest.mark.parametrize(
    ("function", "what"), [(constrained, "constraints="), (watched, "callback="), (own_loss, "a function as loss=")]
)
def test_refusals_name_the_line(function, what):
    with pytest.raises(UnsupportedFunctionError, match=what) as caught:
        grad(function)(1.0)
    assert "test_scipy_solvers.py" in str(caught.value)
    assert "optimize." in str(caught.value)


OPTIONS = {"xtol": 1e-12, "rtol": 1e-14}


def test_options_from_a_dict():
    def solved(a):
        return brentq(lambda x: x**3 - a, 0.0, 4.0, **OPTIONS)

    assert math.isclose(grad(solved)(8.0), 1.0 / 12.0, rel_tol=1e-12)

"""Values where there is no derivative, dtypes, writes in place, and derivatives at points where formulas go wrong."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest

import adcore
from adcore import grad, jit

from . import calls_sorting


@pytest.mark.parametrize(("f", "x"), calls_sorting.VALUES)
def test_values(f, x):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = f(x)
    found = jit(f)(x)
    pairs = zip(found, theirs, strict=True) if isinstance(theirs, tuple) else [(found, theirs)]
    for ours, wanted in pairs:
        assert np.shape(ours) == np.shape(wanted)
        assert np.asarray(ours).dtype.kind == np.asarray(wanted).dtype.kind  # NumPy has int32 in one place
        np.testing.assert_allclose(ours, wanted, rtol=1e-13, atol=1e-15)
        sign = np.signbit(ours) == np.signbit(wanted)
        assert np.all(sign | np.isnan(wanted))


def test_sorting_in_place():
    def f(x):
        y = x * x
        row = y[1]
        row.sort()
        y[0].partition(2)
        y.sort(axis=0)
        return y

    x = calls_sorting.A
    np.testing.assert_array_equal(jit(f)(x), f(x))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot, np.subtract])
def test_methods_of_universal_functions(ufunc):
    def f(x):
        made = np.zeros(6)
        made[[0, 2]] = 1.5
        ufunc.at(made, [1, 2, 1], x[0, :3])
        return (
            ufunc.reduce(x),
            ufunc.reduce(x, axis=1, keepdims=True),
            ufunc.reduce(x, initial=0.7) if ufunc is not np.subtract else x,
            ufunc.accumulate(x, axis=1),
            ufunc.outer(x[0], x),
            ufunc.reduceat(x, [0, 2, 1], axis=1),
            made,
        )

    x = calls_sorting.A
    for ours, theirs in zip(jit(f)(x), f(x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)

    def g(x):
        return sum([np.sum(np.sin(part)) for part in f(x)])

    u = np.cos(np.arange(12.0)).reshape(3, 4)
    h = 1e-6
    difference = (g(x + h * u) - g(x - h * u)) / (2 * h)
    np.testing.assert_allclose(np.sum(grad(g)(x) * u), difference, rtol=1e-7)


def test_results_written_into_an_array():
    def f(x):
        made, row, flat = np.zeros(4), np.zeros((3, 4)), np.zeros(3)
        np.mean(x, 0, None, made)
        np.cumsum(x, axis=0, out=row)
        np.median(x, axis=1, out=flat)
        total = np.zeros(3)
        np.add.reduce(x, 1, None, total)
        return made, row, flat, total, np.add(x > 1.0, 1, dtype=float)

    x = calls_sorting.A
    for ours, theirs in zip(jit(f)(x), f(x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [
        (lambda x: np.sinc(x), 0.0, (0.0, -(np.pi**2) / 3, 0.0)),
        (lambda x: np.logaddexp(x, 0.0), 0.0, (0.5, 0.25, 0.0)),
        (lambda x: np.logaddexp(x, 0.0), -800.0, (0.0, 0.0, 0.0)),
        (lambda x: np.logaddexp(x, 0.0), 800.0, (1.0, 0.0, 0.0)),
        (lambda x: np.logaddexp(0.0, x), -np.inf, (0.0, 0.0, 0.0)),
        (lambda x: np.logaddexp2(x, 1.0), 1.0, (0.5, np.log(2) / 4, 0.0)),
        (lambda x: np.i0(x), 0.0, (0.0, 0.5, 0.0)),
        (lambda x: np.fmod(x, 0.7), 0.0, (1.0, 0.0, 0.0)),
        (lambda x: np.nan_to_num(x), np.nan, (0.0, 0.0, 0.0)),
        (lambda x: np.heaviside(x, 0.5), 0.0, (0.0, 0.0, 0.0)),
        (lambda x: np.heaviside(0.0, x * x), 3.0, (6.0, 2.0, 0.0)),
        (lambda x: np.prod(np.stack((x, x, x, 2.0))), 0.0, (0.0, 0.0, 12.0)),
        (lambda x: np.cumprod(np.stack((x, x, 3.0)))[2], 0.0, (0.0, 6.0, 0.0)),
        (lambda x: np.nansum(np.stack((x * x, np.nan))), 2.0, (4.0, 2.0, 0.0)),
        (lambda x: np.nextafter(x, 2.0), 1.0, (1.0, 0.0, 0.0)),
    ],
)
def test_three_derivatives(f, x, wanted):
    found = (grad(f)(x), grad(grad(f))(x), grad(grad(grad(f)))(x))
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("x", [1e-9, 1e-3, 0.1, 0.3, 0.31, 0.33, 0.7, 1.0, 5.2])
def test_derivatives_of_sinc(x):
    def exact(order):
        with mpmath.workdps(60):
            return float(mpmath.diff(lambda t: mpmath.sinc(mpmath.pi * t), mpmath.mpf(x), order))

    f = np.sinc
    found = (grad(f)(x), grad(grad(f))(x), grad(grad(grad(f)))(x))
    np.testing.assert_allclose(found, [exact(1), exact(2), exact(3)], rtol=2e-13, atol=1e-13)


def test_equal_elements_have_the_derivative_of_one_order():
    np.testing.assert_array_equal(grad(np.median)(np.array([1.0, 1.0, 0.0])), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(grad(lambda x: np.sort(x)[0])(np.array([1.0, 1.0])), [1.0, 0.0])


def test_refusals():
    x = calls_sorting.A
    with pytest.raises(adcore.AdcoreError, match="needs initial="):
        jit(lambda x: np.max(x, where=x > 1.0))(x)
    with pytest.raises(ValueError, match="has no identity"):
        jit(lambda x: np.max(x))(x[:0])
    with pytest.raises(ValueError, match="side must be 'left' or 'right'"):
        jit(lambda x: np.searchsorted(x[0], x[1], "middle"))(x)
    with pytest.raises(ValueError, match="Quantiles must be in the range"):
        jit(lambda x: np.quantile(x, 1.5))(x)
    with pytest.raises(ZeroDivisionError, match="Weights sum to zero"):
        jit(lambda x: np.average(x[0], weights=[1.0, -1.0, 0.0, 0.0]))(x)
    with pytest.raises(IndexError, match="out of bounds"):
        jit(lambda x: np.take_along_axis(x, np.array([[7]]), 1))(x)

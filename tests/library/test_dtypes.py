"""Values and dtypes of the library's functions for arguments that are not float64."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.signal
import scipy.special
import scipy.stats

from adcore import AdcoreError, jit

F32 = np.array([1.25, 0.5, 3.0, 2.5], np.float32)
INTEGERS = np.array([3, 1, 4, 1])
TRUTHS = np.array([True, False, True, True])
COMPLEX = np.array([1.26 + 2.34j, -0.5 - 1.5j, 12.5 + 0.04j])
SQUARE = np.array([[2, 1], [1, 3]])

CALLS = {
    "round complex numbers": (lambda x: np.round(x), COMPLEX),
    "round their digits": (lambda x: np.around(x, 1), COMPLEX),
    "round by a method": (lambda x: x.round(-1), COMPLEX.astype(np.complex64)),
    "rint integers": (lambda x: np.rint(x), INTEGERS),
    "linspace": (lambda x: np.linspace(x[0], x[1], 5), F32),
    "logspace": (lambda x: np.logspace(x[0], x[1], 5), F32),
    "geomspace": (lambda x: np.geomspace(x[0], x[1], 5), F32),
    "quantile": (lambda x: np.quantile(x, 0.3), F32),
    "percentile": (lambda x: np.percentile(x, 30), F32),
    "quantiles": (lambda x: np.quantile(x, np.array([0.25, 0.5])), F32),
    "nanmedian": (lambda x: np.nanmedian(x), F32),
    "histogram": (lambda x: np.histogram(x)[1], F32),
    "i0": (lambda x: np.i0(x), F32),
    "interp": (lambda x: np.interp(x, np.arange(4, dtype=np.float32), x), F32),
    "vander": (lambda x: np.vander(x, 3), F32),
    "vander of truths": (lambda x: np.vander(x, 3), TRUTHS),
    "ldexp": (lambda x: np.ldexp(x, 3), F32),
    "mantissa": (lambda x: np.frexp(x)[0], F32),
    "exponent": (lambda x: np.frexp(x)[1], F32),
    "detrend": (lambda x: scipy.signal.detrend(x), F32),
    "simpson": (lambda x: scipy.integrate.simpson(x[:3]), F32),
    "nanmax of integers": (lambda x: np.nanmax(x), INTEGERS),
    "nanmin of integers": (lambda x: np.nanmin(x), INTEGERS),
    "power of a matrix of integers": (lambda x: np.linalg.matrix_power(x, 3), SQUARE),
    "its inverse": (lambda x: np.linalg.matrix_power(x, -1), SQUARE),
    "bincount of truths": (lambda x: np.bincount(x), TRUTHS),
    "accumulate truths": (lambda x: np.add.accumulate(x), TRUTHS),
    "reduceat of truths": (lambda x: np.add.reduceat(x, [0, 2]), TRUTHS),
    "accumulate small integers": (lambda x: np.multiply.accumulate(x), INTEGERS.astype(np.int8)),
    "accumulate the larger": (lambda x: np.maximum.accumulate(x), INTEGERS.astype(np.int8)),
    "a density at its end": (lambda x: scipy.stats.invgamma.logpdf(x - x[0], 0.6), F32.astype(float)),
    "chi square": (lambda x: scipy.special.chdtr(2.0, x), F32),
    "combinations": (lambda x: scipy.special.comb(x, 0.5), F32),
    "permutations in double precision": (lambda x: scipy.special.perm(x, np.array([0.5])), F32),
    "zeta": (lambda x: scipy.special.zeta(x), F32),
    "zeta without its first term": (lambda x: scipy.special.zetac(x), F32),
    "Student's": (lambda x: scipy.special.stdtr(x, 0.5), F32),
    "no degrees of freedom": (lambda x: scipy.special.stdtr(x - 1, 0.5), INTEGERS),
    "no degrees above": (lambda x: scipy.special.fdtr(x - 1, 2.0, 0.5), INTEGERS),
    "no degrees below": (lambda x: scipy.special.fdtrc(2.0, x - 1, 0.5), INTEGERS),
}


@pytest.mark.parametrize("name", CALLS)
def test_value_and_dtype(name):
    f, x = CALLS[name]
    with np.errstate(all="ignore"):
        ours, theirs = jit(f)(x), f(x)
    assert np.asarray(ours).dtype == np.asarray(theirs).dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5 if np.asarray(theirs).dtype.itemsize < 8 else 1e-12, atol=1e-6)


def test_a_density_at_its_end_in_single_precision():
    found = jit(lambda x: scipy.stats.invgamma.logpdf(x, 0.6))(np.zeros(1, np.float32))
    np.testing.assert_array_equal(found, -np.inf)


@pytest.mark.parametrize("f", [np.gcd, np.lcm])
@pytest.mark.parametrize("x", [F32, COMPLEX, TRUTHS], ids=["float32", "complex", "bool"])
def test_what_takes_integers_takes_nothing_else(f, x):
    with pytest.raises(TypeError, match="it takes integers"):
        jit(lambda x: f(x, x))(x)


@pytest.mark.parametrize("f", [np.frexp, lambda x: np.ldexp(x, 2), np.isposinf, np.isneginf])
def test_what_takes_real_numbers_raises_for_complex_ones(f):
    with pytest.raises(TypeError):
        jit(lambda x: f(x))(COMPLEX)


@pytest.mark.parametrize("f", [np.fabs, np.rint, np.degrees, np.radians])
def test_what_takes_real_numbers_is_refused_for_complex_ones(f):
    with pytest.raises(AdcoreError, match="complex numbers"):
        jit(lambda x: f(x))(COMPLEX)

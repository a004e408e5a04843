"""Powers to numbers that the source has: those that are products, and those that are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from generated import compiled_from
from mpmath import mp, mpf

from adcore import grad, jit
from adcore.primitives.elementwise import is_short_power

EXPONENTS = [*range(-17, 18), *(0.5 * k for k in range(-7, 8, 2)), 0.25, 2.2]
VALUES = np.concatenate([np.exp(3.0 * np.random.default_rng(3).normal(size=200)), [0.1, 1.0, 3.0]])
SPECIAL = np.array([0.0, -0.0, math.inf, -math.inf, math.nan, -2.0, 1e-200, -1e-200, 1e200, 5e-324])


def powers(exponent, form):
    body = {
        "array": "return x**{0}",
        "elements": "y = np.zeros_like(x)\n    for i in range(x.shape[0]):\n        y[i] = x[i]**{0}\n    return y",
        "sum": "return np.sum(x**{0})",
    }[form]
    return compiled_from(f"def f(x):\n    {body.format(f'({exponent})')}\n")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", ["array", "elements"])
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_values(exponent, form, dtype):
    """Within n/2 + 1 units in the last place; zeros, infinities and nan as NumPy has them."""
    f = powers(exponent, form)
    x = np.concatenate([VALUES, -VALUES if exponent % 1 == 0 else VALUES]).astype(dtype)
    found = jit(f)(x)
    assert found.dtype == dtype
    with mp.workdps(40):
        for value, power in zip(x, found, strict=True):
            wanted = mpf(float(value)) ** mpf(float(dtype(exponent)))
            if not np.finfo(dtype).smallest_normal < abs(wanted) < np.finfo(dtype).max:
                continue
            unit = np.spacing(dtype(abs(float(wanted))))
            assert abs(mpf(float(power)) - wanted) <= (abs(exponent) / 2 + 1.5) * float(unit), (value, power)


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_special_values(exponent):
    with np.errstate(all="ignore"):
        wanted = np.array([np.power(v, np.float64(exponent)) for v in SPECIAL])
    found = jit(powers(exponent, "array"))(SPECIAL)
    if exponent == 0.5:
        wanted[[1, 3]] = 0.0, math.inf  # C's power; NumPy takes the root
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=0.0)
    np.testing.assert_array_equal(np.signbit(found[:4]), np.signbit(wanted[:4]))


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_derivatives(exponent):
    gradient = grad(powers(exponent, "sum"))(VALUES)
    np.testing.assert_allclose(gradient, exponent * VALUES ** (exponent - 1.0), rtol=1e-14, atol=0.0)


def test_which_powers_are_short():
    assert [e for e in EXPONENTS if not is_short_power(e)] == [-17, 0, 17, -3.5, 3.5, 0.25, 2.2]

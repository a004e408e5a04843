"""SciPy's splines and interpolators from outside, which are read at every call, and what is said of wrong arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.interpolate

from adcore import UnsupportedFunctionError, grad, jit, jvp

si: Any = scipy.interpolate
RNG = np.random.default_rng(2)
X = np.cumsum(RNG.uniform(0.5, 1.5, 8))
Y = RNG.normal(size=8)
ROWS = RNG.normal(size=(3, 8, 2))
AT = np.concatenate(([X[0] - 0.3], 0.4 * X[:-1] + 0.6 * X[1:], [X[-1] + 0.2]))
INSIDE = AT[1:-1]
TABLE = np.outer(Y, Y[:5])

SPLINE = si.CubicSpline(X, Y)
OUTSIDE = {
    "CubicSpline": SPLINE,
    "periodic": si.CubicSpline(X, np.append(Y[:-1], Y[0]), bc_type="periodic"),
    "axis": si.CubicSpline(X, ROWS, axis=1),
    "CubicHermiteSpline": si.CubicHermiteSpline(X, Y, Y),
    "PchipInterpolator": si.PchipInterpolator(X, Y),
    "Akima1DInterpolator": si.Akima1DInterpolator(X, Y, extrapolate=True),
    "derivative": SPLINE.derivative(2),
    "antiderivative": SPLINE.antiderivative(),
    "PPoly": si.PPoly(np.stack((Y[:7], Y[1:])), X),
    "complex": si.CubicSpline(X, Y + 1j * Y[::-1]),
    "BSpline": si.make_interp_spline(X, Y, k=4),
    "UnivariateSpline": si.UnivariateSpline(X, Y, k=3, s=0.1),
    "InterpolatedUnivariateSpline": si.InterpolatedUnivariateSpline(X, Y),
    "linear": si.interp1d(X, Y, fill_value="extrapolate"),
    "filled": si.interp1d(X, Y, bounds_error=False, fill_value=(Y[0], 2.0)),
    "next": si.interp1d(X, Y, kind="next", bounds_error=False, fill_value=1.0),
    "cubic": si.interp1d(X, ROWS, "cubic", axis=1, fill_value="extrapolate"),
    "quadratic": si.interp1d(X, Y, "quadratic", bounds_error=False, fill_value=0.5),
}
ONE = si.RegularGridInterpolator((X,), Y, bounds_error=False, fill_value=None)
TWO = si.RegularGridInterpolator((X, X[4::-1]), TABLE, bounds_error=False, fill_value=-1.0)
PAIR = (SPLINE, 2.0)


class Model:
    def __init__(self):
        self.profile = si.PchipInterpolator(X, Y)

    def __call__(self, x):
        return self.profile(x) + 1.0


MODEL = Model()


def slopes(f, at, h=1e-6):
    return (f(at + h) - f(at - h)) / (2 * h)


@pytest.mark.parametrize("name", OUTSIDE)
def test_outside(name):
    spline = OUTSIDE[name]

    def f(at):
        return spline(at)

    for at in (AT, AT[2], AT[:8].reshape(2, 4)):
        value, along = jvp(f, (at,), (np.ones_like(at),))
        assert np.shape(value) == np.shape(f(at))
        assert np.asarray(value).dtype == f(at).dtype
        np.testing.assert_allclose(value, f(at), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(along, slopes(f, at), rtol=1e-6, atol=1e-7)


def test_grid_outside():
    pairs = np.stack((AT, AT[::-1] / 2), -1)
    for f in (TWO, lambda p: TWO((p[:, 0], p[:, 1])), lambda p: TWO(p[1]), lambda p: TWO(p, method="nearest")):
        given = lambda p, f=f: f(p)  # noqa: E731
        np.testing.assert_allclose(jit(given)(pairs), f(pairs), rtol=1e-12)
    moved = lambda s: np.sum(TWO(pairs[3:4] + np.array([s, 0.0])))  # noqa: E731
    np.testing.assert_allclose(grad(moved)(0.0), slopes(moved, 0.0), rtol=1e-6)
    np.testing.assert_allclose(jit(lambda at: ONE(at))(AT), ONE(AT), rtol=1e-12)


def test_methods_and_attributes_of_what_is_outside():
    def f(a, b):
        rates = SPLINE.derivative()
        return (
            SPLINE.integrate(a, b) + rates(a) * SPLINE(b, 1) + SPLINE.antiderivative()(a) * SPLINE.x[0] * SPLINE.c[2, 1]
        )

    a, b = INSIDE[1], INSIDE[4]
    np.testing.assert_allclose(jit(f)(a, b), f(a, b), rtol=1e-12)
    by_a, by_b = grad(f, argnums=(0, 1))(a, b)
    np.testing.assert_allclose([by_a, by_b], [slopes(lambda s: f(s, b), a), slopes(lambda s: f(a, s), b)], rtol=1e-6)


def test_second_derivative_is_that_of_the_piece():
    second = grad(grad(lambda at: SPLINE(at)))
    np.testing.assert_allclose([second(at) for at in X], SPLINE(X, 2), rtol=1e-10, atol=1e-12)


def test_outside_is_read_at_every_call():
    spline = si.CubicSpline(X, Y)

    def f(at):
        return np.sum(spline(at) ** 2)

    derivative = grad(f)

    def agrees():
        np.testing.assert_allclose(derivative(AT), 2 * spline(AT) * spline(AT, 1), rtol=1e-11)

    agrees()
    spline.c[:] *= 2
    agrees()
    spline = si.CubicSpline(X[:5], Y[:5])
    agrees()
    spline = si.CubicSpline(X, Y).derivative()
    agrees()
    spline = si.make_interp_spline(X, Y, k=3)
    agrees()
    for _ in range(2):
        spline = si.CubicSpline(X, Y)
        spline.c = np.asfortranarray(spline.c)
        agrees()
        agrees()
        np.testing.assert_allclose(derivative(AT[::2]), derivative(AT[::2].copy()), rtol=0)


def test_outside_in_other_places():
    """In a tuple, as a default, as an attribute of the user's object, in a loop, and inside of a derivative."""

    def stepped(x):
        for _ in range(4):
            x = x + 0.1 * SPLINE(x)
        return x

    cases = (
        lambda x: PAIR[0](x) * PAIR[1],
        lambda x, spline=SPLINE: spline(x) * spline.x[0],
        lambda x: MODEL.profile(x) * MODEL(x),
        stepped,
    )
    for f in cases:
        np.testing.assert_allclose(jit(f)(AT[3]), f(AT[3]), rtol=1e-12)
        np.testing.assert_allclose(grad(f)(AT[3]), slopes(f, AT[3]), rtol=1e-6)
    inner = jit(lambda x: grad(lambda z: SPLINE(z) ** 2)(x))
    np.testing.assert_allclose(inner(AT[3]), 2 * SPLINE(AT[3]) * SPLINE(AT[3], 1), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_dtypes(dtype):
    given = (10 * Y).astype(dtype)
    for kind in (si.CubicSpline, si.PchipInterpolator, si.make_interp_spline, si.interp1d):
        f = lambda y, kind=kind: kind(X, y)(INSIDE.astype(np.float32))  # noqa: E731
        assert jit(f)(given).dtype == f(given).dtype
        np.testing.assert_allclose(jit(f)(given), f(given), rtol=1e-6, atol=1e-6)
    single = lambda x, y: si.interp1d(x, y)(x[:-1] + np.float32(0.1))  # noqa: E731
    narrow = X.astype(np.float32), Y.astype(np.float32)
    assert jit(single)(*narrow).dtype == single(*narrow).dtype == np.float32


def test_unknown_beyond_the_ends():
    def f(y, at):
        return np.nansum(si.Akima1DInterpolator(X, y)(at)) + np.nansum(si.CubicSpline(X, y, extrapolate=False)(at))

    at = np.append(AT, np.nan)
    np.testing.assert_allclose(jit(f)(Y, at), f(Y, at), rtol=1e-12)
    by_y, by_at = grad(f, argnums=(0, 1))(Y, at)
    assert np.all(np.isfinite(by_y))
    np.testing.assert_array_equal(by_at[[0, -2, -1]], 0.0)
    assert np.isnan(jit(lambda a: si.CubicSpline(X, Y, extrapolate=False).integrate(a, 3.0))(0.0))


WRONG = [
    (lambda x: si.CubicSpline(x[::-1], Y)(AT), "`x` must be strictly increasing sequence"),
    (lambda x: si.CubicSpline(x, Y[1:])(AT), "The length of `y` along `axis`=0 doesn't match the length of `x`"),
    (lambda x: si.CubicSpline(x, Y * np.inf)(AT), "`y` must contain only finite values"),
    (lambda x: si.CubicSpline(x, Y, bc_type="periodic")(AT), "The first and last `y` point along axis 0 must be"),
    (lambda x: si.CubicSpline(x, Y, bc_type="odd")(AT), "bc_type=odd is not allowed"),
    (
        lambda x: si.CubicSpline(x, Y, bc_type=((3, 0.0), "natural"))(AT),
        "The specified derivative order must be 1 or 2",
    ),
    (lambda x: si.CubicHermiteSpline(x, Y, Y[1:])(AT), "The shapes of `y` and `dydx` must be identical"),
    (lambda x: si.PchipInterpolator(x, Y * 1j)(AT), "`PchipInterpolator` only works with real values"),
    (lambda x: si.PPoly(x[np.newaxis], X)(AT), r"number of coefficients != len\(x\)-1"),
    (lambda x: si.interp1d(x, Y)(AT), "in x_new is below the interpolation range's minimum value"),
    (lambda x: si.interp1d(x, Y)(AT[1:]), "in x_new is above the interpolation range's maximum value"),
    (lambda x: si.interp1d(x, Y[1:])(AT), "x and y arrays must be equal in length along interpolation axis"),
    (lambda x: si.RegularGridInterpolator((x,), Y)(AT), "One of the requested xi is out of bounds in dimension 0"),
    (lambda x: si.RegularGridInterpolator((x, x), Y)(AT), "There are 2 point arrays, but values has 1 dimensions"),
    (lambda x: si.RegularGridInterpolator((x,), Y[1:])(AT), "There are 8 points and 7 values in dimension 0"),
    (lambda x: si.make_interp_spline(x[::-1], Y)(AT), "Expect x to be a 1D strictly increasing sequence"),
]


@pytest.mark.parametrize(("f", "message"), WRONG)
def test_errors(f, message):
    """They are SciPy's, with the place of the call."""
    with pytest.raises(ValueError, match=message):
        f(X)
    with pytest.raises((ValueError, NotImplementedError), match=message) as caught:
        jit(f)(X)
    assert "adcore_python" not in "".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


REFUSED = [
    (lambda x: SPLINE.roots()[0] * x, "roots of a spline"),
    (lambda x: si.CubicSpline(x, Y).solve(0.0)[0] * x, "roots of a spline"),
    (lambda x: OTHER(x), "scipy.interpolate.KroghInterpolator is not supported"),
    (lambda x: FALLING(x), "a PPoly whose x does not increase"),
    (lambda x: si.RegularGridInterpolator((x,), Y, method="cubic")(AT), "RegularGridInterpolator with method='cubic'"),
    (lambda x: si.make_interp_spline(x, Y, bc_type="natural")(AT), "make_interp_spline with t= or bc_type="),
    (lambda x: si.splrep(x, Y, s=1.0)[0], "scipy.interpolate.splrep with other arguments"),
    (lambda x: OUTSIDE["BSpline"].integrate(x[0], x[1]), "scipy.interpolate.BSpline.integrate"),
]
OTHER = si.KroghInterpolator(X, Y)
FALLING = si.PPoly(np.stack((Y[:7], Y[1:])), X[::-1])


@pytest.mark.parametrize(("f", "message"), REFUSED)
def test_refused(f, message):
    with pytest.raises(UnsupportedFunctionError, match=message) as caught:
        jit(f)(X)
    assert "test_interpolation.py" in str(caught.value)
    assert "Write instead" in str(caught.value)

"""Distributions of `scipy.stats`: values are SciPy's, derivatives in every parameter agree with its differences."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from adcore_python.library import LIBRARY
from scipy import special, stats

import adcore
from adcore import grad, jit, jvp, vjp

INF, NAN = np.inf, np.nan
REALS = np.array([-3.1, -0.4, 0.3, 2.2])
HALF = np.array([0.2, 0.9, 2.3, 5.1])
UNIT = np.array([0.1, 0.35, 0.8])
COUNTS = np.array([0.0, 1.0, 2.0, 5.0])
# Shapes, location and scale; standardized points in the support; what lies outside it.
CONTINUOUS = {
    "norm": ((0.3, 1.7), REALS, []),
    "halfnorm": ((0.3, 1.7), HALF, [-1.0]),
    "lognorm": ((0.8, 0.3, 1.7), HALF, [-1.0, 0.0]),
    "t": ((3.3, 0.3, 1.7), REALS, []),
    "cauchy": ((0.3, 1.7), REALS, []),
    "logistic": ((0.3, 1.7), REALS, []),
    "laplace": ((0.3, 1.7), REALS, []),
    "gumbel_r": ((0.3, 1.7), REALS, []),
    "gumbel_l": ((0.3, 1.7), REALS, []),
    "uniform": ((0.3, 1.7), UNIT, [-0.5, 1.5]),
    "expon": ((0.3, 1.7), HALF, [-1.0]),
    "rayleigh": ((0.3, 1.7), HALF, [-1.0]),
    "weibull_min": ((1.6, 0.3, 1.7), HALF, [-1.0]),
    "pareto": ((1.6, 0.3, 1.7), HALF + 1.0, [-1.0, 0.5]),
    "gamma": ((1.6, 0.3, 1.7), HALF, [-1.0]),
    "chi2": ((2.6, 0.3, 1.7), HALF, [-1.0]),
    "invgamma": ((1.6, 0.3, 1.7), HALF, [-1.0, 0.0]),
    "beta": ((1.6, 2.4, 0.3, 1.7), UNIT, [-1.0, 1.2]),
    "f": ((3.6, 5.4, 0.3, 1.7), HALF, [-1.0]),
}
# Shapes; whether each is one that has a derivative; points; what lies outside.
DISCRETE = {
    "poisson": ((2.6,), (True,), COUNTS, [-1.0, 0.5]),
    "binom": ((7.0, 0.4), (False, True), COUNTS, [-1.0, 9.0, 0.5]),
    "bernoulli": ((0.4,), (True,), COUNTS[:1], [-1.0, 2.0, 0.5]),
    "geom": ((0.4,), (True,), COUNTS[1:], [0.0, 1.5]),
    "nbinom": ((2.5, 0.4), (True, True), COUNTS, [-1.0, 0.5]),
}
QUANTILES = ("ppf", "isf")
SEED = 7


def methods_of(name: str) -> tuple[str, ...]:
    return tuple(LIBRARY[f"scipy.stats.{name}"].methods)


def every(name: str, methods: tuple[str, ...], count: int):
    """The function of a point and the parameters to the values of all these methods (with so many of them)."""
    distribution = getattr(stats, name)

    def one(x, a):
        return tuple([getattr(distribution, m)(x, a) for m in methods])

    def two(x, a, b):
        return tuple([getattr(distribution, m)(x, a, b) for m in methods])

    def three(x, a, b, c):
        return tuple([getattr(distribution, m)(x, a, b, c) for m in methods])

    def four(x, a, b, c, d):
        return tuple([getattr(distribution, m)(x, a, b, c, d) for m in methods])

    return (one, two, three, four)[count - 1]


def difference(f, x, h):
    """The derivative of f by central differences of order 8."""
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    return sum(w * (np.array(f(x + k * h)) - np.array(f(x - k * h))) for k, w in weights.items()) / h


def agree(f, arguments, which, rtol=2e-9):
    """Values, and derivatives in the arguments of these indices, forwards and backwards."""
    values = f(*arguments)
    for ours, theirs in zip(jit(f)(*arguments), values, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=2e-16)
    rng = np.random.default_rng(SEED)
    cotangents = tuple(rng.normal(size=np.shape(v)) for v in values)
    back = vjp(f, *arguments)[1](cotangents)
    for k in which:
        zeros = [np.zeros_like(a) if isinstance(a, np.ndarray) else 0.0 for a in arguments]
        ones = [*zeros[:k], zeros[k] + 1.0, *zeros[k + 1 :]]
        _, along = jvp(f, arguments, tuple(ones))

        def moved(at, k=k):
            return f(*arguments[:k], at, *arguments[k + 1 :])

        wanted = difference(moved, arguments[k], 3e-3)
        np.testing.assert_allclose(np.array(along), wanted, rtol=rtol, atol=1e-9)
        forward = sum(np.sum(c * t) for c, t in zip(cotangents, along, strict=True))
        np.testing.assert_allclose(np.sum(back[k]), forward, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name):
    parameters, points, _ = CONTINUOUS[name]
    loc, scale = parameters[-2:]
    methods = tuple(m for m in methods_of(name) if m not in QUANTILES)
    agree(every(name, methods, len(parameters)), (loc + scale * points, *parameters), range(len(parameters) + 1))


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if "ppf" in methods_of(n)])
def test_quantiles(name):
    parameters, _, _ = CONTINUOUS[name]
    f = every(name, QUANTILES, len(parameters))
    agree(f, (np.array([0.1, 0.4, 0.8]), *parameters), range(len(parameters) + 1), rtol=1e-7)
    edges = np.array([0.0, 1.0, -0.1, 1.1, NAN])
    np.testing.assert_allclose(jit(f)(edges, *parameters), f(edges, *parameters), rtol=1e-13)


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name):
    shapes, smooth, points, _ = DISCRETE[name]
    f = every(name, methods_of(name), len(shapes) + 1)
    agree(f, (points + 1.0, *shapes, 1.0), [k + 1 for k, s in enumerate(smooth) if s])


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_outside_the_support(name):
    """The values are SciPy's, infinite or 0, and their derivatives are 0 in every parameter."""
    if name in CONTINUOUS:
        parameters, _, outside = CONTINUOUS[name]
        loc, scale = parameters[-2:]
        x = np.array([loc + scale * y for y in outside] + [INF, -INF])
        which = range(len(parameters) + 1)
    else:
        parameters, smooth, _, outside = DISCRETE[name]
        x = np.array([*outside, INF, -INF])
        which = [k + 1 for k, s in enumerate(smooth) if s]
    methods = tuple(m for m in methods_of(name) if m not in QUANTILES)
    f = every(name, methods, len(parameters))
    at = (np.append(x, NAN), *parameters)
    with np.errstate(all="ignore"):
        expected = f(*at)
    for m, ours, theirs in zip(methods, jit(f)(*at), expected, strict=True):
        known = ~np.isnan(theirs) | np.isnan(at[0])  # SciPy subtracts infinities in some densities
        np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-12, err_msg=m)
        assert not np.any(np.isnan(ours[:-1])), m
    finite = x[: len(outside)]
    if len(finite) == 0:
        return
    densities = every(name, tuple(m for m in methods if m.endswith(("pdf", "pmf"))), len(parameters))
    for k in which:
        tangents = [np.zeros_like(finite), *(0.0 for _ in parameters)]
        tangents[k] = tangents[k] + 1.0
        _, along = jvp(densities, (finite, *parameters), tuple(tangents))
        np.testing.assert_array_equal(along, np.zeros((2, len(finite))))


def test_far_in_the_tails():
    """Logarithms of probabilities and their derivatives where the probabilities underflow."""
    x = np.array([-400.0, -40.0, 40.0, 400.0])
    for name in ("norm", "logistic", "laplace", "gumbel_r", "gumbel_l"):
        f = every(name, ("logpdf", "logcdf", "logsf"), 2)
        zero = np.zeros_like(x)
        out, along = jvp(f, (x, 0.0, 2.0), (zero + 1.0, 0.0, 0.0))
        np.testing.assert_allclose(out, f(x, 0.0, 2.0), rtol=1e-12, atol=1e-300)
        assert not np.any(np.isnan(along)), name
    slope = grad(lambda x: stats.norm.logcdf(x))(-40.0)
    with mpmath.workdps(30):
        np.testing.assert_allclose(slope, float(mpmath.npdf(-40) / mpmath.ncdf(-40)), rtol=1e-13)


def test_call_forms():
    def f(x, a):
        return (
            stats.gamma.logpdf(x, a),
            stats.gamma.logpdf(x, a=a),
            stats.gamma.logpdf(x, a, 0.1),
            stats.gamma.logpdf(x, a, scale=2.0),
            stats.gamma.logpdf(x, a, scale=2.0, loc=0.1),
            stats.gamma.logpdf([0.5, 2.0], a),
            stats.norm.pdf(3),
            stats.norm(a).logpdf(x),
            stats.norm(loc=a, scale=2.0).sf(x),
            stats.beta(a, 2.0).cdf(0.3),
        )

    for ours, theirs in zip(jit(f)(1.3, 2.2), f(1.3, 2.2), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_parameters_broadcast():
    def f(x, scale):
        return stats.norm.logpdf(x, np.array([[0.0], [1.0]]), scale)

    x, scale = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 0.5])
    np.testing.assert_allclose(jit(f)(x, scale), f(x, scale), rtol=1e-13)
    assert vjp(f, x, scale)[1](np.ones((2, 3)))[1].shape == (3,)


def test_invalid_parameters_give_nan():
    def f(s):
        return stats.norm.logpdf(0.5, 0.0, s), stats.gamma.cdf(0.5, s), stats.poisson.pmf(1, s)

    np.testing.assert_array_equal(np.isnan(jit(f)(-1.0)), np.isnan(f(-1.0)))


def test_what_is_not_taken_is_refused():
    with pytest.raises(TypeError, match="does not take"):
        jit(lambda x: stats.norm.logpdf(x, sigma=2.0))(0.5)
    with pytest.raises(adcore.UnsupportedFunctionError, match=r"norm\.rvs is not supported"):
        jit(lambda x: stats.norm.rvs(x))(0.5)
    with pytest.raises(adcore.UnsupportedFunctionError, match=r"nct\.pdf is not supported"):
        jit(lambda x: stats.nct.pdf(x, 1.0, 2.0))(0.5)
    with pytest.raises(adcore.UnsupportedFunctionError, match="comb with exact=True is not supported"):
        grad(lambda x: special.comb(5, 2, exact=True) * x)(0.5)


# Several dimensions

MATRIX = np.array([[2.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.5]])
VECTOR = np.array([0.3, -0.5, 1.2])


@pytest.mark.parametrize(
    "f",
    [
        lambda x, m, c: stats.multivariate_normal.logpdf(x, m, c),
        lambda x, m, c: stats.multivariate_normal.logpdf(x, mean=m, cov=c + c.T),
        lambda x, m, c: stats.multivariate_normal.pdf(x, m, c),
        lambda x, m, c: stats.multivariate_normal(m, c).logpdf(x),
        lambda x, m, c: stats.multivariate_normal.logpdf(np.stack((x, 2.0 * x, x + m)), m, c),
        lambda x, m, c: stats.multivariate_normal.logpdf(np.stack((x, x + m))[:, np.newaxis], m, c),
        lambda x, m, c: stats.multivariate_normal.logpdf(x, m, c[0, 0]),
        lambda x, m, c: stats.multivariate_normal.logpdf(x, [0.1, 0.2, 0.3], np.diag(c) * m * m),
        lambda x, m, c: stats.multivariate_normal.logpdf(x, m[0], c[1, 1]),
        lambda x, m, c: stats.multivariate_normal.logpdf(x[0], m[0], c[1, 1]),
        lambda x, m, c: stats.multivariate_normal.logpdf(x * m + c[0]),
    ],
)
def test_multivariate_normal(f):
    point = np.array([0.5, 0.1, -0.7])
    np.testing.assert_allclose(jit(f)(point, VECTOR, MATRIX), f(point, VECTOR, MATRIX), rtol=1e-12)
    assert np.shape(jit(f)(point, VECTOR, MATRIX)) == np.shape(f(point, VECTOR, MATRIX))
    rng = np.random.default_rng(SEED)
    direction = rng.normal(size=(3, 3))
    u = (rng.normal(size=3), rng.normal(size=3), direction + direction.T)
    _, along = jvp(f, (point, VECTOR, MATRIX), u)

    def moved(t):
        return np.asarray(f(point + t * u[0], VECTOR + t * u[1], MATRIX + t * u[2]))

    np.testing.assert_allclose(along, difference(moved, 0.0, 1e-3), rtol=1e-9, atol=1e-10)
    w = rng.normal(size=np.shape(along))
    back = vjp(f, point, VECTOR, MATRIX)[1](w if np.ndim(w) else float(w))
    np.testing.assert_allclose(sum(np.sum(p * q) for p, q in zip(back, u, strict=True)), np.sum(along * w), rtol=1e-10)


def test_gradient_in_the_covariance_is_symmetric():
    """A covariance is taken as symmetric: half of it and half of its transpose."""
    g = grad(lambda c: stats.multivariate_normal.logpdf(VECTOR, np.zeros(3), c))(MATRIX)
    inverse = np.linalg.inv(MATRIX)
    y = inverse @ VECTOR
    np.testing.assert_allclose(g, 0.5 * (np.outer(y, y) - inverse), rtol=1e-12)


def test_a_covariance_that_is_not_positive_definite():
    with pytest.raises(ValueError, match="positive definite"):
        jit(lambda c: stats.multivariate_normal.logpdf(VECTOR, VECTOR, c))(-MATRIX)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: stats.dirichlet.logpdf(x, a),
        lambda x, a: stats.dirichlet.pdf(x[:2], a),
        lambda x, a: stats.dirichlet(a).logpdf(x[:2]),
        lambda x, a: stats.dirichlet.logpdf(np.stack((x, x[::-1]), 1), a),
    ],
)
def test_dirichlet(f):
    point, shapes = np.array([0.2, 0.5, 0.3]), np.array([1.5, 0.7, 2.2])
    np.testing.assert_allclose(jit(f)(point, shapes), f(point, shapes), rtol=1e-12)
    u = np.array([0.1, -0.3, 0.2]), np.array([0.4, 0.2, -0.3])
    _, along = jvp(f, (point, shapes), u)

    def moved(t):
        return np.asarray(f(point + t * u[0], shapes + t * u[1]))

    np.testing.assert_allclose(along, difference(moved, 0.0, 1e-3), rtol=1e-9, atol=1e-10)

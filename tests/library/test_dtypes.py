"""The library's functions of float32 and complex numbers: results in NumPy's dtype, derivatives in the argument's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.special
import scipy.stats

from adcore import AdcoreError, jit, jvp, vjp

from .test_library import CALLS, direction, paired

FIRST = {name: calls[0] for name, calls in CALLS.items()}

DOUBLES_FIRST = "SciPy takes its function of doubles where a Python number stands beside float32"
# float32 in, another dtype or value than NumPy's out, and why.
OTHERWISE = {
    "ndarray.nbytes": "the value is the size of the elements",
    "numpy.vectorize.__call__": "NumPy takes the dtype of the first result, adcore that of all",
    "scipy.integrate.simpson": "SciPy gives float64 for an even number of points, float32 for an odd one",
    "scipy.special.spherical_kn": "SciPy has it of float32, but not the other spherical Bessel functions",
    **dict.fromkeys(("scipy.special.beta", "scipy.special.hyp2f1", "scipy.special.gammainc"), DOUBLES_FIRST),
    **dict.fromkeys(("scipy.special.gammaincc", "scipy.special.gammaincinv"), DOUBLES_FIRST),
    **dict.fromkeys(("scipy.special.gammainccinv", "scipy.special.struve"), DOUBLES_FIRST),
    **dict.fromkeys(("scipy.special.modstruve", "scipy.special.ellipkinc"), DOUBLES_FIRST),
    "scipy.special.ellipeinc": DOUBLES_FIRST,
}

# complex128 in: what adcore says in refusing.
SORTED = (
    "argsort sort partition argpartition lexsort unique unique_values union1d intersect1d setdiff1d setxor1d "
    "take_along_axis median nanmedian"
)
EXTREMA = "unravel_index argmax argmin nanargmax nanargmin put_along_axis histogram_bin_edges ptp nanmax nanmin"
COMPARED = "putmask piecewise extract searchsorted select fmax fmin geomspace"
REFUSED = {
    **dict.fromkeys([f"numpy.{name}" for name in SORTED.split()], "complex numbers have no order"),
    **dict.fromkeys([f"numpy.{name}" for name in EXTREMA.split()], "the order of complex numbers"),
    **dict.fromkeys([f"numpy.{name}" for name in COMPARED.split()], "is not defined on"),
    "numpy.real_if_close": "real or complex as the values decide",
}


def narrowed(x):
    return np.asarray(x, np.complex64 if np.iscomplexobj(x) else np.float32)[()]


def near(found, wanted, tolerance):
    """Beside the largest of the elements, for those that cancel."""
    finite = np.abs(wanted)[np.isfinite(wanted)]
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * np.max(finite, initial=1e-3))


@pytest.mark.parametrize("name", [name for name in FIRST if name not in OTHERWISE])
def test_float32(name):
    f, x = FIRST[name]
    x = narrowed(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy's, of the logarithm of a matrix
        theirs = f(x)
    ours = jit(f)(x)
    assert np.asarray(ours).dtype == np.asarray(theirs).dtype
    near(ours, theirs, 2e-4)


@pytest.mark.parametrize("name", [name for name in FIRST if name.startswith("numpy")])
def test_complex128(name):
    f, x = FIRST[name]
    z = np.asarray(x + 0.3j * x)[()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            theirs = f(z)
    except (TypeError, ValueError, Warning):
        return
    if name in REFUSED:
        with pytest.raises(AdcoreError, match=REFUSED[name]):
            jit(f)(z)
        return
    ours = jit(f)(z)
    assert np.asarray(ours).dtype == np.asarray(theirs).dtype
    near(ours, theirs, 1e-10)


SOME = ("numpy.prod", "numpy.cumprod", "numpy.var", "numpy.interp", "numpy.linalg.solve", "numpy.percentile")
SOME += ("numpy.convolve", "numpy.vander", "numpy.mgrid", "numpy.linspace", "scipy.fft.dct", "scipy.special.zeta")
SOME += ("scipy.special.gdtr", "scipy.stats.expon", "scipy.linalg.expm_frechet", "scipy.signal.hilbert", "numpy.i0")


@pytest.mark.parametrize("name", SOME)
def test_derivatives_of_float32(name):
    """The tangent has the dtype of the result, the cotangent that of the argument."""
    f, x = FIRST[name]
    rng = np.random.default_rng(5)
    u = direction(x, rng)
    _, wanted = jvp(f, (x,), (u,))
    x, u = narrowed(x), narrowed(u)
    out, tangent = jvp(f, (x,), (u,))
    assert np.asarray(tangent).dtype == np.asarray(out).dtype
    near(tangent, wanted, 1e-3)
    w = np.asarray(direction(out, rng), np.asarray(out).dtype)[()]
    (back,) = vjp(f, x)[1](w)
    assert np.asarray(back).dtype == x.dtype
    np.testing.assert_allclose(paired(tangent, w), paired(u, back), rtol=1e-3, atol=1e-3)


X = np.array([0.5, 3.0, 5.0, 0.25], np.float32)
Z = np.array([1.5 + 1j, np.nan, 2.0 - 0.5j, -1.25 + 3j])
N = np.array([7, 14, 22, 5], np.int32)
X4 = np.array([1.25, 0.5, 3.0, 2.5], np.float32)
COUNTS = np.array([3, 1, 4, 1])
TRUTHS = np.array([True, False, True, True])
COMPLEX = np.array([1.26 + 2.34j, -0.5 - 1.5j, 12.5 + 0.04j])
SQUARE = np.array([[2, 1], [1, 3]])
LIKE_NUMPY = [
    (lambda x: np.arange(x[0], 3, 0.5), X),
    (lambda x: np.arange(np.float32(0.1), np.float32(1.0), np.float32(0.1)) * x[0], X),
    (lambda x: np.arange(0.1, 1.0, 0.1, dtype=np.float32) * x[0], X),
    (lambda x: np.arange(-3, 0, 0.5, dtype=int), X),
    (lambda x: np.arange(x[0]), N),
    (lambda x: np.mgrid[0 : x[1] : 5j], X),
    (lambda x: np.mgrid[x[0] : 3, 0:2], X),
    (lambda x: np.r_[x, 1.0, 0.5], X),
    (lambda x: np.c_[x[:1], 2], X),
    (lambda x: np.zeros(2, np.result_type(x, 1.0, 2)), X),
    (lambda x: np.zeros(2, np.result_type(x, float)), X),
    (lambda x: np.zeros(2, np.promote_types(x.dtype, np.int16)), X),
    (lambda x: np.linspace(x[0], 2, 5), X),
    (lambda x: np.linspace([0.0, 1.0, 2.0, 3.0], x, 3), X),
    (lambda x: np.percentile(x, [30.5, 10.0]), X),
    (lambda x: np.quantile(x, 0.4, method="midpoint"), X),
    (lambda x: np.frexp(x)[1], X),
    (lambda x: np.nansum(x), Z),
    (lambda x: np.nanprod(x), Z),
    (lambda x: np.nanmean(x), Z),
    (lambda x: np.nanvar(x), Z),
    (lambda x: np.nan_to_num(x), Z),
    (lambda x: np.round(x, 1), Z),
    (lambda x: np.cov(x[2:], x[2:] * 1j), Z),
    (lambda x: np.corrcoef(x[2:], x[2:] ** 2), Z),
    (lambda x: np.correlate(x[2:], x[2:] * 1j, "full"), Z),
    (lambda x: np.nanmax(x), N),
    (lambda x: np.round(x, -1), N),
    (lambda x: np.linalg.matrix_power(x.reshape(2, 2), 3), N),
    (lambda x: np.vander(x), N),
    (lambda x: scipy.linalg.toeplitz(x[2:]), Z),
    (lambda x: scipy.linalg.leslie(x, x[1:]), N),
    (lambda x: scipy.ndimage.correlate1d(x, [0.2, 0.5, 0.4]), N),
    (lambda x: scipy.fft.dct(x[2:]), Z),
    (lambda x: scipy.signal.lfilter([1.0, 0.5], [1.0, 0.2], x), X),
    (lambda x: scipy.signal.lfilter(x[:2], x[2:], x), X),
    (lambda x: np.round(x), COMPLEX),
    (lambda x: np.around(x, 1), COMPLEX),
    (lambda x: x.round(-1), COMPLEX.astype(np.complex64)),
    (lambda x: np.rint(x), COUNTS),
    (lambda x: np.linspace(x[0], x[1], 5), X4),
    (lambda x: np.logspace(x[0], x[1], 5), X4),
    (lambda x: np.geomspace(x[0], x[1], 5), X4),
    (lambda x: np.quantile(x, 0.3), X4),
    (lambda x: np.percentile(x, 30), X4),
    (lambda x: np.quantile(x, np.array([0.25, 0.5])), X4),
    (lambda x: np.nanmedian(x), X4),
    (lambda x: np.histogram(x)[1], X4),
    (lambda x: np.i0(x), X4),
    (lambda x: np.interp(x, np.arange(4, dtype=np.float32), x), X4),
    (lambda x: np.vander(x, 3), X4),
    (lambda x: np.vander(x, 3), TRUTHS),
    (lambda x: np.ldexp(x, 3), X4),
    (lambda x: np.frexp(x)[0], X4),
    (lambda x: np.frexp(x)[1], X4),
    (lambda x: scipy.signal.detrend(x), X4),
    (lambda x: scipy.integrate.simpson(x[:3]), X4),
    (lambda x: np.nanmax(x), COUNTS),
    (lambda x: np.nanmin(x), COUNTS),
    (lambda x: np.linalg.matrix_power(x, 3), SQUARE),
    (lambda x: np.linalg.matrix_power(x, -1), SQUARE),
    (lambda x: np.bincount(x), TRUTHS),
    (lambda x: np.add.accumulate(x), TRUTHS),
    (lambda x: np.add.reduceat(x, [0, 2]), TRUTHS),
    (lambda x: np.multiply.accumulate(x), COUNTS.astype(np.int8)),
    (lambda x: np.maximum.accumulate(x), COUNTS.astype(np.int8)),
    (lambda x: scipy.stats.invgamma.logpdf(x - x[0], 0.6), X4.astype(float)),
    (lambda x: scipy.special.chdtr(2.0, x), X4),
    (lambda x: scipy.special.comb(x, 0.5), X4),
    (lambda x: scipy.special.perm(x, np.array([0.5])), X4),
    (lambda x: scipy.special.zeta(x), X4),
    (lambda x: scipy.special.zetac(x), X4),
    (lambda x: scipy.special.stdtr(x, 0.5), X4),
    (lambda x: scipy.special.stdtr(x - 1, 0.5), COUNTS),
    (lambda x: scipy.special.fdtr(x - 1, 2.0, 0.5), COUNTS),
    (lambda x: scipy.special.fdtrc(2.0, x - 1, 0.5), COUNTS),
]


@pytest.mark.parametrize(("f", "x"), LIKE_NUMPY)
def test_dtypes_are_numpys(f, x):
    with np.errstate(all="ignore"):
        ours, theirs = jit(f)(x), f(x)
    assert np.asarray(ours).dtype == np.asarray(theirs).dtype
    near(ours, theirs, 1e-6 if np.asarray(theirs).dtype.itemsize < 8 else 1e-12)


@pytest.mark.parametrize(
    ("f", "x", "words"),
    [
        (lambda x: np.round(x > 1), X, "float16"),
        (lambda x: scipy.ndimage.convolve1d(x > 1, [0.5, 0.5]), X, "booleans or unsigned integers"),
        (lambda x: np.arange(x[0], 3, 0.5), Z, "a complex number where float64 belongs"),
    ],
)
def test_refusals_name_the_reason(f, x, words):
    with pytest.raises((AdcoreError, NotImplementedError), match=words):
        jit(f)(x)


def test_ends_that_do_not_fit():
    def f(x):
        return np.ediff1d(x, to_end=1.5)

    with pytest.raises(TypeError, match="same_kind"):
        f(N)
    with pytest.raises(TypeError, match="same_kind"):
        jit(f)(N)


def test_a_density_at_its_end_in_single_precision():
    found = jit(lambda x: scipy.stats.invgamma.logpdf(x, 0.6))(np.zeros(1, np.float32))
    np.testing.assert_array_equal(found, -np.inf)


@pytest.mark.parametrize("f", [np.gcd, np.lcm])
@pytest.mark.parametrize("x", [X4, COMPLEX, TRUTHS], ids=["float32", "complex", "bool"])
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

"""The library's functions of float32 and complex numbers: results in NumPy's dtype, derivatives in the argument's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from adcore import AdcoreError, jit, jvp, vjp

from .test_library import CALLS, direction, paired

FIRST = {name: calls[0] for name, calls in CALLS.items()}

DOUBLES_FIRST = "SciPy takes its function of doubles where a Python number stands beside float32"
# float32 in, another dtype or value than NumPy's out, and why.
OTHERWISE = {
    "ndarray.nbytes": "the value is the size of the elements",
    "numpy.vectorize.__call__": "NumPy takes the dtype of the first result, adcore that of all",
    "scipy.special.spherical_kn": "SciPy has it of float32, but not the other spherical Bessel functions",
    **dict.fromkeys(("scipy.special.beta", "scipy.special.hyp2f1", "scipy.special.gammainc"), DOUBLES_FIRST),
    **dict.fromkeys(("scipy.special.gammaincc", "scipy.special.gammaincinv"), DOUBLES_FIRST),
    **dict.fromkeys(("scipy.special.gammainccinv", "scipy.special.struve"), DOUBLES_FIRST),
    **dict.fromkeys(("scipy.special.modstruve", "scipy.special.ellipkinc"), DOUBLES_FIRST),
    "scipy.special.ellipeinc": DOUBLES_FIRST,
}

# complex128 in: what adcore says in refusing.
MATRICES = "pinv lstsq slogdet cholesky qr eigh eigvalsh svd svdvals cond matrix_rank"
SORTED = "argsort sort partition argpartition lexsort unique unique_values take_along_axis median nanmedian"
EXTREMA = "argmax argmin nanargmax nanargmin put_along_axis histogram_bin_edges ptp nanmax nanmin"
COMPARED = "piecewise extract searchsorted select fmax fmin geomspace"
REFUSED = {
    **dict.fromkeys([f"numpy.linalg.{name}" for name in MATRICES.split()], "this function of complex matrices"),
    **dict.fromkeys([f"numpy.{name}" for name in SORTED.split()], "complex numbers have no order"),
    **dict.fromkeys([f"numpy.{name}" for name in EXTREMA.split()], "the order of complex numbers"),
    **dict.fromkeys([f"numpy.{name}" for name in COMPARED.split()], "is not defined on"),
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
    u = direction(x)
    _, wanted = jvp(f, (x,), (u,))
    x, u = narrowed(x), narrowed(u)
    out, tangent = jvp(f, (x,), (u,))
    assert np.asarray(tangent).dtype == np.asarray(out).dtype
    near(tangent, wanted, 1e-3)
    w = np.asarray(direction(out), np.asarray(out).dtype)[()]
    (back,) = vjp(f, x)[1](w)
    assert np.asarray(back).dtype == x.dtype
    np.testing.assert_allclose(paired(tangent, w), paired(u, back), rtol=1e-3, atol=1e-3)

"""Calls of the functions that order, search, count, fold and scan, for the tests of the library.

What is integer or boolean is multiplied by the argument, so that its derivative, which is zero, is tested too.
"""

from __future__ import annotations

import numpy as np
import scipy.integrate
import scipy.ndimage
import scipy.signal

RNG = np.random.default_rng(17)
V = RNG.uniform(0.5, 1.5, 6)
A = RNG.uniform(0.5, 1.5, (3, 4))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))
Z = np.array([0.7, 0.0, -1.3, 0.0, 2.0])
NAN = np.array([0.7, np.nan, -1.3, 0.4, np.nan, 2.0])
GAPS = np.array([[0.7, np.nan, -1.3, 0.4], [2.0, 0.1, np.nan, 0.3], [0.9, 0.2, 0.8, 0.6]])
INFINITE = np.array([1.0, np.inf, -np.inf, np.nan, 2.0, 1.0])
K = np.array([2, 0, 1, 2, 5, 0])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
GRID = np.cumsum(np.array([0.3, 0.5, 0.2, 0.9, 0.4, 0.6]))

ORDERING = {
    "numpy.argsort": [
        (lambda x: np.argsort(x) * x, V),
        (lambda x: np.argsort(x, axis=0) * x, A),
        (lambda x: np.argsort(x, 1, stable=True) * x, T),
        (lambda x: np.argsort(x, axis=None) * x.ravel(), A),
        (lambda x: x.argsort(axis=0, kind="stable") * x, A),
        (lambda x: x[np.argsort(K)], V),
    ],
    "numpy.sort": [
        (lambda x: np.sort(x), V),
        (lambda x: np.sort(x, axis=0), A),
        (lambda x: np.sort(x, 1), T),
        (lambda x: np.sort(x, axis=None), T),
        (lambda x: np.sort(x * x, kind="stable"), A),
        (lambda x: np.sort(K) * x, V),
        (lambda x: np.sort([x[2], x[0], x[1]]), V),
        (lambda x: np.sort(x)[::-1], V),
    ],
    "numpy.partition": [(lambda x: np.partition(x, 2)[2], V), (lambda x: np.partition(x, 1, axis=0)[1], A)],
    "numpy.argpartition": [(lambda x: x[np.argpartition(x, 2)[2]], V), (lambda x: x[x.argpartition(-1)[-1]], V)],
    "numpy.lexsort": [
        (lambda x: x[np.lexsort((x, K))], V),
        (lambda x: np.lexsort((K, K[::-1])) * x, V),
        (lambda x: np.lexsort((x, x > 1.0)) * x, A),
    ],
    "numpy.unique": [
        (lambda x: np.unique(x), V),
        (lambda x: np.unique(x), A),
        (lambda x: np.unique(K) * x[:4], V),
        (lambda x: np.unique(K, return_index=True)[1] * x[:4], V),
        (lambda x: np.unique(K, return_inverse=True)[1] * x, V),
        (lambda x: np.unique(K, return_counts=True)[1] * x[:4], V),
        (lambda x: np.unique(np.floor(4.0 * x), True, True, True)[2] * x, A),
        (lambda x: np.unique(x), V[:0]),
    ],
    "numpy.unique_values": [(lambda x: np.unique_values(x), V)],
}
SEARCHING = {
    "numpy.argmax": [
        (lambda x: np.argmax(x) * x, V),
        (lambda x: x[np.argmax(x)], V),
        (lambda x: x.argmax(axis=1) * x[:, 0], A),
        (lambda x: np.argmax(x, axis=0, keepdims=True) * x, A),
        (lambda x: np.argmax(x, keepdims=True) * x, A),
        (lambda x: np.argmax(K) * x, V),
        (lambda x: np.argmax(x > 1.0) * x, V),
    ],
    "numpy.argmin": [
        (lambda x: np.argmin(x) * x, V),
        (lambda x: x.argmin(-1) * x[:, :, 0], T),
        (lambda x: np.argmin(K) * x, V),
    ],
    "numpy.nanargmax": [(lambda x: np.nanargmax(x) * x[:1], NAN), (lambda x: np.nanargmax(x, axis=1) * x[:, 0], GAPS)],
    "numpy.nanargmin": [(lambda x: np.nanargmin(x) * x[:1], NAN), (lambda x: np.nanargmin(x, 1) * x[:, 0], GAPS)],
    "numpy.searchsorted": [
        (lambda x: np.searchsorted(GRID, x) * x, V),
        (lambda x: np.searchsorted(GRID, x, side="right") * x, A),
        (lambda x: np.searchsorted(np.sort(K), K, "right") * x, V),
        (lambda x: np.searchsorted(np.sort(K), K) * x, V),
        (lambda x: np.searchsorted(K, 2, sorter=np.argsort(K)) * x, V),
        (lambda x: GRID.searchsorted(x[0]) * x, V),
    ],
    "numpy.digitize": [
        (lambda x: np.digitize(x, GRID) * x, V),
        (lambda x: np.digitize(x, GRID, right=True) * x, A),
        (lambda x: np.digitize(x, GRID[::-1]) * x, V),
        (lambda x: np.digitize(K, [0, 2, 4], True) * x, V),
    ],
    "numpy.take_along_axis": [
        (lambda x: np.take_along_axis(x, np.argsort(x, 1), 1), A),
        (lambda x: np.take_along_axis(x, np.argmax(x, axis=0, keepdims=True), axis=0), A),
        (lambda x: np.take_along_axis(x, np.array([[0], [-1], [2]]), 1), A),
        (lambda x: np.take_along_axis(x, np.array([3, 1]), None), A),
    ],
    "numpy.put_along_axis": [(lambda x: _put_along(x, 1), A), (lambda x: _put_along(x, None), V)],
    "numpy.put": [(lambda x: _put(x), A), (lambda x: _put_method(x), A)],
    "numpy.choose": [
        (lambda x: np.choose([0, 1, 1, 0, 2, 1], (x, x * x, 3.0)), V),
        (lambda x: np.choose(K, [x, 2.0 * x], mode="clip"), V),
        (lambda x: np.choose(K, [x, 2.0 * x], mode="wrap"), V),
    ],
    "numpy.select": [
        (lambda x: np.select([x < 0.8, x < 1.2], [x, x * x]), V),
        (lambda x: np.select([x < 0.8, x < 1.2], [x, x * x], default=7.0), A),
    ],
    "numpy.compress": [
        (lambda x: np.compress([True, False, True], x), V),
        (lambda x: np.compress([True, False, True], x, axis=0), A),
        (lambda x: x.compress([False, True], 1), A),
    ],
    "numpy.extract": [(lambda x: np.extract(x > 1.0, x), V), (lambda x: np.extract(MASK, x * x), A)],
    "numpy.place": [(lambda x: _place(x), A)],
    "numpy.insert": [
        (lambda x: np.insert(x, 1, 5.0), V),
        (lambda x: np.insert(x, [1, 4, 1], x[:3]), V),
        (lambda x: np.insert(x, -1, x[0]), V),
        (lambda x: np.insert(x, 2, 5.0, axis=1), A),
        (lambda x: np.insert(x, 1, x[0] * x[1], axis=0), A),
        (lambda x: np.insert(x, [0, 3], x[:2], axis=0), A),
        (lambda x: np.insert(x, 2, [1.0, 2.0]), A),
    ],
    "numpy.delete": [
        (lambda x: np.delete(x, 1), V),
        (lambda x: np.delete(x, [1, 4, -1]), V),
        (lambda x: np.delete(x, 2, axis=1), A),
        (lambda x: np.delete(x, [True, False, True], 0), A),
        (lambda x: np.delete(x, np.array([1, 1])), A),
    ],
    "numpy.isin": [
        (lambda x: np.isin(K, [0, 5]) * x, V),
        (lambda x: np.isin(x, x[0], invert=True) * x, A),
        (lambda x: np.isin(K, []) * x, V),
    ],
}
COUNTING = {
    "numpy.bincount": [
        (lambda x: np.bincount(K) * x, V),
        (lambda x: np.bincount(K, x), V),
        (lambda x: np.bincount(K, weights=x * x, minlength=8), V),
    ],
    "numpy.histogram_bin_edges": [
        (lambda x: np.histogram_bin_edges(x, 4), V),
        (lambda x: np.histogram_bin_edges(x, 3, range=(0.0, 2.0)) * x[0], A),
    ],
    "numpy.histogram": [
        (lambda x: np.histogram(x, 4)[0] * x[:4], V),
        (lambda x: np.histogram(x, 4)[1], V),
        (lambda x: np.histogram(GRID, bins=5, weights=x)[0], V),
        (lambda x: np.histogram(GRID, bins=[0.0, 1.0, 1.5, 4.0], weights=x, density=True)[0], V),
        (lambda x: np.histogram(x, bins=3, range=(0.6, 1.2))[0] * x[0, :3], A),
        (lambda x: np.histogram(x, 3, density=True)[0], V),
    ],
    "numpy.interp": [
        (lambda x: np.interp(x, GRID, np.sin(GRID)), A),
        (lambda x: np.interp(1.3, GRID, x), V),
        (lambda x: np.interp([0.1, 0.9, 2.2, 7.0], GRID * x[0], x, left=x[1], right=-1.0), V),
        (lambda x: np.interp(7.3 * x, GRID, GRID * GRID, period=2.0), V),
        (lambda x: np.interp(-3.3, GRID, x, period=-3.1), V),
        (lambda x: np.interp([GRID[-1], GRID[0]], GRID, x), V),
    ],
}
METHODS = (
    *("linear", "lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf", "hazen", "weibull"),
    *("closest_observation", "interpolated_inverted_cdf", "median_unbiased", "normal_unbiased"),
)
MODES = ("full", "same", "valid")
EDGES = ("reflect", "constant", "nearest", "mirror", "wrap")


def _by_method(method):
    return lambda x: np.quantile(x, [0.0, 0.13, 0.5, 0.77, 1.0], method=method)


def _in_mode(combine, mode, n, m):
    return lambda x: combine(x[:n], x[:m] * x[:m], mode)


def _with_edges(mode):
    return lambda x: scipy.ndimage.correlate1d(x, [0.1, 0.5, -0.3, 0.2], mode=mode)


STATISTICS = {
    "numpy.prod": [
        (lambda x: np.prod(x), V),
        (lambda x: np.prod(x), Z),
        (lambda x: np.prod(x, axis=0), A),
        (lambda x: x.prod(axis=-1, keepdims=True), A),
        (lambda x: np.prod(x, axis=(0, 2), initial=2.0), T),
        (lambda x: np.prod(x, axis=1, where=MASK), A),
        (lambda x: np.prod(K + 1) * x, V),
        (lambda x: np.prod(x, dtype=float), V[:0]),
    ],
    "numpy.mean": [
        (lambda x: np.mean(x), V),
        (lambda x: x.mean(axis=(0, -1), keepdims=True), T),
        (lambda x: np.mean(x, 0, where=MASK), A),
        (lambda x: np.mean(K) * x, V),
        (lambda x: np.mean(x > 1.0) * x, V),
    ],
    "numpy.var": [
        (lambda x: np.var(x), V),
        (lambda x: np.var(x, axis=1, ddof=1, keepdims=True), A),
        (lambda x: x.var(where=MASK, axis=0), A),
        (lambda x: np.var(x, axis=0, correction=1), A),
        (lambda x: np.var(x, mean=np.mean(x)), V),
        (lambda x: np.var(K) * x, V),
    ],
    "numpy.std": [
        (lambda x: np.std(x, axis=0, ddof=1), A),
        (lambda x: x.std(), T),
        (lambda x: np.std(x, where=x < 1.2), V),
    ],
    "numpy.ptp": [(lambda x: np.ptp(x), V), (lambda x: np.ptp(x, axis=0, keepdims=True), A)],
    "numpy.average": [
        (lambda x: np.average(x), V),
        (lambda x: np.average(x, weights=x * x), V),
        (lambda x: np.average(x, axis=1, weights=x[0]), A),
        (lambda x: np.average(x, 0, weights=x, returned=True)[1], A),
        (lambda x: np.average(x, axis=0, returned=True)[1] * x, A),
        (lambda x: np.average(x, axis=1, keepdims=True, weights=[1, 2, 3, 4]), A),
    ],
    "numpy.median": [
        (lambda x: np.median(x), V),
        (lambda x: np.median(x[:5]), V),
        (lambda x: np.median(x, axis=0), A),
        (lambda x: np.median(x, axis=(0, 2), keepdims=True), T),
        (lambda x: np.median(x, keepdims=True), A),
        (lambda x: np.median(K) * x, V),
    ],
    "numpy.percentile": [
        (lambda x: np.percentile(x, 30), V),
        (lambda x: np.percentile(x, [5.0, 50.0, 100.0], axis=0), A),
        (lambda x: np.percentile(x, 100.0 * (x[0] - 0.5)), V),
    ],
    "numpy.quantile": [
        *((_by_method(method), V) for method in ("linear", "hazen")),
        (lambda x: np.quantile(x, 0.2, axis=(0, 1), keepdims=True), T),
        (lambda x: np.quantile(x, [[0.1, 0.2], [0.3, 0.9]], axis=1), A),
        (lambda x: np.quantile(x, [0.1, 0.2], axis=1, keepdims=True), A),
        (lambda x: np.quantile(K, 0.3) * x, V),
    ],
    "numpy.nanpercentile": [(lambda x: np.nanpercentile(x, [20, 60]), NAN)],
    "numpy.nanquantile": [
        (lambda x: np.nanquantile(x, 0.3), NAN),
        (lambda x: np.nanquantile(x, [0.3, 0.9], axis=0), GAPS),
        (lambda x: np.nanquantile(x, 0.4, axis=1, keepdims=True, method="hazen"), GAPS),
    ],
    "numpy.nanmedian": [(lambda x: np.nanmedian(x), NAN), (lambda x: np.nanmedian(x, axis=0, keepdims=True), GAPS)],
    "numpy.nansum": [(lambda x: np.nansum(x * x), NAN), (lambda x: np.nansum(x, axis=1, keepdims=True), GAPS)],
    "numpy.nanprod": [(lambda x: np.nanprod(x * x), NAN), (lambda x: np.nanprod(x, 0), GAPS)],
    "numpy.nanmean": [(lambda x: np.nanmean(x * x), NAN), (lambda x: np.nanmean(x, (0, 1), keepdims=True), GAPS)],
    "numpy.nanvar": [(lambda x: np.nanvar(x, ddof=1), NAN), (lambda x: np.nanvar(x, axis=0), GAPS)],
    "numpy.nanstd": [(lambda x: np.nanstd(x), NAN), (lambda x: np.nanstd(x, axis=0, ddof=1), GAPS)],
    "numpy.nanmax": [(lambda x: np.nanmax(x * x), NAN), (lambda x: np.nanmax(x, axis=1, keepdims=True), GAPS)],
    "numpy.nanmin": [(lambda x: np.nanmin(x * x), NAN), (lambda x: np.nanmin(x, 0), GAPS)],
    "numpy.cov": [
        (lambda x: np.cov(x), A),
        (lambda x: np.cov(x, rowvar=False, bias=True), A),
        (lambda x: np.cov(x, x * x, ddof=0), V),
        (lambda x: np.cov(x), V),
        (lambda x: np.cov(x, fweights=[1, 2, 3, 1]), A),
        (lambda x: np.cov(x, aweights=x[0]), A),
    ],
    "numpy.corrcoef": [(lambda x: np.corrcoef(x), A), (lambda x: np.corrcoef(x, np.sin(9.0 * x))[0, 1], V)],
}
SCANS = {
    "numpy.cumsum": [
        (lambda x: np.cumsum(x), V),
        (lambda x: np.cumsum(x), A),
        (lambda x: np.cumsum(x, axis=0), A),
        (lambda x: x.cumsum(axis=1), T),
        (lambda x: np.cumsum(x, -1), T),
        (lambda x: np.cumsum(K, dtype=float) * x, V),
        (lambda x: np.cumsum(K > 1) * x, V),
        (lambda x: np.cumsum(x), V[:0]),
    ],
    "numpy.cumprod": [
        (lambda x: np.cumprod(x), Z),
        (lambda x: np.cumprod(x, axis=0), A),
        (lambda x: x.cumprod(1), A),
        (lambda x: np.cumprod(K + 1) * x, V),
    ],
    "numpy.nancumsum": [(lambda x: np.nancumsum(x * x), NAN), (lambda x: np.nancumsum(x, axis=0), GAPS)],
    "numpy.nancumprod": [(lambda x: np.nancumprod(x), NAN), (lambda x: np.nancumprod(x, axis=1), GAPS)],
    "numpy.cumulative_sum": [
        (lambda x: np.cumulative_sum(x), V),
        (lambda x: np.cumulative_sum(x, axis=1, include_initial=True), A),
    ],
    "numpy.cumulative_prod": [
        (lambda x: np.cumulative_prod(x, include_initial=True), V),
        (lambda x: np.cumulative_prod(x, axis=0), A),
    ],
    "numpy.diff": [
        (lambda x: np.diff(x), V),
        (lambda x: np.diff(x, n=2, axis=0), A),
        (lambda x: np.diff(x, prepend=0.0, append=x[:2]), V),
        (lambda x: np.diff(x, 3, 1, append=1.0), A),
        (lambda x: np.diff(x > 1.0) * x[1:], V),
        (lambda x: np.diff(x, 0), V),
    ],
    "numpy.ediff1d": [
        (lambda x: np.ediff1d(x), A),
        (lambda x: np.ediff1d(x, to_end=[1.0, 2.0], to_begin=x[0]), V),
    ],
    "numpy.gradient": [
        (lambda x: np.gradient(x), V),
        (lambda x: np.gradient(x, 0.1, edge_order=2), V),
        (lambda x: np.gradient(np.sin(x), GRID), V),
        (lambda x: np.gradient(x, GRID * x[0], edge_order=2), V),
        (lambda x: np.gradient(x)[1], A),
        (lambda x: np.gradient(x, 0.5, [1.0, 2.0, 4.0, 5.0])[1], A),
        (lambda x: np.gradient(x, 2.0, axis=0), A),
        (lambda x: np.gradient(x, axis=(2, 1), edge_order=2)[1], T),
    ],
}
POLYNOMIALS = {
    "numpy.polyval": [
        (lambda x: np.polyval(x, 0.7), V),
        (lambda x: np.polyval(x[:3], x), V),
        (lambda x: np.polyval([1.0, 2.0, 3.0], x), A),
    ],
    "numpy.polyadd": [(lambda x: np.polyadd(x, x[:2]), V), (lambda x: np.polyadd([1, 2], x), V)],
    "numpy.polysub": [(lambda x: np.polysub(x[:2], x), V)],
    "numpy.polymul": [
        (lambda x: np.polymul(x, x[:2]), V),
        (lambda x: np.polymul([0.0, 0.0, 1.0], x), V),
        (lambda x: np.polymul(x, [0.0, 0.0]), V),
    ],
    "numpy.polyder": [(lambda x: np.polyder(x), V), (lambda x: np.polyder(x, 2), V), (lambda x: np.polyder(x, 0), V)],
    "numpy.polyint": [
        (lambda x: np.polyint(x), V),
        (lambda x: np.polyint(x, 2, k=[x[0], 3.0]), V),
        (lambda x: np.polyint(x, m=1, k=x[1]), V),
    ],
    "numpy.polynomial.polynomial.polyval": [
        (lambda x: np.polynomial.polynomial.polyval(x, x[:3]), V),
        (lambda x: np.polynomial.polynomial.polyval(x[0], A), V),
    ],
    "numpy.polynomial.chebyshev.chebval": [
        (lambda x: np.polynomial.chebyshev.chebval(x, x[:4]), V),
        (lambda x: np.polynomial.chebyshev.chebval(x, [1.0]), V),
        (lambda x: np.polynomial.chebyshev.chebval(x, A), V),
        (lambda x: np.polynomial.chebyshev.chebval(x, x[:, :4], tensor=False), A),
    ],
    "numpy.polynomial.legendre.legval": [(lambda x: np.polynomial.legendre.legval(x, x), V)],
    "numpy.polynomial.hermite.hermval": [(lambda x: np.polynomial.hermite.hermval(x, x[:5]), V)],
    "numpy.polynomial.hermite_e.hermeval": [(lambda x: np.polynomial.hermite_e.hermeval(x, x[:5]), V)],
    "numpy.polynomial.laguerre.lagval": [(lambda x: np.polynomial.laguerre.lagval(x, x[:5]), V)],
}
SIGNALS = {
    "numpy.convolve": [
        *((_in_mode(np.convolve, mode, n, m), V) for mode in MODES for n, m in ((6, 3),)),
        (_in_mode(np.convolve, "valid", 2, 6), V),
        (lambda x: np.convolve([1.0, -2.0], x), V),
    ],
    "numpy.correlate": [
        *((_in_mode(np.correlate, mode, n, m), V) for mode in MODES for n, m in ((4, 6),)),
        (lambda x: np.correlate(x, [0.5, -1.0]), V),
    ],
    "scipy.signal.convolve": [
        *((_in_mode(scipy.signal.convolve, mode, n, m), V) for mode in MODES for n, m in ((2, 6),)),
        (lambda x: scipy.signal.convolve(x, x, method="direct"), V),
    ],
    "scipy.signal.lfilter": [
        (lambda x: scipy.signal.lfilter([0.2, 0.3], [1.0, -0.5, 0.1], x), V),
        (lambda x: scipy.signal.lfilter(x[:3], [2.0, x[3]], x), V),
        (lambda x: scipy.signal.lfilter([0.5], [1.0], x, axis=0), A),
        (lambda x: scipy.signal.lfilter([0.5, 0.1], [1.0, 0.2], x, 0), A),
        (lambda x: scipy.signal.lfilter([0.5, 0.1], [1.0, 0.2], x, zi=x[:1])[1], V),
    ],
    "scipy.signal.sosfilt": [
        (lambda x: scipy.signal.sosfilt([[0.1, 0.2, 0.1, 1.0, -0.9, 0.3], [1.0, 0.5, 0.2, 1.0, 0.1, 0.2]], x), V),
        (lambda x: scipy.signal.sosfilt([[0.1, 0.2, 0.1, 1.0, -0.9, 0.3]], x, axis=0), A),
    ],
    "scipy.signal.detrend": [
        (lambda x: scipy.signal.detrend(x), V),
        (lambda x: scipy.signal.detrend(x, axis=0, type="constant"), A),
        (lambda x: scipy.signal.detrend(x * x, 1), A),
    ],
    "scipy.ndimage.correlate1d": [
        (_with_edges("reflect"), V),
        (_with_edges("mirror"), V),
        (lambda x: scipy.ndimage.correlate1d(x, x[0], axis=0, origin=1), A),
        (lambda x: scipy.ndimage.correlate1d(x, [1.0, 2.0, 3.0], mode="constant", cval=2.5), V),
    ],
    "scipy.ndimage.convolve1d": [
        (lambda x: scipy.ndimage.convolve1d(x, [0.1, 0.5, -0.3]), V),
        (lambda x: scipy.ndimage.convolve1d(x, [0.1, 0.5], axis=0, mode="nearest"), A),
    ],
    "scipy.ndimage.gaussian_filter1d": [
        (lambda x: scipy.ndimage.gaussian_filter1d(x, 0.8), V),
        (lambda x: scipy.ndimage.gaussian_filter1d(x, 1.0, axis=0, mode="wrap"), A),
    ],
    "numpy.hanning": [(lambda x: np.hanning(6) * x, V), (lambda x: np.hanning(1) * x, V)],
    "numpy.hamming": [(lambda x: np.hamming(6) * x, V)],
    "numpy.blackman": [(lambda x: np.blackman(6) * x, V)],
    "numpy.bartlett": [(lambda x: np.bartlett(6) * x, V), (lambda x: np.bartlett(0), V)],
    "numpy.kaiser": [(lambda x: np.kaiser(6, 8.6) * x, V), (lambda x: np.kaiser(5, 3.0 * x[0]), V)],
    "numpy.unwrap": [
        (lambda x: np.unwrap(9.0 * x), V),
        (lambda x: np.unwrap(x * x, axis=0, period=0.5), A),
        (lambda x: np.unwrap(9.0 * x, discont=4.0), V),
    ],
    "scipy.integrate.cumulative_trapezoid": [
        (lambda x: scipy.integrate.cumulative_trapezoid(x), V),
        (lambda x: scipy.integrate.cumulative_trapezoid(x * x, x, initial=0), V),
        (lambda x: scipy.integrate.cumulative_trapezoid(x, dx=0.3, axis=0), A),
    ],
    "scipy.integrate.simpson": [
        (lambda x: scipy.integrate.simpson(x, dx=0.2), V),
        (lambda x: scipy.integrate.simpson(x[:5]), V),
        (lambda x: scipy.integrate.simpson(x, x=GRID), V),
        (lambda x: scipy.integrate.simpson(x[:5], GRID[:5] * x[0]), V),
        (lambda x: scipy.integrate.simpson(x, axis=0), A),
        (lambda x: scipy.integrate.simpson(x[:2]), V),
    ],
}
ELEMENTWISE = {
    "numpy.heaviside": [(lambda x: np.heaviside(x, 0.5) * x, Z), (lambda x: np.heaviside([-1.0, 0.0, 2.0], x[:3]), V)],
    "numpy.nan_to_num": [
        (lambda x: np.nan_to_num(x), NAN),
        (lambda x: np.nan_to_num(INFINITE * x, posinf=3.0, neginf=-2.0), V),
        (lambda x: np.nan_to_num(K) * x, V),
    ],
    "numpy.sinc": [(lambda x: np.sinc(x), Z), (lambda x: np.sinc(0.3 * x), A)],
    "numpy.fmax": [(lambda x: np.fmax(x, 0.5), NAN), (lambda x: np.fmax(x, x[::-1]), V)],
    "numpy.fmin": [(lambda x: np.fmin(x, 0.5), NAN), (lambda x: np.fmin(1.0, x), A)],
    "numpy.fmod": [
        (lambda x: np.fmod(x, 0.3), V),
        (lambda x: np.fmod(-7.0, x), V),
        (lambda x: np.fmod(-x, x[::-1] * 0.3), V),
        (lambda x: np.fmod(K - 3, 2) * x, V),
    ],
    "numpy.divmod": [(lambda x: np.divmod(x, 0.3)[1], V), (lambda x: np.divmod(x, 0.3)[0] * x, V)],
    "numpy.modf": [(lambda x: np.modf(3.0 * x)[0], V), (lambda x: np.modf(-3.0 * x)[1] * x, V)],
    "numpy.frexp": [(lambda x: np.frexp(37.0 * x)[0], V), (lambda x: np.frexp(1e-3 * x)[1] * x, A)],
    "numpy.ldexp": [(lambda x: np.ldexp(x, 5), V), (lambda x: np.ldexp(x, K - 3), V)],
    "numpy.signbit": [(lambda x: np.signbit(x) * x, V), (lambda x: np.signbit(-x) * x, V)],
    "numpy.spacing": [(lambda x: np.spacing(x) + x, V)],
    "numpy.finfo": [(lambda x: np.finfo(x.dtype).eps * x + np.finfo(float).max * 1e-300 * x, V)],
    "numpy.iinfo": [(lambda x: np.iinfo(np.int64).max * x, V)],
    "numpy.isposinf": [(lambda x: np.isposinf(x) * x, V)],
    "numpy.isneginf": [(lambda x: np.isneginf(x) * x, V)],
    "numpy.gcd": [(lambda x: np.gcd(K, [4, 6, 9, 8, 15, 0]) * x, V), (lambda x: np.gcd(12, -18) * x, V)],
    "numpy.lcm": [(lambda x: np.lcm(K, [4, 6, 9, 8, 15, 0]) * x, V)],
    "numpy.logaddexp2": [(lambda x: np.logaddexp2(x, x[::-1]), V)],
    "numpy.i0": [(lambda x: np.i0(x), V), (lambda x: np.i0(9.0 * x), A)],
    "numpy.round": [
        (lambda x: np.round(x, 1) * x, V),
        (lambda x: x.round(2) + x, A),
        (lambda x: np.round(K, -1) * x, V),
    ],
    "numpy.around": [(lambda x: np.around(123.0 * x, -2) * x, V), (lambda x: np.around(x) * x, V)],
    "numpy.isclose": [
        (lambda x: np.isclose(x, x + 1e-9) * x, V),
        (lambda x: np.isclose(INFINITE, INFINITE, equal_nan=True) * x, V),
    ],
    "numpy.allclose": [(lambda x: np.allclose(x, x * 1.1) * x, V)],
    "numpy.array_equal": [(lambda x: np.array_equal(x, x) * x, V), (lambda x: np.array_equal(x, x[1:]) * x, V)],
    "numpy.array_equiv": [(lambda x: np.array_equiv(x, 1.0) * x, V)],
}
# Values only: of nan there are no difference quotients, and integers have no derivative.
VALUES = [
    *((_by_method(method), V) for method in METHODS),
    *((_in_mode(np.convolve, mode, n, m), V) for mode in MODES for n, m in ((6, 3), (2, 6))),
    *((_in_mode(np.correlate, mode, n, m), V) for mode in MODES for n, m in ((6, 3), (2, 6), (4, 6), (6, 4))),
    *((_in_mode(scipy.signal.convolve, mode, n, m), V) for mode in MODES for n, m in ((6, 3), (2, 6), (6, 2))),
    *((_with_edges(mode), V) for mode in EDGES),
    (lambda x: np.argsort(x), NAN),
    (lambda x: np.argsort(x), V[:0]),
    (lambda x: np.sort(x), NAN),
    (lambda x: np.sort(x), np.array([0.0, -0.0, np.inf, -np.inf, -0.0])),
    (lambda x: np.sort(x), np.array([True, False, True])),
    (lambda x: np.sort(x, 0), np.array([[3, 1], [2, 5], [-9, 7]])),
    (lambda x: np.unique(x), NAN),
    (lambda x: np.unique(x, equal_nan=False), NAN),
    (lambda x: np.unique(x, return_counts=True), np.array([[3, 1], [1, 3]])),
    (lambda x: np.unique(x, return_inverse=True), np.array([[3, 1], [1, 2]])),
    (lambda x: np.argmax(x), NAN),
    (lambda x: np.argmin(x), NAN),
    (lambda x: np.argmax(x, axis=0), GAPS),
    (lambda x: np.argmax(x), K),
    (lambda x: np.nanargmin(x, 0), GAPS),
    (lambda x: np.searchsorted(np.sort(x), [0.0, 1.0, np.nan]), NAN),
    (lambda x: np.searchsorted(np.sort(x), [0.0, 1.0, np.nan], "right"), NAN),
    (lambda x: np.median(x), NAN),
    (lambda x: np.median(x, axis=0), GAPS),
    (lambda x: np.quantile(x, 0.2, 0), GAPS),
    (lambda x: np.nanmax(x), np.array([np.nan, np.nan])),
    (lambda x: np.nanmedian(x), np.array([np.nan, np.nan])),
    (lambda x: np.fmax(x, 0.5), NAN),
    (lambda x: np.signbit(x), np.array([0.0, -0.0, np.inf, -np.inf, -1.0, 1.0])),
    (lambda x: np.isposinf(x), INFINITE),
    (lambda x: np.isneginf(x), INFINITE),
    (lambda x: np.frexp(x), np.array([0.0, -0.0, 1.0, 0.5, -8.0, 5e-324, 1.7e308, np.inf, -np.inf, np.nan, 3.0])),
    (lambda x: np.modf(x), np.array([0.0, -0.0, 1.5, -2.25, np.inf, -np.inf, np.nan, 1e300])),
    (lambda x: np.ldexp(x, [1, 1023, -1074, 2000, -2000, 3]), np.array([3.0, 1.0, 1.0, 5.0, 1.0, -0.0])),
    (lambda x: np.spacing(x), np.array([1.0, -1.0, 0.0, 5e-324, 1e300, -3.7, np.inf, np.nan])),
    (lambda x: np.fmod(x, 2.0), np.array([3.0, -3.0, 2.0, -2.0, -0.0, np.inf, np.nan, 1e300])),
    (lambda x: np.fmod(x, [2, 0, -3]), np.array([7, 5, -7])),
    (lambda x: np.heaviside(x, 0.3), np.array([0.0, -0.0, np.nan, np.inf, -np.inf])),
    (lambda x: np.nan_to_num(x), INFINITE),
    (lambda x: np.logaddexp(x, x[::-1]), np.array([np.inf, -np.inf, 0.0, np.nan, 800.0, -800.0, np.inf, -np.inf])),
    (lambda x: np.logaddexp(x, x), np.array([np.inf, -np.inf, 0.0, 1e308])),
    (lambda x: np.gcd(x, [0, 0, -12, 18]), np.array([0, -7, 18, 12])),
    (lambda x: np.lcm(x, [0, 5, -12, 18]), np.array([0, 0, 18, 12])),
    (lambda x: np.round(x, 2), np.array([1.005, 2.5, -3.14159, np.inf, np.nan, 1e300])),
    (lambda x: np.bincount(x), np.array([], np.int64)),
    (lambda x: np.cumsum(x), np.array([-0.0, -0.0])),
    (lambda x: np.sum(x, axis=()), A),
    (lambda x: np.max(x, initial=1.0), V[:0]),
    (lambda x: np.min(x, axis=1, initial=0.9), A),
    (lambda x: np.max(x, axis=0, initial=0.1, where=MASK), A),
    (lambda x: np.sum(x, 0, float, None, True), A),
    (lambda x: np.sum(x, axis=1, where=MASK, initial=5.0), A),
    (lambda x: np.sum(x > 1.0, dtype=float), V),
    (lambda x: np.any(x > 1.4, axis=0, where=MASK), A),
    (lambda x: np.all(x > 0.9, where=MASK, keepdims=True), A),
    (lambda x: np.mean(x, 0, None, None, True), A),
    (lambda x: x.sum(1, float), A),
]
CALLS = {**ORDERING, **SEARCHING, **COUNTING, **STATISTICS, **SCANS, **POLYNOMIALS, **SIGNALS, **ELEMENTWISE}


def _put_along(x, axis):
    y = x.copy()
    places = np.array([0, 2]) if axis is None else np.argmax(x, axis=axis, keepdims=True)
    np.put_along_axis(y, places, x[0, 0] * x[0, 1] if axis == 1 else x[:2] * x[1:3], axis)
    return y


def _put(x):
    y = x.copy()
    np.put(y, [1, -1, 3], x[0, :2])
    return y


def _put_method(x):
    y = x.copy()
    y.T.put([5, -1], 4.0)
    y.put(2, x[0, 0] * 3.0)
    return y


def _place(x):
    y = x.copy()
    np.place(y.T, MASK.T, x[0, :2])
    return y

"""Calls of functions of sets and of places that are counted, for the tests of the library."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(23)
V = RNG.uniform(0.5, 1.5, 6)
A = RNG.uniform(0.5, 1.5, (3, 4))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))
K = np.array([2, 0, 1, 2, 5, 0])
J = np.array([5, 3, 2])
ZEROS = np.array([0.0, 0.0, 0.7, 0.0, -1.3, 0.0])

SETS = {
    "numpy.union1d": [
        (lambda x: np.union1d(x, x[:2] * 2.0), V),
        (lambda x: np.union1d(K, J) * x[:5], V),
        (lambda x: np.union1d(x, [3, 4]), A),
    ],
    "numpy.intersect1d": [
        (lambda x: np.intersect1d(x, x[::2]), V),
        (lambda x: np.intersect1d(K, J) * x[:2], V),
        (lambda x: np.intersect1d(x, x[1], assume_unique=True), A),
        (lambda x: np.intersect1d(K, J * 1.0) * x[:2], V),
    ],
    "numpy.setdiff1d": [
        (lambda x: np.setdiff1d(x, x[::2]), V),
        (lambda x: np.setdiff1d(K, J) * x[:2], V),
        (lambda x: np.setdiff1d(x, x[1], True), A),
    ],
    "numpy.setxor1d": [
        (lambda x: np.setxor1d(x[:4], x[2:]), V),
        (lambda x: np.setxor1d(K, J) * x[:3], V),
        (lambda x: np.setxor1d(J, J + 2, assume_unique=True) * x[:4], V),
    ],
    "numpy.trim_zeros": [
        (lambda x: np.trim_zeros(x * ZEROS), V),
        (lambda x: np.trim_zeros(x * ZEROS, "f"), V),
        (lambda x: np.trim_zeros(x * ZEROS, trim="B") * 2.0, V),
        (lambda x: np.trim_zeros(0.0 * x), V),
    ],
}
PLACES = {
    "numpy.unravel_index": [
        (lambda x: x[np.unravel_index(np.argmax(x), x.shape)], A),
        (lambda x: x[np.unravel_index(np.argmin(x), x.shape)] ** 2, T),
        (lambda x: x[np.unravel_index([5, 0, 11], x.shape, order="F")], A),
        (lambda x: np.unravel_index(7, (3, 4))[1] * x, V),
        (lambda x: x[np.unravel_index(J, 6)], V),
    ],
    "numpy.ravel_multi_index": [
        (lambda x: x.ravel()[np.ravel_multi_index((1, 2), x.shape)], A),
        (lambda x: x.ravel()[np.ravel_multi_index(([0, 2], [3, 1]), x.shape, order="F")], A),
        (lambda x: x.ravel()[np.ravel_multi_index(np.array([[0, -2], [3, 5]]), x.shape, mode="wrap")], A),
        (lambda x: x.ravel()[np.ravel_multi_index(([0, 7], [3, -5]), x.shape, ("clip", "wrap"))], A),
    ],
    "numpy.ndindex": [
        (lambda x: sum([x[i] * (i[0] + 1) for i in np.ndindex(3, 4)]), A),
        (lambda x: _walked(x), T),
    ],
    "numpy.ndenumerate": [
        (lambda x: _weighted(x), A),
        (lambda x: _weighted_by_place(x), T),
    ],
    "numpy.putmask": [
        (lambda x: _masked(x, x > 1.0, 0.0), V),
        (lambda x: _masked(x, x > 1.0, x[0, :3] * 2.0), A),
        (lambda x: _masked(x, K > 0, [x[0], x[1] * x[2]]), V),
    ],
    "numpy.histogram2d": [
        (lambda x: np.histogram2d(x[0], x[1], bins=2, range=[(0.4, 1.6), (0.4, 1.6)], weights=x[2])[0], A),
        (lambda x: np.histogram2d(x[0], x[1], [2, 3], density=True, weights=x[2])[0], A),
        (lambda x: np.histogram2d(x[0], x[1], bins=([0.4, 1.0, 1.6], np.array([0.5, 1.0, 1.5])))[0] * x[0, 0], A),
        (lambda x: np.histogram2d(x, 2.0 * x, 3)[2] * x[:4], V),
    ],
    "numpy.polydiv": [
        (lambda x: np.polydiv(x, x[:2])[0], V),
        (lambda x: np.polydiv(x[:5], x[2:5])[1], V),
        (lambda x: np.polydiv(x[:2], x)[0], V),
        (lambda x: np.polydiv(np.polymul(x[:3], x[3:]), x[:3])[0], V),
    ],
    "numpy.bitwise_count": [
        (lambda x: np.bitwise_count(K) * x, V),
        (lambda x: np.bitwise_count(np.array([-1, -(2**62), 2**62 - 1, 0, 255, -7])) * x, V),
        (lambda x: np.bitwise_count(np.array([-128, 127, 3, 0, -1, 5], np.int8)) * x, V),
        (lambda x: np.bitwise_count(6) * x, V),
    ],
    "numpy.real_if_close": [(lambda x: np.real_if_close(x) * x, V), (lambda x: np.real_if_close(K, tol=10) * x, V)],
}
CALLS = {**SETS, **PLACES}


def _walked(x):
    total = 0.0
    for i, j, k in np.ndindex(x.shape):
        total += x[i, j, k] * (i + 2 * j - k)
    return total


def _weighted(x):
    total = 0.0
    for (i, j), v in np.ndenumerate(x):
        total += v * v * (1 + i * j)
    return total


def _weighted_by_place(x):
    total = 0.0
    for place, v in np.ndenumerate(x[:, ::2]):
        total += v * x[place[0], 0, place[2]] + v
    return total


def _masked(x, mask, values):
    y = x.copy()
    np.putmask(y, mask, values)
    return y

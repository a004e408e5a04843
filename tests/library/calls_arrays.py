"""Calls of methods and attributes of arrays, of what makes arrays, and of NumPy's objects between brackets."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(9)
V = RNG.uniform(0.5, 1.5, 5)
A = RNG.uniform(0.5, 1.5, (3, 4))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))


def written_flat(x):
    y = x * 1.0
    y.flat[3] = x[0, 0] * x[0, 1]
    total = 0.0
    for v in y.flat:
        total += v * v
    return total


def listed(x):
    total = 0.0
    for row in x.tolist():
        for v in row:
            total += v * v
    return total


CALLS = {
    "ndarray.flat": [(written_flat, A), (lambda x: x.T.flat[3] * x.flat[1], A)],
    "ndarray.tolist": [(listed, A), (lambda x: sum(x.tolist()), V), (lambda x: x[0].tolist() * 2, V)],
    "ndarray.item": [
        (lambda x: x[:1, :1].item(), A),
        (lambda x: x.item(3), A),
        (lambda x: x.item(1, 2) * x.item((0, -1)), A),
        (lambda x: x[0].item(), V),
    ],
    "ndarray.mT": [(lambda x: x.mT, T)],
    "ndarray.nbytes": [(lambda x: x * x.nbytes + x.itemsize, A)],
    "ndarray.flatten": [(lambda x: x.flatten(), A), (lambda x: x.T.flatten("F"), A), (lambda x: x.flatten("F"), T)],
    "ndarray.diagonal": [(lambda x: x.diagonal(1), A), (lambda x: x.diagonal(axis1=1, axis2=2), T)],
    "ndarray.repeat": [(lambda x: x.repeat(2, axis=0), A), (lambda x: x.repeat(2), A)],
    "ndarray.swapaxes": [(lambda x: x.swapaxes(0, -1), T)],
    "ndarray.astype": [(lambda x: x.astype(float, copy=False), A), (lambda x: x.astype(float), A)],
    "ndarray.copy": [(lambda x: x.copy("C"), A)],
    "numpy.astype": [(lambda x: np.astype(x, int) * x, A)],
    "numpy.arange": [
        (lambda x: np.arange(0.1, 1, 0.1) * x[0], V),
        (lambda x: np.arange(stop=4) * x[0], V),
        (lambda x: np.arange(5, dtype=float) * x, V),
        (lambda x: np.arange(x[0], 3, 0.5), V),
        (lambda x: np.arange(x[0], x[0] + 1, x[0] / 3.5), V),
        (lambda x: np.arange(3, 0, -1) * x[0], V),
    ],
    "numpy.array": [
        (lambda x: np.array(x, ndmin=3), A),
        (lambda x: np.array([x, x], ndmin=3, dtype=float), V),
        (lambda x: np.array(x[0], ndmin=1), V),
    ],
    "numpy.asarray": [(lambda x: np.asarray(x, copy=True), A), (lambda x: np.asanyarray(x), A)],
    "numpy.ascontiguousarray": [
        (lambda x: np.ascontiguousarray(x), A),
        (lambda x: np.ascontiguousarray(x.T), A),
        (lambda x: np.ascontiguousarray(x[0]), V),
    ],
    "numpy.asfortranarray": [(lambda x: np.asfortranarray(x), A), (lambda x: np.asfortranarray(x.T), A)],
    "numpy.copy": [(lambda x: np.copy(x, "K"), A)],
    "numpy.zeros_like": [(lambda x: np.zeros_like(x, shape=(2, 2)) + x[0, 0], A)],
    "numpy.ones_like": [(lambda x: np.ones_like(x, dtype=float, shape=3) * x[0, 0], A)],
    "numpy.full_like": [(lambda x: np.full_like(x, x[0]), A)],
    "numpy.full": [(lambda x: np.full((2, 5), x), V), (lambda x: np.full((2, 2), [x[0], x[1]]), V)],
    "numpy.identity": [(lambda x: np.identity(3, dtype=float) @ x, A)],
    "numpy.zeros": [(lambda x: np.zeros((3, 4), float, "C") + x, A)],
    "numpy.mgrid": [
        (lambda x: np.mgrid[0:3, 0:4] * x, A),
        (lambda x: np.mgrid[0:1:5j] * x, V),
        (lambda x: np.mgrid[x[0] : 3 : 5j, 0:2:0.5], V),
        (lambda x: np.mgrid[0:5] * x, V),
        (lambda x: np.mgrid[0 : 1 : len(x) * 1j] * x, V),
    ],
    "numpy.ogrid": [
        (lambda x: np.ogrid[0:3, 0:1:4j][0] * x, A),
        (lambda x: np.ogrid[0 : x[0, 0] : 3j, 0:4][0] * x, A),
        (lambda x: np.ogrid[0:5:2] * x[0], V),
    ],
    "numpy.r_": [
        (lambda x: np.r_[x, 1.0, x[0], 0:3], V),
        (lambda x: np.r_[0:1:3j, x], V),
        (lambda x: np.r_[x, x], A),
        (lambda x: np.r_["-1", x, x], A),
        (lambda x: np.r_["0,2", x, x], V),
        (lambda x: np.r_["1,2,0", x, x], V),
        (lambda x: np.r_[[1.0, 2], x], V),
    ],
    "numpy.c_": [
        (lambda x: np.c_[x, x * x], V),
        (lambda x: np.c_[x, x[:, 0]], A),
        (lambda x: np.c_[0:5, x], V),
        (lambda x: np.c_[x[:1], 1.0], V),
    ],
}

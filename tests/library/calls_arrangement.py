"""Calls of the functions that rearrange arrays and put them together, for the tests of the library."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(5)
V, W = RNG.uniform(0.5, 1.5, (2, 5))
A, B = RNG.uniform(0.5, 1.5, (2, 3, 4))
S = RNG.uniform(0.5, 1.5, (3, 3))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))

CALLS = {
    "numpy.roll": [
        (lambda x: np.roll(x, 2), V),
        (lambda x: np.roll(x, -7), V),
        (lambda x: np.roll(x, 1), A),
        (lambda x: np.roll(x, 1, axis=0), A),
        (lambda x: np.roll(x, -1, 1), A),
        (lambda x: np.roll(x, (1, 2), (0, 1)), A),
        (lambda x: np.roll(x, 1, axis=(0, 1)), A),
        (lambda x: np.roll(x, 3), V[:0]),
    ],
    "numpy.flipud": [(lambda x: np.flipud(x), A), (lambda x: np.flipud(x), V)],
    "numpy.fliplr": [(lambda x: np.fliplr(x), A)],
    "numpy.rot90": [
        (lambda x: np.rot90(x), A),
        (lambda x: np.rot90(x, 2), A),
        (lambda x: np.rot90(x, -1), A),
        (lambda x: np.rot90(x, 4), A),
        (lambda x: np.rot90(x, 1, (1, 2)), T),
    ],
    "numpy.moveaxis": [
        (lambda x: np.moveaxis(x, 0, -1), T),
        (lambda x: np.moveaxis(x, (0, 1), (2, 0)), T),
        (lambda x: np.moveaxis(x, [-1, 0], [0, 1]), T),
    ],
    "numpy.atleast_1d": [(lambda x: np.atleast_1d(x), V), (lambda x: np.atleast_1d(x[0]), V)],
    "numpy.atleast_2d": [(lambda x: np.atleast_2d(x), V), (lambda x: np.atleast_2d(x, x[1])[1], V)],
    "numpy.atleast_3d": [(lambda x: np.atleast_3d(x), V), (lambda x: np.atleast_3d(x), A)],
    "numpy.tile": [
        (lambda x: np.tile(x, 3), V),
        (lambda x: np.tile(x, (2, 3)), V),
        (lambda x: np.tile(x, 2), A),
        (lambda x: np.tile(x, (2, 1, 2)), A),
    ],
    "numpy.repeat": [
        (lambda x: np.repeat(x, 3), V),
        (lambda x: np.repeat(x, 2), A),
        (lambda x: np.repeat(x, 2, axis=0), A),
        (lambda x: np.repeat(x, [1, 0, 2, 1], axis=1), A),
        (lambda x: np.repeat(x, np.array([2, 0, 1]), 0), A),
    ],
    "numpy.tril": [(lambda x: np.tril(x), A), (lambda x: np.tril(x, -1), A), (lambda x: np.tril(x, 1), T)],
    "numpy.triu": [(lambda x: np.triu(x), A), (lambda x: np.triu(x, k=2), A), (lambda x: np.triu(x), S)],
    "numpy.tri": [(lambda x: np.tri(3, 4, 1) * x, A), (lambda x: np.tri(3) * x, S)],
    "numpy.diagonal": [
        (lambda x: np.diagonal(x), A),
        (lambda x: np.diagonal(x, 1), A),
        (lambda x: np.diagonal(x, -1), A),
        (lambda x: np.diagonal(x, 0, 0, 2), T),
        (lambda x: np.diagonal(x, 9), A),
    ],
    "numpy.diag": [
        (lambda x: np.diag(x), V),
        (lambda x: np.diag(x, 1), V),
        (lambda x: np.diag(x, -2), V),
        (lambda x: np.diag(x), A),
        (lambda x: np.diag(x, k=-1), A),
    ],
    "numpy.diagflat": [(lambda x: np.diagflat(x, 1), S)],
    "numpy.kron": [
        (lambda x: np.kron(x, x[1:]), V),
        (lambda x: np.kron(x, x.T), A),
        (lambda x: np.kron(x[0], x), A),
        (lambda x: np.kron(2.0, x), A),
    ],
    "numpy.cross": [(lambda x: np.cross(x[0], x[1]), S), (lambda x: np.cross(x, x[::-1]), S)],
    "numpy.linalg.cross": [(lambda x: np.linalg.cross(x, x[::-1]), S)],
    "numpy.meshgrid": [
        (lambda x: np.meshgrid(x, x[1:])[0], V),
        (lambda x: np.meshgrid(x, x[1:])[1], V),
        (lambda x: np.meshgrid(x, x[1:], x[2:], indexing="ij")[2], V),
        (lambda x: np.meshgrid(x, x[1:], sparse=True)[1], V),
        (lambda x: np.meshgrid(x)[0], V),
    ],
    "numpy.append": [
        (lambda x: np.append(x, 2.0), V),
        (lambda x: np.append(x, x[:2]), A),
        (lambda x: np.append(x, x, axis=1), A),
    ],
    "numpy.dstack": [(lambda x: np.dstack((x, x * x)), A), (lambda x: np.dstack((x, x * x)), V)],
    "numpy.column_stack": [(lambda x: np.column_stack((x, x * x)), V), (lambda x: np.column_stack((x, x[:, 0])), A)],
    "numpy.vander": [(lambda x: np.vander(x), V), (lambda x: np.vander(x, 3, increasing=True), V)],
    "numpy.polyval": [
        (lambda x: np.polyval(x, 0.7), V),
        (lambda x: np.polyval(x[:3], x), V),
        (lambda x: np.polyval([1.0, 2.0, 3.0], x), A),
    ],
    "numpy.ediff1d": [(lambda x: np.ediff1d(x), A)],
    "numpy.trapezoid": [
        (lambda x: np.trapezoid(x), V),
        (lambda x: np.trapezoid(x, dx=0.1, axis=0), A),
        (lambda x: np.trapezoid(x * x, x), V),
        (lambda x: np.trapezoid(x, x * x, axis=0), A),
    ],
    "scipy.integrate.trapezoid": [(lambda x: np.trapezoid(x), V)],
}

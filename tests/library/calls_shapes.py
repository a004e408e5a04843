"""Calls of what makes, splits, pads and rearranges arrays, and of what applies functions to them."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RNG = np.random.default_rng(7)
V = RNG.uniform(0.5, 1.5, 5)
A = RNG.uniform(0.5, 1.5, (3, 4))
S = RNG.uniform(0.5, 1.5, (3, 3))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))
C = RNG.uniform(0.5, 1.5, (3, 3, 3))


@np.vectorize
def larger(a, b):
    return a if a > b else b * b


def both(a):
    return a, a * a


def rising(vector, width, axis, options):
    vector[: width[0]] = vector[width[0]] * options["by"]
    vector[len(vector) - width[1] :] = axis


def filled(x, *arguments, **keywords):
    y = x * 1.0
    np.fill_diagonal(y, *arguments, **keywords)
    return y


def copied(x, *arguments, **keywords):
    y = x * 1.0
    np.copyto(y, *arguments, **keywords)
    return y


CALLS = {
    "numpy.linspace": [
        (lambda x: np.linspace(x[0], 3, 5), V),
        (lambda x: np.linspace(x, x * 2, 4, axis=1), V),
        (lambda x: np.linspace(0, x[0], 5, retstep=True)[1], V),
        (lambda x: np.linspace(0, 10, 5, dtype=int) * x, V),
        (lambda x: np.linspace(0, x[0], 1), V),
        (lambda x: np.linspace(0, x[0], 0), V),
        (lambda x: np.linspace(0, x, 3, endpoint=False), V),
        (lambda x: np.linspace(x, x[0], 4, axis=-1), A),
    ],
    "numpy.logspace": [
        (lambda x: np.logspace(x[0], 2, 4), V),
        (lambda x: np.logspace(x[0], 2, 4, base=2), V),
        (lambda x: np.logspace(0, x, 3, axis=-1), V),
        (lambda x: np.logspace(0, 1, 3, base=x), V),
    ],
    "numpy.geomspace": [
        (lambda x: np.geomspace(x[0], 100, 4), V),
        (lambda x: np.geomspace(1, x, 4, axis=1), V),
        (lambda x: np.geomspace(-1, -x[0], 4, endpoint=False), V),
    ],
    "numpy.indices": [
        (lambda x: np.indices((2, 5))[1] * x, V),
        (lambda x: np.indices((2, 5), sparse=True)[1] * x, V),
        (lambda x: np.indices(x.shape, float)[0] * x, A),
    ],
    "numpy.fromfunction": [
        (lambda x: np.fromfunction(lambda i, j: i * x[0] + j * x[1], (2, 3)), V),
        (lambda x: np.fromfunction(lambda i: x[i], (4,), dtype=int), V),
    ],
    "numpy.fromiter": [
        (lambda x: np.fromiter((v * v for v in x), float), V),
        (lambda x: np.fromiter([v * v for v in x], float, 3), V),
    ],
    "numpy.copyto": [
        (lambda x: copied(x, x[0]), A),
        (lambda x: copied(x, 2.0, where=x > 1.0), A),
        (lambda x: copied(x, x[::-1], where=[True, False, True, False]), A),
    ],
    "numpy.asarray_chkfinite": [(lambda x: np.asarray_chkfinite(x), V)],
    "numpy.apply_along_axis": [
        (lambda x: np.apply_along_axis(np.sum, 0, x), A),
        (lambda x: np.apply_along_axis(lambda v: v * v[0], 0, x), A),
        (lambda x: np.apply_along_axis(lambda v, by: np.outer(v, v) * by, 1, x, by=2.0), T),
        (lambda x: np.apply_along_axis(lambda v: v[1:] * v[0], -1, x), V),
    ],
    "numpy.apply_over_axes": [
        (lambda x: np.apply_over_axes(np.sum, x, [0, 2]), T),
        (lambda x: np.apply_over_axes(np.max, x, -1), T),
    ],
    "numpy.piecewise": [
        (lambda x: np.piecewise(x, [x < 1, x >= 1], [lambda v: -v * v, lambda v: v * 3]), V),
        (lambda x: np.piecewise(x, [x < 1], [0.0, lambda v: v * 3]), A),
        (lambda x: np.piecewise(x, x < 1, [lambda v, a: a * v, 1.0], 2.0), V),
        (lambda x: np.piecewise(x, [x < 0.8, x > 1.2], [1.0, np.sin, np.cos]), A),
    ],
    "numpy.vectorize": [
        (lambda x: np.vectorize(lambda t: t * x[0, 0])(x), A),
        (lambda x: np.vectorize(both, otypes="dd")(x)[1], A),
        (lambda x: np.vectorize(both)(x)[0], A),
        (lambda x: np.vectorize(lambda t: t * t, otypes=[float])(x), V[:0]),
    ],
    "numpy.vectorize.__call__": [
        (lambda x: larger(x, 1.0), A),
        (lambda x: larger(x, x[0]), A),
        (lambda x: larger(x[0, 0], 1.0), A),
    ],
    "numpy.tril_indices": [(lambda x: x[np.tril_indices(3)], S), (lambda x: x[np.tril_indices(3, 1, 4)], A)],
    "numpy.triu_indices": [(lambda x: x[np.triu_indices(3, 1)], S), (lambda x: x[np.triu_indices(3, m=4)], A)],
    "numpy.tril_indices_from": [(lambda x: x[np.tril_indices_from(x, -1)], A)],
    "numpy.triu_indices_from": [(lambda x: x[np.triu_indices_from(x)], A)],
    "numpy.mask_indices": [(lambda x: x[np.mask_indices(3, np.triu, 1)], S)],
    "numpy.diag_indices": [(lambda x: x[np.diag_indices(3)], S), (lambda x: x[np.diag_indices(3, 3)], C)],
    "numpy.diag_indices_from": [(lambda x: x[np.diag_indices_from(x)], C)],
    "numpy.fill_diagonal": [
        (lambda x: filled(x, x[0, 1]), S),
        (lambda x: filled(x, 2.0), A),
        (lambda x: filled(x, x[0]), A.T),
        (lambda x: filled(x, x[1, 1], wrap=True), RNG.uniform(0.5, 1.5, (7, 3))),
        (lambda x: filled(x, [1.0, 2.0]), C),
    ],
    "numpy.rollaxis": [
        (lambda x: np.rollaxis(x, 2), T),
        (lambda x: np.rollaxis(x, 0, 3), T),
        (lambda x: np.rollaxis(x, 1, -1), T),
    ],
    "numpy.matrix_transpose": [(lambda x: np.matrix_transpose(x), T)],
    "numpy.linalg.matrix_transpose": [(lambda x: np.linalg.matrix_transpose(x), T)],
    "numpy.linalg.diagonal": [(lambda x: np.linalg.diagonal(x), T), (lambda x: np.linalg.diagonal(x, offset=1), T)],
    "numpy.broadcast_shapes": [
        (lambda x: np.zeros(np.broadcast_shapes((3, 1), (1, 4), (4,), 4)) + x, A),
        (lambda x: np.zeros(np.broadcast_shapes(x.shape, x[0].shape)) + x, T),
    ],
    "numpy.broadcast_arrays": [
        (lambda x: np.broadcast_arrays(x, x[0], 2.0)[0], A),
        (lambda x: np.broadcast_arrays(x, x[0], 2.0)[1], A),
        (lambda x: np.broadcast_arrays(x, x[0], 2.0)[2] * x, A),
    ],
    "numpy.resize": [
        (lambda x: np.resize(x, (3, 5)), A),
        (lambda x: np.resize(x, 7), V),
        (lambda x: np.resize(x, (2, 2)), A),
        (lambda x: np.resize(x[:0], (2, 2)) * x[0], V),
    ],
    "numpy.lib.stride_tricks.sliding_window_view": [
        (lambda x: sliding_window_view(x, 3), V),
        (lambda x: sliding_window_view(x, (2, 2)), A),
        (lambda x: sliding_window_view(x, 2, axis=1), T),
        (lambda x: sliding_window_view(x, (2, 2), (0, 0)), A),
        (lambda x: np.max(sliding_window_view(x, 2), -1), V),
    ],
    "numpy.split": [
        (lambda x: np.split(x, 5)[1], V),
        (lambda x: np.split(x, [1, 3])[1], V),
        (lambda x: np.split(x, (1, 9))[2], V),
        (lambda x: np.split(x, np.array([1, 3]))[1], V),
        (lambda x: np.split(x, [x.shape[1] // 2], axis=1)[1], A),
    ],
    "numpy.array_split": [
        (lambda x: np.array_split(x, 3)[1], V),
        (lambda x: np.array_split(x, 2, axis=-1)[0], A),
        (lambda x: np.array_split(x, 7)[6], V),
    ],
    "numpy.hsplit": [(lambda x: np.hsplit(x, 2)[1], A), (lambda x: np.hsplit(x, [2])[0], V)],
    "numpy.vsplit": [(lambda x: np.vsplit(x, 3)[1], A)],
    "numpy.dsplit": [(lambda x: np.dsplit(x, [1, 2])[1], T)],
    "numpy.unstack": [(lambda x: np.unstack(np.stack((x, x * x)))[1], A)],
    "numpy.block": [
        (lambda x: np.block([[x, x], [x, 2 * x]]), A),
        (lambda x: np.block([x, 1.0]), V),
        (lambda x: np.block([[x], [x]]), V),
        (lambda x: np.block(x), V),
        (lambda x: np.block([[x, x[:, :1]], [x[:1], np.ones((1, 1))]]), A),
        (lambda x: np.block([[x, np.zeros((2, 3, 1))]]), T),
    ],
    "numpy.concatenate": [
        (lambda x: np.concatenate((x, x[0]), axis=None), A),
        (lambda x: np.concatenate(x), T),
        (lambda x: np.concatenate(x, 1), T),
        (lambda x: np.concatenate(x, None), T),
        (lambda x: np.concatenate([x, [1, 2]], dtype=float), V),
    ],
    "numpy.stack": [(lambda x: np.stack(x, 1), T), (lambda x: np.stack([x, x * x], axis=-1), A)],
    "numpy.vstack": [(lambda x: np.vstack(x), T), (lambda x: np.vstack(x), V), (lambda x: np.vstack((x, x)), V)],
    "numpy.hstack": [(lambda x: np.hstack(x), T), (lambda x: np.hstack(x), A), (lambda x: np.hstack((x, 2.0)), V)],
    "numpy.reshape": [
        (lambda x: np.reshape(x, (4, 3), order="F"), A),
        (lambda x: np.reshape(x, (2, -1), "F"), A),
        (lambda x: np.reshape(x, (1, 1, -1)), A),
        (lambda x: x.reshape(2, 6, order="F"), A),
        (lambda x: x.reshape([2, 6]), A),
        (lambda x: np.reshape(x, (4, 3), copy=True), A),
        (lambda x: np.reshape(x[0], ()) if x.ndim == 0 else np.reshape(x[0], 1), V),
    ],
    "numpy.ravel": [
        (lambda x: x.ravel("F"), A),
        (lambda x: np.ravel(x, order="F"), T),
        (lambda x: np.ravel(x[0]), V),
    ],
    "numpy.squeeze": [
        (lambda x: np.squeeze(x[None, :, None]), A),
        (lambda x: np.squeeze(x[None], axis=0), A),
        (lambda x: x[:1].squeeze(0), A),
        (lambda x: np.squeeze(x[:1][None], (0, 1)), A),
        (lambda x: np.squeeze(x[0]), V),
    ],
    "numpy.expand_dims": [
        (lambda x: np.expand_dims(x, (0, 2)), A),
        (lambda x: np.expand_dims(x, [0, -1]), A),
        (lambda x: np.expand_dims(x[0], (0, 1)), V),
        (lambda x: np.expand_dims(x, -1), A),
    ],
    "numpy.flip": [(lambda x: np.flip(x, (0, 2)), T), (lambda x: np.flip(x), A), (lambda x: np.flip(x, -1), A)],
    "numpy.transpose": [
        (lambda x: np.transpose(x, (2, 0, 1)), T),
        (lambda x: x.transpose(2, 0, 1), T),
        (lambda x: x.transpose([1, 0]), A),
        (lambda x: x.transpose(), T),
        (lambda x: np.permute_dims(x, (0, 2, 1)), T),
    ],
    "numpy.pad": [
        (lambda x: np.pad(x, 1), V),
        (lambda x: np.pad(x, (1, 2), constant_values=(x[0], 3)), V),
        (lambda x: np.pad(x, ((1, 2), (0, 1)), "constant", constant_values=((1, 2), (3, 4))), A),
        (lambda x: np.pad(x, ((1, 2), (0, 1)), "edge"), A),
        (lambda x: np.pad(x, ((1,), (2,)), mode="edge"), A),
        (lambda x: np.pad(x, {-1: (1, 2)}, "wrap"), A),
        (lambda x: np.pad(x, 7, "wrap"), V),
        (lambda x: np.pad(x, (7, 9), "reflect"), V),
        (lambda x: np.pad(x, (7, 12), "symmetric"), V),
        (lambda x: np.pad(x, (7, 12), "symmetric", reflect_type="odd"), V),
        (lambda x: np.pad(x, (7, 13), "reflect", reflect_type="odd"), V),
        (lambda x: np.pad(x, 2, "reflect"), V[:1]),
        (lambda x: np.pad(x, 2, "reflect", reflect_type="odd"), V[:1]),
        (lambda x: np.pad(x, 2, "linear_ramp"), A),
        (lambda x: np.pad(x, [2, 0], "linear_ramp", end_values=(1.0, x[0, 0])), A),
        (lambda x: np.pad(x, ((1, 2), (2, 1)), "maximum", stat_length=2), A),
        (lambda x: np.pad(x, ((1, 2), (2, 1)), "mean"), A),
        (lambda x: np.pad(x, ((1, 2), (2, 1)), "minimum", stat_length=((1, 2), (3, 9))), A),
        (lambda x: np.pad(x, 2, rising, by=3.0), A),
        (lambda x: np.pad(x, 0, "mean"), A),
        (lambda x: np.pad(x, 1, constant_values=2.0), A[:0]),
    ],
}

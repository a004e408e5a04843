"""Calls of products: matrix products of all ranks, sums of products by labels, products of all pairs."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(11)
V = RNG.uniform(0.5, 1.5, 5)
A = RNG.uniform(0.5, 1.5, (3, 4))
S = RNG.uniform(0.5, 1.5, (3, 3))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))
Q = RNG.uniform(0.5, 1.5, (2, 3, 3))
BIG = RNG.uniform(-0.1, 0.1, (2, 40, 40))
F = RNG.uniform(0.5, 1.5, (2, 1, 3, 3))

CALLS = {
    "numpy.matmul": [
        (lambda x: np.matmul(x, x), S),
        (lambda x: x @ x, Q),
        (lambda x: x @ x[0], Q),
        (lambda x: x[0] @ x, Q),
        (lambda x: x @ x[0, 0], Q),
        (lambda x: x[1, 0] @ x, Q),
        (lambda x: x @ x.swapaxes(1, 2), T),
        (lambda x: x @ x[:, 0], F),
        (lambda x: x[:, 0] @ x, F),
        (lambda x: x[::-1] @ x, BIG[0]),
        (lambda x: x @ x.swapaxes(1, 2)[:, ::-1], BIG),
        (lambda x: x[:, :1] @ x[:1], A),
        (lambda x: x[:, :0] @ x[:0], S),
        (lambda x: x[:0] @ x[:0], Q),
        (lambda x: x @ [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], Q),
        (lambda x: x @ x, V),
    ],
    "numpy.dot": [
        (lambda x: np.dot(x, x), S),
        (lambda x: np.dot(x, x[0]), Q),
        (lambda x: np.dot(x[0], x), Q),
        (lambda x: np.dot(x, x), Q),
        (lambda x: x.dot(x[0, 0]), Q),
        (lambda x: np.dot(x, 2.0), Q),
        (lambda x: np.dot(x, x), V),
    ],
    "numpy.inner": [
        (lambda x: np.inner(x, x), V),
        (lambda x: np.inner(x, x[0]), T),
        (lambda x: np.inner(x, x[:, 0]), T),
        (lambda x: np.inner(3.0, x), A),
    ],
    "numpy.vdot": [(lambda x: np.vdot(x, x[::-1]), A), (lambda x: np.vdot(x, x), V)],
    "numpy.outer": [
        (lambda x: np.outer(x, x[1:]), V),
        (lambda x: np.outer(x, x[0]), A),
        (lambda x: np.outer(2.0, x), V),
    ],
    "numpy.tensordot": [
        (lambda x: np.tensordot(x, x), S),
        (lambda x: np.tensordot(x, x[0].T, 1), T),
        (lambda x: np.tensordot(x, x[0], 0), T),
        (lambda x: np.tensordot(x, x, axes=([0, 2], [0, 2])), T),
        (lambda x: np.tensordot(x, x[0], ([1, 2], [0, 1])), T),
        (lambda x: np.tensordot(x, x, (1, 1)), T),
        (lambda x: np.tensordot(x, x[0], axes=(-1, -1)), T),
    ],
    "numpy.einsum": [
        (lambda x: np.einsum("ij,jk->ik", x, x), S),
        (lambda x: np.einsum("ij,jk", x, x), S),
        (lambda x: np.einsum("ij,kj->ki", x, x), A),
        (lambda x: np.einsum("ii", x), S),
        (lambda x: np.einsum("ii->i", x), S),
        (lambda x: np.einsum("ii->i", x.T), S),
        (lambda x: np.einsum("kii->ik", x), Q),
        (lambda x: np.einsum("kii,ki->", x, x[:, 0]), Q),
        (lambda x: np.einsum("ba", x), A),
        (lambda x: np.einsum("ij->", x), A),
        (lambda x: np.einsum("ij->j", x), A),
        (lambda x: np.einsum("i,i", x, x), V),
        (lambda x: np.einsum("i,j->ji", x, x[1:]), V),
        (lambda x: np.einsum("i,i->i", x, x), V),
        (lambda x: np.einsum(" ij , j -> i ", x, x[0]), A),
        (lambda x: np.einsum("bij,bjk->bik", x, x), Q),
        (lambda x: np.einsum("bij,bkj->kbi", x, x), T),
        (lambda x: np.einsum("bij,bij->b", x, x), T),
        (lambda x: np.einsum("...ij,...j->...i", x, x[0, 0]), T),
        (lambda x: np.einsum("...j->j...", x), T),
        (lambda x: np.einsum("i...->...", x), T),
        (lambda x: np.einsum("...,...", x, x[0]), T),
        (lambda x: np.einsum("ij,jk,kl->il", x, x, x), S),
        (lambda x: np.einsum("i,ij,j->", x[0], x, x[:, 0], optimize=True), S),
        (lambda x: np.einsum("ij,ij,ij->i", x, x, x, optimize="greedy"), A),
        (lambda x: np.einsum("a,b,c,abd->cd", x[0, 0], x[0, 1], x[1, 0], x[:, :, :]), RNG.uniform(0.5, 1.5, (3, 3, 3))),
        (lambda x: np.einsum("ij,jk->ik", x[:, 0][:, None], x), A),
        (lambda x: np.einsum("ij,ij->ij", x[0][None], x), A),
        (lambda x: np.einsum("ij,jk->ik", x, x, optimize=["einsum_path", (0, 1)]), S),
        (lambda x: np.einsum(x, [0, 1], x, [2, 1], [0, 2]), A),
        (lambda x: np.einsum(x, [1, 0]), A),
        (lambda x: np.einsum(x, [..., 0], [0, ...]), T),
        (lambda x: np.einsum("ij,,->ji", x, 2.0, x[0, 0]), A),
        (lambda x: np.einsum("ij,jk->ik", x[:, :0], x[:0]), A),
    ],
    "numpy.trace": [
        (lambda x: np.trace(x), S),
        (lambda x: np.trace(x, 1), A),
        (lambda x: np.trace(x, offset=-1), A),
        (lambda x: x.trace(0, 1, 2), T),
        (lambda x: np.trace(x, axis1=2, axis2=0), T),
    ],
    "numpy.linalg.trace": [
        (lambda x: np.linalg.trace(x), T),
        (lambda x: np.linalg.trace(x, offset=1), A),
    ],
    "numpy.linalg.outer": [(lambda x: np.linalg.outer(x, x[1:]), V)],
    "numpy.linalg.matmul": [(lambda x: np.linalg.matmul(x, x[0]), Q)],
    "numpy.linalg.tensordot": [(lambda x: np.linalg.tensordot(x, x[0].T, axes=1), T)],
    "numpy.vecdot": [
        (lambda x: np.vecdot(x, x[0]), T),
        (lambda x: np.vecdot(x, x, axis=0), A),
    ],
    "numpy.linalg.vecdot": [(lambda x: np.linalg.vecdot(x, x[::-1]), A)],
    "numpy.matvec": [(lambda x: np.matvec(x, x[0, 0]), T), (lambda x: np.matvec(x, x[:, 0]), Q)],
    "numpy.vecmat": [(lambda x: np.vecmat(x[0, 0], x), Q), (lambda x: np.vecmat(x[:, 0], x), Q)],
    "numpy.kron": [
        (lambda x: np.kron(x, x[1:]), V),
        (lambda x: np.kron(x, x.T), A),
        (lambda x: np.kron(x[0], x), A),
        (lambda x: np.kron(2.0, x), A),
        (lambda x: np.kron(x, x[0]), T),
    ],
    "numpy.cross": [
        (lambda x: np.cross(x[0], x[1]), S),
        (lambda x: np.cross(x, x[::-1]), S),
        (lambda x: np.cross(x, x[0, 1], axisa=1), Q),
        (lambda x: np.cross(x, x[::-1], axisc=0), Q),
        (lambda x: np.cross(x, x[:, ::-1], axis=0), A[:, :3].T[:, :2]),
    ],
    "numpy.linalg.cross": [
        (lambda x: np.linalg.cross(x, x[::-1]), S),
        (lambda x: np.linalg.cross(x, x[:, ::-1], axis=0), A),
    ],
}

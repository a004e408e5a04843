"""Calls of the functions of NumPy's and SciPy's `linalg`, by public name."""

from __future__ import annotations

import numpy as np
import scipy.linalg

__all__ = ["CALLS"]

RNG = np.random.default_rng(11)
V = RNG.uniform(0.5, 1.5, 4)
A = RNG.normal(size=(4, 4)) + 4.0 * np.eye(4)
W, T = RNG.normal(size=(2, 3, 5))
H = RNG.normal(size=(5, 3))
B = RNG.normal(size=(2, 3, 3)) + 3.0 * np.eye(3)
S = 0.5 * (A + A.T) + np.diag([0.0, 3.0, 1.0, 2.0])
P = A @ A.T
Q = np.stack([b @ b.T for b in B])
ONE, NONE = np.array([[1.7]]), np.zeros((0, 0))
SINGULAR = np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 3.0]) + np.outer([0.0, 1.0, 1.0], [1.0, 0.0, 2.0])
OF_RANK_ONE = np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 3.0])

CALLS = {
    "numpy.linalg.solve": [
        (lambda x: np.linalg.solve(x, x[0]), A),
        (lambda x: np.linalg.solve(x, x * x), A),
        (lambda x: np.linalg.solve(x.T, x[:, :2]), A),
        (lambda x: np.linalg.solve(x, x[0]), B),
        (lambda x: np.linalg.solve(x, x[0, 0]), B),
        (lambda x: np.linalg.solve(x[0], x), B),
        (lambda x: np.linalg.solve(x, x[0]), ONE),
        (lambda x: np.linalg.solve(x, x), NONE),
        (lambda x: np.linalg.solve(x, x[:0].sum(0)), NONE),
        (lambda x: np.linalg.solve(x, [1, 2, 3, 4]), A),
    ],
    "numpy.linalg.inv": [
        (lambda x: np.linalg.inv(x), A),
        (lambda x: np.linalg.inv(x.T), A),
        (lambda x: np.linalg.inv(x), B),
        (lambda x: np.linalg.inv(x), ONE),
        (lambda x: np.linalg.inv(x), NONE),
    ],
    "numpy.linalg.tensorinv": [(lambda x: np.linalg.tensorinv(np.reshape(x, (2, 2, 4)), 2), A)],
    "numpy.linalg.tensorsolve": [
        (lambda x: np.linalg.tensorsolve(np.reshape(x, (2, 2, 4)), x[:2, :2]), A),
        (lambda x: np.linalg.tensorsolve(np.reshape(x, (2, 4, 2)), x[:2, :2], axes=(1,)), A),
    ],
    "numpy.linalg.matrix_power": [
        *[(lambda x, n=n: np.linalg.matrix_power(x, n), A) for n in (0, 1, 2, 3, 6, -1, -3)],
        (lambda x: np.linalg.matrix_power(x, 3), B),
        (lambda x: np.linalg.matrix_power(x, 0), B),
    ],
    "numpy.linalg.pinv": [
        (lambda x: np.linalg.pinv(x), W),
        (lambda x: np.linalg.pinv(x), H),
        (lambda x: np.linalg.pinv(x), A),
        (lambda x: np.linalg.pinv(x), B),
        (lambda x: np.linalg.pinv(x, rcond=1e-3), A),
    ],
    "numpy.linalg.lstsq": [
        (lambda x: np.linalg.lstsq(x, x[:, 0] * x[:, 1])[0], H),
        (lambda x: np.linalg.lstsq(x, x * x)[0], H),
        (lambda x: np.linalg.lstsq(x, x * x)[1], H),
        (lambda x: np.linalg.lstsq(x, x[:, 0] * x[:, 1])[1], H),
        (lambda x: np.linalg.lstsq(x, x[:, 0])[3], H),
        (lambda x: np.linalg.lstsq(x, x[:, 0])[0] * np.linalg.lstsq(x, x[:, 0])[2], W),
        (lambda x: np.linalg.lstsq(x, x[:, 0])[1], W),
    ],
    "numpy.linalg.det": [
        (lambda x: np.linalg.det(x), A),
        (lambda x: np.linalg.det(x), B),
        (lambda x: np.linalg.det(x), ONE),
        (lambda x: np.linalg.det(x), NONE),
        (lambda x: np.linalg.det(x), SINGULAR),
        (lambda x: np.linalg.det(x), OF_RANK_ONE),
        (lambda x: np.linalg.det(x), 0.0 * B[0]),
        (lambda x: np.linalg.det(x[:1, :1]), 0.0 * B[0]),
    ],
    "numpy.linalg.slogdet": [
        (lambda x: np.linalg.slogdet(x)[1], A),
        (lambda x: np.linalg.slogdet(-x).logabsdet, A[:3, :3]),
        (lambda x: np.linalg.slogdet(x)[0] * np.linalg.slogdet(x)[1], B),
        (lambda x: np.linalg.slogdet(x)[1], NONE),
    ],
    "numpy.linalg.cholesky": [
        (lambda x: np.linalg.cholesky(x), P),
        (lambda x: np.linalg.cholesky(x, upper=True), P),
        (lambda x: np.linalg.cholesky(x), Q),
        (lambda x: np.linalg.cholesky(x), ONE),
        (lambda x: np.linalg.cholesky(x), NONE),
        (lambda x: np.linalg.cholesky(x.T), P),
    ],
    "numpy.linalg.qr": [
        (lambda x: np.linalg.qr(x)[0], A),
        (lambda x: np.linalg.qr(x).R, A),
        (lambda x: np.linalg.qr(x)[0], H),
        (lambda x: np.linalg.qr(x)[1], H),
        (lambda x: np.linalg.qr(x)[0], W),
        (lambda x: np.linalg.qr(x)[1], W),
        (lambda x: np.linalg.qr(x, "r"), H),
        (lambda x: np.linalg.qr(x, mode="complete")[0], H),
        (lambda x: np.linalg.qr(x, mode="complete")[1], H),
        (lambda x: np.linalg.qr(x, mode="complete")[0], W),
        (lambda x: np.linalg.qr(x)[0], B),
        (lambda x: np.linalg.qr(x)[1], B),
        (lambda x: np.linalg.qr(x, mode="complete")[1], B),
    ],
    "numpy.linalg.eigh": [
        (lambda x: np.linalg.eigh(x)[0], S),
        (lambda x: np.linalg.eigh(x).eigenvectors, S),
        (lambda x: np.linalg.eigh(x, "U")[1] ** 2, S),
        (lambda x: np.linalg.eigh(x)[0], Q),
        (lambda x: np.linalg.eigh(x)[1] ** 2, Q),
        (lambda x: np.linalg.eigh(x)[1], ONE),
        (lambda x: np.linalg.eigh(x)[0], NONE),
    ],
    "numpy.linalg.eigvalsh": [
        (lambda x: np.linalg.eigvalsh(x), S),
        (lambda x: np.linalg.eigvalsh(x, UPLO="U"), S),
        (lambda x: np.linalg.eigvalsh(x), Q),
        (lambda x: np.linalg.eigvalsh(x), NONE),
    ],
    "numpy.linalg.svd": [
        *[(lambda x: np.linalg.svd(x, full_matrices=False).U, x) for x in (W, H, B)],
        *[(lambda x: np.linalg.svd(x, full_matrices=False)[1], x) for x in (W, H, B)],
        *[(lambda x: np.linalg.svd(x, full_matrices=False)[2], x) for x in (W, H, B)],
        (lambda x: np.linalg.svd(x)[0], A),
        (lambda x: np.linalg.svd(x).Vh, A),
        (lambda x: np.linalg.svd(x, compute_uv=False), W),
        (lambda x: np.linalg.svd(x, full_matrices=False).S, NONE),
    ],
    "numpy.linalg.svdvals": [(lambda x: np.linalg.svdvals(x), W), (lambda x: np.linalg.svdvals(x), B)],
    "numpy.linalg.norm": [
        *[(lambda x, o=o: np.linalg.norm(x, o), V) for o in (None, 1, 2, 3, 0, 2.5, -1, np.inf, -np.inf)],
        *[(lambda x, o=o: np.linalg.norm(x, o), W) for o in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
        *[(lambda x, o=o: np.linalg.norm(x, o, axis=0), W) for o in (None, 1, 3, np.inf)],
        *[(lambda x, o=o: np.linalg.norm(x, o, axis=(1, 2)), B) for o in (None, "nuc", 1, 2, np.inf)],
        *[(lambda x, o=o: np.linalg.norm(x, o, axis=(0, -1)), B) for o in ("fro", "nuc", -1)],
        (lambda x: np.linalg.norm(x), B),
        (lambda x: np.linalg.norm(x, keepdims=True), B),
        (lambda x: np.linalg.norm(x, axis=1, keepdims=True), B),
        (lambda x: np.linalg.norm(x, 2, (2, 0), True), B),
        (lambda x: np.linalg.norm([x[0], 3, 4]), V),
    ],
    "scipy.linalg.norm": [(lambda x: scipy.linalg.norm(x, "nuc"), W)],
    "numpy.linalg.matrix_norm": [
        (lambda x: np.linalg.matrix_norm(x), B),
        (lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True), B),
    ],
    "numpy.linalg.vector_norm": [
        (lambda x: np.linalg.vector_norm(x), B),
        (lambda x: np.linalg.vector_norm(x, axis=1, ord=1), B),
        (lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True), B),
        (lambda x: np.linalg.vector_norm(x, keepdims=True, ord=3), W),
    ],
    "numpy.linalg.cond": [
        *[(lambda x, p=p: np.linalg.cond(x, p), A) for p in (None, 2, -2, 1, np.inf, "fro", "nuc")],
        (lambda x: np.linalg.cond(x), W),
        (lambda x: np.linalg.cond(x), B),
    ],
    "numpy.linalg.matrix_rank": [
        (lambda x: np.linalg.matrix_rank(x) * x, OF_RANK_ONE),
        (lambda x: np.linalg.matrix_rank(x, tol=0.1) * x, W),
        (lambda x: np.linalg.matrix_rank(x) * x[:, 0, 0], B),
        (lambda x: np.linalg.matrix_rank(x) * x, V),
    ],
    "numpy.linalg.multi_dot": [
        (lambda x: np.linalg.multi_dot([x, x.T]), W),
        (lambda x: np.linalg.multi_dot([x, x.T, x]), W),
        (lambda x: np.linalg.multi_dot((x[0], x.T, x, x.T, x[:, 0])), W),
    ],
    "numpy.linalg.outer": [(lambda x: np.linalg.outer(x, x[1:]), V)],
    "numpy.linalg.vecdot": [(lambda x: np.linalg.vecdot(x, x * x), W), (lambda x: np.linalg.vecdot(x, x, axis=0), W)],
    "numpy.vecdot": [(lambda x: np.vecdot(x, x * x), W)],
    "numpy.linalg.matmul": [(lambda x: np.linalg.matmul(x, x.T), W)],
    "numpy.linalg.matrix_transpose": [(lambda x: np.linalg.matrix_transpose(x), B)],
    "numpy.matrix_transpose": [(lambda x: np.matrix_transpose(x), B)],
    "numpy.linalg.diagonal": [(lambda x: np.linalg.diagonal(x), B), (lambda x: np.linalg.diagonal(x, offset=1), B)],
    "numpy.linalg.trace": [(lambda x: np.linalg.trace(x), B), (lambda x: np.linalg.trace(x, offset=-1), B)],
    "scipy.linalg.solve": [
        (lambda x: scipy.linalg.solve(x, x[0]), A),
        (lambda x: scipy.linalg.solve(x, x[:, 1:], transposed=True), A),
        (lambda x: scipy.linalg.solve(x, x[0], assume_a="pos"), P),
        (lambda x: scipy.linalg.solve(x, x[:, :2], lower=True, assume_a="pos"), P),
        (lambda x: scipy.linalg.solve(x, x[0], assume_a="sym"), S),
        (lambda x: scipy.linalg.solve(np.tril(x), x[0], assume_a="lower triangular"), A),
    ],
    "scipy.linalg.inv": [(lambda x: scipy.linalg.inv(x), A)],
    "scipy.linalg.det": [(lambda x: scipy.linalg.det(x), A), (lambda x: scipy.linalg.det(x), SINGULAR)],
    "scipy.linalg.pinv": [
        (lambda x: scipy.linalg.pinv(x), H),
        (lambda x: scipy.linalg.pinv(x, return_rank=True)[0], W),
    ],
    "scipy.linalg.lstsq": [(lambda x: scipy.linalg.lstsq(x, x[:, 0] * x[:, 1])[0], H)],
    "scipy.linalg.solve_triangular": [
        (lambda x: scipy.linalg.solve_triangular(x, x[0]), A),
        (lambda x: scipy.linalg.solve_triangular(x, x, lower=True), A),
        (lambda x: scipy.linalg.solve_triangular(x, x, trans=1), A),
        (lambda x: scipy.linalg.solve_triangular(x, x[0], "T", True, True), A),
        (lambda x: scipy.linalg.solve_triangular(x, x, unit_diagonal=True), A),
        (lambda x: scipy.linalg.solve_triangular(x.T, x[:, ::2], lower=True), A),
    ],
    "scipy.linalg.cholesky": [
        (lambda x: scipy.linalg.cholesky(x), P),
        (lambda x: scipy.linalg.cholesky(x, lower=True), P),
    ],
    "scipy.linalg.cho_factor": [(lambda x: scipy.linalg.cho_factor(x)[0], P)],
    "scipy.linalg.cho_solve": [
        (lambda x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(x), x[0]), P),
        (lambda x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(x, lower=True), x), P),
        (lambda x: scipy.linalg.cho_solve((np.linalg.cholesky(x), True), x[:, 1]), P),
    ],
    "scipy.linalg.lu": [
        *[(lambda x: scipy.linalg.lu(x)[1], x) for x in (A, W, H)],
        *[(lambda x: scipy.linalg.lu(x)[2], x) for x in (A, W, H)],
        (lambda x: scipy.linalg.lu(x)[0] @ x, A),
        (lambda x: scipy.linalg.lu(x, permute_l=True)[0], H),
        (lambda x: scipy.linalg.lu(x, p_indices=True)[1], A),
    ],
    "scipy.linalg.lu_factor": [
        (lambda x: scipy.linalg.lu_factor(x)[0], A),
        (lambda x: scipy.linalg.lu_factor(x)[1] * x, A),
    ],
    "scipy.linalg.lu_solve": [
        (lambda x: scipy.linalg.lu_solve(scipy.linalg.lu_factor(x), x[0]), A[::-1]),
        (lambda x: scipy.linalg.lu_solve(scipy.linalg.lu_factor(x), x * x, trans=1), A[::-1]),
    ],
    "scipy.linalg.qr": [
        (lambda x: scipy.linalg.qr(x)[0], H),
        (lambda x: scipy.linalg.qr(x, mode="economic")[0], H),
        (lambda x: scipy.linalg.qr(x, mode="r")[0], H),
    ],
    "scipy.linalg.eigh": [
        (lambda x: scipy.linalg.eigh(x)[1] ** 2, S),
        (lambda x: scipy.linalg.eigh(x, x @ x.T + np.eye(4))[0], S),
        (lambda x: scipy.linalg.eigh(x, x @ x.T + np.eye(4), lower=False)[1] ** 2, S),
        (lambda x: scipy.linalg.eigh(x, x @ x.T + np.eye(4), type=3)[1] ** 2, S),
        (lambda x: scipy.linalg.eigh(x, eigvals_only=True, subset_by_index=(1, 2)), S),
    ],
    "scipy.linalg.eigvalsh": [
        (lambda x: scipy.linalg.eigvalsh(x), S),
        (lambda x: scipy.linalg.eigvalsh(x, x @ x.T + np.eye(4), type=2), S),
    ],
    "scipy.linalg.svd": [(lambda x: scipy.linalg.svd(x, full_matrices=False)[1], H)],
    "scipy.linalg.svdvals": [(lambda x: scipy.linalg.svdvals(x), H)],
    "scipy.linalg.polar": [
        (lambda x: scipy.linalg.polar(x)[0], A),
        (lambda x: scipy.linalg.polar(x)[1], A),
        (lambda x: scipy.linalg.polar(x, side="left")[1], A),
    ],
}

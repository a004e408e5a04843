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
TURNING = np.array([[1.0, -2.0, 0.3], [1.5, 0.7, 0.2], [0.4, -0.1, 3.0]])  # has complex eigenvalues
TURNINGS = np.stack((TURNING, TURNING + np.diag([0.5, 0.1, -0.2])))
ONE, NONE = np.array([[1.7]]), np.zeros((0, 0))
SINGULAR = np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 3.0]) + np.outer([0.0, 1.0, 1.0], [1.0, 0.0, 2.0])
OF_RANK_ONE = np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 3.0])
BAND = RNG.normal(size=(4, 6))
HALF_BAND = np.concatenate((RNG.normal(size=(2, 6)), RNG.uniform(4.0, 6.0, (1, 6))))

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
        (lambda x: np.linalg.matrix_power(x, 0), A),
        (lambda x: np.linalg.matrix_power(x, 1), A),
        (lambda x: np.linalg.matrix_power(x, 2), A),
        (lambda x: np.linalg.matrix_power(x, 3), A),
        (lambda x: np.linalg.matrix_power(x, -1), A),
        (lambda x: np.linalg.matrix_power(x, -3), A),
        (lambda x, n=6: np.linalg.matrix_power(x, n), A),
        (lambda x: np.linalg.matrix_power(x, 3), B),
        (lambda x: np.linalg.matrix_power(x, 0), B),
    ],
    "numpy.linalg.pinv": [
        (lambda x: np.linalg.pinv(x), W),
        (lambda x: np.linalg.pinv(x), H),
        (lambda x: np.linalg.pinv(x), A),
        (lambda x: np.linalg.pinv(x), B),
        (lambda x: np.linalg.pinv(x, rcond=1e-3), A),
        (lambda x: np.linalg.pinv(x, hermitian=True), S),
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
    "numpy.linalg.eig": [
        *((lambda x: np.linalg.eig(x)[0], x) for x in (TURNING, TURNING.T, TURNINGS)),
        *((lambda x: np.linalg.eig(x).eigenvectors, x) for x in (TURNING, TURNING.T, TURNINGS)),
        *((lambda x: np.linalg.eig(x)[1] + 0j, x) for x in (A, S, ONE)),
        *((lambda x: np.linalg.eig(x)[0] + 0j, x) for x in (A, S, ONE, NONE)),
    ],
    "numpy.poly": [
        (lambda x: np.poly(x), V),
        (lambda x: np.poly(x), TURNING),
        (lambda x: np.poly(0.3 * x), S),
    ],
    "numpy.roots": [
        (lambda x: np.roots(x), V),
        (lambda x: np.roots(np.concatenate((np.zeros(2), x))), V),
        (lambda x: np.sort(np.real(np.roots(x * np.array([1.0, -9.0, 8.0, 0.0])))), V),  # in another order than NumPy's
        (lambda x: np.roots(np.poly(x)) + 0j, 2.0 ** np.arange(4)),
        (lambda x: np.roots(x[:1]) + 0j, V),
    ],
    "numpy.polyfit": [
        (lambda x: np.polyfit(x, np.sin(x), 2), V),
        (lambda x: np.polyfit(x[:, 0], x[:, 1:], 1), A),
        (lambda x: np.polyfit(x[0], x[1], 1, w=x[2]), A),
        (lambda x: np.polyfit(x[0], x[1], 1, full=True)[1], A),
        (lambda x: np.polyfit(x[0], x[1], 1, cov=True)[1], A),
        (lambda x: np.polyfit(x[0], x[1:].T, 1, cov="unscaled")[1], A),
        (lambda x: np.polyfit(x[0], x[1:].T, 1, cov=True, w=x[1])[1], A),
    ],
    "numpy.linalg.eigvals": [
        *((lambda x: np.linalg.eigvals(x), x) for x in (TURNING, TURNINGS)),
        *((lambda x: np.linalg.eigvals(x) + 0j, x) for x in (S, NONE)),
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
        (lambda x: np.linalg.norm(x, None), V),
        (lambda x: np.linalg.norm(x, 1), V),
        (lambda x: np.linalg.norm(x, 2), V),
        (lambda x: np.linalg.norm(x, 3), V),
        (lambda x: np.linalg.norm(x, 0), V),
        (lambda x: np.linalg.norm(x, 2.5), V),
        (lambda x: np.linalg.norm(x, -1), V),
        (lambda x: np.linalg.norm(x, np.inf), V),
        (lambda x: np.linalg.norm(x, -np.inf), V),
        (lambda x, o=3.5: np.linalg.norm(x, o), V),
        (lambda x: np.linalg.norm(x, None), W),
        (lambda x: np.linalg.norm(x, "fro"), W),
        (lambda x: np.linalg.norm(x, "nuc"), W),
        (lambda x: np.linalg.norm(x, 1), W),
        (lambda x: np.linalg.norm(x, -1), W),
        (lambda x: np.linalg.norm(x, 2), W),
        (lambda x: np.linalg.norm(x, -2), W),
        (lambda x: np.linalg.norm(x, np.inf), W),
        (lambda x: np.linalg.norm(x, -np.inf), W),
        (lambda x: np.linalg.norm(x, None, axis=0), W),
        (lambda x: np.linalg.norm(x, 1, axis=0), W),
        (lambda x: np.linalg.norm(x, 3, axis=0), W),
        (lambda x: np.linalg.norm(x, np.inf, axis=0), W),
        (lambda x: np.linalg.norm(x, None, axis=(1, 2)), B),
        (lambda x: np.linalg.norm(x, "nuc", axis=(1, 2)), B),
        (lambda x: np.linalg.norm(x, 1, axis=(1, 2)), B),
        (lambda x: np.linalg.norm(x, 2, axis=(1, 2)), B),
        (lambda x: np.linalg.norm(x, "fro", axis=(0, -1)), B),
        (lambda x: np.linalg.norm(x, "nuc", axis=(0, -1)), B),
        (lambda x: np.linalg.norm(x, -1, axis=(0, -1)), B),
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
        (lambda x: np.linalg.cond(x, None), A),
        (lambda x: np.linalg.cond(x, 2), A),
        (lambda x: np.linalg.cond(x, -2), A),
        (lambda x: np.linalg.cond(x, 1), A),
        (lambda x: np.linalg.cond(x, "fro"), A),
        (lambda x: np.linalg.cond(x, "nuc"), A),
        (lambda x: np.linalg.cond(x), W),
        (lambda x: np.linalg.cond(x), B),
    ],
    "numpy.linalg.matrix_rank": [
        (lambda x: np.linalg.matrix_rank(x, 0.01) * x, OF_RANK_ONE),
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
    "scipy.linalg.eig": [
        (lambda x: scipy.linalg.eig(x)[0], S),
        (lambda x: scipy.linalg.eig(x)[1], TURNING),
        (lambda x: scipy.linalg.eig(x, right=False), TURNING),
    ],
    "scipy.linalg.eigvals": [(lambda x: scipy.linalg.eigvals(x), x) for x in (S, TURNING)],
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
    "scipy.linalg.expm": [
        (lambda x: scipy.linalg.expm(x), S),
        (lambda x: scipy.linalg.expm(0.01 * x), A),
        (lambda x: scipy.linalg.expm(x), B),
        (lambda x: scipy.linalg.expm(x), ONE),
        (lambda x: scipy.linalg.expm(x), 0.0 * B[0]),
    ],
    "scipy.linalg.expm_frechet": [(lambda x: scipy.linalg.expm_frechet(x, x * x)[1], 0.3 * A)],
    "scipy.linalg.cosm": [(lambda x: scipy.linalg.cosm(x), B[0])],
    "scipy.linalg.sinm": [(lambda x: scipy.linalg.sinm(x), B[0])],
    "scipy.linalg.tanm": [(lambda x: scipy.linalg.tanm(x), 0.2 * B[0])],
    "scipy.linalg.coshm": [(lambda x: scipy.linalg.coshm(x), B[0])],
    "scipy.linalg.sinhm": [(lambda x: scipy.linalg.sinhm(x), B[0])],
    "scipy.linalg.tanhm": [(lambda x: scipy.linalg.tanhm(x), B[0])],
    "scipy.linalg.sqrtm": [
        (lambda x: scipy.linalg.sqrtm(x), P),
        (lambda x: scipy.linalg.sqrtm(x), A),
        (lambda x: scipy.linalg.sqrtm(x), np.eye(3)),
    ],
    "scipy.linalg.logm": [
        (lambda x: scipy.linalg.logm(x), P),
        (lambda x: scipy.linalg.logm(x), A),
        (lambda x: scipy.linalg.logm(x), np.eye(3)),
    ],
    "scipy.linalg.fractional_matrix_power": [
        (lambda x: scipy.linalg.fractional_matrix_power(x, 3), A),
        (lambda x: scipy.linalg.fractional_matrix_power(x, 0.3), P),
        (lambda x: scipy.linalg.fractional_matrix_power(x, -2), A),
    ],
    "scipy.linalg.solve_sylvester": [(lambda x: scipy.linalg.solve_sylvester(x, x[:3, :3], x[:, 1:]), A)],
    "scipy.linalg.solve_continuous_lyapunov": [(lambda x: scipy.linalg.solve_continuous_lyapunov(x, x * x), A)],
    "scipy.linalg.solve_lyapunov": [(lambda x: scipy.linalg.solve_lyapunov(x, x), A)],
    "scipy.linalg.solve_discrete_lyapunov": [(lambda x: scipy.linalg.solve_discrete_lyapunov(0.1 * x, x), A)],
    "scipy.linalg.solve_continuous_are": [
        (lambda x: scipy.linalg.solve_continuous_are(0.3 * x, x, np.eye(4) + x @ x.T, np.eye(4)), A),
        (lambda x: scipy.linalg.solve_continuous_are(-x, x[:, :1], np.eye(3), np.eye(1)), A[:3, :3]),
    ],
    "scipy.linalg.solve_discrete_are": [
        (lambda x: scipy.linalg.solve_discrete_are(0.3 * x, x, np.eye(4) + x @ x.T, np.eye(4)), A),
        (lambda x: scipy.linalg.solve_discrete_are(0.1 * x, x[:, :1], np.eye(3), np.eye(1)), A[:3, :3]),
    ],
    "scipy.linalg.toeplitz": [
        (lambda x: scipy.linalg.toeplitz(x), V),
        (lambda x: scipy.linalg.toeplitz(x, x[:2] ** 2), V),
    ],
    "scipy.linalg.hankel": [
        (lambda x: scipy.linalg.hankel(x), V),
        (lambda x: scipy.linalg.hankel(x, x[:2] ** 2), V),
    ],
    "scipy.linalg.circulant": [(lambda x: scipy.linalg.circulant(x), V)],
    "scipy.linalg.hilbert": [(lambda x: scipy.linalg.hilbert(4) * x, V)],
    "scipy.linalg.companion": [(lambda x: scipy.linalg.companion(x), V)],
    "scipy.linalg.leslie": [(lambda x: scipy.linalg.leslie(x, x[1:] ** 2), V)],
    "scipy.linalg.block_diag": [
        (lambda x: scipy.linalg.block_diag(x, x[0], 2.0, x.T), W),
        (lambda x: scipy.linalg.block_diag(x), W),
    ],
    "scipy.linalg.khatri_rao": [(lambda x: scipy.linalg.khatri_rao(x, x[1:] ** 2), W)],
    "scipy.linalg.solve_banded": [
        (lambda x: scipy.linalg.solve_banded((1, 2), x, x[0]), BAND),
        (lambda x: scipy.linalg.solve_banded((2, 1), x, x[:2].T), BAND),
    ],
    "scipy.linalg.solveh_banded": [
        (lambda x: scipy.linalg.solveh_banded(x, x[0]), HALF_BAND),
        (lambda x: scipy.linalg.solveh_banded(x[::-1], x.T, lower=True), HALF_BAND),
    ],
    "scipy.linalg.solve_toeplitz": [
        (lambda x: scipy.linalg.solve_toeplitz(x, x * x), V),
        (lambda x: scipy.linalg.solve_toeplitz((x, x**3), np.reshape(x, (4, 1)) * x), V),
    ],
    "scipy.linalg.polar": [
        (lambda x: scipy.linalg.polar(x)[0], A),
        (lambda x: scipy.linalg.polar(x)[1], A),
        (lambda x: scipy.linalg.polar(x, side="left")[1], A),
    ],
}

# Complex matrices.  The vectors of eigh and svd have phases that are not determined: what is called here has none.
Z = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4)) + 3.0 * np.eye(4)
ZW, ZT, ZH = Z[:3] * (1 + 0.5j), Z[:, :3].copy(), Z[:2].copy()
ZB = RNG.normal(size=(2, 3, 3)) + 1j * RNG.normal(size=(2, 3, 3)) + 2.0 * np.eye(3)
ZP = Z @ Z.conj().T
ZQ = ZB @ np.swapaxes(ZB.conj(), 1, 2)
ZONE, ZNONE = np.array([[1.5 + 0.5j]]), np.zeros((0, 0), complex)


def projected(v):
    """The projections on the columns."""
    return v[..., :, np.newaxis, :] * np.conj(v[..., np.newaxis, :, :])


def rephased(v):
    """The columns with a phase by which their first components are real."""
    first = v[..., :1, :]
    return v * np.conj(first) / np.abs(first)


OF_COMPLEX = {
    "numpy.roots": [(lambda x: np.roots(x[0]), Z)],
    "numpy.poly": [(lambda x: np.poly(x[0]), Z), (lambda x: np.poly(x), Z)],
    "numpy.linalg.cholesky": [
        *((lambda x: np.linalg.cholesky(x), x) for x in (ZP, ZP.T, ZQ, ZP[:1, :1], ZNONE, np.asfortranarray(ZP))),
        (lambda x: np.linalg.cholesky(x, upper=True), ZP),
        (lambda x: np.linalg.cholesky(x, upper=True), ZQ),
        (lambda x: np.linalg.cholesky(np.eye(4) + np.outer(x, np.conj(x))), V),
    ],
    "numpy.linalg.qr": [
        *((lambda x: np.linalg.qr(x)[0], x) for x in (Z, ZT, ZW, ZB, ZONE, Z.T[::-1])),
        *((lambda x: np.linalg.qr(x)[1], x) for x in (Z, ZT, ZW, ZB, ZONE)),
        *((lambda x: np.linalg.qr(x, mode="complete")[0], x) for x in (Z, ZT, ZH, ZB, ZONE)),
        *((lambda x: np.linalg.qr(x, mode="complete")[1], x) for x in (ZT, ZH)),
        (lambda x: np.linalg.qr(x, "r"), ZT),
        (lambda x: np.linalg.qr(x).R, ZNONE),
    ],
    "numpy.linalg.eig": [
        *((lambda x: np.linalg.eig(x)[0], x) for x in (Z, ZB, ZONE, ZNONE)),
        *((lambda x: np.linalg.eig(x)[1], x) for x in (Z, ZB, ZONE, ZP)),
    ],
    "numpy.linalg.eigvals": [(lambda x: np.linalg.eigvals(x), x) for x in (Z, ZB)],
    "numpy.linalg.eigh": [
        *((lambda x: np.linalg.eigh(x)[0], x) for x in (ZP, ZQ, ZONE, ZNONE, ZP.T)),
        *((lambda x: projected(np.linalg.eigh(x)[1]), x) for x in (ZP, ZQ, ZONE, ZP.T)),
        *((lambda x: projected(np.linalg.eigh(x, "U").eigenvectors), x) for x in (ZP, ZQ)),
        (lambda x: rephased(np.linalg.eigh(x)[1]), ZP),
        (lambda x: rephased(np.linalg.eigh(x, UPLO="U")[1]), ZP),
    ],
    "numpy.linalg.eigvalsh": [
        *((lambda x: np.linalg.eigvalsh(x), x) for x in (ZP, ZQ, ZNONE)),
        (lambda x: np.linalg.eigvalsh(x, "U"), ZP),
    ],
    "numpy.linalg.svd": [
        *((lambda x: np.linalg.svd(x, full_matrices=False)[1], x) for x in (Z, ZT, ZW, ZB, ZNONE)),
        *((lambda x: projected(np.linalg.svd(x, full_matrices=False).U), x) for x in (Z, ZT, ZW, ZB)),
        *((lambda x: rephased(np.linalg.svd(x, full_matrices=False)[2].conj().T), x) for x in (Z, ZT, ZW)),
        *(
            (lambda x: (lambda u, s, vt: u[:, :, None] * vt[None])(*np.linalg.svd(x, full_matrices=False)), x)
            for x in (Z, ZT, ZW)
        ),
        (lambda x: np.linalg.svd(x, compute_uv=False), ZW),
    ],
    "numpy.linalg.svdvals": [(lambda x: np.linalg.svdvals(x), x) for x in (ZW, ZB)],
    "numpy.linalg.pinv": [
        *((lambda x: np.linalg.pinv(x), x) for x in (Z, ZT, ZW, ZB, ZT.T)),
        (lambda x: np.linalg.pinv(x, hermitian=True), ZP),
        (lambda x: np.linalg.pinv(x, rcond=1e-3), Z),
    ],
    "numpy.linalg.lstsq": [
        (lambda x: np.linalg.lstsq(x, x[:, 0] * x[:, 1])[0], ZT),
        (lambda x: np.linalg.lstsq(x, x * x)[1], ZT),
        (lambda x: np.linalg.lstsq(x, x[:, 0])[3], ZT),
        (lambda x: np.linalg.lstsq(x.real, x[:, 0])[0], ZT),
        (lambda x: np.linalg.lstsq(x, x[:, 0].imag)[0], ZW),
    ],
    "numpy.linalg.slogdet": [
        *((lambda x: np.linalg.slogdet(x)[0], x) for x in (Z, ZB, ZONE, ZNONE)),
        *((lambda x: np.linalg.slogdet(x).logabsdet, x) for x in (Z, ZB, ZNONE)),
    ],
    "numpy.linalg.cond": [
        *((lambda x, p=p: np.linalg.cond(x, p), Z) for p in (None, 2, -2, 1, "fro", "nuc")),
        *((lambda x: np.linalg.cond(x), x) for x in (ZW, ZB)),
    ],
    "numpy.linalg.norm": [(lambda x, p=p: np.linalg.norm(x, p), ZW) for p in ("nuc", 2, -2)],
    "numpy.linalg.matrix_rank": [
        (lambda x: np.linalg.matrix_rank(x) * x, ZW),
        (lambda x: np.linalg.matrix_rank(x, hermitian=True) * x, ZP),
    ],
    "scipy.linalg.solve": [
        *((lambda x, how=how: scipy.linalg.solve(x, x[0], assume_a=how), ZP) for how in ("pos", "her", "sym")),
        (lambda x: scipy.linalg.solve(x, x[:, :2], assume_a="pos", lower=True), ZP),
        (lambda x: scipy.linalg.solve(x, x.real), Z),
    ],
    "scipy.linalg.inv": [(lambda x: scipy.linalg.inv(x), Z)],
    "scipy.linalg.pinv": [(lambda x: scipy.linalg.pinv(x), x) for x in (ZT, ZW)],
    "scipy.linalg.lstsq": [(lambda x: scipy.linalg.lstsq(x, x[:, 0] * x[:, 1])[0], ZT)],
    "scipy.linalg.solve_triangular": [
        (lambda x: scipy.linalg.solve_triangular(x, x[0]), Z),
        (lambda x: scipy.linalg.solve_triangular(x, x[0], trans=1), Z),
        (lambda x: scipy.linalg.solve_triangular(x, x[0], 2, lower=True), Z),
        (lambda x: scipy.linalg.solve_triangular(x.T, x[:, ::2], lower=True, unit_diagonal=True, trans="C"), Z),
    ],
    "scipy.linalg.cholesky": [(lambda x, low=low: scipy.linalg.cholesky(x, lower=low), ZP) for low in (False, True)],
    "scipy.linalg.cho_factor": [(lambda x: scipy.linalg.cho_factor(x)[0], ZP)],
    "scipy.linalg.cho_solve": [
        (lambda x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(x), x[0]), ZP),
        (lambda x: scipy.linalg.cho_solve(scipy.linalg.cho_factor(x, lower=True), x), ZP),
    ],
    "scipy.linalg.lu": [(lambda x: scipy.linalg.lu(x)[1], ZW), (lambda x: scipy.linalg.lu(x)[2], ZW)],
    "scipy.linalg.lu_factor": [(lambda x: scipy.linalg.lu_factor(x)[0], Z)],
    "scipy.linalg.lu_solve": [
        (lambda x, t=t: scipy.linalg.lu_solve(scipy.linalg.lu_factor(x), x[0], trans=t), Z[::-1]) for t in (0, 1, 2)
    ],
    "scipy.linalg.qr": [
        (lambda x: scipy.linalg.qr(x)[0], ZT),
        (lambda x: scipy.linalg.qr(x, mode="economic")[1], ZW),
        (lambda x: scipy.linalg.qr(x, mode="r")[0], ZT),
    ],
    "scipy.linalg.eig": [(lambda x: scipy.linalg.eig(x)[0], Z), (lambda x: scipy.linalg.eig(x)[1], Z)],
    "scipy.linalg.eigvals": [(lambda x: scipy.linalg.eigvals(x), Z)],
    "scipy.linalg.eigh": [
        (lambda x: projected(scipy.linalg.eigh(x)[1]), ZP),
        (lambda x: projected(scipy.linalg.eigh(x, lower=False)[1]), ZP),
        *(
            (lambda x, k=k: projected(scipy.linalg.eigh(x, x @ x.conj().T + np.eye(4), type=k)[1]), ZP / 9.0)
            for k in (1, 3)
        ),
    ],
    "scipy.linalg.eigvalsh": [(lambda x: scipy.linalg.eigvalsh(x, x @ x.conj().T + np.eye(4), type=2), ZP / 9.0)],
    "scipy.linalg.svd": [(lambda x: scipy.linalg.svd(x, full_matrices=False)[1], ZT)],
    "scipy.linalg.svdvals": [(lambda x: scipy.linalg.svdvals(x), ZT)],
    "scipy.linalg.polar": [(lambda x, side=side: scipy.linalg.polar(x, side)[1], Z) for side in ("right", "left")],
    "scipy.linalg.expm": [(lambda x: scipy.linalg.expm(x), x) for x in (0.3 * Z, ZB)],
    "scipy.linalg.expm_frechet": [(lambda x: scipy.linalg.expm_frechet(x, x * x)[1], 0.3 * Z)],
    "scipy.linalg.cosm": [(lambda x: scipy.linalg.cosm(x), ZB[0])],
    "scipy.linalg.sinm": [(lambda x: scipy.linalg.sinm(x), ZB[0])],
    "scipy.linalg.coshm": [(lambda x: scipy.linalg.coshm(x), ZB[0])],
    "scipy.linalg.sqrtm": [(lambda x: scipy.linalg.sqrtm(x), x) for x in (Z, ZP)],
    "scipy.linalg.logm": [(lambda x: scipy.linalg.logm(x), x) for x in (Z, ZP)],
    "scipy.linalg.fractional_matrix_power": [(lambda x: scipy.linalg.fractional_matrix_power(x, 0.3), ZP)],
    "scipy.linalg.solve_sylvester": [(lambda x: scipy.linalg.solve_sylvester(x, x.T * 2.0, x * x), ZB[0])],
    "scipy.linalg.solve_continuous_lyapunov": [(lambda x: scipy.linalg.solve_continuous_lyapunov(x, x * x), ZB[0])],
    "scipy.linalg.solve_discrete_lyapunov": [(lambda x: scipy.linalg.solve_discrete_lyapunov(x, x * x), 0.3 * ZB[0])],
    "scipy.linalg.solve_continuous_are": [
        (lambda x: scipy.linalg.solve_continuous_are(x, x[:, :1], np.eye(len(x)), np.eye(1)), ZB[0])
    ],
    "scipy.linalg.solve_discrete_are": [
        (lambda x: scipy.linalg.solve_discrete_are(x, x[:, :1], np.eye(len(x)), np.eye(1)), 0.5 * ZB[0])
    ],
    "scipy.linalg.companion": [(lambda x: scipy.linalg.companion(x), Z[0])],
    "scipy.linalg.solve_banded": [(lambda x: scipy.linalg.solve_banded((1, 2), x, x[0]), Z)],
}
CALLS = {name: [*calls, *OF_COMPLEX.get(name, ())] for name, calls in CALLS.items()}

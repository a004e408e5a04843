"""Calls of SciPy's sparse matrices and arrays, made in the function of data that has derivatives."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sl

RNG = np.random.default_rng(3)
DENSE = RNG.uniform(0.5, 1.5, (4, 5)) * (RNG.uniform(size=(4, 5)) > 0.5)
CSR, CSC, COO = sp.csr_matrix(DENSE), sp.csc_array(DENSE), sp.coo_array(DENSE)
D = CSR.data.copy()
INDICES, ENDS = CSR.indices.astype(int), CSR.indptr.astype(int)
ROWS, STARTS = CSC.indices.astype(int), CSC.indptr.astype(int)
ROW, COL = (np.asarray(c).astype(int) for c in COO.coords)
V, W = RNG.uniform(0.5, 1.5, 5), RNG.uniform(0.5, 1.5, 4)
X, Y = RNG.uniform(0.5, 1.5, (5, 3)), RNG.uniform(0.5, 1.5, (3, 4))


def csr(d):
    return sp.csr_matrix((d, INDICES, ENDS), shape=(4, 5))


def csr_array(d):
    return sp.csr_array((d, INDICES, ENDS), shape=(4, 5))


# A square matrix without elements on its diagonal, and two elements in one place.
S, T = np.array([0, 1, 2, 3, 0, 2, 0]), np.array([2, 3, 1, 0, 1, 3, 1])
E = RNG.uniform(0.5, 1.5, 7)
FULL = sp.csc_array(RNG.uniform(size=(4, 4)) + 4 * np.eye(4))
F, FS, FT = FULL.data.copy(), FULL.indices.astype(int), FULL.indptr.astype(int)
C, CW = E + 1j * RNG.uniform(0.5, 1.5, 7), W + 1j * RNG.uniform(0.5, 1.5, 4)


def system(e):
    return sp.coo_array((e, (S, T)), shape=(4, 4)).tocsr()


def full(d):
    return sp.csc_matrix((d, FS, FT), shape=(4, 4))


CALLS = {
    "scipy.sparse.csr_matrix": [
        (lambda d: csr(d) @ V, D),
        (lambda d: csr(d) @ X, D),
        (lambda d: csr(d) * V, D),
        (lambda d: (csr(d) * 2.0) @ V, D),
        (lambda d: W @ csr(d), D),
        (lambda d: Y @ csr(d), D),
        (lambda d: csr(d).T @ W, D),
        (lambda d: csr(d).dot(X), D),
        (lambda d: csr(d).toarray(), D),
        (lambda d: csr(d).T.toarray(), D),
        (lambda d: (2.0 * csr(d)).sum(), D),
        (lambda d: np.asarray(csr(d).sum(0)), D),
        (lambda d: csr(d).diagonal(), D),
        (lambda d: csr(d).trace(), D),
        (lambda d: (csr(d) + csr(d * 2)) @ V, D),
        (lambda d: csr(d).data * 2, D),
        (lambda d: np.zeros(csr(d).shape) + d[0], D),
        (lambda d: (-csr(d) / 2).toarray(), D),
        (lambda d: sp.csr_matrix(np.outer(d, d)).toarray(), D),
        (lambda d: sp.csr_matrix((d, (ROW, COL)), shape=(4, 5)).toarray(), D),
        (lambda d: csr(d) @ d[:5], D),
        (lambda d: sp.csr_matrix((d[:0], INDICES[:0], ENDS * 0), shape=(4, 5)) @ d[:5], D),
    ],
    "scipy.sparse.csr_array": [
        (lambda d: csr_array(d).sum(axis=1), D),
        (lambda d: csr_array(d).mean(0), D),
        (lambda d: csr_array(d).diagonal(k=1), D),
        (lambda d: csr_array(d).diagonal(-1), D),
        (lambda d: csr_array(d).multiply(DENSE).toarray(), D),
        (lambda d: (csr_array(d) * V).toarray(), D),
    ],
    "scipy.sparse.csc_array": [
        (lambda d: sp.csc_array((d, ROWS, STARTS), shape=(4, 5)) @ V, D),
        (lambda d: W @ sp.csc_array((d, ROWS, STARTS)), D),
    ],
    "scipy.sparse.csc_matrix": [(lambda d: sp.csc_matrix((d, ROWS, STARTS), shape=(4, 5)).T @ W, D)],
    "scipy.sparse.coo_array": [
        (lambda d: sp.coo_array((d, (ROW, COL)), shape=(4, 5)) @ V, D),
        (lambda d: sp.coo_array((d, (ROW, COL)), shape=(4, 5)).tocsr() @ V, D),
        (lambda d: (csr_array(d) - sp.coo_array((d * 3, (ROW, COL)), shape=(4, 5))).toarray(), D),
        (lambda d: sp.coo_array((d, (ROW * 0, COL)), shape=(4, 5)).toarray(), D),
    ],
    "scipy.sparse.coo_matrix": [(lambda d: sp.coo_matrix((d, (ROW, COL))).toarray(), D)],
    "scipy.sparse.issparse": [(lambda d: d * 2 if sp.issparse(csr(d)) else d, D)],
    "scipy.sparse.diags": [
        (lambda d: sp.diags([d, d[1:]], [0, 1]).toarray(), D),
        (lambda d: sp.diags(d).toarray(), D),
        (lambda d: sp.diags([1.0, -2.0, d[0]], [-1, 0, 1], shape=(4, 4)) @ d[:4], D),
    ],
    "scipy.sparse.diags_array": [(lambda d: sp.diags_array([d, d[2:]], offsets=[0, -2]).toarray(), D)],
    "scipy.sparse.eye": [(lambda d: (sp.eye(4, 5, 1) * d[0]).toarray(), D)],
    "scipy.sparse.eye_array": [(lambda d: (sp.eye_array(4) * d[0]).toarray(), D)],
    "scipy.sparse.linalg.eigsh": [
        (lambda d: sl.eigsh(full(d) + full(d).T, 2, which="LA", return_eigenvectors=False), F),
        (lambda d: sl.eigsh(full(d) + full(d).T, 1, which="SA", return_eigenvectors=False), F),
    ],
    "scipy.sparse.linalg.svds": [
        (lambda d: sl.svds(full(d), 2, return_singular_vectors=False), F),
    ],
    "scipy.sparse.linalg.spsolve": [
        (lambda e: sl.spsolve(system(e), W), E),
        (lambda w: sl.spsolve(system(E), w), W),
        (lambda e: sl.spsolve(system(e), e[:4] * e[3:]), E),
        (lambda d: sl.spsolve(full(d), Y.T), F),
        (lambda d: sl.spsolve(full(d).T, W), F),
        (lambda y: sl.spsolve(FULL, y.T), Y),
        (lambda w: sl.spsolve(FULL, w[:, np.newaxis]), W),
        (lambda e: sl.spsolve(system(e), CW), C),
        (lambda w: sl.spsolve(system(E), w), CW),
        (lambda e: sl.spsolve(system(e), np.arange(4)), E),
        (lambda d: sl.spsolve(full(d), sl.spsolve(full(d * d), W, permc_spec="NATURAL")), F),
    ],
    "scipy.sparse.linalg.splu": [
        (lambda e: sl.splu(system(e).tocsc()).solve(W.astype(e.dtype)), E),
        (lambda e: sl.splu(system(e).tocsc()).solve(Y.T, "T"), E),
        (lambda e: sl.splu(system(e).tocsc()).solve(CW, trans="H"), C),
        (lambda d: sl.splu(full(d)).solve(d[:4, np.newaxis]) * sl.splu(full(d)).shape[0], F),
        (lambda d: sl.splu(full(d)).solve(np.arange(4)), F),
    ],
    "scipy.sparse.linalg.factorized": [(lambda d: sl.factorized(full(d))(d[3:7]), F)],
    "scipy.sparse.identity": [(lambda d: sp.identity(3).toarray() * d[0], D)],
}

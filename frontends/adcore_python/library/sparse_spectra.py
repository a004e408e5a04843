"""Some eigenvalues and singular values, under the signatures of `scipy.sparse.linalg`.

Where ARPACK iterates with products, the matrix is made dense here and taken apart by LAPACK, in cubic time.  The
derivatives are those of a part of all eigenvalues (`decompositions`): the others may coincide.
"""

from __future__ import annotations

import math

import numpy as np

from .decompositions import eigen, part_of_eigen
from .factors import adjoint, inexact
from .registry import defines, refuse
from .sparse import SparseArray

__all__ = ["eigsh", "svds"]


def _dense(A):
    return A.toarray() if isinstance(A, SparseArray) else inexact(A)


@defines("scipy.sparse.linalg.eigsh")
def eigsh(
    A,
    k=6,
    M=None,
    sigma=None,
    which="LM",
    v0=None,
    ncv=None,
    maxiter=None,
    tol=0,
    return_eigenvectors=True,
    Minv=None,
    OPinv=None,
    mode="normal",
    rng=None,
):
    if M is not None or sigma is not None:
        refuse("eigsh with M or sigma", "scipy.linalg.eigh(A, M, subset_by_index=(first, last))")
    if which not in ("LM", "LA", "SA"):
        refuse("eigsh with this `which`", "which='LM', 'LA' or 'SA'")
    given = _dense(A)
    x = 0.5 * (given + adjoint(given))
    n = len(x)
    if k < 1 or k >= n:
        raise ValueError("k must be at least 1 and less than the number of rows")
    if which == "LA":
        w, v = part_of_eigen(x, n - k, n - 1)
    elif which == "SA":
        w, v = part_of_eigen(x, 0, k - 1)
    else:  # the subspace of the largest squares, and the eigenvalues in it
        _, basis = part_of_eigen(x @ x, n - k, n - 1)
        w, turned = eigen(adjoint(basis) @ x @ basis)
        v = basis @ turned
    if return_eigenvectors:
        return w, v
    return w


@defines("scipy.sparse.linalg.svds")
def svds(
    A,
    k=6,
    ncv=None,
    tol=0,
    which="LM",
    v0=None,
    maxiter=None,
    return_singular_vectors=True,
    solver="arpack",
    rng=None,
    options=None,
):
    if which != "LM":
        refuse("svds of the smallest singular values", "which='LM'")
    x = _dense(A)
    m, n = x.shape
    if k < 1 or k >= min(m, n):
        raise ValueError("k must be at least 1 and less than the numbers of rows and of columns")
    # of [[0, x], [xᴴ, 0]] the eigenvalues are ± the singular values, and the eigenvectors (u, ±v) / √2
    both = np.zeros((m + n, m + n), x.dtype)
    both[:m, m:] = x
    both[m:, :m] = adjoint(x)
    s, vectors = part_of_eigen(both, m + n - k, m + n - 1)
    if not return_singular_vectors:
        return s
    scaled = math.sqrt(2.0) * vectors
    return scaled[:m], s, adjoint(scaled[m:])

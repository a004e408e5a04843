"""Systems of linear equations with a sparse matrix, which is taken apart by `adcore.factorizations`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore import factorizations

from .factors import alike, is_one
from .registry import defines, refuse
from .sparse import SparseArray

__all__ = ["SparseLU"]


def _matrix(a, name):
    """The matrix, square and with its elements inside of it."""
    if not isinstance(a, SparseArray):
        refuse(f"{name} of a matrix that is not sparse", "np.linalg.solve(a, b)")
    if a.rows != a.columns:
        raise ValueError(f"matrix must be square (has shape ({a.rows}, {a.columns}))")
    if len(a.values) > 0:
        if np.min(a.row) < 0 or np.max(a.row) >= a.rows or np.min(a.col) < 0 or np.max(a.col) >= a.rows:
            raise ValueError("a sparse matrix with elements outside of its shape")
    return a


def _factors(values, row, col, n):
    """The order of the columns, the factors, and whether the matrix is singular."""
    columns = factorizations.sparse_order(row, col, n)
    _, packed, places, ends, diagonals, order, info = factorizations.sparse_lu(values, row, col, columns)
    return (columns, packed, places, ends, diagonals, order), info > 0


# How SciPy orders the columns is a question of time only: `permc_spec` and `use_umfpack` change nothing here.


@defines("scipy.sparse.linalg.spsolve")
def spsolve(A, b, permc_spec=None, use_umfpack=True):
    if isinstance(b, SparseArray):
        refuse("spsolve with a sparse right-hand side", "scipy.sparse.linalg.spsolve(A, b.toarray())")
    a, y = _matrix(A, "spsolve"), np.asarray(b)
    if y.shape[0] != a.rows:
        raise ValueError(f"matrix - rhs dimension mismatch (({a.rows}, {a.columns}) - {y.shape[0]})")
    values, y, _ = alike(a.values, y, np.zeros(0, np.float32))
    factors, singular = _factors(values, a.row, a.col, a.rows)
    if singular:
        raise np.linalg.LinAlgError("Matrix is exactly singular")
    if y.ndim == 1 or is_one(y.shape[1]):
        given = np.reshape(y, (-1, 1))
        return factorizations.sparse_solve(values, a.row, a.col, given, *factors, transposed=False)[:, 0]
    if y.shape[1] == 1:
        raise ValueError("spsolve with a matrix of one column, of which SciPy makes a vector: write b[:, 0]")
    return factorizations.sparse_solve(values, a.row, a.col, y, *factors, transposed=False)

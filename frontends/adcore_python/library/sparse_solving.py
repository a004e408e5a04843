"""Systems of linear equations with a sparse matrix, which is taken apart by `adcore.factorizations`.

How SciPy orders the columns, and with which blocks and pivots it goes about it, changes how long it takes and how the
result is rounded: parameters that say so are taken, and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore import factorizations

from .factors import alike, inexact, is_one
from .registry import defines, refuse
from .sparse import SparseArray

__all__ = ["SparseLU"]


@dataclass
class SparseLU:
    """What `scipy.sparse.linalg.splu` gives: a sparse matrix with its factors."""

    values: Any
    row: Any
    col: Any
    factors: Any

    @property
    def shape(self):
        n = len(self.factors[0])
        return (n, n)

    def solve(self, rhs, trans="N"):
        y = inexact(rhs)
        if trans not in ("N", "T", "H"):
            raise ValueError("trans must be N, T, or H")
        if y.ndim not in (1, 2):
            raise ValueError("object too deep for desired array")
        if y.shape[0] != len(self.factors[0]):
            raise ValueError("b is of incompatible size")
        dtype = self.values.dtype
        if np.result_type(y, self.values) != dtype:
            raise TypeError(f"Cannot cast array data from {y.dtype} to {dtype} according to the rule 'safe'")
        _, given = alike(self.values, y[:, np.newaxis] if y.ndim == 1 else y)
        found = np.conj(self.solution(np.conj(given), True)) if trans == "H" else self.solution(given, trans == "T")
        return found[:, 0] if y.ndim == 1 else found

    def solution(self, y, transposed):
        """The solution for the columns of a matrix."""
        if transposed:
            return factorizations.sparse_solve(self.values, self.row, self.col, y, *self.factors, transposed=True)
        return factorizations.sparse_solve(self.values, self.row, self.col, y, *self.factors, transposed=False)


def _checked(a, name):
    """The matrix, which has its elements inside of its shape."""
    if not isinstance(a, SparseArray):
        refuse(f"{name} of a matrix that is not sparse", "np.linalg.solve(a, b)")
    if len(a.row) != len(a.values) or len(a.col) != len(a.values):
        raise ValueError("indices and data should have the same size")
    if np.any((a.row < 0) | (a.row >= a.rows) | (a.col < 0) | (a.col >= a.columns)):
        raise ValueError("a sparse matrix has indices that exceed its shape")
    return a


def _taken_apart(values, a, error, message):
    columns = factorizations.sparse_order(a.row, a.col, a.rows)
    _count, packed, places, ends, diagonals, order, info = factorizations.sparse_lu(values, a.row, a.col, columns)
    if info > 0:
        raise error(message)
    return SparseLU(values, a.row, a.col, (columns, packed, places, ends, diagonals, order))


@defines("scipy.sparse.linalg.spsolve")
def spsolve(A, b, permc_spec=None, use_umfpack=True):
    a = _checked(A, "spsolve")
    if isinstance(b, SparseArray):
        refuse("spsolve with a sparse right-hand side", "scipy.sparse.linalg.spsolve(A, b.toarray())")
    y = np.asarray(b)
    if a.rows != a.columns:
        raise ValueError(f"matrix must be square (has shape ({a.rows}, {a.columns}))")
    if y.shape[0] != a.rows:
        raise ValueError(f"matrix - rhs dimension mismatch (({a.rows}, {a.columns}) - {y.shape[0]})")
    values, given, _ = alike(a.values, y, np.zeros(0, np.float32))
    factors = _taken_apart(values, a, np.linalg.LinAlgError, "Matrix is exactly singular")
    if y.ndim == 2 and is_one(y.shape[1]):
        return factors.solve(given[:, 0])
    if y.ndim == 2 and y.shape[1] == 1:
        raise ValueError("spsolve with a matrix of one column, of which SciPy makes a vector; write instead: b[:, 0]")
    return factors.solve(given)


@defines("scipy.sparse.linalg.splu")
def splu(A, permc_spec=None, diag_pivot_thresh=None, relax=None, panel_size=None, options=None):
    a = _checked(A, "splu")
    if a.rows != a.columns:
        raise ValueError("can only factor square matrices")
    values, _ = alike(a.values, np.zeros(0, np.float32))
    return _taken_apart(values, a, RuntimeError, "Factor is exactly singular")


@defines("scipy.sparse.linalg.factorized")
def factorized(A):
    return splu(A).solve

"""Sparse matrices and arrays: the elements that are stored, with their rows and columns, in the order of `data`.

Products, sums and conversions to dense arrays go through `data` once, whatever the format is; they are linear in it,
and so are their derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .registry import defines

__all__ = ["SparseArray", "SparseMatrix"]

REORDERED = ""  # the layout of what SciPy has stored in another order, or added up
TURNED = {"csr": "csc", "csc": "csr", "coo": "coo", REORDERED: REORDERED}
REASON = "of a sparse matrix made from another, whose order is SciPy's"


@dataclass
class SparseArray:
    """What SciPy's sparse arrays are in compiled functions, and the gradient by one.

    Attributes:
        values: the elements that are stored, SciPy's `data`; in a gradient the derivatives by them.
        row, col: where they stand; None in a gradient.
        rows, columns: the shape; None in a gradient.
        layout: SciPy's `format` where the order of the elements is that of its `data`, else empty.
    """

    values: Any
    row: Any
    col: Any
    rows: Any
    columns: Any
    layout: Any

    __array_ufunc__ = None  # NumPy's arrays leave operators to this class

    @property
    def data(self):
        if self.layout == REORDERED:
            raise NotImplementedError(f"the data {REASON}")
        return self.values

    @property
    def format(self):
        if self.layout == REORDERED:
            raise NotImplementedError(f"the format {REASON}")
        return self.layout

    @property
    def indices(self):
        return _narrow(self.col if self._by_rows("indices") else self.row, max(self.rows, self.columns))

    @property
    def indptr(self):
        by_rows = self._by_rows("indptr")
        line, lines = (self.row, self.rows) if by_rows else (self.col, self.columns)
        ends = np.cumsum(np.bincount(line, minlength=lines))
        return _narrow(np.concatenate((np.zeros(1, int), ends)), len(line))

    def _by_rows(self, name):
        """Whether the elements are stored row after row; refuses where neither rows nor columns are stored so."""
        if self.layout == REORDERED:
            raise NotImplementedError(f"the {name} {REASON}")
        if self.layout == "coo":
            raise NotImplementedError(f"the {name} of a sparse matrix of coordinates, which has none")
        return self.layout == "csr"

    @property
    def shape(self):
        return (self.rows, self.columns)

    @property
    def ndim(self):
        return 2

    @property
    def nnz(self):
        return len(self.values)

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def T(self):  # noqa: N802
        return self.transpose()

    def like(self, values):
        """The same places with other elements."""
        return type(self)(values, self.row, self.col, self.rows, self.columns, self.layout)

    def transpose(self):
        return type(self)(self.values, self.col, self.row, self.columns, self.rows, TURNED[self.layout])

    def __matmul__(self, other):
        x = np.asarray(other)
        if x.ndim == 0:
            raise ValueError("Scalar operands are not allowed, use '*' instead")
        if x.ndim > 2 or x.shape[0] != self.columns:
            raise ValueError("dimension mismatch")
        values = self.values if x.ndim == 1 else self.values[:, np.newaxis]
        products = values * x[self.col]
        made = np.zeros((self.rows, *x.shape[1:]), products.dtype)
        np.add.at(made, self.row, products)
        return made

    def __rmatmul__(self, other):
        x = np.asarray(other)
        return self.transpose() @ x if x.ndim == 1 else (self.transpose() @ x.T).T

    def dot(self, other):
        return self * other if np.ndim(other) == 0 else self @ other

    def __neg__(self):
        return self.like(-self.values)

    def __mul__(self, other):
        return self.like(self.values * other) if np.ndim(other) == 0 else self.multiply(other)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * (1.0 / other)

    def multiply(self, other):
        if np.ndim(other) == 0:
            return self * other
        dense = np.broadcast_to(np.asarray(other), (self.rows, self.columns))
        return self.like(self.values * dense[self.row, self.col])

    def toarray(self):
        made = np.zeros((self.rows, self.columns), self.values.dtype)
        np.add.at(made, (self.row, self.col), self.values)
        return made

    def sum(self, axis=None):
        if axis is None:
            return np.sum(self.values)
        along, length = (self.col, self.columns) if axis in (0, -2) else (self.row, self.rows)
        made = np.zeros(length, self.values.dtype)
        np.add.at(made, along, self.values)
        return made

    def mean(self, axis=None):
        if axis is None:
            return np.sum(self.values) / (self.rows * self.columns)
        return self.sum(axis) / (self.rows if axis in (0, -2) else self.columns)

    def diagonal(self, k=0):
        kept = self.col - self.row == k
        length = max(min(self.rows + min(k, 0), self.columns - max(k, 0)), 0)
        made = np.zeros(length, self.values.dtype)
        np.add.at(made, np.minimum(self.row, self.col)[kept], self.values[kept])
        return made

    def trace(self, offset=0):
        return np.sum(self.diagonal(offset))

    def copy(self):
        return self.like(self.values.copy())

    def astype(self, dtype):
        return self.like(self.values.astype(dtype))

    def reordered(self):
        return type(self)(self.values, self.row, self.col, self.rows, self.columns, REORDERED)

    def tocsr(self):
        return self if self.layout == "csr" else self.reordered()

    def tocsc(self):
        return self if self.layout == "csc" else self.reordered()

    def tocoo(self):
        layout = REORDERED if self.layout == REORDERED else "coo"
        return type(self)(self.values, self.row, self.col, self.rows, self.columns, layout)

    def __add__(self, other):
        if not isinstance(other, SparseArray):
            return self.toarray() + other
        values = np.concatenate((self.values, other.values))
        row, col = np.concatenate((self.row, other.row)), np.concatenate((self.col, other.col))
        return type(self)(values, row, col, self.rows, self.columns, REORDERED)

    def __radd__(self, other):
        return other + self.toarray()

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other - self.toarray()


@dataclass
class SparseMatrix(SparseArray):
    """The same for SciPy's sparse matrices, whose `*` is a product of matrices and whose sums keep both axes."""

    def __mul__(self, other):
        return self.like(self.values * other) if np.ndim(other) == 0 else self @ other

    def __rmul__(self, other):
        return self * other if np.ndim(other) == 0 else other @ self

    def sum(self, axis=None):
        if axis is None:
            return np.sum(self.values)
        return np.expand_dims(SparseArray.sum(self, axis), axis)

    def mean(self, axis=None):
        if axis is None:
            return np.sum(self.values) / (self.rows * self.columns)
        return self.sum(axis) / (self.rows if axis in (0, -2) else self.columns)


def _narrow(indices, largest):
    """Indices as SciPy stores them, in 32 bits."""
    if largest >= 2**31:
        raise NotImplementedError("indices of a sparse matrix that do not fit into 32 bits")
    return indices.astype(np.int32)


# Made in the function


@defines("scipy.sparse.csr_array")
def csr_array(arg1, shape=None, dtype=None, copy=False):
    return _compressed(SparseArray, arg1, shape, dtype, "csr")


@defines("scipy.sparse.csr_matrix")
def csr_matrix(arg1, shape=None, dtype=None, copy=False):
    return _compressed(SparseMatrix, arg1, shape, dtype, "csr")


@defines("scipy.sparse.csc_array")
def csc_array(arg1, shape=None, dtype=None, copy=False):
    return _compressed(SparseArray, arg1, shape, dtype, "csc")


@defines("scipy.sparse.csc_matrix")
def csc_matrix(arg1, shape=None, dtype=None, copy=False):
    return _compressed(SparseMatrix, arg1, shape, dtype, "csc")


@defines("scipy.sparse.coo_array")
def coo_array(arg1, shape=None, dtype=None, copy=False):
    return _with_places(SparseArray, arg1, shape, dtype, "coo")


@defines("scipy.sparse.coo_matrix")
def coo_matrix(arg1, shape=None, dtype=None, copy=False):
    return _with_places(SparseMatrix, arg1, shape, dtype, "coo")


def _compressed(kind, given, shape, dtype, layout):
    if not isinstance(given, tuple) or len(given) != 3:
        return _with_places(kind, given, shape, dtype, layout)
    by_rows = layout == "csr"
    values, indices, ends = [np.asarray(part) for part in given]
    lines = len(ends) - 1
    along = np.repeat(np.arange(lines), ends[1:] - ends[:-1])
    if len(along) != len(values) or len(indices) != len(values):
        raise ValueError("indices and data should have the same size")
    row, col = (along, indices) if by_rows else (indices, along)
    if shape is None:
        longest = np.max(indices) + 1 if len(indices) > 0 else 0
        rows, columns = (lines, longest) if by_rows else (longest, lines)
    else:
        rows, columns = shape
        if lines != (rows if by_rows else columns):
            raise ValueError(f"index pointer size {lines + 1} should be {(rows if by_rows else columns) + 1}")
    return _made(kind, values, row, col, rows, columns, dtype, layout)


def _with_places(kind, given, shape, dtype, layout):
    if isinstance(given, SparseArray):
        known = layout if layout == given.layout else REORDERED
        return kind(given.values, given.row, given.col, given.rows, given.columns, known)
    if not isinstance(given, tuple):
        dense = np.asarray(given)
        row, col = np.nonzero(dense)
        known = REORDERED if layout == "csc" else layout
        return _made(kind, dense[row, col], row, col, dense.shape[0], dense.shape[1], dtype, known)
    if not isinstance(given[1], tuple | list):
        nothing = np.zeros(0, int)
        return _made(kind, np.zeros(0), nothing, nothing, given[0], given[1], dtype, layout)
    values, row, col = np.asarray(given[0]), np.asarray(given[1][0]), np.asarray(given[1][1])
    if len(row) != len(values) or len(col) != len(values):
        raise ValueError("all index and data arrays must have the same length")
    rows, columns = (np.max(row) + 1, np.max(col) + 1) if shape is None else shape
    return _made(kind, values, row, col, rows, columns, dtype, "coo" if layout == "coo" else REORDERED)


def _made(kind, values, row, col, rows, columns, dtype, layout):
    if len(values) > 0:
        if np.max(row) >= rows or np.min(row) < 0:
            raise ValueError(f"row index {np.max(row)} exceeds matrix dimension {rows}")
        if np.max(col) >= columns or np.min(col) < 0:
            raise ValueError(f"column index {np.max(col)} exceeds matrix dimension {columns}")
    row, col = row.astype(int), col.astype(int)
    return kind(values if dtype is None else values.astype(dtype), row, col, int(rows), int(columns), layout)


@defines("scipy.sparse.issparse")
def issparse(x):
    return isinstance(x, SparseArray)


@defines("scipy.sparse.diags")
def diags(diagonals, offsets=0, shape=None, format=None, dtype=None):
    return _of_diagonals(SparseMatrix, diagonals, offsets, shape, dtype)


@defines("scipy.sparse.diags_array")
def diags_array(diagonals, /, *, offsets=0, shape=None, format=None, dtype=None):
    return _of_diagonals(SparseArray, diagonals, offsets, shape, dtype)


def _of_diagonals(kind, diagonals, offsets, shape, dtype):
    if isinstance(offsets, tuple | list):
        places, lines = offsets, [np.atleast_1d(d) for d in diagonals]
    else:
        places, lines = [offsets], [np.atleast_1d(diagonals)]
        if lines[0].ndim > 1:
            lines = [lines[0][0]]
    if len(places) != len(lines):
        raise ValueError("Different number of diagonals and offsets.")
    size = lines[0].shape[0] + abs(places[0])
    rows, columns = (size, size) if shape is None else shape
    ends = [max(min(rows + min(place, 0), columns - max(place, 0)), 0) for place in places]
    count = range(len(places))
    values = np.concatenate([_of_length(lines[k], ends[k]) for k in count])
    row = np.concatenate([np.arange(ends[k]) + max(-places[k], 0) for k in count])
    col = np.concatenate([np.arange(ends[k]) + max(places[k], 0) for k in count])
    return kind(values if dtype is None else values.astype(dtype), row, col, int(rows), int(columns), REORDERED)


def _of_length(line, n):
    """A diagonal, of one number repeated."""
    if line.shape[0] not in (1, n):
        raise ValueError(f"Diagonal length ({line.shape[0]}) does not agree with array size ({n})")
    return line if line.shape[0] == n else np.full(n, line[0])


@defines("scipy.sparse.eye", "scipy.sparse.eye_array")
def eye(m, n=None, k=0, dtype=float, format=None):
    columns = m if n is None else n
    length = max(min(m + min(k, 0), columns - max(k, 0)), 0)
    index = np.arange(length)
    row, col = index + max(-k, 0), index + max(k, 0)
    return SparseMatrix(np.ones(length, dtype), row, col, m, columns, REORDERED)


@defines("scipy.sparse.identity")
def identity(n, dtype="d", format=None):
    return eye(n, None, 0, dtype)

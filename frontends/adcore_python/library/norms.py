"""Norms of vectors and matrices, what is told by singular values, and products."""

from __future__ import annotations

import numpy as np

from .decompositions import mirrored, svdvals
from .elementwise import squares_of
from .factors import inexact, precision
from .registry import defines
from .solving import inv

__all__ = ["cond", "matrix_rank", "multi_dot", "norm"]


@defines("numpy.linalg.norm")
def norm(x, ord=None, axis=None, keepdims=False):
    a = inexact(x)
    if axis is None and (ord is None or (_is(ord, "fro", "f") and a.ndim == 2) or (ord == 2 and a.ndim == 1)):
        size = _root(np.sum(squares_of(a)))
        return np.full((1,) * a.ndim, size) if keepdims else size
    axes = tuple(range(a.ndim)) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    if len(axes) == 1:
        return _of_vectors(a, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    one, other = axes[0] % a.ndim, axes[1] % a.ndim
    if one == other:
        raise ValueError("Duplicate axes given.")
    found = _of_matrices(np.moveaxis(a, (one, other), (-2, -1)), ord)
    if not keepdims:
        return found
    return np.expand_dims(np.expand_dims(found, min(one, other)), max(one, other))


def _root(squares):
    """The square root; at 0 the mean of the one-sided derivatives of the norm is 0."""
    zero = squares == 0.0
    return np.where(zero, 0.0, np.sqrt(np.where(zero, 1.0, squares)))


def _is(ord, *names):
    return isinstance(ord, str) and ord in names


def _of_vectors(a, ord, axis, keepdims):
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order {ord!r} for vectors")
    if ord is None or ord == 2:
        return _root(np.sum(squares_of(a), axis=axis, keepdims=keepdims))
    if ord == np.inf:
        return np.max(np.abs(a), axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(np.abs(a), axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum((a != 0.0).astype(np.abs(a).dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(np.abs(a), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(a) ** ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


def _of_matrices(a, ord):
    """Of the matrices in the last two axes."""
    if ord is None or _is(ord, "fro", "f"):
        return _root(np.sum(np.sum(squares_of(a), axis=-1), axis=-1))
    if _is(ord, "nuc"):
        return np.sum(svdvals(a), axis=-1)
    if isinstance(ord, str):
        raise ValueError("Invalid norm order for matrices.")
    if ord == 2:
        return np.max(svdvals(a), axis=-1)
    if ord == -2:
        return np.min(svdvals(a), axis=-1)
    if ord == 1:
        return np.max(np.sum(np.abs(a), axis=-2), axis=-1)
    if ord == -1:
        return np.min(np.sum(np.abs(a), axis=-2), axis=-1)
    if ord == np.inf:
        return np.max(np.sum(np.abs(a), axis=-1), axis=-1)
    if ord == -np.inf:
        return np.min(np.sum(np.abs(a), axis=-1), axis=-1)
    raise ValueError("Invalid norm order for matrices.")


@defines("scipy.linalg.norm")
def scipy_norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    return norm(a, ord, axis, keepdims)


@defines("numpy.linalg.matrix_norm")
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return norm(x, ord, (-2, -1), keepdims)


@defines("numpy.linalg.vector_norm")
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    a = inexact(x)
    if axis is None:
        found = _of_vectors(a.ravel(), ord, 0, False)
        return np.full((1,) * a.ndim, found) if keepdims else found
    if not isinstance(axis, tuple | list):
        return _of_vectors(a, ord, axis, keepdims)
    axes = tuple([k % a.ndim for k in axis])
    rest = tuple([k for k in range(a.ndim) if k not in axes])
    moved = np.transpose(a, (*rest, *axes))
    size = 1
    for k in axes:
        size = size * a.shape[k]
    found = _of_vectors(np.reshape(moved, (*[a.shape[k] for k in rest], size)), ord, -1, False)
    if not keepdims:
        return found
    for k in sorted(axes):
        found = np.expand_dims(found, k)
    return found


@defines("numpy.linalg.cond")
def cond(x, p=None):
    a = inexact(x)
    if a.ndim < 2:
        raise np.linalg.LinAlgError(f"{a.ndim}-dimensional array given. Array must be at least two-dimensional")
    if p is None or p == 2:
        s = svdvals(a)
        return s[..., 0] / s[..., -1]
    if p == -2:
        s = svdvals(a)
        return s[..., -1] / s[..., 0]
    return norm(a, p, (-2, -1)) * norm(inv(a), p, (-2, -1))


@defines("numpy.linalg.matrix_rank")
def matrix_rank(A, tol=None, hermitian=False, *, rtol=None):
    a = mirrored(inexact(A)) if hermitian else inexact(A)
    if a.ndim < 2:
        return int(np.any(a != 0.0))
    s = svdvals(a)
    if tol is not None:
        return np.sum(s > tol, axis=-1)
    relative = float(max(a.shape[-2], a.shape[-1])) * precision(a) if rtol is None else rtol
    return np.sum(s > relative * np.max(s, axis=-1, keepdims=True), axis=-1)


# Products


@defines("numpy.linalg.multi_dot")
def multi_dot(arrays):
    """In an order that takes the fewest multiplications where there are three, from the left otherwise."""
    parts = [np.asarray(a) for a in arrays]
    if len(parts) < 2:
        raise ValueError("Expecting at least two arrays.")
    first, last = parts[0], parts[-1]
    rows = [first[np.newaxis, :] if first.ndim == 1 else first, *parts[1:-1]]
    rows.append(last[:, np.newaxis] if last.ndim == 1 else last)
    found = _of_three(rows[0], rows[1], rows[2]) if len(rows) == 3 else _from_left(rows)
    if first.ndim == 1:
        found = found[0]
    return found[..., 0] if last.ndim == 1 else found


def _of_three(a, b, c):
    m, k, n, p = a.shape[0], a.shape[1], b.shape[1], c.shape[1]
    if m * k * n + m * n * p <= k * n * p + m * k * p:
        return (a @ b) @ c
    return a @ (b @ c)


def _from_left(parts):
    made = parts[0]
    for part in parts[1:]:
        made = made @ part
    return made

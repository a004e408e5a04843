"""Running sums and products, differences, and what every universal function of two operands does along an axis."""

from __future__ import annotations

import numpy as np

from .registry import Written, defines, method

__all__ = ["accumulate", "added_up", "cumprod", "cumsum", "diff", "gradient", "ufunc_method"]


def product_of(lengths):
    """The number of elements of an array with axes of these lengths."""
    size = 1
    for n in lengths:
        size *= n
    return size


def added_up(a, dtype):
    """The array in the dtype in which it is added up or multiplied: integers of fewer bits, and booleans, in 64."""
    if dtype is not None:
        return np.asarray(a).astype(dtype)
    x = np.asarray(a)
    return x.astype(np.int64) if x.dtype.kind in "bi" else x.astype(np.uint64) if x.dtype.kind == "u" else x


@defines("numpy.cumsum")
@method("cumsum")
def cumsum(a, axis=None, dtype=None):
    x = added_up(a, dtype)
    return _running(np.add, x.ravel(), 0, -0.0) if axis is None else _running(np.add, x, axis, -0.0)


@defines("numpy.cumprod")
@method("cumprod")
def cumprod(a, axis=None, dtype=None):
    x = added_up(a, dtype)
    return _running(np.multiply, x.ravel(), 0, 1.0) if axis is None else _running(np.multiply, x, axis, 1.0)


@defines("numpy.nancumsum")
def nancumsum(a, axis=None, dtype=None):
    x = added_up(a, dtype)
    return cumsum(np.where(np.isnan(x), np.zeros_like(x), x), axis)


@defines("numpy.nancumprod")
def nancumprod(a, axis=None, dtype=None):
    x = added_up(a, dtype)
    return cumprod(np.where(np.isnan(x), np.ones_like(x), x), axis)


@defines("numpy.cumulative_sum")
def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    return _included(cumsum, x, axis, dtype, 0, include_initial)


@defines("numpy.cumulative_prod")
def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    return _included(cumprod, x, axis, dtype, 1, include_initial)


def _included(scan, x, axis, dtype, start, include_initial):
    values = np.asarray(x)
    if axis is None:
        if values.ndim != 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        return _included(scan, values, 0, dtype, start, include_initial)
    found = scan(values, axis, dtype)
    if not include_initial:
        return found
    first = [1 if k == axis % values.ndim else values.shape[k] for k in range(values.ndim)]
    return np.concatenate((np.full(tuple(first), start, found.dtype), found), axis)


def _running(op, x, axis, start):
    """What op comes to, from the start on: in a number for each row of the last axis, else for whole rows."""
    if axis % x.ndim < x.ndim - 1:
        return _accumulated(op, x, axis)
    n = x.shape[-1]
    rows = x.reshape(product_of(x.shape[:-1]), n)
    made = np.empty_like(rows)
    for i in range(rows.shape[0]):
        so_far = np.full((), start, x.dtype)
        for k in range(n):
            so_far = op(so_far, rows[i, k])
            made[i, k] = so_far
    return made.reshape(x.shape)


def _accumulated(op, x, axis):
    moved = np.moveaxis(x, axis, 0)
    made = np.empty_like(moved)
    made[:1] = moved[:1]
    for k in range(1, moved.shape[0]):
        made[k] = op(made[k - 1], moved[k])
    return np.moveaxis(made, 0, axis)


# Differences


@defines("numpy.diff")
def diff(a, n=1, axis=-1, prepend=None, append=None):
    x = np.asarray(a)
    if x.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    if n < 0:
        raise ValueError("order must be non-negative but got " + str(n))
    if prepend is not None or append is not None:
        parts = [] if prepend is None else [_one_more(prepend, x, axis)]
        parts.append(x)
        if append is not None:
            parts.append(_one_more(append, x, axis))
        return diff(np.concatenate(parts, axis), n, axis)
    if n == 0:
        return x
    moved = np.moveaxis(x, axis, 0)
    later, earlier = moved[1:], moved[:-1]
    once = np.moveaxis(later != earlier if x.dtype == bool else later - earlier, 0, axis)
    return once if n == 1 else diff(once, n - 1, axis)


def _one_more(value, x, axis):
    given = np.asarray(value)
    if given.ndim > 0:
        return given
    return np.full(tuple([1 if k == axis % x.ndim else x.shape[k] for k in range(x.ndim)]), given)


@defines("numpy.ediff1d")
def ediff1d(ary, to_end=None, to_begin=None):
    x = np.asarray(ary).ravel()
    parts = [] if to_begin is None else [_of_kind(to_begin, x, "to_begin")]
    parts.append(x[1:] - x[:-1])
    if to_end is not None:
        parts.append(_of_kind(to_end, x, "to_end"))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _of_kind(values, x, name):
    given = np.ravel(values)
    if x.dtype.kind in "iu" and given.dtype.kind in "fc":
        raise TypeError(f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule.")
    return given.astype(x.dtype)


TOO_SMALL = (
    "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required."
)


@defines("numpy.gradient")
def gradient(f, *varargs, axis=None, edge_order=1):
    x = np.asarray(f)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    spacings = varargs if len(varargs) > 0 else (1.0,)
    if len(spacings) == 1 and len(axes) > 1:
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    found = tuple([_slopes(x * 1.0, spacings[k], axes[k], edge_order) for k in range(len(axes))])
    return found[0] if len(axes) == 1 else found


def _slopes(x, spacing, axis, edge_order):
    y = np.moveaxis(x, axis, 0)
    n = y.shape[0]
    if n < edge_order + 1:
        raise ValueError(TOO_SMALL)
    h = np.asarray(spacing)
    if h.ndim > 0:
        if h.shape[0] != n:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        gaps = np.reshape(h[1:] - h[:-1], (n - 1,) + (1,) * (y.ndim - 1))
    else:
        gaps = np.full((n - 1,) + (1,) * (y.ndim - 1), h * 1.0)
    made = np.empty_like(y)
    rise = (y[1:] - y[:-1]) / gaps
    before, after = gaps[:-1], gaps[1:]
    if h.ndim > 0:
        made[1:-1] = (after * rise[:-1] + before * rise[1:]) / (before + after)
    else:
        made[1:-1] = (y[2:] - y[:-2]) / (2.0 * h)
    if edge_order == 1:
        made[0], made[-1] = rise[0], rise[-1]
    else:
        made[0] = rise[0] + (rise[0] - rise[1]) * (gaps[0] / (gaps[0] + gaps[1]))
        made[-1] = rise[-1] + (rise[-1] - rise[-2]) * (gaps[-1] / (gaps[-1] + gaps[-2]))
    return np.moveaxis(made, 0, axis)


# Universal functions along an axis

FOLDS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
FOLDS |= {np.logical_and: np.all, np.logical_or: np.any}


def _operands(op, array, dtype):
    """The array in the dtype of what op makes of it."""
    x = np.asarray(array)
    if dtype is None and (op is np.add or op is np.multiply):
        return x.astype(np.sum(x[:0]).dtype)  # sums and products of small integers and booleans are wider
    return x.astype(op(x[:0], x[:0]).dtype if dtype is None else dtype)


def reduce(op, fold, array, axis=0, dtype=None, keepdims=False, initial=None, where=True):
    if fold is not None:
        x = np.asarray(array) if dtype is None else np.asarray(array).astype(dtype)
        if initial is None:
            return fold(x, axis=axis, keepdims=keepdims, where=where)
        return fold(x, axis=axis, keepdims=keepdims, where=where, initial=initial)
    if where is not True:
        raise NotImplementedError("reduce with where= of a function that has no identity")
    if axis is None or isinstance(axis, tuple):
        raise NotImplementedError("reduce along several axes of a function whose order matters")
    x = _operands(op, array, dtype)
    moved = np.moveaxis(x, axis, 0)
    if initial is None:
        if moved.shape[0] == 0:
            raise ValueError("zero-size array to reduction operation which has no identity")
        so_far = moved[0]
        for k in range(1, moved.shape[0]):
            so_far = op(so_far, moved[k])
    else:
        so_far = np.full(moved.shape[1:], initial, x.dtype)
        for k in range(moved.shape[0]):
            so_far = op(so_far, moved[k])
    return np.expand_dims(so_far, axis) if keepdims else so_far


def accumulate(op, fold, array, axis=0, dtype=None):
    return _accumulated(op, _operands(op, array, dtype), axis)


def outer(op, fold, A, B):
    x, y = np.asarray(A), np.asarray(B)
    if y.ndim == 0:
        return op(x, y)
    return op(np.reshape(x, x.shape + (1,) * y.ndim), y)


def reduceat(op, fold, array, indices, axis=0, dtype=None):
    x = _operands(op, array, dtype)
    moved = np.moveaxis(x, axis, 0)
    starts = np.asarray(indices)
    n = moved.shape[0]
    made = np.empty((starts.shape[0], *moved.shape[1:]), x.dtype)
    for k in range(starts.shape[0]):
        made[k] = moved[starts[k]]
        stop = starts[k + 1] if k + 1 < starts.shape[0] else n
        for j in range(starts[k] + 1, stop):
            made[k] = op(made[k], moved[j])
    return np.moveaxis(made, 0, axis)


def at(op, fold, a, indices, b):
    """One element after the other, so that one that is named twice is changed twice."""
    places = np.atleast_1d(indices)
    if places.ndim != 1:
        raise NotImplementedError("at index arrays of a higher rank")
    values = np.broadcast_to(np.asarray(b), (places.shape[0], *a.shape[1:]))
    for k in range(places.shape[0]):
        a[places[k]] = op(a[places[k]], values[k])


UFUNC_METHODS = {f.__name__: f for f in (reduce, accumulate, outer, reduceat, at)}


def ufunc_method(ufunc, name):
    """What a method of a universal function of two operands means."""
    if ufunc.nin != 2 or ufunc.nout != 1 or name not in UFUNC_METHODS:
        return None
    return Written(UFUNC_METHODS[name], first=(ufunc, FOLDS.get(ufunc)))

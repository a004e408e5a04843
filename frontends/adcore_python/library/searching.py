"""Places of elements: extrema, insertion points, index arrays, where elements of one array are in another."""

from __future__ import annotations

import numpy as np

from .registry import defines, method
from .scans import product_of

__all__ = ["argmax", "argmin", "digitize", "isin", "searchsorted", "take_along_axis"]


@defines("numpy.argmax")
@method("argmax")
def argmax(a, axis=None, *, keepdims=False):
    return _first_place(np.asarray(a), np.max, axis, keepdims)


@defines("numpy.argmin")
@method("argmin")
def argmin(a, axis=None, *, keepdims=False):
    return _first_place(np.asarray(a), np.min, axis, keepdims)


def _first_place(x, extremum, axis, keepdims):
    if axis is None:
        flat = x.ravel()
        place = _first_place(flat, extremum, 0, False)
        return np.full((1,) * x.ndim, place) if keepdims else place
    hit = x == extremum(x, axis=axis, keepdims=True)
    if x.dtype.kind == "f":
        hit = hit | np.isnan(x)
    places = _all_places(x, axis % x.ndim)
    return np.min(np.where(hit, places, x.shape[axis]), axis=axis, keepdims=keepdims)


@defines("numpy.nanargmax")
def nanargmax(a, axis=None, *, keepdims=False):
    x = np.asarray(a)
    _some_number(x, axis)
    return argmax(np.where(np.isnan(x), -np.inf, x), axis, keepdims=keepdims)


@defines("numpy.nanargmin")
def nanargmin(a, axis=None, *, keepdims=False):
    x = np.asarray(a)
    _some_number(x, axis)
    return argmin(np.where(np.isnan(x), np.inf, x), axis, keepdims=keepdims)


def _some_number(x, axis):
    if np.any(np.all(np.isnan(x), axis=axis)):
        raise ValueError("All-NaN slice encountered")


# Insertion points


@defines("numpy.searchsorted")
@method("searchsorted")
def searchsorted(a, v, side="left", sorter=None):
    if side != "left" and side != "right":
        raise ValueError("search side must be 'left' or 'right'")
    line = np.asarray(a) if sorter is None else np.asarray(a)[np.asarray(sorter)]
    values = np.asarray(v)
    if values.ndim == 0:
        return _place_of(line, v, side == "right")
    flat = values.ravel()
    places = np.zeros(flat.shape[0], np.int64)
    for k in range(flat.shape[0]):
        places[k] = _place_of(line, flat[k], side == "right")
    return places.reshape(values.shape)


def _place_of(line, value, behind):
    """Where the value goes by halving; nan is larger than all numbers."""
    low, high = 0, line.shape[0]
    while low < high:
        middle = (low + high) // 2
        if _precedes(line[middle], value, behind):
            low = middle + 1
        else:
            high = middle
    return low


def _precedes(x, y, or_equal):
    if or_equal:
        return (x <= y) | (y != y)
    return (x < y) | ((y != y) & (x == x))


@defines("numpy.digitize")
def digitize(x, bins, right=False):
    edges = np.asarray(bins)
    n = edges.shape[0]
    side = "left" if right else "right"
    rising = np.all(edges[1:] >= edges[:-1])
    if not rising and not np.all(edges[1:] <= edges[:-1]):
        raise ValueError("bins must be monotonically increasing or decreasing")
    if rising:
        return searchsorted(edges, x, side)
    return n - searchsorted(edges[::-1], x, "right" if right else "left")


# Elements at index arrays


@defines("numpy.take_along_axis")
def take_along_axis(arr, indices, axis=-1):
    x = np.asarray(arr)
    if axis is None:
        return x.ravel()[np.asarray(indices)]
    return x[_open_places(x, np.asarray(indices), axis)]


@defines("numpy.put_along_axis")
def put_along_axis(arr, indices, values, axis):
    if axis is None:
        put(arr, indices, values)
    else:
        arr[_open_places(arr, np.asarray(indices), axis)] = values


def _open_places(x, indices, axis):
    """For each axis an index array that broadcasts: the indices along one, all of the others."""
    if x.ndim != indices.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    return tuple([indices if k == axis % x.ndim else _all_places(x, k) for k in range(x.ndim)])


def _all_places(x, axis):
    n = x.shape[axis]
    return np.reshape(np.arange(n), tuple([n if k == axis else 1 for k in range(x.ndim)]))


@defines("numpy.put")
@method("put")
def put(a, ind, v, mode="raise"):
    if mode != "raise":
        raise NotImplementedError("np.put with another mode than 'raise'")
    places, values = np.atleast_1d(ind).ravel(), np.atleast_1d(v).ravel()
    size = a.size
    if np.any((places < -size) | (places >= size)):
        raise IndexError("np.put: an index is out of bounds")
    along = _of_axes(np.where(places < 0, places + size, places), a.shape)
    a[along] = values[np.arange(places.shape[0]) % values.shape[0]]


def _of_axes(places, shape):
    """For each axis the indices of elements that are counted in C order."""
    inner = [product_of(shape[k + 1 :]) for k in range(len(shape))]
    return tuple([places // inner[k] % max(shape[k], 1) for k in range(len(shape))])


@defines("numpy.putmask")
def putmask(a, mask, values):
    chosen, given = _mask_of(a, mask, "putmask"), np.atleast_1d(values).ravel()
    if given.shape[0] > 0:
        a[np.nonzero(chosen)] = given[np.flatnonzero(chosen) % given.shape[0]]


def _mask_of(a, mask, name):
    """The mask in the shape of the array."""
    if np.size(mask) != a.size:
        raise ValueError(f"{name}: mask and data must be the same size")
    return np.reshape(mask, a.shape)


@defines("numpy.unravel_index")
def unravel_index(indices, shape, order="C"):
    if order not in ("C", "F"):
        raise ValueError("only 'C' or 'F' order is permitted")
    lengths = _lengths(shape)
    places = _integers(indices)
    if np.any((places < 0) | (places >= product_of(lengths))):
        raise ValueError(f"an index is out of bounds for array with size {product_of(lengths)}")
    return _of_axes(places, lengths) if order == "C" else _of_axes(places, lengths[::-1])[::-1]


@defines("numpy.ravel_multi_index")
def ravel_multi_index(multi_index, dims, mode="raise", order="C"):
    if order not in ("C", "F"):
        raise ValueError("only 'C' or 'F' order is permitted")
    lengths = _lengths(dims)
    if len(multi_index) != len(lengths):
        raise ValueError(f"parameter multi_index must be a sequence of length {len(lengths)}")
    modes = mode if isinstance(mode, tuple) else (mode,) * len(lengths)
    inside = [_inside(multi_index[k], n, modes[k]) for k, n in enumerate(lengths)]
    places = 0
    for k in range(len(lengths)):
        places = places + inside[k] * product_of(lengths[k + 1 :] if order == "C" else lengths[:k])
    return places


def _lengths(shape):
    return tuple(shape) if isinstance(shape, tuple | list) else (shape,)


def _integers(places):
    x = np.asarray(places)
    if x.dtype.kind not in "iu":
        raise TypeError("only int indices permitted")
    return x


def _inside(places, n, mode):
    x = _integers(places)
    if mode == "wrap":
        return x % n
    if mode == "clip":
        return np.clip(x, 0, n - 1)
    if np.any((x < 0) | (x >= n)):
        raise ValueError("invalid entry in coordinates array")
    return x


@defines("numpy.choose")
@method("choose")
def choose(a, choices, mode="raise"):
    index = np.asarray(a)
    n = len(choices)
    if mode == "wrap":
        index = index % n
    elif mode == "clip":
        index = np.clip(index, 0, n - 1)
    elif np.any((index < 0) | (index >= n)):
        raise ValueError("invalid entry in choice array")
    found = np.asarray(choices[0])
    for k, choice in enumerate(choices):
        found = np.where(index == k, choice, found)
    return found


@defines("numpy.select")
def select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    found = default
    for holds, choice in list(zip(condlist, choicelist))[::-1]:  # noqa: B905
        found = np.where(holds, choice, found)
    return found


@defines("numpy.compress")
def compress(condition, a, axis=None):
    x = np.asarray(a)
    places = np.flatnonzero(condition)
    return x.ravel()[places] if axis is None else np.take(x, places, axis)


@method("compress")
def compress_of(a, condition, axis=None):
    return compress(condition, a, axis)


@defines("numpy.extract")
def extract(condition, arr):
    return np.ravel(arr)[np.flatnonzero(condition)]


@defines("numpy.place")
def place(arr, mask, vals):
    places, values = np.nonzero(_mask_of(arr, mask, "place")), np.atleast_1d(vals).ravel()
    if values.shape[0] == 0 and places[0].shape[0] > 0:
        raise ValueError("Cannot insert from an empty array!")
    arr[places] = values[np.arange(places[0].shape[0]) % values.shape[0]]


# Arrays with elements put in and left out


@defines("numpy.insert")
def insert(arr, obj, values, axis=None):
    x = np.asarray(arr)
    if axis is None:
        return _inserted(x.ravel(), obj, values)
    moved = np.moveaxis(x, axis, 0)
    given = np.asarray(values)
    if given.ndim > 1 or (given.ndim == 1 and not isinstance(obj, int)):
        wide = np.reshape(given, (1,) * (x.ndim - given.ndim) + given.shape)
        given = np.moveaxis(wide, axis, 0)
    return np.moveaxis(_inserted(moved, obj, given), 0, axis)


def _inserted(x, obj, values):
    """Values put in front of rows; of several in front of one row, in the order given."""
    n = x.shape[0]
    if isinstance(obj, slice):
        raise NotImplementedError("np.insert at a slice")
    before = np.atleast_1d(obj)
    if np.any((before < -n) | (before > n)):
        raise IndexError("index is out of bounds for axis 0")
    before = np.where(before < 0, before + n, before)
    given = np.asarray(values)
    count = before.shape[0]
    if given.ndim == x.ndim and isinstance(obj, int):
        count = given.shape[0]
        before = np.full(count, before[0])
    order = np.argsort(before)
    places = np.empty(count, np.int64)
    places[order] = before[order] + np.arange(count)
    old = np.ones(n + count, bool)
    old[places] = False
    made = np.empty((n + count, *x.shape[1:]), x.dtype)
    made[np.flatnonzero(old)] = x
    made[places] = given
    return made


@defines("numpy.delete")
def delete(arr, obj, axis=None):
    x = np.asarray(arr)
    if axis is None:
        return delete(x.ravel(), obj, 0)
    keep = np.ones(x.shape[axis], bool)
    keep[np.asarray(obj) if isinstance(obj, list) else obj] = False
    return np.take(x, np.flatnonzero(keep), axis)


# Where elements of one array are in another


@defines("numpy.isin")
def isin(element, test_elements, assume_unique=False, invert=False, *, kind=None):
    x = np.asarray(element)
    line = np.sort(np.atleast_1d(test_elements).ravel())
    flat = np.atleast_1d(x).ravel()
    places = np.minimum(searchsorted(line, flat), max(line.shape[0] - 1, 0))
    found = np.zeros(flat.shape[0], bool)
    if line.shape[0] > 0:
        found = line[places] == flat
    if invert:
        found = ~found
    return found.reshape(x.shape) if x.ndim > 0 else found[0]

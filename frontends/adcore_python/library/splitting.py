"""Arrays taken apart along an axis, and put together of blocks."""

from __future__ import annotations

import numpy as np

from .registry import defines

__all__ = ["array_split", "block", "split", "unstack"]


@defines("numpy.array_split")
def array_split(ary, indices_or_sections, axis=0):
    x = np.asarray(ary)
    n = x.shape[axis]
    if np.ndim(indices_or_sections) > 0:
        ends = [*[indices_or_sections[k] for k in range(len(indices_or_sections))], n]
        return [_part(x, 0 if k == 0 else ends[k - 1], ends[k], axis) for k in range(len(ends))]
    count = indices_or_sections
    if count <= 0:
        raise ValueError("number sections must be larger than 0.")
    each, extra = n // count, n % count
    starts = [k * each + min(k, extra) for k in range(count + 1)]
    return [_part(x, starts[k], starts[k + 1], axis) for k in range(count)]


def _part(x, start, stop, axis):
    moved = np.swapaxes(x, 0, axis)
    return np.swapaxes(moved[start:stop], 0, axis)


@defines("numpy.split")
def split(ary, indices_or_sections, axis=0):
    x = np.asarray(ary)
    if np.ndim(indices_or_sections) == 0 and x.shape[axis] % indices_or_sections != 0:
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


@defines("numpy.hsplit")
def hsplit(ary, indices_or_sections):
    x = np.asarray(ary)
    if x.ndim == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@defines("numpy.vsplit")
def vsplit(ary, indices_or_sections):
    x = np.asarray(ary)
    if x.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(x, indices_or_sections, 0)


@defines("numpy.dsplit")
def dsplit(ary, indices_or_sections):
    x = np.asarray(ary)
    if x.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(x, indices_or_sections, 2)


@defines("numpy.unstack")
def unstack(x, /, *, axis=0):
    moved = np.moveaxis(np.asarray(x), axis, 0)
    return tuple([moved[k] for k in range(moved.shape[0])])


@defines("numpy.block")
def block(arrays):
    depth, rank = _depth(arrays), _rank(arrays)
    return _block(arrays, depth, max(depth, rank)).copy()


def _depth(arrays):
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _rank(arrays):
    return max([_rank(each) for each in arrays]) if isinstance(arrays, list) else np.ndim(arrays)


def _block(arrays, depth, rank):
    if not isinstance(arrays, list):
        x = np.asarray(arrays)
        return np.reshape(x, (1,) * (rank - x.ndim) + x.shape)
    return np.concatenate([_block(each, depth - 1, rank) for each in arrays], -depth)

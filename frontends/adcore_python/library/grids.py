"""What NumPy's objects between brackets mean: `np.mgrid[…]`, `np.ogrid[…]`, `np.r_[…]`, `np.c_[…]`."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["dense_grid", "joined", "line", "open_grid"]


def line(start, stop, step, count):
    """The numbers of one slice; with a count, as many from start to stop."""
    if count is None:
        return np.arange(start, stop, step)
    return _counted(start, stop, step, count, np.result_type(start, stop, 1.0))


def dense_grid(*slices):
    lines = open_grid(*slices)
    shape = tuple([lines[k].shape[k] for k in range(len(lines))])
    return np.stack([np.broadcast_to(each, shape) for each in lines])


def open_grid(*slices):
    """A grid has one dtype, in which Python's numbers are weak."""
    numbers = [each[k] for each in slices for k in range(3)] + [0 if each[3] is None else 1.0 for each in slices]
    dtype = np.result_type(0, *numbers)
    lines = [_counted(start, stop, step, count, dtype) for start, stop, step, count in slices]
    rank = len(lines)
    return tuple([np.reshape(lines[k], (1,) * k + (-1,) + (1,) * (rank - k - 1)) for k in range(rank)])


def _counted(start, stop, step, count, dtype):
    if count is None:
        return np.arange(math.ceil((stop - start) / step), dtype=dtype) * step + start
    gap = (stop - start) / (count - 1) if count != 1 else 1
    return np.arange(count, dtype=dtype) * gap + start


def joined(items, axis, rank, place):
    """Numbers and arrays joined along an axis, those of lower rank raised to it, their own axes from `place` on."""
    dtype = np.result_type(*items)
    return np.concatenate([_raised(np.asarray(item, dtype), rank, place) for item in items], axis)


def _raised(x, rank, place):
    new = rank - x.ndim
    if new <= 0:
        return x
    before = new if place == -1 else place
    return np.reshape(x, (1,) * before + x.shape + (1,) * (new - before))

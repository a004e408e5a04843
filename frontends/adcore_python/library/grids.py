"""What NumPy's objects between brackets mean: `np.mgrid[…]`, `np.ogrid[…]`, `np.r_[…]`, `np.c_[…]`."""

from __future__ import annotations

import numpy as np

__all__ = ["dense_grid", "joined", "line", "open_grid"]


def line(start, stop, step, count):
    """The numbers of one slice; with a count, as many from start to stop."""
    if count is None:
        return np.arange(start, stop, step)
    gap = (stop - start) / (count - 1) if count != 1 else 1.0
    return np.arange(count) * gap + start


def dense_grid(*slices):
    lines = open_grid(*slices)
    shape = tuple([lines[k].shape[k] for k in range(len(lines))])
    return np.stack([np.broadcast_to(each, shape) for each in lines])


def open_grid(*slices):
    lines = [line(*each) for each in slices]
    if any(x.dtype.kind == "f" for x in lines):
        lines = [x.astype(float) for x in lines]
    rank = len(lines)
    return tuple([np.reshape(lines[k], (1,) * k + (-1,) + (1,) * (rank - k - 1)) for k in range(rank)])


def joined(items, axis, rank, place):
    """Numbers and arrays joined along an axis, those of lower rank raised to it, their own axes from `place` on."""
    return np.concatenate([_raised(np.asarray(item), rank, place) for item in items], axis)


def _raised(x, rank, place):
    new = rank - x.ndim
    if new <= 0:
        return x
    before = new if place == -1 else place
    return np.reshape(x, (1,) * before + x.shape + (1,) * (new - before))

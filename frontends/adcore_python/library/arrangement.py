"""Elements in another order or another shape: rolled, rotated, repeated, axes moved."""

from __future__ import annotations

import numpy as np

from .registry import defines

__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", "moveaxis", "repeat", "roll", "rot90", "tile"]


@defines("numpy.roll")
def roll(a, shift, axis=None):
    x = np.asarray(a)
    if axis is None:
        return _rolled(x.ravel(), shift, 0).reshape(x.shape)
    if isinstance(axis, tuple):
        shifts = shift if isinstance(shift, tuple) else (shift,) * len(axis)
        for by, one in zip(shifts, axis):  # noqa: B905
            x = _rolled(x, by, one)
        return x
    return _rolled(x, shift, axis)


def _rolled(x, shift, axis):
    moved = np.swapaxes(x, 0, axis)
    n = moved.shape[0]
    k = shift % n if n > 0 else 0
    rolled = np.empty_like(moved)
    rolled[:k] = moved[n - k :]
    rolled[k:] = moved[: n - k]
    return np.swapaxes(rolled, 0, axis)


@defines("numpy.flipud")
def flipud(m):
    return np.asarray(m)[::-1]


@defines("numpy.fliplr")
def fliplr(m):
    return np.asarray(m)[:, ::-1]


@defines("numpy.rot90")
def rot90(m, k=1, axes=(0, 1)):
    x = np.asarray(m)
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return np.flip(np.flip(x, axes[0]), axes[1])
    if turns == 1:
        return np.swapaxes(np.flip(x, axes[1]), axes[0], axes[1])
    return np.flip(np.swapaxes(x, axes[0], axes[1]), axes[1])


@defines("numpy.moveaxis")
def moveaxis(a, source, destination):
    x = np.asarray(a)
    sources = source if isinstance(source, tuple | list) else (source,)
    targets = destination if isinstance(destination, tuple | list) else (destination,)
    if len(sources) != len(targets):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [k for k in range(x.ndim) if k not in [s % x.ndim for s in sources]]
    for target, old in sorted([(targets[k] % x.ndim, sources[k] % x.ndim) for k in range(len(sources))]):
        order.insert(target, old)
    return np.transpose(x, tuple(order))


@defines("numpy.atleast_1d")
def atleast_1d(*arys):
    found = tuple([_of_rank(a, 1) for a in arys])
    return found[0] if len(found) == 1 else found


@defines("numpy.atleast_2d")
def atleast_2d(*arys):
    found = tuple([_of_rank(a, 2) for a in arys])
    return found[0] if len(found) == 1 else found


@defines("numpy.atleast_3d")
def atleast_3d(*arys):
    found = tuple([_of_rank(a, 3) for a in arys])
    return found[0] if len(found) == 1 else found


def _of_rank(a, rank):
    x = np.asarray(a)
    if x.ndim >= rank:
        return x
    if x.ndim == 0:
        return np.full((1,) * rank, x)
    if x.ndim == 1:
        return x[np.newaxis, :] if rank == 2 else x[np.newaxis, :, np.newaxis]
    return x[:, :, np.newaxis]


@defines("numpy.tile")
def tile(A, reps):
    x = np.asarray(A)
    times = reps if isinstance(reps, tuple | list) else (reps,)
    x = np.reshape(x, (1,) * (len(times) - x.ndim) + x.shape)
    times = (1,) * (x.ndim - len(times)) + tuple(times)
    for axis, by in enumerate(times):
        x = _tiled(x, by, axis)
    return x.copy()


def _tiled(x, times, axis):
    moved = np.swapaxes(x, 0, axis)
    repeated = np.broadcast_to(moved, (times, *moved.shape))
    return np.swapaxes(np.reshape(repeated, (times * moved.shape[0], *moved.shape[1:])), 0, axis)


@defines("numpy.repeat")
def repeat(a, repeats, axis=None):
    x = np.asarray(a)
    if axis is None:
        return repeat(x.ravel(), repeats, 0)
    moved = np.swapaxes(x, 0, axis)
    index = np.arange(moved.shape[0])
    if isinstance(repeats, int):
        places = np.broadcast_to(index[:, np.newaxis], (moved.shape[0], repeats)).ravel()
        return np.swapaxes(moved[places], 0, axis)
    counts = np.asarray(repeats)
    places = np.zeros(np.sum(counts), np.int64)
    end = 0
    for k in index:
        for _ in range(counts[k]):
            places[end] = k
            end += 1
    return np.swapaxes(moved[places], 0, axis)

"""Integers of all dtypes as NumPy's generators draw them, and random orders."""

from __future__ import annotations

import numpy as np

from .random_bits import bounded, bounded_32, word

__all__ = ["integers_below", "picked", "shuffled"]


LARGEST = 9223372036854775807  # bounds have 64 bits, with a sign


def integers_below(rng, low, high, shape, dtype, endpoint):
    """Integers from `low` to `high`, which is one of them at `endpoint`; bounds broadcast to the shape.

    Those of 8 and 16 bits, and truths, are taken one after the other from 32 bits, and what is left at the end of a
    call is lost.
    """
    low, high = np.asarray(low), np.asarray(high)
    beyond = np.any(low > high) if endpoint else np.any(low >= high)
    if beyond:
        raise ValueError("low > high" if endpoint else "low >= high")
    _check_range(low, high, dtype, endpoint)
    last = high.astype(np.uint64) - low.astype(np.uint64)
    if not endpoint:
        last = last - 1
    lasts = np.broadcast_to(last, shape).reshape(-1)
    offsets = np.broadcast_to(low.astype(np.uint64), shape).reshape(-1)
    made = np.empty(lasts.shape, np.uint64)
    if dtype.itemsize == 8:
        for k in range(made.shape[0]):
            made[k] = offsets[k] + bounded(rng, lasts[k])
    elif dtype.itemsize == 4:
        for k in range(made.shape[0]):
            made[k] = offsets[k] + _of_32_bits(rng, lasts[k])
    else:
        width = 1 if dtype.kind == "b" else 8 * dtype.itemsize
        rest, left = np.uint64(0), 0
        for k in range(made.shape[0]):
            found, rest, left = _of_few_bits(rng, lasts[k], width, rest, left)
            made[k] = offsets[k] + found
    return made.astype(dtype).reshape(shape)


def _check_range(low, high, dtype, endpoint):
    if dtype.kind == "b":
        least, most = 0, 1
    elif dtype.itemsize == 8:
        least, most = (0 if dtype.kind == "u" else -LARGEST - 1), LARGEST
    else:
        bits = 8 * dtype.itemsize
        least = 0 if dtype.kind == "u" else -(2 ** (bits - 1))
        most = 2**bits - 1 if dtype.kind == "u" else 2 ** (bits - 1) - 1
    if np.any(low < least):
        raise ValueError(f"low is out of bounds for {dtype.name}")
    above = np.any(high > most) if endpoint else np.any(high - 1 > most)
    if above:
        raise ValueError(f"high is out of bounds for {dtype.name}")


def _of_32_bits(rng, last):
    found = np.uint64(0)
    if last > 0:
        found = word(rng) if last == 0xFFFFFFFF else bounded_32(rng, last)
    return found


def _part(rng, width, rest, left):
    """The next bits of those that are left, or of 32 new ones; what is left then."""
    if left == 0:
        rest = word(rng)
        left = 32 // width
    else:
        rest = rest >> width
    return rest & (2**width - 1), rest, left - 1


def _of_few_bits(rng, last, width, rest, left):
    """An integer from 0 to `last`, below 2**width; what is left of the bits then."""
    found = np.uint64(0)
    if last > 0:
        found, rest, left = _part(rng, width, rest, left)
        if last < 2**width - 1:
            mask, count = 2**width - 1, last + 1
            scaled = found * count
            if (scaled & mask) < count:
                threshold = (mask - last) % count
                while (scaled & mask) < threshold:
                    found, rest, left = _part(rng, width, rest, left)
                    scaled = found * count
            found = scaled >> width
    return found, rest, left


def _interval(rng, last):
    """An integer from 0 to `last`: as many bits as it has, drawn again while they are more."""
    mask = last
    for shift in (1, 2, 4, 8, 16, 32):
        mask = mask | (mask >> shift)
    found = last + 1
    while found > last:
        found = (word(rng) if last <= 0xFFFFFFFF else rng.bits()) & mask
    return found


def shuffled(rng, count):
    """The integers below a count in a random order (R. Durstenfeld, Comm. ACM 7(7), 1964)."""
    made = np.arange(count)
    for k in range(count - 1, 0, -1):
        other = int(_interval(rng, np.uint64(k)))
        made[k], made[other] = made[other], made[k]
    return made


def picked(rng, count, wanted, shuffle):
    """Different integers below a count: the last ones of a random order, or where these are few by Floyd's method.

    Source: J. Bentley and R. Floyd, Comm. ACM 30(9), 1987.
    """
    cutoff = 50 if shuffle else 20
    if count > 10000 and wanted > count // cutoff:
        made = np.arange(count)
        _swap_back(rng, made, np.maximum(count - wanted, 1))
        return made[count - wanted :]
    made = np.zeros(wanted, np.int64)
    places = 1
    while places < 2 * wanted:
        places = 2 * places
    known = np.full(places, -1)
    for k in range(wanted):
        last = count - wanted + k
        value = int(bounded(rng, np.uint64(last)))
        place = _place(known, value)
        if known[place] == value:
            value = last
            place = _place(known, value)
        known[place] = value
        made[k] = value
    if shuffle:
        _swap_back(rng, made, 1)
    return made


def _place(known, value):
    """Where an integer is in a table of them, or goes; -1 stands at places that are free."""
    mask = known.shape[0] - 1
    place = value & mask
    while known[place] != -1 and known[place] != value:
        place = (place + 1) & mask
    return place


def _swap_back(rng, x, first):
    """Exchange each item from the last down to one with one before it or itself, in place."""
    for k in range(x.shape[0] - 1, first - 1, -1):
        other = int(bounded(rng, np.uint64(k)))
        x[k], x[other] = x[other], x[k]

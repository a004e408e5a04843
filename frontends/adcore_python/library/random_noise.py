"""Standard normal and exponential numbers by the ziggurat method, in double and single precision, as NumPy has it."""

from __future__ import annotations

import numpy as np

from .random_bits import real, real_single, word
from .ziggurat import (
    EXPONENTIAL_END,
    EXPONENTIAL_HEIGHT,
    EXPONENTIAL_HEIGHT_SINGLE,
    EXPONENTIAL_INSIDE,
    EXPONENTIAL_INSIDE_SINGLE,
    EXPONENTIAL_WIDTH,
    EXPONENTIAL_WIDTH_SINGLE,
    NORMAL_END,
    NORMAL_HEIGHT,
    NORMAL_HEIGHT_SINGLE,
    NORMAL_INSIDE,
    NORMAL_INSIDE_SINGLE,
    NORMAL_WIDTH,
    NORMAL_WIDTH_SINGLE,
)

__all__ = ["exponential", "exponential_single", "normal", "normal_single"]

INVERSE_END = 0.27366123732975827203338247596  # 1 / NORMAL_END


def normal(rng):
    """A standard normal number."""
    found = 0.0
    rejected = True
    while rejected:
        bits = rng.bits()
        layer = int(bits & 0xFF)
        place = (bits >> 9) & 0xFFFFFFFFFFFFF
        found = float(place) * NORMAL_WIDTH[layer]
        if (bits >> 8) & 1 == 1:
            found = -found
        if place < NORMAL_INSIDE[layer]:
            rejected = False
        elif layer == 0:
            found = _normal_tail(rng)
            if (place >> 8) & 1 == 1:
                found = -found
            rejected = False
        else:
            above, below = NORMAL_HEIGHT[layer - 1], NORMAL_HEIGHT[layer]
            rejected = (above - below) * real(rng) + below >= np.exp(-0.5 * found * found)
    return found


def _normal_tail(rng):
    """A normal number beyond the end of the layers (G. Marsaglia, Technometrics 6(1), 1964)."""
    beyond, height = 1.0, 0.0
    while height + height <= beyond * beyond:
        beyond = -INVERSE_END * np.log1p(-real(rng))
        height = -np.log1p(-real(rng))
    return NORMAL_END + beyond


def normal_single(rng):
    """A standard normal number in single precision."""
    found = np.float32(0.0)
    rejected = True
    while rejected:
        bits = word(rng)
        layer = int(bits & 0xFF)
        place = (bits >> 9) & 0x7FFFFF
        found = np.float32(place) * NORMAL_WIDTH_SINGLE[layer]
        if (bits >> 8) & 1 == 1:
            found = -found
        if place < NORMAL_INSIDE_SINGLE[layer]:
            rejected = False
        elif layer == 0:
            found = _normal_tail_single(rng)
            if (place >> 8) & 1 == 1:
                found = -found
            rejected = False
        else:
            above, below = NORMAL_HEIGHT_SINGLE[layer - 1], NORMAL_HEIGHT_SINGLE[layer]
            height = float((above - below) * real_single(rng) + below)
            rejected = height >= np.exp(-0.5 * float(found) * float(found))
    return found


def _normal_tail_single(rng):
    inverse = np.float32(INVERSE_END)
    beyond, height = np.float32(1.0), np.float32(0.0)
    while height + height <= beyond * beyond:
        beyond = -inverse * np.log1p(-real_single(rng))
        height = -np.log1p(-real_single(rng))
    return np.float32(NORMAL_END) + beyond


def exponential(rng):
    """A standard exponential number."""
    found = 0.0
    rejected = True
    while rejected:
        bits = rng.bits() >> 3
        layer = int(bits & 0xFF)
        place = bits >> 8
        found = float(place) * EXPONENTIAL_WIDTH[layer]
        if place < EXPONENTIAL_INSIDE[layer]:
            rejected = False
        elif layer == 0:
            found = EXPONENTIAL_END - np.log1p(-real(rng))
            rejected = False
        else:
            above, below = EXPONENTIAL_HEIGHT[layer - 1], EXPONENTIAL_HEIGHT[layer]
            rejected = (above - below) * real(rng) + below >= np.exp(-found)
    return found


def exponential_single(rng):
    """A standard exponential number in single precision."""
    found = np.float32(0.0)
    rejected = True
    while rejected:
        bits = word(rng) >> 1
        layer = int(bits & 0xFF)
        place = bits >> 8
        found = np.float32(place) * EXPONENTIAL_WIDTH_SINGLE[layer]
        if place < EXPONENTIAL_INSIDE_SINGLE[layer]:
            rejected = False
        elif layer == 0:
            found = np.float32(EXPONENTIAL_END) - np.log1p(-real_single(rng))
            rejected = False
        else:
            above, below = EXPONENTIAL_HEIGHT_SINGLE[layer - 1], EXPONENTIAL_HEIGHT_SINGLE[layer]
            rejected = (above - below) * real_single(rng) + below >= np.exp(-found)
    return found

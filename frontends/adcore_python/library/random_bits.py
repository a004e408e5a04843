"""Random bits: NumPy's generators PCG64 and PCG64DXSM, and the numbers and integers that are made of their bits.

A state is an array as NumPy has it in memory: the half of a 64-bit number that is left over (a flag in the lower half
of the word, the 32 bits in the upper one), and as the last four words the state of 128 bits and the increment, each
with its lower half first.

Sources: M. E. O'Neill, PCG: A family of simple fast space-efficient statistically good algorithms for random number
generation, 2014; D. Lemire, ACM Trans. Model. Comput. Simul. 29(1), 2019, for integers without bias.
"""

from __future__ import annotations

import numpy as np

__all__ = ["bounded", "bounded_32", "real", "real_single", "step_dxsm", "step_xsl_rr", "word"]


def product(x, y):
    """Upper and lower half of the product of two 64-bit numbers."""
    x_low, x_high = x & 0xFFFFFFFF, x >> 32
    y_low, y_high = y & 0xFFFFFFFF, y >> 32
    low = x_low * y_low
    middle = x_high * y_low + (low >> 32)
    crossed = x_low * y_high + (middle & 0xFFFFFFFF)
    return x_high * y_high + (middle >> 32) + (crossed >> 32), (crossed << 32) | (low & 0xFFFFFFFF)


def step_xsl_rr(words):
    """64 random bits of PCG64: the next state, its halves folded and rotated by its upper bits."""
    factor = (np.uint64(0x4385DF64) << 32) | np.uint64(0x9FCCF645)  # the lower half
    low, high = words[-4], words[-3]
    carried, product_low = product(low, factor)
    upper = carried + high * factor + low * ((np.uint64(0x2360ED05) << 32) | np.uint64(0x1FC65DA4))
    new = product_low + words[-2]
    upper = upper + words[-1] + np.uint64(new < product_low)
    words[-4] = new
    words[-3] = upper
    folded = upper ^ new
    turn = upper >> 58
    return (folded >> turn) | (folded << ((64 - turn) & 63))


def step_dxsm(words):
    """64 random bits of PCG64DXSM: the present state, its halves mixed by shifts and products, before the next."""
    factor = (np.uint64(0xDA942042) << 32) | np.uint64(0xE4DD58B5)
    low, high = words[-4], words[-3]
    carried, product_low = product(low, factor)
    new = product_low + words[-2]
    words[-3] = carried + high * factor + words[-1] + np.uint64(new < product_low)
    words[-4] = new
    mixed = (high ^ (high >> 32)) * factor
    return (mixed ^ (mixed >> 48)) * (low | 1)


def word(rng):
    """32 random bits, as a 64-bit number: half of 64, of which the other half is left for the next call."""
    kept = rng.words[0]
    if (kept & 1) == 1:
        rng.words[0] = (kept >> 32) << 32
        return kept >> 32
    bits = rng.bits()
    rng.words[0] = ((bits >> 32) << 32) | 1
    return bits & 0xFFFFFFFF


def real(rng):
    """A double in [0, 1)."""
    return float(rng.bits() >> 11) * 2.0**-53


def real_single(rng):
    """A single-precision number in [0, 1)."""
    return np.float32(word(rng) >> 8) * np.float32(2.0**-24)


# Integers from 0 to `last`, all of them as likely


def bounded_32(rng, last):
    """Below 2**32, of 32 bits."""
    count = last + 1
    scaled = word(rng) * count
    if (scaled & 0xFFFFFFFF) < count:
        threshold = (0xFFFFFFFF - last) % count
        while (scaled & 0xFFFFFFFF) < threshold:
            scaled = word(rng) * count
    return scaled >> 32


def bounded_64(rng, last):
    """Of 64 bits."""
    count = last + 1
    upper, lower = product(rng.bits(), count)
    if lower < count:
        threshold = (~np.uint64(0) - last) % count
        while lower < threshold:
            upper, lower = product(rng.bits(), count)
    return upper


def bounded(rng, last):
    """Of as many bits as are needed; none are drawn where there is no choice."""
    found = np.uint64(0)
    if last > 0:
        if last < 0xFFFFFFFF:
            found = bounded_32(rng, last)
        elif last == 0xFFFFFFFF:
            found = word(rng)
        elif last == ~np.uint64(0):
            found = rng.bits()
        else:
            found = bounded_64(rng, last)
    return found

"""`numpy.random.default_rng` of an integer: the seed mixed into a state, as `numpy.random.SeedSequence` does it.

Source: M. E. O'Neill, "Developing a seed_seq alternative", 2015, in 32-bit arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError

from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["seeded_words"]

POOL = 4
LOW = 0xFFFFFFFF


@lowers("numpy.random.default_rng")
def _default_rng(low: Lowering, seed: Any = None) -> Any:
    from ..values import Record, Scalar, Static
    from .random_draws import Generator, seeded  # with tables that are only made where something is drawn

    if isinstance(seed, Record) and issubclass(seed.kind, Generator):
        return seed
    if not isinstance(seed, Scalar) or seed.dtype.kind not in "iu":
        cause = "numpy.random.default_rng of something else than an integer"
        low.refuse(UnsupportedFunctionError, cause, "default_rng(seed) with an integer, or a generator made outside")
    return low.call(Static(seeded), [seed], {})


def seeded_words(seed):
    """The state of PCG64, as `random_bits` has it, before its first step."""
    if seed < 0:
        raise ValueError("expected non-negative integer")
    pool = _mixed(np.uint64(seed))
    words = np.empty(2 * POOL, np.uint64)
    factor = np.uint64(0x8B51F9DD)
    for k in range(2 * POOL):
        value = pool[k % POOL] ^ factor
        factor = (factor * 0x58F38DED) & LOW
        value = (value * factor) & LOW
        words[k] = value ^ (value >> 16)
    return words[::2] | (words[1::2] << 32)


def _mixed(seed):
    """The pool of entropy: each of its words mixed with all others."""
    pool = np.zeros(POOL, np.uint64)
    pool[0], pool[1] = seed & LOW, seed >> 32
    factor = np.uint64(0x43B0D7E5)
    for k in range(POOL):
        pool[k], factor = _hashed(pool[k], factor)
    for source in range(POOL):
        for k in range(POOL):
            if k != source:
                hashed, factor = _hashed(pool[source], factor)
                mixed = (0xCA01F9DD * pool[k] - 0x4973F715 * hashed) & LOW
                pool[k] = mixed ^ (mixed >> 16)
    return pool


def _hashed(value, factor):
    value = value ^ factor
    factor = (factor * 0x931E8875) & LOW
    value = (value * factor) & LOW
    return value ^ (value >> 16), factor

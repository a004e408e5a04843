"""The pattern of a matrix from unions of its columns, 64 of them at a time.

A run gives for each row the set of those of 64 unions of columns in which the row has a place.  At first the unions are
blocks of neighbouring columns, which are then halved (or quartered, …) until a block is one column.  Parts of two
blocks may be in one union if no row has a place in both: those are found by colouring the pattern of the blocks.  So
there are about as many runs as the colours times the halvings, by 64, instead of the columns by 64.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .colouring import Pattern, color_columns, colours_of

__all__ = ["probed"]

BITS = 64
SAMPLE = 2000  # rows
Words = NDArray[np.int64]


def probed(run: Callable[[Words], Words], columns: int) -> Pattern:
    """The pattern of a matrix with so many columns.

    Args:
        run: from the unions that each column is in to those in which each row has a place, as words of 64 bits.
        columns: how many columns there are.
    """
    height = max(columns - 1, 0).bit_length()  # of the binary tree of blocks
    level = max(height - BITS.bit_length() + 1, 0)  # where the blocks are single columns it is 0
    numbers = np.arange(columns)
    found = run(bit(numbers >> level))
    fields = found.view(np.uint64).reshape(-1, 1)
    rows, blocks = children(np.arange(len(found)), np.zeros(len(found), np.int64), fields, BITS)
    pattern = Pattern.at((len(found), columns if level == 0 else BITS), rows, blocks)
    while level > 0:
        colours = coloured(pattern)
        halvings = min(level, best_halvings(colours_of(colours)))
        parts = 1 << halvings
        places = colours[numbers >> level] * parts + ((numbers >> (level - halvings)) & (parts - 1))
        rows, at = pattern.rows, colours[pattern.columns] * parts
        fields = np.zeros((pattern.count, 1), np.uint64)
        words = np.zeros(columns, np.int64)
        for inside, mine in zip(by_word(places), by_word(at), strict=True):
            words[inside] = bit(places[inside] % BITS)
            answer = run(words).view(np.uint64)
            words[inside] = 0
            fields[mine, 0] = answer[rows[mine]] >> (at[mine] % BITS).astype(np.uint64)
        rows, blocks = children(rows, pattern.columns, fields, parts)
        level -= halvings
        width = columns if level == 0 else ((columns - 1) >> level) + 1
        pattern = Pattern.at((pattern.shape[0], width), rows, blocks)
    return pattern


def coloured(pattern: Pattern) -> NDArray[np.int64]:
    """Colours of the blocks; if some rows show that they are nearly as many as the blocks, as many as these."""
    used = np.unique(pattern.columns)
    if pattern.shape[0] > 2 * SAMPLE:
        some = np.zeros(pattern.shape[0], bool)
        some[:: pattern.shape[0] // SAMPLE] = True
        if 2 * colours_of(color_columns(pattern.of_rows(some), "natural")) > len(used):
            colours = np.full(pattern.shape[1], -1)
            colours[used] = np.arange(len(used))
            return colours
    return color_columns(pattern, "natural")


def by_word(places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """For each word which of the places are in it; negative ones are in none."""
    words = places // BITS
    number = int(words.max(initial=-1)) + 1
    order = np.argsort(words.astype(np.int16) if number < 2**15 else words, kind="stable")
    ends = np.searchsorted(words[order], np.arange(number + 1))
    return [order[start:end] for start, end in itertools.pairwise(ends.tolist())]


def bit(places: NDArray[np.int64]) -> Words:
    """Words in which one bit is set."""
    return np.left_shift(np.uint64(1), places.astype(np.uint64)).view(np.int64)


def children(
    rows: NDArray[np.int64], blocks: NDArray[np.int64], fields: NDArray[np.uint64], parts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows and parts of blocks for the bits that are set in the field of each place."""
    is_set = (fields >> np.arange(parts, dtype=np.uint64)) & np.uint64(1)
    place, part = np.nonzero(is_set)
    return rows[place], blocks[place] * parts + part


FIXED = 2  # runs that a colouring costs


def best_halvings(colours: int) -> int:
    """How often to halve the blocks at once: as the runs and the colouring cost least for each halving."""
    costs = [(FIXED + -(-(colours << h) // BITS)) / h for h in range(1, 7)]
    return 1 + int(np.argmin(costs))

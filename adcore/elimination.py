"""Routines: a sparse matrix taken apart by Gaussian elimination, column after column, and systems solved with it.

A[order][:, columns] = L U.  A column of the factors has its elements one after the other: those of U above the
diagonal, at `diagonals[k]` the one on it, and up to `ends[k]` those of L below, whose diagonal is 1.  `places` has
their rows, in the order of elimination.

The rows in which a column of L⁻¹ a has elements are those that can be reached from the elements of a in the graph of
L, and what is computed is proportional to the products that are not zero (Gilbert and Peierls 1988).  A column of L
whose element in a pivot's row has met one of U is searched no further than to the rows that were pivots by then:
all others are reached through that pivot (Eisenstat and Liu 1992).
"""

from __future__ import annotations

import numpy as np

__all__ = ["by_lines", "sparse_lu", "sparse_substitution", "sparse_substitution_transposed"]

DIAGONAL = (0.1,)  # an element on the diagonal is the pivot if it is no smaller than so many times the largest one


def by_lines(line, n):
    """Where the elements of each of n lines begin in an order that has line after line, and that order."""
    starts = np.zeros(n + 1, np.int64)
    for p in range(line.shape[0]):
        starts[line[p] + 1] += 1
    for k in range(n):
        starts[k + 1] += starts[k]
    order = np.empty(line.shape[0], np.int64)
    filled = starts.copy()
    for p in range(line.shape[0]):
        k = line[p]
        order[filled[k]] = p
        filled[k] += 1
    return starts, order


def sparse_lu(values, row, col, columns):
    """The number of elements of the factors, they and their places, `ends`, `diagonals`, the order of the rows, info.

    Elements that are given more than once add up.  `info` is 0, or the first column, counted from 1, without a pivot.
    """
    n = columns.shape[0]
    starts, given = by_lines(col, n)
    packed = np.empty(4 * values.shape[0] + n, values.dtype)
    places = np.empty(4 * values.shape[0] + n, np.int64)
    ends, diagonals, searched = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    order, step = np.empty(n, np.int64), np.full(n, -1)  # the step of a row is when it was a pivot
    column, met = np.zeros(n, values.dtype), np.full(n, -1)
    reached, path, rest = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    count, info, unused = 0, 0, 0
    for k in range(n):
        j = columns[k]
        # the rows that are reached, each before those that are reached from it
        top = n
        for p in range(starts[j], starts[j + 1]):
            i = row[given[p]]
            column[i] += values[given[p]]
            if met[i] != k:
                met[i] = k
                depth = 0
                path[0] = i
                rest[0] = diagonals[step[i]] + 1 if step[i] >= 0 else 0
                while depth >= 0:
                    i = path[depth]
                    s = step[i]
                    q = rest[depth]
                    end = searched[s] if s >= 0 else 0
                    while q < end and met[places[q]] == k:
                        q += 1
                    if q < end:
                        rest[depth] = q + 1
                        i = places[q]
                        met[i] = k
                        depth += 1
                        path[depth] = i
                        rest[depth] = diagonals[step[i]] + 1 if step[i] >= 0 else 0
                    else:
                        depth -= 1
                        top -= 1
                        reached[top] = i
        if count + n - top + 1 > packed.shape[0]:
            more = packed.shape[0] + n
            packed = np.concatenate((packed, np.empty(more, values.dtype)))
            places = np.concatenate((places, np.empty(more, np.int64)))
        # L⁻¹ a, and the largest of the elements left
        first, pivot, largest = count, -1, 0.0
        for t in range(top, n):
            i = reached[t]
            s = step[i]
            x = column[i]
            if s >= 0:
                column[i] = 0.0
                packed[count] = x
                places[count] = s
                count += 1
                for q in range(diagonals[s] + 1, ends[s]):
                    column[places[q]] -= packed[q] * x
            elif pivot < 0 or np.abs(x) > largest:
                pivot = i
                largest = np.abs(x)
        if met[j] == k and step[j] < 0 and np.abs(column[j]) >= DIAGONAL[0] * largest:
            pivot = j
        if pivot < 0:
            while step[unused] >= 0:
                unused += 1
            pivot = unused
        divisor = column[pivot]
        if divisor == 0.0 and info == 0:
            info = k + 1
        column[pivot] = 0.0
        order[k] = pivot
        step[pivot] = k
        diagonals[k] = count
        packed[count] = divisor
        places[count] = k
        count += 1
        for t in range(top, n):
            i = reached[t]
            if step[i] < 0:
                packed[count] = column[i] / divisor
                places[count] = i
                column[i] = 0.0
                count += 1
        ends[k] = count
        searched[k] = count
        # columns of L that have an element in the pivot's row: rows that are reached from there come last
        for p in range(first, diagonals[k]):
            s = places[p]
            if searched[s] == ends[s]:
                q = diagonals[s] + 1
                while q < ends[s] and places[q] != pivot:
                    q += 1
                if q < ends[s]:
                    searched[s] = _pivots_first(packed, places, step, diagonals[s] + 1, ends[s])
    for k in range(n):
        for q in range(diagonals[k] + 1, ends[k]):
            places[q] = step[places[q]]
    return count, packed[:count], places[:count], ends, diagonals, order, info


def _pivots_first(packed, places, step, low, high):
    """Order the elements between two places by whether their rows have been pivots; gives where the others begin."""
    while low < high:
        i = places[low]
        if step[i] >= 0:
            low += 1
        else:
            high -= 1
            x = packed[low]
            places[low] = places[high]
            packed[low] = packed[high]
            places[high] = i
            packed[high] = x
    return low


def sparse_substitution(x, columns, packed, places, ends, diagonals, order):
    """A⁻¹ x for a matrix x."""
    y = x[order]
    if x.shape[1] == 1:
        _substitute_one(y, packed, places, ends, diagonals)
    else:
        _substitute(y, packed, places, ends, diagonals)
    made = np.empty_like(y)
    made[columns] = y
    return made


def _substitute(y, packed, places, ends, diagonals):
    n = ends.shape[0]
    for k in range(n):
        for q in range(diagonals[k] + 1, ends[k]):
            y[places[q]] -= packed[q] * y[k]
    for r in range(n):
        k = n - 1 - r
        y[k] /= packed[diagonals[k]]
        for q in range(_start(ends, k), diagonals[k]):
            y[places[q]] -= packed[q] * y[k]


def _substitute_one(y, packed, places, ends, diagonals):
    n = ends.shape[0]
    for k in range(n):
        t = y[k, 0]
        for q in range(diagonals[k] + 1, ends[k]):
            y[places[q], 0] -= packed[q] * t
    for r in range(n):
        k = n - 1 - r
        t = y[k, 0] / packed[diagonals[k]]
        y[k, 0] = t
        for q in range(_start(ends, k), diagonals[k]):
            y[places[q], 0] -= packed[q] * t


def _start(ends, k):
    return ends[k - 1] if k > 0 else 0


def sparse_substitution_transposed(x, columns, packed, places, ends, diagonals, order):
    """The solution for the transposed matrix."""
    y = x[columns]
    if x.shape[1] == 1:
        _substitute_one_transposed(y, packed, places, ends, diagonals)
    else:
        _substitute_transposed(y, packed, places, ends, diagonals)
    made = np.empty_like(y)
    made[order] = y
    return made


def _substitute_transposed(y, packed, places, ends, diagonals):
    n = ends.shape[0]
    for k in range(n):
        for q in range(_start(ends, k), diagonals[k]):
            y[k] -= packed[q] * y[places[q]]
        y[k] /= packed[diagonals[k]]
    for r in range(n):
        k = n - 1 - r
        for q in range(diagonals[k] + 1, ends[k]):
            y[k] -= packed[q] * y[places[q]]


def _substitute_one_transposed(y, packed, places, ends, diagonals):
    n = ends.shape[0]
    for k in range(n):
        t = y[k, 0]
        for q in range(_start(ends, k), diagonals[k]):
            t -= packed[q] * y[places[q], 0]
        y[k, 0] = t / packed[diagonals[k]]
    for r in range(n):
        k = n - 1 - r
        t = y[k, 0]
        for q in range(diagonals[k] + 1, ends[k]):
            t -= packed[q] * y[places[q], 0]
        y[k, 0] = t

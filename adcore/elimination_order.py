"""A routine: the order in which elimination takes the columns of a sparse matrix, so that the factors stay sparse.

Approximate minimum degree (Amestoy, Davis and Duff 1996; Davis, Gilbert, Larimore and Ng 2004).  A graph is a list of
cliques.  To eliminate a node is to put the union of the cliques that it is in, without itself, in their place, so that
the cliques need ever less memory.  The node with the fewest neighbours comes next, where neighbours are counted as if
cliques met nowhere but in the newest one; nodes in the same cliques are taken as one.

Where most elements have another one across the diagonal, the cliques are these pairs, and the pivots will be on the
diagonal.  Otherwise they are the rows of the matrix: whatever row a pivot is from, it fills no more than the union of
the cliques.
"""

from __future__ import annotations

import numpy as np

from .elimination import by_lines

__all__ = ["sparse_order"]


def sparse_order(row, col, n):
    """The columns of an n by n matrix with elements in these rows and columns, in the order of elimination."""
    by_column, by_row = by_lines(col, n), by_lines(row, n)
    limit = max(16, int(10.0 * np.sqrt(n)))
    dense = by_column[0][1:] - by_column[0][:-1] > limit  # these would be met at every step: they come last
    if _is_nearly_symmetric(row, col, by_column, by_row, n):
        members, sizes = _pairs(row, col, by_column, by_row, dense, n)
    else:
        members, sizes = _rows(col, by_row, dense, limit, n)
    return by_lines(_eliminated(members, sizes, dense, n), n + 1)[1]


def _is_nearly_symmetric(row, col, by_column, by_row, n):
    """Whether nine of ten elements of the diagonal are there, and half of those off it have one across."""
    (starts, given), (begins, listed) = by_column, by_row
    met = np.full(n, -1)
    diagonal, off, across = 0, 0, 0
    for j in range(n):
        for p in range(starts[j], starts[j + 1]):
            met[row[given[p]]] = j
        if met[j] == j:
            diagonal += 1
        for p in range(begins[j], begins[j + 1]):
            i = col[listed[p]]
            if i != j:
                off += 1
                if met[i] == j:
                    across += 1
    return 10 * diagonal >= 9 * n and 2 * across >= off


def _pairs(row, col, by_column, by_row, dense, n):
    """The members of cliques, one clique after the other, and their sizes: pairs of nodes with an element between."""
    (starts, given), (begins, listed) = by_column, by_row
    members = np.empty(2 * row.shape[0], np.int64)
    met = np.full(n, -1)
    filled = 0
    for j in range(n):
        if not dense[j]:
            for p in range(starts[j], starts[j + 1]):
                filled = _paired(members, filled, met, dense, row[given[p]], j)
            for p in range(begins[j], begins[j + 1]):
                filled = _paired(members, filled, met, dense, col[listed[p]], j)
    return members[:filled], np.full(filled // 2, 2)


def _paired(members, filled, met, dense, i, j):
    if i >= j or dense[i] or met[i] == j:
        return filled
    met[i] = j
    members[filled] = i
    members[filled + 1] = j
    return filled + 2


def _rows(col, by_row, dense, limit, n):
    """The same of the rows of the matrix that are not dense."""
    begins, listed = by_row
    members, sizes = np.empty(col.shape[0], np.int64), np.zeros(n, np.int64)
    met = np.full(n, -1)
    filled = 0
    for i in range(n):
        if begins[i + 1] - begins[i] <= limit:
            first = filled
            for p in range(begins[i], begins[i + 1]):
                j = col[listed[p]]
                if met[j] != i and not dense[j]:
                    met[j] = i
                    members[filled] = j
                    filled += 1
            sizes[i] = filled - first
    return members[:filled], sizes


def _eliminated(members, sizes, dense, n):
    """For each node when it is eliminated; that of dense nodes is n."""
    # of cliques: where their members are, how many, how many columns these stand for; of a clique that is gone, 0
    m = sizes.shape[0]
    first = np.cumsum(sizes) - sizes
    extent, outside, seen, tag = sizes.copy(), np.zeros(m, np.int64), np.full(m, -1), np.full(m, -1)
    room = 2 * members.shape[0]
    store, spare, top = np.empty(room, np.int64), np.empty(room, np.int64), members.shape[0]
    store[:top] = members
    # of nodes: the cliques that they are in, how many columns they stand for, what stands for them, their neighbours
    starts, places = by_lines(members, n)
    cliques, counts = np.repeat(np.arange(m), sizes)[places], starts[1:] - starts[:-1]
    weight, parent, met = np.where(dense, 0, 1), np.full(n, -1), np.full(n, -1)
    degree, hashed, chain, chains = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -1), np.full(n, -1)
    # lists of the nodes with so many neighbours
    heads, after, before = np.full(n + 1, -1), np.full(n, -1), np.full(n, -1)
    left = np.sum(weight)
    for i in range(n):
        if weight[i] > 0:
            for q in range(starts[i], starts[i + 1]):
                degree[i] += sizes[cliques[q]] - 1
            degree[i] = min(degree[i], left - 1)
            _enter(heads, after, before, degree[i], i)
    rank = np.full(n, -1)
    k, least, tags = 0, 0, 0
    while left > 0:
        while heads[least] < 0:
            least += 1
        node = heads[least]
        _leave(heads, after, before, least, node)
        needed = 0
        for q in range(starts[node], starts[node] + counts[node]):
            needed += sizes[cliques[q]]
        if top + needed > room:
            top = 0
            for e in range(m):
                begin = top
                for p in range(first[e], first[e] + sizes[e]):
                    if weight[store[p]] > 0:
                        spare[top] = store[p]
                        top += 1
                first[e] = begin
                sizes[e] = top - begin
            store[:top] = spare[:top]
        # the new clique, under the number of one that is gone
        left -= weight[node]
        weight[node] = 0
        rank[node] = k
        begin, clique, total = top, -1, 0
        for q in range(starts[node], starts[node] + counts[node]):
            e = cliques[q]
            for p in range(first[e], first[e] + sizes[e]):
                i = store[p]
                if weight[i] > 0 and met[i] != k:
                    met[i] = k
                    store[top] = i
                    top += 1
                    total += weight[i]
                    _leave(heads, after, before, degree[i], i)
            sizes[e] = 0
            clique = e
        # how much of the others is outside of it
        for p in range(begin, top):
            i = store[p]
            for q in range(starts[i], starts[i] + counts[i]):
                e = cliques[q]
                if sizes[e] > 0:
                    if seen[e] != k:
                        seen[e] = k
                        outside[e] = extent[e]
                    outside[e] -= weight[i]
        for p in range(begin, top):
            i = store[p]
            kept, further, key = starts[i], 0, 0
            for q in range(starts[i], starts[i] + counts[i]):
                e = cliques[q]
                if sizes[e] > 0:
                    if outside[e] > 0:
                        cliques[kept] = e
                        kept += 1
                        further += outside[e]
                        key += e
                    else:
                        sizes[e] = 0
            if further == 0:  # eliminated with the node
                parent[i] = node
                total -= weight[i]
                left -= weight[i]
                weight[i] = 0
            else:
                cliques[kept] = clique
                counts[i] = kept + 1 - starts[i]
                degree[i] = further
                key = key % n
                hashed[i] = key
                chain[i] = chains[key]
                chains[key] = i
        # nodes in the same cliques
        for p in range(begin, top):
            i = store[p]
            if weight[i] > 0:
                a = chains[hashed[i]]
                chains[hashed[i]] = -1
                while a >= 0:
                    for q in range(starts[a], starts[a] + counts[a]):
                        tag[cliques[q]] = tags
                    last, c = a, chain[a]
                    while c >= 0:
                        q = starts[c]
                        end = q + counts[c] if counts[c] == counts[a] else q
                        while q < end and tag[cliques[q]] == tags:
                            q += 1
                        if counts[c] == counts[a] and q == end:
                            parent[c] = a
                            weight[a] += weight[c]
                            weight[c] = 0
                            chain[last] = chain[c]
                        else:
                            last = c
                        c = chain[c]
                    tags += 1
                    a = chain[a]
        kept = begin
        for p in range(begin, top):
            i = store[p]
            if weight[i] > 0:
                store[kept] = i
                kept += 1
                degree[i] = min(degree[i] + total, left) - weight[i]
                least = min(least, degree[i])
                _enter(heads, after, before, degree[i], i)
        top = kept
        if clique >= 0:
            first[clique] = begin
            sizes[clique] = kept - begin
            extent[clique] = total
        k += 1
    for i in range(n):
        if dense[i]:
            rank[i] = n
        else:
            root = i
            while rank[root] < 0:
                root = parent[root]
            a = i
            while rank[a] < 0:
                rank[a] = rank[root]
                a = parent[a]
    return rank


def _enter(heads, after, before, degree, i):
    """Put a node in front of those with so many neighbours."""
    j = heads[degree]
    if j >= 0:
        before[j] = i
    after[i] = j
    before[i] = -1
    heads[degree] = i


def _leave(heads, after, before, degree, i):
    if before[i] >= 0:
        after[before[i]] = after[i]
    else:
        heads[degree] = after[i]
    if after[i] >= 0:
        before[after[i]] = before[i]

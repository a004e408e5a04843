"""The loops of the colourings, as ordinary Python that adcore compiles.

A pattern is given by its rows (`starts`, `columns`: those of row r are in columns[starts[r]:starts[r + 1]]) or by its
columns in the same way.  A graph is given by the neighbours of its vertices, and the number of each edge beside them.
Colours are numbered from 0; -1 is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jit

__all__ = ["acyclic", "distance_two", "eliminated", "ordered_by_degree", "star", "substituted"]


@jit
def distance_two(order: Any, starts: Any, rows: Any, row_starts: Any, columns: Any) -> Any:
    """Colours of the columns, in this order the smallest that no column has which shares a row.

    Args:
        order: the columns.
        starts, rows: the rows of each column.
        row_starts, columns: the columns of each row.
    """
    n = starts.shape[0] - 1
    colours = np.full(n, -1)
    met = np.full(n + 2, -1)  # for each colour, none first, the column that has met it last
    for k in range(order.shape[0]):
        column = order[k]
        for a in range(starts[column], starts[column + 1]):
            row = rows[a]
            for c in range(row_starts[row], row_starts[row + 1]):
                met[colours[columns[c]] + 1] = column
        colour = 0
        while met[colour + 1] == column:
            colour += 1
        colours[column] = colour
    return colours


@jit
def ordered_by_degree(starts: Any, rows: Any, row_starts: Any, columns: Any, incidence: bool) -> Any:
    """The columns smallest degree last, or by incidence degree, in the graph of columns that share a row.

    Smallest last: the column with the fewest neighbours among those that are left is the last of these.  By incidence:
    the next column is the one with the most neighbours among those before.  A neighbour counts once for each row that
    is shared, so that all takes the time of a colouring.
    """
    n = starts.shape[0] - 1
    degree = np.zeros(n, dtype=np.int64)
    for column in range(n):
        if not incidence:
            for a in range(starts[column], starts[column + 1]):
                row = rows[a]
                degree[column] += row_starts[row + 1] - row_starts[row] - 1
    most = 0
    for column in range(n):
        full = 0
        for a in range(starts[column], starts[column + 1]):
            row = rows[a]
            full += row_starts[row + 1] - row_starts[row] - 1
        if full > most:
            most = full
    first = np.full(most + 1, -1)  # of the columns with a degree, as a list that is linked both ways
    after = np.full(n, -1)
    before = np.full(n, -1)
    for k in range(n):
        column = n - 1 - k
        d = degree[column]
        after[column] = first[d]
        if first[d] >= 0:
            before[first[d]] = column
        first[d] = column
    done = np.zeros(n, dtype=np.bool_)
    order = np.zeros(n, dtype=np.int64)
    step = -1 if incidence else 1
    at = 0
    for k in range(n):
        while first[at] < 0:
            at += step
        column = first[at]
        first[at] = after[column]
        if first[at] >= 0:
            before[first[at]] = -1
        done[column] = True
        order[k if incidence else n - 1 - k] = column
        for a in range(starts[column], starts[column + 1]):
            row = rows[a]
            for c in range(row_starts[row], row_starts[row + 1]):
                other = columns[c]
                if not done[other]:
                    d = degree[other]
                    if before[other] >= 0:
                        after[before[other]] = after[other]
                    else:
                        first[d] = after[other]
                    if after[other] >= 0:
                        before[after[other]] = before[other]
                    d = d + 1 if incidence else d - 1
                    degree[other] = d
                    before[other] = -1
                    after[other] = first[d]
                    if first[d] >= 0:
                        before[first[d]] = other
                    first[d] = other
                    if incidence and d > at:
                        at = d
                    if not incidence and d < at:
                        at = d
    return order


@jit
def star(order: Any, starts: Any, neighbours: Any, edges: Any, count: int) -> Any:
    """Colours of the vertices such that every path on four of them has three colours.

    Any two colours induce stars, which are kept as they grow (Gebremedhin, Tarafdar, Manne and Pothen 2007, algorithm
    4.1).  Vertices that are not in `order` have no colour, as if they were not there.
    """
    n = starts.shape[0] - 1
    colours = np.full(n, -1)
    met = np.full(n + 1, -1)  # for each colour, the vertex that must not have it
    treated = np.full(n, -1)
    visitor = np.full(n + 1, -1)  # for each colour: the vertex that came last, and its first neighbour of the colour
    first = np.full(n + 1, -1)
    through = np.full(n + 1, -1)
    of_edge = np.full(count, -1)  # the star of an edge
    hubs = np.full(count, -1)
    made = 0
    for k in range(order.shape[0]):
        v = order[k]
        for a in range(starts[v], starts[v + 1]):
            w = neighbours[a]
            colour = colours[w]
            if colour < 0:
                continue
            met[colour] = v
            if visitor[colour] == v:
                q = first[colour]
                if treated[q] != v:
                    treated[q] = v
                    for c in range(starts[q], starts[q + 1]):
                        if colours[neighbours[c]] >= 0:
                            met[colours[neighbours[c]]] = v
                treated[w] = v
                for c in range(starts[w], starts[w + 1]):
                    if colours[neighbours[c]] >= 0:
                        met[colours[neighbours[c]]] = v
            else:
                visitor[colour] = v
                first[colour] = w
                through[colour] = edges[a]
                for c in range(starts[w], starts[w + 1]):
                    x = neighbours[c]
                    if x != v and colours[x] >= 0 and hubs[of_edge[edges[c]]] == x:
                        met[colours[x]] = v
        colour = 0
        while met[colour] == v:
            colour += 1
        colours[v] = colour
        for a in range(starts[v], starts[v + 1]):
            w = neighbours[a]
            if colours[w] < 0:
                continue
            joined = False
            for c in range(starts[w], starts[w + 1]):
                x = neighbours[c]
                if x != v and colours[x] == colours[v]:
                    found = of_edge[edges[c]]
                    hubs[found] = w
                    of_edge[edges[a]] = found
                    joined = True
                    break
            if not joined:
                if visitor[colours[w]] == v and first[colours[w]] != w:
                    found = of_edge[through[colours[w]]]
                    hubs[found] = v
                    of_edge[edges[a]] = found
                else:
                    of_edge[edges[a]] = made
                    made += 1
    return colours


@jit
def acyclic(order: Any, starts: Any, neighbours: Any, edges: Any, count: int) -> Any:
    """Colours of the vertices such that neighbours differ and every cycle has three colours.

    Any two colours induce trees, which are kept as disjoint sets of edges (algorithm 3.1 of the same paper).
    """
    n = starts.shape[0] - 1
    colours = np.full(n, -1)
    met = np.full(n + 1, -1)
    parent = np.arange(count)  # the trees
    visitor = np.full(count, -1)  # for each tree: the vertex that came last, and the neighbour through which
    entrance = np.full(count, -1)
    last = np.full(n + 1, -1)  # for each colour: the vertex that came last, and its edge to a neighbour of the colour
    through = np.full(n + 1, -1)
    for k in range(order.shape[0]):
        v = order[k]
        for a in range(starts[v], starts[v + 1]):
            if colours[neighbours[a]] >= 0:
                met[colours[neighbours[a]]] = v
        for a in range(starts[v], starts[v + 1]):
            w = neighbours[a]
            if colours[w] < 0:
                continue
            for c in range(starts[w], starts[w + 1]):
                x = neighbours[c]
                if x != v and colours[x] >= 0 and met[colours[x]] != v:
                    root = edges[c]
                    while parent[root] != root:
                        parent[root] = parent[parent[root]]
                        root = parent[root]
                    if visitor[root] != v:
                        visitor[root] = v
                        entrance[root] = w
                    elif entrance[root] != w:
                        met[colours[x]] = v
        colour = 0
        while met[colour] == v:
            colour += 1
        colours[v] = colour
        for a in range(starts[v], starts[v + 1]):
            w = neighbours[a]
            if colours[w] < 0:
                continue
            one = edges[a]
            while parent[one] != one:
                parent[one] = parent[parent[one]]
                one = parent[one]
            if last[colours[w]] != v:
                last[colours[w]] = v
                through[colours[w]] = edges[a]
            else:
                other = through[colours[w]]
                while parent[other] != other:
                    parent[other] = parent[parent[other]]
                    other = parent[other]
                parent[one] = other
                one = other
            for c in range(starts[w], starts[w + 1]):
                x = neighbours[c]
                if x != v and colours[x] == colours[v]:
                    other = edges[c]
                    while parent[other] != other:
                        parent[other] = parent[parent[other]]
                        other = parent[other]
                    parent[other] = one
    return colours


@jit
def eliminated(starts: Any, neighbours: Any, edges: Any, colours: Any, palette: int, count: int) -> Any:
    """The order in which the elements of a symmetric matrix follow from sums of columns of a colour.

    In the trees of two colours each, a leaf's sum is the element of its one edge; that is taken from its neighbour's,
    and the edge away.

    Returns:
        The leaves, their neighbours and their edges, in order, and how many there are: fewer than edges where two
        colours have a cycle.
    """
    n = starts.shape[0] - 1
    degree = np.zeros(n * palette, dtype=np.int64)  # for a vertex and a colour, the edges to vertices of the colour
    for v in range(n):
        for a in range(starts[v], starts[v + 1]):
            degree[v * palette + colours[neighbours[a]]] += 1
    done = np.zeros(count, dtype=np.bool_)
    leaves = np.zeros(count, dtype=np.int64)
    others = np.zeros(count, dtype=np.int64)
    numbers = np.zeros(count, dtype=np.int64)
    found = 0
    for k in range(n):
        for d in range(starts[k], starts[k + 1]):
            v, at = k, d
            while not done[edges[at]] and degree[v * palette + colours[neighbours[at]]] == 1:
                w, edge = neighbours[at], edges[at]
                done[edge] = True
                leaves[found] = v
                others[found] = w
                numbers[found] = edge
                found += 1
                degree[v * palette + colours[w]] -= 1
                degree[w * palette + colours[v]] -= 1
                wanted = colours[v]
                for c in range(starts[w], starts[w + 1]):
                    if not done[edges[c]] and colours[neighbours[c]] == wanted:
                        at = c
                        break
                v = w
    return leaves, others, numbers, found


@jit
def substituted(sums: Any, places: Any, others: Any) -> Any:
    """Elements in the order of `eliminated` from the sums, of which the later ones are changed.

    Args:
        sums: of all vertices by all colours.
        places: of each element's sum.
        others: the place of the sum from which the element is taken then.
    """
    found = np.empty(places.shape[0], dtype=sums.dtype)
    rest = sums.copy()
    for k in range(places.shape[0]):
        found[k] = rest[places[k]]
        rest[others[k]] -= found[k]
    return found

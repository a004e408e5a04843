"""Colourings of patterns: which columns or rows of a matrix are summed, so that its elements can be told apart.

The problems and the words are those of Gebremedhin, Manne and Pothen, "What color is your Jacobian?" (SIAM Review 47,
2005).  Colours are numbered from 0; there is a sum for each.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import kernels

__all__ = [
    "ORDERS",
    "Bidirectional",
    "Pattern",
    "color_bidirectional",
    "color_columns",
    "color_rows",
    "color_symmetric_acyclic",
    "color_symmetric_star",
]

Integers = NDArray[np.int64]
ORDERS = ("natural", "largest_first", "incidence_degree", "smallest_last")
LONG = 10_000_000  # steps of a colouring, from which on the last two are not tried by "best": they take longer than it


@dataclass(frozen=True)
class Pattern:
    """The places of a matrix that may hold something other than 0, by rows: columns ascending, none twice.

    Attributes:
        shape: the number of rows and of columns.
        starts: where each row begins in `columns`, and where the last one ends.
        columns: the columns of all places, row after row.
    """

    shape: tuple[int, int]
    starts: Integers
    columns: Integers

    @classmethod
    def of(cls, given: Any) -> Pattern:
        """The pattern of a sparse matrix of SciPy's, by what it stores, or of an array, by what is not 0 there.

        Raises:
            TypeError: it is no matrix.
        """
        from scipy.sparse import csr_array, issparse

        if isinstance(given, Pattern):
            return given
        matrix: Any = given if issparse(given) else np.asarray(given)
        if len(matrix.shape) != 2 or matrix.dtype.kind not in "biufc":
            raise TypeError("a pattern is a sparse matrix, or an array of two axes of booleans or numbers")
        shape = int(matrix.shape[0]), int(matrix.shape[1])
        rows, columns = (matrix.tocoo().row, matrix.tocoo().col) if issparse(given) else np.nonzero(matrix)
        ordered = csr_array((np.ones(len(rows), np.int8), (rows, columns)), shape=shape)
        ordered.sum_duplicates()
        return cls(shape, ordered.indptr.astype(np.int64), ordered.indices.astype(np.int64))

    @classmethod
    def at(cls, shape: tuple[int, int], rows: Integers, columns: Integers) -> Pattern:
        """The pattern with these places, which are in order."""
        starts = np.zeros(shape[0] + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=shape[0]), out=starts[1:])
        return cls(shape, starts, columns.astype(np.int64))

    @property
    def count(self) -> int:
        """How many places there are."""
        return len(self.columns)

    @property
    def widths(self) -> Integers:
        """How many places each row has."""
        return np.diff(self.starts)

    @property
    def rows(self) -> Integers:
        """The rows of all places."""
        return np.repeat(np.arange(self.shape[0]), self.widths)

    def transpose(self) -> Pattern:
        from scipy.sparse import csr_array

        turned = csr_array((np.ones(self.count, np.int8), self.columns, self.starts), shape=self.shape).tocsc()
        return Pattern((self.shape[1], self.shape[0]), turned.indptr.astype(np.int64), turned.indices.astype(np.int64))

    def of_rows(self, chosen: NDArray[np.bool_]) -> Pattern:
        """The places in the chosen rows; the others have none."""
        kept = np.repeat(chosen, self.widths)
        return Pattern.at(self.shape, self.rows[kept], self.columns[kept])

    def symmetric(self) -> Pattern:
        """The places (i, j) where the pattern has (i, j) or (j, i)."""
        from scipy.sparse import csr_array

        one = csr_array((np.ones(self.count, bool), self.columns, self.starts), shape=self.shape)
        return Pattern.of(one + one.T)

    def matrix(self, values: Any, format: str = "csr") -> Any:
        """A sparse array of SciPy's with these values in the places, which are its own."""
        made = copy.copy(self._by_rows if format == "csr" else self._by_columns)
        made.data, made.indices, made.indptr = values, made.indices.copy(), made.indptr.copy()
        return made

    @cached_property
    def _by_rows(self) -> Any:
        from scipy.sparse import csr_array

        return csr_array(self._parts, shape=self.shape)

    @cached_property
    def _by_columns(self) -> Any:
        from scipy.sparse import csc_array

        return csc_array(self._parts, shape=self.shape[::-1])

    @property
    def _parts(self) -> tuple[Any, Any, Any]:
        """What SciPy takes: values (here none yet), indices and where rows begin, in narrow integers where these do."""
        narrow = np.int32 if max(self.count, *self.shape, 0) < 2**31 else np.int64
        return np.zeros(self.count, bool), self.columns.astype(narrow), self.starts.astype(narrow)


# Columns and rows


def color_columns(pattern: Any, order: str = "best") -> Integers:
    """Colours of the columns: none that share a row have the same one (a distance-2 colouring).

    The sum of the columns of a colour holds their elements, each in a row of its own.

    Args:
        pattern: a sparse matrix of SciPy's, by what it stores, or an array, by what is not 0.
        order: in which the columns are given the smallest colour that is free: "natural", "largest_first",
            "incidence_degree", "smallest_last", or the "best" of these (where the matrix is large, of the first two).

    Returns:
        A colour for each column; -1 for one without a place in the pattern.

    Raises:
        TypeError: the pattern is no matrix.
        ValueError: there is no such order.

    >>> import numpy as np
    >>> color_columns(np.eye(4) + np.eye(4, k=1)).tolist()
    [0, 1, 0, 1]
    """
    return _distance_two(Pattern.of(pattern), order)


def color_rows(pattern: Any, order: str = "best") -> Integers:
    """Colours of the rows: none that share a column have the same one.  As `color_columns` of the transpose.

    >>> import numpy as np
    >>> color_rows(np.eye(4) + np.eye(4, k=1)).tolist()
    [0, 1, 0, 1]
    """
    return _distance_two(Pattern.of(pattern).transpose(), order)


def _distance_two(by_rows: Pattern, order: str) -> Integers:
    _known(order)
    by_columns = by_rows.transpose()
    used = np.flatnonzero(by_columns.widths)
    fewest = int(by_rows.widths.max(initial=0))
    if 2 * fewest > len(used):  # a row has most of the columns, so that hardly any share a colour
        colours = np.full(by_rows.shape[1], -1)
        colours[used] = np.arange(len(used))
        return colours
    graph = (by_columns.starts, by_columns.columns, by_rows.starts, by_rows.columns)

    def coloured(name: str) -> Integers:
        return kernels.distance_two(_column_order(name, by_rows, by_columns, used), *graph)

    return _fewest(order, coloured, fewest, int((by_rows.widths**2).sum()))


def _column_order(name: str, by_rows: Pattern, by_columns: Pattern, used: Integers) -> Integers:
    if name == "natural":
        return used
    if name == "largest_first":
        neighbours = np.add.reduceat(np.append(by_rows.widths[by_columns.columns], 0), by_columns.starts[:-1][used])
        return used[np.argsort(-neighbours, kind="stable")]
    graph = (by_columns.starts, by_columns.columns, by_rows.starts, by_rows.columns)
    order = kernels.ordered_by_degree(*graph, name == "incidence_degree")
    return order[by_columns.widths[order] > 0]


def _known(order: str) -> None:
    if order != "best" and order not in ORDERS:
        raise ValueError(f"there is no order {order!r}; there are {', '.join(ORDERS)}, and best")


def _fewest(order: str, coloured: Callable[[str], Integers], enough: int, steps: int) -> Integers:
    """The colouring by one order, or the best one of several."""
    if order != "best":
        return coloured(order)
    best = None
    for name in ORDERS[: 2 if steps > LONG else 4]:
        found = coloured(name)
        if best is None or found.max(initial=-1) < best.max(initial=-1):
            best = found
        if best.max(initial=-1) < enough:
            break
    assert best is not None
    return best


class Bidirectional(NamedTuple):
    """Colours of rows and columns: each place has a row with a colour, or else a column.

    Attributes:
        rows: the colours of the rows whose elements are told apart in sums of rows, -1 for the other rows.
        columns: the colours of the columns, for the elements of those other rows; -1 where there are none.
    """

    rows: Integers
    columns: Integers

    def cost(self, row_cost: float) -> float:
        return colours_of(self.columns) + row_cost * colours_of(self.rows)


def color_bidirectional(pattern: Any, order: str = "best", row_cost: float = 1.0) -> Bidirectional:
    """Colours of some rows, and of columns for the rest of the matrix: both together may be few where either are many.

    A star bicolouring: the rows with the most places, as many as pay, are told apart in sums of rows, and all other
    rows in sums of columns.

    Args:
        pattern, order: as of `color_columns`.
        row_cost: what a sum of rows costs, where a sum of columns costs 1.

    Returns:
        The colours of the rows and of the columns.

    >>> import numpy as np
    >>> arrow = np.eye(50)
    >>> arrow[0] = arrow[:, 0] = 1.0
    >>> rows, columns = color_bidirectional(arrow)
    >>> rows.max() + 1, columns.max() + 1
    (np.int64(1), np.int64(2))
    """
    _known(order)
    whole = Pattern.of(pattern)
    columns = Bidirectional(np.full(whole.shape[0], -1), color_columns(whole, order))
    rows = Bidirectional(color_rows(whole, order), np.full(whole.shape[1], -1))
    best = min(columns, rows, key=lambda found: found.cost(row_cost))
    return fewest_in_both(whole, order, row_cost, best.cost(row_cost)) or best


def fewest_in_both(pattern: Pattern, order: str, row_cost: float, below: float) -> Bidirectional | None:
    """The best colours of some rows, but not all, and of columns, if they cost less than `below`."""
    found: Bidirectional | None = None
    for bound, count in _promising(pattern, row_cost):
        if bound >= below:
            break
        dense = np.zeros(pattern.shape[0], bool)
        dense[np.argsort(-pattern.widths, kind="stable")[:count]] = True
        columns = _distance_two(pattern.of_rows(~dense), order)
        made = Bidirectional(_distance_two(pattern.of_rows(dense).transpose(), order), columns)
        if made.cost(row_cost) < below:
            below, found = made.cost(row_cost), made
    return found


CANDIDATES = 3  # numbers of rows that are tried


def _promising(pattern: Pattern, row_cost: float) -> list[tuple[float, int]]:
    """How many of the widest rows to take, with the least cost that could be; the most promising first.

    The columns need as many colours as the widest row that is left has places, and the rows as many as are in one
    column.
    """
    order = np.argsort(-pattern.widths, kind="stable")
    widths = pattern.widths[order]
    counts = 1 + np.flatnonzero(np.diff(widths))[: 4 * CANDIDATES]  # where rows of another width begin
    taken = np.zeros(pattern.shape[1], np.int64)
    bounds: list[tuple[float, int]] = []
    before = 0
    for count in counts.tolist():
        chosen = np.zeros(pattern.shape[0], bool)
        chosen[order[before:count]] = True
        taken += np.bincount(pattern.columns[np.repeat(chosen, pattern.widths)], minlength=pattern.shape[1])
        bounds.append((int(widths[count]) + row_cost * int(taken.max(initial=0)), count))
        before = count
    return sorted(bounds)[:CANDIDATES]


def colours_of(colours: Integers) -> int:
    """How many colours there are."""
    return int(colours.max(initial=-1)) + 1


# Symmetric matrices


@dataclass(frozen=True)
class Graph:
    """The graph of a symmetric matrix: an edge for each pair of places off the diagonal.

    Attributes:
        starts: where the neighbours of each vertex begin in `neighbours`, and where the last ones end.
        neighbours: of all vertices.
        edges: the number of the edge to each neighbour.
        count: how many edges there are.
    """

    starts: Integers
    neighbours: Integers
    edges: Integers
    count: int

    @classmethod
    def of(cls, pattern: Pattern) -> Graph:
        rows, columns = pattern.rows, pattern.columns
        off = rows != columns
        rows, columns = rows[off], columns[off]
        around = Pattern.at(pattern.shape, rows, columns)
        upper = rows < columns
        edges = np.zeros(len(rows), np.int64)
        edges[upper] = np.arange(np.count_nonzero(upper))
        turned = np.lexsort((rows[upper], columns[upper]))  # the lower places are in the order of these
        edges[~upper] = turned
        return cls(around.starts, columns, edges, int(np.count_nonzero(upper)))


def color_symmetric_star(pattern: Any, order: str = "best") -> Integers:
    """A star colouring of the columns of a symmetric matrix, by which its elements are told apart.

    Neighbours have different colours, and every path on four vertices has three: so each element is by itself in a sum
    of columns, it or its mirror image.

    Args:
        pattern: a symmetric pattern, as of `color_columns`; one that is not is completed.
        order: as of `color_columns`, by degrees in the graph of the matrix.

    Returns:
        A colour for each column.

    Raises:
        ValueError: the matrix is not square, or there is no such order.

    >>> import numpy as np
    >>> color_symmetric_star(np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)).tolist()
    [0, 1, 0, 2, 0, 1]
    """
    return _symmetric(pattern, order, kernels.star)


def color_symmetric_acyclic(pattern: Any, order: str = "best") -> Integers:
    """An acyclic colouring of the columns of a symmetric matrix, by which its elements follow one after the other.

    Neighbours have different colours, and every cycle has three: so the elements follow from sums of columns by
    substitution, with fewer colours than those of `color_symmetric_star`, and the rounding errors of some subtractions.
    Arguments as there.

    >>> import numpy as np
    >>> color_symmetric_acyclic(np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)).tolist()
    [0, 1, 0, 1, 0, 1]
    """
    return _symmetric(pattern, order, kernels.acyclic)


def _symmetric(pattern: Any, order: str, kernel: Callable[..., Integers]) -> Integers:
    _known(order)
    whole = Pattern.of(pattern)
    if whole.shape[0] != whole.shape[1]:
        raise ValueError(f"a symmetric matrix is square, not {whole.shape[0]} by {whole.shape[1]}")
    whole = whole.symmetric()
    graph = Graph.of(whole)
    degrees = np.diff(graph.starts)
    alone = _hubs(degrees)
    adjacent = Pattern(whole.shape, graph.starts, graph.neighbours)
    rest = np.flatnonzero((whole.widths > 0) & ~alone)

    def coloured(name: str) -> Integers:
        vertices = _vertex_order(name, adjacent, degrees, rest)
        colours = kernel(vertices, graph.starts, graph.neighbours, graph.edges, graph.count)
        colours[alone] = colours_of(colours) + np.arange(np.count_nonzero(alone))
        return colours

    return _fewest(order, coloured, 0, int((degrees**2).sum()))


def _hubs(degrees: Integers) -> NDArray[np.bool_]:
    """The vertices with so many neighbours that they get a colour of their own.

    What is common to two columns of a colour has no part in these, so that the rest is coloured without them, and in
    time that their degrees do not enter.
    """
    return degrees > max(50.0, 4.0 * np.sqrt(len(degrees)), 20.0 * degrees.mean() if len(degrees) else 0.0)


def _vertex_order(name: str, adjacent: Pattern, degrees: Integers, rest: Integers) -> Integers:
    if name == "natural":
        return rest
    if name == "largest_first":
        return rest[np.argsort(-degrees[rest], kind="stable")]
    pairs = Pattern.at(
        (adjacent.count, adjacent.shape[1]),
        np.repeat(np.arange(adjacent.count), 2),
        np.stack([adjacent.rows, adjacent.columns], axis=1).ravel(),
    )  # a row for each pair of neighbours: columns that share a row are neighbours
    of_vertex = pairs.transpose()
    order = kernels.ordered_by_degree(
        of_vertex.starts, of_vertex.columns, pairs.starts, pairs.columns, name == "incidence_degree"
    )
    return order[np.isin(order, rest)]

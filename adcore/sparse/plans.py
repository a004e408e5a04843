"""What is computed of a sparse matrix: which sums of columns and rows, and where in them each element is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import kernels
from .colouring import (
    Bidirectional,
    Graph,
    Pattern,
    color_bidirectional,
    color_columns,
    color_rows,
    color_symmetric_acyclic,
    color_symmetric_star,
    colours_of,
    fewest_in_both,
)

__all__ = ["ROW_COST", "Chunk", "Plan", "Substitution", "Sums", "Ways", "plan_jacobian", "plan_symmetric"]

Integers = NDArray[np.int64]
ROW_COST = 2.5  # of a sum of rows, by reverse mode, where a sum of columns costs 1
AT_ONCE = 64  # sums


@dataclass(frozen=True)
class Chunk:
    """Sums that are computed at once.

    Attributes:
        first: the first of their colours.
        places: where in them the elements are.
        elements: which elements these are; all of them if it is None.
    """

    first: int
    places: Integers
    elements: Integers | None


@dataclass(frozen=True)
class Sums:
    """Sums of columns or of rows.

    Attributes:
        colours: which sum each column (or row) is in.
        count: how many sums are computed at once.
        chunks: all of them.
        length: how many rows (or columns) there are.
    """

    colours: Integers
    count: int
    chunks: tuple[Chunk, ...]
    length: int

    @classmethod
    def of(cls, colours: Integers, length: int, lines: Integers, wanted: Integers, elements: Integers | None) -> Sums:
        """The sums in which element k is in line `lines[k]` of the sum of colour `wanted[k]`."""
        total = colours_of(colours)
        number = max(-(-total // AT_ONCE), 1)
        count = max(-(-total // number), 1)
        if number == 1:
            return cls(colours, count, (Chunk(0, lines * count + wanted, elements),), length)
        chunks: list[Chunk] = []
        own = np.arange(len(lines)) if elements is None else elements
        for first in range(0, total, count):
            there = np.flatnonzero((wanted >= first) & (wanted < first + count))
            chunks.append(Chunk(first, lines[there] * count + wanted[there] - first, own[there]))
        return cls(colours, count, tuple(chunks), length)

    @property
    def total(self) -> int:
        return colours_of(self.colours)


@dataclass(frozen=True)
class Substitution:
    """How the elements of a symmetric matrix follow from all sums of its columns, one after the other.

    Attributes:
        places: of each pair of elements off the diagonal, in this order, its sum.
        others: the sum from which the element is taken then.
        diagonal: of each element of the diagonal, its sum.
        source: for each element of the matrix where it is among the pairs, then the diagonal.
    """

    places: Integers
    others: Integers
    diagonal: Integers
    source: Integers

    def elements(self, sums: NDArray[Any]) -> NDArray[Any]:
        pairs = kernels.substituted(sums, self.places, self.others)
        return np.concatenate([pairs, sums[self.diagonal]])[self.source]


@dataclass(frozen=True)
class Plan:
    """A pattern, and how its elements are computed.

    Attributes:
        pattern: by rows; for the format "csc" of the transpose.
        columns: sums of columns, by forward mode, if any.
        rows: sums of rows, by reverse mode, if any.
        substitution: how elements follow from the sums of columns, if these do not hold them.
    """

    pattern: Pattern
    format: str
    columns: Sums | None = None
    rows: Sums | None = None
    substitution: Substitution | None = None

    @property
    def sums(self) -> int:
        """How many sums are computed."""
        return sum(s.total for s in (self.columns, self.rows) if s is not None)


@dataclass(frozen=True)
class Ways:
    """How a matrix is to be computed.

    Attributes:
        symmetric: whether it is a Hessian.
        format: "csr" or "csc".
        mode: of a Jacobian: sums of "columns", of "rows", of both ("bidirectional"), or what costs least ("auto").
        coloring: of a Hessian: "star" or "acyclic".
        order: in which columns or rows get colours.
    """

    symmetric: bool
    format: str
    mode: str
    coloring: str
    order: str

    @property
    def title(self) -> str:
        return "sparse Hessian" if self.symmetric else "sparse Jacobian"

    @property
    def sides(self) -> tuple[str, ...]:
        """What elements may be taken from: sums of columns, of rows."""
        return (self.mode,) if self.mode in ("columns", "rows") else ("columns", "rows")

    def plan(self, pattern: Pattern) -> Plan:
        if self.symmetric:
            return plan_symmetric(pattern, self.format, self.coloring, self.order)
        return plan_jacobian(pattern, self.format, self.mode, self.order)


def plan_jacobian(pattern: Pattern, format: str, mode: str, order: str) -> Plan:
    """The sums that cost least: of columns, of rows, or of both."""
    shape = pattern.shape
    kept = pattern if format == "csr" else pattern.transpose()
    rows, columns = (kept.rows, kept.columns) if format == "csr" else (kept.columns, kept.rows)
    if mode == "bidirectional":
        by_rows, by_columns = color_bidirectional(pattern, order, ROW_COST)
    else:
        by_rows, by_columns = _cheapest(pattern, order) if mode == "auto" else _one_way(pattern, mode, order)
    through_rows = by_rows[rows] >= 0
    if not through_rows.any():
        return Plan(kept, format, columns=Sums.of(by_columns, shape[0], rows, by_columns[columns], None))
    if through_rows.all():
        return Plan(kept, format, rows=Sums.of(by_rows, shape[1], columns, by_rows[rows], None))
    one, other = np.flatnonzero(~through_rows), np.flatnonzero(through_rows)
    return Plan(
        kept,
        format,
        Sums.of(by_columns, shape[0], rows[one], by_columns[columns[one]], one),
        Sums.of(by_rows, shape[1], columns[other], by_rows[rows[other]], other),
    )


def _cheapest(pattern: Pattern, order: str) -> Bidirectional:
    """The way with the least cost; one is tried only if its fewest possible colours cost less than the best so far."""
    widest = int(pattern.widths.max(initial=0))
    tallest = int(np.bincount(pattern.columns, minlength=1).max(initial=0))
    bounds = {"columns": float(widest), "rows": ROW_COST * tallest}
    below, best = float("inf"), None
    for name in sorted(bounds, key=lambda name: bounds[name]):
        if bounds[name] < below:
            made = _one_way(pattern, name, order)
            if made.cost(ROW_COST) < below:
                below, best = made.cost(ROW_COST), made
    assert best is not None
    return fewest_in_both(pattern, order, ROW_COST, below) or best


def _one_way(pattern: Pattern, mode: str, order: str) -> Bidirectional:
    if mode == "columns":
        return Bidirectional(np.full(pattern.shape[0], -1), color_columns(pattern, order))
    return Bidirectional(color_rows(pattern, order), np.full(pattern.shape[1], -1))


def plan_symmetric(pattern: Pattern, format: str, mode: str, order: str) -> Plan:
    """The sums of columns of a symmetric matrix: by a star colouring, or by an acyclic one with substitution."""
    if mode == "acyclic":
        return _by_substitution(pattern, format, color_symmetric_acyclic(pattern, order))
    colours = color_symmetric_star(pattern, order)
    rows, columns = pattern.rows, pattern.columns
    count = colours_of(colours)
    met = np.bincount(rows * count + colours[columns], minlength=1)  # columns of a colour with a place in a row
    direct = met[rows * count + colours[columns]] == 1
    lines, wanted = np.where(direct, rows, columns), colours[np.where(direct, columns, rows)]
    assert (met[lines * count + wanted] == 1).all(), "a star colouring tells all elements apart"
    return Plan(pattern, format, columns=Sums.of(colours, pattern.shape[0], lines, wanted, None))


def _by_substitution(pattern: Pattern, format: str, colours: Integers) -> Plan:
    graph = Graph.of(pattern)
    count = max(colours_of(colours), 1)
    leaves, others, edges, found = kernels.eliminated(
        graph.starts, graph.neighbours, graph.edges, colours, count, graph.count
    )
    assert found == graph.count, "an acyclic colouring has no cycle of two colours"
    rows, columns = pattern.rows, pattern.columns
    off = rows != columns
    order = np.zeros(graph.count, np.int64)
    order[edges] = np.arange(graph.count)
    source = np.zeros(pattern.count, np.int64)
    source[off] = order[graph.edges]
    source[~off] = graph.count + np.arange(np.count_nonzero(~off))
    diagonal = rows[~off]
    by_substitution = Substitution(
        leaves * count + colours[others],
        others * count + colours[leaves],
        diagonal * count + colours[diagonal],
        source,
    )
    lines = np.repeat(np.arange(pattern.shape[0]), count)
    wanted = np.tile(np.arange(count), pattern.shape[0])
    sums = Sums.of(colours, pattern.shape[0], lines, wanted, None)
    return Plan(pattern, format, columns=sums, substitution=by_substitution)

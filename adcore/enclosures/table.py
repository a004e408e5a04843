"""The table of interval meanings: for each row of the table of primitives a function of intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .intervals import UNDEFINED, Interval

__all__ = ["ROWS", "Ends", "UndecidedError", "elementwise", "entered", "marks_of"]

Row = Callable[..., Any]
Ends = tuple[Any, Any] | tuple[Any, Any, Any]  # lower and upper ends, and where there may be no number

ROWS: dict[str, Row] = {}  # of intervals and the equation's parameters; gives an interval


class UndecidedError(Exception):
    """An interval execution that cannot go on: a length, an index or a trip count that is not known on the box."""


def entered(*names: str) -> Callable[[Row], Row]:
    """Enter a function as the interval meaning of some rows."""

    def enter(row: Row) -> Row:
        ROWS.update(dict.fromkeys(names, row))
        return row

    return enter


def marks_of(*operands: Interval) -> Any:
    """The marks of what is computed from these, element by element."""
    marks = operands[0].marks
    for x in operands[1:]:
        marks = marks | x.marks
    return marks


def elementwise(ends: Callable[..., Ends]) -> Row:
    """An elementwise row, of a function that gives the ends of the result, and where there may be none."""

    def row(*operands: Interval, **params: Any) -> Interval:
        with np.errstate(all="ignore"):
            lower, upper, *bad = ends(*operands, **params)
        marks = marks_of(*operands)
        if bad:
            marks = marks | np.where(bad[0], UNDEFINED, 0)
        empty = _empty(operands) if np.any(marks & UNDEFINED) else False
        if np.any(empty) and lower.dtype.kind == "f":
            lower, upper = np.where(empty, np.nan, lower)[()], np.where(empty, np.nan, upper)[()]
        return Interval(lower, upper, np.asarray(marks)[()])

    return row


def _empty(operands: tuple[Interval, ...]) -> Any:
    found: Any = False
    for x in operands:
        if x.dtype.kind == "f":
            found = found | np.isnan(x.lower)
    return found

"""Which kinks of a row may lie in a box: where the enclosure of a kink's margin holds 0.

Of kinks at whole numbers, at ties and of comparisons it is told from the operands, more sharply than by a margin, whose
terms depend on each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..builder import Builder
from ..primitives.kinks import Kink
from ..program import Equation
from ..types import DType
from .intervals import UNDEFINED, Interval, is_float, point
from .table import ROWS

if TYPE_CHECKING:
    from .execution import Execution

__all__ = ["SHARPER", "Touch", "touches"]


@dataclass(frozen=True, slots=True)
class Touch:
    """A kink that may lie in the box.

    Attributes:
        equation: whose kink it is.
        kink: which.
        marks: those of the elements of the arguments that decide on it.
        elements: for which elements of the margin.
    """

    equation: Equation
    kink: Kink
    marks: int
    elements: Any


def touches(execution: Execution, equation: Equation) -> list[Touch]:
    """The kinks of an equation that has been run, of elements that depend on the arguments."""
    operands = [execution.value(atom) for atom in equation.operands]
    if all(x.is_fixed for x in operands):
        return []
    sharper = SHARPER.get(equation.primitive.name)
    found: list[Touch] = []
    for kink in equation.primitive.kinks:
        where, marks = (
            sharper(equation, operands, kink)
            if sharper is not None
            else _by_margin(execution, equation, kink, operands)
        )
        elements = np.asarray(where) & (np.asarray(marks) != 0)
        if np.any(elements):
            every = int(np.bitwise_or.reduce(np.where(elements, marks, 0), axis=None))
            found.append(Touch(equation, kink, every & ~UNDEFINED, elements))
    return found


def _by_margin(execution: Execution, equation: Equation, kink: Kink, operands: list[Interval]) -> tuple[Any, Any]:
    """Where the margin may be 0, and the marks of its elements; everywhere, where no margin is known."""
    if kink.margin is None:
        marks = int(np.bitwise_or.reduce([np.bitwise_or.reduce(np.ravel(x.marks), initial=0) for x in operands]))
        return True, marks
    b = Builder()
    margin = kink.margin(b, equation)
    if margin is None:
        return False, 0
    watched, execution.watched = execution.watched, False
    execution.equations(b.equations)
    execution.watched = watched
    value = execution.value(margin)
    return ~((value.lower > 0) | (value.upper < 0)), value.marks


# Sharper than by margins

Sharper = Callable[[Equation, list[Interval], Kink], tuple[Any, Any]]


def _all_marks(operands: list[Interval]) -> Any:
    marks = operands[0].marks
    for x in operands[1:]:
        marks = marks | x.marks
    return marks


def _meeting(equation: Equation, operands: list[Interval], kink: Kink) -> tuple[Any, Any]:
    """Where two operands may be equal."""
    x, y = operands
    return ~((x.upper < y.lower) | (x.lower > y.upper)), _all_marks(operands)


def _holds_integer(x: Interval, but_zero: bool = False) -> Any:
    first, last = np.ceil(x.lower), np.floor(x.upper)
    zero = (first == 0.0) & (last == 0.0)
    return ~(first > last) & ~(zero & but_zero)


def _at_integers(but_zero: bool) -> Sharper:
    return lambda equation, operands, kink: (_holds_integer(operands[0], but_zero), operands[0].marks)


def _at_halves(equation: Equation, operands: list[Interval], kink: Kink) -> tuple[Any, Any]:
    half = ROWS["sub"](operands[0], point(operands[0].dtype.type(0.5)))
    return _holds_integer(half), half.marks


def _of_quotients(but_zero: bool) -> Sharper:
    def test(equation: Equation, operands: list[Interval], kink: Kink) -> tuple[Any, Any]:
        if not is_float(operands[0].dtype):
            return True, _all_marks(operands)
        with np.errstate(all="ignore"):
            q = ROWS["div"](*operands)
        return _holds_integer(q, but_zero), q.marks

    return test


def _of_cast(equation: Equation, operands: list[Interval], kink: Kink) -> tuple[Any, Any]:
    x, dtype = operands[0], equation.params["dtype"]
    if not is_float(x.dtype) or dtype.kind in "fc":
        return False, 0
    if dtype is DType.BOOL:
        return (x.lower <= 0) & (x.upper >= 0), x.marks
    return _holds_integer(x, but_zero=True), x.marks


def _ties(equation: Equation, operands: list[Interval], kink: Kink) -> tuple[Any, Any]:
    """Whether two elements may both be the extremum."""
    x, axes = operands[0], equation.params["axes"]
    if equation.primitive.name == "reduce_max":
        candidates = x.upper >= np.max(x.lower, axis=axes, keepdims=True)
    else:
        candidates = x.lower <= np.min(x.upper, axis=axes, keepdims=True)
    marks = np.bitwise_or.reduce(np.where(candidates, x.marks, 0), axis=axes)
    return np.count_nonzero(candidates, axis=axes) > 1, marks


def _in_order(equation: Equation, operands: list[Interval], kink: Kink) -> tuple[Any, Any]:
    """Whether two elements along the last axis may be equal."""
    x = operands[0]
    order = np.argsort(x.lower, axis=-1, kind="stable")
    lower, upper, marks = (np.take_along_axis(v, order, -1) for v in (x.lower, x.upper, x.marks))
    highest = np.maximum.accumulate(upper, axis=-1)[..., :-1]
    return highest >= lower[..., 1:], np.bitwise_or.reduce(marks, axis=-1, keepdims=True) | np.zeros_like(
        marks[..., 1:]
    )


SHARPER: dict[str, Sharper] = {
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "maximum", "minimum"), _meeting),
    **dict.fromkeys(("floor", "ceil"), _at_integers(False)),
    "trunc": _at_integers(True),
    "rint": _at_halves,
    **dict.fromkeys(("floordiv", "mod"), _of_quotients(False)),
    "fmod": _of_quotients(True),
    "cast": _of_cast,
    **dict.fromkeys(("reduce_max", "reduce_min"), _ties),
    "argsort": _in_order,
}

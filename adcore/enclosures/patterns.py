"""Equations whose operands depend on each other in a way that makes their results narrower than a row can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..program import Equation
from ..types import Atom, Var
from .intervals import UNDEFINED, Interval, is_float, meet
from .table import ROWS

if TYPE_CHECKING:
    from .execution import Execution

__all__ = ["PATTERNS"]

Pattern = Callable[["Execution", Equation, list[Interval]], Interval | None]


def _making(execution: Execution, atom: Atom, name: str) -> Equation | None:
    made = execution.made.get(atom) if isinstance(atom, Var) else None
    return made if made is not None and made.primitive.name == name else None


def _attained(execution: Execution, equation: Equation, operands: list[Interval]) -> Interval | None:
    """x = max(x) along some axes: where x is above all others it is certain, where it is below one it is not."""
    x, other = equation.operands
    made = _making(execution, other, "expand")
    fold = _fold_of(execution, equation)
    if made is None or fold is None or fold.primitive.name not in ("reduce_max", "reduce_min"):
        return None
    axes = fold.params["axes"]
    if fold.operands[0] is not x or made.params["axes"] != axes:
        return None
    value = operands[0]
    if np.any(value.marks & UNDEFINED):
        return None
    low, high = (value.lower, value.upper) if fold.primitive.name == "reduce_max" else (-value.upper, -value.lower)
    candidates = high >= np.max(low, axis=axes, keepdims=True)
    alone = np.count_nonzero(candidates, axis=axes, keepdims=True) == 1
    marks = np.bitwise_or.reduce(value.marks, axis=axes, keepdims=True) | value.marks
    return Interval(candidates & alone, candidates, marks)


def _count(execution: Execution, equation: Equation, operands: list[Interval]) -> Interval | None:
    """How many elements attain the extremum: one at least."""
    chosen = _making(execution, equation.operands[0], "select")
    made = None if chosen is None else _making(execution, chosen.operands[0], "eq")
    if chosen is None or made is None:
        return None
    attained = _attained(execution, made, [execution.value(atom) for atom in made.operands])
    ones, zeros = (execution.value(atom) for atom in chosen.operands[1:])
    fold = _fold_of(execution, made)
    if attained is None or fold is None or fold.params["axes"] != equation.params["axes"]:
        return None
    if not (
        np.all(ones.lower == 1.0) and np.all(ones.upper == 1.0) and not np.any(zeros.lower) and not np.any(zeros.upper)
    ):
        return None
    return meet(ROWS["total"](*operands, **equation.params), 1.0, np.inf)


def _fold_of(execution: Execution, equation: Equation) -> Equation | None:
    """The reduction with whose result an equation compares."""
    made = _making(execution, equation.operands[1], "expand")
    return None if made is None else execution.made.get(made.operands[0])  # type: ignore[arg-type]


def _rounding(execution: Execution, equation: Equation, operands: list[Interval]) -> Interval | None:
    """s - (s - x), which is x but for what it loses in rounding: the first half of a number's digits (Dekker 1971)."""
    s, inner = equation.operands
    made = _making(execution, inner, "sub")
    if made is None or made.operands[0] is not s or not is_float(operands[0].dtype):
        return None
    x, whole = execution.value(made.operands[1]), operands[0]
    with np.errstate(all="ignore"):
        sizes = np.maximum(np.abs(whole.lower), np.abs(whole.upper)) + np.maximum(np.abs(x.lower), np.abs(x.upper))
        lost = sizes.dtype.type(4.0 * np.finfo(sizes.dtype).eps) * sizes
        error = Interval(-lost, lost, np.zeros_like(x.marks))
        found = ROWS["add"](x, error)
    return found if np.all(np.isfinite(lost)) else None


def _difference(execution: Execution, equation: Equation, operands: list[Interval]) -> Interval | None:
    x, y = equation.operands
    if x is y and isinstance(x, Var) and not np.any(operands[0].marks & UNDEFINED) and _is_finite(operands[0]):
        zero = np.zeros_like(operands[0].lower)
        return Interval(zero, zero, operands[0].marks)
    return _rounding(execution, equation, operands)


def _is_finite(x: Interval) -> bool:
    return bool(np.all(np.isfinite(x.lower) & np.isfinite(x.upper))) if is_float(x.dtype) else True


PATTERNS: dict[str, Pattern] = {"eq": _attained, "sub": _difference, "total": _count}

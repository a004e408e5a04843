"""What stands between brackets: integers in range, and slices."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adcore.errors import DtypeError
from adcore.types import Atom, DType, Lit, literal

from .operators import describe
from .values import Scalar, Static, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Bounds", "Slice", "bounds_of", "in_range", "integer", "out_of_bounds"]

Bounds = tuple[Value | None, Value | None, Value | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """The parts of a slice, None where they are left out."""

    start: Value | None
    stop: Value | None
    step: Value | None


def bounds_of(low: Lowering, node: ast.Slice) -> Bounds:
    """Start, stop and step of a slice as it is written."""
    start, stop, step = (
        None if p is None else _bound(low, low.evaluate(p)) for p in (node.lower, node.upper, node.step)
    )
    return start, stop, step


def _bound(low: Lowering, value: Value) -> Value | None:
    if isinstance(value, Static) and value.value is None:
        return None
    return Scalar(integer(low, value), True)


def integer(low: Lowering, value: Value) -> Atom:
    """The atom of an index."""
    if isinstance(value, Scalar) and value.dtype.integer:
        return low.cast(value.atom, DType.I64)
    return low.refuse(DtypeError, f"an index is {describe(value)}, not an integer", "an integer, e.g. int(i) or i // 2")


def out_of_bounds(axis: int) -> str:
    """NumPy's message about an index and a length."""
    return f"index {{0}} is out of bounds for axis {axis} with size {{1}}"


def in_range(low: Lowering, index: Atom, length: Atom, message: str) -> Atom:
    """An index from 0, having checked (where it is not plain) that it is in range."""
    b, facts = low.b, low.facts
    least = facts.nonnegative(b, index)
    if not least and isinstance(index, Lit):
        _check_index(low, b.ge(length, -int(index.value)), index, length, message)
        return b.add(length, index)
    holds = literal(True) if facts.less(b, index, length) else b.lt(index, length)
    if not least:
        holds = b.land(b.ge(index, b.neg(length)), holds)
    _check_index(low, holds, index, length, message)
    return index if least else b.select(b.lt(index, 0), b.add(index, length), index)


def _check_index(low: Lowering, holds: Atom, index: Atom, length: Atom, message: str) -> None:
    if low.memory.scope.has_checked(index, length):
        return
    low.memory.scope.checked.add((index, length))
    low.check(holds, "IndexError", message, *((index, length) if "{" in message else ()))

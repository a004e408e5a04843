"""Slices, clipped as Python clips them, with lengths in a form in which equal ones are the same value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.builder import Builder
from adcore.types import Atom, Lit, literal

from .facts import linear
from .values import Scalar

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["shifted", "sliced"]


def sliced(low: Lowering, start: Any, stop: Any, step: Any, length: Atom) -> tuple[str, tuple[Atom, ...]]:
    """The axis code and operands (start, length, step) of a slice of an axis."""
    by = step.atom if isinstance(step, Scalar) else literal(1)
    first, last = (None if s is None else s.atom for s in (start, stop))
    if isinstance(by, Lit) and by.value == 1:
        if first in (None, literal(0)) and last is None:
            return ":", ()
        return "s", _forward(low, first, last, length)
    if isinstance(by, Lit) and by.value != 0:
        part = _ascending if by.value > 0 else _descending
        return "s", (*part(low, first, last, by, length), by)
    low.check(low.b.ne(by, 0), "ValueError", "slice step cannot be zero")
    return "s", (*_either(low, first, last, by, length), by)


def shifted(b: Builder, atom: Atom, offset: int) -> Atom:
    """`atom + offset`, with literal terms gathered into one."""
    base, shift = linear(b, atom)
    total = shift + offset
    if base is None:
        return literal(total)
    return b.add(base, total) if total >= 0 else b.sub(base, -total)


def shortened(b: Builder, length: Atom, by: int) -> Atom:
    """The length left when some elements are cut off, not below 0."""
    equation = b.defining(length)
    if equation is not None and equation.primitive.name == "maximum" and equation.operands[1] == literal(0):
        return b.maximum(shifted(b, equation.operands[0], -by), 0)
    return b.maximum(shifted(b, length, -by), 0)


def _forward(low: Lowering, first: Atom | None, last: Atom | None, length: Atom) -> tuple[Atom, ...]:
    """Start, length and step of a slice with step 1."""
    b = low.b
    start = literal(0) if first is None else clipped(low, first, length)
    one = literal(1)
    cut = first is None or (isinstance(first, Lit) and first.value >= 0)
    front = 0 if first is None or not isinstance(first, Lit) else int(first.value)
    if cut and last is None:
        return start, shortened(b, length, front), one
    if cut and isinstance(last, Lit) and last.value < 0:
        return start, shortened(b, length, front - int(last.value)), one
    if _is_one_element(low, first, last):
        known = int(first.value) if isinstance(first, Lit) else 0
        left = shifted(b, length, known + 1) if known < 0 else b.sub(length, start)
        return start, b.minimum(b.maximum(left, 0), 1), one
    if last is None:
        return start, b.sub(length, start), one
    stop = clipped(low, last, length)
    return start, stop if start == literal(0) else b.maximum(b.sub(stop, start), 0), one


def _is_one_element(low: Lowering, first: Atom | None, last: Atom | None) -> bool:
    """Whether the bounds of a slice are those of one element: `:1`, `-1:`, `k:k+1`."""
    b = low.b
    if first is None:
        return last == literal(1)
    if last is None:
        return first == literal(-1)
    (base, before), (other, after) = linear(b, first), linear(b, last)
    if base != other or after != before + 1:
        return False
    return before != -1 if base is None else low.facts.nonnegative(b, first)


def clipped(low: Lowering, bound: Atom, length: Atom) -> Atom:
    """A slice bound brought into 0 .. length."""
    b, facts = low.b, low.facts
    if isinstance(bound, Lit) and bound.value < 0:
        return b.maximum(shifted(b, length, int(bound.value)), 0)
    high = bound if bound == length or facts.less(b, bound, shifted(b, length, 1)) else b.minimum(bound, length)
    if facts.nonnegative(b, bound):
        return high
    return b.select(b.lt(bound, 0), b.maximum(b.add(bound, length), 0), high)


def _ascending(low: Lowering, first: Atom | None, last: Atom | None, step: Atom, length: Atom) -> tuple[Atom, Atom]:
    b = low.b
    start = literal(0) if first is None else clipped(low, first, length)
    stop = length if last is None else clipped(low, last, length)
    return start, _count(b, b.maximum(b.sub(stop, start), 0), step)


def _descending(low: Lowering, first: Atom | None, last: Atom | None, step: Atom, length: Atom) -> tuple[Atom, Atom]:
    b = low.b
    start = b.sub(length, 1) if first is None else _clipped_down(b, first, length)
    if last is None:
        return start, _count(b, length if first is None else b.add(start, 1), b.neg(step))
    stop = _clipped_down(b, last, length)
    return start, _count(b, b.maximum(b.sub(start, stop), 0), b.neg(step))


def _clipped_down(b: Builder, bound: Atom, length: Atom) -> Atom:
    """A bound of a slice with negative step brought into -1 .. length - 1."""
    from_end = b.maximum(b.add(bound, length), -1)
    from_start = b.minimum(bound, b.sub(length, 1))
    return b.select(b.lt(bound, 0), from_end, from_start)


def _count(b: Builder, distance: Atom, step: Atom) -> Atom:
    """How many steps fit into a distance."""
    if step == literal(1):
        return distance
    return b.floordiv(b.add(distance, b.sub(step, 1)), step)


def _either(low: Lowering, first: Atom | None, last: Atom | None, step: Atom, length: Atom) -> tuple[Atom, Atom]:
    """Start and length for a step whose sign is known at run time only."""
    b = low.b
    up, size = b.gt(step, 0), b.abs(step)
    start_up, length_up = _ascending(low, first, last, b.maximum(size, 1), length)
    start_down, length_down = _descending(low, first, last, b.neg(b.maximum(size, 1)), length)
    return b.select(up, start_up, start_down), b.select(up, length_up, length_down)

"""What a `for` loop runs over: a trip count and the item of each index, or a list known at compile time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.builder import Builder
from adcore.types import Atom, DType, Lit

from .frame import buffers_of
from .indexing import element
from .operators import describe
from .slices import shifted
from .values import Array, Dict, Iteration, List, Range, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["enumerated", "iterate", "range_length", "range_of", "reversed_of", "zipped"]


def range_of(low: Lowering, arguments: list[Value]) -> Range:
    """`range(...)`."""
    numbers: list[Scalar] = []
    for value in arguments:
        if not isinstance(value, Scalar) or value.dtype.value == "float64":
            low.refuse_syntax(f"{describe(value)} cannot be interpreted as an integer", "range(int(n))")
        numbers.append(Scalar(low.cast(value.atom, DType.I64), value.python))
    if not 1 <= len(numbers) <= 3:
        low.refuse_syntax(f"range takes 1 to 3 arguments, not {len(numbers)}", "range(n)")
    if len(numbers) == 1:
        return Range(number(0), numbers[0], number(1))
    step = numbers[2] if len(numbers) == 3 else number(1)
    low.check(low.b.ne(step.atom, 0), "ValueError", "range() arg 3 must not be zero")
    return Range(numbers[0], numbers[1], step)


def range_length(low: Lowering, value: Range) -> Atom:
    """`len(range(...))`."""
    b, start, stop, step = low.b, value.start.atom, value.stop.atom, value.step.atom
    if not isinstance(step, Lit):
        size = b.maximum(b.abs(step), 1)
        distance = b.select(b.gt(step, 0), b.sub(stop, start), b.sub(start, stop))
        return b.floordiv(b.sub(b.add(b.maximum(distance, 0), size), 1), size)
    size = abs(int(step.value))
    distance = _difference(b, stop, start) if step.value > 0 else _difference(b, start, stop)
    if not low.facts.nonnegative(b, distance):
        distance = b.maximum(distance, 0)
    return distance if size <= 1 else b.floordiv(b.add(distance, size - 1), size)


def _difference(b: Builder, x: Atom, y: Atom) -> Atom:
    return shifted(b, x, -int(y.value)) if isinstance(y, Lit) else b.sub(x, y)


def _range_item(low: Lowering, value: Range, index: Atom) -> Value:
    b, facts, step = low.b, low.facts, value.step.atom
    start, stop = value.start.atom, value.stop.atom
    item = b.add(start, b.mul(index, step))
    if isinstance(step, Lit) and step.value > 0:
        facts.counter(b, item, facts.least(b, start), stop)
    elif isinstance(step, Lit):
        least = facts.least(b, stop)
        facts.counter(b, item, None if least is None else least + 1, shifted(b, start, 1))
    return Scalar(item, True)


def iterate(low: Lowering, value: Value) -> list[Value] | Iteration:
    """The items of a list, tuple or dict, which unrolls; of an array or range, which loops."""
    if isinstance(value, Tuple | List):
        return list(value.items)
    if isinstance(value, Dict):
        return [Static(key) for key in value.items]
    if isinstance(value, Static) and isinstance(value.value, str):
        return [Static(c) for c in value.value]
    if isinstance(value, Iteration):
        return value
    if isinstance(value, Range):
        return Iteration(range_length(low, value), lambda k: _range_item(low, value, k))
    if isinstance(value, Array):
        return Iteration(value.shape[0], lambda k: element(low, value, k), (value.buffer,))
    return low.refuse_syntax(f"{describe(value)} cannot be iterated over", "a range, array, tuple or list")


def zipped(low: Lowering, values: list[Value]) -> Value:
    """`zip(...)`."""
    parts = [iterate(low, v) for v in values]
    lists = [p for p in parts if isinstance(p, list)]
    if len(lists) == len(parts):
        return Tuple(tuple(Tuple(items) for items in zip(*lists, strict=False)))
    if lists:
        low.refuse_syntax("zip of a tuple or list with an array or range", "np.array(...) of the tuple first")
    moving = [p for p in parts if isinstance(p, Iteration)]
    length = moving[0].length
    for part in moving[1:]:
        if part.length != length:
            length = low.b.minimum(length, part.length)
    buffers = tuple(b for p in moving for b in p.over)
    return Iteration(length, lambda k: Tuple(tuple(p.item(k) for p in moving)), buffers)


def enumerated(low: Lowering, value: Value, start: Value) -> Value:
    """`enumerate(x, start)`."""
    if not isinstance(start, Scalar) or start.dtype is DType.F64:
        low.refuse_syntax(f"enumerate from {describe(start)}", "enumerate(x, 1)")
    first = low.cast(start.atom, DType.I64)
    parts = iterate(low, value)
    if isinstance(parts, list):
        return Tuple(tuple(Tuple((Scalar(low.b.add(first, k), True), v)) for k, v in enumerate(parts)))
    return Iteration(
        parts.length, lambda k: Tuple((Scalar(low.b.add(first, k), True), parts.item(k))), tuple(buffers_of(value))
    )


def reversed_of(low: Lowering, value: Value) -> Value:
    """`reversed(x)`."""
    parts = iterate(low, value)
    if isinstance(parts, list):
        return Tuple(tuple(reversed(parts)))
    length = parts.length

    def item(k: Atom) -> Value:
        index = low.b.sub(low.b.sub(length, 1), k)
        low.facts.counter(low.b, index, 0, length)
        return parts.item(index)

    return Iteration(length, item, tuple(buffers_of(value)))

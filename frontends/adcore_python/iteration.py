"""What a `for` loop runs over: a trip count and the item of each index, or a list known at compile time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adcore.builder import Builder
from adcore.types import Atom, DType, Lit, literal

from .classes import is_structured, special
from .containers import entries, held, item
from .indexing import element
from .operators import describe
from .outside import constant
from .slices import shifted
from .values import Array, Dict, Iteration, List, Range, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["enumerated", "exhausted", "iterate", "range_length", "range_of", "reversed_of", "zipped"]


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


def iterate(low: Lowering, value: Value) -> Iteration:
    """The items of a list, tuple or dict of constant length, which unrolls; of an array or range, which loops."""
    from . import structured_arrays

    if isinstance(value, List):
        return _of_list(low, value)
    if isinstance(value, Tuple):
        return _fixed(value.items)
    if isinstance(value, Dict):
        return _fixed([constant(key) for key in entries(low, value)], (value.identity,))
    if isinstance(value, Static) and isinstance(value.value, str):
        return _fixed([Static(c) for c in value.value])
    if isinstance(value, Iteration):
        return value
    if is_structured(value):
        return structured_arrays.iteration(low, value)
    own = special(value, "__iter__")
    if own is not None:
        return iterate(low, low.call(own, [], {}))
    if isinstance(value, Range):
        return Iteration(range_length(low, value), lambda k: _range_item(low, value, k))
    if isinstance(value, Array):
        return Iteration(value.shape[0], lambda k: element(low, value, k), (value.buffer,))
    return low.refuse_syntax(f"{describe(value)} cannot be iterated over", "a range, array, tuple or list")


def _fixed(items: Sequence[Value], over: tuple[Any, ...] = ()) -> Iteration:
    """Items that differ in kind, each with its own copy of a loop's body."""
    return Iteration(literal(len(items)), lambda k: items[_known(k)], over, static=True)


def _known(index: Atom) -> int:
    assert isinstance(index, Lit)
    return int(index.value)


def _of_list(low: Lowering, value: List) -> Iteration:
    """The items of a list, each read when its turn comes."""
    contents = held(low, value)
    if isinstance(contents, Tuple):
        return Iteration(
            literal(len(contents.items)), lambda k: item(low, value, Scalar(k, True)), (value.identity,), static=True
        )
    over = (value.identity, *(s.buffer for s in contents.stores))
    return Iteration(contents.length.atom, lambda k: item(low, value, Scalar(k, True)), over)


def zipped(low: Lowering, values: list[Value], strict: bool = False) -> Value:
    """`zip(..., strict=strict)`."""
    found = [iterate(low, v) for v in values]
    if not found:
        return Tuple(())
    lengths = [p.length for p in found]
    known = [n for n in lengths if isinstance(n, Lit)]
    length = min(known, key=_known) if known else lengths[0]
    static = any(p.static for p in found)
    if static and len(known) < len(found):
        low.refuse_syntax("zip of a tuple or list with an array or range", "np.array(...) of the tuple first")
    for other in lengths:
        if other != length and not (isinstance(other, Lit) and isinstance(length, Lit)):
            length = low.b.minimum(length, other)
    over = tuple(b for p in found for b in p.over)
    ends = tuple(end for p in found for end in p.ends)
    if strict:
        ends += _of_one_length(low, lengths, length)
    return Iteration(length, lambda k: Tuple(tuple(p.item(k) for p in found)), over, static, ends)


def _of_one_length(low: Lowering, lengths: list[Atom], least: Atom) -> tuple[tuple[Atom, str], ...]:
    """That all lengths are the least one, in the order in which Python finds what is not."""
    b = low.b
    found: list[tuple[Atom, str]] = []
    at_end = b.eq(lengths[0], least)
    before = b.lnot(at_end)
    for k, length in enumerate(lengths[1:], 2):
        found.append((b.lor(at_end, b.ne(length, least)), f"zip() argument {k} is shorter than {_arguments(k)}"))
        at_end = b.lor(at_end, b.eq(length, least))
    for k, length in enumerate(lengths[1:], 2):
        found.append((b.lor(before, b.eq(length, least)), f"zip() argument {k} is longer than {_arguments(k)}"))
    return tuple(found)


def _arguments(k: int) -> str:
    return "argument 1" if k == 2 else f"arguments 1-{k - 1}"


def exhausted(low: Lowering, items: Iteration, unless: Atom) -> None:
    """All items have been taken, unless the loop was left: raise where that is an error."""
    for holds, message in items.ends:
        low.check(low.b.lor(unless, holds), "ValueError", message)


def enumerated(low: Lowering, value: Value, start: Value) -> Value:
    """`enumerate(x, start)`."""
    if not isinstance(start, Scalar) or start.dtype.differentiable:
        low.refuse_syntax(f"enumerate from {describe(start)}", "enumerate(x, 1)")
    first = low.cast(start.atom, DType.I64)
    parts = iterate(low, value)
    return Iteration(
        parts.length,
        lambda k: Tuple((Scalar(low.b.add(first, k), True), parts.item(k))),
        parts.over,
        parts.static,
        parts.ends,
    )


def reversed_of(low: Lowering, value: Value) -> Value:
    """`reversed(x)`."""
    parts = iterate(low, value)
    length = parts.length

    def item(k: Atom) -> Value:
        index = low.b.sub(low.b.sub(length, 1), k)
        if not isinstance(index, Lit):
            low.facts.counter(low.b, index, 0, length)
        return parts.item(index)

    return Iteration(length, item, parts.over, parts.static)

"""Subscripts: reading and writing elements, slices and masks of arrays; for items of containers see `containers`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError, UnsupportedSyntaxError
from adcore.types import Atom, DType, Lit, literal

from .classes import special
from .containers import item as item_of
from .containers import part, set_item, set_part
from .operators import SPECIAL, describe, join, numeric, operate, stretch
from .slices import sliced
from .values import Array, List, Method, Scalar, Static, Tuple, Value
from .views import indexed, reshaped, view_read

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["augment", "augmented", "element", "in_place", "in_range", "integer", "load", "store"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The parts of a slice, None where they are left out."""

    start: Value | None
    stop: Value | None
    step: Value | None


def load(low: Lowering, container: Value, node: ast.expr) -> Value:
    """`container[node]`."""
    if not isinstance(container, Array):
        return _loaded(low, container, node)
    items = _items(low, node)
    mask = _mask(low, container, items)
    if mask is not None:
        low.refuse_syntax("the number of elements of x[mask] is not known", "np.where(mask, x, 0.0), or a loop")
    return _shown(low, _located(low, container, items))


def _shown(low: Lowering, array: Array) -> Value:
    return array if array.rank else Scalar(low.atom(array))


def element(low: Lowering, array: Array, index: Atom) -> Value:
    """The element or row at an index that is in range."""
    return _shown(low, indexed(low.b, array, "i" + ":" * (array.rank - 1), (index,)))


def store(low: Lowering, container: Value, node: ast.expr, value: Value) -> None:
    """`container[node] = value`."""
    if not isinstance(container, Array):
        _stored_item(low, container, node, value)
        return
    items = _items(low, node)
    mask = _mask(low, container, items)
    operand = _stored(low, container, value)
    if mask is not None:
        _write_masked(low, container, mask, operand)
        return
    place = _located(low, container, items)
    low.write(place, fitted(low, low.cast(low.atom(operand), place.dtype), place))


def _stored(low: Lowering, container: Array, value: Value) -> Scalar | Array:
    if isinstance(value, Tuple | List):
        from .array_functions import array_of

        value = array_of(low, value)
    return numeric(low, value, "the value written into an array")


def augment(low: Lowering, container: Value, node: ast.expr, op: str, value_of: Callable[[], Value]) -> None:
    """`container[node] op= value`; the index is evaluated once, before the value."""
    if not isinstance(container, Array):
        _augment_item(low, container, node, op, value_of)
        return
    items = _items(low, node)
    mask = _mask(low, container, items)
    if mask is not None:
        result = numeric(low, operate(low, op, container, _only_scalar(low, value_of())))
        _write_masked(low, container, mask, result)
        return
    place = _located(low, container, items)
    before = low.memory.read(place.buffer)
    value = value_of()
    if place.rank:
        in_place(low, op, place, value)
        return
    operand = numeric(low, value)
    fits = join((operand.dtype, place.dtype)) is place.dtype and place.dtype is not DType.BOOL
    if op in ("+", "-") and fits and low.memory.read(place.buffer) is before and isinstance(operand, Scalar):
        atom = low.cast(operand.atom, place.dtype)
        low.write(place, low.b.neg(atom) if op == "-" else atom, add=True)
        return
    old = Scalar(view_read(low.b, before, place.views))
    result = numeric(low, operate(low, op, old, operand))
    low.write(place, fitted(low, low.cast(low.atom(result), place.dtype), place))


def _loaded(low: Lowering, container: Value, node: ast.expr) -> Value:
    if isinstance(node, ast.Slice):
        return part(low, container, _bounds(low, node))
    key = low.evaluate(node)
    own = special(container, "__getitem__")
    return item_of(low, container, key) if own is None else low.call(own, [key], {})


def _stored_item(low: Lowering, container: Value, node: ast.expr, value: Value) -> None:
    if isinstance(node, ast.Slice):
        set_part(low, container, _bounds(low, node), value)
        return
    key = low.evaluate(node)
    own = special(container, "__setitem__")
    if own is None:
        set_item(low, container, key, value)
    else:
        low.call(own, [key, value], {})


def _augment_item(low: Lowering, container: Value, node: ast.expr, op: str, value_of: Callable[[], Value]) -> None:
    if isinstance(node, ast.Slice):
        low.refuse_syntax(f"{op}= on a slice of {describe(container)}", "a loop over the items")
    key = low.evaluate(node)
    own = special(container, "__getitem__")
    before = item_of(low, container, key) if own is None else low.call(own, [key], {})
    after = augmented(low, op, before, value_of())
    if own is not None:
        low.call(special(container, "__setitem__") or Static(None), [key, after], {})
    elif after is not before or not isinstance(after, Array):
        set_item(low, container, key, after)


def augmented(low: Lowering, op: str, current: Value, value: Value) -> Value:
    """What `x op= value` leaves x with: arrays and lists are changed, and stay the same."""
    if isinstance(current, Array):
        in_place(low, op, current, value)
        return current
    own = special(current, f"__i{SPECIAL[op]}__")
    if own is not None:
        return low.call(own, [value], {})
    if isinstance(current, List) and op == "+":
        low.call(Method(current, "extend"), [value], {})
        return current
    return operate(low, op, current, value)


def in_place(low: Lowering, op: str, array: Array, value: Value) -> None:
    """`x op= value` on an array: every name for the memory sees it."""
    operand = numeric(low, value)
    dtype = DType.F64 if op == "/" else join((array.dtype, operand.dtype))
    if dtype is not array.dtype:
        low.refuse(
            DtypeError,
            f"a result of dtype {dtype.value} does not fit in place into an array of {array.dtype.value}",
            f"x = x {op} y, which makes a new array",
        )
    if op in ("+", "-") and dtype is not DType.BOOL:
        atom = low.cast(low.atom(operand), dtype)
        low.write(array, fitted(low, low.b.neg(atom) if op == "-" else atom, array), add=True)
        return
    result = numeric(low, operate(low, op, array, operand))
    low.write(array, fitted(low, low.atom(result), array))


def fitted(low: Lowering, atom: Atom, place: Array) -> Atom:
    """A value expanded to the shape of the place it is written to."""
    if atom.type.shape == place.shape:
        return atom
    if not atom.type.shape:
        return low.b.expand(atom, *place.shape, axes=tuple(range(place.rank)))
    if atom.type.rank > place.rank:
        low.refuse_syntax(
            f"an array of rank {atom.type.rank} does not fit into a place of rank {place.rank}", "a value of that rank"
        )
    return stretch(low, atom, place.shape)


# What is between the brackets


def _items(low: Lowering, node: ast.expr) -> list[Any]:
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    items: list[Any] = []
    for each in nodes:
        if isinstance(each, ast.Slice):
            items.append(Slice(*_bounds(low, each)))
        else:
            value = low.evaluate(each)
            items.extend(value.items if isinstance(value, Tuple) and len(nodes) == 1 else [value])
    return items


def _bounds(low: Lowering, node: ast.Slice) -> tuple[Value | None, Value | None, Value | None]:
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
    if isinstance(value, Scalar) and value.dtype is DType.I64:
        return value.atom
    return low.refuse(DtypeError, f"an index is {describe(value)}, not an integer", "an integer, e.g. int(i) or i // 2")


def _mask(low: Lowering, array: Array, items: list[Any]) -> Array | None:
    """The mask, if the index is one; other index arrays are refused."""
    arrays = [i for i in items if isinstance(i, Array)]
    if not arrays and not any(isinstance(i, List) for i in items):
        return None
    if len(items) == 1 and arrays and arrays[0].dtype is DType.BOOL and arrays[0].rank == array.rank:
        return arrays[0]
    return low.refuse(
        UnsupportedSyntaxError,
        "indexing with an array of integers, or with a mask of part of the axes, is not supported",
        "a loop over the elements: for k in range(len(i)): y[k] = x[i[k]]",
    )


def _only_scalar(low: Lowering, value: Value) -> Scalar:
    if isinstance(value, Scalar):
        return value
    return low.refuse_syntax(f"x[mask] takes a number here, not {describe(value)}", "x[:] = np.where(mask, value, x)")


def _write_masked(low: Lowering, array: Array, mask: Array, value: Scalar | Array) -> None:
    """Write a number, or the elements of an array of the whole shape, where the mask holds."""
    if isinstance(value, Array) and value.shape != array.shape:
        _only_scalar(low, value)
    atom = fitted(low, low.cast(low.atom(value), array.dtype), array)
    low.write(array, low.b.select(stretch(low, low.atom(mask), array.shape), atom, low.atom(array)))


def _located(low: Lowering, array: Array, items: list[Any]) -> Array:
    """The part of the array that the index shows."""
    items = _filled(low, array, items)
    codes, scalars, axis = "", [], 0
    for item in items:
        if _is_new_axis(item):
            continue
        length = array.shape[axis]
        if isinstance(item, Slice):
            code, operands = sliced(low, item.start, item.stop, item.step, length)
        else:
            code, operands = "i", (in_range(low, integer(low, item), length, _out_of_bounds(axis)),)
        codes += code
        scalars.extend(operands)
        axis += 1
    part = indexed(low.b, array, codes, tuple(scalars))
    if not any(_is_new_axis(i) for i in items):
        return part
    lengths = iter(part.shape)
    kept = [i for i in items if _is_new_axis(i) or isinstance(i, Slice)]
    return reshaped(part, tuple(literal(1) if _is_new_axis(i) else next(lengths) for i in kept))


def _is_new_axis(item: Any) -> bool:
    return isinstance(item, Static) and item.value is None


def _filled(low: Lowering, array: Array, items: list[Any]) -> list[Any]:
    """One item an axis: the ellipsis and the axes left out become whole slices."""
    whole = Slice(None, None, None)
    dots = [k for k, i in enumerate(items) if isinstance(i, Static) and i.value is Ellipsis]
    consumed = sum(not _is_new_axis(i) for i in items) - len(dots)
    if consumed > array.rank or len(dots) > 1:
        low.refuse_syntax(
            f"too many indices for array: array is {array.rank}-dimensional, but {consumed} were indexed",
            "as many indices as the array has axes",
        )
    rest = [whole] * (array.rank - consumed)
    at = dots[0] if dots else len(items)
    return [*items[:at], *rest, *items[at + 1 :]]


def _out_of_bounds(axis: int) -> str:
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
    scope = low.memory.scope
    while scope is not None:
        if (index, length) in scope.checked:
            return
        scope = scope.parent
    low.memory.scope.checked.add((index, length))
    low.check(holds, "IndexError", message, *((index, length) if "{" in message else ()))

"""Lists, dicts and tuples: their items, read and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from adcore.types import Atom, Lit, literal

from .growing import appended, common_item, grown, item_at, popped, put_at, rows
from .operators import describe
from .outside import constant as taken
from .outside import held_item, plain_dict
from .refusals import NotConstantError
from .slices import sliced
from .strings import plain
from .subscripts import in_range, integer
from .values import Array, Dict, Fields, Growing, List, Poison, Range, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "append",
    "delete_item",
    "entries",
    "held",
    "item",
    "items",
    "length",
    "maybe_items",
    "needs_constant",
    "part",
    "pop_item",
    "resizing",
    "set_item",
    "set_items",
    "set_part",
]


# What is in them


def held(low: Lowering, value: List | Tuple) -> Tuple | Growing:
    """What a list or tuple holds now."""
    if isinstance(value, Tuple):
        return value
    contents = low.memory.contents(value.identity)
    if isinstance(contents, Poison):
        low.refuse_syntax(contents.cause, contents.write)
    assert isinstance(contents, Tuple | Growing)
    return contents


def maybe_items(low: Lowering, value: Value) -> list[Value] | None:
    """The items of a list or tuple of constant length; None for anything else."""
    if not isinstance(value, List | Tuple):
        return None
    contents = held(low, value)
    if isinstance(contents, Tuple):
        return list(contents.items)
    if not isinstance(contents.length.atom, Lit):
        return None
    low.worked(contents.length.known)
    return [item_at(low, contents, literal(k)) for k in range(contents.length.known)]


def items(low: Lowering, value: List | Tuple) -> list[Value]:
    """The items of a list or tuple, whose length has to be constant."""
    found = maybe_items(low, value)
    if found is None:
        low.refuse_syntax(
            "the length of this list is known at run time only", "an array made of it, np.array(x), or a loop over it"
        )
    return found


def entries(low: Lowering, value: Dict) -> dict[Any, Value]:
    """What a dict holds now."""
    contents = low.memory.contents(value.identity)
    if isinstance(contents, Poison):
        low.refuse_syntax(contents.cause, contents.write)
    assert isinstance(contents, Fields)
    return contents.items


def length(low: Lowering, value: List | Tuple | Dict) -> Scalar:
    """`len(x)`."""
    if isinstance(value, Dict):
        return Scalar(literal(len(entries(low, value))), True)
    contents = held(low, value)
    return contents.length if isinstance(contents, Growing) else Scalar(literal(len(contents.items)), True)


# Reading


def item(low: Lowering, container: Value, key: Value) -> Value:
    """`container[key]` of something else than an array."""
    if isinstance(container, Range):
        return _range_item(low, container, key)
    if isinstance(container, Dict):
        return _entry(low, container, key)
    constant = plain(key)
    if isinstance(container, Static) and plain_dict(container.value) and constant is not None:
        return held_item(low, container.value, constant[0])
    if isinstance(container, Static) and isinstance(container.value, str | tuple | np.dtype) and constant is not None:
        return taken(_found(low, container.value, constant[0]))
    if not isinstance(container, List | Tuple):
        low.refuse_syntax(f"{describe(container)} cannot be indexed", "an array, tuple, list or dict")
    contents = held(low, container)
    if isinstance(contents, Tuple) and constant is not None:
        if isinstance(container, List) and _may_be_longer(low, container, contents, constant[0]):
            return _not_yet(low, container, "list index out of range")
        return _found(low, contents.items, constant[0])
    if isinstance(contents, Tuple):
        contents = _in_stores(low, contents, container)
    return item_at(low, contents, _index(low, contents, key))


def _may_be_longer(low: Lowering, container: List, contents: Tuple, index: Any) -> bool:
    """Whether an index is beyond the end of a list to which the loop or branch that is being lowered may append."""
    count = len(contents.items)
    beyond = isinstance(index, int) and not -count <= index < count
    return beyond and low.memory.outer(low.memory.scope, container.identity)


def _not_yet(low: Lowering, container: List, message: str) -> Value:
    """An item that a list has only once it has become longer: where it has not yet, this raises."""
    low.check(literal(False), "IndexError", message)
    found = held(low, container)
    return found.items[-1] if isinstance(found, Tuple) and found.items else low.guess(low.frame, container.identity)


def _entry(low: Lowering, container: Dict, key: Value) -> Value:
    constant = plain(key)
    if constant is None:
        needs_constant(
            low, "a dict is read at a key that is not constant", "string keys, or an array: np.array(...)[i]"
        )
    found = entries(low, container)
    try:
        return found[constant[0]]
    except (KeyError, TypeError) as error:
        low.refuse_syntax(f"{type(error).__name__}: {error}", "a key that exists")


def _found(low: Lowering, holder: Any, key: Any) -> Any:
    try:
        return holder[key]
    except (LookupError, TypeError) as error:
        low.refuse_syntax(f"{type(error).__name__}: {error}", "an index that exists")


def _in_stores(low: Lowering, contents: Tuple, container: Value) -> Growing:
    """The items in stores, for an index that is known at run time."""
    common = common_item(low, contents.items)
    if common is None:
        needs_constant(
            low,
            f"{describe(container)} of items that differ in kind is indexed by a value that is not constant",
            "items of one kind, or an index that is constant",
        )
    found = grown(low, contents, common)
    low.stacked.update(store.buffer for store in found.stores)
    return found


def needs_constant(low: Lowering, cause: str, write: str) -> NoReturn:
    """Refuse what would be possible where a loop's counter were constant: a short loop is unrolled then."""
    raise NotConstantError(cause, low.source, write)


def _index(low: Lowering, contents: Growing, key: Value) -> Atom:
    """The index as one from 0, having checked that it is in range."""
    return in_range(low, integer(low, key), contents.length.atom, "list index out of range")


def _range_item(low: Lowering, container: Range, key: Value) -> Value:
    from .iteration import range_length

    b = low.b
    index = in_range(low, integer(low, key), range_length(low, container), "range object index out of range")
    return Scalar(b.add(container.start.atom, b.mul(index, container.step.atom)), True)


def part(low: Lowering, container: Value, bounds: tuple[Value | None, Value | None, Value | None]) -> Value:
    """`container[start:stop:step]` of something else than an array."""
    if isinstance(container, Static) and isinstance(container.value, str):
        return Static(container.value[_slice(low, container, bounds)])
    if not isinstance(container, List | Tuple):
        low.refuse_syntax(f"{describe(container)} cannot be sliced", "an array, tuple or list")
    contents = held(low, container)
    if isinstance(contents, Tuple):
        chosen = contents.items[_slice(low, container, bounds)]
        return Tuple(chosen) if isinstance(container, Tuple) else low.memory.new_list(chosen)
    code, operands = sliced(low, *bounds, contents.length.atom)
    from .views import indexed

    stores: list[Array] = []
    for row in rows(low, contents):
        piece = low.array(low.atom(indexed(low.b, row, code + ":" * (row.rank - 1), operands)))
        low.memory.relate([(piece.buffer, (row.buffer,))])
        stores.append(piece)
    count = Scalar(stores[0].shape[0], True) if stores else contents.length
    return List(low.memory.identity(Growing(count, contents.item, tuple(stores))))


def _slice(low: Lowering, container: Value, bounds: tuple[Value | None, ...]) -> slice:
    found: list[Any] = []
    for bound in bounds:
        if isinstance(bound, Scalar) and bound.known is None:
            needs_constant(low, f"a slice of {describe(container)} with bounds that are not constant", "a NumPy array")
        found.append(bound.known if isinstance(bound, Scalar) else None)
    return slice(*found)


# Changing


def set_items(low: Lowering, container: List | Dict, new: Any) -> None:
    """Give a list or dict of constant length other items."""
    before = low.memory.contents(container.identity)
    if not isinstance(before, Tuple | Fields) or len(before.items) != len(new):
        resizing(low, container)
    low.change(container.identity, Fields(new) if isinstance(container, Dict) else Tuple(tuple(new)))


def resizing(low: Lowering, container: List | Dict) -> None:
    """Refuse to change the length of what a loop is running over."""
    if any(container.identity in each.over for frame in low.frames for each in frame.pinned):
        low.refuse_syntax(f"{describe(container)} changes its length while a loop runs over it", "a loop over a copy")


def set_item(low: Lowering, container: Value, key: Value, value: Value) -> None:
    """`container[key] = value`."""
    constant = plain(key)
    if isinstance(container, Dict):
        if constant is None:
            needs_constant(low, "a dict is written at a key that is not constant", "a NumPy array, x = np.zeros(n)")
        set_items(low, container, {**entries(low, container), constant[0]: value})
        return
    if not isinstance(container, List):
        low.refuse_syntax(f"assigning to an item of {describe(container)}", "a list, or an array: x = np.zeros(n)")
    contents = held(low, container)
    if isinstance(contents, Tuple) and constant is not None:
        if _may_be_longer(low, container, contents, constant[0]):
            _not_yet(low, container, "list assignment index out of range")
            return
        new = list(contents.items)
        _found(low, new, constant[0])
        new[constant[0]] = value  # type: ignore[index]
        set_items(low, container, new)
        return
    if isinstance(contents, Tuple):
        common = common_item(low, [*contents.items, value])
        if common is None:
            needs_constant(
                low,
                "an item is assigned at an index that is not constant, in a list of items that differ in kind",
                "items of one kind, or an index that is constant",
            )
        contents = grown(low, contents, common)
    low.change(container.identity, put_at(low, contents, _index(low, contents, key), value))


def set_part(low: Lowering, container: Value, bounds: tuple[Value | None, ...], value: Value) -> None:
    """`container[start:stop:step] = value`."""
    if not isinstance(container, List) or not isinstance(contents := held(low, container), Tuple):
        low.refuse_syntax(f"assigning to a slice of {describe(container)}", "a NumPy array, x = np.zeros(n)")
    from .statements import items_of

    new = list(contents.items)
    try:
        new[_slice(low, container, bounds)] = items_of(low, value)
    except ValueError as error:
        low.refuse_syntax(f"ValueError: {error}", "as many items as the slice has")
    set_items(low, container, new)


def delete_item(low: Lowering, container: Value, key: Value) -> None:
    """`del container[key]`."""
    constant = plain(key)
    if constant is None:
        needs_constant(low, f"deleting an item of {describe(container)} at a place that is not constant", "a new list")
    if isinstance(container, Dict):
        remaining = dict(entries(low, container))
        _found(low, remaining, constant[0])
        del remaining[constant[0]]
        set_items(low, container, remaining)
        return
    if not isinstance(container, List):
        low.refuse_syntax(f"deleting an item of {describe(container)}", "a list or dict without it")
    new = items(low, container)
    _found(low, new, constant[0])
    del new[constant[0]]  # type: ignore[arg-type]
    set_items(low, container, new)


def append(low: Lowering, container: List, value: Value) -> None:
    """`container.append(value)`."""
    contents = held(low, container)
    if isinstance(contents, Tuple):
        set_items(low, container, (*contents.items, value))
        return
    resizing(low, container)
    low.change(container.identity, appended(low, contents, value))


def pop_item(low: Lowering, container: List, key: Value) -> Value:
    """`container.pop(key)`."""
    contents = held(low, container)
    constant = plain(key)
    if isinstance(contents, Growing):
        if constant != (-1,):
            low.refuse_syntax("a list of run-time length gives back its last item only", "x.pop()")
        low.check(low.b.gt(contents.length.atom, 0), "IndexError", "pop from empty list")
        resizing(low, container)
        left, value = popped(low, contents)
        low.change(container.identity, left)
        return value
    if constant is None:
        needs_constant(low, "pop at an index that is not constant", "x.pop()")
    new = list(contents.items)
    if _may_be_longer(low, container, contents, constant[0]):
        return _not_yet(low, container, "pop index out of range" if new else "pop from empty list")
    try:
        value = new.pop(constant[0])  # type: ignore[arg-type]
    except (IndexError, TypeError) as error:
        low.refuse_syntax(f"{type(error).__name__}: {error}", "an item that exists")
    set_items(low, container, new)
    return value

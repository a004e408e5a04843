"""What a value leads to: buffers, lists, dicts and objects, each with the place where it is, as the user writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .classes import is_structured
from .memory import Memory
from .values import (
    Array,
    Buffer,
    Cell,
    Derived,
    Dict,
    Fields,
    Growing,
    Identity,
    Iteration,
    List,
    LocalFunction,
    Maybe,
    Partial,
    Record,
    Snapshot,
    Tuple,
)

__all__ = ["place", "reach"]

Reached = tuple[str, Buffer | Identity]


def reach(memory: Memory, value: Any, name: str = "", seen: frozenset[Any] = frozenset()) -> Iterator[Reached]:
    """Every buffer and identity that the value leads to, with its place, e.g. `state.x` or `p[0]`."""
    if isinstance(value, Array):
        yield name, value.buffer
    elif isinstance(value, List | Dict | Record | Cell):
        if value.identity not in seen:
            yield name, value.identity
            contents = memory.contents(value.identity)
            yield from _inside(memory, value, contents, name, seen | {value.identity})
    elif isinstance(value, Snapshot):
        yield from _inside(memory, value.reference, value.contents, name, seen)
    elif isinstance(value, Iteration):
        for each in value.over:
            yield each.name, each
    elif isinstance(value, Derived | Maybe):
        yield from reach(memory, value.function if isinstance(value, Derived) else value.value, name, seen)
    elif isinstance(value, Partial):
        for part in (value.function, *value.arguments, *value.keywords.values()):
            yield from reach(memory, part, name, seen)
    elif isinstance(value, LocalFunction):
        if value.frame not in seen:
            for inner, item in list(value.frame.names.items()):
                yield from reach(memory, item, inner, seen | {value.frame})
    else:
        yield from _inside(memory, value, value, name, seen)


def _inside(memory: Memory, owner: Any, contents: Any, name: str, seen: frozenset[Any]) -> Iterator[Reached]:
    if isinstance(contents, Tuple):
        for key, item in enumerate(contents.items):
            yield from reach(memory, item, place(owner, name, key), seen)
    elif isinstance(contents, Fields):
        for key, item in contents.items.items():
            yield from reach(memory, item, place(owner, name, key), seen)
    elif isinstance(contents, Growing):
        for store in contents.stores:
            yield name, store.buffer


def place(owner: Any, name: str, key: Any) -> str:
    """An item as the user writes it."""
    if isinstance(owner, Cell):
        return name
    if isinstance(owner, Record) and not is_structured(owner):
        return f"{name}.{key}"
    fields = getattr(owner.kind, "_fields", ()) if isinstance(owner, Tuple) else ()
    return f"{name}.{fields[key]}" if fields else f"{name}[{key!r}]"

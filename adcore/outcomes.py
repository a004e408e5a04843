"""What a call leaves behind: results in their structure, and the caller's lists, dicts and objects as changed.

A list whose length is known at run time comes as `Rows`: a number of items, and for each number or array of an item
one array with a row for every item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .errors import AliasError, refuse
from .plugins import Attribute, Change, Given, Leaf, Lowered, Made, New, Rows, Static
from .structured import Structured, assembled
from .trees import flatten, is_namedtuple, leaves, map_nodes

__all__ = ["apply_changes", "lists_of", "rebuilt", "stacked", "tangents"]

Fill = Callable[[int], Any]


def rebuilt(result: Any, values: Sequence[Any] | Mapping[int, Any]) -> Any:
    """A result structure with its leaves filled in."""
    return _filled(result, lambda k: values[k])


def _filled(structure: Any, fill: Fill) -> Any:
    def put(node: Any) -> Any:
        if isinstance(node, Leaf):
            return fill(node.index)
        if isinstance(node, Rows):
            return _items(node, fill)
        if isinstance(node, Structured):
            return assembled(node, put)
        return node.value if isinstance(node, Static) else node

    return map_nodes(put, structure, (Rows, Structured))


def _items(rows: Rows, fill: Fill) -> list[Any]:
    if isinstance(rows.item, Leaf):
        found = fill(rows.item.index)
        return found.tolist() if found.ndim == 1 else [row.copy() for row in found]
    return [_filled(rows.item, lambda i, k=k: _row(fill(i), k)) for k in range(fill(rows.length.index))]


def _row(array: np.ndarray, k: int) -> Any:
    return array[k].item() if array.ndim == 1 else array[k].copy()


# Tangents and cotangents


def tangents(result: Any, place: dict[int, Leaf]) -> Any:
    """The structure of a result's tangents: lists as long as the result's, None for what has no tangent."""

    def tangent(node: Any) -> Any:
        if isinstance(node, Rows):
            return Rows(node.length, tangents(node.item, place))
        return place.get(node.index, Static(None)) if isinstance(node, Leaf) else Static(None)

    return map_nodes(tangent, result, Rows)


def lists_of(result: Any) -> tuple[Leaf, ...]:
    """The results that lists of run-time length are made of."""
    found: list[Leaf] = []

    def note(node: Any) -> None:
        if isinstance(node, Rows):
            found.extend(leaf for leaf in leaves(node) if isinstance(leaf, Leaf))

    map_nodes(note, result, Rows)
    return tuple(found)


def stacked(result: Any, given: Iterator[Any], lists: Mapping[int, Any]) -> list[Any]:
    """One cotangent for each of a structure's leaves, and for each array of rows that a list is made of.

    Args:
        result: the structure.
        given: the cotangents of all leaves of what it was filled to, None where there is none, in order.
        lists: the values of the results of `lists_of`, by index.
    """
    found: list[Any] = []

    def take(node: Any) -> None:
        if not isinstance(node, Rows):
            found.append(next(given))
            return
        places = leaves(node.item)
        items = [[next(given) for _ in places] for _ in range(lists[node.length.index])]
        found.append(None)
        for k, place in enumerate(places):
            rows = lists[place.index] if isinstance(place, Leaf) else None
            if rows is None or not np.issubdtype(rows.dtype, np.inexact):
                found.append(None)
            else:
                found.append(np.array([item[k] for item in items], rows.dtype).reshape(rows.shape))

    map_nodes(take, result, Rows)
    return found


# Changes


def apply_changes(lowered: Lowered, arguments: Sequence[Any], values: Sequence[Any]) -> None:
    """Give the caller's lists, dicts and objects what the function leaves in them."""
    outcome = _Outcome(lowered.made, arguments, values)
    pending: list[tuple[Any, Any]] = []
    for change in lowered.changes:
        if change.contents is not None:
            target, contents = at(arguments, change.place), outcome.inside(change.contents)
            if isinstance(change.contents, Rows):
                keep(target, contents, change)
            pending.append((target, contents))
    for target, contents in pending:
        put(target, contents)


def keep(items: list[Any], after: list[Any], change: Change) -> None:
    """Leave the items of a list that are equal to those there before what they are.

    Raises:
        AliasError: another item is something that can be changed, so that it matters which one it is.
    """
    for k in range(min(len(items), len(after))):
        if is_equal(items[k], after[k]):
            after[k] = items[k]
        elif not isinstance(items[k], float | int | np.generic):
            refuse(
                AliasError,
                f"an item of {change.name!r}, a list of the caller's, is changed or moved to another place, and it is "
                f"a {type(items[k]).__name__}",
                change.source,
                "a new list that is returned",
            )


def is_equal(one: Any, other: Any) -> bool:
    """Whether two things consist of the same numbers, to the bit."""
    ours, theirs = flatten(one), flatten(other)
    return ours[1] == theirs[1] and all(
        np.shape(a) == np.shape(c) and (a is c or np.asarray(a).tobytes() == np.asarray(c).tobytes())
        for a, c in zip(ours[0], theirs[0], strict=True)
    )


def at(arguments: Sequence[Any], place: tuple[Any, ...]) -> Any:
    """What is at a place of the arguments."""
    found: Any = arguments
    for step in place:
        found = getattr(found, step.name) if isinstance(step, Attribute) else found[step]
    return found


def put(target: Any, contents: Any) -> None:
    """Change a list, dict or object to hold this."""
    if isinstance(target, list):
        target[:] = contents
    elif isinstance(target, dict):
        if list(target) != list(contents):
            target.clear()
        target.update(contents)
    else:
        for name, value in contents.items():
            object.__setattr__(target, name, value)


class _Outcome:
    """The things that changes speak of; each that is made is made once."""

    def __init__(self, new: Sequence[New], arguments: Sequence[Any], values: Sequence[Any]) -> None:
        self.new = new
        self.arguments = arguments
        self.values = values
        self.made: dict[int, Any] = {}

    def inside(self, contents: Any) -> Any:
        """The items of a list, or the entries of a dict or an object."""
        if isinstance(contents, Rows):
            return rebuilt(contents, self.values)
        if isinstance(contents, dict):
            return {key: self.thing(part) for key, part in contents.items()}
        return [self.thing(part) for part in contents]

    def thing(self, structure: Any) -> Any:
        if isinstance(structure, Leaf):
            return self.values[structure.index]
        if isinstance(structure, Static):
            return structure.value
        if isinstance(structure, Given):
            return self.given(structure)
        if isinstance(structure, Made):
            return self.object(structure.index)
        parts = [self.thing(part) for part in structure]
        return type(structure)(*parts) if is_namedtuple(structure) else tuple(parts)

    def given(self, structure: Given) -> Any:
        before = at(self.arguments, structure.place)
        if structure.otherwise is None:
            return before
        after = self.values[structure.otherwise.index]
        return before if before.shape == after.shape and before.tobytes() == after.tobytes() else after

    def object(self, index: int) -> Any:
        if index not in self.made:
            new = self.new[index]
            made = self.made[index] = object.__new__(new.kind) if new.kind not in (list, dict) else new.kind()
            put(made, self.inside(new.contents))
        return self.made[index]

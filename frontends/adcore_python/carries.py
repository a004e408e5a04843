"""Values taken apart into numbers and arrays, and put together again, where loops carry them and paths meet.

A value is a tree.  Lists, dicts and objects in it are references, which stay what they are; where what a reference
leads to has to be taken apart as well, it is replaced by a snapshot of its contents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adcore.types import DType, literal

from .memory import Memory
from .values import (
    Array,
    Cell,
    Dict,
    Fields,
    Growing,
    Identity,
    List,
    Maybe,
    Range,
    Record,
    Reference,
    Scalar,
    Snapshot,
    Static,
    Tuple,
    Value,
)

__all__ = [
    "Key",
    "Path",
    "Plan",
    "alike",
    "comparable",
    "differences",
    "leaves",
    "parts",
    "rebuilt",
    "same_constant",
    "same_kind",
    "snapshot",
    "snapshots",
    "with_identity",
    "with_parts",
]

Path = tuple[Any, ...]
Key = tuple[Any, Path]
BOUND = "is bound"  # the step of a path to the flag of a value that may be missing


@dataclass(slots=True)
class Plan:
    """What the carries of a loop were found to need, beyond what they are on entry.

    A carry is a name, or a list, dict or object that the body changes.

    Attributes:
        dtypes: dtypes of leaves that the body raises.
        numpy: numbers that the body makes NumPy's.
        lengths: axes of arrays whose length changes.
        unsteady: integers that the body changes by more than small constants.
        maybe: names that the body may leave unbound.
        absent: names unbound on entry that the body reads, with a value of the kind that it gives them.
        varying: places in lists, dicts and objects that the body leaves with something else.
        growing: lists that the body makes longer, with an item like those that it puts there.
        regular: of these, how many items each iteration appends, where that is known.
        lost: places that are of another kind at the end of the body, and what to say where they are read.
    """

    dtypes: dict[Key, DType] = field(default_factory=dict)
    numpy: set[Key] = field(default_factory=set)
    lengths: dict[Key, set[int]] = field(default_factory=dict)
    unsteady: set[Key] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    absent: dict[str, Value] = field(default_factory=dict)
    varying: dict[Any, set[Path]] = field(default_factory=dict)
    growing: dict[Key, Value] = field(default_factory=dict)
    regular: dict[Key, int] = field(default_factory=dict)
    lost: dict[Key, str] = field(default_factory=dict)


def parts(value: Value) -> list[tuple[Any, Value]]:
    """What a value is made of directly, each with the step that leads to it."""
    if isinstance(value, Tuple):
        return list(enumerate(value.items))
    if isinstance(value, Fields):
        return list(value.items.items())
    if isinstance(value, Range):
        return [("start", value.start), ("stop", value.stop), ("step", value.step)]
    if isinstance(value, Growing):
        return [("length", value.length), *enumerate(value.stores)]
    if isinstance(value, Snapshot):
        return [("contents", value.contents)]
    return []


def with_parts(value: Value, new: Sequence[Any]) -> Any:
    """The value made of other parts."""
    if isinstance(value, Tuple):
        return Tuple(tuple(new), value.kind)
    if isinstance(value, Fields):
        return Fields(dict(zip(value.items, new, strict=True)))
    if isinstance(value, Range):
        return Range(*new)
    if isinstance(value, Growing):
        return Growing(new[0], value.item, tuple(new[1:]))
    if isinstance(value, Snapshot):
        return Snapshot(value.reference, new[0])
    return value


def leaves(value: Value, path: Path = ()) -> Iterator[tuple[Path, Scalar | Array]]:
    """The numbers and arrays in a value, in order, each with its place."""
    if isinstance(value, Scalar | Array):
        yield path, value
    elif isinstance(value, Maybe):
        yield (*path, BOUND), Scalar(value.defined, True)
        yield from leaves(value.value, path)
    else:
        for step, part in parts(value):
            yield from leaves(part, (*path, step))


def snapshots(value: Value, path: Path = ()) -> Iterator[tuple[Path, Snapshot]]:
    """The snapshots in a value, each with its place."""
    if isinstance(value, Snapshot):
        yield path, value
    if isinstance(value, Maybe):
        yield from snapshots(value.value, path)
    for step, part in parts(value):
        yield from snapshots(part, (*path, step))


def rebuilt(
    value: Value, new: Mapping[Path, Any], remake: Callable[[Path, Snapshot, Any], Any], path: Path = ()
) -> Any:
    """The value with other numbers and arrays at some places; `remake` makes of a snapshot what takes its place."""
    if isinstance(value, Maybe):
        flag = new.get((*path, BOUND))
        inner = rebuilt(value.value, new, remake, path)
        return Maybe(inner, value.defined if flag is None else flag.atom)
    if path in new:
        return new[path]
    pieces = parts(value)
    if not pieces:
        return value if not isinstance(value, Snapshot) else remake(path, value, value.contents)
    again = with_parts(value, [rebuilt(part, new, remake, (*path, step)) for step, part in pieces])
    return remake(path, again, again.contents) if isinstance(again, Snapshot) else again


def with_identity(reference: Reference, identity: Identity) -> Reference:
    """A reference of the same kind to something else."""
    return Record(identity, reference.kind) if isinstance(reference, Record) else type(reference)(identity)


def snapshot(memory: Memory, value: Value, where: Callable[[Path], bool], path: Path = (), depth: int = 0) -> Value:
    """The value with the references at some places replaced by snapshots of what they lead to now."""
    if isinstance(value, Maybe):
        return Maybe(snapshot(memory, value.value, where, path, depth), value.defined)
    if isinstance(value, List | Dict | Record | Cell):
        if not where(path) or depth > 20:
            return value
        contents: Any = memory.contents(value.identity)
        return Snapshot(value, snapshot(memory, contents, where, (*path, "contents"), depth + 1))
    pieces = parts(value)
    if not pieces or isinstance(value, Growing):
        return value
    return with_parts(value, [snapshot(memory, part, where, (*path, step), depth) for step, part in pieces])


def same_constant(left: Any, right: Any) -> bool:
    """Whether two constants need no telling apart."""
    return left is right or (type(left) is type(right) and isinstance(left, str | bytes) and left == right)


def alike(one: Value, other: Value) -> bool:
    """Whether two values that are not numbers, arrays or references have parts that correspond."""
    if isinstance(one, Tuple) and isinstance(other, Tuple):
        return len(one.items) == len(other.items) and one.kind is other.kind
    if isinstance(one, Fields) and isinstance(other, Fields):
        return list(one.items) == list(other.items)
    if isinstance(one, Growing) and isinstance(other, Growing):
        return comparable(one.item, other.item)
    if isinstance(one, Snapshot) and isinstance(other, Snapshot):
        return same_kind(one.reference, other.reference)
    return isinstance(one, Range) and isinstance(other, Range)


def same_kind(one: Reference, other: Reference) -> bool:
    """Whether two references lead to things of one class."""
    return type(one) is type(other) and getattr(one, "kind", None) is getattr(other, "kind", None)


def comparable(one: Value, other: Value) -> bool:
    """Whether two items of lists differ in their numbers and arrays only."""
    if isinstance(one, Scalar) or isinstance(other, Scalar):
        return isinstance(one, Scalar) and isinstance(other, Scalar)
    if isinstance(one, Array) or isinstance(other, Array):
        return isinstance(one, Array) and isinstance(other, Array) and one.rank == other.rank
    if isinstance(one, Static) and isinstance(other, Static):
        return same_constant(one.value, other.value)
    if not alike(one, other):
        return False
    return all(comparable(a, c) for (_, a), (_, c) in zip(parts(one), parts(other), strict=True))


def differences(one: Value, other: Value, path: Path = ()) -> Iterator[tuple[Path, Value, Value]]:
    """The places where two values are not the same, with what they are there."""
    if isinstance(one, Maybe):
        other = other if isinstance(other, Maybe) else Maybe(other, literal(True))
        if one.defined != other.defined:
            yield (*path, BOUND), Scalar(one.defined, True), Scalar(other.defined, True)
        yield from differences(one.value, other.value, path)
        return
    if one is other or _same_leaf(one, other):
        return
    if not alike(one, other):
        yield path, one, other
        return
    if isinstance(one, Growing) and isinstance(other, Growing) and _python(one) != _python(other):
        yield (*path, "item"), one, other
    for (step, a), (_, c) in zip(parts(one), parts(other), strict=True):
        yield from differences(a, c, (*path, step))


def _python(value: Growing) -> list[bool]:
    return [isinstance(leaf, Scalar) and leaf.python for _, leaf in leaves(value.item)]


def _same_leaf(one: Value, other: Value) -> bool:
    if isinstance(one, Static) and isinstance(other, Static):
        return same_constant(one.value, other.value)
    return isinstance(one, Scalar | Array | List | Dict | Record | Cell) and one == other

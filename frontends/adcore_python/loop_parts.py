"""The parts of a loop under construction: what it runs, and what it carries."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adcore.types import Atom, Var

from .carries import Key, Path, parts, with_parts
from .values import (
    Array,
    Buffer,
    Cell,
    Dict,
    Growing,
    Identity,
    List,
    Maybe,
    Record,
    Scalar,
    Snapshot,
)

__all__ = ["Carried", "Leaf", "Loop", "Moved", "alike_leaves", "holds_list", "only_numbers", "place_in", "replaced"]


@dataclass(slots=True, eq=False)
class Loop:
    """A loop to lower.

    Attributes:
        node, body: the statement and its body.
        before: names live where the body begins.
        around: names live where the body ends.
        after: names live after the loop.
        start: binds the loop's targets, given the counter.
        trips: the trip count, for a loop whose number is known when it begins.
        test: the condition to go on, for one whose number is not.
        hidden: names that say how and with what the loop is left.
    """

    node: ast.stmt
    body: Sequence[ast.stmt]
    before: frozenset[str]
    around: frozenset[str]
    after: frozenset[str]
    start: Callable[[Any], None] = lambda _: None
    trips: Atom | None = None
    test: Callable[[], Atom] | None = None
    hidden: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Moved:
    """What a loop rebinds: a buffer or identity outside, what stands for it inside, and what the body leaves."""

    entry: Any
    buffer: Any
    exit: Any = None


@dataclass(slots=True, eq=False)
class Leaf:
    """A number or array that a loop carries: its value outside, its parameter inside, the lengths carried with it."""

    path: Path
    key: Key
    init: Atom
    param: Var
    python: bool
    entry: Buffer | None = None
    moved: Moved | None = None
    lengths: dict[int, Var] = field(default_factory=dict)
    result: Atom | None = None
    ends: dict[int, Atom] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Carried:
    """A name, or a list, dict or object, that a loop carries: its value or contents on entry, and its leaves."""

    name: Any
    value: Any
    leaves: list[Leaf]
    identity: Identity | None = None
    snapshots: dict[Path, Moved] = field(default_factory=dict)
    inside: Any = None

    @property
    def moved(self) -> list[Moved]:
        return [*(leaf.moved for leaf in self.leaves if leaf.moved is not None), *self.snapshots.values()]

    def needed(self, loop: Loop) -> bool:
        """Whether the body may read it."""
        return self.identity is not None or self.name in loop.before

    def spoken(self) -> str:
        return self.name if self.identity is None else self.identity.name


def place_in(value: Any, path: Path) -> Any:
    """What is at a place of a value."""
    while isinstance(value, Maybe):
        value = value.value
    for step in path:
        value = dict(parts(value))[step]
    return value


def replaced(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The value with something else at a place, where it has that place."""
    if isinstance(value, Maybe):
        return Maybe(replaced(value.value, path, change), value.defined)
    if not path:
        return change(value)
    return with_parts(
        value, [replaced(part, path[1:], change) if step == path[0] else part for step, part in parts(value)]
    )


def alike_leaves(one: Any, other: Any) -> bool:
    """Whether both are numbers, or arrays of one rank."""
    if isinstance(one, Array) and isinstance(other, Array):
        return one.rank == other.rank
    return isinstance(one, Scalar) and isinstance(other, Scalar)


def holds_list(carried: Carried, path: Path) -> bool:
    """Whether a place holds the contents of a list, rather than a tuple."""
    if not path:
        return carried.identity is not None
    owner = place_in(carried.value, path[:-1])
    return isinstance(owner, Snapshot) and isinstance(owner.reference, List)


def only_numbers(value: Any) -> bool:
    if isinstance(value, Maybe):
        return only_numbers(value.value)
    if isinstance(value, Array | List | Dict | Record | Cell | Growing):
        return False
    return all(only_numbers(part) for _, part in parts(value))

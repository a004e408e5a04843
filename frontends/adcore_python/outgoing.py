"""What leaves a function: its result, and what it leaves in the lists, dicts and objects of its caller."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from adcore import plugins
from adcore.errors import AdcoreError, AliasError, UnsupportedFunctionError
from adcore.trees import instance
from adcore.types import Atom

from .classes import is_stated, is_structured
from .containers import entries, held, maybe_items
from .growing import rows
from .operators import describe
from .reach import reach
from .records import attributes, field_names
from .structured_arrays import apart
from .values import (
    Array,
    Contents,
    Dict,
    Fields,
    Growing,
    Identity,
    List,
    Maybe,
    Poison,
    Record,
    Reference,
    Scalar,
    Snapshot,
    Static,
    Tuple,
    Value,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Outgoing", "fields_of"]

Place = tuple[Any, ...]


class Outgoing:
    """Structures of what leaves the function.

    Attributes:
        results: the numbers and arrays in them.
        made: the lists, dicts and objects that the function makes and leaves in those of its caller.
    """

    def __init__(self, low: Lowering) -> None:
        self.low = low
        self.results: list[Atom] = []
        self.made: list[plugins.New] = []
        self.objects: dict[Identity, plugins.Made] = {}
        self.arrays: dict[Array, plugins.Leaf | plugins.Given] = {}
        self.stores: list[Any] = []

    # The result

    def leaf(self, value: Scalar | Array) -> plugins.Leaf:
        self.results.append(self.low.atom(value))
        return plugins.Leaf(len(self.results) - 1)

    def result(self, value: Value) -> Any:
        """The structure of a result."""
        low = self.low
        if isinstance(value, Scalar | Array):
            return self.leaf(value)
        if isinstance(value, Tuple):
            return rebuilt(value, [self.result(v) for v in value.items])
        if isinstance(value, List):
            found = maybe_items(low, value)
            return self.rows(held(low, value)) if found is None else [self.result(v) for v in found]
        if isinstance(value, Dict):
            return {k: self.result(v) for k, v in entries(low, value).items()}
        if isinstance(value, Record) and is_structured(value):
            return apart(low, value, self.leaf, only_numbers=True)
        if isinstance(value, Record) and not is_stated(value):
            self.leaves(value)
            return instance(value.kind, [(k, self.result(v)) for k, v in fields_of(low, value).items()])
        if isinstance(value, Static):
            return plugins.Static(value.value)
        return low.refuse(
            UnsupportedFunctionError, f"the function returns {describe(value)}", "numbers, arrays, tuples of them"
        )

    def rows(self, contents: Any) -> plugins.Rows:
        """A list whose length is known at run time."""
        length = self.leaf(contents.length)
        stores = iter([self.leaf(rows_in_use) for rows_in_use in rows(self.low, contents)])
        return plugins.Rows(length, self.row(contents.item, stores))

    def row(self, item: Any, stores: Iterator[plugins.Leaf]) -> Any:
        """The structure of an item, its numbers and arrays those of the stores."""
        if isinstance(item, Scalar | Array):
            return next(stores)
        if isinstance(item, Tuple):
            return rebuilt(item, [self.row(v, stores) for v in item.items])
        if isinstance(item, Static):
            return plugins.Static(item.value)
        contents = item.contents if isinstance(item, Snapshot) else None
        if isinstance(contents, Tuple):
            return [self.row(v, stores) for v in contents.items]
        if isinstance(contents, Fields):
            fields, made = {k: self.row(v, stores) for k, v in contents.items.items()}, item.reference
            if not isinstance(made, Record):
                return fields
            self.leaves(made)
            return instance(_dataclass(self.low, made), fields.items())
        what = "lists whose lengths are known" if isinstance(contents, Growing) else describe(item)
        return self.low.refuse(
            UnsupportedFunctionError,
            f"a list whose length is known at run time only leaves the function, and its items are {what}"
            + (" at run time only" if isinstance(contents, Growing) else ""),
            "a list of numbers, arrays, or tuples of them",
        )

    def leaves(self, value: Value) -> None:
        """Refuse a random generator as something that leaves the function."""
        if isinstance(value, Record) and issubclass(value.kind, plugins.Stateful):
            self.low.refuse(
                UnsupportedFunctionError,
                "a random generator that leaves the function",
                "the generator that the caller has already, or numbers drawn from it",
            )

    # Changes of what the caller has

    def changes(self) -> tuple[tuple[plugins.Change, ...], tuple[plugins.New, ...]]:
        """The caller's lists, dicts and objects that hold something else now, and what was made for them."""
        low, found = self.low, []
        for lent, before in low.lent_objects:
            identity = lent.identity
            if low.memory.contents(identity) is before and identity not in low.memory.doubtful:
                continue
            source = low.memory.doubtful.get(identity) or low.memory.root.written.get(identity) or low.source
            place = low.places[identity]
            contents, problem = None, None
            with low.b.at(source):
                try:
                    contents = self.after(lent, before, place)
                except AdcoreError as error:
                    problem = error  # for those who see the change
            found.append(plugins.Change(identity.name, source, place, contents, problem))
        return tuple(found), tuple(self.made)

    def after(self, lent: Reference, before: Contents, place: Place) -> Any:
        """What a list, dict or object of the caller's holds at the end."""
        low, identity = self.low, lent.identity
        if identity in low.memory.doubtful:
            name = identity.name
            low.refuse(
                AliasError,
                f"this changes what may or may not be the caller's {name!r}",
                f"a copy at the beginning, e.g. `{name} = copy.copy({name})`",
            )
        now = low.memory.contents(identity)
        if isinstance(now, Growing) and isinstance(before, Tuple):
            items = {each for item in before.items for _, each in reach(low.memory, item)}
            return dataclasses.replace(self.inside(now, place, items), given=len(before.items))
        if isinstance(lent, Record) and isinstance(before, Fields) and isinstance(now, Fields):
            changed = {k: v for k, v in now.items.items() if before.items.get(k) is not v}
            return {k: self.thing(v, (*place, plugins.Attribute(k))) for k, v in changed.items()}
        return self.inside(now, place)

    def inside(self, contents: Contents, place: Place, before: AbstractSet[Any] = frozenset()) -> Any:
        """The structure of what a list, dict or object holds; `before` is what it held that can be changed."""
        if isinstance(contents, Poison):
            self.low.refuse(UnsupportedFunctionError, contents.cause, contents.write)
        if isinstance(contents, Fields):
            return {k: self.thing(v, (*place, k)) for k, v in contents.items.items()}
        if isinstance(contents, Tuple):
            return [self.thing(v, (*place, k)) for k, v in enumerate(contents.items)]
        if isinstance(contents, Growing) and not _of_numbers(contents.item):
            for store in contents.stores:
                self.own(store.buffer, (), before)
        return self.rows(contents)

    def thing(self, value: Value, place: Place) -> Any:
        """The structure of what is left at a place: what the caller has already, or something new."""
        low = self.low
        if isinstance(value, Scalar):
            known = low.places.get(value.atom)
            return self.leaf(value) if known is None else plugins.Given(known)
        if isinstance(value, Array):
            return self.array(value, place)
        if isinstance(value, Tuple):
            return rebuilt(value, [self.thing(v, (*place, k)) for k, v in enumerate(value.items)])
        if isinstance(value, List | Dict | Record):
            return self.object(value)
        if isinstance(value, Static):
            return plugins.Static(value.value)
        if isinstance(value, Poison):
            low.refuse(UnsupportedFunctionError, value.cause, value.write)
        what = describe(value.value if isinstance(value, Maybe) else value)
        return low.refuse(
            UnsupportedFunctionError,
            f"this leaves {what} in what the caller has",
            "numbers, arrays, and lists, dicts and objects of them",
        )

    def array(self, value: Array, place: Place) -> Any:
        """The caller's array itself, or a new one."""
        low = self.low
        if value.buffer in low.places and not value.views:
            return plugins.Given(low.places[value.buffer])
        if value not in self.arrays:
            may_be_there = self.own(value.buffer, place)
            leaf = self.leaf(value)
            self.arrays[value] = plugins.Given(place, leaf) if may_be_there else leaf
        return self.arrays[value]

    def own(self, buffer: Any, place: Place, before: AbstractSet[Any] = frozenset()) -> bool:
        """Require that a buffer shares memory with nothing else that the caller sees.

        Gives whether it may be what the caller has at this place.
        """
        low, same = self.low, False
        for other in {buffer, *low.memory.marks.get(buffer, ())} - before:
            if other is not buffer and low.places.get(other) == place:
                same = True
            elif other in low.places or getattr(other, "captured", False) or other in self.stores:
                low.refuse(
                    AliasError,
                    f"what this leaves in what the caller has shares memory, or may, with {other.name or 'an array'!r}",
                    "a copy, x.copy()",
                )
        self.stores.append(buffer)
        return same

    def object(self, value: List | Dict | Record) -> Any:
        """The caller's list, dict or object itself, or one that was made."""
        low, identity = self.low, value.identity
        if identity in low.places:
            return plugins.Given(low.places[identity])
        if is_structured(value):
            cause = f"this leaves {describe(value)} that the function makes in what the caller has"
            low.refuse(UnsupportedFunctionError, cause, "its fields, x['name'], or the array as a result")
        if identity not in self.objects:
            for other in low.memory.marks.get(identity, ()):
                if other in low.places or other in self.objects:
                    low.refuse(
                        AliasError,
                        f"what this leaves in what the caller has may or may not be {other.name or 'another'!r}",
                        "a copy, copy.copy(x)",
                    )
            kind = value.kind if isinstance(value, Record) else list if isinstance(value, List) else dict
            self.leaves(value)
            self.objects[identity] = plugins.Made(len(self.made))
            self.made.append(plugins.New(kind, ()))
            contents = self.inside(low.memory.contents(identity), ())
            self.made[self.objects[identity].index] = plugins.New(kind, contents)
        return self.objects[identity]


def rebuilt(value: Tuple, parts: list[Any]) -> Any:
    """A tuple, or a NamedTuple, of these."""
    return value.kind(*parts) if hasattr(value.kind, "_fields") else tuple(parts)


def _of_numbers(item: Value) -> bool:
    """Whether an item holds nothing that could be changed."""
    if isinstance(item, Tuple):
        return all(_of_numbers(v) for v in item.items)
    return isinstance(item, Scalar | Static)


def _dataclass(low: Lowering, value: Record) -> type:
    """The class of an object that leaves the function."""
    if not dataclasses.is_dataclass(value.kind):
        low.refuse(
            UnsupportedFunctionError,
            f"{describe(value)}, which is not a dataclass, as a result of the function",
            "a dataclass, or a tuple of its attributes",
        )
    return value.kind


def fields_of(low: Lowering, value: Record) -> dict[str, Value]:
    """The fields of a dataclass that leaves the function."""
    kind = _dataclass(low, value)
    known, names = attributes(low, value), field_names(kind)
    other = [n for n in known if n not in names and not hasattr(kind, n)]
    missing = [n for n in names if n not in known]
    if other or missing:
        problem = f"attribute {other[0]!r}, which is no field" if other else f"no value for field {missing[0]!r}"
        low.refuse(
            UnsupportedFunctionError, f"the function returns {describe(value)} with {problem}", "its fields only"
        )
    return {n: known[n] for n in names}

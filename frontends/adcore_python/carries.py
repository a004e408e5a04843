"""Values taken apart into numbers and arrays, and put together again, for loops that carry them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adcore.types import DType

from .values import Array, Dict, List, Maybe, Range, Scalar, Static, Tuple, Value

__all__ = ["Plan", "leaves", "rebuilt", "structure"]

Key = tuple[str, int]


@dataclass(slots=True)
class Plan:
    """What the carries of a loop were found to need, beyond what they are on entry.

    Attributes:
        dtypes: dtypes of leaves that the body raises.
        numpy: numbers that the body makes NumPy's.
        lengths: axes of arrays whose length changes.
        unsteady: integers that the body changes by more than small constants.
        maybe: names that the body may leave unbound.
        absent: names unbound on entry that the body reads, with a value of the kind that it gives them.
    """

    dtypes: dict[Key, DType] = field(default_factory=dict)
    numpy: set[Key] = field(default_factory=set)
    lengths: dict[Key, set[int]] = field(default_factory=dict)
    unsteady: set[Key] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    absent: dict[str, Value] = field(default_factory=dict)


def leaves(value: Value) -> Iterator[Scalar | Array]:
    """The numbers and arrays in a value, in order."""
    if isinstance(value, Scalar | Array):
        yield value
    elif isinstance(value, Tuple | List):
        for item in value.items:
            yield from leaves(item)
    elif isinstance(value, Dict):
        for item in value.items.values():
            yield from leaves(item)
    elif isinstance(value, Range):
        yield from (value.start, value.stop, value.step)
    elif isinstance(value, Maybe):
        yield Scalar(value.defined, True)
        yield from leaves(value.value)


def rebuilt(value: Value, new: Iterator[Any], scope: Any) -> Value:
    """The value with other leaves."""
    if isinstance(value, Scalar | Array):
        return next(new)
    if isinstance(value, Tuple):
        return Tuple(tuple(rebuilt(i, new, scope) for i in value.items), value.kind)
    if isinstance(value, List):
        return List([rebuilt(i, new, scope) for i in value.items], scope)
    if isinstance(value, Dict):
        return Dict({k: rebuilt(v, new, scope) for k, v in value.items.items()}, scope)
    if isinstance(value, Range):
        return Range(next(new), next(new), next(new))
    if isinstance(value, Maybe):
        defined = next(new).atom
        return Maybe(rebuilt(value.value, new, scope), defined)
    return value


def structure(value: Value) -> Any:
    """What must stay the same from one iteration to the next."""
    if isinstance(value, Scalar):
        return "a number"
    if isinstance(value, Array):
        return f"an array of rank {value.rank}"
    if isinstance(value, Tuple):
        return (value.kind, *map(structure, value.items))
    if isinstance(value, List):
        return (list, *map(structure, value.items))
    if isinstance(value, Dict):
        return (dict, *((k, structure(v)) for k, v in value.items.items()))
    if isinstance(value, Range):
        return "a range"
    if isinstance(value, Maybe):
        return ("maybe", structure(value.value))
    if isinstance(value, Static):
        return value.value if isinstance(value.value, str) else id(value.value)
    return id(value)

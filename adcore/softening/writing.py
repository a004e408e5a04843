"""Branches that write into one array at one place: so that only what is written there need be blended."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from ..program import Equation, regions
from ..types import Atom, Var
from .marking import Marks

__all__ = ["Write", "common_write"]


@dataclass(frozen=True)
class Write:
    """A result of a branch that is an array from outside of it, written into at a place from outside.

    Attributes:
        base: the array.
        params, places: as of the `update`.
        values: what is written, by the name of the branch; a branch that leaves the array alone is not in it.
    """

    base: Atom
    params: Mapping[str, Any]
    places: tuple[Atom, ...]
    values: Mapping[str, Atom]


def common_write(equation: Equation, k: int, inner: Set[Var], marks: Marks) -> Write | None:
    """The write that a result of a branch is, if it is one in all branches that do not leave the array as it is.

    Args:
        equation: the branch.
        k: which result.
        inner: the values that are defined in its regions.
        marks: what tells which equation defines a value.
    """
    found: list[Write] = []
    for name, region in regions(equation):
        result = region.results[k]
        if not isinstance(result, Var) or result not in inner:
            found.append(Write(result, {}, (), {}))
            continue
        made = marks.defining.get(result)
        if made is None or made.primitive.name != "update":
            return None
        base, value, *places = made.operands
        lengths = value.type.shape
        if any(isinstance(a, Var) and a in inner for a in (base, *places, *lengths)):
            return None
        found.append(Write(base, made.params, tuple(places), {name: value}))
    one, other = found
    if one.base != other.base:
        return None
    if one.values and other.values and (one.places != other.places or one.params != other.params):
        return None
    written = one if one.values else other
    return Write(written.base, written.params, written.places, {**one.values, **other.values})

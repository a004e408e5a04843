"""The innermost part of a nest of loops: what is computed for one place of the index space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..primitives import TABLE, Kind, Primitive
from ..program import Equation
from ..types import Atom, DType, Type, Var, literal
from .element_places import Places
from .nest_scope import Scope
from .schedule import Group

__all__ = ["Carry", "Element", "start_of"]


@dataclass(eq=False)
class Carry:
    """What the loops of a nest carry.

    Attributes:
        out: the value of the program that it is at the end.
        start: what it is at first.
        level: how many loops stand around where it starts.
    """

    out: Var
    start: Atom
    level: int = 0
    fold: Equation | None = None
    write: Equation | None = None
    inner: Carry | None = None  # a scalar, what the element of an array is folded in


class Element:
    """The innermost part of a nest: what is computed for one place of the index space."""

    def __init__(
        self,
        places: Places,
        scope: Scope,
        indices: tuple[Atom, ...],
        state: dict[Carry, Atom],
        carries: list[Carry],
    ) -> None:
        self.places = places
        self.scope = scope
        self.indices = indices
        self.state = state
        self.carries = carries
        self.here: dict[Var, Atom] = {}
        self.reads: dict[Var, Var] = {}
        self.stored: list[Atom] = []
        self.targets = {c.write.operands[0]: c for c in carries if c.write is not None and "a" not in codes_of(c.write)}

    def compute(self, group: Group) -> None:
        spots = {c: self.place_of(c.write) for c in self.targets.values() if c.write is not None}
        self.spots = spots
        kept = {c.out: c for c in self.carries if c.fold is None and c.write is None and c.inner is None}
        folds = {c.fold: c for carry in self.carries for c in (carry, carry.inner) if c is not None and c.fold}
        for member in group.members:
            (out,) = member.outs
            if member in folds:
                self.fold(folds[member], self.value(member.operands[0]))
                continue
            self.here[out] = self.member(member, out)
            if out in kept:
                self.put(kept[out], "update", self.here[out], self.indices)
        for carry in self.carries:
            if carry.write is not None:
                value = self.value(carry.write.operands[1])
                name = {"scatter": "update", "scatter_add": "add_at"}.get(carry.write.primitive.name)
                place = spots[carry] if carry in spots else self.place_of(carry.write)
                self.scope.source = carry.write.source
                self.put(carry, name or carry.write.primitive.name, value, place)
        self.scope.name_elements(self.reads, self.stored)

    def member(self, member: Equation, out: Var) -> Atom:
        if member.primitive.kind is Kind.GATHER:
            x = member.operands[0]
            place = self.places.picked(
                self.scope, member.params["codes"], member.operands[1:], self.indices, self.value
            )
            return self.read(x, place)
        operands = tuple(self.value(a) for a in member.operands)
        scope = self.scope.home_of(operands)
        new = Var(Type(out.type.dtype), scope.element_name(out.name))
        scope.enter(Equation(member.primitive, operands, member.params, (new,), member.source))
        return new

    def value(self, atom: Atom) -> Atom:
        """The element of an operand at this place."""
        if not isinstance(atom, Var) or not atom.type.shape:
            return atom
        if atom not in self.here:
            self.here[atom] = self.read(atom, self.indices)
        return self.here[atom]

    def read(self, atom: Atom, indices: tuple[Atom, ...]) -> Atom:
        x, place = self.places.element(self.scope, atom, indices)
        if not isinstance(x, Var) or not x.type.shape:
            return x
        carry = self.targets.get(x)
        if carry is not None and self.spots[carry] == place:  # which only this iteration writes, later
            found = self.scope.put("view", (self.state[carry], *place), codes="i" * len(place))
        else:
            scope = self.scope.home_of(place)
            found = scope.put("view", (x, *place), codes="i" * len(place))
        self.reads[found] = x
        return found

    def place_of(self, write: Equation) -> tuple[Atom, ...]:
        """Where a write puts the value of this place."""
        codes, operands = codes_of(write), write.operands[2:]
        if "a" in codes:
            return self.places.picked(self.scope, codes, operands, self.indices, self.value)
        return self.places.within(self.scope, codes, operands, self.indices)

    def put(self, carry: Carry, name: str, value: Atom, place: tuple[Atom, ...]) -> None:
        self.stored.append(value)
        self.state[carry] = self.scope.put(name, (self.state[carry], value, *place), codes="i" * len(place))

    def fold(self, carry: Carry, value: Atom) -> None:
        assert carry.fold is not None
        self.scope.source = carry.fold.source
        before = self.state[carry]
        step = step_of(carry.fold.primitive.name, carry.out.type.dtype)
        if not carry.out.type.shape:
            self.state[carry] = self.scope.put(step.name, (before, value))
            return
        place = tuple(i for axis, i in enumerate(self.indices) if axis not in carry.fold.params["axes"])
        codes = "i" * len(place)
        if carry.fold.primitive.name == "total":
            self.put(carry, "add_at", value, place)
            return
        old = self.scope.put("view", (before, *place), codes=codes)
        self.put(carry, "update", self.scope.put(step.name, (old, value)), place)


def codes_of(write: Equation) -> str:
    return write.params["codes"]


def start_of(name: str, dtype: DType) -> Atom:
    """What a reduction begins with."""
    if name in ("total", "reduce_or"):
        return dtype.zero
    if name == "reduce_and":
        return literal(True)
    if dtype.kind == "f":
        return dtype.constant(-np.inf if name == "reduce_max" else np.inf)
    limits = np.iinfo(dtype.numpy)
    return dtype.constant(int(limits.min if name == "reduce_max" else limits.max))


def step_of(name: str, dtype: DType) -> Primitive:
    """The operation that a reduction repeats; sums of floats may be taken in any order."""
    if name == "total":
        return TABLE["add" if dtype.integer else "plus"]
    return TABLE[{"reduce_max": "maximum", "reduce_min": "minimum", "reduce_and": "and", "reduce_or": "or"}[name]]

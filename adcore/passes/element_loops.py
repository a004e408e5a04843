"""Whole-array work as loops over elements.

    y = sin(x)                   for i in range(n):
    z = mul(y, x)                    x_i = x[i]
    s = total(z; axes=(0,))          s = plus(s, sin(x_i) * x_i)

Elementwise chains, reductions, gathers and writes over one index space, the groups of `adcore.passes.schedule`, become
one nest of `loop` equations on scalars.  A view is read at its own place in the array that it is a view of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..primitives import TABLE, Kind, Primitive
from ..program import Equation, Program, clone, regions
from ..recomputation import rename
from ..types import I64, Atom, DType, Type, Var, literal
from .element_places import Places
from .inline import inline_regions
from .nest_scope import COUNTERS, Scope
from .schedule import Group, schedule

__all__ = ["in_element_loops"]

ONE = literal(1)
Axes = tuple[int, ...]


def in_element_loops(program: Program) -> Program:
    """A copy of the program whose arithmetic is on scalars, but for products of matrices and what has no elements.

    Valid in, valid out; results unchanged but for the order of sums.
    """
    program = inline_regions(clone(program))
    names = {v.name for v in _variables(program)}
    letters = [c for c in COUNTERS if c not in names] or list(COUNTERS)
    _Loops(Places(), letters).region(program, None)
    return program


def _variables(region: Program) -> Iterator[Var]:
    yield from region.params
    for equation in region.equations:
        yield from equation.outs
        for _, inner in regions(equation):
            yield from _variables(inner)


@dataclass(eq=False)
class _Carry:
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
    inner: _Carry | None = None  # a scalar, what the element of an array is folded in


class _Loops:
    """The regions of a program, one after the other."""

    def __init__(self, places: Places, letters: list[str]) -> None:
        self.places = places
        self.letters = letters
        self.renamed: dict[Var, Atom] = {}

    def region(self, region: Program, parent: Scope | None) -> None:
        scope = Scope(parent, self.letters)
        self.renamed = {}
        for step in schedule(region.equations, region.results):
            if isinstance(step, Group):
                self.nest(scope, step)
            else:
                self.equation(scope, step)
        renamed, self.renamed = self.renamed, {}
        region.equations = scope.equations
        region.results = tuple(rename(region.equations, region.results, renamed)) if renamed else region.results

    def equation(self, scope: Scope, equation: Equation) -> None:
        primitive = equation.primitive
        scope.source = equation.source
        if primitive.kind is Kind.CONTROL:
            renamed = self.renamed
            for _, inner in regions(equation):
                self.region(inner, scope)
            self.renamed = renamed
        elif primitive.kind is Kind.VIEW:
            self.view(scope, equation)
            return
        elif primitive.kind is Kind.WRITE and primitive.name != "grow" and equation.operands[1].type.shape:
            value = equation.operands[1]
            assert isinstance(value, Var)
            self.nest(scope, Group(value.type.shape, writes={value: equation}))
            return
        elif primitive.name == "matmul" and self.product(scope, equation):
            return
        scope.enter(equation)

    def view(self, scope: Scope, equation: Equation) -> None:
        """A view is there for those who need it as a whole; a single element is read at its place."""
        (out,) = equation.outs
        self.places.note(equation)
        if _takes_steps(equation):
            self.copy(scope, equation)
            return
        if out.type.shape or equation.primitive.name in ("iota", "empty"):
            scope.enter(equation)
            return
        x, indices = self.places.element(scope, out, ())
        if not isinstance(x, Var) or not x.type.shape:
            self.renamed[out] = self.renamed.get(x, x) if isinstance(x, Var) else x
            return
        scope.enter(_read(x, indices, out, equation))

    def copy(self, scope: Scope, equation: Equation) -> None:
        """A copy of a view, for those who need it as a whole."""
        (out,) = equation.outs
        same = Var(out.type, out.name)
        self.places.note(replace(equation, outs=(same,)))
        codes = ":" * out.type.rank
        write = Equation(TABLE["update"], (scope.empty_like(out), same), {"codes": codes}, (out,), equation.source)
        self.nest(scope, Group(out.type.shape, writes={same: write}))

    # Products of matrices

    def product(self, scope: Scope, equation: Equation) -> bool:
        """Products with vectors, and of integers, as loops; of arrays of matrices one after the other."""
        (out,), (a, c) = equation.outs, equation.operands
        *around, rows, columns = out.type.shape
        inner = a.type.shape[-1]
        if not out.type.dtype.differentiable or ONE in (rows, columns, inner):
            self.nest(scope, self.products(equation))
            return True
        if not around:
            return False
        carry = _Carry(out, scope.empty_like(out))
        state = {carry: carry.start}

        def innermost(inside: Scope, indices: tuple[Atom, ...]) -> None:
            codes = "i" * len(indices) + "::"
            parts = (inside.put("view", (x, *indices), codes=codes) for x in (a, c))
            value = inside.put("matmul", tuple(parts))
            state[carry] = inside.put("update", (state[carry], value, *indices), codes=codes)

        self.loops(scope, tuple(around), [carry], state, innermost)
        self.bind(carry, state[carry])
        return True

    def products(self, equation: Equation) -> Group:
        """The group of the products of elements and their sums: over the axes of the result, then the inner one."""
        (out,), (a, c) = equation.outs, equation.operands
        rank, inner = out.type.rank, a.type.shape[-1]
        space = Type(out.type.dtype, (*out.type.shape, inner))
        turned = self.places.permuted(c, (*range(rank - 2), rank - 1, rank - 2))
        factors = (
            self.places.expanded(a, space, rank - 1, out.type.shape[-1]),
            self.places.expanded(turned, space, rank - 2, out.type.shape[-2]),
        )
        each = Var(space)
        members = [Equation(TABLE["mul"], factors, {}, (each,), equation.source)]
        members.append(Equation(TABLE["total"], (each,), {"axes": (rank,)}, (out,), equation.source))
        return Group(space.shape, members, {each, out}, kept=[out])

    # Nests

    def nest(self, scope: Scope, group: Group) -> None:
        """The loops of a group."""
        scope.source = next((e.source for e in (*group.members, *group.writes.values())), None)
        carries = list(self.carries(scope, group))
        state: dict[_Carry, Atom] = {c: c.start for c in carries}

        def innermost(inside: Scope, indices: tuple[Atom, ...]) -> None:
            _Element(self.places, inside, indices, state, carries).compute(group)

        inner = [c.inner for c in carries if c.inner is not None]
        self.loops(scope, group.space, [*carries, *inner], state, innermost)
        for carry in carries:
            self.bind(carry, state[carry])

    def bind(self, carry: _Carry, value: Atom) -> None:
        if value is not carry.out:
            self.renamed[carry.out] = value

    def carries(self, scope: Scope, group: Group) -> Iterator[_Carry]:
        for member in group.members:
            for out in member.outs:
                if member.primitive.kind is Kind.REDUCTION and out not in group.copies:
                    yield self.folded(scope, member, out, len(group.space))
                elif out in group.kept:
                    yield _Carry(out, scope.empty_like(out))
        for write in group.writes.values():
            yield _Carry(write.outs[0], write.operands[0], write=write)

    def folded(self, scope: Scope, member: Equation, out: Var, rank: int) -> _Carry:
        """A sum along the last axes is made in a scalar; along others it is made in the elements of the result."""
        axes: Axes = member.params["axes"]
        start = start_of(member.primitive.name, out.type.dtype)
        if not out.type.shape:
            return _Carry(out, start, fold=member)
        if axes != tuple(range(rank - len(axes), rank)):
            return _Carry(out, scope.filled_like(out, start), fold=member)
        name = scope.element_name(out.name, rank - len(axes))
        inner = _Carry(Var(Type(out.type.dtype), name), start, level=rank - len(axes), fold=member)
        return _Carry(out, scope.empty_like(out), inner=inner)

    def loops(self, scope: Scope, lengths: tuple[Atom, ...], carries: list[_Carry], state: dict, innermost) -> None:
        """Loops over an index space; an axis of length 1 takes none."""
        looped = [axis for axis, length in enumerate(lengths) if length != ONE]
        letters = scope.counters(len(looped))

        def level(inside: Scope, indices: tuple[Atom, ...]) -> None:
            axis = len(indices)
            for carry in carries:
                if carry.level == axis and carry.level:
                    state[carry] = carry.start
            if axis == len(lengths):
                innermost(inside, indices)
            elif axis not in looped:
                level(inside, (*indices, literal(0)))
            else:
                counter = Var(I64, letters[looped.index(axis)])
                active = [c for c in carries if c.level <= axis and (c.inner is None or axis < c.inner.level)]
                last = axis == looped[0]
                repeat(inside, lengths[axis], counter, active, last, lambda s: level(s, (*indices, counter)))
            for carry in carries:
                part = carry.inner
                if part is not None and part.level == axis:
                    codes = "i" * len(indices)
                    state[carry] = inside.put("update", (state[carry], state[part], *indices), codes=codes)

        def repeat(outside: Scope, length: Atom, counter: Var, active: list[_Carry], last: bool, fill) -> None:
            params = [Var(c.out.type, c.out.name) for c in active]
            inits = [state[c] for c in active]
            inside = Scope(outside, self.letters, counter)
            state.update(zip(active, params, strict=True))
            fill(inside)
            body = Program((counter, *params), inside.equations, tuple(state[c] for c in active), "body")
            outs = tuple(c.out if last and not c.level else Var(c.out.type, c.out.name) for c in active)
            state.update(zip(active, outs, strict=True))
            outside.enter(Equation(TABLE["loop"], (length, *inits), {"body": body}, outs, outside.source))

        level(scope, ())


class _Element:
    """The innermost part of a nest: what is computed for one place of the index space."""

    def __init__(
        self,
        places: Places,
        scope: Scope,
        indices: tuple[Atom, ...],
        state: dict[_Carry, Atom],
        carries: list[_Carry],
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

    def put(self, carry: _Carry, name: str, value: Atom, place: tuple[Atom, ...]) -> None:
        self.stored.append(value)
        self.state[carry] = self.scope.put(name, (self.state[carry], value, *place), codes="i" * len(place))

    def fold(self, carry: _Carry, value: Atom) -> None:
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


def _read(x: Var, indices: tuple[Atom, ...], out: Var, equation: Equation) -> Equation:
    return Equation(TABLE["view"], (x, *indices), {"codes": "i" * len(indices)}, (out,), equation.source)


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


def _takes_steps(equation: Equation) -> bool:
    """Whether a slice of the view takes other than single steps."""
    if equation.primitive.name != "view" or not equation.outs[0].type.shape:
        return False
    scalars = list(equation.operands[1:])
    for code in equation.params["codes"]:
        if code == "s" and (isinstance(scalars[2], Var) or scalars[2].value not in (1, -1)):
            return True
        del scalars[: {"i": 1, "s": 3}.get(code, 0)]
    return False

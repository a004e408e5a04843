"""Whole-array work as loops over elements.

    y = sin(x)                   for i in range(n):
    z = mul(y, x)                    x_i = x[i]
    s = total(z; axes=(0,))          s = plus(s, sin(x_i) * x_i)

Elementwise chains, reductions, gathers and writes over one index space, the groups of `adcore.passes.schedule`, become
one nest of `loop` equations on scalars.  A view is read at its own place in the array that it is a view of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..primitives import TABLE, Kind
from ..program import Equation, Program, all_defined, clone, regions
from ..recomputation import rename
from ..types import I64, Atom, Type, Var, literal
from .element import Carry, Element, start_of
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
    names = {v.name for v in all_defined(program)}
    letters = [c for c in COUNTERS if c not in names] or list(COUNTERS)
    _Loops(Places(), letters).region(program, None)
    return program


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
        if equation.params.get("checked"):
            equation = self.check_lengths(scope, equation)
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

    def check_lengths(self, scope: Scope, equation: Equation) -> Equation:
        """The same view, after a check of the lengths, for which the array itself is not needed."""
        x, *wanted = equation.operands
        holds: Atom = literal(True)
        for ours, theirs in zip(x.type.shape, wanted, strict=True):
            holds = scope.put("and", (holds, scope.put("eq", (ours, theirs))))
        shapes = [
            f"({','.join(f'{{{k}}}' for k in numbers)}{',' * (len(numbers) == 1)})"
            for numbers in _numbered(len(wanted))
        ]
        usual = f"operands could not be broadcast together with shapes {' '.join(shapes)}"
        message = equation.params.get("message") or usual
        if holds != literal(True):
            scope.put("check", (holds, *x.type.shape, *wanted), error="ValueError", message=message)
        return replace(equation, params={**equation.params, "checked": False})

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
        carry = Carry(out, scope.empty_like(out))
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
        state: dict[Carry, Atom] = {c: c.start for c in carries}

        def innermost(inside: Scope, indices: tuple[Atom, ...]) -> None:
            Element(self.places, inside, indices, state, carries).compute(group)

        inner = [c.inner for c in carries if c.inner is not None]
        self.loops(scope, group.space, [*carries, *inner], state, innermost)
        for carry in carries:
            self.bind(carry, state[carry])

    def bind(self, carry: Carry, value: Atom) -> None:
        if value is not carry.out:
            self.renamed[carry.out] = value

    def carries(self, scope: Scope, group: Group) -> Iterator[Carry]:
        for member in group.members:
            for out in member.outs:
                if member.primitive.kind is Kind.REDUCTION and out not in group.copies:
                    yield self.folded(scope, member, out, len(group.space))
                elif out in group.kept:
                    yield Carry(out, scope.empty_like(out))
        for write in group.writes.values():
            yield Carry(write.outs[0], write.operands[0], write=write)

    def folded(self, scope: Scope, member: Equation, out: Var, rank: int) -> Carry:
        """A sum along the last axes is made in a scalar; along others it is made in the elements of the result."""
        axes: Axes = member.params["axes"]
        start = start_of(member.primitive.name, out.type.dtype)
        if not out.type.shape:
            return Carry(out, start, fold=member)
        if axes != tuple(range(rank - len(axes), rank)):
            return Carry(out, scope.filled_like(out, start), fold=member)
        name = scope.element_name(out.name, rank - len(axes))
        inner = Carry(Var(Type(out.type.dtype), name), start, level=rank - len(axes), fold=member)
        return Carry(out, scope.empty_like(out), inner=inner)

    def loops(self, scope: Scope, lengths: tuple[Atom, ...], carries: list[Carry], state: dict, innermost) -> None:
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

        def repeat(outside: Scope, length: Atom, counter: Var, active: list[Carry], last: bool, fill) -> None:
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


def _read(x: Var, indices: tuple[Atom, ...], out: Var, equation: Equation) -> Equation:
    return Equation(TABLE["view"], (x, *indices), {"codes": "i" * len(indices)}, (out,), equation.source)


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


def _numbered(rank: int) -> tuple[range, range]:
    """The numbers of the lengths of two shapes."""
    return range(rank), range(rank, 2 * rank)

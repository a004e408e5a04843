"""The order of emission of a block: elementwise chains and reductions over one index space become one loop nest.

Elementwise equations join an open group of their shape; a group is emitted when something outside needs one of its
results, or when memory that it reads is about to be written.  Open groups never depend on each other, so delaying
them is always right.

A cheap result that a later group needs is computed again there, where that saves writing it to memory and reading it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..primitives import Kind
from ..program import Equation, uses
from ..types import Atom, Var
from .sinking import sunk

__all__ = ["Group", "Step", "read_elsewhere", "schedule"]


@dataclass(eq=False)
class Group:
    """Equations computed together, element by element, over one index space.

    `writes` maps a member's result to the `update`, `scatter`, … equation it is stored by, `kept` are results needed
    after the group, `copies` results that an earlier group has computed too.
    """

    space: tuple[Atom, ...]
    members: list[Equation] = field(default_factory=list)
    results: set[Var] = field(default_factory=set)
    copies: set[Var] = field(default_factory=set)
    reads: set[Var] = field(default_factory=set)
    writes: dict[Var, Equation] = field(default_factory=dict)
    kept: list[Var] = field(default_factory=list)

    def uses(self) -> Iterable[Var]:
        for member in self.members:
            yield from (v for v in uses(member) if v not in self.results)
        for write in self.writes.values():
            yield from (v for v in uses(write) if v not in self.results)

    def outs(self) -> Iterable[Var]:
        yield from self.kept
        for write in self.writes.values():
            yield from write.outs


Step = Equation | Group


def is_fusable(equation: Equation) -> bool:
    if equation.primitive.kind is Kind.ELEMENTWISE:
        return bool(equation.outs[0].type.shape)
    return equation.primitive.kind in (Kind.REDUCTION, Kind.GATHER)


def read_elsewhere(equation: Equation) -> set[Var]:
    """Operands of which an element of the index space needs another element than its own.

    Of a `gather` these are the array itself, and index arrays that have fewer axes than the result.
    """
    if equation.primitive.kind is not Kind.GATHER:
        return set()
    x, *places = equation.operands
    shape = equation.outs[0].type.shape
    return {a for a in (x, *places) if isinstance(a, Var) and a.type.shape and (a is x or a.type.shape != shape)}


def space_of(equation: Equation) -> tuple[Atom, ...]:
    if equation.primitive.kind is Kind.REDUCTION:
        return equation.operands[0].type.shape
    return equation.outs[0].type.shape


def schedule(equations: list[Equation], results: Iterable[Atom]) -> list[Step]:
    """The steps of a block in the order in which they are emitted."""
    results = tuple(results)
    return _Scheduler(sunk(equations), results).run()


class _Scheduler:
    def __init__(self, equations: list[Equation], results: Iterable[Atom]) -> None:
        self.equations = equations
        self.results = {r for r in results if isinstance(r, Var)}
        self.count = Counter(v for e in equations for v in uses(e))
        self.count.update(self.results)
        self.steps: list[Step] = []
        self.open: list[Group] = []
        self.home: dict[Var, Group] = {}
        self.root: dict[Var, Var] = {}
        self.cheap = Cheap(equations, self.results)

    def run(self) -> list[Step]:
        for equation in self.equations:
            kind = equation.primitive.kind
            if is_fusable(equation):
                self.join(equation)
            elif kind is Kind.WRITE:
                self.write(equation)
            else:
                self.close_sources(equation)
                if kind is Kind.CONTROL:
                    self.close_all()
                if kind is Kind.VIEW and isinstance(equation.operands[0], Var):
                    self.root[equation.outs[0]] = self.root_of(equation.operands[0])
                self.steps.append(equation)
        self.close_all()
        return self.steps

    def root_of(self, var: Var) -> Var:
        return self.root.get(var, var)

    def join(self, equation: Equation) -> None:
        space = space_of(equation)
        group = next((g for g in self.open if g.space == space), None)
        elsewhere = read_elsewhere(equation)
        for var in uses(equation):
            source = self.home.get(var)
            if source is None:
                continue
            if source is not group or var in elsewhere or self.is_fold(source, var):
                self.close(source)
                group = None if source is group else group
        if group is None:
            group = Group(space)
            self.open.append(group)
        for var in uses(equation):
            if self.cheap.is_repeated(var):
                self.repeat(var, group)
        group.members.append(equation)
        group.reads.update(self.root_of(v) for v in uses(equation))
        for out in equation.outs:
            group.results.add(out)
            self.home[out] = group

    def repeat(self, var: Var, group: Group) -> None:
        """Compute a cheap result, and the cheap ones that it needs, in this group too."""
        if var in group.results:
            return
        equation = self.cheap.definitions[var]
        for operand in uses(equation):
            if self.cheap.is_repeated(operand):
                self.repeat(operand, group)
        group.members.append(equation)
        group.results.add(var)
        group.copies.add(var)
        group.reads.update(self.root_of(v) for v in uses(equation))

    def is_fold(self, group: Group, var: Var) -> bool:
        return any(var in m.outs and m.primitive.kind is Kind.REDUCTION for m in group.members)

    def write(self, equation: Equation) -> None:
        """A write whose value only it uses is done by the group that computes the value."""
        target, value = equation.operands[0], equation.operands[1]
        root = self.root_of(target) if isinstance(target, Var) else None
        group = self.home.get(value) if isinstance(value, Var) else None
        fused = (
            group is not None
            and isinstance(value, Var)
            and equation.primitive.name in FUSED_WRITES
            and self.count[value] == 1
            and not self.is_fold(group, value)
            and not any(self.home.get(v) is group for v in uses(equation) if v is not value)
        )
        for var in uses(equation):
            source = self.home.get(var)
            if source is not None and not (fused and source is group):
                self.close(source)
        for other in [g for g in self.open if root in g.reads]:
            if not (fused and other is group):
                self.close(other)
        if root is not None:
            self.root[equation.outs[0]] = root
        if fused and group is not None and isinstance(value, Var):
            group.writes[value] = equation
            self.close(group)
        else:
            self.steps.append(equation)

    def close_sources(self, equation: Equation) -> None:
        for var in uses(equation):
            if var in self.home:
                self.close(self.home[var])

    def close_all(self) -> None:
        for group in list(self.open):
            self.close(group)

    def close(self, group: Group) -> None:
        """Emit the group here."""
        if group not in self.open:
            return
        self.open.remove(group)
        inside = Counter(v for m in group.members if not set(m.outs) & group.copies for v in uses(m))
        own = [(m, out) for m in group.members for out in m.outs if out not in group.copies]
        kept: dict[Var, None] = {}
        for member, out in own:
            del self.home[out]
            fold = member.primitive.kind is Kind.REDUCTION
            needed = self.count[out] > inside[out] and out not in group.writes
            if fold or (needed and not self.cheap.is_repeated(out)):
                kept[out] = None
            elif needed:
                kept.update(dict.fromkeys(v for v in self.cheap.leaves(out) if v in self.home or v in group.results))
        group.kept = [v for v in kept if v in {out for _, out in own}]
        self.steps.append(group)


FUSED_WRITES = {"update", "add_at", "scatter", "scatter_add"}
CHEAP = {
    *("neg", "add", "plus", "sub", "mul", "abs", "maximum", "minimum", "select", "cast"),
    *("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor", "not", "isnan", "isfinite"),
    *("side", "portion"),
}
MOST_LEAVES = 2
MOST_OPERATIONS = 6


class Cheap:
    """Which results of a block are computed again where they are needed, rather than kept in memory.

    Those of a few cheap operations on arrays that are in memory anyway, if only loop nests need them.  Arrays that
    the block writes do not count: an expression of such an array is evaluated where it stands, so that the write needs
    no copy.
    """

    def __init__(self, equations: list[Equation], results: set[Var]) -> None:
        self.definitions = {
            e.outs[0]: e for e in equations if e.primitive.kind is Kind.ELEMENTWISE and e.outs[0].type.shape
        }
        self.elsewhere = set(results)  # needed by something else than a loop nest over their own elements
        self.gathered: set[Var] = set()
        self.root: dict[Var, Var] = {}
        self.written: set[Var] = set()
        self.constant: set[Var] = set()  # one scalar everywhere, in no memory
        for equation in equations:
            self.elsewhere.update(read_elsewhere(equation) if is_fusable(equation) else uses(equation))
            if equation.primitive.kind is Kind.GATHER:
                self.gathered.update(equation.outs)
            self.note(equation)
        self.known: dict[Var, bool] = {}

    def note(self, equation: Equation) -> None:
        kind = equation.primitive.kind
        target = equation.operands[0] if equation.operands else None
        if equation.primitive.name == "expand" and not equation.operands[0].type.shape:
            self.constant.add(equation.outs[0])
        elif kind is Kind.CONTROL:
            self.written.update(self.root.get(v, v) for v in uses(equation))
        elif kind in (Kind.VIEW, Kind.WRITE) and isinstance(target, Var):
            root = self.root[equation.outs[0]] = self.root.get(target, target)
            if kind is Kind.WRITE:
                self.written.add(root)

    def is_cheap(self, var: Var) -> bool:
        equation = self.definitions.get(var)
        return equation is not None and equation.primitive.name in CHEAP

    def leaves(self, var: Var) -> set[Var]:
        """The arrays that a result is computed again from: in memory, since they are not computed again."""
        found: set[Var] = set()
        for operand in uses(self.definitions[var]):
            if self.is_repeated(operand):
                found |= self.leaves(operand)
            elif operand.type.shape and operand not in self.constant:
                found.add(operand)
        return found

    def operations(self, var: Var) -> int:
        return 1 + sum(self.operations(v) for v in uses(self.definitions[var]) if self.is_repeated(v))

    def is_repeated(self, var: Var) -> bool:
        if var not in self.known:
            self.known[var] = self.is_cheap(var) and var not in self.elsewhere and self.pays(var)
        return self.known[var]

    def pays(self, var: Var) -> bool:
        if self.operations(var) > MOST_OPERATIONS:
            return False
        leaves = self.leaves(var)
        made_here = [v for v in leaves if v in self.definitions or v in self.gathered]
        in_place = any(self.root.get(v, v) in self.written for v in leaves)
        return len(leaves) <= MOST_LEAVES and len(made_here) <= 1 and not in_place

"""Residuals: what the dual needs of the primal's loop iterations and branches, stored or computed again.

The statements of a linear body name values of the primal body.  Those that depend on outside values and the counter
alone are computed again where they are needed; for the others a minimum vertex cut between what an iteration starts
from and what the dual needs says which values to store (so many bytes an iteration) and which to compute again from
them.  A loop inside the body counts as one node: if its own residuals are too large to store for every outer
iteration, the cut runs before it and it is run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .builder import Builder
from .cut import minimum_cut
from .passes.stability import read_from, versions
from .primitives import Kind
from .program import Equation, Program, clone_equation, defined, fresh, regions, substitute, uses
from .types import BOOL, I64, Atom, DType, Type, Var, literal

__all__ = ["extend_test", "provide_branch", "provide_iterations"]

ARRAY_COST = 1000  # an array counts as so many scalars an axis
RUN_COST = 200  # to run a loop again counts as so many bytes: a few scalars are rather kept, an array is not
COSTLY = {Kind.CONTROL, Kind.REDUCTION, Kind.CONTRACTION}


def needed(equations: Iterable[Equation], results: Iterable[Atom], own: set[Var]) -> dict[Var, None]:
    """Values of the primal region that the linear region names."""
    found: dict[Var, None] = {}
    for equation in equations:
        found.update(dict.fromkeys(v for v in uses(equation) if v in own))
    found.update(dict.fromkeys(r for r in results if isinstance(r, Var) and r in own))
    return found


def cost(var: Var) -> int:
    """The bytes of a value, an unknown axis counted as `ARRAY_COST`."""
    bytes = 1 if var.type.dtype is DType.BOOL else 8
    for length in var.type.shape:
        bytes *= ARRAY_COST if isinstance(length, Var) else 1
    return bytes


def choose_stored(equations: list[Equation], wanted: Iterable[Var], roots: Iterable[Var]) -> list[Var]:
    """The cheapest values to keep from which, with what is outside, all wanted ones follow.

    Running a loop, a reduction or a matrix product again has a price too: a further source, whose removal means to
    run it.
    """
    producers = {out: e for e in equations for out in e.outs}
    edges: list[tuple[Any, Any]] = []
    sources: list[Any] = []
    seen: set[Var] = set()
    stack = list(wanted)
    while stack:
        var = stack.pop()
        if var in seen:
            continue
        seen.add(var)
        equation = producers.get(var)
        if equation is None:
            continue
        if equation.primitive.kind in COSTLY:
            edges.append((_Run(equation), var))
            sources.append(_Run(equation))
        elif equation.keep:
            sources.append(var)
        for source in uses(equation):
            edges.append((source, var))
            stack.append(source)
    sources += [r for r in roots if r in seen]
    cut = minimum_cut(edges, sources, list(wanted), lambda v: RUN_COST if isinstance(v, _Run) else cost(v))
    return [v for v in cut if isinstance(v, Var)]


@dataclass(frozen=True)
class _Run:
    """The running of a costly equation, in the graph of the cut."""

    equation: Equation

    def __hash__(self) -> int:
        return id(self.equation)


def effect_free(equation: Equation) -> bool:
    return equation.primitive.kind is not Kind.CHECK


def recompute(
    equations: list[Equation], wanted: Iterable[Var], env: dict[Var, Atom]
) -> tuple[list[Equation], dict[Var, Atom]]:
    """Copies of the equations that give the wanted values, in order, checks left out; `env` has what is known."""
    producers = {out: e for e in equations for out in e.outs}
    selected: set[int] = set()
    stack = [v for v in wanted if v not in env]
    while stack:
        equation = producers.get(stack.pop())
        if equation is None or id(equation) in selected:
            continue
        selected.add(id(equation))
        stack.extend(v for v in uses(equation) if v not in env)
    copies = []
    for equation in equations:
        if id(equation) in selected:
            known = {out: env[out] for out in equation.outs if out in env}
            copies.append(unchecked(clone_equation(equation, env, effect_free)))
            env.update(known)
    return copies, env


def unchecked(equation: Equation) -> Equation:
    """A copy made to be run again does not check what the first run has checked."""
    if equation.params.get("checked"):
        equation.params = dict(equation.params, checked=False)
    for _, region in regions(equation):
        for inner in region.equations:
            unchecked(inner)
    return equation


def rename(equations: list[Equation], results: Iterable[Atom], env: dict[Var, Atom]) -> list[Atom]:
    """Rewrite the names in place; gives the results rewritten."""
    for equation in equations:
        equation.operands = tuple(substitute(a, env) for a in equation.operands)
        _retype(equation.outs, env)
        for _, region in regions(equation):
            _retype(region.params, env)
            region.results = tuple(rename(region.equations, region.results, env))
    return [substitute(a, env) for a in results]


def _retype(typed: Iterable[Var], env: dict[Var, Atom]) -> None:
    for var in typed:
        if var.type.shape:
            var.type = Type(var.type.dtype, tuple(substitute(a, env) for a in var.type.shape))


# Iterations


def provide_iterations(
    b: Builder,
    origin: Equation,
    scope: list[Equation],
    inner: Builder,
    counter: Var,
    results: list[Atom],
    backwards: bool,
) -> tuple[Atom, list[Equation], list[Atom]]:
    """Make the primal values that a linear loop body names available to it.

    The primal loop `origin` in `scope` is extended to store what the cut chooses.  Gives the trip count, the linear
    body's equations with loads and recomputation in front, and its results.
    """
    body: Program = origin.params["body"]
    own = defined(body)
    states = versions(origin)
    inner.equations[:] = read_from(inner.equations, origin, states)
    primal = read_from(body.equations, origin, states)
    wanted = needed(inner.equations, results, own)
    for var in list(wanted):  # the lengths in their types are wanted too
        wanted.update(dict.fromkeys(a for a in var.type.shape if a in own))
    is_loop = origin.primitive.name == "loop"
    state = body.params[1:] if is_loop else body.params
    stored = choose_stored(primal, wanted, state)
    # a stored array whose length changes between iterations needs its length stored too
    lengths = [a for v in stored for a in v.type.shape if a in own and not _outside(body, a)]
    stored = list(dict.fromkeys([*lengths, *stored]))

    storage = _Storage(origin, scope)
    front = Builder(b)
    count = origin.operands[0] if is_loop else storage.count()
    step: Atom = front.sub(front.sub(count, 1), counter) if backwards else counter
    env: dict[Var, Atom] = {body.params[0]: step} if is_loop else {}
    for var in stored:
        if any(a in lengths for a in var.type.shape):
            env[var] = storage.store_ragged(var, front, step, env)
        else:
            env[var] = storage.store(var, front, step, env)
    copies, env = recompute(primal, wanted, env)
    results = rename(inner.equations, results, env)
    return count, [*front.equations, *copies, *inner.equations], results


def _outside(body: Program, length: Atom) -> bool:
    """Whether a length that the body computes depends on nothing that changes between iterations."""
    return _invariant(body, [length]) is not None


def _invariant(body: Program, atoms: Iterable[Atom]) -> list[Equation] | None:
    """The body's equations that give the atoms, if they depend on outside values alone."""
    producers = {out: e for e in body.equations for out in e.outs}
    own = defined(body)
    selected: set[int] = set()
    stack = [a for a in atoms if isinstance(a, Var) and a in own]
    while stack:
        equation = producers.get(stack.pop())
        if equation is None:
            return None
        selected.add(id(equation))
        stack.extend(v for v in uses(equation) if v in own)
    return [e for e in body.equations if id(e) in selected]


@dataclass
class _Storage:
    """Extends a primal loop with arrays that keep values of its iterations."""

    origin: Equation
    scope: list[Equation]
    counter: Var | None = None
    capacity: Var | None = None
    grown_capacity: Atom | None = None
    count_out: Var | None = None
    known_lengths: dict[Var, Atom] = field(default_factory=dict)  # computed in front of the loop, once each

    @property
    def body(self) -> Program:
        return self.origin.params["body"]

    @property
    def growing(self) -> bool:
        return self.origin.primitive.name == "while"

    def count(self) -> Atom:
        """The number of iterations of a `while`, counted in a further carry."""
        if self.count_out is None:
            self.counter = Var(I64, "k")
            step = Builder()
            result = step.add(self.counter, 1)
            self.body.equations[:0] = step.equations
            self.count_out = self.carry(literal(0), self.counter, result)
            self.after = result
        return self.count_out

    def carry(self, init: Atom, param: Var, result: Atom) -> Var:
        """A further carry of the primal loop; gives its out."""
        origin, body = self.origin, self.body
        env = dict(zip(body.params[-len(body.results) :] if body.results else (), origin.outs, strict=True))
        shape = tuple(substitute(a, env) for a in param.type.shape)
        out = Var(Type(param.type.dtype, shape), param.name)
        if self.growing:
            extend_test(origin.params["test"], body.params, (param,))
        origin.operands = (*origin.operands, init)
        origin.outs = (*origin.outs, out)
        body.params = (*body.params, param)
        body.results = (*body.results, result)
        return out

    def before(self) -> Builder:
        """A builder whose equations `insert` puts in front of the loop."""
        return Builder()

    def insert(self, equations: list[Equation]) -> None:
        position = next(k for k, e in enumerate(self.scope) if e is self.origin)
        self.scope[position:position] = equations

    def lengths(self, var: Var, outer: Builder, env: dict[Var, Atom]) -> tuple[Atom, ...]:
        """The shape of the value; what `env` does not know of it is computed in front of the loop, and entered."""
        unknown = [a for a in var.type.shape if isinstance(a, Var) and a not in env]
        equations = _invariant(self.body, unknown)
        assert equations is not None
        copies, known = recompute(equations, unknown, self.known_lengths)
        outer.adopt(copies)
        env.update((a, known[a]) for a in unknown if a in known)
        return tuple(substitute(a, env) for a in var.type.shape)

    def after_definition(self, var: Var, equations: list[Equation]) -> None:
        """Put equations where the value is new, before its memory can be written again."""
        body = self.body.equations
        position = next((k + 1 for k, e in enumerate(body) if var in e.outs), None)
        if position is None:  # a parameter: as early as what the equations use is there
            names = {v for e in equations for v in uses(e)}
            position = max((k + 1 for k, e in enumerate(body) if names & set(e.outs)), default=0)
        body[position:position] = equations

    def store(self, var: Var, load: Builder, step: Atom, env: dict[Var, Atom]) -> Atom:
        """Keep the value of every iteration in an array; gives the load of the iteration `step`.

        Lengths that the body computes are computed in front of the loop, and known to `env` by these names.
        """
        outer = self.before()
        shape = self.lengths(var, outer, env)
        codes = "i" + ":" * len(shape)
        inside = Builder()
        if self.growing:
            self.count()
            length: Atom = self._capacity()
            store = Var(Type(var.type.dtype, (length, *shape)), f"{var.name}s")
            init = outer.empty(literal(0), *shape, dtype=var.type.dtype)
            assert self.grown_capacity is not None
            assert self.counter is not None
            room, index = inside.grow(store, self.grown_capacity), self.counter
        else:
            length = self.origin.operands[0]
            store = Var(Type(var.type.dtype, (length, *shape)), f"{var.name}s")
            init = outer.empty(length, *shape, dtype=var.type.dtype)
            room, index = store, self.body.params[0]
        self.insert(outer.equations)
        result = inside.update(room, inside.conform(var, *shape, checked=False), index, codes=codes)
        self.after_definition(var, inside.equations)
        kept = self.carry(init, store, result)
        return load.view(kept, step, codes=codes)

    def _capacity(self) -> Var:
        """The common leading length of a `while`'s stores, doubled when it is used up."""
        if self.capacity is None:
            assert self.counter is not None
            self.capacity = Var(I64, "capacity")
            inside = Builder()
            self.grown_capacity = doubled(inside, self.capacity, inside.add(self.counter, 1))
            self.body.equations[:0] = inside.equations
            self.carry(literal(0), self.capacity, self.grown_capacity)
        return self.capacity

    def store_ragged(self, var: Var, load: Builder, step: Atom, env: dict[Var, Atom]) -> Atom:
        """Keep values whose lengths change between iterations one behind the other, and where each begins."""
        inside = Builder()
        size: Atom = literal(1)
        for length in var.type.shape:
            size = inside.mul(size, length)
        position, capacity = Var(I64, "position"), Var(I64, "capacity")
        store = Var(Type(var.type.dtype, (capacity,)), f"{var.name}s")
        end = inside.add(position, size)
        room = doubled(inside, capacity, end)
        flat = inside.reshape(var, size)
        result = inside.update(inside.grow(store, room), flat, position, size, 1, codes="s")
        self.after_definition(var, inside.equations)
        outer = self.before()
        init = outer.empty(literal(0), dtype=var.type.dtype)
        shape = self.lengths(var, outer, env)
        self.insert(outer.equations)
        begin = self.store(position, load, step, env)
        self.carry(literal(0), position, end)
        self.carry(literal(0), capacity, room)
        kept = self.carry(init, store, result)
        length: Atom = literal(1)
        for one in shape:
            length = load.mul(length, one)
        return load.reshape(load.view(kept, begin, length, 1, codes="s"), *shape)


def extend_test(test: Program, carries: Iterable[Var], further: Iterable[Var]) -> None:
    """Give the test of a `while` further parameters, which it does not read, like those of the body."""
    env: dict[Var, Atom] = dict(zip(carries, test.params, strict=True))
    test.params = (*test.params, *(fresh(v, env) for v in further))


def doubled(b: Builder, capacity: Atom, wanted: Atom) -> Atom:
    """The capacity, or where it does not reach, at least twice as much."""
    more = b.maximum(b.mul(capacity, 2), b.maximum(wanted, 64))
    return b.select(b.gt(wanted, capacity), more, capacity)


# Branches


def provide_branch(origin: Equation, name: str, inner: Builder, results: tuple[Atom, ...]) -> Program:
    """Make the values of the primal branch that the linear branch names available to it.

    They are computed again from what is outside, but the results of a loop inside the branch are handed out by the
    primal.
    """
    branch: Program = origin.params[name]
    own = defined(branch)
    wanted = needed(inner.equations, results, own)
    for var in list(wanted):
        wanted.update(dict.fromkeys(a for a in var.type.shape if a in own))
    costly = [out for e in branch.equations if e.primitive.name in ("loop", "while") for out in e.outs]
    exported = choose_stored(branch.equations, wanted, costly)
    lengths = [a for v in exported for a in v.type.shape if isinstance(a, Var) and a in own]
    env: dict[Var, Atom] = {}
    for var in dict.fromkeys([*lengths, *exported]):
        env[var] = export(origin, name, var, env)
    copies, env = recompute(branch.equations, wanted, env)
    results = tuple(rename(inner.equations, results, env))
    return Program((), [*copies, *inner.equations], results, name)


def export(origin: Equation, name: str, var: Var, env: dict[Var, Atom]) -> Var:
    """A further result of a `cond`: a value of one branch; the other branch gives one that is never read."""
    other = "otherwise" if name == "then" else "then"
    branch, elsewhere = origin.params[name], origin.params[other]
    out = Var(Type(var.type.dtype, tuple(substitute(a, env) for a in var.type.shape)), var.name)
    branch.results = (*branch.results, var)
    filler = Builder()
    unread = filler_for(filler, var.type, set(env))
    elsewhere.equations.extend(filler.equations)
    elsewhere.results = (*elsewhere.results, unread)
    origin.outs = (*origin.outs, out)
    return out


def filler_for(b: Builder, type: Type, inside: set[Var]) -> Atom:
    if not type.shape:
        return {BOOL.dtype: literal(False), I64.dtype: literal(0)}.get(type.dtype, literal(0.0))
    return b.empty(*(literal(0) if a in inside else a for a in type.shape), dtype=type.dtype)


"""Keeping values of a loop's iterations: arrays that the primal loop fills, and the loads in the linear loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .builder import Builder
from .program import Equation, Program, fresh, substitute, uses
from .recomputation import invariant, recompute
from .types import I64, Atom, Type, Var, literal

__all__ = ["Storage", "extend_test"]


@dataclass
class Storage:
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
        equations = invariant(self.body, unknown)
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
        inside.equations[-1].keeps = var
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
        size = inside.size(var.type.shape)
        position, capacity = Var(I64, "position"), Var(I64, "capacity")
        store = Var(Type(var.type.dtype, (capacity,)), f"{var.name}s")
        end = inside.add(position, size)
        room = doubled(inside, capacity, end)
        flat = inside.reshape(var, size)
        result = inside.update(inside.grow(store, room), flat, position, size, 1, codes="s")
        inside.equations[-1].keeps = var
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

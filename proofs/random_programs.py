"""Random well-formed programs: loops, branches, views and writes over a few arrays of one length.

Names are drawn from a small set so that they collide, and values from everything in scope so that arrays alias.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from adcore.builder import Builder
from adcore.errors import Source
from adcore.program import Program
from adcore.types import BOOL, F64, I64, Atom, Type, Var, f64, literal

LENGTH = 4
Step = Callable[[Builder, list[Atom], int], "Atom | tuple[Var, ...]"]
_NAMES = ("t", "t", "t", "t", "t", "t", "x", "a", "y", "s")


def random_program(seed: int, size: int = 8) -> Program:
    """A program of two arrays of LENGTH elements, a scalar, and an index."""
    return RandomPrograms(random.Random(seed)).program(size)


def random_arguments(seed: int) -> tuple:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, LENGTH), rng.uniform(-1, 1, LENGTH), float(rng.uniform(-1, 1)), int(rng.integers(LENGTH))


class RandomPrograms:
    """Draws equations over what is in scope; `simple` and `structured` name the steps it draws from."""

    def __init__(self, choices: random.Random) -> None:
        self.r = choices
        self.n = Var(I64, "n")
        self.array = f64(self.n)
        self.line = 0

    def program(self, size: int) -> Program:
        params = (Var(self.array, "x"), Var(self.array, "a"), Var(F64, "c"), Var(I64, "k"))
        b = Builder()
        scope: list[Atom] = [*params, literal(2.0), literal(0)]
        self.fill(b, scope, size, depth=2)
        results = tuple(self.r.choices([a for a in scope if isinstance(a, Var)], k=4))
        return Program(params, b.equations, results, "f")

    def fill(self, b: Builder, scope: list[Atom], size: int, depth: int) -> None:
        for _ in range(self.r.randint(size // 2, size)):
            steps = (*self.simple(), *(self.structured() if depth else ()))
            self.line += 1
            b.source = Source("model.py", self.line // 2)
            made = self.r.choice(steps)(b, scope, depth)
            for atom in made if isinstance(made, tuple) else (made,):
                if isinstance(atom, Var):
                    atom.name = self.r.choice(_NAMES) if atom.name == "t" else atom.name
                    scope.append(atom)

    def simple(self) -> tuple[Step, ...]:
        """The steps without regions."""
        return (
            *(self.scalar, self.unary, self.arrays, self.element, self.backwards, self.zeros, self.total),
            *(self.write, self.write, self.write_slice, self.select, self.renamed),
        )

    def structured(self) -> tuple[Step, ...]:
        return (self.loop, self.while_, self.cond)

    def carried(self) -> Type:
        """The type of a value that a loop carries or a branch gives."""
        return self.r.choice((F64, self.array))

    def pick(self, scope: list[Atom], type: Type) -> Atom:
        """A value of the type, recent ones more often."""
        found = [a for a in scope if a.type == type]
        return found[max(self.r.randrange(len(found)), self.r.randrange(len(found)))]

    def index(self, scope: list[Atom]) -> Atom:
        return self.r.choice([literal(self.r.randrange(LENGTH)), self.pick(scope, I64)])

    # Steps

    def scalar(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        operation = self.r.choice((b.add, b.sub, b.mul, b.maximum, b.arctan2))
        return operation(self.pick(scope, F64), self.pick(scope, F64))

    def unary(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        return self.r.choice((b.sin, b.tanh, b.neg, b.erf, b.abs))(self.pick(scope, self.r.choice((F64, self.array))))

    def arrays(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        kind = self.r.choice((F64, self.array))
        return self.r.choice((b.add, b.mul, b.sub))(self.pick(scope, self.array), self.pick(scope, kind))

    def element(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        return b.view(self.pick(scope, self.array), self.index(scope), codes="i")

    def backwards(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        last = b.sub(self.n, 1)
        return b.view(self.pick(scope, self.array), last, self.n, -1, codes="s")

    def zeros(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        return b.expand(0.0, self.n, axes=(0,))

    def total(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        return b.tanh(b.total(self.pick(scope, self.array), axes=(0,)))

    def write(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        operation = self.r.choice((b.update, b.add_at))
        return operation(self.pick(scope, self.array), self.pick(scope, F64), self.index(scope), codes="i")

    def write_slice(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        start, step = self.r.choice(((0, 1), (1, 1), (2, -1), (0, 2)))
        value = b.view(self.pick(scope, self.array), 1, 2, 1, codes="s")
        operation = self.r.choice((b.update, b.add_at))
        return operation(self.pick(scope, self.array), value, start, 2, step, codes="s")

    def select(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        type = self.r.choice((F64, self.array))
        return b.select(b.lt(self.pick(scope, type), 0.1), self.pick(scope, type), self.pick(scope, type))

    def renamed(self, b: Builder, scope: list[Atom], depth: int) -> tuple[Var, ...]:
        """Two results over an index space of another name, from operands that may be the same memory."""
        length = b.maximum(self.n, 1)

        def operand() -> Atom:
            return b.conform(self.pick(scope, self.array), length, checked=self.r.random() < 0.5)

        made = [self.r.choice((b.add, b.mul, b.sub))(operand(), operand()) for _ in range(2)]
        return tuple(b.conform(m, self.n, checked=False) for m in made)

    # Control flow

    def carries(self, scope: list[Atom]) -> tuple[tuple[Atom, ...], tuple[Var, ...]]:
        inits = tuple(self.pick(scope, self.carried()) for _ in range(self.r.randint(1, 3)))
        return inits, tuple(Var(a.type, a.name if isinstance(a, Var) else "s") for a in inits)

    def results(self, scope: list[Atom], types: tuple[Type, ...]) -> tuple[Atom, ...]:
        return tuple(self.pick(scope, t) for t in types)

    def loop(self, b: Builder, scope: list[Atom], depth: int) -> tuple[Var, ...]:
        inits, params = self.carries(scope)
        counter, region = Var(I64, "i"), b.region()
        inner = [*scope, counter, *params]
        self.fill(region, inner, 5, depth - 1)
        results = self.results(inner, tuple(p.type for p in params))
        return b.loop(literal(self.r.randrange(LENGTH)), inits, region.program((counter, *params), results))

    def while_(self, b: Builder, scope: list[Atom], depth: int) -> tuple[Var, ...]:
        inits, params = self.carries(scope)
        count, test_count = Var(I64, "k"), Var(I64, "k")
        test = b.region()
        goes_on = test.land(test.lt(test_count, 3), test.ge(test.abs(self.pick(scope, F64)), 0.0))
        region = b.region()
        inner = [*scope, count, *params]
        self.fill(region, inner, 5, depth - 1)
        results = (region.add(count, 1), *self.results(inner, tuple(p.type for p in params)))
        test_params = (test_count, *(Var(p.type, p.name) for p in params))
        outs = b.while_(
            (literal(1), *inits), test.program(test_params, (goes_on,)), region.program((count, *params), results)
        )
        return outs[1:]

    def cond(self, b: Builder, scope: list[Atom], depth: int) -> tuple[Var, ...]:
        condition = b.lt(self.pick(scope, F64), 0.0)
        types = tuple(self.carried() for _ in range(self.r.randint(1, 2)))
        branches = []
        for _ in range(2):
            region = b.region()
            inner = list(scope)
            self.fill(region, inner, self.r.choice((0, 4)), depth - 1)
            branches.append(region.program((), self.results(inner, types)))
        if condition.type != BOOL or not isinstance(condition, Var):
            return ()
        return b.cond(condition, *branches)

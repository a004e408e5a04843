"""Random programs over matrices: every combination of axis codes, arithmetic of indices, carries of every type.

The operations are those that IEEE 754 rounds correctly, comparisons, integers, and what moves elements, so that two
backends must agree in every bit.  Sums and products of matrices, which may be taken in any order, are left out.
"""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import numpy as np

from adcore.builder import Builder
from adcore.program import Program
from adcore.types import BOOL, F64, I64, Atom, Type, Var, f64, literal
from proofs.random_programs import LENGTH, RandomPrograms

__all__ = ["COLUMNS", "arguments", "matrix_program"]

COLUMNS = 3
CODES = ["".join(pair) for pair in product("is:", repeat=2) if pair != (":", ":")]
ROW_SLICES = ((0, 2, 1), (1, 2, 2), (3, 2, -2), (2, 2, -1), (0, 4, 1), (3, 4, -1))
COLUMN_SLICES = ((0, 2, 1), (1, 2, 1), (0, 2, 2), (2, 2, -1), (2, 3, -1))


def matrix_program(choices: random.Random, size: int = 8) -> Program:
    """A program of a vector, a matrix, a number and an index."""
    return _Matrices(choices).program(size)


def arguments(seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    vector, matrix = rng.uniform(-1, 1, LENGTH), rng.uniform(-1, 1, (LENGTH, COLUMNS))
    return vector, matrix, float(rng.uniform(-1, 1)), int(rng.integers(LENGTH))


class _Matrices(RandomPrograms):
    def __init__(self, choices: random.Random) -> None:
        super().__init__(choices)
        self.matrix = f64(self.n, COLUMNS)

    def program(self, size: int) -> Program:
        params = (Var(self.array, "x"), Var(self.matrix, "m"), Var(F64, "c"), Var(I64, "k"))
        b = Builder()
        scope: list[Atom] = [*params, literal(2.0), literal(0), b.lt(params[2], 0.25)]
        self.fill(b, scope, size, depth=2)
        found = [self.pick(scope, t) for t in (self.array, self.matrix, F64, I64)]
        return Program(params, b.equations, tuple(a for a in found if isinstance(a, Var)), "f")

    def simple(self) -> tuple[Any, ...]:
        """The steps without regions."""
        return (
            *(self.scalar_step, self.integer, self.test, self.whole, self.fused, self.element, self.backwards),
            *(self.write, self.write_slice, self.select, self.region, self.put, self.put, self.turned, self.extreme),
            self.renamed,
        )

    def anything(self) -> Type:
        return self.r.choice((F64, I64, BOOL, self.array, self.matrix, self.matrix))

    def carried(self) -> Type:
        return self.anything()

    # Steps

    def scalar_step(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        x, y = self.pick(scope, F64), self.pick(scope, F64)
        chosen = self.r.randrange(6)
        if chosen == 4:
            return b.sqrt(b.abs(x))
        if chosen == 5:
            return b.div(x, b.add(b.abs(y), 0.5))
        return (b.add, b.sub, b.mul, b.maximum)[chosen](x, y)

    def integer(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        """Index arithmetic that stays within the rows."""
        i, j = self.pick(scope, I64), self.pick(scope, I64)
        forms = (
            lambda: b.mod(b.add(b.mul(i, 3), j), LENGTH),
            lambda: b.mod(b.sub(i, b.add(j, 1)), LENGTH),
            lambda: b.floordiv(b.add(i, j), 2),
            lambda: b.minimum(b.add(i, 1), LENGTH - 1),
            lambda: b.maximum(b.sub(i, 1), 0),
            lambda: b.sub(LENGTH - 1, i),
            lambda: b.select(b.lt(i, j), i, j),
        )
        return self.r.choice(forms)()

    def test(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        type = self.r.choice((F64, I64))
        compare = self.r.choice((b.lt, b.le, b.gt, b.ge, b.eq, b.ne))
        found = compare(self.pick(scope, type), self.pick(scope, type))
        return self.r.choice((b.land, b.lor, b.xor))(found, self.pick(scope, BOOL))

    def whole(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        type = self.r.choice((self.array, self.matrix))
        other = self.pick(scope, self.r.choice((type, F64)))
        return self.r.choice((b.add, b.sub, b.mul, b.minimum))(self.pick(scope, type), other)

    def fused(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        x, y = self.pick(scope, self.matrix), self.pick(scope, self.matrix)
        return b.select(b.lt(x, y), b.mul(x, 0.75), b.sqrt(b.abs(y)))

    def place(self, b: Builder, scope: list[Atom]) -> tuple[str, tuple[Atom, ...]]:
        """Axis codes of a matrix, with operands that are in range."""
        codes, scalars = self.r.choice(CODES), []
        for code, slices, length in zip(codes, (ROW_SLICES, COLUMN_SLICES), (LENGTH, COLUMNS), strict=True):
            if code == "i":
                index = self.index(scope)
                scalars.append(index if length == LENGTH else b.mod(index, length))
            elif code == "s":
                scalars += [literal(v) for v in self.r.choice(slices)]
        return codes, tuple(scalars)

    def region(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        codes, scalars = self.place(b, scope)
        found = b.view(self.pick(scope, self.matrix), *scalars, codes=codes)
        return b.mul(found, 0.5) if self.r.randrange(2) else found

    def put(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        """A region written or added to: from a number, or from another place of the same or another matrix."""
        target = self.pick(scope, self.matrix)
        codes, scalars = self.place(b, scope)
        shape = b.view(target, *scalars, codes=codes).type.shape
        value = self.pick(scope, Type(F64.dtype, shape)) if self.known(scope, shape) else self.pick(scope, F64)
        if shape and not value.type.shape:
            value = b.expand(value, *shape, axes=tuple(range(len(shape))))
        return self.r.choice((b.update, b.add_at))(target, value, *scalars, codes=codes)

    def known(self, scope: list[Atom], shape: tuple[Atom, ...]) -> bool:
        return any(a.type == Type(F64.dtype, shape) for a in scope)

    def turned(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        """Through a transpose and back, with a write in between."""
        t = b.permute(self.pick(scope, self.matrix), order=(1, 0))
        row = b.mod(self.index(scope), COLUMNS)
        written = b.update(t, self.pick(scope, self.array), row, codes="i:")
        return b.permute(written, order=(1, 0))

    def extreme(self, b: Builder, scope: list[Atom], depth: int) -> Atom:
        fold = self.r.choice((b.reduce_max, b.reduce_min))
        x = self.pick(scope, self.matrix)
        return fold(x, axes=self.r.choice(((1,), (0, 1))))

"""Programs as arrows between vectors, and five readings of their derivative (Elliott 2018, sections 4 to 12).

An arrow is a Program of one vector to one vector.  Its derivative at a point is a linear program, the same `Linear`
that forward and reverse mode run; here it is read in five categories: as a function, as a matrix, as a continuation
(h ↦ h ∘ f), as its dual, and as a forward beginning (h ↦ f ∘ h).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.derive import linearize, push
from adcore.linear import Edge, Linear, transpose
from adcore.program import Program, clone
from adcore.recomputation import rename
from adcore.types import I64, Atom, Var, f64, literal
from adcore.verify import verify

__all__ = ["READINGS", "Arrow", "Derivative", "derivative", "random_arrow"]

Matrix = np.ndarray


@dataclass(frozen=True)
class Arrow:
    """A program from R^n to R^m."""

    program: Program

    @classmethod
    def of(cls, length: int, make: Callable[[Builder, Var], Atom]) -> Arrow:
        x, b = Var(f64(length), "x"), Builder()
        result = make(b, x)
        program = Program((x,), b.equations, (result,))
        verify(program)
        return cls(program)

    @property
    def source(self) -> int:
        return _length(self.program.params[0])

    @property
    def target(self) -> int:
        return _length(self.program.results[0])

    def __call__(self, x: Matrix) -> Matrix:
        return interpret(self.program, (x,))[0]

    def at(self, b: Builder, x: Atom) -> Atom:
        """Emit the arrow's body on `x`."""
        copy = clone(self.program)
        (result,) = rename(copy.equations, copy.results, {copy.params[0]: x})
        b.adopt(copy.equations)
        return result

    def after(self, first: Arrow) -> Arrow:  # self ∘ first
        return Arrow.of(first.source, lambda b, x: self.at(b, first.at(b, x)))

    def beside(self, other: Arrow) -> Arrow:  # self × other
        n = self.source
        return Arrow.of(
            n + other.source,
            lambda b, x: both(b, self.at(b, part(b, x, 0, n)), other.at(b, part(b, x, n, other.source))),
        )

    def jacobian(self, x: Matrix) -> Matrix:
        """D f x as a matrix, by forward mode on a basis."""
        pushed = push(self.program, (0,))
        columns = [interpret(pushed, (x, e))[1] for e in np.eye(self.source)]
        return np.stack(columns, axis=1)


def _lengths(atom: Atom) -> list[int]:
    return [int(n.value) for n in atom.type.shape]  # type: ignore[union-attr]


def _length(atom: Atom) -> int:
    (length,) = _lengths(atom)
    return length


def part(b: Builder, x: Atom, start: int, length: int) -> Atom:
    return b.view(x, start, length, 1, codes="s")


def both(b: Builder, x: Atom, y: Atom) -> Atom:
    """Two vectors one behind the other."""
    n, m = _length(x), _length(y)
    room = b.expand(0.0, n + m, axes=(0,))
    return b.update(b.update(room, x, 0, n, 1, codes="s"), y, n, m, 1, codes="s")


# Arrows of the category


def identity(n: int) -> Arrow:
    return Arrow.of(n, lambda b, x: x)


def exl(n: int, m: int) -> Arrow:
    return Arrow.of(n + m, lambda b, x: part(b, x, 0, n))


def exr(n: int, m: int) -> Arrow:
    return Arrow.of(n + m, lambda b, x: part(b, x, n, m))


def dup(n: int) -> Arrow:
    return Arrow.of(n, lambda b, x: both(b, x, x))


def inl(n: int, m: int) -> Arrow:
    return Arrow.of(n, lambda b, x: both(b, x, b.expand(0.0, m, axes=(0,))))


def inr(n: int, m: int) -> Arrow:
    return Arrow.of(m, lambda b, x: both(b, b.expand(0.0, n, axes=(0,)), x))


def jam(n: int) -> Arrow:
    return Arrow.of(2 * n, lambda b, x: b.add(part(b, x, 0, n), part(b, x, n, n)))


def scaling(factor: float, n: int) -> Arrow:
    return Arrow.of(n, lambda b, x: b.mul(x, factor))


def fork(f: Arrow, g: Arrow) -> Arrow:  # f △ g
    return f.beside(g).after(dup(f.source))


def join(f: Arrow, g: Arrow) -> Arrow:  # f ▽ g
    return jam(f.target).after(f.beside(g))


def matrix_arrow(m: Matrix) -> Arrow:
    """A linear arrow with this matrix, made of scalings of elements."""
    rows, columns = m.shape

    def make(b: Builder, x: Atom) -> Atom:
        y = b.expand(0.0, rows, axes=(0,))
        for i in range(rows):
            terms = [b.mul(b.view(x, j, codes="i"), float(m[i, j])) for j in range(columns)]
            total = terms[0]
            for term in terms[1:]:
                total = b.add(total, term)
            y = b.update(y, total, i, codes="i")
        return y

    return Arrow.of(columns, make)


def random_matrix(seed: int, rows: int, columns: int) -> Matrix:
    return np.random.default_rng(seed).uniform(-1, 1, (rows, columns))


def random_arrow(seed: int, source: int, target: int, depth: int = 3) -> Arrow:
    """A smooth arrow: linear maps, elementwise functions, products, a loop."""
    choices = random.Random(seed)
    arrow = matrix_arrow(random_matrix(seed, target, source))
    for _ in range(depth):
        arrow = choices.choice((_functions, _products, _loop))(choices, target).after(arrow)
    return arrow


def _functions(choices: random.Random, n: int) -> Arrow:
    name = choices.choice(("sin", "cos", "tanh", "exp"))
    return Arrow.of(n, lambda b, x: getattr(b, name)(b.mul(x, 0.7)))


def _products(choices: random.Random, n: int) -> Arrow:
    return Arrow.of(n, lambda b, x: b.mul(x, b.add(b.view(x, n - 1, n, -1, codes="s"), 0.5)))


def _loop(choices: random.Random, n: int) -> Arrow:
    trips = choices.randint(0, 3)

    def make(b: Builder, x: Atom) -> Atom:
        counter, carry = Var(I64, "i"), Var(x.type, "y")
        region = b.region()
        step = region.mul(region.sin(carry), region.add(x, 0.3))
        (out,) = b.loop(literal(trips), (x,), region.program((counter, carry), (step,)))
        return out

    return Arrow.of(n, make)


# The derivative at a point, read in five categories


@dataclass(frozen=True)
class Statement:
    """`target += matrix @ source`."""

    matrix: Matrix
    source: Var
    target: Var


@dataclass(frozen=True)
class Derivative:
    """The linear program of a derivative at a point, its dual, and the ends."""

    steps: tuple[Statement, ...]
    dual: tuple[Statement, ...]
    source: Var
    target: Atom
    length: int


def derivative(program: Program, x: Matrix) -> Derivative:
    """Linearize a program without control flow, and take each generator's matrix at the point."""
    linear = linearize(program.equations, {program.params[0]})
    steps, dual = _statements(program, x, linear), _statements(program, x, transpose(linear))
    return Derivative(steps, dual, program.params[0], program.results[0], len(x))


def _statements(program: Program, x: Matrix, linear: Linear) -> tuple[Statement, ...]:
    found = []
    for edge in linear.steps:
        assert isinstance(edge, Edge)
        b = Builder()
        b.adopt(program.equations)
        t = Var(edge.source.type, "t")
        mapped = Program((*program.params, t), b.equations, (edge.label(b).apply(b, t),))
        columns = [np.ravel(interpret(mapped, (x, e))[0]) for e in _basis(edge.source)]
        found.append(Statement(np.stack(columns, axis=1), edge.source, edge.target))
    return tuple(found)


def _basis(var: Var) -> list[Matrix]:
    lengths = _lengths(var)
    size = int(np.prod(lengths))
    return [row.reshape(lengths)[()] for row in np.eye(size)]


def _run(steps: tuple[Statement, ...], start: Atom, end: Atom, h: Matrix) -> Matrix:
    values: dict[Atom, Matrix] = {start: h}
    for step in steps:
        if step.source in values:
            values[step.target] = values.get(step.target, 0.0) + step.matrix @ values[step.source]
    return values[end]


def as_function(d: Derivative) -> Matrix:
    """Apply the linear map to each vector of a basis."""
    return np.stack([_run(d.steps, d.source, d.target, e) for e in np.eye(d.length)], axis=1)


def as_matrix(d: Derivative) -> Matrix:
    """Multiply and add matrices, from all values at once: (I - S)^-1 of the statements' matrix S, by substitution."""
    names = list(dict.fromkeys([d.source, *(v for s in d.steps for v in (s.source, s.target))]))
    sizes = {d.source: d.length}
    for s in d.steps:
        sizes[s.target], sizes[s.source] = s.matrix.shape
    starts = dict(zip(names, np.cumsum([0, *(sizes[v] for v in names)]), strict=False))
    whole = np.zeros((sum(sizes.values()),) * 2)
    for s in d.steps:
        rows = slice(starts[s.target], starts[s.target] + sizes[s.target])
        columns = slice(starts[s.source], starts[s.source] + sizes[s.source])
        whole[rows, columns] += s.matrix
    solved = np.linalg.inv(np.eye(len(whole)) - whole)
    end = d.target
    assert isinstance(end, Var)
    return solved[starts[end] : starts[end] + sizes[end], : d.length]


def as_continuation(d: Derivative) -> Matrix:
    """h ↦ h ∘ f, on the identity: rows are multiplied from the right, from the last statement back."""
    size = next(s.matrix.shape[0] for s in reversed(d.steps) if s.target is d.target)
    after: dict[Atom, Matrix] = {d.target: np.eye(size)}
    for s in reversed(d.steps):
        if s.target in after:
            after[s.source] = after.get(s.source, 0.0) + after[s.target] @ s.matrix
    return after[d.source]


def as_dual(d: Derivative) -> Matrix:
    """The dual program, whose generators are the duals, applied to a basis."""
    size = next(s.matrix.shape[0] for s in reversed(d.steps) if s.target is d.target)
    return np.stack([_run(d.dual, d.target, d.source, e) for e in np.eye(size)])


def as_beginning(d: Derivative) -> Matrix:
    """h ↦ f ∘ h, on the identity: forward accumulation of whole matrices."""
    return _run(d.steps, d.source, d.target, np.eye(d.length))


READINGS: dict[str, Callable[[Derivative], Matrix]] = {
    "functions": as_function,
    "matrices": as_matrix,
    "continuations": as_continuation,
    "duals": as_dual,
    "beginnings": as_beginning,
}


def multiplications(program: Program) -> int:
    """The multiplications in a program without control flow whose lengths are literals."""
    total = 0
    for equation in program.equations:
        if equation.primitive.name == "matmul":
            left, right = (_lengths(o) for o in equation.operands)
            total += left[0] * left[1] * right[1]
        elif equation.primitive.name == "mul":
            total += int(np.prod(_lengths(equation.outs[0])))
    return total

"""The linear language: generators, their duals, and linear programs.

A generator is a linear map between tangent values; what it is made of (factors, indices, lengths) are residuals,
ordinary atoms of the primal program.  One closed table, `DUAL`, gives each generator its dual.  A linear program is a
list of statements `target += generator(source)`; its transpose is the same list backwards with every generator
dualized, and fan-out has become addition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import masking
from .types import Atom, DType, Lit, Type, Var

if TYPE_CHECKING:
    from .builder import Builder
    from .program import Equation, Program

__all__ = [
    "DUAL",
    "Edge",
    "Generator",
    "Linear",
    "LinearAgain",
    "LinearCond",
    "LinearLoop",
    "LinearRule",
    "Step",
    "reached",
    "transpose",
]


@dataclass(frozen=True, slots=True)
class Generator:
    """A linear map by name, with its residuals and static parameters.

    >>> from adcore.types import literal
    >>> g = scale(literal(3.0))
    >>> g.dual() == g
    True
    >>> expand((0,), (literal(4),)).dual().name
    'total'
    """

    name: str
    residuals: tuple[Any, ...] = ()
    params: tuple[Any, ...] = ()

    def dual(self) -> Generator:
        return DUAL[self.name](self)

    def apply(self, b: Builder, t: Atom) -> Atom:
        """Emit the map of `t`."""
        return APPLY[self.name](b, self, t)

    def accumulate(self, b: Builder, acc: Atom | None, t: Atom) -> Atom:
        """Emit `acc + map(t)`, in place of the touched elements where the map touches few."""
        if acc is None:
            return self.apply(b, t)
        into = ACCUMULATE.get(self.name)
        return into(b, self, acc, t) if into else b.plus(acc, self.apply(b, t))


# Generators.  Comments give the map of a tangent t.


def identity() -> Generator:  # t
    return Generator("identity")


def negate() -> Generator:  # -t
    return Generator("negate")


def scale(factor: Atom) -> Generator:  # factor * t, element by element
    return Generator("scale", (factor,))


def mask(keep: Atom) -> Generator:  # t where keep, else exactly 0
    return Generator("mask", (keep,))


def conjugate() -> Generator:  # the complex conjugate of t
    return Generator("conjugate")


def cast(before: DType, after: DType) -> Generator:  # t in another dtype; the real part where that is real
    return Generator("cast", (), (before, after))


def compose(*generators: Generator) -> Generator:  # the last one first
    return Generator("compose", generators)


def expand(axes: tuple[int, ...], lengths: tuple[Atom, ...]) -> Generator:  # repeated along new axes
    return Generator("expand", lengths, axes)


def total(axes: tuple[int, ...], lengths: tuple[Atom, ...]) -> Generator:  # summed over axes of these lengths
    return Generator("total", lengths, axes)


def reshape(before: tuple[Atom, ...], after: tuple[Atom, ...]) -> Generator:
    return Generator("reshape", (before, after))


def conforming(before: tuple[Atom, ...], after: tuple[Atom, ...]) -> Generator:  # t, its lengths known otherwise
    return Generator("conforming", (before, after))


def permute(order: tuple[int, ...]) -> Generator:
    return Generator("permute", (), order)


def pick(codes: str, scalars: tuple[Atom, ...], shape: tuple[Atom, ...]) -> Generator:  # the region of t
    return Generator("pick", (scalars, shape), (codes,))


def place(codes: str, scalars: tuple[Atom, ...], shape: tuple[Atom, ...]) -> Generator:  # t in the region, 0 around
    return Generator("place", (scalars, shape), (codes,))


def clear(codes: str, scalars: tuple[Atom, ...]) -> Generator:  # t with the region set to 0
    return Generator("clear", scalars, (codes,))


def gather(codes: str, operands: tuple[Atom, ...], shape: tuple[Atom, ...]) -> Generator:
    """The elements of t at the places that index arrays name."""
    return Generator("gather", (operands, shape), (codes,))


def scatter_add(codes: str, operands: tuple[Atom, ...], shape: tuple[Atom, ...]) -> Generator:
    """t added up at the places that index arrays name, 0 around."""
    return Generator("scatter_add", (operands, shape), (codes,))


def clear_at(codes: str, operands: tuple[Atom, ...], shape: tuple[Atom, ...]) -> Generator:
    """t with the elements at the places that index arrays name set to 0; `shape` is theirs."""
    return Generator("clear_at", (operands, shape), (codes,))


def grown(before: Atom, after: Atom) -> Generator:  # t with another leading length
    return Generator("grown", (before, after))


def left(matrix: Atom) -> Generator:  # matrix @ t
    return Generator("left", (matrix,))


def right(matrix: Atom) -> Generator:  # t @ matrix
    return Generator("right", (matrix,))


def fourier(inverse: bool) -> Generator:  # the discrete Fourier transform of t along the last axis, not scaled
    return Generator("fourier", (), (inverse,))


def share(attained: Atom, axes: tuple[int, ...], lengths: tuple[Atom, ...]) -> Generator:
    """The mean of t over the elements attained, along axes."""
    return Generator("share", (attained, *lengths), axes)


def share_back(attained: Atom, axes: tuple[int, ...], lengths: tuple[Atom, ...]) -> Generator:
    """t repeated along axes, in equal shares for the elements attained."""
    return Generator("share_back", (attained, *lengths), axes)


def sums(*generators: Generator) -> Generator:  # the maps of t, added up
    return Generator("sum", generators)


def solution(matrix: Atom, *factors: Atom, by: str, transposed: bool = False) -> Generator:
    """matrix⁻¹ @ t, or that of the transposed matrix; `factors` are the matrix taken apart, as `by` says."""
    return Generator("solution", (matrix, *factors), (by, transposed))


def substitution(matrix: Atom, lower: bool, unit: bool = False, transposed: bool = False) -> Generator:
    """triangle⁻¹ @ t, or that of the transposed triangle of the matrix; `unit` takes its diagonal as ones."""
    return Generator("substitution", (matrix,), (lower, unit, transposed))


def balance(a: Atom, b: Atom, *factors: Atom, adjoint: bool, transposed: bool = False) -> Generator:
    """The x with a x + x b = t, or aᵀ x + x bᵀ = t; `factors` as for the row `sylvester`."""
    return Generator("balance", (a, b, *factors), (adjoint, transposed))


def sparse_solution(matrix: tuple[Atom, ...], factors: tuple[Atom, ...], transposed: bool = False) -> Generator:
    """matrix⁻¹ @ t, or that of the transposed matrix, of elements, rows and columns; `factors` as for `solution`."""
    return Generator("sparse_solution", (matrix, factors), (transposed,))


def transposed(b: Builder, matrix: Atom) -> Atom:
    """The matrix transposed, or each matrix of an array of them."""
    rank = matrix.type.rank
    return b.permute(matrix, order=(*range(rank - 2), rank - 1, rank - 2))


# The closed table of duals.

DUAL: dict[str, Callable[[Generator], Generator]] = {
    "identity": lambda g: g,
    "negate": lambda g: g,
    "scale": lambda g: g,
    "mask": lambda g: g,
    "conjugate": lambda g: g,
    "cast": lambda g: cast(g.params[1], g.params[0]),
    "compose": lambda g: compose(*(part.dual() for part in reversed(g.residuals))),
    "sum": lambda g: sums(*(part.dual() for part in g.residuals)),
    "expand": lambda g: total(g.params, g.residuals),
    "total": lambda g: expand(g.params, g.residuals),
    "reshape": lambda g: reshape(g.residuals[1], g.residuals[0]),
    "conforming": lambda g: conforming(g.residuals[1], g.residuals[0]),
    "permute": lambda g: permute(tuple(g.params.index(a) for a in range(len(g.params)))),
    "pick": lambda g: place(g.params[0], *g.residuals),
    "place": lambda g: pick(g.params[0], *g.residuals),
    "clear": lambda g: g,
    "gather": lambda g: scatter_add(g.params[0], *g.residuals),
    "scatter_add": lambda g: gather(g.params[0], *g.residuals),
    "clear_at": lambda g: g,
    "grown": lambda g: grown(g.residuals[1], g.residuals[0]),
    "left": lambda g: Generator("left_transposed", g.residuals),
    "right": lambda g: Generator("right_transposed", g.residuals),
    "left_transposed": lambda g: left(*g.residuals),
    "right_transposed": lambda g: right(*g.residuals),
    "solution": lambda g: solution(*g.residuals, by=g.params[0], transposed=not g.params[1]),
    "substitution": lambda g: substitution(g.residuals[0], g.params[0], g.params[1], not g.params[2]),
    "sparse_solution": lambda g: sparse_solution(*g.residuals, transposed=not g.params[0]),
    "balance": lambda g: balance(*g.residuals, adjoint=g.params[0], transposed=not g.params[1]),
    "fourier": lambda g: g,  # exp(-2πi jk/n) is a symmetric matrix
    "share": lambda g: share_back(g.residuals[0], g.params, g.residuals[1:]),
    "share_back": lambda g: share(g.residuals[0], g.params, g.residuals[1:]),
}


def zeros(b: Builder, type: Type) -> Atom:
    zero = type.dtype.zero
    return b.expand(zero, *type.shape, axes=tuple(range(type.rank))) if type.shape else zero


def converted(b: Builder, t: Atom, dtype: DType) -> Atom:
    """A number in another dtype: the real part where it is complex and the dtype is not."""
    if t.type.dtype.complex and not dtype.complex:
        t = b.real(t)
    return b.cast(t, dtype=dtype)


def _total(b: Builder, t: Atom, axes: tuple[int, ...]) -> Atom:
    """A sum along axes; of the rows of a product of matrices the product of the sum, and so for columns."""
    equation = b.defining(t)
    if equation is None or t.type.rank != 2 or len(axes) != 1 or equation.primitive.name not in ("neg", "matmul"):
        return b.total(t, axes=axes)
    if equation.primitive.name == "neg":
        return b.neg(_total(b, equation.operands[0], axes))
    x, y = equation.operands
    if axes == (0,):
        return b.view(b.matmul(b.expand(b.total(x, axes=axes), 1, axes=(0,)), y), 0, codes="i:")
    return b.view(b.matmul(x, b.expand(b.total(y, axes=axes), 1, axes=(1,))), 0, codes=":i")


def _compose(b: Builder, g: Generator, t: Atom) -> Atom:
    for part in reversed(g.residuals):
        t = part.apply(b, t)
    return t


def _sum(b: Builder, g: Generator, t: Atom) -> Atom:
    return _sum_into(b, g, None, t)


def _sum_into(b: Builder, g: Generator, acc: Atom | None, t: Atom) -> Atom:
    for part in g.residuals:
        acc = part.accumulate(b, acc, t)
    assert acc is not None
    return acc


def _solution(b: Builder, g: Generator, t: Atom) -> Atom:
    matrix, *factors = g.residuals
    return b.solve(matrix, t, *factors, by=g.params[0], transposed=g.params[1])


def _substitution(b: Builder, g: Generator, t: Atom) -> Atom:
    lower, unit, is_transposed = g.params
    return b.solve_triangular(g.residuals[0], t, lower=lower, unit=unit, transposed=is_transposed)


def _sparse_solution(b: Builder, g: Generator, t: Atom) -> Atom:
    matrix, factors = g.residuals
    return b.sparse_solve(*matrix, t, *factors, transposed=g.params[0])


def _balance(b: Builder, g: Generator, t: Atom) -> Atom:
    first, second, *factors = g.residuals
    return b.sylvester(first, second, t, *factors, adjoint=g.params[0], transposed=g.params[1])


def _place_into(b: Builder, g: Generator, acc: Atom, t: Atom) -> Atom:
    return b.add_at(acc, t, *g.residuals[0], codes=g.params[0])


def _clear(b: Builder, g: Generator, t: Atom) -> Atom:
    region = b.view(t, *g.residuals, codes=g.params[0]).type
    return b.update(t, zeros(b, region), *g.residuals, codes=g.params[0])


def _scatter_into(b: Builder, g: Generator, acc: Atom, t: Atom) -> Atom:
    return b.scatter_add(acc, t, *g.residuals[0], codes=g.params[0])


def _clear_at(b: Builder, g: Generator, t: Atom) -> Atom:
    operands, shape = g.residuals
    return b.scatter(t, zeros(b, t.type.with_shape(*shape)), *operands, codes=g.params[0], unique=False)


def _weights(b: Builder, g: Generator, dtype: DType) -> Atom:
    attained, lengths = g.residuals[0], g.residuals[1:]
    ones = b.select(attained, dtype.constant(1), dtype.zero)
    count = b.total(ones, axes=g.params)
    return b.div(ones, b.expand(count, *lengths, axes=g.params))


def _share(b: Builder, g: Generator, t: Atom) -> Atom:
    return b.total(b.select(g.residuals[0], b.mul(_weights(b, g, t.type.dtype), t), 0.0), axes=g.params)


def _share_back(b: Builder, g: Generator, t: Atom) -> Atom:
    spread = b.expand(t, *g.residuals[1:], axes=g.params)
    return b.select(g.residuals[0], b.mul(_weights(b, g, t.type.dtype), spread), 0.0)


APPLY: dict[str, Callable[[Builder, Generator, Atom], Atom]] = {
    "identity": lambda b, g, t: t,
    "negate": lambda b, g, t: masking.negated(b, t),
    "scale": lambda b, g, t: masking.scaled(b, g.residuals[0], t),
    "mask": lambda b, g, t: masking.masked(b, g.residuals[0], t),
    "conjugate": lambda b, g, t: b.conj(t),
    "cast": lambda b, g, t: converted(b, t, g.params[1]),
    "compose": _compose,
    "sum": _sum,
    "expand": lambda b, g, t: b.expand(t, *g.residuals, axes=g.params),
    "total": lambda b, g, t: _total(b, t, g.params),
    "reshape": lambda b, g, t: b.reshape(t, *g.residuals[1]),
    "conforming": lambda b, g, t: b.conform(t, *g.residuals[1], checked=False),
    "permute": lambda b, g, t: b.permute(t, order=g.params),
    "pick": lambda b, g, t: b.view(t, *g.residuals[0], codes=g.params[0]),
    "place": lambda b, g, t: _place_into(b, g, zeros(b, t.type.with_shape(*g.residuals[1])), t),
    "clear": _clear,
    "gather": lambda b, g, t: b.gather(t, *g.residuals[0], codes=g.params[0]),
    "scatter_add": lambda b, g, t: _scatter_into(b, g, zeros(b, t.type.with_shape(*g.residuals[1])), t),
    "clear_at": _clear_at,
    "grown": lambda b, g, t: b.grow(t, g.residuals[1]),
    "left": lambda b, g, t: b.matmul(g.residuals[0], t),
    "right": lambda b, g, t: b.matmul(t, g.residuals[0]),
    "left_transposed": lambda b, g, t: b.matmul(transposed(b, g.residuals[0]), t),
    "right_transposed": lambda b, g, t: b.matmul(t, transposed(b, g.residuals[0])),
    "solution": _solution,
    "substitution": _substitution,
    "sparse_solution": _sparse_solution,
    "balance": _balance,
    "fourier": lambda b, g, t: b.fft(t, inverse=g.params[0]),
    "share": _share,
    "share_back": _share_back,
}

# Sums that touch only the elements of a region.
ACCUMULATE: dict[str, Callable[[Builder, Generator, Atom, Atom], Atom]] = {
    "place": _place_into,
    "scatter_add": _scatter_into,
    "sum": _sum_into,
}


# Linear programs.  A tangent (or cotangent) has the name of the primal value it belongs to.


@dataclass(frozen=True, slots=True)
class Edge:
    """`target += label(source)`; the label is emitted where the statement is, from the primal values it names."""

    label: Callable[[Builder], Generator]
    source: Var
    target: Var
    origin: Equation

    def transpose(self) -> Edge:
        return Edge(lambda b: self.label(b).dual(), self.target, self.source, self.origin)


@dataclass(frozen=True, slots=True)
class LinearLoop:
    """The linear part of a `loop` or `while`: its body's, once an iteration, forwards or backwards.

    `carries` pairs each carry's (initial value, parameter, result, out); values that the body reads from outside
    are inputs of every iteration, and sums over iterations in the dual.
    """

    origin: Equation
    body: Linear
    carries: tuple[tuple[Atom, Var, Atom, Var], ...]
    backwards: bool = False

    def transpose(self) -> LinearLoop:
        return LinearLoop(self.origin, transpose(self.body), self.carries, not self.backwards)


@dataclass(frozen=True, slots=True)
class LinearCond:
    """The linear part of a `cond`: that of the branch which the primal took."""

    origin: Equation
    branches: tuple[tuple[str, Linear], ...]
    backwards: bool = False

    def transpose(self) -> LinearCond:
        flipped = tuple((name, transpose(linear)) for name, linear in self.branches)
        return LinearCond(self.origin, flipped, not self.backwards)


@dataclass(frozen=True, slots=True)
class LinearAgain:
    """The linear part of an equation that is run again: that of a copy, whose results are `outs` of the equation."""

    origin: Equation
    again: Program
    outs: tuple[Var, ...]
    body: Linear
    backwards: bool = False

    def transpose(self) -> LinearAgain:
        return LinearAgain(self.origin, self.again, self.outs, transpose(self.body), not self.backwards)


@dataclass(frozen=True, slots=True)
class LinearRule:
    """The linear part of a function whose pullback the user has stated: of `ruled` (see `adcore.marks`).

    Attributes:
        origin: the equation.
        arguments: the active arguments, each with its position among all of them.
    """

    origin: Equation
    arguments: tuple[tuple[int, Var], ...]
    backwards: bool = False

    def transpose(self) -> LinearRule:
        return LinearRule(self.origin, self.arguments, not self.backwards)

    def ends(self) -> tuple[tuple[Var, ...], tuple[Var, ...]]:
        """What it comes from, and what it adds to."""
        arguments = tuple(var for _, var in self.arguments)
        return (self.origin.outs, arguments) if self.backwards else (arguments, self.origin.outs)


Step = Edge | LinearLoop | LinearCond | LinearAgain | LinearRule


@dataclass(frozen=True, slots=True)
class Linear:
    """Statements in order; `backwards` says that they are a dual's."""

    steps: tuple[Step, ...] = field(default=())
    backwards: bool = False


def transpose(linear: Linear) -> Linear:
    """The dual program: every statement reversed, in reverse order.

    Law: `transpose(transpose(l))` means what `l` means, and <l u, w> = <u, transpose(l) w>.
    """
    return Linear(tuple(step.transpose() for step in reversed(linear.steps)), not linear.backwards)


def loop_ends(loop: LinearLoop) -> list[tuple[Atom, Atom, Atom, Atom]]:
    """For each carry: what feeds it, where it enters the body, where it leaves it, what it ends in."""
    if loop.backwards:
        return [(out, result, param, init) for init, param, result, out in loop.carries]
    return list(loop.carries)


def cond_ends(cond: LinearCond, branch: str) -> list[tuple[Atom, Var]]:
    """Each branch result with the equation's out of the same position."""
    return list(zip(cond.origin.params[branch].results, cond.origin.outs, strict=True))


def reached(linear: Linear, seeds: set[Var]) -> set[Var]:
    """The values with a tangent that is not trivially zero, given those in `seeds`."""
    live = set(seeds)
    for step in linear.steps:
        if isinstance(step, Edge):
            if step.source in live:
                live.add(step.target)
        elif isinstance(step, LinearLoop):
            live |= reached_loop(step, live)
        elif isinstance(step, LinearAgain):
            live |= reached_again(step, live)
        elif isinstance(step, LinearRule):
            sources, ends = step.ends()
            live.update(ends if any(v in live for v in sources) else ())
        else:
            live |= reached_cond(step, live)
    return live


def reached_loop(loop: LinearLoop, live: set[Var]) -> set[Var]:
    """Fixed point over the carries: one that becomes live in the body is live from the start.

    Without an iteration a carry ends in what feeds it, so a live feed is enough.
    """
    live = set(live)
    ends = loop_ends(loop)
    live.update(enter for feed, enter, _, _ in ends if feed in live and isinstance(enter, Var))
    while True:
        inside = reached(loop.body, live)
        inside.update(enter for _, enter, leave, _ in ends if leave in inside and isinstance(enter, Var))
        if inside == live:
            break
        live = inside
    live.update(end for feed, _, leave, end in ends if (feed in live or leave in live) and isinstance(end, Var))
    return live


def reached_cond(cond: LinearCond, live: set[Var]) -> set[Var]:
    live = set(live)
    for name, linear in cond.branches:
        ends = cond_ends(cond, name)
        if cond.backwards:
            live |= reached(linear, live | {r for r, out in ends if out in live and isinstance(r, Var)})
        else:
            inside = reached(linear, live)
            live |= inside | {out for r, out in ends if r in inside}
    return live


def reached_again(step: LinearAgain, live: set[Var]) -> set[Var]:
    pairs = [(r, out) for r, out in zip(step.again.results, step.outs, strict=True) if isinstance(r, Var)]
    if step.backwards:
        return live | reached(step.body, live | {r for r, out in pairs if out in live})
    inside = reached(step.body, live)
    return live | inside | {out for r, out in pairs if r in inside}


def is_differentiable(atom: Atom) -> bool:
    return not isinstance(atom, Lit) and atom.type.dtype.differentiable

"""Random linear programs, and linear programs as matrices: apply them to a basis."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from adcore_numpy import interpret

from adcore import linear
from adcore.builder import Builder
from adcore.derive import emit
from adcore.linear import Edge, Generator, Linear
from adcore.primitives import TABLE
from adcore.program import Equation, Program
from adcore.types import BOOL, F64, I64, Atom, DType, Var, f64, i64, literal
from adcore.verify import verify

__all__ = ["Chain", "lengths", "matrix", "random_chain", "value_of"]

_ROWS, _COLUMNS = literal(2), literal(3)
_ORIGIN = Equation(TABLE["add"], (), {}, ())
_KINDS = {
    "scalar": (),
    "row": (_COLUMNS,),
    "column": (_ROWS,),
    "matrix": (_ROWS, _COLUMNS),
    "turned": (_COLUMNS, _ROWS),
}

_TO_COMPLEX, _TO_REAL = linear.cast(DType.F64, DType.C128), linear.cast(DType.C128, DType.F64)

Label = Callable[["Residuals"], Generator]


@dataclass(frozen=True, slots=True)
class Residuals:
    """Values that generators may be made of, by the shape they fit: factors, masks, square matrices; places, orders."""

    factors: dict[str, Var]
    masks: dict[str, Var]
    squares: dict[str, Var]
    places: Var
    orders: tuple[Var, Var]

    def all(self) -> tuple[Var, ...]:
        return (*self.factors.values(), *self.masks.values(), *self.squares.values(), self.places, *self.orders)


def _residuals() -> Residuals:
    return Residuals(
        {kind: Var(f64(*shape), f"s_{kind}") for kind, shape in _KINDS.items()},
        {kind: Var(f64(*shape).with_dtype(BOOL.dtype), f"m_{kind}") for kind, shape in _KINDS.items()},
        {"rows": Var(f64(_ROWS, _ROWS), "q_rows"), "columns": Var(f64(_COLUMNS, _COLUMNS), "q_columns")},
        Var(i64(_COLUMNS), "places"),
        (Var(i64(_COLUMNS), "order"), Var(i64(_COLUMNS), "order")),
    )


def _same(kind: str) -> list[Label]:
    """Maps from a shape to itself."""
    codes = {"scalar": "", "row": "i", "column": "i", "matrix": ":i", "turned": "i:"}[kind]
    maps: list[Label] = [
        lambda r: linear.identity(),
        lambda r: linear.negate(),
        lambda r: linear.scale(r.factors[kind]),
        lambda r: linear.mask(r.masks[kind]),
        lambda r: linear.compose(linear.mask(r.masks[kind]), linear.scale(r.factors[kind]), linear.negate()),
        lambda r: linear.compose(_TO_REAL, linear.scale(literal(2.0 - 0.5j)), linear.conjugate(), _TO_COMPLEX),
    ]
    if codes:
        maps.append(lambda r: linear.compose(_TO_REAL, linear.fourier(False), _TO_COMPLEX))
        maps.append(lambda r: linear.clear(codes, (literal(1),)))
    if kind in ("row", "matrix"):
        at = codes.replace("i", "a")
        maps.append(lambda r: linear.clear_at(at, (r.places,), (_COLUMNS, *_KINDS[kind][:-1])))
    return maps


def _sparse_solution(r: Residuals) -> Generator:
    """That of a matrix with one element in each row and column; of the factors only the types are read."""
    row, col = r.orders
    return linear.sparse_solution((r.factors["row"], row, col), (row, r.factors["row"], row, row, row, row))


def _balance(r: Residuals) -> Generator:
    """That of two matrices; of the Schur forms only the types are read."""
    a, b = r.squares["rows"], r.squares["columns"]
    return linear.balance(a, b, a, a, b, b, adjoint=False)


_BETWEEN: dict[tuple[str, str], list[Label]] = {
    ("scalar", "row"): [
        lambda r: linear.expand((0,), (_COLUMNS,)),
        lambda r: linear.place("i", (literal(2),), (_COLUMNS,)),
    ],
    ("row", "scalar"): [
        lambda r: linear.total((0,), (_COLUMNS,)),
        lambda r: linear.pick("i", (literal(0),), (_COLUMNS,)),
        lambda r: linear.share(r.masks["row"], (0,), (_COLUMNS,)),
        lambda r: linear.compose(linear.total((0,), (_COLUMNS,)), linear.scale(r.factors["row"])),
    ],
    ("row", "row"): [
        lambda r: linear.gather("a", (r.places,), (_COLUMNS,)),
        lambda r: linear.scatter_add("a", (r.places,), (_COLUMNS,)),
    ],
    ("turned", "matrix"): [
        lambda r: linear.permute((1, 0)),
        lambda r: linear.scatter_add(":a", (r.places,), (_ROWS, _COLUMNS)),
    ],
    ("row", "matrix"): [
        lambda r: linear.expand((0,), (_ROWS,)),
        lambda r: linear.place("i:", (literal(1),), (_ROWS, _COLUMNS)),
    ],
    ("matrix", "row"): [
        lambda r: linear.total((0,), (_ROWS,)),
        lambda r: linear.pick("i:", (literal(0),), (_ROWS, _COLUMNS)),
        lambda r: linear.share(r.masks["matrix"], (0,), (_ROWS,)),
    ],
    ("matrix", "column"): [lambda r: linear.pick(":i", (literal(1),), (_ROWS, _COLUMNS))],
    ("column", "matrix"): [lambda r: linear.expand((1,), (_COLUMNS,))],
    ("column", "row"): [lambda r: linear.grown(_ROWS, _COLUMNS)],
    ("row", "column"): [
        lambda r: linear.pick("s", (literal(2), _ROWS, literal(-2)), (_COLUMNS,)),
        lambda r: linear.grown(_COLUMNS, _ROWS),
    ],
    ("turned", "turned"): [_sparse_solution],
    ("matrix", "turned"): [
        lambda r: linear.permute((1, 0)),
        lambda r: linear.reshape((_ROWS, _COLUMNS), (_COLUMNS, _ROWS)),
        lambda r: linear.gather(":a", (r.places,), (_ROWS, _COLUMNS)),
    ],
    ("matrix", "matrix"): [
        lambda r: linear.left(r.squares["rows"]),
        lambda r: linear.right(r.squares["columns"]),
        lambda r: linear.solution(r.squares["rows"], r.squares["rows"], by="cholesky"),
        lambda r: linear.substitution(r.squares["rows"], lower=True),
        _balance,
        lambda r: linear.sums(linear.left(r.squares["rows"]), linear.mask(r.masks["matrix"])),
    ],
}


@dataclass(frozen=True, slots=True)
class Chain:
    """A linear program from `source` to `target`, and the residuals that it names."""

    linear: Linear
    source: Var
    target: Var
    residuals: Residuals

    def then(self, other: Chain) -> Chain:
        """First this one, then the other, whose source is this one's target."""
        return Chain(Linear(self.linear.steps + other.linear.steps), self.source, other.target, self.residuals)

    def generators(self) -> set[str]:
        """The names of the generators it is made of."""
        labels = [step.label(Builder()) for step in self.linear.steps if isinstance(step, Edge)]
        return {part.name for g in labels for part in (g, *(g.residuals if g.name == "compose" else ()))}

    def transposed(self) -> Chain:
        return Chain(linear.transpose(self.linear), self.target, self.source, self.residuals)


def random_chain(choices: random.Random, length: int, after: Chain | None = None) -> Chain:
    """A random linear program; with `after`, one that begins where that one ends.

    Every new value is the sum of one or two maps of earlier values, so that values fan out.
    """
    residuals = after.residuals if after else _residuals()
    kind = _kind_of(after.target) if after else choices.choice(list(_KINDS))
    source = after.target if after else Var(f64(*_KINDS[kind]), "v")
    values = [source]
    edges: list[Edge] = []
    for _ in range(length):
        target: Var | None = None
        for earlier in choices.sample(values, min(len(values), choices.randint(1, 2))) or [source]:
            found = _step(choices, earlier, target)
            if found is None:
                continue
            label, target = found
            edges.append(Edge(_labelled(label, residuals), earlier, target, _ORIGIN))
        if target is not None:
            values.append(target)
    return Chain(Linear(tuple(edges)), source, values[-1], residuals)


def _labelled(label: Label, residuals: Residuals) -> Callable[[Builder], Generator]:
    return lambda b: label(residuals)


def _step(choices: random.Random, source: Var, target: Var | None) -> tuple[Label, Var] | None:
    """A random map of the source, into the target where there is one already."""
    kind = _kind_of(source)
    maps = [(k, m) for (s, k), ms in _BETWEEN.items() if s == kind for m in ms] + [(kind, m) for m in _same(kind)]
    if target is not None:
        maps = [(k, m) for k, m in maps if k == _kind_of(target)]
    if not maps:
        return None
    to, label = choices.choice(maps)
    return label, target or Var(f64(*_KINDS[to]), "v")


def _kind_of(var: Var) -> str:
    return next(kind for kind, shape in _KINDS.items() if shape == var.type.shape)


def matrix(chain: Chain, seed: int = 0) -> np.ndarray:
    """The matrix of a linear program, for random residuals: a column for each element of the source."""
    b = Builder()
    t = Var(chain.source.type, "t")
    values: dict[Var, Atom] = {chain.source: t}
    emit(b, chain.linear, values, b.equations)
    end = values.get(chain.target, literal(0.0))
    program = Program((*chain.residuals.all(), t), b.equations, (end,))
    verify(program)
    residuals = [value_of(v, i + 100 * seed) for i, v in enumerate(chain.residuals.all())]
    columns = [interpret(program, (*residuals, e))[0] for e in basis(lengths(t))]
    return np.stack([np.ravel(c) for c in columns], axis=1)


def lengths(var: Var) -> Sequence[int]:
    return [int(n.value) for n in var.type.shape if not isinstance(n, Var)]


def value_of(var: Var, seed: int) -> np.ndarray:
    if var.name == "order":
        return np.random.default_rng(seed).permutation(*lengths(var))
    if var.type.dtype is I64.dtype:
        return np.random.default_rng(seed).integers(-2, 3, lengths(var))
    values = np.random.default_rng(seed).uniform(-1, 1, lengths(var))
    if var.type.dtype is F64.dtype:
        return values
    chosen = np.array(values > 0)
    chosen[(0,) * chosen.ndim] = True  # a share needs someone to share among
    return chosen | ~chosen.any(axis=0) if chosen.ndim else chosen


def basis(shape: Sequence[int]) -> list[np.ndarray]:
    """The unit tangents of a shape."""
    size = int(np.prod(shape))
    return [row.reshape(shape) for row in np.eye(size)]

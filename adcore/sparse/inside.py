"""Sparse Jacobians inside compiled functions.

Their elements are computed by the same sums as outside, all colours at once.  What the sums are is a matter of the
pattern: of one that is given they are captured arrays; one that is found is found at run time, by a function that is
called out of the compiled code and keeps what it has found, and that sees only what the pattern depends on.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..builder import Builder
from ..cache import unrepeatable
from ..errors import UnsupportedFunctionError
from ..hosting import host_operands, host_parts
from ..passes.dce import eliminate_dead
from ..plugins import Capture, Leaf, Lowered, Spec, Static, backend, frontend
from ..primitives.host import HostFunction, HostLeaf
from ..program import Program, clone
from ..trees import structure
from ..types import Atom, DType, Type, Var, literal
from .dataflow import depend
from .decisions import bare, values_read
from .plans import Plan, Sums, Ways
from .probing import probed
from .programs import ColumnSums, OfElements, Products, RowSums

__all__ = ["Inside", "Stored"]

KEPT = 16  # plans for one call in a program
SIDES = {"columns": ColumnSums, "rows": RowSums}
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Stored:
    """What a plan says of a matrix: where its elements are, and in which sums.

    Attributes:
        shape: of the matrix, rows first.
        row, col: of each element.
        sides: for "columns" and "rows": the number of sums, the colour of each column (or row), and the places in the
            sums of the elements that are taken from them.
        order: where each element is among those of the first side followed by those of the second.
    """

    shape: tuple[int, int]
    row: Integers
    col: Integers
    sides: dict[str, tuple[int, Integers, Integers]]
    order: Integers

    @classmethod
    def of(cls, plan: Plan, format: str) -> Stored:
        lines, others = plan.pattern.rows, plan.pattern.columns
        row, col = (lines, others) if format == "csr" else (others, lines)
        rows, columns = plan.pattern.shape if format == "csr" else plan.pattern.shape[::-1]
        sides: dict[str, tuple[int, Integers, Integers]] = {}
        taken: list[Integers] = []
        for name, sums, count in (("columns", plan.columns, columns), ("rows", plan.rows, rows)):
            if sums is None:
                nothing = np.zeros(0, np.int64)
                sides[name] = 0, np.full(count, -1), nothing
                continue
            places, elements = _at_once(sums)
            sides[name] = sums.total, sums.colours, places
            taken.append(np.arange(len(row)) if elements is None else elements)
        order = np.empty(len(row), np.int64)
        order[np.concatenate(taken)] = np.arange(len(row))
        return cls((rows, columns), row, col, sides, order)

    def sizes(self, names: Sequence[str]) -> list[int]:
        """How many rows and elements there are, and for each of these sides how many sums and elements."""
        found = [self.shape[0], len(self.row)]
        for name in names:
            count, _, places = self.sides[name]
            found += [count, len(places)]
        return found

    def arrays(self, names: Sequence[str]) -> list[Integers]:
        """Rows and columns of the elements, for each side colours and places, and the order where there are two."""
        found = [self.row, self.col]
        for name in names:
            _, colours, places = self.sides[name]
            found += [colours, places]
        return [*found, self.order] if len(names) > 1 else found


def _at_once(sums: Sums) -> tuple[Integers, Integers | None]:
    """The places of elements in all sums at once, and which elements these are."""
    places = [
        chunk.places // sums.count * sums.total + chunk.places % sums.count + chunk.first for chunk in sums.chunks
    ]
    if len(sums.chunks) == 1:
        return places[0], sums.chunks[0].elements
    return np.concatenate(places), np.concatenate([c.elements for c in sums.chunks if c.elements is not None])


@dataclass(frozen=True)
class Inside(OfElements):
    """The elements of a sparse Jacobian, with their rows and columns, and its shape.

    Attributes:
        ways: how it is computed.
        stored: what the plan for the pattern that is given says of the matrix, if one is.
        checked: whether the product with one direction is compared with the directional derivative.
    """

    ways: Ways = field(kw_only=True)
    stored: Stored | None = None
    checked: bool = False

    @property
    def title(self) -> str:
        return self.ways.title

    @property
    def sides(self) -> tuple[str, ...]:
        """What elements are taken from."""
        if self.stored is None:
            return self.ways.sides
        return tuple(name for name, (count, _, _) in self.stored.sides.items() if count) or ("columns",)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        unrepeatable(f"a {self.title}")
        given = [] if self.stored is None else self.stored.arrays(self.sides)
        arrays = {f"stored_{k}": array for k, array in enumerate(given)}
        specs = [Spec(DType.I64, (None,)) for _ in arrays]
        lowered = OfElements.lower(replace(self, further=tuple(arrays)), (arguments, *specs))
        captures = [Capture(name, arrays, spec) for name, spec in zip(arrays, specs, strict=True)]
        lowered.captures = (*captures, *lowered.captures)
        values, row, col, rows, columns = map(Leaf, range(5))
        lowered.result = frontend().sparse_array(values, row, col, rows, columns, Static(self.ways.format))
        return lowered

    def made(self, program: Program, wrt: list[int], *later: Atom) -> Program:
        b = Builder()
        columns: Atom = literal(0)
        for k in wrt:
            columns = b.add(columns, b.size(program.params[k].type.shape))
        if self.stored is not None:
            sizes: list[Atom] = [literal(n) for n in self.stored.sizes(self.sides)]
            arrays: list[Atom] = list(later)
            width = self.stored.shape[1]
            message = f"{self.title}: the pattern has {width} columns, the arguments have {{}} elements"
            b.check(b.eq(columns, width), columns, error="ValueError", message=message)
        else:
            sizes, arrays = self.found(b, program, wrt, columns)
        rows, count, *numbers = sizes
        row, col, *rest = arrays
        lengths = {"columns": rows, "rows": columns}
        parts: list[Atom] = []
        for k, name in enumerate(self.sides):
            number, wanted = numbers[2 * k : 2 * k + 2]
            colours, places = rest[2 * k : 2 * k + 2]
            parts.append(self.side(b, program, wrt, name, number, wanted, (colours, lengths[name], places)))
        values = parts[0]
        if len(parts) > 1:
            values = b.gather(self.joined(b, parts, numbers[1::2], count), rest[-1], codes="a")
        row, col, values = (b.conform(x, count, checked=False) for x in (row, col, values))
        if self.checked:
            self.compare(b, program, wrt, values, row, col, rows, columns)
        return eliminate_dead(Program(program.params, b.equations, (values, row, col, rows, columns)))

    def side(
        self, b: Builder, program: Program, wrt: list[int], name: str, number: Atom, wanted: Atom, sums: Any
    ) -> Atom:
        """The elements that are taken from sums of columns, or of rows."""
        colours, length, places = sums
        kind = SIDES[name](self.function, self.argnums, count=number)
        part = kind.made(clone(program), wrt, colours, literal(0), length, places)
        if len(self.sides) == 1:
            return placed(b, part, program)
        then, otherwise = b.region(), b.region()
        some = placed(then, part, program)
        none = otherwise.expand(some.type.dtype.zero, wanted, axes=(0,))
        some = then.conform(some, wanted, checked=False)
        has_some = b.gt(number, 0)
        return b.cond(has_some, then.program((), (some,)), otherwise.program((), (none,)))[0]

    def joined(self, b: Builder, parts: list[Atom], lengths: list[Atom], count: Atom) -> Atom:
        whole, at = b.expand(parts[0].type.dtype.zero, count, axes=(0,)), literal(0)
        for part, length in zip(parts, lengths, strict=True):
            whole = b.update(whole, part, at, length, 1, codes="s")
            at = b.add(at, length)
        return whole

    def found(self, b: Builder, program: Program, wrt: list[int], columns: Atom) -> tuple[list[Atom], list[Atom]]:
        """The sizes and arrays of the plan for the pattern at this point."""
        words = Var(Type(DType.I64, (Var(Type(DType.I64), "n"),)), "words")
        sets = bare(depend(clone(program), wrt, words))
        read = values_read(sets)
        finder = _Finder(self, Program((*sets.params, words), sets.equations, sets.results, sets.name), read)
        given: list[Atom] = [columns]
        leaves: list[HostLeaf] = [HostLeaf(DType.I64)]
        for k, param in enumerate(program.params):
            if k not in read:
                given += param.type.shape
                leaves += [HostLeaf(DType.I64)] * param.type.rank
                continue
            if param.type.dtype.complex:
                cause = f"{self.title} in a compiled function: the complex {param.name!r} decides its pattern"
                raise UnsupportedFunctionError(cause, write="jacfwd or jacrev there")
            given.append(param)
            leaves.append(HostLeaf(param.type.dtype, param.type.rank, is_python(param.type)))
        tree = structure(tuple(range(len(leaves))))

        def called(function: Callable[..., Any], shapes: list[tuple[Atom, ...]]) -> list[Atom]:
            results = [HostLeaf(DType.I64, len(shape)) for shape in shapes]
            host = HostFunction(function, leaves, tree, results, structure(tuple(range(len(results)))))
            return host_parts(b, b.host_integers(*host_operands(b, given, shapes), function=host), shapes)

        rows, count, *numbers = called(finder.sizes, [()] * (2 + 2 * len(self.sides)))
        lengths = {"columns": columns, "rows": rows}
        shapes: list[tuple[Atom, ...]] = [(count,), (count,)]
        for k, name in enumerate(self.sides):
            shapes += [(lengths[name],), (numbers[2 * k + 1],)]
        if len(self.sides) > 1:
            shapes.append((count,))
        return [rows, count, *numbers], called(finder.arrays, shapes)

    def compare(
        self,
        b: Builder,
        program: Program,
        wrt: list[int],
        values: Atom,
        row: Atom,
        col: Atom,
        rows: Atom,
        columns: Atom,
    ) -> None:
        """Check that the product with a direction is the directional derivative."""
        dtype = values.type.dtype
        direction = b.add(1.0, b.mul(0.5, b.sin(b.cast(b.iota(columns), dtype=dtype))))
        product = Products(self.function, self.argnums).made(clone(program), wrt, direction)
        exact = b.conform(placed(b, product, program), rows, checked=False)
        products = b.mul(values, b.gather(direction, col, codes="a"))
        nothing = b.expand(dtype.zero, rows, axes=(0,))
        found = b.scatter_add(nothing, products, row, codes="a")
        size = b.add(b.scatter_add(nothing, b.abs(products), row, codes="a"), b.abs(exact))
        precision = float(np.sqrt(np.finfo(dtype.numpy).eps))
        wrong = b.gt(b.abs(b.sub(found, exact)), b.mul(dtype.constant(precision), size))
        number = b.total(b.cast(wrong, dtype=DType.I64), axes=(0,))
        message = f"{self.title}: the pattern leaves out elements that are not 0: a product is wrong in {{}} rows"
        b.check(b.eq(number, 0), number, error="ValueError", message=message)


def placed(b: Builder, part: Program, program: Program) -> Atom:
    """The one result of a program of the same parameters, emitted here."""
    env: dict[Var, Atom] = {}
    for inner, outer in zip(part.params, program.params, strict=True):
        env[inner] = outer
        for one, other in zip(inner.type.shape, outer.type.shape, strict=True):
            if isinstance(one, Var):
                env[one] = other
    copy = clone(Program((), part.equations, part.results), env)
    b.adopt(copy.equations)
    return copy.results[0]


class _Finder:
    """Finds the pattern for what it depends on, and keeps the plans made last."""

    def __init__(self, inside: Inside, sets: Program, read: set[int]) -> None:
        self.inside = inside
        self.sets = sets
        self.read = read
        self.kept: OrderedDict[Any, Stored] = OrderedDict()
        self.lock = threading.Lock()

    @functools.cached_property
    def compiled(self) -> Callable[..., Any]:
        return backend().compile(self.sets)

    def sizes(self, columns: int, *given: Any) -> tuple[int, ...]:
        return tuple(self.stored(columns, given).sizes(self.inside.sides))

    def arrays(self, columns: int, *given: Any) -> tuple[Integers, ...]:
        return tuple(self.stored(columns, given).arrays(self.inside.sides))

    sizes.__name__ = arrays.__name__ = "the pattern of a sparse Jacobian"

    def stored(self, columns: int, given: Sequence[Any]) -> Stored:
        key = int(columns), *((np.shape(g), np.asarray(g).tobytes()) for g in given)
        with self.lock:
            found = self.kept.get(key)
            if found is None:
                found = self.kept[key] = self.made(int(columns), given)
            self.kept.move_to_end(key)
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        return found

    def made(self, columns: int, given: Sequence[Any]) -> Stored:
        arguments = self.arguments(given)
        pattern = probed(lambda words: self.compiled(*arguments, words)[0], columns)
        pattern = pattern.symmetric() if self.inside.ways.symmetric else pattern
        return Stored.of(self.inside.ways.plan(pattern), self.inside.ways.format)

    def arguments(self, given: Sequence[Any]) -> list[Any]:
        """The parameters of the program of sets; those that it does not read are zeros."""
        values = iter(given)
        found: list[Any] = []
        for k, param in enumerate(self.sets.params[:-1]):
            if k in self.read:
                found.append(next(values))
                continue
            shape = tuple(int(next(values)) for _ in range(param.type.rank))
            zeros = np.zeros(shape, param.type.dtype.numpy)
            found.append(zeros if shape else zeros.item() if is_python(param.type) else zeros[()])
        return found


def is_python(type: Type) -> bool:
    """Whether compiled code takes a Python number for a parameter of this type."""
    return not type.rank and type.dtype in (DType.F64, DType.I64, DType.BOOL, DType.C128)

"""The steps of a plan, and what they do when a program runs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from adcore.primitives import CHECKED_ERRORS
from adcore.program import Equation
from adcore.types import Atom, DType, Type, Var

from ..executable import raise_at
from .elements import places
from .kernel import Kernel, Layout
from .run import Memory, Placed, Run, c_contiguous

__all__ = [
    "Check",
    "Compute",
    "Copy",
    "Elements",
    "Fold",
    "Loop",
    "Product",
    "ReadBack",
    "Reshape",
    "Serial",
    "Step",
    "Write",
]


def nothing() -> None:
    pass


def atoms(given: Iterable[Atom]) -> Iterator[Var]:
    return (a for a in given if isinstance(a, Var))


class Step:
    """A step of a plan."""

    def reads(self) -> Iterable[Var]:
        """The values that it needs."""
        raise NotImplementedError

    def do(self, run: Run) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Compute(Step):
    """A number that the host computes."""

    equation: Equation

    def reads(self) -> Iterable[Var]:
        return atoms(self.equation.operands)

    def do(self, run: Run) -> None:
        out = self.equation.outs[0]
        with np.errstate(all="ignore"):
            value = self.equation.primitive.meaning(*map(run.number, self.equation.operands), **self.equation.params)
        run.numbers[out] = out.type.dtype.numpy.type(value)


@dataclass(frozen=True)
class Check(Step):
    """What the host checks: a condition, or the lengths of an array."""

    equation: Equation

    def reads(self) -> Iterable[Var]:
        return [*atoms(self.equation.operands), *atoms(self.equation.operands[0].type.shape)]

    def do(self, run: Run) -> None:
        equation = self.equation
        try:
            if equation.primitive.name == "check":
                equation.primitive.meaning(*map(run.number, equation.operands), **equation.params)
            else:
                self.compare(run)
        except tuple(CHECKED_ERRORS.values()) as error:
            raise_at(error.with_traceback(None), equation.source)

    def compare(self, run: Run) -> None:
        got = run.shape(self.equation.operands[0].type)
        wanted = tuple(int(run.number(a)) for a in self.equation.operands[1:])
        if got != wanted:
            message = self.equation.params.get("message")
            default = f"operands could not be broadcast together with shapes {wanted} {got}".replace(", ", ",")
            raise ValueError(message.format(*got, *wanted) if message else default)


@dataclass(frozen=True)
class ReadBack(Step):
    """A number that the device has computed, for the host: it waits for the device."""

    var: Var

    def reads(self) -> Iterable[Var]:
        return (self.var,)

    def do(self, run: Run) -> None:
        placed = run.values[self.var]
        numpy = self.var.type.dtype.numpy
        run.numbers[self.var] = np.frombuffer(run.driver.read(placed.pointer, numpy.itemsize, run.stream), numpy)[0]


@dataclass(frozen=True)
class Reshape(Step):
    """An array under another name, and with other lengths."""

    source: Var
    target: Var

    def reads(self) -> Iterable[Var]:
        return [self.source, *atoms(self.target.type.shape)]

    def do(self, run: Run) -> None:
        source = run.values[self.source]
        lengths = run.shape(self.target.type)
        run.values[self.target] = Placed(source.pointer, lengths, c_contiguous(lengths), source.owner)


@dataclass(frozen=True)
class Launch(Step):
    """A kernel, and what it needs."""

    kernel: Kernel
    memory: Memory = field(default_factory=Memory, compare=False, kw_only=True)

    def reads(self) -> Iterable[Var]:
        for argument in self.kernel.arguments:
            yield argument.var
            yield from atoms(argument.type.shape)

    def launch(self, run: Run, trips: int, targets: dict[Var, Placed], begin: Callable[[], None] = nothing) -> None:
        """Run the kernel for so many numbers; raises what it fails with.

        What it writes into is made ready by `begin`.
        """
        values = [c for a in self.kernel.arguments for c in self.given(run, a.var, a.layout)]
        for var in self.kernel.written:
            placed = targets[var]
            values.append(ctypes.c_uint64(placed.pointer))
            if var.type.shape:
                values += map(ctypes.c_int64, placed.lengths)
        run.launch(self.kernel, values, trips, self.memory, begin)

    def given(self, run: Run, var: Var, layout: Layout) -> list[Any]:
        if layout is Layout.NUMBER:
            return as_c(var.type.dtype, run.numbers[var])
        value = run.values[var]
        if layout is Layout.CELL:
            return [ctypes.c_uint64(value.pointer)]
        lengths = [*value.lengths, *(value.strides if layout is Layout.STRIDED else ())]
        return [ctypes.c_uint64(value.pointer), *map(ctypes.c_int64, lengths)]


def as_c(dtype: DType, value: Any) -> list[Any]:
    """A number as a kernel takes it."""
    if dtype.complex:
        return [*as_c(dtype.real, value.real), *as_c(dtype.real, value.imag)]
    if dtype is DType.BOOL:
        return [ctypes.c_uint8(bool(value))]
    kind = np.ctypeslib.as_ctypes_type(dtype.numpy)
    return [kind(value.item() if isinstance(value, np.generic) else value)]


@dataclass(frozen=True)
class Copy(Launch):
    """An array in memory of its own, in C order."""

    target: Var

    def reads(self) -> Iterable[Var]:
        return [*super().reads(), *atoms(self.target.type.shape)]

    def do(self, run: Run) -> None:
        placed = run.values[self.target] = run.new(self.target.type)
        self.launch(run, prod(placed.lengths), {self.target: placed})


@dataclass(frozen=True)
class Serial(Launch):
    """A part of a program that one thread runs."""

    def reads(self) -> Iterable[Var]:
        return [*super().reads(), *(a for v in self.kernel.written for a in atoms(v.type.shape))]

    def do(self, run: Run) -> None:
        targets = {var: run.new(var.type) for var in self.kernel.written}
        self.launch(run, 1, targets)
        run.values.update(targets)


@dataclass(frozen=True)
class Loop(Launch):
    """A loop of independent iterations.

    Attributes:
        starts: the arrays that those begin with which it writes into.
    """

    trips: Atom
    starts: dict[Var, Var]

    def reads(self) -> Iterable[Var]:
        lengths = (a for v in self.kernel.written for a in atoms(v.type.shape))
        return [*super().reads(), *atoms([self.trips]), *self.starts.values(), *lengths]

    def do(self, run: Run) -> None:
        targets = {var: run.new(var.type) for var in self.kernel.written}

        def begin() -> None:
            for target, start in self.starts.items():
                size = prod(targets[target].lengths) * target.type.dtype.bits // 8
                run.driver.copy(targets[target].pointer, run.values[start].pointer, size, run.stream)

        self.launch(run, max(int(run.number(self.trips)), 0), targets, begin)
        run.values.update(targets)


@dataclass(frozen=True)
class Elements(Launch):
    """An elementwise group, and partial results of its reductions.

    Attributes:
        space: the type of its arrays.
        axes: which axes are folded.
        partials: for each reduction the array of its partial results.
    """

    space: Type
    axes: tuple[int, ...]
    partials: dict[Var, Var]

    def reads(self) -> Iterable[Var]:
        return [*super().reads(), *atoms(self.space.shape)]

    def do(self, run: Run) -> None:
        lengths = run.shape(self.space)
        trips = prod(lengths)
        targets = {}
        if self.partials:
            folded = prod(n for axis, n in enumerate(lengths) if axis in self.axes)
            results = prod(n for axis, n in enumerate(lengths) if axis not in self.axes)
            count = places(folded, results)
            trips = count * results
            for out, partial in self.partials.items():
                shape = (count, *run.shape(out.type))
                targets[partial] = run.placed(partial.type.dtype, shape)
        for var in self.kernel.written:
            if var not in targets:
                targets[var] = run.new(var.type)
        self.launch(run, trips, targets)
        run.values.update(targets)


@dataclass(frozen=True)
class Product(Launch):
    """Partial results of a matrix product, along an axis of this length."""

    out: Var
    inner: Atom

    def reads(self) -> Iterable[Var]:
        return [*super().reads(), *atoms([*self.out.type.shape, self.inner])]

    def do(self, run: Run) -> None:
        shape = run.shape(self.out.type)
        count = places(int(run.number(self.inner)), prod(shape))
        (partial,) = self.kernel.written
        placed = run.values[partial] = run.placed(self.out.type.dtype, (count, *shape))
        self.launch(run, prod(placed.lengths), {partial: placed})


@dataclass(frozen=True)
class Write(Launch):
    """A write into a copy of an array, or into the array itself where nothing else needs it.

    Attributes:
        start: the array; None where it has no elements yet.
        value: the type of what is written; None where so many threads share the places.
    """

    start: Var | None
    out: Var
    value: Type | None
    shares: int
    in_place: bool

    def reads(self) -> Iterable[Var]:
        given = [*self.out.type.shape, *(self.value.shape if self.value else ())]
        return [*super().reads(), *atoms(given), *([self.start] if self.start else [])]

    def do(self, run: Run) -> None:
        placed = run.values[self.start] if self.start and self.in_place else run.new(self.out.type)

        def begin() -> None:
            if self.start is not None and not self.in_place:
                size = prod(placed.lengths) * self.out.type.dtype.bits // 8
                run.driver.copy(placed.pointer, run.values[self.start].pointer, size, run.stream)

        trips = self.shares if self.value is None else prod(run.shape(self.value))
        self.launch(run, trips, dict.fromkeys(self.kernel.written, placed), begin)
        run.values[self.out] = placed


@dataclass(frozen=True)
class Fold(Launch):
    """The rows of an array folded to one."""

    rows: Var
    out: Var

    def reads(self) -> Iterable[Var]:
        return [self.rows, *atoms(self.out.type.shape)]

    def do(self, run: Run) -> None:
        source = run.values[self.rows]
        (rows, target), dtype = (self.kernel.arguments[0].var, self.kernel.written[0]), self.out.type.dtype
        shape = run.shape(self.out.type)
        columns = prod(shape)
        while source.lengths[0] != 1:
            count = places(source.lengths[0], columns)
            run.values[rows] = Placed(source.pointer, (source.lengths[0], columns), (columns, 1), source.owner)
            placed = run.placed(dtype, (count, columns))
            self.launch(run, count * columns, {target: placed})
            source = placed
        run.values.pop(rows, None)
        run.values[self.out] = Placed(source.pointer, shape, c_contiguous(shape), source.owner)

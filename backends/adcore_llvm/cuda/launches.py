"""Steps that launch kernels."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from adcore.types import Atom, DType, Type, Var

from .elements import places
from .kernel import Kernel, Layout
from .run import Memory, Placed, Run, c_contiguous
from .steps import Step, atoms

__all__ = ["Copy", "Elements", "Fold", "Loop", "Product", "Serial", "Write"]


def nothing() -> None:
    pass


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

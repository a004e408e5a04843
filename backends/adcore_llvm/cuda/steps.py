"""The steps of a plan, and what they do when a program runs: those of the host; `launches` has those of the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from adcore.primitives import CHECKED_ERRORS
from adcore.program import Equation
from adcore.types import Atom, Var

from ..executable import raise_at
from .run import Placed, Run, c_contiguous

__all__ = ["Check", "Compute", "Permute", "ReadBack", "Reshape", "Step", "atoms"]


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
class Permute(Step):
    """An array under another name, with its axes in another order."""

    source: Var
    target: Var
    order: tuple[int, ...]

    def reads(self) -> Iterable[Var]:
        return (self.source,)

    def do(self, run: Run) -> None:
        source = run.values[self.source]
        lengths, strides = (tuple(of[k] for k in self.order) for of in (source.lengths, source.strides))
        run.values[self.target] = Placed(source.pointer, lengths, strides, source.owner)

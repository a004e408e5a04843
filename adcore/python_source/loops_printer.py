"""Printing programs whose arithmetic is on scalars, in the Python that Numba compiles."""

from __future__ import annotations

from collections.abc import Sequence

from ..naming import identifier
from ..program import Equation, Program
from ..types import Var
from .buffers import buffers_of
from .expressions import Expression
from .loops import spelled_in_loops
from .messages import Shape, has_fields, quoted, tuple_text
from .printer import Printer
from .writer import Writer

__all__ = ["LoopsPrinter"]

_SHORT = 30  # of longer tuples Python's compiler makes lists first, which Numba takes if the elements are variables


class LoopsPrinter(Printer):
    """For programs whose arithmetic is on scalars, in the Python that Numba compiles."""

    def __init__(self, writer: Writer, used_once: set[Var], folds: frozenset[Equation]) -> None:
        super().__init__(writer, used_once, folds)
        self.buffers = buffers_of(writer.storage.program, writer.storage)

    def before_loop(self, equation: Equation) -> None:
        """Make the arrays that the iterations use one after the other."""
        writer = self.writer
        for array in self.buffers.get(equation, ()):
            (out,) = array.outs
            name = writer.unused(identifier(out.name))
            writer.emit(f"{name} = {self.composed(array).text}")
            writer.hold(name, out)
            writer.buffers.add(name)

    def expression(self, equation: Equation) -> None:
        if self.writer.variable(equation.outs[0]) not in self.writer.buffers:
            super().expression(equation)

    def spelled(self, equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
        return spelled_in_loops(equation, x, lengths, self.folds)

    def call(self, equation: Equation, x: Sequence[Expression]) -> Expression:
        return spelled_in_loops(equation, x, (), self.folds)

    def results(self, program: Program) -> None:
        if len(program.results) > _SHORT:
            self.writer.settle()
        super().results(program)

    def raising(self, error: str, message: str, reported: Sequence[Expression]) -> None:
        if has_fields(message):
            arguments = [error, quoted(message), *(x.text for x in reported)]
            self.writer.emit(f"    raise Failure({', '.join(arguments)})")
        else:
            super().raising(error, message, reported)

    def mismatch(self, message: str, *shapes: Shape) -> None:
        fields = (tuple_text(["{}"] * len(lengths), ",") for _, lengths in shapes)
        self.raising("ValueError", message.format(*fields), [n for _, lengths in shapes for n in lengths])

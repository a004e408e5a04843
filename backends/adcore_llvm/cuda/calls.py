"""Steps that a library for the device runs: matrix products, factorizations, and what is solved with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore.program import Equation
from adcore.types import Atom, Lit, Type

from ..executable import raise_at
from .algebra import Operations, compute
from .run import Run
from .steps import Step, atoms

__all__ = ["Call"]


@dataclass(frozen=True)
class Call(Step):
    """An equation that a library computes; its operands lie in memory in C order, or are the host's."""

    equation: Equation
    by: Operations

    def reads(self) -> Iterable[Any]:
        operands, outs = self.equation.operands, self.equation.outs
        return atoms([*operands, *(n for a in (*operands, *outs) for n in a.type.shape)])

    def do(self, run: Run) -> None:
        equation, by = self.equation, self.by
        placed = [run.new(out.type) for out in equation.outs]
        if self.is_empty(run):
            self.on_host(run, placed)
        else:
            try:
                with by.on(run.stream):
                    given = [self.given(run, a) for a in equation.operands]
                    outs = [by.array(p, o.type.dtype.numpy) for p, o in zip(placed, equation.outs, strict=True)]
                    compute(by, equation, given, outs)
            except (MemoryError, RuntimeError) as error:
                raise_at(error.with_traceback(None), equation.source)
        run.values.update(zip(equation.outs, placed, strict=True))

    def given(self, run: Run, atom: Atom) -> Any:
        if isinstance(atom, Lit) or atom not in run.values:
            return run.number(atom)
        return self.by.array(run.values[atom], atom.type.dtype.numpy)

    # LAPACK has no matrices without elements, and what they give does not depend on any

    def is_empty(self, run: Run) -> bool:
        return any(0 in run.shape(a.type) for a in self.equation.operands[:2])

    def on_host(self, run: Run, placed: list[Any]) -> None:
        def blank(type: Type) -> Any:
            return np.zeros(run.shape(type), type.dtype.numpy)

        equation = self.equation
        given = [blank(a.type) if a.type.shape else a.type.dtype.numpy.type(0) for a in equation.operands]
        found = equation.primitive.meaning(*given, **equation.params)
        values = found if len(equation.outs) > 1 else (found,)
        for target, out, value in zip(placed, equation.outs, values, strict=True):
            run.driver.write(target.pointer, np.asarray(value, out.type.dtype.numpy).tobytes(), run.stream)

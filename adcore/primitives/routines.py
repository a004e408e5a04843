"""Rows whose meaning is a routine: a function of numbers in plain Python, with the loops and branches that it needs.

Series and continued fractions that no library has are written once, in the language that the frontend compiles.
Python runs a routine in the reference backend; elsewhere its Program is what is lowered.  The derivative of a routine
in one of its operands is that Program differentiated, a row again: `zeta@0`, whose own derivative is `zeta@0@0`.

Functions of arrays are routines too, as those by which sparse matrices are taken apart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..linear import Generator, scale
from ..once import once
from ..types import DType, literal
from .base import TABLE, Kind, Primitive

if TYPE_CHECKING:
    from ..program import Program

__all__ = ["Routine", "array_routine", "partial", "partial_row"]


KEPT = 4096  # values of derivatives that are not interpreted again


class Routine:
    """A row's meaning as a function of numbers, applied element by element."""

    def __init__(self, function: Callable[..., Any], arity: int) -> None:
        self.function = function
        self.arity = arity

    def __call__(self, *operands: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.vectorize(self._of_numbers, otypes=[np.float64])(*operands)[()]

    def _of_numbers(self, *operands: Any) -> Any:
        return self.function(*(np.float64(x) for x in operands))

    @property
    def program(self) -> Program:
        """The routine as a Program of numbers."""
        return _lowered(self)


class _Partial(Routine):
    """The derivative of a routine in one operand."""

    def __init__(self, of: Routine, index: int) -> None:
        super().__init__(lru_cache(KEPT)(self.evaluated), of.arity)
        self.of = of
        self.index = index

    def evaluated(self, *operands: Any) -> Any:
        from ..plugins import backend  # frontends and backends are loaded when a routine is first needed

        return backend("numpy").compile(self.program)(*operands)[0]


@cache
def _lowered(routine: Routine) -> Program:
    from ..derive import push  # which imports the table
    from ..passes.dce import eliminate_dead
    from ..plugins import Spec, frontend
    from ..program import Program, clone

    if not isinstance(routine, _Partial):
        specs = tuple(Spec(DType.F64) for _ in range(routine.arity))
        return frontend().lower(routine.function, specs).program
    pushed = push(routine.of.program, (routine.index,))
    *params, tangent = pushed.params
    seeded = clone(Program(tuple(params), pushed.equations, pushed.results[1:], pushed.name), {tangent: literal(1.0)})
    return eliminate_dead(seeded)


@cache
def array_routine(function: Callable[..., Any], types: tuple[tuple[DType, int], ...]) -> Program:
    """A function of arrays and numbers of these dtypes and ranks as a Program.

    It checks no index: who calls it sees to it that what the routine reads is in range.
    """
    from ..passes.trusting import trusting
    from ..plugins import ANY, Spec, frontend

    specs = tuple(Spec(dtype, (ANY,) * rank) for dtype, rank in types)
    return trusting(frontend().lower(function, specs).program)


def partial(name: str, index: int) -> Callable[..., Generator]:
    """The rule of a routine in one operand: scaling by the derivative of its Program."""
    return lambda b, *operands_and_result: scale(b.emit(TABLE[f"{name}@{index}"], operands_and_result[:-1], {}))


@once
def partial_row(name: str) -> Primitive:
    """The row of a routine's derivative: `name@index`."""
    inner, _, index = name.rpartition("@")
    of = TABLE[inner]
    assert isinstance(of.meaning, Routine)
    arity = of.meaning.arity
    maps = tuple(_again(name, k) for k in range(arity))
    return Primitive(name, Kind.ELEMENTWISE, of.typing, _Partial(of.meaning, int(index)), maps=maps, sampler=of.sampler)


def _again(name: str, index: int) -> Callable[..., Generator]:
    return lambda b, e: partial(name, index)(b, *e.operands, e.outs[0])

"""Interpretation that keeps, beside every number that is not finite, what it comes from.

A slot is a value and, where some of it is not finite, an integer for each element: the number of its origin, 0 where
the element is finite.  What a primitive does with these integers follows from its kind: views, gathers and writes move
them as they move elements, elementwise operations take those of their operands, and of all others the results have the
earliest one among the operands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from adcore.nonfinite import Iteration, Origin, Traced
from adcore.primitives import Kind
from adcore.program import Equation, Program
from adcore.types import Var

from .interpreter import Interpreter, fresh

__all__ = ["trace"]

Slot = tuple[Any, Any]  # a value, and the numbers of origins or None

_MOVING = {Kind.VIEW, Kind.GATHER}
_ADDING = {"add_at", "scatter_add"}
MOST = 64  # elements of one result that have origins of their own
_NONE = np.iinfo(np.int64).max


def trace(
    program: Program, arguments: Sequence[Any], known: Sequence[Any] = (), before: Sequence[Origin] = ()
) -> Traced:
    """Interpret a program, and tell of each number that is not finite where it comes from.

    Args:
        program: a well-formed program.
        arguments: as of `interpret`.
        known: for the first arguments the numbers of their origins, as another trace gave them for its results; those
            of further ones are the arguments themselves.
        before: the origins that these numbers are of.

    Raises:
        Exception: as `interpret`.
    """
    tracer = _Tracer(program, arguments, known, before)
    tracer.run(program)
    slots = [tracer.slot(atom) for atom in program.results]
    results = tuple(fresh(value, atom.type) for (value, _), atom in zip(slots, program.results, strict=True))
    return Traced(results, tuple(numbers for _, numbers in slots), tracer.origins)


class _Tracer(Interpreter):
    def __init__(
        self, program: Program, arguments: Sequence[Any], known: Sequence[Any], before: Sequence[Origin]
    ) -> None:
        self.origins = list(before)
        self.iterations: list[tuple[Equation, int]] = []
        self.known = dict(zip(program.params, known, strict=False))
        super().__init__(program, arguments)

    # Slots

    def argument(self, var: Var, value: Any) -> Slot:
        bad = _bad(value)
        if bad is None:
            return value, None
        if var in self.known:
            return value, self.known[var]
        return value, self.given(value, f"the argument {var.name}")

    def constant(self, value: Any) -> Slot:
        return value, None if _bad(value) is None else self.given(value, "a constant")

    def given(self, value: Any, name: str) -> Any:
        """The numbers of what is not finite in an argument or constant: NaNs have another origin than infinities."""
        numbers = np.zeros(np.shape(value), np.int64)
        for where, is_nan in ((np.isnan(value), True), (np.isinf(value), False)):
            if np.any(where):
                text = f"{name} = {'nan' if is_nan else 'inf'}"
                numbers = np.where(where, self.number(Origin(text, None, is_nan=is_nan, given=True)), numbers)
        return numbers

    def plain(self, slot: Slot) -> Any:
        return slot[0]

    def number(self, origin: Origin) -> int:
        self.origins.append(origin)
        return len(self.origins)

    def iterating(self, equation: Equation, iteration: int | None) -> None:
        if self.iterations and self.iterations[-1][0] is equation:
            self.iterations.pop()
        if iteration is not None:
            self.iterations.append((equation, iteration))

    # Equations

    def computed(self, equation: Equation, operands: list[Any]) -> tuple[Any, ...]:
        values = self.meaning(equation, operands)
        if equation.primitive.name == "empty":  # whose elements are still to be written
            return tuple((value, None) for value in values)
        return tuple((value, self.numbers(equation, operands, value)) for value in values)

    def numbers(self, equation: Equation, operands: list[Any], value: Any) -> Any:
        """Of a result, the numbers of the origins of its elements."""
        bad = _bad(value)
        if bad is None:
            return None
        inherited = _inherited(equation, operands, value) if any(n is not None for _, n in operands) else None
        numbers = np.zeros(np.shape(value), np.int64) if inherited is None else np.where(bad, inherited, 0)
        nan = np.isnan(value)
        for at in self.separate(bad & (numbers == 0) & ~nan, bad & (numbers == 0) & nan):
            numbers = np.where(at, self.number(self.origin(equation, operands, value, at)), numbers)
        turned = nan & (numbers != 0)
        for number in np.unique(numbers[turned]) if turned.any() else ():
            if not self.origins[number - 1].is_nan:
                here = turned & (numbers == number)
                origin = self.origin(equation, operands, value, here, int(number))
                numbers = np.where(here, self.number(origin), numbers)
        return numbers

    def separate(self, *masks: Any) -> Iterator[Any]:
        """Elements one by one, as masks; where there are many, the rest together."""
        for mask in masks:
            places = np.argwhere(mask)
            for k, place in enumerate(places):
                if k == MOST - 1:
                    rest = np.array(mask)
                    for before in places[:k]:
                        rest[tuple(before)] = False
                    yield rest
                    break
                one = np.zeros(np.shape(mask), bool)
                one[tuple(place)] = True
                yield one

    def origin(self, equation: Equation, operands: list[Any], value: Any, where: Any, parent: int = 0) -> Origin:
        at = tuple(int(i) for i in np.argwhere(where)[0])
        shape = np.shape(value)
        shown = [_shown(x, at, shape, equation.primitive.kind is Kind.ELEMENTWISE) for x, _ in operands]
        found = value[at] if shape else value
        text = f"{equation.primitive.name}({', '.join(shown)}) = {_number(found)}"
        iterations = tuple(self.iteration(loop, k) for loop, k in self.iterations)
        return Origin(text, equation.source, iterations, at, parent, bool(np.isnan(found)))

    def iteration(self, loop: Equation, k: int) -> Iteration:
        """Which iteration of the function's own loop is run, where that can be said."""
        if loop.backwards and loop.primitive.name == "loop":
            k = int(self.value(loop.operands[0])) - 1 - k
        if any(inner.segment for inner in loop.params["body"].equations):
            return Iteration(loop.source, k, "part")
        if loop.backwards:
            return Iteration(loop.source, k)
        adjoint = loop.source is not None and "adjoint" in loop.source.sweep
        return Iteration(loop.source, k, "step" if loop.segment or (adjoint and not loop.joins) else "iteration")


def _bad(value: Any) -> Any:
    """Which elements are not finite; None where all are."""
    if np.asarray(value).dtype.kind not in "fc":
        return None
    bad = ~np.isfinite(value)
    return bad if np.any(bad) else None


def _inherited(equation: Equation, operands: list[Any], value: Any) -> Any:
    """The numbers that a result's elements have from the operands."""
    primitive, shape = equation.primitive, np.shape(value)
    numbers = [np.zeros(np.shape(x), np.int64) if n is None else n for x, n in operands]
    if primitive.name == "select":
        return np.where(operands[0][0], numbers[1], numbers[2])
    if primitive.kind is Kind.ELEMENTWISE:
        return _earliest_of(numbers, shape)
    rest = [x for x, _ in operands]
    if (primitive.kind in _MOVING and operands[0][1] is not None) or primitive.name == "grow":
        return primitive.meaning(numbers[0], *rest[1:], **equation.params)
    if primitive.kind is Kind.WRITE and primitive.name not in _ADDING:
        return primitive.meaning(numbers[0], numbers[1], *rest[2:], **equation.params)
    if primitive.name in _ADDING:
        places = primitive.meaning(np.zeros(shape), np.ones(np.shape(rest[1])), *rest[2:], **equation.params)
        return np.where((numbers[0] == 0) & (places != 0), _earliest(numbers[1]), numbers[0])
    axes = equation.params.get("axes")
    if primitive.kind is Kind.REDUCTION and isinstance(axes, tuple) and np.ndim(numbers[0]) - len(axes) == len(shape):
        return _cleared(np.min(np.where(numbers[0] == 0, _NONE, numbers[0]), axis=axes, initial=_NONE))
    return np.full(shape, min((e for e in map(_earliest, numbers) if e), default=0))


def _earliest_of(numbers: list[Any], shape: tuple[int, ...]) -> Any:
    found = np.full(shape, _NONE)
    for each in numbers:
        found = np.minimum(found, np.where(each == 0, _NONE, each))
    return _cleared(found)


def _cleared(numbers: Any) -> Any:
    return np.where(numbers == _NONE, 0, numbers)


def _earliest(numbers: Any) -> int:
    known = np.asarray(numbers)[np.asarray(numbers) != 0]
    return int(known.min()) if known.size else 0


def _shown(x: Any, at: tuple[int, ...], shape: tuple[int, ...], elementwise: bool) -> str:
    """An operand: its element where it is one of the result's, its shape where it is another array."""
    if np.shape(x) == () or (elementwise and np.shape(x) == shape):
        return _number(x[at] if np.shape(x) else x)
    bad = _bad(x)
    note = "" if bad is None else f" with {_number(x[tuple(np.argwhere(bad)[0])])}"
    return f"array of shape {np.shape(x)}{note}"


def _number(x: Any) -> str:
    return f"{float(x):.6g}" if np.asarray(x).dtype.kind == "f" else str(x)

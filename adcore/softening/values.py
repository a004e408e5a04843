"""What becomes of booleans and integers that depend on the arguments, and how the relaxations come into a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..builder import Builder
from ..plugins import Lowered, Spec, Static, frontend
from ..program import Program
from ..rules import spliced
from ..types import Atom, DType, Lit

__all__ = ["Choice", "Options", "Soft", "emit_arrays", "emit_numbers", "mean"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to soften.

    Attributes:
        tau: the temperature.
        kernel: the step, one of `adcore.relaxations.KERNELS`.
        swap: of sorting networks, one of `adcore.relaxations.SWAPS`.
    """

    tau: float
    kernel: str
    swap: str


@dataclass(frozen=True, slots=True)
class Soft:
    """The probability that a boolean is true, or the mean of an integer: real numbers of its shape."""

    value: Atom


@dataclass(frozen=True, slots=True)
class Choice:
    """A boolean or an integer that is one of several.

    Attributes:
        weights: real numbers of its shape and of one more axis, the last, along which they add up to 1.
        value: what it is in each of the cases, of the same shape.
        permutation: whether the weights are those of a permutation, and the values 0, 1, … along the last axis.
    """

    weights: Atom
    value: Atom
    permutation: bool = False


def mean(b: Builder, choice: Choice) -> Atom:
    """The mean of a choice."""
    weights = choice.weights
    values = b.cast(choice.value, dtype=weights.type.dtype)
    return b.total(b.mul(weights, values), axes=(weights.type.rank - 1,))


@cache
def _numbers(function: Callable[..., Any], count: int, dtype: DType, options: tuple[Any, ...]) -> Lowered:
    """The program of a relaxation for single numbers: arithmetic without branches."""
    found = frontend().lower(function, (*[Spec(dtype)] * count, *map(Static, options)))
    assert all(not e.primitive.has_regions for e in found.program.equations)
    return found


def emit_numbers(b: Builder, function: Callable[..., Any], operands: Sequence[Atom], *options: Any) -> Atom:
    """Emit a relaxation, element by element.

    Args:
        b: where.
        function: of numbers and options.
        operands: real numbers or arrays of one dtype and shape.
        *options: what else it is given, constants.
    """
    dtype = operands[0].type.dtype
    lowered = _numbers(function, len(operands), dtype, options)
    env: dict[Any, Any] = dict(zip(lowered.program.params, [*operands, *_constants(lowered)], strict=True))
    for equation in lowered.program.equations:
        given = tuple(env.get(a, a) for a in equation.operands)
        (out,) = equation.outs
        env[out] = b.emit(equation.primitive, given, equation.params)
    (result,) = lowered.program.results
    return env.get(result, result)


def emit_arrays(b: Builder, function: Callable[..., Any], operand: Atom, *options: Any) -> Atom:
    """Emit a relaxation of a whole array, which is given to the function with the options."""
    lengths = tuple(int(n.value) if isinstance(n, Lit) else None for n in operand.type.shape)
    spec = Spec(operand.type.dtype, lengths)
    lowered = frontend().lower(function, (spec, *map(Static, options)))
    before = len(b.equations)
    (result,) = spliced(b, _one_result(lowered), [operand, *_constants(lowered)])
    for equation in b.equations[before:]:
        equation.surrogate, equation.source = b.surrogate, b.source
    return result


def _one_result(lowered: Lowered) -> Program:
    assert len(lowered.program.results) == 1
    return lowered.program


def _constants(lowered: Lowered) -> list[Lit]:
    """What a relaxation reads of its module: numbers."""
    return [capture.spec.dtype.constant(capture.read()) for capture in lowered.captures]

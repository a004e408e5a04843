"""How near a function comes to its kinks: the function with the least distance to each beside its value."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..builder import Builder
from ..plugins import Leaf, Lowered, Static
from ..program import Equation, Program
from ..transforms import Derivative, Gradient, Transform, differentiable, numbered, present, pruned, replaced
from ..types import F64, Atom, DType, Lit, Var, literal
from .conditions import located
from .rewriting import Rewriter, State
from .sites import Places, as_text, margin_of

__all__ = ["Watched", "active_parameters", "operand_size"]

FAR = literal(math.inf)


@dataclass(frozen=True)
class Watched(Transform):
    """A function that returns (value, (aux, the places as text, distances, relative distances)).

    The distances, one for each place, are the least |margin| met there, and the least one by the size of the operands;
    inf for a place that was not reached, or whose margin is not known.  Where the margin is the operand itself, there
    is nothing to hold it against: the relative one is inf too.

    Attributes:
        gradient: the derivative to whose arguments the places are the kinks.
    """

    gradient: Gradient = field(kw_only=True)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        lowered = differentiable(self.function, arguments)
        value, aux = self.gradient.value_of(lowered)
        wrt = active_parameters(self.gradient, arguments)
        program, places = located(lowered.program, wrt, value.index)
        told = (Static(None) if aux is None else aux, Static(as_text(places.found)))
        if not places.found:
            return pruned(replaced(lowered, lowered.program, (value, (*told, (), ()))))
        count = len(lowered.program.results)
        return pruned(replaced(lowered, watched(program, places), (value, (*told, Leaf(count), Leaf(count + 1)))))


def active_parameters(gradient: Derivative, arguments: tuple[Any, ...]) -> list[int]:
    """The parameters of a function's program that a derivative is by."""
    wanted = numbered(arguments, only_real=True)
    return [k for place in gradient.targets(arguments) for k in present(place.of(wanted))]


def watched(program: Program, places: Places) -> Program:
    """The program with two arrays behind its results: the least distance to each place, and the least relative one."""
    b = Builder()
    keys = [(k, what) for k, place in enumerate(places.found) if place.watched for what in ("far", "relative")]
    state: State = dict.fromkeys(keys, FAR)
    rewriter = Rewriter(
        lambda b, old, new, state: _noted(b, places, old, new, state),
        lambda region: [k for k in _keys(places.inside(region)) if k in state] or None,
    )
    rewriter.env.update({p: p for p in program.params})
    results = rewriter.rewritten(program, b, state)
    count = len(places.found)
    arrays = [_array(b, [state.get((k, what), FAR) for k in range(count)]) for what in ("far", "relative")]
    return Program(program.params, b.equations, (*results, *arrays), program.name)


def _keys(numbers: Sequence[int]) -> list[tuple[int, str]]:
    return [(k, what) for k in numbers for what in ("far", "relative")]


def _array(b: Builder, numbers: list[Atom]) -> Atom:
    array = b.empty(len(numbers), dtype=DType.F64)
    for k, number in enumerate(numbers):
        array = b.update(array, number, k, codes="i")
    return array


def _noted(b: Builder, places: Places, old: Equation, new: Equation, state: State) -> dict[Var, Atom]:
    """Enter how far this run of an equation is from its kinks."""
    for number, kink in places.of(old):
        margin = margin_of(b, new, kink) if kink.margin is not None else None
        if margin is None:
            continue
        far = b.abs(margin)
        _keep_least(b, state, (number, "far"), far)
        size = operand_size(b, new, margin)
        if size is not None:
            _keep_least(b, state, (number, "relative"), b.div(far, size))
    return {}


def _keep_least(b: Builder, state: State, key: tuple[int, str], distance: Atom) -> None:
    least = _least(b, distance)
    state[key] = b.select(b.lt(least, state[key]), least, state[key])


def _least(b: Builder, distance: Atom) -> Atom:
    """The least element, as a double; inf for an empty array.  A NaN is no distance."""
    if not distance.type.shape:
        return _double(b, distance)
    rank = distance.type.rank
    flat = b.select(b.isnan(distance), math.inf, distance)
    size = b.size(distance.type.shape)
    if isinstance(size, Lit):
        return _double(b, b.reduce_min(flat, axes=tuple(range(rank)))) if size.value else FAR
    some = b.region()
    found = _double(some, some.reduce_min(flat, axes=tuple(range(rank))))
    none = b.region()
    return b.cond(b.gt(size, 0), some.program((), (found,)), none.program((), (FAR,)))[0]


def _double(b: Builder, x: Atom) -> Atom:
    return x if x.type == F64 else b.cast(x, dtype=DType.F64)


def operand_size(b: Builder, equation: Equation, margin: Atom) -> Atom | None:
    """The largest modulus among the operands that the margin compares; None where it is an operand itself."""
    alike = [a for a in equation.operands if a.type == margin.type]
    if margin in alike or not alike:
        return None
    return functools.reduce(b.maximum, [b.abs(a) for a in alike])

"""Stated pullbacks, emitted: backwards as they stand, forwards as the dual of what they are linear in.

Backwards, a copy of the user's pullback takes the cotangents, whatever it does with them.  Forwards there has to be a
linear map, so a copy that is linear in its cotangents is linearized, and what is emitted is the dual of that.  A rule
that has a pushforward too says both itself.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, Protocol, runtime_checkable

from .builder import Builder
from .control import value_or_zeros
from .linear import Linear, LinearRule, is_differentiable, transpose
from .marks import attached, ruled_arguments, ruled_kept, tangent_of
from .passes.dce import eliminate_dead
from .program import Equation, Program
from .rules import conformed, expand_rules
from .types import Atom, Var

__all__ = ["Map", "Pullback", "emit_rule", "forwards"]

Values = MutableMapping[Var, Atom]
Emit = Callable[[Builder, Linear, Values, list[Equation]], None]
Linearize = Callable[[Iterable[Equation], set[Var]], Linear]


class Pullback(Protocol):
    """The rule of a `ruled` equation."""

    def pullback(
        self, b: Builder, kept: tuple[Atom, ...], cotangents: list[Atom], arguments: tuple[Atom, ...], linear: bool
    ) -> list[Atom | None]:
        """Emit the cotangents of the arguments, None where there is none.

        Raises:
            AdcoreError: it is to be `linear` in the cotangents, and is not.
        """
        ...


@runtime_checkable
class Map(Pullback, Protocol):
    """The rule of a `ruled` equation that states both directions."""

    def pushforward(
        self, b: Builder, kept: Sequence[Atom], tangents: Sequence[Atom | None], arguments: Sequence[Atom]
    ) -> list[Atom]:
        """Emit the tangents of the values; None is that of an argument that does not move."""
        ...


def emit_rule(b: Builder, step: LinearRule, values: Values, emit: Emit, linearize: Linearize) -> None:
    """Emit the linear part of a function with a stated pullback."""
    if step.backwards:
        _emit_backwards(b, step, values)
    else:
        _emit_forwards(b, step, values, emit, linearize)


def _emit_backwards(b: Builder, step: LinearRule, values: Values) -> None:
    origin = step.origin
    if not any(out in values for out in origin.outs):
        return
    rule: Pullback = origin.rule
    cotangents = [value_or_zeros(b, values, out) for out in origin.outs]
    given = rule.pullback(b, ruled_kept(origin), cotangents, ruled_arguments(origin), linear=False)
    for position, argument in step.arguments:
        cotangent = given[position]
        if cotangent is not None:
            before = values.get(argument)
            values[argument] = cotangent if before is None else b.plus(before, cotangent)


def _emit_forwards(b: Builder, step: LinearRule, values: Values, emit: Emit, linearize: Linearize) -> None:
    origin = step.origin
    if not any(argument in values for _, argument in step.arguments):
        return
    rule: Pullback = origin.rule
    if isinstance(rule, Map):
        moving = {k: values.get(x) for k, x in step.arguments}
        arguments = ruled_arguments(origin)
        found = rule.pushforward(b, ruled_kept(origin), [moving.get(k) for k in range(len(arguments))], arguments)
        for out, tangent in zip(origin.outs, found, strict=True):
            values[out] = conformed(b, tangent, out.type, "the tangent that a pushforward gives", origin.source)
        return
    inner = Builder()  # with no parent: what it computes lives no longer than it is needed
    inner.source = b.source
    ports = [tangent_of(inner, out) for out in origin.outs]
    given = rule.pullback(inner, ruled_kept(origin), list(ports), ruled_arguments(origin), linear=True)
    region = Program((), inner.equations, tuple(x for x in given if x is not None))
    expand_rules(region, set(ports), stated=True)
    found = iter(region.results)
    given = [None if x is None else next(found) for x in given]
    linear = transpose(linearize(inner.equations, set(ports)))
    local: Any = ChainMap({}, values)  # type: ignore[arg-type]
    for position, argument in step.arguments:
        result, tangent = given[position], values.get(argument)
        if isinstance(result, Var) and is_differentiable(result) and tangent is not None:
            seed = inner.conform(tangent, *result.type.shape, checked=False)
            before = local.maps[0].get(result)
            local[result] = seed if before is None else inner.plus(before, seed)
    emit(inner, linear, local, inner.equations)
    results = tuple(
        inner.conform(value_or_zeros(inner, local.maps[0], port), *out.type.shape, checked=False)
        for port, out in zip(ports, origin.outs, strict=True)
    )
    made = eliminate_dead(Program((), inner.equations, results, "rule"))
    for out, tangent in zip(origin.outs, b.checkpoint_(made), strict=True):
        values[out] = tangent


def forwards(origin: Equation, moving: Callable[[Var], bool], emit: Emit, linearize: Linearize) -> list[Equation]:
    """What takes the place of a `ruled` equation for whoever reads a program forwards: its map as equations.

    These are the tangents of the arguments that move, the map, and its results attached to the values.
    """
    b = Builder()
    b.source = origin.source
    arguments = [(k, x) for k, x in enumerate(ruled_arguments(origin)) if isinstance(x, Var) and moving(x)]
    values: dict[Var, Atom] = {x: tangent_of(b, x) for _, x in arguments}
    emit_rule(b, LinearRule(origin, tuple(arguments)), values, emit, linearize)
    for value, out in zip(origin.operands, origin.outs, strict=False):
        attached(b, value, values.get(out), out)
    return b.equations

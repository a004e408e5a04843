"""Chains of linear statements made one: the scale of a scale is a scale.

Where an elementwise value has one use, its tangent is a factor times that of the value before it, and so on along the
chain.  The factors are multiplied among themselves first: they are primal values, so their product can be kept in their
place, and it is computed once, however many (co)tangents go through it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .linear import (
    Edge,
    Generator,
    Linear,
    LinearAgain,
    LinearCond,
    LinearLoop,
    LinearRule,
    Step,
    compose,
    identity,
    scale,
)
from .primitives import Kind
from .types import Atom, Var

if TYPE_CHECKING:
    from .builder import Builder

__all__ = ["composed"]


def composed(linear: Linear, results: Iterable[Atom]) -> Linear:
    """The linear program with its chains of elementwise statements made one; the same map."""
    uses = _Uses()
    uses.note(linear)
    uses.ends.update(r for r in results if isinstance(r, Var))
    return _composed(linear, uses)


class _Uses:
    """How often values are sources and targets at any depth, and which are also the ends of regions."""

    def __init__(self) -> None:
        self.sources: Counter[Var] = Counter()
        self.targets: Counter[Var] = Counter()
        self.ends: set[Var] = set()

    def note(self, linear: Linear) -> None:
        for step in linear.steps:
            if isinstance(step, Edge):
                self.sources[step.source] += 1
                self.targets[step.target] += 1
            elif isinstance(step, LinearLoop):
                self.note(step.body)
                self.ends.update(a for carry in step.carries for a in carry if isinstance(a, Var))
            elif isinstance(step, LinearCond):
                for name, branch in step.branches:
                    self.note(branch)
                    results = step.origin.params[name].results
                    self.ends.update(a for a in (*results, *step.origin.outs) if isinstance(a, Var))
            elif isinstance(step, LinearRule):
                self.ends.update(v for end in step.ends() for v in end)
            else:
                self.note(step.body)
                self.ends.update(a for a in (*step.again.results, *step.outs) if isinstance(a, Var))

    def is_link(self, var: Var) -> bool:
        """Whether a value is only there to be handed on."""
        return self.sources[var] == 1 and self.targets[var] == 1 and var not in self.ends


def _composed(linear: Linear, uses: _Uses) -> Linear:
    steps: list[Step] = []
    waiting: dict[Var, Edge] = {}  # by target: to be composed with the statement that has it as source
    for step in linear.steps:
        if not isinstance(step, Edge):
            steps += waiting.values()
            waiting.clear()
            steps.append(_inside(step, uses))
            continue
        if step.origin.primitive.kind is Kind.ELEMENTWISE:
            before = waiting.pop(step.source, None)
            if before is not None:
                step = _chained(before, step)
            if uses.is_link(step.target):
                waiting[step.target] = step
                continue
        elif step.source in waiting:
            steps.append(waiting.pop(step.source))
        steps.append(step)
    return Linear((*steps, *waiting.values()), linear.backwards)


def _inside(step: LinearLoop | LinearCond | LinearAgain | LinearRule, uses: _Uses) -> Step:
    if isinstance(step, LinearRule):
        return step
    if isinstance(step, LinearLoop):
        return LinearLoop(step.origin, _composed(step.body, uses), step.carries, step.backwards)
    if isinstance(step, LinearCond):
        branches = tuple((name, _composed(branch, uses)) for name, branch in step.branches)
        return LinearCond(step.origin, branches, step.backwards)
    return LinearAgain(step.origin, step.again, step.outs, _composed(step.body, uses), step.backwards)


def _chained(first: Edge, then: Edge) -> Edge:
    def label(b: Builder) -> Generator:
        with b.at(then.origin.source):
            outer = then.label(b)
        with b.at(first.origin.source):
            return product(b, outer, first.label(b))

    return Edge(label, first.source, then.target, then.origin)


def product(b: Builder, outer: Generator, inner: Generator) -> Generator:
    """The composition of two elementwise maps; of scales of one type the scale by the product."""
    if inner.name == "identity":
        return outer
    if outer.name == "identity":
        return inner
    if outer.name == inner.name == "scale" and outer.residuals[0].type == inner.residuals[0].type:
        return scale(b.mul(outer.residuals[0], inner.residuals[0]))
    if outer.name == inner.name == "negate":
        return identity()
    for one, other in ((outer, inner), (inner, outer)):
        if one.name == "negate" and other.name == "scale":
            return scale(b.neg(other.residuals[0]))
    return compose(outer, inner)

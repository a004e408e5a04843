"""What the dual of a choice has to do only where it was chosen.

    closest = min(closest, distance(i))

In reverse, the cotangent of a distance is masked: it is 0 for all but a few.  All statements that only hand on this
zero are put into a branch that is taken where the mask is set, if they go through an array or a loop.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .builder import Builder
from .control import targets, value_or_zeros
from .linear import Edge, Linear, LinearAgain, LinearLoop, Step, loop_ends
from .masking import mask_of
from .program import Equation, Program
from .types import Atom, Var

__all__ = ["Guard"]

EmitStep = Callable[[Builder, Step, MutableMapping[Var, Atom], list[Equation]], None]


@dataclass
class Guard:
    """The statements of one level of a dual program, and those of them that have been emitted under a mask."""

    steps: Sequence[Step]
    scope: list[Equation]
    done: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.own = {out for e in self.scope for out in e.outs}
        self.sources = [_sources(step) for step in self.steps]
        self.targets = [set(targets(Linear((step,)))) for step in self.steps]

    def emit(self, b: Builder, position: int, values: MutableMapping[Var, Atom], emit_step: EmitStep) -> bool:
        """Emit what comes from the masked source of a statement alone, under the mask; gives whether it is worth it."""
        step = self.steps[position]
        source = values.get(step.source) if isinstance(step, Edge) else None
        if source is None or source.type.shape or not isinstance(step, Edge):
            return False
        mask = mask_of(b, source)
        if mask is None:
            return False
        chosen = self.cone(position, step.source, values)
        if not any(self.is_heavy(k) for k in chosen):
            return False
        keep, value = mask
        inner = b.region()
        local: Any = ChainMap({step.source: value}, values)  # type: ignore[arg-type]
        for k in chosen:
            emit_step(inner, self.steps[k], local, self.scope)
        rest = [s for k, s in enumerate(self.sources) if k not in chosen]
        inside = {v for k in chosen for v in self.targets[k] if v in self.own and not any(v in s for s in rest)}
        ends = [v for v in local.maps[0] if v is not step.source and v not in inside]
        other = b.region()
        taken = tuple(inner.conform(local[v], *v.type.shape, checked=False) if v.type.shape else local[v] for v in ends)
        left = tuple(value_or_zeros(other, values, v) for v in ends)
        then, otherwise = Program((), inner.equations, taken, "then"), Program((), other.equations, left, "otherwise")
        outs = b.cond(keep, then, otherwise)
        values.update(zip(ends, outs, strict=True))
        self.done.update(chosen)
        return True

    def cone(self, position: int, source: Var, values: MutableMapping[Var, Atom]) -> list[int]:
        """The statements from here on that hand on nothing but what comes from the source.

        What has a value already, as the results of a region have, is handed on whatever the mask says.
        """
        chosen: list[int] = []
        known = {source}
        for k in range(position, len(self.steps)):
            if k in self.done or not isinstance(self.steps[k], Edge | LinearLoop):
                continue
            if self.sources[k] and self.sources[k] <= known:
                chosen.append(k)
                fresh = (v for v in self.targets[k] if v in self.own and v not in values)
                known.update(v for v in fresh if self.only_from(v, chosen))
        return chosen

    def only_from(self, var: Var, chosen: Sequence[int]) -> bool:
        return all(k in chosen for k, reached in enumerate(self.targets) if var in reached)

    def is_heavy(self, position: int) -> bool:
        step = self.steps[position]
        return isinstance(step, LinearLoop) or (isinstance(step, Edge) and bool(step.target.type.shape))


def _sources(step: Step) -> set[Var]:
    """The values whose cotangents a statement of a dual program hands on."""
    if isinstance(step, Edge):
        return {step.source}
    if isinstance(step, LinearLoop):
        return {feed for feed, _, _, _ in loop_ends(step) if isinstance(feed, Var)}
    return set(step.outs if isinstance(step, LinearAgain) else step.origin.outs)

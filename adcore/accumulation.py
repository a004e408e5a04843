"""What linear programs add to."""

from __future__ import annotations

from collections.abc import Iterable

from .linear import Edge, Linear, LinearAgain, LinearLoop, LinearRule, cond_ends, loop_ends
from .program import defined
from .types import Atom, Var

__all__ = ["outside_of", "targets"]


def targets(linear: Linear) -> dict[Var, None]:
    """Values that the statements add to, as seen from their own level: those inside nested regions left out."""
    found: dict[Var, None] = {}
    for step in linear.steps:
        if isinstance(step, Edge):
            found[step.target] = None
        elif isinstance(step, LinearLoop):
            own = defined(step.origin.params["body"])
            enters_and_ends = [v for _, enter, _, end in loop_ends(step) for v in (enter, end)]
            found.update(outside_of(own, [*targets(step.body), *enters_and_ends]))
        elif isinstance(step, LinearAgain):
            ends = step.again.results if step.backwards else step.outs
            found.update(outside_of(defined(step.again), [*targets(step.body), *ends]))
        elif isinstance(step, LinearRule):
            found.update(dict.fromkeys(step.ends()[1]))
        else:
            for name, branch in step.branches:
                own = defined(step.origin.params[name])
                ends = [result if step.backwards else out for result, out in cond_ends(step, name)]
                found.update(outside_of(own, [*targets(branch), *ends]))
    return found


def outside_of(own: set[Var], atoms: Iterable[Atom]) -> dict[Var, None]:
    return {v: None for v in atoms if isinstance(v, Var) and v not in own}

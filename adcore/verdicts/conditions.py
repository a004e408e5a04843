"""The kinks of conditions: where the solution of an equation is found, the equation is looked at there."""

from __future__ import annotations

from collections.abc import Sequence

from ..builder import Builder
from ..implicit.rule import Implicit
from ..program import Equation, Program, regions
from ..rules import spliced
from ..types import Atom, Var
from .rewriting import Rewriter, State
from .sites import Places, places_in

__all__ = ["located"]


def located(program: Program, wrt: Sequence[int], result: int) -> tuple[Program, Places]:
    """A program with the conditions of its solutions, and the kinks through which a result depends on parameters."""
    if not _has_condition(program):
        return program, places_in(program, wrt, result)
    added: list[Equation] = []

    def visit(b: Builder, old: Equation, new: Equation, _: State) -> dict[Var, Atom]:
        if isinstance(old.rule, Implicit):
            before = len(b.equations)
            end = len(new.outs) - old.rule.further
            unknowns = new.outs[end - old.rule.unknowns : end]
            spliced(b, old.rule.condition, [*unknowns, *(new.operands[k] for k in old.rule.places)])
            added.extend(b.equations[before:])
        return {}

    b = Builder()
    rewriter = Rewriter(visit, lambda region: () if _has_condition(region) else None)
    rewriter.env.update({p: p for p in program.params})
    results = rewriter.rewritten(program, b, {})
    copy = Program(program.params, b.equations, results, program.name)
    return copy, places_in(copy, wrt, result, added)


def _has_condition(region: Program) -> bool:
    return any(
        isinstance(e.rule, Implicit)
        or (e.primitive.name != "custom" and any(_has_condition(inner) for _, inner in regions(e)))
        for e in region.equations
    )

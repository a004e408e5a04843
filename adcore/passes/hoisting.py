"""Views of outside values, moved out of the regions that see them.

A loop like

    a = x.reshape(-1, 4)
    for k in range(n):
        s += a[k, 1]

has the reshape in its body, where the frontend reads the array.  There its dual would turn the cotangent of all of `a`
back in every iteration; outside, an iteration adds to the elements that it read.

A loop may run no iteration, so a view is moved only where it is right without what the loop checks first.  Nothing is
moved out of a branch: on the other path there may be no such array.
"""

from __future__ import annotations

from ..primitives import Kind
from ..program import Equation, Program, defined, regions, uses
from ..types import Var

__all__ = ["hoist_views"]

VIEWS = {"reshape", "permute", "expand", "conform"}
LOOPS = {"loop", "while"}


def hoist_views(program: Program) -> None:
    """Move, in place, views of what is outside a loop in front of the loop."""
    program.equations[:] = _hoisted(program.equations)


def _hoisted(equations: list[Equation]) -> list[Equation]:
    found: list[Equation] = []
    for equation in equations:
        for _, region in regions(equation):
            region.equations[:] = _hoisted(region.equations)
            if equation.primitive.name in LOOPS:
                found.extend(_taken_out(region))
        found.append(equation)
    return found


def _taken_out(region: Program) -> list[Equation]:
    """The views of outside values, removed from the region."""
    inside = defined(region)
    conditions = _checked_outside(region, inside)
    moved: list[Equation] = []
    kept: list[Equation] = []
    for equation in region.equations:
        is_view = equation.primitive.name in VIEWS and not equation.params.get("checked")
        operands = set(uses(equation))
        operands.update(a for v in [*operands] for a in v.type.shape if isinstance(a, Var))
        outside = not any(v in inside for v in uses(equation))
        if is_view and equation.outs[0].type.shape and outside and not operands & conditions:
            moved.append(equation)
            inside.difference_update(equation.outs)
        else:
            kept.append(equation)
    region.equations[:] = kept
    return moved


def _checked_outside(region: Program, inside: set[Var]) -> set[Var]:
    """The outside values of which a check of the region speaks that speaks of nothing else."""
    producers = {out: e for e in region.equations for out in e.outs}
    found: set[Var] = set()
    for equation in region.equations:
        if equation.primitive.kind is not Kind.CHECK:
            continue
        reached: set[Var] = set()
        stack = uses(equation)
        while stack:
            var = stack.pop()
            if var not in reached:
                reached.add(var)
                stack += uses(producers[var]) if var in producers else ()
        leaves = {v for v in reached if v not in producers}
        if not leaves & inside:
            found |= leaves
    return found

"""Views of outside values, moved out of the regions that see them.

A loop like

    a = x.reshape(-1, 4)
    for k in range(n):
        s += a[k, 1]

has the reshape in its body, where the frontend reads the array.  There its dual would turn the cotangent of all of `a`
back in every iteration; outside, an iteration adds to the elements that it read.
"""

from __future__ import annotations

from ..program import Equation, Program, defined, regions, uses

__all__ = ["hoist_views"]

VIEWS = {"reshape", "permute", "expand", "conform"}


def hoist_views(program: Program) -> None:
    """Move, in place, views of what is outside a region in front of the equation that has the region."""
    program.equations[:] = _hoisted(program.equations)


def _hoisted(equations: list[Equation]) -> list[Equation]:
    found: list[Equation] = []
    for equation in equations:
        for _, region in regions(equation):
            region.equations[:] = _hoisted(region.equations)
            found.extend(_taken_out(region))
        found.append(equation)
    return found


def _taken_out(region: Program) -> list[Equation]:
    """The views of outside values, removed from the region."""
    inside = defined(region)
    moved: list[Equation] = []
    kept: list[Equation] = []
    for equation in region.equations:
        is_view = equation.primitive.name in VIEWS and not equation.params.get("checked")
        if is_view and equation.outs[0].type.shape and not any(v in inside for v in uses(equation)):
            moved.append(equation)
            inside.difference_update(equation.outs)
        else:
            kept.append(equation)
    region.equations[:] = kept
    return moved

"""What is done to a copy of a program before anything is derived of it."""

from __future__ import annotations

from collections.abc import Sequence

from .again import count_loops
from .passes.dce import note_unread
from .passes.elements import hoist_elements
from .passes.hoisting import hoist_views
from .passes.tiling import segment_loops
from .program import Program, clone
from .rules import expand_rules

__all__ = ["prepared"]


def prepared(
    program: Program, wrt: Sequence[int], apart: bool = False, backwards: bool = False
) -> tuple[Program, bool]:
    """A copy to be linearized by the parameters in `wrt`, and whether it has the marks of stated derivatives.

    These are to be resolved afterwards (`adcore.marks`).  With `apart` the linear program stands apart from the primal,
    and keeps what it needs of it; `backwards` it is the dual.
    """
    program = clone(program)
    stated = expand_rules(program, {program.params[k] for k in wrt})
    if apart:
        hoist_views(program)
    hoist_elements(program)
    note_unread(program)
    if backwards:
        segment_loops(program)
    count_loops(program.equations, backwards)
    return program, stated

"""How loops of independent iterations are planned: a kernel, an iteration a thread, and what is carried after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adcore.builder import Builder
from adcore.independence import Apart, Same, Step, Sum, roles
from adcore.passes.schedule import Group
from adcore.primitives import TABLE
from adcore.program import Equation, free_variables
from adcore.types import Atom, Var, literal

from .elements import fold_kernel
from .kernel import Layout
from .launches import Fold, Loop
from .loops import loop_kernel, rows_of
from .lowering import needs_host
from .steps import Reshape

if TYPE_CHECKING:
    from .planner import Planner

__all__ = ["independent"]


def independent(planner: Planner, loop: Equation) -> bool:
    """Whether a loop is one of independent iterations, which a kernel runs then."""
    found = None if needs_host(loop.params["body"]) else roles(loop)
    if found is None or not all(isinstance(role, Apart | Same | Step | Sum) for role in found):
        return False
    carried = [k for k, role in enumerate(found) if isinstance(role, Apart | Sum)]
    if not carried:
        return False
    trips, inits, body = loop.operands[0], loop.operands[1:], loop.params["body"]
    params = body.params[1:]
    planner.require_host([trips])
    planner.require_lengths(*(params[k].type for k in carried), *(inits[k].type for k in carried))
    targets = {
        k: rows_of(loop.outs[k], trips) if isinstance(found[k], Sum) else Var(inits[k].type, loop.outs[k].name)
        for k in carried
    }
    wanted = [v for v in free_variables(body) if v not in loop.outs]
    wanted += [v for k, v in enumerate(inits) if isinstance(v, Var) and not isinstance(found[k], Apart | Sum)]
    wanted += [a for role in found if isinstance(role, Step) for a in role.by if isinstance(a, Var)]
    wanted += [a for k in carried for a in params[k].type.shape if isinstance(a, Var)]
    before, arguments = planner.needed(wanted)
    kernel = loop_kernel(planner.name("loop"), loop, found, before, arguments, targets, planner.plan.module)
    if kernel is None:
        return False
    starts = {}
    for k in carried:
        init = inits[k]
        if isinstance(found[k], Apart) and not planner.is_undefined(init):
            assert isinstance(init, Var)
            starts[targets[k]] = init if planner.layout.get(init) is Layout.WHOLE else planner.copied(init)
    planner.add(Loop(kernel, trips, starts))
    carry(planner, loop, found, targets)
    return True


def carry(planner: Planner, loop: Equation, found: Sequence[object], targets: dict[int, Var]) -> None:
    """Enter what a loop gives."""
    for k, (out, role) in enumerate(zip(loop.outs, found, strict=True)):
        init = loop.operands[1 + k]
        if isinstance(role, Apart):
            planner.add(Reshape(targets[k], out))
            planner.layout[out] = Layout.WHOLE
        elif isinstance(role, Sum):
            kernel = fold_kernel(planner.name("rows"), "total", out.type.dtype, planner.plan.module)
            total = Var(out.type, out.name)
            planner.add(Fold(kernel, targets[k], total))
            planner.layout[total] = Layout.WHOLE if out.type.shape else Layout.CELL
            add_to_begin(planner, total, init, out)
        else:
            after(planner, loop, k, role, init, out)


def add_to_begin(planner: Planner, total: Var, init: Atom, out: Var) -> None:
    """What a loop begins with, and what it adds."""
    name = "add" if out.type.dtype.integer else "plus"
    equation = Equation(TABLE[name], (init, total), {}, (out,), None)
    if out.type.shape:
        planner.group(Group(out.type.shape, [equation], {out}, kept=[out]))
    else:
        planner.symbolic[out] = equation


def after(planner: Planner, loop: Equation, k: int, role: object, init: Atom, out: Var) -> None:
    """What a carry is after the loop that is the same in all iterations, or a number that grows by a step."""
    b = Builder()
    if isinstance(role, Step):
        step: Atom = literal(0)
        for by in role.by:
            step = b.add_wraps(step, by)
        value = b.add_wraps(init, b.mul_wraps(loop.operands[0], step))
    else:
        value = init
    for equation in b.equations:
        planner.equation(equation)
    planner.alias(out, value)

"""What a host does to run a program on a device: launches of kernels, and numbers that the host computes itself.

Numbers that follow from numbers of the caller's and from lengths are the host's.  Others are the device's: a number
that kernels need is computed again in each, from what lies in memory, as views are, and so costs no launch.
Elementwise groups and reductions are kernels, and loops of independent iterations; the rest is for one thread of the
device.

No step writes into what an earlier one has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adcore.passes.inline import inline_customs
from adcore.passes.schedule import schedule
from adcore.primitives import Kind
from adcore.program import Program, uses
from adcore.types import Atom, Var

from .algebra import Operations, offered
from .kernel import Layout
from .lowering import refuse
from .module import Module
from .planner import LateLengthError, Planner
from .steps import Reshape, Step

__all__ = ["Options", "Plan", "planned"]


@dataclass(frozen=True)
class Options:
    """How programs are planned.

    Attributes:
        library: what computes products of matrices, and takes matrices apart; None where there is none.
        atomics: whether numbers that go to one place are added in no particular order.
    """

    library: Operations | None = None
    atomics: bool = False


class Plan:
    """The steps of a program.

    Attributes:
        results: what the program gives, each a number of the host's, a number of the device's or an array.
        module: its kernels.
    """

    def __init__(self, program: Program, layouts: Sequence[Layout], options: Options) -> None:
        self.program = inline_customs(program)
        refuse(self.program.equations, called=offered if options.library else None)
        self.layouts = tuple(layouts)
        self.options = options
        self.steps: list[Step] = []
        self.module = Module()
        self.last_use: dict[Var, int] = {}
        self.results: list[Atom] = []


def planned(program: Program, layouts: Sequence[Layout], options: Options) -> Plan:
    """How a program is run for arguments in these layouts.

    Where an array has a length that is computed together with it, so that the host cannot make room for it, one thread
    runs all that the host does not.

    Raises:
        UnsupportedFunctionError: a device cannot do something in it, and the host does not help it out.
    """
    plan = Plan(program, layouts, options)
    try:
        plan_all(Planner(plan))
    except LateLengthError:
        plan = Plan(program, layouts, options)
        plan_for_one(Planner(plan))
    return plan


def plan_all(planner: Planner) -> None:
    """Plan a program, step by step."""
    program = planner.plan.program
    planner.enter_parameters()
    for step in schedule(program.equations, program.results):
        planner.step(step)
    finish(planner)
    note_uses(planner.plan)


def plan_for_one(planner: Planner) -> None:
    """Have one thread run all that the host does not."""
    program, rest = planner.plan.program, []
    planner.enter_parameters()
    for equation in program.equations:
        kind = equation.primitive.kind
        if kind in (Kind.ELEMENTWISE, Kind.CHECK) and all(map(planner.is_host, equation.operands)):
            planner.equation(equation)
        else:
            rest.append(equation)
    inside = {out for equation in rest for out in equation.outs}
    wanted = [r for r in dict.fromkeys(program.results) if isinstance(r, Var) and r in inside]
    planner.require_lengths(*(r.type for r in wanted))
    _, arguments = planner.needed((v for equation in rest for v in uses(equation)), inside)
    planner.add_serial(rest, arguments, wanted)
    finish(planner)
    note_uses(planner.plan)


# The end


def finish(planner: Planner) -> None:
    """Have what the program gives lie in memory of its own."""
    plan = planner.plan
    results, taken = plan.program.results, {*plan.program.params, *planner.perhaps_shared}
    planner.require_cells(r for r in results if isinstance(r, Var) and not r.type.shape)
    for result in results:
        if not result.type.shape or not isinstance(result, Var):
            plan.results.append(result)
            continue
        found = result
        if planner.layout.get(result) is not Layout.WHOLE or memory_of(plan, result) in taken:
            found = planner.copied(result)
        taken.add(memory_of(plan, found))
        plan.results.append(found)


def memory_of(plan: Plan, var: Var) -> Var:
    """The array that was made in the memory where an array lies."""
    for step in plan.steps:
        if isinstance(step, Reshape) and step.target is var:
            return memory_of(plan, step.source)
    return var


def note_uses(plan: Plan) -> None:
    """Note after which step each value is not needed any more."""
    for position, step in enumerate(plan.steps):
        for var in step.reads():
            plan.last_use[var] = position
    for result in plan.results:
        if isinstance(result, Var):
            plan.last_use[result] = len(plan.steps)

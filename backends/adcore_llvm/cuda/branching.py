"""How control flow is planned: by the host where that launches kernels, else by one thread of the device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from adcore.passes.schedule import schedule
from adcore.primitives import Kind
from adcore.program import Equation, Program, regions, uses
from adcore.types import Atom, Lit, Type, Var

from .control import Branch, Region, Repeat
from .kernel import Layout
from .lowering import ON_HOST

if TYPE_CHECKING:
    from .planner import Planner

__all__ = ["branched", "planned_uses", "repeated"]

FEW = 256  # elements of an array that one thread may as well go through
WIDE = {Kind.ELEMENTWISE, Kind.REDUCTION, Kind.GATHER, Kind.CONTRACTION}


def is_wide(region: Program) -> bool:
    """Whether a region computes with arrays that are long, as far as is known, or calls a library."""
    for equation in region.equations:
        types = [a.type for a in (*equation.operands, *equation.outs)]
        if equation.primitive.kind in ON_HOST:
            return True
        if equation.primitive.kind in WIDE and any(map(is_long, types)):
            return True
        if any(is_wide(inner) for _, inner in regions(equation)):
            return True
    return False


def is_long(type: Type) -> bool:
    known = [a.value for a in type.shape if isinstance(a, Lit)]
    return len(known) < len(type.shape) or prod(known) > FEW


def written_once(body: Program) -> set[Var]:
    """The arrays that a body is given and uses for nothing but to write into them."""
    count = planned_uses(body.equations, body.results)
    targets = {e.operands[0] for e in body.equations if e.primitive.kind is Kind.WRITE and e.primitive.name != "grow"}
    return {p for p in body.params if p in targets and count[p] == 1}


def planned_uses(equations: Iterable[Equation], results: Iterable[Atom]) -> Counter[Var]:
    """How often each value is used."""
    count = Counter(v for e in equations for v in uses(e))
    count.update(r for r in results if isinstance(r, Var))
    return count


def planned_region(
    planner: Planner, program: Program, own: Iterable[Var] = (), on_host: Sequence[bool] | None = None
) -> Region:
    """The steps of a region; what it finds out is forgotten afterwards, since it may not be run.

    It may write into the arrays that it makes and into those of `own` alone, since it may be run again.  `on_host` says
    of its results whether the host has to know them.
    """
    layout, symbolic, steps = dict(planner.layout), dict(planner.symbolic), planner.plan.steps
    outer, planner.own = planner.own, set(own)
    planner.plan.steps = []
    planner.uses |= planned_uses(program.equations, program.results)
    for step in schedule(program.equations, program.results):
        planner.step(step)
    if on_host is not None:
        planner.require_host(r for r, host in zip(program.results, on_host, strict=True) if host)
    results = tuple(planner.settled(result) for result in program.results)
    planner.region_layouts = tuple(planner.layout_of(result) for result in results)
    found = Region(tuple(planner.plan.steps), results, ())
    outside = tuple(v for v in reads_of(found) if v in layout)
    planner.layout, planner.symbolic, planner.plan.steps, planner.own = layout, symbolic, steps, outer
    return Region(found.steps, results, outside)


def reads_of(region: Region) -> Iterable[Var]:
    for step in region.steps:
        yield from step.reads()
    yield from (r for r in region.results if isinstance(r, Var))


def branched(planner: Planner, equation: Equation) -> bool:
    """Whether the host takes the branch."""
    condition, then, otherwise = equation.operands[0], equation.params["then"], equation.params["otherwise"]
    if not planner.is_host(condition):
        if not (is_wide(then) or is_wide(otherwise)):
            return False
        planner.require_host([condition])
    found, layouts = [], []
    for region in (then, otherwise):
        found.append(planned_region(planner, region))
        layouts.append(planner.region_layouts)
    common = tuple(one if one is other else Layout.CELL for one, other in zip(*layouts, strict=True))
    planner.add(Branch(condition, found[0], found[1], equation.outs, common))
    planner.enter(equation.outs, common)
    return True


def repeated(planner: Planner, equation: Equation) -> bool:
    """Whether the host runs the loop."""
    body, test = equation.params["body"], equation.params.get("test")
    if not is_wide(body):
        return False
    counted = equation.primitive.name == "loop"
    if counted:
        planner.require_host(equation.operands[:1])
    params = body.params[counted:]
    written = written_once(body)
    inits = tuple(
        planner.copied(a) if p in written and isinstance(a, Var) else planner.settled(a)
        for a, p in zip(equation.operands[counted:], params, strict=True)
    )
    layouts = [planner.layout_of(a) for a in inits]
    before, mark = dict(planner.layout), planner.plan.module.mark
    while True:
        planner.layout = dict(before)
        planner.plan.module.cut(mark)
        planner.enter(params, layouts)
        if counted:
            planner.layout[body.params[0]] = Layout.NUMBER
        inside = planned_region(planner, body, written)
        after = [
            one if one is other else Layout.CELL for one, other in zip(layouts, planner.region_layouts, strict=True)
        ]
        if after == layouts:
            break
        layouts = after
    asked = None
    if test is not None:
        planner.enter(test.params, layouts)
        asked = planned_region(planner, test, on_host=[True])
    planner.layout = before
    given: dict[str, Any] = {
        "trips": equation.operands[0] if counted else None,
        "test": asked,
        "counter": body.params[0] if counted else None,
        "test_params": test.params if test is not None else (),
    }
    planner.add(Repeat(**given, inits=inits, params=params, body=inside, outs=equation.outs, layouts=tuple(layouts)))
    planner.enter(equation.outs, layouts)
    return True

"""Dead code elimination: equations, loop carries and branch results that nothing needs."""

from __future__ import annotations

from collections.abc import Iterable

from ..primitives import Kind
from ..program import Equation, Program, defined, regions, uses
from ..types import Atom, Var

__all__ = ["checks_shapes_alone", "eliminate_dead", "has_effect", "note_unread"]


def eliminate_dead(program: Program) -> Program:
    """Remove, in place, what no result and no check depends on.  Valid in, valid out; results unchanged."""
    _sweep(program, {})
    return program


def note_unread(program: Program) -> None:
    """Note at each equation with several results which of them need no tangents: nothing depends on them smoothly."""
    read = _read_anywhere(program)
    _note_unread(program, read)


def _note_unread(region: Program, read: set[Var]) -> None:
    for equation in region.equations:
        if equation.primitive.has_regions:
            for _, inner in regions(equation):
                _note_unread(inner, read)
        elif len(equation.outs) > 1:
            equation.unread = frozenset(k for k, out in enumerate(equation.outs) if out not in read)


def _read_anywhere(region: Program) -> set[Var]:
    read = _variables(region.results)
    for equation in region.equations:
        for number, operand in enumerate(equation.operands):
            if isinstance(operand, Var) and _depends(equation, number):
                read.add(operand)
        for _, inner in regions(equation):
            read |= _read_anywhere(inner)
    return read


def _depends(equation: Equation, number: int) -> bool:
    """Whether a result has a derivative in the operand."""
    primitive = equation.primitive
    return (
        primitive.has_regions
        or primitive.name == "ruled"
        or any(primitive.map_for(number, k) is not None for k in range(len(equation.outs)))
    )


def has_effect(equation: Equation) -> bool:
    """Whether running the equation can raise."""
    if equation.primitive.kind is Kind.CHECK or equation.params.get("checked"):
        return True
    if not equation.primitive.has_regions:
        return False
    return any(has_effect(e) for _, region in regions(equation) for e in region.equations)


def checks_shapes_alone(loop: Equation) -> bool:
    """Whether a loop can raise, but only by shapes, which depend on nothing that it carries."""
    return has_effect(loop) and not _checks_values(loop) and not _carries_needed(loop, frozenset(), {})


def _checks_values(equation: Equation) -> bool:
    inside = (e for _, region in regions(equation) for e in region.equations)
    return equation.primitive.kind is Kind.CHECK or any(map(_checks_values, inside))


def _is_needed(equation: Equation, live: set[Var]) -> bool:
    return not live.isdisjoint(equation.outs) or has_effect(equation)


def _variables(atoms: Iterable[Atom]) -> set[Var]:
    return {a for a in atoms if isinstance(a, Var)}


# What is needed.  It is remembered for each equation with regions and each set of its results, so that the iterations
# over nested loops take the time of their sum, not of their product.

Known = dict[tuple[Equation, frozenset[Var]], tuple[set[int], set[Var]]]


def _needs(region: Program, results: Iterable[int], known: Known) -> set[Var]:
    """All values that a region needs for some of its results and for its effects, its own and those outside."""
    live = _variables(region.results[k] for k in results)
    for equation in reversed(region.equations):
        if _is_needed(equation, live):
            live.update(_needs_of(equation, live, known)[1] if equation.primitive.has_regions else uses(equation))
    return live


def _needs_of(equation: Equation, live: set[Var], known: Known) -> tuple[set[int], set[Var]]:
    """The carries or results of the branches, and the values that an equation with regions needs for its live ones."""
    key = equation, frozenset(live.intersection(equation.outs))
    if key not in known:
        known[key] = _needs_of_results(equation, key[1], known)
    return known[key]


def _needs_of_results(equation: Equation, live: frozenset[Var], known: Known) -> tuple[set[int], set[Var]]:
    needed = _variables(a for out in live for a in out.type.shape) - set(equation.outs)
    if equation.primitive.name in ("loop", "while"):
        skip = _leading(equation)
        keep = _carries_needed(equation, live, known)
        needed |= _variables(equation.operands[:skip]) | _variables(equation.operands[skip + k] for k in keep)
        needed |= _needs(equation.params["body"], keep, known) - defined(equation.params["body"])
        if "test" in equation.params:
            needed |= _needs(equation.params["test"], (0,), known) - defined(equation.params["test"])
        return keep, needed
    keep = _branch_results_needed(equation, live)
    needed |= _variables(equation.operands)
    return keep, needed.union(*(_needs(r, keep, known) - defined(r) for _, r in regions(equation)))


def _leading(equation: Equation) -> int:
    """How many operands come before the initial values."""
    return 1 if equation.primitive.name == "loop" else 0


def _carries_needed(equation: Equation, live: frozenset[Var], known: Known) -> set[int]:
    """The carries that results, the test or effects depend on, through any number of iterations."""
    body: Program = equation.params["body"]
    test: Program | None = equation.params.get("test")
    carries = body.params[_leading(equation) :]
    position = {v: k for k, v in enumerate(carries)}
    keep = {k for k, out in enumerate(equation.outs) if out in live}
    if test is not None:
        read = _needs(test, (0,), known)
        keep |= {k for k, p in enumerate(test.params) if p in read}
    while True:
        inside = _needs(body, keep, known)
        more = keep | {position[v] for v in inside if v in position}
        more |= {position[a] for k in more for a in carries[k].type.shape if a in position}
        if more == keep:
            return keep
        keep = more


def _branch_results_needed(equation: Equation, live: frozenset[Var]) -> set[int]:
    if equation.primitive.name == "custom":
        return set(range(len(equation.outs)))  # its rule gives all of them
    named = {a for out in live for a in out.type.shape}
    return {k for k, out in enumerate(equation.outs) if out in live or out in named}


# Removing the rest


def _sweep(region: Program, known: Known) -> None:
    live = _variables(region.results)
    kept: list[Equation] = []
    for equation in reversed(region.equations):
        if not _is_needed(equation, live):
            continue
        if equation.primitive.has_regions:
            order = sorted(_needs_of(equation, live, known)[0])
            if equation.primitive.name in ("loop", "while"):
                _prune_loop(equation, order, known)
            else:
                _prune_cond(equation, order, known)
        live.update(uses(equation))
        kept.append(equation)
    region.equations[:] = reversed(kept)


def _prune_loop(equation: Equation, order: list[int], known: Known) -> None:
    skip = _leading(equation)
    equation.operands = (*equation.operands[:skip], *(equation.operands[skip + k] for k in order))
    equation.outs = tuple(equation.outs[k] for k in order)
    body: Program = equation.params["body"]
    body.params = (*body.params[:skip], *(body.params[skip + k] for k in order))
    body.results = tuple(body.results[k] for k in order)
    _sweep(body, known)
    if "test" in equation.params:
        test: Program = equation.params["test"]
        test.params = tuple(test.params[k] for k in order)
        _sweep(test, known)


def _prune_cond(equation: Equation, order: list[int], known: Known) -> None:
    equation.outs = tuple(equation.outs[k] for k in order)
    for _, branch in regions(equation):
        branch.results = tuple(branch.results[k] for k in order)
        _sweep(branch, known)

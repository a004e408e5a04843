"""Dead code elimination: equations, loop carries and branch results that nothing needs."""

from __future__ import annotations

from collections.abc import Iterable

from ..primitives import Kind
from ..program import Equation, Program, regions, uses
from ..types import Var

__all__ = ["eliminate_dead"]


def eliminate_dead(program: Program) -> Program:
    """Remove, in place, what no result and no check depends on.  Valid in, valid out; results unchanged."""
    _sweep(program, set())
    return program


def _lengths(typed: Iterable[Var]) -> set[Var]:
    return {a for v in typed for a in v.type.shape if isinstance(a, Var)}


def _sweep(region: Program, live: set[Var]) -> set[Var]:
    """Sweep a region backwards; `live` grows by what it needs."""
    live.update(r for r in region.results if isinstance(r, Var))
    live |= _lengths(region.params)
    kept: list[Equation] = []
    for equation in reversed(region.equations):
        if not _is_needed(equation, live):
            continue
        if equation.primitive.name in ("loop", "while"):
            _prune_loop(equation, live)
        elif equation.primitive.name == "cond":
            _prune_cond(equation, live)
        live.update(uses(equation))
        kept.append(equation)
    region.equations[:] = reversed(kept)
    return live


def _is_needed(equation: Equation, live: set[Var]) -> bool:
    return any(out in live for out in equation.outs) or has_effect(equation)


def has_effect(equation: Equation) -> bool:
    """Whether running the equation can raise."""
    if equation.primitive.kind is Kind.CHECK or equation.params.get("checked"):
        return True
    return any(has_effect(e) for _, region in regions(equation) for e in region.equations)


def _prune_loop(equation: Equation, live: set[Var]) -> None:
    body: Program = equation.params["body"]
    test: Program | None = equation.params.get("test")
    skip = len(body.params) - len(body.results)
    carries = body.params[skip:]
    keep = {k for k, out in enumerate(equation.outs) if out in live}
    lengths_of = {v: k for k, v in enumerate(carries)}
    if test is not None:
        read = set().union(*(uses(e) for e in test.equations)) | {r for r in test.results if isinstance(r, Var)}
        keep |= {k for k, p in enumerate(test.params) if p in read}
    while True:
        inside = _needs(body, keep)
        more = keep | {k for k, p in enumerate(carries) if p in inside}
        more |= {lengths_of[a] for k in more for a in carries[k].type.shape if a in lengths_of}
        if more == keep:
            break
        keep = more
    order = sorted(keep)
    equation.operands = (*equation.operands[:skip], *(equation.operands[skip + k] for k in order))
    equation.outs = tuple(equation.outs[k] for k in order)
    body.params = (*body.params[:skip], *(carries[k] for k in order))
    body.results = tuple(body.results[k] for k in order)
    if test is not None:
        test.params = tuple(test.params[k] for k in order)
        _sweep(test, set())
    _sweep(body, set())


def _needs(body: Program, keep: set[int]) -> set[Var]:
    """What the body needs, if only these carries count; a dry run on copies of the lists."""
    live = {body.results[k] for k in keep if isinstance(body.results[k], Var)}
    for equation in reversed(body.equations):
        if _is_needed(equation, live):
            live.update(uses(equation))
    return live  # type: ignore[return-value]


def _prune_cond(equation: Equation, live: set[Var]) -> None:
    named = {a for out in equation.outs if out in live for a in out.type.shape}
    order = [k for k, out in enumerate(equation.outs) if out in live or out in named]
    equation.outs = tuple(equation.outs[k] for k in order)
    for name, branch in list(regions(equation)):
        branch.results = tuple(branch.results[k] for k in order)
        _sweep(branch, set())
        equation.params[name] = branch

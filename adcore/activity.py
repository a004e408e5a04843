"""Which values depend smoothly on others."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .linear import is_differentiable
from .program import Equation, Program, regions
from .types import Atom, Var

__all__ = ["spread"]


def spread(equations: Iterable[Equation], active: set[Var], through: Collection[str] = ()) -> None:
    """Add to `active` all values that depend smoothly on active ones, at any depth.

    A function with a stated derivative is taken to depend on all of its arguments, and so are the rows named in
    `through`, whatever their maps are.
    """
    for equation in equations:
        name = equation.primitive.name
        if name in ("loop", "while"):
            _spread_loop(equation, active, through)
        elif name in ("custom", "ruled") or name in through:
            if any(a in active for a in equation.operands):
                active.update(out for out in equation.outs if is_differentiable(out))
        elif equation.primitive.has_regions:
            for _, region in regions(equation):
                spread(region.equations, active, through)
                _mark(zip(region.results, equation.outs, strict=True), active)
        else:
            active.update(
                out for k, out in enumerate(equation.outs) if is_differentiable(out) and _moves(equation, k, active)
            )


def _moves(equation: Equation, number: int, active: set[Var]) -> bool:
    """Whether a result has a derivative in an active operand."""
    return any(
        operand in active and equation.primitive.map_for(index, number) is not None
        for index, operand in enumerate(equation.operands)
    )


def _mark(pairs: Iterable[tuple[Atom, Var]], active: set[Var]) -> None:
    active.update(to for source, to in pairs if source in active and is_differentiable(to))


def _spread_loop(equation: Equation, active: set[Var], through: Collection[str]) -> None:
    body: Program = equation.params["body"]
    count = len(body.results)
    inits, params = equation.operands[len(equation.operands) - count :], body.params[len(body.params) - count :]
    _mark(zip(inits, params, strict=True), active)
    before = -1
    while before != len(active):  # a carry that turns active in the body is active from the start
        before = len(active)
        spread(body.equations, active, through)
        _mark(zip(body.results, params, strict=True), active)
    _mark(zip(params, equation.outs, strict=True), active)

"""What only one branch needs, computed there.

    d = a - c                    if p:
    if p:                  ->        d = a - c
        s = s + d * d                s = s + d * d

What the reverse sweep computes again is put where the loop's iteration begins, and part of it serves only what was
chosen.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..primitives import Kind
from ..program import Equation, Program, free_variables, regions, uses
from ..types import Atom, Var
from .dce import has_effect

__all__ = ["defer"]


def defer(program: Program) -> Program:
    """Move, in place and at any depth, equations into the branch that alone uses them.

    Valid in, valid out; results unchanged.  What reads an array that is written into before the branch stays, since it
    would read the old elements from a copy.
    """
    _defer(program)
    for equation in program.equations:
        for _, region in regions(equation):
            defer(region)
    return program


Uses = dict[Var, list[Program | None]]  # by value: the branches that use it, None for any other use


def _defer(program: Program) -> None:
    users: Uses = {r: [None] for r in program.results if isinstance(r, Var)}
    root = _roots(program.equations)
    written: dict[Var, int] = {}  # by array: the first place from here on where its memory may be written
    branches: dict[int, int] = {}  # where each branch is
    kept: list[Equation] = []
    for place in range(len(program.equations) - 1, -1, -1):
        equation = program.equations[place]
        branch = _only_user(equation, users)
        arrays = {root.get(v, v) for v in uses(equation) if v.type.shape}
        if branch is not None and all(written.get(a, branches[id(branch)]) >= branches[id(branch)] for a in arrays):
            branch.equations.insert(0, equation)
            _note(users, uses(equation), branch)
            continue
        kept.append(equation)
        if equation.primitive.kind is Kind.WRITE:
            arrays = {a for a in arrays if a == root.get(equation.outs[0])}
        if equation.primitive.kind in (Kind.WRITE, Kind.CONTROL):
            written.update(dict.fromkeys(arrays, place))
        if equation.primitive.name != "cond":
            _note(users, uses(equation), None)
            continue
        _note(users, (a for a in equation.operands if isinstance(a, Var)), None)
        _note(users, (a for out in equation.outs for a in out.type.shape if isinstance(a, Var)), None)
        for _, region in regions(equation):
            branches[id(region)] = place
            _note(users, free_variables(region), region)
    program.equations[:] = reversed(kept)


def _note(users: Uses, values: Iterable[Var], user: Program | None) -> None:
    for var in values:
        users.setdefault(var, []).append(user)


def _only_user(equation: Equation, users: Uses) -> Program | None:
    """The one branch that uses the results of an equation without effects."""
    if not equation.outs or has_effect(equation):
        return None
    found = {id(user): user for out in equation.outs for user in users.get(out, [])}
    return next(iter(found.values())) if len(found) == 1 else None


def _roots(equations: list[Equation]) -> dict[Atom, Var]:
    """For each view, and each array that a write gives, the array whose memory it has."""
    root: dict[Atom, Var] = {}
    for equation in equations:
        source = equation.operands[0] if equation.operands else None
        if equation.primitive.kind in (Kind.VIEW, Kind.WRITE) and isinstance(source, Var) and source.type.shape:
            root[equation.outs[0]] = root.get(source, source)
    return root

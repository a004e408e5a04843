"""Regions of `checkpoint` put in place: the same values, and nothing said any more of what is run again."""

from __future__ import annotations

from ..program import Equation, Program, regions, substitute
from ..recomputation import rename
from ..types import Atom, Var

__all__ = ["inline_checkpoints", "inline_whole"]


def inline_checkpoints(program: Program) -> Program:
    """Put all checkpoints of a program in place, at any depth.  Valid in, valid out; results unchanged."""
    for equation in program.equations:
        for _, region in regions(equation):
            inline_checkpoints(region)
    return _flattened(program, [e for e in program.equations if e.primitive.name == "checkpoint"])


def inline_whole(program: Program) -> Program:
    """Put a checkpoint that is the whole program in place."""
    while len(program.equations) == 1 and program.equations[0].primitive.name == "checkpoint":
        _flattened(program, list(program.equations))
    return program


def _flattened(program: Program, checkpoints: list[Equation]) -> Program:
    if not checkpoints:
        return program
    env: dict[Var, Atom] = {}
    flat: list[Equation] = []
    for equation in program.equations:
        if equation not in checkpoints:
            flat.append(equation)
            continue
        body: Program = equation.params["body"]
        flat.extend(body.equations)
        env.update(zip(equation.outs, (substitute(r, env) for r in body.results), strict=True))
    program.equations[:] = flat
    program.results = tuple(rename(flat, program.results, env))
    return program

"""Regions of `checkpoint` and `custom` put in place: the same values, and nothing said any more of derivatives."""

from __future__ import annotations

from ..program import Equation, Program, clone, regions, substitute
from ..recomputation import rename
from ..types import Atom, Var

__all__ = ["has_custom", "inline_customs", "inline_regions", "inline_whole", "without_conforming"]


def inline_regions(program: Program) -> Program:
    """Put all checkpoints and functions with stated derivatives in place, at any depth.

    Valid in, valid out; results unchanged.
    """
    return _inlined(program, ("checkpoint", "custom"))


def inline_customs(program: Program) -> Program:
    """A program without functions with stated derivatives, which it has no more use for: itself, or a copy."""
    return _inlined(clone(program), ("custom",)) if has_custom(program) else program


def has_custom(region: Program) -> bool:
    return any(
        e.primitive.name == "custom" or any(has_custom(inner) for _, inner in regions(e)) for e in region.equations
    )


def _inlined(program: Program, names: tuple[str, ...]) -> Program:
    for equation in program.equations:
        for _, region in regions(equation):
            _inlined(region, names)
    return _flattened(program, [e for e in program.equations if e.primitive.name in names])


def inline_whole(program: Program) -> Program:
    """Put a checkpoint that is the whole program in place."""
    while len(program.equations) == 1 and program.equations[0].primitive.name == "checkpoint":
        _flattened(program, list(program.equations))
    return program


def _flattened(program: Program, inlined: list[Equation]) -> Program:
    if not inlined:
        return program
    env: dict[Var, Atom] = {}
    flat: list[Equation] = []
    for equation in program.equations:
        if equation not in inlined:
            flat.append(equation)
            continue
        body: Program = equation.params["body"]
        flat.extend(body.equations)
        env.update(zip(equation.outs, (substitute(r, env) for r in body.results), strict=True))
    for var in env:
        while (further := substitute(env[var], env)) is not env[var]:
            env[var] = further
    program.equations[:] = flat
    program.results = tuple(rename(flat, program.results, env))
    return program


def without_conforming(region: Program) -> Program:
    """A program, changed in place, without the equations that give a value lengths which it has here anyway."""
    env: dict[Var, Atom] = {}
    kept: list[Equation] = []
    for equation in region.equations:
        rename([equation], (), env)
        for _, inner in regions(equation):
            without_conforming(inner)
        if equation.primitive.name == "conform" and equation.operands[0].type.shape == equation.operands[1:]:
            env[equation.outs[0]] = equation.operands[0]
        else:
            kept.append(equation)
    region.equations[:] = kept
    region.results = tuple(rename([], region.results, env))
    return region

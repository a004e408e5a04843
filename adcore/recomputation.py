"""Values of a primal region computed again elsewhere: slices of its equations with fresh names."""

from __future__ import annotations

from collections.abc import Iterable

from .builder import Builder
from .primitives import Kind
from .program import Equation, Program, clone_equation, defined, regions, substitute, uses
from .types import Atom, Type, Var

__all__ = ["invariant", "recompute", "rename", "unchecked"]


def effect_free(equation: Equation) -> bool:
    return equation.primitive.kind is not Kind.CHECK


def recompute(
    equations: list[Equation], wanted: Iterable[Var], env: dict[Var, Atom]
) -> tuple[list[Equation], dict[Var, Atom]]:
    """Copies of the equations that give the wanted values, in order, checks left out; `env` has what is known."""
    producers = {out: e for e in equations for out in e.outs}
    selected: set[int] = set()
    stack = [v for v in wanted if v not in env]
    while stack:
        equation = producers.get(stack.pop())
        if equation is None or id(equation) in selected:
            continue
        selected.add(id(equation))
        stack.extend(v for v in uses(equation) if v not in env)
    copies = []
    for equation in equations:
        if id(equation) in selected:
            known = {out: env[out] for out in equation.outs if out in env}
            copies.append(unchecked(clone_equation(equation, env, effect_free)))
            env.update(known)
            if known:
                copies += _under_known_lengths(equation, env)
    return copies, env


def _under_known_lengths(equation: Equation, env: dict[Var, Atom]) -> list[Equation]:
    """Results of a copy whose types name lengths of the copy, under the names by which these are known."""
    b = Builder()
    for out in equation.outs:
        copy = env[out]
        shape = tuple(substitute(a, env) for a in out.type.shape)
        if copy.type.shape != shape:
            env[out] = b.conform(copy, *shape, checked=False)
    return b.equations


def unchecked(equation: Equation) -> Equation:
    """A copy made to be run again does not check what the first run has checked."""
    if equation.params.get("checked"):
        equation.params = dict(equation.params, checked=False)
    for _, region in regions(equation):
        region.equations[:] = [unchecked(inner) for inner in region.equations if effect_free(inner)]
    return equation


def rename(equations: list[Equation], results: Iterable[Atom], env: dict[Var, Atom]) -> list[Atom]:
    """Rewrite the names in place; gives the results rewritten."""
    for equation in equations:
        equation.operands = tuple(substitute(a, env) for a in equation.operands)
        _retype(equation.outs, env)
        for _, region in regions(equation):
            _retype(region.params, env)
            region.results = tuple(rename(region.equations, region.results, env))
    return [substitute(a, env) for a in results]


def _retype(typed: Iterable[Var], env: dict[Var, Atom]) -> None:
    for var in typed:
        if var.type.shape:
            var.type = Type(var.type.dtype, tuple(substitute(a, env) for a in var.type.shape))


def invariant(body: Program, atoms: Iterable[Atom]) -> list[Equation] | None:
    """The body's equations that give the atoms, if they depend on outside values alone."""
    producers = {out: e for e in body.equations for out in e.outs}
    own = defined(body)
    selected: set[int] = set()
    stack = [a for a in atoms if isinstance(a, Var) and a in own]
    while stack:
        equation = producers.get(stack.pop())
        if equation is None:
            return None
        selected.add(id(equation))
        stack.extend(v for v in uses(equation) if v in own)
    return [e for e in body.equations if id(e) in selected]

"""Program: typed single-assignment equations with structured control flow.

A `Program` is a list of equations between parameters and results.  Control flow is equations whose parameters hold
Programs (regions); a region may use any value that is in scope where its equation stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import Source
from .types import Atom, Type, Var

__all__ = [
    "Equation",
    "Program",
    "all_defined",
    "clone",
    "defined",
    "free_variables",
    "fresh",
    "regions",
    "retyped",
    "substitute",
    "uses",
]


@dataclass(slots=True, eq=False)
class Equation:
    """`outs = primitive(*operands, **params)`, and the user's line it comes from.

    `number`, `stable`, `fed` and `keep` are notes of `adcore.passes.stability`: a loop's number; for a `view` or an
    `update` the numbers of the loops through whose end its elements are not written again; for such a `view` those of
    the loops of which an earlier iteration may have written them, and whether the elements should rather be kept than
    the array.  `counted` is one of `adcore.again`: which result of a `while` counts its iterations; `keeps` of
    `adcore.storage`: the value of an iteration that an `update` keeps for the reverse sweep; `unread` of
    `adcore.passes.dce`: which of several results need no tangents; `segment` of `adcore.passes.tiling`: a loop over a
    part of the iterations of another, cut to save memory; `joins` of `adcore.merging`: a loop that runs the iterations
    of the primal's loop of the same number again, each followed by its dual; `backwards` of `adcore.control`: a loop
    whose iterations are those of a primal's loop, the last one first; `rule` of `adcore.rules`: the derivative that the
    user has stated of a `custom`; `surrogate` of `adcore.surrogates`: what this stands for, of which it is neither the
    value nor the derivative.
    """

    primitive: Any  # adcore.primitives.Primitive; typed there, which imports this module
    operands: tuple[Atom, ...]
    params: dict[str, Any]
    outs: tuple[Var, ...]
    source: Source | None = None
    number: int = 0
    stable: frozenset[int] = frozenset()
    fed: frozenset[int] = frozenset()
    keep: bool = False
    counted: int | None = None
    keeps: Var | None = None
    unread: frozenset[int] = frozenset()
    segment: bool = False
    joins: bool = False
    rule: Any = None
    first: bool = False
    surrogate: Any = None
    backwards: bool = False


@dataclass(slots=True, eq=False)
class Program:
    """Parameters, equations in order, results.  The lengths in a parameter's shape are bound by the parameter."""

    params: tuple[Var, ...]
    equations: list[Equation] = field(default_factory=list)
    results: tuple[Atom, ...] = ()
    name: str = "f"


def regions(equation: Equation) -> Iterator[tuple[str, Program]]:
    """The Programs among an equation's parameters, by name."""
    if not equation.primitive.has_regions:
        return
    for name, value in equation.params.items():
        if isinstance(value, Program):
            yield name, value


def uses(equation: Equation) -> list[Var]:
    """Every value the equation needs: operands, lengths its results' types name, what its regions read from outside."""
    found = [atom for atom in equation.operands if type(atom) is Var]
    for out in equation.outs:
        if out.type.shape:
            found += _named_lengths(equation.outs)
            break
    if equation.primitive.has_regions:
        for _, region in regions(equation):
            found += free_variables(region)
    return found


def _named_lengths(typed: tuple[Var, ...]) -> list[Var]:
    return [atom for var in typed for atom in var.type.shape if type(atom) is Var and atom not in typed]


def defined(region: Program) -> set[Var]:
    """Values that the region's own level defines: parameters and equation results."""
    return {*region.params, *(out for equation in region.equations for out in equation.outs)}


def all_defined(region: Program) -> Iterator[Var]:
    """What a region and those inside of it define."""
    yield from defined(region)
    for equation in region.equations:
        for _, inner in regions(equation):
            yield from all_defined(inner)


def free_variables(region: Program) -> dict[Var, None]:
    """Values a region uses from outside, in order of first use."""
    own = set(region.params)
    free: dict[Var, None] = dict.fromkeys(_named_lengths(region.params))
    for equation in region.equations:
        for var in uses(equation):
            if var not in own:
                free[var] = None
        own.update(equation.outs)
    for atom in region.results:
        if type(atom) is Var and atom not in own:
            free[atom] = None
    return free


def substitute(atom: Atom, env: Mapping[Var, Atom]) -> Atom:
    return env.get(atom, atom) if isinstance(atom, Var) else atom


def retyped(type: Type, env: Mapping[Var, Atom]) -> Type:
    if not type.shape:
        return type
    return Type(type.dtype, tuple(substitute(a, env) for a in type.shape))


def fresh(var: Var, env: dict[Var, Atom]) -> Var:
    """A new variable like `var`, its shape rewritten by `env`, and entered there."""
    new = Var(retyped(var.type, env), var.name)
    env[var] = new
    return new


def clone_equation(
    equation: Equation, env: dict[Var, Atom], keep: Callable[[Equation], bool] = lambda _: True
) -> Equation:
    """A copy with fresh results; operands and regions rewritten by `env`, which learns the new names.

    `keep` filters the equations of nested regions.
    """
    params = {k: clone(v, env, keep) if isinstance(v, Program) else v for k, v in equation.params.items()}
    operands = tuple(substitute(a, env) for a in equation.operands)
    outs = tuple(fresh(v, env) for v in equation.outs)
    return replace(equation, operands=operands, params=params, outs=outs)


def clone(
    program: Program, env: Mapping[Var, Atom] | None = None, keep: Callable[[Equation], bool] = lambda _: True
) -> Program:
    """A copy of the program with fresh variables throughout; free variables are rewritten by `env`."""
    inner: dict[Var, Atom] = dict(env or {})
    for param in program.params:
        for atom in param.type.shape:
            if isinstance(atom, Var) and atom not in inner and env is None:
                inner[atom] = Var(atom.type, atom.name)
    params = tuple(fresh(p, inner) for p in program.params)
    equations = [clone_equation(e, inner, keep) for e in program.equations if keep(e)]
    return Program(params, equations, tuple(substitute(a, inner) for a in program.results), program.name)

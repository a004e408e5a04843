"""Residuals: what the dual needs of the primal's loop iterations and branches, stored or computed again.

The statements of a linear body name values of the primal body.  Those that depend on outside values and the counter
alone are computed again where they are needed; for the others a minimum vertex cut between what an iteration starts
from and what the dual needs says which values to store (so many bytes an iteration) and which to compute again from
them.  A loop inside the body counts as one node: if its own residuals are too large to store for every outer
iteration, the cut runs before it and it is run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .builder import Builder
from .cut import minimum_cut
from .passes.stability import read_from, versions
from .primitives import Kind
from .program import Equation, Program, defined, substitute, uses
from .recomputation import invariant, recompute, rename
from .storage import Storage
from .types import BOOL, I64, Atom, DType, Type, Var, literal

__all__ = ["provide_branch", "provide_iterations"]

ARRAY_COST = 1000  # an array counts as so many scalars an axis
PARTS_COST = 2  # so many times as much counts an array that index arrays read or write a part of
RUN_COST = 200  # to run a loop again counts as so many bytes: a few scalars are rather kept, an array is not
COSTLY = {Kind.CONTROL, Kind.REDUCTION, Kind.CONTRACTION}


def needed(equations: Iterable[Equation], results: Iterable[Atom], own: set[Var]) -> dict[Var, None]:
    """Values of the primal region that the linear region names."""
    found: dict[Var, None] = {}
    for equation in equations:
        found.update(dict.fromkeys(v for v in uses(equation) if v in own))
    found.update(dict.fromkeys(r for r in results if isinstance(r, Var) and r in own))
    return found


def cost(var: Var) -> int:
    """The bytes of a value, an unknown axis counted as `ARRAY_COST`."""
    bytes = 1 if var.type.dtype is DType.BOOL else 8
    for length in var.type.shape:
        bytes *= ARRAY_COST if isinstance(length, Var) else 1
    return bytes


def choose_stored(equations: list[Equation], wanted: Iterable[Var], roots: Iterable[Var]) -> list[Var]:
    """The cheapest values to keep from which, with what is outside, all wanted ones follow.

    Running a loop, a reduction or a matrix product again has a price too: a further source, whose removal means to
    run it.
    """
    producers = {out: e for e in equations for out in e.outs}
    in_parts = {e.operands[0] for e in equations if e.primitive.name in ("gather", "scatter", "scatter_add")}
    edges: list[tuple[Any, Any]] = []
    sources: list[Any] = []
    seen: set[Var] = set()
    stack = list(wanted)
    while stack:
        var = stack.pop()
        if var in seen:
            continue
        seen.add(var)
        equation = producers.get(var)
        if equation is None:
            continue
        if equation.primitive.kind in COSTLY:
            edges.append((_Run(equation), var))
            sources.append(_Run(equation))
        elif equation.keep:
            sources.append(var)
        for source in uses(equation):
            edges.append((source, var))
            stack.append(source)
    sources += [r for r in roots if r in seen]

    def price(node: Any) -> int:
        if isinstance(node, _Run):
            return RUN_COST
        return cost(node) * PARTS_COST if node in in_parts else cost(node)

    cut = minimum_cut(edges, sources, list(wanted), price)
    return [v for v in cut if isinstance(v, Var)]


@dataclass(frozen=True)
class _Run:
    """The running of a costly equation, in the graph of the cut."""

    equation: Equation

    def __hash__(self) -> int:
        return id(self.equation)


# Iterations


def provide_iterations(
    b: Builder,
    origin: Equation,
    scope: list[Equation],
    inner: Builder,
    counter: Var,
    results: list[Atom],
    backwards: bool,
) -> tuple[Atom, list[Equation], list[Atom]]:
    """Make the primal values that a linear loop body names available to it.

    The primal loop `origin` in `scope` is extended to store what the cut chooses.  Gives the trip count, the linear
    body's equations with loads and recomputation in front, and its results.
    """
    body: Program = origin.params["body"]
    own = defined(body)
    states = versions(origin)
    inner.equations[:] = read_from(inner.equations, origin, states)
    primal = read_from(body.equations, origin, states)
    wanted = needed(inner.equations, results, own)
    for var in list(wanted):  # the lengths in their types are wanted too
        wanted.update(dict.fromkeys(a for a in var.type.shape if a in own))
    is_loop = origin.primitive.name == "loop"
    state = body.params[1:] if is_loop else body.params
    stored = choose_stored(primal, wanted, state)
    # a stored array whose length changes between iterations needs its length stored too
    lengths = [a for v in stored for a in v.type.shape if a in own and not _outside(body, a)]
    stored = list(dict.fromkeys([*lengths, *stored]))

    storage = Storage(origin, scope)
    front = Builder(b)
    count = origin.operands[0] if is_loop else storage.count()
    step: Atom = front.sub(front.sub(count, 1), counter) if backwards else counter
    env: dict[Var, Atom] = {body.params[0]: step} if is_loop else {}
    for var in stored:
        if any(a in lengths for a in var.type.shape):
            env[var] = storage.store_ragged(var, front, step, env)
        else:
            env[var] = storage.store(var, front, step, env)
    copies, env = recompute(primal, wanted, env)
    results = rename(inner.equations, results, env)
    return count, [*front.equations, *copies, *inner.equations], results


def _outside(body: Program, length: Atom) -> bool:
    """Whether a length that the body computes depends on nothing that changes between iterations."""
    return invariant(body, [length]) is not None


# Branches


def provide_branch(origin: Equation, name: str, inner: Builder, results: tuple[Atom, ...]) -> Program:
    """Make the values of the primal branch that the linear branch names available to it.

    They are computed again from what is outside, but the results of a loop inside the branch are handed out by the
    primal.
    """
    branch: Program = origin.params[name]
    own = defined(branch)
    wanted = needed(inner.equations, results, own)
    for var in list(wanted):
        wanted.update(dict.fromkeys(a for a in var.type.shape if a in own))
    costly = [out for e in branch.equations if e.primitive.name in ("loop", "while") for out in e.outs]
    exported = choose_stored(branch.equations, wanted, costly)
    lengths = [a for v in exported for a in v.type.shape if isinstance(a, Var) and a in own]
    env: dict[Var, Atom] = {}
    for var in dict.fromkeys([*lengths, *exported]):
        env[var] = export(origin, name, var, env)
    copies, env = recompute(branch.equations, wanted, env)
    results = tuple(rename(inner.equations, results, env))
    return Program((), [*copies, *inner.equations], results, name)


def export(origin: Equation, name: str, var: Var, env: dict[Var, Atom]) -> Var:
    """A further result of a `cond`: a value of one branch; the other branch gives one that is never read."""
    other = "otherwise" if name == "then" else "then"
    branch, elsewhere = origin.params[name], origin.params[other]
    out = Var(Type(var.type.dtype, tuple(substitute(a, env) for a in var.type.shape)), var.name)
    branch.results = (*branch.results, var)
    filler = Builder()
    unread = filler_for(filler, var.type, set(env))
    elsewhere.equations.extend(filler.equations)
    elsewhere.results = (*elsewhere.results, unread)
    origin.outs = (*origin.outs, out)
    return out


def filler_for(b: Builder, type: Type, inside: set[Var]) -> Atom:
    if not type.shape:
        return {BOOL.dtype: literal(False), I64.dtype: literal(0)}.get(type.dtype, literal(0.0))
    return b.empty(*(literal(0) if a in inside else a for a in type.shape), dtype=type.dtype)

"""Residuals: what the dual needs of the primal's loop iterations and branches, stored or computed again.

The statements of a linear body name values of the primal body.  Those that depend on outside values and the counter
alone are computed again where they are needed; for the others a minimum vertex cut between what an iteration starts
from and what the dual needs says which values to store (so many bytes an iteration) and which to compute again from
them.  A loop inside the body counts as one node: if its own residuals are too large to store for every outer
iteration, the cut runs before it and it is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .builder import Builder
from .choice import choose_stored, coefficients_of, is_elementary, is_slow, move_into, needed
from .passes.stability import Versions, read_from, versions
from .primitives import Kind
from .program import Equation, Program, defined, substitute, uses
from .recomputation import invariant, recompute, rename
from .storage import Storage
from .types import Atom, Type, Var, literal

__all__ = ["provide_branch", "provide_iterations"]

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
    coefficients = coefficients_of(inner)
    inner.equations[:] = [e for e in inner.equations if e not in coefficients]
    known = [*primal, *coefficients]
    wanted = needed(inner.equations, results, own.union(*(e.outs for e in coefficients)))
    for var in list(wanted):  # the lengths in their types are wanted too
        wanted.update(dict.fromkeys(a for a in var.type.shape if a in own))
    is_loop = origin.primitive.name == "loop"
    state = body.params[1:] if is_loop else body.params
    written = _written(origin, known, own, states)
    stored = choose_stored(known, wanted, state, inner.coefficients, written.keys())
    if b.parent is not None and not origin.segment:
        spared = _spared(origin, known, written.keys() >= {*stored})
        stored = choose_stored(known, wanted, state, inner.coefficients, written.keys(), spared)
    move_into(body.equations, coefficients, stored)
    # a stored array whose length changes between iterations needs its length stored too; other lengths are computed
    # in front of the loop, and are known there under one name only
    named = dict.fromkeys(a for v in stored for a in v.type.shape if a in own)
    fixed = {a for a in named if _outside(body, a)}
    lengths = [a for a in named if a not in fixed]
    read = [v for v in stored if v in written and v not in named]
    stored = [v for v in dict.fromkeys([*lengths, *stored]) if v not in fixed and v not in read]

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
    for var in read:
        array, write = written[var]
        copies, env = recompute(known, [a for a in write.operands[2:] if isinstance(a, Var)], env)
        front.adopt(copies)
        indices = [substitute(a, env) for a in write.operands[2:]]
        env[var] = front.view(array, *indices, codes=write.params["codes"])
        front.equations[-1].stable = write.stable
    copies, env = recompute(known, wanted, env)
    results = rename(inner.equations, results, env)
    return count, [*front.equations, *copies, *inner.equations], results


def _spared(loop: Equation, known: list[Equation], rereads: bool) -> Callable[[Equation], bool]:
    """What an inner loop does not do again, since to keep what it gave takes less time.

    What a loop keeps that the loop around will run again is read while it is in the cache: no division and no
    elementary function is done again.  A loop that `rereads` all that it needs keeps elementary functions of what
    earlier iterations have written: in such a chain they are not computed several at a time.
    """
    if not rereads:
        return is_slow
    chain: set[Var] = set()
    for equation in known:
        if loop.number in equation.fed or not chain.isdisjoint(uses(equation)):
            chain.update(equation.outs)
    return lambda equation: is_elementary(equation) and equation.outs[0] in chain


def _written(loop: Equation, known: list[Equation], own: set[Var], states: Versions) -> dict[Var, tuple[Var, Equation]]:
    """Numbers that the body writes where the loop does not write again: the loop's result, and the write.

    Where they are written follows from the counter and what is outside by elementwise operations.
    """
    found: dict[Var, tuple[Var, Equation]] = {}
    body: Program = loop.params["body"]
    for equation in body.equations:
        if equation.primitive.name != "update" or loop.number not in equation.stable:
            continue
        value, carry = equation.operands[1], states.carry_of(equation.outs[0])
        if not isinstance(value, Var) or value not in own or value.type.shape or carry is None:
            continue
        array = loop.outs[carry]
        if array.type == equation.outs[0].type and _follow(known, equation.operands[2:], own - {body.params[0]}):
            found[value] = array, equation
    return found


def _follow(equations: list[Equation], atoms: Iterable[Atom], own: set[Var]) -> bool:
    """Whether elementwise operations give the atoms from what is not `own`."""
    producers = {out: e for e in equations for out in e.outs}
    stack = [a for a in atoms if a in own]
    while stack:
        equation = producers.get(stack.pop())
        if equation is None or equation.primitive.kind is not Kind.ELEMENTWISE:
            return False
        stack += [v for v in uses(equation) if v in own]
    return True


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
    costly = [out for e in branch.equations if is_exported(e) for out in e.outs]
    exported = choose_stored(branch.equations, wanted, costly)
    lengths = [a for v in exported for a in v.type.shape if isinstance(a, Var) and a in own]
    env: dict[Var, Atom] = {}
    for var in dict.fromkeys([*lengths, *exported]):
        env[var] = export(origin, name, var, env)
    copies, env = recompute(branch.equations, wanted, env)
    results = tuple(rename(inner.equations, results, env))
    return Program((), [*copies, *inner.equations], results, name)


def is_exported(equation: Equation) -> bool:
    """Whether the results are rather handed out of a branch than computed again: of loops, and slow single numbers."""
    return equation.primitive.name in ("loop", "while") or (is_slow(equation) and not equation.outs[0].type.shape)


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
        return type.dtype.zero
    return b.empty(*(literal(0) if a in inside else a for a in type.shape), dtype=type.dtype)

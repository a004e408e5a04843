"""Regions that the reverse sweep runs again from what is outside: checkpoints, and loops of unknown length.

The linear part of such a region is that of a copy of it, and both are emitted as one region, so that what the copy
computes lives no longer than the linear part needs it.  A `while` under a policy has counted its iterations, so that
its copy is a loop of known length, which is reversed under that policy.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, MutableMapping
from typing import Any

from .builder import Builder
from .linear import Linear, LinearAgain, zeros
from .passes.dce import eliminate_dead
from .passes.tiling import segment_loops_of
from .policies import policy_of
from .program import Equation, Program, clone, defined, regions
from .recomputation import effect_free, unchecked
from .storage import Storage
from .types import I64, Atom, Var

__all__ = ["count_loops", "emit_again", "inner_lengths", "is_run_again", "run_again"]

Values = MutableMapping[Var, Atom]
Emit = Callable[[Builder, Linear, Values, list[Equation]], None]


def is_run_again(equation: Equation) -> bool:
    """Whether the reverse sweep runs a copy of the equation."""
    return equation.primitive.name == "checkpoint" or equation.counted is not None


def count_loops(equations: list[Equation], backwards: bool) -> None:
    """Note at each equation whether it counts its iterations: in reverse mode a `while` under a policy is made to."""
    for equation in equations:
        for _, region in regions(equation):
            count_loops(region.equations, backwards)
        equation.counted = None
        if backwards and equation.primitive.name == "while" and policy_of(equation.params).kind != "all":
            Storage(equation, equations).count()
            equation.counted = len(equation.outs) - 1


def run_again(equation: Equation) -> tuple[Program, tuple[Var, ...]]:
    """The copy of the equation, and the results of the equation that its results are."""
    if equation.primitive.name == "checkpoint":
        copy = clone(equation.params["body"], {}, keep=effect_free)
        outs = equation.outs
    else:
        copy, outs = _counted(equation)
    for inner in copy.equations:
        unchecked(inner)
    return copy, outs


def _counted(equation: Equation) -> tuple[Program, tuple[Var, ...]]:
    """A `while` as a loop of as many iterations as it made."""
    assert equation.counted is not None
    body: Program = equation.params["body"]
    kept = [k for k in range(len(equation.outs)) if k != equation.counted]
    iteration = Program(
        (Var(I64, "k"), *(body.params[k] for k in kept)), body.equations, tuple(body.results[k] for k in kept), "body"
    )
    iteration = eliminate_dead(clone(iteration, {}, keep=effect_free))
    count_loops(iteration.equations, backwards=True)  # anew: nothing has read the counts of those inside yet
    b = Builder()
    b.source = equation.source
    inits = tuple(equation.operands[k] for k in kept)
    outs = b.loop(equation.outs[equation.counted], inits, iteration)
    (loop,) = b.equations
    loop.number = equation.number
    loop.params = {**loop.params, **policy_of(equation.params).params}
    segment_loops_of(b.equations)
    return Program((), b.equations, outs, "again"), tuple(equation.outs[k] for k in kept)


def emit_again(b: Builder, step: LinearAgain, values: Values, emit: Emit) -> None:
    """The copy and its linear part as one region."""
    own = defined(step.again)
    inner = Builder()  # with no parent: values that the primal has computed outside are not to be kept for this
    inner.source = b.source
    inner.adopt(step.again.equations)
    local: Any = ChainMap({}, values)  # type: ignore[arg-type]
    if step.backwards:
        for result, out in zip(step.again.results, step.outs, strict=True):
            if isinstance(result, Var) and out in values:
                before = local.get(result)
                seed = inner.conform(values[out], *result.type.shape, checked=False)
                local[result] = seed if before is None else inner.plus(before, seed)
    emit(inner, step.body, local, inner.equations)
    if step.backwards:
        sources = targets = [v for v in local.maps[0] if v not in own]
    else:
        pairs = [(r, out) for r, out in zip(step.again.results, step.outs, strict=True) if r in local]
        sources, targets = [r for r, _ in pairs], [out for _, out in pairs]
    if not targets:
        return
    results = tuple(_fitted(inner, local, s, t) for s, t in zip(sources, targets, strict=True))
    region = eliminate_dead(Program((), inner.equations, results, "again"))
    for target, out in zip(targets, b.checkpoint_(region), strict=True):
        values[target] = out


def _fitted(b: Builder, values: Values, of: Atom, like: Var) -> Atom:
    found = values.get(of) if isinstance(of, Var) else None
    if found is None:
        return zeros(b, like.type)
    return b.conform(found, *like.type.shape, checked=False) if like.type.shape else found


def wrapped(program: Program) -> Program:
    """The program as one checkpoint: its inside is run again by derivatives of whatever it becomes a part of."""
    lengths = inner_lengths(program)
    b = Builder()
    body = Program((), program.equations, (*lengths, *program.results), program.name)
    outs = b.checkpoint_(body)
    return Program(program.params, b.equations, outs[len(lengths) :], program.name)


def inner_lengths(program: Program) -> tuple[Atom, ...]:
    """The lengths of results that the program computes: to be results of a region too, before what has them."""
    inside = {out for e in program.equations for out in e.outs}
    return tuple(dict.fromkeys(a for r in program.results for a in r.type.shape if a in inside))

"""The state of a loop: those of the values that it carries through which one iteration acts on the next ones.

A loop carries more than its state: sums, to which iterations only add; arrays into which they only write; what was
there before the last step.  Products of Jacobians are those of the state alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from .activity import spread
from .builder import Builder
from .derive import linearize
from .linear import Edge, Generator, LinearCond, LinearLoop, Step, cond_ends, is_differentiable
from .program import Equation, Program, free_variables, regions, uses
from .types import Atom, Var

__all__ = ["carried", "loops_of", "state_of"]

COPIES = {"identity", "mask", "clear", "clear_at", "conforming", "reshape", "permute", "compose"}
OPAQUE = {"custom"}  # whose derivative is stated, so that none goes through the loops inside


def loops_of(program: Program) -> list[Equation]:
    """The loops of a program through which derivatives go, in order, those around others first."""
    return list(_loops(program))


def _loops(region: Program) -> Iterator[Equation]:
    for equation in region.equations:
        if equation.primitive.name in ("loop", "while"):
            yield equation
        if equation.primitive.name not in OPAQUE:
            for _, inner in regions(equation):
                yield from _loops(inner)


def carried(loop: Equation) -> tuple[tuple[Atom, ...], tuple[Var, ...]]:
    """What a loop carries: the initial values, and the parameters of its body."""
    first = 1 if loop.primitive.name == "loop" else 0
    return loop.operands[first:], loop.params["body"].params[first:]


def state_of(loop: Equation) -> list[int]:
    """The positions, among what a loop carries, of its state; empty where no iteration acts on the next one.

    >>> from adcore import program
    >>> def f(x, n):
    ...     total = 0.0
    ...     for _ in range(n):
    ...         x = 3.9 * x * (1.0 - x)
    ...         total += x
    ...     return total
    >>> [loop] = loops_of(program(f, 0.3, 10))
    >>> [carried(loop)[1][k].name for k in state_of(loop)]
    ['x']
    """
    body: Program = loop.params["body"]
    _, params = carried(loop)
    moving = [
        k
        for k, (param, result) in enumerate(zip(params, body.results, strict=True))
        if is_differentiable(param) and result is not param
    ]
    acts_on = {k: _reached(body, params[k], moving) for k in moving}
    closure = _closed(acts_on)
    recurrent = {k for k in moving if k in closure[k]}
    stored = {k for k in recurrent if acts_on[k] == {k} and _is_copied(body, params[k], body.results[k])}
    core = recurrent - stored
    return [k for k in moving if k in core or (closure[k] & core and any(k in closure[c] for c in core))]


def _reached(body: Program, param: Var, moving: Sequence[int]) -> set[int]:
    """Which values of the next iteration depend on one of this iteration."""
    active = {param}
    spread(body.equations, active)
    return {k for k in moving if body.results[k] in active}


def _closed(acts_on: dict[int, set[int]]) -> dict[int, set[int]]:
    """On what each value acts in any number of iterations."""
    found = {k: set(reached) for k, reached in acts_on.items()}
    changing = True
    while changing:
        changing = False
        for reached in found.values():
            further = set().union(*(found[k] for k in reached)) - reached
            reached |= further
            changing |= bool(further)
    return found


def _is_copied(body: Program, param: Var, result: Atom) -> bool:
    """Whether a result is the parameter with something added to it, or with elements written into it."""
    gains = {param: 1.0}
    _follow(linearize(body.equations, {param}).steps, gains)
    return isinstance(result, Var) and gains.get(result, 0.0) <= 1.0


def _follow(steps: Iterable[Step], gains: dict[Var, float]) -> None:
    """Note how many times at most the values that steps give contain another one; inf for what is no copy of it."""
    chosen: dict[Var, float] = {}  # what a `select` gives has one of its operands
    for step in steps:
        if isinstance(step, Edge):
            gain = gains.get(step.source, 0.0)
            if not gain:
                continue
            gain = gain if _is_copy(step.label(Builder())) else math.inf
            if step.origin.primitive.name == "select":
                gains[step.target] = chosen[step.target] = max(chosen.get(step.target, 0.0), gain)
            else:
                gains[step.target] = gains.get(step.target, 0.0) + gain
        elif isinstance(step, LinearLoop):
            _follow_loop(step, gains)
        elif isinstance(step, LinearCond):
            _follow_branches(step, gains)
        elif any(gains.get(v) for v in uses(step.origin)):
            gains.update((out, math.inf) for out in step.origin.outs)


def _follow_loop(step: LinearLoop, gains: dict[Var, float]) -> None:
    for init, param, result, out in step.carries:
        inside = dict(gains)
        inside.update((p, 0.0) for _, p, _, _ in step.carries)
        inside[param] = 1.0
        outside = {v for v, gain in gains.items() if gain and isinstance(v, Var)}
        begun = gains.get(init, 0.0) if isinstance(init, Var) else 0.0
        _follow(step.body.steps, inside)
        only_here = _reads_none(step, outside)
        gain = inside.get(result, 0.0) if isinstance(result, Var) else 0.0
        gains[out] = begun if only_here and gain <= 1.0 else math.inf if gain or begun or not only_here else 0.0


def _reads_none(step: LinearLoop, outside: set[Var]) -> bool:
    return outside.isdisjoint(free_variables(step.origin.params["body"]))


def _follow_branches(step: LinearCond, gains: dict[Var, float]) -> None:
    for name, branch in step.branches:
        inside = dict(gains)
        _follow(branch.steps, inside)
        for result, out in cond_ends(step, name):
            gain = inside.get(result, 0.0) if isinstance(result, Var) else 0.0
            gains[out] = max(gains.get(out, 0.0), gain)


def _is_copy(generator: Generator) -> bool:
    if generator.name == "compose":
        return all(map(_is_copy, generator.residuals))
    return generator.name in COPIES

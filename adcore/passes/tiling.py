"""Checkpointing: a loop cut into segments, of which the reverse sweep keeps the state at the start.

A loop of n iterations becomes a loop over segments with a loop over the iterations of a segment inside:

    for s in range(segments):
        for j in range(min(length, n - s * length)):
            i = s * length + j

The residual plan does the rest (`adcore.residuals`): the values of a segment's iterations are too large to keep for
every segment, so that only the state at its start is kept, and the segment is run again when its turn comes.  With
segments of length sqrt(n) the memory is proportional to sqrt(n), for one more run of the loop (Griewank 1992 gives
the optimal schedules).
"""

from __future__ import annotations

from ..builder import Builder
from ..policies import policy_of
from ..primitives import TABLE
from ..program import Equation, Program, regions
from ..types import I64, Atom, DType, Var

__all__ = ["segment_loops", "segment_loops_of"]


def segment_loops(program: Program) -> None:
    """Cut the loops whose policy ("sqrt", or the number of segments) says so, in place.

    Valid in, valid out; results unchanged.

    Runs after `adcore.passes.stability`: what is stable in a loop is stable in its segments and over them.
    """
    _segment(program.equations, _numbers(program.equations) + 1)


def segment_loops_of(equations: list[Equation]) -> None:
    """As `segment_loops`, of loops in which nothing is known to be stable."""
    _segment(equations, 0)


def _numbers(equations: list[Equation]) -> int:
    """The greatest number of a loop."""
    inner = [_numbers(region.equations) for e in equations for _, region in regions(e)]
    return max([0, *inner, *(e.number for e in equations)])


def _segment(equations: list[Equation], number: int) -> int:
    """Cut the loops of a region, those inside others first; gives the next free loop number."""
    for position in range(len(equations) - 1, -1, -1):
        equation = equations[position]
        for _, region in regions(equation):
            number = _segment(region.equations, number)
        policy = policy_of(equation.params).kind
        if equation.primitive.name == "loop" and policy not in ("all", "revolve"):
            equations[position : position + 1] = _cut(equation, policy, number)
            number += 1
    return number


def _cut(loop: Equation, policy: str | int, number: int) -> list[Equation]:
    """The equations that a loop is replaced by; the last one has its results."""
    n, inits = loop.operands[0], loop.operands[1:]
    body: Program = loop.params["body"]
    _stable_over(body.equations, loop.number, number)
    front = Builder()
    front.source = loop.source
    length = front.maximum(_length(front, n, policy), 1)
    count = front.floordiv(front.sub(front.add(n, length), 1), length)

    segment = Var(I64, "segment")
    carries = tuple(Var(p.type, p.name) for p in body.params[1:])
    names: dict[Var, Atom] = dict(zip(body.params[1:], carries, strict=True))
    for carry in carries:
        carry.type = carry.type.with_shape(*(names.get(a, a) if isinstance(a, Var) else a for a in carry.type.shape))
    around = Builder()
    around.source = loop.source
    start = around.mul(segment, length)
    trips = around.minimum(length, around.sub(n, start))
    inside = Builder()
    step, counter = Var(I64, "j"), body.params[0]
    inside.append(TABLE["add"], (start, step), {}, name=counter.name)
    (first,) = inside.equations
    first.outs = (counter,)
    body.equations.insert(0, first)
    body.params = (step, *body.params[1:])
    outs = _outs_like(carries)
    inner = Equation(loop.primitive, (trips, *carries), {"body": body}, outs, loop.source, loop.number, segment=True)
    region = Program((segment, *carries), [*around.equations, inner], outs, "segments")
    outer = Equation(loop.primitive, (count, *inits), {"body": region}, loop.outs, loop.source, number)
    return [*front.equations, outer]


def _length(b: Builder, n: Atom, policy: str | int) -> Atom:
    """How many iterations a segment has."""
    if policy == "sqrt":
        return b.cast(b.ceil(b.sqrt(b.cast(b.maximum(n, 0), dtype=DType.F64))), dtype=DType.I64)
    return b.floordiv(b.sub(b.add(n, int(policy)), 1), int(policy))


def _outs_like(carries: tuple[Var, ...]) -> tuple[Var, ...]:
    """The results of the loop over a segment; a length that is a carry is the result of the same position."""
    env: dict[Var, Atom] = {}
    outs = []
    for carry in carries:
        shape = tuple(env.get(a, a) if isinstance(a, Var) else a for a in carry.type.shape)
        outs.append(Var(carry.type.with_shape(*shape), carry.name))
        env[carry] = outs[-1]
    return tuple(outs)


def _stable_over(equations: list[Equation], loop: int, further: int) -> None:
    for equation in equations:
        if loop in equation.stable:
            equation.stable |= {further}
        for _, region in regions(equation):
            _stable_over(region.equations, loop, further)

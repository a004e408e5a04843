"""A look at where the iterations of a loop write, before several threads run it.

Where they write is computed ahead, for the iterations of each chunk: the chunks touch elements of their own if each
writes behind all that came before it, or each in front of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adcore.builder import Builder
from adcore.independence import Inspected, Role, Step
from adcore.primitives import TABLE, Kind
from adcore.program import Equation, Program, clone_equation, free_variables, substitute
from adcore.types import I64, Atom, Var, literal

from .control import Loop
from .outlined import Chunks, Part

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["can_be_inspected", "inspected"]

FAR = 1 << 62


def can_be_inspected(found: Sequence[Role]) -> bool:
    """Whether the places can be computed ahead without a look into arrays, whose indices nobody has checked yet."""
    return not any(e.primitive.kind is Kind.VIEW for role in found if isinstance(role, Inspected) for e in role.slice)


def inspected(block: Block, loop: Equation, found: Sequence[Role], count: str) -> str:
    """Whether so many chunks of the iterations touch elements of their own, in the arrays that have to be inspected."""
    look = _look(loop, found)
    body: Program = look.params["body"]
    part = Part(block)
    for var in free_variables(body):
        part.capture(var)
    trips = Var(I64, "trips")
    part.top.bind(trips, part.last)
    inside = Loop(part.top, Equation(look.primitive, (trips, *look.operands[1:]), look.params, look.outs))
    inside.first = part.first
    inside.emit()
    places = [part.give("i64", part.top.scalar(out)) for out in look.outs]
    part.finish(writes=False)
    chunks = Chunks(part, block.scalar(loop.operands[0]), (), count)
    chunks.run()
    apart = "true"
    for begin, end in zip(places[::2], places[1::2], strict=True):
        apart = block.code.op(f"and i1 {apart}, {_in_order(block, chunks, begin, end)}")
    return apart


def _in_order(block: Block, chunks: Chunks, begin: int, end: int) -> str:
    """Whether what the chunks say of where they write shows it forwards, or backwards."""
    code = block.code
    forwards, backwards = code.slot("i1", "true"), code.slot("i1", "true")
    highest, lowest = code.slot("i64", str(-FAR)), code.slot("i64", str(FAR))
    with code.counting(chunks.count) as c:
        first, last = chunks.given("i64", begin, c), chunks.given("i64", end, c)
        for flag, bound, inner, outer, relation, pick in (
            (forwards, highest, first, last, "sge", "smax"),
            (backwards, lowest, last, first, "sle", "smin"),
        ):
            before = code.op(f"load i64, ptr {bound}")
            beyond = code.op(f"icmp {relation} i64 {inner}, {before}")
            still = code.op(f"load i1, ptr {flag}")
            code.do(f"store i1 {code.op(f'and i1 {still}, {beyond}')}, ptr {flag}")
            code.do(f"store i64 {code.intrinsic(pick, 'i64', before, outer)}, ptr {bound}")
    either = [code.op(f"load i1, ptr {flag}") for flag in (forwards, backwards)]
    return code.op(f"or i1 {either[0]}, {either[1]}")


def _look(loop: Equation, found: Sequence[Role]) -> Equation:
    """A loop that gives, for each array to be inspected, the first element that is written, and the end of the last."""
    body: Program = loop.params["body"]
    b = Builder()
    k = Var(I64, "k")
    env: dict[Var, Atom] = {body.params[0]: k}
    for param, init, role in zip(body.params[1:], loop.operands[1:], found, strict=True):
        env[param] = _at(b, init, k, role) if isinstance(role, Step) else init
    params: list[Var] = []
    results: list[Atom] = []
    known: set[Equation] = set()
    for role in found:
        if not isinstance(role, Inspected):
            continue
        for equation in role.slice:
            if equation not in known:
                known.add(equation)
                b.enter(clone_equation(equation, env))
        begin, end = Var(I64, "begin"), Var(I64, "end")
        first: Atom = begin
        last: Atom = end
        for start, length in role.ranges:
            where = substitute(start, env)
            first, last = b.minimum(first, where), b.maximum(last, b.add(where, substitute(length, env)))
        params += [begin, end]
        results += [first, last]
    program = Program((k, *params), b.equations, tuple(results), "look")
    inits = [literal(FAR), literal(-FAR)] * (len(params) // 2)
    outs = tuple(Var(I64, param.name) for param in params)
    return Equation(TABLE["loop"], (loop.operands[0], *inits), {"body": program}, outs, loop.source)


def _at(b: Builder, init: Atom, k: Var, role: Step) -> Atom:
    """What a number that grows by the same in each iteration is in one of them."""
    step: Atom = literal(0)
    for amount in role.by:
        step = b.add(step, amount)
    return b.add(init, b.mul(k, step))

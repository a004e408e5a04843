"""A function with its kinks opened: what happens at the ones that are touched is for the caller to say.

A kink is touched where its margin is 0.  The touched ones of a run are numbered in the order in which they are met, and
`sides` says for each on which side it counts as: -1 for what the row is below the kink, 1 for above, 0 for the mean of
both (of integers and booleans: for what the row gives at the kink itself).  With sides the function is smooth there, so
that its derivatives and those of the margins can be taken; `probes` is added to the results of the kinks, so that the
derivatives by it are the adjoints there.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import Any

from ..builder import Builder
from ..plugins import Leaf, Lowered, Static
from ..primitives import TABLE
from ..primitives.kinks import Effect, Kink
from ..program import Equation, Program, substitute
from ..statics import NOTHING, Statics
from ..transforms import Gradient, Transform, differentiable, parameter, pruned, replaced
from ..types import I64, Atom, DType, Type, Var, literal
from .conditions import located
from .rewriting import Rewriter, State
from .sites import PAIRWISE, Places, as_text, margin_of, pieces_of
from .watching import active_parameters

__all__ = ["ABOVE", "BELOW", "BETWEEN", "Opened"]

BELOW, BETWEEN, ABOVE = -1, 0, 1  # what of a row's pieces its value at the kink is

RECORDS = {"margins": DType.F64, "places": DType.I64, "taken": DType.I64, "x": DType.F64, "y": DType.F64}


@dataclass(frozen=True)
class Opened(Transform):
    """A function of (arguments, sides, probes) that returns what is `wanted` of (value, margins), and a record.

    The record is how many kinks were touched, and for each its place, the side that its value is on, and its first two
    operands; behind them the places as text.  All arrays are longer by one than the number of kinks they have room
    for; touched ones beyond are counted alone.

    Attributes:
        gradient: the derivative to whose arguments the places are the kinks.
        wanted: "value", "margins", or "both".
    """

    gradient: Gradient = field(kw_only=True)
    wanted: str = field(kw_only=True)

    def constants(self) -> Statics:
        return NOTHING

    def signature(self) -> inspect.Signature:
        names = ("arguments", "sides", "probes")
        return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        primals, sides, probes = arguments
        lowered = differentiable(self.function, primals)
        value, _ = self.gradient.value_of(lowered)
        wrt = active_parameters(self.gradient, primals)
        program, places = located(lowered.program, wrt, value.index)
        given = (parameter(sides, "sides"), parameter(probes, "probes"))
        count = len(program.params) - len(lowered.captures)
        opened = _Opening(places, *given).opened(program, value.index)
        opened.params = (*opened.params[:count], *given, *opened.params[count:])
        lowered.writes = tuple(replace(w, param=w.param if w.param < count else w.param + 2) for w in lowered.writes)
        parts: dict[str, Any] = {"value": Leaf(0), "margins": Leaf(2), "both": (Leaf(0), Leaf(2))}
        record = (Leaf(1), *(Leaf(k) for k in range(3, 2 + len(RECORDS))), Static(as_text(places.found)))
        return pruned(replaced(lowered, opened, (parts[self.wanted], record)))


class _Opening:
    """The copy of a program in which the sides of kinks are given."""

    def __init__(self, places: Places, sides: Var, probes: Var) -> None:
        self.places = places
        self.sides = sides
        self.probes = probes
        self.keys = ("count", *RECORDS)

    def opened(self, program: Program, result: int) -> Program:
        """The program of the value, the number of touched kinks, and the records."""
        b = Builder()
        length = self.sides.type.shape[0]
        state: State = {"count": literal(0)}
        for name, dtype in RECORDS.items():
            state[name] = b.expand(dtype.zero, length, axes=(0,))
        rewriter = self.rewriter = Rewriter(
            self.visit, lambda region: self.keys if self.places.inside(region) else None
        )
        rewriter.env.update({p: p for p in program.params})
        results = rewriter.rewritten(program, b, state)
        return Program(program.params, b.equations, (results[result], *(state[k] for k in self.keys)), program.name)

    def touched(self, region: Program) -> tuple[str, ...] | None:
        return self.keys if self.places.inside(region) else None

    def visit(self, b: Builder, old: Equation, new: Equation, state: State) -> dict[Var, Atom]:
        values: dict[Var, Atom] = {}
        for number, kink in self.places.of(old):
            if new.primitive.name in PAIRWISE and kink.effect is Effect.BEND:
                return {old.outs[0]: self.folded(b, new, number, state)}
            margin = margin_of(b, new, kink) if kink.margin is not None else None
            if margin is None:
                continue
            touched = b.eq(margin, 0.0)
            index = self.numbers(b, touched, state)
            taken: Atom = literal(BETWEEN)
            pieces = pieces_of(b, new, kink) if len(new.outs) == 1 else None
            if pieces is not None:
                before = values.get(old.outs[0], new.outs[0])
                values[old.outs[0]] = self.result(b, pieces, before, touched, index)
                taken = _side_of(b, kink, before, pieces)
            self.note(b, new, number, (margin, touched, index, taken), state)
        return values

    def numbers(self, b: Builder, touched: Atom, state: State) -> Atom:
        """The number of each touched element, and the last index for the others."""
        last = b.sub(self.sides.type.shape[0], 1)
        if not touched.type.shape:
            index = b.select(touched, b.minimum(state["count"], last), last)
            state["count"] = b.add(state["count"], b.cast(touched, dtype=DType.I64))
            return index
        shape = touched.type.shape
        size = b.size(shape)
        flat = b.reshape(touched, size) if len(shape) > 1 else touched
        k, count, made = Var(I64, "k"), Var(I64, "count"), Var(Type(DType.I64, (size,)), "numbers")
        body = b.region()
        here = body.view(flat, k, codes="i")
        number = body.select(here, body.minimum(count, last), last)
        results = (body.add(count, body.cast(here, dtype=DType.I64)), body.update(made, number, k, codes="i"))
        begin = (state["count"], b.empty(size, dtype=DType.I64))
        state["count"], found = b.loop(size, begin, body.program((k, count, made), results))
        return b.reshape(found, *shape) if len(shape) > 1 else found

    def result(self, b: Builder, pieces: tuple[Atom, Atom], before: Atom, touched: Atom, index: Atom) -> Atom:
        """The row's result with the sides that are given."""
        below, above = pieces
        side = _read(b, self.sides, index)
        middle = before
        if before.type.dtype.differentiable:
            middle = b.mul(b.add(below, above), 0.5)
        result = b.select(b.gt(side, 0.0), above, b.select(b.lt(side, 0.0), below, middle))
        if before.type.dtype.differentiable:
            result = b.add(result, b.cast(_read(b, self.probes, index), dtype=before.type.dtype))
        return b.select(touched, result, before)

    def folded(self, b: Builder, equation: Equation, number: int, state: State) -> Atom:
        """An extremum of an array as a loop, so that each tie is a kink of its own, with two sides."""
        x, axes = equation.operands[0], equation.params["axes"]
        kept = [a for a in range(x.type.rank) if a not in axes]
        lengths = [x.type.shape[a] for a in kept]
        pairwise = TABLE[PAIRWISE[equation.primitive.name]]
        made = Builder()
        with made.at(equation.source):
            size = made.size(x.type.shape[a] for a in axes)
            rows = made.reshape(made.permute(x, order=(*axes, *kept)), size, *lengths)
            codes = "i" + ":" * len(kept)
            first = made.view(rows, 0, codes=codes)
            k, best = Var(I64, "k"), Var(first.type, "best")
            body = made.region()
            row = body.view(rows, body.add(k, 1), codes=codes)
            (further,) = body.append(pairwise, (best, row), {})
            (result,) = made.loop(made.sub(size, 1), (first,), body.program((k, best), (further,)))
        self.places.by_equation[body.equations[-1]] = [(number, pairwise.kinks[0])]
        self.rewriter.equations(made.equations, b, state)
        return substitute(result, self.rewriter.env)

    def note(
        self, b: Builder, equation: Equation, number: int, found: tuple[Atom, Atom, Atom, Atom], state: State
    ) -> None:
        """Enter a margin where it is touched, and what else is to be known."""
        margin, touched, index, taken = found
        operands = [
            a for a in equation.operands if a.type.dtype in (DType.F64, DType.F32) and a.type.shape == margin.type.shape
        ]
        noted: dict[str, Atom] = {
            "margins": _double(b, b.select(touched, margin, 0.0)),
            "places": b.select(touched, literal(number), literal(0)),
            "taken": b.select(touched, taken, literal(BETWEEN)),
        }
        for name, operand in zip(("x", "y"), operands, strict=False):
            noted[name] = _double(b, b.select(touched, operand, 0.0))
        for name, value in noted.items():
            if margin.type.shape:
                state[name] = b.scatter_add(state[name], value, index, codes="a")
            else:
                state[name] = b.add_at(state[name], value, index, codes="i")


def _read(b: Builder, array: Var, index: Atom) -> Atom:
    return b.gather(array, index, codes="a") if index.type.shape else b.view(array, index, codes="i")


def _side_of(b: Builder, kink: Kink, value: Atom, pieces: tuple[Atom, Atom]) -> Atom:
    """The side whose piece has the value that the row has at the kink itself."""
    if kink.effect is Effect.BEND:
        return literal(BETWEEN)
    below, above = (b.cast(b.eq(value, piece), dtype=DType.I64) for piece in pieces)
    return b.sub(above, below)


def _double(b: Builder, x: Atom) -> Atom:
    return x if x.type.dtype is DType.F64 else b.cast(x, dtype=DType.F64)

"""Where in a program a kink can matter: the places, found without running anything."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..activity import spread
from ..builder import Builder
from ..errors import Source
from ..passes.dce import eliminate_dead
from ..primitives import Kind
from ..primitives.kinks import Effect, Kink
from ..program import Equation, Program, clone, regions
from ..rules import Rule
from ..types import Atom, Var

__all__ = [
    "PAIRWISE",
    "SOFTENED",
    "SURROGATE",
    "Place",
    "Places",
    "as_text",
    "from_text",
    "is_sided",
    "margin_of",
    "pieces_of",
    "places_in",
]

SURROGATE = "surrogate"  # what happens where a stated derivative is, on purpose, another one
SOFTENED = "softened"  # and where value and derivative are those of something else, as of `soft`
PAIRWISE = {"reduce_max": "maximum", "reduce_min": "minimum"}  # of folds, the row that they are made of


@dataclass(frozen=True)
class Place:
    """An expression at which the function may fail to be differentiable.

    Attributes:
        primitive: the row of the table: "abs", "lt", …
        where: the operands at which it is, in words of the operands x and y.
        effect: "bend", "cone", "jump" or "edge" (`adcore.primitives.kinks.Effect`); "surrogate" of a function whose
            stated derivative is, on purpose, not its own; "softened" where another expression stands there (`soft`).
        source: the user's expression, or None where it is not known.
        watched: whether the distance to it can be computed while the function runs.
        sided: whether it is known what the expression is on either side of it.
    """

    primitive: str
    where: str
    effect: str
    source: Source | None
    watched: bool
    sided: bool = False

    @property
    def file(self) -> str:
        return self.source.file if self.source else ""

    @property
    def line(self) -> int:
        return self.source.line if self.source else 0

    @property
    def expression(self) -> str:
        """The text of the expression, as far as it is on one line."""
        if self.source is None:
            return ""
        return self.source.text[self.source.column : self.source.end_column].strip() or self.source.text.strip()

    def __str__(self) -> str:
        at = f"{Path(self.file).name}:{self.line}" if self.source else "unknown line"
        return f"{at}: {self.expression or self.primitive}  [{self.primitive}: {self.effect} at {self.where}]"


def as_text(places: Sequence[Place]) -> str:
    """Places as text, which compiled code can give back."""
    return json.dumps([dataclasses.asdict(place) for place in places])


@functools.lru_cache(maxsize=256)
def from_text(text: str) -> tuple[Place, ...]:
    """The places that `as_text` has written."""
    found = json.loads(text)
    return tuple(Place(**{**p, "source": Source(**p["source"]) if p["source"] else None}) for p in found)


@dataclass
class Places:
    """The kinks of a program that can matter to derivatives of its first result, by equation."""

    by_equation: dict[Equation, list[tuple[int, Kink]]]  # its kinks, each with its number among all
    found: tuple[Place, ...]

    def of(self, equation: Equation) -> list[tuple[int, Kink]]:
        return self.by_equation.get(equation, [])

    def inside(self, region: Program) -> list[int]:
        """The numbers of the kinks in a region, at any depth."""
        return [number for equation in _equations(region) for number, _ in self.of(equation)]


def places_in(program: Program, wrt: Sequence[int], result: int, conditions: Collection[Equation] = ()) -> Places:
    """The kinks through which a result depends on the parameters in `wrt`.

    What a function with a stated derivative has inside does not count: its derivative is what was stated.  Nor does
    what decides about nothing but an error.

    Args:
        program: the program.
        wrt: its parameters that the derivative is by.
        result: which of its results is differentiated.
        conditions: equations that no result needs, as they are those of conditions whose solutions are in the program.
            The pieces of their kinks are not those of the solutions.
    """
    active = {program.params[k] for k in wrt}
    spread(program.equations, active)
    _spread_tests(program, active)
    deciding = _needed_for(program, result)
    conditional = {inner for e in conditions for inner in (e, *_equations_inside(e))}
    deciding |= conditional
    acting = [e for e in _equations(program) if e in deciding and any(a in active for a in e.operands)]
    switching, comparing = _searches(program, acting)
    by_equation: dict[Equation, list[tuple[int, Kink]]] = {}
    found = _softened(acting)
    for equation in acting:
        if isinstance(equation.rule, Rule) and equation.rule.surrogate:
            found.append(Place(equation.rule.name, "every point", SURROGATE, equation.source, watched=False))
        for kink in () if equation in comparing else equation.primitive.kinks:
            applies, watched = _is_kink_of(equation, kink)
            if not applies:
                continue
            if equation in switching:
                kink = Kink("ties, where the place changes", Effect.JUMP, kink.margin)
            elif equation in conditional:
                kink = Kink(kink.where, kink.effect, kink.margin)
            by_equation.setdefault(equation, []).append((len(found), kink))
            sided = equation not in conditional and is_sided(equation, kink)
            told = (kink.where, kink.effect.value, equation.source, watched, sided)
            found.append(Place(equation.primitive.name, *told))
    return Places(by_equation, tuple(found))


def _softened(acting: Sequence[Equation]) -> list[Place]:
    """What equations stand for, each once."""
    labels = dict.fromkeys(e.surrogate for e in acting if e.surrogate is not None)
    return [Place(s.name, s.instead, SOFTENED, s.source, watched=False) for s in labels]


def _spread_tests(region: Program, active: set[Var]) -> None:
    """Add to `active` what the tests of loops compute of active values."""
    for equation in _equations(region):
        if equation.primitive.name == "while":
            test, body = equation.params["test"], equation.params["body"]
            active.update(p for p, carried in zip(test.params, body.params, strict=True) if carried in active)
            spread(test.equations, active)


def _searches(program: Program, acting: Sequence[Equation]) -> tuple[set[Equation], set[Equation]]:
    """The extrema whose place is searched for, as argmax does, and the comparisons that find it.

    Such a comparison holds at the place that is found whatever the operand is, and so is no kink by itself; nor is that
    of a number with itself.
    """
    defining = {out: e for e in _equations(program) for out in e.outs}
    switching: set[Equation] = set()
    comparing: set[Equation] = set()
    for equation in acting:
        if equation.primitive.name not in ("eq", "ne"):
            continue
        if equation.operands[0] is equation.operands[1]:
            comparing.add(equation)  # the test for nan
            continue
        roots = [_root(a, defining) for a in equation.operands]
        for root, other in (roots, reversed(roots)):
            extremum = defining.get(root) if isinstance(root, Var) else None
            if extremum is None or extremum.primitive.name not in ("reduce_max", "reduce_min"):
                continue
            if _root(extremum.operands[0], defining) is other:
                switching.add(extremum)
                comparing.add(equation)
    return switching, comparing


def _root(atom: Atom, defining: Mapping[Var, Equation]) -> Atom:
    """What a value is but for the arrangement of its elements."""
    while isinstance(atom, Var) and atom in defining and defining[atom].primitive.kind is Kind.VIEW:
        operands = defining[atom].operands
        if not operands or not operands[0].type.dtype.differentiable:
            break
        atom = operands[0]
    return atom


def _is_kink_of(equation: Equation, kink: Kink) -> tuple[bool, bool]:
    """Whether an equation has this kink, and whether its margin is known."""
    if kink.margin is None:
        return True, False
    return margin_of(Builder(), equation, kink) is not None, True


def is_sided(equation: Equation, kink: Kink) -> bool:
    """Whether what an equation is on either side of a kink can be computed."""
    if equation.primitive.name in PAIRWISE and kink.effect is Effect.BEND:
        return True
    return len(equation.outs) == 1 and pieces_of(Builder(), equation, kink) is not None


def pieces_of(b: Builder, equation: Equation, kink: Kink) -> tuple[Atom, Atom] | None:
    """Emit what an equation is below and above a kink, where that is known."""
    if kink.below is None or kink.above is None:
        return None
    with b.at(equation.source):
        below, above = kink.below(b, equation), kink.above(b, equation)
    return (below, above) if below.type.dtype is above.type.dtype is equation.outs[0].type.dtype else None


def margin_of(b: Builder, equation: Equation, kink: Kink) -> Atom | None:
    """Emit the margin of an equation's kink, as real numbers; None where the equation has no such kink."""
    assert kink.margin is not None
    with b.at(equation.source):
        margin = kink.margin(b, equation)
        return b.abs(margin) if margin is not None and margin.type.dtype.complex else margin


def _equations_inside(equation: Equation) -> Iterator[Equation]:
    """Those in the regions of an equation."""
    if equation.primitive.name != "custom":
        for _, region in regions(equation):
            yield from _equations(region)


def _equations(region: Program) -> Iterator[Equation]:
    """All equations at any depth but in functions with a stated derivative."""
    for equation in region.equations:
        yield equation
        yield from _equations_inside(equation)


def _needed_for(program: Program, result: int) -> set[Equation]:
    """The equations that a result needs, without those that are needed for a check only."""
    copy = clone(program)
    copied = dict(zip(_equations(copy), _equations(program), strict=True))
    _without_checks(copy)
    copy.results = (copy.results[result],)
    return {copied[e] for e in _equations(eliminate_dead(copy))}


def _without_checks(region: Program) -> None:
    region.equations[:] = [e for e in region.equations if e.primitive.kind is not Kind.CHECK]
    for equation in region.equations:
        for _, inner in regions(equation):
            _without_checks(inner)

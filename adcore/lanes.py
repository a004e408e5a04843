"""Several elements at a time: a program of one element with a further axis at what depends on the element.

Where neither branches, nor the numbers of iterations, nor lengths or indices depend on the element, a group of elements
can go through the program together, side by side in the lanes of vector instructions (`adcore.batching`).

What an element checks cannot raise then, since another one may have failed before: whether all checks hold is a result
instead, and the elements are run one by one if they do not.  So the conversion is for programs in which nothing but an
exception depends on a check: arithmetic that can be done with any numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from .batching import Batch
from .builder import Builder
from .invariance import is_total
from .primitives import TABLE, Kind
from .program import Equation, Program, regions, substitute
from .types import BOOL, Atom, Lit, Var, literal

__all__ = ["MOST", "Lanes", "Plan", "none", "plan"]

LANES = 16
MANY = 32  # lanes where vectors become matrices
FEW = 16  # numbers of an element that are computed at once
MOST = 1 << 20  # numbers that an element keeps, beyond which those of several would take too much memory


class Lanes:
    """A program of one element, run for a group of them.

    Args:
        b: where its equations are emitted.
        count: how many elements there are.
        equations: of the program, which are used up.
        seeds: for each value that differs among the elements, those of all of them along a further last axis.

    Raises:
        MissingRuleError: the elements do not go through the program together.

    Attributes:
        fine: for each element whether all that it checks holds.
    """

    def __init__(self, b: Builder, count: int, equations: Sequence[Equation], seeds: dict[Var, Atom]) -> None:
        self.batch = Batch(b, literal(count), seeds)
        self.batch.spread(equations)
        if any(map(self.checks, equations)):
            self.require_total(equations)
        equations, fine = self.checked(equations, TRUE)
        self.batch.emit(equations)
        self.fine = None if fine is TRUE else self.batch.value(fine)

    def value(self, atom: Atom) -> Atom:
        """A value of all elements, along a further last axis."""
        return self.batch.value(atom)

    # Checks

    def checked(self, equations: Iterable[Equation], fine: Atom) -> tuple[list[Equation], Atom]:
        """The equations without the checks of elements, and whether these hold and `fine` does."""
        found: list[Equation] = []
        for equation in equations:
            if equation.primitive.kind is Kind.CHECK and self.batch.is_marked(equation.operands[0]):
                holds = equation.operands[0]
                if fine is not TRUE:
                    both = Equation(TABLE["and"], (fine, holds), {}, (Var(BOOL, "fine"),), equation.source)
                    found.append(both)
                    (holds,) = both.outs
                fine = holds
                continue
            if equation.primitive.has_regions and any(map(self.checks, _inside(equation))):
                fine = self.through(equation, fine)
            found.append(equation)
        return found, fine

    def require_total(self, equations: Iterable[Equation]) -> None:
        """Refuse what elements can do only if what they check holds."""
        for equation in equations:
            self.require_total(_inside(equation))
            elementwise = equation.primitive.kind is Kind.ELEMENTWISE
            if elementwise and not is_total(equation) and not self.batch.marked.isdisjoint(equation.outs):
                self.batch.refuse(equation)

    def checks(self, equation: Equation) -> bool:
        """Whether something is checked of elements."""
        if equation.primitive.kind is Kind.CHECK:
            return self.batch.is_marked(equation.operands[0])
        return any(map(self.checks, _inside(equation)))

    def through(self, equation: Equation, fine: Atom) -> Var:
        """Have control flow say whether what it checks holds.

        Of a function with a stated derivative, whose results are those that the rule is about, it cannot be one.
        """
        if equation.primitive.name == "custom":
            self.batch.refuse(equation)
        out = Var(BOOL, "fine")
        loops = equation.primitive.name in ("loop", "while")
        for name, region in list(regions(equation)):
            inner = Var(BOOL, "fine") if loops else fine
            params = (*region.params, inner) if isinstance(inner, Var) and loops else region.params
            inside, end = ([*region.equations], inner) if name == "test" else self.checked(region.equations, inner)
            results = region.results if name == "test" else (*region.results, end)
            equation.params[name] = Program(params, inside, results, region.name)
        if loops:
            equation.operands = (*equation.operands, fine)
        equation.outs = (*equation.outs, out)
        return out


TRUE = Lit(True, BOOL.dtype)


def _inside(equation: Equation) -> Iterable[Equation]:
    return (e for _, region in regions(equation) for e in region.equations)


@dataclass
class Plan:
    """How elements are run together.

    Attributes:
        lanes: how many.
        kept: the shapes of the arrays that an element keeps while it is computed, but for those computed at once.
    """

    lanes: int
    kept: list[tuple[Atom, ...]]

    def numbers(self, b: Builder, env: Mapping[Var, Atom]) -> Atom:
        """How many numbers an element keeps."""
        total: Atom = literal(0)
        for shape in self.kept:
            total = b.add(total, b.size(substitute(length, env) for length in shape))
        return total


_none: ContextVar[bool] = ContextVar("none", default=False)


@contextmanager
def none() -> Iterator[None]:
    """A context in which elements are run one by one: for what is no vector machine."""
    token = _none.set(True)
    try:
        yield
    finally:
        _none.reset(token)


def plan(equations: Sequence[Equation], varying: Iterable[Var]) -> Plan | None:
    """How to run several elements together, if it may pay.

    So it does where what is computed of an element at once is a few numbers, in loops or with checks, which keep a loop
    over the elements from being vectorized as it stands; and where a matrix that is the same for all is multiplied by
    vectors, which are a matrix then, or systems are solved with it.  A program without either is vectorized as it
    stands, small arrays included.
    """
    if _none.get():
        return None
    batch = Batch(Builder(), literal(LANES), dict.fromkeys(varying, TRUE))
    batch.spread(equations)
    every = [*_every(equations)]
    products = [e for e in every if e.primitive.kind in _PRODUCTS and not batch.marked.isdisjoint(e.outs)]
    if any(sum(map(batch.is_marked, e.operands)) != 1 for e in products):
        return None
    fits = _is_vector if products else _is_small
    own = {out for e in every for out in (*e.outs, *(p for _, r in regions(e) for p in r.params))}
    found = Plan(MANY if products else LANES, [])
    for equation in every:
        marked = [v for v in (*equation.operands, *equation.outs) if isinstance(v, Var) and v in batch.marked]
        if equation.primitive.kind not in _KEEPING and not all(map(fits, marked)):
            return None
        if equation.primitive.kind is Kind.CONTROL:
            shapes = [out.type.shape for out in equation.outs if out in batch.marked and not fits(out)]
            if any(length in own for shape in shapes for length in shape):
                return None
            found.kept += shapes
    return None if not products and all(map(_is_plain, equations)) else found


_KEEPING = {Kind.VIEW, Kind.WRITE, Kind.CONTROL}
_PRODUCTS = {Kind.CONTRACTION, Kind.SOLVE}


def _every(equations: Iterable[Equation]) -> Iterator[Equation]:
    """The equations at any depth."""
    for equation in equations:
        yield equation
        yield from _every(_inside(equation))


def _is_plain(equation: Equation) -> bool:
    return not equation.primitive.has_regions and equation.primitive.kind is not Kind.CHECK


def _is_small(var: Var) -> bool:
    size = 1
    for length in var.type.shape:
        if not isinstance(length, Lit):
            return False
        size *= length.value
    return size <= FEW


def _is_vector(var: Var) -> bool:
    return _is_small(var) or sum(length != literal(1) for length in var.type.shape) == 1

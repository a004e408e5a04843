"""Loops whose iterations may run in any order, or at the same time.

In such a loop each carried value has a role, which says what becomes of it where the iterations are dealt out: it stays
as it is, it is known ahead, each part of the iterations adds up a sum of its own, or every iteration has elements of
its own in one array.

    for k in range(n):
        out[k] = f(x[k])          Apart: iteration k alone touches element k
        out[k * m + j] = y        Apart, with 0 <= j < m: it alone touches the k-th block of m elements
        total += g(x[k])          Sum
        at += 3                   Step: at the begin of iteration k it is 3 k more than at first

Values are immutable, and an iteration may read the initial value of what the loop carries: a lowering that writes in
place has to keep a copy then.  Any iteration may fail; the error to raise is the one of the first that does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .blocks import LARGEST, Blocks
from .passes.bounds import Affine
from .primitives import Kind
from .primitives.indexed import OPERANDS
from .program import Equation, Program, regions
from .states import Additions, Elements
from .types import I64, Atom, Lit, Var, literal

__all__ = ["Apart", "Inspected", "Role", "Same", "Step", "Sum", "roles"]

_TOTAL = {"add", "sub", "mul", "neg", "abs", "sign", "minimum", "maximum", "select", "cast", "lt", "le", "gt", "ge"}
_TOTAL |= {"eq", "ne", "and", "or", "xor", "not", "add_wraps", "sub_wraps", "mul_wraps"}


@dataclass(frozen=True, slots=True)
class Same:
    """The value that the body is given is the one that it yields."""


@dataclass(frozen=True, slots=True)
class Step:
    """An integer that grows by the sum of `by`, values from outside the loop: `init + k * sum(by)` in iteration k."""

    by: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A number or an array that iterations only add to.

    Iterations may begin with zeros, and the sum of what they add, in any grouping, be added to the initial value.
    """


@dataclass(frozen=True, slots=True)
class Apart:
    """An array of which each iteration reads and writes elements of its own.

    Along `axis` their indices are other ones in each iteration.  In an iteration the array has one state at a time,
    each of which is read only before the next one is made, so that it can be written in place; a view of a state may
    outlive it.
    """

    axis: int


@dataclass(frozen=True, slots=True)
class Inspected:
    """An array that iterations write to, and do not read, at places that only a look at all iterations tells apart.

    If no place along `axis` lies in ranges of two iterations, each iteration has elements of its own, as with `Apart`.
    The slice may run ahead, for all iterations, before the checks of the body have: a lowering tests the indices of its
    views itself, and runs the loop in order where one is out of range.

    Attributes:
        axis: along which the ranges are.
        ranges: where an iteration may write, start and length each.
        slice: equations of the body that compute them, of integers and booleans, in order: arithmetic that does not
            fail, and `view` of elements of arrays from outside the loop or of role `Same`.  What they use otherwise is
            the counter and carries of role `Same` and `Step`.
    """

    axis: int
    ranges: tuple[tuple[Atom, Atom], ...]
    slice: tuple[Equation, ...]


Role = Same | Step | Sum | Apart | Inspected


def roles(loop: Equation) -> tuple[Role, ...] | None:
    """The role of each carry of a `loop` of independent iterations; None of any other equation.

    Floating-point numbers are added in another order than the loop's.

    >>> from adcore.text import from_text
    >>> program = from_text('''
    ...     program f(x: f64[n]) -> (f64) {
    ...       (s: f64) = loop(n, 0.0) {
    ...         body(k: i64, s: f64) {
    ...           v: f64 = view(x, k; codes="i")
    ...           t: f64 = add(s, v)
    ...           yield t
    ...         }
    ...       }
    ...       return s
    ...     }''')
    >>> roles(program.equations[0])
    (Sum(),)
    """
    if loop.primitive.name != "loop" or calls_host(loop.params["body"]):
        return None
    return _Body(loop).roles()


def calls_host(body: Program) -> bool:
    """Whether a function that is not compiled is called, which the thread with the interpreter's lock has to do."""
    return any(
        e.primitive.kind is Kind.HOST or any(calls_host(region) for _, region in regions(e)) for e in body.equations
    )


class _Body:
    """The body of a loop, by what is the same in all iterations and what is not."""

    def __init__(self, loop: Equation) -> None:
        self.program: Program = loop.params["body"]
        self.counter, *self.carries = self.program.params
        self.definitions = {out: e for e in self.program.equations for out in e.outs}
        self.inside = _inside(self.program)
        pairs = list(zip(self.carries, self.program.results, strict=True))
        self.same: dict[Atom, Atom] = {p: a for (p, r), a in zip(pairs, loop.operands[1:], strict=True) if p is r}
        self.steps = {p: step for p, r in pairs if p is not r and (step := self.step(p, r)) is not None}
        self.indices = _Indices(set[Atom](self.program.params).difference(self.same))
        self.indices.forms[self.counter] = Affine(((self.counter, 1),))
        for (param, _), init in zip(pairs, loop.operands[1:], strict=True):
            if param in self.same:
                self.indices.begin(param, init, Affine())
            elif param in self.steps:
                self.indices.begin(param, init, self.moved(self.steps[param]))
        self.indices.survey(self.program.equations)
        inits = dict(zip(self.carries, loop.operands[1:], strict=True))
        moved: dict[Atom, tuple[Atom, tuple[Atom, ...]]] = {
            p: (init, self.steps[p].by if p in self.steps else ()) for p, init in inits.items() if self.is_known(p)
        }
        self.blocks = Blocks.of(loop, self.indices.varying, moved)

    def roles(self) -> tuple[Role, ...] | None:
        lengths = [length for carry in self.carries for length in carry.type.shape]
        if any(self.outside(length) is None for length in lengths):
            return None
        found: list[Role] = []
        for k in range(len(self.carries)):
            role = self.role(k)
            if role is None:
                return None
            found.append(role)
        return tuple(found)

    def role(self, k: int) -> Role | None:
        param = self.carries[k]
        if param in self.same:
            return Same()
        if param in self.steps:
            return self.steps[param]
        elements = Elements(param)
        only_elements = elements.rank > 0 and elements.lead(self.program, k)
        apart = self.apart(elements) if only_elements else None
        if apart is not None:
            return apart
        if Additions(param).lead(self.program, k):
            return Sum()
        return self.inspected(elements) if only_elements else None

    def is_known(self, param: Var) -> bool:
        """Whether what an iteration is given is known ahead."""
        return param in self.same or param in self.steps

    def outside(self, atom: Atom) -> Atom | None:
        """The value outside the loop that an atom is in every iteration."""
        return self.same.get(atom) if atom in self.inside else atom

    def step(self, param: Var, result: Atom) -> Step | None:
        """What an iteration adds to an integer: values from outside."""
        by: list[Atom] = []
        while result is not param:
            equation = self.definitions.get(result) if isinstance(result, Var) else None
            if equation is None or result.type != I64 or equation.primitive.name not in ("add", "sub"):
                return None
            result, other = equation.operands
            if equation.primitive.name == "add" and self.outside(result) is not None:
                result, other = other, result
            amount = self.outside(other)
            if equation.primitive.name == "sub":
                amount = literal(-amount.value) if isinstance(amount, Lit) and amount.value > 0 else None
            if amount is None:
                return None
            by.insert(0, amount)
        return Step(tuple(by))

    # Places

    def moved(self, step: Step) -> Affine | None:
        """How far a step has led at the begin of an iteration, if it is by a known number."""
        by = [int(amount.value) for amount in step.by if isinstance(amount, Lit)]
        return Affine(((self.counter, 1),)).times(sum(by)) if len(by) == len(step.by) else None

    def apart(self, elements: Elements) -> Apart | None:
        for axis in range(elements.rank):
            ranges = [range_along(axis, codes, operands) for codes, operands in elements.accesses]
            places = [self.indices.form(r[0]) if r is not None and r[1] == literal(1) else None for r in ranges]
            if self.differ([place for place in places if place is not None], len(places)):
                return Apart(axis)
            single = [r[0] for r in ranges if r is not None and r[1] == literal(1)]
            if len(single) == len(ranges) and self.blocks.apart(single):
                return Apart(axis)
        return None

    def differ(self, places: list[Affine], count: int) -> bool:
        """Whether no two iterations have a place in common, of which there are so many."""
        if len(places) < count or not places:
            return False
        factor = abs(places[0].coefficient(self.counter))
        offsets = [place.constant for place in places]
        alike = all(place.terms == places[0].terms for place in places)
        return alike and max(offsets) - min(offsets) < factor < LARGEST

    def inspected(self, elements: Elements) -> Inspected | None:
        if elements.reads:
            return None
        for axis in range(elements.rank):
            ranges = [range_along(axis, codes, operands) for codes, operands in elements.accesses]
            known = tuple(r for r in ranges if r is not None)
            if len(known) < len(ranges) or not self.to_inspect(known):
                continue
            needed = self.slice(atom for r in known for atom in r)
            if needed is not None:
                return Inspected(axis, known, needed)
        return None

    def to_inspect(self, ranges: tuple[tuple[Atom, Atom], ...]) -> bool:
        """Whether ranges may turn out to differ: all move, and not all are places that are known already."""
        moving = all(start in self.indices.varying for start, _ in ranges)
        return moving and any(n != literal(1) or self.indices.form(start) is None for start, n in ranges)

    def slice(self, atoms: Iterable[Atom]) -> tuple[Equation, ...] | None:
        """The equations that compute atoms of the body, if all of them may run ahead."""
        needed = {atom for atom in atoms if atom in self.inside}
        found: list[Equation] = []
        for equation in reversed(self.program.equations):
            if not needed.isdisjoint(equation.outs):
                if not runs_ahead(equation):
                    return None
                needed.difference_update(equation.outs)
                needed.update(atom for atom in equation.operands if atom in self.inside)
                found.insert(0, equation)
        return tuple(found) if needed <= {self.counter, *self.same, *self.steps} else None


def _inside(region: Program) -> set[Atom]:
    """The values that a region defines at any depth."""
    found: set[Atom] = set(region.params)
    for equation in region.equations:
        found.update(equation.outs)
        for _, inner in regions(equation):
            found |= _inside(inner)
    return found


def runs_ahead(equation: Equation) -> bool:
    """Whether an equation is arithmetic of integers and booleans that cannot fail, or reads one from an array."""
    typed = (*equation.operands, *equation.outs)
    if any(atom.type.dtype.differentiable for atom in typed) or any(out.type.shape for out in equation.outs):
        return False
    if equation.primitive.name == "view":
        return True
    return equation.primitive.name in _TOTAL and not any(atom.type.shape for atom in typed)


def range_along(axis: int, codes: str, operands: tuple[Atom, ...]) -> tuple[Atom, Atom] | None:
    """Start and length of the elements along an axis that axis codes and their operands name without gaps."""
    position = sum(OPERANDS[code] for code in codes[:axis])
    if codes[axis] == "i":
        return operands[position], literal(1)
    if codes[axis] == "s" and operands[position + 2] == literal(1):
        return operands[position], operands[position + 1]
    return None


@dataclass
class _Indices:
    """Integers of a loop's body in terms of its counter and of values that are the same in all iterations.

    Attributes:
        varying: values inside the loop that are not the same in all iterations.
        forms: integers, as far as they are affine.  Arithmetic and forms are modulo 2**64 alike.
    """

    varying: set[Atom]
    forms: dict[Atom, Affine] = field(default_factory=dict)

    def begin(self, param: Var, init: Atom, moved: Affine | None) -> None:
        """Enter a carry, by where it begins and how far it has moved."""
        first = self.form(init) if param.type == I64 else None
        if first is not None and moved is not None:
            self.forms[param] = first.plus(moved)

    def survey(self, equations: list[Equation]) -> None:
        """Enter what equations define, at any depth."""
        for equation in equations:
            for _, region in regions(equation):
                self.varying.update(region.params)
                self.survey(region.equations)
            if equation.primitive.has_regions or any(atom in self.varying for atom in equation.operands):
                self.varying.update(equation.outs)
            for out in equation.outs:
                form = self.form_of(equation, out) if out.type == I64 else None
                if form is not None:
                    self.forms[out] = form

    def form(self, atom: Atom) -> Affine | None:
        if isinstance(atom, Lit):
            return Affine((), int(atom.value))
        return self.forms.get(atom, None if atom in self.varying else Affine(((atom, 1),)))

    def form_of(self, equation: Equation, out: Var) -> Affine | None:
        name = equation.primitive.name
        opaque = None if out in self.varying else Affine(((out, 1),))
        if name not in ("add", "sub", "mul", "neg"):
            return opaque
        parts = [self.form(atom) for atom in equation.operands]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return opaque
        if name == "neg":
            return known[0].times(-1)
        x, y = known
        if name != "mul":
            return x.plus(y, 1 if name == "add" else -1)
        if not x.terms:
            return y.times(x.constant)
        return opaque if y.terms else x.times(y.constant)

"""Reads of array elements that a loop does not write again: in the reverse sweep they are read from the final array.

A loop like

    for i in range(n):
        for j in range(i):
            s += L[i, j] * x[j]
        x[i] = (b[i] - s) / L[i, i]

writes element i in iteration i and reads elements below i.  The reads give the same in the array as the loop leaves
it, so that no version of x has to be kept for the reverse sweep.  The proof: along some axis every index that a write
has from the read on lies above (or, for a loop that runs down, below) every index read; a write that stands before the
read in the body, and that what is read has seen, counts from the next iteration on.  Indices are put in the form `sum
of coefficient * variable + constant`; counters of inner loops are replaced by their bounds.

What is read must be a state on the way to the loop's result, and there must be only one way: a copy that is written to
by itself is another array, though it begins as the same value, and an array that a branch sets back to what it was has
lost the writes in between.

What is stable in an inner loop is, for the loop around it, read from what the inner loop gives.  A value that is
written where no later write goes is read there too, instead of being kept a second time (`adcore.residuals`).

Other reads need the array as it was.  Where an inner loop reads fewer elements of it than it has, these are noted to be
kept instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, product

from ..program import Equation, Program, regions
from ..types import Atom, Var, literal
from .bounds import Affine, Bounds

__all__ = ["Versions", "note_stable_reads", "read_from", "versions"]


def note_stable_reads(program: Program) -> int:
    """Number the loops of a program, and note at each `view` the loops that it is stable in; gives the last number."""
    numbers = count(1)
    definitions: dict[Var, Equation] = {}
    _number(program.equations, numbers, definitions)
    for loop, around in reversed([*_loops(program.equations, frozenset())]):  # inner ones first
        _Loop(definitions, around, {}, set(), loop).note()
    return next(numbers) - 1


def _number(equations: list[Equation], numbers: Iterator[int], definitions: dict[Var, Equation]) -> None:
    for equation in equations:
        definitions.update(dict.fromkeys(equation.outs, equation))
        equation.stable, equation.fed, equation.keep = frozenset(), frozenset(), False
        equation.number = next(numbers) if equation.primitive.name in ("loop", "while") else 0
        for _, region in regions(equation):
            _number(region.equations, numbers, definitions)


def _loops(equations: list[Equation], around: frozenset[Var]) -> Iterator[tuple[Equation, frozenset[Var]]]:
    """All loops, with the counters of the loops around them."""
    for equation in equations:
        name = equation.primitive.name
        if name in ("loop", "while"):
            yield equation, around
        for _, region in regions(equation):
            yield from _loops(region.equations, around | {region.params[0]} if name == "loop" else around)


# Versions: the values that an array takes in a loop's body


@dataclass(frozen=True)
class Access:
    """A read or write of a carried array.

    Attributes:
        carry: which array.
        position: of the equation in the loop's body, or of the one that it is inside of.
        depth: the number of loops in between.
    """

    carry: int
    position: int
    depth: int
    equation: Equation


@dataclass
class Versions:
    """The values in a loop's body that are states of its carried arrays, by the carry's position.

    Attributes:
        of: each such value's carry.
        before: the state that it was before an equation, at the same level where it stands in a region.
        inside: for what a loop or a branch gives, the states that its regions give.
        reads, writes: the `view`, and the `update` and `add_at` equations on them.
        unknown: carries whose states are not a chain of such writes.
    """

    of: dict[Var, int] = field(default_factory=dict)
    before: dict[Var, Atom] = field(default_factory=dict)
    inside: dict[Var, tuple[Atom, ...]] = field(default_factory=dict)
    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    unknown: set[int] = field(default_factory=set)
    position: int = 0
    depth: int = 0

    def collect(self, equations: list[Equation]) -> None:
        for equation in equations:
            self.enter(equation)

    def enter(self, equation: Equation) -> None:
        name = equation.primitive.name
        carry = self.carry_of(equation.operands[0]) if equation.operands else None
        if name in ("loop", "while"):
            self.enter_loop(equation)
        elif name in ("cond", "checkpoint", "custom"):
            self.enter_branches(equation)
        elif carry is None:
            return
        elif name == "view":
            self.reads.append(Access(carry, self.position, self.depth, equation))
        elif name in ("update", "add_at"):
            self.writes.append(Access(carry, self.position, self.depth, equation))
            self.follow(equation.outs[0], carry, equation.operands[0])
        elif name in ("conform", "once", "same", "detach", "attach"):
            self.follow(equation.outs[0], carry, equation.operands[0])
        elif name == "grow":
            self.unknown.add(carry)

    def follow(self, var: Var, carry: int, before: Atom, *inside: Atom) -> None:
        self.of[var] = carry
        self.before[var] = before
        self.inside[var] = inside

    def beginning(self, state: Atom, region: Program) -> Atom:
        """The state with which a region begins, of one that it gives."""
        own = {out for equation in region.equations for out in equation.outs}
        while isinstance(state, Var) and state in own:
            state = self.before[state]
        return state

    def carry_of(self, atom: Atom) -> int | None:
        return self.of.get(atom) if isinstance(atom, Var) else None

    def enter_loop(self, equation: Equation) -> None:
        body: Program = equation.params["body"]
        skip = len(body.params) - len(body.results)
        inits = equation.operands[len(equation.operands) - len(body.results) :]
        entered = [(self.carry_of(init), param) for init, param in zip(inits, body.params[skip:], strict=True)]
        for (carry, param), init in zip(entered, inits, strict=True):
            if carry is not None:
                self.follow(param, carry, init)
        self.depth += 1
        self.collect(body.equations)
        self.depth -= 1
        for (carry, param), init, result, out in zip(entered, inits, body.results, equation.outs, strict=True):
            if carry is None:
                continue
            self.follow(out, carry, init, result)
            if self.carry_of(result) != carry or self.beginning(result, body) is not param:
                self.unknown.add(carry)

    def enter_branches(self, equation: Equation) -> None:
        branches = [region for _, region in regions(equation)]
        for branch in branches:
            self.collect(branch.equations)
        for out, *results in zip(equation.outs, *(b.results for b in branches), strict=True):
            carry = self.carry_of(results[0])
            if carry is None or any(self.carry_of(r) != carry for r in results):
                continue
            first, *others = (self.beginning(r, b) for r, b in zip(results, branches, strict=True))
            self.follow(out, carry, first, *results)
            if any(other is not first for other in others):
                self.unknown.add(carry)

    def history(self, *states: Atom) -> set[Var]:
        """The states, and those that they came from, also inside of loops and branches."""
        found: set[Var] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if isinstance(state, Var) and state not in found:
                found.add(state)
                waiting += self.inside.get(state, ())
                if state in self.before:
                    waiting.append(self.before[state])
        return found

    def restrict(self, results: tuple[Atom, ...]) -> None:
        """Forget what is not on the way from the carried arrays to the results."""
        states = self.history(*(r for k, r in enumerate(results) if self.carry_of(r) == k))
        self.of = {var: carry for var, carry in self.of.items() if var in states}
        self.writes = [w for w in self.writes if w.equation.outs[0] in states]


def versions(loop: Equation) -> Versions:
    """The states of a loop's carried arrays in its body."""
    body: Program = loop.params["body"]
    carries = body.params[len(body.params) - len(body.results) :]
    found = Versions({p: k for k, p in enumerate(carries) if p.type.shape})
    for found.position, equation in enumerate(body.equations):
        found.enter(equation)
    found.unknown.update(k for k, r in enumerate(body.results) if carries[k].type.shape and found.carry_of(r) != k)
    found.restrict(body.results)
    return found


# Indices


@dataclass
class _Loop(Bounds):
    """The analysis of one loop: `trips` has its counter and those of inner loops, `inside` what the body defines."""

    loop: Equation

    @property
    def counter(self) -> Var:
        return self.loop.params["body"].params[0]

    def note(self) -> None:
        if self.loop.primitive.name == "loop":
            self.trips[self.counter] = self.loop.operands[0]
        self.survey(self.loop.params["body"])
        found = versions(self.loop)
        for read in found.reads:
            equation = read.equation
            if self.is_stable(read, equation.operands[0], equation.operands[1:], found):
                equation.stable |= {self.loop.number}
                if self.is_fed(read, found):
                    equation.fed |= {self.loop.number}
            elif extents(equation.outs[0]) + read.depth < extents(equation.operands[0]):
                equation.keep = True
        for write in found.writes:
            equation = write.equation
            if equation.primitive.name != "update":
                continue
            if self.is_stable(write, equation.outs[0], equation.operands[2:], found):
                equation.stable |= {self.loop.number}
            else:
                equation.stable = frozenset()  # an iteration's array would have to be kept to read from

    def is_stable(self, read: Access, state: Atom, scalars: tuple[Atom, ...], found: Versions) -> bool:
        """Whether the elements of a state, at indices given by `scalars`, are not written again by the loop."""
        if read.carry in found.unknown or self.loop.primitive.name == "while" or found.carry_of(state) is None:
            return False
        state, end = self.settled_state(read, state, found)
        history = found.history(state)
        codes = read.equation.params["codes"]
        return all(
            self.apart(codes, scalars, w.equation, w.position < end and w.equation.outs[0] in history)
            for w in found.writes
            if w.carry == read.carry
        )

    def is_fed(self, read: Access, found: Versions) -> bool:
        """Whether an earlier iteration of the loop may have written what is read."""
        codes, scalars = read.equation.params["codes"], read.equation.operands[1:]
        writes = [w.equation for w in found.writes if w.carry == read.carry]
        return not all(self.apart(codes, scalars, write, always=True) for write in writes)

    def settled_state(self, read: Access, state: Atom, found: Versions) -> tuple[Atom, int]:
        """The state that is as good to read from, and the position in the body up to which it has seen the writes.

        Where the elements are stable in a loop inside this one, they are the same in what that loop gives.
        """
        around = self.loop.params["body"].equations[read.position]
        if around is read.equation:
            return state, read.position + 1
        if around.number and around.number in read.equation.stable:
            for out in around.outs:
                if found.carry_of(out) == read.carry:
                    return out, read.position + 1
        return state, read.position

    def survey(self, region: Program) -> None:
        self.inside.update(region.params)
        for equation in region.equations:
            self.inside.update(equation.outs)
            for name, inner in regions(equation):
                if name == "body" and equation.primitive.name == "loop":
                    self.trips[inner.params[0]] = equation.operands[0]
                self.survey(inner)

    def apart(
        self, codes: str, scalars: tuple[Atom, ...], write: Equation, before: bool = False, always: bool = False
    ) -> bool:
        """Whether on some axis what is written, from the read on, lies beyond the elements read.

        `before` says that the write stands before the read in the loop's body and what is read has seen it; `always`
        asks it of what was written earlier as well.
        """
        for axis in range(len(codes)):
            lowest, highest = self.extent(codes, scalars, axis)
            first, last = self.extent(write.params["codes"], write.operands[2:], axis)
            if any(self.beyond(w, r, 1, before, always) for w, r in product(first, highest)):
                return True
            if any(self.beyond(w, r, -1, before, always) for w, r in product(last, lowest)):
                return True
        return False

    def beyond(self, written: Affine, read: Affine, sign: int, before: bool, always: bool) -> bool:
        """Whether an index written stays above (sign 1) or below (sign -1) an index read in this iteration.

        It moves by its coefficient of the counter from one iteration to the next.  Counters are at least 0, so that
        a term of one that widens the gap does no harm.
        """
        moves = sign * written.coefficient(self.counter)
        gap = written.plus(read, -1)
        if always and (moves or gap.coefficient(self.counter)):
            return False
        counters = self.around | {self.counter}
        widens = all(v in counters and sign * c > 0 for v, c in gap.terms)
        return moves >= 0 and widens and sign * gap.constant + (moves if before else 0) > 0

    def extent(self, codes: str, scalars: tuple[Atom, ...], axis: int) -> tuple[list[Affine], list[Affine]]:
        """Lower and upper bounds of the indices on an axis, in the counter and what is outside the loop."""
        position = sum({"i": 1, "s": 3, ":": 0}[code] for code in codes[:axis])
        if codes[axis] == "i":
            index = scalars[position]
            return self.bounds(index, False), self.bounds(index, True)
        if codes[axis] == ":":
            return [], []
        start, length, step = scalars[position : position + 3]
        if step != literal(1):
            return [], []
        ends = [s.plus(n).plus(Affine((), -1)) for s, n in product(self.bounds(start, True), self.bounds(length, True))]
        return self.bounds(start, False), ends


def extents(atom: Atom) -> int:
    """The number of axes whose length is not fixed."""
    return sum(isinstance(length, Var) for length in atom.type.shape)


# Use in the reverse sweep


def read_from(equations: list[Equation], loop: Equation, found: Versions) -> list[Equation]:
    """The equations with stable reads of a loop's carried arrays turned to the loop's results.

    The equations given are not changed; those that contain such reads are copied, with the same outs.
    """
    return [_read_from(e, loop, found) for e in equations]


def _read_from(equation: Equation, loop: Equation, found: Versions) -> Equation:
    if equation.primitive.name == "view" and loop.number in equation.stable:
        carry = found.carry_of(equation.operands[0])
        if carry is not None and loop.outs[carry].type == equation.operands[0].type:
            return replace(equation, operands=(loop.outs[carry], *equation.operands[1:]))
        return equation
    if equation.primitive.name == "custom":
        return equation  # which reads what its rule is given
    changed = {}
    for name, region in regions(equation):
        inner = read_from(region.equations, loop, found)
        if any(a is not b for a, b in zip(inner, region.equations, strict=True)):
            changed[name] = Program(region.params, inner, region.results, region.name)
    return replace(equation, params={**equation.params, **changed}) if changed else equation

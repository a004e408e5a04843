"""Execution of Programs over intervals, equation by equation, and the kinks that are touched on the way.

A branch whose test is not decided is run both ways, and the results are joined; a loop whose end is not decided goes on
with all states that it may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ..errors import MissingRuleError, Source
from ..primitives import Kind
from ..program import Equation, Program
from ..types import Atom, Lit, Var
from . import arithmetic, arrays, functions  # noqa: F401  (which enter the rows)
from .intervals import UNDEFINED, Interval, hull, is_float, meet, point
from .kinks import Touch, touches
from .patterns import PATTERNS
from .table import ROWS, UndecidedError
from .zonotopes import refined

__all__ = ["Execution", "UndecidedError", "enclose", "literal_of"]

ROUNDS = 1000  # of a loop whose end is not known


def enclose(program: Program, arguments: Sequence[Interval]) -> tuple[Interval, ...]:
    """The results of a program for arguments in intervals.

    Args:
        program: a well-formed program of real numbers, integers and booleans.
        arguments: an interval for each parameter.

    Raises:
        MissingRuleError: a primitive has no interval meaning yet; the message names it and the user's line.
        UndecidedError: a length, a trip count or an index depends on what is not known on the box.

    >>> from adcore import program
    >>> from adcore.enclosures import Interval, enclose
    >>> import numpy as np
    >>> x = Interval(np.float64(0.0), np.float64(2.0), np.int64(0))
    >>> (y,) = enclose(program(lambda x: x * x - 1.0, 1.0), (x,))
    >>> float(y.lower), float(y.upper)
    (-1.0, 3.0)
    """
    return Execution(program).run(arguments)


@dataclass(frozen=True, slots=True)
class Raised:
    """A check of the program that may fail, or does."""

    equation: Equation
    surely: bool


class Execution:
    """One run of a program.

    Args:
        program: what is run.
        watched: whether kinks are looked for.

    Attributes:
        touched: the kinks that may lie in the box, of what depends on the arguments.
        checks: the checks that may fail.
        refining: whether zonotopes make intervals narrower.
    """

    def __init__(self, program: Program, watched: bool = False) -> None:
        self.program = program
        self.watched = watched
        self.refining = True
        self.doubts = 0
        self.env: dict[Var, Interval] = {}
        self.made: dict[Var, Equation] = {}
        self.touched: list[Touch] = []
        self.checks: list[Raised] = []
        self.source: Source | None = None

    def run(self, arguments: Sequence[Interval]) -> tuple[Interval, ...]:
        """The results.

        Raises:
            MissingRuleError, UndecidedError: as `enclose`.
        """
        for param, argument in zip(self.program.params, arguments, strict=True):
            self.bind(param, argument)
        with np.errstate(all="ignore"):
            self.region(self.program)
        return tuple(self.value(atom) for atom in self.program.results)

    def bind(self, param: Var, argument: Interval) -> None:
        """Enter a parameter, and the lengths that its shape names."""
        for atom, length in zip(param.type.shape, argument.shape, strict=True):
            if isinstance(atom, Var):
                self.env.setdefault(atom, point(np.int64(length)))
        self.env[param] = argument

    def value(self, atom: Atom) -> Interval:
        return literal_of(atom) if isinstance(atom, Lit) else self.env[atom]

    def region(self, region: Program) -> None:
        self.equations(region.equations)

    def equations(self, equations: Sequence[Equation]) -> None:
        for equation in equations:
            self.step(equation)

    def step(self, equation: Equation) -> None:
        """Enter the results of an equation."""
        self.source = equation.source or self.source
        control = _CONTROL.get(equation.primitive.name)
        if control is not None:
            results = control(self, equation)
        elif equation.primitive.kind is Kind.CHECK:
            results = self.check(equation)
        else:
            results = self.applied(equation)
            if self.watched and equation.primitive.kinks:
                self.env.update(zip(equation.outs, results, strict=True))
                found = touches(self, equation)
                self.touched += found
                if not found and _is_step(equation):
                    results = tuple(_constant(x) for x in results)
        for out, result in zip(equation.outs, results, strict=True):
            self.env[out] = result
            self.made[out] = equation

    def applied(self, equation: Equation) -> tuple[Interval, ...]:
        """The interval meaning of a row."""
        operands = [self.value(atom) for atom in equation.operands]
        name = equation.primitive.name
        pattern = PATTERNS.get(name)
        found = pattern(self, equation, operands) if pattern else None
        if found is None:
            found = self.known(equation, operands)
        if found is None:
            row = ROWS.get(name)
            if row is None or any(x.dtype.kind == "c" for x in operands):
                raise MissingRuleError(
                    f"an enclosure of {name} is not written yet", equation.source, "a function without it"
                )
            try:
                found = row(*operands, **equation.params)
            except IndexError:
                raise UndecidedError("an index that may be out of range") from None
            if self.refining and any(x.form is not None for x in operands):
                found = refined(self, equation, operands, found)
        return found if isinstance(found, tuple) else (found,)

    def known(self, equation: Equation, operands: list[Interval]) -> Interval | tuple[Interval, ...] | None:
        """What a row of integers and booleans gives for ones that are known: its own meaning."""
        if any(is_float(x.dtype) or x.dtype.kind == "c" for x in operands):
            return None
        if any(out.type.dtype.differentiable for out in equation.outs) or not all(x.is_fixed for x in operands):
            return None
        if not all(x.is_point for x in operands):
            return None
        meant = equation.primitive.meaning(*[x.lower for x in operands], **equation.params)
        values = meant if len(equation.outs) > 1 else (meant,)
        return tuple(point(v, out.type.dtype.numpy) for v, out in zip(values, equation.outs, strict=True))

    def check(self, equation: Equation) -> tuple[Interval, ...]:
        holds = self.value(equation.operands[0])
        if not bool(holds.lower):
            self.checks.append(Raised(equation, surely=not bool(holds.upper) and not self.doubts))
            if not bool(holds.upper):
                raise UndecidedError(f"{equation.params['error']} is raised")
        return ()

    @contextmanager
    def doubting(self) -> Iterator[None]:
        """A context of what need not be run at every point of the box."""
        self.doubts += 1
        try:
            yield
        finally:
            self.doubts -= 1

    def results(self, region: Program, values: Sequence[Interval] = ()) -> list[Interval]:
        """The results of a region for its parameters."""
        self.env.update(zip(region.params, values, strict=True))
        self.region(region)
        return [self.value(atom) for atom in region.results]

    # Branches

    def branch(self, equation: Equation) -> list[Interval]:
        taken = self.value(equation.operands[0])
        if taken.is_point:
            return self.results(equation.params["then" if bool(taken.lower) else "otherwise"])
        found: list[list[Interval]] = []
        for name, holds in (("then", True), ("otherwise", False)):
            before = self.narrowed(equation.operands[0], holds)
            with self.doubting():
                found.append(self.results(equation.params[name]))
            self.env.update(before)
        return [joined(pair).marked(taken.marks) for pair in zip(*found, strict=True)]

    def narrowed(self, test: Atom, holds: bool) -> dict[Var, Interval]:
        """Use in a branch what its test says of a number, and give what was known before."""
        made = self.made.get(test) if isinstance(test, Var) else None
        before: dict[Var, Interval] = {}
        if made is None or made.primitive.name not in _ORDER or any(a.type.shape for a in made.operands):
            return before
        rising = _ORDER[made.primitive.name] == holds  # the first operand is the smaller one
        smaller, larger = made.operands if rising else reversed(made.operands)
        low, high = self.value(smaller), self.value(larger)
        for atom, lower, upper in ((smaller, -np.inf, high.upper), (larger, low.lower, np.inf)):
            if isinstance(atom, Var) and is_float(self.env[atom].dtype):
                before[atom] = self.env[atom]
                self.env[atom] = meet(self.env[atom], lower, upper)
        return before

    # Loops

    def loop(self, equation: Equation) -> list[Interval]:
        body = equation.params["body"]
        count, *state = (self.value(atom) for atom in equation.operands)
        for k in range(int(count.lower)):
            state = self.results(body, (point(np.int64(k)), *state))
        for k in range(max(int(count.lower), 0), int(count.upper)):
            if k - int(count.lower) >= ROUNDS:
                raise UndecidedError("a trip count that is not known")
            with self.doubting():
                after = self.results(body, (point(np.int64(k)), *state))
            state = [joined(pair).marked(count.marks) for pair in zip(state, after, strict=True)]
        return state

    def while_(self, equation: Equation) -> list[Interval]:
        test, body = equation.params["test"], equation.params["body"]
        state = [self.value(atom) for atom in equation.operands]
        left: list[Interval] | None = None  # all states since the first in which the loop may have ended
        doubts = 0
        while True:
            (goes_on,) = self.results(test, state)
            if not bool(goes_on.lower) or left is not None:
                ended = [x.marked(goes_on.marks) for x in state]
                left = ended if left is None else [joined(pair) for pair in zip(left, ended, strict=True)]
            if not bool(goes_on.upper):
                return left or state
            if left is None:
                state = self.results(body, state)
                continue
            doubts += 1
            if doubts >= ROUNDS:
                raise UndecidedError("a loop whose end is not known")
            with self.doubting():
                state = self.results(body, state)
                if _all_within(state, left):  # is there any state to come that is not among these?
                    state = self.results(body, left)
                    if _all_within(state, left):
                        return left
            if doubts > PATIENCE:
                state = [joined(pair) for pair in zip(state, left, strict=True)]

    def inside(self, equation: Equation) -> list[Interval]:
        return self.results(equation.params["body"])


PATIENCE = 50  # rounds of a loop whose end is not known before its states are taken together

_ORDER = {"lt": True, "le": True, "gt": False, "ge": False}
_CONTROL: dict[str, Callable[[Execution, Equation], Sequence[Interval]]] = {
    "loop": Execution.loop,
    "while": Execution.while_,
    "cond": Execution.branch,
    "checkpoint": Execution.inside,
    "custom": Execution.inside,
}


def _is_step(equation: Equation) -> bool:
    """Whether a row is constant between its kinks."""
    maps = equation.primitive.maps
    return all(m is None for m in maps) or not any(out.type.dtype.differentiable for out in equation.outs)


def _constant(x: Interval) -> Interval:
    """A value that is the same on the whole box, and beside it."""
    return Interval(x.lower, x.upper, x.marks & UNDEFINED, x.form) if x.is_point else x


def literal_of(atom: Lit) -> Interval:
    """The interval of a literal."""
    found = _LITERALS.get(atom)
    if found is None:
        found = _LITERALS[atom] = point(atom.value, atom.dtype.numpy)
    return found


_LITERALS: dict[Lit, Interval] = {}


def joined(pair: Sequence[Interval]) -> Interval:
    """The hull of a value on two ways.

    Raises:
        UndecidedError: it has another shape on each.
    """
    if len({x.shape for x in pair}) > 1:
        raise UndecidedError("a length that is not known")
    return hull(pair)


def _all_within(state: Sequence[Interval], others: Sequence[Interval]) -> bool:
    return all(_within(x, y) for x, y in zip(state, others, strict=True))


def _within(x: Interval, y: Interval) -> bool:
    if x.shape != y.shape:
        return False
    return bool(np.all((x.lower >= y.lower) & (x.upper <= y.upper) & ((x.marks & ~y.marks) == 0)))

"""Proofs that a function is not differentiable somewhere in a box.

On a box where one kink is touched, of one element, all other operations are smooth.  Let m be the kink's margin, and p
and q the function with the kink's row replaced by what it is below and above: both are smooth on the box, and the
function is p where m < 0 and q where m > 0.  Suppose that m has both signs at corners of the box, and that a partial
derivative of m is nowhere 0.  Then there is a point with m = 0, to which points of both sides come near.  If the
function were differentiable there, p = q and ∇p = ∇q at this point: for of a direction v along which m grows, the
derivative along v is that of q, along -v that of p, and such directions span the space.  So if the enclosures on the
box of p and q, or of their gradients in one component, have nothing in common, it is not.

The box decides all branches and trip counts but those of the kink, so that p and q are programs without control flow:
the trace of an interval execution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..builder import Builder
from ..derive import sweep
from ..primitives import TypeRuleError
from ..primitives.kinks import Kink
from ..program import Equation, Program
from ..types import Atom, Lit, Type, Var, literal
from .execution import Execution
from .intervals import UNDEFINED, Interval, is_float, point
from .kinks import touches
from .subject import Box, Subject
from .table import UndecidedError

__all__ = ["refuted"]

MOST = 20_000  # equations of a trace


def refuted(subject: Subject, box: Box) -> str:
    """Why the function is certainly not differentiable at some point of the box; empty where that is not proven."""
    try:
        sides = [_Trace(subject, box, above) for above in (False, True)]
    except UndecidedError:
        return ""
    below = sides[0]
    if not _crossed(subject, box, below):
        return ""
    first, second = (side.enclosed() for side in sides)
    if first is None or second is None:
        return ""
    (p, dp), (q, dq) = first, second
    what = "the value jumps" if _apart(p, q) else "the derivative jumps" if _apart(dp, dq) else ""
    if not what:
        return ""
    equation, source = below.equation, below.equation.source
    where = f" at {source}: {source.text.strip()}" if source is not None else ""
    return f"{what} at a kink of {equation.primitive.name}, {below.kink.where}{where}"


def _apart(ps: Sequence[Interval], qs: Sequence[Interval]) -> bool:
    pairs = zip(ps, qs, strict=True)
    return any(bool(np.any((p.upper < q.lower) | (p.lower > q.upper))) for p, q in pairs)


def _crossed(subject: Subject, box: Box, trace: _Trace) -> bool:
    """Whether the margin has both signs in the box, and a partial derivative that is nowhere 0."""
    slopes = trace.slopes()
    if slopes is None:
        return False
    lower, upper = (np.concatenate([np.ravel(np.asarray(end, float)) for end in ends]) for ends in slopes)
    steep = (lower > 0.0) | (upper < 0.0)
    if not np.any(steep):
        return False
    rising = lower + upper > 0.0
    first, last = np.where(rising, box.lower, box.upper), np.where(rising, box.upper, box.lower)
    low, high = (trace.margin_at(Box(corner, corner)) for corner in (first, last))
    return bool(low.upper < 0.0 < high.lower)


@dataclass(frozen=True, slots=True, eq=False)
class _Traced:
    """What an interval is in the trace."""

    atom: Atom


class _Trace(Execution):
    """The function on a box, one touched kink's row replaced by its piece on one side, without control flow.

    Attributes:
        kink, equation: the kink, and the equation of the trace whose it is.
        made_program: parameters as those of the function, and which element is touched; results the function's, and
            the margin.

    Raises:
        UndecidedError: more than one kink is touched, or one without two pieces; or the box does not decide a branch.
    """

    kink: Kink
    equation: Equation
    margin: Atom

    def __init__(self, subject: Subject, box: Box, above: bool) -> None:
        super().__init__(subject.program)
        self.subject, self.box, self.above = subject, box, above
        self.refining = False
        self.b = Builder()
        self.found = False
        self.mask: Any = None
        self.replacing = False
        given = subject.intervals(box, subject.lowered)
        self.params = tuple(
            Var(Type(p.type.dtype, tuple(literal(n) for n in x.shape)), p.name)
            for p, x in zip(subject.program.params, given, strict=True)
        )
        for var, x in zip(self.params, given, strict=True):
            self.env[var] = Interval(x.lower, x.upper, x.marks)
        results = self.run([self.traced(var) for var in self.params])
        if not self.found or self.checks or any(np.any(x.marks & UNDEFINED) for x in results):
            raise UndecidedError("no single kink")
        params = self.params if self.mask is None else (*self.params, self.mask[0])
        atoms = tuple(self.atom(x) for x in results)
        self.made_program = Program(params, self.b.equations, (*atoms, self.margin), "piece")

    # The trace

    def traced(self, atom: Atom) -> Interval:
        x = self.value(atom)
        return Interval(x.lower, x.upper, x.marks, _Traced(atom))

    def atom(self, x: Interval) -> Atom:
        """The value of the trace that an interval is of; numbers that are known are literals."""
        if isinstance(x.form, _Traced):
            return x.form.atom
        if x.is_point and not x.shape and x.is_fixed:
            return literal(x.lower)
        raise UndecidedError("a value that the box does not decide")

    def applied(self, equation: Equation) -> tuple[Interval, ...]:
        if self.replacing:  # what is emitted for a piece or a margin
            return super().applied(equation)
        operands = [self.value(atom) for atom in equation.operands]
        scalars = all(not x.shape and not is_float(x.dtype) for x in operands)
        known = self.known(equation, operands) if scalars and not any(o.type.shape for o in equation.outs) else None
        if known is not None:
            return known if isinstance(known, tuple) else (known,)
        if len(self.b.equations) > MOST:
            raise UndecidedError("a trace that is too long")
        try:
            with self.b.at(equation.source):
                outs = self.b.append(equation.primitive, tuple(map(self.atom, operands)), equation.params)
        except TypeRuleError:
            raise UndecidedError("a length that is not known") from None
        return tuple(self.traced(atom) for atom in self.entered(self.b.equations[-1], outs))

    def entered(self, made: Equation, outs: tuple[Var, ...]) -> list[Atom]:
        """Run an equation of the trace, and give its results, those of its piece where a kink is touched."""
        self.env.update(zip(outs, super().applied(made), strict=True))
        self.made.update(dict.fromkeys(outs, made))
        found = touches(self, made) if made.primitive.kinks else []
        if not found:
            return list(outs)
        touch = found[0]
        if self.found or len(found) > 1 or np.count_nonzero(touch.elements) != 1 or not touch.kink.sided:
            raise UndecidedError("more than one kink, or one without pieces")
        self.found, self.kink, self.equation = True, touch.kink, made
        return [self.piece(touch.kink, made, np.asarray(touch.elements))]

    def piece(self, kink: Kink, made: Equation, elements: np.ndarray) -> Atom:
        """The row on one side of its kink, where that is touched, and the margin there."""
        side = kink.above if self.above else kink.below
        assert side is not None
        assert kink.margin is not None
        begun = len(self.b.equations)
        margin = kink.margin(self.b, made)
        shape = margin.type.shape
        if shape:
            at = np.unravel_index(int(np.argmax(elements)), elements.shape)
            margin = self.b.view(margin, *(int(k) for k in at), codes="i" * len(shape))
        self.margin = margin
        found = side(self.b, made)
        if elements.size > 1 and not isinstance(found, Lit):
            mask = Var(made.outs[0].type.with_dtype(literal(True).dtype), "touched")
            self.mask = (mask, point(np.broadcast_to(elements, self.env[made.outs[0]].shape).copy()))
            self.env[mask] = self.mask[1]
            found = self.b.select(mask, found, made.outs[0])
        self.replacing = True
        for equation in self.b.equations[begun:]:
            self.step(equation)
            if equation.primitive.kinks and touches(self, equation):
                raise UndecidedError("a piece or a margin with a kink of its own")
        self.replacing = False
        return found

    # What it gives

    @property
    def wrt(self) -> list[int]:
        """The parameters that are real arguments."""
        places = [k for k, s in enumerate(self.subject.specs) if hasattr(s, "dtype")]
        return [places.index(k) for k in self.subject.real]

    def gradients(self, result: int, box: Box) -> tuple[Sequence[Interval], Sequence[Interval]] | None:
        """The results and the gradients of one of them on a box."""
        program = self.made_program
        atom = program.results[result]
        seeds: list[Atom | None] = [None] * len(program.results)
        if atom.type.shape or not atom.type.dtype.differentiable:
            return None
        seeds[result] = atom.type.dtype.constant(1)
        derived = sweep(program, self.wrt, seeds, whole=True).joined()
        given = [Interval(x.lower, x.upper, x.marks) for x in self.subject.intervals(box, self.subject.lowered)]
        try:
            found = Execution(derived).run([*given, *([] if self.mask is None else [self.mask[1]])])
        except UndecidedError:
            return None
        count = len(program.results)
        return found[: count - 1], found[count:]

    def enclosed(self) -> tuple[Sequence[Interval], Sequence[Interval]] | None:
        """The function's results on the box, and the gradient of the first, where there is one."""
        return self.gradients(0, self.box)

    def slopes(self) -> tuple[list[Any], list[Any]] | None:
        """The ends of the margin's gradient on the box."""
        found = self.gradients(len(self.made_program.results) - 1, self.box)
        return None if found is None else ([x.lower for x in found[1]], [x.upper for x in found[1]])

    def margin_at(self, box: Box) -> Interval:
        given = [Interval(x.lower, x.upper, x.marks) for x in self.subject.intervals(box, self.subject.lowered)]
        given += [] if self.mask is None else [self.mask[1]]
        return Execution(self.made_program).run(given)[-1]

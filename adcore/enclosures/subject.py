"""A function with a box of arguments: its Program, those of its derivatives, and their execution on parts of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..api import grad, hessian, jacobian
from ..arguments import abstracted, normalized
from ..demands import with_demands
from ..errors import DtypeError
from ..outcomes import rebuilt
from ..plugins import Leaf, Lowered, Spec
from ..program import Program
from ..signatures import definition, name_of
from ..transforms import differentiable, lower, without_writes
from ..trees import flatten, leaves, matched
from .execution import Execution
from .intervals import UNDEFINED, Interval, bit_of, point
from .kinks import Touch
from .results import Enclosure, Touched
from .table import UndecidedError
from .zonotopes import forms_of

__all__ = ["Box", "Subject", "Trial"]

EXACT_INTEGERS = "an integer argument is the same number at both corners"


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the arguments: the ends of each real element, side by side, and its share of the whole."""

    lower: np.ndarray
    upper: np.ndarray
    share: float = 1.0


@dataclass
class Trial:
    """What an execution on a box has found.

    Attributes:
        values: the intervals of the results, or None where it could not go on.
        touched: kinks that may lie in the box.
        reasons: all that keeps the function from being smooth there, in words.
        marks: those of the elements of the arguments that decide.
        refuted: why the function is certainly not differentiable somewhere in the box; empty where that is not known.
    """

    values: tuple[Interval, ...] | None
    touched: list[Touch]
    reasons: list[Touched]
    marks: int
    refuted: str = ""


class Subject:
    """A function and the box on which it is looked at.

    Args:
        f: the function.
        low, high: its argument at the corners of the box, or tuples of its arguments.
        affine: whether zonotopes are computed beside intervals.

    Raises:
        DtypeError: an argument is complex, or an integer that differs between the corners; there is no real one.
        ValueError: a lower end is above the upper one, or not finite.
    """

    def __init__(self, f: Callable[..., Any], low: Any, high: Any, affine: bool = False) -> None:
        self.function = f
        self.affine = affine
        self.name = name_of(f)
        self.single = not isinstance(low, tuple)
        arguments, others = ((low,), (high,)) if self.single else (low, high)
        values, self.tree = flatten(arguments)
        try:
            highest = matched(self.tree, others)
        except ValueError:
            raise TypeError(f"certify: the corners of {self.name} have different structures") from None
        self.specs = abstracted(values, lambda k: f"number or array {k} of the arguments of {self.name}")
        self.values = [normalized(v) for v in values]
        self.real = [k for k, s in enumerate(self.specs) if isinstance(s, Spec) and s.dtype.differentiable]
        for k in self.real:
            self.require(k, values[k], highest[k])
        for k, (v, w) in enumerate(zip(values, highest, strict=True)):
            if k not in self.real and not np.array_equal(v, w):
                raise DtypeError(f"certify: {EXACT_INTEGERS}, not {v!r} and {w!r}", definition(f), "floats, as 0.0")
        if not self.real:
            raise DtypeError("certify: no argument is a real number", definition(f), "floats, as 0.0 instead of 0")
        self.whole = Box(self.side_by_side(values), self.side_by_side(highest))

    def require(self, leaf: int, low: Any, high: Any) -> None:
        """Refuse ends that are no ends of intervals."""
        if self.spec(leaf).dtype.complex:
            raise DtypeError(
                "certify takes real numbers, not complex ones", definition(self.function), "two real arguments"
            )
        if np.shape(low) != np.shape(high) or np.asarray(low).dtype != np.asarray(high).dtype:
            raise ValueError(f"certify: the corners have {np.shape(low)} and {np.shape(high)} numbers, or other dtypes")
        if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
            raise ValueError("certify: a corner of the box is not finite")
        if np.any(np.asarray(low) > np.asarray(high)):
            raise ValueError("certify: a lower end is above the upper one")

    def spec(self, leaf: int) -> Spec:
        found = self.specs[leaf]
        assert isinstance(found, Spec)
        return found

    def side_by_side(self, values: Sequence[Any]) -> np.ndarray:
        return np.concatenate([np.ravel(np.asarray(values[k], float)) for k in self.real])

    @cached_property
    def dtypes(self) -> list[np.dtype]:
        """The dtype of each real element."""
        return [self.spec(k).dtype.numpy for k in self.real for _ in range(np.size(self.values[k]))]

    @cached_property
    def dimensions(self) -> int:
        return len(self.whole.lower)

    # The parts of a box as arguments

    def parts(self, flat: np.ndarray) -> list[Any]:
        """The leaves of the arguments, of their real elements side by side."""
        found, at = list(self.values), 0
        for k in self.real:
            size = np.size(self.values[k])
            shape, dtype = np.shape(self.values[k]), self.spec(k).dtype.numpy
            found[k] = np.reshape(flat[at : at + size], shape).astype(dtype)[()]
            at += size
        return found

    def arguments(self, flat: np.ndarray) -> Any:
        """A corner in the structure of the arguments."""
        pairs = zip(self.parts(flat), self.specs, strict=True)
        given = [np.asarray(v).item() if isinstance(s, Spec) and s.python else v for v, s in pairs]
        tree: Any = self.tree.unflatten(given)
        return tree[0] if self.single else tree

    @cached_property
    def marks(self) -> list[Any]:
        """The marks of the leaves: each real element its own."""
        found: list[Any] = [0] * len(self.values)
        count = iter(range(self.dimensions))
        for k in self.real:
            shape = np.shape(self.values[k])
            bits = [bit_of(next(count)) for _ in range(math.prod(shape))]
            found[k] = np.reshape(np.array(bits, np.int64), shape)[()]
        return found

    def intervals(self, box: Box, lowered: Lowered) -> list[Interval]:
        """The arguments of a program: the leaves, then what it reads from outside."""
        forms = forms_of(box.lower, box.upper) if self.affine else None
        at = 0
        low, high = self.parts(box.lower), self.parts(box.upper)
        given: list[Interval] = []
        for k, spec in enumerate(self.specs):
            if not isinstance(spec, Spec):
                continue
            if k in self.real:
                size = np.size(low[k])
                form = None if forms is None else forms.part(at, size, np.shape(low[k]), low[k].dtype)
                given.append(Interval(low[k], high[k], self.marks[k], form))
                at += size
            else:
                given.append(point(self.values[k], spec.dtype.numpy))
        return [*given, *(point(normalized(c.read()), c.spec.dtype.numpy) for c in lowered.captures)]

    # Programs

    @cached_property
    def structures(self) -> tuple[Any, ...]:
        tree: Any = self.tree.unflatten(self.specs)
        return tree

    @cached_property
    def lowered(self) -> Lowered:
        """The function itself."""
        return with_demands(lambda: without_writes(differentiable(self.function, self.structures)))

    @property
    def program(self) -> Program:
        return self.lowered.program

    @cached_property
    def is_scalar(self) -> bool:
        result = self.lowered.result
        return isinstance(result, Leaf) and not self.program.results[result.index].type.shape

    @cached_property
    def argnums(self) -> int | tuple[int, ...]:
        if self.single:
            return 0
        real = [any(isinstance(s, Spec) and s.dtype.differentiable for s in leaves(a)) for a in self.structures]
        return tuple(k for k, is_real in enumerate(real) if is_real)

    @cached_property
    def derivative(self) -> Lowered:
        """The gradient of a function that gives one number, else the Jacobian."""
        derived = (grad if self.is_scalar else jacobian)(self.function, self.argnums)
        return lower(derived, self.structures)

    @cached_property
    def second(self) -> Lowered:
        return lower(hessian(self.function, self.argnums), self.structures)

    # Executions

    def trial(self, box: Box) -> Trial:
        """The function on a box, and what keeps it from being smooth there."""
        execution = Execution(self.program, watched=True)
        try:
            values = execution.run(self.intervals(box, self.lowered))
        except UndecidedError as error:
            reasons = [Touched(str(error), "", execution.source), *_named(execution)]
            stopped = Trial(None, execution.touched, reasons, _marks_of(execution))
            self.note_checks(execution, stopped)
            return stopped
        trial = Trial(values, execution.touched, _named(execution), _marks_of(execution))
        self.note_checks(execution, trial)
        self.note_undefined(execution, trial, values)
        return trial

    def note_checks(self, execution: Execution, trial: Trial) -> None:
        """Errors that may be raised, or are."""
        for check in execution.checks:
            equation = check.equation
            what = f"{equation.params['error']} may be raised"
            trial.reasons.append(Touched(what, "", equation.source))
            trial.marks |= int(execution.value(equation.operands[0]).marks)
            if check.surely:
                trial.refuted = f"{equation.params['error']} is raised" + _at(equation.source)

    def note_undefined(self, execution: Execution, trial: Trial, values: tuple[Interval, ...]) -> None:
        """Results that may be no number, or are none."""
        bad = [x for x in values if x.dtype.kind == "f" and np.any(x.marks & UNDEFINED)]
        if not bad:
            return
        first = next(
            (
                e
                for out, e in execution.made.items()
                if np.any(execution.env[out].marks & UNDEFINED)
                and not any(np.any(execution.value(a).marks & UNDEFINED) for a in e.operands)
            ),
            None,
        )
        source = first.source if first is not None else None
        what = "the function may be undefined" + (f", by {first.primitive.name}" if first is not None else "")
        trial.reasons.append(Touched(what, "", source))
        for x in bad:
            trial.marks |= int(np.bitwise_or.reduce(np.ravel(x.marks))) & ~UNDEFINED
            if np.any(np.isnan(x.lower)):
                trial.refuted = "the function is not defined" + _at(source)

    def derived(self, box: Box, lowered: Lowered) -> tuple[Interval, ...] | None:
        """What a derivative's program gives on a box; None where it cannot go on."""
        try:
            return Execution(lowered.program).run(self.intervals(box, lowered))
        except UndecidedError:
            return None

    def enclosure(self, lowered: Lowered, values: Sequence[Interval]) -> Enclosure:
        """Intervals of a program's results in the structure of what it gives."""
        ends = [[_python(v) for v in side] for side in ([x.lower for x in values], [x.upper for x in values])]
        return Enclosure(*(rebuilt(lowered.result, side) for side in ends))


def _python(v: Any) -> Any:
    return v if np.ndim(v) else v.item() if v.dtype in (np.float64, np.int64, np.bool_) else v


def _marks_of(execution: Execution) -> int:
    marks = 0
    for touch in execution.touched:
        marks |= touch.marks
    return marks


def _named(execution: Execution) -> list[Touched]:
    found = [Touched(str(t.kink.where), t.equation.primitive.name, t.equation.source) for t in execution.touched]
    return list(dict.fromkeys(found))


def _at(source: Any) -> str:
    return f" at {source}: {source.text.strip()}" if source is not None else ""

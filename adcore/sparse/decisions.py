"""What a pattern depends on: the arguments whose values decide indices, branches and trip counts.

A program of sets reads a value only where it decides something.  All else that a function computes is needed by nothing
but checks of it, such as that of a division by zero.  Those are left out, so that what the program reads of its
parameters is what the pattern depends on; for all other values it is the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..batching import Batch
from ..builder import Builder
from ..passes.dce import eliminate_dead
from ..primitives import Kind
from ..program import Equation, Program, clone, regions, uses
from ..types import Atom, Var, literal

__all__ = ["bare", "values_read"]


def bare(program: Program) -> Program:
    """The program, in place, without checks of values that decide nothing.

    Lengths are checked as before: a check of an array's shape becomes one of its lengths.
    """
    needed = values_read(eliminate_dead(_without_checks(clone(program), None)))
    unread = {p: p for k, p in enumerate(program.params) if k not in needed}
    marks = Batch(Builder(), literal(1), dict(unread))
    marks.spread(program.equations)
    return eliminate_dead(_without_checks(program, marks.marked))


def values_read(program: Program) -> set[int]:
    """The parameters whose elements the program reads, not only their lengths."""
    read = {a for a in program.results if isinstance(a, Var)}
    read.update(v for e in program.equations for v in uses(e))
    return {k for k, p in enumerate(program.params) if p in read}


def _without_checks(region: Program, marked: set[Var] | None) -> Program:
    """The region, in place, without checks of marked values; without any if nothing is said of that."""
    b = Builder()
    for equation in region.equations:
        for _, inner in regions(equation):
            _without_checks(inner, None if marked is None or _is_decided(equation, marked) else marked)
        left_out = marked is None or _has(equation.operands, marked)
        if equation.primitive.kind is Kind.CHECK and left_out:
            continue
        if equation.params.get("checked") and left_out:
            if marked is not None:
                _check_lengths(b, equation, marked)
            equation.params = {**equation.params, "checked": False}
        b.enter(equation)
    region.equations[:] = b.equations
    return region


def _has(atoms: Iterable[Atom], marked: set[Var]) -> bool:
    return any(isinstance(a, Var) and a in marked for a in atoms)


def _is_decided(equation: Equation, marked: set[Var]) -> bool:
    """Whether marked values decide which of an equation's regions are run, or how often."""
    if "test" in equation.params:
        return _has(equation.params["test"].results, marked)
    return equation.primitive.name in ("loop", "cond") and _has(equation.operands[:1], marked)


def _check_lengths(b: Builder, conform: Equation, marked: set[Var]) -> None:
    lengths, wanted = conform.operands[0].type.shape, conform.operands[1:]
    if _has((*lengths, *wanted), marked):
        return
    shown = ", ".join(["{}"] * len(wanted))
    message = f"operands could not be broadcast together with shapes ({shown}) ({shown})"
    with b.at(conform.source):
        for one, other in zip(lengths, wanted, strict=True):
            if one != other:
                b.check(b.eq(one, other), *lengths, *wanted, error="ValueError", message=message)

"""Functions apart from the values that they close over."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .custom_calls import more_than_a_value
from .errors import UnsupportedFunctionError, refuse
from .plugins import Capture, Lowered, Spec
from .program import Program, regions
from .signatures import arranged, definition, name_of
from .statics import NOTHING, Statics
from .transforms import Transform, lower
from .types import Var

__all__ = ["Apart", "closed_over", "real_captures", "said_of", "together"]


def closed_over(f: Callable[..., Any], *arguments: Any) -> Any:
    """A function, and the numbers and arrays that it closes over, apart.

    Args:
        f: a function of the language.
        *arguments: what it will be called with, or what is like it.

    Returns:
        (g, values), where g(values, *arguments) is f(*arguments) and values is a tuple of the real numbers and arrays
        that `f` reads of the functions around it, where these are being compiled; what it reads from outside of them is
        constant, and none of these.

    >>> g, values = closed_over(lambda x: 2.0 * x, 1.0)
    >>> g(values, 3.0), values
    (6.0, ())
    """
    return together(f)


def together(f: Callable[..., Any]) -> Any:
    """As `closed_over`, of a function that closes over nothing."""

    def itself(values: Any, *arguments: Any) -> Any:
        return f(*arguments)

    return itself, ()


@dataclass(frozen=True)
class Apart(Transform):
    """A function as one of what it closes over, a tuple, and of its arguments.

    Attributes:
        places: the positions of the captures that are arguments now.
        captures: the names and specs of all of them, by which they are known again.
    """

    places: tuple[int, ...] = field(kw_only=True)
    captures: tuple[tuple[str, Spec], ...] = field(kw_only=True)

    def constants(self) -> Statics:
        return NOTHING

    def signature(self) -> inspect.Signature:
        values = inspect.Parameter("values", inspect.Parameter.POSITIONAL_ONLY)
        return inspect.Signature([values, inspect.Parameter("arguments", inspect.Parameter.VAR_POSITIONAL)])

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        _, given = arguments
        lowered = lower(self.function, arranged(self.function, given))
        problem = more_than_a_value(lowered)
        if problem is not None:
            kind, cause, write = problem
            refuse(kind, f"{name_of(self.function)} {cause}", definition(self.function), write)
        if said_of(lowered) != self.captures:
            cause = f"{name_of(self.function)} closes over other values for other arguments"
            refuse(UnsupportedFunctionError, cause, definition(self.function), "these values as arguments")
        program = lowered.program
        own = len(program.params) - len(lowered.captures)
        closed = program.params[own:]
        chosen = [closed[k] for k in self.places]
        rest = [k for k in range(len(closed)) if k not in self.places]
        params = (*chosen, *program.params[:own], *(closed[k] for k in rest))
        lowered.program = Program(params, program.equations, program.results, program.name)
        lowered.captures = tuple(lowered.captures[k] for k in rest)
        return lowered


def said_of(lowered: Lowered) -> tuple[tuple[str, Spec], ...]:
    """The names and specs of what a function reads from outside."""
    return tuple((capture.name, capture.spec) for capture in lowered.captures)


def real_captures(lowered: Lowered, is_local: Callable[[Capture], bool]) -> tuple[int, ...]:
    """The positions of captures that are real numbers and arrays of the functions around, and are computed with."""
    params = lowered.program.params[len(lowered.program.params) - len(lowered.captures) :]
    used = used_in(lowered.program)
    pairs = enumerate(zip(params, lowered.captures, strict=True))
    return tuple(k for k, (p, c) in pairs if c.spec.dtype.kind == "f" and p in used and is_local(c))


def used_in(program: Program) -> set[Var]:
    """The values that are operands or results, here or in a region."""
    found = {atom for atom in program.results if isinstance(atom, Var)}
    for equation in program.equations:
        found.update(atom for atom in equation.operands if isinstance(atom, Var))
        for _, inner in regions(equation):
            found |= used_in(inner)
    return found

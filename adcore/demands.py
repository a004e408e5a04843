"""What stated derivatives read from outside, which a program learns of only when it is differentiated.

A rule may name global numbers and arrays, as any function may.  They are parameters of its program, and have to become
parameters of the program that the rule is put into.  Until that is finished they stand in it as free variables.

A rule that is defined inside of what is compiled may name values of the functions around it, too.  Those are operands
of the call that the rule belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import cast

from .errors import CompileError
from .plugins import Capture, Guard, Lowered
from .program import Program, clone, free_variables
from .types import Atom, Var

__all__ = ["Around", "around_of", "collecting", "demanded", "with_demands"]


@dataclass(frozen=True)
class Around:
    """The owner of a capture that is a value of the functions around a rule.

    Attributes:
        index: its position in what the call that the rule belongs to is given of these values.
    """

    index: int


@dataclass
class _Demands:
    """What has been put into programs: variables for values from outside, and what their rules depend on."""

    captures: list[tuple[Var, Capture]] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)


_current: ContextVar[_Demands | None] = ContextVar("demands", default=None)


@contextmanager
def collecting() -> Iterator[_Demands]:
    """A context in which what rules read from outside is collected."""
    token = _current.set(_Demands())
    try:
        yield cast("_Demands", _current.get())
    finally:
        _current.reset(token)


def with_demands(lower: Callable[[], Lowered]) -> Lowered:
    """What `lower` gives, with what the rules put into it read as further captures."""
    with collecting() as demands:
        lowered = lower()
    if demands.captures:
        free = free_variables(lowered.program)
        wanted = [(var, capture) for var, capture in demands.captures if var in free]
        params = (*lowered.program.params, *(var for var, _ in wanted))
        lowered.program = Program(params, lowered.program.equations, lowered.program.results, lowered.program.name)
        lowered.captures = (*lowered.captures, *(capture for _, capture in wanted))
    known = set(map(id, lowered.guards))
    lowered.guards = (*lowered.guards, *(g for g in demands.guards if id(g) not in known))
    return lowered


def around_of(rule: Lowered) -> list[int]:
    """The positions of what a rule's program reads of the functions around it."""
    return [c.owner.index for c in rule.captures if isinstance(c.owner, Around)]


def demanded(rule: Lowered, around: Sequence[Atom]) -> list[Atom]:
    """What a rule's program does not get as arguments, its last parameters.

    Those are variables for what it reads from outside, and of the values `around` those that it reads, in its order.
    """
    demands, values = _current.get(), iter(around)
    if demands is not None:
        demands.guards += rule.guards
    params = rule.program.params[len(rule.program.params) - len(rule.captures) :]
    found: list[Atom] = []
    for param, capture in zip(params, rule.captures, strict=True):
        if isinstance(capture.owner, Around):
            found.append(next(values))
        elif demands is None:
            raise CompileError("a stated derivative that reads values from outside is put into a program by itself")
        else:
            found.append(_variable(demands, param, capture))
    return found


def _variable(demands: _Demands, param: Var, capture: Capture) -> Var:
    """The variable of a value from outside: one for each, whoever reads it."""
    for var, known in demands.captures:
        if known.owner is capture.owner and known.name == capture.name and known == capture:
            return var
    (var,) = clone(Program((param,))).params
    demands.captures.append((var, capture))
    return var

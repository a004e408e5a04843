"""Imperative programs as scientists write them, differentiated as they stand.

Stencils as slice statements in time loops, triangular loops, recurrences, dynamic programs, particles and images.
Every one is an ordinary function of arrays that returns a number: adcore and Numba compile the same source, and beside
it stands the port that a user of JAX would write, with `scan`, `fori_loop` and `.at`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.cases import Case

from .elimination import ELIMINATION
from .particles import PARTICLES
from .recurrences import RECURRENCES
from .stencils import STENCILS
from .work import Work, case_of

__all__ = ["PROGRAMS", "cases"]

PROGRAMS: tuple[Work, ...] = (*STENCILS, *ELIMINATION, *RECURRENCES, *PARTICLES)


def cases(tiny: bool = False) -> Iterator[Case]:
    """A case for each program: its gradient in adcore and in JAX, and the function itself in adcore, Numba and JAX."""
    for work in PROGRAMS:
        yield case_of(work, tiny)

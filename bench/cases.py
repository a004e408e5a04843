"""A case of a benchmark: one piece of work, and the contenders that do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.workloads import Contender

__all__ = ["Case", "Target", "power", "problem_of", "work_of"]

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Target:
    """The most that a figure may be: the seconds of a contender, or what they are of another one's.

    Attributes:
        of: whose time.
        most: seconds; with `over`, the quotient.
        over: the contender to divide by.
        work: how many times the work of `over` the contender does, by which the quotient is divided.
    """

    of: str
    most: float
    over: str | None = None
    work: float = 1.0

    def measured(self, seconds: Mapping[str, float]) -> float | None:
        """The figure, or None where a contender that it speaks of was not measured."""
        if self.of not in seconds or (self.over is not None and self.over not in seconds):
            return None
        return seconds[self.of] if self.over is None else seconds[self.of] / seconds[self.over] / self.work


@dataclass(frozen=True)
class Case:
    """One line of a table: the same work on the same data, by several contenders.

    Attributes:
        name: what is computed, with its size: "gmm d64 k100".
        contenders: how each one is made ready, by name: "adcore" (the derivative), "primal" (the function itself,
            compiled by adcore), "numba" (the function under `numba.njit`), "jax", "jax primal", "autograd", "c++".  One
            that is not chosen is not compiled.
        agree: the largest relative error, by norm, between the results of contenders that compute the same; None where
            they compute different things.
        targets: what the project has set itself.
        rounds: blocks of calls a contender, where they are not to be chosen by the time that a call takes.
        size: of a problem that grows, by which its cases are joined to a curve.
        memory: whether the peak of memory is measured too, in fresh processes.
    """

    name: str
    contenders: Mapping[str, Callable[[], Contender]]
    agree: float | None = 1e-9
    targets: tuple[Target, ...] = ()
    rounds: int | None = None
    size: int | None = None
    memory: bool = False


def work_of(contender: str) -> Literal["derivative", "primal"] | None:
    """What a contender computes, by its name: those that compute the same have to agree.

    >>> work_of("jax"), work_of("jax primal"), work_of("numba"), work_of("triad")
    ('derivative', 'primal', 'primal', None)
    """
    if contender == "triad":
        return None
    return "primal" if contender == "numba" or contender.endswith("primal") else "derivative"


def problem_of(case: str) -> str:
    """The name of a case without the sizes at its end.

    >>> problem_of("gmm d64 k100"), problem_of("heat 2d")
    ('gmm', 'heat 2d')
    """
    return re.sub(r"( [a-z]*[0-9]+)+$", "", case)


def power(n: int) -> str:
    """A power of ten as names have it.

    >>> power(10_000)
    '10⁴'
    """
    exponent = len(str(n)) - 1
    if n != 10**exponent:
        raise ValueError(f"{n} is not a power of ten")
    return "10" + str(exponent).translate(SUPERSCRIPTS)

"""What in a program is not the derivative of what the user wrote, on purpose, and says so.

There are two ways in which a program carries a surrogate.  The rule of a `custom` equation may be one, which
`rule.surrogate` says, as of `stop_gradient` and `straight_through`: values are exact, derivatives are other ones.  Or
equations stand for others, which `equation.surrogate` says, as of `soft`: values and derivatives fit each other, and
are those of another function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import Source
from .program import Program, regions

__all__ = ["Surrogate", "SurrogateReport", "surrogate_report", "surrogates_in"]


@dataclass(frozen=True)
class Surrogate:
    """One place where a program is not the derivative of what the user wrote.

    Attributes:
        name: of the row, or of the function with a stated derivative.
        instead: what takes the place of it, or of its derivative.
        exact: whether the value is that of what the user wrote.
        source: where that is.
    """

    name: str
    instead: str
    exact: bool = False
    source: Source | None = None

    def __str__(self) -> str:
        where = f"{self.source.file}:{self.source.line}: " if self.source else ""
        what = "value exact, derivative" if self.exact else "value and derivative"
        return f"{where}{self.name}: {what} of {self.instead}"


@dataclass(frozen=True)
class SurrogateReport:
    """All surrogates in a function, in the order of the program.

    As text it has a line for each, and as a truth value it tells whether there are any.
    """

    surrogates: tuple[Surrogate, ...]

    def __bool__(self) -> bool:
        return bool(self.surrogates)

    def __iter__(self) -> Iterator[Surrogate]:
        return iter(self.surrogates)

    def __len__(self) -> int:
        return len(self.surrogates)

    def __str__(self) -> str:
        if not self.surrogates:
            return "no surrogates: the derivative is that of the function"
        return "\n".join(["surrogate: not the derivative", *(f"  {each}" for each in self.surrogates)])


def surrogates_in(program: Program) -> tuple[Surrogate, ...]:
    """The surrogates in a program, each once."""
    return tuple(dict.fromkeys(_found(program)))


def _found(region: Program) -> Iterator[Surrogate]:
    for equation in region.equations:
        if equation.surrogate is not None:
            yield equation.surrogate
            continue
        if getattr(equation.rule, "surrogate", False):
            yield Surrogate(equation.rule.name, equation.rule.instead, True, equation.source)
        for _, inner in regions(equation):
            yield from _found(inner)


def surrogate_report(g: Callable[..., Any], *args: Any) -> SurrogateReport:
    """Where a function is, on purpose, not what it seems to be: its surrogates, with their lines.

    Args:
        g: a function, or one that has been made by `soft`, `jit`, `vmap`, `grad`, ….
        *args: example arguments; only their types matter.

    Returns:
        A report, to be printed or gone through.

    >>> import numpy as np
    >>> from adcore import soft
    >>> for each in surrogate_report(soft(lambda x: np.abs(x) + np.floor(x), 0.1), 0.5):
    ...     print(each.name, "->", each.instead)
    abs -> |x| with a logistic noise of width 0.1 on x
    floor -> ⌊x + noise⌋ with a Cauchy noise as steep as the logistic one of width 0.1
    """
    from .api import program

    return SurrogateReport(surrogates_in(program(g, *args)))

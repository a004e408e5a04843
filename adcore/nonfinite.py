"""Where an infinity or a NaN comes from: what a backend that traces says of it, and how it is told.

A number that is not finite has an origin: the equation that made it from finite ones, or an argument.  Where others are
computed from it, they have the same origin; where an infinity becomes a NaN, that has one of its own, whose parent is
that of the infinity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import Source
from .trees import leaves

__all__ = ["Iteration", "Origin", "Traced", "first_of", "is_finite"]


@dataclass(frozen=True)
class Iteration:
    """An iteration of a loop.

    Attributes:
        source: the place of the loop; None for one that adcore has made, over the elements of `vmap` for instance.
        number: of the iteration, from 0 on.
        kind: "iteration" of the function's own loop, also where its adjoint goes backwards; "step" of the adjoint where
            that goes another way, to save memory; "part" of a loop that is run in parts.
    """

    source: Source | None
    number: int
    kind: str = "iteration"

    def __str__(self) -> str:
        if self.source is None or not self.source.line:
            return f"iteration {self.number} of a loop over elements"
        of = f"the {self.source.sweep} of " if self.kind == "step" and self.source.sweep else ""
        return f"{self.kind} {self.number} of {of}the loop at line {self.source.line}"


@dataclass(frozen=True)
class Origin:
    """What has made a number that is not finite.

    Attributes:
        text: the operation with its operands and its result, "log(0.0) = -inf".
        source: the place in the user's program, whose `sweep` says of what part of a derivative.
        iterations: the iterations it was in, the loops around others first.
        element: the indices of the first such element, where it is one of an array.
        parent: the number of the origin of an infinity from which it was made, 0 where there is none.
        is_nan: whether it is no infinity.
        given: whether it was there before: in an argument, or as a constant.
    """

    text: str
    source: Source | None
    iterations: tuple[Iteration, ...] = ()
    element: tuple[int, ...] = ()
    parent: int = 0
    is_nan: bool = False
    given: bool = False

    @property
    def where(self) -> str:
        """The sweep, the element and the iterations, in words."""
        sweep = self.source.sweep if self.source is not None else ""
        parts = [f"in the {sweep} of this line" if sweep else "at this line"]
        if self.element:
            parts.append(f"element [{', '.join(map(str, self.element))}]")
        return ", ".join([*parts, *map(str, self.iterations)])


@dataclass(frozen=True)
class Traced:
    """What a program gives, and where numbers that are not finite come from.

    Attributes:
        results: as of a compiled program.
        numbers: for each result the numbers of the origins of its elements, of its shape; None where all are finite.
        origins: by their numbers, from 1 on.
    """

    results: tuple[Any, ...]
    numbers: tuple[Any, ...]
    origins: Sequence[Origin]

    def chain(self, number: int) -> list[Origin]:
        """An origin, and what was made of it: the infinity first, then the NaN."""
        found: list[Origin] = []
        while number:
            origin = self.origins[number - 1]
            found.insert(0, origin)
            number = origin.parent
        return found


def first_of(traced: Traced, results: Iterable[int]) -> tuple[int, tuple[int, ...], list[Origin]] | None:
    """The number whose origin came first, and that was not given: the result, the element's indices, and the origins.

    What an infinity that was given has turned into, a NaN, was not given itself.
    """
    best: tuple[int, int, int, tuple[int, ...]] | None = None
    for k in results:
        numbers = traced.numbers[k]
        if numbers is None:
            continue
        for number in np.unique(numbers):
            if not number or traced.origins[number - 1].given:
                continue
            at = tuple(int(i) for i in np.argwhere(np.asarray(numbers) == number)[0])
            root = _root(traced, int(number))
            if best is None or (root, int(number)) < best[:2]:
                best = root, int(number), k, at
    return None if best is None else (best[2], best[3], traced.chain(best[1]))


def _root(traced: Traced, number: int) -> int:
    while traced.origins[number - 1].parent:
        number = traced.origins[number - 1].parent
    return number


def is_finite(tree: Any) -> bool:
    """Whether all numbers in a tree are."""
    kind = type(tree)
    if kind is float:
        return math.isfinite(tree)
    if kind is tuple or kind is list:
        return all(map(is_finite, tree))
    if kind is np.ndarray:
        return _is_finite(tree)
    return all(map(_is_finite, leaves(tree)))


def _is_finite(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is int or kind is bool or value is None:
        return True
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, np.inexact | complex | float):
        return bool(np.isfinite(value))
    data = getattr(value, "data", None)  # of a sparse matrix
    return not isinstance(data, np.ndarray) or data.dtype.kind not in "fc" or bool(np.isfinite(data).all())

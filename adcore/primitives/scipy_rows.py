"""How the rows for SciPy's special functions are entered: their meaning is SciPy's, imported when it is first used.

They are rows of float64; those of float32 are computed in float64 and rounded, as SciPy does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import numpy as np

from ..errors import MissingRuleError
from ..types import Atom, DType
from .base import Kind, Primitive, Rule, Sampler, row
from .elementwise import arithmetic, pointwise
from .kinks import Kink, pointwise_kinks
from .routines import Routine

__all__ = ["MISSING", "Missing", "SciPy", "horner", "routine", "special"]


@dataclass(frozen=True, slots=True)
class SciPy:
    """A universal function of `scipy.special`, for real numbers.

    Attributes:
        name: its public name.
        result: which of its results, where it has several.
        integers: how many of its leading operands are integers, truncated here from floats.
        of_numbers: whether only the function of numbers in `scipy.special.cython_special` is called.
    """

    name: str
    result: int | None = None
    integers: int = 0
    of_numbers: bool = False

    def __call__(self, *operands: Any) -> Any:
        if any(np.iscomplexobj(x) for x in operands):
            raise TypeError(f"{self.name} is a row for real numbers")
        whole = [np.asarray(x).astype(np.int64)[()] for x in operands[: self.integers]]
        function = _function("scipy.special.cython_special" if self.of_numbers else "scipy.special", self.name)
        if self.of_numbers:
            function = np.vectorize(function, otypes=[np.float64])
        with np.errstate(all="ignore"):
            value = function(*whole, *operands[self.integers :])
        return value if self.result is None else value[self.result]


def _function(module: str, name: str) -> Any:
    """SciPy is imported here, since that takes longer than adcore does."""
    return getattr(import_module(module), name)


@dataclass(frozen=True, slots=True)
class Missing:
    """A derivative for which there is no formula here: raises where it is needed."""

    name: str
    index: int

    def __call__(self, b: Any, e: Any) -> NoReturn:
        cause = f"the derivative of {self.name} in argument {self.index + 1} is not written yet"
        raise MissingRuleError(cause, e.source, "a value there that does not depend on what is differentiated")


MISSING = object()


def special(
    name: str,
    *rules: Any,
    of: str = "",
    result: int | None = None,
    integers: int = 0,
    of_numbers: bool = False,
    at: tuple[tuple[float, float], ...] = ((0.5, 3.0),),
    symbol: str = "",
    kinks: tuple[Kink, ...] = (),
) -> Primitive:
    """A row for one of SciPy's functions; a rule an operand: a map, None for an integer, or MISSING."""
    return _enter(name, SciPy(of or name, result, integers, of_numbers), rules, at, symbol, kinks)


def routine(
    function: Callable[..., Any],
    *rules: Any,
    at: tuple[tuple[float, float], ...] = ((0.5, 3.0),),
    symbol: str = "",
    kinks: tuple[Kink, ...] = (),
    constant: tuple[int, ...] = (),
) -> Primitive:
    """A row for a routine, of the routine's own name."""
    return _enter(function.__name__, Routine(function, len(rules)), rules, at, symbol, kinks, constant)


def _enter(
    name: str,
    meaning: Any,
    rules: tuple[Any, ...],
    at: Any,
    symbol: str,
    kinks: tuple[Kink, ...],
    constant: tuple[int, ...] = (),
) -> Primitive:
    arity = len(rules)
    return row(
        name,
        Kind.ELEMENTWISE,
        arithmetic(name, arity, (DType.F64,)),
        meaning,
        maps=tuple(_map(name, index, rule) for index, rule in enumerate(rules)),
        kinks=pointwise_kinks(*kinks),
        sampler=Sampler(at * (arity if len(at) == 1 else 1)),
        symbol=symbol,
        constant=constant,
    )


def _map(name: str, index: int, rule: Any) -> Rule | None:
    if rule is MISSING:
        return Missing(name, index)
    return None if rule is None else pointwise(rule)


def horner(b: Any, x: Atom, coefficients: tuple[float, ...]) -> Atom:
    """The polynomial of these coefficients, the lowest power first."""
    total: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = b.add(b.mul(total, x), c)
    return total

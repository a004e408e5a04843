"""C pointers to derivatives, called by SciPy: beside Numba's of a derivative written by hand, and plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import import_module

from scipy import LowLevelCallable, integrate

from adcore import cfunc, grad
from bench.cases import Case, Target
from bench.workloads import Contender, Contenders

__all__ = ["cases"]


def cases(tiny: bool = False) -> Iterator[Case]:
    """A definite integral of a derivative, by some 189 evaluations; the last digits are those of the method."""
    targets = (Target("adcore", 1.1, over="numba"), Target("adcore", 0.2, over="python"))
    yield Case("quad of a derivative", _quad(2.0 if tiny else 20.0), targets=targets)


def wave(x: float) -> float:
    return math.exp(-x * x) * math.sin(3.0 * x) + math.atan(x)


def slope(x: float) -> float:
    return math.exp(-x * x) * (3.0 * math.cos(3.0 * x) - 2.0 * x * math.sin(3.0 * x)) + 1.0 / (1.0 + x * x)


def _quad(end: float) -> Contenders:
    def by_pointer() -> Contender:
        return Contender(_integral, LowLevelCallable(cfunc(grad(wave), "double(double)")), end)

    def in_numba() -> Contender:
        pointer = import_module("numba").cfunc("double(double)")(slope)
        return Contender(_integral, LowLevelCallable(pointer.ctypes), end)

    return {"adcore": by_pointer, "numba": in_numba, "python": lambda: Contender(_integral, slope, end)}


def _integral(function: object, end: float) -> float:
    return integrate.quad(function, 0.0, end, limit=200)[0]

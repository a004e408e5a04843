"""The table of the library, and the two decorators that enter functions in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["LIBRARY", "METHODS", "Written", "defines", "lowers", "method"]


@dataclass(frozen=True, slots=True)
class Written:
    """A function in plain Python that stands for one of NumPy or SciPy.

    Errors and derivatives have the place of the call, not places in the library.

    Attributes:
        function: the function.
        first: objects that stand before the arguments of a call.
    """

    function: Any
    first: tuple[Any, ...] = ()


LIBRARY: dict[str, Any] = {}
METHODS: dict[str, Any] = {}


def _enter(name: str, what: Any) -> None:
    if name in LIBRARY:
        raise ValueError(f"{name} is in the library already")
    LIBRARY[name] = what


def defines(*names: str) -> Callable[[Any], Any]:
    """The function, written in the language, is what these public names mean."""

    def enter(function: Any) -> Any:
        for name in names:
            _enter(name, Written(function))
        return function

    return enter


def lowers(*names: str) -> Callable[[Any], Any]:
    """The function, of the lowering and the arguments' values, emits what these public names mean."""

    def enter(function: Any) -> Any:
        for name in names:
            _enter(name, function)
        return function

    return enter


def method(*names: str) -> Callable[[Any], Any]:
    """The function, written in the language, is what these methods of arrays mean."""

    def enter(function: Any) -> Any:
        METHODS.update(dict.fromkeys(names, Written(function)))
        return function

    return enter

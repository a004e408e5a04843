"""Functions as their callers see them: names, places of definition, parameters."""

from __future__ import annotations

import inspect
import linecache
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import Source

__all__ = ["Place", "arranged", "definition", "name_of", "places_of", "signature_of"]


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """A function's signature; of a builtin only what has no default, or whatever is given by position.

    Of a universal function that Numba has made, the inputs: the function inside may be given the outputs as well.
    """
    try:
        found = inspect.signature(function)
    except ValueError:
        return inspect.Signature([inspect.Parameter("arguments", inspect.Parameter.VAR_POSITIONAL)])
    inputs = getattr(function, "nin", None)
    if isinstance(inputs, int) and not isinstance(function, np.ufunc):
        return found.replace(parameters=list(found.parameters.values())[:inputs])
    if not isinstance(function, np.ufunc | types.BuiltinFunctionType) and type(function).__module__ != "numpy":
        return found
    return found.replace(parameters=[p for p in found.parameters.values() if p.default is p.empty])


@dataclass(frozen=True)
class Place:
    """One argument of a call: the parameter's index, for `*args` and `**kwargs` with an index or key in it."""

    parameter: int
    position: int | str
    inner: int | str | None = None

    def of(self, arguments: Sequence[Any]) -> Any:
        found = arguments[self.parameter]
        return found if self.inner is None else found[self.inner]


def places_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[list[Place], dict[str, Place]]:
    """Where the arguments of a call are, by position and by name."""
    places: list[Place] = []
    names: dict[str, Place] = {}
    for k, p in enumerate(signature_of(function).parameters.values()):
        if p.kind is p.VAR_POSITIONAL:
            places += [Place(k, len(places) + j, j) for j in range(len(arguments[k]))]
        elif p.kind is p.VAR_KEYWORD:
            names.update((key, Place(k, key, key)) for key in arguments[k])
        else:
            places.append(Place(k, len(places)))
            names[p.name] = places[-1]
    return places, names


def arranged(function: Callable[..., Any], values: Sequence[Any]) -> tuple[Any, ...]:
    """Arguments by position as one for each parameter: those of `*args` are a tuple."""
    found: list[Any] = []
    rest = list(values)
    for p in signature_of(function).parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            found.append(tuple(rest))
            rest = []
        elif rest:
            found.append(rest.pop(0))
    return (*found, *rest)


def name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def definition(function: Callable[..., Any]) -> Source | None:
    """Where a function is defined, for errors about the function as a whole; what stands for one may say it itself."""
    own = getattr(function, "__adcore_source__", None)
    if own is not None:
        return own
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None
    for line in range(code.co_firstlineno, code.co_firstlineno + DECORATORS):
        text = linecache.getline(code.co_filename, line).rstrip("\n")
        for opening in (f"def {code.co_name}", "lambda"):
            column = text.find(opening)
            if column >= 0:
                return Source(code.co_filename, line, code.co_name, column, column + len(opening), text)
    return Source(code.co_filename, code.co_firstlineno, code.co_name)


DECORATORS = 20  # lines that a function's decorators may take

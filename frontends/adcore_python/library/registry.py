"""The table of the library, and the decorators that enter functions in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from adcore.errors import UnsupportedFunctionError

__all__ = ["LIBRARY", "METHODS", "Written", "defines", "describes", "lowers", "method", "refuse", "taking"]


@dataclass(frozen=True, slots=True)
class Written:
    """A function in plain Python that stands for one of NumPy or SciPy.

    Errors and derivatives have the place of the call, not places in the library.

    Attributes:
        function: the function.
        methods: what stands for the methods of an object that can be called, as a distribution of `scipy.stats`.
        first: objects that stand before the arguments of a call.
    """

    function: Any
    methods: Mapping[str, Any] = field(default_factory=dict)
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


def describes(name: str, methods: Mapping[str, Any]) -> Callable[[Any], Any]:
    """The function is what calling this public object means, and these are its methods."""

    def enter(function: Any) -> Any:
        _enter(name, Written(function, methods))
        return function

    return enter


def lowers(*names: str) -> Callable[[Any], Any]:
    """The function, of the lowering and the arguments' values, emits what these public names mean."""

    def enter(function: Any) -> Any:
        for name in names:
            _enter(name, function)
        return function

    return enter


def taking(public: Callable[..., Any]) -> Callable[[Any], Any]:
    """The function, of the lowering and a value for each parameter by name, takes the parameters of a public one.

    Its defaults are values; what `*args` takes is a tuple.
    """
    from ..outside import constant

    parameters = inspect.signature(public).parameters.values()
    as_values = [p if p.default is p.empty else p.replace(default=constant(p.default)) for p in parameters]
    signature = inspect.Signature(as_values)
    own = inspect.Parameter("low", inspect.Parameter.POSITIONAL_OR_KEYWORD)

    def enter(function: Any) -> Any:
        def lower(low: Any, *arguments: Any, **keywords: Any) -> Any:
            bound = signature.bind(*arguments, **keywords)
            bound.apply_defaults()
            return function(low, **bound.arguments)

        cast("Any", lower).__signature__ = inspect.Signature([own, *as_values])
        return lower

    return enter


def refuse(cause, write):
    """What a function of the library says of arguments that it does not take; at compile time, in compiled code."""
    raise NotImplementedError(f"{cause}; write instead: {write}")


@lowers(f"{__name__}.refuse")
def _refuse(low: Any, cause: Any, write: Any) -> Any:
    low.refuse(UnsupportedFunctionError, cause.value, write.value)


def method(*names: str) -> Callable[[Any], Any]:
    """The function, written in the language, is what these methods of arrays mean."""

    def enter(function: Any) -> Any:
        METHODS.update(dict.fromkeys(names, Written(function)))
        return function

    return enter

"""The Python frontend: the source of ordinary Python functions to Programs.

A function is lowered by interpreting its syntax tree on atoms of the Program in place of numbers: loops and branches
become regions, called functions are lowered in place, arrays that are written become values that are replaced.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from adcore.errors import CompileError, UnsupportedFunctionError
from adcore.plugins import Lowered
from adcore.primitives import TypeRuleError
from adcore.program import Program
from adcore.types import Atom

from .calls import call
from .lowering import Lowering
from .programs import result_of, value_of
from .values import Dict, Static, Tuple, Value

__all__ = ["PythonFrontend"]


class PythonFrontend:
    """Lowers Python functions, lambdas, methods and partials."""

    def lower(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Lowered:
        """The Program of a function for arguments of these types.

        Arguments:
            function: a Python function, method, partial or callable object.
            arguments: for each parameter of its signature a structure of tuples, lists and dicts, the leaves `Spec`
                for numbers and arrays and `Static` for everything else.

        Raises:
            UnsupportedSyntaxError, UnsupportedFunctionError, DtypeError, AliasError: at the user's line.
        """
        low = Lowering()
        positional, keywords = _arguments(low, function, arguments)
        name = getattr(function, "__name__", type(function).__name__)
        try:
            value = call(low, Static(function), positional, keywords)
        except TypeRuleError as error:
            raise CompileError(str(error), low.source) from error
        except RecursionError as error:
            cause = f"{name!r} calls itself, and where that ends is not constant"
            raise UnsupportedFunctionError(cause, write="a loop") from error
        results: list[Atom] = []
        structure = result_of(low, value, results)
        program = Program(tuple(low.params), low.b.equations, tuple(results), "f" if name == "<lambda>" else name)
        return Lowered(program, structure, tuple(low.captures), tuple(low.guards))


def _arguments(
    low: Lowering, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[list[Value], dict[str, Value]]:
    """The arguments' values, by position and by name as the function's parameters demand."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        name = getattr(function, "__name__", function)
        raise UnsupportedFunctionError(f"{name!r} has no signature", write="a Python function around it") from error
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    for parameter, structure in zip(parameters, arguments, strict=True):
        value = value_of(low, structure, parameter.name)
        if parameter.kind is parameter.VAR_POSITIONAL and isinstance(value, Tuple):
            positional.extend(value.items)
        elif parameter.kind is parameter.VAR_KEYWORD and isinstance(value, Dict):
            keywords.update(value.items)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    return positional, keywords

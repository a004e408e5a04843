"""The Python frontend: the source of ordinary Python functions to Programs.

A function is lowered by interpreting its syntax tree on atoms of the Program in place of numbers: loops and branches
become regions, called functions are lowered in place, arrays that are written become values that are replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from adcore.errors import CompileError, UnsupportedFunctionError
from adcore.plugins import Known, Lowered, Text
from adcore.primitives import TypeRuleError
from adcore.signatures import signature_of

from .calls import call
from .depth import deep_recursion
from .generator_values import take_apart_generators
from .library.sparse import SparseArray
from .lowering import Lowering
from .programs import finished, given
from .source import place_of
from .sparse_values import take_apart_arguments
from .texts import compiled, written
from .values import Static, Value

__all__ = ["PythonFrontend"]

take_apart_arguments()
take_apart_generators()


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
        name = getattr(function, "__name__", type(function).__name__)
        place = place_of(function)
        low = Lowering()
        with low.b.at(place), deep_recursion():
            try:
                positional, keywords = _arguments(low, function, arguments)
                return finished(low, lambda: call(low, Static(function), positional, keywords), name)
            except TypeRuleError as error:
                raise CompileError(str(error), low.source) from error
            except RecursionError:
                cause = f"{name!r} or a function that it calls is nested too deeply"
                raise UnsupportedFunctionError(cause, place, "a loop instead of recursion") from None

    def written(self, function: FunctionType) -> Text:
        """A function as its text.

        Raises:
            UnsupportedFunctionError: there is no source, or it has changed since the function was made.
        """
        return written(function)

    def compiled(self, text: Text) -> CodeType:
        """The code of a function of this text; functions with it need no file."""
        return compiled(text)

    def sparse_array(self, values: Any, row: Any, col: Any, rows: Any, columns: Any, layout: Any) -> SparseArray:
        """The structure of a sparse array in results."""
        return SparseArray(values, row, col, rows, columns, layout)

    def callables(self) -> tuple[Known, ...]:
        """All that can be called in a compiled function, with the dtypes and orders found when the table was made."""
        from .coverage import recorded

        return recorded()


def _arguments(
    low: Lowering, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[list[Value], dict[str, Value]]:
    """The arguments' values, by position and by name as the function's parameters demand."""
    try:
        parameters = signature_of(function).parameters.values()
    except TypeError as error:
        name = getattr(function, "__name__", function)
        cause = f"{name!r} has no signature"
        raise UnsupportedFunctionError(cause, low.source, "a Python function around it") from error
    return given(low, parameters, arguments)

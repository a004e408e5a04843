"""What Numba makes of the functions of `adcore.printed`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import make_intrinsic_template

from adcore.once import once
from adcore.printed import Function, largest, smallest

__all__ = ["function_type"]


@once
def function_type(function: Function) -> types.Type:
    """Numba's type of the function."""
    return types.Function(make_intrinsic_template(function, _DEFINITIONS[function], function.__name__))


def _extreme(name: str) -> Callable[..., Any]:
    """A step that gives nan where there is one: LLVM takes several steps at once of this one alone."""

    def definition(typing_context: Any, x: Any, y: Any) -> Any:
        if x != y or not isinstance(x, types.Float):
            return None

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            number = values[0].type
            step = builder.module.declare_intrinsic(
                f"llvm.{name}", (number,), ir.FunctionType(number, (number, number))
            )
            return builder.call(step, values)

        return x(x, y), emit

    return definition


_DEFINITIONS = {largest: _extreme("maximum"), smallest: _extreme("minimum")}

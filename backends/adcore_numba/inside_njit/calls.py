"""Calls of derivatives in functions that Numba compiles: a kernel in their module, arguments and results around it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numba.core import imputils, types
from numba.core.registry import cpu_target

from adcore.plugins import Lowered

from .kernels import Code, Operands, code_of
from .types import leaves_of, result_type

__all__ = ["Call", "compiled", "implement"]


@dataclass(frozen=True, eq=False)
class Call:
    """A derivative compiled for arguments of certain types.

    Attributes:
        code: its kernel.
        parameters: the type of each argument, or a value of Python's that is the default of one.
        result: the structure of the result.
        captured: the values of closures and globals, as they were when this was compiled.
        lowered: what it was compiled from.
    """

    code: Code
    parameters: tuple[Any, ...]
    result: Any
    captured: tuple[Any, ...]
    lowered: Lowered

    def is_current(self) -> bool:
        """Whether closures and globals are what they were."""
        return all(g.holds() for g in self.lowered.guards) and _read(self.lowered, alike=self.captured) is not None

    @functools.cached_property
    def type(self) -> Any:
        """Numba's type of the result."""
        return result_type(self.result, self.code.results)

    def emit(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        """The call, for Numba's lowering."""
        operands = Operands(context, builder)
        for kind, argument in zip_longest(self.parameters, arguments):  # the last parameters may be left out
            for steps, leaf in leaves_of(kind):
                if isinstance(leaf, types.Type):
                    operands.add(leaf, functools.reduce(builder.extract_value, steps, argument))
                else:
                    operands.constant(leaf)
        for value in self.captured:
            operands.constant(value)
        found = self.code.run(operands)
        return imputils.impl_ret_new_ref(context, builder, signature.return_type, found.value(self.result))


def implement(key: Any, emit: Any) -> None:
    """Tell Numba's lowering of the code of a call, which it looks up by the key."""
    context: Any = cpu_target.target_context
    context.insert_func_defn([(emit, key, (types.VarArg(types.Any),))])


def compiled(lowered: Lowered, parameters: tuple[Any, ...]) -> Call:
    """A lowered derivative, compiled for arguments of these types."""
    code = code_of(lowered.program)
    captured = _read(lowered)
    assert captured is not None
    return Call(code, parameters, lowered.result, captured, lowered)


def _read(lowered: Lowered, alike: tuple[Any, ...] | None = None) -> tuple[Any, ...] | None:
    """The values of closures and globals, arrays as copies; None where they are not `alike`."""
    try:
        found = tuple(_copied(c.read()) for c in lowered.captures)
    except (KeyError, ValueError):  # a name is gone, or has another kind of thing now
        if alike is None:
            raise
        return None
    return found if alike is None or all(map(_alike, found, alike)) else None


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value[()]
    return np.array(value, order="C") if isinstance(value, np.ndarray) else value


def _alike(x: Any, y: Any) -> bool:
    """Whether two values are the same bit by bit."""
    a, b = np.asarray(x), np.asarray(y)
    return type(x) is type(y) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()

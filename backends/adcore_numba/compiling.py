"""Programs compiled by way of their printed source."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types

from adcore.errors import MissingRuleError
from adcore.passes.element_loops import in_element_loops
from adcore.primitives import Kind
from adcore.program import Program, regions
from adcore.python_source import to_python
from adcore.python_source.loops import CALLED
from adcore.types import ORDER, Type, Var
from adcore.verify import verify

from .linking import provided
from .modules import is_kept, module_of
from .row_kernels import called
from .types import array_of, scalar_of

__all__ = ["Printed", "compiled", "provide_kernels"]


class Printed:
    """A program as a function that Numba has compiled, of flat arguments; it gives the tuple of results.

    Attributes:
        source: what was compiled.
        dispatcher: the function that `@njit` code can call as well; it gives a single result bare.
    """

    def __init__(self, program: Program, source: str, dispatcher: Any) -> None:
        self.source = source
        self.dispatcher = dispatcher
        self._params = [v.type for v in program.params]
        self._results = [a.type for a in program.results]

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        found = self.dispatcher(*map(_given, arguments, self._params))
        results = found if len(self._results) != 1 else (found,)
        return tuple(_taken(r, t) for r, t in zip(results, self._results, strict=True))


def _given(value: Any, type: Type) -> Any:
    """An argument as the function takes it: arrays in C order that may be written to, numbers of their dtype."""
    if not type.shape:
        return value if type.dtype in ORDER else type.dtype.numpy.type(value)
    array = np.ascontiguousarray(value, type.dtype.numpy)
    return array if array.flags.writeable else array.copy()


def _taken(value: Any, type: Type) -> Any:
    return value if type.shape or type.dtype in ORDER else type.dtype.numpy.type(value)


def compiled(program: Program) -> Printed:
    """The program, printed as loops and compiled with `numba.njit`.

    Machine code is kept on disk beside the source.

    Raises:
        VerifyError: the program is not well formed.
        MissingRuleError: it calls Python, which code that Numba compiles cannot.
    """
    verify(program)
    provide_kernels(in_element_loops(program))
    source = to_python(program, "loops")
    module = module_of(source, program.name)
    (function,) = (v for v in vars(module).values() if isinstance(v, FunctionType))
    signature = tuple(_numba_type(v) for v in program.params)
    with provided():
        dispatcher = numba.njit(signature, cache=is_kept(module), error_model="numpy")(function)
    return Printed(program, source, dispatcher)


def _numba_type(param: Var) -> types.Type:
    type = param.type
    return array_of(type.dtype, type.rank) if type.shape else scalar_of(type.dtype)


def provide_kernels(region: Program) -> None:
    """Let this process find what the kernels of the rows need that the printed program may call.

    Raises:
        MissingRuleError: it calls Python, or a row that has no kernel.
    """
    for equation in region.equations:
        for _, inner in regions(equation):
            provide_kernels(inner)
        if equation.primitive.kind is Kind.HOST:
            raise MissingRuleError("a call of Python has no place in code that Numba compiles", equation.source)
        if equation.primitive.kind not in CALLED:
            continue
        operands = tuple((a.type.dtype, a.type.rank) for a in equation.operands)
        if called(equation.primitive, operands, tuple(equation.params.items())) is None:
            raise MissingRuleError(f"{equation.primitive.name} has no kernel for its operands", equation.source)

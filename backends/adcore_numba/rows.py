"""What Numba makes of the functions of `adcore.rows`: kernels of the LLVM backend, inlined where they are called.

The loops around a call of `exp` are vectorized, since a kernel's call of the C library says which vector function
does the same (`adcore_llvm.vector_math`).
"""

from __future__ import annotations

import inspect
from typing import Any

from numba import types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, signature

from adcore.errors import CompileError
from adcore.rows import Row

from .linking import emit_call, result_of
from .row_kernels import Called, called
from .types import dtype_of, rank_of

__all__ = ["row_type"]

_types: dict[Row, types.Type] = {}


def row_type(row: Row) -> types.Type:
    """Numba's type of a row's function."""
    if row not in _types:
        template = type(f"Row_{row.__name__}", (_RowTemplate,), {"key": row, "row": row, "kernels": {}})
        _types[row] = types.Function(template)
    return _types[row]


class _RowTemplate(AbstractTemplate):
    """Types a call of a row by the row's own type rule."""

    prefer_literal = True
    row: Row
    kernels: dict[tuple[types.Type, ...], Any]  # how a call with arguments of these types is written

    def generic(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
        operands = tuple(types.unliteral(a) for a in args)
        dtypes = tuple(dtype_of(a) for a in operands)
        params = tuple((k, v.literal_value) for k, v in kws.items() if isinstance(v, types.Literal))
        if any(d is None for d in dtypes) or len(params) < len(kws):
            return None
        shapes = tuple((d, rank_of(a)) for d, a in zip(dtypes, operands, strict=True) if d is not None)
        found = called(self.row.primitive, shapes, params)
        if found is None:
            return None
        names = [f"x{k}" for k in range(len(operands))]
        parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in (*names, *kws)]
        given = (*operands, *kws.values())
        if given not in self.kernels:
            self.kernels[given] = _implementation(found, len(operands), given)
        return signature(result_of(found), *given).replace(pysig=inspect.Signature(parameters))

    def get_impl_key(self, sig: Any) -> Any:
        return self.kernels[sig.args]

    def get_template_info(self) -> dict[str, Any]:
        raise CompileError(f"{self.row.__name__} is a row of the table of primitives")


def _implementation(found: Called, operands: int, given: tuple[types.Type, ...]) -> Any:
    def implementation(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return emit_call(found, context, builder, sig.args[:operands], args[:operands])

    lower_builtin(implementation, *given)(implementation)
    return implementation

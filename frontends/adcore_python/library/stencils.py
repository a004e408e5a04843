"""Calls of what `@numba.stencil` has made: its kernel at every point that has all the neighbours that it reads."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError

from ..outside import constant
from ..source import code_of
from ..values import Array, Static, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["stencil"]


@lowers("numba.stencils.stencil.StencilFunc.__call__")
def stencil(low: Lowering, self: Value, *args: Value, **kwargs: Value) -> Value:
    """A call of a stencil; other arrays than those under `standard_indexing` are read relative to the point."""
    made: Any = self.value if isinstance(self, Static) else None
    if not hasattr(made, "kernel_ir") or kwargs or not args or not isinstance(args[0], Array):
        cause = "a stencil of Numba's takes arrays and numbers, the first one an array, and here no others such as out="
        low.refuse(UnsupportedFunctionError, cause, "y = kernel(x)")
    kernel = made.kernel_ir.func_id.func
    names = list(inspect.signature(kernel).parameters)[: len(args)]
    absolute = made.options.get("standard_indexing") or ()
    relative = [k for k, n in enumerate(names) if isinstance(args[k], Array) and n not in absolute]
    around = made.options.get("neighborhood") or _around(low, kernel, args[0].rank, [names[k] for k in relative])
    _check_rank(low, kernel, len(around), args[0].rank)
    edge = made.options.get("cval", 0)
    known = (kernel, tuple(map(tuple, around)), tuple(relative), edge)
    return low.call(Static(_at_all_points), [*map(constant, known), *args], {})


def _around(low: Lowering, kernel: Any, rank: int, names: list[str]) -> list[tuple[int, int]]:
    """How far the kernel reads along each axis, which its text says."""
    code = code_of(kernel, low.source)
    found = [(0, 0)] * rank
    for node in (n for statement in code.body() for n in ast.walk(statement)):
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or node.value.id not in names:
            continue
        try:
            place = ast.literal_eval(node.slice)
        except ValueError:
            cause = f"{kernel.__name__} is a stencil that reads where its text does not say"
            low.refuse(UnsupportedFunctionError, cause, "@numba.stencil(neighborhood=…)")
        steps = place if isinstance(place, tuple) else (place,)
        _check_rank(low, kernel, len(steps), rank)
        found = [(min(before, k), max(after, k)) for (before, after), k in zip(found, steps, strict=True)]
    return found


def _check_rank(low: Lowering, kernel: Any, axes: int, rank: int) -> None:
    if axes != rank:
        cause = f"{kernel.__name__} is a stencil of {axes} axes, and its first array has {rank}"
        low.refuse(UnsupportedFunctionError, cause, "an array of that rank")


class Relative:
    """An array as a kernel sees it from a point: `a[0, 1]` is the next element along the last axis."""

    def __init__(self, array, at):
        self.array = array
        self.at = at

    def __getitem__(self, place):
        steps = place if isinstance(place, tuple) else (place,)
        return self.array[tuple([self.at[k] + steps[k] for k in range(len(steps))])]


def _at_all_points(kernel, around, relative, edge, *arrays):
    shape = arrays[0].shape
    before = [-around[k][0] for k in range(len(around))]
    margins = [(-first, last) for first, last in around]
    inner = tuple([max(shape[k] - margins[k][0] - margins[k][1], 0) for k in range(len(shape))])
    values = np.array([_at_point(kernel, relative, before, at, arrays) for at in np.ndindex(inner)])
    if values.size == 0:
        return np.full(shape, edge, dtype=values.dtype)
    return np.pad(np.reshape(values, inner), margins, constant_values=edge)


def _at_point(kernel, relative, before, at, arrays):
    place = tuple([at[k] + before[k] for k in range(len(before))])
    return kernel(*[Relative(arrays[k], place) if k in relative else arrays[k] for k in range(len(arrays))])

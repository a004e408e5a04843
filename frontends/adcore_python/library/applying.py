"""Functions of the user's applied along axes, to parts of an array, and element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError

from ..operators import describe
from ..values import FALSE, NONE, Array, Partial, Scalar, Static, Tuple, Value
from .registry import defines, lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["apply_along_axis", "apply_over_axes", "piecewise", "vectorize"]


@lowers("numpy.vectorize")
def vectorize(low: Lowering, pyfunc: Value, otypes: Value = NONE, doc: Value = NONE, *, cache: Value = FALSE) -> Value:
    """`np.vectorize(f)`."""
    if isinstance(pyfunc, Scalar | Array):
        low.refuse(UnsupportedFunctionError, f"np.vectorize of {describe(pyfunc)}", "np.vectorize(f)")
    from ..statements import items_of

    names = otypes.value if isinstance(otypes, Static) else items_of(low, otypes)
    kinds = tuple(Static(n) if isinstance(n, str) else n for n in names or ())
    return Partial(Static(_element_by_element), (pyfunc, Tuple(kinds)), {})


@lowers("numpy.vectorize.__call__")
def vectorized(low: Lowering, self: Value, *args: Value) -> Value:
    """A call of what `np.vectorize` has made outside the function."""
    from ..expressions import attribute_of

    made: Any = self.value if isinstance(self, Static) else None
    if not isinstance(made, np.vectorize):
        low.refuse(UnsupportedFunctionError, f"{describe(self)} is not made by np.vectorize", "np.vectorize(f)")
    if made.signature is not None or made.excluded:
        low.refuse(UnsupportedFunctionError, "np.vectorize with signature= or excluded=", "a loop")
    function = attribute_of(low, self, "pyfunc")
    return low.call(vectorize(low, function, Static(made.otypes)), list(args), {})


def _element_by_element(function, kinds, *args):
    arrays = np.broadcast_arrays(*args)
    shape = arrays[0].shape
    flat = [x.ravel() for x in arrays]
    values = [function(*[x[k] for x in flat]) for k in range(len(flat[0]))]
    if len(kinds) == 0 and len(values) == 0:
        raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
    made = np.array(values)
    if len(kinds) == 1:
        return np.reshape(made.astype(kinds[0]), shape)
    if len(kinds) > 1:
        return tuple([np.reshape(made[:, k].astype(kinds[k]), shape) for k in range(len(kinds))])
    if isinstance(values[0], tuple):
        return tuple([np.reshape(made[:, k], shape) for k in range(len(values[0]))])
    return np.reshape(made, shape)


@defines("numpy.apply_along_axis")
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    x = np.asarray(arr)
    place = axis % x.ndim
    moved = np.moveaxis(x, axis, -1)
    vectors = np.reshape(moved, (-1, moved.shape[-1]))
    if vectors.shape[0] == 0:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    found = np.array([func1d(vectors[k], *args, **kwargs) for k in range(vectors.shape[0])])
    made = np.reshape(found, moved.shape[:-1] + found.shape[1:])
    rank = found.ndim - 1
    return np.moveaxis(made, tuple(range(made.ndim - rank, made.ndim)), tuple(range(place, place + rank)))


@defines("numpy.apply_over_axes")
def apply_over_axes(func, a, axes):
    x = np.asarray(a)
    for axis in axes if isinstance(axes, tuple | list) else (axes,):
        found = func(x, axis)
        x = found if np.ndim(found) == x.ndim else np.expand_dims(found, axis)
    return x


@defines("numpy.piecewise")
def piecewise(x, condlist, funclist, *args, **kw):
    at = np.asarray(x)
    holds = [np.asarray(c) for c in condlist] if isinstance(condlist, list | tuple) else [np.asarray(condlist)]
    n = len(holds)
    if len(funclist) not in (n, n + 1):
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    if len(funclist) > len(holds):
        rest = ~holds[0]
        for each in holds[1:]:
            rest = rest & ~each
        holds = [*holds, rest]
    made = np.zeros_like(at)
    for k in range(len(holds)):
        if callable(funclist[k]):
            made[holds[k]] = funclist[k](at[holds[k]], *args, **kw)
        else:
            made[holds[k]] = funclist[k]
    return made

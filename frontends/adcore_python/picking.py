"""Functions that read or write elements at index arrays: `np.take`, `np.add.at` and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import DType, literal

from .array_functions import array_like
from .indexing import check_in_place, fitted, loaded, located
from .masks import places_of
from .operators import describe, numeric
from .promotion import converted
from .selections import array_item
from .shapes import flat
from .subscripts import Slice
from .values import NONE, Array, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["add_at", "open_mesh", "take"]


def take(low: Lowering, a: Value, indices: Value, axis: Value = NONE) -> Value:
    """`np.take`: elements, or slices at indices of an axis."""
    x = array_like(low, a)
    if not isinstance(x, Array):
        low.refuse(UnsupportedFunctionError, f"np.take of {describe(x)}", "an array")
    if isinstance(axis, Static):
        return loaded(low, _flat(low, x), [array_item(low, indices)])
    known = axis.known if isinstance(axis, Scalar) else None
    if not isinstance(known, int) or not -x.rank <= known < x.rank:
        low.refuse(UnsupportedFunctionError, f"axis is not a constant within rank {x.rank}", "axis=0")
    whole = Slice(None, None, None)
    found = loaded(low, x, [*[whole] * (known % x.rank), array_item(low, indices)])
    return low.value(low.atom(numeric(low, found)))


def _flat(low: Lowering, x: Array) -> Array:
    found = flat(low, x)
    assert isinstance(found, Array)
    return found


def open_mesh(low: Lowering, *args: Value) -> Value:
    """`np.ix_`: index arrays that name all combinations of the indices of each axis."""
    found: list[Value] = []
    for axis, each in enumerate(args):
        item = array_item(low, each)
        if not isinstance(item, Array) or item.rank != 1:
            low.refuse(UnsupportedFunctionError, "Cross index must be 1 dimensional", "vectors of indices")
        (place,) = places_of(low, low.atom(item)) if item.dtype is DType.BOOL else (low.atom(item),)
        before, after = [literal(1)] * axis, [literal(1)] * (len(args) - axis - 1)
        found.append(low.array(low.b.reshape(place, *before, *place.type.shape, *after)))
    return Tuple(tuple(found))


def add_at(op: str) -> Any:
    """`np.add.at` or `np.subtract.at`: an element named twice is changed twice."""

    def lower(low: Lowering, a: Value, indices: Value, b: Value) -> Value:
        if not isinstance(a, Array):
            low.refuse(UnsupportedFunctionError, f"writing into {describe(a)}", "an array")
        items = list(indices.items) if isinstance(indices, Tuple) else [indices]
        value = array_like(low, b)
        check_in_place(low, op, a.dtype, value)
        if a.dtype is DType.BOOL:
            low.refuse(DtypeError, f"np.{'add' if op == '+' else 'subtract'}.at on booleans", "an array of integers")
        place = located(low, a, [array_item(low, i) for i in items])
        atom = converted(low, value, a.dtype)
        low.write(place, fitted(low, low.b.neg(atom) if op == "-" else atom, place), add=True)
        return NONE

    return lower

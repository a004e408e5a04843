"""Rows that read and write the elements of an array at the places that index arrays name.

Axis codes are those of `view`, and one more: `a` takes one operand, an array of indices.  All index arrays of an
equation have one shape; they hold indices from -n to n - 1 for an axis of length n, negative ones counted from its end.
The axes of the index arrays come first in the shape of what is read or written, then the axes that `s` and `:` leave.

    gather(x, *places)              the elements
    scatter(x, value, *places)      x with the elements replaced; of several for one element the last one stays
    scatter_add(x, value, *places)  x with the value added to the elements, each as often as it is named
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..linear import Generator, clear_at, compose, gather, identity, mask, scatter_add
from ..types import I64, Atom, DType, Type, literal
from .base import Kind, operand_types, require, row
from .structure import numpy_index, region_lengths

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__ = ["array_axes", "index_arrays", "indexed_shape", "without_arrays"]

OPERANDS = {"i": 1, "s": 3, ":": 0, "a": 1}


def index_arrays(codes: str, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands that are index arrays."""
    return _parted(codes, operands)[0]


def without_arrays(codes: str, operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Codes and operands of the region in which the axes with index arrays are whole."""
    return codes.replace("a", ":"), _parted(codes, operands)[1]


def array_axes(codes: str) -> tuple[int, ...]:
    """The axes of that region which the index arrays index."""
    return tuple(axis for axis, code in enumerate(codes.replace("i", "")) if code == "a")


def _parted(codes: str, operands: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    arrays: list[Any] = []
    others: list[Any] = []
    rest = list(operands)
    for code in codes:
        count = OPERANDS[code]
        require(len(rest) >= count, "axis codes {!r} with {} operands", codes, len(operands))
        (arrays if code == "a" else others).extend(rest[:count])
        del rest[:count]
    require(not rest, "axis codes {!r} with {} operands", codes, len(operands))
    return tuple(arrays), tuple(others)


def indexed_shape(codes: str, operands: tuple[Atom, ...], shape: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The shape of the elements that axis codes and their operands name."""
    arrays = index_arrays(codes, operands)
    require(len(arrays) > 0, "axis codes {!r} have no index array", codes)
    first = arrays[0].type
    require(all(a.type == first for a in arrays), "index arrays of different types")
    require(first.dtype is DType.I64 and first.rank > 0, "an index array is {}", first)
    lengths = region_lengths(*without_arrays(codes, operands), shape)
    axes = array_axes(codes)
    return (*first.shape, *(n for axis, n in enumerate(lengths) if axis not in axes))


# Meanings


def _elements(x: Any, codes: str, operands: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """A view of the array with the indexed axes in front, and their index arrays."""
    plain, scalars = without_arrays(codes, operands)
    region = x[numpy_index(plain, scalars)]
    axes = array_axes(codes)
    rest = tuple(axis for axis in range(region.ndim) if axis not in axes)
    return region.transpose(axes + rest), index_arrays(codes, operands)


def _gather_meaning(x: Any, *operands: Any, codes: str) -> Any:
    elements, arrays = _elements(x, codes, operands)
    return elements[arrays]


def _scatter_meaning(x: Any, value: Any, *operands: Any, codes: str, unique: bool) -> Any:
    new = np.array(x)
    elements, arrays = _elements(new, codes, operands)
    elements[arrays] = value
    return new


def _scatter_add_meaning(x: Any, value: Any, *operands: Any, codes: str) -> Any:
    new = np.array(x)
    elements, arrays = _elements(new, codes, operands)
    np.add.at(elements, arrays, value)
    return new


# Types


def _gather_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x = operands[0].type
    return (x.with_shape(*indexed_shape(params["codes"], operands[1:], x.shape)),)


def _write_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x, value = operand_types(operands[:2])
    shape = indexed_shape(params["codes"], operands[2:], x.shape)
    require(value.dtype is x.dtype, "writing {} into {}", value.dtype, x.dtype)
    require(value.shape == shape, "writing {} into elements of shape {}", value, shape)
    return (x,)


# Linear maps


def _read(b: Builder, e: Equation) -> Generator:
    return gather(e.params["codes"], e.operands[1:], e.operands[0].type.shape)


def _added(b: Builder, e: Equation) -> Generator:
    return scatter_add(e.params["codes"], e.operands[2:], e.operands[0].type.shape)


def _stored(b: Builder, e: Equation) -> Generator:
    # what a later index overwrites is lost
    return _added(b, e) if e.params["unique"] else compose(_added(b, e), mask(_last(b, e)))


def _last(b: Builder, e: Equation) -> Atom:
    """Where the value is the last one for its element: numbers written to the same places that are read back."""
    codes, x, value = e.params["codes"], e.operands[0], e.operands[1]
    arrays = index_arrays(codes, e.operands[2:])
    shape = arrays[0].type.shape
    count: Atom = literal(1)
    for length in shape:
        count = b.mul(count, length)
    numbers = b.reshape(b.iota(count), *shape)
    lengths = tuple(n for n, code in zip(x.type.shape, codes, strict=True) if code == "a")
    all_axes = "a" * len(arrays)
    written = b.scatter(b.empty(*lengths, dtype=I64.dtype), numbers, *arrays, codes=all_axes, unique=False)
    last = b.eq(b.gather(written, *arrays, codes=all_axes), numbers)
    return b.expand(last, *value.type.shape[len(shape) :], axes=tuple(range(len(shape), value.type.rank)))


row("gather", Kind.GATHER, _gather_typing, _gather_meaning, maps=(_read, None))
# `unique` says that no element is named twice.
row(
    "scatter",
    Kind.WRITE,
    _write_typing,
    _scatter_meaning,
    maps=(lambda b, e: clear_at(e.params["codes"], e.operands[2:], e.operands[1].type.shape), _stored, None),
)
row("scatter_add", Kind.WRITE, _write_typing, _scatter_add_meaning, maps=(lambda b, e: identity(), _added, None))

"""Python values to what programs are specialised on, and back: structures, leaves, specs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .errors import DtypeError
from .plugins import Leaf, Spec, Static
from .types import DType

__all__ = ["abstract", "leaves", "map_leaves", "normalized", "rebuilt", "spec_key"]

_DTYPES = {d.numpy: d for d in DType}
_SCALARS = {float: DType.F64, int: DType.I64, bool: DType.BOOL}


def map_leaves(f: Callable[[Any], Any], structure: Any) -> Any:
    """The same tuples, lists and dicts with every leaf replaced by `f(leaf)`."""
    kind = type(structure)
    if kind is tuple or kind is list:
        return kind(map_leaves(f, part) for part in structure)
    if kind is dict:
        return {key: map_leaves(f, part) for key, part in structure.items()}
    return f(structure)


def leaves(structure: Any) -> Iterator[Any]:
    """The leaves of tuples, lists and dicts, in order."""
    kind = type(structure)
    if kind is tuple or kind is list:
        for part in structure:
            yield from leaves(part)
    elif kind is dict:
        for part in structure.values():
            yield from leaves(part)
    else:
        yield structure


def abstract(value: Any, name: str = "argument") -> Spec | Static:
    """What a program is specialised on for one leaf: a Spec for a number or array, else the object itself.

    Raises:
        DtypeError: an array or NumPy scalar whose dtype is not supported.
    """
    kind = type(value)
    if kind in _SCALARS:
        return Spec(_SCALARS[kind], (), python=True)
    if isinstance(value, np.ndarray):
        ones = tuple(1 if n == 1 else None for n in value.shape)
        return Spec(_dtype(value.dtype, name), ones)
    if isinstance(value, np.generic):
        return Spec(_dtype(value.dtype, name), ())
    return Static(value)


def _dtype(dtype: np.dtype, name: str) -> DType:
    found = _DTYPES.get(dtype.newbyteorder("="))
    if found is None:
        raise DtypeError(
            f"{name} has dtype {dtype}; float64, int64 and bool are supported so far",
            write="x.astype(numpy.float64)",
        )
    return found


def normalized(value: Any) -> Any:
    """A number or array as compiled code takes it: native, aligned, C-contiguous; rank 0 as a NumPy scalar."""
    if isinstance(value, np.ndarray):
        native = _dtype(value.dtype, "argument").numpy  # the one dtype object that compiled code looks for
        plain = np.require(value, native, ["C", "A"])
        if plain.dtype is not native:
            plain = plain.view(native)
        return plain[()] if plain.ndim == 0 else plain
    return value


def spec_key(structure: Any) -> Any:
    """A hashable key of a structure of specs; static objects count by value where they can be hashed."""
    kind = type(structure)
    if kind is tuple or kind is list:
        return (kind, *(spec_key(part) for part in structure))
    if kind is dict:
        return (kind, *((key, spec_key(part)) for key, part in structure.items()))
    if isinstance(structure, Static):
        value = structure.value
        try:
            hash(value)
        except TypeError:
            return (Static, id(value))
        return (Static, type(value), value)
    return structure


def rebuilt(result: Any, values: tuple[Any, ...]) -> Any:
    """A result structure with its leaves filled in."""
    return map_leaves(
        lambda leaf: values[leaf.index] if isinstance(leaf, Leaf) else leaf.value if isinstance(leaf, Static) else leaf,
        result,
    )

"""Python values to what programs are specialised on, and back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from .errors import DtypeError
from .plugins import Held, Spec, Static
from .structured import problem_of
from .types import DType

__all__ = [
    "abstract",
    "abstracted",
    "any_lengths",
    "as_flat",
    "normalized",
    "otherwise",
    "serves",
    "serves_any_lengths",
    "shortened",
    "specialisation_key",
    "when_set",
]

_DTYPES = {d.numpy: d for d in DType}
_PLAIN = (np.ndarray, Held, np.memmap, np.recarray)  # whose numbers are all there is to them
_SCALARS = {float: DType.F64, int: DType.I64, bool: DType.BOOL, complex: DType.C128}


def abstract(value: Any, name: str = "argument") -> Spec | Static:
    """What a program is specialised on for one leaf: a Spec for a number or array, else the object itself.

    Raises:
        DtypeError: an array or NumPy scalar whose dtype is not supported, or an array of a class of its own.
    """
    kind = type(value)
    if kind is Static:
        return value
    if kind in _SCALARS:
        return Spec(_SCALARS[kind], (), python=True)
    if isinstance(value, np.ndarray):
        problem = otherwise(value)
        if problem is not None:
            raise DtypeError(f"{name} is a {problem[0]}", write=problem[1])
        ones = tuple(1 if n == 1 else None for n in value.shape)
        return Spec(_dtype(value.dtype, name), ones)
    if isinstance(value, np.generic):
        return Spec(_dtype(value.dtype, name), ())
    return Static(value)


def abstracted(values: list[Any], place: Callable[[int], str]) -> list[Spec | Static]:
    """What a program is specialised on for each leaf; `place` says what an error calls the leaf of an index."""
    try:
        return [abstract(v) for v in values]
    except DtypeError:
        return [abstract(v, place(k)) for k, v in enumerate(values)]


LENGTHS = 4  # the longest axis whose length a program may be specialised on
ELEMENTS = 16  # the most elements of an array all of whose lengths it may be specialised on
_any_lengths = False
_told: list[Callable[[], None]] = []


@contextmanager
def any_lengths() -> Iterator[None]:
    """A context in which what is compiled serves arrays of all lengths: for tests."""
    before = serves_any_lengths()
    _set(True)
    try:
        yield
    finally:
        _set(before)


def _set(any_lengths: bool) -> None:
    global _any_lengths
    _any_lengths = any_lengths
    for tell in _told:
        tell()


def serves_any_lengths() -> bool:
    """Whether what is compiled now serves arrays of all lengths."""
    return _any_lengths


def when_set(tell: Callable[[], None]) -> None:
    """Call `tell` whenever such a context begins or ends."""
    _told.append(tell)


def shortened(values: Iterable[Any], leaves: list[Spec | Static]) -> list[Spec | Static]:
    """The same leaves, with the lengths of short axes: what is done along these needs no loops and no allocations."""
    return [_shortened(v, s) if isinstance(s, Spec) and s.shape else s for v, s in zip(values, leaves, strict=True)]


def _shortened(value: np.ndarray, spec: Spec) -> Spec:
    longest = 1 if _any_lengths else ELEMENTS if value.size <= ELEMENTS else LENGTHS
    return replace(spec, shape=tuple(n if 1 <= n <= longest else None for n in value.shape))


def serves(leaf: Spec | Static, value: Any) -> bool:
    """Whether what was compiled for a leaf takes the value in its place."""
    found = abstract(value)
    if not isinstance(leaf, Spec) or not isinstance(found, Spec) or len(leaf.shape) != len(found.shape):
        return found == leaf
    lengths = zip(leaf.shape, np.shape(value), strict=True)
    return replace(leaf, shape=found.shape) == found and all(n == m if n is not None else m != 1 for n, m in lengths)


def otherwise(value: np.ndarray) -> tuple[str, str] | None:
    """What an array is, and what to write instead, if it is of a class that computes otherwise than NumPy's arrays."""
    kind = type(value)
    if kind in _PLAIN:
        return None
    masked = isinstance(value, np.ma.MaskedArray)
    write = "x.filled(numpy.nan), or x.data and x.mask" if masked else "numpy.asarray(x)"
    return f"{kind.__name__}, which computes otherwise than an array", write


def _dtype(dtype: np.dtype, name: str) -> DType:
    found = _DTYPES.get(dtype.newbyteorder("="))
    if found is None and dtype.names is not None:
        problem = problem_of(dtype) or "belongs to a subclass of NumPy's arrays"
        raise DtypeError(f"{name} has the structured dtype {dtype}, which {problem}", write="an array for each field")
    if found is None:
        raise DtypeError(
            f"{name} has dtype {dtype}; float64, float32, complex128, complex64, integers and bool are supported",
            write="x.astype(numpy.float64)",
        )
    return found


def normalized(value: Any) -> Any:
    """A number or array as compiled code takes it: native, aligned, C-contiguous; rank 0 as a NumPy scalar."""
    if isinstance(value, Held):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray):
        native = _dtype(value.dtype, "argument").numpy  # the one dtype object that compiled code looks for
        plain = np.require(value, native, ["C", "A"])
        if plain.dtype is not native:
            plain = plain.view(native)
        if type(plain) is not np.ndarray:
            plain = plain.view(np.ndarray)
        return plain[()] if plain.ndim == 0 else plain
    return value


def as_flat(value: Any) -> Any:
    """A number or array as a program that was compiled by itself takes it: Python's numbers where it has the dtype."""
    found = normalized(value)
    return found.item() if isinstance(found, _AS_PYTHON) else found


_AS_PYTHON: tuple[type, ...] = (np.float64, np.int64, np.bool_, np.complex128)


def specialisation_key(specs: Iterable[Any]) -> Hashable:
    """A key of the specs of arguments; static objects count by value where they can be hashed."""
    return tuple(map(_leaf_key, specs))


def _leaf_key(leaf: Any) -> Hashable:
    if not isinstance(leaf, Static):
        return leaf
    try:
        hash(leaf.value)
    except TypeError:
        return (Static, id(leaf.value))
    return (Static, *_constant_key(leaf.value))


def _constant_key(value: Any) -> tuple[Hashable, ...]:
    """Numbers that are equal and behave differently, as 1 and 1.0 or 0.0 and -0.0, have different keys."""
    if type(value) is float:
        return (float, value.hex())
    if type(value) is complex:
        return (complex, value.real.hex(), value.imag.hex())
    if isinstance(value, tuple):
        return (type(value), *map(_constant_key, value))
    return (type(value), frozenset(map(_constant_key, value)) if type(value) is frozenset else value)

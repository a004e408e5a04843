"""Arrays of a device as libraries have them: CuPy's, PyTorch's, Numba's, JAX's and all others of the same protocols.

An argument is taken by `__cuda_array_interface__`, or by DLPack where it has nothing else; a result is an array of the
library that the first argument comes from, in memory which that library has allocated.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import dlpack

__all__ = ["DeviceView", "Library", "library_of", "view"]


@dataclass(frozen=True)
class DeviceView:
    """An array on the device.

    Attributes:
        pointer: the address of the element at index 0, …, 0.
        strides: counted in elements.
        stream: on which it is made; None where nothing has to be waited for.
        value: the caller's array.
        owner: what keeps the memory alive.
    """

    pointer: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype
    stream: int | None
    value: Any
    owner: Any

    @property
    def whole(self) -> bool:
        """Whether its elements lie in C order, without gaps."""
        step = 1
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != step:
                return False
            step *= length
        return True


def view(value: Any) -> DeviceView | None:
    """An array of a device; None for anything else.

    Raises:
        TypeError: it has a mask, or strides that are no multiples of its elements.
    """
    if isinstance(value, np.ndarray | np.generic | bool | int | float | complex | str | bytes | type(None)):
        return None
    if getattr(value, "requires_grad", False) is True:  # of PyTorch, which would record what becomes of it
        value = value.detach()
    interface = getattr(value, "__cuda_array_interface__", None)
    if interface is None:
        return dlpack.view(value, DeviceView) if dlpack.is_on_device(value) else None
    if interface.get("mask") is not None:
        raise TypeError(f"a {type(value).__name__} with a mask; an array without one is needed")
    dtype = np.dtype(interface["typestr"])
    shape = tuple(interface["shape"])
    return DeviceView(
        pointer=int(interface["data"][0] or 0),
        shape=shape,
        strides=_strides(interface.get("strides"), shape, dtype),
        dtype=dtype,
        stream=interface.get("stream"),
        value=value,
        owner=value,
    )


def _strides(given: tuple[int, ...] | None, shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    if given is None:
        strides, step = [], 1
        for length in reversed(shape):
            strides.append(step)
            step *= length
        return tuple(reversed(strides))
    if any(s % dtype.itemsize for s in given):
        raise TypeError(f"strides of {given} bytes, which are no multiples of the {dtype.itemsize} of an element")
    return tuple(s // dtype.itemsize for s in given)


# Libraries


@dataclass(frozen=True)
class Library:
    """Where arrays come from.

    Attributes:
        empty: makes an array like one of them, of a dtype and shape; None where their memory may not be written into.
        stream: the stream on which a function of the library would run now, for an array; None where arrays say that.
        taken: makes an array of the driver's one of theirs, in the same memory, where they cannot be made empty.
        wait: waits for an array, where nobody says on which stream it is made; then nobody knows either on which one
            its memory is used, and the device is waited for before it may be freed.
    """

    name: str
    empty: Callable[[Any, np.dtype, tuple[int, ...]], Any] | None = None
    stream: Callable[[Any], int] | None = None
    taken: Callable[[Any], Any] | None = None
    wait: Callable[[Any], Any] | None = None


def _cupy_empty(like: Any, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    cupy = sys.modules["cupy"]
    with like.device:
        return cupy.empty(shape, dtype)


def _cupy_stream(like: Any) -> int:
    return int(sys.modules["cupy"].cuda.get_current_stream(like.device.id).ptr)


def _torch_empty(like: Any, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    torch = sys.modules["torch"]
    return torch.empty(shape, dtype=getattr(torch, dtype.name), device=like.device)


def _torch_stream(like: Any) -> int:
    return int(sys.modules["torch"].cuda.current_stream(like.device).cuda_stream)


def _numba_empty(like: Any, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    return sys.modules["numba.cuda"].device_array(shape, dtype)


def _jax_taken(array: Any) -> Any:
    return sys.modules["jax"].dlpack.from_dlpack(array)


LIBRARIES = {
    "cupy": Library("cupy", _cupy_empty, _cupy_stream),
    "torch": Library("torch", _torch_empty, _torch_stream),
    "numba": Library("numba", _numba_empty),
    "jaxlib": Library("jax", taken=_jax_taken, wait=lambda array: array.block_until_ready()),
}


def library_of(value: Any) -> Library | None:
    """The library of an array, if it is one whose arrays can be made."""
    for kind in type(value).__mro__:
        found = LIBRARIES.get(kind.__module__.partition(".")[0])
        if found is not None:
            return found
    return None

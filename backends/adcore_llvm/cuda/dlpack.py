"""Arrays by DLPack, the protocol of libraries for arrays in each other's memory.

The structures are those of dlpack.h, version 0 as `__dlpack__()` gives them, in the order that C lays them out.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

__all__ = ["is_on_device", "view"]

CUDA, CUDA_MANAGED = 2, 13
KINDS = {0: "i", 1: "u", 2: "f", 5: "c", 6: "b"}


class _Device(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("number", ctypes.c_int32)]


class _DType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("rank", ctypes.c_int32),
        ("dtype", _DType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    ]


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def is_on_device(value: Any) -> bool:
    """Whether a value is an array of a CUDA device by this protocol."""
    of = getattr(value, "__dlpack_device__", None)
    return of is not None and hasattr(value, "__dlpack__") and int(of()[0]) in (CUDA, CUDA_MANAGED)


def view(value: Any, make: Any) -> Any:
    """The view of such an array.

    The capsule is not consumed: it frees what it holds when the view is not used any more.
    """
    capsule = value.__dlpack__()
    tensor = _Tensor.from_address(_pointer(capsule, b"dltensor"))
    if tensor.dtype.lanes != 1 or tensor.dtype.code not in KINDS:
        raise TypeError(f"a {type(value).__name__} whose elements are no numbers that NumPy has")
    kind = KINDS[tensor.dtype.code]
    dtype = np.dtype("bool" if kind == "b" else f"{kind}{tensor.dtype.bits // 8}")
    shape = tuple(tensor.shape[k] for k in range(tensor.rank))
    strides, step = [], 1
    for length in reversed(shape):
        strides.insert(0, step)
        step *= length
    if tensor.strides:
        strides = [tensor.strides[k] for k in range(tensor.rank)]
    pointer = (tensor.data or 0) + tensor.offset
    return make(pointer, shape, tuple(strides), dtype, None, value, capsule)

"""Arrays by DLPack, the protocol of libraries for arrays in each other's memory.

The structures are those of dlpack.h, version 0 as `__dlpack__()` gives them, in the order that C lays them out.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

__all__ = ["CUDA", "capsule", "is_on_device", "view"]

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


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def is_on_device(value: Any) -> bool:
    """Whether a value is an array of a CUDA device by this protocol."""
    of = getattr(value, "__dlpack_device__", None)
    return of is not None and hasattr(value, "__dlpack__") and int(of()[0]) in (CUDA, CUDA_MANAGED)


def view(value: Any, make: Any) -> Any:
    """The view of such an array.

    The capsule is not consumed: it frees what it holds when the view is not used any more.  What has been started on
    the default stream, as the protocol has it where no other one is named, comes before it.
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
    return make(pointer, shape, tuple(strides), dtype, 0, value, capsule)


# To others

_given: dict[int, tuple[Any, ...]] = {}  # what is kept for those who have been given a capsule, by its address

_new = ctypes.PyDLL(None).PyCapsule_New
_new.restype = ctypes.py_object
_new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_holds = ctypes.PyDLL(None).PyCapsule_IsValid  # these two take the address of a capsule that is just being freed
_holds.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
_held = ctypes.PyDLL(None).PyCapsule_GetPointer
_held.restype = ctypes.c_void_p
_held.argtypes = [ctypes.c_void_p, ctypes.c_char_p]


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _release(address: int) -> None:
    del _given[address]


@ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
def _unless_taken(capsule: int) -> None:
    if _holds(capsule, b"dltensor"):  # who takes the tensor gives the capsule another name
        _release(_held(capsule, b"dltensor"))


def capsule(pointer: int, shape: tuple[int, ...], dtype: np.dtype, where: tuple[int, int], owner: Any) -> Any:
    """An array in C order for other libraries; `where` is the kind of its device, and the number.

    The owner is kept until who takes the tensor does not need it any more.
    """
    code = next(code for code, kind in KINDS.items() if kind == dtype.kind)
    lengths = (ctypes.c_int64 * len(shape))(*shape)
    steps, step = [], 1
    for length in reversed(shape):
        steps.insert(0, step)
        step *= length
    strides = (ctypes.c_int64 * len(shape))(*steps)
    tensor = _Tensor(
        pointer,
        _Device(*where),
        len(shape),
        _DType(code, 8 * dtype.itemsize, 1),
        ctypes.cast(lengths, ctypes.POINTER(ctypes.c_int64)),
        ctypes.cast(strides, ctypes.POINTER(ctypes.c_int64)),
        0,
    )
    managed = _Managed(tensor, None, ctypes.cast(_release, ctypes.c_void_p))
    address = ctypes.addressof(managed)
    _given[address] = managed, lengths, strides, owner
    return _new(address, b"dltensor", ctypes.cast(_unless_taken, ctypes.c_void_p))

"""Addresses of CPython's and NumPy's C interface, and the layout of the objects that compiled code reads directly."""

from __future__ import annotations

import ctypes
from functools import cache
from importlib import import_module

from adcore.types import DType

__all__ = ["PYTHON_SCALARS", "address_in", "name_of", "numpy_function"]

# Offsets in bytes (CPython's PyObject_HEAD is 16; numpy/ndarraytypes.h, PyArrayObject_fields).
OB_TYPE = 8
OB_SIZE = 16  # of what has a number of items
SCALAR_VALUE = 16  # of a float or complex number, and of NumPy's scalars
CELL_CONTENTS = 16
TUPLE_ITEMS = tuple.__basicsize__
ARRAY_DATA = 16
ARRAY_NDIM = 24
ARRAY_DIMENSIONS = 32
ARRAY_DESCR = 56
ARRAY_FLAGS = 64
ARRAY_HANDLER = 88
C_CONTIGUOUS_ALIGNED = 0x0101
WRITEABLE = 0x0400
CARRAY = 0x0501
OWNDATA = 0x0004

EQUAL = 2  # Py_EQ

NEW_FROM_DESCR = 94  # numpy/__multiarray_api.h
NEW_SCALAR = 60

PYTHON_SCALARS = {DType.F64: float, DType.I64: int, DType.BOOL: bool, DType.C128: complex}


def name_of(capsule: object) -> bytes:
    """The name of a capsule; Cython's say there how C declares what they hold."""
    get = ctypes.pythonapi.PyCapsule_GetName
    get.restype, get.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return get(capsule)


def address_in(capsule: object, name: bytes | None) -> int:
    """The address that a capsule of this name holds."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return get(capsule, name)


@cache
def numpy_function(index: int) -> int:
    """The address of a function of NumPy's C interface, by its number there."""
    table = address_in(import_module("numpy._core._multiarray_umath")._ARRAY_API, None)
    return ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[index]

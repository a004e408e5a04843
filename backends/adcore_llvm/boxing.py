"""Results of compiled code to Python objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcore.plugins import Leaf, Static
from adcore.types import DType, Type

from . import capi, memory
from .code import LLVM_TYPE, SIZE
from .complexes import parts
from .python_code import PythonCode

__all__ = ["boxed", "slots_of"]


def slots_of(type: Type) -> int:
    """How many words a result takes in the kernel's output: the value, or the pointer and lengths of an array."""
    return 1 + type.rank if type.shape else max(SIZE[type.dtype] // 8, 1)


def boxed(py: PythonCode, types: Sequence[Type], result: Any, out: str) -> str:
    """The result structure, its leaves taken from the words at `out`, where the kernel has left them."""
    code = py.code
    things: list[str] = []
    slot = 0
    for type in types:
        place = code.op(f"getelementptr i64, ptr {out}, i64 {slot}")
        box = boxed_array if type.shape else boxed_scalar
        things.append(box(py, place, type))
        slot += slots_of(type)
    return structure(py, result, things)


def boxed_scalar(py: PythonCode, place: str, type: Type) -> str:
    """Python's number where it has the dtype, else NumPy's scalar."""
    code, dtype = py.code, type.dtype
    if dtype not in capi.PYTHON_SCALARS:
        new = f"inttoptr (i64 {capi.numpy_function(capi.NEW_SCALAR)} to ptr)"
        thing = code.op(f"call ptr {new}(ptr {place}, ptr {py.constant(dtype.numpy)}, ptr null)")
        py.guard(code.op(f"icmp ne ptr {thing}, null"), "broken")
        return thing
    value = code.op(f"load {LLVM_TYPE[dtype]}, ptr {place}")
    if dtype is DType.F64:
        thing = py.call("PyFloat_FromDouble", "ptr", ("double", value))
    elif dtype is DType.C128:
        both = parts(code, dtype, value)
        thing = py.call("PyComplex_FromDoubles", "ptr", *(("double", part) for part in both))
    elif dtype is DType.I64:
        thing = py.call("PyLong_FromLongLong", "ptr", ("i64", value))
    else:
        thing = py.call("PyBool_FromLong", "ptr", ("i64", code.op(f"zext i1 {value} to i64")))
    py.guard(code.op(f"icmp ne ptr {thing}, null"), "broken")
    return thing


def boxed_array(py: PythonCode, place: str, type: Type) -> str:
    """A NumPy array that owns the kernel's memory, and gives it back to where it comes from."""
    code = py.code
    data = code.op(f"load ptr, ptr {place}")
    dimensions = code.op(f"getelementptr i64, ptr {place}, i64 1")
    descr = py.constant(type.dtype.numpy)
    py.call("Py_IncRef", "void", ("ptr", descr))
    new = f"inttoptr (i64 {capi.numpy_function(capi.NEW_FROM_DESCR)} to ptr)"
    array = code.op(
        f"call ptr {new}(ptr {py.constant(np.ndarray)}, ptr {descr}, i32 {type.rank}, ptr {dimensions}, "
        f"ptr null, ptr {data}, i32 {capi.CARRAY}, ptr null)"
    )
    py.guard(code.op(f"icmp ne ptr {array}, null"), "broken")
    flags = code.op(f"getelementptr i8, ptr {array}, i64 {capi.ARRAY_FLAGS}")
    owned = code.op(f"or i32 {code.op(f'load i32, ptr {flags}')}, {capi.OWNDATA}")
    code.do(f"store i32 {owned}, ptr {flags}")
    handler = py.constant(memory.handler())
    py.call("Py_IncRef", "void", ("ptr", handler))
    code.do(f"store ptr {handler}, ptr {code.op(f'getelementptr i8, ptr {array}, i64 {capi.ARRAY_HANDLER}')}")
    return array


def structure(py: PythonCode, result: Any, things: list[str]) -> str:
    """Tuples built of the results; anything else in the structure is a constant."""
    code = py.code
    if isinstance(result, Leaf):
        return things[result.index]
    if isinstance(result, tuple):
        built = py.call("PyTuple_New", "ptr", ("i64", str(len(result))))
        py.guard(code.op(f"icmp ne ptr {built}, null"), "broken")
        for k, part in enumerate(result):
            item = structure(py, part, things)
            py.call("PyTuple_SetItem", "i32", ("ptr", built), ("i64", str(k)), ("ptr", item))
        return built
    value = py.constant(result.value if isinstance(result, Static) else result)
    py.call("Py_IncRef", "void", ("ptr", value))
    return value

"""Python objects to the registers of compiled code; whatever is not exactly as expected goes to the fallback."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adcore.plugins import ANY, Capture, Spec, Write
from adcore.types import DType

from . import capi
from .code import LLVM_TYPE
from .python_code import PythonCode

__all__ = ["Input", "Registers", "unboxed_all"]

Input = Spec | Capture
Registers = list[tuple[str, str]]  # type and name: a number, or the pointer and lengths of an array


def unboxed_all(py: PythonCode, inputs: Sequence[Input], writes: Sequence[Write]) -> list[Registers]:
    """For each parameter its registers: a number, or pointer and lengths of an array."""
    values: list[Registers] = []
    written = {w.param for w in writes if w.result is not None}
    position = 0
    for k, given in enumerate(inputs):
        if isinstance(given, Spec):
            place = py.code.op(f"getelementptr ptr, ptr %arguments, i64 {position}")
            thing = py.code.op(f"load ptr, ptr {place}")
            position += 1
            values.append(unboxed(py, thing, given))
            if k in written:
                flags = py.code.op(f"and i32 {py.field(thing, capi.ARRAY_FLAGS, 'i32')}, {capi.WRITEABLE}")
                py.guard(py.code.op(f"icmp ne i32 {flags}, 0"))
        else:
            values.append(unboxed(py, py.captured(given), given.spec))
    return values


def unboxed(py: PythonCode, thing: str, spec: Spec) -> Registers:
    if spec.shape:
        return unboxed_array(py, thing, spec)
    return [(LLVM_TYPE[spec.dtype], unboxed_scalar(py, thing, spec))]


def unboxed_scalar(py: PythonCode, thing: str, spec: Spec) -> str:
    code = py.code
    if spec.python and spec.dtype is DType.BOOL:
        yes = py.same(thing, True)
        py.guard(code.op(f"or i1 {yes}, {py.same(thing, False)}"))
        return yes
    type = capi.PYTHON_SCALARS[spec.dtype] if spec.python else spec.dtype.numpy.type
    py.guard(py.same(py.field(thing, capi.OB_TYPE), type))
    if spec.python and spec.dtype is DType.I64:
        overflow = code.slot("i32", "0")
        value = py.call("PyLong_AsLongLongAndOverflow", "i64", ("ptr", thing), ("ptr", overflow))
        py.guard(code.op(f"icmp eq i32 {code.op(f'load i32, ptr {overflow}')}, 0"))
        return value
    if spec.dtype is DType.BOOL:
        return code.op(f"icmp ne i8 {py.field(thing, capi.SCALAR_VALUE, 'i8')}, 0")
    return py.field(thing, capi.SCALAR_VALUE, LLVM_TYPE[spec.dtype])


def unboxed_array(py: PythonCode, thing: str, spec: Spec) -> Registers:
    code = py.code
    py.guard(py.same(py.field(thing, capi.OB_TYPE), np.ndarray))
    py.guard(py.same(py.field(thing, capi.ARRAY_DESCR), spec.dtype.numpy))
    rank = py.field(thing, capi.ARRAY_NDIM, "i32")
    py.guard(code.op(f"icmp eq i32 {rank}, {len(spec.shape)}"))
    flags = code.op(f"and i32 {py.field(thing, capi.ARRAY_FLAGS, 'i32')}, {capi.C_CONTIGUOUS_ALIGNED}")
    py.guard(code.op(f"icmp eq i32 {flags}, {capi.C_CONTIGUOUS_ALIGNED}"))
    values = [("ptr", py.field(thing, capi.ARRAY_DATA))]
    dimensions = py.field(thing, capi.ARRAY_DIMENSIONS)
    for axis, wanted in enumerate(spec.shape):
        length = py.field(dimensions, 8 * axis, "i64")
        if wanted != ANY:
            comparison = "ne i64 {}, 1" if wanted is None else f"eq i64 {{}}, {wanted}"
            py.guard(code.op(f"icmp {comparison.format(length)}"))
        values.append(("i64", length))
    return values

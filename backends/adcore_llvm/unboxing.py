"""Python objects to the registers of compiled code; whatever is not exactly as expected goes to the fallback.

First the arguments are taken apart down to their leaves, and the objects that are read from lists, dicts and attributes
are held, since reading an attribute may run code of the user's.  Then the leaves are read, which runs none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from adcore.plugins import ANY, Capture, Spec, Static, Write
from adcore.types import DType

from . import capi
from .code import LLVM_TYPE
from .python_code import PythonCode

__all__ = ["Registers", "unboxed_all"]

Registers = list[tuple[str, str]]  # type and name: a number, or the pointer and lengths of an array


def unboxed_all(py: PythonCode, inputs: Sequence[Any], writes: Sequence[Write]) -> list[Registers]:
    """For each parameter its registers: a number, or pointer and lengths of an array."""
    things: list[tuple[str, Spec]] = []
    position = 0
    for given in inputs:
        if isinstance(given, Capture):
            continue
        place = py.code.op(f"getelementptr ptr, ptr %arguments, i64 {position}")
        things += taken_apart(py, py.code.op(f"load ptr, ptr {place}"), given)
        position += 1
    things += [(py.captured(given), given.spec) for given in inputs if isinstance(given, Capture)]
    written = {w.param for w in writes if w.result is not None}
    values: list[Registers] = []
    for k, (thing, spec) in enumerate(things):
        values.append(unboxed(py, thing, spec))
        if k in written:
            flags = py.code.op(f"and i32 {py.field(thing, capi.ARRAY_FLAGS, 'i32')}, {capi.WRITEABLE}")
            py.guard(py.code.op(f"icmp ne i32 {flags}, 0"))
    return values


# Trees


def taken_apart(py: PythonCode, thing: str, structure: Any) -> Iterator[tuple[str, Spec]]:
    """The numbers and arrays of an argument."""
    if isinstance(structure, Spec):
        yield thing, structure
    elif isinstance(structure, Static):
        py.guard_equal(thing, structure.value)
    else:
        py.guard(py.same(py.field(thing, capi.OB_TYPE), type(structure)))
        for part, inner in parts_of(structure)(py, thing, structure):
            yield from taken_apart(py, part, inner)


Parts = Iterator[tuple[str, Any]]


def parts_of(structure: Any) -> Callable[[PythonCode, str, Any], Parts]:
    """What takes the parts out of an object of the class of a node."""
    if type(structure) is list:
        return parts_of_list
    if type(structure) is dict:
        return parts_of_dict
    return parts_of_tuple if isinstance(structure, tuple) else parts_of_dataclass


def parts_of_tuple(py: PythonCode, thing: str, structure: Sequence[Any]) -> Parts:
    guard_size(py, py.field(thing, capi.OB_SIZE, "i64"), structure)
    for k, inner in enumerate(structure):
        yield py.field(thing, capi.TUPLE_ITEMS + 8 * k), inner


def parts_of_list(py: PythonCode, thing: str, structure: list[Any]) -> Parts:
    """The items of a tuple that is made of the list."""
    yield from parts_of_tuple(py, py.own(py.made(py.call("PyList_AsTuple", "ptr", ("ptr", thing)))), structure)


def parts_of_dict(py: PythonCode, thing: str, structure: dict[Any, Any]) -> Parts:
    """The values, held by a list that is made of them, where the keys are these in this order."""
    code = py.code
    guard_size(py, py.call("PyDict_Size", "i64", ("ptr", thing)), structure)
    py.own(py.made(py.call("PyDict_Values", "ptr", ("ptr", thing))))
    position, key, value = code.slot("i64", "0"), code.slot("ptr", "null"), code.slot("ptr", "null")
    values: list[str] = []
    for each in structure:
        places = (("ptr", thing), ("ptr", position), ("ptr", key), ("ptr", value))
        py.guard(code.op(f"icmp ne i32 {py.call('PyDict_Next', 'i32', *places)}, 0"))
        py.guard_equal(code.op(f"load ptr, ptr {key}"), each)
        values.append(code.op(f"load ptr, ptr {value}"))
    yield from zip(values, structure.values(), strict=True)


def parts_of_dataclass(py: PythonCode, thing: str, structure: Any) -> Parts:
    for each in dataclasses.fields(structure):
        value = py.call("PyObject_GetAttr", "ptr", ("ptr", thing), ("ptr", py.constant(each.name)))
        py.guard(py.code.op(f"icmp ne ptr {value}, null"), "missing")
        yield py.own(value), getattr(structure, each.name)


def guard_size(py: PythonCode, size: str, structure: Any) -> None:
    py.guard(py.code.op(f"icmp eq i64 {size}, {len(structure)}"))


# Leaves


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

"""Results of compiled code to Python objects."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from adcore.plugins import Leaf, Static
from adcore.trees import PyTreeSpec, is_namedtuple, leaves, structure
from adcore.types import DType, Type

from . import capi
from .code import LLVM_TYPE, SIZE
from .complexes import parts
from .python_code import PythonCode

__all__ = ["boxed", "slots_of"]


def slots_of(type: Type) -> int:
    """How many words a result takes in the kernel's output: the value, or the pointer and lengths of an array."""
    return 1 + type.rank if type.shape else max(SIZE[type.dtype] // 8, 1)


def boxed(py: PythonCode, types: Sequence[Type], result: Any, out: str) -> str:
    """The result structure, its leaves taken from the words at `out`, where the kernel has left them.

    What the code owns is given back, but for the result.
    """
    built = Boxing(py, types, result, out).structure(result)
    py.hand_over()
    py.release_all()
    return built


class Boxing:
    """Objects made of a result's parts.  Each is owned by the code when it is made, and handed over to what holds it.

    A leaf is made where it stands; before all others if it stands in several places, or if code of the user's that
    makes an object may raise, since the memory of an array that has not been made then would be lost.
    """

    def __init__(self, py: PythonCode, types: Sequence[Type], result: Any, out: str) -> None:
        self.py = py
        self.types = types
        self.slots = [0, *accumulate(map(slots_of, types))]
        self.out = out
        found = Counter(leaf.index for leaf in leaves(result) if isinstance(leaf, Leaf))
        raising = has_named_tuple(structure(result))
        first = [k for k, count in found.items() if raising or count > 1]
        self.things = {k: py.own(self.leaf(k)) for k in first}

    def leaf(self, index: int) -> str:
        place = self.py.code.op(f"getelementptr i64, ptr {self.out}, i64 {self.slots[index]}")
        box = boxed_array if self.types[index].shape else boxed_scalar
        return box(self.py, place, self.types[index])

    def structure(self, result: Any) -> str:
        """The object that a part of the result is: a leaf, a constant, or what holds them."""
        py = self.py
        if isinstance(result, Leaf):
            known = self.things.get(result.index)
            return py.own(self.leaf(result.index) if known is None else py.take(known))
        if isinstance(result, Static):
            return py.own(py.take(py.constant(result.value)))
        kind = type(result)
        if kind is tuple:
            return self.sequence("PyTuple", result)
        if kind is list:
            return self.sequence("PyList", result)
        if kind is dict:
            return self.mapping(result)
        return self.named_tuple(result) if isinstance(result, tuple) else self.instance(result)

    def sequence(self, kind: str, result: Sequence[Any]) -> str:
        py = self.py
        built = py.own(py.made(py.call(f"{kind}_New", "ptr", ("i64", str(len(result))))))
        for k, part in enumerate(result):
            item = self.structure(part)
            py.hand_over()
            py.call(f"{kind}_SetItem", "i32", ("ptr", built), ("i64", str(k)), ("ptr", item))
        return built

    def mapping(self, result: dict[Any, Any]) -> str:
        py = self.py
        built = py.own(py.made(py.call("PyDict_New", "ptr")))
        for key, part in result.items():
            self.put("PyDict_SetItem", built, key, self.structure(part))
        return built

    def instance(self, result: Any) -> str:
        """An instance of a dataclass; nothing of the class is run."""
        py = self.py
        places = (("ptr", py.constant(object.__new__)), ("ptr", py.constant(type(result))))
        built = py.own(py.made(py.call("PyObject_CallOneArg", "ptr", *places)))
        for field in dataclasses.fields(result):
            self.put("PyObject_GenericSetAttr", built, field.name, self.structure(getattr(result, field.name)))
        return built

    def put(self, name: str, owner: str, key: Any, item: str) -> None:
        """Call a setter, which takes a reference of its own."""
        py = self.py
        status = py.call(name, "i32", ("ptr", owner), ("ptr", py.constant(key)), ("ptr", item))
        py.guard(py.code.op(f"icmp eq i32 {status}, 0"), "broken")
        py.hand_over()
        py.release(item)

    def named_tuple(self, result: tuple[Any, ...]) -> str:
        """What the class makes of the parts."""
        py, code = self.py, self.py.code
        items = code.name()
        code.entry.append(f"  {items} = alloca [{max(len(result), 1)} x ptr]")
        parts = [self.structure(part) for part in result]
        for k, part in enumerate(parts):
            code.do(f"store ptr {part}, ptr {code.op(f'getelementptr ptr, ptr {items}, i64 {k}')}")
        arguments = (("ptr", py.constant(type(result))), ("ptr", items), ("i64", str(len(parts))), ("ptr", "null"))
        built = py.made(py.call("PyObject_Vectorcall", "ptr", *arguments))
        py.hand_over(len(parts))
        for part in parts:
            py.release(part)
        return py.own(built)


def has_named_tuple(spec: PyTreeSpec) -> bool:
    return is_namedtuple(spec.type) or any(map(has_named_tuple, spec.children()))


def boxed_scalar(py: PythonCode, place: str, type: Type) -> str:
    """Python's number where it has the dtype, else NumPy's scalar."""
    code, dtype = py.code, type.dtype
    if dtype not in capi.PYTHON_SCALARS:
        new = py.special(f"numpy {capi.NEW_SCALAR}")
        thing = code.op(f"call ptr {new}(ptr {place}, ptr {py.constant(dtype.numpy)}, ptr null)")
        return py.made(thing)
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
    return py.made(thing)


def boxed_array(py: PythonCode, place: str, type: Type) -> str:
    """A NumPy array that owns the kernel's memory, and gives it back to where it comes from."""
    code = py.code
    data = code.op(f"load ptr, ptr {place}")
    dimensions = code.op(f"getelementptr i64, ptr {place}, i64 1")
    descr = py.constant(type.dtype.numpy)
    py.take(descr)
    new = py.special(f"numpy {capi.NEW_FROM_DESCR}")
    array = code.op(
        f"call ptr {new}(ptr {py.constant(np.ndarray)}, ptr {descr}, i32 {type.rank}, ptr {dimensions}, "
        f"ptr null, ptr {data}, i32 {capi.CARRAY}, ptr null)"
    )
    py.made(array)
    flags = code.op(f"getelementptr i8, ptr {array}, i64 {capi.ARRAY_FLAGS}")
    owned = code.op(f"or i32 {code.op(f'load i32, ptr {flags}')}, {capi.OWNDATA}")
    code.do(f"store i32 {owned}, ptr {flags}")
    handler = py.special("handler")
    py.take(handler)
    code.do(f"store ptr {handler}, ptr {code.op(f'getelementptr i8, ptr {array}, i64 {capi.ARRAY_HANDLER}')}")
    return array

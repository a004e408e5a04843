"""Compiled programs as Python callables."""

from __future__ import annotations

import ast
import ctypes
import struct
from collections.abc import Callable
from typing import Any

from adcore import cache as disk
from adcore import threads
from adcore.errors import Source
from adcore.plugins import ANY, Guard, Leaf, Objects, Portable, Seldom, Spec, Write
from adcore.primitives import CHECKED_ERRORS
from adcore.primitives.host import taken_error
from adcore.program import Program
from adcore.threads import Sharing
from adcore.types import DType, Lit

from . import memory, symbols
from .capi import PYTHON_SCALARS, numpy_function
from .engine import NAME, load, machine_code
from .entry import emit_module
from .hosting import HOST_ERROR
from .lower import Failure
from .python_code import TABLE, Special

__all__ = ["Compiled", "Function", "compiled", "error_of", "flat_inputs", "flat_result", "raise_at"]

METH_FASTCALL_KEYWORDS = 0x0080 | 0x0002


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


_new_function = ctypes.pythonapi.PyCFunction_NewEx
_new_function.restype = ctypes.py_object
_new_function.argtypes = [ctypes.POINTER(_MethodDef), ctypes.py_object, ctypes.c_void_p]

Function = Callable[..., Any]
_alive: list[Any] = []  # what machine code refers to; the code is never unloaded


class Compiled:
    """A program in machine code.

    Attributes:
        portable: what another process needs to load it, where there is a cache.
    """

    def __init__(self, portable: Portable, name: str) -> None:
        self.portable = portable if disk.directory() is not None else None
        table, failures, needs = portable.rest

        def fail(status: int, reported: bytes) -> None:
            raise_failure(failures[status - 1], reported)

        symbols.provide(needs)
        address, places = load(portable.code, NAME, TABLE)
        words = (ctypes.c_size_t * len(table)).from_address(places)
        words[:] = [_address(each, fail) for each in table]
        self._definition = _MethodDef(name.encode(), address, METH_FASTCALL_KEYWORDS, None)
        _alive.append((self._definition, table, fail))

    def function(self, fallback: Function) -> Function:
        """The entry point as a builtin function; other arguments than it was compiled for go to `fallback`."""
        return _new_function(ctypes.pointer(self._definition), fallback, None)


def compiled(
    program: Program,
    inputs: tuple[Any, ...],
    result: Any,
    name: str,
    guards: tuple[Guard, ...] = (),
    writes: tuple[Write, ...] = (),
    sharing: Sharing | None = None,
) -> Compiled:
    """A program compiled for calls with arguments like the inputs."""
    module = emit_module(program, inputs, result, guards, writes, sharing or threads.sharing())
    code = machine_code(module.text)
    return Compiled(Portable(code, (Objects(module.table), Seldom(module.failures), module.needs)), name)


def _address(thing: Any, fail: Any) -> int:
    """The address of what a table names: it outlives the code."""
    if isinstance(thing, Guard):
        return id(thing.value)
    if not isinstance(thing, Special):
        return id(thing)
    kind, _, number = thing.name.partition(" ")
    if kind == "numpy":
        return numpy_function(int(number))
    return id(fail if kind == "fail" else memory.handler())


def flat_inputs(program: Program) -> tuple[Spec, ...]:
    """The specs of a program's parameters, taken one by one as arguments."""
    specs = []
    for param in program.params:
        shape = tuple(int(a.value) if isinstance(a, Lit) else ANY for a in param.type.shape)
        specs.append(Spec(param.type.dtype, shape, python=not shape and param.type.dtype in PYTHON_SCALARS))
    return tuple(specs)


def flat_result(program: Program) -> tuple[Leaf, ...]:
    return tuple(Leaf(k) for k in range(len(program.results)))


# Failures


def raise_failure(failure: Failure, reported: bytes) -> None:
    """Raise the exception of a failure, its message filled in, from the user's line."""
    if failure.error == HOST_ERROR:
        raise_at(taken_error(), failure.source)
    raise_at(error_of(failure, reported), failure.source)


def error_of(failure: Failure, reported: bytes) -> Exception:
    """The exception of a failure, its message filled in with what was reported."""
    words = struct.iter_unpack("8s", reported)
    values = [_decode(word, dtype) for word, dtype in zip(words, failure.dtypes, strict=False)]
    return {**CHECKED_ERRORS, "MemoryError": MemoryError}[failure.error](failure.message.format(*values))


def _decode(word: tuple[bytes], dtype: DType) -> Any:
    if dtype is DType.F64:
        return struct.unpack("<d", word[0])[0]
    value = struct.unpack("<q", word[0])[0]
    return bool(value) if dtype is DType.BOOL else value


def raise_at(error: BaseException, source: Source | None) -> None:
    """Raise with a traceback that ends in the user's function, at the user's line."""
    if source is None:
        raise error
    statement = ast.parse("raise error")
    for node in ast.walk(statement):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno = node.end_lineno = source.line
            node.col_offset, node.end_col_offset = source.column, max(source.end_column, source.column + 1)
    code = compile(statement, source.file, "exec")
    function = source.function or "<module>"
    exec(code.replace(co_name=function, co_qualname=function), {"error": error})

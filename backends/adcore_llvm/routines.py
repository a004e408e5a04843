"""BLAS and LAPACK routines, as SciPy brings them, under names that compiled code calls.

Every argument of a routine is an address: numbers and letters are put into the stack frame first.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

from adcore.types import DType

from . import capi, targets, threads
from .code import Code
from .symbols import provider, register

__all__ = ["call_routine", "integer", "letter"]

PREFIX = {DType.F32: "s", DType.F64: "d", DType.C64: "c", DType.C128: "z"}
_MODULES = ("scipy.linalg.cython_blas", "scipy.linalg.cython_lapack")


@provider("routine")
def symbol(name: str) -> str:
    """The name under which compiled code finds a routine."""
    module = next(m for m in map(_module, _MODULES) if name in m.__pyx_capi__)
    capsule = module.__pyx_capi__[name]
    threads.note_blas(module.__file__)
    register(f"adcore_{name}", capi.address_in(capsule, capi.name_of(capsule)), "routine", name)
    return f"adcore_{name}"


@cache
def _module(module: str) -> Any:
    """A module of SciPy's that gives addresses.

    Where its package is not imported yet, it is loaded alone: the whole package takes a hundred times as long.
    """
    package = module.rpartition(".")[0]
    found = None
    if package not in sys.modules and os.name == "posix":  # elsewhere SciPy has to make its libraries known first
        root = find_spec(package.partition(".")[0])
        folders = [
            os.path.join(path, package.partition(".")[2]) for path in (root and root.submodule_search_locations) or ()
        ]
        found = PathFinder.find_spec(module, folders)
    if found is None or found.loader is None:
        return import_module(module)
    alone: Any = module_from_spec(found)
    found.loader.exec_module(alone)
    sys.modules.pop(module, None)  # so that an import goes its usual way; it gives the same module again
    return alone


def call_routine(code: Code, name: str, dtype: DType, *addresses: str) -> None:
    """Call a routine, named without the letter of its dtype."""
    routine = PREFIX[dtype] + name
    found = symbol(routine) if targets.machine() is None else f"{routine}_"  # as Fortran's compilers call it
    code.call("void", found, *(("ptr", a) for a in addresses))


def integer(code: Code, value: str) -> str:
    """The address of an integer, as LAPACK has them."""
    return code.slot("i32", code.op(f"trunc i64 {value} to i32"))


def letter(code: Code, value: str) -> str:
    """The address of a letter, say `N` or `T`."""
    return code.slot("i8", str(ord(value)))

"""Things that every process has under the same name: of Python's own library, and of the packages that adcore uses.

What is behind such a name is told by the versions in `environment`, so that a name stands for the thing.
"""

from __future__ import annotations

import os
import sys
import types
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["OURS", "PACKAGES", "is_ours", "is_trusted", "name_of", "named"]

OURS = ("adcore", "adcore_python", "adcore_llvm")
PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "optree")
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_FUNCTIONS = (type, types.FunctionType, types.BuiltinFunctionType)
_UFUNCS = ("numpy", "scipy.special")
_OBJECTS = ("numpy", "scipy.stats", "scipy.special")  # where instances of these packages' classes are known by a name


def is_trusted(module: Any) -> bool:
    """Whether what a module of this name contains is told by versions."""
    if not isinstance(module, str):
        return False
    package = module.partition(".")[0]
    return package in OURS or package in PACKAGES or (package in sys.modules and _is_of_python(package))


def is_ours(kind: type) -> bool:
    """Whether a class is one of adcore's."""
    return kind.__module__.partition(".")[0] in OURS


@cache
def _is_of_python(package: str) -> bool:
    """Whether a module that is imported is one of Python's library: one of the user's may have such a name too."""
    if package not in sys.stdlib_module_names or package == "__main__":
        return False
    file = getattr(sys.modules[package], "__file__", None)
    return file is None or (file.startswith(_LIBRARY) and "-packages" not in file)


def name_of(thing: Any) -> tuple[str, str] | None:
    """The module and the name in it under which every process has this; None where there is none."""
    if isinstance(thing, types.ModuleType):
        return (thing.__name__, "") if is_trusted(thing.__name__) and named(thing.__name__, "") is thing else None
    if isinstance(thing, np.ufunc):
        return _first(_UFUNCS, thing.__name__, thing)
    if not isinstance(thing, _FUNCTIONS) and not _is_cython(type(thing)) and not is_trusted(type(thing).__module__):
        return None  # an object of the user's may compute its attributes
    name, module = getattr(thing, "__qualname__", None), getattr(thing, "__module__", None)
    if not isinstance(name, str):
        return _instance(thing)
    if isinstance(thing, types.BuiltinFunctionType) and isinstance(thing.__self__, type):
        module = thing.__self__.__module__  # of a method of the class itself, as object.__new__
    if module is None or not is_trusted(module):
        return None
    return _first((module,), name, thing) or (_first(("types",), name, thing) if isinstance(thing, type) else None)


def _is_cython(kind: type) -> bool:
    """Whether this is the class of functions that are written in Cython."""
    return kind.__name__ == "cython_function_or_method" and kind.__module__.startswith("_cython")


def _first(modules: tuple[str, ...], name: str, thing: Any) -> tuple[str, str] | None:
    return next(((m, name) for m in modules if m in sys.modules and _attribute(sys.modules[m], name) is thing), None)


def _instance(thing: Any) -> tuple[str, str] | None:
    """An object of a package's that is a global variable there."""
    for module in (type(thing).__module__, *_OBJECTS):
        space = vars(sys.modules[module]) if module in sys.modules else {}
        for name in tuple(space):
            if space.get(name) is thing:
                return module, name
    return None


def named(module: str, name: str) -> Any:
    """What has this name; a module itself for no name.

    Raises:
        LookupError: nothing has, or the module is not one of those that are trusted.
    """
    if not is_trusted(module):
        raise LookupError(f"{module} is no module of Python's or of adcore's")
    found = _attribute(import_module(module), name) if name else import_module(module)
    if found is _MISSING:
        raise LookupError(f"{module} has no {name}")
    return found


_MISSING = object()


def _attribute(thing: Any, name: str) -> Any:
    for part in name.split("."):
        thing = getattr(thing, part, _MISSING)
    return thing

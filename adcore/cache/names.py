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

__all__ = ["OURS", "PACKAGES", "is_trusted", "name_of", "named"]

OURS = ("adcore", "adcore_python", "adcore_llvm")
PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "optree")
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_UFUNCS = ("numpy", "scipy.special")
_OBJECTS = ("numpy", "scipy.stats", "scipy.special")  # where instances of these packages' classes are known by a name


def is_trusted(module: Any) -> bool:
    """Whether what a module of this name contains is told by versions."""
    return isinstance(module, str) and _is_trusted(module.partition(".")[0])


@cache
def _is_trusted(package: str) -> bool:
    if package in OURS or package in PACKAGES:
        return True
    if package not in sys.stdlib_module_names or package == "__main__":
        return False
    file = getattr(sys.modules.get(package), "__file__", None)  # a module of the user's may have such a name too
    return package in sys.modules and (file is None or (file.startswith(_LIBRARY) and "-packages" not in file))


def name_of(thing: Any) -> tuple[str, str] | None:
    """The module and the name in it under which every process has this; None where there is none."""
    if isinstance(thing, types.ModuleType):
        return (thing.__name__, "") if is_trusted(thing.__name__) and named(thing.__name__, "") is thing else None
    module = getattr(thing, "__module__", None)
    if isinstance(thing, np.ufunc):
        return _first(_UFUNCS, thing.__name__, thing)
    name = getattr(thing, "__qualname__", None)
    if isinstance(thing, types.BuiltinFunctionType) and isinstance(thing.__self__, type):
        module = thing.__self__.__module__  # of a method of the class itself, as object.__new__
    if not isinstance(name, str):
        return _instance(thing)
    if module is None or not is_trusted(module):
        return None
    return _first((module,), name, thing) or (_first(("types",), name, thing) if isinstance(thing, type) else None)


def _first(modules: tuple[str, ...], name: str, thing: Any) -> tuple[str, str] | None:
    return next(((m, name) for m in modules if m in sys.modules and _attribute(sys.modules[m], name) is thing), None)


def _instance(thing: Any) -> tuple[str, str] | None:
    """An object of a package's that is a global variable there."""
    own = type(thing).__module__
    if not is_trusted(own):
        return None
    for module in (own, *_OBJECTS):
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

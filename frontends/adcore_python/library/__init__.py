"""Functions of NumPy and SciPy, by their public names.

A module here either writes functions in the language itself, as plain Python on what the frontend knows already
(`@defines("numpy.roll")`), or gives lowerings that emit equations (`@lowers(…)`).  The former are preferred:
plain Python runs them too, so that each is tested against NumPy as it stands, and its derivative is nobody's business
but the compiler's.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from . import (
    applying,
    arrangement,
    axes,
    composition,
    corners,
    einsum,
    making,
    padding,
    products,
    sparse,
    splitting,
)
from .registry import LIBRARY, Written

__all__ = ["LIBRARY", "MODULES", "Written", "found", "is_ours"]

MODULES = (
    applying,
    arrangement,
    axes,
    composition,
    corners,
    einsum,
    making,
    padding,
    products,
    sparse,
    splitting,
)
_objects: dict[Any, Any] = {}
_pending = set(LIBRARY)


def found(function: Any) -> Any:
    """What the library has for a function object: a `Written`, a lowering, or None.

    The object behind a name is looked up when its module has been imported, so that nothing of SciPy need be.
    """
    known = _objects.get(function)
    if known is None and _pending:
        for name in list(_pending):
            module, attributes = _parted(name)
            if module in sys.modules:
                _pending.discard(name)
                _objects[_attribute(sys.modules[module], attributes)] = LIBRARY[name]
        known = _objects.get(function)
    return known


def is_ours(function: FunctionType) -> bool:
    """Whether a Python function is one of the library's own."""
    return (function.__module__ or "").startswith(f"{__name__}.")


def _parted(name: str) -> tuple[str, list[str]]:
    """The module of a public name, and the attributes that lead from there: a method of a class has two."""
    *module, last = name.split(".")
    attributes = [last]
    while module and ".".join(module) not in sys.modules and ".".join(module[:-1]) in sys.modules:
        attributes.insert(0, module.pop())
    return ".".join(module), attributes


def _attribute(module: Any, names: list[str]) -> Any:
    found = module
    for name in names:
        found = getattr(found, name, f"{module.__name__} has no {'.'.join(names)}")
    return found

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

from . import arrangement, composition, fourier, spectra
from .registry import LIBRARY, Written

__all__ = ["LIBRARY", "MODULES", "Written", "found", "is_ours"]

MODULES = (arrangement, composition, fourier, spectra)
_objects: dict[Any, Any] = {}
_pending = set(LIBRARY)


def found(function: Any) -> Any:
    """What the library has for a function object: a `Written`, a lowering, or None.

    The object behind a name is looked up when its module has been imported, so that nothing of SciPy need be.
    """
    known = _objects.get(function)
    if known is None and _pending:
        for name in list(_pending):
            module, _, attribute = name.rpartition(".")
            if module in sys.modules:
                _pending.discard(name)
                _objects[_attribute(sys.modules[module], attribute)] = LIBRARY[name]
        known = _objects.get(function)
    return known


def is_ours(function: FunctionType) -> bool:
    """Whether a Python function is one of the library's own."""
    return (function.__module__ or "").startswith(f"{__name__}.")


def _attribute(module: Any, name: str) -> Any:
    return getattr(module, name, f"{module.__name__} has no {name}")

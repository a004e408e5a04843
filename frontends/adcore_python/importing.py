"""Imports inside of functions: they happen while compiling."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from .outside import is_trusted, member
from .values import Static, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["imported"]


def imported(low: Lowering, s: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Value]]:
    """The names that an import binds, with their values."""
    for alias in s.names:
        if isinstance(s, ast.Import):
            module = _module(low, alias.name)
            if alias.asname is None:
                package = alias.name.partition(".")[0]
                yield package, Static(sys.modules[package])
            else:
                yield alias.asname, Static(module)
        else:
            yield alias.asname or alias.name, _part(low, "." * s.level + (s.module or ""), alias.name)


def _module(low: Lowering, name: str) -> ModuleType:
    package = low.frame.python.__globals__.get("__package__") or None
    with low.foreign(f"import {name}", own=name not in sys.modules and not is_trusted(name)):
        try:
            return importlib.import_module(name, package)
        except ImportError as error:
            cause = f"{type(error).__name__}: {error}"
    return low.refuse_syntax(cause, "what can be imported")


def _part(low: Lowering, module: str, name: str) -> Value:
    owner = _module(low, module)
    if hasattr(owner, name):
        return member(low, owner, name, getattr(owner, name))
    if not hasattr(owner, "__path__"):
        low.refuse_syntax(f"cannot import name {name!r} from {owner.__name__!r}", "what can be imported")
    return Static(_module(low, f"{owner.__name__}.{name}"))

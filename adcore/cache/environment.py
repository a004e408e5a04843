"""What compiled code depends on beside the function: the sources of adcore, versions, and the machine."""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from typing import Any

from ..plugins import backend
from ..started import STARTED
from .names import OURS, PACKAGES

__all__ = ["ChangedError", "digest", "look", "require_unchanged"]

COARSE = 0.1  # seconds by which the clock of the file system may be behind


class ChangedError(Exception):
    """The sources of adcore are not those that this process runs, as far as can be known."""


def digest() -> bytes:
    """Of all of it.

    Raises:
        ChangedError: a source of adcore was changed after this process began to import it, or cannot be looked at.
    """
    found = look()
    if isinstance(found, str):
        raise ChangedError(found)
    return found


@cache
def look() -> bytes | str:
    """The digest, or why there is none."""
    try:
        return _digest()
    except (ChangedError, OSError) as error:
        return str(error)


def _digest() -> bytes:
    _loaded.update(_modules())
    found = [_python(), _sources(), *(_package(name) for name in PACKAGES), backend().description()]
    return blake2b(repr(found).encode(), digest_size=20).digest()


def require_unchanged() -> None:
    """See to it that `digest` tells of what was imported since.

    Raises:
        ChangedError: it may not.
    """
    for module in _modules() - _loaded:
        file = getattr(sys.modules[module], "__file__", None)
        if file is not None:
            _require_old(file, os.stat(file))
        _loaded.add(module)


_loaded: set[str] = set()  # modules of adcore whose sources were looked at


def _modules() -> set[str]:
    return {name for name in list(sys.modules) if name.partition(".")[0] in OURS}


def _require_old(path: str, status: os.stat_result) -> None:
    if status.st_ctime > STARTED - COARSE:
        raise ChangedError(f"{path} was changed after adcore was imported")


def _python() -> tuple[Any, ...]:
    return (sys.version, sys.implementation.cache_tag, sys.flags.optimize, getattr(sys, "abiflags", ""))


def _sources() -> list[tuple[Any, ...]]:
    """The sources of adcore by size and times; one that was written to has another time of change."""
    found: list[tuple[Any, ...]] = []
    stack = [path for name in OURS if name in sys.modules for path in sys.modules[name].__path__]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    stack.extend([entry.path] * (entry.name != "__pycache__"))
                    continue
                status = entry.stat()
                _require_old(entry.path, status)
                found.append((entry.path, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return sorted(found)


def _package(name: str) -> tuple[Any, ...]:
    """A package by its place, and the files that say its version; it need not be imported."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return (name,)
    found: list[Any] = [name, spec.origin]
    for file in ("__init__.py", "version.py", "_version.py"):
        try:
            status = os.stat(os.path.join(os.path.dirname(spec.origin), file))
        except FileNotFoundError:
            continue
        found += [file, status.st_size, status.st_mtime_ns, status.st_ino]
    return tuple(found)

"""Printed source as modules: a file for each program in the cache's directory, with machine code beside it.

A file is named by its content and by all that its machine code depends on: adcore's own sources, versions and the
machine.  Where there is no such directory, or it cannot be written to, the files are the process's own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import RLock
from types import ModuleType

from adcore.cache import is_on
from adcore.cache.environment import ChangedError, digest
from adcore.cache.files import Directory, place
from adcore.once import once

__all__ = ["is_kept", "module_of"]

_lock = RLock()


def module_of(source: str, title: str) -> ModuleType:
    """The module with this source; its file says in its first line what it is."""
    text = f'"""{title}, printed by adcore for numba.njit."""\n\n{source}'
    environment, directory = _environment(), _kept()
    if environment is None or directory is None:
        environment, directory = b"", _own()
    name = f"adcore_printed_{sha256(environment + text.encode()).hexdigest()[:32]}"
    with _lock:
        if name not in sys.modules:
            try:
                path = _written(directory, name, text)
            except OSError:  # read-only, or full
                path = _written(_own(), name, text)
            sys.modules[name] = _imported(name, path)
        return sys.modules[name]


def is_kept(module: ModuleType) -> bool:
    """Whether another process finds the module's file."""
    return Path(str(module.__file__)).parent == _kept()


def _environment() -> bytes | None:
    try:
        return digest()
    except ChangedError:
        return None


def _kept() -> Path | None:
    """The directory for printed modules in the cache's, if the cache is wanted and is the user's alone."""
    above = place() if is_on() else None
    if above is None or Directory(above).problem:
        return None
    path = above / "numba"
    return None if Directory(path).problem else path


@once
def _own() -> Path:
    """A directory that goes when the process does."""
    path = tempfile.mkdtemp(prefix="adcore-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def _written(directory: Path, name: str, text: str) -> Path:
    """The file of a module: as it is, since Numba goes by its time, or written at once."""
    path = directory / f"{name}.py"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return path
    handle, part = tempfile.mkstemp(dir=directory, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)
    return path


def _imported(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

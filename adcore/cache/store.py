"""What is on disk under which key, and what came of it in this process."""

from __future__ import annotations

import json
import os
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from .environment import ChangedError, digest, look
from .files import Directory, place, size_limit

__all__ = [
    "COUNTS",
    "Counts",
    "clear",
    "directory",
    "examine",
    "is_on",
    "key_of",
    "listed",
    "prepare",
    "read",
    "support",
    "write",
]

_LENGTH = struct.Struct("<Q")
OFF = ("0", "off", "no", "false")


@dataclass
class Counts:
    """What the cache did in this process.

    Attributes:
        served: programs that were loaded.
        stored: those that were compiled and written.
        refused: why others were compiled and not written.
    """

    served: int = 0
    stored: int = 0
    refused: list[str] = field(default_factory=list)


COUNTS = Counts()


def is_on() -> bool:
    """Whether the cache is wanted: `ADCORE_CACHE=0` says that it is not."""
    return os.environ.get("ADCORE_CACHE", "").strip().lower() not in OFF


def directory() -> Directory | None:
    """The directory of the cache, if it is wanted and can be used; says once if somebody else may have changed it."""
    path = place() if is_on() else None
    found = None if path is None else _checked(path)
    return None if found is None or found.problem else found


@cache
def _checked(path: Path) -> Directory:
    found = Directory(path)
    if found.is_suspect:
        warnings.warn(f"adcore compiles without its cache: {found.problem}", RuntimeWarning, stacklevel=2)
    return found


def prepare() -> None:
    """Look at sources and versions, so that the first call need not."""
    if is_on():
        look()


def key_of(*parts: bytes) -> str:
    """The name of a file: a digest of the parts, of all sources, versions and the machine.

    Raises:
        ChangedError: the sources of adcore were changed since it was imported.
    """
    found = blake2b(digest(), digest_size=20)
    for part in parts:
        found.update(_LENGTH.pack(len(part)) + part)
    return found.hexdigest()


def read(key: str) -> tuple[Any, bytes] | None:
    """What was written under a key: a plain value, and code."""
    found = directory()
    text = None if found is None else found.read(key)
    return None if text is None else _taken_apart(text)[1:]


def _taken_apart(text: bytes) -> tuple[str, Any, bytes]:
    (length,) = _LENGTH.unpack_from(text)
    middle = _LENGTH.size + length
    title, plain = json.loads(text[_LENGTH.size : middle])
    return title, plain, text[middle:]


def write(key: str, title: str, plain: Any, code: bytes = b"") -> bool:
    """Put a plain value and code under a key, with a title for people; gives whether that was possible."""
    found = directory()
    if found is None:
        return False
    head = json.dumps([title, plain], separators=(",", ":")).encode()
    text = b"".join((_LENGTH.pack(len(head)), head, code))
    limit = size_limit()
    if len(text) > limit:
        return False
    try:
        found.write(key, text)
        found.keep_to(limit)
    except OSError as error:  # a full disk, say: what was compiled is there all the same
        COUNTS.refused.append(f"{error.strerror or error} ({found.path})")
        return False
    return True


def support(name: str, make: Callable[[], tuple[bytes, Any]]) -> tuple[bytes, Any]:
    """Code and a plain value that are the same for all programs, under a name: from the disk, or made and written."""
    try:
        key = key_of(b"support", name.encode()) if directory() is not None else ""
    except ChangedError:
        key = ""
    found = read(key) if key else None
    if found is not None:
        plain, code = found
        return code, plain
    code, plain = make()
    if key:
        write(key, f"adcore: {name}", plain, code)
    return code, plain


def examine() -> dict[str, Any]:
    """What `adcore cache` shows, as plain values; nothing is made."""
    path = place()
    found = None if path is None else Directory(path, make=False)
    problem = "there is no directory for it: set ADCORE_CACHE_DIR" if found is None else found.problem
    files = [] if found is None or problem else found.files()
    return {
        "directory": None if path is None else str(path),
        "on": is_on(),
        "problem": problem or ("" if is_on() else "turned off by ADCORE_CACHE"),
        "entries": len(files),
        "bytes": sum(f.bytes for f in files),
        "limit": size_limit(),
    }


def listed() -> list[dict[str, Any]]:
    """The entries by what they belong to, those used last at the end; what cannot be read is left out."""
    path = place()
    found = None if path is None else Directory(path, make=False)
    rows: list[dict[str, Any]] = []
    for file in [] if found is None or found.problem else found.files():
        text = found.read(file.key, use=False) if found is not None else None
        if text is not None:
            used = datetime.fromtimestamp(file.used).isoformat(" ", "seconds")
            rows.append({"title": _taken_apart(text)[0], "bytes": file.bytes, "used": used})
    return rows


def clear() -> int:
    """Drop all entries, and give how many there were.

    Raises:
        OSError: the directory belongs to somebody else, or a file cannot be removed.
    """
    path = place()
    found = None if path is None else Directory(path, make=False)
    if found is not None and found.problem:
        raise PermissionError(found.problem)
    return 0 if found is None else found.clear()

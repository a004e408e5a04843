"""The directory of the cache: files that are written at once, read by their owner only, and dropped when it is full."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

__all__ = ["LIMIT", "Directory", "place", "size_limit"]

LIMIT = 256 << 20  # bytes
ROOM = 0.9  # of the limit, which is left in use when files are dropped
OFTEN = 0.05  # of the limit, after which files are counted again
ABANDONED = 3600  # seconds after which a file that was never finished is nobody's
MAGIC = b"adcore-cache-1\n"
ENDING, UNFINISHED = ".adcore", ".part"
DIGEST = 20
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def place() -> Path | None:
    """Where the cache is: `ADCORE_CACHE_DIR`, or a directory of the user's as the system has them; None without one."""
    given = os.environ.get("ADCORE_CACHE_DIR")
    if given:
        return Path(given)
    if sys.platform == "win32":
        above = os.environ.get("LOCALAPPDATA")
        return Path(above) / "adcore" / "cache" if above else None
    above = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(above):
        return Path(above) / "adcore"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "adcore"


def size_limit() -> int:
    """`ADCORE_CACHE_SIZE` in bytes, with K, M or G in units of 1024; 256M where it is not set or says nothing."""
    text = os.environ.get("ADCORE_CACHE_SIZE", "").strip().upper().removesuffix("B")
    number, unit = text.rstrip("KMG"), text[len(text.rstrip("KMG")) :]
    return int(number) * _UNITS[unit] if number.isdecimal() and unit in _UNITS else LIMIT


@dataclass(frozen=True)
class File:
    """A file of the cache.

    Attributes:
        used: when it was written or read last, in seconds since the epoch.
    """

    path: str
    bytes: int
    used: float

    @property
    def key(self) -> str:
        return os.path.basename(self.path).removesuffix(ENDING)


class Directory:
    """A directory that nobody but the user can change.

    Attributes:
        problem: why it cannot be used, empty where it can.
        is_suspect: whether the reason is that somebody else may have changed it.
    """

    def __init__(self, path: Path, make: bool = True) -> None:
        self.path = path
        self.problem = ""
        self.is_suspect = False
        self._unseen: int | None = None  # bytes that were written since all files were counted
        try:
            found = _status(path, make)
            if found is not None:
                self._check(found)
        except OSError as error:
            self.problem = f"{error.strerror or error} ({path})"

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISDIR(found.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no directory"
            self.problem, self.is_suspect = f"{self.path} is {kind}", True
        elif not _is_ours(found):
            self.problem, self.is_suspect = f"{self.path} belongs to another user, or others may write into it", True

    def read(self, key: str, use: bool = True) -> bytes | None:
        """What was written under a key, if it is whole and the user's own; a file that is not is removed."""
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            text = file.read() if stat.S_ISREG(found.st_mode) and _is_ours(found) else b""
        head = len(MAGIC) + DIGEST
        if text[:head] != MAGIC + _digest(key, text[head:]):
            self.remove(key)
            return None
        if use:
            with suppress(OSError):
                os.utime(path)
        return text[head:]

    def write(self, key: str, text: bytes) -> None:
        """Put this under a key; whoever reads sees what was there or all of it.

        Raises:
            OSError: it could not be written.
        """
        descriptor, path = tempfile.mkstemp(UNFINISHED, dir=self.path)
        try:
            with open(descriptor, "wb") as file:
                file.write(MAGIC + _digest(key, text) + text)
            os.replace(path, self._path(key))
            self._unseen = None if self._unseen is None else self._unseen + len(text)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise

    def remove(self, key: str) -> None:
        with suppress(OSError):
            os.unlink(self._path(key))

    def files(self) -> list[File]:
        """All entries, those used last at the end."""
        return sorted(self._scan(ENDING), key=lambda f: f.used)

    def keep_to(self, limit: int) -> None:
        """Drop what was used longest ago, if there is more than so many bytes, and what was never finished.

        The files are counted at first, and then each time that a part of the limit has been written.
        """
        if self._unseen is not None and self._unseen < OFTEN * limit:
            return
        self._unseen = 0
        files = self.files()
        total = sum(f.bytes for f in files)
        drop = [f for f in self._scan(UNFINISHED) if f.used < time.time() - ABANDONED]
        if total > limit:
            for file in files:
                drop.append(file)
                total -= file.bytes
                if total <= ROOM * limit:
                    break
        for file in drop:
            with suppress(OSError):
                os.unlink(file.path)

    def clear(self) -> int:
        """Drop all entries, and give how many there were."""
        files = [*self.files(), *self._scan(UNFINISHED)]
        for file in files:
            with suppress(FileNotFoundError):
                os.unlink(file.path)
        return len(files)

    def _scan(self, ending: str) -> list[File]:
        found: list[File] = []
        if not self.path.exists():
            return found
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.endswith(ending):
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        found.append(File(entry.path, status.st_size, status.st_mtime))
        return found

    def _path(self, key: str) -> str:
        return os.path.join(self.path, key + ENDING)


def _status(path: Path, make: bool) -> os.stat_result | None:
    """That of the directory, which is made if it is not there."""
    with suppress(FileNotFoundError):
        return os.lstat(path)
    if not make:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    return os.lstat(path)


def _digest(key: str, text: bytes) -> bytes:
    found = blake2b(key.encode(), digest_size=DIGEST)
    found.update(text)
    return found.digest()


def _is_ours(found: os.stat_result) -> bool:
    """Whether a file belongs to the user, and no one else may write it."""
    if not hasattr(os, "geteuid"):
        return True  # a system where permissions are inherited from the user's own directory
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

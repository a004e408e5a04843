"""Compiled functions out of pickles: the same pickle gives the same function, so that a process compiles it once."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from hashlib import blake2b
from typing import Any, NoReturn

from ..errors import PickleError
from .by_source import BySource

__all__ = ["restored"]

THINGS, BYTES = 64, 1 << 28  # of pickles whose functions are kept

_kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
_lock = threading.Lock()


class Failed(BySource):
    """A function that could not be loaded, as a call of it says.

    Whoever hands functions on, as a cluster of Dask's does, learns of it by a task that fails: an error from loading
    would cut the connection of a worker, and say nothing to those who wait.
    """

    def __init__(self, cause: str, write: str, error: Exception | None = None) -> None:
        self._cause = cause
        self._write = write
        self._error = error

    def made_from(self) -> tuple[Any, ...]:
        return self._cause, self._write

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise PickleError(self._cause, write=self._write) from self._error

    def __adcore_lower__(self, _: Any) -> Any:
        self()


def restored(version: str, changes: bool, data: bytes, *buffers: Any) -> Any:
    """What was pickled; where it cannot be loaded, what says so when it is called.

    Args:
        version: of the adcore that pickled it.
        changes: whether each load must give another one, since a call changes something in it.
        data: the pickle.
        *buffers: the memory of arrays in it.
    """
    from .. import __version__

    if version != __version__:
        cause = f"this function was pickled by adcore {version}, and adcore {__version__} has loaded it"
        return Failed(cause, "one version of adcore in both processes")
    key = b"" if changes else _digest(data, buffers)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key][0]
    try:
        made = pickle.loads(data, buffers=buffers)
    except Exception as error:  # whatever making an object of the user's raises
        cause = f"this function could not be loaded from its pickle: {type(error).__name__}: {error}"
        return Failed(cause, "the same packages and modules in both processes", error)
    return made if changes else _keep(key, made, len(data) + sum(memoryview(b).nbytes for b in buffers))


def _keep(key: bytes, made: Any, size: int) -> Any:
    with _lock:
        made, _ = _kept.setdefault(key, (made, size))  # another thread may have been faster
        while len(_kept) > THINGS or (len(_kept) > 1 and sum(n for _, n in _kept.values()) > BYTES):
            _kept.popitem(last=False)
    return made


def _digest(data: bytes, buffers: tuple[Any, ...]) -> bytes:
    found = blake2b(data, digest_size=20)
    for buffer in buffers:
        found.update(memoryview(buffer).cast("B"))
    return found.digest()

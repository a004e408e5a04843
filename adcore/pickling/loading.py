"""Compiled functions out of pickles: the same pickle gives the same function, so that a process compiles it once."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from hashlib import blake2b
from typing import Any

from ..errors import PickleError

__all__ = ["restored"]

THINGS, BYTES = 64, 1 << 28  # of pickles whose functions are kept

_kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
_lock = threading.Lock()


def restored(version: str, changes: bool, data: bytes, *buffers: Any) -> Any:
    """What was pickled.

    Args:
        version: of the adcore that pickled it.
        changes: whether a call changes something in it, so that each load must give another one.
        data: the pickle.
        *buffers: the memory of arrays in it.

    Raises:
        PickleError: this process has another version of adcore.
    """
    from .. import __version__

    if version != __version__:
        raise PickleError(
            f"this function was pickled by adcore {version}, and adcore {__version__} loads it",
            write="the same version of adcore in both processes",
        )
    if changes:
        return pickle.loads(data, buffers=buffers)
    key = _digest(data, buffers)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key][0]
    made = pickle.loads(data, buffers=buffers)
    size = len(data) + sum(memoryview(b).nbytes for b in buffers)
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

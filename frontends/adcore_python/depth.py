"""Room on Python's stack: lowering uses some thirty frames of Python for each call that it follows.

The limit is one for all threads, so that one thread lowers at a time.  The user's own code, which runs where an
attribute is read, has as much room as without us: a `__getattr__` that calls itself uses C's stack, which is short.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["deep_recursion", "shallow_recursion"]

FRAMES = 5_000
_lock = threading.RLock()
_before: list[int] = []


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise Python's recursion limit while the block runs."""
    with _lock:
        _before.append(sys.getrecursionlimit())
        if len(_before) == 1:
            sys.setrecursionlimit(_before[0] + FRAMES)
        try:
            yield
        finally:
            sys.setrecursionlimit(_before.pop())


@contextmanager
def shallow_recursion() -> Iterator[None]:
    """Give the block, inside `deep_recursion`, half of Python's usual room."""
    limit, usual = sys.getrecursionlimit(), _before[0] if _before else sys.getrecursionlimit()
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(min(limit, max(usual, depth + usual // 2)))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)

"""Functions that run once for their arguments, whichever thread comes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, TypeVar

__all__ = ["once"]

T = TypeVar("T")


def once(function: Callable[..., T]) -> Callable[..., T]:
    """The function, run once for each arguments; threads that come meanwhile wait for what it gives.

    `functools.cache` lets several threads run it at once, and keeps what one of them was given: the others hold
    something of which there should be one, or lose what they alone refer to.

    >>> table = once(lambda name: [name])
    >>> table("x") is table("x")
    True
    """
    known: dict[tuple[Any, ...], T] = {}
    lock = RLock()

    @wraps(function)
    def found(*arguments: Any) -> T:
        try:
            return known[arguments]
        except KeyError:
            pass
        with lock:
            if arguments not in known:
                known[arguments] = function(*arguments)
            return known[arguments]

    return found

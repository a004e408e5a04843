"""The names of ours that compiled code calls functions by, and how each comes to be known.

A symbol is registered by a provider, a function of strings, numbers and booleans: called with the same ones in another
process, it registers the same symbol there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, wraps
from threading import RLock
from typing import Any, TypeVar

import llvmlite.binding as llvm

__all__ = ["Needs", "needs_of", "note", "provide", "provider", "register"]

Needs = list[list[Any]]  # the names of providers, each with its arguments

T = TypeVar("T")

_lock = RLock()  # one provider may need another one
_providers: dict[str, Callable[..., Any]] = {}
_known: dict[str, tuple[Any, ...]] = {}


def provider(name: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Have `provide` call the function where a provider of this name is needed; it runs once for its arguments."""

    def noted(function: Callable[..., T]) -> Callable[..., T]:
        known = cache(function)

        @wraps(function)
        def alone(*arguments: Any) -> T:
            with _lock:
                return known(*arguments)

        _providers[name] = alone
        return alone

    return noted


def register(symbol: str, address: int, *source: Any) -> None:
    """Let compiled code find a function or variable; `source` is the provider that does this, and its arguments.

    What has none can be found in this process alone.
    """
    llvm.add_symbol(symbol, address)
    if source:
        note(symbol, *source)


def note(symbol: str, *source: Any) -> None:
    """Note of a symbol that can be found already which provider sees to that."""
    _known[symbol] = source


def needs_of(symbols: Iterable[str]) -> Needs:
    """The providers of those symbols that have one."""
    return [list(source) for source in dict.fromkeys(_known[s] for s in symbols if s in _known)]


def provide(needs: Needs) -> None:
    """Let compiled code find what it needs."""
    for name, *arguments in needs:
        _providers[name](*arguments)

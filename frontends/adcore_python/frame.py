"""One call of one Python function that is being lowered: its names and where control stands in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from .liveness import live_before, reads_of
from .source import Code
from .values import Array, Buffer, Derived, Dict, Iteration, List, LocalFunction, Maybe, Partial, Tuple, Value

__all__ = ["Frame", "buffers_of"]


class Frame:
    """Names bound by the function, and for every name outside, where Python would look it up.

    Attributes:
        code: the function's syntax tree.
        python: the function object whose cells and globals hold the names that are not its own.
        enclosing: the frame of the function that this one is defined in, where that is being lowered too.
        path: the calls that led here; the same call in the same context has the same path.
        escaping: names that inner functions read, live until the end.
    """

    def __init__(
        self, code: Code, python: FunctionType, enclosing: Frame | None, path: tuple[Any, ...], escaping: frozenset[str]
    ) -> None:
        self.code = code
        self.python = python
        self.enclosing = enclosing
        self.path = path
        self.escaping = escaping
        self.names: dict[str, Value] = {}
        self.bound: frozenset[str] = frozenset()
        self.statements: Sequence[ast.stmt] = ()
        self.position = 0
        self.after: frozenset[str] = frozenset()
        self.loops: list[Any] = []
        self.pinned: list[Any] = []
        self.call_sites: list[int] = []

    def live(self, during: bool) -> frozenset[str]:
        """Names still needed after the present statement, or (during) those that it reads as well."""
        found = live_before(self.statements[self.position + 1 :], self.after) | self.escaping
        if during and self.position < len(self.statements):
            found |= reads_of(self.statements[self.position])
        return found

    def entered(self) -> tuple[int, int, int]:
        """How deep in loops and calls control is, for coming back here after an error."""
        return len(self.loops), len(self.pinned), len(self.call_sites)

    def leave(self, entered: tuple[int, int, int]) -> None:
        for held, depth in zip((self.loops, self.pinned, self.call_sites), entered, strict=True):
            del held[depth:]

    def names_of(self, buffer: Buffer, during: bool) -> list[str]:
        """Live names through which the buffer can be reached."""
        live = self.live(during)
        found = [n for n, v in self.names.items() if n in live and buffer in buffers_of(v)]
        return found + [buffer.name for v in self.pinned if buffer in buffers_of(v)]


def buffers_of(value: Any, seen: frozenset[int] = frozenset()) -> set[Buffer]:
    """All buffers that a value refers to."""
    if isinstance(value, Array):
        return {value.buffer}
    if isinstance(value, Tuple | List):
        return {b for item in value.items for b in buffers_of(item, seen)}
    if isinstance(value, Dict):
        return {b for item in value.items.values() for b in buffers_of(item, seen)}
    if isinstance(value, Maybe):
        return buffers_of(value.value, seen)
    if isinstance(value, Iteration):
        return set(value.over)
    if isinstance(value, Derived):
        return buffers_of(value.function, seen)
    if isinstance(value, Partial):
        return {b for v in (value.function, *value.arguments, *value.keywords.values()) for b in buffers_of(v, seen)}
    if isinstance(value, LocalFunction) and id(value.frame) not in seen:
        inner = seen | {id(value.frame)}
        return {b for item in value.frame.names.values() for b in buffers_of(item, inner)}
    return set()

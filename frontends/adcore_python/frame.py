"""One call of one Python function that is being lowered: its names and where control stands in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from adcore.errors import Source

from .liveness import live_before, reads_of
from .memory import Memory
from .reach import reach
from .source import Code
from .values import Buffer, Identity, Value

__all__ = ["Frame"]


class Frame:
    """Names bound by the function, and for every name outside, where Python would look it up.

    Attributes:
        code: the function's syntax tree.
        python: the function object whose cells and globals hold the names that are not its own.
        enclosing: the frame of the function that this one is defined in, where that is being lowered too.
        path: the calls that led here; the same call in the same context has the same path.
        escaping: names that inner functions read, live until the end.
        rebinds: names of enclosing functions that this one rebinds, by `nonlocal`.
        first: the first argument, `self` in a method.
        shared: names of this function that inner ones rebind.
        standing: the one place of all that the function emits, where it is not the user's.
        origin: the frame itself, or the one of another lowering that it stands for.
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
        self.rebinds: frozenset[str] = frozenset()
        self.shared: frozenset[str] = frozenset()
        self.statements: Sequence[ast.stmt] = ()
        self.position = 0
        self.after: frozenset[str] = frozenset()
        self.loops: list[Any] = []
        self.pinned: list[Any] = []
        self.first: Any = None
        self.call_sites: list[int] = []
        self.standing: Source | None = None
        self.origin = self

    def source(self, node: Any) -> Source:
        """The place of a node, in the user's file."""
        return self.standing or self.code.source(node)

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

    def names_of(self, wanted: Buffer | Identity, during: bool, memory: Memory) -> list[str]:
        """Live names, and the places in them, through which a buffer or identity can be reached."""
        live = self.live(during)
        found = [
            place
            for name, value in self.names.items()
            if name in live
            for place, reached in reach(memory, value, name)
            if reached is wanted
        ]
        return found + [wanted.name for v in self.pinned for _, reached in reach(memory, v) if reached is wanted]

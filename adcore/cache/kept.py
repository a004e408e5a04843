"""Specialisations on disk.

Two steps lead to one.  The first key is of the function's surroundings, in which numbers and arrays that are held by a
name count by their types only.  Under it stands which of them the program reads at every call; the others count by
their values in the second key, under which the program is.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..errors import AdcoreError
from ..plugins import Entry, Lowered, Portable, backend
from ..program import Program
from .environment import ChangedError, require_unchanged
from .plain import from_plain, to_plain
from .store import COUNTS, directory, key_of, read, write
from .world import BYTES, UnstorableError, World, digest_of

__all__ = ["Kept", "unrepeatable"]

_unrepeatable: ContextVar[list[str] | None] = ContextVar("adcore_unrepeatable", default=None)
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, ImportError)  # what reading an entry may raise
SETS = 8  # of variables that are read at every call, that stand under one first key


def unrepeatable(cause: str) -> None:
    """Say that the program being made depends on something that another process cannot compare."""
    found = _unrepeatable.get()
    if found is not None:
        found.append(cause)


class Postponed(Program):
    """A program that is made when something of it is asked for."""

    def __init__(self, make: Callable[[], Program]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = self._make()
        for each in dataclasses.fields(Program):
            setattr(self, each.name, getattr(made, each.name))
        return getattr(self, name)


class Kept:
    """Where a specialisation is on disk, or will be.

    Attributes:
        lowered: what was found there.
        entry: its code, if it has any that takes the arguments themselves.
    """

    def __init__(self, title: str, lower: Callable[[], Lowered], *roots: Any) -> None:
        """Where that is which `lower` gives, and which depends on the roots and what can be reached from them.

        The title is for people.

        Raises:
            UnstorableError, ChangedError: it cannot be known from what happens in another process.
        """
        self._title = title
        self._lower = lower
        self._roots = roots
        self._key = ""
        self._captured: list[int] = []  # the slots that the program reads at every call
        self._world: World | None = World(*roots)  # until it is known what came of it: it holds arrays of the user's
        self._digest = self._world.digest()
        self._first = key_of(b"first", self._digest)
        self._plain: Any = None
        self.lowered: Lowered | None = None
        self.entry: Entry | None = None

    @classmethod
    def of(cls, title: str, lower: Callable[[], Lowered], *roots: Any) -> Kept | None:
        """As the class itself; None where there is no cache or the function cannot be kept."""
        if directory() is None:
            return None
        try:
            return cls(title, lower, *roots)
        except (UnstorableError, ChangedError) as error:
            COUNTS.refused.append(str(error))
            return None

    # From the disk

    def load(self, name: str) -> bool:
        """Look for it on the disk; gives whether it was there."""
        world = self._world
        assert world is not None
        found = read(self._first)
        for captured in [] if found is None else found[0]:
            try:
                key = self._second(world, captured)
                text = read(key)
                if text is not None:
                    self._key, self._captured = key, captured
                    self._restore(world, *text, name)
                    COUNTS.served += 1
                    self._world = None
                    return True
            except UnstorableError:
                continue
            except UNREADABLE as error:
                self._key, self._captured = "", []
                COUNTS.refused.append(f"an entry that cannot be read: {error!r}")
        return False

    def _restore(self, world: World, plain: Any, code: bytes, name: str) -> None:
        places = iter(range(2))
        again = functools.cache(self._lowered_again)
        lowered = from_plain(plain[0], world, lambda: Postponed(_nth(again, next(places))))
        if plain[1] is not None:
            self.entry = _restored(world, plain[1], code, name)
        self._plain, self.lowered = plain[0], lowered

    def _lowered_again(self) -> Lowered:
        """The function lowered in this process as well.

        Raises:
            AdcoreError: the function is another one by now.
        """
        changed = AdcoreError("the function depends on something that has changed since it was called first")
        try:
            world = World(*self._roots)
            if world.digest() != self._digest or self._second(world, self._captured) != self._key:
                raise changed
            lowered = self._lower()
            if to_plain(lowered, world) != self._plain:
                raise changed
        except UnstorableError:
            raise changed from None
        return lowered

    # To the disk

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A context in which the function is lowered."""
        token = _unrepeatable.set([])
        try:
            yield
            causes = _unrepeatable.get()
        finally:
            _unrepeatable.reset(token)
        if causes:
            self._refuse(causes[0])

    def _refuse(self, cause: str) -> None:
        COUNTS.refused.append(cause)
        self._first = ""
        self._world = None

    def store(self, lowered: Lowered, entry: Entry | None) -> None:
        """Write what was compiled."""
        if not self._first:
            return
        try:
            require_unchanged()
            before, world = self._world, World(*self._roots)
            captured = sorted(_captured(world, lowered))
            key = self._second(world, captured)
            if before is None or world.digest() != self._digest or key != self._second(before, captured):
                raise UnstorableError("something that changed while the function was compiled")
            plain = to_plain(lowered, world)
            rest, code = (None, b"") if entry is None else _parts(entry, world)
        except (UnstorableError, ChangedError) as error:
            self._refuse(str(error))
            return
        self._world, self._key, self._plain = None, key, plain
        found = read(self._first)
        sets = [] if found is None else [s for s in found[0] if s != captured]
        written = write(key, self._title, [plain, rest], code)
        written = written and write(self._first, f"{self._title} (index)", [captured, *sets][:SETS])
        COUNTS.stored += written

    def part(self, name: str, title: str, make: Callable[[], Entry]) -> Entry:
        """Another part of the specialisation's code: from the disk, or made and written."""
        if not self._key:
            return make()
        key = key_of(self._key.encode(), name.encode())
        try:
            world = World(*self._roots)
            if world.digest() != self._digest:
                raise UnstorableError("something that changed since the first call")
        except UnstorableError as error:
            COUNTS.refused.append(str(error))
            return make()
        found = read(key)
        if found is not None:
            try:
                return _restored(world, *found, title)
            except UNREADABLE as error:
                COUNTS.refused.append(f"an entry that cannot be read: {error!r}")
        made = make()
        try:
            write(key, f"{self._title} ({name})", *_parts(made, world))
        except UnstorableError as error:
            COUNTS.refused.append(str(error))
        return made

    def _second(self, world: World, captured: list[int]) -> str:
        """The key of the program that reads these slots at every call."""
        values = [s.value for k, s in enumerate(world.slots) if k not in captured]
        if sum(getattr(v, "nbytes", 0) for v in values) > BYTES:
            raise UnstorableError(f"arrays of more than {BYTES} bytes that are not read at every call")
        others = [digest_of(v) for v in values]
        return key_of(b"second", self._first.encode(), struct.pack(f"<{len(captured)}q", *captured), *others)


def _captured(world: World, lowered: Lowered) -> set[int]:
    """The slots that a program reads at every call."""
    found = (world.slot(capture.owner, capture.name) for capture in lowered.captures)
    return {k for k in found if k is not None}


def _restored(world: World, rest: Any, code: bytes, name: str) -> Entry:
    entry = backend().restored(Portable(code, from_plain(rest, world)), name)
    entry.portable = None  # it is on disk
    return entry


def _parts(entry: Entry, world: World) -> tuple[Any, bytes]:
    portable, entry.portable = entry.portable, None  # which nobody needs from here
    if portable is None:
        raise UnstorableError("a program that was compiled without a cache")
    return to_plain(portable.rest, world), portable.code


def _nth(lower: Callable[[], Lowered], n: int) -> Callable[[], Program]:
    def program() -> Program:
        lowered = lower()
        values = (getattr(lowered, f.name) for f in dataclasses.fields(lowered))
        return [v for v in values if isinstance(v, Program)][n]

    return program

"""What each buffer holds now, and which buffers may be the same memory.

The contents of a buffer are an immutable value of the Program; a write replaces it.  Regions nest: a loop's region
sees what was written outside through parameters of its own, made when a buffer is first touched there, so that the
buffers a loop carries are exactly those its body writes.
"""

from __future__ import annotations

from adcore.builder import Builder
from adcore.errors import CompileError, Source
from adcore.program import Equation, regions
from adcore.types import Atom, Var

from .values import Buffer

__all__ = ["Memory", "Scope", "replace"]


class Scope:
    """A region under construction.

    Attributes:
        builder: where its equations go.
        values: contents of buffers as seen in it; those of other buffers are as in the parent.
        entries: for a loop, the parameter through which a buffer is seen, and its contents outside.
        written: buffers that have been written in it, and where.
        checked: indices and lengths that have been compared already.
        places: masks whose places have been found already.
    """

    def __init__(self, parent: Scope | None, builder: Builder, loop: bool = False) -> None:
        self.parent = parent
        self.builder = builder
        self.loop = loop
        self.values: dict[Buffer, Atom] = {}
        self.entries: dict[Buffer, tuple[Var, Atom]] = {}
        self.written: dict[Buffer, Source | None] = {}
        self.checked: set[tuple[Atom, Atom]] = set()
        self.places: dict[Atom, tuple[Atom, ...]] = {}

    def changed(self, buffer: Buffer) -> bool:
        """Whether a buffer from outside holds something else at the region's end."""
        entry = self.entries.get(buffer)
        return buffer in self.values and (entry is None or self.values[buffer] is not entry[0])


    def has_checked(self, index: Atom, length: Atom) -> bool:
        """Whether an index has been compared with a length, here or around."""
        scope: Scope | None = self
        while scope is not None:
            if (index, length) in scope.checked:
                return True
            scope = scope.parent
        return False

    def places_of(self, mask: Atom) -> tuple[Atom, ...] | None:
        """The places of a mask, if they have been found here or around."""
        scope: Scope | None = self
        while scope is not None:
            if mask in scope.places:
                return scope.places[mask]
            scope = scope.parent
        return None


class Memory:
    def __init__(self, builder: Builder) -> None:
        self.root = self.scope = Scope(None, builder)
        self.marks: dict[Buffer, set[Buffer]] = {}

    def fresh(self, contents: Atom, name: str = "") -> Buffer:
        """A new buffer that shares memory with no other."""
        buffer = Buffer(name)
        self.scope.values[buffer] = contents
        return buffer

    def read(self, buffer: Buffer, scope: Scope | None = None) -> Atom:
        """The buffer's contents in the current region."""
        scope = scope or self.scope
        found = scope.values.get(buffer)
        if found is not None:
            return found
        if scope.parent is None:
            raise CompileError(f"array {buffer.name!r} is used outside the region that it was made in")
        found = self.read(buffer, scope.parent)
        if scope.loop:
            param = Var(found.type, buffer.name or "a")
            scope.entries[buffer] = (param, found)
            scope.values[buffer] = param
            return param
        return found

    def write(self, buffer: Buffer, contents: Atom, source: Source | None) -> None:
        if self.scope.loop:
            self.read(buffer)
        self.scope.values[buffer] = contents
        touched = {buffer, *self.marks.get(buffer, ())}
        scope: Scope | None = self.scope
        while scope is not None:
            for each in touched:
                scope.written.setdefault(each, source)
            scope = scope.parent

    def outer(self, scope: Scope, buffer: Buffer) -> bool:
        """Whether a buffer exists outside a region."""
        outside = scope.parent
        while outside is not None:
            if buffer in outside.values:
                return True
            outside = outside.parent
        return False

    def may_share(self, one: Buffer, other: Buffer) -> bool:
        """Whether two buffers may be the same memory."""
        return one is other or other in self.marks.get(one, ())

    def mark(self, one: Buffer, other: Buffer) -> None:
        if one is not other:
            self.marks.setdefault(one, set()).add(other)
            self.marks.setdefault(other, set()).add(one)

    def relate(self, made: list[tuple[Buffer, tuple[Buffer, ...]]]) -> None:
        """Mark new buffers, each of which is one of its sources: the first of all, or the second of all, and so on.

        Two of them may be the same memory where, for some place, their sources at that place may be.
        """
        pairs = [
            (one, other)
            for k, (one, mine) in enumerate(made)
            for other, theirs in made[:k]
            if any(self.may_share(a, c) for a, c in zip(mine, theirs, strict=True))
        ]
        pairs += [(one, x) for one, sources in made for s in sources for x in (s, *self.marks.get(s, ()))]
        for one, other in pairs:
            self.mark(one, other)


def replace(equations: list[Equation], env: dict[Var, Atom]) -> None:
    """Rewrite, in place, what the equations and their regions read."""
    if not env:
        return
    for equation in equations:
        if any(a in env for a in equation.operands if isinstance(a, Var)):
            equation.operands = tuple(env.get(a, a) if isinstance(a, Var) else a for a in equation.operands)
        for _, region in regions(equation):
            replace(region.equations, env)
            region.results = tuple(env.get(a, a) if isinstance(a, Var) else a for a in region.results)

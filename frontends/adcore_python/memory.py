"""What each buffer and each list, dict and object holds now, and which of them may be the same.

The contents of a buffer are an immutable value of the Program; a write replaces it.  Regions nest: a loop's region
sees what was written outside through parameters of its own, made when a buffer is first touched there, so that the
buffers a loop carries are exactly those its body writes.

The contents of a list, dict or object are immutable too, and a change replaces them in the present region.  Where two
regions meet, and where a loop begins again, they are joined and carried as the values of names are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from adcore.builder import Builder
from adcore.errors import CompileError, Source
from adcore.program import Equation, regions
from adcore.types import Atom, Var

from .values import Buffer, Contents, Dict, Fields, Identity, List, Poison, Record, Tuple, Value

__all__ = ["Memory", "Scope", "replace"]


class Scope:
    """A region under construction.

    Attributes:
        builder: where its equations go.
        values: contents of buffers as seen in it; those of other buffers are as in the parent.
        objects: contents of lists, dicts and objects as seen in it.
        entries: for a loop, the parameter through which a buffer is seen, and its contents outside.
        written: buffers and identities that have been changed in it, and where.
        checked: indices and lengths that have been compared already.
        places: masks whose places have been found already.
    """

    def __init__(self, parent: Scope | None, builder: Builder, loop: bool = False) -> None:
        self.parent = parent
        self.builder = builder
        self.loop = loop
        self.values: dict[Buffer, Atom] = {}
        self.entries: dict[Buffer, tuple[Var, Atom]] = {}
        self.objects: dict[Identity, Contents] = {}
        self.written: dict[Buffer | Identity, Source | None] = {}
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
    """All regions and what is known of sharing.

    Attributes:
        root, scope: the outermost region, and the one under construction.
        marks: for each buffer and identity those that it may be the same as.
        made: how many identities each place has made.
        context: gives the calls that led to what is being lowered.
    """

    def __init__(self, builder: Builder) -> None:
        self.root = self.scope = Scope(None, builder)
        self.doubtful: dict[Any, Source | None] = {}  # what a write may or may not have changed, and where
        self.marks: dict[Any, set[Any]] = {}
        self.made: Counter[Any] = Counter()
        self.context: Callable[[], Any] = tuple

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
        self._touched(buffer, source)

    def _touched(self, changed: Buffer | Identity, source: Source | None) -> None:
        scope: Scope | None = self.scope
        while scope is not None:
            for each in (changed, *self.marks.get(changed, ())):
                scope.written.setdefault(each, source)
            scope = scope.parent
        for other in self.marks.get(changed, ()):
            self.doubtful.setdefault(other, source)

    def outer(self, scope: Scope, known: Buffer | Identity) -> bool:
        """Whether a buffer or identity exists outside a region."""
        outside = scope.parent
        while outside is not None:
            if known in outside.values or known in outside.objects:
                return True
            outside = outside.parent
        return False

    # Lists, dicts and objects

    def identity(self, contents: Contents, name: str = "", outside: str = "") -> Identity:
        """A new identity with these contents."""
        origin = (self.scope.builder.source, self.context())
        self.made[origin] += 1
        made = Identity(name, outside, (origin, self.made[origin]))
        self.scope.objects[made] = contents
        return made

    def identities(self, scope: Scope | None) -> dict[Any, Identity]:
        """The identities that exist in a region and outside of it, by their keys."""
        found: dict[Any, Identity] = {}
        while scope is not None:
            found = {**{each.key: each for each in scope.objects}, **found}
            scope = scope.parent
        return found

    def new_list(self, items: Iterable[Value], name: str = "") -> List:
        return List(self.identity(Tuple(tuple(items)), name))

    def new_dict(self, items: dict[Any, Value], name: str = "") -> Dict:
        return Dict(self.identity(Fields(items), name))

    def new_record(self, kind: type, fields: dict[str, Value], name: str = "") -> Record:
        return Record(self.identity(Fields(fields), name), kind)

    def contents(self, identity: Identity, scope: Scope | None = None) -> Contents:
        """What the list, dict or object holds in the current region."""
        found: Scope | None = scope or self.scope
        while found is not None:
            if identity in found.objects:
                return found.objects[identity]
            found = found.parent
        cause = f"{identity.name!r} is used outside the region that it was made in"
        return Poison(cause, "a list, dict or object made before")

    def change(self, identity: Identity, contents: Contents, source: Source | None) -> None:
        self.scope.objects[identity] = contents
        self._touched(identity, source)

    # Sharing

    def may_share(self, one: Any, other: Any) -> bool:
        """Whether two buffers may be the same memory, or two identities the same object."""
        return one is other or other in self.marks.get(one, ())

    def mark(self, one: Any, other: Any) -> None:
        if one is not other:
            self.marks.setdefault(one, set()).add(other)
            self.marks.setdefault(other, set()).add(one)

    def relate(self, made: list[tuple[Any, tuple[Any, ...]]]) -> None:
        """Mark what is new, each of which is one of its sources: the first of all, or the second of all, and so on.

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

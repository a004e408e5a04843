"""Arrays that a loop rebinds: whether names share memory from one iteration to the next, and after the loop.

A rebound name's array has a buffer of its own in the body, which stands for the name's memory on entry in the first
iteration, and for what the body leaves the name with in all later ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .memory import Memory, Scope
from .values import Buffer

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["check_sharing", "relate_results"]


def check_sharing(low: Lowering, carried: list[Any], scope: Scope, loop: Any) -> None:
    """Raise AliasError where the body writes what, in a later iteration, may be another name's memory."""
    memory = low.memory
    found = [(c.name, leaf) for c in carried for leaf in c.leaves if leaf.buffer is not None]
    for k, (name, leaf) in enumerate(found):
        for other_name, other in found[:k]:
            shared = memory.may_share(leaf.exit, other.exit) and not memory.may_share(leaf.entry, other.entry)
            needed = name in loop.before and other_name in loop.before
            if shared and needed:
                _conflict(low, scope, leaf.buffer, other.buffer)
        own = {leaf.entry, *memory.marks.get(leaf.entry, ())}
        for outside in _reach(memory, leaf, {f.buffer: f for _, f in found}) - own:
            if low.reaching(outside):
                _conflict(low, scope, leaf.buffer, outside)


def _conflict(low: Lowering, scope: Scope, one: Buffer, other: Buffer) -> None:
    for written, left in ((one, other), (other, one)):
        if written in scope.written:
            low.distinct(written, left, scope.written[written])


def _reach(memory: Memory, leaf: Any, inner: dict[Buffer, Any]) -> set[Buffer]:
    """The memory from outside the loop that a rebound name may have."""
    found: set[Buffer] = set()
    seen: set[Any] = set()
    stack = [leaf]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        found |= {each.entry, *memory.marks.get(each.entry, ())}
        for source in (each.exit, *memory.marks.get(each.exit, ())):
            if source in inner:
                stack.append(inner[source])
            else:
                found.add(source)
    return found - inner.keys()


def relate_results(memory: Memory, made: list[tuple[Any, Buffer]]) -> None:
    """Mark the arrays that a loop leaves with the memory that they may be."""
    inner = {leaf.buffer: leaf for leaf, _ in made}
    pairs: list[tuple[Buffer, Buffer]] = []
    for k, (leaf, buffer) in enumerate(made):
        pairs += [(buffer, source) for source in _reach(memory, leaf, inner)]
        for other, its_buffer in made[:k]:
            if memory.may_share(leaf.entry, other.entry) or memory.may_share(leaf.exit, other.exit):
                pairs.append((buffer, its_buffer))
    for one, other in pairs:
        memory.mark(one, other)

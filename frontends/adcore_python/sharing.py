"""What a loop rebinds: whether names share memory from one iteration to the next, and after the loop.

An array that is rebound has a buffer of its own in the body, which stands for the memory on entry in the first
iteration, and for what the body leaves in its place in all later ones.  Likewise with the identities of lists, dicts
and objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .memory import Memory, Scope

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["check_sharing", "relate_results"]


def check_sharing(low: Lowering, carried: list[Any], scope: Scope, loop: Any) -> None:
    """Raise AliasError where the body writes what, in a later iteration, may be another name's memory."""
    memory = low.memory
    found = [(c, leaf) for c in carried for leaf in c.moved]
    for k, (one, leaf) in enumerate(found):
        for two, other in found[:k]:
            shared = memory.may_share(leaf.exit, other.exit) and not memory.may_share(leaf.entry, other.entry)
            if shared and one.needed(loop) and two.needed(loop):
                _conflict(low, scope, leaf.buffer, other.buffer)
        own = {leaf.entry, *memory.marks.get(leaf.entry, ())}
        for outside in _reach(memory, leaf, {f.buffer: f for _, f in found}) - own:
            if leaf.buffer in scope.written:
                memory.doubtful.setdefault(outside, scope.written[leaf.buffer])
            if low.reaching(outside):
                _conflict(low, scope, leaf.buffer, outside)


def _conflict(low: Lowering, scope: Scope, one: Any, other: Any) -> None:
    for written, left in ((one, other), (other, one)):
        if written in scope.written:
            low.distinct(written, left, scope.written[written])


def _reach(memory: Memory, leaf: Any, inner: dict[Any, Any]) -> set[Any]:
    """The memory from outside the loop that a rebound name may have."""
    found: set[Any] = set()
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


def relate_results(memory: Memory, made: list[tuple[Any, Any]]) -> None:
    """Mark what a loop leaves with what it may be."""
    inner = {leaf.buffer: leaf for leaf, _ in made}
    pairs: list[tuple[Any, Any]] = []
    for k, (leaf, buffer) in enumerate(made):
        pairs += [(buffer, source) for source in _reach(memory, leaf, inner)]
        for other, its_buffer in made[:k]:
            if memory.may_share(leaf.entry, other.entry) or memory.may_share(leaf.exit, other.exit):
                pairs.append((buffer, its_buffer))
    for one, other in pairs:
        memory.mark(one, other)

"""Lists whose length is known at run time only: the items' numbers and arrays in the rows of stores that grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from adcore.recomputation import recompute
from adcore.storage import doubled
from adcore.types import Atom, Var, literal

from .carries import comparable, leaves, parts, rebuilt, snapshot, with_identity, with_parts
from .memory import Scope
from .operators import describe
from .promotion import join, promoted
from .reach import reach
from .refusals import NotConstantError
from .values import Array, Buffer, Growing, Scalar, Snapshot, Tuple, Value, number
from .views import indexed

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "appended",
    "common_item",
    "extended",
    "grown",
    "hoisted",
    "item_at",
    "item_of",
    "joined_item",
    "popped",
    "put_at",
    "repeated",
    "reserved",
    "rows",
]

RAGGED = "arrays in a list whose length is known at run time only have one shape, and an axis of {0} meets one of {1}"


def common_item(low: Lowering, values: Sequence[Value]) -> Value | None:
    """What stands for all these items, if they differ in numbers and arrays only."""
    if not values:
        return None
    items = [snapshot(low.memory, v, lambda _: True) for v in values]
    first = items[0]
    if any(not comparable(first, other) for other in items[1:]):
        return None
    return joined_item(items)


def joined_item(items: list[Any]) -> Value:
    """One item with the joined kinds of numbers of all."""
    first = items[0]
    if isinstance(first, Scalar):
        return Scalar(promoted(items).zero, all(i.python for i in items))
    if isinstance(first, Array):
        return Array(Buffer(), promoted(items), first.shape)
    pieces = [parts(i) for i in items]
    if not pieces[0]:
        return first
    return with_parts(first, [joined_item([p[k][1] for p in pieces]) for k in range(len(pieces[0]))])


def hoisted(low: Lowering, scope: Scope, item: Value, params: Iterable[Var] = ()) -> Value | None:
    """The item with the lengths of its arrays computed outside a region, if they do not depend on what it computes."""
    wanted = [n for _, leaf in leaves(item) if isinstance(leaf, Array) for n in leaf.shape if isinstance(n, Var)]
    equations = scope.builder.equations
    producers = {out: e for e in equations for out in e.outs}
    own = set(params)
    seen: set[Var] = set()
    stack = list(wanted)
    while stack:
        var = stack.pop()
        if var in seen:
            continue
        seen.add(var)
        if var in own:
            return None
        if var in producers:
            stack.extend(a for a in producers[var].operands if isinstance(a, Var))
            if any(name for name in producers[var].params if name in ("body", "then", "test")):
                return None
    copies, env = recompute(equations, [v for v in wanted if v in producers], {})
    assert scope.parent is not None
    with low.inside(scope.parent):
        low.b.adopt(copies)
    new = {
        path: Array(leaf.buffer, leaf.dtype, tuple(env.get(n, n) if isinstance(n, Var) else n for n in leaf.shape))
        for path, leaf in leaves(item)
        if isinstance(leaf, Array)
    }
    return rebuilt(item, new, lambda _, again, __: again)


def item_of(contents: Growing) -> Value:
    """An item like those of the list, its arrays with the shape of the stores' rows."""
    found = zip(leaves(contents.item), contents.stores, strict=True)
    new = {path: Array(leaf.buffer, s.dtype, s.shape[1:]) for (path, leaf), s in found if isinstance(leaf, Array)}
    return rebuilt(contents.item, new, lambda _, again, __: again)


def _shape(leaf: Scalar | Array) -> tuple[Atom, ...]:
    return leaf.shape if isinstance(leaf, Array) else ()


def grown(low: Lowering, contents: Tuple, item: Value, capacity: Atom | None = None) -> Growing:
    """The items of a list in stores, which have room for as many items, or for those of the list."""
    count = literal(len(contents.items))
    room = count if capacity is None else capacity
    widths = _widths(low, contents.items, item)
    stores: list[Array] = []
    for path, leaf in leaves(item):
        shape = _shape(leaf) if path not in widths else (widths[path], *_shape(leaf)[1:])
        stores.append(low.array(low.b.empty(room, *shape, dtype=leaf.dtype)))
    found = Growing(number(0), item, tuple(stores))
    for value in contents.items:
        found = _longer(low, put_at(low, found, found.length.atom, value, widths))
    return found


def _widths(low: Lowering, values: Sequence[Value], item: Value) -> dict[Any, Atom]:
    """The room that lists in the items need, by the places of their stores: some may be longer than others."""
    places = {path for path, _ in leaves(item)}
    found: dict[Any, Atom] = {}
    for value in values:
        for path, leaf in leaves(snapshot(low.memory, value, lambda _: True)):
            if isinstance(leaf, Array) and path in places and (*path[:-1], "length") in places:
                known = found.setdefault(path, leaf.shape[0])
                found[path] = known if known == leaf.shape[0] else low.b.maximum(known, leaf.shape[0])
    return found


def reserved(low: Lowering, contents: Growing, capacity: Atom) -> Growing:
    """The list with stores of that many rows."""
    return Growing(contents.length, contents.item, tuple(_resized(low, s, capacity) for s in contents.stores))


def _resized(low: Lowering, store: Array, capacity: Atom) -> Array:
    if store.shape[0] == capacity:
        return store
    made = low.array(low.b.grow(low.atom(store), capacity), store.buffer.name)
    low.memory.relate([(made.buffer, (store.buffer,))])
    return made


def appended(low: Lowering, contents: Growing, value: Value) -> Growing:
    """The list with a further item."""
    index = contents.length.atom
    room = [s for s in contents.stores if not low.facts.less(low.b, index, s.shape[0])]
    if room:
        capacity = doubled(low.b, room[0].shape[0], low.b.add(index, 1))
        contents = reserved(low, contents, capacity)
    return _longer(low, put_at(low, contents, index, value))


def put_at(
    low: Lowering, contents: Growing, index: Atom, value: Value, widths: Mapping[Any, Atom] = MappingProxyType({})
) -> Growing:
    """The list with another item at an index that is in range.  What shows the old one has a buffer of its own.

    `widths` has the room that lists in the item are given, by the places of their stores.
    """
    taken = snapshot(low.memory, value, lambda _: True)
    if not comparable(contents.item, taken):
        low.refuse_syntax(
            f"a list of items like {described(contents.item)} gets {described(taken)}, and its length is known at run "
            "time only",
            "items of one kind, or a loop over a tuple or list of constant length",
        )
    stores: list[Array] = []
    for store, (path, leaf) in zip(contents.stores, leaves(taken), strict=True):
        dtype = join([store.dtype, leaf.dtype])
        if dtype is not store.dtype:
            cast = low.array(low.cast(low.atom(store), dtype), store.buffer.name)
            low.memory.relate([(cast.buffer, (store.buffer,))])
            store = cast
        row = low.cast(low.atom(leaf), dtype)
        if path in widths and row.type.shape[0] != widths[path]:
            row = low.b.grow(row, widths[path])
        if row.type.shape != store.shape[1:]:
            for have, need in zip(row.type.shape, store.shape[1:], strict=True):
                if have != need:
                    low.check(low.b.eq(have, need), "ValueError", RAGGED, have, need)
            row = low.b.conform(row, *store.shape[1:], checked=False)
        codes = "i" + ":" * row.type.rank
        made = low.array(low.b.update(low.atom(store), row, index, codes=codes), store.buffer.name)
        low.memory.relate([(made.buffer, (store.buffer,))])
        stores.append(made)
    for _, reached in reach(low.memory, value):
        for store in stores:
            low.memory.mark(store.buffer, reached)
    return Growing(contents.length, joined_item([contents.item, taken]), tuple(stores))


def _longer(low: Lowering, contents: Growing) -> Growing:
    return Growing(Scalar(low.b.add(contents.length.atom, 1), True), contents.item, contents.stores)


def described(item: Value) -> str:
    return describe(item.reference) if isinstance(item, Snapshot) else describe(item)


def item_at(low: Lowering, contents: Growing, index: Atom) -> Value:
    """The item at an index that is in range; its arrays show the stores' rows."""
    new: dict[Any, Any] = {}
    for store, (path, leaf) in zip(contents.stores, leaves(contents.item), strict=True):
        row = indexed(low.b, store, "i" + ":" * (store.rank - 1), (index,))
        new[path] = row if isinstance(leaf, Array) else Scalar(low.atom(row), leaf.python)
    return _remade(low, contents, new)


def _remade(low: Lowering, contents: Growing, new: dict[Any, Any]) -> Value:
    """An item with these numbers and arrays; its lists, dicts and objects may be those that were put there.

    What tells which ones these are is the stores: where the items hold nothing, there are none.
    """

    def remake(_: Any, again: Snapshot, inner: Any) -> Value:
        if not contents.stores:
            cause = f"a list whose items are like {described(contents.item)}, and hold nothing, is read at an index"
            write = "an index that is constant, a loop over a range of constant length, or an array: np.zeros(…)"
            raise NotConstantError(f"{cause} that is not constant", low.source, write)
        identity = low.memory.identity(inner, again.reference.identity.name)
        low.memory.relate([(identity, (store.buffer,)) for store in contents.stores])
        return with_identity(again.reference, identity)

    return rebuilt(contents.item, new, remake)


def popped(low: Lowering, contents: Growing) -> tuple[Growing, Value]:
    """The list without its last item, which exists, and the item."""
    last = low.b.sub(contents.length.atom, 1)
    new: dict[Any, Any] = {}
    for store, (path, leaf) in zip(contents.stores, leaves(contents.item), strict=True):
        row = low.atom(indexed(low.b, store, "i" + ":" * (store.rank - 1), (last,)))
        new[path] = low.array(row) if isinstance(leaf, Array) else Scalar(row, leaf.python)
    return Growing(Scalar(last, True), contents.item, contents.stores), _remade(low, contents, new)


def rows(low: Lowering, contents: Growing) -> Iterator[Array]:
    """The rows in use of each store, as arrays of their own."""
    length = contents.length.atom
    for store in contents.stores:
        if store.shape[0] == length:
            yield store
            continue
        codes = "s" + ":" * (store.rank - 1)
        yield indexed(low.b, store, codes, (literal(0), length, literal(1)))


def repeated(low: Lowering, item: Value, value: Value, times: Atom) -> Growing:
    """A list of one item repeated; the items are one and the same, so that none of them may be changed in place."""
    count = times if low.facts.nonnegative(low.b, times) else low.b.maximum(times, 0)
    stores: list[Array] = []
    for _, leaf in leaves(snapshot(low.memory, value, lambda _: True)):
        store = low.array(low.b.expand(low.atom(leaf), count, axes=(0,)))
        for _, reached in reach(low.memory, value):
            low.memory.mark(store.buffer, reached)
        stores.append(store)
    return Growing(Scalar(count, True), item, tuple(stores))


def extended(low: Lowering, contents: Growing, further: Growing) -> Growing:
    """The list with the items of another one behind its own."""
    if not comparable(contents.item, further.item):
        low.refuse_syntax(
            f"a list of items like {described(contents.item)} is extended by items like {described(further.item)}",
            "items of one kind",
        )
    b, index = low.b, contents.length.atom
    total = b.add(index, further.length.atom)
    if contents.stores:
        contents = reserved(low, contents, doubled(b, contents.stores[0].shape[0], total))
    stores: list[Array] = []
    for store, more in zip(contents.stores, rows(low, further), strict=True):
        dtype = join([store.dtype, more.dtype])
        new = low.cast(low.atom(more), dtype)
        new = b.conform(new, new.type.shape[0], *store.shape[1:], checked=True)
        codes = "s" + ":" * (store.rank - 1)
        kept = b.update(low.cast(low.atom(store), dtype), new, index, further.length.atom, literal(1), codes=codes)
        made = low.array(kept, store.buffer.name)
        low.memory.relate([(made.buffer, (store.buffer,)), (made.buffer, (more.buffer,))])
        stores.append(made)
    return Growing(Scalar(total, True), joined_item([contents.item, further.item]), tuple(stores))

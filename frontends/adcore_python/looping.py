"""Lowering a loop's body to a region: which names, buffers, lists, dicts and objects it carries, and of what types.

The body is lowered with the types on entry.  Where it leaves a carry with a higher dtype or another length, or changes
a list, dict or object from outside, it is lowered again with the joined type, or with that among the carries, until
nothing changes; the outcome is remembered for the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import AdcoreError
from adcore.storage import doubled
from adcore.types import Atom, DType, Lit, Type, Var, literal

from .carries import (
    Key,
    Path,
    Plan,
    differences,
    leaves,
    rebuilt,
    snapshot,
    snapshots,
    with_identity,
)
from .classes import is_stated
from .counts import origins
from .growing import common_item, grown, reserved
from .joins import Status
from .liveness import assigned, rebound
from .loop_parts import Carried, Leaf, Loop, Moved, alike_leaves, only_numbers, place_in, replaced
from .memory import Scope, replace
from .promotion import promoted
from .refusals import TestChangesError
from .replanning import Replanning
from .sharing import check_sharing, relate_results
from .values import (
    Array,
    Growing,
    Maybe,
    Poison,
    Reference,
    Scalar,
    Snapshot,
    Tuple,
    Value,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["run"]

ATTEMPTS = 24


class Again(Exception):  # noqa: N818 - a signal, not an error
    """The body has to be lowered again with the plan as changed."""


def run(low: Lowering, loop: Loop) -> None:
    """Lower the loop, leaving names and memory as they are after it."""
    key = (loop.node, low.frame.path)
    plan = low.hints.setdefault(key, Plan())
    plan.growing.clear()
    plan.regular.clear()
    before, entered, guessed = dict(low.frame.names), low.frame.entered(), set(low.guessed)
    made = low.memory.made.copy()
    first: AdcoreError | None = None
    for _ in range(ATTEMPTS):
        low.frame.names = dict(before)
        low.memory.made = made.copy()
        try:
            _Attempt(low, loop, plan).lower()
        except Again:
            low.guess_rank = 0
        except AdcoreError as error:
            first = first or error
            if low.guessed == guessed or low.guess_rank == 2:
                raise first from None
            low.guess_rank += 1
            low.frame.leave(entered)
        else:
            return
        low.guessed = set(guessed)
    low.refuse_syntax("the types of the loop's variables do not settle", "variables that keep their dtype and rank")


class _Attempt(Replanning):
    def __init__(self, low: Lowering, loop: Loop, plan: Plan) -> None:
        self.low, self.loop, self.plan = low, loop, plan
        self.names = low.frame.names
        self.outside = dict(self.names)
        wanted = loop.before | loop.after
        self.touched = assigned([loop.node]) - self._written_only()
        self.carried: list[Carried] = []
        self.late: list[Carried] = []
        self.starts: dict[Key, Scalar] = {}
        self.candidates = [*loop.hidden, *sorted(self.touched & wanted)]

    def lower(self) -> None:
        low, loop = self.low, self.loop
        inits = [self._initial(n) for n in self.candidates]
        counter = self.counter = Var(Type(DType.I64), "k")
        with low.region(loop=True) as scope:
            self.names.update(self._forgotten())
            for name, value in inits:
                if value is None:
                    self.names.pop(name, None)
                    low.unknown.add((low.frame, name))
            self.carried = [self._enter(n, v) for n, v in inits if v is not None]
            self.carried += self._objects(scope)
            low.facts.counted(counter)
            low.facts.counter(low.b, counter, 0, loop.trips)
            for carried in self.carried:
                self._bring_in(carried, counter, scope)
            self._relate_entries()
            begin, contents = dict(self.names), dict(scope.objects)
            strict = low.strict
            low.frame.statements = ()
            low.frame.after = loop.around
            loop.start(counter)
            if low.execute(loop.body, loop.around) is Status.DEAD:
                self.names = low.frame.names = begin
                scope.objects = contents
            self.names = low.frame.names
            low.unknown -= {(low.frame, name) for name, _ in inits}
            self._leave(scope, counter, strict)
            ends, low.frame.names = low.frame.names, begin
            after, scope.objects = scope.objects, contents
            check_sharing(low, self.carried, scope, loop)
            low.frame.names, scope.objects = ends, after
        self._emit(scope, counter)

    def _written_only(self) -> set[str]:
        """Arrays that are the target of `+=` and the like, which writes into them, and of no other assignment."""
        changing = assigned([self.loop.node]) - rebound([self.loop.node])
        return {name for name in changing if isinstance(self.names.get(name), Array)}

    def _forgotten(self) -> dict[str, Value]:
        """Names that the body binds, for where they are not carried."""
        return {n: Poison(f"{n!r} may not be bound here", "a value for it before the loop") for n in self.touched}

    # Entry

    def _initial(self, name: str) -> tuple[str, Value | None]:
        value = self.names.get(name)
        if isinstance(value, Poison):
            value = None
        if value is None and name in self.plan.absent:
            return name, Maybe(self._stand_in(self.plan.absent[name]), literal(False))
        if value is not None and name in self.plan.maybe and not isinstance(value, Maybe):
            value = Maybe(value, literal(True))
        return name, value

    def _stand_in(self, value: Value) -> Value:
        """Zeros in the place of a value that is not there yet."""
        low = self.low
        found: dict[Path, Any] = {}
        for path, leaf in leaves(value):
            if isinstance(leaf, Scalar):
                found[path] = Scalar(leaf.dtype.zero, leaf.python)
                continue
            shape = [n if isinstance(n, Lit) else low.opaque(literal(0)) for n in leaf.shape]
            found[path] = low.array(low.b.empty(*shape, dtype=leaf.dtype))
        return rebuilt(value, found, self._remade)

    def _remade(self, _: Path, again: Snapshot, contents: Any) -> Reference:
        """A list, dict or object of its own in the place of a snapshot."""
        identity = self.low.memory.identity(contents, again.reference.identity.name)
        return with_identity(again.reference, identity)

    def _enter(self, name: str, value: Value) -> Carried:
        """A name: all its numbers and arrays are carried."""
        tree = self._taken(name, value)
        return Carried(name, tree, [self._leaf((name, path), leaf, name) for path, leaf in self._carried(name, tree)])

    def _objects(self, scope: Scope) -> list[Carried]:
        """Lists, dicts and objects that the body changes: what it leaves as it is, is not carried."""
        low, found = self.low, []
        known = low.memory.identities(scope.parent)
        for key, varying in self.plan.varying.items():
            identity = known.get(key)
            if identity is None:
                continue
            tree = self._taken(key, low.memory.contents(identity))
            chosen = [(path, leaf) for path, leaf in self._carried(key, tree) if path in varying]
            made = [self._leaf((key, path), leaf, identity.name) for path, leaf in chosen]
            found.append(Carried(key, tree, made, identity))
        return found

    def _taken(self, key: Any, value: Any) -> Any:
        """A value with snapshots of what varies, lists that grow in stores, and what is lost by the body."""
        low, plan = self.low, self.plan
        varying = plan.varying.get(key, set())
        outer = low.memory.scope.parent
        assert outer is not None
        tree = snapshot(low.memory, value, lambda path: path in varying)
        for (owner, path), item in plan.growing.items():
            if owner == key:
                with low.inside(outer):
                    tree = replaced(tree, path, lambda held, i=item, p=path: self._growing(held, i, (key, p)))
        for (owner, path), cause in plan.lost.items():
            if owner == key:
                poison = Poison(cause, "values of one kind before the loop and at the end of its body")
                tree = replaced(tree, path, lambda _, p=poison: p)
        return tree

    def _growing(self, held: Any, item: Value, key: Key) -> Any:
        """A list of known length in stores; with room for what the loop appends, where that is known."""
        low, regular, trips = self.low, self.plan.regular.get(key), self.loop.trips
        if not isinstance(held, Tuple | Growing):
            return held
        if regular and trips is not None:
            count = literal(len(held.items)) if isinstance(held, Tuple) else held.length.atom
            wanted = low.b.add(count, low.b.mul(trips, regular))
            if isinstance(held, Tuple):
                return grown(low, held, item, wanted)
            capacity = doubled(low.b, held.stores[0].shape[0], wanted) if held.stores else wanted
            return reserved(low, Growing(held.length, item, held.stores), capacity)
        return grown(low, held, item) if isinstance(held, Tuple) else Growing(held.length, item, held.stores)

    def _carried(self, key: Any, tree: Any) -> list[tuple[Path, Scalar | Array]]:
        """The leaves to carry: the length of a list that grows regularly is known by the counter."""
        known = {(*path, "length") for (owner, path), regular in self.plan.regular.items() if owner == key and regular}
        return [(path, leaf) for path, leaf in leaves(tree) if path not in known]

    def _leaf(self, key: Key, value: Scalar | Array, name: str) -> Leaf:
        """The parameter of a leaf; its value outside is read outside."""
        low, plan = self.low, self.plan
        outer = low.memory.scope.parent
        assert outer is not None
        raised = plan.dtypes.get(key)
        dtype = value.dtype if raised is None else promoted([value, Scalar(raised.zero)])
        name = name.lstrip("$") or "t"
        path = key[1]
        with low.inside(outer):
            init = low.cast(low.atom(value), dtype)
            if isinstance(value, Scalar):
                param = Var(init.type, name)
                if key not in plan.unsteady and dtype is DType.I64:
                    low.facts.carried(low.b, init, param)
                return Leaf(path, key, init, param, value.python and key not in plan.numpy)
            axes = sorted(plan.lengths.get(key, ()))
            lengths = {a: Var(Type(DType.I64), f"{name}_{a}") for a in axes}
            shape = [low.opaque(n) if a in axes and isinstance(n, Lit) else n for a, n in enumerate(init.type.shape)]
            init = low.b.conform(init, *shape, checked=False)
        for length in lengths.values():
            low.facts.length(length)
        known: dict[int, Atom] = dict(lengths)
        inner = tuple(known[a] if a in known else n for a, n in enumerate(init.type.shape))  # noqa: SIM401
        return Leaf(path, key, init, Var(Type(dtype, inner), name), False, entry=value.buffer, lengths=lengths)

    def _bring_in(self, carried: Carried, counter: Var, scope: Scope) -> None:
        """The value of a carry at the beginning of the body."""
        low = self.low
        new: dict[Path, Any] = {}
        for leaf in carried.leaves:
            if leaf.entry is None:
                new[leaf.path] = Scalar(leaf.param, leaf.python)
                continue
            array = low.array(leaf.param, leaf.entry.name or carried.spoken())
            leaf.moved = Moved(leaf.entry, array.buffer)
            new[leaf.path] = array
        for path, contents, regular in self._regular(carried):
            length = low.b.add(contents.length.atom, low.b.mul(counter, regular))
            new[(*path, "length")] = self.starts[carried.name, path] = Scalar(length, True)
            changing = {leaf.path for leaf in carried.leaves if 0 in leaf.lengths}
            for k, store in enumerate(contents.stores):
                if (*path, k) not in changing:  # else the body puts other stores in the place of those with room
                    low.facts.room(low.b, length, new.get((*path, k), store).shape[0], regular)

        def remake(path: Path, again: Snapshot, contents: Any) -> Reference:
            made = self._remade(path, again, contents)
            carried.snapshots[path] = Moved(again.reference.identity, made.identity)
            return made

        carried.inside = rebuilt(carried.value, new, remake)
        if carried.identity is None:
            self.names[carried.name] = carried.inside
        else:
            scope.objects[carried.identity] = carried.inside

    def _regular(self, carried: Carried) -> list[tuple[Path, Growing, int]]:
        """The lists in a carry to which each iteration appends as many items."""
        found: list[tuple[Path, Growing, int]] = []
        for (owner, path), regular in self.plan.regular.items():
            if owner == carried.name and regular:
                contents = place_in(carried.value, path)
                if isinstance(contents, Growing):
                    found.append((path, contents, regular))
        return found

    def _relate_entries(self) -> None:
        made = [(m.buffer, (m.entry,)) for c in self.carried for m in c.moved]
        self.low.memory.relate(made)

    # Exit

    def _leave(self, scope: Scope, counter: Var, strict: int) -> None:
        """Bring what the body leaves behind to the carries' types, or ask for other types."""
        again = False
        for carried in self.carried:
            again |= self._results(carried, scope, strict)
        again |= self._newly_changed(scope)
        again |= self._newcomers()
        if again:
            raise Again

    def _newly_changed(self, scope: Scope) -> bool:
        """Lists, dicts and objects from outside that the body was not known to change."""
        memory, again = self.low.memory, False
        known = {c.identity for c in self.carried}
        for identity, contents in list(scope.objects.items()):
            if identity in known or not memory.outer(scope, identity):
                continue
            assert scope.parent is not None
            before = memory.contents(identity, scope.parent)
            for path, ours, theirs in differences(before, contents):
                self._differs(Carried(identity.key, before, [], identity), scope, path, ours, theirs)
                again = True
        return again

    def _results(self, carried: Carried, scope: Scope, strict: int) -> bool:
        low, name = self.low, carried.name
        value: Any
        if carried.identity is not None:
            value = low.memory.contents(carried.identity)
        else:
            value = self.names.get(name)
            if value is None or isinstance(value, Poison):
                return self._changes(name, carried.value, value)
            if isinstance(carried.value, Maybe) and not isinstance(value, Maybe):
                value = Maybe(value, literal(True))
            elif isinstance(value, Maybe) and not isinstance(carried.value, Maybe):
                self.plan.maybe.add(name)
                return True
        varying = self.plan.varying.get(name, set())
        tree = self._in_stores(name, snapshot(low.memory, value, lambda path: path in varying))
        mine = {leaf.path for leaf in carried.leaves}
        again = False
        for path, ours, theirs in differences(carried.value, tree):
            if not (path in mine and alike_leaves(ours, theirs)) and not self._as_expected(name, path, theirs):
                again |= self._differs(carried, scope, path, ours, theirs)
        if again:
            return True
        ends = dict(leaves(tree))
        for path, end in snapshots(tree):
            carried.snapshots[path].exit = end.reference.identity
        for leaf in carried.leaves:
            again |= self._result(leaf, ends[leaf.path], strict)
        return again

    def _in_stores(self, name: Any, tree: Any) -> Any:
        """What the body leaves, the lists that are carried in stores being in stores."""
        for (owner, path), item in self.plan.growing.items():
            if owner == name:
                tree = replaced(tree, path, lambda held, i=item: self._stored(held, i))
        return tree

    def _stored(self, held: Any, item: Value) -> Any:
        fits = isinstance(held, Tuple) and common_item(self.low, [*held.items, item]) is not None
        return grown(self.low, held, item) if fits else held

    def _result(self, leaf: Leaf, value: Scalar | Array, strict: int) -> bool:
        low, plan = self.low, self.plan
        dtype = promoted([Scalar(leaf.param, leaf.python), value])
        again = False
        if dtype is not leaf.param.type.dtype:
            plan.dtypes[leaf.key] = dtype
            again = True
        if isinstance(value, Scalar):
            counts = origins(value.atom, {leaf.param}, low.b.defining)
            if leaf.param in low.facts.drifted and counts is None:
                plan.unsteady.add(leaf.key)
                again = True
            if leaf.python and not value.python:
                leaf.python = False
                plan.numpy.add(leaf.key)
                again = again or low.strict != strict
            leaf.result = low.cast(value.atom, dtype)
            return again
        assert leaf.moved is not None
        leaf.moved.exit = value.buffer
        wanted = leaf.param.type.shape
        changing = {a for a, (n, w) in enumerate(zip(value.shape, wanted, strict=True)) if n != w}
        if changing - leaf.lengths.keys():
            plan.lengths.setdefault(leaf.key, set()).update(changing)
            return True
        atom = low.cast(low.atom(value), dtype)
        shape = [
            low.opaque(n) if a in leaf.lengths and isinstance(n, Lit) else n for a, n in enumerate(atom.type.shape)
        ]
        leaf.result = low.b.conform(atom, *shape, checked=False)
        leaf.ends = {a: shape[a] for a in leaf.lengths}
        return again

    def _newcomers(self) -> bool:
        """Names unbound on entry: carried from zeros, with a flag that says whether they are bound."""
        known = {c.name for c in self.carried if c.identity is None}
        again = False
        for frame, name in self.low.guessed:
            if isinstance(name, str) and frame is self.low.frame and name not in self.names:
                self.low.refuse_syntax(f"{name!r} is read but never bound", f"a value for {name!r} before the loop")
        for name in self.candidates:
            value = self.names.get(name)
            if name in known or value is None or isinstance(value, Poison) or is_stated(value):
                continue  # functions with rules of their own, made anew by each iteration, end with it
            if name in self.loop.before or not only_numbers(value):
                self._plan_absent(name, value)
                again = True
            else:
                self.late.append(self._late(name, value))
        return again

    def _plan_absent(self, name: str, value: Value) -> None:
        inner = snapshot(self.low.memory, value.value if isinstance(value, Maybe) else value, lambda _: True)
        self.plan.absent[name] = inner
        for path, leaf in leaves(inner):
            if isinstance(leaf, Array):
                axes = {a for a, n in enumerate(leaf.shape) if not isinstance(n, Lit)}
                self.plan.lengths.setdefault((name, path), set()).update(axes)

    def _late(self, name: str, value: Value) -> Carried:
        """A name of numbers that only what follows the loop reads."""
        whole = value if isinstance(value, Maybe) else Maybe(value, literal(True))
        found: list[Leaf] = []
        for path, leaf in leaves(whole):
            assert isinstance(leaf, Scalar)
            param = Var(Type(leaf.dtype), name)
            found.append(Leaf(path, (name, path), leaf.dtype.zero, param, leaf.python, result=leaf.atom))
        return Carried(name, whole, found)

    # Emission

    def _emit(self, scope: Scope, counter: Var) -> None:
        carried = [*self.carried, *self.late]
        written = [(b, *entry) for b, entry in scope.entries.items() if scope.changed(b)]
        unchanged = {p: outside for b, (p, outside) in scope.entries.items() if not scope.changed(b)}
        params: list[Var] = []
        inits: list[Atom] = []
        results: list[Atom] = []
        for leaf in (f for c in carried for f in c.leaves):
            assert leaf.result is not None
            for axis, length in leaf.lengths.items():
                params.append(length)
                inits.append(leaf.init.type.shape[axis])
                results.append(leaf.ends[axis])
            params.append(leaf.param)
            inits.append(leaf.init)
            results.append(leaf.result)
        for buffer, param, outside in written:
            params.append(param)
            inits.append(outside)
            results.append(scope.values[buffer])
        replace(scope.builder.equations, unchanged)
        renamed = tuple(unchanged.get(r, r) if isinstance(r, Var) else r for r in results)
        outs = self._equation(scope, counter, params, inits, renamed)
        self._after(carried, dict(zip(params, outs, strict=True)), scope)

    def _equation(
        self, scope: Scope, counter: Var, params: list[Var], inits: list[Atom], results: tuple[Atom, ...]
    ) -> tuple[Var, ...]:
        low, loop = self.low, self.loop
        if loop.trips is not None:
            body = scope.builder.program((counter, *params), results)
            return low.b.loop(loop.trips, tuple(inits), body)
        body = scope.builder.program(tuple(params), results)
        return low.b.while_(tuple(inits), self._test(scope, params), body)

    def _test(self, body: Scope, params: list[Var]) -> Any:
        """The region of the loop's condition, on carries of its own."""
        low, loop = self.low, self.loop
        assert loop.test is not None
        own: dict[Var, Var] = {}
        for param in params:
            shape = tuple(own.get(n, n) if isinstance(n, Var) else n for n in param.type.shape)
            own[param] = Var(Type(param.type.dtype, shape), param.name)
        ends = low.frame.names
        low.frame.names = {**self.outside, **self._forgotten()}
        with low.region(loop=True) as scope:
            for buffer, (param, _) in body.entries.items():
                if param in own:
                    scope.values[buffer] = own[param]
            for carried in self.carried:
                new = {leaf.path: self._tested(leaf, own[leaf.param]) for leaf in carried.leaves}
                self._bind(carried, rebuilt(carried.value, new, self._remade), scope)
            with low.at(loop.node):
                holds = loop.test()
        low.frame.names = ends
        if scope.written or any(scope.changed(b) for b in scope.entries):
            low.refuse(
                TestChangesError,
                "the condition of a while loop writes into an array, or changes a list, dict or object",
                "the write in the loop's body",
            )
        replace(scope.builder.equations, dict(scope.entries.values()))
        return scope.builder.program(tuple(own[p] for p in params), (holds,), "test")

    def _bind(self, carried: Carried, value: Any, scope: Scope) -> None:
        if carried.identity is None:
            self.low.frame.names[carried.name] = value
        else:
            scope.objects[carried.identity] = value

    def _tested(self, leaf: Leaf, param: Var) -> Scalar | Array:
        if leaf.moved is None:
            return Scalar(param, leaf.python)
        return self.low.array(param, leaf.moved.buffer.name)

    def _after(self, carried: list[Carried], outs: dict[Var, Var], inner: Scope) -> None:
        """Names and memory as the loop leaves them."""
        low = self.low
        memory = low.memory
        for buffer, (param, _) in inner.entries.items():
            if param in outs:
                memory.read(buffer)
                memory.scope.values[buffer] = outs[param]
        low.frame.names = {**self.outside, **self._forgotten()}
        made: list[tuple[Moved, Any]] = []
        for each in carried:
            self._bind(each, self._left(each, outs, made), memory.scope)
        relate_results(memory, made)

    def _left(self, each: Carried, outs: dict[Var, Var], made: list[tuple[Moved, Any]]) -> Any:
        """What the loop leaves of a carry."""
        low = self.low
        new: dict[Path, Any] = {}
        for leaf in each.leaves:
            out = outs[leaf.param]
            if leaf.moved is None:
                new[leaf.path] = Scalar(out, leaf.python)
                continue
            array = low.array(out, leaf.moved.buffer.name)
            made.append((leaf.moved, array.buffer))
            new[leaf.path] = array
        for path, contents, regular in self._regular(each):
            assert self.loop.trips is not None
            length = low.b.add(contents.length.atom, low.b.mul(self.loop.trips, regular))
            new[(*path, "length")] = Scalar(length, True)

        def remake(path: Path, again: Snapshot, contents: Any) -> Reference:
            reference = self._remade(path, again, contents)
            if path in each.snapshots:
                made.append((each.snapshots[path], reference.identity))
            return reference

        return rebuilt(each.value, new, remake)

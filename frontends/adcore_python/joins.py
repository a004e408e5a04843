"""Where two paths meet: one value for each name, buffer, list, dict and object that they leave different.

Each path is lowered in a region of its own.  Numbers and arrays that differ become results of a `cond`; lengths that
differ become results too, placed before the arrays that have them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adcore.primitives import Kind
from adcore.program import Equation
from adcore.types import Atom, DType, Var, literal

from .carries import alike, comparable, parts, same_constant, same_kind, with_identity, with_parts
from .growing import common_item, grown, hoisted, item_of, joined_item
from .memory import Scope
from .operators import describe
from .promotion import join, promoted
from .values import (
    Array,
    Cell,
    Contents,
    Dict,
    Growing,
    Identity,
    List,
    Maybe,
    Poison,
    Record,
    Reference,
    Scalar,
    Static,
    Tuple,
    Value,
    spoken,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Arm", "Diverges", "Status", "arm", "meet", "meet_values"]

Build = Callable[[], Any]
COMPARISONS = {"lt", "le", "gt", "ge", "eq", "ne", "isnan", "isfinite"}
CHEAP = {"add", "sub", "neg", "and", "or", "not", "xor", "cast"} | COMPARISONS
UNSAFE = (Kind.CHECK, Kind.CONTROL)


class Status:
    """How a block ends: at its end, elsewhere (the rest has been dealt with), or by raising always."""

    OPEN = "open"
    DONE = "done"
    DEAD = "dead"


class Diverges(Exception):  # noqa: N818 - a signal, not an error
    """An expression that always raises: nothing after it is reached.

    Caught where a path begins: by a block, and by an arm of a branch.
    """

    def __init__(self, low: Lowering) -> None:
        super().__init__()
        self.scope = low.memory.scope

    def settle(self, low: Lowering) -> str:
        """The path's status; what was emitted in a region that is given up, is raised here."""
        if self.scope is not low.memory.scope:
            low.check(literal(False), "RuntimeError", "this always raises")
        return Status.DEAD


@dataclass(slots=True)
class Arm:
    """One path: its region, the names at its end, how it ends, its value if it is an expression."""

    scope: Scope
    names: dict[str, Value]
    status: str
    value: Any = None

    @property
    def dead(self) -> bool:
        return self.status is Status.DEAD


@dataclass(slots=True, eq=False)
class Slot:
    """A result of the `cond`: the atom of each path, and the lengths that are results as well."""

    then: Atom
    other: Atom
    lengths: list[Slot] = field(default_factory=list)
    out: Atom | None = None

    def result(self) -> Atom:
        assert self.out is not None
        return self.out


def arm(low: Lowering, path: Callable[[], Any]) -> Arm:
    """Lower one path in a region of its own; a statement path gives a status, an expression path a value."""
    frame = low.frame
    before = dict(frame.names)
    with low.region() as scope:
        try:
            found = path()
        except Diverges as diverged:
            found = diverged.settle(low)
    after, frame.names = frame.names, before
    if found in (Status.OPEN, Status.DONE, Status.DEAD):
        return Arm(scope, after, found)
    return Arm(scope, after, Status.OPEN, found)


def meet(low: Lowering, condition: Atom, then: Arm, other: Arm, live: frozenset[str]) -> None:
    """Join the names and the memory of two statement paths."""
    names = low.frame.names
    joining = _Joining(low, condition, then, other)
    builds: dict[str, Build] = {}
    for name in names.keys() - then.names.keys() - other.names.keys():
        del names[name]
    for name in {**then.names, **other.names}:
        left, right = then.names.get(name), other.names.get(name)
        if left is right:
            assert left is not None
            names[name] = left
        elif name in live or name.startswith("$"):
            builds[name] = joining.name(name, left, right)
        else:
            builds[name] = _constant(Poison(f"{name!r} is not known here", "another name"))
    joining.emit()
    for name, build in builds.items():
        names[name] = build()
    low.memory.relate(joining.made)


def meet_values(low: Lowering, condition: Atom, then: Arm, other: Arm) -> Value:
    """Join the values of two expression paths, what they wrote, and the names that `:=` bound."""
    joining = _Joining(low, condition, then, other)
    build = joining.merge("$expression", then.value, other.value)
    names = low.frame.names
    bound = {
        name: joining.name(name, then.names.get(name), other.names.get(name))
        for name in {**then.names, **other.names}
        if not _unchanged(then.names.get(name), other.names.get(name))
    }
    joining.emit()
    value = build()
    for name, bind in bound.items():
        names[name] = bind()
    low.memory.relate(joining.made)
    if isinstance(value, Poison):
        low.refuse_syntax(value.cause, value.write)
    return value


def _unchanged(left: Value | None, right: Value | None) -> bool:
    """Whether an expression has not bound a name, but perhaps found that it is bound."""
    plain = [v.value if isinstance(v, Maybe) else v for v in (left, right)]
    return plain[0] is plain[1]


def _constant(value: Any) -> Build:
    return lambda: value


class _Joining:
    def __init__(self, low: Lowering, condition: Atom, then: Arm, other: Arm) -> None:
        self.low = low
        self.condition = condition
        self.then, self.other = then, other
        self.scalars: list[Slot] = []
        self.arrays: list[Slot] = []
        self.same: dict[Any, Build] = {}
        self.made: list[tuple[Any, tuple[Any, ...]]] = []
        self.adopted: dict[Identity, Build] = {}
        self.lengths: dict[tuple[Atom, Atom], Slot] = {}
        self.local = {id(a): {out for e in a.scope.builder.equations for out in e.outs} for a in (then, other)}
        self.written = self._written()
        self.changed = self._changed()

    # Names and values

    def name(self, name: str, left: Value | None, right: Value | None) -> Build:
        """The value of a name after the paths; a path that raises has no say."""
        if left is not None and right is not None:
            return self.merge(name, left, right)
        present = left if right is None else right
        missing = self.other if right is None else self.then
        if missing.dead:
            return self._one_sided(name, present, self.then if right is None else self.other)
        return self._maybe(name, left, right)

    def _maybe(self, name: str, left: Value | None, right: Value | None) -> Build:
        """A name that may be unbound afterwards."""
        flags: list[Atom] = [
            literal(False) if v is None else v.defined if isinstance(v, Maybe) else literal(True) for v in (left, right)
        ]
        values: list[Any] = [v.value if isinstance(v, Maybe) else v for v in (left, right)]
        defined = self.merge(name, Scalar(flags[0], True), Scalar(flags[1], True))
        if values[0] is None or values[1] is None:
            present, side = (values[1], self.other) if values[0] is None else (values[0], self.then)
            inner = self._one_sided(name, present, side)
        else:
            inner = self.merge(name, *values)

        def build() -> Value:
            value = inner()
            return value if isinstance(value, Poison) else Maybe(value, defined().atom)

        return build

    def merge(self, name: str, left: Value, right: Value) -> Build:
        """One value for the two."""
        if left is right:
            return _constant(left)
        if self.then.dead:
            return self._one_sided(name, right, self.other)
        if self.other.dead:
            return self._one_sided(name, left, self.then)
        if isinstance(left, Maybe) or isinstance(right, Maybe):
            return self._maybe(name, left, right)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return self._scalars(left, right)
        if isinstance(left, Array) and isinstance(right, Array) and left.rank == right.rank:
            return self._arrays(name, left, right)
        if isinstance(left, Poison) or isinstance(right, Poison):
            return _constant(left if isinstance(left, Poison) else right)
        return self._structures(name, left, right)

    def _structures(self, name: str, left: Value, right: Value) -> Build:
        if isinstance(left, Static) and isinstance(right, Static) and same_constant(left.value, right.value):
            return _constant(left)
        if isinstance(left, List | Dict | Record | Cell) and isinstance(right, type(left)) and same_kind(left, right):
            return self._references(name, left, right)
        if alike(left, right):
            if isinstance(left, Growing) and isinstance(right, Growing):
                left = Growing(left.length, joined_item([left.item, right.item]), left.stores)
            pairs = zip(parts(left), parts(right), strict=True)
            pieces = [self.merge(name, a, c) for (_, a), (_, c) in pairs]
            return lambda: with_parts(left, [p() for p in pieces])
        cause = f"{spoken(name)} is {describe(left)} on one path and {describe(right)} on another"
        return _constant(Poison(cause, "values of one kind on all paths"))

    def _references(self, name: str, left: Reference, right: Reference) -> Build:
        """One of two lists, dicts or objects: a new identity, which may be either."""
        if left.identity is right.identity:
            return _constant(left)
        key = (left, right)
        if key not in self.same:
            memory, found = self.low.memory, _Once()
            self.same[key] = found
            contents = self.contents(
                name,
                memory.contents(left.identity, self.then.scope),
                memory.contents(right.identity, self.other.scope),
            )

            def build() -> Value:
                own = "" if name.startswith("$") else name
                identity = memory.identity(contents(), own)
                self.made.append((identity, (left.identity, right.identity)))
                return with_identity(left, identity)

            found.build = build
        return self.same[key]

    def contents(self, name: str, left: Contents, right: Contents) -> Build:
        """What a list, dict or object holds after the paths."""
        if left is right:
            return _constant(left)
        if self.then.dead or self.other.dead:
            return self.merge(name, left, right)
        if isinstance(left, Tuple | Growing) and isinstance(right, Tuple | Growing) and not alike(left, right):
            return self._lists(name, left, right)
        if not isinstance(left, Poison) and not isinstance(right, Poison) and not alike(left, right):
            cause = f"{spoken(name)} holds other keys or attributes on one path than on another"
            return _constant(Poison(cause, "the same keys and attributes on all paths"))
        return self.merge(name, left, right)

    def _lists(self, name: str, left: Tuple | Growing, right: Tuple | Growing) -> Build:
        """Lists of different lengths, or of a length known at run time on one path."""
        sides = ((self.then, left), (self.other, right))
        known = [item_of(c) for _, c in sides if isinstance(c, Growing)]
        item = known[0] if known else self._item(left, right)
        if item is None:
            cause = f"{spoken(name)} is a list with items of other kinds on one path than on another"
            return _constant(Poison(cause, "items of one kind"))
        found: list[Any] = []
        for side, contents in sides:
            if isinstance(contents, Tuple):
                with self.low.inside(side.scope):
                    if common_item(self.low, [*contents.items, item]) is None:
                        cause = f"{spoken(name)} is a list with items of other kinds on one path than on another"
                        return _constant(Poison(cause, "items of one kind"))
                    contents = grown(self.low, contents, item)
            found.append(contents)
        if not comparable(found[0].item, found[1].item):
            cause = f"{spoken(name)} is a list with items of other kinds on one path than on another"
            return _constant(Poison(cause, "items of one kind"))
        return self.merge(name, found[0], found[1])

    def _item(self, left: Tuple | Growing, right: Tuple | Growing) -> Value | None:
        """An item like those of both lists, the lengths of its arrays known outside of the paths."""
        found: list[Value] = []
        for side, contents in ((self.then, left), (self.other, right)):
            assert isinstance(contents, Tuple)
            with self.low.inside(side.scope):
                item = common_item(self.low, contents.items)
            if item is None and contents.items:
                return None
            if item is not None:
                item = hoisted(self.low, side.scope, item)
                if item is None:
                    return None
                found.append(item)
        return common_item(self.low, found)

    def _scalars(self, left: Scalar, right: Scalar) -> Build:
        python = left.python and right.python
        if left.atom == right.atom:
            return _constant(Scalar(left.atom, python))
        dtype = promoted((left, right))
        slot = Slot(self._cast(self.then, left.atom, dtype), self._cast(self.other, right.atom, dtype))
        self.scalars.append(slot)
        return lambda: Scalar(slot.result(), python)

    def _cast(self, side: Arm, atom: Atom, dtype: DType) -> Atom:
        with self.low.inside(side.scope):
            return self.low.cast(atom, dtype)

    def _read(self, side: Arm, array: Array, dtype: DType) -> Atom:
        with self.low.inside(side.scope):
            return self.low.cast(self.low.atom(array), dtype)

    def _arrays(self, name: str, left: Array, right: Array) -> Build:
        memory = self.low.memory
        if left == right and memory.outer(self.then.scope, left.buffer):
            return _constant(left)
        key = (left, right)
        if key not in self.same:
            dtype = join((left.dtype, right.dtype))
            slot = self._slot(self._read(self.then, left, dtype), self._read(self.other, right, dtype))
            self.same[key] = self._fresh(name, slot, (left.buffer, right.buffer))
        return self.same[key]

    def _fresh(self, name: str, slot: Slot, sources: tuple[Any, ...]) -> Build:
        """A new array with the result's contents, which may be the memory of any of the sources."""
        made: list[Array] = []

        def build() -> Array:
            if not made:
                made.append(self.low.array(slot.result(), name))
                self.made.append((made[0].buffer, sources))
            return made[0]

        return build

    def _slot(self, then: Atom, other: Atom) -> Slot:
        """A result for two arrays, with their differing lengths as results before it."""
        slot = Slot(then, other)
        for n, m in zip(then.type.shape, other.type.shape, strict=True):
            if n != m:
                slot.lengths.append(self._length(n, m))
        if slot.lengths:
            slot.then, slot.other = (
                self._conformed(side, atom, [s.then if k == 0 else s.other for s in slot.lengths], then, other)
                for k, (side, atom) in enumerate(((self.then, then), (self.other, other)))
            )
        self.arrays.append(slot)
        return slot

    def _length(self, n: Atom, m: Atom) -> Slot:
        """A result for two lengths.  Types name lengths by value, so each is a value that nothing else is named by."""
        if (n, m) not in self.lengths:
            used = {a for pair in self.lengths for a in pair}
            atoms: list[Atom] = []
            for side, atom in ((self.then, n), (self.other, m)):
                with self.low.inside(side.scope):
                    own = self._inside(side, atom) and atom not in used
                    atoms.append(atom if own else self.low.opaque(atom, len(self.lengths) + 1))
            self.lengths[n, m] = Slot(atoms[0], atoms[1])
        return self.lengths[n, m]

    def _conformed(self, side: Arm, atom: Atom, lengths: list[Atom], then: Atom, other: Atom) -> Atom:
        rest = iter(lengths)
        shape = [
            own if n == m else next(rest)
            for own, n, m in zip(atom.type.shape, then.type.shape, other.type.shape, strict=True)
        ]
        with self.low.inside(side.scope):
            return self.low.b.conform(atom, *shape, checked=False)

    # A path that raises, or that leaves the name unbound

    def _one_sided(self, name: str, value: Any, side: Arm) -> Build:
        """The value of the path that has one, with zeros standing in on the other."""
        if isinstance(value, Scalar):
            if not self._inside(side, value.atom):
                return _constant(value)
            slot = self._padded(side, value.atom, value.dtype.zero)
            self.scalars.append(slot)
            return lambda: Scalar(slot.result(), value.python)
        if isinstance(value, Array):
            return self._one_sided_array(name, value, side)
        if isinstance(value, Maybe):
            inner = self._one_sided(name, value.value, side)
            defined = self._one_sided(name, Scalar(value.defined, True), side)
            return lambda: Maybe(inner(), defined().atom)
        if isinstance(value, List | Dict | Record | Cell):
            return self._adopted(name, value, side)
        pieces = [self._one_sided(name, part, side) for _, part in parts(value)]
        return _constant(value) if not pieces else lambda: with_parts(value, [p() for p in pieces])

    def _adopted(self, name: str, value: Reference, side: Arm) -> Build:
        """A list, dict or object made on the only path that goes on exists from here."""
        identity, memory = value.identity, self.low.memory
        if not memory.outer(side.scope, identity) and identity not in self.adopted:
            self.adopted[identity] = _constant(None)  # for what leads back to itself
            contents = memory.contents(identity, side.scope)
            self.adopted[identity] = self._one_sided(name, contents, side)
        return _constant(value)

    def _one_sided_array(self, name: str, array: Array, side: Arm) -> Build:
        used = [*array.shape, *(a for v in array.views for a in (*getattr(v, "scalars", ()), *getattr(v, "shape", ())))]
        if self.low.memory.outer(side.scope, array.buffer) and not any(self._inside(side, a) for a in used):
            return _constant(array)
        atom = self._read(side, array, array.dtype)
        absent = self.other if side is self.then else self.then
        with self.low.inside(absent.scope):
            zero = self.low.opaque(literal(0))
            shape = [zero if self._inside(side, n) else n for n in atom.type.shape]
            stand_in = self.low.b.empty(*shape, dtype=array.dtype)
        slot = self._slot(*((atom, stand_in) if side is self.then else (stand_in, atom)))
        return self._fresh(name, slot, (array.buffer, array.buffer))

    def _padded(self, side: Arm, atom: Atom, zero: Atom) -> Slot:
        return Slot(atom, zero) if side is self.then else Slot(zero, atom)

    def _inside(self, side: Arm, atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in self.local[id(side)]

    # Emission

    def _written(self) -> list[tuple[Any, Slot]]:
        """Buffers from outside that a path has written, and their contents on both."""
        memory, found = self.low.memory, []
        for buffer in {**self.then.scope.values, **self.other.scope.values}:
            if memory.outer(self.then.scope, buffer):
                slot = Slot(memory.read(buffer, self.then.scope), memory.read(buffer, self.other.scope))
                found.append((buffer, slot))
                self.arrays.append(slot)
        return found

    def _changed(self) -> list[tuple[Identity, Build]]:
        """Lists, dicts and objects from outside that a path has changed, and what makes their contents."""
        memory, found = self.low.memory, []
        for identity in {**self.then.scope.objects, **self.other.scope.objects}:
            if memory.outer(self.then.scope, identity):
                sides = [memory.contents(identity, side.scope) for side in (self.then, self.other)]
                found.append((identity, self.contents(identity.name, *sides)))
        return found

    def emit(self) -> None:
        """Emit the `cond`, and enter what buffers, lists, dicts and objects hold after it."""
        plain = [s for s in self.arrays if not s.lengths]
        slots = [*plain, *self.lengths.values(), *(s for s in self.arrays if s.lengths), *self.scalars]
        then, other = self.then.scope.builder, self.other.scope.builder
        if not self._raised() and not self._selected(slots):
            b = self.low.b
            if slots or any(e.primitive.kind in UNSAFE for e in (*then.equations, *other.equations)):
                outs = b.cond(
                    self.condition,
                    then.program((), tuple(s.then for s in slots), "then"),
                    other.program((), tuple(s.other for s in slots), "otherwise"),
                )
                for slot, out in zip(slots, outs, strict=True):
                    slot.out = out
                    _unnamed(out, slot)
        memory = self.low.memory
        for buffer, slot in self.written:
            memory.read(buffer)
            memory.scope.values[buffer] = slot.result()
        for identity, build in [*self.adopted.items(), *self.changed]:
            memory.scope.objects[identity] = build()

    def _raised(self) -> bool:
        """`if p: raise ...` alone is a check of `not p`."""
        for side, quiet in ((self.then, self.other), (self.other, self.then)):
            equations = side.scope.builder.equations
            only = len(equations) == 1 and equations[0].primitive.name == "check"
            if side.dead and only and equations[0].operands[0] == literal(False):
                if self.arrays or self.scalars or quiet.scope.builder.equations:
                    return False
                b, check = self.low.b, equations[0]
                holds = b.lnot(self.condition) if side is self.then else self.condition
                with b.at(check.source):
                    b.check(holds, *check.operands[1:], **check.params)
                return True
        return False

    def _selected(self, slots: list[Slot]) -> bool:
        """Numbers that cost next to nothing are computed on both paths and selected."""
        b = self.low.b
        equations = [*self.then.scope.builder.equations, *self.other.scope.builder.equations]
        if any(s.then.type.shape for s in slots) or not all(_cheap(e) for e in equations):
            return False
        if not slots:
            return True
        b.adopt(equations)
        for slot in slots:
            slot.out = b.select(self.condition, slot.then, slot.other)
        return True


def _cheap(equation: Equation) -> bool:
    return equation.primitive.name in CHEAP and not equation.outs[0].type.shape


class _Once:
    """A value that is made when it is first asked for."""

    def __init__(self) -> None:
        self.build: Build = lambda: None
        self.made: Any = None

    def __call__(self) -> Any:
        if self.made is None:
            self.made = self.build()
        return self.made


def _unnamed(out: Var, slot: Slot) -> None:
    if not any(isinstance(a, Var) and a.name == out.name for a in (slot.then, slot.other)):
        out.name = "t"

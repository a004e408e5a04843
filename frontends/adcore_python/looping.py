"""Lowering a loop's body to a region: which names and buffers it carries, and of what types.

The body is lowered with the types on entry.  Where it leaves a carry with a higher dtype or another length, it is
lowered again with the joined type, until nothing changes; the outcome is remembered for the next time.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from adcore.errors import AdcoreError
from adcore.types import Atom, DType, Lit, Type, Var, literal

from .carries import Key, Plan, leaves, rebuilt, structure
from .counts import origins
from .joins import ZEROS, Status
from .liveness import assigned
from .memory import Scope, replace
from .operators import describe, join
from .sharing import check_sharing, relate_results
from .values import Array, Buffer, Maybe, Poison, Scalar, Value, spoken

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Loop", "run"]

ATTEMPTS = 12


@dataclass(slots=True, eq=False)
class Loop:
    """A loop to lower.

    Attributes:
        node, body: the statement and its body.
        before: names live where the body begins.
        around: names live where the body ends.
        after: names live after the loop.
        start: binds the loop's targets, given the counter.
        trips: the trip count, for a loop whose number is known when it begins.
        test: the condition to go on, for one whose number is not.
        hidden: names that say how and with what the loop is left.
    """

    node: ast.stmt
    body: Sequence[ast.stmt]
    before: frozenset[str]
    around: frozenset[str]
    after: frozenset[str]
    start: Callable[[Any], None] = lambda _: None
    trips: Atom | None = None
    test: Callable[[], Atom] | None = None
    hidden: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Leaf:
    """A number or array that a loop carries: its value outside, its parameter inside, the lengths carried with it."""

    key: Key
    init: Atom
    param: Var
    python: bool
    buffer: Buffer | None = None
    entry: Buffer | None = None
    exit: Buffer | None = None
    lengths: dict[int, Var] = field(default_factory=dict)
    result: Atom | None = None
    ends: dict[int, Atom] = field(default_factory=dict)
    out: Atom | None = None


@dataclass(slots=True, eq=False)
class Carried:
    """A name that a loop carries: its value on entry and its leaves."""

    name: str
    value: Value
    leaves: list[Leaf]


class Again(Exception):  # noqa: N818 - a signal, not an error
    """The body has to be lowered again with the plan as changed."""


def run(low: Lowering, loop: Loop) -> None:
    """Lower the loop, leaving names and memory as they are after it."""
    key = (loop.node, low.frame.path)
    plan = low.hints.setdefault(key, Plan())
    before, entered, guessed = dict(low.frame.names), low.frame.entered(), set(low.guessed)
    first: AdcoreError | None = None
    for _ in range(ATTEMPTS):
        low.frame.names = dict(before)
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


def _numbered(value: Value) -> Iterator[tuple[int, Scalar | Array]]:
    """The leaves with their numbers, which are the same where the value may be unbound: the flag has -1."""
    return enumerate(leaves(value), start=-1 if isinstance(value, Maybe) else 0)


class _Attempt:
    def __init__(self, low: Lowering, loop: Loop, plan: Plan) -> None:
        self.low, self.loop, self.plan = low, loop, plan
        self.names = low.frame.names
        self.outside = dict(self.names)
        wanted = loop.before | loop.after
        self.touched = assigned([loop.node])
        self.carried: list[Carried] = []
        self.late: list[Carried] = []
        self.candidates = [*loop.hidden, *sorted(self.touched & wanted)]

    def lower(self) -> None:
        low, loop = self.low, self.loop
        inits = [self._initial(n) for n in self.candidates]
        counter = Var(Type(DType.I64), "k")
        with low.region(loop=True) as scope:
            self.names.update(self._forgotten())
            for name, value in inits:
                if value is None:
                    self.names.pop(name, None)
                    low.unknown.add((low.frame, name))
            self.carried = [self._enter(n, v) for n, v in inits if v is not None]
            for carried in self.carried:
                self.names[carried.name] = self._inside(carried, scope)
            self._relate_entries()
            begin = dict(self.names)
            low.facts.counted(counter)
            low.facts.counter(low.b, counter, 0, loop.trips)
            strict = low.strict
            low.frame.statements = ()
            low.frame.after = loop.around
            loop.start(counter)
            if low.execute(loop.body, loop.around) is Status.DEAD:
                self.names = low.frame.names = begin
            self.names = low.frame.names
            low.unknown -= {(low.frame, name) for name, _ in inits}
            self._leave(scope, strict)
            ends, low.frame.names = low.frame.names, begin
            check_sharing(low, self.carried, scope, loop)
            low.frame.names = ends
        self._emit(scope, counter)

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
        found: list[Any] = []
        for leaf in leaves(value):
            if isinstance(leaf, Scalar):
                found.append(Scalar(ZEROS[leaf.dtype], leaf.python))
                continue
            shape = [n if isinstance(n, Lit) else low.opaque(literal(0)) for n in leaf.shape]
            found.append(low.array(low.b.empty(*shape, dtype=leaf.dtype)))
        return rebuilt(value, iter(found), low.memory.scope)

    def _enter(self, name: str, value: Value) -> Carried:
        return Carried(name, value, [self._leaf((name, k), leaf) for k, leaf in _numbered(value)])

    def _leaf(self, key: Key, value: Scalar | Array) -> Leaf:
        """The parameter of a leaf; its value outside is read outside."""
        low, plan = self.low, self.plan
        outer = low.memory.scope.parent
        assert outer is not None
        dtype = join([value.dtype, plan.dtypes.get(key, value.dtype)])
        name = key[0].lstrip("$")
        with low.inside(outer):
            init = low.cast(low.atom(value), dtype)
            if isinstance(value, Scalar):
                param = Var(init.type, name)
                if key not in plan.unsteady and dtype is DType.I64:
                    low.facts.carried(low.b, init, param)
                return Leaf(key, init, param, value.python and key not in plan.numpy)
            axes = sorted(plan.lengths.get(key, ()))
            lengths = {a: Var(Type(DType.I64), f"{name}_{a}") for a in axes}
            shape = [low.opaque(n) if a in axes and isinstance(n, Lit) else n for a, n in enumerate(init.type.shape)]
            init = low.b.conform(init, *shape, checked=False)
        for length in lengths.values():
            low.facts.length(length)
        known: dict[int, Atom] = dict(lengths)
        inner = tuple(known[a] if a in known else n for a, n in enumerate(init.type.shape))  # noqa: SIM401
        return Leaf(key, init, Var(Type(dtype, inner), name), False, entry=value.buffer, lengths=lengths)

    def _inside(self, carried: Carried, scope: Scope) -> Value:
        """The value of a carried name at the beginning of the body."""
        new: list[Any] = []
        for leaf in carried.leaves:
            if leaf.entry is None:
                new.append(Scalar(leaf.param, leaf.python))
                continue
            array = self.low.array(leaf.param, leaf.entry.name or carried.name)
            leaf.buffer = array.buffer
            new.append(array)
        return rebuilt(carried.value, iter(new), scope)

    def _relate_entries(self) -> None:
        made = [(f.buffer, (f.entry,)) for c in self.carried for f in c.leaves if f.buffer and f.entry]
        self.low.memory.relate(made)

    # Exit

    def _leave(self, scope: Scope, strict: int) -> None:
        """Bring what the body leaves behind to the carries' types, or ask for other types."""
        again = False
        for carried in self.carried:
            again |= self._results(carried, strict)
        again |= self._newcomers()
        if again:
            raise Again

    def _results(self, carried: Carried, strict: int) -> bool:
        value = self.names.get(carried.name)
        name = carried.name
        if value is None or isinstance(value, Poison):
            return self._changes(name, carried.value, value)
        if isinstance(carried.value, Maybe) and not isinstance(value, Maybe):
            value = Maybe(value, literal(True))
        elif isinstance(value, Maybe) and not isinstance(carried.value, Maybe):
            self.plan.maybe.add(name)
            return True
        if structure(value) != structure(carried.value):
            return self._changes(name, carried.value, value)
        again = [self._result(leaf, end, strict) for leaf, end in zip(carried.leaves, leaves(value), strict=True)]
        return any(again)

    def _changes(self, name: str, before: Value, value: Value | None) -> NoReturn:
        if isinstance(value, Poison):
            self.low.refuse_syntax(value.cause, value.write)
        ours = before.value if isinstance(before, Maybe) else before
        theirs = value.value if isinstance(value, Maybe) else value
        became = "nothing" if theirs is None else describe(theirs)
        self.low.refuse_syntax(
            f"{spoken(name)} is {describe(ours)} where the loop begins and {became} where its body ends",
            "a variable of one kind throughout: start it with a value like those that the loop gives it",
        )

    def _result(self, leaf: Leaf, value: Scalar | Array, strict: int) -> bool:
        low, plan = self.low, self.plan
        dtype = join([leaf.param.type.dtype, value.dtype])
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
        leaf.exit = value.buffer
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
        known = {c.name for c in self.carried}
        again = False
        for frame, name in self.low.guessed:
            if frame is self.low.frame and name not in self.names:
                self.low.refuse_syntax(f"{name!r} is read but never bound", f"a value for {name!r} before the loop")
        for name in self.candidates:
            value = self.names.get(name)
            if name in known or value is None or isinstance(value, Poison):
                continue
            if name in self.loop.before or any(isinstance(v, Array) for v in leaves(value)):
                self._plan_absent(name, value)
                again = True
            else:
                self.late.append(self._late(name, value))
        return again

    def _plan_absent(self, name: str, value: Value) -> None:
        inner = value.value if isinstance(value, Maybe) else value
        self.plan.absent[name] = inner
        for k, leaf in _numbered(inner):
            if isinstance(leaf, Array):
                axes = {a for a, n in enumerate(leaf.shape) if not isinstance(n, Lit)}
                self.plan.lengths.setdefault((name, k), set()).update(axes)

    def _late(self, name: str, value: Value) -> Carried:
        """A name of numbers that only what follows the loop reads."""
        whole = value if isinstance(value, Maybe) else Maybe(value, literal(True))
        found: list[Leaf] = []
        for k, leaf in _numbered(whole):
            assert isinstance(leaf, Scalar)
            param = Var(Type(leaf.dtype), name)
            found.append(Leaf((name, k), ZEROS[leaf.dtype], param, leaf.python, result=leaf.atom))
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
                new = [self._tested(leaf, own[leaf.param]) for leaf in carried.leaves]
                low.frame.names[carried.name] = rebuilt(carried.value, iter(new), scope)
            with low.at(loop.node):
                holds = loop.test()
        low.frame.names = ends
        if scope.written or any(scope.changed(b) for b in scope.entries):
            low.refuse_syntax("the condition of a while loop writes into an array", "the write in the loop's body")
        replace(scope.builder.equations, dict(scope.entries.values()))
        return scope.builder.program(tuple(own[p] for p in params), (holds,), "test")

    def _tested(self, leaf: Leaf, param: Var) -> Scalar | Array:
        if leaf.buffer is None:
            return Scalar(param, leaf.python)
        return self.low.array(param, leaf.buffer.name)

    def _after(self, carried: list[Carried], outs: dict[Var, Var], inner: Scope) -> None:
        """Names and memory as the loop leaves them."""
        low = self.low
        memory = low.memory
        for buffer, (param, _) in inner.entries.items():
            if param in outs:
                memory.read(buffer)
                memory.scope.values[buffer] = outs[param]
        names = {**self.outside, **self._forgotten()}
        made: list[tuple[Leaf, Buffer]] = []
        for each in carried:
            new: list[Any] = []
            for leaf in each.leaves:
                out = outs[leaf.param]
                if leaf.buffer is None:
                    new.append(Scalar(out, leaf.python))
                    continue
                array = low.array(out, leaf.buffer.name)
                made.append((leaf, array.buffer))
                new.append(array)
            names[each.name] = rebuilt(each.value, iter(new), memory.scope)
        relate_results(memory, made)
        low.frame.names = names

"""What a loop's body leaves otherwise than it found it: what the loop's plan has to take in, or what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from adcore.types import Var

from .carries import Key, Path, Plan, leaves, same_kind, snapshot
from .facts import linear
from .growing import common_item, hoisted, item_of
from .loop_parts import Carried, Loop, alike_leaves, holds_list, place_in
from .memory import Scope
from .operators import describe
from .values import Cell, Dict, Growing, List, Maybe, Poison, Record, Scalar, Tuple, Value, spoken

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Replanning"]


class Replanning:
    """One attempt at a loop's body, as far as it changes the plan of the next one."""

    low: Lowering
    loop: Loop
    plan: Plan
    names: dict[str, Value]
    carried: list[Carried]
    starts: dict[Key, Scalar]
    counter: Var

    def _as_expected(self, name: Any, path: Path, end: Value) -> bool:
        """Whether this is the length of a list that has grown as planned."""
        start, regular = self.starts.get((name, path[:-1])), self.plan.regular.get((name, path[:-1]))
        if start is None or path[-1] != "length" or not isinstance(end, Scalar):
            return False
        return self._added(start, end) == regular

    def _added(self, start: Scalar, end: Scalar) -> int:
        """How many items are there at the end that were not at the start; 0 where that is not known."""
        base, offset = linear(self.low.b, start.atom)
        other, further = linear(self.low.b, end.atom)
        return max(further - offset, 0) if base is other else 0

    def _differs(self, carried: Carried, scope: Scope, path: Path, ours: Any, theirs: Any) -> bool:
        """Enter into the plan that the body leaves a place with something else; asks to lower it again."""
        plan, name = self.plan, carried.name
        if isinstance(ours, List | Dict | Record | Cell) and isinstance(theirs, type(ours)) and same_kind(ours, theirs):
            plan.varying.setdefault(name, set()).add(path)
            return True
        if path and path[-1] in ("length", "item"):
            path = path[:-1]
            ours, theirs = place_in(carried.value, path), self._end(carried, path)
        if isinstance(ours, Tuple | Growing) and isinstance(theirs, Tuple | Growing) and holds_list(carried, path):
            return self._grows(carried, scope, path, ours, theirs)
        if carried.identity is None:
            return self._changes(name, ours, theirs)
        if alike_leaves(ours, theirs):
            plan.varying.setdefault(name, set()).add(path)
            return True
        return self._loses(carried, path, ours, theirs)

    def _loses(self, carried: Carried, path: Path, ours: Any, theirs: Any, cause: str = "") -> bool:
        """A place that may hold another kind of value in later iterations: reading it is an error."""
        if carried.identity is None:
            return self._changes(carried.name, ours, theirs)
        place = carried.spoken()
        for step in path:
            place = place if step == "contents" else f"{place}.{step}" if str(step).isidentifier() else f"{place}[..]"
        became = f"is {describe(ours)} where the loop begins and {describe(theirs)} where its body ends"
        cause = theirs.cause if isinstance(theirs, Poison) else f"{spoken(place)} {cause or became}"
        self.plan.varying.setdefault(carried.name, set())
        self.plan.lost[carried.name, path] = cause
        return True

    def _end(self, carried: Carried, path: Path) -> Any:
        """What the body leaves at a place."""
        memory = self.low.memory
        value = self.names.get(carried.name) if carried.identity is None else memory.contents(carried.identity)
        assert value is not None
        varying = self.plan.varying.get(carried.name, set())
        return place_in(snapshot(memory, value, lambda path: path in varying), path)

    def _grows(self, carried: Carried, scope: Scope, path: Path, ours: Any, theirs: Any) -> bool:
        """A list of another length, or of a length known at run time."""
        low, plan, name = self.low, self.plan, carried.name
        samples = [v for c in (ours, theirs) for v in (c.items if isinstance(c, Tuple) else (item_of(c),))]
        item = common_item(low, samples)
        if item is not None:
            params = [v for c in self.carried for leaf in c.leaves for v in (leaf.param, *leaf.lengths.values())]
            item = hoisted(low, scope, item, [self.counter, *params, *(p for p, _ in scope.entries.values())])
            if item is None:
                return self._loses(carried, path, ours, theirs, "is a list whose items differ in length")
        if item is None:
            return self._loses(carried, path, ours, theirs)
        tried = (name, path) in plan.regular
        start = self.starts.get((name, path)) or (ours.length if isinstance(ours, Growing) else None)
        if isinstance(ours, Tuple) and isinstance(theirs, Tuple):
            added = max(len(theirs.items) - len(ours.items), 0)
        else:
            added = self._added(start, theirs.length) if start is not None and isinstance(theirs, Growing) else 0
        regular = 0 if tried or self.loop.trips is None else added
        plan.growing[name, path], plan.regular[name, path] = item, regular
        varying = plan.varying.setdefault(name, set())
        if not regular:
            varying.add((*path, "length"))
        for k, _ in enumerate(leaves(item)):
            varying.add((*path, k))
            if not regular:
                plan.lengths.setdefault((name, (*path, k)), set()).add(0)
        return True

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

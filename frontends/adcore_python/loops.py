"""`for` and `while`: what to run over, how control leaves, and the statements after it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from adcore.errors import UnsupportedSyntaxError
from adcore.types import Atom, Lit, literal

from .generators import Generator
from .iteration import exhausted, iterate
from .joins import Status, arm, meet, meet_values
from .liveness import assigned, escapes, live_before, reads_of
from .loop_parts import Loop
from .looping import run
from .refusals import NotConstantError, TestChangesError
from .values import Iteration, Maybe, Scalar, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["lower_for", "lower_while"]

UNROLLED = 64  # the longest loop that is unrolled


def lower_for(low: Lowering, s: ast.For, rest: Sequence[ast.stmt], after: frozenset[str]) -> str:
    """`for target in iterable`: unrolled over a tuple or list, a `loop` over anything else."""
    over = low.evaluate(s.iter)
    items = iterate(low, over)
    targets = assigned([s]) - assigned(s.body) - assigned(s.orelse)
    following = _following(low, s, rest, after)
    around = live_before(s.body, following) - targets | following
    flag = _enter(low, s)
    low.frame.pinned.append(items)
    if _is_unrolled(low, s, items):
        status = _unrolled(low, s, _items_of(low, s, items), 0, flag, around)
    else:
        status = _rolled(low, s, items, flag, Loop(s, s.body, live_before(s.body, around) - targets, around, following))
    low.frame.pinned.pop()
    if status is not Status.DEAD:
        exhausted(low, items, _left(low, flag))
    return _finish(low, s, rest, after, flag, status)


def _is_unrolled(low: Lowering, s: ast.For, items: Iteration) -> bool:
    """Whether the body is lowered once for each item: where items differ in kind, or a constant index is needed."""
    if items.static:
        return True
    if not isinstance(items.length, Lit):
        return False
    short = int(items.length.value) <= UNROLLED
    return short and (isinstance(s, Generator) or (s, low.frame.path) in low.unrolled)


def _rolled(low: Lowering, s: ast.For, items: Iteration, flag: str, loop: Loop) -> str:
    """The body once; unrolled after all where that cannot be, and the loop is short."""
    from .statements import assign

    entered, names, made = low.frame.entered(), dict(low.frame.names), low.memory.made.copy()
    try:
        if _leaves(s):
            _for_with_flags(low, s, loop, items, flag)
        else:
            loop.trips = items.length
            loop.start = lambda k: assign(low, s.target, items.item(k))
            run(low, loop)
    except NotConstantError:
        if not isinstance(items.length, Lit) or int(items.length.value) > UNROLLED:
            raise
        low.frame.leave(entered)
        low.frame.names, low.memory.made = names, made
        low.unrolled.add((s, low.frame.path))
        return _unrolled(low, s, _items_of(low, s, items), 0, flag, loop.around)
    return Status.OPEN


def lower_while(low: Lowering, s: ast.While, rest: Sequence[ast.stmt], after: frozenset[str]) -> str:
    """`while test`."""
    if any(isinstance(node, ast.NamedExpr) for node in ast.walk(s.test)):
        return lower_while(low, _tested_inside(s), rest, after)
    entered, state = low.frame.entered(), _state(low)
    if s not in low.changing:
        try:
            return _tested_first(low, s, rest, after)
        except TestChangesError:
            low.changing.add(s)
            low.frame.leave(entered)
            _restore(low, state)
    return lower_while(low, _tested_inside(s), rest, after)


def _tested_first(low: Lowering, s: ast.While, rest: Sequence[ast.stmt], after: frozenset[str]) -> str:
    """A loop whose test is a region of its own, which changes nothing."""
    following = _following(low, s, rest, after)
    around = live_before(s.body, following) | reads_of(s.test) | following
    flag = _enter(low, s)
    loop = Loop(s, s.body, live_before(s.body, around) | reads_of(s.test), around, following)
    loop.test = _unless_left(low, flag, lambda: low.test(s.test))
    loop.start = lambda _: _clear(low, _flags(s, flag))
    loop.hidden = _hidden(s, flag)
    status = _repeated(low, s, flag, loop)
    if isinstance(s.test, ast.Constant) and s.test.value and not any(ast.Break in escapes(c) for c in s.body):
        return _never_done(low)
    return _finish(low, s, rest, after, flag, status)


def _repeated(low: Lowering, s: ast.While, flag: str, loop: Loop) -> str:
    """The body once; where its variables change their kind, as often as it runs, if constants decide that."""
    entered, state = low.frame.entered(), _state(low)
    try:
        run(low, loop)
    except TestChangesError:
        raise
    except UnsupportedSyntaxError as error:
        problem = error
    else:
        return Status.OPEN
    low.frame.leave(entered)
    _restore(low, state)

    def begin(position: int) -> bool:
        known = low.test(s.test).known if _left(low, flag) == literal(False) and position < UNROLLED else None
        if known is None:
            raise problem
        return bool(known)

    return _unrolled(low, s, begin, 0, flag, loop.around)


def _state(low: Lowering) -> tuple[Any, ...]:
    """What a loop's lowering changes before it fails."""
    return dict(low.frame.names), low.memory.made.copy(), set(low.unknown), set(low.guessed)


def _restore(low: Lowering, state: tuple[Any, ...]) -> None:
    low.frame.names, low.memory.made, low.unknown, low.guessed = state


_TESTED: dict[ast.While, ast.While] = {}


def _tested_inside(s: ast.While) -> ast.While:
    """The loop with its test, which binds names by `:=`, as the first statement of its body."""
    found = _TESTED.get(s)
    if found is None:
        leave = ast.If(ast.UnaryOp(ast.Not(), s.test), [*s.orelse, ast.Break()], [])
        found = _TESTED[s] = ast.While(ast.Constant(True), [leave, *s.body], [])
        for node in (found, found.test, leave, leave.test, leave.body[-1]):
            ast.copy_location(node, s.test)
    return found


def _following(
    low: Lowering, s: ast.For | ast.While, rest: Sequence[ast.stmt], after: frozenset[str]
) -> frozenset[str]:
    """Names live where the loop ends."""
    found = live_before(rest, after) | low.frame.escaping
    return found | live_before(s.orelse, found) if s.orelse else found


def _leaves(s: ast.For | ast.While) -> bool:
    """Whether `break` or `return` may end the loop."""
    return any({ast.Break, ast.Return} & escapes(child) for child in s.body)


def _enter(low: Lowering, s: ast.For | ast.While) -> str:
    """Set up the hidden names that say how the loop was left; gives that of `break`."""
    frame = low.frame
    flag = f"$broke{len(frame.loops)}"
    frame.loops.append(flag)
    _clear(low, _flags(s, flag))
    return flag


def _flags(s: ast.For | ast.While, flag: str) -> list[str]:
    """The hidden names that the loop's body may set."""
    leaving = {e for child in s.body for e in escapes(child)}
    return [flag] * (ast.Break in leaving) + ["$returned"] * (ast.Return in leaving)


def _hidden(s: ast.For | ast.While, flag: str) -> list[str]:
    flags = _flags(s, flag)
    return [*flags, "$value"] if "$returned" in flags else flags


def _clear(low: Lowering, flags: list[str]) -> None:
    for flag in flags:
        low.frame.names[flag] = number(False)


def _left(low: Lowering, flag: str) -> Atom:
    names = low.frame.names
    return low.b.lor(_flag(names.get(flag)), _flag(names.get("$returned")))


def _flag(value: Value | None) -> Atom:
    return value.atom if isinstance(value, Scalar) else literal(False)


def _unless_left(low: Lowering, flag: str, test: Callable[[], Scalar]) -> Callable[[], Atom]:
    """The loop's test, not evaluated once control has left the loop."""

    def found() -> Atom:
        left = _left(low, flag)
        if left == literal(False):
            return test().atom
        stop, go = arm(low, lambda: number(False)), arm(low, test)
        value = meet_values(low, left, stop, go)
        assert isinstance(value, Scalar)
        return value.atom

    return found


def _for_with_flags(low: Lowering, s: ast.For, loop: Loop, items: Iteration, flag: str) -> None:
    """A `for` that may be left early: a `while` that counts."""
    from .statements import assign

    counter = f"$count{len(low.frame.loops)}"
    low.frame.names[counter] = number(0)

    def begin(_: Atom | None) -> None:
        _clear(low, _flags(s, flag))
        index = low.frame.names[counter]
        assert isinstance(index, Scalar)
        low.facts.counter(low.b, index.atom, 0, items.length)
        low.frame.names[counter] = Scalar(low.b.add(index.atom, 1), True)
        assign(low, s.target, items.item(index.atom))

    def more() -> Scalar:
        index = low.frame.names[counter]
        assert isinstance(index, Scalar)
        return Scalar(low.b.lt(index.atom, items.length), True)

    loop.start = begin
    loop.test = _unless_left(low, flag, more)
    loop.hidden = [counter, *_hidden(s, flag)]
    run(low, loop)
    low.frame.names.pop(counter)


def _items_of(low: Lowering, s: ast.For, items: Iteration) -> Callable[[int], bool]:
    """What begins the iterations of a loop over a constant number of items."""
    from .statements import assign

    assert isinstance(items.length, Lit)
    length = int(items.length.value)

    def begin(position: int) -> bool:
        if position < length:
            assign(low, s.target, items.item(literal(position)))
        return position < length

    return begin


def _unrolled(
    low: Lowering,
    s: ast.For | ast.While,
    begin: Callable[[int], bool],
    first: int,
    flag: str,
    around: frozenset[str],
) -> str:
    """The body once for each iteration, from the first one on; `begin` says whether there is another."""
    for position in count(first):
        if not begin(position):
            break
        low.worked()
        status = low.execute(s.body, around)
        if status is Status.DEAD:
            return status
        left = _left(low, flag)
        if left == literal(True):
            break
        if left != literal(False):
            stop = arm(low, lambda: Status.OPEN)
            more = arm(low, lambda p=position: _unrolled(low, s, begin, p + 1, flag, around))
            meet(low, left, stop, more, around)
            break
    return Status.OPEN


def _finish(
    low: Lowering, s: ast.For | ast.While, rest: Sequence[ast.stmt], after: frozenset[str], flag: str, status: str
) -> str:
    """The `else` of the loop; where the loop may have returned, the statements after it as well."""
    frame = low.frame
    frame.loops.pop()
    if status is Status.DEAD:
        return status
    broke, returned = _flag(frame.names.get(flag)), _flag(frame.names.get("$returned"))
    if "$value" not in frame.names:
        returned = literal(False)
    frame.names.pop(flag, None)
    if returned == literal(False) and not escapes(s):
        return _otherwise(low, s, (), live_before(rest, after), broke)
    status = _branch(low, returned, lambda: _returning(low), lambda: _otherwise(low, s, rest, after, broke), after)
    return Status.DONE if status is Status.OPEN else status


def _returning(low: Lowering) -> str:
    """The function returns what the loop left as its value."""
    value = low.frame.names["$value"]
    low.frame.names["$value"] = value.value if isinstance(value, Maybe) else value
    return Status.DONE


def _never_done(low: Lowering) -> str:
    """After `while True` without a break: only a return leads here."""
    low.frame.loops.pop()
    return _returning(low) if "$value" in low.frame.names else Status.DEAD


def _otherwise(
    low: Lowering, s: ast.For | ast.While, rest: Sequence[ast.stmt], after: frozenset[str], broke: Atom
) -> str:
    if "$returned" in low.frame.names:
        low.frame.names["$returned"] = number(False)
    if not s.orelse:
        return low.execute(rest, after) if rest else Status.OPEN
    return _branch(low, broke, lambda: low.execute(rest, after), lambda: low.execute([*s.orelse, *rest], after), after)


def _branch(
    low: Lowering, condition: Atom, then: Callable[[], str], other: Callable[[], str], live: frozenset[str]
) -> str:
    from .statements import fork

    if condition == literal(True):
        return then()
    if condition == literal(False):
        return other()
    return fork(low, condition, then, other, live, leaves=False)

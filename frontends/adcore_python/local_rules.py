"""Functions with derivatives of their own that are defined inside of what is compiled.

Such a function is an object of class `CustomJvp`, `CustomVjp` or `CustomRule`, and holds itself and its rules, which
`defjvp` and the like put there.  It is called like a transform of a local function: it is lowered by itself, with what
it closes over as captures.

A rule is lowered later, where a derivative needs it, and then the functions around it are not what they were: names
are bound to other things, loops are left.  So a call takes note of all that its rules may read of them, as Python's
cells have it at that moment.  The numbers and arrays among it are further operands of the call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adcore import custom
from adcore.demands import Around
from adcore.dispatch import Transformed
from adcore.errors import AdcoreError, CompileError, RuleError, UnsupportedFunctionError
from adcore.plugins import Capture, Lowered
from adcore.primitives import TypeRuleError

from .classes import is_stated
from .depth import deep_recursion
from .derived import Closed, Held, Mirror, Names, origin_of, said_of
from .frame import Frame
from .liveness import reads_of
from .operators import describe
from .records import attributes
from .strings import plain
from .values import EMPTY, NONE, Derived, Fields, LocalFunction, Maybe, Partial, Poison, Record, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["DECORATORS", "FUNCTIONS", "stated", "surrounded"]


# Making one, and stating its rules


def _custom_jvp(low: Lowering, f: Value = NONE, nondiff_argnums: Value = EMPTY) -> Value:
    return _made(low, custom.CustomJvp, f, nondiff_argnums)


def _custom_vjp(low: Lowering, f: Value = NONE, nondiff_argnums: Value = EMPTY) -> Value:
    return _made(low, custom.CustomVjp, f, nondiff_argnums)


def _custom_rule(low: Lowering, linearize: Value) -> Value:
    return _made(low, custom.CustomRule, linearize, EMPTY)


MAKERS = {
    custom.CustomJvp: custom.custom_jvp,
    custom.CustomVjp: custom.custom_vjp,
    custom.CustomRule: custom.custom_rule,
}


def _made(low: Lowering, kind: type[Transformed], f: Value, nondiff_argnums: Value) -> Value:
    maker = MAKERS[kind]
    positions = _positions(low, nondiff_argnums)
    if _is_none(f):
        return Partial(Static(maker), (), {"nondiff_argnums": nondiff_argnums})
    _require_function(low, f, maker.__name__)
    if positions:
        with low.foreign(maker.__name__):
            custom.made(_Shape(low, f), kind, positions)  # refuses positions that there are not
    return low.memory.new_record(kind, {"function": f, "constant": Static(positions), "rules": NONE})


class _Shape:
    """The parameters of a function."""

    def __init__(self, low: Lowering, f: Value) -> None:
        self.__name__, self.__signature__, self.__adcore_source__ = said_of(low, f)

    def __call__(self) -> None:
        """There is nothing to call."""


def _positions(low: Lowering, value: Value) -> tuple[int, ...]:
    items = value.items if isinstance(value, Tuple) else (value,)
    found: list[int] = []
    for known in map(plain, items):
        if known is None or not isinstance(known[0], int):
            low.refuse_syntax(f"nondiff_argnums is {describe(value)}, not constant positions", "nondiff_argnums=(0,)")
        found.append(known[0])
    return tuple(found)


def _defjvp(low: Lowering, owner: Value, jvp: Value) -> Value:
    _state(low, owner, "defjvp", (jvp,))
    return jvp


def _defjvps(low: Lowering, owner: Value, *jvps: Value) -> Value:
    if is_stated(owner) and attributes(low, owner)["constant"] != Static(()):
        low.refuse(RuleError, "defjvps of a function with nondiff_argnums", "defjvp")
    _state(low, owner, "defjvps", jvps)
    return NONE


def _defvjp(low: Lowering, owner: Value, forward: Value, backward: Value, pushforward: Value = NONE) -> Value:
    rules = (forward, backward) if _is_none(pushforward) else (forward, backward, pushforward)
    _state(low, owner, "defvjp", rules)
    return NONE


def _state(low: Lowering, owner: Value, method: str, rules: tuple[Value, ...]) -> None:
    if not is_stated(owner):
        name = getattr(owner.value, "__name__", "a function") if isinstance(owner, Static) else describe(owner)
        cause = f"{method} of {name}, which is defined outside of what is compiled"
        low.refuse(UnsupportedFunctionError, cause, "the rule beside the function, outside")
    known = attributes(low, owner)
    name, _, _ = said_of(low, known["function"])
    if _is_of_a_loop_around(low, owner):
        cause = f"{method} in a loop, of {name}, which is made before it"
        low.refuse(UnsupportedFunctionError, cause, "the rule where the function is made")
    if not _is_none(known["rules"]):
        low.refuse(RuleError, f"{name} has a derivative rule already", f"one {method}, or another function")
    for rule in rules:
        if method != "defjvps" or not _is_none(rule):
            _require_function(low, rule, method)
    found = Tuple((Static(method), Tuple(rules)))
    low.change(owner.identity, Fields({**known, "rules": found}))


def _is_of_a_loop_around(low: Lowering, owner: Record) -> bool:
    """Whether a function is made before a loop that is being lowered, perhaps more than once."""
    scope = low.memory.scope
    while scope is not None:
        if scope.loop and low.memory.outer(scope, owner.identity):
            return True
        scope = scope.parent
    return False


def _is_none(value: Value) -> bool:
    return isinstance(value, Static) and value.value is None


def _require_function(low: Lowering, value: Value, use: str) -> None:
    known = isinstance(value, LocalFunction | Derived | Partial) or is_stated(value)
    if not known and not (isinstance(value, Static) and callable(value.value)):
        low.refuse(UnsupportedFunctionError, f"{use} of {describe(value)}", f"{use} of a lambda or def")


DECORATORS: dict[Any, Any] = {
    custom.custom_jvp: _custom_jvp,
    custom.custom_rule: _custom_rule,
    custom.custom_vjp: _custom_vjp,
}
FUNCTIONS: dict[Any, Any] = {
    **DECORATORS,
    custom.CustomJvp.defjvp: _defjvp,
    custom.CustomJvp.defjvps: _defjvps,
    custom.CustomVjp.defvjp: _defvjp,
}


# Calling one


def stated(low: Lowering, owner: Record) -> Any:
    """The function with the derivative that it has now, as something that is lowered by itself."""
    known = attributes(low, owner)
    function, positions = known["function"], plain(known["constant"])
    if isinstance(function, Poison):
        low.refuse_syntax(function.cause, function.write)
    if positions is None or _is_lost(known["rules"]):
        name, _, _ = said_of(low, function)
        cause = f"{name} has another derivative rule on one path than on another"
        low.refuse(RuleError, cause, "one rule on all paths")
    around = _Surroundings(low)
    if owner.kind is custom.CustomRule:
        whole = _Linearization(low, function)
        rules = {"jvp": around.rule(function, whole=True)}
        return _finished(low, owner, whole, around, positions[0], rules)
    return _finished(low, owner, _function(low, function), around, positions[0], _rules(around, known["rules"]))


def surrounded(low: Lowering, value: Value) -> tuple[Any, tuple[Capture, ...]]:
    """A function that a derivative runs later, as something that is lowered by itself, and what it may read of here.

    The first `Around` of what it reads is at the position of the first capture, and so on.
    """
    around = _Surroundings(low)
    return around.rule(value), around.captures()


def _is_lost(value: Value) -> bool:
    """Whether a value, or a part of it, is not known."""
    return isinstance(value, Poison) or (isinstance(value, Tuple) and any(map(_is_lost, value.items)))


def _rules(around: _Surroundings, given: Value) -> dict[str, Any]:
    """The rules under the names that `Custom` has for them."""
    if not isinstance(given, Tuple):
        return {}
    method, values = given.items
    assert isinstance(method, Static)
    assert isinstance(values, Tuple)
    rules = tuple(None if _is_none(rule) else around.rule(rule) for rule in values.items)
    if method.value == "defjvp":
        return {"jvp": rules[0]}
    return {"jvps" if method.value == "defjvps" else "vjp": rules}


def _finished(
    low: Lowering, owner: Record, function: Any, around: _Surroundings, positions: Any, rules: dict[str, Any]
) -> Any:
    captures = around.captures()
    with low.foreign("this function with a derivative of its own"):
        return custom.made(function, owner.kind, positions, around=captures, **rules)


def _function(low: Lowering, value: Value) -> Any:
    return value.value if isinstance(value, Static) else Closed(low, value)


class _Linearization(Closed):
    """The value of a linearization."""

    def __init__(self, low: Lowering, function: Value) -> None:
        super().__init__(low, Partial(Static(custom.value_of), (function,), {}))
        self.__name__, self.__signature__, self.__adcore_source__ = said_of(low, function)
        self.__adcore_origin__ = origin_of(low, function)
        self.__code__ = custom.value_of.__code__


class _Rule(Closed):
    """A rule, with what it reads of the functions around it as it was at the call."""

    def __init__(self, around: _Surroundings, function: Value) -> None:
        super().__init__(around.low, function)
        self.around = around

    def __adcore_lower__(self, arguments: tuple[Any, ...]) -> Lowered:
        place = self.__adcore_source__ or self.low.source
        with self.low.b.at(place), deep_recursion():
            try:
                lowered = super().__adcore_lower__(arguments)
            except TypeRuleError as error:
                raise CompileError(str(error), place) from error
            except RecursionError:
                cause = f"{self.__name__!r} or a function that it calls is nested too deeply"
                raise UnsupportedFunctionError(cause, place, "a loop instead of recursion") from None
        lowered.captures = tuple(map(self.around.known, lowered.captures))
        return lowered


class _Surroundings:
    """What the rules of one call may read of the functions around them.

    Attributes:
        low: a lowering that has it, and nothing else.
    """

    def __init__(self, outer: Lowering) -> None:
        from .lowering import Lowering

        self.low = Lowering()
        self.low.b.source = outer.source
        self.snapshot = _Snapshot(outer, self.low)

    def rule(self, value: Value, whole: bool = False) -> Any:
        """A rule, or with `whole` that of a linearization, as something that is lowered by itself."""
        if isinstance(value, Static) and not whole:
            return value.value
        name, _, place = said_of(self.snapshot.outer, value)
        function = self.snapshot.value(value, name)
        if not whole:
            return _Rule(self, function)
        rule = _Rule(self, Partial(Static(custom.pushed), (function,), {}))
        rule.__name__, rule.__adcore_source__, rule.__code__ = name, place, custom.pushed.__code__
        return rule

    def captures(self) -> tuple[Capture, ...]:
        """The numbers and arrays, each owned by the value that it is of the lowering around."""
        self.snapshot.settle()
        return tuple(self.low.captures)

    def known(self, capture: Capture) -> Capture:
        """A capture of a rule as the position of what it reads."""
        if not isinstance(capture.owner, Held):
            return capture
        atom = self.low.atom(capture.owner.value)
        (index,) = [k for k, param in enumerate(self.low.params) if param is atom]
        return replace(capture, owner=Around(index))


class _Snapshot(Mirror):
    """The values that local functions read of those around them, taken over at once."""

    def __init__(self, outer: Lowering, inner: Lowering) -> None:
        super().__init__(outer, inner)
        self.waiting: list[LocalFunction] = []

    def value(self, value: Any, name: str) -> Any:
        found = super().value(value, name)
        if isinstance(found, LocalFunction):
            self.waiting.append(found)
        return found

    def settle(self) -> None:
        """Take over all that the functions met so far may read, and no more after that."""
        seen: set[Any] = set()
        while self.waiting:
            function = self.waiting.pop()
            if (function.node, function.frame) not in seen:
                seen.add((function.node, function.frame))
                for name in sorted(reads_of(function.node)):
                    self.read(function.frame, name)
        for frame in self.frames.values():
            frame.names = dict(frame.names)

    def read(self, frame: Frame | None, name: str) -> None:
        """Take over what a name is bound to; what that is not supported for is an error where a rule reads it."""
        while frame is not None:
            names = frame.names
            assert isinstance(names, Names)
            if name in names:
                if isinstance(names.frame.names.get(name), Maybe):
                    names[name] = Poison(
                        f"{name!r}, which a rule reads, has a value on some paths only", f"a value for {name!r} before"
                    )
                    return
                try:
                    _ = names[name]
                except AdcoreError as error:
                    names[name] = Poison(error.cause, error.write)
                return
            frame = None if name in frame.bound else frame.enclosing

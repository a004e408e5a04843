"""Calls of functions that were lowered by themselves, transformed ones among them: their Programs copied in place."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import TYPE_CHECKING, Any, cast

from adcore import plugins, statics
from adcore.cache import is_ours, unrepeatable
from adcore.errors import AdcoreError, AliasError, UnsupportedFunctionError, refuse
from adcore.passes.inline import without_conforming
from adcore.program import Program, clone
from adcore.signatures import name_of
from adcore.structured import Structured
from adcore.transforms import Transform
from adcore.trees import instance
from adcore.types import Atom, Var, literal

from .classes import is_stated, is_structured
from .containers import entries, held, items
from .operators import describe, is_one
from .outgoing import fields_of
from .outside import captured_value, constant
from .reach import reach
from .records import attributes, field_names
from .strings import plain
from .structured_arrays import apart, field, given_back
from .values import (
    Array,
    Buffer,
    Contents,
    Derived,
    Dict,
    Fields,
    Growing,
    Identity,
    List,
    LocalFunction,
    Partial,
    Record,
    Reference,
    Scalar,
    Snapshot,
    Static,
    Tuple,
    Value,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Incoming", "bound", "call_lowered", "structure_of"]


def call_lowered(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """Call a transformed function, e.g. `grad(f)`: its Program is copied in place."""
    leaves: list[Scalar | Array] = []
    values = _parameters(low, function, arguments, keywords)
    lowered = _lowered(low, function, tuple(structure_of(low, v, leaves) for v in values))
    if lowered.changes:
        _require_distinct(low, values, lowered.changes[0])
    seen = [*leaves, *(captured_value(low, capture) for capture in lowered.captures)]
    operands = [low.atom(v) for v in seen]
    low.guards.extend(lowered.guards)
    python = all(isinstance(v, Scalar) and v.python for v in leaves)
    found = _inlined(low, lowered.program, operands)
    results = [low.value(r, python) for r in found]
    for write in lowered.writes:
        _written(low, seen, write, found)
    incoming = Incoming(low, results, values, lowered.made)
    incoming.change(lowered.changes)
    return incoming.value(lowered.result)


def _require_distinct(low: Lowering, values: list[Value], change: plugins.Change) -> None:
    """Refuse arguments that hold, or may hold, one list, dict or object twice, where the function changes one."""
    met: list[Identity] = []
    for _, reached in (each for value in values for each in reach(low.memory, value)):
        if isinstance(reached, Identity):
            if any(low.memory.may_share(reached, other) for other in met):
                low.refuse(
                    AliasError,
                    f"the called function changes {change.name!r}, and {reached.name!r} is, or may be, two of its "
                    "arguments or of what they hold",
                    "copies in the call, e.g. copy.copy(x)",
                )
            met.append(reached)


def _written(low: Lowering, leaves: list[Scalar | Array], write: plugins.Write, results: list[Atom]) -> None:
    """An argument that the called function writes into gets its new contents."""
    array = leaves[write.param]
    assert isinstance(array, Array)
    others = [v.buffer for k, v in enumerate(leaves) if isinstance(v, Array) and write.meets(k)]
    shared = next((o for o in others if low.memory.may_share(array.buffer, o)), None)
    if shared is not None:
        low.refuse(
            AliasError,
            f"the called function writes into an argument that shares memory with another one, {shared.name!r}",
            "a copy of one of the two",
        )
    if write.result is not None:
        low.write(array, results[write.result])


def _parameters(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> list[Value]:
    """One value for each parameter, defaults filled in."""
    transform = getattr(function, "transform", None)
    if not isinstance(transform, Transform):
        if keywords:
            low.refuse(UnsupportedFunctionError, "a lowered function called with keywords", "positional arguments")
        return arguments
    try:
        bound = transform.signature().bind(*arguments, **keywords)
        transform.check_call(len(arguments), keywords)
    except (TypeError, ValueError) as error:
        low.refuse(UnsupportedFunctionError, f"{function!r}: {error}", "the function's own parameters")
    bound.apply_defaults()
    found: list[Value] = []
    mark = functools.partial(_constant, low, function)
    given = transform.constants().marked(bound.signature, tuple(bound.arguments.values()), mark)
    for name, value in zip(bound.arguments, given, strict=True):
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            found.append(Tuple(tuple(value)))
        elif kind is inspect.Parameter.VAR_KEYWORD:
            found.append(low.memory.new_dict(dict(value), name))
        else:
            found.append(_default(value))
    return found


def _default(value: Any) -> Value:
    """An argument, or the default of one that is not given."""
    if isinstance(value, plugins.Static):
        return Static(value.value)
    return value if isinstance(value, Value) else constant(value)


def _constant(low: Lowering, function: Any, value: Any, argument: int | str) -> Static:
    """The value of a static argument."""
    if isinstance(value, LocalFunction | Derived):
        return Static(_self_contained(low, function, value, argument))
    known = bound(value) if isinstance(value, Partial) else plain(value) if isinstance(value, Value) else (value,)
    if known is None:
        low.refuse(
            UnsupportedFunctionError,
            f"the static argument {argument!r} of {name_of(function.transform.function)} is {describe(value)}, not a "
            "constant",
            "a number in the text, or an argument that is static here too",
        )
    with low.foreign("this call"):
        return Static(statics.constant(function.transform.function, known[0], argument).value)


def bound(value: Partial) -> tuple[object] | None:
    """A partial of constants."""
    function, keywords = plain(value.function), [plain(v) for v in value.keywords.values()]
    before = [plain(v) for v in value.arguments]
    if function is None or None in before or None in keywords:
        return None
    named = dict(zip(value.keywords, [k[0] for k in keywords if k], strict=True))
    return (functools.partial(cast("Any", function[0]), *[b[0] for b in before if b], **named),)


def _self_contained(low: Lowering, function: Any, value: LocalFunction | Derived, argument: int | str) -> Any:
    """A function defined in the code being lowered, which reads nothing of what is around it."""
    from .derived import applied

    inner: Any = value
    while isinstance(inner, Derived):
        inner = inner.function
    if not isinstance(inner, LocalFunction):
        low.refuse(
            UnsupportedFunctionError,
            f"the static argument {argument!r} of {name_of(function.transform.function)} is a transform of "
            f"{describe(inner)} that is defined inside of what is compiled",
            "a function defined outside",
        )
    closed = inner.closes_over()
    if closed is not None:
        low.refuse(
            UnsupportedFunctionError,
            f"the static argument {argument!r} of {name_of(function.transform.function)} is a function that closes "
            f"over {closed!r}, which is known only while this function is compiled",
            f"{closed!r} as a further argument, or a function defined outside",
        )
    return applied(low, value)


def _lowered(low: Lowering, function: Any, structures: tuple[Any, ...]) -> plugins.Lowered:
    """The transformed function's program; what the transform finds wrong is an error at the call."""
    write = "a transform that fits the function and these arguments"
    if not is_ours(type(function)):
        unrepeatable(f"a {type(function).__qualname__}, which makes its program by itself")
    try:
        return function.__adcore_lower__(structures)
    except AdcoreError as error:
        if error.source is not None:
            raise
        refuse(type(error), error.cause, low.source, error.write or write)
    except (TypeError, ValueError) as error:
        low.refuse(UnsupportedFunctionError, str(error), write)


def structure_of(low: Lowering, value: Value, leaves: list[Scalar | Array]) -> Any:
    if isinstance(value, Scalar | Array):
        leaves.append(value)
        shape = value.shape if isinstance(value, Array) else ()
        python = isinstance(value, Scalar) and value.python
        return plugins.Spec(value.dtype, tuple(1 if is_one(n) else None for n in shape), python)
    if isinstance(value, Tuple):
        parts = [structure_of(low, v, leaves) for v in value.items]
        return value.kind(*parts) if hasattr(value.kind, "_fields") else tuple(parts)
    if isinstance(value, List):
        return [structure_of(low, v, leaves) for v in items(low, value)]
    if isinstance(value, Dict):
        return {k: structure_of(low, v, leaves) for k, v in entries(low, value).items()}
    if isinstance(value, Record) and is_structured(value):
        return apart(low, value, lambda v: structure_of(low, v, leaves))
    if isinstance(value, Record) and not is_stated(value):
        return instance(value.kind, [(k, structure_of(low, v, leaves)) for k, v in fields_of(low, value).items()])
    if isinstance(value, Static):
        return plugins.Static(value.value)
    return low.refuse(
        UnsupportedFunctionError, f"{describe(value)} is passed to a transformed function", "numbers and arrays"
    )


def _inlined(low: Lowering, program: Program, operands: list[Atom]) -> list[Atom]:
    """The program's equations emitted here, its parameters being the operands."""
    env: dict[Var, Atom] = {}
    for param, operand in zip(program.params, operands, strict=True):
        lengths: list[Atom] = []
        for inner, outer in zip(param.type.shape, operand.type.shape, strict=True):
            if isinstance(inner, Var):
                env.setdefault(inner, outer)
            lengths.append(env.get(inner, inner) if isinstance(inner, Var) else inner)
        env[param] = low.b.conform(operand, *lengths, checked=True) if lengths else operand
    copy = without_conforming(clone(Program((), program.equations, program.results), env))
    for equation in copy.equations:
        equation.source = equation.source or low.source  # a checkpoint is the call
    low.b.adopt(copy.equations)
    return list(copy.results)


class Incoming:
    """What a called function gives back, and leaves in its arguments."""

    def __init__(
        self, low: Lowering, results: list[Scalar | Array], arguments: list[Value], new: tuple[plugins.New, ...]
    ) -> None:
        self.low = low
        self.results = results
        self.arguments = arguments
        self.new = new
        self.made: dict[int, Reference] = {}

    def change(self, changes: tuple[plugins.Change, ...]) -> None:
        """Change the lists, dicts and objects in the arguments, all of which speak of what was there before."""
        low = self.low
        pending: list[tuple[Reference, Contents]] = []
        for change in (c for c in changes if c.contents is not None):
            target: Any = self.at(change.place)
            contents = self.contents(change.contents)
            if isinstance(contents, Growing):
                self.relate(contents, held(low, target))
            if isinstance(target, Record) and isinstance(contents, Fields):
                contents = Fields({**attributes(low, target), **contents.items})
            pending.append((target, contents))
        for target, contents in pending:
            low.change(target.identity, contents)

    def relate(self, contents: Growing, before: Tuple | Growing) -> None:
        """What shows the items that a list had may be these."""
        memory = self.low.memory
        old = before.items if isinstance(before, Tuple) else before.stores
        for _, reached in (each for item in old for each in reach(memory, item)):
            for store in contents.stores:
                memory.mark(store.buffer, reached)

    def at(self, place: tuple[Any, ...]) -> Value:
        """What is at a place of the arguments."""
        found: Any = self.arguments[place[0]]
        for step in place[1:]:
            if isinstance(step, plugins.Attribute):
                found = attributes(self.low, found)[step.name]
            elif is_structured(found):
                found = field(self.low, found, step)
            else:
                found = entries(self.low, found)[step] if isinstance(found, Dict) else items(self.low, found)[step]
        return found

    def contents(self, structure: Any) -> Contents:
        if isinstance(structure, plugins.Rows):
            return self.growing(structure)
        if isinstance(structure, dict):
            return Fields({k: self.value(v) for k, v in structure.items()})
        return Tuple(tuple(self.value(v) for v in structure))

    def value(self, structure: Any) -> Value:
        low = self.low
        if isinstance(structure, plugins.Leaf):
            return self.results[structure.index]
        if isinstance(structure, plugins.Static):
            return constant(structure.value)
        if isinstance(structure, plugins.Given):
            return self.given(structure)
        if isinstance(structure, plugins.Made):
            return self.object(structure.index)
        if isinstance(structure, plugins.Rows):
            return List(low.memory.identity(self.growing(structure)))
        if isinstance(structure, dict):
            return low.memory.new_dict({k: self.value(v) for k, v in structure.items()})
        if isinstance(structure, list):
            return low.memory.new_list(self.value(v) for v in structure)
        if isinstance(structure, tuple):
            return Tuple(tuple(self.value(v) for v in structure), type(structure))
        if isinstance(structure, Structured):
            return given_back(low, structure, self.value)
        if dataclasses.is_dataclass(structure):
            kind = type(structure)
            return low.memory.new_record(kind, {f: self.value(getattr(structure, f)) for f in field_names(kind)})
        return constant(structure)

    def given(self, structure: plugins.Given) -> Value:
        before = self.at(structure.place)
        if structure.otherwise is None:
            return before
        after = self.results[structure.otherwise.index]
        assert isinstance(before, Array)
        assert isinstance(after, Array)
        self.low.memory.relate([(after.buffer, (before.buffer,))])
        return after

    def object(self, index: int) -> Reference:
        if index not in self.made:
            low, new = self.low, self.new[index]
            identity = low.memory.identity(Tuple(()) if new.kind is list else Fields({}))
            kinds: dict[type, type[List] | type[Dict]] = {list: List, dict: Dict}
            self.made[index] = kinds[new.kind](identity) if new.kind in kinds else Record(identity, new.kind)
            low.memory.change(identity, self.contents(new.contents), low.source)
        return self.made[index]

    def growing(self, structure: plugins.Rows) -> Growing:
        """A list whose length is known at run time."""
        stores: list[Array] = []
        length = self.results[structure.length.index]
        assert isinstance(length, Scalar)
        item = self.item(structure.item, stores)
        return Growing(Scalar(length.atom, True), item, tuple(stores))

    def item(self, structure: Any, stores: list[Array]) -> Any:
        """An item with stand-ins for its numbers and arrays, which go to the stores."""
        low = self.low
        if isinstance(structure, plugins.Leaf):
            store = self.results[structure.index]
            assert isinstance(store, Array)
            stores.append(store)
            if store.rank > 1:
                return Array(Buffer(), store.dtype, store.shape[1:])
            return Scalar(literal(store.dtype.numpy.type(0).item()), True)
        if isinstance(structure, plugins.Static):
            return constant(structure.value)
        if isinstance(structure, tuple):
            return Tuple(tuple(self.item(v, stores) for v in structure), type(structure))
        if isinstance(structure, list):
            inner = Tuple(tuple(self.item(v, stores) for v in structure))
            return Snapshot(List(low.memory.identity(inner)), inner)
        if isinstance(structure, dict):
            fields = Fields({k: self.item(v, stores) for k, v in structure.items()})
            return Snapshot(Dict(low.memory.identity(fields)), fields)
        kind = type(structure)
        fields = Fields({f: self.item(getattr(structure, f), stores) for f in field_names(kind)})
        return Snapshot(Record(low.memory.identity(fields), kind), fields)

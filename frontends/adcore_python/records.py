"""Instances of the user's classes: dataclasses, NamedTuples and plain classes, made and changed by compiled code."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError
from adcore.plugins import Stateful

from .carries import differences
from .classes import generated, is_frozen, is_structured
from .operators import compare, describe
from .outside import constant, is_ours, member
from .strings import plain
from .values import (
    NONE,
    Array,
    Dict,
    Fields,
    List,
    LocalFunction,
    Method,
    Partial,
    Poison,
    Record,
    Static,
    Super,
    Tuple,
    Value,
    number,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "FUNCTIONS",
    "attribute",
    "attributes",
    "deepcopy",
    "equal",
    "field_names",
    "inherited",
    "make",
    "named_tuple",
    "set_attribute",
]

OF_NAMED_TUPLES = ("_replace", "_asdict", "count", "index")


# Making


def make(low: Lowering, kind: type, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """`kind(*arguments, **keywords)`."""
    made = low.memory.new_record(kind, {})
    initialise = inspect.getattr_static(kind, "__init__")
    if initialise is object.__init__:
        if arguments or keywords:
            low.refuse_syntax(f"TypeError: {kind.__name__}() takes no arguments", "the class's own parameters")
    elif generated(initialise) and dataclasses.is_dataclass(kind):
        _initialised(low, made, kind, arguments, keywords)
    else:
        low.call(Static(initialise), [made, *arguments], keywords)
    return made


def _initialised(low: Lowering, made: Record, kind: Any, arguments: list[Value], keywords: dict[str, Value]) -> None:
    """What the `__init__` does that `dataclass` writes for a class."""
    try:
        bound = inspect.signature(kind.__init__).bind(made, *arguments, **keywords).arguments
    except TypeError as error:
        low.refuse_syntax(f"TypeError: {kind.__name__}: {error}", "a value for each field")
    found: dict[str, Value] = dict(attributes(low, made))
    passed: list[Value] = []
    for name, each in kind.__dataclass_fields__.items():
        if _is_class_variable(each):
            continue
        value = bound.get(name) if each.init else None
        if value is None:
            value = _default(low, each)
        if isinstance(each.type, dataclasses.InitVar) or _is_init_variable(each):
            passed.append(value or NONE)
        elif value is not None:
            found[name] = value
    low.memory.change(made.identity, Fields(found), low.source)
    after = inspect.getattr_static(made.kind, "__post_init__", None)
    if after is not None:
        low.call(Static(after), [made, *passed], {})


def _default(low: Lowering, each: Any) -> Value | None:
    if each.default_factory is not dataclasses.MISSING:
        return low.call(Static(each.default_factory), [], {})
    return None if each.default is dataclasses.MISSING else constant(each.default)


def _is_init_variable(each: Any) -> bool:
    return getattr(each, "_field_type", None) is getattr(dataclasses, "_FIELD_INITVAR", ())


def _is_class_variable(each: Any) -> bool:
    return getattr(each, "_field_type", None) is getattr(dataclasses, "_FIELD_CLASSVAR", ())


def named_tuple(low: Lowering, kind: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """An instance of a NamedTuple."""
    defaults = {k: constant(v) for k, v in kind._field_defaults.items()}
    given = {**defaults, **dict(zip(kind._fields, arguments, strict=False)), **keywords}
    if len(arguments) > len(kind._fields) or set(given) != set(kind._fields):
        low.refuse_syntax(f"{kind.__name__} takes the fields {', '.join(kind._fields)}", "a value for each field")
    return Tuple(tuple(given[name] for name in kind._fields), kind)


# Attributes


def attributes(low: Lowering, owner: Record) -> dict[str, Value]:
    """What the object holds now."""
    contents = low.memory.contents(owner.identity)
    if isinstance(contents, Poison):
        low.refuse_syntax(contents.cause, contents.write)
    assert isinstance(contents, Fields)
    return contents.items


def attribute(low: Lowering, owner: Record | Tuple, name: str) -> Value:
    """`owner.name`."""
    kind = owner.kind
    found = inspect.getattr_static(kind, name, None)
    if issubclass(kind, Stateful) and not is_ours(low.frame.python):
        _require_drawing(low, name, found)
    if isinstance(found, property):
        return low.call(constant(found.fget), [owner], {})
    own = attributes(low, owner) if isinstance(owner, Record) else dict(zip(kind._fields, owner.items, strict=True))  # type: ignore[attr-defined]
    if name in own:
        value = own[name]
        if isinstance(value, Poison):
            low.refuse_syntax(value.cause, value.write)
        return value
    if name == "__class__":
        return Static(kind)
    if isinstance(owner, Tuple) and name in OF_NAMED_TUPLES:
        return Method(owner, name)
    if found is None or isinstance(found, types.MemberDescriptorType):
        low.refuse_syntax(f"{kind.__name__!r} object has no attribute {name!r}", "an attribute that the object has")
    return _of_class(low, owner, name, found)


def _require_drawing(low: Lowering, name: str, found: Any) -> None:
    """Refuse what a generator does not have, and methods of NumPy's that are not supported."""
    if not hasattr(np.random.Generator, name):
        low.refuse_syntax(f"'Generator' object has no attribute {name!r}", "an attribute that the object has")
    if found is None:
        cause = f"numpy.random.Generator.{name} is not supported"
        low.refuse(UnsupportedFunctionError, cause, "random numbers drawn outside and passed as an argument")


def _of_class(low: Lowering, owner: Record | Tuple | Static, name: str, found: Any) -> Value:
    kind = type(owner.value) if isinstance(owner, Static) else owner.kind
    if isinstance(found, types.FunctionType):
        return Partial(Static(found), (owner,), {})
    if isinstance(found, staticmethod):
        return Static(found.__func__)
    if isinstance(found, classmethod):
        return Partial(Static(found.__func__), (Static(kind),), {})
    if isinstance(found, functools.cached_property) and isinstance(owner, Record):
        value = low.call(Static(found.func), [owner], {})
        low.memory.change(owner.identity, Fields({**attributes(low, owner), name: value}), low.source)
        return value
    if hasattr(type(found), "__get__"):
        low.refuse_syntax(
            f"attribute {name!r} of {describe(owner)} is computed in a way that is not supported", "a method"
        )
    return member(low, kind, name, found)


def inherited(low: Lowering, owner: Super, name: str) -> Value:
    """`super().name`."""
    own = owner.owner
    if not isinstance(own, Record | Tuple | Static):
        low.refuse_syntax(f"super() of {describe(own)}", "the function of the base class by name")
    after = own.kind.__mro__ if isinstance(own, Record | Tuple) else type(own.value).__mro__
    if owner.kind not in after:
        low.refuse_syntax(f"super() of {describe(own)}", "the function of the base class by name")
    for kind in after[after.index(owner.kind) + 1 :]:
        if name in vars(kind):
            found = vars(kind)[name]
            if isinstance(found, property):
                return low.call(constant(found.fget), [owner.owner], {})
            if kind is object and name == "__init__":
                return Partial(Static(_nothing), (), {})
            if generated(found) and name == "__init__":
                return Partial(Static(_initialise), (Static(kind), owner.owner), {})
            return _of_class(low, owner.owner, name, found)
    return low.refuse_syntax(f"'super' object has no attribute {name!r}", "an attribute that a base class has")


def _nothing() -> None:
    """`object.__init__`."""


def _initialise(kind: Any, owner: Any) -> None:
    """The `__init__` of a dataclass, called by name."""


def set_attribute(low: Lowering, owner: Value, name: str, value: Value, forced: bool = False) -> None:
    """`owner.name = value`; `forced` as by `object.__setattr__`."""
    from . import structured_arrays

    if is_structured(owner):
        structured_arrays.set_attribute(low, owner, name, value)
        return
    if isinstance(owner, LocalFunction):
        _mark_function(low, owner, name, value)
        return
    if not isinstance(owner, Record):
        outside = isinstance(owner, Static) and not isinstance(owner.value, type)
        what = f"{describe(owner)} from outside the function" if outside else describe(owner)
        low.refuse_syntax(
            f"assigning to attribute {name!r} of {what}", "an object that is an argument or made in the function"
        )
    if is_frozen(owner.kind) and not forced:
        low.refuse_syntax(
            f"FrozenInstanceError: cannot assign to field {name!r}", "dataclasses.replace(x, field=value)"
        )
    found = inspect.getattr_static(owner.kind, name, None)
    if isinstance(found, property):
        if found.fset is None:
            low.refuse_syntax(f"property {name!r} of {describe(owner)} has no setter", "an attribute of its own")
        low.call(constant(found.fset), [owner, value], {})
        return
    known = attributes(low, owner)
    if name not in known or any(differences(known[name], value)):
        low.change(owner.identity, Fields({**known, name: value}))


# Functions of `dataclasses` and `copy`, and builtin functions of objects


def field_names(kind: type) -> list[str]:
    """The fields of a dataclass."""
    return [f.name for f in dataclasses.fields(kind)]


def _instance(low: Lowering, value: Value, name: str) -> Record:
    if not isinstance(value, Record) or not dataclasses.is_dataclass(value.kind):
        low.refuse(UnsupportedFunctionError, f"{name}() of {describe(value)}", "an instance of a dataclass")
    return value


def _replace(low: Lowering, obj: Value, /, **changes: Value) -> Value:
    record = _instance(low, obj, "replace")
    known = attributes(low, record)
    given = {f.name: known[f.name] for f in dataclasses.fields(record.kind) if f.init}
    fixed = [f.name for f in dataclasses.fields(record.kind) if not f.init and f.name in changes]
    if fixed:
        low.refuse_syntax(
            f"field {fixed[0]} is declared with init=False, it cannot be specified with replace()", "x.f = y"
        )
    return make(low, record.kind, [], {**given, **changes})


def _deep(low: Lowering, value: Value, record: Any) -> Value:
    """A copy all through; `record` makes what takes the place of a dataclass."""
    again = lambda v: _deep(low, v, record)  # noqa: E731
    if isinstance(value, Record) and dataclasses.is_dataclass(value.kind):
        known = attributes(low, value)
        return record(value.kind, {name: again(known[name]) for name in field_names(value.kind)})
    if isinstance(value, List):
        from .statements import items_of

        return low.memory.new_list(again(v) for v in items_of(low, value))
    if isinstance(value, Dict):
        from .containers import entries

        return low.memory.new_dict({k: again(v) for k, v in entries(low, value).items()})
    if isinstance(value, Tuple):
        return Tuple(tuple(again(v) for v in value.items), value.kind)
    return _copied(low, value)


def _copied(low: Lowering, value: Value) -> Value:
    return low.array(low.atom(value)) if isinstance(value, Array) else value


def _asdict(low: Lowering, obj: Value) -> Value:
    return _deep(low, _instance(low, obj, "asdict"), lambda _, fields: low.memory.new_dict(fields))


def _astuple(low: Lowering, obj: Value) -> Value:
    return _deep(low, _instance(low, obj, "astuple"), lambda _, fields: Tuple(tuple(fields.values())))


def _fields(low: Lowering, class_or_instance: Value) -> Value:
    kind = (
        class_or_instance.value if isinstance(class_or_instance, Static) else getattr(class_or_instance, "kind", None)
    )
    if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        low.refuse(UnsupportedFunctionError, f"fields() of {describe(class_or_instance)}", "a dataclass")
    return Tuple(tuple(Static(f) for f in dataclasses.fields(kind)))


def _is_dataclass(low: Lowering, obj: Value) -> Value:
    kind = obj.value if isinstance(obj, Static) else getattr(obj, "kind", None)
    return number(dataclasses.is_dataclass(kind))


def _copy(low: Lowering, x: Value) -> Value:
    """`copy.copy`."""
    from .containers import entries, held

    if isinstance(x, Record):
        return low.memory.new_record(x.kind, dict(attributes(low, x)))
    if isinstance(x, List):
        return List(low.memory.identity(held(low, x)))
    if isinstance(x, Dict):
        return low.memory.new_dict(dict(entries(low, x)))
    return _copied(low, x)


def deepcopy(low: Lowering, x: Value) -> Value:
    """`copy.deepcopy`: every array, list, dict and object in it anew."""
    from .reach import reach

    reached = [each for _, each in reach(low.memory, x)]
    if len(set(map(id, reached))) < len(reached):
        low.refuse(UnsupportedFunctionError, "deepcopy of something that holds one object twice", "copies made by hand")
    if isinstance(x, Record) and not dataclasses.is_dataclass(x.kind):
        low.refuse(UnsupportedFunctionError, f"deepcopy of {describe(x)}", "an instance of a dataclass")
    return _deep(low, x, low.memory.new_record)


def _mark_function(low: Lowering, function: LocalFunction, name: str, value: Value) -> None:
    """`f.name = value`, of a constant and of a function defined in the same region."""
    if function.scope is not low.memory.scope:
        what = f"attribute {name!r} of {function.name!r} is assigned in a branch or loop, or in another function"
        low.refuse_syntax(what, f"{function.name}.{name} = … next to the definition")
    if plain(value) is None:
        low.refuse_syntax(f"attribute {name!r} of {function.name!r} is no constant", "an argument of the function")
    function.attributes[name] = value


def _constant_name(low: Lowering, name: Value) -> str:
    found = plain(name)
    if found is None or not isinstance(found[0], str):
        low.refuse_syntax("the name of an attribute is not a constant string", "x.name")
    return found[0]


def _getattr(low: Lowering, object: Value, name: Value, *default: Value) -> Value:
    from .expressions import attribute_of

    if default and not _has(low, object, _constant_name(low, name)):
        return default[0]
    return attribute_of(low, object, _constant_name(low, name))


def _hasattr(low: Lowering, obj: Value, name: Value) -> Value:
    return number(_has(low, obj, _constant_name(low, name)))


def _has(low: Lowering, value: Value, name: str) -> bool:
    from . import structured_arrays

    if isinstance(value, Record) and is_structured(value):
        return hasattr(structured_arrays.layout_of(value).kind, name) or structured_arrays.by_attribute(value, name)
    if isinstance(value, Record):
        return name in attributes(low, value) or hasattr(value.kind, name)
    if isinstance(value, Tuple):
        return hasattr(value.kind, name)
    if isinstance(value, Static):
        return hasattr(value.value, name)
    if isinstance(value, LocalFunction) and not name.startswith("__"):
        return name in value.attributes
    return low.refuse_syntax(f"hasattr of {describe(value)}", "a test of what the value is, isinstance(x, C)")


def _setattr(low: Lowering, obj: Value, name: Value, value: Value) -> Value:
    set_attribute(low, obj, _constant_name(low, name), value)
    return NONE


def _force_attribute(low: Lowering, obj: Value, name: Value, value: Value) -> Value:
    set_attribute(low, obj, _constant_name(low, name), value, forced=True)
    return NONE


def _lower_nothing(low: Lowering) -> Value:
    return NONE


def _lower_initialise(low: Lowering, kind: Value, owner: Value, *arguments: Value, **keywords: Value) -> Value:
    if isinstance(owner, Record) and isinstance(kind, Static):
        _initialised(low, owner, kind.value, list(arguments), keywords)
    return NONE


FUNCTIONS: dict[Any, Any] = {
    _nothing: _lower_nothing,
    _initialise: _lower_initialise,
    copy.copy: _copy,
    copy.deepcopy: deepcopy,
    dataclasses.asdict: _asdict,
    dataclasses.astuple: _astuple,
    dataclasses.fields: _fields,
    dataclasses.is_dataclass: _is_dataclass,
    dataclasses.replace: _replace,
    getattr: _getattr,
    hasattr: _hasattr,
    setattr: _setattr,
    object.__setattr__: _force_attribute,
}


# Comparison


def equal(low: Lowering, x: Value, y: Value) -> Value | None:
    """`x == y` by the method that `dataclass` writes; None where neither has one."""
    for one, other in ((x, y), (y, x)):
        if isinstance(one, Record) and generated(inspect.getattr_static(one.kind, "__eq__", None)):
            if not isinstance(other, Record) or other.kind is not one.kind:
                return number(False)
            names = [f.name for f in dataclasses.fields(one.kind) if f.compare]
            pair = [Tuple(tuple(attributes(low, r)[n] for n in names)) for r in (x, y) if isinstance(r, Record)]
            return compare(low, "==", *pair)
    return None

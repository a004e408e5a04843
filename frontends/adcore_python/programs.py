"""A function's Program: its arguments from structures of specs to values, and what it comes to."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from adcore import plugins
from adcore.errors import UnsupportedFunctionError
from adcore.program import Program
from adcore.structured import Structured

from .classes import is_user_class
from .containers import entries
from .joins import Diverges
from .numba_types import refuse_boxed
from .outgoing import Outgoing
from .outside import constant, make_param
from .records import field_names
from .structured_arrays import of_parts
from .values import NONE, Array, Dict, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["finished", "given", "value_of"]

Place = tuple[Any, ...]


def value_of(low: Lowering, structure: Any, name: str, place: Place) -> Value:
    """The value of an argument of which the structure is given; makes parameters of the Program."""
    if isinstance(structure, plugins.Spec):
        value = make_param(low, structure, name)
        if isinstance(value, Array):
            low.lent[len(low.params) - 1] = value.buffer
        low.places[value.buffer if isinstance(value, Array) else value.atom] = place
        return value
    if isinstance(structure, plugins.Static):
        refuse_boxed(low, structure.value, name)
        return constant(structure.value)
    if isinstance(structure, Structured):
        made = of_parts(
            low, structure, name, lambda field, child: value_of(low, child, f"{name}[{field!r}]", (*place, field))
        )
        low.places[made.identity] = place
        return made
    if isinstance(structure, dict):
        return _lent(low, low.memory.new_dict(dict(_parts(low, structure.items(), name, place)), name), place)
    if isinstance(structure, list):
        found = [v for _, v in _parts(low, enumerate(structure), name, place)]
        return _lent(low, low.memory.new_list(found, name), place)
    if isinstance(structure, tuple):
        fields = getattr(structure, "_fields", None)
        items = [
            value_of(low, v, f"{name}.{fields[k]}" if fields else f"{name}[{k}]", (*place, k))
            for k, v in enumerate(structure)
        ]
        return Tuple(tuple(items), type(structure))
    if dataclasses.is_dataclass(structure) and not isinstance(structure, type):
        return _instance_of(low, structure, name, place)
    return constant(structure)


def _parts(low: Lowering, parts: Iterable[tuple[Any, Any]], name: str, place: Place) -> Iterator[tuple[Any, Value]]:
    for key, part in parts:
        yield key, value_of(low, part, f"{name}[{key!r}]", (*place, key))


def _lent(low: Lowering, value: Any, place: Place) -> Value:
    """A list, dict or object of the caller's."""
    low.places[value.identity] = place
    low.lent_objects.append((value, low.memory.contents(value.identity)))
    return value


def _instance_of(low: Lowering, structure: Any, name: str, place: Place) -> Value:
    kind, first = type(structure), len(low.params)
    if not is_user_class(kind):
        low.refuse(
            UnsupportedFunctionError,
            f"{name!r} is a {kind.__name__}, a dataclass with methods that Python calls by itself, e.g. __getattr__",
            "a plain dataclass",
        )
    plain = not issubclass(kind, plugins.Stateful)
    known = {
        f: value_of(low, getattr(structure, f), f"{name}.{f}" if plain else name, (*place, plugins.Attribute(f)))
        for f in field_names(kind)
    }
    if not plain:
        low.states.update(range(first, len(low.params)))
    return _lent(low, low.memory.new_record(kind, known, name), place)


def given(
    low: Lowering, parameters: Iterable[inspect.Parameter], arguments: tuple[Any, ...]
) -> tuple[list[Value], dict[str, Value]]:
    """The values of arguments of these structures, by position and by name as the parameters demand."""
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    # Parameters that are missing have defaults.
    for position, (parameter, structure) in enumerate(zip(parameters, arguments, strict=False)):
        value = value_of(low, structure, parameter.name, (position,))
        if parameter.kind is parameter.VAR_POSITIONAL and isinstance(value, Tuple):
            positional.extend(value.items)
        elif parameter.kind is parameter.VAR_KEYWORD and isinstance(value, Dict):
            keywords.update(entries(low, value))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    return positional, keywords


def finished(low: Lowering, lowering: Callable[[], Value], name: str) -> plugins.Lowered:
    """What a lowering comes to; a function that always raises returns nothing."""
    try:
        value = lowering()
    except Diverges:
        value = NONE
    outgoing = Outgoing(low)
    structure = outgoing.result(value)
    changes, made = outgoing.changes()
    results = outgoing.results
    writes: list[plugins.Write] = []
    for param, buffer in low.lent.items():
        contents = low.memory.read(buffer)
        state = param in low.states
        if buffer in low.memory.doubtful:
            writes.append(plugins.Write(param, None, True, low.memory.doubtful[buffer], state=state))
        elif contents is not low.params[param]:
            writes.append(plugins.Write(param, len(results), state=state))
            results.append(contents)
    program = Program(tuple(low.params), low.b.equations, tuple(results), "f" if name == "<lambda>" else name)
    return plugins.Lowered(program, structure, tuple(low.captures), tuple(low.guards), tuple(writes), changes, made)

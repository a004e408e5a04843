"""Why a function cannot be pickled: the thing that cannot, and by which names it is reached."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from ..dispatch import Transformed
from ..errors import PickleError
from ..signatures import definition, name_of
from .functions import contents_of, globals_read

__all__ = ["explained"]

DEPTH = 50
WRITE = "this as an argument, or made inside of the function"
Part = tuple[str, str, Any]  # how a function has it, the path from there, and the thing


def explained(thing: Any, error: Exception, is_possible: Callable[[Any], bool]) -> PickleError:
    """The error for what cannot be pickled, `is_possible` telling whether a part of it can."""
    owner: Any = thing
    part, how, path = thing, "is", ""
    for _ in range(DEPTH):
        found = next((each for each in _parts(part) if not is_possible(each[2])), None)
        if found is None:
            break
        has, step, part = found
        how, path = (has, step) if has else (how, path + step)
        if isinstance(part, Transformed | types.FunctionType):
            owner, how, path = part, "is", ""
    kind = f"{type(part).__module__}.{type(part).__qualname__}".removeprefix("builtins.")
    has = " ".join(filter(None, (how, path and f"{path},", f"a {kind}")))
    cause = f"{name_of(thing)} cannot be pickled: {name_of(owner)} {has} ({error})"
    return PickleError(cause, definition(owner), WRITE)


def _parts(thing: Any) -> Iterator[Part]:
    """What is pickled with a thing."""
    if isinstance(thing, Transformed):
        for field in dataclasses.fields(thing.transform):
            yield "has a transform with", field.name, getattr(thing.transform, field.name)
    elif isinstance(thing, types.FunctionType):
        yield from _parts_of_function(thing)
    elif isinstance(thing, types.MethodType):
        yield "", "", thing.__func__
        yield "is a method of", type(thing.__self__).__name__, thing.__self__
    elif isinstance(thing, functools.partial):
        yield "", "", thing.func
        yield "has bound arguments", "", (*thing.args, *thing.keywords.values())
    elif isinstance(thing, dict):
        yield from (("", f"[{key!r}]", value) for key, value in thing.items())
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from (("", f"[{k}]", value) for k, value in enumerate(thing))
    elif not isinstance(thing, type | types.ModuleType):
        yield from (("", f".{name}", value) for name, value in getattr(thing, "__dict__", {}).items())


def _parts_of_function(function: types.FunctionType) -> Iterator[Part]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield from (("closes over", name, value) for value in contents_of(cell))
    yield from (("reads the global", name, value) for name, value in globals_read(function))
    yield "has the defaults", "", function.__defaults__
    yield "has the defaults", "", function.__kwdefaults__
    yield "has attributes", "", {k: v for k, v in vars(function).items() if k != "__adcore_derived__"}

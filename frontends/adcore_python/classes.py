"""The user's classes: which of them compiled code can make instances of, and what their attributes are."""

from __future__ import annotations

import abc
import dataclasses
import inspect
import types
from typing import Any, TypeGuard

from adcore.dispatch import Transformed
from adcore.structured import Layout

from .source import NAMELESS
from .values import Dict, List, Partial, Record, Static, Tuple, Value

__all__ = [
    "StructuredValue",
    "class_of",
    "generated",
    "is_frozen",
    "is_named_tuple",
    "is_stated",
    "is_structured",
    "is_user_class",
    "special",
    "written_method",
]

HEAP = 1 << 9


class StructuredValue:
    """What the classes of NumPy's structured arrays and records in compiled functions have in common."""

    layout: Layout


def is_structured(value: Any) -> TypeGuard[Record]:
    """Whether something is a structured array or record."""
    return isinstance(value, Record) and issubclass(value.kind, StructuredValue)


def is_stated(value: Any) -> TypeGuard[Record]:
    """Whether something is a function with a derivative of its own that the code being lowered defines."""
    return isinstance(value, Record) and issubclass(value.kind, Transformed)


def is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def is_user_class(kind: Any) -> bool:
    """Whether instances are nothing but their attributes: a class written in Python, without magic of its own."""
    if not isinstance(kind, type) or type(kind) not in (type, abc.ABCMeta) or not kind.__flags__ & HEAP:
        return False
    plain = (c for c in kind.__mro__ if not (c is object or c.__flags__ & HEAP or c.__module__ == "typing"))
    own = inspect.getattr_static(kind, "__setattr__")
    return (
        not any(plain)
        and not inspect.isabstract(kind)
        and inspect.getattr_static(kind, "__new__") is inspect.getattr_static(object, "__new__")
        and inspect.getattr_static(kind, "__getattribute__") is object.__getattribute__
        and inspect.getattr_static(kind, "__getattr__", None) is None
        and (own is object.__setattr__ or generated(own))
    )


def generated(function: Any) -> bool:
    """Whether a method was written by `dataclass`, so that it has no source text."""
    code = function.__code__ if isinstance(function, types.FunctionType) else None
    if code is None or code.co_filename != NAMELESS:
        return code is not None and code.co_filename == "<string>"
    return code.co_qualname.startswith("__create_fn__.")


def is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return dataclasses.is_dataclass(kind) and parameters is not None and parameters.frozen


def class_of(value: Value) -> type | None:
    """The class of an object that may have methods of the user's own."""
    if isinstance(value, Record):
        return value.kind
    if isinstance(value, Tuple):
        return value.kind if is_named_tuple(value.kind) else None
    if isinstance(value, Static) and not isinstance(value.value, type) and type(value.value).__flags__ & HEAP:
        return type(value.value)
    return None


def written_method(kind: type | None, name: str) -> types.FunctionType | None:
    """The method of that name, if the user has written one."""
    found = inspect.getattr_static(kind, name, None) if kind is not None else None
    return found if isinstance(found, types.FunctionType) and not generated(found) else None


def special(value: Value, name: str) -> Value | None:
    """The object's method of a special name, e.g. `__add__`, ready to be called; None where the class has none."""
    if isinstance(value, List | Dict):
        return None
    found = written_method(class_of(value), name)
    return None if found is None else Partial(Static(found), (value,), {})

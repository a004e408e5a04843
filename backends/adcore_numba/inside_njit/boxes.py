"""Pullbacks and pushforwards that functions compiled by Numba give to Python, and take from it."""

from __future__ import annotations

from typing import Any

from numba import njit
from numba.core import cgutils, types
from numba.extending import NativeValue, box, typeof_impl, unbox

from adcore.errors import PickleError

from .maps import LinearMapType

__all__ = ["BoxedMap"]


class BoxedMap:
    """A pullback or pushforward that comes from a function compiled by Numba; calls are compiled by Numba too.

    What is given for an array has its dtype and is an array.
    """

    def __init__(self, kind: LinearMapType, kept: tuple[Any, ...]) -> None:
        self.kind = kind
        self.kept = kept

    def __call__(self, *given: Any) -> Any:
        return _called(self, *given)

    def __repr__(self) -> str:
        return f"<{self.kind.map.name} of {self.kind.map.function}>"

    def __reduce__(self) -> Any:
        cause = f"a {self.kind.map.name} holds residuals in compiled code"
        raise PickleError(cause, write="the function, at its arguments")


@njit
def _called(map, *given):
    return map(*given)


@typeof_impl.register(BoxedMap)
def _typeof(value: BoxedMap, context: Any) -> LinearMapType:
    return value.kind


def _tuple_of(kind: LinearMapType) -> Any:
    return types.Tuple(kind.map.kept)


@box(LinearMapType)
def _boxed(kind: LinearMapType, value: Any, c: Any) -> Any:
    parts = cgutils.create_struct_proxy(kind)(c.context, c.builder, value=value)
    kept = [getattr(parts, name) for name in kind.fields]
    held = c.box(_tuple_of(kind), c.context.make_tuple(c.builder, _tuple_of(kind), kept))
    made = c.pyapi.unserialize(c.pyapi.serialize_object(BoxedMap))
    described = c.pyapi.unserialize(c.pyapi.serialize_object(kind))
    found = c.pyapi.call_function_objargs(made, (described, held))
    for each in (made, described, held):
        c.pyapi.decref(each)
    return found


@unbox(LinearMapType)
def _unboxed(kind: LinearMapType, value: Any, c: Any) -> NativeValue:
    held = c.pyapi.object_getattr_string(value, "kept")
    native = c.unbox(_tuple_of(kind), held)
    parts = cgutils.create_struct_proxy(kind)(c.context, c.builder)
    for name, part in zip(kind.fields, cgutils.unpack_tuple(c.builder, native.value), strict=True):
        setattr(parts, name, part)
    c.pyapi.decref(held)
    return NativeValue(parts._getvalue(), is_error=native.is_error, cleanup=native.cleanup)

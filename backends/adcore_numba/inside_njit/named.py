"""What the types of adcore's functions have in common that are named in functions compiled by Numba."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typing.templates import signature as signature_of
from numba.extending import register_model

from adcore.errors import AdcoreError, UnsupportedFunctionError

from .calls import Call, implement
from .failures import refused
from .types import function_of

__all__ = ["NamedType"]


class NamedType(types.Callable, types.Dummy):
    """Numba's type of a function of adcore's."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.named = function
        self.implementations: dict[tuple[Any, ...], Any] = {}
        super().__init__(f"adcore.{function.__name__}")

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        """The signature of a call.

        Raises:
            TypingError: in adcore's words.
        """
        try:
            return self.resolved(context, args, dict(kws))
        except (AdcoreError, TypeError, ValueError) as error:
            raise refused(error) from None

    def resolved(self, context: Any, args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        """The signature of a call."""
        raise NotImplementedError

    def get_call_signatures(self) -> tuple[tuple[Any, ...], bool]:
        return (), True

    def get_impl_key(self, sig: Any) -> object:
        return self.implementations[sig.args]

    def function(self, kind: Any) -> Any:
        """The function that is an argument, by Numba's type of it."""
        found = function_of(kind)
        if found is None:
            name = self.named.__name__
            cause = f"{name} of a {kind} inside @njit; it takes functions compiled by Numba, and derivatives"
            raise UnsupportedFunctionError(cause, write=f"{name}(f) outside, and a call of that, or @njit before f")
        return found

    def at_point(
        self, derivative: Any, pysig: inspect.Signature, bound: dict[str, Any], names: list[str], options: list[str]
    ) -> Any:
        """The signature of a call that calls a derivative.

        Args:
            derivative: its type.
            pysig: the parameters of the call.
            bound: the types of what is given for them.
            names: the parameters that are the derivative's arguments by position.
            options: those that it is given by name.
        """
        by_name = {n: bound[n] for n in options}
        inner, kinds = derivative.bound(tuple(bound[n] for n in names), by_name, by_name=True)
        call = derivative.call(kinds)
        order, rest, places = list(pysig.parameters), iter(names), []
        for kind, p in zip(kinds, inner.parameters.values(), strict=True):
            if p.kind is p.VAR_POSITIONAL:
                taken = list(itertools.islice(rest, len(kind)))
                bound |= zip(taken, kind, strict=True)
                places.append((kind, tuple(map(order.index, taken))))
            elif isinstance(kind, types.Omitted):
                places.append((None, ()))
            else:
                name = p.name if p.name in by_name else next(rest)
                bound |= {name: kind}
                places.append((None, (order.index(name),)))
        outer = tuple(bound.get(p.name, types.Omitted(p.default)) for p in pysig.parameters.values())
        self.implementations[outer] = made = AtPoint(call, tuple(places))
        implement(made, made.emit)
        return signature_of(call.type, *outer).replace(pysig=pysig)


@dataclass(frozen=True, eq=False)
class AtPoint:
    """A call of a derivative with some of the arguments of another call.

    Attributes:
        call: of the derivative.
        places: for each of its parameters the arguments that are given for it, and of a tuple of them its type.
    """

    call: Call
    places: tuple[tuple[Any, tuple[int, ...]], ...]

    def emit(self, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given: list[Any] = []
        for kind, indices in self.places:
            values = [arguments[k] for k in indices]
            if kind is None:
                given.append(values[0] if values else None)
            else:
                given.append(context.make_tuple(builder, kind, values))
        return self.call.emit(context, builder, signature, given)


def registered(kind: type[NamedType]) -> type[NamedType]:
    """The class, of whose types Numba knows that their values are all in the type."""
    register_model(kind)(models.OpaqueModel)
    lower_constant(kind)(_constant)
    return kind


def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()

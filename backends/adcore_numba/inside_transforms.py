"""Transforms that are named in functions compiled by Numba: `grad(f)(x)`, `jvp(f, (x,), (v,))`.

The function that is transformed is one that Numba knows: compiled by `@njit`, or a derivative.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typing.templates import infer_global
from numba.core.typing.templates import signature as signature_of
from numba.core.typing.typeof import typeof
from numba.extending import register_model

import adcore
from adcore.errors import AdcoreError, UnsupportedFunctionError

from .inside_calls import Call, implement
from .inside_failures import refused
from .inside_types import function_of, static_of

__all__ = ["AT_A_POINT", "MAKING", "SPLITTING", "TransformType"]

MAKING = (
    *(adcore.grad, adcore.value_and_grad, adcore.jit, adcore.vmap),
    *(adcore.hessian, adcore.jacobian, adcore.jacfwd, adcore.jacrev, adcore.laplacian, adcore.hessian_diagonal),
)
AT_A_POINT = (adcore.jvp, adcore.hvp, adcore.vhp)
SPLITTING = (adcore.vjp, adcore.linearize)


class TransformType(types.Callable, types.Dummy):
    """Numba's type of a transform, whose calls give derivatives, or values of them at a point."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform
        self.implementations: dict[tuple[Any, ...], Any] = {}
        super().__init__(f"adcore.{transform.__name__}")

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
        pysig, points = self.parameters(len(args) - 1)
        bound = pysig.bind(*args, **kws).arguments
        name = next(iter(pysig.parameters))
        function = self.function(bound.get(name, types.none))
        kinds = tuple(bound.get(p.name, types.Omitted(p.default)) for p in pysig.parameters.values())
        point = [n for n in points if n in bound]
        options = {n: static_of(kind, n).value for n, kind in bound.items() if n != name and n not in point}
        derivative: Any = typeof(_made(self.transform, function, tuple(options.items())))
        if not point:
            if kinds not in self.implementations:
                self.implementations[kinds] = object()
                implement(self.implementations[kinds], _nothing)
            return signature_of(derivative, *kinds).replace(pysig=pysig)
        inner = derivative.get_call_type(context, tuple(bound[n] for n in point), {})
        taken = [given for kind, variadic in _kinds(inner) for given in (kind if variadic else [kind])][: len(point)]
        kinds = (kinds[0], *taken, *kinds[1 + len(taken) :])
        self.implementations[kinds] = AtAPoint(derivative.get_impl_key(inner), inner, len(taken))
        implement(self.implementations[kinds], self.implementations[kinds].emit)
        return signature_of(inner.return_type, *kinds).replace(pysig=pysig)

    def parameters(self, count: int) -> tuple[inspect.Signature, list[str]]:
        """The parameters as Numba is told of them, and the names of those that are a point; one for each of `*primals`.

        Args:
            count: how many arguments there are behind the function, by position.
        """
        found: list[inspect.Parameter] = []
        for p in inspect.signature(self.transform).parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                found += [p.replace(name=f"{p.name}_{k}", kind=p.POSITIONAL_ONLY) for k in range(count)]
            else:
                found.append(p.replace(kind=p.POSITIONAL_OR_KEYWORD))
        if self.transform in SPLITTING:
            found[0] = found[0].replace(kind=inspect.Parameter.POSITIONAL_ONLY, default=inspect.Parameter.empty)
            return inspect.Signature(found), [p.name for p in found[1 : 1 + count]]
        return inspect.Signature(found), [p.name for p in found[1:3]] if self.transform in AT_A_POINT else []

    def function(self, kind: Any) -> Any:
        """The function that is transformed, by Numba's type of it."""
        found = function_of(kind)
        if found is None:
            name = self.transform.__name__
            cause = f"{name} of a {kind} inside @njit; it takes functions compiled by Numba, and derivatives"
            raise UnsupportedFunctionError(cause, write=f"{name}(f) outside, and a call of that, or @njit before f")
        return found

    def get_call_signatures(self) -> tuple[tuple[Any, ...], bool]:
        return (), True

    def get_impl_key(self, sig: Any) -> object:
        return self.implementations[sig.args]


@functools.cache
def _made(transform: Any, function: Any, options: tuple[tuple[str, Any], ...]) -> Any:
    return transform(function, **dict(options))


def _kinds(signature: Any) -> Iterator[tuple[Any, bool]]:
    """The types of a derivative's arguments, and whether each is that of the tuple of `*args`."""
    for kind, p in zip(signature.args, signature.pysig.parameters.values(), strict=True):
        yield kind, p.kind is p.VAR_POSITIONAL


@dataclass(frozen=True, eq=False)
class AtAPoint:
    """A call of a derivative at a point, with the function in front of its arguments.

    Attributes:
        call: of the derivative.
        signature: of the derivative.
        count: how many arguments the point has.
    """

    call: Call
    signature: Any
    count: int

    def emit(self, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = iter(arguments[1 : 1 + self.count])
        given: list[Any] = []
        for kind, variadic in _kinds(self.signature):
            items = list(itertools.islice(values, len(kind) if variadic else 1))
            given += [context.make_tuple(builder, kind, items)] if variadic else items
        return self.call.emit(context, builder, signature, given)


def _nothing(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """A derivative is all in its type."""
    return context.get_dummy_value()


register_model(TransformType)(models.OpaqueModel)


@lower_constant(TransformType)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


for _transform in (*MAKING, *AT_A_POINT, *SPLITTING):
    infer_global(_transform, TransformType(_transform))

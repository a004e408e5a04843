"""Transforms that are named in functions compiled by Numba: `grad(f)(x)`, `jvp(f, (x,), (v,))`.

The function that is transformed is one that Numba knows: compiled by `@njit`, or a derivative.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any

from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typing.templates import infer_global
from numba.core.typing.templates import signature as signature_of
from numba.extending import register_model

import adcore
from adcore.errors import AdcoreError, UnsupportedFunctionError

from .inside import DerivativeType, type_of
from .inside_calls import Call, implement
from .inside_failures import refused
from .inside_types import static_of

__all__ = ["AT_A_POINT", "MAKING", "TransformType"]

MAKING = (
    *(adcore.grad, adcore.value_and_grad, adcore.jit, adcore.vmap),
    *(adcore.hessian, adcore.jacobian, adcore.jacfwd, adcore.jacrev, adcore.laplacian, adcore.hessian_diagonal),
)
AT_A_POINT = (adcore.jvp, adcore.hvp, adcore.vhp)


class TransformType(types.Callable, types.Dummy):
    """Numba's type of a transform, whose calls give derivatives, or values of them at a point."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform
        self.signature = inspect.signature(transform)
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
        pysig = self.signature.replace(
            parameters=[p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in self.signature.parameters.values()]
        )
        bound = pysig.bind(*args, **kws).arguments
        name = next(iter(pysig.parameters))
        function = self.function(bound.get(name, types.none))
        kinds = tuple(bound.get(p.name, types.Omitted(p.default)) for p in pysig.parameters.values())
        point = [n for n in list(pysig.parameters)[1:3] if n in bound] if self.transform in AT_A_POINT else []
        options = {n: static_of(kind, n).value for n, kind in bound.items() if n != name and n not in point}
        derivative = type_of(_made(self.transform, function, tuple(options.items())))
        if not point:
            if kinds not in self.implementations:
                self.implementations[kinds] = object()
                implement(self.implementations[kinds], _nothing)
            return signature_of(derivative, *kinds).replace(pysig=pysig)
        inner = derivative.get_call_type(context, tuple(bound[n] for n in point), {})
        kinds = (kinds[0], *inner.args, *kinds[1 + len(inner.args) :])
        self.implementations[kinds] = AtAPoint(derivative.get_impl_key(inner))
        implement(self.implementations[kinds], self.implementations[kinds].emit)
        return signature_of(inner.return_type, *kinds).replace(pysig=pysig)

    def function(self, kind: Any) -> Any:
        """The function that is transformed, by Numba's type of it."""
        found = getattr(kind, "dispatcher", None) or getattr(kind, "derivative", None)
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


@dataclass(frozen=True, eq=False)
class AtAPoint:
    """A call of a derivative at a point, with the function in front of its arguments."""

    call: Call

    def emit(self, context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return self.call.emit(context, builder, signature, arguments[1:3])


def _nothing(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """A derivative is all in its type."""
    return context.get_dummy_value()


register_model(TransformType)(models.OpaqueModel)


@lower_constant(TransformType)
@lower_constant(DerivativeType)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


for _transform in (*MAKING, *AT_A_POINT):
    infer_global(_transform, TransformType(_transform))

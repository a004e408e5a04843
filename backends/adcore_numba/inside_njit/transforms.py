"""Transforms that are named in functions compiled by Numba: `grad(f)(x)`, `jvp(f, (x,), (v,))`.

The function that is transformed is one that Numba knows: compiled by `@njit`, or a derivative.
"""

from __future__ import annotations

import inspect
from typing import Any

from numba.core import types
from numba.core.typing.templates import infer_global
from numba.core.typing.templates import signature as signature_of
from numba.core.typing.typeof import typeof

import adcore
from adcore.once import once

from .calls import implement
from .named import NamedType, registered
from .types import static_of

__all__ = ["AT_A_POINT", "MAKING", "SPLITTING", "TransformType"]

MAKING = (
    *(adcore.grad, adcore.value_and_grad, adcore.jit, adcore.vmap),
    *(adcore.hessian, adcore.jacobian, adcore.jacfwd, adcore.jacrev, adcore.laplacian, adcore.hessian_diagonal),
)
AT_A_POINT = (adcore.jvp, adcore.hvp, adcore.vhp, adcore.jet)
SPLITTING = (adcore.vjp, adcore.linearize)


@registered
class TransformType(NamedType):
    """Numba's type of a transform, whose calls give derivatives, or values of them at a point."""

    def resolved(self, context: Any, args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        """As of the others."""
        pysig, points = self.parameters(len(args) - 1)
        bound = pysig.bind(*args, **kws).arguments
        name = next(iter(pysig.parameters))
        function = self.function(bound.get(name, types.none))
        kinds = tuple(bound.get(p.name, types.Omitted(p.default)) for p in pysig.parameters.values())
        point = [n for n in points if n in bound]
        options = {n: static_of(kind, n).value for n, kind in bound.items() if n != name and n not in point}
        derivative: Any = typeof(_made(self.named, function, tuple(options.items())))
        if not point:
            if kinds not in self.implementations:
                self.implementations[kinds] = object()
                implement(self.implementations[kinds], _nothing)
            return signature_of(derivative, *kinds).replace(pysig=pysig)
        return self.at_point(derivative, pysig, bound, point, [])

    def parameters(self, count: int) -> tuple[inspect.Signature, list[str]]:
        """The parameters as Numba is told of them, and the names of those that are a point; one for each of `*primals`.

        Args:
            count: how many arguments there are behind the function, by position.
        """
        found: list[inspect.Parameter] = []
        for p in inspect.signature(self.named).parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                found += [p.replace(name=f"{p.name}_{k}", kind=p.POSITIONAL_ONLY) for k in range(count)]
            else:
                found.append(p.replace(kind=p.POSITIONAL_OR_KEYWORD))
        if self.named in SPLITTING:
            found[0] = found[0].replace(kind=inspect.Parameter.POSITIONAL_ONLY, default=inspect.Parameter.empty)
            return inspect.Signature(found), [p.name for p in found[1 : 1 + count]]
        return inspect.Signature(found), [p.name for p in found[1:3]] if self.named in AT_A_POINT else []


@once
def _made(transform: Any, function: Any, options: tuple[tuple[str, Any], ...]) -> Any:
    return transform(function, **dict(options))


def _nothing(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """A derivative is all in its type."""
    return context.get_dummy_value()


for _transform in (*MAKING, *AT_A_POINT, *SPLITTING):
    infer_global(_transform, TransformType(_transform))

"""Solvers that are called in functions compiled by Numba: `root(F, x0, a)`, `odeint(f, y0, ts)`.

A call is one of the solver compiled by `jit`. The functions that it is given are such as Numba knows.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from numba.core import types
from numba.core.typing.templates import infer_global
from numba.core.typing.typeof import typeof

import adcore
from adcore.errors import UnsupportedFunctionError
from adcore.once import once

from .named import NamedType, registered
from .types import function_of, static_of

__all__ = ["SOLVERS", "SolverType"]

SOLVERS = (
    *(adcore.root, adcore.fixed_point, adcore.minimize, adcore.least_squares),
    *(adcore.linear_solve, adcore.odeint, adcore.clip_gradient),
)
_OF_NUMBERS = (adcore.clip_gradient,)  # others take a function first
_NUMBERS = {"rtol", "atol"}  # options that may be known at run time only


@registered
class SolverType(NamedType):
    """Numba's type of a solver; what has a default is an option, a constant."""

    def resolved(self, context: Any, args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        """As of the others."""
        pysig, points = self.parameters(len(args))
        try:
            bound = pysig.bind(*args, **kws).arguments
        except TypeError as error:
            raise TypeError(f"{self.named.__name__}(): {error}") from None
        first = next(iter(pysig.parameters))
        if self.named not in _OF_NUMBERS:
            self.function(bound.get(first, types.none))
        given = [n for n in bound if n not in points]
        numbers = [n for n in given if n in _NUMBERS]
        options = tuple((n, self.constant(bound[n], n)) for n in given if n not in numbers)
        return self.at_point(typeof(_made(self.named, options)), pysig, bound, points, numbers)

    def constant(self, kind: Any, name: str) -> Any:
        """The value of an option."""
        found = function_of(kind)
        if found is not None:
            return found
        try:
            return static_of(kind, name).value
        except UnsupportedFunctionError:
            title = self.named.__name__
            cause = f"{title} with an option {name!r} that is a {kind}, inside @njit; Numba has no such constants"
            write = f"adcore.jit(lambda …: adcore.{title}(…, {name}=…)) outside, and a call of that"
            raise UnsupportedFunctionError(cause, write=write) from None

    def parameters(self, count: int) -> tuple[inspect.Signature, list[str]]:
        """The parameters as Numba is told of them, one for each of `*args`, and the names of those that are no options.

        Args:
            count: how many arguments there are by position.
        """
        found: list[inspect.Parameter] = []
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for p in inspect.signature(self.named).parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                found += [p.replace(name=f"{p.name}_{k}", kind=kind) for k in range(count - len(found))]
            else:
                found.append(p.replace(kind=kind))
        return inspect.Signature(found), [p.name for p in found if p.default is p.empty]


@once
def _made(solver: Any, options: tuple[tuple[str, Any], ...]) -> Any:
    if not options:
        return adcore.jit(solver)
    return adcore.jit(functools.partial(solver, **dict(options)), static_argnames=[name for name, _ in options])


for _solver in SOLVERS:
    infer_global(_solver, SolverType(_solver))

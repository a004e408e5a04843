"""Arguments that are constants of the specialisation, as those are that `static_argnums` and `static_argnames` say.

A program is made for each value of them, by `==` and type, and the function sees them as if they stood in its text:
recursion ends by them, and shapes and strings may depend on them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .plugins import Static
from .signatures import Place, name_of, signature_of

__all__ = ["NOTHING", "Argnames", "Argnums", "Statics", "bound_by", "constant", "declared"]

Argnums = int | Sequence[int] | None
Argnames = str | Iterable[str] | None
Mark = Callable[[Any, int | str], Any]  # of a value, and of what the argument is called


@dataclass(frozen=True)
class Statics:
    """Which arguments of a function are constants.

    Attributes:
        parameters: by the index of the parameter.
        positions: of what goes to `*args`, by the index in there.
        names: of what goes to `**kwargs`, by name.
        bound: parameters that are constants as long as they have this value, by index.
    """

    parameters: frozenset[int] = frozenset()
    positions: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    bound: tuple[tuple[int, Any], ...] = ()

    def __or__(self, other: Statics) -> Statics:
        return Statics(
            self.parameters | other.parameters,
            self.positions | other.positions,
            self.names | other.names,
            self.bound + other.bound,
        )

    def have(self, place: Place) -> bool:
        """Whether the argument at a place is, or may be, a constant."""
        if place.inner is not None:
            return place.inner in self.positions or place.inner in self.names
        return place.parameter in self.parameters or place.parameter in dict(self.bound)

    def marked(self, signature: inspect.Signature, arguments: Sequence[Any], mark: Mark) -> tuple[Any, ...]:
        """One value for each parameter, where the constants are replaced by what `mark` makes of them."""
        if self == NOTHING:
            return tuple(arguments)
        found = list(arguments)
        parameters = list(signature.parameters.values())
        bound = {k for k, value in self.bound if found[k] is value}
        for k, (parameter, value) in enumerate(zip(parameters, arguments, strict=True)):
            if parameter.kind is parameter.VAR_POSITIONAL:
                inside = enumerate(value)
                found[k] = tuple(mark(v, k + j) if j in self.positions else v for j, v in inside)
            elif parameter.kind is parameter.VAR_KEYWORD:
                found[k] = {n: mark(v, n) if n in self.names else v for n, v in value.items()}
            elif k in self.parameters or k in bound:
                found[k] = mark(value, parameter.name)
        return tuple(found)


NOTHING = Statics()


def declared(function: Callable[..., Any], argnums: Argnums, argnames: Argnames) -> Statics:
    """The arguments of these positions, which may be negative, and of these names.

    Raises:
        ValueError: the function has no such argument.
    """
    if argnums is None and argnames is None:
        return NOTHING
    parameters = list(signature_of(function).parameters.values())
    kinds = [p.kind for p in parameters]
    places = [k for k, p in enumerate(parameters) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = {p.name: k for k, p in enumerate(parameters) if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    found: set[int] = set()
    positions: set[int] = set()
    names: set[str] = set()
    count = len(places)
    for n in (argnums,) if isinstance(argnums, int) else argnums or ():
        if -count <= n < count:
            found.add(places[n])
        elif n >= count and inspect.Parameter.VAR_POSITIONAL in kinds:
            positions.add(n - count)
        else:
            raise ValueError(f"static_argnums {n}: {name_of(function)} takes {count} arguments by position")
    for name in (argnames,) if isinstance(argnames, str) else argnames or ():
        if name in named:
            found.add(named[name])
        elif inspect.Parameter.VAR_KEYWORD in kinds:
            names.add(name)
        else:
            known = f"it has {', '.join(named)}" if named else "it takes none by name"
            raise ValueError(f"static_argnames {name!r}: {name_of(function)} has no argument of this name; {known}")
    return Statics(frozenset(found), frozenset(positions), frozenset(names))


def bound_by(function: Any) -> Statics:
    """The integers and booleans that a `functools.partial` has bound to names, while no call gives others."""
    if not isinstance(function, functools.partial):
        return NOTHING
    parameters = signature_of(function).parameters
    bound = ((k, function.keywords.get(name)) for k, name in enumerate(parameters))
    return Statics(bound=tuple((k, value) for k, value in bound if type(value) in (int, bool)))


def constant(function: Callable[..., Any], value: Any, argument: int | str) -> Static:
    """A value as a constant.

    Raises:
        ValueError: it cannot be hashed.
    """
    if isinstance(value, Static):
        return value
    try:
        hash(value)
    except TypeError:
        what = f"{argument!r}" if isinstance(argument, str) else str(argument)
        raise ValueError(
            f"{name_of(function)}(): the static argument {what} is a {type(value).__name__}, which cannot be "
            "hashed, or holds something that cannot; a tuple can"
        ) from None
    return Static(value)

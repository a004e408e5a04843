"""One point of a function: what its compiled instrumentation says there, as plain vectors."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..api import jacrev, jvp, value_and_grad
from ..dispatch import transformed
from ..primitives.structure import CHECKED_ERRORS
from ..signatures import Place as ArgumentPlace
from ..signatures import places_of
from ..statics import NOTHING
from ..transforms import Gradient
from ..trees import leaves, map_leaves
from .sides import Opened
from .sites import PAIRWISE, Place, from_text
from .watching import Watched

__all__ = ["Instruments", "Met", "Point", "Run", "Touched", "UndecidedError", "vector"]

RAISED = tuple(CHECKED_ERRORS.values())  # by a program, as where a piece divides by the distance to its kink


class UndecidedError(Exception):
    """The pieces do not say what the function does; the message tells why."""


@dataclass(frozen=True, slots=True)
class Met:
    """What a run of the function met: the value, its gradient and how near it came to each place."""

    value: Any
    aux: Any
    gradient: Any
    places: str
    distances: Any
    relative: Any


@dataclass(frozen=True)
class Touched:
    """A kink that a run has touched: its place, the side its value is on, its operands and the adjoint there."""

    place: Place
    side: int
    operands: tuple[float, ...]
    adjoint: float


@dataclass(frozen=True)
class Run:
    """A run with given sides: value, gradient as one vector, and the kinks touched (as many as there was room for)."""

    value: float
    gradient: np.ndarray
    count: int
    touched: tuple[Touched, ...]


class Instruments:
    """The compiled functions that look at the kinks of one function, each compiled when it is first needed."""

    def __init__(self, gradient: Gradient) -> None:
        self.gradient = gradient
        self.function = gradient.function

    @functools.cached_property
    def watched(self) -> Callable[..., Any]:
        inner = transformed(Watched(self.function, gradient=self.gradient, declared=self.gradient.declared))
        return transformed(replace(self.gradient, function=inner, declared=NOTHING, has_aux=True))

    def _opened(self, wanted: str) -> Any:
        return transformed(Opened(self.function, gradient=self.gradient, wanted=wanted), wraps=False)

    @functools.cached_property
    def values(self) -> Callable[..., Any]:
        return value_and_grad(self._opened("value"), argnums=(0, 2), has_aux=True)

    @functools.cached_property
    def margins(self) -> Callable[..., Any]:
        return jacrev(self._opened("margins"), argnums=0, has_aux=True)

    @functools.cached_property
    def along(self) -> Callable[..., Any]:
        return jvp(self._opened("both"), has_aux=True)

    def met(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Met:
        (value, (aux, *told)), gradient = self.watched(*args, **kwargs)
        return Met(value, aux, gradient, *told)

    def flat(self, gradient: Any) -> np.ndarray:
        """A gradient as it is given to the user as one vector."""
        single = isinstance(self.gradient.argnums, int) and self.gradient.argnames is None
        return vector([gradient] if single else list(gradient))


class Point:
    """The arguments of a call, one for each parameter, with the kinks there opened."""

    def __init__(self, instruments: Instruments, arguments: tuple[Any, ...], value: float = math.nan) -> None:
        self.instruments = instruments
        self.arguments = tuple(map_leaves(lambda x: x.copy() if isinstance(x, np.ndarray) else x, a) for a in arguments)
        self.value = value
        gradient = instruments.gradient
        places, names = places_of(instruments.function, arguments)
        argnums = (gradient.argnums,) if isinstance(gradient.argnums, int) else gradient.argnums
        argnames = (gradient.argnames,) if isinstance(gradient.argnames, str) else gradient.argnames or ()
        self.targets = [*(places[k] for k in argnums), *(names[n] for n in argnames)]

    def run(self, sides: np.ndarray) -> Run:
        """A run in which the kinks count as on these sides, one number for each that there is room for."""
        room = np.append(sides, 0.0) if len(sides) else np.zeros(2)
        found = _piece(self.instruments.values, self.arguments, room, np.zeros(len(room)))
        (value, (count, places, taken, x, y, text)), (gradient, adjoints) = found
        known = from_text(text)
        touched = tuple(
            Touched(known[places[k]], int(taken[k]), _operands(known[places[k]], x[k], y[k]), float(adjoints[k]))
            for k in range(min(count, len(sides)))
        )
        return Run(float(np.real(value)), vector([t.of(gradient) for t in self.targets]), count, touched)

    def all_touched(self) -> Run:
        """The run with every touched kink in its middle, and room for all of them."""
        count = max(self.run(np.zeros(1)).count, 1)
        return self.run(np.zeros(count))

    def margins(self, sides: np.ndarray) -> np.ndarray:
        """The gradients of the margins, one row for each kink that there is room for."""
        room = np.append(sides, 0.0)
        found, _ = _piece(self.instruments.margins, self.arguments, room, np.zeros(len(room)))
        count = len(sides)
        parts = [
            _real(a).reshape(len(room), -1)[:count] for t in self.targets for a in leaves(t.of(found)) if a is not None
        ]
        return np.concatenate(parts, axis=1)

    def along(self, sides: np.ndarray, direction: Any) -> tuple[float, np.ndarray]:
        """The derivatives of the value and of the margins along a direction."""
        room = np.append(sides, 0.0)
        zeros = np.zeros(len(room))
        primals, tangents = (self.arguments, room, zeros), (direction, zeros, zeros)
        _, (value, margins), _ = _piece(self.instruments.along, primals, tangents)
        return float(np.real(value)), np.asarray(margins)[: len(sides)]

    def shaped(self, direction: np.ndarray) -> tuple[Any, ...]:
        """A vector as a direction of all arguments: zeros for those that the derivative is not by."""
        found: list[Any] = [map_leaves(_zero, a) for a in self.arguments]
        parts = _Parts(direction)
        for target in self.targets:
            made = map_leaves(parts.like, target.of(self.arguments))
            found[target.parameter] = made if target.inner is None else _with(found[target.parameter], target, made)
        return tuple(found)

    def moved(self, step: np.ndarray) -> tuple[Any, ...]:
        """The arguments with a vector added to those that the derivative is by."""
        direction = self.shaped(step)
        tangents = [leaves(d) for d in direction]
        moved: list[Any] = []
        for argument, along in zip(self.arguments, tangents, strict=True):
            rest = iter(along)
            moved.append(map_leaves(lambda x, rest=rest: _added(x, next(rest)), argument))
        return tuple(moved)

    @functools.cached_property
    def coordinates(self) -> np.ndarray:
        """The arguments that the derivative is by, as one vector."""
        parts = [t.of(self.arguments) for t in self.targets]
        return vector([map_leaves(lambda x: x if _zero(x) is not None else None, p) for p in parts])

    @property
    def size(self) -> float:
        """The largest of these numbers; 1 where they are all 0."""
        return float(np.abs(self.coordinates).max(initial=0.0)) or 1.0


class _Parts:
    """A vector that is used up number by number."""

    def __init__(self, rest: np.ndarray) -> None:
        self.rest = rest

    def like(self, x: Any) -> Any:
        """As many numbers as an argument has, in its shape; None for what has no derivative."""
        if _zero(x) is None:
            return None
        size = np.size(x) * (2 if np.iscomplexobj(x) else 1)
        taken, self.rest = self.rest[:size], self.rest[size:]
        return _like(taken, x)


def _with(arguments: Any, place: ArgumentPlace, value: Any) -> Any:
    """The values of `*args` or `**kwargs` with another one at a place."""
    if isinstance(arguments, dict):
        return {**arguments, place.inner: value}
    return tuple(value if k == place.inner else a for k, a in enumerate(arguments))


def _piece(function: Callable[..., Any], *arguments: Any) -> Any:
    """A call with given sides.

    Raises:
        UndecidedError: the function raises there, on a side that a call of its own would not have come to.
    """
    try:
        return function(*arguments)
    except RAISED as error:
        raise UndecidedError(f"a piece of the function raises {type(error).__name__}: {error}") from None


def vector(parts: Sequence[Any]) -> np.ndarray:
    """All numbers of trees as one vector of doubles, complex ones as two."""
    found = [_real(a).ravel() for part in parts for a in leaves(part) if a is not None]
    return np.concatenate(found) if found else np.zeros(0)


def _real(x: Any) -> np.ndarray:
    array: Any = np.asarray(x)
    if array.dtype.kind == "c":
        # the derivative by z = x + iy is ∂/∂x - i ∂/∂y
        return np.stack([array.real, -array.imag], axis=-1).astype(float)
    return array.astype(float)


def _like(numbers: np.ndarray, x: Any) -> Any:
    if np.iscomplexobj(x):
        pairs = numbers.reshape(-1, 2)
        numbers = pairs[:, 0] + 1j * pairs[:, 1]
    made = np.asarray(numbers).reshape(np.shape(x)).astype(np.asarray(x).dtype)
    return made.item() if isinstance(x, float | complex) and not isinstance(x, np.generic) else made[()]


def _zero(x: Any) -> Any:
    """A zero of a number or an array; None for what has no derivative."""
    if isinstance(x, float | complex | np.ndarray | np.generic) and np.asarray(x).dtype.kind in "fc":
        return x * 0 if isinstance(x, float | complex) else np.zeros_like(x)
    return None


def _added(x: Any, step: Any) -> Any:
    return x if step is None else x + step


def _operands(place: Place, x: float, y: float) -> tuple[float, ...]:
    """The operands that the place speaks of."""
    if place.primitive in PAIRWISE and place.sided:
        return (float(x), float(y))
    words = re.findall(r"[a-z]+", place.where)
    return tuple(float(v) for name, v in zip("xy", (x, y), strict=True) if name in words)

"""`verdict` and `kinks`."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import abstract
from ..dispatch import transformed
from ..pickling import BySource
from ..signatures import name_of
from ..statics import Argnames, Argnums, declared
from ..transforms import Gradient, Identity, differentiable
from ..trees import leaves, map_leaves
from .conditions import located
from .judgement import judge, judge_untouched
from .points import Instruments, Point
from .report import Verdict
from .sites import SOFTENED, SURROGATE, Place, from_text
from .watching import active_parameters

__all__ = ["Verifier", "kinks", "verdict"]


@dataclass(frozen=True)
class Asked(Gradient):
    """The gradient that a verdict is about."""

    @property
    def title(self) -> str:
        return "verdict"


def verdict(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    argnames: str | tuple[str, ...] | None = None,
    has_aux: bool = False,
    *,
    static_argnums: Argnums = None,
    static_argnames: Argnames = None,
    budget: int = 1000,
    directions: int = 16,
    seed: int = 0,
) -> Verifier:
    """A function of the arguments of `f` that says of a point whether the gradient there is the derivative.

    The value and the gradient are computed with the least distance to every kink beside them; where none is 0, that is
    all.  Otherwise the kinks touched are opened: the function is a smooth one for each choice of their sides, and the
    gradients of those that can occur are compared with each other and with what reverse mode gives.

    Args:
        f: a function that returns one real number.
        argnums, argnames, has_aux, static_argnums, static_argnames: as of `grad`.
        budget: how many combinations of sides are looked at before random directions are taken.
        directions: how many random directions, each with its opposite.
        seed: of the random directions.

    Returns:
        A function that gives a `Verdict`.

    Raises:
        TypeError, DtypeError: as of `grad`.

    Source: Lee, Park and Aiken 2023; Scholtes, Introduction to Piecewise Differentiable Equations, 2012.

    >>> import numpy as np
    >>> def relu(x):
    ...     return np.where(x > 0.0, x, 0.0)
    >>> found = verdict(lambda w: relu(w) - relu(-w))(0.0)  # which is w
    >>> found.status, found.gradient, found.elements.tolist()
    ('incorrect', 0.0, [[1.0]])
    >>> verdict(lambda w: np.maximum(w, 0.0))(0.0).status
    'clarke'
    >>> verdict(lambda w: abs(w) * w)(0.0).status
    'differentiable'
    """
    static = declared(f, static_argnums, static_argnames)
    asked = Asked(f, argnums, has_aux, argnames=argnames, with_value=True, declared=static)
    return Verifier(asked, budget, directions, seed)


class Verifier(BySource):
    """What `verdict` gives: called with the arguments of the function, a `Verdict`."""

    def __init__(self, gradient: Gradient, budget: int, directions: int, seed: int) -> None:
        self._gradient = gradient
        self._instruments = Instruments(gradient)
        self._options = {"budget": budget, "directions": directions, "seed": seed}
        self._bound = transformed(Identity(gradient.function, declared=gradient.declared), wraps=False)
        self.__name__ = f"verdict of {name_of(gradient.function)}"

    def __call__(self, *args: Any, **kwargs: Any) -> Verdict:
        met = self._instruments.met(args, kwargs)
        surrogates, unwatched = _doubtful(met.places)
        if not len(met.distances) or met.distances.min() > 0.0:
            judgement = judge_untouched(_is_finite(met.gradient), surrogates, unwatched)
            return Verdict(met, judgement, self._instruments)
        bound = self._bound.dispatcher.bind(args, kwargs)
        point = Point(self._instruments, bound, float(np.real(met.value)))
        gradient = self._instruments.flat(met.gradient)
        middle = point.all_touched()
        judgement = judge(point, gradient, middle, surrogates, unwatched, **self._options)
        return Verdict(met, judgement, self._instruments, point, middle)

    def made_from(self) -> tuple[Any, ...]:
        return self._gradient, *self._options.values()

    @property
    def instrumented(self) -> Callable[..., Any]:
        """The compiled function that a call begins with: value and gradient, with the distances to all kinks."""
        return self._instruments.watched

    def overhead(self, *args: Any, repeat: int = 7, **kwargs: Any) -> float:
        """What the instrumentation costs at a point, in gradients: the ratio of the median times, interleaved.

        Of a call that touches no kink: what is looked at beyond that depends on how many are touched.
        """
        plain = transformed(self._gradient)
        watched = self.instrumented
        times: tuple[list[float], list[float]] = ([], [])
        calls = _calls_for(plain, args, kwargs)
        for _ in range(repeat):
            for function, found in zip((plain, watched), times, strict=True):
                start = time.perf_counter()
                for _ in range(calls):
                    function(*args, **kwargs)
                found.append(time.perf_counter() - start)
        return float(np.median(times[1]) / np.median(times[0]))


def _calls_for(function: Callable[..., Any], args: Any, kwargs: Any) -> int:
    """How many calls take about ten milliseconds."""
    function(*args, **kwargs)
    start = time.perf_counter()
    function(*args, **kwargs)
    return max(1, int(1e-2 / max(time.perf_counter() - start, 1e-7)))


@functools.lru_cache(maxsize=256)
def _doubtful(places: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the places those with a surrogate's derivative, and those whose distance is not known."""
    found = from_text(places)
    surrogates = tuple(f"{p.primitive!r} (line {p.line})" for p in found if p.effect == SURROGATE)
    others = (p for p in found if not p.watched and p.effect not in (SURROGATE, SOFTENED))
    return surrogates, tuple(f"{p.expression} (line {p.line})" for p in others)


def _is_finite(gradient: Any) -> bool:
    if isinstance(gradient, float):
        return math.isfinite(gradient)
    return all(bool(np.isfinite(x).all()) for x in leaves(gradient) if x is not None)


def kinks(
    f: Callable[..., Any],
    *args: Any,
    argnums: int | tuple[int, ...] = 0,
    argnames: str | tuple[str, ...] | None = None,
) -> tuple[Place, ...]:
    """Where a function can fail to be differentiable, in the order of its text; nothing is run.

    Args:
        f: a function that returns one real number, or (value, aux).
        *args: example arguments; only their types matter.
        argnums, argnames: the arguments of the derivative, as of `grad`.

    Returns:
        The places, each with file, line, the text of the expression, and what happens there: "bend", "cone", "jump",
        "edge", or "surrogate" for a stated derivative that is not the function's.

    >>> def f(x):
    ...     if x > 1.0:
    ...         return x * x
    ...     return abs(x)
    >>> [(k.expression, k.effect) for k in kinks(f, 2.0)]
    [('x > 1.0', 'jump'), ('abs(x)', 'bend')]
    """
    gradient = Asked(f, argnums, argnames=argnames, with_value=True)
    bound = transformed(Identity(f), wraps=False).dispatcher.bind(args, {})
    structures = tuple(map_leaves(abstract, a) for a in bound)
    lowered = differentiable(f, structures)
    value, _ = gradient.value_of(lowered)
    return located(lowered.program, active_parameters(gradient, structures), value.index)[1].found

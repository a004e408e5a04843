"""`verdict` and `kinks`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import abstract
from ..dispatch import transformed
from ..signatures import name_of
from ..statics import Argnames, Argnums, declared
from ..transforms import Gradient, Identity, differentiable
from ..trees import leaves, map_leaves
from .judgement import Judgement, judge, judge_untouched
from .points import Instruments, Met, Point, Run, Touched
from .report import SIDES, Kink, Near, Verdict
from .sites import SURROGATE, Place, places_in
from .watching import active_parameters

__all__ = ["Verifier", "kinks", "verdict"]

INTEGERS = ("lt", "le", "gt", "ge", "eq", "ne", "cast", "argsort")  # rows whose results have no adjoint


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


class Verifier:
    """What `verdict` gives: called with the arguments of the function, a `Verdict`."""

    def __init__(self, gradient: Gradient, budget: int, directions: int, seed: int) -> None:
        self._gradient = gradient
        self._instruments = Instruments(gradient)
        self._options = {"budget": budget, "directions": directions, "seed": seed}
        self._bound = transformed(Identity(gradient.function, declared=gradient.declared), wraps=False)
        self.__name__ = f"verdict of {name_of(gradient.function)}"

    def __call__(self, *args: Any, **kwargs: Any) -> Verdict:
        met = self._instruments.met(args, kwargs)
        point = Point(self._instruments, self._bound.dispatcher.bind(args, kwargs), float(np.real(met.value)))
        gradient = point.flat(met.gradient)
        surrogates = [f"{p.primitive!r} (line {p.line})" for p in met.places if p.effect == SURROGATE]
        unwatched = [f"{p.expression} (line {p.line})" for p in met.places if not p.watched and p.effect != SURROGATE]
        if not met.touched:
            judgement, middle = judge_untouched(gradient, surrogates, unwatched), None
        else:
            middle = point.all_touched()
            judgement = judge(point, gradient, middle, surrogates, unwatched, **self._options)
        return _told(met, point, judgement, middle)

    def overhead(self, *args: Any, repeat: int = 7, **kwargs: Any) -> float:
        """What the instrumentation costs at a point, in gradients: the ratio of the median times, interleaved.

        Of a call that touches no kink: what is looked at beyond that depends on how many are touched.
        """
        plain = transformed(self._gradient)
        watched = self._instruments.watched
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


def _told(met: Met, point: Point, judgement: Judgement, middle: Run | None) -> Verdict:
    touched = tuple(_kink(t) for t in middle.touched) if middle else ()
    single = bool(point.coordinates.size) and all(
        np.asarray(x).dtype.itemsize == 4 for t in point.targets for x in leaves(t.of(point.arguments))
    )
    eps = float(np.finfo(np.float32 if single else np.float64).eps)
    near = [
        Near(place, float(far), float(relative / eps))
        for place, far, relative in zip(met.places, met.distances, met.relative, strict=True)
        if 0.0 < far < np.inf
    ]
    near.sort(key=lambda n: n.distance)
    told = (judgement.status, judgement.evidence, judgement.reason, touched, tuple(near), met.aux)
    return Verdict(met.value, met.gradient, *told, point, judgement, middle)


def _kink(touched: Touched) -> Kink:
    place = touched.place
    adjoint = None if place.primitive in INTEGERS or not place.sided else touched.adjoint
    middle = "mean" if place.effect == "bend" else "neither"
    side = SIDES.get(touched.side, middle) if place.sided else ""
    at = (place.file, place.line, place.expression, place.primitive, place.where, place.effect)
    return Kink(*at, touched.operands, 0.0, 0.0, side, adjoint)


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
    return places_in(lowered.program, active_parameters(gradient, structures), value.index).found

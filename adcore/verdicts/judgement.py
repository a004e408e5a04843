"""From the pieces around a point to what its gradient is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from .elements import Element, are_free, exact, feasible, in_hull, nearby, sampled
from .points import Point, Run, UndecidedError

__all__ = ["Judgement", "judge", "judge_untouched"]

FREE_LIMIT = 2000  # touched kinks whose margins' Jacobian is looked at


@dataclass(frozen=True)
class Judgement:
    """What a gradient is, and how that is known.

    Attributes:
        status: "differentiable", "clarke", "incorrect" or "unknown".
        evidence: "untouched": no kink is touched; "gradient": it is not finite; "stated": the function has a surrogate;
            "adjoints": the kinks touched have no influence; "pieces": all pieces of the function there were compared;
            "directions": those in random directions; "free": the kinks can be on any sides independently; "test":
            gradients at points nearby, extrapolated.
        reason: a sentence.
        elements: the pieces that were found.
    """

    status: str
    evidence: str
    reason: str
    elements: tuple[Element, ...] = ()


UNTOUCHED = Judgement("differentiable", "untouched", "no kink is touched")


def judge_untouched(finite: bool, surrogates: Sequence[str], unwatched: Sequence[str]) -> Judgement:
    """Of a point at which no distance to a kink is 0."""
    if surrogates:
        return _of_surrogates(surrogates)
    if not finite:
        return _not_finite()
    if unwatched:
        return Judgement("unknown", "untouched", f"the distance to kinks of {_listed(unwatched)} is not known")
    return UNTOUCHED


def judge(
    point: Point,
    gradient: np.ndarray,
    middle: Run,
    surrogates: Sequence[str],
    unwatched: Sequence[str],
    *,
    budget: int,
    directions: int,
    seed: int,
) -> Judgement:
    """Of a point at which kinks are touched.

    Args:
        point: the point.
        gradient: what reverse mode gives there.
        middle: the run with every kink in its middle.
        surrogates: functions whose stated derivative is not theirs.
        unwatched: expressions whose kinks are not known by a distance.
        budget: how many combinations of sides may be looked at.
        directions: how many random directions, and their opposites, otherwise.
        seed: of the random directions.
    """
    if surrogates:
        return _of_surrogates(surrogates)
    if not np.isfinite(gradient).all():
        return _not_finite()
    known = all(t.place.sided for t in middle.touched) and len(middle.touched) == middle.count
    if known and not unwatched and all(t.place.effect == "bend" and t.adjoint == 0.0 for t in middle.touched):
        return Judgement("differentiable", "adjoints", "the adjoint of every kink touched is 0")
    if known and not unwatched:
        if _most_pieces(middle.count, len(gradient)) <= budget:
            with suppress(UndecidedError):
                return _compared(point, gradient, exact(point, budget), "pieces", 1e-10)
        with suppress(UndecidedError):
            return _of_many(point, gradient, middle, sampled(point, middle.count, seed, directions, budget))
    return _tested(point, gradient, directions, seed)


def _most_pieces(kinks: int, dimension: int) -> int:
    """In how many parts hyperplanes through a point cut a space at most (Winder 1966)."""
    return 2 * sum(math.comb(kinks - 1, k) for k in range(min(dimension, kinks)))


def _tested(point: Point, gradient: np.ndarray, directions: int, seed: int) -> Judgement:
    """By gradients nearby, at two distances: those of a smooth function get closer to each other."""
    found, closer = (nearby(point, gradient, directions, seed, part) for part in (1.0, 1 / 16))
    if min(len(found), len(closer)) < 2 * directions:
        return Judgement("unknown", "test", "kinks are touched, or gradients not finite, at the points nearby too")
    before, after = (max(np.abs(e.gradient - gradient).max(initial=0.0) for e in each) for each in (found, closer))
    values = [abs(e.value - point.value) for e in closer]
    if after <= 0.6 * before and max(values) <= 1e-5 * max(abs(point.value), before * point.size):
        return Judgement("differentiable", "test", "gradients nearby converge to this one")
    return _compared(point, gradient, closer, "test", 1e-5)


def _compared(
    point: Point, gradient: np.ndarray, elements: list[Element], evidence: str, tolerance: float
) -> Judgement:
    value = point.value
    sizes = [np.abs(e.gradient).max(initial=0.0) for e in elements]
    near = tolerance * max([np.abs(gradient).max(initial=0.0), *sizes, 1e-300])
    if evidence == "test":
        near += tolerance * abs(value) / point.size
    told = (evidence, tuple(elements))
    if any(abs(e.value - value) > tolerance * max(abs(value), abs(e.value), near) for e in elements):
        return _judged("incorrect", told, "the value jumps there")
    agree = all(np.abs(e.gradient - elements[0].gradient).max(initial=0.0) <= near for e in elements)
    if agree and np.abs(gradient - elements[0].gradient).max(initial=0.0) <= near:
        return _judged("differentiable", told, "all pieces agree there in value and gradient")
    if agree:
        reason = "the function is differentiable there, but this is not its gradient: all pieces have another one"
        return _judged("incorrect", told, reason)
    if in_hull(gradient, [e.gradient for e in elements], near):
        return _judged("clarke", told, "pieces with different gradients meet there, and this is a mean of them")
    if evidence == "test" or evidence == "directions":
        return _judged(
            "unknown", told, "pieces with different gradients meet there, and this is no mean of those found"
        )
    return _judged("incorrect", told, "pieces with different gradients meet there, and this is no mean of them")


def _of_many(point: Point, gradient: np.ndarray, middle: Run, found: list[Element]) -> Judgement:
    """Where there are too many pieces to see them all."""
    judgement = _compared(point, gradient, found, "directions", 1e-10)
    count = middle.count
    if judgement.status != "unknown" or count > FREE_LIMIT:
        return judgement
    near = 1e-10 * max(np.abs(gradient).max(initial=0.0), 1e-300)
    taken = np.array([t.side for t in middle.touched], float)
    chosen = point.run(taken)
    if chosen.count != count or np.abs(chosen.gradient - gradient).max(initial=0.0) > near:
        return judgement
    if (taken != 0.0).all() and feasible(list(taken[:, None] * point.margins(taken))):
        return _judged(
            "clarke", ("free", judgement.elements), "it is the gradient of one of the pieces that meet there"
        )
    if are_free(point, count):
        reason = "the kinks touched are independent of each other, and this is a mean of the pieces that meet there"
        return _judged("clarke", ("free", judgement.elements), reason)
    return judgement


def _judged(status: str, told: tuple[str, tuple[Element, ...]], reason: str) -> Judgement:
    return Judgement(status, told[0], reason, told[1])


def _of_surrogates(names: Sequence[str]) -> Judgement:
    return Judgement(
        "incorrect", "stated", f"the derivative stated of {_listed(names)} is a surrogate, not the derivative"
    )


def _not_finite() -> Judgement:
    return Judgement("incorrect", "gradient", "the gradient is not finite")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))

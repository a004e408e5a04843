"""The gradients that a function has around a kink: its pieces, found exactly or by looking nearby.

Around a point with touched kinks the function is put together of smooth pieces, one for each way in which the margins
can be on the sides of 0.  The gradients of those that fill a cone of directions are the elements of the Bouligand
subdifferential, their convex hull is Clarke's (Scholtes, Introduction to Piecewise Differentiable Equations, 2012).
Which sides can occur together is asked of the gradients of the margins, by a linear program for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..trees import leaves
from .points import Point, UndecidedError

__all__ = [
    "Element",
    "are_free",
    "directional",
    "exact",
    "feasible",
    "in_hull",
    "lexicographic",
    "nearby",
    "sampled",
]

FLAT = 1e-12  # a margin whose gradient is smaller by this than the largest does not move


@dataclass(frozen=True)
class Element:
    """A piece of the function at the point: its value there and its gradient, in the directions of these sides."""

    value: float
    gradient: np.ndarray
    sides: tuple[int, ...] = ()


def exact(point: Point, budget: int) -> list[Element]:
    """All pieces.

    Raises:
        UndecidedError: there are more than the budget allows; a margin does not move to first order, and what its
            sides are matters; or a piece is not finite.
    """
    found: list[Element] = []
    flat = False
    for sides, is_flat in _cells(point, [], [], [budget]):
        found.append(_element(point, sides))
        flat = flat or is_flat
    if flat and not all(_are_alike(e, found[0]) for e in found):
        raise UndecidedError("a distance to a kink does not change to first order there")
    return found


def _are_alike(one: Element, other: Element) -> bool:
    near = 1e-9 * max(np.abs(one.gradient).max(initial=0.0), np.abs(other.gradient).max(initial=0.0))
    if abs(one.value - other.value) > 1e-9 * max(abs(one.value), abs(other.value)):
        return False
    return bool(np.abs(one.gradient - other.gradient).max(initial=0.0) <= near)


def _element(point: Point, sides: list[int]) -> Element:
    run = point.run(np.array(sides, float))
    if not (np.isfinite(run.value) and np.isfinite(run.gradient).all()):
        raise UndecidedError("a piece of the function is not finite at the kink")
    return Element(run.value, run.gradient, tuple(sides))


def _cells(
    point: Point, sides: list[int], rows: list[np.ndarray], budget: list[int]
) -> Iterator[tuple[list[int], bool]]:
    """The sides on which all margins can be together, and whether a margin among them does not move."""
    budget[0] -= 1
    if budget[0] < 0:
        raise UndecidedError("more pieces meet there than the budget allows")
    room = np.array([*sides, 0.0], float)
    margins = point.margins(room)
    if point.run(room).count <= len(sides):
        yield sides, False
        return
    row = margins[len(sides)]
    if not np.isfinite(row).all():
        raise UndecidedError("the distance to a kink has no derivative")
    flat = not _moves(row, rows)
    for side in (-1, 1):
        further = rows if flat else [*rows, side * row]
        if flat or feasible(further):
            for found, is_flat in _cells(point, [*sides, side], further, budget):
                yield found, is_flat or flat


def _moves(row: np.ndarray, rows: list[np.ndarray]) -> bool:
    size = max([1.0, *(np.abs(r).max(initial=0.0) for r in rows)])
    return bool(np.abs(row).max(initial=0.0) > FLAT * size)


def feasible(rows: list[np.ndarray]) -> bool:
    """Whether there is a direction along which all rows grow."""
    from scipy.optimize import linprog  # a third of a second to import, for points with kinks alone

    if len(rows) < 2:
        return True
    scaled = np.array([r / np.abs(r).max() for r in rows])
    gram = scaled @ scaled.T  # the directions that matter are combinations of the rows
    count = len(rows)
    found = linprog(np.zeros(count), A_ub=-gram, b_ub=-np.ones(count), bounds=[(None, None)] * count, method="highs")
    return found.status == 0


def are_free(point: Point, count: int) -> bool:
    """Whether the margins can take all sides: their gradients are linearly independent.

    The margins with other sides are a triangular combination of those with the kinks in the middle, so that one set of
    sides tells it for all.
    """
    rows = point.margins(np.zeros(count))
    if not np.isfinite(rows).all() or rows.shape[0] > rows.shape[1]:
        return False
    sizes = np.abs(rows).max(axis=1, initial=0.0)
    return bool((sizes > 0.0).all()) and np.linalg.matrix_rank(rows / sizes[:, None], tol=1e-9) == count


def along(point: Point, direction: np.ndarray, count: int, budget: list[int] | None = None) -> tuple[float, np.ndarray]:
    """The derivative along a direction, and the sides of the kinks that it goes to.

    The margin of a bend that does not move along the direction is left in the middle: both pieces have the same
    derivative.

    Raises:
        UndecidedError: they do not come to rest, a derivative is not finite, or the margin of a jump does not move.
    """
    slope, sides = _resting(point, direction, np.zeros(count), budget or [count + 2])
    if (sides == 0.0).any():
        touched = point.run(sides).touched
        if any(t.place.effect != "bend" for t, side in zip(touched, sides.tolist(), strict=True) if side == 0.0):
            raise UndecidedError("a distance to a kink does not change to first order there")
    return slope, sides


def lexicographic(point: Point, directions: np.ndarray, count: int) -> np.ndarray:
    """The gradient of the piece that directions lead to: each kink goes to the side of the first that moves its margin.

    Raises:
        UndecidedError: as `along`.
    """
    sides = np.zeros(count)
    for direction in directions:
        _, sides = _resting(point, direction, sides, [count + 2])
        if (sides != 0.0).all():
            break
    return point.run(sides).gradient


def _resting(point: Point, direction: np.ndarray, fixed: np.ndarray, budget: list[int]) -> tuple[float, np.ndarray]:
    """The derivative and the sides along a direction, those that are fixed aside.

    The first kink's margin does not depend on sides, that of the second only on the first's, and so on: the sides are
    right when they do not change any more.
    """
    sides, shaped = fixed, point.shaped(direction)
    while budget[0] > 0:
        budget[0] -= 1
        value, margins = point.along(sides, shaped)
        if not np.isfinite(margins).all():
            raise UndecidedError("the distance to a kink has no derivative")
        moving = np.abs(margins) > FLAT * np.abs(margins).max(initial=0.0)
        further = np.where(fixed != 0.0, fixed, np.where(moving, np.sign(margins), 0.0))
        if np.array_equal(further, sides):
            if not np.isfinite(value):
                raise UndecidedError("a piece of the function is not finite at the kink")
            return value, sides
        sides = further
    raise UndecidedError("the sides of the kinks along a direction do not come to rest")


def directional(point: Point, direction: np.ndarray, count: int) -> float:
    """The derivative along a direction.

    Raises:
        ValueError: the value jumps there, or the pieces are not known.
    """
    try:
        slope, sides = along(point, direction, count)
    except UndecidedError as error:
        raise ValueError(f"no directional derivative: {error}") from None
    value = point.run(sides).value
    if not abs(value - point.value) <= 1e-10 * max(abs(value), abs(point.value)):
        raise ValueError(f"no directional derivative: the value jumps from {point.value:.6g} to {value:.6g}")
    return slope


def sampled(point: Point, count: int, seed: int, directions: int, budget: int) -> list[Element]:
    """Pieces in random directions, opposite ones in pairs.

    Raises:
        UndecidedError: as `along`; or more runs are needed than the budget allows.
    """
    found: list[Element] = []
    rng, left = np.random.default_rng(seed), [budget]
    for _ in range(directions):
        direction = rng.standard_normal(len(point.coordinates))
        for sign in (1.0, -1.0):
            _, sides = along(point, sign * direction, count, left)
            found.append(_element(point, [int(s) for s in sides]))
    return found


def nearby(point: Point, gradient: np.ndarray, directions: int, seed: int, part: float = 1.0) -> list[Element]:
    """Limits of values and gradients at the point along directions, extrapolated from points near to it.

    This is the definition of the subdifferential itself, up to the error of the extrapolation.  Points at which a kink
    is touched, or where a gradient is not finite, count for nothing.

    Args:
        point: where.
        gradient: the first direction, if it is not 0.
        directions: how many random ones follow; each counts with its opposite.
        seed: of the random directions.
        part: of the distance that is gone.
    """
    found: list[Element] = []
    rng = np.random.default_rng(seed)
    step = part * point.size * (1e-2 if _single(point) else 1e-4)
    drawn = [rng.standard_normal(len(point.coordinates)) for _ in range(directions)]
    for direction in drawn if not gradient.any() else [gradient, *drawn]:
        direction = direction / np.abs(direction).max(initial=1e-300)
        for sign in (1.0, -1.0):
            far, near = (_gradient_at(point, sign * h * direction) for h in (step, step / 2))
            if far is not None and near is not None:
                found.append(Element(2.0 * near[0] - far[0], 2.0 * near[1] - far[1]))
    return found


def _single(point: Point) -> bool:
    return any(np.asarray(x).dtype.itemsize == 4 for t in point.targets for x in _floats(t.of(point.arguments)))


def _floats(part: object) -> list[object]:
    return [x for x in leaves(part) if np.asarray(x).dtype.kind in "fc"]


def _gradient_at(point: Point, step: np.ndarray) -> tuple[float, np.ndarray] | None:
    try:
        run = Point(point.instruments, point.moved(step)).run(np.zeros(1))
    except UndecidedError:
        return None
    if run.count or not (np.isfinite(run.value) and np.isfinite(run.gradient).all()):
        return None
    return run.value, run.gradient


def in_hull(vector: np.ndarray, elements: list[np.ndarray], tolerance: float) -> bool:
    """Whether a vector is a convex combination of others, up to an error of this size."""
    from scipy.optimize import nnls

    columns = np.array(elements).T
    center = columns.mean(axis=1, keepdims=True)
    size = max(np.abs(columns - center).max(initial=0.0), tolerance)
    system = np.vstack([(columns - center) / size, np.ones(columns.shape[1])])
    wanted = np.append((vector - center[:, 0]) / size, 1.0)
    _, error = nnls(system, wanted)
    return bool(error <= max(tolerance / size, 1e-9) * np.sqrt(len(wanted)))

"""The abs-linear form: a piecewise linear model of a function at a point with kinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .points import Point, Run

__all__ = ["AbsLinear", "abs_linear"]


@dataclass(frozen=True)
class AbsLinear:
    """z = Z dx + L |z|,  f(x + dx) ≈ value + a · dx + b · |z|, exact to first order.

    Attributes:
        value: f at the point.
        a: shape (n,).
        b: shape (s,), for s touched kinks.
        Z: shape (s, n).
        L: shape (s, s), strictly lower triangular.

    Source: Griewank, On stable piecewise linearization and generalized algorithmic differentiation, Optimization
    Methods and Software 28 (2013).
    """

    value: float
    a: np.ndarray
    b: np.ndarray
    Z: np.ndarray
    L: np.ndarray

    def __call__(self, dx: np.ndarray) -> float:
        """The model at a step from the point."""
        moved = self.Z @ dx
        for k in range(len(moved)):
            moved[k] += self.L[k, :k] @ np.abs(moved[:k])
        return float(self.value + self.a @ dx + self.b @ np.abs(moved))


def abs_linear(opened: tuple[Point, Run] | None, gradient: np.ndarray, value: float) -> AbsLinear:
    """The form, from the gradients of value and margins with one kink after the other put on its upper side.

    With the kinks in the middle these are a and Z.  With the k-th above, |z_k| = z_k, and they have grown by b_k and
    L_jk times the gradient of z_k, whatever the sides of those before it; these are drawn, as with all in the middle
    that gradient may be 0.
    """
    if opened is None:
        size = len(gradient)
        return AbsLinear(float(value), gradient, np.zeros(0), np.zeros((0, size)), np.zeros((0, 0)))
    point, middle = opened
    wrong = [t.place for t in middle.touched if t.place.effect != "bend" or not t.place.sided]
    if wrong:
        raise ValueError(f"no abs-linear form: {wrong[0]} is no bend between two known pieces")
    count = middle.count
    rows = point.margins(np.zeros(count))
    b, matrix = np.zeros(count), np.zeros((count, count))
    drawn = np.random.default_rng(0).choice([-1.0, 1.0], count)
    for k in range(count):
        before = np.where(np.arange(count) < k, drawn, 0.0)
        after = np.where(np.arange(count) == k, 1.0, before)
        first, then = point.margins(before), point.margins(after)
        row = first[k]
        norm = row @ row
        if norm > 0.0:
            b[k] = (point.run(after).gradient - point.run(before).gradient) @ row / norm
            matrix[:, k] = (then - first) @ row / norm
    return AbsLinear(float(value), middle.gradient, b, rows, np.tril(matrix, -1))

"""Gradient descent as `particle` and `saddle` have it, with the gradient by forward or by reverse mode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adcore import grad, jvp
from bench.workloads import Array

__all__ = ["MODES", "Gradient", "descended"]

Function = Callable[[Array], float]
Gradient = Callable[[Function, Array], Array]


def forward(f: Function, x: Array) -> Array:
    gradient = np.empty_like(x)
    for i in range(x.shape[0]):
        direction = np.zeros_like(x)
        direction[i] = 1.0
        gradient[i] = jvp(f, (x,), (direction,))[1]
    return gradient


def reverse(f: Function, x: Array) -> Array:
    return grad(f)(x)


MODES: dict[str, Gradient] = {"f": forward, "r": reverse}


def norm(x: Array) -> float:
    return np.sqrt(np.sum(x * x))


def descended(f: Function, gradient: Gradient, x: Array) -> Array:
    """A minimum of f, by steps that are longer after ten that went down, and shorter after one that did not."""
    value = f(x)
    slope = gradient(f, x)
    rate = 1e-5
    downwards = 0
    while norm(slope) > 1e-5:
        if downwards == 10:
            rate *= 2.0
            downwards = 0
            continue
        further = x - rate * slope
        if norm(x - further) <= 1e-5:
            return x
        lower = f(further)
        if lower < value:
            x = further
            value = lower
            slope = gradient(f, x)
            downwards += 1
        else:
            rate /= 2.0
            downwards = 0
    return x

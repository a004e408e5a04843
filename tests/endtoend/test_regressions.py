"""What `adcore selftest` found, made short: each was an error or a wrong number once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_derivatives import close, inner, richardson

import adcore

RNG = np.random.default_rng(3)
X, Y = RNG.uniform(-1.0, 1.0, (2, 5))
M = RNG.uniform(-1.0, 1.0, (4, 5))
CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []


def at(*arguments: Any):
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES.append((function, arguments))
        return function

    return enter


@at(X, Y, 3)
def two_residuals_whose_length_the_body_computes(x, y, n):
    for _ in range(4):
        for i in range(4, -1, -1):
            y[i] = np.tanh(x[: n % 4] @ y[: n % 4])
            x, y = y, x.copy()
    return np.sum(x)


@at(X, M)
def ragged_residual_with_one_length_that_the_body_computes(x, m):
    s = 0.0
    for i in range(4, -1, -1):
        for j in range(4, i - 1, -1):
            m[(i + 1) % 4, j] -= 0.5
            s += np.dot(x[:4], m[:4, 2])
    return s


def moved(arguments: tuple[Any, ...], along: dict[int, Any], step: float) -> tuple[Any, ...]:
    return tuple(a + step * along[k] if k in along else a for k, a in enumerate(arguments))


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_gradient(function, arguments):
    wrt = tuple(k for k, a in enumerate(arguments) if not isinstance(a, int))
    along = {k: RNG.normal(size=np.shape(arguments[k])) if np.ndim(arguments[k]) else RNG.normal() for k in wrt}
    value, gradient = adcore.value_and_grad(function, argnums=wrt)(*arguments)
    slope = richardson(lambda s: float(function(*map(np.copy, moved(arguments, along, s)))))
    close(value, float(function(*map(np.copy, arguments))), 1e-12)
    close(inner(gradient, tuple(along.values())), slope, 1e-8)
    tangents = tuple(along.get(k, a) for k, a in enumerate(arguments))
    close(adcore.jvp(function, arguments, tangents)[1], slope, 1e-8)

"""Functions as they are run on a device, each with a point: a new entry is tested the day it is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

RNG = np.random.default_rng(1986)
X = RNG.normal(size=700)
ROWS = RNG.normal(size=(90, 7))


@dataclass(frozen=True)
class Model:
    """A function and its arguments; those that are real are differentiated."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


MODELS: list[Model] = []


def at(*arguments: Any):
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        MODELS.append(Model(function, arguments))
        return function

    return enter


# Of an instance, for vmap


def collatz(n):
    k = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        k += 1
    return k


def newton(x, target):
    """A root by as many steps as it takes."""
    steps = 0
    while abs(x * x - target) > 1e-13 * target:
        x = 0.5 * (x + target / x)
        steps += 1
        if steps > 60:
            raise ValueError(f"no root after {steps} steps")
    return x


def own_array(x, n):
    """An array of a length that is known at the call."""
    y = np.zeros(n)
    for k in range(n):
        y[k] = math.sin(x * k)
    z = y[::-1] * y
    return np.sum(z) + y[n - 1]


# Of whole arrays


@at(X)
def wave(x):
    return np.sum(np.exp(-x * x) * np.sin(x))


@at(RNG.normal(size=7), ROWS, (RNG.random(90) > 0.5) * 1.0)
def logistic(w, rows, labels):
    z = rows @ w
    return np.mean(np.logaddexp(0.0, z) - labels * z) + 0.5 * np.sum(w**2)


@at(ROWS)
def softmax(x):
    m = np.max(x, axis=1, keepdims=True)
    e = np.exp(x - m)
    return np.sum(np.log(np.sum(e, axis=1)) + m[:, 0]) + np.sum(x**2, axis=0)[0] * np.min(x)


@at(X, 6)
def time_steps(x, n):
    for _ in range(n):
        x = x + 0.1 * np.sin(x) * x
    return np.sum(x**2)


@at(X)
def until_small(x):
    k = 0
    while np.max(np.abs(x)) > 1e-1 and k < 50:
        x = x - 0.5 * np.tanh(x)
        k += 1
    return np.sum(x * x)


@at(X, RNG.integers(-700, 700, 1500))
def gathered(x, places):
    return np.sum(x[places] ** 3)


@at(X, 2.0)
def loop_of_sums(x, y):
    total = 0.0
    for k in range(len(x)):
        total += math.sin(x[k]) * y
    return total


@at(X)
def branch_on_a_sum(x):
    y = x * 2 if np.sum(x) > 0 else np.sin(x)
    return np.sum(y * y)


@at(X)
def stencil(u):
    v = u.copy()
    v[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(v * v)


@at(X)
def cumulative(x):
    return np.sum(np.cumsum(x) ** 2)


@at(RNG.normal(size=(40, 30)), RNG.normal(size=(30, 20)))
def product(a, b):
    return np.sum(np.tanh(a @ b) ** 2)


@at(X)
def spread(x):
    return np.var(x) + np.std(x) + np.max(x) * np.min(x)


@at(X)
def sorted_values(x):
    return np.sum(np.sort(x) * np.arange(len(x)))


@at(X[:60], X[60:130])
def pairs(x, y):
    return np.sum(np.exp(-((x[:, None] - y[None, :]) ** 2)))


@at(X, 5)
def copies_in_a_loop(x, n):
    y = np.exp(x)
    total = 0.0
    for k in range(n):
        z = y.copy()
        z[k] = 0.0
        total = total + np.sum(z * z * x)
    return total


@at(X.astype(np.float32))
def of_32_bits(x):
    return np.sum(np.log1p(x * x) * x)


@at(X)
def of_complex_numbers(x):
    z = x + 1j * x * x
    return np.sum(np.abs(z) * np.real(z * z))


@at(ROWS)
def transposed(x):
    y = (x.T * 2.0)[::2]
    return np.sum(y.reshape(-1) ** 3) + y[1, 2]


@at(X)
def nothing_in_it(x):
    return np.sum(x[:0]) + x[3] ** 2


@at(X, RNG.integers(0, 5, 700))
def written_by_index(x, groups):
    sums = np.zeros(5)
    np.add.at(sums, groups, x * x)
    return np.sum(sums**2)

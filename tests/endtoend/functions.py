"""Functions as users write them, each with a point: what every mode, order and backend is tested on.

A new entry is tested everywhere the day it is written.  All arguments that are floats or float arrays are
differentiated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

RNG = np.random.default_rng(1978)
VECTOR = RNG.uniform(0.2, 1.5, 5)
OTHER = RNG.uniform(0.2, 1.5, 5)
MATRIX = RNG.uniform(-1.0, 1.0, (4, 4)) + 3.0 * np.eye(4)
TALL = RNG.uniform(-1.0, 1.0, (3, 5))


@dataclass(frozen=True)
class Example:
    """A function of numbers and arrays that returns one real number."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    second_order: bool = True

    @property
    def name(self) -> str:
        return self.function.__name__


EXAMPLES: list[Example] = []


def at(*arguments: Any, second_order: bool = True):
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        EXAMPLES.append(Example(function, arguments, second_order))
        return function

    return enter


# Scalars


@at(1.3)
def sine_times_x(x):
    return math.sin(x) * x


@at(0.7, 1.9)
def two_scalars(x, y):
    z = x * y + math.exp(-x / y)
    return z**2 / (1.0 + abs(x - y)) + math.atan2(x, y)


@at(0.4)
def many_functions(x):
    a = math.sqrt(x) + math.log(x) + math.log1p(x) + math.expm1(x)
    b = math.tan(x) + math.asin(x) + math.acos(x) + math.atan(x)
    c = math.sinh(x) + math.cosh(x) + math.tanh(x) + math.asinh(x) + math.atanh(x)
    return a * b + c + math.hypot(x, 2.0) + math.erf(x)


@at(1.1)
def powers(x):
    return x**3 - 2 * x**-2 + 2.0**x + x**0.5 + x**x


@at(0.3, 2)
def integer_argument(x, n):
    total = 0
    for k in range(n + 3):
        total += x**k / (k + 1)
    return total


@at(1.7)
def piecewise(x):
    if x < 0:
        y = -x
    elif x < 2:
        y = x * x
    else:
        y = 4 * x - 4
    return y * math.cos(x) if x > 1 else y


@at(0.6)
def early_return(x):
    if x > 1:
        return x * x
    y = math.sin(x)
    if y > 0.9:
        return y
    return y * x + 1.0


# Loops


@at(0.9)
def scalar_recurrence(x):
    y = 0.3
    for _ in range(20):
        y = math.sin(y) * x + 0.1
    return y


@at(2.0)
def newton_square_root(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@at(0.8)
def loop_with_branch(x):
    s, p = 0.0, 1.0
    for i in range(12):
        if i % 3 == 0:
            s += p * x
        elif p > 0.5:
            p = p * math.cos(x)
        else:
            p, s = s + 0.1, p
    return s * p


@at(1.05, 0.4)
def nested_loops(x, y):
    total = 0.0
    for i in range(4):
        inner = y
        for j in range(i + 1):
            inner = inner * x + math.sin(inner) / (j + 1)
        total += inner
    return total


@at(3.0)
def nested_while(x):
    total = 0.0
    for k in range(3):
        y = x + k
        while y > 1.0:
            y = y / 2 + 0.1 * math.sin(y)
        total += y
    return total


@at(0.7)
def swap(x):
    a, b = x, x * x
    for _ in range(7):
        a, b = b + 0.1 * a, math.sin(a)
    return a - b


@at(1.2)
def backwards_range(x):
    s = 0.0
    for i in range(9, 0, -2):
        s = s * x + i
    return s


@at(0.5)
def zero_trips(x):
    y = x
    for _ in range(0):
        y = math.exp(y)
    return y * y


# Arrays


@at(VECTOR)
def elementwise(x):
    return np.sum(np.sin(x) * np.exp(-x * x))


@at(VECTOR, OTHER)
def log_sum_exp(x, y):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m))) + np.dot(x, y)


@at(TALL)
def axes(a):
    rows = a.sum(axis=1, keepdims=True)
    return np.sum((a - rows) ** 2 * np.mean(a, axis=0)) + a.T[2, 1]


@at(MATRIX, VECTOR[:4])
def matrix_products(a, x):
    y = a @ x
    return x @ y + np.sum(np.tanh(a @ a.T)) + np.dot(y, y)


@at(VECTOR)
def broadcasting(x):
    outer = x[:, None] * x[None, :] + 1.0
    return np.sum(np.sqrt(outer) / (1.0 + x))


@at(VECTOR)
def where_and_extrema(x):
    y = np.where(x > 0.8, np.log(x), x * x)
    return np.sum(np.maximum(y, 0.1 * x) + np.minimum(x, 1.0)) + np.max(x) * np.min(x)


@at(VECTOR)
def slices(x):
    d = x[1:] - x[:-1]
    return np.sum(d[::2] * d[::2]) + np.sum(x[::-1] * x) + x[-1] * x[0]


# In-place writes


@at(0.9, 8)
def writes_elements(x, n):
    out = np.zeros(n)
    out[0] = x
    for i in range(1, n):
        out[i] = math.sin(out[i - 1]) * x + i
    return np.sum(out * out)


@at(VECTOR)
def augmented_writes(x):
    y = x.copy()
    for i in range(y.shape[0]):
        y[i] += y[i - 1] * x[i]
        y[i] *= 1.1
    return np.sum(y) + y[2]


@at(VECTOR)
def writes_through_views(x):
    a = np.zeros((2, 5))
    row = a[1]
    row[:] = x * 2.0
    a[0, 1:] = row[:-1] * x[1:]
    row[2] = 7.0 * a[0, 3]
    b = a.T
    b[0, 0] += x[4]
    return np.sum(a * a)


@at(VECTOR)
def overlapping_slices(x):
    y = x.copy()
    for _ in range(3):
        y[1:] = y[:-1] * 1.5
        y[0] = y[4] * y[1]
    return np.sum(y)


@at(VECTOR, 0.1)
def diffusion(u0, k):
    u = u0.copy()
    for _ in range(6):
        u[1:-1] = u[1:-1] + k * u[1:-1] * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.dot(u, u)


@at(MATRIX, VECTOR[:4])
def forward_substitution(a, b):
    n = b.shape[0]
    x = np.zeros(n)
    for i in range(n):
        s = b[i]
        for j in range(i):
            s -= a[i, j] * x[j]
        x[i] = s / a[i, i]
    return np.sum(x * x)


@at(MATRIX)
def cholesky(a):
    spd = a @ a.T
    n = spd.shape[0]
    L = np.zeros((n, n))
    for j in range(n):
        for i in range(j, n):
            s = spd[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                L[i, j] = math.sqrt(s)
            else:
                L[i, j] = s / L[j, j]
    return np.sum(L) + L[3, 1] * L[2, 2]


@at(MATRIX)
def elimination_in_place(a):
    u = a.copy()
    n = u.shape[0]
    det = 1.0
    for k in range(n):
        det *= u[k, k]
        for i in range(k + 1, n):
            m = u[i, k] / u[k, k]
            for j in range(k, n):
                u[i, j] -= m * u[k, j]
    return det


@at(RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2)))
def n_body(x0, v0):
    x, v = x0.copy(), v0.copy()
    n = x.shape[0]
    for _ in range(3):
        for i in range(n):
            for j in range(n):
                if i != j:
                    d = x[j] - x[i]
                    r = np.dot(d, d) + 0.5
                    v[i] += 0.1 * d / (r * np.sqrt(r))
        for i in range(n):
            x[i] += 0.1 * v[i]
    return np.sum(x * x) + np.sum(v[0] * x[1])


@at(VECTOR)
def two_buffers(u0):
    u = u0.copy()
    new = np.zeros(5)
    for _ in range(5):
        for i in range(1, 4):
            new[i] = u[i] * u[i - 1] + 0.1 * u[i + 1]
        u, new = new, u
    return np.sum(u)


@at(RNG.uniform(0.5, 1.5, 24))
def one_memory_in_two_shapes(x):
    y = x.copy().reshape(4, 3, 2)
    z = y.reshape(2, 3, 4)
    z[0, :, 0] = 2.0 * y[0, :, 0]
    y[1, :, 1] *= z[1, :, 1]
    return np.sum(y**3)


# Index arrays and masks


PLACES = np.array([3, 0, 3, -4, 2, 0])
COLUMNS = np.array([[0, 2], [-1, 2]])


@at(VECTOR, PLACES, RNG.uniform(0.5, 1.5, 6))
def gathered(x, i, w):
    return np.sum(x[i] ** 2 * w) + x[1:][i[:3]].sum() * x[i[0]]


@at(TALL, COLUMNS)
def gathered_from_a_matrix(a, j):
    picked = a[:2, j] * a[[0, 2]][:, None, :2] + a.T[j, 1] + a[1, j][..., None, :]
    return np.sum(picked**2) + np.sum(np.take(a, [0, -1], axis=1) ** 3)


@at(VECTOR, PLACES, RNG.uniform(0.5, 1.5, 6))
def scattered_with_duplicates(x, i, v):
    y = x * x
    y[i] = v * x[0]
    y[i[1:]] = y[i[:-1]] ** 2
    return np.sum(y**2)


@at(VECTOR, PLACES, RNG.uniform(0.5, 1.5, 6))
def added_at_places(x, i, v):
    y = x.copy()
    y[i] += v * x[1]
    np.add.at(y, i, v**2)
    y[i[:2]] *= y[2]
    z = y[::-1]
    z[[0, 1, 0]] /= v[:3]
    return np.sum(y**2)


@at(TALL, RNG.uniform(-1.0, 1.0, (2, 2, 3)), COLUMNS)
def scattered_into_a_matrix(a, v, j):
    b = a * 2.0
    b.T[j] = v * a[0, 0]
    b[1:, j[0]] -= v[0, :, :2] ** 2
    b[[0, 1, 0], [1, 2, 1]] = v[0, 0]
    return np.sum(b**3)


@at(TALL)
def masked_elements(a):
    positive = a[a > 0.1]
    b = a.copy()
    b[b < 0] = b[b < 0] ** 2
    b[a[:, 1] > -0.2, 2:] *= a[0, 2:]
    b[:, a[0] > 0] += a[:, a[0] > 0] ** 2
    rows, columns = np.nonzero(a < 0.3)
    return np.sum(positive**3) * np.sum(b) + np.sum(a[rows, columns] ** 2 * b[rows, columns])


@at(VECTOR, OTHER, np.array([0, 1, 1, 4, 0]))
def index_arrays_in_a_loop(x, w, k):
    acc = np.zeros(5)
    order = np.arange(5)
    for i in range(5):
        acc[k[i]] += x[i] * w[i]
        order = order[order != (2 * i) % 5]
        x = x * 1.5
        x[order] = x[order[::-1]] * w[order] + acc[k[: len(order)]]
        if i % 2 == 0:
            x[k[order]] += acc[order] ** 2
    return np.sum(x**2) + np.sum(acc**2)


@at(VECTOR, 0.7)
def shrinking_selection(x, rate):
    total = 0.0
    alive = x[x > 0.3]
    while len(alive) > 1:
        alive = alive[np.arange(len(alive)) != len(alive) // 2] * rate
        total += np.sum(alive**2)
    return total + alive[0]


@at(VECTOR, OTHER)
def into_arrays(x, y):
    buffer = np.zeros(5)
    np.multiply(x, y, out=buffer)
    np.log(x, out=buffer, where=x > 0.6)
    np.sin(buffer, buffer)
    rows = np.empty((2, 5))
    np.add(buffer, y, out=rows)
    np.power(rows[0], 2.0, out=rows[1])
    total = np.zeros(5)
    np.sum(rows, axis=0, out=total)
    np.dot(rows.T, np.sum(rows, axis=1), out=x)
    return np.sum(total * x) + np.sum(buffer**2)


@at(TALL)
def sparse_product(a):
    rows, columns = np.nonzero(a > 0)
    values = a[rows, columns]
    y = np.zeros(3)
    for k in range(len(values)):
        y[rows[k]] += values[k] ** 2 * a[0, columns[k]]
    z = np.zeros(3)
    np.add.at(z, rows, values * a[1, columns])
    return np.sum(y**2) + np.sum(y * z)


# Functions and closures


def helper(x, scale=2.0, *, shift=0.0):
    return x * scale + shift


def fills(target, values):
    for i in range(target.shape[0]):
        target[i] = values[i] ** 2


FACTOR = 1.5
WEIGHTS = RNG.uniform(0.5, 1.5, 5)


@at(0.8)
def helpers_and_lambdas(x):
    square = lambda z: z * z  # noqa: E731

    def cube(z):
        return square(z) * z * FACTOR

    return helper(cube(x), shift=x) + helper(x, 3.0) + square(helper(x))


@at(VECTOR)
def mutating_helper(x):
    out = np.empty(5)
    fills(out, x)
    return np.sum(out * WEIGHTS)


def rk4(y, t, h, rate):
    def slope(y, t):
        return -rate * y + math.sin(t)

    k1 = slope(y, t)
    k2 = slope(y + 0.5 * h * k1, t + 0.5 * h)
    k3 = slope(y + 0.5 * h * k2, t + 0.5 * h)
    k4 = slope(y + h * k3, t + h)
    return y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6


@at(1.0, 0.6)
def runge_kutta(y, rate):
    t = 0.0
    path = np.zeros(21)
    path[0] = y
    for i in range(20):
        y = rk4(y, t, 0.1, rate)
        t = t + 0.1
        path[i + 1] = y
    return np.sum(path**2) + y


@at((0.5, VECTOR))
def tuple_argument(pair):
    a, x = pair
    return a * np.sum(x * x) + a**2


def pair_of(x, y):
    return x * y, x + y


@at(0.4, 0.9)
def tuples_returned(x, y):
    p, s = pair_of(x, y)
    q = pair_of(p, s)
    return q[0] * q[1]

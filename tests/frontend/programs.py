# ruff: noqa: B007, B905, C416, E501, F821, F841, SIM108
"""Small functions, and inputs for each: what the frontend makes of them must do what Python does.

Each entry of `CASES` is a function and a list of argument tuples.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

X = np.array([3.0, -1.0, 2.5, 0.5, -4.0])
Y = np.array([1.0, 2.0, -3.0, 0.25, 5.0])
E = np.array([])
ONE = np.array([2.0])
K = np.array([3, 1, 4, 1, 5])
B = np.array([True, False, True, True, False])
A = np.arange(12.0).reshape(3, 4) - 4.0
Q = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]])

CASES: list[tuple] = []


def case(*inputs):
    def register(function):
        CASES.append((function, list(inputs)))
        return function

    return register


SCALE = 2.5
TABLE = np.array([1.0, 10.0, 100.0])
COEFFICIENTS = (1.0, -2.0, 0.5)
OFFSET = np.float64(1.25)

# Scalars


@case((2.0,), (-3.0,), (0.0,))
def arithmetic(x):
    return x * x - 3 * x + x / 4 + x**2 + x**3 - 2**x + (-x) + +x


@case((7, 3), (-7, 3), (7, -3), (0, 5), (5, 0))
def integers(a, b):
    return a + b, a * b, a - b, a // b, a % b, a & b, a | b, a ^ b, a << 2, a >> 1, ~a


@case((7, 2), (3, 0), (2, 5))
def integer_powers(a, b):
    return a**b, a**2, a**-1, a / 2


@case((7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (1.0, 0.0))
def float_division(a, b):
    return a // b, a % b, a / b, divmod(a, b)


@case((1.0, 0.0), (0.0, 0.0), (2.0, 4.0))
def divide(a, b):
    return a / b


@case((1, 0), (6, 4))
def divide_integers(a, b):
    return a / b


@case((1, 0), (6, 4))
def modulo_integers(a, b):
    return a % b


@case((0.0, -1.0), (-8.0, 2.0), (1e200, 2.0), (2.0, 0.5))
def power(a, b):
    return a**b


@case((True, False), (True, True))
def booleans(p, q):
    return p + q, p * 3, -p, p and q, p or q, not p, p & q, p ^ q, p == q, p < q, p - q


@case((1.0, 2.0), (2.0, 1.0), (1.0, 1.0))
def comparisons(a, b):
    return a < b, a <= b, a > b, a >= b, a == b, a != b, 0 < a < b < 3, a < b > 1.5


@case((3.0,), (-3.0,), (0.0,))
def short_circuit(x):
    return (x or 5.0), (x and 7.0), (x > 0 and 1.0 / x > 0.1), (x == 0 or 1.0 / x < 0)


@case((3.0,), (-2.0,))
def conditional(x):
    return math.sqrt(x) if x > 0 else -x


@case((4.0,), (-1.0,), (0.0,))
def math_domain(x):
    return math.sqrt(x) + math.log(x)


@case((1.0,), (1000.0,))
def math_range(x):
    return math.exp(x)


@case((0.3,), (2.0,), (math.inf,))
def math_functions(x):
    return math.sin(x), math.cos(x), math.tan(x), math.atan(x), math.tanh(x), math.asin(x), math.erf(x)


@case((2.7,), (-2.7,), (2.5,), (3.5,), (math.nan,), (math.inf,))
def to_integers(x):
    return int(x), math.floor(x), math.ceil(x), math.trunc(x), round(x), float(3), bool(x)


@case((2.0, 3.0), (3.0, 2.0), (math.nan, 1.0))
def extrema(a, b):
    return min(a, b), max(a, b), max(a, b, 2.5), abs(a - b), min((a, b)), sum([a, b]), pow(a, 2)


@case((3,), (5,))
def promoted(n):
    s = 0
    for i in range(n):
        s = s + i * 0.5
    return s


@case((2.0,))
def constants(x):
    return math.pi * x + np.pi + math.e + x * math.tau


@case((1.5,))
def captures(x):
    return x * SCALE + TABLE[1] + COEFFICIENTS[2] * x + OFFSET


@case((2.0,))
def strings(x):
    name = f"a{1 + 1}" + "b"
    return x if name == "a2b" else -x


@case((2.0,))
def containers(x):
    t = (x, 2 * x, (3.0, x * x))
    a, b, (c, d) = t
    first, *rest = [a, b, c]
    table = {"p": x, "q": d}
    return [a + b, c], table["p"] + table["q"], rest, {"r": rest[-1], "n": None}


@case((2.0, 5.0))
def swap(a, b):
    a, b = b, a
    c = d = a + 1
    c += b
    return a, b, c, d


# Branches


@case((1.0,), (-1.0,), (0.0,))
def branches(x):
    if x > 0:
        y = x * 2
        z = 1
    elif x < 0:
        y = -x
        z = 2.5
    else:
        y = 100.0
        z = 3
    return y * z


@case((5.0,), (-5.0,), (0.5,))
def early_return(x):
    if x < 0:
        return -x
    if x > 1:
        y = x * 3
        if y > 10:
            return y
    x += 1
    return x * 10


@case((5.0,), (-5.0,))
def raising(x):
    if x < 0:
        raise ValueError(f"negative: {x}")
    return math.sqrt(x)


@case((5.0,), (-5.0,))
def raising_else(x):
    if x > 0:
        y = x * 2
    else:
        raise ValueError("not positive")
    return y


@case((5.0,), (-5.0,))
def asserting(x):
    assert x > 0, "must be positive"
    return x


@case((X, 1), (X, -1))
def branch_writes(x, n):
    y = x.copy()
    if n > 0:
        y[0] = 10.0
    else:
        y[1] += 5.0
        y *= 2.0
    return y


@case((X, 1), (X, -1), (E, 1), (E, -1))
def branch_lengths(x, n):
    if n > 0:
        y = x[1:]
    else:
        y = x[:2] * 2.0
    return y, y.shape[0]


@case((X, 2.0), (X, -2.0))
def branch_names(x, a):
    if a > 0:
        y = x
    else:
        y = x * a
    return y.sum()


@case((2.0,), (-2.0,))
def maybe_unbound(x):
    if x > 0:
        y = x
    return y


# Loops


@case((X,), (E,), (ONE,))
def sum_of_squares(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] ** 2
    return s


@case((X,), (E,), (ONE,))
def over_elements(x):
    s = 0
    for v in x:
        s += v * v
    return s


@case((X, Y), (E, E))
def zipped(x, y):
    s = 0.0
    for a, b in zip(x, y):
        s += a * b
    for i, a in enumerate(x):
        s += i * a
    for a in reversed(x):
        s = 0.5 * s + a
    return s


@case((A,))
def over_rows(a):
    s = 0.0
    for row in a:
        s += row[0] * row[-1]
    return s


@case((X, 4), (X, 0))
def smooth(x, n):
    u = x.copy()
    v = np.zeros_like(x)
    for _ in range(n):
        for i in range(1, len(x) - 1):
            v[i] = 0.5 * (u[i - 1] + u[i + 1])
        u, v = v, u
    return u


@case((10, 3), (0, 1), (3, 10))
def ranges(n, m):
    s = 0
    for i in range(n, 0, -2):
        s += i
    for i in range(m, n):
        s += i * i
    for i in range(1, n, m):
        s = s * 2 + i
    return s


@case((1, 10, 2), (10, 1, -3), (0, 5, -1), (0, 5, 0))
def dynamic_range(a, b, c):
    s = 0
    for i in range(a, b, c):
        s += i
    return s


@case((100.0,), (0.5,))
def newton(a):
    x = a
    while abs(x * x - a) > 1e-10:
        x = 0.5 * (x + a / x)
    return x


@case((27,), (1,), (7,))
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


@case((X,), (E,))
def last_index(x):
    for i in range(len(x)):
        last = x[i] * 2
    return last, i


@case((3,), (0,))
def nested_unbound(n):
    for i in range(n):
        for j in range(i):
            k = i * j
    return k


@case((X,), (E,))
def conditional_definition(x):
    best = -1.0
    for i in range(len(x)):
        if x[i] > best:
            best = x[i]
            where = i
    return best, where


@case((X,), (E,))
def running_best(x):
    best = x.copy()
    for i in range(3):
        y = x * i
        if y.sum() > best.sum():
            best = y
    return best


@case((X, 3), (X, 0), (E, 2))
def growing(x, n):
    for _ in range(n):
        x = np.concatenate((x, x))
    return x


@case((X, 2), (X, 0), (X, 7))
def shrinking(x, n):
    for _ in range(n):
        x = x[1:]
    return x


@case((X,))
def array_in_while(x):
    while np.max(np.abs(x)) > 1.0:
        x = x * 0.5
    return x


@case((3,), (0,))
def triangular(n):
    a = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            a[i, j] = i + 10 * j
    return a


@case((X,), (E,), (-X,))
def find_first(x):
    for i in range(len(x)):
        if x[i] < 0:
            return i
    return -1


@case((X,), (E,), (-X,), (X * X,))
def breaking(x):
    s = 0.0
    for v in x:
        if v < 0:
            break
        s += v
    else:
        s = 100.0
    return s


@case((X,), (E,), (-X,))
def continuing(x):
    s = 0.0
    for v in x:
        if v < 0:
            continue
        s += v
        if s > 4:
            continue
        s *= 2
    return s


@case((5,), (0,), (20,))
def while_true(n):
    i = 0
    while True:
        i += 3
        if i > n:
            break
    return i


@case((A, 3.0), (A, 100.0), (A, -4.0))
def return_from_nested(a, x):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            if a[i, j] == x:
                return i, j
    return -1, -1


@case((12,), (2,), (0,))
def primes(n):
    count = 0
    for i in range(2, n):
        for j in range(2, i):
            if i % j == 0:
                break
        else:
            count += 1
    return count


@case((5,), (0,))
def while_else(n):
    while n > 0:
        n -= 2
        if n == 1:
            break
    else:
        n = 50
    return n


@case((2.0,), (0.5,))
def unrolled(x):
    y = 0.0
    for c in (1.0, 2.0, 3.0):
        y = y * x + c
        if y > 5.0:
            break
    for k, c in enumerate(COEFFICIENTS):
        y += c * x**k
    return y


# Arrays


@case((X, Y), (E, E), (ONE, ONE))
def elementwise(x, y):
    return np.sin(x) * y + np.exp(-x) / (1 + np.abs(y)) - np.maximum(x, y) ** 2 + np.where(x > y, x, 2 * y)


@case((X, ONE), (ONE, X), (X, np.array([1.0, 2.0])))
def broadcast(x, y):
    return x + y


@case((A, X[:4]), (A, ONE), (A, X[:3]))
def broadcast_rows(a, x):
    return a * x - a


@case((X, Y))
def outer_difference(x, y):
    return x[:, None] - y[None, :]


@case((A,))
def reductions(a):
    return (
        np.sum(a), a.sum(axis=0), a.mean(axis=1), np.max(a, axis=-1), a.min(), np.prod(a[:, 1:3]), a.var(), a.std(axis=0),
        np.any(a > 5), np.all(a > -10, axis=1), a.sum(axis=1, keepdims=True), np.linalg.norm(a), np.mean(a, axis=(0, 1)),
    )


@case((A,))
def products_of_axes(a):
    return np.prod(a, axis=0), np.prod(a, axis=1), np.cumsum(a[0]), np.cumprod(a[1]), np.diff(a[2]), np.diff(a)


@case((X,), (E,))
def empty_reductions(x):
    return x.sum(), np.mean(x), np.prod(x), np.any(x > 0), np.all(x > 0)


@case((X,), (E,))
def maximum_of(x):
    return np.max(x)


@case((X,), (E,))
def python_maximum(x):
    return max(x), sum(x)


@case((A, X[:4]), (A, X))
def matrix_vector(a, x):
    return a @ x


@case((X, Y), (X, ONE), (E, E))
def dot_products(x, y):
    return np.dot(x, y), x @ y, np.vdot(x, y)


@case((A, Q), (Q, A))
def matrix_products(a, b):
    return b @ a, np.dot(b, a), np.matmul(a.T, b), X[:3] @ a, np.outer(X, Y), np.inner(X, Y)


@case((3,), (0,), (1,), (-1,))
def constructors(n):
    return np.zeros(n), np.ones((n, 2)), np.full(n, 2.5), np.arange(n), np.eye(n), np.zeros(n, dtype=int), np.linspace(0, 1, n)


@case((1.0, 3.0, 0.5), (0.0, 1.0, 0.3), (3.0, 1.0, 0.5), (3.0, 1.0, -0.5))
def float_ranges(a, b, c):
    return np.arange(a, b, c), np.linspace(a, b, 7), np.linspace(a, b, 5, endpoint=False)


@case((10, 2, -3), (2, 10, 3), (0, 0, 1))
def integer_ranges(a, b, c):
    return np.arange(a, b, c), np.arange(a), np.arange(a, b)


@case((2.0,))
def from_lists(x):
    r = np.array([x, 1, x * x])
    return r, np.array([[1.0, x], [x, 0.0]]), np.array([r, 2 * r]), np.array([1, 2, 3]), np.asarray(r)


@case((X, Y), (E, ONE))
def joined(x, y):
    return np.concatenate((x, y)), np.hstack([x, y]), np.concatenate([x, y, x])


@case((X, Y), (X, ONE))
def stacked(x, y):
    return np.stack([x, y]), np.stack((x, y), axis=1), np.vstack((x, y))


@case((A,))
def arranged(a):
    return (
        a.reshape(4, 3), a.reshape(-1), a.reshape((2, -1)), a.T, a.T.reshape(-1), a.ravel(), a.flatten(), np.transpose(a),
        np.expand_dims(a, 1), a[:, None].squeeze(1), a.swapaxes(0, 1), np.flip(a), a[::-1, ::-1],
    )


@case((X,))
def bad_reshape(x):
    return x.reshape(2, 3)


@case((X, 2), (X, 4))
def dynamic_reshape(x, n):
    return x.reshape(n, -1)


@case((A,))
def attributes(a):
    return a.shape, a.size, a.ndim, len(a), a.shape[-1], a.T.shape


@case((K, X))
def dtypes(k, x):
    return k + x, k / 2, k // 2, k % 3, k * 2, k**2, np.sqrt(k), k.astype(float), x.astype(int), x > 0, k.sum(), k.mean(), k == 1


@case((K, np.array([1, 0, 2, 0, 3])))
def integer_arrays_by_zero(k, m):
    return k // m, k % m


@case((B, B[::-1].copy()))
def boolean_arrays(p, q):
    return p & q, p | q, p ^ q, ~p, p + q, p * q, p.sum(), p == q, np.logical_and(p, q), np.logical_not(p), p * 2.0


@case((X, 0.0), (X, 2.0))
def numpy_division(x, a):
    return x[0] / a, np.float64(1.0) / (a - a), x / a, np.sqrt(-x), np.log(x * 0.0)


@case((X, Y))
def rounding(x, y):
    return np.floor(x), np.ceil(x), np.rint(x), np.sign(x), np.clip(x, -1, 1), np.hypot(x, y), np.arctan2(x, y), np.square(x)


# Indexing


@case((X, 0), (X, -1), (X, 4), (X, 5), (X, -5), (X, -6), (E, 0))
def index(x, i):
    return x[i]


@case((A, 1, 2), (A, -1, -4), (A, 3, 0), (A, 0, 4))
def index_matrix(a, i, j):
    return a[i, j], a[i][j], a[i, ...], a[:, j], a[..., j]


@case((X,), (E,), (ONE,))
def constant_slices(x):
    return x[1:], x[:-1], x[1:-1], x[2:], x[:-2], x[::2], x[::-1], x[-2:], x[:3], x[3:1], x[-1:0:-1], x[1::2], x[-3:-1], x[4::-2]


@case((X, 1, 3), (X, -3, -1), (X, -10, 10), (X, 3, 1), (X, 7, 9), (E, 0, 2))
def slices(x, a, b):
    return x[a:b], x[a:], x[:b], x[a:b:2], x[b:a:-1], x[b::-1], x[:a:-2]


@case((X, 1), (X, 2), (X, -1), (X, -2), (X, 0))
def stepped(x, c):
    return x[::c], x[1:4:c], x[4:1:c]


@case((A,))
def mixed(a):
    return a[1:, 0], a[0, ::-1], a[None, 1], a[1:][0, 1], a.T[1], a.T[1:, 0], a[:, 1:3].T[0], a[::2, ::-2][1]


@case((X, 1, 5.0), (X, -2, 1.0), (X, 9, 1.0))
def write(x, i, v):
    x[i] = v
    x[i] += 2 * v
    x[i] *= 3
    x[0] -= v
    return x


@case((X,), (E,))
def write_slices(x):
    x[1:3] = 7.0
    x[:2] += 1.0
    x[::2] *= 2
    x[2:] = x[2:] * 2
    x[:] = x + 1
    return x


@case((X,), (ONE,))
def write_wrong_length(x):
    x[0:2] = np.ones(3)
    return x


@case((X,))
def overlapping(x):
    x[1:] = x[:-1]
    x[1:] += x[:-1]
    return x


@case((A,))
def write_matrix(a):
    a[0] = 1.0
    a[:, 1] = np.arange(3)
    a[1, 2:] += a[0, :2]
    a[-1, -1] = 99
    row = a[2]
    row[0] = -7.0
    row[1:3] -= 1
    return a


@case((A,))
def write_transposed(a):
    t = a.T
    t[0, 1] = 50.0
    t[1] = 3.0
    r = a.reshape(-1)
    r[5] = 60.0
    a.ravel()[0] = 70.0
    c = a[:, None]
    c[0, 0, 3] = 80.0
    return a, t, r


@case((A, np.arange(24.0)), (np.array([[5.0]]), np.arange(24.0)))
def reshaped_slices(a, x):
    part = x[4:16].reshape(3, 4)
    part[1, 2] = -1.0
    x[4] = -2.0
    rows = a[:2].reshape(-1)
    rows[0] = -3.0
    cube = x.reshape(2, 3, 4)[1, 1:].reshape(4, 2)
    cube[3] = -4.0
    part[2] = cube[:, 0]
    return a, x, part, rows, cube, x[2:2].reshape(0, 3), a[-1:, :].ravel()


@case((X,))
def masks(x):
    x[x < 0] = 0.0
    x[x > 2] *= 10
    return x


@case((X, np.array([0, 2, -1, 2])), (X, np.array([[0, 1], [-5, 4]])), (X, np.array([7])), (E, np.array([], int)))
def index_arrays(x, i):
    return x[i], x[1:][i[:1] % 2], x[::-1][i], np.take(x, i), x.take(i)


@case((A, np.array([2, -1, 0]), np.array([1, 1, -4])), (A, np.array([0, 3, 1]), np.array([0])))
def index_arrays_of_a_matrix(a, i, j):
    return a[i, j], a[i], a[:, j], a.T[j, 1:], a[i[:, None], j], a[i, None, j], a[0, j], a[..., j], a[j, 0:1]


@case((np.arange(24.0).reshape(2, 3, 4), np.array([1, 0, 1]), np.array([2, 0, -3])))
def arrangement_of_index_arrays(a, i, j):
    return a[i, :, j], a[:, j, i], a[i, 1, :], a[0, :, j], a[i, ..., 0], a[:, j, None, i], a[1:, j, i], a[j % 2, j, i]


@case((A,))
def sequences_as_index_arrays(a):
    return a[[0, 2]], a[[0, 1], [3, -1]], a[:, [True, False, True, True]], a[[]], a[[0, 1], (1, 2)], np.take(a, [0, 3], 1)


@case((A, np.array([2, 0]), np.array([True, False, False, True])))
def crossed_indices(a, i, m):
    a[np.ix_(i, [1, 2])] += 10.0
    return a[np.ix_(i, m)], a[np.ix_([0, 1, 1], i)], np.ix_(i, m)[1], a


@case((A, A > 0), (A, A > 100), (A, A[:2] > 0), (A, A[:, :2] > 0))
def mask_reads(a, m):
    return a[m], a[a[:, 0] > -4], a[:, a[0] > -3], a[a[:, 0] > -4, 1], a[a > 0][1:].sum(), np.flatnonzero(m)


@case((A,), (A * 0.0,), (np.zeros((0, 3)),))
def places(a):
    return np.nonzero(a), np.where(a > 0), np.argwhere(a), np.flatnonzero(a), a.nonzero(), np.count_nonzero(a)


@case((X, np.array([0, 2, 0, -3]), np.array([1.0, 2.0, 3.0, 4.0])), (X, np.array([0, 9]), np.array([1.0, 2.0])))
def index_array_writes(x, i, v):
    x[i] = v
    a = x.copy()
    x[i] += v
    b = x.copy()
    np.add.at(x, i, v)
    c = x.copy()
    np.subtract.at(x, i, 1.0)
    x[i[:2]] *= 3.0
    y = x[1:]
    y[[0, -1]] -= 7.0
    return a, b, c, x, y


@case((X, np.array([0, 2]), np.array([1.0, 2.0, 3.0])), (X, np.array([0, 2]), np.array([4.0])))
def written_values_fit(x, i, v):
    x[i] = v
    return x


@case((A, np.array([2, 0]), np.array([1, -1])))
def index_array_writes_of_a_matrix(a, i, j):
    a[i, j] = 10.0
    a[i] *= 2
    a[:, j] += np.array([[1.0], [2.0], [3.0]])
    a.T[j, i] -= 0.5
    a[:, 1:][[0, 1], j] = a[0, :2]
    a[i[:, None], j] = a[j[:, None] % 3, i]
    np.add.at(a, (i, 0), 1.0)
    np.add.at(a, i, a[0])
    return a


@case((X, B), (X, X > 100))
def mask_writes(x, m):
    x[m] = np.arange(np.sum(m)) * 1.5
    x[m] += x[m]
    x[~m] *= -1.0
    x[x > 2] = x[x > 2] - 1
    return x


@case((X, B, np.array([1.0, 2.0])), (X, B, np.array([1.0, 2.0, 3.0])), (X, B, np.array([1.0])), (X, B[1:], np.ones(3)))
def mask_write_fits(x, m, v):
    x[m] = v
    return x


@case((A, np.array([True, False, True])), (A, np.array([True, False])))
def masks_of_axes(a, m):
    a[m] = -1.0
    a[m, 1:] += np.array([1.0, 2.0, 3.0])
    a[:, a[1] > 1] *= 2.0
    a[m, 0] = np.array([5.0, 6.0])
    return a


@case((X, np.array([4, 3, 2, 1, 0])))
def index_arrays_change(x, i):
    y = x[i]
    i[0] = 2
    z = x[i]
    x[i[1:]] = x[i[:-1]]
    i[i] = 3
    x[i] = x
    return y, z, x, i


@case((X, K), (X, np.array([0, 1])))
def index_arrays_in_loops(x, k):
    acc = np.zeros(6)
    for i in range(len(k)):
        acc[k[i]] += x[i]
    p = np.arange(5)
    n = 0
    while len(p) > 1:
        p = p[p % 2 == 1] if n == 0 else p[:-1]
        x[p] += 1.0
        n += 1
    for i in range(3):
        if x[i] > 0:
            x[[i, 4]] *= 2
        else:
            x[x < i] -= 1
    return acc, x, p, n


def _moves(i):
    i[0] = 1
    return 10.0


def _flips(m, x):
    m[0] = not m[0]
    m[1] = not m[1]
    x[2] = 50.0
    return 10.0


@case((X, np.array([0, 2]), B))
def the_value_changes_the_index(x, i, m):
    x[i] += _moves(i)
    x[m] *= _flips(m, x)
    x[m] += _flips(m, x) * np.ones(3)
    return x, i, m


@case((X, Y), (X, Y[:2]))
def results_into_arrays(x, y):
    a = np.zeros(5)
    r = np.add(x, y, out=a)
    r[0] = 100.0
    np.sin(x, out=x)
    np.multiply(x, 2.0, x)
    np.sqrt(y, out=(y,), where=y > 0)
    np.exp(x, where=x > 0, out=a[::-1])
    c = np.zeros((2, 5))
    np.subtract(x, 1, out=c)
    np.greater(x, 0, out=c[1])
    np.floor(x, a[:])
    k = np.zeros(5, int)
    np.less(x, y, out=k)
    return a, x, y, c, k, r is a


@case((A, X[:4], Q), (A, X[:3], Q))
def folds_into_arrays(a, v, q):
    y = np.zeros(4)
    np.sum(a, axis=0, out=y)
    a.max(axis=0, out=v)
    np.mean(a, 1, out=q[1])
    np.cumsum(y, out=y[:])
    b = np.zeros((3, 4))
    np.dot(q, a, out=b)
    np.matmul(q, b, out=a)
    np.clip(b, -1.0, v, out=b)
    z = np.zeros((1, 4))
    np.sum(a, axis=0, keepdims=True, out=z)
    a.clip(0.0, 3.0, out=a)
    return y, v, q, a, b, z


@case((np.zeros((2, 5)), X), (np.zeros((2, 4)), X), (np.zeros((1, 5)), X), (np.zeros((2, 1)), X))
def a_result_is_repeated_into_its_array(c, x):
    return np.add(x, 1.0, out=c)


@case((X, B, True), (X, B, False), (X, B[:1], True), (X, B[:3], True))
def written_where(x, m, w):
    y = x.copy()
    np.negative(x, out=y, where=m)
    np.add(y, 1.0, out=y, where=w)
    np.multiply(y, 2.0, out=y, where=[True, False, True, False, True])
    return y


@case((K,))
def integer_writes(k):
    k[0] = 2.7
    k[1] += 1.6
    k[2:] //= 2
    return k


@case((X,))
def in_place_type(x):
    k = np.arange(3)
    k[0] = x[0]
    return k


# Aliases


@case((X,))
def alias(x):
    y = x
    y[0] = 9.0
    y += 1
    return x, y


@case((A,))
def alias_views(a):
    v = a[1:, :2]
    w = v[0]
    w[1] = 100.0
    a[1, 0] = -5.0
    return v, w, a


@case((X,))
def alias_through_loop(x):
    y = x[1:4]
    for i in range(3):
        x[i] = x[i] + y[i]
    return x, y


@case((X,))
def alias_branch(x):
    y = x
    if x[0] > 0:
        y[1] = 50.0
    return x.sum() + y[1]


def _clear_first(a, value=0.0):
    a[0] = value


@case((X,))
def mutating_call(x):
    _clear_first(x)
    _clear_first(x[2:], value=5.0)
    return x


@case((X,))
def augmented_alias(x):
    y = x
    x = x + 1
    y *= 2
    return x, y


@case((X, 5))
def rotating(x, n):
    a, b, c = x.copy(), x * 2, np.ones(5)
    for i in range(n):
        c[:] = a + 0.1 * b
        a, b, c = b, c, a
    a[0] = 1e3
    return a, b, c


@case((Q,))
def cholesky(a):
    n = a.shape[0]
    low = np.zeros_like(a)
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                low[i, j] = np.sqrt(s)
            else:
                low[i, j] = s / low[j, j]
    return low


@case((Q, X[:3]))
def solve_in_place(a, b):
    n = len(b)
    for k in range(n):
        for i in range(k + 1, n):
            f = a[i, k] / a[k, k]
            a[i, k:] -= f * a[k, k:]
            b[i] -= f * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return x


# Calls


def _square(x):
    return x * x


def _with_defaults(x, scale=2.0, *more, shift=0.0, **named):
    for m in more:
        x += m
    return x * scale + shift + named.get("extra", 0.0)


def _apply(f, x, n):
    for _ in range(n):
        x = f(x)
    return x


def _power(x, n):
    return 1.0 if n == 0 else x * _power(x, n - 1)


class Point(NamedTuple):
    x: float
    y: float


class Model:
    rate = 0.5

    def __init__(self):
        self.weight = 3.0
        self.table = np.array([1.0, 2.0])

    def predict(self, x):
        return x * self.weight + self.table[1] + self._shift()

    def _shift(self):
        return 1.0

    def __call__(self, x):
        return self.predict(x) * 2


MODEL = Model()


@case((1.5,))
def calls(x):
    add = lambda a, b=1.0: a + b * x  # noqa: E731

    def inner(y):
        return y * x + add(y)

    third = functools.partial(_with_defaults, scale=3.0)
    return (
        _square(x) + inner(2.0), _with_defaults(x, 1.0, 2.0, 3.0, shift=x, extra=1.0), third(x), _apply(_square, x, 3),
        _apply(lambda t: t + x, 0.0, 2), _power(x, 3), MODEL.predict(x), MODEL(x), _with_defaults(x=x),
    )


@case((1.5, 2.0))
def named_tuples(a, b):
    p = Point(a, b)
    return p.x * p.y, p[0], [v * 2 for v in p], {k: v for k, v in zip("ab", p)}


@case((X,))
def comprehensions(x):
    rows = [x * k for k in range(3)]
    rows.append(x)
    return sum(rows), sum(v for v in (1.0, 2.0)), [k * 2 for k in (1, 2, 3) if k > 1], len(rows)


@case((2.0, 3), (2.0, 0))
def closure_reads_late(x, n):
    s = 0.0

    def scaled(y):
        return y * s

    for i in range(n):
        s += i
    return scaled(x)


@case((X,), (E,))
def while_with_arrays(x):
    i = 0
    total = 0.0
    while i < len(x) and x[i] > -2.0:
        total += x[i]
        i += 1
    return total, i


@case((np.array([1.0, 2.0]), 0.1, 100))
def runge_kutta(y, h, n):
    def f(y):
        out = np.empty_like(y)
        out[0] = y[0] * (1.0 - y[1])
        out[1] = -y[1] * (1.0 - y[0])
        return out

    for _ in range(n):
        k1 = f(y)
        k2 = f(y + 0.5 * h * k1)
        k3 = f(y + 0.5 * h * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


@case((X, 4), (X, 1))
def previous(x, n):
    s = 0.0
    for i in range(n):
        if i > 0:
            s += x[i] * before
        before = x[i]
    return s


@case((X, 4), (X, 1))
def previous_index(x, n):
    s = 0
    for i in range(n):
        if i > 0:
            s += x[j]
        j = i
    return s


@case((X, 3), (X, 0), (X, 1))
def array_bound_in_loop(x, n):
    for i in range(n):
        if i > 0:
            y = x[i:] * 2
    return y


@case((0.5,), (3.0,))
def only_returns_from_loop(x):
    s, term, k = 0.0, 1.0, 0
    while True:
        s += term
        k += 1
        term *= x / k
        if abs(term) < 1e-12:
            return s, k


@case((X, K), (X[:3], K))
def over_integers(x, k):
    s = 0.0
    for i in k:
        s += x[i]
    for j in range(len(k)):
        s *= x[k[j]]
    return s


@case((X,))
def heat(x):
    u = x.copy()
    for _ in range(5):
        old = u.copy()
        u[1:-1] = old[1:-1] + 0.1 * (old[2:] - 2 * old[1:-1] + old[:-2])
        u[0] = 0
        u[-1] = u[-2]
    return u


@case((A,))
def jacobi(a):
    for _ in range(3):
        a[1:-1, 1:-1] = 0.25 * (a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2])
    return a


@case((A, X))
def recurrent(a, x):
    h = np.zeros(4)
    for i in range(3):
        h = np.concatenate([np.tanh(a @ h + x[i]), x[:1]])
    return h


@case((A,))
def normalised(a):
    return a / a.sum(axis=1, keepdims=True), (a - a.mean(axis=0)) / (a.std(axis=0) + 1), np.linalg.norm(a, axis=1)


@case((X,))
def chained_targets(x):
    n = x.shape[0]
    d = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            d[i, j] = d[j, i] = abs(x[i] - x[j])
    return d


@case((X,))
def counters_modulo(x):
    acc = np.zeros(3)
    for i in range(5):
        acc[i % 3] += x[i]
        acc[-1] -= 1
    return acc


@case((A,))
def columns_in_place(a):
    rows, columns = a.shape
    out = np.zeros((rows, columns))
    for i in range(rows):
        out[i, :] = a[i, ::-1]
    for j in range(columns):
        out[:, j] /= 1 + j
    return out


@case((X, 3), (X, 0), (X, 1))
def array_read_before_bound(x, n):
    s = 0.0
    for i in range(n):
        if i > 0:
            s += held[0] * i
            held[1] += s
            s += held.sum()
        held = x * i
    return s


@case((X, -2, True), (X, 7, False), (X, 2, True))
def length_checked_in_branch(x, n, p):
    if p and n > 0:
        y = np.zeros(n)
        s = y.sum()
    else:
        s = 1.0
    return x[n] + s


@case((X, 3), (X, 0), (X, 1))
def maybe_unbound_and_promoted(x, n):
    if n > 1:
        c = 1
    for _ in range(2):
        for _ in range(n):
            c += 0.25 * x[0]
    return c


@case((4, 10, 3), (0, 0, 1), (5, 1, -2))
def sum_of_range(a, b, c):
    return sum(range(b)) + sum(range(a, b, c), 0.5)


NUMBER = int | float


@case((2.0, 3), (-1.5, 4))
def classes_asked_for(x, n):
    found = 0.0
    if isinstance(n, int | str):
        found += x
    if isinstance(x, NUMBER) and not isinstance(n, (str, (list, tuple))):
        found += 10.0 * n
    return found + (1.0 if isinstance((x, n), tuple | list) else 2.0)

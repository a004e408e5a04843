"""Functions as Numba's users write them, with arguments: each is differentiated as it stands."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numba import float64, int64, literal_unroll, njit, prange


class Body(NamedTuple):
    mass: float
    position: np.ndarray


@njit(parallel=True, fastmath=True)
def sums_in_parallel(x):
    total = 0.0
    for i in prange(len(x)):
        total += math.sin(x[i]) * x[i]
    return total


@njit
def every_other(x):
    total = 0.0
    for i in numba.prange(0, len(x), 2):
        total += x[i] ** 3
    return total


@njit(parallel=True, nogil=True, error_model="numpy", boundscheck=True)
def writes_in_parallel(x):
    y = np.empty_like(x)
    for i in numba.prange(x.shape[0]):
        y[i] = x[i] ** 2 / (1.0 + x[i])
    return y.sum()


@njit("float64(float64, float64)")
def declared(x, n):
    return x**n


@njit([float64(float64), numba.float32(numba.float32)])
def declared_twice(x):
    return x * x


@njit(float64(float64[:], numba.int32))
def declared_arrays(x, n):
    return np.sum(x**n)


@njit
def calls_declared(x):
    return declared(n=3, x=x) + declared_arrays(np.array([x, 2.0 * x]), 2)


@njit("float64(int64)")
def whole(n):
    return n * 2.0


@njit
def truncates(x):
    return x * whole(x)


@numba.vectorize
def bent(a, b):
    if a > b:
        return a * a
    return b * math.sin(a)


@numba.vectorize([float64(float64, float64)])
def bent_doubles(a, b):
    return a * math.exp(b)


@njit
def vectorized(x):
    return np.sum(bent(x, 0.5)) + bent(x[0], 2.0) + np.sum(bent_doubles(x, np.arange(2).reshape(2, 1)))


@numba.guvectorize([(float64[:], float64[:])], "(n)->()")
def squares(a, result):
    result[0] = np.sum(a * a)


@numba.guvectorize(["void(float64[:,:], float64[:], float64[:])"], "(m,n),(n)->(m)")
def product(a, x, y):
    for i in range(a.shape[0]):
        y[i] = 0.0
        for j in range(a.shape[1]):
            y[i] += a[i, j] * x[j]


@numba.guvectorize([(float64[:], float64, float64[:])], "(n),()->(n)")
def blended(x, weight, y):
    y[0] = x[0]
    for k in range(1, len(x)):
        y[k] = weight * x[k] + (1.0 - weight) * y[k - 1]


@numba.guvectorize([(float64[:], float64[:], float64[:])], "(n),()->(n)")
def scaled_by_one(x, factor, y):
    for k in range(len(x)):
        y[k] = factor[0] * x[k] ** 2


@numba.guvectorize("(n),(n)->(),()")
def moments(x, w, mean, variance):
    mean[0] = variance[0] = 0.0
    for k in range(len(x)):
        mean[0] += w[k] * x[k]
    for k in range(len(x)):
        variance[0] += w[k] * (x[k] - mean[0]) ** 2


def generalized(x):
    rows = np.stack((x, x * x, np.cos(x)))
    weights = np.array([0.1, 0.5, 0.9])
    found = np.sum(squares(rows)) + squares(x)
    found += np.sum(product(np.outer(x, x), rows) ** 2) + np.sum(product(np.stack((rows, rows + 1.0)), x))
    found += np.sum(blended(rows, weights) ** 2) + np.sum(blended(x, weights[:, None, None]) ** 3)
    return found + np.sum(np.sin(scaled_by_one(rows, x[0])))


def writes_outputs(x):
    smooth, given = np.ones((2, len(x))), np.zeros((1, len(x)))
    blended(x, np.array([0.25, 0.5]), smooth)
    blended(x, 0.5, out=given)
    return np.sum(smooth**2) + np.sum(given**2)


@njit
def writes_two_outputs(x):
    mean, variance = np.zeros(2), np.zeros(2)
    moments(np.stack((x, x * x)), x / np.sum(x), mean, variance)
    return mean[0] * variance[1] + mean[1] * variance[0]


def without_what_it_writes(x):
    return moments(x, x)[0]


def with_two_outputs(x):
    return squares(x, np.zeros(1), np.zeros(1))[0]


def with_an_output_of_integers(x):
    y = np.zeros(len(x), np.int64)
    blended(x, 0.5, y)
    return np.sum(y) * x[0]


@njit
def casts(x):
    n = int64(3.7)
    z = numba.complex128(x)
    return x * numba.float64(n) + (z * z).real + numba.types.float64(2) * x


@njit
def typed_zeros(x):
    a = np.zeros(3, dtype=numba.float64)
    for i in range(3):
        a[i] = x**i
    return a.sum()


@njit
def named(body):
    moved = Body(body.mass * 2.0, body.position + 1.0)
    return moved.mass * np.sum(moved.position**2)


@njit
def pairs(pair):
    a, b = pair
    return a * np.sum(b)


@numba.cfunc("float64(float64)")
def callback(x):
    return x * x


@numba.extending.register_jitable
def cubed(x):
    return x * x * x


def twice(x):
    return 2.0 * x


@numba.extending.overload(twice)
def _twice(x):
    return lambda x: 2.0 * x


@njit
def calls_others(x):
    return cubed(x) + twice(x) * x


@njit
def calls_what_it_is_given(function, x):
    return function(x) * x


@njit
def gives_functions(x):
    return calls_what_it_is_given(cubed, x) + (lambda y: y * y)(x)


@njit
def unrolled(x):
    total = 0.0
    factors = (1, 2.0, x)
    for v in literal_unroll(factors):
        total += v * x
    return total


@njit
def defines_inside(x):
    k = 2.0

    def inner(y):
        return k * y * y

    return inner(x) * x


@njit
def typed_list(x):
    items = numba.typed.List()
    for k in range(3):
        items.append(x**k)
    return items[1] * items[2]


@njit
def typed_dict(x):
    found = numba.typed.Dict.empty(numba.types.unicode_type, numba.types.float64)
    found["a"] = x
    return found["a"] * x


@njit(locals={"s": numba.float64})
def typed_local(x):
    s = 0
    for i in range(3):
        s += x * i
    return s * x


@njit
def optional(x, n=None):
    if n is None:
        return x * x
    return x * n


@njit
def laplace(u, steps):
    for _ in range(steps):
        v = u.copy()
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                v[i, j] = 0.25 * (u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1])
        u = v
    return np.sum(u * u)


@njit
def mandelbrot(x, y, most):
    c = complex(x, y)
    z = 0.0j
    for _ in range(most):
        z = z * z + c
        if z.real * z.real + z.imag * z.imag >= 4:
            break
    return math.log(z.real * z.real + z.imag * z.imag)


@njit
def acceleration(positions, masses, i):
    a = np.zeros(3)
    for j in range(len(masses)):
        if j != i:
            d = positions[j] - positions[i]
            r2 = (d**2).sum() + 0.01
            a += masses[j] * d / (r2 * math.sqrt(r2))
    return a


@njit
def bodies(positions, velocities, masses, dt, steps):
    for _ in range(steps):
        for i in range(len(masses)):
            velocities[i] += dt * acceleration(positions, masses, i)
        positions += dt * velocities
    energy = 0.0
    for i in range(len(masses)):
        energy += 0.5 * masses[i] * np.dot(velocities[i], velocities[i])
    return energy


@njit
def monte_carlo(scale, rng, n):
    inside = 0.0
    for _ in range(n):
        a = rng.random()
        b = rng.random()
        inside += 1.0 / (1.0 + math.exp(-scale * (1.0 - a * a - b * b)))
    return 4.0 * inside / n


@njit
def black_scholes(price, strike, years, rate, volatility):
    total = 0.0
    for i in range(len(price)):
        d = (math.log(price[i] / strike) + (rate + 0.5 * volatility**2) * years) / (volatility * math.sqrt(years))
        e = d - volatility * math.sqrt(years)
        total += price[i] * 0.5 * (1.0 + math.erf(d / math.sqrt(2.0)))
        total -= strike * math.exp(-rate * years) * 0.5 * (1.0 + math.erf(e / math.sqrt(2.0)))
    return total


@numba.stencil
def mean_of_neighbours(a):
    return 0.25 * (a[0, 1] + a[1, 0] + a[0, -1] + a[-1, 0] * a[0, 0])


@numba.stencil(neighborhood=((-3, 0),), cval=7.0, standard_indexing=("weights",))
def weighted_past(a, weights, scale):
    total = 0.0
    for i in range(-3, 1):
        total += a[i] * weights[i + 3]
    return total * scale


@njit
def smoothed(u):
    return np.sum(mean_of_neighbours(mean_of_neighbours(u)) ** 2)


@njit
def averaged(x):
    return np.sum(weighted_past(x, x[:4], 2.0) ** 2) + np.sum(weighted_past(x[:2], x, 2.0))


X = np.linspace(0.1, 1.0, 7)
_random = np.random.default_rng(0)
DIFFERENTIATED = [
    (sums_in_parallel, X),
    (every_other, X),
    (writes_in_parallel, X),
    (declared, 2.0, 3),
    (declared_twice, 2.0),
    (declared_arrays, X, 3),
    (calls_declared, 0.7),
    (vectorized, X),
    (generalized, X),
    (writes_outputs, X),
    (writes_two_outputs, X),
    (squares, X),
    (casts, 0.7),
    (typed_zeros, 0.7),
    (named, Body(2.0, X)),
    (pairs, (2.0, X)),
    (callback, 0.7),
    (calls_others, 0.7),
    (gives_functions, 0.7),
    (unrolled, 0.7),
    (defines_inside, 0.7),
    (typed_list, 0.7),
    (typed_dict, 0.7),
    (typed_local, 0.7),
    (optional, 0.7),
    (laplace, _random.normal(size=(5, 6)), 3),
    (smoothed, _random.normal(size=(5, 6))),
    (averaged, X),
    (mandelbrot, 0.4, 0.3, 20),
    (bodies, _random.normal(size=(4, 3)), _random.normal(size=(4, 3)), np.ones(4), 0.01, 5),
    (black_scholes, 100.0 * X, 40.0, 1.0, 0.02, 0.3),
]


@numba.experimental.jitclass([("a", float64)])
class Parabola:
    def __init__(self, a):
        self.a = a

    def at(self, x):
        return self.a * x * x


@njit
def makes_jitclass(x):
    return Parabola(2.0).at(x)


@njit
def takes_jitclass(x, parabola):
    return parabola.at(x)


parabola = Parabola(2.0)


def sees_jitclass(x):
    return parabola.at(x)


@numba.extending.intrinsic
def in_llvm(context, x):
    return x(x), lambda context, builder, signature, arguments: arguments[0]


@numba.stencil
def loops(a):
    total = 0.0
    for i in range(2):
        total += a[i]
    return total


@njit
def calls_stencil_that_loops(x):
    return np.sum(loops(x))


@njit
def calls_stencil_on_a_matrix(x):
    return np.sum(mean_of_neighbours(x[0]))


@njit
def calls_intrinsic(x):
    return in_llvm(x)


@njit
def in_object_mode(x):
    with numba.objmode(y="float64"):
        y = x * 2.0
    return y + x


@njit
def asks_for_threads(x):
    return x * numba.get_num_threads()


@njit(locals={"s": numba.float32})
def narrow_local(x):
    s = x * x
    return s + x


@njit
def list_argument(x, items):
    return x * items[0]


@njit
def draws(x):
    return x * np.random.random()


@njit
def array_where_a_number_is_declared(x):
    return whole(np.array([x, x]))


@njit
def casts_by_a_type_of_arrays(x):
    return numba.types.Array(float64, 1, "C")(x)


REFUSED = [
    (makes_jitclass, (0.7,), "an instance of a jitclass"),
    (takes_jitclass, (0.7, parabola), "'parabola' is an instance of the jitclass Parabola"),
    (sees_jitclass, (0.7,), "'parabola' is an instance of the jitclass Parabola"),
    (without_what_it_writes, (X,), "is called without what it writes into"),
    (with_an_output_of_integers, (X,), "gives float64, which does not go into an output of int64"),
    (with_two_outputs, (X,), "made by numba.guvectorize with (n)->(), has other arguments here"),
    (calls_stencil_that_loops, (X,), "reads where its text does not say"),
    (calls_stencil_on_a_matrix, (np.ones((3, 3)),), "is a stencil of 2 axes, and its first array has 1"),
    (calls_intrinsic, (0.7,), "numba.extending.intrinsic"),
    (in_object_mode, (0.7,), "numba.objmode"),
    (asks_for_threads, (0.7,), "must not depend on the threads"),
    (narrow_local, (0.7,), "declares its local variable 's' as float32"),
    (list_argument, (0.7, numba.typed.List([1.0])), "'items' is a numba.typed.List"),
    (draws, (0.7,), "has a state that the function does not see"),
    (array_where_a_number_is_declared, (0.7,), "whole is declared for (int64), and is called with an array (float64"),
    (casts_by_a_type_of_arrays, (0.7,), "numba"),
]

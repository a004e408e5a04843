"""The laws of reverse derivative categories, on adcore's own Programs over Z₂.

The axioms are those of Cockett et al. (Reverse derivative categories, 2020); Wilson and Zanasi (2021) apply them to
circuits.
Every word holds 64 points, so that each comparison is of 64.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

from adcore.derive import pull
from adcore.program import clone
from adcore.recomputation import rename
from proofs.categories import READINGS, Arrow, both, derivative, exl, exr, fork, identity, jam, matrix_arrow, part
from proofs.circuits import Circuit, NotAPolynomialError, bits, interpreted, random_circuit

SEEDS = range(5)


def words(seed, n):
    return np.random.default_rng(seed).integers(np.iinfo(np.int64).min, np.iinfo(np.int64).max, n, endpoint=True)


@functools.cache
def circuit(f):
    return Circuit(f.program)


def value(f, a):
    return circuit(f)(a)


def reverse(f, a, w):
    return circuit(f).reverse(a, w)


def forward(f, a, v):
    return circuit(f).forward(a, v)


def same(one, other):
    np.testing.assert_array_equal(one, other)


def plus(f, g):
    return jam(f.target).after(fork(f, g))


def zero(n, m):
    return matrix_arrow(np.zeros((m, n)))


def of_a_pair(derive, f, second):
    """R[f] or D[f] as an arrow of both its arguments, one behind the other."""
    derived = derive(f.program, (0,))

    def make(b, x):
        copy = clone(derived)
        given = (part(b, x, 0, f.source), part(b, x, f.source, second))
        _, result = rename(copy.equations, copy.results, dict(zip(copy.params, given, strict=True)))
        b.adopt(copy.equations)
        return result

    return Arrow.of(f.source + second, make)


def reversed_(f):
    return of_a_pair(pull, f, f.target)


def differential(f):
    """D[f](a, v), of the reverse derivative alone: what R[R[f]] says of the cotangent, at cotangent 0."""
    back = reversed_(f)
    twice = reversed_(back)

    def make(b, x):
        a, v = part(b, x, 0, f.source), part(b, x, f.source, f.source)
        nothing = b.expand(0.0, f.target, axes=(0,))
        return part(b, twice.at(b, both(b, both(b, a, nothing), v)), f.source, f.target)

    return Arrow.of(2 * f.source, make)


# The axioms


@pytest.mark.parametrize("seed", SEEDS)
def test_rd1_sums(seed):
    f, g = random_circuit(seed, 4, 3), random_circuit(seed + 100, 4, 3)
    a, w = words(seed, 4), words(seed + 1, 3)
    same(reverse(plus(f, g), a, w), reverse(f, a, w) ^ reverse(g, a, w))
    same(reverse(zero(4, 3), a, w), np.zeros(4))


@pytest.mark.parametrize("seed", SEEDS)
def test_rd2_additive_in_the_cotangent(seed):
    f = random_circuit(seed, 4, 3)
    a, v, w = words(seed, 4), words(seed + 1, 3), words(seed + 2, 3)
    same(reverse(f, a, v ^ w), reverse(f, a, v) ^ reverse(f, a, w))
    same(reverse(f, a, np.zeros(3, np.int64)), np.zeros(4))


@pytest.mark.parametrize("seed", SEEDS)
def test_rd3_identities_and_projections(seed):
    a, v, w = words(seed, 5), words(seed + 1, 2), words(seed + 2, 3)
    same(reverse(identity(3), a[:3], w), w)
    same(reverse(exl(2, 3), a, v), np.concatenate((v, np.zeros(3, np.int64))))
    same(reverse(exr(2, 3), a, w), np.concatenate((np.zeros(2, np.int64), w)))


@pytest.mark.parametrize("seed", SEEDS)
def test_rd4_pairs(seed):
    f, g = random_circuit(seed, 4, 2), random_circuit(seed + 100, 4, 3)
    a, v, w = words(seed, 4), words(seed + 1, 2), words(seed + 2, 3)
    same(reverse(fork(f, g), a, np.concatenate((v, w))), reverse(f, a, v) ^ reverse(g, a, w))


@pytest.mark.parametrize("seed", SEEDS)
def test_rd5_compositions(seed):
    """R[g ∘ f](a, w) = R[f](a, R[g](f(a), w))."""
    f, g = random_circuit(seed, 4, 3), random_circuit(seed + 100, 3, 2)
    a, w = words(seed, 4), words(seed + 1, 2)
    same(reverse(g.after(f), a, w), reverse(f, a, reverse(g, value(f, a), w)))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_forward_derivative_is_twice_the_reverse_one(seed):
    f = random_circuit(seed, 4, 3)
    a, v = words(seed, 4), words(seed + 1, 4)
    same(value(differential(f), np.concatenate((a, v))), forward(f, a, v))


@pytest.mark.parametrize("seed", SEEDS)
def test_rd6_linear_in_the_tangent(seed):
    """D[D[f]]((a, b), (0, c)) = D[f](a, c)."""
    f = random_circuit(seed, 3, 2)
    a, b, c = (words(seed + k, 3) for k in range(3))
    again = forward(differential(f), np.concatenate((a, b)), np.concatenate((np.zeros(3, np.int64), c)))
    same(again, forward(f, a, c))


@pytest.mark.parametrize("seed", SEEDS)
def test_rd7_mixed_derivatives_are_equal(seed):
    """D[D[f]]((a, b), (c, 0)) = D[D[f]]((a, c), (b, 0))."""
    f, nothing = random_circuit(seed, 3, 2), np.zeros(3, np.int64)
    a, b, c = (words(seed + k, 3) for k in range(3))
    one = forward(differential(f), np.concatenate((a, b)), np.concatenate((c, nothing)))
    same(one, forward(differential(f), np.concatenate((a, c)), np.concatenate((b, nothing))))


# Circuits and functions


def difference_matrix(f, a):
    """Column i: f(a + e_i) + f(a)."""
    columns = [value(f, a ^ bits(e)) ^ value(f, a) for e in np.eye(f.source, dtype=int)]
    return np.stack(columns, axis=1)


def composed(second, first):
    """The product of two matrices of words."""
    return np.bitwise_xor.reduce(second[:, :, None] & first[None], axis=1)


def test_differences_do_not_compose():
    """Of the Boolean functions' own differences the chain rule fails; of the circuits' derivatives it never does."""
    broken = 0
    for seed in range(20):
        f, g = random_circuit(seed, 4, 3), random_circuit(seed + 100, 3, 2)
        a = words(seed, 4)
        chained = composed(difference_matrix(g, value(f, a)), difference_matrix(f, a))
        broken += np.any(difference_matrix(g.after(f), a) != chained)
        whole, inner, outer = (matrix(h, at) for h, at in ((g.after(f), a), (f, a), (g, value(f, a))))
        same(whole, composed(outer, inner))
    assert broken > 5


def matrix(f, a):
    return np.stack([forward(f, a, bits(e)) for e in np.eye(f.source, dtype=int)], axis=1)


def test_the_derivative_is_one_of_circuits():
    """x · x is x at each point of Z₂; its derivative 2x is 0."""
    square = Arrow.of(3, lambda b, x: b.mul(x, x))
    a, w = words(0, 3), words(1, 3)
    same(value(square, a), value(identity(3), a))
    same(reverse(square, a, w), np.zeros(3))
    same(reverse(identity(3), a, w), w)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_point(seed):
    """The 64 bits of a word are 64 points; both backends agree, and forward is the dual of reverse."""
    f = random_circuit(seed, 6, 3)
    rows = np.array(list(itertools.product((0, 1), repeat=6)))
    a = np.packbits(rows, axis=0, bitorder="little").T.copy().view("<i8")[:, 0].astype(np.int64)
    together = value(f, a)
    for p, row in enumerate(rows):
        same(together >> p & 1, value(f, row) & 1)
    (by_interpretation,) = interpreted(f.program)(a)
    same(together, by_interpretation)
    back = np.stack([reverse(f, a, bits(e)) for e in np.eye(3, dtype=int)])
    same(matrix(f, a), back)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("seed", SEEDS)
def test_readings_over_the_integers_are_readings_over_z2(seed, reading):
    """Z → Z₂ is a homomorphism: functions, matrices, continuations, duals and beginnings, taken modulo 2."""
    f = random_circuit(seed, 4, 3, loops=False)
    a = np.random.default_rng(seed).integers(0, 2, 4)
    over_integers = np.rint(READINGS[reading](derivative(f.program, a.astype(float)))).astype(int)
    same(over_integers % 2, matrix(f, bits(a)) & 1)


def whole_arrays(x):
    """Sums along axes and products of matrices, and a constant that is even."""
    a = x.reshape(3, 3)
    return ((a @ a + 2.0 * a) * np.sum(a, axis=0)).ravel() + np.sum(x) * x


def test_whole_arrays():
    f = Circuit.of(whole_arrays, 9)
    a, v, w = words(0, 9), words(1, 9), words(2, 9)
    for p in range(64):
        point = (a >> p & 1).astype(float)
        same(f(a) >> p & 1, whole_arrays(point).astype(int) % 2)
    # <D[f](a, v), w> = <v, R[f](a, w)>, at each of the points
    same(np.bitwise_xor.reduce(f.forward(a, v) & w), np.bitwise_xor.reduce(v & f.reverse(a, w)))
    single = bits(np.eye(9, dtype=int)[4])
    moved = (whole_arrays((a & 1).astype(float) + 1e-6 * np.eye(9)[4]) - whole_arrays((a & 1).astype(float))) / 1e-6
    same(f.forward(a, single) & 1, np.rint(moved).astype(int) % 2)


OUTSIDE = 3.0


def test_what_is_no_polynomial_is_refused():
    with pytest.raises(NotAPolynomialError, match="OUTSIDE"):
        Circuit.of(lambda x: x * OUTSIDE, 2)
    with pytest.raises(NotAPolynomialError, match="sin"):
        value(Arrow.of(2, lambda b, x: b.sin(x)), words(0, 2))
    with pytest.raises(NotAPolynomialError, match="0\\.5"):
        value(Arrow.of(2, lambda b, x: b.mul(x, 0.5)), words(0, 2))

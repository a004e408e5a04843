"""Linear programs are a category with a dual: transposition is contravariant, an involution, and keeps identities.

A linear program is read as a matrix by applying it to a basis; its transpose must then be the transposed matrix.  The
same holds of whole programs with loops and branches, whose pullback is the transpose of their pushforward.
"""

import random

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.derive import gradient, pull, push
from adcore.linear import DUAL, Linear
from adcore.text import from_text
from adcore.types import Var, f64
from adcore.verify import verify
from proofs.linear_programs import Chain, basis, matrix, random_chain
from proofs.random_programs import LENGTH, random_arguments, random_program

SEEDS = range(60)
INPUTS = [(LENGTH,), (LENGTH,), ()]


def chain(seed):
    return random_chain(random.Random(seed), 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_transpose_is_the_transposed_matrix(seed):
    linear = chain(seed)
    np.testing.assert_allclose(matrix(linear.transposed()), matrix(linear).T, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_transpose_is_an_involution(seed):
    linear = chain(seed)
    np.testing.assert_allclose(matrix(linear.transposed().transposed()), matrix(linear), atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_transpose_is_contravariant(seed):
    first = chain(seed)
    second = random_chain(random.Random(seed + 1000), 4, after=first)
    both = first.then(second)
    np.testing.assert_allclose(matrix(both), matrix(second) @ matrix(first), atol=1e-12)
    swapped = second.transposed().then(first.transposed())
    np.testing.assert_allclose(matrix(both.transposed()), matrix(swapped), atol=1e-12)


def test_identity_is_its_own_transpose():
    x = Var(f64(2, 3), "x")
    residuals = chain(0).residuals
    identity = Chain(Linear(), x, x, residuals)
    np.testing.assert_array_equal(matrix(identity), np.eye(6))
    np.testing.assert_array_equal(matrix(identity.transposed()), np.eye(6))


def test_chains_reach_the_closed_table():
    used = set().union(*(chain(seed).generators() for seed in range(200)))
    only_as_duals = {"conforming", "left_transposed", "right_transposed", "share_back"}
    assert used | only_as_duals >= set(DUAL)


def test_a_carry_keeps_its_tangent_when_the_loop_does_not_run():
    """The inner loop's result does not depend on its carry, which is what it gives after no iteration."""
    program = from_text("""program f(x: f64, k: i64) -> (f64) {
      (y: f64) = while(x) {
        test(y: f64) { t: bool = gt(y, 1.0) yield t }
        body(y: f64) {
          (z: f64) = loop(k, y) {
            body(i: i64, z: f64) { yield 0.0 }
          }
          w: f64 = mul(z, 0.5)
          yield w
        }
      }
      return y
    }""")
    assert interpret(gradient(program, (0,)), (4.0, 0)) == (1.0, 0.25)
    assert interpret(gradient(program, (0,)), (4.0, 1)) == (0.0, 0.0)


def jacobians(program, arguments):
    """The Jacobian in the first three arguments, by pushforwards and by pullbacks."""
    forward, reverse = push(program, (0, 1, 2)), pull(program, (0, 1, 2))
    verify(forward)
    verify(reverse)
    results = [np.shape(r) for r in interpret(program, arguments)]
    real = [s for s, r in zip(results, program.results, strict=True) if r.type.dtype.differentiable]
    columns = [_flat(interpret(forward, (*arguments, *t))[len(results) :]) for t in _bases(INPUTS)]
    rows = [_flat(interpret(reverse, (*arguments, *t))[len(results) :]) for t in _bases(real)]
    return np.array(columns).T, np.array(rows)


@pytest.mark.parametrize("seed", range(60))
def test_pullback_is_the_transposed_pushforward(seed):
    forward, reverse = jacobians(random_program(seed), random_arguments(seed))
    np.testing.assert_allclose(reverse, forward, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_pullback_of_a_pullback(seed):
    program = pull(random_program(seed, 6), (0, 1, 2))
    rng = np.random.default_rng(seed)
    cotangents = [rng.uniform(-1, 1, (LENGTH,) * p.type.rank)[()] for p in program.params[4:]]
    forward, reverse = jacobians(program, (*random_arguments(seed), *cotangents))
    np.testing.assert_allclose(reverse, forward, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_pushforward_is_the_derivative(seed):
    """Against extrapolated central differences; the points are away from kinks and jumps."""
    program, arguments = random_program(seed), random_arguments(seed)
    real = [i for i, r in enumerate(program.results) if r.type.dtype.differentiable]

    def slope(tangents, h):
        sides = []
        for step in (h, -h):
            moved = [a + step * t for a, t in zip(arguments, tangents, strict=False)]
            results = interpret(program, (*moved, arguments[3]))
            sides.append(_flat([results[i] for i in real]))
        return (sides[0] - sides[1]) / (2 * h)

    forward, _ = jacobians(program, arguments)
    h = 1e-5
    differences = [(4 * slope(t, h / 2) - slope(t, h)) / 3 for t in _bases(INPUTS)]
    np.testing.assert_allclose(forward, np.array(differences).T, atol=1e-5, rtol=1e-5)


def _flat(values):
    return np.concatenate([np.ravel(v) for v in values])


def _bases(shapes):
    """Every unit tangent of several values together."""
    for index, shape in enumerate(shapes):
        for unit in basis(shape):
            yield tuple(unit[()] if i == index else np.zeros(s)[()] for i, s in enumerate(shapes))

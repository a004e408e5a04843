"""Linear programs are a category with a dual: transposition is contravariant, an involution, and keeps identities.

A linear program is read as a matrix by applying it to a basis; its transpose must then be the transposed matrix.  The
same holds of whole programs with loops and branches, whose pullback is the transpose of their pushforward.
"""

import random

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.derive import pull, push
from adcore.linear import DUAL, Linear
from adcore.types import Var, f64
from adcore.verify import verify
from proofs.linear_programs import Chain, basis, matrix, random_chain
from proofs.random_programs import random_arguments, random_program

SEEDS = range(60)


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


@pytest.mark.parametrize("seed", range(60))
def test_pullback_is_the_transposed_pushforward(seed):
    program = random_program(seed)
    arguments = random_arguments(seed)
    forward, reverse = push(program, (0, 1, 2)), pull(program, (0, 1, 2))
    verify(forward)
    verify(reverse)
    results = [np.shape(r) for r in interpret(program, arguments)]
    real = [s for s, r in zip(results, program.results, strict=True) if r.type.dtype.differentiable]
    inputs = [np.shape(a) for a in arguments[:3]]
    columns = [_flat(interpret(forward, (*arguments, *t))[len(results) :]) for t in _bases(inputs)]
    rows = [_flat(interpret(reverse, (*arguments, *t))[len(results) :]) for t in _bases(real)]
    np.testing.assert_allclose(np.array(rows), np.array(columns).T, atol=1e-9, rtol=1e-9)


def _flat(values):
    return np.concatenate([np.ravel(v) for v in values])


def _bases(shapes):
    """Every unit tangent of several values together."""
    for index, shape in enumerate(shapes):
        for unit in basis(shape):
            yield tuple(unit[()] if i == index else np.zeros(s)[()] for i, s in enumerate(shapes))

"""Some eigenvalues and singular values by their names in scipy.sparse.linalg."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

import adcore
from adcore import grad, jit

RNG = np.random.default_rng(0)
Q = np.linalg.qr(RNG.standard_normal((7, 7)))[0]
SYMMETRIC = (Q * np.array([-3.0, -0.5, 0.2, 0.2, 0.2, 1.5, 2.5])) @ Q.T  # the middle ones coincide
DIRECTION = RNG.standard_normal((7, 7))
LEFT, RIGHT = np.linalg.qr(RNG.standard_normal((6, 6)))[0], np.linalg.qr(RNG.standard_normal((5, 5)))[0]
TALL = (LEFT[:, :5] * np.array([3.0, 2.0, 0.0, 0.0, 0.0])) @ RIGHT  # of rank 2


def difference(f, x, direction, h=1e-5):
    return (f(x + h * direction) - f(x - h * direction)) / (2.0 * h)


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
def test_values_and_vectors_are_scipys(which):
    w, v = jit(lambda a: scipy.sparse.linalg.eigsh(a, 2, which=which))(SYMMETRIC)
    wanted, vectors = scipy.sparse.linalg.eigsh(SYMMETRIC, 2, which=which)
    np.testing.assert_allclose(w, wanted, atol=1e-12)
    np.testing.assert_allclose(np.abs(v.T @ vectors), np.eye(2), atol=1e-9)


@pytest.mark.parametrize("which", ["LM", "LA"])
def test_derivatives_where_those_left_out_coincide(which):
    def f(a):
        w, v = scipy.sparse.linalg.eigsh(a, 2, which=which)
        return np.sum(w**2) + np.sum((v @ np.diag(w) @ v.T)[0, :3] ** 3)

    along = np.sum(grad(f)(SYMMETRIC) * DIRECTION)
    assert along == pytest.approx(difference(jit(f), SYMMETRIC, DIRECTION), rel=1e-7)


def test_a_sparse_matrix():
    laplacian = scipy.sparse.diags_array(
        [np.full(9, 2.0), np.full(8, -1.0), np.full(8, -1.0)], offsets=(0, 1, -1)
    ).tocsr()

    def lowest(scale):
        return scipy.sparse.linalg.eigsh(scale * laplacian, 3, which="SA", return_eigenvectors=False)[0]

    exact = 2.0 - 2.0 * np.cos(np.pi / 10.0)
    assert jit(lowest)(3.0) == pytest.approx(3.0 * exact)
    assert grad(lowest)(3.0) == pytest.approx(exact)


def test_singular_values_of_a_matrix_of_low_rank():
    def part(a):
        u, s, vt = scipy.sparse.linalg.svds(a, 2)
        return u @ np.diag(s) @ vt

    np.testing.assert_allclose(jit(part)(TALL), TALL, atol=1e-12)
    np.testing.assert_allclose(jit(lambda a: scipy.sparse.linalg.svds(a, 2)[1])(TALL), [2.0, 3.0])
    weights, direction = RNG.standard_normal((6, 5)), RNG.standard_normal((6, 5))

    def f(a):
        return np.sum(weights * part(a)) + np.sum(scipy.sparse.linalg.svds(a, 1)[1])

    along = np.sum(grad(f)(TALL) * direction)
    assert along == pytest.approx(difference(jit(f), TALL, direction), rel=1e-6)


def test_what_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1"):
        jit(lambda a: scipy.sparse.linalg.eigsh(a, 7)[0])(SYMMETRIC)
    with pytest.raises(adcore.UnsupportedFunctionError, match="which"):
        jit(lambda a: scipy.sparse.linalg.eigsh(a, 2, which="BE")[0])(SYMMETRIC)
    with pytest.raises(adcore.UnsupportedFunctionError, match="sigma"):
        jit(lambda a: scipy.sparse.linalg.eigsh(a, 2, sigma=0.0)[0])(SYMMETRIC)
    with pytest.raises(adcore.UnsupportedFunctionError, match="smallest"):
        jit(lambda a: scipy.sparse.linalg.svds(a, 2, which="SM")[1])(TALL)

"""Sparse matrices as arguments, and as objects from outside that are read at every call."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from adcore import DtypeError, UnsupportedSyntaxError, grad, jit, jvp, vjp

RNG = np.random.default_rng(0)
DENSE = RNG.normal(size=(4, 5)) * (RNG.uniform(size=(4, 5)) > 0.5)
X = RNG.normal(size=5)
OUTSIDE = sp.csr_matrix(DENSE)


class Model:
    def __init__(self):
        self.stiffness = sp.csr_matrix(DENSE)


MODEL = Model()


def squares(a, x):
    return np.sum((a @ x) ** 2)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_array", "coo_array", "coo_matrix"])
def test_arguments(kind):
    """The gradient by a sparse argument holds the derivatives by its data, in the order of its data."""
    a = getattr(sp, kind)(DENSE)
    by_matrix, by_vector = grad(squares, argnums=(0, 1))(a, X)
    np.testing.assert_allclose(jit(squares)(a, X), squares(a, X), rtol=1e-13)
    np.testing.assert_allclose(by_vector, 2 * DENSE.T @ (DENSE @ X), rtol=1e-12)
    np.testing.assert_allclose(by_matrix.data, 2 * np.outer(DENSE @ X, X)[a.tocoo().coords], rtol=1e-12)


@pytest.mark.parametrize("kind", ["dia_array", "lil_matrix", "bsr_array"])
def test_other_formats(kind):
    a = getattr(sp, kind)(DENSE)
    np.testing.assert_allclose(grad(squares, argnums=1)(a, X), 2 * DENSE.T @ (DENSE @ X), rtol=1e-12)
    with pytest.raises(NotImplementedError, match="whose order is SciPy's"):
        jit(lambda a: np.sum(a.data))(a)


def test_tangents_and_pullbacks():
    a = sp.csr_matrix(DENSE)
    tangent = sp.csr_matrix((RNG.normal(size=a.nnz), a.indices, a.indptr), a.shape)
    _, along = jvp(squares, (a, X), (tangent, np.zeros(5)))
    np.testing.assert_allclose(along, 2 * (DENSE @ X) @ (tangent @ X), rtol=1e-12)
    by_matrix, _ = vjp(squares, a, X)[1](1.0)
    np.testing.assert_allclose(by_matrix.data, grad(squares)(a, X).data, rtol=1e-12)


def test_outside_is_read_at_every_call():
    matrix = sp.csr_matrix(DENSE)

    def f(x):
        return np.sum(np.sin(matrix @ x))

    derivative = grad(f)

    def agrees():
        np.testing.assert_allclose(derivative(X), matrix.T @ np.cos(matrix @ X), rtol=1e-12)

    agrees()
    matrix.data[:] *= 2
    agrees()
    matrix.indices[:] = matrix.indices[::-1].copy() % 5
    agrees()
    matrix = sp.csr_matrix(3 * DENSE)
    agrees()
    matrix = sp.csc_array(DENSE)
    agrees()


def test_outside_in_other_places():
    def powers(x):
        for _ in range(3):
            x = OUTSIDE.T @ (OUTSIDE @ x)
        return np.sum(x)

    gram = DENSE.T @ DENSE
    np.testing.assert_allclose(grad(powers)(X), np.linalg.matrix_power(gram, 3).sum(0), rtol=1e-11)
    inner = jit(lambda x: grad(lambda z: squares(OUTSIDE, z))(x))
    np.testing.assert_allclose(inner(X), 2 * gram @ X, rtol=1e-12)
    np.testing.assert_allclose(grad(lambda x: np.sum(MODEL.stiffness @ x))(X), DENSE.sum(0), rtol=1e-12)


def test_refused():
    with pytest.raises(UnsupportedSyntaxError, match="changing 'OUTSIDE', which is defined outside the function"):
        jit(lambda x: setattr(OUTSIDE, "values", x))(X)
    single = sp.csr_matrix(DENSE.astype(np.longdouble))
    with pytest.raises(DtypeError, match=r"single\.values has dtype float128"):
        jit(lambda x: single @ x)(X)
    with pytest.raises(ValueError, match="dimension mismatch"):
        jit(lambda x: OUTSIDE @ x)(X[:3])
    with pytest.raises(ValueError, match="row index 9 exceeds matrix dimension 4"):
        jit(lambda x: sp.coo_array((x, (np.array([9]), np.array([0]))), shape=(4, 5)) @ X)(X[:1])

"""Linear systems by SciPy's iterative solvers: derivatives of all orders against those of the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import RuleError, custom_root, grad, jacfwd, jacrev, jit, linear_solve, minimize, root, vmap
from adcore.implicit import lsmr, scipy_solver
from adcore.implicit.scipy_linear import METHODS, OF_REAL_SYSTEMS

RNG = np.random.default_rng(11)
A = RNG.normal(size=(7, 7))
S = A @ A.T + 7.0 * np.eye(7)
B = RNG.normal(size=7)
Z = A[:4, :4] + 1j * A[:4, 3:7]
H = Z @ Z.conj().T + 4.0 * np.eye(4)
GENERAL = ("bicg", "bicgstab", "cgs", "gcrotmk", "gmres", "lgmres", "lsmr", "lsqr", "qmr", "tfqmr")


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    matrix = (A + 6.0 * np.eye(7)) if method in GENERAL else S

    def by_scipy(k, b):
        return np.sum(linear_solve(lambda x: matrix @ x + k * x, b, solve=f"scipy:{method}") ** 2)

    def dense(k, b):
        return np.sum(np.linalg.solve(matrix + k * np.eye(7), b) ** 2)

    assert np.isclose(by_scipy(0.3, B), dense(0.3, B), rtol=1e-9)
    np.testing.assert_allclose(grad(by_scipy, argnums=1)(0.3, B), grad(dense, argnums=1)(0.3, B), rtol=1e-8)
    assert np.isclose(grad(grad(by_scipy))(0.3, B), grad(grad(dense))(0.3, B), rtol=1e-8)


@pytest.mark.parametrize("method", [method for method in METHODS if method not in OF_REAL_SYSTEMS])
def test_complex_systems(method):
    def number(solution):
        return lambda k: np.sum(abs(solution(k)) ** 2)

    b = B[:4] + 1j * B[3:]
    found = number(lambda k: linear_solve(lambda x: H @ x + k * x, b, solve=f"scipy:{method}"))
    expected = number(lambda k: np.linalg.solve(H + k * np.eye(4), b))
    assert np.isclose(found(0.3), expected(0.3), rtol=1e-9)
    assert np.isclose(grad(found)(0.3), grad(expected)(0.3), rtol=1e-8)


def test_methods_that_conjugate_nothing():
    with pytest.raises(RuleError, match=r"scipy.sparse.linalg.minres is for systems of real numbers"):
        linear_solve(lambda x: H @ x, B[:4] + 0j, solve="scipy:minres")


def cubic(x, a, b):
    return S @ x + a * x**3 - b


def test_derivatives_of_solutions():
    """Of roots and minima, in both modes, of batches, and inside of compiled functions."""
    expected = jacfwd(lambda a: root(cubic, np.zeros(7), a, B))(0.4)
    for mode in (jacfwd, jacrev):
        found = mode(lambda a: root(cubic, np.zeros(7), a, B, solve="scipy:gmres"))(0.4)
        np.testing.assert_allclose(found, expected, rtol=1e-8)

    def least(a):
        return minimize(lambda x: 0.5 * x @ (S @ x) + 0.25 * a * np.sum(x**4) - B @ x, np.zeros(7), solve="scipy:cg")

    np.testing.assert_allclose(jit(lambda a: jacrev(least)(a))(0.4), expected, rtol=1e-7)
    given = custom_root(cubic, solve=scipy_solver("lgmres", inner_m=5))(lambda init, a, b: root(cubic, init, a, b))
    many = np.array([0.1, 0.4])
    slopes = vmap(grad(lambda a: B @ given(np.zeros(7), a, B)))(many)
    np.testing.assert_allclose(slopes[1], B @ expected, rtol=1e-8)


def test_trees_and_single_precision():
    solved = linear_solve(
        lambda x: {"u": 2.0 * x["u"] + x["v"], "v": 3.0 * x["v"]}, {"u": 1.0, "v": 3.0}, solve="scipy:lsmr"
    )
    assert np.isclose(solved["u"], 0.0, atol=1e-10)
    assert np.isclose(solved["v"], 1.0)
    single = S.astype(np.float32)
    found = linear_solve(lambda x: single @ x, B.astype(np.float32), solve="scipy:gmres")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.linalg.solve(S, B), rtol=1e-4)


def test_solvers_that_do_not_converge():
    with pytest.raises(np.linalg.LinAlgError, match=r"scipy.sparse.linalg.gmres has not converged: .* is left"):
        linear_solve(lambda x: np.ones((3, 3)) @ x, np.array([1.0, 2.0, 4.0]), solve="scipy:gmres")
    with pytest.raises(np.linalg.LinAlgError, match="has not converged"):
        linear_solve(lambda x: A @ x, B, solve=scipy_solver("gmres", maxiter=1, restart=2))
    with pytest.raises(ValueError, match=r"scipy:sor is no solver of linear systems here; there are gmres, lgmres"):
        linear_solve(lambda x: A @ x, B, solve="scipy:sor")
    with pytest.raises(TypeError, match=r"solve=…: call scipy.sparse.linalg itself here"):
        scipy_solver("gmres")(lambda x: x, B)


@pytest.mark.parametrize("solve", [lsmr, "scipy:lsmr"])
def test_least_squares_answers(solve):
    diagonal = np.array([1.0, 2.0, 0.0])
    found = linear_solve(lambda x: diagonal * x, np.ones(3), solve=solve)
    np.testing.assert_allclose(found, [1.0, 0.5, 0.0], atol=1e-12)


def test_lsmr_where_matrices_are_badly_conditioned():
    """With a damping it solves (AᵀA + λ²) x = Aᵀ b; it gets nearer than rounding lets normal equations."""
    hilbert = 1.0 / (np.arange(6)[:, None] + np.arange(6) + 1.0)
    found = lsmr(lambda x: hilbert @ x, hilbert @ np.ones(6))
    np.testing.assert_allclose(found, np.ones(6), atol=1e-4)
    damped = lsmr(lambda x: hilbert @ x, np.ones(6), damp=0.1)
    expected = np.linalg.solve(hilbert @ hilbert + 0.01 * np.eye(6), hilbert @ np.ones(6))
    np.testing.assert_allclose(damped, expected, rtol=1e-8)
    with pytest.raises(np.linalg.LinAlgError, match="lsmr has not converged"):
        lsmr(lambda x: hilbert @ x + np.nan, np.ones(6))

"""Systems of linear equations with sparse matrices: as arguments, from outside, in loops, of any order and dtype."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import cg, factorized, splu, spsolve

from adcore import AdcoreError, grad, jit, jvp, program, source, vjp
from adcore.arguments import any_lengths
from adcore.text import from_text, to_text
from adcore.verify import verify

RNG = np.random.default_rng(0)


def line(n):
    return sp.diags_array([-1.0, 2.5, -1.5], offsets=[-1, 0, 1], shape=(n, n))


GRID = sp.csr_array(sp.kron(line(4), sp.eye_array(4)) + sp.kron(sp.eye_array(4), line(4)))
B = RNG.normal(size=16)


def energy(a, b):
    return np.sum(np.sin(spsolve(a, b)) * b)


def dense_energy(a, b):
    return np.sum(np.sin(np.linalg.solve(a, b)) * b)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_array", "bsr_array"])
def test_arguments(kind):
    """The gradients are those of the dense system, at the places of the elements and in their order."""
    a = getattr(sp, kind)(GRID)
    np.testing.assert_allclose(jit(energy)(a, B), dense_energy(GRID.toarray(), B), rtol=1e-12)
    by_matrix, by_vector = grad(energy, argnums=(0, 1))(a, B)
    dense, vector = grad(dense_energy, argnums=(0, 1))(GRID.toarray(), B)
    np.testing.assert_allclose(by_vector, vector, rtol=1e-10)
    np.testing.assert_allclose(by_matrix.values, dense[a.tocoo().coords], rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.complex64])
def test_dtypes(dtype):
    turn = 1.0 + 0.5j if np.dtype(dtype).kind == "c" else 1.0
    a, b = (turn * GRID).astype(dtype), (turn * turn * B).astype(dtype)
    tolerance = 1e-10 if dtype is np.complex128 else 1e-3
    out, pullback = vjp(spsolve, a, b)
    assert out.dtype == dtype
    np.testing.assert_allclose(out, np.linalg.solve(a.toarray(), b), rtol=tolerance)
    w = np.asarray(turn * RNG.normal(size=16), dtype)
    by_matrix, by_vector = pullback(w)
    wanted = np.linalg.solve(a.toarray().T, w)
    np.testing.assert_allclose(by_vector, wanted, rtol=tolerance)
    np.testing.assert_allclose(by_matrix.data, -np.outer(wanted, out)[a.tocoo().coords], rtol=tolerance)
    assert by_matrix.data.dtype == dtype


def cubes(d):
    a = sp.csr_array((d, GRID.indices, GRID.indptr), shape=GRID.shape)
    return np.sum(spsolve(a, B) ** 3)


def test_orders():
    """Each derivative along a direction is a difference quotient of the one before, in both modes."""
    d, (u, v), h = GRID.data, RNG.normal(size=(2, GRID.nnz)), 1e-4

    def quotient(f, u):
        return (f(d + h * u) - f(d - h * u)) / (2 * h)

    along = jit(lambda d: grad(cubes)(d) @ u)
    further = jit(lambda d: grad(along)(d) @ v)
    np.testing.assert_allclose(grad(cubes)(d) @ u, quotient(cubes, u), rtol=1e-5)
    np.testing.assert_allclose(jvp(grad(cubes), (d,), (u,))[1], quotient(grad(cubes), u), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(grad(along)(d), quotient(grad(cubes), u), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(grad(further)(d), quotient(grad(along), v), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jvp(grad(along), (d,), (v,))[1], quotient(grad(along), v), rtol=1e-5, atol=1e-6)


def test_outside_is_read_at_every_call():
    matrix = GRID.copy()
    derivative = grad(lambda b: np.sum(spsolve(matrix, b) ** 2))

    def agrees():
        wanted = 2.0 * np.linalg.solve(matrix.toarray().T, np.linalg.solve(matrix.toarray(), B))
        np.testing.assert_allclose(derivative(B), wanted, rtol=1e-10)

    agrees()
    matrix.data[:] *= 2
    agrees()
    matrix = sp.csr_array(GRID + sp.diags_array([1.0], offsets=[5], shape=(16, 16)))
    agrees()


def heat(d, n):
    """Implicit steps of a nonlinear equation: another matrix of the same pattern each time."""
    x = np.ones(16)
    for _ in range(n):
        a = sp.csr_array((d * (1.0 + 0.1 * x[0]), GRID.indices, GRID.indptr), shape=GRID.shape)
        x = spsolve(a, x + 0.5 * x * x)
    return np.sum(x)


def test_a_loop_keeps_its_factorizations():
    d, u = GRID.data, RNG.normal(size=GRID.nnz)
    h = 1e-6
    wanted = (heat(d + h * u, 4) - heat(d - h * u, 4)) / (2 * h)
    np.testing.assert_allclose(grad(heat)(d, 4) @ u, wanted, rtol=1e-7)
    assert to_text(program(grad(heat), d, 4)).count("= sparse_lu(") == 1


def steps(a, x, n):
    """Implicit steps of a linear equation: the factors are the same in all."""
    solve = factorized(a)
    for _ in range(n):
        x = solve(x)
    return np.sum(x * x)


def test_factors_outside_of_a_loop():
    def dense_steps(a, x):
        return np.sum((np.linalg.matrix_power(np.linalg.inv(a), 3) @ x) ** 2)

    a = sp.csc_array(GRID)
    by_matrix, by_vector = grad(steps, argnums=(0, 1))(a, B, 3)
    dense, vector = grad(dense_steps, argnums=(0, 1))(a.toarray(), B)
    np.testing.assert_allclose(by_vector, vector, rtol=1e-9)
    np.testing.assert_allclose(by_matrix.data, dense[a.tocoo().coords], rtol=1e-9)
    text = to_text(program(grad(steps, argnums=(0, 1)), a, B, 3))
    assert text.count("= sparse_lu(") == text.count("= sparse_order(") == 1


def chosen(d, b):
    """A system in a branch."""
    x = b * 2.0
    if d[0] > 0.0:
        x = spsolve(sp.csr_array((d, GRID.indices, GRID.indptr), shape=GRID.shape), b)
    return np.sum(x**2)


def test_branches():
    d = GRID.data.copy()
    wanted = 2.0 * np.linalg.solve(GRID.toarray().T, np.linalg.solve(GRID.toarray(), B))
    np.testing.assert_allclose(grad(chosen, argnums=1)(d, B), wanted, rtol=1e-10)
    np.testing.assert_allclose(grad(chosen, argnums=1)(-d, B), 8.0 * B, rtol=1e-12)
    np.testing.assert_array_equal(grad(chosen)(-d, B), np.zeros(GRID.nnz))


def test_many_right_hand_sides():
    right = RNG.normal(size=(16, 5))
    by_matrix, by_right = grad(energy, argnums=(0, 1))(GRID, right)
    dense, wanted = grad(dense_energy, argnums=(0, 1))(GRID.toarray(), right)
    np.testing.assert_allclose(by_right, wanted, rtol=1e-10)
    np.testing.assert_allclose(by_matrix.data, dense[GRID.tocoo().coords], rtol=1e-10)


def test_texts():
    """A program whose arrays have lengths that it computes reads as it is written, and is well formed."""
    text = to_text(program(grad(energy), GRID, B))
    again = from_text(text)
    verify(again)
    assert to_text(again) == text


def test_sources():
    """A derivative prints as Python that gives the same."""
    text = source(grad(energy), GRID, B)
    assert text.count("factorizations.sparse_lu(") == 1
    assert text.count("factorizations.sparse_solve(") == 2
    space = {}
    exec(text, space)
    row, col = (np.asarray(c, np.int64) for c in GRID.tocoo().coords)
    found = space["pull_energy"](GRID.data, row, col, 16, 16, B)
    np.testing.assert_allclose(found, grad(energy)(GRID, B).data, rtol=1e-10)


# A grid of a size that is solved for


def poisson(m):
    one = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    return sp.csr_array(sp.kron(one, sp.eye_array(m)) + sp.kron(sp.eye_array(m), one))


def test_a_large_grid():
    a, b = poisson(60), RNG.normal(size=3600)
    np.testing.assert_allclose(jit(spsolve)(a, b), spsolve(a, b), rtol=1e-10, atol=1e-10)
    by_matrix, by_vector = grad(lambda a, b: np.sum(spsolve(a, b) * b), argnums=(0, 1))(a, b)
    x = spsolve(a, b)
    np.testing.assert_allclose(by_vector, 2.0 * x, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(by_matrix.data, -x[a.tocoo().row] * x[a.tocoo().col], rtol=1e-9, atol=1e-10)


# What is raised, and what is refused


def test_singular_matrices_raise_at_the_line():
    def f(a, b):
        return spsolve(a, b)

    singular = sp.csr_array(np.outer(np.arange(1.0, 4.0), np.ones(3)))
    with pytest.raises(np.linalg.LinAlgError, match="Matrix is exactly singular") as caught:
        jit(f)(singular, np.ones(3))
    entry = caught.traceback[-1]
    assert (str(entry.path), entry.lineno) == (__file__, f.__code__.co_firstlineno)
    with pytest.raises(RuntimeError, match="Factor is exactly singular"):
        jit(lambda a: splu(a).solve(np.ones(3)))(sp.csc_array((3, 3)))


def test_a_matrix_with_nan_gives_nan():
    assert np.all(np.isnan(jit(spsolve)(GRID * np.nan, B)))


ERRORS = [
    (lambda a, b: spsolve(a[0], b), ValueError, r"matrix must be square \(has shape \(16, 12\)\)"),
    (lambda a, b: spsolve(a[1], b[:5]), ValueError, r"dimension mismatch \(\(16, 16\) - 5\)"),
    (lambda a, b: splu(a[0]).solve(b), ValueError, "can only factor square matrices"),
    (lambda a, b: splu(a[1]).solve(b[:5]), ValueError, "b is of incompatible size"),
    (lambda a, b: splu(a[1]).solve(b, "C"), ValueError, "trans must be N, T, or H"),
    (lambda a, b: splu(a[1]).solve(b * 1j), TypeError, "Cannot cast array data from complex128 to float64"),
    (lambda a, b: spsolve(a[1], b[:, None, None]), ValueError, "object too deep"),
    (lambda a, b: spsolve(a[1], np.outer(b, b)[:, : len(b[:1])]), ValueError, r"write instead: b\[:, 0\]"),
]


@pytest.mark.parametrize(("f", "kind", "match"), ERRORS)
def test_errors(f, kind, match):
    with any_lengths(), pytest.raises(kind, match=match):
        jit(f)((sp.csc_array(GRID[:, :12]), sp.csc_array(GRID)), B)


@pytest.mark.parametrize("where", ["indices", "indptr", "data"])
def test_matrices_that_are_broken(where):
    """What says that elements are elsewhere than in the matrix raises; nothing reads memory that is not its own."""
    a = GRID.copy()
    if where == "indices":
        a.indices[3] = 99
    elif where == "indptr":
        a.indptr = a.indptr[:-3]
    else:
        a.data = a.data[:-1]
    with pytest.raises(ValueError, match=r"exceed its shape|same size"):
        jit(lambda b: spsolve(a, b))(B)


REFUSALS = [
    (lambda a, b: spsolve(a, a), "a sparse right-hand side", "b.toarray()"),
    (lambda a, b: spsolve(a.toarray(), b), "a matrix that is not sparse", "np.linalg.solve"),
    (lambda a, b: splu(a).L @ b, "no attribute 'L'", "an attribute"),
    (lambda a, b: cg(a, b)[0], "scipy.sparse.linalg.cg is not supported", "scipy.sparse.linalg.spsolve"),
]


@pytest.mark.parametrize(("f", "cause", "write"), REFUSALS)
def test_refused(f, cause, write):
    with pytest.raises(AdcoreError) as caught:
        jit(f)(GRID, B)
    assert cause in str(caught.value)
    assert f"Write instead: {write}" in str(caught.value) or write in str(caught.value)
    assert __file__ in str(caught.value)

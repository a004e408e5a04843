"""Sparse Jacobians and Hessians called in compiled functions: values, derivatives of all kinds, patterns, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse.linalg
from scipy import sparse
from test_sparse_jacobians import FUNCTIONS, KNOWN, SCALAR, arrow, branching, five_points, points, tridiagonal

from adcore import (
    DtypeError,
    UnsupportedFunctionError,
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    vmap,
)
from adcore.sparse import sparse_hessian, sparse_jacobian
from adcore.sparse.probing import probed

W = np.random.default_rng(3).normal(size=64)
MODES = ("auto", "columns", "rows", "bidirectional")


def weighed(matrix):
    """A number that depends on all elements of a matrix and on where they are."""
    return W[: matrix.shape[0]] @ (matrix @ np.cos(W[: matrix.shape[1]])) + np.sum(matrix * matrix)


def dense_of(f):
    return lambda x: weighed(np.reshape(jacfwd(f)(x), (-1, len(x))))


def sparse_of(f, **options):
    made = sparse_jacobian(f, **options)

    def called(x):
        return weighed(made(x).toarray())

    return called


@pytest.mark.parametrize("mode", ["auto", "rows"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients(name, mode):
    f = FUNCTIONS[name]
    inside, outside = sparse_of(f, mode=mode), dense_of(f)
    for x in points(2):
        np.testing.assert_allclose(jit(inside)(x), jit(outside)(x), rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(grad(inside)(x), grad(outside)(x), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", SCALAR)
def test_hessians(name):
    f = SCALAR[name]
    second = sparse_hessian(f)
    for x in points(2):
        found = grad(lambda x: weighed(second(x).toarray()))(x)
        expected = grad(lambda x: weighed(hessian(f)(x)))(x)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ["elementwise", "loop", "writes", "helper", "product", "grid"])
def test_derivatives_of_higher_order(name):
    inside, outside = sparse_of(FUNCTIONS[name]), dense_of(FUNCTIONS[name])
    x, v = points(2)
    for second in (hessian, lambda f: jacfwd(jacfwd(f)), lambda f: jacrev(jacrev(f))):
        np.testing.assert_allclose(second(inside)(x), second(outside)(x), rtol=1e-8, atol=1e-9)
    for one, other in zip(jvp(grad(inside), (x,), (v,)), jvp(grad(outside), (x,), (v,)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_stored(name):
    """The same places and elements, in the same order, as outside."""
    f, x, _ = KNOWN[name]
    for layout in ("csr", "csc"):
        made = sparse_jacobian(f, format=layout)

        @jit
        def parts(x, made=made):
            found = made(x)
            return found.data, found.indices, found.indptr, found.shape

        expected = made(x)
        data, indices, ends, shape = parts(x)
        np.testing.assert_array_equal(data, expected.data)
        np.testing.assert_array_equal(indices, expected.indices)
        np.testing.assert_array_equal(ends, expected.indptr)
        assert shape == expected.shape


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", [tridiagonal, arrow, five_points], ids=["tridiagonal", "arrow", "grid"])
def test_patterns_that_are_given(f, mode):
    x = np.random.default_rng(1).normal(size=(4, 5) if f is five_points else 20)
    given = sparse_jacobian(f, pattern=sparse_jacobian(f)(x), mode=mode)
    np.testing.assert_allclose(
        grad(lambda x: weighed(given(x).toarray()))(x),
        grad(lambda x: weighed(np.reshape(jacfwd(f)(x), (-1, np.size(x)))))(x),
        rtol=1e-9,
        atol=1e-10,
    )


def test_given_patterns_of_hessians():
    f = SCALAR["chained"]
    given = sparse_hessian(f, pattern=np.tri(6, k=1) - np.tri(6, k=-2))
    x = points(1)[0]
    np.testing.assert_allclose(
        grad(lambda x: np.sum(given(x).toarray() ** 2))(x), grad(lambda x: np.sum(hessian(f)(x) ** 2))(x)
    )


def test_an_empty_pattern_is_given():
    given = sparse_jacobian(np.floor, pattern=np.zeros((3, 3)))
    np.testing.assert_array_equal(jit(lambda x: given(x).toarray())(np.ones(3)), np.zeros((3, 3)))


def test_patterns_that_are_too_small():
    x = np.ones(6)
    given = sparse_jacobian(tridiagonal, pattern=np.eye(6))
    with pytest.raises(ValueError, match="the pattern leaves out elements that are not 0: a product is wrong in 6 row"):
        jit(lambda x: np.sum(given(x).toarray()))(x)
    unchecked = sparse_jacobian(tridiagonal, pattern=np.eye(6), check=False)
    jit(lambda x: np.sum(unchecked(x).toarray()))(x)
    with pytest.raises(ValueError, match="the pattern has 6 columns, the arguments have 7 elements"):
        jit(lambda x: np.sum(given(x).toarray()))(np.ones(7))


def test_defined_inside():
    """Functions that close over values of the one around them, by which the derivative goes on."""

    def around(make):
        def f(x, s, k):
            total = 0.0
            for step in range(3):
                a = s * step
                matrix = make(lambda y, a=a: np.sin(a * y[1:]) * y[:-1] ** 2 if k > 0 else y[1:] * s, x)
                total += np.sum(matrix @ x) + np.sum(matrix.sum(axis=0) ** 2)
            return total

        return f

    x = points(1)[0]
    inside = around(lambda f, x: jacobian(f, sparse=True)(x))
    outside = around(lambda f, x: jacobian(f)(x))
    for k in (0, 1):
        found, expected = (grad(f, argnums=(0, 1))(x, 0.7, k) for f in (inside, outside))
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-10)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-10)


def test_all_ways_to_ask():
    f, s = tridiagonal, SCALAR["chained"]
    x = points(1)[0]
    for ask in (
        lambda x: np.sum(jacobian(f, sparse=True)(x) @ x**2),
        lambda x: np.sum(jacobian(f, 0, False, False, sparse=True)(x) @ x**2),
        lambda x: np.sum(sparse_jacobian(f, argnums=0, mode="rows", format="csc", order="natural")(x) @ x**2),
        lambda x: np.sum(jacobian(sparse=True)(f)(x) @ x**2),
    ):
        np.testing.assert_allclose(grad(ask)(x), grad(lambda x: np.sum(jacobian(f)(x) @ x**2))(x))
    for ask in (
        lambda x: np.sum(hessian(s, sparse=True)(x) @ x**2),
        lambda x: np.sum(sparse_hessian(s, format="csc")(x) @ x**2),
    ):
        np.testing.assert_allclose(grad(ask)(x), grad(lambda x: np.sum(hessian(s)(x) @ x**2))(x), rtol=1e-10)


def test_several_arguments_and_trees():
    def f(p, y, n):
        return {"a": p["u"] * y[:-1] + n, "b": y[1:] ** 2 * p["v"]}

    p, y = {"u": np.arange(1.0, 4.0), "v": 2.0}, np.array([1.0, 2.0, -1.0, 0.5])
    made = sparse_jacobian(f, argnums=(0, 1))

    def inside(p, y):
        return np.sum(made(p, y, n=3).toarray() ** 2)

    def outside(p, y):
        found = jacfwd(f, argnums=(0, 1))(p, y, 3)
        total = 0.0
        for name in ("a", "b"):
            by_p, by_y = found[name]
            total += np.sum(by_p["u"] ** 2) + np.sum(by_p["v"] ** 2) + np.sum(by_y**2)
        return total

    found, expected = (grad(h, argnums=(0, 1))(p, y) for h in (inside, outside))
    np.testing.assert_allclose(found[0]["u"], expected[0]["u"])
    np.testing.assert_allclose(found[0]["v"], expected[0]["v"])
    np.testing.assert_allclose(found[1], expected[1])


def test_single_precision():
    x = points(1)[0].astype(np.float32)
    found = grad(sparse_of(tridiagonal, pattern=sparse_jacobian(tridiagonal)(x)))(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, grad(dense_of(tridiagonal))(x), rtol=1e-5, atol=1e-5)


def test_newton_by_sparse_solving():
    def steps(x, target, make):
        for _ in range(2):
            x = x - make(x, arrow(x) - target)
        return np.sum(x**2)

    def by_sparse(x, target):
        return steps(x, target, lambda x, r: scipy.sparse.linalg.spsolve(jacobian(arrow, sparse=True)(x), r))

    def by_dense(x, target):
        return steps(x, target, lambda x, r: np.linalg.solve(jacobian(arrow)(x), r))

    x = np.linspace(1.0, 2.0, 8)
    for one, other in zip(
        grad(by_sparse, argnums=(0, 1))(x, arrow(1.1 * x)),
        grad(by_dense, argnums=(0, 1))(x, arrow(1.1 * x)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)


def test_mapped():
    """Every point has the pattern of its branches."""
    x = np.stack(points(4))
    found = vmap(grad(sparse_of(branching)))(x)
    np.testing.assert_allclose(found, np.stack([grad(dense_of(branching))(row) for row in x]), rtol=1e-10)


def test_found_again_when_it_is_needed(monkeypatch):
    columns = []

    def counted(run, count):
        columns.append(count)
        return probed(run, count)

    monkeypatch.setattr("adcore.sparse.inside.probed", counted)
    made = sparse_jacobian(branching)
    g = jit(lambda x: np.sum(made(x).toarray()))
    x = np.array([1.0, 2.0, -3.0])
    for y, count in ((x, 1), (x, 1), (x * [1, 1, -1], 2), (x, 2), (np.append(x, 1.0), 3)):
        g(y)
        assert len(columns) == count


def test_refusals():
    x = np.ones(4)
    pattern = sparse.csr_array(np.eye(4))
    with pytest.raises(UnsupportedFunctionError, match=r"the pattern of a sparse matrix of derivatives is .*\n.*line"):
        jit(lambda x: np.sum(jacobian(np.sin, sparse=pattern)(x) @ x))(x)
    acyclic = sparse_hessian(lambda x: np.sum(x**3), coloring="acyclic")
    with pytest.raises(UnsupportedFunctionError, match="a sparse Hessian by substitution in a compiled function"):
        jit(lambda x: np.sum(acyclic(x) @ x))(x)
    made = sparse_jacobian(tridiagonal)
    with pytest.raises(DtypeError, match="complex"):
        jit(lambda x: np.sum(made(x + 1j).toarray()))(x)

    def decided(x, z):
        if abs(z) > 1.0:
            return x**2
        return x[::-1] * x

    by_complex = sparse_jacobian(decided)
    with pytest.raises(UnsupportedFunctionError, match="the complex 'z' decides its pattern"):
        jit(lambda x, z: np.sum(by_complex(x, z).toarray()))(x, 2j)
    with pytest.raises(UnsupportedFunctionError, match="missing a required argument"):
        jit(lambda x: np.sum(by_complex(x).toarray()))(x)

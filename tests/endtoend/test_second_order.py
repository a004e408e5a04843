"""Products with a Hessian, its diagonal and its trace: against the Hessian itself, and in each other's derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from test_derivatives import active, close, direction, inner, smooth

import adcore
from adcore import DtypeError, grad, hessian, hessian_diagonal, hvp, jit, laplacian, vhp
from adcore.trees import leaves, map_leaves
from adcore.verify import verify

X = np.array([0.5, -0.25, 0.75, 2.0])


def same(one, other, tolerance=1e-9):
    one, other = leaves(one), leaves(other)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        if a is None or b is None:
            assert a is b
            continue
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@smooth
def test_products_in_both_orders(example):
    """uᵀHw = wᵀHu, whichever mode is outside."""
    wrt = active(example)
    u, w = ({k: direction(example, k, salt) for k in wrt} for salt in (0, 1))
    along = tuple(u.get(k, a) for k, a in enumerate(example.arguments))
    back = tuple(w.get(k, a) for k, a in enumerate(example.arguments))
    single = len(example.arguments) == 1

    def of(product, k):
        return product if single else product[k]

    gradient, product = hvp(example.function, example.arguments, along)
    other, turned = vhp(example.function, example.arguments, back)
    expected = grad(example.function, argnums=wrt)(*example.arguments)
    for g, k in zip(expected, wrt, strict=True):
        same(of(gradient, k), g, 1e-10)
        same(of(other, k), g, 1e-10)
    close(sum(inner(of(product, k), w[k]) for k in wrt), sum(inner(of(turned, k), u[k]) for k in wrt), 1e-7)
    verify(adcore.program(hvp(example.function), example.arguments, along))
    verify(adcore.program(vhp(example.function), example.arguments, back))


@smooth
def test_diagonals_are_those_of_hessians(example):
    plain = all(isinstance(a, int | float | np.ndarray) for a in example.arguments)
    for k in active(example):
        g = hessian_diagonal(example.function, argnums=k)
        found = g(*example.arguments)
        trace = laplacian(example.function, argnums=k)(*example.arguments)
        close(trace, sum(float(np.sum(leaf)) for leaf in leaves(found) if leaf is not None), 1e-9)
        verify(adcore.program(g, *example.arguments))
        if plain:
            full = np.asarray(hessian(example.function, argnums=k)(*example.arguments))
            size = np.size(example.arguments[k])
            same(found, np.diagonal(full.reshape(size, size)).reshape(np.shape(example.arguments[k])), 1e-7)


def bowl(x, y):
    total = 0.0
    for k in range(len(x)):
        total += np.sin(x[k] * x[k - 1]) * y["a"] ** 3 + x[k] ** 4
    return total


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 33, 200])
def test_groups_of_every_length(n):
    x = np.linspace(-1.0, 1.0, n)
    found = hessian_diagonal(bowl, argnums=(0, 1))(x, {"a": 1.5, "b": 3})
    (xx, _), (_, yy) = hessian(lambda x, a: bowl(x, {"a": a, "b": 3}), argnums=(0, 1))(x, 1.5)
    same(found, (np.diagonal(xx), {"a": yy, "b": None}))
    assert laplacian(bowl, argnums=(0, 1))(x, {"a": 1.5, "b": 3}) == pytest.approx(np.trace(xx) + yy)


def test_dtypes():
    x, y = np.array([1.0, 2.0], np.float32), np.array([3.0, 4.0])
    found = hessian_diagonal(lambda x, y: np.sum(x * x * y), argnums=(0, 1))(x, y)
    assert found[0].dtype == np.float32
    assert found[1].dtype == np.float64
    same(found, (2.0 * y, 0.0 * y))
    assert laplacian(lambda x: np.sum(x**3))(x) == pytest.approx(18.0)


def test_structures_of_products():
    def f(p, n, s):
        return np.sum(p["w"] ** 2) * s * n

    gradient, product = hvp(f, ({"w": X}, 3, 2.0), ({"w": np.ones(4)}, None, 1.0))
    assert gradient[1] is None
    assert product[1] is None
    same(gradient, ({"w": 12.0 * X}, None, 3.0 * np.sum(X * X)))
    same(product, ({"w": 12.0 + 6.0 * X}, None, 6.0 * np.sum(X)))
    same(vhp(f, ({"w": X}, 3, 2.0), ({"w": np.ones(4)}, None, 1.0)), (gradient, product))
    assert hvp(lambda x: x**3, (2.0,), (1.0,)) == (12.0, 12.0)


@pytest.mark.parametrize("make", [hvp, vhp])
class TestProducts:
    def test_compiled_once(self, make):
        g = make(lambda x: np.sum(x**3))
        same(g((X,), (X,)), (3.0 * X**2, 6.0 * X**2))
        same(make(g.transform.function, (X,), (X,)), (3.0 * X**2, 6.0 * X**2))

    def test_inside_compiled_code(self, make):
        def f(x):
            _, product = make(lambda y: np.sum(y**3 * x), (x,), (np.ones(4),))
            return np.sum(product)

        assert jit(f)(X) == pytest.approx(6.0 * np.sum(X * X))
        np.testing.assert_allclose(grad(f)(X), 12.0 * X)

    def test_wrong_directions(self, make):
        name = "tangent" if make is hvp else "cotangent"
        with pytest.raises(TypeError, match=f"{make.__name__}: 1 primals and 2 {name}s"):
            make(lambda x: x * x, (1.0,), (1.0, 2.0))
        with pytest.raises(TypeError, match=f"{make.__name__}: {name} 0 of <lambda> has another structure"):
            make(lambda x: x * x, (1.0,), ((1.0, 2.0),))
        with pytest.raises(ValueError, match=r"shape|length|dimension"):
            make(lambda x: np.sum(x * x), (X,), (np.ones(7),))
        with pytest.raises(DtypeError, match=r"return one real number"):
            make(lambda x: x * x, (X,), (X,))


def test_third_derivatives():
    f = lambda x: np.sum(np.sin(x) * x[0])  # noqa: E731
    expected = np.trace(hessian(lambda x: np.trace(hessian(f)(x)))(X))
    assert laplacian(laplacian(f))(X) == pytest.approx(expected)
    np.testing.assert_allclose(
        grad(lambda x: np.sum(hessian_diagonal(f)(x)))(X), grad(lambda x: np.trace(hessian(f)(x)))(X)
    )


def test_diagonals_inside_compiled_code():
    def f(x, s):
        def inside(y):
            return np.sum(y**4) * s

        return laplacian(inside)(x) + np.sum(hessian_diagonal(inside)(x))

    assert jit(f)(X, 2.0) == pytest.approx(48.0 * np.sum(X * X))
    assert grad(f, argnums=1)(X, 2.0) == pytest.approx(24.0 * np.sum(X * X))


def test_refused():
    with pytest.raises(DtypeError, match="laplacian: argument 0 of <lambda> is complex"):
        laplacian(lambda z: np.sum(np.abs(z)))(X + 1j)
    with pytest.raises(DtypeError, match="hessian_diagonal: argument 0 of <lambda> is an integer"):
        hessian_diagonal(lambda n: n * 2.0)(3)
    with pytest.raises(DtypeError, match="must return one real number"):
        laplacian(lambda x: x * x)(X)


def test_structure_is_that_of_the_argument():
    p = {"w": X, "b": (1.0, 2)}
    found = hessian_diagonal(lambda p: np.sum(p["w"] ** 2) * p["b"][0] ** 2)(p)
    same(found, {"w": np.full(4, 2.0), "b": (2.0 * np.sum(X * X), None)})
    assert map_leaves(type, found) == {"w": np.ndarray, "b": (float, type(None))}

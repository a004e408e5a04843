"""The library's functions: in plain Python and compiled they are NumPy's, and their derivatives agree both ways."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_python.library import LIBRARY, Written

import adcore
from adcore import AliasError, jit, jvp, vjp
from tests.library import calls_arrays, calls_products, calls_shapes, calls_sparse

RNG = np.random.default_rng(5)
V, W = RNG.uniform(0.5, 1.5, (2, 5))
A, B = RNG.uniform(0.5, 1.5, (2, 3, 4))
S = RNG.uniform(0.5, 1.5, (3, 3))
T = RNG.uniform(0.5, 1.5, (2, 3, 4))

CALLS = {
    "numpy.roll": [
        (lambda x: np.roll(x, 2), V),
        (lambda x: np.roll(x, -7), V),
        (lambda x: np.roll(x, 1), A),
        (lambda x: np.roll(x, 1, axis=0), A),
        (lambda x: np.roll(x, -1, 1), A),
        (lambda x: np.roll(x, (1, 2), (0, 1)), A),
        (lambda x: np.roll(x, 1, axis=(0, 1)), A),
        (lambda x: np.roll(x, 3), V[:0]),
    ],
    "numpy.flipud": [(lambda x: np.flipud(x), A), (lambda x: np.flipud(x), V)],
    "numpy.fliplr": [(lambda x: np.fliplr(x), A)],
    "numpy.rot90": [
        (lambda x: np.rot90(x), A),
        (lambda x: np.rot90(x, 2), A),
        (lambda x: np.rot90(x, -1), A),
        (lambda x: np.rot90(x, 4), A),
        (lambda x: np.rot90(x, 1, (1, 2)), T),
    ],
    "numpy.moveaxis": [
        (lambda x: np.moveaxis(x, 0, -1), T),
        (lambda x: np.moveaxis(x, (0, 1), (2, 0)), T),
        (lambda x: np.moveaxis(x, [-1, 0], [0, 1]), T),
    ],
    "numpy.atleast_1d": [(lambda x: np.atleast_1d(x), V), (lambda x: np.atleast_1d(x[0]), V)],
    "numpy.atleast_2d": [(lambda x: np.atleast_2d(x), V), (lambda x: np.atleast_2d(x, x[1])[1], V)],
    "numpy.atleast_3d": [(lambda x: np.atleast_3d(x), V), (lambda x: np.atleast_3d(x), A)],
    "numpy.tile": [
        (lambda x: np.tile(x, 3), V),
        (lambda x: np.tile(x, (2, 3)), V),
        (lambda x: np.tile(x, 2), A),
        (lambda x: np.tile(x, (2, 1, 2)), A),
    ],
    "numpy.repeat": [
        (lambda x: np.repeat(x, 3), V),
        (lambda x: np.repeat(x, 2), A),
        (lambda x: np.repeat(x, 2, axis=0), A),
        (lambda x: np.repeat(x, [1, 0, 2, 1], axis=1), A),
        (lambda x: np.repeat(x, np.array([2, 0, 1]), 0), A),
    ],
    "numpy.tril": [(lambda x: np.tril(x), A), (lambda x: np.tril(x, -1), A), (lambda x: np.tril(x, 1), T)],
    "numpy.triu": [(lambda x: np.triu(x), A), (lambda x: np.triu(x, k=2), A), (lambda x: np.triu(x), S)],
    "numpy.tri": [(lambda x: np.tri(3, 4, 1) * x, A), (lambda x: np.tri(3) * x, S)],
    "numpy.diagonal": [
        (lambda x: np.diagonal(x), A),
        (lambda x: np.diagonal(x, 1), A),
        (lambda x: np.diagonal(x, -1), A),
        (lambda x: np.diagonal(x, 0, 0, 2), T),
        (lambda x: np.diagonal(x, 9), A),
    ],
    "numpy.diag": [
        (lambda x: np.diag(x), V),
        (lambda x: np.diag(x, 1), V),
        (lambda x: np.diag(x, -2), V),
        (lambda x: np.diag(x), A),
        (lambda x: np.diag(x, k=-1), A),
    ],
    "numpy.diagflat": [(lambda x: np.diagflat(x, 1), S)],
    "numpy.meshgrid": [
        (lambda x: np.meshgrid(x, x[1:])[0], V),
        (lambda x: np.meshgrid(x, x[1:])[1], V),
        (lambda x: np.meshgrid(x, x[1:], x[2:], indexing="ij")[2], V),
        (lambda x: np.meshgrid(x, x[1:], sparse=True)[1], V),
        (lambda x: np.meshgrid(x)[0], V),
    ],
    "numpy.append": [
        (lambda x: np.append(x, 2.0), V),
        (lambda x: np.append(x, x[:2]), A),
        (lambda x: np.append(x, x, axis=1), A),
    ],
    "numpy.dstack": [(lambda x: np.dstack((x, x * x)), A), (lambda x: np.dstack((x, x * x)), V)],
    "numpy.column_stack": [(lambda x: np.column_stack((x, x * x)), V), (lambda x: np.column_stack((x, x[:, 0])), A)],
    "numpy.vander": [(lambda x: np.vander(x), V), (lambda x: np.vander(x, 3, increasing=True), V)],
    "numpy.polyval": [
        (lambda x: np.polyval(x, 0.7), V),
        (lambda x: np.polyval(x[:3], x), V),
        (lambda x: np.polyval([1.0, 2.0, 3.0], x), A),
    ],
    "numpy.ediff1d": [(lambda x: np.ediff1d(x), A)],
    "numpy.trapezoid": [
        (lambda x: np.trapezoid(x), V),
        (lambda x: np.trapezoid(x, dx=0.1, axis=0), A),
        (lambda x: np.trapezoid(x * x, x), V),
        (lambda x: np.trapezoid(x, x * x, axis=0), A),
    ],
    "scipy.integrate.trapezoid": [(lambda x: np.trapezoid(x), V)],
}
CALLS |= calls_arrays.CALLS | calls_products.CALLS | calls_shapes.CALLS | calls_sparse.CALLS
EVERY = [pytest.param(name, f, x, id=f"{name}-{k}") for name, calls in CALLS.items() for k, (f, x) in enumerate(calls)]


def test_every_function_is_called():
    assert LIBRARY.keys() <= CALLS.keys()


@pytest.mark.parametrize(("name", "f", "x"), EVERY)
def test_value(name, f, x):
    ours, theirs = jit(f)(x), f(x)
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@pytest.mark.parametrize(("name", "f", "x"), EVERY)
def test_plain_python(name, f, x, monkeypatch):
    """What stands for the function, run by Python in its place, gives the same."""
    theirs = f(x)
    module, _, attribute = name.rpartition(".")
    target = {"numpy": np, "numpy.linalg": np.linalg}.get(module)
    if target is not None and isinstance(LIBRARY.get(name), Written):
        monkeypatch.setattr(target, attribute, LIBRARY[name].function)
    np.testing.assert_allclose(f(x), theirs, rtol=1e-14)


@pytest.mark.parametrize(("name", "f", "x"), EVERY)
def test_derivative(name, f, x):
    """The tangent is a difference quotient, and <J u, w> = <u, J' w>."""
    u = RNG.normal(size=x.shape)
    out, along = jvp(f, (x,), (u,))
    h = 1e-6
    np.testing.assert_allclose(along, (f(x + h * u) - f(x - h * u)) / (2 * h), rtol=1e-7, atol=1e-8)
    w = RNG.normal(size=np.shape(out)) if np.ndim(out) else 0.7
    (back,) = vjp(f, x)[1](w)
    np.testing.assert_allclose(np.sum(along * w), np.sum(u * back), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "f", "x"), EVERY)
def test_writes_after_the_call(name, f, x):
    """What is a view in NumPy sees them, what is an array of its own does not; or they are refused."""

    def g(x):
        x = x.copy()
        y = f(x)
        x += 1.0
        return np.sum(y * y) + np.sum(x)

    try:
        found = jit(g)(x)
    except AliasError:
        return
    np.testing.assert_allclose(found, g(x), rtol=1e-13)


@pytest.mark.parametrize("f", [np.diag, np.flipud, lambda x: np.moveaxis(x, 0, 1), lambda x: np.rot90(x, 2)])
def test_views_are_not_refused(f):
    def g(x):
        x = x * 1.0
        y = f(x)
        x += 1.0
        return np.sum(y * y)

    np.testing.assert_allclose(jit(g)(S), g(S), rtol=1e-13)


def test_errors_have_the_place_of_the_call():
    def f(x):
        return np.sum(np.roll(x, 1.5))

    with pytest.raises(adcore.AdcoreError, match=r"np\.roll\(x, 1\.5\)") as caught:
        jit(f)(V)
    assert "adcore_python" not in str(caught.value)


def test_run_time_errors_have_the_place_of_the_call():
    def f(x):
        return np.sum(np.cross(x, x))

    with pytest.raises(ValueError, match="3-dimensional vectors") as caught:
        jit(f)(V)
    assert "adcore_python" not in "".join(getattr(caught.value, "__notes__", []))

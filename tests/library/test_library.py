"""The library's functions: in plain Python and compiled they are NumPy's, and their derivatives agree both ways."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from adcore_python.library import LIBRARY, Written, owner_of

import adcore
from adcore import AliasError, jit, jvp, vjp

RNG = np.random.default_rng(5)
V = RNG.uniform(0.5, 1.5, 5)
S = RNG.uniform(0.5, 1.5, (3, 3))

# Each module calls_*.py beside this one has a dict CALLS: by public names, functions of one argument and a point.
CALLS = {}
for path in sorted(Path(__file__).parent.glob("calls_*.py")):
    CALLS |= importlib.import_module(f"{__package__}.{path.stem}").CALLS
EVERY = [pytest.param(name, f, x, id=f"{name}-{k}") for name, calls in CALLS.items() for k, (f, x) in enumerate(calls)]


# Solvers end at a tolerance: how near their values are, and their derivatives to difference quotients.
SOLVERS = {
    "scipy.optimize.": (1e-6, 1e-4),
    "scipy.integrate.solve_ivp": (1e-8, 1e-6),
    "scipy.integrate.odeint": (1e-8, 1e-6),
}


def tolerances(name):
    return next((found for start, found in SOLVERS.items() if name.startswith(start)), None)


def near(name):
    """How near results are: routines of another library, or sums in another order, for what takes matrices apart."""
    if found := tolerances(name):
        return {"rtol": found[0], "atol": 0.01 * found[0]}
    return {"rtol": 1e-11, "atol": 1e-13} if "linalg" in name else {"rtol": 1e-13, "atol": 1e-14}


def near_slope(name):
    """How near derivatives are to difference quotients."""
    found = tolerances(name)
    return {"rtol": found[1], "atol": found[1]} if found else {"rtol": 1e-8, "atol": 1e-9}


def near_dual(name):
    """How near both modes are to each other: those of differential equations solve others."""
    near = 1e-8 if name in ("scipy.integrate.solve_ivp", "scipy.integrate.odeint") else 1e-11
    return {"rtol": near, "atol": near}


def direction(x, rng):
    u = rng.normal(size=np.shape(x))
    return u + 1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else u


def slope(f, x, u, h=1e-4):
    """The derivative of f at x along u, by central differences of fourth order."""
    near, far = ((f(x + k * h * u) - f(x - k * h * u)) / (2 * k * h) for k in (1, 2))
    return (4 * near - far) / 3


def paired(x, y):
    return np.sum(np.real(x * y))


def test_every_function_is_called():
    """Here, or those of Numba in tests/frontend/test_numba.py, whose programs are as Numba's users write them."""
    public = {name for name in LIBRARY if not name.startswith(("adcore", "numba"))}
    assert public <= CALLS.keys()


@pytest.mark.parametrize(("name", "f", "x"), EVERY)
def test_value(name, f, x):
    ours, theirs = jit(f)(x), f(x)
    assert np.shape(ours) == np.shape(theirs)
    assert np.asarray(ours).dtype == np.asarray(theirs).dtype
    np.testing.assert_allclose(ours, theirs, **near(name))


# What the library has for sparse matrices takes its own representation of them.
@pytest.mark.parametrize(("name", "f", "x"), [p for p in EVERY if "sparse" not in str(p.id)])
def test_plain_python(name, f, x, monkeypatch):
    """What stands for the function, run by Python in its place, gives the same."""
    theirs = f(x)
    what = LIBRARY.get(name)
    if isinstance(what, Written) and not what.methods:
        monkeypatch.setattr(owner_of(name), name.rpartition(".")[2], what.function)
    np.testing.assert_allclose(f(x), theirs, **near(name))


@pytest.mark.parametrize(("name", "f", "x"), EVERY)
def test_derivative(name, f, x):
    """The tangent is a difference quotient, and <J u, w> = <u, J' w>."""
    rng = np.random.default_rng(5)
    u = direction(x, rng)
    out, along = jvp(f, (x,), (u,))
    np.testing.assert_allclose(along, slope(f, x, u), **near_slope(name))
    w = direction(out, rng) if np.ndim(out) else 0.7
    (back,) = vjp(f, x)[1](w)
    np.testing.assert_allclose(paired(along, w), paired(u, back), **near_dual(name))


@pytest.mark.parametrize(("name", "f", "x"), [p for p in EVERY if str(p.id).startswith("numpy")])
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

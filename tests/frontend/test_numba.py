"""Functions compiled by Numba are differentiated as they stand."""

from __future__ import annotations

import copy
import math
import subprocess
import sys

import numba
import numpy as np
import optree
import pytest

import adcore
from adcore import grad, jit
from adcore.cache.world import World
from adcore.errors import AdcoreError

from .numba_functions import (
    DIFFERENTIATED,
    REFUSED,
    Body,
    X,
    bent,
    bent_doubles,
    blended,
    declared,
    declared_twice,
    monte_carlo,
    named,
    product,
    squares,
    truncates,
)

numba_warns = pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPerformanceWarning")


def differences(function, arguments, step=1e-6):
    """The gradient of what Numba computes with respect to the first argument, by central differences."""
    leaves, tree = optree.tree_flatten(arguments[0], namespace="adcore")
    found = []
    for k, leaf in enumerate(leaves):
        slope = np.zeros(np.shape(leaf))
        for place in np.ndindex(np.shape(leaf)):
            values = []
            for sign in (1, -1):
                moved = [np.array(v, float) if np.shape(v) else v for v in leaves]
                if place:
                    moved[k][place] += sign * step
                else:
                    moved[k] += sign * step
                values.append(function(tree.unflatten(moved), *copy.deepcopy(arguments[1:])))
            slope[place] = (values[0] - values[1]) / (2 * step)
        found.append(slope)
    return found


@numba_warns
@pytest.mark.parametrize("case", DIFFERENTIATED, ids=lambda c: getattr(c[0], "__name__", "callback"))
def test_gradients(case):
    function, *arguments = case
    found = grad(function)(*copy.deepcopy(arguments))
    expected = differences(function, arguments)
    for ours, theirs in zip(optree.tree_leaves(found, namespace="adcore"), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    assert jit(function)(*copy.deepcopy(arguments)) == pytest.approx(function(*copy.deepcopy(arguments)), rel=1e-13)


@pytest.mark.parametrize(("function", "arguments", "cause"), REFUSED, ids=lambda c: getattr(c, "__name__", ""))
def test_refusals(function, arguments, cause):
    with pytest.raises(AdcoreError) as caught:
        grad(function)(*arguments)
    assert cause in str(caught.value)
    assert caught.value.source is not None
    assert caught.value.write


def test_named_tuples_come_back():
    found = grad(named)(Body(2.0, X))
    assert type(found) is Body
    np.testing.assert_allclose(found.position, 2 * 2 * 2.0 * (X + 1))


def test_declared_types_convert():
    assert grad(truncates)(2.7) == 4.0  # numba.int64(2.7) is 2, and has no derivative
    assert jit(truncates)(2.7) == truncates(2.7)
    assert type(jit(declared_twice)(np.float32(1.1))) is np.float32
    assert jit(declared_twice)(np.float32(1.1)) == declared_twice(np.float32(1.1))
    assert type(jit(declared)(2, 3)) is float
    assert jit(declared)(2, 3) == declared(2, 3)


@pytest.mark.parametrize("function", [bent, bent_doubles])
@pytest.mark.parametrize("shape", [(), (3,), (1, 4), (2, 0)])
def test_vectorized_functions(function, shape):
    x = np.random.default_rng(1).normal(size=shape)[()]
    found, expected = jit(function)(x, 0.25), function(x, 0.25)
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=1e-15)


MISFITS = {
    "one has another length": lambda a, x: product(a, x[1:]),
    "an axis is missing": lambda a, x: product(x, x),
    "an output has another length": lambda a, x: product(a, x, np.zeros(len(x) + 1)),
    "the others do not go together": lambda a, x: product(np.stack((a, a)), np.stack((x, x, x))),
    "the output has too few": lambda a, x: product(np.stack((a, a)), x, np.zeros(len(x))),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_generalized_functions_refuse_what_numpy_refuses(misfit):
    with pytest.raises(ValueError, match=r"."):
        MISFITS[misfit](np.outer(X, X), X)
    with pytest.raises(ValueError, match=r"core dimension|enough dimensions|broadcast"):
        jit(MISFITS[misfit])(np.outer(X, X), X)


def test_generalized_functions_take_what_numpy_converts():
    whole = np.arange(6).reshape(2, 3)
    found, expected = jit(lambda x: squares(x))(whole), squares(whole)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    narrow = np.zeros((2, 3), np.float32)
    jit(lambda x, y: blended(x, 0.3, y))(whole, narrow)
    np.testing.assert_array_equal(narrow, blended(whole, 0.3, np.zeros((2, 3), np.float32)))


def test_generalized_functions_have_jacobians():
    a = np.outer(X, X + 1.0)
    np.testing.assert_allclose(adcore.jacrev(product, 1)(a, X), a, rtol=1e-15)


def test_declared_types_count_for_the_cache():
    plain = declared.py_func
    made = [numba.njit(plain)] + [numba.njit(s)(plain) for s in ("float64(float64, float64)", "float64(int64, int64)")]
    made.append(numba.njit(locals={"x": numba.float64})(plain))
    assert len({World(function).digest() for function in made}) == len(made)
    assert World(numba.njit(plain)).digest() == World(numba.njit(fastmath=True)(plain)).digest()


def test_all_transforms():
    value, slope = adcore.value_and_grad(declared)(2.0, 3)
    assert (value, slope) == (8.0, 12.0)
    assert adcore.jvp(declared, (2.0, 3.0), (1.0, 0.0)) == (8.0, 12.0)
    assert adcore.hessian(declared)(2.0, 3.0) == pytest.approx(12.0)
    assert adcore.vjp(declared, 2.0, 3.0)[1](1.0)[1] == pytest.approx(8.0 * math.log(2.0))
    np.testing.assert_allclose(adcore.vmap(declared, (0, None))(X, 2.0), X**2)


def test_random_numbers_of_a_generator():
    def slope(seed):
        return grad(monte_carlo)(2.0, np.random.default_rng(seed), 100)

    h, n = 1e-6, 100
    ahead, behind = (monte_carlo(2.0 + s, np.random.default_rng(3), n) for s in (h, -h))
    assert slope(3) == pytest.approx((ahead - behind) / (2 * h), rel=1e-6)
    assert slope(3) == slope(3) != slope(4)


def test_numba_is_not_imported_unless_the_user_has():
    text = "import sys, adcore; adcore.grad(lambda x: x * x); print('numba' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_a_gradient_without_numba(tmp_path):
    file = tmp_path / "plain.py"
    file.write_text("import sys, adcore\nprint(adcore.grad(lambda x: x * x)(2.0), 'numba' in sys.modules)\n")
    shown = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["4.0", "False"]


def test_numba_has_the_names_that_the_library_says():
    from adcore_python.library import LIBRARY, owner_of

    names = [n for n in LIBRARY if n.startswith("numba.")]
    assert names
    for name in names:
        assert hasattr(owner_of(name), name.rpartition(".")[2]), name
    assert numba.prange is not None

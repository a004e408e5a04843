"""Derivatives are called in functions compiled by Numba, and give what they give to Python."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import threading
from typing import NamedTuple

import numba
import numpy as np
import optree
import pytest
from numba import njit, prange
from numba.core.errors import TypingError

import adcore
from adcore import grad, hessian, jit, value_and_grad, vmap
from adcore.arguments import any_lengths

X = np.linspace(0.1, 1.0, 20)
A = np.random.default_rng(0).normal(size=(3, 4))
WEIGHTS = np.linspace(1.0, 2.0, 20)
SCALE = 3.0


class Model(NamedTuple):
    slope: float
    offsets: np.ndarray


def cubes(x):
    return np.sum(x * x * x)


def wave(x):
    return math.sin(x) * x


def branches(x, n=3, flag=True):
    total = 0.0
    for i in range(n):
        total += x[i % len(x)] ** 2 if flag else x[0]
    return total


def of_model(model):
    return model.slope * np.sum(np.exp(model.offsets))


def of_pair(pair, scale):
    return pair[0] * pair[1][0] + scale * pair[1][1] ** 2


def weighted(x):
    return SCALE * np.sum(WEIGHTS * x**2)


def solved(a):
    return np.sum(np.linalg.solve(a @ a.T + 3.0 * np.eye(len(a)), a[:, 0]))


def written(x):
    y = np.zeros(2 * len(x))
    for i in range(len(x)):
        y[i] = x[i] ** 2
        y[-1 - i] += y[i]
    return np.sum(np.sort(y))


def module(z):
    return np.sum(abs(z) ** 2)


def masked(x, mask):
    return np.sum(np.where(mask, x**2, -x))


def picked(x, places):
    return np.sum(x[places] ** 2)


def several(x):
    return x.shape, x > 0.5, 3, None, "text", True, x[0] > 0.0, 1j * x[0], (x, x[::2])


def variadic(*numbers, power=2):
    return numbers[0] ** power * numbers[1]


@adcore.custom_jvp
def clipped(x):
    return min(max(x, 0.0), 1.0)


@clipped.defjvp
def _(primals, tangents):
    return clipped(primals[0]), 0.5 * tangents[0]


def calls_derivative(x):
    return grad(wave)(x) * x


def cube_root(a):
    return adcore.root(lambda x, a: x**3 - a, 1.0, a)


def decay(rate):
    return adcore.odeint(lambda y, t, rate: -rate * y, 1.0, np.array([0.0, 1.0]), rate)[1]


READONLY = X.copy()
READONLY.flags.writeable = False
CALLS = [
    (grad(cube_root), 2.0),
    (grad(decay), 2.0),
    (grad(wave), 0.7),
    (grad(grad(wave)), 0.7),
    (value_and_grad(wave), 0.7),
    (grad(calls_derivative), 0.7),
    (grad(lambda x: wave(x) * 2.0), 0.7),
    (grad(cubes), X),
    (value_and_grad(cubes), X.astype(np.float32)),
    (grad(cubes), np.asfortranarray(A)),
    (grad(cubes), A.T),
    (grad(cubes), A[:, ::-2]),
    (grad(cubes), READONLY),
    (grad(cubes), np.zeros(0)),
    (grad(cubes), np.zeros((2, 0, 3))),
    (grad(lambda x: x * x), np.array(0.7)),
    (grad(lambda x: x * x), np.float32(0.7)),
    (value_and_grad(branches), X),
    (value_and_grad(branches), X, 30),
    (value_and_grad(branches), X, 30, False),
    (grad(of_model), Model(2.0, X)),
    (jit(lambda m: Model(m.slope + 1.0, m.offsets * 2.0)), Model(2.0, X)),
    (grad(of_pair, argnums=(0, 1)), (2.0, (3.0, 4.0)), 5.0),
    (grad(weighted), X),
    (grad(solved), A),
    (grad(written), X),
    (grad(module), 2.0 + 1.0j),
    (value_and_grad(module), X + 1.0j * X[::-1]),
    (value_and_grad(module), (X + 1.0j).astype(np.complex64)),
    (grad(masked), X, X > 0.4),
    (grad(picked), X, np.array([1, 2, 2])),
    (grad(picked), X, np.array([1, 2, 2], np.int32)),
    (grad(lambda x, k: x**k), 0.7, np.uint8(3)),
    (grad(variadic), 2.0, 3.0),
    (grad(clipped), 2.0),
    (jit(lambda x: x), X),
    (jit(lambda x: (x, x)), X),
    (jit(several), X),
    (jit(lambda x: None), X),
    (vmap(wave), X),
    (vmap(grad(cubes)), A),
    (vmap(lambda x, y: (x * y, x), in_axes=(0, None)), X, 2.0),
    (hessian(cubes), X),
    (adcore.jacobian(lambda x: np.cumsum(x**2)), X),
    (adcore.jacfwd(lambda x: np.cumsum(x**2)), X),
    (adcore.jacrev(lambda x: np.cumsum(x**2)), X),
    (adcore.jvp(cubes), (X,), (X,)),
    (adcore.hvp(cubes), (X,), (X,)),
    (adcore.vhp(cubes), (X,), (X,)),
    (adcore.laplacian(cubes), X),
    (adcore.hessian_diagonal(cubes), X),
    (grad(adcore.checkpoint(cubes)), X),
    (grad(cubes, has_aux=False, donate_argnums=()), X),
    (grad(lambda x: (np.sum(x), x * 2.0), has_aux=True), X),
    (adcore.soft(lambda x: 1.0 if x > 0.0 else 0.0, 0.1), 0.2),
]


def inside(derivative):
    """A function compiled by Numba that calls a derivative."""

    @njit
    def caller(*arguments):
        return derivative(*arguments)

    return caller


def named(value):
    return repr(value) if hasattr(value, "transform") else ""


def equal(found, expected):
    ours, theirs = (optree.tree_flatten(v, namespace="adcore") for v in (found, expected))
    assert ours[1] == theirs[1]
    for x, y in zip(ours[0], theirs[0], strict=True):
        assert np.shape(x) == np.shape(y)
        if isinstance(y, np.ndarray):  # Numba's scalars come back as Python's
            assert x.dtype == y.dtype
        if isinstance(y, str):
            assert x == y
        else:
            np.testing.assert_allclose(x, y, rtol=1e-14 if np.asarray(y).dtype.itemsize >= 8 else 1e-6)


@pytest.mark.parametrize("case", CALLS, ids=lambda case: repr(case[0]))
def test_calls(case):
    derivative, *arguments = case
    with any_lengths():
        expected = derivative(*arguments)
    equal(inside(derivative)(*arguments), expected)


@njit
def square(x):
    return x**2


@njit
def product(x, y):
    return np.sum(x * y**2)


@njit
def names_transforms(x):
    return grad(square)(x), grad(grad(square))(x), value_and_grad(square)(x), adcore.jvp(square, (x,), (2.0,))


@njit
def names_options(x, y):
    return grad(product, (0, 1))(x, y), grad(product, argnums=1)(x, y), hessian(product, 1)(x, y)


@njit
def names_products(x, y):
    return adcore.hvp(product, (x, y), (x, y)), adcore.vhp(product, (x, y), (y, x)), vmap(grad(square))(x)


@njit
def names_a_lambda(x):
    return grad(lambda y: y * y * y)(x)


NAMED = [
    (names_transforms, (0.7,)),
    (names_options, (X, X[::-1])),
    (names_products, (X, X[::-1].copy())),
    (names_a_lambda, (0.7,)),
]


@pytest.mark.parametrize(("function", "arguments"), NAMED, ids=lambda f: getattr(f, "__name__", ""))
def test_transforms_named_inside(function, arguments):
    with any_lengths():
        equal(function(*arguments), function.py_func(*arguments))


def test_derivatives_of_functions_that_call_derivatives():
    slope, outer = grad(wave), jit(names_transforms)

    @njit
    def calling(x):
        return slope(x) ** 2 + grad(square)(x)

    expected = grad(lambda x: grad(wave)(x) ** 2 + 2.0 * x)(0.7)
    assert grad(calling)(0.7) == pytest.approx(expected, rel=1e-14)
    assert inside(grad(calling))(0.7) == grad(calling)(0.7)
    equal(outer(0.7), names_transforms(0.7))


def test_keywords_and_defaults():
    derivative = grad(branches)

    @njit
    def caller(x):
        return derivative(x), derivative(x, flag=False), derivative(x, n=1, flag=True), derivative(flag=False, x=x)

    equal(caller(X), (derivative(X), derivative(X, flag=False), derivative(X, 1, True), derivative(X, flag=False)))
    power = grad(variadic)

    @njit
    def by_name(x):
        return power(x, 3.0, power=3)

    with pytest.raises(TypingError):  # a parameter by name alone behind *numbers
        by_name(2.0)


def test_constants_of_the_specialisation():
    power = jit(lambda x, n: x**n, static_argnums=1)

    @njit
    def caller(x):
        return power(x, 3)

    assert caller(2.0) == 8.0


def test_parallel_loops():
    slope, gradient = grad(wave), grad(cubes)

    @njit(parallel=True)
    def caller(x, rows):
        slopes, gradients = np.empty_like(x), np.empty_like(rows)
        for i in prange(len(x)):
            slopes[i] = slope(x[i])
        for i in prange(len(rows)):
            gradients[i] = gradient(rows[i])
        return slopes, gradients

    slopes, gradients = caller(X, A)
    np.testing.assert_allclose(slopes, [slope(x) for x in X], rtol=1e-14)
    np.testing.assert_allclose(gradients, 3.0 * A**2, rtol=1e-14)


def test_threads_without_the_lock():
    gradient = grad(written)

    @njit(nogil=True)
    def caller(x, times):
        total = np.zeros_like(x)
        for _ in range(times):
            total += gradient(x)
        return total

    expected, found = caller(X, 2000), []
    threads = [threading.Thread(target=lambda: found.append(caller(X, 2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(f, expected) for f in found)


@pytest.mark.parametrize("wrap", [numba.vectorize, numba.njit(fastmath=True), numba.njit("float64(float64)")])
def test_other_compilations(wrap):
    def caller(x):
        return grad(square)(x)

    assert wrap(caller)(0.7) == 1.4


def test_callbacks_and_generators():
    slope = grad(wave)

    @numba.cfunc("float64(float64)")
    def callback(x):
        return slope(x)

    @njit
    def generated(x):
        for i in range(3):
            yield slope(x + i)

    assert callback.ctypes(0.7) == slope(0.7)
    assert list(generated(0.7)) == [slope(0.7 + i) for i in range(3)]


def test_derivatives_are_arguments():
    @njit
    def descend(gradient, x, steps):
        for _ in range(steps):
            x = x - 0.1 * gradient(x)
        return x

    assert descend(grad(lambda x: (x - 2.0) ** 2), 0.0, 200) == pytest.approx(2.0)
    np.testing.assert_allclose(descend(grad(lambda x: np.sum((x - 2.0) ** 2)), X, 200), 2.0)


def test_globals_are_frozen(monkeypatch):
    caller = inside(grad(weighted))
    before = caller(X)
    monkeypatch.setitem(globals(), "SCALE", 30.0)
    assert np.array_equal(caller(X), before)
    np.testing.assert_allclose(grad(weighted)(X), 10.0 * before, rtol=1e-14)


def test_callers_compiled_later_see_later_globals(monkeypatch):
    derivative = grad(weighted)
    before = inside(derivative)(X)
    monkeypatch.setitem(globals(), "SCALE", 30.0)
    np.testing.assert_allclose(inside(derivative)(X), 10.0 * before, rtol=1e-14)
    weights = WEIGHTS.copy()
    monkeypatch.setitem(globals(), "WEIGHTS", weights)
    weights *= 2.0
    caller = inside(derivative)
    np.testing.assert_allclose(caller(X), 20.0 * before, rtol=1e-14)
    weights *= 2.0
    np.testing.assert_allclose(caller(X), 20.0 * before, rtol=1e-14)
    np.testing.assert_allclose(inside(derivative)(X), 40.0 * before, rtol=1e-14)


def test_arguments_are_left_alone():
    x = X.copy()
    np.testing.assert_array_equal(inside(grad(writes))(x), np.r_[0.0, np.ones(19)])
    assert np.array_equal(x, X)


# Failures


def out_of_range(x, n):
    y = x * 2.0
    return y[n] * x[0]


def divides(x):
    return 1.0 / (x - 1.0)


def raises(x):
    if x < 0.0:
        raise ValueError("x is negative")
    return x


def adds(x, y):
    return np.sum(x + y)


FAILING = [
    (grad(out_of_range), (X, 20), IndexError, "index 20 is out of bounds for axis 0 with size 20"),
    (grad(out_of_range), (X, -1000), IndexError, "index -1000 is out of bounds for axis 0 with size 20"),
    (grad(divides), (1.0,), ZeroDivisionError, "division by zero"),
    (grad(raises), (-1.0,), ValueError, "x is negative"),
    (grad(lambda a: np.sum(np.linalg.inv(a))), (np.zeros((3, 3)),), np.linalg.LinAlgError, "Singular matrix"),
    (grad(adds), (X, X[:3]), ValueError, "operands could not be broadcast together"),
    (grad(adds), (X, X[:1]), ValueError, "no axis of an argument is stretched"),
    (grad(lambda x: np.sum(np.squeeze(x))), (X[:, None],), ValueError, "turns out to be 1 at run time"),
]


@pytest.mark.parametrize(("derivative", "arguments", "kind", "message"), FAILING, ids=named)
def test_failures_raise(derivative, arguments, kind, message):
    with pytest.raises(kind) as caught:
        inside(derivative)(*arguments)
    assert message in str(caught.value)


def test_failures_have_the_users_line():
    with pytest.raises(IndexError) as caught:
        inside(grad(out_of_range))(X, 99)
    last = caught.traceback[-1]
    assert last.name == "out_of_range"
    assert last.lineno + 1 == out_of_range.__code__.co_firstlineno + 2


def test_failures_are_caught_inside():
    derivative = grad(out_of_range)

    @njit
    def caller(x, n):
        try:
            return derivative(x, n)[0]
        except Exception:
            return -1.0

    assert caller(X, 20) == -1.0
    assert caller(X, 3) == derivative(X, 3)[0]


def test_failures_in_parallel_loops_are_reported(monkeypatch):
    derivative, said = grad(out_of_range), []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: said.append(str(report.exc_value)))

    @njit(parallel=True)
    def caller(x, n):
        found = np.zeros(n)
        for i in prange(n):
            found[i] = derivative(x, i)[0]
        return found

    caller(X, 21)
    assert len(said) == 1
    assert "IndexError in an iteration of prange: index 20 is out of bounds for axis 0 with size 20" in said[0]


def too_many(x):
    if x > 2.0:
        raise ValueError("more than 100% of {all}")
    return x


def test_failures_in_parallel_loops_say_what_the_user_says(monkeypatch):
    derivative, said = grad(too_many), []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: said.append(str(report.exc_value)))

    @njit(parallel=True)
    def caller(n):
        found = np.zeros(n)
        for i in prange(n):
            found[i] = derivative(1.0 * i)
        return found

    caller(4)
    assert len(said) == 1
    assert "ValueError in an iteration of prange: more than 100% of {all} (" in said[0]


# Refusals


def unsupported(x):
    return np.packbits(x)


def writes(x):
    x[0] = 2.0
    return np.sum(x)


REFUSED = [
    (grad(wave), (2,), "argument 0 of wave is an integer"),
    (grad(wave), (X,), "a function of `math` takes a number"),
    (grad(wave), (1.0, 2.0), "wave(): too many positional arguments"),
    (grad(wave), ("text",), "argument 0 of wave is a unicode_type"),
    (grad(cubes), ({1.0: 2.0},), "argument 0 of cubes is a"),
    (grad(cubes), ([1.0, 2.0],), "argument 0 of cubes is a"),
    (grad(variadic), (1.0, np.random.default_rng(0)), "is a random generator"),
    (grad(cubes), (X.astype(np.float16),), "has dtype float16"),
    (grad(unsupported), (X,), "numpy.packbits is not supported"),
    (jit(writes), (X,), "writes writes into its argument 'x'"),
    (jit(lambda x: [x, x]), (X,), "the result has a list"),
    (jit(lambda x: {"x": x}), (X,), "the result has a dict"),
    (jit(lambda **named: named["x"]), (X,), "takes any arguments by name"),
    (jit(lambda x, n: x**n, static_argnums=1), (2.0, 3), "the static argument 'n' is a int64"),
    (grad(cubes, debug="nan"), (X,), "cubes with debug="),
    (adcore.jvp(cubes), (X, X), "jvp"),
]


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPendingDeprecationWarning")
@pytest.mark.parametrize(("derivative", "arguments", "cause"), REFUSED, ids=named)
def test_refusals(derivative, arguments, cause):
    if isinstance(arguments[0], dict):
        typed = numba.typed.Dict.empty(numba.float64, numba.float64)
        arguments = (typed,)
    with pytest.raises(TypingError) as caught:
        inside(derivative)(*arguments)
    said = str(caught.value)
    assert cause in said
    assert "test_inside_njit.py" in said  # the user's line, and the caller's


OUTSIDE = [
    (grad(abs_of := lambda x: abs(x), on_kink="raise"), "with its kinks looked at> inside @njit"),
    (adcore.verdict(abs_of), "inside @njit"),
    (adcore.jacobian(lambda x: x**2, sparse=True), "inside @njit"),
]


@pytest.mark.parametrize(("function", "cause"), OUTSIDE, ids=range(len(OUTSIDE)))
def test_what_is_called_from_python_alone(function, cause):
    @njit
    def caller(x):
        return function(x)

    with pytest.raises(TypingError) as caught:
        caller(2.0)
    assert cause in str(caught.value)
    assert "Write instead" in str(caught.value)


def test_functions_that_numba_does_not_know():
    @njit
    def caller(x):
        return grad(3.0)(x)

    with pytest.raises(TypingError, match="grad of a float64 inside @njit"):
        caller(1.0)


# Memory


def test_results_are_released():
    derivative = value_and_grad(cubes)

    @njit
    def caller(x, times):
        total = 0.0
        for _ in range(times):
            total += derivative(x)[1][0]
        return total

    x = np.linspace(0.0, 1.0, 100_000)
    caller(x, 10)
    gc.collect()
    before = resident()
    caller(x, 2000)  # 1.6 GB of gradients
    assert resident() - before < 50_000_000
    kept = inside(derivative)(x)[1]
    view = kept[::2]
    del kept
    gc.collect()
    np.testing.assert_allclose(view, 3.0 * x[::2] ** 2, rtol=1e-14)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


# Other processes


SCRIPT = """
import sys
import numba, numpy as np
import adcore

SCALE = np.array([1.0, 2.0, 3.0])

def f(x):
    return np.sum(SCALE * np.exp(x[0])) * np.sum(np.linalg.solve(x, x[1]))

gradient = adcore.grad(f)

@numba.njit(cache=True)
def caller(x):
    return gradient(x)

@numba.njit(cache=True, parallel=True)
def parallel(x):
    found = np.zeros_like(x)
    for i in numba.prange(1):
        found += gradient(x)
    return found

x = np.eye(3) + np.arange(9.0).reshape(3, 3) / 10
for function in (caller, parallel):
    assert np.allclose(function(x), gradient(x), rtol=1e-13)
    print(sum(function.stats.cache_hits.values()), end=" ")
try:
    caller(np.zeros((3, 3)))
except np.linalg.LinAlgError as error:
    print(error)
"""


def test_callers_are_cached_on_the_disk(tmp_path):
    file = tmp_path / "cached.py"
    file.write_text(SCRIPT)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for hits in ("0 0", "1 1"):
        shown = subprocess.run(
            [sys.executable, file], capture_output=True, text=True, env={**os.environ, **environment}
        )
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.strip() == f"{hits} Singular matrix"


ORDERS = ["import adcore\nimport numba", "import numba\nimport adcore", "import numba\n{first}\nimport adcore"]


@pytest.mark.parametrize("imports", ORDERS, ids=range(len(ORDERS)))
def test_orders_of_import(tmp_path, imports):
    first = "@numba.njit\ndef first(x):\n    return x\nfirst(1)"
    rest = (
        "@numba.njit\ndef f(x):\n    return x * x\n@numba.njit\ndef g(x):\n    return adcore.grad(f)(x)\nprint(g(2.0))"
    )
    file = tmp_path / "ordered.py"
    file.write_text(f"{imports.format(first=first)}\n{rest}\n")
    shown = subprocess.run([sys.executable, file], capture_output=True, text=True)
    assert shown.stdout.strip() == "4.0", shown.stderr


def test_numba_alone_does_not_import_adcore(tmp_path):
    file = tmp_path / "alone.py"
    file.write_text("import sys, numba\n@numba.njit\ndef f(x):\n    return x\nf(1)\nprint('adcore' in sys.modules)\n")
    shown = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"

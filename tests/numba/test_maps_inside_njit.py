"""`vjp` and `linearize` in functions compiled by Numba: values, pullbacks and pushforwards."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from functools import partial
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import TypingError
from numba.core.runtime.nrt import rtsys

from adcore import grad, linearize, vjp
from adcore.arguments import any_lengths
from adcore.errors import PickleError

from .test_inside_njit import equal

X = np.linspace(0.1, 1.0, 5)
A = np.random.default_rng(0).normal(size=(3, 5))
C = np.arange(5.0)
Z = X + 1j * C


class Model(NamedTuple):
    slope: float
    offsets: np.ndarray


WEIGHTS = np.linspace(1.0, 2.0, 5)


def wave(x):
    return np.sin(x) * x


def scaled(x, s):
    return np.tanh(x) * s


def affine(a, x, b=2.0):
    return a @ x + b, (np.sum(x), 3, None, x)


def looped(x, n):
    for _ in range(n):
        x = np.sin(x) * 2.0
    return x


def of_model(model):
    return Model(model.slope**2, model.slope * model.offsets * WEIGHTS)


def variadic(x, *rest):
    total = x * 0.0
    for r in rest:
        total = total + r * x
    return total


def doubled(x):
    return 2.0 * x


def same(x):
    return x, x


def module(z):
    return np.sum(abs(z) ** 2), z * z


def auxiliary(x):
    return x * x, (x + 1.0, "text")


def solved(a, b):
    return np.linalg.solve(a @ a.T + 3.0 * np.eye(len(a)), b)


@njit
def square(x):
    return x * x


VJP = [
    (wave, (0.7,), 2.0),
    (wave, (0.7,), 2),
    (wave, (3,), 2.0),
    (wave, (X,), C),
    (wave, (X.astype(np.float32),), C),
    (wave, (X[::2],), C[::-2]),
    (wave, (np.float32(0.7),), 2.0),
    (scaled, (X, 2.0), C),
    (scaled, (A, 2.0), np.asfortranarray(A)),
    (scaled, (X, 2.0), np.arange(5)),
    (affine, (A, X, 2.0), (X[:3], (1.0, 5, None, C))),
    (affine, (A, X), (X[:3], (1.0, None, None, C))),
    (looped, (X, 7), C),
    (of_model, (Model(2.0, X),), Model(1.0, C)),
    (variadic, (2.0, 3.0, 4.0), 1.0),
    (variadic, (X,), C),
    (doubled, (X,), C),
    (same, (X,), (C, 2.0 * C)),
    (module, (2.0 + 1.0j,), (1.0, 2.0 + 0.5j)),
    (module, (Z,), (1.0, C)),
    (module, (Z.astype(np.complex64),), (1.0, Z)),
    (solved, (A[:, :3], X[:3]), C[:3]),
    (square, (X,), C),
    (square, (X[:0],), C[:0]),
    (square, (np.zeros((2, 0)),), np.zeros((2, 0))),
    (square, (np.array(0.7),), np.array(2.0)),
    (grad(lambda x: np.sum(x**3)), (X,), C),
]
LINEARIZE = [
    (wave, (0.7,), (2.0,)),
    (wave, (X,), (C,)),
    (wave, (X.astype(np.float32),), (C,)),
    (scaled, (X, 2.0), (C, 1)),
    (affine, (A, X, 2.0), (A, C, 1.0)),
    (affine, (A, X), (A, C)),
    (looped, (X, 7), (C, None)),
    (of_model, (Model(2.0, X),), (Model(1.0, C),)),
    (variadic, (2.0, 3.0, 4.0), (1.0, 2.0, 3.0)),
    (module, (Z,), (C,)),
    (solved, (A[:, :3], X[:3]), (A[:, 2:], C[:3])),
    (square, (X,), (C,)),
]


def called(map, *given):
    return map(*given)


def pulled(f, cotangent, *primals):
    value, pullback = vjp(f, *primals)
    return value, pullback(cotangent)


def pushed(f, tangents, *primals):
    value, pushforward = linearize(f, *primals)
    return value, pushforward(*tangents)


@pytest.mark.parametrize(("f", "primals", "cotangent"), VJP)
def test_pullbacks(f, primals, cotangent):
    split = vjp(f)

    @njit
    def caller(cotangent, *primals):
        value, pullback = split(*primals)
        return value, pullback(cotangent)

    with any_lengths():
        expected = pulled(f, cotangent, *primals)
    equal(caller(cotangent, *primals), expected)


@pytest.mark.parametrize(("f", "primals", "tangents"), LINEARIZE)
def test_pushforwards(f, primals, tangents):
    split = linearize(f)

    @njit
    def caller(tangents, *primals):
        value, pushforward = split(*primals)
        return value, pushforward(*tangents)

    with any_lengths():
        expected = pushed(f, tangents, *primals)
    equal(caller(tangents, *primals), expected)


affine_compiled = njit(affine)
auxiliary_compiled = njit(auxiliary)
variadic_compiled = njit(variadic)
scaled_compiled = njit(scaled)


@njit
def names_both(a, x, c):
    value, pullback = vjp(affine_compiled, a, x)
    same_value, pushforward = linearize(affine_compiled, a, x)
    return value, same_value, pullback(c), pushforward(a, x)


@njit
def names_auxiliary(x):
    value, pullback, aux = vjp(auxiliary_compiled, x, has_aux=True)
    further, pushforward, same_aux = linearize(auxiliary_compiled, x, has_aux=True)
    return value, aux, pullback(x), further, pushforward(x), same_aux


@njit
def names_many(x, y, z):
    _, pullback = vjp(variadic_compiled, x, y, z)
    _, pushforward = linearize(variadic_compiled, x, y, z)
    return pullback(x), pushforward(x, y, z)


@njit
def names_first(x, s):
    split = vjp(scaled_compiled)
    value, pullback = split(x, s)
    return value, pullback(cotangent=x)


@njit
def names_nested(x):
    _, pullback = vjp(grad(square), x)
    return pullback(2.0), vjp(square, x)[1](1.0)


@njit
def moded(x, mode, flag, k=2):
    return x**k if mode == "power" or flag else x * k


@njit
def applied(function, x):
    return function(x) * x


@njit
def names_constants(x, flag):
    _, pullback = vjp(moded, x, "power", flag)
    _, another = vjp(moded, x, "other", flag, 3)
    _, pushforward = linearize(moded, x, "power", flag)
    _, of_function = vjp(applied, square, x)
    return pullback(x), another(x), pushforward(x, None, False), of_function(x)


@njit
def calls_often(x, s, n):
    _, pullback = vjp(scaled_compiled, x, s)
    total = np.zeros_like(x)
    for k in range(n):
        total += pullback(k * x)[0]
    return total


NAMED = [
    (names_both, (A, X, (X[:3], (1.0, 5, None, C)))),
    (names_auxiliary, (X,)),
    (names_many, (2.0, 3.0, 4.0)),
    (names_first, (X, 2.0)),
    (names_nested, (0.7,)),
    (names_constants, (0.7, False)),
    (calls_often, (X, 2.0, 4)),
]


@pytest.mark.parametrize(("function", "arguments"), NAMED, ids=lambda f: getattr(f, "__name__", ""))
def test_named_inside(function, arguments):
    with any_lengths():
        equal(function(*arguments), function.py_func(*arguments))


def test_functions_that_call_maps_are_differentiated():
    @njit
    def caller(x):
        value, pullback = vjp(square, x)
        return value * pullback(x)[0]  # 2 x^4

    @njit
    def outer(x):
        return grad(caller)(x), vjp(caller, x)[1](1.0)[0]

    assert caller(3.0) == 162.0
    assert grad(caller)(3.0) == pytest.approx(216.0)
    assert outer(3.0) == pytest.approx((216.0, 216.0))


def test_maps_are_arguments_of_other_functions():
    @njit
    def twice(pullback, c):
        return pullback(c)[0] + pullback(2.0 * c)[0]

    @njit
    def made(x, s):
        return vjp(scaled_compiled, x, s)[1]

    @njit
    def caller(x, s, c):
        maps = [made(x, s), made(x, 2.0 * s)]
        return twice(maps[0], c) + twice(maps[1], c)

    one = vjp(scaled, X, 2.0)[1](C)[0]
    np.testing.assert_allclose(caller(X, 2.0, C), 9.0 * one, rtol=1e-13)


def test_what_is_written_later_does_not_matter():
    @njit
    def caller(x, c):
        value, pullback = vjp(square, x)
        x[:] = 0.0
        value[:] = 0.0
        found = pullback(c)
        found[0][:] = 7.0
        return pullback(c)

    np.testing.assert_array_equal(caller(X.copy(), C)[0], 2.0 * X * C)


def test_parallel_loops():
    @njit(parallel=True)
    def caller(x, s, rows):
        _, pullback = vjp(scaled_compiled, x, s)
        found = np.zeros_like(rows)
        for i in prange(len(rows)):
            found[i] = pullback(rows[i])[0]
        return found

    @njit(parallel=True)
    def made_there(rows, s, c):
        found = np.zeros_like(rows)
        for i in prange(len(rows)):
            found[i] = vjp(scaled_compiled, rows[i], s)[1](c)[0]
        return found

    expected = [vjp(scaled, X, 2.0)[1](c)[0] for c in A]
    np.testing.assert_allclose(caller(X, 2.0, A), expected, rtol=1e-14)
    np.testing.assert_allclose(made_there(A, 2.0, C), [vjp(scaled, x, 2.0)[1](C)[0] for x in A], rtol=1e-14)


# In Python


def test_maps_are_returned_to_python():
    @njit
    def made(a, x):
        return vjp(affine_compiled, a, x), linearize(affine_compiled, a, x)

    (value, pullback), (_, pushforward) = made(A, X)
    expected, outside = vjp(affine, A, X)
    cotangent = (X[:3], (1.0, 5, None, C))
    equal(value, expected)
    equal(pullback(cotangent), outside(cotangent))
    equal(pushforward(A, C), linearize(affine, A, X)[1](A, C))
    equal(njit(called)(pullback, cotangent), outside(cotangent))
    assert repr(pullback) == "<pullback of affine>"
    with pytest.raises(ValueError, match=r"a cotangent of shape \(2,\) for a value of shape \(3,\)"):
        pullback((X[:2], (1.0, 5, None, C)))
    with pytest.raises(PickleError, match="holds residuals"):
        pickle.dumps(pushforward)


# Failures


@njit
def pulls(x, c):
    _, pullback = vjp(square, x)
    return pullback(c)


@njit
def pushes(x, c):
    _, pushforward = linearize(square, x)
    return pushforward(c)


FAILING = [
    (pulls, (X, C[:3]), r"pullback: a cotangent of shape \(3,\) for a value of shape \(5,\)"),
    (pulls, (A, A.T), r"pullback: a cotangent of shape \(5, 3\) for a value of shape \(3, 5\)"),
    (pushes, (A, A[:, :1]), r"pushforward: a tangent of shape \(3, 1\) for a primal of shape \(3, 5\)"),
]


@pytest.mark.parametrize(("function", "arguments", "message"), FAILING)
def test_failures_raise(function, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        function(*arguments)
    last = caught.traceback[-1]
    assert last.name == function.__name__
    assert last.lineno == function.py_func.__code__.co_firstlineno + 2
    with pytest.raises(ValueError, match=message):
        function.py_func(*arguments)


def test_failures_are_caught_inside():
    @njit
    def caller(x, c):
        _, pullback = vjp(square, x)
        try:
            return pullback(c)[0][0]
        except Exception:
            return -1.0

    assert caller(X, C[:3]) == -1.0
    assert caller(X, X) == pytest.approx(2.0 * X[0] ** 2)


def test_failures_in_parallel_loops_are_reported(monkeypatch):
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: said.append(str(report.exc_value)))

    @njit(parallel=True)
    def caller(x, n):
        found = np.zeros(n)
        for i in prange(n):
            found[i] = vjp(square, x)[1](x[: len(x) - i])[0][0]
        return found

    assert caller(X, 2)[1] == 0.0
    assert len(said) == 1
    assert (
        "ValueError in an iteration of prange: pullback: a cotangent of shape (4,) for a value of shape (5,)" in said[0]
    )
    assert "test_maps_inside_njit.py" in said[0]


def listed(x):
    return [x * k for k in range(int(x))]


REFUSED = [
    (vjp(wave), (X,), (1.0,), "pullback: a cotangent of 0 axes for a value of 1"),
    (vjp(wave), (X,), (1j * C,), "pullback: a complex cotangent for a real value"),
    (vjp(wave), (X,), ((C, C),), "pullback: the cotangent has another structure than the value"),
    (vjp(same), (X,), (C,), "pullback: the cotangent has another structure than the value"),
    (vjp(same), (X,), ((C, None),), "pullback: the cotangent has no number where the value has one"),
    (vjp(wave), (X,), (C, C), "pullback: too many positional arguments"),
    (vjp(wave), (X,), ("text",), "the cotangent is a unicode_type; inside @njit arguments are numbers"),
    (vjp(wave), (X,), (C.astype(np.float16),), "the cotangent has dtype float16"),
    (linearize(scaled), (X, 2.0), (C,), "pushforward: 1 tangents for 2 primals"),
    (vjp(lambda x: x > 0.0), (3.0,), (1.0,), "vjp: the function returns no real number or array"),
    (vjp(listed), (3.0,), (1.0,), "listed returns a list whose length is known at run time"),
    (vjp(wave, debug="nan"), (X,), (C,), "wave with debug="),
    (vjp(auxiliary), (X,), (C,), "pullback: the cotangent has another structure than the value"),
]


@pytest.mark.parametrize(("split", "primals", "given", "cause"), REFUSED)
def test_refusals(split, primals, given, cause):
    @njit
    def caller(primals, given):
        _, map = split(*primals)
        return map(*given)

    with pytest.raises(TypingError) as caught:
        caller(primals, given)
    assert cause in str(caught.value)
    assert "test_maps_inside_njit.py" in str(caught.value)


def test_maps_made_in_python_stay_there():
    _, pullback = vjp(wave, X)
    with pytest.raises(TypingError, match="a pullback made by a call from Python, inside @njit") as caught:
        njit(called)(pullback, C)
    assert "adcore.vjp inside" in str(caught.value)


def test_other_partials_are_not_ours():
    other = partial(called, 1.0)

    @njit
    def caller(x):
        return other(x)

    with pytest.raises(TypingError, match=r"Cannot determine Numba type of <class 'functools.partial'>|untyped"):
        caller(1.0)


# Memory


@pytest.mark.parametrize("parallel", [False, True])
def test_nothing_is_left(parallel):
    @njit(parallel=parallel)
    def caller(x, s, rows):
        value, pullback = vjp(scaled_compiled, x, s)
        _, pushforward = linearize(scaled_compiled, x, s)
        total = value + pushforward(x, s)
        for i in prange(len(rows)):
            total += pullback(rows[i])[0] + pullback(rows[i, ::-1])[0]
        return total, pullback

    statistics = import_module("numba.core.runtime._nrt_python")
    enabled = statistics.memsys_stats_enabled()
    statistics.memsys_enable_stats()
    try:
        caller(X, 2.0, A)
        before = rtsys.get_allocation_stats()
        for _ in range(3):
            total, pullback = caller(X, 2.0, A)
            pullback(total)
            del total, pullback
        after = rtsys.get_allocation_stats()
    finally:
        if not enabled:
            statistics.memsys_disable_stats()
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free > 0
    assert after.alloc - before.alloc == after.free - before.free


# Other processes


SCRIPT = """
import numba, numpy as np
import adcore

@numba.njit
def f(x):
    return np.linalg.solve(x, x[1]) * 2.0

@numba.njit(cache=True)
def made(x):
    return adcore.vjp(f, x)

@numba.njit(cache=True)
def pulled(pullback, cotangent):
    return pullback(cotangent)[0]

@numba.njit(cache=True)
def caller(x):
    value, pullback = made(x)
    return pulled(pullback, value)

x = np.eye(3) + np.arange(9.0).reshape(3, 3) / 10
value, pullback = adcore.vjp(f, x)
for function in (caller, lambda x: made(x)[1](value)[0], lambda x: pulled(made(x)[1], value)):
    assert np.allclose(function(x), pullback(value)[0], rtol=1e-12)
print(*(sum(function.stats.cache_hits.values()) for function in (caller, made, pulled)))
"""


def test_callers_are_cached_on_the_disk(tmp_path):
    file = tmp_path / "cached.py"
    file.write_text(SCRIPT)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for hits in ("0 0 0", "1 1 1"):
        shown = subprocess.run([sys.executable, file], capture_output=True, text=True, env=environment)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.strip() == hits

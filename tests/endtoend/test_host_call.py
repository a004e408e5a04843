"""Functions that are not compiled, called out of compiled ones: values, derivatives, exceptions, memory."""

from __future__ import annotations

import cmath
import gc
import math
import sys

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

import adcore
from adcore import (
    DtypeError,
    MissingRuleError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
    grad,
    hessian,
    host_call,
    jacfwd,
    jacrev,
    jit,
    jvp,
    linearize,
    set_num_threads,
    vjp,
)
from adcore.text import to_text
from adcore.verify import verify

X = np.array([0.5, -0.25, 0.75, 2.0])
calls: list = []


def waves(x, k):
    """Complex numbers go through it."""
    return np.sin(k * x) * np.exp(x[0])


def noted(*arguments):
    calls.append(arguments)
    return float(len(calls))


def many(x, table, on, name, pair):
    return {"y": x[:, None] * table, "n": (float(np.sum(table)) if on else 0.0, pair[0] * pair[1])}


def spline(t):
    return float(CubicSpline(np.arange(5.0), np.array([1.0, 3.0, 2.0, 5.0, 4.0]))(t))


def root(a):
    return brentq(lambda x: x**3 + x - a, -10.0, 10.0, xtol=1e-15, rtol=1e-14)


@pytest.mark.parametrize("transform", [lambda f: f, jit])
class TestValues:
    """What compiled code gives is what Python gives."""

    def test_arrays(self, transform):
        found = transform(lambda x: host_call(waves, x, x, 3) + 1.0)(X)
        np.testing.assert_array_equal(found, waves(X, 3) + 1.0)

    def test_numbers(self, transform):
        found = transform(lambda t: host_call(spline, 0.0, t))(2.5)
        assert found == spline(2.5)
        assert type(found) is float

    def test_structures(self, transform):
        table, pair = np.array([[1, 2, 3]]), (np.float32(1.5), 2.0)

        def f(x, pair):
            like = {"y": np.empty((len(x), 3)), "n": (0.0, 0.0)}
            return host_call(many, like, x, table, True, "a name", pair)

        found = transform(f)(X, pair)
        expected = many(X, table, True, "a name", pair)
        np.testing.assert_array_equal(found["y"], expected["y"])
        assert found["n"] == expected["n"]

    def test_dtypes_are_those_that_were_said(self, transform):
        x = X.astype(np.float32)
        found = transform(lambda x: host_call(lambda_free, x, x))(x)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.float32(np.sqrt(np.abs(x.astype(float)))))

    @pytest.mark.parametrize("n", [0, 1, 5, 70])
    def test_lengths(self, transform, n):
        x = np.linspace(0.0, 1.0, n)
        found = transform(lambda x: host_call(np.cumsum, np.zeros(len(x)), x))(x)
        np.testing.assert_array_equal(found, np.cumsum(x))

    def test_views_that_are_not_contiguous(self, transform):
        table = np.arange(12.0).reshape(3, 4)
        found = transform(lambda t: host_call(np.linalg.norm, 0.0, t[::2, 1:].T))(table)
        assert found == np.linalg.norm(table[::2, 1:])

    def test_exceptions_come_through(self, transform):
        def fails(x):
            raise KeyError("nothing there")

        with pytest.raises(KeyError, match="nothing there") as info:
            transform(lambda x: x * host_call(fails, 0.0, x))(2.0)
        assert any(entry.name == "<lambda>" for entry in info.traceback)
        assert info.traceback[-1].name == "fails"

    def test_results_of_another_shape(self, transform):
        with pytest.raises(ValueError, match=r"host_call: diff returns an array of shape \(3,\), not \(4,\)"):
            transform(lambda x: host_call(np.diff, x, x))(X)

    def test_results_of_another_structure(self, transform):
        with pytest.raises(TypeError, match="host_call: divmod returns another structure than was said"):
            transform(lambda x: host_call(divmod, 0.0, x, 2.0))(5.0)

    def test_complex_results(self, transform):
        with pytest.raises(TypeError, match="host_call: sqrt returns complex numbers"):
            transform(lambda x: host_call(cmath.sqrt, 0.0, x))(-5.0)

    def test_results_that_are_no_real_numbers(self, transform):
        with pytest.raises(DtypeError, match="host_call"):
            transform(lambda x: host_call(math.floor, 0, x))(5.0)


def lambda_free(x):
    return np.sqrt(np.abs(x.astype(float)))


class TestDerivatives:
    @pytest.mark.parametrize(("derivative", "tolerance"), [("complex", 1e-14), ("central", 1e-8)])
    @pytest.mark.parametrize("mode", [jacfwd, jacrev])
    def test_of_arrays(self, mode, derivative, tolerance):
        found = mode(lambda x: host_call(waves, x, x * x, 3, derivative=derivative))(X)
        expected = jacrev(lambda x: np.sin(3 * x * x) * np.exp(x[0] * x[0]))(X)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)

    def test_of_what_scipy_does(self):
        def f(a):
            return host_call(root, 0.0, a * a, derivative="central") ** 2

        x = root(9.0)
        expected = 2.0 * x * 6.0 / (3.0 * x * x + 1.0)
        assert grad(f)(3.0) == pytest.approx(expected, rel=1e-9)
        assert jvp(f, (3.0,), (1.0,))[1] == pytest.approx(expected, rel=1e-9)
        assert linearize(f, 3.0)[1](1.0) == pytest.approx(expected, rel=1e-9)
        assert vjp(f, 3.0)[1](1.0)[0] == pytest.approx(expected, rel=1e-9)

    def test_of_several_arguments_and_results(self):
        def g(x, s):
            return np.outer(x, x) * s, np.sum(x) * s**2

        def f(x, s):
            m, t = host_call(g, (np.zeros((len(x), len(x))), 0.0), x, s, derivative="complex")
            return np.sum(m * m) * t

        def plain(x, s):
            return np.sum((np.outer(x, x) * s) ** 2) * np.sum(x) * s**2

        for ours, theirs in zip(grad(f, (0, 1))(X, 1.5), grad(plain, (0, 1))(X, 1.5), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-13)

    def test_in_loops_and_branches(self):
        def f(x):
            total = 0.0
            for k in range(len(x)):
                if x[k] > 0.0:
                    total += host_call(math.exp, 0.0, x[k] * total, derivative="central") * x[k]
                while total > 3.0:
                    total = host_call(np.sqrt, 0.0, total, derivative="complex")
            return total

        def plain(x):
            total = 0.0
            for k in range(len(x)):
                if x[k] > 0.0:
                    total += math.exp(x[k] * total) * x[k]
                while total > 3.0:
                    total = math.sqrt(total)
            return total

        assert jit(f)(X) == pytest.approx(plain(X), rel=1e-15)
        np.testing.assert_allclose(grad(f)(X), grad(plain)(X), rtol=1e-9)

    def test_results_are_kept_for_the_dual(self):
        calls.clear()

        def f(x):
            total = 0.0
            for k in range(len(x)):
                total += host_call(noted, 0.0, k) * x[k] ** 2
            return total

        np.testing.assert_allclose(grad(f)(X), 2.0 * X * np.array([1.0, 2.0, 3.0, 4.0]))
        assert len(calls) == 4

    def test_none_is_refused_where_it_is_needed(self):
        assert grad(lambda x, y: x * host_call(spline, 0.0, y))(2.0, 1.5) == spline(1.5)
        with pytest.raises(MissingRuleError, match="the derivative of host_call of spline"):
            grad(lambda x: host_call(spline, 0.0, x))(2.0)

    def test_second_derivatives_are_refused(self):
        with pytest.raises(MissingRuleError, match="a second derivative of host_call of root"):
            hessian(lambda x: host_call(root, 0.0, x, derivative="central"))(2.0)

    def test_an_imaginary_part_that_is_lost(self):
        def loses(x):
            return float(np.array([x])[0]) ** 2

        with pytest.raises((TypeError, np.exceptions.ComplexWarning)):
            grad(lambda x: host_call(loses, 0.0, x, derivative="complex"))(2.0)


class TestCompilation:
    def test_what_is_refused(self):
        def inside(x):
            def g(t):
                return t

            return host_call(g, 0.0, x)

        with pytest.raises(UnsupportedFunctionError, match="host_call of"):
            jit(inside)(1.0)
        with pytest.raises(DtypeError, match="complex argument"):
            jit(lambda z: host_call(abs, 0.0, z))(1j)
        with pytest.raises(UnsupportedSyntaxError, match="derivative is not None or a constant"):
            jit(lambda x: host_call(spline, 0.0, x, derivative="forward"))(1.0)
        with pytest.raises(ValueError, match='derivative is None, "central" or "complex"'):
            host_call(spline, 0.0, 1.0, derivative="forward")

    def test_printed(self):
        g = grad(lambda x: host_call(root, 0.0, x, derivative="central"))
        assert "host_jacobian_root(" in adcore.source(g, 2.0)
        assert "function=<root>" in to_text(adcore.program(g, 2.0))
        verify(adcore.program(g, 2.0))

    def test_threads(self):
        """The loop has independent iterations, but only one thread may run Python."""

        def f(x):
            out = np.zeros(len(x))
            for k in range(len(x)):
                out[k] = host_call(math.cos, 0.0, x[k]) + x[k]
            return out

        x = np.linspace(0.0, 1.0, 20_000)
        before = adcore.get_num_threads()
        try:
            set_num_threads(3)
            np.testing.assert_allclose(jit(f)(x), np.cos(x) + x, rtol=1e-15)
        finally:
            set_num_threads(before)

    def test_nothing_is_left_behind(self):
        g = jit(lambda x: np.sum(host_call(np.sin, x, x)))
        g(X)
        gc.collect()
        before = sys.getrefcount(X)
        for _ in range(100):
            g(X)
        assert sys.getrefcount(X) == before

    def test_recursion_through_python(self):
        """A host function that calls compiled code itself, which fails inside."""
        inner = jit(lambda x: math.log(x))

        def outer(x):
            try:
                return inner(x)
            except ValueError:
                return -1.0

        assert jit(lambda x: host_call(outer, 0.0, x))(-2.0) == -1.0
        assert jit(lambda x: host_call(outer, 0.0, x))(1.0) == 0.0

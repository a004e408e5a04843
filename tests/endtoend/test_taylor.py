"""Taylor polynomials in several variables: exact partial derivatives, constructs, nesting, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from test_jet import CONSTRUCTS, V, W, X, close, in_loops

import adcore
from adcore import grad, hessian, jet, jit, taylor
from adcore.trees import leaves
from adcore.verify import verify


def test_partial_derivatives_of_a_function_of_three_variables():
    x, y, z = sympy.symbols("x y z")
    exact = sympy.exp(x * y) * sympy.sin(z + x) / (1 + z**2)
    at = {x: sympy.Rational(1, 2), y: -1, z: sympy.Rational(1, 4)}
    units = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    def f(p):
        return math.exp(p[0] * p[1]) * math.sin(p[2] + p[0]) / (1.0 + p[2] ** 2)

    found = taylor(f, (0.5, -1.0, 0.25), units, degree=4)
    assert len(found) == math.comb(3 + 4, 4)
    assert list(found) == sorted(found, key=lambda index: (sum(index), index))
    derivatives = taylor(f, (0.5, -1.0, 0.25), units, degree=4, scaling="derivatives")
    for (i, j, k), coefficient in found.items():
        expected = float(sympy.diff(exact, (x, i), (y, j), (z, k)).subs(at))
        factor = math.factorial(i) * math.factorial(j) * math.factorial(k)
        assert coefficient * factor == pytest.approx(expected, rel=1e-12)
        assert derivatives[i, j, k] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_constructs_in_two_directions(name):
    """Along t (V + s W) the polynomial is the series in t, for each s."""
    f = CONSTRUCTS[name]
    found = taylor(f, X, (V, W), degree=3)
    for s in (0.0, -1.0, 0.5):
        value, series = jet(f, X, (V + s * W, None, None))
        for n, expected in enumerate((value, *series)):
            parts = zip(*(leaves(found[n - j, j]) for j in range(n + 1)), strict=True)
            close([sum(c * s**j for j, c in enumerate(part)) for part in parts], leaves(expected), 1e-11)
    verify(adcore.program(taylor(f, degree=2), X, (V, W)))


def test_mixed_second_derivatives_are_the_hessian():
    f = lambda x: np.sum(in_loops(x) ** 2)  # noqa: E731
    found = taylor(f, X, tuple(np.eye(4)), degree=2, scaling="derivatives")
    matrix = hessian(f)(X)
    for i in range(4):
        for j in range(4):
            index = tuple(int(k == i) + int(k == j) for k in range(4))
            assert found[index] == pytest.approx(matrix[i, j], rel=1e-12)


def test_polynomials_inside_of_compiled_functions():
    def f(x, s):
        found = taylor(lambda p: np.sin(s * p[0]) * p[1], (x, 2.0), ((1.0, 0.0), (0.0, 1.0)), 2)
        return found[1, 1]

    close(jit(f)(0.3, 2.0), 2.0 * math.cos(0.6))
    close(grad(f)(0.3, 2.0), -4.0 * math.sin(0.6))


def test_refusals_in_several_variables():
    with pytest.raises(ValueError, match="the degree is -1"):
        taylor(np.sin, 1.0, (1.0,), degree=-1)
    with pytest.raises(TypeError, match=r"taylor takes the directions as a tuple"):
        taylor(np.sin, 1.0, (), degree=1)
    with pytest.raises(TypeError, match=r"taylor: direction 1 of .* has another shape"):
        taylor(lambda x: x * x, np.ones(2), (np.ones(2), 1.0), degree=1)
    with pytest.raises(TypeError, match="a point and directions"):
        taylor(np.sin, 1.0)

"""Taylor mode: exact coefficients, functions against nested forward mode, structures, nesting, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
import sympy
from adcore_numpy import interpret
from functions import EXAMPLES, Example
from generated import compiled_from, functions
from hypothesis import given, settings
from hypothesis import strategies as st
from test_derivatives import active, direction
from test_generated import POINTS, QUICK

import adcore
from adcore import DtypeError, MissingRuleError, grad, hessian, jacfwd, jet, jit, jvp, vjp
from adcore.trees import leaves, map_leaves
from adcore.verify import verify


def close(one, other, tolerance=1e-12):
    one, other = leaves(one), leaves(other)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert np.shape(a) == np.shape(b)
        scale = 1.0 + float(np.max(np.abs(np.asarray(b, complex)), initial=0.0))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def along(f, x, *directions):
    """The Taylor coefficients of f(x + t x1 + t**2 x2 + …) up to the number of directions, by nested forward mode."""

    def path(t, at, still):
        return f(_moved(at[0], t, at[1]))

    at = x, directions
    still = map_leaves(lambda v: None if v is None or np.asarray(v).dtype.kind in "ib" else 0.0 * v, at)
    found, derivative = [jit(path)(0.0, at, still)], path
    for n in range(1, len(directions) + 1):
        derivative = _slope(derivative)
        found.append(map_leaves(lambda y, n=n: y / math.factorial(n), jit(derivative)(0.0, at, still)))
    return found[0], tuple(found[1:])


def _slope(g):
    return lambda t, at, still: jvp(g, (t, at, still), (1.0, still, still))[1]


def _moved(x, t, directions):
    if isinstance(x, tuple):
        return tuple(_moved(x[k], t, tuple(d[k] for d in directions)) for k in range(len(x)))
    moved = x
    power = t
    for d in directions:
        if d is not None:
            moved = moved + d * power
        power = power * t
    return moved


# Exact coefficients

t = sympy.symbols("t")

RATIONAL = {
    "cube": (lambda x: x**3, 0),
    "product": (lambda x: (x + 2.0) * (x - 1.0) * x, 3),
    "quotient": (lambda x: (x * x + 1.0) / (x - 2.0), 1),
    "power of a sum": (lambda x: (x + 1.0) ** 7, 0),
    "reciprocal power": (lambda x: (x + 1.0) ** -3, 0),
    "fraction": (lambda x: 1.0 / (1.0 - x), 0),
    "nested": (lambda x: 1.0 / (2.0 - 1.0 / (1.0 + x * x)), 1),
    "in a loop": (lambda x: sum((x - k) ** 2 for k in range(4)), 2),
}
PATH = (1, sympy.Rational(1, 2), -2, 0, sympy.Rational(3, 4), 0, 1, 0, 0, -1)


@pytest.mark.parametrize("name", RATIONAL)
@pytest.mark.parametrize("path", [PATH[:1] + (0,) * 9, PATH], ids=["line", "curve"])
def test_rational_functions(name, path):
    f, at = RATIONAL[name]
    inner = at + sum(c * t**n for n, c in enumerate(path, 1))
    exact = f(sympy.nsimplify(inner, rational=True))
    expected = sympy.series(sympy.nsimplify(exact, rational=True), t, 0, 11).removeO()
    expected = [float(expected.coeff(t, n)) for n in range(11)]
    value, found = jet(f, float(at), tuple(map(float, path)))
    np.testing.assert_allclose([value, *found], expected, rtol=1e-13, atol=1e-13)


def test_polynomials_are_exact():
    assert jet(lambda x: x**3, 0.0, (1.0, 0.0, 0.0)) == (0.0, (0.0, 0.0, 1.0))
    assert jet(lambda x: x**3, 0.0, (1.0, None, None)) == (0.0, (0.0, 0.0, 1.0))
    assert jet(lambda x: x**3, 2.0, (1.0, 0.0, 0.0, 0.0)) == (8.0, (12.0, 6.0, 1.0, 0.0))
    assert jet(lambda x: (x - 1.0) * x * x, 2.0, (1.0, 2.0, 0.0)) == (4.0, (8.0, 21.0, 21.0))
    assert jet(lambda x: 1.0 / (1.0 - x), 0.0, (1.0,) + (0.0,) * 9) == (1.0, (1.0,) * 10)
    assert jet(lambda x: x**10, 0.0, (1.0,) + (None,) * 10)[1] == (*(0.0,) * 9, 1.0, 0.0)


@pytest.mark.parametrize("order", [1, 2, 5, 20])
def test_derivatives_of_sine(order):
    x = 0.7
    found = jet(math.sin, x, (1.0,) + (None,) * (order - 1), scaling="derivatives")[1]
    expected = [float(sympy.sin(sympy.Float(x, 40) + n * sympy.pi / 2)) for n in range(1, order + 1)]
    np.testing.assert_allclose(found, expected, rtol=2e-15)


def test_derivatives_of_sine_by_nested_gradients():
    g, x = math.sin, 0.7
    found = jet(math.sin, x, (1.0,) + (None,) * 5, scaling="derivatives")[1]
    for n in range(6):
        g = grad(g)
        assert found[n] == pytest.approx(g(x), rel=1e-15)


# Functions


plain = [e for e in EXAMPLES if e.second_order and all(isinstance(a, int | float | np.ndarray) for a in e.arguments)]


@pytest.mark.parametrize("example", plain, ids=[e.name for e in plain])
def test_functions_against_nested_forward_mode(example: Example):
    x, wrt = example.arguments, active(example)
    first = tuple(direction(example, k) if k in wrt else None for k in range(len(x)))
    second = tuple(None if d is None else 0.1 * d * d for d in first)

    def f(p):
        return example.function(*p)

    close(flat(jet(f, x, (first, second))), flat(along(f, x, first, second)), 1e-8)
    verify(adcore.program(jet(f), x, (first, second)))


def flat(pair):
    return (pair[0], *pair[1])


@settings(QUICK, max_examples=25)
@given(functions(), POINTS, st.integers(0, 2**32 - 1))
def test_random_functions(source, point, seed):
    f = compiled_from(source)
    *x, n = point
    rng = np.random.default_rng(seed)
    first, second = ((float(rng.normal()), float(rng.normal()), rng.normal(size=4)) for _ in range(2))

    def g(p):
        return f(p[0], p[1], p[2], n)

    value, found = jet(g, tuple(x), (first, second))
    close((value, *found), flat(along(g, tuple(x), first, second)), 1e-8)


X = np.array([0.5, -0.25, 0.75, 2.0])
V = np.array([1.0, 0.5, -1.0, 0.25])
W = np.array([0.25, -0.5, 0.5, 1.0])
A = np.random.default_rng(1).normal(size=(4, 4))
Z = np.array([0.5 + 1.0j, -0.25 + 0.5j, 0.75 - 0.25j, 2.0 + 0.125j])


def in_loops(x):
    y = x.copy()
    for n in range(3):
        for k in range(1, len(x)):
            y[k] += math.sin(y[k - 1]) * x[k] / (n + 1)
    return y


def in_while(x):
    y, steps = x.copy(), 0
    while y @ y < 50.0:
        y = 1.5 * y + np.sin(y) * x
        steps += 1
    return y / (steps + 1)


def in_branches(x):
    y = np.zeros(len(x))
    for k in range(len(x)):
        if x[k] > 0.6:
            y[k] = math.exp(x[k])
        elif x[k] > 0.0:
            y[k] = 3.0
        else:
            y[k] = x[k] * x[k - 1]
    return y


def growing(x):
    total = 0.0
    for k in range(1, len(x)):
        total += np.sum(np.cumprod(x[:k]) * x[k])
    return total


def helper(x, n):
    return x if n == 0 else np.tanh(helper(x, n - 1)) + x


@adcore.checkpoint
def checkpointed(x):
    for _ in range(3):
        x = np.sin(x) * x
    return x


CONSTRUCTS = {
    "elementwise": lambda x: np.sin(x) * np.exp(x[::-1]) / (1.0 + x * x),
    "loops": in_loops,
    "while": in_while,
    "branches": in_branches,
    "growing": growing,
    "helper": lambda x: helper(x, 3),
    "checkpoint": checkpointed,
    "matrix products": lambda x: np.outer(x, x) @ (A @ x),
    "powers of a matrix": lambda x: np.linalg.matrix_power(A * x, 3),
    "solve": lambda x: np.linalg.solve(A + np.outer(x, x), np.sin(x)),
    "inverse": lambda x: np.linalg.inv(A * np.exp(x)),
    "determinant": lambda x: np.linalg.det(A + np.diag(x * x)),
    "cholesky": lambda x: np.linalg.cholesky(A @ A.T + np.diag(np.exp(x))),
    "qr": lambda x: np.linalg.qr(A + np.outer(x, np.sin(x)))[1],
    "least squares": lambda x: np.linalg.lstsq(A[:, :2] * x[:, None], x * x)[0],
    "symmetric spectrum": lambda x: np.linalg.eigh(A + A.T + np.outer(x, x))[0],
    "singular values": lambda x: np.linalg.svd(A * np.cosh(x))[1],
    "fourier": lambda x: np.abs(np.fft.fft(x)) ** 2,
    "places": lambda x: x[np.array([3, 0, 3])] ** 2 * x[1],
    "written places": lambda x: scattered(x),
    "sorted": lambda x: np.sort(x * x),
    "extrema": lambda x: np.array([np.max(x * x), np.min(np.sin(x)), np.mean(x)]),
    "masks": lambda x: np.where(x > 0.0, np.log(np.where(x > 0.0, x, 1.0)), x**2),
    "stacked": lambda x: np.concatenate([x[1:] ** 2, np.zeros(2), x * x]),
    "trees": lambda x: {"a": (x[0] * x[1], [x * x]), "b": x.sum() ** 3},
    "complex": lambda x: np.exp(x * 1j).real * np.abs(x + 1j),
    "statistics": lambda x: np.std(x) * np.var(x),
    "gamma": lambda x: scipy.special.gammaln(2.0 + x * x),
    "power with exponent": lambda x: (x * x + 1.0) ** np.sin(x),
    "roots": lambda x: np.sqrt(x * x + 1.0) ** 1.5 + np.cbrt(x + 4.0),
}


def scattered(x):
    y = np.zeros(5)
    np.add.at(y, np.array([0, 2, 2, 4]), x * x)
    y[np.array([1, 3])] = np.sin(x[:2])
    return y * y


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_constructs(name):
    f = CONSTRUCTS[name]
    found = jet(f, X, (V, W, None))
    close(flat(found), flat(along(f, X, V, W, 0.0 * X)), 1e-8)
    verify(adcore.program(jet(f), X, (V, W, None)))
    numpy_backend(f)


def numpy_backend(f):
    """Both backends agree on the program."""
    program = adcore.program(jet(f), X, (V, W, None))
    captured = tuple(A for _ in program.params[3:])
    close(interpret(program, (X, V, W, *captured)), leaves(flat(jet(f, X, (V, W, None)))), 1e-10)


@pytest.mark.parametrize("name", ["loops", "while", "branches", "solve", "trees", "powers of a matrix"])
def test_first_order_is_forward_mode(name):
    f = CONSTRUCTS[name]
    value, (tangent,) = jet(f, X, (V,))
    close((value, tangent), jvp(f, (X,), (V,)), 1e-13)


def test_composition():
    """The coefficients of g(f(x(t))) are those of g along f(x(t))."""
    f, g = CONSTRUCTS["loops"], CONSTRUCTS["solve"]
    y, ys = jet(f, X, (V, W, None, V, None, W))
    close(flat(jet(lambda x: g(f(x)), X, (V, W, None, V, None, W))), flat(jet(g, y, ys)), 1e-11)


def test_of_many_orders_by_differences():
    """In complex arithmetic: the coefficients are Fourier coefficients on a circle."""

    def f(x):
        y = x
        for _ in range(3):
            y = np.sin(y) / (2.0 + np.exp(y)) + x * x
        return y

    order, points, radius = 12, 64, 0.25
    circle = radius * np.exp(2j * np.pi * np.arange(points) / points)
    expected = np.fft.fft([f(0.3 + z) for z in circle]) / points / radius ** np.arange(points)
    value, found = jet(f, 0.3, (1.0,) + (None,) * (order - 1))
    np.testing.assert_allclose([value, *found], expected[: order + 1].real, rtol=1e-9)
    for_complex = jet(f, 0.3 + 0.1j, (1.0 + 0.0j,) + (None,) * (order - 1))
    expected = np.fft.fft([f(0.3 + 0.1j + z) for z in circle]) / points / radius ** np.arange(points)
    np.testing.assert_allclose([for_complex[0], *for_complex[1]], expected[: order + 1], rtol=1e-8)


# Nesting

NESTED = {
    "gradient": lambda f: grad(lambda x: np.sum(f(x) ** 2)),
    "forward": lambda f: lambda x: jvp(f, (x,), (V,))[1],
    "jacobian": jacfwd,
    "reverse jacobian": adcore.jacrev,
    "hessian": lambda f: hessian(lambda x: np.sum(f(x) ** 2)),
    "jit": jit,
    "jet": lambda f: lambda x: jet(f, x, (V, W))[1],
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("of", ["elementwise", "loops", "branches", "while", "matrix products"])
def test_of_other_transforms(name, of):
    f = NESTED[name](CONSTRUCTS[of])
    close(flat(jet(f, X, (V, W))), flat(along(f, X, V, W)), 1e-8)


@pytest.mark.parametrize("of", ["elementwise", "loops", "branches", "while", "matrix products"])
def test_inside_of_other_transforms(of):
    f = CONSTRUCTS[of]

    def second(x):
        return np.sum(jet(f, x, (V, x * x, None))[1][1])

    def again(x):
        return np.sum(along_twice(f, x, V, x * x))

    close(second(X), again(X), 1e-10)
    close(grad(second)(X), grad(again)(X), 1e-9)
    close(jacfwd(grad(second))(X), jacfwd(grad(again))(X), 1e-8)
    close(jit(second)(X), second(X))
    close(jvp(second, (X,), (W,)), jvp(again, (X,), (W,)), 1e-9)
    value, pullback = vjp(jet(f), X, (V, W))
    close(flat(value), flat(jet(f, X, (V, W))))
    given = map_leaves(np.ones_like, value)
    dx, (dv, dw) = pullback(given)
    eps = 1e-6
    for k, (change, cotangent) in enumerate(zip((W, V, X), (dx, dv, dw), strict=True)):
        at = [[X, V, W], [X, V, W]]
        at[0][k], at[1][k] = at[0][k] + eps * change, at[1][k] - eps * change
        above, below = (sum(np.sum(y) for y in leaves(flat(jet(f, p[0], (p[1], p[2]))))) for p in at)
        assert np.sum(cotangent * change) == pytest.approx((above - below) / (2 * eps), rel=1e-6, abs=1e-6)


def along_twice(f, x, v, w):
    """The second coefficient: f'(x) w + f''(x) v v / 2."""
    first = jvp(f, (x,), (w,))[1]
    return first + 0.5 * jvp(lambda y: jvp(f, (y,), (v,))[1], (x,), (v,))[1]


def test_in_a_compiled_function_that_closes_over_values():
    @jit
    def f(x, s):
        def inner(p):
            return np.sin(s * p["a"]) * p["b"]

        value, (first, second) = jet(inner, {"a": x, "b": 2.0}, ({"a": 1.0, "b": 0.0}, None), scaling="derivatives")
        return value, first, second

    close(f(0.3, 2.0), (2.0 * math.sin(0.6), 4.0 * math.cos(0.6), -8.0 * math.sin(0.6)))
    g = jit(lambda x: jet(lambda y: math.exp(y), x, [1.0, 0.0])[1])
    close(g(1.0), (math.e, math.e / 2.0))


# Structures


def test_trees_and_dtypes():
    def f(p):
        return {"s": p["x"] * p["n"], "y": (np.sum(p["x"] ** 2), p["n"], None)}

    x = {"x": np.array([1.0, 2.0], np.float32), "n": 3}
    v = {"x": np.array([1.0, 0.5], np.float32), "n": None}
    value, (first, second) = jet(f, x, (v, v))
    assert value["y"][1] == 3
    assert first["y"][1] is None
    assert first["y"][2] is None
    assert first["s"].dtype == np.float32
    close(first["s"], np.array([3.0, 1.5], np.float32))
    close(second["y"][0], np.float32(2.0 * 2.0 + 1.25))
    assert type(jet(math.sin, 1.0, (1.0,))[1][0]) is float
    assert jet(lambda x: 2.0 * x, 1.0, ()) == (2.0, ())


def test_scalings():
    x, series = 0.4, (1.0, 0.5, -0.25)
    value, found = jet(np.exp, x, series)
    scaled = tuple(c * math.factorial(n) for n, c in enumerate(series, 1))
    again, derivatives = jet(np.exp, x, scaled, scaling="derivatives")
    assert value == again
    close(derivatives, tuple(c * math.factorial(n) for n, c in enumerate(found, 1)))


def test_as_in_jax(jax):
    from jax.experimental import jet as theirs

    def f(x, xp):
        return xp.tanh(x) * xp.exp(x) / (1.0 + x * x)

    expected = theirs.jet(lambda x: f(x, jax.numpy), (0.4,), ((1.0, 0.5, -0.25, 2.0),))
    found = jet(lambda x: f(x, np), 0.4, (1.0, 0.5, -0.25, 2.0), scaling="derivatives")
    close(flat(found), tuple(float(c) for c in flat(expected)), 1e-12)


def test_arguments_are_not_written_into():
    def f(x):
        x[0] = x[1] * x[1]
        return x.sum()

    x = np.array([1.0, 2.0])
    close(flat(jet(f, x, (np.ones(2), None))), (6.0, 5.0, 1.0))
    close(x, np.array([1.0, 2.0]))


# Edges


@pytest.mark.parametrize("exponent", [1, 2, 3, 5, 17])
@pytest.mark.parametrize("compute", [lambda x, n: x**n, lambda x, n: x ** float(n), lambda x, n: np.power(x, n)])
def test_powers_at_zero(exponent, compute):
    value, found = jet(lambda x: compute(x, exponent), 0.0, (1.0,) + (None,) * 19)
    assert [value, *found] == [float(n == exponent) for n in range(21)]


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, 0.5, -0.5, 2.5, -3.0, 1.0 / 3.0])
def test_powers_with_exponents_of_run_time(exponent):
    expected = [float(sympy.binomial(sympy.Float(exponent, 30), n)) * 1.3 ** (exponent - n) for n in range(7)]
    value, found = jet(lambda p: p[0] ** p[1], (1.3, exponent), ((1.0, 0.0),) + (None,) * 5)
    np.testing.assert_allclose([value, *found], expected, rtol=1e-13, atol=1e-15)
    if exponent >= 0.0 and exponent == int(exponent):
        g = jit(lambda x, n: jet(lambda y: y**n, x, (1.0, None, None, None)))
        assert flat(g(0.0, exponent)) == tuple(float(n == exponent) for n in range(5))


def test_masked_singularities_stay_out():
    def f(x):
        return np.where(x > 0.0, np.sqrt(x), 0.0) + np.where(x > 0.0, np.log(x) * x**2.5, x)

    x = np.array([0.0, 4.0])
    value, found = jet(f, x, (np.ones(2), None, None))
    assert np.all(np.isfinite(value))
    assert [c[0] for c in found] == [1.0, 0.0, 0.0]
    close(tuple(c[1] for c in found), tuple(c for c in jet(f, 4.0, (1.0, None, None))[1]))


def test_at_singularities_there_are_no_coefficients():
    value, (first, second) = jet(np.sqrt, np.float64(0.0), (np.float64(1.0), None))
    assert value == 0.0
    assert first == math.inf
    assert not math.isfinite(second)
    assert jet(abs, 0.0, (1.0, 0.0)) == (0.0, (0.0, 0.0))
    assert jet(abs, -2.0, (1.0, 3.0)) == (2.0, (-1.0, -3.0))


# What is refused


def test_refusals_in_compiled_functions():
    with pytest.raises(adcore.UnsupportedFunctionError, match="jet takes the coefficients as a tuple") as refused:
        jit(lambda x: jet(lambda y: y * y, x, 3.0))(1.0)
    assert "jet(lambda y: y * y, x, 3.0)" in str(refused.value)
    with pytest.raises(adcore.UnsupportedFunctionError, match="another structure than the primal"):
        jit(lambda x: jet(lambda y: y * y, x, ((x, x),)))(1.0)


def test_refusals():
    with pytest.raises(TypeError, match=r"jet: coefficient 2 of .* has another structure than the primal"):
        jet(lambda p: p[0] * p[1], (1.0, 2.0), ((1.0, 0.0), (1.0,)))
    with pytest.raises(TypeError, match=r"coefficient 1 of .* has another shape than the primal"):
        jet(np.sin, np.ones(2), (1.0,))
    with pytest.raises(ValueError, match="shape"):
        jet(lambda x: np.sin(x), np.ones(2), (np.ones(3),))
    with pytest.raises(DtypeError, match=r"coefficient 1 of .* is int64"):
        jet(lambda x: x * x, 1.0, (1,))
    with pytest.raises(DtypeError, match="float32"):
        jet(lambda x: x * x, np.ones(2, np.float32), (np.ones(2),))
    with pytest.raises(ValueError, match="neither 'taylor' nor 'derivatives'"):
        jet(np.sin, 1.0, (1.0,), scaling="none")
    with pytest.raises(TypeError, match="jet takes a point and a series"):
        jet(np.sin, 1.0)


def test_routines_end():
    def f(x):
        return scipy.special.zeta(x, 2.0)

    close(jet(f, 3.0, (1.0, None))[1], along(f, 3.0, 1.0, 0.0)[1], 1e-9)
    with pytest.raises(MissingRuleError, match="more than 3 derivatives of the routine 'zeta'") as refused:
        jet(f, 3.0, (1.0,) + (None,) * 5)
    assert "scipy.special.zeta(x, 2.0)" in str(refused.value)

"""Implicit differentiation: solvers with a condition, problems with a solver, linear systems; every order and mode."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import pytest
import sympy
from scipy.optimize import brentq

import adcore
from adcore import (
    ConvergenceWarning,
    DtypeError,
    RuleError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
    check_grads,
    custom_fixed_point,
    custom_root,
    fixed_point,
    grad,
    hessian,
    host_call,
    jacfwd,
    jacrev,
    jet,
    jit,
    jvp,
    least_squares,
    linear_solve,
    linearize,
    minimize,
    root,
    root_jvp,
    root_vjp,
    vjp,
    vmap,
)
from adcore.implicit import auto, bicgstab, cg, gmres, lsmr, lstsq, lu, neumann, normal_cg, report
from adcore.implicit.problems import kept, problem_of

RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 4)) + 4.0 * np.eye(4)
S = A @ A.T + np.eye(4)
B = RNG.normal(size=4)
W = RNG.normal(size=4)
SOLVERS = ("auto", "lu", "lstsq", "sparse", "gmres", "bicgstab", "normal_cg", "lsmr")


def cubic(x, a, b):
    return a @ x + 0.1 * x**3 - b


def newton_steps(x, a, b):
    for _ in range(30):
        x = x - np.linalg.solve(a + np.diag(0.3 * x**2), cubic(x, a, b))
    return x


# Conditions of solvers


@pytest.mark.parametrize("solve", [*SOLVERS, "cg"])
def test_solvers_of_linear_systems(solve):
    """All derivatives are those of the iteration, which are right since it ends where it does not move."""
    solver = custom_root(cubic, solve=solve)(newton_steps)
    a = S if solve == "cg" else A

    def number(solver):
        return lambda a, b: W @ solver(np.zeros(4), a, b)

    inside, outside = number(solver), number(newton_steps)
    for one, other in zip(grad(inside, argnums=(0, 1))(a, B), grad(outside, argnums=(0, 1))(a, B), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
    of_b, known = lambda b: solver(np.zeros(4), a, b), lambda b: newton_steps(np.zeros(4), a, b)
    expected = jacfwd(known)(B)
    np.testing.assert_allclose(jvp(of_b, (B,), (W,))[1], expected @ W, rtol=1e-10)
    np.testing.assert_allclose(vjp(of_b, B)[1](W)[0], W @ expected, rtol=1e-10)
    np.testing.assert_allclose(linearize(of_b, B)[1](W), expected @ W, rtol=1e-10)
    np.testing.assert_allclose(jacfwd(of_b)(B), expected, rtol=1e-10)
    np.testing.assert_allclose(jacrev(of_b)(B), expected, rtol=1e-10)
    expected = hessian(lambda b: W @ known(b))(B)
    for second in (hessian, lambda f: jacrev(jacfwd(f)), lambda f: jacfwd(jacfwd(f)), lambda f: jacrev(jacrev(f))):
        np.testing.assert_allclose(second(lambda b: W @ of_b(b))(B), expected, rtol=1e-8, atol=1e-12)


def test_what_a_solver_begins_with_does_not_count():
    solver = custom_root(cubic)(newton_steps)
    np.testing.assert_array_equal(jacfwd(lambda x: solver(x, A, B))(np.ones(4)), np.zeros((4, 4)))


def test_second_derivatives_are_sympys():
    x, a, b = sympy.symbols("x a b")
    condition = sympy.sin(x) * a + x**3 - b * a
    f = {s: sympy.diff(condition, s) for s in (x, a, b)}
    slope = {s: -f[s] / f[x] for s in (a, b)}

    def total(expression, s):
        return sympy.diff(expression, s) + sympy.diff(expression, x) * slope[s]

    def of(x, a, b):
        return math.sin(x) * a + x**3 - b * a

    def solution(a, b):
        return root(of, 1.0, a, b)

    point = (1.3, 0.7)
    at = {a: point[0], b: point[1], x: brentq(lambda x: of(x, *point), 0.0, 2.0, xtol=1e-15)}
    first = grad(solution, argnums=(0, 1))(*point)
    second = hessian(solution, argnums=(0, 1))(*point)
    third = grad(lambda a: grad(grad(solution))(a, point[1]))(point[0])
    for k, s in enumerate((a, b)):
        assert math.isclose(first[k], float(slope[s].subs(at)), rel_tol=1e-13)
        for j, t in enumerate((a, b)):
            assert math.isclose(second[k][j], float(total(slope[s], t).subs(at)), rel_tol=1e-12)
    assert math.isclose(third, float(total(total(slope[a], a), a).subs(at)), rel_tol=1e-11)
    series = jet(lambda a: solution(a, point[1]), point[0], (1.0, 0.0, 0.0))[1]
    expected = (first[0], second[0][0] / 2.0, third / 6.0)
    np.testing.assert_allclose(series, expected, rtol=1e-11)


def test_fixed_points():
    def step(x, a):
        u, (v, s) = x
        return np.cos(a * v), (0.5 * np.sin(u) * np.tanh(s), 0.3 * a * s + np.sum(u))

    @custom_fixed_point(step)
    def solver(x, a):
        for _ in range(300):
            x = step(x, a)
        return x

    def number(solver):
        def f(a):
            u, (v, s) = solver((np.ones(3), (np.ones(3), 1.0)), a)
            return np.sum(u**2) + s + v[0]

        return f

    def unrolled(x, a):
        for _ in range(300):
            x = step(x, a)
        return x

    inside, outside = number(solver), number(unrolled)
    assert math.isclose(grad(inside)(0.7), grad(outside)(0.7), rel_tol=1e-12)
    assert math.isclose(grad(grad(inside))(0.7), grad(grad(outside))(0.7), rel_tol=1e-11)


def test_aux_and_closed_over_values():
    def f(a, b):
        c = a * b

        def condition(x, q):
            return x**3 + c * x - q

        @custom_root(condition, has_aux=True)
        def solver(x, q):
            steps = 0
            while abs(condition(x, q)) > 1e-14 and steps < 100:
                x = x - condition(x, q) / (3.0 * x * x + c)
                steps += 1
            return x, (steps, q * b)

        x, (steps, beside) = solver(1.0, a)
        return x * b + 0.0 * steps + 0.0 * beside

    def plain(a, b):
        x = 1.0
        for _ in range(60):
            x = x - (x**3 + a * b * x - a) / (3.0 * x * x + a * b)
        return x * b

    found, expected = (grad(g, argnums=(0, 1))(2.0, 1.5) for g in (f, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    found, expected = (np.array(hessian(g, argnums=(0, 1))(2.0, 1.5)) for g in (f, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("solve", ["auto", "gmres"])
def test_solutions_of_computed_lengths(solve):
    """Lengths that follow from different arguments, and are computed."""

    def condition(s, q, c, h):
        x, lam = s
        return q @ x - c + lam, lam - 0.5 * h * x

    @custom_root(condition, solve=solve)
    def solver(init, q, c, h):
        x = np.linalg.solve(q + 0.5 * np.diag(h), c)[: len(c)]
        return x, 0.5 * h * x

    def plain(q, c, h):
        x = np.linalg.solve(q + 0.5 * np.diag(h), c)
        return x, 0.5 * h * x

    given = (A, B, np.arange(4.0) + 1.0)
    for derivative in (jacrev, jacfwd):
        found = derivative(lambda q, c, h: solver(None, q, c, h), argnums=(0, 1, 2))(*given)
        expected = derivative(plain, argnums=(0, 1, 2))(*given)
        for ours, theirs in zip(found, expected, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_solvers_that_are_not_compiled():
    def by_scipy(a):
        return brentq(lambda x: x**3 + x - a, -10.0, 10.0, xtol=1e-15)

    @custom_root(lambda x, a: x**3 + x - a)
    def solver(init, a):
        return host_call(by_scipy, 0.0, a)

    assert math.isclose(grad(solver, argnums=1)(0.0, 10.0), 1.0 / 13.0, rel_tol=1e-12)
    assert math.isclose(grad(grad(solver, argnums=1), argnums=1)(0.0, 10.0), -12.0 / 13.0**3, rel_tol=1e-11)


def test_neumann_series_are_unrolled_steps():
    """K terms at the minimum are what K steps of gradient descent from it give (Lorraine, Vicol and Duvenaud 2020)."""
    step, terms = 0.01, 20

    def loss(w, penalty):
        return 0.5 * w @ S @ w - B @ w + 0.5 * penalty * (w @ w)

    def slope(w, penalty):
        return S @ w - B + penalty * w

    best = np.linalg.solve(S + 0.3 * np.eye(4), B)

    @custom_root(slope, solve=functools.partial(neumann, terms=terms, step=step))
    def solver(w, penalty):
        return w

    def descent(penalty):
        w = best.copy()
        for _ in range(terms + 1):
            w = w - step * grad(loss)(w, penalty)
        return w

    found, expected = jacfwd(lambda p: solver(best, p))(0.3), jacfwd(descent)(0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_a_solver_of_the_users():
    def jacobi(matvec, b):
        diagonal = np.diagonal(jacfwd(matvec)(np.zeros(len(b))))
        x = np.zeros(len(b))
        for _ in range(200):
            x = x + (b - matvec(x)) / diagonal
        return x

    dominant = np.diag(np.arange(4.0) + 3.0) + 0.3 * A / 4.0
    solver = custom_root(lambda x, b: dominant @ x - b, solve=jacobi)(lambda x, b: np.linalg.solve(dominant, b))
    np.testing.assert_allclose(jacrev(lambda b: solver(b, b))(B), np.linalg.inv(dominant), rtol=1e-10, atol=1e-12)

    wrong = custom_root(lambda x, b: A @ x - b, solve=lambda matvec, b: 1.0)(lambda x, b: np.linalg.solve(A, b))
    with pytest.raises(RuleError, match="does not return a vector like b"):
        jacrev(lambda b: wrong(b, b))(B)


# Problems

ROOTS = {
    "newton": (lambda x, a: a * x**3 + x - 2.0, 1.0, 1.4),
    "broyden": (lambda x, a: np.array([x[0] ** 2 + a * x[1] - 3.0, x[1] ** 2 - x[0]]), np.ones(2), 1.2),
    "brent": (lambda x, a: math.exp(x) - a - x, (0.5, 4.0), 3.0),
}


@pytest.mark.parametrize("method", ROOTS)
def test_roots(method):
    f, start, a = ROOTS[method]

    def solution(a):
        return root(f, start, a, method=method)

    np.testing.assert_allclose(f(solution(a), a), 0.0, atol=1e-13)
    check_grads(solution, (a,), order=2, modes=("fwd", "rev"))
    inside = jit(
        lambda a: (root(f, start, a, method=method), jacfwd(lambda q: root(lambda x: f(x, q), start, method=method))(a))
    )
    value, slope = inside(a)
    np.testing.assert_allclose(value, solution(a), rtol=1e-14)
    np.testing.assert_allclose(slope, jacfwd(solution)(a), rtol=1e-12)


@pytest.mark.parametrize("method", ["anderson", "iteration"])
def test_fixed_point_methods(method):
    def solution(a):
        return fixed_point(lambda x: np.cos(a * x), np.ones(3), method=method)

    x = solution(0.6)
    np.testing.assert_allclose(x, np.cos(0.6 * x), rtol=1e-13)
    check_grads(solution, (0.6,), order=2)


def rosenbrock(x, a):
    return np.sum(a * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - a * x[:-1]) ** 2)


@pytest.mark.parametrize("method", ["newton", "lbfgs", "gradient_descent", "coordinate_descent"])
def test_minima(method):
    def loss(w, penalty):
        return np.sum(np.log(1.0 + np.exp(-A @ w))) + penalty * (w @ w)

    def solution(penalty):
        return minimize(loss, np.zeros(4), penalty, method=method, solve="cg")

    w = solution(0.4)
    np.testing.assert_allclose(grad(loss)(w, 0.4), 0.0, atol=1e-8)
    exact = -np.linalg.solve(hessian(loss)(w, 0.4), 2.0 * w)
    np.testing.assert_allclose(jacfwd(solution)(0.4), exact, rtol=1e-6)
    np.testing.assert_allclose(jacrev(solution)(0.4), exact, rtol=1e-6)


@pytest.mark.parametrize("method", ["newton", "lbfgs", "coordinate_descent"])
def test_minima_along_a_valley(method):
    x = minimize(rosenbrock, np.zeros(6), 1.0, method=method)
    np.testing.assert_allclose(x, np.ones(6), rtol=1e-6)
    found = jacfwd(lambda a: minimize(rosenbrock, np.zeros(6), a, method=method))(1.1)
    x = minimize(rosenbrock, np.zeros(6), 1.1)
    exact = -np.linalg.solve(hessian(rosenbrock)(x, 1.1), jacfwd(grad(rosenbrock), argnums=1)(x, 1.1))
    np.testing.assert_allclose(found, exact, rtol=1e-5)


def test_least_squares():
    t = np.linspace(0.0, 3.0, 20)
    data = 2.0 * np.exp(-0.5 * t) + 0.3 + 0.01 * np.sin(17.0 * t)

    def fit(data):
        return least_squares(lambda p: p[0] * np.exp(p[1] * t) + p[2] - data, np.array([1.0, 0.0, 0.0]))

    np.testing.assert_allclose(fit(data), [2.0, -0.5, 0.3], atol=0.02)
    np.testing.assert_allclose(jacfwd(fit)(data), jacrev(fit)(data), rtol=1e-10, atol=1e-12)
    check_grads(fit, (data,), order=1)


@pytest.mark.parametrize("solve", [*SOLVERS, "cg"])
def test_linear_systems(solve):
    def product(u, k):
        f = (2.0 + k) * u
        f[1:] -= u[:-1]
        f[:-1] -= u[1:]
        return f

    def solved(k, b):
        return np.sum(linear_solve(lambda u: product(u, k), b, solve=solve) ** 2)

    def dense(k, b):
        return np.sum(np.linalg.solve(jacfwd(lambda u: product(u, k))(np.zeros(len(b))), b) ** 2)

    b = RNG.normal(size=12)
    for derivative in (
        lambda f: f,
        lambda f: grad(f, argnums=1),
        grad,
        lambda f: grad(grad(f)),
        lambda f: jacfwd(grad(f, argnums=1)),
    ):
        np.testing.assert_allclose(derivative(solved)(0.3, b), derivative(dense)(0.3, b), rtol=1e-8)


def test_linear_systems_of_many_unknowns():
    """More than `auto` makes a matrix for."""

    def product(u, k):
        return (3.0 + k) * u - 0.5 * np.roll(u, 1) - np.roll(u, -1)

    b = RNG.normal(size=400)
    found = linear_solve(lambda u: product(u, 0.1), b)
    np.testing.assert_allclose(product(found, 0.1), b, rtol=1e-9, atol=1e-9)
    slope = grad(lambda k: np.sum(linear_solve(lambda u: product(u, k), b) ** 2))(0.1)
    tangent = -linear_solve(lambda u: product(u, 0.1), found)
    assert math.isclose(slope, 2.0 * found @ tangent, rel_tol=1e-8)


def test_trees():
    def f(x, a):
        return {"u": x["u"] ** 2 - a + 0.1 * x["v"][0], "v": (x["v"][0] - np.sum(x["u"]), x["v"][1] + x["v"][0])}

    x = root(f, {"u": np.ones(2), "v": (1.0, 0.0)}, np.array([2.0, 3.0]))
    np.testing.assert_allclose(f(x, np.array([2.0, 3.0]))["u"], 0.0, atol=1e-14)
    check_grads(lambda a: root(f, {"u": np.ones(2), "v": (1.0, 0.0)}, a), (np.array([2.0, 3.0]),), order=2)


START = {"v": 1.0, "inner": (np.ones(2), {"w": 0.5})}


@dataclasses.dataclass
class Point:
    x: float
    y: np.ndarray


POINT = Point(1.0, np.ones(2))


def square_roots(x, a):
    u, rest = x["inner"]
    return {"inner": (u**2 - a, {"w": rest["w"] ** 2 - 3.0 * a}), "v": x["v"] ** 2 - 2.0 * a}


def test_trees_from_outside(monkeypatch):
    """Dicts and dataclasses that a compiled function has not made: their items are read at every call."""

    def number(a):
        x = root(square_roots, START, a)
        point = minimize(lambda p: (p.x - a) ** 2 + np.sum((p.y - a * p.x) ** 2), POINT)
        return x["v"] + 10.0 * x["inner"][0][1] + 100.0 * x["inner"][1]["w"] + 1000.0 * point.y[1]

    def known(a):
        return math.sqrt(2.0 * a) + 10.0 * math.sqrt(a) + 100.0 * math.sqrt(3.0 * a) + 1000.0 * a * a

    compiled = jit(number)
    assert math.isclose(compiled(2.0), known(2.0), rel_tol=1e-9)
    assert math.isclose(grad(number)(2.0), grad(known)(2.0), rel_tol=1e-7)
    monkeypatch.setitem(START, "v", -1.0)
    assert math.isclose(compiled(2.0), known(2.0) - 2.0 * math.sqrt(4.0), rel_tol=1e-9)
    monkeypatch.setitem(START, "further", 1.0)
    with pytest.raises(RuntimeError, match="has 3 keys, and had 2 when the function that reads it was compiled"):
        compiled(2.0)
    monkeypatch.undo()
    monkeypatch.setitem(START, "v", [1.0])
    with pytest.raises(UnsupportedSyntaxError, match="a list"):
        jit(lambda a: root(square_roots, START, a)["v"])(2.0)


@pytest.mark.parametrize("method", ["anderson", "iteration"])
def test_keys_in_another_order(method):
    """What a map gives is matched to the unknowns by the keys of dicts, not by their order."""

    def solution(a):
        start = {"u": np.zeros(2), "v": 0.0}
        return fixed_point(lambda x: {"v": 0.5 * x["v"] + a, "u": 0.5 * x["u"] + x["v"]}, start, method=method)

    for found in (solution(3.0), jit(solution)(3.0)):
        assert math.isclose(found["v"], 6.0, rel_tol=1e-10)
        np.testing.assert_allclose(found["u"], 12.0, rtol=1e-10)
    assert math.isclose(grad(lambda a: np.sum(solution(a)["u"]))(3.0), 8.0, rel_tol=1e-9)

    def boxed(a):
        def clipped(x, t):
            return {"v": np.clip(x["v"], 0.0, 1.0), "u": x["u"]}

        def distance(x):
            return np.sum((x["u"] - a) ** 2) + (x["v"] - a) ** 2

        return minimize(distance, {"u": np.zeros(2), "v": 0.5}, prox=clipped)

    assert math.isclose(boxed(3.0)["v"], 1.0)
    np.testing.assert_allclose(boxed(3.0)["u"], 3.0, rtol=1e-9)
    b = {"u": np.array([1.0, 2.0]), "v": 4.0}
    for solve in ("lu", "gmres"):
        found = linear_solve(lambda x: {"v": 2.0 * x["v"], "u": 3.0 * x["u"] + x["v"]}, b, solve=solve)
        assert math.isclose(found["v"], 2.0)
        np.testing.assert_allclose(found["u"], (np.array([1.0, 2.0]) - 2.0) / 3.0, atol=1e-10)
    with pytest.raises(DtypeError, match="a dict with 'v' for a dict with 'u', 'v'"):
        fixed_point(lambda x: {"v": 0.5 * x["v"]}, {"u": np.zeros(2), "v": 0.0}, method=method)


def test_nested():
    """A root in a minimum, in a loop."""

    def inner(a, x):
        return root(lambda y: y**3 + y - a * x, 1.0)

    def best(a):
        return minimize(lambda x: (x - 2.0) ** 2 + 0.1 * inner(a, x) ** 2, 0.5)

    def total(a):
        found = 0.0
        for k in range(3):
            found += best(a + 0.1 * k) * (k + 1.0)
        return found

    check_grads(total, (1.5,), order=2)


def test_mapped():
    def solution(a, b):
        return root(lambda x: x**3 + b * x - a, 1.0)

    a, b = np.array([2.0, 3.0, 10.0]), np.array([1.0, 0.5, 2.0])
    found = vmap(grad(solution, argnums=(0, 1)))(a, b)
    expected = [grad(solution, argnums=(0, 1))(*each) for each in zip(a, b, strict=True)]
    np.testing.assert_allclose(np.stack(found, axis=1), expected, rtol=1e-13)
    large = vmap(lambda a: linear_solve(lambda u: a * u + 0.1 * np.roll(u, 1), np.ones(300), solve="gmres"))(a)
    assert large.shape == (3, 300)


def test_of_known_solutions():
    def f(x, a, b):
        return A @ x + a * x**3 - b

    x = root(f, np.zeros(4), 0.2, B)
    tangents = (0.5, W)
    slope = A + np.diag(0.6 * x**2)
    expected = -np.linalg.solve(slope, 0.5 * x**3 - W)
    np.testing.assert_allclose(root_jvp(f, x, (0.2, B), tangents), expected, rtol=1e-12)
    of_a, of_b = root_vjp(f, x, (0.2, B), W)
    np.testing.assert_allclose(of_b, np.linalg.solve(slope.T, W), rtol=1e-12)
    assert math.isclose(of_a, -np.linalg.solve(slope.T, W) @ x**3, rel_tol=1e-12)
    inside = jit(lambda x, b: (root_jvp(f, x, (0.2, b), tangents), root_vjp(f, x, (0.2, b), W, solve="gmres")[1]))
    np.testing.assert_allclose(inside(x, B)[0], expected, rtol=1e-12)
    np.testing.assert_allclose(inside(x, B)[1], of_b, rtol=1e-10)


# Linear solvers by themselves


@pytest.mark.parametrize("solver", [auto, lu, lstsq, gmres, bicgstab, normal_cg, lsmr, cg], ids=lambda f: f.__name__)
@pytest.mark.parametrize("compiled", [False, True])
def test_linear_solvers(solver, compiled):
    a = S if solver is cg else A
    solved = (jit if compiled else lambda f: f)(lambda b: solver(lambda x: a @ x, b))
    np.testing.assert_allclose(solved(B), np.linalg.solve(a, B), rtol=1e-9)
    assert np.all(solved(np.zeros(4)) == 0.0)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_preconditioners(solver):
    scale = np.logspace(0, 5, 60)
    a = np.diag(scale) + 0.1 * np.ones((60, 60))
    b = np.ones(60)
    found = solver(lambda x: a @ x, b, preconditioner=lambda r: r / scale)
    np.testing.assert_allclose(found, np.linalg.solve(a, b), rtol=1e-7)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres, lu])
def test_singular_systems(solver):
    singular = np.ones((3, 3))
    with pytest.raises(np.linalg.LinAlgError):
        solver(lambda x: singular @ x, np.array([1.0, 2.0, 4.0]))


def test_least_squares_answers_of_singular_systems():
    singular = np.diag([1.0, 2.0, 0.0])
    b = np.array([1.0, 1.0, 1.0])
    np.testing.assert_allclose(lstsq(lambda x: singular @ x, b), [1.0, 0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(normal_cg(lambda x: singular @ x, b), [1.0, 0.5, 0.0], atol=1e-12)


# Reports


def powers(x, a, n, b):
    return a * x**n - b


def test_reports_of_good_solutions():
    found = report(powers, np.array([2.0, 3.0]), 1.0, 2, np.array([4.0, 9.0]))
    assert (found.unknowns, found.rank, found.residual) == (2, 2, 0.0)
    assert math.isclose(found.condition, 1.5)
    assert not found.problems


def slopes(x):
    """The derivatives by a and by b at a solution."""
    solver = custom_root(powers)(lambda x, a, n, b: x)
    b = np.array([4.0, 9.0])
    by_a, by_b = jacfwd(lambda a: solver(x, a, 2, b))(1.0), jacfwd(lambda b: solver(x, 1.0, 2, b))(b)
    return np.hstack([by_a[:, None], by_b])


def test_reports_bound_the_error():
    """The derivative at a solution that has not been reached is as far off as the report says, or nearer."""
    exact = np.array([2.0, 3.0])
    for far in (1e-2, 1e-4):
        x = exact + far
        with pytest.warns(ConvergenceWarning, match="the solver has not converged: the solution is about"):
            found = report(powers, x, 1.0, 2, np.array([4.0, 9.0]))
        assert math.isclose(found.distance, np.sqrt(2.0) * far, rel_tol=0.05)
        there, here = (slopes(exact), slopes(x))
        error = np.linalg.norm(there - here, 2)
        assert 0.1 * found.bound < error < found.bound


def test_reports_of_singular_and_of_kinked_conditions():
    with pytest.warns(ConvergenceWarning, match="of rank 1 for 2 unknowns: only a least squares answer exists"):
        found = report(lambda x: np.array([x[0] - 1.0, 0.0 * x[1]]), np.array([1.0, 3.0]))
    assert found.singular
    with pytest.warns(ConvergenceWarning, match="a constraint or another kink is just active"):
        found = report(lambda x, a: np.maximum(x - a, 0.0) + x - a, np.array([1.0]), 1.0)
    assert found.degenerate
    assert "! the derivative of the condition jumps" in str(found)
    assert report(lambda x, a: np.maximum(x - a, 0.0) + x - a, 0.5, 1.0, warn=False).converged is False


# What is compiled once


def test_partials_made_anew_compile_once():
    """A partial that binds what another one has bound is the same solver; one that binds something else is not."""

    def f(x, a):
        return A @ x - a

    def symmetric(x):
        return S @ x

    def solved(a, **options):
        return linear_solve(symmetric, a * B, solve=functools.partial(cg, **options))

    scale = np.diagonal(S).copy()
    for given in ({"tol": 1e-10}, {"tol": 1e-10, "preconditioner": preconditioner}):
        for a in (1.0, 2.0):
            np.testing.assert_allclose(solved(a, **given), a * np.linalg.solve(S, B), rtol=1e-8)
    assert len(vars(symmetric)["__adcore_problems__"]) == 2
    for tol in (1e-3, np.float64(1e-3), np.array(1e-3)):
        root(f, np.zeros(4), B, solve=functools.partial(gmres, tol=tol))
    assert len(vars(f)["__adcore_problems__"]) == 3
    steps = [linear_solve(symmetric, B, solve=functools.partial(cg, maxiter=k)) for k in (1, 2)]
    assert not np.allclose(*steps)
    own = [functools.partial(cg, preconditioner=lambda r, k=k: r / (scale * k), maxiter=1) for k in (1.0, 2.0)]
    np.testing.assert_allclose(*(linear_solve(symmetric, B, solve=solve) for solve in own))


def preconditioner(r):
    return r / np.diagonal(S)


# What is refused


def test_singular_conditions():
    with pytest.raises(np.linalg.LinAlgError, match="by its solution is 0: there is no implicit derivative"):
        grad(custom_root(lambda x, a: x * x - a)(lambda x, a: x), argnums=1)(0.0, 0.0)
    free = custom_root(lambda x, a: np.array([x[0] - a, 0.0 * x[1]]))(lambda x, a: np.array([a, 1.0]))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        jacfwd(lambda a: free(np.zeros(2), a))(1.0)
    free = custom_root(lambda x, a: np.array([x[0] - a, 0.0 * x[1]]), solve="lstsq")(lambda x, a: np.array([a, 1.0]))
    np.testing.assert_allclose(jacfwd(lambda a: free(np.zeros(2), a))(1.0), [1.0, 0.0], atol=1e-14)


def test_not_converged():
    with pytest.raises(RuntimeError, match="Newton's method has not converged: the residual is"):
        root(lambda x: x * x + 1.0, 1.0)
    with pytest.raises(RuntimeError, match="the iteration has not converged"):
        fixed_point(lambda x: 2.0 * x + 1.0, 1.0, method="iteration", maxiter=50)
    with pytest.raises(RuntimeError, match="has not found a minimum"):
        minimize(lambda x: x, 0.0, method="lbfgs")
    with pytest.raises(ValueError, match="the function has one sign at both ends"):
        root(lambda x: x * x + 1.0, (0.0, 1.0), method="brent")
    for tiny in (lambda x: 1e-200 * (x + 2.0), lambda x: math.nan * x):  # whose product is 0, or NaN
        with pytest.raises(ValueError, match="the function has one sign at both ends"):
            root(tiny, (0.5, 1.0), method="brent")


def test_problems_with_operators_of_their_own_are_not_kept_for_ever():
    def f(w):
        return (w - 1.0) ** 2

    for k in range(40):
        problem = problem_of("minimize", None, "auto", None, None, prox=lambda w, t, k=k: w)
        kept(f, problem)
    assert len(vars(f)["__adcore_problems__"]) < 20
    assert kept(f, problem) is kept(f, problem)


def test_matrices_of_lengths_known_at_run_time():
    """How many unknowns there are is computed before the matrix, and not with the cotangent."""
    matrix, start = A.copy(), np.ones((4, 2))
    solver = custom_root(lambda x, a: matrix @ x - a, solve="lu")(lambda x, a: np.linalg.solve(matrix, a + 0.0 * x))
    exact = 2.0 * np.sum(np.linalg.solve(A, np.ones(4)))
    assert math.isclose(grad(lambda a: np.sum(solver(start, a)))(1.0), exact, rel_tol=1e-12)
    assert math.isclose(jvp(lambda a: np.sum(solver(start, a)), (1.0,), (1.0,))[1], exact, rel_tol=1e-12)


@pytest.mark.parametrize("tol", [1e-2, 0.5])
def test_coarse_tolerances_are_reached(tol):
    assert abs(root(lambda x, a: x * x - a, 1.0, 2.0, tol=tol) - math.sqrt(2.0)) < tol
    assert abs(minimize(lambda x, a: (x - a) ** 4, 0.0, 1.0, tol=tol) - 1.0) < 4.0 * tol
    found = least_squares(lambda x, a: x * x - a, 1.0, 2.0, tol=tol)
    assert abs(found - math.sqrt(2.0)) < tol


def test_errors():
    with pytest.raises(RuleError, match=r"the condition of root, gives a tuple of 2 for a number or array"):
        root(lambda x: (x, x), 1.0)
    with pytest.raises(ValueError, match=r"what .* gives has length 3 along axis 0, not 2"):
        grad(lambda a: custom_root(lambda x, a: np.zeros(3) * x[0])(lambda x, a: x)(np.zeros(2), a)[0])(1.0)
    with pytest.raises(ValueError, match=r"method='secant'; there are 'newton', 'broyden', 'brent'"):
        root(lambda x: x, 1.0, method="secant")
    with pytest.raises(ValueError, match="solve='qmr'; there are"):
        custom_root(lambda x: x, solve="qmr")(lambda x: x)
    with pytest.raises(TypeError, match="not the name of a solver"):
        custom_root(lambda x: x, solve=3)(lambda x: x)
    with pytest.raises(DtypeError, match="not real or complex numbers"):
        jit(custom_root(lambda x, a: x - a)(lambda x, a: 1))(0.0, 1.0)
    with pytest.raises(RuleError, match="is called with a solution and 1 arguments"):
        jit(custom_root(lambda x: x)(lambda x, a: a))(0.0, 1.0)
    with pytest.raises(DtypeError, match="real or complex numbers are needed here, not int64"):
        root(lambda x: x - 1, 1)

    with pytest.raises(UnsupportedFunctionError, match=r"solve is a number"):
        jit(lambda a: root(lambda x: x - a, np.zeros(2), solve=a))(1.0)

    def not_a_vector(a):
        return root(lambda x: x - a, np.zeros(2), solve=lambda matvec, b: a)[0]

    with pytest.raises(RuleError, match="does not return a vector like b"):
        grad(not_a_vector)(1.0)


# Solvers of linear systems that are defined inside of a compiled function


def weak_cubic(x, a, b):
    return a * (A @ x) + 0.1 * x**3 - b


def by_function(a, b, jacobi, scale):
    return root(weak_cubic, np.zeros(4), a, b, solve=jacobi)


def by_lambda(a, b, jacobi, scale):
    return root(lambda x: weak_cubic(x, a, b), np.zeros(4), solve=lambda matvec, r: jacobi(matvec, r))


def by_partial(a, b, jacobi, scale):
    return root(weak_cubic, np.zeros(4), a, b, solve=functools.partial(gmres, preconditioner=lambda r: scale * r))


def by_option(a, b, jacobi, scale):
    return root(weak_cubic, np.zeros(4), a, b, solve=functools.partial(gmres, tol=1e-13 * a))


def by_decorator(a, b, jacobi, scale):
    @custom_root(weak_cubic, solve=jacobi)
    def solver(x, a, b):
        for _ in range(80):
            x = x - scale * weak_cubic(x, a, b)
        return x

    return solver(np.zeros(4), a, b)


def of_linear_systems(a, b, jacobi, scale):
    return linear_solve(lambda x: a * (A @ x) + x, b, solve=jacobi)


def of_what_reads_nothing(a, b, jacobi, scale):
    def plain(matvec, r):
        x = np.zeros_like(r)
        for _ in range(200):
            x = x + 0.1 * (r - matvec(x))
        return x

    return linear_solve(lambda x: a * (A @ x) + x, b, solve=plain) + root(weak_cubic, np.zeros(4), a, b, solve=plain)


def in_a_loop(a, b, jacobi, scale):
    x = np.zeros(4)
    for k in range(3):
        smaller = scale / (1.0 + 0.1 * k)

        def own(matvec, r):
            x = np.zeros_like(r)
            for _ in range(200):
                x = x + smaller * (r - matvec(x))  # noqa: B023
            return x

        x = x + root(weak_cubic, np.zeros(4), a + 0.1 * k, b, solve=own)
    return x


def mapped(a, b, jacobi, scale):
    return vmap(lambda b: root(weak_cubic, np.zeros(4), a, b, solve=jacobi))(np.stack((b, 2.0 * b)))[1]


def within_a_derivative(a, b, jacobi, scale):
    return jacfwd(lambda a: root(weak_cubic, np.zeros(4), a, b, solve=jacobi))(a)


def of_minima(a, b, jacobi, scale):
    def preconditioned(matvec, r):
        return cg(matvec, r, preconditioner=lambda v: v * scale)

    return minimize(lambda x: 0.5 * a * (x @ S @ x) - b @ x, np.zeros(4), solve=preconditioned)


LOCAL = (
    *(by_function, by_lambda, by_partial, by_option, by_decorator, of_linear_systems, of_what_reads_nothing),
    *(in_a_loop, mapped, within_a_derivative, of_minima),
)


@pytest.mark.parametrize("solution", LOCAL, ids=lambda f: f.__name__)
def test_local_solvers_of_linear_systems(solution):
    """They close over values of the compiled function, as they are at the call."""

    def number(a, b):
        scale = 1.0 / (a * np.diagonal(A))

        def jacobi(matvec, r):
            x = np.zeros_like(r)
            for _ in range(200):
                x = x + scale * (r - matvec(x))
            return x

        return W @ solution(a, b, jacobi, scale)

    def along(f):
        return (f(1e-5) - f(-1e-5)) / 2e-5

    slope = grad(number, argnums=(0, 1))
    by_a, by_b = slope(1.1, B)
    value = jit(number)
    assert math.isclose(by_a, along(lambda t: value(1.1 + t, B)), rel_tol=1e-7)
    assert math.isclose(W @ by_b, along(lambda t: value(1.1, B + t * W)), rel_tol=1e-7)
    assert math.isclose(jvp(number, (1.1, B), (1.0, W))[1], by_a + W @ by_b, rel_tol=1e-11)
    second = jvp(slope, (1.1, B), (1.0, W))[1]
    expected = along(lambda t: np.array(slope(1.1 + t, B + t * W)[0]))
    assert math.isclose(second[0], expected, rel_tol=1e-6)
    np.testing.assert_allclose(second[1], along(lambda t: slope(1.1 + t, B + t * W)[1]), rtol=1e-6, atol=1e-9)


def test_errors_name_the_users_line():
    def f(a):
        return root(lambda x: x * x + a, 1.0)

    with pytest.raises(RuntimeError) as caught:
        jit(f)(1.0)
    frames = [caught.traceback[k] for k in range(len(caught.traceback))]
    assert str(frames[-1].path).endswith("test_implicit.py")


def test_only_values_need_no_derivative():
    """The condition is not differentiated where nobody asks."""
    solver = custom_root(lambda x, a: np.floor(x) - a)(lambda x, a: a)
    assert jit(solver)(0.0, 3.0) == 3.0
    (call,) = adcore.program(solver, 0.0, 3.0).equations
    assert call.primitive.name == "custom"
    assert not any(e.primitive.name == "floor" for e in call.params["body"].equations)


# Minima of sums with a proximal operator


def soft(x, threshold):
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0.0)


def half_squares(w, data):
    return 0.5 * np.sum((data @ w - 1.0) ** 2)


PROXIMAL = pytest.mark.parametrize("method", ["fista", "coordinate_descent"])


@PROXIMAL
def test_minima_with_a_proximal_operator(method):
    data = np.random.default_rng(2).normal(size=(30, 6))

    def lasso(penalty):
        return minimize(half_squares, np.zeros(6), data, prox=lambda w, t: soft(w, penalty * t), method=method)

    w = lasso(4.0)
    slope = data.T @ (data @ w - 1.0)
    chosen = w != 0.0
    assert 0 < np.sum(chosen) < 6
    np.testing.assert_allclose(slope[chosen], -4.0 * np.sign(w[chosen]), rtol=1e-9)
    assert np.all(np.abs(slope[~chosen]) < 4.0)
    exact = np.zeros(6)
    exact[chosen] = -np.linalg.solve(data[:, chosen].T @ data[:, chosen], np.sign(w[chosen]))
    np.testing.assert_allclose(jacfwd(lasso)(4.0), exact, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(jacrev(lasso)(4.0), exact, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(jit(lasso)(4.0), w, rtol=1e-12, atol=1e-14)


@PROXIMAL
def test_minima_in_a_box(method):
    def best(high, target):
        return minimize(
            lambda w: np.sum((w - target) ** 2 * (w + 2.0)),
            0.5 * np.ones(3),
            prox=lambda w, t: np.clip(w, 0.0, high),
            method=method,
        )

    target = np.array([0.3, 2.0, -1.0])
    np.testing.assert_allclose(best(1.0, target), [0.3, 1.0, 0.0], atol=1e-9)
    by_high, by_target = jacfwd(best, argnums=(0, 1))(1.0, target)
    np.testing.assert_allclose(by_high, [0.0, 1.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(by_target, np.diag([1.0, 0.0, 0.0]), atol=1e-9)
    with pytest.raises(ValueError, match="with prox: method='newton'; there are 'fista', 'coordinate_desc"):
        minimize(half_squares, np.zeros(6), np.eye(6), method="newton", prox=lambda w, t: w)


def test_coordinates_one_after_the_other():
    """Where f is not quadratic, and where it bends down."""
    data = np.random.default_rng(3).normal(size=(200, 8)) + np.linspace(-1.0, 1.0, 200)[:, None]

    def loss(w):
        return np.sum(np.log(1.0 + np.exp(data @ w))) - np.sum((data @ w)[::3])

    def fit(penalty, method):
        return minimize(loss, np.zeros(8), prox=lambda w, t: soft(w, penalty * t), method=method)

    w = fit(12.0, "coordinate_descent")
    assert 0 < np.sum(w != 0.0) < 8
    np.testing.assert_allclose(w, fit(12.0, "fista"), atol=1e-9)
    expected = jacfwd(lambda p: fit(p, "fista"))(12.0)
    np.testing.assert_allclose(jacfwd(lambda p: fit(p, "coordinate_descent"))(12.0), expected, atol=1e-8)

    def wells(x):
        return np.sum((x**2 - 1.0) ** 2) + 0.3 * x[0] * x[1]

    for start in (np.array([0.1, -0.2]), np.array([-0.1, -0.05]), np.array([40.0, 3.0])):
        x = minimize(wells, start, method="coordinate_descent")
        np.testing.assert_allclose(grad(wells)(x), 0.0, atol=1e-12)
        assert np.all(np.linalg.eigvalsh(hessian(wells)(x)) > 0.0)
    assert (
        minimize(lambda x: 2.0 * x, 0.3, prox=lambda x, t: np.clip(x, -1.0, 1.0), method="coordinate_descent") == -1.0
    )


def test_operators_of_several_numbers_are_not_for_coordinates():
    def together(w, t):
        return w - np.mean(w) + 1.0 / len(w)

    assert minimize(half_squares, np.zeros(3), np.eye(3), prox=together).sum() == pytest.approx(1.0)
    with pytest.raises(RuntimeError, match="prox is not separable"):
        minimize(half_squares, np.zeros(3), np.eye(3), prox=together, method="coordinate_descent")
    with pytest.raises(RuntimeError, match="coordinate descent has not converged"):
        minimize(lambda x: x, 0.0, method="coordinate_descent")


# SciPy's solvers


def system(x, a):
    return np.array([x[0] ** 2 + a * x[1] - 3.0, x[1] ** 2 - x[0]])


@pytest.mark.parametrize("method", ["scipy", "scipy:hybr", "scipy:lm", "scipy:krylov"])
def test_roots_by_scipy(method):
    found = jacfwd(lambda a: root(system, np.ones(2), a, method=method))(1.2)
    expected = jacfwd(lambda a: root(system, np.ones(2), a))(1.2)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    tree = root(lambda x: {"u": x["u"] ** 2 - 2.0}, {"u": 1.0}, method=method)
    assert math.isclose(tree["u"], math.sqrt(2.0), rel_tol=1e-5)


def penalized(w, penalty):
    return np.sum(np.log(1.0 + np.exp(-A @ w))) + penalty * (w @ w)


@pytest.mark.parametrize("method", ["scipy", "scipy:BFGS", "scipy:L-BFGS-B", "scipy:CG"])
def test_minima_by_scipy(method):
    found = jacfwd(lambda p: minimize(penalized, np.zeros(4), p, method=method, tol=1e-9))(0.4)
    np.testing.assert_allclose(found, jacfwd(lambda p: minimize(penalized, np.zeros(4), p))(0.4), rtol=1e-4)


@pytest.mark.parametrize("method", ["scipy", "scipy:lm", "scipy:dogbox"])
def test_least_squares_by_scipy(method):
    t = np.linspace(0.0, 3.0, 20)

    def residuals(p, data):
        return p[0] * np.exp(p[1] * t) - data

    data = 2.0 * np.exp(-0.5 * t) + 0.01 * np.sin(17.0 * t)
    found = jacrev(lambda d: least_squares(residuals, np.array([1.0, 0.0]), d, method=method))(data)
    expected = jacrev(lambda d: least_squares(residuals, np.array([1.0, 0.0]), d))(data)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_what_scipy_cannot_do():
    with pytest.raises(
        RuntimeError, match=r"scipy.optimize.root has failed: The iteration is not making good progress"
    ):
        root(lambda x: x * x + 1.0, 1.0, method="scipy")
    with pytest.raises(UnsupportedFunctionError, match="is defined inside of a compiled function, which SciPy cannot"):
        jit(lambda a: root(lambda x: x * x - a, 1.0, method="scipy"))(2.0)
    with pytest.raises(ValueError, match="method='scipy'; there are"):
        fixed_point(math.cos, 1.0, method="scipy")

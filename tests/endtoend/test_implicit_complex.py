"""Implicit differentiation by complex unknowns and parameters: against differences in both directions, and duality."""

from __future__ import annotations

import cmath

import numpy as np
import pytest

from adcore import (
    DtypeError,
    RuleError,
    check_grads,
    custom_fixed_point,
    custom_root,
    fixed_point,
    grad,
    jacfwd,
    jacrev,
    jet,
    jit,
    jvp,
    least_squares,
    linear_solve,
    minimize,
    odeint,
    root,
    root_jvp,
    root_vjp,
    vjp,
    vmap,
)
from adcore.implicit import bicgstab, cg, gmres, lstsq, lu, neumann, normal_cg, report
from adcore.implicit.sparse_direct import sparse

RNG = np.random.default_rng(11)


def complexes(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


N = 4
A = 0.4 * complexes(N, N) + 4.0 * (1.0 + 0.5j) * np.eye(N)
H = A @ A.conj().T
S = RNG.normal(size=(2 * N, 2 * N))
S = S @ S.T + np.eye(2 * N)
B, W = complexes(N), complexes(N)
STEP = 1e-6


def along(f, point, direction):
    return (f(point + STEP * direction) - f(point - STEP * direction)) / (2.0 * STEP)


def as_reals(x, k):
    """A linear map of real and imaginary parts, symmetric and definite."""
    y = S @ np.concatenate((x.real, x.imag))
    return k * (y[:N] + 1j * y[N:])


def by_parts(product, b):
    """The solution of a system that is linear over real numbers."""
    matrix = np.zeros((2 * N, 2 * N))
    for j, unit in enumerate(np.eye(2 * N)):
        y = product(unit[:N] + 1j * unit[N:])
        matrix[:, j] = np.concatenate((y.real, y.imag))
    x = np.linalg.solve(matrix, np.concatenate((b.real, b.imag)))
    return x[:N] + 1j * x[N:]


# What is linear over complex numbers, and what is not so, with the solvers that it is for.
PRODUCTS = {
    "complex": lambda x, k: k * (A @ x),
    "conjugate": lambda x, k: k * (A @ x) + 0.3 * np.conj(x)[::-1],
    "hermitian": lambda x, k: abs(k) ** 2 * (H @ x),
    "symmetric": lambda x, k: as_reals(x, k.real),
}
SOLVERS = ("auto", "lu", "lstsq", "sparse", "gmres", "bicgstab", "normal_cg")
CASES = [(solve, name) for solve in SOLVERS for name in ("complex", "conjugate")]
CASES += [("cg", "hermitian"), ("cg", "symmetric")]


@pytest.mark.parametrize(("solve", "name"), CASES)
def test_linear_systems(solve, name):
    """Values, gradients in the real and the imaginary direction, duality, second derivatives."""
    product = PRODUCTS[name]
    k = 1.2 + 0.5j

    def solution(k, b):
        return linear_solve(lambda x: product(x, k), b, solve=solve)

    def number(k, b):
        x = solution(k, b)
        return np.sum(np.abs(x) ** 2 * np.arange(1.0, 1.0 + N)) + np.real(W @ x)

    def known(k, b):
        x = by_parts(lambda x: product(x, k), b)
        return np.sum(np.abs(x) ** 2 * np.arange(1.0, 1.0 + N)) + np.real(W @ x)

    np.testing.assert_allclose(solution(k, B), by_parts(lambda x: product(x, k), B), rtol=1e-9, atol=1e-11)
    by_k, by_b = grad(number, argnums=(0, 1))(k, B)
    for turn in (1.0, 1j):
        expected = along(lambda k: known(k, B), k, turn)
        np.testing.assert_allclose((by_k * turn).real, expected, rtol=1e-7, atol=1e-9)
        expected = along(lambda b: known(k, b), B, turn * W)
        np.testing.assert_allclose(np.sum(by_b * turn * W).real, expected, rtol=1e-7, atol=1e-9)
    tangent = jvp(solution, (k, B), (1j, W))[1]
    back = vjp(solution, k, B)[1](W)
    paired = (back[0] * 1j + np.sum(back[1] * W)).real
    np.testing.assert_allclose(np.sum(W * tangent).real, paired, rtol=1e-9)
    slope = grad(number)
    second = jvp(slope, (k, B), (1j, W))[1]
    expected = along(lambda t: slope(k + t * 1j, B + t * W), 0.0, 1.0)
    np.testing.assert_allclose(second, expected, rtol=1e-6, atol=1e-7)


CONDITIONS = {
    "holomorphic": lambda x, a, b: a @ x + 0.1 * x**3 - b,
    "conjugates": lambda x, a, b: a @ x + 0.1 * np.conj(x) * x**2 + 0.2 * np.abs(x) - b,
}


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("method", ["newton", "broyden"])
def test_roots(name, method):
    condition = CONDITIONS[name]

    def solution(a, b):
        return root(condition, np.zeros(N, complex), a, b, method=method)

    def number(a, b):
        return np.sum(np.abs(solution(a, b)) ** 2 * np.arange(1.0, 1.0 + N))

    assert np.max(np.abs(condition(solution(A, B), A, B))) < 1e-13
    by_a, by_b = grad(number, argnums=(0, 1))(A, B)
    direction = complexes(N, N)
    for turn in (1.0, 1j):
        expected = along(lambda b: solution(A, b), B, turn * W)
        np.testing.assert_allclose(jvp(lambda b: solution(A, b), (B,), (turn * W,))[1], expected, atol=1e-8)
        expected = along(lambda a: number(a, B), A, turn * direction)
        np.testing.assert_allclose(np.sum(by_a * turn * direction).real, expected, atol=1e-8)
        expected = along(lambda b: number(A, b), B, turn * W)
        np.testing.assert_allclose(np.sum(by_b * turn * W).real, expected, atol=1e-8)
    slope = grad(number, argnums=1)
    for turn in (1.0, 1j):
        second = jvp(slope, (A, B), (turn * direction, turn * W))[1]
        expected = along(lambda t, turn=turn: slope(A + t * turn * direction, B + t * turn * W), 0.0, 1.0)
        np.testing.assert_allclose(second, expected, atol=1e-7)
    known = root_jvp(condition, solution(A, B), (A, B), (direction, W))
    expected = jvp(solution, (A, B), (direction, W))[1]
    np.testing.assert_allclose(known, expected, rtol=1e-12)
    back = root_vjp(condition, solution(A, B), (A, B), W)
    paired = (np.sum(back[0] * direction) + np.sum(back[1] * W)).real
    np.testing.assert_allclose(np.sum(W * expected).real, paired, rtol=1e-10)


def test_holomorphic_functions_have_complex_derivatives():
    """d x / d a = 1 / (3 x² + 1), and the second one, of a complex number a."""

    def solution(a):
        return root(lambda x: x**3 + x - a, 1.0 + 0.5j)

    x = solution(2.0 + 1.0j)
    assert isinstance(x, complex)
    first = 1.0 / (3.0 * x * x + 1.0)
    second = -6.0 * x * first**3
    assert cmath.isclose(grad(solution, holomorphic=True)(2.0 + 1.0j), first, rel_tol=1e-13)
    assert cmath.isclose(jacfwd(solution, holomorphic=True)(2.0 + 1.0j), first, rel_tol=1e-13)
    twice = grad(grad(solution, holomorphic=True), holomorphic=True)
    assert cmath.isclose(twice(2.0 + 1.0j), second, rel_tol=1e-12)
    series = jet(solution, 2.0 + 1.0j, (1.0 + 0.0j, 0.0j))[1]
    np.testing.assert_allclose(series, (first, second / 2.0), rtol=1e-11)
    mapped = vmap(grad(solution, holomorphic=True))(np.array([2.0 + 1.0j, 1.5 + 1.0j]))
    assert cmath.isclose(mapped[0], first, rel_tol=1e-13)


def test_one_number_and_its_conjugate():
    def solution(a):
        return root(lambda x: x + 0.3 * np.conj(x) + 0.1 * x**2 - a, 0.1 + 0.1j)

    for turn in (1.0 + 0.0j, 1j, 1.0 + 2.0j):
        expected = along(solution, 1.0 + 0.5j, turn)
        assert cmath.isclose(jvp(solution, (1.0 + 0.5j,), (turn,))[1], expected, rel_tol=1e-8)
    slope = grad(lambda a: abs(solution(a)) ** 2)
    expected = along(lambda a: abs(solution(a)) ** 2, 1.0 + 0.5j, 1j)
    np.testing.assert_allclose((slope(1.0 + 0.5j) * 1j).real, expected, rtol=1e-8)


def test_real_and_complex_unknowns_together():
    """A voltage and a power: a tree of a complex array, a real number and a complex one."""

    def condition(x, a):
        v, (load, z) = x["v"], x["rest"]
        return {"rest": (load * abs(a) - np.sum(np.abs(v) ** 2), z - a * load), "v": A @ v - a + 0.1 * load * v}

    def number(a):
        x = root(condition, {"v": np.zeros(N, complex), "rest": (0.5, 0.1j)}, a)
        return np.sum(np.abs(x["v"]) ** 2) + x["rest"][0] + abs(x["rest"][1])

    slope = grad(number)
    for turn in (1.0 + 0.0j, 1j):
        expected = along(number, 1.0 + 0.5j, turn)
        np.testing.assert_allclose((slope(1.0 + 0.5j) * turn).real, expected, rtol=1e-8)
        second = jvp(slope, (1.0 + 0.5j,), (turn,))[1]
        np.testing.assert_allclose(second, along(slope, 1.0 + 0.5j, turn), rtol=1e-6)


@pytest.mark.parametrize("solve", ["auto", "gmres", "normal_cg"])
@pytest.mark.parametrize("parts", [False, True])
def test_conditions_of_solvers(solve, parts):
    """Solvers of the user's; the fixed point of a map that is holomorphic, and of one that is not."""

    def step(x, a):
        return 0.3 * np.sin(x) * a + (0.2 * np.conj(x) if parts else 0.2 * x) + a

    @custom_fixed_point(step, solve=solve)
    def solver(x, a):
        for _ in range(200):
            x = step(x, a)
        return x

    @custom_root(lambda x, a: step(x, a) - x, solve=solve)
    def other(x, a):
        return solver(x, a)

    def plain(a):
        x = np.zeros(N, complex)
        for _ in range(200):
            x = step(x, a)
        return x

    for each in (solver, other):
        np.testing.assert_allclose(
            jvp(lambda a, each=each: each(np.zeros(N, complex), a), (0.1 * B,), (W,))[1],
            jvp(plain, (0.1 * B,), (W,))[1],
            rtol=1e-9,
        )
        np.testing.assert_allclose(
            vjp(lambda a, each=each: each(np.zeros(N, complex), a), 0.1 * B)[1](W)[0],
            vjp(plain, 0.1 * B)[1](W)[0],
            rtol=1e-9,
        )
    found = fixed_point(step, np.zeros(N, complex), 0.1 * B)
    np.testing.assert_allclose(found, plain(0.1 * B), rtol=1e-11)
    by_real = jacfwd(lambda t: fixed_point(step, np.zeros(N, complex), t * B))(0.1)
    np.testing.assert_allclose(by_real, jacfwd(lambda t: plain(t * B))(0.1), rtol=1e-9)


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
@pytest.mark.parametrize("solve", ["auto", "cg"])
def test_minima(method, solve):
    """A real function of complex numbers: of the derivative by both parts, symmetric and definite."""

    def loss(x, b, penalty):
        misfit = A @ x - b
        return np.sum(np.abs(misfit) ** 2) + penalty * np.sum(np.abs(x) ** 2) + 0.1 * np.sum(np.abs(x) ** 4)

    def solution(b, penalty):
        return minimize(loss, np.zeros(N, complex), b, penalty, method=method, solve=solve, tol=1e-12)

    for turn in (1.0, 1j):
        expected = along(lambda b: solution(b, 0.3), B, turn * W)
        np.testing.assert_allclose(jvp(lambda b: solution(b, 0.3), (B,), (turn * W,))[1], expected, atol=1e-7)
    by_b, by_penalty = grad(lambda b, p: np.real(W @ solution(b, p)), argnums=(0, 1))(B, 0.3)
    expected = along(lambda b: np.real(W @ solution(b, 0.3)), B, 1j * W)
    np.testing.assert_allclose(np.sum(by_b * 1j * W).real, expected, atol=1e-7)
    expected = along(lambda p: np.real(W @ solution(B, p)), 0.3, 1.0)
    np.testing.assert_allclose(by_penalty, expected, atol=1e-7)


def test_least_squares():
    times = np.linspace(0.0, 2.0, 15)

    def residuals(p, data):
        return p[0] * np.exp(p[1] * times) - data

    data = (1.0 + 0.5j) * np.exp((-0.5 + 2.0j) * times) + 0.01 * np.sin(17.0 * times)

    def fit(data):
        return least_squares(residuals, np.array([1.0 + 0.4j, -0.4 + 1.9j]), data)

    np.testing.assert_allclose(fit(data), [1.0 + 0.5j, -0.5 + 2.0j], atol=0.02)
    weights, direction = complexes(2), complexes(15)
    slope = vjp(fit, data)[1](weights)[0]
    for turn in (1.0, 1j):
        expected = along(fit, data, turn * direction)
        np.testing.assert_allclose(jvp(fit, (data,), (turn * direction,))[1], expected, atol=1e-7)
        paired = np.sum(slope * turn * direction).real
        np.testing.assert_allclose(paired, np.sum(weights * expected).real, atol=1e-6)


def test_minima_in_a_set():
    """The projection on discs, by a proximal operator of complex numbers."""

    def discs(x, t):
        return x / np.maximum(1.0, np.abs(x))

    def solution(b):
        return minimize(lambda x: np.sum(np.real((x - b) * np.conj(x - b))), np.zeros(3, complex), prox=discs)

    b = np.array([0.3 + 0.2j, 3.0 + 4.0j, -2.0j])
    np.testing.assert_allclose(solution(b), discs(b, 1.0), atol=1e-10)
    direction = complexes(3)
    expected = jvp(lambda b: discs(b, 1.0), (b,), (direction,))[1]
    np.testing.assert_allclose(jvp(solution, (b,), (direction,))[1], expected, atol=1e-8)


def test_single_precision():
    a, b = A.astype(np.complex64), B.astype(np.complex64)

    def solution(b):
        return linear_solve(lambda x: a @ x, b)

    found, tangent = jvp(solution, (b,), (b,))
    assert found.dtype == tangent.dtype == np.complex64
    np.testing.assert_allclose(tangent, np.linalg.solve(A, B), rtol=1e-4)
    slope = grad(lambda b: np.sum(np.abs(solution(b))))(b)
    assert slope.dtype == np.complex64


def test_scipys_solvers_are_for_real_numbers():
    with pytest.raises(DtypeError, match=r"host_call with .* complex128"):
        root(lambda x: x**2 + 1.0, 0.5j, method="scipy")


@pytest.mark.parametrize("solver", [lu, lstsq, sparse, gmres, bicgstab, normal_cg, cg], ids=lambda f: f.__name__)
def test_linear_solvers(solver):
    """By themselves, under Python and compiled; also those whose system is turned by 90 degrees."""
    matrix = H if solver is cg else 1j * A
    solved = jit(lambda b: solver(lambda x: matrix @ x, b))
    np.testing.assert_allclose(solved(B), np.linalg.solve(matrix, B), rtol=1e-9)
    if solver is not sparse:
        np.testing.assert_allclose(solver(lambda x: matrix @ x, B), np.linalg.solve(matrix, B), rtol=1e-9)


def test_neumann_series():
    found = neumann(lambda x: x - 0.1 * (A @ x), B, terms=400, step=1.0)
    np.testing.assert_allclose(found, np.linalg.solve(np.eye(N) - 0.1 * A, B), rtol=1e-9)


def test_many_unknowns():
    """More than `auto` makes a matrix for: a damped wave, by `gmres` in complex numbers."""

    def product(u, k):
        return (3.0 + 1j * k) * u - 0.5 * np.roll(u, 1) - np.roll(u, -1)

    b = complexes(400)

    def number(k):
        return np.sum(np.abs(linear_solve(lambda u: product(u, k), b)) ** 2)

    slope = grad(number)(0.4)
    np.testing.assert_allclose(slope, along(number, 0.4, 1.0), rtol=1e-6)


def test_reports():
    found = report(lambda x, a: x**2 - a, 2.0 + 1.0j, 3.0 + 4.0j)
    assert (found.unknowns, found.rank, found.residual) == (2, 2, 0.0)
    assert not found.problems
    far = report(lambda x, a: x**2 - a, 2.01 + 1.0j, 3.0 + 4.0j, warn=False)
    np.testing.assert_allclose(far.distance, 0.01, rtol=0.05)


def test_singular_conditions():
    with pytest.raises(np.linalg.LinAlgError, match="by its solution is 0: there is no implicit derivative"):
        jvp(lambda a: custom_root(lambda x, a: x * x - a)(lambda x, a: x)(0j, a), (0j,), (1j,))
    with pytest.raises(np.linalg.LinAlgError):  # only the real part is determined
        jvp(lambda a: custom_root(lambda x, a: np.real(x) + 0j - a)(lambda x, a: x)(0j, a), (0j,), (1j,))


def test_errors():
    with pytest.raises(RuleError, match=r"gives a number \(float64\) for a number \(complex128\)"):
        root(lambda x: abs(x) - 1.0, 1.0 + 1.0j)
    with pytest.raises(RuleError, match=r"gives a number \(complex128\) for a number \(float64\)"):
        root(lambda x: x - 1.0j, 1.0)
    with pytest.raises(DtypeError, match=r"an array of rank 1 \(complex128\) for an array of rank 1 \(float64\)"):
        linear_solve(lambda x: A @ x, np.ones(N))
    with pytest.raises(DtypeError, match="not defined on"):
        root(lambda x: x**2 + 1.0, (0.5j, 2.0j), method="brent")


def test_complex_parameters_of_real_unknowns():
    def solution(a):
        return root(lambda x: x**3 + abs(a) ** 2 * x - np.real(a) ** 2, 0.5)

    for turn in (1.0, 1j):
        expected = along(solution, 1.0 + 0.5j, turn)
        np.testing.assert_allclose((grad(solution)(1.0 + 0.5j) * turn).real, expected, rtol=1e-8)


@pytest.mark.parametrize("adjoint", ["continuous", "discrete", "forward"])
def test_complex_parameters_of_differential_equations(adjoint):
    """Complex parameters are parts of the adjoint's vector, as real ones are."""

    def final(rate):
        states = odeint(lambda y, t, k: -(abs(k) ** 2) * y, np.ones(2), np.array([0.0, 1.0]), rate, adjoint=adjoint)
        return np.sum(states[-1])

    expected = -2.0 * np.exp(-0.34) * 2.0 * np.conj(0.5 + 0.3j)
    assert cmath.isclose(grad(final)(0.5 + 0.3j), expected, rel_tol=1e-5)


def test_in_real_and_reverse_jacobians():
    """Real functions of real numbers with complex unknowns within, checked against differences."""

    def response(p):
        x = root(lambda x: A @ x + 0.05 * np.conj(x) * x**2 - (p[0] + 1j * p[1]), np.zeros(N, complex))
        return np.abs(x)

    p = np.array([1.0, 0.5])
    check_grads(response, (p,), order=2)
    np.testing.assert_allclose(jacrev(response)(p), jacfwd(response)(p), rtol=1e-11)

"""Equations for matrices: derivatives of all orders in both modes, against systems of all elements and differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from adcore import grad, jacfwd, jacrev, jet, jvp, program, source, value_and_grad, vjp, vmap
from adcore.sparse import jacobian_pattern
from adcore.text import to_text

RNG = np.random.default_rng(8)
A, B = RNG.normal(size=(4, 4)) + 3.0 * np.eye(4), RNG.normal(size=(3, 3)) + 2.0 * np.eye(3)
Q, W = RNG.normal(size=(2, 4, 3))
S = RNG.normal(size=(4, 4))
Z = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4)) + 5.0 * np.eye(4)


def quotient(f, x, u, h=1e-3):
    """Differences of sixth order."""
    steps = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
    return sum(c * (f(x + k * h * u) - f(x - k * h * u)) for k, c in steps) / h


def whole_system(a, b, q):
    """Sylvester's equation as one system for all elements."""
    m, n = q.shape
    system = np.kron(a, np.eye(n)) + np.kron(np.eye(m), b.T)
    return np.linalg.solve(system, q.ravel()).reshape(m, n)


def sylvester(a, b, q):
    return scipy.linalg.solve_sylvester(a, b, q)


def test_the_gradient_is_that_of_the_whole_system():
    point = (A, B, Q)
    ours = grad(lambda a, b, q: np.sum(scipy.linalg.solve_sylvester(a, b, q) ** 3), argnums=(0, 1, 2))(*point)
    theirs = grad(lambda a, b, q: np.sum(whole_system(a, b, q) ** 3), argnums=(0, 1, 2))(*point)
    for got, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


SCALARS = {
    "sylvester": (lambda x: np.sum(scipy.linalg.solve_sylvester(x, x[:3, :3] ** 2, x[:, 1:]) ** 2), A),
    "matrices of one": (lambda x: np.sum(scipy.linalg.solve_sylvester(x, x[:1, :1], x[:, 1:2]) ** 2), A),
    "lyapunov": (lambda x: np.sum(scipy.linalg.solve_continuous_lyapunov(x, x * x) ** 3), A),
    "discrete lyapunov": (lambda x: np.sum(scipy.linalg.solve_discrete_lyapunov(0.1 * x, x) ** 3), A),
    "complex sylvester": (
        lambda x: np.sum(np.abs(scipy.linalg.solve_sylvester(x + 1j * x.T, 2.0 * x + 1j, x * x)) ** 2),
        A,
    ),
    "complex lyapunov": (
        lambda x: np.sum(np.abs(scipy.linalg.solve_continuous_lyapunov(x + 1j * x.T, x * x)) ** 2),
        A,
    ),
    "complex discrete lyapunov": (
        lambda x: np.sum(np.abs(scipy.linalg.solve_discrete_lyapunov(0.1 * x + 0.05j * x.T, x + 0j)) ** 2),
        A,
    ),
}


@pytest.mark.parametrize("name", SCALARS)
def test_second_derivatives_in_both_modes(name):
    f, x = SCALARS[name]
    u, w = RNG.normal(size=(2, *x.shape))
    np.testing.assert_allclose(np.sum(grad(f)(x) * u), quotient(f, x, u), rtol=1e-8)
    second = lambda x: jvp(grad(f), (x,), (u,))[1]  # noqa: E731
    along = second(x)
    np.testing.assert_allclose(along, quotient(grad(f), x, u), rtol=1e-6, atol=1e-8 * np.max(np.abs(along)))
    np.testing.assert_allclose(np.sum(vjp(grad(f), x)[1](w)[0] * u), np.sum(along * w), rtol=1e-9)


@pytest.mark.parametrize("name", ["sylvester", "complex lyapunov"])
def test_third_derivatives(name):
    f, x = SCALARS[name]
    u, v, w = RNG.normal(size=(3, *x.shape))
    second = lambda x: jvp(grad(f), (x,), (u,))[1]  # noqa: E731
    third = jvp(second, (x,), (v,))[1]
    np.testing.assert_allclose(third, quotient(second, x, v), rtol=1e-5, atol=1e-7 * np.max(np.abs(third)))
    np.testing.assert_allclose(np.sum(vjp(second, x)[1](w)[0] * v), np.sum(third * w), rtol=1e-9)


@pytest.mark.parametrize("name", ["sylvester", "discrete lyapunov", "complex lyapunov"])
def test_taylor_coefficients(name):
    f, x = SCALARS[name]
    u = RNG.normal(size=x.shape)
    value, (first, second) = jet(f, x, (u, np.zeros_like(u)))
    np.testing.assert_allclose(value, f(x), rtol=1e-10)
    np.testing.assert_allclose(first, np.sum(grad(f)(x) * u), rtol=1e-9)
    np.testing.assert_allclose(2.0 * second, np.sum(jvp(grad(f), (x,), (u,))[1] * u), rtol=1e-8)


def test_the_complex_equation_and_its_dual():
    point, tangents = (Z, Z[:3, :3].T, Z[:, 1:]), (Z * 1j, Z[:3, :3] + 1.0, Z[:, :3] ** 2)
    value, moved = jvp(sylvester, point, tangents)
    np.testing.assert_allclose(point[0] @ value + value @ point[1], point[2], atol=1e-12)
    along = quotient(lambda h: sylvester(*(p + h * t for p, t in zip(point, tangents, strict=True))), 0.0, 1.0, 1e-4)
    np.testing.assert_allclose(moved, along, rtol=1e-8, atol=1e-10)
    cotangent = Q + 1j * W
    back = vjp(sylvester, *point)[1](cotangent)
    both = np.sum(cotangent * moved), sum(np.sum(c * t) for c, t in zip(back, tangents, strict=True))
    np.testing.assert_allclose(np.real(both[0]), np.real(both[1]), rtol=1e-10)


def test_jacobians_and_mapped_calls():
    point = (A, B, Q)
    for argnums in range(3):
        forward, reverse = jacfwd(sylvester, argnums)(*point), jacrev(sylvester, argnums)(*point)
        np.testing.assert_allclose(forward, reverse, rtol=1e-9, atol=1e-11)
    many = np.stack([Q, W, Q + W])
    np.testing.assert_allclose(
        vmap(sylvester, in_axes=(None, None, 0))(A, B, many), [sylvester(A, B, q) for q in many], rtol=1e-10
    )
    gradient = grad(lambda a, b, q: np.sum(sylvester(a, b, q) ** 2))
    moved = np.stack([A, A + 0.1, A.T])
    np.testing.assert_allclose(
        vmap(gradient, in_axes=(0, None, None))(moved, B, Q), [gradient(a, B, Q) for a in moved], rtol=1e-9
    )


def test_every_element_depends_on_every_other():
    assert np.all(jacobian_pattern(lambda q: sylvester(A, B, q), Q).toarray())


def test_one_schur_form_serves_values_and_derivatives():
    gradient = grad(lambda a, q: np.sum(scipy.linalg.solve_continuous_lyapunov(a, q) ** 2), argnums=(0, 1))
    text = to_text(program(gradient, A, S))
    assert text.count("= schur(") == 1
    assert text.count("= sylvester(") == 2


def test_readable_source_is_run_by_numpy():
    gradient = grad(lambda a, q: np.sum(scipy.linalg.solve_continuous_lyapunov(a, q) ** 2))
    text = source(gradient, A, S)
    assert "factorizations.sylvester(" in text
    assert "factorizations.schur(" in text


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: scipy.linalg.solve_sylvester(x, -x, S), A),
        (lambda x: scipy.linalg.solve_continuous_lyapunov(x - x.T, S), A),
        (lambda x: scipy.linalg.solve_discrete_lyapunov(x, S), np.diag([1.0, 0.5, 0.2, 0.1])),
        (lambda x: scipy.linalg.solve_discrete_lyapunov(x, S), np.diag([-1.0, 0.5, 0.2, 0.1])),
    ],
)
def test_equations_without_one_solution_raise(f, x):
    with pytest.raises(np.linalg.LinAlgError, match="solve_"):
        value_and_grad(lambda x: np.sum(f(x)))(x)


def test_what_is_not_finite_raises():
    with pytest.raises(ValueError, match="infs or NaNs"):
        grad(lambda x: np.sum(sylvester(x, B, Q)))(A * np.nan)


@pytest.mark.parametrize("shape", [(4, 2), (3, 3)])
def test_shapes_that_do_not_fit_raise(shape):
    with pytest.raises(ValueError, match="as many rows as a"):
        grad(lambda q: np.sum(sylvester(A, B, q)))(np.ones(shape))


def test_large_equations_in_cubic_time():
    """One system of all elements would take 800 MB."""
    n = 100
    a, b, q = RNG.normal(size=(3, n, n))
    a, b = a + 25.0 * np.eye(n), b + 25.0 * np.eye(n)
    f = lambda a: np.sum(scipy.linalg.solve_sylvester(a, b, q) ** 2)  # noqa: E731
    x = scipy.linalg.solve_sylvester(a, b, q)
    dual = scipy.linalg.solve_sylvester(a.T, b.T, 2.0 * x)
    np.testing.assert_allclose(grad(f)(a), -dual @ x.T, rtol=1e-8, atol=1e-12)


def test_single_precision():
    point = tuple(x.astype(np.float32) for x in (A, B, Q))
    f = lambda a, b, q: np.sum(scipy.linalg.solve_sylvester(a, b, q) ** 2)  # noqa: E731
    got, wanted = grad(f)(*point), grad(f)(A, B, Q)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)


# Square roots

P = A @ A.T
TURNED = np.array([[2.0, -3.0, 0.3], [3.0, 2.0, 0.1], [0.2, 0.4, 1.0]])  # of complex eigenvalues
ROOTS = {
    "a definite matrix": (lambda x: np.sum(scipy.linalg.sqrtm(x) ** 3), P),
    "complex eigenvalues": (lambda x: np.sum(scipy.linalg.sqrtm(x) ** 3), TURNED),
    "eigenvalues that coincide": (lambda x: np.sum(scipy.linalg.sqrtm(x) ** 3), np.eye(3)),
    "no basis of eigenvectors": (lambda x: np.sum(scipy.linalg.sqrtm(x) ** 3), np.eye(3) + np.eye(3, k=1)),
    "a complex matrix": (lambda x: np.sum(np.abs(scipy.linalg.sqrtm(x + 0.5j * x.T * x)) ** 4), A),
    "a logarithm": (lambda x: np.sum(scipy.linalg.logm(x) ** 2), TURNED),
}


@pytest.mark.parametrize("name", ROOTS)
def test_roots_have_derivatives_of_two_orders_in_both_modes(name):
    f, x = ROOTS[name]
    u, w = RNG.normal(size=(2, *x.shape))
    np.testing.assert_allclose(np.sum(grad(f)(x) * u), quotient(f, x, u), rtol=1e-7)
    along = jvp(grad(f), (x,), (u,))[1]
    np.testing.assert_allclose(along, quotient(grad(f), x, u), rtol=1e-5, atol=1e-7 * np.max(np.abs(along)))
    np.testing.assert_allclose(np.sum(vjp(grad(f), x)[1](w)[0] * u), np.sum(along * w), rtol=1e-8)


def test_the_derivative_of_a_root_runs_no_iteration():
    reverse = to_text(program(grad(lambda x: np.sum(scipy.linalg.sqrtm(x) ** 3)), P))
    assert reverse.count("while") == to_text(program(lambda x: scipy.linalg.sqrtm(x), P)).count("while")
    assert reverse.count("= sylvester(") == 1


def test_taylor_coefficients_of_a_root():
    u = RNG.normal(size=P.shape)
    value, (first, second) = jet(lambda x: scipy.linalg.sqrtm(x), P, (u, np.zeros_like(u)))
    np.testing.assert_allclose(value @ value, P, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(value @ first + first @ value, u, atol=1e-10)
    np.testing.assert_allclose(value @ second + first @ first + second @ value, np.zeros_like(P), atol=1e-10)


# Riccati's equations


def regulator(a, b):
    return scipy.linalg.solve_continuous_are(a, b, np.eye(4), np.eye(2))


def sampled(a, b):
    return scipy.linalg.solve_discrete_are(a, b, np.eye(4), np.eye(2))


def test_the_derivative_of_riccatis_solution_is_lyapunovs():
    a, b, u = S, S[:, :2] + 1.0, RNG.normal(size=(4, 4))
    x, moved = jvp(lambda a: regulator(a, b), (a,), (u,))
    closed = a - b @ b.T @ x
    np.testing.assert_allclose(closed.T @ moved + moved @ closed, -(u.T @ x + x @ u), rtol=1e-9, atol=1e-10)
    x, moved = jvp(lambda a: sampled(a, b), (a,), (u,))
    closed = a - b @ np.linalg.solve(np.eye(2) + b.T @ x @ b, b.T @ x @ a)
    wanted = u.T @ x @ closed + closed.T @ x @ u
    np.testing.assert_allclose(moved - closed.T @ moved @ closed, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("solve", [regulator, sampled])
def test_second_derivatives_of_riccatis_solution(solve):
    f = grad(lambda a: np.sum(solve(a, S[:, :2] + 1.0) ** 2))
    u, w = RNG.normal(size=(2, 4, 4))
    along = jvp(f, (S,), (u,))[1]
    np.testing.assert_allclose(along, quotient(f, S, u), rtol=1e-5, atol=1e-7 * np.max(np.abs(along)))
    np.testing.assert_allclose(np.sum(vjp(f, S)[1](w)[0] * u), np.sum(along * w), rtol=1e-8)


def series(order, *coefficients):
    """Coefficients of powers of t, with zeros up to the last power looked at."""
    return np.stack([*coefficients, *[np.zeros_like(coefficients[0])] * (order + 1 - len(coefficients))])


def product(first, *others):
    """Of matrices whose elements are power series."""
    for other in others:
        first = np.stack([sum(first[i] @ other[k - i] for i in range(k + 1)) for k in range(len(first))])
    return first


def quotient_of_series(first, other):
    """first⁻¹ other."""
    found = []
    for k in range(len(first)):
        rest = other[k] - sum((first[k - i] @ found[i] for i in range(k)), np.zeros_like(other[k]))
        found.append(np.linalg.solve(first[0], rest))
    return np.stack(found)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


@pytest.mark.parametrize(("turn", "order"), [(0.0, 9), (1j, 4)])
@pytest.mark.parametrize("solve", [scipy.linalg.solve_continuous_are, scipy.linalg.solve_discrete_are])
def test_riccatis_solution_has_derivatives_of_every_order(solve, turn, order):
    """Taylor coefficients, as power series that satisfy the equation."""
    n, m = 3, 2
    a, u, q = RNG.normal(size=(3, n, n)) + turn * RNG.normal(size=(3, n, n))
    b, v = RNG.normal(size=(2, n, m)) + turn * RNG.normal(size=(2, n, m))
    a, u, v = 0.4 * a, 0.1 * u, 0.1 * v
    p, q = 0.1 * (u + adjoint(u)), q @ adjoint(q) + np.eye(n)

    def solution(t):
        return solve(a + t * u, b + t * v, q + t * p, np.eye(m))

    value, coefficients = jet(solution, 0.0, (1.0, *[0.0] * (order - 1)))
    np.testing.assert_allclose(value, solve(a, b, q, np.eye(m)), rtol=1e-10)
    x, along, given = np.stack([value, *coefficients]), series(order, a, u), series(order, q, p)
    beside = series(order, b, v)
    gain, one = product(beside, adjoint(beside)), series(order, np.eye(n))
    if solve is scipy.linalg.solve_continuous_are:
        left = product(adjoint(along), x) + product(x, along) - product(x, gain, x) + given
    else:
        closed = quotient_of_series(one + product(gain, x), along)
        left = product(adjoint(along), x, closed) - x + given
    for k in range(order + 1):
        np.testing.assert_allclose(left[k], 0.0, atol=1e-10 * max(1e-4, np.max(np.abs(x[k]))))


def test_the_derivative_of_riccatis_solution_runs_no_iteration():
    for solve in (regulator, sampled):
        f = lambda a: np.sum(solve(a, S[:, :2] + 1.0) ** 2)  # noqa: B023, E731
        reverse = to_text(program(grad(f), S))
        assert reverse.count("while") == to_text(program(f, S)).count("while")
        assert reverse.count("= riccati(") == 1


def test_large_riccati_equations():
    n = 60
    a, b = RNG.normal(size=(n, n)) / 8.0 - 1.5 * np.eye(n), RNG.normal(size=(n, 3))
    f = lambda a: np.trace(scipy.linalg.solve_continuous_are(a, b, np.eye(n), np.eye(3)))  # noqa: E731
    x = scipy.linalg.solve_continuous_are(a, b, np.eye(n), np.eye(3))
    dual = scipy.linalg.solve_continuous_lyapunov(a - b @ b.T @ x, -np.eye(n))
    np.testing.assert_allclose(grad(f)(a), 2.0 * x @ dual, rtol=1e-6, atol=1e-8)


# Some of the eigenvalues and eigenvectors

SPECTRUM = np.array([-2.0, -0.5, 1.0, 1.0, 1.0])


def with_spectrum(w, turn):
    """A Hermitian matrix with these eigenvalues."""
    n = len(w)
    v = np.linalg.qr(RNG.normal(size=(n, n)) + turn * RNG.normal(size=(n, n)))[0]
    return (v * w) @ adjoint(v)


def of_values(x, first, last):
    return np.sum(scipy.linalg.eigh(x, eigvals_only=True, subset_by_index=(first, last)) ** 3)


def of_vectors(x, first, last):
    w, v = scipy.linalg.eigh(x, subset_by_index=(first, last))
    return np.sum(np.sin(w) * np.abs(v[0]) ** 2) + np.sum(np.abs(v[1]) ** 4)


PARTS = {
    "the least": (SPECTRUM, 0, 1),
    "the largest": (-SPECTRUM[::-1], 3, 4),
    "between": (np.array([0.0, 0.0, 1.0, 3.0, 4.0, 4.0]), 2, 3),
}


@pytest.mark.parametrize("f", [of_values, of_vectors])
@pytest.mark.parametrize(("name", "turn"), [*((name, 0.0) for name in PARTS), ("between", 1j)])
def test_a_part_of_the_eigenvalues_where_the_others_coincide(f, name, turn):
    w, first, last = PARTS[name]
    x, u, v = (with_spectrum(each, turn) for each in (w, *RNG.normal(size=(2, len(w)))))
    along = lambda t, s: f(x + t * u + s * v, first, last)  # noqa: E731
    slope = lambda t: grad(along, 1)(t, 0.0)  # noqa: E731
    np.testing.assert_allclose(slope(0.0), quotient(lambda s: along(0.0, s), 0.0, 1.0), rtol=1e-7)
    second = jvp(grad(along, 1), (0.0, 0.0), (1.0, 0.0))[1]
    np.testing.assert_allclose(second, quotient(slope, 0.0, 1.0), rtol=1e-6)


def test_eigenvectors_that_meet_a_discarded_one_raise():
    x = with_spectrum(SPECTRUM, 0.0)
    np.testing.assert_allclose(np.trace(grad(lambda x: of_values(x, 1, 2))(x)), 3.0 * (0.25 + 1.0), rtol=1e-10)
    with pytest.raises(np.linalg.LinAlgError, match="eigenvalues coincide"):
        grad(lambda x: of_vectors(x, 1, 2))(x)


@pytest.mark.parametrize("subset", [(0, 4), (3, 5)])
def test_all_eigenvalues_and_indices_that_name_none(subset):
    x = with_spectrum(np.arange(5.0), 0.0)
    f = lambda x: np.sum(scipy.linalg.eigvalsh(x, subset_by_index=subset))  # noqa: E731
    if subset == (0, 4):
        np.testing.assert_allclose(grad(f)(x), np.eye(5), atol=1e-12)
        return
    with pytest.raises(ValueError, match="eigenvalue indices are not valid"):
        grad(f)(x)

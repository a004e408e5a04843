"""Linear algebra: degenerate spectra and singular matrices, second derivatives, references of many digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import adcore
from adcore import grad, jit, jvp, program, value_and_grad, vjp
from adcore.text import to_text

RNG = np.random.default_rng(3)
A = RNG.normal(size=(4, 4)) + 3.0 * np.eye(4)
P = A @ A.T
U = RNG.normal(size=(4, 4))
S = 0.5 * (A + A.T) + np.diag([0.0, 2.0, 5.0, 9.0])


def symmetric(x):
    return 0.5 * (x + x.T)


def quotient(f, x, u, h=1e-5):
    """Differences of sixth order."""
    steps = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
    return sum(c * (f(x + k * h * u) - f(x - k * h * u)) for k, c in steps) / h


# Second derivatives

SCALARS = {
    "solve": (lambda x: np.sum(np.linalg.solve(x, x[0] ** 2)), A),
    "inverse": (lambda x: np.sum(np.linalg.inv(x) ** 2), A),
    "determinant": (lambda x: np.linalg.det(x), A),
    "determinant of a singular matrix": (lambda x: np.linalg.det(x), np.outer(A[0], A[1]) + np.outer(A[2], A[3])),
    "logarithm of a determinant": (lambda x: np.linalg.slogdet(x)[1], A),
    "cholesky": (lambda x: np.sum(np.linalg.cholesky(x) ** 3), P),
    "qr": (lambda x: np.sum(np.linalg.qr(x)[0] ** 3) + np.sum(np.linalg.qr(x)[1] ** 3), A),
    "tall qr": (lambda x: np.sum(np.linalg.qr(x)[0] ** 3) + np.sum(np.linalg.qr(x)[1] ** 3), A[:, :2]),
    "eigenvalues": (lambda x: np.sum(np.linalg.eigvalsh(x) ** 3), S),
    "eigenvectors": (lambda x: np.sum(np.linalg.eigh(x)[1] ** 4), S),
    "eigenvalues of any matrix": (lambda x: np.sum(np.abs(np.linalg.eigvals(x - x.T + 0.3 * x)) ** 3), A),
    "eigenvectors of any matrix": (lambda x: np.sum(np.abs(np.linalg.eig(x - x.T + 0.3 * x)[1]) ** 4), A),
    "components of eigenvectors": (lambda x: np.sum(np.linalg.eig(x - x.T + 0.3 * x)[1] ** 3).real, A),
    "singular values": (lambda x: np.sum(np.linalg.svd(x, compute_uv=False) ** 3), A[:, :3]),
    "singular vectors": (lambda x: np.sum(np.linalg.svd(x, full_matrices=False)[0] ** 4), A[:3]),
    "pseudo-inverse": (lambda x: np.sum(np.linalg.pinv(x) ** 2), A[:, :3]),
    "least squares": (lambda x: np.sum(np.linalg.lstsq(x, x[:, 0] ** 2)[0] ** 2), A[:, :3]),
    "lu": (lambda x: np.sum(scipy.linalg.lu(x)[1] ** 2) + np.sum(scipy.linalg.lu(x)[2] ** 3), A),
    "exponential": (lambda x: np.sum(scipy.linalg.expm(x) ** 2), 0.2 * A),
    "square root": (lambda x: np.sum(scipy.linalg.sqrtm(x) ** 2 * x), P),
    "triangle": (lambda x: np.sum(scipy.linalg.solve_triangular(x, x[0], trans=1, unit_diagonal=True)), A),
}


@pytest.mark.parametrize("name", SCALARS)
def test_second_derivatives_in_both_modes(name):
    f, x = SCALARS[name]
    u, w = RNG.normal(size=(2, *x.shape))
    along = quotient(grad(f), x, u)
    forward = jvp(grad(f), (x,), (u,))[1]
    np.testing.assert_allclose(forward, along, rtol=2e-6, atol=2e-6 * np.max(np.abs(along)))
    (reverse,) = vjp(grad(f), x)[1](w)
    np.testing.assert_allclose(np.sum(reverse * u), np.sum(forward * w), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["solve", "cholesky"])
def test_third_derivatives(name):
    f, x = SCALARS[name]
    u, v, w = RNG.normal(size=(3, *x.shape))
    second = lambda x: jvp(grad(f), (x,), (u,))[1]  # noqa: E731
    third = jvp(second, (x,), (v,))[1]
    np.testing.assert_allclose(third, quotient(second, x, v), rtol=1e-5, atol=1e-5 * np.max(np.abs(third)))
    np.testing.assert_allclose(np.sum(vjp(second, x)[1](w)[0] * v), np.sum(third * w), rtol=1e-8)


# High precision


def exact_gradient(f, x, digits=40):
    """The gradient by central differences with many digits."""
    with mpmath.workdps(digits):
        h = mpmath.mpf(10) ** -12
        made = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            sides = []
            for step in (h, -h):
                m = mpmath.matrix(x.tolist())
                m[place] += step
                sides.append(f(m))
            made[place] = float((sides[0] - sides[1]) / (2 * h))
        return made


ILL = np.diag([1e6, 1.0, 1e-6]) @ (A[:3, :3]) @ np.diag([1e-3, 1.0, 1e3])


@pytest.mark.parametrize("x", [A, ILL, A[:1, :1]], ids=["random", "ill-scaled", "one"])
def test_gradients_against_many_digits(x):
    found = grad(lambda x: np.sum(np.linalg.inv(x)))(x)
    wanted = exact_gradient(lambda m: mpmath.fsum(m**-1), x)
    np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-12 * np.max(np.abs(wanted)))
    found = grad(lambda x: np.linalg.det(x))(x)
    wanted = exact_gradient(mpmath.det, x)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * np.max(np.abs(wanted)))


def test_exponential_and_logarithm_against_many_digits():
    x = P[:3, :3] / 10.0
    found = grad(lambda x: np.sum(scipy.linalg.expm(x)))(x)
    np.testing.assert_allclose(found, exact_gradient(lambda m: mpmath.fsum(mpmath.expm(m)), x), rtol=1e-10)
    found = grad(lambda x: np.sum(scipy.linalg.logm(x)))(x)
    np.testing.assert_allclose(found, exact_gradient(lambda m: mpmath.fsum(mpmath.logm(m)), x).real, rtol=1e-9)


# Degenerate spectra

ROTATION = np.linalg.qr(A)[0]
TWICE = symmetric(ROTATION @ np.diag([2.0, 2.0, 2.0, 5.0]) @ ROTATION.T)
REPEATED = [np.eye(4), 0.0 * np.eye(4), TWICE, np.diag([1.0, 2.0, 1.0, 2.0])]


@pytest.mark.parametrize("x", REPEATED, ids=["one", "zero", "three times", "twice two"])
def test_functions_of_coinciding_eigenvalues(x):
    np.testing.assert_allclose(grad(lambda x: np.sum(np.linalg.eigvalsh(x)))(x), np.eye(4), atol=1e-12)
    found = symmetric(grad(lambda x: np.sum(np.exp(np.linalg.eigvalsh(x))))(x))
    np.testing.assert_allclose(found, scipy.linalg.expm(x), rtol=1e-10, atol=1e-10)
    u = symmetric(U)
    along = jvp(lambda x: np.sum(np.linalg.eigh(x)[0] ** 3), (x,), (u,))[1]
    np.testing.assert_allclose(along, 3.0 * np.sum((x @ x) * u), rtol=1e-10, atol=1e-12)


def test_singular_values_that_coincide():
    x = ROTATION * 3.0
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, "nuc"))(x), ROTATION, atol=1e-12)
    u, s, vt = np.linalg.svd(A)
    x = (u[:, :2] * s[:2]) @ vt[:2]  # of rank 2: the subgradient that is the mean of what is seen from all sides
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, "nuc"))(x), u[:, :2] @ vt[:2], atol=1e-12)
    np.testing.assert_allclose(grad(lambda x: np.sum(np.linalg.svdvals(x) ** 2))(x), 2.0 * x, atol=1e-12)


@pytest.mark.parametrize("ord", [None, 1, 2, "fro", "nuc", np.inf])
def test_norms_at_zero_have_the_mean_of_the_onesided_derivatives(ord):
    np.testing.assert_array_equal(grad(lambda x: np.linalg.norm(x, ord))(np.zeros((3, 3))), np.zeros((3, 3)))


def rebuilt(x):
    w, v = np.linalg.eigh(x)
    return np.sum((v * np.sqrt(w)) @ v.T * U)


@pytest.mark.parametrize("x", [np.eye(4), TWICE])
def test_vectors_of_coinciding_eigenvalues_have_no_derivative(x):
    """The square root has one, which cannot be told from the derivatives of eigenvalues and eigenvectors."""
    for derivative in (grad(rebuilt), lambda x: jvp(rebuilt, (x,), (U,))):
        with pytest.raises(np.linalg.LinAlgError, match="eigenvalues coincide"):
            derivative(x)
    found = grad(lambda x: np.sum(scipy.linalg.sqrtm(x) * U))(np.eye(4))
    np.testing.assert_allclose(found, 0.5 * U, atol=1e-12)


def test_second_derivatives_at_coinciding_eigenvalues_are_refused():
    def f(x):
        return np.sum(np.linalg.eigvalsh(x) ** 3)

    with pytest.raises(np.linalg.LinAlgError, match="second derivatives"):
        jvp(grad(f), (np.eye(4),), (U,))


JORDAN = np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]])
NEAR_JORDAN = np.linalg.inv(A[:3, :3]) @ JORDAN @ A[:3, :3]


@pytest.mark.parametrize(
    "x", [JORDAN, NEAR_JORDAN, JORDAN[:2, :2], JORDAN.T, JORDAN + 0j, np.zeros((2, 2)) + JORDAN[1:, 1:]]
)
def test_eigenvalues_of_matrices_without_a_basis_of_eigenvectors(x):
    def f(x):
        return np.sum(np.abs(np.linalg.eigvals(x)) ** 2)

    np.testing.assert_allclose(jit(f)(x), f(x), rtol=1e-4)
    for derivative in (grad(f), lambda x: jvp(f, (x,), (x,))):
        with pytest.raises(np.linalg.LinAlgError, match="no basis of eigenvectors"):
            derivative(x)


@pytest.mark.parametrize("x", [np.eye(4), TWICE, A @ np.diag([1.0, 1.0, 2.0, 3.0]) @ np.linalg.inv(A)])
def test_spectra_of_matrices_whose_eigenvalues_coincide(x):
    found = grad(lambda x: np.sum(np.exp(np.linalg.eigvals(x)).real))(x)
    np.testing.assert_allclose(found, scipy.linalg.expm(x).T, rtol=1e-9, atol=1e-9)
    with pytest.raises(np.linalg.LinAlgError, match="eigenvalues coincide"):
        grad(lambda x: np.abs(np.linalg.eig(x)[1][0, 0]))(x)
    with pytest.raises(np.linalg.LinAlgError, match="second derivatives"):
        jvp(grad(lambda x: np.sum(np.linalg.eigvals(x) ** 3).real), (x,), (U,))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: scipy.linalg.eig(x, x)[0],
        lambda x: scipy.linalg.eigvals(x, x),
        lambda x: scipy.linalg.eig(x, left=True)[1],
        lambda x: scipy.linalg.eigvals(x, homogeneous_eigvals=True),
    ],
)
def test_forms_of_eigenvalue_problems_that_are_refused(f):
    with pytest.raises(adcore.AdcoreError, match="Write instead"):
        jit(f)(A)


def test_eigenvalues_are_complex_numbers_where_numpys_are_real():
    assert np.linalg.eigvals(S).dtype == float
    ours = jit(lambda x: np.linalg.eigvals(x))(S)
    assert ours.dtype == complex
    np.testing.assert_allclose(ours, np.linalg.eigvals(S), rtol=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("f", [np.linalg.eigvals, np.linalg.eig, scipy.linalg.eigvals, np.linalg.svdvals])
def test_spectra_of_what_is_not_finite(f, wrong):
    x = np.eye(3)
    x[0, 1] = wrong
    if wrong == np.inf and f is np.linalg.svdvals:  # LAPACK takes it, and finds nan
        assert np.isnan(jit(lambda x: f(x))(x)).all()
        return
    assert refusal(jit(lambda x: f(x)), x) == refusal(f, x)


@pytest.mark.parametrize("p", [[1.0, -2.0, 1.0], [1.0, -1.0, 0.0, 0.0]])
def test_multiple_roots_have_no_derivative(p):
    def f(p):
        return np.sum(np.abs(np.roots(p)))

    np.testing.assert_allclose(jit(f)(np.array(p)), f(p), rtol=1e-6)
    with pytest.raises(np.linalg.LinAlgError, match="no basis of eigenvectors"):
        grad(f)(np.array(p))


def test_error_of_a_derivative_has_the_users_line():
    with pytest.raises(np.linalg.LinAlgError) as caught:
        grad(rebuilt)(np.eye(4))
    assert caught.traceback[-1].name == "rebuilt"


# Errors


def refusal(f, *arguments):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        f(*arguments)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.linalg.solve(x, x[0]), np.ones((3, 3))),
        (lambda x: np.linalg.solve(x, x[0, :2]), A),
        (lambda x: np.linalg.solve(x, x[:2]), A),
        (lambda x: np.linalg.inv(x), np.zeros((2, 2))),
        (lambda x: np.linalg.inv(x), np.ones((2, 3))),
        (lambda x: np.linalg.inv(x), np.ones(3)),
        (lambda x: np.linalg.cholesky(x), -np.eye(3)),
        (lambda x: np.linalg.det(x), np.ones((2, 3))),
        (lambda x: np.linalg.eigh(x), np.ones((2, 3))),
        (lambda x: np.linalg.qr(x), np.ones(3)),
        (lambda x: np.linalg.norm(x, "nuc"), np.ones(3)),
        (lambda x: np.linalg.norm(x, 3), np.ones((3, 3))),
        (lambda x: np.linalg.lstsq(x, x[0]), np.ones((3, 2))),
    ],
)
def test_errors_are_numpys(f, x):
    ours, theirs = refusal(jit(f), x), refusal(f, x)
    assert ours == theirs


@pytest.mark.parametrize("f", [scipy.linalg.schur, scipy.linalg.hessenberg])
def test_forms_without_derivatives_are_refused_by_name(f):
    with pytest.raises(adcore.AdcoreError, match="Write instead"):
        jit(lambda x: f(x))(A)


# Reuse


def test_the_factorization_is_done_once():
    text = to_text(program(grad(lambda x, y: np.sum(np.linalg.solve(x, y) ** 2)), A, A[0]))
    assert text.count("= lu(") == 1
    assert text.count("= solve(") == 2
    text = to_text(program(grad(lambda x: np.sum(np.linalg.eigvalsh(x) ** 2)), A))
    assert text.count("= eigh(") == 1


def stepped(x, y, n):
    for _ in range(n):
        y = np.linalg.solve(x + np.outer(y, y), y + 1.0)
    return np.sum(y * y)


def test_a_loop_keeps_its_factorizations():
    found = grad(stepped)(A, A[0], 5)
    u = RNG.normal(size=A.shape)
    np.testing.assert_allclose(np.sum(found * u), quotient(lambda x: stepped(x, A[0], 5), A, u), rtol=1e-7)
    text = to_text(program(grad(stepped), A, A[0], 5))
    assert text.count("= lu(") == 1


# From end to end


def kalman(transition, noise, observed):
    """The log likelihood of observations of the first component."""
    n = transition.shape[0]
    mean, covariance = np.zeros(n), np.eye(n)
    total = 0.0
    for k in range(observed.shape[0]):
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + noise @ noise.T
        spread = covariance[:1, :1] + 0.1 * np.eye(1)
        gain = np.linalg.solve(spread, covariance[:1]).T
        missed = observed[k] - mean[:1]
        total -= 0.5 * (missed @ np.linalg.solve(spread, missed) + np.linalg.slogdet(spread)[1])
        mean = mean + gain @ missed
        covariance = covariance - gain @ covariance[:1]
    return total


def test_kalman_filter():
    transition, noise, observed = 0.3 * A[:3, :3], 0.2 * A[1:, 1:], RNG.normal(size=20)
    value, found = value_and_grad(kalman, argnums=(0, 1))(transition, noise, observed)
    np.testing.assert_allclose(value, kalman(transition, noise, observed), rtol=1e-12)
    for k, x in enumerate((transition, noise)):
        u = RNG.normal(size=x.shape)
        f = (lambda x: kalman(x, noise, observed)) if k == 0 else (lambda x: kalman(transition, x, observed))
        np.testing.assert_allclose(np.sum(found[k] * u), quotient(f, x, u), rtol=1e-6)


def gaussian_process(scale, amplitude, jitter, x, y):
    distances = (x[:, None] - x[None, :]) ** 2
    covariance = amplitude**2 * np.exp(-0.5 * distances / scale**2) + jitter**2 * np.eye(x.shape[0])
    lower = np.linalg.cholesky(covariance)
    weights = scipy.linalg.cho_solve((lower, True), y)
    return -0.5 * y @ weights - np.sum(np.log(np.diag(lower))) - 0.5 * x.shape[0] * np.log(2.0 * np.pi)


def test_gaussian_process():
    x, y = np.sort(RNG.uniform(0.0, 5.0, 30)), RNG.normal(size=30)
    value, found = value_and_grad(gaussian_process, argnums=(0, 1, 2))(1.2, 0.8, 0.3, x, y)
    covariance = 0.8**2 * np.exp(-0.5 * (x[:, None] - x) ** 2 / 1.2**2) + 0.3**2 * np.eye(30)
    np.testing.assert_allclose(value, scipy.stats.multivariate_normal(np.zeros(30), covariance).logpdf(y), rtol=1e-10)
    for k in range(3):
        u = np.eye(3)[k]
        along = quotient(lambda p: gaussian_process(p[0], p[1], p[2], x, y), np.array([1.2, 0.8, 0.3]), u)
        np.testing.assert_allclose(found[k], along, rtol=1e-7)


# Memory


@pytest.mark.parametrize("x", [np.asfortranarray(P), P.T, P[::-1, ::-1]], ids=["by columns", "transposed", "backwards"])
def test_arguments_in_any_order_of_memory(x):
    def f(x):
        return np.sum(np.linalg.cholesky(x) ** 3) + np.sum(np.linalg.solve(x, x[:, ::-1]) ** 2)

    np.testing.assert_allclose(jit(f)(x), f(x), rtol=1e-11)
    u = RNG.normal(size=x.shape)
    np.testing.assert_allclose(np.sum(grad(f)(x) * u), quotient(f, x, u), rtol=1e-6)


def test_results_used_through_views():
    def f(x):
        q, r = np.linalg.qr(x)
        r[0] = r[0] * 2.0
        q.T[1] += 1.0
        return np.sum(q[:, 1] * q[:, 0]) + np.sum(r[::2, 1:] ** 2)

    np.testing.assert_allclose(jit(f)(A), f(A), rtol=1e-12)
    u = RNG.normal(size=A.shape)
    np.testing.assert_allclose(np.sum(grad(f)(A) * u), quotient(f, A, u), rtol=1e-6)


def test_parameters_with_defaults_are_left_out_of_jvp():
    def f(x, scale=2.0):
        return np.sum(np.linalg.inv(x)) * scale

    np.testing.assert_allclose(jvp(f, (A,), (U,))[0], f(A), rtol=1e-12)


# Complex matrices

Z = A + 1j * U
COMPLEX = {
    "solve": lambda z: np.linalg.solve(z, z[0]),
    "solve for complex": lambda z: np.linalg.solve(z.real, z),
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "norm": np.linalg.norm,
    "norm 1": lambda z: np.linalg.norm(z, 1),
    "norm 3": lambda z: np.linalg.norm(z[0], 3),
    "norms": lambda z: np.linalg.norm(z, axis=1),
}


@pytest.mark.parametrize("f", COMPLEX.values(), ids=COMPLEX)
def test_complex_matrices(f):
    np.testing.assert_allclose(jit(f)(Z), f(Z), rtol=1e-12)
    u = RNG.normal(size=Z.shape) + 1j * RNG.normal(size=Z.shape)
    along = jvp(f, (Z,), (u,))[1]
    np.testing.assert_allclose(along, (f(Z + 1e-6 * u) - f(Z - 1e-6 * u)) / 2e-6, rtol=1e-6, atol=1e-8)
    w = np.ones(np.shape(along), np.asarray(along).dtype) * 0.5
    (back,) = vjp(f, Z)[1](w if w.ndim else w[()])
    np.testing.assert_allclose(np.sum(along * w).real, np.sum(back * u).real, rtol=1e-11, atol=1e-13)


def shaped(z):
    return 0.5 * (z + z.conj().T)


HERMITIAN = shaped(Z) + np.diag([0.0, 2.0, 5.0, 9.0])
OF_COMPLEX = {
    "cholesky": (lambda z: np.sum(np.linalg.cholesky(z) ** 3).real, Z @ Z.conj().T),
    "qr": (lambda z: np.sum(np.linalg.qr(z)[0] ** 3 + np.linalg.qr(z)[1] ** 3).real, Z),
    "tall qr": (lambda z: np.sum(np.linalg.qr(z)[0] ** 3).real + np.sum(np.abs(np.linalg.qr(z)[1])), Z[:, :2]),
    "eigenvalues": (lambda z: np.sum(np.linalg.eigvalsh(z) ** 3), HERMITIAN),
    "eigenvectors": (lambda z: np.sum(np.abs(np.linalg.eigh(z)[1]) ** 4), HERMITIAN),
    "eigenvalues of any matrix": (lambda z: np.sum(np.linalg.eigvals(z) ** 3 * np.abs(np.linalg.eigvals(z))).imag, Z),
    "eigenvectors of any matrix": (lambda z: np.sum(np.linalg.eig(z)[1] ** 3).imag, Z),
    "singular values": (lambda z: np.sum(np.linalg.svd(z, compute_uv=False) ** 3), Z[:, :3]),
    "left singular vectors": (lambda z: np.sum(np.abs(np.linalg.svd(z, full_matrices=False)[0]) ** 4), Z[:, :3]),
    "right singular vectors": (lambda z: np.sum(np.abs(np.linalg.svd(z, full_matrices=False)[2]) ** 4), Z[:3]),
    "polar factor": (lambda z: np.sum(scipy.linalg.polar(z)[0] ** 3).imag, Z),
    "pseudo-inverse": (lambda z: np.sum(np.linalg.pinv(z) ** 2).real, Z[:, :3]),
    "logarithm of a determinant": (lambda z: np.linalg.slogdet(z)[1] + np.linalg.slogdet(z)[0].imag, Z),
    "triangle": (lambda z: np.sum(scipy.linalg.solve_triangular(z, z[0], trans=2)).real, Z),
    "definite": (lambda z: np.sum(scipy.linalg.solve(z, z[0], assume_a="pos")).imag, Z @ Z.conj().T),
}


@pytest.mark.parametrize("name", OF_COMPLEX)
def test_second_derivatives_of_complex_matrices(name):
    f, z = OF_COMPLEX[name]
    u, w = (RNG.normal(size=z.shape) + 1j * RNG.normal(size=z.shape) for _ in range(2))
    first = quotient(f, z, u)
    np.testing.assert_allclose(np.sum(grad(f)(z) * u).real, first, rtol=1e-7, atol=1e-9)
    along = quotient(grad(f), z, u)
    forward = jvp(grad(f), (z,), (u,))[1]
    np.testing.assert_allclose(forward, along, rtol=2e-6, atol=2e-6 * np.max(np.abs(along)))
    (reverse,) = vjp(grad(f), z)[1](w)
    np.testing.assert_allclose(np.sum(reverse * u).real, np.sum(forward * w).real, rtol=1e-8, atol=1e-8)


def test_vectors_of_complex_matrices_keep_their_phases():
    """The derivative of an eigenvector is orthogonal to it; so is that of a right singular vector."""
    u = RNG.normal(size=Z.shape) + 1j * RNG.normal(size=Z.shape)
    v, moved = jvp(lambda z: np.linalg.eigh(z)[1], (HERMITIAN,), (u,))
    np.testing.assert_allclose(np.sum(v.conj() * moved, 0), 0.0, atol=1e-13)
    vt, moved = jvp(lambda z: np.linalg.svd(z)[2], (Z,), (u,))
    np.testing.assert_allclose(np.sum(vt.conj() * moved, 1), 0.0, atol=1e-13)


def test_projections_where_components_are_zero():
    """What fixed a phase by a component would divide by 0 here."""
    z = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.5j], [0.0, -0.5j, 4.0]])
    u = shaped(Z[:3, :3])

    def f(z):
        v = np.linalg.eigh(z)[1]
        return v[:, 0][:, None] * v[:, 0].conj()

    np.testing.assert_allclose(jvp(f, (z,), (u,))[1], quotient(f, z, u), rtol=1e-8, atol=1e-9)


def test_coinciding_eigenvalues_of_hermitian_matrices():
    q = np.linalg.qr(Z)[0]
    z = shaped((q * np.array([2.0, 2.0, 2.0, 5.0])) @ q.conj().T)
    found = grad(lambda z: np.sum(np.exp(np.linalg.eigvalsh(z))))(z)
    u = shaped(U + 1j * U.T)
    np.testing.assert_allclose(np.sum(found * u).real, np.trace(scipy.linalg.expm(z) @ u).real, rtol=1e-10)
    with pytest.raises(np.linalg.LinAlgError, match="eigenvalues coincide"):
        grad(lambda z: np.abs(np.linalg.eigh(z)[1][0, 0]))(z)


def test_complex_matrices_that_are_not_definite():
    for x in (-np.eye(3) * (1.0 + 0j), np.zeros((2, 2), complex)):
        assert refusal(jit(lambda z: np.linalg.cholesky(z)), x) == refusal(np.linalg.cholesky, x)


@pytest.mark.parametrize("name", OF_COMPLEX)
def test_complex_matrices_of_single_precision(name):
    f, z = OF_COMPLEX[name]
    narrow = z.astype(np.complex64)
    value, found = value_and_grad(f)(narrow)
    wanted = grad(f)(z)
    assert found.dtype == np.complex64
    assert np.asarray(value).dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=5e-3, atol=5e-3 * np.max(np.abs(wanted)))

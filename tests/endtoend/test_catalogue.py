"""The catalogue (projections, proximal operators, conditions, layers) against independent solvers and differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.optimize
import scipy.special

from adcore import (
    check_grads,
    custom_fixed_point,
    custom_root,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    minimize,
    stop_gradient,
    vmap,
)
from adcore.conditions import (
    block_coordinate,
    conic_residual,
    kkt,
    mirror_descent,
    newton,
    projected_gradient,
    proximal_gradient,
    stationary,
)
from adcore.isotonic import isotonic_l2_pav
from adcore.layers import isotonic_regression, linear_program, quadratic_program, sinkhorn, sinkhorn_potentials
from adcore.projections import (
    kl_projection_transport,
    projection_affine_set,
    projection_box,
    projection_box_section,
    projection_halfspace,
    projection_hypercube,
    projection_hyperplane,
    projection_l1_ball,
    projection_l1_sphere,
    projection_l2_ball,
    projection_l2_sphere,
    projection_linf_ball,
    projection_non_negative,
    projection_polyhedron,
    projection_second_order_cone,
    projection_simplex,
    projection_transport,
)
from adcore.proximal import (
    make_prox_from_projection,
    over_tree,
    prox_elastic_net,
    prox_group_lasso,
    prox_lasso,
    prox_non_negative_lasso,
    prox_non_negative_ridge,
    prox_none,
    prox_nuclear_norm,
    prox_ridge,
)

RNG = np.random.default_rng(7)
X = np.array([0.9, -0.35, 0.6, 0.15, -1.2])
A = RNG.normal(size=(2, 5))
G = RNG.normal(size=(4, 5))
INSIDE = RNG.normal(size=5)
B, H = A @ INSIDE, G @ INSIDE + np.array([0.1, 0.2, 0.3, 2.0])
LOWER, UPPER = np.full(5, -0.5), np.array([0.5, 0.4, 0.7, 0.8, 0.9])
W = np.array([1.0, 2.0, 0.5, 1.5, 1.0])
SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=5)))
CONE = np.array([0.5, 0.7, -0.4, 0.3])


def equal(f):
    return {"type": "eq", "fun": f}


def positive(f):
    return {"type": "ineq", "fun": f}


# name: function, point, parameters, constraints of the set, as SciPy has them
PROJECTIONS = {
    "non_negative": (projection_non_negative, X, (), [positive(lambda p: p)]),
    "box": (projection_box, X, ((LOWER, UPPER),), [positive(lambda p: p - LOWER), positive(lambda p: UPPER - p)]),
    "hypercube": (projection_hypercube, X, (0.5,), [positive(lambda p: p), positive(lambda p: 0.5 - p)]),
    "simplex": (projection_simplex, X, (1.0,), [positive(lambda p: p), equal(lambda p: p.sum() - 1.0)]),
    "simplex of 0.4": (projection_simplex, X, (0.4,), [positive(lambda p: p), equal(lambda p: p.sum() - 0.4)]),
    "l1 ball": (projection_l1_ball, X, (1.4,), [positive(lambda p: 1.4 - SIGNS @ p)]),
    "l1 ball, inside": (projection_l1_ball, X, (9.0,), []),
    "l2 sphere": (projection_l2_sphere, X, (1.3,), [equal(lambda p: p @ p - 1.69)]),
    "l2 ball": (projection_l2_ball, X, (1.3,), [positive(lambda p: 1.69 - p @ p)]),
    "l2 ball, inside": (projection_l2_ball, X, (3.0,), []),
    "linf ball": (projection_linf_ball, X, (0.7,), [positive(lambda p: 0.7 - p), positive(lambda p: 0.7 + p)]),
    "hyperplane": (projection_hyperplane, X, ((W, 0.4),), [equal(lambda p: W @ p - 0.4)]),
    "halfspace": (projection_halfspace, X, ((W, -0.4),), [positive(lambda p: -0.4 - W @ p)]),
    "halfspace, inside": (projection_halfspace, X, ((W, 2.0),), []),
    "affine set": (projection_affine_set, X, ((A, B),), [equal(lambda p: A @ p - B)]),
    "polyhedron": (
        projection_polyhedron,
        X,
        ((A, B, G, H),),
        [equal(lambda p: A @ p - B), positive(lambda p: H - G @ p)],
    ),
    "polyhedron without equations": (
        projection_polyhedron,
        X,
        ((None, None, G, H),),
        [positive(lambda p: H - G @ p)],
    ),
    "polyhedron without inequalities": (
        projection_polyhedron,
        X,
        ((A, B, None, None),),
        [equal(lambda p: A @ p - B)],
    ),
    "box section": (
        projection_box_section,
        X,
        ((LOWER, UPPER, W, 0.45),),
        [positive(lambda p: p - LOWER), positive(lambda p: UPPER - p), equal(lambda p: W @ p - 0.45)],
    ),
    "second-order cone": (
        projection_second_order_cone,
        CONE,
        (),
        [positive(lambda p: p[0] - np.sqrt(p[1:] @ p[1:] + 1e-30))],
    ),
    "second-order cone, inside": (projection_second_order_cone, CONE + np.array([1.0, 0, 0, 0]), (), []),
}
STRICT = 1e-9


@pytest.mark.parametrize("name", PROJECTIONS)
def test_projections_are_the_nearest_points(name):
    function, x, parameters, constraints = PROJECTIONS[name]
    found = function(x, *parameters)
    np.testing.assert_allclose(jit(function)(x, *parameters), found, atol=1e-12)
    solution = scipy.optimize.minimize(
        lambda p: 0.5 * np.sum((p - x) ** 2), x, jac=lambda p: p - x, constraints=constraints, tol=1e-14
    )
    np.testing.assert_allclose(found, solution.x, atol=2e-6)
    for constraint in constraints:
        value = constraint["fun"](found)
        assert np.all(np.abs(value) < STRICT if constraint["type"] == "eq" else value > -STRICT)


@pytest.mark.parametrize("name", PROJECTIONS)
def test_derivatives_of_projections(name):
    function, x, parameters, _ = PROJECTIONS[name]
    if name.startswith("polyhedron"):
        check_grads(function, (x, *parameters), eps=1e-3)
    else:
        check_grads(function, (x, *parameters), order=2, eps=1e-3)


def test_the_jacobian_of_the_projection_onto_a_simplex():
    """On the support it is the identity less its mean (Martins and Astudillo 2016)."""
    support = (projection_simplex(X) > 0).astype(float)
    expected = np.diag(support) - np.outer(support, support) / support.sum()
    np.testing.assert_allclose(jacfwd(projection_simplex)(X), expected, atol=1e-15)
    np.testing.assert_allclose(jacrev(projection_simplex)(X), expected, atol=1e-15)
    np.testing.assert_allclose(jacrev(projection_simplex, argnums=1)(X, 1.0), support / support.sum(), atol=1e-15)


def test_projections_at_the_ends_of_what_they_take():
    assert projection_simplex(X, 0.0) == pytest.approx(np.zeros(5))
    assert projection_simplex(np.array([3.0])) == pytest.approx([1.0])
    assert projection_simplex(X, None) == pytest.approx(projection_simplex(X))
    assert np.abs(projection_l1_sphere(np.array([0.0, 0.0, 0.1]))).sum() == pytest.approx(1.0)
    assert projection_second_order_cone(np.array([-2.0, 1.0, 1.0])) == pytest.approx(np.zeros(3))
    assert projection_second_order_cone(np.array([-2.0])) == pytest.approx([0.0])
    assert projection_box_section(X, (LOWER, UPPER, W, W @ UPPER)) == pytest.approx(UPPER)
    assert projection_box_section(X, (LOWER, LOWER, W, W @ LOWER)) == pytest.approx(LOWER)
    assert projection_simplex(X.astype(np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match="negative sum"):
        projection_simplex(X, -1.0)
    with pytest.raises(ValueError, match="no point of the box"):
        projection_box_section(X, (LOWER, UPPER, W, 100.0))
    with pytest.raises(ValueError, match="no minimum found"):
        projection_polyhedron(X[:1], (None, None, np.array([[1.0], [-1.0]]), np.array([-1.0, -1.0])))


def test_projections_side_by_side():
    rows = RNG.normal(size=(6, 5))
    for function in (projection_simplex, projection_l1_ball, projection_l2_ball):
        np.testing.assert_allclose(vmap(function)(rows), [function(row) for row in rows], atol=1e-12)
        found = vmap(grad(lambda x, f=function: np.sum(f(x) ** 3)))(rows)
        np.testing.assert_allclose(found, [grad(lambda x, f=function: np.sum(f(x) ** 3))(r) for r in rows], atol=1e-12)
    found = vmap(lambda x: projection_polyhedron(x, (None, None, -np.eye(5), np.zeros(5))))(rows)
    np.testing.assert_allclose(found, np.maximum(rows, 0.0), atol=1e-9)


MATRIX = RNG.normal(size=(4, 3))

# name: operator, point, parameters, g(y, parameters)
PROXES = {
    "none": (prox_none, X, None, lambda y, _: 0.0),
    "lasso": (prox_lasso, X, 0.3, lambda y, t: t * np.abs(y).sum()),
    "lasso of weights": (prox_lasso, X, 0.2 * W, lambda y, t: (t * np.abs(y)).sum()),
    "non-negative lasso": (prox_non_negative_lasso, X, 0.3, lambda y, t: t * y.sum() + 1e9 * np.sum(y < 0)),
    "elastic net": (prox_elastic_net, X, (0.3, 0.7), lambda y, t: t[0] * np.sum(np.abs(y) + 0.5 * t[1] * y * y)),
    "group lasso": (prox_group_lasso, X, 0.3, lambda y, t: t * np.sqrt(y @ y)),
    "group lasso, 0": (prox_group_lasso, X, 4.0, lambda y, t: t * np.sqrt(y @ y)),
    "ridge": (prox_ridge, X, 0.3, lambda y, t: 0.5 * t * y @ y),
    "non-negative ridge": (prox_non_negative_ridge, X, 0.3, lambda y, t: 0.5 * t * y @ y + 1e9 * np.sum(y < 0)),
    "nuclear norm": (prox_nuclear_norm, MATRIX, 1.1, lambda y, t: t * np.linalg.svd(y)[1].sum()),
    "nuclear norm, wide": (prox_nuclear_norm, MATRIX.T, 1.1, lambda y, t: t * np.linalg.svd(y)[1].sum()),
}


@pytest.mark.parametrize("name", PROXES)
def test_proximal_operators_are_minima(name):
    """No point near the one that is found has a lower value, and what is minimized is strictly convex."""
    prox, x, parameters, g = PROXES[name]
    found = prox(x, parameters, 0.8)
    np.testing.assert_allclose(jit(prox)(x, parameters, 0.8), found, atol=1e-12)

    def value(y):
        return 0.5 * np.sum((y - x) ** 2) + 0.8 * g(y, parameters)

    for size in (1e-6, 1e-3, 1.0):
        for _ in range(50):
            assert value(found + size * RNG.normal(size=x.shape)) > value(found) - 1e-14
        for entry in np.ndindex(x.shape):
            for sign in (-1.0, 1.0):
                moved = found.copy()
                moved[entry] += sign * size
                assert value(moved) > value(found) - 1e-14


@pytest.mark.parametrize("name", PROXES)
def test_derivatives_of_proximal_operators(name):
    prox, x, parameters, _ = PROXES[name]
    check_grads(prox, (x, parameters, 0.8), order=2, eps=1e-3)


def test_the_derivative_of_the_nuclear_norm_where_singular_values_are_equal():
    x = np.diag([2.0, 2.0, 0.0, 0.5])[:, :3]
    check_grads(lambda x, t: prox_nuclear_norm(x, t), (x, 1.0), eps=1e-3)
    exact = jacfwd(prox_nuclear_norm)(np.eye(3) * 2.0, 0.5)
    np.testing.assert_allclose(jacrev(prox_nuclear_norm)(np.eye(3) * 2.0, 0.5), exact, atol=1e-12)


def test_proximal_operators_of_rows_and_of_sets():
    rows = RNG.normal(size=(6, 5))
    found = vmap(lambda row, t: prox_group_lasso(row, t), in_axes=(0, None))(rows, 2.0)
    np.testing.assert_allclose(found, [prox_group_lasso(row, 2.0) for row in rows], atol=1e-15)
    prox = make_prox_from_projection(projection_simplex)
    check_grads(lambda x, t: prox(x, t, 0.1), (X, 1.3), order=2, eps=1e-3)


# Conditions

DESIGN = RNG.normal(size=(12, 5))
TARGET = DESIGN @ np.array([1.0, -2.0, 0.0, 0.0, 0.5]) + 0.1 * RNG.normal(size=12)
STEP = 0.9 / np.linalg.norm(DESIGN, 2) ** 2


def squares(x, target):
    return 0.5 * np.sum((DESIGN @ x - target) ** 2)


def iterated(T, x, parameters, steps=3000):
    for _ in range(steps):
        x = T(x, parameters)
    return x


def test_stationary_points():
    """Ridge regression, of which the solution is a formula."""

    def loss(w, target, penalty):
        return squares(w, target) + 0.5 * penalty * np.sum(w**2)

    def formula(target, penalty):
        return np.linalg.solve(DESIGN.T @ DESIGN + penalty * np.eye(5), DESIGN.T @ target)

    solver = custom_root(stationary(loss))(lambda init, target, penalty: stop_gradient(formula(target, penalty)))
    for derivative in (jacfwd, jacrev, hessian):
        found = derivative(lambda t, p: solver(None, t, p), argnums=1)(TARGET, 0.7)
        np.testing.assert_allclose(found, derivative(formula, argnums=1)(TARGET, 0.7), atol=1e-10)


def test_newton_and_its_fixed_point():
    def residual(x, a):
        return np.array([x[0] ** 2 + x[1] - a[0], x[1] ** 3 - x[0] - a[1]])

    T = newton(residual)

    @custom_fixed_point(T)
    def solver(x, a):
        for _ in range(30):
            x = T(x, a)
        return x

    a = np.array([3.0, 5.0])
    x = solver(np.ones(2), a)
    np.testing.assert_allclose(residual(x, a), 0.0, atol=1e-12)
    slope = np.array([[2.0 * x[0], 1.0], [-1.0, 3.0 * x[1] ** 2]])
    for derivative in (jacfwd, jacrev):
        np.testing.assert_allclose(derivative(solver, argnums=1)(np.ones(2), a), np.linalg.inv(slope), atol=1e-12)
    scalar = custom_fixed_point(newton(lambda x, a: x * x - a))(lambda x, a: a**0.5)
    assert grad(scalar, argnums=1)(1.0, 4.0) == pytest.approx(0.25)


def test_kkt_conditions_of_a_nonlinear_program():
    """The point of an ellipse that is farthest along a direction, under a line."""

    def objective(x, d, r):
        return -(d @ x)

    def on_ellipse(x, d, r):
        return np.array([x[0] ** 2 + 2.0 * x[1] ** 2 + 3.0 * x[2] ** 2 - r])

    def below(x, d, r):
        return np.array([x[0] - 0.5, x[1] - 10.0])

    def solution(d, r):
        found = scipy.optimize.minimize(
            lambda x: -(d @ x),
            np.ones(3) * 0.3,
            jac=lambda x: -d,
            constraints=[equal(lambda x: on_ellipse(x, d, r)), positive(lambda x: -below(x, d, r))],
            tol=1e-15,
        )
        x = found.x
        nu = d[2] / (6.0 * x[2])
        return x, np.array([nu]), np.array([d[0] - 2.0 * nu * x[0], 0.0])

    d, r = np.array([2.0, 1.0, 1.5]), 1.0
    x, nu, lam = solution(d, r)
    F = kkt(objective, on_ellipse, below)
    for part in F((x, nu, lam), d, r):
        np.testing.assert_allclose(part, 0.0, atol=1e-6)

    @custom_root(F)
    def solver(init, d, r):
        return x, nu, lam

    def formula(d, r):  # with x₀ = ½ the rest is on the ellipse 2 x₁² + 3 x₂² = r - ¼, along (d₁/2, d₂/3)
        size = np.sqrt(r - 0.25) / np.sqrt(d[1] ** 2 / 2.0 + d[2] ** 2 / 3.0)
        return np.array([0.5, d[1] / 2.0 * size, d[2] / 3.0 * size])

    for derivative in (jacfwd, jacrev):
        for k in (0, 1):
            found = derivative(lambda d, r: solver(None, d, r)[0], argnums=k)(d, r)
            np.testing.assert_allclose(found, derivative(formula, argnums=k)(d, r), atol=1e-5)


@pytest.mark.parametrize(
    ("projection", "parameters"),
    [
        (projection_simplex, 1.0),
        (projection_box, (LOWER, UPPER)),
        (projection_l2_ball, 0.8),
        (projection_l1_ball, 1.1),
        (projection_affine_set, (A, B)),
        (projection_polyhedron, (None, None, G, H - 0.5)),
    ],
    ids=["simplex", "box", "l2 ball", "l1 ball", "affine", "polyhedron"],
)
def test_projected_gradient(projection, parameters):
    """Constrained least squares: the implicit derivative against differences of what an iteration converges to."""
    T = projected_gradient(squares, projection, STEP)
    solver = custom_fixed_point(T)(lambda init, hyperparams: iterated(T, init, hyperparams))
    modes = "rev" if projection is projection_polyhedron else ("fwd", "rev")
    check_grads(lambda t, p: solver(np.zeros(5), (t, p)), (TARGET, parameters), 1, modes, 1e-5, 1e-5, 1e-4)


def lasso_by_another_solver(target, penalty):
    """The lasso as a quadratic program of positive and negative parts, by another solver."""
    both = np.concatenate((DESIGN, -DESIGN), axis=1)
    found = scipy.optimize.minimize(
        lambda z: 0.5 * np.sum((both @ z - target) ** 2) + penalty * z.sum(),
        np.ones(10),
        jac=lambda z: both.T @ (both @ z - target) + penalty,
        bounds=[(0.0, None)] * 10,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 10000},
    ).x
    return found[:5] - found[5:]


def test_the_lasso():
    """Value by another solver, derivative by the formula on the support."""
    penalty = 2.0
    T = proximal_gradient(squares, prox_lasso, STEP)
    solver = custom_fixed_point(T)(lambda init, hyperparams: iterated(T, init, hyperparams))
    w = solver(np.zeros(5), (TARGET, penalty))
    np.testing.assert_allclose(w, lasso_by_another_solver(TARGET, penalty), atol=1e-6)
    support = np.flatnonzero(w)
    assert 0 < len(support) < 5
    within = DESIGN[:, support]
    expected = np.zeros(5)
    expected[support] = -np.linalg.solve(within.T @ within, np.sign(w[support]))
    for derivative in (jacfwd, jacrev):
        found = derivative(lambda p: solver(np.zeros(5), (TARGET, p)))(penalty)
        np.testing.assert_allclose(found, expected, atol=1e-9)
    by_target = jacrev(lambda t: solver(np.zeros(5), (t, penalty)))(TARGET)
    np.testing.assert_allclose(by_target[support], np.linalg.pinv(within), atol=1e-9)


@pytest.mark.parametrize(
    ("prox", "parameters"),
    [(prox_elastic_net, (1.0, 0.5)), (prox_group_lasso, 1.5), (prox_ridge, 0.5)],
    ids=["elastic net", "group lasso", "ridge"],
)
def test_proximal_gradient(prox, parameters):
    T = proximal_gradient(squares, prox, STEP)
    solver = custom_fixed_point(T)(lambda init, hyperparams: iterated(T, init, hyperparams))
    check_grads(lambda t, p: solver(np.zeros(5), (t, p)), (TARGET, parameters), eps=1e-4, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("operator", [prox_lasso, prox_group_lasso, make_prox_from_projection(projection_simplex)])
def test_minima_over_trees(operator):
    """A penalty or a set of all leaves together gives what it gives for one vector, and so do its derivatives."""
    data, target = np.array([[2.0, 1.0, 0.5], [0.0, 3.0, -1.0], [1.0, 1.0, 2.0]]), np.array([1.0, -2.0, 3.0])
    on_tree = over_tree(operator)

    def loss(v):
        return 0.5 * np.sum((data @ v - target) ** 2)

    def of_tree(weight):
        def fit(x):
            return loss(np.concatenate((x["w"], np.array([x["b"]]))))

        start = {"w": np.zeros(2), "b": 0.0}
        found = minimize(fit, start, prox=lambda x, t: on_tree(x, weight, t))
        return np.concatenate((found["w"], np.array([found["b"]])))

    def of_vector(weight):
        return minimize(loss, np.zeros(3), prox=lambda x, t: operator(x, weight, t))

    np.testing.assert_allclose(of_tree(0.7), of_vector(0.7), atol=1e-9)
    for mode in (jacfwd, jacrev):
        np.testing.assert_allclose(mode(of_tree)(0.7), jacfwd(of_vector)(0.7), atol=1e-8)


def test_proximal_gradient_of_matrices():
    """Completion of a matrix from noisy entries, with the nuclear norm."""
    mask = (RNG.uniform(size=(5, 4)) < 0.8) * 1.0
    given = np.outer(W, [1.0, -1.0, 2.0, 0.5]) + 0.1 * RNG.normal(size=(5, 4))

    def misfit(x, given):
        return 0.5 * np.sum(mask * (x - given) ** 2)

    T = proximal_gradient(misfit, prox_nuclear_norm)
    solver = custom_fixed_point(T)(lambda init, hyperparams: iterated(T, init, hyperparams))
    check_grads(lambda g, t: solver(np.zeros((5, 4)), (g, t)), (given, 0.3), eps=1e-4, atol=1e-5, rtol=1e-5)


def test_mirror_descent():
    """On the simplex, with the entropy as the mirror."""

    def loss(x, t):
        return squares(x, t) + 5.0 * np.sum(x * np.log(x))

    T = mirror_descent(loss, lambda y, _: scipy.special.softmax(y), lambda x: 1.0 + np.log(x), 0.02)
    solver = custom_fixed_point(T)(lambda init, hyperparams: iterated(T, init, hyperparams, 5000))
    x = solver(np.full(5, 0.2), (TARGET, None))
    assert x.sum() == pytest.approx(1.0)
    slope = grad(loss)(x, TARGET)
    np.testing.assert_allclose(slope, slope[0], atol=1e-8)
    check_grads(lambda t: solver(np.full(5, 0.2), (t, None)), (TARGET,), eps=1e-3, atol=1e-5, rtol=1e-5)


def test_block_coordinates():
    """A group lasso of the rows of a matrix: one step for all blocks, or one for each, has one derivative."""
    targets = DESIGN @ np.array([[1.0, 2.0], [0.0, 0.0], [-1.0, 0.5], [0.0, 0.1], [0.0, 0.0]])

    def loss(x, t):
        return 0.5 * np.sum((DESIGN @ x - t) ** 2)

    T = block_coordinate(loss, prox_group_lasso, STEP)
    x = iterated(jit(T), np.zeros((5, 2)), (targets, 4.0))
    zero = np.flatnonzero(np.sum(np.abs(x), axis=1) == 0.0)
    assert 0 < len(zero) < 5
    derivatives = []
    for steps in (STEP, STEP * np.array([1.0, 0.5, 0.3, 0.8, 0.9])):
        condition = block_coordinate(loss, prox_group_lasso, steps)
        np.testing.assert_allclose(condition(x, (targets, 4.0)), x, atol=1e-12)
        solver = custom_fixed_point(condition)(lambda init, hyperparams: init)
        derivatives.append(jacrev(lambda t, s=solver: s(x, (targets, t)))(4.0))
    np.testing.assert_allclose(*derivatives, atol=1e-10)
    around = [iterated(jit(T), x, (targets, t)) for t in (4.0 + 1e-5, 4.0 - 1e-5)]
    np.testing.assert_allclose(derivatives[0], (around[0] - around[1]) / 2e-5, atol=1e-6)


def test_cone_programs():
    """The least linear function on a disk, a second-order cone program: x = -c r / ‖c‖."""
    F = conic_residual(projection_second_order_cone)
    A = np.concatenate((np.zeros((1, 2)), -np.eye(2)))

    def formula(c, r):
        return -r * c / np.sqrt(c @ c)

    @custom_root(F)
    def solver(init, c, A, b):
        x = formula(c, b[0])
        s = np.concatenate((b[:1], x))
        y = np.concatenate((np.array([np.sqrt(c @ c)]), c))
        return np.concatenate((x, y - s))

    def through(c, r):
        return solver(None, c, A, np.array([r, 0.0, 0.0]))[:2]

    c = np.array([1.0, -2.0])
    np.testing.assert_allclose(
        F(solver(None, c, A, np.array([1.5, 0.0, 0.0])), c, A, np.array([1.5, 0, 0])), 0, atol=1e-14
    )
    for derivative in (jacfwd, jacrev):
        for k in (0, 1):
            found = derivative(through, argnums=k)(c, 1.5)
            np.testing.assert_allclose(found, derivative(formula, argnums=k)(c, 1.5), atol=1e-10)


# Layers

ROOT = RNG.normal(size=(5, 5))
Q = ROOT @ ROOT.T + 0.1 * np.eye(5)
C = RNG.normal(size=5)
NONE = (None, None)
PROGRAMS = {
    "equations and inequalities": (Q, C, A, B, G, H),
    "inequalities": (Q, C, *NONE, G, H - 0.5),
    "equations": (Q, C, A, B, *NONE),
    "neither": (Q, C, *NONE, *NONE),
    "no rows": (Q, C, A[:0], B[:0], G[:0], H[:0]),
    "all active": (Q, C, *NONE, np.eye(5), np.linalg.solve(Q, -C) - np.abs(C) - 0.1),
    "none active": (Q, C, *NONE, np.eye(5), np.linalg.solve(Q, -C) + 1.0),
    "not symmetric": (Q + np.triu(ROOT, 1) - np.triu(ROOT, 1).T, C, A, B, G, H),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_quadratic_programs(name):
    Q, c, A, b, G, h = PROGRAMS[name]
    x, nu, lam = quadratic_program(*PROGRAMS[name])
    symmetric = 0.5 * (Q + Q.T)
    slope = symmetric @ x + c
    constraints = []
    if A is not None:
        slope = slope + A.T @ nu
        np.testing.assert_allclose(A @ x, b, atol=1e-11)
        constraints.append(equal(lambda x: A @ x - b))
    if G is not None:
        slope = slope + G.T @ lam
        assert np.all(G @ x <= h + 1e-11)
        assert np.all(lam >= 0.0)
        np.testing.assert_allclose(lam * (G @ x - h), 0.0, atol=1e-11)
        constraints.append(positive(lambda x: h - G @ x))
    np.testing.assert_allclose(slope, 0.0, atol=1e-11)
    other = scipy.optimize.minimize(
        lambda x: 0.5 * x @ symmetric @ x + c @ x,
        np.zeros(5),
        jac=lambda x: symmetric @ x + c,
        constraints=[k for k in constraints if len(k["fun"](x))],
        tol=1e-14,
        options={"maxiter": 1000},
    )
    np.testing.assert_allclose(x, other.x, atol=1e-5)
    assert (nu is None, lam is None) == (A is None, G is None)


@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_of_quadratic_programs(name):
    """By all of Q, c, A, b, G and h, of the minimum and of the multipliers."""
    check_grads(quadratic_program, PROGRAMS[name], eps=1e-3)


def test_second_derivatives_and_uses_of_a_quadratic_program():
    def through(c, scale):
        x, _, lam = quadratic_program(Q * scale, c, A, B, G, H)
        return np.sum(np.sin(x)) + np.sum(lam**2)

    check_grads(grad(through), (C, 1.2), modes="fwd", eps=1e-3, atol=1e-5, rtol=1e-5)

    def in_a_loop(c):
        total = 0.0
        for k in range(3):
            total += through(c * (1.0 + 0.01 * k), 1.0)
        return total

    expected = sum((1.0 + 0.01 * k) * grad(through)(C * (1.0 + 0.01 * k), 1.0) for k in range(3))
    np.testing.assert_allclose(grad(in_a_loop)(C), expected, rtol=1e-9)
    rows = C + 0.1 * RNG.normal(size=(4, 5))
    found = vmap(grad(through), in_axes=(0, None))(rows, 1.0)
    np.testing.assert_allclose(found, [grad(through)(row, 1.0) for row in rows], rtol=1e-8, atol=1e-10)


def test_the_dual_of_a_support_vector_machine():
    """Value by another solver, the derivative of the optimal value by the envelope theorem."""
    points = RNG.normal(size=(20, 2)) + np.repeat([[1.0, 1.0], [-1.0, -1.0]], 10, axis=0)
    signs = np.repeat([1.0, -1.0], 10)

    def dual(width, bound):
        squared = np.sum((points[:, None, :] - points[None, :, :]) ** 2, axis=2)
        kernel = np.exp(-squared / width) * signs[:, None] * signs[None, :]
        box = np.concatenate((np.eye(20), -np.eye(20)))
        limits = np.concatenate((bound * np.ones(20), np.zeros(20)))
        return quadratic_program(kernel, -np.ones(20), signs[None, :], np.zeros(1), box, limits)[0], kernel

    def value(width, bound):
        alpha, kernel = dual(width, bound)
        return 0.5 * alpha @ kernel @ alpha - np.sum(alpha)

    alpha, kernel = dual(1.5, 2.0)
    other = scipy.optimize.minimize(
        lambda a: 0.5 * a @ kernel @ a - a.sum(),
        np.zeros(20),
        jac=lambda a: kernel @ a - 1.0,
        bounds=[(0.0, 2.0)] * 20,
        constraints=[equal(lambda a: signs @ a)],
        tol=1e-14,
        options={"maxiter": 1000},
    )
    np.testing.assert_allclose(alpha, other.x, atol=1e-5)
    step = 1e-5
    slope = grad(value)(1.5, 2.0)
    envelope = 0.5 * alpha @ ((dual(1.5 + step, 2.0)[1] - dual(1.5 - step, 2.0)[1]) / (2.0 * step)) @ alpha
    assert slope == pytest.approx(envelope, rel=1e-7)
    check_grads(value, (1.5, 2.0), eps=1e-4)


def test_linear_programs():
    """A vertex, by another solver; its derivative by the constraints is that of the equations that define it."""
    c = np.array([-1.0, -2.0, -1.5])
    G = np.concatenate((np.array([[1.0, 1.0, 1.0], [1.0, 3.0, 0.5]]), -np.eye(3)))
    h = np.array([4.0, 6.0, 0.0, 0.0, 0.0])
    x, nu, lam = linear_program(c, G=G, h=h)
    other = scipy.optimize.linprog(c, G, h, bounds=(None, None))
    np.testing.assert_allclose(x, other.x, atol=1e-9)
    np.testing.assert_allclose(lam, -other.ineqlin.marginals, atol=1e-9)
    assert nu is None
    active = np.flatnonzero(lam > 1e-6)
    assert len(active) == 3
    expected = np.zeros((3, 5))
    expected[:, active] = np.linalg.inv(G[active])
    np.testing.assert_allclose(jacfwd(lambda h: linear_program(c, None, None, G, h)[0])(h), expected, atol=1e-8)
    np.testing.assert_allclose(jacfwd(lambda c: linear_program(c, None, None, G, h)[0])(c), 0.0, atol=1e-8)
    check_grads(lambda c, G, h: linear_program(c, None, None, G, h)[0], (c, G, h), eps=1e-3)


@pytest.mark.parametrize("method", ["scipy", "scipy:highs-ds", "scipy:highs-ipm"])
def test_linear_programs_by_scipy(method):
    """The same as by the interior point method: values, multipliers and derivatives of all of them."""
    c = np.array([-1.0, -2.0, -1.5, 0.5])
    A, b = np.array([[1.0, -1.0, 1.0, 1.0]]), np.array([0.5])
    G = np.concatenate((np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 3.0, 0.5, 0.0]]), -np.eye(4), np.ones((1, 4))))
    h = np.array([4.0, 6.0, 0.0, 0.0, 0.0, 0.0, np.inf])

    def by(method):
        return lambda c, A, b, G, h: linear_program(c, A, b, G, h, method=method)

    given = c, A, b, G, h
    for one, other in zip(by(method)(*given), by("interior_point")(*given), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    found, expected = (jacrev(by(m), argnums=(0, 1, 2, 3, 4))(*given) for m in (method, "interior_point"))
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-7)
    inside = jacfwd(lambda k: linear_program(k * c, G=G[:6], h=k * k * h[:6], method=method)[0])(1.5)
    np.testing.assert_allclose(inside, 3.0 * linear_program(c, G=G[:6], h=h[:6])[0], atol=1e-8)


def test_linear_programs_that_scipy_does_not_solve():
    with pytest.raises(ValueError, match=r"no minimum found: .*unbounded"):
        linear_program(-np.ones(2), G=-np.eye(2), h=np.zeros(2), method="scipy")
    with pytest.raises(ValueError, match="kappa that is not 0"):
        linear_program(np.ones(2), G=-np.eye(2), h=np.zeros(2), kappa=0.1, method="scipy")
    with pytest.raises(ValueError, match='method is "interior_point", "scipy"'):
        linear_program(np.ones(2), G=-np.eye(2), h=np.zeros(2), method="simplex")
    with pytest.raises(np.linalg.LinAlgError):  # all of an edge is a minimum
        jacfwd(lambda h: linear_program(np.array([1.0, 0.0]), None, None, -np.eye(2), h, method="scipy")[0])(
            np.zeros(2)
        )


@pytest.mark.parametrize("kappa", [10.0, 1e-1, 1e-4, 1e-9])
@pytest.mark.parametrize("name", ["equations and inequalities", "inequalities", "all active", "none active"])
def test_quadratic_programs_on_the_central_path(name, kappa):
    """The conditions hold to rounding, and the point is the minimum with a logarithmic barrier."""
    Q, c, A, b, G, h = PROGRAMS[name]
    x, nu, lam = quadratic_program(*PROGRAMS[name], kappa=kappa)
    slope = Q @ x + c + G.T @ lam + (0.0 if A is None else A.T @ nu)
    np.testing.assert_allclose(slope, 0.0, atol=1e-11)
    assert np.all(lam > 0.0)
    assert np.all(h - G @ x > 0.0)
    np.testing.assert_allclose(lam * (h - G @ x), kappa, rtol=1e-9 + 1e-13 / kappa)
    if A is not None:
        np.testing.assert_allclose(A @ x, b, atol=1e-11)
        return

    def barred(x, c, h, kappa):
        room = h - G @ x
        return 0.5 * x @ (Q @ x) + c @ x - kappa * np.sum(np.log(np.where(room > 0.0, room, np.nan)))

    found, expected = (
        jacfwd(f, argnums=(0, 1, 2))(c, h, kappa)
        for f in (
            lambda c, h, k: quadratic_program(Q, c, None, None, G, h, k)[0],
            lambda c, h, k: custom_root(stationary(barred))(lambda init, *_: x)(None, c, h, k),
        )
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7 * np.max(np.abs(other)))


@pytest.mark.parametrize("kappa", [1.0, 1e-2])
@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_on_the_central_path(name, kappa):
    if name == "no rows":
        assert np.all(jacrev(lambda k: quadratic_program(*PROGRAMS[name], k)[0])(kappa) == 0.0)
    order = 2 if name == "inequalities" else 1
    check_grads(quadratic_program, (*PROGRAMS[name], kappa), order=order, eps=1e-4, atol=1e-5, rtol=1e-5)


def test_the_central_path_ends_at_the_minimum():
    exact = quadratic_program(*PROGRAMS["inequalities"])[0]
    off = [np.max(np.abs(quadratic_program(*PROGRAMS["inequalities"], k)[0] - exact)) for k in (1e-2, 1e-4, 1e-6)]
    assert off[0] > 50.0 * off[1] > 2500.0 * off[2]

    def moved(h, kappa):  # x ≤ h becomes active at 1
        return quadratic_program(np.eye(1), -np.ones(1), G=np.eye(1), h=np.array([h]), kappa=kappa)[0][0]

    for h in (0.9, 1.0, 1.2):  # (1 - x) (h - x) = kappa
        middle, radius = 0.5 * (1.0 + h), np.sqrt(0.25 * (1.0 - h) ** 2 + 1e-2)
        assert moved(h, 1e-2) == pytest.approx(middle - radius, rel=1e-12)
        assert grad(moved)(h, 1e-2) == pytest.approx(0.5 + 0.25 * (1.0 - h) / radius, rel=1e-9)
        assert grad(moved, argnums=1)(h, 1e-2) == pytest.approx(-0.5 / radius, rel=1e-9)
        curved = -0.25 / radius + 0.0625 * (1.0 - h) ** 2 / radius**3
        assert grad(grad(moved))(h, 1e-2) == pytest.approx(curved, rel=1e-7)


def test_linear_programs_on_the_central_path():
    """There is a derivative by c, also where the minimum is not unique."""
    c, G, h = np.array([1.0, 0.0]), np.concatenate((np.eye(2), -np.eye(2))), np.ones(4)

    def point(c, kappa):
        return linear_program(c, G=G, h=h, kappa=kappa)[0]

    def formula(c, kappa):  # c = kappa (1/(1 + x) - 1/(1 - x)) = -2 kappa x/(1 - x²)
        return -c / (kappa + np.sqrt(kappa * kappa + c * c))

    np.testing.assert_allclose(point(c, 0.1), formula(c, 0.1), atol=1e-12)
    for k in (0, 1):
        expected = jacfwd(formula, argnums=k)(c, 0.1)
        np.testing.assert_allclose(jacfwd(point, argnums=k)(c, 0.1), expected, atol=1e-10)
        np.testing.assert_allclose(jacrev(point, argnums=k)(c, 0.1), expected, atol=1e-10)
    with pytest.raises(ValueError, match="kappa is negative"):
        point(c, -0.1)
    with pytest.raises(ValueError, match="no minimum found"):
        linear_program(c, G=G[:2], h=h[:2], kappa=0.1)
    near = np.array([True, False, True, True])
    x, _, lam = linear_program(c + 0.5, G=G, h=np.where(near, h, np.inf), kappa=0.1)
    expected = linear_program(c + 0.5, G=G[near], h=h[near], kappa=0.1)
    np.testing.assert_allclose(x, expected[0], rtol=1e-12)
    np.testing.assert_allclose(lam[near], expected[2], rtol=1e-12)
    assert lam[1] == 0.0


def test_where_a_constraint_is_just_active_the_derivative_lies_between_both_sides():
    found = jacfwd(lambda h: quadratic_program(np.eye(1), -np.ones(1), G=np.eye(1), h=h)[0])(np.ones(1))
    assert 0.0 <= found[0, 0] <= 1.0


def test_constraints_that_are_stated_twice():
    """The minimum has a derivative by c, though the multipliers are not unique; by h it has a kink."""
    G, h = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0.5, 0.5, 3.0])

    def minimum(c, h):
        return quadratic_program(np.eye(2), c, None, None, G, h)[0]

    found = jacfwd(minimum)(-np.ones(2), h)
    np.testing.assert_allclose(found, [[0.0, 0.0], [0.0, -1.0]], atol=1e-9)
    by_h = jacfwd(minimum, argnums=1)(-np.ones(2), h)
    assert by_h[0].sum() == pytest.approx(1.0)
    assert np.all(by_h > -1e-9)


@pytest.mark.parametrize("far", [1e4, 1e20, np.inf])
def test_bounds_that_are_far_away(far):
    G, h = np.concatenate((np.eye(5), -np.eye(5))), np.array([0.1, far, 0.3, far, 0.2, far, 0.4, far, far, 0.5])

    def minimum(c, G, h):
        return quadratic_program(Q, c, None, None, G, h)[0]

    near = h < 1.0
    np.testing.assert_allclose(minimum(C, G, h), minimum(C, G[near], h[near]), atol=1e-9)
    found, expected = (jacfwd(minimum, argnums=0)(C, *given) for given in ((G, h), (G[near], h[near])))
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_programs_without_a_solution():
    two = np.array([[1.0, 0.0], [-1.0, 0.0]])
    with pytest.raises(ValueError, match="no minimum found"):
        quadratic_program(np.eye(2), np.zeros(2), G=two, h=np.array([-1.0, -1.0]))
    with pytest.raises(ValueError, match="no minimum found"):
        linear_program(-np.ones(2), G=-np.eye(2), h=np.zeros(2))
    with pytest.raises(np.linalg.LinAlgError):
        quadratic_program(np.eye(2), np.zeros(2), np.ones((2, 2)), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError):
        quadratic_program(np.zeros((2, 2)), np.ones(2))


def test_programs_of_single_precision():
    given = [g.astype(np.float32) for g in PROGRAMS["equations and inequalities"]]
    assert [part.dtype for part in quadratic_program(*given)] == [np.float32] * 3
    assert (
        grad(lambda c, *rest: np.sum(quadratic_program(rest[0], c, *rest[1:])[0]))(given[1], given[0], *given[2:]).dtype
        == np.float32
    )


Y = np.array([1.0, 3.0, 2.0, 2.5, 0.5, 4.0, 6.0, 5.0])
MASSES = np.array([1.0, 0.5, 2.0, 1.0, 0.25, 1.0, 3.0, 1.0])


@pytest.mark.parametrize("increasing", [True, False])
@pytest.mark.parametrize("weights", [None, MASSES], ids=["alike", "weights"])
def test_isotonic_regression(weights, increasing):
    expected = scipy.optimize.isotonic_regression(Y, weights=weights, increasing=increasing).x
    np.testing.assert_allclose(isotonic_regression(Y, weights, increasing), expected, rtol=1e-14)
    given = (Y,) if weights is None else (Y, weights)

    def of(y, weights=None):
        return isotonic_regression(y, weights, increasing)

    check_grads(of, given, order=2, eps=1e-3)
    np.testing.assert_allclose(jit(of)(*given), expected, rtol=1e-14)


def test_the_jacobian_of_isotonic_regression_has_blocks():
    found = jacrev(isotonic_regression)(Y)
    blocks = scipy.optimize.isotonic_regression(Y).blocks
    expected = scipy.linalg.block_diag(*(np.full((n, n), 1.0 / n) for n in np.diff(blocks)))
    np.testing.assert_allclose(found, expected, atol=1e-15)
    rows = RNG.normal(size=(3, 8))
    np.testing.assert_allclose(vmap(isotonic_regression)(rows), [isotonic_regression(r) for r in rows])
    assert isotonic_regression(Y.astype(np.float32)).dtype == np.float32
    assert isotonic_regression(np.zeros(0)).shape == (0,)
    check_grads(lambda y: isotonic_l2_pav(y, 2.1, 4.2, increasing=True), (Y,), order=2, eps=1e-3)


COST = np.abs(RNG.normal(size=(4, 3)))
ROWS, COLUMNS = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5, 0.3, 0.2])


@pytest.mark.parametrize("epsilon", [2.0, 0.3, 0.03])
def test_optimal_transport(epsilon):
    plan = sinkhorn(COST, ROWS, COLUMNS, epsilon)
    np.testing.assert_allclose(plan.sum(axis=1), ROWS, atol=1e-9)
    np.testing.assert_allclose(plan.sum(axis=0), COLUMNS, atol=1e-12)
    f, g = sinkhorn_potentials(COST, ROWS, COLUMNS, epsilon)
    np.testing.assert_allclose(plan, np.exp((f[:, None] + g - COST) / epsilon), rtol=1e-12)
    assert f.sum() == pytest.approx(0.0, abs=1e-12)

    def scaled(cost, rows, columns, epsilon):  # to the same sum, so that differences may be taken
        return sinkhorn(cost, rows / np.sum(rows), columns / np.sum(columns), epsilon)

    check_grads(scaled, (COST, ROWS, COLUMNS, epsilon), eps=1e-3, atol=1e-5, rtol=1e-5)


def test_the_second_derivative_of_optimal_transport():
    def entropy(epsilon):
        plan = sinkhorn(COST, ROWS, COLUMNS, epsilon)
        return np.sum(plan * np.log(plan))

    slope = grad(entropy)
    assert hessian(entropy)(0.3) == pytest.approx((slope(0.3 + 1e-5) - slope(0.3 - 1e-5)) / 2e-5, rel=1e-6)


def test_the_derivative_of_the_cost_of_transport_is_the_plan():
    """Of the optimal value, by the envelope theorem; and the limit of a small epsilon is a linear program."""

    def value(cost):
        plan = sinkhorn(cost, ROWS, COLUMNS, 0.3)
        return np.sum(plan * cost) + 0.3 * np.sum(plan * (np.log(plan) - 1.0))

    np.testing.assert_allclose(grad(value)(COST), sinkhorn(COST, ROWS, COLUMNS, 0.3), atol=1e-9)
    equations = np.concatenate((np.kron(np.eye(4), np.ones((1, 3))), np.kron(np.ones((1, 4)), np.eye(3))))
    exact = scipy.optimize.linprog(COST.ravel(), A_eq=equations, b_eq=np.concatenate((ROWS, COLUMNS)))
    assert np.sum(sinkhorn(COST, ROWS, COLUMNS, 0.005) * COST) == pytest.approx(exact.fun, abs=1e-3)


def test_projections_onto_transport_plans():
    found = projection_transport(-COST, ROWS, COLUMNS)
    np.testing.assert_allclose(found.sum(axis=1), ROWS, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=0), COLUMNS, atol=1e-9)
    assert found.min() > -1e-9
    other = scipy.optimize.minimize(
        lambda p: 0.5 * np.sum((p + COST.ravel()) ** 2),
        np.outer(ROWS, COLUMNS).ravel(),
        constraints=[
            equal(lambda p: p.reshape(4, 3).sum(axis=1) - ROWS),
            equal(lambda p: p.reshape(4, 3).sum(axis=0)[:2] - COLUMNS[:2]),
        ],
        bounds=[(0.0, None)] * 12,
        tol=1e-14,
    )
    np.testing.assert_allclose(found.ravel(), other.x, atol=1e-5)
    check_grads(lambda s: projection_transport(s, ROWS, COLUMNS), (-COST,), eps=1e-3)
    np.testing.assert_allclose(kl_projection_transport(-COST, ROWS, COLUMNS), sinkhorn(COST, ROWS, COLUMNS, 1.0))


def test_transport_that_there_is_not():
    with pytest.raises(ValueError, match="the same sum"):
        sinkhorn(COST, ROWS, 2.0 * COLUMNS, 0.3)
    with pytest.raises(RuntimeError, match="has not converged"):
        sinkhorn(COST, ROWS, COLUMNS, 0.003, 1e-12, 10)

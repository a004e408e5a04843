"""Jacobians and Hessians: of every example, beside gradients and single directions; structures; what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from functions import EXAMPLES, Example
from test_derivatives import active, direction

import adcore
from adcore import DtypeError, MissingRuleError, grad, hessian, jacfwd, jacobian, jacrev, jit, jvp, vjp
from adcore.batching import Batch
from adcore.builder import Builder
from adcore.trees import leaves
from adcore.types import I64, Var, f64
from adcore.verify import verify

plain = [e for e in EXAMPLES if all(isinstance(a, int | float | np.ndarray) for a in e.arguments)]
smooth = [e for e in plain if e.second_order]
X = np.array([0.5, -0.25, 0.75, 2.0])
A = np.random.default_rng(1).normal(size=(3, 4))


def named(examples: list[Example]):
    return pytest.mark.parametrize("example", examples, ids=[e.name for e in examples])


def close(one, other, tolerance=1e-9):
    one, other = leaves(one), leaves(other)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@named(plain)
def test_both_modes_give_the_gradient(example):
    wrt = active(example)
    gradient = grad(example.function, argnums=wrt)(*example.arguments)
    for make in (jacfwd, jacobian, jacrev):
        g = make(example.function, argnums=wrt)
        close(g(*example.arguments), gradient)
        verify(adcore.program(g, *example.arguments))


@named(smooth)
def test_hessians_give_their_products(example):
    k, *others = active(example)
    along = direction(example, k)
    tangents = list(example.arguments)
    tangents[k] = along
    for other in others:
        tangents[other] = 0.0 * tangents[other]
    expected = jvp(grad(example.function, argnums=k), example.arguments, tuple(tangents))[1]
    found = hessian(example.function, argnums=k)(*example.arguments)
    close(np.tensordot(found, along, np.ndim(along)) if np.ndim(along) else found * along, expected, 1e-8)


def swept(x):
    """Loops of both kinds, branches, writes in place and products of matrices."""
    y, steps = x.copy(), 0
    while steps < 3:
        for k in range(1, len(x)):
            if y[k] > 0.0:
                y[k] = math.sin(y[k] * y[k - 1])
            else:
                y[k] += x[k - 1] ** 2
        y[1:] += A[:, 1:].T @ (A @ y)[:3] / 10.0
        steps += 1
    return y


MANY = {
    "elementwise": lambda x: np.sin(x) * x[::-1],
    "matrix": lambda x: np.outer(x, x[:2]) @ np.ones((2, 3)),
    "product with a matrix": lambda x: A @ x,
    "product of what moves": lambda x: np.outer(x, x) @ x,
    "row times matrix": lambda x: (x[None, :] * x) @ A.T,
    "solve": lambda x: np.linalg.solve(np.diag(x) + np.ones((4, 4)), x),
    "triangular factor": lambda x: np.linalg.cholesky(np.outer(x, x) + np.eye(4)),
    "places": lambda x: x[np.array([3, 0, 3])] * x[1],
    "sorted": lambda x: np.sort(x * x),
    "running": lambda x: np.cumsum(x) * np.cumprod(x),
    "extremum": lambda x: np.array([np.max(x * x), np.min(x), np.mean(x)]),
    "spectrum": lambda x: np.abs(np.fft.fft(x)) ** 2,
    "control flow": swept,
    "stacked": lambda x: np.concatenate([x[1:], np.zeros(2), x * x]),
}


@pytest.mark.parametrize("name", MANY)
def test_columns_and_rows(name):
    f = MANY[name]
    columns = [jvp(f, (X,), (unit,))[1] for unit in np.eye(4)]
    value, pullback = vjp(f, X)
    units = np.eye(np.size(value)).reshape(-1, *np.shape(value))
    expected = np.stack(columns, axis=-1)
    close(jacfwd(f)(X), expected)
    close(jacrev(f)(X), expected)
    close(jacobian(f)(X), expected)
    verify(adcore.program(jacobian(f), X))
    close(np.stack([pullback(u)[0] for u in units]).reshape(expected.shape), expected)


@pytest.mark.parametrize("make", [jacfwd, jacobian, jacrev])
class TestStructure:
    def test_of_scalars(self, make):
        jacobian = make(lambda x: x * x)(3.0)
        assert jacobian == 6.0
        assert type(jacobian) is float

    def test_of_trees(self, make):
        def f(p, s):
            return {"a": p["w"] * s, "b": (np.sum(p["w"]), s * s, 3)}

        p = {"w": np.array([1.0, 2.0]), "n": 5}
        both = make(f, argnums=(0, 1))(p, 2.0)
        close(both["a"][0]["w"], 2.0 * np.eye(2))
        assert both["a"][0]["n"] is None
        close(both["a"][1], p["w"])
        close(both["b"][0][0]["w"], np.ones(2))
        assert both["b"][1] == ({"w": pytest.approx(np.zeros(2)), "n": None}, 4.0)
        assert both["b"][2] is None

    def test_aux_is_returned(self, make):
        jacobian, aux = make(lambda x: (x * x, (x[0], 7)), has_aux=True)(np.array([1.0, 2.0]))
        close(jacobian, np.diag([2.0, 4.0]))
        assert aux == (1.0, 7)

    def test_dtype_is_that_of_the_value(self, make):
        assert make(lambda x: x * x)(np.array([1.0, 2.0], np.float32)).dtype == np.float32

    def test_empty_arrays(self, make):
        assert make(lambda x: np.sin(x))(np.zeros(0)).shape == (0, 0)
        assert make(lambda x: np.zeros((2, 0)) * x[0])(X).shape == (2, 0, 4)

    def test_arguments_are_left_alone(self, make):
        def f(x):
            x[0] = 3.0 * x[1]
            return x

        given = np.array([1.0, 2.0])
        close(make(f)(given), np.array([[0.0, 3.0], [0.0, 1.0]]))
        assert list(given) == [1.0, 2.0]

    def test_shapes_do_not_compile_again(self, make):
        g = make(lambda x: np.sin(x) * x)
        g(np.ones(20))
        found = g.dispatcher.latest
        assert g(np.ones(17)).shape == (17, 17)
        assert g.dispatcher.latest is found

    def test_holomorphic(self, make):
        z = np.array([1.0 + 2.0j, 0.5 - 1.0j])
        close(make(lambda z: z * z * z, holomorphic=True)(z), np.diag(3.0 * z * z))

    def test_inside_compiled_code(self, make):
        def f(x, s):
            return x * x * s

        def traced(x):
            total = 0.0
            for k in range(3):
                total += np.trace(make(f)(x, float(k)))
            return total

        close(jit(traced)(X), 6.0 * np.sum(X))
        close(grad(traced)(X), np.full(4, 6.0))

    def test_what_closes_over_a_value_here(self, make):
        def f(x):
            return np.sum(make(lambda y: y * y * x)(x))

        close(grad(f)(X), 4.0 * X)

    def test_integers_have_no_derivative(self, make):
        with pytest.raises(DtypeError, match="is an integer"):
            make(lambda x: x * 2.0)(3)

    def test_results_without_numbers(self, make):
        with pytest.raises(DtypeError, match="returns no real number"):
            make(lambda x: int(x))(3.0)

    def test_lists_of_run_time_length(self, make):
        def f(x):
            found = []
            for k in range(len(x)):
                if x[k] > 0.0:
                    found.append(x[k] * x[k])
            return found

        with pytest.raises(DtypeError, match="list whose length is known at run time"):
            make(f)(X)


def test_real_numbers_to_complex_ones():
    close(jacfwd(lambda x: np.exp(1j * x))(X), np.diag(1j * np.exp(1j * X)))
    with pytest.raises(DtypeError, match="returns complex numbers"):
        jacrev(lambda x: np.exp(1j * x))(X)
    with pytest.raises(DtypeError, match="is complex"):
        jacfwd(lambda z: np.abs(z))(X + 0j)


LENGTHS = [(3, 7), (7, 3), (40, 30), (30, 40), (0, 20), (20, 0)]


@pytest.mark.parametrize(("rows", "columns"), LENGTHS)
def test_the_mode_follows_the_lengths(rows, columns):
    """One function for all: an array with rows times a vector, both of any length."""
    rng = np.random.default_rng(rows)
    a, x = rng.normal(size=(rows, columns)), rng.normal(size=columns)
    close(CHOSEN(x, a), np.diag(np.cos(a @ x)) @ a)


CHOSEN = jacobian(lambda x, a: np.sin(a @ x))


@pytest.mark.parametrize(
    ("f", "x", "mode"),
    [
        (lambda x: np.sum(np.sin(x)), np.ones(50), "reverse"),
        (lambda s: np.sin(np.arange(50.0) * s), 2.0, "forward"),
        (lambda x: np.array([x[0] * x[1], x[2]]), np.ones(3), "reverse"),
        (lambda s: np.array([s, s * s, 3.0]), 2.0, "forward"),
        (lambda z: np.abs(z) ** 2, np.ones(3) + 1j, "reverse"),
        (lambda x: np.exp(1j * x), np.ones(3), "forward"),
    ],
)
def test_one_mode_is_compiled_where_types_decide(f, x, mode):
    g = jacobian(f)
    program = adcore.program(g, x)
    assert "jacfwd" in program.name or mode == "reverse"
    assert "jacrev" in program.name or mode == "forward"
    close(g(x), (jacfwd if mode == "forward" else jacrev)(f)(x))


def test_complex_arguments_and_values_need_holomorphic():
    with pytest.raises(DtypeError, match="complex"):
        jacobian(lambda z: z * z)(X + 1j)


def test_derivatives_of_both_modes():
    def f(x, a):
        return np.sum(jacobian(lambda y: np.sin(a @ y) * y[0])(x) ** 2)

    def g(x, a):
        return np.sum(jacfwd(lambda y: np.sin(a @ y) * y[0])(x) ** 2)

    rng = np.random.default_rng(2)
    for shape in ((6, 9), (9, 6)):
        x, a = rng.normal(size=shape[1]), rng.normal(size=shape)
        close(grad(f)(x, a), grad(g)(x, a))


def test_all_four_hessians():
    def f(x):
        return np.sum(np.sin(x) * np.exp(x[0] * x[1]))

    expected = hessian(f)(X)
    for outer in (jacfwd, jacrev):
        for inner in (jacfwd, jacrev):
            close(outer(inner(f))(X), expected)


def test_hessian_of_two_arguments():
    (xx, xy), (yx, yy) = hessian(lambda x, y: np.sum(x * x) * y**3, argnums=(0, 1))(X, 2.0)
    close(xx, 16.0 * np.eye(4))
    close(xy, 24.0 * X)
    close(yx, 24.0 * X)
    assert yy == pytest.approx(12.0 * np.sum(X * X))


def test_a_primitive_without_a_rule_is_named():
    b, n = Builder(), Var(I64, "n")
    matrix, several = Var(f64(n, n), "a"), Var(f64(n, n, n), "as")
    b.eigh(matrix)
    with pytest.raises(MissingRuleError, match="many derivatives at once through 'eigh'"):
        Batch(Builder(), n, {matrix: several}).emit(b.equations)

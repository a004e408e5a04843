"""Derivatives of solutions by their conditions: minima, roots and fixed points, beside jaxopt's and Optimistix's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from adcore import custom_root, fixed_point, grad, jit, minimize, root, root_vjp
from bench import peers
from bench.cases import Case, Target
from bench.workloads import Array, Contender, Contenders, waited

__all__ = ["cases"]

LIBRARIES = ("jaxopt", "optimistix")


def cases(tiny: bool = False) -> Iterator[Case]:
    """A solution and its gradient a call; in the case of a known solution the gradient alone."""
    rows, columns = (20, 3) if tiny else (1000, 50)
    unknowns = 4 if tiny else 50
    found = {
        f"ridge by lu, {rows}×{columns}": (_ridge(rows, columns), 1e-9),
        f"logistic ridge by cg, {rows}×{columns}": (_logistic(rows, columns), 1e-5),
        f"logistic ridge by cg at the solution, {rows}×{columns}": (_logistic_known(rows, columns), 1e-7),
        f"root of {unknowns} equations": (_equations(unknowns), 1e-7),
        "root of Kepler's equation": (_kepler(), 1e-7),
        f"fixed point of {unknowns} numbers, Anderson": (_fixed_point(unknowns), 1e-7),
    }
    for name, (contenders, agree) in found.items():
        rivals = [library for library in LIBRARIES if library in contenders]
        yield Case(name, contenders, agree=agree, targets=tuple(Target("adcore", 0.5, over=r) for r in rivals))


def _ours(f: Callable[..., float], *arguments: Any, argnums: int | tuple[int, ...] = 0) -> Contenders:
    """The gradient, and the function itself, which is the solver's time."""
    return {
        "adcore": lambda: Contender(grad(f, argnums=argnums), *arguments),
        "primal": lambda: Contender(jit(f), *arguments),
    }


# Minima, by a penalty


def _data(rows: int, columns: int) -> tuple[Array, Array, Array, Array]:
    """Rows to fit with their targets, of both signs, and others to judge by."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * rows, columns))
    y = np.sign(x @ rng.normal(size=columns) + rng.normal(size=2 * rows))
    return x[:rows], y[:rows], x[rows:], y[rows:]


def square_loss(w: Array, logarithm: float, x: Array, y: Array) -> float:
    away = x @ w - y
    return 0.5 * (away @ away) + 0.5 * math.exp(logarithm) * (w @ w)


square_slope = grad(square_loss)


@custom_root(square_slope, solve="lu")
def ridge(init: Array, logarithm: float, x: Array, y: Array) -> Array:
    return np.linalg.solve(x.T @ x + math.exp(logarithm) * np.eye(len(init)), x.T @ y)


def ridge_judged(logarithm: float, x: Array, y: Array, others: Array, answers: Array) -> float:
    away = others @ ridge(np.zeros(x.shape[1]), logarithm, x, y) - answers
    return away @ away


def _ridge(rows: int, columns: int) -> Contenders:
    data = _data(rows, columns)

    def in_jaxopt() -> Contender:
        jax, jaxopt = peers.jax(), peers.jaxopt()
        np = jax.numpy

        def loss(w: Any, logarithm: Any, x: Any, y: Any) -> Any:
            return 0.5 * np.sum((x @ w - y) ** 2) + 0.5 * np.exp(logarithm) * np.sum(w**2)

        @jaxopt.implicit_diff.custom_root(jax.grad(loss), solve=jaxopt.linear_solve.solve_lu)
        def solver(init: Any, logarithm: Any, x: Any, y: Any) -> Any:
            return np.linalg.solve(x.T @ x + np.exp(logarithm) * np.eye(x.shape[1]), x.T @ y)

        def judged(logarithm: Any, x: Any, y: Any, others: Any, answers: Any) -> Any:
            return np.sum((others @ solver(None, logarithm, x, y) - answers) ** 2)

        return waited(jax.jit(jax.grad(judged)), np.asarray(1.0), *map(np.asarray, data))

    return {**_ours(ridge_judged, 1.0, *data), "jaxopt": in_jaxopt}


def logistic_loss(w: Array, logarithm: float, x: Array, y: Array) -> float:
    return np.sum(np.log1p(np.exp(-y * (x @ w)))) + 0.5 * math.exp(logarithm) * (w @ w)


logistic_slope = grad(logistic_loss)


def logistic_judged(logarithm: float, x: Array, y: Array, others: Array, answers: Array) -> float:
    w = minimize(logistic_loss, np.zeros(x.shape[1]), logarithm, x, y, method="lbfgs", solve="cg", tol=1e-10)
    return np.sum(np.log1p(np.exp(-answers * (others @ w))))


def _logistic(rows: int, columns: int) -> Contenders:
    data = _data(rows, columns)

    def in_jaxopt() -> Contender:
        jax, jaxopt = peers.jax(), peers.jaxopt()
        np = jax.numpy
        solver = jaxopt.LBFGS(
            _ported_logistic(np),
            maxiter=1000,
            tol=1e-6,
            implicit_diff=True,
            implicit_diff_solve=partial(jaxopt.linear_solve.solve_cg, tol=1e-12),
        )

        def judged(logarithm: Any, x: Any, y: Any, others: Any, answers: Any) -> Any:
            w = solver.run(np.zeros(x.shape[1]), logarithm, x, y).params
            return np.sum(np.log1p(np.exp(-answers * (others @ w))))

        return waited(jax.jit(jax.grad(judged)), np.asarray(1.0), *map(np.asarray, data))

    def in_optimistix() -> Contender:
        """With its own choice of a linear solver: it has not told Lineax that Hessians are definite."""
        jax, optimistix = peers.jax(), peers.optimistix()
        np = jax.numpy
        loss = _ported_logistic(np)
        lbfgs = optimistix.LBFGS(rtol=1e-10, atol=1e-8)

        def judged(logarithm: Any, x: Any, y: Any, others: Any, answers: Any) -> Any:
            start = np.zeros(x.shape[1])
            w = optimistix.minimise(
                lambda w, args: loss(w, *args), lbfgs, start, (logarithm, x, y), max_steps=1000
            ).value
            return np.sum(np.log1p(np.exp(-answers * (others @ w))))

        return waited(jax.jit(jax.grad(judged)), np.asarray(1.0), *map(np.asarray, data))

    return {**_ours(logistic_judged, 1.0, *data), "jaxopt": in_jaxopt, "optimistix": in_optimistix}


def _ported_logistic(np: Any) -> Any:
    def loss(w: Any, logarithm: Any, x: Any, y: Any) -> Any:
        return np.sum(np.log1p(np.exp(-y * (x @ w)))) + 0.5 * np.exp(logarithm) * np.sum(w**2)

    return loss


def logistic_known(w: Array, logarithm: float, x: Array, y: Array, cotangent: Array) -> float:
    return root_vjp(logistic_slope, w, (logarithm, x, y), cotangent, solve="cg")[0]


def _logistic_known(rows: int, columns: int) -> Contenders:
    x, y, *_ = _data(rows, columns)
    cotangent = np.linspace(-1.0, 1.0, columns)

    def solution() -> Array:
        return minimize(logistic_loss, np.zeros(columns), 1.0, x, y)

    def in_jaxopt() -> Contender:
        jax, jaxopt = peers.jax(), peers.jaxopt()
        slope = jax.grad(_ported_logistic(jax.numpy))

        def known(w: Any, logarithm: Any, x: Any, y: Any, cotangent: Any) -> Any:
            solve = partial(jaxopt.linear_solve.solve_cg, tol=1e-12)
            return jaxopt.implicit_diff.root_vjp(slope, w, (logarithm, x, y), cotangent, solve=solve)[0]

        return waited(jax.jit(known), *map(jax.numpy.asarray, (solution(), 1.0, x, y, cotangent)))

    return {"adcore": lambda: Contender(jit(logistic_known), solution(), 1.0, x, y, cotangent), "jaxopt": in_jaxopt}


# Roots


def equations(x: Array, a: float, matrix: Array) -> Array:
    return x + 0.3 * np.tanh(matrix @ x) - a


def equations_solved(a: float, matrix: Array) -> float:
    return np.sum(root(equations, np.zeros(len(matrix)), a, matrix, solve="lu") ** 2)


def _equations(n: int) -> Contenders:
    matrix = np.random.default_rng(0).normal(size=(n, n)) / math.sqrt(n)

    def ported(np: Any) -> Any:
        return lambda x, a, matrix: x + 0.3 * np.tanh(matrix @ x) - a

    def in_jaxopt() -> Contender:
        jax, jaxopt = peers.jax(), peers.jaxopt()
        np = jax.numpy
        solve = jaxopt.linear_solve.solve_lu
        solver = jaxopt.Broyden(ported(np), maxiter=200, tol=1e-12, implicit_diff=True, implicit_diff_solve=solve)

        def solved(a: Any, matrix: Any) -> Any:
            return np.sum(solver.run(np.zeros(n), a, matrix).params ** 2)

        return waited(jax.jit(jax.grad(solved)), np.asarray(1.0), np.asarray(matrix))

    def in_optimistix() -> Contender:
        jax, optimistix = peers.jax(), peers.optimistix()
        np = jax.numpy

        def solved(a: Any, matrix: Any) -> Any:
            newton = optimistix.Newton(rtol=1e-12, atol=1e-12)
            found = optimistix.root_find(lambda x, args: ported(np)(x, *args), newton, np.zeros(n), (a, matrix))
            return np.sum(found.value**2)

        return waited(jax.jit(jax.grad(solved)), np.asarray(1.0), np.asarray(matrix))

    return {
        **_ours(equations_solved, 1.0, matrix),
        "jaxopt": in_jaxopt,
        "optimistix": in_optimistix,
    }


def kepler(anomaly: float, mean: float, eccentricity: float) -> float:
    return anomaly - eccentricity * math.sin(anomaly) - mean


def kepler_solved(mean: float, eccentricity: float) -> float:
    return root(kepler, mean, mean, eccentricity)


def _kepler() -> Contenders:
    def in_jaxopt() -> Contender:
        jax, jaxopt = peers.jax(), peers.jaxopt()
        np = jax.numpy

        def condition(anomaly: Any, mean: Any, eccentricity: Any) -> Any:
            return anomaly - eccentricity * np.sin(anomaly) - mean

        def solved(mean: Any, eccentricity: Any) -> Any:
            solver = jaxopt.Bisection(condition, 0.0, 7.0, maxiter=60, tol=1e-13, check_bracket=False)
            return solver.run(None, mean, eccentricity).params

        return waited(jax.jit(jax.grad(solved, argnums=(0, 1))), np.asarray(1.2), np.asarray(0.3))

    def in_optimistix() -> Contender:
        jax, optimistix = peers.jax(), peers.optimistix()
        np = jax.numpy

        def condition(anomaly: Any, given: Any) -> Any:
            return anomaly - given[1] * np.sin(anomaly) - given[0]

        def solved(mean: Any, eccentricity: Any) -> Any:
            newton = optimistix.Newton(rtol=1e-13, atol=1e-13)
            return optimistix.root_find(condition, newton, mean, (mean, eccentricity)).value

        return waited(jax.jit(jax.grad(solved, argnums=(0, 1))), np.asarray(1.2), np.asarray(0.3))

    return {
        **_ours(kepler_solved, 1.2, 0.3, argnums=(0, 1)),
        "jaxopt": in_jaxopt,
        "optimistix": in_optimistix,
    }


# Fixed points


def step(x: Array, a: float, matrix: Array) -> Array:
    return np.cos(a * (matrix @ x))


def fixed(a: float, matrix: Array) -> float:
    return np.sum(fixed_point(step, np.ones(len(matrix)), a, matrix, method="anderson", solve="lu") ** 2)


def _fixed_point(n: int) -> Contenders:
    matrix = 0.7 * np.random.default_rng(0).normal(size=(n, n)) / math.sqrt(n)

    def ported(np: Any) -> Any:
        return lambda x, a, matrix: np.cos(a * (matrix @ x))

    def in_jaxopt() -> Contender:
        jax, jaxopt = peers.jax(), peers.jaxopt()
        np = jax.numpy
        solver = jaxopt.AndersonAcceleration(
            ported(np),
            history_size=5,
            maxiter=200,
            tol=1e-12,
            implicit_diff=True,
            implicit_diff_solve=jaxopt.linear_solve.solve_lu,
        )

        def solved(a: Any, matrix: Any) -> Any:
            return np.sum(solver.run(np.ones(n), a, matrix).params ** 2)

        return waited(jax.jit(jax.grad(solved)), np.asarray(0.9), np.asarray(matrix))

    def in_optimistix() -> Contender:
        """Without the acceleration, which it does not have."""
        jax, optimistix = peers.jax(), peers.optimistix()
        np = jax.numpy

        def solved(a: Any, matrix: Any) -> Any:
            iteration = optimistix.FixedPointIteration(rtol=1e-12, atol=1e-12)
            found = optimistix.fixed_point(
                lambda x, args: ported(np)(x, *args), iteration, np.ones(n), (a, matrix), max_steps=10_000
            )
            return np.sum(found.value**2)

        return waited(jax.jit(jax.grad(solved)), np.asarray(0.9), np.asarray(matrix))

    return {
        **_ours(fixed, 0.9, matrix),
        "jaxopt": in_jaxopt,
        "optimistix": in_optimistix,
    }

"""Derivatives of high order, sparse and batched ones: Taylor mode, nesting, colourings, per-example gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adcore import grad, hessian, hvp, jet, jit, vmap
from bench import peers
from bench.cases import Case, Target
from bench.workloads import Array, Contender, Contenders, waited

__all__ = ["cases", "ported_rosenbrock", "rosenbrock"]


def cases(tiny: bool = False) -> Iterator[Case]:
    """Orders that grow, a Hessian by colouring, second derivatives along a vector, and gradients of each of many."""
    for n in (1, 2) if tiny else (1, 2, 4, 8, 12, 16, 20):
        yield Case(f"jet of a chain, order {n}", _taylor(n), size=n, agree=1e-8)
    for n in (1, 2) if tiny else (1, 2, 3, 4, 5, 6):
        yield Case(f"nested derivative of a chain, order {n}", _nested(n), size=n, agree=1e-8)
    for n in (8,) if tiny else (1000, 100_000):
        few = (Target("adcore", 8.0, over="gradient"),)
        yield Case(f"Hessian of chained Rosenbrock by colouring n{n}", _rosenbrock(n), agree=None, targets=few)
    for n in (8,) if tiny else (1000,):
        yield Case(f"Hessian times vector, chained Rosenbrock n{n}", _product(n), agree=1e-9)
    for n in (8,) if tiny else (10_000,):
        yield Case(f"gradients of {n} epidemics", _epidemics(n), agree=1e-9)


def chain(x: float) -> float:
    return math.sin(math.exp(math.sin(x))) * math.exp(-x)


def _ported(jax: Any) -> Callable[[Any], Any]:
    np = jax.numpy
    return lambda x: np.sin(np.exp(np.sin(x))) * np.exp(-x)


def _taylor(n: int) -> Contenders:
    """The n-th derivative of a function of one number, by Taylor mode."""
    along = (1.0, *(0.0 for _ in range(n - 1)))

    def in_jax() -> Contender:
        jax = peers.jax()
        from jax.experimental.jet import jet as their_jet

        f = _ported(jax)
        return waited(jax.jit(lambda x: their_jet(f, (x,), (list(along),))[1][n - 1]), jax.numpy.asarray(0.4))

    def ours(x: float) -> Any:
        return jet(chain, x, along, scaling="derivatives")[1][n - 1]

    return {"adcore": lambda: Contender(jit(ours), 0.4), "jax": in_jax}


def _nested(n: int) -> Contenders:
    """The n-th derivative by gradients of gradients."""

    def nested(make: Callable[[Any], Any], f: Any) -> Any:
        for _ in range(n):
            f = make(f)
        return f

    def in_jax() -> Contender:
        jax = peers.jax()
        return waited(jax.jit(nested(jax.grad, _ported(jax))), jax.numpy.asarray(0.4))

    return {"adcore": lambda: Contender(nested(grad, chain), 0.4), "jax": in_jax}


def rosenbrock(x: Array) -> float:
    total = 0.0
    for k in range(len(x) - 1):
        total += 100.0 * (x[k + 1] - x[k] ** 2) ** 2 + (1.0 - x[k]) ** 2
    return total


def ported_rosenbrock(jax: Any) -> Callable[[Any], Any]:
    """The same as JAX wants it."""
    return lambda x: jax.numpy.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def _rosenbrock(n: int) -> Contenders:
    """A Hessian with three diagonals, beside the gradient."""
    at = np.random.default_rng(0).normal(size=n)
    sparse = hessian(rosenbrock, sparse=True)
    return {
        "adcore": lambda: Contender(lambda x: sparse(x).data, at),
        "gradient": lambda: Contender(grad(rosenbrock), at),
    }


def _product(n: int) -> Contenders:
    """The product of the Hessian with a vector."""
    at, along = np.random.default_rng(0).normal(size=(2, n))
    product = hvp(rosenbrock)

    def in_jax() -> Contender:
        jax = peers.jax()
        function = jax.jit(lambda x, v: jax.jvp(jax.grad(ported_rosenbrock(jax)), (x,), (v,)))
        return waited(function, jax.numpy.asarray(at), jax.numpy.asarray(along))

    return {"adcore": lambda: Contender(product, (at,), (along,)), "jax": in_jax}


def epidemic(parameters: Array) -> float:
    """The share of the infected after a hundred steps of the SIR model."""
    infection, recovery = parameters[0], parameters[1]
    s, i = 0.99, 0.01
    for _ in range(100):
        met = infection * s * i
        s, i = s - 0.1 * met, i + 0.1 * (met - recovery * i)
    return i


def _epidemics(n: int) -> Contenders:
    """The gradient of each of many epidemics by its two parameters."""
    at = np.random.default_rng(0).uniform(0.2, 2.0, (n, 2))

    def in_jax() -> Contender:
        jax = peers.jax()

        def ported(parameters: Any) -> Any:
            infection, recovery = parameters

            def step(_: Any, state: Any) -> Any:
                s, i = state
                met = infection * s * i
                return s - 0.1 * met, i + 0.1 * (met - recovery * i)

            return jax.lax.fori_loop(0, 100, step, (0.99, 0.01))[1]

        return waited(jax.jit(jax.vmap(jax.grad(ported))), jax.numpy.asarray(at))

    return {"adcore": lambda: Contender(vmap(grad(epidemic)), at), "jax": in_jax}

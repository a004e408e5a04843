"""Calls of small derivatives, and a minimisation that makes many of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from scipy.optimize import minimize

from adcore import grad, value_and_grad
from bench import peers
from bench.cases import Case, Target
from bench.workloads import (
    Array,
    Contender,
    Contenders,
    beside_peers,
    scalar_calls,
    waited,
    waves,
)

__all__ = ["cases"]


def cases(tiny: bool = False) -> Iterator[Case]:
    """A number, three numbers, a small array, a tuple and a dataclass of arrays; a minimisation."""
    yield Case("a number", scalar_calls(), targets=(Target("adcore", 0.15e-6),))
    yield Case("three numbers", _three_numbers(), targets=(Target("adcore", 0.25e-6),))
    at = np.random.default_rng(0).normal(size=8)
    small = beside_peers(waves, lambda np, x: np.sum(np.sin(x) * x), at)
    yield Case("an array of 8 numbers", small, targets=(Target("adcore", 1e-6),))
    yield Case("a tuple of arrays", _tuple(), targets=(Target("adcore", 3e-6),))
    yield Case("a dataclass of arrays", _dataclass(), targets=(Target("adcore", 3e-6),))
    # Where it stops depends on rounding, so the minima are as near as the tolerance of the method makes them.
    yield Case("minimize, Rosenbrock 10", _minimisation(), agree=1e-3, targets=(Target("adcore", 0.05, over="jax"),))


# Three numbers


def orbit(x: float, y: float, z: float) -> float:
    return math.sin(x) * y + z * z * x


def _three_numbers() -> Contenders:
    at = (0.3, 1.3, 2.3)
    every = (0, 1, 2)

    def ported(np: Any) -> Callable[..., Any]:
        return lambda x, y, z: np.sin(x) * y + z * z * x

    def in_jax() -> Contender:
        jax = peers.jax()
        return waited(jax.jit(jax.grad(ported(jax.numpy), every)), *at)

    def in_autograd() -> Contender:
        return Contender(import_module("autograd").grad(ported(import_module("autograd.numpy")), every), *at)

    return {"adcore": lambda: Contender(grad(orbit, every), *at), "jax": in_jax, "autograd": in_autograd}


# Trees


def layer(parameters: tuple[Array, Array], x: Array) -> float:
    W, b = parameters
    return np.sum(np.tanh(W @ x + b))


def _tuple() -> Contenders:
    W, b, x = _parameters()

    def ported(np: Any) -> Callable[..., Any]:
        return lambda parameters, x: np.sum(np.tanh(parameters[0] @ x + parameters[1]))

    def in_jax() -> Contender:
        jax = peers.jax()
        given = [jax.numpy.asarray(a) for a in (W, b, x)]
        return waited(jax.jit(jax.grad(ported(jax.numpy))), (given[0], given[1]), given[2])

    def in_autograd() -> Contender:
        np = import_module("autograd.numpy")
        function = ported(np)
        return Contender(import_module("autograd").grad(lambda p, x: function(p, x)), (W, b), x)

    return {"adcore": lambda: Contender(grad(layer), (W, b), x), "jax": in_jax, "autograd": in_autograd}


@dataclass(frozen=True)
class Layer:
    W: Any
    b: Any


def of_layer(parameters: Layer, x: Array) -> float:
    return np.sum(np.tanh(parameters.W @ x + parameters.b))


def _dataclass() -> Contenders:
    W, b, x = _parameters()

    def in_jax() -> Contender:
        jax = peers.jax()
        np = jax.numpy
        jax.tree_util.register_dataclass(Layer, data_fields=["W", "b"], meta_fields=[])

        def ported(parameters: Layer, x: Any) -> Any:
            return np.sum(np.tanh(parameters.W @ x + parameters.b))

        return waited(jax.jit(jax.grad(ported)), Layer(np.asarray(W), np.asarray(b)), np.asarray(x))

    return {"adcore": lambda: Contender(grad(of_layer), Layer(W, b), x), "jax": in_jax}


def _parameters() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)


# A minimisation


def rosenbrock(x: Array) -> float:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def _minimisation() -> Contenders:
    """The whole run of `scipy.optimize.minimize` from where its documentation starts."""
    start = np.resize([1.3, 0.7, 0.8, 1.9, 1.2], 10)

    def ported(np: Any) -> Callable[..., Any]:
        return lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    def run(function: Callable[..., Any], jac: Any = True) -> Contender:
        return Contender(lambda: minimize(function, start, jac=jac, method="L-BFGS-B").x)

    def in_jax() -> Contender:
        jax = peers.jax()
        compiled = jax.jit(jax.value_and_grad(ported(jax.numpy)))

        def both(x: Array) -> tuple[float, Array]:
            value, gradient = compiled(x)
            return float(value), np.asarray(gradient)

        return run(both)

    def in_autograd() -> Contender:
        return run(import_module("autograd").value_and_grad(ported(import_module("autograd.numpy"))))

    return {
        "adcore": lambda: run(value_and_grad(rosenbrock)),
        "jax": in_jax,
        "autograd": in_autograd,
        "scipy": lambda: run(rosenbrock, jac=None),
    }

"""First, second and third derivatives in reverse mode; `compile` has their first calls, `bench.sizes` their sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adcore import grad
from bench import peers
from bench.cases import Case
from bench.orders import ported_rosenbrock, rosenbrock
from bench.workloads import Array, Contender, Contenders, waited

__all__ = ["ORDERS", "cases", "derivative", "ported", "problems"]

ORDERS = {1: "gradient", 2: "second derivative", 3: "third derivative"}
HIDDEN = 8


def problems(tiny: bool = False) -> Iterator[tuple[str, Array, Array]]:
    """The names of the functions, with a point and a direction for each."""
    rng = np.random.default_rng(0)
    n = 8 if tiny else 1000
    points = {
        "rosenbrock": rng.normal(size=n),
        "network": rng.normal(size=4 * HIDDEN),
        "pendulum": np.array([0.4, 1.3]),
    }
    for name, at in points.items():
        yield name, at, rng.normal(size=len(at))


def cases(tiny: bool = False) -> Iterator[Case]:
    """Of functions of vectors the gradient along a direction is differentiated again."""
    for name, at, along in problems(tiny):
        for order, what in ORDERS.items():
            yield Case(f"{what} of {name}", _contenders(name, order, at, along), agree=1e-7)


# The functions


INPUTS = np.linspace(-1.0, 1.0, 20)


def network(weights: Array) -> float:
    """The error of a network of two hidden layers that is as wide as a vector, at twenty points."""
    first, second, third, last = weights.reshape(4, HIDDEN)
    error = 0.0
    for x in INPUTS:
        hidden = np.tanh(np.tanh(first * x + second) * third)
        error += (np.sum(hidden * last) - math.sin(3.0 * x)) ** 2
    return error


def pendulum(start: Array) -> float:
    """The energy after a hundred steps of Runge and Kutta's method."""
    angle, speed = start[0], start[1]
    h = 0.05
    for _ in range(100):
        a1, s1 = speed, -math.sin(angle)
        a2, s2 = speed + 0.5 * h * s1, -math.sin(angle + 0.5 * h * a1)
        a3, s3 = speed + 0.5 * h * s2, -math.sin(angle + 0.5 * h * a2)
        a4, s4 = speed + h * s3, -math.sin(angle + h * a3)
        angle = angle + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
        speed = speed + h / 6.0 * (s1 + 2.0 * s2 + 2.0 * s3 + s4)
    return 0.5 * speed * speed - math.cos(angle) + angle * angle


def _ported(jax: Any) -> dict[str, Callable[[Any], Any]]:
    """The functions as JAX wants them."""
    np = jax.numpy

    def network(weights: Any) -> Any:
        first, second, third, last = weights.reshape(4, HIDDEN)
        hidden = np.tanh(np.tanh(INPUTS[:, None] * first + second) * third)
        return np.sum((hidden @ last - np.sin(3.0 * INPUTS)) ** 2)

    def pendulum(start: Any) -> Any:
        h = 0.05

        def slope(state: Any) -> Any:
            return np.stack((state[1], -np.sin(state[0])))

        def step(state: Any, _: Any) -> Any:
            k1 = slope(state)
            k2 = slope(state + 0.5 * h * k1)
            k3 = slope(state + 0.5 * h * k2)
            k4 = slope(state + h * k3)
            return state + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), None

        angle, speed = jax.lax.scan(step, start, None, length=100)[0]
        return 0.5 * speed * speed - np.cos(angle) + angle * angle

    return {"rosenbrock": ported_rosenbrock(jax), "network": network, "pendulum": pendulum}


FUNCTIONS = {"rosenbrock": rosenbrock, "network": network, "pendulum": pendulum}


# Their derivatives


def derivative(name: str, order: int, along: Array) -> Any:
    """Of one of the functions by adcore."""
    return _repeated(grad, FUNCTIONS[name], order, along)


def ported(name: str, order: int, along: Array) -> Any:
    """The same by JAX."""
    jax = peers.jax()
    return _repeated(jax.grad, _ported(jax)[name], order, along)


def _repeated(make: Callable[[Any], Any], function: Any, order: int, along: Any) -> Any:
    """The gradient, of the gradient's product with a direction, and so on."""
    derivative = make(function)
    for _ in range(order - 1):
        derivative = make(_product(derivative, along))
    return derivative


def _product(derivative: Any, along: Any) -> Any:
    return lambda x: derivative(x) @ along


def _contenders(name: str, order: int, at: Array, along: Array) -> Contenders:
    def in_jax() -> Contender:
        jax = peers.jax()
        return waited(jax.jit(ported(name, order, along)), jax.numpy.asarray(at))

    return {"adcore": lambda: Contender(derivative(name, order, along), at), "jax": in_jax}

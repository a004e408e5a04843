"""Compiled functions to pickle, each with arguments.

Run as a script, everything here is in `__main__`: it prints the pickles, with what the functions give.
"""

from __future__ import annotations

import base64
import functools
import json
import math
import pickle
import sys
from dataclasses import dataclass
from typing import NamedTuple

import cloudpickle
import numpy as np
import scipy.special

import adcore
from adcore import custom_jvp, custom_root, custom_rule, grad, hessian, jit, jvp, straight_through, value_and_grad, vmap

weights = np.array([0.5, -1.5, 2.0])
factor = 3.0
POINT = np.array([1.0, 2.0, 3.0])


def weighted(x):
    return np.sum(weights * np.sin(x)) * factor


def scaled(power):
    """A function that closes over a number and over another function."""

    def inner(x):
        return x**power

    def outer(x, offset=0.25, *, slope=2.0):
        return slope * inner(x) + offset

    return outer


def counting():
    """Two functions that share a variable, one of which is called by the other by way of it."""

    def even(x, n):
        return x if n == 0 else 2.0 * odd(x, n - 1)

    def odd(x, n):
        return x * x if n == 0 else 3.0 * even(x, n - 1)

    return even


def power(x, n):
    return x * power(x, n - 1) if n else 1.0


class Oscillator:
    def __init__(self, rest):
        self.rest = rest
        self.stiffness = 4.0

    def __stretch(self, x):
        return x - self.rest

    def energy(self, x):
        return 0.5 * self.stiffness * self.__stretch(x) ** 2

    @grad(argnums=1)
    def force(self, x):
        return -self.energy(x)

    @staticmethod
    def cube(x):
        return x**3


oscillator = Oscillator(0.5)


class Line(NamedTuple):
    slope: float
    offset: np.ndarray


@dataclass
class Scale:
    by: float


def loss(line, x):
    return np.sum((line.slope * x + line.offset) ** 2)


def rescaled(scale, x):
    return Scale(scale.by * np.sum(x))


@custom_jvp
def log1pexp(x):
    return math.log(1.0 + math.exp(x))


@log1pexp.defjvp
def log1pexp_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return log1pexp(x), (1.0 - 1.0 / (1.0 + math.exp(x))) * t


@custom_rule
def root(x):
    y = math.sqrt(x)

    def pushforward(t):
        return 0.5 * t / y

    return y, pushforward


@custom_root(lambda x, a: x * x - a)
def square_root(start, a):
    x = start
    for _ in range(60):
        x = 0.5 * (x + a / x)
    return x


@grad
def decorated(x):
    return x * math.exp(x)


def checked(x):
    if x < 0.0:
        raise ValueError("a negative number")
    return math.sqrt(x)


def by_gamma(x):
    return scipy.special.gammaln(x)


class Shown:
    """Is shown in a cell, where `λ` stands before a lambda on its line."""

    λ = (lambda: None, grad(lambda x: x * x * factor))[1]


PROGRAMS = {
    "a function": (grad(weighted), (POINT,)),
    "a lambda": (grad(lambda x: x * x * factor), (2.0,)),
    "the second lambda of a line": ([grad(lambda x: x), grad(lambda x: x * x)][1], (2.0,)),
    "a lambda of several lines": (
        grad(
            lambda x: max(
                2.0 * x,
                x * x,
            )
        ),
        (3.0,),
    ),
    "a lambda behind other letters than ASCII": (Shown.λ, (2.0,)),
    "a closure": (value_and_grad(scaled(3.0)), (2.0,)),
    "a closure with other defaults": (value_and_grad(scaled(3.0)), (2.0, 1.0)),
    "closures that call each other": (grad(counting(), static_argnums=1), (1.5, 3)),
    "a recursion": (grad(power, static_argnums=1), (2.0, 3)),
    "a method": (grad(Oscillator(0.5).energy), (2.0,)),
    "a transformed method": (jit(lambda x: oscillator.force(x)), (2.0,)),
    "a static method": (grad(Oscillator.cube), (2.0,)),
    "a partial": (grad(functools.partial(scaled(2.0), offset=1.0)), (3.0,)),
    "a named tuple": (grad(loss), (Line(2.0, np.ones(3)), POINT)),
    "a dataclass as a result": (jit(rescaled), (Scale(2.0), POINT)),
    "a decorated function": (decorated, (1.0,)),
    "a derivative of a derivative": (grad(grad(lambda x: x**4)), (2.0,)),
    "a derivative in a function": (jit(lambda x: grad(scaled(2.0))(x)), (3.0,)),
    "a rule": (log1pexp, (1.0,)),
    "the derivative of a rule": (grad(log1pexp), (100.0,)),
    "a linearization": (grad(grad(root)), (4.0,)),
    "an implicit function": (grad(square_root, argnums=1), (1.0, 2.0)),
    "a surrogate": (grad(straight_through(np.sign, np.tanh)), (0.5,)),
    "jvp": (jvp(scaled(3.0)), ((2.0,), (1.0,))),
    "hessian": (hessian(weighted), (POINT,)),
    "vmap": (vmap(lambda x: x * factor), (POINT,)),
    "a sparse Jacobian": (adcore.jacobian(lambda x: x * x * factor, sparse=True), (POINT,)),
    "a verdict at each call": (grad(lambda x: abs(x) * factor, on_kink="raise"), (2.0,)),
    "one side of kinks": (grad(abs, on_kink="left"), (0.0,)),
    "the mean of both sides": (grad(lambda x: abs(x), on_kink="central"), (0.0,)),
    "checks": (grad(lambda x: x * x, debug="nan"), (2.0,)),
    "a function of SciPy's": (grad(by_gamma), (2.5,)),
    "an error": (grad(checked), (4.0,)),
}


def plain(result) -> str:
    """Something by which results are the same to the bit."""
    if hasattr(result, "toarray"):
        result = result.toarray()
    leaves, _ = adcore.trees.flatten(result)
    return repr([(type(leaf).__name__, np.asarray(leaf).tobytes().hex()) for leaf in leaves])


if __name__ == "__main__":
    dumps = {"pickle": pickle.dumps, "cloudpickle": cloudpickle.dumps}[sys.argv[1]]
    found = {}
    for title, (g, arguments) in PROGRAMS.items():
        pickles = [base64.b64encode(each).decode() for each in (dumps(g), cloudpickle.dumps(arguments))]
        found[title] = [*pickles, plain(g(*arguments))]
    print(json.dumps(found))

"""Hello: a square and its derivative, which show that the protocol works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adcore import grad, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders

__all__ = ["EVALUATIONS", "cases", "double", "square"]


def square(x: float) -> float:
    return x * x


double = grad(square)


def cases(tiny: bool = False) -> Iterator[Case]:
    """One number."""
    yield Case("hello", contenders((3.0,), double, square, jax_ports.hello))


def _arguments(message: Any) -> tuple[float]:
    return (float(message),)


EVALUATIONS = {"square": Evaluation(_arguments, jit(square), float), "double": Evaluation(_arguments, double, float)}

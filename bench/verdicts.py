"""What a verdict costs beside the gradient, on GradBench's objectives, at points that touch no kink."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adcore import value_and_grad, verdict
from bench.cases import Case, Target
from bench.gradbench import ba, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode
from bench.workloads import Array, Contender, Contenders

__all__ = ["cases"]


def bundle_adjustment(cameras: Array, points: Array, weights: Array, observations: Any, features: Array) -> float:
    errors, weight_errors = ba.objective(cameras, points, weights, observations, features)
    return np.sum(errors * errors) + np.sum(weight_errors * weight_errors)


def hand_tracking(*arguments: Any) -> float:
    errors = ht.simple(*arguments)
    return np.sum(errors * errors)


def cases(tiny: bool = False) -> Iterator[Case]:
    """Value and gradient a call; the same with the distances to all kinks."""
    d, k, n = (2, 3, 10) if tiny else (16, 25, 1000)
    found: dict[str, tuple[Callable[..., Any], int | tuple[int, ...], tuple[Any, ...]]] = {
        f"gmm d{d} k{k}": (gmm.objective, (0, 1, 2, 3), gmm.inputs(d, k, n)),
        "ba": (bundle_adjustment, (0, 1, 2), ba.inputs(*((2, 3, 4) if tiny else (49, 1000, 5000)))),
        "ht": (hand_tracking, 0, ht.inputs(*((2, 20) if tiny else (13, 544)), False)),
        "lstm": (lstm.objective, (0, 1), lstm.inputs(2, 4 if tiny else 1024)),
        "kmeans": (kmeans.cost, 0, kmeans.inputs(*((2, 6, 3) if tiny else (10, 1000, 16)))),
        "det": (det.determinant, 0, det.inputs(3 if tiny else 7)),
        "llsq": (llsq.objective, 0, llsq.inputs(*((8, 3) if tiny else (1000, 64)))),
        "lse": (lse.objective, 0, lse.inputs(10 if tiny else 10000)),
        "ode": (ode.last, 0, ode.inputs(*((3, 2) if tiny else (100, 50)))),
        "hello": (hello.square, 0, (3.0,)),
    }
    for name, (f, argnums, arguments) in found.items():
        static = 1 if f is det.determinant else None
        contenders = _beside(f, argnums, arguments, static)
        yield Case(name, contenders, agree=None, targets=(Target("watched", 2.0, over="adcore"),))


def _beside(f: Callable[..., Any], argnums: int | tuple[int, ...], arguments: Any, static: int | None) -> Contenders:
    return {
        "adcore": lambda: Contender(value_and_grad(f, argnums=argnums, static_argnums=static), *arguments),
        "watched": lambda: Contender(verdict(f, argnums=argnums, static_argnums=static).instrumented, *arguments),
    }

"""Saddle: the saddle point of a function by descents within a descent; derivatives through the inner ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from adcore import jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.descent import MODES, Gradient, descended
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import waiting
from bench.workloads import Array, Contender

__all__ = ["EVALUATIONS", "VARIANTS", "cases"]


def function(p: Array, q: Array) -> float:
    return (p[0] * p[0] + p[1] * p[1]) - (q[0] * q[0] + q[1] * q[1])


def point(start: Array, outer: Gradient, inner: Gradient) -> Array:
    """The p with the least greatest value over all q, and then the q of the greatest value, (4,)."""

    def greatest(p: Array) -> float:
        return function(p, descended(lambda q: -function(p, q), inner, start))

    p = descended(greatest, outer, start)
    q = descended(lambda q: -function(p, q), outer, start)
    return np.concatenate((p, q))


# Modes of the outer descent and of the inner ones: forward or reverse.
VARIANTS: dict[str, Callable[[Array], Array]] = {
    "ff": jit(lambda start: point(start, MODES["f"], MODES["f"])),
    "fr": jit(lambda start: point(start, MODES["f"], MODES["r"])),
    "rf": jit(lambda start: point(start, MODES["r"], MODES["f"])),
    "rr": jit(lambda start: point(start, MODES["r"], MODES["r"])),
}


def cases(tiny: bool = False) -> Iterator[Case]:
    """The four combinations of modes; there is nothing that is not a derivative."""
    for modes in VARIANTS:
        yield Case(f"saddle {modes}", _contenders(modes))


def _contenders(modes: str) -> dict[str, Callable[[], Contender]]:
    outer, inner = modes
    return {
        "adcore": lambda: Contender(VARIANTS[modes], np.ones(2)),
        "jax": lambda: waiting(jax_ports.saddle(outer, inner), (np.ones(2),)),
    }


EVALUATIONS = {
    modes: Evaluation(lambda message: (np.array(message["start"], dtype=float),), variant, np.ndarray.tolist)
    for modes, variant in VARIANTS.items()
}

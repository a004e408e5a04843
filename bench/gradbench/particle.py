"""Particle: the place of a charge that brings another one to the origin; derivatives within derivatives."""

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


def landing(w: Array, gradient: Gradient) -> float:
    """The square of where the particle meets the axis, after Euler's method in the field of two charges."""
    charges = np.array([[10.0, 10.0 - w[0]], [10.0, 0.0]])

    def potential(at: Array) -> float:
        total = 0.0
        for charge in charges:
            total += 1.0 / np.sqrt(np.sum((at - charge) ** 2))
        return total

    x = np.array([0.0, 8.0])
    velocity = np.array([0.75, 0.0])
    step = 0.1
    while True:
        force = -gradient(potential, x)
        x = x + step * velocity
        if x[1] <= 0.0:
            back = -x[1] / velocity[1]
            return (x[0] + back * velocity[0]) ** 2
        velocity = velocity + step * force


def controlled(w: float, outer: Gradient, inner: Gradient) -> float:
    """The w at which the particle meets the origin, sought from this one on."""
    return descended(lambda v: landing(v, inner), outer, np.array([w]))[0]


# Modes of the descent and of the field: forward or reverse.
VARIANTS: dict[str, Callable[[float], float]] = {
    "ff": jit(lambda w: controlled(w, MODES["f"], MODES["f"])),
    "fr": jit(lambda w: controlled(w, MODES["f"], MODES["r"])),
    "rf": jit(lambda w: controlled(w, MODES["r"], MODES["f"])),
    "rr": jit(lambda w: controlled(w, MODES["r"], MODES["r"])),
}


def cases(tiny: bool = False) -> Iterator[Case]:
    """The four combinations of modes; there is nothing that is not a derivative."""
    for modes in VARIANTS:
        yield Case(f"particle {modes}", _contenders(modes))


def _contenders(modes: str) -> dict[str, Callable[[], Contender]]:
    outer, inner = modes
    return {
        "adcore": lambda: Contender(VARIANTS[modes], 0.0),
        "jax": lambda: waiting(jax_ports.particle(outer, inner), (0.0,)),
    }


EVALUATIONS = {
    modes: Evaluation(lambda message: (float(message["w"]),), variant, float) for modes, variant in VARIANTS.items()
}

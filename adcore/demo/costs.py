"""What the same fit costs with finite differences, on the compiled objective and on the plain Python function."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fit import START, Difference, Objective, Slope, lbfgs
from .model import squared_error

__all__ = ["PATIENCE", "Cost", "call_seconds", "compiled_cost", "plain_call_seconds", "plain_cost"]

# seconds of plain Python that a reader is asked to wait for; above that the time is estimated
PATIENCE = 20.0
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """One row of the comparison.

    Attributes:
        gradient: where the gradient comes from.
        objective: what runs the objective.
        evaluations: calls of the objective.
        seconds: wall time of the fit, without compilation.
        estimated: the time is one call's time multiplied by `evaluations`.
        at: where the fit ended; None where it was not run.
    """

    gradient: str
    objective: str
    evaluations: int
    seconds: float
    estimated: bool
    at: NDArray[np.float64] | None


def call_seconds(function: Callable[[NDArray[np.float64]], Any], at: NDArray[np.float64]) -> float:
    """The median time of a call, of as many calls as fit into a tenth of a second and at least five."""
    times: list[float] = []
    while len(times) < _REPEATS or sum(times) < 0.1:
        began = time.perf_counter()
        function(at)
        times.append(time.perf_counter() - began)
    return median(times)


def plain_call_seconds(observed: NDArray[np.float64], steps_per_day: int) -> float:
    """The time of one call of the plain Python objective, scaled up from a call with at most 200 steps a day."""
    few = min(steps_per_day, 200)
    return call_seconds(squared_error(observed, few), START) * steps_per_day / few


def compiled_cost(name: str, objective: Objective, gradient: Slope) -> Cost:
    """The cost of the fit with the compiled objective, compiled beforehand: the median of five runs."""
    objective(START)
    runs = [lbfgs(objective, gradient) for _ in range(_REPEATS)]
    seconds = median(r.seconds for r in runs)
    return Cost(name, "compiled", runs[0].evaluations, seconds, False, runs[0].at)


def plain_cost(
    objective: Objective,
    gradient: Difference,
    like: Cost,
    seconds_a_call: float,
    each_call: Callable[[], None],
) -> Cost:
    """The cost of the fit in plain Python: one run, or an estimate where a run would take longer than `PATIENCE`.

    Args:
        objective: the plain Python objective.
        gradient: the finite-difference scheme.
        like: the same fit on the compiled objective, which tells the number of evaluations.
        seconds_a_call: the time of one call of `objective`.
        each_call: called after each evaluation.
    """
    expected = like.evaluations * seconds_a_call
    if expected > PATIENCE:
        return Cost(like.gradient, "plain Python", like.evaluations, expected, True, None)

    def counted(at: NDArray[np.float64]) -> Any:
        value = objective(at)
        each_call()
        return value

    found = lbfgs(counted, gradient)
    return Cost(like.gradient, "plain Python", found.evaluations, found.seconds, False, found.at)

"""The fit: SciPy's minimiser with adcore's gradient, and standard errors from adcore's Hessian."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from adcore import grad, jvp

__all__ = [
    "START",
    "Difference",
    "Estimate",
    "Estimates",
    "Minimum",
    "Objective",
    "Slope",
    "central_differences",
    "estimates",
    "forward_over_reverse",
    "lbfgs",
]

Vector = NDArray[np.float64]
Objective = Callable[[Vector], Any]
Difference = Literal["2-point", "3-point"]
Slope = Literal[True] | Difference

# log β and log γ where the fit starts: each ill boy infects one more a day and is ill for three days.
START = np.log([1.0, 1.0 / 3.0])


@dataclass(frozen=True, slots=True)
class Minimum:
    """What a minimisation came to.

    Attributes:
        at: log β and log γ at the minimum.
        value: the sum of squared residuals there, in people squared.
        iterations: steps that the minimiser took.
        evaluations: calls of the objective, those for finite differences included.
        seconds: wall time.
        converged: whether the minimiser says that it arrived.
        message: the minimiser's own words.
    """

    at: Vector
    value: float
    iterations: int
    evaluations: int
    seconds: float
    converged: bool
    message: str


def lbfgs(
    objective: Objective,
    gradient: Slope,
    each_step: Callable[[float], None] = lambda value: None,
) -> Minimum:
    """Minimise by L-BFGS-B from `START`, with SciPy's default tolerances.

    Args:
        objective: log rates to the value; with `gradient=True` to the pair (value, gradient).
        gradient: True, or the finite-difference scheme that SciPy is to use instead.
        each_step: called with the value after each step.
    """

    # SciPy passes the state by this name
    def callback(intermediate_result: OptimizeResult) -> None:
        each_step(float(intermediate_result.fun))

    began = time.perf_counter()
    found = minimize(objective, START, method="L-BFGS-B", jac=gradient, callback=callback)
    seconds = time.perf_counter() - began
    return Minimum(
        np.asarray(found.x), float(found.fun), found.nit, found.nfev, seconds, bool(found.success), str(found.message)
    )


def forward_over_reverse(objective: Objective, at: Vector) -> NDArray[np.float64]:
    """The Hessian, shape (n, n): its columns are the gradient's derivatives along the axes."""
    gradient = grad(objective)
    columns = [jvp(gradient, (at,), (axis,))[1] for axis in np.eye(len(at))]
    return np.stack(columns, axis=1)


def central_differences(objective: Objective, at: Vector) -> Vector:
    """The gradient by central differences, with the step that balances truncation and rounding, ε^(1/3)."""
    step = np.finfo(np.float64).eps ** (1.0 / 3.0)
    return np.array([(objective(at + step * e) - objective(at - step * e)) / (2.0 * step) for e in np.eye(len(at))])


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated quantity and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the outbreak says of the epidemic.

    Attributes:
        beta: contact rate, per day.
        gamma: recovery rate, per day.
        r0: basic reproduction number β/γ.
        sigma: standard deviation of the residuals, in people.
    """

    beta: Estimate
    gamma: Estimate
    r0: Estimate
    sigma: float


def estimates(minimum: Minimum, hessian: NDArray[np.float64], observations: int) -> Estimates:
    """Estimates with standard errors, for independent residuals of one variance.

    With n observations, p parameters and the sum of squares Q, the variance is σ² = Q/(n - p), and the covariance of
    log β and log γ is 2σ² H⁻¹, the inverse of the observed information, where H is the Hessian of Q.  The delta
    method carries it to β, γ and β/γ, each of which is the exponential of a combination of the logarithms.
    """
    variance = minimum.value / (observations - len(minimum.at))
    covariance = 2.0 * variance * np.linalg.inv(hessian)

    def exponential(combination: Vector) -> Estimate:
        value = float(np.exp(combination @ minimum.at))
        return Estimate(value, value * float(np.sqrt(combination @ covariance @ combination)))

    return Estimates(
        beta=exponential(np.array([1.0, 0.0])),
        gamma=exponential(np.array([0.0, 1.0])),
        r0=exponential(np.array([1.0, -1.0])),
        sigma=float(np.sqrt(variance)),
    )

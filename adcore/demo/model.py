"""The SIR model of an epidemic, written without any thought of derivatives.

Kermack and McKendrick (1927): of N people, S can still fall ill and I are ill,

    dS/dt = -β S I / N,    dI/dt = β S I / N - γ I,

with time in days, the contact rate β and the recovery rate γ per day, and R0 = β/γ new cases from the first one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["BOYS", "ILL_AT_START", "rates", "simulate", "squared_error"]

BOYS = 763.0
ILL_AT_START = 3.0


def rates(s: float, i: float, beta: float, gamma: float) -> tuple[float, float]:
    """dS/dt and dI/dt, in people per day."""
    infections = beta * s * i / BOYS
    recoveries = gamma * i
    return -infections, infections - recoveries


def simulate(beta: float, gamma: float, days: int, steps_per_day: int) -> NDArray[np.float64]:
    """The number of people ill at the start of each day, by the classical Runge-Kutta method of order 4."""
    ill = np.zeros(days)
    h = 1.0 / steps_per_day
    s = BOYS - ILL_AT_START
    i = ILL_AT_START
    ill[0] = i
    for day in range(1, days):
        for _ in range(steps_per_day):
            ds1, di1 = rates(s, i, beta, gamma)
            ds2, di2 = rates(s + 0.5 * h * ds1, i + 0.5 * h * di1, beta, gamma)
            ds3, di3 = rates(s + 0.5 * h * ds2, i + 0.5 * h * di2, beta, gamma)
            ds4, di4 = rates(s + h * ds3, i + h * di3, beta, gamma)
            s += h / 6.0 * (ds1 + 2.0 * ds2 + 2.0 * ds3 + ds4)
            i += h / 6.0 * (di1 + 2.0 * di2 + 2.0 * di3 + di4)
        ill[day] = i
    return ill


def squared_error(observed: NDArray[np.float64], steps_per_day: int) -> Callable[[NDArray[np.float64]], float]:
    """The objective of the fit: log β and log γ to the sum of squared residuals, in people squared.

    The logarithms keep both rates positive wherever the optimiser looks.
    """

    def objective(log_rates: NDArray[np.float64]) -> float:
        beta = math.exp(log_rates[0])
        gamma = math.exp(log_rates[1])
        residuals = simulate(beta, gamma, observed.shape[0], steps_per_day) - observed
        return np.sum(residuals * residuals)

    return objective

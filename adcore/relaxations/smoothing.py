"""Activations smoothed by convolution with a Gaussian, for any function of one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .steps import soft_relu

__all__ = ["gaussian_smoothed", "sau"]


def gaussian_smoothed(f: Callable[[Any], Any], sigma: Any, count: int = 32, reach: float = 6.0) -> Callable[[Any], Any]:
    """The function x ↦ E f(x + sigma·ε) for a standard normal ε, by the trapezoidal rule.

    The sum over 2 count + 1 points within `reach` standard deviations is itself a smooth function of x where f is
    smooth; where f has a bend or a jump it has as many bends or jumps, each 1/count as large.  For relu and leaky relu
    use `sau`, which is exact.

    Args:
        f: a function of an array, element by element.
        sigma: the standard deviation, positive.
        count: points on each side.
        reach: how far they go, in standard deviations.

    Returns:
        A function of a number or an array.

    >>> gaussian_smoothed(np.cos, 1.0)(0.0).round(6), np.exp(-0.5).round(6)
    (np.float64(0.606531), np.float64(0.606531))
    """
    points = np.linspace(-reach, reach, 2 * count + 1)
    density = np.exp(-0.5 * points * points)
    weights = density / np.sum(density)

    def smoothed(x: Any) -> Any:
        total = 0.0 * x
        for k in range(len(points)):
            total = total + weights[k] * f(x + sigma * points[k])
        return total

    return smoothed


def sau(x: Any, tau: Any, slope: Any = 0.0) -> Any:
    """Leaky relu convolved with a Gaussian of standard deviation tau, the smooth activation unit.

    With a = slope and t = x/tau it is a x + (1 - a) tau (t Φ(t) + φ(t)).

    Args:
        x: a number or an array.
        tau: the standard deviation, positive.
        slope: of the activation for negative numbers.

    Source: Biswas et al., SAU, arXiv:2109.13210, equation 6, where tau is 1/b.

    >>> sau(0.0, 1.0).round(6), sau(-3.0, 0.01, 0.25).round(6)
    (np.float64(0.398942), np.float64(-0.75))
    """
    return slope * x + (1.0 - slope) * soft_relu(x, tau, "gaussian")

"""Smooth steps from 0 to 1, by which jumps and bends are smoothed, and what follows from them for single numbers.

A step is the distribution function of a noise.  A function with jumps and bends, averaged over such a noise on where
they are, has steps for its jumps and the integrals of steps, ramps, for its bends: so monotone functions stay monotone
and convex ones convex.  All names of steps:

    logistic    1/(1 + exp(-t))           its ramp is softplus, the maximum by it log(exp(x) + exp(y))
    gaussian    Φ(t)                      its ramp is t Φ(t) + φ(t): Gaussian smoothing, as in SAU
    algebraic   (1 + t/√(1 + t²))/2       the absolute value by it is √(x² + τ²)
    cauchy      1/2 + arctan(t)/π         has no ramp: its mean is infinite

Sources: Biswas, Kumar, Banerjee and Pandey, SAU: smooth activation function using convolution with approximate
identities, arXiv:2109.13210 (2021); Nesterov, Smooth minimization of non-smooth functions (2005).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import erfc, expit

__all__ = [
    "KERNELS",
    "soft_abs",
    "soft_arctan2",
    "soft_ceil",
    "soft_copysign",
    "soft_equal",
    "soft_floor",
    "soft_floordiv",
    "soft_fmod",
    "soft_greater",
    "soft_hypot",
    "soft_indicator",
    "soft_less",
    "soft_maximum",
    "soft_minimum",
    "soft_mod",
    "soft_relu",
    "soft_round",
    "soft_sign",
    "soft_step",
    "soft_trunc",
]

KERNELS = ("logistic", "gaussian", "algebraic")

_ROOT_HALF = math.sqrt(0.5)
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def soft_step(t: Any, kernel: str = "logistic") -> Any:
    """A smooth step from 0 to 1 of width 1, 1/2 at 0.

    Args:
        t: a number or an array.
        kernel: which one, see above.

    Raises:
        ValueError: there is no such step.

    >>> soft_step(0.0), soft_step(2.0, "algebraic").round(6)
    (np.float64(0.5), np.float64(0.947214))
    """
    if kernel == "logistic":
        return expit(t)
    if kernel == "gaussian":
        return 0.5 * erfc(-_ROOT_HALF * t)
    if kernel == "algebraic":
        return 0.5 + 0.5 * np.sin(np.arctan(t))  # t/√(1 + t²), for infinities too
    if kernel == "cauchy":
        return 0.5 + np.arctan(t) / math.pi
    raise ValueError("kernel is 'logistic', 'gaussian', 'algebraic' or 'cauchy'")


def _ramp(t: Any, kernel: str) -> Any:
    """The integral of the step from -∞ to t: max(t, 0) but near 0."""
    if kernel == "logistic":
        return np.logaddexp(t, 0.0)
    if kernel == "gaussian":
        return t * soft_step(t, "gaussian") + np.exp(-0.5 * t * t) / _ROOT_TWO_PI
    if kernel == "algebraic":  # (t + √(1 + t²))/2, whose terms cancel for t < 0
        size = np.hypot(1.0, t)
        return 0.5 * np.where(t < 0.0, 1.0 / (size + np.abs(t)), t + size)
    raise ValueError("kernel is 'logistic', 'gaussian' or 'algebraic': other steps have no ramp")


def _width(tau: Any, kernel: str) -> Any:
    """The width of the Cauchy step that rises as steeply in the middle as the other one."""
    if kernel == "logistic":
        return tau * (4.0 / math.pi)
    if kernel == "gaussian":
        return tau * math.sqrt(2.0 / math.pi)
    return tau * (2.0 / math.pi)


# Comparisons


def soft_greater(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The probability that x > y, where x - y has a noise of width tau: step((x - y)/tau).

    Args:
        x, y: numbers or arrays that broadcast.
        tau: the temperature, positive, in the units of x.
        kernel: the noise, see above.

    >>> soft_greater(0.0, 0.0, 0.1), soft_greater(1.0, 0.0, 0.1).round(6)
    (np.float64(0.5), np.float64(0.999955))
    """
    return soft_step((x - y) / tau, kernel)


def soft_less(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The probability that x < y, as in `soft_greater`."""
    return soft_step((y - x) / tau, kernel)


def soft_indicator(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The probability that x > 0, as in `soft_greater`."""
    return soft_step(x / tau, kernel)


def soft_equal(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """4 p (1 - p), where p is the probability that x > y: 1 where they are equal, 0 far from there.

    >>> soft_equal(1.0, 1.0, 0.1), soft_equal(1.0, 3.0, 0.1).round(6)
    (np.float64(1.0), np.float64(0.0))
    """
    return 4.0 * soft_greater(x, y, tau, kernel) * soft_less(x, y, tau, kernel)


# Bends


def soft_relu(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """max(x, 0) smoothed: convex, with a slope from 0 to 1.

    >>> soft_relu(0.0, 1.0).round(6)
    np.float64(0.693147)
    """
    return tau * _ramp(x / tau, kernel)


def soft_abs(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """|x| smoothed: √(x² + tau²) by the algebraic kernel.

    >>> soft_abs(3.0, 4.0, "algebraic")
    np.float64(5.0)
    """
    t = x / tau
    return tau * (_ramp(t, kernel) + _ramp(-t, kernel))


def soft_maximum(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """max(x, y) smoothed: tau log(exp(x/tau) + exp(y/tau)) by the logistic kernel; of infinities the maximum.

    >>> soft_maximum(1.0, 1.0, 1.0).round(6)
    np.float64(1.693147)
    """
    if kernel == "logistic":
        return tau * np.logaddexp(x / tau, y / tau)
    finite = np.isfinite(x) & np.isfinite(y)
    return np.where(finite, y + soft_relu(np.where(finite, x - y, 0.0), tau, kernel), np.maximum(x, y))


def soft_minimum(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """min(x, y) smoothed, so that with the smooth maximum it adds up to x + y."""
    return -soft_maximum(-x, -y, tau, kernel)


def soft_sign(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The mean of the sign of x with a noise: 2 step(x/tau) - 1."""
    return 2.0 * soft_step(x / tau, kernel) - 1.0


def soft_copysign(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """|x| with the sign of y, both smoothed."""
    return soft_abs(x, tau, kernel) * soft_sign(y, tau, kernel)


def soft_hypot(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """√(x² + y² + tau²), the same for all kernels."""
    return np.hypot(np.hypot(x, y), tau)


# Staircases


def soft_floor(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The mean of ⌊x + noise⌋ for a Cauchy noise that makes its steps as steep as those of the kernel.

    The saw teeth x - ⌊x⌋ - 1/2 have the Fourier series -Σ sin(2πkx)/(πk).  A Cauchy noise of width γ multiplies the
    terms with rᵏ, r = exp(-2πγ), and their sum is -arctan(r sin(2πx)/(1 - r cos(2πx)))/π: monotone and analytic.  For
    large tau it is x - 1/2.

    >>> soft_floor(2.5, 0.1), soft_floor(3.0, 0.1)
    (np.float64(2.0), np.float64(2.5))
    """
    rate = 2.0 * math.pi * _width(tau, kernel)
    angle = 2.0 * math.pi * (x - np.rint(x))
    decayed = np.exp(-rate)
    half = np.sin(0.5 * angle)
    rest = 2.0 * decayed * half * half - np.expm1(-rate)  # 1 - r cos(angle), without cancellation
    return x - 0.5 + np.arctan(decayed * np.sin(angle) / rest) / math.pi


def soft_ceil(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """-⌊-x⌋, smoothed as in `soft_floor`."""
    return -soft_floor(-x, tau, kernel)


def soft_round(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The nearest integer, smoothed as in `soft_floor`.

    >>> soft_round(2.0, 0.1), soft_round(2.5, 0.1)
    (np.float64(2.0), np.float64(2.5))
    """
    return soft_floor(x + 0.5, tau, kernel)


def soft_trunc(x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The integer towards 0, smoothed as in `soft_floor`: without the step of that at 0.

    >>> soft_trunc(0.0, 0.1), soft_trunc(1.5, 0.001).round(2), soft_trunc(-1.5, 0.001).round(2)
    (np.float64(0.0), np.float64(1.0), np.float64(-1.0))
    """
    return soft_floor(x, tau, kernel) + soft_step(-x / _width(tau, kernel), "cauchy")


def soft_floordiv(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """⌊x/y⌋, smoothed as in `soft_floor`; tau is in the units of the quotient."""
    return soft_floor(x / y, tau, kernel)


def soft_mod(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """x - y ⌊x/y⌋, smoothed."""
    return x - y * soft_floordiv(x, y, tau, kernel)


def soft_fmod(x: Any, y: Any, tau: Any, kernel: str = "logistic") -> Any:
    """x - y trunc(x/y), smoothed."""
    return x - y * soft_trunc(x / y, tau, kernel)


def soft_arctan2(y: Any, x: Any, tau: Any, kernel: str = "logistic") -> Any:
    """The angle of (x, y), its jump from π to -π smoothed by a Cauchy noise on the angle, as in `soft_floor`.

    With r = exp(-γ) it is 2 arctan(r y/(√(x² + y²) + r x)): smooth but at the origin, which has no angle.

    >>> soft_arctan2(0.0, -1.0, 0.1), soft_arctan2(1.0, 0.0, 1e-9).round(6)
    (np.float64(0.0), np.float64(1.570796))
    """
    decayed = np.exp(-_width(tau, kernel))
    return 2.0 * np.arctan2(decayed * y, np.hypot(x, y) + decayed * x)

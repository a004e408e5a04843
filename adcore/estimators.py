"""Estimators of gradients of expectations, each with its bias and variance beside it.

The gradient in θ of E f(z), where z is drawn from a distribution with the parameter θ, or of f smoothed by a noise.
An estimator gives one number, or array, for each draw; `estimate` draws many and says what their mean is worth.

- `score_function`: (f(z) - b) ∂ log p(z; θ)/∂θ with a baseline b, unbiased for any f (Williams 1992).
- `reparametrised`: the derivative of f(z(θ, noise)), unbiased where z is differentiable in θ and f is continuous.
- `through_samples`: the straight-through estimator (Bengio, Léonard and Courville, arXiv:1308.3432), biased.
- `randomised_smoothing`: differences of f at x ± sigma·noise (Nesterov and Spokoiny 2017): unbiased for f convolved
  with a Gaussian, which is not f.

The same seed gives the same draws for every θ: common random numbers, by which differences between two θ have a small
variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from .api import grad
from .custom import stop_gradient, straight_through
from .mapping import vmap

__all__ = [
    "Distribution",
    "Estimate",
    "Estimator",
    "bernoulli",
    "categorical",
    "estimate",
    "normal",
    "randomised_smoothing",
    "reparametrised",
    "score_function",
    "through_samples",
]


@dataclass(frozen=True)
class Distribution:
    """A distribution with a parameter θ, a number or an array; all but `noise` are functions that adcore compiles.

    Attributes:
        noise: of a NumPy generator, a number of draws and θ: noise that does not depend on the value of θ, one row a
            draw.
        sample: of θ and the noise of one draw: the draw.
        log_density: of a draw and θ, a number.
        mean: of θ, for `through_samples`; None where there is none.
        smooth: whether the sample is differentiable in θ.
    """

    noise: Callable[[np.random.Generator, int, Any], Any]
    sample: Callable[[Any, Any], Any]
    log_density: Callable[[Any, Any], Any]
    mean: Callable[[Any], Any] | None = None
    smooth: bool = False


class Estimator(Protocol):
    """What `estimate` takes."""

    @property
    def instead(self) -> str:
        """Of a surrogate, what its mean is the gradient of; empty where it is that of the expectation."""
        ...

    def draws(self, theta: Any, count: int, rng: np.random.Generator) -> Any:
        """So many independent estimates, with the shape of θ behind the first axis."""
        ...


# Distributions


def _uniform(rng: np.random.Generator, count: int, theta: Any) -> Any:
    return rng.uniform(size=(count, *np.shape(theta)))


def _normal(rng: np.random.Generator, count: int, theta: Any) -> Any:
    return rng.standard_normal((count, *np.shape(theta)))


def _gumbel(rng: np.random.Generator, count: int, theta: Any) -> Any:
    return rng.gumbel(size=(count, *np.shape(theta)))


def _switched(theta: Any, noise: Any) -> Any:
    return np.where(noise < expit(theta), 1.0, 0.0)


def _log_bernoulli(z: Any, theta: Any) -> Any:
    return np.sum(z * log_expit(theta) + (1.0 - z) * log_expit(-theta))


def bernoulli() -> Distribution:
    """Independent numbers that are 1 with the probability 1/(1 + exp(-θ)), else 0."""
    return Distribution(_uniform, _switched, _log_bernoulli, expit)


def normal(scale: float = 1.0) -> Distribution:
    """Independent normal numbers with the means θ and this standard deviation."""

    def sample(theta: Any, noise: Any) -> Any:
        return theta + scale * noise

    def log_density(z: Any, theta: Any) -> Any:
        t = (z - theta) / scale
        return np.sum(-0.5 * t * t - math.log(scale) - 0.5 * math.log(2.0 * math.pi))

    return Distribution(_normal, sample, log_density, lambda theta: theta, True)


def _one_hot(theta: Any, noise: Any) -> Any:
    return np.where(np.arange(len(theta)) == np.argmax(theta + noise), 1.0, 0.0)


def _log_categorical(z: Any, theta: Any) -> Any:
    return z @ log_softmax(theta)


def categorical() -> Distribution:
    """A vector with a single 1, at place k with the probability exp(θₖ)/Σ exp(θ), else 0 (drawn by Gumbel's noise)."""
    return Distribution(_gumbel, _one_hot, _log_categorical, softmax)


# Estimators


@dataclass(frozen=True)
class _Score:
    f: Callable[[Any], Any]
    distribution: Distribution
    baseline: float | str
    instead: str = ""

    def draws(self, theta: Any, count: int, rng: np.random.Generator) -> Any:
        f, sample, log_density = self.f, self.distribution.sample, self.distribution.log_density

        def one(theta: Any, noise: Any) -> Any:
            z = stop_gradient(sample(theta, noise))
            return f(z), grad(log_density, 1)(z, theta)

        noise = self.distribution.noise(rng, count, theta)
        values, scores = vmap(one, (None, 0))(theta, noise)
        values = values.reshape(count, *(1,) * np.ndim(theta))
        return (values - self.baselines(values, scores)) * scores

    def baselines(self, values: Any, scores: Any) -> Any:
        """The baseline of each draw, from all other draws, so that it is independent of this one."""
        if not isinstance(self.baseline, str):
            return self.baseline
        weights = np.ones_like(scores) if self.baseline == "mean" else scores * scores
        rest = np.sum(weights, axis=0) - weights
        return (np.sum(weights * values, axis=0) - weights * values) / np.where(rest == 0.0, 1.0, rest)


def score_function(f: Callable[[Any], Any], distribution: Distribution, baseline: float | str = 0.0) -> Estimator:
    """(f(z) - b) ∂ log p(z; θ)/∂θ: unbiased, whatever f is.

    Args:
        f: of a draw, a number.
        distribution: of the draws.
        baseline: b: a number, `"mean"` for the mean of f over the other draws, or `"optimal"` for that with the least
            variance, E[f s²]/E[s²] of the score s over the other draws, for each element of θ (Weaver and Tao 2001).

    Raises:
        ValueError: there is no such baseline.

    >>> found = estimate(score_function(lambda b: (b - 0.2) ** 2, bernoulli(), "optimal"), 0.3, reference=0.146668)
    >>> round(found.value, 4), abs(found.bias) < 1e-4
    (0.1467, True)
    """
    if isinstance(baseline, str) and baseline not in ("mean", "optimal"):
        raise ValueError(f"baseline is {baseline!r}, and a number, 'mean' or 'optimal' is needed")
    return _Score(f, distribution, baseline)


@dataclass(frozen=True)
class _Pathwise:
    f: Callable[[Any], Any]
    sample: Callable[[Any, Any], Any]
    distribution: Distribution
    instead: str = ""

    def draws(self, theta: Any, count: int, rng: np.random.Generator) -> Any:
        f, sample = self.f, self.sample

        def loss(theta: Any, noise: Any) -> Any:
            return f(sample(theta, noise))

        return vmap(grad(loss), (None, 0))(theta, self.distribution.noise(rng, count, theta))


def reparametrised(f: Callable[[Any], Any], distribution: Distribution) -> Estimator:
    """The derivative of f(z(θ, noise)): unbiased where f is continuous.

    Args:
        f: of a draw, a number.
        distribution: one with samples that are differentiable in θ.

    Raises:
        ValueError: the samples are not.

    >>> found = estimate(reparametrised(lambda z: z * z, normal(0.5)), 1.5, reference=3.0)
    >>> abs(found.bias) < 4.0 * found.standard_error, round(found.variance, 1)
    (True, 1.0)
    """
    if not distribution.smooth:
        raise ValueError("the draws of this distribution jump where its parameter moves: score_function has no need")
    return _Pathwise(f, distribution.sample, distribution)


def through_samples(f: Callable[[Any], Any], distribution: Distribution, of: str = "identity") -> Estimator:
    """The derivative of f at the draw, taken on through the draw as if this were another function of θ: biased.

    Args:
        f: of a draw, a number, differentiable.
        distribution: of the draws.
        of: what the draw's derivative is taken to be that of: `"identity"`, θ itself, or `"mean"`, the mean of the
            distribution.

    Raises:
        ValueError: there is no such choice, or no mean.

    >>> found = estimate(through_samples(lambda b: (b - 0.2) ** 2, bernoulli()), 0.3, reference=0.146668)
    >>> round(found.value, 1), found.instead
    (0.7, 'f at the draw, with the derivative of the identity for that of the draw')
    """
    if of not in ("identity", "mean"):
        raise ValueError(f"of is {of!r}, and 'identity' or 'mean' is needed")
    mean = distribution.mean
    if of == "mean" and mean is None:
        raise ValueError("this distribution states no mean")
    sample = distribution.sample

    def drawn(theta: Any, noise: Any) -> Any:
        return sample(theta, noise)

    def followed(theta: Any, noise: Any) -> Any:
        return theta

    def averaged(theta: Any, noise: Any) -> Any:
        assert mean is not None
        return mean(theta)

    through = straight_through(drawn, followed if of == "identity" else averaged)
    instead = f"f at the draw, with the derivative of the {of} for that of the draw"
    return _Pathwise(f, through, distribution, instead)


@dataclass(frozen=True)
class _Smoothing:
    f: Callable[[Any], Any]
    sigma: float
    form: str
    instead: str

    def draws(self, theta: Any, count: int, rng: np.random.Generator) -> Any:
        noise = _normal(rng, count, theta)
        of = vmap(self.f)
        ahead = of(theta + self.sigma * noise)
        if self.form == "antithetic":
            gaps = 0.5 * (ahead - of(theta - self.sigma * noise))
        elif self.form == "forward":
            gaps = ahead - of(np.asarray(theta, float)[None])
        else:
            gaps = ahead
        return gaps.reshape(count, *(1,) * np.ndim(theta)) * noise / self.sigma


def randomised_smoothing(f: Callable[[Any], Any], sigma: float, form: str = "antithetic") -> Estimator:
    """The gradient of E f(θ + sigma·ε), ε standard normal, from values of f alone, which may jump.

    Args:
        f: of a number or an array like θ, a number.
        sigma: the standard deviation, positive.
        form: `"antithetic"`, (f(θ + sigma ε) - f(θ - sigma ε)) ε/(2 sigma), `"forward"`, with f(θ) in the place of
            the second value, or `"plain"`, without one.

    Raises:
        ValueError: there is no such form, or sigma is not positive.

    >>> found = estimate(randomised_smoothing(lambda x: 1.0 if x > 0.0 else 0.0, 0.5), 0.0)
    >>> abs(found.value - 0.797885) < 4.0 * found.standard_error  # the density of the noise at 0
    True
    """
    if form not in ("antithetic", "forward", "plain"):
        raise ValueError(f"form is {form!r}, and 'antithetic', 'forward' or 'plain' is needed")
    if not sigma > 0.0:
        raise ValueError(f"sigma is {sigma!r}, and a positive number is needed")
    return _Smoothing(f, sigma, form, f"f convolved with a Gaussian of standard deviation {sigma:g}")


# Measuring them


@dataclass(frozen=True)
class Estimate:
    """What an estimator gives, and what that is worth.  Numbers, or arrays of the shape of θ.

    Attributes:
        value: the mean of the draws.
        standard_error: that of the mean.
        variance: of a single draw.
        count: how many draws there were.
        bias: the value less the reference; None without one.  It is known up to the standard error.
        instead: of a surrogate, what it is the gradient of; empty where it is that of the expectation.
    """

    value: Any
    standard_error: Any
    variance: Any
    count: int
    bias: Any = None
    instead: str = ""

    def __str__(self) -> str:
        parts = [f"{self.value} ± {self.standard_error} ({self.count} draws, variance of one {self.variance})"]
        if self.bias is not None:
            parts.append(f"bias {self.bias} ± {self.standard_error}")
        if self.instead:
            parts.append(f"surrogate: not the derivative, but that of {self.instead}")
        return "\n".join(parts)


def estimate(estimator: Estimator, theta: Any, count: int = 10_000, seed: int = 0, reference: Any = None) -> Estimate:
    """The mean of many draws of an estimator, with its standard error, and its bias against a reference.

    Args:
        estimator: one of `adcore.estimators`, or another object with `draws` and `instead`.
        theta: where, a number or an array.
        count: how many draws, at least 2.
        seed: of the draws: the same ones for every θ.
        reference: the exact gradient, or one that counts as such.

    Raises:
        ValueError: fewer than 2 draws.

    >>> from adcore.estimators import bernoulli, score_function
    >>> found = estimate(score_function(lambda b: (b - 0.2) ** 2, bernoulli()), 0.3, reference=0.146668)
    >>> abs(found.bias) < 4.0 * found.standard_error, round(math.sqrt(found.variance), 3)
    (True, 0.146)
    """
    if count < 2:
        raise ValueError(f"{count} draws have no variance")
    draws = np.asarray(estimator.draws(theta, count, np.random.default_rng(seed)))
    value, variance = np.mean(draws, axis=0), np.var(draws, axis=0, ddof=1)
    error = np.sqrt(variance / count)
    bias = None if reference is None else value - np.asarray(reference)
    value, error, variance, bias = (
        x.item() if x is not None and x.ndim == 0 else x for x in (value, error, variance, bias)
    )
    return Estimate(value, error, variance, count, bias, estimator.instead)

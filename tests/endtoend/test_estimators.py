"""Estimators of gradients of expectations, their bias and variance: the neuron of Bengio et al., and others."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from adcore import estimate
from adcore.estimators import (
    bernoulli,
    categorical,
    normal,
    randomised_smoothing,
    reparametrised,
    score_function,
    through_samples,
)

# One stochastic neuron: b is 1 with the probability p = 1/(1 + exp(-0.3)), and its loss is (b - 0.2)².
LOGIT = 0.3
P = 1.0 / (1.0 + math.exp(-LOGIT))
EXACT = P * (1.0 - P) * (0.8**2 - 0.2**2)
MANY = 200_000


def loss(b):
    return (b - 0.2) ** 2


def test_the_neuron_by_the_score_function():
    assert round(EXACT, 5) == 0.14667
    found = estimate(score_function(loss, bernoulli()), LOGIT, MANY, reference=EXACT)
    assert abs(found.bias) < 4.0 * found.standard_error
    assert_allclose(math.sqrt(found.variance), 0.146, atol=1e-3)
    assert found.instead == ""


def test_the_neuron_with_a_baseline():
    plain, mean, optimal = (
        estimate(score_function(loss, bernoulli(), b), LOGIT, MANY, reference=EXACT) for b in (0.0, "mean", "optimal")
    )
    assert optimal.variance < 1e-3 * mean.variance
    assert mean.variance < 0.1 * plain.variance
    assert abs(mean.bias) < 4.0 * mean.standard_error
    assert abs(optimal.bias) < 1e-5
    # the baseline without any variance
    best = (1.0 - P) * 0.8**2 + P * 0.2**2
    exact = estimate(score_function(loss, bernoulli(), best), LOGIT, 1000, reference=EXACT)
    assert exact.variance < 1e-30
    assert abs(exact.bias) < 1e-15


def test_the_neuron_by_straight_through():
    found = estimate(through_samples(loss, bernoulli()), LOGIT, MANY, reference=EXACT)
    assert_allclose(2.0 * (P - 0.2), 0.749, atol=5e-4)
    assert abs(found.value - 2.0 * (P - 0.2)) < 4.0 * found.standard_error
    assert found.value > 0.0  # the right sign
    assert found.bias > 100.0 * found.standard_error  # and biased
    assert "not the derivative" in str(found)
    of_mean = estimate(through_samples(loss, bernoulli(), "mean"), LOGIT, MANY, reference=EXACT)
    assert abs(of_mean.value - 2.0 * (P - 0.2) * P * (1.0 - P)) < 4.0 * of_mean.standard_error
    assert of_mean.bias < 0.1 * found.bias


def test_unbiased_estimators_agree():
    theta = np.array([0.3, -0.7])
    exact = 2.0 * theta + math.exp(-0.125) * np.cos(theta)

    def f(z):
        return np.sum(z * z + np.sin(z))

    pathwise = estimate(reparametrised(f, normal(0.5)), theta, MANY, reference=exact)
    score = estimate(score_function(f, normal(0.5), "optimal"), theta, MANY, reference=exact)
    smooth = estimate(randomised_smoothing(f, 0.5), theta, MANY, reference=exact)
    for found in (pathwise, score, smooth):
        assert found.value.shape == found.bias.shape == (2,)
        assert np.all(np.abs(found.bias) < 4.0 * found.standard_error)
    assert np.all(pathwise.variance < score.variance)
    assert smooth.instead.startswith("f convolved with a Gaussian")


def test_categorical():
    theta, worth = np.array([0.2, -0.5, 1.0]), np.array([1.0, 4.0, -2.0])
    p = np.exp(theta) / np.sum(np.exp(theta))
    exact = p * (worth - p @ worth)
    found = estimate(score_function(lambda z: z @ worth, categorical(), "mean"), theta, MANY, reference=exact)
    assert np.all(np.abs(found.bias) < 4.0 * found.standard_error)
    through = estimate(through_samples(lambda z: z @ worth, categorical(), "mean"), theta, 100, reference=exact)
    assert_allclose(through.bias, 0.0, atol=1e-12)  # of a linear f it is exact


def test_forms_of_smoothing():
    exact = math.exp(-0.5 * (0.4 / 0.3) ** 2) / (0.3 * math.sqrt(2.0 * math.pi))
    variances = []
    for form in ("antithetic", "forward", "plain"):
        found = estimate(randomised_smoothing(lambda x: 5.0 + math.floor(x), 0.3, form), 0.4, MANY, reference=exact)
        assert abs(found.bias - steps_far_away()) < 4.0 * found.standard_error
        variances.append(found.variance)
    assert variances[0] < variances[1] < 0.1 * variances[2]


def steps_far_away():
    """What the steps of the floor at other integers than 0 add to the density of the noise."""
    others = [k for k in range(-5, 6) if k != 0]
    return sum(math.exp(-0.5 * ((0.4 - k) / 0.3) ** 2) for k in others) / (0.3 * math.sqrt(2.0 * math.pi))


def test_common_random_numbers():
    estimator = randomised_smoothing(lambda x: abs(x), 0.5)
    same = [estimate(estimator, 0.3 + h, 1000, seed=k).value for k in range(40) for h in (0.0, 0.01)]
    other = [estimate(estimator, 0.3 + h, 1000, seed=2 * k + (h > 0.0)).value for k in range(40) for h in (0.0, 0.01)]
    assert np.std(np.diff(same)[::2]) < 0.2 * np.std(np.diff(other)[::2])


def test_what_is_refused():
    with pytest.raises(ValueError, match="jump"):
        reparametrised(loss, bernoulli())
    with pytest.raises(ValueError, match="baseline"):
        score_function(loss, bernoulli(), "best")
    with pytest.raises(ValueError, match="of is"):
        through_samples(loss, bernoulli(), "sample")
    with pytest.raises(ValueError, match="form is"):
        randomised_smoothing(loss, 1.0, "backward")
    with pytest.raises(ValueError, match="sigma"):
        randomised_smoothing(loss, 0.0)
    with pytest.raises(ValueError, match="draws"):
        estimate(reparametrised(loss, normal()), 0.3, 1)

"""nutpie samples from our pointers, and finds the posterior that quadrature finds."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import integrate

from adcore.errors import SignatureError
from adcore.samplers import nutpie_model

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages that it imports
    nutpie = pytest.importorskip("nutpie", reason="nutpie is not installed: pip install adcore[sampling]")

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning:arviz")

# The eight schools of Rubin (1981): effects of coaching, and their standard errors
EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCALE = 5.0  # of the priors: normal for the mean, half Cauchy for the spread


def logp(q):
    """Non-centred: the mean, the logarithm of the spread, and what the schools are off the mean by, in spreads."""
    mean, log_spread = q[0], q[1]
    spread = math.exp(log_spread)
    total = -0.5 * (mean / SCALE) ** 2 - math.log1p((spread / SCALE) ** 2) + log_spread
    for k in range(len(EFFECTS)):
        off = q[2 + k]
        total -= 0.5 * off * off + 0.5 * ((EFFECTS[k] - mean - spread * off) / ERRORS[k]) ** 2
    return total


def constrained(q):
    spread = math.exp(q[1])
    return {"mean": q[0], "spread": spread, "schools": q[0] + spread * q[2:]}


def by_quadrature():
    """Means and standard deviations, from the density of the spread alone: all else is normal where it is known."""

    def normal_parts(spread):
        """The density of the data, and the moments of the mean and of the schools' effects."""
        own = np.diag(ERRORS**2 + spread**2)
        covariance = own + SCALE**2 * np.ones((8, 8))
        inverse = np.linalg.inv(covariance)
        density = math.exp(-0.5 * EFFECTS @ inverse @ EFFECTS) / math.sqrt(np.linalg.det(covariance))
        cross = np.vstack([np.full(8, SCALE**2), SCALE**2 + spread**2 * np.eye(8)])
        prior = np.array([SCALE**2, *[SCALE**2 + spread**2] * 8])
        mean = cross @ inverse @ EFFECTS
        variance = prior - np.einsum("ij,jk,ik->i", cross, inverse, cross)
        return density / (1.0 + (spread / SCALE) ** 2), mean, variance

    def moments(spread):
        density, mean, variance = normal_parts(spread)
        values = np.array([mean[0], spread, *mean[1:]])
        squares = np.array([variance[0] + mean[0] ** 2, spread**2, *(variance[1:] + mean[1:] ** 2)])
        return density * np.array([1.0, *values, *squares])

    found, _ = integrate.quad_vec(moments, 0.0, 400.0, epsrel=1e-10)
    means = found[1:11] / found[0]
    return means, np.sqrt(found[11:] / found[0] - means**2)


def sampled(model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nutpie.sample(model, progress_bar=False, **options)


def of_batches(draws):
    """The mean of draws (chain, draw, …), and its standard error by the means of batches."""
    batches = draws.reshape(-1, 250, *draws.shape[2:]).mean(axis=1)
    return batches.mean(axis=0), batches.std(axis=0, ddof=1) / math.sqrt(len(batches))


def test_the_posterior_is_that_of_quadrature():
    model = nutpie_model(
        logp, np.zeros(10), constrained, dims={"schools": ("school",)}, coords={"school": list("ABCDEFGH")}
    )
    posterior = sampled(model, chains=4, cores=4, draws=5000, tune=1000, seed=7).posterior
    assert posterior["schools"].dims == ("chain", "draw", "school")
    draws = np.concatenate(
        [np.stack([posterior["mean"], posterior["spread"]], axis=-1), posterior["schools"].to_numpy()], axis=-1
    )
    assert draws.shape == (4, 5000, 10)
    means, deviations = by_quadrature()
    found, error = of_batches(draws)
    assert np.all(error < 0.1)
    assert np.all(np.abs(found - means) < 4.5 * error)
    squares, error = of_batches((draws - means) ** 2)
    assert np.all(np.abs(squares - deviations**2) < 4.5 * error)


def test_runs_are_repeatable():
    model = nutpie_model(logp, np.zeros(10))
    first, second = (sampled(model, chains=2, cores=2, draws=50, tune=100, seed=3).posterior["x"] for _ in range(2))
    assert np.array_equal(first, second)
    assert first.shape == (2, 50, 10)


def half(x):
    return -0.5 * x[0] * x[0] + math.log(x[0])


def test_where_the_density_raises_there_is_nothing():
    model = nutpie_model(half, lambda seed: np.array([0.5 + 0.01 * (seed % 7)]))
    trace = sampled(model, chains=2, cores=2, draws=1000, tune=500, seed=1)
    assert float(trace.posterior["x"].min()) > 0.0
    assert "math domain error" in str(model.density.last_error())


def test_what_does_not_fit():
    with pytest.raises(SignatureError, match=r"array of rank 1(.|\n)*test_nutpie.py"):
        nutpie_model(lambda x: np.sum(x), np.zeros(2), lambda x: {"halves": x.astype(np.float32)})

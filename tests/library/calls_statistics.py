"""Calls of `scipy.stats` for the tests of the library; test_statistics.py has one for each method and parameter."""

from __future__ import annotations

import numpy as np
from scipy import stats

P = np.random.default_rng(9).uniform(0.5, 1.5, 5)
U = np.array([0.2, 0.5, 0.3])

CALLS = {
    "scipy.stats.norm": [(lambda x: stats.norm.logpdf(x, 0.3, 2.0), P), (lambda x: stats.norm(x, 2.0).cdf(0.4), P)],
    "scipy.stats.halfnorm": [(lambda x: stats.halfnorm.pdf(x), P)],
    "scipy.stats.lognorm": [(lambda x: stats.lognorm.logpdf(x, x), P)],
    "scipy.stats.t": [(lambda x: stats.t.logpdf(x, 3.0), P)],
    "scipy.stats.cauchy": [(lambda x: stats.cauchy.cdf(x), P)],
    "scipy.stats.logistic": [(lambda x: stats.logistic.logsf(x), P)],
    "scipy.stats.laplace": [(lambda x: stats.laplace.logcdf(x), P)],
    "scipy.stats.gumbel_r": [(lambda x: stats.gumbel_r.pdf(x), P)],
    "scipy.stats.gumbel_l": [(lambda x: stats.gumbel_l.pdf(x), P)],
    "scipy.stats.uniform": [(lambda x: stats.uniform.pdf(x, 0.0, x), P)],
    "scipy.stats.expon": [(lambda x: stats.expon.logpdf(x, scale=x), P)],
    "scipy.stats.rayleigh": [(lambda x: stats.rayleigh.pdf(x), P)],
    "scipy.stats.weibull_min": [(lambda x: stats.weibull_min.logpdf(x, x), P)],
    "scipy.stats.pareto": [(lambda x: stats.pareto.logpdf(x + 1.0, x), P)],
    "scipy.stats.gamma": [(lambda x: stats.gamma.logpdf(x, x, scale=x), P), (lambda x: stats.gamma.cdf(1.0, x), P)],
    "scipy.stats.chi2": [(lambda x: stats.chi2.sf(x, 3), P)],
    "scipy.stats.invgamma": [(lambda x: stats.invgamma.pdf(x, 2.0), P)],
    "scipy.stats.beta": [(lambda x: stats.beta.logpdf(0.3, x, 2.0), P)],
    "scipy.stats.f": [(lambda x: stats.f.logpdf(x, 3.0, 4.0), P)],
    "scipy.stats.poisson": [(lambda x: stats.poisson.logpmf([0, 1, 2, 3, 4], x), P)],
    "scipy.stats.binom": [(lambda x: stats.binom.pmf(2, 5, 0.5 * x), P)],
    "scipy.stats.bernoulli": [(lambda x: stats.bernoulli.logpmf(1, 0.5 * x), P)],
    "scipy.stats.geom": [(lambda x: stats.geom.cdf(3, 0.5 * x), P)],
    "scipy.stats.nbinom": [(lambda x: stats.nbinom.logpmf(3, x, 0.4), P)],
    "scipy.stats.multivariate_normal": [
        (lambda x: stats.multivariate_normal.logpdf(x, 0.5 * x, np.diag(x) + np.outer(x, x)), P),
        (lambda x: stats.multivariate_normal.entropy(x, np.diag(x) + np.outer(x, x)), P),
    ],
    "scipy.stats.dirichlet": [(lambda x: stats.dirichlet.logpdf(np.array([0.2, 0.5, 0.3]), x), U)],
}

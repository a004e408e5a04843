"""Functions that are printed and compiled by Numba."""

import math

import numpy as np
from scipy import special as scipy_special

import adcore


def smooth(x):
    return np.sum(np.sin(x) * np.exp(-x * x))


def loss(w, X, y):
    p = X @ w
    return np.mean(np.log1p(np.exp(-y * p))) + 0.1 * np.sum(w**2)


def recurrence(x, n):
    s = 0.0
    for _ in range(n):
        s = math.sin(s + x) * x
    return s


def branch(x):
    s = 0.0
    for k in range(len(x)):
        if x[k] > 0.5:
            s += x[k] ** 3
        else:
            s -= math.cos(x[k])
    return s


def written(x):
    y = np.zeros(len(x))
    y[1:] = x[:-1] * 2.0
    y[0] = x[-1]
    y *= x
    return np.sum(y[::2])


def solved(a, b):
    return np.sum(np.linalg.solve(a, b) ** 2) + np.linalg.slogdet(a)[1]


def special(x):
    return np.sum(scipy_special.gammaln(x + 1.0) * scipy_special.erf(x))


def picked(x, i):
    return x[i] * x[0]


def hosted(x):
    return adcore.odeint(lambda y, t: -y * x[0], 1.0, np.array([0.0, 1.0]), method="scipy:LSODA")[1]

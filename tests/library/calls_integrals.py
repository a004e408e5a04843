"""Calls of `scipy.integrate`'s integrals and solvers for the tests of the library."""

from __future__ import annotations

import math

import numpy as np
import scipy.integrate
from scipy.integrate import dblquad, quad, solve_ivp

P = np.random.default_rng(13).uniform(0.5, 1.5, 3)
TIMES = np.linspace(0.0, 2.0, 4)
RTOL, ATOL = 1e-12, 1e-13


def pendulum(t, y, damping, stiffness):
    return [y[1], -damping * y[1] - stiffness * np.sin(y[0])]


def vectorized(t, y):
    return np.vstack((y[1], -y[0]))


CALLS = {
    "scipy.integrate.quad": [
        (lambda x: quad(lambda s: x[0] * math.exp(-x[1] * s), 0, x[2])[0], P),
        (lambda x: quad(lambda s: math.exp(-x[0] * s * s) * s, x[1], np.inf)[0], P),
        (lambda x: quad(lambda s: math.exp(x[0] * s), -np.inf, x[1])[0], P),
        (lambda x: quad(lambda s: 1.0 / (x[0] + s**4), -np.inf, np.inf)[0], P),
        (lambda x: quad(lambda s: math.exp(-x[0] * s), np.inf, x[1])[0], P),
        (lambda x: quad(lambda s: math.exp(-s), -np.inf if x[0] > 9.0 else x[0], math.inf)[0], P),
        (lambda x: quad(lambda s, a, b: a * s + b, 2, 1, args=(x[0], x[1]))[0], P),
        (lambda x: quad(lambda s, a: a * s, 0, 1, x[0])[0], P),
        (lambda x: quad(lambda s: x[0] if s < x[1] else x[2] * s, 0.0, 2.0, points=[x[1], 0.25])[0], P),
        (lambda x: quad(lambda s: abs(s - x[1]), 2.0, 0.0, points=[x[1]])[0], P),
    ],
    "scipy.integrate.dblquad": [
        (
            lambda x: dblquad(lambda y, s, a: a * math.exp(-y * s), 0, x[1], 0.5, lambda s: s * x[2] + 1.0, (x[0],))[0],
            P,
        ),
    ],
    "scipy.integrate.solve_ivp": [
        (lambda x: solve_ivp(pendulum, (0, 2), x[:2], t_eval=TIMES, args=(x[2], 1.3), rtol=RTOL, atol=ATOL).y, P),
        (
            lambda x: (
                solve_ivp(lambda t, y: (-x[0] * y[1], y[0]), [0, 2], [1, 2], "RK45", TIMES[1:], rtol=RTOL, atol=ATOL).y
            ),
            P,
        ),
        (
            lambda x: solve_ivp(vectorized, (0, 2), x[:2], t_eval=TIMES, vectorized=True, rtol=RTOL, atol=ATOL).y[
                :, -1
            ],
            P,
        ),
        (lambda x: solve_ivp(pendulum, (0, 2), x[:2], args=(x[2], 1.3), rtol=RTOL, atol=ATOL).y[:, -1], P),
        (lambda x: solve_ivp(lambda t, y: -x[1] * y, (2, 0), x[:1], t_eval=TIMES[::-1], rtol=RTOL, atol=ATOL).y, P),
        (lambda x: solve_ivp(pendulum, (0, 2), x[:2], "Radau", TIMES, args=(x[2], 1.3), rtol=RTOL, atol=ATOL).y, P),
        (lambda x: solve_ivp(pendulum, (0, 2), x[:2], "DOP853", TIMES, args=(x[2], 1.3), rtol=RTOL, atol=ATOL).y, P),
    ],
    "scipy.integrate.odeint": [
        (lambda x: scipy.integrate.odeint(pendulum, x[:2], TIMES, (x[2], 1.3), tfirst=True, rtol=RTOL, atol=ATOL), P),
        (lambda x: scipy.integrate.odeint(lambda y, t, k: -k * y, 1.0, TIMES, args=(x[0],), rtol=RTOL, atol=ATOL), P),
        (lambda x: scipy.integrate.odeint(lambda y, t, k: -k * y, x[0], x, (x[0],), rtol=RTOL, atol=ATOL), np.sort(P)),
    ],
}

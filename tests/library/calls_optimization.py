"""Calls of the solvers of `scipy.optimize`, for the tests of the library."""

from __future__ import annotations

import numpy as np
from scipy import optimize

RNG = np.random.default_rng(40)
P = np.array([1.3, 0.7])
Q = np.array([2.5, 1.3, 0.5])
START = np.array([2.0, 1.0, 0.4])
T = np.linspace(0.0, 4.0, 30)
NOISE = 0.05 * RNG.normal(size=30)
BOX = optimize.Bounds([0.0, -1.0], [1.0, 0.5])


def cubic(x, a):
    return x**3 + a * x - 2.0


def system(x, p):
    return [x[0] ** 2 + x[1] - p[0] - 1.0, x[0] - x[1] ** 2 + p[1]]


def bowl(x, p):
    return (x[0] - p[0]) ** 2 + (x[1] - p[1] * x[0]) ** 2 + 0.1 * np.sum(x**4)


def sloped_bowl(x, p):
    return np.sum((x - p) ** 2) + 0.3 * x[0] * x[1], 2.0 * (x - p) + 0.3 * x[::-1]


def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def measured(p):
    return decay(T, p[0], p[1], p[2]) + NOISE


def misfit(q, t, y):
    return q[0] * np.exp(-q[1] * t) + q[2] - y


ROOTS = {
    **{
        f"scipy.optimize.{name}": [
            (lambda a, solve=solve: solve(cubic, 0.0, 2.0, args=(a,)), 0.7),
            (lambda a, solve=solve: solve(lambda x: cubic(x, a), 0, 2, xtol=1e-14, full_output=True)[1].root ** 2, 0.7),
        ]
        for name in ("bisect", "brenth", "brentq", "ridder", "toms748")
        for solve in [getattr(optimize, name)]
    },
    "scipy.optimize.newton": [
        (lambda a: optimize.newton(cubic, 1.0, args=(a,)), 0.7),
        (lambda a: optimize.newton(lambda x: x**3 + a * x - 2.0, 1.0, lambda x: 3.0 * x * x + a), 0.7),
        (lambda p: optimize.newton(lambda x: x**3 + x - p, np.ones(2), tol=1e-12), P),
    ],
    "scipy.optimize.root_scalar": [
        (lambda a: optimize.root_scalar(cubic, args=(a,), bracket=[0, 2]).root, 0.7),
        (lambda a: optimize.root_scalar(lambda x: (cubic(x, a), 3.0 * x * x + a), fprime=True, x0=1.0).root, 0.7),
    ],
    "scipy.optimize.fsolve": [
        (lambda p: optimize.fsolve(lambda x: system(x, p), [1, 1.0], xtol=1e-12), P),
        (lambda a: optimize.fsolve(cubic, 1.0, (a,)), 0.7),
        (lambda p: optimize.fsolve(system, np.ones(2), args=(p,), xtol=1e-12, full_output=True)[0], P),
    ],
    "scipy.optimize.root": [
        (lambda p: optimize.root(lambda x: np.array(system(x, p)), np.ones(2), tol=1e-12).x, P),
        (lambda p: np.sum(optimize.root(system, np.ones(2), args=(p,), tol=1e-12).x ** 3), P),
    ],
    "scipy.optimize.fixed_point": [(lambda a: optimize.fixed_point(lambda x, b: np.cos(b * x), 0.5, (a,)), 0.7)],
}

MINIMA = {
    "scipy.optimize.minimize": [
        (lambda p: optimize.minimize(lambda x: bowl(x, p), np.zeros(2), tol=1e-12).x, P),
        (lambda p: optimize.minimize(bowl, [0, 0.0], args=(p,), method="CG", tol=1e-12).fun, P),
        (lambda p: optimize.minimize(lambda x: sloped_bowl(x, p), np.zeros(2), jac=True, tol=1e-12).x, P),
        (lambda p: optimize.minimize(bowl, np.zeros(2), (p,), bounds=[(0, 1), (None, None)], tol=1e-14).x, P),
        (lambda p: optimize.minimize(bowl, np.zeros(2), (p,), bounds=BOX, tol=1e-14).x, P),
        (lambda p: optimize.minimize(bowl, P, (p,), bounds=optimize.Bounds(p - 2.0, p - 0.9), tol=1e-14).x, P),
    ],
    "scipy.optimize.Bounds": [(lambda p: optimize.Bounds(p - 2.0, 3.0 * p).ub * optimize.Bounds(p).lb, P)],
    "scipy.optimize.minimize_scalar": [
        (lambda p: optimize.minimize_scalar(lambda x: (x - p[0]) ** 4 + p[1] * x * x, tol=1e-12).fun, P),
        (lambda p: optimize.minimize_scalar(lambda x: (x - p[0]) ** 2, bracket=(3, 4)).x, P),
        (
            lambda p: (
                optimize.minimize_scalar(
                    lambda x: (x - p[0]) ** 2 - p[1] * x, bounds=(0, 1), options={"xatol": 1e-10}
                ).fun
            ),
            P,
        ),
    ],
}

FITS = {
    "scipy.optimize.least_squares": [
        (
            lambda p: (
                optimize.least_squares(misfit, START, args=(T, measured(p)), xtol=1e-14, ftol=1e-14, gtol=1e-14).x
            ),
            Q,
        ),
        (
            lambda p: (
                optimize.least_squares(
                    misfit, START, bounds=(0, [2.2, 3, 3]), args=(T, measured(p)), xtol=1e-14, ftol=1e-14, gtol=1e-14
                ).cost
            ),
            Q,
        ),
        *(
            (
                lambda p, loss=loss: (
                    optimize.least_squares(misfit, START, args=(T, measured(p)), loss=loss, f_scale=0.1).cost
                ),
                Q,
            )
            for loss in ("soft_l1", "huber", "cauchy", "arctan")
        ),
    ],
    "scipy.optimize.leastsq": [(lambda p: optimize.leastsq(misfit, START, args=(T, measured(p)), xtol=1e-13)[0], Q)],
    "scipy.optimize.curve_fit": [
        (
            lambda p: optimize.curve_fit(decay, T, measured(p), p0=[2.0, 1.0, 0.4], xtol=1e-14, ftol=1e-14, gtol=1e-14)[
                0
            ],
            Q,
        ),
        (
            lambda p: optimize.curve_fit(
                decay, T, measured(p), sigma=0.1 + T * p[0], xtol=1e-14, ftol=1e-14, gtol=1e-14
            )[1],
            Q,
        ),
        (
            lambda p: optimize.curve_fit(
                lambda t, a, b: a * np.exp(-b * t), T, measured(p), absolute_sigma=True, ftol=1e-13
            )[1],
            Q,
        ),
        (
            lambda p: optimize.curve_fit(
                decay, T, measured(p), bounds=(0, [2.2, 3, 3]), xtol=1e-14, ftol=1e-14, gtol=1e-14
            )[0],
            Q,
        ),
    ],
}

CALLS = ROOTS | MINIMA | FITS

"""Initial value problems by SciPy's solvers: states and continuous derivatives against those of adcore's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcore import grad, jacfwd, jit, odeint, vmap
from adcore.ode import odeint_event
from adcore.ode.scipy_methods import METHODS

TIMES = np.array([0.0, 0.5, 2.0])
Y0 = np.array([1.0, 2.0])


def prey(y, t, a, b):
    return np.array([a * y[0] - y[0] * y[1], y[0] * y[1] - b * y[1]])


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    """Values, both modes by the state, the times and the parameters; a parameter that is closed over."""

    def number(method):
        def of(y0, ts, a):
            twice = 2.0 * a
            return np.sum(
                odeint(lambda y, t, b: prey(y, t, 0.5 * twice, b), y0, ts, 0.7, method=method, rtol=1e-8, atol=1e-10)
                ** 2
            )

        return of

    given = Y0, TIMES, 1.1
    assert math.isclose(number(method)(*given), number("dopri5")(*given), rel_tol=1e-6)
    found, expected = (grad(number(m), argnums=(0, 1, 2))(*given) for m in (method, "dopri5"))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    along = jacfwd(lambda a: number(method)(Y0, TIMES, a))(1.1)
    assert math.isclose(along, expected[2], rel_tol=1e-5)


def test_second_derivatives_batches_and_trees():
    def end(rate):
        ys = odeint(
            lambda y, t, k: {"u": -k * y["u"]}, {"u": 1.0}, TIMES, rate, method="scipy:DOP853", rtol=1e-8, atol=1e-10
        )
        return ys["u"][-1]

    assert math.isclose(grad(grad(end))(0.5), 4.0 * math.exp(-1.0), rel_tol=1e-5)
    rates = np.array([0.3, 0.5])
    np.testing.assert_allclose(vmap(grad(end))(rates), -2.0 * np.exp(-2.0 * rates), rtol=1e-6)
    assert math.isclose(jit(end)(0.5), math.exp(-1.0), rel_tol=1e-7)


def test_stiff_equations_and_times_that_fall():
    def last(k, method):
        return odeint(lambda y, t: -k * (y - math.cos(t)), 0.0, np.array([0.0, 1.0]), method=method, rtol=1e-6)[-1]

    for method in ("scipy:Radau", "scipy:LSODA"):
        assert math.isclose(last(1e4, method), last(1e4, "radau"), rel_tol=1e-5)
    back = odeint(lambda y, t: -y, 1.0, np.array([2.0, 1.0, 0.0]), method="scipy:RK45", rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(back, np.exp([0.0, 1.0, 2.0]), rtol=1e-6)
    assert odeint(lambda y, t: -y, 3.0, np.array([0.0]), method="scipy:RK45").tolist() == [3.0]


def test_what_is_refused():
    for adjoint in ("discrete", "forward"):
        with pytest.raises(ValueError, match="the steps of SciPy have no derivative: adjoint is"):
            odeint(prey, Y0, TIMES, 1.0, 0.7, adjoint=adjoint, method="scipy:RK45")
    with pytest.raises(ValueError, match='method is "dopri5", "radau" or "rk4", and of odeint "scipy:RK45"'):
        odeint(prey, Y0, TIMES, 1.0, 0.7, method="scipy:Euler")
    with pytest.raises(ValueError, match="odeint: method is"):
        odeint_event(lambda y, t: -y, 1.0, 0.0, lambda y, t: y - 0.5, method="scipy:RK45")
    with pytest.raises(RuntimeError, match=r"solve_ivp has failed after time .*step size"):
        odeint(lambda y, t: y * y, 1.0, np.array([0.0, 2.0]), method="scipy:RK45")
    with pytest.raises(RuntimeError, match="the derivative is not finite at the beginning, at time 0"):
        odeint(lambda y, t: np.log(-y), 1.0, np.array([0.0, 2.0]), method="scipy:RK45")

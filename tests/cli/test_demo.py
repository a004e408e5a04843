"""The demonstration, with few steps a day: data, model, gradient, fit, report and picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from adcore import cli, value_and_grad
from adcore.demo.costs import PATIENCE, Cost, plain_cost
from adcore.demo.fit import START, central_differences, estimates, forward_over_reverse, lbfgs
from adcore.demo.model import BOYS, ILL_AT_START, simulate, squared_error
from adcore.demo.outbreak import boys_in_bed

STEPS = 10

# An independent fit: SciPy's solve_ivp (DOP853, tolerances 1e-12) in place of the Runge-Kutta loop, least_squares with
# 3-point differences in place of the gradient, and the Hessian of the sum of squares with respect to (β, γ) by central
# differences with step 1e-4, from which the standard errors follow.
BETA, GAMMA, R0, SQUARES = 1.6997994, 0.4468659, 3.8038244, 3874.3573
BETA_ERROR, GAMMA_ERROR, R0_ERROR = 0.0293294, 0.0149547, 0.1248889
HESSIAN = np.array([[821762.27, -474073.62], [-474073.62, 3160787.46]])


@pytest.fixture(scope="module")
def objective():
    return squared_error(boys_in_bed(), STEPS)


@pytest.fixture(scope="module")
def minimum(objective):
    return lbfgs(value_and_grad(objective), True)


def test_the_data_are_the_published_ones():
    assert boys_in_bed().tolist() == [3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4]


def test_the_model_in_plain_python_solves_its_equations():
    def right_side(_, state):
        s, i = state
        return [-BETA * s * i / BOYS, BETA * s * i / BOYS - GAMMA * i]

    days = np.arange(14.0)
    start = [BOYS - ILL_AT_START, ILL_AT_START]
    exact = solve_ivp(right_side, (0.0, 13.0), start, t_eval=days, method="DOP853", rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(simulate(BETA, GAMMA, 14, STEPS), exact.y[1], rtol=1e-5)


def test_value_is_the_plain_functions(objective):
    value, _ = value_and_grad(objective)(START)
    assert value == pytest.approx(objective(START), rel=1e-12)


@pytest.mark.parametrize("at", [START, np.log([BETA, GAMMA]) + 0.05, np.log([3.0, 1.0])])
def test_gradient_agrees_with_central_differences_of_plain_python(objective, at):
    _, gradient = value_and_grad(objective)(at)
    np.testing.assert_allclose(gradient, central_differences(objective, at), rtol=1e-7)


def test_the_fit_finds_the_independent_fit(minimum):
    assert minimum.converged
    np.testing.assert_allclose(np.exp(minimum.at), [BETA, GAMMA], rtol=0.01)
    assert minimum.value == pytest.approx(SQUARES, rel=0.01)


def test_hessian_is_the_independent_one_in_logarithms(objective, minimum):
    hessian = forward_over_reverse(objective, minimum.at)
    rates = np.exp(minimum.at)
    np.testing.assert_allclose(hessian, HESSIAN * np.outer(rates, rates), rtol=0.01)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9)


def test_standard_errors_are_the_independent_ones(objective, minimum):
    found = estimates(minimum, forward_over_reverse(objective, minimum.at), 14)
    assert found.beta.value == pytest.approx(BETA, rel=0.01)
    assert found.gamma.value == pytest.approx(GAMMA, rel=0.01)
    assert found.r0.value == pytest.approx(R0, rel=0.01)
    errors = [found.beta.error, found.gamma.error, found.r0.error]
    np.testing.assert_allclose(errors, [BETA_ERROR, GAMMA_ERROR, R0_ERROR], rtol=0.01)
    assert found.sigma == pytest.approx(np.sqrt(SQUARES / 12.0), rel=0.01)


def test_the_command_reports_and_draws(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "100")
    picture = tmp_path / "influenza.png"
    assert cli.main(["demo", "--steps-per-day", str(STEPS), "--output", str(picture)]) == 0
    out = capsys.readouterr().out
    for expected in ("130 Runge-Kutta steps", "relative error", "R₀", "standard error", "plain Python", "3-point"):
        assert expected in out
    assert f"Picture of data and fit: {picture}" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_plain_python_is_estimated_rather_than_waited_for(objective):
    like = Cost("2-point differences", "compiled", 30, 0.01, False, START)
    cost = plain_cost(objective, "2-point", like, PATIENCE, lambda: pytest.fail("the objective was called"))
    assert cost.estimated
    assert cost.seconds == 30 * PATIENCE
    assert cost.at is None

"""Programs that call SciPy's integrals and solvers: values beside SciPy's, derivatives by differences and formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special
from scipy.integrate import dblquad, quad, solve_ivp

from adcore import UnsupportedFunctionError, grad, hessian, jacfwd, jit, root, vmap

TIMES = np.linspace(0.0, 6.0, 7)


def quotient(f, x, h=1e-3):
    """The derivative of f at a number by central differences of fourth order."""
    near, far = ((f(x + k * h) - f(x - k * h)) / (2.0 * k * h) for k in (1, 2))
    return (4.0 * near - far) / 3.0


def of_both_modes(f, x, expected, rtol):
    for derivative in (grad(f), jacfwd(f)):
        np.testing.assert_allclose(derivative(x), expected, rtol=rtol)


# Differential equations


def lotka_volterra(t, z, a, b, c, d):
    x, y = z
    return [a * x - b * x * y, -c * y + d * x * y]


def misfit(p):
    sol = solve_ivp(
        lotka_volterra, [0, 6], [10.0, 5.0], args=tuple(p), t_eval=TIMES, rtol=1e-9, atol=1e-10, dense_output=False
    )
    assert sol.success
    assert sol.status == 0
    assert sol.t_events is None
    return np.sum((sol.y - 4.0) ** 2) / sol.t.size


def infected(beta):
    def sir(y, t, n, gamma):
        s, i, _ = y
        new = beta * s * i / n
        return -new, new - gamma * i, gamma * i

    found = scipy.integrate.odeint(sir, (999.0, 1.0, 0.0), TIMES, args=(1000.0, 0.4), rtol=1e-10, atol=1e-9)
    return np.max(found[:, 1])


def van_der_pol(mu):
    sol = solve_ivp(
        lambda t, y: [y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]],
        (0.0, mu),
        np.array([2, 0]),
        method="Radau",
        t_eval=np.array([0.0, 100.0]),
        rtol=1e-9,
        atol=1e-9,
        jac=lambda t, y: None,
    )
    return sol.y[0, -1]


PROGRAMS = [
    pytest.param(misfit, np.array([1.1, 0.4, 0.4, 0.1]), id="lotka-volterra"),
    pytest.param(infected, 1.2, id="sir"),
]


@pytest.mark.parametrize(("f", "x"), PROGRAMS)
def test_solutions(f, x):
    np.testing.assert_allclose(jit(f)(x), f(x), rtol=1e-6)
    one = np.ones(np.shape(x))
    along = quotient(lambda s: f(x + s * one), 0.0)
    np.testing.assert_allclose(np.sum(grad(f)(x)), along, rtol=1e-5)
    np.testing.assert_allclose(np.sum(jacfwd(f)(x)), along, rtol=1e-5)


def test_stiff_equations_by_radau():
    np.testing.assert_allclose(jit(van_der_pol)(150.0), scipy_van_der_pol(150.0), rtol=1e-6)
    np.testing.assert_allclose(grad(van_der_pol)(150.0), quotient(scipy_van_der_pol, 150.0, 1.0), rtol=1e-4)


def scipy_van_der_pol(mu):
    def f(t, y):
        return [y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]]

    return solve_ivp(f, (0, 100), [2.0, 0.0], "Radau", np.array([0.0, 100.0]), rtol=1e-11, atol=1e-12).y[0, -1]


def test_tolerances_that_are_not_given_are_those_of_derivatives():
    def end(rate):
        return solve_ivp(lambda t, y: -rate * y, (0, 2), [1.0], t_eval=[2.0]).y[0, 0]

    assert math.isclose(jit(end)(0.5), math.exp(-1.0), rel_tol=1e-7)
    assert math.isclose(grad(grad(end))(0.5), 4.0 * math.exp(-1.0), rel_tol=1e-5)


REFUSED = [
    (lambda y: solve_ivp(lambda t, y: y, (0, 1), y, "LSODA").y, "by LSODA without t_eval"),
    (lambda y: solve_ivp(lambda t, y: y, (0, 1), y, "LSODA", TIMES, events=lambda t, y: y[0]).y, "events="),
    (lambda y: solve_ivp(lambda t, y: y, (0, 1), y, t_eval=TIMES, dense_output=True).y, "dense_output=True"),
    (lambda y: solve_ivp(lambda t, y: y, (0, 1), y, t_eval=TIMES, max_step=0.1).y, "max_step="),
    (lambda y: scipy.integrate.odeint(lambda y, t: y, y, TIMES, full_output=True), "full_output=True"),
    (lambda y: scipy.integrate.odeint(lambda y, t: y, y, TIMES, tcrit=[1.0]), "tcrit="),
    (lambda y: scipy.integrate.odeint(lambda y, t: y, y, TIMES, hmax=0.1), "hmax="),
    (lambda y: quad(lambda s: s * y[0], 0, 1, weight="cos", wvar=2.0)[0], "weight="),
    (lambda y: quad(lambda s: s * y[0], 0, 1, full_output=1)[0], "full_output="),
    (lambda y: quad(lambda s: s * y[0], 0, 1, complex_func=True)[0], "complex_func=True"),
]


@pytest.mark.parametrize(("f", "cause"), REFUSED, ids=[cause for _, cause in REFUSED])
def test_options_are_refused_by_name_with_the_users_line(f, cause):
    with pytest.raises(UnsupportedFunctionError, match=cause) as caught:
        jit(f)(np.ones(2))
    assert "test_scipy_integrate.py" in str(caught.value)
    assert "Write instead" in str(caught.value)


WRONG = [
    (lambda y: solve_ivp(lambda t, y: y, (0, 1), y, "Euler", TIMES).y, "`method` must be one of"),
    (lambda y: solve_ivp(lambda t, y: y, (0, 1), y, t_eval=TIMES).y, "not within `t_span`"),
    (lambda y: solve_ivp(lambda t, y: y, (0, 6), y * np.ones((2, 2)), t_eval=TIMES).y, "must be 1-dimensional"),
    (lambda y: quad(lambda s: s, y[0], np.inf, points=[2.0])[0], "cannot be used with break points"),
]


@pytest.mark.parametrize(("f", "cause"), WRONG, ids=[cause for _, cause in WRONG])
def test_wrong_arguments_raise_what_scipy_raises(f, cause):
    with pytest.raises(ValueError, match=cause):
        f(np.ones(2))
    with pytest.raises((ValueError, UnsupportedFunctionError), match=cause):
        jit(f)(np.ones(2))


# Integrals


def black_scholes(sigma):
    """The price of a call by the density of the logarithm of the stock."""

    def integrand(z):
        stock = 100.0 * math.exp((0.02 - 0.5 * sigma**2) + sigma * z)
        return max(stock - 105.0, 0.0) * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)

    return math.exp(-0.02) * quad(integrand, -10, 10)[0]


def vega(sigma):
    d1 = (math.log(100.0 / 105.0) + 0.02 + 0.5 * sigma**2) / sigma
    return 100.0 * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)


def planck(temperature):
    return quad(lambda x: x**3 / np.expm1(x / temperature), 0, np.inf)[0]


def gamma(z):
    return quad(lambda x: x ** (z - 1.0) * math.exp(-x), 0, np.inf)[0]


def power(p):
    return quad(lambda x: x**-p, 1, np.inf)[0]


def crossing(p):
    return quad(lambda x: root(lambda y: y**3 + y - p * x, 0.5), 0, 1)[0]


def inverse_root(p):
    return quad(lambda x: p / math.sqrt(1.0 - x), 0, 1)[0]


def period(angle):
    """Of a pendulum, with the ends of the range made constants."""
    return quad(lambda u: angle / math.sqrt(2.0 * (math.cos(angle * u) - math.cos(angle))), 0, 1)[0]


def of_period(angle):
    m = math.sin(0.5 * angle) ** 2
    by_m = scipy.special.ellipe(m) / (2.0 * m * (1.0 - m)) - scipy.special.ellipk(m) / (2.0 * m)
    return by_m * math.sin(0.5 * angle) * math.cos(0.5 * angle)


def heat(p):
    return quad(lambda x, a, b: a * math.exp(b * x), 0, 1, args=(p, 2.0))[0]


INTEGRALS = [
    pytest.param(black_scholes, 0.2, vega(0.2), id="black-scholes"),
    pytest.param(planck, 1.5, 4.0 * math.pi**4 / 15.0 * 1.5**3, id="planck"),
    pytest.param(gamma, 2.5, scipy.special.digamma(2.5) * math.gamma(2.5), id="gamma"),
    pytest.param(gamma, 0.5, scipy.special.digamma(0.5) * math.gamma(0.5), id="gamma-singular"),
    pytest.param(power, 1.5, -4.0, id="exact-value-of-one-interval"),
    pytest.param(crossing, 2.0, 0.1875, id="root-inside"),
    pytest.param(inverse_root, 3.0, 2.0, id="singular-end"),
    pytest.param(period, 1.0, of_period(1.0), id="period"),
    pytest.param(heat, 3.0, 0.5 * math.expm1(2.0), id="args"),
]


@pytest.mark.parametrize(("f", "x", "slope"), INTEGRALS)
def test_integrals(f, x, slope):
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(jit(f)(x), f(x), rtol=2e-8)
    of_both_modes(f, x, slope, 2e-8)


def test_second_derivatives():
    def moving(p):
        return quad(lambda x: math.exp(-p * x * x) * math.sin(p), 0.5 * p, p)[0]

    slope = grad(moving)
    assert math.isclose(slope(1.3), quotient(moving, 1.3), rel_tol=1e-8)
    second = quotient(slope, 1.3)
    assert math.isclose(grad(slope)(1.3), second, rel_tol=1e-8)
    assert math.isclose(jacfwd(slope)(1.3), second, rel_tol=1e-8)

    def regression(w):
        return quad(lambda x: np.tanh(w @ np.array([1.0, x])), 0, 1)[0]

    w, h = np.array([0.1, 0.4]), 1e-4 * np.eye(2)
    expected = [(grad(regression)(w + e) - grad(regression)(w - e)) / 2e-4 for e in h]
    np.testing.assert_allclose(hessian(regression)(w), expected, rtol=1e-6)


def test_integrals_of_integrals():
    def quarter(density, radius):
        return dblquad(lambda y, x: density * x * y, 0, radius, 0, lambda x: math.sqrt(radius**2 - x * x))[0]

    assert math.isclose(jit(quarter)(2.0, 1.5), 2.0 * 1.5**4 / 8.0, rel_tol=1e-9)
    np.testing.assert_allclose(grad(quarter, argnums=(0, 1))(2.0, 1.5), (1.5**4 / 8.0, 1.5**3), rtol=1e-7)


def test_integrals_of_batches():
    rates = np.array([0.3, 2.0])
    found = vmap(grad(lambda k: quad(lambda x: math.exp(-k * x), 0, np.inf)[0]))(rates)
    np.testing.assert_allclose(found, -1.0 / rates**2, rtol=1e-9)


def test_errors_are_estimated_and_constant():
    value, error = jit(lambda p: quad(lambda x: abs(x - p), 0, 1))(0.3)
    assert abs(value - 0.29) <= error <= 1.49e-8
    assert grad(lambda p: quad(lambda x: abs(x - p), 0, 1)[1])(0.3) == 0.0


def test_ends_where_the_integrand_is_infinite():
    def logarithm(p, a):
        return quad(lambda x: math.log(p * x), a, 1.0)[0]

    assert math.isclose(grad(logarithm)(2.0, 0.0), 0.5, rel_tol=1e-8)
    assert grad(logarithm, argnums=1)(2.0, 0.0) == math.inf


FAILING = [
    (lambda p: quad(lambda x: p / x, 0, 1)[0], "the error is about"),
    (lambda p: quad(lambda x: math.cos(p * 1e5 * x), 0, 1)[0], "larger limit="),
    (lambda p: quad(lambda x: np.log(-p - x), 0, 1)[0], "is not finite somewhere"),
]


@pytest.mark.parametrize(("f", "cause"), FAILING, ids=[cause for _, cause in FAILING])
def test_errors_that_are_not_reached_raise(f, cause):
    with pytest.raises(RuntimeError, match=cause) as caught:
        jit(f)(1.0)
    assert str(caught.traceback[-1].path).endswith("test_scipy_integrate.py")


# The steps of the solver


@pytest.mark.parametrize("options", [{}, {"rtol": 1e-8, "atol": 1e-10}], ids=["loose", "tight"])
@pytest.mark.parametrize(
    "span", [(0.0, 6.0), (6.0, 0.0), (0.0, 1e-7), (2.0, 2.0)], ids=["forth", "back", "short", "none"]
)
def test_without_t_eval_there_are_the_steps_that_scipy_makes(span, options):
    def path(p):
        sol = solve_ivp(lotka_volterra, span, [10.0, 5.0], args=(p[0], p[1], p[2], p[3]), **options)
        return sol.t, sol.y

    p = np.array([1.5, 1.0, 3.0, 1.0])
    t, y = jit(path)(p)
    steps, _ = path(p)
    np.testing.assert_allclose(t, steps, rtol=1e-9, atol=1e-8)
    assert y.shape == (2, len(steps))
    if span[0] != span[1]:
        exact = solve_ivp(lotka_volterra, span, [10.0, 5.0], t_eval=t, args=tuple(p), rtol=1e-11, atol=1e-11).y
        np.testing.assert_allclose(y, exact, rtol=2e-5)


def test_derivatives_without_t_eval():
    def end(p, last):
        sol = solve_ivp(lotka_volterra, (0.0, last), [10.0, 5.0], args=(p[0], p[1], p[2], p[3]))
        return np.sum(sol.y[:, -1] * np.array([1.0, 2.0])) + sol.t[-1]

    def exact(p, last):
        sol = solve_ivp(lotka_volterra, (0.0, last), [10.0, 5.0], args=tuple(p), rtol=1e-12, atol=1e-12)
        return sol.y[:, -1] @ np.array([1.0, 2.0]) + last

    p, step = np.array([1.5, 1.0, 3.0, 1.0]), 1e-4
    by_p, by_last = grad(end, argnums=(0, 1))(p, 4.0)
    expected = [(exact(p + step * e, 4.0) - exact(p - step * e, 4.0)) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(by_p, expected, rtol=1e-5)
    assert by_last == pytest.approx((exact(p, 4.0 + step) - exact(p, 4.0 - step)) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("method", ["Radau", "BDF"])
def test_stiff_equations_without_t_eval(method):
    def left(k):
        def robertson(t, y):
            return [-k * y[0] + 1e4 * y[1] * y[2], k * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2, 3e7 * y[1] ** 2]

        return solve_ivp(robertson, (0.0, 40.0), [1.0, 0.0, 0.0], method, rtol=1e-9, atol=1e-12).y[0, -1]

    assert jit(left)(0.04) == pytest.approx(0.7158270687, rel=1e-8)  # Hairer and Wanner, Solving ODEs II, IV.10
    step = 1e-4
    assert grad(left)(0.04) == pytest.approx((left(0.04 + step) - left(0.04 - step)) / (2 * step), rel=1e-5)


# Events


def falling(t, y, drag, height):
    return [y[1], -9.81 - drag * y[1]]


def ground(t, y, drag, height):
    return y[0] - height


def apex(t, y, drag, height):
    return y[1]


ground.terminal = True
ground.direction = -1
NEAR = {"rtol": 1e-10, "atol": 1e-10}


def thrown(speed, drag, height):
    """It begins at the height of the event, which is none as it rises there."""
    sol = solve_ivp(falling, (0, 100), [height, speed], events=[ground, apex], args=(drag, height), **NEAR)
    return sol.t_events[0][0], sol.y_events[0][0], sol.t_events[1][0], sol.y_events[1][0], sol.t[-1], sol.status


def thrown_back_in_time(speed, drag, height):
    sol = solve_ivp(falling, (0, -100), [height + 1.0, -speed], events=apex, args=(drag, height), **NEAR)
    return sol.t_events[0], sol.y_events[0], sol.t[-1]


def thrown_at_times(speed, drag, height):
    times = np.linspace(0.0, 20.0, 41)
    sol = solve_ivp(falling, (0, 20), [height, speed], t_eval=times, events=ground, args=(drag, height), **NEAR)
    return sol.t, sol.y


def swinging(rate, level):
    def crosses(t, y):
        return y[0] - level

    def swings(t, y):
        return [y[1], -(rate**2) * y[0]]

    crosses.terminal = 4
    sol = solve_ivp(swings, (0, 20), [1.0, 0.0], events=crosses, **NEAR)
    return sol.t_events[0], sol.y_events[0], sol.t[-1], sol.status


def swinging_forever(rate, level):
    swings = lambda t, y: [y[1], -(rate**2) * y[0]]  # noqa: E731
    sol = solve_ivp(swings, (0, 20), [1.0, 0.0], "Radau", events=lambda t, y: y[0] - level, rtol=1e-9, atol=1e-9)
    return sol.t_events[0], sol.y_events[0][:, 1], sol.t[-1], sol.status


def beginning_at_an_event(rate, level):
    """SciPy counts it."""
    sol = solve_ivp(lambda t, y: -rate * y, (0, 2), [level], events=lambda t, y: y[0] - level, **NEAR)
    return sol.t_events[0], sol.status


WITH_EVENTS = [
    (thrown, (20.0, 0.1, -3.0)),
    (thrown_back_in_time, (20.0, 0.1, 1.0)),
    (thrown_at_times, (20.0, 0.1, 0.0)),
    (swinging, (1.3, 0.2)),
    (swinging_forever, (1.3, 0.2)),
    (beginning_at_an_event, (1.3, 0.5)),
]


@pytest.mark.parametrize(("function", "arguments"), WITH_EVENTS, ids=lambda c: getattr(c, "__name__", ""))
def test_events_are_those_that_scipy_finds(function, arguments):
    for found, expected in zip(jit(function)(*arguments), function(*arguments), strict=True):
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("function", "arguments"), WITH_EVENTS[:5], ids=lambda c: getattr(c, "__name__", ""))
def test_derivatives_of_events(function, arguments):
    if function is thrown:
        whole = lambda *a: sum(np.sum(np.sin(each)) for each in thrown(*a)[:5])  # noqa: E731
    elif function is thrown_at_times:
        whole = lambda *a: np.sum(np.sin(thrown_at_times(*a)[1]))  # noqa: E731
    else:
        whole = lambda *a: np.sum(np.sin(function(*a)[0])) + np.sum(np.cos(function(*a)[1]))  # noqa: E731
    found = grad(whole, argnums=tuple(range(len(arguments))))(*arguments)
    step = 1e-4
    for k, slope in enumerate(found):
        ahead, behind = (tuple(a + s * (j == k) for j, a in enumerate(arguments)) for s in (step, -step))
        assert slope == pytest.approx((whole(*ahead) - whole(*behind)) / (2 * step), rel=2e-5, abs=1e-5)


def test_no_event_happens():
    def calm(rate):
        sol = solve_ivp(lambda t, y: -rate * y, (0, 2), [1.0], events=lambda t, y: y[0] - 5.0, t_eval=[1.0, 2.0])
        return np.sum(sol.t_events[0]), np.sum(sol.y), sol.status

    count, total, status = jit(calm)(0.5)
    assert (count, status) == (0.0, 0)
    assert total == pytest.approx(np.exp(-0.5) + np.exp(-1.0), rel=1e-7)


def test_an_event_at_the_end_of_a_step_is_found_once():
    def drift(t, y):
        return np.array([np.cos(t)])

    def stops(level):
        sol = solve_ivp(drift, (0, 3), [0.0], events=lambda t, y: t - level, **NEAR)
        return sol.t_events[0], sol.t

    steps = jit(stops)(5.0)[1]
    for step in steps[1:-1]:
        found, times = jit(stops)(step)
        np.testing.assert_allclose(found, [step], rtol=1e-14)
        assert len(times) == len(steps)

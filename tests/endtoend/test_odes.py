"""Ordinary differential equations: their solutions, and all derivatives of these."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from adcore import (
    check_grads,
    checkpoint,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    jvp,
    loop_policy,
    memory,
    odeint,
    value_and_grad,
    vmap,
)
from adcore.errors import DtypeError
from adcore.ode import daeint, log_density, odeint_event
from adcore.ode.solving import solved

ADJOINTS = ("continuous", "discrete", "forward")
TS = np.array([0.0, 0.7, 1.0, 2.5])


def prey(y: Any, t: Any, a: Any, b: Any) -> Any:
    return np.array([a * y[0] - b * y[0] * y[1] + 0.1 * math.sin(t), 0.5 * y[0] * y[1] - y[1]])


def decay(y: Any, t: Any, rate: Any) -> Any:
    return -rate * y


def driven(y: Any, t: Any, p: Any, k: Any, name: Any) -> Any:
    x, v = y["x"], y["v"]
    pull = p["k"] if name == "spring" else 0.0
    return {"x": v * k, "v": -pull * x - p["c"] @ v * x + math.cos(t)}


def exactly(f: Any, y0: Any, ts: Any, *args: Any, method: str = "DOP853", **options: Any) -> Any:
    tolerances = {"rtol": 1e-13, "atol": 1e-13, **options}
    found = solve_ivp(lambda t, y: f(y, t, *args), (ts[0], ts[-1]), y0, method, ts, **tolerances)
    return found.y.T


# Solutions


@pytest.mark.parametrize("ts", [TS, TS[::-1].copy(), TS[:2], np.linspace(0.0, 1e-3, 200)], ids=len)
@pytest.mark.parametrize(("method", "within"), [("dopri5", 2e-9), ("radau", 2e-7), ("rk4", 2e-7)])
def test_solutions(method: str, within: float, ts: Any) -> None:
    y0 = np.array([1.0, 2.0])
    found = odeint(prey, y0, ts, 1.0, 0.7, rtol=1e-10, atol=1e-10, method=method, steps=50)
    assert np.allclose(found, exactly(prey, y0, ts, 1.0, 0.7), rtol=0.0, atol=within)
    assert np.array_equal(found[0], y0)


@pytest.mark.parametrize("method", ["dopri5", "radau", "rk4"])
def test_what_is_compiled_is_what_python_runs(method: str) -> None:
    args = (np.array([1.0, 2.0]), TS, 1e-6, 1e-6, (1.0, 0.7), "discrete", method, 3, 0)
    plain = solved(prey, *args)
    assert np.allclose(odeint(prey, args[0], TS, 1.0, 0.7, rtol=1e-6, atol=1e-6, method=method, steps=3), plain)


def test_states_are_numbers_arrays_and_trees() -> None:
    assert odeint(decay, 1.0, [0, 1], 1.0)[1] == pytest.approx(math.exp(-1.0), rel=1e-7)
    whole = odeint(decay, np.ones((2, 3)), TS, 0.5)
    assert whole.shape == (4, 2, 3)
    single = odeint(decay, np.ones(2, np.float32), TS, np.float32(0.5))
    assert single.dtype == np.float32
    start = {"x": np.array([1.0, 0.0]), "v": np.array([0.0, 1.0])}
    p = {"k": 2.0, "c": np.array([0.1, 0.2])}
    tree = odeint(driven, start, TS, p, 2, "spring")
    assert list(tree) == ["x", "v"]
    assert tree["x"].shape == (4, 2)

    def flat(y: Any, t: Any) -> Any:
        d = driven({"x": y[:2], "v": y[2:]}, t, p, 2, "spring")
        return np.concatenate((d["x"], d["v"]))

    expected = exactly(flat, np.array([1.0, 0.0, 0.0, 1.0]), TS)
    assert np.allclose(np.hstack((tree["x"], tree["v"])), expected, atol=1e-7)


def test_tolerances_of_each_number() -> None:
    def last(y0: Any, atol: Any, adjoint: Any) -> Any:
        return np.sum(odeint(decay, y0, np.array([0.0, 1.0]), 1.0, rtol=1e-9, atol=atol, adjoint=adjoint)[1])

    y0, atol = np.array([1.0, 1e3]), np.array([1e-9, 1e-6])
    assert last(y0, atol, "discrete") == pytest.approx(1001.0 * math.exp(-1.0), rel=1e-8)
    assert np.allclose(grad(lambda y0: last(y0, atol, "continuous"))(y0), math.exp(-1.0), rtol=1e-7)


def test_one_time_is_the_beginning() -> None:
    assert np.array_equal(odeint(decay, np.ones(2), np.array([3.0]), 1.0), np.ones((1, 2)))
    assert grad(lambda y: odeint(decay, y, np.array([3.0]), 1.0)[0])(2.0) == 1.0


def test_a_right_side_may_give_a_list_for_a_vector() -> None:
    y0 = np.array([1.0, 0.0])
    for f in (lambda y, t: [y[1], -y[0]], lambda y, t: (y[1], -y[0])):
        assert np.allclose(odeint(f, y0, [0.0, 1.0])[1], [math.cos(1.0), -math.sin(1.0)], atol=1e-7)
    with pytest.raises(ValueError, match="another shape than that of the state: 3 numbers for 2"):
        odeint(lambda y, t: [y[1], -y[0], 0.0], y0, [0.0, 1.0])


# Stiff equations


def robertson(y: Any, t: Any, slow: Any, fast: Any, back: Any) -> Any:
    first = -slow * y[0] + back * y[1] * y[2]
    third = fast * y[1] * y[1]
    return np.array([first, -first - third, third])


def van_der_pol(y: Any, t: Any, mu: Any) -> Any:
    return np.array([y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]])


STIFF = [
    (robertson, [1.0, 0.0, 0.0], [0.0, 0.4, 4.0, 40.0, 400.0, 4e3, 4e4], (0.04, 3e7, 1e4), 1e-12),
    (van_der_pol, [2.0, 0.0], np.linspace(0.0, 2000.0, 11), (1000.0,), 1e-8),
]


@pytest.mark.parametrize(("f", "y0", "ts", "args", "atol"), STIFF, ids=["robertson", "van der pol"])
def test_stiff_solutions(f: Any, y0: Any, ts: Any, args: Any, atol: float) -> None:
    y0, ts = np.array(y0), np.array(ts)
    found = odeint(f, y0, ts, *args, rtol=1e-8, atol=atol, method="radau")
    expected = exactly(f, y0, ts, *args, method="Radau", rtol=1e-10, atol=atol * 1e-2)
    assert np.allclose(found, expected, rtol=1e-7, atol=1e3 * atol)


@pytest.mark.parametrize("adjoint", ["discrete", "forward"])
def test_stiff_derivatives(adjoint: str) -> None:
    y0, ts, args = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.4, 4.0, 40.0]), np.array([0.04, 3e7, 1e4])

    def last(logs: Any) -> Any:
        slow, fast, back = np.exp(logs)
        found = odeint(robertson, y0, ts, slow, fast, back, rtol=1e-8, atol=1e-12, method="radau", adjoint=adjoint)
        return found[-1] @ np.array([1.0, 1e4, 2.0])

    def tight(logs: Any) -> Any:
        found = exactly(robertson, y0, ts, *np.exp(logs), method="Radau", rtol=1e-11, atol=1e-15)
        return found[-1] @ np.array([1.0, 1e4, 2.0])

    logs = np.log(args)
    steps = 1e-3 * np.eye(3)
    expected = [(tight(logs + h) - tight(logs - h)) / 2e-3 for h in steps]
    assert np.allclose(grad(last)(logs), expected, rtol=1e-4)


def test_the_coefficients_are_those_of_the_book() -> None:
    """The stages of one step, from the matrix of the method and not from its factors."""
    root = math.sqrt(6.0)
    a = np.array(
        [
            [(88 - 7 * root) / 360, (296 - 169 * root) / 1800, (-2 + 3 * root) / 225],
            [(296 + 169 * root) / 1800, (88 + 7 * root) / 360, (-2 - 3 * root) / 225],
            [(16 - root) / 36, (16 + root) / 36, 1 / 9],
        ]
    )
    from adcore.ode import radau

    h, rate = 0.3, 2.0
    z = np.linalg.solve(np.eye(3) + h * rate * a, -h * rate * a @ np.ones(3))
    parts = [np.array([each]) for each in z]
    residual = radau.collocation(lambda y, t: -rate * y, np.ones(1), 0.0, h, *parts)
    assert np.allclose(np.concatenate(residual), 0.0, atol=1e-15)
    for place, value in zip(((4 - root) / 10, (4 + root) / 10, 1.0), z, strict=True):
        assert radau.dense(place, np.ones(1), *parts) == pytest.approx(1.0 + value, abs=1e-14)
    found = radau.tried(lambda y, t: -rate * y, np.ones(1), 0.0, h, 1e-6, 1e-6, True)
    assert np.allclose(np.concatenate(found[:3]), z, atol=1e-12)


# First derivatives


def weighed(adjoint: str, method: str = "dopri5", tolerance: float = 1e-10) -> Any:
    weights = np.linspace(-1.0, 2.0, 8).reshape(4, 2)

    def loss(y0: Any, ts: Any, a: Any, b: Any) -> Any:
        options = {"rtol": tolerance, "atol": tolerance, "adjoint": adjoint, "method": method, "steps": 40}
        ys = odeint(prey, y0, ts, a, b, **options)
        return np.sum(weights * np.sin(ys))

    return loss


def by_differences(y0: Any, ts: Any, a: Any, b: Any) -> Any:
    weights = np.linspace(-1.0, 2.0, 8).reshape(4, 2)

    def loss(x: Any) -> Any:
        return np.sum(weights * np.sin(exactly(prey, x[:2], x[2:-2], x[-2], x[-1])))

    x, h = np.concatenate((y0, ts, [a, b])), 1e-4
    found = [(loss(x + h * e) - loss(x - h * e)) / (2.0 * h) for e in np.eye(len(x))]
    return np.array(found)


PAIRS = [*((adjoint, "dopri5") for adjoint in ADJOINTS), ("discrete", "radau"), ("continuous", "rk4")]


@pytest.mark.parametrize(("adjoint", "method"), PAIRS)
def test_gradients_are_those_of_the_solution(adjoint: str, method: str) -> None:
    point = (np.array([1.0, 2.0]), TS, 1.0, 0.7)
    found = grad(weighed(adjoint, method), (0, 1, 2, 3))(*point)
    assert np.allclose(np.hstack(found), by_differences(*point), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_gradients_by_trees(adjoint: str) -> None:
    start = {"x": np.array([1.0, 0.0]), "v": np.array([0.0, 1.0])}
    p = {"k": 2.0, "c": np.array([0.1, 0.2])}

    def loss(start: Any, p: Any, k: Any) -> Any:
        ys = odeint(driven, start, TS, p, k, "spring", rtol=1e-9, atol=1e-9, adjoint=adjoint)
        return np.sum(ys["x"] ** 2) + np.sum(ys["v"][-1])

    by_start, by_p = grad(loss, (0, 1))(start, p, 2)
    assert list(by_start) == ["x", "v"]
    assert list(by_p) == ["k", "c"]
    h = 1e-5
    for k in range(2):
        e = h * np.eye(2)[k]
        moved = [loss(start, {"k": 2.0, "c": p["c"] + s * e}, 2) for s in (1.0, -1.0)]
        assert by_p["c"][k] == pytest.approx((moved[0] - moved[1]) / (2.0 * h), rel=1e-5)
        moved = [loss({**start, "x": start["x"] + s * e}, p, 2) for s in (1.0, -1.0)]
        assert by_start["x"][k] == pytest.approx((moved[0] - moved[1]) / (2.0 * h), rel=1e-5)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_forward_mode(adjoint: str) -> None:
    loss = weighed(adjoint)
    point = (np.array([1.0, 2.0]), TS, 1.0, 0.7)
    along = (np.array([0.3, -0.2]), np.array([0.1, 0.0, -0.1, 0.2]), 0.5, -0.4)
    gradient = grad(loss, (0, 1, 2, 3))(*point)
    expected = sum(np.sum(g * v) for g, v in zip(gradient, along, strict=True))
    within = 1e-7 if adjoint == "continuous" else 1e-10
    assert jvp(loss, point, along)[1] == pytest.approx(expected, rel=within)
    assert np.allclose(jacfwd(loss)(*point), gradient[0], rtol=within)


def test_no_tolerance_is_of_the_size_of_a_small_loss() -> None:
    """A loss in larger units has the same gradient in these, to the bit, however small it is."""
    loss, point = weighed("continuous", tolerance=1e-6), (np.array([1.0, 2.0]), TS, 1.0, 0.7)
    along = (np.array([0.3, -0.2]), np.array([0.1, 0.0, -0.1, 0.2]), 0.5, -0.4)

    def by(unit: float) -> Any:
        gradient = grad(lambda *x: unit * loss(*x), (0, 1, 2, 3))(*point)
        tangent = jvp(loss, point, tuple(unit * v for v in along))[1]
        return np.hstack((*gradient, tangent)) / unit

    assert np.array_equal(by(2.0**-10), by(2.0**-60))


def test_the_continuous_adjoint_is_as_accurate_as_its_tolerance() -> None:
    """THEORY.md, section 6: the error falls with the tolerance."""
    exact = -2.0 * math.exp(-2.0) * 3.0

    def last(rate: Any, tolerance: Any) -> Any:
        return 3.0 * odeint(decay, 1.0, np.array([0.0, 2.0]), rate, rtol=tolerance, atol=tolerance)[1]

    expected = {1e-2: 1e-1, 1e-4: 3e-4, 1e-6: 2e-6, 1e-8: 2e-8, 1e-10: 2e-10}
    for tolerance, error in expected.items():
        assert 0.5 * error < abs(grad(last)(1.0, tolerance) - exact) < 1.5 * error


def test_the_discrete_adjoint_is_that_of_the_steps() -> None:
    """At a coarse tolerance: of the map that the same steps, as they were chosen, make."""
    from adcore.ode.dormand_prince import first_step, next_factor, ratio, step

    def rhs(y: Any, t: Any, a: Any) -> Any:
        return np.array([y[1], -a * np.sin(y[0])])

    y0, a, end, tolerance = np.array([1.0, 0.0]), 2.0, 3.0, 1e-2
    t, y, sizes = 0.0, y0, []
    k = rhs(y, t, a)
    h = first_step(lambda y, t: rhs(y, t, a), y, t, k, tolerance, tolerance, end, 5.0)
    while t < end:
        h = min(h, end - t)
        y1, k1, error, _ = step(lambda y, t: rhs(y, t, a), y, t, h, k)
        found = ratio(error, y, y1, tolerance, tolerance)
        if found <= 1.0:
            sizes.append(h)
            t, y, k = t + h, y1, k1
        h = h * next_factor(found, 5.0)

    def fixed(y: Any, a: Any) -> Any:
        t = 0.0
        for h in sizes:
            y = step(lambda y, t: rhs(y, t, a), y, t, h, rhs(y, t, a))[0]
            t += h
        return y[0]

    def adaptive(y0: Any, a: Any) -> Any:
        return odeint(rhs, y0, np.array([0.0, end]), a, rtol=tolerance, atol=tolerance, adjoint="discrete")[1, 0]

    assert len(sizes) < 20
    by_y, by_a = grad(adaptive, (0, 1))(y0, a)
    e = 1e-30j
    assert by_a == pytest.approx((fixed(y0, a + e) / 1e-30).imag, rel=1e-11)
    assert by_y[0] == pytest.approx((fixed(y0 + np.array([e, 0.0]), a) / 1e-30).imag, rel=1e-11)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_derivatives_by_what_the_equation_closes_over(adjoint: str) -> None:
    ts = np.array([0.0, 2.0])

    def loss(rate: Any) -> Any:
        return odeint(lambda y, t: -rate * y, 1.0, ts, adjoint=adjoint, rtol=1e-9, atol=1e-9)[1]

    assert grad(loss)(0.5) == pytest.approx(-2.0 * math.exp(-1.0), rel=1e-7)
    assert jvp(loss, (0.5,), (3.0,))[1] == pytest.approx(-6.0 * math.exp(-1.0), rel=1e-7)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_derivatives_by_containers_of_helpers_that_the_equation_closes_over(adjoint: str) -> None:
    """What is closed over at two levels, in a dict, and beside an argument; constants from outside stay constants."""
    shift = np.array([0.1, -0.2])

    def loss(weights: Any, rate: Any) -> Any:
        layers = {"first": weights, "second": weights.T * rate}

        def field(y: Any) -> Any:
            return np.tanh(layers["first"] @ y + shift) - layers["second"] @ y

        def slope(y: Any, t: Any, k: Any) -> Any:
            return k * field(y) + rate * math.sin(t)

        ys = odeint(slope, np.array([1.0, 0.5]), TS, rate * 2.0, adjoint=adjoint, rtol=1e-10, atol=1e-10)
        return np.sum(ys[1:] ** 2)

    def plainly(weights: Any, rate: Any) -> Any:
        def slope(y: Any, t: Any) -> Any:
            return 2.0 * rate * (np.tanh(weights @ y + shift) - weights.T @ y * rate) + rate * math.sin(t)

        return np.sum(exactly(slope, np.array([1.0, 0.5]), TS)[1:] ** 2)

    weights, rate, h = np.array([[0.3, -0.4], [0.8, 0.1]]), 0.6, 1e-4
    by_weights, by_rate = grad(loss, (0, 1))(weights, rate)
    assert by_rate == pytest.approx((plainly(weights, rate + h) - plainly(weights, rate - h)) / (2.0 * h), rel=1e-6)
    for k in range(4):
        e = h * np.eye(4)[k].reshape(2, 2)
        expected = (plainly(weights + e, rate) - plainly(weights - e, rate)) / (2.0 * h)
        assert by_weights.ravel()[k] == pytest.approx(expected, rel=1e-6)


PARTS = [
    lambda y, t, a, w: np.tanh(w @ y) - a * y,
    lambda y, t, a, w: np.sin(a * y[::-1]) * math.cos(t) - 0.1 * y,
    lambda y, t, a, w: w @ y / (1.0 + np.sum(y * y)) + a * t,
    lambda y, t, a, w: y * np.exp(-a * y * y) + 0.2,
]


@pytest.mark.parametrize("seed", range(3))
def test_the_two_maps_are_dual_and_those_of_the_steps(seed: int) -> None:
    """⟨L u, w⟩ = ⟨u, Lᵀ w⟩ for sums of right sides, and the discrete L is the same."""
    random = np.random.default_rng(seed)
    first, second = (PARTS[k] for k in random.choice(len(PARTS), 2, replace=False))
    weights, y0, ts = random.normal(size=(3, 3)), random.normal(size=3), np.sort(random.uniform(0.0, 2.0, 4))
    ts = ts[::-1].copy() if seed == 1 else ts
    cotangent = random.normal(size=(4, 3))

    def solution(adjoint: str) -> Any:
        def loss(y0: Any, ts: Any, a: Any, w: Any) -> Any:
            def slope(y: Any, t: Any) -> Any:
                return first(y, t, a, w) + second(y, t, 0.5 * a, w)

            return np.sum(cotangent * odeint(slope, y0, ts, rtol=1e-10, atol=1e-10, adjoint=adjoint))

        return loss

    point = (y0, ts, 0.7, weights)
    along = (random.normal(size=3), random.normal(size=4), -0.3, random.normal(size=(3, 3)))
    gradient = grad(solution("continuous"), (0, 1, 2, 3))(*point)
    expected = sum(np.sum(g * v) for g, v in zip(gradient, along, strict=True))
    assert jvp(solution("continuous"), point, along)[1] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert jvp(solution("discrete"), point, along)[1] == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_second_derivatives(adjoint: str) -> None:
    def last(x: Any) -> Any:
        return odeint(decay, x[0], np.array([0.0, 2.0]), x[1], rtol=1e-10, atol=1e-10, adjoint=adjoint)[1] ** 2

    y, rate = 1.5, 0.4
    e = math.exp(-4.0 * rate)
    expected = [[2.0 * e, -8.0 * y * e], [-8.0 * y * e, 16.0 * y * y * e]]
    x = np.array([y, rate])
    assert np.allclose(hessian(last)(x), expected, rtol=1e-6)
    if adjoint == "discrete":
        assert np.allclose(jacrev(grad(last))(x), expected, rtol=1e-6)
        check_grads(last, (x,), order=2)


# Memory


@pytest.mark.parametrize("method", ["dopri5", "rk4"])
def test_the_continuous_adjoint_keeps_nothing_of_the_steps(method: str) -> None:
    def loss(y0: Any, end: Any) -> Any:
        return np.sum(odeint(prey, y0, np.array([0.0, end]), 1.0, 0.7, method=method, steps=50)[1])

    short, long = (memory(grad(loss), np.array([1.0, 2.0]), end).total for end in (0.1, 20.0))
    assert short == long < 1000


def test_the_discrete_adjoint_under_a_policy() -> None:
    def loss(y0: Any) -> Any:
        return np.sum(odeint(prey, y0, np.array([0.0, 40.0]), 1.0, 0.7, adjoint="discrete")[1])

    y0 = np.array([1.0, 2.0])
    whole = grad(loss)(y0)
    everything = memory(grad(loss), y0).total
    with loop_policy("revolve", snapshots=10):
        assert np.allclose(grad(loss)(y0), whole, rtol=1e-12)
        few = memory(grad(loss), y0).total
    assert few * 5 < everything
    assert np.allclose(grad(checkpoint(loss, policy="sqrt"))(y0), whole, rtol=1e-12)


# Inside of other transforms


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_elements_of_a_batch_take_their_own_steps(adjoint: str) -> None:
    def last(y0: Any, rate: Any) -> Any:
        return odeint(decay, y0, np.array([0.0, 1.0, 2.0]), rate, adjoint=adjoint)[2]

    y0, rates = np.array([1.0, 2.0, -1.0]), np.array([0.1, 3.0, 40.0])
    found = vmap(last)(y0, rates)
    assert np.array_equal(found, [last(y, r) for y, r in zip(y0, rates, strict=True)])
    slopes = vmap(grad(last, (0, 1)))(y0, rates)
    one_by_one = [grad(last, (0, 1))(y, r) for y, r in zip(y0, rates, strict=True)]
    assert np.allclose(np.transpose(slopes), one_by_one, rtol=1e-12, atol=1e-15)


def test_a_fit() -> None:
    truth = odeint(prey, np.array([1.0, 2.0]), TS, 1.0, 0.7)

    @jit
    def steps(p: Any) -> Any:
        def loss(p: Any) -> Any:
            return np.sum((odeint(prey, np.array([1.0, 2.0]), TS, p[0], p[1]) - truth) ** 2)

        for _ in range(3000):
            p = p - 0.01 * grad(loss)(p)
        return p

    assert np.allclose(steps(np.array([0.9, 0.6])), [1.0, 0.7], atol=1e-3)


def test_it_is_compiled_once() -> None:
    def f(y: Any, t: Any, a: Any) -> Any:
        return -a * y

    odeint(f, 1.0, TS, 1.0)
    kept = dict(f.__adcore_derived__)  # type: ignore[attr-defined]
    odeint(f, 2.0, TS, 3.0, rtol=1e-3)
    assert f.__adcore_derived__ == kept  # type: ignore[attr-defined]
    assert len(kept) == 1
    odeint(f, 1.0, TS, 1.0, adjoint="discrete")
    assert len(f.__adcore_derived__) == 2  # type: ignore[attr-defined]


# Errors


def square(y: Any, t: Any, a: Any) -> Any:
    return a * y * y


@pytest.mark.parametrize(("adjoint", "method"), [("continuous", "dopri5"), ("discrete", "radau")])
def test_a_blow_up_says_when(adjoint: str, method: str) -> None:
    with pytest.raises(RuntimeError, match=r"underflows at t = (1\.0000|0\.9999)"):
        odeint(square, 1.0, np.array([0.0, 2.0]), 1.0, adjoint=adjoint, method=method)


def towards(y: Any, t: Any, rate: Any) -> Any:
    return -rate * (y - math.cos(t))


def limited(rate: Any, adjoint: Any, method: Any, mxstep: Any) -> Any:
    return odeint(towards, 1.0, TS, rate, adjoint=adjoint, method=method, mxstep=mxstep)[3]


@pytest.mark.parametrize("adjoint", ADJOINTS)
@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_a_limit_on_steps(adjoint: str, method: str) -> None:
    gradient = value_and_grad(limited, static_argnames=("adjoint", "method", "mxstep"))
    assert gradient(3.0, adjoint, method, 2000) == gradient(3.0, adjoint, method, 0)
    for call in (gradient, jit(limited, static_argnames=("adjoint", "method", "mxstep"))):
        with pytest.raises(RuntimeError, match=r"more than mxstep = 3 steps between two times, at t = 0\.") as info:
            call(3.0, adjoint, method, 3)
        assert info.traceback[-1].name == "limited"


def test_a_limit_on_steps_is_one_between_two_times() -> None:
    ts = np.linspace(0.0, 2.0, 50)
    many = odeint(towards, 1.0, ts, 3.0)
    assert np.array_equal(odeint(towards, 1.0, ts, 3.0, mxstep=12), many)
    with pytest.raises(RuntimeError, match="more than mxstep = 12"):
        odeint(towards, 1.0, ts[[0, -1]], 3.0, mxstep=12)


def test_the_reverse_sweep_has_the_limit_too() -> None:
    def last(y0: Any) -> Any:
        return odeint(decay, y0, np.array([0.0, 1.0]), 30.0, mxstep=60)[1]

    assert last(1.0) < 1e-8
    with pytest.raises(RuntimeError, match="more than mxstep = 60"):
        grad(last)(1.0)  # the equation grows back in time, so that its steps are more


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_integers_are_taken_in_double_precision(adjoint: str) -> None:
    def total(rate: Any, y0: Any) -> Any:
        return np.sum(odeint(decay, y0, TS, rate, adjoint=adjoint))

    for whole, real in ((2, 2.0), (np.array([1, 2]), np.array([1.0, 2.0])), (np.array([3], np.int32), np.array([3.0]))):
        assert value_and_grad(total)(0.5, whole) == value_and_grad(total)(0.5, real)
        assert odeint(decay, whole, TS, 0.5, adjoint=adjoint).dtype == np.float64
    tree = odeint(lambda y, t: {"a": -y["a"], "b": y["b"]}, {"a": 1, "b": np.array([1, 2])}, TS, adjoint=adjoint)
    np.testing.assert_allclose(tree["b"], np.exp(TS)[:, None] * np.array([1.0, 2.0]), rtol=1e-6)


def test_a_derivative_that_is_nan_says_when() -> None:
    with pytest.raises(RuntimeError, match=r"not finite at t = 0.5"):
        odeint(lambda y, t: np.sqrt(-1.0 - y * y), np.ones(2), np.array([0.5, 2.0]))


def test_wrong_shapes_and_structures() -> None:
    def short(y: Any, t: Any) -> Any:
        return y[:1]

    def pair(y: Any, t: Any) -> Any:
        return y, y

    ts = np.array([0.0, 1.0])
    with pytest.raises(ValueError, match="another shape than that of the state: 1 numbers for 3"):
        odeint(short, np.ones(3), ts)
    with pytest.raises(DtypeError, match=r"(?s)not of the structure of the state.*def pair"):
        odeint(pair, np.ones(3), ts)
    with pytest.raises(DtypeError, match=r"(?s)not of the structure of the state.*np.sum\(odeint\(pair"):
        grad(_with_pair)(1.0)
    with pytest.raises(ValueError, match="another shape than that of the state: 1 numbers for 3"):
        odeint(short, np.ones(3, np.int64), ts)


def _pair(y: Any, t: Any) -> Any:
    return y, y


def _with_pair(x: Any) -> Any:
    pair = _pair
    return np.sum(odeint(pair, x * np.ones(3), np.array([0.0, 1.0])))


@pytest.mark.parametrize(
    ("ts", "options", "message"),
    [
        ([0.0, 1.0, 0.5], {}, "neither strictly increasing nor"),
        ([0.0, 0.0], {}, "neither strictly increasing nor"),
        ([0.0, np.inf], {}, "not finite"),
        ([0.0, np.nan], {}, "not finite"),
        ([0.0, 1.0], {"rtol": -1e-3}, "not positive"),
        ([0.0, 1.0], {"rtol": 0.0, "atol": 0.0}, "not positive"),
        ([0.0, 1.0], {"adjoint": "backward"}, "adjoint is"),
        ([0.0, 1.0], {"method": "euler"}, "method is"),
    ],
)
def test_wrong_times_and_options(ts: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        odeint(decay, 1.0, np.array(ts), 1.0, **options)


# Events


def fall(y: Any, t: Any, g: Any) -> Any:
    return np.array([y[1], -g])


def ground(y: Any, t: Any, g: Any) -> Any:
    return y[0]


@pytest.mark.parametrize(("adjoint", "method"), PAIRS[:4])
def test_the_time_of_impact(adjoint: str, method: str) -> None:
    """y = h + v t - g t² / 2 is 0 at t = (v + √(v² + 2 g h)) / g, where the speed is -√(v² + 2 g h)."""

    def impact(y0: Any, t0: Any, g: Any) -> Any:
        t, y = odeint_event(fall, y0, t0, ground, g, adjoint=adjoint, method=method)
        return np.array([t, y[0], y[1]])

    height, v, g = 5.0, 1.0, 9.81
    speed = math.sqrt(v * v + 2.0 * g * height)
    point = (np.array([height, v]), 0.5, g)
    assert np.allclose(impact(*point), [0.5 + (v + speed) / g, 0.0, -speed], rtol=1e-9, atol=1e-9)
    by_y0, by_t0, by_g = jacrev(impact, (0, 1, 2))(*point)
    assert np.allclose(by_y0[0], [1.0 / speed, (1.0 + v / speed) / g], rtol=1e-6)
    assert np.allclose(by_y0[1], 0.0, atol=1e-7)
    assert np.allclose(by_y0[2], [-g / speed, -v / speed], rtol=1e-6)
    assert np.allclose(by_t0, [1.0, 0.0, 0.0], atol=1e-6)
    assert by_g[0] == pytest.approx(height / speed / g - (v + speed) / g**2, rel=1e-6)


def test_second_derivatives_of_the_time_of_impact() -> None:
    def time(height: Any) -> Any:
        return odeint_event(fall, np.array([height, 0.0]), 0.0, ground, 2.0, adjoint="discrete")[0]

    height = 3.0  # t = √height
    assert grad(time)(height) == pytest.approx(0.5 / math.sqrt(height), rel=1e-7)
    assert jacfwd(grad(time))(height) == pytest.approx(-0.25 * height**-1.5, rel=1e-6)


def test_a_ball_that_bounces() -> None:
    """Each flight takes as long as the one before times the restitution."""

    def third(v: Any, restitution: Any) -> Any:
        t, y = 0.0, np.array([0.0, v])
        for _ in range(3):
            t, y = odeint_event(fall, y, t, ground, 9.81, adjoint="discrete")
            y = np.array([0.0, -restitution * y[1]])
        return t

    v, e = 4.0, 0.8
    value, (by_v, by_e) = value_and_grad(third, (0, 1))(v, e)
    assert value == pytest.approx(2.0 * v / 9.81 * (1.0 + e + e * e), rel=1e-9)
    assert by_v == pytest.approx(value / v, rel=1e-7)
    assert by_e == pytest.approx(2.0 * v / 9.81 * (1.0 + 2.0 * e), rel=1e-7)


def test_an_event_that_does_not_happen() -> None:
    with pytest.raises(RuntimeError, match=r"does not happen up to t = 0\.5"):
        odeint_event(fall, np.array([5.0, 0.0]), 0.0, ground, 9.81, t_max=0.5)
    with pytest.raises(RuntimeError, match="does not happen"):
        odeint_event(decay, 1.0, 0.0, lambda y, t, rate: y + 1.0, 1.0)  # in as many steps as there may be


def test_an_event_back_in_time() -> None:
    t, y = odeint_event(lambda y, t: y, 1.0, 0.0, lambda y, t: y - 0.5, t_max=-10.0)
    assert t == pytest.approx(-math.log(2.0), rel=1e-7)
    assert y == pytest.approx(0.5, rel=1e-9)


# Algebraic equations beside


def pendulum(y: Any, z: Any, t: Any, length: Any) -> Any:
    return np.array([y[1], -z["pull"] * math.sin(y[0])])


def tension(y: Any, z: Any, t: Any, length: Any) -> Any:
    return {"pull": z["pull"] * length + 0.1 * z["pull"] ** 3 - 9.81}


@pytest.mark.parametrize(("adjoint", "method"), [PAIRS[1], PAIRS[3]])
def test_an_equation_with_a_root_in_it(adjoint: str, method: str) -> None:
    def last(length: Any) -> Any:
        options = {"adjoint": adjoint, "method": method, "rtol": 1e-9, "atol": 1e-9}
        ys, zs = daeint(pendulum, tension, np.array([1.0, 0.0]), {"pull": 1.0}, TS, length, **options)
        return ys[-1, 0] + 0.1 * zs["pull"][-1]

    def plainly(length: Any) -> Any:
        pull = np.roots([0.1, 0.0, length, -9.81])
        pull = pull[np.isreal(pull)].real[0]
        found = exactly(lambda y, t: pendulum(y, {"pull": pull}, t, length), np.array([1.0, 0.0]), TS)
        return found[-1, 0] + 0.1 * pull

    value, slope = value_and_grad(last)(2.0)
    assert value == pytest.approx(plainly(2.0), rel=1e-7)
    assert slope == pytest.approx((plainly(2.0 + 1e-5) - plainly(2.0 - 1e-5)) / 2e-5, rel=1e-5)


# Densities


def normal(z: Any) -> Any:
    return -0.5 * np.sum(z * z) - 0.5 * len(z) * math.log(2.0 * math.pi)


def test_the_density_of_a_linear_flow() -> None:
    """x = exp(A) z has the density of the normal distribution of the covariance exp(A) exp(A)ᵀ."""
    from scipy import stats
    from scipy.linalg import expm

    multivariate_normal: Any = stats.multivariate_normal

    def density(x: Any, a: Any) -> Any:
        return log_density(lambda z, t, a: a @ z, x, 0.0, 1.0, normal, a, rtol=1e-9, atol=1e-9)

    a, x = np.array([[0.2, -0.5], [0.7, 0.1]]), np.array([0.4, -1.1])
    covariance = expm(a) @ expm(a).T
    assert jit(density)(x, a) == pytest.approx(multivariate_normal(np.zeros(2), covariance).logpdf(x), rel=1e-8)
    assert np.allclose(grad(density)(x, a), -np.linalg.solve(covariance, x), rtol=1e-6)
    by_a = grad(density, 1)(x, a)

    def exact(a: Any) -> Any:
        e = expm(a)
        return multivariate_normal(np.zeros(2), e @ e.T).logpdf(x)

    h = 1e-5 * np.array([[0.0, 1.0], [0.0, 0.0]])
    assert by_a[0, 1] == pytest.approx((exact(a + h) - exact(a - h)) / 2e-5, rel=1e-5)

"""`stability`: exponents of systems for which they are known, the figures of Metz et al., and what is a state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcore import checkpoint, custom_jvp, grad, jit, program, stability, vmap
from adcore.loop_states import carried, loops_of, state_of

RNG = np.random.default_rng(7)


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def henon(x, y, n):
    for _ in range(n):
        x, y = 1.0 - 1.4 * x * x + y, 0.3 * x
    return x + y


def henon_while(x, y, n):
    k, seen = 0, 0.0
    while k < n and abs(x) < 100.0:
        if k >= 0:
            x, y = 1.0 - 1.4 * x * x + y, 0.3 * x
        seen += x
        k += 1
    return x + y + seen


def lorenz_rate(state):
    x, y, z = state[0], state[1], state[2]
    return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])


def lorenz(state, n, dt):
    total = 0.0
    for _ in range(n):
        k1 = lorenz_rate(state)
        k2 = lorenz_rate(state + 0.5 * dt * k1)
        k3 = lorenz_rate(state + 0.5 * dt * k2)
        k4 = lorenz_rate(state + dt * k3)
        state = state + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        total += state[0]
    return total


def linear(x, matrix, n):
    for _ in range(n):
        x = matrix @ x
    return np.sum(x)


def linear_complex(x, w, n):
    z = x + 0.5j
    for _ in range(n):
        z = w * z
    return z.real


def rescaled(x, matrix, n):
    """A linear system in single precision, in which the state never overflows."""
    for _ in range(n):
        x = matrix @ x
        x = x / np.sqrt(np.sum(x * x))
    return np.sum(x)


def test_the_logistic_map_has_the_exponent_ln_2():
    report = stability(logistic, transient=100)(0.3, 4.0, 100_000)
    assert report.exponents[0] == pytest.approx(math.log(2.0), abs=1e-3)
    assert report.verdict == "exploding"
    assert report.worst.horizon == pytest.approx(math.log(2.0**52) / math.log(2.0), abs=1)
    assert len(report.worst.at) > 1000
    assert report.worst.at[-1] <= 100_000


@pytest.mark.parametrize(("steps", "figure"), [(10, 6.97), (20, 16.96), (40, 36.98)])
def test_figures_of_metz(steps, figure):
    """The logarithm of the median gradient by the parameter, which grows as the norm of the product does."""
    starts = np.random.default_rng(0).uniform(0.1, 0.9, 4001)
    slope = grad(logistic, 1)
    chaotic, tame = (np.median([abs(slope(x, r, steps)) for x in starts]) for r in (4.0, 2.8))
    assert math.log2(chaotic) == pytest.approx(figure, abs=0.05)
    assert tame < 0.3
    measured, by_start = stability(logistic), grad(logistic)
    for x in starts[:20]:
        worst = measured(x, 4.0, steps).worst
        assert worst.growth == pytest.approx(math.log(abs(by_start(x, 4.0, steps))), abs=1e-6)
        assert worst.log_norms[-1] == worst.growth
        assert worst.at == tuple(range(1, steps + 1))
    assert stability(logistic)(0.3, 2.8, 200).verdict == "vanishing"


def test_henon_map():
    for f in (henon, henon_while):
        report = stability(f, transient=500)(0.1, 0.1, 50_000)
        first, second = report.exponents
        assert first == pytest.approx(0.4192, abs=5e-3)
        assert second == pytest.approx(-1.6229, abs=5e-3)
        assert first + second == pytest.approx(math.log(0.3), abs=1e-9)
        assert report.verdict == "mixed"
        assert report.worst.state == ("x", "y")
        assert report.worst.kind == ("for" if f is henon else "while")


def test_lorenz_system():
    report = stability(lorenz, transient=2000, dt=0.01)(np.array([1.0, 1.0, 1.0]), 60_000, 0.01)
    first, second, third = report.exponents
    assert first == pytest.approx(0.906, abs=0.02)
    assert second == pytest.approx(0.0, abs=0.01)
    assert third == pytest.approx(-14.57, abs=0.03)
    assert first + second + third == pytest.approx(-(10.0 + 1.0 + 8.0 / 3.0), abs=1e-3)
    assert report.worst.state == ("state",)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_linear_systems_have_the_moduli_of_their_eigenvalues(size):
    basis = RNG.normal(size=(size, size))
    values = np.linspace(0.5, 1.4, size)
    matrix = basis @ np.diag(values) @ np.linalg.inv(basis)
    report = stability(linear, transient=1500)(RNG.normal(size=size), matrix, 2000)
    np.testing.assert_allclose(report.exponents, np.log(np.sort(values)[::-1]), atol=1e-9)
    exact = np.log(np.linalg.norm(np.linalg.matrix_power(matrix, 2000), 2))
    assert report.worst.growth == pytest.approx(exact, rel=1e-9)


def test_of_a_large_state_the_largest_exponents_are_found():
    values = np.linspace(0.2, 1.1, 40)
    basis = np.linalg.qr(RNG.normal(size=(40, 40)))[0]
    matrix = basis @ np.diag(values) @ basis.T
    report = stability(linear, directions=3, transient=3000)(np.ones(40), matrix, 4000)
    np.testing.assert_allclose(report.exponents, np.log([values[-1], values[-2], values[-3]]), atol=1e-9)
    assert report.worst.size == 40


def test_complex_and_single_precision():
    report = stability(linear_complex)(1.0, complex(0.9 * np.exp(0.7j)), 50)
    np.testing.assert_allclose(report.exponents, [math.log(0.9)] * 2, atol=1e-12)
    assert report.worst.size == 2
    single = stability(rescaled)(np.ones(2, np.float32), np.diag([2.0, 0.5]).astype(np.float32), 60)
    assert single.exponents[-1] < -1.0
    double = stability(logistic, transient=10)(0.3, 4.0, 1000)
    half = stability(logistic, transient=10)(np.float32(0.3), np.float32(4.0), 1000)
    assert half.worst.horizon < double.worst.horizon


@pytest.mark.parametrize(
    ("matrix", "verdict"),
    [([[1.0]], "stable"), ([[0.5]], "vanishing"), ([[1.5]], "exploding"), ([[1.5, 0.0], [0.0, 0.5]], "mixed")],
)
def test_verdicts(matrix, verdict):
    matrix = np.array(matrix)
    report = stability(linear)(np.ones(len(matrix)), matrix, 100)
    assert report.verdict == verdict
    assert (report.worst.truncation is None) == (verdict == "stable")
    assert verdict in str(report)


def test_thresholds_are_by_the_whole_run():
    assert stability(linear)(np.ones(1), np.array([[1.5]]), 10).verdict == "stable"
    assert stability(linear, limit=10.0)(np.ones(1), np.array([[1.5]]), 10).verdict == "exploding"


# What is a state


def sums(x, n):
    total, kept, last = 0.0, np.zeros(n), 0.0
    for k in range(n):
        x = math.sin(x)
        if k > 2:
            total += x
        kept[k] = x
        last = x
    return total + np.sum(kept) + last


def delayed(x, n):
    before = 0.5 * x
    for _ in range(n):
        x, before = 0.5 * x + 0.3 * before, x
    return x


def doubled(x, n):
    for _ in range(n):
        x = x + x
    return x


def trajectory(x, n):
    xs = np.zeros(n)
    xs[0] = x
    for k in range(1, n):
        xs[k] = 3.9 * xs[k - 1] * (1.0 - xs[k - 1])
    return np.sum(xs)


def read_elsewhere(x, y, n):
    """What is only added to, and acts on something else."""
    for _ in range(n):
        x = x + 0.1
        y = y * x
    return y


@pytest.mark.parametrize(
    ("f", "arguments", "state"),
    [
        (sums, (0.5, 10), ["x"]),
        (delayed, (0.5, 10), ["before", "x"]),
        (doubled, (0.5, 10), ["x"]),
        (trajectory, (0.5, 10), ["xs"]),
        (read_elsewhere, (0.5, 1.0, 10), ["x", "y"]),
        (henon_while, (0.1, 0.1, 10), ["x", "y"]),
        (lambda x: np.sum(x * x), (np.ones(3),), None),
    ],
)
def test_what_is_a_state(f, arguments, state):
    found = [sorted(carried(loop)[1][k].name for k in state_of(loop)) for loop in loops_of(program(f, *arguments))]
    assert [names for names in found if names] == ([] if state is None else [state])


def test_a_function_without_states_is_stable():
    report = stability(lambda x: np.sum(x * x))(np.ones(3))
    assert report.verdict == "stable"
    assert report.loops == ()
    assert "no loop that was run carries a state" in str(report)


def test_a_state_without_elements_is_none():
    assert stability(linear)(np.zeros(0), np.zeros((0, 0)), 5).loops == ()


# Where loops stand


def nested(x, n):
    for _ in range(n):
        y = x
        for _ in range(5):
            y = 2.0 * y
        x = y / 16.0
    return x


def in_a_branch(x, n):
    if x > 0.0:
        k = 0
        while k < n:
            x = 1.5 * x
            k += 1
    return x


def of_a_helper(x, n):
    return logistic(x, 4.0, n) + logistic(0.5 * x, 2.0, n)


def test_nested_loops():
    outer, inner = stability(nested)(0.7, 20).loops
    assert outer.exponents[0] == pytest.approx(math.log(2.0))
    assert outer.iterations == 20
    assert inner.exponents[0] == pytest.approx(math.log(2.0))
    assert (inner.runs, inner.iterations) == (20, 5)
    assert inner.growth == pytest.approx(5.0 * math.log(2.0))
    assert outer.line + 2 == inner.line
    assert outer.text.strip() == "for _ in range(n):"


def test_loops_in_branches_and_helpers():
    assert stability(in_a_branch)(1.0, 30).exponents[0] == pytest.approx(math.log(1.5))
    assert stability(in_a_branch)(-1.0, 30).loops == ()
    assert stability(in_a_branch)(-1.0, 30).verdict == "stable"
    first, second = stability(of_a_helper)(0.3, 200).loops
    assert first.verdict == "exploding"
    assert second.verdict == "vanishing"
    assert first.line == second.line


def with_a_rule(x, n):
    for _ in range(n):
        x = 0.5 * x
    return x


def test_loops_of_functions_with_stated_derivatives_do_not_count():
    """No gradient goes through them."""
    stated = custom_jvp(with_a_rule)
    stated.defjvps(lambda t, y, x, n: t, None)
    assert stability(lambda x: stated(x, 10))(1.0).loops == ()
    regions = stability(checkpoint(logistic, policy="revolve", snapshots=3))(0.3, 4.0, 100)
    assert regions.exponents == stability(logistic)(0.3, 4.0, 100).exponents


def test_transformed_functions():
    assert stability(jit(logistic))(0.3, 4.0, 1000).exponents == stability(logistic)(0.3, 4.0, 1000).exponents
    many = stability(vmap(logistic, in_axes=(0, None, None)), directions=2)(np.array([0.3, 0.4, 0.6]), 4.0, 1000)
    assert many.worst.runs * many.worst.size == 3
    assert many.exponents[0] == pytest.approx(math.log(2.0), abs=0.05)


def overflowing(x, n):
    for _ in range(n):
        x = x * x
    return x


def growing(x, n):
    items = [x]
    for _ in range(n):
        items.append(0.5 * items[-1])
    return sum(items)


def test_overflow_is_told():
    loop = stability(overflowing)(3.0, 20).worst
    assert loop.overflow == 10
    assert loop.verdict == "exploding"
    assert "iteration 10" in str(loop)


def test_options_are_checked():
    for wrong in ({"directions": 0}, {"transient": -1}, {"dt": 0.0}, {"limit": 1.0}):
        with pytest.raises(ValueError, match="stability"):
            stability(logistic, **wrong)


def test_a_report_is_read():
    report = stability(logistic)(0.3, 4.0, 40)
    text = str(report)
    assert text.splitlines()[0] == "logistic: exploding"
    assert "test_stability.py:" in text
    assert "for _ in range(n):" in text
    assert "truncate(f, every=" in text
    assert report.as_dict()["loops"][0]["verdict"] == "exploding"
    assert stability(growing)(0.5, 10) is not None

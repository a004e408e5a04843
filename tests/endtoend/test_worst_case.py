"""The worst case on a box: above the values at all points, and differentiable."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcore import MissingRuleError, check_grads, grad, jit, value_and_grad, worst_case

LOW, HIGH = np.array([-0.3, 0.2, 0.5]), np.array([0.4, 0.5, 0.9])


def arithmetic(x):
    return np.sum(x * x - 2.0 * x + x / (x[0] + 3.0)) - x[1] * x[2]


def functions(x):
    waves = np.sin(3.0 * x) + np.cos(5.0 * x) + np.exp(-x) * np.tanh(x)
    return np.sum(waves + np.abs(x) + x**3 + x**2 + (x + 2.0) ** -1 + np.sqrt(x + 1.0))


def branches(x):
    y = np.where(x > 0.1, x, -2.0 * x)
    return np.max(y) + (x[0] if x[0] > 0.0 else 1.0 - x[0]) + np.min(np.maximum(x, 0.3))


def loops(x):
    y, total = x[0], 0.0
    out = np.zeros(4)
    for k in range(4):
        y = 0.5 * y + x[1] * k
        out[k] = y
        total = total + y * x[2]
    n = 0
    while n < 3:
        total = total + out[n]
        n += 1
    return total + np.sum(out)


def products(x):
    a = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.0]])
    return np.sum((a @ x) ** 2) + np.sum(np.outer(x, x) @ x)


FUNCTIONS = [arithmetic, functions, branches, loops, products]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_bound_is_above_all_values(f):
    bound = worst_case(f)((LOW, HIGH))
    rng = np.random.default_rng(0)
    values = [f(LOW + (HIGH - LOW) * rng.uniform(size=3)) for _ in range(500)]
    assert max(values) <= bound
    point = LOW + 0.3 * (HIGH - LOW)
    assert worst_case(f)((point, point)) == pytest.approx(f(point), rel=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_derivatives_of_the_bound(f):
    check_grads(worst_case(f), ((LOW, HIGH),), order=1)


def test_conditions_that_do_not_depend_on_the_box():
    def f(x, sign):
        return x * 2.0 if sign > 0.0 else -x

    assert worst_case(f)((1.0, 2.0), 1.0) == 4.0
    assert worst_case(f)((1.0, 2.0), -1.0) == -1.0
    assert grad(worst_case(f), argnums=0)((1.0, 2.0), -1.0) == (-1.0, 0.0)


def loss(parameters, x, label):
    hidden = np.maximum(parameters["inner"] @ x + parameters["bias"], 0.0)
    margin = label * (parameters["outer"] @ hidden)
    return np.log1p(np.exp(-margin))


def test_robust_training():
    rng = np.random.default_rng(1)
    points = rng.uniform(-1.0, 1.0, (40, 2))
    points = points[np.abs(points[:, 0] - points[:, 1]) > 0.35]
    labels = np.sign(points[:, 0] - points[:, 1])
    radius = 0.1

    def start():
        draws = np.random.default_rng(2)
        return {"inner": draws.normal(size=(6, 2)), "bias": np.zeros(6), "outer": 0.5 * draws.normal(size=6)}

    robust = value_and_grad(worst_case(loss, 1))
    plain = value_and_grad(loss)
    bound = worst_case(loss, 1)

    def trained(step):
        parameters = start()
        for _ in range(60):
            for x, label in zip(points, labels.tolist(), strict=True):
                _, slope = step(parameters, x, label)
                parameters = {k: v - 0.1 * slope[k] for k, v in parameters.items()}
        return parameters

    def certified(parameters):
        worst = [
            bound(parameters, (x - radius, x + radius), label) for x, label in zip(points, labels.tolist(), strict=True)
        ]
        return np.mean(np.array(worst) < math.log(2.0)), np.mean(worst)

    ours = trained(lambda p, x, label: robust(p, (x - radius, x + radius), label))
    theirs = trained(plain)
    assert certified(ours)[0] > 0.95
    assert certified(ours)[1] < certified(theirs)[1]
    for x, label in zip(points[:10], labels[:10].tolist(), strict=True):
        most = bound(ours, (x - radius, x + radius), label)
        for corner in rng.uniform(-radius, radius, (20, 2)):
            assert loss(ours, x + corner, label) <= most + 1e-12


def test_inside_of_a_compiled_function():
    bound = worst_case(arithmetic)

    @jit
    def total(x, r):
        return bound((x - r, x + r)) + 1.0

    x = np.array([0.1, 0.2, 0.3])
    assert total(x, 0.1) == pytest.approx(bound((x - 0.1, x + 0.1)) + 1.0)


def test_refusals():
    with pytest.raises(MissingRuleError, match="bounds of"):
        worst_case(lambda a: np.linalg.det(a))((np.eye(2), np.eye(2)))
    with pytest.raises(TypeError, match="pair"):
        worst_case(arithmetic)(LOW)
    with pytest.raises(TypeError, match="one real number"):
        worst_case(lambda x: x)((LOW, HIGH))

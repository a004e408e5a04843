"""Functions with stated derivatives along one further axis: values and derivatives of every lane, also twice."""

from __future__ import annotations

import numpy as np
import pytest

import adcore
from adcore import custom_jvp, custom_vjp, grad, jacrev, jvp, stop_gradient
from adcore.batching import Batch
from adcore.builder import Builder
from adcore.derive import pull, push
from adcore.plugins import backend
from adcore.program import Program, clone
from adcore.types import I64, Var
from adcore.verify import verify

LANES = 4
X = np.random.default_rng(0).normal(size=(3, LANES))
Y = np.random.default_rng(1).normal(size=(3, LANES))
V = np.cos(X)


@custom_jvp
def f(x, y):
    return np.sin(x) * y


@f.defjvp
def f_jvp(primals, tangents):
    x, y = primals
    return f(x, y), 2.0 * np.cos(x) * y * tangents[0] + np.sin(x) * tangents[1]


@custom_vjp
def g(x, y):
    return x * y


g.defvjp(lambda x, y: (g(x, y), (x, y)), lambda kept, ct: (3.0 * kept[1] * ct, np.sum(kept[0]) * ct))


@custom_jvp
def parts(x):
    return x[1:] * 2.0, len(x)


parts.defjvps(lambda t, ans, x: (5.0 * t[1:] * ans[0], None))


@custom_vjp
def clipped(x):
    return x * 1.0


clipped.defvjp(lambda x: (clipped(x), ()), lambda _, ct: (np.clip(ct, -1.0, 1.0),))


def composed(x, y):
    s = 0.0
    for _ in range(2):
        s += np.sum(stop_gradient(x) * f(x, y)) * g(x[0], y[1])
        x = f(x * 2.0, x)
    found, count = parts(x)
    return s + np.sum(found) * count


def of_clipped(x, y):
    return np.sum(clipped(x * 3.0) * y)


def batched(program, which=(0, 1)):
    """The program with a further axis at these parameters."""
    program = clone(program)
    b, lanes = Builder(), Var(I64, "lanes")
    chosen = [p for k, p in enumerate(program.params) if k in which]
    seeds = {p: Var(p.type.with_shape(*p.type.shape, lanes), p.name) for p in chosen}
    batch = Batch(b, lanes, seeds)
    batch.emit(program.equations)
    params = tuple(seeds.get(p, p) for p in program.params)
    found = Program(params, b.equations, tuple(map(batch.value, program.results)), "batched")
    verify(found)
    return found


def run(program, *arguments):
    verify(program)
    return backend().compile(program)(*map(np.ascontiguousarray, arguments))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def lane(which, k):
    return X[:, k if 0 in which else 0].copy(), Y[:, k if 1 in which else 0].copy()


def arguments(which):
    return X if 0 in which else X[:, 0], Y if 1 in which else Y[:, 0]


def along_first(h, x, y, v):
    return jvp(lambda x: h(x, y), (x,), (v,))[1]


def summed(columns, has_axis):
    stacked = np.stack(columns, 1)
    return stacked if has_axis else stacked.sum(1)


@pytest.mark.parametrize("which", [(0, 1), (0,), (1,)], ids=str)
def test_values_and_both_modes(which):
    program = batched(adcore.program(composed, *lane(which, 0)), which)
    (values,) = run(program, *arguments(which))
    close(values, [composed(*lane(which, k)) for k in range(LANES)])
    _, *found = run(pull(program, (0, 1)), *arguments(which), np.ones(LANES))
    gradients = [grad(composed, (0, 1))(*lane(which, k)) for k in range(LANES)]
    for j in range(2):
        close(found[j], summed([pair[j] for pair in gradients], j in which))
    v = V if 0 in which else V[:, 0]
    _, tangents = run(push(program, (0,)), *arguments(which), v)
    for k in range(LANES):
        x, y = lane(which, k)
        along = V[:, k if 0 in which else 0].copy()
        close(tangents[k], along_first(composed, x, y, along))


def test_pullbacks_that_are_not_linear():
    program = batched(adcore.program(of_clipped, X[:, 0].copy(), Y[:, 0].copy()))
    _, found, _ = run(pull(program, (0, 1)), X, Y, np.ones(LANES))
    close(found, 3.0 * np.clip(Y, -1.0, 1.0))
    with pytest.raises(adcore.RuleError, match="so there is no forward mode"):
        push(program, (0,))


def test_second_derivatives_of_lanes():
    program = batched(adcore.program(composed, X[:, 0].copy(), Y[:, 0].copy()))
    reverse = pull(program, (0, 1))
    gradients = Program(reverse.params, reverse.equations, reverse.results[1:], "gradients")
    *_, first, second = run(push(gradients, (0,)), X, Y, np.ones(LANES), V)
    for k in range(LANES):
        x, y, v = X[:, k].copy(), Y[:, k].copy(), V[:, k].copy()
        expected = along_first(grad(composed, (0, 1)), x, y, v)
        close(first[:, k], expected[0])
        close(second[:, k], expected[1])


def test_lanes_of_lanes():
    once = batched(adcore.program(composed, X[:, 0].copy(), Y[:, 0].copy()))
    twice = batched(once, (0,))
    x = np.random.default_rng(3).normal(size=(3, LANES, 2))
    _, first, second = run(pull(twice, (0, 1)), x, Y, np.ones((LANES, 2)))
    total = np.zeros((3, LANES))
    for k in range(LANES):
        for j in range(2):
            one, two = grad(composed, (0, 1))(x[:, k, j].copy(), Y[:, k].copy())
            close(first[:, k, j], one)
            total[:, k] += two
    close(second, total)


def test_functions_that_pullbacks_apply_to_cotangents():
    """A Jacobian asks for many cotangents at once, and its derivative for the stated one of what took them."""

    @custom_jvp
    def softened(x):
        return np.tanh(x)

    @softened.defjvp
    def softened_jvp(primals, tangents):
        return softened(primals[0]), 7.0 * tangents[0]

    @custom_vjp
    def h(x, s):
        return x * s

    h.defvjp(lambda x, s: (x * s, s), lambda s, ct: (softened(ct * s), np.sum(ct)))
    x = np.array([0.3, 0.5])
    close(jacrev(h)(x, 2.0), np.diag(np.tanh([2.0, 2.0])))
    close(jvp(lambda s: jacrev(h)(x, s), (2.0,), (1.0,))[1], 7.0 * np.eye(2))

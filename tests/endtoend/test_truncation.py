"""`truncate` and `clip_gradient`: values unchanged, gradients as they are said to be, and said to be surrogates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adcore import (
    RuleError,
    UnsupportedFunctionError,
    clip_gradient,
    grad,
    hessian,
    jit,
    jvp,
    program,
    stability,
    stop_gradient,
    truncate,
    value_and_grad,
    vmap,
)
from adcore.rules import surrogates

RNG = np.random.default_rng(3)


def recurrent(state, weights, inputs):
    """A recurrent network whose losses are summed up in the loop."""
    loss = 0.0
    for k in range(inputs.shape[0]):
        state = np.tanh(weights @ state + inputs[k])
        loss += np.sum(state**2)
    return loss


def recurrent_cut(state, weights, inputs, every):
    loss, count = 0.0, inputs.shape[0]
    for k in range(count):
        if k > 0 and (count - k) % every == 0:
            state = stop_gradient(state)
        state = np.tanh(weights @ state + inputs[k])
        loss += np.sum(state**2)
    return loss


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def logistic_while(x, r, n):
    k = 0
    while k < n:
        x = r * x * (1.0 - x)
        k += 1
    return x


def logistic_while_cut(x, r, n, every):
    k = 0
    while k < n:
        if k > 0 and k % every == 0:
            x = stop_gradient(x)
        x = r * x * (1.0 - x)
        k += 1
    return x


@pytest.mark.parametrize("every", [1, 2, 3, 7, 100])
def test_losses_in_the_loop_keep_their_gradients(every):
    arguments = RNG.normal(size=4), 0.5 * RNG.normal(size=(4, 4)), RNG.normal(size=(9, 4))
    value, gradients = value_and_grad(truncate(recurrent, every), argnums=(0, 1, 2))(*arguments)
    wanted = grad(recurrent_cut, argnums=(0, 1, 2))(*arguments, every)
    assert value == pytest.approx(recurrent(*arguments), rel=1e-13)
    for found, expected in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)
    if every > 9:
        np.testing.assert_array_equal(gradients[1], grad(recurrent, 1)(*arguments))


@pytest.mark.parametrize("every", [1, 4, 50])
def test_the_end_of_a_loop_sees_as_many_iterations(every):
    found = grad(truncate(logistic, every), 1)(0.3, 3.9, 30)
    start = logistic(0.3, 3.9, max(30 - every, 0))
    assert found == pytest.approx(grad(logistic, 1)(start, 3.9, min(every, 30)), rel=1e-13)
    assert truncate(logistic, every)(0.3, 3.9, 30) == logistic(0.3, 3.9, 30)


@pytest.mark.parametrize("every", [1, 4, 50])
def test_a_loop_of_unknown_length_is_cut_from_its_start(every):
    found = grad(truncate(logistic_while, every), (0, 1))(0.3, 3.9, 30)
    assert found == pytest.approx(grad(logistic_while_cut, (0, 1))(0.3, 3.9, 30, every), rel=1e-13)


def test_both_modes_agree():
    cut = truncate(logistic, 3)
    slope = grad(cut, 1)(0.3, 3.9, 20)
    assert jvp(lambda r: cut(0.3, r, 20), (3.9,), (1.0,))[1] == pytest.approx(slope, rel=1e-12)


def test_second_derivatives_are_those_of_the_last_iterations():
    start = logistic(0.3, 3.7, 8)
    assert grad(grad(truncate(logistic, 2), 1), 1)(0.3, 3.7, 10) == pytest.approx(
        grad(grad(logistic, 1), 1)(start, 3.7, 2), rel=1e-12
    )


def test_the_suggested_truncation_keeps_gradients_small():
    starts = RNG.uniform(0.1, 0.9, 50)
    every = stability(logistic)(0.3, 4.0, 1000).worst.truncation
    cut, whole = grad(truncate(logistic, every), 1), grad(logistic, 1)
    assert np.median([abs(cut(x, 4.0, 200)) for x in starts]) < 1e3
    assert np.median([abs(whole(x, 4.0, 200)) for x in starts]) > 1e50


def test_inside_of_other_functions():
    cut = truncate(logistic, 2)
    wanted = grad(cut, 1)(0.3, 3.9, 10)
    assert grad(lambda r: cut(0.3, r, 10))(3.9) == wanted
    assert grad(lambda r: jit(cut)(0.3, r, 10))(3.9) == wanted
    many = vmap(grad(cut, 1), in_axes=(0, None, None))(np.array([0.3, 0.4]), 3.9, 10)
    np.testing.assert_allclose(many, [wanted, grad(cut, 1)(0.4, 3.9, 10)], rtol=1e-13)


def nested(x, n):
    for _ in range(n):
        for _ in range(3):
            x = 1.1 * math.sin(x)
        x = x + 0.1
    return x


def test_loops_are_chosen_by_their_lines():
    line = nested.__code__.co_firstlineno
    outer, inner = (grad(truncate(nested, 1, lines=line + k))(0.5, 4) for k in (1, 2))
    assert grad(truncate(nested, 1))(0.5, 4) == outer == 0.0
    assert inner == 0.0
    assert grad(truncate(nested, 2, lines=line + 1))(0.5, 2) == grad(nested)(0.5, 2)
    with pytest.raises(UnsupportedFunctionError, match=f"no loop at line {line}"):
        truncate(nested, 1, lines=line)(0.5, 4)


def history(x, n):
    xs = np.zeros(n)
    xs[0] = x
    for k in range(1, n):
        xs[k] = 3.9 * xs[k - 1] * (1.0 - xs[k - 1])
    return np.sum(xs)


def in_place(x, n):
    state = np.array([x, 0.0])
    for _ in range(n):
        before = state[0]
        state[0] = math.sin(state[1])
        state[1] = before
    return state[0] + state[1]


def test_states_in_an_array_are_refused_where_they_cannot_be_told_apart():
    with pytest.raises(UnsupportedFunctionError, match="keeps its states in the array 'xs'") as caught:
        grad(truncate(history, 2))(0.3, 10)
    assert "xs[k] = 3.9" in str(caught.value)
    assert grad(truncate(in_place, 4))(0.3, 4) == grad(in_place)(0.3, 4)
    assert grad(truncate(in_place, 3))(0.3, 4) == 0.0


def test_what_is_cut_may_be_infinite():
    """A derivative that overflows before the cut leaves nothing behind."""

    def growing(x, n):
        for _ in range(n):
            x = 1e200 * x
            x = x * 1e-200
        return x

    assert grad(truncate(growing, 1))(1.0, 5) == 0.0


def test_surrogates_are_listed():
    found = surrogates(program(truncate(logistic, 2), 0.3, 3.9, 10))
    assert [name for name, _ in found] == ["truncate"]
    assert found[0][1].line == logistic.__code__.co_firstlineno + 1
    clipped = surrogates(program(lambda x: clip_gradient(x, 1.0), 0.3))
    assert [name for name, _ in clipped] == ["clip_gradient"]


def test_options_are_checked():
    for wrong in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match="truncate"):
            truncate(logistic, wrong)
    with pytest.raises(UnsupportedFunctionError, match="no loop"):
        truncate(lambda x: x * x, 2)(1.0)


# Clipping


def clipped_state(x, n, bound):
    for _ in range(n):
        x = clip_gradient(x, bound)
        x = 3.0 * x
    return x


def test_clipping_numbers_and_arrays():
    x = np.array([3.0, -0.1, -4.0])
    np.testing.assert_allclose(grad(lambda x: np.sum(clip_gradient(x, 1.0) ** 2))(x), [1.0, -0.2, -1.0])
    np.testing.assert_allclose(
        grad(lambda x: np.sum(clip_gradient(x, np.array([9.0, 0.1, 2.0])) ** 2))(x), [6.0, -0.1, -2.0]
    )
    scaled = grad(lambda x: np.sum(clip_gradient(x, 2.0, norm=True) ** 2))(x)
    np.testing.assert_allclose(scaled, 2.0 * x / np.linalg.norm(x))
    assert grad(lambda x: clip_gradient(x, 2.0, norm=True) ** 2)(3.0) == pytest.approx(2.0)
    assert clip_gradient(x, 1.0) is not None
    np.testing.assert_array_equal(jit(lambda x: clip_gradient(x, 1.0))(x), x)
    for norm in (False, True):
        single = grad(lambda x, norm=norm: np.sum(clip_gradient(x, 1.0, norm) ** 2))(x.astype(np.float32))
        assert single.dtype == np.float32
    assert grad(lambda x: clip_gradient(x, 1.0) ** 2)(np.float32(3.0)) == 1.0


def test_clipping_the_state_of_a_loop():
    assert grad(clipped_state)(1.0, 20, 10.0) == 10.0
    assert grad(clipped_state)(1.0, 2, 100.0) == 9.0
    assert grad(lambda b: clipped_state(1.0, 20, b))(10.0) == 0.0


def test_clipping_hides_no_nan_and_has_no_forward_mode():
    assert math.isnan(grad(lambda x: clip_gradient(x, 1.0) * math.nan)(1.0))
    with pytest.raises(RuleError, match="clip_gradient"):
        jvp(lambda x: clip_gradient(x, 1.0), (1.0,), (1.0,))


def test_second_derivatives_of_clipped_gradients():
    found = hessian(lambda x: np.sum(clip_gradient(x, 1.0) ** 2))
    del found
    assert grad(grad(lambda x: clip_gradient(x, 1.0) ** 2))(0.3) == 2.0
    assert grad(grad(lambda x: clip_gradient(x, 1.0) ** 2))(3.0) == 0.0

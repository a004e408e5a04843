"""`debug="nan"`: what made a number infinite or NaN is found, in the function or in its derivative."""

from __future__ import annotations

import inspect
import math
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from adcore import (
    AdcoreError,
    NonFiniteError,
    debug_nans,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    linearize,
    loop_policy,
    truncate,
    value_and_grad,
    vjp,
    vmap,
)


def raised(call, *arguments):
    """What a call raises, after the checks that hold for all."""
    with pytest.raises(NonFiniteError) as caught:
        call(*arguments)
    error = caught.value
    assert isinstance(error, FloatingPointError)
    assert isinstance(error, AdcoreError)
    assert all(origin.text in str(error) for origin in error.origins)
    return error


def line_of(origin):
    return origin.source.text.strip()


def root(x):
    return math.sqrt(x) * x


def test_the_adjoint_of_a_root_at_0():
    error = raised(grad(root, debug="nan"), 0.0)
    first, second = error.origins
    assert first.text == "div(0.5, 0) = inf"
    assert first.source.sweep == "adjoint"
    assert line_of(first) == "return math.sqrt(x) * x"
    assert first.source.text[first.source.column : first.source.end_column] == "math.sqrt(x)"
    assert second.text.endswith("= nan")
    assert str(error).splitlines()[0] == "grad of root: the result is nan"
    assert "in the adjoint of this line" in str(error)
    assert "^^^^^^^^^^^^" in str(error)


def test_finite_results_are_returned():
    for debugged, plain in ((grad(root, debug="nan"), grad(root)), (jit(root, debug="nan"), jit(root))):
        for x in (1.0, 4.0, np.float64(2.0)):
            assert debugged(x) == plain(x)
        assert debugged(3.0) == plain(3.0)
    assert jit(root, debug="nan")(0.0) == 0.0
    with pytest.raises(ValueError, match='there is "nan"'):
        grad(root, debug="inf")


def guarded(x):
    safe = x > 0.0
    return np.sum(np.where(safe, np.log(x), 0.0))


def test_where_does_not_hide_what_is_behind_it():
    """The trick that works for values, and not for derivatives; here masks are exact, so that it does."""
    x = np.array([1.0, 0.0, 2.0])
    assert jit(guarded, debug="nan")(x) == pytest.approx(math.log(2.0))
    np.testing.assert_allclose(grad(guarded, debug="nan")(x), [1.0, 0.0, 0.5])


def multiplied(x):
    mask = np.where(x > 0.0, 1.0, 0.0)
    return np.sum(mask * np.sqrt(x))


def test_0_times_infinity_in_an_adjoint():
    error = raised(grad(multiplied, debug="nan"), np.array([1.0, 4.0, 0.0]))
    first, second = error.origins
    assert first.text == "div(0.5, 0) = inf"
    assert first.element == (2,)
    assert (first.source.sweep, second.source.sweep) == ("adjoint", "adjoint")
    assert second.text == "mul(inf, 0) = nan" or second.text == "mul(0, inf) = nan"
    assert str(error).startswith("grad of multiplied: the result[2] is nan")
    assert "element [2]" in str(error)


def logarithm(x):
    return np.sum(np.log(x))


def exponential(x):
    return np.exp(x) / np.exp(x)


def quotient(x, y):
    return np.divide(x, y)


def difference(x):
    return np.sum(np.exp(x) - np.exp(x))


@pytest.mark.parametrize(
    ("f", "arguments", "texts"),
    [
        (logarithm, (np.array([1.0, 0.0]),), ["log(0) = -inf"]),
        (logarithm, (np.array([1.0, -1.0]),), ["log(-1) = nan"]),
        (exponential, (np.float64(1000.0),), ["exp(1000) = inf", "div(inf, inf) = nan"]),
        (quotient, (np.float64(0.0), np.float64(0.0)), ["div(0, 0) = nan"]),
        (difference, (np.array([1.0, 800.0]),), ["exp(800) = inf", "sub(inf, inf) = nan"]),
    ],
)
def test_what_is_born_in_the_function(f, arguments, texts):
    error = raised(jit(f, debug="nan"), *arguments)
    assert [origin.text for origin in error.origins] == texts
    assert all(origin.source.sweep == "" for origin in error.origins)
    assert line_of(error.origins[0]).startswith("return np.")
    if f is not quotient:
        raised(value_and_grad(f, debug="nan"), *arguments)


def overflowing(x, n):
    total = 0.0
    for _ in range(n):
        for _ in range(3):
            x = x * x
        total += x
    return total


def test_iterations_are_told():
    error = raised(jit(overflowing, debug="nan"), 3.0, 10)
    [origin] = error.origins
    assert line_of(origin) == "x = x * x"
    assert [i.number for i in origin.iterations] == [3, 0]
    start = overflowing.__code__.co_firstlineno
    assert [i.source.line - start for i in origin.iterations] == [2, 3]
    assert f"iteration 3 of the loop at line {start + 2}, iteration 0 of the loop at line {start + 3}" in str(error)


def with_a_root(x, values):
    for k in range(values.shape[0]):
        x = x + math.sqrt(values[k]) * x
    return x


def test_iterations_of_the_adjoint_are_those_of_the_function():
    values = np.array([1.0, 2.0, 0.0, 3.0, 4.0])
    [iteration] = raised(grad(with_a_root, 1, debug="nan"), 1.0, values).origins[0].iterations
    assert (iteration.number, iteration.kind) == (2, "iteration")
    forward = jvp(grad(with_a_root, 1), debug="nan")
    [iteration] = raised(forward, (1.0, values), (1.0, values)).origins[0].iterations
    assert (iteration.number, iteration.kind) == (2, "iteration")
    for policy, kinds in (
        (loop_policy(2), ["part", "step"]),
        (loop_policy("revolve", snapshots=2), ["step"]),
    ):
        with policy:
            origin = raised(grad(with_a_root, 1, debug="nan"), 1.0, values).origins[0]
        assert origin.text == "div(0.5, 0) = inf"
        assert [i.kind for i in origin.iterations] == kinds
        assert origin.source.sweep == "adjoint"
    assert grad(with_a_root, debug="nan")(1.0, values) > 0.0


def until(x):
    k = 0
    while x > -5.0:
        x = x - 1.0
        if k > 3:
            x = x + math.log(x + 2.0 - x - 2.0)
        k += 1
    return x


def diverging(x):
    k = 0
    while k < 20:
        if k >= 4:
            x = 1e200 * x * 1e200
        k += 1
    return x


def test_loops_of_unknown_length_and_branches():
    error = raised(jit(diverging, debug="nan"), 1.0)
    assert [i.number for i in error.origins[0].iterations] == [4]
    assert line_of(error.origins[0]) == "x = 1e200 * x * 1e200"
    with pytest.raises(ValueError, match=r"math domain error|expected a positive input"):
        jit(until, debug="nan")(1.0)


# What was given is not told of


def test_what_was_in_the_arguments_is_returned():
    assert math.isnan(jit(root, debug="nan")(math.nan))
    assert jit(lambda x: x * 2.0, debug="nan")(math.inf) == math.inf
    assert jit(lambda x, y: np.minimum(x, y), debug="nan")(np.inf, np.inf) == np.inf
    found = jit(lambda x: x + 1.0, debug="nan")(np.array([1.0, np.nan]))
    np.testing.assert_array_equal(found, [2.0, np.nan])
    assert jit(lambda x: np.inf, debug="nan")(1.0) == np.inf


def test_a_nan_that_an_infinite_argument_turns_into_is_told():
    error = raised(jit(lambda x: x - x, debug="nan"), math.inf)
    assert error.origins[-1].text == "sub(inf, inf) = nan"
    both = raised(jit(lambda x: np.log(x), debug="nan"), np.array([np.nan, 0.0]))
    assert both.origins[0].element == (1,)


# Transforms


def cube_root(x):
    return np.sum(np.abs(x) ** (1.0 / 3.0))


@pytest.mark.parametrize(
    ("call", "sweep"),
    [
        (lambda x: grad(multiplied, debug="nan")(x), "adjoint"),
        (lambda x: value_and_grad(multiplied, debug="nan")(x), "adjoint"),
        (lambda x: jvp(multiplied, (x,), (np.ones(3),), debug="nan"), "tangent"),
        (lambda x: jvp(multiplied, debug="nan")((x,), (np.ones(3),)), "tangent"),
        (lambda x: vjp(multiplied, x, debug="nan")[1](1.0), "adjoint"),
        (lambda x: linearize(multiplied, x, debug="nan")[1](np.ones(3)), "tangent"),
        (lambda x: jacfwd(multiplied, debug="nan")(x), "tangent"),
        (lambda x: jacrev(multiplied, debug="nan")(x), "adjoint"),
        (lambda x: jacobian(multiplied, debug="nan")(x), "adjoint"),
        (lambda x: vmap(grad(root), debug="nan")(x), "adjoint"),
        (lambda x: jit(grad(multiplied), debug="nan")(x), "adjoint"),
        (lambda x: jit(grad(multiplied, debug="nan"))(x), "adjoint"),
    ],
)
def test_transforms(call, sweep):
    error = raised(call, np.array([1.0, 4.0, 0.0]))
    assert error.origins[0].source.sweep == sweep
    assert error.origins[0].text == "div(0.5, 0) = inf"


def test_second_derivatives():
    x = np.array([1.0, 0.0])
    for call in (hessian(multiplied, debug="nan"), lambda x: hvp(multiplied, (x,), (np.ones(2),), debug="nan")):
        assert raised(call, x).origins[0].source.sweep in ("tangent", "tangent of the adjoint")

    def smooth(x):
        return x**1.5

    assert grad(smooth, debug="nan")(0.0) == 0.0
    second = raised(grad(grad(smooth), debug="nan"), 0.0)
    assert second.origins[0].source.sweep.startswith("adjoint")
    assert line_of(second.origins[0]) == "return x**1.5"


def test_a_linear_map_is_checked_only_where_it_is_called():
    x = np.array([1.0, 0.0])
    value, pullback = vjp(lambda x: np.sqrt(x), x, debug="nan")
    np.testing.assert_array_equal(value, [1.0, 0.0])
    assert raised(pullback, np.ones(2)).origins[0].element == (1,)
    value, pullback = vjp(lambda x: np.sqrt(x) + 1.0, np.array([1.0, 4.0]), debug="nan")
    np.testing.assert_array_equal(pullback(np.ones(2))[0], [0.5, 0.25])


def test_the_place_in_a_structure_is_told():
    def f(x):
        return {"first": x, "second": (x, np.log(x))}

    assert "the result['second'][1][0] is infinite" in str(raised(jit(f, debug="nan"), np.array([0.0, 1.0])))


def test_arguments_that_are_written_into():
    def f(x):
        x[0] = math.exp(x[0] * 1e3 if x[0] < 0.7 else 0.0)
        x[1] = np.log(x[1])
        return x[0]

    x = np.array([0.5, 0.0])
    error = raised(jit(f, debug="nan"), x)
    assert error.origins[0].text == "log(0) = -inf"


def test_truncated_and_random_functions():
    def f(x, n):
        for _ in range(n):
            x = math.sqrt(x) * 0.0
        return x

    raised(grad(truncate(f, 3), debug="nan"), 1.0, 3)
    assert grad(truncate(f, 1), debug="nan")(1.0, 3) == 0.0  # it is cut

    def drawn(generator, x):
        return generator.normal() * np.log(x)

    generator = np.random.default_rng(0)
    state = np.random.default_rng(0)
    checked = jit(drawn, debug="nan")
    assert checked(generator, np.float64(2.0)) == drawn(state, np.float64(2.0))
    error = raised(checked, generator, np.float64(0.0))
    assert error.origins[0].text == "log(0) = -inf"


# How it is switched on


def test_a_context_has_all_calls_checked():
    slope = grad(root)
    assert math.isnan(slope(0.0))
    with debug_nans():
        raised(slope, 0.0)
        raised(slope, 0.0)
        with debug_nans(False):
            assert math.isnan(slope(0.0))
        assert slope(4.0) == 3.0
        raised(lambda: vjp(multiplied, np.array([1.0, 0.0]))[1](1.0))
    assert math.isnan(slope(0.0))


def test_the_environment_has_all_calls_checked(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(
        textwrap.dedent(
            """
            import math
            from adcore import NonFiniteError, grad
            def f(x):
                return math.sqrt(x) * x
            for _ in range(3):
                try:
                    print(grad(f)(0.0))
                except NonFiniteError as error:
                    print(error.origins[0].text)
            """
        )
    )
    for value, expected in (("nan", "div(0.5, 0) = inf"), ("", "nan")):
        environment = os.environ | {"ADCORE_DEBUG": value}
        ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, env=environment)
        assert ran.stdout.splitlines() == [expected] * 3
    wrong = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, check=False, env=os.environ | {"ADCORE_DEBUG": "x"}
    )
    assert "is not a way to debug" in wrong.stderr


def test_all_transforms_have_the_option():
    for transform in (jit, grad, value_and_grad, jvp, vjp, linearize, jacfwd, jacrev, jacobian, hessian, hvp, vmap):
        assert "debug" in inspect.signature(transform).parameters


def test_inside_of_compiled_functions_the_option_says_nothing():
    def inner(x):
        first = grad(root, debug="nan")(x)
        _, second = jvp(root, (x,), (1.0,), debug="nan")
        value, pullback = vjp(root, x, debug="nan")
        return first + second + pullback(1.0)[0] + jit(root, debug="nan")(x) + value

    assert jit(inner)(4.0) == pytest.approx(25.0)
    assert math.isnan(jit(inner)(0.0))
    raised(jit(inner, debug="nan"), 0.0)

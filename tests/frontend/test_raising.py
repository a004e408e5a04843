"""Functions that raise: where Python would, what Python would, and no sooner."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import grad, jit


def fail(message="no"):
    raise ValueError(message)


def checked(x):
    if x < 0.0:
        fail("negative")
    return x


def conditional(x):
    return x * x if x > 0.0 else fail()


def short_circuit(x):
    return (x > 0.0 or fail()) * x


def in_an_operand(x):
    y = x
    if x > 2.0:
        y = fail("large") * x
    return y * y


def in_a_loop(x):
    total = 0.0
    for k in range(x.shape[0]):
        total += x[k] if x[k] > 0.0 else fail()
    return total


def in_a_loop_test(x):
    while x < 1.0 or fail():
        x = x * 2.0
    return x


def nested(x):
    def inner(y):
        return checked(y) * y

    return inner(x) + inner(2.0 * x)


def after_a_write(x):
    y = np.zeros(2)
    y[0] = x
    if x > 0.0:
        y[1] = checked(-x)
    return y[0] * y[0] + y[1]


def always(x):
    return fail("always") + x


SCALARS = [-1.0, 0.5, 1.0, 3.0]
CASES = [
    *((f, v) for f in (checked, conditional, short_circuit, in_an_operand, nested, after_a_write) for v in SCALARS),
    (in_a_loop, np.array([1.0, 2.0])),
    (in_a_loop, np.array([1.0, -2.0])),
    (in_a_loop_test, 0.3),
]


@pytest.mark.parametrize(("function", "argument"), CASES)
def test_raises_as_python_does(function, argument):
    try:
        expected = function(argument)
    except ValueError as error:
        for transform in (jit, grad):
            with pytest.raises(ValueError, match=str(error)):
                transform(function)(argument)
    else:
        assert jit(function)(argument) == expected
        grad(function)(argument)


def test_a_function_that_always_raises_has_no_gradient_but_compiles():
    with pytest.raises(ValueError, match="always"):
        jit(always)(1.0)


@pytest.mark.parametrize(
    ("function", "gradient"), [(conditional, 4.0), (nested, 20.0), (in_an_operand, 4.0), (short_circuit, 1.0)]
)
def test_the_path_that_does_not_raise_is_differentiated(function, gradient):
    assert grad(function)(2.0) == gradient

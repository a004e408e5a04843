"""Functions that raise: where Python would, what Python would, and no sooner."""

from __future__ import annotations

import re

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


def zipped_strictly(arrays):
    total = 0.0
    for a, b, c in zip(arrays[0], arrays[1], arrays[2], strict=True):
        total += a * b * c
    return total


def zipped_strictly_until(arrays):
    total = 0.0
    for k, (a, b) in enumerate(zip(arrays[0], arrays[1], strict=True)):
        if k == arrays[2].shape[0]:
            break
        total += a * b * b
    else:
        total *= 2.0
    return total


def zipped_strictly_in_a_list(arrays):
    products = [a * b for a, b in zip(arrays[0], arrays[1], strict=True)]
    return sum(products) + sum(a * b for a, b in zip(arrays[1], arrays[2], strict=len(arrays) > 0))


def zipped_strictly_unrolled(arrays):
    firsts, seconds = [arrays[0][0], 2.0, arrays[1][0]], [arrays[2][0], 3.0]
    if len(arrays) > 3:
        seconds.append(1.0)
    return sum([a * b for a, b in zip(firsts, seconds, strict=True)])


ARRAYS = np.array([2.0, -1.0, 3.0]), np.array([1.0, 0.5, 4.0]), np.array([3.0, -2.0, 1.5])
LENGTHS = [
    tuple(a[:n] for a, n in zip(ARRAYS, lengths, strict=True))
    for lengths in ((3, 3, 3), (2, 3, 3), (3, 2, 3), (3, 3, 2), (3, 2, 1), (2, 3, 1), (2, 2, 0), (3, 3, 1))
]
SCALARS = [-1.0, 0.5, 1.0, 3.0]
CASES = [
    *((f, v) for f in (checked, conditional, short_circuit, in_an_operand, nested, after_a_write) for v in SCALARS),
    (in_a_loop, np.array([1.0, 2.0])),
    (in_a_loop, np.array([1.0, -2.0])),
    (in_a_loop_test, 0.3),
    *((f, a) for f in (zipped_strictly, zipped_strictly_until, zipped_strictly_in_a_list) for a in LENGTHS),
    *((zipped_strictly_unrolled, a) for a in (ARRAYS, (*ARRAYS, 1.0))),
]


@pytest.mark.parametrize(("function", "argument"), CASES)
def test_raises_as_python_does(function, argument):
    try:
        expected = function(argument)
    except ValueError as error:
        for transform in (jit, grad):
            with pytest.raises(ValueError, match=re.escape(str(error))):
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


def keeps_arrays(x, n):
    y, arrays, numbers = np.array([x, x]), [np.array([x, x])], [x]
    for _ in range(n):
        if x < 1.0:
            arrays.append(y.copy())
        y = np.array(numbers)
    return np.sum(arrays[-1])


@pytest.mark.parametrize("compiled", [jit(keeps_arrays), grad(keeps_arrays)], ids=["jit", "grad"])
def test_arrays_of_several_shapes_in_a_list_that_grows(compiled):
    """Python keeps them; this is a limit, which says what it is."""
    assert compiled(0.5, 1) in (1.0, 2.0)
    with pytest.raises(ValueError, match="known at run time only have one shape, and an axis of 1 meets one of 2"):
        compiled(0.5, 2)

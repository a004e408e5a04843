"""Finding the source of functions, wherever they are written."""

from __future__ import annotations

import functools
import linecache

import numpy as np
import pytest
from adcore_python import PythonFrontend

from adcore.plugins import Guard, Leaf, Lowered, Spec, Static
from adcore.types import DType

from .conftest import filled, interpret, lower, run, same, spec_of

FACTOR = 3.0
ARRAY = np.array([1.0, 2.0])

PAIR = (lambda x: x + 1, lambda x: x * 10)
NESTED = lambda x: (lambda y: y * x)(x + 1)  # noqa: E731
SPREAD = ((lambda x: x - 1),)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (PAIR[0], 3.0),
        (PAIR[1], 20.0),
        (NESTED, 6.0),
        (SPREAD[0], 1.0),
        ((lambda x: x / 2), 1.0),
        ((lambda x: -x), -2.0),
    ],
)
def test_lambdas(function, expected):
    assert run(function, 2.0) == expected


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def unchanged(function):
    return function


@unchanged
@unchanged
def below_decorators(x):
    """Text with a

    blank line.
    """
    return x * FACTOR  # the last line


def with_long_call(x):
    return max(
        x,
        1.0,
    )


class Scaler:
    def __init__(self, factor):
        self.factor = factor

    def method(self, x):
        return x * self.factor

    @staticmethod
    def static(x):
        return x + 1

    @classmethod
    def of_class(cls, x):
        return x + 2


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (below_decorators, 6.0),
        (with_long_call, 2.0),
        (Scaler(4.0).method, 8.0),
        (Scaler.static, 3.0),
        (Scaler.of_class, 4.0),
        (functools.partial(Scaler.static), 3.0),
        (functools.partial(lambda a, x: a - x, 5.0), 3.0),
    ],
)
def test_callables(function, expected):
    assert run(function, 2.0) == expected


def test_registered_source():
    text = "def made(x):\n    return x * 7\n"
    linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(True), "<cell 1>")
    namespace: dict = {}
    exec(compile(text, "<cell 1>", "exec"), namespace)
    assert run(namespace["made"], 2.0) == 14.0


def test_captures_are_read_at_every_call():
    def closed():
        rate = 2.0

        def function(x):
            return x * rate * FACTOR + ARRAY[1] * rate

        def change(value):
            nonlocal rate
            rate = value

        return function, change

    function, change = closed()
    lowered = lower(function, 1.0)
    assert [c.name for c in lowered.captures] == ["rate", "FACTOR", "ARRAY"]
    assert lowered.captures[0].spec == Spec(DType.F64, (), True)
    change(5.0)
    found = interpret(lowered.program, [1.0, *(c.read() for c in lowered.captures)])
    assert found == (function(1.0),)


def _helper(x):
    return x + 1


def test_helpers_are_guarded():
    lowered = lower(lambda x: _helper(x), 1.0)
    assert lowered.guards == (Guard("_helper", globals(), _helper),)
    assert lowered.guards[0].holds()


class Doubling:
    """A function that was lowered by itself, as adcore's transforms are."""

    def __init__(self, function):
        self.function = function

    def __adcore_lower__(self, arguments) -> Lowered:
        return PythonFrontend().lower(self.function, arguments)

    def __call__(self, *args):
        return self.function(*args)


def _kernel(x, c):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * FACTOR
    return s * c, x * c


DOUBLING = Doubling(_kernel)


def test_transformed_functions_are_inlined():
    def outer(x, n):
        total = 0.0
        for i in range(n):
            s, y = DOUBLING(x, 2.0 + i)
            total += s + y[0]
        return total

    x = np.array([1.0, 4.0])
    same(run(outer, x, 3), outer(x, 3))


def test_structures():
    def function(point, table, mode):
        a, (b, c) = point
        return {"sum": a + b * c[0], "mode": mode, "w": table["w"] * 2}

    arguments = ((1.0, (2.0, np.array([3.0, 4.0]))), {"w": np.array([5.0])}, "fast")
    lowered = lower(function, *arguments)
    assert lowered.result == {"sum": Leaf(0), "mode": Static("fast"), "w": Leaf(1)}
    same(run(function, *arguments), function(*arguments))


def test_variadic_parameters():
    def function(x, *more, scale, **named):
        return x * scale + more[0] + named["bias"]

    specs = (spec_of(2.0), (spec_of(3.0), spec_of(4.0)), spec_of(10.0), {"bias": spec_of(0.5)})
    lowered = PythonFrontend().lower(function, specs)
    found = interpret(lowered.program, [2.0, 3.0, 4.0, 10.0, 0.5])
    assert filled(lowered.result, found) == 23.5


def test_static_arguments():
    def function(x, n):
        return x if n == 3 else -x

    lowered = PythonFrontend().lower(function, (spec_of(2.0), Static(3)))
    assert not lowered.program.equations

"""Finding the source of functions, wherever they are written."""

from __future__ import annotations

import functools
import importlib.util
import linecache
import os
import types

import numpy as np
import pytest
from adcore_python import PythonFrontend

from adcore.errors import UnsupportedFunctionError, UnsupportedSyntaxError
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


# Where functions are written


def registered(text, name, **names):
    """What a notebook does with a cell: the source is put where tracebacks look for it."""
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace = {"np": np, "functools": functools, **names}
    exec(compile(text, name, "exec"), namespace)
    return namespace


@pytest.mark.parametrize("name", ["<ipython-input-3-0123456789ab>", "/tmp/ipykernel_71/123.py", "<python-input-0>"])
def test_notebook_cells(name):
    cell = "k = 2.0\n\ndef f(x):\n    # a comment\n    return x * k\ng = lambda x: f(x) + 1\n"
    cells = registered(cell, name)
    assert run(cells["f"], 3.0) == 6.0
    assert run(cells["g"], 3.0) == 7.0


LAMBDAS = {"one": lambda x: x + 1, "two": lambda x: x + 2, "same": (lambda x: x + 1, lambda y: y + 1)}
SCALED = [lambda x, k=k: x * k for k in (2.0, 3.0)]
CLOSED = [(lambda k: lambda x: x * k)(k) for k in (2.0, 3.0)]  # noqa: B023
LONG = (  # noqa: E731
    lambda x, y=2.0: (
        x
        # a comment with a lambda: lambda x: x
        + y * (lambda z: z + 1)(
            x
        )
    )
)  # fmt: skip


def with_default(x, f=lambda y: y * 5):
    return f(x)


def through(function):
    return lambda g: lambda x: function(g(x))


@through(lambda x: x + 100)
def decorated_by_lambda(x):
    return x * 2


@functools.cache
def cached(x):
    return x * 3


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (LAMBDAS["one"], 3.0),
        (LAMBDAS["two"], 4.0),
        (LAMBDAS["same"][1], 3.0),
        (functools.partial(SCALED[1]), 6.0),
        (CLOSED[0], 4.0),
        (CLOSED[1], 6.0),
        (functools.partial(LONG), 8.0),
        (functools.partial(with_default), 10.0),
        (decorated_by_lambda, 104.0),
        (decorated(decorated(lambda x: x - 1)), 1.0),
        (Scaler(3.0).static, 3.0),
        (Scaler(3.0).of_class, 4.0),
        (functools.partial(Scaler.method, Scaler(2.0)), 4.0),
    ],
)
def test_wherever_functions_are_written(function, expected):
    def calling(x):
        return function(x)

    assert run(calling, 2.0) == expected


def test_decorators_inside():
    def function(x):
        def doubled(g):
            @functools.wraps(g)
            def wrapper(y):
                return 2 * g(y)

            return wrapper

        @doubled
        @doubled
        def inner(y):
            return y * x

        return inner(x)

    assert run(function, 3.0) == 36.0


class Outer:
    __scale = 2.0

    class Inner:
        __scale = 5.0

        def method(self, x):
            return x * self.__scale

    def private(self, x):
        return self.__twice(x)

    def __twice(self, x):
        return x * 2


def test_private_names():
    assert run(Outer.Inner().method.__func__.__get__(InnerWithOwn()), 2.0) == 14.0
    assert run(Outer().private, 3.0) == 6.0


class InnerWithOwn(Outer.Inner):
    def __init__(self):
        self._Inner__scale = 7.0


CHANGES = {
    "another body": "def f(x):\n    y = x * 3\n    return y\n",
    "another operator": "def f(x):\n    y = x + 2\n    return y\n",
    "a line more": "def f(x):\n    y = x * 2\n    y = y + 1\n    return y\n",
    "a line less": "def f(x):\n    return x\n",
    "moved down": "# a comment\ndef f(x):\n    y = x * 2\n    return y\n",
    "another parameter": "def f(z):\n    y = z * 2\n    return y\n",
    "another function": "def g(x):\n    y = x * 2\n    return y\n",
    "not Python": "def f(x:\n",
    "nothing": "",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("form", ["def", "lambda"])
def test_a_file_that_changed(tmp_path, change, form):
    before, after = "def f(x):\n    y = x * 2\n    return y\n", CHANGES[change]
    if form == "lambda":
        before, after = "f = lambda x: x * 2\n", after.replace("y = ", "f = lambda x: ").replace("def f(x):\n    ", "")
    path = tmp_path / "module.py"
    path.write_text(before)
    spec = importlib.util.spec_from_file_location("changed_module", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text(after)
    os.utime(path, (1, 1))
    with pytest.raises(UnsupportedFunctionError, match=r"has changed since|cannot be read") as caught:
        PythonFrontend().lower(module.f, (spec_of(2.0),))
    assert caught.value.source is not None
    assert caught.value.source.file == str(path)


def test_a_file_that_changed_elsewhere(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("def f(x):\n    return x * 2\n")
    spec = importlib.util.spec_from_file_location("changed_module", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("def f(x):\n    return x * 2\n\n\ndef g(x):\n    return 3\n")
    os.utime(path, (1, 1))
    assert run(module.f, 2.0) == 4.0


def test_no_source_at_all():
    namespace = {}
    exec("def made(x):\n    return x", namespace)
    made = namespace["made"]

    def calling(x):
        return made(x)

    with pytest.raises(UnsupportedFunctionError, match="source of function 'made' cannot be read") as caught:
        lower(calling, 1.0)
    assert caught.value.source.text.strip() == "return made(x)"


def generator(x):
    if x is None:
        yield x
    return x


async def coroutine(x):
    return x


@pytest.mark.parametrize("function", [generator, coroutine])
def test_generators_and_coroutines(function):
    with pytest.raises((UnsupportedSyntaxError, UnsupportedFunctionError), match=r"generator|async"):
        PythonFrontend().lower(function, (spec_of(1.0),))


def asserting(x):
    assert x > 0, f"not positive: {x}"
    y = x * 2
    assert y > x
    return y


def test_assertions_that_pytest_rewrote():
    assert run(asserting, 2.0) == 4.0


def test_without_columns():
    code = registered("def f(x):\n    return x * 2 + 1\n", "<no columns>")["f"].__code__
    plain = types.FunctionType(code.replace(co_linetable=bytes(_lines_only(code))), {})
    assert run(plain, 2.0) == 5.0


def _lines_only(code):
    """A table of lines without columns, as `python -X no_debug_ranges` leaves it."""
    line = code.co_firstlineno
    for _, end, number in code.co_lines():
        start = _
        units, delta = (end - start) // 2, (number or line) - line
        line = number or line
        while units:
            part = min(units, 8)
            yield 0x80 | (13 << 3) | (part - 1)
            value = (delta << 1) if delta >= 0 else ((-delta << 1) | 1)
            assert value < 64
            yield value
            delta = 0
            units -= part

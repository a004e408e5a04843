"""Recursion, unrolling and sizes have bounds, and say so."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from adcore_python import PythonFrontend

from adcore import jit
from adcore.errors import UnsupportedFunctionError, UnsupportedSyntaxError
from adcore.plugins import Static

from .conftest import lower, run, spec_of


def power(n, x):
    return x if n == 0 else power(n - 1, x) * x


def fibonacci(n, x):
    return x if n < 2 else fibonacci(n - 1, x) + fibonacci(n - 2, x)


def even(n, x):
    return x if n == 0 else odd(n - 1, x)


def odd(n, x):
    return -x if n == 0 else even(n - 1, x)


@pytest.mark.parametrize("function", [power, fibonacci, even])
def test_recursion_with_an_end_known_at_run_time_only(function):
    limit = sys.getrecursionlimit()
    with pytest.raises(UnsupportedFunctionError, match="levels deep") as caught:
        lower(function, 3, 2.0)
    source = caught.value.source
    assert source is not None
    assert f"{source.function!r}" in str(caught.value) or source.function in ("even", "odd")
    assert source.file == __file__
    assert source.line == power.__code__.co_firstlineno + 1 or function is not power
    assert sys.getrecursionlimit() == limit


def test_recursion_with_a_constant_end():
    assert run(lambda x: power(40, x), 1.01) == pytest.approx(1.01**41)
    assert run(lambda x: fibonacci(10, x), 1.0) == 89.0
    lowered = PythonFrontend().lower(even, (Static(7), spec_of(2.0)))
    assert [e.primitive.name for e in lowered.program.equations] == ["neg"]


def repeated(x):
    s = 0.0
    for _ in [0] * 10**6:
        s += x
    return s


def many_calls(x):
    return fibonacci(40, x)


def long_comprehension(x):
    return sum([x * k for k in (1,) * 10**6])


def nested_loops(x):
    for _ in (1,) * 200:
        for _ in (1,) * 200:
            for _ in (1,) * 200:
                x = x + 1
    return x


@pytest.mark.parametrize("function", [repeated, many_calls, long_comprehension, nested_loops])
def test_unrolling_is_bounded(function, monkeypatch):
    monkeypatch.setattr("adcore_python.lowering.WORK", 20_000)
    with pytest.raises(UnsupportedSyntaxError, match="unrolls into too many operations") as caught:
        lower(function, 1.0)
    assert caught.value.source is not None


class Proxy:
    def __getattr__(self, name):
        return getattr(self, name + "_")

    @property
    def failing(self):
        raise KeyError("file")


PROXIES = (Proxy(),)  # in a tuple, because doctest asks every global for its attributes


def test_attributes_that_raise():
    with pytest.raises(UnsupportedSyntaxError, match="raises RecursionError"):
        lower(lambda x: PROXIES[0].anything * x, 1.0)
    with pytest.raises(KeyError, match="file"):
        jit(lambda x: PROXIES[0].failing * x)(1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda n, m: np.zeros((n, m)),
        lambda n, m: np.ones((n, m)),
        lambda n, m: np.full((n, 2, m), 1.5),
        lambda n, m: np.empty((n, m)),
        lambda n, m: np.eye(n, m),
        lambda n, m: np.broadcast_to(1.5, (n, m)),
    ],
)
@pytest.mark.parametrize(("n", "m"), [(2**40, 2**40), (0, 2**63 - 1), (2**31, 2**32)])
def test_too_big(make, n, m):
    with pytest.raises(ValueError, match=r"too (big|large)|larger than the maximum|iterator is too large"):
        make(n, m)
    with pytest.raises(ValueError, match="array is too big"):
        run(make, n, m)
    assert run(make, 0, 3).size == 0


def test_sizes_that_need_no_check():
    def function(x, n):
        return np.zeros((3, 4)).sum() + np.zeros_like(x).sum() + np.zeros(abs(n)).sum()

    names = [e.params.get("message", "") for e in lower(function, np.ones(3), 2).program.equations]
    assert not any("too big" in n for n in names)

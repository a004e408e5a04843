"""Imports inside of functions."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from adcore import grad, jit
from adcore.errors import UnsupportedSyntaxError


def whole(x):
    import math

    return math.sin(x)


def parts(x):
    from math import cos
    from math import sin as s

    return s(x) * cos(x)


def dotted(x):
    import scipy.linalg
    import scipy.special as special

    return special.erf(x) * scipy.linalg.det(np.eye(2) * x)


def submodule(x):
    from scipy import special

    return special.erf(x)


def in_a_loop(x):
    for _ in range(3):
        import math

        x = math.sin(x)
    return math.cos(x)


def in_a_branch(x):
    if x > 0.0:
        from math import sin

        x = sin(x)
    return x * x


def for_an_inner_function(x):
    import math

    def inner(y):
        return math.exp(y)

    return inner(x)


@pytest.mark.parametrize(
    "function",
    [whole, parts, dotted, submodule, in_a_loop, in_a_branch, for_an_inner_function],
    ids=lambda f: f.__name__,
)
def test_what_is_imported_is_what_it_is_at_the_top_of_a_file(function):
    assert math.isclose(jit(function)(0.5), function(0.5), rel_tol=1e-14)
    quotient = (function(0.5 + 1e-6) - function(0.5 - 1e-6)) / 2e-6
    assert math.isclose(grad(function)(0.5), quotient, rel_tol=1e-8)


def test_modules_of_the_user(tmp_path, monkeypatch):
    (tmp_path / "constants_of_mine.py").write_text("SCALE = 2.0\n\ndef square(x):\n    return x * x * SCALE\n")
    monkeypatch.syspath_prepend(tmp_path)

    def function(x):
        from constants_of_mine import SCALE, square

        return square(x) + SCALE

    derivative = grad(function)
    assert derivative(3.0) == 12.0
    sys.modules["constants_of_mine"].SCALE = 5.0
    assert derivative(3.0) == 30.0, "a number is read at every call"


def no_module(x):
    import there_is_none

    return there_is_none.f(x)


def no_name(x):
    from math import sine

    return sine(x)


@pytest.mark.parametrize(
    ("function", "message"),
    [(no_module, "No module named 'there_is_none'"), (no_name, "cannot import name 'sine' from 'math'")],
)
def test_what_cannot_be_imported(function, message):
    with pytest.raises(UnsupportedSyntaxError, match=message) as caught:
        grad(function)(0.5)
    assert "import" in str(caught.value).splitlines()[2]

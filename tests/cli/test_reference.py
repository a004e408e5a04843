"""The reference of the selftest: its functions against mpmath, its derivatives against closed forms, its bounds."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random

import mpmath
import numpy as np
import pytest

from adcore.selftest import decimals
from adcore.selftest.duals import CloseCallError, Dual
from adcore.selftest.reference import exact
from adcore.selftest.workers import generated

HEAD = "import math\nimport numpy as np\n"
FUNCTIONS = {
    "sin": (mpmath.sin, lambda x: decimals.sincos(x)[0]),
    "cos": (mpmath.cos, lambda x: decimals.sincos(x)[1]),
    "tanh": (mpmath.tanh, decimals.tanh),
    "atan": (mpmath.atan, decimals.atan),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_all_digits(name):
    theirs, ours = FUNCTIONS[name]
    choices = Random(name)
    with mpmath.workdps(70), localcontext(decimals.CONTEXT):
        for x in [0.0, 1e-9, -0.7, 0.75, -1.6, 3.0, 12.5, -100.25, *(choices.uniform(-8, 8) for _ in range(50))]:
            gap = mpmath.mpf(str(ours(Decimal(x)))) - theirs(mpmath.mpf(x))
            assert abs(gap) < mpmath.mpf(10) ** -47


METHODS = {
    "sin": lambda m, x: (m.sin(x), m.cos(x)),
    "cos": lambda m, x: (m.cos(x), -m.sin(x)),
    "tanh": lambda m, x: (m.tanh(x), 1 / m.cosh(x) ** 2),
    "exp": lambda m, x: (m.exp(x), m.exp(x)),
    "log": lambda m, x: (m.log(x), 1 / x),
    "sqrt": lambda m, x: (m.sqrt(x), 1 / (2 * m.sqrt(x))),
    "arctan": lambda m, x: (m.atan(x), 1 / (1 + x * x)),
}


@pytest.mark.parametrize("name", METHODS)
def test_slopes_are_derivatives(name):
    with mpmath.workdps(70), localcontext(decimals.CONTEXT):
        for x in (0.3, 0.9, 1.7, 4.1):
            found = getattr(Dual(Decimal(x), Decimal(1)), name)()
            value, slope = METHODS[name](mpmath, mpmath.mpf(x))
            assert abs(mpmath.mpf(str(found.value)) - value) < mpmath.mpf(10) ** -45
            assert abs(mpmath.mpf(str(found.tangent)) - slope) < mpmath.mpf(10) ** -45


def run(body, arguments, along):
    return exact(f"{HEAD}\ndef f(*v):\n    {body}\n", arguments, along)


@pytest.mark.parametrize(
    "body",
    [
        "a, b = v; return a * b - a / b + (a - b) ** 3",
        "a, b = v; return abs(-a) + 2 - max(a, b) - b**-2",
    ],
)
def test_rational_programs_are_exact(body):
    a, b = (Dual(Fraction(x), Fraction(t)) for x, t in ((1.5, 1.0), (2.0, 0.0)))
    namespace = {}
    exec(f"def f(*v):\n    {body}\n", namespace)
    found = namespace["f"](a, b)
    x, y, t = Fraction(3, 2), Fraction(2), Fraction(1)
    if "max" in body:
        assert (found.value, found.tangent) == (x + 2 - y - 1 / y**2, t)
    else:
        assert (found.value, found.tangent) == (x * y - x / y + (x - y) ** 3, y - 1 / y + 3 * (x - y) ** 2)
    assert run(body, (1.5, 2.0), (1.0, 0.0)).field == "Fraction"


def test_arrays_share_memory_as_numpy_arrays_do():
    body = "x, = v; y = x[1:]; y[0] = y[1] * x[0]; x[2] = math.sin(x[1]); return np.sum(x @ x)"
    x = np.array([0.5, 0.25, 2.0])
    found = run(body, (x,), (np.array([1.0, 0.0, 0.0]),))
    y = 2.0 * 0.5
    assert found.value == pytest.approx(0.25 + y * y + math.sin(y) ** 2, rel=1e-15)
    assert found.slope == pytest.approx(2 * 0.5 + 2 * y * 2.0 + 2 * math.sin(y) * math.cos(y) * 2.0, rel=1e-15)


def test_a_comparison_within_rounding_is_refused():
    with pytest.raises(CloseCallError):
        run("a, b = v; return a if a * b / b == a else b", (0.3, 0.7), (1.0, 0.0))


def test_a_comparison_of_what_is_exact_is_decided():
    assert run("a, b = v; return a * b if a == b else a", (0.5, 0.5), (1.0, 0.0)).slope == 0.5


def test_bounds_hold_and_are_tight():
    """Plain Python is within the bound of its value, and the bound is a few thousand units, not a millionth."""
    tight = 0
    for k in range(60):
        source, point = generated(f"bounds/{k}")
        arguments = tuple(np.array(a) if isinstance(a, list) else a for a in point)
        along = tuple(np.ones_like(a) if isinstance(a, np.ndarray) else 1.0 for a in arguments[:4])
        try:
            found = exact(source, arguments, along)
        except (CloseCallError, ArithmeticError):
            continue
        namespace = {}
        exec(source, namespace)
        plain = float(namespace["f"](*(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)))
        assert abs(plain - found.value) <= found.value_bound
        tight += found.slope_bound < 1e-10 * max(1.0, abs(found.slope))
    assert tight > 50

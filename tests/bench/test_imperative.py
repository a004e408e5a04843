"""The imperative programs of the benchmark: values against plain Python, gradients against differences of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from adcore import grad, jit
from bench.imperative import PROGRAMS, cases

STEP = 1e-3


@pytest.fixture(params=PROGRAMS, ids=lambda work: work.function.__name__)
def work(request):
    return request.param


def test_value_is_that_of_python(work):
    arguments = work.data(True)
    assert jit(work.function)(*arguments) == pytest.approx(float(work.function(*arguments)), rel=1e-13)


def test_gradient_is_that_of_differences(work):
    """Every element, by differences of the plain function extrapolated twice, and the argument is left alone."""
    arguments = work.data(True)
    before = [np.copy(a) for a in arguments]
    result = grad(work.function, argnums=work.argnums)(*arguments)
    several = isinstance(work.argnums, tuple)
    for k, found in zip(work.argnums, result, strict=True) if several else [(work.argnums, result)]:
        expected = differences(work.function, arguments, k)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.max(np.abs(expected)))
    for a, b in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(a, b)


def differences(function, arguments, k):
    """The gradient by the argument k: central differences at steps h, h/2 and h/4, extrapolated to order six."""
    at = np.array(arguments[k], dtype=float)
    found = np.empty(at.shape)
    for place in np.ndindex(at.shape):
        table = [slope(function, arguments, k, place, STEP / 2**level) for level in range(3)]
        for order in (4.0, 16.0):
            table = [(order * fine - coarse) / (order - 1.0) for coarse, fine in pairwise(table)]
        found[place] = table[0]
    return found


def slope(function, arguments, k, place, h):
    values = []
    for sign in (1.0, -1.0):
        moved = np.array(arguments[k], dtype=float)
        moved[place] += sign * h
        values.append(function(*arguments[:k], moved if moved.ndim else float(moved), *arguments[k + 1 :]))
    return (values[0] - values[1]) / (2.0 * h)


def test_cases_are_the_programs():
    found = list(cases(tiny=True))
    assert [case.name for case in found] == [work.name for work in PROGRAMS]
    assert len({case.name for case in found}) == len(found) >= 18
    for case in found:
        assert list(case.contenders) == ["adcore", "primal", "numba", "jax", "jax primal"]

"""An element that all iterations of a loop read: read once in front of the loop where no iteration writes it."""

from __future__ import annotations

import numpy as np
import pytest
from generated import compiled_from
from test_derivatives import richardson

from adcore import grad, jit, jvp, source

READS = {
    "of another array": "x[i]",
    "of the array written": "m[i, k]",
    "on the diagonal": "m[k, k]",
    "of the row above": "m[i - 1, k]",
    "by the inner counter": "m[i, j]",
}
WRITES = {
    "nothing": "pass",
    "beside it": "m[i, j] -= {read} * m[k, j]",
    "beside it, as a product": "m[i, j] = m[i, j] * {read}",
    "another row": "m[(i + 1) % n, k] += {read} * x[j]",
    "the element": "m[i, k] = np.sin(m[i, k]) + {read} * x[j]",
    "the element in one iteration": "m[i, 3 - j] = 0.5 * {read} + x[j]",
    "the element in a branch": "m[i, k] *= 0.9 if j == 2 else 1.0",
}
STATEMENTS = {
    "always": "{write}\n                s += {read} * x[j]",
    "afterwards": "s += {read} * x[j]\n                {write}",
    "in a branch": "if i != j:\n                    s += {read} * x[j]\n                {write}",
    "after a branch that writes": "if i != j:\n                    {write}\n                s = 0.5 * s + {read}",
}
PROGRAM = """
def f(a, x, n, first):
    m = a.copy()
    s = 0.1
    for k in range(n):
        for i in range({first}, n):
            m[i, k] /= 2.0 + m[k, k] * m[k, k]
            for j in range({first}, n):
                {statement}
    return np.sum(m * m * m) + np.sin(s)
"""
RNG = np.random.default_rng(7)
A, X = RNG.normal(size=(4, 4)), RNG.normal(size=4)


@pytest.mark.parametrize("first", ["first", "k + 1"])
@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("read", READS)
def test_derivatives_are_those_of_the_program(read, write, statement, first):
    text = STATEMENTS[statement].format(read=READS[read], write=WRITES[write].format(read=READS[read]))
    f = compiled_from(PROGRAM.format(statement=text, first=first))
    arguments = A, X, 4, 1
    assert jit(f)(*arguments) == pytest.approx(f(*arguments), rel=1e-13)
    da, dx = grad(f, argnums=(0, 1))(*arguments)
    along_a, along_x = np.cos(A), np.sin(X)
    slope = richardson(lambda t: f(A + t * along_a, X + t * along_x, 4, 1))
    assert np.sum(da * along_a) + np.sum(dx * along_x) == pytest.approx(slope, rel=1e-7, abs=1e-9)
    _, pushed = jvp(lambda a, x: f(a, x, 4, 1), (A, X), (along_a, along_x))
    assert pushed == pytest.approx(slope, rel=1e-7, abs=1e-9)


def pairs(x, q):
    energy = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            if i != j:
                energy += q[j] * np.exp(-((x[i] - x[j]) ** 2))
    return energy


def elimination(a):
    a = a.copy()
    n = a.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def test_cotangents_are_summed_in_registers():
    derivative = grad(pairs)
    derivative(X, X)
    innermost = source(derivative).rpartition("for ")[2].partition("return")[0]
    assert innermost.count("+=") == 2, innermost  # one in the loop and one after it

    derivative = grad(elimination)
    derivative(A + 4.0 * np.eye(4))
    assert "dt = dt + " in source(derivative)


RANGES = {  # whose elements are known to be there
    "range(2, len(x) - 1)": "x[i - 1]",
    "range(0, len(x), 3)": "x[i]",
    "range(len(x) - 2, 0, -1)": "x[i + 1]",
    "range(len(x) - 1, -1, -4)": "x[i]",
    "range(min(len(x), 5))": "x[2 + i - 2]",
}
OTHERS = {"range(1, len(x), 3)": "x[i - 1]", "range(len(x) // 2)": "x[i]", "range(n)": "x[i % 3]"}
OUTER = """
def f(x, n):
    s = 0.0
    for i in {range}:
        for j in range(n):
            s += np.sin({element} - x[j])
    return s
"""


@pytest.mark.parametrize("bounds", RANGES | OTHERS)
def test_indices_that_counters_bound(bounds):
    f = compiled_from(OUTER.format(range=bounds, element=(RANGES | OTHERS)[bounds]))
    x = RNG.normal(size=9)
    derivative = grad(f)
    slope = richardson(lambda t: f(x + t * np.cos(x), 9))
    assert np.sum(derivative(x, 9) * np.cos(x)) == pytest.approx(slope, rel=1e-8)
    np.testing.assert_array_equal(derivative(np.ones(0), 0), np.ones(0))
    assert ("dt = dt + " in source(derivative)) == (bounds in RANGES)


def chosen(x, i, n):
    s = 0.0
    for j in range(n):
        s += x[i] * x[j]
    return s


def rest(x, i, n):
    m = x.copy()
    for j in range(n):
        m[j] = m[j] * m[i]
    return np.sum(m)


@pytest.mark.parametrize("f", [chosen, rest])
@pytest.mark.parametrize("transform", [jit, grad])
def test_no_iteration_reads_nothing(f, transform):
    """A loop that runs no iteration raises no error, and touches no memory that is not the array's."""
    compiled = transform(f)
    np.testing.assert_array_equal(compiled(np.ones(0), 1 << 40, 0), 0.0 if transform is jit else np.ones(0))
    for i in (4, -5, 1 << 40):
        with pytest.raises(IndexError, match="out of bounds"):
            compiled(X, i, 4)
    assert np.all(np.isfinite(compiled(X, 2, 4)))


def test_a_place_that_another_loop_has_read_is_no_promise():
    """Only what has been read on the way to the loop shows that an element is there."""

    def f(x, i, n):
        s = 0.0
        if i < x.shape[0]:
            s += x[i]
        for _ in range(n):
            s += x[i]
        return s

    assert jit(f)(np.ones(0), 5, 0) == 0.0
    with pytest.raises(IndexError):
        grad(f)(np.ones(3), 5, 1)

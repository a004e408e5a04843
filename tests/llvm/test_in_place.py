"""Reads that are waiting are done before their memory is written, so that the write needs no copy."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret

import adcore
from adcore.builder import Builder
from adcore.program import Program
from adcore.types import I64, Var, f64, literal

N = Var(I64, "n")


def the_array(b, y):
    return b.sin(y)


def a_view_of_it(b, y):
    return b.sin(b.view(y, 1, 2, 1, codes="s"))


def by_a_write(b, y):
    return b.update(y, 7.0, 0, codes="i")


def by_a_loop(b, y):
    i, z, region = Var(I64, "i"), Var(f64(N), "z"), b.region()
    (out,) = b.loop(literal(3), (y,), region.program((i, z), (region.update(z, 7.0, i, codes="i"),)))
    return out


@pytest.mark.parametrize("read", [the_array, a_view_of_it])
@pytest.mark.parametrize("written", [by_a_write, by_a_loop])
def test_no_copy(read, written):
    x, b = Var(f64(N), "x"), Builder()
    y = b.update(b.exp(x), 2.0, 1, codes="i")
    waiting = read(b, y)
    program = Program((x,), b.equations, (waiting, written(b, y)))
    backend, given = LLVMBackend(), np.array([0.1, 0.2, 0.3, 0.4])
    assert "memcpy" not in backend.assembly(program)
    for ours, theirs in zip(backend.compile(program)(given), interpret(program, (given,)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


def test_an_expression_of_what_is_overwritten_is_kept():
    """It is not computed again from an array that would have to be copied for that."""
    x, b = Var(f64(N), "x"), Builder()
    y = b.sin(x)
    doubled = b.mul(y, 2.0)
    z = b.update(y, b.total(doubled, axes=(0,)), 0, codes="i")
    program = Program((x,), b.equations, (z, b.mul(doubled, x)))
    given = np.array([0.1, 0.2, 0.3, 0.4])
    assert "memcpy" not in LLVMBackend().assembly(program)
    for ours, theirs in zip(LLVMBackend().compile(program)(given), interpret(program, (given,)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


def test_an_array_under_two_names():
    """A nest reads an array under the lengths of two others, and writes a result into its memory."""

    def f(x, m, n):
        y = m.copy()
        y[n] = 2.0
        z = x * y
        return np.dot(z, y)

    x, m = np.array([0.3, 0.7, -0.2]), np.array([1.1, 0.4, 0.9])
    y = np.array([1.1, 2.0, 0.9])
    ours = adcore.grad(f, argnums=(0, 1))(x, m, 1)
    np.testing.assert_allclose(ours, (y * y, 2 * x * y * [1.0, 0.0, 1.0]), rtol=1e-15)


def rows(x, n):
    y = np.zeros((n, 3))
    y[0] = x
    for i in range(1, n):
        y[i] = np.sin(y[i - 1]) * 0.9 + x
    return np.sum(y * y)


def rows_that_live_on(x, n):
    y = np.zeros((n, 3))
    last = y[0]
    for i in range(1, n):
        row = y[i - 1] + x
        y[i] = row * row
        y[i - 1] += row
        last = y[i].copy()
    return np.sum(y * y) + np.sum(last)


@pytest.mark.parametrize("function", [rows, rows_that_live_on])
def test_a_row_is_read_and_written_without_a_copy_of_the_array(function):
    """The pullback of a recurrence on rows takes a time that does not depend on how many rows there are."""
    g, x = adcore.grad(function), np.array([0.1, 0.2, 0.3])
    program = adcore.program(g, x, 5)
    assert "memcpy" not in LLVMBackend().assembly(program)
    np.testing.assert_allclose(g(x, 5), interpret(program, (x, 5))[0], rtol=1e-13)


def test_rows_that_are_read_after_a_write_are_copied_alone():
    m, b = Var(f64(N, N), "m"), Builder()
    y = b.update(b.exp(m), 2.0, 1, 1, codes="ii")
    row = b.view(y, 0, codes="i:")
    z = b.update(y, b.view(m, 1, codes="i:"), 0, codes="i:")
    total = b.total(b.mul(z, z), axes=(0, 1))
    program = Program((m,), b.equations, (b.mul(row, b.expand(total, N, axes=(0,))), z))
    given = np.arange(9.0).reshape(3, 3) / 9.0
    assert "memcpy" not in LLVMBackend().assembly(program)
    for ours, theirs in zip(LLVMBackend().compile(program)(given), interpret(program, (given,)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_what_is_computed_again_starts_from_what_is_kept():
    m, b = Var(f64(N), "m"), Builder()
    chosen = b.select(b.lt(m, 0.5), b.mul(m, b.expand(0.75, N, axes=(0,))), b.sqrt(b.abs(m)))
    greatest = b.reduce_max(chosen, axes=(0,))
    taken = b.select(b.eq(chosen, b.expand(greatest, N, axes=(0,))), b.expand(1.0, N, axes=(0,)), 0.0)
    count = b.total(taken, axes=(0,))
    share = b.total(b.div(taken, b.expand(count, N, axes=(0,))), axes=(0,))
    program = Program((m,), b.equations, (chosen, share))
    given = np.array([0.1, 0.9, 0.9, 0.2])
    for ours, theirs in zip(LLVMBackend().compile(program)(given), interpret(program, (given,)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)

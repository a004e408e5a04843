"""Reads that are waiting are done before their memory is written, so that the write needs no copy."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret

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

"""Memory that grows: in the same block, and in the branches of a `cond`."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend

from adcore.builder import Builder
from adcore.program import Program
from adcore.types import I64, Var, f64

N = Var(I64, "n")


def test_grown_memory_is_freed_where_it_is_now():
    x, b = Var(f64(N), "x"), Builder()
    grown = b.update(b.grow(b.mul(x, 2.0), 50_000), 3.0, 49_999, codes="i")
    program = Program((x,), b.equations, (b.add(b.view(grown, 0, codes="i"), b.view(grown, 49_999, codes="i")),))
    compiled = LLVMBackend().compile(program)
    for _ in range(50):
        assert compiled(np.ones(3)) == (5.0,)


@pytest.mark.parametrize("first", [True, False])
def test_branches_grow_the_same_memory(first):
    x, c, b = Var(f64(N), "x"), Var(I64, "c"), Builder()
    y = b.mul(x, 2.0)
    branches = []
    for room in (1000, 90_000):
        region = b.region()
        grown = region.update(region.grow(y, room), 3.0, room - 1, codes="i")
        last = region.view(grown, room - 1, codes="i")
        branches.append(region.program((), (region.add(region.view(grown, 0, codes="i"), last),)))
    (out,) = b.cond(b.gt(c, 0), *branches)
    compiled = LLVMBackend().compile(Program((x, c), b.equations, (out,)))
    for _ in range(20):
        assert compiled(np.ones(3), int(first)) == (5.0,)

"""Vector functions where the machine has them, the scalar function where it does not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from adcore_llvm import LLVMBackend, vector_math

from adcore.builder import Builder
from adcore.program import Program
from adcore.types import I64, DType, Type, Var

BACKEND = LLVMBackend()


def exponentials() -> Program:
    x = Var(Type(DType.F64, (Var(I64, "n"),)), "x")
    b = Builder()
    return Program((x,), b.equations, (b.mul(b.exp(x), b.sin(x)),))


@pytest.mark.skipif(not vector_math.vector_functions(), reason="this machine has no libmvec")
def test_loops_call_vector_functions():
    text = BACKEND.assembly(exponentials(), optimized=True)
    for name in ("exp", "sin"):
        called = re.search(rf"call <\d x double> @_ZGV\w+_{name}\(", text)
        assert called, f"no vector variant of {name} is called"


def test_scalar_functions_serve_where_there_is_no_library(monkeypatch):
    monkeypatch.setattr(vector_math, "vector_functions", dict)
    assert "_ZGV" not in BACKEND.assembly(exponentials())
    x = np.linspace(-2.0, 2.0, 101)
    np.testing.assert_allclose(BACKEND.compile(exponentials())(x)[0], np.exp(x) * np.sin(x), rtol=1e-15)

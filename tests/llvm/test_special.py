"""Rows for special functions, compiled, against their meaning: SciPy's functions, and routines run by Python."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest
from adcore_llvm import LLVMBackend

from adcore.builder import Builder
from adcore.primitives import TABLE
from adcore.primitives.routines import Routine
from adcore.primitives.scipy_rows import SciPy
from adcore.program import Program
from adcore.types import I64, DType, Type, Var

BACKEND = LLVMBackend()
ROWS = [r for r in TABLE if isinstance(r.meaning, SciPy | Routine)]
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -3.7, 1e-300, 1e-9, 40.0, -40.0, 700.0, 1e300, np.inf, np.nan])


def points(row) -> list[np.ndarray]:
    """Points where the laws test the row and, where it has one argument, the edges of floats."""
    rng = np.random.default_rng(3)
    columns = [rng.uniform(low, high, 40) for low, high in row.sampler.intervals]
    return [np.concatenate([columns[0], EDGES, -EDGES])] if len(columns) == 1 else columns


def program(row, shape) -> Program:
    params = tuple(Var(Type(DType.F64, shape), f"x{k}") for k in range(len(row.sampler.intervals)))
    b = Builder()
    return Program(params, b.equations, b.append(row, params, {}))


def agree(got, expected, ulps) -> None:
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= ulps * np.spacing(np.abs(expected))
    assert np.all(same | near), (got[~(same | near)], expected[~(same | near)])


ULPS = {
    "mittag_leffler": 4096,  # whose contour integral is a sum of terms larger than itself
    "gammaln": 256,  # by which SciPy's is wrong beside its roots
}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_arrays_and_numbers(row):
    columns = points(row)
    expected = row.meaning(*columns)
    (got,) = BACKEND.compile(program(row, (Var(I64, "n"),)))(*columns)
    agree(got, expected, ULPS.get(row.name, 8))
    compiled = BACKEND.compile(program(row, ()))
    got = np.array([compiled(*(v.item() for v in values))[0] for values in zip(*columns, strict=True)])
    agree(got, expected, ULPS.get(row.name, 8))


@pytest.mark.parametrize("name", ["zeta@0", "zeta@0@0", "regularized_beta@0", "regularized_beta@1", "carlson_rd@2"])
def test_derivatives_of_routines(name):
    row = TABLE[name]
    columns = [c[:5] for c in points(row)]
    (got,) = BACKEND.compile(program(row, (Var(I64, "n"),)))(*columns)
    np.testing.assert_allclose(got, row.meaning(*columns), rtol=1e-12)


def test_names_stand_for_addresses():
    """The assembly is the same in every process."""
    text = BACKEND.assembly(program(TABLE["ndtri"], ()))
    assert "call double @scipy.special.ndtri(double" in text


@pytest.mark.skipif(
    os.name != "posix" or not hasattr(ctypes.CDLL(None), "lgamma"), reason="the C library is not asked for lgamma"
)
def test_the_logarithm_of_the_gamma_function_needs_no_import():
    code = """
import math, sys
from adcore_llvm import LLVMBackend
from adcore.primitives import TABLE
from adcore.program import Equation, Program
from adcore.types import F64, Var
x, y = Var(F64, "x"), Var(F64, "y")
f = LLVMBackend().compile(Program((x,), [Equation(TABLE["gammaln"], (x,), {}, (y,))], (y,)))
assert "scipy.special" not in sys.modules
for point, value in ((0.5, math.log(math.pi) / 2), (-math.inf, -math.inf), (math.inf, math.inf), (-1.0, math.inf)):
    assert f(point)[0] == value or abs(f(point)[0] - value) < 1e-15, point
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_of_scipy_is_imported_before_it_is_needed():
    code = "import sys, adcore, adcore_llvm, adcore_python; assert not any(m.startswith('scipy') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_loaded_of_scipy_leaves_its_import_as_it_is(tmp_path):
    """The addresses of LAPACK are taken out of a module whose package is not imported, and can be afterwards."""
    code = """
import sys
import numpy as np
from adcore import grad
assert np.allclose(grad(lambda x: np.sum(np.linalg.solve(2.0 * np.eye(2), x)))(np.ones(2)), 0.5)
assert "scipy.linalg" not in sys.modules
import scipy.linalg.cython_lapack
assert "dgetrf" in scipy.linalg.cython_lapack.__pyx_capi__
assert "dgemm" in scipy.linalg.cython_blas.__pyx_capi__
assert np.allclose(scipy.linalg.solve(2.0 * np.eye(2), np.ones(2)), 0.5)
assert np.allclose(grad(lambda x: np.linalg.det(x * np.eye(2)))(3.0), 6.0)
"""
    (tmp_path / "program.py").write_text(code, encoding="utf-8")
    subprocess.run([sys.executable, tmp_path / "program.py"], check=True)

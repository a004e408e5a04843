"""Matrices taken apart and solved with, compiled, against NumPy: memory by rows, by columns, reused and shared."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret

from adcore.laws import cases
from adcore.primitives import TABLE
from adcore.text import from_text

BACKEND = LLVMBackend()
ROWS = ["lu", "cholesky", "qr", "eig", "eigh", "svd", "solve_triangular", "pseudo_inverse", "determinant"]
ROWS += ["schur", "sylvester", "square_root", "riccati", "sparse_order", "sparse_lu", "sparse_solve"]


@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    for case in cases(TABLE[name], seeds=(0, 1, 2)):
        program = case.program(*case.equation.outs)
        for got, wanted in zip(BACKEND.compile(program)(*case.point), interpret(program, case.point), strict=True):
            tolerance = {"rtol": 1e-5, "atol": 1e-5} if case.coarse else {"rtol": 1e-11, "atol": 1e-13}
            np.testing.assert_allclose(got, wanted, **tolerance)


PROGRAMS = {
    "the values alone": """program f(a: f64[n, n], b: f64[n, n]) -> (real[n]) {
      (w: real[n], v: f64[n, n], info: i64) = eigh(a)
      return w
    }""",
    "a matrix solved with itself": """program f(a: f64[n, n], b: f64[n, n]) -> (f64[n, n]) {
      c: f64[n, n] = add(a, a)
      x: f64[n, n] = solve_triangular(c, c; lower=True, transposed=False, unit=False)
      return x
    }""",
    "transposed triangles": """program f(a: f64[n, n], b: f64[n, n]) -> (f64[n, n], f64[n, n]) {
      t: f64[n, n] = permute(a; order=(1, 0))
      x: f64[n, n] = solve_triangular(t, b; lower=True, transposed=False, unit=False)
      y: f64[n, n] = solve_triangular(t, b; lower=False, transposed=True, unit=True)
      return x, y
    }""",
    "a matrix that is read later": """program f(a: f64[n, n], b: f64[n, n]) -> (f64[n, n], f64[n, n]) {
      c: f64[n, n] = add(a, a)
      (l: f64[n, n], info: i64) = cholesky(c)
      d: f64[n, n] = mul(c, l)
      return l, d
    }""",
    "solved with factors": """program f(a: f64[n, n], b: f64[n, n]) -> (f64[n, n], f64[n, n], f64[n, n]) {
      (lu: f64[n, n], order: i64[n], swaps: i64[n], info: i64) = lu(a, n)
      x: f64[n, n] = solve(a, b, lu, order; by="lu", transposed=False)
      y: f64[n, n] = solve(a, b, lu, order; by="lu", transposed=True)
      (l: f64[n, n], info_1: i64) = cholesky(a)
      z: f64[n, n] = solve(a, x, l; by="cholesky", transposed=False)
      return x, y, z
    }""",
    "vectors": """program f(a: f64[n, n], b: f64[n, n]) -> (f64[n, 1], f64[n, 1], f64[n, 1]) {
      r: f64[n] = total(b; axes=(1,))
      c: f64[n, 1] = reshape(r, n, 1)
      (lu: f64[n, n], order: i64[n], swaps: i64[n], info: i64) = lu(a, n)
      x: f64[n, 1] = solve(a, c, lu, order; by="lu", transposed=False)
      y: f64[n, 1] = solve(a, c, lu, order; by="lu", transposed=True)
      t: f64[n, n] = permute(a; order=(1, 0))
      z: f64[n, 1] = solve_triangular(t, c; lower=True, transposed=False, unit=False)
      return x, y, z
    }""",
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("n", [0, 1, 2, 5, 40])
@pytest.mark.parametrize("dtype", ["f64", "c128"])
def test_programs(name, n, dtype):
    program = from_text(PROGRAMS[name].replace("f64", dtype).replace("real", "f64"))
    rng = np.random.default_rng(n)
    turn = 1j if dtype == "c128" else 0.0
    half, right = (rng.normal(size=(n, n)) + turn * rng.normal(size=(n, n)) for _ in range(2))
    point = (half @ half.conj().T + n * np.eye(n), right)
    for got, wanted in zip(BACKEND.compile(program)(*point), interpret(program, point), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
        assert got.flags.c_contiguous

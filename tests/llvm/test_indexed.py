"""Reads and writes at index arrays, compiled, against NumPy: alone, fused, and in memory that is shared."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret

from adcore.laws import cases
from adcore.primitives import TABLE
from adcore.text import from_text

BACKEND = LLVMBackend()
X = np.array([0.5, -1.0, 2.0, 3.5, -0.25])
I = np.array([3, -5, 3, 1, 0])  # noqa: E741
K = np.array([4, 0, 2, 1, 3])


@pytest.mark.parametrize("name", ["gather", "scatter", "scatter_add"])
def test_rows(name):
    for case in cases(TABLE[name], seeds=(0, 1, 2)):
        program = case.program(*case.equation.outs)
        (found,), (expected,) = BACKEND.compile(program)(*case.point), interpret(program, case.point)
        np.testing.assert_allclose(found, expected, rtol=1e-14)


PROGRAMS = {
    "read and written at the same place": """program f(x: f64[n], i: i64[n]) -> (f64[n]) {
      t: f64[n] = gather(x, i; codes="a")
      s: f64[n] = sin(t)
      y: f64[n] = mul(x, 1.5)
      z: f64[n] = scatter(y, s, i; codes="a", unique=False)
      return z
    }""",
    "elements moved inside one array": """program f(x: f64[n], i: i64[n]) -> (f64[n], f64) {
      y: f64[n] = mul(x, 1.5)
      t: f64[n] = gather(y, i; codes="a")
      s: f64[n] = mul(t, 2.0S)
      z: f64[n] = scatter_add(y, s, i; codes="a")
      w: f64 = total(z; axes=(0,))
      return z, w
    }""",
    "the old value is needed": """program f(x: f64[n], i: i64[n]) -> (f64[n], f64[n]) {
      y: f64[n] = mul(x, x)
      s: f64[n] = cos(y)
      z: f64[n] = scatter(y, s, i; codes="a", unique=False)
      u: f64[n] = add(y, z)
      return u, z
    }""",
    "index arrays that index themselves": """program f(x: f64[n], i: i64[n]) -> (i64[n], i64[n], f64[n]) {
      k: i64[n] = mod(i, nS)
      j: i64[n] = gather(k, k; codes="a")
      l: i64[n] = scatter(k, j, k; codes="a", unique=False)
      m: i64[n] = add(l, l)
      o: i64[n] = scatter_add(l, m, l; codes="a")
      y: f64[n] = gather(x, j; codes="a")
      return j, o, y
    }""",
    "places computed in the loop nest": """program f(x: f64[n], i: i64[n]) -> (f64[n], f64[n]) {
      k: i64[n] = mod(i, nS)
      t: f64[n] = gather(x, k; codes="a")
      s: f64[n] = exp(t)
      z: f64[n] = scatter_add(x, s, k; codes="a")
      return z, s
    }""",
    "an index that is a reduction over the same places": """program f(x: f64[n], i: i64[n]) -> (f64[n]) {
      a: f64[n, n] = expand(x, n; axes=(1,))
      b: f64[n, n] = expand(x, n; axes=(0,))
      c: f64[n, n] = mul(a, b)
      k: i64 = reduce_max(i; axes=(0,))
      t: f64[n] = gather(c, i, k; codes="ai")
      s: f64[n] = sin(t)
      return s
    }""",
    "a region written over another that is read": """program f(x: f64[n], i: i64[n]) -> (f64[n]) {
      y: f64[n] = mul(x, 2.0S)
      m: i64 = sub(n, 1)
      a: f64[m] = view(y, 0, m, 1; codes="s")
      c: f64[m] = mul(a, 3.0M)
      d: f64[m] = view(y, 1, m, 1; codes="s")
      e: f64[m] = add(c, d)
      z: f64[n] = update(y, e, 1, m, 1; codes="s")
      return z
    }""",
    "a region read after its value is known": """program f(x: f64[n], i: i64[n]) -> (f64[n], f64) {
      m: i64 = sub(n, 1)
      y: f64[n] = mul(x, 2.0S)
      a: f64[m] = view(x, 1, m, 1; codes="s")
      c: f64[m] = sin(a)
      d: f64[m] = view(y, 0, m, 1; codes="s")
      q: f64[m] = exp(d)
      e: f64 = total(q; axes=(0,))
      z: f64[n] = update(y, c, 0, m, 1; codes="s")
      return z, e
    }""",
}


def spread(text: str) -> str:
    """`2.0S` is 2.0 for each of n elements, `3.0M` for each of m."""
    lines: list[str] = []
    for line in text.splitlines():
        for mark, length in (("S)", "n"), ("M)", "m")):
            if mark in line:
                head, _, value = line.partition("= ")[2].removesuffix(mark).rpartition(", ")
                name, dtype = f"all{len(lines)}", "f64" if "." in value else "i64"
                lines.append(f"{name}: {dtype}[{length}] = expand({value}, {length}; axes=(0,))")
                line = f"{line.partition('= ')[0]}= {head}, {name})"
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS.keys())
@pytest.mark.parametrize("places", [I, K, np.array([0, 0, 0, 0, 0])])
def test_programs(text, places):
    program = from_text(spread(text))
    compiled = BACKEND.compile(program)
    for _ in range(2):  # a second run sees what the first left in memory
        for found, expected in zip(compiled(X, places), interpret(program, (X, places)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)

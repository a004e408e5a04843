"""Programs of elements as programs of batches: what stands where, and what the dual of the loop over elements does."""

from __future__ import annotations

import numpy as np
import pytest

import adcore
from adcore import grad, value_and_grad, vmap
from adcore.invariance import parted
from adcore.mapped_loop import Along, MappedLoop, Output
from adcore.passes.dce import eliminate_dead
from adcore.plugins import backend
from adcore.program import Equation, Program, regions
from adcore.text import from_text, to_text
from adcore.verify import verify

ROWS = np.random.default_rng(2).normal(size=(37, 5))
X = np.random.default_rng(3).uniform(0.5, 2.0, 37)


def every(program: Program):
    for equation in program.equations:
        yield equation
        for _, region in regions(equation):
            yield from every(region)


def loops(program: Program) -> list[Equation]:
    return [e for e in program.equations if e.primitive.name == "loop"]


def names(equations) -> list[str]:
    return [e.primitive.name for e in equations]


ELEMENT = """
program f(x: f64[n], c: f64, a: f64[m, m]) -> (f64[n], f64) {
  t: f64 = sin(c)
  s: f64 = total(x; axes=(0,))
  p: f64 = mul(s, t)
  e: f64[n] = expand(p, n; axes=(0,))
  r: f64[n] = mul(x, e)
  return r, t
}
"""


def test_program_of_a_batch():
    loop = MappedLoop(from_text(ELEMENT), [Along(1, None), None, None])
    assert (loop.varies(0), loop.varies(1)) == (True, False)
    program = loop.program([Output(0, 0, "r"), Output(1, None, "t")], parallel=False)
    verify(program)
    expected = """
program vmap_f(x: f64[n, x_n], c: f64, a: f64[m, m]) -> (f64[x_n, n], f64) {
  t: f64 = sin(c)
  t_1: f64[x_n, n] = empty(x_n, n; dtype=f64)
  (out: f64[x_n, n]) = loop(x_n, t_1) {
    body(k: i64, out: f64[x_n, n]) {
      t_2: f64[n] = view(x, k; codes=":i")
      s: f64 = total(t_2; axes=(0,))
      p: f64 = mul(s, t)
      e: f64[n] = expand(p, n; axes=(0,))
      r: f64[n] = mul(t_2, e)
      t_3: f64[x_n, n] = update(out, r, k; codes="i:")
      yield t_3
    }
  }
  return out, t
}
"""
    assert to_text(program).strip() == expected.strip()
    x = ROWS.T.copy()
    out, t = backend("numpy").compile(program)(x, 0.3, np.eye(2))
    np.testing.assert_allclose(out, ROWS * (ROWS.sum(1) * np.sin(0.3))[:, None])
    assert t == np.sin(0.3)


class TestParts:
    TEXT = """
    program f(x: f64, c: f64[n], k: i64) -> (f64, f64) {
      u: f64 = sin(x)
      p: bool = gt(u, 0.0)
      before: f64 = view(c, k; codes="i")
      check(p; error="ValueError", message="negative")
      after: f64 = view(c, k; codes="i")
      s: f64 = total(c; axes=(0,))
      y: f64 = mul(s, after)
      return y, before
    }
    """

    def test_what_may_fail_stays_behind_a_check(self):
        program = from_text(self.TEXT)
        parts = parted(program.equations, [program.params[0]])
        assert names(parts.outside) == ["view", "total"]
        assert names(parts.inside) == ["sin", "gt", "check", "view", "mul"]
        y, before = program.results
        assert parts.varies(y)
        assert not parts.varies(before)

    def test_arrays_without_contents_are_made_in_both(self):
        program = from_text("""
        program f(x: f64, n: i64) -> (f64[n], f64[n]) {
          e: f64[n] = expand(0.0, n; axes=(0,))
          one: f64[n] = update(e, 1.0, 0; codes="i")
          other: f64[n] = update(e, x, 0; codes="i")
          return one, other
        }
        """)
        parts = parted(program.equations, [program.params[0]])
        assert names(parts.outside) == ["expand", "update"]
        assert names(parts.inside) == ["expand", "update"]


def solved(a, b):
    return np.linalg.solve(a, b)


def test_a_factorization_of_what_is_the_same_for_all_is_in_front():
    program = adcore.program(vmap(solved, in_axes=(None, 0)), np.eye(5), ROWS)
    assert "lu" in names(program.equations)
    assert loops(program)
    assert all("lu" not in names(every(loop.params["body"])) for loop in loops(program))
    gradient = adcore.program(grad(lambda a, b: np.sum(vmap(solved, in_axes=(None, 0))(a, b))), np.eye(5), ROWS)
    assert names(every(gradient)).count("lu") == 1


class TestDuals:
    def recurrence(self, x):
        y = x
        while y > 0.1:
            y = y * 0.5 * np.sin(y)
        return y

    def test_run_together_with_the_loop(self):
        f = self.recurrence
        gradient = adcore.program(value_and_grad(lambda x: np.sum(vmap(f)(x))), X)
        assert len(loops(gradient)) == 1

    def test_clear_nothing(self):
        for of in (lambda y: np.sum(y), lambda y: np.sum(y * y)):
            gradient = adcore.program(grad(lambda x, of=of: of(vmap(lambda x: np.sin(x) * x)(x))), X)
            written = [e for e in every(gradient) if e.primitive.name == "update"]
            assert all(e.operands[1].type.shape or str(e.operands[1]) != "0.0" for e in written)
            for loop in loops(gradient):
                assert all(
                    p is not r for p, r in zip(loop.params["body"].params[1:], loop.params["body"].results, strict=True)
                )

    @pytest.mark.parametrize("of", [lambda y: np.sum(y), lambda y: np.sum(y * y), lambda y: y[3] * y[20]])
    def test_are_right(self, of):
        f = self.recurrence
        g = grad(lambda x: of(vmap(f)(x)))
        x, h = X.copy(), 1e-6
        for k in (3, 20, 36):
            up, down = x.copy(), x.copy()
            up[k] += h
            down[k] -= h
            slope = (of(np.array([f(v) for v in up])) - of(np.array([f(v) for v in down]))) / (2 * h)
            assert g(x)[k] == pytest.approx(slope, rel=1e-6, abs=1e-8)

    def test_are_well_formed(self):
        program = adcore.program(grad(lambda x: np.sum(vmap(self.recurrence)(x) ** 2)), X)
        verify(program)
        assert to_text(eliminate_dead(from_text(to_text(program)))) == to_text(program)

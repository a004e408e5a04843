"""What simplification, sharing and the removal of dead code must not do, each on the smallest program that shows it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.derive import gradient, push
from adcore.passes.dce import eliminate_dead
from adcore.program import Program
from adcore.text import from_text
from adcore.types import F64, I64, Var, f64, literal
from adcore.verify import verify

N, M = Var(I64, "n"), Var(I64, "m")


def run(make, *arguments):
    """The result of what `make` emits on parameters of the arguments' kinds."""
    params = tuple(Var(_type(a), name) for a, name in zip(arguments, "xyz", strict=False))
    b = Builder()
    program = Program(params, b.equations, (make(b, *params),))
    verify(program)
    return interpret(program, arguments)[0]


def _type(argument):
    return f64(*(Var(I64, f"n{k}") for k in range(np.ndim(argument)))) if np.ndim(argument) else F64


def test_infinity_minus_itself_is_no_number():
    assert math.isnan(run(lambda b, x: b.sub(x, x), math.inf))


def test_minus_zero_plus_zero_is_zero():
    assert math.copysign(1.0, run(lambda b, x: b.add(x, 0.0), -0.0)) == 1.0


def test_permutations_compose_in_order():
    x = np.arange(24.0).reshape(2, 3, 4)
    found = run(lambda b, x: b.permute(b.permute(x, order=(1, 2, 0)), order=(0, 2, 1)), x)
    np.testing.assert_array_equal(found, x.transpose(1, 2, 0).transpose(0, 2, 1))


def test_reductions_over_other_axes_are_other_values():
    x = np.arange(9.0).reshape(3, 3)
    n = Var(I64, "n")
    param, b = Var(f64(n, n), "x"), Builder()
    results = (b.total(param, axes=(0,)), b.total(param, axes=(1,)))
    found = interpret(Program((param,), b.equations, results), (x,))
    np.testing.assert_array_equal(found[0], x.sum(axis=0))
    np.testing.assert_array_equal(found[1], x.sum(axis=1))


def test_adding_to_what_was_written_adds():
    x = np.arange(4.0)

    def make(b, x):
        return b.add_at(b.update(x, 5.0, 1, codes="i"), 2.0, 1, codes="i")

    np.testing.assert_array_equal(run(make, x), [0.0, 7.0, 2.0, 3.0])


CHECKED = {
    "a check": """program f(x: f64) -> (f64) {
      p: bool = lt(x, 1.0)
      check(p; error="ValueError", message="too large")
      return x
    }""",
    "a check in a loop whose result is dead": """program f(x: f64) -> (f64) {
      (y: f64) = loop(2, x) {
        body(i: i64, y: f64) {
          p: bool = lt(x, 1.0)
          check(p; error="ValueError", message="too large")
          z: f64 = mul(y, 2.0)
          yield z
        }
      }
      return x
    }""",
}


@pytest.mark.parametrize("name", CHECKED)
def test_checks_are_alive(name):
    program = eliminate_dead(from_text(CHECKED[name]))
    assert interpret(program, (0.5,)) == (0.5,)
    with pytest.raises(ValueError, match="too large"):
        interpret(program, (2.0,))


def test_a_checked_shape_is_alive():
    x, y = Var(f64(N), "x"), Var(f64(M), "y")
    b = Builder()
    b.add(x, b.conform(y, N, checked=True))
    program = eliminate_dead(Program((x, y), b.equations, (x,)))
    with pytest.raises(ValueError, match="broadcast"):
        interpret(program, (np.ones(2), np.ones(3)))


def test_a_value_from_outside_of_a_loop_that_holds_a_loop_that_does_not_run():
    program = from_text("""program f(v: f64, k: i64, n: i64) -> (f64) {
      (s: f64) = loop(n, 0.0) {
        body(i: i64, s: f64) {
          (z: f64) = loop(k, v) {
            body(j: i64, z: f64) { yield 0.0 }
          }
          t: f64 = add(s, z)
          yield t
        }
      }
      return s
    }""")
    assert interpret(gradient(program, (0,)), (4.0, 0, 3)) == (12.0, 3.0)
    assert interpret(gradient(program, (0,)), (4.0, 1, 3)) == (0.0, 0.0)


def test_infinite_factors_of_what_is_not_taken():
    x, b = Var(f64(N), "x"), Builder()
    positive = b.gt(x, 0.0)
    y = b.select(positive, b.log(x), 0.0)
    program = Program((x,), b.equations, (b.total(y, axes=(0,)),))
    with np.errstate(all="ignore"):
        found = interpret(gradient(program, (0,)), (np.array([0.0, 2.0]),))
    np.testing.assert_array_equal(found[1], [0.0, 0.5])


def slopes(program, *arguments):
    """The gradient in the first argument, by reverse mode and by forward mode on a basis."""
    reverse = interpret(gradient(program, (0,)), arguments)[1]
    pushed = push(program, (0,))
    basis = np.eye(len(arguments[0]))
    return reverse, np.array([interpret(pushed, (*arguments, e))[1] for e in basis])


def test_a_while_that_runs_down_is_no_loop_over_a_counter():
    """Element i is written from element i - 1, which is written next."""
    x, k, b = Var(f64(N), "x"), Var(I64, "k"), Builder()
    i, y = Var(I64, "i"), Var(f64(N), "y")
    test, body = b.region(), b.region()
    before = body.sub(i, 1)
    read = body.view(y, before, codes="i")
    written = body.update(y, body.mul(read, read), i, codes="i")
    again = (Var(I64, "i"), Var(f64(N), "y"))
    outs = b.while_((k, x), test.program(again, (test.gt(again[0], 0),)), body.program((i, y), (before, written)))
    program = Program((x, k), b.equations, (b.total(b.mul(outs[1], outs[1]), axes=(0,)),))
    verify(program)
    np.testing.assert_allclose(*slopes(program, np.array([0.5, 0.7, -0.9, 1.1]), 3), rtol=1e-13)


def test_a_slice_that_runs_down_reads_below_its_start():
    x, b = Var(f64(5), "x"), Builder()
    j, y = Var(I64, "j"), Var(f64(5), "y")
    body = b.region()
    part = body.view(y, 4, 5, -1, codes="s")
    value = body.sin(body.total(body.mul(part, part), axes=(0,)))
    (out,) = b.loop(literal(4), (x,), body.program((j, y), (body.update(y, value, body.sub(3, j), codes="i"),)))
    program = Program((x,), b.equations, (b.total(out, axes=(0,)),))
    verify(program)
    np.testing.assert_allclose(*slopes(program, np.array([0.5, 0.7, -0.9, 1.1, 0.3])), rtol=1e-12)

"""The reference meaning: arguments bound, regions in the scope around them, results fresh."""

import numpy as np
import pytest
from adcore_numpy import NumPyBackend, interpret

from adcore.builder import Builder
from adcore.errors import Source, VerifyError
from adcore.plugins import backend
from adcore.program import Program
from adcore.text import from_text
from adcore.types import F64, I64, Var, f64, literal


def run(text, *arguments):
    return interpret(from_text(text), arguments)


def test_results_are_python_scalars_and_fresh_contiguous_arrays():
    x = np.arange(6.0).reshape(2, 3)
    turned, same, total, big = run(
        """program f(x: f64[n, m]) -> (f64[m, n], f64[n, m], f64, bool) {
          y: f64[m, n] = permute(x; order=(1, 0))
          s: f64 = total(x; axes=(0, 1))
          b: bool = gt(s, 3.0)
          return y, x, s, b
        }""",
        x,
    )
    np.testing.assert_array_equal(turned, x.T)
    assert turned.flags.c_contiguous
    assert not np.shares_memory(same, x)
    assert type(total) is float
    assert big is True


def test_lengths_are_bound_by_arrays_and_must_agree():
    text = "program f(x: f64[n], y: f64[n], z: f64[1]) -> (i64) { return n }"
    assert run(text, [1.0, 2.0], [3.0, 4.0], [5.0]) == (2,)
    with pytest.raises(ValueError, match="y: axis 0 has length 1, expected 2"):
        run(text, [1.0, 2.0], [3.0], [5.0])
    with pytest.raises(ValueError, match="z: axis 0 has length 2, expected 1"):
        run(text, [1.0], [3.0], [5.0, 6.0])


def test_a_length_may_be_a_parameter_too():
    text = "program f(n: i64, x: f64[n]) -> (i64) { return n }"
    assert run(text, 2, [1.0, 2.0]) == (2,)
    with pytest.raises(ValueError, match="length 2, expected 3"):
        run(text, 3, [1.0, 2.0])
    with pytest.raises(ValueError, match="n is 3"):
        run("program f(x: f64[n], n: i64) -> (i64) { return n }", [1.0, 2.0], 3)


@pytest.mark.parametrize(
    ("argument", "message"),
    [(1.5, "expected int64, got float64"), ([1, 2], "expected an array of rank 0")],
)
def test_arguments_of_another_type_are_refused(argument, message):
    with pytest.raises(TypeError, match=message):
        run("program f(k: i64) -> (i64) { return k }", argument)


def test_wrong_number_of_arguments():
    with pytest.raises(TypeError, match="f takes 1 arguments, not 2"):
        run("program f(k: i64) -> (i64) { return k }", 1, 2)


def test_loop_sees_the_values_around_it():
    text = """program f(x: f64[n], c: f64) -> (f64) {
      (s: f64) = loop(n, 0.0) {
        body(i: i64, s: f64) {
          (s_1: f64) = loop(i, s) {
            body(j: i64, s_1: f64) {
              v: f64 = view(x, i; codes="i")
              w: f64 = mul(v, c)
              t: f64 = add(s_1, w)
              yield t
            }
          }
          yield s_1
        }
      }
      return s
    }"""
    assert run(text, [1.0, 10.0, 100.0], 2.0) == (420.0,)
    assert run(text, [], 2.0) == (0.0,)


def test_while_stops_when_its_test_fails():
    text = """program f(x: f64) -> (f64, i64) {
      (y: f64, k: i64) = while(x, 0) {
        test(y: f64, k: i64) { t: bool = lt(y, 100.0) yield t }
        body(y: f64, k: i64) { y_1: f64 = mul(y, 3.0) k_1: i64 = add(k, 1) yield y_1, k_1 }
      }
      return y, k
    }"""
    assert run(text, 1.0) == (243.0, 5)
    assert run(text, 200.0) == (200.0, 0)


def test_cond_runs_one_branch():
    text = """program f(i: i64, x: f64[n]) -> (f64) {
      c: bool = lt(i, n)
      (y: f64) = cond(c) {
        then() { v: f64 = view(x, i; codes="i") yield v }
        otherwise() { yield -1.0 }
      }
      return y
    }"""
    assert run(text, 1, [2.0, 3.0]) == (3.0,)
    assert run(text, 5, [2.0, 3.0]) == (-1.0,)


def test_check_raises_with_the_users_line():
    b = Builder()
    i, n = Var(I64, "i"), Var(I64, "n")
    b.source = Source("model.py", 7, "f", 8, 12, "    y = x[i]")
    b.check(b.lt(i, n), i, n, error="IndexError", message="index {} is out of bounds for size {}")
    program = Program((i, n), b.equations, (i,))
    assert interpret(program, (1, 2)) == (1,)
    with pytest.raises(IndexError, match="index 2 is out of bounds for size 2") as caught:
        interpret(program, (2, 2))
    assert caught.value.__notes__ == ['  File "model.py", line 7, in f\n    y = x[i]\n        ^^^^']


def test_floating_point_errors_are_values():
    text = "program f(x: f64, y: f64) -> (f64) { z: f64 = div(x, y) return z }"
    assert run(text, 1.0, 0.0) == (float("inf"),)


def test_meanings_do_not_write_to_arguments():
    x = np.zeros(3)
    (y,) = run('program f(x: f64[n]) -> (f64[n]) { y: f64[n] = update(x, 1.0, 0; codes="i") return y }', x)
    np.testing.assert_array_equal(x, np.zeros(3))
    np.testing.assert_array_equal(y, [1.0, 0.0, 0.0])


def test_backend_is_registered_and_verifies():
    assert isinstance(backend("numpy"), NumPyBackend)
    x = Var(f64(Var(I64, "n")), "x")
    assert backend("numpy").compile(Program((x,), [], (literal(1.0),)))([1.0, 2.0]) == (1.0,)
    with pytest.raises(VerifyError):
        backend("numpy").compile(Program((), [], (Var(F64, "y"),)))

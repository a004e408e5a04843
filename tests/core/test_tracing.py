"""Tracing: the results of interpretation, and for every number in them that is not finite an origin."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_numpy import interpret
from adcore_numpy.tracing import trace

from adcore.laws import LAWS, cases
from adcore.primitives import TABLE, Kind
from adcore.text import from_text

ROWS = [p for p in TABLE if p.kind not in (Kind.CONTROL, Kind.CHECK)]
POISON = [np.nan, np.inf, -np.inf]
ARITHMETIC = {"add", "sub", "mul", "div", "pow", "exp", "log", "sqrt", "select", "maximum", "minimum", "cast"}
ENDLESS = {Kind.FACTORIZATION, Kind.SOLVE}  # where LAPACK's iterations may not end at infinities


def poison_for(primitive):
    """What a row is tested with: special functions with nothing, as not all of SciPy's come to an end with it."""
    if primitive.kind is Kind.ELEMENTWISE and primitive.name not in ARITHMETIC:
        return []
    return POISON[:1] if primitive.kind in ENDLESS else POISON


def is_poisonous(x):
    return np.asarray(x).dtype.kind in "fc"


def poisoned(case, operand, value):
    """The point, with a value that is not finite in an operand."""
    point = list(case.point)
    x = np.array(point[operand])
    x[(0,) * x.ndim] = value
    point[operand] = x[()] if x.ndim == 0 else x
    return tuple(point)


def outcome(call):
    try:
        return call()
    except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError) as error:
        return type(error)


@pytest.mark.parametrize("primitive", ROWS, ids=lambda p: p.name)
def test_every_row(primitive):
    """The values are those of the interpreter, and numbers stand for what is not finite and for nothing else."""
    for case in cases(primitive, seeds=(0,)):
        LAWS["meaning"](case, lambda program, point: trace(program, point).results)
        case.restart()
        program = case.program(*case.equation.outs)
        for operand in [k for k, x in enumerate(case.point) if is_poisonous(x) and np.size(x)]:
            for value in poison_for(primitive):
                point = poisoned(case, operand, value)
                wanted = outcome(lambda program=program, point=point: interpret(program, point))
                found = outcome(lambda program=program, point=point: trace(program, point))
                if isinstance(wanted, type):
                    assert found is wanted
                    continue
                for result, numbers, expected in zip(found.results, found.numbers, wanted, strict=True):
                    if primitive.name == "empty":  # whose elements are whatever they are
                        continue
                    np.testing.assert_array_equal(result, expected)
                    result = np.asarray(result)
                    bad = ~np.isfinite(result) if is_poisonous(result) else np.zeros(np.shape(result), bool)
                    numbers = np.zeros(np.shape(result), int) if numbers is None else np.asarray(numbers)
                    np.testing.assert_array_equal(numbers != 0, bad)
                    for number in np.unique(numbers[bad]):
                        assert found.origins[number - 1].is_nan or not np.any(np.isnan(result[numbers == number]))


def run(text, *arguments):
    return trace(from_text(text), arguments)


def texts(traced, result=0):
    numbers = np.asarray(traced.numbers[result])
    return {
        tuple(np.argwhere(numbers == n)[0]): [o.text for o in traced.chain(int(n))] for n in np.unique(numbers) if n
    }


def test_elements_have_their_own_origins():
    traced = run(
        """program f(x: f64[n], y: f64[n]) -> (f64[n], f64) {
          a: f64[n] = log(x)
          b: f64[n] = div(x, y)
          c: f64[n] = add(a, b)
          d: f64 = view(c, 2; codes="i")
          return c, d
        }""",
        [0.0, 1.0, 2.0],
        [1.0, 0.0, 1.0],
    )
    assert texts(traced) == {(0,): ["log(0) = -inf"], (1,): ["div(1, 0) = inf"]}
    assert traced.numbers[1] is None


def test_what_is_not_chosen_has_no_consequences():
    traced = run(
        """program f(x: f64[n], p: bool[n]) -> (f64[n]) {
          a: f64[n] = log(x)
          b: f64[n] = select(p, a, x)
          return b
        }""",
        [0.0, 0.0],
        [True, False],
    )
    assert texts(traced) == {(0,): ["log(0) = -inf"]}


def test_reductions_and_writes_move_origins():
    traced = run(
        """program f(x: f64[n, m], v: f64[m]) -> (f64[n], f64[n, m]) {
          a: f64[n, m] = log(x)
          s: f64[n] = total(a; axes=(1,))
          w: f64[n, m] = update(a, v, 0; codes="i:")
          return s, w
        }""",
        [[0.0, 1.0], [1.0, -1.0], [1.0, 1.0]],
        [1.0, np.inf],
    )
    assert texts(traced) == {(0,): ["log(0) = -inf"], (1,): ["log(-1) = nan"]}
    assert texts(traced, 1) == {(0, 1): ["the argument v = inf"], (1, 1): ["log(-1) = nan"]}


def test_an_infinity_that_becomes_nan():
    traced = run(
        """program f(x: f64, n: i64) -> (f64) {
          y: f64 = loop(n, x) {
            body(k: i64, x_1: f64) {
              a: f64 = mul(x_1, x_1)
              b: f64 = sub(a, x_1)
              yield b
            }
          }
          return y
        }""",
        1e100,
        5,
    )
    first, last = traced.chain(int(traced.numbers[0]))
    assert (first.text, [i.number for i in first.iterations]) == ("mul(1e+200, 1e+200) = inf", [1])
    assert (last.text, [i.number for i in last.iterations]) == ("sub(inf, inf) = nan", [2])
    assert last.parent


def test_a_longer_array_has_the_origins_of_the_shorter_one():
    traced = run(
        """program f(x: f64[n], m: i64) -> (f64[m]) {
          a: f64[n] = log(x)
          b: f64[m] = grow(a, m)
          return b
        }""",
        [1.0, 0.0],
        100,
    )
    assert texts(traced) == {(1,): ["log(0) = -inf"]}


def test_what_is_known_of_arguments():
    first = run("program f(x: f64) -> (f64) {\n a: f64 = log(x)\n return a\n}", 0.0)
    program = from_text("program g(x: f64, y: f64) -> (f64) {\n a: f64 = add(x, y)\n return a\n}")
    second = trace(program, (-np.inf, 1.0), first.numbers, first.origins)
    assert [o.text for o in second.chain(int(second.numbers[0]))] == ["log(0) = -inf"]

"""Programs whose array work is loops over elements mean the same, and have no array arithmetic left."""

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.derive import pull, push
from adcore.laws import cases
from adcore.passes.element_loops import in_element_loops
from adcore.primitives import TABLE, Kind
from adcore.program import regions
from adcore.text import from_text, to_text
from adcore.verify import verify
from proofs.random_programs import random_arguments, random_program

ROWS = [p for p in TABLE if p.kind not in (Kind.CONTROL, Kind.CHECK)]


def equations_of(region):
    for equation in region.equations:
        yield equation
        for _, inner in regions(equation):
            yield from equations_of(inner)


def assert_means_the_same(program, arguments):
    loops = in_element_loops(program)
    verify(loops)
    for equation in equations_of(loops):
        assert equation.primitive.kind not in (Kind.REDUCTION, Kind.GATHER)
        assert equation.primitive.kind is not Kind.ELEMENTWISE or not equation.outs[0].type.shape
    for got, wanted in zip(interpret(loops, arguments), interpret(program, arguments), strict=True):
        dtype = np.asarray(wanted).dtype
        assert np.asarray(got).dtype == dtype
        short = dtype in (np.float32, np.complex64)
        np.testing.assert_allclose(got, wanted, rtol=1e-6 if short else 1e-12, atol=1e-6 if short else 1e-12)


@pytest.mark.parametrize("primitive", ROWS, ids=lambda p: p.name)
def test_every_row(primitive):
    for case in cases(primitive, seeds=(0,)):
        assert_means_the_same(case.program(*case.equation.outs), case.point)


@pytest.mark.parametrize("seed", range(100))
def test_random_programs_and_their_derivatives(seed):
    program, arguments = random_program(seed), random_arguments(seed)
    assert_means_the_same(program, arguments)
    for transform in (push, pull):
        derived = transform(program, (0, 1, 2))
        rng = np.random.default_rng(seed)
        seeds = [rng.uniform(-1, 1, (4,) * p.type.rank)[()] for p in derived.params[4:]]
        assert_means_the_same(derived, (*arguments, *seeds))


@pytest.mark.parametrize(
    ("shapes", "equations", "result", "arguments"),
    [
        ("x: f64[n, m]", "y: f64[n] = total(x; axes=(1,))", "y", [(3, 4)]),
        ("x: f64[n, m]", "y: f64[m] = total(x; axes=(0,))", "y", [(3, 4)]),
        ("x: f64[1, m]", "y: f64[1] = total(x; axes=(1,))", "y", [(1, 4)]),
        ("x: f64[n, 1]", "y: f64[n] = total(x; axes=(1,))", "y", [(3, 1)]),
        ("x: f64[1, 1]", "y: f64[1, 1] = exp(x)", "y", [(1, 1)]),
        ("x: f64[n, m, k]", "y: f64[n, k] = reduce_max(x; axes=(1,))", "y", [(2, 3, 4)]),
        ("x: f64[n, m], y: f64[m, 1]", "z: f64[n, 1] = matmul(x, y)", "z", [(2, 3), (3, 1)]),
        ("x: f64[n, m, k], y: f64[n, k, l]", "z: f64[n, m, l] = matmul(x, y)", "z", [(2, 3, 4), (2, 4, 5)]),
        ("x: f64[0, m]", "y: f64[m] = total(x; axes=(0,))", "y", [(0, 3)]),
    ],
)
def test_shapes(shapes, equations, result, arguments):
    type = equations.split("= ")[0].split(": ")[1]
    program = from_text(f"program f({shapes}) -> ({type}) {{ {equations} return {result} }}")
    rng = np.random.default_rng(0)
    assert_means_the_same(program, [rng.uniform(-1, 1, shape) for shape in arguments])


def test_a_chain_and_its_sum_are_one_loop():
    program = from_text("""program f(x: f64[n]) -> (f64) {
      y: f64[n] = sin(x)
      t: f64[n] = mul(y, x)
      s: f64 = total(t; axes=(0,))
      return s
    }""")
    assert (
        to_text(in_element_loops(program))
        == """program f(x: f64[n]) -> (f64) {
  (s: f64) = loop(n, 0.0) {
    body(i: i64, s: f64) {
      x_i: f64 = view(x, i; codes="i")
      y_i: f64 = sin(x_i)
      t: f64 = mul(y_i, x_i)
      t_1: f64 = plus(s, t)
      yield t_1
    }
  }
  return s
}
"""
    )

"""Ill-formed programs are refused, with the equation named; well-formed ones are not."""

import pytest

from adcore.builder import Builder
from adcore.errors import Source, VerifyError
from adcore.primitives import TABLE
from adcore.program import Equation, Program
from adcore.text import from_text
from adcore.types import BOOL, F64, I64, Lit, Var, f64, i64, literal
from adcore.verify import verify
from proofs.random_programs import random_program


def refused(program, message):
    with pytest.raises(VerifyError, match=message):
        verify(program)


def equation(name, *operands, out=F64, source=None, **params):
    return Equation(TABLE[name], operands, params, (Var(out, "y"),), source)


@pytest.mark.parametrize("seed", range(50))
def test_random_programs_are_well_formed(seed):
    verify(random_program(seed))


def test_use_before_definition():
    late = Var(F64, "late")
    first = equation("sin", late)
    second = Equation(TABLE["cos"], (literal(1.0),), {}, (late,))
    refused(Program((), [first, second], ()), r"equation 0 of f, `y: f64 = sin\(late\)`: late is used where it is not")


def test_result_that_is_not_defined():
    refused(Program((), [], (Var(F64, "y"),)), "results of f: y is used where it is not defined yet")


def test_second_definition():
    x = Var(F64, "x")
    refused(Program((x,), [Equation(TABLE["sin"], (x,), {}, (x,))], ()), "x is defined a second time")
    refused(Program((x, x), [], ()), "parameters of f: x is defined a second time")


def test_value_of_a_region_is_not_visible_after_it():
    program = from_text("""program f(c: bool, x: f64) -> (f64) {
      (y: f64) = cond(c) {
        then() { v: f64 = sin(x) yield v }
        otherwise() { yield x }
      }
      return y
    }""")
    inner = program.equations[0].params["then"].equations[0].outs[0]
    program.results = (inner,)
    refused(program, "v is used where it is out of scope")


def test_one_region_used_twice():
    x, c = Var(F64, "x"), Var(BOOL, "c")
    b = Builder()
    region = b.region()
    branch = region.program((), (region.sin(x),))
    refused(
        Program((x, c), [Equation(TABLE["cond"], (c,), {"then": branch, "otherwise": branch}, (Var(F64, "y"),))], ()),
        "the otherwise of a cond in f.*defined a second time",
    )


def test_length_that_is_not_defined():
    n = Var(I64, "n")
    refused(
        Program((), [equation("expand", literal(1.0), n, out=f64(n), axes=(0,))], ()),
        "n is used where it is not defined",
    )
    region_param = Var(f64(n), "a")
    body = Program((Var(I64, "i"), region_param), [], (region_param,))
    x = Var(f64(Var(I64, "m")), "x")
    looped = Equation(TABLE["loop"], (literal(2), x), {"body": body}, (Var(x.type, "y"),))
    refused(Program((x,), [looped], ()), "parameters of the body of a loop in f: n is used where it is not defined yet")


def test_length_that_is_no_integer():
    refused(Program((Var(f64(Var(F64, "n")), "x"),), [], ()), "n, a length of x, is f64, not i64")


def test_result_type_must_be_the_rules():
    x = Var(f64(Var(I64, "n")), "x")
    refused(Program((x,), [equation("sin", x)], ()), r"y is f64, the type rule gives f64\[n\]")


def test_rule_that_refuses_the_operands():
    refused(Program((), [equation("sin", literal(1))], ()), "sin is not defined on int64")
    refused(Program((), [equation("view", literal(1.0))], ()), "codes")


def test_number_of_results():
    y = Equation(TABLE["sin"], (literal(1.0),), {}, ())
    refused(Program((), [y], ()), "1 results, 0 names")


def test_parameters_are_static():
    x = Var(f64(Var(I64, "n")), "x")
    refused(Program((x,), [equation("total", x, axes=[0])], ()), r"parameter axes=\[0\] is not static")
    refused(Program((), [equation("sin", literal(1.0), body=Program(()))], ()), "only control flow has regions")


def test_operand_is_an_atom():
    refused(Program((), [equation("sin", 1.0)], ()), "operand 1.0 is neither a value nor a literal")


def test_primitive_is_a_primitive():
    refused(Program((), [Equation("sin", (), {}, ())], ()), "is not a primitive")


def test_carry_keeps_its_type():
    i, s = Var(I64, "i"), Var(F64, "s")
    body = Program((i, s), [], (i,))
    looped = Equation(TABLE["loop"], (literal(2), literal(0.0)), {"body": body}, (Var(F64, "y"),))
    refused(Program((), [looped], ()), "the body turns")


def test_test_takes_the_carries():
    s, k = Var(F64, "s"), Var(I64, "k")
    body, test = Program((s,), [], (s,)), Program((k,), [], (Lit(True, BOOL.dtype),))
    looped = Equation(TABLE["while"], (literal(0.0),), {"test": test, "body": body}, (Var(F64, "y"),))
    refused(Program((), [looped], ()), "the test takes 1 values")


def test_carried_length_may_start_from_a_literal():
    """A growable stack: its capacity is carried beside it."""
    verify(
        from_text("""program f(n: i64) -> (i64) {
          e: i64[0] = empty(0; dtype=i64)
          (m: i64, s: i64[m]) = loop(n, 0, e) {
            body(i: i64, m: i64, s: i64[m]) {
              k: i64 = add(m, 1)
              g: i64[k] = grow(s, k)
              yield k, g
            }
          }
          return m
        }""")
    )


def test_known_length_is_not_learned_in_a_loop():
    n = Var(I64, "n")
    x, s = Var(i64(n), "x"), Var(i64(1), "s")
    body = Program((Var(I64, "i"), s), [], (s,))
    looped = Equation(TABLE["loop"], (literal(2), x), {"body": body}, (Var(i64(1), "y"),))
    refused(Program((x,), [looped], ()), "loop: initial")


def test_error_shows_the_users_line():
    place = Source("model.py", 3, "f", 4, 10, "y = sin(x)")
    with pytest.raises(VerifyError) as caught:
        verify(Program((), [equation("sin", literal(1), source=place)], ()))
    assert 'File "model.py", line 3, in f' in str(caught.value)

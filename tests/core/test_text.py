"""The text form prints and parses back; errors say where the text stops making sense."""

import math
from pathlib import Path

import pytest
from adcore_numpy import interpret
from hypothesis import given, settings
from hypothesis import strategies as st

from adcore.builder import Builder
from adcore.derive import pull
from adcore.errors import Source, VerifyError
from adcore.laws import cases
from adcore.naming import Names, identifier
from adcore.primitives import TABLE, Kind
from adcore.program import Program, clone
from adcore.text import from_text, to_text
from adcore.types import F64, Lit, Var, literal
from adcore.verify import verify
from proofs.random_programs import random_arguments, random_program

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.adcore"))
few = settings(max_examples=60, derandomize=True, deadline=None)


def comparable(values):
    return [v.tolist() if hasattr(v, "tolist") else v for v in values]


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_round_trip(seed):
    program = random_program(seed)
    text = to_text(program)
    parsed = from_text(text)
    verify(parsed)
    assert to_text(parsed) == text
    arguments = random_arguments(seed)
    assert comparable(interpret(parsed, arguments)) == comparable(interpret(program, arguments))


@pytest.mark.parametrize("seed", range(10))
def test_derivatives_round_trip(seed):
    text = to_text(pull(random_program(seed), (0, 1, 2)))
    verify(from_text(text))
    assert to_text(from_text(text)) == text


# A call of a Python function as it stands is printed by the function's name, which cannot be read back.
ROWS = [p for p in TABLE if p.kind is not Kind.HOST]


@pytest.mark.parametrize("primitive", ROWS, ids=lambda p: p.name)
def test_every_row_round_trips(primitive):
    for case in cases(primitive, seeds=(0,)):
        text = to_text(case.program(*case.equation.outs))
        verify(from_text(text))
        assert to_text(from_text(text)) == text


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_golden_programs_print_as_they_are_written(path):
    program = from_text(path.read_text())
    verify(program)
    assert to_text(program) == path.read_text()


def test_names_do_not_matter():
    """Printing is alpha-equivalence once the names are all the same."""

    def nameless(region):
        region.name = "f"
        for variable in (*region.params, *(v for e in region.equations for v in e.outs)):
            variable.name = "t"
        for param in region.params:
            for length in param.type.shape:
                if isinstance(length, Var):
                    length.name = "t"
        for e in region.equations:
            for value in e.params.values():
                if isinstance(value, Program):
                    nameless(value)
        return region

    for seed in range(20):
        program = random_program(seed)
        parsed = from_text(to_text(program))
        assert to_text(nameless(parsed)) == to_text(nameless(clone(program)))


@few
@given(st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans()))
def test_literals_keep_dtype_and_bits(value):
    lit = literal(value)
    (back,) = from_text(to_text(Program((), [], (lit,)))).results
    assert back == lit
    assert isinstance(back, Lit)
    assert type(back.value) is type(value)
    assert math.copysign(1.0, back.value) == math.copysign(1.0, value) or math.isnan(value)


@few
@given(st.text(max_size=20))
def test_messages_keep_their_characters(message):
    b = Builder()
    x = Var(F64, "x")
    b.check(b.lt(x, 1.0), error="ValueError", message=message)
    program = from_text(to_text(Program((x,), b.equations, ())))
    assert program.equations[-1].params == {"error": "ValueError", "message": message}


@few
@given(st.lists(st.text(max_size=6), min_size=1, max_size=6))
def test_any_names_become_distinct_identifiers(names):
    params = tuple(Var(F64, name) for name in names)
    text = to_text(Program(params, [], params))
    assert to_text(from_text(text)) == text
    assert len({p.name for p in from_text(text).params}) == len(params)


def test_names_collide_only_in_scope():
    outer = Names()
    assert outer.enter(Var(F64, "x")) == "x"
    inner = Names(outer)
    assert inner.enter(Var(F64, "x")) == "x_1"
    assert inner.enter(Var(F64, "y")) == "y"
    assert outer.enter(Var(F64, "y")) == "y"
    assert identifier("x.T") == "x_T"


def test_sources_are_comments_where_the_line_changes():
    b = Builder()
    x = Var(F64, "x")
    b.source = Source("model.py", 3)
    t = b.mul(b.sin(x), 2.0)
    b.source = Source("model.py", 4)
    y = b.exp(t)
    assert to_text(Program((x,), b.equations, (y,)), sources=True).splitlines()[1:4] == [
        "  t: f64 = sin(x)  # model.py:3",
        "  t_1: f64 = mul(t, 2.0)",
        "  t_2: f64 = exp(t_1)  # model.py:4",
    ]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("program f(x: f64) -> (f64) {\n  y: f64 = sinn(x)\n  return y\n}", "no primitive is called 'sinn'", 2),
        ("program f(x: f64) -> (f64) {\n  y: f64 = sin(z)\n  return y\n}", "z is not defined", 2),
        ("program f(x: f64) -> (f64) {\n  x: f64 = sin(x)\n  return x\n}", "x is defined already", 2),
        ("program f(x: f64) -> (i64) {\n  return x\n}", "not those of the results", 1),
        ("program f(x: f65) -> () {\n  return\n}", "no dtype is called 'f65'", 1),
        ("program f(x: f64[n) -> () { return }", "a type does not end", 1),
        ("program f() -> () {\n\n  return $\n}", "unexpected character '\\$'", 3),
        ("program f() -> () {\n  return\n} more", "expected the end, got 'more'", 3),
        ("program", "expected a name, got 'the end'", 1),
    ],
)
def test_errors_name_the_line(text, message, line):
    with pytest.raises(VerifyError, match=message) as caught:
        from_text(text)
    assert caught.value.source is not None
    assert caught.value.source.line == line


def test_value_of_a_region_is_not_visible_after_it():
    with pytest.raises(VerifyError, match="v is not defined"):
        from_text(
            "program f(c: bool) -> (f64) { (y: f64) = cond(c) {"
            " then() { v: f64 = sin(1.0) yield v } otherwise() { yield 2.0 } } return v }"
        )

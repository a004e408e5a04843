"""Printed Python runs, and computes what the program means."""

import re
from pathlib import Path

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.derive import pull, push
from adcore.errors import Source
from adcore.laws import cases
from adcore.primitives import TABLE, Kind
from adcore.program import Program
from adcore.python_source import to_python
from adcore.text import from_text, to_text
from adcore.types import F64, DType, Var
from proofs.random_programs import random_arguments, random_program

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.adcore"))


FORMS = ["arrays", "loops"]


def executed(program, arguments, form="arrays"):
    """The results of the printed function, which must leave its arguments as they are."""
    names = {}
    source = to_python(program, form)
    exec(source, names)
    (function,) = re.findall(r"^def (?!span)(\w+)", source, re.MULTILINE)
    mine = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
    with np.errstate(all="ignore"):
        results = names[function](*mine)
    for before, after in zip(arguments, mine, strict=True):
        np.testing.assert_array_equal(before, after)
    return results if len(program.results) != 1 else (results,)


def assert_means_the_same(program, arguments, form="arrays", **tolerance):
    results = zip(executed(program, arguments, form), interpret(program, arguments), strict=True)
    for got, wanted in results:
        np.testing.assert_allclose(got, wanted, **{"rtol": 1e-13, "atol": 0, **tolerance})
        assert np.asarray(got).dtype == np.asarray(wanted).dtype


def scalars_as_python(arguments):
    python = np.float64, np.int64, np.bool_, np.complex128
    return [a.item() if isinstance(a, python) else a for a in arguments]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(200))
def test_random_programs(seed, form):
    assert_means_the_same(random_program(seed), random_arguments(seed), form, atol=1e-15 if form == "loops" else 0)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("transform", [push, pull])
@pytest.mark.parametrize("form", FORMS)
def test_derivatives_of_random_programs(seed, transform, form):
    program = transform(random_program(seed), (0, 1, 2))
    rng = np.random.default_rng(seed)
    seeds = [rng.uniform(-1, 1, (4,) * p.type.rank)[()] for p in program.params[4:]]
    assert_means_the_same(program, (*random_arguments(seed), *scalars_as_python(seeds)), form, atol=1e-12)


# A call of a Python function as it stands is printed by the function's name, which cannot be read back.
ROWS = [p for p in TABLE if p.kind is not Kind.HOST]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("primitive", ROWS, ids=lambda p: p.name)
def test_every_row(primitive, form):
    for case in cases(primitive, seeds=(0,)):
        program = case.program(*case.equation.outs)
        single = {p.type.dtype.real for p in program.params} & {DType.F32} and form == "loops"
        close = {"rtol": 1e-6, "atol": 1e-6} if single else {}  # of sums in another order
        assert_means_the_same(program, scalars_as_python(case.point), form, **close)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_golden_source(path, form):
    golden = path.with_suffix(".python" if form == "arrays" else ".loops")
    assert to_python(from_text(path.read_text()), form) == golden.read_text()


def source_of(head, *equations, result):
    return to_python(
        from_text("\n".join([f"program f({head}) -> {result[0]} {{", *equations, f"return {result[1]} }}"]))
    )


def body(source):
    return [line.strip() for line in source.splitlines() if line.startswith("    ")]


@pytest.mark.parametrize(
    ("equations", "expected"),
    [
        (["t: f64 = add(x, y)", "t_1: f64 = mul(t, x)"], "(x + y) * x"),
        (["t: f64 = add(x, y)", "t_1: f64 = add(x, t)"], "x + (x + y)"),
        (["t: f64 = add(x, y)", "t_1: f64 = add(t, x)"], "x + y + x"),
        (["t: f64 = sub(x, y)", "t_1: f64 = neg(t)"], "-(x - y)"),
        (["t: f64 = neg(x)", "t_1: f64 = sub(y, t)"], "y - -x"),
        (["t_1: f64 = mul(x, -2.0)"], "x * -2.0"),
        (["t_1: f64 = div(x, y)"], "np.divide(x, y)"),
        (["t_1: f64 = div(x, 2.0)"], "x / 2.0"),
        (["t: f64 = sin(x)", "t_1: f64 = div(t, y)"], "np.sin(x) / y"),
        (["t: bool = lt(x, y)", "t_1: f64 = select(t, x, nan)"], "x if x < y else np.nan"),
        (["t_1: f64 = maximum(x, -inf)"], "np.maximum(x, -np.inf)"),
        (["t_1: f64 = pow(x, y)"], "np.power(x, y)"),
    ],
)
def test_scalar_expressions(equations, expected):
    assert body(source_of("x: f64, y: f64", *equations, result=("(f64)", "t_1"))) == [f"return {expected}"]


def test_conditions_and_their_negations():
    equations = [
        "t: bool = lt(x, y)",
        "t_1: bool = eq(i, 2)",
        "t_2: bool = or(t, t_1)",
        "t_3: bool = not(t_2)",
        "t_4: bool = and(t_3, p)",
    ]
    text = source_of("x: f64, y: f64, i: i64, p: bool", *equations, result=("(bool)", "t_4"))
    assert body(text) == ["return not (x < y or i == 2) and p"]


@pytest.mark.parametrize(
    ("codes", "operands", "expected"),
    [
        ("i:", "2", "x[2, :]"),
        (":i", "k", "x[:, k]"),
        ("s:", "1, 2, 1", "x[1:3, :]"),
        ("s:", "0, k, 1", "x[:k, :]"),
        ("s:", "k, 2, 1", "x[k:k + 2, :]"),
        ("s:", "0, 2, 3", "x[:6:3, :]"),
        ("s:", "4, 3, -1", "x[2:5, :][::-1]"),
        ("is", "0, 4, 3, -1", "x[0, 2:5][::-1]"),
        ("s:", "k, 2, k", "x[span(k, 2, k), :]"),
    ],
)
def test_subscripts(codes, operands, expected):
    kept = {"i:": "m", ":i": "n", "is": "3"}.get(codes) or f"{operands.split(', ')[1]}, m"
    text = source_of(
        "x: f64[n, m], k: i64", f'y: f64[{kept}] = view(x, {operands}; codes="{codes}")', result=(f"(f64[{kept}])", "y")
    )
    assert f"y = {expected}" in text


def test_checks_become_statements():
    text = source_of(
        "i: i64, n: i64",
        "t: bool = lt(i, n)",
        'check(t, i, n; error="IndexError", message="index {} is {{out}} of \\"size\\" {1:d}")'.replace("{}", "{0}"),
        result=("(i64)", "i"),
    )
    assert body(text)[:2] == [
        "if i >= n:",
        'raise IndexError(f"index {i} is {{out}} of \\"size\\" {n:d}")',
    ]
    names = {}
    exec(text, names)
    assert names["f"](1, 2) == 1
    with pytest.raises(IndexError, match=re.escape('index 2 is {out} of "size" 2')):
        names["f"](2, 2)


def test_loops_hand_over_what_a_message_reports():
    """Numba writes no numbers into text but whole ones, and takes long for these."""
    program = from_text("""program f(x: f64) -> (f64) {
      t: bool = lt(x, 1.0)
      check(t, x; error="ValueError", message="{{x}} is {0:g}")
      return x
    }""")
    text = to_python(program, "loops")
    assert body(text)[:2] == ["if not x < 1.0:", 'raise Failure(ValueError, "{{x}} is {0:g}", x)']
    names = {}
    exec(text, names)
    with pytest.raises(ValueError, match=re.escape("{x} is 1.5")):
        names["f"](1.5)


@pytest.mark.parametrize("part", ["real", "imag"])
@pytest.mark.parametrize("form", FORMS)
def test_a_part_of_complex_numbers_is_not_written_in_place(part, form):
    """NumPy's `y.real` is a view."""
    program = from_text(f"""program f(x: c128[n]) -> (f64[n], c128[n], f64[n]) {{
      y: c128[n] = mul(x, x)
      r: f64[n] = {part}(y)
      w: f64[n] = update(r, 7.0, 0; codes="i")
      z: f64[n] = {part}(x)
      return w, y, z
    }}""")
    names = {}
    exec(to_python(program, form), names)
    x = np.array([1 + 2j, 3j])
    w, y, z = names["f"](x)
    np.testing.assert_array_equal(w, [7.0, getattr(x[1] ** 2, part)])
    np.testing.assert_array_equal(y, x * x)
    assert not np.shares_memory(x, z)


def test_a_float_comparison_is_negated_as_a_whole():
    """`not (x < y)` is true of nan, `x >= y` is not."""
    text = source_of(
        "x: f64", "t: bool = lt(x, 1.0)", 'check(t; error="ValueError", message="no")', result=("(f64)", "x")
    )
    assert body(text)[0] == "if not x < 1.0:"


def test_lengths_are_checked_where_arrays_share_them():
    program = from_text("program f(x: f64[n], y: f64[n]) -> (f64[n]) { z: f64[n] = add(x, y) return z }")
    names = {}
    exec(to_python(program), names)
    with pytest.raises(ValueError, match="y has the shape"):
        names["f"](np.ones(2), np.ones(3))


def test_conform_checks_the_shape():
    text = """program f(x: f64[n], y: f64[m]) -> (f64[m]) {
      z: f64[m] = conform(x, m; checked=True)
      w: f64[m] = add(z, y)
      return w
    }"""
    names = {}
    exec(to_python(from_text(text)), names)
    np.testing.assert_array_equal(names["f"](np.ones(2), np.ones(2)), [2, 2])
    with pytest.raises(ValueError, match=r"could not be broadcast together with shapes \(2,\) \(3,\)"):
        names["f"](np.ones(2), np.ones(3))


def test_writes_go_in_place_when_the_old_value_is_dead():
    text = """program f(x: f64[n]) -> (f64[n]) {
      y: f64[n] = add(x, x)
      z: f64[n] = update(y, 1.0, 0; codes="i")
      return z
    }"""
    assert body(to_python(from_text(text))) == ["y = x + x", "y[0] = 1.0", "return y"]


def test_writes_copy_when_a_view_of_the_old_value_is_read_later():
    program = from_text("""program f(x: f64[n]) -> (f64[n], f64) {
      y: f64[n] = add(x, x)
      v: f64[2] = view(y, 0, 2, 1; codes="s")
      z: f64[n] = update(y, 1.0, 0; codes="i")
      s: f64 = total(v; axes=(0,))
      return z, s
    }""")
    assert "z = y.copy()" in to_python(program)
    assert_means_the_same(program, (np.arange(3.0),))


def test_users_lines_are_comments():
    b = Builder()
    x = Var(F64, "x")
    b.source = Source("/home/me/model.py", 12)
    y = b.exp(b.sin(x))
    y.name = "y"
    b.source = Source("/home/me/model.py", 13)
    z = b.mul(y, y)
    z.name = "z"
    source = to_python(Program((x,), b.equations, (z,)))
    assert body(source) == ["y = np.exp(np.sin(x))  # model.py:12", "z = y * y  # model.py:13", "return z"]


def test_lines_stay_readable():
    for seed in range(60):
        for line in to_python(pull(random_program(seed), (0, 1, 2))).splitlines():
            assert len(line) <= 100 or "raise" in line


def test_printing_leaves_the_program_alone():
    program = random_program(3)
    before = to_text(program)
    to_python(program)
    assert to_text(program) == before


def test_what_reads_memory_is_written_down_before_a_write_to_it():
    program = from_text("""program f(x: f64[n]) -> (f64[n], f64) {
      y: f64[n] = add(x, x)
      t: f64 = view(y, 0; codes="i")
      t_1: f64 = sin(t)
      z: f64[n] = update(y, 1.0, 0; codes="i")
      return z, t_1
    }""")
    assert body(to_python(program)) == ["y = x + x", "t_1 = np.sin(y[0])", "y[0] = 1.0", "return y, t_1"]
    assert_means_the_same(program, (np.arange(1.0, 4.0),))


def test_what_reads_a_variable_is_written_down_before_it_is_assigned():
    program = from_text("""program f(x: f64) -> (f64) {
      y: f64 = mul(x, x)
      t: f64 = sin(y)
      y_1: f64 = mul(y, 2.0)
      z: f64 = exp(y_1)
      w: f64 = add(z, t)
      return w
    }""")
    program.equations[2].outs[0].name = "y"
    assert body(to_python(program))[:3] == ["y = x * x", "t = np.sin(y)", "y = y * 2.0"]
    assert_means_the_same(program, (0.5,))


def test_carries_that_change_places_are_assigned_together():
    program = from_text("""program f(n: i64) -> (i64) {
      (a: i64, b: i64) = loop(n, 0, 1) {
        body(i: i64, a: i64, b: i64) { t: i64 = add(a, b) yield b, t }
      }
      return a
    }""")
    assert "a, b = b, a + b" in body(to_python(program))
    assert_means_the_same(program, (10,))


def test_equal_initial_arrays_are_made_twice():
    """A shared array of zeros that two carries start from is two arrays in Python."""
    program = from_text("""program f(n: i64) -> (f64[n], f64[n]) {
      z: f64[n] = expand(0.0, n; axes=(0,))
      (a: f64[n], b: f64[n]) = loop(n, z, z) {
        body(i: i64, a: f64[n], b: f64[n]) {
          a_1: f64[n] = update(a, 1.0, i; codes="i")
          b_1: f64[n] = update(b, 2.0, i; codes="i")
          yield a_1, b_1
        }
      }
      return a, b
    }""")
    assert body(to_python(program))[:2] == ["a = np.zeros(n)", "b = np.zeros(n)"]
    assert "copy" not in to_python(program)
    assert_means_the_same(program, (3,))


def test_an_argument_is_copied_once_before_a_loop_writes_it():
    program = from_text("""program f(x: f64[n]) -> (f64[n]) {
      (y: f64[n]) = loop(n, x) {
        body(i: i64, y: f64[n]) { y_1: f64[n] = update(y, 1.0, i; codes="i") yield y_1 }
      }
      return y
    }""")
    assert body(to_python(program)) == [
        "n = x.shape[0]",
        "x = x.copy()",
        "for i in range(n):",
        "x[i] = 1.0",
        "return x",
    ]
    assert_means_the_same(program, (np.zeros(3),))

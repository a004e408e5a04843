"""Functions with stated derivatives as equations: marks that come and go, what is linear, values by either backend."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_numpy.interpreter import interpret

import adcore
from adcore import custom_jvp, custom_vjp, stop_gradient
from adcore.demands import collecting
from adcore.derive import pull, push
from adcore.linearity import Kind, NotLinearError, kinds_of
from adcore.marks import is_mark
from adcore.passes.dce import eliminate_dead
from adcore.passes.inline import has_custom, inline_customs
from adcore.primitives import TABLE
from adcore.program import clone, regions
from adcore.rules import expand_rules
from adcore.text import from_text, to_text
from adcore.verify import verify

X = np.array([0.4, -0.7, 1.1])


@custom_jvp
def f(x, y):
    return np.sin(x) * y, np.sum(x)


@f.defjvp
def f_jvp(primals, tangents):
    x, y = primals
    dx, dy = tangents
    s = 0.0
    for i in range(len(x)):
        s += dx[i]
    return f(x, y), (np.cos(x) * y * dx + np.sin(x) * dy, s)


@custom_vjp
def g(x):
    return x[1:] * x[:-1]


def g_backward(x, ct):
    out = np.zeros(len(x))
    out[1:] += ct * x[:-1]
    out[:-1] += ct * x[1:]
    return (out,)


g.defvjp(lambda x: (g(x), x), g_backward)


def composed(x):
    s = 0.0
    for _ in range(2):
        a, b = f(x, np.cos(x))
        s += np.sum(g(a)) * b
        if s > 0.0:
            x = f(a, x)[0]
    return s * np.sum(stop_gradient(x))


def equations(region):
    for equation in region.equations:
        yield equation
        for _, inner in regions(equation):
            yield from equations(inner)


@pytest.fixture
def program():
    found = adcore.program(composed, X)
    verify(found)
    return found


def test_the_row_is_a_region():
    assert TABLE["custom"].has_regions
    assert not any(name in TABLE for name in ("once", "tangent", "attach", "ruled"))


def test_values_are_those_of_the_body(program):
    assert has_custom(program)
    before = to_text(program)
    (expected,) = interpret(program, (X,))
    assert composed(X) == pytest.approx(expected)
    inlined = inline_customs(program)
    assert to_text(program) == before
    assert not has_custom(inlined)
    verify(inlined)
    assert interpret(inlined, (X,)) == (expected,)
    assert inline_customs(inlined) is inlined


def test_text_reads_back(program):
    text = to_text(program)
    read = from_text(text)
    verify(read)
    assert to_text(read) == text
    assert 'name="f"' in text
    assert interpret(read, (X,)) == interpret(program, (X,))


@pytest.mark.parametrize("derive", [push, pull], ids=["push", "pull"])
def test_marks_come_and_go(program, derive):
    expanded = clone(program)
    assert expand_rules(expanded, {expanded.params[0]})
    verify(expanded)
    marks = {"once", "detach", "tangent", "attach", "ruled"}
    assert {e.primitive.name for e in equations(expanded) if is_mark(e)} == marks
    assert interpret(expanded, (X,)) == pytest.approx(interpret(program, (X,)))
    before = to_text(program)
    derived = derive(program, (0,))
    assert to_text(program) == before
    verify(derived)
    assert not any(is_mark(e) for e in equations(derived))
    twice = derive(derived, (0,))
    verify(twice)
    assert not any(is_mark(e) for e in equations(twice))


def test_what_the_derivative_does_not_reach_is_left_alone(program):
    expanded = clone(program)
    assert not expand_rules(expanded, set())
    assert to_text(expanded) == to_text(program)


def test_all_results_are_kept_or_none():
    text = """
    program p(x: f64) -> (f64) {
      (a: f64, b: f64) = custom(x; name="pair") {
        body() {
          s: f64 = sin(x)
          c: f64 = cos(x)
          yield s, c
        }
      }
      return a
    }
    """
    kept = eliminate_dead(from_text(text))
    assert [len(e.outs) for e in kept.equations] == [2]
    unused = from_text(text)
    unused.results = (unused.params[0],)
    assert eliminate_dead(unused).equations == []


def test_captures_need_somebody_to_take_them():
    weights = np.array([1.0, 2.0, 3.0])
    h = custom_vjp(lambda x: np.sum(x))
    h.defvjp(lambda x: (np.sum(x), ()), lambda _, ct: (ct * weights,))
    program = adcore.program(lambda x: h(x), X)
    with pytest.raises(adcore.CompileError, match="reads values from outside"):
        pull(program, (0,))
    with collecting() as demands:
        pull(program, (0,))
    assert [capture.name for _, capture in demands.captures] == ["weights"]


PRODUCT = "y: f64[n] = mul(c, t)"
LINEAR = {
    "mul(c, t)": Kind.LINEAR,
    "mul(t, t)": None,
    "add(t, t)": Kind.LINEAR,
    "add(c, t)": None,
    "add(c, c)": Kind.CONSTANT,
    "mul(z, t)": Kind.LINEAR,
    "mul(z, c)": Kind.ZERO,
    "add(z, t)": Kind.LINEAR,
    "add(z, z)": Kind.ZERO,
    "add(z, c)": Kind.CONSTANT,
    "div(t, c)": Kind.LINEAR,
    "div(c, t)": None,
    "sub(t, z)": Kind.LINEAR,
    "exp(t)": None,
    "exp(z)": Kind.CONSTANT,
    "neg(t)": Kind.LINEAR,
    "abs(t)": None,
    "sign(t)": None,
    "floor(t)": None,
    "maximum(t, c)": None,
    "maximum(c, c)": Kind.CONSTANT,
    "pow(t, c)": None,
    "pow(c, t)": None,
    "minimum(z, t)": None,
    "select(m, t, z)": Kind.LINEAR,
    "select(m, t, c)": None,
    "select(m, z, c)": Kind.CONSTANT,
    "sqrt(z)": Kind.CONSTANT,
    "mul(z, o)": Kind.ZERO,
    "div(z, c)": Kind.ZERO,
    "select(m, z, o)": Kind.ZERO,
    "plus(t, t)": Kind.LINEAR,
    'update(t, t; codes=":")': Kind.LINEAR,
    'update(z, t; codes=":")': Kind.LINEAR,
    'update(c, t; codes=":")': None,
    "empty(n; dtype=f64)": Kind.ZERO,
}


@pytest.mark.parametrize("call", LINEAR)
def test_what_is_linear(call):
    program = from_text(f"""
    program p(c: f64[n], t: f64[n], m: bool[n]) -> (f64[n]) {{
      z: f64[n] = expand(0.0, n; axes=(0,))
      o: f64[n] = expand(-0.0, n; axes=(0,))
      y: f64[n] = {call}
      return y
    }}
    """)
    verify(program)
    if LINEAR[call] is None:
        with pytest.raises(NotLinearError, match="linear"):
            kinds_of(program, program.params[1:2])
    else:
        assert kinds_of(program, program.params[1:2]) == [LINEAR[call]]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("w: f64 = mul(c, s)", Kind.LINEAR),
        ("w: f64 = add(s, t)", Kind.LINEAR),
        ("w: f64 = add(s, c)", None),
        ("w: f64 = mul(s, s)", None),
        ("w: f64 = mul(s, t)", None),
    ],
)
def test_loops_that_are_linear(body, kind):
    program = from_text(f"""
    program p(c: f64, t: f64, n: i64) -> (f64) {{
      (y: f64) = loop(n, t) {{
        body(k: i64, s: f64) {{
          {body}
          yield w
        }}
      }}
      return y
    }}
    """)
    verify(program)
    if kind is None:
        with pytest.raises(NotLinearError):
            kinds_of(program, program.params[1:2])
    else:
        assert kinds_of(program, program.params[1:2]) == [kind]


def test_carries_that_are_zero_at_first():
    """Both factors begin as zeros; one turns out to be a constant, and the other linear."""
    program = from_text("""
    program p(c: f64, t: f64, n: i64) -> (f64, f64, f64) {
      (y: f64, z: f64, w: f64) = loop(n, 0.0, 0.0, 0.0) {
        body(k: i64, s: f64, r: f64, q: f64) {
          u: f64 = mul(q, r)
          v: f64 = add(s, u)
          w: f64 = add(r, t)
          x: f64 = add(q, c)
          yield v, w, x
        }
      }
      return y, z, w
    }
    """)
    assert kinds_of(program, program.params[1:2]) == [Kind.LINEAR, Kind.LINEAR, Kind.CONSTANT]


def test_a_sum_from_zero_is_linear_once_it_is_added_to():
    program = from_text("""
    program p(c: f64, t: f64, n: i64) -> (f64, f64) {
      (y: f64, z: f64) = loop(n, 0.0, 0.0) {
        body(k: i64, s: f64, r: f64) {
          u: f64 = mul(c, r)
          v: f64 = add(s, u)
          w: f64 = add(r, t)
          yield v, w
        }
      }
      return y, z
    }
    """)
    assert kinds_of(program, program.params[1:2]) == [Kind.LINEAR, Kind.LINEAR]

"""Places in blocks: what is said to be apart is so wherever it is computed, and what is not does not pass."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.independence import Apart, roles
from adcore.polynomials import Polynomial
from adcore.text import from_text
from adcore.types import I64, Var
from adcore.verify import verify

LOOPS = """
program f(n: i64, m: i64, rows: i64, size: i64) -> (f64[size]) {{
  a: f64[size] = expand(0.0, size; axes=(0,))
  nm: i64 = mul(n, m)
  (b: f64[size], at: i64) = loop(rows, a, 0) {{
    body(k: i64, b: f64[size], at: i64) {{
      {outer}
      t: i64 = maximum({trips}, 0)
      (d: f64[size]) = loop(t, b) {{
        body(j: i64, d: f64[size]) {{
          {inner}
          low: bool = lt(place, 0)
          shifted: i64 = add(place, size)
          index: i64 = select(low, shifted, place)
          v: f64 = view(d, index; codes="i")
          w: f64 = cast(k; dtype=f64)
          x: f64 = mul(v, w)
          y: f64 = add(x, 1.0)
          e: f64[size] = update(d, y, index; codes="i")
          yield e
        }}
      }}
      up: i64 = add(at, n)
      yield d, up
    }}
  }}
  return b
}}
"""

# Where a block begins, how many places of it are touched, and where they are in it.
BEGINS = {
    "k n": "s: i64 = mul(k, n)",
    "k m": "s: i64 = mul(k, m)",
    "k n m": "s: i64 = mul(k, nm)",
    "(k + 1) n": "k1: i64 = add(k, 1) s: i64 = mul(k1, n)",
    "(k - 1) n": "k1: i64 = sub(k, 1) s: i64 = mul(k1, n)",
    "(rows - 1 - k) n": "r: i64 = sub(rows, 1) k1: i64 = sub(r, k) s: i64 = mul(k1, n)",
    "3 k": "s: i64 = mul(k, 3)",
    "at": "s: i64 = add(at, 0)",
    "k k": "s: i64 = mul(k, k)",
    "-k n": "k1: i64 = neg(k) s: i64 = mul(k1, n)",
}
TRIPS = {"n": "n", "m": "m", "3": "3", "2": "2", "n - 1": "below", "n + 1": "above", "k": "k"}
WITHIN = {
    "j": "place: i64 = add(s, j)",
    "j + 1": "j1: i64 = add(j, 1) place: i64 = add(s, j1)",
    "j - 1": "j1: i64 = sub(j, 1) place: i64 = add(s, j1)",
    "t - 1 - j": "last: i64 = sub(t, 1) j1: i64 = sub(last, j) place: i64 = add(s, j1)",
    "2 j": "j1: i64 = mul(j, 2) place: i64 = add(s, j1)",
    "m j": "j1: i64 = mul(j, m) place: i64 = add(s, j1)",
    "j j": "j1: i64 = mul(j, j) place: i64 = add(s, j1)",
    "0": "place: i64 = add(s, 0)",
    "m": "place: i64 = add(s, m)",
}

_ANY = ("j", "j + 1", "t - 1 - j")
APART = {
    **dict.fromkeys((("k n", "n"), ("k n", "n - 1"), ("k m", "m"), ("at", "n"), ("at", "n - 1")), _ANY),
    **dict.fromkeys((("(k + 1) n", "n"), ("(k + 1) n", "n - 1")), (*_ANY, "j - 1")),
    **dict.fromkeys((("(rows - 1 - k) n", "n"), ("(rows - 1 - k) n", "n - 1")), _ANY),
    **{("3 k", trips): ("0",) for trips in TRIPS},
    ("3 k", "3"): (*_ANY, "0"),
    ("3 k", "2"): (*_ANY, "2 j", "0"),
}


def loops(begin, trips, within):
    """Rows of a flat array, by nested loops."""
    outer = f"{BEGINS[begin]} below: i64 = sub(n, 1) above: i64 = add(n, 1)"
    program = from_text(LOOPS.format(outer=outer, trips=TRIPS[trips], inner=WITHIN[within]))
    verify(program)
    return program


def role(program):
    (loop,) = (e for e in program.equations if e.primitive.name == "loop")
    found = roles(loop)
    return None if found is None else found[0]


def touched(begin, trips, within, n, m, rows, size):
    """The elements that each iteration touches, as Python would; None if one is out of range."""
    for k in range(rows):
        s = _BEGINS[begin](k, n, m, rows)
        t = {"n": n, "m": m, "3": 3, "2": 2, "n - 1": n - 1, "n + 1": n + 1, "k": k}[trips]
        places = [s + _WITHIN[within](j, t, m) for j in range(t)]
        yield None if any(not -size <= p < size for p in places) else {p % size for p in places}


_BEGINS = {
    "k n": lambda k, n, m, rows: k * n,
    "k m": lambda k, n, m, rows: k * m,
    "k n m": lambda k, n, m, rows: k * n * m,
    "(k + 1) n": lambda k, n, m, rows: (k + 1) * n,
    "(k - 1) n": lambda k, n, m, rows: (k - 1) * n,
    "(rows - 1 - k) n": lambda k, n, m, rows: (rows - 1 - k) * n,
    "3 k": lambda k, n, m, rows: 3 * k,
    "at": lambda k, n, m, rows: k * n,
    "k k": lambda k, n, m, rows: k * k,
    "-k n": lambda k, n, m, rows: -k * n,
}
_WITHIN = {
    "j": lambda j, t, m: j,
    "j + 1": lambda j, t, m: j + 1,
    "j - 1": lambda j, t, m: j - 1,
    "t - 1 - j": lambda j, t, m: t - 1 - j,
    "2 j": lambda j, t, m: 2 * j,
    "m j": lambda j, t, m: m * j,
    "j j": lambda j, t, m: j * j,
    "0": lambda j, t, m: 0,
    "m": lambda j, t, m: m,
}
CASES = list(product(BEGINS, TRIPS, WITHIN))


@pytest.mark.parametrize("begin", BEGINS)
def test_what_is_apart_is_so(begin):
    """Of all loops that are said to be apart, for small numbers, no two iterations touch the same element."""
    for trips, within in product(TRIPS, WITHIN):
        if not isinstance(role(loops(begin, trips, within)), Apart):
            continue
        for n, m, rows in product(range(-1, 4), range(-1, 4), range(4)):
            for size in (1, 5, 40):
                found = list(touched(begin, trips, within, n, m, rows, size))
                if None not in found:
                    count = len(set().union(*found))
                    assert sum(map(len, found)) == count, (begin, trips, within, n, m, rows, size)


@pytest.mark.parametrize("case", CASES, ids=", ".join)
def test_what_is_found_to_be_apart(case):
    begin, trips, within = case
    assert isinstance(role(loops(*case)), Apart) is (within in APART.get((begin, trips), ()))


def test_the_loops_are_those_that_are_meant():
    """The elements that a program writes are those that `touched` says."""
    for case in CASES[::7]:
        numbers = 3, 2, 3, 60
        found = list(touched(*case, *numbers))
        if None not in found:
            (written,) = interpret(loops(*case), numbers)
            assert set(np.flatnonzero(written).tolist()) == set().union(*found)


def test_signs_of_polynomials():
    n, m = Var(I64, "n"), Var(I64, "m")
    a, b, one = Polynomial.of(n), Polynomial.of(m), Polynomial.of(1)
    both = a.minus(one).times(b.minus(one))
    assert both.is_at_least_zero({n: 1, m: 1})
    assert not both.is_at_least_zero({n: 0, m: 1})
    assert not both.is_at_least_zero({n: 1})
    assert a.minus(a) == Polynomial() == Polynomial.of(0)
    assert both.replaced(n, one) == Polynomial()
    assert a.times(a).coefficient(n) == a

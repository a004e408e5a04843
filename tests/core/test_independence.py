"""What each carry of a loop is to its iterations, on the smallest loops that show it, and what the answer promises.

The promise is kept to by running the iterations of a loop in a random order, each with what the roles say that it is
given, and comparing with the loop.
"""

from __future__ import annotations

from copy import copy
from random import Random

import numpy as np
import pytest
from adcore_numpy import interpret, interpreter

import adcore
from adcore.arguments import abstract
from adcore.derive import gradient
from adcore.independence import Apart, Inspected, Same, Step, Sum, roles
from adcore.program import Program, defined, regions
from adcore.selftest.checks import REFUSALS, WRT, compiled_from
from adcore.selftest.workers import generated
from adcore.text import from_text
from adcore.transforms import lower, without_writes
from adcore.types import Lit, Var
from adcore.verify import verify
from bench.gradbench import ba, gmm, kmeans
from proofs.random_programs import random_arguments, random_program

PARAMS = (
    "x: f64[n], big: f64[size], y: f64[n, m], wide: f64[m, n], square: f64[m, m], "
    "p: i64[n], c: bool[n], q: bool, w: i64, z: f64"
)
LOOP = """
program f({params}) -> () {{
  ({outs}) = loop(n, {inits}) {{
    body(k: i64, {outs}) {{
      {body}
    }}
  }}
  return
}}
"""


def loop_of(carries, body):
    """A loop over n; carries are written `name: type = initial value`, with semicolons between them."""
    outs, inits = zip(*(carry.split(" = ") for carry in carries.split("; ")), strict=True)
    program = from_text(LOOP.format(params=PARAMS, outs=", ".join(outs), inits=", ".join(inits), body=body))
    verify(program)
    return program


def told(role):
    if isinstance(role, Step):
        return f"Step({', '.join(str(a) if isinstance(a, Lit) else a.name for a in role.by)})"
    return f"{type(role).__name__}({role.axis})" if isinstance(role, Apart | Inspected) else type(role).__name__


def roles_of(loop):
    found = roles(loop)
    return None if found is None else ", ".join(map(told, found))


def loops(region):
    """The loops of a region that are not inside of loops."""
    for equation in region.equations:
        if equation.primitive.name == "loop":
            yield equation


NUMBER, ARRAY, TABLE, AT = "s: f64 = 0.0", "a: f64[size] = big", "t: f64[n, m] = y", "at: i64 = 0"
ROW = 'v: f64 = view(x, k; codes="i")'

INDEPENDENT = {
    # Same and Step
    "a value that stays": (NUMBER, "yield s", "Same"),
    "a count": (AT, "b: i64 = add(at, 1) yield b", "Step(1)"),
    "a count the other way round": (AT, "b: i64 = add(1, at) yield b", "Step(1)"),
    "a count down": (AT, "b: i64 = sub(at, 2) yield b", "Step(-2)"),
    "two steps": (AT, "b: i64 = add(at, 15) d: i64 = add(w, b) e: bool = lt(b, at) yield d", "Step(15, w)"),
    "a step by a value that stays": (f"u: i64 = w; {AT}", "b: i64 = add(at, u) yield u, b", "Same, Step(w)"),
    "no step": (AT, "b: i64 = add(at, 0) yield b", "Step(0)"),
    # Sum
    "a sum": (NUMBER, f"{ROW} b: f64 = add(s, v) yield b", "Sum"),
    "a sum of sums": (NUMBER, f"{ROW} b: f64 = plus(v, s) d: f64 = add(b, v) yield d", "Sum"),
    "a difference": (NUMBER, f"{ROW} b: f64 = sub(s, v) yield b", "Sum"),
    "an integer sum": (AT, 'v: i64 = view(p, k; codes="i") b: i64 = add(at, v) yield b', "Sum"),
    "an integer difference": (AT, "b: i64 = sub(at, w) yield b", "Sum"),
    "a sum of what varies by the counter": (AT, "b: i64 = add(at, k) yield b", "Sum"),
    "a sum of arrays": (
        ARRAY,
        f"{ROW} u: f64[size] = expand(v, size; axes=(0,)) b: f64[size] = plus(a, u) yield b",
        "Sum",
    ),
    "added at one place": (ARRAY, f'{ROW} b: f64[size] = add_at(a, v, 0; codes="i") yield b', "Sum"),
    "added at places by an array": (ARRAY, 'b: f64[size] = scatter_add(a, x, p; codes="a") yield b', "Sum"),
    "added to a part": (
        ARRAY,
        'v: f64[2] = expand(z, 2; axes=(0,)) b: f64[size] = add_at(a, v, w, 2, 1; codes="s") yield b',
        "Sum",
    ),
    "a sum by choice": (
        NUMBER,
        f'{ROW} h: bool = view(c, k; codes="i") b: f64 = add(s, v) d: f64 = select(h, b, s) yield d',
        "Sum",
    ),
    "a sum in a branch": (
        NUMBER,
        f"""{ROW} h: bool = view(c, k; codes="i")
        (d: f64) = cond(h) {{ then() {{ b: f64 = add(s, v) yield b }} otherwise() {{ yield s }} }} yield d""",
        "Sum",
    ),
    "a sum in a branch of an inner loop": (
        ARRAY,
        """(d: f64[size]) = loop(m, a) { body(j: i64, b: f64[size]) {
          h: bool = lt(j, k)
          (e: f64[size]) = cond(h) {
            then() { g: f64[size] = add_at(b, z, j; codes="i") yield g } otherwise() { yield b } }
          yield e } } yield d""",
        "Sum",
    ),
    "a sum in a while": (
        NUMBER,
        """(j: i64, d: f64) = while(0, s) {
          test(j: i64, b: f64) { h: bool = lt(j, k) yield h }
          body(j: i64, b: f64) { i: i64 = add(j, 1) e: f64 = add(b, z) yield i, e } } yield d""",
        "Sum",
    ),
    "a sum that is run again": (
        NUMBER,
        "(d: f64) = checkpoint() { body() { b: f64 = add(s, z) yield b } } yield d",
        "Sum",
    ),
    "a sum that two loops carry": (
        NUMBER,
        """(b: f64) = loop(m, s) { body(j: i64, b: f64) { d: f64 = add(b, z) yield d } }
        (e: f64) = loop(w, b) { body(j: i64, e: f64) { d: f64 = sub(e, 1.0) yield d } } yield e""",
        "Sum",
    ),
    "sums of what has an own place": (
        f"{NUMBER}; {ARRAY}",
        'v: f64 = view(a, k; codes="i") d: f64 = add(s, v) b: f64[size] = update(a, z, k; codes="i") yield d, b',
        "Sum, Apart(0)",
    ),
    # Apart
    "an element": (ARRAY, 'b: f64[size] = update(a, z, k; codes="i") yield b', "Apart(0)"),
    "an element added to": (ARRAY, 'b: f64[size] = add_at(a, z, k; codes="i") yield b', "Apart(0)"),
    "an element from the end": (
        ARRAY,
        'e: i64 = sub(size, 1) i: i64 = sub(e, k) b: f64[size] = update(a, z, i; codes="i") yield b',
        "Apart(0)",
    ),
    "an element read and written": (
        ARRAY,
        'v: f64 = view(a, k; codes="i") b: f64[size] = update(a, z, k; codes="i") e: f64 = view(b, k; codes="i") '
        'g: f64 = mul(v, e) d: f64[size] = add_at(b, g, k; codes="i") yield d',
        "Apart(0)",
    ),
    "a row": (
        TABLE,
        'v: f64[m] = expand(z, m; axes=(0,)) b: f64[n, m] = update(t, v, k; codes="i:") yield b',
        "Apart(0)",
    ),
    "a column": (
        "t: f64[m, n] = wide",
        'v: f64[m] = expand(z, m; axes=(0,)) b: f64[m, n] = update(t, v, k; codes=":i") yield b',
        "Apart(1)",
    ),
    "a part of a row": (
        TABLE,
        'v: f64[1] = expand(z, 1; axes=(0,)) b: f64[n, m] = add_at(t, v, k, 0, 1, 1; codes="is") yield b',
        "Apart(0)",
    ),
    "a row, which is read anywhere and after it is written": (
        TABLE,
        'v: f64[m] = view(t, k; codes="i:") o: f64 = view(v, 0; codes="i") u: f64[m] = expand(o, m; axes=(0,)) '
        'b: f64[n, m] = update(t, u, k; codes="i:") l: f64 = total(v; axes=(0,)) '
        'd: f64[n, m] = add_at(b, l, k, 0; codes="ii") yield d',
        "Apart(0)",
    ),
    "two of two": (
        ARRAY,
        'i: i64 = mul(2, k) b: f64[size] = update(a, z, i; codes="i") j: i64 = add(i, 1) '
        'd: f64[size] = add_at(b, z, j; codes="i") yield d',
        "Apart(0)",
    ),
    "two of three, the other way": (
        ARRAY,
        "i: i64 = mul(k, -3) e: i64 = add(i, size) j: i64 = sub(e, 3) l: i64 = sub(e, 1) "
        'v: f64 = view(a, j; codes="i") b: f64[size] = update(a, v, l; codes="i") yield b',
        "Apart(0)",
    ),
    "an invariant shifts the places": (
        ARRAY,
        'e: i64 = minimum(w, 2) i: i64 = add(k, e) b: f64[size] = update(a, z, i; codes="i") yield b',
        "Apart(0)",
    ),
    "the place steps": (
        f"{ARRAY}; at: i64 = w",
        'b: f64[size] = update(a, z, at; codes="i") d: i64 = add(at, 1) e: i64 = add(d, 1) yield b, e',
        "Apart(0), Step(1, 1)",
    ),
    "a place that stays shifts the places": (
        f"{ARRAY}; o: i64 = w",
        "e: i64 = minimum(o, 2) j: i64 = add(k, o) i: i64 = sub(j, e) "
        'b: f64[size] = update(a, z, i; codes="i") yield b, o',
        "Apart(0), Same",
    ),
    "elements of a row in an inner loop": (
        TABLE,
        """(d: f64[n, m]) = loop(m, t) { body(j: i64, b: f64[n, m]) {
          v: f64 = view(b, k, 0; codes="ii") e: f64[n, m] = update(b, v, k, j; codes="ii") yield e } } yield d""",
        "Apart(0)",
    ),
    "a row read free in an inner loop": (
        f"{NUMBER}; {ARRAY}",
        """(d: f64) = loop(m, s) { body(j: i64, b: f64) {
          v: f64 = view(a, k; codes="i") e: f64 = add(b, v) yield e } }
        g: f64[size] = update(a, z, k; codes="i") yield d, g""",
        "Sum, Apart(0)",
    ),
    "an element in a branch": (
        ARRAY,
        """h: bool = view(c, k; codes="i")
        (d: f64[size]) = cond(h) {
          then() { b: f64[size] = update(a, z, k; codes="i") yield b } otherwise() { yield a } }
        yield d""",
        "Apart(0)",
    ),
    "an element until it is small": (
        ARRAY,
        """(d: f64[size]) = while(a) {
          test(b: f64[size]) { v: f64 = view(b, k; codes="i") h: bool = lt(z, v) yield h }
          body(b: f64[size]) { e: f64[size] = add_at(b, -1.0, k; codes="i") yield e } } yield d""",
        "Apart(0)",
    ),
    "an element run again": (
        ARRAY,
        """(d: f64[size]) = checkpoint() { body() { b: f64[size] = update(a, z, k; codes="i") yield b } } yield d""",
        "Apart(0)",
    ),
    "lengths by other names": (
        "a: f64[n] = x",
        'b: f64[n] = conform(a, n; checked=True) d: f64[n] = update(b, z, k; codes="i") yield d',
        "Apart(0)",
    ),
    "the initial value is read elsewhere": (
        ARRAY,
        'v: f64 = view(big, 0; codes="i") b: f64[size] = update(a, v, k; codes="i") yield b',
        "Apart(0)",
    ),
    "one initial value of two arrays": (
        f"{ARRAY}; a_1: f64[size] = big",
        'v: f64 = view(a, k; codes="i") b: f64[size] = update(a, z, k; codes="i") '
        'd: f64[size] = update(a_1, v, k; codes="i") yield b, d',
        "Apart(0), Apart(0)",
    ),
    # Inspected
    "places that an array names": (
        ARRAY,
        'i: i64 = view(p, k; codes="i") b: f64[size] = update(a, z, i; codes="i") yield b',
        "Inspected(0)",
    ),
    "places that an array that stays names": (
        f"{ARRAY}; o: i64[n] = p",
        'i: i64 = view(o, k; codes="i") b: f64[size] = update(a, z, i; codes="i") yield b, o',
        "Inspected(0), Same",
    ),
    "slices at a place that steps": (
        f"{ARRAY}; {AT}",
        'v: f64[w] = expand(z, w; axes=(0,)) b: f64[size] = update(a, v, at, w, 1; codes="s") '
        "d: i64 = add(at, w) yield b, d",
        "Inspected(0), Step(w)",
    ),
    "slices and elements, cut off at the ends": (
        f"{ARRAY}; {AT}",
        "d: i64 = add(at, w) i: i64 = minimum(at, size) j: i64 = minimum(d, size) l: i64 = sub(j, i) "
        "v: f64[l] = expand(z, l; axes=(0,)) "
        'b: f64[size] = update(a, v, i, l, 1; codes="s") h: bool = lt(j, 0) o: i64 = select(h, i, j) '
        'e: f64[size] = update(b, z, o; codes="i") g: i64 = add(d, 1) yield e, g',
        "Inspected(0), Step(w, 1)",
    ),
    "slices as long as those of the place": (
        ARRAY,
        "i: i64 = mul(k, 2) v: f64[2] = expand(z, 2; axes=(0,)) "
        'b: f64[size] = update(a, v, i, 2, 1; codes="s") yield b',
        "Inspected(0)",
    ),
    "named places in a branch": (
        ARRAY,
        """i: i64 = view(p, k; codes="i") h: bool = view(c, k; codes="i")
        (d: f64[size]) = cond(h) {
          then() { b: f64[size] = update(a, z, i; codes="i") yield b } otherwise() { yield a } }
        yield d""",
        "Inspected(0)",
    ),
}

DEPENDENT = {
    # A number
    "a product": (NUMBER, f"{ROW} b: f64 = mul(s, v) yield b"),
    "twice the sum": (NUMBER, "b: f64 = add(s, s) yield b"),
    "a sum subtracted": (NUMBER, f"{ROW} b: f64 = sub(v, s) yield b"),
    "a sum read beside": (NUMBER, "b: f64 = mul(s, z) d: f64 = add(s, b) yield d"),
    "a sum that a check reads": (
        NUMBER,
        'h: bool = lt(s, z) check(h; error="ValueError", message="") b: f64 = add(s, z) yield b',
    ),
    "a sum that a check on the way reads": (
        NUMBER,
        'b: f64 = add(s, z) h: bool = lt(b, z) check(h; error="ValueError", message="") yield b',
    ),
    "an integer sum with its overflow looked at": (AT, "o: bool = add_wraps(at, k) b: i64 = add(at, k) yield b"),
    "the last value": (NUMBER, f"{ROW} yield v"),
    "a value from outside": (NUMBER, "yield z"),
    "a maximum": (NUMBER, f"{ROW} b: f64 = maximum(s, v) yield b"),
    "a sum or another number": (
        NUMBER,
        f'{ROW} h: bool = view(c, k; codes="i") b: f64 = add(s, v) d: f64 = select(h, b, v) yield d',
    ),
    "another number or a sum": (
        NUMBER,
        f'{ROW} h: bool = view(c, k; codes="i") b: f64 = add(s, v) d: f64 = select(h, v, b) yield d',
    ),
    "a sum that chooses": (NUMBER, "h: bool = lt(s, z) b: f64 = add(s, z) d: f64 = select(h, b, s) yield d"),
    "a sum or another number by a branch": (
        NUMBER,
        """h: bool = view(c, k; codes="i")
        (d: f64) = cond(h) { then() { b: f64 = add(s, z) yield b } otherwise() { yield z } } yield d""",
    ),
    "a sum as branches' condition": (
        "s: bool = q",
        "(d: bool) = cond(s) { then() { yield False } otherwise() { yield s } } yield d",
    ),
    "a sum given to two": (f"{NUMBER}; l: f64 = 0.0", "b: f64 = add(s, z) yield b, b"),
    "numbers that swap": (f"{NUMBER}; l: f64 = 0.0", "b: f64 = add(s, z) d: f64 = add(l, z) yield d, b"),
    "numbers that swap unchanged": (f"{NUMBER}; l: f64 = 0.0", "yield l, s"),
    "a sum of a sum": (f"{NUMBER}; l: f64 = 0.0", "b: f64 = add(s, z) d: f64 = add(l, b) yield b, d"),
    "a sum of truths": ("s: bool = q", "h: bool = lt(k, 3) b: bool = or(s, h) yield b"),
    "a truth in branches": (
        "s: bool = q",
        "(d: bool) = cond(q) { then() { yield s } otherwise() { yield s } } yield d",
    ),
    "a sum as a trip count": (
        f"{AT}; {NUMBER}",
        "(d: f64) = loop(at, s) { body(j: i64, b: f64) { e: f64 = add(b, z) yield e } } b: i64 = add(at, k) yield b, d",
    ),
    "a sum as a length": (
        f"{AT}; {NUMBER}",
        "u: f64[at] = expand(z, at; axes=(0,)) v: f64 = total(u; axes=(0,)) e: f64 = add(s, v) "
        "b: i64 = add(at, k) yield b, e",
    ),
    "a sum as a length of what a branch gives": (
        f"{AT}; {NUMBER}",
        """(u: f64[at]) = cond(q) { then() { yield x } otherwise() { yield x } }
        v: f64 = total(u; axes=(0,)) e: f64 = add(s, v) b: i64 = add(at, k) yield b, e""",
    ),
    "a sum as a length of what a loop carries": (
        f"{AT}; {NUMBER}",
        """(d: f64, u: f64[n]) = loop(m, s, x) { body(j: i64, d: f64, u: f64[at]) {
          v: f64 = total(u; axes=(0,)) e: f64 = add(d, v) yield e, u } }
        b: i64 = add(at, k) yield b, d""",
    ),
    "a sum free in an inner loop": (
        NUMBER,
        "(d: f64) = loop(m, 0.0) { body(j: i64, b: f64) { e: f64 = add(s, b) yield e } } yield d",
    ),
    "a sum carried and free in an inner loop": (
        NUMBER,
        "(d: f64) = loop(m, s) { body(j: i64, b: f64) { e: f64 = add(b, s) yield e } } yield d",
    ),
    "a product in an inner loop": (
        NUMBER,
        "(d: f64) = loop(m, s) { body(j: i64, b: f64) { e: f64 = mul(b, z) yield e } } yield d",
    ),
    "a sum replaced in an inner loop": (
        NUMBER,
        "(d: f64) = loop(m, s) { body(j: i64, b: f64) { yield z } } yield d",
    ),
    "numbers that swap in an inner loop": (
        NUMBER,
        "(d: f64, g: f64) = loop(m, s, z) { body(j: i64, b: f64, e: f64) { yield e, b } } yield d",
    ),
    "a sum that a while tests": (
        NUMBER,
        """(d: f64) = while(s) {
          test(b: f64) { h: bool = lt(b, z) yield h }
          body(b: f64) { e: f64 = add(b, 1.0) yield e } } yield d""",
    ),
    "a sum that a while tests from outside": (
        NUMBER,
        """(d: f64, g: f64) = while(s, 0.0) {
          test(b: f64, e: f64) { h: bool = lt(e, s) yield h }
          body(b: f64, e: f64) { o: f64 = add(b, 1.0) yield o, z } } yield d""",
    ),
    # A step
    "a step by what varies": (
        f"{AT}; {NUMBER}",
        "b: i64 = add(at, k) v: f64 = cast(at; dtype=f64) d: f64 = add(s, v) yield b, d",
    ),
    "a step in a branch": (
        f"{AT}; {ARRAY}",
        """h: bool = view(c, k; codes="i")
        (d: i64) = cond(h) { then() { b: i64 = add(at, 1) yield b } otherwise() { yield at } }
        e: f64[size] = update(a, z, at; codes="i") yield d, e""",
    ),
    "a step doubled": (AT, "b: i64 = mul(at, 2) yield b"),
    "a step taken from": (AT, "b: i64 = sub(1, at) yield b"),
    "a step down by what is no literal": (AT, "b: i64 = sub(at, w) h: bool = lt(at, b) yield b"),
    "a step of another carry": (f"{AT}; i: i64 = 0", "b: i64 = add(i, 1) yield b, b"),
    "a step from outside": (AT, "b: i64 = add(w, 1) yield b"),
    # Places
    "the element before": (
        ARRAY,
        'i: i64 = add(k, 1) v: f64 = view(a, k; codes="i") b: f64[size] = update(a, v, i; codes="i") yield b',
    ),
    "the next element written": (
        ARRAY,
        'i: i64 = add(k, 1) b: f64[size] = update(a, z, k; codes="i") '
        'd: f64[size] = update(b, z, i; codes="i") yield d',
    ),
    "three of two": (
        ARRAY,
        'i: i64 = mul(k, 2) j: i64 = add(i, 2) b: f64[size] = update(a, z, i; codes="i") '
        'd: f64[size] = update(b, z, j; codes="i") yield d',
    ),
    "one place": (ARRAY, 'b: f64[size] = update(a, z, 0; codes="i") yield b'),
    "one place from outside": (ARRAY, 'b: f64[size] = update(a, z, w; codes="i") yield b'),
    "one place read": (
        ARRAY,
        'v: f64 = view(a, 0; codes="i") b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "two speeds": (
        ARRAY,
        'i: i64 = mul(k, 2) v: f64 = view(a, i; codes="i") b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "two directions": (
        ARRAY,
        'e: i64 = sub(n, 1) i: i64 = sub(e, k) v: f64 = view(a, i; codes="i") '
        'b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "two shifts": (
        ARRAY,
        'i: i64 = add(k, w) v: f64 = view(a, i; codes="i") b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "the counters do not move the place": (
        ARRAY,
        'i: i64 = sub(k, k) b: f64[size] = update(a, z, i; codes="i") yield b',
    ),
    "a factor that is no literal": (
        ARRAY,
        'i: i64 = mul(k, w) v: f64 = view(a, i; codes="i") b: f64[size] = update(a, v, i; codes="i") yield b',
    ),
    "a factor with which places come again": (
        ARRAY,
        'i: i64 = mul(k, 4611686018427387904) b: f64[size] = update(a, z, i; codes="i") yield b',
    ),
    "a factor that is no literal, and 1": (
        ARRAY,
        'e: i64 = add(w, 1) i: i64 = mul(k, e) b: f64[size] = add_at(a, z, i; codes="i") '
        'v: f64 = view(b, i; codes="i") d: f64[size] = update(b, v, i; codes="i") yield d',
    ),
    "a place shifted by what a branch names": (
        ARRAY,
        """(i: i64) = cond(q) { then() { yield k } otherwise() { yield 0 } } j: i64 = sub(k, i)
        v: f64 = view(a, j; codes="i") b: f64[size] = update(a, v, j; codes="i") yield b""",
    ),
    "half the counter": (ARRAY, 'i: i64 = floordiv(k, 2) b: f64[size] = update(a, z, i; codes="i") yield b'),
    "the counter over again": (
        ARRAY,
        'i: i64 = mod(k, 2) v: f64 = view(a, i; codes="i") b: f64[size] = update(a, v, i; codes="i") yield b',
    ),
    "a sum of steps is the place": (
        f"{ARRAY}; {AT}",
        'b: f64[size] = update(a, z, at; codes="i") e: i64 = add(at, k) yield b, e',
    ),
    "a place that steps by no literal": (
        f"{ARRAY}; {AT}",
        'v: f64 = view(a, at; codes="i") b: f64[size] = update(a, v, at; codes="i") '
        "d: i64 = add(at, w) e: i64 = add(d, 1) yield b, e",
    ),
    "a place that stands still": (
        f"{ARRAY}; {AT}",
        'v: f64 = view(a, at; codes="i") b: f64[size] = update(a, v, at; codes="i") e: i64 = add(at, 0) yield b, e',
    ),
    "the place in an inner loop": (
        ARRAY,
        """(d: f64[size]) = loop(m, a) { body(j: i64, b: f64[size]) {
          e: f64[size] = update(b, z, j; codes="i") yield e } } yield d""",
    ),
    "both counters are the place": (
        ARRAY,
        """(d: f64[size]) = loop(m, a) { body(j: i64, b: f64[size]) { i: i64 = add(j, k)
          e: f64[size] = update(b, z, i; codes="i") yield e } } yield d""",
    ),
    "a column in one, a row in the other": (
        TABLE,
        'h: f64 = view(t, k, 0; codes="ii") b: f64[n, m] = update(t, h, 0, k; codes="ii") yield b',
    ),
    # What else is done with an array
    "the whole array read": (
        ARRAY,
        'v: f64 = total(a; axes=(0,)) b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "the whole array seen": (
        TABLE,
        'u: f64[n, m] = view(t; codes="::") v: f64 = total(u; axes=(0, 1)) '
        'b: f64[n, m] = update(t, v, k, 0; codes="ii") yield b',
    ),
    "a part read": (
        ARRAY,
        'u: f64[k] = view(a, 0, k, 1; codes="s") v: f64 = total(u; axes=(0,)) '
        'b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "elements gathered": (
        ARRAY,
        'u: f64[n] = gather(a, p; codes="a") v: f64 = total(u; axes=(0,)) '
        'b: f64[size] = update(a, v, k; codes="i") yield b',
    ),
    "elements scattered": (
        ARRAY,
        'b: f64[size] = scatter(a, x, p; codes="a", unique=False) yield b',
    ),
    "an array written into itself": (
        ARRAY,
        'i: i64 = view(p, k; codes="i") b: f64[size] = update(a, a, i, size, 1; codes="s") yield b',
    ),
    "all elements changed": (
        ARRAY,
        "u: f64[size] = expand(z, size; axes=(0,)) b: f64[size] = mul(a, u) "
        'd: f64[size] = update(b, z, k; codes="i") yield d',
    ),
    "all elements added to, and one read": (
        ARRAY,
        'u: f64[size] = expand(z, size; axes=(0,)) b: f64[size] = add(a, u) v: f64 = view(b, k; codes="i") '
        'd: f64[size] = update(b, v, k; codes="i") yield d',
    ),
    "the array chosen": (
        ARRAY,
        'h: bool = view(c, k; codes="i") u: bool[size] = expand(h, size; axes=(0,)) '
        'b: f64[size] = update(a, z, k; codes="i") '
        "d: f64[size] = select(u, b, a) yield d",
    ),
    "the array transposed": (
        "t: f64[m, m] = square",
        'u: f64[m, m] = permute(t; order=(1, 0)) b: f64[m, m] = update(u, z, k, k; codes="ii") yield b',
    ),
    "an added part that is read": (
        ARRAY,
        'v: f64 = view(a, 0; codes="i") b: f64[size] = add_at(a, v, 1; codes="i") yield b',
    ),
    "an added array that is the array": (
        ARRAY,
        'i: i64[size] = iota(size) b: f64[size] = scatter_add(a, a, i; codes="a") yield b',
    ),
    "a state that is read after the next": (
        ARRAY,
        'b: f64[size] = update(a, z, k; codes="i") v: f64 = view(a, k; codes="i") '
        'd: f64[size] = update(b, v, k; codes="i") yield d',
    ),
    "two next states": (
        ARRAY,
        'b: f64[size] = update(a, z, k; codes="i") d: f64[size] = update(a, 1.0, k; codes="i") yield d',
    ),
    "two next states in two branches": (
        f"{ARRAY}; {NUMBER}",
        """(v: f64) = cond(q) {
          then() { b: f64[size] = update(a, z, k; codes="i") e: f64 = view(b, k; codes="i") yield e }
          otherwise() { yield z } }
        d: f64[size] = update(a, v, k; codes="i") yield d, s""",
    ),
    "a next state in each inner iteration": (
        ARRAY,
        """(v: f64) = loop(m, 0.0) { body(j: i64, v: f64) {
          b: f64[size] = update(a, v, k; codes="i") e: f64 = view(b, k; codes="i") yield e } }
        d: f64[size] = update(a, v, k; codes="i") yield d""",
    ),
    "a next state in a test": (
        ARRAY,
        """(d: f64[size]) = while(a) {
          test(b: f64[size]) {
            o: f64[size] = add_at(b, z, k; codes="i") v: f64 = view(o, k; codes="i") h: bool = lt(v, 0.0) yield h }
          body(b: f64[size]) { e: f64[size] = add_at(b, 1.0, k; codes="i") yield e } } yield d""",
    ),
    "a test reads elsewhere": (
        ARRAY,
        """(d: f64[size]) = while(a) {
          test(b: f64[size]) { v: f64 = view(b, 0; codes="i") h: bool = lt(z, v) yield h }
          body(b: f64[size]) { e: f64[size] = add_at(b, -1.0, k; codes="i") yield e } } yield d""",
    ),
    "carried twice by an inner loop": (
        ARRAY,
        """(d: f64[size], g: f64[size]) = loop(m, a, a) { body(j: i64, b: f64[size], e: f64[size]) {
          v: f64 = view(b, k; codes="i") o: f64[size] = update(e, v, k; codes="i") yield b, o } } yield g""",
    ),
    "carried and free in an inner loop": (
        ARRAY,
        """(d: f64[size]) = loop(m, a) { body(j: i64, b: f64[size]) {
          v: f64 = view(a, k; codes="i") e: f64[size] = update(b, v, k; codes="i") yield e } } yield d""",
    ),
    "read elsewhere in an inner loop": (
        ARRAY,
        """(d: f64) = loop(k, 0.0) { body(j: i64, b: f64) {
          v: f64 = view(a, j; codes="i") e: f64 = add(b, v) yield e } }
        g: f64[size] = update(a, d, k; codes="i") yield g""",
    ),
    "a branch gives another array": (
        ARRAY,
        """(d: f64[size]) = cond(q) {
          then() { b: f64[size] = update(a, z, k; codes="i") yield b } otherwise() { yield big } }
        yield d""",
    ),
    "a branch gives arrays crosswise": (
        f"{ARRAY}; e: f64[size] = big",
        "(d: f64[size], g: f64[size]) = cond(q) { then() { yield a, e } otherwise() { yield e, a } } yield d, g",
    ),
    "a branch gives the array twice": (
        ARRAY,
        """(d: f64[size], g: f64[size]) = cond(q) { then() { yield a, a } otherwise() { yield a, a } }
        v: f64 = view(d, k; codes="i") b: f64[size] = update(g, v, k; codes="i") yield b""",
    ),
    "arrays that swap": (
        f"{ARRAY}; e: f64[size] = big",
        'b: f64[size] = update(a, z, k; codes="i") d: f64[size] = update(e, z, k; codes="i") yield d, b',
    ),
    "an array given to two": (
        f"{ARRAY}; e: f64[size] = big",
        'b: f64[size] = update(a, z, k; codes="i") yield b, b',
    ),
    "an array replaced": (ARRAY, 'b: f64[size] = update(big, z, k; codes="i") yield b'),
    "an array as long as a count": (
        f"{AT}; a: f64[at] = x",
        'b: f64[at] = update(a, z, k; codes="i") d: i64 = add(at, 1) yield d, b',
    ),
    "one of two": (
        f"{NUMBER}; l: f64 = 1.0",
        f"{ROW} b: f64 = add(s, v) d: f64 = mul(l, v) yield b, d",
    ),
    # Places looked at
    "a named place read": (
        ARRAY,
        'i: i64 = view(p, k; codes="i") v: f64 = view(a, i; codes="i") '
        'b: f64[size] = update(a, v, i; codes="i") yield b',
    ),
    "a named place in an inner loop": (
        ARRAY,
        """(d: f64[size]) = loop(m, a) { body(j: i64, b: f64[size]) {
          i: i64 = view(p, k; codes="i") e: f64[size] = update(b, z, i; codes="i") yield e } } yield d""",
    ),
    "a place named by what is written": (
        "a: i64[n] = p",
        'j: i64 = view(a, k; codes="i") b: i64[n] = update(a, k, j; codes="i") yield b',
    ),
    "a place named by a written array beside": (
        f"{ARRAY}; o: i64[n] = p",
        'b: i64[n] = update(o, 0, k; codes="i") i: i64 = view(b, k; codes="i") '
        'd: f64[size] = update(a, z, i; codes="i") yield d, b',
    ),
    "a place that numbers name": (
        ARRAY,
        f'{ROW} i: i64 = cast(v; dtype=i64) b: f64[size] = update(a, z, i; codes="i") yield b',
    ),
    "a place by a quotient": (
        ARRAY,
        'i: i64 = view(p, k; codes="i") j: i64 = floordiv(i, w) b: f64[size] = update(a, z, j; codes="i") yield b',
    ),
    "a place that a branch names": (
        ARRAY,
        """(i: i64) = cond(q) { then() { yield k } otherwise() { yield 0 } }
        b: f64[size] = update(a, z, i; codes="i") yield b""",
    ),
    "slices with gaps": (
        ARRAY,
        'i: i64 = view(p, k; codes="i") v: f64[2] = expand(z, 2; axes=(0,)) '
        'b: f64[size] = update(a, v, i, 2, 2; codes="s") yield b',
    ),
    "named rows of all columns": (
        TABLE,
        'i: i64 = view(p, k; codes="i") v: f64[m] = expand(z, m; axes=(0,)) b: f64[n, m] = update(t, v, i; codes="i:") '
        'u: f64[n] = expand(z, n; axes=(0,)) d: f64[n, m] = update(b, u, 0; codes=":i") yield d',
    ),
    "named places and a fixed one": (
        ARRAY,
        'i: i64 = view(p, k; codes="i") b: f64[size] = update(a, z, i; codes="i") '
        'd: f64[size] = update(b, z, 0; codes="i") yield d',
    ),
}


def only_loop(program):
    (loop,) = program.equations
    return loop


@pytest.mark.parametrize(("carries", "body", "expected"), INDEPENDENT.values(), ids=INDEPENDENT)
def test_roles(carries, body, expected):
    assert roles_of(only_loop(loop_of(carries, body))) == expected


@pytest.mark.parametrize(("carries", "body"), DEPENDENT.values(), ids=DEPENDENT)
def test_no_roles(carries, body):
    assert roles(only_loop(loop_of(carries, body))) is None


def test_other_equations_have_no_roles():
    (loop,) = loops(loop_of("s: f64 = 0.0", "b: f64 = sin(s) yield s"))
    assert roles(loop) == (Same(),)
    assert roles(loop.params["body"].equations[0]) is None


def test_the_slice_computes_the_ranges():
    carries, body, _ = INDEPENDENT["slices and elements, cut off at the ends"]
    found, step = roles(only_loop(loop_of(carries, body)))
    assert [[str(a) if isinstance(a, Lit) else a.name for a in r] for r in found.ranges] == [["i", "l"], ["o", "1"]]
    assert [e.outs[0].name for e in found.slice] == ["d", "i", "j", "l", "h", "o"]
    assert [a.name if isinstance(a, Var) else str(a) for a in step.by] == ["w", "1"]


# Benchmarks


BENCHMARKS = {
    "gmm": (
        gmm,
        "gradient",
        gmm.inputs(2, 3, 8),
        [
            "Apart(1)",
            "Apart(0)",
            "",
            "Apart(0), Apart(0), Apart(0), Apart(0), Apart(1)",
        ],
    ),
    "kmeans": (kmeans, "direction", kmeans.inputs(2, 6, 3), ["", "Sum, Sum"]),
    "ba": (
        ba,
        "jacobian",
        ba.inputs(3, 4, 7),
        [
            "Step(WIDTH, WIDTH), Inspected(0), Inspected(0), Apart(0)",
            "Step(1), Inspected(0), Inspected(0), Apart(0)",
        ],
    ),
}


@pytest.mark.parametrize(("module", "name", "inputs", "expected"), BENCHMARKS.values(), ids=BENCHMARKS)
def test_benchmarks(module, name, inputs, expected, monkeypatch):
    program = adcore.program(getattr(module, name), *inputs)
    assert [roles_of(loop) for loop in loops(program)] == expected
    captures = [getattr(module, param.name) for param in program.params[len(inputs) :]]
    assert reordered(monkeypatch, program, (*inputs, *captures)).issuperset(loops(program))


# Iterations in another order


class Reordering:
    """Loops of the reference backend, each of which has its iterations run in another order too.

    Attributes:
        exact: whether sums do not depend on the order.
        found: the roles of the loops that have been met.
        compared: those that have been run in another order.
    """

    def __init__(self, seed, exact):
        self.random = Random(seed)
        self.exact = exact
        self.found = {}
        self.compared = set()

    def loop(self, running, equation):
        if equation not in self.found:
            self.found[equation] = roles(equation)
        results = running.loop(equation)
        found, body = self.found[equation], equation.params["body"]
        trips, *inits = (running.value(atom) for atom in equation.operands)
        if found is None or not all(self.separate(role, body, found, inits, running, trips) for role in found):
            return results
        ends, sizes = self.run(body, found, inits, running, trips)
        self.compared.add(equation)
        for role, result, end, size in zip(found, results, ends, sizes, strict=True):
            if self.exact or not isinstance(role, Sum):
                np.testing.assert_array_equal(end, result)
            elif np.all(np.isfinite(size)):
                np.testing.assert_allclose(end, result, rtol=0, atol=1e-12 * np.max(size, initial=1.0))
        return results

    def run(self, body, found, inits, running, trips):
        """What the loop gives, and a bound of the sizes of the numbers that are added up."""
        states = [
            np.zeros_like(init)[()] if isinstance(role, Sum) else init for role, init in zip(found, inits, strict=True)
        ]
        sizes = [np.abs(init) for init in inits]
        for k in self.random.sample(range(int(trips)), int(trips)):
            given = self.given(found, inits, states, running, k)
            results = running.results(body, body.params, (np.int64(k), *given))
            for j, (role, result) in enumerate(zip(found, results, strict=True)):
                if isinstance(role, Sum):
                    states[j], sizes[j] = states[j] + result, sizes[j] + np.abs(result)
                elif not isinstance(role, Step):
                    states[j] = result
        sums = [init + s if isinstance(r, Sum) else s for r, init, s in zip(found, inits, states, strict=True)]
        return self.given(found, inits, sums, running, trips, begin=False), sizes

    def given(self, found, inits, states, running, k, begin=True):
        """What an iteration is given: of sums zeros, unless they are asked for."""
        values = []
        for role, init, state in zip(found, inits, states, strict=True):
            if isinstance(role, Step):
                values.append(init + np.int64(k) * sum(running.value(a) for a in role.by))
            elif isinstance(role, Sum) and begin:
                values.append(np.zeros_like(init)[()])
            else:
                values.append(state)
        return values

    def separate(self, role, body, found, inits, running, trips):
        """Whether no place lies in ranges of two iterations, which the slice is enough to tell."""
        if not isinstance(role, Inspected):
            return True
        inside = defined_within(body)
        outside = {var: value for var, value in running.env.items() if var not in inside}
        seen = set()
        for k in range(int(trips)):
            ahead = copy(running)
            values = self.given(found, inits, inits, running, k)
            given = [
                (param, value)
                for param, value, r in zip(body.params[1:], values, found, strict=True)
                if isinstance(r, Same | Step)
            ]
            ahead.env = {**outside, body.params[0]: np.int64(k), **dict(given)}
            ahead.run(Program((), list(role.slice)))
            places = set()
            for start, length in role.ranges:
                first = ahead.value(start)
                places.update(range(first, first + ahead.value(length)))
            if not places.isdisjoint(seen):
                return False
            seen |= places
        return True


def defined_within(region):
    found = defined(region)
    for equation in region.equations:
        for _, inner in regions(equation):
            found |= defined_within(inner)
    return found


def reordered(monkeypatch, program, arguments, seed=0, exact=False):
    """The loops of the program that have been run in another order."""
    reordering = Reordering(seed, exact)
    monkeypatch.setitem(interpreter._CONTROL, "loop", reordering.loop)
    interpret(program, arguments)
    return reordering.compared


def integers(rng, *shape):
    return rng.integers(-9, 10, shape).astype(float)


def arguments_of_loop(seed):
    """Of the small loops, with whole numbers, whose sums are exact; the places are in order, or may be the same."""
    rng = np.random.default_rng(seed)
    n, m = (seed, 3) if seed < 2 else rng.integers(2, 7, 2)
    p = np.arange(n) if seed % 2 else rng.integers(0, max(n, 1), n)
    arrays = integers(rng, n), integers(rng, 4 * n + 8), integers(rng, n, m), integers(rng, m, n), integers(rng, m, m)
    return *arrays, p, rng.random(n) < 0.5, bool(seed % 3), 2, -3.0


@pytest.mark.parametrize("case", INDEPENDENT)
def test_iterations_run_in_any_order(case, monkeypatch):
    carries, body, _ = INDEPENDENT[case]
    program = loop_of(carries, body)
    compared = [reordered(monkeypatch, program, arguments_of_loop(seed), seed, exact=True) for seed in range(8)]
    assert any(only_loop(program) in loops_run for loops_run in compared)


@pytest.mark.parametrize("seed", range(60))
def test_iterations_of_random_programs_run_in_any_order(seed, monkeypatch):
    program = random_program(seed, size=14)
    with np.errstate(all="ignore"):
        reordered(monkeypatch, program, random_arguments(seed), seed)


@pytest.mark.parametrize("seed", range(40))
def test_iterations_of_random_gradients_run_in_any_order(seed, monkeypatch):
    source, point = generated(f"independence/{seed}")
    arguments = tuple(np.array(a) if isinstance(a, list) else a for a in point)
    with np.errstate(all="ignore"):
        try:
            program = lower(compiled_from(source), tuple(abstract(a) for a in arguments))
            pulled = gradient(without_writes(program).program, WRT)
            interpret(pulled, arguments)
        except (*REFUSALS, NameError, ArithmeticError, LookupError, ValueError):
            pytest.skip("the program fails")
        reordered(monkeypatch, pulled, arguments, seed)

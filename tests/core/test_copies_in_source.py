"""Printed programs write in place only what nobody reads afterwards: random programs that do little but write."""

import random

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.primitives import TABLE
from adcore.program import Equation, Program
from adcore.python_source import to_python
from adcore.text import from_text
from adcore.types import F64, I64, Type, Var, literal
from adcore.verify import verify

N = Var(I64, "n")
ARRAY = Type(F64.dtype, (N,))
LENGTH = 3


class Writing:
    """Random regions of writes, copies by arithmetic, views, loops and branches over arrays of one length."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.depth = 0

    def one(self, arrays):
        return self.random.choice(arrays[-4:] if self.random.random() < 0.7 else arrays)

    def index(self):
        return literal(self.random.randrange(LENGTH))

    def statements(self, b, arrays, count):
        for _ in range(count):
            step = self.random.choice([self.write, self.write, self.arithmetic, self.reversed, self.loop, self.branch])
            arrays += step(b, arrays)

    def write(self, b, arrays):
        read = b.emit(TABLE["view"], (self.one(arrays), self.index()), {"codes": "i"})
        value = b.add(b.mul(read, 0.5), literal(float(self.random.randrange(5))))
        name = self.random.choice(["update", "add_at"])
        return [b.emit(TABLE[name], (self.one(arrays), value, self.index()), {"codes": "i"})]

    def arithmetic(self, b, arrays):
        return [b.mul(self.one(arrays), self.one(arrays)) if self.random.random() < 0.3 else b.neg(self.one(arrays))]

    def reversed(self, b, arrays):
        last = b.sub(N, literal(1))
        return [b.emit(TABLE["view"], (self.one(arrays), last, N, literal(-1)), {"codes": "s"})]

    def region(self, b, arrays, params, results):
        inner, seen = Builder(b), [*arrays, *(p for p in params if p.type.shape)]
        self.depth += 1
        self.statements(inner, seen, self.random.randrange(1, 4))
        self.depth -= 1
        return Program(tuple(params), inner.equations, tuple(self.one(seen) for _ in range(results)), "body")

    def loop(self, b, arrays):
        if self.depth > 2:
            return self.write(b, arrays)
        count = self.random.randrange(1, 4)
        params = [Var(I64, "k"), *(Var(ARRAY, self.random.choice("abc")) for _ in range(count))]
        body = self.region(b, arrays, params, count)
        outs = tuple(Var(ARRAY, p.name) for p in params[1:])
        trips = literal(self.random.randrange(4))
        b.equations.append(Equation(TABLE["loop"], (trips, *(self.one(arrays) for _ in outs)), {"body": body}, outs))
        return list(outs)

    def branch(self, b, arrays):
        if self.depth > 2:
            return self.arithmetic(b, arrays)
        read = b.emit(TABLE["view"], (self.one(arrays), self.index()), {"codes": "i"})
        holds = b.emit(TABLE["lt"], (read, literal(1.0)), {})
        regions = {name: self.region(b, arrays, [], 1) for name in ("then", "otherwise")}
        out = Var(ARRAY, self.random.choice("abc"))
        b.equations.append(Equation(TABLE["cond"], (holds,), regions, (out,)))
        return [out]

    def program(self):
        x, y = Var(ARRAY, "x"), Var(ARRAY, "y")
        b, arrays = Builder(), [x, y]
        self.statements(b, arrays, 6)
        return Program((x, y), b.equations, tuple(self.one(arrays) for _ in range(3)), "f")


LOOPS = {
    "two carries are left in one block": """
        c: f64[n] = neg(x)
        d: f64[n] = neg(y)
        (u: f64[n], v: f64[n]) = loop(2, c, d) {
          body(k: i64, a: f64[n], b: f64[n]) {
            w: f64[n] = update(a, 7.0, 0; codes="i")
            s: f64[n] = mul(w, b)
            yield s, s
          }
        }""",
    "two carries begin in one block": """
        c: f64[n] = neg(x)
        (u: f64[n], v: f64[n]) = loop(2, c, c) {
          body(k: i64, a: f64[n], b: f64[n]) {
            w: f64[n] = update(a, 7.0, 0; codes="i")
            yield w, b
          }
        }""",
    "an array from outside is carried": """
        c: f64[n] = neg(x)
        d: f64[n] = neg(y)
        (u: f64[n], v: f64[n]) = loop(3, c, d) {
          body(k: i64, a: f64[n], b: f64[n]) {
            w: f64[n] = update(a, 7.0, 0; codes="i")
            s: f64[n] = mul(w, d)
            yield d, s
          }
        }""",
    "a later iteration writes it under another name": """
        c: f64[n] = neg(x)
        d: f64[n] = neg(y)
        (a: f64[n], b: f64[n]) = loop(3, c, d) {
          body(k: i64, a: f64[n], b: f64[n]) {
            w: f64[n] = update(a, 7.0, 0; codes="i")
            yield b, w
          }
        }
        u: f64[n] = add(a, c)
        v: f64[n] = add(b, d)""",
}


@pytest.mark.parametrize("form", ["arrays", "loops"])
@pytest.mark.parametrize("case", LOOPS)
def test_loops(case, form):
    text = f"program f(x: f64[n], y: f64[n]) -> (f64[n], f64[n], f64[n]) {{ {LOOPS[case]} return u, v, x }}"
    assert_writes_do_not_show(from_text(text), form)


@pytest.mark.parametrize("form", ["arrays", "loops"])
@pytest.mark.parametrize("seed", range(150))
def test_random_writes(seed, form):
    assert_writes_do_not_show(Writing(seed).program(), form)


def assert_writes_do_not_show(program, form):
    verify(program)
    names = {}
    text = to_python(program, form)
    exec(text, names)
    x, y = np.array([0.5, -1.0, 2.0]), np.array([1.5, 0.25, -0.75])
    given = (x.copy(), y.copy())
    with np.errstate(all="ignore"):
        found, wanted = names["f"](*given), interpret(program, (x, y))
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_array_equal(given, (x, y))
    assert not any(np.shares_memory(one, other) for k, one in enumerate(found) for other in (*given, *found[:k]))

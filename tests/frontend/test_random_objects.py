"""Random programs that share and change lists, dicts and objects: the same as Python in every mode, or refused."""

from __future__ import annotations

import copy
import linecache
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adcore
from adcore.errors import AliasError

from .conftest import run


@dataclass
class Pair:
    x: float
    y: float

    def push(self, by):
        self.x += by
        return self


LISTS, RECORDS, DICTS, GROWING = ("p", "q"), ("r", "s"), ("d",), ("out", "log")
BEGIN = (
    "p, q = [a, 2.0], [b, a * b]",
    "r, s = Pair(a, b), Pair(b, 1.0)",
    "d = {'k': a, 'p': p, 'r': s}",
    "out, log = [], [a]",
)
END = (
    "total = p[0] + 2.0 * p[1] + 3.0 * q[0] + 4.0 * q[1] + 5.0 * r.x + 6.0 * r.y + 7.0 * s.x + 8.0 * s.y",
    "total += d['k'] * d['p'][0] + d['r'].x * d['p'][1] + sum(out) + 0.5 * sum(log) + len(out)",
    "for k in range(len(log)): total += k * log[k]",
    "return total + np.sum(np.array(out) ** 2)",
)
NUMBERS = ("a", "b", "0.5", "p[0]", "p[1]", "q[-1]", "r.x", "r.y", "s.x", "d['k']", "d['p'][0]", "d['r'].y", "log[-1]")
PLACES = (
    "p[0]",
    "p[1]",
    "q[0]",
    "q[i % 2]",
    "r.x",
    "r.y",
    "s.y",
    "d['k']",
    "d['p'][1]",
    "d['r'].x",
    "log[0]",
    "log[-1]",
)
BINDINGS = (
    "p = q",
    "q = list(p)",
    "r = s",
    "s = Pair(r.y, r.x)",
    "r, s = s, r",
    "d['p'] = q",
    "d['r'] = r",
    "p = d['p']",
    "s = d['r']",
    "r = r.push(0.25)",
    "p, q = q, p",
    "d['p'] = [p[1], p[0]]",
    "r = copy.copy(r)",
    "d = dict(d)",
    "out = out + [b]",
)
CHANGES = (
    "out.append({})",
    "log.append({})",
    "out.extend([{}, a])",
    "r.push({})",
    "d.update(k={})",
    "log[len(out) % len(log)] = {}",
)


@st.composite
def blocks(draw, depth=1, budget=4):
    lines = []
    for _ in range(draw(st.integers(1, budget))):
        kind = draw(st.integers(0, 6 if depth < 4 else 3))
        value = f"0.5 * {draw(st.sampled_from(NUMBERS))} + 0.1 * {draw(st.sampled_from(NUMBERS))}"
        pad = "    " * depth
        if kind in (0, 1):
            lines.append(f"{pad}{draw(st.sampled_from(PLACES))} {draw(st.sampled_from(('=', '+=')))} {value}")
        elif kind == 2:
            lines.append(pad + draw(st.sampled_from(BINDINGS)))
        elif kind == 3:
            lines.append(pad + draw(st.sampled_from(CHANGES)).format(value))
        elif kind == 4:
            lines.append(f"{pad}if {draw(st.sampled_from(NUMBERS))} < {draw(st.sampled_from(NUMBERS))}:")
            lines += draw(blocks(depth + 1, 2))
            if draw(st.booleans()):
                lines.append(f"{pad}else:")
                lines += draw(blocks(depth + 1, 2))
        else:
            over = draw(st.sampled_from(("range(n)", "range(3)", "range(n, 0, -1)")))
            lines.append(f"{pad}for i in {over}:")
            lines += draw(blocks(depth + 1, 3))
    return lines


def made(lines):
    body = [f"    {line}" for line in BEGIN] + ["    i = 0"] + list(lines) + [f"    {line}" for line in END]
    text = "def made(a, b, n):\n" + "\n".join(body) + "\n"
    file = f"<random objects {hash(text)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace = {"np": np, "Pair": Pair, "copy": copy}
    exec(compile(text, file, "exec"), namespace)
    return namespace["made"], text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(blocks(), st.integers(0, 3))
def test_same_as_python(lines, n):
    function, text = made(lines)
    arguments = (0.75, -0.5, n)
    expected = function(*arguments)
    try:
        found = run(function, *arguments)
    except AliasError:
        return
    assert found == pytest.approx(expected, rel=1e-12), text


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(blocks(), st.integers(0, 3))
def test_forward_equals_reverse(lines, n):
    function, text = made(lines)
    try:
        gradient = adcore.grad(function, argnums=(0, 1))(0.75, -0.5, n)
    except AliasError:
        return
    tangent = adcore.jvp(lambda a, b: function(a, b, n), (0.75, -0.5), (1.0, -2.0))[1]
    assert gradient[0] - 2.0 * gradient[1] == pytest.approx(tangent, rel=1e-9, abs=1e-9), text

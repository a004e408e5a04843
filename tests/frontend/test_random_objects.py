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
from adcore.errors import AdcoreError

from .conftest import run


@dataclass
class Pair:
    x: float
    y: float

    def push(self, by):
        self.x += by
        return self


@dataclass
class Bag:
    items: list


BEGIN = (
    "p, q = [a, 2.0], [b, a * b]",
    "r, s = Pair(a, b), Pair(b, 1.0)",
    "d = {'k': a, 'p': p, 'r': s}",
    "out, log = [], [a]",
    "bins, rows, pairs, bag, bags = [[], []], [], [Pair(a, b)], Bag([]), [Bag([]), Bag([b])]",
    "one, two = [], [a]",
    "both, x = (one, two), np.array([a, b, a * b])",
    "views = [x, x.copy()]",
)
END = (
    "total = p[0] + 2.0 * p[1] + 3.0 * q[0] + 4.0 * q[1] + 5.0 * r.x + 6.0 * r.y + 7.0 * s.x + 8.0 * s.y",
    "total += d['k'] * d['p'][0] + d['r'].x * d['p'][1] + sum(out) + 0.5 * sum(log) + len(out)",
    "for k in range(len(log)): total += k * log[k]",
    "for row in bins: total += len(row) + sum(row)",
    "for each in pairs: total += each.x + 2.0 * each.y",
    "total += 3.0 * sum(one) + 5.0 * sum(two) + len(one) + len(rows) + sum(bins[0])",
    "total += sum(bag.items) + 7.0 * len(bag.items) + sum(bags[0].items) - sum(bags[1].items)",
    "total += np.sum(x * np.array([1.0, 2.0, 3.0])) + np.sum(views[0]) + np.sum(views[1] ** 2)",
    "return total + np.sum(np.array(out) ** 2)",
)
NUMBERS = (
    "a",
    "b",
    "0.5",
    "p[0]",
    "p[1]",
    "q[-1]",
    "r.x",
    "r.y",
    "s.x",
    "d['k']",
    "d['p'][0]",
    "d['r'].y",
    "log[-1]",
    "len(bins[0])",
    "len(bins[i % 2])",
    "sum(both[1])",
    "len(both[i % 2])",
    "len(bag.items)",
    "pairs[i % len(pairs)].x",
    "pairs[-1].y",
    "x[i % 3]",
    "views[i % 2][0]",
)
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
    "bins = [list(bins[1]), list(bins[0])]",
    "bins[0] = []",
    "bins.append([])",
    "bins.append(one)",
    "rows.append([])",
    "rows.append(one)",
    "rows = [list(row) for row in rows]",
    "rows = []",
    "one, two = two, one",
    "both = (two, one)",
    "one = bins[0]",
    "two = bag.items + [a]",
    "bag.items = one",
    "pairs = [copy.copy(each) for each in pairs]",
    "pairs = pairs + [pairs[0]]",
    "views = [views[1], views[0]]",
    "views[i % 2] = x",
    "x = x + 1.0",
    "log = [2.0 * each for each in log]",
)
CHANGES = (
    "out.append({})",
    "log.append({})",
    "out.extend([{}, a])",
    "r.push({})",
    "d.update(k={})",
    "log[len(out) % len(log)] = {}",
    "bins[0].append({})",
    "bins[-1].append({})",
    "bins[i % 2].append({})",
    "bins[i % 2] = [{}]",
    "one.append({})",
    "both[0].append({})",
    "both[i % 2].append({})",
    "two.extend([{}])",
    "rows.append([{}])",
    "bag.items.append({})",
    "bag.items = [{}]",
    "bags[0].items.append({})",
    "bags[i % 2].items.append({})",
    "bags[i % 2].items = [{}]",
    "pairs.append(Pair({}, a))",
    "pairs[0].push({})",
    "pairs[-1].x = {}",
    "pairs[i % len(pairs)].push({})",
    "x[i % 3] = {}",
    "views[0][1] = {}",
    "views[i % 2][1] = {}",
    "for each in bins: each.append({})",
    "for each in pairs: each.push({})",
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
    namespace = {"np": np, "Pair": Pair, "Bag": Bag, "copy": copy}
    exec(compile(text, file, "exec"), namespace)
    return namespace["made"], text


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(blocks(), st.integers(0, 3))
def test_same_as_python(lines, n):
    function, text = made(lines)
    arguments = (0.75, -0.5, n)
    expected = function(*arguments)
    try:
        found = run(function, *arguments)
    except AdcoreError:
        return
    assert found == pytest.approx(expected, rel=1e-12), text


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(blocks(), st.integers(0, 3))
def test_forward_equals_reverse(lines, n):
    function, text = made(lines)
    try:
        gradient = adcore.grad(function, argnums=(0, 1))(0.75, -0.5, n)
    except AdcoreError:
        return
    tangent = adcore.jvp(lambda a, b: function(a, b, n), (0.75, -0.5), (1.0, -2.0))[1]
    assert gradient[0] - 2.0 * gradient[1] == pytest.approx(tangent, rel=1e-9, abs=1e-9), text

"""Bounds checks that are left out: where the index is a sum of counters, and only where it cannot be out of range."""

from __future__ import annotations

import linecache
import random
from itertools import count

import numpy as np
import pytest

import adcore

serial = count()


def compiled(source: str):
    """The function `f` of a source text, which adcore can read."""
    name = f"<bounds {next(serial)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    names: dict = {"np": np}
    exec(compile(source, name, "exec"), names)
    return names["f"]


STENCILS = {
    "convolution": """
def f(x, w):
    n, p = x.shape[0], w.shape[0]
    s = 0.0
    for i in range(n - p + 1):
        for a in range(p):
            s += x[i + a] * w[a]
    return s
""",
    "from the end": """
def f(x, w):
    n, p = len(x), len(w)
    s = 0.0
    for i in range(n - p + 1):
        for a in range(p):
            s += x[n - 1 - i - a] * w[p - 1 - a]
    return s
""",
    "two planes": """
def f(x, w):
    n, p = x.shape[0], w.shape[0]
    s = 0.0
    for i in range(1, n - p):
        for a in range(p):
            for b in range(2):
                s += x[i + a + b - 1] * w[a]
    return s
""",
}


@pytest.mark.parametrize("name", STENCILS)
def test_stencils_are_not_checked(name):
    f = compiled(STENCILS[name])
    x, w = np.arange(9.0), np.arange(3.0)
    assert "IndexError" not in adcore.source(adcore.jit(f), x, w)
    assert adcore.jit(f)(x, w) == f(x, w)


LENGTHS = ("n", "n - 1", "n - p", "n - p + 1", "n - p + 2", "p", "p + 1", "n + 1", "2 * p", "m")


def drawn(rng: random.Random) -> str:
    """Nested loops over ranges of lengths, and an element at a sum of their counters."""
    lines = ["def f(x, w, m):", "    n, p = x.shape[0], w.shape[0]", "    s = 0.0"]
    counters: list[str] = []
    for depth, name in enumerate("ijk"[: rng.randint(1, 3)]):
        bounds = [rng.choice(LENGTHS) for _ in range(rng.choice((1, 1, 2)))]
        if len(bounds) == 2:
            bounds[0] = rng.choice(("1", "p - 1", "0", *counters))
        lines.append("    " * (depth + 1) + f"for {name} in range({', '.join(bounds)}):")
        counters.append(name)
    index = counters[0] + "".join(f" {rng.choice('+-')} {c}" for c in counters[1:])
    index += rng.choice(("", " + 1", " - 1", " + p", " - p", " + n - p"))
    if rng.random() < 0.3:
        index = f"n - 1 - ({index})"
    array = rng.choice(("x", "x", "w"))
    lines.append("    " * (len(counters) + 1) + f"s += {array}[{index}]")
    return "\n".join([*lines, "    return s", ""])


@pytest.mark.parametrize("seed", range(120))
def test_what_is_out_of_range_is_found(seed):
    rng = random.Random(seed)
    f = compiled(drawn(rng))
    g = adcore.jit(f)
    for n in (0, 1, 2, 5, 6):
        for p in (0, 1, 3, 5):
            for m in (0, 2, -1, n, n - p + 1):
                arguments = np.arange(1.0, n + 1.0), np.arange(1.0, p + 1.0), m
                try:
                    expected = f(*arguments)
                except IndexError:
                    with pytest.raises(IndexError):
                        g(*arguments)
                else:
                    assert g(*arguments) == expected

"""Random programs in Python source: nested loops, branches, writes through views, helpers, tuples, index arithmetic.

All operations are smooth and bounded, so that differences of the plain Python function are a reference that knows
nothing of the rules.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from hypothesis import strategies as st

__all__ = ["compiled_from", "functions"]

N = 4  # length of the arrays
SCALARS = ("a", "b", "c")
ARRAYS = ("x", "y")
_numbers = count()

HELPERS = """
def mix(u, v, weight=0.25):
    return math.tanh(u) * weight + v * (1.0 - weight)


def stir(target, amount):
    for k in range(target.shape[0]):
        target[k] = math.sin(target[k] + amount * k)
    return target[0]
"""


def compiled_from(source: str, name: str = "f") -> Callable[..., Any]:
    """Execute source text whose lines are known to tracebacks and to adcore."""
    file = f"<generated {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"math": math, "np": np}
    exec(compile(source, file, "exec"), namespace)
    return namespace[name]


@st.composite
def index(draw, loops: tuple[str, ...]) -> str:
    if loops and draw(st.booleans()):
        i = draw(st.sampled_from(loops))
        return draw(st.sampled_from([i, f"{i} - 1", f"({i} + 1) % {N}", f"{N - 1} - {i}", f"-{i} - 1"]))
    return str(draw(st.integers(-N, N - 1)))


@st.composite
def scalar(draw, loops: tuple[str, ...], depth: int = 2) -> str:
    """An expression whose values stay of order 1 if its variables do."""
    leaf = depth == 0 or draw(st.integers(0, 3)) == 0
    if leaf:
        if draw(st.booleans()):
            return draw(st.sampled_from(SCALARS))
        if draw(st.booleans()):
            return f"{draw(st.sampled_from(ARRAYS))}[{draw(index(loops))}]"
        return draw(st.sampled_from(["0.5", "-0.7", "1.3"]))
    one, other = draw(scalar(loops, depth - 1)), draw(scalar(loops, depth - 1))
    form = draw(
        st.sampled_from(
            [
                "math.sin({0})",
                "math.cos({0} * 0.5)",
                "math.tanh({0} + {1})",
                "0.5 * ({0} + {1})",
                "0.6 * {0} * {1}",
                "({0} - {1}) / (2.0 + {0} * {0})",
                "math.exp(-({0}) ** 2)",
                "math.sqrt(1.0 + {0} ** 2)",
                "mix({0}, {1})",
                "mix({0}, {1}, weight=0.6)",
                "({0} if {0} > {1} + 0.01 else 0.5 * {1} - 0.1)",
            ]
        )
    )
    return form.format(one, other)


@st.composite
def vector(draw, loops: tuple[str, ...]) -> str:
    """An expression of N elements."""
    one, other = draw(st.sampled_from(ARRAYS)), draw(st.sampled_from(ARRAYS))
    s = draw(scalar(loops, 1))
    return draw(
        st.sampled_from(
            [
                f"np.sin({one}) + {s}",
                f"0.5 * ({one} + {other})",
                f"np.tanh({one} * {other})",
                f"{one}[::-1] * ({s})",
                f"np.where({one} > {other} + 0.01, {one}, 0.5 * {other})",
                f"{one} - np.mean({other})",
                f"np.exp(-{one} * {one}) * np.sum({other}) * 0.25",
                f"{one}.copy()",
            ]
        )
    )


@st.composite
def statement(draw, loops: tuple[str, ...], depth: int, indent: str) -> list[str]:
    kinds = ["assign", "assign", "element", "element", "augment", "vector", "slice", "swap", "view", "helper"]
    if depth > 0:
        kinds += ["for", "for", "if", "if", "while"]
    if loops:
        kinds += ["guard"]
    kind = draw(st.sampled_from(kinds))
    s = draw(scalar(loops))
    name, array = draw(st.sampled_from(SCALARS)), draw(st.sampled_from(ARRAYS))
    if kind == "assign":
        return [f"{indent}{name} = {s}"]
    if kind == "element":
        return [f"{indent}{array}[{draw(index(loops))}] = {s}"]
    if kind == "augment":
        target = draw(st.sampled_from([name, f"{array}[{draw(index(loops))}]"]))
        operation = draw(st.sampled_from(["+= 0.1 *", "-= 0.2 *", "*= 0.7 +0.1*"]))
        return [f"{indent}{target} {operation} ({s})"]
    if kind == "vector":
        return [f"{indent}{array} = {draw(vector(loops))}"]
    if kind == "slice":
        return [
            indent
            + draw(
                st.sampled_from(
                    [
                        f"{array}[1:] = {array}[:-1] * 0.9",
                        f"{array}[:] = {draw(vector(loops))}",
                        f"{array}[::2] = {s}",
                        f"{array}[1:3] += 0.3 * {draw(st.sampled_from(ARRAYS))}[:2]",
                        f"{array}[::-1] = 0.8 * {draw(st.sampled_from(ARRAYS))}",
                    ]
                )
            )
        ]
    if kind == "swap":
        other = draw(st.sampled_from(SCALARS[1:]))  # CPython 3.11.2 stores `a, a = b, a` in the wrong order
        return [f"{indent}a, {other} = {draw(scalar(loops, 1))}, {s}"]
    if kind == "view":
        return [f"{indent}part = {array}[1:]", f"{indent}part[{draw(st.integers(-3, 2))}] = {s}"]
    if kind == "helper":
        return [f"{indent}{name} = 0.5 * stir({array}, {s})"]
    inner = indent + "    "
    if kind == "for":
        counter = f"i{len(loops)}"
        fixed = [f"{N}", f"1, {N}", f"{N - 1}, -1, -1", "0, 4, 2", "n"]
        bounds = draw(st.sampled_from([*fixed, *(f"{i} + 1" for i in loops)]))
        body = draw(block((*loops, counter), depth - 1, inner))
        return [f"{indent}for {counter} in range({bounds}):", *body]
    if kind == "while":
        steps = f"k{len(indent)}"
        body = draw(block(loops, depth - 1, inner))
        return [f"{indent}{steps} = 0", f"{indent}while {steps} < n:", f"{inner}{steps} += 1", *body]
    condition = f"{s} > 0.3" if kind == "if" else f"{loops[-1]} % 2 == 0"
    lines = [f"{indent}if {condition}:", *draw(block(loops, depth - 1, inner))]
    if draw(st.booleans()):
        lines += [f"{indent}else:", *draw(block(loops, depth - 1, inner))]
    return lines


@st.composite
def block(draw, loops: tuple[str, ...], depth: int, indent: str) -> list[str]:
    parts = draw(st.lists(statement(loops, max(depth, 0), indent), min_size=1, max_size=3))
    return [line for part in parts for line in part]


@st.composite
def functions(draw, depth: int = 3) -> str:
    """The source of `f(a, b, x, n)`: two numbers, an array of 4, an integer from 0 to 3; returns a number."""
    body = draw(block((), depth, "    "))
    lines = [
        HELPERS,
        "",
        "def f(a, b, x, n):",
        "    x = x.copy()",
        f"    y = np.zeros({N})",
        "    c = 0.25",
        *body,
        "    return a + 0.5 * b + c * np.sum(x) + np.sum(y * x)",
    ]
    return "\n".join(lines) + "\n"

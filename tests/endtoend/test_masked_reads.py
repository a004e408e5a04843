"""An element that is read only where a condition holds, of an array that has a cotangent of its own."""

from __future__ import annotations

import numpy as np
import pytest
from generated import compiled_from
from test_derivatives import richardson

from adcore import grad, jvp

WRITES = {
    "element": "m[k % 3, 1] = s",
    "row": "m[k % 3] = s",
    "column": "m[:, k % 3] = s",
    "row that is scaled": "m[k % 3] = m[k % 3] * s",
    "more": "m[k % 3] += s * s",
}
READS = {
    "element": "m[(k + 1) % 3, 2]",
    "element just written": "m[k % 3, 1]",
    "sum of a row": "np.sum(m[(k + 1) % 3])",
    "sum of all": "np.sum(m * m)",
}
CHOICES = {
    "conditional expression": "s = {read} if {read} > 0.2 else 0.5",
    "the other branch": "s = 0.3 if {read} > 0.2 else {read}",
    "the smaller one": "s = min({read}, 0.4)",
    "the larger one": "s = max({read}, 0.1)",
    "where": "s = float(np.where({read} > 0.2, {read}, 0.5))",
    "branch": "if {read} > 0.2:\n            s = {read}\n        else:\n            s = 0.5 * s",
    "running smallest": "s = min(s, {read})",
}
PROGRAM = """
def f(a, x, n):
    m = x.copy()
    s = a
    for k in range(n):
        {first}
        {second}
    return np.sum(m * m * m) + s
"""
ONCE = """
def f(a, x, k):
    m = x.copy()
    s = a
    if True:
        {first}
        {second}
    return np.sum(m * m * m) + s
"""
X = np.array([[0.31, -0.52, 0.73], [1.14, 0.25, -0.36], [-0.47, 0.58, 0.19]])


@pytest.mark.parametrize("order", ["write first", "read first"])
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("write", WRITES)
def test_cotangents_pass_by_what_is_not_read(write, read, choice, order):
    statements = [WRITES[write], CHOICES[choice].format(read=READS[read])]
    first, second = statements if order == "write first" else statements[::-1]
    along, by = np.cos(np.arange(9.0)).reshape(3, 3), 0.7
    for source in (PROGRAM, ONCE):
        f = compiled_from(source.format(first=first, second=second))
        for n in (1, 4):
            by_a, by_x = grad(f, (0, 1))(0.45, X, n)
            found = by_a * by + np.sum(by_x * along)
            expected = richardson(lambda t, f=f, n=n: f(0.45 + t * by, X + t * along, n), h=1e-4, levels=3)
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-7)
            _, forward = jvp(lambda a, x, f=f, n=n: f(a, x, n), (0.45, X), (by, along))
            assert forward == pytest.approx(found, rel=1e-12, abs=1e-13)

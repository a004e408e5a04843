"""Programs that other differentiators are reported to get wrong, one for each published pattern.

Every program is written for this file after the pattern of the report; a row whose report could not be read says that
it is the family.  The reference is the same source on dual numbers of 50 digits (`adcore.selftest.reference`), checked
in every coordinate, with a bound that belongs to the program; for rows with a closed form that is checked as well.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from adcore_numpy import interpret

import adcore
from adcore.arguments import abstract
from adcore.derive import gradient, pull, push
from adcore.selftest.checks import compiled_from
from adcore.selftest.reference import exact
from adcore.transforms import lower


@dataclass(frozen=True)
class Pattern:
    """A program `f(a, x, n)` of a number, a vector of 5 and an integer, and where its pattern was reported."""

    name: str
    reported: str
    body: str
    family: bool = False
    helpers: str = ""

    @property
    def source(self) -> str:
        body = textwrap.indent(textwrap.dedent(self.body).strip("\n"), "    ")
        helpers = textwrap.dedent(self.helpers)
        return f"import math\nimport numpy as np\n\n{helpers}\n\ndef f(a, x, n):\n{body}\n"


PATTERNS = [
    Pattern(
        "a value from before a loop used again after it",
        "NVIDIA/warp 1694",
        """
        scale = math.sin(a) * x[0]
        total = 0.0
        for k in range(n):
            total += x[k] * x[k]
        return scale * total + scale * scale
        """,
    ),
    Pattern(
        "the greatest element found with continue",
        "NVIDIA/warp 1552",
        """
        out = 0.0
        for p in range(5):
            best = -1e20
            for q in range(n):
                if (p + q) % 3 == 0:
                    continue
                v = x[p] * (q + 1.0) * math.cos(x[q] * a)
                if v <= best:
                    continue
                best = v
            if best > -1e19:
                out += best * best
        return out
        """,
    ),
    Pattern(
        "loops in loops whose bounds are data, the outer variable changed in both",
        "NVIDIA/warp 1293",
        """
        starts = [0, 2, 4]
        q = a
        for branch in range(n):
            low, high = branch % 2, branch % 2 + 3
            q = q * math.cos(x[branch])
            for i in range(low, high):
                half = 0.5 * x[i]
                q = q * math.cos(half) + math.sin(half) * q * q
            q = q + starts[0]
        return q * q
        """,
    ),
    Pattern(
        "an array read and written by the same statement",
        "NVIDIA/warp 1294",
        """
        y = x * 1.0
        for i in range(5):
            y[i] = y[i] + a
        for i in range(5):
            y[i] = y[i] * y[i]
        return np.sum(y)
        """,
    ),
    Pattern(
        "an input of a nonlinear operation overwritten afterwards",
        "NVIDIA/warp 1350",
        """
        y = x.copy()
        z = np.zeros(5)
        for i in range(5):
            z[i] = y[i] * y[i] * a
            y[i] = 100.0
        y[:] = 7.0
        return np.sum(z) + 0.0 * y[0]
        """,
    ),
    Pattern(
        "one component read, changed and written again and again",
        "NVIDIA/warp 1697",
        """
        m = np.zeros((2, 2))
        m[0, 0] = a
        for k in range(n):
            m[0, 0] = m[0, 0] + x[k]
            m[0, 0] = m[0, 0] * m[0, 0] * 0.3
            m[0, 1] = m[0, 1] + m[0, 0]
        return m[0, 0] + m[0, 1]
        """,
    ),
    Pattern(
        "a read of the element that a later statement of the iteration overwrites",
        "NVIDIA/warp 1740",
        """
        y = x.copy()
        for k in range(1, n):
            before = y[k]
            y[k] = math.sin(y[k - 1] * a)
            y[k - 1] = before * y[k]
        return np.dot(y, y)
        """,
        family=True,
    ),
    Pattern(
        "an overwritten array whose first contents were read by someone else",
        "NVIDIA/warp 1062",
        """
        y = np.zeros(5)
        for i in range(5):
            y[i] = 2.0 * x[i] * x[i]
        s = np.sum(y) * 0.5
        for i in range(5):
            y[i] = 3.0 * a * x[4 - i]
        return s * np.sum(y)
        """,
    ),
    Pattern(
        "a copy whose source is read again later",
        "NVIDIA/warp 1728",
        """
        y = np.empty(5)
        y[:] = x
        s = np.sum(x * x)
        y[:] = y * a
        y[:] = x * y
        return np.sum(y) + s
        """,
    ),
    Pattern(
        "a local that a loop changes while its trip count is data",
        "taichi 8802",
        """
        p = a
        for i in range(n + 1):
            q = p
            for j in range(min(i + 1, 5)):
                q = math.sin(q) * x[j]
                p = p + 0.1 * q
        return p * p
        """,
        family=True,
    ),
    Pattern(
        "the same value added to a local again and again",
        "taichi 4412",
        """
        out = np.zeros(5)
        for i in range(5):
            p = x[i]
            q = 0.0
            for j in range(n):
                q += p
            out[i] = q * a
        return np.sum(out)
        """,
    ),
    Pattern(
        "sums into an array that the same loop reads",
        "taichi 8356",
        """
        y = x.copy()
        for i in range(5):
            for j in range(5):
                y[i] += 0.1 * y[j] * a
        return np.dot(y, y)
        """,
    ),
    Pattern(
        "a variable multiplied into itself under a switch",
        "taichi 2505",
        """
        y = x[0]
        for k in range(n):
            multiplier = 1.0
            if k % 2 == 0:
                multiplier = y
            y = math.cos(a) * multiplier
        return y
        """,
    ),
    Pattern(
        "a while loop whose trip count depends on the data",
        "Enzyme.jl 3614",
        """
        y, k = a, 0
        while abs(y) < 3.0 and k < 50:
            y = y * 1.3 + 0.1 * x[k % 5]
            k += 1
        return y * k
        """,
        family=True,
    ),
    Pattern(
        "memory that is not zero at first in nested accumulation",
        "Enzyme.jl 3035",
        """
        total = 0.0
        for i in range(n):
            y = np.empty(5)
            for j in range(5):
                y[j] = x[j] * a
            for j in range(5):
                y[j] += y[(j + i) % 5] * x[i]
            total += np.sum(y)
        return total
        """,
    ),
    Pattern(
        "the inverse of a small matrix of views, in a loop of two and more",
        "Enzyme.jl 3004",
        """
        total = 0.0
        m = np.zeros((4, 3))
        for i in range(4):
            for j in range(3):
                m[i, j] = x[i] + a * (j + 1.0) ** (1 + i % 2)
        for k in range(2):
            p = m[:, k:k + 2]
            u, v = p[:, 0], p[:, 1]
            c00, c01, c11 = np.dot(u, u), np.dot(u, v), np.dot(v, v)
            det = c00 * c11 - c01 * c01
            total += (c00 + c11) / det
        return total
        """,
    ),
    Pattern(
        "a branch of several tests that returns from each arm",
        "Enzyme.jl 2987",
        """
        t = 0.0
        for k in range(n):
            value, rest = jacobian(x[k] + 2.0, k % 2 == 0, a)
            t += value + rest
        return t
        """,
        helpers="""
        def jacobian(u, lower, upper):
            bounded = upper < 1e300
            if lower and bounded:
                return math.log(u / (upper + 3.0)) / 1.0, 0.0
            elif lower:
                return math.log(u), 0.0
            elif bounded:
                return math.log(u) * upper, 0.0
            else:
                return u, 0.0
        """,
    ),
    Pattern(
        "an array copied and changed, the one that it was copied from read afterwards",
        "Enzyme.jl 2867",
        """
        total = 0.0
        work = np.zeros(5)
        for k in range(n):
            work[:] = x
            work *= a
            work[k] = work[k] * work[4 - k]
            total += np.sum(work) * x[k]
        return total
        """,
        family=True,
    ),
    Pattern(
        "values put into an array in one loop and read in the next",
        "Enzyme.jl 2387",
        """
        d = {"a": a}
        total = 0.0
        y = np.zeros(5)
        for i in range(5):
            v = d["a"]
            total += v ** 2
            y[i] = v
        for i in range(5):
            total += y[i] * x[i]
        return total
        """,
    ),
    Pattern(
        "a captured buffer under a second name",
        "Enzyme.jl 3124",
        """
        buffer = np.zeros(5)

        def fill(u):
            again = buffer
            for k in range(5):
                again[k] = u * x[k]
            return np.sum(buffer * buffer)

        return fill(a) + buffer[0] * a
        """,
    ),
    Pattern(
        "a checkpointed loop that reads by its counter",
        "Reactant.jl 3119",
        """
        state = a * np.ones(4)
        total = 0.0
        for t in range(23):
            state = 0.9 * a * state + 0.1
            total = total + (t + x[t % 5]) * np.sum(state)
        return total
        """,
    ),
    Pattern(
        "elements picked by an array of integers",
        "Reactant.jl 3197",
        """
        picked = np.array([1, 0, 0, 1, 0])
        total = 0.0
        for i in range(n):
            total += x[picked[i]] * x[i] * a
        return total
        """,
    ),
    Pattern(
        "two buffers that are written through slices of each other, three times over",
        "Reactant.jl 1409",
        """
        v, u = x.copy(), np.zeros(5)
        for _ in range(3):
            v[1:4] = v[1:4] + u[1:4] * a
            u[:] = v[::-1]
            u[2] = u[2] + u[0] * u[1]
            v[3:] = u[:2]
        return np.sum(u * u)
        """,
    ),
    Pattern(
        "a loop whose state is a sum, differentiated by running it again",
        "Dr.Jit 295",
        """
        beta, light, t = 1.0, 0.0, 0.0
        for k in range(n + 1):
            tr = math.exp(-x[k % 5] ** 2 * a)
            light = light + beta * (1.0 - tr) * math.cos(t)
            beta = beta * tr
            t += 0.3
        return light + beta
        """,
        family=True,
    ),
    Pattern(
        "break in a loop, and what was computed in the iteration that breaks",
        "break in the adjoint",
        """
        y = a
        for k in range(5):
            y = y * x[k]
            if k == n:
                y = math.sin(y)
                break
            y = y + 1.0
        else:
            y = 2.0 * y
        return y
        """,
        family=True,
    ),
    Pattern(
        "a view of an array that is written afterwards, directly and through the view",
        "views into a mutated array",
        """
        y = x.copy()
        part = y[1:4]
        y[2] = a * y[2]
        part[0] = part[1] * part[1]
        y[1:4] = part[::-1] * y[0]
        return np.sum(part * y[:3])
        """,
        family=True,
    ),
    Pattern(
        "one array as both arguments of a helper that writes into the first",
        "aliasing arguments",
        """
        y = x.copy()
        mixed(y, y, a)
        mixed(y[1:], y[:-1], a)
        return np.sum(y)
        """,
        family=True,
        helpers="""
        def mixed(target, source, w):
            for k in range(1, len(target)):
                target[k] = target[k] * source[k - 1] + w
        """,
    ),
    Pattern(
        "an accumulator that begins as an integer",
        "type-unstable accumulators",
        """
        total = 0
        for k in range(n):
            total = total + x[k] * a
            if total > 0:
                total = total * 2
        return total
        """,
        family=True,
    ),
    Pattern(
        "an array of integers changed in the loop that it indexes",
        "integer index arrays mutated in the loop",
        """
        place = np.array([4, 2, 0, 1, 3])
        y = x.copy()
        for k in range(5):
            j = place[k]
            y[j] = y[j] * a + y[place[(k + 1) % 5]]
            place[(k + 2) % 5] = (place[k] + n) % 5
        return np.dot(y, x)
        """,
        family=True,
    ),
    Pattern(
        "buffers that change places in every iteration",
        "ping-pong",
        """
        old, new = x.copy(), np.zeros(5)
        for k in range(n):
            for i in range(5):
                new[i] = math.sin(old[i - 1]) * a + old[i]
            old, new = new, old
        return np.dot(old, old) + np.sum(new)
        """,
        family=True,
    ),
    Pattern(
        "a name rebound to itself, then its array written",
        "x = x",
        """
        y = x
        y = y
        y = y * 1.0
        z = y
        z = z
        z[0] = a * z[0]
        return np.sum(y * y) + np.sum(x)
        """,
        family=True,
    ),
    Pattern(
        "a loop that does not run, and what it would have overwritten",
        "zero-trip loops",
        """
        y = x * a
        s = a
        for k in range(n - n):
            y[k] = 0.0
            s = 0.0
        while s < -1e9:
            s = 0.0
        return np.sum(y) * s
        """,
        family=True,
    ),
    Pattern(
        "an inner loop that does not run and would have dropped a value from outside of both",
        "zero-trip loops",
        """
        total = 0.0
        for i in range(5):
            z = a
            for j in range(max(n - 9, 0)):
                z = 0.0
            total += z * x[i]
        return total
        """,
        family=True,
    ),
    Pattern(
        "a while loop that runs down and overwrites what it has read",
        "while loops with data-dependent trip count",
        """
        y = x.copy()
        i = 4
        while i > 0:
            y[i] = y[i - 1] * y[i - 1] * a
            i -= 1
        return np.sum(y * y)
        """,
        family=True,
    ),
    Pattern(
        "a slice that runs down over elements that are still to be written",
        "loop-carried read after write",
        """
        y = x.copy()
        for i in range(3, -1, -1):
            part = y[4::-1]
            y[i] = math.sin(a * np.sum(part * part))
        return np.sum(y)
        """,
        family=True,
    ),
    Pattern(
        "an element assigned and then added to",
        "accumulation into an array",
        """
        y = np.zeros(5)
        for i in range(5):
            y[i] = x[i] * a
            y[i] += x[i] * x[i]
        return np.sum(y * y)
        """,
        family=True,
    ),
    Pattern(
        "a number that is an integer on one path, and an error on another",
        "type-unstable accumulators",
        """
        k = 1
        total = 0.0
        for i in range(5):
            if x[i] > 1e9:
                raise ValueError("too large")
            if x[i] > 0.3:
                k = x[i] * a
            else:
                k = 2
            total += k * x[i]
        return total * (1 if n > 9 else a)
        """,
        family=True,
    ),
    Pattern(
        "the derivative of the arm that is not taken is infinite",
        "NaN from the untaken branch",
        """
        y = np.zeros(5)
        for k in range(5):
            d = x[k] - x[0]
            y[k] = math.sqrt(d) if d > 0.0 else d * a
        return np.sum(y) + np.sum(np.where(x - x[0] > 0.0, a, 0.5 * x))
        """,
        family=True,
    ),
]

POINTS = [
    (0.7, np.array([0.31, 0.52, -0.23, 0.84, 0.45]), 3),
    (0.9, np.array([0.5, 0.7, 0.2, 0.35, 0.6]), 5),
    (1.1, np.array([0.9, -0.3, 0.4, 0.25, -0.6]), 0),
]

NAMES = [f"{p.reported}: {p.name}" for p in PATTERNS]
ROWS = [pytest.param(p, at, id=f"{p.reported}: {p.name}, n = {at[2]}") for p in PATTERNS for at in POINTS]


def derivatives(pattern: Pattern, at: Any) -> tuple[float, list[float], list[float]]:
    """Value, partial derivatives, and what rounding may do to each."""
    x = at[1]
    slopes, bounds, value = [], [], 0.0
    for k in range(1 + len(x)):
        unit = np.eye(1 + len(x))[k]
        found = exact(pattern.source, at, (float(unit[0]), unit[1:]))
        value = found.value
        slopes.append(found.slope)
        bounds.append(found.slope_bound + 1e-14)
    return value, slopes, bounds


def within(found: Any, expected: list[float], bounds: list[float]) -> None:
    for ours, theirs, bound in zip(found, expected, bounds, strict=True):
        assert abs(ours - theirs) <= bound


@pytest.mark.parametrize("pattern", PATTERNS, ids=NAMES)
def test_compiled(pattern):
    f = compiled_from(pattern.source)
    g = adcore.value_and_grad(f, argnums=(0, 1))
    for at in POINTS:
        expected, slopes, bounds = derivatives(pattern, at)
        assert max(bounds) < 1e-9 * max(1.0, *map(abs, slopes))
        assert float(f(at[0], at[1].copy(), at[2])) == pytest.approx(expected, rel=1e-13)
        value, (da, dx) = g(*at)
        assert value == pytest.approx(expected, rel=1e-13, abs=1e-13)
        within([da, *dx], slopes, bounds)


@pytest.mark.parametrize(("pattern", "at"), ROWS)
def test_interpreted(pattern, at):
    """The same derivative by the reference interpreter, and forward mode."""
    lowered = lower(compiled_from(pattern.source), tuple(abstract(a) for a in at)).program
    expected, slopes, bounds = derivatives(pattern, at)
    value, da, dx = interpret(gradient(lowered, (0, 1)), at)
    assert value == pytest.approx(expected, rel=1e-13, abs=1e-13)
    within([da, *dx], slopes, bounds)
    pushed = push(lowered, (0, 1))
    found = [interpret(pushed, (*at, float(e[0]), e[1:]))[1] for e in np.eye(6)]
    within(found, slopes, bounds)


@pytest.mark.parametrize("pattern", PATTERNS, ids=NAMES)
def test_second_order(pattern):
    """The Hessian is symmetric, forward over reverse and reverse over reverse."""
    at = POINTS[1]
    lowered = lower(compiled_from(pattern.source), tuple(abstract(a) for a in at)).program
    reverse = gradient(lowered, (0, 1))
    forward, twice = push(reverse, (0, 1)), pull(reverse, (0, 1))
    rng = np.random.default_rng(0)
    u, w = ((float(rng.normal()), rng.normal(size=5)) for _ in range(2))
    along_u, along_w = (interpret(forward, (*at, *v))[4:] for v in (u, w))
    scale = max(1.0, float(np.abs(along_u[1]).max()))
    assert abs(inner(along_u, w) - inner(along_w, u)) <= 1e-11 * scale
    back = interpret(twice, (*at, 0.0, *w))[3:]
    assert abs(inner(back, u) - inner(along_w, u)) <= 1e-11 * scale


def inner(one: Any, other: Any) -> float:
    return float(one[0] * other[0] + np.dot(one[1], other[1]))


CHECKPOINTED = next(p for p in PATTERNS if p.reported == "Reactant.jl 3119")


@pytest.mark.parametrize("at", POINTS)
def test_checkpointed(at):
    """The loop of the report with the checkpoints of the report."""
    value, slopes, bounds = derivatives(CHECKPOINTED, at)
    g = adcore.value_and_grad(adcore.checkpoint(compiled_from(CHECKPOINTED.source)), argnums=(0, 1))
    found, (da, dx) = g(*at)
    assert found == pytest.approx(value, rel=1e-13)
    within([da, *dx], slopes, bounds)


CLOSED_FORMS = [
    ("NVIDIA/warp 1294", lambda a, x, n: (np.sum(2 * (x + a)), 2 * (x + a))),
    ("NVIDIA/warp 1350", lambda a, x, n: (np.sum(x * x), 2 * x * a)),
    ("taichi 4412", lambda a, x, n: (n * np.sum(x), np.full(5, n * a))),
    ("x = x", lambda a, x, n: (2 * a * x[0] ** 2, np.array([2 * a * a, 2, 2, 2, 2]) * x + 1)),
]


@pytest.mark.parametrize(("reported", "form"), CLOSED_FORMS, ids=[r for r, _ in CLOSED_FORMS])
@pytest.mark.parametrize("at", POINTS)
def test_closed_form(reported, form, at):
    pattern = next(p for p in PATTERNS if p.reported == reported)
    da, dx = adcore.grad(compiled_from(pattern.source), argnums=(0, 1))(*at)
    expected = form(*at)
    assert da == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(dx, expected[1], rtol=1e-13)

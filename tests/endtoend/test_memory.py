"""The report of what is kept for the reverse sweep, and which residuals are chosen: exact bytes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from adcore_numpy import interpret

import adcore
from adcore import checkpoint, grad, memory, value_and_grad, vjp
from adcore.arguments import abstract
from adcore.dispatch import specialise
from adcore.trees import leaves, map_leaves
from adcore.verify import verify

RNG = np.random.default_rng(11)

# Straight-line code: ten dense layers

LAYERS, BATCH, WIDTH = 10, 6, 5
MEMBER = BATCH * WIDTH  # elements of a layer's values

SELECTIONS = {
    # name: (differentiated layers, layers whose pre-activation is kept, layers whose mask is kept)
    #
    # The gradient of a layer's weights takes its input, which is the maximum of 0 and what the layer before computed
    # in front of it: that is kept, 8 bytes an element, and gives the relu's mask as well.  Every other relu that a
    # cotangent passes keeps its mask, 1 byte an element; a frozen product keeps nothing, for its map needs the
    # weights only, which are an argument.  The first layer's input is an argument.
    "all": (range(10), range(9), [9]),
    "none": ([], [], []),
    "first": ([0], [], range(10)),
    "last": ([9], [8], [9]),
    "alternate": (range(0, 10, 2), [1, 3, 5, 7], [0, 2, 4, 6, 8, 9]),
}


def layers(wanted):
    """A function of the differentiated weights, and these."""
    weights = [RNG.normal(size=(WIDTH, WIDTH)) / 2 for _ in range(LAYERS)]
    biases = [RNG.normal(size=WIDTH) + 0.5 for _ in range(LAYERS)]
    ours = tuple((weights[k], biases[k]) for k in wanted)
    theirs = tuple((weights[k], biases[k]) for k in range(LAYERS) if k not in wanted)
    order = tuple(k in wanted for k in range(LAYERS))

    def f(ours, theirs, h):
        i = j = 0
        for mine in order:
            if mine:
                w, b = ours[i]
                i += 1
            else:
                w, b = theirs[j]
                j += 1
            h = np.maximum(h @ w.T + b, 0.0)
        return np.sum(h)

    return f, ours, theirs


@pytest.mark.parametrize("name", SELECTIONS)
def test_selective_differentiation(name):
    wanted, kept, masks = SELECTIONS[name]
    f, ours, theirs = layers(list(wanted))
    h = RNG.normal(size=(BATCH, WIDTH))
    report = memory(grad(f), ours, theirs, h)
    assert report.total == 8 * MEMBER * len(kept) + 1 * MEMBER * len(masks)
    assert report.again == 0
    value, gradient = value_and_grad(f)(ours, theirs, h)
    assert value == pytest.approx(float(f(ours, theirs, h)), rel=1e-13)
    for position, (w, b) in enumerate(ours):
        for k, array in enumerate((w, b)):
            moved = array.copy()
            moved.flat[1] += 1e-6
            pair = (moved, b) if k == 0 else (w, moved)
            other = f((*ours[:position], pair, *ours[position + 1 :]), theirs, h)
            assert gradient[position][k].flat[1] == pytest.approx((other - value) / 1e-6, rel=1e-4, abs=1e-7)


def test_what_the_network_of_vjp_keeps_is_what_the_report_says():
    """The arrays that the forward program hands over, the arguments left out, have these bytes."""
    f, ours, theirs = layers([0, 3, 9])
    h = RNG.normal(size=(BATCH, WIDTH))
    splitting = adcore.splitting.PullbackSplit(f)
    lowered = splitting.lower(tuple(map_leaves(abstract, a) for a in (ours, theirs, h)))
    values = [v for a in (ours, theirs, h) for v in leaves(a)]
    _, *handed = interpret(lowered.program, values)
    given = {np.asarray(v).tobytes() for v in values}
    arrays = [np.asarray(r) for r in handed if np.ndim(r)]
    assert sum(a.nbytes for a in arrays if a.tobytes() not in given) == memory(f, ours, theirs, h).total


def test_ties_are_shared_from_the_mask():
    g = grad(lambda x, w: np.sum(np.maximum(w * x, 0.0) @ np.ones((1, 1))))
    x = np.array([[-1.0], [0.0], [2.0], [-0.0]])
    np.testing.assert_array_equal(g(x, 3.0), [[0.0], [1.5], [3.0], [1.5]])
    f = adcore.value_and_grad(lambda x: np.sum(np.minimum(np.maximum(x, 0.0), 1.0)))
    np.testing.assert_array_equal(f(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]))[1], [0.0, 0.5, 1.0, 0.5, 0.0])


STRAIGHT = {
    # a residual is kept iff it is needed and costly; sums and products of what is there are computed again
    "sum of squares": (lambda x: np.sum(x * x), 0),
    "cheap chain": (lambda x: np.sum(((x * x + 1.0) * x - x) ** 2), 0),
    "sine": (lambda x: np.sum(np.sin(x)), 0),
    "sine of an exponential": (lambda x: np.sum(np.sin(np.exp(x))), 8),
    "two from one": (lambda x: np.sum(np.exp(x) * (np.exp(x) + 1.0)), 8),
    "selection": (lambda x: np.sum(np.where(np.sin(x) > 0.0, 2.0 * x, -x)), 1),
    "relu of a sine": (lambda x: np.sum(np.maximum(np.sin(x), 0.1)), 1),
}


@pytest.mark.parametrize("name", STRAIGHT)
def test_straight_line_code(name):
    f, each = STRAIGHT[name]
    x = RNG.normal(size=50)
    assert memory(grad(f), x).total == memory(f, x).total == 50 * each
    value, pullback = vjp(f, x)
    (cotangent,) = pullback(1.0)
    np.testing.assert_allclose(cotangent, grad(f)(x), rtol=1e-14)
    h = 1e-6
    np.testing.assert_allclose(np.sum(cotangent), (f(x + h) - f(x - h)) / (2 * h), rtol=1e-6)
    assert value == pytest.approx(float(f(x)))


def test_a_relu_in_a_loop_keeps_a_byte_an_element():
    def f(x, w, n):
        for _ in range(n):
            x = np.maximum(np.sin(w) * x - 0.1, 0.0)
        return np.sum(x)

    report = memory(grad(f), np.linspace(0.1, 2.0, 20), 0.9, 30)
    assert report.total == 30 * 20
    assert report.lines[0].kind == "stored each iteration"


# The report


def simulate(y0, k, steps):
    y = y0.copy()
    for _ in range(steps):
        y = y + 1e-6 * (np.sin(k * y) - y * y)
    return np.sum(y * y)


def test_the_report_of_a_loop():
    y = np.linspace(0.1, 1.0, 100)
    report = memory(grad(simulate, argnums=(0, 1)), y, 0.3, 1000)
    assert report.total == 1000 * 100 * 8 + 100 * 8  # the state of each step, and the last one for its squares
    largest = report.lines[0]
    assert (largest.variable, largest.bytes, largest.kind) == ("y", 800_000, "stored each iteration")
    assert largest.text.strip() == "for _ in range(steps):"
    assert (largest.file, report.runs) == (__file__, 1.0)
    assert {line.variable for line in report.lines if line.kind == "argument"} == {"k"}
    costs = {cost.policy: cost for cost in report.policies}
    assert costs["all"].bytes == report.total
    assert costs["sqrt"].bytes == 2 * 32 * 800 + 800 + 8 + 8 * 0  # 32 states, 32 more in a segment
    assert costs["sqrt"].runs == 2.0
    assert costs["revolve, snapshots=10"].runs == pytest.approx(3.637)  # t(1000, 10) = 3636
    assert "801 kB kept" in str(report)
    assert json.loads(json.dumps(report.as_dict()))["total"] == report.total


def test_the_report_follows_the_arguments():
    g = grad(simulate, argnums=(0, 1))
    for size, steps in ((1, 3), (7, 0), (50, 20)):
        report = memory(g, np.ones(size), 0.3, steps)
        assert report.total == (steps + 1) * size * 8


def test_growing_stores_count_with_their_capacity():
    def decay(x):
        while x > 0.01:
            x = x * 0.99 + 0.0001 * math.sin(x)
        return x

    lines = {line.kind: line.bytes for line in memory(grad(decay), 1.0).lines}
    assert lines["stored each iteration"] in (8 * 512, 8 * 1024)


def test_the_report_leaves_the_function_as_it_is():
    g = grad(simulate)
    y = np.ones(3)
    before = g(y, 0.3, 10)
    entered, text = type(g).__call__, adcore.source(g, y, 0.3, 10)
    memory(g, y, 0.3, 10)
    assert type(g).__call__ is entered
    assert adcore.source(g, y, 0.3, 10) == text
    np.testing.assert_array_equal(g(y, 0.3, 10), before)
    assert len(specialise(g, (y, 0.3, 10)).lowered.program.results) == 1


def test_a_policy_that_does_not_apply_says_why():
    def exchanged(x, n):
        a, b = np.ones(n), np.zeros(5)
        for _ in range(n):
            a, b = b + x, a * x
        return np.sum(a)

    costs = {c.policy: c for c in memory(grad(exchanged), 0.5, 5).policies}
    assert "shape changes" in costs["revolve, snapshots=10"].refused
    assert costs["sqrt"].refused == ""


# Checkpoints inside


def layer(h, w):
    return np.maximum(np.sin(np.exp(0.1 * np.tanh(h @ w))), 0.1)


def plain(h, ws):
    for w in ws:
        h = layer(h, w)
    return np.sum(h * h)


def each(h, ws):
    for w in ws:
        h = checkpoint(layer)(h, w)
    return np.sum(h * h)


def closures(h, ws):
    for w in ws:
        h = checkpoint(lambda a: layer(a, w), policy="all")(h)  # noqa: B023
    return np.sum(h * h)


def pairs(h, ws):
    @checkpoint
    def two(h, v, w):
        return checkpoint(layer)(checkpoint(layer)(h, v), w)

    for v, w in ((ws[0], ws[1]), (ws[2], ws[3])):
        h = two(h, v, w)
    return np.sum(h * h)


CHECKPOINTED = [(plain, 8), (each, 4), (closures, 4), (pairs, 2)]


@pytest.mark.parametrize(("f", "kept"), CHECKPOINTED, ids=[f.__name__ for f, _ in CHECKPOINTED])
def test_checkpoints_inside(f, kept):
    """A layer keeps two arrays, a checkpointed one its input; the first one's is an argument, the result is kept."""
    h, ws = RNG.normal(size=(16, 8)), tuple(RNG.normal(size=(8, 8)) for _ in range(4))
    g = value_and_grad(f, argnums=(0, 1))
    verify(adcore.program(g, h, ws))
    assert memory(g, h, ws).total == kept * 16 * 8 * 8
    for a, b in zip(leaves(value_and_grad(plain, argnums=(0, 1))(h, ws)), leaves(g(h, ws)), strict=True):
        np.testing.assert_array_equal(a, b)
    _, pullback = vjp(f, h, ws)
    for a, b in zip(leaves(g(h, ws)[1]), leaves(pullback(1.0)), strict=True):
        np.testing.assert_array_equal(a, b)
    second = grad(lambda h, ws: np.sum(grad(f)(h, ws) ** 2))(h, ws)
    expected = grad(lambda h, ws: np.sum(grad(plain)(h, ws) ** 2))(h, ws)
    np.testing.assert_allclose(second, expected, rtol=1e-11, atol=1e-14)


def branching(h, flag):
    @checkpoint
    def f(h):
        if flag > 0:  # noqa: SIM108
            h = np.sin(h) * np.exp(-h * h)
        else:
            h = np.cos(h)
        for _ in range(3):
            h = np.tanh(h) + 0.3 * h
        return h + 0.1 * np.sum(h)

    for _ in range(4):
        h = f(h)
    return np.sum(h)


@pytest.mark.parametrize("flag", [1, -1])
def test_checkpoints_of_branches_and_loops_in_a_loop(flag):
    h = RNG.normal(size=12)
    along = RNG.normal(size=12)
    slope = float(np.sum(grad(branching)(h, flag) * along))
    step = 1e-6
    difference = (branching(h + step * along, flag) - branching(h - step * along, flag)) / (2 * step)
    assert slope == pytest.approx(difference, rel=1e-6)
    assert adcore.jvp(branching, (h, flag), (along, 0))[1] == pytest.approx(slope, rel=1e-12)


# A long simulation


@pytest.mark.parametrize("policy", ['"sqrt"', '"revolve", bytes=8_000_000'])
def test_a_long_simulation_fits_in_memory(tmp_path, policy):
    """10**6 steps of 100 state variables, reversed within 64 MB (an array a step would be 800 MB)."""
    script = textwrap.dedent(
        f"""
        import resource
        import numpy as np
        from adcore import checkpoint, grad, memory

        def simulate(y0, k, steps):
            y = y0.copy()
            for _ in range(steps):
                y = y + 1e-6 * (np.sin(k * y) - y * y)
            return np.sum(y * y)

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        g = grad(checkpoint(simulate, {policy}), argnums=(0, 1))
        y = np.linspace(0.1, 1.0, 100)
        g(y, 0.3, 10)
        before = peak()
        g(y, 0.3, 1_000_000)
        print(peak() - before)
        report = memory(g, y, 0.3, 1_000_000)
        print(report.total + report.again)
        """
    )
    path = tmp_path / "simulation.py"
    path.write_text(script)
    ran = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    measured, reported = map(float, ran.stdout.split())
    assert measured < 64.0
    assert reported < 9e6


def test_numbers_of_numpy_are_measured_as_pythons_are():
    def f(x, n):
        for _ in range(n):
            x = math.sin(x)
        return x

    assert memory(grad(f), np.float64(0.5), np.int64(20)).total == memory(grad(f), 0.5, 20).total > 0

"""Programs for short axes of one length, and for arrays of any lengths."""

from __future__ import annotations

import numpy as np
import pytest
from test_derivatives import richardson

from adcore import arguments, grad, jit, set_num_threads, source, value_and_grad
from adcore.arguments import any_lengths

RNG = np.random.default_rng(41)
LENGTHS = [2, 3, 4, 1, 0, 7, 16, 17, 200]


@pytest.fixture(autouse=True)
def _short_axes(_lengths, monkeypatch):
    monkeypatch.setattr(arguments, "_any_lengths", False)


def chain(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s + np.sum(np.sin(x))


def pairs(points):
    energy = 0.0
    for i in range(points.shape[0]):
        for j in range(i):
            d = points[i] - points[j]
            energy += 1.0 / np.sqrt(np.sum(d * d) + 0.1)
    return energy


def quadratic(a, x, n):
    m = a.copy()
    for _ in range(n):
        m = m @ a / np.sqrt(np.sum(m * m))
        m[0] += x
    return x @ m @ x


def programs(f):
    return [found for candidates in f.dispatcher.known.values() for found in candidates]


def test_lengths_that_stay_the_same_are_kept():
    gradient = grad(pairs)
    for n in (2, 3, 5, 40):
        gradient(RNG.normal(size=(n, 3)))
    assert [found.specs[0].shape for found in programs(gradient)] == [(2, 3), (None, 3)]
    gradient(RNG.normal(size=(5, 2)))
    gradient(RNG.normal(size=(3, 4)))
    assert [found.specs[0].shape for found in programs(gradient)] == [(2, 3), (None, 3), (None, None)]


def test_at_most_one_program_for_other_lengths():
    gradient = grad(chain)
    for n in LENGTHS:
        x = RNG.normal(size=n)
        along = np.cos(np.arange(n))
        slope = richardson(lambda t, x=x, along=along: chain(x + t * along)) if n else 0.0
        assert np.sum(gradient(x) * along) == pytest.approx(slope, rel=1e-8, abs=1e-9)
    # of 2, of any, and of 1, which is broadcast
    assert [found.specs[0].shape for found in programs(gradient)] == [(2,), (None,), (1,)]


def test_a_short_axis_of_a_long_array():
    gradient, general = grad(pairs), grad(pairs)
    for n in (30, 40, 2, 50):
        points = RNG.normal(size=(n, 3))
        with any_lengths():
            wanted = general(points)
        np.testing.assert_allclose(gradient(points), wanted, rtol=1e-13, atol=1e-13)
    assert [found.specs[0].shape for found in programs(gradient)] == [(None, 3)]
    gradient(RNG.normal(size=(30, 4)))
    gradient(RNG.normal(size=(30, 2)))
    assert [found.specs[0].shape for found in programs(gradient)] == [(None, 3), (None, None)]
    assert "range(3)" not in source(gradient, RNG.normal(size=(30, 3)))


@pytest.mark.parametrize("order", [(2, 3, 2), (3, 2, 3, 5, 3), (5, 4, 4, 5)])
def test_the_same_call_gives_the_same_bits(order):
    """Which program serves some lengths does not change when another one is made."""
    f = value_and_grad(quadratic, argnums=(0, 1))
    results = {}
    for n in order:
        rng = np.random.default_rng(n)
        value, (da, dx) = f(rng.normal(size=(n, n)), rng.normal(size=n), 3)
        before = results.setdefault(n, (value, da, dx))
        assert before[0] == value
        np.testing.assert_array_equal(before[1], da)
        np.testing.assert_array_equal(before[2], dx)


def test_machine_code_takes_both(monkeypatch):
    gradient = grad(chain)
    short, long = RNG.normal(size=3), RNG.normal(size=30)
    wanted = gradient(short), gradient(long)

    def refuse(*_):
        raise AssertionError("not by machine code")

    monkeypatch.setattr(type(gradient.dispatcher), "__call__", refuse)
    for _ in range(2):
        np.testing.assert_array_equal(gradient(short), wanted[0])
        np.testing.assert_array_equal(gradient(long), wanted[1])
    with pytest.raises(AssertionError, match="not by machine code"):
        gradient(short.astype(np.float32))


def test_several_arrays():
    f = jit(lambda a, b: np.sum(a) + np.sum(b))
    for n, m in [(2, 3), (2, 30), (30, 3), (2, 3), (40, 50)]:
        assert f(np.ones(n), np.ones(m)) == n + m
    assert [[s.shape for s in found.specs] for found in programs(f)] == [
        [(2,), (3,)],
        [(2,), (None,)],
        [(None,), (None,)],
    ]


SCALE = np.array([1.0, 2.0, 3.0])


def scaled(x):
    return np.sum(SCALE * x)


def test_what_is_captured_may_become_longer(monkeypatch):
    f = grad(scaled)
    np.testing.assert_array_equal(f(np.ones(3)), SCALE)
    monkeypatch.setitem(scaled.__globals__, "SCALE", np.arange(5.0))
    np.testing.assert_array_equal(f(np.ones(5)), np.arange(5.0))
    with pytest.raises(ValueError, match="broadcast"):
        f(np.ones(4))


def test_errors_are_those_of_the_lengths():
    f = grad(lambda x, y: np.sum(x * y))
    for n, m in [(2, 3), (30, 40), (3, 2)]:
        with pytest.raises(ValueError, match=rf"could not be broadcast together with shapes \({n},\) \({m},\)"):
            f(np.ones(n), np.ones(m))
    g = jit(lambda x: x[3])
    for n in (2, 3, 0):
        with pytest.raises(IndexError, match=f"index 3 is out of bounds for axis 0 with size {n}"):
            g(np.ones(n))
    assert g(np.arange(5.0)) == 3.0


def test_threads_have_programs_of_their_own():
    f = grad(chain)
    x = RNG.normal(size=3)
    alone = f(x)
    set_num_threads(2)
    try:
        np.testing.assert_array_equal(f(x), alone)
    finally:
        set_num_threads(1)
    assert [found.specs[0].shape for found in programs(f)] == [(3,), (3,)]


@pytest.mark.parametrize("product", [lambda x, w: x @ w, lambda x, w: np.dot(x, w), lambda x, w: np.tensordot(x, w, 1)])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_length_that_one_factor_has_is_that_of_both(product, swapped):
    """Of a long matrix and a short vector, in either order, the sums are over an axis of known length."""
    f = (lambda w, x: product(w, x)) if swapped else product
    x, w = RNG.normal(size=(200, 10)), RNG.normal(size=10)
    given = (w, x.T) if swapped else (x, w)
    np.testing.assert_allclose(jit(f)(*given), f(*given), rtol=1e-13)
    found = jit(f)
    found(*given)
    (program,) = [s.lowered.program for s in programs(found)]
    (conformed,) = [e for e in program.equations if e.primitive.name == "conform"]
    assert {n.value for n in conformed.outs[0].type.shape if hasattr(n, "value")} == {10}
    short = (w, x.T[:9]) if swapped else (x[:, :9], w)
    with pytest.raises(ValueError, match=r"9|shape-mismatch"):
        found(*short)

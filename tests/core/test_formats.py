"""Small formats: all their numbers, and the numbers on which a verdict can change."""

from __future__ import annotations

import numpy as np
import pytest

from adcore.enclosures import BFLOAT16, FLOAT16, Format, count_floats


def test_float16_has_the_numbers_of_numpy():
    bits = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(float)
    finite = np.unique(bits[np.isfinite(bits)])
    ours = FLOAT16.numbers(-FLOAT16.largest, FLOAT16.largest)
    np.testing.assert_array_equal(ours, finite)
    assert FLOAT16.least == float(np.finfo(np.float16).smallest_subnormal)


def test_bfloat16_is_half_of_float32():
    bits = (np.arange(2**16, dtype=np.uint32) << 16).view(np.float32)
    finite = np.unique(bits[np.isfinite(bits)].astype(float))
    np.testing.assert_array_equal(BFLOAT16.numbers(-BFLOAT16.largest, BFLOAT16.largest), finite)


@pytest.mark.parametrize("format", [Format(2, 1), Format(4, 3), Format(5, 2), FLOAT16])
def test_numbers_between_others(format):
    rng = np.random.default_rng(0)
    every = format.numbers(-format.largest, format.largest)
    for _ in range(25):
        low, high = sorted(rng.normal(size=2) * 2.0 ** rng.uniform(-6, 6))
        wanted = every[(every >= low) & (every <= high)]
        np.testing.assert_array_equal(format.numbers(low, high), wanted)


def test_kinks_on_float16_are_those_of_an_enumeration():
    def f(x):
        return np.maximum(x[0] + x[1], 0.25) + abs(x[0] * 2.0 - x[1])

    low, high = np.array([-0.5, 0.0]), np.array([0.5, 0.75])
    small = Format(3, 3)
    found = count_floats(f, low, high, small, budget=200)
    xs, ys = small.numbers(-0.5, 0.5), small.numbers(0.0, 0.75)
    wanted = {(x, y) for x in xs for y in ys if x + y == 0.25 or 2.0 * x == y}
    assert found.points == len(xs) * len(ys)
    assert {tuple(p.tolist()) for p in found.kinks} == wanted
    assert len(found.kinks) <= found.open <= found.points


def test_density_of_a_network():
    """The share of parameters at which a network of two neurons is not differentiable: at most the sum over neurons."""

    def network(w):
        return np.maximum(w[0] * 1.0 + w[1], 0.0) + np.maximum(w[2] * 2.0 + w[3], 0.0)

    small = Format(2, 1)
    found = count_floats(network, -np.ones(4), np.ones(4), small, budget=50, most=2000)
    numbers = small.numbers(-1.0, 1.0)
    wanted = sum(a + b == 0.0 or 2.0 * c + d == 0.0 for a in numbers for b in numbers for c in numbers for d in numbers)
    assert len(found.kinks) == wanted
    assert found.density == pytest.approx(wanted / len(numbers) ** 4)
    assert found.density <= 2.0 / len(numbers)


def test_float64_is_counted_not_enumerated():
    found = count_floats(lambda x: abs(x - 0.5), 0.0, 1.0, "float64", budget=20)
    assert found.kinks is None
    assert 0 < found.open < found.points
    assert "undecided" in str(found)


def test_constants_stay():
    found = count_floats(lambda x, y: abs(x - y), (0.0, 0.3), (1.0, 0.3), Format(4, 3))
    assert found.kinks == ()
    assert len(count_floats(lambda x, y: abs(x - y), (0.0, 0.5), (1.0, 0.5), Format(4, 3)).kinks) == 1


def test_refusals():
    with pytest.raises(ValueError, match="no part of float64"):
        Format(12, 3)

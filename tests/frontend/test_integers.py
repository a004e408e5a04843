"""Python's integers in compiled code: right, or an OverflowError where they do not fit into 64 bits."""

from __future__ import annotations

import random

import numpy as np
import pytest

from adcore import jit, program

EDGE = 2**63


def factorial(n):
    result = 1
    for k in range(1, n + 1):
        result = result * k
    return result


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def power(n, k):
    return n**k


def shifted(n, k):
    return n << k


def congruential(seed, n):
    for _ in range(n):
        seed = (1103515245 * seed + 12345) % 2**31
    return seed


def doubling(n):
    x = 1
    while n > 0:
        x = x * 2 if n % 2 == 0 else x + 1
        n -= 1
    return x


def squares(n):
    total = 0
    for k in range(n):
        total += k * k * k
    return total


def differences(n):
    a = 1 - 2**62
    for _ in range(n):
        a -= 2**60
    return a


def grown_in_a_branch(n):
    count = 0
    for k in range(n):
        if k % 2:
            count += 3
        for _ in range(k):
            count = count * 2 if count > 2**40 else count + 1
    return count


def steps_too_large_for_a_count(n):
    total = 0
    for _ in range(n):
        total = total + 1152921504606846976
    return total


FUNCTIONS = [
    (steps_too_large_for_a_count, [(3,), (7,), (9,), (40,)]),
    (factorial, [(5,), (20,), (21,), (30,)]),
    (fibonacci, [(10,), (90,), (94,), (200,)]),
    (power, [(3, 39), (3, 40), (-2, 62), (10, 18), (10, 19), (0, 0), (7, 2), (4_000_000_000, 2)]),
    (shifted, [(1, 62), (1, 63), (1, 64), (0, 100), (-1, 62), (3, 61), (3, 62)]),
    (congruential, [(42, 1000), (2**31, 3)]),
    (doubling, [(100,), (125,), (140,)]),
    (squares, [(1000,), (70_000,), (80_000,)]),
    (differences, [(3,), (4,), (5,), (9,)]),
    (grown_in_a_branch, [(10,), (40,)]),
]


@pytest.mark.parametrize(("function", "arguments"), [(f, a) for f, all in FUNCTIONS for a in all])
def test_right_or_an_overflow(function, arguments):
    expected = function(*arguments)
    try:
        found = jit(function)(*arguments)
    except OverflowError:
        assert abs(expected) >= EDGE // 4  # an intermediate value may be larger than the result
    else:
        assert found == expected


OPERATIONS = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x * y": lambda x, y: x * y,
    "x * y + x": lambda x, y: x * y + x,
    "-x - y": lambda x, y: -x - y,
    "x - y * y": lambda x, y: x - y * y,
    "x + 1": lambda x, y: x + 1,
    "x - 511": lambda x, y: x - 511,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operations_near_the_edge(operation):
    numbers = random.Random(operation)
    compiled = jit(OPERATIONS[operation])
    for _ in range(200):
        x, y = (_number(numbers) for _ in range(2))
        expected = OPERATIONS[operation](x, y)
        try:
            found = compiled(x, y)
        except OverflowError:
            assert any(not -EDGE <= p < EDGE for p in (x * y, y * y, expected))
        else:
            assert found == expected


def _number(numbers):
    size = numbers.choice([3, 30, 31, 32, 62, 63])
    return numbers.choice([-1, 1]) * min(2**size - numbers.choice([0, 1, 2, 1000]), EDGE - 1)


def test_arrays_wrap_as_numpy_has_it():
    x = np.array([2**62, 2**62])
    np.testing.assert_array_equal(jit(lambda x: x + x)(x), x + x)


def test_counts_and_indices_are_not_tested():
    def counts(x):
        n = 0
        last = -1
        for i in range(x.shape[0]):
            if x[i] > 0.0:
                n += 1
                last = i - 1
            for j in range(i):
                if j % 3 == 0:
                    n += 2
        while n > 10:
            n -= 1
        return n, last

    assert "OverflowError" not in repr(_checks(program(counts, np.ones(3))))
    assert jit(counts)(np.ones(3)) == (7, 1)


def _checks(found):
    from adcore.text import to_text

    return [line for line in to_text(found).splitlines() if "check" in line]

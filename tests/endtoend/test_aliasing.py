"""Who shares memory with whom: what Python gives, or a refusal, never another number."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.arguments import abstract
from adcore.errors import AliasError
from adcore.transforms import lower


def both_from_one_array(x, n):
    y = x * 1.0
    if n > 1:
        p, q = y, y
    else:
        p, q = x * 2.0, x * 3.0
    q[0] = 5.0
    return p[0]


def one_of_two_arrays(x, n):
    y, z = x * 1.0, x * 2.0
    p = y if n > 1 else z
    p[0] = 9.0
    return y[0] - z[0]


def one_of_two_arrays_of_which_the_second_is_read(x, n):
    y, z = x * 1.0, x * 2.0
    p = y if n > 1 else z
    p[0] = 9.0
    return z[0] + p[1]


def shared_from_the_second_iteration_on(x, n):
    p, q = x * 1.0, x * 2.0
    s = 0.0
    for _ in range(n):
        p[0] = p[0] + 1.0
        s += q[0]
        q = p
    return s


def both_rebound_to_one(x, n):
    p, q = x * 1.0, x * 2.0
    s = 0.0
    for _ in range(n):
        p[0] = p[0] + 1.0
        s += q[0]
        p = p * 1.5
        q = p
    return s


def left_shared_by_a_loop(x, n):
    p, q = x * 1.0, x * 2.0
    for _ in range(n):
        q = p
    q[0] = 7.0
    return p[0]


def written_through_what_may_be_another(x, n):
    y, z = x * 1.0, x * 2.0
    q = z
    s = 0.0
    for k in range(n):
        p = y if k > 0 else z
        p[0] = p[0] + 3.0
        s += q[0]
        q = y
    return s


def a_transpose_in_one_axis(x, n):
    m = np.outer(x, x[:3])
    flat = m.T.reshape(-1)
    flat[n] = 7.0
    m[n, 1] += 2.0
    return np.sum(flat * np.arange(15.0)) + np.sum(m * m)


def a_transpose_in_one_axis_that_is_written(x, n):
    m = np.outer(x, x[:3])
    flat = m.T.reshape(-1)
    flat[n] = 7.0
    return np.sum(flat * np.arange(15.0)) + np.sum(m * m)


def one_of_two_arrays_written_before_both_are_rebound(x, n):
    p, q, s = np.zeros(2), np.ones(2), 0.0
    for k in range(n):
        r = p if k < 9 else q
        r[0] = 2.0 * r[0] + 1.0
        s += r[0]
        p, q = x, np.ones(2)
    return s


MAYBE_REFUSED = [
    one_of_two_arrays_written_before_both_are_rebound,
    a_transpose_in_one_axis,
    a_transpose_in_one_axis_that_is_written,
    both_from_one_array,
    one_of_two_arrays,
    one_of_two_arrays_of_which_the_second_is_read,
    shared_from_the_second_iteration_on,
    both_rebound_to_one,
    left_shared_by_a_loop,
    written_through_what_may_be_another,
]


def bump(u):
    u[0] = u[0] + 3.0
    return 2.0


def multiplied_by_what_writes_it(x, n):
    y = x.copy()
    y[0] *= bump(y)
    return y[0]


def added_to_what_is_written_meanwhile(x, n):
    y = x.copy()
    y[0] += bump(y)
    return y[0]


def transposed_back(x, n):
    m = np.zeros((2, 3, 4))
    t = m.transpose(1, 2, 0)
    for i in range(3):
        for j in range(4):
            t[i, j] = x[:2] * (i + 3.0 * j + 1.0)
    t[1:] = t[:2] * 2.0
    return np.sum(m[1] * m[1]) + m[0, 2, 3] * 10.0


def transposed_twice(x, n):
    m = np.zeros((2, 3, 4))
    for i in range(3):
        m[0, i, :] = x[:4] * (i + 1.0)
        m[1, i, :] = x[1:] * (i - 2.0)
    t = m.transpose(1, 2, 0).transpose(1, 2, 0)
    return t[1, 0, 2] + 10.0 * t[0, 1, 1] + 100.0 * t[3, 1, 0]


def all_of_a_transpose_written(x, n):
    m = np.zeros((2, 3, 4))
    t = m.transpose(1, 2, 0)
    t[:] = np.sum(x) + np.zeros((3, 4, 2))
    t[0, 1, 1] = x[0]
    return m[1, 0, 1] + np.sum(m)


def added_to_through_a_transpose(x, n):
    m = np.outer(x[:3], x)
    t = m.T
    t += 2.0
    t[1:] += np.outer(x[1:], x[:3])
    return np.sum(m * m)


EXACT = [
    multiplied_by_what_writes_it,
    added_to_what_is_written_meanwhile,
    transposed_back,
    transposed_twice,
    all_of_a_transpose_written,
    added_to_through_a_transpose,
]

X = np.array([0.5, 0.25, -0.75, 2.0, 1.5])


def ours(function, n):
    program = lower(function, (abstract(X), abstract(n))).program
    return interpret(program, (X, n))[0]


@pytest.mark.parametrize("function", MAYBE_REFUSED, ids=lambda f: f.__name__)
def test_right_or_refused(function):
    for n in (0, 1, 2, 3):
        try:
            found = ours(function, n)
        except AliasError:
            continue
        assert found == pytest.approx(float(function(X.copy(), n)), rel=1e-14)


@pytest.mark.parametrize("function", EXACT, ids=lambda f: f.__name__)
def test_right(function):
    assert ours(function, 2) == pytest.approx(float(function(X.copy(), 2)), rel=1e-14)

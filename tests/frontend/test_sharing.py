# ruff: noqa: SIM108
"""Names that share memory: right where it is tracked, refused where it depends on the run."""

from __future__ import annotations

import numpy as np
import pytest

from adcore.errors import AdcoreError, AliasError

from .conftest import run, same

X = np.array([1.0, 2.0, 3.0])


def written_after_branch(x, a):
    y = x if a > 0 else x.copy()
    y[0] = 5.0
    return x, y


def written_after_statement_branch(x, a):
    if a > 0:
        y = x
    else:
        y = x * 2
    y[0] = 5.0
    return x.sum() + y.sum()


def source_written_after_branch(x, a):
    y = x if a > 0 else x.copy()
    x[0] = 5.0
    return y


def different_views(x, i):
    y = x[:1] if i > 0 else x[1:2]
    y[0] = 9.0
    return x


def rebound_in_loop(x, n):
    y = x
    for _ in range(n):
        y = y + 1
    y[0] = 5.0
    return x, y


def alias_made_by_loop(x, n):
    y = x.copy()
    for _ in range(n):
        y[0] += 1
        y = x
    return x


def alias_of_swap(x, n):
    u, v = x.copy(), x * 2
    w = u
    for _ in range(n):
        u[0] += 1
        u, v = v, u
    return w


def best_is_alias(x, n):
    best = x.copy()
    for i in range(n):
        x[0] -= 1.0
        if x[0] > i:
            best = x
    return best


def both_names_shared_by_loop(x, n):
    u, v = x.copy(), x * 2
    for _ in range(n):
        u[0] += 1
        v = u
        u = v
        v[1] = u[0]
    u[2] = 0.0
    return u, v


def swapped_on_condition_then_compared(x, a):
    u, v = x.copy(), x * 2
    if a > 0:
        u = v
    u[0] = 7.0
    return u, v


@pytest.mark.parametrize(
    "function",
    [
        written_after_branch,
        written_after_statement_branch,
        source_written_after_branch,
        different_views,
        rebound_in_loop,
        alias_made_by_loop,
        alias_of_swap,
        best_is_alias,
        both_names_shared_by_loop,
        swapped_on_condition_then_compared,
    ],
)
def test_refused(function):
    with pytest.raises(AliasError, match="may or may not share memory") as caught:
        run(function, X, 2)
    assert caught.value.source is not None
    assert caught.value.source.function == function.__name__
    assert "copy" in str(caught.value)


def only_read_after_branch(x, a):
    y = x if a > 0 else x * 2
    return y.sum() + x.sum()


def source_not_needed(x, a):
    y = x if a > 0 else x * 2
    y[0] = 5.0
    return y


def swap_on_condition(x, a):
    u, v = x.copy(), x * 2
    if a > 0:
        u, v = v, u
    u[0] = 7.0
    v[1] = 8.0
    return u, v


def loop_argument_rebound(x, n):
    u = x
    for _ in range(n):
        u = u * 2
    u[0] = 1.0
    return u


def swap_in_nested_loops(x, n):
    u, v = x.copy(), x * 2
    for _ in range(n):
        for _ in range(n):
            for i in range(len(u)):
                v[i] = u[i] + 1
            u, v = v, u
        v[0] = u[0]
    u[1] = 0.0
    return u, v


def local_alias_in_loop(x, n):
    u = x.copy()
    for _ in range(n):
        old = u
        u = old + 1
        u[0] = old[0]
    return u


def same_view_both_ways(x, a):
    y = x[1:]
    if a > 0:
        z = y
    else:
        z = y
    z[0] = 4.0
    return x, y


def copy_of_best(x, n):
    best = x.copy()
    for i in range(n):
        x[0] -= 1.0
        if x[0] > -i:
            best = x.copy()
    return best


def alias_used_in_loop(x, n):
    y = x
    for i in range(n):
        x[i] = y[0] + i
        y[0] += 1
    return x, y


def views_of_carried(x, n):
    u = x.copy()
    for _ in range(n):
        inner = u[1:-1]
        inner += 1.0
        inner[0] *= 2
    return u


def helper_with_loop(x, n):
    def step(u):
        for i in range(len(u)):
            u[i] *= 2
        return u

    for _ in range(n):
        x = step(x)
    return x


def reshaped_copy(x, n):
    y = x[::-1].reshape(-1)
    return y, x


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "function",
    [
        only_read_after_branch,
        source_not_needed,
        swap_on_condition,
        loop_argument_rebound,
        swap_in_nested_loops,
        local_alias_in_loop,
        same_view_both_ways,
        copy_of_best,
        alias_used_in_loop,
        views_of_carried,
        helper_with_loop,
        reshaped_copy,
    ],
)
def test_allowed(function, n):
    same(run(function, X, n), function(X.copy(), n))


def test_shared_twice_is_separate():
    """Writes through a view, a transpose and a reshape of the same memory are seen by all of them."""

    def through(a):
        row, column, flat = a[1], a.T[1], a.reshape(-1)
        row[0] = 100.0
        column[2] = 200.0
        flat[3] = 300.0
        row += 1
        return a, row, column, flat

    a = np.arange(9.0).reshape(3, 3)
    same(run(through, a), through(a.copy()))


# Lists of lists that hold nothing yet


def appended_by_two_loops(x, n):
    found = [[], []]
    for i in range(n):
        for k in range(2):
            found[k].append(x[k] * i)
    return np.array(found[0]), np.array(found[1])


def appended_by_comprehension_and_loop(x, n):
    found = [[] for _ in range(2)]
    for k in range(2):
        found[k].append(x[k])
    return np.array(found[0]), np.array(found[1])


def appended_row_by_row(x, n):
    found = [[], []]
    for i in range(n):
        for row in found:
            row.append(x[0] * i)
    return np.array(found[0]), np.array(found[1])


def appended_by_parity(x, n):
    found = [[], []]
    for i in range(n):
        found[i % 2].append(x[0])
    return np.array(found[0]), np.array(found[1])


def appended_deep_inside(x, n):
    found = [[[]], [[]]]
    for i in range(n):
        found[i % 2][0].append(x[0])
    return np.array(found[0][0])


def entered_by_parity(x, n):
    found = [{}, {}]
    for i in range(n):
        found[i % 2]["a"] = x[0]
    return found[0]["a"]


def appended_by_choice(x, n):
    one, two = [], []
    for i in range(n):
        (one, two)[i % 2].append(x[0])
    return np.array(one)


def appended_to_rows_of_run_time_number(x, n):
    rows = []
    for _ in range(n):
        rows.append([])
    for k in range(n):
        rows[k].append(x[0])
    return np.array(rows[0])


def appended_to_each_of_run_time_number(x, n):
    rows = []
    for _ in range(n):
        rows.append([])
    for row in rows:
        row.append(x[0])
    return np.array(rows[0])


def appended_after_a_pop(x, n):
    rows, mine = [], []
    for _ in range(n):
        rows.append([])
    rows.append(mine)
    rows.pop().append(x[0])
    return np.array(mine)


@pytest.mark.parametrize(
    "function",
    [appended_by_two_loops, appended_by_comprehension_and_loop, appended_row_by_row],
    ids=lambda f: f.__name__,
)
def test_lists_that_hold_nothing_are_appended_to(function):
    same(run(function, X, 4), function(X, 4))


@pytest.mark.parametrize(
    "function",
    [
        appended_by_parity,
        appended_deep_inside,
        entered_by_parity,
        appended_by_choice,
        appended_to_rows_of_run_time_number,
        appended_to_each_of_run_time_number,
        appended_after_a_pop,
    ],
    ids=lambda f: f.__name__,
)
def test_which_of_lists_that_hold_nothing_is_changed_must_be_known(function):
    with pytest.raises(AdcoreError, match="and hold nothing, is read at an index that is not constant"):
        run(function, X, 4)

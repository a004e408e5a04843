"""Loop policies: the binomial schedule, budgets of bytes, contexts and threads, loops of unknown length."""

from __future__ import annotations

import math
import threading
from contextvars import copy_context
from functools import cache

import numpy as np
import pytest
from adcore_numpy import interpret
from functions import EXAMPLES
from test_derivatives import active
from test_residuals import FINAL, KEPT

import adcore
from adcore import checkpoint, grad, loop_policy, value_and_grad
from adcore.arguments import any_lengths
from adcore.errors import UnsupportedFunctionError
from adcore.primitives import TABLE
from adcore.trees import leaves
from adcore.verify import verify


def sines(x, n):
    for i in range(n):
        x = math.sin(x) + 0.01 * i
    return x


# Revolve


@cache
def least(n: int, s: int) -> int:
    """The fewest iterations to run in order to reverse n with s states kept, by dynamic programming."""
    if n <= 1:
        return 0
    if s == 1:
        return n * (n - 1) // 2
    return min(m + least(n - m, s - 1) + least(m, s) for m in range(1, n))


def closed_form(n: int, s: int) -> int:
    def within(s: int, r: int) -> int:
        return math.comb(s + r, s) if r >= 0 else 0

    r = next(r for r in range(n + 1) if within(s, r) >= n)
    return r * n - within(s + 1, r - 1)


@pytest.mark.parametrize("s", range(1, 9))
def test_revolve_runs_the_fewest_iterations(s, monkeypatch):
    """The primal and the runs again evaluate the sine, the reverse of an iteration its cosine."""
    program = adcore.program(grad(checkpoint(sines, "revolve", snapshots=s)), 0.3, 5)
    verify(program)
    evaluations = 0
    meaning = TABLE["sin"].meaning

    def counting(x):
        nonlocal evaluations
        evaluations += 1
        return meaning(x)

    plain = grad(sines)
    object.__setattr__(TABLE["sin"], "meaning", counting)
    try:
        for n in range(61):
            evaluations = 0
            (got,) = interpret(program, (0.3, n))
            last = n > 0  # the last iteration gives the value; the schedule does not run it
            assert got == plain(0.3, n)
            assert evaluations - last == least(n, s) == closed_form(n, s), (n, s)
    finally:
        object.__setattr__(TABLE["sin"], "meaning", meaning)


@pytest.mark.parametrize("f", FINAL + KEPT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("snapshots", [1, 2, 5])
def test_revolve_is_exact(f, snapshots):
    plain, revolving = grad(f), grad(checkpoint(f, "revolve", snapshots=snapshots))
    for n in (1, 2, 9):
        np.testing.assert_allclose(revolving(0.7, n), plain(0.7, n), rtol=1e-14)


CHANGING = {  # arrays with lengths that may change, growing lists among them
    *("two_buffers", "index_arrays_in_a_loop", "shrinking_selection", "list_appended_to_in_a_branch"),
    *("list_written_at_a_counter", "list_as_a_stack", "runge_kutta_that_appends", "particle_filter"),
    *("quicksort_with_a_stack", "heap_of_a_list", "ways_of_paying", "dijkstra_with_lists", "rainflow"),
    *("union_find_of_a_spanning_tree", "matrix_power_by_squaring", "forward_algorithm_scaled", "adaptive_runge_kutta"),
}


@pytest.mark.parametrize("policy", ["sqrt", 3, loop_policy("revolve", snapshots=2)], ids=str)
@pytest.mark.parametrize("example", EXAMPLES, ids=[e.name for e in EXAMPLES])
def test_every_example_under_a_policy(example, policy):
    wrt = active(example)
    expected = value_and_grad(example.function, argnums=wrt)(*example.arguments)
    g = value_and_grad(example.function, argnums=wrt)
    with loop_policy(policy):
        if example.name in CHANGING and policy != "sqrt" and policy != 3:
            with any_lengths(), pytest.raises(UnsupportedFunctionError, match="shape changes"):
                g(*example.arguments)
            return
        got = g(*example.arguments)
        verify(adcore.program(g, *example.arguments))
    for a, b in zip(leaves(expected), leaves(got), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def nested(x, n):
    a = x * np.ones(3)
    for _ in range(n):
        for j in range(3):
            a[j] = math.sin(a[j] * a[(j + 1) % 3] + x)
    return np.sum(a)


def test_revolve_in_revolve_and_second_order():
    revolving = checkpoint(nested, "revolve", snapshots=2)
    assert grad(revolving)(0.4, 7) == pytest.approx(grad(nested)(0.4, 7), rel=1e-14)
    assert grad(grad(revolving))(0.4, 7) == pytest.approx(grad(grad(nested))(0.4, 7), rel=1e-13)
    assert adcore.jvp(grad(revolving), (0.4, 7), (1.0, 0))[1] == pytest.approx(grad(grad(nested))(0.4, 7), rel=1e-13)


# Budgets


def vectors(y, n):
    z = 1.0
    for _ in range(n):
        y, z = np.sin(y) * z, z * 0.99 + 0.01 * np.sum(y)
    return np.sum(y) * z


def test_a_budget_of_bytes():
    y = np.linspace(0.1, 1.0, 10)
    expected = grad(vectors)(y, 40)
    for budget in (88, 175, 880, 10**9):
        np.testing.assert_array_equal(grad(checkpoint(vectors, "revolve", bytes=budget))(y, 40), expected)
    report = adcore.memory(grad(checkpoint(vectors, "revolve", bytes=300)), y, 40)
    states = sum(line.bytes for line in report.lines if line.kind == "state of a loop")
    assert states == 3 * 88  # ten numbers and one, three times


def test_a_budget_too_small_for_one_state():
    g = grad(checkpoint(vectors, "revolve", bytes=87))
    with pytest.raises(ValueError, match=r"one state of this loop takes 88 bytes, and the budget is 87"):
        g(np.ones(10), 5)
    assert g(np.ones(9), 5).shape == (9,)


# Contexts


def test_a_context_compiles_for_its_policy():
    g = grad(sines)
    plain = g(0.3, 50)
    kept = adcore.memory(g, 0.3, 50).total
    with loop_policy("sqrt"):
        assert g(0.3, 50) == plain
        inside = adcore.program(g, 0.3, 50)
        assert adcore.memory(g, 0.3, 50).total < kept
        with loop_policy("revolve", snapshots=2):
            assert g(0.3, 50) == plain
            assert len(adcore.program(g, 0.3, 50).equations) != len(inside.equations)
    assert adcore.memory(g, 0.3, 50).total == kept
    assert len(g.dispatcher.known) == 3


def test_machine_code_is_entered_directly_only_without_a_context():
    g = grad(sines)
    g(0.3, 5)
    direct = type(g).__call__
    assert type(direct).__name__ == "builtin_function_or_method"
    with loop_policy("sqrt"):
        assert type(type(g).__call__).__name__ == "_Caller"
        g(0.3, 5)
        assert g.dispatcher.latest is g.dispatcher.known[next(k for k in g.dispatcher.known if k[0])][0]
        held = copy_context()
    g(0.3, 5)
    assert type(type(g).__call__).__name__ == "_Caller"  # `held` has the policy still
    held.run(g, 0.3, 5)
    assert g.dispatcher.latest.lowered is not None
    del held
    g(0.3, 5)
    assert type(type(g).__call__).__name__ == "builtin_function_or_method"


def test_threads_have_their_own_policy():
    g, seen, failures = grad(sines), {}, []
    barrier = threading.Barrier(3)

    def work(policy):
        try:
            barrier.wait()
            for _ in range(20):
                if policy is None:
                    g(0.3, 40)
                    seen[policy] = len(adcore.program(g, 0.3, 40).equations)
                else:
                    with policy:
                        g(0.3, 40)
                        seen[policy] = len(adcore.program(g, 0.3, 40).equations)
        except Exception as error:
            failures.append(error)

    policies = [None, loop_policy("sqrt"), loop_policy("revolve", snapshots=3)]
    threads = [threading.Thread(target=work, args=(p,)) for p in policies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(seen.values())) == 3


def test_a_checkpoint_comes_before_the_context():
    g = grad(checkpoint(sines, policy="all"))
    with loop_policy("sqrt"):
        assert adcore.memory(g, 0.3, 100).total == 800


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("some",), r"policy 'some' is not \"all\", \"sqrt\", \"revolve\""),
        ((0,), "policy 0 is not"),
        ((True,), "policy True is not"),
        (("revolve",), r'"revolve" takes either snapshots=… or bytes=…'),
        (("revolve", 3, 100), "takes either"),
        (("revolve", 0), "snapshots=0 is not a positive integer"),
        (("revolve", None, -8), "bytes=-8 is not a positive integer"),
        (("sqrt", 3), "policy 'sqrt' takes no snapshots or bytes"),
        ((loop_policy("sqrt"), 3), "made already"),
    ],
)
def test_wrong_policies(arguments, message):
    for make in (loop_policy, lambda *rest: checkpoint(sines, *rest)):
        with pytest.raises(ValueError, match=message):
            make(*arguments)


# Loops of unknown length


def newton(a):
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


def left_early(x, n):
    total = 0.0
    for i in range(n):
        x = math.sin(x) * 1.5 + 0.01 * i
        if x < 0.3:
            break
        total += x * x
    return total * x


def in_a_loop(x, n):
    s = 0.0
    for i in range(n):
        y = x + i
        while y > 0.5:
            y = y * 0.7 + 0.01 * math.sin(y)
        s += y * y
    return s


UNKNOWN = [(newton, (2.0,)), (left_early, (0.9, 40)), (left_early, (0.9, 0)), (in_a_loop, (0.6, 5))]


@pytest.mark.parametrize("policy", ["sqrt", 2, loop_policy("revolve", snapshots=2)], ids=str)
@pytest.mark.parametrize(("f", "arguments"), UNKNOWN, ids=lambda p: getattr(p, "__name__", None))
def test_loops_of_unknown_length(f, arguments, policy):
    g = grad(checkpoint(f, policy))
    assert g(*arguments) == pytest.approx(grad(f)(*arguments), rel=1e-14)
    verify(adcore.program(g, *arguments))
    assert grad(g)(*arguments) == pytest.approx(grad(grad(f))(*arguments), rel=1e-12)
    value, pullback = adcore.vjp(checkpoint(f, policy), *arguments)
    assert value == f(*arguments)
    assert pullback(1.0)[0] == pytest.approx(grad(f)(*arguments), rel=1e-14)
    tangents = (1.0, *(0 for _ in arguments[1:]))
    assert adcore.jvp(checkpoint(f, policy), arguments, tangents)[1] == pytest.approx(grad(f)(*arguments), rel=1e-14)


def test_a_loop_of_unknown_length_keeps_its_entrance():
    def long(x):
        k = 0
        while x > 1e-3:
            x = x - 1e-4 * math.sin(x)
            k += 1
        return x

    plain = adcore.memory(grad(long), 0.9)
    assert plain.total >= 8 * 10_000
    for policy in ("sqrt", loop_policy("revolve", snapshots=20)):
        assert adcore.memory(grad(checkpoint(long, policy)), 0.9).total <= 16


def test_checkpoints_whose_results_have_lengths_of_their_own():
    x = np.arange(20.0) ** 2
    steps = adcore.checkpoint(lambda x: x[1:] - x[:-1])
    expected = np.zeros(20)
    expected[0], expected[-1] = -1.0, 1.0
    np.testing.assert_array_equal(grad(lambda x: np.sum(steps(x)))(x), expected)


def test_checkpoints_that_give_numbers_in_loops():
    step = adcore.checkpoint(lambda v, k: (v * 1.5, k + 1))

    def f(x, n):
        k, s = 0, 0.0
        for _ in range(n):
            x, k = step(x, k)
            s = s + x * k
        return s

    assert grad(f)(2.0, 3) == 1.5 + 2 * 1.5**2 + 3 * 1.5**3

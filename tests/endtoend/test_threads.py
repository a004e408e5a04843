"""Loops that several threads run give what one thread gives, or the error that it meets first.

How many threads there are, and in which order parts are run, makes no difference to the last bit.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_llvm import threads as pool
from generated import compiled_from, functions
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import adcore
from adcore import (
    grad,
    hessian,
    hessian_diagonal,
    hvp,
    independence,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    laplacian,
    linearize,
    threads,
    value_and_grad,
    vhp,
    vjp,
)
from adcore.trees import flatten

RNG = np.random.default_rng(5)
X = RNG.normal(size=37)
Y = RNG.normal(size=37)
A = RNG.normal(size=(23, 6))
COUNTS = (2, 3, 8)
STRIDES = (2097169, 2097211)  # of orders in which one thread runs all parts


def of_elements(x, y):
    """Every iteration writes an element."""
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = math.sin(x[i]) * y[i]
    return np.sum(out * out)


def of_rows(a, y):
    """Every iteration writes a row, and reads it back."""
    out = np.zeros(a.shape)
    for i in range(a.shape[0]):
        out[i] = np.exp(a[i]) * y[i]
        out[i, 0] += np.sum(out[i]) ** 2
    return np.sum(np.tanh(out))


def of_columns(a, y):
    out = np.zeros(a.shape)
    for j in range(a.shape[1]):
        for i in range(1, a.shape[0]):
            out[i, j] = 0.5 * out[i - 1, j] + a[i, j] ** 2
    return np.sum(out * out)


def pairs(x, y):
    """A sum, of which the inner loop's length depends on the outer one."""
    energy = 0.0
    for i in range(len(x)):
        for j in range(i):
            energy += y[j] / (1.0 + (x[i] - x[j]) ** 2)
    return energy


def histogram(x, y):
    """All iterations add to any element of an array."""
    bins = np.zeros(5)
    for i in range(len(x)):
        k = (7 * i) % 5
        bins[k] += x[i] * y[i]
        bins[(k + 1) % 5] += x[i] ** 2
    return np.sum(bins**3)


def by_threes(x, y):
    """A position that goes along, and writes of several elements each."""
    out = np.zeros(3 * len(x))
    at = 0
    for i in range(len(x)):
        out[at] = x[i]
        out[at + 1 : at + 3] = y[i] * x[i]
        at += 3
    return np.sum(out**2 * np.arange(3.0 * len(x)))


def of_blocks(x, y):
    """Each iteration has a block of a flat array."""
    n = len(y) // 6
    out = np.zeros(len(x) * n)
    for i in range(len(x)):
        for j in range(n):
            out[i * n + j] = x[i] * y[j]
            out[i * n + j] *= x[i]
    return np.sum(out * out)


def stencil(x, y):
    """A grid that is a flat array."""
    n = 6
    out = np.zeros(len(x))
    for i in range(1, len(x) // n - 1):
        for j in range(1, n - 1):
            at = i * n + j
            out[at] = y[at] * x[at] - 0.25 * (x[at - n] + x[at + n] + x[at - 1] ** 2 + x[at + 1])
    return np.sum(out * out)


def overlapping(x, y):
    """Every iteration overwrites a part of what the one before it wrote: the order counts."""
    out = np.zeros(len(x) + 2)
    at = 0
    for i in range(len(x)):
        out[at : at + 3] = x[i] * (i + 1.0)
        at += 1  # noqa: SIM113
    return np.sum(out * np.arange(len(x) + 2.0))


def in_a_time_loop(a, y):
    """A loop in order around independent ones."""
    for _ in range(4):
        b = np.empty(a.shape)
        for i in range(a.shape[0]):
            b[i] = np.sin(a[i] + a[i - 1])
        a = b
    return np.sum(a * a)


def with_branches(x, y):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            total += x[i] * y[i]
        elif y[i] > 0.0:
            total -= y[i] ** 2
    return total


def with_while(x, y):
    out = np.empty(len(x))
    for i in range(len(x)):
        value, steps = 1.0 + abs(x[i]), 0
        while value > 0.5 and steps < 20:
            value = 0.6 * value + 0.1 * math.sin(y[i])
            steps += 1
        out[i] = value
    return np.sum(out)


def running(x, y):
    """A state goes from iteration to iteration."""
    state = 0.0
    total = 0.0
    for i in range(len(x)):
        state = 0.9 * state + math.sin(x[i])
        total += state * y[i]
    return total


def recurrence(x, y):
    """Every iteration reads what the one before it wrote."""
    out = np.zeros(len(x) + 1)
    for i in range(len(x)):
        out[i + 1] = 0.9 * out[i] + x[i] * y[i]
    return np.sum(out * out)


def whole_arrays(a, y):
    b = np.exp(-a * a)
    return np.sum(np.sum(b, axis=0) ** 2) + np.sum(b @ b.T) + np.max(a) + np.sum(np.log1p(b))


def rank_one(x, y):
    return np.sum(np.outer(x, y) ** 2 * np.add.outer(np.sin(x), y))


def gathered(x, y):
    places = (np.arange(len(x)) * 5) % len(x)
    return np.sum(x[places] * y) + np.sum(np.where(x > 0, x, y) ** 2)


FUNCTIONS = {
    f: (A if f in (of_rows, of_columns, in_a_time_loop, whole_arrays) else X, Y)
    for f in (
        *(
            of_elements,
            of_rows,
            of_columns,
            pairs,
            histogram,
            by_threes,
            of_blocks,
            stencil,
            overlapping,
            in_a_time_loop,
            with_branches,
        ),
        *(with_while, running, recurrence, whole_arrays, rank_one, gathered),
    )
}


def flat(result):
    return np.concatenate([np.ravel(leaf) for leaf in flatten(result)[0]])


def along(f):
    g = jvp(f)
    return lambda x, y: g((x, y), (np.cos(x), np.sin(y)))


TRANSFORMS = {
    "jit": jit,
    "grad": lambda f: grad(f, (0, 1)),
    "jacfwd": jacfwd,
    "jvp": along,
    "vjp": lambda f: lambda x, y: vjp(f, x, y)[1](0.5),
    "reverse over reverse": lambda f: grad(lambda x, y: np.sum(grad(f)(x, y) * np.cos(x))),
    "hessian": hessian,
}


def ways():
    """How parts of loops may be run: by so many threads, or by one in another order."""
    for count in COUNTS:
        with threads.eager(count):
            yield f"{count} threads"
    for stride in STRIDES:
        with threads.eager(2), pool.in_turn(stride):
            yield f"parts in the order of {stride}"


def check(g, *arguments, rtol=1e-12):
    """All ways give the same bits, and what one thread gives up to rounding."""
    wanted = flat(g(*arguments))
    first = None
    for way in ways():
        found = flat(g(*arguments))
        first = found if first is None else first
        np.testing.assert_array_equal(found, first, err_msg=way)
    np.testing.assert_allclose(first, wanted, rtol=rtol, atol=rtol * np.max(np.abs(wanted), initial=0.0))


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_all_numbers_of_threads_give_the_same(f, transform):
    check(TRANSFORMS[transform](f), *FUNCTIONS[f])


# Random programs

ROWS = """

def over_rows(a, b, x, n, w):
    total = 0.0
    for i in range(len(a)):
        total += f(a[i], b, 0.5 * (x[i] + w), n)
    return total
"""
A_FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@A_FEW
@given(functions(), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_random_programs(source, n, seed):
    """Loops that may be independent, in programs of all kinds and their derivatives."""
    note(source)
    a, b, *x = np.random.default_rng(seed).uniform(-1.0, 1.0, 6).tolist()
    check(value_and_grad(compiled_from(source), (0, 1, 2)), a, b, np.array(x), n, rtol=1e-11)


@A_FEW
@given(functions(depth=2), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_loops_over_random_programs(source, n, seed):
    """An independent loop around a program: what its iterations have in common gets the sum of their cotangents."""
    note(source)
    rng = np.random.default_rng(seed)
    a, x, w = (rng.uniform(-1.0, 1.0, shape) for shape in (7, (7, 4), 4))
    g = value_and_grad(compiled_from(source + ROWS, "over_rows"), (0, 1, 2, 4))
    check(g, a, 0.3, x, n, w, rtol=1e-11)


def test_what_is_not_independent_is_found_out(monkeypatch):
    """Were a recurrence taken for independent iterations, the order in which parts are run would tell."""
    monkeypatch.setattr(independence._Body, "differ", lambda self, places, count: len(places) == count > 0)
    found = {jit(recurrence)(X, Y)}
    for stride in STRIDES:
        with threads.eager(2), pool.in_turn(stride):
            found.add(jit(recurrence)(X, Y))
    assert len(found) == 1 + len(STRIDES)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_run_is_like_another(f):
    """Results do not depend on which thread is the faster one."""
    with threads.eager(3):
        g = value_and_grad(f, (0, 1))
        value, (first, second) = g(*FUNCTIONS[f])
        for _ in range(20):
            again, (third, fourth) = g(*FUNCTIONS[f])
            assert again == value
            np.testing.assert_array_equal(third, first)
            np.testing.assert_array_equal(fourth, second)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_iterations(n, count):
    with threads.eager(count):
        for f in (of_elements, pairs, histogram, by_threes):
            value, slope = value_and_grad(f)(X[:n], Y[:n])
            assert value == pytest.approx(f(X[:n], Y[:n]))
            assert slope.shape == (n,)


# Errors


def fails_at(x, places):
    out = np.empty(len(x))
    sums = np.zeros((3, 2))
    for i in range(len(x)):
        sums[i % 3] += x[i]
        out[i] = x[places[i]]
    return np.sum(out) + np.sum(sums * sums)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("wrong", [(0,), (36,), (20, 30), (5, 6, 35), tuple(range(37))])
def test_the_first_failure_is_reported(wrong, count):
    places = np.arange(37)
    places[list(wrong)] = 1000 + np.array(wrong)
    with threads.eager(count):
        g = grad(fails_at)
        for _ in range(3):
            with pytest.raises(IndexError, match=f"index {1000 + wrong[0]} is out of bounds for axis 0 with size 37"):
                g(X, places)
        np.testing.assert_allclose(g(X, np.arange(37)), grad(fails_at)(X, np.arange(37)))


FAILING = """
import resource
import numpy as np
from adcore import grad, threads

def f(x, places):
    out = np.empty(len(x))
    sums = np.zeros(200_000)
    for i in range(len(x)):
        row = np.sin(x)
        sums[i % 3] += np.sum(row * row)
        out[i] = x[places[i]]
    return np.sum(out) + np.sum(sums * sums)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

x = np.ones(5_000)
right, wrong = np.arange(5_000), np.full(5_000, 5_000)
with threads.eager(3):
    g = grad(f)
    sizes = []
    for k in range(60):
        g(x, right)
        try:
            g(x, wrong)
        except IndexError:
            pass
        if k in (5, 59):
            sizes.append(peak())
assert sizes[1] - sizes[0] < 8, sizes
"""


def run(folder, script, **environment):
    """Run a script in a process of its own; gives what it prints."""
    file = folder / "script.py"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(file)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_failing_chunks_hold_is_freed(tmp_path):
    run(tmp_path, FAILING)


# The number


def test_the_number_is_set_and_got():
    before = adcore.get_num_threads()
    try:
        adcore.set_num_threads(np.int64(3))
        assert adcore.get_num_threads() == 3
    finally:
        adcore.set_num_threads(before)


@pytest.mark.parametrize(
    ("count", "error", "message"),
    [
        (0, ValueError, "0 threads: the number is at least 1"),
        (-2, ValueError, "-2 threads"),
        (5000, ValueError, "at most 1024"),
        (2.0, TypeError, "an integer, not 2.0"),
        (True, TypeError, "an integer, not True"),
        ("2", TypeError, "an integer, not '2'"),
    ],
)
def test_what_is_no_number_of_threads(count, error, message):
    with pytest.raises(error, match=message):
        adcore.set_num_threads(count)
    assert adcore.get_num_threads() >= 1


@pytest.mark.parametrize(("text", "found"), [("", "1"), ("3", "3"), ("none", "AdcoreError"), ("0", "AdcoreError")])
def test_the_environment_says_how_many(text, found, tmp_path):
    script = """
import adcore
square = adcore.grad(lambda x: x * x)
try:
    print(square(1.0) and adcore.get_num_threads())
except adcore.AdcoreError as error:
    assert "ADCORE_NUM_THREADS=" in str(error)
    print("AdcoreError")
"""
    assert run(tmp_path, script, ADCORE_NUM_THREADS=text) == found


def test_functions_follow_the_number():
    """A function that was called before runs with threads afterwards, and without them again."""
    g = grad(of_elements)
    first = g(X, Y)
    used = set()
    for count in (1, 2, 1, 3):
        with threads.eager(count):
            np.testing.assert_allclose(g(X, Y), first, rtol=1e-13)
            used.add(id(g.dispatcher.latest))
    assert len(used) == 2


def test_python_threads_may_call_at_once():
    with threads.eager(2):
        g = value_and_grad(histogram)
        wanted = g(X, Y)
        failed = []

        def call():
            for _ in range(200):
                value, slope = g(X, Y)
                if value != wanted[0] or not np.array_equal(slope, wanted[1]):
                    failed.append(value)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert not failed


# Functions that are declared to be parallel


def heavy(x, y):
    """Loops and expressions that are worth several threads, and a product of matrices."""
    out = np.empty(len(x))
    bins = np.zeros(7)
    for i in range(len(x)):
        out[i] = math.exp(-(x[i] ** 2)) * math.sin(y[i])
        bins[(5 * i) % 7] += out[i] * x[i]
    a = np.reshape(np.sin(x), (len(x) // 50, 50))
    return np.sum(out * out) + np.sum(bins**2) + np.sum((a @ a.T) ** 2) + np.sum(np.exp(-y * y))


MANY, FEW = RNG.normal(size=(2, 4000)), RNG.normal(size=(2, 50))
PARALLEL = {
    "jit": lambda x, y, **option: jit(heavy, **option)(x, y),
    "grad": lambda x, y, **option: grad(heavy, (0, 1), **option)(x, y),
    "value_and_grad": lambda x, y, **option: value_and_grad(heavy, **option)(x, y)[1],
    "jvp": lambda x, y, **option: jvp(heavy, (x, y), (y, x), **option),
    "hvp": lambda x, y, **option: hvp(heavy, (x, y), (y, x), **option)[1],
    "vhp": lambda x, y, **option: vhp(heavy, (x, y), (y, x), **option)[1],
    "vjp": lambda x, y, **option: vjp(heavy, x, y, **option)[1](0.5),
    "linearize": lambda x, y, **option: linearize(heavy, x, y, **option)[1](y, x),
    "jacrev": lambda x, y, **option: jacrev(heavy, **option)(x, y),
    "gradient of a function that is": lambda x, y, **option: grad(jit(heavy, **option))(x, y),
}
PARALLEL_SMALL = (jacfwd, jacobian, hessian, laplacian, hessian_diagonal)


@pytest.mark.parametrize("name", PARALLEL)
def test_parallel_functions_give_what_several_threads_give(name):
    alone = flat(PARALLEL[name](*MANY))
    found = flat(PARALLEL[name](*MANY, parallel=True))
    np.testing.assert_allclose(found, alone, rtol=1e-11, atol=1e-12 * np.max(np.abs(alone)))
    for stride in STRIDES:
        with pool.in_turn(stride):
            np.testing.assert_array_equal(flat(PARALLEL[name](*MANY, parallel=True)), found)
    before = adcore.get_num_threads()
    try:
        adcore.set_num_threads(3)
        np.testing.assert_array_equal(flat(PARALLEL[name](*MANY, parallel=True)), found)
        np.testing.assert_array_equal(flat(PARALLEL[name](*MANY)), found)
    finally:
        adcore.set_num_threads(before)


@pytest.mark.parametrize("make", PARALLEL_SMALL)
def test_the_code_of_parallel_functions_is_for_several_threads(make, monkeypatch):
    """What is compiled for a function says of which loops by how many threads they are run."""
    made = []
    compiled = LLVMBackend.entry

    def entry(self, *arguments):
        made.append(arguments[-1])
        return compiled(self, *arguments)

    monkeypatch.setattr(LLVMBackend, "entry", entry)
    wanted, found = flat(make(heavy)(*FEW)), flat(make(heavy, parallel=True)(*FEW))
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-12 * np.max(np.abs(wanted)))
    assert set(made) == {threads.Sharing(), threads.Sharing(threads.EFFORT, wide=True)}


@pytest.mark.skipif(not os.path.isdir("/proc/self/task") or threads.processors() < 2, reason="needs several processors")
def test_parallel_functions_use_all_processors(tmp_path):
    script = """
import math, os
import numpy as np
from adcore import get_num_threads, grad
from adcore.threads import processors

def f(x):
    total = 0.0
    for i in range(len(x)):
        total += math.sin(x[i]) * x[i]
    return total

x = np.linspace(0.0, 1.0, 50_000)
alone, together = grad(f), grad(f, parallel=True)
first = alone(x)
before = len(os.listdir("/proc/self/task"))
assert get_num_threads() == 1
assert np.allclose(together(x), first, rtol=1e-13)
assert len(os.listdir("/proc/self/task")) == before + processors() - 1
"""
    run(tmp_path, script)


@pytest.mark.parametrize("make", [grad, value_and_grad])
def test_parallel_and_kinks(make):
    with pytest.raises(ValueError, match=r"parallel=True beside on_kink; adcore\.set_num_threads\(\) goes with it"):
        make(heavy, on_kink="warn", parallel=True)


@pytest.mark.parametrize("make", [jacobian, hessian])
def test_sparse_derivatives_follow_the_number_of_threads(make):
    with pytest.raises(ValueError, match="takes no has_aux, holomorphic, debug, parallel and device"):
        make(heavy, sparse=True, parallel=True)


# Processes


def test_blas_has_its_threads_back(tmp_path):
    """OpenBLAS does with one thread while several of ours call it."""
    script = """
import ctypes
import numpy as np
import scipy.linalg.cython_blas
from adcore import grad, threads
from adcore_llvm import threads as pool
from adcore_llvm.engine import function_address, load, machine_code

def f(a):
    return np.sum((a @ a.T) ** 2)

library = ctypes.CDLL(scipy.linalg.cython_blas.__file__)
names = [name.format("get") for name in pool.NAMES if hasattr(library, name.format("get"))]
if names:
    get = getattr(library, names[0])
    before = get()
    a = np.random.default_rng(0).normal(size=(200, 90))
    one = grad(f)(a)
    with threads.eager(2):
        two = grad(f)(a)
        assert np.allclose(one, two, rtol=1e-12)
        assert get() == before
        asking = '''
        define void @chunk(ptr %frame, i64 %c) {
          %get = load ptr, ptr %frame
          %count = call i32 %get()
          %place = getelementptr i32, ptr %frame, i64 2
          store i32 %count, ptr %place
          ret void
        }'''
        (chunk,) = load(machine_code(asking), "chunk")
        fork = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2, ctypes.c_int64)(function_address("adcore_fork_join"))
        frame = (ctypes.c_void_p * 2)(ctypes.cast(get, ctypes.c_void_p).value, 0)
        fork(chunk, ctypes.addressof(frame), 2)
        assert frame[1] == 1, frame[1]
        assert get() == before
"""
    run(tmp_path, script, OPENBLAS_NUM_THREADS="2")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_has_threads_of_its_own(tmp_path):
    script = """
import os
import numpy as np
from adcore import grad, threads

def f(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = np.sin(x[i])
    return np.sum(out)

x = np.ones(1000)
with threads.eager(2):
    g = grad(f)
    first = g(x)
    child = os.fork()
    again = g(x)
    assert np.array_equal(first, again)
    if child:
        _, status = os.waitpid(child, 0)
        raise SystemExit(os.waitstatus_to_exitcode(status))
"""
    run(tmp_path, script)

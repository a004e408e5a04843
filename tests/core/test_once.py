"""What runs once does so with several threads, and gives all of them the same."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from adcore.once import once

THREADS = 8


def in_threads(work):
    """What each of several threads gives, which begin together."""
    together, given = threading.Barrier(THREADS), [None] * THREADS

    def run(k):
        together.wait()
        given[k] = work()

    threads = [threading.Thread(target=run, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def test_threads_are_given_one_thing():
    times = []

    @once
    def made(name):
        times.append(name)
        time.sleep(0.02)
        return [name]

    given = in_threads(lambda: made("x"))
    assert all(each is given[0] for each in given)
    assert times == ["x"]
    assert made("y") == ["y"]
    assert made.__name__ == "made"


def test_what_fails_is_tried_again():
    tries = []

    @once
    def fails():
        tries.append(0)
        if len(tries) == 1:
            raise OSError("not yet")
        return "done"

    with pytest.raises(OSError, match="not yet"):
        fails()
    assert fails() == "done"


def test_it_may_ask_for_itself():
    @once
    def sum_to(n):
        return n + sum_to(n - 1) if n else 0

    assert sum_to(4) == 10


FIRST_CALLS = """\
import sys, threading
import numpy as np
from adcore import grad, jit

sys.setswitchinterval(1e-6)
together, given = threading.Barrier(8), []

def twice(x):
    return 2.0 * x

def loss(x):
    return np.sum(np.sort(x) ** 2)

def work(function, derivative):
    together.wait()
    x = np.arange(3.0)
    given.append((list(function(x)), list(derivative(x))))
    for _ in range(200):
        function(x)

threads = [threading.Thread(target=work, args=(jit(twice), grad(loss))) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert given == [([0.0, 2.0, 4.0], [0.0, 2.0, 4.0])] * 8, given
"""


def test_first_calls_of_a_process_from_several_threads(tmp_path):
    """Where LLVM was started twice, code of the one that was dropped could go with it."""
    program = tmp_path / "first_calls.py"
    program.write_text(FIRST_CALLS)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

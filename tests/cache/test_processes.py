"""A second process is served, and gets what the first one got to the bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import adcore
from adcore import cache, grad, jit, memory, vjp
from tests.cache.programs import PROGRAMS

ROOT = Path(__file__).parents[2]


def run(*names: str, **environment: str):
    """What the programs give in a fresh process."""
    command = [sys.executable, "-W", "error", "-m", "tests.cache.programs", *names]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """One process without the cache, one that fills it, and one that is served."""
    folder = str(tmp_path_factory.mktemp("processes") / "cache")
    plain = run(ADCORE_CACHE="0", ADCORE_CACHE_DIR=folder)
    return plain, *(run(ADCORE_CACHE="1", ADCORE_CACHE_DIR=folder) for _ in range(2))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_second_process_is_served(name, processes):
    plain, first, second = (found["programs"][name] for found in processes)
    assert (plain["served"], plain["stored"]) == (0, 0)
    assert first["served"] + first["stored"] > 0
    assert second["stored"] == 0
    assert second["served"] == first["served"] + first["stored"]
    assert second["result"] == first["result"] == plain["result"]


def test_all_programs_can_be_kept(processes):
    assert [found["refused"] for found in processes] == [[], [], []]


def test_processes_that_write_at_the_same_time(place):
    names = ["grad", "linear algebra", "an index out of range"]
    with ThreadPoolExecutor(4) as pool:
        found = [f["programs"] for f in pool.map(lambda _: run(*names), range(4))]
    assert all(f[n]["result"] == found[0][n]["result"] for f in found for n in names)
    assert all(f[n]["served"] + f[n]["stored"] >= 1 for f in found for n in names)
    assert not list(place.glob("*.part"))
    assert {n: f["stored"] for n, f in run(*names)["programs"].items()} == dict.fromkeys(names, 0)


def test_a_directory_that_is_emptied_meanwhile(place):
    """Readers and writers beside one that drops all: each compiles what it does not find."""
    names = ["grad", "vjp", "jit", "hessian"]
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(run, *names, ADCORE_CACHE_SIZE=size) for size in ("1", "6K", "256M")]
        results = [f.result()["programs"] for f in found]
    assert all(r[n]["result"] == results[0][n]["result"] for r in results for n in names)


THREADS = """
    import threading
    import numpy as np
    from adcore import cache, grad, jit

    def f(x): return np.sum(np.sin(x) * x)
    def h(x): return np.sum(np.linalg.solve(np.eye(3) * 2.0, x) * x)
    found = []

    def work():
        for _ in range(5):
            found.append((grad(f)(np.ones(4))[0], grad(h)(np.ones(3))[1], jit(f)(np.ones(4))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(found), len(set(found)), cache.COUNTS.refused)
"""


def test_threads(tmp_path):
    """None sees what another one has half loaded, of SciPy or of adcore's own."""
    (tmp_path / "program.py").write_text(textwrap.dedent(THREADS), encoding="utf-8")
    for _ in range(3):
        command = [sys.executable, "-W", "error", str(tmp_path / "program.py")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        assert done.stdout == "40 1 []\n", done.stderr


# What is there beside the code


@pytest.fixture
def served(modules, outcome):
    """A module whose function is on the disk, imported again."""

    def load(text: str, call):
        modules.write(user=text)
        outcome.reset()
        wanted = call(modules.load())
        assert outcome() == "stored"
        user = modules.load()
        assert np.array_equal(call(user), wanted)
        assert outcome() == "served"
        return modules.load()

    return load


def test_captured_values_are_read_at_every_call(served):
    user = served(
        "import numpy as np\nw = np.ones(3)\nk = 2.0\ndef f(x):\n    return np.sum(x * w) * k\n",
        lambda m: grad(m.f)(np.ones(3)),
    )
    g = grad(user.f)
    assert np.array_equal(g(np.ones(3)), [2.0, 2.0, 2.0])
    user.w[:] = [1.0, 2.0, 3.0]
    user.k = 3.0
    assert np.array_equal(g(np.ones(3)), [3.0, 6.0, 9.0])
    user.w = np.arange(6.0)[::2]
    assert np.array_equal(g(np.ones(3)), [0.0, 6.0, 12.0])
    user.w = np.ones(3, np.float32)
    user.k = 1
    assert np.array_equal(g(np.ones(3)), [1.0, 1.0, 1.0])
    del user.k
    with pytest.raises(adcore.AdcoreError, match="k"):
        g(np.ones(3))


def test_functions_that_are_replaced_later_are_noticed(served):
    user = served("def inner(x):\n    return x * 2.0\ndef f(x):\n    return inner(x)\n", lambda m: grad(m.f)(1.0))
    g = grad(user.f)
    assert g(1.0) == 2.0
    other = served("def inner(x):\n    return x * 3.0\ndef f(x):\n    return inner(x)\n", lambda m: grad(m.f)(1.0))
    user.inner = other.inner
    assert g(1.0) == 3.0


def test_the_program_can_be_read_and_explained(served, outcome):
    text = "import numpy as np\ndef f(x, n):\n    for _ in range(n):\n        x = np.sin(x)\n    return np.sum(x)\n"
    user = served(text, lambda m: grad(m.f)(np.ones(2), 3))
    g = grad(user.f)
    g(np.ones(2), 3)
    assert "def " in adcore.source(g)
    assert adcore.source(g) == adcore.source(g, np.ones(2), 3) == adcore.source(grad(user.f), np.ones(2), 3)
    assert memory(g, np.ones(2), 3).total == memory(jit(user.f), np.ones(2), 3).total > 0


def test_the_program_is_that_of_the_policy(modules, outcome):
    """Also where it is asked for when the policy is not in force any more."""
    modules.write(user="def f(x, n):\n    for _ in range(n):\n        x = x * (1.5 - x)\n    return x\n")
    sources = []
    for found in ("stored", "served"):
        g = grad(modules.load().f)
        with adcore.loop_policy("revolve", snapshots=3):
            g(0.3, 9)
        assert outcome() == found
        sources.append(adcore.source(g))
    assert sources[0] == sources[1] != adcore.source(grad(modules.load().f), 0.3, 9)


def test_what_changed_meanwhile_is_not_explained(served):
    """The program of a function that was served is made when it is asked for, and then the function is another one."""
    text = "class C:\n    n = 2\nclass D(C):\n    pass\ndef f(x):\n    return x ** D.n\n"
    user = served(text, lambda m: grad(m.f)(3.0))
    g = grad(user.f)
    assert g(3.0) == 6.0
    user.C.n = 3
    with pytest.raises(adcore.AdcoreError, match="has changed since"):
        adcore.source(g)


def test_a_pullback_that_is_compiled_later(modules, outcome):
    """The process that kept the value may have never called the pullback."""
    modules.write(user="import numpy as np\ndef f(x):\n    return np.sum(np.sin(x))\n")
    x = np.linspace(0.0, 1.0, 4)
    vjp(modules.load().f, x)
    assert outcome() == "stored"
    for _ in range(2):
        _, pullback = vjp(modules.load().f, x)
        assert outcome() == "served"
        assert np.allclose(pullback(1.0)[0], np.cos(x), rtol=1e-15)
    titles = [row["title"] for row in cache.listed()]
    assert "PullbackSplit of f (linear map)" in titles


def test_two_functions_of_one_text(modules, outcome):
    """Closures that a function makes have one program, each with its own variables."""
    text = "def make(k, w):\n    def f(x):\n        return x * k * w[0]\n    return f\n"
    modules.write(user=text)
    user = modules.load()
    import_ = [grad(user.make(k, (2.0,))) for k in (2.0, 3.0)]
    assert [g(1.0) for g in import_] == [4.0, 6.0]
    assert [g(1.0) for g in import_] == [4.0, 6.0]
    assert outcome.before != (0, 0, 0)


def test_objects_of_the_user_are_not_kept_alive(modules, outcome):
    import gc
    import weakref

    class Array(np.ndarray):
        pass

    modules.write(user="import numpy as np\nw = np.ones(3)\ndef f(x):\n    return np.sum(x * w)\n")
    grad(modules.load().f)(np.ones(3))
    for found in ("served", "served"):
        outcome.reset()
        user = modules.load()
        g = grad(user.f)
        large = np.ones(3).view(Array)
        gone = weakref.ref(large)
        user.w = large.view(np.ndarray)
        del large
        g(np.ones(3))
        assert outcome() == found
        user.w = np.zeros(3)
        gc.collect()
        assert gone() is None

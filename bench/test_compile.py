"""From `grad(f)` to the first result, and the time of the import."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from workloads import PEERS, fresh_loop, installed

from adcore import grad

HERE = Path(__file__).parent
SERIAL = count()


@pytest.mark.benchmark(group="process that imports the library")
@pytest.mark.parametrize("name", ["adcore", *PEERS])
def test_import(benchmark, name):
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    command = [sys.executable, str(HERE / "imports.py"), name]
    benchmark.pedantic(subprocess.run, (command,), {"check": True, "capture_output": True}, rounds=5)


@pytest.mark.benchmark(group="process that imports the library and takes one derivative")
@pytest.mark.parametrize("name", ["adcore", *PEERS])
def test_cold_process(benchmark, name):
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    command = [sys.executable, str(HERE / "cold.py"), name]
    benchmark.pedantic(subprocess.run, (command,), {"check": True, "capture_output": True}, rounds=5)


@pytest.mark.benchmark(group="compilation of a loop's derivative")
@pytest.mark.parametrize("n", [10, 1_000, 10_000_000])
def test_loop_compilation(benchmark, tmp_path, n):
    def fresh():
        return (fresh_loop(tmp_path, n, next(SERIAL)),), {}

    benchmark.pedantic(lambda f: grad(f)(-1.0), setup=fresh, rounds=7, warmup_rounds=1)

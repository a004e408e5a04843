"""From `grad(f)` to the first result, and the time of the import."""

from __future__ import annotations

from itertools import count

import pytest

from adcore import grad
from bench.basics import CALL, LIBRARIES
from bench.fresh import printed
from bench.peers import installed
from bench.workloads import fresh_loop

SERIAL = count()


@pytest.mark.benchmark(group="process that imports the library")
@pytest.mark.parametrize("name", LIBRARIES)
def test_import(benchmark, name):
    if name != "adcore" and not installed(name):
        pytest.skip(f"{name} is not installed")
    benchmark.pedantic(printed, ("import", name), rounds=5)


@pytest.mark.benchmark(group="process that imports the library and takes one derivative")
@pytest.mark.parametrize("name", LIBRARIES)
def test_cold_process(benchmark, name):
    if name != "adcore" and not installed(name):
        pytest.skip(f"{name} is not installed")
    benchmark.pedantic(printed, ("first", "basics", "usual", CALL, name), rounds=5)


@pytest.mark.benchmark(group="compilation of a loop's derivative")
@pytest.mark.parametrize("n", [10, 1_000, 10_000_000])
def test_loop_compilation(benchmark, tmp_path, n):
    def fresh():
        return (fresh_loop(tmp_path, n, next(SERIAL)),), {}

    benchmark.pedantic(lambda f: grad(f)(-1.0), setup=fresh, rounds=7, warmup_rounds=1)

"""Gradients of long loops, beside the compiled functions themselves."""

from __future__ import annotations

import pytest

from bench.workloads import loop_calls, recurrence, relaxation, writing_call

STEPS = 10_000_000


@pytest.mark.benchmark(group="relaxation of 10⁷ steps")
@pytest.mark.parametrize("name", ["primal", "adcore"])
def test_relaxation(benchmark, name):
    contender = loop_calls(relaxation, STEPS)[name]()
    benchmark.pedantic(contender.call, contender.arguments, rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="recurrence with a sine of 10⁷ steps")
@pytest.mark.parametrize("name", ["primal", "adcore"])
def test_recurrence(benchmark, name):
    contender = loop_calls(recurrence, STEPS)[name]()
    benchmark.pedantic(contender.call, contender.arguments, rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="array written element by element")
@pytest.mark.parametrize("n", [100_000, 1_000_000])
def test_writing(benchmark, n):
    benchmark.extra_info["elements"] = n
    contender = writing_call(n)
    benchmark.pedantic(contender.call, contender.arguments, rounds=15, warmup_rounds=2)

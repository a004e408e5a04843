"""The gradient of Σ sin(x)·exp(-x²) over a million elements, on one thread."""

from __future__ import annotations

import pytest

from bench.peers import installed
from bench.workloads import bell_calls

ELEMENTS = 1_000_000


@pytest.mark.benchmark(group="Σ sin(x)·exp(-x²) over 10⁶ elements")
@pytest.mark.parametrize("name", bell_calls(1))
def test_bell(benchmark, name):
    if name != "adcore" and not installed(name):
        pytest.skip(f"{name} is not installed")
    contender = bell_calls(ELEMENTS)[name]()
    benchmark.pedantic(contender.call, contender.arguments, rounds=15, warmup_rounds=2)

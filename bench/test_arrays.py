"""The gradient of Σ sin(x)·exp(-x²) over a million elements, on one thread."""

from __future__ import annotations

import pytest
from workloads import PEERS, bell_calls, installed

ELEMENTS = 1_000_000


@pytest.mark.benchmark(group="Σ sin(x)·exp(-x²) over 10⁶ elements")
@pytest.mark.parametrize("name", ["adcore", *PEERS])
def test_bell(benchmark, name):
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    contender = bell_calls(ELEMENTS)[name]
    benchmark.pedantic(contender.call, contender.arguments, rounds=15, warmup_rounds=2)

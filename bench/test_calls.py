"""Warm calls of small derivatives, beside JAX and autograd."""

from __future__ import annotations

import pytest

from bench.peers import installed
from bench.workloads import scalar_calls, small_array_calls


@pytest.mark.benchmark(group="call with a float")
@pytest.mark.parametrize("name", scalar_calls())
def test_scalar_call(benchmark, name):
    if name != "adcore" and not installed(name):
        pytest.skip(f"{name} is not installed")
    contender = scalar_calls()[name]()
    benchmark(contender.call, *contender.arguments)


@pytest.mark.benchmark(group="call with three elements")
@pytest.mark.parametrize("name", small_array_calls())
def test_small_array_call(benchmark, name):
    if name != "adcore" and not installed(name):
        pytest.skip(f"{name} is not installed")
    contender = small_array_calls()[name]()
    benchmark(contender.call, *contender.arguments)

"""Interval meanings of the rows: every value is within its interval."""

from __future__ import annotations

import pytest

from adcore.enclosures.laws import check_example, check_programs, check_scalars, examples, scalars
from adcore.enclosures.table import ROWS
from adcore.primitives import TABLE

EXAMPLES = list(examples())


@pytest.mark.parametrize("primitive", scalars(), ids=lambda p: p.name)
def test_values_are_within(primitive):
    assert check_scalars(primitive, seed=1, intervals=60, points=4) > 0


@pytest.mark.parametrize(("primitive", "example"), EXAMPLES, ids=[f"{p.name}-{k}" for k, (p, _) in enumerate(EXAMPLES)])
def test_examples_are_within(primitive, example):
    for seed in range(3):
        check_example(primitive, example, seed)


def test_meanings_belong_to_rows():
    assert all(name in TABLE for name in ROWS)


@pytest.mark.parametrize("affine", [False, True], ids=["intervals", "zonotopes"])
def test_values_of_random_programs_are_within(affine):
    assert sum(check_programs(seed, affine, points=8) for seed in range(60)) > 1000

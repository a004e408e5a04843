"""The laws catch every planted fault, and find nothing where none is planted."""

from dataclasses import replace

import pytest

from adcore.primitives import TABLE
from proofs.plant_faults import Fault, faults, law_that_catches

FAULTS = faults()


def test_there_are_many_faults():
    assert len(FAULTS) > 300
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault_is_caught(fault):
    assert law_that_catches(fault) is not None


@pytest.mark.parametrize("name", ["sin", "mul", "matmul", "update", "reduce_max"])
def test_no_fault_is_not_caught(name):
    row = TABLE[name]
    same = Fault("none", TABLE.rows, name, replace(row), (name,))
    assert law_that_catches(same) is None
    assert TABLE[name] is row

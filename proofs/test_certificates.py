"""The committed certificates are those of the table as it is."""

from dataclasses import replace

import pytest

from adcore.linear import compose, negate
from adcore.primitives import TABLE
from proofs.certificates import entry, written

WRITTEN = written()
AGAIN = "if the change is right: python -m proofs.certificates"


def test_every_row_has_a_certificate():
    assert set(WRITTEN) == {p.name for p in TABLE}, AGAIN


@pytest.mark.parametrize("name", [p.name for p in TABLE])
def test_certificate_is_that_of_the_row(name):
    assert entry(TABLE[name]) == WRITTEN.get(name), AGAIN


@pytest.mark.parametrize("name", ["sin", "mul", "pow", "update"])
def test_a_changed_row_is_noticed(name):
    row = TABLE[name]
    rule = row.maps[0]
    changed = replace(row, maps=(lambda b, e: compose(negate(), rule(b, e)), *row.maps[1:]))
    assert entry(changed) != WRITTEN[name]

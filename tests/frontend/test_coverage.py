"""The table of what can be called is complete, what probing finds now, and what docs/coverage.md shows."""

from __future__ import annotations

import pytest
from adcore_python import coverage, probing
from adcore_python.coverage_examples import EXAMPLES

RECORDED = coverage.recorded()
AGAIN = "run: python -m adcore_python.coverage"
SHARES = 8  # of the names are probed with each dtype in turn


@pytest.fixture(scope="module")
def known():
    return coverage.namespace()


def test_names_are_those_known_now():
    assert [row.name for row in RECORDED] == coverage.names(), AGAIN


def test_there_are_many():
    assert len(RECORDED) >= 400


def test_page_is_up_to_date():
    assert coverage.PAGE.read_text() == coverage.page(RECORDED), AGAIN


def test_every_example_is_of_a_name():
    assert set(EXAMPLES) <= set(coverage.names())


def orders(row):
    """The orders of a row, without the dtypes that they are for."""
    return {part.rpartition(": ")[2] for part in row.order.split("; ")}


@pytest.mark.parametrize("share", range(SHARES))
def test_dtypes_and_orders_are_found_again(known, share):
    """Each name by its call, with one dtype: the dtypes take turns."""
    wrong = []
    for k, row in list(enumerate(RECORDED))[share::SHARES]:
        dtype = probing.DTYPES[k % len(probing.DTYPES)]
        letters = probing.parameters(row.call)
        program = probing.probed(probing.source_of(row.call), letters, dtype, known)
        if letters and (program is not None) != (dtype.value in row.dtypes):
            wrong.append((row, dtype.value))
        elif program is not None and dtype.kind in "fc" and probing.orders(program, letters) not in orders(row):
            wrong.append((row, probing.orders(program, letters)))
    assert wrong == [], AGAIN


def test_a_name_without_a_call_that_is_compiled_is_an_error(known):
    with pytest.raises(
        LookupError, match=r"numpy\.packbits is known, but no call of it is compiled: numpy\.packbits\(v\)"
    ):
        coverage.probe("numpy.packbits", ("numpy.packbits(v)",), known)


@pytest.mark.parametrize("name", ["numpy.sin", "numpy.linalg.solve", "list.append", "scipy.stats.norm.pdf"])
def test_rows_are_found_again_as_a_whole(known, name):
    (row,) = (row for row in RECORDED if row.name == name)
    assert coverage.probe(name, coverage.calls(name), known) == row


def test_a_missing_rule_limits_the_order(known):
    row = coverage.probe("scipy.special.jv", ("scipy.special.jv(x, v)",), known)
    assert row.order == "0 in x, any in v"

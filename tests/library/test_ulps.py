"""Derivatives within bounds in ulps, at points that `python -m bench.accuracy` recorded with their truths."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mpf

from adcore.plugins import frontend
from bench.accuracy import accepted, recorded
from bench.references import LEFT_OUT, REFERENCES
from bench.sweeps import DTYPES, Adcore, Subject, subjects
from bench.truth import WRONG, ulps

ROWS = {str(Subject(row["call"], row["index"], row["dtype"])): row for row in recorded()}
AGAIN = "if that is right: python -m bench.accuracy"


@pytest.mark.parametrize("name", ROWS)
def test_derivative_is_within_its_bounds(name):
    row = ROWS[name]
    dtype = DTYPES[row["dtype"]]
    *arrays, truths, bounds = np.array(row["points"]).T
    found = Adcore(row["call"]).pushed([a.astype(dtype) for a in arrays], row["index"])
    for at, got, truth, bound in zip(row["points"], found, truths, bounds, strict=True):
        assert ulps(got, mpf(float(truth)), dtype) <= bound, f"{name} at {at[:-2]}: {got}, {AGAIN}"


def test_what_is_wrong_has_a_reason():
    unknown = [
        (name, at)
        for name, row in ROWS.items()
        for at in row["wrong"]
        if not accepted(Subject(row["call"], row["index"], row["dtype"]), tuple(at))
    ]
    assert unknown == []


def test_every_reference_is_recorded():
    assert [str(subject) for subject in subjects([])] == list(ROWS), AGAIN


def test_every_function_is_swept_or_left_out_with_a_reason():
    assert [name for name in _scalar_functions() if not _known(name)] == []


def test_no_reason_is_left_over():
    names = _scalar_functions()
    assert [start for start in LEFT_OUT if not any(name.startswith(start) for name in names)] == []


def _scalar_functions():
    """Those of the frontend's callables that are differentiable functions of numbers."""
    return [
        known.name
        for known in frontend().callables()
        if known.order != "zero"
        and not known.order.startswith("none")
        and (
            known.name.startswith(("math.", "scipy.special.", "adcore.special."))
            or (known.name.startswith("numpy.") and isinstance(getattr(np, known.name[6:], None), np.ufunc))
        )
    ]


def _known(name):
    groups = tuple(start for start in LEFT_OUT if start.endswith("."))
    return name in LEFT_OUT or name.startswith(groups) or any(f"{name}(" in call for call in REFERENCES)


def test_a_wrong_derivative_is_noticed():
    assert ulps(np.inf, mpf(1), np.float64) == WRONG
    assert ulps(1.0, mpf("inf"), np.float64) == WRONG
    assert ulps(np.nan, mpf(1), np.float64) == WRONG
    assert ulps(1.0 + 3 * np.spacing(1.0), mpf(1), np.float64) == 3.0
    assert ulps(5e-324, mpf(0), np.float64) == 1.0
    assert ulps(np.nan, mpf("nan"), np.float64) == 0.0

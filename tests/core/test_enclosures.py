"""Interval meanings of the rows: every value is within its interval."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adcore.enclosures import Interval, zonotopes
from adcore.enclosures.laws import BrokenLawError, check_example, check_programs, check_scalars, examples, scalars
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


def _nearest(name):
    """A row whose ends are rounded to nearest, or whose middle is forgotten, instead of outwards."""
    meaning = TABLE[name].meaning
    arity = len(TABLE[name].maps)

    def row(*operands):
        corners = [meaning(*at) for at in itertools.product(*((x.lower, x.upper) for x in operands[:arity]))]
        return Interval(np.min(corners), np.max(corners), np.int64(0))

    return row


@pytest.mark.parametrize("name", ["add", "mul", "div", "exp", "sin", "cosh", "abs", "hypot", "arctan2", "tan"])
def test_faults_are_caught(name, monkeypatch):
    monkeypatch.setitem(ROWS, name, _nearest(name))
    with pytest.raises(BrokenLawError):
        check_scalars(TABLE[name], seed=1, intervals=400, points=4)


@pytest.mark.parametrize("name", ["mul", "sub", "add"])
def test_faults_of_zonotopes_are_caught(name, monkeypatch):
    rule = zonotopes.FORMS[name]

    def narrow(equation, operands):
        form = rule(equation, operands)
        return form and zonotopes.Form(form.center, 0.98 * form.parts, 0.9 * form.rest, form.eps)

    monkeypatch.setitem(zonotopes.FORMS, name, narrow)
    with pytest.raises(BrokenLawError):
        _check_many(200)


def _check_many(programs):
    for seed in range(programs):
        check_programs(seed, affine=True)

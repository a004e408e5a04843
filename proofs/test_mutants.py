"""Every mutant can still be applied, and makes another program; the quickest are killed here too."""

from __future__ import annotations

import ast

import pytest

from proofs.mutants import MUTANTS, Mutant
from proofs.mutants.__main__ import OWN, ROOT, copied, outcome

QUICK = ("a cotangent is written where it is to be added", "subtraction in place adds", "sums overwrite")


def test_there_are_many_mutants():
    assert len(MUTANTS) >= 50
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
    assert {m.area for m in MUTANTS} == set(OWN)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_mutant_applies(mutant):
    before = (ROOT / mutant.module).read_text()
    assert ast.dump(ast.parse(mutant.applied(before))) != ast.dump(ast.parse(before))


def test_a_fragment_that_is_not_there_is_an_error():
    mutant = Mutant("none", "adcore/linear.py", "no such text", "", "nothing")
    with pytest.raises(LookupError, match="is 0 times in"):
        mutant.applied("")


@pytest.mark.parametrize("name", QUICK)
def test_mutant_is_killed(name, tmp_path):
    (mutant,) = (m for m in MUTANTS if m.name == name)
    assert outcome(mutant, copied(str(tmp_path)), 1).killer


def test_nothing_is_killed_where_nothing_is_changed(tmp_path):
    """Without this a stage that cannot run at all would kill every mutant."""
    same = Mutant("none", "adcore/linear.py", "DUAL[self.name](self)", "DUAL[self.name](self)", "nothing")
    assert outcome(same, copied(str(tmp_path)), 1).killer == ""

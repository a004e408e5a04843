"""Every law, for every row of the table."""

from dataclasses import replace

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore import laws
from adcore.builder import Builder
from adcore.laws import LAWS, LawError, cases, check_row, check_table
from adcore.linear import APPLY, DUAL
from adcore.primitives import TABLE, Kind
from adcore.program import Program
from adcore.types import I64, Var, f64

ROWS = [p for p in TABLE if p.kind not in (Kind.CONTROL, Kind.CHECK)]


@pytest.mark.parametrize("primitive", ROWS, ids=lambda p: p.name)
@pytest.mark.parametrize("law", LAWS)
def test_law(primitive, law):
    for case in cases(primitive):
        LAWS[law](case, interpret)


def test_the_table_of_duals_is_closed():
    assert DUAL.keys() == APPLY.keys()


def test_a_row_without_example_breaks_the_laws():
    row = replace(TABLE["view"], name="unheard_of")
    with pytest.raises(LawError, match="no example"):
        check_row(row, interpret)


def test_broken_rows_of_a_table_are_named(monkeypatch):
    monkeypatch.setattr(laws, "TABLE", [TABLE[name] for name in ("sin", "arctan", "matmul")])

    def wrong_of_arctan(program, arguments):
        wrong = any(e.primitive.name == "arctan" for e in program.equations)
        return tuple(np.asarray(r) + wrong for r in interpret(program, arguments))

    assert check_table(interpret) == {}
    broken = check_table(wrong_of_arctan)
    assert list(broken) == ["arctan"]
    assert "the executor gives" in str(broken["arctan"])


def test_an_executor_that_is_wrong_breaks_the_first_law():
    def wrong(program, arguments):
        return tuple(np.asarray(r) + 1 for r in interpret(program, arguments))

    with pytest.raises(LawError, match="the executor gives"):
        check_row(TABLE["sin"], wrong)


@pytest.mark.parametrize("name", ["reduce_max", "reduce_min"])
def test_ties_of_a_reduction_share_equally(name):
    """The elements that attain the extremum share the cotangent."""
    x = Var(f64(Var(I64, "n")), "x")
    b = Builder()
    getattr(b, name)(x, axes=(0,))
    row = b.equations[0].primitive
    rule = row.map_for(0)
    assert rule is not None
    one = Var(f64(), "w")
    y = rule(b, b.equations[0]).dual().apply(b, one)
    (shares,) = interpret(Program((x, one), b.equations, (y,)), (np.array([2.0, 2.0, 2.0, 2.0]), 1.0))
    np.testing.assert_array_equal(shares, [0.25] * 4)


@pytest.mark.parametrize("x", [0.0, 2.0])
def test_the_zeroth_power_is_constant(x):
    base, exponent = Var(f64(), "x"), Var(f64(), "y")
    b = Builder()
    b.pow(base, exponent)
    rule = b.equations[0].primitive.map_for(0)
    assert rule is not None
    t = Var(f64(), "t")
    y = rule(b, b.equations[0]).apply(b, t)
    assert interpret(Program((base, exponent, t), b.equations, (y,)), (x, 0.0, 1.0)) == (0.0,)

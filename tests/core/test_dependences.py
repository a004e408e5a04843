"""The linear maps of every row, read over sets, hold all elements of the maps themselves, forwards and dualized."""

from __future__ import annotations

import random

import numpy as np
import pytest
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.errors import MissingRuleError
from adcore.laws import cases
from adcore.linear import DUAL, Generator
from adcore.primitives import TABLE, Kind
from adcore.program import Program
from adcore.sparse.dataflow import UNION, Flow, words
from adcore.types import Atom, DType, Var, literal
from proofs.linear_programs import lengths, matrix, random_chain, value_of

ROWS = [p for p in TABLE if p.kind not in (Kind.CONTROL, Kind.CHECK)]
BITS = 64


def units(shape, dtype):
    size = int(np.prod(shape))
    for k in range(size):
        unit = np.zeros(size, dtype.numpy)
        unit[k] = 1.0
        yield unit.reshape(shape)[()]


def sets(shape):
    """A set for each element, which holds that element alone; several times, for 64 elements each."""
    numbers = np.arange(int(np.prod(shape)))
    for first in range(0, len(numbers), BITS):
        inside = (numbers >= first) & (numbers < first + BITS)
        bits = np.left_shift(np.uint64(1), (numbers % BITS).astype(np.uint64)).view(np.int64)
        yield np.where(inside, bits, 0).reshape(shape)[()]


def members(found, count):
    """From words to booleans: results by elements."""
    parts = [(np.ravel(w).view(np.uint64)[:, None] >> np.arange(BITS, dtype=np.uint64)) & np.uint64(1) for w in found]
    return np.concatenate(parts, axis=1)[:, :count].astype(bool)


def elements(case, pair, dual):
    """Where the map's matrix is not 0."""
    map = case.generator(pair, dual)
    source, _ = case.ends(pair, dual)
    t = Var(source, "t")
    program = case.program(map.apply(case.builder, t), extra=(t,))
    factors = (1.0, 1j) if source.dtype.complex else (1.0,)
    columns = [
        sum(np.abs(np.ravel(interpret(program, (*case.point, f * unit))[0])) for f in factors)
        for unit in units(case.shape(source), source.dtype)
    ]
    return np.stack(columns, axis=1) != 0.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("primitive", ROWS, ids=lambda p: p.name)
def test_sets_hold_all_elements(primitive, dual):
    for case in cases(primitive):
        if {DType.F32, DType.C64} & {o.dtype for o in case.example.operands}:
            continue
        for pair in case.maps():
            expected = elements(case, pair, dual)
            map = case.generator(pair, dual)
            source, target = case.ends(pair, dual)
            flow = Flow(Program(case.params, list(case.builder.equations)))
            t, before = Var(words(source), "t"), Var(words(target), "before")
            alone = flow.accumulate(case.builder, map, None, t)
            both = flow.accumulate(case.builder, map, before, t)
            program = case.program(alone, both, extra=(t, before))
            there = np.full(case.shape(target), 1 << 40)[()]
            run = [interpret(program, (*case.point, s, there)) for s in sets(case.shape(source))]
            found = members([alone for alone, _ in run], expected.shape[1])
            assert found.shape == expected.shape
            assert not np.any(expected & ~found), (case.example, pair)
            for alone, both in run:
                np.testing.assert_array_equal(both, alone | there)


def test_every_map_has_its_reading():
    program = Program(())
    assert Flow(program).maps.keys() == DUAL.keys()
    assert UNION.keys() < DUAL.keys()
    with pytest.raises(MissingRuleError, match="a pattern through the linear map 'unheard of'"):
        Flow(program).apply(Builder(), Generator("unheard of"), literal(1))


@pytest.mark.parametrize("seed", range(40))
def test_linear_programs(seed):
    chain = random_chain(random.Random(seed), 6)
    for linear in (chain, chain.transposed()):
        expected = matrix(linear) != 0.0
        b = Builder()
        t = Var(words(linear.source.type), "t")
        flow = Flow(Program(linear.residuals.all()))
        found: dict[Var, Atom] = {linear.source: t}
        for step in linear.linear.steps:
            if step.source in found:
                before = found.get(step.target)
                found[step.target] = flow.accumulate(b, step.label(b), before, found[step.source])
        if linear.target not in found:
            assert not expected.any()
            continue
        program = Program((*linear.residuals.all(), t), b.equations, (found[linear.target],))
        residuals = [value_of(v, i) for i, v in enumerate(linear.residuals.all())]
        run = [interpret(program, (*residuals, s))[0] for s in sets(lengths(t))]
        got = members(run, expected.shape[1])
        assert not np.any(expected & ~got)

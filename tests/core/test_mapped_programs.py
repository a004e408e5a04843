"""Random programs mapped over random axes, by every backend, against the elements one by one; and their pullbacks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from adcore import lanes
from adcore.derive import pull
from adcore.mapped_loop import Along, MappedLoop, Output
from adcore.plugins import backend
from adcore.program import Program
from adcore.types import f64, literal
from adcore.verify import verify
from proofs.random_programs import LENGTH, RandomPrograms

ORACLE, LLVM = backend("numpy"), backend("llvm")


class OfKnownLengths(RandomPrograms):
    """Programs whose arrays are of a known length, so that elements go together in groups."""

    def __init__(self, choices: random.Random) -> None:
        super().__init__(choices)
        self.n: Any = literal(LENGTH)
        self.array = f64(self.n)


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch):
    monkeypatch.setattr(lanes, "LANES", 4)
    monkeypatch.setattr(lanes, "MANY", 4)


@dataclass
class Case:
    """A program, which parameters are mapped along which axes, and arguments."""

    element: Program
    axes: list[int | None]
    batch: list[Any]
    outputs: list[Output]
    n: int

    def arguments(self, k: int) -> list[Any]:
        """Those of an element."""
        found = [b if a is None else np.take(b, k, a) for b, a in zip(self.batch, self.axes, strict=True)]
        return [found[0], found[1], float(found[2]), int(found[3])]

    def mapped(self) -> Program:
        along = [None if a is None else Along(a, None) for a in self.axes]
        return MappedLoop(self.element, along).program(self.outputs, parallel=False)


def drawn(kind: type[RandomPrograms], seed: int) -> Case:
    element, rng = kind(random.Random(seed)).program(8), np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    one = (rng.uniform(-1, 1, LENGTH), rng.uniform(-1, 1, LENGTH), rng.uniform(-1, 1), int(rng.integers(LENGTH)))
    many = (*rng.uniform(-1, 1, (2, n, LENGTH)), rng.uniform(-1, 1, n), rng.integers(0, LENGTH, n))
    mapped = [True, *(bool(rng.integers(2)) for _ in range(3))]
    axes = [int(rng.integers(many[k].ndim)) if mapped[k] else None for k in range(4)]
    batch = [one[k] if a is None else np.ascontiguousarray(np.moveaxis(many[k], 0, a)) for k, a in enumerate(axes)]
    outputs = [Output(k, int(rng.integers(r.type.rank + 1)), f"r{k}") for k, r in enumerate(element.results)]
    return Case(element, axes, batch, outputs, n)


@pytest.mark.parametrize("kind", [RandomPrograms, OfKnownLengths])
@pytest.mark.parametrize("seed", range(12))
def test_random_programs(kind, seed):
    case = drawn(kind, seed)
    element, mapped = case.element, case.mapped()
    verify(mapped)
    run = ORACLE.compile(element)
    singles = [run(*case.arguments(k)) for k in range(case.n)]
    expected = [np.stack([np.asarray(s[out.index]) for s in singles], out.axis) for out in case.outputs]
    for each in (ORACLE, LLVM):
        for found, wanted in zip(each.compile(mapped)(*case.batch), expected, strict=True):
            assert found.dtype == wanted.dtype
            assert found.shape == wanted.shape
            np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)
    active = [k for k, r in enumerate(element.results) if r.type.dtype.differentiable]
    if active:
        rng = np.random.default_rng(seed)
        check_pullback(case, mapped, {k: rng.normal(size=expected[k].shape) for k in active})


def check_pullback(case: Case, mapped: Program, cotangents: dict[int, Any]) -> None:
    """The cotangents of mapped arguments are those of the elements, the others their sums."""
    wrt, count = [0, 1, 2], len(case.outputs)
    pulled = pull(mapped, wrt)
    verify(pulled)
    expected = [np.zeros(np.shape(case.batch[k])) for k in wrt]
    run = ORACLE.compile(pull(case.element, wrt))
    for k in range(case.n):
        of_element = [np.take(c, k, case.outputs[r].axis) for r, c in cotangents.items()]
        gradients = run(*case.arguments(k), *(c if c.ndim else float(c) for c in of_element))[count:]
        for total, axis, gradient in zip(expected, case.axes, gradients, strict=False):
            if axis is None:
                total += gradient
            else:
                np.moveaxis(total, axis, 0)[k] = gradient
    for each in (ORACLE, LLVM):
        found = each.compile(pulled)(*case.batch, *cotangents.values())[count:]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_some_go_in_groups():
    grouped = [drawn(OfKnownLengths, seed).mapped() for seed in range(12)]
    loops = [sum(e.primitive.name == "loop" for e in p.equations) for p in grouped]
    assert sum(n > 1 for n in loops) >= 4

"""The part of the suite that is asked first, in one process: `python -m proofs.mutants.probe PACKAGE`.

Laws of random programs, the published failure patterns interpreted, random programs of the selftest, and for the LLVM
backend random programs bit for bit.  Most mutants die here within seconds; the tests are those of the suite.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adcore.selftest.checks import judge
from adcore.selftest.workers import generated

__all__ = ["checks"]

TESTS = Path(__file__).resolve().parents[2] / "tests"
Check = tuple[str, Callable[[], None]]


def checks(area: str) -> Iterator[Check]:
    """Named checks, which raise where something is wrong."""
    machine = area == "adcore_llvm"
    if machine:
        yield from _bits()
    else:
        yield from _laws()
        yield from _passes()
        yield from _aliasing()
    yield from _patterns(machine)
    for k in range(20 if machine else 60):
        yield f"selftest program probe/{k}", lambda k=k: _judged(f"probe/{k}", float(machine))


def _laws() -> Iterator[Check]:
    laws = importlib.import_module("proofs.test_linear")
    for seed in range(6):
        for law in (laws.test_transpose_is_the_transposed_matrix, laws.test_pullback_is_the_transposed_pushforward):
            yield f"{law.__name__}[{seed}]", lambda law=law, seed=seed: law(seed)


def _passes() -> Iterator[Check]:
    sys.path.insert(0, str(TESTS / "core"))
    tests = importlib.import_module("test_exact_passes")
    for name, test in vars(tests).items():
        if name.startswith("test_") and name != "test_checks_are_alive":
            yield name, test
    for case in tests.CHECKED:
        yield case, lambda case=case: tests.test_checks_are_alive(case)


def _aliasing() -> Iterator[Check]:
    sys.path.insert(0, str(TESTS / "endtoend"))
    tests = importlib.import_module("test_aliasing")
    for test, functions in ((tests.test_right_or_refused, tests.MAYBE_REFUSED), (tests.test_right, tests.EXACT)):
        for f in functions:
            yield f"{test.__name__}[{f.__name__}]", lambda test=test, f=f: test(f)


def _bits() -> Iterator[Check]:
    sys.path.insert(0, str(TESTS / "llvm"))
    growth = importlib.import_module("test_growth")
    yield "grown memory", growth.test_grown_memory_is_freed_where_it_is_now
    for first in (True, False):
        yield "memory grown in branches", lambda first=first: growth.test_branches_grow_the_same_memory(first)
    copies = importlib.import_module("test_in_place")
    for read in (copies.the_array, copies.a_view_of_it):
        for written in (copies.by_a_write, copies.by_a_loop):
            yield "no copy", lambda read=read, written=written: copies.test_no_copy(read, written)
    tests = importlib.import_module("test_matrix_programs")
    for seed in range(25):
        program = tests.matrix_program(random.Random(seed), 14)
        yield f"same_bits[{seed}]", lambda p=program, s=seed: tests.same_bits(p, tests.arguments(s))


def _patterns(machine: bool) -> Iterator[Check]:
    sys.path.insert(0, str(TESTS / "endtoend"))
    tests = importlib.import_module("test_failure_patterns")
    for pattern in tests.PATTERNS:
        name = f"failure pattern: {pattern.name}"
        if machine:
            yield name, lambda p=pattern: tests.test_compiled(p)
        else:
            yield name, lambda p=pattern: tests.test_interpreted(p, tests.POINTS[0])
    yield "checkpoints", lambda: tests.test_checkpointed(tests.POINTS[0])


def _judged(seed: str, compiled: float) -> None:
    source, point = generated(seed)
    found = judge(source, point, seed, compiled)
    if found.kind == "failed":
        raise AssertionError(f"{found.reason}: {found.detail}")


def main() -> int:
    for name, check in checks(sys.argv[1]):
        try:
            check()
        except (Exception, pytest.fail.Exception) as error:
            print(f"FAILED {name} - {type(error).__name__}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

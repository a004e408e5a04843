"""From `grad(f)` to the first result, in fresh processes, for the problems of the other suites.

"second process" finds on disk what another one compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.cases import Case, Target, problem_of
from bench.suites import suites
from bench.workloads import FirstCall, SecondProcess

__all__ = ["cases"]

PROBLEMS = ("small", "elementwise", "imperative", "gradbench", "repeated")  # suites, those of which that are there
SMALL = 60e-3
OTHERS = 500e-3
SERVED = 10e-3
PROCESSES = 5


def cases(tiny: bool = False) -> Iterator[Case]:
    """The first case of each problem: the code is the same for all sizes."""
    known = suites()
    for suite in (known[name] for name in PROBLEMS if name in known):
        seen: set[str] = set()
        for case in suite.cases(tiny):
            problem = problem_of(case.name)
            if problem in seen or "adcore" not in case.contenders:
                continue
            seen.add(problem)
            yield Case(
                f"{suite.name}: {case.name}",
                {
                    name: partial(FirstCall, suite.name, tiny, case.name, name)
                    for name in ("adcore", "jax")
                    if name in case.contenders
                }
                | {"second process": partial(SecondProcess, suite.name, tiny, case.name, "adcore")},
                agree=case.agree,
                targets=(
                    Target("adcore", SMALL if suite.name == "small" else OTHERS),
                    Target("adcore", 0.5, over="jax"),
                    Target("second process", SERVED),
                ),
                rounds=1 if tiny else PROCESSES,
            )

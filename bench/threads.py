"""Loops of independent iterations by two threads, beside one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from timeit import Timer
from typing import Any

import adcore
from bench.cases import Case, Target
from bench.gradbench import ba, gmm, ht, kmeans
from bench.timing import Stopwatch, all_processors
from bench.workloads import Contender

__all__ = ["cases"]

THREADS = 2
GAIN = 1.7  # a target


def cases(tiny: bool = False) -> Iterator[Case]:
    """The problems of GradBench whose iterations are independent."""
    problems: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]
    if tiny:
        problems = {
            "gmm d2 k3": (gmm.gradient, gmm.inputs(2, 3, 8)),
            "kmeans k2 n6 d3": (kmeans.direction, kmeans.inputs(2, 6, 3)),
            "ba n3 m4 p7": (ba.jacobian, ba.inputs(3, 4, 7)),
            "ht complicated tiny n5": (ht.complicated_jacobian, ht.inputs(5, 9, True)),
        }
    else:
        problems = {
            "gmm d20 k50": (gmm.gradient, gmm.inputs(20, 50, 1000)),
            "gmm d64 k100": (gmm.gradient, gmm.inputs(64, 100, 1000)),
            "kmeans k1000 n10000 d16": (kmeans.direction, kmeans.inputs(1000, 10_000, 16)),
            "ba n49 m7776 p31843": (ba.jacobian, ba.inputs(49, 7776, 31_843)),
            "ba n356 m226730 p1255268": (ba.jacobian, ba.inputs(356, 226_730, 1_255_268)),
            "ht complicated big n100": (ht.complicated_jacobian, ht.inputs(100, 10_000, True)),
            "ht complicated big n51200": (ht.complicated_jacobian, ht.inputs(51_200, 10_000, True)),
        }
    for name, (function, arguments) in problems.items():
        several = f"{THREADS} threads"
        contenders = {
            "adcore": lambda f=function, a=arguments: Threaded(1, f, *a),
            several: lambda f=function, a=arguments: Threaded(THREADS, f, *a),
        }
        yield Case(name, contenders, targets=(Target(several, 1 / GAIN, over="adcore"),))


class Threaded(Contender):
    """A function that so many threads run, on as many processors as there are."""

    def __init__(self, threads: int, function: Callable[..., Any], *arguments: Any) -> None:
        super().__init__(function, *arguments)
        self.threads = threads

    def first(self) -> tuple[Any, float | None]:
        """The result of the first call, and its seconds; the threads begin in it."""
        adcore.set_num_threads(self.threads)
        try:
            with all_processors():
                return super().first()
        finally:
            adcore.set_num_threads(1)

    def watch(self) -> Stopwatch:
        """A timer of calls by so many threads."""

        def prepare() -> None:
            adcore.set_num_threads(self.threads)
            self.call(*self.arguments)  # finds the code for so many

        return Timer(lambda: self.call(*self.arguments), setup=prepare)

"""How the measurements are taken: interleaved blocks of warm calls on one processor, and their medians."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from timeit import Timer

__all__ = ["block_size", "interleaved", "one_processor", "printed_seconds"]


def one_processor() -> None:
    """Keep this process, and JAX in it, on one processor and one thread.  To be called before JAX is imported."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def block_size(timer: Timer, seconds: float) -> int:
    """The number of calls that fills a block of about that many seconds, at least 1."""
    number = 1
    while (elapsed := timer.timeit(number)) < seconds / 4.0:
        number *= 4
    return max(1, round(number * seconds / elapsed))


def interleaved(timers: Mapping[str, Timer], rounds: int = 15, seconds: float = 0.02) -> dict[str, float]:
    """The median seconds a call of each contender.

    The contenders take turns, one block of calls each, so that a change in the machine's speed meets all of them.

    Args:
        timers: one a contender; what it runs must wait for its result.
        rounds: blocks a contender.
        seconds: the length of a block.
    """
    sizes = {name: block_size(timer, seconds) for name, timer in timers.items()}
    times: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer.timeit(sizes[name]) / sizes[name])
    return {name: median(t) for name, t in times.items()}


def printed_seconds(*arguments: str, rounds: int = 7) -> float:
    """The median of the seconds that a Python process prints, over fresh processes."""
    command = [sys.executable, *arguments]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(rounds)]
    return median(float(r.stdout) for r in runs)

"""How the measurements are taken: interleaved blocks of warm calls on one processor, and their medians."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Single", "Stopwatch", "all_processors", "block_size", "interleaved", "one_processor"]

MOST, LEAST = 15, 3  # blocks a contender
PATIENCE = 2.0  # seconds a contender, beyond which there are fewer blocks


class Stopwatch(Protocol):
    """What `timeit.Timer` is: does the work a number of times, waits for its results, and gives the seconds."""

    def timeit(self, number: int) -> float: ...


class Single:
    """A stopwatch of work that is never repeated in a block: it is prepared anew, or a process of its own."""

    def once(self) -> float:
        """Do the work, and give the seconds."""
        raise NotImplementedError

    def timeit(self, number: int) -> float:
        return sum(self.once() for _ in range(number))


def one_processor() -> None:
    """Keep this process, and JAX in it, on one processor and one thread.  To be called before NumPy is imported."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextmanager
def all_processors() -> Iterator[None]:
    """A context in which threads begin that may run on any processor, also where this one is kept on one."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def block_size(watch: Stopwatch, seconds: float) -> tuple[int, float]:
    """The number of calls that fills a block of about that many seconds, at least 1; and the seconds of a call."""
    number = 1
    while (elapsed := watch.timeit(number)) < seconds / 4.0:
        number *= 4
    return max(1, round(number * seconds / elapsed)), elapsed / number


def interleaved(
    watches: Mapping[str, Stopwatch], rounds: int | None = None, seconds: float = 0.02
) -> dict[str, list[float]]:
    """The seconds a call of each contender, block by block.

    The contenders take turns, one block of calls each, so that a change in the machine's speed meets all of them.

    Args:
        watches: one a contender.
        rounds: blocks a contender; without it, as many as the slowest contender has time for.
        seconds: the length of a block.
    """
    sizes: dict[str, int] = {}
    longest = 0.0
    for name, watch in watches.items():
        sizes[name], call = (1, 0.0) if isinstance(watch, Single) else block_size(watch, seconds)
        longest = max(longest, sizes[name] * call)
    if rounds is None:
        rounds = max(LEAST, min(MOST, int(PATIENCE / max(longest, seconds))))
    times: dict[str, list[float]] = {name: [] for name in watches}
    for _ in range(rounds):
        for name, watch in watches.items():
            times[name].append(watch.timeit(sizes[name]) / sizes[name])
    return times

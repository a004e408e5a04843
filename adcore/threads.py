"""How many threads run loops whose iterations are independent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import AdcoreError

__all__ = [
    "EFFORT",
    "VARIABLE",
    "Sharing",
    "eager",
    "get_num_threads",
    "processors",
    "set_num_threads",
    "sharing",
    "when_set",
]

VARIABLE = "ADCORE_NUM_THREADS"
MOST = 1024
EFFORT = 20_000  # operations: some ten times what it takes to start threads

_told: list[Callable[[], None]] = []
_count = 0  # not asked for yet
_effort = EFFORT


def set_num_threads(count: int) -> None:
    """Have compiled functions run loops of independent iterations by so many threads, from the next call on.

    One thread runs everything at first, or as many as the environment variable ADCORE_NUM_THREADS says.  A function is
    compiled once for one thread, and once for several.  Loops that take less than some microseconds are run by one
    thread always.  Loops are divided into parts by what they are and by the lengths of arrays, not by the number of
    threads: results are the same, to the bit, whether two threads run the parts or eight, and those of one thread
    alone, which has no parts, differ by the order of sums.

    Args:
        count: threads, that of the caller included: as many as there are processors, at best.

    Raises:
        TypeError: the count is not an integer.
        ValueError: the count is not positive, or larger than 1024.

    >>> import adcore
    >>> adcore.set_num_threads(2)
    >>> adcore.get_num_threads()
    2
    >>> adcore.set_num_threads(1)
    """
    global _count
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise TypeError(f"the number of threads is an integer, not {count!r}")
    _count = _checked(count.__index__(), str(count))
    for tell in _told:
        tell()


def get_num_threads() -> int:
    """How many threads run loops of independent iterations.

    Raises:
        AdcoreError: the environment variable ADCORE_NUM_THREADS is not a number of threads.
    """
    global _count
    if not _count:
        _count = _from_environment()
    return _count


def _from_environment() -> int:
    text = os.environ.get(VARIABLE, "") or "1"
    try:
        return _checked(int(text), text)
    except ValueError:
        raise AdcoreError(f"{VARIABLE}={text!r} is not a number of threads", write=f"{VARIABLE}=2") from None


def _checked(count: int, text: str) -> int:
    if not 1 <= count <= MOST:
        raise ValueError(f"{text} threads: the number is at least 1 and at most {MOST}")
    return count


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MOST)
    return min(os.cpu_count() or 1, MOST)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Which loops of a program several threads run.

    Attributes:
        least: those that take so many operations; None where there are none but loops that say so themselves.
        wide: whether all processors serve where one thread is set.
    """

    least: int | None = None
    wide: bool = False


def sharing(parallel: bool = False) -> Sharing:
    """What holds of programs that are compiled now, whose functions are `parallel` or not."""
    return Sharing(_effort if parallel or get_num_threads() > 1 else None, wide=parallel)


@contextmanager
def eager(count: int) -> Iterator[None]:
    """A context in which so many threads run loops however short they are: for tests."""
    global _effort
    before = get_num_threads()
    _effort = 0
    try:
        set_num_threads(count)
        yield
    finally:
        _effort = EFFORT
        set_num_threads(before)


def when_set(tell: Callable[[], None]) -> None:
    """Call `tell` whenever the number is set."""
    _told.append(tell)

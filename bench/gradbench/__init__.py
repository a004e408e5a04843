"""The problems of GradBench, the field's shared benchmark, as ordinary Python functions that adcore differentiates.

A module a problem: the function, its derivative, the data, the contenders, and what the benchmark's protocol calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from bench.cases import Case

__all__ = ["PROBLEMS", "cases"]

PROBLEMS = ("hello", "gmm", "ba", "ht", "lstm", "kmeans", "det", "llsq", "lse", "ode", "particle", "saddle")


def cases(tiny: bool = False) -> Iterator[Case]:
    """All cases of all problems."""
    for name in PROBLEMS:
        yield from import_module(f"bench.gradbench.{name}").cases(tiny)
